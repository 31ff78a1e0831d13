//! Calls: of macros and recursive loops, which run on, and of what returns at once.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::arguments::Arguments;
use super::super::error::{Done, Stop, type_error};
use super::super::functions::check_attribute;
use super::super::syntax::{CallShape, Instruction, MacroCode, TextId};
use super::super::text::Text;
use super::super::value::{Dict, Function, LoopState, Macro, Value};
use super::Machine;

/// How deep macros may call one another. Python gives up at about as many.
const MAX_CALLS: usize = 200;

/// What to return to.
pub(super) struct Call {
    back: usize,
    /// How many frames the caller has, and the one that it stands in.
    frames: usize,
    caller: u32,
    /// The frame that the code stands in.
    parent: u32,
    loops: usize,
    captures: usize,
    /// Is what it prints printed at once?
    direct: bool,
    /// Is it a loop that was called?
    is_loop: bool,
}

impl<'r> Machine<'r> {
    pub(super) fn call_shaped(&mut self, shape: u32) -> Done<()> {
        let program = self.program;
        if let Some(shape) = program.calls.get(shape as usize)
            && !shape.star
            && !shape.double_star
            && let Some(place) = self.stack.len().checked_sub(shape.positional + shape.named.len() + 1)
        {
            match self.stack.get(place) {
                Some(Value::Macro(called)) => {
                    let called = *called;
                    if let Some(code) = program.macros.get(called.code as usize)
                        && code.is_met_by(shape)
                    {
                        return self.call_plainly(called, code, shape, place);
                    }
                }
                Some(Value::Function(Function::Namespace)) if shape.positional == 0 && shape.has_different_names() => {
                    return self.make_namespace(shape, place);
                }
                _ => {}
            }
        }
        let arguments = self.arguments(shape)?;
        let callee = self.pop();
        self.call(callee, arguments)
    }

    pub(super) fn call_method(&mut self, name: TextId, shape: u32) -> Done<()> {
        let arguments = self.arguments(shape)?;
        let of = self.pop();
        let name = self.text(name);
        if super::super::methods::has(&of, name) {
            let value = self.method(&of, name, arguments)?;
            self.stack.push(value);
            return Ok(());
        }
        let callee = self.attribute(&of, name)?;
        self.call(callee, arguments)
    }

    /// Takes what a call gives off the stack.
    pub(super) fn arguments(&mut self, shape: u32) -> Done<Arguments<'r>> {
        let program = self.program;
        let Some(shape) = program.calls.get(shape as usize) else { return Ok(Arguments::default()) };
        let values = self.pop_many(shape.named.len());
        let double_star = shape.double_star.then(|| self.pop());
        let star = shape.star.then(|| self.pop());
        let mut positional = self.pop_many(shape.positional);
        if let Some(star) = star {
            positional.extend(self.iterate(&star)?);
        }
        let mut named: Vec<(Cow<'r, str>, Value<'r>)> = Vec::with_capacity(values.len());
        for (name, value) in shape.named.iter().zip(values) {
            named.push((Cow::Borrowed(program.name(*name)), value));
        }
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
        self.stack.push(value);
        Ok(())
    }

    /// `namespace(name=value)`, whose values are all that stands on the stack behind this place.
    fn make_namespace(&mut self, shape: &'r CallShape, place: usize) -> Done<()> {
        let program = self.program;
        self.charge(shape.named.len())?;
        let mut members = Vec::with_capacity(shape.named.len());
        for (name, value) in shape.named.iter().zip(self.stack.drain(place + 1..)) {
            let name = program.name(*name);
            check_attribute(name)?;
            members.push((Value::template(name), value));
        }
        let attributes = Dict::of_texts(members)?;
        self.stack.pop();
        let namespace = self.namespace(attributes);
        self.stack.push(namespace);
        Ok(())
    }

    /// Calls a macro that is given what it has parameters for, from the stack into its frame.
    fn call_plainly(&mut self, called: Macro, code: &'r MacroCode, shape: &CallShape, place: usize) -> Done<()> {
        let program = self.program;
        self.charge(shape.positional + shape.named.len())?;
        self.scopes.alive(called.frame, called.serial)?;
        self.enter(code.start, called.frame, false)?;
        for (index, parameter) in code.parameters.iter().enumerate() {
            let given = match index < shape.positional {
                true => Some(index),
                false => {
                    let named = shape.named.iter().position(|name| *name == parameter.name);
                    named.map(|named| shape.positional + named)
                }
            };
            let value = match given.and_then(|given| self.stack.get_mut(place + 1 + given)) {
                Some(value) => std::mem::replace(value, Value::None),
                None if parameter.has_default => continue,
                None => Value::Undefined(program.name(parameter.name)),
            };
            self.scopes.set(parameter.name, value);
        }
        self.stack.truncate(place);
        Ok(())
    }

    /// Begins to run code of another frame.
    fn enter(&mut self, start: usize, parent: u32, is_loop: bool) -> Done<()> {
        if self.calls.len() >= MAX_CALLS {
            return Err(Stop::new("RecursionError", "maximum recursion depth exceeded"));
        }
        let direct = self.program.code.get(self.at) == Some(&Instruction::Print);
        let (caller, _) = self.scopes.innermost();
        self.calls.push(Call {
            back: self.at + usize::from(direct),
            frames: self.scopes.count(),
            caller,
            parent,
            loops: self.loops.len(),
            captures: self.captures.len(),
            direct,
            is_loop,
        });
        if !direct {
            self.captures.push(self.printed.len());
        }
        self.scopes.switch(caller, parent);
        if !is_loop {
            self.scopes.push(parent);
        }
        self.at = start;
        Ok(())
    }

    pub(super) fn return_from_call(&mut self) -> Done<()> {
        let Some(call) = self.calls.pop() else { return Ok(()) };
        if !call.direct {
            let text = self.captured()?;
            self.stack.push(Value::Text(text));
        }
        self.scopes.pop_to(call.frames);
        self.scopes.switch(call.parent, call.caller);
        self.loops.truncate(call.loops);
        self.captures.truncate(call.captures);
        self.at = call.back;
        Ok(())
    }

    /// Returns from a loop that was called, where the loop that ended is one.
    pub(super) fn leave_loop(&mut self) -> Done<()> {
        let loops = self.loops.len();
        match self.calls.last().is_some_and(|call| call.is_loop && call.loops == loops) {
            true => self.return_from_call(),
            false => Ok(()),
        }
    }

    fn call_macro(&mut self, called: Macro, arguments: Arguments<'r>) -> Done<()> {
        let program = self.program;
        let Some(code) = program.macros.get(called.code as usize) else { return Ok(()) };
        self.scopes.alive(called.frame, called.serial)?;
        let name = code.name.as_deref().unwrap_or("anonymous");
        let Arguments { positional, mut named } = arguments;
        let mut positional = positional.into_iter();
        let mut given = Vec::with_capacity(code.parameters.len());
        for parameter in &code.parameters {
            let text = program.name(parameter.name);
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
        self.enter(code.start, called.frame, false)?;
        for (name, value) in given {
            self.scopes.set(name, value);
        }
        Ok(())
    }

    /// `loop(items)` in a recursive loop.
    fn call_loop(&mut self, state: &Rc<LoopState<'r>>, arguments: Arguments<'r>) -> Done<()> {
        let recursive = self.program.loops.get(state.code as usize).is_some_and(|code| code.recursive);
        if !recursive {
            return Err(type_error("The loop must have the 'recursive' marker to be called recursively."));
        }
        self.scopes.alive(state.frame, state.serial)?;
        let [items] = arguments.bind("loop", ["iterable"], 1)?;
        self.enter(state.start, state.frame, true)?;
        self.stack.push(items.unwrap_or(Value::None));
        self.start_loop_in(state.code, (state.frame, state.serial), state.depth0 + 1)?;
        self.at += 1;
        Ok(())
    }
}

impl MacroCode {
    /// Is all that is given a parameter's, once?
    fn is_met_by(&self, shape: &CallShape) -> bool {
        let rest = self.parameters.iter().skip(shape.positional);
        self.uses_varargs.is_none()
            && self.uses_kwargs.is_none()
            && self.uses_caller.is_none()
            && shape.positional <= self.parameters.len()
            && shape.has_different_names()
            && shape.named.iter().all(|name| rest.clone().any(|parameter| parameter.name == *name))
    }
}

impl CallShape {
    fn has_different_names(&self) -> bool {
        let is_new = |(place, name)| !self.named.get(..place).unwrap_or_default().contains(name);
        self.named.iter().enumerate().all(is_new)
    }
}
