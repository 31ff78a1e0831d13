//! Outputs shaped like public bug reports, `tests/goldens/completion/reports.jsonl`, as text and as ids.

use std::fs;
use std::path::Path;

use mistral_chat_template::{Chat, Control, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub struct Report {
    pub id: String,
    pub version: String,
    pub completion: String,
    #[serde(default)]
    tools: Vec<String>,
    pub strict: Value,
    pub lenient: Value,
}

impl Report {
    /// The tools of the request that the output answers.
    pub fn tools(&self) -> Vec<Tool<'static>> {
        let tool = |name: &String| json!({"type": "function", "function": {"name": name, "parameters": {}}});
        let request = json!({"messages": [], "tools": self.tools.iter().map(tool).collect::<Vec<_>>()}).to_string();
        Chat::from_json(&request).unwrap().into_owned().tools
    }
}

pub fn reports() -> Vec<Report> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/completion/reports.jsonl");
    let text = fs::read_to_string(path).unwrap();
    let reports: Vec<Report> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(reports.len() >= 155, "{} reports", reports.len());
    reports
}

/// The ids, as [`Bytes`](super::completions::Bytes) has them, of a text in which control tokens are spelled out.
pub fn ids(text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let found = Control::all().enumerate().find(|(_, control)| rest.starts_with(control.as_str()));
        let length = match found {
            Some((id, control)) => {
                ids.push(u32::try_from(id).unwrap());
                control.as_str().len()
            }
            None => {
                ids.push(1000 + u32::from(rest.as_bytes()[0]));
                1
            }
        };
        // A control token is ASCII, and is not looked for inside of a character.
        let mut end = length;
        while !rest.is_char_boundary(end) {
            ids.push(1000 + u32::from(rest.as_bytes()[end]));
            end += 1;
        }
        rest = &rest[end..];
    }
    ids
}
