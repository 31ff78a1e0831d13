//! Every field of every row, set to every other value that some row has, is noticed by a golden.
//!
//! A row whose field could change unnoticed would be a rule that nothing holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use mistral_chat_template::{Layout, Version};

mod support;

use support::case::{self, Case};

/// One field of a [`Layout`]: its name, its value as text, and how one row takes it from another.
struct Field {
    name: &'static str,
    show: fn(&Layout) -> String,
    copy: fn(&mut Layout, &Layout),
}

fn show(value: impl Debug) -> String {
    format!("{value:?}")
}

macro_rules! fields {
    ($($($part:ident).+,)+) => {
        &[$(Field {
            name: stringify!($($part).+),
            show: |layout| show(layout.$($part).+),
            copy: |layout, other| layout.$($part).+ = other.$($part).+,
        },)+]
    };
}

const FIELDS: &[Field] = fields![
    word_start,
    user,
    reply,
    system,
    tools,
    settings,
    calls,
    results,
    old_tool_turns,
    trim_reply,
    thinking,
    chunk_join,
    fim,
    rules.chunks.system,
    rules.chunks.user,
    rules.chunks.assistant,
    rules.chunks.tool,
    rules.text_and_calls,
    rules.call_ids,
    rules.pairing,
    rules.results_per_turn,
    rules.system_with_audio,
    rules.truncation,
];

/// Mutants that give the same prompts and refusals, each with the reason.
const EQUIVALENT: &[(&str, &str, &str, &str)] = &[];

/// The goldens of every row, by the row's name.
fn goldens() -> BTreeMap<&'static str, Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let mut cases: BTreeMap<&'static str, Vec<Case>> = BTreeMap::new();
    for part in ["mistral_common", "magnum"] {
        for file in fs::read_dir(folder.join(part)).unwrap() {
            let path = file.unwrap().path();
            if path.ends_with("instruct.jsonl") {
                continue;
            }
            for line in fs::read_to_string(path).unwrap().lines() {
                let case = Case::parse(line);
                cases.entry(case.layout().name).or_default().push(case);
            }
        }
    }
    cases
}

#[test]
fn every_changed_field_is_noticed() {
    let goldens = goldens();
    let rows: Vec<Layout> = Version::ALL.iter().map(|version| version.layout()).collect();
    let (mut survivors, mut mutants) = (Vec::new(), 0);
    for row in &rows {
        for field in FIELDS {
            let mut tried = BTreeSet::from([(field.show)(row)]);
            for other in &rows {
                let value = (field.show)(other);
                if !tried.insert(value.clone()) {
                    continue;
                }
                mutants += 1;
                let noticed = goldens[row.name].iter().any(|case| {
                    let mut layout = case.layout();
                    (field.copy)(&mut layout, other);
                    case::difference(case, case::render_with(case, &layout)).is_some()
                });
                let listed = |(name, at, as_in, _): &&(&str, &str, &str, &str)| {
                    *name == row.name && *at == field.name && *as_in == other.name
                };
                match (noticed, EQUIVALENT.iter().find(listed)) {
                    (false, None) => {
                        survivors.push(format!("{} {} as in {}: {value}", row.name, field.name, other.name))
                    }
                    (true, Some(_)) => survivors.push(format!("{} {} is listed and noticed", row.name, field.name)),
                    _ => {}
                }
            }
        }
    }
    println!("{mutants} mutants");
    assert!(survivors.is_empty(), "{} of {mutants} mutants live:\n{}", survivors.len(), survivors.join("\n"));
}
