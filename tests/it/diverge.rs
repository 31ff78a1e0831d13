//! Where two prompts part, and what happened there.

use mistral_chat_template::chat::ReasoningEffort;
use mistral_chat_template::prompt::DivergenceKind;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Chunk, Format, Layout, Message, Mode, Prompt, Tool, ToolCall};
use proptest::prelude::*;

use crate::support::arbitrary;

fn weather() -> Tool<'static> {
    Tool { name: "get".into(), description: "Weather".into(), ..Tool::default() }
}

fn talk<const N: usize>(messages: [Message<'static>; N]) -> Chat<'static> {
    Chat::new(messages)
}

/// Where the prompts of two chats part: segment, byte, messages, and what happened.
#[track_caller]
fn parts(
    (layout, chat): (Layout, &Chat<'_>),
    (other_layout, other): (Layout, &Chat<'_>),
) -> (usize, usize, Option<usize>, Option<usize>, DivergenceKind) {
    let (one, other) = (layout.render(chat).unwrap(), other_layout.render(other).unwrap());
    let divergence = one.divergence(&other).unwrap();
    let back = other.divergence(&one).unwrap();
    assert_eq!((back.segment, back.byte), (divergence.segment, divergence.byte));
    assert_eq!((back.message, back.other_message), (divergence.other_message, divergence.message));
    assert_eq!(back.kind, divergence.kind);
    (divergence.segment, divergence.byte, divergence.message, divergence.other_message, divergence.kind)
}

#[test]
fn a_longer_chat_continues() {
    let chat = talk([Message::user("Hi")]);
    let longer = talk([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    let parts = parts((Layout::V7, &chat), (Layout::V7, &longer));
    assert_eq!(parts, (4, "<s>[INST] Hi[/INST]".len(), None, Some(1), DivergenceKind::Continued));
}

#[test]
fn system_prompts_and_tools_move() {
    let messages =
        [Message::system("Be kind."), Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")];
    let chat = talk(messages);
    let moved = parts((Layout::V3, &chat), (Layout::MAGNUM, &chat));
    assert_eq!(moved, (2, "<s>[INST] ".len(), Some(1), Some(0), DivergenceKind::SystemMoved));

    let with_tools = Chat { tools: vec![weather()], ..chat.clone() };
    let first = Chat { messages: with_tools.messages[..2].to_vec(), ..with_tools.clone() };
    let at = "<s>[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][".len();
    let moved = parts((Layout::V11, &first), (Layout::V11, &with_tools));
    assert_eq!(moved, (4, at, None, Some(1), DivergenceKind::ToolsMoved));
    let (.., changed) = parts((Layout::V11, &chat), (Layout::V11, &with_tools));
    assert_eq!(changed, DivergenceKind::ToolsChanged);
}

#[test]
fn what_stands_beside_the_messages_changes() {
    let chat = talk([Message::system("Be kind."), Message::user("Hi")]);
    let other = talk([Message::system("Be brief."), Message::user("Hi")]);
    let (.., kind) = parts((Layout::V7, &chat), (Layout::V7, &other));
    assert_eq!(kind, DivergenceKind::SystemChanged);

    let with_tools = Chat { tools: vec![weather()], ..chat.clone() };
    let (.., kind) = parts((Layout::V7, &chat), (Layout::V7, &with_tools));
    assert_eq!(kind, DivergenceKind::ToolsChanged);

    let harder = Chat { reasoning_effort: Some(ReasoningEffort::High), ..chat.clone() };
    let (.., kind) = parts((Layout::V15, &chat), (Layout::V15, &harder));
    assert_eq!(kind, DivergenceKind::SettingsChanged);
}

#[test]
fn what_clients_do_to_a_message_is_told() {
    let layout = Layout::V13.with(Feature::Think);
    let said = |reply: Message<'static>| talk([Message::user("Hi"), reply, Message::user("Bye")]);
    let thought = Message::assistant(vec![Chunk::thinking("A greeting."), Chunk::text("Hello!")]);
    let plain = said(Message::assistant("Hello!"));
    let kind = |one: &Chat<'_>, other: &Chat<'_>| parts((layout, one), (layout, other)).4;
    assert_eq!(kind(&said(thought), &plain), DivergenceKind::ThinkingDropped);
    assert_eq!(kind(&said(Message::assistant("\nHello!")), &plain), DivergenceKind::SpaceTrimmed);
    assert_eq!(kind(&said(Message::assistant("Hello! And you?")), &plain), DivergenceKind::TextContinued);
    assert_eq!(kind(&said(Message::assistant("Good day!")), &plain), DivergenceKind::MessageChanged);
}

#[test]
fn rewritten_json_is_told() {
    let result = |text: &'static str| {
        talk([
            Message::user("Hi"),
            Message::calls([ToolCall::new("get", "{}").id("abcdefgh1")]),
            Message::tool(text).answering("abcdefgh1"),
        ])
    };
    let (one, other) = (result(r#"{"n":1}"#), result(r#"{"n": 1}"#));
    let (.., message, _, kind) = parts((Layout::V7, &one), (Layout::V7, &other));
    assert_eq!((message, kind), (Some(2), DivergenceKind::JsonRewritten));
}

#[test]
fn another_version_is_told() {
    let chat = talk([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    for (one, other) in [(Layout::V1, Layout::V3), (Layout::V3, Layout::V3_TEKKEN), (Layout::V7, Layout::V13)] {
        let (.., kind) = parts((one, &chat), (other, &chat));
        assert_eq!(kind, DivergenceKind::AnotherVersion, "{} {}", one.name, other.name);
    }
}

/// Calls and results say the same in every version, and are begun in another way in most.
#[test]
fn calls_and_results_of_other_versions_are_told() {
    let chat = Chat::from_json(include_str!("../../examples/chats/agent.json")).unwrap();
    let from_calls = |layout: Layout, with_system: bool| {
        let messages = chat.messages.iter().skip(usize::from(!with_system));
        (layout, Chat { messages: messages.cloned().collect(), tools: Vec::new(), ..chat.clone() })
    };
    let versions = [Layout::V3_TEKKEN, Layout::V7_TEKKEN, Layout::V11, Layout::V13];
    for (index, one) in versions.into_iter().enumerate() {
        for other in versions.into_iter().skip(index + 1) {
            let ((one, chat), (other, same)) = (from_calls(one, false), from_calls(other, false));
            let (_, _, message, other_message, kind) = parts((one, &chat), (other, &same));
            assert_eq!(kind, DivergenceKind::AnotherVersion, "{} {}", one.name, other.name);
            assert_eq!(message, other_message);
        }
    }
    let ((v2, chat), (v3, same)) = (from_calls(Layout::V2, false), from_calls(Layout::V3, false));
    let last = |chat: &Chat<'static>| {
        let last_user = chat.messages.iter().rposition(|message| matches!(message, Message::User(_))).unwrap();
        Chat { messages: chat.messages[last_user..].to_vec(), ..chat.clone() }
    };
    let (.., kind) = parts((v2, &last(&chat.into_owned())), (v3, &last(&same.into_owned())));
    assert_eq!(kind, DivergenceKind::AnotherVersion, "v3 gives calls an id");
}

#[test]
fn another_call_is_another_message() {
    let said = |arguments: &'static str| {
        talk([
            Message::user("Hi"),
            Message::calls([ToolCall::new("get", arguments).id("abcdefgh1")]),
            Message::tool("22").answering("abcdefgh1"),
        ])
    };
    let (one, other) = (said(r#"{"n": 1}"#), said(r#"{"n": 2}"#));
    for layout in [Layout::V2, Layout::V3, Layout::V7, Layout::V11, Layout::V13] {
        let (.., kind) = parts((layout, &one), (layout, &other));
        assert_eq!(kind, DivergenceKind::MessageChanged, "{}", layout.name);
    }
}

#[test]
fn a_divergence_reads_as_a_sentence() {
    let prompt = |text: &'static str| Layout::V7.render(&talk([Message::user(text)])).unwrap();
    let divergence = prompt("Hi").divergence(&prompt("Ho")).unwrap();
    assert_eq!(divergence.to_string(), "from byte 11 on, in segment 2 of message 0: the message is another one");
}

fn segments(prompt: &Prompt) -> usize {
    prompt.segments().count()
}

proptest! {
    #![proptest_config(arbitrary::cases(300))]

    #[test]
    fn prompts_part_where_their_segments_do(one in arbitrary::chat(), other in arbitrary::chat(), cut in 0..7_usize) {
        let cut = Chat { messages: one.messages.iter().take(cut).cloned().collect(), ..one.clone() };
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(Mode::Agnostic);
            let Ok(prompt) = layout.render(&one) else { continue };
            prop_assert_eq!(prompt.divergence(&prompt.clone()), None);
            for other in [&other, &cut] {
                let Ok(other) = layout.render(other) else { continue };
                let same = prompt.segments().zip(other.segments()).take_while(|(one, other)| one == other).count();
                let Some(divergence) = prompt.divergence(&other) else {
                    prop_assert_eq!((same, same), (segments(&prompt), segments(&other)));
                    continue;
                };
                prop_assert_eq!(divergence.segment, same);
                let bytes = |prompt: &Prompt| prompt.as_str().as_bytes()[..divergence.byte].to_vec();
                prop_assert_eq!(bytes(&prompt), bytes(&other));
                let ends = same == segments(&prompt) || same == segments(&other);
                prop_assert_eq!(divergence.kind == DivergenceKind::Continued, ends);
            }
        }
    }
}
