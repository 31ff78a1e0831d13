//! A request's JSON, of which each value is parsed when it is asked for, and the path to a value.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One JSON value, by its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a>(&'a str);

/// The type of the value that a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl<'a> Node<'a> {
    /// The value that a whole text is.
    pub(crate) fn parse(json: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(json).map(|raw| Node(raw.get()))
    }

    /// The value that a text is which was parsed before.
    pub(crate) fn of_parsed(json: &'a str) -> Self {
        Node(json.trim_matches([' ', '\t', '\r', '\n']))
    }

    /// The text of the value.
    pub(crate) const fn json(self) -> &'a str {
        self.0
    }

    pub(crate) fn json_type(self) -> JsonType {
        match self.0.as_bytes().first() {
            Some(b'"') => JsonType::Text,
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::List,
            Some(b't' | b'f') => JsonType::Bool,
            Some(b'n') | None => JsonType::Null,
            Some(_) => JsonType::Number,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.json_type() == JsonType::Null
    }

    pub(crate) fn is_text(self) -> bool {
        self.json_type() == JsonType::Text
    }

    pub(crate) fn is_list(self) -> bool {
        self.json_type() == JsonType::List
    }

    pub(crate) fn is_object(self) -> bool {
        self.json_type() == JsonType::Object
    }

    /// Does the value say nothing: null, false, or empty?
    pub(crate) fn is_nothing(self) -> bool {
        matches!(self.0, "null" | "false" | "\"\"") || self.0.len() > 1 && self.is_empty_list_or_object()
    }

    fn is_empty_list_or_object(self) -> bool {
        let inside = self.0.get(1..self.0.len() - 1).unwrap_or("x");
        matches!(self.json_type(), JsonType::List | JsonType::Object) && inside.trim().is_empty()
    }

    /// The text, where the value is one without a lone surrogate.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inside = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inside.contains('\\') {
            serde_json::from_str(self.0).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inside))
        }
    }

    pub(crate) fn is(self, text: &str) -> bool {
        self.text().is_some_and(|own| own == text)
    }

    pub(crate) fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The values of a list.
    pub(crate) fn list(self) -> Option<Vec<Node<'a>>> {
        if !self.is_list() {
            return None;
        }
        let list: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(list.into_iter().map(|raw| Node(raw.get())).collect())
    }

    /// The fields of an object.
    pub(crate) fn fields(self) -> Option<Fields<'a>> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Vec<(Cow<'de, str>, Node<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let name = Node(name.get()).text().unwrap_or(Cow::Borrowed(name.get()));
                    fields.push((name, Node(value.get())));
                }
                Ok(fields)
            }
        }
        if !self.is_object() {
            return None;
        }
        serde_json::Deserializer::from_str(self.0).deserialize_map(Read).ok().map(Fields)
    }
}

/// The fields of an object, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Fields<'a> {
    /// The value of a field, which may be null; of equal fields the last one counts.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, node)| *node)
    }

    /// The value of a field that is there and not null.
    pub(crate) fn value(&self, name: &str) -> Option<Node<'a>> {
        self.get(name).filter(|node| !node.is_null())
    }

    /// The field, where it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(Node::text)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Every field that counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        let is_last = |at: usize, name: &str| self.0.iter().skip(at + 1).all(|(later, _)| later != name);
        let is_long = self.0.len() > 64;
        self.0
            .iter()
            .enumerate()
            .filter(move |(at, (name, _))| is_long || is_last(*at, name))
            .map(|(_, (name, node))| (&**name, *node))
    }
}

/// The way from the request to a value: a list that grows on the stack.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Request,
    Field(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(crate) const fn field(&'p self, name: &'p str) -> Self {
        Path::Field(self, name)
    }

    pub(crate) const fn index(&'p self, index: usize) -> Self {
        Path::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Request => Ok(()),
            Path::Field(Path::Request, name) => f.write_str(name),
            Path::Field(parent, "") => parent.fmt(f),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The paths of places in a JSON text, which come in order. Its depth costs no stack.
pub(crate) fn paths_of(json: &str, places: &[usize]) -> Vec<String> {
    let mut scan = Scan { json, at: 0, steps: Vec::new(), key: None };
    places.iter().map(|place| scan.path_of(*place)).collect()
}

/// Where a scan through a JSON text is.
struct Scan<'j> {
    json: &'j str,
    at: usize,
    steps: Vec<Step<'j>>,
    /// The last text, which may be the name of a field.
    key: Option<&'j str>,
}

enum Step<'j> {
    Field(&'j str),
    Index(usize),
}

impl Scan<'_> {
    fn path_of(&mut self, place: usize) -> String {
        let bytes = self.json.as_bytes();
        while let Some(byte) = bytes.get(self.at).filter(|_| self.at < place) {
            match byte {
                b'{' => self.steps.push(Step::Field("")),
                b'[' => self.steps.push(Step::Index(0)),
                b'}' | b']' => drop(self.steps.pop()),
                b':' => {
                    if let Some(Step::Field(name)) = self.steps.last_mut() {
                        *name = self.key.unwrap_or_default();
                    }
                }
                b',' => {
                    if let Some(Step::Index(index)) = self.steps.last_mut() {
                        *index += 1;
                    }
                }
                b'"' => {
                    let end = end_of_text(bytes, self.at);
                    if end > place {
                        break;
                    }
                    self.key = self.json.get(self.at + 1..end - 1);
                    self.at = end;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }
}

/// The place behind the text that begins here.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return (at + 1).min(bytes.len()),
            Some(_) => at += 1,
        }
    }
}
