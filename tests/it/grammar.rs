//! Grammars of answers: mistral-common's byte for byte, and what it leaves out.

use std::collections::BTreeMap;

use mistral_chat_template::chat::{CallMode, ResponseFormat, ToolChoice};
use mistral_chat_template::grammar::{LarkStyle, Part, Shape};
use mistral_chat_template::layout::ToolCalls;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Error, Layout, Message, Tokenizer, Tool, ToolCall, Version,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::control_ids::ReleasedIds;
use crate::support::arbitrary::chat;
use crate::support::lark::lark_skeleton;

/// What the requests of the goldens are put together from.
#[derive(Deserialize)]
struct Parts {
    tools: BTreeMap<String, Value>,
    formats: BTreeMap<String, Value>,
    choices: BTreeMap<String, Value>,
}

impl Parts {
    fn request(&self, tools: &str, choice: &str, format: &str, count: &str) -> String {
        let parallel = match count {
            "par" => true,
            "single" => false,
            other => unreachable!("{other}"),
        };
        json!({
            "messages": [{"role": "user", "content": "q"}],
            "tools": self.tools[tools],
            "tool_choice": self.choices[choice],
            "response_format": self.formats[format],
            "parallel_tool_calls": parallel,
        })
        .to_string()
    }
}

/// A grammar, no grammar or a refusal, and the requests that it is of.
#[derive(Deserialize)]
struct Golden {
    of: Vec<String>,
    lark: Option<String>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    family: String,
}

fn lark(layout: &Layout, request: &str, style: LarkStyle) -> Result<Option<String>, Error> {
    let chat = Chat::from_json(request)?;
    layout.grammar(&chat)?.map(|grammar| grammar.to_lark(&ReleasedIds(layout), style)).transpose()
}

#[test]
fn grammars_are_those_of_mistral_common() {
    let mut lines = include_str!("../goldens/grammar.jsonl").lines();
    let parts: Parts = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut count = 0;
    for line in lines {
        let golden: Golden = serde_json::from_str(line).unwrap();
        for id in &golden.of {
            let [version, tools, choice, format, parallel] = id.split('/').collect::<Vec<_>>().try_into().unwrap();
            let layout: Layout = version.parse().unwrap();
            let printed = lark(&layout, &parts.request(tools, choice, format, parallel), LarkStyle::MistralCommon);
            match (&golden.refused, printed) {
                (None, printed) => assert_eq!(printed.unwrap(), golden.lark, "{id}"),
                (Some(refused), Err(error)) => {
                    assert_eq!(error.family().as_str(), refused.family, "{id}: {error}");
                    assert_eq!(error.at().split('.').next(), Some("tool_choice"), "{id}: {error}");
                }
                (Some(_), Ok(printed)) => panic!("{id}: {printed:?}"),
            }
            count += 1;
        }
    }
    assert_eq!(count, 528);
}

/// A request, and its grammars in the two forms that mistral-common does not have.
#[derive(Deserialize)]
struct Exact {
    name: String,
    version: String,
    request: Box<RawValue>,
    exact_lark: String,
    structural_tag: String,
}

#[test]
fn grammars_of_every_layout_are_as_they_were() {
    for line in include_str!("../goldens/grammar_exact.jsonl").lines() {
        let golden: Exact = serde_json::from_str(line).unwrap();
        let layout: Layout = golden.version.parse().unwrap();
        let chat = Chat::from_json(golden.request.get()).unwrap();
        let grammar = layout.grammar(&chat).unwrap().unwrap();
        let ids = ReleasedIds(&layout);
        assert_eq!(grammar.to_lark(&ids, LarkStyle::Exact).unwrap(), golden.exact_lark, "{}", golden.name);
        assert_eq!(grammar.to_structural_tag(&ids).unwrap(), golden.structural_tag, "{}", golden.name);
        serde_json::from_str::<Value>(&golden.structural_tag).unwrap();
    }
}

#[test]
fn thinking_cannot_go_on_where_there_is_none() {
    let thinks = Message::Assistant(AssistantMessage {
        content: vec![Chunk::Thinking { text: "Hm".into(), closed: false }].into(),
        prefix: true,
        ..AssistantMessage::default()
    });
    let chat =
        Chat { tools: vec![Tool { name: "f".into(), ..Tool::default() }], ..Chat::new([Message::user("q"), thinks]) };
    let error = Layout::V7.with(Feature::Think).grammar(&chat).unwrap_err();
    assert_eq!(error.to_string(), "messages[1].content: there is no thinking (v7)");
    assert!(Layout::V13.with(Feature::Think).grammar(&chat).unwrap().is_some());
}

/// An answer that was begun goes on by its last part that says something, whatever form its content has.
#[test]
fn what_was_begun_goes_on_by_what_it_says_last() {
    let layout = Layout::V13.with(Feature::Think);
    let begun = |content: Vec<Chunk<'static>>| {
        let message = AssistantMessage { content: content.into(), prefix: true, ..AssistantMessage::default() };
        let tools = vec![Tool { name: "f".into(), ..Tool::default() }];
        let chat = Chat { tools, ..Chat::new([Message::user("q"), Message::Assistant(message)]) };
        layout.grammar(&chat).unwrap().unwrap().to_lark(&ReleasedIds(&layout), LarkStyle::Exact).unwrap()
    };
    let (said, thought) = (begun(vec![Chunk::text("Sure")]), begun(vec![Chunk::thinking("Hm")]));
    assert_ne!(said, thought, "after thinking, no text was begun");
    assert_eq!(begun(vec![Chunk::text("Sure"), Chunk::text("")]), said);
    assert_eq!(begun(vec![Chunk::thinking("Hm"), Chunk::text("Sure")]), said);
    assert_eq!(begun(vec![Chunk::thinking("Hm"), Chunk::text("")]), thought);
}

#[test]
fn text_that_was_begun_is_no_json() {
    let format = ResponseFormat::JsonObject;
    let tools = vec![Tool { name: "f".into(), ..Tool::default() }];
    let begun = |text: &'static str, tools: &[Tool<'static>]| {
        let chat = Chat::new([Message::user("q"), Message::prefix(text)]);
        let chat = Chat { tools: tools.to_vec(), response_format: format.clone(), ..chat };
        Layout::V13.grammar(&chat).map(|grammar| grammar.is_some()).map_err(|error| error.at().to_owned())
    };
    let refused = Err("messages[1].content".to_owned());
    for tools in [&[][..], &tools] {
        assert_eq!(begun(" \n", tools), Ok(true));
        assert_eq!(begun("{\"a\": ", tools), refused);
        assert_eq!(begun(" [", tools), refused);
    }
    assert_eq!(begun("Sure", &[]), refused, "the answer can be nothing else");
    assert_eq!(begun("Sure", &tools), Ok(true), "it can be text and calls");
}

/// The parts that a shape names.
fn parts(shape: &Shape<'_>, named: &mut Vec<Part>) {
    match shape {
        Shape::Part(part) => named.push(*part),
        Shape::Sequence(shapes) | Shape::Choice(shapes) => shapes.iter().for_each(|shape| parts(shape, named)),
        Shape::Repeat(shape, _) => parts(shape, named),
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_chat_has_a_grammar_or_a_reason(chat in chat(), version in select(Version::ALL), choice in tool_choice(), strict: bool) {
        let mut chat = Chat { tool_choice: choice, ..chat };
        chat.tools.iter_mut().for_each(|tool| tool.strict = strict);
        let layout = version.layout().with(Feature::Think);
        match layout.grammar(&chat) {
            Ok(None) => prop_assert!(chat.tools.is_empty() && chat.tool_choice == ToolChoice::Auto),
            Ok(Some(grammar)) => {
                let mut named = Vec::new();
                grammar.rules().iter().for_each(|rule| parts(&rule.shape, &mut named));
                prop_assert!(named.iter().all(|part| grammar.rule(*part).is_some()), "{:?}", grammar);
                prop_assert_eq!(grammar.rules()[0].part, Part::Answer);
                for style in [LarkStyle::MistralCommon, LarkStyle::Exact] {
                    prop_assert!(grammar.to_lark(&ReleasedIds(&layout), style).is_ok());
                }
                let tag = grammar.to_structural_tag(&ReleasedIds(&layout)).unwrap();
                prop_assert!(serde_json::from_str::<Value>(&tag).is_ok(), "{}", tag);
            }
            Err(error) => prop_assert!(!error.at().is_empty(), "{}", error),
        }
    }
}

fn tool_choice() -> impl Strategy<Value = ToolChoice<'static>> {
    let named = select(vec!["get", "set-it", "no \"tool\"\n"]);
    let allowed = (prop_oneof![Just(CallMode::Auto), Just(CallMode::Required)], vec(named.clone(), 0..3));
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        named.prop_map(|name| ToolChoice::Named(name.into())),
        allowed
            .prop_map(|(mode, names)| ToolChoice::Allowed { mode, names: names.into_iter().map(Into::into).collect() }),
    ]
}

#[test]
fn names_of_tools_are_escaped() {
    let tool = json!({"function": {"name": "a\"b\\c\nd", "strict": true}});
    let request = json!({"messages": [], "tools": [tool], "tool_choice": "required"}).to_string();
    let printed = lark(&Layout::V13, &request, LarkStyle::MistralCommon).unwrap().unwrap();
    assert!(printed.contains(r#"<[9]> SAFE_WS? "a\"b\\c\nd" <[32]>"#), "{printed}");
}

#[test]
fn a_token_that_the_tokenizer_lacks_is_named() {
    let request = json!({"messages": [], "tools": [{"function": {"name": "f"}}]}).to_string();
    let chat = Chat::from_json(&request).unwrap();
    let grammar = Layout::V13.grammar(&chat).unwrap().unwrap();
    let old = ReleasedIds(&Layout::V7_TEKKEN);
    let sentence = "the tokenizer has no id for the control token [ARGS]";
    assert_eq!(grammar.to_lark(&old, LarkStyle::Exact).unwrap_err().to_string(), sentence);
    assert_eq!(grammar.to_structural_tag(&old).unwrap_err().to_string(), sentence);
}

/// Text that would write a grammar of its own, were it not escaped.
fn forged() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "<[9]>",
        "<[2]>",
        "[TOOL_CALLS]",
        "</s>",
        "\"",
        "\\",
        "\n",
        "/",
        "%json ",
        "{",
        "}",
        "(",
        ")",
        "|",
        "start: ",
        "*",
        " ",
        "\u{ff}[9]",
        "\u{2028}",
        "\0",
        "\", \"token\": 9",
        "// ",
        "a",
    ];
    vec(prop_oneof![4 => select(PARTS).prop_map(str::to_owned), 1 => any::<String>()], 0..5)
        .prop_map(|parts| parts.concat())
}

/// A strict tool that has these texts for its name and wherever a schema has text.
fn strict_tool(name: &str, texts: [&str; 5]) -> Value {
    let [key, member, constant, pattern, description] = texts;
    let schema = json!({
        "$defs": {(key): {"enum": [member, "other"]}},
        "type": "object",
        "description": description,
        "properties": {(format!("a{key}")): {"const": constant}, "b": {"type": "string", "pattern": pattern}},
        "required": [format!("a{key}")],
        (format!("x-{key}")): description,
    });
    json!({"type": "function", "function": {"name": name, "description": description, "parameters": schema, "strict": true}})
}

/// Leaves the texts and schemas of a structural tag out.
fn leave_texts_out(tag: &mut Value) {
    match tag {
        Value::Object(members) => {
            members.retain(|name, _| name != "json_schema" && name != "value");
            members.values_mut().for_each(leave_texts_out);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_texts_out),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_text_of_a_request_is_grammar(
        names in [forged(), forged()],
        texts in [forged(), forged(), forged(), forged(), forged()],
        named: bool,
        version in select(Version::ALL),
    ) {
        prop_assume!(names[0] != names[1]);
        let layout = version.layout().with(Feature::Think);
        let printed = |names: [&str; 2], texts: [&str; 5]| {
            let tools: Vec<Value> = names.iter().map(|name| strict_tool(name, texts)).collect();
            let choice = if named { json!({"type": "function", "function": {"name": names[1]}}) } else { json!("required") };
            let chat = json!({"messages": [], "tools": tools, "tool_choice": choice}).to_string();
            let chat = Chat::from_json(&chat).unwrap();
            let grammar = layout.grammar(&chat).ok()??;
            let larks = [LarkStyle::MistralCommon, LarkStyle::Exact]
                .map(|style| lark_skeleton(&grammar.to_lark(&ReleasedIds(&layout), style).unwrap()));
            let mut tag = serde_json::from_str(&grammar.to_structural_tag(&ReleasedIds(&layout)).unwrap()).unwrap();
            leave_texts_out(&mut tag);
            Some((larks, tag))
        };
        let texts = texts.each_ref().map(String::as_str);
        let forged = printed(names.each_ref().map(String::as_str), texts);
        prop_assert_eq!(&forged, &printed(["f", "g"], ["k", "m", "c", "p", "d"]));
        prop_assert_eq!(forged.is_some(), layout.calls != ToolCalls::None);
    }
}

#[test]
fn text_of_a_tag_holds_no_token_that_the_tokenizer_knows() {
    let chat = Chat::from_json(r#"{"messages": [], "tool_choice": "none"}"#).unwrap();
    let thinks = Layout::V13.with(Feature::Think);
    let tag = Layout::V13.grammar(&chat).unwrap().unwrap().to_structural_tag(&ReleasedIds(&thinks)).unwrap();
    let tag: Value = serde_json::from_str(&tag).unwrap();
    let excluded = tag["format"]["elements"][0]["exclude_tokens"].as_array().unwrap();
    assert!(thinks.vocabulary.iter().all(|control| {
        excluded.iter().any(|id| id.as_u64() == ReleasedIds(&thinks).control(control).map(u64::from))
    }));
}

#[test]
fn a_schema_cannot_take_the_form_from_exact_grammars() {
    let schema = json!({"x-guidance": {"item_separator": "X", "lenient": true}, "type": "object", "properties": {}});
    let tool = json!({"function": {"name": "f", "strict": true, "parameters": schema}});
    let request = json!({"messages": [], "tools": [tool], "tool_choice": "required"}).to_string();
    let printed = lark(&Layout::V13, &request, LarkStyle::Exact).unwrap().unwrap();
    let schema = printed.split_once("%json ").unwrap().1;
    let schema = serde_json::Deserializer::from_str(schema).into_iter::<Value>().next().unwrap().unwrap();
    assert_eq!(schema["x-guidance"]["item_separator"], ", ");
    assert_eq!(schema["x-guidance"]["lenient"], true);
    let as_sent = lark(&Layout::V13, &request, LarkStyle::MistralCommon).unwrap().unwrap();
    assert!(as_sent.contains(r#"%json {"x-guidance": {"item_separator": "X", "lenient": true}, "type""#), "{as_sent}");
}

#[test]
fn numbers_that_json_does_not_have_are_refused() {
    let grammar = |schema: &str| {
        let format =
            format!(r#"{{"type": "json_schema", "json_schema": {{"name": "n", "strict": true, "schema": {schema}}}}}"#);
        let request = format!(r#"{{"messages": [], "response_format": {format}}}"#);
        lark(&Layout::V3, &request, LarkStyle::Exact).map_err(|error| error.to_string())
    };
    let sentence = "response_format.json_schema.schema: the schema has a number that JSON does not have: an infinite one, or NaN (v3)";
    assert_eq!(grammar(r#"{"enum": [-1e999]}"#).unwrap_err(), sentence);
    assert!(grammar(r#"{"enum": ["Infinity", "NaN", 1e300]}"#).unwrap().is_some());
}

#[test]
fn calls_of_a_list_follow_each_other_in_each_style() {
    let tools = vec![Tool { name: "f".into(), ..Tool::default() }];
    let chat = Chat { tools, tool_choice: ToolChoice::Required, ..Chat::new([Message::user("q")]) };
    for layout in [Layout::V3, Layout::V7] {
        let grammar = layout.grammar(&chat).unwrap().unwrap();
        for style in [LarkStyle::Exact, LarkStyle::MistralCommon] {
            let printed = grammar.to_lark(&ReleasedIds(&layout), style).unwrap();
            let calls = printed.lines().find(|line| line.starts_with("fcalls: ")).unwrap();
            assert!(calls.starts_with(r#"fcalls: <[5]> " [{\"name\": \"f\", "#), "{style:?} {calls}");
            assert!(
                calls.contains(r#" (", {\"name\": \"f\", "#) && calls.ends_with(r#"")? "}")* "]""#),
                "{style:?} {calls}"
            );
        }
    }
}

#[test]
fn nothing_follows_a_call_that_was_begun_where_no_other_may() {
    let call = ToolCall::new("f", "{}").id("abcdefgh1");
    let begun = AssistantMessage { tool_calls: vec![call], prefix: true, ..AssistantMessage::default() };
    let tools = vec![Tool { name: "f".into(), ..Tool::default() }];
    for tool_choice in [ToolChoice::None, ToolChoice::Allowed { mode: CallMode::Auto, names: Vec::new() }] {
        let messages = [Message::user("q"), Message::Assistant(begun.clone())];
        let chat = Chat { tools: tools.clone(), tool_choice, ..Chat::new(messages) };
        let grammar = Layout::V13.grammar(&chat).unwrap().unwrap();
        let printed = grammar.to_lark(&ReleasedIds(&Layout::V13), LarkStyle::Exact).unwrap();
        assert_eq!(printed.lines().next().map(str::trim_end), Some("start:"), "{printed}");
    }
}
