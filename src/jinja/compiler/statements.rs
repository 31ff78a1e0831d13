//! Statements into code, but for macros.

use super::super::error::Done;
use super::super::lexer::{Token, syntax};
use super::super::syntax::{Instruction, LoopCode};
use super::{Compiler, Open};

impl<'s> Compiler<'s> {
    pub(super) fn statement(&mut self, word: &'s str, line: u32) -> Done<()> {
        match word {
            "if" => self.condition(),
            "for" => self.iteration(line),
            "set" => self.set(),
            "macro" => self.definition(),
            "call" => self.call_block(line),
            "filter" => self.filter_block(),
            "with" => self.with(),
            "generation" => self.generation(),
            "block" => self.inline_block(),
            "print" => self.print(),
            "break" | "continue" => self.leave(word, line),
            "include" | "import" | "from" | "extends" => self.other_template(),
            "autoescape" if self.word("false") || self.word("False") => {
                self.emit(Instruction::PushFrame);
                self.open.push(Open::Frame);
                self.hard_body(&["endautoescape"])?;
                self.open.pop();
                self.emit(Instruction::PopFrame);
                Ok(())
            }
            "autoescape" => Err(syntax("autoescape is only supported where it is false", line)),
            _ => Err(syntax(format!("Encountered unknown tag '{word}'."), line)),
        }
    }

    fn condition(&mut self) -> Done<()> {
        let soft = std::mem::replace(&mut self.soft, true);
        let mut done = Vec::new();
        loop {
            self.tuple(false, &[], false)?;
            let skip = self.emit(Instruction::JumpIfFalse(0));
            let end = self.body(&["elif", "else", "endif"])?;
            if end == "endif" {
                self.land(skip);
                break;
            }
            done.push(self.emit(Instruction::Jump(0)));
            self.land(skip);
            if end == "else" {
                self.body(&["endif"])?;
                break;
            }
        }
        for jump in done {
            self.land(jump);
        }
        self.soft = soft;
        Ok(())
    }

    fn iteration(&mut self, line: u32) -> Done<()> {
        let target = self.target(false)?;
        if target.names(&self.program.names).any(|name| name == "loop") {
            return Err(syntax("Can't assign to special loop variable in for-loop target", line));
        }
        if !self.word("in") {
            return Err(self.expected("in"));
        }
        self.tuple(false, &["recursive"], false)?;
        let code = self.program.loops.len();
        let code_id = u32::try_from(code).unwrap_or(u32::MAX);
        self.program.loops.push(LoopCode { loop_name: None, recursive: false, selects: false });
        self.emit(Instruction::StartLoop(code_id));
        let select = self.emit(Instruction::Select(0));
        self.store(&target);
        let condition = self.here();
        let chosen = self.word("if");
        if chosen {
            let soft = std::mem::replace(&mut self.soft, false);
            self.nested(Self::conditional)?;
            self.soft = soft;
        }
        let lines: Vec<_> = self.program.lines.get(condition..).unwrap_or_default().to_vec();
        let condition: Vec<_> = self.program.code.get(condition..).unwrap_or_default().to_vec();
        self.jump_to(Instruction::Selected, select + 1);
        self.land(select);
        if !chosen {
            self.program.code.truncate(select);
            self.program.lines.truncate(select);
        }
        let recursive = self.word("recursive");
        let next = self.emit(Instruction::NextItem(0));
        self.store(&target);
        if chosen {
            let skip = self.emit(Instruction::JumpIfSelected(0));
            // Its jumps stay within it.
            self.program.lines.extend(lines);
            self.program.code.extend(condition);
            self.landed = self.here();
            self.jump_to(Instruction::JumpIfFalse, next);
            self.land(skip);
        }
        self.open.push(Open::Loop { next, breaks: Vec::new(), uses_loop: false });
        let end = self.hard_body(&["endfor", "else"])?;
        self.emit(Instruction::TurnDone);
        self.jump_to(Instruction::Jump, next);
        self.land(next);
        if let Some(Open::Loop { breaks, uses_loop, .. }) = self.open.pop() {
            for jump in breaks {
                self.land(jump);
            }
            let loop_name = (uses_loop || recursive).then(|| self.name("loop"));
            if let Some(code) = self.program.loops.get_mut(code) {
                *code = LoopCode { loop_name, recursive, selects: chosen && loop_name.is_some() };
            }
        }
        let over = self.emit(Instruction::EndLoop(0));
        if end == "else" {
            self.hard_body(&["endfor"])?;
        }
        self.land(over);
        if recursive {
            self.emit(Instruction::LeaveLoop);
        }
        Ok(())
    }

    fn set(&mut self) -> Done<()> {
        let target = self.target(true)?;
        if self.sign("=") {
            self.tuple(true, &[], false)?;
            self.store(&target);
            return Ok(());
        }
        let filters = self.captured_body("endset")?;
        self.at_earlier(filters, Self::filters_only)?;
        self.store(&target);
        Ok(())
    }

    /// Passes over filters, which are compiled after what they are applied to.
    pub(super) fn skip_filters(&mut self) -> Done<()> {
        while !matches!(self.peek(), Token::BlockEnd | Token::End) {
            self.at += 1;
        }
        Ok(())
    }

    /// Compiles the body of a block into what it prints, and says where the block's filters stand.
    fn captured_body(&mut self, end: &'static str) -> Done<usize> {
        let filters = self.at;
        self.skip_filters()?;
        self.open.extend([Open::Capture, Open::Frame]);
        self.emit(Instruction::BeginCapture);
        self.emit(Instruction::PushFrame);
        self.hard_body(&[end])?;
        self.emit(Instruction::PopFrame);
        self.emit(Instruction::EndCapture);
        self.open.truncate(self.open.len().saturating_sub(2));
        Ok(filters)
    }

    /// Compiles the rest of a tag at an earlier place.
    fn at_earlier(&mut self, place: usize, compile: impl FnOnce(&mut Self) -> Done<()>) -> Done<()> {
        let back = std::mem::replace(&mut self.at, place);
        compile(self)?;
        if !matches!(self.peek(), Token::BlockEnd) {
            return Err(self.expected("end of statement block"));
        }
        self.at = back;
        Ok(())
    }

    fn filter_block(&mut self) -> Done<()> {
        let filters = self.captured_body("endfilter")?;
        self.at_earlier(filters, |compiler| {
            compiler.filter()?;
            compiler.filters_only()
        })?;
        self.emit(Instruction::Print);
        Ok(())
    }

    fn with(&mut self) -> Done<()> {
        let mut targets = Vec::new();
        while !matches!(self.peek(), Token::BlockEnd | Token::Sign(":")) {
            if !targets.is_empty() {
                self.expect_sign(",")?;
            }
            targets.push(self.target(false)?);
            self.expect_sign("=")?;
            self.expression()?;
        }
        self.emit(Instruction::PushFrame);
        for target in targets.iter().rev() {
            self.store(target);
        }
        self.open.push(Open::Frame);
        self.hard_body(&["endwith"])?;
        self.open.pop();
        self.emit(Instruction::PopFrame);
        Ok(())
    }

    fn generation(&mut self) -> Done<()> {
        self.program.generation = true;
        self.emit(Instruction::PushFrame);
        self.emit(Instruction::GenerationStart);
        self.open.push(Open::Generation);
        self.hard_body(&["endgeneration"])?;
        self.open.pop();
        self.emit(Instruction::GenerationEnd);
        self.emit(Instruction::PopFrame);
        Ok(())
    }

    /// `{% block name %}`, which prints its body where it stands.
    fn inline_block(&mut self) -> Done<()> {
        let name = self.word_of_any_kind()?;
        self.word("scoped");
        if self.word("required") {
            return Err(syntax("a required block is for a template to fill that extends this one", self.line()));
        }
        self.emit(Instruction::PushFrame);
        self.open.push(Open::Frame);
        self.hard_body(&["endblock"])?;
        self.word(name);
        self.open.pop();
        self.emit(Instruction::PopFrame);
        Ok(())
    }

    fn print(&mut self) -> Done<()> {
        let mut first = true;
        while !matches!(self.peek(), Token::BlockEnd) {
            if !std::mem::replace(&mut first, false) {
                self.expect_sign(",")?;
            }
            self.expression()?;
            self.emit(Instruction::Print);
        }
        Ok(())
    }

    fn leave(&mut self, word: &str, line: u32) -> Done<()> {
        let mut found = None;
        let mut pops = Vec::new();
        for open in self.open.iter().rev() {
            match open {
                Open::Loop { next, .. } => {
                    found = Some(*next);
                    break;
                }
                Open::Frame => pops.push(Instruction::PopFrame),
                Open::Capture => pops.push(Instruction::DropCapture),
                Open::Macro(_) | Open::Generation => break,
            }
        }
        let Some(next) = found else { return Err(syntax(format!("'{word}' outside loop"), line)) };
        for pop in pops {
            self.emit(pop);
        }
        if word == "continue" {
            self.jump_to(Instruction::Jump, next);
            return Ok(());
        }
        let jump = self.emit(Instruction::Jump(0));
        if let Some(Open::Loop { breaks, .. }) =
            self.open.iter_mut().rev().find(|open| matches!(open, Open::Loop { .. }))
        {
            breaks.push(jump);
        }
        Ok(())
    }

    /// A statement that loads another template, such as `include`: an error, since there are no others.
    fn other_template(&mut self) -> Done<()> {
        while !matches!(self.peek(), Token::BlockEnd | Token::End) {
            self.at += 1;
        }
        let said = self.text_id("no loader for this environment specified");
        self.emit(Instruction::Fail(said));
        Ok(())
    }
}
