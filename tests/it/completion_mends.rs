//! What a lenient reader mends, at random: what is around a call does not change the call, every cut reads as the whole,
//! and what a strict reader accepts or says in words is not changed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use mistral_chat_template::completion::{Leniency, LibertyKind};
use mistral_chat_template::layout::ToolCalls;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Chunk, Completion, CompletionReader, Content, Layout, Tool, Version};
use proptest::prelude::*;

use crate::support::arbitrary;
use crate::support::completions::{Bytes, assert_every_cut_reads_as, assert_same};
use crate::support::reports::ids;

fn layouts() -> Vec<Layout> {
    let mut layouts: Vec<Layout> = Version::ALL.iter().map(|version| version.layout()).collect();
    layouts.push(Layout::V13.with(Feature::Think));
    layouts
}

fn any_layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(layouts())
}

/// Layouts that write calls.
fn calling_layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(layouts().into_iter().filter(|layout| layout.calls != ToolCalls::None).collect::<Vec<_>>())
}

/// Pieces of calls, of what models put around them, and of text that looks like both.
fn any_output() -> impl Strategy<Value = String> {
    let pieces = [
        "[TOOL_CALLS]",
        "[TOOL_CALLS]",
        "[ARGS]",
        "[CALL_ID]abc123def",
        "[CALL_ID]",
        "</s>",
        "[THINK]",
        "[/THINK]",
        "<think>",
        "</think>",
        "```",
        "```json\n",
        "\n```",
        "`",
        "(",
        ")",
        "({",
        "})",
        "{\"a\": 1",
        "{\"a\": [1, {\"b\": 2",
        "{\"a\": 1}",
        "{'a': None}",
        "{}",
        "()",
        "}",
        "]",
        "[",
        "{",
        "f",
        "get_tide",
        "get_",
        "g",
        " f",
        "f({\"a\": 1})",
        "get_tide{\"port\": \"Brest\"}",
        "[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]",
        "[{\"name\": \"g\", \"arguments\": {\"a\": 1}}]",
        "[{\"name\": \"f\", \"arguments\": {\"a\": 1",
        "{\"name\": \"f\", \"arguments\": {}}",
        "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}",
        "[{\"name\": \"f\", \"arguments\": \"{'a': 'b\\n\",}\"}]",
        "<tool_call>",
        "<tool_call>\n",
        "</tool_call>",
        "{\"tool_calls\": [{\"name\": \"f\", \"arguments\": {\"a\": 1}}",
        "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\", \"arguments\": {}}]}",
        "]}",
        "[{\"name\": \"f\", \"id\": 7, \"args\": {}}]",
        "[TOOL_RESULTS]",
        ";",
        "\"{'a': \\\"\\u00e9\\\", 'b': None,}\"",
        "\"",
        "'",
        ", ",
        ": ",
        "Let me see: ",
        "é日👍",
        "\n",
        " ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..14).prop_map(|pieces| pieces.concat())
}

fn tools() -> Vec<Tool<'static>> {
    let request = r#"{"messages": [], "tools": [
        {"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "get_tide"}}]}"#;
    Chat::from_json(request).unwrap().tools
}

fn lenient(layout: &Layout) -> CompletionReader {
    CompletionReader::new(layout).with_leniency(Leniency::Lenient).with_tools(&tools())
}

fn said(completion: &Completion) -> String {
    match &completion.message.content {
        Content::Text(text) => text.to_string(),
        Content::Chunks(chunks) => {
            let text = |chunk: &Chunk<'static>| match chunk {
                Chunk::Text(text) | Chunk::Thinking { text, .. } => text.to_string(),
                other => panic!("{other:?}"),
            };
            chunks.iter().map(text).collect()
        }
    }
}

/// Arguments as a model writes them, and so that Python's parser gives them back.
fn any_arguments() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("-2.5e3".to_owned()),
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[1, [], {\"b\": \"}\"}]".to_owned()),
        "\"[a-z )(`}{,é]{0,8}\"",
        Just(r#""```\n\"f({})\" \\""#.to_owned()),
    ];
    prop::collection::vec(("[a-z]{1,4}", value), 0..4).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{{}}}", members.join(", "))
    })
}

/// A call of `f` in one of the forms that models write, and the kinds of liberty that reading it takes.
fn call_forms(arguments: &str) -> Vec<(String, Vec<LibertyKind>)> {
    use LibertyKind::{
        ArgumentsText, CallTags, CallsWrapper, CodeFence, ExtraBracket, FunctionWrapper, MissingBracket, NoArgsToken,
        OneObject, Parameters, Parentheses,
    };
    let object = format!("{{\"name\": \"f\", \"arguments\": {arguments}}}");
    let text = serde_json::to_string(arguments).unwrap();
    let open = arguments.strip_suffix('}').unwrap();
    vec![
        (format!("f[ARGS]{arguments}"), vec![]),
        (format!("f[ARGS]```json\n{arguments}\n```"), vec![CodeFence]),
        (format!("f[ARGS]```{arguments}```"), vec![CodeFence]),
        (format!("f[ARGS]{text}"), vec![ArgumentsText]),
        (format!("f{arguments}"), vec![NoArgsToken]),
        (format!("f({arguments})"), vec![NoArgsToken, Parentheses]),
        (format!("f( {arguments} )"), vec![NoArgsToken, Parentheses]),
        (format!("f[ARGS]{open}"), vec![MissingBracket]),
        (format!("[{object}]"), vec![]),
        (object.clone(), vec![OneObject]),
        (format!("```json\n[{object}]\n```"), vec![CodeFence]),
        (format!("```\n{object}```"), vec![CodeFence, OneObject]),
        (format!("[{object}"), vec![MissingBracket]),
        (format!("[{object}}}]"), vec![ExtraBracket]),
        (format!("[{{\"name\": \"f\", \"parameters\": {arguments}}}]"), vec![Parameters]),
        (format!("[{{\"type\": \"function\", \"function\": {object}}}]"), vec![FunctionWrapper]),
        (format!("<tool_call>\n{object}\n</tool_call>"), vec![CallTags, OneObject]),
        (format!("{{\"tool_calls\": [{object}]}}"), vec![OneObject, CallsWrapper]),
    ]
}

proptest! {
    #![proptest_config(arbitrary::cases(512))]

    #[test]
    fn every_cut_reads_as_the_whole(output in any_output(), layout in any_layout()) {
        let whole = lenient(&layout).read(&output);
        assert_every_cut_reads_as(&whole, &output, || lenient(&layout));
    }

    #[test]
    fn every_cut_of_ids_reads_as_the_whole(output in any_output(), layout in any_layout(), size in 1..9_usize) {
        let ids = ids(&output);
        let whole = lenient(&layout).read_ids(&ids, &Bytes);
        let mut reader = lenient(&layout);
        let mut completion = Completion::default();
        for ids in ids.chunks(size) {
            completion.extend(reader.push_ids(ids, &Bytes));
        }
        completion.finish(reader.finish());
        assert_same(&completion, &whole);
    }

    /// What a strict reader accepts a lenient one reads so, too; other than strictly it reads only what stands in the
    /// text, and each time it says so.
    #[test]
    fn what_is_accepted_is_read_so(output in any_output(), layout in any_layout()) {
        let (strict, lenient) = (Completion::from_text(&output, &layout), lenient(&layout).read(&output));
        if strict.error.is_none() && lenient.liberties.is_empty() {
            assert_same(&lenient, &strict);
        }
        // A call whose name no function has, such as `{"a": 1`, looks like a list of calls to a lenient reader.
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let has_names = strict.message.tool_calls.iter().all(|call| call.name.bytes().all(is_name_byte));
        if strict.error.is_none() && has_names {
            let strict_calls = strict.message.tool_calls.len();
            prop_assert!(lenient.message.tool_calls.len() >= strict_calls, "{:?} {:?}", strict, lenient);
            let added = lenient.message.tool_calls.len() - strict_calls;
            let told = lenient.liberties.iter()
                .filter(|liberty| matches!(liberty.kind, LibertyKind::BareCall | LibertyKind::FurtherList)).count();
            prop_assert!(added == 0 || told > 0, "{:?} {:?}", strict, lenient);
        }
    }

    /// Text that names no tool is said, whatever it looks like.
    #[test]
    fn what_is_said_stays_said(pieces in prop::collection::vec(prop::sample::select(vec![
        "```", "```json\n", "<tool_call>", "</tool_call>", "<", "{\"tool_calls\": [", "{\"role\": \"assistant\", ", "(", ")", "({", "})", "{\"a\": 1", "{\"a\": 1}", "{'a': None}", "{}", "}", "]", "[", "{",
        "g", "F", "get_", "tide", "ff", "[{\"name\": \"g\", \"arguments\": {\"a\": 1}}]", "\"name\": ", "\"", "'", ", ",
        "[TOOL_CALLS]", "[ARGS]", "</s>", "[/THINK]", "Let me see: ", "é日👍", "\n", " ",
    ]), 0..16), layout in any_layout(), size in 1..5_usize) {
        let output = pieces.concat();
        prop_assume!(!output.contains("get_tide"));
        let (mut reader, mut completion) = (lenient(&layout), Completion::default());
        let chars: Vec<char> = output.chars().collect();
        for piece in chars.chunks(size) {
            completion.extend(reader.push_text(&String::from_iter(piece)));
        }
        completion.finish(reader.finish());
        prop_assert!(completion.message.tool_calls.is_empty(), "{:?}", completion);
        prop_assert!(completion.liberties.is_empty() && completion.error.is_none(), "{:?}", completion);
        prop_assert_eq!(said(&completion), output);
    }

    /// What is around a call does not change it, wherever it stands.
    #[test]
    fn what_is_around_a_call_does_not_change_it(
        arguments in any_arguments(), layout in calling_layout(), form in 0..18_usize, before in "[a-z]{0,6}[.: ]{0,3}",
    ) {
        let (call, kinds) = call_forms(&arguments).swap_remove(form);
        for text in ["", &*before] {
            let output = format!("{text}[TOOL_CALLS]{call}</s>");
            let completion = lenient(&layout).read(&output);
            prop_assert!(completion.error.is_none() && completion.rest.is_empty(), "{}: {:?}", output, completion);
            let [read] = &completion.message.tool_calls[..] else { panic!("{output}: {completion:?}") };
            prop_assert_eq!((&*read.name, &*read.arguments), ("f", &*arguments));
            prop_assert_eq!(said(&completion), text);
            let mut told: Vec<_> = completion.liberties.iter().map(|liberty| liberty.kind).collect();
            let strict = Completion::from_text(&output, &layout);
            let is_right = strict.error.is_none() && strict.rest.is_empty();
            prop_assert!(!is_right || told.is_empty() || told == [LibertyKind::ArgumentsText], "{}: {:?}", output, told);
            told.retain(|kind| *kind != LibertyKind::OtherForm);
            prop_assert_eq!(told, kinds.clone(), "{}", output);
        }
    }
}
