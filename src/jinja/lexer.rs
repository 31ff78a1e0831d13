//! A template's source into tokens, as Jinja's own lexer finds them with `trim_blocks` and `lstrip_blocks`.

use std::borrow::Cow;

use super::error::{Done, Stop};
use crate::python::characters::is_space;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    /// What is printed as it is.
    Data(&'s str),
    PrintStart,
    PrintEnd,
    BlockStart,
    BlockEnd,
    Name(&'s str),
    Text(Box<str>),
    Integer(Cow<'s, str>),
    Float(f64),
    Sign(&'static str),
    End,
}

/// The source with the line ends that Jinja gives it, and without the last one.
pub(super) fn normalized(source: &str) -> Cow<'_, str> {
    let source = match source.contains('\r') {
        true => Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(source),
    };
    match source {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(mut text) => {
            if text.ends_with('\n') {
                text.pop();
            }
            Cow::Owned(text)
        }
    }
}

pub(super) fn syntax(said: impl Into<Cow<'static, str>>, line: u32) -> Stop {
    Stop::new("TemplateSyntaxError", said).at(line)
}

/// Longest first.
const SIGNS: [&str; 26] = [
    "**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
];

/// The tokens of a normalized source, each with its line.
pub(super) fn tokens(source: &str) -> Done<Vec<(Token<'_>, u32)>> {
    let mut lexer = Lexer { source, at: 0, line: 1, counted: 0, starts_line: true, tokens: Vec::new() };
    while lexer.data()? {}
    let line = lexer.line_at(source.len());
    lexer.tokens.push((Token::End, line));
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    /// The line of the byte up to which line ends were counted.
    line: u32,
    counted: usize,
    /// Did the last tag end with a line end?
    starts_line: bool,
    tokens: Vec<(Token<'s>, u32)>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The line of a place that is not before the last one that was asked for.
    fn line_at(&mut self, place: usize) -> u32 {
        let passed = self.source.get(self.counted..place).unwrap_or_default();
        let ends = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.counted = self.counted.max(place);
        self.line
    }

    fn push(&mut self, token: Token<'s>, start: usize) {
        let line = self.line_at(start);
        self.tokens.push((token, line));
    }

    /// Text up to the next tag, and that tag; is there more?
    fn data(&mut self) -> Done<bool> {
        let start = self.at;
        let Some(open) = find_open(self.rest()).map(|open| start + open) else {
            if start < self.source.len() {
                self.push(Token::Data(self.rest()), start);
            }
            return Ok(false);
        };
        let kind = self.source.as_bytes().get(open + 1).copied().unwrap_or_default();
        let mut inside = open + 2;
        let sign = self.source.as_bytes().get(inside).copied().filter(|sign| matches!(sign, b'-' | b'+'));
        inside += usize::from(sign.is_some());
        let text = self.source.get(start..open).unwrap_or_default();
        let text = match sign {
            Some(b'-') => text.trim_end_matches(is_space),
            None if kind != b'{' => without_indent(text, self.starts_line),
            _ => text,
        };
        if !text.is_empty() {
            self.push(Token::Data(text), start);
        }
        self.at = inside;
        match kind {
            b'#' => self.comment(open)?,
            b'%' => match raw_start(self.rest()) {
                Some(length) => {
                    self.at += length;
                    self.raw(open)?;
                }
                None => {
                    self.push(Token::BlockStart, open);
                    self.tag("%}")?;
                }
            },
            _ => {
                self.push(Token::PrintStart, open);
                self.tag("}}")?;
            }
        }
        Ok(true)
    }

    fn comment(&mut self, open: usize) -> Done<()> {
        let line = self.line_at(open);
        let Some(close) = self.rest().find("#}") else {
            // Jinja misses the end only if there is something that it could end.
            return if self.rest().is_empty() { Ok(()) } else { Err(syntax("Missing end of comment tag", line)) };
        };
        let sign = close.checked_sub(1).and_then(|before| self.rest().as_bytes().get(before)).copied();
        self.at += close + 2;
        self.after_block(sign);
        Ok(())
    }

    /// Skips the white space that the end of a block takes with it.
    fn after_block(&mut self, sign: Option<u8>) {
        let rest = self.rest();
        let skipped = match sign {
            Some(b'-') => rest.len() - rest.trim_start_matches(is_space).len(),
            Some(b'+') => 0,
            _ => usize::from(rest.starts_with('\n')),
        };
        self.at += skipped;
        self.starts_line = self.source.get(..self.at).is_some_and(|before| before.ends_with('\n'));
    }

    /// The text of a raw block, whose beginning has been read.
    fn raw(&mut self, open: usize) -> Done<()> {
        let line = self.line_at(open);
        let (start, mut search) = (self.at, self.at);
        self.starts_line = self.source.get(..start).is_some_and(|before| before.ends_with('\n'));
        loop {
            let Some(found) = self.source.get(search..).and_then(|rest| rest.find("{%")) else {
                let is_empty = self.source.len() == start;
                return if is_empty { Ok(()) } else { Err(syntax("Missing end of raw directive", line)) };
            };
            let found = search + found;
            search = found + 2;
            let inner = self.source.get(search..).unwrap_or_default();
            let strip = inner.as_bytes().first().copied().filter(|sign| matches!(sign, b'-' | b'+'));
            let word = inner.get(usize::from(strip.is_some())..).unwrap_or_default().trim_start_matches(is_space);
            let Some(tail) = word.strip_prefix("endraw") else { continue };
            let tail = tail.trim_start_matches(is_space);
            let sign = tail.as_bytes().first().copied().filter(|sign| matches!(sign, b'-' | b'+'));
            let tail = tail.get(usize::from(sign.is_some())..).unwrap_or_default();
            let Some(tail) = tail.strip_prefix("%}") else { continue };
            let text = self.source.get(start..found).unwrap_or_default();
            let text = match strip {
                Some(b'-') => text.trim_end_matches(is_space),
                Some(_) => text,
                None => without_indent(text, self.starts_line),
            };
            if !text.is_empty() {
                self.push(Token::Data(text), start);
            }
            self.at = self.source.len() - tail.len();
            self.after_block(sign);
            return Ok(());
        }
    }

    /// The tokens of a tag up to its end.
    fn tag(&mut self, end: &'static str) -> Done<()> {
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            let (start, rest) = (self.at, self.rest());
            if open.is_empty() && self.tag_end(end, rest) {
                return Ok(());
            }
            let Some(first) = rest.chars().next() else { return Ok(()) };
            if is_space(first) {
                self.at += first.len_utf8();
            } else if let Some((number, length)) = float(self.source, start) {
                self.push(Token::Float(number), start);
                self.at += length;
            } else if let Some((number, length)) = integer(rest) {
                self.push(Token::Integer(number), start);
                self.at += length;
            } else if is_word(first) {
                let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
                let name = rest.get(..length).unwrap_or_default();
                if name.starts_with(|first: char| first.is_numeric()) {
                    let line = self.line_at(start);
                    return Err(syntax("Invalid character in identifier", line));
                }
                self.push(Token::Name(name), start);
                self.at += length;
            } else if let Some(length) = quoted_length(rest) {
                let line = self.line_at(start);
                let inner = rest.get(1..length - 1).unwrap_or_default();
                let text = super::escapes::unescape(inner).map_err(|error| error.at(line))?;
                self.push(Token::Text(text), start);
                self.at += length;
            } else {
                self.sign(rest, start, &mut open)?;
            }
        }
    }

    /// Reads the end of the tag, where it is that.
    fn tag_end(&mut self, end: &'static str, rest: &str) -> bool {
        let start = self.at;
        let sign = rest.as_bytes().first().copied().filter(|sign| *sign == b'-' || *sign == b'+' && end == "%}");
        let tail = rest.get(usize::from(sign.is_some())..).unwrap_or_default();
        if !tail.starts_with(end) {
            return false;
        }
        self.at += usize::from(sign.is_some()) + end.len();
        if end == "%}" {
            self.push(Token::BlockEnd, start);
            self.after_block(sign);
        } else {
            self.push(Token::PrintEnd, start);
            let rest = self.rest();
            if sign.is_some() {
                self.at += rest.len() - rest.trim_start_matches(is_space).len();
            }
            self.starts_line = self.source.get(..self.at).is_some_and(|before| before.ends_with('\n'));
        }
        true
    }

    fn sign(&mut self, rest: &str, start: usize, open: &mut Vec<&'static str>) -> Done<()> {
        let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
            let line = self.line_at(start);
            let character = rest.chars().next().unwrap_or_default();
            return Err(syntax(format!("unexpected char '{character}' at {start}"), line));
        };
        match sign {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" if open.pop() != Some(sign) => {
                let line = self.line_at(start);
                return Err(syntax(format!("unexpected '{sign}'"), line));
            }
            _ => {}
        }
        self.push(Token::Sign(sign), start);
        self.at += sign.len();
        Ok(())
    }
}

/// The next `{{`, `{%` or `{#`.
fn find_open(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'{')?;
        if matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#')) {
            return Some(at);
        }
        at += 1;
    }
}

/// The length of what begins a raw block, behind `{%` and its sign.
fn raw_start(rest: &str) -> Option<usize> {
    let tail = rest.trim_start_matches(is_space).strip_prefix("raw")?.trim_start_matches(is_space);
    let tail = match tail.strip_prefix("-%}") {
        Some(tail) => tail.trim_start_matches(is_space),
        None => tail.strip_prefix("%}")?,
    };
    Some(rest.len() - tail.len())
}

/// The text without the white space after its last line end, where there is nothing else.
fn without_indent(text: &str, starts_line: bool) -> &str {
    let line = text.rfind('\n').map_or(0, |end| end + 1);
    let (before, indent) = text.split_at_checked(line).unwrap_or((text, ""));
    if (line > 0 || starts_line) && indent.chars().all(is_space) { before } else { text }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The digits, with underscores between them, that a text begins with: their length.
fn digits(text: &str, is_digit: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    loop {
        let underscore = usize::from(length > 0 && bytes.get(length) == Some(&b'_'));
        match bytes.get(length + underscore) {
            Some(byte) if is_digit(*byte) => length += underscore + 1,
            _ => return length,
        }
    }
}

fn float(source: &str, start: usize) -> Option<(f64, usize)> {
    let rest = source.get(start..)?;
    let whole = digits(rest, |byte| byte.is_ascii_digit());
    if whole == 0 || source.get(..start)?.ends_with('.') {
        return None;
    }
    let mut length = whole;
    if rest.as_bytes().get(length) == Some(&b'.') {
        let fraction = digits(rest.get(length + 1..)?, |byte| byte.is_ascii_digit());
        length += if fraction > 0 { 1 + fraction } else { 0 };
    }
    if matches!(rest.as_bytes().get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.as_bytes().get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(rest.get(length + 1 + sign..)?, |byte| byte.is_ascii_digit());
        length += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    if length == whole {
        return None;
    }
    rest.get(..length)?.replace('_', "").parse().ok().map(|number| (number, length))
}

/// An integer in decimal digits, and how long it is in the source.
fn integer(rest: &str) -> Option<(Cow<'_, str>, usize)> {
    let bytes = rest.as_bytes();
    let base = match (bytes.first()?, bytes.get(1)) {
        (b'0', Some(b'b' | b'B')) => 2,
        (b'0', Some(b'o' | b'O')) => 8,
        (b'0', Some(b'x' | b'X')) => 16,
        (b'1'..=b'9', _) => {
            let length = digits(rest, |byte| byte.is_ascii_digit());
            let found = rest.get(..length)?;
            let found = if found.contains('_') { Cow::Owned(found.replace('_', "")) } else { Cow::Borrowed(found) };
            return Some((found, length));
        }
        (b'0', _) => return Some((Cow::Borrowed("0"), digits(rest, |byte| byte == b'0'))),
        _ => return None,
    };
    // `0x_1f` is a number, too.
    let prefixed = rest.get(2..)?;
    let underscore = usize::from(prefixed.starts_with('_'));
    let length = digits(prefixed.get(underscore..)?, |byte| char::from(byte).is_digit(base));
    if length == 0 {
        return Some((Cow::Borrowed("0"), 1));
    }
    let found = prefixed.get(underscore..underscore + length)?.replace('_', "");
    let number = u128::from_str_radix(&found, base).ok()?;
    Some((Cow::Owned(number.to_string()), 2 + underscore + length))
}

/// The length of the string that a text begins with, quotes included.
fn quoted_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let quote = bytes.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}
