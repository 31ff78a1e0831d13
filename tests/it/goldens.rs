//! The layouts against what mistral-common 1.13.1 makes of thousands of chats: `tests/goldens/mistral_common`.

use std::collections::BTreeMap;

use crate::support::case;

#[test]
fn every_golden() {
    let (mut differences, mut counts) = (Vec::new(), BTreeMap::new());
    for case in case::all() {
        let topic = case.id.split('/').next().unwrap().to_owned();
        *counts.entry(topic).or_insert(0) += 1;
        if let Some(difference) = case::difference(&case, case::render(&case)) {
            differences.push(format!("{}\n{difference}", case.id));
        }
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<usize>() > 4_000, "{counts:?}");
    let shown: Vec<_> = differences.iter().take(40).cloned().collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), shown.join("\n\n"));
}
