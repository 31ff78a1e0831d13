//! Operators and the access to members, as Python's and Jinja's.

use std::rc::Rc;

use super::error::{Done, Stop, overflow, type_error, value_error};
use super::machine::Machine;
use super::methods;
use super::syntax::{Comparator, Operator};
use super::text::{Builder, Origin, Text, byte_of};
use super::value::{Dict, Function, List, Number, Range, Value, View, within_depth};

/// The longest range that Jinja's sandbox makes.
pub(crate) const MAX_RANGE: usize = 100_000;

fn unsupported(operator: &str, left: &Value<'_>, right: &Value<'_>) -> Stop {
    if left.is_undefined() {
        return left.undefined_error();
    }
    if right.is_undefined() {
        return right.undefined_error();
    }
    let (left, right) = (left.type_name(), right.type_name());
    type_error(format!("unsupported operand type(s) for {operator}: '{left}' and '{right}'"))
}

/// `-value` and `+value`
pub(crate) fn signed<'r>(value: &Value<'r>, sign: &str) -> Done<Value<'r>> {
    let negative = sign == "-";
    match value.number() {
        Some(Number::Integer(number)) => Ok(Value::integer(if negative { -number } else { number })),
        Some(Number::Float(number)) => Ok(Value::Float(if negative { -number } else { number })),
        Some(Number::Long(digits)) => Ok(Value::Long(match (negative, digits.strip_prefix('-')) {
            (true, Some(digits)) => digits.into(),
            (true, None) => format!("-{digits}").into(),
            (false, _) => digits,
        })),
        None if value.is_undefined() => Err(value.undefined_error()),
        None => Err(type_error(format!("bad operand type for unary {sign}: '{}'", value.type_name()))),
    }
}

fn too_long() -> Stop {
    overflow("integers of more than 38 digits are not calculated with")
}

fn zero_division(what: &'static str) -> Stop {
    Stop::new("ZeroDivisionError", what)
}

/// A number with which something is repeated or indexed.
pub(crate) fn index_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

/// A number that has to be an integer.
pub(crate) fn to_index(value: &Value<'_>) -> Done<i64> {
    value.defined()?;
    match index_of(value) {
        Some(number) => Ok(number),
        None if matches!(value, Value::Long(_)) => Err(overflow("Python int too large to convert to C ssize_t")),
        None => {
            let name = value.type_name();
            Err(type_error(format!("'{name}' object cannot be interpreted as an integer")))
        }
    }
}

impl<'r> Machine<'r> {
    pub(super) fn arithmetic(&mut self, operator: Operator, left: Value<'r>, right: Value<'r>) -> Done<Value<'r>> {
        match (operator, left, right) {
            (Operator::Add, Value::Text(left), Value::Text(right)) => self.add_texts(left, right).map(Value::Text),
            (Operator::Add, Value::List(left), Value::List(right)) => self.add_lists(left, &right).map(Value::List),
            (Operator::Add, Value::Tuple(left), Value::Tuple(right)) => self.add_lists(left, &right).map(Value::Tuple),
            (Operator::Remainder, Value::Text(left), right) => self.percent(&left, right),
            (Operator::Multiply, many @ (Value::Text(_) | Value::List(_) | Value::Tuple(_)), times)
            | (Operator::Multiply, times, many @ (Value::Text(_) | Value::List(_) | Value::Tuple(_))) => {
                self.repeated(many, &times)
            }
            (operator, left, right) => match (left.number(), right.number()) {
                (Some(one), Some(other)) => calculated(operator, &one, &other),
                _ => Err(unsupported(operator.sign(), &left, &right)),
            },
        }
    }

    pub(super) fn add_texts(&mut self, left: Text<'r>, right: Text<'r>) -> Done<Text<'r>> {
        let is_markup = left.is_markup() || right.is_markup();
        let (left, right) = match is_markup {
            true => (self.escaped(&left)?, self.escaped(&right)?),
            false => (left, right),
        };
        let sum = left.then(&right);
        self.charge(sum.pieces().len() / 2)?;
        Ok(sum.markup(is_markup))
    }

    fn add_lists(&mut self, mut left: Rc<List<'r>>, right: &List<'r>) -> Done<Rc<List<'r>>> {
        if Rc::get_mut(&mut left).is_none() {
            self.charge(left.items.len() / 4)?;
        }
        self.charge(right.items.len())?;
        let sum = Rc::make_mut(&mut left);
        sum.items.extend(right.items.iter().cloned());
        sum.depth = sum.depth.max(right.depth);
        sum.is_group = false;
        Ok(left)
    }

    /// `left + [item]`
    pub(super) fn add_item(&mut self, left: Value<'r>, item: Value<'r>) -> Done<Value<'r>> {
        let Value::List(mut left) = left else {
            return self.arithmetic(Operator::Add, left, Value::list(vec![item])?);
        };
        let depth = item.depth();
        within_depth(depth)?;
        if Rc::get_mut(&mut left).is_none() {
            self.charge(left.items.len() / 4)?;
        }
        self.charge(1)?;
        let sum = Rc::make_mut(&mut left);
        sum.items.push(item);
        sum.depth = sum.depth.max(depth);
        sum.is_group = false;
        Ok(Value::List(left))
    }

    /// `left + right`, or `left + [right]`
    pub(super) fn sum(&mut self, left: Value<'r>, right: Value<'r>, is_item: bool) -> Done<Value<'r>> {
        match is_item {
            true => self.add_item(left, right),
            false => self.arithmetic(Operator::Add, left, right),
        }
    }

    fn repeated(&mut self, many: Value<'r>, times: &Value<'r>) -> Done<Value<'r>> {
        times.defined()?;
        let times = match (index_of(times), times) {
            (Some(times), _) => times,
            (None, Value::Long(_)) => return Err(overflow("cannot fit 'int' into an index-sized integer")),
            (None, times) => {
                return Err(type_error(format!("can't multiply sequence by non-int of type '{}'", times.type_name())));
            }
        };
        let times = usize::try_from(times).unwrap_or_default();
        match many {
            Value::Text(text) => {
                self.charge_bytes(text.bytes().saturating_mul(times))?;
                self.charge(text.pieces().len().saturating_mul(times) / 4)?;
                let mut builder = Builder::new();
                for _ in 0..if text.is_empty() { 0 } else { times } {
                    builder.text(&text);
                }
                Ok(Value::Text(builder.finish().markup(text.is_markup())))
            }
            Value::List(list) => self.repeated_items(&list, times).and_then(Value::list),
            Value::Tuple(list) => self.repeated_items(&list, times).and_then(Value::tuple),
            _ => Ok(many),
        }
    }

    fn repeated_items(&mut self, list: &List<'r>, times: usize) -> Done<Vec<Value<'r>>> {
        self.charge(list.items.len().saturating_mul(times))?;
        let times = if list.items.is_empty() { 0 } else { times };
        Ok(std::iter::repeat_n(&list.items, times).flatten().cloned().collect())
    }

    pub(super) fn compare(&mut self, comparator: Comparator, left: &Value<'r>, right: &Value<'r>) -> Done<bool> {
        match comparator {
            Comparator::Equal => self.equal(left, right),
            Comparator::NotEqual => self.equal(left, right).map(|equal| !equal),
            Comparator::In => self.contains(right, left),
            Comparator::NotIn => self.contains(right, left).map(|contains| !contains),
            Comparator::Less => self.less(left, right, "<"),
            Comparator::Greater => self.less(right, left, ">"),
            Comparator::LessOrEqual => Ok(self.less(left, right, "<=")? || self.equal_ordered(left, right)?),
            Comparator::GreaterOrEqual => Ok(self.less(right, left, ">=")? || self.equal_ordered(left, right)?),
        }
    }

    fn equal_ordered(&mut self, left: &Value<'r>, right: &Value<'r>) -> Done<bool> {
        self.equal(left, right)
    }

    /// `left == right`, which raises nothing.
    pub(super) fn equal(&mut self, left: &Value<'r>, right: &Value<'r>) -> Done<bool> {
        self.charge(1)?;
        Ok(match (left, right) {
            (Value::Text(left), Value::Text(right)) => {
                self.charge_bytes(left.bytes().min(right.bytes()))?;
                left == right
            }
            (Value::None, Value::None) | (Value::Undefined(_), Value::Undefined(_)) => true,
            (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
                self.equal_items(&left.items, &right.items)?
            }
            (Value::Dict(left), Value::Dict(right)) => self.equal_dicts(left, right)?,
            (Value::Range(left), Value::Range(right)) => {
                let length = left.length();
                let same = left.start == right.start && (length == 1 || left.step == right.step);
                length == right.length() && (length == 0 || same)
            }
            (Value::View(View::Keys, left), Value::View(View::Keys, right)) => {
                let mut same = left.len() == right.len();
                for (key, _) in left.members() {
                    same = same && right.find(key)?.is_some();
                }
                same
            }
            (left, right) => match (left.number(), right.number()) {
                (Some(left), Some(right)) => left.same(&right),
                _ => left.is_same_object(right),
            },
        })
    }

    /// `value == 'text'`
    pub(super) fn equal_to_text(&mut self, value: &Value<'r>, text: &'r str) -> Done<bool> {
        let Value::Text(value) = value else { return Ok(false) };
        self.charge_bytes(text.len())?;
        Ok(value.as_one().map_or_else(|| value.content() == text, |value| value == text))
    }

    fn equal_items(&mut self, left: &[Value<'r>], right: &[Value<'r>]) -> Done<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.iter().zip(right) {
            if !left.is_same_object(right) && !self.equal(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_dicts(&mut self, left: &Dict<'r>, right: &Dict<'r>) -> Done<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (key, left) in left.members() {
            match right.find(key)? {
                Some(right) if left.is_same_object(right) || self.equal(left, right)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// `left < right`; the error names the operator that was written.
    pub(super) fn less(&mut self, left: &Value<'r>, right: &Value<'r>, operator: &str) -> Done<bool> {
        self.charge(1)?;
        match (left, right) {
            (Value::Text(left), Value::Text(right)) => {
                self.charge_bytes(left.bytes().min(right.bytes()))?;
                Ok(left.content().chars().lt(right.content().chars()))
            }
            (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
                for (left, right) in left.items.iter().zip(&right.items) {
                    if !self.equal(left, right)? {
                        return self.less(left, right, operator);
                    }
                }
                Ok(left.items.len() < right.items.len())
            }
            (left, right) => match (left.number(), right.number()) {
                (Some(Number::Integer(left)), Some(Number::Integer(right))) => Ok(left < right),
                (Some(left), Some(right)) => Ok(left.float() < right.float()),
                _ => {
                    left.defined()?;
                    right.defined()?;
                    let (mut left, mut right) = (left.type_name(), right.type_name());
                    if operator.starts_with('>') {
                        std::mem::swap(&mut left, &mut right);
                    }
                    let said = format!("'{operator}' not supported between instances of '{left}' and '{right}'");
                    Err(type_error(said))
                }
            },
        }
    }

    /// `value in container`
    pub(super) fn contains(&mut self, container: &Value<'r>, value: &Value<'r>) -> Done<bool> {
        match container {
            Value::Text(text) => {
                let Value::Text(part) = value else {
                    let name = value.type_name();
                    let said = format!("'in <string>' requires string as left operand, not {name}");
                    return Err(type_error(said));
                };
                self.charge_bytes(text.bytes())?;
                Ok(text.content().contains(&*part.content()))
            }
            Value::Dict(dict) | Value::View(View::Keys, dict) => {
                self.charge(1)?;
                Ok(dict.find(value)?.is_some())
            }
            Value::List(list) | Value::Tuple(list) => {
                for item in &list.items {
                    if item.is_same_object(value) || self.equal(item, value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Value::Range(range) => {
                // A float that is a whole number is the integer, and so is a bool.
                let number = match value.number() {
                    Some(Number::Integer(number)) => number,
                    Some(Number::Float(number)) if number.fract() == 0.0 => number as i128,
                    _ => return Ok(false),
                };
                let Range { start, stop, step } = **range;
                let (low, high) = match step > 0 {
                    true => (start, stop.saturating_sub(1)),
                    false => (stop.saturating_add(1), start),
                };
                let is_between = (i128::from(low)..=i128::from(high)).contains(&number);
                Ok(is_between && (number - i128::from(start)).checked_rem(i128::from(step)) == Some(0))
            }
            // What stands behind the item stays in the generator.
            Value::Generator(generator) => loop {
                let next = generator.items.borrow_mut().next();
                let Some(item) = next else { break generator.failure.take().map_or(Ok(false), Err) };
                self.charge(1)?;
                if item.is_same_object(value) || self.equal(&item, value)? {
                    break Ok(true);
                }
            },
            Value::Undefined(_) | Value::View(..) => {
                for item in self.iterate(container)? {
                    if self.equal(&item, value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            other => Err(type_error(format!("argument of type '{}' is not iterable", other.type_name()))),
        }
    }

    /// The items of what can be iterated, and what is raised behind them.
    pub(super) fn iterate_all(&mut self, value: &Value<'r>) -> Done<(Vec<Value<'r>>, Option<Stop>)> {
        if let Value::Generator(generator) = value {
            let items: Vec<_> = generator.items.borrow_mut().by_ref().collect();
            return Ok((items, generator.failure.take()));
        }
        self.iterate(value).map(|items| (items, None))
    }

    /// The items of what can be iterated.
    pub(super) fn iterate(&mut self, value: &Value<'r>) -> Done<Vec<Value<'r>>> {
        let items = match value {
            Value::List(list) | Value::Tuple(list) => list.items.clone(),
            Value::Undefined(_) => Vec::new(),
            Value::Text(text) => {
                self.charge(text.bytes())?;
                text.each_character().into_iter().map(Value::Text).collect()
            }
            Value::Dict(dict) | Value::View(View::Keys, dict) => {
                dict.members().iter().map(|(key, _)| key.clone()).collect()
            }
            Value::View(View::Values, dict) => dict.members().iter().map(|(_, value)| value.clone()).collect(),
            Value::View(View::Items, dict) => {
                let pairs = dict.members().iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]));
                pairs.collect::<Done<_>>()?
            }
            Value::Range(range) => {
                let length = range.length();
                self.charge(length)?;
                let number = |place: usize| range.start.saturating_add(range.step.saturating_mul(place as i64));
                (0..length).map(|place| Value::Integer(number(place))).collect()
            }
            Value::Generator(generator) => {
                let items: Vec<_> = generator.items.borrow_mut().by_ref().collect();
                if let Some(failure) = generator.failure.take() {
                    return Err(failure);
                }
                items
            }
            other => return Err(type_error(format!("'{}' object is not iterable", other.type_name()))),
        };
        self.charge(items.len() / 8)?;
        Ok(items)
    }

    /// `of.name`: the attribute before the member of a dict.
    pub(super) fn attribute(&mut self, of: &Value<'r>, name: &'r str) -> Done<Value<'r>> {
        if let Some(found) = self.own_attribute(of, name)? {
            return Ok(found);
        }
        Ok(match of {
            Value::Dict(dict) => dict.get(name).cloned().unwrap_or(Value::Undefined(name)),
            _ => Value::Undefined(name),
        })
    }

    /// `getattr(of, name)` as the sandbox allows it, where there is such an attribute.
    pub(super) fn own_attribute(&mut self, of: &Value<'r>, name: &'r str) -> Done<Option<Value<'r>>> {
        if let Value::Undefined(_) = of {
            return Err(of.undefined_error());
        }
        if methods::has(of, name) {
            return Ok(Some(Value::Method(Rc::new((of.clone(), name)))));
        }
        if methods::is_unsafe(of, name) {
            return Ok(Some(Value::Undefined(name)));
        }
        Ok(match of {
            Value::Namespace(namespace) => namespace.attributes.borrow().get(name).cloned(),
            Value::Loop(state) => self.loop_field(state, name),
            Value::Tuple(list) if list.is_group => match name {
                "grouper" => list.items.first().cloned(),
                "list" => list.items.get(1).cloned(),
                _ => None,
            },
            Value::Cycler(cycler) if name == "current" => cycler.0.items.get(cycler.1.get()).cloned(),
            Value::Cycler(cycler) if name == "items" => Some(Value::tuple(cycler.0.items.clone())?),
            Value::Joiner(joiner) if name == "sep" => Some(joiner.0.clone()),
            Value::Joiner(joiner) if name == "used" => Some(Value::Bool(joiner.1.get())),
            Value::Macro(called) => self.macro_field(called.code, name),
            Value::Function(Function::Dict) if name == "fromkeys" => Some(Value::Function(Function::DictFromKeys)),
            Value::Bool(_) | Value::Integer(_) => match name {
                "real" | "numerator" => signed(of, "+").ok(),
                "imag" => Some(Value::Integer(0)),
                "denominator" => Some(Value::Integer(1)),
                _ => None,
            },
            Value::Float(number) => match name {
                "real" => Some(Value::Float(*number)),
                "imag" => Some(Value::Float(0.0)),
                _ => None,
            },
            Value::Range(range) => match name {
                "start" => Some(Value::Integer(range.start)),
                "stop" => Some(Value::Integer(range.stop)),
                "step" => Some(Value::Integer(range.step)),
                _ => None,
            },
            _ => None,
        })
    }

    fn macro_field(&mut self, code: u32, name: &str) -> Option<Value<'r>> {
        let program = self.program;
        let code = program.macros.get(code as usize)?;
        Some(match name {
            "name" => code.name.as_deref().map_or(Value::None, Value::template),
            "arguments" => {
                let names = code.parameters.iter().filter_map(|parameter| program.names.get(parameter.name.0 as usize));
                Value::tuple(names.map(|name| Value::template(name)).collect()).ok()?
            }
            "catch_varargs" => Value::Bool(code.uses_varargs.is_some()),
            "catch_kwargs" => Value::Bool(code.uses_kwargs.is_some()),
            "caller" => Value::Bool(code.uses_caller.is_some()),
            _ => return None,
        })
    }

    /// `of['name']`: the member of a dict before the attribute.
    pub(super) fn item_named(&mut self, of: &Value<'r>, name: &'r str) -> Done<Value<'r>> {
        if let Value::Dict(dict) = of
            && let Some(found) = dict.get(name)
        {
            return Ok(found.clone());
        }
        Ok(self.own_attribute(of, name)?.unwrap_or(Value::Undefined(name)))
    }

    /// `of[index]`
    pub(super) fn item(&mut self, of: &Value<'r>, index: &Value<'r>) -> Done<Value<'r>> {
        of.defined()?;
        let place = |length: usize| {
            let index = index_of(index)?;
            let place = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
            usize::try_from(place).ok().filter(|place| *place < length)
        };
        let found = match of {
            Value::List(list) | Value::Tuple(list) => {
                place(list.items.len()).and_then(|place| list.items.get(place).cloned())
            }
            Value::Text(text) => {
                self.charge_bytes(text.bytes())?;
                place(text.length()).map(|place| Value::Text(text.characters(place..place + 1)))
            }
            Value::Dict(dict) => dict.find(index).unwrap_or_default().cloned(),
            Value::Range(range) => {
                let number = |place: usize| range.start.saturating_add(range.step.saturating_mul(place as i64));
                place(range.length()).map(|place| Value::Integer(number(place)))
            }
            _ => None,
        };
        if let (None, Value::Text(name)) = (&found, index) {
            let content = name.content();
            // The names of attributes are few, and known.
            if let Some(name) = methods::known_attribute(&content) {
                return Ok(self.own_attribute(of, name)?.unwrap_or(Value::Undefined("")));
            }
            if let Value::Namespace(namespace) = of
                && !content.starts_with('_')
            {
                return Ok(namespace.attributes.borrow().get(&content).cloned().unwrap_or(Value::Undefined("")));
            }
        }
        Ok(found.unwrap_or(Value::Undefined("")))
    }

    /// `of[start:stop:step]`
    pub(super) fn slice(&mut self, of: &Value<'r>, bounds: [Value<'r>; 3]) -> Done<Value<'r>> {
        of.defined()?;
        let mut parts = [None; 3];
        for (part, bound) in parts.iter_mut().zip(&bounds) {
            *part =
                match bound {
                    Value::None => None,
                    Value::Long(digits) => Some(if digits.starts_with('-') { i64::MIN } else { i64::MAX }),
                    bound => Some(index_of(bound).ok_or_else(|| {
                        type_error("slice indices must be integers or None or have an __index__ method")
                    })?),
                };
        }
        let check = || if parts[2] == Some(0) { Err(value_error("slice step cannot be zero")) } else { Ok(()) };
        match of {
            Value::Text(text) => {
                check()?;
                self.charge_bytes(text.bytes())?;
                self.slice_text(text, parts).map(Value::Text)
            }
            Value::List(list) | Value::Tuple(list) => {
                check()?;
                let places = places(list.items.len(), parts);
                self.charge(places.len() / 4)?;
                let items = places.filter_map(|place| list.items.get(place).cloned()).collect();
                if matches!(of, Value::List(_)) { Value::list(items) } else { Value::tuple(items) }
            }
            Value::Range(..) => {
                check()?;
                let items = self.iterate(of)?;
                let places = places(items.len(), parts);
                Value::list(places.filter_map(|place| items.get(place).cloned()).collect())
            }
            Value::Dict(_) => Err(type_error("unhashable type: 'slice'")),
            other => Err(type_error(format!("'{}' object is not subscriptable", other.type_name()))),
        }
    }

    fn slice_text(&mut self, text: &Text<'r>, parts: [Option<i64>; 3]) -> Done<Text<'r>> {
        let places = places(text.length(), parts);
        if matches!(parts[2], None | Some(1)) {
            let content = text.content();
            let bytes = byte_of(&content, places.start)..byte_of(&content, places.start + places.len());
            return Ok(text.part(bytes));
        }
        let characters = text.each_character();
        self.charge(characters.len())?;
        let mut builder = Builder::new();
        for character in places.filter_map(|place| characters.get(place)) {
            builder.text(character);
        }
        Ok(builder.finish().markup(text.is_markup()))
    }

    /// The text with what HTML means something by written as entities, unless it is markup already.
    pub(super) fn escaped(&mut self, text: &Text<'r>) -> Done<Text<'r>> {
        if text.is_markup() {
            return Ok(text.clone());
        }
        self.charge_bytes(text.bytes() * 2)?;
        let special = |character: char| matches!(character, '&' | '<' | '>' | '\'' | '"');
        if text.pieces().iter().all(|piece| !piece.as_str().contains(special)) {
            return Ok(text.clone().markup(true));
        }
        let escape = |text: &str| {
            let mut escaped = String::with_capacity(text.len() + 16);
            for character in text.chars() {
                match character {
                    '&' => escaped.push_str("&amp;"),
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    '\'' => escaped.push_str("&#39;"),
                    '"' => escaped.push_str("&#34;"),
                    other => escaped.push(other),
                }
            }
            escaped
        };
        Ok(text.map(escape).markup(true))
    }

    /// A number printed, which is as untrusted as where it comes from.
    pub(super) fn digits(&mut self, digits: &str) -> Text<'r> {
        Text::made(digits, Origin::Given)
    }
}

/// The places of a sequence of this length that a slice selects, in its order.
pub(crate) struct Places {
    pub(crate) start: usize,
    step: i64,
    left: usize,
}

impl Places {
    pub(crate) fn len(&self) -> usize {
        self.left
    }
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let place = self.start;
        self.start = self.start.saturating_add_signed(self.step as isize);
        Some(place)
    }
}

/// The places of a slice whose step is not zero, as Python's `slice.indices`.
pub(crate) fn places(count: usize, [start, stop, step]: [Option<i64>; 3]) -> Places {
    let by = step.unwrap_or(1);
    let (count, step) = (i128::try_from(count).unwrap_or(i128::MAX), i128::from(by));
    let (low, high) = if step < 0 { (-1, count - 1) } else { (0, count) };
    let bound = |bound: i64| {
        let bound = i128::from(bound);
        (if bound < 0 { bound + count } else { bound }).clamp(low, high)
    };
    let start = start.map_or(if step < 0 { high } else { low }, bound);
    let stop = stop.map_or(if step < 0 { low } else { high }, bound);
    let left = match step {
        1.. => (stop - start + step - 1).div_euclid(step),
        _ => (start - stop - step - 1).div_euclid(-step),
    };
    let [start, left] = [start, left].map(|number| usize::try_from(number).unwrap_or_default());
    Places { start, step: by, left }
}

impl Operator {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::FloorDivide => "//",
            Operator::Remainder => "%",
            Operator::Power => "** or pow()",
        }
    }
}

fn calculated<'r>(operator: Operator, left: &Number, right: &Number) -> Done<Value<'r>> {
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        return integers(operator, *left, *right);
    }
    if matches!(left, Number::Long(_)) && !matches!(right, Number::Float(_))
        || matches!(right, Number::Long(_)) && !matches!(left, Number::Float(_))
    {
        return Err(too_long());
    }
    floats(operator, left.float(), right.float()).map(Value::Float)
}

fn integers<'r>(operator: Operator, left: i128, right: i128) -> Done<Value<'r>> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide if right == 0 => return Err(zero_division("division by zero")),
        Operator::Divide => return Ok(Value::Float(left as f64 / right as f64)),
        Operator::FloorDivide | Operator::Remainder if right == 0 => {
            return Err(zero_division("integer division or modulo by zero"));
        }
        Operator::FloorDivide => left.checked_div(right).map(|quotient| {
            let exact = quotient * right == left;
            if !exact && (left < 0) != (right < 0) { quotient - 1 } else { quotient }
        }),
        Operator::Remainder => {
            left.checked_rem(right).map(|rest| if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
        }
        Operator::Power if right < 0 => return floats(operator, left as f64, right as f64).map(Value::Float),
        Operator::Power => match left {
            0 | 1 => Some(if right == 0 { 1 } else { left }),
            -1 => Some(if right % 2 == 0 { 1 } else { -1 }),
            _ => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
        },
    };
    result.map(Value::integer).ok_or_else(too_long)
}

fn floats(operator: Operator, left: f64, right: f64) -> Done<f64> {
    Ok(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if right == 0.0 => return Err(zero_division("float division by zero")),
        Operator::Divide => left / right,
        Operator::FloorDivide | Operator::Remainder if right == 0.0 => {
            return Err(zero_division("float floor division by zero"));
        }
        Operator::FloorDivide => {
            let rest = floor_rest(left, right);
            ((left - rest) / right).round()
        }
        Operator::Remainder => floor_rest(left, right),
        Operator::Power if left == 0.0 && right < 0.0 => {
            return Err(zero_division("0.0 cannot be raised to a negative power"));
        }
        Operator::Power if left < 0.0 && right.fract() != 0.0 && right.is_finite() => {
            return Err(value_error("complex numbers are not supported"));
        }
        Operator::Power => {
            let power = left.powf(right);
            if power.is_infinite() && left.is_finite() && right.is_finite() {
                return Err(overflow("(34, 'Numerical result out of range')"));
            }
            power
        }
    })
}

/// `left % right` of floats, with the sign of the right one.
fn floor_rest(left: f64, right: f64) -> f64 {
    let rest = left % right;
    if rest == 0.0 {
        return 0.0_f64.copysign(right);
    }
    if (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
}
