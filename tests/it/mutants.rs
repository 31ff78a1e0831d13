//! Every field of every row, set to every other value that some row has, is noticed by a golden.
//!
//! A row whose field could change unnoticed would be a rule that nothing holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use mistral_chat_template::{Layout, Version};

use crate::support::case::{self, Case};

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

/// A field set to a row's value changes nothing in these rows, for the reason given.
struct Equivalent {
    rows: &'static [&'static str],
    field: &'static str,
    as_in: &'static str,
    #[allow(dead_code, reason = "for the reader")]
    because: &'static str,
}

const UP_TO_V3: &[&str] = &["v1", "v1-tekken", "v2", "v2-tekken", "v3", "v3-tekken", "magnum"];

const EQUIVALENT: &[Equivalent] = &[
    Equivalent {
        rows: UP_TO_V3,
        field: "thinking",
        as_in: "v13",
        because: "no message can hold thinking, so that none is ever written",
    },
    Equivalent {
        rows: UP_TO_V3,
        field: "rules.system_with_audio",
        as_in: "v11",
        because: "no message can hold audio, and v11's rule is asked after what messages can hold",
    },
    Equivalent { rows: &["v1", "v1-tekken"], field: "old_tool_turns", as_in: "v2", because: "tool turns are refused" },
];

/// The goldens of every row, by the row's name.
fn goldens() -> BTreeMap<&'static str, Vec<(Layout, Case)>> {
    let mut cases: BTreeMap<&'static str, Vec<_>> = BTreeMap::new();
    for case in case::all() {
        let layout = case.layout();
        cases.entry(layout.name).or_default().push((layout, case));
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
                let noticed = goldens[row.name].iter().any(|(layout, case)| {
                    let mut layout = *layout;
                    (field.copy)(&mut layout, other);
                    case::difference(case, case::render_with(case, &layout)).is_some()
                });
                let listed = EQUIVALENT.iter().any(|known| {
                    known.rows.contains(&row.name) && known.field == field.name && known.as_in == other.name
                });
                if noticed == listed {
                    let said = if listed { "is noticed and listed" } else { "is not noticed" };
                    survivors.push(format!("{} {} as in {}, {value}, {said}", row.name, field.name, other.name));
                }
            }
        }
    }
    println!("{mutants} mutants");
    assert!(survivors.is_empty(), "{} of {mutants} mutants:\n{}", survivors.len(), survivors.join("\n"));
}
