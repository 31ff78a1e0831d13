//! The turns of loops.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::error::{Done, Stop};
use super::super::syntax::{LoopCode, Name};
use super::super::value::{List, LoopState, Value};
use super::Machine;

pub(super) struct OpenLoop<'r> {
    pub(super) state: Rc<LoopState<'r>>,
    next: usize,
    /// What has been chosen of the items, while they are.
    chosen: Vec<Value<'r>>,
    /// Did a turn run to its end?
    pub(super) ran: bool,
    /// What is raised when the items are used up.
    failure: Option<Stop>,
}

impl<'r> Machine<'r> {
    pub(super) fn start_loop(&mut self, code: u32) -> Done<()> {
        let (frame, serial) = self.scopes.innermost();
        self.start_loop_in(code, (frame, serial), 0)
    }

    pub(super) fn start_loop_in(&mut self, code: u32, (frame, serial): (u32, u64), depth0: usize) -> Done<()> {
        let (items, failure) = match self.pop() {
            Value::List(list) | Value::Tuple(list) => (list, None),
            iterated => {
                let (items, failure) = self.iterate_all(&iterated)?;
                (Rc::new(List::of(items)?), failure)
            }
        };
        self.charge(items.items.len() / 8)?;
        let start = if depth0 == 0 { self.at - 1 } else { self.at };
        let (index, changed) = (Cell::new(0), RefCell::new(None));
        let state = LoopState { list: items, index, depth0, code, start, frame, serial, changed };
        self.loops.push(OpenLoop { state: Rc::new(state), next: 0, chosen: Vec::new(), ran: false, failure });
        self.scopes.push(frame);
        Ok(())
    }

    fn loop_code(&self) -> Option<&'r LoopCode> {
        self.program.loops.get(self.loops.last()?.state.code as usize)
    }

    /// Must the innermost loop know its items before its first turn?
    pub(super) fn selects(&self) -> bool {
        self.loop_code().is_some_and(|code| code.selects)
    }

    /// Pushes the first of the items that are to be chosen from, or jumps where none is.
    pub(super) fn begin_selection(&mut self, far: i32) {
        let first = self.loops.last().and_then(|open| open.state.items().first().cloned());
        match first.filter(|_| self.selects()) {
            Some(first) => self.stack.push(first),
            None => self.jump(far),
        }
    }

    /// Takes whether an item was chosen, and pushes the next one.
    pub(super) fn select_item(&mut self, far: i32) {
        let passes = self.pop().is_true();
        let Some(open) = self.loops.last_mut() else { return };
        if passes && let Some(item) = open.state.items().get(open.next) {
            open.chosen.push(item.clone());
        }
        open.next += 1;
        if let Some(next) = open.state.items().get(open.next) {
            self.stack.push(next.clone());
            self.jump(far);
            return;
        }
        let LoopState { depth0, code, start, frame, serial, .. } = *open.state;
        let items = std::mem::take(&mut open.chosen);
        let list = Rc::new(List { items, depth: open.state.list.depth, is_group: false });
        let (index, changed) = (Cell::new(0), RefCell::new(None));
        open.state = Rc::new(LoopState { list, index, depth0, code, start, frame, serial, changed });
        open.next = 0;
    }

    /// The item of the next turn, for which the frame is made anew; after the last item, jumps.
    pub(super) fn next_item(&mut self, far: i32) -> Done<Option<Value<'r>>> {
        self.scopes.renew();
        let Some(open) = self.loops.last_mut() else { return Ok(None) };
        let Some(item) = open.state.items().get(open.next).cloned() else {
            let failure = open.failure.take();
            self.jump(far);
            return failure.map_or(Ok(None), Err);
        };
        open.state.index.set(open.next);
        open.next += 1;
        if let Some(name) = self.program.loops.get(open.state.code as usize).and_then(|code| code.loop_name) {
            self.scopes.set(name, Value::Loop(Rc::clone(&open.state)));
        }
        Ok(Some(item))
    }

    pub(super) fn next_item_into(&mut self, name: Name, far: i32) -> Done<()> {
        if let Some(item) = self.next_item(far)? {
            self.scopes.set(name, item);
        }
        Ok(())
    }

    pub(super) fn end_loop(&mut self, far: i32) {
        let ran = self.loops.pop().is_some_and(|open| {
            open.state.changed.take();
            open.ran
        });
        self.scopes.pop_to(self.scopes.count() - 1);
        if ran {
            self.jump(far);
        }
    }
}
