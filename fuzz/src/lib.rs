//! The bodies of the fuzz targets: bytes in, and a panic where a promise is broken.
//!
//! `fuzz_targets` hands them to libFuzzer; `tests/regressions.rs` runs them on what libFuzzer found once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "panics are findings"
)]
#![allow(unreachable_pub, reason = "a module of a test, too")]

pub mod adapter;
pub mod answer_ids;
pub mod chat;
pub mod compare;
pub mod completion;
pub mod conversation;
pub mod detection;
pub mod grammar;
pub mod image;
pub mod preset;
pub mod python_json;
pub mod render;
pub mod repair;
pub mod request;
pub mod row;
pub mod story;
pub mod template;
pub mod written;

mod source;
mod support;

/// A name and a body.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("adapter", adapter::run),
    ("answer_ids", answer_ids::run),
    ("chat", chat::run),
    ("compare", compare::run),
    ("completion", completion::run),
    ("conversation", conversation::run),
    ("detection", detection::run),
    ("grammar", grammar::run),
    ("image", image::run),
    ("preset", preset::run),
    ("python_json", python_json::run),
    ("render", render::run),
    ("repair", repair::run),
    ("request", request::run),
    ("row", row::run),
    ("story", story::run),
    ("template", template::run),
    ("written", written::run),
];
