//! The chat view into the engine's own values, each untrusted text marked.

use std::borrow::Cow;

use minijinja::value::Value;

use super::chat_view::Continued;
use super::node::{Members, Node, Words};
use super::object::{Dict, List, LongInteger};
use crate::control::Control;
use crate::marking::Mark;
use crate::python_json::Number;

/// How untrusted text is marked on its way through a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Marking {
    /// Not at all.
    None,
    /// Where a control literal could form.
    Brackets(Mark),
    /// There, and at both ends.
    Ends(Mark),
    /// Only where a text spells a literal, or begins or ends inside of one.
    Literals(Mark),
}

impl Marking {
    /// The text with marks; none where it stays as it is.
    pub(super) fn marked<'t>(self, text: &'t str) -> Option<Cow<'t, str>> {
        match self {
            Marking::None => None,
            Marking::Brackets(mark) => match mark.mark(text) {
                Cow::Borrowed(_) => None,
                marked => Some(marked),
            },
            Marking::Literals(mark) => mark_literals(text, mark).map(Cow::Owned),
            Marking::Ends(_) if text.is_empty() => None,
            Marking::Ends(mark) => {
                let inner = text.trim();
                let (mark_at, marked) = (mark.character(), mark.mark(inner));
                let start = text.len() - text.trim_start().len();
                let (before, rest) = text.split_at_checked(start).unwrap_or(("", text));
                let after = rest.get(inner.len()..).unwrap_or_default();
                Some(Cow::Owned(format!("{before}{mark_at}{marked}{mark_at}{after}")))
            }
        }
    }
}

/// Marks each bracket that begins a literal, or would with more text, and the one that ends what may be half of one.
fn mark_literals(text: &str, mark: Mark) -> Option<String> {
    let mut marked = String::new();
    let mut rest = text;
    if let Some(close) = text.find([']', '>']) {
        let head = text.get(..=close).unwrap_or_default();
        if Control::all().any(|control| control.as_str().ends_with(head)) {
            marked.extend([text.get(..close).unwrap_or_default(), mark.character().encode_utf8(&mut [0; 4])]);
            rest = text.get(close..).unwrap_or_default();
        }
    } else if let Cow::Owned(inside) = mark.mark(text)
        && !text.contains(['[', '<'])
    {
        return Some(inside);
    }
    let mut searched = 0;
    while let Some(found) = rest.get(searched..).and_then(|tail| tail.find(['[', '<'])) {
        searched += found + 1;
        let (head, tail) = rest.split_at_checked(searched - 1).unwrap_or((rest, ""));
        let meets = |control: Control| tail.starts_with(control.as_str()) || control.as_str().starts_with(tail);
        if Control::all().any(meets) {
            marked.push_str(head);
            marked.push_str(tail.get(..1).unwrap_or_default());
            marked.push(mark.character());
            rest = tail.get(1..).unwrap_or_default();
            searched = 0;
        }
    }
    if marked.is_empty() {
        return None;
    }
    marked.push_str(rest);
    Some(marked)
}

/// Makes the values of one render.
pub(super) struct Values<'r> {
    pub(super) marking: Marking,
    /// What is to be continued, and what is added to it, so that the prompt can be cut there.
    pub(super) continued: Option<(&'r Continued, char)>,
}

impl Values<'_> {
    /// The values of texts that need no marks.
    pub(super) const UNMARKED: Values<'static> = Values { marking: Marking::None, continued: None };

    fn text(&self, words: &Words<'_>) -> Value {
        match words {
            Words::Own(text) => Value::from(*text),
            Words::Sent(text) => self.marking.marked(text).map_or_else(|| Value::from(&**text), Value::from),
        }
    }

    pub(super) fn value(&self, node: &Node<'_>) -> Value {
        match node {
            Node::Null => Value::from(()),
            Node::Bool(value) => Value::from(*value),
            Node::Number(number) => number_value(*number),
            Node::Text(words) => self.text(words),
            Node::List(items) => list(items.iter().map(|item| self.value(item))),
            Node::Dict(members) => self.dict(members, |_, value| self.value(value)),
        }
    }

    fn dict(&self, members: &Members<'_>, value: impl Fn(&str, &Node<'_>) -> Value) -> Value {
        let mut unmarked = Vec::new();
        let values = members.iter().enumerate().map(|(place, (key, member))| {
            let marked = match key {
                Words::Own(_) => None,
                Words::Sent(key) => self.marking.marked(key),
            };
            let marked = match marked {
                Some(marked) => {
                    unmarked.push((key.as_str().into(), place));
                    Value::from(marked)
                }
                None => Value::from(key.as_str()),
            };
            (marked, value(key.as_str(), member))
        });
        let values = values.collect();
        Value::from_object(Dict::new(values, unmarked))
    }

    /// The messages, and in the last of them a tag behind what is to be continued.
    pub(super) fn messages(&self, messages: &Node<'_>) -> Value {
        let (Some((continued, tag)), Node::List(messages)) = (self.continued, messages) else {
            return self.value(messages);
        };
        let last = messages.len().saturating_sub(1);
        let tagged = |words: &Words<'_>| {
            let text = self.text(words);
            Value::from(format!("{}{tag} ", text.as_str().unwrap_or_default()))
        };
        let member = |field: &str, value: &Node<'_>| match value {
            Node::Text(words) if continued.is_in(field, None) => tagged(words),
            Node::List(chunks) => list(chunks.iter().enumerate().map(|(place, chunk)| match chunk {
                Node::Dict(members) if continued.is_in(field, Some(place)) => {
                    self.dict(members, |key, value| match (key, value) {
                        ("text", Node::Text(words)) => tagged(words),
                        (_, value) => self.value(value),
                    })
                }
                chunk => self.value(chunk),
            })),
            value => self.value(value),
        };
        list(messages.iter().enumerate().map(|(place, message)| match message {
            Node::Dict(members) if place == last => self.dict(members, member),
            message => self.value(message),
        }))
    }
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from_object(List::new(items.into_iter().collect()))
}

fn number_value(number: Number<'_>) -> Value {
    match number {
        Number::Integer(digits) => {
            let small = digits.parse::<i64>().map(Value::from);
            small
                .or_else(|_| digits.parse::<i128>().map(Value::from))
                .unwrap_or_else(|_| Value::from_object(LongInteger(digits.into())))
        }
        Number::Float(_) | Number::NotFinite(_) => Value::from(number.value()),
    }
}
