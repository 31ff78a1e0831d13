//! [`Conversation`]: a chat's prompt and ids, which go on turn by turn; what the model sampled stays as it was.

use std::collections::BTreeMap;

use super::echo::{is_echo, matches, take_ids};
use super::growing::{Change, GrowingPrompt, same_runs};
use super::ids::{Assembled, Assembly, Known, Part, SampledTurn, SampledTurns};
use super::update::{EncodedSegment, Update, all_moves};
use crate::chat::{AssistantMessage, Chat, Content, Message, Role};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{Layout, Mark, WordStart};
use crate::prompt::{BreakCause, Encoder, MediaSource, Place, PrefixBreak, Prompt, Run, Segment, Tokenizer};
use crate::train::Labelled;

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
}

/// The tokenizer of a conversation without ids: there is none.
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
        let turns = BTreeMap::new();
        let mut conversation = Conversation { tokenizer, prompt, parts, ids, sampled, as_read, turns, reply: None };
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
    /// [`Update::ended_sample`]. Together these rows have each id that was sampled once.
    #[must_use]
    pub fn sample(&self) -> Labelled {
        labelled(&self.ids, &self.as_read)
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
                let before = self.parts.len() - self.prompt().runs_from(place).count().min(self.parts.len());
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
        SampledTurn { start: reply.start, ids, sampled }
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
        let Change { place, cut, stays, prefix_break, replaced } = self.prompt.append_behind(before, messages)?;
        let first = self.parts.len().saturating_sub(cut.runs_from(Place::default()).count());
        let prefix_break = prefix_break.map(|it| PrefixBreak { segment: first + it.segment, ..it });
        match self.assemble(place, first, (&cut, self.chat()), Some) {
            Ok(assembled) => Ok(self.take_in(assembled, (place, first, stays), open, prefix_break)),
            Err(error) => {
                self.prompt.undo(before, replaced);
                Err(error)
            }
        }
    }

    /// Makes it the conversation of a chat that a client sent whole: with the reply as it kept it, and what comes next.
    ///
    /// A reply is recognised although the client wrote its arguments anew, left its thinking out, or sent `null` for
    /// nothing; it stays as it was sampled. Where the chat begins with what was there, the rest is
    /// [appended](Conversation::append). Where it does not (the client took a message back, a budget left one out, the tools are
    /// others), the ids part there, and those of what is the same behind it are used again.
    ///
    /// # Errors
    ///
    /// As [`append`](Conversation::append); the path is one of the chat that was given. Nothing is changed then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    /// use mistral_chat_template::prompt::BreakCause;
    ///
    /// let mut messages = vec![Message::user("Hi")];
    /// let mut conversation = Conversation::without_ids(Chat::new(messages.clone()), &Layout::V7)?;
    ///
    /// messages.extend([Message::assistant("Hello!"), Message::user("Bye")]);
    /// let update = conversation.update(Chat::new(messages.clone()))?;
    /// assert_eq!(&conversation.prompt().as_str()[update.start..], " Hello!</s>[INST] Bye[/INST]");
    ///
    /// messages[2] = Message::user("How are you?");
    /// let update = conversation.update(Chat::new(messages))?;
    /// assert_eq!(update.prefix_break.map(|it| it.cause), Some(BreakCause::MessageChanges));
    /// assert_eq!(&conversation.prompt().as_str()[update.start..], " How are you?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn update(&mut self, mut chat: Chat<'a>) -> Result<Update, Error> {
        let known = self.known_count();
        let is_known = |(at, message): &(usize, &Message<'_>)| self.is_known(*at, message);
        let same = chat.messages.iter().enumerate().take(known).take_while(is_known).count();
        if same < known || !self.prompt.same_beside_messages(&chat) {
            return self.replace(chat, same);
        }
        if self.reply.is_some() && chat.messages.len() == known && is_prefix(chat.messages.last()) {
            return if self.is_closed()? { self.replace(chat, same) } else { Ok(self.nothing_new()) };
        }
        let new = chat.messages.split_off(known);
        let echoed = self.reply.as_ref().and_then(|_| chat.messages.pop());
        let updated = self.go_on(echoed, new)?;
        self.prompt.take_unprinted(chat);
        Ok(updated)
    }

    /// Appends what comes after a reply that a client sent back.
    fn go_on(&mut self, echoed: Option<Message<'a>>, new: Vec<Message<'a>>) -> Result<Update, Error> {
        let (Some(reply), Some(Message::Assistant(echoed))) = (&mut self.reply, echoed) else {
            return self.append(new);
        };
        let sampled = reply.message.clone();
        take_ids(&mut reply.message, &echoed);
        if let Ok(update) = self.append(new.clone()) {
            return Ok(update);
        }
        // What the model said may be nothing that the layout takes; what the client made of it may be.
        if let Some(reply) = &mut self.reply {
            reply.message = AssistantMessage { prefix: false, ..echoed };
        }
        let updated = self.append(new);
        if let Some(reply) = &mut self.reply {
            reply.message = sampled;
        }
        updated
    }

    /// How many messages the conversation has, with the reply.
    fn known_count(&self) -> usize {
        self.reply.as_ref().map_or(self.chat().messages.len(), |reply| reply.before + 1)
    }

    /// Is a message of a client's chat that of the conversation, or its echo?
    fn is_known(&self, at: usize, message: &Message<'_>) -> bool {
        if let Some(reply) = self.reply.as_ref().filter(|reply| reply.before == at) {
            return is_echo(&reply.message, message);
        }
        self.chat().messages.get(at).is_some_and(|known| match known {
            Message::Assistant(reply) if known != message => self.was_sampled(at) && is_echo(reply, message),
            _ => known == message,
        })
    }

    /// Is a message of a turn that was sampled?
    fn was_sampled(&self, at: usize) -> bool {
        let first = self.turns.range(..=at).next_back().map(|(first, _)| *first);
        let messages = first.and_then(|first| self.chat().messages.get(first..=at)).unwrap_or_default();
        !messages.is_empty() && messages.iter().all(|message| message.role() == Role::Assistant)
    }

    /// Has the reply come to its end?
    fn is_closed(&self) -> Result<bool, Error> {
        let end = self.end_of_reply()?;
        let said = self.reply.as_ref().and_then(|reply| self.ids.get(reply.start..)).unwrap_or_default();
        Ok(!end.is_empty() && said.ends_with(&end))
    }

    fn nothing_new(&self) -> Update {
        let (ids, segments) = (self.ids.len(), self.parts.len());
        Update {
            kept: ids,
            new_ids: ids..ids,
            new_segments: segments..segments,
            start: self.prompt().as_str().len(),
            moves: all_moves(ids, ids, Vec::new()),
            ..Update::default()
        }
    }

    /// Makes it the conversation of a chat of whose messages the first are the `same`.
    fn replace(&mut self, chat: Chat<'a>, same: usize) -> Result<Update, Error> {
        let open = self.ids.len();
        self.close()?;
        let reply_message = self.reply.as_ref().map(|reply| Message::Assistant(said(&reply.message)));
        let known = self.chat().messages.iter().take(self.reply.as_ref().map_or(usize::MAX, |it| it.before));
        let known: Vec<_> = known.chain(&reply_message).collect();
        let known_of = matches(&known, &chat.messages, same, |at, message| self.is_known(at, message));
        let (mut messages, mut turns) = (chat.messages.clone(), BTreeMap::new());
        for (at, message) in messages.iter_mut().enumerate() {
            let Some(known_at) = known_of.get(at).copied().flatten() else { continue };
            let of_reply = self.reply.as_ref().filter(|reply| reply.before == known_at);
            let turn = match of_reply {
                Some(reply) => (reply.first == known_at).then(|| self.turn_of(reply)),
                None => self.turns.get(&known_at).cloned(),
            };
            if let (Some(turn), Message::Assistant(echoed), false) = (turn, &*message, is_prefix(Some(message))) {
                let mut own = known.get(known_at).copied().cloned();
                if let Some(Message::Assistant(own)) = &mut own {
                    take_ids(own, echoed);
                }
                *message = own.unwrap_or_else(|| message.clone());
                turns.insert(at, turn);
            }
        }
        let replaced = GrowingPrompt::new(Chat { messages, ..chat.clone() }, self.layout());
        let replaced = replaced.or_else(|_| GrowingPrompt::new(chat, self.layout()));
        let known_of = |message: usize| known_of.get(message).copied().flatten();
        let updated = replaced.and_then(|prompt| self.replace_prompt(prompt, turns, known_of, open));
        if updated.is_err() {
            let reply = self.reply.take();
            self.reopen(open, reply);
        }
        updated
    }

    fn replace_prompt(
        &mut self,
        prompt: GrowingPrompt<'a>,
        turns: SampledTurns,
        known_of: impl Fn(usize) -> Option<usize>,
        open: usize,
    ) -> Result<Update, Error> {
        let earlier = std::mem::replace(&mut self.prompt, prompt);
        let earlier_turns = std::mem::replace(&mut self.turns, turns);
        match self.assemble(Place::default(), 0, (earlier.prompt(), earlier.chat()), known_of) {
            Ok(assembled) => {
                self.reply = None;
                let stays = same_runs(earlier.prompt(), self.prompt().runs_from(Place::default()));
                let prefix_break = self.prompt.prefix_break(earlier.chat());
                Ok(self.take_in(assembled, (Place::default(), 0, stays), open, prefix_break))
            }
            Err(error) => {
                (self.prompt, self.turns) = (earlier, earlier_turns);
                Err(error)
            }
        }
    }

    /// The ids of the prompt from a place on, before which the `first` segments are; `cut` stood there, of that chat.
    fn assemble(
        &self,
        place: Place,
        first: usize,
        (cut, cut_chat): (&Prompt, &Chat<'_>),
        known_of: impl Fn(usize) -> Option<usize>,
    ) -> Result<Assembled, Error> {
        let Some(tokenizer) = &self.tokenizer else { return Ok(Assembled::default()) };
        let (prompt, chat, turns) = (self.prompt(), self.chat(), &self.turns);
        let (before, close) = (self.last_of_first(first), self.layout().reply.close);
        let known = Known::new(cut, cut_chat, self.parts.get(first..).unwrap_or_default(), before.end, &self.ids);
        Assembly { tokenizer, prompt, chat, close, place, before, turns }.assemble(known, known_of)
    }

    /// Puts ids in behind those of the `first` segments, which end at a place and of which so many more stay.
    fn take_in(
        &mut self,
        assembled: Assembled,
        (place, first, stays): (Place, usize, usize),
        open: usize,
        prefix_break: Option<PrefixBreak>,
    ) -> Update {
        let start = self.ids_of_first(first);
        let Assembled { ids, sampled, parts, moves, encoded, starts } = assembled;
        let known = self.ids.get(start..).unwrap_or_default();
        let same = known.iter().zip(&ids).take_while(|(one, other)| one == other).count();
        let kept = (start + same).min(open);
        let is_lost = self.as_read.get(kept..).unwrap_or_default().contains(&true);
        let ended_sample = is_lost.then(|| labelled(&self.ids, &self.as_read));

        let reply_changes = PrefixBreak { segment: self.parts.len(), message: None, cause: BreakCause::ReplyChanges };

        self.ids.truncate(start);
        self.ids.extend(ids);
        self.sampled.truncate(start);
        self.sampled.extend(sampled);
        self.as_read.truncate(start + same);
        self.as_read.resize(self.ids.len(), false);
        self.parts.truncate(first);
        match self.tokenizer {
            Some(_) => self.parts.extend(parts),
            None => self.parts.extend(self.prompt.prompt().runs_from(place).map(|_| Part::default())),
        }
        for (message, start) in starts {
            if let Some(turn) = self.turns.get_mut(&message) {
                turn.start = start;
            }
        }
        let new_segments = first + stays..self.parts.len();
        let begins = self.prompt().runs_from(place).nth(stays);
        let prefix_break = prefix_break.or_else(|| (kept < open).then_some(reply_changes));
        Update {
            kept,
            new_ids: kept..self.ids.len(),
            encoded,
            prefix_break,
            start: begins.map_or(self.prompt().as_str().len(), |run| run.start),
            new_segments,
            moves: all_moves(kept, open, moves),
            ended_sample,
        }
    }
}

impl<T> Conversation<'_, T> {
    /// The parts of the conversation that [`drift`](Conversation::drift) looks at.
    pub(super) fn seen(&self) -> (Option<&T>, &GrowingPrompt<'_>, &SampledTurns) {
        (self.tokenizer.as_ref(), &self.prompt, &self.turns)
    }
}

fn is_prefix(message: Option<&Message<'_>>) -> bool {
    matches!(message, Some(Message::Assistant(AssistantMessage { prefix: true, .. })))
}

fn labelled(ids: &[u32], is_learnt: &[bool]) -> Labelled {
    let label = |(id, is_learnt): (&u32, &bool)| if *is_learnt { i64::from(*id) } else { Labelled::IGNORED };
    Labelled { input_ids: ids.to_vec(), labels: ids.iter().zip(is_learnt).map(label).collect() }
}
