//! A template and a chat into what the template prints, each piece with where it comes from, without the engine.
//!
//! What nearly all chat templates are made of is read into a [`Program`] once: conditions, loops, names, namespaces,
//! macros, and the filters and tests that chats call for. Its values are the chat's own, looked at where they are, and
//! its texts remember which pieces are the template's, so that nothing need be marked.
//!
//! Whatever is not known here, in a template or in what it does with a chat, gives nothing, and the engine renders the
//! chat from the beginning: so does everything that the engine would refuse. What is known comes to the same.

use minijinja::Environment;

use super::chat_view::ChatView;
use super::python::{self, JsonStyle};
use super::values::Values;
use crate::marking::{holds, is_bracket};

mod evaluate;
mod expressions;
mod lexer;
mod names;
mod parser;
mod run;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod value;

use self::run::Run;
pub(super) use self::syntax::Program;
pub(super) use self::text::Piece;
use self::value::Value;

/// What a program prints.
#[derive(Clone, Debug)]
pub(super) enum Printed<'r> {
    Piece(Piece<'r>),
    /// Where a `{% generation %}` block begins.
    GenerationStart,
    GenerationEnd,
}

impl Printed<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Printed::Piece(piece) => piece.as_str(),
            Printed::GenerationStart | Printed::GenerationEnd => "",
        }
    }
}

impl Program {
    /// The program of a source; none where only the engine can read it.
    pub(super) fn new(source: &str) -> Option<Self> {
        parser::program(source)
    }

    /// What the program prints of the chat in so many steps; none where only the engine can tell.
    pub(super) fn run<'r>(&'r self, input: Input<'r>, steps: u64) -> Option<Vec<Printed<'r>>> {
        Run::new(self, input, steps).finish()
    }
}

/// What a program is given.
#[derive(Clone, Copy)]
pub(super) struct Input<'r> {
    pub(super) view: &'r ChatView<'r>,
    pub(super) environment: &'r Environment<'static>,
}

impl<'r> Input<'r> {
    /// What a name means that the template does not set; undefined where it means nothing.
    fn variable(self, name: &str) -> Option<Value<'r>> {
        match self.view.variable(name) {
            Some(node) => Value::of(node),
            None => self.environment.globals().all(|(known, _)| known != name).then_some(Value::Undefined),
        }
    }

    /// `value|tojson`, of no more bytes and values than that; none where it could spell a control token.
    fn json(self, value: &Value<'_>, budget: usize) -> Option<String> {
        let style = JsonStyle {
            indent: None,
            ascii: false,
            sorted: false,
            item_separator: ", ".to_owned(),
            key_separator: ": ".to_owned(),
            mark: None,
        };
        let mut left = budget;
        python::json(&self.for_engine(value, &mut left)?, &style, budget).ok()
    }

    /// The engine's own kind of value, which holds no more than what is left.
    fn for_engine(self, value: &Value<'_>, left: &mut usize) -> Option<minijinja::Value> {
        *left = left.checked_sub(1)?;
        Some(match value {
            Value::None => minijinja::Value::from(()),
            Value::Bool(value) => minijinja::Value::from(*value),
            Value::Integer(number) => minijinja::Value::from(*number),
            Value::Float(number) => minijinja::Value::from(*number),
            Value::Text(text) if text.spells_control() => return None,
            Value::Text(text) => {
                *left = left.checked_sub(text.bytes())?;
                minijinja::Value::from(text.content())
            }
            Value::List(list) => {
                let items: Option<Vec<_>> = list.items.iter().map(|item| self.for_engine(item, left)).collect();
                minijinja::Value::from(items?)
            }
            Value::Dict(dict) => {
                let members = dict.members.iter().map(|(key, value)| {
                    (!holds(key, is_bracket)).then_some(())?;
                    Some((*key, self.for_engine(value, left)?))
                });
                minijinja::Value::from_pairs(members.collect::<Option<Vec<_>>>()?)
            }
            Value::Given(node) => {
                *left = left.checked_sub(node.count())?;
                Values::UNMARKED.value(node)
            }
            Value::Undefined | Value::Namespace(_) | Value::Macro(_) => return None,
        })
    }
}
