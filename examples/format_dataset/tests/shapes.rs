//! The shapes of rows that public data sets and the documentation of trainers have, and what becomes of each: the table
//! in `SHAPES.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

mod program;

use program::{printed, run};

const GOLDENS: &str = include_str!("../../../tests/goldens/rows.jsonl");
const SHAPES: &str = include_str!("shapes.jsonl");

/// The names of a row's fields, and of the fields in those.
fn shape(row: &Value) -> String {
    let Value::Object(row) = row else { return "no object".to_owned() };
    if row.is_empty() {
        return "no fields".to_owned();
    }
    let fields = row.iter().map(|(name, value)| match value {
        Value::Null => format!("{name}: null"),
        Value::Array(items) => format!("{name}[{}]", names(items)),
        Value::Object(_) => format!("{name}{{{}}}", names(std::slice::from_ref(value))),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => name.clone(),
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// The names of the fields of some objects, each once.
fn names(items: &[Value]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(|item| item.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.join(" ")
}

#[derive(Default)]
struct Fate {
    rows: usize,
    read: usize,
    /// How often each kind of error refused one.
    refused: BTreeMap<String, usize>,
}

#[test]
fn the_table_of_shapes_is_current() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shapes");
    fs::create_dir_all(&folder).unwrap();
    let rows: Vec<Value> = GOLDENS
        .lines()
        .chain(SHAPES.lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["row"].take())
        .collect();
    let (input, rejects) = (folder.join("rows.jsonl"), folder.join("rejects.jsonl"));
    fs::write(&input, rows.iter().map(|row| format!("{row}\n")).collect::<String>()).unwrap();

    let options = ["--quiet", "--keep", "--layout", "v13+think", "--on-error"];
    let files = [rejects.as_os_str(), input.as_os_str()];
    let output = run(&options.iter().map(AsRef::as_ref).chain(files).collect::<Vec<_>>(), "");
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    let mut seen = 0;
    let rejected = fs::read_to_string(&rejects).unwrap();
    for line in printed(&output).lines().chain(rejected.lines()) {
        let told: Value = serde_json::from_str(line).unwrap();
        let number = usize::try_from(told["line"].as_u64().unwrap()).unwrap();
        let fate = fates.entry(shape(&rows[number - 1])).or_default();
        fate.rows += 1;
        match told["kind"].as_str() {
            None => fate.read += 1,
            Some(kind) => *fate.refused.entry(kind.to_owned()).or_default() += 1,
        }
        seen += 1;
    }
    assert_eq!(seen, rows.len(), "every row comes out or is a reject");

    let mut table = format!(
        "# Shapes of rows\n\n{} rows of {} shapes, from public data sets, issues of trainers and their documentation, as \
         `format_dataset --layout v13+think` reads them. A shape is the names of a row's fields, and in brackets those of \
         what they hold. What is refused is told with the kind of its error. `tests/shapes.rs` writes the table.\n\n\
         | row shape | rows | read | refused |\n| --- | --- | --- | --- |\n",
        rows.len(),
        fates.len(),
    );
    let mut all = Fate::default();
    for Fate { rows, read, refused } in fates.values() {
        all.rows += rows;
        all.read += read;
        refused.iter().for_each(|(kind, count)| *all.refused.entry(kind.clone()).or_default() += count);
    }
    let named = fates.iter().map(|(shape, fate)| (format!("`{shape}`"), fate));
    for (name, Fate { rows, read, refused }) in named.chain([("all".to_owned(), &all)]) {
        let refused: Vec<_> = refused.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        writeln!(table, "| {name} | {rows} | {read} | {} |", refused.join(", ")).unwrap();
    }
    let written = folder.join("SHAPES.md");
    fs::write(&written, &table).unwrap();
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SHAPES.md")).unwrap_or_default();
    assert!(kept == table, "SHAPES.md is not the table that was written to {}", written.display());
}
