//! A request that goes on where the one before ended: reading the rest of it comes to the same as reading all of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::conversation::{Update, Window};
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Control, Conversation, Dialect, Error, Layout, Message, Mode, Request, Tokenizer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::arbitrary;
use crate::support::bytes::Bytes;

type Known = Conversation<'static, Bytes>;

fn begin(body: &str, layout: &Layout, window: Option<Window>) -> Result<Known, Error> {
    let mended = Request::repair(body, Dialect::Either, layout, &RepairPolicy::default())?;
    let mut conversation = Conversation::new(mended.request.chat.clone().into_owned(), layout, Bytes)?;
    if let Some(window) = window {
        conversation = conversation.with_window(window)?;
    }
    conversation.remember(body, &mended);
    Ok(conversation)
}

fn update_with_rest(conversation: &mut Known, body: &str) -> Option<Update> {
    let rest = conversation.rest(body)?;
    let mended = Request::mend(rest.as_str(), Dialect::Either).ok()?;
    conversation.update_rest(&rest, &mended)
}

fn update_with_all(conversation: &mut Known, body: &str) -> Result<Update, Error> {
    let mended = Request::repair(body, Dialect::Either, conversation.layout(), &RepairPolicy::default())?;
    let update = conversation.update_from(&mended.request.chat)?;
    conversation.remember(body, &mended);
    Ok(update)
}

fn body(messages: &[Value], more: Value) -> String {
    let mut body = json!({"messages": messages, "model": "m"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}])
}

/// The ids that a reply is sampled as.
fn said(text: &str) -> Vec<u32> {
    text.bytes().map(|byte| 2000 + u32::from(byte)).chain(Bytes.control(Control::Eos)).collect()
}

#[test]
fn a_long_conversation_is_read_by_its_rest() {
    for layout in [Layout::V3, Layout::V7, Layout::V11, Layout::V13] {
        let layout = layout.in_mode(Mode::Serving);
        for window in [None, Some(Window::new(1500))] {
            let mut messages =
                vec![json!({"role": "system", "content": "S"}), json!({"role": "user", "content": "Hi"})];
            let with = |messages: &[Value], turn: usize| body(messages, json!({"seed": turn, "tools": tools()}));
            let mut by_rest = begin(&with(&messages, 0), &layout, window.clone()).unwrap();
            let mut by_all = by_rest.clone();
            for turn in 1..60 {
                let text = format!("answer {turn} with \"quotes\", ünïcode and \\");
                let id = format!("{turn:09}");
                let mut reply = AssistantMessage { content: text.clone().into(), ..AssistantMessage::default() };
                let mut kept = json!({"role": "assistant", "content": text});
                let mut next = json!({"role": "user", "content": format!("question {turn}\n[INST]")});
                if turn % 5 == 0 {
                    let call =
                        json!({"id": id, "type": "function", "function": {"name": "tide", "arguments": "{\"a\":1}"}});
                    kept = json!({"role": "assistant", "content": "", "tool_calls": [call]});
                    next = json!({"role": "tool", "tool_call_id": id, "content": "06:12"});
                    let call = mistral_chat_template::ToolCall::new("tide", "{\"a\": 1}").id(id);
                    reply = AssistantMessage { tool_calls: vec![call], ..AssistantMessage::default() };
                }
                messages.extend([kept, next]);
                by_rest.reply(reply.clone(), &said(&text));
                by_all.reply(reply, &said(&text));
                let body = with(&messages, turn);
                let expected = update_with_all(&mut by_all, &body).unwrap();
                assert_eq!(update_with_rest(&mut by_rest, &body), Some(expected), "{} {turn}", layout.name);
                assert_eq!((by_rest.ids(), by_rest.dropped()), (by_all.ids(), by_all.dropped()));
                assert_eq!((by_rest.chat(), by_rest.sampled()), (by_all.chat(), by_all.sampled()));
            }
            assert_eq!(by_all.dropped().is_empty(), window.is_none());
        }
    }
}

/// What a client may send in place of its last request gone on with.
#[test]
fn what_does_not_go_on_is_read_as_a_whole() {
    let user = |text: &str| json!({"role": "user", "content": text});
    let reply = |text: &str| json!({"role": "assistant", "content": text});
    let first = [user("a")];
    let second = [user("a"), reply("b"), user("c")];
    let plain = |messages: &[Value]| body(messages, json!({}));
    let doubled = plain(&second).replace("\"model\"", "\"messages\":[{\"role\":\"user\",\"content\":\"z\"}],\"model\"");
    let cases = [
        ("the same", plain(&first), false),
        ("one that goes on", plain(&second), true),
        ("with spaces", plain(&second).replace("},{", "} ,\n {"), true),
        ("another reply", plain(&[user("a"), reply("x"), user("c")]), false),
        ("another question", plain(&[user("x"), reply("b"), user("c")]), false),
        ("a longer question", plain(&[user("ab"), reply("b"), user("c")]), false),
        ("no reply", plain(&[user("a"), user("c")]), false),
        ("the reply alone", plain(&[user("a"), reply("b")]), false),
        (
            "the reply to be continued",
            plain(&[user("a"), json!({"role": "assistant", "content": "b", "prefix": true})]),
            false,
        ),
        ("other tools", body(&second, json!({"tools": tools()})), false),
        ("another model", plain(&second).replace("\"m\"", "\"n\""), false),
        (
            "a result without a call",
            plain(&[user("a"), reply("b"), json!({"role": "tool", "tool_call_id": "123456789", "content": "d"})]),
            false,
        ),
        ("what is ignored", plain(&[user("a"), reply("b"), json!({"role": "user", "content": "c", "x": 1})]), false),
        ("what is mended", plain(&[user("a"), reply("b"), json!({"role": "user", "content": null})]), false),
        ("a role of another API", plain(&[user("a"), reply("b"), json!({"role": "human", "content": "c"})]), false),
        ("a comma alone", plain(&first).replace("}]", "},]"), false),
        ("two lists of messages", doubled, false),
        ("half of it", plain(&second).get(..60).unwrap().to_owned(), false),
        ("a system field", body(&second, json!({"system": "S"})), false),
        ("an effort", body(&second, json!({"reasoning_effort": "high"})), false),
        ("a temperature", body(&second, json!({"temperature": 0.5})), true),
        ("a choice", body(&second, json!({"tool_choice": "none"})), true),
        ("what is ignored of the request", body(&second, json!({"x": 1})), true),
    ];
    for layout in [Layout::V7.in_mode(Mode::Serving), Layout::V15.in_mode(Mode::Serving)] {
        for (name, next, is_rest) in &cases {
            let mut by_rest = begin(&plain(&first), &layout, None).unwrap();
            by_rest.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &said("b"));
            let mut by_all = by_rest.clone();
            let updated = update_with_rest(&mut by_rest, next);
            assert_eq!(updated.is_some(), *is_rest, "{name}");
            let expected = update_with_all(&mut by_all, next);
            match updated {
                Some(updated) => assert_eq!(Ok(updated), expected.map_err(|error| error.to_string()), "{name}"),
                None => {
                    let updated = update_with_all(&mut by_rest, next).map_err(|error| error.to_string());
                    assert_eq!(updated, expected.map_err(|error| error.to_string()), "{name}");
                }
            }
            assert_eq!((by_rest.ids(), by_rest.chat()), (by_all.ids(), by_all.chat()), "{name}");
        }
    }
}

/// What is refused of a rest changes nothing, so that the same request can be gone on with.
#[test]
fn a_rest_that_is_refused_leaves_the_request_remembered() {
    let (user, reply) = (|text| json!({"role": "user", "content": text}), json!({"role": "assistant", "content": "b"}));
    let first = [user("a"), reply.clone(), user("c")];
    let with = |new: &[Value], more: Value| body(&[&first[..], new].concat(), more);
    let layout = Layout::V7.in_mode(Mode::Serving);
    let mut by_rest = begin(&with(&[], json!({})), &layout, None).unwrap();
    by_rest.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &said("b"));
    let mut by_all = by_rest.clone();
    let good = with(&[reply.clone(), user("d")], json!({}));
    for refused in [
        with(&[json!({"role": "assistant", "content": "x"}), user("d")], json!({})),
        with(&[reply.clone(), user("d")], json!({"tools": tools()})),
        with(&[reply.clone(), json!({"role": "user", "content": null})], json!({})),
    ] {
        assert_eq!(update_with_rest(&mut by_rest, &refused), None);
        assert!(by_rest.rest(&good).is_some());
    }
    let expected = update_with_all(&mut by_all, &good).unwrap();
    assert_eq!(update_with_rest(&mut by_rest, &good), Some(expected));
    // The next one goes on with what has grown, though one was refused before.
    let next = with(&[reply.clone(), user("d"), reply.clone(), user("e")], json!({}));
    for conversation in [&mut by_rest, &mut by_all] {
        conversation.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &said("b"));
    }
    let refused = with(&[reply.clone(), user("d"), reply, json!({"role": "user", "content": null})], json!({}));
    assert_eq!(update_with_rest(&mut by_rest, &refused), None);
    assert_eq!(update_with_rest(&mut by_rest, &next), Some(update_with_all(&mut by_all, &next).unwrap()));
}

#[test]
fn a_request_is_remembered_where_it_is_the_conversations() {
    let (user, reply) = (json!({"role": "user", "content": "a"}), json!({"role": "assistant", "content": "b"}));
    let plain = |messages: &[&Value]| body(&messages.iter().copied().cloned().collect::<Vec<_>>(), json!({}));
    let (first, next) = (plain(&[&user]), plain(&[&user, &reply, &user]));
    let layout = Layout::V7.in_mode(Mode::Serving);
    let mended = |body| Request::repair(body, Dialect::Either, &layout, &RepairPolicy::default()).unwrap();
    let mut conversation = begin(&first, &layout, None).unwrap();
    assert!(conversation.rest(&next).is_some());
    conversation.remember(&next, &mended(&next));
    assert!(conversation.rest(&plain(&[&user, &reply, &user, &reply, &user])).is_none(), "it has fewer messages");
    conversation.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &said("b"));
    conversation.remember(&first, &mended(&first));
    assert!(conversation.rest(&next).is_none(), "there is a reply behind it");

    // A turn that is open may go on with what is new.
    let open = json!({"role": "assistant", "content": "b", "prefix": true});
    let mut by_rest = begin(&plain(&[&user, &open]), &layout, None).unwrap();
    let next = plain(&[&user, &open, &reply, &user]);
    assert!(by_rest.rest(&next).is_some());
    assert_eq!(update_with_rest(&mut by_rest, &next), None);
    // A rest that was read as another dialect is not of the same request.
    let mut conversation = begin(&first, &layout, None).unwrap();
    conversation.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &said("b"));
    let next = plain(&[&user, &reply, &user]);
    let rest = conversation.rest(&next).unwrap();
    for (dialect, goes_on) in [(Dialect::Legacy, false), (Dialect::OpenAi, false), (Dialect::Either, true)] {
        let mended = Request::mend(rest.as_str(), dialect).unwrap();
        assert_eq!((mended.request.dialect, conversation.update_rest(&rest, &mended).is_some()), (dialect, goes_on));
    }
}

#[test]
fn a_reply_to_be_continued_is_read_as_a_whole() {
    let user = json!({"role": "user", "content": "a"});
    let kept = json!({"role": "assistant", "content": "b", "prefix": true});
    // Here a chat may end with a reply.
    let layout = Layout::V7.in_mode(Mode::Agnostic);
    let mut by_rest = begin(&body(std::slice::from_ref(&user), json!({})), &layout, None).unwrap();
    by_rest.reply(AssistantMessage { content: "b".into(), ..AssistantMessage::default() }, &[2098]);
    let (mut by_all, next) = (by_rest.clone(), body(&[user, kept], json!({})));
    assert_eq!(update_with_rest(&mut by_rest, &next), None);
    let update = update_with_all(&mut by_all, &next).unwrap();
    assert!(update.new_ids.is_empty(), "the model goes on behind what it said");
    assert_eq!(by_all.ids().last(), Some(&2098));
}

fn first(chat: &Chat<'_>, n: usize) -> String {
    let messages: Vec<Message<'_>> = chat.messages.iter().take(n).cloned().collect();
    serde_json::to_string(&Chat { messages, ..chat.clone() }).unwrap()
}

/// Says what the model says in place of a message, for all of these conversations.
fn say(conversations: [&mut Known; 3], said_instead: Option<&Message<'static>>, ids: u32) {
    let Some(Message::Assistant(reply)) = said_instead.filter(|_| ids > 0) else { return };
    let sampled: Vec<u32> = (0..ids).map(|id| 5000 + id).collect();
    for conversation in conversations {
        conversation.reply(AssistantMessage { prefix: false, ..reply.clone() }, &sampled);
    }
}

proptest! {
    #![proptest_config(arbitrary::cases(80))]

    /// The chat with one message more in each turn, and now and then another chat that begins the same. What the model
    /// says is the chat's own reply, as some number of ids, or nothing.
    #[test]
    fn the_rest_comes_to_the_same(
        layout in select(arbitrary::layouts()),
        chat in arbitrary::chat(),
        other in arbitrary::chat(),
        from in 0..8_usize,
        (budget, low) in (20..200_usize, 0..200_usize),
        ids in vec(0..40_u32, 10),
    ) {
        let layout = layout.in_mode(Mode::Agnostic).with(Feature::Image);
        let parted = chat.messages.iter().take(from).chain(other.messages.iter().skip(from)).cloned();
        let parted = Chat { messages: parted.collect(), ..chat.clone() };
        let window = Window::new(budget).with_low_water(low);
        let Ok(mut by_rest) = begin(&first(&chat, 1), &layout, Some(window)) else { return Ok(()) };
        let (mut by_all, mut by_chat) = (by_rest.clone(), by_rest.clone());
        for (chat, n) in (2..=chat.messages.len()).map(|n| (&chat, n)).chain([(&parted, from + 1), (&parted, from + 2)]) {
            let given = by_all.chat().messages.len() + by_all.dropped().len();
            let said = chat.messages.get(given).filter(|_| given + 2 == n);
            say([&mut by_rest, &mut by_all, &mut by_chat], said, ids[n % ids.len()]);
            let body = first(chat, n);
            let expected = update_with_all(&mut by_all, &body).map_err(|error| error.to_string());
            match update_with_rest(&mut by_rest, &body) {
                Some(updated) => prop_assert_eq!(Ok(&updated), expected.as_ref(), "{} {}", layout.name, body),
                None => {
                    // A window that could not be cut enough has taken the chat in already.
                    let updated = update_with_all(&mut by_rest, &body);
                    prop_assert_eq!(updated.is_ok(), expected.is_ok(), "{} {}", layout.name, body);
                }
            }
            let mended = Request::repair(&body, Dialect::Either, &layout, &RepairPolicy::default());
            if let Ok(mended) = mended {
                let updated = by_chat.update(mended.request.chat.into_owned()).map_err(|error| error.to_string());
                prop_assert_eq!(updated, expected, "{} {}", layout.name, body);
            }
            for other in [&by_rest, &by_chat] {
                prop_assert_eq!(other.ids(), by_all.ids(), "{} {}", layout.name, body);
                prop_assert_eq!(other.sampled(), by_all.sampled());
                prop_assert_eq!(other.sample(), by_all.sample());
                prop_assert_eq!(other.ended_sample(), by_all.ended_sample());
                prop_assert_eq!(other.dropped(), by_all.dropped());
                prop_assert!(other.segments().eq(by_all.segments()));
            }
            prop_assert_eq!(by_rest.chat(), by_all.chat());
        }
    }
}
