//! What an operator of a tag stands between: a value with its members, calls and filters, and nothing else.

use std::ops::Range;

use super::tokens::{Kind, Previous, Token};

/// The operand that ends before the operator; none where it is made by another operator that binds more.
pub(super) fn before(tokens: &[Token<'_>], operator: usize) -> Option<Range<usize>> {
    let start = start(tokens, operator)?;
    let begins = start.checked_sub(1).and_then(|before| tokens.get(before)).is_none_or(|token| {
        matches!(token.text, "(" | "[" | "{" | "," | ":" | "=" | "not" | "and" | "or" | "if" | "else" | "elif")
            && token.kind != Kind::Text
    });
    begins.then_some(start..operator)
}

/// What an index by this bracket is taken of; none where it is not sure that a value begins there.
pub(super) fn indexed(tokens: &[Token<'_>], bracket: usize) -> Option<Range<usize>> {
    let start = start(tokens, bracket)?;
    // A test's argument needs no parentheses, and would be another one with them.
    let is_argument = match tokens.get(..start)? {
        [.., is, not] if not.text == "not" => is.text == "is",
        [.., is] => is.text == "is",
        [] => false,
    };
    (tokens.get(start)?.previous == Previous::Operator && !is_argument).then_some(start..bracket)
}

/// Where the value begins that ends before this place.
fn start(tokens: &[Token<'_>], end: usize) -> Option<usize> {
    let mut at = end.checked_sub(1)?;
    loop {
        let token = tokens.get(at)?;
        match token.kind {
            Kind::Sign => {
                at = token.partner.filter(|partner| *partner < at)?;
                if tokens.get(at)?.opens_literal() {
                    return Some(at);
                }
                at = at.checked_sub(1)?;
            }
            _ if token.is_word_operator() => return None,
            _ => match at.checked_sub(1).and_then(|before| tokens.get(before)) {
                Some(joint) if joint.is_sign(".") || joint.is_sign("|") => at = at.checked_sub(2)?,
                _ => return Some(at),
            },
        }
    }
}

/// The operand that begins after the operator; none where it is made by another operator that binds more.
pub(super) fn after(tokens: &[Token<'_>], operator: usize) -> Option<Range<usize>> {
    let start = operator + 1;
    let first = tokens.get(start).filter(|first| !first.is_word_operator())?;
    let mut at = match first.kind {
        Kind::Sign if first.opens() => first.partner? + 1,
        Kind::Sign => return None,
        _ => start + 1,
    };
    while let Some(next) = tokens.get(at).filter(|next| next.kind == Kind::Sign) {
        at = match next.text {
            "." | "|" => at + 2,
            "[" | "(" if next.previous == Previous::Value => next.partner? + 1,
            _ => break,
        };
    }
    let ends = tokens.get(at).is_none_or(|token| {
        matches!(token.text, ")" | "]" | "}" | "," | ":" | "and" | "or" | "if" | "else") && token.kind != Kind::Text
    });
    ends.then_some(start..at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tokens::tokens;

    #[track_caller]
    fn assert_operands(source: &str, before_it: Option<&str>, after_it: Option<&str>) {
        let (found, _) = tokens(&format!("{source} }}}}").leak()[..], "}}");
        let operator = found.iter().position(|token| token.is_sign("==")).unwrap();
        let text = |range: Range<usize>| &source[found[range.start].start..found[range.end - 1].end()];
        assert_eq!(before(&found, operator).map(text), before_it, "{source}");
        assert_eq!(after(&found, operator).map(text), after_it, "{source}");
    }

    #[test]
    fn operands_are_values_with_their_members() {
        assert_operands("not a['b'].c(d, e)|f == (g ~ h)[0]|i(1)", Some("a['b'].c(d, e)|f"), Some("(g ~ h)[0]|i(1)"));
        assert_operands("[a == b, c]", Some("a"), Some("b"));
        assert_operands("x if 'a' == 1 and b", Some("'a'"), Some("1"));
    }

    #[test]
    fn what_other_operators_make_is_none() {
        assert_operands("a ~ b == c + d", None, None);
        assert_operands("a is b == -c", None, None);
        assert_operands("a < b == c is d", None, None);
    }

    #[test]
    fn an_index_is_taken_of_a_value_with_its_members() {
        let of = |source: &'static str| {
            let (found, _) = tokens(source, "}}");
            let bracket = found.iter().rposition(|token| token.is_sign("[")).unwrap();
            indexed(&found, bracket).map(|range| &source[found[range.start].start..found[range.end - 1].end()])
        };
        assert_eq!(of("x ~ a['b'].c(d)[1][0] }}"), Some("a['b'].c(d)[1]"));
        assert_eq!(of("not (a ~ b)[0] }}"), Some("(a ~ b)"));
        assert_eq!(of("a - [b, c][0] }}"), Some("[b, c]"));
        for other in ["a is string[0] }}", "a is not string[0] }}", "a is string 'b'[0] }}", "do a[0] }}"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
