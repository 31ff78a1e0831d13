//! A template's source into an environment that renders it as transformers does.

use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};

use super::clock::Clock;
use super::namespace::Namespace;
use super::object::{Dict, LongInteger};
use super::python::{self, JsonStyle, is_space};
use super::{TemplateRaised, keep, marks, methods, rewrite};

/// The name of the template in the environment.
pub(super) const NAME: &str = "chat_template";

/// The characters that a `{% generation %}` block is printed between.
pub(super) const GENERATION: &str = "\u{1}generation";

/// How deep calls, loops and blocks may be nested while rendering: at most 25 macros in one another.
const RECURSION_LIMIT: usize = 100;

/// The longest integer that Python reads.
const MAX_DIGITS: usize = 4300;

/// The widest indent of `tojson`.
const MAX_INDENT: usize = 16;

pub(super) fn environment(source: String) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(RECURSION_LIMIT);
    environment.set_unknown_method_callback(methods::call);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) => out.write_str(text).map_err(Error::from),
        None => python::display(value, out, python::budget(state)),
    });
    functions(&mut environment);
    filters(&mut environment);
    tests(&mut environment);
    environment.add_template_owned(NAME, source)?;
    Ok(environment)
}

pub(super) fn set_clock(environment: &mut Environment<'static>, clock: Arc<Clock>) {
    environment.add_function("strftime_now", move |format: &str| clock().format(format));
}

fn functions(environment: &mut Environment<'static>) {
    environment.remove_global("debug");
    environment.add_function("namespace", Namespace::made_of);
    let built_in = environment.globals().find(|(known, _)| *known == "dict").map(|(_, value)| value);
    if let Some(built_in) = built_in {
        environment.add_function("dict", move |state: &mut State, values: Rest<ValueOrKwargs>| {
            let values: Vec<Value> = values.into_values();
            for value in &values {
                match value.is_kwargs() || value.kind() == ValueKind::Map {
                    true => {
                        keep::check(&value.try_iter()?.map(|key| value.get_item(&key)).collect::<Result<Vec<_>, _>>()?)?
                    }
                    false => keep::check(std::slice::from_ref(value))?,
                }
            }
            built_in.call(state, &values)
        });
    }
    environment.add_function("raise_exception", |state: &State, message: &Value| -> Result<Value, Error> {
        let message = python::to_string(message, state)?;
        Err(Error::new(ErrorKind::InvalidOperation, "raise_exception").with_source(TemplateRaised { message }))
    });
    environment.add_function(rewrite::GENERATION_CALL, |state: &mut State, kwargs: Kwargs| -> Result<Value, Error> {
        let body = kwargs.get::<Value>("caller")?.call(state, &[])?;
        let Some(marks) = state.lookup(GENERATION) else { return Ok(body) };
        let mut marks = marks.as_str().unwrap_or_default().chars();
        let body = python::to_string(&body, state)?;
        Ok(Value::from(marks.next().into_iter().chain(body.chars()).chain(marks.next()).collect::<String>()))
    });
}

fn filters(environment: &mut Environment<'static>) {
    for name in ["chain", "zip", "lines", "split", "bool", "pprint", "e", "escape"] {
        environment.remove_filter(name);
    }
    environment.add_filter(rewrite::KEEP_FILTER, keep::keep);
    environment.add_filter(rewrite::NAME_FILTER, keep::name);
    environment.add_filter(rewrite::DICT_FILTER, dict);
    for name in ["length", "count"] {
        environment.add_filter(name, |state: &State, value: &Value| match value.as_str() {
            Some(text) => Ok(marks::length(state, text)),
            None => minijinja::filters::length(value),
        });
    }
    environment.add_filter("tojson", tojson);
    environment.add_filter("string", |state: &State, value: &Value| match value.kind() {
        ValueKind::String => Ok(value.clone()),
        _ => python::to_string(value, state).map(Value::from),
    });
    environment.add_filter("join", join);
    environment.add_filter("trim", |state: &State, value: &Value, set: Option<&str>| {
        let text = python::to_string(value, state)?;
        let drop = |character: char| match set {
            Some(set) => set.contains(character),
            None => is_space(character),
        };
        Ok::<_, Error>(text.trim_matches(drop).to_owned())
    });
    environment.add_filter("int", |value: &Value, default: Option<Value>, base: Option<u32>, kwargs: Kwargs| {
        let (default, base) = (default.or(kwargs.get("default")?), base.or(kwargs.get("base")?));
        kwargs.assert_all_used()?;
        Ok::<_, Error>(to_integer(value, base.unwrap_or(10)).or(default).unwrap_or_else(|| Value::from(0)))
    });
    environment.add_filter("float", |value: &Value, default: Option<Value>, kwargs: Kwargs| {
        let default = default.or(kwargs.get("default")?);
        kwargs.assert_all_used()?;
        Ok::<_, Error>(to_float(value).map(Value::from).or(default).unwrap_or_else(|| Value::from(0.0)))
    });
    environment.add_filter("title", |state: &State, value: &Value| {
        python::to_string(value, state).map(|text| title_words(&text))
    });
    environment.add_filter("capitalize", |state: &State, value: &Value| {
        python::to_string(value, state).map(|text| methods::capitalize(&text))
    });
}

/// The dict of a list of keys and values in turn.
fn dict(state: &State<'_, '_>, pairs: &Value) -> Result<Value, Error> {
    let pairs = pairs.downcast_object_ref::<Vec<Value>>().map(Vec::as_slice).unwrap_or_default();
    if let Some(dict) = Dict::of_pairs(pairs)? {
        dict.extent().charge(state)?;
        return Ok(Value::from_object(dict));
    }
    let pairs = pairs.chunks_exact(2).filter_map(|pair| Some((pair.first()?.clone(), pair.last()?.clone())));
    keep::keep(state, Value::from_pairs(pairs))
}

/// `int(value)`, of a text also by way of `float`; none where Python raises.
pub(super) fn to_integer(value: &Value, base: u32) -> Option<Value> {
    if value.is_integer() {
        return Some(value.clone());
    }
    let digits = value.as_str().map(|text| text.trim_matches(is_space).replace('_', "")).unwrap_or_default();
    let integer = i128::from_str_radix(&digits, base.clamp(2, 36)).ok();
    let magnitude = digits.strip_prefix('-').unwrap_or(&digits);
    if integer.is_none()
        && (39..=MAX_DIGITS).contains(&magnitude.len())
        && magnitude.bytes().all(|b| b.is_ascii_digit())
    {
        return Some(Value::from_object(LongInteger(digits.into())));
    }
    integer
        .or_else(|| to_float(value).filter(|float| float.is_finite()).map(|float| float as i128))
        .map(|integer| i64::try_from(integer).map_or_else(|_| Value::from(integer), Value::from))
}

/// `float(value)`; none where Python raises.
pub(super) fn to_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => {
            let text = value.as_str()?.trim_matches(is_space).replace('_', "");
            text.parse().ok()
        }
        _ => None,
    }
}

/// Jinja's `title` filter: each part between spaces, dashes and opening brackets begins with a capital.
pub(super) fn title_words(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut begins = true;
    for character in text.chars() {
        if begins {
            titled.extend(character.to_uppercase());
        } else {
            titled.extend(character.to_lowercase());
        }
        begins = is_space(character) || matches!(character, '-' | '(' | '{' | '[' | '<');
    }
    titled
}

fn join(
    state: &State<'_, '_>,
    items: &Value,
    separator: Option<&Value>,
    attribute: Option<&Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let separator = separator.cloned().or(kwargs.get("d")?).unwrap_or_default();
    let attribute = attribute.cloned().or(kwargs.get("attribute")?);
    kwargs.assert_all_used()?;
    let separator = python::to_string(&separator, state)?;
    let mut joined = String::new();
    for (place, item) in items.try_iter()?.checked().enumerate() {
        let mut item = item?;
        if let Some(attribute) = &attribute {
            item = item.get_item(attribute)?;
        }
        if place > 0 {
            joined.push_str(&separator);
        }
        let before = joined.len();
        python::display(&item, &mut joined, python::budget(state))?;
        state.consume_fuel(1 + (joined.len() - before + separator.len()) as u64 / 64)?;
    }
    Ok(joined)
}

/// `json.dumps` with the options that transformers allows, not with those of Jinja: nothing is escaped for HTML.
fn tojson(
    state: &State<'_, '_>,
    value: &Value,
    ascii: Option<bool>,
    indent: Option<&Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let ascii = ascii.or(kwargs.get("ensure_ascii")?).unwrap_or(false);
    let indent = indent.cloned().or(kwargs.get("indent")?).filter(|indent| !indent.is_none());
    let separators = kwargs.get::<Option<Value>>("separators")?.filter(|separators| !separators.is_none());
    let sorted = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let indent = match indent {
        Some(indent) => Some(indent.as_usize().filter(|indent| *indent <= MAX_INDENT).ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, format!("the indent of tojson is a number from 0 to {MAX_INDENT}"))
        })?),
        None => None,
    };
    let separator = |place: usize, default: &str| match &separators {
        Some(separators) => separators.get_item(&Value::from(place)).and_then(|part| python::to_string(&part, state)),
        None => Ok(default.to_owned()),
    };
    let style = JsonStyle {
        indent,
        ascii,
        sorted,
        item_separator: separator(0, if indent.is_some() { "," } else { ", " })?,
        key_separator: separator(1, ": ")?,
        mark: marks::mark(state),
    };
    python::json(value, &style, python::budget(state))
}

fn tests(environment: &mut Environment<'static>) {
    environment.add_test("sequence", |value: &Value| match value.kind() {
        ValueKind::Iterable => value.len().is_some(),
        kind => matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Undefined),
    });
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("callable", |value: &Value| {
        value.kind() == ValueKind::Plain && value.downcast_object_ref::<LongInteger>().is_none()
    });
    for name in ["safe", "startingwith", "endingwith"] {
        environment.remove_test(name);
    }
}

/// What the engine says of a failed render, without the engine's own types.
#[derive(Debug)]
pub(super) struct EngineError {
    said: String,
    source: Option<Box<EngineError>>,
}

impl EngineError {
    pub(super) fn new(error: &Error) -> Self {
        let said = match (error.line(), error.detail()) {
            (Some(line), Some(detail)) => format!("line {line}: {detail}"),
            (Some(line), None) => format!("line {line}: {}", error.kind()),
            (None, Some(detail)) => detail.to_owned(),
            (None, None) => error.kind().to_string(),
        };
        let inner = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>());
        EngineError { said, source: inner.map(|inner| Box::new(EngineError::new(inner))) }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
