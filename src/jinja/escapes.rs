//! The inside of a string literal into what it says, as Python's `unicode-escape` reads it.

use super::error::{Done, Stop};
use crate::python::unicode_names;

/// What a string literal says.
pub(super) fn unescape(inner: &str) -> Done<Box<str>> {
    if !inner.contains('\\') {
        return Ok(inner.into());
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        let taken = escape(tail, &mut text)?;
        rest = tail.get(taken..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(text.into())
}

/// Reads one escape behind its backslash: how many bytes it has.
fn escape(tail: &str, text: &mut String) -> Done<usize> {
    let Some(first) = tail.chars().next() else { return Err(invalid("\\ at end of string")) };
    let simple = match first {
        '\n' => return Ok(1),
        '\\' | '\'' | '"' => first,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => {
            let length = tail.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let code = u32::from_str_radix(tail.get(..length).unwrap_or_default(), 8).unwrap_or_default();
            return push_code(code, text).map(|()| length);
        }
        'x' => return hexadecimal(tail, 2, "truncated \\xXX escape", text),
        'u' => return hexadecimal(tail, 4, "truncated \\uXXXX escape", text),
        'U' => return hexadecimal(tail, 8, "truncated \\UXXXXXXXX escape", text),
        'N' => return named(tail, text),
        // Python looks at the bytes of an ASCII form, in which this character is an escape itself.
        other if !other.is_ascii() => {
            match u32::from(other) {
                code @ ..0x100 => text.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..0x1_0000 => text.push_str(&format!("\\u{code:04x}")),
                code => text.push_str(&format!("\\U{code:08x}")),
            }
            return Ok(other.len_utf8());
        }
        other => {
            text.extend(['\\', other]);
            return Ok(1);
        }
    };
    text.push(simple);
    Ok(1)
}

fn hexadecimal(tail: &str, digits: usize, truncated: &'static str, text: &mut String) -> Done<usize> {
    let found = tail.get(1..=digits).filter(|found| found.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let Some(found) = found else { return Err(invalid(truncated)) };
    push_code(u32::from_str_radix(found, 16).unwrap_or(u32::MAX), text)?;
    Ok(1 + digits)
}

fn named(tail: &str, text: &mut String) -> Done<usize> {
    let name = tail.strip_prefix("N{").and_then(|tail| tail.split_once('}')).map(|(name, _)| name);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(invalid("malformed \\N character escape"));
    };
    let Some(character) = unicode_names::character(name) else { return Err(invalid("unknown Unicode character name")) };
    text.push(character);
    Ok("N{}".len() + name.len())
}

fn push_code(code: u32, text: &mut String) -> Done<()> {
    match char::from_u32(code) {
        Some(character) => text.push(character),
        None if (0xD800..0xE000).contains(&code) => return Err(invalid("half of a surrogate pair is not text")),
        None => return Err(invalid("illegal Unicode character")),
    }
    Ok(())
}

fn invalid(said: &'static str) -> Stop {
    Stop::new("TemplateSyntaxError", said)
}
