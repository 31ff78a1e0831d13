//! A template's parts into a program.

use super::expressions::{expression, literal};
use super::lexer::{Part, parts};
use super::names::Names;
use super::syntax::{Block, Expression, For, Macro, Name, Operator, Parameter, Program, Statement};
use crate::template::tokens::{Kind, Token};

/// How deep statements may be nested.
const MAX_DEPTH: usize = 16;

/// Reads a template; none where it has statements whose ends only the engine knows.
pub(super) fn program(source: &str) -> Option<Program> {
    let parts = parts(source)?;
    let mut parser = Parser { parts: parts.into_iter(), names: Names::default(), macros: Vec::new(), depth: 0 };
    let (body, end) = parser.block(&[])?;
    end.is_none().then(|| Program { body, macros: parser.macros, names: parser.names.into_list() })
}

struct Parser<'s> {
    parts: std::vec::IntoIter<Part<'s>>,
    names: Names<'s>,
    macros: Vec<Macro>,
    depth: usize,
}

impl<'s> Parser<'s> {
    /// The statements up to one that begins with one of these words, and that statement; up to the end without words.
    fn block(&mut self, ends: &[&str]) -> Option<(Block, Option<Vec<Token<'s>>>)> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut block = Vec::new();
        while let Some(part) = self.parts.next() {
            block.push(match part {
                Part::Text(text) => Statement::Text(text.into()),
                Part::Expression(tokens) => Statement::Print(expression(&tokens, &mut self.names)),
                Part::Statement(tokens) if tokens.first().is_some_and(|first| ends.contains(&first.text)) => {
                    self.depth -= 1;
                    return Some((block, Some(tokens)));
                }
                Part::Statement(tokens) => self.statement(&tokens)?,
            });
        }
        self.depth -= 1;
        ends.is_empty().then_some((block, None))
    }

    /// The statements up to the one of this name, which has nothing else to say.
    fn body(&mut self, end: &str) -> Option<Block> {
        self.block(&[end]).map(|(block, _)| block)
    }

    fn statement(&mut self, tokens: &[Token<'s>]) -> Option<Statement> {
        let (word, rest) = tokens.split_first()?;
        match word.text {
            "if" => self.condition(rest),
            "for" => self.iteration(rest),
            "set" => self.set(rest),
            "macro" => self.definition(rest),
            "generation" if rest.is_empty() => {
                let sets = self.names.sets;
                let body = self.body("endgeneration")?;
                // A name that is set in the block is another one in all of it.
                Some(if self.names.sets == sets { Statement::Generation(body) } else { Statement::Unknown })
            }
            "break" if rest.is_empty() && self.names.in_loop() => Some(Statement::Break),
            "continue" if rest.is_empty() && self.names.in_loop() => Some(Statement::Continue),
            "do" => Some(Statement::Unknown),
            _ => None,
        }
    }

    fn condition(&mut self, tokens: &[Token<'s>]) -> Option<Statement> {
        let mut branches = Vec::new();
        let mut condition = expression(tokens, &mut self.names);
        loop {
            let (body, end) = self.block(&["elif", "else", "endif"])?;
            branches.push((condition, body));
            let end = end?;
            match end.first()?.text {
                "elif" => condition = expression(end.get(1..)?, &mut self.names),
                "else" => return Some(Statement::If(branches, self.body("endif")?)),
                _ => return Some(Statement::If(branches, Block::new())),
            }
        }
    }

    fn iteration(&mut self, tokens: &[Token<'s>]) -> Option<Statement> {
        let at_top = |word: &'static str| move |token: &Token<'_>| token.depth == 0 && token.text == word;
        let (targets, iterated) = tokens.split_at_checked(tokens.iter().position(at_top("in"))?)?;
        let iterated = iterated.get(1..)?;
        let end = iterated.iter().position(at_top("if")).unwrap_or(iterated.len());
        let recursive = iterated.iter().any(at_top("recursive"));
        let (iterated, condition) = iterated.split_at_checked(end)?;
        let iterated = expression(iterated, &mut self.names);
        let targets: Option<Vec<_>> = match targets {
            [one] => Some(vec![self.target(one)?]),
            [one, comma, other] if comma.is_sign(",") => Some(vec![self.target(one)?, self.target(other)?]),
            _ => None,
        };
        let condition = condition.get(1..).map(|condition| expression(condition, &mut self.names));
        self.names.loops += 1;
        let (body, end) = self.block(&["else", "endfor"])?;
        self.names.loops -= 1;
        let otherwise = if end?.first()?.text == "else" { self.body("endfor")? } else { Block::new() };
        Some(match targets {
            Some(targets) if !recursive => {
                Statement::For(Box::new(For { targets, iterated, condition, body, otherwise }))
            }
            _ => Statement::Unknown,
        })
    }

    fn set(&mut self, tokens: &[Token<'s>]) -> Option<Statement> {
        let Some(equals) = tokens.iter().position(|token| token.depth == 0 && token.is_sign("=")) else {
            let name = self.set_target(tokens);
            let body = self.body("endset")?;
            return Some(name.map_or(Statement::Unknown, |name| Statement::SetBlock(name, body)));
        };
        let (target, value) = (tokens.get(..equals)?, tokens.get(equals + 1..)?);
        let value = expression(value, &mut self.names);
        Some(match target {
            [_] => self.set_target(target).map_or(Statement::Unknown, |name| Statement::Set(name, value)),
            [namespace, dot, attribute] if dot.is_sign(".") && attribute.kind == Kind::Name => {
                let namespace = self.names.number(namespace.text);
                set_attribute(namespace, attribute.text, value)
            }
            _ => {
                self.names.sets += 1;
                for token in target {
                    let _assigned = self.target(token);
                }
                Statement::Unknown
            }
        })
    }

    /// The name of a token that is given a value; none where that is no name.
    fn target(&mut self, token: &Token<'s>) -> Option<Name> {
        let reserved = matches!(token.text, "loop" | "self" | "namespace") || literal(token).is_some();
        let is_name = token.kind == Kind::Name && !reserved && !token.is_word_operator();
        is_name.then(|| self.names.assigned(token.text))
    }

    fn set_target(&mut self, tokens: &[Token<'s>]) -> Option<Name> {
        self.names.sets += 1;
        match tokens {
            [name] => self.target(name),
            _ => None,
        }
    }

    fn definition(&mut self, tokens: &[Token<'s>]) -> Option<Statement> {
        let [name, open, parameters @ .., close] = tokens else { return None };
        if !open.is_sign("(") || !close.is_sign(")") {
            return None;
        }
        let name = self.set_target(std::slice::from_ref(name))?;
        let parameters = parameters.split(|token| token.is_sign(",")).filter(|tokens| !tokens.is_empty());
        let parameters: Option<Vec<_>> = parameters.map(|tokens| self.parameter(tokens)).collect();
        let loops = std::mem::take(&mut self.names.loops);
        let body = self.body("endmacro")?;
        self.names.loops = loops;
        let Some(parameters) = parameters else { return Some(Statement::Unknown) };
        self.macros.push(Macro { parameters, body });
        Some(Statement::Macro(name, self.macros.len() - 1))
    }

    fn parameter(&mut self, tokens: &[Token<'s>]) -> Option<Parameter> {
        let default = match tokens {
            [_] => None,
            [_, equals, value] if equals.is_sign("=") => Some(literal(value)?),
            _ => return None,
        };
        Some(Parameter { name: self.target(tokens.first()?)?, default })
    }
}

fn set_attribute(namespace: Name, attribute: &str, value: Expression) -> Statement {
    let is_own = |expression: &Expression| match expression {
        Expression::Member(of, member) => {
            matches!(**of, Expression::Name(name) if name == namespace) && **member == *attribute
        }
        _ => false,
    };
    match value {
        Expression::Binary(Operator::Add, operands) => match *operands {
            [own, added] if is_own(&own) => Statement::AddToAttribute(namespace, attribute.into(), added),
            operands => {
                let sum = Expression::Binary(Operator::Add, Box::new(operands));
                Statement::SetAttribute(namespace, attribute.into(), sum)
            }
        },
        value => Statement::SetAttribute(namespace, attribute.into(), value),
    }
}
