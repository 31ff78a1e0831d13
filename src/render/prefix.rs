//! Two checked chats in, whether the prompt of one begins the prompt of the other out, without rendering either.

use crate::chat::{Chat, Message, Role, Turn};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{Layout, UserTurn};
use crate::prompt::{BreakCause, Place, PrefixBreak, Prompt, Run, Segment, Writer};
use crate::render::CheckedChat;
use crate::terms::Mode;

/// What [`Format::prefix_break`] says, for a layout: told without rendering.
pub(super) fn prefix_break(layout: &Layout, chat: &Chat<'_>, n: usize) -> Result<Option<PrefixBreak>, Error> {
    let whole = CheckedChat::new(chat, layout)?;
    let earlier = chat.first(n);
    let layout = layout.in_mode(Mode::Test);
    let earlier = CheckedChat::new(&earlier, &layout)?;
    Ok(Comparison { earlier: &earlier, whole: &whole, contents: Contents::Shared }.prefix_break())
}

impl CheckedChat<'_, '_> {
    /// Where the prompt of this conversation parts from the prompt of an earlier one; `None` if it begins with it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message};
    /// use mistral_chat_template::chat::ReasoningEffort;
    /// use mistral_chat_template::prompt::BreakCause;
    /// use mistral_chat_template::render::CheckedChat;
    ///
    /// let chat = Chat::new([Message::user("Hi")]);
    /// let harder = Chat { reasoning_effort: Some(ReasoningEffort::High), ..chat.clone() };
    /// let (earlier, harder) = (CheckedChat::new(&chat, &Layout::V15)?, CheckedChat::new(&harder, &Layout::V15)?);
    /// assert_eq!(harder.prefix_break(&earlier).map(|it| it.cause), Some(BreakCause::SettingsChange));
    /// assert_eq!(harder.prefix_break(&harder), None);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn prefix_break(&self, earlier: &CheckedChat<'_, '_>) -> Option<PrefixBreak> {
        Comparison { earlier, whole: self, contents: Contents::Compared }.prefix_break()
    }

    /// As [`prefix_break`](CheckedChat::prefix_break), of the turns behind those that both have, for an earlier chat that is
    /// a beginning of this one. Segments are counted from there.
    pub(crate) fn prefix_break_behind(&self, earlier: &CheckedChat<'_, '_>) -> Option<PrefixBreak> {
        let comparison = Comparison { earlier, whole: self, contents: Contents::Shared };
        let told = comparison.prefix_break()?;
        // There is no `<s>`.
        Some(PrefixBreak { segment: told.segment.saturating_sub(1), ..told })
    }
}

/// Is it known that messages of the same index are the same?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    Shared,
    Compared,
}

struct Comparison<'r> {
    earlier: &'r CheckedChat<'r, 'r>,
    whole: &'r CheckedChat<'r, 'r>,
    contents: Contents,
}

impl Comparison<'_> {
    /// Turns that are made of the same are the same. From the first that is not, turns are written and compared, until
    /// they part or the earlier conversation ends.
    fn prefix_break(&self) -> Option<PrefixBreak> {
        let same = if self.same_layout() { self.same_turns() } else { 0 };
        let (mut earlier, mut whole) = (Side::new(self.earlier, same), Side::new(self.whole, same));
        let mut segment = 0;
        loop {
            if !earlier.fill() {
                return None;
            }
            let went_on = whole.fill();
            let equal = if went_on { earlier.common(&whole) } else { 0 };
            segment += equal;
            earlier.taken += equal;
            whole.taken += equal;
            if !went_on || (earlier.is_left() && whole.is_left()) {
                let message = earlier.runs().next().and_then(|run| run.message);
                let segment = self.segments_of(same) + segment;
                return Some(PrefixBreak { segment, message, cause: self.cause(&earlier, &whole) });
            }
        }
    }

    /// How many segments `<s>` and the first turns have.
    fn segments_of(&self, turns: usize) -> usize {
        let mut side = Side::new(self.earlier, 0);
        let mut segments = 1;
        while side.next < turns && side.write() {
            segments += side.count;
        }
        segments
    }

    fn same_layout(&self) -> bool {
        let (earlier, whole) = (self.earlier.layout, self.whole.layout);
        Layout { mode: whole.mode, name: whole.name, ..*earlier } == *whole
    }

    /// How many turns at the beginning are made of the same.
    fn same_turns(&self) -> usize {
        let (earlier, whole) = (self.earlier, self.whole);
        let turns = earlier.turns.iter().zip(&whole.turns).enumerate();
        turns.take_while(|(index, (one, other))| self.same_turn(*index, one, other)).count()
    }

    fn same_turn(&self, index: usize, one: &Turn, other: &Turn) -> bool {
        let (earlier, whole) = (self.earlier, self.whole);
        let carries = |turn: Option<usize>| turn == Some(index);
        let is_left_out = |conversation: &CheckedChat<'_, '_>, turn| conversation.is_old_tool_turn(index, turn);
        one.role == other.role
            && one.messages == other.messages
            && one.dropped == other.dropped
            && is_left_out(earlier, one) == is_left_out(whole, other)
            && match (carries(earlier.tools_turn), carries(whole.tools_turn)) {
                (false, false) => true,
                (true, true) => self.same_tools() && self.same_settings(),
                _ => false,
            }
            && match (carries(earlier.system_turn), carries(whole.system_turn)) {
                (false, false) => true,
                (true, true) => self.same_systems(),
                _ => false,
            }
            && (self.contents == Contents::Shared || messages(earlier, one).eq(messages(whole, other)))
    }

    fn same_tools(&self) -> bool {
        self.contents == Contents::Shared || self.earlier.chat.tools == self.whole.chat.tools
    }

    fn same_settings(&self) -> bool {
        let (one, other) = (self.earlier.chat, self.whole.chat);
        self.contents == Contents::Shared
            || (one.reasoning_effort == other.reasoning_effort && one.response_format == other.response_format)
    }

    fn same_systems(&self) -> bool {
        systems(self.earlier.chat).eq(systems(self.whole.chat))
    }

    /// Why the sides part where they do.
    fn cause(&self, earlier: &Side<'_>, whole: &Side<'_>) -> BreakCause {
        let layout = self.whole.layout;
        let sections = [earlier.section(), whole.section()];
        let tools_to = layout.tools.unwrap_or(UserTurn::Last);
        let system_to = layout.system.in_user().map_or(UserTurn::Last, |(turn, _)| turn);
        if !self.same_layout() {
            return BreakCause::LayoutChanges;
        }
        if sections.contains(&Section::Tools) {
            return if self.same_tools() { BreakCause::ToolsMove { to: tools_to } } else { BreakCause::ToolsChange };
        }
        if sections.contains(&Section::Settings) {
            let same = self.same_settings();
            return if same { BreakCause::SettingsMove { to: tools_to } } else { BreakCause::SettingsChange };
        }
        let (Some((index, one)), Some((other_index, other))) = (earlier.turn(), whole.turn()) else {
            return BreakCause::Shorter;
        };
        let is_left_out = self.whole.turns.get(index).is_some_and(|turn| self.whole.is_old_tool_turn(index, turn));
        let carry_system = (self.earlier.system_turn == Some(index), self.whole.system_turn == Some(other_index));
        if is_left_out {
            BreakCause::ToolTurnsDropped
        } else if carry_system.0 != carry_system.1 && systems(self.whole.chat).next().is_some() {
            BreakCause::SystemMoves { to: system_to }
        } else if carry_system == (true, true) && !self.same_systems() {
            BreakCause::SystemChanges
        } else if (one.role, other.role) == (Role::Tool, Role::Tool) && one.messages != other.messages {
            BreakCause::ResultsReordered
        } else if one.role == other.role && one.messages.end < other.messages.end {
            BreakCause::TurnGoesOn { role: one.role }
        } else {
            BreakCause::MessageChanges
        }
    }
}

fn messages<'c, 'a>(
    conversation: &CheckedChat<'c, 'a>,
    turn: &Turn,
) -> impl Iterator<Item = &'c Message<'a>> + use<'c, 'a> {
    conversation.messages(turn).map(|(_, message)| message)
}

fn systems<'c, 'a>(chat: &'c Chat<'a>) -> impl Iterator<Item = &'c Message<'a>> {
    chat.messages.iter().filter(|message| message.role() == Role::System)
}

/// What a segment belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Tools,
    Settings,
    Turn,
}

/// A conversation that is written turn by turn.
struct Side<'r> {
    conversation: &'r CheckedChat<'r, 'r>,
    next: usize,
    /// The turn before `next`.
    prompt: Prompt,
    count: usize,
    /// How many of the turn's segments were taken.
    taken: usize,
}

impl<'r> Side<'r> {
    fn new(conversation: &'r CheckedChat<'r, 'r>, next: usize) -> Self {
        Side { conversation, next, prompt: Prompt::new(), count: 0, taken: 0 }
    }

    fn is_left(&self) -> bool {
        self.taken < self.count
    }

    /// Writes turns until some segment is left; says whether one is.
    fn fill(&mut self) -> bool {
        while !self.is_left() {
            if !self.write() {
                return false;
            }
        }
        true
    }

    /// Writes the next turn, if there is one.
    fn write(&mut self) -> bool {
        let CheckedChat { layout, turns, .. } = self.conversation;
        let Some(turn) = turns.get(self.next) else { return false };
        let mut writer = Writer::of_layout(&mut self.prompt, layout);
        self.conversation.turn(&mut writer, self.next, turn);
        (self.count, self.taken) = (self.prompt.segments().count(), 0);
        self.next += 1;
        true
    }

    fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.prompt.runs_from(Place::default()).skip(self.taken)
    }

    /// How many of the next segments are the same on both sides.
    fn common(&self, other: &Side<'_>) -> usize {
        self.runs().zip(other.runs()).take_while(|(one, other)| one.same_as(other)).count()
    }

    fn turn(&self) -> Option<(usize, &Turn)> {
        let index = self.next.checked_sub(1).filter(|_| self.is_left())?;
        Some((index, self.conversation.turns.get(index)?))
    }

    /// What the next segment belongs to.
    fn section(&self) -> Section {
        let mut section = Section::Turn;
        for segment in self.prompt.segments().take(self.taken + usize::from(self.is_left())) {
            section = match segment {
                Segment::Control(Control::AvailableTools) => Section::Tools,
                Segment::Control(Control::ModelSettings) => Section::Settings,
                Segment::Control(_) => Section::Turn,
                Segment::Text(_) | Segment::Media(_) => section,
            };
        }
        section
    }
}
