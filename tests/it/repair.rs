//! What repairing promises, for every chat, layout, mode and policy. Each mend by itself is in `tests/goldens/repair`.

use std::borrow::Cow;
use std::collections::HashMap;

use mistral_chat_template::chat::Json;
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::repair::{
    EmptyReplies, ForeignMedia, ForeignThinking, LastReply, LateSystem, OpenCalls, RepairPolicy, StrayResults,
    TextBesideCalls,
};
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Format, Layout, Message, Mode, Role, Tool, ToolCall,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::arbitrary;

fn check(chat: &Chat<'_>, layout: &Layout) -> Result<(), mistral_chat_template::Error> {
    CheckedChat::new(chat, layout).map(drop)
}

fn policy() -> BoxedStrategy<RepairPolicy> {
    let tools = (
        select(vec![OpenCalls::Drop, OpenCalls::Answer("cancelled"), OpenCalls::Answer("")]),
        select(vec![StrayResults::Drop, StrayResults::AsUser]),
        select(vec![TextBesideCalls::DropText, TextBesideCalls::DropCalls]),
    );
    let contents = (
        select(vec![ForeignThinking::Drop, ForeignThinking::AsText]),
        select(vec![ForeignMedia::Drop, ForeignMedia::AsText("[image]")]),
        select(vec![EmptyReplies::Drop, EmptyReplies::Space]),
    );
    let order =
        (select(vec![LateSystem::AsUser, LateSystem::First]), select(vec![LastReply::Continue, LastReply::Drop]));
    let any = (tools, contents, order).prop_map(
        |(
            (open_calls, stray_results, text_beside_calls),
            (thinking, media, empty_replies),
            (late_system, last_reply),
        )| RepairPolicy {
            open_calls,
            stray_results,
            text_beside_calls,
            thinking,
            media,
            empty_replies,
            late_system,
            last_reply,
        },
    );
    prop_oneof![Just(RepairPolicy::default()), any].boxed()
}

/// A chat of an agent: rounds of calls with ids that servers hand out, of which messages get lost, moved and doubled.
fn agent() -> BoxedStrategy<Chat<'static>> {
    let ids =
        vec!["call_9yKqLb2xVzT0cWm3uRsE1hNd", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "0", "abcdefgh1", "", "null"];
    let call =
        (select(ids.clone()), select(vec!["get", "set-it"])).prop_map(|(id, name)| ToolCall::new(name, "{}").id(id));
    let calls =
        (proptest::collection::vec(call, 1..4), select(vec!["", "Let me look."])).prop_map(|(tool_calls, text)| {
            Message::Assistant(AssistantMessage { content: text.into(), tool_calls, ..AssistantMessage::default() })
        });
    let result = select(ids).prop_map(|id| Message::tool("22").answering(id));
    let message = prop_oneof![3 => calls, 4 => result, 3 => arbitrary::message()];
    (proptest::collection::vec(message, 0..9), arbitrary::chat())
        .prop_map(|(messages, chat)| Chat { messages, model: Some("m".into()), ..chat })
        .boxed()
}

fn chat() -> BoxedStrategy<Chat<'static>> {
    prop_oneof![arbitrary::chat(), agent()].boxed()
}

/// What people and the model said.
fn said<'c>(chat: &'c Chat<'_>) -> Vec<(usize, &'c str)> {
    let words = |(index, message): (usize, &'c Message<'_>)| {
        let is_said = matches!(message.role(), Role::User | Role::Assistant);
        let texts = match message.content() {
            Content::Text(text) => vec![&**text],
            Content::Chunks(chunks) => chunks
                .iter()
                .filter_map(|chunk| if let Chunk::Text(text) = chunk { Some(&**text) } else { None })
                .collect(),
        };
        texts.into_iter().filter(move |text| is_said && !text.is_empty()).map(move |text| (index, text))
    };
    chat.messages.iter().enumerate().flat_map(words).collect()
}

/// Is there nothing in the chat that is sure to stay: a message to answer, or, for fine-tuning, one to learn from?
fn nothing_may_be_left(chat: &Chat<'_>, layout: &Layout) -> bool {
    let stays = |message: &Message<'_>| match (layout.mode, message) {
        (Mode::Finetuning, Message::Assistant(message)) => {
            message.tool_calls.is_empty() && matches!(&message.content, Content::Text(text) if !text.is_empty())
        }
        (Mode::Finetuning, _) => false,
        (_, message) => matches!(message.role(), Role::System | Role::User),
    };
    !chat.messages.iter().any(stays)
}

/// The kinds of errors that no mend is for.
const IRREPARABLE: [&str; 12] = [
    "no_model",
    "no_messages",
    "last_not_assistant",
    "tool_schema",
    "response_schema",
    "empty_audio",
    "weight",
    "image_scheme",
    "image_data",
    "image_bytes",
    "json_value",
    "no_settings",
];

fn keeps_its_promises(chat: &Chat<'_>, layout: &Layout, policy: &RepairPolicy) -> Result<(), TestCaseError> {
    let repaired = match chat.repair(layout, policy) {
        Ok(repaired) => repaired,
        Err(error) => {
            prop_assert!(check(chat, layout).is_err(), "{error}");
            prop_assert!(
                nothing_may_be_left(chat, layout) || IRREPARABLE.contains(&error.kind().name()),
                "{error}\n{chat:?}"
            );
            return Ok(());
        }
    };
    if check(chat, layout).is_ok() {
        prop_assert!(matches!(repaired.chat, Cow::Borrowed(same) if std::ptr::eq(same, chat)));
        prop_assert!(repaired.repairs.is_empty());
        return Ok(());
    }
    prop_assert!(!repaired.repairs.is_empty());
    prop_assert!(check(&repaired.chat, layout).is_ok());

    let again = repaired.chat.repair(layout, policy).unwrap();
    prop_assert_eq!(&again.chat, &repaired.chat);
    prop_assert!(again.repairs.is_empty());

    // Of equal texts, those of which a line tells are the ones that may be gone.
    let told = |index: usize| {
        let path = format!("messages[{index}]");
        let is_of = |at: &str| at.strip_prefix(&*path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        repaired.repairs.iter().any(|repair| is_of(&repair.at))
    };
    let mut untold: HashMap<&str, usize> = HashMap::new();
    for (index, text) in said(chat) {
        *untold.entry(text).or_default() += usize::from(!told(index));
    }
    for (_, text) in said(&repaired.chat) {
        untold.entry(text).and_modify(|count| *count = count.saturating_sub(1));
    }
    prop_assert!(untold.values().all(|count| *count == 0), "{untold:?} is gone");
    Ok(())
}

/// Fine-tuning learns every call or none.
#[test]
fn calls_that_get_messages_of_their_own_keep_their_weight() {
    let call = |id: &'static str| ToolCall::new("look", "{}").id(id);
    let (first, second) = ("abcdefgh1", "abcdefgh2");
    let calls = AssistantMessage {
        content: "Let me look.".into(),
        tool_calls: vec![call(first), call(second)],
        weight: Some(0.0),
        ..AssistantMessage::default()
    };
    let weights = |chat: &Chat<'_>| -> Vec<_> {
        let weight = |message: &Message<'_>| match message {
            Message::Assistant(message) => Some((message.tool_calls.len(), message.weight)),
            _ => None,
        };
        chat.messages.iter().filter_map(weight).collect()
    };
    let result = |id: &'static str| Message::tool("22").answering(id);

    let messages = [Message::user("Hi"), Message::Assistant(calls.clone()), result(first), result(second)];
    let chat = Chat::new(messages.into_iter().chain([Message::assistant("22.")]));
    let repaired = chat.repair(&Layout::V2.in_mode(Mode::Finetuning), &RepairPolicy::default()).unwrap();
    assert_eq!(weights(&repaired.chat), [(1, Some(0.0)), (1, Some(0.0)), (0, None)]);

    let wait = AssistantMessage { content: "Wait.".into(), weight: Some(0.0), ..AssistantMessage::default() };
    let early = Message::Assistant(AssistantMessage { content: Content::default(), ..calls });
    let messages = [Message::user("Hi"), early, result(first), Message::user("Hurry!"), Message::Assistant(wait)];
    let chat = Chat::new(messages.into_iter().chain([result(second), Message::assistant("22.")]));
    let repaired = chat.repair(&Layout::V3.in_mode(Mode::Finetuning), &RepairPolicy::default()).unwrap();
    assert_eq!(weights(&repaired.chat), [(1, Some(0.0)), (0, Some(0.0)), (1, Some(0.0)), (0, None)]);
}

proptest! {
    #![proptest_config(arbitrary::cases(100))]

    #[test]
    fn repairing_keeps_its_promises(chat in chat(), policy in policy()) {
        for layout in arbitrary::layouts() {
            for mode in Mode::ALL {
                keeps_its_promises(&chat, &layout.in_mode(mode), &policy)?;
            }
        }
    }
}

/// An agent's conversation as clients keep it: ids as servers hand them out, results in any order, some lost, and what
/// frameworks put in between. Each call's arguments are its own, and each result repeats those of its call.
fn kept_by_a_client() -> BoxedStrategy<Chat<'static>> {
    let round = (
        0..4_usize,
        proptest::collection::vec((0..6_usize, proptest::bool::weighted(0.8)), 1..4),
        any::<bool>(),
        select(vec!["", "Let me look."]),
        select(vec!["", "Done."]),
        proptest::bool::weighted(0.3),
    );
    proptest::collection::vec(round, 1..5)
        .prop_map(|rounds| {
            let (mut messages, mut count) = (vec![Message::system("Be quick.")], 0);
            for (shape, calls, reversed, text, reply, system) in rounds {
                messages.push(Message::user(format!("question {count}")));
                let (mut tool_calls, mut results) = (Vec::new(), Vec::new());
                for (id, is_answered) in calls {
                    count += 1;
                    let id = match shape {
                        0 => format!("call_{:024x}", count * 7919),
                        1 => format!("functions.look:{id}"),
                        2 => format!("chatcmpl-tool-{count}"),
                        _ => format!("abcdefg{count:02}"),
                    };
                    if tool_calls.iter().any(|call: &ToolCall<'_>| call.id.as_deref() == Some(&*id)) {
                        continue;
                    }
                    let arguments = format!("{{\"n\": {count}}}");
                    if is_answered {
                        results.push(Message::tool(arguments.clone()).answering(id.clone()));
                    }
                    tool_calls.push(ToolCall::new("look", arguments).id(id));
                }
                if reversed {
                    results.reverse();
                }
                let message = AssistantMessage { content: text.into(), tool_calls, ..AssistantMessage::default() };
                messages.push(Message::Assistant(message));
                messages.extend(results);
                messages.extend(system.then(|| Message::system("The time is noon.")));
                messages.push(Message::assistant(reply));
            }
            messages.push(Message::user("Thanks."));
            Chat { model: Some("m".into()), ..Chat::new(messages) }
        })
        .boxed()
}

/// Calls or results: the arguments of each, and its id.
type Ids = Vec<(String, String)>;

/// The calls and the results of a chat.
fn ids(chat: &Chat<'_>) -> (Ids, Ids) {
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for message in &chat.messages {
        match message {
            Message::Assistant(message) => calls.extend(
                message
                    .tool_calls
                    .iter()
                    .map(|call| (call.arguments.to_string(), call.id.clone().unwrap().into_owned())),
            ),
            Message::Tool(result) => {
                let Content::Text(text) = &result.content else { unreachable!("every result is a text") };
                results.push((text.to_string(), result.call_id.clone().unwrap().into_owned()));
            }
            _ => {}
        }
    }
    (calls, results)
}

/// The requests that the client sent: the conversation before each reply.
fn requests(chat: &Chat<'static>) -> Vec<Chat<'static>> {
    let role = |index: usize| chat.messages.get(index).map(Message::role);
    let ends = (1..=chat.messages.len())
        .filter(|end| role(end - 1) != Some(Role::Assistant) && role(*end).is_none_or(|role| role == Role::Assistant));
    ends.map(|end| Chat { messages: chat.messages[..end].to_vec(), ..chat.clone() }).collect()
}

/// The layouts that write tools, and keep them.
fn layouts_with_tools() -> [Layout; 7] {
    let rows = [Layout::V3, Layout::V3_TEKKEN, Layout::MAGNUM, Layout::V7, Layout::V11, Layout::V13, Layout::V15];
    rows.map(|layout| layout.in_mode(Mode::Serving))
}

proptest! {
    #![proptest_config(arbitrary::cases(200))]

    #[test]
    fn an_id_becomes_the_same_in_every_turn_and_no_two_meet(chat in kept_by_a_client()) {
        let (old, _) = ids(&chat);
        let old: HashMap<_, _> = old.into_iter().collect();
        for layout in layouts_with_tools() {
            let (mut new_of_old, mut old_of_new) = (HashMap::new(), HashMap::new());
            for request in requests(&chat) {
                let repaired = request.repair(&layout, &RepairPolicy::default()).unwrap();
                let (calls, results) = ids(&repaired.chat);
                for (arguments, new) in &calls {
                    let old = &old[arguments];
                    prop_assert_eq!(new_of_old.entry(old.clone()).or_insert_with(|| new.clone()), new);
                    prop_assert_eq!(old_of_new.entry(new.clone()).or_insert_with(|| old.clone()), old);
                }
                let new: HashMap<_, _> = calls.into_iter().collect();
                for (arguments, id) in results {
                    prop_assert_eq!(&new[&arguments], &id, "a result follows its call");
                }
            }
        }
    }

    /// But for a user's turn that goes on, because an empty reply was left out of it.
    #[test]
    fn the_beginning_is_mended_alike_in_every_turn(mut chat in kept_by_a_client()) {
        chat.messages.remove(0); // the system prompt, which some layouts move
        for layout in layouts_with_tools() {
            let mut before = String::new();
            for request in requests(&chat) {
                let repaired = request.repair(&layout, &RepairPolicy::default()).unwrap();
                let prompt = layout.render(&repaired.chat).unwrap();
                prop_assert!(prompt.as_str().starts_with(&before), "{}: {before}\n{prompt}", layout.name);
                let open_turn = prompt.as_str().strip_suffix("[/INST]").unwrap_or(prompt.as_str());
                before = open_turn.to_owned();
            }
        }
    }

    #[test]
    fn mended_rounds_have_their_results_in_call_order(chat in kept_by_a_client()) {
        for layout in [Layout::V3, Layout::V7, Layout::V11] {
            let repaired = chat.repair(&layout, &RepairPolicy::default()).unwrap();
            let mut calls: Vec<&str> = Vec::new();
            let mut next = 0;
            for message in &repaired.chat.messages {
                match message {
                    Message::Tool(result) => {
                        let place = calls.iter().position(|id| result.call_id.as_deref() == Some(*id)).unwrap();
                        let untouched = calls.iter().all(|id| id.starts_with("abcdefg"));
                        prop_assert!(place >= next || untouched, "{:?}", repaired.chat.messages);
                        next = place;
                    }
                    other => {
                        calls = match other {
                            Message::Assistant(message) => message.tool_calls.iter().map(|call| call.id.as_deref().unwrap()).collect(),
                            _ => Vec::new(),
                        };
                        next = 0;
                    }
                }
            }
        }
    }

    /// What has no mend is told as checking tells it, whatever else was mended.
    #[test]
    fn what_cannot_be_repaired_is_the_error_of_checking(chat in kept_by_a_client()) {
        for layout in layouts_with_tools() {
            let spoil = |chat: &Chat<'static>| {
                let parameters = Json::new(r#"{"type": 5}"#).unwrap();
                let tool = Tool { name: "look".into(), parameters, ..Tool::default() };
                Chat { tools: vec![tool], ..chat.clone() }
            };
            let spoiled = spoil(&chat);
            let repaired = chat.repair(&layout, &RepairPolicy::default()).unwrap().chat.into_owned().into_owned();
            let error = spoiled.repair(&layout, &RepairPolicy::default()).unwrap_err();
            prop_assert_eq!(error.to_string(), check(&spoil(&repaired), &layout).unwrap_err().to_string());
        }
    }
}

/// A result that is made up has the function's name where the layout writes it, and nowhere else.
#[test]
fn a_made_up_result_has_a_name_where_it_is_written() {
    let call = ToolCall::new("look", "{}").id("abcdefgh1");
    let chat = Chat { model: Some("m".into()), ..Chat::new([Message::user("Hi"), Message::calls([call])]) };
    let policy = RepairPolicy { open_calls: OpenCalls::Answer("cancelled"), ..RepairPolicy::default() };
    for (layout, name, prompt) in [
        (Layout::V2, Some("look"), r#"[TOOL_RESULTS] [{"name": "look", "content": "cancelled"}][/TOOL_RESULTS]"#),
        (Layout::V7, None, "[TOOL_RESULTS] abcdefgh1[TOOL_CONTENT] cancelled[/TOOL_RESULTS]"),
    ] {
        let repaired = chat.repair(&layout.in_mode(Mode::Serving), &policy).unwrap().chat;
        let Some(Message::Tool(result)) = repaired.messages.last() else { panic!("{repaired:?}") };
        assert_eq!(result.name.as_deref(), name, "{}", layout.name);
        assert!(layout.render(&repaired).unwrap().as_str().ends_with(prompt), "{}", layout.name);
    }
}
