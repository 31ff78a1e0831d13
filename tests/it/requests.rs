//! Requests of every dialect: what each body becomes, what is ignored, and that reading reports all that it changes.

use mistral_chat_template::chat::{ResponseFormat, ToolChoice};
use mistral_chat_template::repair::{RepairKind, RepairPolicy};
use mistral_chat_template::{Chat, Chunk, Completion, Content, Dialect, Format, Layout, Message, Mode, Request};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::arbitrary;

/// The same conversation in several dialects, which all are one chat.
const WEATHER: [(Dialect, &str); 5] = [
    (
        Dialect::OpenAi,
        r#"{"model": "m", "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Let me look.", "reasoning_content": "I need it.", "tool_calls": [
                {"id": "call00001", "type": "function", "function": {"name": "look", "arguments": "{\"city\": \"Lyon\"}"}}
            ]},
            {"role": "tool", "tool_call_id": "call00001", "content": "21"},
            {"role": "assistant", "content": "21 C."},
            {"role": "user", "content": "Thanks"}
        ], "tools": [{"type": "function", "function": {"name": "look", "description": "d", "parameters": {"type": "object"}}}],
        "tool_choice": "required"}"#,
    ),
    (
        Dialect::Responses,
        r#"{"model": "m", "instructions": "Be brief.", "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "I need it."}]},
            {"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call00001", "name": "look", "arguments": "{\"city\": \"Lyon\"}"},
            {"type": "function_call_output", "call_id": "call00001", "output": "21"},
            {"role": "assistant", "content": "21 C."},
            {"role": "user", "content": "Thanks"}
        ], "tools": [{"type": "function", "name": "look", "description": "d", "parameters": {"type": "object"}}],
        "tool_choice": "required"}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"model": "m", "max_tokens": 9, "system": "Be brief.", "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "I need it.", "signature": "s"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "call00001", "name": "look", "input": {"city": "Lyon"}}
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call00001", "content": "21"}]},
            {"role": "assistant", "content": "21 C."},
            {"role": "user", "content": "Thanks"}
        ], "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "any"}}"#,
    ),
    (
        Dialect::Conversations,
        r#"{"model": "m", "instructions": "Be brief.", "inputs": [
            {"object": "entry", "type": "message.input", "role": "user", "content": "Weather?"},
            {"type": "message.output", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "I need it."}]}, {"type": "text", "text": "Let me look."}]},
            {"type": "function.call", "tool_call_id": "call00001", "name": "look", "arguments": {"city": "Lyon"}},
            {"type": "function.result", "tool_call_id": "call00001", "result": "21"},
            {"type": "message.output", "role": "assistant", "content": "21 C."},
            {"role": "user", "content": "Thanks"}
        ], "tools": [{"type": "function", "function": {"name": "look", "description": "d", "parameters": {"type": "object"}}}],
        "completion_args": {"tool_choice": "any", "temperature": 0.3}}"#,
    ),
    (
        Dialect::Ollama,
        r#"{"model": "m", "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "thinking": "I need it.", "content": "Let me look.", "tool_calls": [
                {"id": "call00001", "function": {"index": 0, "name": "look", "arguments": {"city": "Lyon"}}}
            ]},
            {"role": "tool", "tool_call_id": "call00001", "content": "21"},
            {"role": "assistant", "content": "21 C."},
            {"role": "user", "content": "Thanks"}
        ], "tools": [{"type": "function", "function": {"name": "look", "description": "d", "parameters": {"type": "object"}}}],
        "options": {"num_ctx": 4096}, "keep_alive": "5m"}"#,
    ),
];

#[test]
fn one_conversation_is_one_chat_in_every_dialect() {
    for version in ["v13+think", "v15+think", "v11"] {
        let layout: Layout = version.parse().unwrap();
        let mut prompts = WEATHER.iter().map(|(dialect, body)| {
            let mended = Request::repair(body, *dialect, &layout, &RepairPolicy::default()).unwrap();
            assert_eq!(mended.request.ignored, Vec::<String>::new(), "{dialect:?}");
            let only_thinking = mended.repairs.iter().all(|repair| repair.kind == RepairKind::ThinkingDropped);
            assert!(only_thinking, "{dialect:?}: {:?}", mended.repairs);
            (dialect, layout.render(&mended.request.chat).unwrap().as_str().to_owned())
        });
        let (_, first) = prompts.next().unwrap();
        for (dialect, prompt) in prompts {
            assert_eq!(prompt, first, "{dialect:?} in {version}");
        }
    }
}

#[test]
fn bodies_are_recognised_and_read_in_the_wrong_dialect_say_so() {
    for (dialect, body) in WEATHER {
        let expected = if dialect == Dialect::OpenAi { Dialect::Either } else { dialect };
        assert_eq!(Dialect::recognise(body).unwrap().dialect, expected);
        for (other, _) in WEATHER {
            let read = Chat::read(body, other);
            assert_eq!(read.is_ok(), Chat::read(body, other).is_ok());
            // That there are `messages` tells little, where both have them.
            let is_told = expected != Dialect::Either || !matches!(other, Dialect::Anthropic | Dialect::Ollama);
            if let Err(error) = read.map_err(|error| error.to_string())
                && is_told
            {
                let hint = Dialect::recognise(body).unwrap().to_string();
                assert!(error.ends_with(&hint), "{other:?}: {error}");
            }
        }
    }
    let error = Chat::read(r#"{"contents": [{"parts": [{"text": "Hi"}]}]}"#, Dialect::OpenAi).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the field `messages` is missing or null; the request looks like Gemini's contents: it has `contents`"
    );
}

#[test]
fn gemini_is_read() {
    let body = r#"{
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}]},
            {"role": "model", "parts": [{"text": "I need it.", "thought": true}, {"functionCall": {"name": "look", "args": {"city": "Lyon"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"t": 21}}}]}
        ],
        "tools": [{"functionDeclarations": [{"name": "look", "description": "d", "parameters": {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "generationConfig": {"temperature": 0.1, "responseMimeType": "application/json", "thinkingConfig": {"thinkingLevel": "HIGH"}}
    }"#;
    let request = Request::read(body, Dialect::Gemini).unwrap();
    let chat = &request.chat;
    assert_eq!(chat.messages[0], Message::system("Be brief."));
    assert_eq!(
        chat.messages[1].content(),
        &Content::Chunks(vec![Chunk::text("Weather?"), Chunk::Image("aGk=".into())])
    );
    let Message::Assistant(reply) = &chat.messages[2] else { panic!("{chat:?}") };
    assert_eq!(reply.content, Content::Chunks(vec![Chunk::thinking("I need it.")]));
    assert_eq!(&*reply.tool_calls[0].arguments, r#"{"city": "Lyon"}"#);
    let Message::Tool(result) = &chat.messages[3] else { panic!("{chat:?}") };
    assert_eq!((result.name.as_deref(), &result.content), (Some("look"), &Content::from(r#"{"t": 21}"#)));
    assert_eq!(chat.tools[0].parameters.as_str(), r#"{"type": "object", "properties": {"type": {"type": "string"}}}"#);
    assert!(matches!(&chat.tool_choice, ToolChoice::Allowed { names, .. } if *names == ["look"]));
    assert_eq!(chat.response_format, ResponseFormat::JsonObject);
    assert_eq!(request.ignored, Vec::<String>::new());
}

#[test]
fn older_functions_are_tools() {
    let body = r#"{"messages": [{"role": "user", "content": "Hi"}], "functions": [{"name": "now"}]}"#;
    assert_eq!(Chat::read(body, Dialect::Legacy).unwrap().tools[0].name, "now");
    assert_eq!(Request::read(body, Dialect::Legacy).unwrap().ignored, Vec::<String>::new());
    assert_eq!(Request::read(body, Dialect::OpenAi).unwrap().ignored, ["functions"]);
    let nameless = r#"{"messages": [], "functions": [{"parameters": {}}]}"#;
    assert_eq!(Chat::read(nameless, Dialect::Legacy).unwrap_err().at(), "functions[0]");
}

#[test]
fn older_calls_and_functions_are_mended() {
    let body = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, "function_call": {"name": "now"}},
        {"role": "function", "name": "now", "content": null}], "functions": [{"name": "now", "parameters": null, "strict": 1}, {}]}"#;
    for dialect in [Dialect::OpenAi, Dialect::Mistral, Dialect::Legacy] {
        let mended = Request::mend(body, dialect).unwrap();
        let Message::Assistant(reply) = &mended.request.chat.messages[1] else { panic!("{dialect:?}") };
        assert_eq!(reply.tool_calls[0].arguments, "{}");
        assert_eq!(mended.request.chat.tools.len(), 1);
        let at: Vec<_> = mended.repairs.iter().map(|repair| &*repair.at).filter(|at| !at.is_empty()).collect();
        assert_eq!(
            at,
            ["messages[1].function_call", "messages[2].content", "functions[0].strict", "functions[1]"],
            "{dialect:?}"
        );
    }
    let body = r#"{"messages": [{"role": "user", "content": "Hi"}], "functions": {"name": "now"}}"#;
    assert_eq!(Request::mend(body, Dialect::OpenAi).unwrap().repairs[1].at, "functions");
}

/// A body, and the paths of what is ignored.
#[test]
fn what_could_have_shaped_the_prompt_is_told() {
    let cases: &[(Dialect, &str, &[&str])] = &[
        (
            Dialect::OpenAi,
            r#"{"messages": [
                {"role": "user", "content": "Hi", "name": "ann", "images": ["aGk="], "id": "1"},
                {"role": "assistant", "content": "a", "refusal": "no", "annotations": [], "audio": {"id": "a"},
                 "function_call": {"name": "f", "arguments": "{}"}, "prefix": true,
                 "thinking": "t", "thinking_blocks": [{"type": "thinking"}], "reasoning_details": [{}]},
                {"role": "assistant", "content": null, "refusal": null, "function_call": null, "tool_calls": [
                    {"id": "1", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}", "parsed": {"a": 1}}}]},
                {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}, "weight": 2}]}
            ], "system": "s", "reasoning": {"effort": "low"}, "functions": [{"name": "f"}],
            "chat_template_kwargs": {"enable_thinking": false}, "prompt_mode": "reasoning", "safe_prompt": false,
            "tools": [{"type": "function", "function": {"name": "f", "strict": true, "returns": {"type": "string"}}}],
            "documents": [], "stop": ["a"], "temperature": 0.1, "top_p": 1, "stream": true, "logit_bias": {"1": 2}, "user": "u"}"#,
            &[
                "messages[0].name",
                "messages[0].images",
                "messages[1].refusal",
                "messages[1].audio",
                "messages[1].function_call",
                "messages[1].prefix",
                "messages[1].thinking",
                "messages[1].thinking_blocks",
                "messages[1].reasoning_details",
                "messages[2].tool_calls[0].function.parsed",
                "messages[3].content[0].weight",
                "tools[0].function.returns",
                "system",
                "reasoning",
                "functions",
                "chat_template_kwargs",
                "prompt_mode",
            ],
        ),
        (
            Dialect::Mistral,
            r#"{"messages": [{"role": "user", "content": "Hi"}], "prompt_mode": "reasoning", "safe_prompt": true, "random_seed": 1}"#,
            &["prompt_mode", "safe_prompt"],
        ),
        (
            Dialect::Anthropic,
            r#"{"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "a", "is_error": true}]},
                {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "a"}]}],
                "thinking": {"type": "enabled", "budget_tokens": 1024}, "mcp_servers": [{"name": "x"}], "max_tokens": 9}"#,
            &["mcp_servers", "messages[0].content[0].is_error", "messages[1].content[0]", "thinking"],
        ),
        (
            Dialect::Responses,
            r#"{"input": [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}], "text": {"verbosity": "low"},
                "reasoning": {"effort": null, "summary": "auto"}, "truncation": "auto", "include": ["a"], "store": false}"#,
            &["input[0].encrypted_content", "text.verbosity"],
        ),
        (
            Dialect::Conversations,
            r#"{"inputs": [{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "tool_reference", "tool": "web_search"}, {"type": "text", "text": "b"}]}],
                "guardrails": [{"x": 1}]}"#,
            &["guardrails", "inputs[0].content[1]"],
        ),
        (
            Dialect::Ollama,
            r#"{"messages": [{"role": "user", "content": "Hi"}], "think": true, "stream": true, "template": "x"}"#,
            &["template", "think"],
        ),
    ];
    for (dialect, body, ignored) in cases {
        let request = Request::read(body, *dialect).unwrap();
        assert_eq!(request.ignored, *ignored, "{dialect:?}");
        let error = Request::read_strictly(body, *dialect).unwrap_err();
        assert_eq!((error.kind().name(), error.at()), ("ignored", ignored[0]));
    }
}

/// A body that its dialect refuses, and the sentence.
#[test]
fn refusals_name_the_place() {
    let cases = [
        (Dialect::Responses, r#"{"input": 5}"#, "input: must be a list"),
        (Dialect::Responses, r#"{"model": "m"}"#, "the field `input` is missing or null"),
        (
            Dialect::Responses,
            r#"{"input": [{"type": "item_reference", "id": "rs_1"}]}"#,
            "input[0]: it refers by id to content that only the API that issued the id has",
        ),
        (
            Dialect::Responses,
            r#"{"input": "Hi", "previous_response_id": "resp_1"}"#,
            "previous_response_id: it refers by id to content that only the API that issued the id has",
        ),
        (
            Dialect::Responses,
            r#"{"input": [{"type": "web_search_call", "id": "ws_1"}]}"#,
            "input[0].type: \"web_search_call\" of OpenAI's Responses has no place in a chat",
        ),
        (
            Dialect::Responses,
            r#"{"input": "Hi", "tools": [{"type": "web_search"}]}"#,
            "tools[0].type: \"web_search\" is not a supported tool type; only functions can be called",
        ),
        (
            Dialect::Responses,
            r#"{"input": [{"role": "user", "content": "cut \ud83d"}]}"#,
            "input[0].content: the text has a lone surrogate, which is half of a character",
        ),
        (
            Dialect::Anthropic,
            r#"{"messages": [{"role": "tool", "content": "a"}]}"#,
            "messages[0].role: \"tool\" is not a role; the roles are user, assistant and system",
        ),
        (
            Dialect::Anthropic,
            r#"{"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": "x"}]}]}"#,
            "messages[0].content[0].input: must be an object",
        ),
        (
            Dialect::Conversations,
            r#"{"inputs": [{"type": "agent.handoff"}]}"#,
            "inputs[0].type: \"agent.handoff\" of Mistral's Conversations has no place in a chat",
        ),
        (Dialect::Ollama, r#"{"messages": [{"content": "a"}]}"#, "messages[0]: the field `role` is missing or null"),
        (
            Dialect::Gemini,
            r#"{"contents": [{"parts": [{"executableCode": {"code": "1"}}]}]}"#,
            "contents[0].parts[0]: \"executableCode\" of Gemini's contents has no place in a chat",
        ),
    ];
    for (dialect, body, sentence) in cases {
        assert_eq!(Chat::read(body, dialect).unwrap_err().to_string(), sentence);
    }
}

/// A body whose chat a layout refuses, and the place in the body.
#[test]
fn what_a_layout_refuses_is_named_as_the_body_has_it() {
    let cases = [
        (
            Dialect::Responses,
            r#"{"input": [{"role": "user", "content": "Hi"}, {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}]}"#,
            "input[1].call_id",
        ),
        (
            Dialect::Anthropic,
            r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "image", "source": {"type": "base64", "data": "x"}}]}]}"#,
            "messages[0].content[1].source.data",
        ),
        (
            Dialect::Anthropic,
            r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "call00001", "name": "f", "input": {"a": "\ud83d"}}]}]}"#,
            "messages[1].content[0].input",
        ),
        (
            Dialect::Ollama,
            r#"{"messages": [{"role": "user", "content": "Hi", "images": ["x"]}]}"#,
            "messages[0].images[0]",
        ),
        (
            Dialect::Ollama,
            r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"id": "call00001", "function": {"name": "a b", "arguments": {}}}]}]}"#,
            "messages[1].tool_calls[0].function.name",
        ),
        (
            Dialect::Conversations,
            r#"{"inputs": [{"role": "user", "content": "Hi"}, {"type": "function.call", "tool_call_id": "1", "name": "f", "arguments": {}}]}"#,
            "inputs[1].tool_call_id",
        ),
        (
            Dialect::Gemini,
            r#"{"contents": [{"parts": [{"text": "?"}, {"inline_data": {"mime_type": "image/png", "data": "x"}}]}]}"#,
            "contents[0].parts[1]",
        ),
        (
            Dialect::Gemini,
            r#"{"contents": [{"parts": [{"text": "?"}]}, {"role": "model", "parts": [{"function_call": {"id": "1", "name": "f"}}]}]}"#,
            "contents[1].parts[0].function_call.id",
        ),
        (
            Dialect::Legacy,
            r#"{"messages": [{"role": "user", "content": "?"}], "tools": [{"function": {"name": "f"}}], "functions": [{"name": "a b"}]}"#,
            "functions[0].name",
        ),
    ];
    let layout: Layout = "v7+image".parse().unwrap();
    for (dialect, body, at) in cases {
        let request = Request::read(body, dialect).unwrap();
        let error = request.locate(layout.in_mode(Mode::Agnostic).render(&request.chat).unwrap_err());
        assert_eq!(error.at(), at, "{dialect:?}: {error}");
    }
}

#[test]
fn a_reply_at_the_end_of_an_anthropic_request_is_continued() {
    let body =
        r#"{"messages": [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "One, two,"}]}"#;
    assert_eq!(Chat::read(body, Dialect::Anthropic).unwrap().messages[1], Message::prefix("One, two,"));
}

#[test]
fn text_without_escapes_is_borrowed() {
    for (dialect, body) in WEATHER {
        let chat = Chat::read(body, dialect).unwrap();
        let inside = |text: &str| body.as_bytes().as_ptr_range().contains(&text.as_ptr());
        for message in &chat.messages {
            if let Content::Text(text) = message.content() {
                assert!(inside(text), "{dialect:?}: {text}");
            }
        }
        assert!(chat.tools.iter().all(|tool| inside(&tool.name) && inside(tool.parameters.as_str())));
    }
}

/// Each value of a body by something else: JSON as other clients might send it.
fn damaged(body: &'static str) -> BoxedStrategy<String> {
    let values =
        ["null", "5", "\"x\"", "[]", "{}", "true", "[{\"type\": \"x\"}]", "\"\\ud83d\"", "{\"type\": \"text\"}"];
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let count = paths(&value).len();
    (proptest::collection::vec((0..count, proptest::sample::select(values.to_vec())), 1..4))
        .prop_map(move |damages| {
            let mut body = value.clone();
            let mut marks = Vec::new();
            for (index, (at, with)) in damages.into_iter().enumerate() {
                let paths = paths(&body);
                let mark = format!("\u{1}{index}\u{1}");
                if let Some(place) = paths.get(at).and_then(|path| body.pointer_mut(path)) {
                    *place = serde_json::Value::String(mark.clone());
                    marks.push((mark, with));
                }
            }
            let mut text = body.to_string();
            for (mark, with) in marks {
                text = text.replace(&serde_json::to_string(&mark).unwrap(), with);
            }
            text
        })
        .boxed()
}

fn paths(value: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), value)];
    while let Some((path, value)) = waiting.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                waiting.extend(fields.iter().map(|(name, value)| (format!("{path}/{name}"), value)));
            }
            serde_json::Value::Array(values) => {
                waiting.extend(values.iter().enumerate().map(|(index, value)| (format!("{path}/{index}"), value)));
            }
            _ => {}
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(arbitrary::cases(300))]

    /// What reading takes, mending leaves as it is, and tells the same of; and what it refuses is mended with a notice.
    #[test]
    fn mending_changes_only_what_reading_refuses(damages in (0..WEATHER.len()).prop_flat_map(|at| damaged(WEATHER[at].1).prop_map(move |body| (at, body)))) {
        let (at, body) = damages;
        let dialect = WEATHER[at].0;
        match (Request::read(&body, dialect), Request::mend(&body, dialect)) {
            (Ok(read), Ok(mended)) => {
                if mended.repairs.is_empty() {
                    prop_assert_eq!(&mended.request.chat, &read.chat);
                    prop_assert_eq!(&mended.request.ignored, &read.ignored);
                }
            }
            (Ok(_), Err(error)) => prop_assert!(false, "mending refuses what reading takes: {error}"),
            (Err(_), Ok(mended)) => prop_assert!(!mended.repairs.is_empty(), "nothing is told of {body}"),
            (Err(_), Err(error)) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// A repaired request renders, or says why not.
    #[test]
    fn a_repaired_request_renders(damages in (0..WEATHER.len()).prop_flat_map(|at| damaged(WEATHER[at].1).prop_map(move |body| (at, body)))) {
        let (at, body) = damages;
        for layout in [Layout::V3, Layout::V7, Layout::V11, Layout::V13, Layout::V15] {
            if let Ok(mended) = Request::repair(&body, WEATHER[at].0, &layout.in_mode(Mode::Test), &RepairPolicy::default()) {
                prop_assert!(layout.render(&mended.request.chat).is_ok(), "{body}");
            }
        }
    }
}

/// Arguments as models write them, with characters cut in half among them.
fn arguments() -> BoxedStrategy<String> {
    let pieces = vec!["a", "é", r"\u00e9", r"\ud83d", r"\ude00", r"\ud83d\ude00", r"\n", r"\\", r"\u00", " "];
    let text = proptest::collection::vec(proptest::sample::select(pieces), 0..6).prop_map(|pieces| pieces.concat());
    (text.clone(), text).prop_map(|(name, text)| format!("{{\"a{name}\": [\"{text}\", 1.50]}}")).boxed()
}

proptest! {
    #![proptest_config(arbitrary::cases(200))]

    /// What a completion says goes back into the conversation, in every layout that has calls.
    #[test]
    fn what_a_completion_returns_every_layout_renders(arguments in proptest::collection::vec(arguments(), 1..3)) {
        let text: String = arguments.iter().map(|arguments| format!("[TOOL_CALLS]look[ARGS]{arguments}")).collect();
        let completion = Completion::from_text(&format!("{text}</s>"), &Layout::V13);
        if completion.error.is_none() {
            let mut messages = vec![Message::user("Hi"), Message::Assistant(completion.message)];
            messages.extend((0..arguments.len()).map(|_| Message::tool("1")));
            for (index, id) in ["call00001", "call00002"].iter().take(arguments.len()).enumerate() {
                if let [_, Message::Assistant(reply), results @ ..] = &mut messages[..] {
                    reply.tool_calls[index].id = Some((*id).into());
                    if let Message::Tool(result) = &mut results[index] {
                        result.call_id = Some((*id).into());
                    }
                }
            }
            let chat = Chat::new(messages);
            for layout in [Layout::V3, Layout::V7, Layout::V7_TEKKEN, Layout::V11, Layout::V13, Layout::V15] {
                prop_assert!(layout.render(&chat).is_ok(), "{:?}", layout.render(&chat));
            }
        }
    }
}

/// A body as a client sends it, its dialect, and what it becomes in a layout.
#[derive(Deserialize)]
struct Sent {
    name: String,
    version: String,
    kind: String,
    request: Box<RawValue>,
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(default)]
    repairs: Vec<String>,
    /// The prompt of the repaired request, or the error.
    prompt: Option<String>,
    error: Option<String>,
    /// Why the request has no prompt as it is.
    refused: Option<String>,
}

#[test]
fn sent_bodies_become_prompts_or_are_refused() {
    for line in include_str!("../goldens/requests.jsonl").lines() {
        let case: Sent = serde_json::from_str(line).unwrap();
        let layout = case.version.parse::<Layout>().unwrap().in_mode(Mode::Serving);
        let dialect = Dialect::from_name(&case.kind).unwrap();
        let prompt = |request: &Request<'_>| match layout.render(&request.chat) {
            Ok(prompt) => Ok(prompt.into_string()),
            Err(error) => Err(request.locate(error).to_string()),
        };
        let read = Request::read(case.request.get(), dialect).map_err(|error| error.to_string());
        assert_eq!(read.and_then(|request| prompt(&request)).err(), case.refused, "{}", case.name);
        match Request::repair(case.request.get(), dialect, &layout, &RepairPolicy::default()) {
            Ok(mended) => {
                assert_eq!(mended.request.ignored, case.ignored, "{}", case.name);
                let repairs: Vec<String> = mended.repairs.iter().map(ToString::to_string).collect();
                assert_eq!(repairs, case.repairs, "{}", case.name);
                let prompt = prompt(&mended.request);
                assert_eq!((prompt.as_ref().ok(), prompt.as_ref().err()), (case.prompt.as_ref(), case.error.as_ref()));
            }
            Err(error) => assert_eq!(Some(error.to_string()), case.error, "{}", case.name),
        }
    }
}

#[test]
fn sent_bodies_are_recognised() {
    for line in include_str!("../goldens/requests.jsonl").lines() {
        let Sent { name, kind, request, .. } = serde_json::from_str(line).unwrap();
        // That there are `messages` tells nothing of whose they are, and in some bodies the dialect is a wrong one.
        let looks = Dialect::recognise(request.get()).map(|looks| looks.dialect.as_str());
        let expected = match &*kind {
            "openai" | "mistral" => &["either", "legacy"][..],
            "anthropic" | "ollama" => &[&*kind, "either"],
            _ => &[&*kind],
        };
        let tells = looks.is_some_and(|looks| expected.contains(&looks));
        let is_odd = name.starts_with("wrong_") || matches!(&*name, "resp_prompt_only" | "langchain_anthropic_blocks");
        assert!(tells || is_odd, "{name}: {looks:?}");
    }
}

/// The objects of a request, each by its JSON pointer and by its path.
fn objects(request: &serde_json::Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), String::new(), request)];
    while let Some((pointer, path, value)) = waiting.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    waiting.push((format!("{pointer}/{name}"), format!("{path}{dot}{name}"), value));
                }
                found.push((pointer, path));
            }
            serde_json::Value::Array(values) => {
                let at = |(index, value)| (format!("{pointer}/{index}"), format!("{path}[{index}]"), value);
                waiting.extend(values.iter().enumerate().map(at));
            }
            _ => {}
        }
    }
    found
}

/// In every object of every dialect, a field that nobody knows is in the chat, or it is told.
#[test]
fn no_unknown_field_is_passed_over_in_silence() {
    // What these hold shapes no prompt, whatever it is.
    const NO_NEWS: [&str; 6] =
        ["metadata", "cache_control", "tool_choice", "tool_choice.function", "function_call", "options"];
    let mut count = 0;
    for line in include_str!("../goldens/rich_requests.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(dialect) = Dialect::from_name(case["kind"].as_str().unwrap()) else { continue };
        let no_news = |path: &str| NO_NEWS.contains(&path) || path.ends_with(".cache_control");
        for (pointer, path) in objects(&case["request"]).into_iter().filter(|(_, path)| !no_news(path)) {
            let mut request = case["request"].clone();
            request.pointer_mut(&pointer).unwrap()["unheard_of"] = true.into();
            let body = request.to_string();
            let mended = Request::mend(&body, dialect).unwrap();
            let mut told = mended.request.ignored.iter().chain(mended.repairs.iter().map(|repair| &repair.at));
            let place = if path.is_empty() { "unheard_of".to_owned() } else { format!("{path}.unheard_of") };
            let is_told = told.any(|at| !at.is_empty() && place.starts_with(at.as_str()));
            let is_read = format!("{:?}", mended.request.chat).contains("unheard_of");
            assert!(is_told || is_read, "{dialect:?}: {place} in {body}");
            count += 1;
        }
    }
    assert!(count > 150, "{count} fields");
}
