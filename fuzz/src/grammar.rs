//! Any chat, tools, schema and format: a grammar whose control tokens are the layout's own, or an error that says where.

use mistral_chat_template::chat::{CallMode, ResponseFormat, ResponseSchema, ToolChoice};
use mistral_chat_template::grammar::{Grammar, LarkStyle, Part, Shape};
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::{Chat, Control, Layout, Tokenizer};
use serde_json::Value;

use super::source::Source;

#[path = "../../tests/it/support/lark.rs"]
mod lark;

/// Ids that no text of a grammar has by chance.
struct Controls;

const FIRST_ID: u32 = 7_000_001;

impl Tokenizer for Controls {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, control: Control) -> Option<u32> {
        let position = Control::all().position(|other| other == control)?;
        Some(FIRST_ID + u32::try_from(position).ok()?)
    }
}

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout();
    let Some(mut chat) = rest.chat() else { return };
    constrain(&mut chat, &mut head);
    let grammar = match layout.grammar(&chat) {
        Ok(Some(grammar)) => grammar,
        Ok(None) => return,
        Err(error) => {
            assert_eq!(error.layout(), Some(layout.name), "{error}");
            assert!(!error.at().is_empty(), "{error}");
            return;
        }
    };
    let controls = controls(&grammar, &layout);
    for style in [LarkStyle::MistralCommon, LarkStyle::Exact] {
        let printed = grammar.to_lark(&Controls, style).expect("each control token has an id");
        assert_has_no_others(&lark::lark_skeleton(&printed), &controls);
    }
    let tag = grammar.to_structural_tag(&Controls).expect("each control token has an id");
    let tag: Value = serde_json::from_str(&tag).expect("a structural tag is JSON");
    assert_tokens(&tag, &controls);
}

/// Chooses what the chat itself does not say.
fn constrain(chat: &mut Chat<'_>, head: &mut Source<'_>) {
    let strict = head.byte();
    for (bit, tool) in chat.tools.iter_mut().enumerate().take(8) {
        tool.strict |= strict & (1 << bit) != 0;
    }
    let named = chat.tools.last().map(|tool| tool.name.clone()).unwrap_or_default();
    match head.below(6) {
        1 => chat.tool_choice = ToolChoice::None,
        2 => chat.tool_choice = ToolChoice::Required,
        3 => chat.tool_choice = ToolChoice::Named(named),
        4 => chat.tool_choice = ToolChoice::Allowed { mode: CallMode::Auto, names: vec![named] },
        5 => chat.tool_choice = ToolChoice::Allowed { mode: CallMode::Required, names: vec![named] },
        _ => {}
    }
    match head.below(4) {
        1 => chat.response_format = ResponseFormat::JsonObject,
        2 => {
            let schema = chat.tools.first().map(|tool| tool.parameters.clone()).unwrap_or_default();
            let strict = strict & 128 != 0;
            let format = ResponseSchema { name: "answer".into(), description: None, schema, strict };
            chat.response_format = ResponseFormat::JsonSchema(format);
        }
        _ => {}
    }
    if head.one_in(2) {
        chat.parallel_tool_calls = Some(head.one_in(2));
    }
}

/// The control tokens of a grammar: all of them the layout's, all parts with a rule.
fn controls(grammar: &Grammar<'_>, layout: &Layout) -> Vec<u32> {
    assert_eq!(grammar.rules()[0].part, Part::Answer);
    let mut controls = Vec::new();
    let mut shapes: Vec<&Shape<'_>> = grammar.rules().iter().map(|rule| &rule.shape).collect();
    while let Some(shape) = shapes.pop() {
        match shape {
            Shape::Part(part) => assert!(grammar.rule(*part).is_some(), "{part:?} has a rule"),
            Shape::Control(control) => {
                assert!(layout.vocabulary.contains(*control), "{control:?} is the layout's");
                controls.push(Controls.control(*control).expect("each control token has an id"));
            }
            Shape::Sequence(inner) | Shape::Choice(inner) => shapes.extend(inner),
            Shape::Repeat(inner, _) => shapes.push(inner),
            _ => {}
        }
    }
    controls
}

/// Outside of literals and schemas no control token is spelled, and the ids are those of the shapes.
fn assert_has_no_others(skeleton: &str, controls: &[u32]) {
    for control in Control::all() {
        assert!(!skeleton.contains(control.as_str()), "{} in {skeleton}", control.as_str());
    }
    for after in skeleton.split("<[").skip(1) {
        let (id, _) = after.split_once("]>").expect("an id ends");
        assert!(controls.contains(&id.parse().expect("an id is a number")), "{id} in {skeleton}");
    }
}

/// The tokens that a structural tag asks for are those of the shapes.
fn assert_tokens(tag: &Value, controls: &[u32]) {
    match tag {
        Value::Object(members) => {
            if members.get("type").is_some_and(|kind| kind == "token") {
                let id = members["token"].as_u64().and_then(|id| u32::try_from(id).ok());
                assert!(id.is_some_and(|id| controls.contains(&id)), "{tag}");
            }
            let is_schema = |name: &str| name == "json_schema" || name == "value";
            members.iter().filter(|(name, _)| !is_schema(name)).for_each(|(_, value)| assert_tokens(value, controls));
        }
        Value::Array(items) => items.iter().for_each(|item| assert_tokens(item, controls)),
        _ => {}
    }
}
