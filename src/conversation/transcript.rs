//! A conversation's token ids: prompts and the model's own ids go in, and no id that was sampled is encoded again.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::chat::{AssistantMessage, Chat, Content, Message, Role};
use crate::conversation::GrowingPrompt;
use crate::error::Error;
use crate::layout::{Layout, Mark, WordStart};
use crate::prompt::{Place, Run, Segment, Tokenizer, encode_runs};
use crate::train::Labelled;

/// A conversation's token ids, and which of them the model sampled.
///
/// This is a trainer's loop; a server's is [`GrowingPrompt`]'s. The model is to learn the ids that it sampled, and not
/// those that a tokenizer makes of their text:
///
/// ```
/// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Transcript};
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
/// let mut transcript = Transcript::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
/// for question in ["How are you?", "Bye"] {
///     let sampled = sample(transcript.ids());
///     transcript.reply(read(&sampled), &sampled);
///     transcript.append([Message::user(question)])?;
/// }
/// assert_eq!(transcript.sampled().iter().filter(|sampled| **sampled).count(), 6, "twice \"Hi</s>\"");
/// assert!(transcript.drift()?.is_empty(), "rendering the messages gives the same ids");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Transcript<'a, T> {
    tokenizer: T,
    prompt: GrowingPrompt<'a>,
    ids: Vec<u32>,
    sampled: Vec<bool>,
    /// The turns that the model finished, by the first message of each.
    turns: BTreeMap<usize, Turn>,
    /// What the model has said since the last prompt.
    reply: Option<Reply<'a>>,
}

/// An assistant turn as it was sampled.
#[derive(Clone, Debug)]
struct Turn {
    /// Where its ids begin in the transcript.
    start: usize,
    ids: Vec<u32>,
    sampled: Vec<bool>,
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

impl<'a, T: Tokenizer> Transcript<'a, T> {
    /// The transcript of a chat.
    ///
    /// # Errors
    ///
    /// As [`Format::render`](crate::Format::render) and [`Prompt::encode`](crate::Prompt::encode).
    pub fn new(chat: Chat<'a>, layout: &Layout, tokenizer: T) -> Result<Self, Error> {
        let prompt = GrowingPrompt::new(chat, layout)?;
        let ids = prompt.prompt().encode(&tokenizer)?;
        let sampled = vec![false; ids.len()];
        Ok(Transcript { tokenizer, prompt, ids, sampled, turns: BTreeMap::new(), reply: None })
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

    /// The ids with their labels: what was sampled is learnt.
    #[must_use]
    pub fn labelled(&self) -> Labelled {
        let label = |(id, sampled): (&u32, &bool)| if *sampled { i64::from(*id) } else { Labelled::IGNORED };
        Labelled { input_ids: self.ids.clone(), labels: self.ids.iter().zip(&self.sampled).map(label).collect() }
    }

    /// The chat, without a reply that nothing follows yet.
    #[must_use]
    pub fn chat(&self) -> &Chat<'a> {
        self.prompt.chat()
    }

    /// Takes the ids that the model sampled, and the message that they say.
    ///
    /// Where the chat ends with a message to be continued, or with a reply that was cut off and goes on, the message is
    /// the whole of it. A message that says nothing stands in the chat as a space, since no layout accepts an empty one; its
    /// ids are those that were sampled, such as the end token alone.
    pub fn reply(&mut self, message: AssistantMessage<'a>, sampled: &[u32]) {
        let reply = self.reply.take().unwrap_or_else(|| self.next_reply());
        self.ids.extend_from_slice(sampled);
        self.sampled.resize(self.ids.len(), true);
        self.reply = Some(Reply { message: AssistantMessage { prefix: false, ..message }, ..reply });
    }

    /// A reply that goes on with the turn that is to be continued, or begins one.
    fn next_reply(&self) -> Reply<'a> {
        let (messages, end) = (self.chat().messages.len(), self.ids.len());
        let message = AssistantMessage::default();
        let Some((place, first)) = self.prompt.open_turn() else {
            return Reply { message, before: messages, first: messages, start: end };
        };
        let mut given = Vec::new();
        for run in self.prompt.prompt().runs_from(place) {
            // What was encoded once is encoded again.
            let _ = self.encode(run, &mut given, &mut 0);
        }
        Reply { message, before: messages - 1, first, start: end.saturating_sub(given.len()) }
    }

    /// Ends a reply that was cut off: appends the end token, or the text at which the layout ends replies, unless the
    /// model sampled it.
    ///
    /// # Errors
    ///
    /// The tokenizer has no id for the end token.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Transcript};
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
    /// let mut transcript = Transcript::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// transcript.reply(AssistantMessage { content: "H".into(), ..AssistantMessage::default() }, &[1072]);
    /// transcript.close()?;
    /// assert_eq!(transcript.ids().last(), Some(&2));
    /// assert_eq!(transcript.sampled().last(), Some(&false), "the model did not say that it was done");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn close(&mut self) -> Result<(), Error> {
        let Some(reply) = &self.reply else { return Ok(()) };
        let segment = match self.prompt.layout().reply.close {
            Mark::Control(close) => Segment::Control(close),
            Mark::Text("") => return Ok(()),
            Mark::Text(close) => Segment::Text(close),
        };
        let mut end = Vec::new();
        encode_runs([(segment, WordStart::Nothing)].into_iter(), 0, &self.tokenizer, &mut end)?;
        if !self.ids.get(reply.start..).unwrap_or_default().ends_with(&end) {
            self.ids.extend(end);
            self.sampled.resize(self.ids.len(), false);
        }
        Ok(())
    }

    /// Appends the reply and what comes after it, and gives the range of the ids that are new.
    ///
    /// What the model sampled is not encoded again. A reply that was cut off is [closed](Transcript::close). Where the
    /// layout moves what stood before, the ids from there on are new, and those of the replies among them stay as they
    /// were sampled. An assistant message right behind a reply is of the reply's turn in most layouts, and adds no ids to
    /// what was sampled: [`drift`](Transcript::drift) tells.
    ///
    /// # Errors
    ///
    /// As [`GrowingPrompt::append`] and [`Prompt::encode`](crate::Prompt::encode). Nothing is appended then.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Transcript};
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
    /// let mut transcript = Transcript::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// transcript.reply(AssistantMessage { content: "H".into(), ..AssistantMessage::default() }, &[1072, 2]);
    /// let new = transcript.append([Message::user("?")])?;
    /// assert_eq!(transcript.ids()[new], [3, 1063, 4], "[INST]?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn append(&mut self, messages: impl IntoIterator<Item = Message<'a>>) -> Result<Range<usize>, Error> {
        let open = self.ids.len();
        self.close()?;
        let reply = self.reply.take();
        let before = reply.as_ref().map_or(self.chat().messages.len(), |reply| reply.before);
        if let Some(Reply { first, start, .. }) = reply {
            let of_turn = |all: &[u32]| all.get(start..).unwrap_or_default().to_vec();
            let sampled = self.sampled.get(start..).unwrap_or_default().to_vec();
            self.turns.insert(first, Turn { start, ids: of_turn(&self.ids), sampled });
        }
        let said = reply.iter().map(|reply| Message::Assistant(said(&reply.message)));
        let messages: Vec<_> = said.chain(messages).collect();
        let appended = self.append_behind(before, messages, reply.as_ref().map_or(open, |reply| reply.start));
        if appended.is_err() {
            self.ids.truncate(open);
            self.sampled.truncate(open);
            if let Some(reply) = &reply {
                self.turns.remove(&reply.first);
            }
            self.reply = reply;
        }
        // An end token that was appended is new to the model.
        appended.map(|new| new.start.min(open)..new.end)
    }

    /// Appends messages behind the first `before` ones, whose prompt has the first `settled` ids.
    fn append_behind(
        &mut self,
        before: usize,
        messages: Vec<Message<'a>>,
        settled: usize,
    ) -> Result<Range<usize>, Error> {
        let undone = self.chat().messages.get(before..).unwrap_or_default().to_vec();
        let addition = self.prompt.append_behind(before, messages)?;
        let goes_on = addition.prefix_break().is_none() && undone.is_empty();
        let new = (addition.place(), addition.stays(), addition.media_before());
        let ((place, stays, media), start) = if goes_on { (new, settled) } else { ((Place::default(), 0, 0), 0) };
        match self.encode_from(place, stays, start, media) {
            Ok((ids, sampled)) => {
                let old = self.ids.get(start..).unwrap_or_default();
                let same = old.iter().zip(&ids).take_while(|(one, other)| one == other).count();
                self.ids.truncate(start);
                self.ids.extend(ids);
                self.sampled.truncate(start);
                self.sampled.extend(sampled);
                Ok(start + same..self.ids.len())
            }
            Err(error) => {
                self.prompt.undo(before, undone);
                Err(error)
            }
        }
    }

    /// The ids of the prompt from a place on but for the first segments there, `start` ids and so many `media` being
    /// before them: those of finished turns as they were sampled.
    fn encode_from(
        &mut self,
        place: Place,
        stays: usize,
        start: usize,
        mut media: usize,
    ) -> Result<(Vec<u32>, Vec<bool>), Error> {
        let (mut ids, mut sampled) = (Vec::new(), Vec::new());
        let mut turns = std::mem::take(&mut self.turns);
        let mut inside = None;
        let mut result = Ok(());
        for run in self.prompt.prompt().runs_from(place).skip(stays) {
            let before = inside;
            inside = self.turn_of(run, before, &turns);
            if let Some(turn) = inside.filter(|_| inside != before).and_then(|first| turns.get_mut(&first)) {
                turn.start = start + ids.len();
                ids.extend_from_slice(&turn.ids);
                sampled.extend_from_slice(&turn.sampled);
            }
            if inside.is_some() {
                inside = inside.filter(|_| !self.ends_turn(run));
                continue;
            }
            result = self.encode(run, &mut ids, &mut media);
            sampled.resize(ids.len(), false);
            if result.is_err() {
                break;
            }
        }
        self.turns = turns;
        result.map(|()| (ids, sampled))
    }

    /// The finished turn that a run is of, by its first message, where the run before is of the turn `inside`.
    fn turn_of(&self, run: Run<'_>, inside: Option<usize>, turns: &BTreeMap<usize, Turn>) -> Option<usize> {
        let message = run.message?;
        let goes_on = || self.chat().messages.get(message).is_some_and(|it| it.role() == Role::Assistant);
        if turns.contains_key(&message) { Some(message) } else { inside.filter(|_| goes_on()) }
    }

    fn ends_turn(&self, run: Run<'_>) -> bool {
        match self.prompt.layout().reply.close {
            Mark::Control(close) => run.segment == Segment::Control(close),
            Mark::Text(_) => false,
        }
    }

    fn encode(&self, run: Run<'_>, ids: &mut Vec<u32>, media: &mut usize) -> Result<(), Error> {
        encode_runs([(run.segment, run.word_start)].into_iter(), *media, &self.tokenizer, ids)?;
        *media += usize::from(matches!(run.segment, Segment::Media(_)));
        Ok(())
    }

    /// The finished turns whose ids are others than those that rendering the messages gives.
    ///
    /// # Errors
    ///
    /// As [`Prompt::encode`](crate::Prompt::encode).
    pub fn drift(&self) -> Result<Vec<Drift>, Error> {
        let (mut drifts, mut inside, mut rendered) = (Vec::new(), None, Vec::new());
        for run in self.prompt.prompt().runs_from(Place::default()) {
            let before = inside;
            inside = self.turn_of(run, before, &self.turns);
            if inside != before {
                drifts.extend(self.drift_of(before, std::mem::take(&mut rendered)));
            }
            if inside.is_some() {
                self.encode(run, &mut rendered, &mut 0)?;
            }
            if self.ends_turn(run) {
                drifts.extend(self.drift_of(inside.take(), std::mem::take(&mut rendered)));
            }
        }
        drifts.extend(self.drift_of(inside, rendered));
        Ok(drifts)
    }

    fn drift_of(&self, first: Option<usize>, rendered: Vec<u32>) -> Option<Drift> {
        let message = first?;
        let Turn { start, ids, .. } = self.turns.get(&message)?;
        let at = ids.iter().zip(&rendered).take_while(|(one, other)| one == other).count();
        (*ids != rendered).then(|| Drift { message, start: *start, at, ids: ids.clone(), rendered })
    }
}

/// An assistant turn whose ids are others than those that its rendered messages give.
///
/// ```
/// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Transcript};
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
/// let mut transcript = Transcript::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
/// let message = AssistantMessage { content: "Hi ".into(), ..AssistantMessage::default() };
/// transcript.reply(message, &[1072, 1105, 1032, 2]); // "Hi </s>"
/// transcript.append([Message::user("Bye")])?;
///
/// let drift = &transcript.drift()?[0];
/// assert_eq!((drift.message, drift.at), (1, 2), "the layout trims the space");
/// assert_eq!(drift.rendered, [1072, 1105, 2]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The first message of the turn.
    pub message: usize,
    /// Where the turn's ids begin in the transcript.
    pub start: usize,
    /// The position of the first id that differs, from the beginning of the turn.
    pub at: usize,
    /// The turn's ids in the transcript.
    pub ids: Vec<u32>,
    /// The ids that the rendered messages give.
    pub rendered: Vec<u32>,
}

impl Drift {
    /// Is the text another one too, by the caller's decoder? Where not, the same text was sampled in other pieces.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Transcript};
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
    /// # let decode = |ids: &[u32]| -> String {
    /// #     let text = |id: &u32| if *id == 5000 { "Hi".to_owned() } else { char::from_u32(id - 1000).unwrap().to_string() };
    /// #     ids.iter().filter(|id| **id > 1000).map(text).collect()
    /// # };
    /// let mut transcript = Transcript::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// let message = AssistantMessage { content: "Hi".into(), ..AssistantMessage::default() };
    /// transcript.reply(message, &[5000, 2]);
    /// transcript.append([Message::user("Bye")])?;
    /// assert!(!transcript.drift()?[0].is_in_text(decode), "\"Hi\" as one id, and as two");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn is_in_text(&self, mut decode: impl FnMut(&[u32]) -> String) -> bool {
        decode(&self.ids) != decode(&self.rendered)
    }
}
