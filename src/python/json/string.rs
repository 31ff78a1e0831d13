//! JSON strings: from the text between two quotes to the form that Python writes.

use std::borrow::Cow;

use super::{JsonError, JsonErrorKind};

/// A string of the source, checked but not decoded.
#[derive(Clone, Copy, Default)]
pub(crate) struct RawString<'a> {
    /// The source text, quotes included.
    quoted: &'a str,
    form: Form,
}

/// How much work it is to write a string as Python does.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// No escapes: the source text is what Python writes and what the string says.
    #[default]
    Plain,
    /// Only escapes that Python writes too: the source text is what Python writes.
    Canonical,
    /// `\/` or `\uXXXX`, which Python mostly writes in another way.
    Foreign,
}

/// Whether written text contains the escape of a lone surrogate, which only Python can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Surrogates {
    Paired,
    Lone,
}

/// Finds the end of the string whose opening quote is at `start`: the offset after the closing one.
#[inline]
pub(super) fn scan(bytes: &[u8], start: usize) -> Result<(Form, usize), JsonError> {
    let position = find_special(bytes, start + 1);
    if bytes.get(position) == Some(&b'"') {
        return Ok((Form::Plain, position + 1));
    }
    scan_escapes(bytes, position)
}

/// Goes on where something other than a closing quote was found.
fn scan_escapes(bytes: &[u8], mut position: usize) -> Result<(Form, usize), JsonError> {
    let mut form = Form::Plain;
    loop {
        match bytes.get(position) {
            Some(b'"') => return Ok((form, position + 1)),
            Some(b'\\') => {
                let (escape, length) = read_escape(bytes, position)?;
                form = form.max(escape);
                position = find_special(bytes, position + length);
            }
            Some(_) => return Err(JsonError::new(JsonErrorKind::ControlCharacter, position)),
            None => return Err(JsonError::new(JsonErrorKind::UnexpectedEnd, bytes.len())),
        }
    }
}

impl<'a> RawString<'a> {
    /// The string whose source text is `quoted` and which [`scan`] found to be of this form.
    pub(super) fn new(quoted: &'a str, form: Form) -> Self {
        RawString { quoted, form }
    }

    /// The source text between the quotes.
    pub(crate) fn content(self) -> &'a str {
        self.quoted.get(1..self.quoted.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Appends the string as Python writes it, with its quotes.
    ///
    /// A lone surrogate is left as its escape, a form that nothing else is written in.
    pub(super) fn write(self, out: &mut String) -> Surrogates {
        out.push('"');
        let surrogates = write_foreign(self.content(), out);
        out.push('"');
        surrogates
    }

    /// What the string says, with U+FFFD for each lone surrogate.
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.form == Form::Plain {
            return Cow::Borrowed(self.content());
        }
        let decoded = self.code_points().map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(decoded.collect())
    }

    /// What the string says, lone surrogates included.
    pub(crate) fn code_points(self) -> CodePoints<'a> {
        CodePoints { rest: self.content() }
    }
}

/// The code points of a [`RawString`].
pub(crate) struct CodePoints<'a> {
    rest: &'a str,
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = self.rest.chars().next()?;
        let (code, length) = match first {
            '\\' => decode_escape(self.rest.as_bytes()),
            other => (u32::from(other), other.len_utf8()),
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(code)
    }
}

/// Appends `text` as one JSON string, as Python's `json.dumps(text, ensure_ascii=False)` writes it.
///
/// Only `"`, `\` and the control characters below U+0020 are escaped; everything else, be it
/// U+007F, U+2028 or an emoji, stays as it is.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::python_json::write_string;
///
/// let mut out = String::from("name: ");
/// write_string("say \"h\u{e9}\"\n\u{1f}", &mut out);
/// assert_eq!(out, r#"name: "say \"hé\"\n\u001f""#);
/// ```
pub fn write_string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    write_content(text, out);
    out.push('"');
}

fn write_content(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let end = find_special(bytes, start);
        out.push_str(text.get(start..end).unwrap_or_default());
        let Some(&special) = bytes.get(end) else {
            return;
        };
        write_escape(special, out);
        start = end + 1;
    }
}

/// Appends the escape of `"`, `\` or a control character.
fn write_escape(special: u8, out: &mut String) {
    out.push_str(match special {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        0x0c => "\\f",
        0x08 => "\\b",
        control => {
            out.push_str("\\u00");
            out.push(if control < 0x10 { '0' } else { '1' });
            out.extend(char::from_digit(u32::from(control & 0xf), 16));
            return;
        }
    });
}

/// Appends string content that has escapes of every kind.
fn write_foreign(content: &str, out: &mut String) -> Surrogates {
    let bytes = content.as_bytes();
    let mut surrogates = Surrogates::Paired;
    let mut start = 0;
    loop {
        let end = find_special(bytes, start);
        out.push_str(content.get(start..end).unwrap_or_default());
        let escape = bytes.get(end..).unwrap_or_default();
        if escape.is_empty() {
            return surrogates;
        }
        let (code, length) = decode_escape(escape);
        start = end + length;
        match char::from_u32(code) {
            Some(special @ ('"' | '\\' | '\0'..='\x1f')) => write_escape(special as u8, out),
            Some(character) => out.push(character),
            None => {
                surrogates = Surrogates::Lone;
                out.push_str("\\u");
                out.extend((0..4).rev().filter_map(|digit| char::from_digit((code >> (4 * digit)) & 0xf, 16)));
            }
        }
    }
}

/// Whether text made by [`RawString::write`] contains the escape of a lone surrogate.
///
/// Every other `\u` escape that is written begins with `\u00`.
pub(super) fn surrogates(written: &str) -> Surrogates {
    let mut bytes = written.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && bytes.next() == Some(b'u') && bytes.next() == Some(b'd') {
            return Surrogates::Lone;
        }
    }
    Surrogates::Paired
}

/// Checks the escape at `position` and measures it.
fn read_escape(bytes: &[u8], position: usize) -> Result<(Form, usize), JsonError> {
    match bytes.get(position + 1) {
        Some(b'"' | b'\\' | b'n' | b'r' | b't' | b'f' | b'b') => Ok((Form::Canonical, 2)),
        Some(b'/') => Ok((Form::Foreign, 2)),
        Some(b'u') => {
            let digits = bytes.get(position + 2..position + 6).unwrap_or_default();
            if digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit) {
                Ok((Form::Foreign, 6))
            } else {
                Err(JsonError::new(JsonErrorKind::InvalidEscape, position))
            }
        }
        Some(_) => Err(JsonError::new(JsonErrorKind::InvalidEscape, position)),
        None => Err(JsonError::new(JsonErrorKind::UnexpectedEnd, bytes.len())),
    }
}

/// The code point that a checked escape at the start of `escape` stands for, and its length.
///
/// A high surrogate takes the low surrogate after it along; a lone one stands for itself.
fn decode_escape(escape: &[u8]) -> (u32, usize) {
    let code = match escape.get(1) {
        Some(b'n') => 0x0a,
        Some(b'r') => 0x0d,
        Some(b't') => 0x09,
        Some(b'f') => 0x0c,
        Some(b'b') => 0x08,
        Some(b'u') => {
            let unit = hex_unit(escape);
            if let 0xd800..0xdc00 = unit
                && escape.get(6..8) == Some(b"\\u")
                && let low @ 0xdc00..0xe000 = hex_unit(escape.get(6..).unwrap_or_default())
            {
                return (0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12);
            }
            return (unit, 6);
        }
        Some(&itself) => u32::from(itself),
        None => u32::from(b'\\'),
    };
    (code, 2)
}

/// The value of the four digits in `\uXXXX`.
fn hex_unit(escape: &[u8]) -> u32 {
    let digits = escape.get(2..6).unwrap_or_default();
    digits.iter().fold(0, |unit, &digit| unit * 16 + char::from(digit).to_digit(16).unwrap_or_default())
}

/// The offset of the first `"`, `\` or control character at or after `start`, or the length.
#[inline]
fn find_special(bytes: &[u8], start: usize) -> usize {
    let mut rest = bytes.get(start..).unwrap_or_default();
    for _ in 0..4 {
        let Some((chunk, tail)) = rest.split_first_chunk::<8>() else {
            break;
        };
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    find_special_far(bytes, bytes.len() - rest.len())
}

/// The same, made for long runs without a special byte.
fn find_special_far(bytes: &[u8], start: usize) -> usize {
    let mut rest = bytes.get(start..).unwrap_or_default();
    while let Some((block, tail)) = rest.split_first_chunk::<32>() {
        // Without an early way out, so that the compiler looks at all bytes of a block at once.
        if block.iter().fold(false, |any, &byte| any | is_special(byte)) {
            break;
        }
        rest = tail;
    }
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    let special = rest.iter().position(|&byte| is_special(byte));
    bytes.len() - rest.len() + special.unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Marks the `"`, `\` and control characters among eight bytes by their high bits.
///
/// Subtracting borrows only out of a byte that is marked, so the lowest mark is always right.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const fn repeat(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let control = word.wrapping_sub(repeat(0x20));
    let quote = (word ^ repeat(b'"')).wrapping_sub(repeat(1));
    let backslash = (word ^ repeat(b'\\')).wrapping_sub(repeat(1));
    (control | quote | backslash) & !word & repeat(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_read(source: &str, said: &str, written: &str) {
        let (form, end) = scan(source.as_bytes(), 0).unwrap();
        assert_eq!(end, source.len());
        let string = RawString::new(source, form);
        assert_eq!(string.decode(), said);
        let mut out = String::new();
        assert!(string.write(&mut out) == Surrogates::Paired);
        assert_eq!(out, written);
    }

    #[test]
    fn reads_and_writes_every_form() {
        assert_read(r#""""#, "", r#""""#);
        assert_read(r#""plain é""#, "plain é", r#""plain é""#);
        assert_read(r#""\"\\\n\r\t\f\b""#, "\"\\\n\r\t\u{c}\u{8}", r#""\"\\\n\r\t\f\b""#);
        assert_read(r#""\/\u00E9\u0022\u001F""#, "/é\"\u{1f}", r#""/é\"\u001f""#);
        assert_read(r#""\ud83d\uDE00!""#, "😀!", r#""😀!""#);
    }

    #[test]
    fn a_lone_surrogate_keeps_its_escape() {
        let string = RawString::new(r#""\uD83D\ud83d\ude00\\ud800""#, Form::Foreign);
        let mut out = String::new();
        assert!(string.write(&mut out) == Surrogates::Lone);
        assert_eq!(out, r#""\ud83d😀\\ud800""#);
        assert_eq!(string.decode(), "\u{fffd}😀\\ud800");
        assert!(surrogates(&out) == Surrogates::Lone);
        assert!(surrogates(r#""\\ud800 \u001d \"\\\"""#) == Surrogates::Paired);
    }

    #[test]
    fn finds_each_special_byte_at_each_place() {
        for special in (0..0x20).chain([b'"', b'\\']) {
            for place in 0..40 {
                let mut bytes = [0xe9; 40];
                bytes[place] = special;
                assert_eq!(find_special(&bytes, 0), place);
                assert_eq!(find_special(&bytes, place + 1), 40);
            }
        }
        let others: Vec<u8> = (0x20..=0xff).filter(|byte| !matches!(byte, b'"' | b'\\')).collect();
        assert_eq!(find_special(&others, 0), others.len());
    }
}
