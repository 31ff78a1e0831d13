//! A chat's messages in, its turns out, in the order in which they are written.

use std::collections::HashMap;

use crate::chat::{Chat, Message, Role, Turn};
use crate::layout::Layout;

/// Gathers consecutive messages of one role, and of one weight, into turns.
pub(super) fn gather(chat: &Chat<'_>, layout: &Layout, turns: &mut Vec<Turn>) {
    for index in 0..chat.messages.len() {
        gather_message(chat, index, turns);
    }
    if layout.rules.pairing.is_by_id() {
        order_results(chat, turns);
    }
    let first = turns.iter().find(|turn| turn.role != Role::System);
    if layout.system.in_user().is_some() && first.is_none_or(|turn| turn.role != Role::User) {
        turns.insert(0, Turn { role: Role::User, messages: 0..0, dropped: false });
    }
}

/// Takes the next message into the last turn or into one of its own, and returns that turn's index.
pub(crate) fn gather_message(chat: &Chat<'_>, index: usize, turns: &mut Vec<Turn>) -> usize {
    let Some(message) = chat.messages.get(index) else { return turns.len() };
    let role = message.role();
    let goes_on = matches!(role, Role::User | Role::Assistant)
        && index
            .checked_sub(1)
            .and_then(|before| chat.messages.get(before))
            .is_some_and(|before| before.role() == role);
    match turns.last_mut() {
        Some(turn) if goes_on && chat.weight(turn.messages.start) == message.weight() => {
            turn.messages.end = index + 1;
        }
        _ => turns.push(Turn::of_one(index, role)),
    }
    turns.len() - 1
}

/// Puts the results that stand together into the order of the calls before them.
fn order_results(chat: &Chat<'_>, turns: &mut [Turn]) {
    for group in turns.chunk_by_mut(|one, next| one.role == Role::Tool && next.role == Role::Tool) {
        if let [first, _, ..] = group {
            let first_result = first.messages.start;
            order_by_calls(chat, first_result, group);
        }
    }
}

/// Puts results into the order of the calls before them, those that no call knows last; of equal ids the last counts.
pub(crate) fn order_by_calls(chat: &Chat<'_>, first_result: usize, results: &mut [Turn]) {
    let before = chat.messages.get(..first_result).unwrap_or_default();
    let since_last_result = before.rsplit(|message| message.role() == Role::Tool).next().unwrap_or_default();
    let calls = since_last_result.iter().flat_map(Message::tool_calls);
    let call_order: HashMap<&str, usize> = calls.enumerate().map(|(order, call)| (call.id_or_null(), order)).collect();
    let id_of = |turn: &Turn| match chat.messages.get(turn.messages.start) {
        Some(Message::Tool(result)) => result.call_id.as_deref(),
        _ => None,
    };
    let result_order: HashMap<Option<&str>, usize> =
        results.iter().enumerate().map(|(order, turn)| (id_of(turn), order)).collect();
    results.sort_by_key(|turn| {
        let id = id_of(turn);
        let call = id.filter(|id| !id.is_empty()).unwrap_or(crate::chat::ToolCall::NULL_ID);
        (call_order.get(call).copied().unwrap_or(usize::MAX), result_order.get(&id).copied())
    });
}
