//! What is wrong with one stretch of calls: of several faults, the one that mistral-common would name.

use super::scanner;
use crate::error::{Error, ErrorKind};

/// How early mistral-common looks for a fault; the earliest is reported, and of equals the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The control tokens are not in order.
    Tokens,
    /// Not JSON.
    Syntax,
    /// JSON of another shape.
    Shape,
    /// A field of another type.
    Type,
}

/// The fault to tell, if any.
#[derive(Debug)]
pub(super) struct Faults {
    layout: &'static str,
    first: Option<(Rank, Error)>,
}

impl Faults {
    pub(super) fn new(layout: &'static str) -> Self {
        Faults { layout, first: None }
    }

    pub(super) fn note(&mut self, rank: Rank, kind: ErrorKind, at: impl Into<String>) {
        if self.first.as_ref().is_none_or(|(earliest, _)| rank < *earliest) {
            self.first = Some((rank, Error::new(kind, at).in_layout(self.layout)));
        }
    }

    pub(super) fn first(&self) -> Option<&Error> {
        self.first.as_ref().map(|(_, error)| error)
    }

    pub(super) fn take(&mut self) -> Option<Error> {
        self.first.take().map(|(_, error)| error)
    }
}

/// The JSON around a fault of syntax.
#[derive(Clone, Copy)]
pub(super) enum Around {
    List,
    Arguments,
}

impl Around {
    pub(super) fn error(self, fault: scanner::Fault, offset: usize) -> ErrorKind {
        match (self, fault) {
            (_, scanner::Fault::TooDeep) => ErrorKind::CallTooDeep { offset },
            (Around::List, scanner::Fault::Json(json)) => ErrorKind::CallListSyntax { json, offset },
            (Around::Arguments, scanner::Fault::Json(json)) => ErrorKind::CallArgumentsSyntax { json, offset },
        }
    }
}

pub(super) fn call_path(index: usize) -> String {
    format!("tool_calls[{index}]")
}

pub(super) fn field_path(index: usize, field: &str) -> String {
    format!("tool_calls[{index}].{field}")
}
