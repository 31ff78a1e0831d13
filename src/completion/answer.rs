//! The whole answer, as a server sends it: the message in a client's dialect, and why it ended.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Completion, Delta};
use crate::chat::{AssistantMessage, Chunk, Content, Dialect, ToolCall};

/// Why sampling stopped.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{FinishReason, StopCause};
///
/// // A server that takes the end token out of the text says that it came.
/// let mut reader = CompletionReader::new(&Layout::V7).with_stop_cause(StopCause::EndToken);
/// let completion = reader.read("Hello!");
/// assert_eq!(completion.finish_reason(), FinishReason::Stop);
/// assert!(!completion.message.prefix);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopCause {
    /// There was no room for more, or no patience: the answer is cut off.
    #[default]
    Limit,
    /// The model sampled its end token.
    EndToken,
    /// It wrote a stop string.
    StopString,
}

/// Why an answer ended, as OpenAI's and Mistral's APIs say it.
///
/// ```
/// use mistral_chat_template::{Completion, Layout};
/// use mistral_chat_template::completion::FinishReason;
///
/// let reason = |output| Completion::from_text(output, &Layout::V13).finish_reason();
/// assert_eq!(reason("Hello!</s>"), FinishReason::Stop);
/// assert_eq!(reason("[TOOL_CALLS]now[ARGS]{}</s>"), FinishReason::ToolCalls);
/// assert_eq!(reason("[TOOL_CALLS]now[ARGS]{"), FinishReason::Length, "half a call is not to be run");
/// assert_eq!(FinishReason::ToolCalls.as_str(), "tool_calls");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model had said all, or wrote a stop string.
    Stop,
    /// The answer was cut off, be it in a call or not.
    Length,
    /// The model had said all, and calls tools.
    ToolCalls,
}

impl FinishReason {
    /// The name in JSON.
    ///
    /// ```
    /// # use mistral_chat_template::completion::FinishReason;
    /// assert_eq!(FinishReason::Length.as_str(), "length");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FinishReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Completion {
    /// Why the answer ended. One that was cut off is `length`, also where it has calls: a client runs calls that it is
    /// told of as `tool_calls`.
    ///
    /// See [`FinishReason`] for an example.
    #[must_use]
    pub fn finish_reason(&self) -> FinishReason {
        match self.stop_cause {
            StopCause::Limit => FinishReason::Length,
            StopCause::EndToken | StopCause::StopString if self.message.tool_calls.is_empty() => FinishReason::Stop,
            StopCause::EndToken | StopCause::StopString => FinishReason::ToolCalls,
        }
    }

    /// The message as the `message` of a response's choice.
    ///
    /// For OpenAI's clients thinking is `reasoning_content`, and content is one text; for Mistral's it is a list of chunks
    /// where there is thinking. Both have `null` where there is no content. Other dialects are written as OpenAI's.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, Dialect, Layout};
    /// use mistral_chat_template::version::Feature;
    ///
    /// let completion = Completion::from_text("[THINK]Hm.[/THINK]Hi!</s>", &Layout::V13.with(Feature::Think));
    /// assert_eq!(
    ///     serde_json::to_string(&completion.message_for(Dialect::OpenAi))?,
    ///     r#"{"role":"assistant","content":"Hi!","reasoning_content":"Hm."}"#
    /// );
    /// assert_eq!(
    ///     serde_json::to_string(&completion.message_for(Dialect::Mistral))?,
    ///     concat!(
    ///         r#"{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}],"closed":true},"#,
    ///         r#"{"type":"text","text":"Hi!"}]}"#
    ///     )
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn message_for(&self, dialect: Dialect) -> impl Serialize + '_ {
        Answer { message: &self.message, is_mistral: is_mistral(dialect) }
    }
}

impl Delta {
    /// The delta as the `delta` of a streamed choice, in a client's dialect. OpenAI's is what the delta itself serialises
    /// as; Mistral's has thinking as a chunk of the content.
    ///
    /// ```
    /// use mistral_chat_template::Dialect;
    /// use mistral_chat_template::completion::Delta;
    ///
    /// let delta = Delta::Thinking("Hm.".to_owned());
    /// assert_eq!(serde_json::to_string(&delta)?, r#"{"reasoning_content":"Hm."}"#);
    /// assert_eq!(
    ///     serde_json::to_string(&delta.for_dialect(Dialect::Mistral))?,
    ///     r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]}"#
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn for_dialect(&self, dialect: Dialect) -> impl Serialize + '_ {
        Told { delta: self, is_mistral: is_mistral(dialect) }
    }
}

fn is_mistral(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Mistral)
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseChunk<'v> {
    Text {
        text: &'v str,
    },
    Thinking {
        thinking: [Box<ResponseChunk<'v>>; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        closed: Option<bool>,
    },
}

impl<'v> ResponseChunk<'v> {
    fn thinking(text: &'v str, closed: Option<bool>) -> Self {
        ResponseChunk::Thinking { thinking: [Box::new(ResponseChunk::Text { text })], closed }
    }
}

/// The message of a whole answer.
struct Answer<'c> {
    message: &'c AssistantMessage<'static>,
    is_mistral: bool,
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AssistantMessage { content, tool_calls, prefix: _, weight: _ } = self.message;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", "assistant")?;
        match content {
            Content::Chunks(chunks) if self.is_mistral => {
                let chunks: Vec<_> = chunks.iter().filter_map(response_chunk).collect();
                map.serialize_entry("content", &chunks)?;
            }
            _ => map.serialize_entry("content", &said(content))?,
        }
        if let Some(thought) = thought(content).filter(|_| !self.is_mistral) {
            map.serialize_entry("reasoning_content", &thought)?;
        }
        if !tool_calls.is_empty() {
            let calls: Vec<_> =
                tool_calls.iter().enumerate().map(|(index, call)| AnsweredCall { index, call }).collect();
            map.serialize_entry("tool_calls", &calls)?;
        }
        map.end()
    }
}

fn response_chunk<'c>(chunk: &'c Chunk<'_>) -> Option<ResponseChunk<'c>> {
    match chunk {
        Chunk::Text(text) => Some(ResponseChunk::Text { text }),
        Chunk::Thinking { text, closed } => Some(ResponseChunk::thinking(text, Some(*closed))),
        // A model writes none of them.
        Chunk::ImageUrl { .. } | Chunk::Image(_) | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => None,
    }
}

/// What is said, as one text; none where there is nothing.
fn said<'c>(content: &'c Content<'_>) -> Option<Cow<'c, str>> {
    match content {
        Content::Text(text) => Some(Cow::Borrowed(&**text)).filter(|text| !text.is_empty()),
        Content::Chunks(chunks) => joined(chunks.iter().map(|chunk| match chunk {
            Chunk::Text(text) => Some(&**text),
            _ => None,
        })),
    }
}

/// What is thought, as one text.
fn thought<'c>(content: &'c Content<'_>) -> Option<Cow<'c, str>> {
    joined(content.chunks().iter().map(|chunk| match chunk {
        Chunk::Thinking { text, .. } => Some(&**text),
        _ => None,
    }))
}

fn joined<'c>(texts: impl Iterator<Item = Option<&'c str>>) -> Option<Cow<'c, str>> {
    texts.flatten().fold(None, |whole, text| match whole {
        None => Some(Cow::Borrowed(text)),
        Some(whole) => Some(whole + text),
    })
}

/// A call of a whole answer.
struct AnsweredCall<'c> {
    index: usize,
    call: &'c ToolCall<'static>,
}

impl Serialize for AnsweredCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'v> {
            name: &'v str,
            arguments: &'v str,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        if let Some(id) = &self.call.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &Function { name: &self.call.name, arguments: &self.call.arguments })?;
        map.end()
    }
}

/// A delta in a dialect.
struct Told<'d> {
    delta: &'d Delta,
    is_mistral: bool,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.delta {
            Delta::Thinking(text) if self.is_mistral => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("content", &[ResponseChunk::thinking(text, None)])?;
                map.end()
            }
            delta => delta.serialize(serializer),
        }
    }
}
