//! The crate's goldens, sent as requests: the server's prompts are mistral-common's, and nothing that comes in breaks it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::Server;

/// A golden. Its request may hold what is no JSON to others, such as half a character.
#[derive(Deserialize)]
struct Golden<'g> {
    version: &'g str,
    /// What mistral-common made of it, where it did.
    #[serde(default)]
    segments: Vec<BTreeMap<String, Value>>,
    #[serde(borrow)]
    request: BTreeMap<&'g str, &'g RawValue>,
}

impl Golden<'_> {
    /// The prompt, where it has neither images nor sounds.
    fn prompt(&self) -> Option<String> {
        let text = |segment: &BTreeMap<String, Value>| {
            Some(segment.get("control").or(segment.get("text"))?.as_str()?.to_owned())
        };
        self.segments.iter().map(text).collect::<Option<String>>().filter(|prompt| !prompt.is_empty())
    }

    /// The request for the server, where its vocabulary can write the version.
    fn body(&self) -> Option<String> {
        let number = self.version.split('+').next()?;
        if !["v3-tekken", "v7-tekken", "v11", "v13", "v15"].contains(&number) {
            return None;
        }
        let model = format!("\"{}\"", self.version);
        let model = RawValue::from_string(model).unwrap();
        let limit = RawValue::from_string("1".to_owned()).unwrap();
        let mut request = self.request.clone();
        request.insert("model", &model);
        request.insert("max_tokens", &limit);
        Some(serde_json::to_string(&request).unwrap())
    }
}

fn each(file: &str, mut check: impl FnMut(Golden<'_>)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/goldens/{file}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for line in text.lines() {
        // What is no request of a chat, such as a list of conversations, has another form.
        if let Ok(golden) = serde_json::from_str(line) {
            check(golden);
        }
    }
}

#[test]
fn prompts_are_those_of_mistral_common() {
    let server = Server::start(&[]);
    let mut compared = 0;
    for file in ["basic", "chunks", "prefix", "settings", "thinking", "tools", "unicode", "whitespace"] {
        each(&format!("mistral_common/{file}"), |golden| {
            let (Some(body), Some(expected)) = (golden.body(), golden.prompt()) else { return };
            // Which settings v15 prints goes by more than the request.
            if golden.version.starts_with("v15") {
                return;
            }
            let (status, answer) = server.post_text("/apply-template", &body);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            // A chat that is not to be served, such as one that ends with a reply, is repaired or refused.
            if status == 200 && answer["notes"] == json!([]) {
                assert_eq!(answer["prompt"].as_str(), Some(&*expected), "{body}");
                compared += 1;
            }
        });
    }
    assert!(compared > 400, "{compared}");
    server.is_well();
}

#[test]
fn what_clients_send_is_answered_or_refused() {
    let server = Server::start(&[]);
    let (mut answered, mut refused) = (0, 0);
    for file in ["requests", "repair", "mistral_common/invalid", "mistral_common/injection", "mistral_common/media"] {
        each(file, |golden| {
            let Some(body) = golden.body() else { return };
            match server.post_text("/v1/chat/completions", &body) {
                (200, _) => answered += 1,
                (400, _) => refused += 1,
                (status, answer) => panic!("{status}: {answer} for {body}"),
            }
        });
    }
    assert!(answered > 100 && refused > 5, "{answered} {refused}");
    server.is_well();
}
