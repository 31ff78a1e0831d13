//! README.md: its commands run, its figures are what they print, its tables are true. Its Rust runs as doctests.

use mistral_chat_template::layout::{System, UserTurn, WordStart};
use mistral_chat_template::{Chat, Format, Layout, Message, Version};

use crate::support::markdown::{Block, blocks};
use crate::support::program;

const README: &str = include_str!("../../README.md");

fn blocks_of(info: &str) -> impl Iterator<Item = Block<'static>> {
    blocks(README).into_iter().filter(move |block| block.info == info)
}

/// Runs a command of the README, if it is one that runs an example, and gives what it prints.
fn run(command: &str) -> Option<String> {
    let (stdin, command) = match command.strip_prefix("echo '").and_then(|rest| rest.split_once("' | ")) {
        Some((line, command)) => (format!("{line}\n"), command),
        None => (String::new(), command),
    };
    let words: Vec<_> = command.strip_prefix("cargo run --example ")?.split_whitespace().collect();
    let (example, arguments) = words.split_first()?;
    let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
    Some(program::printed(&program::run(example, arguments, &stdin)).to_owned())
}

#[test]
fn every_command_runs() {
    // Another package's programs are not built by this one's tests; `.ci/run` runs their commands.
    let is_own = |command: &&str| !command.contains("--manifest-path");
    let commands: Vec<_> = blocks_of("sh").flat_map(|block| block.body.lines()).filter(is_own).collect();
    let ran = commands.iter().filter_map(|command| run(command)).filter(|printed| !printed.is_empty()).count();
    let tests = commands.iter().filter(|command| **command == "cargo test").count();
    assert_eq!(ran + tests, commands.len(), "{commands:?}");
    assert!(ran >= 5 && tests == 1, "{commands:?}");
}

#[test]
fn the_page_is_what_preview_prints() {
    let page = blocks_of("text").find(|block| block.body.starts_with('─')).unwrap();
    assert_eq!(
        run("cargo run --example preview -- --width 80 examples/chats/card.json").unwrap().trim_end(),
        page.body
    );
}

#[test]
fn the_line_is_what_render_jsonl_prints() {
    let command = blocks_of("sh").find(|block| block.body.starts_with("echo ")).unwrap();
    assert_eq!(run(command.body).unwrap().trim_end(), blocks_of("json").next().unwrap().body);
}

#[test]
fn the_picture_of_the_problem_is_true() {
    let picture = blocks_of("text").find(|block| block.body.starts_with("right")).unwrap();
    let chat = Chat::new([
        Message::system("SYSTEM"),
        Message::user("USER"),
        Message::assistant("REPLY"),
        Message::user("USER"),
    ]);
    let right = Layout::MAGNUM.render(&chat).unwrap();
    for (name, prompt) in [
        ("right", right.as_str()),
        ("v1", Layout::V1.render(&chat).unwrap().as_str()),
        ("stripped", right.without_begin_and_end().as_str()),
        ("v3", Layout::V3.render(&chat).unwrap().as_str()),
    ] {
        let line = format!("{name:<10}{}", prompt.replace('\n', "⏎"));
        assert!(picture.body.lines().any(|drawn| drawn == line), "{line}");
    }
}

#[test]
fn the_table_of_layouts_is_true() {
    let turn = |turn| match turn {
        UserTurn::First => "the first user turn",
        UserTurn::Last => "the last user turn",
        other => panic!("the README does not say where {other:?} is"),
    };
    for version in Version::ALL.iter().filter(|version| !matches!(version, Version::V1Tekken | Version::V2Tekken)) {
        let layout = version.layout();
        let start = format!("| `{version}` | ");
        let row = README.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row of {version}"));
        let tokenizer = match layout.word_start {
            WordStart::Space => "SentencePiece",
            WordStart::Nothing => "Tekken",
        };
        let system = match layout.system {
            System::InUser { turn: place, .. } => format!("in {}", turn(place)),
            System::OwnTurn(_) => "a turn of its own".to_owned(),
            other => panic!("the README does not say where {other:?} is"),
        };
        let tools = layout.tools.map_or("never", turn);
        let end = format!(" | {tokenizer} | {system} | {tools} |");
        assert!(row.ends_with(&end), "{row}\ndoes not end with\n{end}");
    }
}

#[test]
fn the_versions_are_those_of_the_manifest() {
    let release = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    assert!(README.contains(&format!("mistral-chat-template = \"{release}\"")), "{release}");
    assert!(README.contains(&format!("Rust {} or newer", env!("CARGO_PKG_RUST_VERSION"))));
}
