//! What a reader says beside the message: where stop strings were found, which deltas there are and of which ids, and the
//! fields of responses that no sum of events shows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::completion::{
    CallDeltas, Delta, Detokenizer, DummyPrefix, FinishReason, Leniency, NewCallIds, ReplyEvent, ReplyEvents,
    ReplyHead, StopCause,
};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Completion, CompletionReader, Content, Control, Dialect, Format, Layout, Message,
    Segment,
};
use serde_json::{Value, json};

const INST: u32 = 999;

/// Each id is one of these pieces, or `[INST]`.
struct Pieces<'p>(&'p [&'p str]);

impl Detokenizer for Pieces<'_> {
    fn control(&self, id: u32) -> Option<Control> {
        (id == INST).then_some(Control::Inst)
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        let piece = usize::try_from(id).ok().and_then(|id| self.0.get(id));
        bytes.extend(piece.map_or(&[][..], |piece| piece.as_bytes()));
    }
}

/// What is said of ids with these pieces, and of the stop string that was found: itself, its ids, whether one is split.
fn stopped(
    stops: &[&str],
    pieces: &'static [&'static str],
) -> (String, Option<(String, std::ops::Range<usize>, bool)>) {
    let mut reader = CompletionReader::new(&Layout::V13).with_stop_strings(stops.iter().copied());
    let mut completion = Completion::default();
    for id in (0..).take(pieces.len()) {
        completion.extend(reader.push_id(id, &Pieces(pieces)));
    }
    let found = reader.stop_found().map(|found| (found.string.clone(), found.ids.clone(), found.splits_id));
    completion.finish(reader.finish());
    let Content::Text(text) = completion.message.content else { return (String::new(), found) };
    (text.into_owned(), found)
}

#[test]
fn a_stop_string_costs_the_ids_that_hold_it() {
    let found = |string: &str, ids, splits| Some((string.to_owned(), ids, splits));
    for (pieces, said, ids) in [
        (&["Hi", "\nUser:"][..], "Hi", found("\nUser:", 1..2, false)),
        (&["Hi", "\n", "Us", "er:"], "Hi", found("\nUser:", 1..4, false)),
        (&["Hi\n", "Us", "er:"], "Hi", found("\nUser:", 0..3, true)),
        (&["H", "i", "\nUser: I"], "Hi", found("\nUser:", 2..3, false)),
        (&["\nU", "\nU", "ser:"], "\nU", found("\nUser:", 1..3, false)),
        (&["a", "\nUs", "\nUser:"], "a\nUs", found("\nUser:", 2..3, false)),
        (&["a", "\nUs", "e", "x", "y\nUse", "r:"], "a\nUsexy", found("\nUser:", 4..6, true)),
        (&["\n", "U", "x\nU", "ser:"], "\nUx", found("\nUser:", 2..4, true)),
        (&["\nU", "x\nU", "ser:"], "\nUx", found("\nUser:", 1..3, true)),
        (&["x\nU", "\nUs", "er:"], "x\nU", found("\nUser:", 1..3, false)),
        (&["a\nUs", "er"], "a\nUser", None),
        (&["a\n"], "a\n", None),
    ] {
        assert_eq!(stopped(&["\nUser:"], pieces), (said.to_owned(), ids), "{pieces:?}");
    }
    assert_eq!(stopped(&["ab", "abc"], &["xabcd"]).1, found("abc", 0..1, true), "the longer of two at one place");
    assert_eq!(stopped(&["bc", "ab"], &["xabcd"]).1, found("ab", 0..1, true), "the first of two");
    assert_eq!(stopped(&["", "\n"], &["a", "b"]), ("ab".to_owned(), None));
}

#[test]
fn what_might_have_become_a_stop_string_is_said_before_anything_else() {
    for (output, content) in [("a\nUs[TOOL_CALLS]f[ARGS]{}</s>", "a\nUs"), ("a\nUs</s>", "a\nUs"), ("a\nUs", "a\nUs")] {
        let mut reader = CompletionReader::new(&Layout::V13).with_stop_strings(["\nUser:"]);
        let mut deltas: Vec<Delta> = reader.push(output).collect();
        let finished = reader.finish();
        deltas.extend(finished.deltas.iter().cloned());
        let first_call = deltas.iter().position(|delta| matches!(delta, Delta::ToolCall(_))).unwrap_or(deltas.len());
        let text = |delta: &Delta| if let Delta::Text(text) = delta { text.clone() } else { String::new() };
        let said: String = deltas.iter().take(first_call).map(text).collect();
        assert_eq!(said, content, "{output:?}");
    }
}

#[test]
fn deltas_that_are_not_taken_are_read() {
    let mut reader = CompletionReader::new(&Layout::V13);
    drop(reader.push("It is noon.[TOOL_CALLS]f[ARGS]{\"a\""));
    let next: Vec<Delta> = reader.push(": 1}</s>").filter(|delta| !delta.is_marker()).collect();
    assert_eq!(next.len(), 1, "{next:?}");
    assert!(matches!(next.first(), Some(Delta::ToolCall(more)) if more.arguments == ": 1}" && more.name.is_none()));

    let mut reader = CompletionReader::new(&Layout::V13);
    let mut deltas = reader.push("");
    assert_eq!(deltas.size_hint(), (0, Some(0)));
    assert_eq!(deltas.next(), None);
    drop(deltas);
    let mut deltas = reader.push("a[TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g[ARGS]{}</s>");
    assert_eq!(deltas.size_hint(), (0, None), "nothing is read yet");
    deltas.next().unwrap();
    let (least, most) = deltas.size_hint();
    let left = deltas.count();
    assert!(least == left && most == Some(left) && left > 1, "{least} {most:?} {left}");
}

#[test]
fn texts_of_one_push_are_one_delta() {
    let think = Layout::V13.with(Feature::Think);
    let deltas = |output: &str| {
        let mut reader = CompletionReader::new(&think).with_leniency(Leniency::Lenient);
        let mut all: Vec<Delta> = reader.push(output).collect();
        all.extend(reader.finish().deltas);
        all.into_iter().filter(|delta| !delta.is_marker()).collect::<Vec<_>>()
    };
    assert_eq!(deltas("[THINK]a [b] <c> d[/THINK]"), [Delta::Thinking("a [b] <c> d".to_owned())]);
    assert_eq!(deltas("a [b] <c> d"), [Delta::Text("a [b] <c> d".to_owned())]);
    let thought = deltas("<think>a </ b <c></think>");
    assert_eq!(thought, [Delta::Thinking("a </ b <c>".to_owned())]);
    let mut reader = CompletionReader::new(&think);
    drop(reader.push("[THINK]"));
    let ids: Vec<Delta> = reader.push_ids(&[0, 1], &Pieces(&["a", "b"])).collect();
    assert_eq!(ids, [Delta::Thinking("ab".to_owned())]);
    let unnamed = r#"[TOOL_CALLS][{"id": "x", "arguments": {"a": 1}}]</s>"#;
    let left: Vec<Delta> = CompletionReader::new(&Layout::V3).push(unnamed).collect();
    assert_eq!(left.iter().filter(|delta| matches!(delta, Delta::Rest(_))).count(), 1, "{left:?}");
}

#[test]
fn a_call_says_whether_it_is_complete() {
    for (output, expected) in [
        ("[TOOL_CALLS]f[ARGS]{}</s>", vec![true]),
        ("[TOOL_CALLS]f[ARGS]{\"a\": ", vec![false]),
        ("[TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g[ARGS]{]</s>", vec![true, false]),
    ] {
        let mut reader = CompletionReader::new(&Layout::V13);
        let mut deltas: Vec<Delta> = reader.push(output).collect();
        deltas.extend(reader.finish().deltas);
        let ends = deltas.iter().filter_map(|delta| match delta {
            Delta::ToolCallEnd(end) => Some(end.complete),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), expected, "{output}");
    }
}

#[test]
fn what_comes_at_once_is_read_as_what_comes_in_pieces() {
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(300));
    let lenient = || CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient);
    for (output, liberties) in [
        (
            format!("[TOOL_CALLS]f({long})</s>"),
            &[
                "tool_calls[0]: a call without [ARGS] (byte 13)",
                "tool_calls[0].arguments: arguments in parentheses (byte 13)",
            ][..],
        ),
        (
            format!("[TOOL_CALLS]f[ARGS]  <tool_call>{long}</tool_call></s>"),
            &["tool_calls[0].arguments: calls in <tool_call> tags (byte 21)"],
        ),
    ] {
        let mut pieces = lenient();
        let mut completion = Completion::default();
        for char in output.chars() {
            completion.extend(pieces.push(char.encode_utf8(&mut [0; 4])));
        }
        completion.finish(pieces.finish());
        let whole = lenient().read(&output);
        for read in [&whole, &completion] {
            let told: Vec<_> = read.liberties.iter().map(ToString::to_string).collect();
            assert_eq!(told, liberties, "{output}");
            assert_eq!(read.message.tool_calls.first().unwrap().arguments, long);
        }
    }
}

#[test]
fn a_run_of_sentencepiece_behind_another_token_keeps_its_space() {
    for (layout, texts, ids, expected) in [
        (Layout::V3, ["a", "b"], [" a", " b"], "a b"),
        (Layout::V3, ["a", " b"], [" a", "  b"], "a  b"),
        (Layout::V3_TEKKEN, ["a", "b"], ["a", "b"], "ab"),
        (Layout::V3_TEKKEN, ["a", " b"], ["a", " b"], "a b"),
    ] {
        let segments = [Segment::Text(texts[0]), Segment::Control(Control::Inst), Segment::Text(texts[1])];
        let of_segments = CompletionReader::new(&layout).read_segments(segments);
        let of_ids = CompletionReader::new(&layout).read_ids(&[0, INST, 1], &Pieces(&ids));
        for completion in [of_segments, of_ids] {
            assert_eq!(completion.message.content, expected.into(), "{}", layout.name);
        }
    }
    // The space that a run begins with is not part of it, but a byte of the output.
    let reader = CompletionReader::new(&Layout::V3).with_dummy_prefix(DummyPrefix::Present);
    let fault = reader.read("[TOOL_CALLS] [{]</s>").error.unwrap().to_string();
    assert!(fault.contains("byte 15"), "{fault}");
}

#[test]
fn an_answer_to_a_prompt_may_be_a_message_as_json() {
    let request = r#"{"messages": [{"role": "user", "content": "q"}], "tools": [{"function": {"name": "f"}}]}"#;
    let chat = Chat::from_json(request).unwrap();
    let answer = r#"{"role": "assistant", "tool_calls": [{"name": "f", "arguments": {}}]}"#;
    for reader in [CompletionReader::new(&Layout::V13), CompletionReader::new(&Layout::V3)] {
        let reader = reader.with_leniency(Leniency::Lenient).after_chat(&chat).unwrap();
        let completion = reader.read(answer);
        assert_eq!(completion.message.tool_calls.len(), 1, "{completion:?}");
        assert_eq!((completion.message.content.is_empty(), &*completion.rest), (true, ""));
    }
    // So may what follows thinking that was begun and closed.
    let thought =
        AssistantMessage { content: vec![Chunk::thinking("Hm.")].into(), prefix: true, ..AssistantMessage::default() };
    let thought = Chat { messages: vec![Message::user("q"), Message::Assistant(thought)], ..chat };
    let thinking = Layout::V13.with(Feature::Think);
    let reader = || CompletionReader::new(&thinking).with_leniency(Leniency::Lenient);
    let completion = reader().after_chat(&thought).unwrap().read(answer);
    assert_eq!(completion.message.tool_calls.len(), 1, "{completion:?}");
    assert_eq!((completion.message.content.is_empty(), &*completion.rest), (true, ""));
    // Of which tools there are, a prompt does not tell.
    let completion = reader().after(&thinking.render(&thought).unwrap()).read("f[ARGS]{}");
    assert_eq!(completion.message.tool_calls.len(), 1, "{completion:?}");
}

#[test]
fn a_reader_knows_its_fault_and_how_the_answer_ended() {
    let mut reader = CompletionReader::new(&Layout::V13);
    assert!(reader.error().is_none());
    drop(reader.push("[TOOL_CALLS]f[ARGS]{]"));
    let fault = reader.error().unwrap().to_string();
    assert!(fault.starts_with("tool_calls[0].arguments: not JSON at byte 20"), "{fault}");
    let mut reader = CompletionReader::new(&Layout::V3);
    drop(reader.push("[TOOL_CALLS][{\"name\": 7, "));
    assert!(reader.error().unwrap().at().starts_with("tool_calls"), "of an open list, too");

    let ended = |output: &str, cause| {
        let reader = CompletionReader::new(&Layout::V13).with_stop_cause(cause);
        let completion = reader.read(output);
        (completion.stop_cause, completion.finish_reason(), completion.message.prefix)
    };
    let call = "[TOOL_CALLS]f[ARGS]{}";
    assert_eq!(ended("a", StopCause::Limit), (StopCause::Limit, FinishReason::Length, true));
    assert_eq!(ended("a</s>", StopCause::Limit), (StopCause::EndToken, FinishReason::Stop, false));
    assert_eq!(ended("a", StopCause::EndToken), (StopCause::EndToken, FinishReason::Stop, false));
    assert_eq!(ended(call, StopCause::EndToken), (StopCause::EndToken, FinishReason::ToolCalls, false));
    assert_eq!(ended("a", StopCause::StopString).1, FinishReason::Stop);
    assert_eq!(ended(call, StopCause::StopString).1, FinishReason::ToolCalls);
    let names = [FinishReason::Stop, FinishReason::Length, FinishReason::ToolCalls].map(|reason| reason.to_string());
    assert_eq!(names, ["stop", "length", "tool_calls"]);
}

#[test]
fn ways_to_make_ids_are_told_apart() {
    assert_eq!(format!("{:?}", NewCallIds::seeded(7)), "NewCallIds::seeded(7)");
    assert_eq!(format!("{:?}", NewCallIds::from_fn(|_, _| String::new())), "NewCallIds::from_fn(…)");
}

const HEAD: ReplyHead<'_> =
    ReplyHead { id: "42", model: "m", created: 1_764_000_000, prompt_tokens: 5, completion_tokens: 7 };

fn completion(output: &str) -> Completion {
    let reader = CompletionReader::new(&Layout::V13.with(Feature::Think));
    reader.with_calls(CallDeltas::Streamed(NewCallIds::seeded(7))).read(output)
}

fn whole(output: &str, dialect: Dialect) -> Value {
    serde_json::to_value(completion(output).response(dialect, HEAD)).unwrap()
}

const TEXT: &str = "Hello!</s>";
const CALL: &str = "[TOOL_CALLS]f[ARGS]{\"a\": 1}</s>";
const CUT_OFF: &str = "[THINK]Hm.[/THINK]Hel";

#[test]
fn a_response_says_how_it_ended_in_the_words_of_its_api() {
    for (output, openai, anthropic, responses, gemini) in [
        (TEXT, "stop", "end_turn", "completed", "STOP"),
        (CALL, "tool_calls", "tool_use", "completed", "STOP"),
        (CUT_OFF, "length", "max_tokens", "incomplete", "MAX_TOKENS"),
        ("[TOOL_CALLS]f[ARGS]{\"a\": </s>", "tool_calls", "tool_use", "completed", "MALFORMED_FUNCTION_CALL"),
    ] {
        assert_eq!(whole(output, Dialect::OpenAi)["choices"][0]["finish_reason"], openai, "{output}");
        assert_eq!(whole(output, Dialect::Mistral)["choices"][0]["finish_reason"], openai, "{output}");
        assert_eq!(whole(output, Dialect::Anthropic)["stop_reason"], anthropic, "{output}");
        assert_eq!(whole(output, Dialect::Responses)["status"], responses, "{output}");
        assert_eq!(whole(output, Dialect::Gemini)["candidates"][0]["finishReason"], gemini, "{output}");
    }
}

#[test]
fn a_response_counts_its_tokens_and_has_its_id() {
    let (openai, responses) = (whole(TEXT, Dialect::OpenAi), whole(TEXT, Dialect::Responses));
    assert_eq!(openai["id"], "chatcmpl-42");
    assert_eq!(openai["usage"], json!({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}));
    assert_eq!(
        responses["usage"],
        json!({
            "input_tokens": 5, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12,
        })
    );
    let gemini = whole(TEXT, Dialect::Gemini);
    assert_eq!(
        gemini["usageMetadata"],
        json!({"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12})
    );
}

#[test]
fn items_of_a_response_say_whether_they_are_complete() {
    let items = |output: &str| {
        let response = whole(output, Dialect::Responses);
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let items = response["output"].as_array().unwrap().iter();
        items.map(|item| (text(item, "type"), text(item, "id"), text(item, "status"))).collect::<Vec<_>>()
    };
    let item = |kind: &str, id: &str, status: &str| (kind.to_owned(), id.to_owned(), status.to_owned());
    assert_eq!(items(TEXT), [item("message", "msg_42_0", "completed")]);
    assert_eq!(items(CALL), [item("function_call", "fc_42_0", "completed")]);
    let cut_off = [item("reasoning", "rs_42_0", "completed"), item("message", "msg_42_1", "incomplete")];
    assert_eq!(items(CUT_OFF), cut_off);
    assert_eq!(items("[THINK]Hm"), [item("reasoning", "rs_42_0", "incomplete")]);
    assert_eq!(items("[TOOL_CALLS]f[ARGS]{\"a\": "), [item("function_call", "fc_42_0", "incomplete")]);
}

#[test]
fn a_stream_begins_as_its_api_begins_it() {
    let begin = |dialect| {
        let mut events = ReplyEvents::new(dialect, HEAD);
        let kind = events.content_type();
        let data = |event: &ReplyEvent| serde_json::from_str::<Value>(&event.data).unwrap();
        (kind, events.begin().iter().map(data).collect::<Vec<_>>())
    };
    for dialect in [Dialect::OpenAi, Dialect::Mistral] {
        let (kind, events) = begin(dialect);
        assert_eq!(kind, "text/event-stream");
        let [first] = &events[..] else { panic!("{events:?}") };
        assert_eq!(first["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
        assert_eq!((&first["id"], &first["model"]), (&json!("chatcmpl-42"), &json!("m")));
    }
    let (kind, events) = begin(Dialect::Responses);
    assert_eq!(kind, "text/event-stream");
    let names: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["response.created", "response.in_progress"]);
    assert!(events.iter().all(|event| event["response"]["status"] == "in_progress"));
    assert_eq!(begin(Dialect::Ollama).0, "application/x-ndjson");

    // Mistral's API sends thinking as a chunk of the content, OpenAI-compatible ones beside it.
    let thinking = Delta::Thinking("Hm.".to_owned());
    let delta = |dialect| {
        let events = ReplyEvents::new(dialect, HEAD).push(&thinking);
        let chunk: Value = serde_json::from_str(&events.first().unwrap().data).unwrap();
        chunk["choices"][0]["delta"].clone()
    };
    assert_eq!(delta(Dialect::OpenAi), json!({"reasoning_content": "Hm."}));
    let chunk = &delta(Dialect::Mistral)["content"][0];
    assert_eq!((&chunk["type"], &chunk["thinking"][0]["text"]), (&json!("thinking"), &json!("Hm.")));
    let message = &whole("[THINK]Hm.[/THINK]Yes.</s>", Dialect::Mistral)["choices"][0]["message"];
    assert_eq!(message["content"][0]["type"], "thinking");
    assert_eq!(message["content"][1], json!({"type": "text", "text": "Yes."}));
}

#[test]
fn an_answer_that_was_begun_goes_on_where_it_stands() {
    let think = Layout::V13.with(Feature::Think);
    let deltas = |mut reader: CompletionReader, output: &str| {
        let mut all: Vec<Delta> = reader.push(output).collect();
        all.extend(reader.finish().deltas);
        all
    };
    let begun = [Segment::Control(Control::Think), Segment::Text("Hm")];
    let after = deltas(CompletionReader::new(&think).after_segments(&begun), "?[/THINK]Yes</s>");
    assert_eq!(after.first(), Some(&Delta::ThinkingStart), "{after:?}");
    assert_eq!(after.get(1), Some(&Delta::Thinking("?".to_owned())));
    let ended = [Segment::Control(Control::Think), Segment::Text("Hm"), Segment::Control(Control::EndThink)];
    let after = deltas(CompletionReader::new(&think).after_segments(&ended), "Yes</s>");
    assert_eq!(after, [Delta::Text("Yes".to_owned())]);

    // What the prompt ends with is neither said again nor part of a stop string.
    let reader = CompletionReader::new(&Layout::V13).with_stop_strings(["\nUser:"]);
    let after = deltas(reader.after_segments(&[Segment::Text("a\nUs")]), "er: b</s>");
    assert_eq!(after, [Delta::Text("er: b".to_owned())]);
    let lenient = CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient);
    let after = deltas(lenient.after_segments(&[Segment::Text("[{\"name\": \"f\"")]), ", \"arguments\": {}}]</s>");
    assert_eq!(after, [Delta::Text(", \"arguments\": {}}]".to_owned())]);
}

#[test]
fn a_response_that_was_cut_off_says_why() {
    assert_eq!(whole(CUT_OFF, Dialect::Responses)["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(whole(TEXT, Dialect::Responses)["incomplete_details"], Value::Null);
    for (reason, name) in [
        (FinishReason::Length, "response.incomplete"),
        (FinishReason::Stop, "response.completed"),
        (FinishReason::ToolCalls, "response.completed"),
    ] {
        let mut events = ReplyEvents::new(Dialect::Responses, HEAD);
        let last = events.finish(reason, HEAD).pop().unwrap();
        assert_eq!(last.name, Some(name));
    }
}

#[test]
fn what_follows_a_stop_string_stays_in_order() {
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]}"#;
    let tools = Chat::from_json(request).unwrap().tools;
    let output = r#"Hi STOP [{"name": "f", "arguments" and so on"#;
    for (cut, _) in output.char_indices() {
        let reader = CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient).with_tools(&tools);
        let mut reader = reader.with_stop_strings(["STOP"]);
        let mut completion = Completion::default();
        let (before, after) = output.split_at(cut);
        for piece in [before, after] {
            completion.extend(reader.push(piece));
        }
        completion.finish(reader.finish());
        assert_eq!(completion.rest, r#" [{"name": "f", "arguments" and so on"#, "{before:?} {after:?}");
    }
}

/// A name before `[ARGS]` is no call behind a stop string, whether it comes with the string or after it.
#[test]
fn no_bare_call_begins_behind_a_stop_string() {
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]}"#;
    let tools = Chat::from_json(request).unwrap().tools;
    let args = Segment::Control(Control::Args);
    for texts in [&["Hi STOP f"][..], &["Hi STOP ", "f"], &["Hi ", "STOP", " f"]] {
        let reader = CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient).with_tools(&tools);
        let texts = texts.iter().map(|text| Segment::Text(text));
        let completion = reader.with_stop_strings(["STOP"]).read_segments(texts.chain([args, Segment::Text("{}")]));
        assert_eq!((completion.message.content, completion.message.tool_calls.len()), ("Hi ".into(), 0));
        assert_eq!((&*completion.rest, completion.stop_cause), (" f{}", StopCause::StopString));
    }
}

#[test]
fn calls_are_sent_as_a_client_and_a_layout_need() {
    let is_whole = |dialect, layout: &Layout| {
        matches!(CallDeltas::for_client(dialect, layout, NewCallIds::none()), CallDeltas::Whole(_))
    };
    for dialect in Dialect::ALL {
        let takes_no_pieces = matches!(dialect, Dialect::Mistral | Dialect::Conversations);
        for layout in [Layout::V1, Layout::V2, Layout::V11, Layout::V13, Layout::V15] {
            assert_eq!(is_whole(dialect, &layout), takes_no_pieces, "{dialect:?} {}", layout.name);
        }
        for layout in [Layout::V3, Layout::V7, Layout::MAGNUM] {
            assert!(is_whole(dialect, &layout), "{dialect:?} {} writes ids last", layout.name);
        }
    }
}

#[test]
fn an_answer_has_the_ids_before_its_stop_string() {
    for (pieces, ids) in [
        (&["Hi", "!"][..], Some(2)),
        (&["Hi", "\nUser", ":"], Some(1)),
        (&["Hi\n", "User:"], None),
        (&["\nUser:"], Some(0)),
    ] {
        let sampled: Vec<u32> = (0..).take(pieces.len()).collect();
        let mut reader = CompletionReader::new(&Layout::V13).with_stop_strings(["\nUser:"]);
        drop(reader.push_ids(&sampled, &Pieces(pieces)));
        assert_eq!(reader.finish().answer_ids(&sampled).map(<[u32]>::len), ids, "{pieces:?}");
    }
}
