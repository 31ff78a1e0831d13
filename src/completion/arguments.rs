//! The arguments of one call: JSON text in pieces in, the same text out, and what is wrong with it.

use super::fault::{Around, Faults, Rank, field_path};
use super::json::{Event, Json};
use super::liberty::{Leniency, LibertyKind};
use super::queue::{CallEnd, Queue};
use super::scanner::Kind;
use super::unescape::Unescape;
use super::wrapping::{Begun, Wrapping};
use crate::error::ErrorKind;

/// Where arguments and their faults go.
pub(super) struct Sink<'o> {
    index: usize,
    out: &'o mut Queue,
    faults: &'o mut Faults,
    /// Where all that is told of stands, if it is in the text of a string: behind escapes, it has no place of its own.
    string: Option<usize>,
}

impl<'o> Sink<'o> {
    pub(super) fn new(index: usize, out: &'o mut Queue, faults: &'o mut Faults) -> Self {
        Sink { index, out, faults, string: None }
    }

    fn give(&mut self, text: &str) {
        self.out.arguments(self.index, text);
    }

    fn note(&mut self, rank: Rank, kind: ErrorKind) {
        self.faults.note(rank, kind, field_path(self.index, "arguments"));
    }

    fn liberty(&mut self, kind: LibertyKind, offset: usize) {
        self.out.liberty(kind, field_path(self.index, "arguments"), self.string.unwrap_or(offset));
    }
}

/// Checks arguments and gives them out as they are, without the white space around them.
///
/// A string is given as what it says, and `null` as `{}`: that is what both stand for.
#[derive(Debug)]
pub(super) struct Arguments {
    json: Json,
    wrapping: Wrapping,
    value: Value,
}

#[derive(Debug)]
struct Value {
    leniency: Leniency,
    depth: Depth,
    form: Form,
    /// White space after the value.
    gap: String,
    /// What comes after the value, where it is for the caller: the reader is lenient.
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Outer,
    /// They are what a string says that begins here: whatever it is, the string is right.
    Nested(usize),
}

#[derive(Debug)]
enum Form {
    /// Nothing yet but white space.
    Before,
    /// Text that is given as it is.
    Raw,
    /// A string, and what it says, as arguments of their own where the reader is lenient.
    String(Unescape, Option<Box<Arguments>>),
    /// What is sent of a word once it is whole.
    Word(String),
    /// The value is complete.
    Complete,
    /// What is not JSON is given as it is, for a caller who can use it.
    Broken,
    /// What is not JSON, but comes after a value or in a string, is left over.
    Rest,
}

impl Arguments {
    pub(super) fn new(leniency: Leniency) -> Self {
        Arguments::at(Depth::Outer, leniency)
    }

    /// Arguments that a string says, which begins at `offset`: whatever they are, the string is right.
    pub(super) fn nested(leniency: Leniency, offset: usize) -> Self {
        Arguments::at(Depth::Nested(offset), leniency)
    }

    fn at(depth: Depth, leniency: Leniency) -> Self {
        let value = Value { leniency, depth, form: Form::Before, gap: String::new(), after: None };
        let wrapping = Wrapping::new(if depth == Depth::Outer { leniency } else { Leniency::Strict });
        Arguments { json: Json::new(leniency, 0), wrapping, value }
    }

    pub(super) fn in_string(&self) -> bool {
        self.json.in_string()
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.value.form, Form::Complete)
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn push(&mut self, text: &str, offset: usize, sink: &mut Sink<'_>) {
        let (mut text, mut offset) = (text, offset);
        if self.wrapping.is_before() {
            match self.wrapping.push(text, offset, |kind, offset| sink.liberty(kind, offset)) {
                Begun::Nothing => return,
                Begun::Value { rest, offset: begin } => (text, offset) = (rest, begin),
                Begun::Empty { rest, offset } => {
                    sink.liberty(LibertyKind::NoArguments, offset - 1);
                    sink.give("{}");
                    self.json.stop();
                    self.value.form = Form::Complete;
                    self.value.after = Some(rest.to_owned());
                    return;
                }
            }
            self.give_held(sink);
        }
        self.value_text(text, offset, sink);
    }

    /// What looked like a fence is part of the value.
    fn give_held(&mut self, sink: &mut Sink<'_>) {
        if let Some((held, offset)) = self.wrapping.take_held() {
            self.value_text(&held, offset, sink);
        }
    }

    fn value_text(&mut self, text: &str, offset: usize, sink: &mut Sink<'_>) {
        let Arguments { json, value, .. } = self;
        match &mut value.after {
            Some(after) => after.push_str(text),
            None => json.push(text, offset, |event| value.on(event, sink)),
        }
    }

    /// Takes more of what a string says. Faults are not reported: the string is right, whatever it says.
    pub(super) fn push_nested(&mut self, text: &str, sink: &mut Sink<'_>) {
        let mut faults = Faults::new("");
        let (Depth::Nested(offset), Sink { index, out, .. }) = (self.value.depth, sink) else { return };
        let mut sink = Sink { string: Some(offset), ..Sink::new(*index, out, &mut faults) };
        self.push(text, offset, &mut sink);
    }

    /// Gives the last of what a string says.
    pub(super) fn end_string(
        decoder: &mut Unescape,
        nested: Option<Box<Arguments>>,
        offset: usize,
        sink: &mut Sink<'_>,
    ) {
        let mut decoded = String::new();
        decoder.finish(&mut decoded);
        let Some(mut nested) = nested else { return sink.give(&decoded) };
        nested.push_nested(&decoded, sink);
        if nested.is_empty() {
            sink.liberty(LibertyKind::NoArguments, offset);
            sink.give("{}");
        }
        if let Some(after) = nested.take_after() {
            sink.give(&after);
        }
    }

    /// The text that comes after the arguments, where the reader is lenient.
    pub(super) fn take_after(&mut self) -> Option<String> {
        self.wrapping.take_after(&mut self.value.after)
    }

    /// Ends the text at `offset`. Says how the call ends.
    pub(super) fn finish(&mut self, offset: usize, end: End, sink: &mut Sink<'_>) -> CallEnd {
        self.give_held(sink);
        if let Some(after) = self.value.after.take() {
            // What follows the value is part of what may have ended its wrapping.
            sink.out.rest(after.trim());
        }
        let Arguments { json, value, .. } = self;
        if let Some(missing) = json.missing_ends().filter(|_| end == End::Sure) {
            sink.liberty(LibertyKind::MissingBracket, offset);
            json.push(&missing, offset, |event| value.on(event, sink));
        }
        let result = json.finish(offset, |event| value.on(event, sink));
        match (&mut value.form, result) {
            (Form::Before, Err(_)) if value.leniency == Leniency::Lenient && end == End::Sure => {
                sink.liberty(LibertyKind::NoArguments, offset);
                sink.give("{}");
                return CallEnd::Complete;
            }
            (Form::Word(word), _) => sink.give(&std::mem::take(word)),
            (Form::String(decoder, nested), _) => Arguments::end_string(decoder, nested.take(), offset, sink),
            _ => {}
        }
        if let Err(fault) = result {
            sink.note(Rank::Syntax, Around::Arguments.error(fault, offset));
        }
        match (&value.form, end) {
            (Form::Complete | Form::Rest, _) => CallEnd::Complete,
            (_, End::Sure) => CallEnd::Broken,
            (_, End::Unsure) => CallEnd::CutOff,
        }
    }

    /// Are they nothing but white space so far?
    fn is_empty(&self) -> bool {
        matches!(self.value.form, Form::Before)
    }
}

/// Is it sure that the model wrote all of a call that ends here?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Sure,
    /// The output may have been cut off.
    Unsure,
}

impl Value {
    fn on(&mut self, event: Event<'_>, sink: &mut Sink<'_>) {
        match event {
            Event::Begin { kind, first, offset, .. } => self.begin(kind, first, offset, sink),
            Event::Source(text) => self.source(text, sink),
            Event::End { offset, .. } => self.end(offset, sink),
            Event::Fault { fault, offset } => sink.note(Rank::Syntax, Around::Arguments.error(fault, offset)),
            Event::Liberty { kind, offset } => sink.liberty(kind, offset),
            Event::Lost { fault, offset } => {
                let is_after = matches!(self.form, Form::Complete) && self.leniency == Leniency::Lenient;
                if is_after {
                    self.after = Some(std::mem::take(&mut self.gap));
                    return;
                }
                sink.note(Rank::Syntax, Around::Arguments.error(fault, offset));
                self.form = match std::mem::replace(&mut self.form, Form::Broken) {
                    Form::Before | Form::Raw | Form::Broken => Form::Broken,
                    Form::Word(word) => {
                        sink.give(&word);
                        Form::Broken
                    }
                    Form::String(mut decoder, mut nested) => {
                        Arguments::end_string(&mut decoder, nested.take(), offset, sink);
                        Form::Rest
                    }
                    Form::Complete | Form::Rest => {
                        sink.out.rest(&std::mem::take(&mut self.gap));
                        Form::Rest
                    }
                };
            }
            Event::More(text) => match (&mut self.after, &self.form) {
                (Some(after), _) => after.push_str(text),
                (None, Form::Rest) => sink.out.rest(text),
                (None, _) => sink.give(text),
            },
        }
    }

    fn begin(&mut self, kind: Kind, first: u8, offset: usize, sink: &mut Sink<'_>) {
        let is_none = first == b'n' || (first == b'N' && self.leniency == Leniency::Lenient);
        self.form = match kind {
            Kind::Object => Form::Raw,
            Kind::String if self.depth == Depth::Outer => {
                let is_lenient = self.leniency == Leniency::Lenient;
                if is_lenient {
                    sink.liberty(LibertyKind::ArgumentsText, offset);
                }
                let nested = is_lenient.then(|| Box::new(Arguments::nested(self.leniency, offset)));
                Form::String(Unescape::default(), nested)
            }
            Kind::Word if is_none => Form::Word(String::new()),
            Kind::Array | Kind::Key | Kind::String | Kind::Number | Kind::Word => {
                sink.note(Rank::Type, ErrorKind::CallArgumentsType { offset });
                Form::Raw
            }
        };
    }

    fn source(&mut self, text: &str, sink: &mut Sink<'_>) {
        match &mut self.form {
            Form::Before => {}
            Form::Raw | Form::Broken => sink.give(text),
            Form::String(decoder, nested) => {
                let mut decoded = String::new();
                decoder.push(text, &mut decoded);
                match nested {
                    Some(nested) => nested.push_nested(&decoded, sink),
                    None => sink.give(&decoded),
                }
            }
            Form::Word(word) => word.push_str(text),
            Form::Complete => self.gap.push_str(text),
            Form::Rest => sink.out.rest(text),
        }
    }

    fn end(&mut self, offset: usize, sink: &mut Sink<'_>) {
        match std::mem::replace(&mut self.form, Form::Complete) {
            Form::Word(word) if word == "null" => sink.give("{}"),
            Form::Word(word) => {
                sink.note(Rank::Type, ErrorKind::CallArgumentsType { offset });
                sink.give(&word);
            }
            Form::String(mut decoder, mut nested) => Arguments::end_string(&mut decoder, nested.take(), offset, sink),
            _ => {}
        }
    }
}
