//! A chat that goes on: its prompt and ids grow with each turn, and the oldest turns go when they no longer fit.
//!
//! ```
//! use mistral_chat_template::{Chat, Conversation, Layout, Message};
//!
//! let mut conversation = Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
//! let update = conversation.append([Message::assistant("Hello!"), Message::user("Bye")])?;
//!
//! assert_eq!(conversation.prompt().as_str(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]");
//! assert_eq!(update.start, "<s>[INST] Hi[/INST]".len(), "a prefix cache keeps all that stood before");
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! A [`Conversation`] holds the prompt, and the token ids if it has a tokenizer. A [`Window`] decides which turns still
//! fit; [`Chat::fit`](crate::Chat::fit) does so for a single chat.

use std::collections::BTreeMap;

use crate::chat::{AssistantMessage, Chat, Content, Message};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{Layout, Mark, WordStart};
use crate::prompt::{Encoder, MediaSource, Place, PrefixBreak, Prompt, Run, Segment, Tokenizer};
use crate::train::Labelled;

use self::growing::{Change, GrowingPrompt};
use self::ids::{Part, SampledTurn, SampledTurns};
use self::rest::SentRequest;

mod assemble;
mod drift;
mod echo;
mod fit;
mod growing;
mod ids;
mod rest;
mod truncate;
mod update;
mod whole_chat;
mod window;
mod within;

pub use self::drift::Drift;
pub use self::fit::Fitted;
pub use self::rest::Rest;
pub use self::update::{EncodedSegment, Move, Update};
pub use self::window::Window;

/// A conversation: its chat, its prompt and its token ids, which go on with each turn.
///
/// Ids that the model sampled stay as they were, what is new is encoded, and nothing else. A server gives it each whole
/// chat that its client sends ([`update`](Conversation::update)), a trainer what comes next
/// ([`append`](Conversation::append)):
///
/// ```
/// # use mistral_chat_template::{AssistantMessage, Chat, Control, Conversation, Layout, Message, Tokenizer};
/// # use mistral_chat_template::layout::WordStart;
/// # struct Bytes;
/// # impl Tokenizer for Bytes {
/// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
/// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
/// #     }
/// #     fn control(&self, control: Control) -> Option<u32> {
/// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
/// #     }
/// # }
/// # let sample = |_: &[u32]| vec![1072, 1105, 2];
/// # let read = |_: &[u32]| AssistantMessage { content: "Hi".into(), ..AssistantMessage::default() };
/// let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
/// for question in ["How are you?", "Bye"] {
///     let sampled = sample(conversation.ids());
///     conversation.reply(read(&sampled), &sampled);
///     let update = conversation.append([Message::user(question)])?;
///     assert_eq!(update.prefix_break, None, "the model's state goes on");
///     assert_eq!(update.new_ids.len(), update.encoded, "the question and its frame");
/// }
/// assert_eq!(conversation.sampled().iter().filter(|sampled| **sampled).count(), 6, "twice \"Hi</s>\"");
/// assert!(conversation.drift()?.is_empty(), "rendering the messages gives the same ids");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// Where the layout moves what stood before (v3: the system prompt), the prompt is another from there on, and
/// [`Update::prefix_break`] says so. Ids behind it that are the same are not encoded again.
#[derive(Clone, Debug)]
pub struct Conversation<'a, T = NoTokenizer> {
    tokenizer: Option<T>,
    prompt: GrowingPrompt<'a>,
    /// The ids of each segment of the prompt.
    parts: Vec<Part>,
    ids: Vec<u32>,
    sampled: Vec<bool>,
    /// Of each id, whether the model sampled it behind exactly the ids that stand before it.
    as_read: Vec<bool>,
    turns: SampledTurns,
    /// What the model has said since the last prompt.
    reply: Option<Reply<'a>>,
    /// The row that ended with the last update, where one did.
    ended: Option<EndedRow>,
    window: Option<Window>,
    /// The messages of the chat that was given last which the window leaves out.
    dropped: Vec<usize>,
    /// The request that it was made of last.
    sent: Option<SentRequest>,
}

/// Stands for the tokenizer of a conversation without ids.
///
/// ```
/// use mistral_chat_template::{Chat, Conversation, Layout, Message};
/// use mistral_chat_template::conversation::NoTokenizer;
///
/// let conversation: Conversation<'_, NoTokenizer> =
///     Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
/// assert!(conversation.ids().is_empty());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTokenizer {}

impl Tokenizer for NoTokenizer {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {
        match *self {}
    }

    fn control(&self, _: Control) -> Option<u32> {
        match *self {}
    }
}

/// What the model says.
#[derive(Clone, Debug)]
struct Reply<'a> {
    message: AssistantMessage<'a>,
    /// How many messages of the chat come before it.
    before: usize,
    /// The first message of its turn.
    first: usize,
    /// Where the ids of its turn begin.
    start: usize,
}

/// A row that ended: as many ids of the conversation as stay, and those that stood behind them.
#[derive(Clone, Debug)]
struct EndedRow {
    kept: usize,
    ids: Vec<u32>,
    as_read: Vec<bool>,
}

/// The message as the chat keeps it: one that says nothing says a space.
fn said<'a>(message: &AssistantMessage<'a>) -> AssistantMessage<'a> {
    let says_nothing = message.tool_calls.is_empty() && message.content.is_empty();
    let content = if says_nothing { Content::from(" ") } else { message.content.clone() };
    AssistantMessage { content, ..message.clone() }
}

impl<'a> Conversation<'a> {
    /// A conversation that has a prompt and no ids, for a server that gives its engine text.
    ///
    /// # Errors
    ///
    /// As [`Format::render`](crate::Format::render).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message, Segment};
    ///
    /// let mut conversation = Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
    /// let update = conversation.append([Message::assistant("Hello!"), Message::user("Bye")])?;
    /// assert_eq!(&conversation.prompt().as_str()[update.start..], " Hello!</s>[INST] Bye[/INST]");
    /// assert_eq!(conversation.segments().nth(update.new_segments.start).unwrap().segment, Segment::Text("Hello!"));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn without_ids(chat: Chat<'a>, layout: &Layout) -> Result<Self, Error> {
        Conversation::with(chat, layout, None)
    }
}

impl<'a, T: Tokenizer> Conversation<'a, T> {
    /// The conversation of a chat.
    ///
    /// # Errors
    ///
    /// As [`Format::render`](crate::Format::render), [`Prompt::encode`](crate::Prompt::encode) and
    /// [`Layout::check_tokenizer`]: a chat that ends with a reply, a control token that the vocabulary lacks.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Control, Conversation, Layout, Message, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// struct NoControls;
    /// impl Tokenizer for NoControls {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, _: Control) -> Option<u32> { None }
    /// }
    ///
    /// let error = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V3, &NoControls).map(drop).unwrap_err();
    /// assert_eq!(error.to_string(), "the tokenizer has no id for the control token <s>");
    /// ```
    pub fn new(chat: Chat<'a>, layout: &Layout, tokenizer: T) -> Result<Self, Error> {
        layout.check_tokenizer(&tokenizer)?;
        Conversation::with(chat, layout, Some(tokenizer))
    }

    fn with(chat: Chat<'a>, layout: &Layout, tokenizer: Option<T>) -> Result<Self, Error> {
        let prompt = GrowingPrompt::new(chat, layout)?;
        let (ids, sampled, as_read, parts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (turns, reply, ended) = (BTreeMap::new(), None, None);
        let (window, dropped, sent) = (None, Vec::new(), None);
        let mut conversation = Conversation {
            tokenizer,
            prompt,
            parts,
            ids,
            sampled,
            as_read,
            turns,
            reply,
            ended,
            window,
            dropped,
            sent,
        };
        let nothing = Prompt::new();
        let assembled = conversation.assemble(Place::default(), 0, (&nothing, &Chat::default()), Some)?;
        conversation.take_in(assembled, (Place::default(), 0, 0), 0, None);
        Ok(conversation)
    }

    /// The ids: what the model goes on from.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Of each id, whether the model sampled it.
    #[must_use]
    pub fn sampled(&self) -> &[bool] {
        &self.sampled
    }

    /// The chat, without a reply that nothing follows yet.
    #[must_use]
    pub fn chat(&self) -> &Chat<'a> {
        self.prompt.chat()
    }

    /// The prompt of that chat. Where replies were sampled, its text is what they say, and their ids are in
    /// [`ids`](Conversation::ids).
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        self.prompt.prompt()
    }

    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        self.prompt.layout()
    }

    /// The segments of the prompt with their ids.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Control, Conversation, Layout, Message, Segment, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// let conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V3, Bytes)?;
    /// let text = conversation.segments().nth(2).unwrap();
    /// assert_eq!((text.segment, text.word_start, text.ids), (Segment::Text("Hi"), WordStart::Space, 2..4));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn segments(&self) -> impl Iterator<Item = EncodedSegment<'_>> {
        let runs = self.prompt().runs_from(Place::default());
        let mut start = 0;
        runs.zip(&self.parts).map(move |(Run { segment, word_start, message, .. }, part)| {
            let ids = std::mem::replace(&mut start, part.end)..part.end;
            EncodedSegment { segment, word_start, ids, message, sampled: part.said }
        })
    }

    /// The ids with their labels: all that was sampled is learnt.
    #[must_use]
    pub fn labelled(&self) -> Labelled {
        labelled(&self.ids, &self.sampled)
    }

    /// The ids with their labels: what was sampled behind exactly the ids that stand before it is learnt.
    ///
    /// Where a layout moves what stood before a reply, the row up to then is an
    /// [`ended_sample`](Conversation::ended_sample). Together these rows have each id that was sampled once.
    #[must_use]
    pub fn sample(&self) -> Labelled {
        labelled(&self.ids, &self.as_read)
    }

    /// The row that ended with the last [`append`](Conversation::append) or [`update`](Conversation::update), where
    /// [`Update::ends_sample`] says that one did: the ids until then, with their labels.
    ///
    /// A trainer takes this row, before the conversation goes on; what is sampled from here on is
    /// [`sample`](Conversation::sample)'s.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Conversation, Layout, Message, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// let chat = Chat::new([Message::system("S"), Message::user("a")]);
    /// let mut conversation = Conversation::new(chat, &Layout::V3, Bytes)?;
    /// conversation.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &[1098, 2]);
    /// let update = conversation.append([Message::user("c")])?;
    /// assert!(update.ends_sample, "the system prompt, which the reply was read behind, moves");
    /// let row = conversation.ended_sample().unwrap();
    /// assert_eq!(row.labels.iter().filter(|label| **label >= 0).count(), 2, "b</s>");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn ended_sample(&self) -> Option<Labelled> {
        let EndedRow { kept, ids, as_read } = self.ended.as_ref()?;
        let ids = [self.ids.get(..*kept)?, ids].concat();
        let as_read = [self.as_read.get(..*kept)?, as_read].concat();
        Some(labelled(&ids, &as_read))
    }

    /// Takes the ids that the model sampled, and the message that they say.
    ///
    /// Where the chat ends with a message to be continued, or with a reply that was cut off and goes on, the message is
    /// the whole of it. A message that says nothing stands in the chat as a space, since no layout takes an empty one; its
    /// ids are those that were sampled, such as the end token alone.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Conversation, Layout, Message, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// conversation.reply(AssistantMessage::default(), &[2]);
    /// conversation.append([Message::user("?")])?;
    /// assert_eq!(conversation.ids()[4..], [4, 2, 3, 1063, 4], "[/INST]</s>[INST]?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn reply(&mut self, message: AssistantMessage<'a>, sampled: &[u32]) {
        let reply = self.reply.take().unwrap_or_else(|| self.next_reply());
        if self.tokenizer.is_some() {
            self.ids.extend_from_slice(sampled);
            self.sampled.resize(self.ids.len(), true);
            self.as_read.resize(self.ids.len(), true);
        }
        self.reply = Some(Reply { message: AssistantMessage { prefix: false, ..message }, ..reply });
    }

    /// A reply that goes on with the turn that is to be continued, or begins one.
    fn next_reply(&self) -> Reply<'a> {
        let (messages, end) = (self.chat().messages.len(), self.ids.len());
        let message = AssistantMessage::default();
        match self.prompt.open_turn() {
            None => Reply { message, before: messages, first: messages, start: end },
            Some((place, first)) => {
                let before = self.parts.len().saturating_sub(self.prompt().count_runs(place));
                Reply { message, before: messages.saturating_sub(1), first, start: self.ids_of_first(before) }
            }
        }
    }

    /// How many ids the first segments have.
    fn ids_of_first(&self, segments: usize) -> usize {
        self.last_of_first(segments).end
    }

    /// The last of the first segments.
    fn last_of_first(&self, segments: usize) -> Part {
        segments.checked_sub(1).and_then(|last| self.parts.get(last)).copied().unwrap_or_default()
    }

    /// Ends a reply that was cut off: appends the end token, or the text at which the layout ends replies, unless the
    /// model sampled it.
    ///
    /// # Errors
    ///
    /// The tokenizer has no id for the end token.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Conversation, Layout, Message, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// conversation.reply(AssistantMessage { content: "H".into(), ..AssistantMessage::default() }, &[1072]);
    /// conversation.close()?;
    /// assert_eq!(conversation.ids().last(), Some(&2));
    /// assert_eq!(conversation.sampled().last(), Some(&false), "the model did not say that it was done");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn close(&mut self) -> Result<(), Error> {
        if let Some(reply) = &self.reply {
            let end = self.end_of_reply()?;
            if !self.ids.get(reply.start..).unwrap_or_default().ends_with(&end) {
                self.ids.extend(end);
                self.sampled.resize(self.ids.len(), false);
                self.as_read.resize(self.ids.len(), false);
            }
        }
        Ok(())
    }

    fn end_of_reply(&self) -> Result<Vec<u32>, Error> {
        let segment = match self.layout().reply.close {
            Mark::Control(close) => Segment::Control(close),
            Mark::Text("") => return Ok(Vec::new()),
            Mark::Text(close) => Segment::Text(close),
        };
        let Some(tokenizer) = &self.tokenizer else { return Ok(Vec::new()) };
        let mut encoder = Encoder::new(tokenizer, MediaSource::Unknown);
        encoder.append(&Run { segment, word_start: WordStart::Nothing, start: 0, message: None })?;
        Ok(encoder.into_ids())
    }

    /// Appends the reply and what comes after it.
    ///
    /// A reply that was cut off is [closed](Conversation::close). An assistant message right behind a reply is of the
    /// reply's turn in most layouts, and adds no ids to what was sampled: [`drift`](Conversation::drift) says so.
    ///
    /// # Errors
    ///
    /// The layout does not take the longer chat (a tool result after a user message, a reply at the end), or the
    /// tokenizer cannot encode it. Nothing is appended then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let mut conversation = Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// let error = conversation.append([Message::tool("42")]).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[1].role: a tool message cannot follow a user message (v3)");
    /// assert_eq!(conversation.chat().messages.len(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn append(&mut self, messages: impl IntoIterator<Item = Message<'a>>) -> Result<Update, Error> {
        let open = self.ids.len();
        self.close()?;
        self.sent = None;
        let reply = self.reply.take();
        let before = reply.as_ref().map_or(self.chat().messages.len(), |reply| reply.before);
        if let Some(reply) = &reply {
            self.turns.insert(reply.first, self.turn_of(reply));
        }
        let said = reply.as_ref().map(|reply| Message::Assistant(said(&reply.message)));
        let messages = said.into_iter().chain(messages);
        let updated = self.append_behind(before, messages, open);
        if updated.is_err() {
            self.reopen(open, reply);
        }
        updated
    }

    /// The turn of a reply that is closed.
    fn turn_of(&self, reply: &Reply<'_>) -> SampledTurn {
        let ids = self.ids.get(reply.start..).unwrap_or_default().to_vec();
        let sampled = self.sampled.get(reply.start..).unwrap_or_default().to_vec();
        SampledTurn { start: Some(reply.start), ids, sampled }
    }

    /// Takes back that a reply was closed.
    fn reopen(&mut self, open: usize, reply: Option<Reply<'a>>) {
        self.ids.truncate(open);
        self.sampled.truncate(open);
        self.as_read.truncate(open);
        if let Some(reply) = &reply {
            self.turns.remove(&reply.first);
        }
        self.reply = reply;
    }

    /// Appends messages behind the first `before` ones, where the model has read or said `open` ids.
    fn append_behind(
        &mut self,
        before: usize,
        messages: impl Iterator<Item = Message<'a>>,
        open: usize,
    ) -> Result<Update, Error> {
        let change = self.prompt.append_behind(before, messages)?;
        let Change { place, stays, .. } = change;
        let first = self.parts.len().saturating_sub(change.cut.count_runs(Place::default()));
        match self.assemble(place, first, (&change.cut, self.chat()), Some) {
            Ok(assembled) => {
                let prefix_break = change.prefix_break.map(|it| PrefixBreak { segment: first + it.segment, ..it });
                Ok(self.take_in(assembled, (place, first, stays), open, prefix_break))
            }
            Err(error) => {
                self.prompt.undo(before, change);
                Err(error)
            }
        }
    }
}

impl<T> Conversation<'_, T> {
    /// The parts of the conversation that [`drift`](Conversation::drift) looks at.
    fn seen(&self) -> (Option<&T>, &GrowingPrompt<'_>, &SampledTurns) {
        (self.tokenizer.as_ref(), &self.prompt, &self.turns)
    }
}

fn labelled(ids: &[u32], is_learnt: &[bool]) -> Labelled {
    let label = |(id, is_learnt): (&u32, &bool)| if *is_learnt { i64::from(*id) } else { Labelled::IGNORED };
    Labelled { input_ids: ids.to_vec(), labels: ids.iter().zip(is_learnt).map(label).collect() }
}
