//! Chats into Mistral prompts.
#![forbid(unsafe_code)]
