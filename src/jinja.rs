//! A Jinja template and its variables in, the text that Python would print out, in pieces that each know their origin.
//!
//! The language is that of Jinja 3.1 in the environment that transformers makes: `trim_blocks`, `lstrip_blocks`, the
//! immutable sandbox, loop controls, `{% generation %}`, and `tojson`, `raise_exception` and `strftime_now` of its own.
//! Every text remembers whose it is, the template's or a given value's, through all that a template does with it.
//!
//! A program runs on a machine with stacks of its own, so that nothing that a template nests or calls deepens the stack of
//! the thread, and takes a number of steps that is limited.

mod arguments;
mod checks;
mod compiler;
mod constructs;
mod error;
mod escapes;
mod expressions;
mod filters;
mod formatting;
mod functions;
mod lexer;
mod machine;
mod methods;
mod operators;
mod print;
mod syntax;
mod text;
mod value;

pub(crate) use self::constructs::constructs;
pub(crate) use self::error::{Done, Reason, Stop};
pub(crate) use self::machine::{Context, Elsewhere, Met, Printed};
pub(crate) use self::syntax::Program;
pub(crate) use self::text::{Origin, Piece, Text};
pub(crate) use self::value::Value;

impl Program {
    /// The program of a source.
    pub(crate) fn new(source: &str) -> Done<Self> {
        compiler::compile(&lexer::normalized(source))
    }

    /// The texts that it prints and works with.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|known| &*known.text)
    }
}
