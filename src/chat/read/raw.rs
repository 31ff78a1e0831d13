//! [`Raw`]: the text of a JSON value, from any deserializer.
//!
//! serde_json hands out the text itself. Other deserializers (a `Value`'s, or what `#[serde(flatten)]` keeps) have only
//! the value, which is written as JSON again.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Text;

/// How deep a value may nest that is written again: as deep as serde_json reads one.
const DEPTH: usize = 128;

/// The key of the map that a number is where serde_json's `arbitrary_precision` is on.
const NUMBER: &str = "$serde_json::private::Number";

/// The text of a JSON value.
pub(crate) struct Raw<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Did the deserializer have the text? Where not, it was written from the value.
    pub(crate) is_sent: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(name_of_raw_values(), Whole(PhantomData))
    }
}

/// The name by which a deserializer of serde_json is asked for a value's text, which only serde_json knows.
fn name_of_raw_values() -> &'static str {
    match <&RawValue>::deserialize(Ask) {
        Err(Asked(name)) => name,
        Ok(_) => "",
    }
}

/// A deserializer whose error is the name of the struct that it is asked for.
struct Ask;

#[derive(Debug)]
struct Asked(&'static str);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Asked("")
    }
}

impl<'de> Deserializer<'de> for Ask {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked(""))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Asked> {
        Err(Asked(name))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A visitor of a value's text, or else of the value.
struct Whole<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for Whole<'a> {
    type Value = Raw<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    /// serde_json gives the text as the one value of a map.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'a>, A::Error> {
        struct Value<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> DeserializeSeed<'de> for Value<'a> {
            type Value = Cow<'a, str>;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'a, str>, D::Error> {
                deserializer.deserialize_any(Text(|text| text, PhantomData))
            }
        }
        map.next_key::<IgnoredAny>()?;
        Ok(Raw { text: map.next_value_seed(Value(PhantomData))?, is_sent: true })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw<'a>, D::Error> {
        let mut text = String::new();
        Write { out: &mut text, depth: 0 }.deserialize(deserializer)?;
        Ok(Raw { text: Cow::Owned(text), is_sent: false })
    }
}

/// Writes a value as JSON.
struct Write<'o> {
    out: &'o mut String,
    depth: usize,
}

impl Write<'_> {
    fn write<E>(self, json: impl fmt::Display) -> Result<(), E> {
        // Writing into a string does not fail.
        let _ = write!(self.out, "{json}");
        Ok(())
    }

    fn text<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.out.push_str(&serde_json::to_string(text).map_err(E::custom)?);
        Ok(())
    }

    /// The same for what is inside.
    fn inside<E: de::Error>(&mut self) -> Result<Write<'_>, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format_args!("the JSON nests more than {DEPTH} levels deep")));
        }
        Ok(Write { out: self.out, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Write<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Write<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.write("null")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.write("null")
    }

    fn visit_some<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.inside()?.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.inside()?.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i128<E>(self, value: i128) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u128<E>(self, value: u128) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(E::custom(format_args!("{value} is not a JSON number")));
        }
        self.out.push_str(&serde_json::to_string(&value).map_err(E::custom)?);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.out.push('[');
        let start = self.out.len();
        loop {
            let end = self.out.len();
            if end > start {
                self.out.push(',');
            }
            if list.next_element_seed(self.inside()?)?.is_none() {
                self.out.truncate(end);
                break;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let before = self.out.len();
        self.out.push('{');
        let start = self.out.len();
        let mut number = None;
        while let Some(key) = map.next_key::<String>()? {
            let is_first = self.out.len() == start;
            if !is_first {
                self.out.push(',');
            }
            self.inside::<A::Error>()?.text::<A::Error>(&key)?;
            self.out.push(':');
            let value = self.out.len();
            map.next_value_seed(self.inside()?)?;
            number = (is_first && key == NUMBER).then_some(value);
        }
        if let Some(number) = number.and_then(|start| number_in(self.out.get(start..)?)) {
            self.out.truncate(before);
            self.out.push_str(&number);
            return Ok(());
        }
        self.out.push('}');
        Ok(())
    }
}

/// The number that a string of JSON holds, where it holds one.
fn number_in(json: &str) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    serde_json::from_str::<serde_json::Number>(&text).is_ok().then_some(text)
}
