//! The chat view into the values of the machine.

use super::chat_view::ChatView;
use super::node::{Members, Node, Words};
use super::render::CONTINUE_TAG;
use crate::jinja::{Context, Done, Origin, Text, Value};
use crate::python::json::Number;

impl<'r> Context<'r> for ChatView<'r> {
    fn variable(&'r self, name: &str) -> Done<Option<Value<'r>>> {
        let Some(node) = self.variable(name) else { return Ok(None) };
        match (name, node, &self.continued) {
            ("messages", Node::List(messages), Some(_)) => self.continued_messages(messages).map(Some),
            _ => value(node).map(Some),
        }
    }

    fn now(&self) -> Option<i64> {
        self.clock.map(|clock| clock().seconds())
    }
}

impl<'r> ChatView<'r> {
    /// The messages, of which the last has the tag at the end of what is to be continued.
    fn continued_messages(&'r self, messages: &'r [Node<'r>]) -> Done<Value<'r>> {
        let mut values = messages.iter().map(value).collect::<Done<Vec<_>>>()?;
        if let (Some(Node::Dict(members)), Some(last)) = (messages.last(), values.last_mut()) {
            let tagged = members.iter().map(|(key, node)| Ok((text(key), self.tagged(key.as_str(), node)?)));
            *last = Value::dict(tagged.collect::<Done<Vec<_>>>()?)?;
        }
        Value::list(values)
    }

    /// A member of the last message.
    fn tagged(&'r self, field: &str, node: &'r Node<'r>) -> Done<Value<'r>> {
        let Some(continued) = &self.continued else { return value(node) };
        let with_tag = |node: &'r Node<'r>| match value(node)? {
            Value::Text(text) => Ok(Value::Text(text.then(&Text::made(CONTINUE_TAG, Origin::Given)))),
            other => Ok(other),
        };
        match node {
            Node::List(chunks) => {
                let chunks = chunks.iter().enumerate().map(|(place, chunk)| match chunk {
                    Node::Dict(members) if continued.is_in(field, Some(place)) => {
                        let members = members.iter().map(|(key, node)| match key.as_str() {
                            "text" => Ok((text(key), with_tag(node)?)),
                            _ => Ok((text(key), value(node)?)),
                        });
                        Value::dict(members.collect::<Done<Vec<_>>>()?)
                    }
                    chunk => value(chunk),
                });
                Value::list(chunks.collect::<Done<_>>()?)
            }
            node if continued.is_in(field, None) => with_tag(node),
            node => value(node),
        }
    }
}

fn text<'r>(words: &'r Words<'r>) -> Value<'r> {
    match words {
        Words::Own(text) => Value::template(text),
        Words::Sent(text) => Value::given(text),
    }
}

fn dict<'r>(members: &'r Members<'r>) -> Done<Value<'r>> {
    let mut dict = Vec::with_capacity(members.len());
    for (key, node) in members {
        dict.push((text(key), value(node)?));
    }
    Value::dict_of_texts(dict)
}

/// The value of a node.
fn value<'r>(node: &'r Node<'r>) -> Done<Value<'r>> {
    Ok(match node {
        Node::Null => Value::None,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(Number::Integer(digits)) => {
            digits.parse().map_or_else(|_| Value::Long((*digits).into()), Value::Integer)
        }
        Node::Number(number) => Value::Float(number.value()),
        Node::Text(words) => text(words),
        Node::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(value(item)?);
            }
            Value::list(list)?
        }
        Node::Dict(members) => dict(members)?,
    })
}
