//! What Python does with JSON, JSON schemas, texts and numbers. Nothing here knows chats or prompts.

pub mod json;
pub mod schema;

pub(crate) mod calendar;
#[cfg(feature = "template")]
pub(crate) mod characters;
#[cfg(feature = "template")]
pub(crate) mod format;
#[cfg(feature = "template")]
pub(crate) mod strftime;
#[cfg(feature = "template")]
mod tables;
#[cfg(feature = "template")]
pub(crate) mod unicode_names;
#[cfg(feature = "template")]
pub(crate) mod wrap;
