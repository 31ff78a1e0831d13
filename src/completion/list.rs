//! A JSON list of calls: text in pieces in; out comes each call's name, id and arguments, as soon as they are there.

use super::arguments::{Arguments, End, Sink};
use super::fault::{Around, Faults, Rank, call_path, field_path};
use super::json::{Event, Json};
use super::liberty::{Leniency, LibertyKind};
use super::queue::{CallEnd, Queue};
use super::scanner::Kind;
use super::unescape::Unescape;
use super::wrapping::{Begun, Wrapping};
use crate::error::ErrorKind;

/// A list of objects of `name`, `arguments` and perhaps `id`.
#[derive(Debug)]
pub(super) struct CallList {
    json: Json,
    wrapping: Wrapping,
    state: State,
}

#[derive(Debug)]
struct State {
    leniency: Leniency,
    shape: Shape,
    /// The call whose object is open.
    call: Option<OpenCall>,
    /// The object whose `tool_calls` are open.
    outer: Option<OpenCall>,
    /// How many calls the message has.
    calls: usize,
    faults: Faults,
    /// White space after the list.
    gap: String,
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Nothing yet but white space.
    Before,
    List,
    /// One object instead of a list: the reader is lenient.
    Object,
    /// The list that such an object has as its `tool_calls`.
    Wrapped,
    /// No list: all of it is left over.
    Other,
    Complete,
    /// It is not JSON from here on.
    Broken,
}

/// A call whose object is open.
#[derive(Debug)]
struct OpenCall {
    offset: usize,
    index: usize,
    name: String,
    id: String,
    target: Target,
    key: String,
    /// A member as it stands, and white space and commas before it.
    member: String,
    /// The fields that came, in the order of [`Field::ALL`].
    seen: [bool; 3],
    /// Where arguments begin that are not an object.
    other_arguments: Option<usize>,
    /// Is the object open that `function` holds?
    wrapper: Wrapper,
    /// Has it members that no call has?
    has_others: bool,
    /// Did it hold a list of calls, so that it is not a call itself?
    held_calls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapper {
    Closed,
    Open,
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

/// What the source that comes is of.
#[derive(Debug)]
enum Target {
    /// Between members.
    Nothing,
    Key(Unescape),
    /// A value that has not begun.
    Value(Field),
    String(Field, Unescape),
    /// Arguments that are given as they are.
    Arguments,
    /// Arguments as a string, which a lenient reader accepts.
    Text(Box<Arguments>, Unescape),
    /// What stands for `{}` where it is so, and is arguments of another kind where not.
    Word(String),
    /// The value of `function`, which has not begun.
    Function,
    /// The value of `tool_calls`, which has not begun.
    Calls,
    /// A member that is not a field of a call, to its end.
    Other,
}

impl CallList {
    /// A list for a message that already has this many calls.
    pub(super) fn new(calls: usize, leniency: Leniency, layout: &'static str) -> Self {
        // The members of calls are watched, and those of the objects that `tool_calls` and `function` hold.
        let watched = match leniency {
            Leniency::Strict => 2,
            Leniency::Lenient => 4,
        };
        CallList {
            json: Json::new(leniency, watched),
            wrapping: Wrapping::new(leniency),
            state: State {
                leniency,
                shape: Shape::Before,
                call: None,
                outer: None,
                calls,
                faults: Faults::new(layout),
                gap: String::new(),
                after: None,
            },
        }
    }

    pub(super) fn in_string(&self) -> bool {
        self.json.in_string()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state.shape == Shape::Complete
    }

    pub(super) fn calls(&self) -> usize {
        self.state.calls
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.state.faults
    }

    pub(super) fn faults_mut(&mut self) -> &mut Faults {
        &mut self.state.faults
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn text(&mut self, text: &str, offset: usize, out: &mut Queue) {
        let (mut text, mut offset) = (text, offset);
        if self.wrapping.is_before() {
            match self.wrapping.push(text, offset, |kind, offset| out.liberty(kind, "tool_calls", offset)) {
                Begun::Nothing => return,
                Begun::Value { rest, offset: begin } => (text, offset) = (rest, begin),
                Begun::Empty { rest, offset: begin } => {
                    self.source("()", begin.saturating_sub(2), out);
                    (text, offset) = (rest, begin);
                }
            }
            self.give_held(out);
        }
        self.source(text, offset, out);
    }

    /// What looked like a fence is part of the list.
    fn give_held(&mut self, out: &mut Queue) {
        if let Some((held, offset)) = self.wrapping.take_held() {
            self.source(&held, offset, out);
        }
    }

    fn source(&mut self, text: &str, offset: usize, out: &mut Queue) {
        let CallList { json, state, .. } = self;
        match &mut state.after {
            Some(after) => after.push_str(text),
            None => json.push(text, offset, |event| state.on(event, out)),
        }
    }

    /// The text that comes after the list, where the reader is lenient.
    pub(super) fn take_after(&mut self) -> Option<String> {
        self.wrapping.take_after(&mut self.state.after)
    }

    /// Ends the text at `offset`.
    pub(super) fn finish(&mut self, offset: usize, end: End, out: &mut Queue) {
        self.give_held(out);
        if let Some(after) = self.state.after.take() {
            // What follows the list is part of what may have ended its wrapping.
            out.rest(after.trim());
        }
        let CallList { json, state, .. } = self;
        if let Some(missing) = json.missing_ends().filter(|_| end == End::Sure) {
            out.liberty(LibertyKind::MissingBracket, "tool_calls", offset);
            json.push(&missing, offset, |event| state.on(event, out));
        }
        if let Err(fault) = json.finish(offset, |event| state.on(event, out)) {
            state.faults.note(Rank::Syntax, Around::List.error(fault, offset), "tool_calls");
        }
        let end = match end {
            End::Sure => CallEnd::Broken,
            End::Unsure => CallEnd::CutOff,
        };
        state.leave_call(end, out);
    }
}

impl State {
    fn on(&mut self, event: Event<'_>, out: &mut Queue) {
        match event {
            Event::Begin { kind, level, first, offset } => self.begin(kind, level, first, offset, out),
            Event::Source(text) => self.source(text, out),
            Event::End { level, offset } => self.end(level, offset, out),
            Event::Fault { fault, offset } => {
                self.faults.note(Rank::Syntax, Around::List.error(fault, offset), "tool_calls");
            }
            Event::Liberty { kind, offset } => {
                let at = self.call.as_ref().map_or_else(|| "tool_calls".to_owned(), |call| call_path(call.index));
                out.liberty(kind, at, offset);
            }
            Event::Lost { fault, offset } => {
                if self.shape == Shape::Complete && self.leniency == Leniency::Lenient {
                    self.after = Some(std::mem::take(&mut self.gap));
                    return;
                }
                self.faults.note(Rank::Syntax, Around::List.error(fault, offset), "tool_calls");
                self.leave_call(CallEnd::Broken, out);
                out.rest(&std::mem::take(&mut self.gap));
                self.shape = Shape::Broken;
            }
            Event::More(text) => match &mut self.after {
                Some(after) => after.push_str(text),
                None => out.rest(text),
            },
        }
    }

    /// How deep the objects of calls are.
    fn call_level(&self) -> usize {
        match self.shape {
            Shape::List => 1,
            Shape::Wrapped => 2,
            _ => 0,
        }
    }

    /// How deep the fields of the open call are.
    fn field_level(&self) -> usize {
        let is_wrapped = self.call.as_ref().is_some_and(|call| call.wrapper == Wrapper::Open);
        self.call_level() + 1 + usize::from(is_wrapped)
    }

    fn begin(&mut self, kind: Kind, level: usize, first: u8, offset: usize, out: &mut Queue) {
        if level == 0 {
            self.shape = match kind {
                Kind::Array => Shape::List,
                Kind::Object if self.leniency == Leniency::Lenient => {
                    out.liberty(LibertyKind::OneObject, "tool_calls", offset);
                    Shape::Object
                }
                _ => {
                    self.faults.note(Rank::Shape, ErrorKind::CallListType { offset }, "tool_calls");
                    Shape::Other
                }
            };
            if self.shape != Shape::Object {
                return;
            }
        }
        if self.shape == Shape::Other {
            return;
        }
        if level == self.call_level() {
            if kind != Kind::Object {
                self.faults.note(Rank::Shape, ErrorKind::CallWithoutName { offset }, call_path(self.calls));
            }
            let target = if kind == Kind::Object { Target::Nothing } else { Target::Other };
            self.call = Some(OpenCall::new(self.calls, offset, target));
        } else if level == self.field_level() {
            let (leniency, faults) = (self.leniency, &mut self.faults);
            let Some(call) = &mut self.call else { return };
            match kind {
                Kind::Key => call.begin_key(),
                Kind::Array if matches!(call.target, Target::Calls) => self.begin_wrapped(offset, out),
                _ => call.begin_value(kind, first, offset, leniency, faults, out),
            }
        }
    }

    /// The list begins that the open object has as its `tool_calls`: the object is not a call.
    fn begin_wrapped(&mut self, offset: usize, out: &mut Queue) {
        out.liberty(LibertyKind::CallsWrapper, "tool_calls", offset);
        // Its id is not that of a call.
        out.end_call(CallEnd::Broken);
        self.outer = self.call.take();
        self.shape = Shape::Wrapped;
    }

    fn end_wrapped(&mut self) {
        self.shape = Shape::Object;
        self.call = self.outer.take().map(|outer| OpenCall { target: Target::Nothing, held_calls: true, ..outer });
    }

    fn source(&mut self, text: &str, out: &mut Queue) {
        match (&mut self.call, self.shape) {
            (Some(call), _) => call.source(text, &mut self.faults, out),
            (None, Shape::Other | Shape::Broken) => out.rest(text),
            (None, Shape::Complete) => self.gap.push_str(text),
            (None, Shape::Before | Shape::List | Shape::Object | Shape::Wrapped) => {}
        }
    }

    fn end(&mut self, level: usize, offset: usize, out: &mut Queue) {
        if self.shape == Shape::Wrapped && level == 1 {
            return self.end_wrapped();
        }
        if level == self.field_level() {
            if let Some(call) = &mut self.call {
                call.end_member(offset, self.leniency, &mut self.faults, out);
            }
        } else if let call_level = self.call_level()
            && let Some(call) = self.call.as_mut().filter(|call| call.wrapper == Wrapper::Open)
            && level == call_level + 1
        {
            call.wrapper = Wrapper::Closed;
            call.member.clear();
            call.target = Target::Nothing;
        }
        if level == self.call_level()
            && let Some(call) = self.call.take()
        {
            self.end_call(call, out);
        }
        if level == 0 && self.shape != Shape::Other {
            self.shape = Shape::Complete;
        }
    }

    fn end_call(&mut self, call: OpenCall, out: &mut Queue) {
        if let Target::Other = call.target {
            out.rest(&call.member);
            return;
        }
        if call.held_calls {
            return;
        }
        let [name, arguments, _] = call.seen;
        if !name {
            self.faults.note(Rank::Shape, ErrorKind::CallWithoutName { offset: call.offset }, call_path(call.index));
        } else if let Some(offset) = call.other_arguments {
            let path = field_path(call.index, Field::Arguments.as_str());
            self.faults.note(Rank::Shape, ErrorKind::CallArgumentsNotObject { offset }, path);
        } else if !arguments {
            match self.leniency {
                // Other members may have been meant as its arguments.
                Leniency::Lenient if !call.has_others => {
                    out.liberty(LibertyKind::NoArguments, call_path(call.index), call.offset);
                    out.arguments(call.index, "{}");
                }
                Leniency::Strict | Leniency::Lenient => {
                    let kind = ErrorKind::CallWithoutArgumentsField { offset: call.offset };
                    self.faults.note(Rank::Shape, kind, call_path(call.index));
                }
            }
        }
        self.calls += usize::from(out.end_call(CallEnd::Complete));
    }

    /// Leaves a call whose object was not ended: what is held of it is left over.
    fn leave_call(&mut self, end: CallEnd, out: &mut Queue) {
        let Some(call) = self.call.take() else { return };
        match call.target {
            Target::String(Field::Name | Field::Arguments, _) => out.rest(&call.name),
            Target::String(Field::Id, _) => out.rest(&call.id),
            Target::Word(word) => out.arguments(call.index, &word),
            Target::Key(_) | Target::Other | Target::Function | Target::Calls => out.rest(&call.member),
            Target::Nothing | Target::Value(_) | Target::Arguments | Target::Text(..) => {}
        }
        self.calls += usize::from(out.end_call(end));
    }
}

impl OpenCall {
    fn new(index: usize, offset: usize, target: Target) -> Self {
        OpenCall {
            offset,
            index,
            name: String::new(),
            id: String::new(),
            target,
            key: String::new(),
            member: String::new(),
            seen: [false; 3],
            other_arguments: None,
            wrapper: Wrapper::Closed,
            has_others: false,
            held_calls: false,
        }
    }

    fn begin_key(&mut self) {
        self.key.clear();
        self.member.clear();
        self.target = Target::Key(Unescape::default());
    }

    fn begin_value(
        &mut self,
        kind: Kind,
        first: u8,
        offset: usize,
        leniency: Leniency,
        faults: &mut Faults,
        out: &mut Queue,
    ) {
        let is_lenient = leniency == Leniency::Lenient;
        let is_null = kind == Kind::Word && matches!(first, b'n' | b'N');
        self.target = match (&self.target, kind) {
            (Target::Value(Field::Arguments), Kind::Object) => Target::Arguments,
            (Target::Value(Field::Arguments), Kind::String) if is_lenient => {
                out.liberty(LibertyKind::ArgumentsText, field_path(self.index, "arguments"), offset);
                Target::Text(Box::new(Arguments::nested(leniency, offset)), Unescape::default())
            }
            (Target::Value(Field::Arguments), Kind::Word) if is_lenient && is_null => {
                self.other_arguments = Some(offset);
                Target::Word(String::new())
            }
            (Target::Value(Field::Arguments), _) => {
                self.other_arguments = Some(offset);
                Target::Arguments
            }
            (Target::Value(field), Kind::String) => Target::String(*field, Unescape::default()),
            (Target::Value(Field::Id), Kind::Word) if is_lenient && is_null => {
                out.liberty(LibertyKind::NullId, field_path(self.index, "id"), offset);
                Target::Other
            }
            (Target::Value(Field::Id), _) if is_lenient => {
                out.liberty(LibertyKind::OtherId, field_path(self.index, "id"), offset);
                Target::Other
            }
            (Target::Value(field), _) => {
                let kind = ErrorKind::CallFieldType { field: field.as_str(), offset };
                faults.note(Rank::Type, kind, field_path(self.index, field.as_str()));
                Target::Other
            }
            (Target::Function, Kind::Object) => {
                out.liberty(LibertyKind::FunctionWrapper, call_path(self.index), offset);
                self.wrapper = Wrapper::Open;
                Target::Nothing
            }
            (Target::Function, Kind::String) if !self.has(Field::Name) => {
                out.liberty(LibertyKind::FunctionWrapper, call_path(self.index), offset);
                self.see(Field::Name);
                Target::String(Field::Name, Unescape::default())
            }
            _ => Target::Other,
        };
    }

    fn source(&mut self, text: &str, faults: &mut Faults, out: &mut Queue) {
        match &mut self.target {
            Target::Nothing => {}
            Target::Key(decoder) => {
                self.member.push_str(text);
                decoder.push(text, &mut self.key);
            }
            Target::Value(_) | Target::Function | Target::Calls | Target::Other => self.member.push_str(text),
            Target::String(field, decoder) => {
                let slot = match field {
                    Field::Id => &mut self.id,
                    Field::Name | Field::Arguments => &mut self.name,
                };
                decoder.push(text, slot);
            }
            Target::Arguments => out.arguments(self.index, text),
            Target::Text(nested, decoder) => {
                let mut decoded = String::new();
                decoder.push(text, &mut decoded);
                nested.push_nested(&decoded, &mut Sink::new(self.index, out, faults));
            }
            Target::Word(word) => word.push_str(text),
        }
    }

    /// A key, or a value of the call's object, has ended.
    fn end_member(&mut self, offset: usize, leniency: Leniency, faults: &mut Faults, out: &mut Queue) {
        match std::mem::replace(&mut self.target, Target::Nothing) {
            Target::Key(_) => self.end_key(offset, leniency, faults, out),
            Target::String(field, mut decoder) => {
                match field {
                    Field::Name | Field::Arguments => {
                        decoder.finish(&mut self.name);
                        self.end_name(leniency, offset, out);
                    }
                    Field::Id => {
                        decoder.finish(&mut self.id);
                        out.call_id(self.index, std::mem::take(&mut self.id));
                    }
                }
                self.member.clear();
            }
            Target::Text(nested, mut decoder) => {
                let mut sink = Sink::new(self.index, out, faults);
                Arguments::end_string(&mut decoder, Some(nested), offset, &mut sink);
            }
            // The only word that the target takes is null.
            Target::Word(_) => {
                self.other_arguments = None;
                out.liberty(LibertyKind::NoArguments, field_path(self.index, "arguments"), offset);
                out.arguments(self.index, "{}");
            }
            // A liberty tells of it.
            Target::Other if leniency == Leniency::Lenient && self.key == "id" && self.member.ends_with("null") => {}
            // The message says so itself.
            Target::Other if self.key == "type" && self.member.ends_with("\"function\"") => {}
            Target::Other if self.key == "role" && self.member.ends_with("\"assistant\"") => {}
            Target::Other => {
                self.has_others |= !matches!(&*self.key, "id" | "type" | "index");
                out.rest(&std::mem::take(&mut self.member));
            }
            Target::Nothing | Target::Value(_) | Target::Function | Target::Calls | Target::Arguments => {}
        }
    }

    fn end_name(&mut self, leniency: Leniency, offset: usize, out: &mut Queue) {
        let name = std::mem::take(&mut self.name);
        let trimmed = name.trim();
        if leniency == Leniency::Lenient && trimmed.len() != name.len() {
            out.liberty(LibertyKind::NameSpaces, call_path(self.index), offset);
            return out.call_name(self.index, trimmed.to_owned());
        }
        out.call_name(self.index, name);
    }

    fn end_key(&mut self, offset: usize, leniency: Leniency, faults: &mut Faults, out: &mut Queue) {
        let is_lenient = leniency == Leniency::Lenient;
        let field = match &*self.key {
            "parameters" if is_lenient && !self.held_calls && !self.has(Field::Arguments) => {
                out.liberty(LibertyKind::Parameters, call_path(self.index), offset);
                Some(Field::Arguments)
            }
            "function" if is_lenient && !self.held_calls && self.wrapper == Wrapper::Closed => {
                self.target = Target::Function;
                return;
            }
            "tool_calls" if is_lenient && !self.has(Field::Name) && !self.has(Field::Arguments) => {
                self.target = Target::Calls;
                return;
            }
            _ if self.held_calls => None,
            key => Field::ALL.into_iter().find(|field| field.as_str() == key),
        };
        self.target = match field {
            None => Target::Other,
            Some(field) if self.has(field) => {
                // What came first was given out, and cannot be taken back.
                let kind = ErrorKind::CallFieldTwice { field: field.as_str(), offset };
                faults.note(Rank::Type, kind, field_path(self.index, field.as_str()));
                Target::Other
            }
            Some(field) => {
                self.see(field);
                Target::Value(field)
            }
        };
    }

    fn has(&self, field: Field) -> bool {
        Field::ALL.into_iter().zip(self.seen).any(|(other, seen)| other == field && seen)
    }

    fn see(&mut self, field: Field) {
        for (other, seen) in Field::ALL.into_iter().zip(&mut self.seen) {
            *seen |= other == field;
        }
    }
}
