//! Tokens into the code of expressions, with Jinja's precedences.

use super::checks::Check;
use super::compiler::{Compiler, NO_ARGUMENTS, described, is_constant};
use super::error::Done;
use super::filters::Filter;
use super::lexer::{Token, syntax};
use super::syntax::{CallShape, Comparator, Instruction, Operator};

impl<'s> Compiler<'s> {
    /// One expression.
    pub(super) fn expression(&mut self) -> Done<()> {
        self.nested(Self::conditional)
    }

    /// Expressions with commas between them make a tuple. Is it one?
    pub(super) fn tuple(&mut self, conditions: bool, ends: &[&str], in_parentheses: bool) -> Done<()> {
        let mut count = 0;
        let mut is_tuple = false;
        loop {
            let ended = matches!(self.peek(), Token::PrintEnd | Token::BlockEnd | Token::Sign(")"))
                || ends.iter().any(|end| self.is_word(end));
            if ended {
                break;
            }
            if conditions {
                self.expression()?;
            } else {
                self.nested(Self::or)?;
            }
            count += 1;
            if !self.sign(",") {
                break;
            }
            is_tuple = true;
        }
        if is_tuple || count == 0 && in_parentheses {
            self.emit(Instruction::Tuple(count));
        } else if count == 0 {
            return Err(syntax(format!("Expected an expression, got '{}'", described(self.peek())), self.line()));
        }
        Ok(())
    }

    /// `a if b else c`
    pub(super) fn conditional(&mut self) -> Done<()> {
        let mut ends = Vec::new();
        let unknown = self.unknown.len();
        let mut start = self.here();
        self.or()?;
        while self.word("if") {
            let value = self.here();
            self.or()?;
            let test = start + self.emit(Instruction::JumpIfFalse(0)) - value;
            // The test comes before the value.
            if let (Some(code), Some(lines)) = (self.program.code.get_mut(start..), self.program.lines.get_mut(start..))
            {
                code.rotate_left(value - start);
                lines.rotate_left(value - start);
            }
            self.landed = self.here();
            let end = self.emit(Instruction::Jump(0));
            self.land(test);
            if self.word("else") {
                ends.push(end);
                start = self.here();
                self.or()?;
            } else {
                self.emit(Instruction::Undefined);
                self.land(end);
            }
            self.unknown.truncate(unknown);
        }
        for end in ends {
            self.land(end);
        }
        Ok(())
    }

    fn or(&mut self) -> Done<()> {
        self.and()?;
        let mut jumps = Vec::new();
        while self.word("or") {
            jumps.push(self.emit(Instruction::JumpIfTrueOrTake(0)));
            self.and()?;
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    fn and(&mut self) -> Done<()> {
        self.not()?;
        let mut jumps = Vec::new();
        while self.word("and") {
            jumps.push(self.emit(Instruction::JumpIfFalseOrTake(0)));
            self.not()?;
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    fn not(&mut self) -> Done<()> {
        let mut count = 0;
        while self.word("not") {
            count += 1;
        }
        self.comparison()?;
        for _ in 0..count {
            self.emit(Instruction::Not);
        }
        Ok(())
    }

    fn comparison(&mut self) -> Done<()> {
        self.sum()?;
        let Some(mut comparator) = self.comparator() else { return Ok(()) };
        let mut jumps = Vec::new();
        loop {
            self.sum()?;
            match self.comparator() {
                Some(next) => {
                    jumps.push(self.emit(Instruction::CompareOr(comparator, 0)));
                    comparator = next;
                }
                None => break,
            }
        }
        self.emit(Instruction::Compare(comparator));
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    fn comparator(&mut self) -> Option<Comparator> {
        let comparator = match self.peek() {
            Token::Sign("==") => Comparator::Equal,
            Token::Sign("!=") => Comparator::NotEqual,
            Token::Sign("<") => Comparator::Less,
            Token::Sign("<=") => Comparator::LessOrEqual,
            Token::Sign(">") => Comparator::Greater,
            Token::Sign(">=") => Comparator::GreaterOrEqual,
            Token::Name("in") => Comparator::In,
            Token::Name("not") if matches!(self.look(1), Token::Name("in")) => {
                self.skip(1);
                Comparator::NotIn
            }
            _ => return None,
        };
        self.skip(1);
        Some(comparator)
    }

    fn sum(&mut self) -> Done<()> {
        self.concatenation()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("+") => Operator::Add,
                Token::Sign("-") => Operator::Subtract,
                _ => return Ok(()),
            };
            self.skip(1);
            self.concatenation()?;
            self.emit(Instruction::Arithmetic(operator));
        }
    }

    fn concatenation(&mut self) -> Done<()> {
        self.product()?;
        let mut count = 1;
        while self.sign("~") {
            self.product()?;
            count += 1;
        }
        if count > 1 {
            self.emit(Instruction::Concatenate(count));
        }
        Ok(())
    }

    fn product(&mut self) -> Done<()> {
        self.power()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("*") => Operator::Multiply,
                Token::Sign("/") => Operator::Divide,
                Token::Sign("//") => Operator::FloorDivide,
                Token::Sign("%") => Operator::Remainder,
                _ => return Ok(()),
            };
            self.skip(1);
            self.power()?;
            self.emit(Instruction::Arithmetic(operator));
        }
    }

    fn power(&mut self) -> Done<()> {
        self.unary()?;
        while self.sign("**") {
            self.unary()?;
            self.emit(Instruction::Arithmetic(Operator::Power));
        }
        Ok(())
    }

    /// A value with signs before it, and with members, calls, filters and tests behind it.
    fn unary(&mut self) -> Done<()> {
        let mut signs = Vec::new();
        loop {
            match self.peek() {
                Token::Sign("-") => signs.push(Instruction::Negative),
                Token::Sign("+") => signs.push(Instruction::Positive),
                _ => break,
            }
            self.skip(1);
        }
        self.primary()?;
        self.postfix()?;
        for sign in signs.into_iter().rev() {
            self.emit(sign);
        }
        loop {
            match self.peek() {
                Token::Sign("|") => {
                    self.skip(1);
                    self.filter()?;
                }
                Token::Name("is") => self.test()?,
                Token::Sign("(") => self.call()?,
                _ => return Ok(()),
            }
        }
    }

    fn postfix(&mut self) -> Done<()> {
        loop {
            match self.peek() {
                Token::Sign(".") => {
                    self.skip(1);
                    match self.next() {
                        Token::Name(name) => {
                            let text = self.text_id(name);
                            if self.is_sign("(") {
                                let shape = self.arguments()?;
                                self.emit(Instruction::Method(text, shape));
                            } else {
                                self.emit(Instruction::Attribute(text));
                            }
                        }
                        Token::Integer(digits) => {
                            self.integer(&digits);
                            self.emit(Instruction::Item);
                        }
                        _ => return Err(syntax("expected name or number", self.line())),
                    }
                }
                Token::Sign("[") => self.subscript()?,
                Token::Sign("(") => self.call()?,
                _ => return Ok(()),
            }
        }
    }

    fn call(&mut self) -> Done<()> {
        let shape = self.arguments()?;
        self.emit(Instruction::Call(shape));
        Ok(())
    }

    fn subscript(&mut self) -> Done<()> {
        self.skip(1);
        if let (Token::Text(text), Token::Sign("]")) = (self.peek().clone(), self.look(1)) {
            self.skip(2);
            let text = self.text_id(&text);
            self.emit(Instruction::ItemNamed(text));
            return Ok(());
        }
        let mut count = 0;
        let mut sliced = false;
        while !self.sign("]") {
            if count > 0 {
                self.expect_sign(",")?;
            }
            sliced |= self.subscribed()?;
            count += 1;
        }
        match (count, sliced) {
            (1, true) => {
                self.emit(Instruction::Slice);
            }
            (1, false) => {
                self.emit(Instruction::Item);
            }
            (_, true) => return Err(syntax("a slice of several is not supported", self.line())),
            (count, false) => {
                self.emit(Instruction::Tuple(count));
                self.emit(Instruction::Item);
            }
        }
        Ok(())
    }

    /// An index, or the three parts of a slice. Is it one?
    fn subscribed(&mut self) -> Done<bool> {
        if self.is_sign(":") {
            self.emit(Instruction::None);
        } else {
            self.expression()?;
            if !self.is_sign(":") {
                return Ok(false);
            }
        }
        self.skip(1);
        if matches!(self.peek(), Token::Sign(":" | "]" | ",")) {
            self.emit(Instruction::None);
        } else {
            self.expression()?;
        }
        if self.sign(":") && !matches!(self.peek(), Token::Sign("]" | ",")) {
            self.expression()?;
        } else {
            self.emit(Instruction::None);
        }
        Ok(true)
    }

    /// What stands in the parentheses of a call.
    fn arguments(&mut self) -> Done<u32> {
        let line = self.line();
        let invalid = || syntax("invalid syntax for function call expression", line);
        self.expect_sign("(")?;
        let mut shape = CallShape::default();
        let mut first = true;
        let mut first_named = None;
        while !self.sign(")") {
            if !std::mem::replace(&mut first, false) {
                self.expect_sign(",")?;
                if self.sign(")") {
                    break;
                }
            }
            if self.sign("*") {
                if shape.star || shape.double_star {
                    return Err(invalid());
                }
                shape.star = true;
                self.unpacked(first_named.as_mut())?;
            } else if self.sign("**") {
                if shape.double_star {
                    return Err(invalid());
                }
                shape.double_star = true;
                self.unpacked(first_named.as_mut())?;
            } else if matches!((self.peek(), self.look(1)), (Token::Name(_), Token::Sign("="))) {
                if shape.double_star {
                    return Err(invalid());
                }
                let name = self.word_of_any_kind()?;
                self.skip(1);
                let name = self.name(name);
                shape.named.push(name);
                first_named.get_or_insert(self.here());
                self.expression()?;
            } else {
                if shape.star || shape.double_star || !shape.named.is_empty() {
                    return Err(invalid());
                }
                shape.positional += 1;
                self.expression()?;
            }
        }
        Ok(self.call_shape(shape))
    }

    /// What `*` or `**` stands before; its value comes before those that are given by name.
    fn unpacked(&mut self, first_named: Option<&mut usize>) -> Done<()> {
        let start = self.here();
        self.landed = start;
        self.expression()?;
        self.landed = self.here();
        if let Some(named) = first_named {
            // The jumps of both stay within them.
            self.program.code.get_mut(*named..).unwrap_or_default().rotate_left(start - *named);
            self.program.lines.get_mut(*named..).unwrap_or_default().rotate_left(start - *named);
            *named += self.here() - start;
        }
        Ok(())
    }

    /// The filters that stand here, for a value that is on the stack.
    pub(super) fn filters_only(&mut self) -> Done<()> {
        while self.sign("|") {
            self.filter()?;
        }
        Ok(())
    }

    /// The name of a filter or test.
    fn dotted(&mut self) -> Done<String> {
        let mut name = self.word_of_any_kind()?.to_owned();
        while self.sign(".") {
            name.push('.');
            name.push_str(self.word_of_any_kind()?);
        }
        Ok(name)
    }

    pub(super) fn filter(&mut self) -> Done<()> {
        let line = self.line();
        let name = self.dotted()?;
        let shape = if self.is_sign("(") { self.arguments()? } else { self.call_shape(CallShape::default()) };
        match Filter::named(&name) {
            Some(filter) => {
                self.emit(Instruction::Filter(filter, shape));
            }
            None => self.unknown(format!("No filter named '{name}'."), line),
        }
        Ok(())
    }

    /// Notes a name that is not known.
    fn unknown(&mut self, said: String, line: u32) {
        let text = self.text_id(&said);
        self.emit(Instruction::Fail(text));
        if !self.soft {
            self.unknown.push((said, line));
        }
    }

    fn test(&mut self) -> Done<()> {
        self.skip(1);
        let negated = self.word("not");
        let line = self.line();
        let name = self.dotted()?;
        let shape = match self.peek() {
            Token::Sign("(") => self.arguments()?,
            Token::Name("else" | "or" | "and") => self.call_shape(CallShape::default()),
            Token::Name("is") => return Err(syntax("You cannot chain multiple tests with is", line)),
            Token::Name(_) | Token::Text(_) | Token::Integer(_) | Token::Float(_) | Token::Sign("[" | "{") => {
                self.primary()?;
                self.postfix()?;
                self.call_shape(CallShape { positional: 1, ..CallShape::default() })
            }
            _ => self.call_shape(CallShape::default()),
        };
        match Check::named(&name) {
            Some(check) => {
                self.emit(match shape == NO_ARGUMENTS && check.parameter().is_none() {
                    true => Instruction::Test(check),
                    false => Instruction::Check(check, shape),
                });
            }
            None => self.unknown(format!("No test named '{name}'."), line),
        }
        if negated {
            self.emit(Instruction::Not);
        }
        Ok(())
    }

    fn integer(&mut self, digits: &str) {
        let instruction = match digits.parse() {
            Ok(number) => Instruction::Integer(number),
            Err(_) => Instruction::Long(self.text_id(digits)),
        };
        self.emit(instruction);
    }

    fn primary(&mut self) -> Done<()> {
        let line = self.line();
        match self.next() {
            Token::Name(name) if is_constant(name) => {
                self.emit(match name {
                    "true" | "True" => Instruction::Bool(true),
                    "false" | "False" => Instruction::Bool(false),
                    _ => Instruction::None,
                });
            }
            Token::Name(text) => {
                let name = self.name(text);
                self.uses(text, name);
                self.emit(Instruction::Name(name));
            }
            Token::Text(text) => {
                let mut whole = text.into_string();
                while let Token::Text(more) = self.peek() {
                    whole.push_str(more);
                    self.skip(1);
                }
                let text = self.text_id(&whole);
                self.emit(Instruction::Literal(text));
            }
            Token::Integer(digits) => self.integer(&digits),
            Token::Float(number) => {
                self.emit(Instruction::Float(number));
            }
            Token::Sign("(") => {
                self.tuple(true, &[], true)?;
                self.expect_sign(")")?;
            }
            Token::Sign("[") => {
                let count = self.items("]", Self::expression)?;
                self.emit(Instruction::List(count));
            }
            Token::Sign("{") => {
                let member = |compiler: &mut Self| {
                    compiler.expression()?;
                    compiler.expect_sign(":")?;
                    compiler.expression()
                };
                let count = self.items("}", member)?;
                self.emit(Instruction::Dict(count));
            }
            other => return Err(syntax(format!("unexpected '{}'", described(&other)), line)),
        }
        Ok(())
    }

    /// Items with commas between them: how many.
    fn items(&mut self, end: &'static str, item: fn(&mut Self) -> Done<()>) -> Done<u32> {
        let mut count = 0;
        while !self.sign(end) {
            if count > 0 {
                self.expect_sign(",")?;
                if self.sign(end) {
                    break;
                }
            }
            item(self)?;
            count += 1;
        }
        Ok(count)
    }
}
