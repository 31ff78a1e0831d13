//! [`Delta`]: what a stretch of a model's output adds to the answer, as it goes to the client.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::liberty::Liberty;
use crate::control::Control;

/// What a stretch of a model's output adds to the answer.
///
/// It serialises as the `delta` object of OpenAI's streamed chat completions, thinking as `reasoning_content`. What these
/// streams cannot express is a marker, which serialises as `{}` and need not be sent (see
/// [`is_marker`](Delta::is_marker)). [`ReplyEvents`](crate::completion::ReplyEvents) writes the whole events of any API's stream.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{CallDeltas, NewCallIds};
///
/// let mut reader = CompletionReader::new(&Layout::V13).with_calls(CallDeltas::Streamed(NewCallIds::seeded(7)));
/// let deltas: Vec<_> = reader.push("Let me look.[TOOL_CALLS]now[ARGS]{\"zone\": ").collect();
/// assert_eq!(serde_json::to_string(&deltas[0])?, r#"{"content":"Let me look."}"#);
/// assert_eq!(
///     serde_json::to_string(&deltas[1])?,
///     r#"{"tool_calls":[{"index":0,"id":"WylX70R33","type":"function","function":{"name":"now","arguments":"{\"zone\": "}}]}"#
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
    /// Thinking has ended. If none had begun, all text so far was thinking; only a lenient reader reports this.
    ThinkingEnd,
    /// More of what is said.
    Text(String),
    /// More of a tool call.
    ToolCall(ToolCallDelta),
    /// A tool call has ended.
    ToolCallEnd(ToolCallEnd),
    /// Text that has no place in the answer, such as what follows an error.
    Rest(String),
    /// A control token that has no place where it stands.
    Stray(Stray),
    /// Something that a lenient reader accepted although no model of the layout should write it.
    Liberty(Liberty),
}

impl Delta {
    /// Does OpenAI's stream have nothing for this delta?
    ///
    /// ```
    /// use mistral_chat_template::completion::Delta;
    ///
    /// assert!(Delta::ThinkingEnd.is_marker());
    /// assert_eq!(serde_json::to_string(&Delta::ThinkingEnd)?, "{}");
    /// assert!(!Delta::Text("Hi".to_owned()).is_marker());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn is_marker(&self) -> bool {
        match self {
            Delta::ThinkingStart
            | Delta::ThinkingEnd
            | Delta::ToolCallEnd(_)
            | Delta::Rest(_)
            | Delta::Stray(_)
            | Delta::Liberty(_) => true,
            Delta::Thinking(_) | Delta::Text(_) | Delta::ToolCall(_) => false,
        }
    }
}

/// More of a tool call: the arguments of one index concatenate.
///
/// The first delta of a call has its whole name, and its id if one is known by then; the others have arguments alone.
/// Arguments that the model writes before the name are held back until it comes.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::Delta;
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
    /// The id by which the client knows the call.
    pub id: Option<String>,
    /// The name, whole.
    pub name: Option<String>,
    /// More of the arguments, as the model wrote them.
    pub arguments: String,
}

/// The end of a tool call.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{CallDeltas, Delta, NewCallIds};
///
/// let mut reader = CompletionReader::new(&Layout::V3).with_calls(CallDeltas::Streamed(NewCallIds::seeded(7)));
/// let output = r#"[TOOL_CALLS][{"name": "now", "arguments": {}, "id": "abc123def"}]"#;
/// let Some(Delta::ToolCallEnd(end)) = reader.push(output).last() else { unreachable!() };
/// assert!(end.complete);
/// assert_eq!(end.written_id.as_deref(), Some("abc123def"), "the client was told another before this one came");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCallEnd {
    /// Which call of the message.
    pub index: usize,
    /// The id that the model wrote, if the client was sent another or none.
    pub written_id: Option<String>,
    /// Did the model write the call to its end?
    pub complete: bool,
}

/// A control token that has no place where it stands.
///
/// ```
/// use mistral_chat_template::{Completion, Control, Layout, Segment};
/// use mistral_chat_template::completion::{Stray, StrayFate};
///
/// let output = [Segment::Text("Hi"), Segment::Control(Control::EndInst), Segment::Text("!")];
/// let completion = Completion::from_segments(output, &Layout::V13);
/// assert_eq!(completion.message.content, "Hi!".into());
/// assert_eq!(completion.stray, [Stray { control: Control::EndInst, offset: 2, fate: StrayFate::LeftOut }]);
///
/// let completion = Completion::from_text("Hi[/INST]!", &Layout::V13);
/// assert_eq!(completion.message.content, "Hi[/INST]!".into(), "text that only spells one");
/// assert_eq!(completion.stray, [Stray { control: Control::EndInst, offset: 2, fate: StrayFate::Text }]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stray {
    /// The control token.
    pub control: Control,
    /// Where it begins: the bytes before it, control tokens spelled out.
    pub offset: usize,
    /// What became of it.
    pub fate: StrayFate,
}

/// What became of a [`Stray`] control token.
///
/// ```
/// use mistral_chat_template::{Completion, Layout};
/// use mistral_chat_template::completion::StrayFate;
///
/// let completion = Completion::from_text("tide [OPTIONS] [ARGS]...", &Layout::V13);
/// assert_eq!(completion.stray[0].fate, StrayFate::Text);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrayFate {
    /// It was left out, as by mistral-common's parser: the model sampled the control token itself.
    LeftOut,
    /// It is text of the answer: the caller's string spelled it.
    Text,
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Delta::ThinkingStart
            | Delta::ThinkingEnd
            | Delta::ToolCallEnd(_)
            | Delta::Rest(_)
            | Delta::Stray(_)
            | Delta::Liberty(_) => {}
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
        map.serialize_entry("function", &Function { name: self.name.as_deref(), arguments: &self.arguments })?;
        map.end()
    }
}
