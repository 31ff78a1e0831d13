//! The crate's JSON against Python's: goldens from `tests/oracle/python_json.py`, and invariants.

use mistral_chat_template::python_json::{JsonError, reformat, write_string};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

fn reformatted(source: &str) -> Result<String, JsonError> {
    let mut out = String::new();
    reformat(source, &mut out).map(|()| out)
}

#[derive(Deserialize)]
struct Golden {
    source: String,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    /// What Python writes.
    Out(String),
    /// `syntax` for a `JSONDecodeError`; `value` for JSON that Python or UTF-8 cannot hold.
    Verdict(String),
}

#[test]
fn agrees_with_python() {
    for line in include_str!("../goldens/python_json.jsonl").lines() {
        let golden: Golden = serde_json::from_str(line).unwrap();
        let source = &golden.source;
        match (reformatted(source), golden.expected) {
            (Ok(out), Expected::Out(expected)) => assert_eq!(out, expected, "{source}"),
            (Err(error), Expected::Verdict(verdict)) => {
                assert_eq!(error.is_syntax(), verdict == "syntax", "{source}: {error}");
            }
            (Ok(out), Expected::Verdict(verdict)) => panic!("{source}: {out}, not {verdict}"),
            (Err(error), Expected::Out(expected)) => panic!("{source}: {error}, not {expected}"),
        }
    }
}

#[test]
fn an_error_is_where_python_sees_it() {
    for (source, offset) in [("", 0), ("[1, two]", 4), (r#"{"city": 1 2}"#, 11), (r#"{"city" 1}"#, 8), ("[] []", 3)] {
        assert_eq!(reformatted(source).map_err(|error| error.offset()), Err(offset), "{source}");
    }
}

/// Text that looks much like JSON, and often is.
fn json_like() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        "\"([a-zé😀 ]|\\\\[\"\\\\/bfnrtu]|\\\\u[0-9a-fA-F]{4}|[\\x00-\\x1f]){0,6}\"",
        "\"[ab]{0,2}\"",
        "(true|false|null|NaN|-?Infinity|[a-z]{0,3})",
    ];
    leaf.prop_recursive(5, 60, 12, |inner| {
        let member = ("\"(a|b|c|\\\\u0061|[a-z]{1,3})\"", "[ \n]?:[ \t]?", inner.clone());
        prop_oneof![
            (prop::collection::vec(inner, 0..6), "[ ]?,[ \r]?")
                .prop_map(|(items, comma)| format!("[{}]", items.join(&comma))),
            (prop::collection::vec(member, 0..14), "[ ]?,[ \r]?").prop_map(|(members, comma)| {
                let members: Vec<_> = members.into_iter().map(|(key, colon, value)| key + &colon + &value).collect();
                format!("{{{}}}", members.join(&comma))
            }),
        ]
    })
}

/// Whether two values are the same, but for the last digits of numbers, which serde_json rounds.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let is_in_b = |(key, a)| b.get(key).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(is_in_b)
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-14,
            _ => false,
        },
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(crate::support::arbitrary::cases(300))]

    #[test]
    fn any_text_is_reformatted_or_refused(source in any::<String>(), before in ".{0,3}") {
        let mut out = before.clone();
        match reformat(&source, &mut out) {
            Ok(()) => prop_assert!(out.starts_with(&before)),
            Err(error) => {
                prop_assert_eq!(&out, &before);
                prop_assert!(error.offset() <= source.len());
            }
        }
    }

    #[test]
    fn what_was_written_is_not_changed_again(source in json_like()) {
        if let Ok(once) = reformatted(&source) {
            prop_assert_eq!(reformatted(&once), Ok(once));
        }
    }

    #[test]
    fn what_was_written_says_the_same(source in json_like()) {
        // JSON without what only Python takes.
        if let Ok(said) = serde_json::from_str::<Value>(&source) {
            let out = reformatted(&source);
            prop_assert!(out.is_ok(), "{:?}", out);
            let written = serde_json::from_str::<Value>(&out.unwrap_or_default());
            prop_assert!(written.is_ok_and(|written| is_same(&said, &written)));
        }
    }

    #[test]
    fn a_document_does_not_depend_on_what_stands_before_it(source in json_like(), before in ".{0,9}") {
        let mut out = before.clone();
        let result = reformat(&source, &mut out).map(|()| out.split_off(before.len()));
        prop_assert_eq!(result, reformatted(&source));
        prop_assert_eq!(out, before);
    }

    #[test]
    fn a_written_string_is_one_json_string(text in any::<String>()) {
        let mut written = String::new();
        write_string(&text, &mut written);
        prop_assert_eq!(serde_json::from_str::<String>(&written).ok(), Some(text));
        prop_assert_eq!(reformatted(&written), Ok(written));
    }
}
