//! The server, started and asked as clients ask it.

mod answers;
mod conversations;
mod page;
mod refusals;
mod support;
