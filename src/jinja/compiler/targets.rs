//! What is given a value: names, attributes of namespaces, and several in one.

use super::super::error::Done;
use super::super::lexer::{Token, syntax};
use super::super::syntax::{Instruction, Name, Operator, TextId};
use super::{Compiler, described, is_constant};

/// What is given a value.
pub(super) enum Target {
    Name(Name),
    Attribute(Name, TextId),
    Tuple(Vec<Target>),
}

impl Compiler<'_> {
    /// What is given a value.
    pub(super) fn target(&mut self, attributes: bool) -> Done<Target> {
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if matches!(self.peek(), Token::BlockEnd | Token::PrintEnd | Token::Sign(")")) {
                break;
            }
            targets.push(self.one_target(attributes)?);
            if !self.sign(",") {
                break;
            }
            is_tuple = true;
        }
        match targets.pop() {
            Some(target) if !is_tuple => Ok(target),
            Some(target) => {
                targets.push(target);
                Ok(Target::Tuple(targets))
            }
            None => Err(syntax(format!("Expected an expression, got '{}'", described(self.peek())), self.line())),
        }
    }

    fn one_target(&mut self, attributes: bool) -> Done<Target> {
        let line = self.line();
        if self.sign("(") {
            let target = self.nested(|compiler| compiler.target(false))?;
            self.expect_sign(")")?;
            return Ok(target);
        }
        let Token::Name(text) = self.peek() else {
            return Err(syntax(format!("can't assign to '{}'", described(self.peek())), line));
        };
        let text = *text;
        if is_constant(text) {
            return Err(syntax("can't assign to 'const'", line));
        }
        self.at += 1;
        let name = self.name(text);
        if attributes && self.sign(".") {
            self.uses(text, name);
            let attribute = self.word_of_any_kind()?;
            return Ok(Target::Attribute(name, self.text_id(attribute)));
        }
        Ok(Target::Name(name))
    }

    pub(super) fn store(&mut self, target: &Target) {
        match target {
            Target::Name(name) => {
                self.emit(Instruction::Store(*name));
            }
            Target::Attribute(namespace, attribute) => {
                let sum = self.program.code.last().filter(|_| self.landed < self.here());
                let (is_sum, is_item) = match sum {
                    Some(Instruction::Arithmetic(Operator::Add)) => (true, false),
                    Some(Instruction::AddItem) => (true, true),
                    _ => (false, false),
                };
                if is_sum {
                    self.program.code.pop();
                    self.program.lines.pop();
                }
                self.emit(Instruction::Name(*namespace));
                self.emit(match is_sum {
                    true => Instruction::SetAttributeSum(*attribute, is_item),
                    false => Instruction::SetAttribute(*attribute),
                });
            }
            Target::Tuple(targets) => {
                self.emit(Instruction::Unpack(u32::try_from(targets.len()).unwrap_or(u32::MAX)));
                targets.iter().for_each(|target| self.store(target));
            }
        }
    }
}

impl Target {
    /// The names that it gives a value.
    pub(super) fn names<'t>(&'t self, names: &'t [Box<str>]) -> Box<dyn Iterator<Item = &'t str> + 't> {
        match self {
            Target::Name(name) => Box::new(names.get(name.0 as usize).into_iter().map(|name| &**name)),
            Target::Attribute(..) => Box::new(std::iter::empty()),
            Target::Tuple(targets) => Box::new(targets.iter().flat_map(|target| target.names(names))),
        }
    }
}
