//! Filters for lists, dicts and other values with items.

use super::super::arguments::Arguments;
use super::super::checks::Check;
use super::super::error::{Done, Stop, type_error};
use super::super::machine::Machine;
use super::super::operators::to_index;
use super::super::syntax::Operator;
use super::super::text::{Origin, Text};
use super::super::value::{List, Value, View};
use super::Filter;
use std::rc::Rc;

/// The way to a value inside of another: `address.city`, `0`.
type Path<'r> = Vec<Value<'r>>;

fn argument_error(said: &'static str) -> Stop {
    Stop::new("FilterArgumentError", said)
}

fn is_given(value: Option<Value<'_>>) -> bool {
    value.is_some_and(|value| value.is_true())
}

fn not_none<'r>(value: Option<Value<'r>>) -> Option<Value<'r>> {
    value.filter(|value| !matches!(value, Value::None))
}

impl<'r> Machine<'r> {
    pub(super) fn list_filter(
        &mut self,
        filter: Filter,
        value: Value<'r>,
        arguments: Arguments<'r>,
    ) -> Done<Value<'r>> {
        match filter {
            Filter::List => {
                arguments.bind("list", [], 0)?;
                match value {
                    Value::List(list) => Ok(Value::List(list)),
                    other => self.iterate(&other).and_then(Value::list),
                }
            }
            Filter::First => {
                arguments.bind("first", [], 0)?;
                match &value {
                    Value::List(list) | Value::Tuple(list) => {
                        Ok(list.items.first().cloned().unwrap_or(Value::Undefined("first")))
                    }
                    Value::Text(text) => {
                        let first = text.characters(0..1);
                        Ok(if first.is_empty() { Value::Undefined("first") } else { Value::Text(first) })
                    }
                    Value::Generator(generator) => {
                        let first = generator.items.borrow_mut().next();
                        match (first, generator.failure.borrow().clone()) {
                            (Some(first), _) => Ok(first),
                            (None, Some(failure)) => Err(failure),
                            (None, None) => Ok(Value::Undefined("first")),
                        }
                    }
                    other => Ok(self.iterate(other)?.into_iter().next().unwrap_or(Value::Undefined("first"))),
                }
            }
            Filter::Last => {
                arguments.bind("last", [], 0)?;
                match &value {
                    Value::Generator(_) => {
                        let name = value.type_name();
                        Err(type_error(format!("'{name}' object is not reversible")))
                    }
                    Value::List(list) | Value::Tuple(list) => {
                        Ok(list.items.last().cloned().unwrap_or(Value::Undefined("last")))
                    }
                    other => Ok(self.iterate(other)?.pop().unwrap_or(Value::Undefined("last"))),
                }
            }
            Filter::Reverse => {
                arguments.bind("reverse", [], 0)?;
                if let Value::Text(text) = &value {
                    let all = self.slice(&Value::Text(text.clone()), [Value::None, Value::None, Value::Integer(-1)])?;
                    return Ok(all);
                }
                let is_list = matches!(value, Value::Generator(_));
                let items = self.iterate(&value);
                let mut items = items.map_err(|stop| match stop.is(&["TypeError"]) {
                    true => argument_error("argument must be iterable"),
                    false => stop,
                })?;
                items.reverse();
                if is_list { Value::list(items) } else { Value::generator("list_reverseiterator", items, None) }
            }
            Filter::Items => {
                arguments.bind("items", [], 0)?;
                match value {
                    Value::Undefined(_) => Value::generator("generator", Vec::new(), None),
                    Value::Dict(dict) => {
                        let items = self.iterate(&Value::View(View::Items, dict))?;
                        Value::generator("generator", items, None)
                    }
                    _ => {
                        let failure = type_error("Can only get item pairs from a mapping.");
                        Value::generator("generator", Vec::new(), Some(failure))
                    }
                }
            }
            Filter::Attr => {
                let [name] = arguments.bind("attr", ["name"], 1)?;
                let Some(Value::Text(name)) = name else { return Err(type_error("attribute name must be string")) };
                value.defined()?;
                let found = match super::super::methods::known_attribute(&name.content()) {
                    Some(name) => self.own_attribute(&value, name)?,
                    None => match &value {
                        Value::Namespace(namespace) => namespace.attributes.borrow().get(&name.content()).cloned(),
                        _ => None,
                    },
                };
                Ok(found.unwrap_or(Value::Undefined("")))
            }
            Filter::DictSort => self.dict_sort(&value, arguments),
            Filter::Sort => {
                let names = ["reverse", "case_sensitive", "attribute"];
                let [reverse, case_sensitive, attribute] = arguments.bind("sort", names, 0)?;
                let paths = self.paths(attribute)?;
                let items = self.iterate(&value)?;
                self.sorted(items, is_given(reverse), |machine, item| {
                    let mut keys = Vec::with_capacity(paths.len());
                    for path in &paths {
                        let key = machine.at_path(item.clone(), path, None)?;
                        keys.push(machine.without_case(key, is_given(case_sensitive.clone()))?);
                    }
                    Value::list(keys)
                })
                .and_then(Value::list)
            }
            Filter::Min | Filter::Max => self.extreme(filter, &value, arguments),
            Filter::Unique => {
                let [case_sensitive, attribute] = arguments.bind("unique", ["case_sensitive", "attribute"], 0)?;
                let path = self.path(attribute)?;
                let items = self.iterate(&value)?;
                let mut kept: Vec<(Value<'r>, Value<'r>)> = Vec::new();
                for item in items {
                    let key = self.at_path(item.clone(), &path, None)?;
                    let key = self.without_case(key, is_given(case_sensitive.clone()))?;
                    key.check_hashable()?;
                    self.charge(kept.len() / 8)?;
                    let mut known = false;
                    for (_, other) in &kept {
                        known = known || self.equal(&key, other)?;
                    }
                    if !known {
                        kept.push((item, key));
                    }
                }
                Value::generator("generator", kept.into_iter().map(|(item, _)| item).collect(), None)
            }
            Filter::Sum => {
                let [attribute, start] = arguments.bind("sum", ["attribute", "start"], 0)?;
                let path = self.path(attribute)?;
                let mut sum = start.unwrap_or(Value::Integer(0));
                if matches!(sum, Value::Text(_)) {
                    return Err(type_error("sum() can't sum strings [use ''.join(seq) instead]"));
                }
                for item in self.iterate(&value)? {
                    let item = self.at_path(item, &path, None)?;
                    sum = self.arithmetic(Operator::Add, sum, item)?;
                }
                Ok(sum)
            }
            Filter::Batch | Filter::Slice => self.portions(filter, &value, arguments),
            Filter::GroupBy => self.group_by(&value, arguments),
            Filter::Map => self.map(&value, arguments),
            _ => self.select(filter, &value, arguments),
        }
    }

    /// The parts of `a.b.0`, which are names and numbers.
    fn path(&mut self, attribute: Option<Value<'r>>) -> Done<Path<'r>> {
        Ok(match not_none(attribute) {
            None => Vec::new(),
            Some(Value::Text(text)) => {
                let content = text.content();
                let mut start = 0;
                let mut parts = Vec::new();
                for part in content.split('.') {
                    let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                    parts.push(match part.parse().ok().filter(|_| is_number) {
                        Some(number) => Value::Integer(number),
                        None => Value::Text(text.part(start..start + part.len())),
                    });
                    start += part.len() + 1;
                }
                parts
            }
            Some(other) => vec![other],
        })
    }

    /// Several paths with commas between them.
    fn paths(&mut self, attribute: Option<Value<'r>>) -> Done<Vec<Path<'r>>> {
        match not_none(attribute) {
            Some(Value::Text(text)) => {
                let content = text.content();
                let mut start = 0;
                let mut paths = Vec::new();
                for part in content.split(',') {
                    paths.push(self.path(Some(Value::Text(text.part(start..start + part.len()))))?);
                    start += part.len() + 1;
                }
                Ok(paths)
            }
            other => Ok(vec![self.path(other)?]),
        }
    }

    fn at_path(&mut self, mut value: Value<'r>, path: &Path<'r>, default: Option<&Value<'r>>) -> Done<Value<'r>> {
        for part in path {
            self.charge(1)?;
            value = self.item(&value, part)?;
            if let (true, Some(default)) = (value.is_undefined(), default) {
                value = default.clone();
            }
        }
        Ok(value)
    }

    /// The items in the order of their keys.
    fn sorted(
        &mut self,
        items: Vec<Value<'r>>,
        reverse: bool,
        mut key: impl FnMut(&mut Self, &Value<'r>) -> Done<Value<'r>>,
    ) -> Done<Vec<Value<'r>>> {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            self.charge(1)?;
            keyed.push((key(self, &item)?, item));
        }
        // What is equal stays in its order either way.
        self.sort_by(&mut keyed, |machine, (one, _), (other, _)| match reverse {
            true => machine.less(other, one, "<"),
            false => machine.less(one, other, "<"),
        })?;
        Ok(keyed.into_iter().map(|(_, item)| item).collect())
    }

    fn dict_sort(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [case_sensitive, by, reverse] = arguments.bind("dictsort", ["case_sensitive", "by", "reverse"], 0)?;
        let place = match &by {
            None => 0,
            Some(Value::Text(by)) if by.content() == "key" => 0,
            Some(Value::Text(by)) if by.content() == "value" => 1,
            Some(_) => return Err(argument_error("You can only sort by either \"key\" or \"value\"")),
        };
        value.defined()?;
        let Value::Dict(dict) = value else {
            let name = value.type_name();
            return Err(Stop::new("AttributeError", format!("'{name}' object has no attribute 'items'")));
        };
        let items = self.iterate(&Value::View(View::Items, dict.clone()))?;
        let items = self.sorted(items, is_given(reverse), |machine, item| {
            let key = machine.item(item, &Value::Integer(place))?;
            machine.without_case(key, is_given(case_sensitive.clone()))
        })?;
        Value::list(items)
    }

    fn extreme(&mut self, filter: Filter, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [case_sensitive, attribute] = arguments.bind("min", ["case_sensitive", "attribute"], 0)?;
        let path = self.path(attribute)?;
        let mut best: Option<(Value<'r>, Value<'r>)> = None;
        for item in self.iterate(value)? {
            let key = self.at_path(item.clone(), &path, None)?;
            let key = self.without_case(key, is_given(case_sensitive.clone()))?;
            let better = match &best {
                None => true,
                Some((known, _)) if filter == Filter::Min => self.less(&key, known, "<")?,
                Some((known, _)) => self.less(known, &key, ">")?,
            };
            if better {
                best = Some((key, item));
            }
        }
        Ok(best.map_or(Value::Undefined("min"), |(_, item)| item))
    }

    fn portions(&mut self, filter: Filter, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let name = if filter == Filter::Batch { "linecount" } else { "slices" };
        let [count, fill] = arguments.bind("batch", [name, "fill_with"], 1)?;
        let count = to_index(&count.unwrap_or(Value::None))?;
        let fill = not_none(fill);
        let items = self.iterate(value)?;
        let mut portions = Vec::new();
        if filter == Filter::Batch {
            // Python finds a batch of no items full before the first item.
            if count == 0 && !items.is_empty() {
                portions.push(Value::list(Vec::new())?);
            }
            let count = usize::try_from(count).unwrap_or_default();
            let chunk = if count == 0 { items.len().max(1) } else { count };
            for chunk in items.chunks(chunk) {
                let mut portion = chunk.to_vec();
                if let Some(fill) = &fill {
                    self.charge(count)?;
                    portion.resize(count.max(portion.len()), fill.clone());
                }
                portions.push(Value::list(portion)?);
            }
        } else if count == 0 {
            return Err(Stop::new("ZeroDivisionError", "integer division or modulo by zero"));
        } else {
            let count = usize::try_from(count).unwrap_or_default();
            self.charge(count)?;
            let (each, extra) =
                (items.len().checked_div(count).unwrap_or(0), items.len().checked_rem(count).unwrap_or(0));
            let mut rest = items.as_slice();
            for place in 0..count {
                let (portion, behind) = rest.split_at_checked(each + usize::from(place < extra)).unwrap_or((rest, &[]));
                rest = behind;
                let mut portion = portion.to_vec();
                if place >= extra {
                    portion.extend(fill.clone());
                }
                portions.push(Value::list(portion)?);
            }
        }
        Value::generator("generator", portions, None)
    }

    fn group_by(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [attribute, default, case_sensitive] =
            arguments.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
        let (path, default, case_sensitive) = (self.path(attribute)?, not_none(default), is_given(case_sensitive));
        let items = self.iterate(value)?;
        let mut key = |machine: &mut Self, item: &Value<'r>| {
            let key = machine.at_path(item.clone(), &path, default.as_ref())?;
            machine.without_case(key, case_sensitive)
        };
        let items = self.sorted(items, false, &mut key)?;
        let mut groups: Vec<(Value<'r>, Vec<Value<'r>>)> = Vec::new();
        for item in items {
            let own = key(self, &item)?;
            match groups.last_mut() {
                Some((known, group)) if self.equal(known, &own)? => group.push(item),
                _ => groups.push((own, vec![item])),
            }
        }
        let mut named = Vec::with_capacity(groups.len());
        for (own, group) in groups {
            let own = match group.first() {
                Some(first) if !case_sensitive => self.at_path(first.clone(), &path, default.as_ref())?,
                _ => own,
            };
            let pair = List { is_group: true, ..List::of(vec![own, Value::list(group)?])? };
            named.push(Value::Tuple(Rc::new(pair)));
        }
        Value::list(named)
    }

    fn map(&mut self, value: &Value<'r>, mut arguments: Arguments<'r>) -> Done<Value<'r>> {
        if !value.is_true() {
            return Value::generator("generator", Vec::new(), None);
        }
        let by_attribute =
            arguments.positional.is_empty() && arguments.named.iter().any(|(name, _)| name == "attribute");
        let mapped = match by_attribute {
            true => {
                let [attribute, default] = match arguments.bind("map", ["attribute", "default"], 0) {
                    Ok(bound) => bound,
                    Err(stop) => return Value::generator("generator", Vec::new(), Some(stop)),
                };
                let (path, default) = (self.path(attribute)?, not_none(default));
                self.each(value, |machine, item| machine.at_path(item, &path, default.as_ref()).map(Some))?
            }
            false => {
                if arguments.positional.is_empty() {
                    let failure = argument_error("map requires a filter argument");
                    return Value::generator("generator", Vec::new(), Some(failure));
                }
                let name = arguments.positional.remove(0);
                let filter = match &name {
                    Value::Text(name) => Filter::named(&name.content()),
                    _ => None,
                };
                let Some(filter) = filter else {
                    let failure = Stop::new("TemplateRuntimeError", "No filter of this name.");
                    return Value::generator("generator", Vec::new(), Some(failure));
                };
                self.each(value, |machine, item| machine.filter(filter, item, arguments.clone()).map(Some))?
            }
        };
        Value::generator("generator", mapped.0, mapped.1)
    }

    /// What a function makes of each item, up to the first that it raises something of.
    fn each(
        &mut self,
        value: &Value<'r>,
        mut change: impl FnMut(&mut Self, Value<'r>) -> Done<Option<Value<'r>>>,
    ) -> Done<(Vec<Value<'r>>, Option<Stop>)> {
        let (items, failure) = match self.iterate_all(value) {
            Ok(items) => items,
            Err(stop) if stop.is(&["TypeError"]) => return Ok((Vec::new(), Some(stop))),
            Err(stop) => return Err(stop),
        };
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            self.charge(1)?;
            match change(self, item) {
                Ok(item) => made.extend(item),
                Err(stop) if matches!(stop.0.reason, super::super::error::Reason::Steps) => return Err(stop),
                Err(stop) => return Ok((made, Some(stop))),
            }
        }
        Ok((made, failure))
    }

    fn select(&mut self, filter: Filter, value: &Value<'r>, mut arguments: Arguments<'r>) -> Done<Value<'r>> {
        if !value.is_true() {
            return Value::generator("generator", Vec::new(), None);
        }
        let fails = |failure: Stop| Value::generator("generator", Vec::new(), Some(failure));
        let mut path = Vec::new();
        if matches!(filter, Filter::SelectAttr | Filter::RejectAttr) {
            if arguments.positional.is_empty() {
                return fails(argument_error("Missing parameter for attribute name"));
            }
            let attribute = arguments.positional.remove(0);
            path = self.path(Some(attribute))?;
        }
        let check = match arguments.positional.is_empty() {
            true => None,
            false => {
                let name = arguments.positional.remove(0);
                let check = match &name {
                    Value::Text(name) => Check::named(&name.content()),
                    _ => None,
                };
                match check {
                    Some(check) => Some(check),
                    None => return fails(Stop::new("TemplateRuntimeError", "No test of this name.")),
                }
            }
        };
        let wanted = matches!(filter, Filter::Select | Filter::SelectAttr);
        let (items, failure) = self.each(value, |machine, item| {
            let asked = machine.at_path(item.clone(), &path, None)?;
            let holds = match check {
                Some(check) => machine.check(check, &asked, arguments.clone())?,
                None => asked.is_true(),
            };
            Ok((holds == wanted).then_some(item))
        })?;
        Value::generator("generator", items, failure)
    }

    /// The texts of items joined.
    pub(super) fn join(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [separator, attribute] = arguments.bind("join", ["d", "attribute"], 0)?;
        let path = self.path(attribute)?;
        let separator = match separator {
            Some(separator) => self.str(&separator)?,
            None => Text::EMPTY,
        };
        if let Value::List(list) = value
            && path.is_empty()
            && let [only] = &*list.items
        {
            return self.str(only).map(Value::Text);
        }
        let items = self.iterate(value)?;
        let mut joined = super::super::text::Builder::new();
        for (place, item) in items.into_iter().enumerate() {
            let item = self.at_path(item, &path, None)?;
            let item = self.str(&item)?;
            self.charge_bytes(16 + separator.bytes() + item.bytes())?;
            if place > 0 {
                joined.text(&separator);
            }
            joined.text(&item);
        }
        Ok(Value::Text(joined.finish()))
    }

    /// A made text that no template wrote.
    pub(super) fn given(&self, text: &str) -> Value<'r> {
        Value::Text(Text::made(text, Origin::Given))
    }
}
