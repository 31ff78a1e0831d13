//! The layouts against what mistral-common 1.13.1 makes of thousands of chats: `tests/goldens/mistral_common`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

mod support;

use support::case::{self, Case};

#[test]
fn every_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let mut files: Vec<_> = ["mistral_common", "magnum"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
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
            if let Some(difference) = case::difference(&case, case::render(&case)) {
                differences.push(format!("{}\n{difference}", case.id));
            }
        }
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<usize>() > 3_000, "{counts:?}");
    let shown: Vec<_> = differences.iter().take(40).cloned().collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), shown.join("\n\n"));
}
