//! JSON into a tree of its values, borrowing the text: what a template is shown, before the machine makes its own values of it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::python::json::{JsonError, Number, Reader, Token};
use crate::render::check::unkeepable;

/// How deep JSON may be nested for a template to see it.
const MAX_DEPTH: usize = 120;

/// From this many members on, equal keys are looked for by search and not one by one.
const INDEXED_FROM: usize = 17;

/// A text, and whose it is.
#[derive(Clone, Debug)]
pub(super) enum Words<'v> {
    /// The template's, the tokenizer's or this library's: the name of a field, a role, a special token.
    Own(&'v str),
    /// The client's, in which no control token can be spelt.
    Sent(Cow<'v, str>),
}

impl Words<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Words::Own(text) => text,
            Words::Sent(text) => text,
        }
    }

    /// How many bytes of it are the client's.
    fn sent_bytes(&self) -> usize {
        match self {
            Words::Own(_) => 0,
            Words::Sent(text) => text.len(),
        }
    }
}

/// One value.
#[derive(Clone, Debug)]
pub(super) enum Node<'v> {
    Null,
    Bool(bool),
    Number(Number<'v>),
    Text(Words<'v>),
    List(Vec<Node<'v>>),
    Dict(Members<'v>),
}

/// A dict's members in their order, no key twice.
pub(super) type Members<'v> = Vec<(Words<'v>, Node<'v>)>;

/// The member of this key.
pub(super) fn member<'n, 'v>(members: &'n [(Words<'v>, Node<'v>)], key: &str) -> Option<&'n Node<'v>> {
    members.iter().find(|(known, _)| known.as_str() == key).map(|(_, value)| value)
}

impl<'v> Node<'v> {
    pub(super) const fn own(text: &'v str) -> Self {
        Node::Text(Words::Own(text))
    }

    pub(super) fn sent(text: impl Into<Cow<'v, str>>) -> Self {
        Node::Text(Words::Sent(text.into()))
    }

    pub(super) fn dict(members: impl IntoIterator<Item = (&'v str, Node<'v>)>) -> Self {
        Node::Dict(members.into_iter().map(|(key, value)| (Words::Own(key), value)).collect())
    }

    /// The value of a whole document, as Python reads it.
    pub(super) fn from_json(json: &'v str) -> Result<Self, Error> {
        if let Some(error) = unkeepable(json) {
            return Err(unreadable(error));
        }
        let mut reader = Reader::new(json);
        let first = reader.next_token().map_err(unreadable)?;
        let node = Node::read(json, &mut reader, first)?;
        match reader.next_token().map_err(unreadable)? {
            Token::End => Ok(node),
            _ => Ok(Node::Null),
        }
    }

    /// The value that begins with this token.
    pub(super) fn read(json: &'v str, reader: &mut Reader<'v>, first: Token) -> Result<Self, Error> {
        let mut open: Vec<Open<'v>> = Vec::new();
        let mut token = first;
        loop {
            let value = match token {
                Token::ObjectStart | Token::ArrayStart if open.len() == MAX_DEPTH => {
                    let found = MAX_DEPTH + 1;
                    return Err(Error::new(
                        ErrorKind::TemplateLimit { what: "levels of JSON", found, limit: MAX_DEPTH },
                        "",
                    ));
                }
                Token::ObjectStart => {
                    open.push(Open::Dict(Vec::new(), Cow::Borrowed("")));
                    None
                }
                Token::ArrayStart => {
                    open.push(Open::List(Vec::new()));
                    None
                }
                Token::Key => {
                    if let Some(Open::Dict(_, key)) = open.last_mut() {
                        *key = reader.string().decode();
                    }
                    None
                }
                Token::ObjectEnd | Token::ArrayEnd => match open.pop() {
                    Some(Open::Dict(members, _)) => Some(Node::Dict(last_of_each(members))),
                    Some(Open::List(items)) => Some(Node::List(items)),
                    None => None,
                },
                Token::String => Some(Node::sent(reader.string().decode())),
                Token::Integer | Token::Float | Token::NotFinite => Some(Node::Number(reader.number(token))),
                Token::Bool => Some(Node::Bool(json.get(reader.span()) == Some("true"))),
                Token::Null | Token::End => Some(Node::Null),
            };
            if let Some(value) = value {
                match open.last_mut() {
                    Some(Open::Dict(members, key)) => members.push((Words::Sent(std::mem::take(key)), value)),
                    Some(Open::List(items)) => items.push(value),
                    None => return Ok(value),
                }
            }
            token = reader.next_token().map_err(unreadable)?;
        }
    }

    /// How many values it is made of, itself included, and how many bytes the client's texts have.
    pub(super) fn size(&self) -> (usize, usize) {
        let both = |(values, bytes): (usize, usize), (more, text): (usize, usize)| (values + more, bytes + text);
        match self {
            Node::Null | Node::Bool(_) | Node::Number(_) => (1, 0),
            Node::Text(words) => (1, words.sent_bytes()),
            Node::List(items) => items.iter().map(Node::size).fold((1, 0), both),
            Node::Dict(members) => {
                let sizes = members.iter().map(|(key, value)| both((1, key.sent_bytes()), value.size()));
                sizes.fold((1, 0), both)
            }
        }
    }
}

pub(super) fn unreadable(error: JsonError) -> Error {
    Error::new(ErrorKind::JsonValue, "").because(error)
}

/// A container whose end has not come.
enum Open<'v> {
    /// The members, and the key of the next one.
    Dict(Members<'v>, Cow<'v, str>),
    List(Vec<Node<'v>>),
}

/// Of equal keys the last value stands at the first place, as in Python.
fn last_of_each(members: Members<'_>) -> Members<'_> {
    let is_known =
        |place: usize, key: &Words<'_>| members.iter().take(place).any(|(known, _)| known.as_str() == key.as_str());
    if members.len() < INDEXED_FROM && !members.iter().enumerate().any(|(place, (key, _))| is_known(place, key)) {
        return members;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(members.len());
    let mut unique: Members<'_> = Vec::with_capacity(members.len());
    for (key, value) in members {
        match places.get(key.as_str()).and_then(|place| unique.get_mut(*place)) {
            Some(member) => member.1 = value,
            None => {
                places.insert(key.as_str().to_owned(), unique.len());
                unique.push((key, value));
            }
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_are_one_member() {
        let keys = |json: &str| {
            let Ok(Node::Dict(members)) = Node::from_json(json) else { panic!("no dict: {json}") };
            members.iter().map(|(key, value)| format!("{}={}", key.as_str(), value.size().0)).collect::<Vec<_>>()
        };
        assert_eq!(keys(r#"{"a": 1, "b": 2, "\u0061": [3]}"#), ["a=2", "b=1"]);
        let many: String = (0..40).map(|index| format!(r#""k{}": [{index}], "#, index % 20)).collect();
        assert_eq!(keys(&format!("{{{many}\"z\": 0}}")).len(), 21);
    }

    #[test]
    fn deep_json_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Node::from_json(&nested(MAX_DEPTH)).is_ok());
        let error = Node::from_json(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error.to_string(), "the template has 121 levels of JSON, and 120 are allowed");
        assert!(Node::from_json(&nested(1_000_000)).is_err());
    }
}
