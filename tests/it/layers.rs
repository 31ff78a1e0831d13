//! The modules of the crate stand in layers: each imports only modules of the layers beneath it, as `src/lib.rs` lists them.

use crate::public_api::sources;

/// The layers of `src/lib.rs`, each a group of modules between blank lines.
fn layers(lib: &str) -> Vec<Vec<&str>> {
    let groups = lib.split("\n\n").map(|group| {
        let modules = group.lines().filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod "));
        modules.filter_map(|rest| rest.strip_suffix(';')).collect::<Vec<_>>()
    });
    groups.filter(|group| !group.is_empty()).collect()
}

/// The modules of the crate that a source names.
fn named(source: &str) -> impl Iterator<Item = &str> {
    let paths = source.split("crate::").skip(1);
    paths.filter_map(|rest| rest.split(|c: char| c != '_' && !c.is_ascii_lowercase()).next())
}

#[test]
fn a_module_imports_only_what_is_beneath_it() {
    let sources = sources();
    let (_, lib) = sources.iter().find(|(file, _)| file == "lib.rs").unwrap();
    let layers = layers(lib);
    assert!(layers.len() > 10, "{layers:?}");
    let place = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut upward = Vec::new();
    let mut imports = 0;
    for (file, source) in sources.iter().filter(|(file, _)| file != "lib.rs") {
        let module = file.split(['/', '.']).next().unwrap();
        let own = place(module).unwrap_or_else(|| panic!("{file} belongs to no module of src/lib.rs"));
        for other in named(source).filter(|other| *other != module) {
            match place(other) {
                Some(other_place) if other_place < own => imports += 1,
                _ => upward.push(format!("{file}: crate::{other}")),
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
    assert!(imports > 300, "{imports}");
}
