//! The rows that most data sets hold, in one pass: a list of messages, each a role and a text, and nothing beside it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::Name;
use super::{Row, RowField};
use crate::chat::{Content, Message};

/// Reads a plain row; `None` for any other, and for what is not a row.
pub(super) fn read(json: &str) -> Option<Row<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let row = deserializer.deserialize_map(Plain).ok()?;
    deserializer.end().ok()?;
    Some(row)
}

/// What makes a row one that is not plain; nobody sees it.
fn other<E: de::Error>() -> E {
    E::custom("not plain")
}

struct Plain;

impl<'de> Visitor<'de> for Plain {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain row")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row<'de>, M::Error> {
        let mut row = Row::default();
        while let Some(name) = map.next_key_seed(Name::default())? {
            match &*name {
                "messages" | "conversations" if row.chat.messages.is_empty() => {
                    row.chat.messages = map.next_value_seed(Messages)?;
                }
                // Settings, and whatever else a shape has a place for.
                "reasoning_effort" | "response_format" | "tool_choice" | "parallel_tool_calls" => return Err(other()),
                known if RowField::from_name(known).is_some() => return Err(other()),
                _ => row.columns.push((name, map.next_value::<&RawValue>()?.get())),
            }
        }
        if row.chat.messages.is_empty() {
            return Err(other());
        }
        row.marks = vec![None; row.chat.messages.len()];
        Ok(row)
    }
}

struct Messages;

impl<'de> DeserializeSeed<'de> for Messages {
    type Value = Vec<Message<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages {
    type Value = Vec<Message<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of plain messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut messages = Vec::new();
        while let Some(message) = list.next_element_seed(Said)? {
            messages.push(message);
        }
        Ok(messages)
    }
}

struct Said;

impl<'de> DeserializeSeed<'de> for Said {
    type Value = Message<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Said {
    type Value = Message<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain message")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Message<'de>, M::Error> {
        let (mut role, mut text) = (None::<Cow<'de, str>>, None::<Cow<'de, str>>);
        while let Some(name) = map.next_key_seed(Name::default())? {
            let field = match &*name {
                "role" | "from" => &mut role,
                "content" | "value" => &mut text,
                _ => return Err(other()),
            };
            if field.replace(map.next_value_seed(Name::default())?).is_some() {
                return Err(other());
            }
        }
        let (Some(role), Some(text)) = (role, text) else { return Err(other()) };
        match &*role {
            "user" | "human" => Ok(Message::User(Content::Text(text))),
            "assistant" | "gpt" => Ok(Message::assistant(text)),
            "system" => Ok(Message::System(Content::Text(text))),
            _ => Err(other()),
        }
    }
}
