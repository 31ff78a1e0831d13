//! Outputs at the edges of what can be read: what a strict and what a lenient reader says of each, whole and in pieces.
//! Each shows a way to read that no other line of the goldens does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use mistral_chat_template::completion::Leniency;
use mistral_chat_template::{Chat, Layout};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::completion_line::{self, Output, Stream, Wishes};

#[derive(Deserialize)]
struct Edge {
    version: String,
    completion: String,
    tools: Vec<String>,
    strict: Value,
    lenient: Value,
}

#[test]
fn every_edge_is_read_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/completion/edges.jsonl");
    let (mut count, mut others) = (0, Vec::new());
    for line in fs::read_to_string(path).unwrap().lines() {
        let mut now: Value = serde_json::from_str(line).unwrap();
        let edge: Edge = serde_json::from_str(line).unwrap();
        let layout: Layout = edge.version.parse().unwrap();
        let tool = |name: &String| json!({"type": "function", "function": {"name": name, "parameters": {}}});
        let request = json!({"messages": [], "tools": edge.tools.iter().map(tool).collect::<Vec<_>>()}).to_string();
        let chat = Chat::from_json(&request).unwrap();
        let output = Output::Text(edge.completion);
        for (leniency, name) in [(Leniency::Strict, "strict"), (Leniency::Lenient, "lenient")] {
            let answer =
                |stream| completion_line::read(&output, &layout, &Wishes { leniency, stream, tools: &chat.tools });
            let (streamed, whole) = (answer(Some(Stream::Streamed)), answer(Some(Stream::Whole)));
            let mut value = serde_json::to_value(&streamed).unwrap();
            value["streamed"] = value["deltas"].take();
            value["whole"] = serde_json::to_value(&whole).unwrap()["deltas"].take();
            value.as_object_mut().unwrap().remove("deltas");
            value["message"].as_object_mut().unwrap().remove("role");
            if let Some(error) = &streamed.error {
                value["error"] = json!(error.to_string());
            }
            for liberty in value.get_mut("liberties").and_then(Value::as_array_mut).into_iter().flatten() {
                *liberty = liberty["what"].take();
            }
            now[name] = value;
        }
        if now["strict"] != edge.strict || now["lenient"] != edge.lenient {
            others.push(now.to_string());
        }
        count += 1;
    }
    assert!(others.is_empty(), "{} of {count} read otherwise now:\n{}", others.len(), others.join("\n"));
    assert!(count >= 25, "{count} edges");
}
