//! [`GrowingPrompt`]: a chat's prompt that goes on with each message that is appended, instead of being rendered anew.
//! What it costs is what the messages add, but for layouts that move what stood before.

use crate::chat::{AssistantMessage, Chat, ChatShape, Chunk, Message, Role, Sent, ToolChoice, Turn};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{Layout, SystemWithAudio};
use crate::prompt::{Place, PrefixBreak, Prompt, Run, Writer};
use crate::render::check::check_plain;
use crate::render::{CheckedChat, gather_message, order_by_calls, write_turn};

/// A chat and its prompt, to which messages are appended at the cost of what they add.
#[derive(Clone, Debug)]
pub(super) struct GrowingPrompt<'a> {
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
    pub(super) fn new(chat: Chat<'a>, layout: &Layout) -> Result<Self, Error> {
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
    pub(super) fn chat(&self) -> &Chat<'a> {
        &self.chat
    }

    /// The prompt of the chat.
    pub(super) fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Would another chat's prompt have the same beside its messages?
    pub(super) fn same_beside_messages(&self, other: &Chat<'_>) -> bool {
        let Chat { tools, reasoning_effort, response_format, model, .. } = &self.chat;
        *tools == other.tools
            && *reasoning_effort == other.reasoning_effort
            && *response_format == other.response_format
            && *model == other.model
    }

    /// Takes what no layout prints from another chat.
    pub(super) fn take_unprinted(&mut self, tool_choice: ToolChoice<'a>, parallel_tool_calls: Option<bool>) {
        (self.chat.tool_choice, self.chat.parallel_tool_calls, self.chat.sent) =
            (tool_choice, parallel_tool_calls, None);
    }

    /// Takes what the chat was read from.
    pub(super) fn take_sent(&mut self, sent: Option<Sent<'a>>) {
        self.chat.sent = sent;
    }

    /// Appends messages behind the first `keep` ones, which are all of them, or all but a message to be continued.
    ///
    /// # Errors
    ///
    /// The layout does not take the longer chat. Nothing is appended then.
    pub(super) fn append_behind(
        &mut self,
        keep: usize,
        messages: impl IntoIterator<Item = Message<'a>>,
    ) -> Result<Change<'a>, Error> {
        let old = self.chat.messages.len();
        let keep = keep.min(old);
        let replaced = self.chat.messages.split_off(keep);
        self.chat.messages.extend(messages);
        if let Err(error) = self.check_from(keep) {
            self.chat.messages.truncate(keep);
            self.chat.messages.extend(replaced);
            return Err(error);
        }
        let before = self.changing_turns(keep);
        let from = if replaced.is_empty() { self.turns.len() } else { self.forget_from(keep) };
        let from = from.min(self.gather_from(keep));
        let place = self.places.get(from).copied().unwrap_or_else(|| self.prompt.end());
        let cut = self.prompt.split_off(place);
        let kept_places = from.min(self.places.len());
        let places = self.places.split_off(kept_places);
        self.write_from(from);
        let stays = if cut.as_str().is_empty() { 0 } else { same_runs(&cut, self.prompt.runs_from(place)) };
        let goes_on = cut.count_runs(Place::default()) == stays;
        let prefix_break =
            if goes_on { None } else { self.prefix_break_from(from, keep, &before, !replaced.is_empty()) };
        Ok(Change { place, cut, stays, prefix_break, replaced, before, kept_places, places })
    }

    /// The turns that new messages behind the first `keep` can change, and what is beside them.
    fn changing_turns(&self, keep: usize) -> TurnsBefore {
        // The last one may be replaced, and then the one before it goes on.
        let last = self.turns.len().saturating_sub(2);
        let new = self.chat.messages.get(keep..).unwrap_or_default();
        let from = if self.begins_otherwise() {
            0
        } else if self.pairs(new) {
            self.last_results(keep).min(last)
        } else {
            last
        };
        let turns = self.turns.get(from..).unwrap_or_default().to_vec();
        TurnsBefore { from, turns, users: self.users, has_system: self.has_system }
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

    /// Takes back what was appended behind the first `keep` messages.
    pub(super) fn undo(&mut self, keep: usize, change: Change<'a>) {
        let Change { place, cut, replaced, before, kept_places, places, .. } = change;
        self.chat.messages.truncate(keep);
        self.chat.messages.extend(replaced);
        self.prompt.split_off(place);
        self.prompt.join(cut);
        self.places.truncate(kept_places);
        self.places.extend(places);
        self.turns.truncate(before.from);
        self.turns.extend(before.turns);
        (self.users, self.has_system) = (before.users, before.has_system);
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where the turn begins that is to be continued, and its first message; `None` if the prompt waits for a reply.
    pub(super) fn open_turn(&self) -> Option<(Place, usize)> {
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
        let are_plain = ChatShape::of_messages(messages) == ChatShape::Plain;
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
        let is_audio = |chunk: &Chunk<'_>| chunk.kind().is_audio();
        let new = self.chat.messages.get(old..).unwrap_or_default();
        let exclude_each_other = match self.layout.rules.system_with_audio {
            SystemWithAudio::Refused | SystemWithAudio::OnlyByUrl => true,
            SystemWithAudio::Taken => false,
        };
        exclude_each_other
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
            from = from.min(gather_message(&self.chat, index, &mut self.turns));
        }
        from = from.min(self.order_last_results(old));
        from.min(self.move_to_users(old))
    }

    /// A layout that puts the system prompt into a user turn makes one up as long as there is no user turn.
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

    /// Puts the last results into the order of their calls, and says which turn is the first to be another.
    fn order_last_results(&mut self, old: usize) -> usize {
        let new = self.chat.messages.get(old..).unwrap_or_default();
        if !self.pairs(new) {
            return self.turns.len();
        }
        let mut from = self.turns.len();
        let recent = self.last_results(old);
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

    /// Can new messages put results into another order?
    fn pairs(&self, new: &[Message<'_>]) -> bool {
        self.layout.rules.pairing.is_by_id() && new.iter().any(|message| message.role() == Role::Tool)
    }

    /// Where the results begin that are the last of the old messages.
    fn last_results(&self, old: usize) -> usize {
        let start = self.turns.iter().rposition(|turn| turn.messages.start < old && turn.role != Role::Tool);
        start.map_or(0, |start| start + 1)
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
        let tools_turn = |users: Option<_>| users.and_then(|ends| self.layout.tools_turn(ends));
        let system_turn = |users: Option<_>| users.and_then(|ends| self.layout.system_turn(ends));
        let mut from = self.turns.len();
        let mut rewrite = |turn: Option<usize>| from = from.min(turn.unwrap_or(usize::MAX));
        if self.layout.prints_tools_or_settings(&self.chat) && tools_turn(was) != tools_turn(self.users) {
            rewrite(tools_turn(was));
        }
        if self.has_system && (system_joins || system_turn(was) != system_turn(self.users)) {
            rewrite(system_turn(was));
        }
        if self.layout.old_tool_turns.drops() && was != self.users {
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
        for (index, turn) in conversation.turns.iter().enumerate().skip(from) {
            self.places.push(self.prompt.end());
            if !write_turn(&conversation, index, turn, &mut self.prompt) {
                conversation.turn(&mut Writer::going_on(&mut self.prompt, self.layout.word_start), index, turn);
            }
        }
        self.turns = conversation.turns;
    }

    /// Why the prompt does not begin with that of the old messages, told by the turns from one on; its segments are
    /// counted from there.
    fn prefix_break_from(
        &self,
        from: usize,
        old: usize,
        before: &TurnsBefore,
        is_last_open: bool,
    ) -> Option<PrefixBreak> {
        // A turn that was open goes on, which breaks nothing.
        let closed = before.turns.len().saturating_sub(usize::from(is_last_open));
        let unchanged = self.turns.get(from..before.from).unwrap_or_default();
        let changed = before.turns.get(from.saturating_sub(before.from)..closed).unwrap_or_default();
        let system_joins = self.chat.messages.get(old..).unwrap_or_default().iter().any(is_system);
        let old_chat = system_joins.then(|| self.chat.first(old));
        let old_chat = old_chat.as_ref().unwrap_or(&self.chat);
        let earlier =
            CheckedChat::of_turns_from(old_chat, &self.layout, [unchanged, changed].concat(), before.users, from);
        let turns = self.turns.get(from..).unwrap_or_default().to_vec();
        let whole = CheckedChat::of_turns_from(&self.chat, &self.layout, turns, self.users, from);
        whole.prefix_break_behind(&earlier)
    }

    /// Why the prompt does not begin with that of an earlier chat.
    pub(super) fn prefix_break(&self, earlier: &Chat<'_>) -> Option<PrefixBreak> {
        let earlier = CheckedChat::new(earlier, &self.layout).ok()?;
        CheckedChat::new(&self.chat, &self.layout).ok()?.prefix_break(&earlier)
    }
}

fn is_system(message: &Message<'_>) -> bool {
    message.role() == Role::System
}

/// What became of a prompt to which messages were appended.
pub(super) struct Change<'a> {
    /// Where the prompt was written anew from.
    pub(super) place: Place,
    /// What stood there before.
    pub(super) cut: Prompt,
    /// How many segments from there on are as they were.
    pub(super) stays: usize,
    /// Its segments are counted from that place on.
    pub(super) prefix_break: Option<PrefixBreak>,
    /// The messages that were appended over, the turns and the places of turns that were changed.
    replaced: Vec<Message<'a>>,
    before: TurnsBefore,
    kept_places: usize,
    places: Vec<Place>,
}

/// The turns from one on before messages were appended.
struct TurnsBefore {
    from: usize,
    turns: Vec<Turn>,
    users: Option<(usize, usize)>,
    has_system: bool,
}

/// How many segments are the same at the beginning of both.
pub(super) fn same_runs<'p>(cut: &Prompt, runs: impl Iterator<Item = Run<'p>>) -> usize {
    cut.runs_from(Place::default()).zip(runs).take_while(|(one, other)| one.same_as(other)).count()
}
