//! The templates that mistral-common generates, in their folder, over every golden: `tests/goldens/template/official.jsonl`.
//!
//! The templates are not part of this repository: `MISTRAL_TEMPLATES` names their folder, and without it the test says
//! so and passes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{env, fs};

use mistral_chat_template::{Chat, ChatTemplate, Error, Format, Message, Prompt};
use serde::Deserialize;

mod support;

use support::case::{Case, dialect};

/// What cannot be the same, by a part of the id, with the reason; `COMPATIBILITY.md` lists them.
const EXCEPTIONS: [(&str, &str); 9] = [
    ("openai/developer", "a developer message is a system message"),
    ("openai/tools_", "a tool has a name, a description and parameters, and nothing else"),
    ("openai/unknown_fields", "as above"),
    ("openai/no_", "as above"),
    ("openai/reasoning", "a reasoning field is a thinking chunk"),
    ("arguments/null", "arguments of null are an empty object"),
    ("tools/args_none", "as above"),
    ("joins/result_audio", "a URL is in an object, though it may have been sent by itself"),
    ("tool_text_chunk_ok_image_bad", "as above"),
];

#[derive(Deserialize)]
struct Expected {
    id: String,
    template: String,
    #[serde(default)]
    same: bool,
    string: Option<String>,
    refused: Option<String>,
}

fn goldens() -> HashMap<String, Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/mistral_common");
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    files
        .flat_map(|file| file.lines().map(Case::parse).collect::<Vec<_>>())
        .map(|case| (case.id.clone(), case))
        .collect()
}

/// The chat as a client of transformers has it: no message is marked as one to be continued.
fn chat(case: &Case) -> Result<Chat<'_>, Error> {
    let mut chat = Chat::read(case.request.get(), dialect(case))?;
    for message in &mut chat.messages {
        if let Message::Assistant(message) = message {
            message.prefix = false;
        }
    }
    Ok(chat)
}

fn difference(case: &Case, expected: &Expected, answer: &Result<Prompt, Error>) -> Option<String> {
    let string = if expected.same { Some(case.printed()) } else { expected.string.clone() };
    match (string, answer) {
        (Some(string), Ok(prompt)) if prompt.as_str() == string => None,
        (Some(string), Ok(prompt)) => Some(format!("printed  {:?}\nexpected {string:?}", prompt.as_str())),
        (Some(string), Err(error)) => Some(format!("refused: {error}\nexpected {string:?}")),
        (None, Ok(prompt)) => Some(format!("printed  {:?}\nexpected {:?}", prompt.as_str(), expected.refused)),
        (None, Err(_)) => None,
    }
}

#[test]
fn every_golden_through_its_template() {
    let Some(folder) = env::var_os("MISTRAL_TEMPLATES").map(PathBuf::from) else {
        println!("skipped: MISTRAL_TEMPLATES does not name the folder of the generated templates");
        return;
    };
    let goldens = goldens();
    let expected =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/official.jsonl"));
    let mut templates: BTreeMap<String, ChatTemplate> = BTreeMap::new();
    let (mut differences, mut rendered, mut unread, mut excepted) = (Vec::new(), 0, 0, 0);
    for line in expected.unwrap().lines() {
        let expected: Expected = serde_json::from_str(line).unwrap();
        let case = &goldens[&expected.id];
        let Ok(chat) = chat(case) else {
            unread += 1;
            continue;
        };
        let template = templates.entry(expected.template.clone()).or_insert_with(|| {
            let source = fs::read_to_string(folder.join(format!("{}.jinja", expected.template))).unwrap();
            ChatTemplate::new(&source).unwrap()
        });
        rendered += 1;
        let listed = EXCEPTIONS.iter().any(|(part, _)| case.id.contains(part));
        match difference(case, &expected, &template.render(&chat)) {
            Some(_) if listed => excepted += 1,
            Some(difference) => differences.push(format!("{} ({})\n{difference}", case.id, expected.template)),
            None => {}
        }
    }
    println!("{rendered} renders of {} templates, {excepted} excepted; {unread} requests are no chat", templates.len());
    let shown: Vec<_> = differences.iter().take(30).cloned().collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), shown.join("\n\n"));
}
