//! A program and a chat into what the program prints.

use std::cell::RefCell;
use std::rc::Rc;

use super::syntax::{Assigned, Block, Expression, For, Macro, Name, Program, Statement};
use super::text::{Piece, Text};
use super::value::{List, Members, Value, number_text};
use super::{Input, Printed};
use crate::template::keep::MAX_ITEMS;

/// How deep macros may call one another.
const MAX_CALLS: usize = 6;

/// What follows a statement.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// A loop that runs.
pub(super) struct Loop<'r> {
    pub(super) list: Rc<List<'r>>,
    pub(super) index: usize,
}

/// The state of a run. Whatever gives none has met what only the engine knows.
pub(super) struct Run<'r> {
    program: &'r Program,
    pub(super) input: Input<'r>,
    /// The values that names have, the innermost last.
    locals: Vec<(Name, Value<'r>)>,
    /// Where the values begin that the innermost loop or macro has set.
    frame: usize,
    /// Where the values begin that can be seen: those of the macro that runs.
    seen: usize,
    /// Where the macro that runs is among the values: what stands before it, it knows.
    defined: usize,
    loops: Vec<Loop<'r>>,
    /// What names mean that the template does not set, as far as they were asked for.
    variables: Vec<Option<Value<'r>>>,
    printed: Vec<Printed<'r>>,
    calls: usize,
    steps: u64,
}

impl<'r> Run<'r> {
    pub(super) fn new(program: &'r Program, input: Input<'r>, steps: u64) -> Self {
        Run {
            program,
            input,
            locals: Vec::new(),
            frame: 0,
            seen: 0,
            defined: 0,
            loops: Vec::new(),
            variables: vec![None; program.names.len()],
            printed: Vec::new(),
            calls: 0,
            steps,
        }
    }

    /// What the whole program prints.
    pub(super) fn finish(mut self) -> Option<Vec<Printed<'r>>> {
        let program = self.program;
        self.block(&program.body)?;
        Some(self.printed)
    }

    /// Takes so many steps of those that are allowed.
    pub(super) fn charge(&mut self, steps: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(u64::try_from(steps).ok()?)?;
        Some(())
    }

    /// How many bytes may be made at once, for the steps that are left.
    pub(super) fn budget(&self) -> usize {
        usize::try_from(self.steps.saturating_mul(4)).unwrap_or(usize::MAX)
    }

    fn block(&mut self, block: &'r Block) -> Option<Flow> {
        for statement in block {
            let flow = self.statement(statement)?;
            if flow != Flow::Next {
                return Some(flow);
            }
        }
        Some(Flow::Next)
    }

    fn statement(&mut self, statement: &'r Statement) -> Option<Flow> {
        self.charge(1)?;
        match statement {
            Statement::Text(text) => self.printed.push(Printed::Piece(Piece::Template(text))),
            Statement::Print(Expression::Call(name, arguments)) => self.call(*name, arguments)?,
            Statement::Print(expression) => {
                let value = self.value(expression)?;
                self.print(value)?;
            }
            Statement::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.holds(condition)? {
                        return self.block(body);
                    }
                }
                return self.block(otherwise);
            }
            Statement::For(iteration) => return self.iterate(iteration),
            Statement::Set(name, expression) => {
                let value = self.value(expression)?;
                self.set(*name, value);
            }
            Statement::SetAttribute(namespace, attribute, expression) => {
                let value = self.value(expression)?;
                self.set_attribute(*namespace, attribute, value)?;
            }
            Statement::AddToAttribute(namespace, attribute, expression) => {
                self.add_to_attribute(*namespace, attribute, expression)?;
            }
            Statement::SetBlock(name, body) => {
                let start = self.printed.len();
                let flow = self.block(body)?;
                let text = self.take_printed(start)?;
                self.set(*name, Value::Text(text));
                return Some(flow);
            }
            Statement::Macro(name, place) => self.set(*name, Value::Macro(*place)),
            Statement::Generation(body) => {
                let (frame, local) = (self.frame, self.locals.len());
                self.frame = local;
                self.printed.push(Printed::GenerationStart);
                let flow = self.block(body)?;
                self.printed.push(Printed::GenerationEnd);
                self.locals.truncate(local);
                self.frame = frame;
                return Some(flow).filter(|flow| *flow == Flow::Next);
            }
            Statement::Break => return Some(Flow::Break),
            Statement::Continue => return Some(Flow::Continue),
            Statement::Unknown => return None,
        }
        Some(Flow::Next)
    }

    fn print(&mut self, value: Value<'r>) -> Option<()> {
        let text = match value {
            Value::Undefined => return Some(()),
            Value::Text(text) => text,
            Value::Bool(true) => Text::template("True"),
            Value::Bool(false) => Text::template("False"),
            Value::None => Text::template("None"),
            number @ (Value::Integer(_) | Value::Float(_)) => number_text(&number)?,
            _ => return None,
        };
        match text {
            Text::One(piece) => self.printed.push(Printed::Piece(piece)),
            Text::Joined(pieces) => {
                self.charge(pieces.len())?;
                self.printed.extend(pieces.iter().cloned().map(Printed::Piece));
            }
        }
        Some(())
    }

    /// What has been printed since then, as a text.
    fn take_printed(&mut self, start: usize) -> Option<Text<'r>> {
        let printed = self.printed.split_off(start);
        self.charge(printed.len())?;
        let pieces: Option<Vec<_>> = printed
            .into_iter()
            .map(|printed| match printed {
                Printed::Piece(piece) => Some(piece),
                Printed::GenerationStart | Printed::GenerationEnd => None,
            })
            .collect();
        Some(Text::joined(pieces?))
    }

    fn iterate(&mut self, iteration: &'r For) -> Option<Flow> {
        let mut list = match self.value(&iteration.iterated)? {
            Value::List(list) => list,
            Value::Undefined => Rc::default(),
            Value::Text(text) => {
                self.charge(text.bytes())?;
                Rc::new(List::of(text.each_character()?.into_iter().map(Value::Text).collect())?)
            }
            _ => return None,
        };
        let (frame, local) = (self.frame, self.locals.len());
        self.frame = local;
        if let Some(condition) = &iteration.condition {
            let mut items = Vec::new();
            for item in &list.items {
                self.assign(&iteration.targets, item)?;
                if self.holds(condition)? {
                    items.push(item.clone());
                }
            }
            list = Rc::new(List::of(items)?);
        }
        self.loops.push(Loop { list: Rc::clone(&list), index: 0 });
        for (index, item) in list.items.iter().enumerate() {
            self.charge(1)?;
            self.assign(&iteration.targets, item)?;
            if let Some(open) = self.loops.last_mut() {
                open.index = index;
            }
            let flow = self.block(&iteration.body)?;
            if flow != Flow::Next && !iteration.otherwise.is_empty() {
                // Jinja takes a turn that is left early for none.
                return None;
            }
            if flow == Flow::Break {
                break;
            }
        }
        self.loops.pop();
        self.locals.truncate(local);
        self.frame = frame;
        if list.items.is_empty() { self.block(&iteration.otherwise) } else { Some(Flow::Next) }
    }

    /// Begins a loop's turn: its targets are all that is set in it.
    fn assign(&mut self, targets: &[Name], item: &Value<'r>) -> Option<()> {
        self.locals.truncate(self.frame);
        match (targets, item) {
            ([target], item) => self.locals.push((*target, item.clone())),
            (targets, Value::List(items)) if targets.len() == items.items.len() => {
                self.locals.extend(targets.iter().copied().zip(items.items.iter().cloned()));
            }
            _ => return None,
        }
        Some(())
    }

    /// The innermost loop.
    pub(super) fn innermost_loop(&self) -> Option<&Loop<'r>> {
        self.loops.last()
    }

    fn set(&mut self, name: Name, value: Value<'r>) {
        let own = self.locals.get_mut(self.frame..).unwrap_or_default();
        match own.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.locals.push((name, value)),
        }
    }

    /// The value that a name has been given where that can be seen.
    fn local(&self, name: Name) -> Option<&Value<'r>> {
        let seen = self.locals.get(self.seen..).unwrap_or_default();
        seen.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(super) fn name(&mut self, name: Name) -> Option<Value<'r>> {
        if let Some(value) = self.local(name) {
            return Some(value.clone());
        }
        let (text, assigned) = self.program.names.get(name.0)?;
        if self.calls > 0 && *assigned != Assigned::Nowhere {
            return self.enclosed(name).cloned();
        }
        if let Some(Some(known)) = self.variables.get(name.0) {
            return Some(known.clone());
        }
        let value = self.input.variable(text)?;
        if let Some(variable) = self.variables.get_mut(name.0) {
            *variable = Some(value.clone());
        }
        Some(value)
    }

    /// What a name was outside of the macro that runs when that was defined, where it cannot have become another since.
    fn enclosed(&self, name: Name) -> Option<&Value<'r>> {
        let (_, Assigned::Once) = self.program.names.get(name.0)? else { return None };
        let outside = self.locals.get(..self.defined)?;
        outside.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn attributes(&self, namespace: Name) -> Option<Rc<RefCell<Members<'r>>>> {
        match self.local(namespace).or_else(|| self.enclosed(namespace))? {
            Value::Namespace(attributes) => Some(Rc::clone(attributes)),
            _ => None,
        }
    }

    fn set_attribute(&mut self, namespace: Name, attribute: &'r str, value: Value<'r>) -> Option<()> {
        if matches!(value, Value::Namespace(_) | Value::Macro(_)) {
            return None;
        }
        let attributes = self.attributes(namespace)?;
        let mut attributes = attributes.borrow_mut();
        match attributes.iter_mut().find(|(known, _)| *known == attribute) {
            Some((_, known)) => *known = value,
            None => attributes.push((attribute, value)),
        }
        Some(())
    }

    /// Adds to an attribute; a list that nothing else holds grows in place.
    fn add_to_attribute(&mut self, namespace: Name, attribute: &'r str, added: &'r Expression) -> Option<()> {
        let attributes = self.attributes(namespace)?;
        let own = |attributes: &mut Members<'r>| {
            let own = attributes.iter_mut().find(|(known, _)| *known == attribute)?;
            Some(std::mem::replace(&mut own.1, Value::Undefined))
        };
        let added = self.value(added)?;
        let own = own(&mut attributes.borrow_mut())?;
        let sum = self.add(own, added)?;
        self.set_attribute(namespace, attribute, sum)
    }

    /// `one + other`
    pub(super) fn add(&mut self, one: Value<'r>, other: Value<'r>) -> Option<Value<'r>> {
        match (one, other) {
            (Value::Integer(one), Value::Integer(other)) => one.checked_add(other).map(Value::Integer),
            (Value::Text(one), Value::Text(other)) => self.join_two(&one, &other),
            (Value::List(mut one), Value::List(other)) => {
                if Rc::get_mut(&mut one).is_none() {
                    self.charge(one.items.len())?;
                }
                self.charge(other.items.len())?;
                let list = Rc::make_mut(&mut one);
                other.items.iter().try_for_each(|item| list.push(item.clone()))?;
                (list.items.len() <= MAX_ITEMS).then_some(Value::List(one))
            }
            _ => None,
        }
    }

    pub(super) fn join_two(&mut self, one: &Text<'r>, other: &Text<'r>) -> Option<Value<'r>> {
        let text = one.then(other);
        self.charge(text.pieces().len())?;
        Some(Value::Text(text))
    }

    /// Runs a macro, which prints.
    fn call(&mut self, name: Name, arguments: &'r [(Option<Name>, Expression)]) -> Option<()> {
        let Value::Macro(place) = self.name(name)? else { return None };
        let called = self.program.macros.get(place)?;
        let given = self.arguments(called, arguments)?;
        let (frame, seen, defined, local) = (self.frame, self.seen, self.defined, self.locals.len());
        let loops = std::mem::take(&mut self.loops);
        (self.frame, self.seen) = (local, local);
        self.defined =
            self.locals.iter().rposition(|(_, value)| matches!(value, Value::Macro(own) if *own == place))?;
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return None;
        }
        self.locals.extend(given);
        self.block(&called.body)?;
        self.locals.truncate(local);
        self.calls -= 1;
        self.loops = loops;
        (self.frame, self.seen, self.defined) = (frame, seen, defined);
        Some(())
    }

    /// What a macro prints, as a text.
    pub(super) fn called(&mut self, name: Name, arguments: &'r [(Option<Name>, Expression)]) -> Option<Text<'r>> {
        let start = self.printed.len();
        self.call(name, arguments)?;
        self.take_printed(start)
    }

    /// The values of a macro's parameters, in their order.
    fn arguments(
        &mut self,
        called: &'r Macro,
        arguments: &'r [(Option<Name>, Expression)],
    ) -> Option<Vec<(Name, Value<'r>)>> {
        let mut given: Vec<_> = called.parameters.iter().map(|parameter| (parameter.name, Value::Undefined)).collect();
        for (place, (name, argument)) in arguments.iter().enumerate() {
            let place = match name {
                None => place,
                Some(name) => given.iter().position(|(known, _)| known == name)?,
            };
            let value = self.value(argument)?;
            let parameter = given.get_mut(place)?;
            if !matches!((&parameter.1, &value), (Value::Undefined, value) if value.may_be_passed()) {
                return None;
            }
            parameter.1 = value;
        }
        for (parameter, (_, value)) in called.parameters.iter().zip(&mut given) {
            if let (Value::Undefined, Some(default)) = (&*value, &parameter.default) {
                *value = Value::literal(default);
            }
        }
        Some(given)
    }
}
