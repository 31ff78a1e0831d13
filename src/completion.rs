//! Parsing completions: a model's output in, whole or as it streams; the [`AssistantMessage`] out.
//!
//! ```
//! use mistral_chat_template::{Completion, Layout};
//!
//! let completion = Completion::from_text(r#"[TOOL_CALLS]now[ARGS]{"zone": "CET"}</s>"#, &Layout::V13);
//! let call = &completion.message.tool_calls[0];
//! assert_eq!((&*call.name, &*call.arguments), ("now", r#"{"zone": "CET"}"#));
//! ```
//!
//! A [`CompletionReader`] accepts token ids or text as they come, and returns the [`Delta`]s to send to a client.
//! [`CompletionReader::read_ids`], [`Completion::from_segments`] and [`Completion::from_text`] parse a whole output. The
//! [`Layout`] that says how a message is written also says how it is parsed.
//!
//! | I have | I use | a control token is |
//! | --- | --- | --- |
//! | token ids | [`push_id`](CompletionReader::push_id), with a [`Detokenizer`] | the id that was sampled |
//! | text, and control tokens apart | [`push_text`](CompletionReader::push_text), [`push_control`](CompletionReader::push_control) | what the caller says |
//! | text with control tokens spelled out | [`push`](CompletionReader::push) | a literal, wherever the layout could have the token |

mod arguments;
mod call;
mod delta;
mod fault;
mod finish_reason;
mod ids;
mod json;
mod liberty;
mod list;
mod literals;
mod middle;
mod opening;
mod queue;
mod reader;
mod reply;
mod scanner;
mod start;
mod stops;
mod stream;
mod tokens;
mod unescape;
mod wrapping;

pub use self::delta::{Delta, Stray, StrayFate, ToolCallDelta, ToolCallEnd};
pub use self::finish_reason::{FinishReason, StopCause};
pub use self::ids::{CallDeltas, NewCallIds};
pub use self::liberty::{Leniency, Liberty, LibertyKind};
pub use self::reader::{CompletionReader, DummyPrefix};
pub use self::reply::{ReplyEvent, ReplyEvents, ReplyHead};
pub use self::stops::StopFound;
pub use self::stream::{Finished, NewDeltas};
pub use self::tokens::Detokenizer;

use std::borrow::Cow;

use crate::chat::{AssistantMessage, Chunk, Content, ToolCall, surrogates};
use crate::error::Error;
use crate::layout::Layout;
use crate::prompt::Segment;

/// A message that was parsed from a model's output, and what is wrong with the output.
///
/// The message holds what is right: of arguments that were cut off, the beginning.
///
/// ```
/// use mistral_chat_template::{Completion, Layout};
///
/// let output = "[TOOL_CALLS]get_weather[CALL_ID]abc123def[ARGS]{\"city\": \"Par";
/// let completion = Completion::from_text(output, &Layout::V11);
///
/// let call = &completion.message.tool_calls[0];
/// assert_eq!((&*call.name, call.id.as_deref()), ("get_weather", Some("abc123def")));
/// assert_eq!(call.arguments, "{\"city\": \"Par");
/// assert_eq!(
///     completion.into_result().unwrap_err().to_string(),
///     "tool_calls[0].arguments: not JSON at byte 60: the text ends too early (v11)"
/// );
/// ```
///
/// Read as mistral-common 1.13.1 reads it, with these differences:
///
/// - arguments are the text that the model wrote (rendering reformats them), with U+FFFD for a lone surrogate so that every
///   layout renders them; deltas have them as they were written;
/// - a call with the key `name`, `arguments` or `id` twice is an error, and the first one counts;
/// - in v11, an `[ARGS]` before the `[CALL_ID]` is an error even if a second one follows.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Completion {
    /// The message. Its `prefix` is true if the output does not end with the end token. A call has the id that was sent to
    /// the client, or else the one that the model wrote, if any.
    pub message: AssistantMessage<'static>,
    /// Text that has no place in the message: what follows an error, and members of calls that the layout does not have.
    pub rest: String,
    /// The ids that the model wrote, by the calls' indexes, where the client was sent others.
    pub written_ids: Vec<(usize, String)>,
    /// The control tokens that had no place where they stood.
    pub stray: Vec<Stray>,
    /// What a lenient reader accepted.
    pub liberties: Vec<Liberty>,
    /// Why sampling stopped. Without an end token, and unless the caller says otherwise, the answer was cut off.
    pub stop_cause: StopCause,
    /// What is wrong, if anything: the first error.
    pub error: Option<Error>,
    /// Does the content have text, even if it is empty?
    has_text: bool,
}

impl Completion {
    /// Parses a whole output in which control tokens are spelled out.
    ///
    /// A string does not say whether the model sampled a control token or only spelled it. A literal is read as the token
    /// wherever the layout could have one, and as text elsewhere (see [`CompletionReader`]). If the ids are known, use
    /// [`CompletionReader::read_ids`]; if the control tokens are, use [`from_segments`](Completion::from_segments).
    ///
    /// ```
    /// use mistral_chat_template::{Chunk, Completion, Layout};
    /// use mistral_chat_template::version::Feature;
    ///
    /// let completion = Completion::from_text("[THINK]Hm.[/THINK]Hello!</s>", &Layout::V13.with(Feature::Think));
    /// assert_eq!(completion.message.content, vec![Chunk::thinking("Hm."), Chunk::text("Hello!")].into());
    /// assert!(!completion.message.prefix);
    /// ```
    #[must_use]
    pub fn from_text(output: &str, layout: &Layout) -> Self {
        CompletionReader::new(layout).read(output)
    }

    /// Parses a whole output whose control tokens are apart from its text.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, Control, Layout, Segment};
    ///
    /// let output = [Segment::Text("The end token is "), Segment::Text("</s>."), Segment::Control(Control::Eos)];
    /// let completion = Completion::from_segments(output, &Layout::V13);
    /// assert_eq!(completion.message.content, "The end token is </s>.".into());
    /// ```
    #[must_use]
    pub fn from_segments<'s>(output: impl IntoIterator<Item = Segment<'s>>, layout: &Layout) -> Self {
        CompletionReader::new(layout).read_segments(output)
    }

    /// Adds a delta of a [`CompletionReader`].
    ///
    /// ```
    /// use mistral_chat_template::Completion;
    /// use mistral_chat_template::completion::Delta;
    ///
    /// let mut completion = Completion::default();
    /// completion.add(Delta::Text("Hel".to_owned()));
    /// completion.add(Delta::Text("lo".to_owned()));
    /// assert_eq!(completion.message.content, "Hello".into());
    /// ```
    pub fn add(&mut self, delta: Delta) {
        match delta {
            Delta::ThinkingStart => self.begin_thinking(),
            Delta::Thinking(more) => {
                if !self.is_thinking() {
                    self.begin_thinking();
                }
                self.change_chunks(|chunks| {
                    if let Some(Chunk::Thinking { text, .. }) = chunks.last_mut() {
                        append(text, more);
                    }
                });
            }
            Delta::ThinkingEnd => self.end_thinking(),
            Delta::Text(more) => self.text(more),
            Delta::ToolCall(more) => self.tool_call(more),
            Delta::ToolCallEnd(end) => self.end_call(end),
            Delta::Rest(more) => self.rest.push_str(&more),
            Delta::Stray(stray) => self.stray.push(stray),
            Delta::Liberty(liberty) => self.liberties.push(liberty),
        }
    }

    /// Ends the message with what [`CompletionReader::finish`] returned.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, CompletionReader, Layout};
    ///
    /// let mut completion = Completion::default();
    /// completion.finish(CompletionReader::new(&Layout::V7).finish());
    /// assert!(completion.message.prefix, "no end token came");
    /// ```
    pub fn finish(&mut self, finished: Finished) {
        self.extend(finished.deltas);
        self.message.prefix = finished.prefix;
        self.stop_cause = finished.stop_cause;
        self.error = finished.error;
    }

    /// The message, or else what is wrong.
    ///
    /// # Errors
    ///
    /// Calls that are not JSON or were cut off, a call without a name, arguments that are a list, `[THINK]` inside of
    /// thinking, `[/THINK]` outside.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, Layout};
    ///
    /// let error = Completion::from_text("[TOOL_CALLS]now</s>", &Layout::V13).into_result().unwrap_err();
    /// assert_eq!(error.to_string(), "tool_calls[0]: the call at byte 0 has no [ARGS] (v13)");
    /// ```
    pub fn into_result(self) -> Result<AssistantMessage<'static>, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.message),
        }
    }

    /// Changes the content as a list, which it becomes with its first thinking.
    fn change_chunks(&mut self, change: impl FnOnce(&mut Vec<Chunk<'static>>)) {
        let mut chunks = match std::mem::take(&mut self.message.content) {
            Content::Text(text) if self.has_text => vec![Chunk::Text(text)],
            Content::Text(_) => Vec::new(),
            Content::Chunks(chunks) => chunks,
        };
        change(&mut chunks);
        self.message.content = Content::Chunks(chunks);
    }

    /// Is the last chunk thinking that has not come to its end?
    fn is_thinking(&self) -> bool {
        self.message.content.chunks().last().is_some_and(Chunk::is_open)
    }

    fn begin_thinking(&mut self) {
        self.change_chunks(|chunks| chunks.push(Chunk::Thinking { text: Cow::Borrowed(""), closed: false }));
    }

    /// Ends the thinking that is open, or makes thinking of the text that was said.
    fn end_thinking(&mut self) {
        if !self.is_thinking() && !self.has_text {
            self.begin_thinking();
        }
        self.change_chunks(|chunks| {
            if let Some(Chunk::Text(text)) = chunks.last_mut() {
                let text = std::mem::take(text);
                chunks.pop();
                chunks.push(Chunk::Thinking { text, closed: false });
            }
            if let Some(Chunk::Thinking { closed, .. }) = chunks.last_mut() {
                *closed = true;
            }
        });
        self.has_text = false;
    }

    fn text(&mut self, more: String) {
        self.has_text = true;
        match &mut self.message.content {
            Content::Text(text) => append(text, more),
            Content::Chunks(chunks) => match chunks.last_mut() {
                Some(Chunk::Text(text)) => append(text, more),
                _ => chunks.push(Chunk::Text(Cow::Owned(more))),
            },
        }
    }

    fn tool_call(&mut self, more: ToolCallDelta) {
        let calls = &mut self.message.tool_calls;
        if calls.len() <= more.index {
            calls.push(ToolCall::default());
        }
        if let Some(call) = calls.get_mut(more.index) {
            if let Some(id) = more.id {
                call.id = Some(Cow::Owned(id));
            }
            if let Some(name) = more.name {
                call.name = Cow::Owned(name);
            }
            append(&mut call.arguments, more.arguments);
        }
    }

    fn end_call(&mut self, end: ToolCallEnd) {
        let Some(call) = self.message.tool_calls.get_mut(end.index) else { return };
        if let Some(arguments) = surrogates::replaced(&call.arguments) {
            call.arguments = arguments.into();
        }
        let Some(written) = end.written_id else { return };
        match call.id {
            None => call.id = Some(Cow::Owned(written)),
            Some(_) => self.written_ids.push((end.index, written)),
        }
    }
}

/// Adds deltas in order.
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Layout};
///
/// let mut completion = Completion::default();
/// completion.extend(CompletionReader::new(&Layout::V7).push("Hello"));
/// assert_eq!(completion.message.content, "Hello".into());
/// ```
impl Extend<Delta> for Completion {
    fn extend<D: IntoIterator<Item = Delta>>(&mut self, deltas: D) {
        for delta in deltas {
            self.add(delta);
        }
    }
}

fn append(text: &mut Cow<'static, str>, more: String) {
    if text.is_empty() {
        *text = Cow::Owned(more);
    } else {
        text.to_mut().push_str(&more);
    }
}
