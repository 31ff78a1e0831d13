//! A small vocabulary for the tests.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod arbitrary;
pub mod case;
