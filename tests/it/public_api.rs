//! The public functions, as the sources list them: none makes a control token out of text.
//!
//! Control tokens come from a layout, which names them, and from those who choose the frames: a preset or a template,
//! compiled by its own constructor into a format that gives prompts. Whoever reads literals in the sources is listed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file with its text, without comments and unit tests.
pub(crate) fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let text = |path: &PathBuf| {
        let whole = fs::read_to_string(path).unwrap();
        let code = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
    };
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    files.iter().map(|path| (name(path), text(path))).collect()
}

/// A public function: where it is, what it takes and what it gives.
#[derive(Debug)]
struct Function {
    name: String,
    takes: String,
    gives: String,
}

/// Every `pub fn`, and every `fn` of a public trait.
fn functions() -> Vec<Function> {
    let mut functions = Vec::new();
    for (file, text) in sources() {
        let (mut in_trait, mut signature) = (false, String::new());
        for line in text.lines() {
            in_trait = (in_trait || line.starts_with("pub trait ")) && line != "}";
            let code = line.trim();
            let begins = ["pub fn ", "pub const fn "].iter().any(|start| code.starts_with(start));
            if !signature.is_empty() || begins || (in_trait && code.starts_with("fn ")) {
                signature.push_str(code);
                signature.push(' ');
            }
            if !signature.is_empty() && (code.ends_with(['{', ';', '}'])) {
                let whole = std::mem::take(&mut signature);
                let (head, gives) = whole.split_once("->").unwrap_or((&whole, ""));
                let (name, takes) = head.split_once('(').unwrap();
                let name = name.rsplit(' ').next().unwrap();
                functions.push(Function {
                    name: format!("{file}: {}", name.split('<').next().unwrap()),
                    takes: format!("{name}({takes}"),
                    gives: gives.to_owned(),
                });
            }
        }
    }
    functions
}

/// Does the type have this word in it?
fn names(text: &str, word: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').any(|part| part == word)
}

#[test]
fn the_list_of_functions_is_whole() {
    let functions = functions();
    assert!(functions.len() > 150, "{} functions", functions.len());
    for known in ["chat/read.rs: from_json", "format.rs: render_into", "control.rs: all", "prompt/tokenizer.rs: encode"]
    {
        assert!(functions.iter().any(|function| function.name == known), "{known}");
    }
}

#[test]
fn no_function_makes_a_control_token_of_text() {
    // What is a control token, or has one in it that the caller can take out.
    let holds = ["Control", "Segment", "SpanKind", "Span", "Mark", "Frame", "FimTokens", "Vocabulary"];
    let text = ["str", "String", "char", "u8", "AsRef", "Into", "ToString", "Display", "Read", "BufRead"];
    let gives = |function: &&Function| holds.iter().any(|word| names(&function.gives, word));
    let of_text = |function: &&Function| text.iter().any(|word| names(&function.takes, word));
    let functions = functions();
    let found: Vec<_> = functions.iter().filter(gives).filter(of_text).collect();
    assert!(found.is_empty(), "{found:#?}");
    let all: BTreeSet<_> =
        functions.iter().filter(|function| names(&function.gives, "Control")).map(|function| &*function.name).collect();
    // The caller's own detokenizer says what a token id stands for.
    let known = ["completion/tokens.rs: control", "control.rs: all", "control.rs: iter"];
    assert_eq!(all, BTreeSet::from(known), "all of them, by no text");
}

#[test]
fn nothing_is_converted_into_a_control_token() {
    let mut found = BTreeSet::new();
    for (file, text) in sources() {
        for line in text.lines().filter(|line| line.starts_with("impl")) {
            let (what, whom) = line.split_once(" for ").unwrap_or((line, ""));
            let into = ["From", "TryFrom", "Into", "TryInto", "FromStr", "Deserialize", "AsRef", "Borrow", "Deref"];
            let is_conversion = into.iter().any(|word| names(what, word));
            if names(whom, "Control") || is_conversion && names(what, "Control") {
                found.insert(format!("{file}: {}", line.trim_end_matches([' ', '{', '}'])));
            }
        }
        for derive in text.split("#[derive(").skip(1) {
            let (traits, rest) = derive.split_once(")]").unwrap();
            let item = rest.split(['{', '(', ';']).next().unwrap();
            let token = ["Control", "Segment", "SpanKind", "Mark", "Frame", "Vocabulary"];
            if token.iter().any(|word| names(item, word)) {
                assert!(!names(traits, "Deserialize"), "{file}: {item}");
            }
        }
    }
    assert_eq!(found, BTreeSet::from(["control.rs: impl fmt::Display for Control".to_owned()]));
}

/// Who finds literals in a text, and in whose.
const READERS: [(&str, &str); 7] = [
    ("completion/literals.rs", "what a model wrote, token by token or decoded"),
    ("control.rs", "the search itself, which the crate alone can call"),
    ("explain/pieces.rs", "a finished prompt, to say what stands in it"),
    ("preset/compare/probes.rs", "what a preset would send, to compare it with a layout"),
    ("preset/compare/story.rs", "what a preset's story would send, to mend it"),
    ("preset/compiled.rs", "what a preset wrote, stretch by stretch"),
    ("template/render.rs", "what a template wrote itself"),
];

#[test]
fn who_reads_literals_is_known() {
    let mut found = BTreeSet::new();
    for (file, text) in sources() {
        let searches = text.contains(".starting(")
            || text.contains(".find_in(")
            || text.contains("fn starting(")
            || text.contains("control, control.as_str()");
        if searches {
            found.insert(file);
        }
    }
    assert_eq!(found, READERS.iter().map(|(file, _)| (*file).to_owned()).collect());
}
