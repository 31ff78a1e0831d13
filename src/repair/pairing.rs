//! Calls and their results: those that lack the other, or stand in the wrong message.

use std::collections::BTreeMap;

use super::call_results::{Round, rounds};
use super::mending::{Calls, Item, Mending};
use super::{OpenCalls, RepairKind, StrayResults, TextBesideCalls};
use crate::chat::{Content, Message, Role, ToolCall, ToolMessage};
use crate::render::check::says_nothing;

impl<'c> Mending<'_, 'c> {
    /// Gives every call that must have one a result, and every result its call.
    pub(super) fn pairing(&mut self) {
        self.reunite();
        self.join_calls();
        if matches!(&*self.chat.messages, [first, Message::Tool(_), ..] if !first.tool_calls().is_empty()) {
            self.add_user("the calls of a chat's first message can have no results, unless a message is before it");
        }
        if self.layout.rules.pairing.is_by_id() {
            self.ids();
        }
        let replies = self.chat.messages.iter().filter(|message| message.role() == Role::Assistant).count();
        let mut before = 0;
        for (index, round) in rounds(self.take()).into_iter().enumerate() {
            before += usize::from(round.head.as_ref().is_some_and(|head| head.role() == Role::Assistant));
            // The calls of the first message are not counted, and those of the last only where they are to be served.
            let is_closed = index > 0 && (before < replies || self.layout.mode.serves());
            self.pair(round, is_closed);
        }
    }

    /// Mends one round; where it `is_closed`, all its calls must have results.
    fn pair(&mut self, mut round: Round<'c>, is_closed: bool) {
        if !self.layout.rules.pairing.is_by_id() && round.calls().len() == round.results.len() {
            return self.put_round(round);
        }
        let matches = round.matches();
        let mut answered = vec![false; round.calls().len()];
        matches.iter().flatten().for_each(|call| answered.iter_mut().skip(*call).take(1).for_each(|it| *it = true));
        let (mut kept, mut strays) = (Vec::new(), Vec::new());
        for (position, (result, call)) in round.results.drain(..).zip(matches).enumerate() {
            // The first message of a chat is not a result of anything, and is taken so.
            let is_first = round.head.is_none() && position == 0;
            match (is_first, call) {
                (true, _) | (false, Some(_)) => kept.push(result),
                (false, None) => strays.extend(self.stray(result)),
            }
        }
        round.results = kept;
        if is_closed && answered.contains(&false) {
            self.close(&mut round, &answered);
        }
        self.put_round(round);
        self.put(strays);
    }

    fn put_round(&mut self, round: Round<'c>) {
        self.put(round.head);
        self.put(round.results);
    }

    /// What becomes of a result without a call.
    pub(super) fn stray(&mut self, item: Item<'c>) -> Option<Item<'c>> {
        let Item { message, source } = item;
        let Message::Tool(result) = message else { return Some(Item { message, source }) };
        match self.policy.stray_results {
            StrayResults::Drop => {
                let what = "the result has no call, and was left out";
                self.record(source.path(), RepairKind::ResultDropped, what);
                None
            }
            StrayResults::AsUser => {
                let what = "the result has no call, and became a user message";
                self.record(source.path(), RepairKind::ResultAsUser, what);
                Some(Item { message: Message::User(result.content), source })
            }
        }
    }

    /// What becomes of the calls of a round that have no result.
    fn close(&mut self, round: &mut Round<'c>, answered: &[bool]) {
        let Some(head) = &mut round.head else { return };
        match self.policy.open_calls {
            OpenCalls::Drop => {
                let mut answered = answered.iter();
                self.drop_calls(head, "has no result", |_| answered.next() != Some(&false));
            }
            OpenCalls::Answer(text) => {
                for (position, _) in answered.iter().enumerate().filter(|(_, answered)| !**answered) {
                    round.results.extend(self.answer(head, position, text));
                }
            }
        }
    }

    /// A result that is made up for a call.
    fn answer(&mut self, head: &Item<'c>, position: usize, text: &'static str) -> Option<Item<'c>> {
        let call = head.message.tool_calls().get(position)?;
        let what = format!("the call has no result, and got {text:?}");
        self.record(head.source.call_path(position), RepairKind::CallAnswered, what);
        let name = self.layout.results.have_names().then(|| call.name.clone());
        let content = Content::from(text);
        Some(Item::added(Message::Tool(ToolMessage { content, call_id: call.id.clone(), name })))
    }

    /// Leaves out the calls of a message that are not to stay.
    fn drop_calls(&mut self, item: &mut Item<'c>, why: &str, mut stays: impl FnMut(&ToolCall<'_>) -> bool) {
        let mut kept = Calls::default();
        for (call, source) in item.take_calls().into_pairs() {
            if stays(&call) {
                kept.push(call, source);
            } else {
                let at = source.path();
                let what = format!("the call of {:?} {why}, and was left out", call.name);
                self.record(at, RepairKind::CallDropped, what);
            }
        }
        item.put_calls(kept);
    }

    /// Calls that stand in several messages before the first result go into the last of these.
    fn join_calls(&mut self) {
        let mut waiting = Calls::default();
        let mut items = self.take().enumerate().peekable();
        while let Some((index, mut item)) = items.next() {
            if item.role() == Role::Assistant {
                item.put_calls(std::mem::take(&mut waiting));
            }
            let next_is_reply = items.peek().is_some_and(|(_, next)| next.weight() == item.weight());
            if index > 0 && item.has_calls() && next_is_reply {
                let what = "the calls have no result yet, and went into the next message";
                self.record(item.source.path(), RepairKind::CallsJoined, what);
                waiting = item.take_calls();
                if says_nothing(item.message.content()) {
                    continue;
                }
            }
            self.put([item]);
        }
    }

    /// Leaves out all calls and results, where the layout has none.
    pub(super) fn drop_tools(&mut self) {
        for mut item in self.take() {
            self.drop_calls(&mut item, "has no place in the layout", |_| false);
            let item = self.stray(item);
            self.put(item);
        }
    }

    /// Gives each call of the last turns a message of its own, before its result.
    pub(super) fn split_calls(&mut self) {
        // A result of another round's call would be taken for one of these.
        self.reunite();
        let last_user = self.chat.messages.iter().rposition(|message| message.role() == Role::User).unwrap_or_default();
        let before: Vec<Item<'c>> = self.take().collect();
        let (mut old, mut new) = (before, Vec::new());
        new.extend(old.drain(last_user.min(old.len())..));
        self.put(old);
        for round in rounds(new) {
            match round.head {
                Some(head) if head.has_calls() && round.results.len() > 1 => self.split(head, round.results),
                head => self.put_round(Round { head, results: round.results }),
            }
        }
    }

    fn split(&mut self, head: Item<'c>, results: Vec<Item<'c>>) {
        let round = Round { head: Some(head), results };
        let matches = round.matches();
        let Round { head: Some(mut head), results } = round else { return };
        let (mut strays, mut of_call) = (Vec::new(), BTreeMap::new());
        for (call, result) in matches.into_iter().zip(results) {
            match call {
                Some(call) => drop(of_call.insert(call, result)),
                None => strays.extend(self.stray(result)),
            }
        }
        if of_call.len() > 1 {
            let what = "the layout takes one result a message, and each call got a message of its own";
            self.record(head.source.path(), RepairKind::CallsSplit, what);
        }
        let (mut pairs, mut open) = (Vec::new(), Calls::default());
        for (position, (call, source)) in head.take_calls().into_pairs().enumerate() {
            match of_call.remove(&position) {
                Some(result) => pairs.push((Calls::one(call, source), result)),
                None => open.push(call, source),
            }
        }
        // Calls without a result stay with the last that has one.
        let last = pairs.pop();
        for (calls, result) in pairs {
            let next = head.next_of_turn();
            let mut item = std::mem::replace(&mut head, next);
            item.put_calls(calls);
            self.put([item, result]);
        }
        head.put_calls(open);
        let result = last.map(|(calls, result)| {
            head.put_calls(calls);
            result
        });
        self.put([head]);
        self.put(result);
        self.put(strays);
    }

    /// Leaves out the text, or the calls, of turns that have both.
    pub(super) fn text_beside_calls(&mut self) {
        let mut turn: Vec<Round<'c>> = Vec::new();
        for round in rounds(self.take()) {
            let goes_on = turn.last().is_some_and(|last| last.results.is_empty() && same_turn(last, &round));
            if !goes_on {
                self.one_of_text_and_calls(std::mem::take(&mut turn));
            }
            turn.push(round);
        }
        self.one_of_text_and_calls(turn);
    }

    fn one_of_text_and_calls(&mut self, turn: Vec<Round<'c>>) {
        let heads = || turn.iter().filter_map(|round| round.head.as_ref());
        let has_both = heads().any(Item::has_calls) && heads().any(|head| !head.message.content().is_empty());
        for mut round in turn {
            match (has_both, self.policy.text_beside_calls) {
                (false, _) => {}
                (true, TextBesideCalls::DropText) => round.head = round.head.and_then(|head| self.drop_text(head)),
                (true, TextBesideCalls::DropCalls) => {
                    if let Some(head) = &mut round.head {
                        self.drop_calls(head, "stands beside text", |_| false);
                    }
                    let results = std::mem::take(&mut round.results);
                    round.results = results.into_iter().filter_map(|result| self.stray(result)).collect();
                }
            }
            self.put_round(round);
        }
    }

    fn drop_text(&mut self, mut item: Item<'c>) -> Option<Item<'c>> {
        let Message::Assistant(message) = &mut item.message else { return Some(item) };
        if !message.content.is_empty() {
            message.content = Content::default();
            let what = "the text stands beside calls, and was left out";
            self.record(format!("{}.content", item.source.path()), RepairKind::TextDropped, what);
        }
        item.has_calls().then_some(item)
    }

    /// Mends the calls of the last message, which nothing follows.
    pub(super) fn last_calls(&mut self, item: &mut Item<'c>) -> Vec<Item<'c>> {
        match self.policy.open_calls {
            OpenCalls::Drop => {
                self.drop_calls(item, "has no result", |_| false);
                Vec::new()
            }
            OpenCalls::Answer(text) => {
                let count = item.message.tool_calls().len();
                (0..count).filter_map(|position| self.answer(item, position, text)).collect()
            }
        }
    }

    /// Adds an empty user message at the beginning.
    pub(super) fn add_user(&mut self, why: &str) {
        let items: Vec<_> = self.take().collect();
        self.record("messages[0]", RepairKind::UserAdded, format!("{why}, and got an empty user message before it"));
        self.put([Item::added(Message::user(""))]);
        self.put(items);
    }
}

/// Are the heads of two rounds messages of one assistant turn?
fn same_turn(one: &Round<'_>, next: &Round<'_>) -> bool {
    match (&one.head, &next.head) {
        (Some(one), Some(next)) => one.weight().is_some() && one.weight() == next.weight(),
        _ => false,
    }
}
