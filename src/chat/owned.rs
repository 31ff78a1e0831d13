//! [`OwnedChat`]: a [`Chat`] that owns its text, from any deserializer.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Chat;
use super::read::Raw;

/// A chat that owns its text, for places that deserialise what borrows nothing: a framework's body type,
/// `serde_json::from_reader` and `from_value`, a field with `#[serde(flatten)]`.
///
/// ```
/// use mistral_chat_template::chat::OwnedChat;
///
/// #[derive(serde::Deserialize)]
/// struct Body {
///     temperature: f64,
///     #[serde(flatten)]
///     chat: OwnedChat,
/// }
///
/// let json = r#"{"temperature": 0.3, "messages": [{"role": "user", "content": "Hi"}]}"#;
/// let body: Body = serde_json::from_reader(json.as_bytes())?;
/// assert_eq!((body.temperature, body.chat.messages.len()), (0.3, 1));
///
/// let error = serde_json::from_str::<OwnedChat>(r#"{"messages": [{"role": "user"}]}"#).unwrap_err();
/// assert!(error.to_string().starts_with("messages[0]: the field `content` is missing or null"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It reads what [`Chat::from_json`] reads. From JSON it is read as it was sent. From a value (`from_value`, a flattened
/// field), what the value lost is lost to the chat: the digits of a number that no `u64` or `f64` holds, the order of the
/// keys in a `serde_json::Value` without `preserve_order`; and [`Chat::sent`] is empty where the value is not serde_json's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedChat(pub Chat<'static>);

impl<'de> Deserialize<'de> for OwnedChat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw { text, is_sent } = Raw::deserialize(deserializer)?;
        let chat = Chat::from_json(&text).map_err(de::Error::custom)?;
        let sent = chat.sent.filter(|_| is_sent);
        Ok(OwnedChat(Chat { sent, ..chat }.into_owned()))
    }
}

impl Serialize for OwnedChat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Deref for OwnedChat {
    type Target = Chat<'static>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for OwnedChat {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl From<Chat<'_>> for OwnedChat {
    fn from(chat: Chat<'_>) -> Self {
        OwnedChat(chat.into_owned())
    }
}

impl From<OwnedChat> for Chat<'static> {
    fn from(chat: OwnedChat) -> Self {
        chat.0
    }
}
