//! Macros and the blocks that call them.

use super::super::error::Done;
use super::super::lexer::{Token, syntax};
use super::super::syntax::{Instruction, MacroCode, Name, Parameter};
use super::{Compiler, Open, Special, is_constant};

impl<'s> Compiler<'s> {
    pub(super) fn definition(&mut self) -> Done<()> {
        let text = self.word_of_any_kind()?;
        let name = self.name(text);
        let code = self.function(Some(text), |compiler| compiler.hard_body(&["endmacro"]))?;
        self.emit(Instruction::Macro(code));
        self.emit(Instruction::Store(name));
        Ok(())
    }

    /// A signature and a body, which are skipped where they stand.
    fn function(&mut self, name: Option<&str>, body: impl FnOnce(&mut Self) -> Done<&'s str>) -> Done<u32> {
        let over = self.emit(Instruction::Jump(0));
        let start = self.here();
        self.open.push(Open::Macro(Special::default()));
        let parameters = if name.is_some() || self.is_sign("(") { self.signature()? } else { Vec::new() };
        if name.is_none() {
            // The call stands between the parameters and the body; it is compiled afterwards.
            self.skip_filters()?;
        }
        body(self)?;
        self.emit(Instruction::Return);
        let special = match self.open.pop() {
            Some(Open::Macro(special)) => special,
            _ => Special::default(),
        };
        self.land(over);
        let given = |name: &Option<Name>| parameters.iter().any(|parameter| Some(parameter.name) == *name);
        self.program.macros.push(MacroCode {
            name: name.map(Box::from),
            start,
            uses_varargs: special.varargs.filter(|name| !given(&Some(*name))),
            uses_kwargs: special.kwargs.filter(|name| !given(&Some(*name))),
            uses_caller: special.caller.filter(|name| !given(&Some(*name))),
            parameters,
        });
        Ok(u32::try_from(self.program.macros.len() - 1).unwrap_or(u32::MAX))
    }

    fn signature(&mut self) -> Done<Vec<Parameter>> {
        self.expect_sign("(")?;
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut defaults = false;
        while !self.sign(")") {
            if !parameters.is_empty() {
                self.expect_sign(",")?;
            }
            let line = self.line();
            let text = self.word_of_any_kind()?;
            if is_constant(text) {
                return Err(syntax(format!("can't assign to '{text}'"), line));
            }
            let name = self.name(text);
            if parameters.iter().any(|parameter| parameter.name == name) {
                return Err(syntax(format!("duplicate argument '{text}' in function definition"), line));
            }
            let has_default = self.sign("=");
            if has_default {
                let given = self.emit(Instruction::JumpIfGiven(name, 0));
                self.expression()?;
                self.emit(Instruction::Store(name));
                self.land(given);
            } else if defaults {
                return Err(syntax("non-default argument follows default argument", line));
            }
            defaults |= has_default;
            parameters.push(Parameter { name, has_default });
        }
        Ok(parameters)
    }

    pub(super) fn call_block(&mut self, line: u32) -> Done<()> {
        let signature = self.at;
        let code = self.function(None, |compiler| compiler.hard_body(&["endcall"]))?;
        let back = std::mem::replace(&mut self.at, signature);
        if self.is_sign("(") {
            // The parameters have been compiled with the body.
            let (mut depth, mut first) = (0usize, true);
            while first || depth > 0 {
                first = false;
                match self.next() {
                    Token::Sign("(" | "[" | "{") => depth += 1,
                    Token::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        self.expression()?;
        let end = self.here().saturating_sub(1);
        let Some(Instruction::Call(shape) | Instruction::Method(_, shape)) = self.program.code.get(end).copied() else {
            return Err(syntax("expected call", line));
        };
        if !matches!(self.peek(), Token::BlockEnd) {
            return Err(self.expected("end of statement block"));
        }
        let mut with_caller = self.program.calls.get(shape as usize).cloned().unwrap_or_default();
        let caller = self.name("caller");
        with_caller.named.push(caller);
        let with_caller = self.call_shape(with_caller);
        let call = match self.program.code.pop() {
            Some(Instruction::Method(name, _)) => Instruction::Method(name, with_caller),
            _ => Instruction::Call(with_caller),
        };
        self.program.lines.pop();
        self.emit(Instruction::Macro(code));
        self.emit(call);
        self.emit(Instruction::Print);
        self.at = back;
        Ok(())
    }
}
