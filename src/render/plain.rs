//! A [`Chat`] of texts alone into a [`Prompt`], checked and written in one pass: most chats are no more than that.
//!
//! By turns, the same chat of 8 KB takes 1.6 to 1.9 times as long: on Tekken layouts more than 1.3 times the limit
//! (`native/limit` in `benches/README.md`), which this way keeps.

use super::MESSAGE_JOIN;
use crate::chat::{Chat, Message, ResponseFormat, Role, Turn, plain_text};
use crate::control::Control;
use crate::layout::{Layout, UserTurn};
use crate::prompt::{Origin, Prompt, TurnWriter, Writer};
use crate::render::CheckedChat;
use crate::render::check::check_plain;

/// Renders a plain chat: system messages, then questions and replies by turns, each of them a text, and no tools. Nothing
/// in such a chat can be wrong but who is last.
///
/// `None` if the chat is not plain, or wrong: it is to be rendered the long way, which also reports what is wrong.
pub(super) fn render(chat: &Chat<'_>, layout: &Layout, prompt: &mut Prompt) -> Option<()> {
    let plain = Plain::of(chat, layout)?;
    let mut writer = Writer::of_layout(prompt, layout);
    writer.control(Control::Bos);
    plain.write_before_turns(&mut writer);
    let written = plain.write_turns(TurnWriter::going_on(prompt, layout));
    prompt.stop_at(layout.reply.close.as_str());
    written
}

/// Writes a question or a reply that is a text alone and carries nothing, behind the turns before it; says whether it did.
pub(crate) fn write_turn(conversation: &CheckedChat<'_, '_>, index: usize, turn: &Turn, prompt: &mut Prompt) -> bool {
    let CheckedChat { chat, layout, tools_turn, system_turn, .. } = conversation;
    let is_one = matches!(turn.role, Role::User | Role::Assistant) && turn.messages.len() == 1;
    let carries = *tools_turn == Some(index) || *system_turn == Some(index);
    let message = chat.messages.get(turn.messages.start).filter(|_| is_one && !carries && !turn.dropped);
    let Some(text) = message.and_then(|message| written_text(layout, message, turn.role)) else { return false };
    TurnWriter::going_on(prompt, layout).turn(turn.role, turn.messages.start, text);
    true
}

/// The text of a turn as it is written; a frame around nothing is written otherwise.
#[inline]
fn written_text<'m>(layout: &Layout, message: &'m Message<'_>, role: Role) -> Option<&'m str> {
    let mut text = plain_text(message, role)?;
    if layout.trim_reply && role == Role::Assistant && text.ends_with(' ') {
        text = text.trim_end_matches(' ');
    }
    (!text.is_empty()).then_some(text)
}

/// A chat that is plain as far as its ends tell.
struct Plain<'c, 'a> {
    chat: &'c Chat<'a>,
    layout: &'c Layout,
    /// The system messages, and what comes after them.
    systems: &'c [Message<'a>],
    turns: &'c [Message<'a>],
    /// The question that says the system prompt first, and what stands between the two.
    carrier: Option<(usize, &'static str)>,
}

impl<'c, 'a> Plain<'c, 'a> {
    fn of(chat: &'c Chat<'a>, layout: &'c Layout) -> Option<Self> {
        let is_bare = chat.tools.is_empty() && !matches!(chat.response_format, ResponseFormat::JsonSchema(_));
        let has_late_block = layout.settings.block().is_some() && layout.tools.is_some_and(UserTurn::is_last);
        if !is_bare || has_late_block || check_plain(chat, layout).is_err() {
            return None;
        }
        let first = chat.messages.iter().position(|message| message.role() != Role::System)?;
        let (systems, turns) = chat.messages.split_at_checked(first)?;
        // The last message is a question, or the reply to it.
        let last = turns.len().checked_sub(1)? & !1;
        let carrier =
            layout.system.in_user().filter(|_| !systems.is_empty()).map(|(turn, join)| (turn.of(0, last), join));
        let is_text = |message| plain_text(message, Role::System).is_some_and(|text| !text.is_empty());
        systems.iter().all(is_text).then_some(Plain { chat, layout, systems, turns, carrier })
    }

    /// The system messages that are turns of their own, and the settings.
    fn write_before_turns(&self, writer: &mut Writer<'_>) {
        if let Some(frame) = self.layout.system.own_turn() {
            for (index, text) in self.system_texts() {
                let from = writer.place();
                writer.from(Origin::message(index, Role::System));
                writer.mark(frame.open);
                writer.text(text);
                writer.mark(frame.close);
                writer.end_turn(from);
            }
        }
        if let (Some(_), Some(_)) = (self.layout.settings.block(), self.layout.tools) {
            CheckedChat::of_turns(self.chat, self.layout, Vec::new(), None).settings(writer);
        }
    }

    fn write_turns(&self, mut writer: TurnWriter<'_>) -> Option<()> {
        let (first, later) = self.turns.split_first()?;
        writer.begin();
        let later = match self.carrier {
            Some((0, join)) => {
                self.write_carrier(0, join, first, &mut writer)?;
                later
            }
            Some((carrier, join)) => {
                writer.question(self.systems.len(), self.text(first, Role::User)?);
                let (before, rest) = later.split_at_checked(carrier - 1)?;
                let (question, after) = rest.split_first()?;
                self.write_pairs(1, before, &mut writer)?;
                writer.go_on();
                self.write_carrier(carrier, join, question, &mut writer)?;
                after
            }
            None => {
                writer.question(self.systems.len(), self.text(first, Role::User)?);
                later
            }
        };
        // Mostly, the question that carries the system prompt is the last turn.
        if !later.is_empty() {
            self.write_pairs(self.turns.len() - later.len(), later, &mut writer)?;
        }
        writer.end(self.turns.last()?.role());
        Some(())
    }

    /// Writes a reply and a question each time, of which the last may lack. Most of rendering is here.
    #[inline(never)]
    fn write_pairs(&self, from: usize, turns: &[Message<'_>], writer: &mut TurnWriter<'_>) -> Option<()> {
        let mut index = self.systems.len() + from;
        let mut turns = turns.iter();
        while let Some(reply) = turns.next() {
            writer.reply(index, self.text(reply, Role::Assistant)?);
            let Some(question) = turns.next() else { break };
            writer.go_on();
            writer.question(index + 1, self.text(question, Role::User)?);
            index += 2;
        }
        Some(())
    }

    /// Writes the question that says the system prompt first.
    fn write_carrier(
        &self,
        carrier: usize,
        join: &str,
        question: &Message<'_>,
        writer: &mut TurnWriter<'_>,
    ) -> Option<()> {
        let question = (self.systems.len() + carrier, self.text(question, Role::User)?);
        let before = |index| if index == 0 { "" } else { MESSAGE_JOIN };
        let systems = self.system_texts().map(|(index, text)| (index, before(index), text));
        writer.question_after(systems, join, question);
        Some(())
    }

    fn system_texts(&self) -> impl Iterator<Item = (usize, &'c str)> {
        let texts = self.systems.iter().filter_map(|message| plain_text(message, Role::System));
        texts.enumerate()
    }

    #[inline]
    fn text<'m>(&self, message: &'m Message<'_>, role: Role) -> Option<&'m str> {
        written_text(self.layout, message, role)
    }
}
