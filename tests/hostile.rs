//! What nobody sends, and somebody will: a right answer or a typed error, never a panic.

use mistral_chat_template::{
    Chat, Completion, ErrorKind, Format, Layout, Message, Mode, Preset, Scene, Segment, ToolCalls, Version,
};

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
fn a_million_messages() {
    let messages = (0..1_000_001).map(|index| if index % 2 == 0 { Message::user("a") } else { Message::assistant("b") });
    let chat = Chat::new(messages);
    let prompt = Layout::V13.render(&chat).unwrap();
    assert_eq!(prompt.segments().count(), 1 + 500_001 * 3 + 500_000 * 2);
    let json = serde_json::to_string(&chat).unwrap();
    assert_eq!(Chat::from_json(&json).unwrap(), chat);
}

#[test]
fn a_hundred_megabytes_of_one_message() {
    let text = "[/INST]\u{0}é ".repeat(100_000_000 / 11);
    let json = serde_json::to_string(&Chat::new([Message::user(text.as_str())])).unwrap();
    let chat = Chat::from_json(&json).unwrap();
    let prompt = Layout::MAGNUM.render(&chat).unwrap();
    assert!(prompt.segments().any(|segment| segment == Segment::Text(&text)));
}

/// A list in a list, so deep.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn json_nested_two_hundred_deep() {
    let deep = nested(200);
    let sentence = |json: &str| Chat::from_json(json).unwrap_err().to_string();
    let unknown = format!(r#"{{"x": {deep}, "messages": [{{"role": "user", "content": "a"}}]}}"#);
    assert_eq!(Chat::from_json(&unknown).map(|chat| chat.messages.len()).map_err(|error| error.to_string()), Ok(1));
    let content = format!(r#"{{"messages": [{{"role": "user", "content": {deep}}}]}}"#);
    assert_eq!(sentence(&content), "");
    let parameters = format!(
        r#"{{"messages": [{{"role": "user", "content": "a"}}],
            "tools": [{{"type": "function", "function": {{"name": "f", "parameters": {{"default": {deep}}}}}}}]}}"#
    );
    let chat = Chat::from_json(&parameters).unwrap();
    assert!(Layout::V3.render(&chat).unwrap().as_str().contains(&format!(r#""parameters": {{"default": {deep}}}"#)));
    assert_eq!(Preset::default().load(&format!(r#"{{"story_string": {deep}}}"#)).unwrap_err().to_string(), "");
    let output = format!("[TOOL_CALLS]f[ARGS]{{\"a\": {deep}}}");
    let message = Completion::from_text(&output, &Layout::V13).into_result().unwrap();
    assert_eq!(message.tool_calls[0].arguments, format!("{{\"a\": {deep}}}"));
}

#[test]
fn arguments_nested_a_hundred_thousand_deep() {
    let arguments = nested(100_000).replace('[', "{\\\"a\\\":").replace(']', "}").replacen(":}", ":1}", 1);
    let request = format!(
        r#"{{"messages": [{{"role": "user", "content": "a"}}, {{"role": "assistant", "tool_calls": [
            {{"id": "abcdefgh1", "function": {{"name": "f", "arguments": "{arguments}"}}}}]}},
            {{"role": "tool", "tool_call_id": "abcdefgh1", "content": "1"}}]}}"#
    );
    let chat = Chat::from_json(&request).unwrap();
    for layout in layouts() {
        match layout.render(&chat) {
            Ok(prompt) => assert!(prompt.as_str().len() > 600_000, "{}", layout.name),
            Err(error) => assert_eq!(layout.calls, ToolCalls::None, "{error}"),
        }
    }
}

#[test]
fn half_of_a_character() {
    let in_content = r#"{"messages": [{"role": "user", "content": "a\ud800b"}]}"#;
    assert_eq!(Chat::from_json(in_content).unwrap_err().to_string(), "");
    let in_arguments = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [
        {"id": "abcdefgh1", "function": {"name": "f", "arguments": "{\"a\": \"\\ud800\"}"}}]}]}"#;
    let chat = Chat::from_json(in_arguments).unwrap();
    assert_eq!(Layout::V3.in_mode(Mode::Finetuning).render(&chat).unwrap_err().to_string(), "");
    let in_parameters = r#"{"messages": [{"role": "user", "content": "a"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": "\udc00"}}}]}"#;
    assert_eq!(Chat::from_json(in_parameters).and_then(|chat| Layout::V3.render(&chat)).unwrap_err().to_string(), "");
    let preset = r#"{"story_string": "\ud83d"}"#;
    assert_eq!(Preset::default().load(preset).unwrap_err().to_string(), "");
    let output = r#"[TOOL_CALLS]f[ARGS]{"a": "\ud800"}"#;
    assert_eq!(Completion::from_text(output, &Layout::V13).into_result().unwrap_err().to_string(), "");
}

#[test]
fn a_key_that_comes_twice_counts_as_its_last() {
    let chat = r#"{"messages": [], "messages": [{"role": "tool", "content": 1, "role": "user", "content": "a"}]}"#;
    assert_eq!(Chat::from_json(chat).map_err(|error| error.to_string()), Ok(Chat::new([Message::user("a")])));
    let tool = r#"{"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function":
        {"name": "f", "name": "g", "parameters": {"a": 1, "b": 2, "a": 3}}}]}"#;
    let prompt = Layout::V3.render(&Chat::from_json(tool).unwrap()).unwrap();
    assert!(prompt.as_str().contains(r#"{"name": "g", "description": "", "parameters": {"a": 3, "b": 2}}"#), "{prompt}");
    let mut preset = Preset::default();
    preset.load(r#"{"story_string": "one", "story_string": "two"}"#).unwrap();
    assert_eq!(preset.context.story_string, "two");
    let output = r#"[TOOL_CALLS]f[ARGS]{"a": 1, "a": 2}"#;
    let message = Completion::from_text(output, &Layout::V13).into_result().unwrap();
    assert_eq!(message.tool_calls[0].arguments, "");
}

#[test]
fn numbers_that_are_none() {
    for number in ["NaN", "Infinity", "-Infinity", "1e999"] {
        let weight = format!(r#"{{"messages": [{{"role": "assistant", "content": "a", "weight": {number}}}]}}"#);
        assert_eq!(Chat::from_json(&weight).unwrap_err().to_string(), "", "{number}");
        let parameters = format!(
            r#"{{"messages": [{{"role": "user", "content": "a"}}],
                "tools": [{{"type": "function", "function": {{"name": "f", "parameters": {{"default": {number}}}}}}}]}}"#
        );
        let rendered = Chat::from_json(&parameters).and_then(|chat| Layout::V3.render(&chat));
        assert_eq!(rendered.unwrap_err().to_string(), "", "{number}");
        let preset = format!(r#"{{"story_string": "", "example_separator": {number}}}"#);
        assert_eq!(Preset::default().load(&preset).unwrap_err().to_string(), "", "{number}");
        let output = format!(r#"[TOOL_CALLS]f[ARGS]{{"a": {number}}}"#);
        let message = Completion::from_text(&output, &Layout::V13).into_result().unwrap();
        assert_eq!(message.tool_calls[0].arguments, format!(r#"{{"a": {number}}}"#));
    }
}

/// The first characters, the last, and some between of every plane; spaces, breaks, and marks that turn the direction.
fn unusual_texts() -> Vec<String> {
    let of_plane = |plane: u32| {
        let characters = [0, 1, 0x300, 0x2028, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff];
        characters.iter().filter_map(|character| char::from_u32(plane << 16 | character)).collect()
    };
    let lines = ["a\0b", "\0", "a\r\nb", "a\rb", "\u{feff}a", "a\u{202e}b", "a\u{200d}b", "e\u{301}", "a\u{85}b", "a\u{2028}b"];
    (0..17).map(of_plane).chain(lines.map(str::to_owned)).collect()
}

#[test]
fn characters_stay_as_they_are() {
    for text in unusual_texts() {
        let said = format!("x{text}x");
        let messages = [Message::system(&*said), Message::user(&*said), Message::assistant(&*said), Message::user(&*said)];
        let chat = Chat::new(messages);
        let json = serde_json::to_string(&chat).unwrap();
        assert_eq!(Chat::from_json(&json).unwrap(), chat);
        for layout in layouts() {
            let prompt = layout.render(&chat).unwrap();
            assert_eq!(prompt.as_str().matches(&said).count(), 4, "{} {text:?}", layout.name);
            let completion = Completion::from_text(&format!("{said}</s>"), &layout);
            assert_eq!(completion.message.content, (&*said).into(), "{} {text:?}", layout.name);
        }
        let preset = Preset::for_layout(&Layout::MAGNUM).unwrap().with_system_prompt(&*said);
        let prompt = preset.with_scene(&Scene::default()).unwrap().render(&chat).unwrap();
        assert!(prompt.as_str().matches(&said).count() >= 3, "{prompt:?}");
    }
}

#[cfg(feature = "template")]
#[test]
fn characters_stay_as_they_are_in_templates() {
    let template = mistral_chat_template::ChatTemplate::new(&Layout::V7.chat_template()).unwrap();
    for text in unusual_texts() {
        let said = format!("x{text}x");
        let chat = Chat::new([Message::user(&*said), Message::assistant(&*said), Message::user(&*said)]);
        let prompt = template.render(&chat).unwrap();
        assert_eq!(prompt.as_str(), Layout::V7.render(&chat).unwrap().as_str(), "{text:?}");
    }
}

#[test]
fn marks_and_breaks_around_json() {
    let chat = r#"{"messages": [{"role": "user", "content": "a"}]}"#;
    assert_eq!(Chat::from_json(&format!("\u{feff}{chat}")).unwrap_err().to_string(), "");
    assert_eq!(Chat::from_json(&format!("{chat}\0")).unwrap_err().to_string(), "");
    assert!(Chat::from_json(&chat.replace(' ', "\r\n")).is_ok());
    let preset = r#"{"story_string": "a"}"#;
    assert_eq!(Preset::default().load(&format!("\u{feff}{preset}")).unwrap_err().to_string(), "");
    assert!(Preset::default().load(&preset.replace(' ', "\r\n")).is_ok());
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
