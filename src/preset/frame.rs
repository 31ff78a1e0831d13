//! [`Frame`]: what stands before and after a message, by who speaks and where.

use super::fields::InstructPreset;
use super::history::Position;
use super::scene::Speaker;
use super::sequence::{Part, Sequence};
use crate::control::Control;
use crate::prompt::Enclosed;

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

/// The frame of a message that is one run of text between control tokens, all of it the message's own.
fn enclosed(before: &Sequence, after: &Sequence, speaker: Speaker, wraps: bool) -> Option<Enclosed> {
    let one = |sequence: &Sequence| {
        let mut parts = sequence.said.parts().chain(sequence.rest.parts());
        let one = parts.next().filter(|_| parts.next().is_none());
        if let Some(Part::Control(control)) = one { Some(control) } else { None }
    };
    let close = one(after)?;
    let mut parts = before.said.parts().chain(before.rest.parts()).peekable();
    let open = match parts.peek() {
        Some(Part::Control(control)) => Some(*control),
        _ => None,
    };
    let mut lead = String::new();
    for part in parts.skip(usize::from(open.is_some())) {
        let Part::Text(text) = part else { return None };
        lead.push_str(text);
    }
    if wraps && !before.is_empty() {
        lead.push('\n');
    }
    let is_own = match speaker {
        Speaker::Character => open.is_none() && lead.trim().is_empty() && close == Control::Eos,
        Speaker::User | Speaker::Narrator => true,
    };
    is_own.then(|| Enclosed::new(open, &lead, close))
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
pub(super) fn frame_texts(instruct: &InstructPreset, speaker: Speaker, position: Position) -> (&str, &str) {
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
