//! The layouts against what mistral-common 1.13.1 makes of thousands of chats: `tests/goldens/mistral_common`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mistral_chat_template::{Error, Prompt, Segment};
use serde_json::{Value, json};

mod support;

use support::case::{self, Case};

/// Chats that mistral-common refuses for a field that does not shape the prompt; such fields are passed over here.
const REFUSED_FOR_OTHER_FIELDS: [&str; 7] = [
    "extra/openai/two_seeds/v3",
    "extra/openai/weights/v3",
    "extra/weights/plain_messages/v3",
    "invalid/extra_message_field/v3",
    "invalid/temperature_out_of_range/v3",
    // A budget is an argument here, not a field.
    "invalid/truncate_without_len/v7-tekken",
    "invalid/weight_not_finetuning_msg/v3",
];

/// Refusals whose class is another one here: a wrong type in JSON is a wrong form in both dialects.
const OTHER_FAMILY: [&str; 2] = ["extra/openai/calls_not_list/v3", "extra/openai/number_content/v3"];

fn segments(prompt: &Prompt) -> Vec<Value> {
    let value = |segment| match segment {
        Segment::Control(control) => json!({"control": control.as_str()}),
        Segment::Text(text) => json!({"text": text}),
        Segment::Media(media) => json!({"media": media.as_str()}),
    };
    prompt.segments().map(value).collect()
}

/// What is wrong with the answer to a case, if anything.
fn difference(case: &Case, answer: Result<Prompt, Error>) -> Option<String> {
    match (&case.segments, &case.refused, answer) {
        (Some(expected), _, Ok(prompt)) => {
            let actual = segments(&prompt);
            if &actual != expected {
                return Some(format!("segments {}\nexpected {}", json!(actual), json!(expected)));
            }
            let string = case.string.clone().unwrap_or_else(|| prompt.plain());
            (prompt.as_str() != string).then(|| format!("string   {:?}\nexpected {string:?}", prompt.as_str()))
        }
        (Some(expected), _, Err(error)) => Some(format!("refused: {error}\nexpected {}", json!(expected))),
        (None, _, Ok(_)) if REFUSED_FOR_OTHER_FIELDS.contains(&&*case.id) => None,
        (None, refused, Ok(prompt)) => Some(format!("rendered: {prompt}\nexpected {refused:?}")),
        (None, refused, Err(error)) => {
            let family = error.family().as_str();
            let listed = OTHER_FAMILY.contains(&&*case.id);
            let same = refused.as_ref().is_some_and(|refused| refused.family == family);
            (!same && !listed).then(|| format!("refused as {family}: {error}\nexpected {refused:?}"))
        }
    }
}

#[test]
fn every_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/mistral_common");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut differences, mut counts) = (Vec::new(), BTreeMap::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "instruct" {
            continue;
        }
        for line in fs::read_to_string(&file).unwrap().lines() {
            let case = Case::parse(line);
            *counts.entry(name.clone()).or_insert(0) += 1;
            if let Some(difference) = difference(&case, case::render(&case)) {
                differences.push(format!("{}\n{difference}", case.id));
            }
        }
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<usize>() > 3_000, "{counts:?}");
    let shown: Vec<_> = differences.iter().take(40).cloned().collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), shown.join("\n\n"));
}
