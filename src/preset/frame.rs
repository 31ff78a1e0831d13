//! [`Frame`]: what stands before and after a message, by who speaks and where.

use super::compiled::{Part, Sequence};
use super::fields::Instruct;
use super::history::Position;
use super::scene::Speaker;
use crate::control::Control;
use crate::prompt::{Enclosed, Stretch};

/// What stands before and after a message.
#[derive(Clone, Default)]
pub(super) struct Frame {
    pub(super) before: Sequence,
    pub(super) after: Sequence,
    /// The same, where a message in it can be written at once.
    pub(super) enclosed: Option<Enclosed>,
}

impl Frame {
    pub(super) fn new(before: Sequence, after: Sequence, speaker: Speaker, wraps: bool) -> Self {
        let enclosed = enclosed(&before, &after, speaker, wraps);
        Frame { before, after, enclosed }
    }
}

/// The frame of a message whose text a control token ends: most are little else.
fn enclosed(before: &Sequence, after: &Sequence, speaker: Speaker, wraps: bool) -> Option<Enclosed> {
    let is_reply = speaker == Speaker::Character;
    let mut ends = after.said.parts().chain(after.rest.parts());
    let Some(Part::Control(close)) = ends.next() else { return None };
    let mut tail = Stretch::default();
    for part in ends {
        match part {
            Part::Control(control) => tail.push_control(control),
            Part::Text(text) => tail.push_text(text),
            Part::Place(_) => return None,
        }
    }
    let (mut lead, mut open) = (String::new(), None);
    for part in before.said.parts().chain(before.rest.parts()) {
        match part {
            Part::Control(control) if lead.is_empty() => {
                control.append_to(&mut lead);
                open = Some(control);
            }
            Part::Text(text) => lead.push_str(text),
            Part::Control(_) | Part::Place(_) => return None,
        }
    }
    if wraps && !before.is_empty() {
        lead.push('\n');
    }
    // What stands before a reply belongs to it where it is blank alone; what stands after it, down to the end token.
    let is_own = !is_reply || (open.is_none() && lead.trim().is_empty() && close == Control::Eos);
    is_own.then_some(Enclosed { lead, open, close, tail, is_said_apart: is_reply })
}

/// The frames of one chat.
#[derive(Clone, Default)]
pub(super) struct Frames {
    pub(super) user: [Frame; 3],
    pub(super) character: [Frame; 3],
    pub(super) narrator: Frame,
}

impl Frames {
    #[inline]
    pub(super) fn of(&self, speaker: Speaker, position: Position) -> &Frame {
        let ([middle, first, last], position) = match speaker {
            Speaker::User => (&self.user, position),
            Speaker::Character => (&self.character, position),
            Speaker::Narrator => return &self.narrator,
        };
        match position {
            Position::Middle => middle,
            Position::First => first,
            Position::Last => last,
        }
    }
}

/// What stands before and after a message. An empty sequence for the first or the last is the usual one.
pub(super) fn frame_texts(instruct: &Instruct, speaker: Speaker, position: Position) -> (&str, &str) {
    fn or<'t>(text: &'t str, usual: &'t str) -> &'t str {
        if text.is_empty() { usual } else { text }
    }
    let (input, output) = (instruct.input_sequence.as_str(), instruct.output_sequence.as_str());
    match (speaker, position) {
        (Speaker::Narrator, _) if instruct.system_same_as_user => (input, &instruct.input_suffix),
        (Speaker::Narrator, _) => (&instruct.system_sequence, &instruct.system_suffix),
        (Speaker::User, Position::Middle) => (input, &instruct.input_suffix),
        (Speaker::User, Position::First) => (or(&instruct.first_input_sequence, input), &instruct.input_suffix),
        (Speaker::User, Position::Last) => (or(&instruct.last_input_sequence, input), &instruct.input_suffix),
        (Speaker::Character, Position::Middle) => (output, &instruct.output_suffix),
        (Speaker::Character, Position::First) => (or(&instruct.first_output_sequence, output), &instruct.output_suffix),
        (Speaker::Character, Position::Last) => (or(&instruct.last_output_sequence, output), &instruct.output_suffix),
    }
}
