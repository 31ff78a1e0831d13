//! Jinja's tests: `value is defined`.

use super::arguments::Arguments;
use super::error::{Done, Stop, type_error};
use super::filters::Filter;
use super::machine::Machine;
use super::operators::signed;
use super::syntax::{Comparator, Operator};
use super::value::{Number, Value};
use crate::python::characters;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Odd,
    Even,
    DivisibleBy,
    Defined,
    Undefined,
    Filter,
    Test,
    None,
    Boolean,
    False,
    True,
    Integer,
    Float,
    Lower,
    Upper,
    String,
    Mapping,
    Number,
    Sequence,
    Iterable,
    Callable,
    SameAs,
    Escaped,
    Compares(Comparator),
}

impl Check {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "odd" => Check::Odd,
            "even" => Check::Even,
            "divisibleby" => Check::DivisibleBy,
            "defined" => Check::Defined,
            "undefined" => Check::Undefined,
            "filter" => Check::Filter,
            "test" => Check::Test,
            "none" => Check::None,
            "boolean" => Check::Boolean,
            "false" => Check::False,
            "true" => Check::True,
            "integer" => Check::Integer,
            "float" => Check::Float,
            "lower" => Check::Lower,
            "upper" => Check::Upper,
            "string" => Check::String,
            "mapping" => Check::Mapping,
            "number" => Check::Number,
            "sequence" => Check::Sequence,
            "iterable" => Check::Iterable,
            "callable" => Check::Callable,
            "sameas" => Check::SameAs,
            "escaped" => Check::Escaped,
            "in" => Check::Compares(Comparator::In),
            "==" | "eq" | "equalto" => Check::Compares(Comparator::Equal),
            "!=" | "ne" => Check::Compares(Comparator::NotEqual),
            ">" | "gt" | "greaterthan" => Check::Compares(Comparator::Greater),
            ">=" | "ge" => Check::Compares(Comparator::GreaterOrEqual),
            "<" | "lt" | "lessthan" => Check::Compares(Comparator::Less),
            "<=" | "le" => Check::Compares(Comparator::LessOrEqual),
            _ => return None,
        })
    }

    /// The name of its parameter beside the value, where it has one.
    pub(super) fn parameter(self) -> Option<&'static str> {
        match self {
            Check::DivisibleBy => Some("num"),
            Check::SameAs => Some("other"),
            Check::Compares(Comparator::In) => Some("seq"),
            Check::Compares(_) => Some(""),
            _ => None,
        }
    }
}

impl<'r> Machine<'r> {
    pub(super) fn check(&mut self, check: Check, value: &Value<'r>, arguments: Arguments<'r>) -> Done<bool> {
        let other = match check.parameter() {
            Some(name) => {
                let [other] = arguments.bind("test", [name], 1)?;
                other.unwrap_or(Value::None)
            }
            None => {
                arguments.bind("test", [], 0)?;
                Value::None
            }
        };
        self.holds(check, value, &other)
    }

    /// Does a check hold, whose parameter has this value where it has one?
    pub(super) fn holds(&mut self, check: Check, value: &Value<'r>, other: &Value<'r>) -> Done<bool> {
        Ok(match check {
            Check::Odd | Check::Even => {
                let rest = self.arithmetic(Operator::Remainder, value.clone(), Value::Integer(2))?;
                self.equal(&rest, &Value::Integer(i64::from(check == Check::Odd)))?
            }
            Check::DivisibleBy => {
                let rest = self.arithmetic(Operator::Remainder, value.clone(), other.clone())?;
                self.equal(&rest, &Value::Integer(0))?
            }
            Check::Defined => !value.is_undefined(),
            Check::Undefined => value.is_undefined(),
            Check::Filter | Check::Test => {
                value.check_hashable()?;
                match (value, check) {
                    (Value::Text(name), Check::Filter) => Filter::named(&name.content()).is_some(),
                    (Value::Text(name), _) => Check::named(&name.content()).is_some(),
                    _ => false,
                }
            }
            Check::None => matches!(value, Value::None),
            Check::Boolean => matches!(value, Value::Bool(_)),
            Check::False => matches!(value, Value::Bool(false)),
            Check::True => matches!(value, Value::Bool(true)),
            Check::Integer => matches!(value, Value::Integer(_) | Value::Long(_)),
            Check::Float => matches!(value, Value::Float(_)),
            Check::Lower => characters::is_lower(&self.str(value)?.content()),
            Check::Upper => characters::is_upper(&self.str(value)?.content()),
            Check::String => matches!(value, Value::Text(_)),
            Check::Mapping => matches!(value, Value::Dict(_)),
            Check::Number => value.number().is_some(),
            Check::Sequence => matches!(
                value,
                Value::Undefined(_)
                    | Value::Text(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Dict(_)
                    | Value::Range(..)
            ),
            Check::Iterable => matches!(
                value,
                Value::Undefined(_)
                    | Value::Text(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Dict(_)
                    | Value::View(..)
                    | Value::Range(..)
                    | Value::Generator(_)
                    | Value::Loop(_)
            ),
            Check::Callable => matches!(
                value,
                Value::Undefined(_)
                    | Value::Macro(_)
                    | Value::Function(_)
                    | Value::Method(_)
                    | Value::Loop(_)
                    | Value::Joiner(_)
            ),
            Check::SameAs => value.is_same_object(other),
            Check::Escaped => matches!(value, Value::Text(text) if text.is_markup()),
            Check::Compares(comparator) => self.compare(comparator, value, other)?,
        })
    }
}

/// `round(number, digits)` and its kin want a number.
pub(super) fn number_of<'r>(value: &Value<'r>, what: &str) -> Done<Number> {
    value.defined()?;
    value.number().ok_or_else(|| type_error(format!("{what} must be a number, not {}", value.type_name())))
}

/// `abs(value)`
pub(super) fn absolute<'r>(value: &Value<'r>) -> Done<Value<'r>> {
    match value.number() {
        Some(Number::Integer(number)) if number < 0 => signed(value, "-"),
        Some(Number::Float(number)) => Ok(Value::Float(number.abs())),
        Some(Number::Long(digits)) if digits.starts_with('-') => signed(value, "-"),
        Some(_) => signed(value, "+"),
        None => Err(Stop::new("TypeError", format!("bad operand type for abs(): '{}'", value.type_name()))),
    }
}
