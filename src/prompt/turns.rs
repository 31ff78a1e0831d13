//! [`TurnWriter`]: questions and replies by turns into a [`Prompt`], each of them one text in its frame.

use super::{Body, Form, Origin, Piece, Prompt};
use crate::chat::Role;
use crate::control::Control;
use crate::layout::{Frame, Layout, Mark, WordStart};

/// What stands between the texts of questions and replies by turns: each time the same marks, put together once.
pub(crate) struct Joints<'l> {
    layout: &'l Layout,
    /// The end of a reply and the beginning of a question, then the end of a question and the beginning of a reply.
    text: String,
    /// Where the beginning of a question begins, the second joint, and the beginning of a reply.
    places: [usize; 3],
}

impl<'l> Joints<'l> {
    /// The joints of a layout, using the memory of `text`.
    pub(crate) fn new(layout: &'l Layout, mut text: String) -> Self {
        text.clear();
        append(layout.reply.close, &mut text);
        let question = text.len();
        begin(layout.user.open, layout.word_start, &mut text);
        let second = text.len();
        append(layout.user.close, &mut text);
        let reply = text.len();
        begin(layout.reply.open, layout.word_start, &mut text);
        Joints { layout, text, places: [question, second, reply] }
    }

    pub(crate) fn into_buffer(self) -> String {
        self.text
    }
}

/// Writes a question, and then replies and questions by turns; each is a text that is not empty.
pub(crate) struct TurnWriter<'p, 'j> {
    prompt: &'p mut Prompt,
    layout: &'j Layout,
    /// What the first question begins with.
    open: &'j str,
    user: Side<'j>,
    reply: Side<'j>,
}

/// How the turns of one role are written.
struct Side<'j> {
    /// The end of the turn before and the beginning of such a one.
    lead: &'j str,
    close: &'j str,
    form: Form,
}

impl<'p, 'j> TurnWriter<'p, 'j> {
    /// A writer that goes on where the prompt ends.
    pub(crate) fn going_on(prompt: &'p mut Prompt, joints: &'j Joints<'_>) -> Self {
        let Joints { layout, ref text, places: [question, second, reply] } = *joints;
        let part = |range| text.get(range).unwrap_or_default();
        let user = Side {
            lead: part(0..second),
            close: part(second..reply),
            form: form(Role::User, &layout.user, layout.word_start),
        };
        let reply = Side {
            lead: part(second..text.len()),
            close: part(0..question),
            form: form(Role::Assistant, &layout.reply, layout.word_start),
        };
        TurnWriter { prompt, layout, open: part(question..second), user, reply }
    }

    /// The beginning of the first question.
    pub(crate) fn begin(&mut self) {
        self.prompt.text.push_str(self.open);
    }

    /// The end of a reply and the beginning of the next question.
    #[inline]
    pub(crate) fn go_on(&mut self) {
        self.prompt.text.push_str(self.user.lead);
    }

    /// The text of a question that has begun.
    #[inline]
    pub(crate) fn question(&mut self, index: usize, text: &str) {
        self.prompt.text.push_str(text);
        self.record(index, self.user.close.len(), self.user.form);
    }

    /// A reply, which follows a question.
    #[inline]
    pub(crate) fn reply(&mut self, index: usize, text: &str) {
        self.prompt.text.push_str(self.reply.lead);
        self.prompt.text.push_str(text);
        self.record(index, self.reply.close.len(), self.reply.form);
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
                let end = self.prompt.text.len() - self.layout.word_start.printed().len();
                self.record_until(end, index, Form { body: Body::Nothing, ..open });
            }
            Mark::Text("") => {}
            Mark::Text(_) => {
                self.record(index, 0, open);
                body = Body::Rest;
            }
        }
        for (index, before, system) in systems {
            self.prompt.text.push_str(before);
            self.prompt.text.push_str(system);
            self.record(index, 0, Form { role: Some(Role::System), open: None, body, close: None });
            body = Body::Rest;
        }
        self.prompt.text.push_str(join);
        if let Some(last) = self.prompt.pieces.last_mut() {
            last.end = self.prompt.text.len();
        }
        self.prompt.text.push_str(text);
        self.record(index, self.user.close.len(), Form { open: None, body: Body::Rest, ..question });
    }

    /// Ends the last turn, which is of this role.
    pub(crate) fn end(self, last: Role) {
        self.prompt.text.push_str(if last == Role::User { self.user.close } else { self.reply.close });
    }

    /// Takes what was written since the last piece into a new one, with so many bytes that are yet to come.
    #[inline]
    fn record(&mut self, index: usize, to_come: usize, form: Form) {
        self.record_until(self.prompt.text.len() + to_come, index, form);
    }

    #[inline]
    fn record_until(&mut self, end: usize, index: usize, form: Form) {
        self.prompt.pieces.push(Piece { end, message: Origin::message(index, Role::User).message, form });
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

fn append(mark: Mark, out: &mut String) {
    match mark {
        Mark::Control(control) => control.append_to(out),
        Mark::Text(text) => out.push_str(text),
    }
}

/// The beginning of a turn: of text, all is one run.
fn begin(open: Mark, word_start: WordStart, out: &mut String) {
    match (open, word_start) {
        (Mark::Control(_), WordStart::Space) => {
            append(open, out);
            out.push(' ');
        }
        (Mark::Text(_), WordStart::Space) => {
            out.push(' ');
            append(open, out);
        }
        (_, WordStart::Nothing) => append(open, out),
    }
}
