//! JSON one level at a time: an object's fields, a list's items, each as its text, so that nothing is copied to be told.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

/// The fields of an object, each as its JSON text.
pub(super) struct Object<'a> {
    fields: Vec<Field<'a>>,
}

struct Field<'a> {
    name: Cow<'a, str>,
    raw: &'a str,
    is_read: bool,
}

impl<'a> Object<'a> {
    pub(super) fn read(json: &'a str) -> Result<Self, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let fields = deserializer.deserialize_map(FieldList).and_then(|fields| deserializer.end().map(|()| fields));
        Ok(Object { fields: fields.map_err(not_json)? })
    }

    /// The value of a field; absent where it is null. As in Python, the last of equal names counts.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let mut value = None;
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.is_read = true;
            value = Some(field.raw);
        }
        value.filter(|raw| !is_null(raw))
    }

    /// The value of a field, which nobody else shall read.
    pub(super) fn remove(&mut self, name: &str) -> Option<&'a str> {
        let value = self.take(name);
        self.fields.retain(|field| field.name != name);
        value
    }

    /// The value of a field, which stays unread.
    pub(super) fn peek(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().rev().find(|field| field.name == name).map(|field| field.raw).filter(|raw| !is_null(raw))
    }

    /// The names of the fields that hold something and were not taken.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|field| !field.is_read && !is_null(field.raw)).map(|field| &*field.name)
    }

    /// The fields that were not taken, null or not.
    pub(super) fn into_unread(self) -> Vec<(Cow<'a, str>, &'a str)> {
        self.fields.into_iter().filter(|field| !field.is_read).map(|field| (field.name, field.raw)).collect()
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| &*field.name)
    }
}

fn not_json(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Json, "").because(error)
}

struct FieldList;

impl<'de> Visitor<'de> for FieldList {
    type Value = Vec<Field<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some(name) = map.next_key_seed(Name::default())? {
            let raw: &RawValue = map.next_value()?;
            fields.push(Field { name, raw: raw.get(), is_read: false });
        }
        Ok(fields)
    }
}

/// A field's name, or another text, borrowed where it has no escapes.
#[derive(Default)]
pub(super) struct Name<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Name<'a> {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The items of a list, each as its JSON text.
pub(super) fn items(json: &str) -> Result<Vec<&str>, Error> {
    struct Items;
    impl<'de> Visitor<'de> for Items {
        type Value = Vec<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(raw) = list.next_element::<&'de RawValue>()? {
                items.push(raw.get());
            }
            Ok(items)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let items = deserializer.deserialize_seq(Items).and_then(|items| deserializer.end().map(|()| items));
    items.map_err(not_json)
}

/// What a JSON text begins with, which tells its type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Object,
    List,
    Text,
    Bool(bool),
    Null,
    Number,
}

pub(super) fn form(raw: &str) -> Form {
    match raw.trim_ascii_start().as_bytes().first() {
        Some(b'{') => Form::Object,
        Some(b'[') => Form::List,
        Some(b'"') => Form::Text,
        Some(b't') => Form::Bool(true),
        Some(b'f') => Form::Bool(false),
        Some(b'n') => Form::Null,
        _ => Form::Number,
    }
}

fn is_null(raw: &str) -> bool {
    raw == "null"
}

/// Is there nothing in the list, object or text?
pub(super) fn is_empty(raw: &str) -> bool {
    let inner = |open, close| raw.strip_prefix(open).and_then(|raw| raw.strip_suffix(close));
    let inner = inner('[', ']').or_else(|| inner('{', '}')).or_else(|| inner('"', '"'));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

/// The text that a JSON string spells, borrowed where it has no escapes.
pub(super) fn text(raw: &str) -> Result<Cow<'_, str>, Error> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        Some(_) => serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(not_json),
        None => Err(Error::new(ErrorKind::RowType { expected: "a text" }, "")),
    }
}

pub(super) fn truth(raw: &str) -> Result<bool, Error> {
    match form(raw) {
        Form::Bool(value) => Ok(value),
        _ => Err(Error::new(ErrorKind::RowType { expected: "true or false" }, "")),
    }
}

/// The error at a place further out: `messages[2]` and `content` make `messages[2].content`.
pub(super) fn within(error: Error, outer: impl FnOnce() -> String) -> Error {
    let at = match error.at() {
        "" => outer(),
        inner if inner.starts_with('[') => outer() + inner,
        inner => format!("{}.{inner}", outer()),
    };
    error.moved_to(at)
}

/// JSON without the members of its objects that are null, and how many those were; nothing where none is null.
///
/// A null in a list is a value and stays.
pub(super) fn without_null_members(json: &str) -> Option<(String, usize)> {
    if !json.contains("null") {
        return None;
    }
    let mut writer = Stripper { out: String::with_capacity(json.len()), open: Vec::new(), dropped: 0 };
    let mut rest = json;
    while let Some(token) = next_token(&mut rest) {
        writer.token(token);
    }
    (writer.dropped > 0).then_some((writer.out, writer.dropped))
}

/// The next token of JSON that is known to be well-formed: a punctuation mark, a string or a literal.
fn next_token<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_ascii_start();
    let length = match text.as_bytes().first()? {
        b'"' => {
            let mut is_escaped = false;
            let end = text.bytes().skip(1).position(|byte| {
                let is_end = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                is_end
            });
            end.map_or(text.len(), |end| end + 2)
        }
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        _ => text
            .bytes()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace())
            .unwrap_or(text.len()),
    };
    let (token, behind) = text.split_at_checked(length)?;
    *rest = behind;
    Some(token)
}

/// Writes JSON tokens, and leaves out members that are null.
struct Stripper {
    out: String,
    open: Vec<Container>,
    dropped: usize,
}

/// An object or list that is being written.
struct Container {
    is_object: bool,
    has_items: bool,
    /// Where the member at hand begins in the output, once its name is written.
    member: Option<usize>,
}

impl Stripper {
    fn token(&mut self, token: &str) {
        match token {
            "," => {
                if let Some(open) = self.open.last_mut() {
                    open.member = None;
                }
            }
            ":" => self.out.push(':'),
            "}" | "]" => {
                self.open.pop();
                self.out.push_str(token);
            }
            "null" if self.drop_member() => {}
            _ => {
                self.begin_item();
                self.out.push_str(token);
                if let "{" | "[" = token {
                    self.open.push(Container { is_object: token == "{", has_items: false, member: None });
                }
            }
        }
    }

    /// Takes back the name of the member whose value is null.
    fn drop_member(&mut self) -> bool {
        let Some(Container { is_object: true, has_items, member }) = self.open.last_mut() else { return false };
        let Some(start) = member.take() else { return false };
        self.out.truncate(start);
        // Without a comma before it, it was the first.
        *has_items = !self.out.ends_with('{');
        self.dropped += 1;
        true
    }

    /// The comma before a name or an item; a member's value follows its name without one.
    fn begin_item(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        if open.is_object && open.member.is_some() {
            return;
        }
        if open.is_object {
            open.member = Some(self.out.len());
        }
        if open.has_items {
            self.out.push(',');
        }
        open.has_items = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_go_and_null_items_stay() {
        for (json, stripped, count) in [
            (r#"{"a": null}"#, "{}", 1),
            (r#"{"a": null, "b": 1, "c": null}"#, r#"{"b":1}"#, 2),
            (r#"{"a": [null, {"b": null, "c": "null"}], "d": {"e": null}}"#, r#"{"a":[null,{"c":"null"}],"d":{}}"#, 2),
            (r#"{"null": 1, "x\"y": null, "z": "a\\"}"#, r#"{"null":1,"z":"a\\"}"#, 1),
            (r#"[{"a": 1.50, "b": null, "a": {}}]"#, r#"[{"a":1.50,"a":{}}]"#, 1),
        ] {
            assert_eq!(without_null_members(json), Some((stripped.to_owned(), count)), "{json}");
        }
        assert_eq!(without_null_members(r#"{"a": [null], "null": "null"}"#), None);
    }

    #[test]
    fn the_last_of_equal_fields_counts_and_null_is_absent() {
        let mut object = Object::read(r#"{"a": 1, "b": null, "a": 2, "c": 3}"#).unwrap();
        assert_eq!((object.take("a"), object.take("b"), object.take("x")), (Some("2"), None, None));
        assert_eq!(object.unread().collect::<Vec<_>>(), ["c"]);
        assert!(Object::read("[1]").is_err() && Object::read("{} x").is_err());
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}{}", r#"{"a":"#.repeat(200_000), "null", "}".repeat(200_000));
        assert_eq!(without_null_members(&deep).map(|(_, count)| count), Some(1));
    }
}
