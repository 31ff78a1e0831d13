//! A call that control tokens part into name, id and arguments: text and control tokens in, deltas out.

use super::arguments::{Arguments, End, Sink};
use super::fault::{Faults, Rank, call_path, field_path};
use super::liberty::{Leniency, LibertyKind};
use super::queue::{CallEnd, Queue};
use crate::control::Control;
use crate::error::ErrorKind;
use crate::layout::{Layout, ToolCalls};

/// One call: name, perhaps `[CALL_ID]` and id, `[ARGS]`, arguments.
#[derive(Debug)]
pub(super) struct Call {
    index: usize,
    /// Where the call begins.
    offset: usize,
    form: ToolCalls,
    leniency: Leniency,
    /// Are `[ARGS]` and its kin control tokens of the layout? Then text only spells them.
    has_tokens: bool,
    part: Part,
    /// What is held of the part before the arguments, and where it begins.
    held: String,
    held_offset: usize,
    name: String,
    id: Option<String>,
    arguments: Arguments,
    pub(super) faults: Faults,
}

/// The longest that a function's name may be, where a lenient reader has to tell it from prose.
pub(super) const LONGEST_NAME: usize = 64;

/// The longest white space after a parenthesis: what is held is looked at again from the longest literal's length on.
const LONGEST_SPACE: usize = 8;

/// Where a part ends, how many bytes say so, and the control token that they spell; `None` if the arguments begin.
struct Split {
    at: usize,
    length: usize,
    control: Option<Control>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Id,
    Arguments,
}

impl Call {
    pub(super) fn new(index: usize, offset: usize, form: ToolCalls, leniency: Leniency, layout: &Layout) -> Self {
        Call {
            index,
            offset,
            form,
            leniency,
            has_tokens: layout.vocabulary.contains(Control::Args),
            part: Part::Name,
            held: String::new(),
            held_offset: offset,
            name: String::new(),
            id: None,
            arguments: Arguments::new(leniency),
            faults: Faults::new(layout.name),
        }
    }

    /// The name, while nothing says where it ends.
    pub(super) fn name_alone(&self) -> Option<&str> {
        (self.part == Part::Name).then(|| self.held.trim())
    }

    pub(super) fn in_string(&self) -> bool {
        self.part == Part::Arguments && self.arguments.in_string()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.part == Part::Arguments && self.arguments.is_complete()
    }

    pub(super) fn text(&mut self, text: &str, offset: usize, out: &mut Queue) {
        if self.part == Part::Arguments {
            let mut sink = Sink::new(self.index, out, &mut self.faults);
            return self.arguments.push(text, offset, &mut sink);
        }
        if self.held.is_empty() {
            self.held_offset = offset;
        }
        // A literal that began in an earlier piece is shorter than this.
        let mut from = self.held.len().saturating_sub(Control::CallId.as_str().len());
        self.held.push_str(text);
        // Places are counted from the end: what was left out between two pieces lies before it.
        let end = offset + text.len();
        while let (Leniency::Lenient, Some(split)) = (self.leniency, self.split(from)) {
            let at = end.saturating_sub(self.held.len() - split.at);
            let later = self.held.split_off(split.at + split.length);
            let later_offset = end.saturating_sub(later.len());
            self.held.truncate(split.at);
            match split.control {
                Some(control) => {
                    if self.has_tokens {
                        out.liberty(LibertyKind::SpelledToken, call_path(self.index), at);
                    }
                    self.control(control, at, out);
                }
                None => {
                    out.liberty(LibertyKind::NoArgsToken, call_path(self.index), at);
                    self.end_part(Part::Arguments, out);
                }
            }
            if self.part == Part::Arguments {
                if !later.is_empty() {
                    self.text(&later, later_offset, out);
                }
                return;
            }
            (self.held, self.held_offset, from) = (later, later_offset, 0);
        }
    }

    /// Finds where a name or an id ends without a control token: at its literal, which is text where the version has no
    /// such token, or at the arguments.
    fn split(&self, from: usize) -> Option<Split> {
        let controls: &[Control] = match self.part {
            Part::Name => &[Control::Args, Control::CallId],
            Part::Id | Part::Arguments => &[Control::Args],
        };
        let bytes = self.held.as_bytes().get(from..).unwrap_or_default().iter().zip(from..);
        bytes.filter(|(byte, _)| matches!(byte, b'[' | b'{' | b'(' | b'`')).find_map(|(&byte, at)| {
            let (before, rest) = self.held.split_at_checked(at)?;
            if byte == b'{' || is_wrapped(rest) {
                let is_end = self.part == Part::Id || is_name(before.trim());
                return is_end.then_some(Split { at, length: 0, control: None });
            }
            let control = controls.iter().find(|control| rest.starts_with(control.as_str()))?;
            Some(Split { at, length: control.as_str().len(), control: Some(*control) })
        })
    }

    /// Takes a control token, and says whether it has a place here.
    pub(super) fn control(&mut self, control: Control, offset: usize, out: &mut Queue) -> bool {
        let writes_id = self.form.writes_ids();
        match (control, self.part) {
            (Control::Args, Part::Name | Part::Id) => self.end_part(Part::Arguments, out),
            (Control::CallId, Part::Name) if writes_id || self.leniency == Leniency::Lenient => {
                if !writes_id {
                    out.liberty(LibertyKind::CallIdToken, field_path(self.index, "id"), offset);
                }
                self.end_part(Part::Id, out);
            }
            (Control::Args, Part::Arguments) => {
                self.note(ErrorKind::CallTokenTwice { control: Control::Args.as_str(), offset });
            }
            (Control::CallId, Part::Id) if writes_id => {
                self.note(ErrorKind::CallTokenTwice { control: Control::CallId.as_str(), offset });
            }
            (Control::CallId, Part::Arguments) if writes_id => {
                self.note(ErrorKind::CallIdAfterArguments { offset });
            }
            _ => return false,
        }
        true
    }

    /// The text that comes after the arguments, where the reader is lenient.
    pub(super) fn take_after(&mut self) -> Option<String> {
        self.arguments.take_after()
    }

    /// Ends the text at `offset`. Says whether there was a call.
    pub(super) fn finish(&mut self, offset: usize, end: End, out: &mut Queue) -> bool {
        let is_named = self.part == Part::Id || is_name(self.held.trim());
        if self.part != Part::Arguments && self.leniency == Leniency::Lenient && end == End::Sure && is_named {
            out.liberty(LibertyKind::NameAlone, call_path(self.index), offset);
            self.end_part(Part::Arguments, out);
            out.arguments(self.index, "{}");
            return out.end_call(CallEnd::Complete);
        }
        match self.part {
            Part::Arguments => {
                let mut sink = Sink::new(self.index, out, &mut self.faults);
                let end = self.arguments.finish(offset, end, &mut sink);
                out.end_call(end)
            }
            // A name or id without its end may be half of one, so it is not a call.
            Part::Name | Part::Id => {
                self.note(ErrorKind::CallWithoutArguments { offset: self.offset });
                if self.part == Part::Id {
                    out.rest(&self.name);
                    out.rest(Control::CallId.as_str());
                }
                out.rest(&self.held);
                false
            }
        }
    }

    fn note(&mut self, kind: ErrorKind) {
        self.faults.note(Rank::Tokens, kind, call_path(self.index));
    }

    /// Ends the part that is held.
    fn end_part(&mut self, next: Part, out: &mut Queue) {
        let held = std::mem::take(&mut self.held);
        let value = match self.leniency {
            Leniency::Strict => held,
            Leniency::Lenient => {
                let trimmed = held.trim();
                if trimmed.len() != held.len() {
                    out.liberty(LibertyKind::NameSpaces, call_path(self.index), self.held_offset);
                }
                trimmed.to_owned()
            }
        };
        match self.part {
            Part::Name => self.name = value,
            Part::Id | Part::Arguments => self.id = Some(value),
        }
        self.part = next;
        if next == Part::Arguments {
            if let Some(id) = self.id.take() {
                out.call_id(self.index, id);
            }
            out.call_name(self.index, std::mem::take(&mut self.name));
        }
    }
}

/// Does what is around arguments begin here: a fence, or a parenthesis, perhaps with white space before what is in it?
fn is_wrapped(text: &str) -> bool {
    let inside = text.strip_prefix('(').map(str::trim_ascii_start);
    let space = inside.map_or(0, |inside| text.len() - 1 - inside.len());
    text.starts_with("```") || (space <= LONGEST_SPACE && inside.is_some_and(|inside| inside.starts_with(['{', ')'])))
}

/// Could this be a function's name?
pub(super) fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_name_byte)
}

pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
