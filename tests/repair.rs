//! What repairing promises, for every chat, layout, mode and policy; and each mend by example.

use std::borrow::Cow;
use std::collections::HashMap;

use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Conversation, EmptyReplies, ForeignMedia, ForeignThinking, LastReply,
    LateSystem, Layout, Message, Mode, OpenCalls, RepairPolicy, Role, StrayResults, TextBesideCalls, ToolCall,
};
use proptest::prelude::*;
use proptest::sample::select;

mod support;

use support::arbitrary;

fn check(chat: &Chat<'_>, layout: &Layout) -> Result<(), mistral_chat_template::Error> {
    Conversation::new(chat, layout).map(drop)
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
const IRREPARABLE: [&str; 13] = [
    "no_model",
    "no_messages",
    "last_not_assistant",
    "tool_name",
    "tool_schema",
    "response_schema",
    "empty_audio",
    "weight",
    "image_scheme",
    "image_data",
    "json_value",
    "effort",
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
