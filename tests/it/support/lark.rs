//! What of a printed grammar is grammar; `fuzz/src/grammar.rs` reads grammars with this file too.

/// What of a Lark grammar is neither a literal, nor a regular expression, nor JSON.
pub fn lark_skeleton(lark: &str) -> String {
    let (mut skeleton, mut rest) = (String::new(), lark);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '/' => {
                let mut escapes = false;
                let end = rest[1..].find(|char| {
                    let is_escaped = std::mem::replace(&mut escapes, false);
                    escapes = char == '\\' && !is_escaped;
                    char == first && !is_escaped
                });
                let literal = &rest[..end.expect("a literal ends") + 2];
                assert!(!literal.contains('\n'), "{literal}");
                literal.len()
            }
            '%' => {
                let json = rest.strip_prefix("%json ").expect("no other directive");
                let mut values = serde_json::Deserializer::from_str(json).into_iter::<serde::de::IgnoredAny>();
                values.next().expect("a schema").expect("JSON");
                rest.len() - json.len() + values.byte_offset()
            }
            char => {
                skeleton.push(char);
                rest = &rest[char.len_utf8()..];
                continue;
            }
        };
        skeleton.push(first);
        rest = &rest[length..];
    }
    skeleton
}
