//! What reading a request reports beside the chat: what it repaired, what it ignored, and where each message comes from.

use std::collections::HashMap;
use std::fmt::Display;

use super::node::{Fields, Path};
use crate::error::{Error, ErrorKind};

/// Is what reading refuses an error, or mended?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    Refuse,
    Mend,
}

/// One thing that was mended while a request was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: String,
    pub(crate) sort: NoteSort,
    pub(crate) what: String,
}

/// What sort of thing was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteSort {
    Surrogate,
    PartDropped,
    PartAsText,
    ToolDropped,
    CallDropped,
    EffortDropped,
    FieldMended,
    FieldDropped,
    Form,
}

pub(crate) struct Notes {
    pub(crate) strictness: Strictness,
    pub(crate) mended: Vec<Note>,
    pub(crate) ignored: Vec<String>,
    pub(crate) places: Places,
}

impl Notes {
    pub(crate) fn new(strictness: Strictness) -> Self {
        Notes { strictness, mended: Vec::new(), ignored: Vec::new(), places: Places::default() }
    }

    pub(crate) fn mends(&self) -> bool {
        self.strictness == Strictness::Mend
    }

    pub(crate) fn note(&mut self, at: impl Display, sort: NoteSort, what: impl Into<String>) {
        self.mended.push(Note { at: at.to_string(), sort, what: what.into() });
    }

    /// What cannot be read: told, where it is mended, else an error.
    pub(crate) fn mend(
        &mut self,
        at: impl Display,
        sort: NoteSort,
        what: impl Into<String>,
        or: impl FnOnce() -> ErrorKind,
    ) -> Result<(), Error> {
        match self.strictness {
            Strictness::Mend => {
                self.note(at, sort, what);
                Ok(())
            }
            Strictness::Refuse => Err(Error::new(or(), at.to_string())),
        }
    }

    /// Tells of every field that says something and is neither read nor known to shape no prompt.
    pub(crate) fn ignore_others(&mut self, at: &Path<'_>, fields: &Fields<'_>, known: &[&[&str]]) {
        for (name, value) in fields.iter() {
            if !value.is_nothing() && !known.iter().any(|names| names.contains(&name)) {
                self.ignored.push(at.field(name).to_string());
            }
        }
    }
}

/// Where in the request the parts of a chat come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(HashMap<String, String>);

impl Places {
    /// Says that a part of the chat comes from a place of the request.
    pub(crate) fn say(&mut self, part: impl Display, place: impl Display) {
        let (part, place) = (part.to_string(), place.to_string());
        if part == place {
            self.0.remove(&part);
        } else {
            self.0.insert(part, place);
        }
    }

    /// Is every part of the chat where it was in the request?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place in the request that a path in the chat means.
    pub(crate) fn of(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let ends = path.char_indices().filter(|(_, char)| matches!(char, '.' | '[')).map(|(at, _)| at);
        for end in std::iter::once(path.len()).chain(ends.collect::<Vec<_>>().into_iter().rev()) {
            if let (Some(part), Some(rest)) = (path.get(..end), path.get(end..))
                && let Some(place) = self.0.get(part)
            {
                return format!("{place}{rest}");
            }
        }
        path.to_owned()
    }
}
