//! Prompts read back: what every golden rendered to says the same chat again, and what is wrong with others is found.

use std::fs;
use std::path::Path;

use mistral_chat_template::{
    Chat, Control, Deviation, DeviationKind, Explanation, Feature, Format, Layout, Message, Mode, Prompt, Segment, Version,
};
use proptest::prelude::*;

mod support;

use support::case::{self, Case};

fn spells_a_control(prompt: &Prompt) -> bool {
    let spells = |text: &str| Control::all().any(|control| text.contains(control.as_str()));
    prompt.segments().any(|segment| matches!(segment, Segment::Text(text) if spells(text)))
}

/// Prompts that do not show what they were made of.
const UNSAID: [(&str, &str); 7] = [
    ("args_json_null", "arguments of `null` are read as none"),
    ("extra/json/null", "the same"),
    ("tool_first/v2", "a tool result was left out"),
    ("first_assistant_calls_twice", "two messages were one turn, and its results belong to the second"),
    ("numbers_in_tool", "a tool's schema holds Infinity"),
    ("extra/image/alone/v3", "a system prompt before an image is not part of the user's text"),
    ("media/img_only_sys/v3", "the same"),
];

#[test]
fn what_was_rendered_reads_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/mistral_common");
    let (mut read, mut differences) = (0, Vec::new());
    for file in fs::read_dir(folder).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let case = Case::parse(line);
            if case.kind.as_deref().is_some_and(|kind| kind != "openai") {
                continue;
            }
            let layout = case.layout();
            let Ok(prompt) = case::render(&case) else { continue };
            let unsaid = UNSAID.iter().any(|(id, _)| case.id.contains(id));
            if unsaid || spells_a_control(&prompt) {
                continue;
            }
            read += 1;
            if let Err(error) = Chat::from_prompt(prompt.as_str(), &layout) {
                differences.push(format!("{} {error}\n{:?}", case.id, prompt.as_str()));
            }
        }
    }
    let shown: Vec<_> = differences.iter().take(30).cloned().collect();
    assert!(differences.is_empty(), "{} of {read}\n{}", differences.len(), shown.join("\n"));
}
