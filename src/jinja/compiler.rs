//! Tokens into a program: what statements and expressions share. Expressions are in [`expressions`](super::expressions).

use std::collections::HashMap;

use super::error::Done;
use super::lexer::{self, Token, syntax};
use super::syntax::{CallShape, Instruction, Name, Program, ProgramText, TextId};

mod macros;
mod statements;
mod targets;

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
