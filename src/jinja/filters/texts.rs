//! Filters for texts.

use super::super::arguments::Arguments;
use super::super::error::{Done, Stop, type_error, value_error};
use super::super::machine::Machine;
use super::super::methods::{capitalized, lines, stripped};
use super::super::operators::to_index;
use super::super::text::{Builder, Origin, Text, byte_of};
use super::super::value::Value;
use super::Filter;
use crate::python::characters::{self, is_space};
use crate::python::wrap::{Wrap, wrapped};

fn is_given(value: Option<Value<'_>>) -> bool {
    value.is_some_and(|value| value.is_true())
}

/// A text that a filter works on as it is, without making it one.
fn only_text<'r>(value: Value<'r>, what: &str) -> Done<Text<'r>> {
    value.defined()?;
    match value {
        Value::Text(text) => Ok(text),
        other => Err(type_error(format!("{what} takes a text, not {}", other.type_name()))),
    }
}

impl<'r> Machine<'r> {
    pub(super) fn text_filter(
        &mut self,
        filter: Filter,
        value: Value<'r>,
        arguments: Arguments<'r>,
    ) -> Done<Value<'r>> {
        match filter {
            Filter::Join => self.join(&value, arguments),
            Filter::String => {
                arguments.bind("string", [], 0)?;
                self.soft_str(&value).map(Value::Text)
            }
            Filter::Safe => {
                arguments.bind("safe", [], 0)?;
                Ok(Value::Text(self.str(&value)?.markup(true)))
            }
            Filter::Escape => {
                arguments.bind("escape", [], 0)?;
                let text = self.soft_str(&value)?;
                self.escaped(&text).map(Value::Text)
            }
            Filter::ForceEscape => {
                arguments.bind("forceescape", [], 0)?;
                let text = self.str(&value)?;
                self.escaped(&text).map(Value::Text)
            }
            Filter::Upper | Filter::Lower | Filter::Capitalize | Filter::Title | Filter::WordCount => {
                arguments.bind("the filter", [], 0)?;
                let text = self.soft_str(&value)?;
                self.charge_bytes(text.bytes())?;
                Ok(Value::Text(match filter {
                    Filter::Upper => text.map(characters::upper),
                    Filter::Lower => text.map(characters::lower),
                    Filter::Capitalize => capitalized(&text),
                    Filter::Title => title_words(&text),
                    _ => return Ok(Value::length(characters::words(&text.content()))),
                }))
            }
            Filter::Trim => {
                let [set] = arguments.bind("trim", ["chars"], 0)?;
                let text = self.soft_str(&value)?;
                self.charge_bytes(text.bytes())?;
                let set = match set {
                    None | Some(Value::None) => None,
                    Some(Value::Text(set)) => Some(set),
                    Some(_) => return Err(type_error("strip arg must be None or str")),
                };
                let set = set.as_ref().map(Text::content);
                Ok(Value::Text(stripped(&text, "strip", set.as_deref())))
            }
            Filter::Replace => {
                let [from, to, most] = arguments.bind("replace", ["old", "new", "count"], 2)?;
                let (text, from) = (self.str(&value)?, self.str(&from.unwrap_or(Value::None))?);
                let to = self.str(&to.unwrap_or(Value::None))?;
                let most = match most {
                    None | Some(Value::None) => None,
                    Some(most) => usize::try_from(to_index(&most)?).ok(),
                };
                self.replaced(&text, &from, &to, most).map(Value::Text)
            }
            Filter::Center => {
                let [width] = arguments.bind("center", ["width"], 0)?;
                let width = width.map_or(Ok(80), |width| to_index(&width))?;
                let text = self.soft_str(&value)?;
                let width = usize::try_from(width).unwrap_or_default();
                let padded = self.pad(&text, "center", width, &Text::template(" "))?;
                Ok(Value::Text(padded.markup(text.is_markup())))
            }
            Filter::Format => {
                if !arguments.positional.is_empty() && !arguments.named.is_empty() {
                    let said = "can't handle positional and keyword arguments at the same time";
                    return Err(Stop::new("FilterArgumentError", said));
                }
                let text = self.soft_str(&value)?;
                let Arguments { positional, named } = arguments;
                let values = match named.is_empty() {
                    true => Value::tuple(positional)?,
                    false => {
                        let member = |(name, value)| (Value::Text(Text::given_cow(name)), value);
                        Value::dict(named.into_iter().map(member))?
                    }
                };
                self.percent(&text, values)
            }
            Filter::Indent => self.indent(value, arguments),
            Filter::Truncate => self.truncate(value, arguments),
            Filter::WordWrap => self.word_wrap(value, arguments),
            Filter::FileSizeFormat => self.file_size(&value, arguments),
            Filter::UrlEncode => {
                arguments.bind("urlencode", [], 0)?;
                self.url_encode(&value)
            }
            Filter::XmlAttr => self.xml_attributes(&value, arguments),
            Filter::StripTags => {
                arguments.bind("striptags", [], 0)?;
                let text = self.str(&value)?;
                self.charge_bytes(text.bytes())?;
                let plain = without_entities(&without_tags(&text.content()));
                let said = "striptags knows the HTML entities amp, lt, gt, quot, apos and nbsp only";
                let plain = plain.ok_or_else(|| Stop::new("TemplateRuntimeError", said))?;
                Ok(self.given(&plain))
            }
            _ => Ok(value),
        }
    }

    fn indent(&mut self, value: Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [width, first, blank] = arguments.bind("indent", ["width", "first", "blank"], 0)?;
        let indent = match width {
            Some(Value::Text(text)) => text,
            width => {
                let width = width.map_or(Ok(4), |width| to_index(&width))?;
                let width = usize::try_from(width).unwrap_or_default();
                self.charge_bytes(width)?;
                Text::made(&" ".repeat(width), Origin::Template)
            }
        };
        let text = only_text(value, "indent")?;
        let content = format!("{}\n", text.content());
        let lines = lines(&content, false);
        let (first, blank) = (is_given(first), is_given(blank));
        self.charge_bytes(content.len().saturating_add(lines.len().saturating_mul(indent.bytes())))?;
        self.charge(lines.len().saturating_mul(text.pieces().len()) / 8)?;
        let mut out = Builder::new();
        for (place, line) in lines.into_iter().enumerate() {
            if place > 0 {
                out.push("\n", Origin::Template);
            }
            let indented = if place == 0 { first } else { blank || !line.is_empty() };
            if indented {
                out.text(&indent);
            }
            out.text(&text.part(line));
        }
        Ok(Value::Text(out.finish().markup(text.is_markup())))
    }

    fn truncate(&mut self, value: Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [length, kill_words, end, leeway] =
            arguments.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
        let length = length.map_or(Ok(255), |length| to_index(&length))?;
        let leeway = match leeway {
            None | Some(Value::None) => 5,
            Some(leeway) => to_index(&leeway)?,
        };
        let end = match end {
            None => Text::template("..."),
            Some(end) => only_text(end, "truncate")?,
        };
        let end_length = i64::try_from(end.length()).unwrap_or(i64::MAX);
        if length < end_length {
            return Err(Stop::new("AssertionError", format!("expected length >= {end_length}, got {length}")));
        }
        if leeway < 0 {
            return Err(Stop::new("AssertionError", format!("expected leeway >= 0, got {leeway}")));
        }
        let text = only_text(value, "truncate")?;
        self.charge_bytes(text.bytes())?;
        let count = i64::try_from(text.length()).unwrap_or(i64::MAX);
        if count <= length.saturating_add(leeway) {
            return Ok(Value::Text(text));
        }
        let content = text.content();
        let mut cut = byte_of(&content, usize::try_from(length - end_length).unwrap_or_default());
        if !is_given(kill_words) {
            cut = content.get(..cut).and_then(|kept| kept.rfind(' ')).unwrap_or(cut);
        }
        let kept = text.part(0..cut);
        self.add_texts(kept, end).map(Value::Text)
    }

    fn word_wrap(&mut self, value: Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
        let [width, break_words, separator, on_hyphens] = arguments.bind("wordwrap", names, 0)?;
        let width = width.map_or(Ok(79), |width| to_index(&width))?;
        let Some(width) = usize::try_from(width).ok().filter(|width| *width > 0) else {
            return Err(value_error(format!("invalid width {width} (must be > 0)")));
        };
        let separator = match separator {
            None | Some(Value::None) => Text::template("\n"),
            Some(separator) => only_text(separator, "wordwrap")?,
        };
        let is_on = |value: Option<Value<'r>>| value.is_none_or(|value| value.is_true());
        let wrap = Wrap { width, break_words: is_on(break_words), on_hyphens: is_on(on_hyphens) };
        let text = only_text(value, "wordwrap")?;
        self.charge(text.bytes() / 8)?;
        let content = text.content();
        let mut out = Builder::new();
        for (place, line) in lines(&content, false).into_iter().enumerate() {
            if place > 0 {
                out.text(&separator);
            }
            let ranges = wrapped(content.get(line.clone()).unwrap_or_default(), &wrap);
            self.charge(ranges.len().saturating_mul(text.pieces().len()))?;
            for (place, range) in ranges.into_iter().enumerate() {
                if place > 0 {
                    out.text(&separator);
                }
                out.text(&text.part(line.start + range.start..line.start + range.end));
            }
        }
        Ok(Value::Text(out.finish().markup(separator.is_markup())))
    }

    fn file_size(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [binary] = arguments.bind("filesizeformat", ["binary"], 0)?;
        let binary = is_given(binary);
        let number = match value {
            Value::Text(text) => crate::python::format::read_float(&text.content()),
            other => other.number().map(|number| number.float()),
        };
        let Some(bytes) = number else { return Err(type_error("float() argument must be a string or a real number")) };
        let base: f64 = if binary { 1024.0 } else { 1000.0 };
        let prefixes = match binary {
            true => ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"],
            false => ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"],
        };
        let written = if bytes == 1.0 {
            "1 Byte".to_owned()
        } else if bytes < base {
            format!("{} Bytes", bytes.trunc() as i128)
        } else {
            let mut unit = base;
            let mut name = "";
            for prefix in prefixes {
                unit *= base;
                name = prefix;
                if bytes < unit {
                    break;
                }
            }
            format!("{:.1} {name}", base * bytes / unit)
        };
        Ok(self.given(&written))
    }

    fn url_encode(&mut self, value: &Value<'r>) -> Done<Value<'r>> {
        let quoted = |text: &str, for_query: bool| {
            let mut out = String::with_capacity(text.len());
            for byte in text.bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
                    b'/' if !for_query => out.push('/'),
                    b' ' if for_query => out.push('+'),
                    other => out.push_str(&format!("%{other:02X}")),
                }
            }
            out
        };
        if matches!(value, Value::Text(_) | Value::None | Value::Namespace(_)) || value.number().is_some() {
            let text = self.str(value)?;
            self.charge_bytes(text.bytes() * 3)?;
            return Ok(Value::Text(text.map(|piece| quoted(piece, false))));
        }
        let pairs = match value {
            Value::Dict(dict) => self.iterate(&Value::View(super::super::value::View::Items, dict.clone()))?,
            other => self.iterate(other)?,
        };
        let mut out = Builder::new();
        for (place, pair) in pairs.iter().enumerate() {
            let Ok([key, member]) = <[Value<'r>; 2]>::try_from(self.iterate(pair)?) else {
                return Err(value_error("not enough values to unpack (expected 2)"));
            };
            let (key, member) = (self.str(&key)?, self.str(&member)?);
            self.charge_bytes((key.bytes() + member.bytes()) * 3)?;
            if place > 0 {
                out.push("&", Origin::Given);
            }
            out.text(&key.map(|piece| quoted(piece, true)));
            out.push("=", Origin::Given);
            out.text(&member.map(|piece| quoted(piece, true)));
        }
        Ok(Value::Text(out.finish()))
    }

    fn xml_attributes(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [space] = arguments.bind("xmlattr", ["autospace"], 0)?;
        value.defined()?;
        let Value::Dict(dict) = value else {
            let name = value.type_name();
            return Err(Stop::new("AttributeError", format!("'{name}' object has no attribute 'items'")));
        };
        let space = space.is_none_or(|space| space.is_true());
        let mut out = Builder::new();
        for (key, member) in dict.members() {
            if matches!(member, Value::None | Value::Undefined(_)) {
                continue;
            }
            let Value::Text(key) = key else { return Err(type_error("expected string or bytes-like object")) };
            if key.content().contains(|character| is_ascii_space(character) || matches!(character, '/' | '>' | '=')) {
                return Err(value_error(format!("Invalid character in attribute name: '{}'", key.content())));
            }
            if out.bytes() > 0 || space {
                out.push(" ", Origin::Given);
            }
            let member = self.soft_str(member)?;
            let (key, member) = (self.escaped(key)?, self.escaped(&member)?);
            out.text(&key);
            out.push("=\"", Origin::Given);
            out.text(&member);
            out.push("\"", Origin::Given);
        }
        Ok(Value::Text(out.finish()))
    }
}

fn is_ascii_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Jinja's `title` filter: each part between spaces, dashes and opening brackets begins with a capital.
fn title_words<'r>(text: &Text<'r>) -> Text<'r> {
    let mut begins = true;
    text.map(|piece| {
        let mut titled = String::with_capacity(piece.len());
        for character in piece.chars() {
            if begins {
                titled.extend(character.to_uppercase());
            } else {
                titled.extend(character.to_lowercase());
            }
            begins = is_space(character) || matches!(character, '-' | '(' | '{' | '[' | '<');
        }
        titled
    })
}

/// A text without tags and comments, and with single spaces.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let rest = text.get(start..).unwrap_or_default();
        let end = match rest.starts_with("<!--") {
            true => rest.get(4..).and_then(|rest| rest.find("-->")).map(|end| end + 7),
            false => rest.find('>').map(|end| end + 1),
        };
        let Some(end) = end else { break };
        kept.push_str(text.get(at..start).unwrap_or_default());
        at = start + end;
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    kept.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text with its HTML entities read; `None` where it has one that is not known here.
fn without_entities(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('&') {
        plain.push_str(before);
        let end =
            tail.find(|character: char| !character.is_ascii_alphanumeric() && character != '#').unwrap_or(tail.len());
        let (name, behind) = tail.split_at_checked(end)?;
        rest = behind.strip_prefix(';').unwrap_or(behind);
        let number = name.strip_prefix('#').map(|number| match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        });
        match (name, number) {
            ("", _) => {
                plain.push('&');
                rest = tail;
            }
            (_, Some(code)) => plain.push(char::from_u32(code.ok()?)?),
            ("amp", _) => plain.push('&'),
            ("lt", _) => plain.push('<'),
            ("gt", _) => plain.push('>'),
            ("quot", _) => plain.push('"'),
            ("apos", _) => plain.push('\''),
            ("nbsp", _) => plain.push('\u{a0}'),
            _ => return None,
        }
    }
    plain.push_str(rest);
    Some(plain)
}
