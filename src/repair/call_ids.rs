//! Ids that the layout does not accept into ids that it takes: each computed from the whole id, whatever the chat.

use std::borrow::Cow;
use std::collections::HashMap;

use super::RepairKind;
use super::call_results::{Round, id, rounds};
use super::mending::{Item, Mending};
use crate::chat::call_id::nine;
use crate::chat::{Message, ToolCall};
use crate::layout::CallIds;
use crate::render::check::is_nine_alphanumeric;
use crate::terms::Mode;

/// The ids of one chat, old and new.
///
/// An id is computed from the old one alone. Should two old ids of a chat give the same (nine digits to the base 62 are
/// 53 bits), the one that comes later in the chat takes its next attempt.
#[derive(Default)]
struct Ids<'c> {
    new: HashMap<Cow<'c, str>, String>,
    /// The old id of each new one.
    old: HashMap<String, Cow<'c, str>>,
}

impl<'c> Ids<'c> {
    /// The new id of an old one; one that the layout accepts stays, where no other has become it.
    fn of(&mut self, old: Cow<'c, str>, is_taken_as_it_is: bool) -> String {
        if let Some(new) = self.new.get(&old) {
            return new.clone();
        }
        let as_it_is = is_taken_as_it_is.then(|| old.clone().into_owned());
        let mut attempts = as_it_is.into_iter().chain((0..).map(|attempt| nine(&old, attempt)));
        let is_free = |new: &String| !self.old.contains_key(new);
        let new = attempts.find(is_free).unwrap_or_default();
        self.old.insert(new.clone(), old.clone());
        self.new.insert(old, new.clone());
        new
    }
}

impl<'c> Mending<'_, 'c> {
    /// Gives every call and result an id that the layout accepts, and the results of a mended round their calls' order.
    pub(super) fn ids(&mut self) {
        let mut ids = Ids::default();
        let last = self.chat.messages.len().saturating_sub(1);
        let mut end = 0;
        for mut round in rounds(self.take()) {
            end += usize::from(round.head.is_some()) + round.results.len();
            let before = self.repairs_so_far();
            let matches = round.matches();
            let may_be_null = self.may_be_null(&round, end > last);
            if let Some(head) = &mut round.head {
                self.call_ids(&mut ids, head, may_be_null);
            }
            self.result_ids(&mut ids, &mut round, &matches);
            if self.repairs_so_far() > before {
                self.order_results(&mut round, &matches);
            }
            self.put(round.head);
            self.put(round.results);
        }
    }

    fn takes(&self, id: &str) -> bool {
        match self.layout.rules.call_ids {
            CallIds::Unchecked => true,
            CallIds::NineAlphanumeric => is_nine_alphanumeric(id),
            CallIds::NotEmpty => !matches!(id, "" | ToolCall::NULL_ID),
        }
    }

    /// May the calls of the round be without ids, because they are only learnt from?
    fn may_be_null(&self, round: &Round<'_>, is_last: bool) -> bool {
        let are_learnt_without = match self.layout.rules.call_ids {
            CallIds::NineAlphanumeric => true,
            CallIds::Unchecked | CallIds::NotEmpty => false,
        };
        let nulls = round.calls().iter().filter(|call| call.id_or_null() == ToolCall::NULL_ID).count();
        is_last
            && round.results.is_empty()
            && matches!(self.layout.mode, Mode::Finetuning | Mode::Agnostic)
            && are_learnt_without
            && (nulls == 1 || !self.layout.rules.pairing.is_by_id())
    }

    fn call_ids(&mut self, ids: &mut Ids<'c>, head: &mut Item<'c>, may_be_null: bool) {
        let Message::Assistant(message) = &mut head.message else { return };
        let mut seen = HashMap::new();
        for (position, call) in message.tool_calls.iter_mut().enumerate() {
            if may_be_null && call.id_or_null() == ToolCall::NULL_ID {
                continue;
            }
            let takes = call.id.as_deref().is_some_and(|id| self.takes(id));
            let old = match id(call.id.as_deref()) {
                Some(_) => call.id.clone().unwrap_or_default(),
                // A call without an id is known by what it calls.
                None => format!("\0{}\0{}", call.name, call.arguments).into(),
            };
            let count: &mut usize = seen.entry(old.clone()).or_default();
            *count += 1;
            let is_another = *count > 1 && (!takes || self.layout.rules.pairing.is_by_id());
            let old = if is_another { format!("{old}\0{count}").into() } else { old };
            let new = ids.of(old, takes && !is_another);
            if call.id.as_deref() != Some(&new) {
                let was = call.id.replace(new.into());
                let what = became(was.as_deref(), call.id_or_null());
                self.record(format!("{}.id", head.source.call_path(position)), RepairKind::CallId, what);
            }
        }
    }

    fn result_ids(&mut self, ids: &mut Ids<'c>, round: &mut Round<'c>, matches: &[Option<usize>]) {
        let calls = match &round.head {
            Some(Item { message: Message::Assistant(message), .. }) => &*message.tool_calls,
            _ => &[],
        };
        for (item, call) in round.results.iter_mut().zip(matches) {
            let Message::Tool(result) = &mut item.message else { continue };
            let takes = result.call_id.as_deref().is_some_and(|id| self.takes(id));
            let old = match (call.and_then(|call| calls.get(call)), &result.call_id) {
                // Results that go by their number alone keep an id that nothing is wrong with.
                (Some(_), Some(id)) if takes && !self.layout.rules.pairing.is_by_id() => ids.of(id.clone(), true),
                (Some(call), _) => call.id_or_null().to_owned(),
                (None, Some(id)) => ids.of(id.clone(), takes),
                (None, None) => ids.of(format!("\0{}", result.name.as_deref().unwrap_or_default()).into(), false),
            };
            if result.call_id.as_deref() != Some(&old) {
                let was = result.call_id.replace(old.into());
                let what = became(was.as_deref(), result.call_id.as_deref().unwrap_or_default());
                self.record(format!("{}.tool_call_id", item.source.path()), RepairKind::CallId, what);
            }
        }
    }

    fn order_results(&mut self, round: &mut Round<'c>, matches: &[Option<usize>]) {
        if !round.sort_results(matches) {
            return;
        }
        if let Some(first) = round.results.first() {
            let what = "the results came in another order than their calls, and are in the calls' order";
            self.record(first.source.path(), RepairKind::ResultMoved, what);
        }
    }
}

fn became(was: Option<&str>, id: &str) -> String {
    match was {
        Some(was) => format!("{was:?} became {id:?}"),
        None => format!("a missing id became {id:?}"),
    }
}
