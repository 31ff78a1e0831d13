//! The server, started and asked as clients ask it.

mod answers;
mod conversations;
mod page;
mod readme;
mod refusals;
mod support;
