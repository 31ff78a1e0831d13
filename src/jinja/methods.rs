//! The methods of Python's texts, lists, dicts and numbers that a sandboxed template may call.

use super::arguments::Arguments;
use super::error::{Done, Stop, type_error, value_error};
use super::machine::Machine;
use super::operators::{index_of, places, to_index};
use super::text::{Builder, Text, byte_of};
use super::value::{Value, View};
use crate::python::characters::{self, is_space};

const TEXT: [&str; 42] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
];
const MORE_TEXT: [&str; 4] = ["title", "translate", "upper", "zfill"];
const MARKUP: [&str; 3] = ["striptags", "unescape", "escape"];
const LIST: [&str; 3] = ["copy", "count", "index"];
const TUPLE: [&str; 2] = ["count", "index"];
const DICT: [&str; 6] = ["copy", "fromkeys", "get", "items", "keys", "values"];
const UNSAFE_LIST: [&str; 8] = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];
const UNSAFE_DICT: [&str; 5] = ["clear", "pop", "popitem", "setdefault", "update"];
const INTEGER: [&str; 5] = ["as_integer_ratio", "bit_count", "bit_length", "conjugate", "to_bytes"];
const FLOAT: [&str; 4] = ["as_integer_ratio", "conjugate", "hex", "is_integer"];
const FIELDS: [&str; 26] = [
    "index0",
    "revindex",
    "revindex0",
    "first",
    "last",
    "length",
    "depth",
    "depth0",
    "previtem",
    "nextitem",
    "cycle",
    "changed",
    "grouper",
    "list",
    "current",
    "sep",
    "used",
    "name",
    "arguments",
    "real",
    "imag",
    "numerator",
    "denominator",
    "next",
    "reset",
    "mapping",
];

/// Has the value a method of this name that may be called?
pub(super) fn has(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::Dict(_) => DICT.contains(&name),
        Value::Text(text) => {
            TEXT.contains(&name) || MORE_TEXT.contains(&name) || text.is_markup() && MARKUP.contains(&name)
        }
        Value::List(_) => LIST.contains(&name),
        Value::Tuple(_) | Value::Range(..) => TUPLE.contains(&name),
        Value::Bool(_) | Value::Integer(_) | Value::Long(_) => INTEGER.contains(&name),
        Value::Float(_) => FLOAT.contains(&name),
        Value::Loop(_) => matches!(name, "cycle" | "changed"),
        Value::Cycler(_) => matches!(name, "next" | "reset"),
        _ => false,
    }
}

/// Do dicts have an attribute of this name, called or not?
pub(super) fn is_of_dict(name: &str) -> bool {
    DICT.contains(&name) || UNSAFE_DICT.contains(&name)
}

/// Has it a method of this name that the sandbox keeps from templates?
pub(super) fn is_unsafe(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::Dict(_) => UNSAFE_DICT.contains(&name),
        Value::List(_) => UNSAFE_LIST.contains(&name),
        _ => false,
    }
}

/// The name of an attribute that some value has.
pub(super) fn known_attribute(name: &str) -> Option<&'static str> {
    let all = [&TEXT[..], &MORE_TEXT, &MARKUP, &LIST, &DICT, &UNSAFE_LIST, &UNSAFE_DICT, &INTEGER, &FLOAT, &FIELDS];
    all.into_iter().flatten().find(|known| **known == name).copied()
}

fn text_argument<'r>(value: Option<Value<'r>>) -> Done<Text<'r>> {
    match value {
        Some(Value::Text(text)) => Ok(text),
        Some(undefined @ Value::Undefined(_)) => Err(type_error(format!("must be str, not {}", undefined.type_name()))),
        Some(other) => Err(type_error(format!("must be str, not {}", other.type_name()))),
        None => Err(type_error("a text is missing")),
    }
}

/// An argument that may be `none`.
fn optional<'r>(value: Option<Value<'r>>) -> Option<Value<'r>> {
    value.filter(|value| !matches!(value, Value::None))
}

impl<'r> Machine<'r> {
    pub(super) fn method(&mut self, value: &Value<'r>, name: &'r str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        match value {
            Value::Text(text) => self.text_method(text, name, arguments),
            Value::List(list) | Value::Tuple(list) => match name {
                "copy" => {
                    arguments.positional::<0>(name, 0)?;
                    Ok(value.clone())
                }
                _ => self.sequence_method(&list.items, name, arguments),
            },
            Value::Range(..) => {
                let items = self.iterate(value)?;
                self.sequence_method(&items, name, arguments)
            }
            Value::Dict(dict) => match name {
                "get" => {
                    let [key, default] = arguments.positional("get", 1)?;
                    let found = dict.find(&key.unwrap_or(Value::None))?.cloned();
                    Ok(found.or(default).unwrap_or(Value::None))
                }
                "fromkeys" => self.function(super::value::Function::DictFromKeys, arguments),
                _ => {
                    arguments.positional::<0>(name, 0)?;
                    Ok(match name {
                        "copy" => value.clone(),
                        "keys" => Value::View(View::Keys, dict.clone()),
                        "values" => Value::View(View::Values, dict.clone()),
                        _ => Value::View(View::Items, dict.clone()),
                    })
                }
            },
            Value::Loop(state) if name == "cycle" => {
                let index = state.index.get();
                let count = arguments.positional.len();
                let place = index.checked_rem(count).ok_or_else(|| type_error("no items for cycling given"))?;
                Ok(arguments.positional.into_iter().nth(place).unwrap_or(Value::None))
            }
            Value::Loop(state) => {
                let before = state.changed.take();
                let values = arguments.positional;
                let mut changed = before.as_ref().is_none_or(|before| before.len() != values.len());
                for (one, other) in before.iter().flatten().zip(&values) {
                    changed = changed || !self.equal(one, other)?;
                }
                state.changed.replace(Some(values));
                Ok(Value::Bool(changed))
            }
            Value::Cycler(cycler) => {
                arguments.positional::<0>(name, 0)?;
                let place = cycler.1.get();
                cycler.1.set(if name == "next" { (place + 1) % cycler.0.items.len().max(1) } else { 0 });
                if name == "reset" {
                    return Ok(Value::None);
                }
                Ok(cycler.0.items.get(place).cloned().unwrap_or(Value::None))
            }
            Value::Float(number) if name == "is_integer" => {
                arguments.positional::<0>(name, 0)?;
                Ok(Value::Bool(number.is_finite() && number.fract() == 0.0))
            }
            Value::Integer(number) if name == "bit_length" => {
                arguments.positional::<0>(name, 0)?;
                Ok(Value::Integer(i64::from(u64::BITS - number.unsigned_abs().leading_zeros())))
            }
            Value::Integer(number) if name == "bit_count" => {
                arguments.positional::<0>(name, 0)?;
                Ok(Value::Integer(i64::from(number.unsigned_abs().count_ones())))
            }
            Value::Integer(_) | Value::Float(_) if name == "conjugate" => {
                arguments.positional::<0>(name, 0)?;
                Ok(value.clone())
            }
            other => Err(Stop::new("TemplateRuntimeError", format!("{}.{name} is not supported", other.type_name()))),
        }
    }

    fn sequence_method(&mut self, items: &[Value<'r>], name: &'r str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        if name == "count" {
            let [wanted] = arguments.positional("count", 1)?;
            let wanted = wanted.unwrap_or(Value::None);
            let mut count = 0;
            for item in items {
                count += i64::from(item.is_same_object(&wanted) || self.equal(item, &wanted)?);
            }
            return Ok(Value::Integer(count));
        }
        let [wanted, start, stop] = arguments.positional("index", 1)?;
        let wanted = wanted.unwrap_or(Value::None);
        let bound = |value: Option<Value<'r>>| value.map(|value| to_index(&value)).transpose();
        for place in places(items.len(), [bound(start)?, bound(stop)?, None]) {
            if let Some(item) = items.get(place)
                && (item.is_same_object(&wanted) || self.equal(item, &wanted)?)
            {
                return Ok(Value::length(place));
            }
        }
        let wanted = self.repr(&wanted)?;
        Err(value_error(format!("{} is not in list", wanted.content())))
    }

    fn text_method(&mut self, text: &Text<'r>, name: &'r str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        self.charge_bytes(text.bytes())?;
        let markup = text.is_markup();
        let given = |text: Text<'r>| Ok(Value::Text(text.markup(markup)));
        match name {
            "strip" | "lstrip" | "rstrip" => {
                let [set] = arguments.positional(name, 0)?;
                let set = optional(set).map(|set| text_argument(Some(set))).transpose()?;
                let set = set.as_ref().map(Text::content);
                given(stripped(text, name, set.as_deref()))
            }
            "upper" => self.changed(text, arguments, characters::upper),
            "lower" => self.changed(text, arguments, characters::lower),
            "swapcase" => self.changed(text, arguments, characters::swap_case),
            "casefold" => self.changed(text, arguments, characters::fold_case),
            "title" => {
                arguments.positional::<0>(name, 0)?;
                let mut in_word = false;
                given(text.map(|piece| characters::title(piece, &mut in_word)))
            }
            "capitalize" => {
                arguments.positional::<0>(name, 0)?;
                given(capitalized(text))
            }
            "startswith" | "endswith" => self.has_affix(text, name, arguments),
            "find" | "rfind" | "index" | "rindex" | "count" => self.search(text, name, arguments),
            "removeprefix" | "removesuffix" => {
                let [affix] = arguments.positional(name, 1)?;
                let affix = text_argument(affix)?;
                let (content, affix) = (text.content(), affix.content());
                let range = match name {
                    "removeprefix" if content.starts_with(&*affix) => affix.len()..content.len(),
                    "removesuffix" if content.ends_with(&*affix) => 0..content.len() - affix.len(),
                    _ => 0..content.len(),
                };
                given(text.part(range))
            }
            "split" | "rsplit" => {
                let [separator, most] = match markup {
                    true => arguments.bind(name, ["sep", "maxsplit"], 0)?,
                    false => arguments.bind(name, ["sep", "maxsplit"], 0)?,
                };
                self.split(text, name, separator, most)
            }
            "splitlines" => {
                let [keep] = arguments.bind(name, ["keepends"], 0)?;
                let content = text.content();
                let lines = lines(&content, keep.is_some_and(|keep| keep.is_true()));
                self.charge(lines.len())?;
                Value::list(lines.into_iter().map(|line| Value::Text(text.part(line))).collect())
            }
            "partition" | "rpartition" => self.partition(text, name, arguments),
            "replace" => {
                let [from, to, most] = arguments.positional(name, 2)?;
                let (from, to) = (text_argument(from)?, text_argument(to)?);
                let to = if markup { self.escaped(&to)? } else { to };
                let most = most.map(|most| to_index(&most)).transpose()?.unwrap_or(-1);
                self.replaced(text, &from, &to, usize::try_from(most).ok()).and_then(given)
            }
            "join" => {
                let [items] = arguments.positional(name, 1)?;
                let items = self.iterate(&items.unwrap_or(Value::None))?;
                let mut builder = Builder::new();
                for (place, item) in items.into_iter().enumerate() {
                    let item = match item {
                        Value::Text(item) => item,
                        other if markup => self.str(&other)?,
                        other => {
                            let name = other.type_name();
                            let said = format!("sequence item {place}: expected str instance, {name} found");
                            return Err(type_error(said));
                        }
                    };
                    let item = if markup { self.escaped(&item)? } else { item };
                    self.charge_bytes(64 + item.bytes() + text.bytes())?;
                    if place > 0 {
                        builder.text(text);
                    }
                    builder.text(&item);
                }
                given(builder.finish())
            }
            "format" => self.format_method(text, arguments).and_then(given),
            "format_map" => {
                let [members] = arguments.positional(name, 1)?;
                let Some(Value::Dict(members)) = members else { return Err(type_error("format_map takes a mapping")) };
                let named = members.members().iter().filter_map(|(key, value)| match key {
                    Value::Text(key) => Some((key.content().into_owned().into(), value.clone())),
                    _ => None,
                });
                let arguments = Arguments { positional: Vec::new(), named: named.collect() };
                self.format_method(text, arguments).and_then(given)
            }
            "zfill" | "ljust" | "rjust" | "center" => self.padded(text, name, arguments).and_then(given),
            "expandtabs" => {
                let [size] = arguments.bind(name, ["tabsize"], 0)?;
                let size = size.map(|size| to_index(&size)).transpose()?.unwrap_or(8);
                self.expand_tabs(text, usize::try_from(size).unwrap_or_default()).and_then(given)
            }
            "striptags" | "unescape" | "translate" | "encode" | "escape" => {
                Err(Stop::new("TemplateRuntimeError", format!("str.{name} is not supported")))
            }
            _ => {
                arguments.positional::<0>(name, 0)?;
                let content = text.content();
                Ok(Value::Bool(characters::is(name, &content)))
            }
        }
    }

    fn changed(&mut self, text: &Text<'r>, arguments: Arguments<'r>, change: fn(&str) -> String) -> Done<Value<'r>> {
        arguments.positional::<0>("the method", 0)?;
        Ok(Value::Text(text.map(change)))
    }

    /// The part of a text that the bounds of a search take, in bytes; `None` where it begins behind the end.
    fn bounded(text: &str, start: Option<Value<'r>>, stop: Option<Value<'r>>) -> Done<Option<std::ops::Range<usize>>> {
        let bound = |value: Option<Value<'r>>| match optional(value) {
            None => Ok(None),
            Some(value) => index_of(&value)
                .map(Some)
                .ok_or_else(|| type_error("slice indices must be integers or None or have an __index__ method")),
        };
        let (start, stop) = (bound(start)?, bound(stop)?);
        if start.is_none() && stop.is_none() {
            return Ok(Some(0..text.len()));
        }
        let count = text.chars().count();
        let behind = start.is_some_and(|start| usize::try_from(start).is_ok_and(|start| start > count));
        let places = places(count, [start, stop, None]);
        let range = byte_of(text, places.start)..byte_of(text, places.start + places.len());
        let reversed = Self::before(start, stop, count);
        Ok((!behind && !reversed).then_some(range))
    }

    /// Does the stop stand before the start?
    fn before(start: Option<i64>, stop: Option<i64>, count: usize) -> bool {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let place = |bound: i64| if bound < 0 { bound.saturating_add(count).max(0) } else { bound.min(count) };
        stop.map_or(count, place) < start.map_or(0, place)
    }

    fn has_affix(&mut self, text: &Text<'r>, name: &'r str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [affix, start, stop] = arguments.positional(name, 1)?;
        let content = text.content();
        let range = Self::bounded(&content, start, stop)?;
        let affixes = match affix {
            Some(Value::Tuple(list)) => list.items.clone(),
            Some(affix) => vec![affix],
            None => Vec::new(),
        };
        let mut found = false;
        for affix in affixes {
            let Value::Text(affix) = affix else {
                let said = format!("{name} first arg must be str or a tuple of str, not {}", affix.type_name());
                return Err(type_error(said));
            };
            let Some(part) = range.clone().and_then(|range| content.get(range)) else { continue };
            found = found
                || match name {
                    "startswith" => part.starts_with(&*affix.content()),
                    _ => part.ends_with(&*affix.content()),
                };
        }
        Ok(Value::Bool(found))
    }

    fn search(&mut self, text: &Text<'r>, name: &'r str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [part, start, stop] = arguments.positional(name, 1)?;
        let (part, content) = (text_argument(part)?, text.content());
        let part = part.content();
        let range = Self::bounded(&content, start, stop)?;
        let within = range.clone().and_then(|range| content.get(range));
        if name == "count" {
            let count = within.map_or(0, |within| match part.is_empty() {
                true => within.chars().count() + 1,
                false => within.matches(&*part).count(),
            });
            return Ok(Value::length(count));
        }
        let found = within.and_then(|within| match name {
            "find" | "index" => within.find(&*part),
            _ => within.rfind(&*part),
        });
        let offset = range.map_or(0, |range| range.start);
        match found.and_then(|at| content.get(..offset + at)) {
            Some(before) => Ok(Value::length(before.chars().count())),
            None if name.ends_with("find") => Ok(Value::Integer(-1)),
            None => Err(value_error("substring not found")),
        }
    }

    fn split(
        &mut self,
        text: &Text<'r>,
        name: &str,
        separator: Option<Value<'r>>,
        most: Option<Value<'r>>,
    ) -> Done<Value<'r>> {
        let most = most.map(|most| to_index(&most)).transpose()?;
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let content = text.content();
        let mut ranges = match optional(separator) {
            None if name == "split" => words(&content, most),
            None => words_from_end(&content, most),
            Some(separator) => {
                let separator = text_argument(Some(separator))?;
                let separator = separator.content();
                if separator.is_empty() {
                    return Err(value_error("empty separator"));
                }
                let found: Vec<_> = match name {
                    "split" => content.match_indices(&*separator).take(most).map(|(at, _)| at).collect(),
                    _ => {
                        let mut found: Vec<_> =
                            content.rmatch_indices(&*separator).take(most).map(|(at, _)| at).collect();
                        found.reverse();
                        found
                    }
                };
                let mut ranges = Vec::with_capacity(found.len() + 1);
                let mut start = 0;
                for at in found {
                    ranges.push(start..at);
                    start = at + separator.len();
                }
                ranges.push(start..content.len());
                ranges
            }
        };
        self.charge(ranges.len().saturating_mul(text.pieces().len()))?;
        let parts = ranges.drain(..).map(|range| Value::Text(text.part(range))).collect();
        Value::list(parts)
    }

    fn partition(&mut self, text: &Text<'r>, name: &str, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [separator] = arguments.positional(name, 1)?;
        let separator = text_argument(separator)?;
        let content = text.content();
        let found = match name {
            _ if separator.is_empty() => return Err(value_error("empty separator")),
            "partition" => content.find(&*separator.content()),
            _ => content.rfind(&*separator.content()),
        };
        let empty = || Text::EMPTY.markup(text.is_markup());
        let parts = match found {
            Some(at) => {
                let end = at + separator.bytes();
                [text.part(0..at), text.part(at..end), text.part(end..content.len())]
            }
            None if name == "partition" => [text.clone(), empty(), empty()],
            None => [empty(), empty(), text.clone()],
        };
        Value::tuple(parts.into_iter().map(Value::Text).collect())
    }

    /// The text with one part replaced by another, this many times.
    pub(super) fn replaced(
        &mut self,
        text: &Text<'r>,
        from: &Text<'r>,
        to: &Text<'r>,
        most: Option<usize>,
    ) -> Done<Text<'r>> {
        let (content, from) = (text.content(), from.content());
        let found: Vec<_> = content.match_indices(&*from).take(most.unwrap_or(usize::MAX)).map(|(at, _)| at).collect();
        self.charge_bytes(text.bytes().saturating_add(found.len().saturating_mul(to.bytes())))?;
        self.charge(found.len().saturating_mul(text.pieces().len() + to.pieces().len()) / 4)?;
        let mut builder = Builder::new();
        let mut start = 0;
        for at in found {
            builder.text(&text.part(start..at));
            builder.text(to);
            start = at + from.len();
        }
        builder.text(&text.part(start..content.len()));
        Ok(builder.finish().markup(text.is_markup()))
    }

    fn padded(&mut self, text: &Text<'r>, name: &'r str, arguments: Arguments<'r>) -> Done<Text<'r>> {
        let (width, fill) = match name {
            "zfill" => {
                let [width] = arguments.positional(name, 1)?;
                (width, Text::template("0"))
            }
            _ => {
                let [width, fill] = arguments.positional(name, 1)?;
                (width, fill.map_or(Ok(Text::template(" ")), |fill| text_argument(Some(fill)))?)
            }
        };
        if fill.length() != 1 {
            return Err(type_error("The fill character must be exactly one character long"));
        }
        let width = usize::try_from(to_index(&width.unwrap_or(Value::None))?).unwrap_or_default();
        self.pad(text, name, width, &fill)
    }

    pub(super) fn pad(&mut self, text: &Text<'r>, name: &str, width: usize, fill: &Text<'r>) -> Done<Text<'r>> {
        let missing = width.saturating_sub(text.length());
        self.charge_bytes(missing.saturating_mul(fill.bytes()))?;
        let before = match name {
            "zfill" | "rjust" => missing,
            "center" => missing / 2 + (missing & width & 1),
            _ => 0,
        };
        let filling = |count: usize| Text::made(&fill.content().repeat(count), fill.origin());
        let sign = usize::from(name == "zfill" && text.content().starts_with(['+', '-']));
        let (start, rest) = (text.part(0..sign), text.part(sign..text.bytes()));
        let mut builder = Builder::new();
        for part in [start, filling(before), rest, filling(missing - before)] {
            builder.text(&part);
        }
        Ok(builder.finish())
    }

    fn expand_tabs(&mut self, text: &Text<'r>, size: usize) -> Done<Text<'r>> {
        let tabs = text.pieces().iter().map(|piece| piece.as_str().matches('\t').count()).sum::<usize>();
        self.charge_bytes(tabs.saturating_mul(size))?;
        let mut column = 0usize;
        Ok(text.map(|piece| {
            let mut out = String::with_capacity(piece.len());
            for character in piece.chars() {
                match character {
                    '\t' => {
                        let spaces = column.checked_div(size).map_or(0, |stops| (stops + 1) * size - column);
                        out.extend(std::iter::repeat_n(' ', spaces));
                        column += spaces;
                    }
                    '\n' | '\r' => {
                        out.push(character);
                        column = 0;
                    }
                    other => {
                        out.push(other);
                        column += 1;
                    }
                }
            }
            out
        }))
    }
}

/// A text without white space, or such characters, at the ends that the method names.
pub(super) fn stripped<'r>(text: &Text<'r>, method: &str, set: Option<&str>) -> Text<'r> {
    let drop = |character: char| set.map_or_else(|| is_space(character), |set| set.contains(character));
    let content = text.content();
    let start = if method == "rstrip" { 0 } else { content.len() - content.trim_start_matches(drop).len() };
    let end = if method == "lstrip" { content.len() } else { content.trim_end_matches(drop).len() };
    text.part(start..end.max(start))
}

/// The first character as a capital, the others small.
pub(super) fn capitalized<'r>(text: &Text<'r>) -> Text<'r> {
    let mut first = true;
    text.map(|piece| {
        if !std::mem::replace(&mut first, false) {
            return characters::lower(piece);
        }
        let mut rest = piece.chars();
        let capital = rest.next().map(characters::titled).unwrap_or_default();
        capital + &characters::lower(rest.as_str())
    })
}

/// The lines of a text, as `splitlines` finds them.
pub(super) fn lines(text: &str, keep_ends: bool) -> Vec<std::ops::Range<usize>> {
    let is_break = |character| {
        matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut start = 0;
    while let Some(found) = text.get(start..).and_then(|rest| rest.find(is_break)) {
        let end = start + found;
        let tail = text.get(end..).unwrap_or_default();
        let next = end + if tail.starts_with("\r\n") { 2 } else { tail.chars().next().map_or(1, char::len_utf8) };
        lines.push(start..if keep_ends { next } else { end });
        start = next;
    }
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

/// What stands between white space, with at most this many cuts.
fn words(text: &str, most: usize) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = text.len() - text.trim_start_matches(is_space).len();
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(is_space).map_or(text.len(), |length| at + length);
        if found.len() == most {
            found.push(at..text.len());
            return found;
        }
        found.push(at..end);
        let tail = text.get(end..).unwrap_or_default();
        at = text.len() - tail.trim_start_matches(is_space).len();
    }
    found
}

/// The same, counted from the end.
fn words_from_end(text: &str, most: usize) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut end = text.trim_end_matches(is_space).len();
    while end > 0 {
        let rest = text.get(..end).unwrap_or_default();
        if found.len() == most {
            found.push(0..rest.len());
            break;
        }
        let start =
            rest.char_indices().rev().find(|(_, c)| is_space(*c)).map_or(0, |(at, space)| at + space.len_utf8());
        found.push(start..end);
        end = text.get(..start).unwrap_or_default().trim_end_matches(is_space).len();
    }
    found.reverse();
    found
}
