//! What was read in, in the order of the output; deltas out, calls in the way that the caller chose.

use std::collections::VecDeque;
use std::ops::Range;

use super::delta::{Delta, ToolCallDelta, ToolCallEnd};
use super::ids::CallDeltas;
use super::liberty::{Liberty, LibertyKind};

/// Deltas in order; more of the same joins the last one.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    calls: CallDeltas,
    open: Option<OpenCall>,
    ids: Ids,
}

#[derive(Debug)]
struct Entry {
    delta: Delta,
    ids: Range<usize>,
}

/// Which token ids the next delta comes from.
#[derive(Debug, Default)]
struct Ids {
    /// How many were pushed.
    pushed: usize,
    /// The first that no delta comes from yet.
    untold: usize,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEnd {
    Complete,
    /// The model ended it, but it is not right.
    Broken,
    /// The output ended inside of it, and may have been cut off.
    CutOff,
}

/// A call that has not come to its end.
#[derive(Debug, Default)]
struct OpenCall {
    index: usize,
    id: Option<String>,
    name: Option<String>,
    /// Arguments that were not told yet.
    arguments: String,
    /// Was the client told of the call?
    told: bool,
}

impl Queue {
    pub(super) fn set_calls(&mut self, calls: CallDeltas) {
        self.calls = calls;
    }

    /// The next delta, and the positions of the token ids that it comes from.
    pub(super) fn pop(&mut self) -> Option<(Delta, Range<usize>)> {
        self.entries.pop_front().map(|entry| (entry.delta, entry.ids))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The next id is read.
    pub(super) fn next_id(&mut self) {
        self.ids.pushed += 1;
    }

    pub(super) fn pushed_ids(&self) -> usize {
        self.ids.pushed
    }

    pub(super) fn push(&mut self, delta: Delta) {
        let ids = self.ids();
        self.entries.push_back(Entry { delta, ids });
    }

    fn ids(&mut self) -> Range<usize> {
        let begin = self.ids.untold.min(self.ids.pushed.saturating_sub(1));
        self.ids.untold = self.ids.pushed;
        begin..self.ids.pushed
    }

    /// The last delta, if more can join it: its text then comes from the id that is read, too.
    fn last(&mut self, accepts: impl Fn(&Delta) -> bool) -> Option<&mut Delta> {
        let end = self.ids.pushed;
        let last = self.entries.back_mut().filter(|last| accepts(&last.delta))?;
        last.ids.end = end;
        self.ids.untold = end;
        Some(&mut last.delta)
    }

    pub(super) fn text(&mut self, text: &str) {
        match self.last(|last| matches!(last, Delta::Text(_))) {
            Some(Delta::Text(last)) => last.push_str(text),
            _ => self.push(Delta::Text(text.to_owned())),
        }
    }

    pub(super) fn thinking(&mut self, text: &str) {
        match self.last(|last| matches!(last, Delta::Thinking(_))) {
            Some(Delta::Thinking(last)) => last.push_str(text),
            _ => self.push(Delta::Thinking(text.to_owned())),
        }
    }

    /// What has no place in the answer.
    pub(super) fn rest(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.last(|last| matches!(last, Delta::Rest(_))) {
            Some(Delta::Rest(last)) => last.push_str(text),
            _ => self.push(Delta::Rest(text.to_owned())),
        }
    }

    pub(super) fn liberty(&mut self, kind: LibertyKind, at: impl Into<String>, offset: usize) {
        self.push(Delta::Liberty(Liberty { kind, at: at.into(), offset }));
    }

    /// The id of a call. One that comes after the name is reported at the end of the call.
    pub(super) fn call_id(&mut self, index: usize, id: String) {
        self.open_call(index).id = Some(id);
    }

    /// The name of a call, whole: the client can be told of it.
    pub(super) fn call_name(&mut self, index: usize, name: String) {
        self.open_call(index).name = Some(name);
        match self.calls {
            CallDeltas::Streamed(_) => self.tell_call(),
            CallDeltas::Whole(_) => {}
        }
    }

    pub(super) fn arguments(&mut self, index: usize, more: &str) {
        let call = self.open_call(index);
        if !call.told {
            call.arguments.push_str(more);
            return;
        }
        match self.last(|last| matches!(last, Delta::ToolCall(last) if last.index == index)) {
            Some(Delta::ToolCall(last)) => last.arguments.push_str(more),
            _ if more.is_empty() => {}
            _ => {
                let arguments = more.to_owned();
                self.push(Delta::ToolCall(ToolCallDelta { index, arguments, ..ToolCallDelta::default() }));
            }
        }
    }

    /// Ends the call that is open; without a name there is no call, and what was read of it is left over. So is one that
    /// was cut off, if calls are sent whole. Says whether there was a call.
    pub(super) fn end_call(&mut self, end: CallEnd) -> bool {
        match (end, &self.calls) {
            (CallEnd::CutOff, CallDeltas::Whole(_)) => {}
            _ => self.tell_call(),
        }
        let Some(call) = self.open.take() else { return false };
        if !call.told {
            for text in [call.name, call.id, Some(call.arguments)].into_iter().flatten() {
                self.rest(&text);
            }
            return false;
        }
        let complete = end == CallEnd::Complete;
        self.push(Delta::ToolCallEnd(ToolCallEnd { index: call.index, written_id: call.id, complete }));
        true
    }

    fn open_call(&mut self, index: usize) -> &mut OpenCall {
        self.open.get_or_insert_with(|| OpenCall { index, ..OpenCall::default() })
    }

    /// Tells the client of the open call, unless it was told or the name is not known.
    fn tell_call(&mut self) {
        let Some(call) = self.open.as_mut().filter(|call| !call.told) else { return };
        let Some(name) = call.name.take() else { return };
        call.told = true;
        let (index, arguments) = (call.index, std::mem::take(&mut call.arguments));
        let written = call.id.take_if(|id| !id.is_empty());
        let (CallDeltas::Streamed(ids) | CallDeltas::Whole(ids)) = &mut self.calls;
        let id = written.or_else(|| ids.make(index, &name));
        self.push(Delta::ToolCall(ToolCallDelta { index, id, name: Some(name), arguments }));
    }
}
