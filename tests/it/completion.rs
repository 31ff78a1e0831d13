//! Outputs against what mistral-common 1.13.1 reads in them: `tests/goldens/completion`; and what is wrong with an
//! output, in words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use std::fs;
use std::path::Path;

use crate::completion_line;
use crate::support::completions::{Bytes, assert_every_cut_reads_as, assert_same, read_in_pieces};
use crate::support::reports::{ids, reports};
use mistral_chat_template::completion::Leniency;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Completion, CompletionReader, Control, Error, Layout, Version};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    id: String,
    version: String,
    output: completion_line::Output,
    message: Option<Value>,
    refused: Option<String>,
}

fn goldens(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/completion").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn read(output: &completion_line::Output, layout: &Layout) -> Result<Value, Error> {
    let answer = completion_line::read(output, layout, &completion_line::Wishes::default());
    answer.error.map_or_else(|| Ok(serde_json::to_value(answer.message).unwrap()), Err)
}

fn assert_reads(file: &str, least: usize) {
    let cases = goldens(file);
    assert!(cases.len() >= least, "{} cases", cases.len());
    let mut agreed = 0;
    for case in cases {
        let layout: Layout = case.version.parse().unwrap();
        let wishes = completion_line::Wishes { leniency: Leniency::Lenient, ..Default::default() };
        let lenient = serde_json::to_value(completion_line::read(&case.output, &layout, &wishes)).unwrap();
        if let (Some(expected), Some([])) = (&case.message, lenient["liberties"].as_array().map(Vec::as_slice)) {
            let mut message = lenient["message"].clone();
            message.as_object_mut().unwrap().remove("role");
            assert_eq!(&message, expected, "{}: no liberty is told", case.id);
            agreed += 1;
        }
        match (read(&case.output, &layout), case.message, case.refused) {
            (Ok(message), Some(mut expected), None) => {
                expected["role"] = json!("assistant");
                assert_eq!(message, expected, "{}", case.id);
            }
            (Err(error), None, Some(family)) => assert_eq!(error.family().as_str(), family, "{}: {error}", case.id),
            (answer, _, _) => panic!("{}: {answer:?}", case.id),
        }
    }
    assert!(agreed * 3 > least, "a lenient reader reads {agreed} alike");
}

#[test]
fn every_golden() {
    assert_reads("outputs.jsonl", 100);
}

#[test]
fn every_random_golden() {
    assert_reads("random.jsonl", 250);
}

/// Outputs shaped like public bug reports: what a strict and what a lenient reader says of each, all of it.
#[test]
fn every_report() {
    for report in reports() {
        let layout: Layout = report.version.parse().unwrap();
        let tools = report.tools();
        let output = completion_line::Output::Text(report.completion);
        for (leniency, expected) in [(Leniency::Strict, &report.strict), (Leniency::Lenient, &report.lenient)] {
            let wishes = completion_line::Wishes { leniency, tools: &tools, ..Default::default() };
            let answer = completion_line::read(&output, &layout, &wishes);
            let mut value = serde_json::to_value(&answer).unwrap();
            value["message"].as_object_mut().unwrap().remove("role");
            if let Some(error) = &answer.error {
                value["error"] = json!(error.to_string());
            }
            for liberty in value.get_mut("liberties").and_then(Value::as_array_mut).into_iter().flatten() {
                *liberty = liberty["what"].take();
            }
            assert_eq!(&value, expected, "{} {leniency:?}", report.id);
        }
    }
}

/// In every layout, and however it is cut, a report reads as the whole of it: as text, and as ids.
#[test]
fn every_report_is_read_in_pieces() {
    let think = Layout::V13.with(Feature::Think);
    let layouts: Vec<Layout> = Version::ALL.iter().map(|version| version.layout()).chain([think]).collect();
    for report in reports() {
        let (own, tools): (Layout, _) = (report.version.parse().unwrap(), report.tools());
        for layout in layouts.iter().chain([&own]) {
            for leniency in [Leniency::Strict, Leniency::Lenient] {
                let reader = || CompletionReader::new(layout).with_leniency(leniency).with_tools(&tools);
                let whole = reader().read(&report.completion);
                let chars: Vec<String> = report.completion.chars().map(String::from).collect();
                assert_same(&read_in_pieces(chars.iter().map(String::as_str), reader()), &whole);
                let sampled = ids(&report.completion);
                let (whole_ids, mut pieces, mut one_by_one) =
                    (reader().read_ids(&sampled, &Bytes), reader(), Completion::default());
                for id in sampled {
                    one_by_one.extend(pieces.push_id(id, &Bytes));
                }
                one_by_one.finish(pieces.finish());
                assert_same(&one_by_one, &whole_ids);
                if *layout == own {
                    assert_every_cut_reads_as(&whole, &report.completion, reader);
                }
            }
        }
    }
}

#[test]
fn a_string_says_what_its_segments_say() {
    let mut same = 0;
    for case in goldens("outputs.jsonl").into_iter().chain(goldens("random.jsonl")) {
        let completion_line::Output::Segments(pieces) = &case.output else { panic!("{}", case.id) };
        let spells = |text: &str| Control::all().any(|control| text.contains(control.as_str()));
        let text = |piece: &completion_line::Piece| match piece {
            completion_line::Piece::Control(text) => Some(text.clone()),
            completion_line::Piece::Text(text) => (!spells(text)).then(|| text.clone()),
        };
        let Some(string) = pieces.iter().map(text).collect::<Option<String>>() else { continue };
        let layout: Layout = case.version.parse().unwrap();
        let answer = |output| completion_line::read(output, &layout, &completion_line::Wishes::default());
        if !answer(&case.output).stray.is_empty()
            || !answer(&completion_line::Output::Text(string.clone())).stray.is_empty()
        {
            continue; // A string is text where the token has no place.
        }
        same += 1;
        let answer = |output| read(output, &layout).map_err(|error| error.to_string());
        assert_eq!(answer(&completion_line::Output::Text(string)), answer(&case.output), "{}", case.id);
    }
    assert!(same > 150, "{same} outputs");
}

#[test]
fn errors_read_as_sentences() {
    for (version, output, sentence) in [
        ("v13+think", "[THINK]a[THINK]b", "content: [THINK] at byte 8 is inside thinking that has not ended (v13)"),
        ("v13+think", "a[/THINK]</s>", "content: [/THINK] at byte 1 has no [THINK] before it (v13)"),
        ("v13", "[TOOL_CALLS]f</s>", "tool_calls[0]: the call at byte 0 has no [ARGS] (v13)"),
        (
            "v13",
            "[TOOL_CALLS]f[ARGS]{\"a\": 1,}</s>",
            "tool_calls[0].arguments: not JSON at byte 27: expected a key in double quotes (v13)",
        ),
        (
            "v13",
            "[TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g[ARGS]{",
            "tool_calls[1].arguments: not JSON at byte 41: the text ends too early (v13)",
        ),
        ("v15", "[TOOL_CALLS]f[ARGS][1]", "tool_calls[0].arguments: the arguments at byte 19 are not an object (v15)"),
        ("v13", "[TOOL_CALLS]f[ARGS]{}[ARGS]", "tool_calls[0]: the [ARGS] at byte 21 is the second of its call (v13)"),
        (
            "v11",
            "[TOOL_CALLS]f[CALL_ID]a[CALL_ID]b[ARGS]{}",
            "tool_calls[0]: the [CALL_ID] at byte 23 is the second of its call (v11)",
        ),
        (
            "v11",
            "[TOOL_CALLS]f[ARGS]{}[CALL_ID]a",
            "tool_calls[0]: the [CALL_ID] at byte 21 comes after the arguments (v11)",
        ),
        ("v3", "[TOOL_CALLS][{\"name\": \"f\", ", "tool_calls: not JSON at byte 27: the text ends too early (v3)"),
        ("v7", "[TOOL_CALLS]{}</s>", "tool_calls: the JSON at byte 12 is not a list of calls (v7)"),
        ("v7", "[TOOL_CALLS][7]</s>", "tool_calls[0]: the entry at byte 13 is not an object with a name (v7)"),
        (
            "v2",
            "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": \"x\"}]",
            "tool_calls[0].arguments: the arguments at byte 40 are not an object (v2)",
        ),
        ("v3", "[TOOL_CALLS][{\"name\": \"f\"}]", "tool_calls[0]: the call at byte 13 has no arguments (v3)"),
        (
            "v3",
            "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}, \"id\": 7}]",
            "tool_calls[0].id: the `id` at byte 50 is not a string (v3)",
        ),
        (
            "v3",
            "[TOOL_CALLS][{\"name\": \"f\", \"name\": \"g\", \"arguments\": {}}]",
            "tool_calls[0].name: the `name` that ends at byte 32 is the second of its call (v3)",
        ),
    ] {
        let completion = Completion::from_text(output, &version.parse().unwrap());
        assert_eq!(completion.into_result().unwrap_err().to_string(), sentence);
    }
    let deep = format!("[TOOL_CALLS]f[ARGS]{}", "[".repeat(100_000));
    let error = Completion::from_text(&deep, &Layout::V13).into_result().unwrap_err();
    assert_eq!(
        error.to_string(),
        "tool_calls[0].arguments: the JSON nests more than 1024 levels deep at byte 1043 (v13)"
    );
}

#[test]
fn what_is_right_stays() {
    let read = |layout: &Layout, output: &str| Completion::from_text(output, layout).message;
    let message = read(&Layout::V13, "Well.[TOOL_CALLS]f[ARGS]{\"a\": [1, [TOOL_CALLS]g[ARGS]{}</s>");
    assert_eq!(message.content, "Well.".into());
    assert_eq!(message.tool_calls.len(), 2);
    assert_eq!(message.tool_calls[0].arguments, "{\"a\": [1, ", "as far as it goes");
    assert_eq!((&*message.tool_calls[1].name, &*message.tool_calls[1].arguments), ("g", "{}"));

    let message = read(&Layout::V3, "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": \"Par");
    assert_eq!(message.tool_calls[0].name, "f");
    assert_eq!(message.tool_calls[0].arguments, "{\"a\": \"Par");

    let message = read(&Layout::V13, "[TOOL_CALLS]get_wea");
    assert!(message.tool_calls.is_empty(), "half a name calls nothing");

    let message = read(&Layout::V13, "[TOOL_CALLS]f[ARGS]city=Paris</s>");
    assert_eq!(message.tool_calls[0].arguments, "city=Paris", "the caller may still parse it");
}

/// What a lenient reader mends: the output, what it says, its calls, and the liberties, however it is cut.
#[test]
fn what_is_mended() {
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}"#;
    let tools = Chat::from_json(request).unwrap().tools;
    let a = ("f", r#"{"a": 1}"#);
    let list = r#"[{"name": "f", "arguments": {"a": 1}}]"#;
    for (version, output, said, calls, kinds) in [
        ("v13", "[TOOL_CALLS]f[ARGS]```json\n{\"a\": 1}\n```</s>", "", vec![a], vec!["code_fence"]),
        (
            "v13",
            "[TOOL_CALLS]f[ARGS]```{\"a\": 1}```\nDone.</s>",
            "\nDone.",
            vec![a],
            vec!["code_fence", "text_after_call"],
        ),
        ("v7", &format!("[TOOL_CALLS]```json\n{list}\n```</s>"), "", vec![a], vec!["code_fence"]),
        ("v13", "[TOOL_CALLS]f({\"a\": 1})</s>", "", vec![a], vec!["no_args_token", "parentheses"]),
        ("v13", "[TOOL_CALLS]f()</s>", "", vec![("f", "{}")], vec!["no_args_token", "parentheses", "no_arguments"]),
        (
            "v13",
            "[TOOL_CALLS]f[ARGS]{\"a\": [1, {\"b\": 2</s>",
            "",
            vec![("f", "{\"a\": [1, {\"b\": 2}]}")],
            vec!["missing_bracket"],
        ),
        ("v7", "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}</s>", "", vec![a], vec!["missing_bracket"]),
        ("v7", &format!("[TOOL_CALLS]{list}\n{list}</s>"), "", vec![a, a], vec!["further_list"]),
        (
            "v13",
            "Let me see.f{\"a\": 1}f{\"a\": 1}",
            "Let me see.",
            vec![a, a],
            vec!["bare_call", "no_args_token", "bare_call", "no_args_token"],
        ),
        ("v13", "Let me see: f[ARGS]{\"a\": 1}</s>", "Let me see: ", vec![a], vec!["bare_call"]),
        (
            "v7",
            &format!("See [1] and {{x}}: {list} Done.</s>"),
            "See [1] and {x}:  Done.",
            vec![a],
            vec!["bare_call", "text_after_call"],
        ),
        (
            "v13",
            "Call `f{\"a\": 1}`, if {a} of [f], of f(x) { }.</s>",
            "Call `f{\"a\": 1}`, if {a} of [f], of f(x) { }.",
            vec![],
            vec![],
        ),
    ] {
        let layout: Layout = version.parse().unwrap();
        for size in [1, 2, 3, 5, 1000] {
            let mut reader = CompletionReader::new(&layout).with_leniency(Leniency::Lenient).with_tools(&tools);
            let mut completion = Completion::default();
            for piece in output.as_bytes().chunks(size) {
                completion.extend(reader.push(std::str::from_utf8(piece).unwrap()));
            }
            completion.finish(reader.finish());
            let told: Vec<_> = completion.liberties.iter().map(|liberty| liberty.kind.name()).collect();
            assert_eq!(told, kinds, "{output}");
            assert!(completion.error.is_none() && completion.rest.is_empty(), "{output}: {completion:?}");
            assert_eq!(completion.message.content, said.into(), "{output}");
            let read: Vec<_> =
                completion.message.tool_calls.iter().map(|call| (&*call.name, &*call.arguments)).collect();
            assert_eq!(read, calls, "{output}");
        }
        if !kinds.is_empty() && !matches!(kinds[0], "bare_call") {
            assert!(Completion::from_text(output, &layout).error.is_some(), "{output}");
        }
    }
    // One that was cut off is not mended, and many calls in one piece take no deep stack.
    let lenient = || CompletionReader::new(&Layout::V13).with_leniency(Leniency::Lenient).with_tools(&tools);
    assert!(lenient().read("[TOOL_CALLS]f[ARGS]{\"a\": [1").error.is_some());
    assert_eq!(lenient().read(&"f{}".repeat(20_000)).message.tool_calls.len(), 20_000);
    assert_eq!(lenient().read(&format!("So.{}", " f({})".repeat(20_000))).message.tool_calls.len(), 20_000);
    // What may begin a call and does not is read once.
    for text in [
        "{\"type\": ",
        "[{",
        "f ",
        "f(",
        "{\"name\": \"f",
        "{\"name\": \"f\", \"id\": ",
        "{\"role\": \"f\", \"content\": ",
        "{\"tool_calls\": [",
        "```",
        "```json\n",
        "```json\n{\"type\": ",
        "<tool_call>",
        "<tool_call>\n[",
    ] {
        let text = format!("So {}", text.repeat(10_000));
        assert_eq!(lenient().read(&text).message.content, text.into());
    }
}

/// Long outputs are read in time and memory that grow with them, whole and by characters.
#[test]
fn long_outputs() {
    let list = vec![r#"{"name": "f", "arguments": {}, "id": "abc123def"}"#; 25_000].join(", ");
    let escapes = r"x\n<s> \d ".repeat(25_000);
    for (layout, output, calls) in [
        (Layout::V7, format!("[TOOL_CALLS][{list}]</s>"), 25_000),
        (Layout::V13, "[TOOL_CALLS]f[ARGS]{}".repeat(25_000), 25_000),
        (Layout::V13, format!("[TOOL_CALLS]f[ARGS]{{\"a\": \"{escapes}\"}}</s>"), 1),
        (Layout::V13, format!("[TOOL_CALLS]{}", " ".repeat(250_000)), 0),
        (Layout::V13, format!("[TOOL_CALLS]x y{}", "[{".repeat(125_000)), 0),
        (Layout::V7, format!("[TOOL_CALLS][{{\"x\": \"{}", "<".repeat(250_000)), 0),
    ] {
        for leniency in [Leniency::Strict, Leniency::Lenient] {
            let completion = CompletionReader::new(&layout).with_leniency(leniency).read(&output);
            assert_eq!(completion.message.tool_calls.len(), calls, "{} {leniency:?}", &output[..40]);
        }
    }
}
