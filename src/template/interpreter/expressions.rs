//! The tokens of an expression into what it says, with Jinja's precedences.

use super::names::Names;
use super::syntax::{Ends, Expression, Filter, Literal, LoopField, Operator, Test};
use crate::template::tokens::{Kind, Token};

/// How deep an expression may be nested.
const MAX_DEPTH: usize = 16;

/// How many tokens an expression may have.
const MAX_TOKENS: usize = 200;

/// What is read of an expression; none where it has something that the interpreter does not know.
type Read = Option<Expression>;

/// Reads the whole of the tokens.
pub(super) fn expression<'s>(tokens: &[Token<'s>], names: &mut Names<'s>) -> Expression {
    if tokens.len() > MAX_TOKENS {
        return Expression::Unknown;
    }
    let mut reader = Reader { tokens, at: 0, depth: 0, names };
    let read = reader.conditional().filter(|_| reader.at == tokens.len());
    read.unwrap_or(Expression::Unknown)
}

/// A name or a string by itself, a number, `none`, `true` or `false`.
pub(super) fn literal(token: &Token<'_>) -> Option<Literal> {
    match (token.kind, token.text) {
        (Kind::Name, "none" | "None") => Some(Literal::None),
        (Kind::Name, "true" | "True") => Some(Literal::Bool(true)),
        (Kind::Name, "false" | "False") => Some(Literal::Bool(false)),
        (Kind::Number, digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().ok().map(Literal::Integer)
        }
        (Kind::Text, quoted) => unescape(quoted).map(Literal::Text),
        _ => None,
    }
}

/// A string without its quotes; none where it has an escape other than the common ones.
fn unescape(quoted: &str) -> Option<Box<str>> {
    let inner = quoted.get(1..quoted.len() - 1)?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\\' | '\'' | '"') => same,
                _ => return None,
            },
            other => other,
        });
    }
    Some(text.into())
}

struct Reader<'t, 's> {
    tokens: &'t [Token<'s>],
    at: usize,
    depth: usize,
    names: &'t mut Names<'s>,
}

impl<'s> Reader<'_, 's> {
    fn peek(&self) -> Option<&Token<'s>> {
        self.tokens.get(self.at)
    }

    fn is_next(&self, kind: Kind, text: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == kind && token.text == text)
    }

    fn take(&mut self, kind: Kind, text: &str) -> bool {
        let taken = self.is_next(kind, text);
        self.at += usize::from(taken);
        taken
    }

    fn sign(&mut self, text: &str) -> bool {
        self.take(Kind::Sign, text)
    }

    fn word(&mut self, text: &str) -> bool {
        self.take(Kind::Name, text)
    }

    fn name(&mut self) -> Option<&'s str> {
        let name = self.peek().filter(|token| token.kind == Kind::Name).map(|token| token.text)?;
        self.at += 1;
        Some(name)
    }

    /// `a if b else c`
    fn conditional(&mut self) -> Read {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.or()?;
        while self.word("if") {
            let condition = self.or()?;
            let otherwise = if self.word("else") { self.conditional()? } else { Expression::Undefined };
            value = Expression::If(Box::new([condition, value, otherwise]));
        }
        self.depth -= 1;
        Some(value)
    }

    /// Operands with operators of one precedence between them, from left to right.
    fn chain(&mut self, operand: fn(&mut Self) -> Read, operator: fn(&mut Self) -> Option<Operator>) -> Read {
        let mut left = operand(self)?;
        while let Some(operator) = operator(self) {
            let right = operand(self)?;
            left = Expression::Binary(operator, Box::new([left, right]));
        }
        Some(left)
    }

    fn or(&mut self) -> Read {
        self.chain(Self::and, |reader| reader.word("or").then_some(Operator::Or))
    }

    fn and(&mut self) -> Read {
        self.chain(Self::not, |reader| reader.word("and").then_some(Operator::And))
    }

    fn not(&mut self) -> Read {
        let mut negated = 0;
        while self.word("not") {
            negated += 1;
        }
        let mut value = self.comparison()?;
        if negated > 0 {
            value = Expression::Not(Box::new(value));
        }
        // More than one is no template that anyone writes.
        (negated <= 1).then_some(value)
    }

    fn comparison(&mut self) -> Read {
        let left = self.sum()?;
        let Some(operator) = self.comparator() else { return Some(left) };
        let right = self.sum()?;
        let chained = self.comparator().is_some();
        (!chained).then(|| Expression::Binary(operator, Box::new([left, right])))
    }

    fn comparator(&mut self) -> Option<Operator> {
        let token = self.peek()?;
        let operator = match (token.kind, token.text) {
            (Kind::Sign, "==") => Operator::Equal,
            (Kind::Sign, "!=") => Operator::NotEqual,
            (Kind::Sign, "<") => Operator::Less,
            (Kind::Sign, "<=") => Operator::LessOrEqual,
            (Kind::Sign, ">") => Operator::Greater,
            (Kind::Sign, ">=") => Operator::GreaterOrEqual,
            (Kind::Name, "in") => Operator::In,
            (Kind::Name, "not") => {
                self.at += 1;
                return self.word("in").then_some(Operator::NotIn);
            }
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    fn sum(&mut self) -> Read {
        self.chain(Self::concatenation, |reader| {
            let add = reader.sign("+").then_some(Operator::Add);
            add.or_else(|| reader.sign("-").then_some(Operator::Subtract))
        })
    }

    fn concatenation(&mut self) -> Read {
        self.chain(Self::product, |reader| reader.sign("~").then_some(Operator::Concatenate))
    }

    fn product(&mut self) -> Read {
        self.chain(Self::negative, |reader| reader.sign("%").then_some(Operator::Remainder))
    }

    /// A value, or a number with a sign before it.
    fn negative(&mut self) -> Read {
        if !self.sign("-") {
            return self.filtered();
        }
        let token = self.peek()?;
        let Some(Literal::Integer(number)) = literal(token) else { return None };
        self.at += 1;
        let ends = self.peek().is_none_or(|next| !matches!(next.text, "." | "[" | "(" | "|" | "is"));
        ends.then(|| Expression::Literal(Literal::Integer(-number)))
    }

    /// A value with its members, and the filters and tests behind it.
    fn filtered(&mut self) -> Read {
        let mut value = self.postfixed()?;
        loop {
            if self.sign("|") {
                let filter = self.filter()?;
                value = Expression::Filter(filter, Box::new(value));
            } else if self.word("is") {
                let negated = self.word("not");
                value = Expression::Is(self.test()?, Box::new(value));
                if negated {
                    value = Expression::Not(Box::new(value));
                }
            } else {
                return Some(value);
            }
        }
    }

    fn test(&mut self) -> Option<Test> {
        Some(match self.name()? {
            "defined" => Test::Defined,
            "undefined" => Test::Undefined,
            "none" | "None" => Test::None,
            "string" => Test::Text,
            "mapping" => Test::Mapping,
            "sequence" => Test::Sequence,
            "iterable" => Test::Iterable,
            "true" => Test::True,
            "false" => Test::False,
            _ => return None,
        })
    }

    fn filter(&mut self) -> Option<Filter> {
        let name = self.name()?;
        let arguments = if self.is_next(Kind::Sign, "(") { self.literals()? } else { Vec::new() };
        let mut arguments = arguments.into_iter();
        Some(match (name, arguments.next(), arguments.next(), arguments.next()) {
            ("length" | "count", None, ..) => Filter::Length,
            ("join", Some(Literal::Text(separator)), None, _) => Filter::Join(separator),
            ("join", None, ..) => Filter::Join(Box::default()),
            ("trim", None, ..) => Filter::Trim(Ends::Both, None),
            ("safe", None, ..) => Filter::Safe,
            ("string", None, ..) => Filter::Text,
            ("int", None, ..) => Filter::Integer,
            ("float", None, ..) => Filter::Float,
            ("list", None, ..) => Filter::List,
            ("first", None, ..) => Filter::First,
            ("last", None, ..) => Filter::Last,
            ("upper", None, ..) => Filter::Upper,
            ("lower", None, ..) => Filter::Lower,
            ("capitalize", None, ..) => Filter::Capitalized,
            ("title", None, ..) => Filter::Title,
            ("tojson", None, ..) => Filter::ToJson,
            ("default" | "d", Some(otherwise), None, _) => Filter::Default(otherwise),
            ("replace", Some(Literal::Text(old)), Some(Literal::Text(new)), None) if !old.is_empty() => {
                Filter::Replace(old, new)
            }
            ("selectattr", Some(Literal::Text(key)), Some(Literal::Text(test)), Some(value))
                if matches!(&*test, "equalto" | "eq" | "==") =>
            {
                Filter::SelectEqual(key, value)
            }
            _ => return None,
        })
    }

    /// Literals in parentheses.
    fn literals(&mut self) -> Option<Vec<Literal>> {
        let arguments = self.arguments()?.into_iter();
        let literals = arguments.map(|argument| match argument {
            (None, Expression::Literal(literal)) => Some(literal),
            _ => None,
        });
        literals.collect()
    }

    fn postfixed(&mut self) -> Read {
        let mut value = self.primary()?;
        loop {
            if self.sign(".") {
                let name = self.name()?;
                value = match self.is_next(Kind::Sign, "(") {
                    true => self.method(value, name)?,
                    false => Expression::Member(Box::new(value), name.into()),
                };
            } else if self.is_next(Kind::Sign, "[") {
                self.at += 1;
                value = self.index(value)?;
            } else if self.is_next(Kind::Sign, "(") {
                return None;
            } else {
                return Some(value);
            }
        }
    }

    fn index(&mut self, value: Expression) -> Read {
        let value = Box::new(value);
        let start = if self.is_next(Kind::Sign, ":") { None } else { Some(self.conditional()?) };
        if !self.sign(":") {
            let indexed = match start? {
                Expression::Literal(Literal::Text(key)) => Expression::Member(value, key),
                index => Expression::Index(value, Box::new(index)),
            };
            return self.sign("]").then_some(indexed);
        }
        let stop = if self.is_next(Kind::Sign, "]") || self.is_next(Kind::Sign, ":") {
            None
        } else {
            Some(self.conditional()?)
        };
        if self.sign(":") {
            let step = self.conditional();
            let reversed = matches!((start, stop, step), (None, None, Some(Expression::Literal(Literal::Integer(-1)))));
            return (self.sign("]") && reversed).then_some(Expression::Filter(Filter::Reversed, value));
        }
        self.sign("]").then(|| Expression::Slice(value, Box::new([start, stop])))
    }

    fn method(&mut self, value: Expression, name: &str) -> Read {
        let mut arguments = self.arguments()?.into_iter();
        let (first, second) = (arguments.next(), arguments.next());
        if arguments.next().is_some() || [&first, &second].into_iter().flatten().any(|(name, _)| name.is_some()) {
            return None;
        }
        let (first, second) = (first.map(|(_, value)| value), second.map(|(_, value)| value));
        let ends = match name {
            "lstrip" => Ends::Start,
            "rstrip" => Ends::End,
            _ => Ends::Both,
        };
        let filtered = |filter: Filter, value: Expression| Some(Expression::Filter(filter, Box::new(value)));
        match (name, first, second) {
            ("strip" | "lstrip" | "rstrip", None, None) => filtered(Filter::Trim(ends, None), value),
            ("strip" | "lstrip" | "rstrip", Some(Expression::Literal(Literal::Text(set))), None) => {
                filtered(Filter::Trim(ends, Some(set)), value)
            }
            ("split", Some(Expression::Literal(Literal::Text(separator))), None) if !separator.is_empty() => {
                filtered(Filter::Split(separator), value)
            }
            ("items", None, None) => filtered(Filter::Items, value),
            ("get", Some(Expression::Literal(Literal::Text(key))), default) => {
                let default = default.unwrap_or(Expression::Literal(Literal::None));
                Some(Expression::Get(Box::new([value, default]), key))
            }
            ("startswith", Some(start), None) => Some(Expression::StartsWith(Box::new([value, start]))),
            ("endswith", Some(end), None) => Some(Expression::EndsWith(Box::new([value, end]))),
            _ => None,
        }
    }

    /// What stands in the parentheses of a call.
    fn arguments(&mut self) -> Option<Vec<(Option<&'s str>, Expression)>> {
        self.at += 1;
        let mut arguments = Vec::new();
        while !self.sign(")") {
            let named = self.peek()?.kind == Kind::Name
                && self.tokens.get(self.at + 1).is_some_and(|equals| equals.is_sign("="));
            let name = if named { self.name() } else { None };
            self.at += usize::from(named);
            arguments.push((name, self.conditional()?));
            if !self.sign(",") && !self.is_next(Kind::Sign, ")") {
                return None;
            }
        }
        Some(arguments)
    }

    fn primary(&mut self) -> Read {
        let token = *self.peek()?;
        self.at += 1;
        if let Some(literal) = literal(&token) {
            return Some(Expression::Literal(literal));
        }
        match (token.kind, token.text) {
            (Kind::Sign, "(") => {
                let inner = self.conditional()?;
                self.sign(")").then_some(inner)
            }
            (Kind::Sign, "[") => {
                let mut items = Vec::new();
                while !self.sign("]") {
                    items.push(self.conditional()?);
                    if !self.sign(",") && !self.is_next(Kind::Sign, "]") {
                        return None;
                    }
                }
                Some(Expression::List(items))
            }
            (Kind::Sign, "{") => self.dict(),
            (Kind::Name, "loop") => self.loop_field(),
            (Kind::Name, _) if token.is_word_operator() => None,
            (Kind::Name, "self" | "caller") => None,
            (Kind::Name, name) if self.is_next(Kind::Sign, "(") => self.call(name),
            (Kind::Name, name) => Some(Expression::Name(self.names.number(name))),
            _ => None,
        }
    }

    fn dict(&mut self) -> Read {
        let mut members = Vec::<(Box<str>, _)>::new();
        while !self.sign("}") {
            let Some(Literal::Text(key)) = literal(self.peek()?) else { return None };
            self.at += 1;
            if !self.sign(":") || members.iter().any(|(known, _)| *known == key) {
                return None;
            }
            members.push((key, self.conditional()?));
            if !self.sign(",") && !self.is_next(Kind::Sign, "}") {
                return None;
            }
        }
        Some(Expression::Dict(members))
    }

    fn loop_field(&mut self) -> Read {
        if !self.names.in_loop() || !self.sign(".") {
            return None;
        }
        Some(Expression::Loop(match self.name()? {
            "index" => LoopField::Index,
            "index0" => LoopField::Index0,
            "first" => LoopField::First,
            "last" => LoopField::Last,
            "length" => LoopField::Length,
            "previtem" => LoopField::Previous,
            "nextitem" => LoopField::Next,
            _ => return None,
        }))
    }

    fn call(&mut self, name: &'s str) -> Read {
        let arguments = self.arguments()?;
        if name == "namespace" {
            let named = arguments.into_iter().map(|(name, value)| Some((name?.into(), value)));
            return named.collect::<Option<_>>().map(Expression::Namespace);
        }
        if name == "range" && !self.names.is_assigned(name) {
            let mut arguments = arguments.into_iter();
            return match (arguments.next()?, arguments.next()) {
                ((None, count), None) => Some(Expression::Range(Box::new(count))),
                _ => None,
            };
        }
        let callee = self.names.number(name);
        let arguments = arguments.into_iter();
        let arguments = arguments.map(|(name, value)| (name.map(|name| self.names.number(name)), value));
        Some(Expression::Call(callee, arguments.collect()))
    }
}
