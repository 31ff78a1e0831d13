//! [`CompletionReader`]: a model's output as it comes in, [`Delta`](crate::completion::Delta)s out at once.

mod steps;

use super::Completion;
use super::arguments::End;
use super::call::Call;
use super::finish_reason::StopCause;
use super::ids::CallDeltas;
use super::liberty::Leniency;
use super::list::CallList;
use super::literals::Literals;
use super::middle::Middle;
use super::opening::Opening;
use super::queue::Queue;
use super::stops::{StopFound, Stops};
use super::stream::{Door, Finished, NewDeltas};
use crate::chat::Tool;
use crate::control::Control;
use crate::error::Error;
use crate::layout::Layout;
use crate::prompt::Segment;

/// Parses a model's output while it streams: token ids, or text and control tokens in; [`Delta`](crate::completion::Delta)s
/// out at once.
///
/// A server that holds token ids pushes those ([`push_id`](CompletionReader::push_id), with a
/// [`Detokenizer`](crate::completion::Detokenizer)), or text and control tokens apart: text that only looks like a control
/// token is then text.
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Control, Layout, Message};
/// use mistral_chat_template::completion::{CallDeltas, NewCallIds};
///
/// /// What a model samples: a control token, or the text that its tokens decode to.
/// enum Sampled { Control(Control), Text(&'static str) }
/// use Sampled::{Control as C, Text as T};
/// let model = [T("I lo"), T("ok: "), C(Control::ToolCalls), T("n"), T("ow"), C(Control::Args), T("{}"), C(Control::Eos)];
///
/// let ids = NewCallIds::seeded(7); // a server takes NewCallIds::random()
/// let mut reader = CompletionReader::new(&Layout::V13).with_calls(CallDeltas::Streamed(ids));
/// let mut completion = Completion::default();
/// let mut sent = Vec::new();
/// for sampled in model {
///     let deltas = match sampled {
///         C(Control::Eos) => reader.push_control(Control::Eos), // and stop sampling
///         C(control) => reader.push_control(control),
///         T(text) => reader.push_text(text),
///     };
///     for delta in deltas {
///         if !delta.is_marker() {
///             sent.push(serde_json::to_string(&delta)?); // to the client
///         }
///         completion.add(delta); // only where the message is wanted too
///     }
/// }
/// completion.finish(reader.finish());
///
/// assert_eq!(sent[0], r#"{"content":"I lo"}"#);
/// assert_eq!(
///     sent[2],
///     r#"{"tool_calls":[{"index":0,"id":"WylX70R33","type":"function","function":{"name":"now","arguments":""}}]}"#
/// );
/// let message = completion.into_result()?;
/// assert_eq!(message.tool_calls[0].arguments, "{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A server that has only strings uses [`push`](CompletionReader::push), which finds control tokens that are spelled out
/// and holds back what may still become one. It cannot know whether the model sampled a control token or only spelled it.
/// A literal is therefore text wherever no control token can stand: inside a string of a call's arguments; and outside
/// calls, if answers of the layout do not have the token, or if more text follows the end token.
///
/// A reader needs memory for what it must hold back: part of one control token, a call's name and id, arguments that
/// come before a name, white space that may precede text, and one bit for each of 1024 levels of nested arguments.
#[derive(Debug)]
pub struct CompletionReader {
    pub(super) layout: Layout,
    leniency: Leniency,
    tools: Vec<String>,
    pub(super) dummy_prefix: DummyPrefix,
    literals: Literals,
    /// How many bytes were read, control tokens spelled out.
    offset: usize,
    place: Place,
    /// What the text may begin with that is not text.
    opening: Option<Opening>,
    /// What is said that may begin a call.
    middle: Middle,
    /// Text that is still to be read, and where it begins.
    pending: Option<(String, usize)>,
    /// Is the text that comes next the first of its run?
    pub(super) run: Run,
    /// Has the text chunk begun that text would go into?
    text_is_open: bool,
    /// The end token, while nothing comes after it.
    end: Option<EndToken>,
    stop_cause: StopCause,
    stops: Stops,
    calls: usize,
    error: Option<Error>,
    pub(super) deltas: Queue,
    /// The bytes of a character that is not complete.
    pub(super) partial: Vec<u8>,
}

/// Where an end token stands, and who says that it is one.
#[derive(Clone, Copy, Debug)]
struct EndToken {
    offset: usize,
    door: Door,
}

/// Does the text that a reader is given have SentencePiece's dummy prefix, the space before each run of text?
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::DummyPrefix;
///
/// let reader = CompletionReader::new(&Layout::V3).with_dummy_prefix(DummyPrefix::Present);
/// assert_eq!(reader.read(" Hello!</s>").message.content, "Hello!".into());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DummyPrefix {
    /// No, as if each token is decoded together with those before it: text is read as it is.
    #[default]
    Absent,
    /// Yes, as [`Prompt::as_str`](crate::Prompt::as_str) and tokens that are decoded one by one have it: the space before each
    /// run is removed. Tekken has none, and text is read as it is.
    Present,
}

#[derive(Debug)]
enum Place {
    Text,
    /// Thinking that a control token ends.
    Thinking,
    /// Thinking that a tag ends, and what may be the beginning of that tag.
    TaggedThinking {
        held: String,
    },
    /// After `[TOOL_CALLS]`, in a form that shows itself with the first text: the reader is lenient.
    CallBegins {
        offset: usize,
        space: String,
    },
    Call(Call),
    List(CallList),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
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
        let mut reader = CompletionReader {
            layout: *layout,
            leniency: Leniency::Strict,
            tools: Vec::new(),
            dummy_prefix: DummyPrefix::Absent,
            literals: Literals::new(layout.vocabulary),
            offset: 0,
            place: Place::Text,
            opening: None,
            middle: Middle::default(),
            pending: None,
            run: Run::First,
            text_is_open: false,
            end: None,
            stop_cause: StopCause::Limit,
            stops: Stops::default(),
            calls: 0,
            error: None,
            deltas: Queue::default(),
            partial: Vec::new(),
        };
        reader.open_text();
        reader
    }

    /// This reader, told whether the text has SentencePiece's spaces.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::{Delta, DummyPrefix};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V7).with_dummy_prefix(DummyPrefix::Present);
    /// assert_eq!(reader.push(" Hi").next(), Some(Delta::Text("Hi".to_owned())));
    /// ```
    #[must_use]
    pub fn with_dummy_prefix(self, dummy_prefix: DummyPrefix) -> Self {
        CompletionReader { dummy_prefix, ..self }
    }

    /// This reader, which sends tool calls to the client in this way.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::{CallDeltas, NewCallIds};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13).with_calls(CallDeltas::Whole(NewCallIds::random()));
    /// assert_eq!(reader.push("[TOOL_CALLS]now[ARGS]{").count(), 0, "the call is not complete");
    /// ```
    #[must_use]
    pub fn with_calls(mut self, calls: CallDeltas) -> Self {
        self.deltas.set_calls(calls);
        self
    }

    /// This reader with the given leniency.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::Leniency;
    ///
    /// let reader = CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient);
    /// let completion = reader.read("[TOOL_CALLS]now</s>");
    /// assert_eq!(completion.message.tool_calls[0].arguments, "{}");
    /// assert_eq!(completion.liberties[0].to_string(), "tool_calls[0]: a name alone is a call without arguments (byte 15)");
    /// ```
    #[must_use]
    pub fn with_leniency(mut self, leniency: Leniency) -> Self {
        self.leniency = leniency;
        self.open_text();
        self
    }

    /// This reader with the request's tools. A lenient reader then also accepts a call of one of them without the control
    /// tokens around it, which some servers remove.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, CompletionReader, Layout};
    /// use mistral_chat_template::completion::Leniency;
    ///
    /// let chat = Chat::from_json(r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "now"}}]}"#)?;
    /// let reader = || CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient).with_tools(&chat.tools);
    /// assert_eq!(reader().read(r#"now{"zone": "UTC"}"#).message.tool_calls.len(), 1);
    /// assert_eq!(reader().read(r#"then{"zone": "UTC"}"#).message.content, r#"then{"zone": "UTC"}"#.into());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn with_tools(mut self, tools: &[Tool<'_>]) -> Self {
        self.tools = tools.iter().map(|tool| tool.name.clone().into_owned()).collect();
        self
    }

    /// This reader, given why sampling stopped, if the output does not show it: a server that removes the end token says
    /// that it came.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::{FinishReason, StopCause};
    ///
    /// let reader = CompletionReader::new(&Layout::V7).with_stop_cause(StopCause::EndToken);
    /// assert_eq!(reader.read("Hello!").finish_reason(), FinishReason::Stop);
    /// ```
    #[must_use]
    pub fn with_stop_cause(self, stop_cause: StopCause) -> Self {
        CompletionReader { stop_cause, ..self }
    }

    /// This reader, which ends what is said at the first of these strings, wherever pieces are cut. The string is not said,
    /// and what follows it is left over ([`Delta::Rest`](crate::completion::Delta::Rest)); in thinking and in calls it stops nothing.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::FinishReason;
    ///
    /// let completion = CompletionReader::new(&Layout::V3).with_stop_strings(["\nUser:"]).read("Hello!\nUser: Hi");
    /// assert_eq!(completion.message.content, "Hello!".into());
    /// assert_eq!(completion.finish_reason(), FinishReason::Stop);
    /// ```
    #[must_use]
    pub fn with_stop_strings<S: Into<String>>(self, strings: impl IntoIterator<Item = S>) -> Self {
        CompletionReader { stops: Stops::new(strings.into_iter().map(Into::into)), ..self }
    }

    /// The stop string that was found, if any: a server stops sampling. See [`StopFound`] for an example.
    #[must_use]
    pub fn stop_found(&self) -> Option<&StopFound> {
        self.stops.found.as_ref()
    }

    /// Goes on inside of a run of text, or before one; what was read so far is not part of the answer. Says whether
    /// thinking is open.
    pub(super) fn begin_at(&mut self, run: Run) -> bool {
        (self.offset, self.run) = (0, run);
        match &mut self.place {
            Place::Text if run == Run::Open => {
                (self.opening, self.text_is_open) = (None, true);
                self.middle.flush();
                self.stops.flush();
                false
            }
            Place::TaggedThinking { held } => {
                held.clear();
                true
            }
            Place::Thinking => true,
            Place::Text | Place::CallBegins { .. } | Place::Call(_) | Place::List(_) => false,
        }
    }

    /// Takes text in which control tokens are spelled out. What may still become one is held back.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::Delta;
    /// use mistral_chat_template::version::Feature;
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13.with(Feature::Think));
    /// assert_eq!(reader.push("[THI").count(), 0);
    /// assert_eq!(reader.push("NK]Hm").collect::<Vec<_>>(), [Delta::ThinkingStart, Delta::Thinking("Hm".to_owned())]);
    /// ```
    pub fn push<'r>(&'r mut self, piece: &'r str) -> NewDeltas<'r> {
        NewDeltas::new(self, piece, Door::Spelled)
    }

    /// Takes text. It is never searched for control tokens.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    /// use mistral_chat_template::completion::Delta;
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13);
    /// assert_eq!(reader.push_text("</s>").next(), Some(Delta::Text("</s>".to_owned())));
    /// ```
    pub fn push_text<'r>(&'r mut self, text: &'r str) -> NewDeltas<'r> {
        self.release();
        NewDeltas::new(self, text, Door::Apart)
    }

    /// Takes a control token.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Layout};
    /// use mistral_chat_template::completion::Delta;
    /// use mistral_chat_template::version::Feature;
    ///
    /// let mut reader = CompletionReader::new(&Layout::V15.with(Feature::Think));
    /// assert_eq!(reader.push_control(Control::Think).next(), Some(Delta::ThinkingStart));
    /// ```
    pub fn push_control(&mut self, control: Control) -> NewDeltas<'_> {
        self.release();
        self.control(control, Door::Apart);
        NewDeltas::new(self, "", Door::Apart)
    }

    /// Reads a whole output in which control tokens are spelled out.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    ///
    /// assert_eq!(CompletionReader::new(&Layout::V7).read("Hello!</s>").message.content, "Hello!".into());
    /// ```
    #[must_use]
    pub fn read(mut self, output: &str) -> Completion {
        let mut completion = Completion::default();
        completion.extend(self.push(output));
        completion.finish(self.finish());
        completion
    }

    /// Reads a whole output whose control tokens are apart from its text.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Layout, Segment};
    ///
    /// let output = [Segment::Text("Hello!"), Segment::Control(Control::Eos)];
    /// assert!(!CompletionReader::new(&Layout::V7).read_segments(output).message.prefix);
    /// ```
    #[must_use]
    pub fn read_segments<'s>(mut self, output: impl IntoIterator<Item = Segment<'s>>) -> Completion {
        let mut completion = Completion::default();
        for segment in output {
            completion.extend(self.push_segment(segment));
        }
        completion.finish(self.finish());
        completion
    }

    pub(super) fn push_segment<'r>(&'r mut self, segment: Segment<'r>) -> NewDeltas<'r> {
        match segment {
            Segment::Control(control) => self.push_control(control),
            Segment::Text(text) => self.push_text(text),
            Segment::Media(media) => self.push_control(media.placeholder()),
        }
    }

    /// What is wrong with the output so far, if anything: known as soon as nothing that follows can mend it, so that a
    /// server can stop a broken call. More of it is read all the same. The error that is reported in the end is of the same
    /// call, but may be another one that mistral-common would find first.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Layout};
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13);
    /// let _ = reader.push("[TOOL_CALLS]now[ARGS]{zone").count();
    /// let error = reader.error().map(ToString::to_string);
    /// assert_eq!(
    ///     error.as_deref(),
    ///     Some("tool_calls[0].arguments: not JSON at byte 22: expected a key in double quotes (v13)")
    /// );
    /// ```
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref().or_else(|| match &self.place {
            Place::Call(call) => call.faults.first(),
            Place::List(list) => list.faults().first(),
            Place::Text | Place::Thinking | Place::TaggedThinking { .. } | Place::CallBegins { .. } => None,
        })
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
    pub fn finish(mut self) -> Finished {
        self.release();
        let is_tool = |name: &str| self.tools.iter().any(|tool| tool == name);
        let names_a_tool = matches!(&self.place, Place::Call(call) if call.name_alone().is_some_and(is_tool));
        if self.end.is_some() && self.stop_cause == StopCause::Limit {
            self.stop_cause = StopCause::EndToken;
        }
        let end = match self.stop_cause {
            StopCause::EndToken => End::Sure,
            StopCause::Limit | StopCause::StopString if names_a_tool => End::Sure,
            StopCause::Limit | StopCause::StopString => End::Unsure,
        };
        self.close(end);
        self.flush_stops();
        let deltas = std::iter::from_fn(|| self.deltas.pop().map(|(delta, _)| delta)).collect();
        let prefix = self.stop_cause != StopCause::EndToken;
        Finished { deltas, prefix, stop_cause: self.stop_cause, stop: self.stops.found, error: self.error }
    }
}
