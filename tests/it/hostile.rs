//! What nobody sends, and somebody will: a right answer or a typed error, never a panic.

use mistral_chat_template::layout::{SchemaSetting, Settings, ToolCalls};
use mistral_chat_template::preset::Scene;
use mistral_chat_template::{
    Chat, Completion, ErrorKind, Format, Layout, Message, Mode, Preset, Prompt, Segment, Version,
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
fn a_hundred_thousand_rounds() {
    let messages = (0..200_001).map(|index| if index % 2 == 0 { Message::user("a") } else { Message::assistant("b") });
    let chat = Chat::new(messages);
    let prompt = Layout::V13.render(&chat).unwrap();
    assert_eq!(prompt.segments().count(), 1 + 100_001 * 3 + 100_000 * 2);
    let json = serde_json::to_string(&chat).unwrap();
    assert_eq!(Chat::from_json(&json).unwrap(), chat);
}

#[test]
fn ten_megabytes_of_one_message() {
    let (text, escaped) = ("[/INST]\u{0}é ", r"[/INST]\u0000é ");
    let (text, escaped) = (text.repeat(10_000_000 / 11), escaped.repeat(10_000_000 / 11));
    let json = format!(r#"{{"messages": [{{"role": "user", "content": "{escaped}"}}]}}"#);
    let chat = Chat::from_json(&json).unwrap();
    let prompt = Layout::MAGNUM.render(&chat).unwrap();
    assert!(prompt.segments().any(|segment| segment == Segment::Text(&text)));
}

/// A list in a list, so deep.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// A request with a tool whose parameters hold this value.
fn with_parameters(value: &str) -> String {
    format!(
        r#"{{"messages": [{{"role": "user", "content": "a"}}],
            "tools": [{{"type": "function", "function": {{"name": "f", "parameters": {{"default": {value}}}}}}}]}}"#
    )
}

/// A request with a call of these arguments, which are to be escaped.
fn with_arguments(arguments: &str) -> String {
    format!(
        r#"{{"messages": [{{"role": "user", "content": "a"}}, {{"role": "assistant", "tool_calls": [
            {{"id": "abcdefgh1", "function": {{"name": "f", "arguments": "{arguments}"}}}}]}},
            {{"role": "tool", "tool_call_id": "abcdefgh1", "content": "1"}}]}}"#
    )
}

/// The prompt of a request, or the sentence that refuses it.
fn render(layout: &Layout, json: &str) -> Result<String, String> {
    let prompt = Chat::from_json(json).and_then(|chat| layout.render(&chat));
    prompt.map(Prompt::into_string).map_err(|error| error.to_string())
}

fn refused(json: &str) -> String {
    render(&Layout::V3, json).unwrap_err()
}

fn refused_preset(json: &str) -> String {
    Preset::default().load(json).unwrap_err().to_string()
}

/// The arguments of an output that is one call.
fn called(arguments: &str) -> String {
    let output = format!("[TOOL_CALLS]f[ARGS]{arguments}");
    Completion::from_text(&output, &Layout::V13).into_result().unwrap().tool_calls[0].arguments.clone().into_owned()
}

#[test]
fn json_nested_two_hundred_deep() {
    let deep = nested(200);
    let unknown = format!(r#"{{"x": {deep}, "messages": [{{"role": "user", "content": "a"}}]}}"#);
    assert_eq!(render(&Layout::V3, &unknown).unwrap(), "<s>[INST] a[/INST]");
    let content = format!(r#"{{"messages": [{{"role": "user", "content": {deep}}}]}}"#);
    let sentence = "messages[0].content[0]: invalid type: sequence, expected an object at line 1 column 43";
    assert_eq!(refused(&content), sentence);
    let parameters = render(&Layout::V3, &with_parameters(&deep)).unwrap();
    assert!(parameters.contains(&format!(r#""parameters": {{"default": {deep}}}"#)));
    let preset = format!(r#"{{"story_string": {deep}}}"#);
    assert_eq!(refused_preset(&preset), "recursion limit exceeded at line 1 column 144");
    assert_eq!(called(&format!(r#"{{"a": {deep}}}"#)), format!(r#"{{"a": {deep}}}"#));
}

#[test]
fn arguments_nested_a_hundred_thousand_deep() {
    let arguments = nested(100_000).replace('[', r#"{\"a\":"#).replace(']', "}").replacen(":}", ":1}", 1);
    let request = with_arguments(&arguments);
    for layout in layouts() {
        match render(&layout, &request) {
            Ok(prompt) => assert!(prompt.len() > 600_000, "{}", layout.name),
            Err(error) => assert_eq!(layout.calls, ToolCalls::None, "{error}"),
        }
    }
}

#[test]
fn half_of_a_character() {
    let content = r#"{"messages": [{"role": "user", "content": "a\ud800b"}]}"#;
    assert_eq!(refused(content), "messages[0].content: the text has a lone surrogate, which is half of a character");
    let kept = "the JSON holds what cannot be kept: a string has a lone surrogate at byte";
    let arguments = with_arguments(r#"{\"a\": \"\\ud800\"}"#);
    assert_eq!(refused(&arguments), format!("messages[1].tool_calls[0].function.arguments: {kept} 6 (v3)"));
    let parameters = with_parameters(r#""\udc00""#);
    assert_eq!(refused(&parameters), format!("tools[0].function.parameters: {kept} 12 (v3)"));
    assert_eq!(render(&Layout::V1, &parameters).unwrap(), "<s> [INST] a [/INST]", "which prints no tools");
    let asked = r#"{"messages": [{"role": "user", "content": "a"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": {"default": "\udc00"}}}}"#;
    assert_eq!(render(&Layout::V15, asked).unwrap(), render(&Layout::V15, &asked.replace("udc00", "n")).unwrap());
    let settings = Settings::Block { effort: None, schema: SchemaSetting::Printed };
    let printing = Layout { settings, ..Layout::V15 };
    assert_eq!(render(&printing, asked).unwrap_err(), format!("response_format.json_schema.schema: {kept} 12 (v15)"));
    let result = r#"{"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [{"id": "abcdefgh1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "name": "f", "content": "\"\\ud800\"", "tool_call_id": "abcdefgh1"}"#;
    let last = format!(r#"{{"messages": [{result}]}}"#);
    assert_eq!(render(&Layout::V2, &last).unwrap_err(), format!("messages[2].content: {kept} 0 (v2)"));
    let left_out = r#"{"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}"#;
    let old = format!(r#"{{"messages": [{result}, {left_out}]}}"#);
    assert_eq!(render(&Layout::V2, &old).unwrap(), "<s>[INST] a[/INST] b</s>[INST] c[/INST]", "which leaves it out");
    {
        let template = mistral_chat_template::ChatTemplate::new("{{ tools }}").unwrap();
        let error = template.render(&Chat::from_json(&parameters).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), format!("tools: {kept} 74"));
    }
    let preset = r#"{"story_string": "\ud83d"}"#;
    assert_eq!(refused_preset(preset), "unexpected end of hex escape at line 1 column 25");
    assert_eq!(called(r#"{"a": "\ud800"}"#), r#"{"a": "\ufffd"}"#, "which every layout renders");
}

#[test]
fn a_key_that_comes_twice_counts_as_its_last() {
    let chat = r#"{"messages": [], "messages": [{"role": "tool", "content": "b", "role": "user", "content": "a"}]}"#;
    assert_eq!(Chat::from_json(chat).unwrap(), Chat::new([Message::user("a")]));
    let prompt = render(&Layout::V3, &with_parameters(r#"1, "b": 2, "default": 3"#)).unwrap();
    assert!(prompt.contains(r#""parameters": {"default": 3, "b": 2}"#), "{prompt}");
    let mut preset = Preset::default();
    preset.load(r#"{"story_string": "one", "story_string": "two"}"#).unwrap();
    assert!(preset.context.story_string.ends_with("two"), "{}", preset.context.story_string);
    assert_eq!(called(r#"{"a": 1, "a": 2}"#), r#"{"a": 1, "a": 2}"#, "as the model wrote it");
}

#[test]
fn numbers_that_are_none() {
    for (number, fault) in [("NaN", "expected value"), ("Infinity", "expected value"), ("-Infinity", "invalid number")]
    {
        let weight = format!(r#"{{"messages": [{{"role": "assistant", "content": "a", "weight": {number}}}]}}"#);
        assert!(refused(&weight).starts_with(&format!("messages[0].weight: {fault} at line 1 column 6")));
        let parameters = refused(&with_parameters(number));
        assert!(parameters.starts_with(&format!("tools[0].function.parameters: {fault} at line 2")), "{parameters}");
        let preset = refused_preset(&format!(r#"{{"story_string": "", "x": {number}}}"#));
        assert!(preset.starts_with(&format!("{fault} at line 1 column 2")), "{preset}");
        assert_eq!(called(&format!(r#"{{"a": {number}}}"#)), format!(r#"{{"a": {number}}}"#));
        let arguments = render(&Layout::V3, &with_arguments(&format!(r#"{{\"a\": {number}}}"#))).unwrap();
        assert!(arguments.contains(&format!(r#""arguments": {{"a": {number}}}"#)), "as Python reads and prints it");
    }
    let weight = r#"{"messages": [{"role": "assistant", "content": "a", "weight": 1e999}]}"#;
    assert_eq!(refused(weight), "messages[0].weight: number out of range at line 1 column 67");
    let parameters = render(&Layout::V3, &with_parameters("1e999")).unwrap();
    assert!(parameters.contains(r#"{"default": Infinity}"#), "as Python reads and prints it");
}

/// The first characters, the last, and some between of every plane; spaces, breaks, and marks that turn the direction.
fn unusual_texts() -> Vec<String> {
    let of_plane = |plane: u32| {
        let characters = [0, 1, 0x300, 0x2028, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff];
        characters.iter().filter_map(|character| char::from_u32(plane << 16 | character)).collect()
    };
    let lines =
        ["a\0b", "\0", "a\r\nb", "a\rb", "\u{feff}a", "a\u{202e}b", "a\u{200d}b", "e\u{301}", "a\u{85}b", "a\u{2028}b"];
    (0..17).map(of_plane).chain(lines.map(str::to_owned)).collect()
}

#[test]
fn characters_stay_as_they_are() {
    for text in unusual_texts() {
        let said = format!("x{text}x");
        let messages =
            [Message::system(&*said), Message::user(&*said), Message::assistant(&*said), Message::user(&*said)];
        let chat = Chat::new(messages);
        let json = serde_json::to_string(&chat).unwrap();
        assert_eq!(Chat::from_json(&json).unwrap(), chat);
        for layout in layouts() {
            let prompt = layout.render(&chat).unwrap();
            assert_eq!(prompt.as_str().matches(&said).count(), 4, "{} {text:?}", layout.name);
            let completion = Completion::from_text(&format!("{said}</s>"), &layout);
            assert_eq!(completion.message.content, (&*said).into(), "{} {text:?}", layout.name);
        }
        let preset = Preset::for_layout(&Layout::MAGNUM).unwrap().with_scene(&Scene::default()).unwrap();
        let prompt = preset.render(&chat).unwrap();
        let said = said.replace('\r', "");
        assert!(prompt.as_str().matches(&said).count() >= 3, "SillyTavern leaves carriage returns out: {prompt:?}");
    }
}

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
    assert_eq!(refused(&format!("\u{feff}{chat}")), "expected value at line 1 column 1");
    assert_eq!(refused(&format!("{chat}\0")), "trailing characters at line 1 column 49");
    let nul =
        "messages[0].content: control character (\\u0000-\\u001F) found while parsing a string at line 1 column 44";
    assert_eq!(refused(&chat.replace("\"a\"", "\"\0\"")), nul);
    assert_eq!(render(&Layout::V3, &chat.replace(' ', "\r\n")).unwrap(), "<s>[INST] a[/INST]");
    // SillyTavern's own files begin with the mark now and then.
    for preset in ["\u{feff}{\"story_string\": \"a\"}", "{\r\n\"story_string\":\r\n\"a\"}"] {
        let mut read = Preset::default();
        read.load(preset).unwrap();
        assert!(read.context.story_string.ends_with("{{/if}}a"), "{}", read.context.story_string);
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
