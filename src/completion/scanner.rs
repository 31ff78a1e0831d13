//! JSON that comes in pieces: one byte in, what it is to the document out. The grammar is that of Python's `json`.

use crate::python::json::{JsonErrorKind, MAX_INTEGER_DIGITS};

/// The most levels of nesting: past Python's own limit, and what bounds the memory of a scanner.
pub(crate) const DEEPEST: usize = 1024;
const WORDS: usize = DEEPEST / 64;
/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Between two values: white space, a comma, a colon.
    Gap,
    /// The first byte of a value or key.
    Begin(Kind),
    /// Inside a key or a value that holds no others.
    Inside,
    /// The last byte of a key, a string, a word or a container. Numbers end unmarked.
    End,
}

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Key,
    String,
    Number,
    Word,
}

/// Why a byte cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Json(JsonErrorKind),
    TooDeep,
}

impl From<JsonErrorKind> for Fault {
    fn from(kind: JsonErrorKind) -> Self {
        Fault::Json(kind)
    }
}

/// How a scanner goes on after a byte that cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// What began as an escape is text. The byte is still to be taken.
    NoEscape,
    /// An escaped `'`.
    Apostrophe,
    /// A control character inside of a string.
    ControlCharacter,
    /// A key or a string begins in single quotes.
    SingleQuote(Kind),
    /// A word of Python's begins.
    WordBegins,
    /// It goes on.
    WordGoesOn,
    /// A container ends after a comma.
    TrailingComma,
    /// The end of a container that is not open.
    ExtraBracket,
}

/// Checks one document, byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    state: State,
    depth: usize,
    /// One bit a level: is it an object?
    objects: [u64; WORDS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    FirstItem,
    Key,
    FirstKey,
    Colon,
    /// A comma or an end; outside of all containers, the end of the document.
    Next,
    String {
        is_key: bool,
        quote: Quote,
        escape: Escape,
    },
    Number {
        part: Part,
        digits: usize,
    },
    Word {
        rest: &'static [u8],
    },
}

/// What a string stands in; single quotes only where they were mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quote {
    Double,
    Single,
}

impl Quote {
    const fn byte(self) -> u8 {
        match self {
            Quote::Double => b'"',
            Quote::Single => b'\'',
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    /// So many hexadecimal digits are to come.
    Unicode(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Scanner { state: State::Value, depth: 0, objects: [0; WORDS] }
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Is a key or a string open?
    pub(super) fn in_string(&self) -> bool {
        matches!(self.state, State::String { .. })
    }

    /// Is a string open that stands in single quotes?
    pub(super) fn in_single_quotes(&self) -> bool {
        matches!(self.state, State::String { quote: Quote::Single, .. })
    }

    /// Is an escape open?
    pub(super) fn in_escape(&self) -> bool {
        matches!(self.state, State::String { escape: Escape::Begun | Escape::Unicode(_), .. })
    }

    /// How many of the next bytes are plain text of an open string, and so need no [`step`](Scanner::step).
    pub(super) fn plain_run(&self, bytes: &[u8]) -> usize {
        let is_special: fn(&u8) -> bool = match self.state {
            State::String { escape: Escape::None, quote: Quote::Double, .. } => {
                |&byte| byte < b' ' || byte == b'"' || byte == b'\\'
            }
            State::String { escape: Escape::None, quote: Quote::Single, .. } => {
                |&byte| byte < b' ' || byte == b'"' || byte == b'\\' || byte == b'\''
            }
            _ => return 0,
        };
        bytes.iter().position(is_special).unwrap_or(bytes.len())
    }

    /// Takes the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Result<Mark, Fault> {
        match self.state {
            State::String { is_key, quote, escape } => self.string(byte, is_key, quote, escape),
            State::Word { rest } => self.in_word(byte, rest),
            State::Number { part, digits } => match next_part(part, byte) {
                Some(part) => {
                    self.state = State::Number { part, digits: digits + usize::from(byte.is_ascii_digit()) };
                    Ok(Mark::Inside)
                }
                None if part == Part::Minus && byte == b'I' => {
                    self.state = State::Word { rest: b"nfinity" };
                    Ok(Mark::Inside)
                }
                None => {
                    self.end_number(part, digits)?;
                    self.between(byte)
                }
            },
            _ => self.between(byte),
        }
    }

    /// Ends the text: was the document complete?
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        if let State::Number { part, digits } = self.state {
            self.end_number(part, digits)?;
        }
        match (self.state, self.depth) {
            (State::Next, 0) => Ok(()),
            _ => Err(JsonErrorKind::UnexpectedEnd.into()),
        }
    }

    /// What ends the document where nothing but the ends of containers is missing.
    pub(super) fn missing_ends(&self) -> Option<String> {
        let is_between = match self.state {
            State::Next | State::FirstItem | State::FirstKey => true,
            State::Number { part, digits } => self.clone().end_number(part, digits).is_ok(),
            _ => false,
        };
        if !is_between || self.depth == 0 {
            return None;
        }
        Some((0..self.depth).rev().map(|level| if self.is_object(level) { '}' } else { ']' }).collect())
    }

    /// After a fault of the text of a string: goes on inside of the string.
    pub(super) fn mend_text(&mut self, byte: u8) -> Option<Mend> {
        let State::String { is_key, quote, escape } = self.state else { return None };
        self.state = State::String { is_key, quote, escape: Escape::None };
        Some(match (escape, byte) {
            (Escape::Begun, b'\'') => Mend::Apostrophe,
            (Escape::Begun | Escape::Unicode(_), _) => Mend::NoEscape,
            (Escape::None, _) => Mend::ControlCharacter,
        })
    }

    /// After any other fault: goes on where the byte means something to Python.
    pub(super) fn mend_structure(&mut self, byte: u8) -> Option<Mend> {
        let (state, mend) = match (self.state, byte) {
            (State::Key | State::FirstKey, b'\'') => (
                State::String { is_key: true, quote: Quote::Single, escape: Escape::None },
                Mend::SingleQuote(Kind::Key),
            ),
            (State::Value | State::FirstItem, b'\'') => (
                State::String { is_key: false, quote: Quote::Single, escape: Escape::None },
                Mend::SingleQuote(Kind::String),
            ),
            (State::Value | State::FirstItem, b'T') => (State::Word { rest: b"rue" }, Mend::WordBegins),
            (State::Value | State::FirstItem, b'F') => (State::Word { rest: b"alse" }, Mend::WordBegins),
            (State::Word { rest: b"aN" }, b'o') => (State::Word { rest: b"ne" }, Mend::WordGoesOn),
            (State::Key, b'}') => {
                self.close();
                (State::Next, Mend::TrailingComma)
            }
            (State::Value, b']') if self.depth > 0 && !self.in_object() => {
                self.close();
                (State::Next, Mend::TrailingComma)
            }
            // Further inside, it may be another bracket that is missing.
            (State::Next, b'}' | b']') if self.depth == 1 => (State::Next, Mend::ExtraBracket),
            _ => return None,
        };
        self.state = state;
        Some(mend)
    }

    fn between(&mut self, byte: u8) -> Result<Mark, Fault> {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return Ok(Mark::Gap);
        }
        match (self.state, byte) {
            (State::FirstItem, b']') | (State::FirstKey, b'}') => Ok(self.close()),
            (State::Value | State::FirstItem, _) => self.value(byte),
            (State::Key | State::FirstKey, b'"') => {
                self.state = State::String { is_key: true, quote: Quote::Double, escape: Escape::None };
                Ok(Mark::Begin(Kind::Key))
            }
            (State::Key | State::FirstKey, _) => Err(JsonErrorKind::ExpectedKey.into()),
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(Mark::Gap)
            }
            (State::Colon, _) => Err(JsonErrorKind::ExpectedColon.into()),
            _ => self.next(byte),
        }
    }

    fn next(&mut self, byte: u8) -> Result<Mark, Fault> {
        match (self.depth, self.in_object(), byte) {
            (0, _, _) => Err(JsonErrorKind::TrailingText.into()),
            (_, true, b'}') | (_, false, b']') => Ok(self.close()),
            (_, is_object, b',') => {
                self.state = if is_object { State::Key } else { State::Value };
                Ok(Mark::Gap)
            }
            (_, true, _) => Err(JsonErrorKind::ExpectedCommaOrBrace.into()),
            (_, false, _) => Err(JsonErrorKind::ExpectedCommaOrBracket.into()),
        }
    }

    fn value(&mut self, byte: u8) -> Result<Mark, Fault> {
        let (kind, state) = match byte {
            b'{' | b'[' => return self.open(byte == b'{'),
            b'"' => (Kind::String, State::String { is_key: false, quote: Quote::Double, escape: Escape::None }),
            b'-' => (Kind::Number, State::Number { part: Part::Minus, digits: 0 }),
            b'0' => (Kind::Number, State::Number { part: Part::Zero, digits: 1 }),
            b'1'..=b'9' => (Kind::Number, State::Number { part: Part::Integer, digits: 1 }),
            b'n' => (Kind::Word, State::Word { rest: b"ull" }),
            b't' => (Kind::Word, State::Word { rest: b"rue" }),
            b'f' => (Kind::Word, State::Word { rest: b"alse" }),
            b'N' => (Kind::Word, State::Word { rest: b"aN" }),
            b'I' => (Kind::Word, State::Word { rest: b"nfinity" }),
            _ => return Err(JsonErrorKind::ExpectedValue.into()),
        };
        self.state = state;
        Ok(Mark::Begin(kind))
    }

    fn open(&mut self, is_object: bool) -> Result<Mark, Fault> {
        let word = self.objects.get_mut(self.depth / 64).ok_or(Fault::TooDeep)?;
        let bit = 1 << (self.depth % 64);
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        self.state = if is_object { State::FirstKey } else { State::FirstItem };
        Ok(Mark::Begin(if is_object { Kind::Object } else { Kind::Array }))
    }

    fn close(&mut self) -> Mark {
        self.depth = self.depth.saturating_sub(1);
        self.state = State::Next;
        Mark::End
    }

    fn in_object(&self) -> bool {
        self.is_object(self.depth.saturating_sub(1))
    }

    fn is_object(&self, level: usize) -> bool {
        self.objects.get(level / 64).is_some_and(|word| word & (1 << (level % 64)) != 0)
    }

    fn string(&mut self, byte: u8, is_key: bool, quote: Quote, escape: Escape) -> Result<Mark, Fault> {
        let escape = match (escape, byte) {
            (Escape::None, _) if byte == quote.byte() => {
                self.state = if is_key { State::Colon } else { State::Next };
                return Ok(Mark::End);
            }
            (Escape::None, b'\\') => Escape::Begun,
            (Escape::None, 0..b' ') => return Err(JsonErrorKind::ControlCharacter.into()),
            (Escape::None, _) => Escape::None,
            (Escape::Begun, b'u') => Escape::Unicode(4),
            (Escape::Begun, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::None,
            (Escape::Unicode(1), _) if byte.is_ascii_hexdigit() => Escape::None,
            (Escape::Unicode(left), _) if byte.is_ascii_hexdigit() => Escape::Unicode(left.saturating_sub(1)),
            (Escape::Begun | Escape::Unicode(_), _) => return Err(JsonErrorKind::InvalidEscape.into()),
        };
        self.state = State::String { is_key, quote, escape };
        Ok(Mark::Inside)
    }

    fn in_word(&mut self, byte: u8, rest: &'static [u8]) -> Result<Mark, Fault> {
        match rest.split_first() {
            Some((&expected, [])) if byte == expected => {
                self.state = State::Next;
                Ok(Mark::End)
            }
            Some((&expected, rest)) if byte == expected => {
                self.state = State::Word { rest };
                Ok(Mark::Inside)
            }
            _ => Err(JsonErrorKind::ExpectedValue.into()),
        }
    }

    fn end_number(&mut self, part: Part, digits: usize) -> Result<(), Fault> {
        match part {
            Part::Zero | Part::Integer if digits > MAX_INTEGER_DIGITS => Err(JsonErrorKind::IntegerTooLong.into()),
            Part::Zero | Part::Integer | Part::Fraction | Part::ExponentDigits => {
                self.state = State::Next;
                Ok(())
            }
            Part::Minus | Part::Point | Part::Exponent | Part::ExponentSign => Err(JsonErrorKind::ExpectedValue.into()),
        }
    }
}

/// The part of a number that its next byte is in; `None` if the number has no such byte.
fn next_part(part: Part, byte: u8) -> Option<Part> {
    Some(match (part, byte) {
        (Part::Minus, b'0') => Part::Zero,
        (Part::Minus, b'1'..=b'9') | (Part::Integer, b'0'..=b'9') => Part::Integer,
        (Part::Zero | Part::Integer, b'.') => Part::Point,
        (Part::Point | Part::Fraction, b'0'..=b'9') => Part::Fraction,
        (Part::Zero | Part::Integer | Part::Fraction, b'e' | b'E') => Part::Exponent,
        (Part::Exponent, b'+' | b'-') => Part::ExponentSign,
        (Part::Exponent | Part::ExponentSign | Part::ExponentDigits, b'0'..=b'9') => Part::ExponentDigits,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::python::json;

    fn scan(text: &str) -> Result<(), Fault> {
        let mut scanner = Scanner::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            let run = scanner.plain_run(rest);
            if run > 0 {
                rest = &rest[run..];
                continue;
            }
            scanner.step(byte)?;
            rest = tail;
        }
        scanner.finish()
    }

    #[test]
    fn documents() {
        for text in ["{}", " [1, -0, 2.50, 1e5, -1E-7] ", r#"{"a": [{}, "\ud83d\n"], "b": NaN}"#, "-Infinity", "null"] {
            assert_eq!(scan(text), Ok(()), "{text}");
        }
        for (text, kind) in [
            ("", JsonErrorKind::UnexpectedEnd),
            ("[1", JsonErrorKind::UnexpectedEnd),
            ("[1,]", JsonErrorKind::ExpectedValue),
            ("{'a': 1}", JsonErrorKind::ExpectedKey),
            ("{\"a\" 1}", JsonErrorKind::ExpectedColon),
            ("{\"a\": 01}", JsonErrorKind::ExpectedCommaOrBrace),
            ("[1 2]", JsonErrorKind::ExpectedCommaOrBracket),
            ("{} {}", JsonErrorKind::TrailingText),
            ("\"\n\"", JsonErrorKind::ControlCharacter),
            (r#""\x""#, JsonErrorKind::InvalidEscape),
        ] {
            assert_eq!(scan(text), Err(kind.into()), "{text}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(scan(&("[".repeat(DEEPEST) + &"]".repeat(DEEPEST))), Ok(()));
        assert_eq!(scan(&"[".repeat(DEEPEST + 1)), Err(Fault::TooDeep));
        assert_eq!(scan(&"1".repeat(MAX_INTEGER_DIGITS)), Ok(()));
        assert_eq!(scan(&"1".repeat(MAX_INTEGER_DIGITS + 1)), Err(JsonErrorKind::IntegerTooLong.into()));
    }

    proptest! {
        #[test]
        fn takes_what_the_whole_reader_takes(text in r#"[\[\]{},:" \\untrealsfNI0-9.eE+-]{0,24}"#) {
            let whole = json::reformat(&text, &mut String::new());
            let is_json = whole.is_ok() || whole.is_err_and(|error| !error.is_syntax());
            prop_assert_eq!(scan(&text).is_ok(), is_json, "{}", text);
        }
    }
}
