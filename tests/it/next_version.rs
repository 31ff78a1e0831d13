//! Changes that are made up: what the compiler names of them is what `CONTRIBUTING.md` says.
//!
//! `cargo test --test it next_version:: -- --ignored` compiles copies of `src` that have the made-up variants and field.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file, what stands there, and what is put behind its first line.
type Edit = (&'static str, &'static str, &'static str);

/// A made-up field of a message, and the edit that adds it.
const FIELD: (&str, &[Edit]) = (
    "ToolMessage::is_error",
    &[(
        "src/chat.rs",
        "    pub name: Option<Cow<'a, str>>,\n}",
        "    /// Did the tool fail?\n    pub is_error: bool,\n",
    )],
);

/// The variants of a version that is made up, and the edits that add them.
const VERSION: [(&str, &[Edit]); 3] = [
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

/// Other made-up variants, in a copy of their own: a match that lacks one may not be said to lack another.
const VARIANTS: [(&str, &[Edit]); 4] = [
    (
        "Chunk::File",
        &[("src/chat.rs", "    AudioUrl(Cow<'a, str>),\n}", "    /// A file as base64.\n    File(Cow<'a, str>),\n")],
    ),
    (
        "ChunkKind::File",
        &[(
            "src/terms/chunk_kind.rs",
            "    AudioUrl \"audio_url\",\n}",
            "    /// A file as base64.\n    File \"file\",\n",
        )],
    ),
    (
        "System::AfterTools",
        &[("src/layout.rs", "    OwnTurn(Frame),\n}", "    /// As a turn behind the tools.\n    AfterTools(Frame),\n")],
    ),
    (
        "ToolResults::IdNameContent",
        &[(
            "src/layout.rs",
            "    IdThenContent,\n    /// The content as it is.\n    Content,\n}",
            "    /// The call id, the name, and the content as it is.\n    IdNameContent,\n",
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

/// The crate by itself, with what is made up.
fn edited<'e>(name: &str, edits: impl IntoIterator<Item = &'e Edit>) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(root.join("src"));
    copy(&Path::new(ROOT).join("src"), &root.join("src"));
    fs::copy(Path::new(ROOT).join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    fs::copy(Path::new(ROOT).join("README.md"), root.join("README.md")).unwrap();
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let (library, _) = manifest.split_once("[dev-dependencies]").unwrap();
    fs::write(root.join("Cargo.toml"), format!("{library}\n[workspace]\n")).unwrap();
    for (file, place, added) in edits {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(text.matches(place).count(), 1, "{file}: {place}");
        let (line, rest) = place.split_once('\n').unwrap();
        fs::write(root.join(file), text.replace(place, &format!("{line}\n{added}{rest}"))).unwrap();
    }
    root
}

/// What the compiler says of the crate in a folder; all of it is errors of these codes.
fn errors(root: &Path, codes: &[&str]) -> Vec<String> {
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--lib", "--all-features", "--message-format", "short", "--color", "never"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("next_version_target"))
        .output()
        .unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    let errors: Vec<_> = said.lines().filter(|line| line.contains(": error")).map(str::to_owned).collect();
    assert!(errors.iter().all(|line| codes.iter().any(|code| line.contains(code))), "{said}");
    errors
}

/// The compiler names what the guide names, and nothing else.
#[track_caller]
fn are_named(errors: &[String], by: &str, what: &str) {
    let lines: Vec<_> = errors.iter().filter(|line| line.contains(by)).collect();
    let named: BTreeSet<_> = lines.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    println!("{what}: {} places in {named:?}", lines.len());
    assert_eq!(named, named_by_the_guide(what), "{what}: what the compiler names, and the guide\n{errors:#?}");
}

#[test]
fn the_guide_names_files_that_there_are() {
    for (what, _) in VERSION.iter().chain(&VARIANTS).chain([&FIELD]) {
        let files = named_by_the_guide(what);
        assert!(!files.is_empty(), "{what}");
        for file in files {
            assert!(Path::new(ROOT).join(&file).is_file(), "{what}: {file}");
        }
    }
}

#[test]
#[ignore = "it compiles the crate three times more"]
fn the_compiler_names_what_the_guide_names() {
    for (name, variants) in [("next_version", &VERSION[..]), ("next_variants", &VARIANTS)] {
        let root = edited(name, variants.iter().flat_map(|(_, edits)| *edits));
        let of_variants = errors(&root, &["error[E0004]"]);
        variants.iter().for_each(|(variant, _)| are_named(&of_variants, variant, variant));
    }
    let (field, edits) = FIELD;
    let of_field = errors(&edited("next_field", edits), &["error[E0027]", "error[E0063]"]);
    are_named(&of_field, "`is_error`", field);
}
