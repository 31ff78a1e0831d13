//! A pull reader: from JSON text to its tokens, one at a time, with Python's grammar.
//!
//! Python differs from the standard in two ways: `NaN`, `Infinity` and `-Infinity` are numbers,
//! and an integer has at most 4300 digits. Nesting costs one bit per level, so it has no limit.

use super::number::Number;
use super::string::RawString;
use super::{JsonError, JsonErrorKind};

/// One token of a document. Commas and colons are checked and left out.
#[derive(Clone, Copy)]
pub(crate) enum Token<'a> {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// The key of an object's next member.
    Key(RawString<'a>),
    String(RawString<'a>),
    Number(Number<'a>),
    Bool(bool),
    Null,
}

/// Reads one JSON document.
pub(crate) struct Reader<'a> {
    text: &'a str,
    position: usize,
    token_start: usize,
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
    /// A comma or an end; outside of all containers, the end of the text.
    Next,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Reader { text, position: 0, token_start: 0, containers: Containers::new(), expected: Expected::Value }
    }

    /// The byte offset at which the last token begins.
    pub(crate) fn token_start(&self) -> usize {
        self.token_start
    }

    /// The next token, or nothing after the end of the document.
    pub(crate) fn next_token(&mut self) -> Result<Option<Token<'a>>, JsonError> {
        let mut byte = self.skip_whitespace();
        match self.expected {
            Expected::Value => {}
            Expected::FirstItem if byte == Some(b']') => return self.close(Token::ArrayEnd),
            Expected::FirstItem => {}
            Expected::FirstKey if byte == Some(b'}') => return self.close(Token::ObjectEnd),
            Expected::FirstKey => return self.key(byte),
            Expected::Next => match (self.containers.innermost(), byte) {
                (Some(Container::Object), Some(b',')) => {
                    byte = self.advance();
                    return self.key(byte);
                }
                (Some(Container::Object), Some(b'}')) => return self.close(Token::ObjectEnd),
                (Some(Container::Object), _) => {
                    return Err(self.unexpected(JsonErrorKind::ExpectedCommaOrBrace));
                }
                (Some(Container::Array), Some(b',')) => byte = self.advance(),
                (Some(Container::Array), Some(b']')) => return self.close(Token::ArrayEnd),
                (Some(Container::Array), _) => {
                    return Err(self.unexpected(JsonErrorKind::ExpectedCommaOrBracket));
                }
                (None, None) => return Ok(None),
                (None, Some(_)) => return Err(self.unexpected(JsonErrorKind::TrailingText)),
            },
        }
        self.value(byte)
    }

    /// Reads on to the end of the object or array whose start was the last token.
    pub(crate) fn skip_container(&mut self) -> Result<(), JsonError> {
        let outside = self.containers.depth().saturating_sub(1);
        while self.containers.depth() > outside && self.next_token()?.is_some() {}
        Ok(())
    }

    fn value(&mut self, byte: Option<u8>) -> Result<Option<Token<'a>>, JsonError> {
        self.token_start = self.position;
        self.expected = Expected::Next;
        let token = match byte {
            Some(b'"') => Token::String(self.string()?),
            Some(b'{') => self.open(Container::Object),
            Some(b'[') => self.open(Container::Array),
            Some(b't') => self.word("true", Token::Bool(true))?,
            Some(b'f') => self.word("false", Token::Bool(false))?,
            Some(b'n') => self.word("null", Token::Null)?,
            Some(b'N') => self.word("NaN", Token::Number(Number::NotFinite("NaN")))?,
            Some(b'I') => self.word("Infinity", Token::Number(Number::NotFinite("Infinity")))?,
            Some(b'-' | b'0'..=b'9') => {
                let (number, end) = Number::read(self.text, self.position)?;
                self.position = end;
                Token::Number(number)
            }
            _ => return Err(self.unexpected(JsonErrorKind::ExpectedValue)),
        };
        Ok(Some(token))
    }

    /// Reads a key and the colon after it.
    fn key(&mut self, byte: Option<u8>) -> Result<Option<Token<'a>>, JsonError> {
        if byte != Some(b'"') {
            return Err(self.unexpected(JsonErrorKind::ExpectedKey));
        }
        self.token_start = self.position;
        let key = self.string()?;
        if self.skip_whitespace() != Some(b':') {
            return Err(self.unexpected(JsonErrorKind::ExpectedColon));
        }
        self.position += 1;
        self.expected = Expected::Value;
        Ok(Some(Token::Key(key)))
    }

    fn string(&mut self) -> Result<RawString<'a>, JsonError> {
        let (string, end) = RawString::read(self.text, self.position)?;
        self.position = end;
        Ok(string)
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, JsonError> {
        let rest = self.text.as_bytes().get(self.position..);
        if rest.is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.position += word.len();
            Ok(token)
        } else {
            Err(self.unexpected(JsonErrorKind::ExpectedValue))
        }
    }

    fn open(&mut self, container: Container) -> Token<'a> {
        self.position += 1;
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

    #[expect(clippy::unnecessary_wraps, reason = "reads as the end of `next_token`")]
    fn close(&mut self, end: Token<'a>) -> Result<Option<Token<'a>>, JsonError> {
        self.token_start = self.position;
        self.position += 1;
        self.containers.pop();
        self.expected = Expected::Next;
        Ok(Some(end))
    }

    /// Steps over one byte and the whitespace after it.
    fn advance(&mut self) -> Option<u8> {
        self.position += 1;
        self.skip_whitespace()
    }

    /// The first byte that is not whitespace, left unread.
    fn skip_whitespace(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                other => return other.copied(),
            }
        }
    }

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
        if self.depth > 0 && self.depth % 64 == 0 {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(container == Container::Object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth > 0 && self.depth % 64 == 0 {
            self.bits = self.outer.pop().unwrap_or_default();
        }
    }

    fn innermost(&self) -> Option<Container> {
        match (self.depth, self.bits & 1) {
            (0, _) => None,
            (_, 0) => Some(Container::Array),
            _ => Some(Container::Object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_remembered_beyond_one_word() {
        let kind = |level: usize| {
            if level % 3 == 0 { Container::Object } else { Container::Array }
        };
        let mut containers = Containers::new();
        for level in 0..200 {
            containers.push(kind(level));
        }
        for level in (0..200).rev() {
            assert!(containers.innermost() == Some(kind(level)), "level {level}");
            containers.pop();
        }
        assert!(containers.innermost().is_none());
    }

    #[test]
    fn skips_one_container_whole() {
        let mut reader = Reader::new(r#"[{"a": [{}, []], "b": {}}, 7]"#);
        assert!(matches!(reader.next_token(), Ok(Some(Token::ArrayStart))));
        assert!(matches!(reader.next_token(), Ok(Some(Token::ObjectStart))));
        reader.skip_container().unwrap();
        assert!(matches!(reader.next_token(), Ok(Some(Token::Number(_)))));
        assert_eq!(reader.token_start(), 27);
        assert!(matches!(reader.next_token(), Ok(Some(Token::ArrayEnd))));
        assert!(matches!(reader.next_token(), Ok(None)));
    }
}
