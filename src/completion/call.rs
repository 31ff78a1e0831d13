//! A call that control tokens part into name, id and arguments: text and control tokens in, deltas out.

use super::arguments::{Arguments, Sink};
use super::delta::{Queue, ToolCallDelta};
use super::fault::{Faults, Rank, call_path};
use crate::control::Control;
use crate::error::ErrorKind;

/// What is held back of a name or id before it is given in parts.
pub(super) const LONGEST_NAME: usize = 256;

/// Is a call's id in the text?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    Written,
    Unwritten,
}

/// One call: name, perhaps `[CALL_ID]` and id, `[ARGS]`, arguments.
#[derive(Debug)]
pub(super) struct Call {
    index: usize,
    /// Where the call begins.
    offset: usize,
    ids: Ids,
    part: Part,
    name: Option<String>,
    id: Option<String>,
    /// Was anything given out?
    pub(super) given: bool,
    arguments: Arguments,
    pub(super) faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Id,
    Arguments,
}

impl Call {
    pub(super) fn new(index: usize, offset: usize, ids: Ids) -> Self {
        Call {
            index,
            offset,
            ids,
            part: Part::Name,
            name: Some(String::new()),
            id: None,
            given: false,
            arguments: Arguments::new(),
            faults: Faults::default(),
        }
    }

    pub(super) fn text(&mut self, text: &str, offset: usize, out: &mut Queue) {
        match self.part {
            Part::Name => self.name.get_or_insert_default().push_str(text),
            Part::Id => self.id.get_or_insert_default().push_str(text),
            Part::Arguments => {
                let mut sink = Sink { index: self.index, out, faults: &mut self.faults };
                return self.arguments.push(text, offset, &mut sink);
            }
        }
        let held = self.name.as_ref().map_or(0, String::len) + self.id.as_ref().map_or(0, String::len);
        // Once part of it was given, however the text was cut, so is the rest.
        if held > LONGEST_NAME || self.given {
            self.give_held(out);
        }
    }

    /// Takes a control token, and says whether it has a place here.
    pub(super) fn control(&mut self, control: Control, offset: usize, out: &mut Queue) -> bool {
        match (control, self.part) {
            (Control::Args, Part::Name | Part::Id) => {
                self.part = Part::Arguments;
                self.give_held(out);
            }
            (Control::CallId, Part::Name) if self.ids == Ids::Written => {
                self.part = Part::Id;
                self.id = Some(String::new());
            }
            (Control::Args, Part::Arguments) => {
                self.note(Rank::Tokens, ErrorKind::CallTokenTwice { control: "[ARGS]", offset });
            }
            (Control::CallId, Part::Id) if self.ids == Ids::Written => {
                self.note(Rank::Tokens, ErrorKind::CallTokenTwice { control: "[CALL_ID]", offset });
            }
            (Control::CallId, Part::Arguments) if self.ids == Ids::Written => {
                self.note(Rank::Tokens, ErrorKind::CallIdAfterArguments { offset });
            }
            _ => return false,
        }
        true
    }

    pub(super) fn finish(&mut self, offset: usize, out: &mut Queue) {
        match self.part {
            Part::Arguments => {
                let mut sink = Sink { index: self.index, out, faults: &mut self.faults };
                self.arguments.finish(offset, &mut sink);
            }
            // A name or id without its end may be half of one, so it is not given.
            Part::Name | Part::Id => {
                self.note(Rank::Tokens, ErrorKind::CallWithoutArguments { offset: self.offset });
            }
        }
    }

    fn note(&mut self, rank: Rank, kind: ErrorKind) {
        self.faults.note(rank, kind, call_path(self.index));
    }

    fn give_held(&mut self, out: &mut Queue) {
        self.given = true;
        let (id, name) = (self.id.take(), self.name.take());
        out.call(ToolCallDelta { index: self.index, id, name, arguments: String::new() });
    }
}
