//! Tokens into a program: the statements. Expressions are in [`expressions`](super::expressions).

use std::collections::HashMap;

use super::error::Done;
use super::filters::Filter;
use super::lexer::{self, Token, syntax};
use super::syntax::{
    CallShape, Comparator, Instruction, LoopCode, MacroCode, Name, Operator, Parameter, Program, ProgramText, TextId,
};

/// How deep statements and expressions may be nested.
const MAX_DEPTH: usize = 100;

/// The shape of a call that gives nothing.
pub(super) const NO_ARGUMENTS: u32 = 0;

/// What a `break` has to leave, from the outside in.
#[derive(Debug)]
enum Open {
    Loop {
        /// Where its turns begin.
        next: usize,
        /// The jumps that leave it.
        breaks: Vec<usize>,
        uses_loop: bool,
    },
    Frame,
    Capture,
    Macro(Special),
    Generation,
}

/// The names that only the body of a macro knows.
#[derive(Debug, Default)]
struct Special {
    varargs: Option<Name>,
    kwargs: Option<Name>,
    caller: Option<Name>,
}

/// What is given a value.
enum Target {
    Name(Name),
    Attribute(Name, TextId),
    Tuple(Vec<Target>),
}

pub(super) struct Compiler<'s> {
    tokens: Vec<(Token<'s>, u32)>,
    at: usize,
    depth: usize,
    pub(super) program: Program,
    names: HashMap<&'s str, Name>,
    texts: HashMap<Box<str>, TextId>,
    open: Vec<Open>,
    /// The last place that is jumped to: an instruction there stands by itself.
    pub(super) landed: usize,
    /// Stands the code in an `if`, so that unknown filters count only when they are met?
    pub(super) soft: bool,
    /// Unknown filters and tests that are errors by themselves.
    pub(super) unknown: Vec<(String, u32)>,
}

/// Compiles a normalized source.
pub(super) fn compile(source: &str) -> Done<Program> {
    let program = Program {
        code: Vec::new(),
        lines: Vec::new(),
        texts: Vec::new(),
        names: Vec::new(),
        calls: vec![CallShape::default()],
        macros: Vec::new(),
        loops: Vec::new(),
        generation: false,
    };
    let mut compiler = Compiler {
        tokens: lexer::tokens(source)?,
        at: 0,
        depth: 0,
        program,
        names: HashMap::new(),
        texts: HashMap::new(),
        open: Vec::new(),
        landed: 0,
        soft: false,
        unknown: Vec::new(),
    };
    compiler.block(&[])?;
    if let Some((said, line)) = compiler.unknown.first() {
        return Err(syntax(said.clone(), *line));
    }
    Ok(compiler.program)
}

impl<'s> Compiler<'s> {
    pub(super) fn peek(&self) -> &Token<'s> {
        self.look(0)
    }

    pub(super) fn look(&self, further: usize) -> &Token<'s> {
        self.tokens.get(self.at + further).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, line)| *line)
    }

    pub(super) fn next(&mut self) -> Token<'s> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn skip(&mut self, tokens: usize) {
        self.at += tokens;
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if *found == word)
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let taken = self.is_sign(sign);
        self.at += usize::from(taken);
        taken
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let taken = self.is_word(word);
        self.at += usize::from(taken);
        taken
    }

    pub(super) fn expect_sign(&mut self, sign: &'static str) -> Done<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.expected(sign)) }
    }

    pub(super) fn expected(&self, what: &str) -> super::error::Stop {
        syntax(format!("expected token '{what}', got '{}'", described(self.peek())), self.line())
    }

    pub(super) fn word_of_any_kind(&mut self) -> Done<&'s str> {
        match self.peek() {
            Token::Name(name) => {
                let name = *name;
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected("name")),
        }
    }

    fn expect(&mut self, token: &Token<'_>, what: &str) -> Done<()> {
        if self.peek() != token {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Appends an instruction, in one with the one before where the two have a form together. Where it is.
    pub(super) fn emit(&mut self, mut instruction: Instruction) -> usize {
        let line = self.line();
        while self.landed < self.program.code.len()
            && let Some(before) = self.program.code.last()
            && let Some(both) = before.then(instruction)
        {
            self.program.code.pop();
            self.program.lines.pop();
            instruction = both;
        }
        self.program.code.push(instruction);
        self.program.lines.push(line);
        self.program.code.len() - 1
    }

    pub(super) fn here(&self) -> usize {
        self.program.code.len()
    }

    /// How far it is from an instruction to a place.
    fn distance(&self, from: usize, to: usize) -> i32 {
        let (from, to) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX));
        i32::try_from(to - from - 1).unwrap_or(i32::MAX)
    }

    /// Makes an instruction jump here.
    pub(super) fn land(&mut self, at: usize) {
        self.landed = self.here();
        let far = self.distance(at, self.here());
        if let Some(instruction) = self.program.code.get_mut(at) {
            instruction.set_distance(far);
        }
    }

    pub(super) fn jump_to(&mut self, instruction: fn(i32) -> Instruction, to: usize) {
        let at = self.emit(instruction(0));
        let far = self.distance(at, to);
        if let Some(instruction) = self.program.code.get_mut(at) {
            instruction.set_distance(far);
        }
    }

    pub(super) fn text_id(&mut self, text: &str) -> TextId {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let id = TextId(u32::try_from(self.program.texts.len()).unwrap_or(u32::MAX));
        let is_of_dict = super::methods::is_of_dict(text);
        self.program.texts.push(ProgramText { text: text.into(), is_of_dict });
        self.texts.insert(text.into(), id);
        id
    }

    pub(super) fn call_shape(&mut self, shape: CallShape) -> u32 {
        if shape == CallShape::default() {
            return NO_ARGUMENTS;
        }
        self.program.calls.push(shape);
        u32::try_from(self.program.calls.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn name(&mut self, name: &'s str) -> Name {
        let next = Name(u32::try_from(self.program.names.len()).unwrap_or(u32::MAX));
        let known = *self.names.entry(name).or_insert(next);
        if known == next {
            self.program.names.push(name.into());
        }
        known
    }

    /// Notes that a name is asked for.
    pub(super) fn uses(&mut self, text: &str, name: Name) {
        if text == "loop"
            && let Some(Open::Loop { uses_loop, .. }) =
                self.open.iter_mut().rev().find(|open| matches!(open, Open::Loop { .. }))
        {
            *uses_loop = true;
        }
        if let Some(Open::Macro(special)) = self.open.iter_mut().rev().find(|open| matches!(open, Open::Macro(_))) {
            match text {
                "varargs" => special.varargs = Some(name),
                "kwargs" => special.kwargs = Some(name),
                "caller" => special.caller = Some(name),
                _ => {}
            }
        }
    }

    /// Goes one level down, where that is allowed.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(syntax(format!("statements and expressions are nested deeper than {MAX_DEPTH}"), self.line()));
        }
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    /// The statements up to one that begins with one of these words, which is returned; up to the end without words.
    fn block(&mut self, ends: &[&str]) -> Done<&'s str> {
        self.nested(|compiler| compiler.block_of(ends))
    }

    fn block_of(&mut self, ends: &[&str]) -> Done<&'s str> {
        loop {
            match self.peek().clone() {
                Token::Data(text) => {
                    let text = self.text_id(text);
                    self.emit(Instruction::Text(text));
                    self.at += 1;
                }
                Token::PrintStart => {
                    self.at += 1;
                    self.tuple(true, &[], false)?;
                    self.emit(Instruction::Print);
                    self.expect(&Token::PrintEnd, "end of print statement")?;
                }
                Token::BlockStart => {
                    self.at += 1;
                    let line = self.line();
                    let Token::Name(word) = self.next() else { return Err(syntax("tag name expected", line)) };
                    if ends.contains(&word) {
                        return Ok(word);
                    }
                    self.statement(word, line)?;
                    self.expect(&Token::BlockEnd, "end of statement block")?;
                }
                _ if ends.is_empty() => return Ok(""),
                _ => {
                    let ends = ends.join("' or '");
                    let said =
                        format!("Unexpected end of template. Jinja was looking for the following tags: '{ends}'.");
                    return Err(syntax(said, self.line()));
                }
            }
        }
    }

    /// What stands between the end of a tag and one of these words.
    fn body(&mut self, ends: &[&str]) -> Done<&'s str> {
        self.sign(":");
        self.expect(&Token::BlockEnd, "end of statement block")?;
        self.block(ends)
    }

    /// A body whose unknown filters count, unless it is an `if`'s.
    fn hard_body(&mut self, ends: &[&str]) -> Done<&'s str> {
        let soft = std::mem::replace(&mut self.soft, false);
        let end = self.body(ends)?;
        self.soft = soft;
        Ok(end)
    }

    fn statement(&mut self, word: &'s str, line: u32) -> Done<()> {
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
        let target = self.target(&["in"], false)?;
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
            self.program.lines.resize(self.here() + condition.len(), line);
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
        let target = self.target(&[], true)?;
        if self.sign("=") {
            self.tuple(true, &[], false)?;
            self.store(&target);
            return Ok(());
        }
        let filters = self.at;
        self.skip_filters()?;
        self.open.extend([Open::Capture, Open::Frame]);
        self.emit(Instruction::BeginCapture);
        self.emit(Instruction::PushFrame);
        self.hard_body(&["endset"])?;
        self.emit(Instruction::PopFrame);
        self.emit(Instruction::EndCapture);
        self.open.truncate(self.open.len().saturating_sub(2));
        self.filters_at(filters)?;
        self.store(&target);
        Ok(())
    }

    /// Passes over filters, which are compiled after what they are applied to.
    fn skip_filters(&mut self) -> Done<()> {
        while !matches!(self.peek(), Token::BlockEnd | Token::End) {
            self.at += 1;
        }
        Ok(())
    }

    /// Compiles the filters that stand at an earlier place.
    fn filters_at(&mut self, place: usize) -> Done<()> {
        let back = std::mem::replace(&mut self.at, place);
        self.filters_only()?;
        if !matches!(self.peek(), Token::BlockEnd) {
            return Err(self.expected("end of statement block"));
        }
        self.at = back;
        Ok(())
    }

    fn filter_block(&mut self) -> Done<()> {
        let filters = self.at;
        self.skip_filters()?;
        self.open.extend([Open::Capture, Open::Frame]);
        self.emit(Instruction::BeginCapture);
        self.emit(Instruction::PushFrame);
        self.hard_body(&["endfilter"])?;
        self.emit(Instruction::PopFrame);
        self.emit(Instruction::EndCapture);
        self.open.truncate(self.open.len().saturating_sub(2));
        let back = std::mem::replace(&mut self.at, filters);
        self.filter()?;
        self.filters_only()?;
        if !matches!(self.peek(), Token::BlockEnd) {
            return Err(self.expected("end of statement block"));
        }
        self.at = back;
        self.emit(Instruction::Print);
        Ok(())
    }

    fn with(&mut self) -> Done<()> {
        let mut targets = Vec::new();
        while !matches!(self.peek(), Token::BlockEnd | Token::Sign(":")) {
            if !targets.is_empty() {
                self.expect_sign(",")?;
            }
            targets.push(self.target(&[], false)?);
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
        while self.word("scoped") || self.word("required") {}
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

    /// A statement that asks for another template, of which there is none.
    fn other_template(&mut self) -> Done<()> {
        while !matches!(self.peek(), Token::BlockEnd | Token::End) {
            self.at += 1;
        }
        let said = self.text_id("no loader for this environment specified");
        self.emit(Instruction::Fail(said));
        Ok(())
    }

    fn definition(&mut self) -> Done<()> {
        let text = self.word_of_any_kind()?;
        let name = self.name(text);
        let code = self.function(Some(text), |compiler| compiler.hard_body(&["endmacro"]))?;
        self.emit(Instruction::Macro(code));
        self.emit(Instruction::Store(name));
        Ok(())
    }

    /// A signature and a body, which are passed over where they stand.
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

    fn call_block(&mut self, line: u32) -> Done<()> {
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
        if with_caller.star || with_caller.double_star {
            return Err(syntax("a call block with * or ** is not supported", line));
        }
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

    /// What is given a value, up to one of these words.
    fn target(&mut self, ends: &[&str], attributes: bool) -> Done<Target> {
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            let ended = matches!(self.peek(), Token::BlockEnd | Token::PrintEnd | Token::Sign(")"))
                || ends.iter().any(|end| self.is_word(end));
            if ended {
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
            let target = self.nested(|compiler| compiler.target(&[], false))?;
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

    fn store(&mut self, target: &Target) {
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
    fn names<'t>(&'t self, names: &'t [Box<str>]) -> Box<dyn Iterator<Item = &'t str> + 't> {
        match self {
            Target::Name(name) => Box::new(names.get(name.0 as usize).into_iter().map(|name| &**name)),
            Target::Attribute(..) => Box::new(std::iter::empty()),
            Target::Tuple(targets) => Box::new(targets.iter().flat_map(|target| target.names(names))),
        }
    }
}

/// Is it a name that has a value of its own?
pub(super) fn is_constant(name: &str) -> bool {
    matches!(name, "true" | "false" | "none" | "True" | "False" | "None")
}

/// A token as an error names it.
pub(super) fn described(token: &Token<'_>) -> String {
    match token {
        Token::Data(_) => "template data / text".to_owned(),
        Token::PrintStart => "begin of print statement".to_owned(),
        Token::PrintEnd => "end of print statement".to_owned(),
        Token::BlockStart => "begin of statement block".to_owned(),
        Token::BlockEnd => "end of statement block".to_owned(),
        Token::Name(name) => (*name).to_owned(),
        Token::Text(text) => text.to_string(),
        Token::Integer(digits) => digits.to_string(),
        Token::Float(number) => number.to_string(),
        Token::Sign(sign) => (*sign).to_owned(),
        Token::End => "end of template".to_owned(),
    }
}

impl Instruction {
    /// What does the same as this one and the next.
    fn then(self, next: Instruction) -> Option<Instruction> {
        Some(match (self, next) {
            (Instruction::Name(of), Instruction::Attribute(name)) => Instruction::AttributeOf(of, name),
            (Instruction::Name(of), Instruction::ItemNamed(name)) => Instruction::ItemNamedOf(of, name),
            (Instruction::Literal(text), Instruction::Compare(Comparator::Equal)) => Instruction::IsText(text, true),
            (Instruction::Literal(text), Instruction::Compare(Comparator::NotEqual)) => {
                Instruction::IsText(text, false)
            }
            (Instruction::IsText(text, is), Instruction::JumpIfFalse(far)) => {
                Instruction::JumpUnlessText(text, is, far)
            }
            (Instruction::Test(check), Instruction::JumpIfFalse(far)) => Instruction::JumpUnless(check, far),
            (Instruction::Integer(0), Instruction::Compare(Comparator::Greater)) => Instruction::IsPositive,
            (Instruction::Filter(Filter::Length, NO_ARGUMENTS), Instruction::IsPositive) => Instruction::HasItems,
            (Instruction::Literal(text), Instruction::Print) => Instruction::Text(text),
            (Instruction::Concatenate(count), Instruction::Print) => Instruction::PrintEach(count),
            (Instruction::List(1), Instruction::Arithmetic(Operator::Add)) => Instruction::AddItem,
            (Instruction::Arithmetic(Operator::Add), Instruction::Store(name)) => Instruction::StoreSum(name, false),
            (Instruction::AddItem, Instruction::Store(name)) => Instruction::StoreSum(name, true),
            (Instruction::TurnDone, Instruction::Jump(far)) => Instruction::NextTurn(far),
            (Instruction::NextItem(far), Instruction::Store(name)) => Instruction::NextItemInto(name, far),
            _ => return None,
        })
    }

    /// Sets how far it jumps, where it is a jump.
    fn set_distance(&mut self, distance: i32) {
        match self {
            Instruction::Jump(far)
            | Instruction::JumpIfFalse(far)
            | Instruction::JumpUnlessText(_, _, far)
            | Instruction::JumpUnless(_, far)
            | Instruction::JumpIfFalseOrTake(far)
            | Instruction::JumpIfTrueOrTake(far)
            | Instruction::JumpIfGiven(_, far)
            | Instruction::CompareOr(_, far)
            | Instruction::NextTurn(far)
            | Instruction::NextItem(far)
            | Instruction::NextItemInto(_, far)
            | Instruction::EndLoop(far)
            | Instruction::Select(far)
            | Instruction::Selected(far)
            | Instruction::JumpIfSelected(far) => *far = distance,
            _ => {}
        }
    }
}
