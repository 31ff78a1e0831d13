//! What holds for every output, however it is cut: streamed deltas say what the whole says, nothing is given too early
//! or held too long, and what was rendered reads back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Completion, CompletionReader, Content, Control, Delta, Ending, Feature, Format,
    Layout, Message, Mode, Prompt, Segment, Spaces, System, ToolCall, ToolCalls, UserTurn, Version,
};
use proptest::prelude::*;
use serde_json::Value;

/// Every layout, and one of its own kind: thinking beside lists of calls.
fn layouts() -> Vec<Layout> {
    let mut layouts: Vec<Layout> = Version::ALL.iter().map(|version| version.layout()).collect();
    layouts.extend([Layout::V13.with(Feature::Think), Layout::V15.with(Feature::Think)]);
    let thinking = Layout::V13.with(Feature::Think);
    layouts.push(Layout { calls: ToolCalls::ListWithIds, thinking: thinking.thinking, ..thinking });
    layouts.push(Layout { system: System::InUser { turn: UserTurn::First, join: " " }, ..Layout::V2 });
    layouts
}

fn any_layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(layouts())
}

/// Pieces that make something like an output.
fn any_output() -> impl Strategy<Value = String> {
    let pieces = [
        "[TOOL_CALLS]",
        "[ARGS]",
        "[CALL_ID]",
        "[THINK]",
        "[/THINK]",
        "</s>",
        "[INST]",
        "[TOOL_",
        "[",
        "<",
        "</",
        "é日👍",
        " ",
        "\n",
        "get_weather",
        "abc123def",
        "{\"a\": 1}",
        "{}",
        "{\"x\": \"[\\ud83d\\ude00\\u00e9]\\\"\"}",
        "\"str\\\\ing\"",
        "null",
        "nul",
        "[{\"name\": \"f\", \"arguments\": {\"a\": [1, {\"b\": \"}\"}]}, \"id\": \"abc123def\"}]",
        "[{\"id\": \"x\", \"arguments\": {\"q\": \"\\\\\"}, \"n\\u0061me\": \"\\u00e9\"}, {\"name\": \"g\", \"arguments\": {}}]",
        "long_name_or_id_long_name_or_id_long_name_or_id_long_name_or_id_long_name_or_id_long_name_or_id_long_name_or_id_",
        "[{\"name\": \"",
        "[{\"id\": \"",
        "[{\"name\": \"f\", ",
        "\"arguments\": {",
        "}, \"id\": \"i\"}",
        "]",
        ",",
        ":",
        "7",
        "-1.5e",
        "{\"a\": 1,}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

fn read_in_pieces<'t>(pieces: impl IntoIterator<Item = &'t str>, layout: &Layout) -> Completion {
    let mut reader = CompletionReader::new(layout);
    let mut completion = Completion::default();
    for piece in pieces {
        completion.extend(reader.push(piece));
    }
    completion.end(reader.finish());
    completion
}

fn assert_same(cut: &Completion, whole: &Completion) {
    assert_eq!(cut.message, whole.message);
    assert_eq!(cut.skipped, whole.skipped);
    assert_eq!(cut.error.as_ref().map(ToString::to_string), whole.error.as_ref().map(ToString::to_string));
}

fn all_deltas(output: &str, layout: &Layout) -> (Vec<Delta>, Ending) {
    let mut reader = CompletionReader::new(layout);
    let deltas = output.chars().flat_map(|char| reader.push(&char.to_string()).collect::<Vec<_>>()).collect();
    (deltas, reader.finish())
}

/// Puts OpenAI's delta objects together as their clients do.
#[derive(Default)]
struct Client {
    content: String,
    reasoning: String,
    calls: Vec<[String; 3]>,
}

impl Client {
    fn receive(&mut self, delta: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.content += &text(&delta["content"]);
        self.reasoning += &text(&delta["reasoning_content"]);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            assert!(index <= self.calls.len(), "an index follows the one before it");
            if index == self.calls.len() {
                self.calls.push(Default::default());
            }
            let parts = [&call["id"], &call["function"]["name"], &call["function"]["arguments"]];
            for (whole, part) in self.calls[index].iter_mut().zip(parts) {
                *whole += &text(part);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_cut_says_the_same(output in any_output(), layout in any_layout()) {
        let whole = Completion::from_text(&output, &layout);
        for (cut, _) in output.char_indices() {
            let (before, after) = output.split_at(cut);
            assert_same(&read_in_pieces([before, after], &layout), &whole);
        }
        let chars: Vec<String> = output.chars().map(String::from).collect();
        assert_same(&read_in_pieces(chars.iter().map(String::as_str), &layout), &whole);
    }

    #[test]
    fn clients_see_the_message(output in any_output(), layout in any_layout()) {
        let message = Completion::from_text(&output, &layout).message;
        let (deltas, ending) = all_deltas(&output, &layout);
        let mut client = Client::default();
        for delta in deltas.iter().chain(&ending.deltas) {
            let value = serde_json::to_value(delta).unwrap();
            prop_assert_eq!(value == serde_json::json!({}), delta.is_marker());
            client.receive(&value);
        }
        let (mut said, mut thought) = (String::new(), String::new());
        match &message.content {
            Content::Text(text) => said += text,
            Content::Chunks(chunks) => for chunk in chunks {
                match chunk {
                    Chunk::Text(text) => said += text,
                    Chunk::Thinking { text, .. } => thought += text,
                    other => panic!("{other:?}"),
                }
            },
        }
        prop_assert_eq!((client.content, client.reasoning), (said, thought));
        let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let calls: Vec<_> = message.tool_calls.iter()
            .map(|call| [part(call.id.as_deref()), call.name.to_string(), call.arguments.to_string()])
            .collect();
        prop_assert_eq!(client.calls, calls);
    }

    #[test]
    fn text_is_given_at_once(text in r"[\[\]</>a-zA-Z_é ]{0,60}", layout in any_layout()) {
        let longest = Control::all().map(|control| control.as_str().len()).max().unwrap();
        let spoken: String = layout.vocabulary.iter().fold(text, |text, control| text.replace(control.as_str(), ""));
        let mut reader = CompletionReader::new(&layout);
        let (mut pushed, mut given) = (0, 0);
        for char in spoken.chars() {
            pushed += char.len_utf8();
            given += reader.push(char.encode_utf8(&mut [0; 4])).map(|delta| match delta {
                Delta::Text(text) => text.len(),
                _ => 0,
            }).sum::<usize>();
            prop_assert!(pushed - given < longest, "{} bytes are held back", pushed - given);
        }
    }

    #[test]
    fn text_apart_is_never_a_control_token(output in any_output(), layout in any_layout()) {
        let mut reader = CompletionReader::new(&layout);
        let mut completion = Completion::default();
        for char in output.chars() {
            completion.extend(reader.push_text(char.encode_utf8(&mut [0; 4])));
        }
        completion.end(reader.finish());
        prop_assert_eq!(completion.message.content, Content::from(output));
        prop_assert!(completion.message.tool_calls.is_empty() && completion.error.is_none());
    }

    #[test]
    fn any_controls_apart(controls in prop::collection::vec(0..27_usize, 0..20), layout in any_layout()) {
        let controls: Vec<Control> = controls.iter().filter_map(|at| Control::all().nth(*at)).collect();
        let segments = || controls.iter().flat_map(|control| [Segment::Control(*control), Segment::Text("{}")]);
        let completion = Completion::from_segments(segments(), &layout);
        for skipped in &completion.skipped {
            prop_assert!(skipped.offset < controls.iter().map(|control| control.as_str().len() + 2).sum());
        }
    }

    #[test]
    fn what_was_rendered_reads_back(message in any_message(), layout in any_layout()) {
        let layout = layout.in_mode(Mode::Agnostic);
        let Some(message) = fitting(message, &layout) else { return Ok(()) };
        let chat = Chat::new([Message::user("Hi"), Message::Assistant(message.clone())]);
        let prompt = match layout.render(&chat) {
            Ok(prompt) => prompt,
            Err(error) => panic!("{error}"),
        };
        let asked = layout.render(&Chat::new([Message::user("Hi")])).unwrap();
        let expected = normalized(message, &layout);

        let completion = Completion::from_segments(prompt.segments().skip(asked.segments().count()), &layout);
        prop_assert_eq!(&completion.into_result().unwrap(), &expected, "{}", prompt);

        let output = prompt.as_str().strip_prefix(asked.as_str()).unwrap();
        if !spells_a_control(&prompt, &layout) {
            let mut reader = CompletionReader::new(&layout).with_spaces(Spaces::Printed);
            let mut completion = Completion::default();
            completion.extend(reader.push(output));
            completion.end(reader.finish());
            prop_assert_eq!(&completion.into_result().unwrap(), &expected, "{}", prompt);
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Hello".to_owned()),
        Just(" a\n[/INST] b ".to_owned()),
        Just("</s>".to_owned()),
        "[ a-z\\[é\n]{1,12}"
    ]
}

fn any_message() -> impl Strategy<Value = AssistantMessage<'static>> {
    let thinking = (any_text(), any::<bool>()).prop_map(|(text, closed)| Chunk::Thinking { text: text.into(), closed });
    let chunks = (prop::option::of(thinking), prop::option::of(any_text()));
    let arguments = prop::sample::select(vec![
        "{}",
        r#"{"city": "Orléans", "days": [1, 2.5, {"a": null}]}"#,
        r#"{"a": "\"}[ARGS]\\ \n"}"#,
        "{\"days\":1e5 ,\"x\":{}}",
    ]);
    let call = ("[a-zA-Z0-9_-]{1,64}", "[a-zA-Z0-9]{9}", arguments)
        .prop_map(|(name, id, arguments)| ToolCall::new(name, arguments).id(id));
    (chunks, prop::collection::vec(call, 0..3), any::<bool>()).prop_map(|((thinking, text), tool_calls, prefix)| {
        let content = match (thinking, text) {
            (None, text) => Content::from(text.unwrap_or_default()),
            (Some(thinking), text) => {
                Content::from([Some(thinking), text.map(Chunk::text)].into_iter().flatten().collect::<Vec<_>>())
            }
        };
        AssistantMessage { content, tool_calls, prefix, weight: None }
    })
}

/// What of the message the layout can write; none where that is nothing, or has no end.
fn fitting(mut message: AssistantMessage<'static>, layout: &Layout) -> Option<AssistantMessage<'static>> {
    if let Content::Chunks(chunks) = &mut message.content {
        if !layout.features.contains(Feature::Think) {
            chunks.retain(|chunk| matches!(chunk, Chunk::Text(_)));
        }
        // Nothing parts open thinking from the text after it.
        if let [Chunk::Thinking { closed: false, .. }, ..] = chunks[..] {
            chunks.truncate(1);
        }
        match &chunks[..] {
            [] => message.content = Content::default(),
            [Chunk::Text(text)] => message.content = Content::Text(text.clone()),
            _ => {}
        }
    }
    if layout.calls == ToolCalls::None {
        message.tool_calls.clear();
    }
    let writes_either = layout.rules.text_and_calls == mistral_chat_template::TextAndCalls::Either;
    if writes_either && !message.content.is_empty() {
        message.tool_calls.clear();
    }
    let mut ids: Vec<_> = message.tool_calls.iter().map(|call| call.id.clone()).collect();
    ids.dedup();
    let says_something = !message.content.is_empty() || !message.tool_calls.is_empty();
    (says_something && ids.len() == message.tool_calls.len()).then_some(message)
}

/// The message as rendering writes it: spaces gone from the end of a text, arguments written anew, ids where there are.
fn normalized(mut message: AssistantMessage<'static>, layout: &Layout) -> AssistantMessage<'static> {
    if let (Content::Text(text), true) = (&message.content, layout.trim_reply) {
        message.content = Content::from(text.trim_end_matches(' ').to_owned());
    }
    for call in &mut message.tool_calls {
        if matches!(layout.calls, ToolCalls::List | ToolCalls::NameArguments) {
            call.id = None;
        }
        let mut arguments = String::new();
        mistral_chat_template::python_json::reformat(&call.arguments, &mut arguments).unwrap();
        call.arguments = arguments.into();
    }
    message
}

fn spells_a_control(prompt: &Prompt, layout: &Layout) -> bool {
    let spells = |text: &str| layout.vocabulary.iter().any(|control| text.contains(control.as_str()));
    prompt.segments().any(|segment| matches!(segment, Segment::Text(text) if spells(text)))
}

#[test]
fn a_call_is_told_before_its_arguments_end() {
    let mut reader = CompletionReader::new(&Layout::V7);
    let mut shown = Vec::new();
    for piece in [
        "[TOOL_CA",
        "LLS][{\"na",
        "me\": \"now\", ",
        "\"arguments\": {\"zo",
        "ne\": 1}",
        ", \"id\": \"abc",
        "123def\"}]",
    ] {
        shown.push(reader.push(piece).map(|delta| serde_json::to_string(&delta).unwrap()).collect::<String>());
    }
    assert_eq!(
        shown,
        [
            "",
            "",
            r#"{"tool_calls":[{"index":0,"type":"function","function":{"name":"now","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"zo"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"ne\": 1}"}}]}"#,
            "",
            r#"{"tool_calls":[{"index":0,"id":"abc123def"}]}"#,
        ]
    );
    assert!(reader.finish().deltas.is_empty());
}

#[test]
fn a_long_name_is_not_held_back() {
    let name = "n".repeat(10_000);
    for (layout, output) in [
        (Layout::V13, format!("[TOOL_CALLS]{name}[ARGS]{{}}")),
        (Layout::V3, format!("[TOOL_CALLS][{{\"name\": \"{name}\", \"arguments\": {{}}}}]")),
    ] {
        let mut reader = CompletionReader::new(&layout);
        let given: usize = output.as_bytes()[..5_000]
            .chunks(10)
            .map(|piece| reader.push(std::str::from_utf8(piece).unwrap()).count())
            .sum();
        assert!(given > 10, "{given} deltas");
        assert_eq!(Completion::from_text(&output, &layout).into_result().unwrap().tool_calls[0].name, name);
    }
}
