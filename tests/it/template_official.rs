//! The templates that mistral-common generates, in their folder, over every golden: `tests/goldens/template/official.jsonl`.
//!
//! The templates are not part of this repository: `MISTRAL_TEMPLATES` names their folder, and without it the test says
//! so and passes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::{env, fs};

use mistral_chat_template::template::Comparison;
use mistral_chat_template::{Chat, ChatTemplate, Error, Format, Message, Mode, Prompt};
use serde::Deserialize;

use crate::support::case::{Case, dialect};

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
    let mut chat = Chat { sent: None, ..Chat::read(case.request.get(), dialect(case))? };
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

/// In what a generated template says something else than the layout: what it is, the goldens of that kind by a part of
/// their ids, and the probes of [`ChatTemplate::compare`] of which one must tell.
const KINDS: [(&str, &[&str], &[&str]); 18] = [
    ("a result of no texts is refused, or printed as a list", &["result_empty_list"], &["a result of no texts"]),
    (
        "text beside calls is laid out in another way, or refused",
        &["calls/with_", "asst_toolcall_content"],
        &["text and a call", "white space around text and a call"],
    ),
    (
        "a reply keeps the spaces at its end",
        &["whitespace/asst", "tekken/system/", "tekken/merged", "calls/spaces_alone", "old_round_dropped"],
        &["white space around an answer"],
    ),
    (
        "SentencePiece's space stands where nothing is said",
        &["basic/empty_user/", "basic/empty_user_multi", "user_list_of_empty_text"],
        &["an empty question"],
    ),
    (
        "an empty text is joined to others",
        &["users_with_empty", "user_three_text_one_empty", "joins/"],
        &["an empty question beside another", "an empty text beside another"],
    ),
    (
        "an empty system message has a space, or is joined to others",
        &["basic/empty_sys", "sys_empty_list", "system/empty", "system/two_chunks"],
        &["an empty system message", "an empty system message beside another", "an empty text in a system message"],
    ),
    (
        "a system message between two user messages does not part them",
        &["sys_mid_user_sys", "sys_start_and_mid", "system_between", "avail_sys_after_user"],
        &["a system message between questions"],
    ),
    (
        "system messages alone are left out",
        &["sys_only", "single_system", "system_only", "avail_no_user"],
        &["a system message alone", "tools and a system message alone"],
    ),
    (
        "a conversation that begins with a reply is refused, or has no space before it",
        &["asst_first", "sys_then_asst", "first_assistant", "assistant_first"],
        &["an answer first", "a system message and an answer first"],
    ),
    ("a conversation that begins with a result is refused", &["tool_first"], &["a result first"]),
    ("a result of several texts is printed as a list of Python's", &["tool_two_text"], &["a result in two texts"]),
    (
        "results stand in the order in which they came, not in that of their calls",
        &["results/swapped", "parallel_2_reversed", "parallel_3_shuffled", "two_rounds", "text_then_calls"],
        &["two results in another order than their calls"],
    ),
    (
        "a result that is JSON is a text",
        &["tools/result_", "results/json", "json/numbers_in_result"],
        &["a result that is an object", "a call and a result that is a number"],
    ),
    (
        "arguments stand as they were written",
        &["tools/args_", "json/", "arguments/", "tool_roundtrip"],
        &["a call whose arguments are written close"],
    ),
    (
        "a result without a name is refused",
        &["ids/empty", "ids/no_result_id", "v2_results_without_calls"],
        &["a call and a result that is a number"],
    ),
    (
        "an image beside an empty text, or a system message, is spaced in another way",
        &["image/empty_text", "img_two_texts"],
        &["an image and an empty text", "a system message, text and an image"],
    ),
    (
        "audio beside a system message is refused",
        &["audio/beside", "audio/url_beside"],
        &["audio beside a system message"],
    ),
    (
        "audio in a system message is refused",
        &["chunks/system_audio", "media/audio_in_system"],
        &["audio in a system message"],
    ),
];

/// Of what no chat by itself can tell: by a part of the id, with the reason.
const UNTOLD: [(&str, &str); 15] = [
    ("random/", "made of several of the kinds"),
    ("truncate/", "what is cut off is not part of the chat"),
    ("prefix", "whether a message is continued is asked of transformers, not of the template"),
    ("continue", "as above"),
    ("weight", "transformers knows no weights"),
    ("agnostic/", "what is refused depends on the mode"),
    ("modes/", "as above"),
    ("finetuning", "as above"),
    ("newline/", "a newline at the end of a name or an id, which Python lets through"),
    ("openai/developer", "a developer message is a system message"),
    ("openai/tools_", "a tool has a name, a description and parameters, and nothing else"),
    ("openai/unknown_fields", "as above"),
    ("openai/no_", "as above"),
    ("openai/reasoning", "a reasoning field is a thinking chunk"),
    ("null_ids/", "what is refused depends on the mode"),
];

#[test]
fn the_report_tells_every_kind_of_difference() {
    let Some(folder) = env::var_os("MISTRAL_TEMPLATES").map(PathBuf::from) else {
        println!("skipped: MISTRAL_TEMPLATES does not name the folder of the generated templates");
        return;
    };
    let goldens = goldens();
    let expected =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/official.jsonl"));
    let mut reports: BTreeMap<(String, String), Comparison> = BTreeMap::new();
    let (mut accepted, mut different, mut untold) = (0, 0, 0);
    let mut counts = [0; KINDS.len()];
    let mut missed = BTreeSet::new();
    for line in expected.unwrap().lines() {
        let Expected { id, template, same, .. } = serde_json::from_str(line).unwrap();
        let case = &goldens[&id];
        if case.segments.is_none() {
            continue;
        }
        accepted += 1;
        if same {
            continue;
        }
        different += 1;
        let Some(kind) = KINDS.iter().position(|(_, parts, _)| parts.iter().any(|part| id.contains(part))) else {
            assert!(UNTOLD.iter().any(|(part, _)| id.contains(part)), "{id} ({template}) is of no kind");
            untold += 1;
            continue;
        };
        counts[kind] += 1;
        let report = reports.entry((template, case.version.clone())).or_insert_with_key(|(template, _)| {
            let source = fs::read_to_string(folder.join(format!("{template}.jinja"))).unwrap();
            ChatTemplate::new(&source).unwrap().compare(&case.layout().in_mode(Mode::Test))
        });
        let (what, _, probes) = KINDS[kind];
        if !report.differences.iter().any(|difference| probes.contains(&&*difference.probe)) {
            missed.insert(format!("{what}: {id}"));
        }
    }
    for ((what, ..), count) in KINDS.iter().zip(counts) {
        println!("{count:>4} {what}");
    }
    for ((template, label), report) in &reports {
        println!("{template} and {label}: {} of {} chats", report.differences.len(), report.probes);
    }
    println!("{different} of {accepted} differ, {untold} of them of no kind of their own");
    assert!(missed.is_empty(), "{} are not told\n{}", missed.len(), missed.into_iter().collect::<Vec<_>>().join("\n"));
}
