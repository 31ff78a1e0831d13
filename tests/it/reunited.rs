//! A result whose id a call has is never dropped, however the messages of several rounds are interleaved.

use std::collections::BTreeMap;

use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::repair::{OpenCalls, RepairKind, RepairPolicy};
use mistral_chat_template::{AssistantMessage, Chat, Content, Layout, Message, Mode, Role, ToolCall};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::arbitrary;

/// Messages that come in this order, whatever comes between.
type Thread = Vec<Message<'static>>;

/// Calls, their results in any order, some of them twice, and a reply.
fn thread(number: usize) -> BoxedStrategy<Thread> {
    let calls = proptest::collection::vec((1..3_usize, any::<bool>()), 1..4);
    (calls, select(vec!["", "Let me look."]), any::<bool>(), any::<bool>())
        .prop_map(move |(calls, text, reversed, replies)| {
            let id = |call: usize| format!("thread{number}c{call}");
            let tool_calls = (0..calls.len())
                .map(|call| ToolCall::new("look", format!("{{\"n\": \"{}\"}}", id(call))).id(id(call)))
                .collect();
            let message = AssistantMessage { content: text.into(), tool_calls, ..AssistantMessage::default() };
            let mut results = Vec::new();
            for (call, (count, _)) in calls.iter().enumerate() {
                results.push(Message::tool(format!("{} final", id(call))).answering(id(call)));
                if *count == 2 {
                    results.push(Message::tool("running").answering(id(call)));
                }
            }
            if reversed {
                results.reverse();
            }
            // Of two results, the one that counts comes last.
            results.sort_by_key(|result| result.content() != &Content::from("running"));
            let mut thread = vec![Message::Assistant(message)];
            thread.extend(results);
            thread.extend(replies.then(|| Message::assistant(format!("Done with {number}."))));
            thread
        })
        .boxed()
}

/// Threads whose messages are dealt out in any order, with what users say between them.
fn interleaved() -> BoxedStrategy<Chat<'static>> {
    let threads = (thread(0), thread(1), thread(2), thread(3));
    let deal = proptest::collection::vec(0..6_usize, 40);
    (threads, deal, any::<bool>())
        .prop_map(|((a, b, c, d), deal, asks_last)| {
            let mut threads = [a, b, c, d].map(Vec::into_iter);
            let mut messages = vec![Message::user("Begin.")];
            for (turn, chosen) in deal.into_iter().enumerate() {
                match threads.get_mut(chosen) {
                    Some(thread) => messages.extend(thread.next()),
                    None if chosen == 4 => messages.push(Message::user(format!("And {turn}?"))),
                    None => {}
                }
            }
            threads.into_iter().for_each(|thread| messages.extend(thread));
            messages.extend(asks_last.then(|| Message::user("Well?")));
            Chat { model: Some("m".into()), ..Chat::new(messages) }
        })
        .boxed()
}

fn layouts() -> Vec<Layout> {
    let rows = [
        Layout::V2,
        Layout::V2_TEKKEN,
        Layout::V3,
        Layout::V3_TEKKEN,
        Layout::MAGNUM,
        Layout::V7,
        Layout::V7_TEKKEN,
        Layout::V11,
        Layout::V13,
        Layout::V15,
    ];
    rows.iter().flat_map(|row| [Mode::Serving, Mode::Test].map(|mode| row.in_mode(mode))).collect()
}

/// The last result of each call, by what both say.
fn results(chat: &Chat<'_>) -> BTreeMap<String, usize> {
    let mut results = BTreeMap::new();
    for message in chat.messages.iter().filter(|message| message.role() == Role::Tool) {
        let Content::Text(text) = message.content() else { unreachable!("every result is a text") };
        if let Some(id) = text.strip_suffix(" final") {
            *results.entry(id.to_owned()).or_default() += 1;
        }
    }
    results
}

/// Does each result stand behind the message that holds its call, with nothing but results between?
fn stands_behind_its_call(chat: &Chat<'_>) -> bool {
    let mut calls: Vec<String> = Vec::new();
    chat.messages.iter().all(|message| match message {
        Message::Assistant(message) => {
            calls = message.tool_calls.iter().map(|call| call.arguments.clone().into_owned()).collect();
            true
        }
        Message::Tool(result) => match &result.content {
            Content::Text(text) => {
                text.strip_suffix(" final").is_none_or(|id| calls.contains(&format!("{{\"n\": \"{id}\"}}")))
            }
            _ => false,
        },
        _ => {
            calls.clear();
            true
        }
    })
}

proptest! {
    #![proptest_config(arbitrary::cases(100))]

    #[test]
    fn a_result_whose_id_a_call_has_is_never_dropped(chat in interleaved(), answers in any::<bool>()) {
        let open_calls = if answers { OpenCalls::Answer("cancelled") } else { OpenCalls::Drop };
        let policy = RepairPolicy { open_calls, ..RepairPolicy::default() };
        for layout in layouts() {
            let repaired = chat.repair(&layout, &policy).unwrap();
            prop_assert_eq!(results(&repaired.chat), results(&chat), "{}: {:#?}", layout.name, repaired);
            // Where only a text beside calls was wrong, the layout accepts the results as they stand.
            if repaired.repairs.iter().any(|repair| repair.kind != RepairKind::TextDropped) {
                prop_assert!(stands_behind_its_call(&repaired.chat), "{}: {:#?}", layout.name, repaired);
            }
            prop_assert!(CheckedChat::new(&repaired.chat, &layout).is_ok());
            for repair in &repaired.repairs {
                prop_assert!(!repair.what.contains("has no call"), "{repair}");
                prop_assert!(!matches!(repair.kind, RepairKind::CallDropped | RepairKind::CallAnswered), "{repair}");
            }
        }
    }
}
