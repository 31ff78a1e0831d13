//! A program and what it is given into what it prints: the machine that runs instructions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use self::calls::Call;
use self::loops::OpenLoop;
use self::scopes::Scopes;
use super::arguments::Arguments;
use super::compiler::NO_ARGUMENTS;
use super::error::{Done, Stop, type_error};
use super::syntax::{Comparator, Instruction, Name, Program, TextId};
use super::text::{Origin, Piece, Text};
use super::value::{Function, Macro, Namespace, Value};

mod calls;
mod loops;
mod scopes;
mod watch;

pub(crate) use self::watch::{Elsewhere, Met};

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

pub(crate) struct Machine<'r> {
    pub(super) program: &'r Program,
    pub(super) context: &'r dyn Context<'r>,
    at: usize,
    stack: Vec<Value<'r>>,
    scopes: Scopes<'r>,
    /// For each text of the program, where it was last found among the keys of a dict.
    hints: Vec<Cell<u32>>,
    /// What the context has for each name that was asked for.
    variables: Vec<Option<Value<'r>>>,
    calls: Vec<Call>,
    loops: Vec<OpenLoop<'r>>,
    /// Where each capture begins among what is printed.
    captures: Vec<usize>,
    printed: Vec<Printed<'r>>,
    /// All that were made, to be emptied one by one: they may hold one another, in a circle or in a long chain.
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
        let mut machine = self.machine(context, steps);
        machine.run()?;
        Ok(std::mem::take(&mut machine.printed))
    }

    fn machine<'r>(&'r self, context: &'r dyn Context<'r>, steps: u64) -> Machine<'r> {
        Machine {
            program: self,
            context,
            at: 0,
            stack: Vec::with_capacity(16),
            scopes: Scopes::new(self.names.len()),
            hints: vec![Cell::new(0); self.texts.len()],
            variables: vec![None; self.names.len()],
            calls: Vec::new(),
            loops: Vec::new(),
            captures: Vec::new(),
            printed: Vec::with_capacity(64),
            namespaces: Vec::new(),
            steps,
        }
    }
}

impl<'r> Machine<'r> {
    fn run(&mut self) -> Done<()> {
        let program = self.program;
        while let Some(instruction) = program.code.get(self.at) {
            let at = self.at;
            self.at += 1;
            if let Err(stop) = self.charge(1).and_then(|()| self.step(instruction)) {
                let line = program.lines.get(at).copied().unwrap_or_default();
                return Err(stop.at(line));
            }
        }
        Ok(())
    }

    /// Takes this many steps of those that are allowed.
    #[inline]
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
        self.program.texts.get(id.0 as usize).map_or("", |known| &known.text)
    }

    #[inline]
    fn push(&mut self, value: Value<'r>) {
        self.stack.push(value);
    }

    #[inline]
    fn pop(&mut self) -> Value<'r> {
        self.stack.pop().unwrap_or(Value::None)
    }

    fn pop_many(&mut self, count: usize) -> Vec<Value<'r>> {
        match count {
            0 => Vec::new(),
            count => self.stack.split_off(self.stack.len().saturating_sub(count)),
        }
    }

    fn jump(&mut self, far: i32) {
        self.at = self.at.saturating_add_signed(far as isize);
    }

    #[inline]
    fn step(&mut self, instruction: &'r Instruction) -> Done<()> {
        match *instruction {
            Instruction::Text(text) => {
                let text = Piece::Template(self.text(text));
                self.printed.push(Printed::Piece(text));
            }
            Instruction::Print => {
                let value = self.pop();
                self.print(value)?;
            }
            Instruction::PrintEach(count) => self.print_each(count as usize)?,
            Instruction::None => self.push(Value::None),
            Instruction::Bool(value) => self.push(Value::Bool(value)),
            Instruction::Integer(number) => self.push(Value::Integer(number)),
            Instruction::Long(digits) => self.push(Value::Long(self.text(digits).into())),
            Instruction::Float(number) => self.push(Value::Float(number)),
            Instruction::Literal(text) => self.push(Value::template(self.text(text))),
            Instruction::Undefined => self.push(Value::Undefined("")),
            Instruction::Name(name) => {
                let value = self.name(name)?;
                self.push(value);
            }
            Instruction::List(count) => {
                let items = self.pop_many(count as usize);
                self.charge(items.len())?;
                self.push(Value::list(items)?);
            }
            Instruction::Tuple(count) => {
                let items = self.pop_many(count as usize);
                self.charge(items.len())?;
                self.push(Value::tuple(items)?);
            }
            Instruction::Dict(count) => self.make_dict(count as usize)?,
            Instruction::Attribute(name) => {
                let of = self.pop();
                let value = self.attribute(&of, self.text(name))?;
                self.push(value);
            }
            Instruction::AttributeOf(of, name) => {
                let value = self.attribute_of(of, name)?;
                self.push(value);
            }
            Instruction::ItemNamed(name) => {
                let of = self.pop();
                let value = self.item_named(&of, self.text(name))?;
                self.push(value);
            }
            Instruction::ItemNamedOf(of, name) => {
                let value = self.item_named_of(of, name)?;
                self.push(value);
            }
            Instruction::Item => {
                let (index, of) = (self.pop(), self.pop());
                let value = self.item(&of, &index)?;
                self.push(value);
            }
            Instruction::Slice => {
                let [step, stop, start] = [self.pop(), self.pop(), self.pop()];
                let of = self.pop();
                let value = self.slice(&of, [start, stop, step])?;
                self.push(value);
            }
            Instruction::Call(shape) => self.call_shaped(shape)?,
            Instruction::Method(name, shape) => self.call_method(name, shape)?,
            Instruction::Filter(filter, shape) => {
                let arguments = match shape {
                    NO_ARGUMENTS => Arguments::default(),
                    shape => self.arguments(shape)?,
                };
                let value = self.pop();
                let value = self.filter(filter, value, arguments)?;
                self.push(value);
            }
            Instruction::Check(check, shape) => {
                let arguments = self.arguments(shape)?;
                let value = self.pop();
                let holds = self.check(check, &value, arguments)?;
                self.push(Value::Bool(holds));
            }
            Instruction::Test(check) => {
                let value = self.pop();
                let holds = self.holds(check, &value, &Value::None)?;
                self.push(Value::Bool(holds));
            }
            Instruction::HasItems => {
                let value = self.pop();
                let has = match &value {
                    Value::Text(text) => !text.is_empty(),
                    value => super::print::length(value)? > 0,
                };
                self.push(Value::Bool(has));
            }
            Instruction::Not => {
                let value = self.pop();
                self.push(Value::Bool(!value.is_true()));
            }
            Instruction::Negative => {
                let value = self.pop();
                self.push(super::operators::signed(&value, "-")?);
            }
            Instruction::Positive => {
                let value = self.pop();
                self.push(super::operators::signed(&value, "+")?);
            }
            Instruction::Compare(comparator) => {
                let (right, left) = (self.pop(), self.pop());
                let holds = self.compare(comparator, &left, &right)?;
                self.push(Value::Bool(holds));
            }
            Instruction::IsPositive => {
                let value = self.pop();
                let is = self.compare(Comparator::Greater, &value, &Value::Integer(0))?;
                self.push(Value::Bool(is));
            }
            Instruction::IsText(text, is) => {
                let value = self.pop();
                let equal = self.equal_to_text(&value, self.text(text))?;
                self.push(Value::Bool(equal == is));
            }
            Instruction::CompareOr(comparator, far) => {
                let (right, left) = (self.pop(), self.pop());
                if self.compare(comparator, &left, &right)? {
                    self.push(right);
                } else {
                    // The operand to come is not looked at.
                    self.jump(far);
                    self.push(Value::Bool(false));
                }
            }
            Instruction::Arithmetic(operator) => {
                let (right, left) = (self.pop(), self.pop());
                let value = self.arithmetic(operator, left, right)?;
                self.push(value);
            }
            Instruction::AddItem => {
                let (item, left) = (self.pop(), self.pop());
                let value = self.add_item(left, item)?;
                self.push(value);
            }
            Instruction::Concatenate(count) => {
                let values = self.pop_many(count as usize);
                let mut pieces = Vec::with_capacity(values.len());
                for value in &values {
                    pieces.extend(self.str(value)?.pieces().iter().cloned());
                }
                self.charge(pieces.len() / 2)?;
                self.push(Value::Text(Text::joined(pieces)));
            }
            Instruction::Jump(far) => self.jump(far),
            Instruction::JumpIfFalse(far) => {
                if !self.pop().is_true() {
                    self.jump(far);
                }
            }
            Instruction::JumpUnlessText(text, is, far) => {
                let value = self.pop();
                if self.equal_to_text(&value, self.text(text))? != is {
                    self.jump(far);
                }
            }
            Instruction::JumpUnless(check, far) => {
                let value = self.pop();
                if !self.holds(check, &value, &Value::None)? {
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
                if self.scopes.is_own(name) {
                    self.jump(far);
                }
            }
            Instruction::Store(name) => {
                let value = self.pop();
                self.scopes.set(name, value);
            }
            Instruction::StoreSum(name, is_item) => {
                let (right, left) = (self.pop(), self.pop());
                if self.scopes.get(name).is_some_and(|known| known.is_same_list(&left)) {
                    // What is in sight no longer holds the list, so that it grows where it is.
                    self.scopes.take(name);
                }
                let sum = self.sum(left, right, is_item)?;
                self.scopes.set(name, sum);
            }
            Instruction::SetAttribute(attribute) => {
                let (namespace, value) = (self.pop(), self.pop());
                self.set_attribute(&namespace, attribute, value)?;
            }
            Instruction::SetAttributeSum(attribute, is_item) => {
                let [namespace, right, left] = [self.pop(), self.pop(), self.pop()];
                if let Value::Namespace(namespace) = &namespace {
                    namespace.attributes.borrow_mut().release(self.text(attribute), &left);
                }
                let sum = self.sum(left, right, is_item)?;
                self.set_attribute(&namespace, attribute, sum)?;
            }
            Instruction::Unpack(count) => self.unpack(count as usize)?,
            Instruction::PushFrame => self.scopes.push(self.scopes.innermost().0),
            Instruction::PopFrame => self.scopes.pop_to(self.scopes.count() - 1),
            Instruction::BeginCapture => self.captures.push(self.printed.len()),
            Instruction::EndCapture => {
                let text = self.captured()?;
                self.push(Value::Text(text));
            }
            Instruction::DropCapture => {
                let start = self.captures.pop().unwrap_or_default();
                self.printed.truncate(start);
            }
            Instruction::Macro(code) => {
                let (frame, serial) = self.scopes.innermost();
                self.push(Value::Macro(Macro { code, frame, serial }));
            }
            Instruction::Return => self.return_from_call()?,
            Instruction::LeaveLoop => self.leave_loop()?,
            Instruction::GenerationStart => self.printed.push(Printed::GenerationStart),
            Instruction::GenerationEnd => self.printed.push(Printed::GenerationEnd),
            Instruction::Fail(said) => return Err(Stop::new("TemplateRuntimeError", self.text(said).to_owned())),
            Instruction::StartLoop(code) => self.start_loop(code)?,
            Instruction::Select(far) => self.begin_selection(far),
            Instruction::Selected(far) => self.select_item(far),
            Instruction::JumpIfSelected(far) => {
                if self.selects() {
                    self.jump(far);
                }
            }
            Instruction::NextItem(far) => {
                if let Some(item) = self.next_item(far)? {
                    self.push(item);
                }
            }
            Instruction::NextItemInto(name, far) => self.next_item_into(name, far)?,
            Instruction::TurnDone => {
                if let Some(open) = self.loops.last_mut() {
                    open.ran = true;
                }
            }
            Instruction::NextTurn(far) => {
                if let Some(open) = self.loops.last_mut() {
                    open.ran = true;
                }
                self.jump(far);
            }
            Instruction::EndLoop(far) => self.end_loop(far),
        }
        Ok(())
    }

    fn make_dict(&mut self, count: usize) -> Done<()> {
        self.charge(count)?;
        let start = self.stack.len().saturating_sub(count * 2);
        let mut values = self.stack.drain(start..);
        let mut members = Vec::with_capacity(count);
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            members.push((key, value));
        }
        drop(values);
        self.push(Value::dict(members)?);
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

    fn set_attribute(&mut self, namespace: &Value<'r>, attribute: TextId, value: Value<'r>) -> Done<()> {
        match namespace {
            Value::Namespace(namespace) => {
                let text = self.text(attribute);
                super::functions::check_attribute(text)?;
                namespace.attributes.borrow_mut().set(text, value, self.hints.get(attribute.0 as usize));
                Ok(())
            }
            _ => Err(Stop::new("TemplateRuntimeError", "cannot assign attribute on non-namespace object")),
        }
    }

    #[inline]
    fn name(&mut self, name: Name) -> Done<Value<'r>> {
        match self.scopes.get(name) {
            Some(value) => Ok(value.clone()),
            None => self.variable(name),
        }
    }

    /// The value of a name that the template gives none.
    fn variable(&mut self, name: Name) -> Done<Value<'r>> {
        let place = name.0 as usize;
        if let Some(Some(known)) = self.variables.get(place) {
            return Ok(known.clone());
        }
        let text = self.program.name(name);
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

    /// `name.member`, without a copy of the dict or namespace that the name stands for.
    fn attribute_of(&mut self, name: Name, member: TextId) -> Done<Value<'r>> {
        let Some(known) = self.program.texts.get(member.0 as usize) else { return Ok(Value::None) };
        let (text, hint) = (&*known.text, self.hints.get(member.0 as usize));
        match self.scopes.get(name) {
            Some(Value::Dict(dict)) if !known.is_of_dict => {
                Ok(dict.get_near(text, hint).cloned().unwrap_or(Value::Undefined(text)))
            }
            Some(Value::Namespace(namespace)) => {
                let attributes = namespace.attributes.borrow();
                Ok(attributes.get_near(text, hint).cloned().unwrap_or(Value::Undefined(text)))
            }
            _ => {
                let of = self.name(name)?;
                self.attribute(&of, text)
            }
        }
    }

    /// `name['member']`, without a copy of the dict that the name stands for.
    fn item_named_of(&mut self, name: Name, member: TextId) -> Done<Value<'r>> {
        let text = self.text(member);
        if let Some(Value::Dict(dict)) = self.scopes.get(name)
            && let Some(found) = dict.get_near(text, self.hints.get(member.0 as usize))
        {
            return Ok(found.clone());
        }
        let of = self.name(name)?;
        self.item_named(&of, text)
    }

    pub(super) fn namespace(&mut self, attributes: super::value::Dict<'r>) -> Value<'r> {
        let namespace = Rc::new(Namespace { attributes: RefCell::new(attributes) });
        self.namespaces.push(Rc::clone(&namespace));
        Value::Namespace(namespace)
    }

    fn print(&mut self, value: Value<'r>) -> Done<()> {
        let text = match value {
            Value::Text(text) => text,
            value => self.str(&value)?,
        };
        self.charge(text.pieces().len() / 8)?;
        let printed = &mut self.printed;
        text.for_each_piece(|piece| printed.push(Printed::Piece(piece)));
        Ok(())
    }

    /// Prints what would otherwise be joined first.
    fn print_each(&mut self, count: usize) -> Done<()> {
        for place in self.stack.len().saturating_sub(count)..self.stack.len() {
            let value = self.stack.get_mut(place).map_or(Value::None, |value| std::mem::replace(value, Value::None));
            self.print(value)?;
        }
        self.stack.truncate(self.stack.len().saturating_sub(count));
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
