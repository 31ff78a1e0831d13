//! The values of a run: what the chat holds, looked at where it is, and what the template makes of it.

use std::cell::RefCell;
use std::rc::Rc;

use super::syntax::Literal;
use super::text::Text;
use crate::python_json::Number;
use crate::template::node::{self, Node, Words};
use crate::template::python;

/// How deep a template's lists and dicts may hold one another.
const MAX_DEPTH: u32 = 16;

#[derive(Clone, Debug)]
pub(super) enum Value<'r> {
    Undefined,
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Text<'r>),
    List(Rc<List<'r>>),
    Dict(Rc<Dict<'r>>),
    /// A dict of the chat's, or of a variable.
    Given(&'r Node<'r>),
    Namespace(Rc<RefCell<Members<'r>>>),
    /// A macro, by its place among those of the program.
    Macro(usize),
}

/// Values by their names.
pub(super) type Members<'r> = Vec<(&'r str, Value<'r>)>;

#[derive(Clone, Debug, Default)]
pub(super) struct List<'r> {
    pub(super) items: Vec<Value<'r>>,
    /// How deep the items are nested.
    depth: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Dict<'r> {
    pub(super) members: Members<'r>,
    depth: u32,
}

impl<'r> List<'r> {
    /// The list; none where its items are nested too deep, or cannot be held.
    pub(super) fn of(items: Vec<Value<'r>>) -> Option<Self> {
        let mut depth = 0;
        for item in &items {
            depth = depth.max(item.depth()?);
        }
        Some(List { items, depth })
    }

    pub(super) fn push(&mut self, item: Value<'r>) -> Option<()> {
        self.depth = self.depth.max(item.depth()?);
        self.items.push(item);
        Some(())
    }
}

impl<'r> Dict<'r> {
    pub(super) fn of(members: Members<'r>) -> Option<Self> {
        let mut depth = 0;
        for (_, value) in &members {
            depth = depth.max(value.depth()?);
        }
        Some(Dict { members, depth })
    }
}

impl<'r> Value<'r> {
    /// How deep this is nested where something holds it; none where nothing may.
    fn depth(&self) -> Option<u32> {
        let inner = match self {
            Value::List(list) => list.depth,
            Value::Dict(dict) => dict.depth,
            Value::Namespace(_) | Value::Macro(_) => return None,
            _ => 0,
        };
        (inner < MAX_DEPTH).then_some(inner + 1)
    }

    pub(super) fn literal(literal: &'r Literal) -> Self {
        match literal {
            Literal::None => Value::None,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Integer(number) => Value::Integer(*number),
            Literal::Text(text) => Value::template(text),
        }
    }

    pub(super) fn list(items: impl IntoIterator<Item = Value<'r>>) -> Option<Self> {
        Some(Value::List(Rc::new(List::of(items.into_iter().collect())?)))
    }

    pub(super) fn dict(members: Members<'r>) -> Option<Self> {
        Some(Value::Dict(Rc::new(Dict::of(members)?)))
    }

    pub(super) fn template(text: &'r str) -> Self {
        Value::Text(Text::template(text))
    }

    fn chat(text: &'r str) -> Self {
        Value::Text(Text::chat(text))
    }

    pub(super) fn words(words: &'r Words<'r>) -> Self {
        match words {
            Words::Own(text) => Value::template(text),
            Words::Sent(text) => Value::chat(text),
        }
    }

    /// A value of the chat's; none where only the engine has such values.
    pub(super) fn of(node: &'r Node<'r>) -> Option<Self> {
        match node {
            Node::Null => Some(Value::None),
            Node::Bool(value) => Some(Value::Bool(*value)),
            Node::Number(Number::Integer(digits)) => digits.parse().ok().map(Value::Integer),
            Node::Number(number) => Some(Value::Float(number.value())),
            Node::Text(words) => Some(Value::words(words)),
            Node::List(items) => Value::list_of(items.iter().map(Value::of)),
            Node::Dict(_) => Some(Value::Given(node)),
        }
    }

    /// A list of what may be missing; none where it is.
    fn list_of(items: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        Value::list(items.collect::<Option<Vec<_>>>()?)
    }

    /// The member of a dict of the chat's, undefined where it has none of this name.
    pub(super) fn member_of(given: &'r Node<'r>, key: &str) -> Option<Self> {
        let Node::Dict(members) = given else { return None };
        node::member(members, key).map_or(Some(Value::Undefined), Value::of)
    }
}

/// A number as Python prints it.
pub(super) fn number_text<'r>(number: &Value<'_>) -> Option<Text<'r>> {
    match number {
        Value::Integer(number) => Some(Text::made(number.to_string())),
        Value::Float(number) => {
            let mut text = String::new();
            python::display(&minijinja::Value::from(*number), &mut text, usize::MAX).ok()?;
            Some(Text::made(text))
        }
        _ => None,
    }
}
