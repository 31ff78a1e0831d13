//! What a source is made of: the constructs that are known by their name alone, whether a render meets them or not.

use super::error::Done;
use super::lexer::{self, Token};

/// A construct, as the table of constructs names it, and its line.
pub(crate) type Written = (String, u32);

/// The constructs of a source, in its order: `filter trim`, `test defined`, `method split`, `statement macro`, `for if`.
pub(crate) fn constructs(source: &str) -> Done<Vec<Written>> {
    let source = lexer::normalized(source);
    let tokens = lexer::tokens(&source)?;
    let mut found = Vec::new();
    let mut loops = Vec::new();
    let mut tag = None;
    for (place, (token, line)) in tokens.iter().enumerate() {
        let near = |further: usize| tokens.get(place + further).map(|(token, _)| token);
        let before = place.checked_sub(1).and_then(|before| tokens.get(before)).map(|(token, _)| token);
        let mut note = |construct: String| found.push((construct, *line));
        match (token, near(1)) {
            (Token::BlockStart, Some(Token::Name(word))) => {
                tag = Some(*word);
                match *word {
                    "if" | "for" => loops.push(*word == "for"),
                    "endif" | "endfor" => drop(loops.pop()),
                    "else" if loops.last() == Some(&true) => note("for else".to_owned()),
                    "set" if is_block(tokens.get(place..).unwrap_or_default()) => {
                        note("statement set block".to_owned())
                    }
                    "set" if matches!(near(3), Some(Token::Sign(","))) => note("set unpacked".to_owned()),
                    "elif" | "else" | "set" => {}
                    word if word.starts_with("end") => {}
                    word => note(format!("statement {word}")),
                }
                if *word == "for" && matches!(near(3), Some(Token::Sign(","))) {
                    note("for unpacked".to_owned());
                }
            }
            (Token::BlockEnd | Token::PrintEnd, _) => tag = None,
            (Token::Name("if"), _) if tag == Some("for") && !is_inline(&tokens, place) => note("for if".to_owned()),
            (Token::Name("recursive"), Some(Token::BlockEnd)) if tag == Some("for") => note("for recursive".to_owned()),
            (Token::Sign("|"), Some(Token::Name(name))) => note(format!("filter {name}")),
            (Token::Name("is"), Some(Token::Name(word))) if !matches!(before, Some(Token::Sign("."))) => {
                let place = if *word == "not" { 2 } else { 1 };
                if let Some(Token::Name(name)) = near(place) {
                    note(format!("test {name}"));
                }
                if matches!(near(place + 1), Some(Token::Sign("("))) {
                    note("test with ()".to_owned());
                }
            }
            (Token::Sign("."), Some(Token::Name(name))) if matches!(near(2), Some(Token::Sign("("))) => {
                note(format!("method {name}"));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Does a `set` have a body?
fn is_block(tag: &[(Token<'_>, u32)]) -> bool {
    let mut within = tag.iter().map(|(token, _)| token).take_while(|token| !matches!(token, Token::BlockEnd));
    !within.any(|token| matches!(token, Token::Sign("=")))
}

/// Is the `if` at this place of a `for` tag one of `a if b else c`?
fn is_inline(tokens: &[(Token<'_>, u32)], place: usize) -> bool {
    let mut rest =
        tokens.iter().skip(place).map(|(token, _)| token).take_while(|token| !matches!(token, Token::BlockEnd));
    rest.any(|token| matches!(token, Token::Name("else")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructs_stand_in_their_order_with_their_lines() {
        let of = |source: &str| {
            let found = constructs(source).unwrap_or_default();
            found.into_iter().map(|(construct, line)| format!("{line} {construct}")).collect::<Vec<_>>()
        };
        for (source, expected) in [
            ("{% for a in x if a %}{% else %}{% endfor %}", &["1 for if", "1 for else"][..]),
            ("{% for a, b in x %}{% if a %}{% else %}{% endif %}{% endfor %}", &["1 for unpacked"]),
            ("{% for a in (b if c else d) %}{% endfor %}{% if a %}{% else %}{% endif %}", &[]),
            ("{% for a in x %}{{ a if b }}{% if c %}{% endif %}{% endfor %}{{ a if b }}", &[]),
            (
                "{% for a in x recursive %}{{ recursive }}{% endfor %}{% if recursive %}{% endif %}",
                &["1 for recursive"],
            ),
            (
                "{% set a = 1 %}\n{% set a, b = c %}\n{% set d %}{% endset %}",
                &["2 set unpacked", "3 statement set block"],
            ),
            ("{% set d|trim %}=={% endset %}", &["1 statement set block", "1 filter trim"]),
            ("{% if a is defined %}{% elif a is not none %}{% else %}{% endif %}", &["1 test defined", "1 test none"]),
            (
                "{{ a is eq(1) }}{{ a is not eq(1) }}{{ a is eq 1 }}",
                &["1 test eq", "1 test with ()", "1 test eq", "1 test with ()", "1 test eq"],
            ),
            ("{{ a.is.b.split('c').d }}\n{{ e.f }}{{ a.is b }}", &["1 method split"]),
            ("{{ a|trim|e }}{% macro f() %}{% endmacro %}", &["1 filter trim", "1 filter e", "1 statement macro"]),
        ] {
            assert_eq!(of(source), expected, "{source}");
        }
    }
}
