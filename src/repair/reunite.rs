//! Results far from their calls: each goes to its call, or its call comes to it, whichever keeps more of the prompt.
//!
//! While a call waits for its result, the request before each reply is mended without it. So where replies stand between
//! a call and its result, the call goes to the last of these replies: the prompt before it stays as it was. Where no reply
//! stands between, the result goes behind its call.

use std::collections::{HashMap, HashSet, VecDeque};

use super::RepairKind;
use super::call_results::{id, result_id, rounds};
use super::mending::{Calls, Item, Mending};
use crate::chat::{Message, Role};
use crate::render::check::says_nothing;

/// A call with an id.
struct Call {
    /// The message that it stands in.
    message: usize,
    position: usize,
    /// The message that it will stand in.
    home: usize,
    result: Option<usize>,
    /// The last reply before its result.
    reply: Option<usize>,
}

/// Where calls and results will stand. All numbers are those of messages.
#[derive(Default)]
struct Plan {
    calls: Vec<Call>,
    /// The results that leave their place, by the message of calls that they go behind.
    moved: HashMap<usize, Vec<usize>>,
    /// The results that a later one replaces.
    replaced: HashSet<usize>,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.replaced.is_empty() && self.calls.iter().all(|call| call.home == call.message)
    }
}

/// The calls of one id, in the messages that hold them.
#[derive(Default)]
struct Namesakes {
    /// Those without a result, oldest message first.
    open: VecDeque<(usize, VecDeque<usize>)>,
    /// The one that got its result last.
    answered: Option<usize>,
}

impl Namesakes {
    fn push(&mut self, message: usize, call: usize) {
        match self.open.back_mut() {
            Some((last, calls)) if *last == message => calls.push_back(call),
            _ => self.open.push_back((message, VecDeque::from([call]))),
        }
    }

    /// The first call without a result of the newest message that has one; else the call that got its result last.
    fn newest(&mut self) -> Option<usize> {
        while let Some((_, calls)) = self.open.back_mut() {
            if let Some(call) = calls.pop_front() {
                self.answered = Some(call);
                return Some(call);
            }
            self.open.pop_back();
        }
        self.answered
    }

    fn oldest(&mut self) -> Option<usize> {
        while let Some((_, calls)) = self.open.front_mut() {
            if let Some(call) = calls.pop_front() {
                return Some(call);
            }
            self.open.pop_front();
        }
        None
    }
}

/// The messages, as far as it matters where calls and results stand.
struct Map<'i, 'c> {
    items: &'i [Item<'c>],
    /// For each assistant message the last one of its turn, into which the calls of the others go.
    ends: Vec<usize>,
}

impl<'i, 'c> Map<'i, 'c> {
    fn of(items: &'i [Item<'c>]) -> Self {
        let mut ends: Vec<usize> = (0..items.len()).collect();
        for (index, pair) in items.windows(2).enumerate().skip(1).rev() {
            if let [one, next] = pair
                && one.weight().is_some()
                && one.weight() == next.weight()
                && let Some(end) = ends.get(index + 1).copied()
                && let Some(place) = ends.get_mut(index)
            {
                *place = end;
            }
        }
        Map { items, ends }
    }

    fn end(&self, message: usize) -> usize {
        self.ends.get(message).copied().unwrap_or(message)
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let mut by_id: HashMap<&str, Namesakes> = HashMap::new();
        let (mut reply, mut is_apart, mut early) = (None, false, Vec::new());
        for (index, item) in self.items.iter().enumerate() {
            match item.role() {
                Role::Assistant => {
                    (reply, is_apart) = (Some(index), false);
                    for (position, call) in item.message.tool_calls().iter().enumerate() {
                        if let Some(id) = id(call.id.as_deref()) {
                            by_id.entry(id).or_default().push(index, plan.calls.len());
                            plan.calls.push(Call { message: index, position, home: index, result: None, reply: None });
                        }
                    }
                }
                Role::Tool => {
                    let Some(id) = result_id(item) else { continue };
                    let call = by_id.get_mut(id).and_then(Namesakes::newest);
                    let call = call.and_then(|call| plan.calls.get_mut(call));
                    let (Some(call), Some(reply)) = (call, reply) else {
                        early.push((id, index));
                        continue;
                    };
                    plan.replaced.extend(call.result.replace(index));
                    call.reply = Some(reply);
                    if self.end(call.home) != self.end(reply) {
                        call.home = reply;
                    }
                    if is_apart {
                        plan.moved.entry(reply).or_default().push(index);
                    }
                }
                Role::System | Role::User => is_apart = true,
            }
        }
        // Where some calls go to a reply, those of its own turn whose results stand behind it go with them.
        let homes: HashSet<usize> =
            plan.calls.iter().filter(|call| call.home != call.message).map(|call| call.home).collect();
        for call in &mut plan.calls {
            if let Some(reply) = call.reply.filter(|reply| homes.contains(reply)) {
                call.home = reply;
            }
        }
        // A result before its call.
        for (id, index) in early {
            let call = by_id.get_mut(id).and_then(Namesakes::oldest);
            if let Some(call) = call.and_then(|call| plan.calls.get_mut(call)) {
                call.result = Some(index);
                plan.moved.entry(self.end(call.home)).or_default().push(index);
            }
        }
        plan
    }
}

impl<'c> Mending<'_, 'c> {
    /// Brings every result together with the call that has its id; of two results for one call, the last one counts.
    pub(super) fn reunite(&mut self) {
        let items: Vec<Item<'c>> = self.take().collect();
        let map = Map::of(&items);
        let plan = map.plan();
        if plan.is_empty() {
            return self.put(items);
        }
        self.tell(&items, &plan);
        let mut leaving: Vec<(usize, usize, usize)> = (plan.calls.iter())
            .filter(|call| call.home != call.message)
            .map(|call| (call.message, call.position, call.home))
            .collect();
        leaving.sort_unstable();
        let touched: HashSet<usize> =
            leaving.iter().map(|(_, _, home)| *home).chain(plan.moved.keys().copied()).collect();

        let mut slots: Vec<Option<Item<'c>>> = items.into_iter().map(Some).collect();
        let carried = carry(&mut slots, &leaving);
        let moved = displace(&mut slots, &plan);
        self.assemble(slots, carried, moved, &touched);
    }

    fn tell(&mut self, items: &[Item<'c>], plan: &Plan) {
        for call in plan.calls.iter().filter(|call| call.home != call.message) {
            let Some(item) = items.get(call.message) else { continue };
            let name = item.message.tool_calls().get(call.position).map(|call| &*call.name).unwrap_or_default();
            let what = format!("the result of the call of {name:?} came behind a later reply, and the call went there");
            self.record(item.source.call_path(call.position), RepairKind::CallMoved, what);
        }
        let moved: HashSet<usize> = plan.moved.values().flatten().copied().collect();
        for (index, item) in items.iter().enumerate() {
            if plan.replaced.contains(&index) {
                let what = "a later result answers the same call, and this one was left out";
                self.record(item.source.path(), RepairKind::ResultDropped, what);
            } else if moved.contains(&index) {
                let what = "the result stands apart from its call, and went behind it";
                self.record(item.source.path(), RepairKind::ResultMoved, what);
            }
        }
    }

    fn assemble(
        &mut self,
        slots: Vec<Option<Item<'c>>>,
        mut carried: HashMap<usize, Calls<'c>>,
        mut moved: HashMap<usize, Vec<Item<'c>>>,
        touched: &HashSet<usize>,
    ) {
        let mut out: Vec<(Item<'c>, bool)> = Vec::new();
        let mut late: Vec<Item<'c>> = Vec::new();
        for (index, slot) in slots.into_iter().enumerate() {
            if slot.as_ref().is_some_and(|item| item.role() != Role::Tool) {
                out.extend(late.drain(..).map(|item| (item, false)));
            }
            let Some(mut item) = slot else { continue };
            late.extend(moved.remove(&index).unwrap_or_default());
            match carried.remove(&index) {
                None => out.push((item, touched.contains(&index))),
                Some(calls) if self.cannot_hold(&item) => {
                    let what = "the layout takes no calls beside its text, and an empty user message came between";
                    self.record(item.source.path(), RepairKind::UserAdded, what);
                    let mut head = item.next_of_turn();
                    head.put_calls(calls);
                    out.extend([(item, false), (Item::added(Message::user("")), false), (head, true)]);
                }
                Some(calls) => {
                    item.append_calls(calls);
                    out.push((item, true));
                }
            }
        }
        out.extend(late.into_iter().map(|item| (item, false)));

        let heads: Vec<bool> =
            out.iter().filter(|(item, _)| item.role() != Role::Tool).map(|(_, touched)| *touched).collect();
        let mut heads = heads.into_iter();
        for mut round in rounds(out.into_iter().map(|(item, _)| item)) {
            if round.head.is_some() && heads.next() == Some(true) {
                let matches = round.matches();
                round.sort_results(&matches);
            }
            self.put(round.head);
            self.put(round.results);
        }
    }

    /// Is there text beside which the layout accepts no calls?
    fn cannot_hold(&self, item: &Item<'c>) -> bool {
        self.layout.rules.text_and_calls.exclude_each_other()
            && !item.has_calls()
            && !says_nothing(item.message.content())
    }
}

/// Takes the calls that leave out of their messages.
fn carry<'c>(slots: &mut [Option<Item<'c>>], leaving: &[(usize, usize, usize)]) -> HashMap<usize, Calls<'c>> {
    let mut carried: HashMap<usize, Calls<'c>> = HashMap::new();
    for of_message in leaving.chunk_by(|one, next| one.0 == next.0) {
        let Some((message, ..)) = of_message.first() else { continue };
        let Some(Some(item)) = slots.get_mut(*message) else { continue };
        let mut of_message = of_message.iter().peekable();
        let mut kept = Calls::default();
        for (position, (call, source)) in item.take_calls().into_pairs().enumerate() {
            match of_message.next_if(|(_, leaving, _)| *leaving == position) {
                Some((_, _, home)) => carried.entry(*home).or_default().push(call, source),
                None => kept.push(call, source),
            }
        }
        item.put_calls(kept);
    }
    carried
}

/// Takes the results that leave, and drops those that are replaced.
fn displace<'c>(slots: &mut [Option<Item<'c>>], plan: &Plan) -> HashMap<usize, Vec<Item<'c>>> {
    for index in &plan.replaced {
        slots.get_mut(*index).map(Option::take);
    }
    let mut moved: HashMap<usize, Vec<Item<'c>>> = HashMap::new();
    for (home, results) in &plan.moved {
        let results = results.iter().filter_map(|index| slots.get_mut(*index).and_then(Option::take));
        moved.entry(*home).or_default().extend(results);
    }
    moved
}
