//! Python objects as a serde deserializer: dicts and lists become a chat without JSON text between them.
//!
//! It reads what is plainly JSON. Anything else (an object of another library's, half of a character) is an error here,
//! and the caller reads the same object through its JSON text, which says what is wrong and where. So an error carries
//! nothing.

use std::fmt;

use mistral_chat_template::Chat;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::json;

/// The chat of a request's dict; `None` where its JSON text has to be asked.
pub(crate) fn chat(request: &Bound<'_, PyDict>) -> Option<Chat<'static>> {
    Chat::deserialize(Object(request.as_any())).ok()
}

#[derive(Debug)]
struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not to be read directly")
    }
}

impl std::error::Error for Other {}

impl de::Error for Other {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Other
    }
}

impl From<PyErr> for Other {
    fn from(_: PyErr) -> Self {
        Other
    }
}

struct Object<'o, 'py>(&'o Bound<'py, PyAny>);

impl Object<'_, '_> {
    fn json(&self) -> Result<String, Other> {
        let mut text = String::new();
        json::write(self.0, &mut text).map_err(|_| Other)?;
        Ok(text)
    }
}

impl<'de> Deserializer<'de> for Object<'_, '_> {
    type Error = Other;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        if let Ok(text) = self.0.cast::<PyString>() {
            return visitor.visit_str(text.to_str()?);
        }
        if let Ok(dict) = self.0.cast::<PyDict>() {
            return visitor.visit_map(Members { members: dict.iter().collect::<Vec<_>>().into_iter(), value: None });
        }
        if let Ok(list) = self.0.cast::<PyList>() {
            return visitor.visit_seq(Items(list.iter().collect::<Vec<_>>().into_iter()));
        }
        if let Ok(tuple) = self.0.cast::<PyTuple>() {
            return visitor.visit_seq(Items(tuple.iter().collect::<Vec<_>>().into_iter()));
        }
        if self.0.is_none() {
            return visitor.visit_unit();
        }
        if let Ok(flag) = self.0.cast::<PyBool>() {
            return visitor.visit_bool(flag.is_true());
        }
        if self.0.is_instance_of::<PyInt>() {
            return visitor.visit_i64(self.0.extract()?);
        }
        if self.0.is_instance_of::<PyFloat>() {
            let number: f64 = self.0.extract()?;
            return if number.is_finite() { visitor.visit_f64(number) } else { Err(Other) };
        }
        Err(Other)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        if self.0.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// Values that are kept as their JSON text are asked for as serde_json's `RawValue`, and given as it gives them: as the
    /// one value of a map.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Other> {
        visitor.visit_map(Text(Some(self.json()?)))
    }

    /// What is ignored has to be JSON all the same.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.json()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// The members of a dict, as they were before any of them was read.
struct Members<'py> {
    members: std::vec::IntoIter<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    value: Option<Bound<'py, PyAny>>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Other;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Other> {
        let Some((key, value)) = self.members.next() else { return Ok(None) };
        self.value = Some(value);
        let key = key.cast::<PyString>().map_err(|_| Other)?;
        seed.deserialize(Object(key.as_any())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Other> {
        seed.deserialize(Object(&self.value.take().ok_or(Other)?))
    }
}

struct Items<'py>(std::vec::IntoIter<Bound<'py, PyAny>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Other;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Other> {
        self.0.next().map(|item| seed.deserialize(Object(&item))).transpose()
    }
}

/// A map of one text, whose key nobody reads.
struct Text(Option<String>);

impl<'de> MapAccess<'de> for Text {
    type Error = Other;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Other> {
        seed.deserialize(de::value::UnitDeserializer::new()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Other> {
        seed.deserialize(de::value::StringDeserializer::new(self.0.take().ok_or(Other)?))
    }
}
