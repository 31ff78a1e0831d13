//! The server, started and asked as clients ask it.

mod answers;
mod conversations;
mod extractor;
mod goldens;
mod page;
mod readme;
mod refusals;
mod support;
