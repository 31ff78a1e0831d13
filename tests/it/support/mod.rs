//! A small vocabulary for the tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part, and all of it")]

pub mod arbitrary;
pub mod bytes;
pub mod case;
pub mod completions;
pub mod lark;
pub mod markdown;
pub mod output;
pub mod program;
pub mod reports;
pub mod story;
