//! A message of calls and the results behind it: which result is whose.

use std::collections::{HashMap, HashSet, VecDeque};

use super::mending::Item;
use crate::chat::{Message, ToolCall};

/// A message and the results that follow it.
pub(super) struct Round<'c> {
    /// The message that begins the round, of any role but a result's; `None` if the chat begins with results.
    pub(super) head: Option<Item<'c>>,
    pub(super) results: Vec<Item<'c>>,
}

impl Round<'_> {
    pub(super) fn calls(&self) -> &[ToolCall<'_>] {
        self.head.as_ref().map_or(&[], |item| item.message.tool_calls())
    }

    /// The call of each result.
    pub(super) fn matches(&self) -> Vec<Option<usize>> {
        let calls = self.calls();
        let mut open = Open::new(calls);
        let ids: HashSet<&str> = calls.iter().filter_map(|call| id(call.id.as_deref())).collect();
        let mut matches: Vec<Option<usize>> =
            self.results.iter().map(|result| result_id(result).and_then(|id| open.with_id(id))).collect();
        // One without an id, or with an id that no call has, goes by its name and else by its place.
        for (matched, result) in matches.iter_mut().zip(&self.results) {
            if matched.is_none() && result_id(result).is_none_or(|id| !ids.contains(id)) {
                *matched = open.with_name(result_name(result));
            }
        }
        matches
    }

    /// Puts the results into the order of their calls, and says whether they were in another.
    pub(super) fn sort_results(&mut self, matches: &[Option<usize>]) -> bool {
        let place = |call: &Option<usize>| call.unwrap_or(usize::MAX);
        if matches.is_sorted_by_key(place) {
            return false;
        }
        let mut results: Vec<_> = matches.iter().map(place).zip(self.results.drain(..)).collect();
        results.sort_by_key(|(call, _)| *call);
        self.results.extend(results.into_iter().map(|(_, result)| result));
        true
    }
}

/// The calls that have no result yet, each in every queue that it belongs to.
struct Open<'r> {
    by_id: HashMap<&'r str, VecDeque<usize>>,
    by_name: HashMap<&'r str, VecDeque<usize>>,
    all: VecDeque<usize>,
    answered: Vec<bool>,
}

impl<'r> Open<'r> {
    fn new(calls: &'r [ToolCall<'_>]) -> Self {
        let (mut by_id, mut by_name) = (HashMap::<_, VecDeque<_>>::new(), HashMap::<_, VecDeque<_>>::new());
        for (index, call) in calls.iter().enumerate() {
            if let Some(id) = id(call.id.as_deref()) {
                by_id.entry(id).or_default().push_back(index);
            }
            by_name.entry(&*call.name).or_default().push_back(index);
        }
        Open { by_id, by_name, all: (0..calls.len()).collect(), answered: vec![false; calls.len()] }
    }

    fn with_id(&mut self, id: &str) -> Option<usize> {
        next(self.by_id.get_mut(id)?, &mut self.answered)
    }

    fn with_name(&mut self, name: Option<&str>) -> Option<usize> {
        let queue = match name {
            Some(name) => self.by_name.get_mut(name)?,
            None => &mut self.all,
        };
        next(queue, &mut self.answered)
    }
}

/// The first of the queue that has no result yet, which it has from now on.
fn next(queue: &mut VecDeque<usize>, answered: &mut [bool]) -> Option<usize> {
    while let Some(call) = queue.pop_front() {
        if let Some(answered @ false) = answered.get_mut(call) {
            *answered = true;
            return Some(call);
        }
    }
    None
}

/// An id that is one.
pub(super) fn id(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !matches!(*id, "" | ToolCall::NULL_ID))
}

pub(super) fn result_id<'r>(item: &'r Item<'_>) -> Option<&'r str> {
    match &item.message {
        Message::Tool(result) => id(result.call_id.as_deref()),
        _ => None,
    }
}

fn result_name<'r>(item: &'r Item<'_>) -> Option<&'r str> {
    match &item.message {
        Message::Tool(result) => result.name.as_deref(),
        _ => None,
    }
}

/// Messages as rounds: each message that is not a result begins one.
pub(super) fn rounds<'c>(items: impl IntoIterator<Item = Item<'c>>) -> Vec<Round<'c>> {
    let mut rounds: Vec<Round<'c>> = Vec::new();
    for item in items {
        match (&item.message, rounds.last_mut()) {
            (Message::Tool(_), Some(round)) => round.results.push(item),
            (Message::Tool(_), None) => rounds.push(Round { head: None, results: vec![item] }),
            _ => rounds.push(Round { head: Some(item), results: Vec::new() }),
        }
    }
    rounds
}
