//! A next version of the format, made up: what the compiler names of it is what `CONTRIBUTING.md` says.
//!
//! `cargo test --test it next_version:: -- --ignored` compiles a copy of `src` that has the made-up variants.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file, what stands there, and what is put behind its first line.
type Edit = (&'static str, &'static str, &'static str);

/// The made-up variants, and the edits that add them.
const VARIANTS: [(&str, &[Edit]); 3] = [
    (
        "Control::EndArgs",
        &[
            (
                "src/control.rs",
                "    EndModelSettings,\n}",
                "    /// `[/ARGS]`: ends the arguments of a call.\n    EndArgs,\n",
            ),
            ("src/control.rs", "    EndModelSettings \"[/MODEL_SETTINGS]\"\n}", "    EndArgs \"[/ARGS]\"\n"),
        ],
    ),
    (
        "ToolCalls::NameArgumentsEnd",
        &[(
            "src/layout.rs",
            "    NameArguments,\n}",
            "    /// Each `[TOOL_CALLS]`name`[ARGS]`arguments`[/ARGS]`.\n    NameArgumentsEnd,\n",
        )],
    ),
    (
        "UserTurn::BeforeSystem",
        &[(
            "src/layout.rs",
            "    Last,\n}\n\n/// Where system messages go.",
            "    /// None: before the system prompt.\n    BeforeSystem,\n",
        )],
    ),
];

/// The files that `CONTRIBUTING.md` names for a variant: those in the item that begins with it.
fn named_by_the_guide(variant: &str) -> BTreeSet<String> {
    let guide = fs::read_to_string(Path::new(ROOT).join("CONTRIBUTING.md")).unwrap();
    let item = guide.split_once(&format!("- `{variant}`")).unwrap_or_else(|| panic!("no item of {variant}")).1;
    let item = item.split("\n\n").next().unwrap().split("\n- ").next().unwrap();
    let quoted = item.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with("src/") && text.ends_with(".rs")).map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The crate by itself, with the made-up variants.
fn next_version() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("next_version");
    let _ = fs::remove_dir_all(root.join("src"));
    copy(&Path::new(ROOT).join("src"), &root.join("src"));
    fs::copy(Path::new(ROOT).join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    fs::copy(Path::new(ROOT).join("README.md"), root.join("README.md")).unwrap();
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let (library, _) = manifest.split_once("[dev-dependencies]").unwrap();
    fs::write(root.join("Cargo.toml"), format!("{library}\n[workspace]\n")).unwrap();
    for (file, place, variant) in VARIANTS.iter().flat_map(|(_, edits)| edits.iter()) {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(text.matches(place).count(), 1, "{file}: {place}");
        let (line, rest) = place.split_once('\n').unwrap();
        fs::write(root.join(file), text.replace(place, &format!("{line}\n{variant}{rest}"))).unwrap();
    }
    root
}

#[test]
fn the_guide_names_files_that_there_are() {
    for (variant, _) in VARIANTS {
        let files = named_by_the_guide(variant);
        assert!(!files.is_empty(), "{variant}");
        for file in files {
            assert!(Path::new(ROOT).join(&file).is_file(), "{variant}: {file}");
        }
    }
}

#[test]
#[ignore = "it compiles the crate once more"]
fn the_compiler_names_what_the_guide_names() {
    let root = next_version();
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--lib", "--all-features", "--message-format", "short", "--color", "never"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    let errors: Vec<_> = said.lines().filter(|line| line.contains(": error")).collect();
    assert!(errors.iter().all(|line| line.contains("error[E0004]")), "{said}");
    for (variant, _) in VARIANTS {
        let of_variant = errors.iter().filter(|line| line.contains(variant));
        let named: BTreeSet<_> = of_variant.map(|line| line.split(':').next().unwrap().to_owned()).collect();
        println!("{variant}: {named:?}");
        assert_eq!(named, named_by_the_guide(variant), "{variant}: what the compiler names, and the guide\n{said}");
    }
}
