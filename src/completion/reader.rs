//! [`CompletionReader`]: a model's output as it comes in, [`Delta`]s out at once.

use super::call::{Call, Ids};
use super::delta::{Delta, Deltas, Queue, Skipped};
use super::fault::Faults;
use super::list::CallList;
use super::literals::{Literals, Part};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Layout, Mark, Thinking, ToolCalls, WordStart};

/// Reads a model's output while it streams: pieces of text and control tokens in, [`Delta`]s out at once.
///
/// A server that knows which token ids are control tokens gives them apart: then text that only looks like one is text.
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Control, Layout, Message};
///
/// /// What a model samples: a control token, or the text that its tokens decode to.
/// enum Sampled { Control(Control), Text(&'static str) }
/// use Sampled::{Control as C, Text as T};
/// let model = [T("I lo"), T("ok: "), C(Control::ToolCalls), T("n"), T("ow"), C(Control::Args), T("{}"), C(Control::Eos)];
///
/// let mut reader = CompletionReader::new(&Layout::V13);
/// let mut completion = Completion::default();
/// let mut sent = Vec::new();
/// for sampled in model {
///     let deltas = match sampled {
///         C(Control::Eos) => reader.push_control(Control::Eos), // and stop sampling
///         C(control) => reader.push_control(control),
///         T(text) => reader.push_text(text),
///     };
///     for delta in deltas {
///         sent.push(serde_json::to_string(&delta)?); // to the client
///         completion.add(delta); // only where the message is wanted too
///     }
/// }
/// completion.end(reader.finish());
///
/// assert_eq!(sent[0], r#"{"content":"I lo"}"#);
/// assert_eq!(sent[2], r#"{"tool_calls":[{"index":0,"type":"function","function":{"name":"now","arguments":""}}]}"#);
/// let message = completion.into_result()?;
/// assert_eq!(message.tool_calls[0].arguments, "{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A server that has only strings uses [`push`](CompletionReader::push), which finds the control tokens that are spelled
/// out and gives nothing early that may still become one. A piece is whole characters: whoever gets bytes decodes them
/// first, and keeps back the bytes of a character that is not complete.
///
/// A reader takes memory for part of one control token, for a call's name and id (256 bytes each) and one bit for each
/// of 1024 levels of nested arguments, however long the output is.
#[derive(Debug)]
pub struct CompletionReader {
    layout: Layout,
    spaces: Spaces,
    literals: Literals,
    /// How many bytes were read, control tokens spelled out.
    offset: usize,
    place: Place,
    /// Is the text that comes next the first of its run?
    run: Run,
    /// Has the text chunk begun that text would go into?
    text_is_open: bool,
    /// Where the end token stands, while nothing comes after it.
    end: Option<usize>,
    calls: usize,
    error: Option<Error>,
    deltas: Queue,
}

/// Does the text that a reader is given have the spaces that SentencePiece sets before each run of text?
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Layout, Spaces};
///
/// let mut reader = CompletionReader::new(&Layout::V3).with_spaces(Spaces::Printed);
/// let mut completion = Completion::default();
/// completion.extend(reader.push(" Hello!</s>"));
/// completion.end(reader.finish());
/// assert_eq!(completion.message.content, "Hello!".into());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spaces {
    /// It has not, or they are the model's own: text is read as it is.
    #[default]
    Left,
    /// It has, as [`Prompt::as_str`](crate::Prompt::as_str) has: one space goes from before each run. On Tekken there is
    /// none, and text is read as it is.
    Printed,
}

/// What a reader has to tell at the end.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Delta, Layout};
///
/// let mut reader = CompletionReader::new(&Layout::V13);
/// assert_eq!(reader.push("a <").collect::<Vec<_>>(), [Delta::Text("a ".to_owned())], "\"<\" may begin \"</s>\"");
/// let ending = reader.finish();
/// assert_eq!(ending.deltas, [Delta::Text("<".to_owned())]);
/// assert!(ending.prefix && ending.error.is_none());
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Ending {
    /// The last deltas: what was held back.
    pub deltas: Vec<Delta>,
    /// No end token came last: the message can be continued.
    pub prefix: bool,
    /// What is wrong with the output, if anything; the deltas are what is right.
    pub error: Option<Error>,
}

#[derive(Debug)]
enum Place {
    Text,
    Thinking,
    Call(Call),
    List(CallList),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// The first run of its kind, before its text.
    First,
    /// A later one: SentencePiece's space before it is part of what is said.
    Later,
    /// The text of a run has begun.
    Open,
}

impl CompletionReader {
    /// A reader of what a model of this layout writes.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V7);
    /// assert_eq!(reader.push("Hi").count(), 1);
    /// ```
    #[must_use]
    pub fn new(layout: &Layout) -> Self {
        CompletionReader {
            layout: *layout,
            spaces: Spaces::Left,
            literals: Literals::new(layout.vocabulary),
            offset: 0,
            place: Place::Text,
            run: Run::First,
            text_is_open: false,
            end: None,
            calls: 0,
            error: None,
            deltas: Queue::default(),
        }
    }

    /// This reader, told whether the text has SentencePiece's spaces.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Delta, Layout, Spaces};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V7).with_spaces(Spaces::Printed);
    /// assert_eq!(reader.push(" Hi").next(), Some(Delta::Text("Hi".to_owned())));
    /// ```
    #[must_use]
    pub fn with_spaces(self, spaces: Spaces) -> Self {
        CompletionReader { spaces, ..self }
    }

    /// Takes text in which control tokens are spelled out. What may still become one is held back.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Delta, Feature, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13.with(Feature::Think));
    /// assert_eq!(reader.push("[THI").count(), 0);
    /// assert_eq!(reader.push("NK]Hm").collect::<Vec<_>>(), [Delta::ThinkingStart, Delta::Thinking("Hm".to_owned())]);
    /// ```
    pub fn push(&mut self, piece: &str) -> Deltas<'_> {
        let mut literals = std::mem::take(&mut self.literals);
        literals.push(piece, |part| self.part(part));
        self.literals = literals;
        self.deltas.drain()
    }

    /// Takes text. It is never searched for control tokens.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Delta, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13);
    /// assert_eq!(reader.push_text("</s>").next(), Some(Delta::Text("</s>".to_owned())));
    /// ```
    pub fn push_text(&mut self, text: &str) -> Deltas<'_> {
        self.release();
        self.text(text);
        self.deltas.drain()
    }

    /// Takes a control token.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Delta, Feature, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V15.with(Feature::Think));
    /// assert_eq!(reader.push_control(Control::Think).next(), Some(Delta::ThinkingStart));
    /// ```
    pub fn push_control(&mut self, control: Control) -> Deltas<'_> {
        self.release();
        self.control(control);
        self.deltas.drain()
    }

    /// What is wrong with the output so far, if anything. More of it is read all the same.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Feature, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13.with(Feature::Think));
    /// let _ = reader.push("Hm[/THINK]").count();
    /// let error = reader.error().map(ToString::to_string);
    /// assert_eq!(error.as_deref(), Some("content: [/THINK] at byte 2 ends no thinking (v13)"));
    /// ```
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Ends the output.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13);
    /// let _ = reader.push("[TOOL_CALLS]now[ARGS]{\"zone\": ").count();
    /// let error = reader.finish().error.map(|error| error.to_string());
    /// assert_eq!(
    ///     error.as_deref(),
    ///     Some("tool_calls[0].arguments: not JSON at byte 30: the text ends too early (v13)")
    /// );
    /// ```
    #[must_use]
    pub fn finish(mut self) -> Ending {
        self.release();
        self.close();
        Ending { deltas: self.deltas.into_vec(), prefix: self.end.is_none(), error: self.error }
    }

    fn part(&mut self, part: Part<'_>) {
        match part {
            Part::Control(control) => self.control(control),
            Part::Text(text) => self.text(text),
        }
    }

    /// Takes what is held back as text.
    fn release(&mut self) {
        let mut literals = std::mem::take(&mut self.literals);
        literals.finish(|part| self.part(part));
        self.literals = literals;
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(offset) = self.end.take() {
            self.skip(Control::Eos, offset);
        }
        let start = self.offset;
        self.offset += text.len();
        let printed = self.layout.word_start == WordStart::Space && self.spaces == Spaces::Printed;
        let (run, unspaced) = (std::mem::replace(&mut self.run, Run::Open), text.strip_prefix(' '));
        match (run, unspaced) {
            (Run::First, Some(unspaced)) if printed => self.more(unspaced, start + 1),
            (Run::Later, _) if !printed => {
                self.more(self.layout.word_start.printed(), start);
                self.more(text, start);
            }
            _ => self.more(text, start),
        }
    }

    fn more(&mut self, text: &str, offset: usize) {
        if text.is_empty() {
            return;
        }
        match &mut self.place {
            Place::Text => {
                self.text_is_open = true;
                self.deltas.text(text);
            }
            Place::Thinking => self.deltas.thinking(text),
            Place::Call(call) => call.text(text, offset, &mut self.deltas),
            Place::List(list) => list.text(text, offset, &mut self.deltas),
        }
    }

    fn control(&mut self, control: Control) {
        let begins_part = self.begins_calls(control) || self.is_thinking(control);
        if let Some(offset) = self.end.take() {
            // An end token by itself, before a part that stands by itself, says nothing.
            self.text_is_open |= begins_part;
            self.skip(Control::Eos, offset);
        }
        let offset = self.offset;
        self.offset += control.as_str().len();
        if Mark::Control(control) == self.layout.reply.close {
            self.end = Some(offset);
        } else if self.begins_calls(control) {
            self.close();
            self.run = Run::First;
            self.place = match self.layout.calls {
                ToolCalls::List | ToolCalls::ListWithIds => Place::List(CallList::new(self.calls)),
                ToolCalls::NameIdArguments => Place::Call(Call::new(self.calls, offset, Ids::Written)),
                ToolCalls::NameArguments | ToolCalls::None => {
                    Place::Call(Call::new(self.calls, offset, Ids::Unwritten))
                }
            };
        } else if self.is_thinking(control) {
            self.thinking(control, offset);
        } else if let Place::Call(call) = &mut self.place {
            if call.control(control, offset, &mut self.deltas) {
                self.run = Run::First;
            } else {
                self.skip(control, offset);
            }
        } else {
            self.skip(control, offset);
        }
    }

    fn begins_calls(&self, control: Control) -> bool {
        control == Control::ToolCalls && self.layout.calls != ToolCalls::None
    }

    /// Does the control token begin or end thinking, where there is some?
    fn is_thinking(&self, control: Control) -> bool {
        matches!(control, Control::Think | Control::EndThink)
            && matches!(self.place, Place::Text | Place::Thinking)
            && self.layout.thinking == Thinking::Tokens
            && self.layout.vocabulary.contains(control)
    }

    fn thinking(&mut self, control: Control, offset: usize) {
        let error = match (&self.place, control) {
            (Place::Text, Control::Think) => {
                self.place = Place::Thinking;
                self.deltas.push(Delta::ThinkingStart);
                None
            }
            (Place::Thinking, Control::EndThink) => {
                self.place = Place::Text;
                self.deltas.push(Delta::ThinkingEnd);
                None
            }
            (Place::Thinking, _) => Some(ErrorKind::NestedThinking { offset }),
            _ => Some(ErrorKind::UnopenedThinking { offset }),
        };
        match error {
            None => (self.run, self.text_is_open) = (Run::First, false),
            Some(kind) => {
                self.skip(control, offset);
                self.fail(Some(Error::new(kind, "content").in_layout(self.layout.name)));
            }
        }
    }

    /// Leaves a control token out.
    fn skip(&mut self, control: Control, offset: usize) {
        if self.run == Run::Open {
            self.run = Run::Later;
        }
        self.deltas.push(Delta::Skipped(Skipped { control, offset }));
        if let (Place::Text, false) = (&self.place, self.text_is_open) {
            // mistral-common has a chunk of no text here.
            self.text_is_open = true;
            self.deltas.text("");
        }
    }

    /// Ends the call or the list that is open.
    fn close(&mut self) {
        let offset = self.end.unwrap_or(self.offset);
        let mut faults = Faults::default();
        match &mut self.place {
            Place::Text | Place::Thinking => {}
            Place::Call(call) => {
                call.finish(offset, &mut self.deltas);
                self.calls += usize::from(call.given);
                faults = std::mem::take(&mut call.faults);
            }
            Place::List(list) => {
                list.finish(offset);
                self.calls = list.calls;
                faults = std::mem::take(&mut list.faults);
            }
        }
        self.fail(faults.take(self.layout.name));
    }

    /// The first error counts.
    fn fail(&mut self, error: Option<Error>) {
        if self.error.is_none() {
            self.error = error;
        }
    }
}
