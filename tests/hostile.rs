//! What nobody sends, and somebody will: a right answer or a typed error, never a panic.

use mistral_chat_template::{Chat, ErrorKind, Format, Layout, Message, Mode, Segment, Version};

fn layouts() -> impl Iterator<Item = Layout> {
    Version::ALL.iter().map(|version| version.layout().in_mode(Mode::Agnostic))
}

#[test]
fn empty_messages() {
    let chat = Chat::new([Message::system(""), Message::user(""), Message::user("")]);
    assert_eq!(Layout::V3.render(&chat).unwrap().as_str(), "<s>[INST][/INST]");
    assert_eq!(Layout::MAGNUM.render(&chat).unwrap().as_str(), "<s>[INST][/INST]");
    let replies = Chat::new([Message::user("a"), Message::assistant("")]);
    for layout in layouts() {
        layout.render(&chat).unwrap();
        let kind = layout.render(&replies).unwrap_err().kind().clone();
        assert!(matches!(kind, ErrorKind::NoContentNorCalls | ErrorKind::EmptyReply), "{kind}");
    }
}

#[test]
fn a_system_prompt_alone() {
    let chat = Chat::new([Message::system("S")]);
    assert_eq!(Layout::V1.render(&chat).unwrap().as_str(), "<s> [INST] S\n\n [/INST]");
    assert_eq!(Layout::V3.render(&chat).unwrap().as_str(), "<s>[INST] S\n\n[/INST]");
    assert_eq!(Layout::MAGNUM.render(&chat).unwrap().as_str(), "<s>[INST] S\n[/INST]");
    assert_eq!(Layout::V7.render(&chat).unwrap().as_str(), "<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT]");
}

#[test]
fn an_assistant_first() {
    let chat = Chat::new([Message::assistant("a"), Message::user("b")]);
    assert_eq!(Layout::V3.render(&chat).unwrap().as_str(), "<s>[INST][/INST] a</s>[INST] b[/INST]");
    assert_eq!(Layout::V7.render(&chat).unwrap().as_str(), "<s> a</s>[INST] b[/INST]");
}

#[test]
fn ten_thousand_messages() {
    let messages = (0..10_001).map(|index| if index % 2 == 0 { Message::user("ab") } else { Message::assistant("cd") });
    let chat = Chat::new(messages);
    for layout in layouts() {
        let prompt = layout.render(&chat).unwrap();
        let said = prompt.segments().filter(|segment| matches!(segment, Segment::Text(text) if text.len() < 20));
        assert_eq!(said.count(), 10_001, "{}", layout.name);
    }
    let one_role = Chat::new((0..10_000).map(|_| Message::user("ab")));
    for layout in layouts() {
        assert!(layout.render(&one_role).unwrap().as_str().len() > 40_000);
    }
}

#[test]
fn fifty_megabytes_of_one_message() {
    let text = "[/INST]\u{0}é ".repeat(50_000_000 / 11);
    let json = serde_json::to_string(&Chat::new([Message::user(text.as_str())])).unwrap();
    let chat = Chat::from_json(&json).unwrap();
    let prompt = Layout::MAGNUM.render(&chat).unwrap();
    assert!(prompt.segments().any(|segment| segment == Segment::Text(&text)));
}

#[test]
fn deep_nesting_is_read_past_or_refused() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let unknown = format!(r#"{{"x": {}, "messages": [{{"role": "user", "content": "a"}}]}}"#, nested(200));
    let _ = Chat::from_json(&unknown);
    let arguments = nested(100_000).replace('[', "{\\\"a\\\":").replace(']', "}").replacen(":}", ":1}", 1);
    let request = format!(
        r#"{{"messages": [{{"role": "user", "content": "a"}}, {{"role": "assistant", "tool_calls": [
            {{"id": "abcdefgh1", "function": {{"name": "f", "arguments": "{arguments}"}}}}]}},
            {{"role": "tool", "tool_call_id": "abcdefgh1", "content": "1"}}]}}"#
    );
    let chat = Chat::from_json(&request).unwrap();
    for layout in layouts() {
        let _ = layout.render(&chat);
    }
}

#[test]
fn thirty_thousand_calls_in_one_message() {
    let call = |index: usize| mistral_chat_template::ToolCall::new("f", "{}").id(format!("{index:09}"));
    let result = |index: usize| Message::tool("1").answering(format!("{index:09}"));
    let count = 30_000;
    let calls = [Message::user("a"), Message::calls((0..count).map(call))];
    let chat = Chat::new(calls.into_iter().chain((0..count).rev().map(result)));
    for layout in [Layout::V3, Layout::V7, Layout::V11, Layout::V15] {
        let prompt = layout.render(&chat).unwrap();
        assert!(prompt.as_str().len() > count * 20);
    }
}

#[test]
fn a_chat_can_cross_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Chat<'static>>();
    is_shared::<Layout>();
    is_shared::<mistral_chat_template::Prompt>();
    is_shared::<mistral_chat_template::Error>();
}
