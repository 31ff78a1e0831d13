//! Values printed as Python prints them: `str`, `repr` and `json.dumps`, each text in them as trusted as it was.

use std::rc::Rc;

use super::error::{Done, Stop, type_error};
use super::machine::Machine;
use super::text::{Builder, Origin, Text};
use super::value::{Function, Range, Value, View};
use crate::python::characters::is_printable;
use crate::python::format::float_repr;
use crate::python::json;

/// The options of `json.dumps` that transformers lets templates set.
#[derive(Debug)]
pub(super) struct JsonStyle<'r> {
    pub(super) indent: Option<Text<'r>>,
    pub(super) ascii: bool,
    pub(super) sorted: bool,
    pub(super) item_separator: Text<'r>,
    pub(super) key_separator: Text<'r>,
}

impl<'r> Machine<'r> {
    /// `str(value)`
    pub(super) fn str(&mut self, value: &Value<'r>) -> Done<Text<'r>> {
        Ok(match value {
            Value::Text(text) => text.clone().markup(false),
            Value::Undefined(_) => Text::EMPTY,
            Value::None => Text::template("None"),
            Value::Bool(true) => Text::template("True"),
            Value::Bool(false) => Text::template("False"),
            Value::Integer(number) => self.digits(&number.to_string()),
            Value::Long(digits) => self.digits(digits),
            Value::Float(number) => self.digits(&float_repr(*number)),
            other => self.repr(other)?,
        })
    }

    /// `str(value)`, which leaves markup what it is.
    pub(super) fn soft_str(&mut self, value: &Value<'r>) -> Done<Text<'r>> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            other => self.str(other),
        }
    }

    /// `repr(value)`
    pub(super) fn repr(&mut self, value: &Value<'r>) -> Done<Text<'r>> {
        let mut out = Builder::new();
        self.write_repr(value, &mut out)?;
        Ok(out.finish())
    }

    /// Writes what is not text, of bytes that are charged for.
    fn write(&mut self, text: &str, out: &mut Builder<'r>) -> Done<()> {
        self.charge_bytes(text.len())?;
        out.push(text, Origin::Given);
        Ok(())
    }

    fn write_repr(&mut self, value: &Value<'r>, out: &mut Builder<'r>) -> Done<()> {
        self.charge(1)?;
        match value {
            Value::Text(text) if text.is_markup() => {
                self.write("Markup(", out)?;
                self.write_quoted(text, out)?;
                self.write(")", out)
            }
            Value::Text(text) => self.write_quoted(text, out),
            Value::Undefined(_) => self.write("Undefined", out),
            Value::List(list) => self.write_items(["[", "]"], &list.items, out),
            Value::Tuple(list) if list.items.len() == 1 => self.write_items(["(", ",)"], &list.items, out),
            Value::Tuple(list) => self.write_items(["(", ")"], &list.items, out),
            Value::Dict(dict) => {
                self.write("{", out)?;
                self.write_members(dict.members(), out)?;
                self.write("}", out)
            }
            Value::Range(range) => {
                let Range { start, stop, step } = **range;
                match step {
                    1 => self.write(&format!("range({start}, {stop})"), out),
                    step => self.write(&format!("range({start}, {stop}, {step})"), out),
                }
            }
            Value::View(view, _) => {
                let name = match view {
                    View::Keys => "dict_keys([",
                    View::Values => "dict_values([",
                    View::Items => "dict_items([",
                };
                let items = self.iterate(value)?;
                self.write_items([name, "])"], &items, out)
            }
            Value::Namespace(namespace) => {
                self.write("<Namespace {", out)?;
                let members = match namespace.attributes.try_borrow() {
                    Ok(attributes) => attributes.members().to_vec(),
                    Err(_) => return Err(recursion()),
                };
                self.charge(members.len())?;
                // A namespace may hold itself.
                if members.iter().any(|(_, member)| holds_namespace(member)) {
                    return Err(recursion());
                }
                self.write_members(&members, out)?;
                self.write("}>", out)
            }
            Value::Macro(called) => {
                let name = self.program.macros.get(called.code as usize).and_then(|code| code.name.as_deref());
                let name = name.map_or("anonymous".to_owned(), |name| format!("'{name}'"));
                self.write(&format!("<Macro {name}>"), out)
            }
            Value::Loop(state) => {
                self.write(&format!("<LoopContext {}/{}>", state.index.get() + 1, state.items().len()), out)
            }
            Value::Function(Function::Namespace) => {
                self.write("<class 'transformers.utils.chat_template_utils.TemplateNamespace'>", out)
            }
            Value::Generator(_) | Value::Function(_) | Value::Method(_) | Value::Cycler(_) | Value::Joiner(_) => {
                let name = value.type_name();
                Err(type_error(format!("a {name} prints as its address in memory, which is another each time")))
            }
            scalar => {
                let text = self.str(scalar)?;
                self.write(&text.content(), out)
            }
        }
    }

    fn write_items(&mut self, [open, close]: [&str; 2], items: &[Value<'r>], out: &mut Builder<'r>) -> Done<()> {
        self.write(open, out)?;
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.write(", ", out)?;
            }
            self.write_repr(item, out)?;
        }
        self.write(close, out)
    }

    fn write_members(&mut self, members: &[(Value<'r>, Value<'r>)], out: &mut Builder<'r>) -> Done<()> {
        for (place, (key, value)) in members.iter().enumerate() {
            if place > 0 {
                self.write(", ", out)?;
            }
            self.write_repr(key, out)?;
            self.write(": ", out)?;
            self.write_repr(value, out)?;
        }
        Ok(())
    }

    fn write_quoted(&mut self, text: &Text<'r>, out: &mut Builder<'r>) -> Done<()> {
        self.charge_bytes(text.bytes())?;
        let holds = |quote: char| text.pieces().iter().any(|piece| piece.as_str().contains(quote));
        let quote = if holds('\'') && !holds('"') { '"' } else { '\'' };
        out.push(if quote == '"' { "\"" } else { "'" }, Origin::Given);
        for piece in text.pieces() {
            let mut quoted = String::with_capacity(piece.as_str().len() + 2);
            piece.as_str().chars().for_each(|character| repr_character(character, quote, &mut quoted));
            out.push(&quoted, piece.origin());
        }
        out.push(if quote == '"' { "\"" } else { "'" }, Origin::Given);
        Ok(())
    }

    /// `json.dumps(value)`
    pub(super) fn json(&mut self, value: &Value<'r>, style: &JsonStyle<'r>) -> Done<Text<'r>> {
        let mut out = Builder::new();
        self.write_json(value, style, 0, &mut out)?;
        Ok(out.finish())
    }

    fn write_json(
        &mut self,
        value: &Value<'r>,
        style: &JsonStyle<'r>,
        depth: usize,
        out: &mut Builder<'r>,
    ) -> Done<()> {
        self.charge(1)?;
        match value {
            Value::Text(text) => self.write_json_text(text, style, out),
            Value::List(list) | Value::Tuple(list) => {
                out.push("[", Origin::Given);
                for (place, item) in list.items.iter().enumerate() {
                    self.separate(style, depth + 1, place == 0, out)?;
                    self.write_json(item, style, depth + 1, out)?;
                }
                if !list.items.is_empty() {
                    self.new_line(style, depth, out)?;
                }
                out.push("]", Origin::Given);
                Ok(())
            }
            Value::Dict(dict) => {
                out.push("{", Origin::Given);
                let mut members: Vec<_> = dict.members().iter().collect();
                if style.sorted {
                    self.sort_by(&mut members, |machine, (one, _), (other, _)| machine.less(one, other, "<"))?;
                }
                for (place, (key, member)) in members.iter().enumerate() {
                    self.separate(style, depth + 1, place == 0, out)?;
                    self.write_json_key(key, style, out)?;
                    out.text(&style.key_separator);
                    self.write_json(member, style, depth + 1, out)?;
                }
                if !members.is_empty() {
                    self.new_line(style, depth, out)?;
                }
                out.push("}", Origin::Given);
                Ok(())
            }
            scalar => {
                let text = self.json_scalar(scalar)?;
                self.write(&text, out)
            }
        }
    }

    fn json_scalar(&mut self, value: &Value<'r>) -> Done<Rc<str>> {
        Ok(match value {
            Value::None => "null".into(),
            Value::Bool(true) => "true".into(),
            Value::Bool(false) => "false".into(),
            Value::Integer(number) => number.to_string().into(),
            Value::Long(digits) => Rc::clone(digits),
            Value::Float(number) if number.is_nan() => "NaN".into(),
            Value::Float(f64::INFINITY) => "Infinity".into(),
            Value::Float(f64::NEG_INFINITY) => "-Infinity".into(),
            Value::Float(number) => float_repr(*number).into(),
            other => {
                return Err(type_error(format!("Object of type {} is not JSON serializable", other.type_name())));
            }
        })
    }

    fn write_json_key(&mut self, key: &Value<'r>, style: &JsonStyle<'r>, out: &mut Builder<'r>) -> Done<()> {
        match key {
            Value::Text(text) => self.write_json_text(text, style, out),
            Value::None | Value::Bool(_) | Value::Integer(_) | Value::Long(_) | Value::Float(_) => {
                let text = self.json_scalar(key)?;
                self.write(&format!("\"{text}\""), out)
            }
            other => {
                let name = other.type_name();
                Err(type_error(format!("keys must be str, int, float, bool or None, not {name}")))
            }
        }
    }

    fn separate(&mut self, style: &JsonStyle<'r>, depth: usize, first: bool, out: &mut Builder<'r>) -> Done<()> {
        if !first {
            out.text(&style.item_separator);
        }
        self.new_line(style, depth, out)
    }

    fn new_line(&mut self, style: &JsonStyle<'r>, depth: usize, out: &mut Builder<'r>) -> Done<()> {
        let Some(indent) = &style.indent else { return Ok(()) };
        self.charge_bytes(indent.bytes().saturating_mul(depth))?;
        out.push("\n", Origin::Given);
        for _ in 0..if indent.is_empty() { 0 } else { depth } {
            out.text(indent);
        }
        Ok(())
    }

    fn write_json_text(&mut self, text: &Text<'r>, style: &JsonStyle<'r>, out: &mut Builder<'r>) -> Done<()> {
        self.charge_bytes(text.bytes())?;
        out.push("\"", Origin::Given);
        let mut quoted = String::new();
        for piece in text.pieces() {
            quoted.clear();
            json::write_string(piece.as_str(), &mut quoted);
            let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            // Python escapes U+007F with what is not ASCII.
            let is_plain = |character: char| character.is_ascii() && character != '\u{7f}';
            if style.ascii && !inner.chars().all(is_plain) {
                let mut ascii = String::with_capacity(inner.len() * 2);
                for character in inner.chars() {
                    if is_plain(character) {
                        ascii.push(character);
                        continue;
                    }
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        ascii.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                out.push(&ascii, piece.origin());
            } else {
                out.push(inner, piece.origin());
            }
        }
        out.push("\"", Origin::Given);
        Ok(())
    }

    /// Sorts, as long as comparing raises nothing.
    pub(super) fn sort_by<T>(
        &mut self,
        items: &mut [T],
        mut less: impl FnMut(&mut Self, &T, &T) -> Done<bool>,
    ) -> Done<()> {
        let mut failure = None;
        items.sort_by(|one, other| {
            if failure.is_some() {
                return std::cmp::Ordering::Equal;
            }
            let mut ask = |one: &T, other: &T| match less(self, one, other) {
                Ok(less) => less,
                Err(stop) => {
                    failure = Some(stop);
                    false
                }
            };
            if ask(one, other) {
                std::cmp::Ordering::Less
            } else if ask(other, one) {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        });
        failure.map_or(Ok(()), Err)
    }

    pub(super) fn loop_field(&mut self, state: &super::value::LoopState<'r>, name: &str) -> Option<Value<'r>> {
        let (index, length) = (state.index.get(), state.items().len());
        Some(match name {
            "index" => Value::length(index + 1),
            "index0" => Value::length(index),
            "revindex" => Value::length(length.saturating_sub(index)),
            "revindex0" => Value::length(length.saturating_sub(index + 1)),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(index + 1 == length),
            "length" => Value::length(length),
            "depth" => Value::length(state.depth0 + 1),
            "depth0" => Value::length(state.depth0),
            "previtem" => {
                let previous = index.checked_sub(1).and_then(|index| state.items().get(index));
                previous.cloned().unwrap_or(Value::Undefined("previtem"))
            }
            "nextitem" => state.items().get(index + 1).cloned().unwrap_or(Value::Undefined("nextitem")),
            _ => return None,
        })
    }
}

fn recursion() -> Stop {
    Stop::new("RecursionError", "a namespace that holds namespaces cannot be printed")
}

/// Is there a namespace in the value?
fn holds_namespace(value: &Value<'_>) -> bool {
    match value {
        Value::Namespace(_) => true,
        Value::List(list) | Value::Tuple(list) => list.items.iter().any(holds_namespace),
        Value::Dict(dict) | Value::View(_, dict) => {
            dict.members().iter().any(|(key, value)| holds_namespace(key) || holds_namespace(value))
        }
        _ => false,
    }
}

/// Appends a character as `repr` writes it between such quotes.
fn repr_character(character: char, quote: char, out: &mut String) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        _ if character == quote => out.extend(['\\', quote]),
        _ if is_printable(character) => out.push(character),
        _ => out.push_str(&match u32::from(character) {
            code @ ..0x100 => format!("\\x{code:02x}"),
            code @ 0x100..0x1_0000 => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        }),
    }
}

/// How many items something has, where Python's `len` knows.
pub(super) fn length(value: &Value<'_>) -> Done<usize> {
    Ok(match value {
        Value::Undefined(_) => 0,
        Value::Text(text) => text.length(),
        Value::List(list) | Value::Tuple(list) => list.items.len(),
        Value::Dict(dict) | Value::View(_, dict) => dict.len(),
        Value::Range(range) => range.length(),
        Value::Loop(state) => state.items().len(),
        other => return Err(type_error(format!("object of type '{}' has no len()", other.type_name()))),
    })
}
