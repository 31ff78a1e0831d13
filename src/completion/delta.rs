//! [`Delta`]: what a stretch of a model's output adds to the message.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::control::Control;

/// What a stretch of a model's output adds to the message.
///
/// It serialises as the `delta` object of OpenAI's streamed chat completions, thinking as `reasoning_content`. What
/// OpenAI has no word for serialises as `{}`, which a server need not send: see
/// [`is_marker`](Delta::is_marker).
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
///
/// let mut reader = CompletionReader::new(&Layout::V11);
/// let deltas: Vec<_> = reader.push("Let me look.[TOOL_CALLS]now[ARGS]{\"zone\": ").collect();
/// assert_eq!(serde_json::to_string(&deltas[0])?, r#"{"content":"Let me look."}"#);
/// assert_eq!(
///     serde_json::to_string(&deltas[1])?,
///     r#"{"tool_calls":[{"index":0,"type":"function","function":{"name":"now","arguments":"{\"zone\": "}}]}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delta {
    /// Thinking begins; what is thought follows.
    ThinkingStart,
    /// More of what is thought.
    Thinking(String),
    /// Thinking has come to its end.
    ThinkingEnd,
    /// More of what is said.
    Text(String),
    /// More of a tool call.
    ToolCall(ToolCallDelta),
    /// A control token that has no place in a reply was left out.
    Skipped(Skipped),
}

impl Delta {
    /// Does this add nothing that OpenAI's streams show?
    ///
    /// ```
    /// use mistral_chat_template::Delta;
    ///
    /// assert!(Delta::ThinkingEnd.is_marker());
    /// assert_eq!(serde_json::to_string(&Delta::ThinkingEnd)?, "{}");
    /// assert!(!Delta::Text("Hi".to_owned()).is_marker());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn is_marker(&self) -> bool {
        match self {
            Delta::ThinkingStart | Delta::ThinkingEnd | Delta::Skipped(_) => true,
            Delta::Thinking(_) | Delta::Text(_) | Delta::ToolCall(_) => false,
        }
    }
}

/// More of a tool call. The parts of one index concatenate.
///
/// A name comes whole unless it is longer than 256 bytes, and before the arguments if the model wrote it there. Lists of
/// calls (v3, v7) have the id after the arguments, so there it comes by itself, last.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Delta, Layout};
///
/// let mut reader = CompletionReader::new(&Layout::V3);
/// let deltas: Vec<_> = reader.push(r#"[TOOL_CALLS][{"name": "now", "argum"#).collect();
/// let [Delta::ToolCall(call)] = &deltas[..] else { unreachable!() };
/// assert_eq!((call.index, call.name.as_deref(), call.arguments.as_str()), (0, Some("now"), ""));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCallDelta {
    /// Which call of the message.
    pub index: usize,
    /// The id, where the layout writes one.
    pub id: Option<String>,
    /// The name, which begins most calls.
    pub name: Option<String>,
    /// More of the arguments, as the model wrote them.
    pub arguments: String,
}

/// A control token that was left out, because it has no place where the model wrote it.
///
/// ```
/// use mistral_chat_template::{Completion, Control, Layout, Skipped};
///
/// let completion = Completion::from_text("Hi[/INST]!</s>", &Layout::V13);
/// assert_eq!(completion.message.content, "Hi!".into());
/// assert_eq!(completion.skipped, [Skipped { control: Control::EndInst, offset: 2 }]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skipped {
    /// The control token.
    pub control: Control,
    /// Where it begins: the bytes before it, control tokens spelled out.
    pub offset: usize,
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Delta::ThinkingStart | Delta::ThinkingEnd | Delta::Skipped(_) => {}
            Delta::Thinking(text) => map.serialize_entry("reasoning_content", text)?,
            Delta::Text(text) => map.serialize_entry("content", text)?,
            Delta::ToolCall(call) => map.serialize_entry("tool_calls", &[call])?,
        }
        map.end()
    }
}

impl Serialize for ToolCallDelta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'v> {
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'v str>,
            arguments: &'v str,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        if self.name.is_some() {
            map.serialize_entry("type", "function")?;
        }
        if self.name.is_some() || !self.arguments.is_empty() {
            let function = Function { name: self.name.as_deref(), arguments: &self.arguments };
            map.serialize_entry("function", &function)?;
        }
        map.end()
    }
}

/// The deltas of one piece. What is not taken is lost.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Delta, Layout};
///
/// let mut reader = CompletionReader::new(&Layout::V13);
/// let mut deltas = reader.push("Hi");
/// assert_eq!(deltas.next(), Some(Delta::Text("Hi".to_owned())));
/// assert_eq!(deltas.next(), None);
/// ```
#[derive(Debug)]
#[must_use = "deltas that are not taken are lost"]
pub struct Deltas<'r>(std::vec::Drain<'r, Delta>);

impl Iterator for Deltas<'_> {
    type Item = Delta;

    fn next(&mut self) -> Option<Delta> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Deltas in order; more of the same joins the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    deltas: Vec<Delta>,
}

impl Queue {
    pub(super) fn drain(&mut self) -> Deltas<'_> {
        Deltas(self.deltas.drain(..))
    }

    pub(super) fn into_vec(self) -> Vec<Delta> {
        self.deltas
    }

    pub(super) fn push(&mut self, delta: Delta) {
        self.deltas.push(delta);
    }

    pub(super) fn text(&mut self, text: &str) {
        match self.deltas.last_mut() {
            Some(Delta::Text(last)) => last.push_str(text),
            _ => self.deltas.push(Delta::Text(text.to_owned())),
        }
    }

    pub(super) fn thinking(&mut self, text: &str) {
        match self.deltas.last_mut() {
            Some(Delta::Thinking(last)) => last.push_str(text),
            _ => self.deltas.push(Delta::Thinking(text.to_owned())),
        }
    }

    pub(super) fn arguments(&mut self, index: usize, more: &str) {
        match self.deltas.last_mut() {
            Some(Delta::ToolCall(last)) if last.index == index => last.arguments.push_str(more),
            _ if more.is_empty() => {}
            _ => self.call(ToolCallDelta { index, arguments: more.to_owned(), ..ToolCallDelta::default() }),
        }
    }

    pub(super) fn call(&mut self, call: ToolCallDelta) {
        self.deltas.push(Delta::ToolCall(call));
    }
}
