//! Chats into Mistral prompts.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod json_schema;
pub mod python_json;
