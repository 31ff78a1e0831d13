//! The names that a template speaks of, numbered as they are met.

use super::syntax::{Assigned, Name};

/// The names of a program, in the order in which they are met.
#[derive(Default)]
pub(super) struct Names<'s> {
    known: Vec<(&'s str, Assigned)>,
    /// How many loops are open in the macro that is read, or outside of macros.
    pub(super) loops: usize,
    /// How many names have been set, but for those of loops.
    pub(super) sets: usize,
}

impl<'s> Names<'s> {
    pub(super) fn number(&mut self, name: &'s str) -> Name {
        let known = self.known.iter().position(|(known, _)| *known == name);
        Name(known.unwrap_or_else(|| {
            self.known.push((name, Assigned::Nowhere));
            self.known.len() - 1
        }))
    }

    /// The same, of a name that is given a value here.
    pub(super) fn assigned(&mut self, name: &'s str) -> Name {
        let name = self.number(name);
        if let Some((_, assigned)) = self.known.get_mut(name.0) {
            *assigned = if *assigned == Assigned::Nowhere { Assigned::Once } else { Assigned::Often };
        }
        name
    }

    /// Has the template given the name a value, up to here?
    pub(super) fn is_assigned(&self, name: &str) -> bool {
        self.known.iter().any(|(known, assigned)| *known == name && *assigned != Assigned::Nowhere)
    }

    pub(super) fn in_loop(&self) -> bool {
        self.loops > 0
    }

    pub(super) fn into_list(self) -> Vec<(Box<str>, Assigned)> {
        self.known.into_iter().map(|(name, assigned)| (name.into(), assigned)).collect()
    }
}
