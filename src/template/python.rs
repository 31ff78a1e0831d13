//! Values printed as Python prints them: `str`, `repr` and `json.dumps`, none deeper or longer than is allowed.

use std::fmt::{self, Write};

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::object::{Dict, List, LongInteger};
use crate::python_json::{self, Number};

/// How deep a printed value may be nested.
const MAX_DEPTH: usize = 128;

/// Python's own spaces are more than Unicode's: the four separators of ASCII are among them.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// How many bytes a value may print as, for the fuel that is left.
pub(super) fn budget(state: &State<'_, '_>) -> usize {
    let left = state.fuel_levels().map_or(u64::MAX, |(_, left)| left.saturating_mul(4));
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Appends `str(value)`; undefined prints as nothing.
pub(super) fn display(value: &Value, out: &mut impl Write, budget: usize) -> Result<(), Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => out.write_str(text).map_err(Error::from),
        (None, ValueKind::Undefined) => Ok(()),
        (None, _) => Printer { out, left: budget }.repr(value, 0),
    }
}

/// `str(value)` for values that a template holds.
pub(super) fn to_string(value: &Value, state: &State<'_, '_>) -> Result<String, Error> {
    let mut text = String::new();
    display(value, &mut text, budget(state))?;
    Ok(text)
}

/// `repr(value)` for the engine's own printing.
pub(super) fn render(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    Printer { out: f, left: usize::MAX }.repr(value, 0).map_err(|_| fmt::Error)
}

/// The options of `json.dumps` that transformers lets templates set.
pub(super) struct JsonStyle {
    pub(super) indent: Option<usize>,
    pub(super) ascii: bool,
    pub(super) sorted: bool,
    pub(super) item_separator: String,
    pub(super) key_separator: String,
    /// A character that stays as it is even where all others of its kind are escaped.
    pub(super) mark: Option<char>,
}

/// `json.dumps(value)`.
pub(super) fn json(value: &Value, style: &JsonStyle, budget: usize) -> Result<String, Error> {
    let mut out = String::new();
    Printer { out: &mut out, left: budget }.json(value, style, 0)?;
    Ok(out)
}

fn invalid(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

struct Printer<'w, W> {
    out: &'w mut W,
    left: usize,
}

impl<W: Write> Printer<'_, W> {
    fn push(&mut self, text: &str) -> Result<(), Error> {
        self.left = self.left.checked_sub(text.len()).ok_or_else(|| Error::from(ErrorKind::OutOfFuel))?;
        self.out.write_str(text).map_err(Error::from)
    }

    fn repr(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(invalid("the value is nested too deep to be printed"));
        }
        match value.kind() {
            ValueKind::String => {
                let mut quoted = String::new();
                repr_string(value.as_str().unwrap_or_default(), &mut quoted);
                self.push(&quoted)
            }
            ValueKind::Number => self.number(value, ["inf", "-inf", "nan"]),
            ValueKind::Undefined => self.push("Undefined"),
            ValueKind::Map => self.repr_map(value, depth),
            ValueKind::Seq | ValueKind::Iterable => {
                let tuple = value.downcast_object_ref::<Tuple>().map(|tuple| tuple.len());
                let [open, close] = match tuple {
                    Some(1) => ["(", ",)"],
                    Some(_) => ["(", ")"],
                    None => ["[", "]"],
                };
                self.push(open)?;
                self.items(value, |printer, item, first| {
                    if !first {
                        printer.push(", ")?;
                    }
                    printer.repr(item, depth + 1)
                })?;
                self.push(close)
            }
            _ => self.push(&value.to_string()),
        }
    }

    fn repr_map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.push("{")?;
        self.members(value, |printer, key, member, first| {
            if !first {
                printer.push(", ")?;
            }
            printer.repr(key, depth + 1)?;
            printer.push(": ")?;
            printer.repr(member, depth + 1)
        })?;
        self.push("}")
    }

    fn items(
        &mut self,
        value: &Value,
        mut each: impl FnMut(&mut Self, &Value, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(list) = value.downcast_object_ref::<List>() {
            return list.items().iter().enumerate().try_for_each(|(place, item)| each(self, item, place == 0));
        }
        for (place, item) in value.try_iter()?.checked().enumerate() {
            each(self, &item?, place == 0)?;
        }
        Ok(())
    }

    fn members(
        &mut self,
        value: &Value,
        mut each: impl FnMut(&mut Self, &Value, &Value, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(dict) = value.downcast_object_ref::<Dict>() {
            let mut members = dict.members().iter().enumerate();
            return members.try_for_each(|(place, (key, member))| each(self, key, member, place == 0));
        }
        for (place, key) in value.try_iter()?.checked().enumerate() {
            let key = key?;
            let member = value.get_item(&key)?;
            each(self, &key, &member, place == 0)?;
        }
        Ok(())
    }

    fn number(&mut self, value: &Value, [infinity, minus_infinity, nan]: [&str; 3]) -> Result<(), Error> {
        if value.is_integer() {
            return self.push(&value.to_string());
        }
        let float = f64::try_from(value.clone())?;
        if float.is_nan() {
            self.push(nan)
        } else if float.is_infinite() {
            self.push(if float > 0.0 { infinity } else { minus_infinity })
        } else {
            let mut text = String::new();
            Number::Float(&format!("{float:e}")).write(&mut text);
            self.push(&text)
        }
    }

    fn json(&mut self, value: &Value, style: &JsonStyle, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(invalid("the value is nested too deep for tojson"));
        }
        match value.kind() {
            ValueKind::None => self.push("null"),
            ValueKind::Bool => self.push(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value, ["Infinity", "-Infinity", "NaN"]),
            ValueKind::String => self.json_string(value.as_str().unwrap_or_default(), style),
            ValueKind::Seq | ValueKind::Iterable => {
                self.push("[")?;
                let mut any = false;
                self.items(value, |printer, item, first| {
                    any = true;
                    printer.separate(style, depth + 1, first)?;
                    printer.json(item, style, depth + 1)
                })?;
                self.close(style, depth, any, "]")
            }
            ValueKind::Map => {
                self.push("{")?;
                let mut any = false;
                let mut member = |printer: &mut Self, key: &Value, member: &Value, first: bool| {
                    any = true;
                    printer.separate(style, depth + 1, first)?;
                    printer.json_key(key, style)?;
                    printer.push(&style.key_separator)?;
                    printer.json(member, style, depth + 1)
                };
                if style.sorted {
                    let mut keys = value.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
                    keys.sort();
                    for (place, key) in keys.iter().enumerate() {
                        member(self, key, &value.get_item(key)?, place == 0)?;
                    }
                } else {
                    self.members(value, member)?;
                }
                self.close(style, depth, any, "}")
            }
            _ if value.downcast_object_ref::<LongInteger>().is_some() => self.push(&value.to_string()),
            kind => Err(invalid(format!("{kind} cannot be written as JSON"))),
        }
    }

    /// What stands before an item: a comma, and with an indent a line of its own.
    fn separate(&mut self, style: &JsonStyle, depth: usize, first: bool) -> Result<(), Error> {
        if !first {
            self.push(&style.item_separator)?;
        }
        self.new_line(style, depth)
    }

    fn close(&mut self, style: &JsonStyle, depth: usize, any: bool, bracket: &str) -> Result<(), Error> {
        if any {
            self.new_line(style, depth)?;
        }
        self.push(bracket)
    }

    fn new_line(&mut self, style: &JsonStyle, depth: usize) -> Result<(), Error> {
        match style.indent {
            Some(indent) => self.push(&format!("\n{:1$}", "", indent * depth)),
            None => Ok(()),
        }
    }

    fn json_key(&mut self, key: &Value, style: &JsonStyle) -> Result<(), Error> {
        match key.kind() {
            ValueKind::String => self.json_string(key.as_str().unwrap_or_default(), style),
            ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                self.push("\"")?;
                self.json(key, style, 0)?;
                self.push("\"")
            }
            kind => Err(invalid(format!("{kind} cannot be a key in JSON"))),
        }
    }

    fn json_string(&mut self, text: &str, style: &JsonStyle) -> Result<(), Error> {
        let mut quoted = String::new();
        python_json::write_string(text, &mut quoted);
        if style.ascii && !quoted.is_ascii() {
            let mut ascii = String::with_capacity(quoted.len() * 2);
            for character in quoted.chars() {
                if character.is_ascii() || style.mark == Some(character) {
                    ascii.push(character);
                } else {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        // Writing to a `String` cannot fail.
                        let _ = write!(ascii, "\\u{unit:04x}");
                    }
                }
            }
            quoted = ascii;
        }
        self.push(&quoted)
    }
}

/// Appends `repr(text)`.
fn repr_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ if is_printable(character) => out.push(character),
            _ => {
                // Writing to a `String` cannot fail.
                let _ = match u32::from(character) {
                    code @ ..0x100 => write!(out, "\\x{code:02x}"),
                    code @ 0x100..0x1_0000 => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Does Python print the character as itself? Private-use characters, which it escapes, are let through: marks are some.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => false,
        '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => false,
        _ => !character.is_control() && !character.is_whitespace(),
    }
}
