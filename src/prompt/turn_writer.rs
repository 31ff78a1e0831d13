//! [`TurnWriter`]: questions and replies by turns into a [`Prompt`], each of them one text in its frame.

use std::iter::zip;

use super::{Body, Form, Origin, Piece, Prompt};
use crate::chat::Role;
use crate::control::Control;
use crate::layout::{Frame, Layout, Mark, WordStart};

/// What stands between the texts of questions and replies by turns: each time the same marks, put together once.
///
/// A prompt keeps them, for it is mostly used again for the same layout.
#[derive(Clone, Default)]
pub(crate) struct Joints {
    /// What they are put together from: the marks around questions and replies, and how a run begins.
    of: Option<([Mark; 4], WordStart)>,
    user: Side<String>,
    reply: Side<String>,
}

/// How the turns of one role are written.
#[derive(Clone, Copy, Default)]
struct Side<T> {
    /// The end of the turn before and the beginning of such a one.
    lead: T,
    /// How many bytes end such a turn: those that the other role's lead begins with.
    close: usize,
    form: Form,
}

impl Joints {
    /// Makes these the joints of a layout.
    #[inline]
    fn fit(&mut self, layout: &Layout) {
        let marks = [layout.user.open, layout.user.close, layout.reply.open, layout.reply.close];
        let fit = |(kept, start)| start == layout.word_start && zip(kept, marks).all(|(one, other)| same(one, other));
        if !self.of.is_some_and(fit) {
            self.of = Some((marks, layout.word_start));
            self.put_together(layout);
        }
    }

    #[cold]
    fn put_together(&mut self, layout: &Layout) {
        self.user.put_together(Role::User, layout.reply, layout.user, layout.word_start);
        self.reply.put_together(Role::Assistant, layout.user, layout.reply, layout.word_start);
    }
}

/// Are two marks the same? Texts are so in the same place: a look at it is all that this may cost.
fn same(one: Mark, other: Mark) -> bool {
    match (one, other) {
        (Mark::Control(one), Mark::Control(other)) => one == other,
        (Mark::Text(one), Mark::Text(other)) => std::ptr::eq(one, other),
        _ => false,
    }
}

impl Side<String> {
    fn put_together(&mut self, role: Role, before: Frame, frame: Frame, word_start: WordStart) {
        self.lead.clear();
        self.lead.push_str(before.close.as_str());
        begin(frame.open, word_start, &mut self.lead);
        self.close = frame.close.as_str().len();
        self.form = form(role, &frame, word_start);
    }

    fn borrowed(&self) -> Side<&str> {
        Side { lead: &self.lead, close: self.close, form: self.form }
    }
}

/// Appends a text: of known length in each arm but the last, which spares the call that a copy of any length is.
macro_rules! push_short {
    ($out:expr, $text:expr, $($length:literal)|+) => {
        match $text.len() {
            $($length => $out.push_str($text),)+
            _ => $out.push_str($text),
        }
    };
}

/// Writes a question, and then replies and questions by turns; each is a text that is not empty.
pub(crate) struct TurnWriter<'p> {
    text: &'p mut String,
    pieces: &'p mut Vec<Piece>,
    layout: &'p Layout,
    user: Side<&'p str>,
    reply: Side<&'p str>,
}

impl<'p> TurnWriter<'p> {
    /// A writer that goes on where the prompt ends.
    #[inline]
    pub(crate) fn going_on(prompt: &'p mut Prompt, layout: &'p Layout) -> Self {
        let Prompt { text, pieces, joints, .. } = prompt;
        let joints = joints.get_or_insert_default();
        joints.fit(layout);
        TurnWriter { text, pieces, layout, user: joints.user.borrowed(), reply: joints.reply.borrowed() }
    }

    /// The beginning of the first question.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.text.push_str(self.user.lead.get(self.reply.close..).unwrap_or_default());
    }

    /// The end of a reply and the beginning of the next question.
    #[inline]
    pub(crate) fn go_on(&mut self) {
        push_short!(self.text, self.user.lead, 10 | 11 | 12);
    }

    /// The text of a question that has begun.
    #[inline]
    pub(crate) fn question(&mut self, index: usize, text: &str) {
        self.text.push_str(text);
        self.record(index, self.user.close, self.user.form);
    }

    /// A reply, which follows a question.
    #[inline]
    pub(crate) fn reply(&mut self, index: usize, text: &str) {
        push_short!(self.text, self.reply.lead, 7 | 8 | 9);
        self.text.push_str(text);
        self.record(index, self.reply.close, self.reply.form);
    }

    /// The text of a question that has begun, behind texts of system messages, all in one run: each of these by its
    /// index, with what stands before it. `join` stands before the question's own text.
    pub(crate) fn question_after<'t>(
        &mut self,
        systems: impl Iterator<Item = (usize, &'t str, &'t str)>,
        join: &str,
        (index, text): (usize, &str),
    ) {
        let question = self.user.form;
        let open = Form { close: None, ..question };
        let mut body = question.body;
        match self.layout.user.open {
            Mark::Control(_) => {
                // The space that was written with it belongs to the run.
                let end = self.text.len() - self.layout.word_start.printed().len();
                self.record_until(end, index, Form { body: Body::Nothing, ..open });
            }
            Mark::Text("") => {}
            Mark::Text(_) => {
                self.record(index, 0, open);
                body = Body::Rest;
            }
        }
        for (index, before, system) in systems {
            self.text.push_str(before);
            self.text.push_str(system);
            self.record(index, 0, Form { role: Some(Role::System), open: None, body, close: None });
            body = Body::Rest;
        }
        self.text.push_str(join);
        if let Some(last) = self.pieces.last_mut() {
            last.end = self.text.len();
        }
        self.text.push_str(text);
        self.record(index, self.user.close, Form { open: None, body: Body::Rest, ..question });
    }

    /// A whole turn by itself: a question, or else a reply.
    #[inline]
    pub(crate) fn turn(&mut self, role: Role, index: usize, text: &str) {
        let (own, other) = match role {
            Role::User => (self.user, self.reply),
            Role::System | Role::Assistant | Role::Tool => (self.reply, self.user),
        };
        self.text.push_str(own.lead.get(other.close..).unwrap_or_default());
        self.text.push_str(text);
        self.text.push_str(other.lead.get(..own.close).unwrap_or_default());
        self.record(index, 0, own.form);
    }

    /// Ends the last turn, which is of this role.
    #[inline]
    pub(crate) fn end(self, last: Role) {
        let (lead, close) = match last {
            Role::User => (self.reply.lead, self.user.close),
            Role::System | Role::Assistant | Role::Tool => (self.user.lead, self.reply.close),
        };
        self.text.push_str(lead.get(..close).unwrap_or_default());
    }

    /// Takes what was written since the last piece into a new one, with that many bytes yet to come.
    #[inline]
    fn record(&mut self, index: usize, to_come: usize, form: Form) {
        self.record_until(self.text.len() + to_come, index, form);
    }

    #[inline]
    fn record_until(&mut self, end: usize, index: usize, form: Form) {
        self.pieces.push(Piece { end, message: Origin::message(index, Role::User).message, form });
    }
}

fn form(role: Role, frame: &Frame, word_start: WordStart) -> Form {
    Form { role: Some(role), open: control(frame.open), body: Body::run(word_start), close: control(frame.close) }
}

const fn control(mark: Mark) -> Option<Control> {
    match mark {
        Mark::Control(control) => Some(control),
        Mark::Text(_) => None,
    }
}

/// The beginning of a turn: of text, all is one run.
fn begin(open: Mark, word_start: WordStart, out: &mut String) {
    match (open, word_start) {
        (Mark::Control(_), WordStart::Space) => {
            out.push_str(open.as_str());
            out.push(' ');
        }
        (Mark::Text(_), WordStart::Space) => {
            out.push(' ');
            out.push_str(open.as_str());
        }
        (_, WordStart::Nothing) => out.push_str(open.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joints_are_kept_for_one_layout_and_put_together_for_another() {
        for (layout, other) in
            [(Layout::V1, Layout::V1_TEKKEN), (Layout::V3, Layout::V1), (Layout::V7, Layout::V3_TEKKEN)]
        {
            let mut joints = Joints::default();
            joints.fit(&layout);
            joints.user.lead.push_str("kept");
            joints.fit(&layout);
            assert!(joints.user.lead.ends_with("kept"), "{}", layout.name);
            joints.fit(&other);
            assert!(!joints.user.lead.ends_with("kept"), "{} after {}", other.name, layout.name);
        }
    }
}
