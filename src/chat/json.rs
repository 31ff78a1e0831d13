//! [`Json`]: one JSON value kept as its text, so that the order of keys and the digits of numbers survive.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

/// One JSON value, kept as the text that it was sent as.
///
/// Layouts print JSON as Python does; that needs the order of keys, and every digit of a number, which a parsed value loses.
///
/// ```
/// use mistral_chat_template::chat::Json;
///
/// let schema = Json::new(r#"{"type": "object", "maximum": 1.50}"#)?;
/// assert_eq!(schema.as_str(), r#"{"type": "object", "maximum": 1.50}"#);
/// assert!(Json::new("{type: object}").is_err());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    /// The JSON value that `text` is.
    ///
    /// # Errors
    ///
    /// `text` is not JSON: `{type: 1}`, `[1, 2`, an empty text.
    ///
    /// ```
    /// # use mistral_chat_template::chat::Json;
    /// assert_eq!(Json::new(" [1, 2] ")?.as_str(), "[1, 2]");
    /// assert!(Json::new("").is_err());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn new(text: &'a str) -> Result<Self, Error> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
        Ok(Json::borrowed(raw.get()))
    }

    /// A value as serde serialises it.
    ///
    /// # Errors
    ///
    /// The value's `Serialize` fails, as a map with keys that are not strings does.
    ///
    /// ```
    /// # use mistral_chat_template::chat::Json;
    /// let schema = Json::from_serialize(&std::collections::BTreeMap::from([("type", "object")]))?;
    /// assert_eq!(schema.as_str(), r#"{"type":"object"}"#);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_serialize(value: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
        Ok(Json(Cow::Owned(text)))
    }

    /// The text of the value.
    ///
    /// ```
    /// # use mistral_chat_template::chat::Json;
    /// assert_eq!(Json::default().as_str(), "{}");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of this text, which is JSON.
    pub(super) const fn borrowed(text: &'a str) -> Self {
        Json(Cow::Borrowed(text))
    }

    /// The value of a text that is known to be JSON.
    pub(crate) const fn of_text(text: String) -> Self {
        Json(Cow::Owned(text))
    }

    /// The value of this text, which is JSON.
    pub(super) const fn of(text: Cow<'a, str>) -> Self {
        Json(text)
    }

    /// The value of this text, which is JSON.
    pub(crate) const fn owned(text: String) -> Self {
        Json(Cow::Owned(text))
    }

    pub(crate) fn into_owned(self) -> Json<'static> {
        Json(super::owned(self.0))
    }
}

/// An empty object.
impl Default for Json<'_> {
    fn default() -> Self {
        Json(Cow::Borrowed("{}"))
    }
}
