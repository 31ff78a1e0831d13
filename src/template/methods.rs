//! The methods of Python's strings, lists and dicts that templates call.

use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::namespace;
use super::python::{self, is_space};

/// Calls `value.method(args)` as Python would.
pub(super) fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => string_method(state, text, method, args),
        (None, ValueKind::Map) => dict_method(value, method, args),
        (None, ValueKind::Seq | ValueKind::Iterable) => list_method(value, method, args),
        _ => Err(unknown(value, method)),
    }
}

fn unknown(value: &Value, method: &str) -> Error {
    if let Some(refused) = namespace::refuse(value, method) {
        return refused;
    }
    Error::new(ErrorKind::UnknownMethod, format!("{} has no method named {method}", value.kind()))
}

fn invalid(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

fn forbidden(method: &str) -> Error {
    invalid(format!("{method} would change a value, and values cannot be changed"))
}

fn string_method(state: &State<'_, '_>, text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let one = || from_args::<(&str,)>(args).map(|(one,)| one);
    let none = || from_args::<()>(args);
    Ok(match method {
        "strip" => strip(text, args, Ends::Both)?.into(),
        "lstrip" => strip(text, args, Ends::Left)?.into(),
        "rstrip" => strip(text, args, Ends::Right)?.into(),
        "upper" => none().map(|()| text.to_uppercase())?.into(),
        "lower" | "casefold" => none().map(|()| text.to_lowercase())?.into(),
        "title" => none().map(|()| title(text))?.into(),
        "capitalize" => none().map(|()| capitalize(text))?.into(),
        "swapcase" => none().map(|()| swapcase(text))?.into(),
        "startswith" => affix(args, |part| text.starts_with(part))?.into(),
        "endswith" => affix(args, |part| text.ends_with(part))?.into(),
        "removeprefix" => one().map(|part| text.strip_prefix(part).unwrap_or(text))?.into(),
        "removesuffix" => one().map(|part| text.strip_suffix(part).unwrap_or(text))?.into(),
        "split" => split(text, args, Side::Left)?,
        "rsplit" => split(text, args, Side::Right)?,
        "splitlines" => splitlines(text, args)?,
        "partition" => match text.split_once(one()?) {
            Some((before, after)) => Value::from((before, one()?, after)),
            None => Value::from((text, "", "")),
        },
        "rpartition" => match text.rsplit_once(one()?) {
            Some((before, after)) => Value::from((before, one()?, after)),
            None => Value::from(("", "", text)),
        },
        "replace" => {
            let (from, to, count) = from_args::<(&str, &str, Option<i64>)>(args)?;
            let long = text.len().saturating_mul(to.len().max(1)) / from.len().max(1);
            state.consume_fuel(u64::try_from(long).unwrap_or(u64::MAX) / 64)?;
            match count.map(usize::try_from) {
                None | Some(Err(_)) => text.replace(from, to),
                Some(Ok(count)) => text.replacen(from, to, count),
            }
            .into()
        }
        "find" => Value::from(found(text, text.find(one()?))),
        "rfind" => Value::from(found(text, text.rfind(one()?))),
        "index" | "rindex" => {
            let part = one()?;
            let place = if method == "index" { text.find(part) } else { text.rfind(part) };
            match place {
                Some(_) => Value::from(found(text, place)),
                None => return Err(invalid("substring not found")),
            }
        }
        "count" => {
            let part = one()?;
            let count = if part.is_empty() { text.chars().count() + 1 } else { text.matches(part).count() };
            Value::from(count)
        }
        "join" => {
            let (items,) = from_args::<(&Value,)>(args)?;
            let mut joined = String::new();
            for (place, item) in items.try_iter()?.checked().enumerate() {
                let item = item?;
                let item = item.as_str().ok_or_else(|| invalid("join takes strings"))?;
                if place > 0 {
                    joined.push_str(text);
                }
                joined.push_str(item);
                state.consume_fuel(1 + (text.len() + item.len()) as u64 / 64)?;
            }
            Value::from(joined)
        }
        "format" => Value::from(format(state, text, args)?),
        "isdigit" | "isnumeric" | "isdecimal" => all(text, char::is_numeric).into(),
        "isalpha" => all(text, char::is_alphabetic).into(),
        "isalnum" => all(text, char::is_alphanumeric).into(),
        "isspace" => all(text, is_space).into(),
        "isupper" => cased(text, char::is_uppercase, char::is_lowercase).into(),
        "islower" => cased(text, char::is_lowercase, char::is_uppercase).into(),
        "zfill" | "ljust" | "rjust" | "center" => Value::from(pad(state, text, method, args)?),
        _ => return Err(unknown(&Value::from(text), method)),
    })
}

enum Ends {
    Left,
    Right,
    Both,
}

fn strip<'t>(text: &'t str, args: &[Value], ends: Ends) -> Result<&'t str, Error> {
    let (set,) = from_args::<(Option<&str>,)>(args)?;
    let drop = |character: char| match set {
        Some(set) => set.contains(character),
        None => is_space(character),
    };
    Ok(match ends {
        Ends::Left => text.trim_start_matches(drop),
        Ends::Right => text.trim_end_matches(drop),
        Ends::Both => text.trim_matches(drop),
    })
}

/// `startswith` and `endswith` take one text or a tuple of them.
fn affix(args: &[Value], matches: impl Fn(&str) -> bool) -> Result<bool, Error> {
    let (part,) = from_args::<(&Value,)>(args)?;
    if let Some(part) = part.as_str() {
        return Ok(matches(part));
    }
    for part in part.try_iter()?.checked() {
        if part?.as_str().is_some_and(&matches) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

fn split(text: &str, args: &[Value], side: Side) -> Result<Value, Error> {
    let (separator, most, kwargs) = from_args::<(Option<&Value>, Option<i64>, Kwargs)>(args)?;
    let named = kwargs.get::<Option<Value>>("sep")?;
    let separator = separator.or(named.as_ref()).filter(|separator| !separator.is_none());
    let most = most.or(kwargs.get::<Option<i64>>("maxsplit")?).and_then(|most| usize::try_from(most).ok());
    kwargs.assert_all_used()?;
    let mut parts: Vec<&str> = Vec::new();
    match separator {
        Some(separator) => {
            let separator = separator.as_str().filter(|separator| !separator.is_empty());
            let separator = separator.ok_or_else(|| invalid("split needs a text that is not empty"))?;
            match (most, side) {
                (None, _) => parts.extend(text.split(separator)),
                (Some(most), Side::Left) => parts.extend(text.splitn(most.saturating_add(1), separator)),
                (Some(most), Side::Right) => parts.extend(text.rsplitn(most.saturating_add(1), separator)),
            }
        }
        None => split_at_spaces(text, most, side, &mut parts),
    }
    if side == Side::Right && most.is_some() {
        parts.reverse();
    }
    Ok(parts.into_iter().collect())
}

/// Splits at runs of white space, which also go at both ends.
fn split_at_spaces<'t>(text: &'t str, most: Option<usize>, side: Side, parts: &mut Vec<&'t str>) {
    let mut rest = text.trim_matches(is_space);
    let Some(most) = most else {
        parts.extend(rest.split(is_space).filter(|part| !part.is_empty()));
        return;
    };
    while !rest.is_empty() {
        let cut = match side {
            _ if parts.len() == most => None,
            Side::Left => rest.split_once(is_space),
            Side::Right => rest.rsplit_once(is_space).map(|(before, last)| (last, before)),
        };
        let Some((part, others)) = cut else {
            parts.push(rest);
            return;
        };
        parts.push(part);
        rest = others.trim_matches(is_space);
    }
}

fn splitlines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep, kwargs) = from_args::<(Option<bool>, Kwargs)>(args)?;
    let keep = keep.or(kwargs.get("keepends")?).unwrap_or(false);
    let is_break = |character| {
        matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_break) {
        let tail = rest.get(at..).unwrap_or_default();
        let length = if tail.starts_with("\r\n") { 2 } else { tail.chars().next().map_or(1, char::len_utf8) };
        lines.push(rest.get(..if keep { at + length } else { at }).unwrap_or_default());
        rest = rest.get(at + length..).unwrap_or_default();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    Ok(lines.into_iter().collect())
}

/// A place in characters, or -1.
fn found(text: &str, place: Option<usize>) -> i64 {
    let before = place.and_then(|place| text.get(..place));
    before.and_then(|before| i64::try_from(before.chars().count()).ok()).unwrap_or(-1)
}

fn all(text: &str, is: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is)
}

fn cased(text: &str, is: impl Fn(char) -> bool, is_other: impl Fn(char) -> bool) -> bool {
    text.chars().any(&is) && !text.chars().any(is_other)
}

/// The first letter of each word as a capital, the others small; a word is a run of letters.
pub(super) fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for character in text.chars() {
        if in_word {
            titled.extend(character.to_lowercase());
        } else {
            titled.extend(character.to_uppercase());
        }
        in_word = character.is_lowercase() || character.is_uppercase();
    }
    titled
}

pub(super) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters.flat_map(char::to_lowercase)).collect()
}

fn swapcase(text: &str) -> String {
    let mut swapped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_uppercase() {
            swapped.extend(character.to_lowercase());
        } else {
            swapped.extend(character.to_uppercase());
        }
    }
    swapped
}

fn pad(state: &State<'_, '_>, text: &str, method: &str, args: &[Value]) -> Result<String, Error> {
    let (width, fill) = from_args::<(usize, Option<&str>)>(args)?;
    let missing = width.saturating_sub(text.chars().count());
    state.consume_fuel(missing as u64 / 16)?;
    let fill = if method == "zfill" { "0" } else { fill.unwrap_or(" ") };
    let before = match method {
        "zfill" | "rjust" => missing,
        "center" => missing / 2 + (missing & width & 1),
        _ => 0,
    };
    let (sign, digits) = match (method, text.strip_prefix(['+', '-'])) {
        ("zfill", Some(digits)) => text.split_at(text.len() - digits.len()),
        _ => ("", text),
    };
    Ok(format!("{sign}{}{digits}{}", fill.repeat(before), fill.repeat(missing - before)))
}

/// `str.format` with plain fields: `{}`, `{0}`, `{name}`.
fn format(state: &State<'_, '_>, text: &str, args: &[Value]) -> Result<String, Error> {
    let (args, kwargs) = match args.split_last() {
        Some((last, args)) if last.is_kwargs() => (args, Kwargs::try_from(last.clone())?),
        _ => (args, Kwargs::from_iter(std::iter::empty::<(&str, Value)>())),
    };
    let (mut out, mut rest, mut next) = (String::new(), text, 0);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, field) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        if let Some(tail) = field.strip_prefix("{{").or_else(|| field.strip_prefix("}}")) {
            out.push_str(field.get(..1).unwrap_or_default());
            rest = tail;
            continue;
        }
        let Some((name, tail)) = field.strip_prefix('{').and_then(|field| field.split_once('}')) else {
            return Err(invalid("a field of format is not closed"));
        };
        let value = match name.parse::<usize>() {
            Ok(place) => args.get(place).cloned(),
            Err(_) if name.is_empty() => {
                next += 1;
                args.get(next - 1).cloned()
            }
            Err(_) => kwargs.get::<Option<Value>>(name)?,
        };
        let value = value.ok_or_else(|| invalid(format!("format has no value for {{{name}}}")))?;
        python::display(&value, &mut out, python::budget(state))?;
        state.consume_fuel(out.len() as u64 / 64)?;
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

fn dict_method(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let keys = || value.try_iter().and_then(|keys| keys.checked().collect::<Result<Vec<Value>, Error>>());
    Ok(match method {
        "get" => {
            let (key, default) = from_args::<(&Value, Option<&Value>)>(args)?;
            let found = value.get_item(key)?;
            match found.is_undefined() {
                true => default.cloned().unwrap_or(Value::from(())),
                false => found,
            }
        }
        "keys" => from_args::<()>(args).and_then(|()| keys())?.into_iter().collect(),
        "values" => {
            from_args::<()>(args)?;
            let values = keys()?.into_iter().map(|key| value.get_item(&key));
            values.collect::<Result<Vec<Value>, Error>>()?.into()
        }
        "items" => {
            from_args::<()>(args)?;
            let items = keys()?.into_iter().map(|key| value.get_item(&key).map(|member| Value::from((key, member))));
            items.collect::<Result<Vec<Value>, Error>>()?.into()
        }
        "copy" => from_args::<()>(args).map(|()| value.clone())?,
        "update" | "pop" | "popitem" | "clear" | "setdefault" if value.get_item(&method.into())?.is_undefined() => {
            return Err(forbidden(method));
        }
        _ => return Err(unknown(value, method)),
    })
}

fn list_method(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let items = || value.try_iter().map(|items| items.checked());
    Ok(match method {
        "count" => {
            let (wanted,) = from_args::<(&Value,)>(args)?;
            let mut count = 0;
            for item in items()? {
                count += usize::from(item? == *wanted);
            }
            Value::from(count)
        }
        "index" => {
            let (wanted,) = from_args::<(&Value,)>(args)?;
            for (place, item) in items()?.enumerate() {
                if item? == *wanted {
                    return Ok(Value::from(place));
                }
            }
            return Err(invalid("the list does not hold the value"));
        }
        "copy" => from_args::<()>(args).map(|()| value.clone())?,
        "append" | "extend" | "insert" | "remove" | "pop" | "clear" | "sort" | "reverse" => {
            return Err(forbidden(method));
        }
        _ => return Err(unknown(value, method)),
    })
}
