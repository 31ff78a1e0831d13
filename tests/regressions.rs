//! What the fuzz targets once found, and a sample of what each takes, through the bodies of the targets:
//! `fuzz/regressions/TARGET/…`.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

fn files(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn what_was_found_stays_mended() {
    let mut replayed = 0;
    for (target, run) in fuzz::TARGETS {
        let files = files(target);
        assert!(!files.is_empty(), "{target} has a sample");
        for data in files {
            println!("{target}: {}", data.escape_ascii());
            run(&data);
            replayed += 1;
        }
    }
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let kept: usize =
        fs::read_dir(folders).unwrap().map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum();
    assert_eq!(replayed, kept, "each folder has a target's name");
}
