//! [`StopCause`] and [`FinishReason`]: why sampling stopped, and the reason that the client is sent.

use std::fmt;

use serde::Serialize;
use serde::ser::Serializer;

use super::Completion;

/// Why sampling stopped.
///
/// ```
/// use mistral_chat_template::completion::{FinishReason, StopCause};
/// use mistral_chat_template::{CompletionReader, Layout};
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
    /// A limit of tokens or of time: the answer is cut off.
    #[default]
    Limit,
    /// The model sampled its end token.
    EndToken,
    /// The model wrote a stop string.
    StopString,
}

/// Why an answer ended, as OpenAI's and Mistral's APIs say it.
///
/// ```
/// use mistral_chat_template::completion::FinishReason;
/// use mistral_chat_template::{Completion, Layout};
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
    /// The model ended its answer, or wrote a stop string.
    Stop,
    /// The answer was cut off, in a call or elsewhere.
    Length,
    /// The model ended its answer with calls.
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
    /// Why the answer ended. An answer that was cut off is `length` even if it has calls, since clients run calls whose
    /// reason is `tool_calls`.
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
}
