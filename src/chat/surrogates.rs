//! Lone surrogates in the escapes of JSON: Python reads and keeps them, Rust's text cannot hold them.
//!
//! mistral-common 1.13.1 gives its tokenizer such text as it is; Tekken's ids of it are those of U+FFFD. So U+FFFD is what
//! a lone surrogate becomes here.

/// What stands for a lone surrogate: as long as what it stands for.
const REPLACEMENT: &str = "\\ufffd";

/// The places of all escapes in JSON that are lone surrogates.
pub(crate) fn lone(json: &str) -> Vec<usize> {
    let bytes = json.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += step;
        at += match code_unit(json, at) {
            Some(0xd800..=0xdbff) if matches!(code_unit(json, at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                found.push(at);
                6
            }
            Some(_) | None => 2,
        };
    }
    found
}

/// The code unit of the escape at this place, if there is one.
fn code_unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// The JSON with U+FFFD for each lone surrogate; `None` where it has none.
pub(crate) fn replaced(json: &str) -> Option<String> {
    if !json.contains("\\u") {
        return None;
    }
    let lone = lone(json);
    if lone.is_empty() {
        return None;
    }
    let (mut whole, mut end) = (String::with_capacity(json.len()), 0);
    for at in lone {
        whole.push_str(json.get(end..at).unwrap_or_default());
        whole.push_str(REPLACEMENT);
        end = at + REPLACEMENT.len();
    }
    whole.push_str(json.get(end..).unwrap_or_default());
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for whole in [r#""a""#, r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9\n\\\"""#, r#""\ud8""#, "\"\\"] {
            assert_eq!(replaced(whole), None, "{whole}");
        }
        for (json, expected) in [
            (r#""cut \ud83d here""#, r#""cut \ufffd here""#),
            (r#""\uDE00\ud83d\ude00\ud83d""#, r#""\ufffd\ud83d\ude00\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\\ud83d\\""#, r#""\\\ufffd\\""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
        ] {
            assert_eq!(replaced(json).as_deref(), Some(expected), "{json}");
        }
    }
}
