//! Any text as JSON: written as Python writes it, which serde_json reads as the same values; or refused, as there.

use mistral_chat_template::json_schema::check_draft7;
use mistral_chat_template::python_json::{reformat, write_string};
use serde_json::Value;

pub fn run(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let mut written = String::new();
    write_string(source, &mut written);
    assert_eq!(serde_json::from_str::<String>(&written).expect("one JSON string"), source);

    let mut out = String::from("before ");
    let result = reformat(source, &mut out);
    let said = serde_json::from_str::<Value>(source);
    let schema = check_draft7(source);
    match result {
        Ok(()) => {
            let out = out.strip_prefix("before ").expect("what was there stays");
            let mut again = String::new();
            reformat(out, &mut again).expect("what was written is read");
            assert_eq!(again, out);
            assert_eq!(check_draft7(out).is_ok(), schema.is_ok());
            match said {
                Ok(said) => assert_same(&said, &serde_json::from_str(out).expect("what was written is JSON")),
                Err(error) => assert!(is_only_pythons(source), "{error}: {out}"),
            }
        }
        Err(error) => {
            assert_eq!(out, "before ");
            assert!(error.offset() <= source.len());
            assert!(schema.is_err() || !error.is_syntax(), "{error}");
            assert!(said.is_err() || !error.is_syntax(), "{error}");
        }
    }
}

/// Does the text have what Python takes and serde_json does not: NaN, numbers beyond `f64`, depth, half a pair?
fn is_only_pythons(source: &str) -> bool {
    let is_deep = source.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() >= 127;
    let has_long_number =
        source.contains(['e', 'E']) || source.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() > 300);
    is_deep || has_long_number || ["NaN", "Infinity", "\\ud", "\\uD"].iter().any(|part| source.contains(part))
}

/// The same, but for the last digits of numbers, which serde_json rounds.
fn assert_same(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter().zip(other).for_each(|(one, other)| assert_same(one, other));
        }
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter().for_each(|(key, one)| assert_same(one, &other[key]));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().expect("a number"), other.as_f64().expect("a number"));
            assert!((one - other).abs() <= one.abs() * 1e-14, "{one} {other}");
        }
        (one, other) => assert_eq!(one, other),
    }
}
