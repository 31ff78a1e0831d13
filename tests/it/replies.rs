//! Answers in the form of the API that asked: what a stream's events add up to is the whole response.

use mistral_chat_template::completion::{
    CallDeltas, Leniency, LibertyKind, NewCallIds, ReplyEvent, ReplyEvents, ReplyHead,
};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Completion, CompletionReader, Dialect, Layout};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::arbitrary;
use crate::support::reports::reports;

const HEAD: ReplyHead<'_> =
    ReplyHead { id: "42", model: "m", created: 1_764_000_000, prompt_tokens: 5, completion_tokens: 7 };

fn layout() -> Layout {
    Layout::V13.with(Feature::Think)
}

/// The events of an output that comes in pieces, and the completion that it is.
fn streamed(output: &str, size: usize, dialect: Dialect) -> (Vec<ReplyEvent>, Completion) {
    streamed_by(CompletionReader::new(&layout()), output, size, dialect)
}

fn streamed_by(reader: CompletionReader, output: &str, size: usize, dialect: Dialect) -> (Vec<ReplyEvent>, Completion) {
    let mut reader = reader.with_calls(CallDeltas::Streamed(NewCallIds::seeded(7)));
    let (mut events, mut completion) = (ReplyEvents::new(dialect, HEAD), Completion::default());
    let mut stream = events.begin();
    let chars: Vec<char> = output.chars().collect();
    for piece in chars.chunks(size) {
        let piece: String = piece.iter().collect();
        for delta in reader.push(&piece) {
            stream.extend(events.push(&delta));
            completion.add(delta);
        }
    }
    let finished = reader.finish();
    for delta in &finished.deltas {
        stream.extend(events.push(delta));
    }
    completion.finish(finished);
    stream.extend(events.finish(completion.finish_reason(), HEAD));
    (stream, completion)
}

fn data(event: &ReplyEvent) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

/// What an Anthropic client makes of a stream.
fn anthropic_message(events: &[ReplyEvent]) -> Value {
    let mut message = data(&events[0])["message"].clone();
    let mut inputs: Vec<String> = Vec::new();
    for event in &events[1..] {
        let data = data(event);
        assert_eq!(event.name, data["type"].as_str(), "the name is the type");
        let index = data["index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match data["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(index, message["content"].as_array().map(Vec::len));
                message["content"].as_array_mut().unwrap().push(data["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                let (index, delta) = (index.unwrap(), &data["delta"]);
                for (kind, field) in [("text_delta", "text"), ("thinking_delta", "thinking")] {
                    if delta["type"] == kind {
                        let block = &mut message["content"][index][field];
                        *block = json!(block.as_str().unwrap().to_owned() + delta[field].as_str().unwrap());
                    }
                }
                inputs[index].push_str(delta["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" => {
                let index = index.unwrap();
                if message["content"][index]["type"] == "tool_use" {
                    let input = serde_json::from_str::<Value>(&inputs[index]).ok().filter(Value::is_object);
                    message["content"][index]["input"] = input.unwrap_or_else(|| json!(inputs[index]));
                }
            }
            "message_delta" => {
                for name in ["stop_reason", "stop_sequence"] {
                    message[name] = data["delta"][name].clone();
                }
                message["usage"]["output_tokens"] = data["usage"]["output_tokens"].clone();
            }
            other => assert_eq!(other, "message_stop"),
        }
    }
    message
}

/// What an OpenAI client makes of a stream of Responses.
fn response(events: &[ReplyEvent]) -> Value {
    let mut items: Vec<Value> = Vec::new();
    for (number, event) in events.iter().enumerate() {
        let data = data(event);
        assert_eq!((event.name, data["sequence_number"].as_u64()), (data["type"].as_str(), Some(number as u64)));
        let index = data["output_index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match data["type"].as_str().unwrap() {
            "response.output_item.added" => items.push(data["item"].clone()),
            "response.content_part.added" => {
                items[index.unwrap()]["content"].as_array_mut().unwrap().push(data["part"].clone());
            }
            "response.output_text.delta" | "response.reasoning_text.delta" => {
                let text = &mut items[index.unwrap()]["content"][0]["text"];
                *text = json!(text.as_str().unwrap().to_owned() + data["delta"].as_str().unwrap());
            }
            "response.function_call_arguments.delta" => {
                let arguments = &mut items[index.unwrap()]["arguments"];
                *arguments = json!(arguments.as_str().unwrap().to_owned() + data["delta"].as_str().unwrap());
            }
            "response.output_item.done" => {
                let item = &mut items[index.unwrap()];
                item["status"] = data["item"]["status"].clone();
                assert_eq!(*item, data["item"], "what is done is what was streamed");
            }
            _ => {}
        }
    }
    let last = data(events.last().unwrap())["response"].clone();
    assert_eq!(last["output"], json!(items));
    last
}

/// What a client of chat completions makes of a stream: text, thinking, calls and the reason.
fn chat_completion(events: &[ReplyEvent]) -> Value {
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done.data, "[DONE]");
    let (mut content, mut reasoning, mut calls) = (String::new(), String::new(), Vec::<Value>::new());
    let mut reason = Value::Null;
    for chunk in chunks.iter().map(data) {
        let choice = &chunk["choices"][0];
        content += choice["delta"]["content"].as_str().unwrap_or_default();
        reasoning += choice["delta"]["reasoning_content"].as_str().unwrap_or_default();
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                calls.push(call.clone());
            } else {
                let arguments = &mut calls[index]["function"]["arguments"];
                let more = call["function"]["arguments"].as_str().unwrap();
                *arguments = json!(arguments.as_str().unwrap().to_owned() + more);
            }
        }
        reason = choice["finish_reason"].clone();
    }
    json!({"content": content, "reasoning": reasoning, "calls": calls, "reason": reason})
}

/// What a client of Ollama makes of a stream: the messages, put together, in the last response.
fn ollama_response(events: &[ReplyEvent]) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    let mut last = Value::Null;
    for event in events {
        assert!(event.to_string().ends_with("}\n") && event.to_string().lines().count() == 1, "a line of JSON");
        assert_ne!(last["done"], true, "nothing comes after the last");
        last = data(event);
        for name in ["content", "thinking"] {
            if let Some(more) = last["message"][name].as_str().filter(|more| !more.is_empty()) {
                message[name] = json!(message[name].as_str().unwrap_or_default().to_owned() + more);
            }
        }
        if let Some(calls) = last["message"]["tool_calls"].as_array() {
            if message["tool_calls"].is_null() {
                message["tool_calls"] = json!([]);
            }
            message["tool_calls"].as_array_mut().unwrap().extend(calls.clone());
        }
    }
    last["message"] = message;
    last
}

/// What a client of Gemini makes of a stream: the parts, texts of one kind joined, in the last response.
fn gemini_response(events: &[ReplyEvent]) -> Value {
    let mut all: Vec<Value> = Vec::new();
    let mut last = Value::Null;
    for event in events {
        last = data(event);
        for part in last["candidates"][0]["content"]["parts"].as_array().unwrap() {
            match (all.last_mut(), part["text"].as_str()) {
                (Some(before), Some(more)) if before["text"].is_string() && before["thought"] == part["thought"] => {
                    before["text"] = json!(before["text"].as_str().unwrap().to_owned() + more);
                }
                (_, Some("")) => {}
                _ => all.push(part.clone()),
            }
        }
    }
    last["candidates"][0]["content"]["parts"] = json!(all);
    last
}

fn output() -> BoxedStrategy<String> {
    let thinking = proptest::sample::select(vec!["", "[THINK]Hm.[/THINK]", "[THINK]é\n[/THINK]"]);
    let text = proptest::sample::select(vec!["", "Let me look.", "é 日本", "\"quoted\" {}"]);
    let call = proptest::sample::select(vec![
        r#"[TOOL_CALLS]now[ARGS]{}"#,
        r#"[TOOL_CALLS]look[ARGS]{"city": "Lyon", "n": [1, 2.50]}"#,
        r#"[TOOL_CALLS]look[ARGS]{"city": "Tu"#,
    ]);
    let calls = proptest::collection::vec(call, 0..3).prop_map(|calls| calls.concat());
    let end = proptest::sample::select(vec!["</s>", ""]);
    (thinking, text, calls, end).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}")).boxed()
}

/// What each dialect's events add up to is its whole response.
#[track_caller]
fn assert_adds_up(output: &str, size: usize, reader: impl Fn() -> CompletionReader) {
    let (events, completion) = streamed_by(reader(), output, size, Dialect::Anthropic);
    let whole = serde_json::to_value(completion.response(Dialect::Anthropic, HEAD)).unwrap();
    assert_eq!(anthropic_message(&events), whole);

    let (events, completion) = streamed_by(reader(), output, size, Dialect::Responses);
    let whole = serde_json::to_value(completion.response(Dialect::Responses, HEAD)).unwrap();
    assert_eq!(response(&events), whole);

    let (events, completion) = streamed_by(reader(), output, size, Dialect::Ollama);
    let whole = serde_json::to_value(completion.response(Dialect::Ollama, HEAD)).unwrap();
    assert_eq!(ollama_response(&events), whole);

    let (events, completion) = streamed_by(reader(), output, size, Dialect::Gemini);
    let whole = serde_json::to_value(completion.response(Dialect::Gemini, HEAD)).unwrap();
    assert_eq!(gemini_response(&events), whole);

    assert_completions_add_up(output, size, reader);
}

#[track_caller]
fn assert_completions_add_up(output: &str, size: usize, reader: impl Fn() -> CompletionReader) {
    let (events, completion) = streamed_by(reader(), output, size, Dialect::OpenAi);
    let whole = serde_json::to_value(completion.response(Dialect::OpenAi, HEAD)).unwrap();
    let (streamed, choice) = (chat_completion(&events), &whole["choices"][0]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert_eq!(text(&streamed["content"]), text(&choice["message"]["content"]));
    assert_eq!(text(&streamed["reasoning"]), text(&choice["message"]["reasoning_content"]));
    let calls = choice["message"].get("tool_calls").cloned().unwrap_or_else(|| json!([]));
    assert_eq!(&streamed["calls"], &calls);
    assert_eq!(&streamed["reason"], &choice["finish_reason"]);
}

proptest! {
    #![proptest_config(arbitrary::cases(200))]

    #[test]
    fn a_stream_adds_up_to_the_whole_response(output in output(), size in 1..9_usize) {
        assert_adds_up(&output, size, || CompletionReader::new(&layout()));
    }

    /// A whole answer, sent back by a client, is the message that the model wrote.
    #[test]
    fn an_answer_goes_back_into_the_conversation(output in output()) {
        let reader = CompletionReader::new(&layout()).with_calls(CallDeltas::Streamed(NewCallIds::seeded(7)));
        let completion = reader.read(&output);
        prop_assume!(completion.error.is_none() && !completion.message.prefix);
        for dialect in [Dialect::Anthropic, Dialect::Responses, Dialect::Ollama, Dialect::Gemini] {
            let whole = serde_json::to_value(completion.response(dialect, HEAD)).unwrap();
            let request = match dialect {
                Dialect::Anthropic if whole["content"] == json!([]) => continue,
                Dialect::Anthropic => json!({"messages": [{"role": "assistant", "content": whole["content"]}, {"role": "user", "content": "q"}]}),
                Dialect::Ollama => json!({"messages": [whole["message"], {"role": "user", "content": "q"}]}),
                Dialect::Gemini if whole["candidates"][0]["content"]["parts"] == json!([]) => continue,
                Dialect::Gemini => json!({
                    "contents": [whole["candidates"][0]["content"], {"role": "user", "parts": [{"text": "q"}]}],
                }),
                _ if whole["output"] == json!([]) => continue,
                _ => {
                    let mut input = whole["output"].as_array().unwrap().clone();
                    input.push(json!({"role": "user", "content": "q"}));
                    json!({"input": input})
                }
            };
            let request = request.to_string();
            let chat = mistral_chat_template::Chat::read(&request, dialect).unwrap();
            let [mistral_chat_template::Message::Assistant(back), _] = &chat.messages[..] else { panic!("{chat:?}") };
            prop_assert_eq!(&back.content, &completion.message.content);
            let calls = |message: &mistral_chat_template::AssistantMessage<'_>| {
                let of = |call: &mistral_chat_template::ToolCall<'_>| {
                    (call.id.clone().map(std::borrow::Cow::into_owned), call.name.to_string(), serde_json::from_str::<Value>(&call.arguments).unwrap())
                };
                message.tool_calls.iter().map(of).collect::<Vec<_>>()
            };
            prop_assert_eq!(calls(back), calls(&completion.message));
        }
    }
}

/// The same holds for what models really write, strictly and leniently read.
#[test]
fn every_report_adds_up() {
    // A stream has the escape of a lone surrogate as the model wrote it.
    for report in reports().into_iter().filter(|report| report.id != "emoji-surrogate") {
        let (layout, tools): (Layout, _) = (report.version.parse().unwrap(), report.tools());
        for leniency in [Leniency::Strict, Leniency::Lenient] {
            println!("{} {leniency:?}", report.id);
            let reader = || CompletionReader::new(&layout).with_leniency(leniency).with_tools(&tools);
            let liberties = reader().read(&report.completion).liberties;
            let told = |kind| liberties.iter().any(|liberty| liberty.kind == kind);
            if told(LibertyKind::ThinkingNotBegun) {
                continue; // A stream said it before it was known to be thinking.
            }
            assert_completions_add_up(&report.completion, 1, reader);
            // A message has its text before its calls; a stream has them as they come.
            if !told(LibertyKind::TextAfterCall) {
                assert_adds_up(&report.completion, 1, reader);
            }
        }
    }
}

/// Objects have the keys of the arguments in the order in which the model wrote them, on one line.
#[test]
fn the_keys_of_arguments_keep_their_order() {
    let output = "[TOOL_CALLS]look[ARGS]{\"z\": 1,\n \"a\": \"\\ud83d\", \"m\": {\"y\": 2.50, \"b\": 1e5}}</s>";
    let keys = r#"{"z": 1, "a": "�", "m": {"y": 2.5, "b": 100000.0}}"#;
    for dialect in [Dialect::Anthropic, Dialect::Ollama, Dialect::Gemini] {
        let (events, completion) = streamed(output, 3, dialect);
        let whole = serde_json::to_string(&completion.response(dialect, HEAD)).unwrap();
        assert!(whole.contains(keys) && !whole.contains('\n'), "{whole}");
        if dialect != Dialect::Anthropic {
            let stream: String = events.iter().map(ToString::to_string).collect();
            assert!(stream.contains(keys), "{stream}");
        }
    }
}

/// A call whose arguments are not an object: what each API's form says of it.
#[test]
fn a_call_without_an_object() {
    let cut_off = "[TOOL_CALLS]look[ARGS]{\"city\": \"Tu";
    let broken = "[TOOL_CALLS]look[ARGS]city=Tulle</s>";
    for (dialect, output, pointer, expected) in [
        (Dialect::Anthropic, cut_off, "/content/0/input", json!("{\"city\": \"Tu")),
        (Dialect::Anthropic, broken, "/content/0/input", json!("city=Tulle")),
        (Dialect::Ollama, cut_off, "/done_reason", json!("length")),
        (Dialect::Ollama, broken, "/message", json!({"role": "assistant", "content": ""})),
        (Dialect::Gemini, cut_off, "/candidates/0/finishReason", json!("MAX_TOKENS")),
        (Dialect::Gemini, broken, "/candidates/0/finishReason", json!("MALFORMED_FUNCTION_CALL")),
    ] {
        let (events, completion) = streamed(output, 4, dialect);
        let whole = serde_json::to_value(completion.response(dialect, HEAD)).unwrap();
        assert_eq!(whole.pointer(pointer), Some(&expected), "{whole}");
        assert!(completion.error.is_some());
        match dialect {
            Dialect::Ollama => assert_eq!(ollama_response(&events), whole),
            Dialect::Gemini => assert_eq!(gemini_response(&events), whole),
            _ => assert_eq!(anthropic_message(&events), whole),
        }
    }
}
