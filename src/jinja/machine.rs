//! A program and what it is given into what it prints: the machine that runs instructions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::arguments::Arguments;
use super::error::{Done, Stop, type_error};
use super::syntax::{Instruction, Name, Program, TextId};
use super::text::{Origin, Piece, Text};
use super::value::{Function, List, LoopState, Macro, Namespace, Value};

/// How deep macros may call one another. Python gives up at about as many.
const MAX_CALLS: usize = 200;

/// What a template sees beside its own names.
pub(crate) trait Context<'r> {
    /// The value of a name, where it has one.
    fn variable(&'r self, name: &str) -> Done<Option<Value<'r>>>;

    /// The time, in seconds since the beginning of 1970, where there is a clock.
    fn now(&self) -> Option<i64>;
}

/// What a program prints.
#[derive(Clone, Debug)]
pub(crate) enum Printed<'r> {
    Piece(Piece<'r>),
    /// Where a `{% generation %}` block begins.
    GenerationStart,
    GenerationEnd,
}

impl Printed<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Printed::Piece(piece) => piece.as_str(),
            Printed::GenerationStart | Printed::GenerationEnd => "",
        }
    }
}

/// Where names are.
struct Frame {
    /// The place of its first value among the locals.
    start: usize,
    /// The frame that it can look into.
    parent: Option<u32>,
    /// Tells it from others that have stood in its place.
    serial: u64,
}

/// What to return to.
struct Call {
    back: usize,
    frames: usize,
    loops: usize,
    captures: usize,
    /// Is what it prints printed at once?
    direct: bool,
    /// Is it a loop that was called?
    is_loop: bool,
}

struct OpenLoop<'r> {
    state: Rc<LoopState<'r>>,
    next: usize,
    /// What has been chosen of the items, while they are.
    chosen: Vec<Value<'r>>,
    /// Did a turn run to its end?
    ran: bool,
    /// What is raised when the items are used up.
    failure: Option<Stop>,
}

pub(crate) struct Machine<'r> {
    pub(super) program: &'r Program,
    pub(super) context: &'r dyn Context<'r>,
    at: usize,
    stack: Vec<Value<'r>>,
    locals: Vec<(Name, Value<'r>)>,
    frames: Vec<Frame>,
    serial: u64,
    calls: Vec<Call>,
    loops: Vec<OpenLoop<'r>>,
    /// Where each capture begins among what is printed.
    captures: Vec<usize>,
    variables: Vec<Option<Value<'r>>>,
    printed: Vec<Printed<'r>>,
    /// All that were made: they may hold one another.
    namespaces: Vec<Rc<Namespace<'r>>>,
    steps: u64,
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        for open in &self.loops {
            open.state.changed.take();
        }
        for namespace in &self.namespaces {
            drop(namespace.attributes.take());
        }
    }
}

impl Program {
    /// What the program prints, in at most this many steps.
    pub(crate) fn run<'r>(&'r self, context: &'r dyn Context<'r>, steps: u64) -> Done<Vec<Printed<'r>>> {
        let mut machine = Machine {
            program: self,
            context,
            at: 0,
            stack: Vec::with_capacity(16),
            locals: Vec::with_capacity(16),
            frames: vec![Frame { start: 0, parent: None, serial: 0 }],
            serial: 0,
            calls: Vec::new(),
            loops: Vec::new(),
            captures: Vec::new(),
            variables: vec![None; self.names.len()],
            printed: Vec::with_capacity(64),
            namespaces: Vec::new(),
            steps,
        };
        machine.run()?;
        Ok(std::mem::take(&mut machine.printed))
    }
}

impl<'r> Machine<'r> {
    fn run(&mut self) -> Done<()> {
        let program = self.program;
        while let Some(instruction) = program.code.get(self.at) {
            let at = self.at;
            self.at += 1;
            if let Err(stop) = self.charge(1).and_then(|()| self.step(*instruction)) {
                let line = program.lines.get(at).copied().unwrap_or_default();
                return Err(stop.at(line));
            }
        }
        Ok(())
    }

    /// Takes this many steps of those that are allowed.
    pub(super) fn charge(&mut self, steps: usize) -> Done<()> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Stop::steps()),
        }
    }

    /// Takes the steps for this many bytes that are made or looked at.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Done<()> {
        self.charge(bytes / 64)
    }

    /// How many bytes may be made at once.
    pub(super) fn room(&self) -> usize {
        usize::try_from(self.steps.saturating_mul(64)).unwrap_or(usize::MAX)
    }

    pub(super) fn text(&self, id: TextId) -> &'r str {
        self.program.texts.get(id.0 as usize).map_or("", |text| text)
    }

    fn push(&mut self, value: Value<'r>) -> Done<()> {
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Value<'r> {
        self.stack.pop().unwrap_or(Value::None)
    }

    fn pop_many(&mut self, count: usize) -> Vec<Value<'r>> {
        self.stack.split_off(self.stack.len().saturating_sub(count))
    }

    fn jump(&mut self, far: i32) {
        self.at = self.at.saturating_add_signed(far as isize);
    }

    fn step(&mut self, instruction: Instruction) -> Done<()> {
        match instruction {
            Instruction::Text(text) => {
                self.printed.push(Printed::Piece(Piece::Template(self.text(text))));
                Ok(())
            }
            Instruction::Print => {
                let value = self.pop();
                self.print(&value)
            }
            Instruction::None => self.push(Value::None),
            Instruction::Bool(value) => self.push(Value::Bool(value)),
            Instruction::Integer(number) => self.push(Value::Integer(number)),
            Instruction::Long(digits) => self.push(Value::Long(self.text(digits).into())),
            Instruction::Float(number) => self.push(Value::Float(number)),
            Instruction::Literal(text) => self.push(Value::template(self.text(text))),
            Instruction::Undefined => self.push(Value::Undefined("")),
            Instruction::Name(name) => {
                let value = self.name(name)?;
                self.push(value)
            }
            Instruction::List(count) => {
                let items = self.pop_many(count as usize);
                self.charge(items.len())?;
                self.push(Value::list(items)?)
            }
            Instruction::Tuple(count) => {
                let items = self.pop_many(count as usize);
                self.charge(items.len())?;
                self.push(Value::tuple(items)?)
            }
            Instruction::Dict(count) => self.make_dict(count as usize),
            Instruction::Attribute(name) => {
                let of = self.pop();
                let value = self.attribute(of, self.text(name))?;
                self.push(value)
            }
            Instruction::ItemNamed(name) => {
                let of = self.pop();
                let value = self.item_named(of, self.text(name))?;
                self.push(value)
            }
            Instruction::Item => {
                let (index, of) = (self.pop(), self.pop());
                let value = self.item(of, &index)?;
                self.push(value)
            }
            Instruction::Slice => {
                let [step, stop, start] = [self.pop(), self.pop(), self.pop()];
                let of = self.pop();
                let value = self.slice(&of, [start, stop, step])?;
                self.push(value)
            }
            Instruction::Call(_) | Instruction::Method(..) | Instruction::Filter(..) | Instruction::Check(..) => {
                self.step_call(instruction)
            }
            Instruction::Not => {
                let value = self.pop();
                self.push(Value::Bool(!value.is_true()))
            }
            Instruction::Negative => {
                let value = self.pop();
                let value = super::operators::signed(&value, "-")?;
                self.push(value)
            }
            Instruction::Positive => {
                let value = self.pop();
                let value = super::operators::signed(&value, "+")?;
                self.push(value)
            }
            Instruction::Compare(comparator) => {
                let (right, left) = (self.pop(), self.pop());
                let holds = self.compare(comparator, &left, &right)?;
                self.push(Value::Bool(holds))
            }
            Instruction::CompareOr(comparator, far) => {
                let (right, left) = (self.pop(), self.pop());
                if self.compare(comparator, &left, &right)? {
                    return self.push(right);
                }
                // The operand to come is not looked at.
                self.jump(far);
                self.push(Value::Bool(false))
            }
            Instruction::Arithmetic(operator) => {
                let (right, left) = (self.pop(), self.pop());
                let value = self.arithmetic(operator, left, right)?;
                self.push(value)
            }
            Instruction::Concatenate(count) => {
                let values = self.pop_many(count as usize);
                let mut pieces = Vec::new();
                for value in &values {
                    pieces.extend(self.str(value)?.pieces().iter().cloned());
                }
                self.charge(pieces.len() / 2)?;
                self.push(Value::Text(Text::joined(pieces)))
            }
            other => self.step_flow(other),
        }
    }

    /// The instructions that decide what comes next, and those that give names their values.
    fn step_flow(&mut self, instruction: Instruction) -> Done<()> {
        match instruction {
            Instruction::Jump(far) => self.jump(far),
            Instruction::JumpIfFalse(far) => {
                if !self.pop().is_true() {
                    self.jump(far);
                }
            }
            Instruction::JumpIfFalseOrTake(far) => {
                if self.stack.last().is_some_and(Value::is_true) {
                    self.pop();
                } else {
                    self.jump(far);
                }
            }
            Instruction::JumpIfTrueOrTake(far) => {
                if self.stack.last().is_some_and(Value::is_true) {
                    self.jump(far);
                } else {
                    self.pop();
                }
            }
            Instruction::JumpIfGiven(name, far) => {
                let start = self.frames.last().map_or(0, |frame| frame.start);
                if self.locals.get(start..).unwrap_or_default().iter().any(|(known, _)| *known == name) {
                    self.jump(far);
                }
            }
            Instruction::Store(name) => {
                let value = self.pop();
                self.set(name, value);
            }
            Instruction::SetAttribute(attribute) => {
                let (namespace, value) = (self.pop(), self.pop());
                self.set_attribute(&namespace, self.text(attribute), value)?;
            }
            Instruction::Unpack(count) => self.unpack(count as usize)?,
            Instruction::PushFrame => {
                let parent = u32::try_from(self.frames.len() - 1).ok();
                self.push_frame(parent);
            }
            Instruction::PopFrame => self.pop_frames(self.frames.len().saturating_sub(1)),
            Instruction::BeginCapture => self.captures.push(self.printed.len()),
            Instruction::EndCapture => {
                let text = self.captured()?;
                self.stack.push(Value::Text(text));
            }
            Instruction::DropCapture => {
                let start = self.captures.pop().unwrap_or_default();
                self.printed.truncate(start);
            }
            Instruction::Macro(code) => {
                let frame = u32::try_from(self.frames.len() - 1).unwrap_or_default();
                let serial = self.frames.last().map_or(0, |frame| frame.serial);
                self.stack.push(Value::Macro(Macro { code, frame, serial }));
            }
            Instruction::Return => self.return_from_call()?,
            Instruction::LeaveLoop => {
                let loops = self.loops.len();
                if self.calls.last().is_some_and(|call| call.is_loop && call.loops == loops) {
                    self.return_from_call()?;
                }
            }
            Instruction::GenerationStart => self.printed.push(Printed::GenerationStart),
            Instruction::GenerationEnd => self.printed.push(Printed::GenerationEnd),
            Instruction::Fail(said) => return Err(Stop::new("TemplateRuntimeError", self.text(said).to_owned())),
            other => return self.step_loop(other),
        }
        Ok(())
    }

    fn step_loop(&mut self, instruction: Instruction) -> Done<()> {
        match instruction {
            Instruction::StartLoop(code) => self.start_loop(code)?,
            Instruction::Select(far) => {
                let selects = self.loops.last().is_some_and(|open| {
                    self.program.loops.get(open.state.code as usize).is_some_and(|code| code.selects)
                });
                let first = self.loops.last().and_then(|open| open.state.items.first().cloned()).filter(|_| selects);
                match first {
                    Some(first) => self.stack.push(first),
                    None => self.jump(far),
                }
            }
            Instruction::Selected(far) => self.selected(far)?,
            Instruction::JumpIfSelected(far) => {
                let code = self.loops.last().map(|open| open.state.code as usize);
                if code.and_then(|code| self.program.loops.get(code)).is_some_and(|code| code.selects) {
                    self.jump(far);
                }
            }
            Instruction::NextItem(far) => self.next_item(far)?,
            Instruction::TurnDone => {
                if let Some(open) = self.loops.last_mut() {
                    open.ran = true;
                }
            }
            Instruction::EndLoop(far) => {
                let ran = self.loops.pop().is_some_and(|open| {
                    open.state.changed.take();
                    open.ran
                });
                self.pop_frames(self.frames.len().saturating_sub(1));
                if ran {
                    self.jump(far);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn make_dict(&mut self, count: usize) -> Done<()> {
        let mut values = self.pop_many(count * 2).into_iter();
        self.charge(count)?;
        let mut members = Vec::with_capacity(count);
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            members.push((key, value));
        }
        self.push(Value::dict(members)?)
    }

    fn step_call(&mut self, instruction: Instruction) -> Done<()> {
        match instruction {
            Instruction::Call(shape) => {
                let arguments = self.arguments(shape)?;
                let callee = self.pop();
                self.call(callee, arguments)
            }
            Instruction::Method(name, shape) => {
                let arguments = self.arguments(shape)?;
                let of = self.pop();
                let name = self.text(name);
                if super::methods::has(&of, name) {
                    let value = self.method(&of, name, arguments)?;
                    return self.push(value);
                }
                let callee = self.attribute(of, name)?;
                self.call(callee, arguments)
            }
            Instruction::Filter(filter, shape) => {
                let arguments = self.arguments(shape)?;
                let value = self.pop();
                let value = self.filter(filter, value, arguments)?;
                self.push(value)
            }
            Instruction::Check(check, shape) => {
                let arguments = self.arguments(shape)?;
                let value = self.pop();
                let holds = self.check(check, &value, arguments)?;
                self.push(Value::Bool(holds))
            }
            _ => Ok(()),
        }
    }

    /// Takes what a call gives off the stack.
    fn arguments(&mut self, shape: u32) -> Done<Arguments<'r>> {
        let program = self.program;
        let Some(shape) = program.calls.get(shape as usize) else { return Ok(Arguments::default()) };
        let double_star = shape.double_star.then(|| self.pop());
        let star = shape.star.then(|| self.pop());
        let named = self.pop_many(shape.named.len());
        let mut positional = self.pop_many(shape.positional);
        if let Some(star) = star {
            positional.extend(self.iterate(&star)?);
        }
        let mut named: Vec<(Cow<'r, str>, Value<'r>)> =
            shape.named.iter().map(|name| Cow::Borrowed(&**name)).zip(named).collect();
        match double_star {
            None => {}
            Some(Value::Dict(dict)) => {
                for (key, value) in dict.members() {
                    let Value::Text(key) = key else { return Err(type_error("keywords must be strings")) };
                    named.push((Cow::Owned(key.content().into_owned()), value.clone()));
                }
            }
            Some(_) => return Err(type_error("argument after ** must be a mapping")),
        }
        for (place, (name, _)) in named.iter().enumerate() {
            if named.get(..place).unwrap_or_default().iter().any(|(known, _)| known == name) {
                return Err(type_error(format!("got multiple values for keyword argument '{name}'")));
            }
        }
        self.charge(positional.len() + named.len())?;
        Ok(Arguments { positional, named })
    }

    /// Calls a value; what it returns is pushed, at once or when the macro returns.
    fn call(&mut self, callee: Value<'r>, arguments: Arguments<'r>) -> Done<()> {
        let value = match callee {
            Value::Macro(called) => return self.call_macro(called, arguments),
            Value::Loop(state) => return self.call_loop(&state, arguments),
            Value::Function(function) => self.function(function, arguments)?,
            Value::Method(method) => self.method(&method.0, method.1, arguments)?,
            Value::Joiner(joiner) => {
                arguments.bind("joiner", [], 0)?;
                if joiner.1.replace(true) { joiner.0.clone() } else { Value::template("") }
            }
            undefined @ Value::Undefined(_) => return Err(undefined.undefined_error()),
            other => return Err(type_error(format!("'{}' object is not callable", other.type_name()))),
        };
        self.push(value)
    }

    fn enter(&mut self, start: usize, parent: Option<u32>, is_loop: bool) -> Done<()> {
        if self.calls.len() >= MAX_CALLS {
            return Err(Stop::new("RecursionError", "maximum recursion depth exceeded"));
        }
        let direct = self.program.code.get(self.at) == Some(&Instruction::Print);
        let call = Call {
            back: self.at + usize::from(direct),
            frames: self.frames.len(),
            loops: self.loops.len(),
            captures: self.captures.len(),
            direct,
            is_loop,
        };
        self.calls.push(call);
        if !direct {
            self.captures.push(self.printed.len());
        }
        if !is_loop {
            self.push_frame(parent);
        }
        self.at = start;
        Ok(())
    }

    fn return_from_call(&mut self) -> Done<()> {
        let Some(call) = self.calls.pop() else { return Ok(()) };
        if !call.direct {
            let text = self.captured()?;
            self.stack.push(Value::Text(text));
        }
        self.pop_frames(call.frames);
        self.loops.truncate(call.loops);
        self.captures.truncate(call.captures);
        self.at = call.back;
        Ok(())
    }

    fn alive(&self, frame: u32, serial: u64) -> Done<()> {
        match self.frames.get(frame as usize) {
            Some(frame) if frame.serial == serial => Ok(()),
            _ => Err(Stop::new("TemplateRuntimeError", "a macro or loop is called after the loop that defined it")),
        }
    }

    fn call_macro(&mut self, called: Macro, arguments: Arguments<'r>) -> Done<()> {
        let program = self.program;
        let Some(code) = program.macros.get(called.code as usize) else { return Ok(()) };
        self.alive(called.frame, called.serial)?;
        let name = code.name.as_deref().unwrap_or("anonymous");
        let Arguments { positional, mut named } = arguments;
        let mut positional = positional.into_iter();
        let mut given: Vec<(Name, Value<'r>)> = Vec::with_capacity(code.parameters.len());
        for parameter in &code.parameters {
            let text = program.names.get(parameter.name.0 as usize).map_or("", |name| name);
            let value = positional.next().or_else(|| {
                let place = named.iter().position(|(known, _)| known == text)?;
                Some(named.remove(place).1)
            });
            match value {
                Some(value) => given.push((parameter.name, value)),
                None if parameter.has_default => {}
                None => given.push((parameter.name, Value::Undefined(text))),
            }
        }
        if let Some(caller) = code.uses_caller {
            let place = named.iter().position(|(known, _)| known == "caller");
            let value = place.map_or(Value::Undefined("caller"), |place| named.remove(place).1);
            given.push((caller, value));
        }
        match code.uses_kwargs {
            Some(kwargs) => {
                let members = named.into_iter().map(|(name, value)| (Value::Text(Text::given_cow(name)), value));
                given.push((kwargs, Value::dict(members)?));
            }
            None => {
                if let Some((keyword, _)) = named.first() {
                    return Err(type_error(format!("macro '{name}' takes no keyword argument '{keyword}'")));
                }
            }
        }
        match code.uses_varargs {
            Some(varargs) => given.push((varargs, Value::tuple(positional.collect())?)),
            None if positional.len() > 0 => {
                let most = code.parameters.len();
                return Err(type_error(format!("macro '{name}' takes not more than {most} argument(s)")));
            }
            None => {}
        }
        self.enter(code.start, Some(called.frame), false)?;
        self.locals.extend(given);
        Ok(())
    }

    /// `loop(items)` in a recursive loop.
    fn call_loop(&mut self, state: &Rc<LoopState<'r>>, arguments: Arguments<'r>) -> Done<()> {
        let recursive = self.program.loops.get(state.code as usize).is_some_and(|code| code.recursive);
        if !recursive {
            return Err(type_error("The loop must have the 'recursive' marker to be called recursively."));
        }
        self.alive(state.frame, state.serial)?;
        let [items] = arguments.bind("loop", ["iterable"], 1)?;
        self.enter(state.start, Some(state.frame), true)?;
        self.stack.push(items.unwrap_or(Value::None));
        self.start_loop_in(state.code, state.frame, state.depth0 + 1)?;
        self.at += 1;
        Ok(())
    }

    fn push_frame(&mut self, parent: Option<u32>) {
        self.serial += 1;
        self.frames.push(Frame { start: self.locals.len(), parent, serial: self.serial });
    }

    /// Leaves all frames but so many.
    fn pop_frames(&mut self, count: usize) {
        if let Some(frame) = self.frames.get(count) {
            self.locals.truncate(frame.start);
            self.frames.truncate(count);
        }
    }

    fn start_loop(&mut self, code: u32) -> Done<()> {
        let frame = u32::try_from(self.frames.len() - 1).unwrap_or_default();
        self.start_loop_in(code, frame, 0)
    }

    fn start_loop_in(&mut self, code: u32, frame: u32, depth0: usize) -> Done<()> {
        let iterated = self.pop();
        let (items, failure) = self.iterate_all(&iterated)?;
        self.charge(items.len() / 8)?;
        let start = if depth0 == 0 { self.at - 1 } else { self.at };
        let serial = self.frames.get(frame as usize).map_or(0, |frame| frame.serial);
        let List { items, depth: item_depth, .. } = List::of(items)?;
        let state = LoopState {
            items,
            item_depth,
            index: Cell::new(0),
            depth0,
            code,
            start,
            frame,
            serial,
            changed: RefCell::new(None),
        };
        self.loops.push(OpenLoop { state: Rc::new(state), next: 0, chosen: Vec::new(), ran: false, failure });
        self.push_frame(Some(frame));
        Ok(())
    }

    fn selected(&mut self, far: i32) -> Done<()> {
        let passes = self.pop().is_true();
        let Some(open) = self.loops.last_mut() else { return Ok(()) };
        if passes && let Some(item) = open.state.items.get(open.next) {
            open.chosen.push(item.clone());
        }
        open.next += 1;
        if let Some(next) = open.state.items.get(open.next) {
            self.stack.push(next.clone());
            self.jump(far);
            return Ok(());
        }
        let LoopState { item_depth, depth0, code, start, frame, serial, .. } = *open.state;
        let items = std::mem::take(&mut open.chosen);
        let (index, changed) = (Cell::new(0), RefCell::new(None));
        open.state = Rc::new(LoopState { items, item_depth, index, depth0, code, start, frame, serial, changed });
        open.next = 0;
        Ok(())
    }

    fn next_item(&mut self, far: i32) -> Done<()> {
        let start = self.frames.last().map_or(0, |frame| frame.start);
        self.locals.truncate(start);
        self.serial += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.serial = self.serial;
        }
        let Some(open) = self.loops.last_mut() else { return Ok(()) };
        let Some(item) = open.state.items.get(open.next) else {
            let failure = open.failure.take();
            self.jump(far);
            return failure.map_or(Ok(()), Err);
        };
        open.state.index.set(open.next);
        open.next += 1;
        self.stack.push(item.clone());
        if let Some(name) = self.program.loops.get(open.state.code as usize).and_then(|code| code.loop_name) {
            self.locals.push((name, Value::Loop(Rc::clone(&open.state))));
        }
        Ok(())
    }

    fn unpack(&mut self, count: usize) -> Done<()> {
        let value = self.pop();
        if let Value::List(list) | Value::Tuple(list) = &value
            && list.items.len() == count
        {
            self.stack.extend(list.items.iter().rev().cloned());
            return Ok(());
        }
        let items = self.iterate(&value).map_err(|stop| match stop.is(&["TypeError"]) {
            true => type_error(format!("cannot unpack non-iterable {} object", value.type_name())),
            false => stop,
        })?;
        if items.len() != count {
            let said = match items.len() > count {
                true => format!("too many values to unpack (expected {count})"),
                false => format!("not enough values to unpack (expected {count}, got {})", items.len()),
            };
            return Err(super::error::value_error(said));
        }
        self.stack.extend(items.into_iter().rev());
        Ok(())
    }

    fn set(&mut self, name: Name, value: Value<'r>) {
        let start = self.frames.last().map_or(0, |frame| frame.start);
        let own = self.locals.get_mut(start..).unwrap_or_default();
        match own.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.locals.push((name, value)),
        }
    }

    fn set_attribute(&mut self, namespace: &Value<'r>, attribute: &'r str, value: Value<'r>) -> Done<()> {
        match namespace {
            Value::Namespace(namespace) => {
                super::functions::check_attribute(attribute)?;
                namespace.attributes.borrow_mut().set(attribute, value);
                Ok(())
            }
            _ => Err(Stop::new("TemplateRuntimeError", "cannot assign attribute on non-namespace object")),
        }
    }

    /// The value that a name was given where that can be seen.
    fn local(&self, name: Name) -> Option<&Value<'r>> {
        let mut frame = self.frames.last()?;
        let mut end = self.locals.len();
        loop {
            let own = self.locals.get(frame.start..end).unwrap_or_default();
            if let Some((_, value)) = own.iter().rev().find(|(known, _)| *known == name) {
                return Some(value);
            }
            let parent = frame.parent? as usize;
            end = self.frames.get(parent + 1)?.start;
            frame = self.frames.get(parent)?;
        }
    }

    fn name(&mut self, name: Name) -> Done<Value<'r>> {
        if let Some(value) = self.local(name) {
            return Ok(value.clone());
        }
        let place = name.0 as usize;
        if let Some(Some(known)) = self.variables.get(place) {
            return Ok(known.clone());
        }
        let text: &'r str = self.program.names.get(place).map_or("", |name| name);
        let value = match self.context.variable(text)? {
            Some(value) => value,
            None => match Function::named(text) {
                Some(Function::StrftimeNow) if self.context.now().is_none() => Value::Undefined(text),
                Some(function) => Value::Function(function),
                None => Value::Undefined(text),
            },
        };
        if let Some(variable) = self.variables.get_mut(place) {
            *variable = Some(value.clone());
        }
        Ok(value)
    }

    pub(super) fn namespace(&mut self, attributes: super::value::Dict<'r>) -> Value<'r> {
        let namespace = Rc::new(Namespace { attributes: RefCell::new(attributes) });
        self.namespaces.push(Rc::clone(&namespace));
        Value::Namespace(namespace)
    }

    fn print(&mut self, value: &Value<'r>) -> Done<()> {
        if let Value::Text(text) = value {
            self.charge(text.pieces().len() / 8)?;
            self.printed.extend(text.pieces().iter().cloned().map(Printed::Piece));
            return Ok(());
        }
        let text = self.str(value)?;
        self.printed.extend(text.pieces().iter().cloned().map(Printed::Piece));
        Ok(())
    }

    /// What has been printed since the innermost capture began, as a text.
    fn captured(&mut self) -> Done<Text<'r>> {
        let start = self.captures.pop().unwrap_or_default();
        let printed = self.printed.split_off(start.min(self.printed.len()));
        self.charge(printed.len() / 4)?;
        let pieces = printed.into_iter().filter_map(|printed| match printed {
            Printed::Piece(piece) => Some(piece),
            Printed::GenerationStart | Printed::GenerationEnd => None,
        });
        Ok(Text::joined(pieces))
    }

    /// A text that is made of values, as untrusted as they are.
    pub(super) fn made(&mut self, text: &str, origin: Origin) -> Done<Value<'r>> {
        self.charge_bytes(text.len())?;
        Ok(Value::Text(Text::made(text, origin)))
    }
}
