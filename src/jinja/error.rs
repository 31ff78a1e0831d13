//! Why a template stopped.

use std::borrow::Cow;

/// What a step of a render comes to.
pub(crate) type Done<T> = Result<T, Stop>;

/// The end of a render before its time.
#[derive(Clone, Debug)]
pub(crate) struct Stop(pub(crate) Box<Stopped>);

#[derive(Clone, Debug)]
pub(crate) struct Stopped {
    pub(crate) reason: Reason,
    /// The line of the source, where it is known.
    pub(crate) line: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum Reason {
    /// The template called `raise_exception`.
    Raised(String),
    /// An exception of Python, by its class and what it says.
    Exception(&'static str, Cow<'static, str>),
    /// The steps that it may take are used up.
    Steps,
}

impl Stop {
    pub(crate) fn new(class: &'static str, said: impl Into<Cow<'static, str>>) -> Self {
        Stop(Box::new(Stopped { reason: Reason::Exception(class, said.into()), line: None }))
    }

    pub(crate) fn raised(message: String) -> Self {
        Stop(Box::new(Stopped { reason: Reason::Raised(message), line: None }))
    }

    pub(crate) fn steps() -> Self {
        Stop(Box::new(Stopped { reason: Reason::Steps, line: None }))
    }

    pub(crate) fn at(mut self, line: u32) -> Self {
        self.0.line.get_or_insert(line);
        self
    }

    /// Is it an exception of one of these classes?
    pub(crate) fn is(&self, classes: &[&str]) -> bool {
        matches!(&self.0.reason, Reason::Exception(class, _) if classes.contains(class))
    }
}

pub(crate) fn type_error(said: impl Into<Cow<'static, str>>) -> Stop {
    Stop::new("TypeError", said)
}

pub(crate) fn value_error(said: impl Into<Cow<'static, str>>) -> Stop {
    Stop::new("ValueError", said)
}

pub(crate) fn overflow(said: impl Into<Cow<'static, str>>) -> Stop {
    Stop::new("OverflowError", said)
}
