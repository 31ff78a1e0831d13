//! Messages that stand where none of their role may: in the middle of a chat, alone, or last.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::call_results::{id, result_id};
use super::mending::{Item, Mending};
use super::{LastReply, LateSystem, RepairKind};
use crate::chat::{AssistantMessage, Message, Role};
use crate::render::check::{may_follow, says_nothing};

/// The round that is open while the chat is gone through.
#[derive(Default)]
struct OpenRound<'c> {
    /// The place behind its last message.
    end: usize,
    /// The ids of its calls.
    ids: HashSet<Cow<'c, str>>,
    /// How many calls have no result yet.
    calls: usize,
}

impl<'c> OpenRound<'c> {
    fn of(item: &Item<'c>, end: usize) -> Self {
        let calls = item.message.tool_calls();
        let ids = calls.iter().filter(|call| id(call.id.as_deref()).is_some()).filter_map(|call| call.id.clone());
        OpenRound { end, ids: ids.collect(), calls: calls.len() }
    }

    /// Takes a result, if one of the calls waits for it.
    fn takes(&mut self, result: &Item<'c>) -> bool {
        let takes = self.calls > 0 && result_id(result).is_none_or(|id| self.ids.contains(id));
        self.calls -= usize::from(takes);
        takes
    }
}

impl<'c> Mending<'_, 'c> {
    /// Moves results to their calls, and makes system messages what they may be.
    pub(super) fn order(&mut self) {
        if self.layout.calls.are_written() {
            self.reunite();
        } else {
            self.drop_tools();
        }
        let (mut out, mut late, mut first) = (Vec::new(), BTreeMap::<usize, Vec<Item<'c>>>::new(), Vec::new());
        let mut open = OpenRound::default();
        let mut previous = None;
        for mut item in self.take() {
            let is_late = previous.is_some_and(|previous| !may_follow(previous, item.role()));
            match item.role() {
                Role::System if is_late => match self.policy.late_system {
                    LateSystem::AsUser => item = self.as_user(item, "cannot stand here"),
                    LateSystem::First => {
                        let what = "a system message cannot stand here, and went to the beginning";
                        self.record(item.source.path(), RepairKind::SystemMoved, what);
                        first.push(item);
                        continue;
                    }
                },
                Role::Tool if is_late => {
                    if open.takes(&item) {
                        let what = "the result stands apart from its call, and went behind it";
                        self.record(item.source.path(), RepairKind::ResultMoved, what);
                        late.entry(open.end).or_default().push(item);
                        continue;
                    }
                    let Some(user) = self.stray(item) else { continue };
                    item = user;
                }
                Role::Tool => {
                    open.takes(&item);
                    open.end = out.len() + 1;
                }
                Role::Assistant => open = OpenRound::of(&item, out.len() + 1),
                Role::System | Role::User => {}
            }
            previous = Some(item.role());
            out.push(item);
        }
        let systems = out.iter().take_while(|item| item.role() == Role::System).count();
        for (place, item) in out.into_iter().enumerate() {
            if place == systems {
                self.put(std::mem::take(&mut first));
            }
            self.put(late.remove(&place).into_iter().flatten());
            self.put([item]);
        }
        self.put(first);
        self.put(late.into_values().flatten());
    }

    /// Makes every system message a user message, where audio allows none.
    pub(super) fn system_as_user(&mut self) {
        for item in self.take() {
            let is_system = item.role() == Role::System;
            let item = if is_system { self.as_user(item, "cannot stand in a chat with audio") } else { item };
            self.put([item]);
        }
    }

    fn as_user(&mut self, Item { message, source }: Item<'c>, why: &str) -> Item<'c> {
        self.record(
            source.path(),
            RepairKind::SystemAsUser,
            format!("a system message {why}, and became a user message"),
        );
        let message = match message {
            Message::System(content) => Message::User(content),
            other => other,
        };
        Item { message, source }
    }

    /// A lone assistant message gets a user message before it; a lone result is one without a call.
    pub(super) fn lone_message(&mut self) {
        if self.chat.messages.iter().all(|message| message.role() == Role::Assistant) {
            return self.add_user("an assistant message cannot be alone");
        }
        for item in self.take() {
            let item = self.stray(item);
            self.put(item);
        }
    }

    /// What becomes of assistant messages at the end, where there is to be something to answer.
    pub(super) fn last_reply(&mut self) {
        let mut items: Vec<_> = self.take().collect();
        while let Some(mut last) = items.pop() {
            let Message::Assistant(AssistantMessage { prefix: false, .. }) = &last.message else {
                items.push(last);
                break;
            };
            if last.has_calls() {
                let results = self.last_calls(&mut last);
                let is_answered = !results.is_empty();
                if is_answered || !says_nothing(last.message.content()) {
                    items.push(last);
                    items.extend(results);
                    if is_answered {
                        break;
                    }
                }
            } else if says_nothing(last.message.content()) {
                self.says_nothing(&last, RepairKind::EmptyReplyDropped, "was left out");
            } else if self.policy.last_reply == LastReply::Drop {
                let what = "the last message is the assistant's, with nothing to answer, and was left out";
                self.record(last.source.path(), RepairKind::ReplyDropped, what);
            } else {
                let what = "the last message is the assistant's, with nothing to answer, and is to be continued";
                self.record(last.source.path(), RepairKind::ReplyContinued, what);
                if let Message::Assistant(message) = &mut last.message {
                    message.prefix = true;
                }
                items.push(last);
                break;
            }
        }
        self.put(items);
    }

    /// Leaves out what stands behind the last assistant message, from which fine-tuning learns.
    pub(super) fn behind_last_reply(&mut self) {
        let Some(last) = self.chat.messages.iter().rposition(|message| message.role() == Role::Assistant) else {
            return;
        };
        for (index, item) in self.take().enumerate() {
            if index > last {
                let what =
                    "fine-tuning learns from an assistant message at the end, and what is behind it was left out";
                self.record(item.source.path(), RepairKind::LastDropped, what);
            } else {
                self.put([item]);
            }
        }
    }
}
