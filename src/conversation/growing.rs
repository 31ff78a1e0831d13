//! [`GrowingPrompt`]: a chat's prompt that goes on with each message that is appended, instead of being rendered anew.

use crate::chat::{AssistantMessage, Chat, Chunk, Message, Role, Sort, Turn};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{History, Layout, Pairing, Settings, System, SystemWithAudio, UserTurn};
use crate::prompt::{Place, PrefixBreak, Prompt, Run, Segment, Tokenizer, Writer, encode_runs};
use crate::render::check::check_plain;
use crate::render::{CheckedChat, order_by_calls};

/// A chat and its prompt, to which messages are appended at the cost of what they add.
///
/// This is a server's loop: what the client sent is rendered once, and each turn adds the model's reply and what comes
/// next.
///
/// ```
/// use mistral_chat_template::{Chat, Format, GrowingPrompt, Layout, Message, Segment};
///
/// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi")]);
/// let mut growing = GrowingPrompt::new(chat, &Layout::V7)?;
/// for (reply, next) in [("Hello!", "How are you?"), ("Fine!", "Good.")] {
///     let addition = growing.append([Message::assistant(reply), Message::user(next)])?;
///     assert_eq!(addition.prefix_break(), None, "the model's state goes on");
///     assert_eq!(addition.segments().next(), Some(Segment::Text(reply)));
/// }
/// assert_eq!(growing.prompt(), &Layout::V7.render(growing.chat())?);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// Where the layout moves what stood before (v3: the system prompt), the prompt is written anew from there, and
/// [`Addition::prefix_break`] says so.
#[derive(Clone, Debug)]
pub struct GrowingPrompt<'a> {
    chat: Chat<'a>,
    layout: Layout,
    prompt: Prompt,
    turns: Vec<Turn>,
    /// Where each turn begins.
    places: Vec<Place>,
    users: Option<(usize, usize)>,
    has_system: bool,
}

impl<'a> GrowingPrompt<'a> {
    /// The prompt of a chat.
    ///
    /// # Errors
    ///
    /// As [`Format::render`](crate::Format::render).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    ///
    /// let growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// assert_eq!(growing.prompt().as_str(), "<s>[INST] Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn new(chat: Chat<'a>, layout: &Layout) -> Result<Self, Error> {
        let CheckedChat { turns, users, .. } = CheckedChat::new(&chat, layout)?;
        let has_system = chat.messages.iter().any(is_system);
        let (prompt, places) = (Prompt::new(), Vec::new());
        let mut growing = GrowingPrompt { chat, layout: *layout, prompt, turns, places, users, has_system };
        let mut writer = Writer::new(&mut growing.prompt, layout.word_start);
        writer.control(Control::Bos);
        growing.prompt.stop_at(layout.reply.close.as_str());
        growing.write_from(0);
        Ok(growing)
    }

    /// The chat.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    /// let growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// assert_eq!(growing.chat().messages.len(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn chat(&self) -> &Chat<'a> {
        &self.chat
    }

    /// The prompt of the chat.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    /// let growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V13)?;
    /// assert_eq!(growing.prompt().as_str(), "<s>[INST]Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Appends messages, and says what the prompt has more.
    ///
    /// # Errors
    ///
    /// The layout does not accept the longer chat: a tool result after a user message, a reply at the end. Nothing is
    /// appended then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    ///
    /// let mut growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// let error = growing.append([Message::tool("42")]).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[1].role: a tool message cannot follow a user message (v3)");
    /// assert_eq!(growing.chat().messages.len(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn append(&mut self, messages: impl IntoIterator<Item = Message<'a>>) -> Result<Addition<'_>, Error> {
        self.append_behind(self.chat.messages.len(), messages)
    }

    /// Makes it the prompt of a chat that a client sent whole, and says what the prompt has more.
    ///
    /// Where the chat begins with what was there, the rest is [appended](GrowingPrompt::append), and else it is rendered
    /// anew: a client took a message back, the budget left one out, the tools are others.
    ///
    /// # Errors
    ///
    /// As [`Format::render`](crate::Format::render). Nothing is changed then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message, Segment};
    /// use mistral_chat_template::prompt::BreakCause;
    ///
    /// let mut messages = vec![Message::user("Hi")];
    /// let mut growing = GrowingPrompt::new(Chat::new(messages.clone()), &Layout::V7)?;
    ///
    /// messages.extend([Message::assistant("Hello!"), Message::user("Bye")]);
    /// let addition = growing.update(Chat::new(messages.clone()))?;
    /// assert_eq!(addition.segments().next(), Some(Segment::Text("Hello!")));
    ///
    /// messages[2] = Message::user("How are you?");
    /// let addition = growing.update(Chat::new(messages))?;
    /// assert_eq!(addition.prefix_break().map(|it| it.cause), Some(BreakCause::MessageChanges));
    /// assert_eq!(addition.segments().next(), Some(Segment::Text("How are you?")));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn update(&mut self, mut chat: Chat<'a>) -> Result<Addition<'_>, Error> {
        if chat.messages.starts_with(&self.chat.messages) && self.same_beside_messages(&chat) {
            let new = chat.messages.split_off(self.chat.messages.len());
            return self.append(new);
        }
        let next = GrowingPrompt::new(chat, &self.layout)?;
        let before = std::mem::replace(self, next);
        let prefix_break = self.prefix_break(&before.chat);
        let stays = prefix_break.map_or_else(|| before.prompt.segments().count(), |parts| parts.segment);
        Ok(Addition { prompt: &self.prompt, place: Place::default(), stays, prefix_break })
    }

    fn same_beside_messages(&self, other: &Chat<'_>) -> bool {
        let Chat { tools, reasoning_effort, response_format, model, .. } = &self.chat;
        *tools == other.tools
            && *reasoning_effort == other.reasoning_effort
            && *response_format == other.response_format
            && *model == other.model
    }

    /// Appends messages behind the first `keep` ones, which are all of them, or all but a message to be continued.
    pub(crate) fn append_behind(
        &mut self,
        keep: usize,
        messages: impl IntoIterator<Item = Message<'a>>,
    ) -> Result<Addition<'_>, Error> {
        let old = self.chat.messages.len();
        let replaced = self.chat.messages.split_off(keep.min(old));
        self.chat.messages.extend(messages);
        if let Err(error) = self.check_from(keep) {
            self.chat.messages.truncate(keep);
            self.chat.messages.extend(replaced);
            return Err(error);
        }
        let from = if replaced.is_empty() { self.turns.len() } else { self.forget_from(keep) };
        let from = from.min(self.gather_from(keep));
        let place = self.places.get(from).copied().unwrap_or_else(|| self.prompt.end());
        let cut = self.prompt.split_off(place);
        self.places.truncate(from);
        self.write_from(from);
        let same = |(one, other): &(Run<'_>, Run<'_>)| one.same_as(other);
        let stays = cut.runs_from(Place::default()).zip(self.prompt.runs_from(place)).take_while(same).count();
        let goes_on = cut.runs_from(Place::default()).nth(stays).is_none();
        let prefix_break = if goes_on || !replaced.is_empty() { None } else { self.prefix_break_of_first(old) };
        Ok(Addition { prompt: &self.prompt, place, stays, prefix_break })
    }

    /// Takes the messages from one on, which are one assistant turn's, out of the turns; says which turn is another.
    fn forget_from(&mut self, keep: usize) -> usize {
        let last = self.turns.len().saturating_sub(1);
        if let Some(turn) = self.turns.last_mut() {
            turn.messages.end = keep;
            if turn.messages.is_empty() {
                self.turns.pop();
            }
        }
        last
    }

    /// Puts back what was appended over.
    pub(crate) fn undo(&mut self, keep: usize, replaced: Vec<Message<'a>>) {
        self.chat.messages.truncate(keep);
        self.chat.messages.extend(replaced);
        let chat = std::mem::take(&mut self.chat);
        // It was rendered before.
        if let Ok(growing) = GrowingPrompt::new(chat, &self.layout) {
            *self = growing;
        }
    }

    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where the turn begins that is to be continued, and its first message; `None` if the prompt waits for a reply.
    pub(crate) fn open_turn(&self) -> Option<(Place, usize)> {
        match (self.chat.messages.last()?, self.turns.last()?, self.places.last()?) {
            (Message::Assistant(AssistantMessage { prefix: true, .. }), turn, place) => {
                Some((*place, turn.messages.start))
            }
            _ => None,
        }
    }

    /// Checks the longer chat by as many of its old messages as the new ones can depend on.
    fn check_from(&self, old: usize) -> Result<(), Error> {
        let start = if self.depends_on_all(old) { 0 } else { self.window(old) };
        let messages = self.chat.messages.get(start..).unwrap_or_default();
        // The first user turn has the tools printed, whose schemas are checked for that.
        let are_checked = self.users.is_some() || self.chat.tools.is_empty();
        let are_plain = Sort::of_messages(messages) == Sort::Plain;
        if are_checked && are_plain && check_plain(&self.chat, &self.layout).is_ok() {
            return Ok(());
        }
        let window = match self.users {
            Some(_) => {
                Chat { messages: messages.iter().map(Message::view).collect(), ..self.chat.view_without_messages() }
            }
            None => self.chat.view_of(messages),
        };
        if CheckedChat::with_buffer(&window, &self.layout, Vec::new()).is_ok() {
            return Ok(());
        }
        // What the fault is, and where, is found by checking the whole chat.
        CheckedChat::with_buffer(&self.chat, &self.layout, Vec::new()).map(drop)
    }

    /// Audio and system messages may exclude each other, wherever they stand.
    fn depends_on_all(&self, old: usize) -> bool {
        let is_audio = |chunk: &Chunk<'_>| matches!(chunk, Chunk::InputAudio(_) | Chunk::AudioUrl(_));
        let new = self.chat.messages.get(old..).unwrap_or_default();
        self.layout.rules.system_with_audio != SystemWithAudio::Taken
            && new.iter().any(|message| is_system(message) || message.content().chunks().iter().any(is_audio))
    }

    /// The first message that the new ones can depend on: the one before the last assistant messages, whose calls they
    /// answer or whose turn they go on with. The first message of a chat is paired with nothing, so one more is needed.
    fn window(&self, old: usize) -> usize {
        let before = self.chat.messages.get(..old).unwrap_or_default();
        let is_reply = |message: &Message<'_>| message.role() == Role::Assistant;
        let Some(last) = before.iter().rposition(is_reply) else { return 0 };
        let others = before.get(..last).unwrap_or_default();
        others.iter().rposition(|message| !is_reply(message)).unwrap_or_default()
    }

    /// Gathers the new messages into turns, and says from which turn on the prompt is to be written.
    fn gather_from(&mut self, old: usize) -> usize {
        if self.begins_otherwise() {
            return self.gather_all();
        }
        let mut from = self.turns.len();
        for index in old..self.chat.messages.len() {
            from = from.min(self.gather_message(index));
        }
        from = from.min(self.order_last_results(old));
        from.min(self.move_to_users(old))
    }

    /// A layout that has the system prompt in a user turn makes one up while there is none.
    fn begins_otherwise(&self) -> bool {
        let is_made_up = self.turns.first().is_some_and(|turn| turn.messages.is_empty());
        is_made_up && self.turns.iter().skip(1).all(|turn| turn.role == Role::System)
    }

    fn gather_all(&mut self) -> usize {
        self.has_system = self.chat.messages.iter().any(is_system);
        if let Ok(CheckedChat { turns, users, .. }) = CheckedChat::new(&self.chat, &self.layout) {
            (self.turns, self.users) = (turns, users);
        }
        0
    }

    /// Takes one message into the last turn or into one of its own, and says which.
    fn gather_message(&mut self, index: usize) -> usize {
        let messages = &self.chat.messages;
        let Some(message) = messages.get(index) else { return self.turns.len() };
        let role = message.role();
        let last = self.turns.len().saturating_sub(1);
        if matches!(role, Role::User | Role::Assistant)
            && index.checked_sub(1).and_then(|before| messages.get(before)).is_some_and(|before| before.role() == role)
            && let Some(turn) = self.turns.last_mut()
            && messages.get(turn.messages.start).and_then(Message::weight) == message.weight()
        {
            (turn.messages.end, turn.sort) = (index + 1, Sort::Mixed);
            return last;
        }
        self.turns.push(Turn::of_one(index, role, Sort::of_message(message)));
        self.turns.len() - 1
    }

    /// Puts the last results into the order of their calls, and says which turn is the first to be another.
    fn order_last_results(&mut self, old: usize) -> usize {
        let new = self.chat.messages.get(old..).unwrap_or_default();
        if self.layout.rules.pairing != Pairing::ById || !new.iter().any(|message| message.role() == Role::Tool) {
            return self.turns.len();
        }
        let mut from = self.turns.len();
        let start = self.turns.iter().rposition(|turn| turn.messages.start < old && turn.role != Role::Tool);
        let recent = start.map_or(0, |start| start + 1);
        let mut index = recent;
        let turns = self.turns.get_mut(recent..).unwrap_or_default();
        for group in turns.chunk_by_mut(|one, next| one.role == Role::Tool && next.role == Role::Tool) {
            if let [_, _, ..] = group {
                let before = group.to_vec();
                group.sort_by_key(|turn| turn.messages.start);
                let first = group.first().map_or(0, |turn| turn.messages.start);
                order_by_calls(&self.chat, first, group);
                if let Some(moved) = before.iter().zip(&*group).position(|(one, other)| one != other) {
                    from = from.min(index + moved);
                }
            }
            index += group.len();
        }
        from
    }

    /// Makes out the first and the last user turn, and which turn is the first to carry other things than before.
    fn move_to_users(&mut self, old: usize) -> usize {
        let was = self.users;
        let recent = self.turns.iter().rposition(|turn| turn.messages.start < old).map_or(0, |last| last + 1);
        let mut new = self.turns.iter().enumerate().skip(recent).filter(|(_, turn)| turn.role == Role::User);
        if let Some((first, _)) = new.next() {
            let last = new.next_back().map_or(first, |(last, _)| last);
            self.users = Some((was.map_or(first, |(first, _)| first), last));
        }
        let system_joins = self.chat.messages.get(old..).unwrap_or_default().iter().any(is_system);
        self.has_system |= system_joins;
        let turn_at = |users: Option<(usize, usize)>, place| {
            users.map(|(first, last)| if place == UserTurn::First { first } else { last })
        };
        let mut from = self.turns.len();
        let mut rewrite = |turn: Option<usize>| from = from.min(turn.unwrap_or(usize::MAX));
        let has_block = !self.chat.tools.is_empty() || matches!(self.layout.settings, Settings::Block { .. });
        if let Some(place) = self.layout.tools.filter(|_| has_block)
            && turn_at(was, place) != turn_at(self.users, place)
        {
            rewrite(turn_at(was, place));
        }
        if let System::InUser { turn: place, .. } = self.layout.system
            && self.has_system
            && (system_joins || turn_at(was, place) != turn_at(self.users, place))
        {
            rewrite(turn_at(was, place));
        }
        if self.layout.old_tool_turns == History::Drop && was != self.users {
            rewrite(was.map(|(_, last)| last + 1));
        }
        from
    }

    /// Writes the turns from one on.
    fn write_from(&mut self, from: usize) {
        let turns = std::mem::take(&mut self.turns);
        let mut conversation = CheckedChat::of_turns(&self.chat, &self.layout, turns, self.users);
        if !self.has_system {
            // Nobody has to look for it in all messages.
            conversation.system_turn = None;
        }
        let mut writer = Writer::going_on(&mut self.prompt, self.layout.word_start);
        for (index, turn) in conversation.turns.iter().enumerate().skip(from) {
            self.places.push(writer.place());
            conversation.turn(&mut writer, index, turn);
        }
        self.turns = conversation.turns;
    }

    /// Why the prompt does not begin with that of the first messages.
    fn prefix_break_of_first(&self, old: usize) -> Option<PrefixBreak> {
        self.prefix_break(&self.chat.view_of(self.chat.messages.get(..old).unwrap_or_default()))
    }

    /// Why the prompt does not begin with that of an earlier chat.
    fn prefix_break(&self, earlier: &Chat<'_>) -> Option<PrefixBreak> {
        let earlier = CheckedChat::new(earlier, &self.layout).ok()?;
        CheckedChat::new(&self.chat, &self.layout).ok()?.prefix_break(&earlier)
    }
}

fn is_system(message: &Message<'_>) -> bool {
    message.role() == Role::System
}

/// What a prompt has more than before.
///
/// ```
/// use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
/// use mistral_chat_template::layout::UserTurn;
/// use mistral_chat_template::prompt::BreakCause;
///
/// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi")]);
/// let mut growing = GrowingPrompt::new(chat, &Layout::V3)?;
/// let addition = growing.append([Message::assistant("Hello!"), Message::user("Bye")])?;
///
/// let moves = BreakCause::SystemMoves { to: UserTurn::Last };
/// assert_eq!(addition.prefix_break().map(|it| it.cause), Some(moves));
/// assert_eq!(addition.start(), "<s>[INST]".len(), "from here on the prompt is another");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Addition<'g> {
    prompt: &'g Prompt,
    place: Place,
    /// How many segments from the place on were there before.
    stays: usize,
    prefix_break: Option<PrefixBreak>,
}

impl Addition<'_> {
    /// Where and why the prompt does not begin with what it was; `None` if it goes on.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    /// let mut growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// assert_eq!(growing.append([Message::assistant("Hello!"), Message::user("Bye")])?.prefix_break(), None);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub const fn prefix_break(&self) -> Option<PrefixBreak> {
        self.prefix_break
    }

    /// The byte of the prompt at which the new segments begin: the bytes before it stay.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, GrowingPrompt, Layout, Message};
    /// let mut growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// let before = growing.prompt().as_str().len();
    /// assert_eq!(growing.append([Message::assistant("Hello!"), Message::user("Bye")])?.start(), before);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn start(&self) -> usize {
        self.runs().next().map_or(self.prompt.as_str().len(), |run| run.start)
    }

    /// The new segments.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Control, GrowingPrompt, Layout, Message, Segment};
    /// let mut growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// let addition = growing.append([Message::assistant("Hello!"), Message::user("Bye")])?;
    /// assert!(addition.segments().eq([
    ///     Segment::Text("Hello!"),
    ///     Segment::Control(Control::Eos),
    ///     Segment::Control(Control::Inst),
    ///     Segment::Text("Bye"),
    ///     Segment::Control(Control::EndInst),
    /// ]));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.runs().map(|run| run.segment)
    }

    /// The token ids of the new segments.
    ///
    /// # Errors
    ///
    /// As [`Prompt::encode`].
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, GrowingPrompt, Layout, Message, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    ///
    /// struct Bytes;
    /// impl Tokenizer for Bytes {
    ///     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    ///         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    ///     }
    ///     fn control(&self, control: Control) -> Option<u32> {
    ///         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    ///     }
    /// }
    ///
    /// let mut growing = GrowingPrompt::new(Chat::new([Message::user("Hi")]), &Layout::V3)?;
    /// let mut ids = growing.prompt().encode(&Bytes)?;
    /// ids.extend(growing.append([Message::assistant("Hello!"), Message::user("Bye")])?.encode(&Bytes)?);
    /// assert_eq!(ids, growing.prompt().encode(&Bytes)?);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn encode(&self, tokenizer: &impl Tokenizer) -> Result<Vec<u32>, Error> {
        self.prompt.check_tokenizer(tokenizer)?;
        let mut ids = Vec::new();
        let runs = self.runs().map(|run| (run.segment, run.word_start));
        encode_runs(runs, self.media_before(), tokenizer, &mut ids)?;
        Ok(ids)
    }

    /// The place from which the prompt was written.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// How many of the segments from there on were there before.
    pub(crate) const fn stays(&self) -> usize {
        self.stays
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.prompt.runs_from(self.place).skip(self.stays)
    }

    /// How many images and sounds stand before the new segments.
    pub(crate) fn media_before(&self) -> usize {
        let is_media = |segment: &Segment<'_>| matches!(segment, Segment::Media(_));
        if !self.segments().any(|segment| is_media(&segment)) {
            return 0;
        }
        let all = self.prompt.segments().filter(is_media).count();
        all - self.segments().filter(is_media).count()
    }
}
