//! A JSON list of calls: text in pieces in; out comes each call's name, id and arguments, as soon as they are there.

use super::call::LONGEST_NAME;
use super::delta::{Queue, ToolCallDelta};
use super::fault::{Faults, Json, Rank, call_path, field_path};
use super::scanner::{Kind, Mark, Scanner};
use super::unescape::Unescape;
use crate::error::ErrorKind;

/// How many containers are open in the list, and in one of its calls.
const LIST: usize = 1;
const CALL: usize = 2;

/// A list of objects of `name`, `arguments` and perhaps `id`.
#[derive(Debug)]
pub(super) struct CallList {
    scanner: Scanner,
    /// Is it a list at all?
    is_list: bool,
    /// The call whose object is open.
    call: Option<OpenCall>,
    target: Target,
    /// How many calls the message has.
    pub(super) calls: usize,
    pub(super) faults: Faults,
    /// It is no JSON from here on.
    broken: bool,
}

/// A call whose object is open.
#[derive(Debug)]
struct OpenCall {
    offset: usize,
    index: usize,
    /// What was read and not given yet.
    held: ToolCallDelta,
    /// Was anything given?
    given: bool,
    /// Was part of the open string given?
    in_parts: bool,
    key: String,
    /// The fields that came, in the order of [`Field::ALL`].
    seen: [bool; 3],
    /// Where arguments begin that are no object.
    other_arguments: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Arguments,
    Id,
}

impl Field {
    const ALL: [Field; 3] = [Field::Name, Field::Arguments, Field::Id];

    const fn as_str(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Arguments => "arguments",
            Field::Id => "id",
        }
    }
}

/// What the bytes that come are of.
#[derive(Clone, Copy, Debug)]
enum Target {
    Nothing,
    Key(Unescape),
    /// A value that has not begun.
    Value(Field),
    String(Field, Unescape),
    Arguments(Kind),
}

impl CallList {
    /// A list for a message that has so many calls already.
    pub(super) fn new(calls: usize) -> Self {
        CallList {
            scanner: Scanner::new(),
            is_list: false,
            call: None,
            target: Target::Nothing,
            calls,
            faults: Faults::default(),
            broken: false,
        }
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn text(&mut self, text: &str, offset: usize, out: &mut Queue) {
        if self.broken {
            return;
        }
        let bytes = text.as_bytes();
        // `given` is where arguments begin that were not given yet.
        let (mut at, mut given) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            let run = self.scanner.plain_run(bytes.get(at..).unwrap_or_default());
            if run > 0 {
                self.inside(text.get(at..at + run), out);
                at += run;
                continue;
            }
            match self.scanner.step(byte) {
                Ok(Mark::Gap) => {
                    if let (CALL, Target::Arguments(Kind::Number)) = (self.scanner.depth(), self.target) {
                        self.end_number(text.get(given..at), out);
                    }
                }
                Ok(Mark::Inside) => self.inside(text.get(at..=at), out),
                Ok(Mark::Begin(kind)) => {
                    if self.begin(kind, offset + at) {
                        given = at;
                    }
                }
                Ok(Mark::End) => {
                    if let Target::Arguments(Kind::Number) = self.target {
                        self.end_number(text.get(given..at), out);
                    } else if self.scanner.depth() == CALL {
                        self.arguments(text.get(given..=at), out);
                    }
                    self.end(offset + at, out);
                }
                Err(fault) => {
                    self.arguments(text.get(given..at), out);
                    self.faults.note(Rank::Syntax, Json::List.error(fault, offset + at), "tool_calls");
                    self.broken = true;
                    return;
                }
            }
            at += 1;
        }
        self.arguments(text.get(given..), out);
    }

    /// Ends the text at `offset`.
    pub(super) fn finish(&mut self, offset: usize) {
        if self.broken {
            return;
        }
        if let Err(fault) = self.scanner.finish() {
            self.faults.note(Rank::Syntax, Json::List.error(fault, offset), "tool_calls");
        }
    }

    /// A value or a key begins; says whether it is arguments.
    fn begin(&mut self, kind: Kind, offset: usize) -> bool {
        let level = self.scanner.depth() - usize::from(matches!(kind, Kind::Object | Kind::Array));
        if level == 0 {
            self.is_list = kind == Kind::Array;
            if !self.is_list {
                self.faults.note(Rank::Shape, ErrorKind::CallListType { offset }, "tool_calls");
            }
        } else if level == LIST && self.is_list {
            if kind == Kind::Object {
                self.call = Some(OpenCall::new(self.calls, offset));
            } else {
                self.faults.note(Rank::Shape, ErrorKind::CallWithoutName { offset }, call_path(self.calls));
            }
        } else if level == CALL && self.call.is_some() {
            if kind == Kind::Key {
                self.target = Target::Key(Unescape::default());
            } else {
                self.value(kind, offset);
                return matches!(self.target, Target::Arguments(_));
            }
        }
        false
    }

    fn value(&mut self, kind: Kind, offset: usize) {
        let Target::Value(field) = self.target else { return };
        let index = self.call.as_ref().map_or(self.calls, |call| call.index);
        self.target = match (field, kind) {
            (Field::Arguments, Kind::Object) => Target::Arguments(kind),
            (Field::Name | Field::Id, Kind::String) => {
                if let Some(call) = &mut self.call {
                    call.slot(field).get_or_insert_default();
                }
                Target::String(field, Unescape::default())
            }
            (Field::Arguments, _) => {
                if let Some(call) = &mut self.call {
                    call.other_arguments = Some(offset);
                }
                Target::Arguments(kind)
            }
            (Field::Name | Field::Id, _) => {
                let kind = ErrorKind::CallFieldType { field: field.as_str(), offset };
                self.faults.note(Rank::Type, kind, field_path(index, field.as_str()));
                Target::Nothing
            }
        };
    }

    /// Text inside of a key or string.
    fn inside(&mut self, source: Option<&str>, out: &mut Queue) {
        let (Some(source), Some(call)) = (source, &mut self.call) else { return };
        match &mut self.target {
            // A key that is longer than any field is no field.
            Target::Key(decoder) if call.key.len() <= LONGEST_NAME => decoder.push(source, &mut call.key),
            Target::String(field, decoder) => {
                let held = call.slot(*field).get_or_insert_default();
                decoder.push(source, held);
                if held.len() > LONGEST_NAME || call.in_parts {
                    // Once part of it was given, however the text was cut, so is the rest.
                    call.in_parts = true;
                    call.give_held(&mut self.calls, out);
                }
            }
            _ => {}
        }
    }

    /// A key, a string, a word or a container has ended.
    fn end(&mut self, offset: usize, out: &mut Queue) {
        let depth = self.scanner.depth();
        if depth == CALL {
            match self.target {
                Target::Key(_) => self.end_key(offset),
                Target::String(field, mut decoder) => {
                    if let Some(call) = &mut self.call {
                        decoder.finish(call.slot(field).get_or_insert_default());
                        call.in_parts = false;
                    }
                    self.target = Target::Nothing;
                    self.give(field, out);
                }
                Target::Nothing | Target::Value(_) | Target::Arguments(_) => self.target = Target::Nothing,
            }
        } else if let Some(call) = self.call.take_if(|_| depth == LIST) {
            self.end_call(call, out);
        }
    }

    fn end_key(&mut self, offset: usize) {
        self.target = Target::Nothing;
        let Some(call) = &mut self.call else { return };
        let key = std::mem::take(&mut call.key);
        for (field, seen) in Field::ALL.into_iter().zip(&mut call.seen) {
            if field.as_str() != key {
                continue;
            }
            if std::mem::replace(seen, true) {
                // What came first was given out, and cannot be taken back.
                let kind = ErrorKind::CallFieldTwice { field: field.as_str(), offset };
                self.faults.note(Rank::Type, kind, field_path(call.index, field.as_str()));
            } else {
                self.target = Target::Value(field);
            }
        }
    }

    fn end_call(&mut self, mut call: OpenCall, out: &mut Queue) {
        let [name, arguments, _] = call.seen;
        if !name {
            self.faults.note(Rank::Shape, ErrorKind::CallWithoutName { offset: call.offset }, call_path(call.index));
        } else if let Some(offset) = call.other_arguments {
            let path = field_path(call.index, Field::Arguments.as_str());
            self.faults.note(Rank::Shape, ErrorKind::CallArgumentsNotObject { offset }, path);
        } else if !arguments {
            let kind = ErrorKind::CallWithoutArgumentsField { offset: call.offset };
            self.faults.note(Rank::Shape, kind, call_path(call.index));
        }
        call.give_held(&mut self.calls, out);
    }

    /// Gives what is held, once it says which call it is: an id waits for the name.
    fn give(&mut self, field: Field, out: &mut Queue) {
        let Some(call) = &mut self.call else { return };
        if call.given || field == Field::Name {
            call.give_held(&mut self.calls, out);
        }
    }

    /// Numbers end where something else begins.
    fn end_number(&mut self, rest: Option<&str>, out: &mut Queue) {
        self.arguments(rest, out);
        self.target = Target::Nothing;
    }

    fn arguments(&mut self, text: Option<&str>, out: &mut Queue) {
        if let (Target::Arguments(_), Some(call), Some(text)) = (&self.target, &mut self.call, text) {
            call.give_held(&mut self.calls, out);
            call.given = true;
            self.calls = call.index + 1;
            out.arguments(call.index, text);
        }
    }
}

impl OpenCall {
    fn new(index: usize, offset: usize) -> Self {
        let held = ToolCallDelta { index, ..ToolCallDelta::default() };
        OpenCall {
            offset,
            index,
            held,
            given: false,
            in_parts: false,
            key: String::new(),
            seen: [false; 3],
            other_arguments: None,
        }
    }

    fn slot(&mut self, field: Field) -> &mut Option<String> {
        match field {
            Field::Id => &mut self.held.id,
            Field::Name | Field::Arguments => &mut self.held.name,
        }
    }

    /// Gives the name and id that are held; the first that is given makes it a call of the message.
    fn give_held(&mut self, calls: &mut usize, out: &mut Queue) {
        let fresh = ToolCallDelta { index: self.index, ..ToolCallDelta::default() };
        let held = std::mem::replace(&mut self.held, fresh);
        if held.id.is_some() || held.name.is_some() {
            self.given = true;
            *calls = self.index + 1;
            out.call(held);
        }
    }
}
