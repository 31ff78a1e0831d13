//! The server, started and asked as clients ask it.

mod answers;
mod refusals;
mod support;
