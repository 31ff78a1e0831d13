//! JSON text into the value that Python reads from it, its texts borrowed and untrusted.

use super::text::Text;
use super::value::Value;
use crate::python_json::{JsonError, Number, Reader, Token};

/// A container whose end has not come.
enum Open<'r> {
    /// The members, and the key of the next one.
    Object(Vec<(Value<'r>, Value<'r>)>, Text<'r>),
    Array(Vec<Value<'r>>),
}

/// Why JSON is no value.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Json(JsonError),
    /// It is nested deeper than a value may be.
    TooDeep,
}

/// The value of a JSON document.
pub(crate) fn value(source: &str) -> Result<Value<'_>, Unreadable> {
    let mut reader = Reader::new(source);
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut document = Value::None;
    loop {
        let token = reader.next_token().map_err(Unreadable::Json)?;
        let value = match token {
            Token::End => return Ok(document),
            Token::ObjectStart => {
                open.push(Open::Object(Vec::new(), Text::EMPTY));
                continue;
            }
            Token::ArrayStart => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            Token::Key => {
                if let Some(Open::Object(_, key)) = open.last_mut() {
                    *key = Text::given_cow(reader.string().decode());
                }
                continue;
            }
            Token::ObjectEnd | Token::ArrayEnd => {
                let closed = match open.pop() {
                    Some(Open::Object(members, _)) => Value::dict(members),
                    Some(Open::Array(items)) => Value::list(items),
                    None => continue,
                };
                closed.map_err(|_| Unreadable::TooDeep)?
            }
            Token::String => Value::Text(Text::given_cow(reader.string().decode())),
            Token::Integer | Token::Float | Token::NotFinite => number(reader.number(token)),
            Token::Bool => Value::Bool(source.get(reader.span()) == Some("true")),
            Token::Null => Value::None,
        };
        match open.last_mut() {
            Some(Open::Object(members, key)) => members.push((Value::Text(std::mem::replace(key, Text::EMPTY)), value)),
            Some(Open::Array(items)) => items.push(value),
            None => document = value,
        }
    }
}

fn number<'r>(number: Number<'_>) -> Value<'r> {
    match number {
        Number::Integer(digits) => digits.parse().map_or_else(|_| Value::Long(digits.into()), Value::Integer),
        Number::Float(_) | Number::NotFinite(_) => Value::Float(number.value()),
    }
}
