//! What expressions come to.

use std::cell::RefCell;
use std::rc::Rc;

use super::run::{Loop, Run};
use super::syntax::{Ends, Expression, Filter, LoopField, Operator, Test};
use super::text::{Piece, Text, bounds};
use super::value::{List, Members, Value, number_text};
use crate::template::node::{Node, member};
use crate::template::python::is_space;
use crate::template::{engine, methods};

impl<'r> Run<'r> {
    pub(super) fn value(&mut self, expression: &'r Expression) -> Option<Value<'r>> {
        self.charge(1)?;
        match expression {
            Expression::Literal(literal) => Some(Value::literal(literal)),
            Expression::Name(name) => self.name(*name),
            Expression::Loop(field) => self.loop_field(*field),
            Expression::List(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| self.value(item)).collect();
                Value::list(items?)
            }
            Expression::Dict(members) => Value::dict(self.members(members)?),
            Expression::Namespace(attributes) => {
                let attributes = self.members(attributes)?;
                let held = attributes.iter().all(|(_, value)| value.may_be_passed());
                held.then(|| Value::Namespace(Rc::new(RefCell::new(attributes))))
            }
            Expression::Member(of, key) => {
                let of = self.value(of)?;
                self.member_of(of, key)
            }
            Expression::Index(of, index) => {
                let (of, index) = (self.value(of)?, self.value(index)?);
                item(&of, &index)
            }
            Expression::Slice(of, range) => match self.value(of)? {
                Value::List(list) => {
                    self.charge(list.items.len())?;
                    let taken = list.items.get(bounds(list.items.len(), *range))?;
                    Value::list(taken.iter().cloned())
                }
                Value::Text(text) => {
                    self.charge(text.bytes() / 64)?;
                    text.slice(*range).map(Value::Text)
                }
                _ => None,
            },
            Expression::Not(value) => self.holds(value).map(|holds| Value::Bool(!holds)),
            Expression::Binary(operator, operands) => self.binary(*operator, operands),
            Expression::If(parts) => {
                let [condition, value, otherwise] = &**parts;
                if self.holds(condition)? { self.value(value) } else { self.value(otherwise) }
            }
            Expression::Is(test, value) => {
                let value = self.value(value)?;
                is(*test, &value).map(Value::Bool)
            }
            Expression::Filter(filter, value) => {
                let value = self.value(value)?;
                self.filter(filter, value)
            }
            Expression::Call(name, arguments) => self.called(*name, arguments).map(Value::Text),
            Expression::Get(operands, key) => {
                let [of, default] = &**operands;
                let found = match self.value(of)? {
                    of @ (Value::Given(_) | Value::Dict(_)) => self.member_of(of, key)?,
                    _ => return None,
                };
                if matches!(found, Value::Undefined) { self.value(default) } else { Some(found) }
            }
            Expression::StartsWith(operands) => self.texts(operands, |text, start| text.starts_with(start)),
            Expression::EndsWith(operands) => self.texts(operands, |text, end| text.ends_with(end)),
            Expression::Undefined => Some(Value::Undefined),
            Expression::Unknown => None,
        }
    }

    /// Is what the expression comes to true?
    pub(super) fn holds(&mut self, condition: &'r Expression) -> Option<bool> {
        is_true(&self.value(condition)?)
    }

    fn members(&mut self, members: &'r [(Box<str>, Expression)]) -> Option<Members<'r>> {
        members.iter().map(|(key, value)| Some((&**key, self.value(value)?))).collect()
    }

    fn loop_field(&self, field: LoopField) -> Option<Value<'r>> {
        let Loop { list, index } = self.innermost_loop()?;
        let number = |number: usize| i64::try_from(number).ok().map(Value::Integer);
        let item = |place: Option<usize>| {
            Some(place.and_then(|place| list.items.get(place)).map_or(Value::Undefined, Value::clone))
        };
        match field {
            LoopField::Index => number(index + 1),
            LoopField::Index0 => number(*index),
            LoopField::First => Some(Value::Bool(*index == 0)),
            LoopField::Last => Some(Value::Bool(index + 1 == list.items.len())),
            LoopField::Length => number(list.items.len()),
            LoopField::Previous => item(index.checked_sub(1)),
            LoopField::Next => item(Some(index + 1)),
        }
    }

    fn member_of(&mut self, of: Value<'r>, key: &str) -> Option<Value<'r>> {
        match of {
            Value::Given(given) => {
                let value = Value::member_of(given, key)?;
                if let Value::List(made) = &value {
                    self.charge(made.items.len())?;
                }
                Some(value)
            }
            Value::Dict(dict) => Some(of_members(&dict.members, key)),
            Value::Namespace(attributes) => Some(of_members(&attributes.borrow(), key)),
            Value::Text(_) | Value::None | Value::Bool(_) | Value::Integer(_) | Value::List(_) => {
                Some(Value::Undefined)
            }
            _ => None,
        }
    }

    fn binary(&mut self, operator: Operator, operands: &'r [Expression; 2]) -> Option<Value<'r>> {
        let [left, right] = operands;
        let left = self.value(left)?;
        if matches!(operator, Operator::And | Operator::Or) {
            let decides = is_true(&left)? == (operator == Operator::Or);
            return if decides { Some(left) } else { self.value(right) };
        }
        let right = self.value(right)?;
        let number = |number: Option<i64>| number.map(Value::Integer);
        let truth = |truth: bool| Some(Value::Bool(truth));
        match (operator, left, right) {
            (Operator::Equal, left, right) => truth(self.equal(&left, &right)?),
            (Operator::NotEqual, left, right) => truth(!self.equal(&left, &right)?),
            (Operator::In, left, right) => truth(self.contains(&right, &left)?),
            (Operator::NotIn, left, right) => truth(!self.contains(&right, &left)?),
            (Operator::Less, Value::Integer(left), Value::Integer(right)) => truth(left < right),
            (Operator::LessOrEqual, Value::Integer(left), Value::Integer(right)) => truth(left <= right),
            (Operator::Greater, Value::Integer(left), Value::Integer(right)) => truth(left > right),
            (Operator::GreaterOrEqual, Value::Integer(left), Value::Integer(right)) => truth(left >= right),
            (Operator::Add, left, right) => self.add(left, right),
            (Operator::Subtract, Value::Integer(left), Value::Integer(right)) => number(left.checked_sub(right)),
            (Operator::Remainder, Value::Integer(left), Value::Integer(right)) if left >= 0 && right > 0 => {
                number(left.checked_rem(right))
            }
            (Operator::Concatenate, left, right) => self.join_two(&as_text(left)?, &as_text(right)?),
            _ => None,
        }
    }

    fn equal(&mut self, one: &Value<'r>, other: &Value<'r>) -> Option<bool> {
        if let (Value::Text(one), Value::Text(other)) = (one, other) {
            self.charge(one.bytes().min(other.bytes()) / 64)?;
        }
        equal(one, other)
    }

    fn contains(&mut self, container: &Value<'r>, value: &Value<'r>) -> Option<bool> {
        match (container, value) {
            (Value::List(list), value) => {
                for item in &list.items {
                    self.charge(1)?;
                    if self.equal(item, value)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            (Value::Text(text), Value::Text(part)) => {
                self.charge(text.bytes() / 64)?;
                Some(text.content().contains(&*part.content()))
            }
            (container @ (Value::Given(_) | Value::Dict(_)), Value::Text(key)) => {
                let member = self.member_of(container.clone(), &key.content())?;
                Some(!matches!(member, Value::Undefined))
            }
            _ => None,
        }
    }

    /// A question about two texts.
    fn texts(&mut self, operands: &'r [Expression; 2], ask: fn(&str, &str) -> bool) -> Option<Value<'r>> {
        let [one, other] = operands;
        let (Value::Text(one), Value::Text(other)) = (self.value(one)?, self.value(other)?) else { return None };
        self.charge(one.bytes() / 64)?;
        Some(Value::Bool(ask(&one.content(), &other.content())))
    }

    fn filter(&mut self, filter: &'r Filter, value: Value<'r>) -> Option<Value<'r>> {
        match (filter, value) {
            (Filter::Default(otherwise), Value::Undefined) => Some(Value::literal(otherwise)),
            (Filter::Default(_), value) => Some(value),
            (Filter::ToJson, value) => {
                let json = self.input.json(&value, self.budget())?;
                self.charge(json.len() / 64)?;
                Some(Value::Text(Text::made(json)))
            }
            (filter, Value::Text(text)) => self.filter_text(filter, text),
            (filter, Value::List(list)) => self.filter_list(filter, list),
            (Filter::Text, number) => number_text(&number).map(Value::Text),
            (Filter::Items, Value::Given(Node::Dict(members))) => {
                self.charge(members.len())?;
                let pair = |(key, value): &'r (_, Node<'r>)| Value::list([Value::words(key), Value::of(value)?]);
                Value::list(members.iter().map(pair).collect::<Option<Vec<_>>>()?)
            }
            (Filter::Items, Value::Dict(dict)) => {
                let pair = |(key, value): &(&'r str, Value<'r>)| Value::list([Value::template(key), value.clone()]);
                let pairs: Option<Vec<_>> = dict.members.iter().map(pair).collect();
                Value::list(pairs?)
            }
            _ => None,
        }
    }

    fn filter_text(&mut self, filter: &'r Filter, text: Text<'r>) -> Option<Value<'r>> {
        self.charge(text.bytes() / 64)?;
        let number = || minijinja::Value::from(text.content());
        // Of the template's own letters others could come that spell a control token.
        let changed = |change: fn(&str) -> String| {
            (!text.is_templates_in_part()).then(|| Value::Text(Text::made(change(&text.content()))))
        };
        match filter {
            Filter::Length => i64::try_from(text.characters()).ok().map(Value::Integer),
            Filter::Trim(ends, set) => {
                let drop = |character: char| match set {
                    Some(set) => set.contains(character),
                    None => is_space(character),
                };
                let text = if *ends == Ends::End { text } else { text.trimmed_start(drop) };
                Some(Value::Text(if *ends == Ends::Start { text } else { text.trimmed_end(drop) }))
            }
            Filter::Safe | Filter::Text => Some(Value::Text(text)),
            Filter::Integer => {
                engine::to_integer(&number(), 10).map_or(Some(0), |number| number.as_i64()).map(Value::Integer)
            }
            Filter::Float => Some(Value::Float(engine::to_float(&number()).unwrap_or(0.0))),
            Filter::Upper => changed(str::to_uppercase),
            Filter::Lower => changed(str::to_lowercase),
            Filter::Capitalized => changed(methods::capitalize),
            Filter::Title => changed(engine::title_words),
            Filter::Split(separator) => {
                let parts = text.split(separator)?;
                self.charge(parts.len())?;
                Value::list(parts.into_iter().map(Value::Text))
            }
            _ => None,
        }
    }

    fn filter_list(&mut self, filter: &'r Filter, list: Rc<List<'r>>) -> Option<Value<'r>> {
        let item = |item: Option<&Value<'r>>| Some(item.cloned().unwrap_or(Value::Undefined));
        match filter {
            Filter::Length => i64::try_from(list.items.len()).ok().map(Value::Integer),
            Filter::Join(separator) => self.join(&list.items, separator),
            Filter::List => Some(Value::List(list)),
            Filter::First => item(list.items.first()),
            Filter::Last => item(list.items.last()),
            Filter::Reversed => {
                self.charge(list.items.len())?;
                Value::list(list.items.iter().rev().cloned())
            }
            Filter::SelectEqual(key, value) => {
                self.charge(list.items.len())?;
                let value = Value::literal(value);
                let mut selected = Vec::new();
                for item in &list.items {
                    let member = self.member_of(item.clone(), key)?;
                    if self.equal(&member, &value)? {
                        selected.push(item.clone());
                    }
                }
                Value::list(selected)
            }
            _ => None,
        }
    }

    fn join(&mut self, items: &[Value<'r>], separator: &'r str) -> Option<Value<'r>> {
        let mut pieces = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let Value::Text(text) = item else { return None };
            self.charge(text.pieces().len())?;
            if place > 0 {
                pieces.push(Piece::Template(separator));
            }
            pieces.extend(text.pieces().iter().cloned());
        }
        Some(Value::Text(Text::joined(pieces)))
    }
}

fn is_true(value: &Value<'_>) -> Option<bool> {
    Some(match value {
        Value::Undefined | Value::None => false,
        Value::Bool(value) => *value,
        Value::Integer(number) => *number != 0,
        Value::Text(text) => !text.is_empty(),
        Value::List(list) => !list.items.is_empty(),
        Value::Dict(dict) => !dict.members.is_empty(),
        Value::Given(given) => !matches!(given, Node::Dict(members) if members.is_empty()),
        Value::Float(_) | Value::Namespace(_) | Value::Macro(_) => return None,
    })
}

fn of_members<'r>(members: &[(&'r str, Value<'r>)], key: &str) -> Value<'r> {
    members.iter().find(|(known, _)| *known == key).map_or(Value::Undefined, |(_, value)| value.clone())
}

/// The item at an index, from the end for a negative one.
fn item<'r>(of: &Value<'r>, index: &Value<'r>) -> Option<Value<'r>> {
    let (Value::List(list), Value::Integer(index)) = (of, index) else { return None };
    let length = i64::try_from(list.items.len()).ok()?;
    let place = if *index < 0 { length.checked_add(*index)? } else { *index };
    let item = usize::try_from(place).ok().and_then(|place| list.items.get(place));
    Some(item.cloned().unwrap_or(Value::Undefined))
}

/// A value as `~` joins it.
fn as_text(value: Value<'_>) -> Option<Text<'_>> {
    match value {
        Value::Text(text) => Some(text),
        number => number_text(&number),
    }
}

fn equal(one: &Value<'_>, other: &Value<'_>) -> Option<bool> {
    Some(match (one, other) {
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::Integer(one), Value::Integer(other)) => one == other,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::None, Value::None) => true,
        (Value::Given(one), Value::Given(other)) => return same(one, other),
        (Value::Undefined, Value::Undefined) => true,
        (Value::Undefined, _) | (_, Value::Undefined) => false,
        (Value::None, _) | (_, Value::None) => false,
        (Value::Text(_), Value::Integer(_) | Value::Bool(_)) | (Value::Integer(_) | Value::Bool(_), Value::Text(_)) => {
            false
        }
        (Value::Text(_), Value::List(_) | Value::Dict(_) | Value::Given(_))
        | (Value::List(_) | Value::Dict(_) | Value::Given(_), Value::Text(_)) => false,
        _ => return None,
    })
}

/// Are the two dicts of the chat's the same, as far as that is certain?
fn same(one: &Node<'_>, other: &Node<'_>) -> Option<bool> {
    let (Node::Dict(members), Node::Dict(others)) = (one, other) else { return None };
    let differs = |key: &str| {
        matches!((member(members, key), member(others, key)), (Some(Node::Text(one)), Some(Node::Text(other)))
            if one.as_str() != other.as_str())
    };
    match () {
        () if std::ptr::eq(one, other) => Some(true),
        () if members.len() != others.len() || differs("role") || differs("content") => Some(false),
        () => None,
    }
}

fn is(test: Test, value: &Value<'_>) -> Option<bool> {
    if matches!(value, Value::Namespace(_) | Value::Macro(_)) {
        return None;
    }
    Some(match test {
        Test::Defined => !matches!(value, Value::Undefined),
        Test::Undefined => matches!(value, Value::Undefined),
        Test::None => matches!(value, Value::None),
        Test::Text => matches!(value, Value::Text(_)),
        Test::Mapping => matches!(value, Value::Dict(_) | Value::Given(_)),
        Test::Sequence => match value {
            Value::Text(_) | Value::List(_) | Value::Dict(_) | Value::Given(_) => true,
            Value::None | Value::Bool(_) | Value::Integer(_) => false,
            _ => return None,
        },
        Test::Iterable => match value {
            Value::Text(_) | Value::List(_) | Value::Dict(_) | Value::Given(_) => true,
            Value::None | Value::Bool(_) | Value::Integer(_) => false,
            _ => return None,
        },
        Test::True => matches!(value, Value::Bool(true)),
        Test::False => matches!(value, Value::Bool(false)),
    })
}

impl Value<'_> {
    /// May a macro be given it, or something hold it?
    pub(super) fn may_be_passed(&self) -> bool {
        !matches!(self, Value::Namespace(_) | Value::Macro(_))
    }
}
