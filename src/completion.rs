//! The way back: a model's output in, whole or as it streams, and the [`AssistantMessage`] that it says out.
//!
//! [`Completion::from_text`] reads a whole output, [`Completion::from_segments`] one whose control tokens are apart, and
//! a [`CompletionReader`] one that streams. The same [`Layout`] that says how a message is written says how it is read.

mod arguments;
mod call;
mod delta;
mod fault;
mod list;
mod literals;
mod reader;
mod scanner;
mod unescape;

pub use self::delta::{Delta, Deltas, Skipped, ToolCallDelta};
pub use self::reader::{CompletionReader, Ending, Spaces};

use std::borrow::Cow;

use crate::chat::{AssistantMessage, Chunk, Content, ToolCall};
use crate::error::Error;
use crate::layout::Layout;
use crate::prompt::Segment;

/// How many bytes of a whole output are read at a time: deltas are many times as long as what they are made of.
const PIECE: usize = 4096;

/// A message that was read from a model's output, and what is wrong with the output.
///
/// The message is what is right: of arguments that were cut off it has the beginning.
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
/// - arguments are the text that the model wrote, not written anew (rendering does that);
/// - a call that has the key `name`, `arguments` or `id` twice is an error, and the first one counts;
/// - in v11, an `[ARGS]` before the `[CALL_ID]` is an error, also where a second one follows.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Completion {
    /// The message. Its `prefix` is true where no end token came last, and calls have an id where one is written.
    pub message: AssistantMessage<'static>,
    /// The control tokens that were left out.
    pub skipped: Vec<Skipped>,
    /// What is wrong, if anything: the first error.
    pub error: Option<Error>,
    /// Has the content text, though it be empty?
    has_text: bool,
}

impl Completion {
    /// Reads a whole output in which control tokens are spelled out.
    ///
    /// Text that spells one cannot be told from it; a caller who has the control tokens apart uses
    /// [`from_segments`](Completion::from_segments).
    ///
    /// ```
    /// use mistral_chat_template::{Chunk, Completion, Feature, Layout};
    ///
    /// let completion = Completion::from_text("[THINK]Hm.[/THINK]Hello!</s>", &Layout::V13.with(Feature::Think));
    /// assert_eq!(completion.message.content, vec![Chunk::thinking("Hm."), Chunk::text("Hello!")].into());
    /// assert!(!completion.message.prefix);
    /// ```
    #[must_use]
    pub fn from_text(output: &str, layout: &Layout) -> Self {
        let mut reader = CompletionReader::new(layout);
        let mut completion = Completion::default();
        let mut rest = output;
        while !rest.is_empty() {
            let end = (PIECE..rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
            let (piece, later) = rest.split_at_checked(end).unwrap_or((rest, ""));
            completion.extend(reader.push(piece));
            rest = later;
        }
        completion.end(reader.finish());
        completion
    }

    /// Reads a whole output whose control tokens are apart from its text.
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
        let mut reader = CompletionReader::new(layout);
        let mut completion = Completion::default();
        for segment in output {
            match segment {
                Segment::Control(control) => completion.extend(reader.push_control(control)),
                Segment::Text(text) => completion.extend(reader.push_text(text)),
                Segment::Media(media) => completion.extend(reader.push_control(media.placeholder())),
            }
        }
        completion.end(reader.finish());
        completion
    }

    /// Adds what a [`CompletionReader`] gave.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, Delta};
    ///
    /// let mut completion = Completion::default();
    /// completion.add(Delta::Text("Hel".to_owned()));
    /// completion.add(Delta::Text("lo".to_owned()));
    /// assert_eq!(completion.message.content, "Hello".into());
    /// ```
    pub fn add(&mut self, delta: Delta) {
        match delta {
            Delta::ThinkingStart => self.change_chunks(|chunks| {
                chunks.push(Chunk::Thinking { text: Cow::Borrowed(""), closed: false });
            }),
            Delta::Thinking(more) => self.change_chunks(|chunks| {
                if let Some(Chunk::Thinking { text, .. }) = chunks.last_mut() {
                    append(text, more);
                }
            }),
            Delta::ThinkingEnd => self.change_chunks(|chunks| {
                if let Some(Chunk::Thinking { closed, .. }) = chunks.last_mut() {
                    *closed = true;
                }
            }),
            Delta::Text(more) => self.text(more),
            Delta::ToolCall(more) => self.tool_call(more),
            Delta::Skipped(skipped) => self.skipped.push(skipped),
        }
    }

    /// Ends the message with what the reader had to tell at the end.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, CompletionReader, Layout};
    ///
    /// let mut completion = Completion::default();
    /// completion.end(CompletionReader::new(&Layout::V7).finish());
    /// assert!(completion.message.prefix, "no end token came");
    /// ```
    pub fn end(&mut self, ending: Ending) {
        self.extend(ending.deltas);
        self.message.prefix = ending.prefix;
        self.error = ending.error;
    }

    /// The message, or else what is wrong.
    ///
    /// # Errors
    ///
    /// Calls that are no JSON or were cut off, a call without a name, arguments that are a list, `[THINK]` inside of
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
                append(call.id.get_or_insert_default(), id);
            }
            append(&mut call.name, more.name.unwrap_or_default());
            append(&mut call.arguments, more.arguments);
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
