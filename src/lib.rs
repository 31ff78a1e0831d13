//! Chats into Mistral prompts.
#![forbid(unsafe_code)]

pub mod python_json;
