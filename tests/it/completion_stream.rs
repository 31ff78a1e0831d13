//! What holds for every output, however it is cut: streamed deltas say what the whole says, nothing is given too early
//! or held too long, and what was rendered reads back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use mistral_chat_template::completion::{CallDeltas, Delta, DummyPrefix, FinishReason, Finished, Leniency, NewCallIds};
use mistral_chat_template::layout::{System, ToolCalls, UserTurn, WordStart};
use mistral_chat_template::render::Fim;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Completion, CompletionReader, Content, Control, Format, Layout, Message, Mode,
    Prompt, Segment, ToolCall, Version,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::arbitrary;
use crate::support::completions::{Bytes, assert_every_cut_reads_as, assert_same, read_in_pieces};

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
        "{'a': True, 'b': 'it\\'s'}",
        "[{'name': 'f', \"function\": {\"name\": \"g\", \"parameters\": \"{}\"}},",
        "\"\\d\\u12\"",
        "<think>",
        "</think>",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

fn all_deltas(output: &str, mut reader: CompletionReader) -> (Vec<Delta>, Finished) {
    let deltas = output.chars().flat_map(|char| reader.push(&char.to_string()).collect::<Vec<_>>()).collect();
    (deltas, reader.finish())
}

/// Puts OpenAI's delta objects together as their clients do, and insists on what those insist on.
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
            let function = call["function"].as_object().unwrap();
            let arguments = function["arguments"].as_str().unwrap();
            if index < self.calls.len() {
                assert!(call.get("id").is_none() && function.get("name").is_none(), "{call}");
                self.calls[index][2] += arguments;
            } else {
                assert_eq!((index, &call["type"]), (self.calls.len(), &Value::from("function")), "{call}");
                let [id, name] = [&call["id"], &function["name"]].map(|value| value.as_str().unwrap().to_owned());
                self.calls.push([id, name, arguments.to_owned()]);
            }
        }
    }
}

/// A reader that tells a client of calls.
fn client_reader(layout: &Layout, is_whole: bool) -> CompletionReader {
    let ids = NewCallIds::seeded(7);
    let calls = if is_whole { CallDeltas::Whole(ids) } else { CallDeltas::Streamed(ids) };
    CompletionReader::new(layout).with_calls(calls)
}

fn lenient_reader(layout: &Layout) -> CompletionReader {
    let tools = r#"{"messages": [], "tools": [
        {"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "get_weather"}}]}"#;
    CompletionReader::new(layout).with_leniency(Leniency::Lenient).with_tools(&Chat::from_json(tools).unwrap().tools)
}

#[test]
fn what_follows_a_call_is_placed_behind_what_was_left_out() {
    let output = r#"[TOOL_CALLS]7</s>{"a": 1}get_weather"#;
    let whole = lenient_reader(&Layout::V2).read(output);
    let chars: Vec<String> = output.chars().map(String::from).collect();
    assert_same(&read_in_pieces(chars.iter().map(String::as_str), lenient_reader(&Layout::V2)), &whole);
    assert_eq!(whole.liberties.last().map(|liberty| liberty.offset), output.find("get_weather"));
}

proptest! {
    #![proptest_config(arbitrary::cases(400))]

    #[test]
    fn every_cut_says_the_same(output in any_output(), layout in any_layout()) {
        let whole = Completion::from_text(&output, &layout);
        assert_every_cut_reads_as(&whole, &output, || CompletionReader::new(&layout));
    }

    #[test]
    fn every_cut_says_the_same_to_a_lenient_reader(output in any_output(), layout in any_layout()) {
        let whole = lenient_reader(&layout).read(&output);
        assert_every_cut_reads_as(&whole, &output, || lenient_reader(&layout));
    }

    #[test]
    fn clients_see_the_message(output in any_output(), layout in any_layout(), is_whole in any::<bool>()) {
        let message = client_reader(&layout, is_whole).read(&output).message;
        let (deltas, finished) = all_deltas(&output, client_reader(&layout, is_whole));
        let mut client = Client::default();
        for delta in deltas.iter().chain(&finished.deltas) {
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
        let calls: Vec<_> = message.tool_calls.iter()
            .map(|call| [call.id.as_deref().unwrap().to_owned(), call.name.to_string(), call.arguments.to_string()])
            .collect();
        prop_assert!(calls.iter().all(|[id, ..]| !id.is_empty()));
        prop_assert_eq!(client.calls, calls);
    }

    #[test]
    fn nothing_is_lost(output in any_output(), layout in any_layout(), is_lenient in any::<bool>()) {
        let reader = if is_lenient { lenient_reader(&layout) } else { CompletionReader::new(&layout) };
        let completion = reader.read(&output);
        let mut fields = vec![completion.rest.clone()];
        match &completion.message.content {
            Content::Text(text) => fields.push(text.to_string()),
            Content::Chunks(chunks) => fields.extend(chunks.iter().map(|chunk| format!("{chunk:?}"))),
        }
        for call in &completion.message.tool_calls {
            let id = call.id.as_deref().unwrap_or_default();
            fields.extend([id, &call.name, &call.arguments].map(str::to_owned));
        }
        let fields = fields.concat();
        // Words that no JSON around calls, no control token and no escape spells.
        for word in ["get_weather", "abc123def", "long_name_or_id", "-1.5"] {
            let (came, kept) = (output.matches(word).count(), fields.matches(word).count());
            prop_assert!(kept >= came, "{} of {} {:?} are kept: {:?}", kept, came, word, completion);
        }
    }

    #[test]
    fn lenient_readers_agree_with_strict_ones(output in any_output(), layout in any_layout()) {
        let (strict, lenient) = (Completion::from_text(&output, &layout), lenient_reader(&layout).read(&output));
        if strict.error.is_none() && lenient.liberties.is_empty() {
            assert_same(&lenient, &strict);
        }
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
        completion.finish(reader.finish());
        prop_assert_eq!(completion.message.content, Content::from(output));
        prop_assert!(completion.message.tool_calls.is_empty() && completion.error.is_none());
    }

    #[test]
    fn any_controls_apart(controls in prop::collection::vec(0..27_usize, 0..20), layout in any_layout()) {
        let controls: Vec<Control> = controls.iter().filter_map(|at| Control::all().nth(*at)).collect();
        let segments = || controls.iter().flat_map(|control| [Segment::Control(*control), Segment::Text("{}")]);
        let completion = Completion::from_segments(segments(), &layout);
        for skipped in &completion.stray {
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
            let mut reader = CompletionReader::new(&layout).with_dummy_prefix(DummyPrefix::Present);
            let mut completion = Completion::default();
            completion.extend(reader.push(output));
            completion.finish(reader.finish());
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

/// What the layout can write of the message; `None` if that is nothing, or has no end.
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
    let writes_either = layout.rules.text_and_calls == mistral_chat_template::layout::TextAndCalls::Either;
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
    let pieces = [
        "[TOOL_CA",
        "LLS][{\"na",
        "me\": \"now\", ",
        "\"arguments\": {\"zo",
        "ne\": 1}",
        ", \"id\": \"abc",
        "123def\"}]",
    ];
    let shown = |is_whole| {
        let mut reader = client_reader(&Layout::V7, is_whole);
        let shown = pieces
            .map(|piece| reader.push(piece).map(|delta| serde_json::to_string(&delta).unwrap()).collect::<String>());
        assert!(reader.finish().deltas.is_empty());
        shown
    };
    assert_eq!(
        shown(false),
        [
            "",
            "",
            r#"{"tool_calls":[{"index":0,"id":"WylX70R33","type":"function","function":{"name":"now","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"zo"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"ne\": 1}"}}]}"#,
            "",
            "{}",
        ]
    );
    let whole = concat!(
        r#"{"tool_calls":[{"index":0,"id":"abc123def","type":"function","#,
        r#""function":{"name":"now","arguments":"{\"zone\": 1}"}}]}{}"#
    );
    assert_eq!(shown(true), ["", "", "", "", "", "", whole]);
}

#[test]
fn a_name_comes_whole() {
    let name = "n".repeat(10_000);
    for (layout, output) in [
        (Layout::V13, format!("[TOOL_CALLS]{name}[ARGS]{{}}")),
        (Layout::V3, format!("[TOOL_CALLS][{{\"name\": \"{name}\", \"arguments\": {{}}}}]")),
    ] {
        let (deltas, _) = all_deltas(&output, CompletionReader::new(&layout));
        let Delta::ToolCall(call) = &deltas[0] else { panic!("{:?}", deltas[0]) };
        assert_eq!(call.name.as_ref(), Some(&name));
    }
}

/// What each way of telling calls does to the next turn: the client sends back the ids that it was told.
#[test]
fn the_next_prompt_goes_on_from_what_was_sampled() {
    let list = r#"[TOOL_CALLS][{"name": "now", "arguments": {}, "id": "abc123def"}]</s>"#;
    for (layout, output, is_whole, goes_on) in [
        (Layout::V3, list, false, false),
        (Layout::V3, list, true, true),
        (Layout::V7_TEKKEN, list, false, false),
        (Layout::V7_TEKKEN, list, true, true),
        (Layout::V11, "[TOOL_CALLS]now[CALL_ID]abc123def[ARGS]{}</s>", false, true),
        (Layout::V13, "[TOOL_CALLS]now[ARGS]{}</s>", false, true),
        (Layout::V13, "[TOOL_CALLS]now[ARGS]{}</s>", true, true),
    ] {
        let asked = Chat::new([Message::user("What time is it?")]);
        let message = client_reader(&layout, is_whole).read(output).message;
        let id = message.tool_calls[0].id.clone().unwrap();
        let result = Message::tool("12:00").answering(id);
        let mut messages = asked.messages.clone();
        messages.extend([Message::Assistant(message), result]);
        let prompt = layout.render(&Chat::new(messages)).unwrap();
        let space = if layout.word_start == WordStart::Space { "[TOOL_CALLS] " } else { "[TOOL_CALLS]" };
        let sampled = format!("{}{}", layout.render(&asked).unwrap(), output.replacen("[TOOL_CALLS]", space, 1));
        assert_eq!(prompt.as_str().starts_with(&sampled), goes_on, "{}, whole: {is_whole}: {prompt}", layout.name);
    }
}

fn ids_of(segment: Segment<'_>) -> Vec<u32> {
    match segment {
        Segment::Control(control) => {
            let at = Control::all().position(|other| other == control).unwrap();
            vec![u32::try_from(at).unwrap()]
        }
        Segment::Text(text) => text.bytes().map(|byte| 1000 + u32::from(byte)).collect(),
        Segment::Media(_) => Vec::new(),
    }
}

proptest! {
    #![proptest_config(arbitrary::cases(200))]

    #[test]
    fn ids_say_what_their_segments_say(output in any_output(), layout in any_layout(), size in 1..9_usize) {
        let mut segments = Vec::new();
        let mut rest = &*output;
        while let Some(control) = layout.vocabulary.iter().find(|control| rest.contains(control.as_str())) {
            let (before, after) = rest.split_once(control.as_str()).unwrap();
            segments.extend([Segment::Text(before), Segment::Control(control)]);
            rest = after;
        }
        segments.push(Segment::Text(rest));
        let ids: Vec<u32> = segments.iter().flat_map(|segment| ids_of(*segment)).collect();
        let whole = CompletionReader::new(&layout).with_dummy_prefix(DummyPrefix::Present).read_segments(segments);

        let mut reader = CompletionReader::new(&layout);
        let mut completion = Completion::default();
        let mut next = 0;
        for ids in ids.chunks(size) {
            for (delta, from) in reader.push_ids(ids, &Bytes).with_ids() {
                prop_assert!(from.start <= next && next <= from.end && from.end <= next + size + output.len());
                next = from.end;
                completion.add(delta);
            }
        }
        completion.finish(reader.finish());
        assert_same(&completion, &whole);
    }

    #[test]
    fn stop_strings_are_found_however_the_text_is_cut(
        before in "[ab\nU]{0,12}", after in "[ab\nU]{0,12}", size in 1..5_usize,
    ) {
        let said = format!("{before}\nUser:{after}");
        let ids = ids_of(Segment::Text(&said));
        let stops = ["\nUser:", "aab"];
        let at = stops.iter().filter_map(|stop| said.find(stop)).min().unwrap();
        let mut reader = CompletionReader::new(&Layout::V13).with_stop_strings(stops);
        let mut completion = Completion::default();
        for ids in ids.chunks(size) {
            completion.extend(reader.push_ids(ids, &Bytes));
        }
        let found = reader.stop_found().unwrap().clone();
        prop_assert_eq!((found.ids.start, found.splits_id), (at, false), "one id a byte");
        completion.finish(reader.finish());
        prop_assert_eq!(&completion.message.content, &Content::from(said[..at].to_owned()));
        prop_assert_eq!(&*completion.rest, &said[at + found.string.len()..]);
        prop_assert_eq!(completion.finish_reason(), FinishReason::Stop);
    }
}

#[test]
fn half_a_character_is_held_back() {
    let mut reader = CompletionReader::new(&Layout::V13);
    let ids = ids_of(Segment::Text("👍"));
    assert_eq!(reader.push_ids(&ids[..3], &Bytes).count(), 0);
    let deltas: Vec<_> = reader.push_ids(&ids[3..], &Bytes).with_ids().collect();
    assert_eq!(deltas, [(Delta::Text("👍".to_owned()), 0..4)]);
    assert_eq!(reader.push_ids(&ids[..2], &Bytes).count(), 0);
    assert_eq!(reader.finish().deltas, [Delta::Text("\u{fffd}".to_owned())], "cut off");
}

#[test]
fn an_answer_goes_on_from_a_prompt() {
    let thinking = Layout::V13.with(Feature::Think);
    let open = |text: &'static str| {
        let content = vec![Chunk::Thinking { text: text.into(), closed: false }].into();
        Message::Assistant(AssistantMessage { content, prefix: true, ..AssistantMessage::default() })
    };
    for (layout, last, output, expected) in [
        (Layout::V7, Message::prefix("One, two"), " and three</s>", Content::from(" and three")),
        (Layout::V1, Message::prefix("One, two"), " and three</s>", " and three".into()),
        (Layout::V13, Message::prefix("One, two"), " and three</s>", " and three".into()),
        (
            thinking,
            open("Hm, the user"),
            " greets me.[/THINK]Hello!</s>",
            vec![Chunk::thinking(" greets me."), Chunk::text("Hello!")].into(),
        ),
        (thinking, open(""), "Hm.[/THINK]Hello!</s>", vec![Chunk::thinking("Hm."), Chunk::text("Hello!")].into()),
    ] {
        let chat = Chat::new([Message::user("Hi"), last]);
        let reader = CompletionReader::new(&layout).with_dummy_prefix(DummyPrefix::Present).after_chat(&chat).unwrap();
        let completion = reader.read(output);
        assert_eq!(completion.message.content, expected, "{}", layout.name);
        assert!(completion.error.is_none() && completion.stray.is_empty(), "{completion:?}");
    }
    // A prompt that ends with a question: the answer begins a run.
    let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    for layout in [Layout::V1, Layout::V3, Layout::V7] {
        let reader = CompletionReader::new(&layout).with_dummy_prefix(DummyPrefix::Present).after_chat(&chat).unwrap();
        assert_eq!(reader.read(" Bye!</s>").message.content, "Bye!".into(), "{}", layout.name);
    }
    // Fill in the middle goes on with a run.
    let prompt = Layout::V3.render_fim(&Fim { prompt: "def f(".into(), suffix: "return x".into() }).unwrap();
    let reader = CompletionReader::new(&Layout::V3).with_dummy_prefix(DummyPrefix::Present).after(&prompt);
    assert_eq!(reader.read(" x):</s>").message.content, " x):".into());
}

#[test]
fn a_forced_call_is_told() {
    let control = |control| Segment::Control(control);
    let header = [control(Control::ToolCalls), Segment::Text("now"), control(Control::Args)];
    let list = [control(Control::ToolCalls), Segment::Text("[{\"name\": \"now\", \"arguments\": ")];
    for (layout, begun, output) in [
        (Layout::V13, &header[..], "{\"zone\": \"UTC\"}</s>"),
        (Layout::V3, &list[..], "{\"zone\": \"UTC\"}, \"id\": \"abc123def\"}]</s>"),
    ] {
        for is_whole in [false, true] {
            let (deltas, finished) = all_deltas(output, client_reader(&layout, is_whole).after_segments(begun));
            let mut client = Client::default();
            for delta in deltas.iter().chain(&finished.deltas) {
                client.receive(&serde_json::to_value(delta).unwrap());
            }
            let [[id, name, arguments]] = &client.calls[..] else { panic!("{deltas:?}") };
            assert_eq!((name.as_str(), arguments.as_str()), ("now", "{\"zone\": \"UTC\"}"));
            assert_eq!(id.len(), 9);
            assert!(finished.error.is_none(), "{:?}", finished.error);
        }
    }
}
