//! Answers JSON lines, for `tests/oracle/python_json.py`, which compares the answers with Python's.
//!
//! `{"source": "[1,2]"}` is answered with `{"ok": true, "out": "[1, 2]"}`, and
//! `{"schema": "{\"type\": 1}"}` with `{"ok": false, "error": "type: must be …"}`. Text that is
//! not JSON at all is answered with `"syntax": true`.

use std::io::{self, BufRead, BufWriter, Write};

use mistral_chat_template::json_schema::{SchemaError, check_draft7};
use mistral_chat_template::python_json::{JsonError, reformat, write_string};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Source(String),
    Schema(String),
}

fn main() -> io::Result<()> {
    let mut answers = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Request::Source(source) => answer_source(&source),
            Request::Schema(schema) => answer_schema(&schema),
        };
        writeln!(answers, "{answer}")?;
    }
    answers.flush()
}

fn answer_source(source: &str) -> String {
    let mut out = String::new();
    match reformat(source, &mut out) {
        Ok(()) => {
            let mut answer = String::from(r#"{"ok": true, "out": "#);
            write_string(&out, &mut answer);
            answer + "}"
        }
        Err(error) => refusal(&error.to_string(), Some(error)),
    }
}

fn answer_schema(schema: &str) -> String {
    match check_draft7(schema) {
        Ok(()) => String::from(r#"{"ok": true}"#),
        Err(SchemaError::Json(error)) => refusal(&error.to_string(), Some(error)),
        Err(error) => refusal(&error.to_string(), None),
    }
}

fn refusal(message: &str, json: Option<JsonError>) -> String {
    let syntax = json.is_some_and(|error| error.is_syntax());
    let mut answer = format!(r#"{{"ok": false, "syntax": {syntax}, "error": "#);
    write_string(message, &mut answer);
    answer + "}"
}
