//! Which names can be seen where, each with the value that it has there at hand.
//!
//! A name's value is found by its number alone: a frame that gives a name another value keeps what was seen before, and
//! brings it back when it is left. Code that stands in another frame than its caller, a macro's, is run with the frames
//! between the two put out of sight.

use super::super::error::{Done, Stop};
use super::super::syntax::Name;
use super::super::value::Value;

/// The frame of what no frame has given a value.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone)]
struct Binding<'r> {
    value: Option<Value<'r>>,
    frame: u32,
}

struct Frame {
    /// Where what it keeps begins.
    start: usize,
    /// The frame that it can look into.
    parent: u32,
    /// Tells it from others that have stood in its place.
    serial: u64,
}

pub(super) struct Scopes<'r> {
    /// What each name stands for now.
    seen: Vec<Binding<'r>>,
    /// What the names that frames have given a value stood for before; of frames that are out of sight, their own values.
    kept: Vec<(Name, Binding<'r>)>,
    frames: Vec<Frame>,
    serial: u64,
}

impl<'r> Scopes<'r> {
    pub(super) fn new(names: usize) -> Self {
        Scopes {
            seen: vec![Binding { value: None, frame: NOWHERE }; names],
            kept: Vec::with_capacity(32),
            frames: vec![Frame { start: 0, parent: 0, serial: 0 }],
            serial: 0,
        }
    }

    /// How many frames there are; the root is one.
    pub(super) fn count(&self) -> usize {
        self.frames.len()
    }

    /// The innermost frame, and what tells it from others.
    pub(super) fn innermost(&self) -> (u32, u64) {
        let frame = u32::try_from(self.frames.len() - 1).unwrap_or_default();
        (frame, self.frames.last().map_or(0, |frame| frame.serial))
    }

    pub(super) fn push(&mut self, parent: u32) {
        self.serial += 1;
        self.frames.push(Frame { start: self.kept.len(), parent, serial: self.serial });
    }

    /// Leaves all frames but the first `count`; of the others none is out of sight.
    pub(super) fn pop_to(&mut self, count: usize) {
        if let Some(frame) = self.frames.get(count) {
            let start = frame.start;
            self.forget(start);
            self.frames.truncate(count);
        }
    }

    /// Takes the innermost frame's names from it, as another turn of a loop does.
    pub(super) fn renew(&mut self) {
        self.serial += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.serial = self.serial;
            let start = frame.start;
            self.forget(start);
        }
    }

    fn forget(&mut self, start: usize) {
        while self.kept.len() > start
            && let Some((name, before)) = self.kept.pop()
        {
            if let Some(binding) = self.seen.get_mut(name.0 as usize) {
                *binding = before;
            }
        }
    }

    /// What a name stands for, where something gave it a value.
    pub(super) fn get(&self, name: Name) -> Option<&Value<'r>> {
        self.seen.get(name.0 as usize)?.value.as_ref()
    }

    /// Has the innermost frame itself given the name a value?
    pub(super) fn is_own(&self, name: Name) -> bool {
        let innermost = self.frames.len() - 1;
        self.seen.get(name.0 as usize).is_some_and(|binding| binding.frame as usize == innermost)
    }

    /// Gives a name a value in the innermost frame.
    pub(super) fn set(&mut self, name: Name, value: Value<'r>) {
        let frame = (self.frames.len() - 1) as u32;
        let Some(binding) = self.seen.get_mut(name.0 as usize) else { return };
        if binding.frame == frame {
            binding.value = Some(value);
        } else {
            let before = std::mem::replace(binding, Binding { value: Some(value), frame });
            self.kept.push((name, before));
        }
    }

    /// The value that the innermost frame has given the name, out of its place until it is set again.
    pub(super) fn take(&mut self, name: Name) -> Option<Value<'r>> {
        if self.is_own(name) { self.seen.get_mut(name.0 as usize)?.value.take() } else { None }
    }

    /// Raises where a frame has been left.
    pub(super) fn alive(&self, frame: u32, serial: u64) -> Done<()> {
        match self.frames.get(frame as usize) {
            Some(frame) if frame.serial == serial => Ok(()),
            _ => Err(Stop::new("TemplateRuntimeError", "a macro or loop is called after the loop that defined it")),
        }
    }

    fn parent(&self, frame: u32) -> u32 {
        self.frames.get(frame as usize).map_or(0, |frame| frame.parent)
    }

    /// Puts in sight what can be seen from one frame instead of what can be seen from another.
    pub(super) fn switch(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        // A frame's parent stands before it.
        let (mut one, mut other) = (from, to);
        while one != other {
            if one > other {
                one = self.parent(one);
            } else {
                other = self.parent(other);
            }
        }
        let common = one;
        let mut frame = from;
        while frame != common {
            self.exchange(frame, true);
            frame = self.parent(frame);
        }
        let mut shown = Vec::new();
        let mut frame = to;
        while frame != common {
            shown.push(frame);
            frame = self.parent(frame);
        }
        for frame in shown.into_iter().rev() {
            self.exchange(frame, false);
        }
    }

    /// Exchanges what is seen of a frame's names with what it keeps.
    fn exchange(&mut self, frame: u32, backwards: bool) {
        let place = frame as usize;
        let start = self.frames.get(place).map_or(0, |frame| frame.start);
        let end = self.frames.get(place + 1).map_or(self.kept.len(), |next| next.start);
        let seen = &mut self.seen;
        let mut exchange = |(name, kept): &mut (Name, Binding<'r>)| {
            if let Some(binding) = seen.get_mut(name.0 as usize) {
                std::mem::swap(binding, kept);
            }
        };
        let kept = self.kept.get_mut(start..end).unwrap_or_default();
        match backwards {
            true => kept.iter_mut().rev().for_each(&mut exchange),
            false => kept.iter_mut().for_each(&mut exchange),
        }
    }
}
