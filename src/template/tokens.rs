//! The inside of one tag into tokens: each with its place, and how deep in brackets it stands.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    /// A string, with its quotes.
    Text,
    Sign,
}

/// What stands before a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Previous {
    /// An operator, or nothing: a literal can begin.
    #[default]
    Operator,
    /// A value, which an index or a call can follow.
    Value,
    /// `for` or `set`, which names follow.
    Target,
}

/// One token of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    /// Where it begins.
    pub(super) start: usize,
    /// How many brackets are open around it; a bracket is not in itself.
    pub(super) depth: usize,
    pub(super) previous: Previous,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Does it begin a list, a dict or a tuple, or put an expression in parentheses, and is no index and no call?
    pub(super) fn opens_literal(&self) -> bool {
        self.opens() && self.previous == Previous::Operator
    }

    fn opens(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text, "(" | "[" | "{")
    }

    /// Is it a name whose value is not known beforehand?
    pub(super) fn is_dynamic(&self) -> bool {
        self.kind == Kind::Name && !matches!(self.text, "true" | "false" | "none" | "True" | "False" | "None")
    }

    /// Is it an operator that is spelt as a word?
    pub(super) fn is_word_operator(&self) -> bool {
        self.kind == Kind::Name && matches!(self.text, "not" | "and" | "or" | "if" | "else" | "in" | "is")
    }

    /// Is it something that makes the engine's parser go one level down?
    pub(super) fn is_operator(&self) -> bool {
        match self.kind {
            Kind::Name => self.is_word_operator(),
            Kind::Sign => !matches!(self.text, ")" | "]" | "}" | "," | ":"),
            Kind::Number | Kind::Text => false,
        }
    }
}

/// The tokens up to `end`, and where that is; nowhere in a tag that is not closed. The signs at both ends that control
/// white space are no tokens.
pub(super) fn tokens<'s>(rest: &'s str, end: &str) -> (Vec<Token<'s>>, Option<usize>) {
    let (mut tokens, mut open): (Vec<Token<'s>>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut at, mut previous) = (usize::from(rest.starts_with(is_control)), Previous::default());
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(end) && !open.contains(&"{") {
            let controls = |last: &mut Token<'_>| last.text.starts_with(is_control) && last.end() == at;
            let _control = tokens.pop_if(controls);
            return (tokens, Some(at));
        }
        let Some((kind, text)) = first_token(tail) else { break };
        at += text.len();
        let Some(kind) = kind else { continue };
        let start = at - text.len();
        let mut token = Token { kind, text, start, depth: open.len(), previous };
        if token.opens() {
            open.push(text);
        } else if kind == Kind::Sign && matches!(text, ")" | "]" | "}") {
            open.pop();
            token.depth = open.len();
        }
        previous = after(&token);
        tokens.push(token);
    }
    (tokens, None)
}

fn after(token: &Token<'_>) -> Previous {
    match (token.kind, token.text) {
        (Kind::Name, "not" | "and" | "or" | "if" | "else" | "in" | "is" | "elif") => Previous::Operator,
        (Kind::Name, "for" | "set") => Previous::Target,
        (Kind::Sign, ")" | "]" | "}") | (Kind::Name | Kind::Number | Kind::Text, _) => Previous::Value,
        (Kind::Sign, _) => Previous::Operator,
    }
}

/// The token that a text begins with, or white space, which has no kind; none where a string is not closed.
fn first_token(tail: &str) -> Option<(Option<Kind>, &str)> {
    let first = tail.chars().next()?;
    let (kind, length) = match first {
        '"' | '\'' => (Some(Kind::Text), string_length(tail.as_bytes())?),
        _ if first.is_ascii_whitespace() => (None, 1),
        _ if is_word(first) => {
            let kind = if first.is_ascii_digit() { Kind::Number } else { Kind::Name };
            (Some(kind), tail.find(|character| !is_word(character)).unwrap_or(tail.len()))
        }
        _ => {
            let double = ["==", "!=", "<=", ">=", "//", "**"].iter().any(|sign| tail.starts_with(sign));
            (Some(Kind::Sign), if double { 2 } else { first.len_utf8() })
        }
    };
    Some((kind, tail.get(..length)?))
}

fn is_control(character: char) -> bool {
    matches!(character, '-' | '+')
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The length of the string that the bytes begin with, quotes included.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let quote = bytes.first()?;
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_ends_outside_of_quotes_and_dicts() {
        let (found, end) = tokens("a == {'}}': [b]} }} c", "}}");
        assert_eq!(end, Some(17));
        let texts: Vec<_> = found.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", "==", "{", "'}}'", ":", "[", "b", "]", "}"]);
        let depths: Vec<_> = found.iter().map(|token| token.depth).collect();
        assert_eq!(depths, [0, 0, 0, 1, 1, 1, 2, 1, 0]);
        assert_eq!(tokens("'never closed }}", "}}").1, None);
        let (controlled, _) = tokens("- - a -}}", "}}");
        assert_eq!(controlled.iter().map(|token| token.text).collect::<Vec<_>>(), ["-", "a"]);
    }

    #[test]
    fn indexes_and_calls_are_no_literals() {
        let literals = |source| {
            let (found, _) = tokens(source, "%}");
            found.iter().filter(|token| token.opens_literal()).map(|token| token.start).collect::<Vec<_>>()
        };
        assert_eq!(literals("if a[0] in [b(c)] %}"), [11]);
        assert_eq!(literals("for (a, b) in (c, d) %}"), [14]);
    }
}
