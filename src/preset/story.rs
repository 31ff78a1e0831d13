//! [`Story`]: a story string, the part of Handlebars that presets use, read once and filled in for a scene.

use std::fmt;

use super::macros::Macros;
use super::tracked_text::TrackedText;

mod fill;
mod parse;
mod white_space;

pub(super) use self::fill::Parameters;

/// A story string that was read.
#[derive(Clone, Debug)]
pub(super) struct Story(Program);

impl Story {
    pub(super) fn parse(source: &str) -> Result<Story, StoryError> {
        let mut program = parse::parse(source)?;
        white_space::strip(&mut program);
        Ok(Story(program))
    }

    /// The story with its values in it; macros are yet to be replaced.
    pub(super) fn fill(&self, parameters: &Parameters, macros: &mut Macros<'_>) -> Result<TrackedText, StoryError> {
        fill::run(&self.0, parameters, macros)
    }
}

/// Why a story string says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoryError {
    /// The line, from 1; 0 where it is no matter of a line.
    line: usize,
    /// The author's own line.
    text: String,
    what: String,
}

impl StoryError {
    fn new(what: impl Into<String>) -> Self {
        StoryError { line: 0, text: String::new(), what: what.into() }
    }
}

impl fmt::Display for StoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}, in {:?}", self.what, self.text),
        }
    }
}

#[derive(Clone, Debug)]
struct Program {
    body: Vec<Statement>,
    /// It is what an `{{else if}}` makes: one block.
    chained: bool,
}

#[derive(Clone, Debug)]
enum Statement {
    Content(Content),
    Mustache(Call, Strip),
    Block(Box<Block>),
    Comment(Strip),
}

/// Text between tags.
#[derive(Clone, Debug)]
struct Content {
    original: String,
    /// What is left of it.
    value: String,
}

impl Content {
    fn new(text: &str) -> Self {
        Content { original: text.to_owned(), value: text.to_owned() }
    }
}

#[derive(Clone, Debug)]
struct Block {
    call: Call,
    program: Option<Program>,
    inverse: Option<Program>,
    open_strip: Strip,
    inverse_strip: Strip,
    close_strip: Strip,
}

/// On which sides of a tag a `~` takes white space away.
#[derive(Clone, Copy, Debug, Default)]
struct Strip {
    open: bool,
    close: bool,
}

#[derive(Clone, Debug)]
struct Call {
    target: Expression,
    arguments: Vec<Expression>,
    hash: Vec<(String, Expression)>,
}

impl Call {
    /// The name that closes a block.
    fn path_text(&self) -> String {
        match &self.target {
            Expression::Path(path) => path.original.clone(),
            Expression::Text(text) => text.clone(),
            Expression::Number(number) => number.to_string(),
            Expression::Bool(value) => value.to_string(),
            Expression::Undefined => "undefined".to_owned(),
            Expression::Null => "null".to_owned(),
            Expression::Call(call) => call.path_text(),
        }
    }
}

#[derive(Clone, Debug)]
enum Expression {
    Path(Path),
    Text(String),
    Number(f64),
    Bool(bool),
    Undefined,
    Null,
    Call(Box<Call>),
}

#[derive(Clone, Debug)]
struct Path {
    /// `@name`
    data: bool,
    /// How often it goes `../` up.
    depth: usize,
    /// `this.name`, `./name`: never a helper.
    scoped: bool,
    parts: Vec<String>,
    original: String,
}

impl Path {
    /// The name, where the path is one name and nothing else.
    fn simple(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if !self.scoped && self.depth == 0 && !self.data => Some(name),
            _ => None,
        }
    }
}
