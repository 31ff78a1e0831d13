//! A pull reader: from JSON text to its tokens, one at a time, with Python's grammar.
//!
//! Python differs from the standard in two ways: `NaN`, `Infinity` and `-Infinity` are numbers,
//! and an integer has at most 4300 digits. Nesting costs one bit per level, so it has no limit.

use std::ops::Range;

use super::number::{self, Number};
use super::string::{self, Form, RawString};
use super::{JsonError, JsonErrorKind};

/// One token of a document. Commas and colons are checked and left out.
///
/// Its text is the reader's [`span`](Reader::span), its meaning [`string`](Reader::string) or
/// [`number`](Reader::number).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// The key of an object's next member.
    Key,
    String,
    Integer,
    Float,
    /// `NaN`, `Infinity` or `-Infinity`.
    NotFinite,
    Bool,
    Null,
    /// The end of the document.
    End,
}

/// Reads one JSON document.
pub(crate) struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// Where the last token stands.
    span: Range<usize>,
    /// The form of the last token that was a string or key.
    form: Form,
    containers: Containers,
    expected: Expected,
}

/// What may come next.
#[derive(Clone, Copy)]
enum Expected {
    Value,
    /// A value, or the end of an array that has begun just now.
    FirstItem,
    /// A key, or the end of an object that has begun just now.
    FirstKey,
    /// A comma and a value, or the end of the array.
    NextItem,
    /// A comma and a key, or the end of the object.
    NextMember,
    /// The end of the text.
    End,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Reader {
            text,
            position: 0,
            span: 0..0,
            form: Form::default(),
            containers: Containers::new(),
            expected: Expected::Value,
        }
    }

    /// Where the last token stands in the text; the offsets are those of characters.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The last token, if it was a string or key.
    pub(crate) fn string(&self) -> RawString<'a> {
        RawString::new(self.token_text(), self.form)
    }

    /// The last token, which was this kind of number.
    pub(crate) fn number(&self, token: Token) -> Number<'a> {
        match token {
            Token::Integer => Number::Integer(self.token_text()),
            Token::Float => Number::Float(self.token_text()),
            _ => Number::NotFinite(self.token_text()),
        }
    }

    /// Whether Python writes the last token, which was this one, just as the source has it.
    #[inline]
    pub(super) fn is_canonical(&self, token: Token) -> bool {
        match token {
            Token::Key | Token::String => self.form != Form::Foreign,
            Token::Integer if self.span.len() != "-0".len() => true,
            Token::Integer | Token::Float => self.number(token).is_canonical(),
            _ => true,
        }
    }

    /// The source text of the last token.
    fn token_text(&self) -> &'a str {
        self.text.get(self.span()).unwrap_or_default()
    }

    /// The next token.
    #[inline]
    pub(crate) fn next_token(&mut self) -> Result<Token, JsonError> {
        let mut byte = self.peek();
        match self.expected {
            Expected::Value => {}
            Expected::NextItem => match byte {
                b',' => byte = self.advance(),
                b']' => return Ok(self.close(Token::ArrayEnd)),
                _ => return Err(self.unexpected(JsonErrorKind::ExpectedCommaOrBracket)),
            },
            Expected::NextMember => match byte {
                b',' => {
                    byte = self.advance();
                    return self.key(byte);
                }
                b'}' => return Ok(self.close(Token::ObjectEnd)),
                _ => return Err(self.unexpected(JsonErrorKind::ExpectedCommaOrBrace)),
            },
            Expected::FirstItem if byte == b']' => return Ok(self.close(Token::ArrayEnd)),
            Expected::FirstItem => {}
            Expected::FirstKey if byte == b'}' => return Ok(self.close(Token::ObjectEnd)),
            Expected::FirstKey => return self.key(byte),
            Expected::End if self.position == self.text.len() => return Ok(Token::End),
            Expected::End => return Err(self.unexpected(JsonErrorKind::TrailingText)),
        }
        self.value(byte)
    }

    /// Reads on to the end of the object or array whose start was the last token.
    pub(crate) fn skip_container(&mut self) -> Result<(), JsonError> {
        let outside = self.containers.depth().saturating_sub(1);
        while self.containers.depth() > outside {
            self.next_token()?;
        }
        Ok(())
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Token, JsonError> {
        let bytes = self.text.as_bytes();
        self.span.start = self.position;
        let (token, end) = match byte {
            b'"' => {
                let (form, end) = string::scan(bytes, self.position)?;
                self.form = form;
                (Token::String, end)
            }
            b'{' => return Ok(self.open(Container::Object)),
            b'[' => return Ok(self.open(Container::Array)),
            b'0'..=b'9' | b'-' => match number::scan(bytes, self.position) {
                Ok((number::Kind::Integer, end)) => (Token::Integer, end),
                Ok((number::Kind::Float, end)) => (Token::Float, end),
                Err(error) => match self.word("-Infinity", Token::NotFinite) {
                    Ok(infinity) => infinity,
                    Err(_) => return Err(error),
                },
            },
            b't' => self.word("true", Token::Bool)?,
            b'f' => self.word("false", Token::Bool)?,
            b'n' => self.word("null", Token::Null)?,
            b'N' => self.word("NaN", Token::NotFinite)?,
            b'I' => self.word("Infinity", Token::NotFinite)?,
            _ => return Err(self.unexpected(JsonErrorKind::ExpectedValue)),
        };
        self.position = end;
        self.span.end = end;
        self.expected = self.containers.after_value();
        Ok(token)
    }

    /// Reads a key and the colon after it.
    #[inline]
    fn key(&mut self, byte: u8) -> Result<Token, JsonError> {
        if byte != b'"' {
            return Err(self.unexpected(JsonErrorKind::ExpectedKey));
        }
        let start = self.position;
        let (form, end) = string::scan(self.text.as_bytes(), start)?;
        self.form = form;
        self.span = start..end;
        self.position = end;
        if self.peek() != b':' {
            return Err(self.unexpected(JsonErrorKind::ExpectedColon));
        }
        self.position += 1;
        self.expected = Expected::Value;
        Ok(Token::Key)
    }

    /// The token and its end, if the word stands here.
    fn word(&self, word: &str, token: Token) -> Result<(Token, usize), JsonError> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        if rest.starts_with(word) {
            Ok((token, self.position + word.len()))
        } else {
            Err(self.unexpected(JsonErrorKind::ExpectedValue))
        }
    }

    fn open(&mut self, container: Container) -> Token {
        self.position += 1;
        self.span.end = self.position;
        self.containers.push(container);
        match container {
            Container::Object => {
                self.expected = Expected::FirstKey;
                Token::ObjectStart
            }
            Container::Array => {
                self.expected = Expected::FirstItem;
                Token::ArrayStart
            }
        }
    }

    fn close(&mut self, end: Token) -> Token {
        self.span = self.position..self.position + 1;
        self.position += 1;
        self.containers.pop();
        self.expected = self.containers.after_value();
        end
    }

    /// Steps over one byte and the whitespace after it.
    #[inline]
    fn advance(&mut self) -> u8 {
        self.position += 1;
        self.peek()
    }

    /// The first byte that is not whitespace, left unread; 0 at the end of the text.
    #[inline]
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.position) {
                Some(&byte) if byte > b' ' => return byte,
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    #[cold]
    fn unexpected(&self, kind: JsonErrorKind) -> JsonError {
        let at_end = self.position >= self.text.len();
        let kind = if at_end { JsonErrorKind::UnexpectedEnd } else { kind };
        JsonError::new(kind, self.position)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

/// The containers that are open, one bit each: 1 is an object.
struct Containers {
    /// The innermost ones, the last in the lowest bit.
    bits: u64,
    /// All earlier ones, 64 to a word.
    outer: Vec<u64>,
    depth: usize,
}

impl Containers {
    fn new() -> Self {
        Containers { bits: 0, outer: Vec::new(), depth: 0 }
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn push(&mut self, container: Container) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(container == Container::Object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or_default();
        }
    }

    /// What may follow a value that is complete.
    fn after_value(&self) -> Expected {
        match (self.depth, self.bits & 1) {
            (0, _) => Expected::End,
            (_, 0) => Expected::NextItem,
            _ => Expected::NextMember,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_remembered_beyond_one_word() {
        let kind = |level: usize| {
            if usize::is_multiple_of(level, 3) { Container::Object } else { Container::Array }
        };
        let mut containers = Containers::new();
        for level in 0..200 {
            containers.push(kind(level));
        }
        for level in (0..200).rev() {
            let innermost = match containers.after_value() {
                Expected::NextItem => Container::Array,
                Expected::NextMember => Container::Object,
                _ => panic!("nothing is open at level {level}"),
            };
            assert!(innermost == kind(level), "level {level}");
            containers.pop();
        }
        assert!(matches!(containers.after_value(), Expected::End));
    }

    #[test]
    fn skips_one_container_whole() {
        let mut reader = Reader::new(r#"[{"a": [{}, []], "b": {}}, 7]"#);
        assert_eq!(reader.next_token(), Ok(Token::ArrayStart));
        assert_eq!(reader.next_token(), Ok(Token::ObjectStart));
        reader.skip_container().unwrap();
        assert_eq!(reader.next_token(), Ok(Token::Integer));
        assert_eq!(reader.span(), 27..28);
        assert_eq!(reader.next_token(), Ok(Token::ArrayEnd));
        assert_eq!(reader.next_token(), Ok(Token::End));
        assert_eq!(reader.next_token(), Ok(Token::End));
    }
}
