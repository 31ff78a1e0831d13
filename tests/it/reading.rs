//! Requests as they are sent, form by form: what each means, and what is missing or wrong in it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::chat::ResponseFormat;
use mistral_chat_template::error::Family;
use mistral_chat_template::layout::{ChunkKind, ChunkKinds, UserTurn};
use mistral_chat_template::prompt::BreakCause;
use mistral_chat_template::{Chat, Chunk, Content, Dialect, Layout, Message, Role};

fn refused(json: &str, dialect: Dialect) -> String {
    Chat::read(json, dialect).unwrap_err().to_string()
}

fn content(json: &str) -> Result<Content<'static>, String> {
    let request = format!(r#"{{"messages": [{{"role": "user", "content": {json}}}]}}"#);
    let chat = Chat::from_json(&request).map_err(|error| error.to_string())?.into_owned();
    Ok(chat.messages[0].content().clone())
}

#[test]
fn a_sharegpt_conversation_is_a_chat() {
    let json = r#"{"system": "S", "conversations": [
        {"from": "system", "value": "s"}, {"from": "human", "value": "h"}, {"from": "user", "value": "u"},
        {"from": "gpt", "value": "g"}, {"from": "assistant", "value": "a"}, {"from": "chatgpt", "value": "c"},
        {"from": "bing", "value": "b"}, {"from": "bard", "value": "r"}, {"from": "tool", "value": "t"}
    ]}"#;
    let chat = Chat::read(json, Dialect::ShareGpt).unwrap();
    let said: Vec<_> = chat
        .messages
        .iter()
        .map(|message| match message.content() {
            Content::Text(text) => (message.role(), &**text),
            Content::Chunks(_) => unreachable!("ShareGPT has texts alone"),
        })
        .collect();
    use Role::{Assistant, System, Tool, User};
    let expected = [
        (System, "S"),
        (System, "s"),
        (User, "h"),
        (User, "u"),
        (Assistant, "g"),
        (Assistant, "a"),
        (Assistant, "c"),
        (Assistant, "b"),
        (Assistant, "r"),
        (Tool, "t"),
    ];
    assert_eq!(said, expected);
    let empty = Chat::read(r#"{"system": "", "conversations": []}"#, Dialect::ShareGpt).unwrap();
    assert!(empty.messages.is_empty(), "an empty system prompt is left out");
    for wrong in [
        r#"{"system": "S"}"#,
        r#"{"conversations": [{"value": "v"}]}"#,
        r#"{"conversations": [{"from": "human"}]}"#,
        r#"{"conversations": [{"from": "nobody", "value": "v"}]}"#,
        r#"{"conversations": 1}"#,
    ] {
        assert!(!refused(wrong, Dialect::ShareGpt).is_empty());
    }
}

#[test]
fn media_come_as_texts_or_objects() {
    let chunks = |json: &str| match content(json) {
        Ok(Content::Chunks(chunks)) => chunks,
        other => panic!("{other:?}"),
    };
    let url = || Chunk::image_url("https://a/b.png");
    assert_eq!(chunks(r#"[{"type": "image_url", "image_url": "https://a/b.png"}]"#), [url()]);
    assert_eq!(chunks(r#"[{"type": "image_url", "image_url": {"url": "https:\/\/a\/b.png"}}]"#), [url()]);
    assert_eq!(
        chunks(r#"[{"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "high"}}]"#),
        [Chunk::ImageUrl { url: "https://a/b.png".into(), detail: Some("high".into()) }]
    );
    let wrong = content(r#"[{"type": "image_url", "image_url": 1}]"#).unwrap_err();
    assert!(wrong.contains("a string or an object"), "{wrong}");
}

#[test]
fn thinking_comes_as_a_text_or_as_text_chunks() {
    let read = |thinking: &str| {
        let json = format!(r#"[{{"type": "thinking", "thinking": {thinking}}}]"#);
        content(&json)
    };
    let expected = Content::Chunks(vec![Chunk::thinking("ab")]);
    assert_eq!(read(r#""ab""#).unwrap(), expected);
    assert_eq!(read(r#"[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]"#).unwrap(), expected);
    let wrong = read(r#"[{"type": "image_url", "image_url": "https://a"}]"#).unwrap_err();
    assert!(wrong.contains("expected a string or a list of text chunks"), "{wrong}");
}

#[test]
fn what_a_function_lacks_is_named() {
    let with = |tools: &str| format!(r#"{{"messages": [{{"role": "user", "content": "q"}}], "tools": [{tools}]}}"#);
    assert_eq!(
        refused(&with(r#"{"type": "function"}"#), Dialect::Mistral),
        "tools[0]: the field `function` is missing or null"
    );
    let no_description =
        with(r#"{"type": "function", "function": {"name": "f", "description": null, "parameters": {}}}"#);
    assert_eq!(
        refused(&no_description, Dialect::Mistral),
        "tools[0].function: the field `description` is missing or null"
    );
    assert!(Chat::read(&no_description, Dialect::OpenAi).is_ok());
    let no_type = with(r#"{"type": null, "function": {"name": "f", "description": "", "parameters": {}}}"#);
    assert_eq!(refused(&no_type, Dialect::Mistral), "tools[0]: the field `type` is missing or null");

    let calls = |call: &str| format!(r#"{{"messages": [{{"role": "assistant", "tool_calls": [{call}]}}]}}"#);
    assert_eq!(
        refused(&calls(r#"{"id": "a"}"#), Dialect::Mistral),
        "messages[0].tool_calls[0]: the field `function` is missing or null"
    );
    let no_id = calls(r#"{"id": null, "function": {"name": "f", "arguments": "{}"}}"#);
    assert_eq!(refused(&no_id, Dialect::Mistral), "messages[0].tool_calls[0]: the field `id` is missing or null");
    assert!(Chat::read(&no_id, Dialect::Either).is_ok());
}

#[test]
fn response_formats_are_written_and_read() {
    for (json, expected) in
        [(r#"{"type": "text"}"#, ResponseFormat::Text), (r#"{"type": "json_object"}"#, ResponseFormat::JsonObject)]
    {
        let request = format!(r#"{{"messages": [], "response_format": {json}}}"#);
        let chat = Chat::from_json(&request).unwrap();
        assert_eq!(chat.response_format, expected);
        assert_eq!(Chat::from_json(&serde_json::to_string(&chat).unwrap()).unwrap(), chat);
    }
    let image = Chat::new([Message::user(vec![Chunk::Image("AAAA".into())])]);
    assert_eq!(Chat::from_json(&serde_json::to_string(&image).unwrap()).unwrap(), image);
}

#[test]
fn a_chat_outlives_its_json() {
    let json = r#"{"messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [
            {"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://a", "detail": "low"}},
            {"type": "audio_url", "audio_url": "https://b"}, {"type": "input_audio", "input_audio": "AAAA"}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t"}],
         "tool_calls": [{"id": "abcdefgh1", "function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "tool", "content": "r", "tool_call_id": "abcdefgh1", "name": "f"}],
      "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}],
      "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": {}}},
      "model": "m"}"#
        .to_owned();
    let chat = Chat::from_json(&json).unwrap();
    let owned: Chat<'static> = chat.clone().into_owned();
    assert_eq!(owned, chat);
    let other = Chat { response_format: ResponseFormat::JsonObject, ..Chat::default() };
    assert_eq!(other.clone().into_owned(), other);
    let image = Chat::new([Message::user(vec![Chunk::Image("AAAA".into()), Chunk::InputAudio("BBBB".into())])]);
    assert_eq!(image.clone().into_owned(), image);
    assert_eq!(Content::from(std::borrow::Cow::Borrowed("a")), Content::from("a"));
}

#[test]
fn families_have_names() {
    for (family, name) in [
        (Family::Form, "ValidationError"),
        (Family::Budget, "budget"),
        (Family::Preset, "preset"),
        (Family::Template, "template"),
        (Family::Other, "other"),
    ] {
        assert_eq!((family.as_str(), family.to_string().as_str()), (name, name));
    }
}

#[test]
fn why_a_prompt_breaks_is_a_sentence() {
    let (first, last) = (UserTurn::First, UserTurn::Last);
    for (cause, sentence) in [
        (BreakCause::SystemMoves { to: last }, "the system prompt moves to the last user turn"),
        (BreakCause::SystemChanges, "the system prompt changes"),
        (BreakCause::ToolsMove { to: first }, "the tools move to the first user turn"),
        (BreakCause::ToolsChange, "the tools change"),
        (BreakCause::SettingsMove { to: first }, "the settings move to the first user turn"),
        (BreakCause::SettingsChange, "the settings change"),
        (BreakCause::ToolTurnsDropped, "tool calls and results before the last user turn are left out"),
        (BreakCause::ResultsReordered, "the results go into the order of their calls"),
        (BreakCause::TurnGoesOn { role: Role::User }, "the next message goes on with the last user turn"),
        (BreakCause::MessageChanges, "a message changes"),
        (BreakCause::Shorter, "the earlier prompt is longer"),
        (BreakCause::LayoutChanges, "the layout changes"),
    ] {
        assert_eq!(cause.to_string(), sentence);
    }
}

#[test]
fn kinds_of_chunks_are_sets() {
    let kinds = [ChunkKind::Text, ChunkKind::Thinking, ChunkKind::Image, ChunkKind::ImageUrl];
    assert_eq!(kinds.map(ChunkKind::as_str), ["text", "thinking", "image", "image_url"]);
    for kind in kinds {
        let alone = ChunkKinds::of(&[kind]);
        assert!(kinds.iter().all(|other| alone.contains(*other) == (*other == kind)));
        assert!(kinds.iter().all(|other| alone.with(&kinds).contains(*other)));
    }
    let unknown = "v3+nonsense".parse::<Layout>().unwrap_err().to_string();
    assert_eq!(unknown, "\"nonsense\" is not a feature; the features are image, audio, think");
}

#[test]
fn a_tool_choice_is_a_word_or_names_functions() {
    use mistral_chat_template::chat::{CallMode, ToolChoice};
    let read = |choice: &str, dialect| {
        let json = format!(r#"{{"messages": [], "tool_choice": {choice}}}"#);
        Chat::read(&json, dialect).map(|chat| chat.into_owned().tool_choice).map_err(|error| error.to_string())
    };
    let everywhere = [
        ("null", ToolChoice::Auto),
        (r#""auto""#, ToolChoice::Auto),
        (r#""none""#, ToolChoice::None),
        (r#""required""#, ToolChoice::Required),
        (r#""any""#, ToolChoice::Required),
        (r#"{"type": "function", "function": {"name": "f"}}"#, ToolChoice::Named("f".into())),
        (r#"{"function": {"name": "f"}}"#, ToolChoice::Named("f".into())),
    ];
    for (json, choice) in everywhere {
        for dialect in [Dialect::Either, Dialect::Mistral, Dialect::OpenAi, Dialect::Legacy] {
            assert_eq!(read(json, dialect).as_ref(), Ok(&choice), "{json} in {dialect:?}");
        }
    }
    let some = r#"{"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
        {"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]}}"#;
    let allowed = ToolChoice::Allowed { mode: CallMode::Required, names: vec!["f".into(), "g".into()] };
    assert_eq!(read(some, Dialect::OpenAi), Ok(allowed));
    let refused = |choice: &str, dialect| read(choice, dialect).unwrap_err();
    assert_eq!(
        refused(some, Dialect::Mistral),
        r#"tool_choice.type: "allowed_tools" is not a supported tool type; only functions can be called"#
    );
    assert!(refused("17", Dialect::Either).starts_with("tool_choice: invalid type: integer `17`"));
    assert!(refused("[]", Dialect::Either).starts_with("tool_choice: "));
    assert_eq!(
        refused(r#""sometimes""#, Dialect::Either),
        r#"tool_choice: "sometimes" is not a tool choice; the choices are auto, none, required (or any) and a function's name"#
    );
    assert_eq!(
        refused(r#"{"type": "custom", "custom": {"name": "c"}}"#, Dialect::OpenAi),
        r#"tool_choice.type: "custom" is not a supported tool type; only functions can be called"#
    );
    assert_eq!(
        refused(r#"{"type": "function"}"#, Dialect::Either),
        "tool_choice: the field `function` is missing or null"
    );
    assert_eq!(
        refused(r#"{"function": {"name": null}}"#, Dialect::Either),
        "tool_choice.function: the field `name` is missing or null"
    );
    assert_eq!(
        refused(r#"{"type": "allowed_tools", "allowed_tools": {"mode": "any", "tools": []}}"#, Dialect::Either),
        r#"tool_choice.allowed_tools.mode: "any" is not a mode of calling; the modes are auto and required"#
    );
    assert_eq!(
        refused(
            r#"{"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "mcp"}]}}"#,
            Dialect::OpenAi
        ),
        r#"tool_choice.allowed_tools.tools[0].type: "mcp" is not a supported tool type; only functions can be called"#
    );
}

#[test]
fn what_constrains_an_answer_is_read_and_written_back() {
    for constraint in [
        r#""tool_choice":"none""#,
        r#""tool_choice":"required","parallel_tool_calls":false"#,
        r#""tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":true"#,
        r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
    ] {
        let tool =
            r#"{"type":"function","function":{"name":"f","description":"","parameters":{"a":1.50},"strict":true}}"#;
        let json = format!(r#"{{"messages":[{{"role":"user","content":"q"}}],"tools":[{tool}],{constraint}}}"#);
        let chat = Chat::from_json(&json).unwrap();
        assert!(chat.tools[0].strict);
        assert_eq!(serde_json::to_string(&chat).unwrap(), json);
        assert_eq!(chat.clone().into_owned(), chat);
    }
    let wrong = |json: &str| Chat::from_json(json).unwrap_err().to_string();
    assert!(wrong(r#"{"messages": [], "parallel_tool_calls": "no"}"#).starts_with("parallel_tool_calls: invalid type"));
    let strict = r#"{"messages": [], "tools": [{"function": {"name": "f", "strict": 1}}]}"#;
    assert!(wrong(strict).starts_with("tools[0].function.strict: invalid type"));
}
