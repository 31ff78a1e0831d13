//! `text % values` and `text.format(values)`, whose parts keep where they come from.

use super::arguments::Arguments;
use super::error::{Done, Stop, overflow, type_error, value_error};
use super::machine::Machine;
use super::text::{Builder, Origin, Text};
use super::value::{Number, Value};
use crate::python::format::{self, Spec};

/// The widest field.
const MAX_WIDTH: usize = 1 << 20;

impl<'r> Machine<'r> {
    /// `text % values`
    pub(super) fn percent(&mut self, text: &Text<'r>, values: Value<'r>) -> Done<Value<'r>> {
        let content = text.content().into_owned();
        self.charge_bytes(content.len())?;
        let mut given = match &values {
            Value::Tuple(list) => list.items.clone(),
            single => vec![single.clone()],
        }
        .into_iter();
        let mut out = Builder::new();
        let (mut start, mut by_name) = (0, false);
        while let Some(found) = content.get(start..).and_then(|rest| rest.find('%')) {
            let at = start + found;
            out.text(&text.part(start..at));
            let (field, length) = format::percent_field(content.get(at + 1..).unwrap_or_default())
                .ok_or_else(|| value_error("incomplete format"))?;
            start = at + 1 + length;
            if field.conversion == '%' {
                out.text(&text.part(at..at + 1));
                continue;
            }
            let mut star = |machine: &mut Self| match given.next() {
                Some(Value::Integer(number)) => Ok(number),
                Some(Value::Bool(value)) => Ok(i64::from(value)),
                Some(_) => Err(type_error("* wants int")),
                None => Err(not_enough(machine)),
            };
            let mut spec = field.spec.clone();
            if field.star_width {
                let width = star(self)?;
                spec.left |= width < 0;
                spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
            }
            if field.star_precision {
                spec.precision = Some(usize::try_from(star(self)?).unwrap_or_default());
            }
            let value = match field.name {
                Some(name) => {
                    by_name = true;
                    let Value::Dict(dict) = &values else { return Err(type_error("format requires a mapping")) };
                    let name = content.get(at + 1..).and_then(|rest| rest.get(name)).unwrap_or_default();
                    let value = dict.get(name).cloned();
                    value.ok_or_else(|| Stop::new("KeyError", format!("'{name}'")))?
                }
                None => given.next().ok_or_else(|| not_enough(self))?,
            };
            let value = self.percent_value(&value, field.conversion, &spec, text.is_markup())?;
            out.text(&value);
        }
        out.text(&text.part(start..content.len()));
        let unused = given.len() > 0 && !by_name;
        let is_mapping = matches!(values, Value::Dict(_) | Value::List(_) | Value::Range(..));
        if unused && !is_mapping {
            return Err(type_error("not all arguments converted during string formatting"));
        }
        Ok(Value::Text(out.finish().markup(text.is_markup())))
    }

    fn percent_value(&mut self, value: &Value<'r>, conversion: char, spec: &Spec, markup: bool) -> Done<Text<'r>> {
        check_width(spec)?;
        self.charge_bytes(spec.width.saturating_add(spec.precision.unwrap_or_default()))?;
        let text = match conversion {
            's' if markup => {
                let text = self.soft_str(value)?;
                self.escaped(&text)?
            }
            's' => self.str(value)?,
            'r' | 'a' => self.repr(value)?,
            'c' => match value {
                Value::Text(text) if text.length() == 1 => text.clone(),
                Value::Integer(code) => {
                    let character = u32::try_from(*code).ok().and_then(char::from_u32);
                    let character = character.ok_or_else(|| overflow("%c arg not in range(0x110000)"))?;
                    self.digits(&character.to_string())
                }
                _ => return Err(type_error("%c requires int or char")),
            },
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let number = match value.number() {
                    Some(Number::Float(float)) if matches!(conversion, 'd' | 'i' | 'u') && float.is_finite() => {
                        Number::Integer(float as i128)
                    }
                    Some(number @ (Number::Integer(_) | Number::Long(_))) => number,
                    _ => {
                        let name = value.type_name();
                        return Err(type_error(format!("%{conversion} format: a real number is required, not {name}")));
                    }
                };
                let digits = format::percent_integer(&integer_digits(&number, conversion)?, conversion, spec);
                return Ok(self.digits(&digits));
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = value
                    .number()
                    .ok_or_else(|| type_error(format!("must be real number, not {}", value.type_name())))?;
                return Ok(self.digits(&format::percent_float(number.float(), conversion, spec)));
            }
            other => return Err(value_error(format!("unsupported format character '{other}'"))),
        };
        let text = match spec.precision {
            Some(precision) if conversion != 'c' => text.characters(0..precision),
            _ => text,
        };
        let method = if spec.left { "ljust" } else { "rjust" };
        self.pad(&text, method, spec.width, &Text::template(" "))
    }

    /// `text.format(…)`
    pub(super) fn format_method(&mut self, text: &Text<'r>, arguments: Arguments<'r>) -> Done<Text<'r>> {
        let content = text.content().into_owned();
        self.charge_bytes(content.len())?;
        let mut fields = Fields { arguments, next: 0, numbered: None };
        let mut out = Builder::new();
        let mut start = 0;
        while let Some(found) = content.get(start..).and_then(|rest| rest.find(['{', '}'])) {
            let at = start + found;
            out.text(&text.part(start..at));
            let rest = content.get(at..).unwrap_or_default();
            if rest.starts_with("{{") || rest.starts_with("}}") {
                out.text(&text.part(at..at + 1));
                start = at + 2;
                continue;
            }
            if rest.starts_with('}') {
                return Err(value_error("Single '}' encountered in format string"));
            }
            let inner = rest.get(1..).unwrap_or_default();
            let end = format::field_end(inner).ok_or_else(|| match inner.is_empty() {
                true => value_error("Single '{' encountered in format string"),
                false => value_error("expected '}' before end of string"),
            })?;
            let value = self.field(inner.get(..end).unwrap_or_default(), &mut fields, text.is_markup(), 2)?;
            out.text(&value);
            start = at + 1 + end + 1;
        }
        out.text(&text.part(start..content.len()));
        Ok(out.finish())
    }

    /// One field, `name!conversion:spec`, whose spec may hold fields itself.
    fn field(&mut self, field: &str, fields: &mut Fields<'r>, markup: bool, depth: usize) -> Done<Text<'r>> {
        self.charge(1)?;
        let Some(inner) = depth.checked_sub(1) else { return Err(value_error("Max string recursion exceeded")) };
        let (name, conversion, spec) = format::parts_of_field(field).map_err(value_error)?;
        let mut value = self.looked_up(name, fields)?;
        match conversion {
            None => {}
            Some('s') => value = Value::Text(self.str(&value)?),
            Some('r' | 'a') => value = Value::Text(self.repr(&value)?),
            Some(other) => return Err(value_error(format!("Unknown conversion specifier {other}"))),
        }
        let mut whole = String::new();
        let mut rest = spec;
        while let Some(at) = rest.find('{') {
            whole.push_str(rest.get(..at).unwrap_or_default());
            let tail = rest.get(at + 1..).unwrap_or_default();
            let end = format::field_end(tail).ok_or_else(|| value_error("expected '}' before end of string"))?;
            let value = self.field(tail.get(..end).unwrap_or_default(), fields, markup, inner)?;
            whole.push_str(&value.content());
            rest = tail.get(end + 1..).unwrap_or_default();
        }
        whole.push_str(rest);
        let formatted = self.formatted(&value, &whole)?;
        if markup { self.escaped(&formatted) } else { Ok(formatted) }
    }

    fn looked_up(&mut self, name: &str, fields: &mut Fields<'r>) -> Done<Value<'r>> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at_checked(end).unwrap_or((name, ""));
        let mut value = fields.value(first)?;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                let (attribute, tail) = tail.split_at_checked(end).unwrap_or((tail, ""));
                if attribute.is_empty() {
                    return Err(value_error("Empty attribute in format string"));
                }
                // Attributes before items, as the sandbox's formatter has it.
                value = match (super::methods::known_attribute(attribute), &value) {
                    (Some(known), _) => self.attribute(&value, known)?,
                    (None, _) => self.item(&value, &Value::Text(Text::made(attribute, Origin::Given)))?,
                };
                rest = tail;
            } else {
                let (index, tail) = rest
                    .strip_prefix('[')
                    .and_then(|tail| tail.split_once(']'))
                    .ok_or_else(|| value_error("Missing ']' in format string"))?;
                let index = match index.parse() {
                    Ok(number) => Value::Integer(number),
                    Err(_) => Value::Text(Text::made(index, Origin::Given)),
                };
                value = self.item(&value, &index)?;
                rest = tail;
            }
        }
        Ok(value)
    }

    /// `format(value, spec)`
    fn formatted(&mut self, value: &Value<'r>, spec: &str) -> Done<Text<'r>> {
        if spec.is_empty() {
            return self.str(value);
        }
        let invalid = || {
            let name = value.type_name();
            value_error(format!("Invalid format specifier '{spec}' for object of type '{name}'"))
        };
        match value {
            Value::Text(text) => {
                let spec = Spec::read(spec).filter(Spec::is_for_text).ok_or_else(invalid)?;
                check_width(&spec)?;
                let text = match spec.precision {
                    Some(precision) => text.characters(0..precision),
                    None => text.clone(),
                };
                let fill = Text::made(&spec.fill.unwrap_or(' ').to_string(), Origin::Given);
                let missing = spec.width.saturating_sub(text.length());
                self.charge_bytes(missing)?;
                match spec.align.unwrap_or('<') {
                    '<' => self.pad(&text, "ljust", spec.width, &fill),
                    '>' => self.pad(&text, "rjust", spec.width, &fill),
                    '^' => {
                        // Unlike `center`, which leans the other way.
                        let before = self.pad(&text, "rjust", text.length() + missing / 2, &fill)?;
                        self.pad(&before, "ljust", spec.width, &fill)
                    }
                    _ => Err(value_error("'=' alignment not allowed in string format specifier")),
                }
            }
            Value::Bool(_) | Value::Integer(_) | Value::Long(_) | Value::Float(_) => {
                let spec = Spec::read(spec).ok_or_else(invalid)?;
                check_width(&spec)?;
                self.charge_bytes(spec.width.saturating_add(spec.precision.unwrap_or_default()))?;
                let number = value.number().unwrap_or(Number::Float(f64::NAN));
                let written = match (&number, spec.kind) {
                    (Number::Float(float), _) => format::float(*float, &spec),
                    (number, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => format::float(number.float(), &spec),
                    (_, Some('c')) => {
                        let code = super::operators::index_of(value).and_then(|code| u32::try_from(code).ok());
                        let character = code.and_then(char::from_u32);
                        let character = character.ok_or_else(|| overflow("%c arg not in range(0x110000)"))?;
                        Some(format::aligned(&character.to_string(), &spec, '<'))
                    }
                    (number, kind) => format::integer(&integer_digits(number, kind.unwrap_or('d'))?, &spec),
                };
                Ok(self.digits(&written.ok_or_else(invalid)?))
            }
            Value::Undefined(_) => self.str(value),
            other => Err(type_error(format!("unsupported format string passed to {}.__format__", other.type_name()))),
        }
    }
}

fn not_enough(_machine: &Machine<'_>) -> Stop {
    type_error("not enough arguments for format string")
}

fn check_width(spec: &Spec) -> Done<()> {
    if spec.width > MAX_WIDTH || spec.precision.is_some_and(|precision| precision > MAX_WIDTH) {
        return Err(value_error(format!("a field is wider than {MAX_WIDTH}")));
    }
    Ok(())
}

/// The digits of an integer in the base of a conversion, with its sign.
fn integer_digits(number: &Number, conversion: char) -> Done<String> {
    let (number, sign) = match number {
        Number::Integer(number) => (number.unsigned_abs(), if *number < 0 { "-" } else { "" }),
        Number::Long(digits) if matches!(conversion, 'd' | 'i' | 'u' | 'n') => return Ok(digits.to_string()),
        Number::Long(_) => return Err(overflow("integers of more than 38 digits are written in decimal only")),
        Number::Float(_) => return Err(type_error("an integer is required")),
    };
    Ok(match conversion {
        'o' => format!("{sign}{number:o}"),
        'x' => format!("{sign}{number:x}"),
        'X' => format!("{sign}{number:X}"),
        'b' => format!("{sign}{number:b}"),
        _ => format!("{sign}{number}"),
    })
}

/// The arguments of `format`, as its fields take them.
struct Fields<'r> {
    arguments: Arguments<'r>,
    next: usize,
    /// Do fields have numbers?
    numbered: Option<bool>,
}

impl<'r> Fields<'r> {
    fn value(&mut self, name: &str) -> Done<Value<'r>> {
        let number = name.parse::<usize>().ok().filter(|_| name.bytes().all(|byte| byte.is_ascii_digit()));
        let numbered = match (name.is_empty(), number) {
            (true, _) => Some(false),
            (false, Some(_)) => Some(true),
            (false, None) => None,
        };
        if let Some(numbered) = numbered {
            if self.numbered.is_some_and(|before| before != numbered) {
                return Err(value_error(
                    "cannot switch between manual field specification and automatic field numbering",
                ));
            }
            self.numbered = Some(numbered);
            let place = number.unwrap_or(self.next);
            self.next += usize::from(!numbered);
            let value = self.arguments.positional.get(place).cloned();
            return value.ok_or_else(|| {
                Stop::new("IndexError", format!("Replacement index {place} out of range for positional args tuple"))
            });
        }
        let value = self.arguments.named.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        value.ok_or_else(|| Stop::new("KeyError", format!("'{name}'")))
    }
}
