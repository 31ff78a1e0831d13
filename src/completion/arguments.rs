//! The arguments of one call: JSON text in pieces in, the same text out, and what is wrong with it.

use super::delta::Queue;
use super::fault::{Faults, Json, Rank, field_path};
use super::scanner::{Kind, Mark, Scanner};
use super::unescape::Unescape;
use crate::error::ErrorKind;

/// Where arguments and their faults go.
pub(super) struct Sink<'o> {
    pub(super) index: usize,
    pub(super) out: &'o mut Queue,
    pub(super) faults: &'o mut Faults,
}

impl Sink<'_> {
    fn give(&mut self, text: Option<&str>) {
        self.out.arguments(self.index, text.unwrap_or_default());
    }

    fn note(&mut self, rank: Rank, kind: ErrorKind) {
        self.faults.note(rank, kind, field_path(self.index, "arguments"));
    }
}

/// Checks arguments and gives them out as they are, without the white space around them.
///
/// A string is given as what it says, and `null` as `{}`: that is what both stand for.
#[derive(Debug)]
pub(super) struct Arguments {
    scanner: Scanner,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// Nothing yet but white space.
    Before,
    /// Text that is given as it is.
    Raw,
    /// The inside of a string.
    String(Unescape),
    /// So many bytes of `null`.
    Null(usize),
    /// The value is complete.
    Complete,
    /// What is no JSON is given as it is, for whoever can make something of it.
    Broken,
    /// What is no JSON, but comes after a value or in a string, is left out.
    Dropped,
}

impl Arguments {
    pub(super) fn new() -> Self {
        Arguments { scanner: Scanner::new(), form: Form::Before }
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn push(&mut self, text: &str, offset: usize, sink: &mut Sink<'_>) {
        match self.form {
            Form::Broken => return sink.give(Some(text)),
            Form::Dropped => return,
            _ => {}
        }
        let bytes = text.as_bytes();
        // `given` is where text begins that is to be given as it is.
        let (mut at, mut given) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            let run = self.scanner.plain_run(bytes.get(at..).unwrap_or_default());
            if run > 0 {
                self.inside(text.get(at..at + run), sink);
                at += run;
                continue;
            }
            let mark = match self.scanner.step(byte) {
                Ok(mark) => mark,
                Err(fault) => {
                    sink.note(Rank::Syntax, Json::Arguments.error(fault, offset + at));
                    return self.broken(text, given, at, sink);
                }
            };
            let outside = self.scanner.depth() == 0;
            match (self.form, mark) {
                (Form::Before, Mark::Begin(kind)) => {
                    given = at;
                    self.form = form_of(kind, byte);
                    if let (Form::Raw, false) = (self.form, kind == Kind::Object) {
                        sink.note(Rank::Type, ErrorKind::CallArgumentsType { offset: offset + at });
                    }
                }
                (Form::Raw, Mark::Gap) if outside => self.complete(text.get(given..at), sink),
                (Form::Raw, Mark::End) if outside => self.complete(text.get(given..=at), sink),
                (Form::String(_), Mark::Inside) => self.inside(text.get(at..=at), sink),
                (Form::String(_), Mark::End) => self.complete(None, sink),
                (Form::Null(_), Mark::End) => self.complete(Some("{}"), sink),
                (Form::Null(held), _) => self.form = Form::Null(held + 1),
                _ => {}
            }
            at += 1;
        }
        if let Form::Raw = self.form {
            sink.give(text.get(given..));
        }
    }

    /// Ends the text at `offset`.
    pub(super) fn finish(&mut self, offset: usize, sink: &mut Sink<'_>) {
        if matches!(self.form, Form::Broken | Form::Dropped) {
            return;
        }
        if let Err(fault) = self.scanner.finish() {
            sink.note(Rank::Syntax, Json::Arguments.error(fault, offset));
        }
        if let Form::String(_) = self.form {
            self.complete(None, sink);
        }
    }

    /// Text inside of a string; of a container's strings nothing is to be done.
    fn inside(&mut self, source: Option<&str>, sink: &mut Sink<'_>) {
        if let Form::String(decoder) = &mut self.form {
            let mut decoded = String::new();
            decoder.push(source.unwrap_or_default(), &mut decoded);
            sink.give(Some(&decoded));
        }
    }

    fn complete(&mut self, last: Option<&str>, sink: &mut Sink<'_>) {
        if let Form::String(decoder) = &mut self.form {
            let mut decoded = String::new();
            decoder.finish(&mut decoded);
            sink.give(Some(&decoded));
        }
        sink.give(last);
        self.form = Form::Complete;
    }

    fn broken(&mut self, text: &str, given: usize, at: usize, sink: &mut Sink<'_>) {
        let form = std::mem::replace(&mut self.form, Form::Broken);
        match form {
            Form::Raw => sink.give(text.get(given..)),
            Form::Before => sink.give(text.get(at..)),
            Form::Null(held) => {
                sink.give("null".get(..held));
                sink.give(text.get(at..));
            }
            Form::String(_) | Form::Complete | Form::Broken | Form::Dropped => {
                self.form = form;
                self.complete(None, sink);
                self.form = Form::Dropped;
            }
        }
    }
}

fn form_of(kind: Kind, first: u8) -> Form {
    match kind {
        Kind::String => Form::String(Unescape::default()),
        Kind::Word if first == b'n' => Form::Null(1),
        Kind::Object | Kind::Array | Kind::Key | Kind::Number | Kind::Word => Form::Raw,
    }
}
