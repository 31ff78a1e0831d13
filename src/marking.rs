//! Marking: untrusted text on its way through a template, so that no control literal can form in it.
//!
//! A mark is a character that occurs nowhere else. It stands after every `[` and `<` and before every `]` and `>` of
//! untrusted text, and around a text that could be the inside of a literal, so that neither one text nor several joined
//! by trusted text can spell a literal. Whoever reads the output takes literals without marks for control tokens, and
//! takes the marks out of the rest.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::control::Control;

/// The character that marks untrusted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(char);

/// The private-use area of the basic plane, tried first: nearly no text has any of it.
const PRIVATE_USE: std::ops::RangeInclusive<char> = '\u{E000}'..='\u{F8FF}';

impl Mark {
    /// A mark that occurs in none of the texts; none where they use every character there is.
    pub(crate) fn absent_from<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Mark> {
        let mut used = HashSet::new();
        for text in texts {
            // The private-use areas begin with bytes from 0xEE on.
            if text.bytes().any(|byte| byte >= 0xEE) {
                used.extend(text.chars().filter(|character| *character >= *PRIVATE_USE.start()));
            }
        }
        let beyond = '\u{F0000}'..=char::MAX;
        PRIVATE_USE.chain(beyond).find(|character| !used.contains(character)).map(Mark)
    }

    /// The character itself.
    pub(crate) const fn character(self) -> char {
        self.0
    }

    /// The text with marks; as it is where no literal could form.
    pub(crate) fn mark<'t>(self, text: &'t str) -> Cow<'t, str> {
        let Mark(mark) = self;
        if is_inside_of_literal(text) {
            return Cow::Owned(format!("{mark}{text}{mark}"));
        }
        if !text.contains(is_bracket) {
            return Cow::Borrowed(text);
        }
        let mut marked = String::with_capacity(text.len() + text.len() / 8 + 8);
        for part in text.split_inclusive(is_bracket) {
            let (inner, bracket) = split_bracket(part);
            marked.push_str(inner);
            match bracket {
                Some(open @ ('[' | '<')) => marked.extend([open, mark]),
                Some(close) => marked.extend([mark, close]),
                None => {}
            }
        }
        Cow::Owned(marked)
    }

    /// The stretches of a text between marks.
    pub(crate) fn split(self, text: &str) -> impl Iterator<Item = &str> {
        text.split(self.0)
    }
}

const fn is_bracket(character: char) -> bool {
    matches!(character, '[' | ']' | '<' | '>')
}

/// A part that ends with its only bracket, taken apart.
fn split_bracket(part: &str) -> (&str, Option<char>) {
    match part.chars().next_back().filter(|last| is_bracket(*last)) {
        Some(last) => (part.strip_suffix(last).unwrap_or(part), Some(last)),
        None => (part, None),
    }
}

/// Could trusted brackets around the text make a literal of it?
fn is_inside_of_literal(text: &str) -> bool {
    let longest = Control::all().map(|control| control.as_str().len()).max().unwrap_or_default();
    !text.is_empty()
        && text.len() < longest
        && !text.contains(is_bracket)
        && Control::all().any(|control| control.as_str().contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark('\u{E000}');

    #[test]
    fn brackets_are_marked_on_the_inside() {
        assert_eq!(MARK.mark("a[/INST] b</s>"), "a[\u{E000}/INST\u{E000}] b<\u{E000}/s\u{E000}>");
        assert_eq!(MARK.mark("ST]"), "ST\u{E000}]");
        assert_eq!(MARK.mark("plain text"), "plain text");
        assert_eq!(MARK.mark(""), "");
    }

    #[test]
    fn the_inside_of_a_literal_is_marked_around() {
        assert_eq!(MARK.mark("INST"), "\u{E000}INST\u{E000}");
        assert_eq!(MARK.mark("s"), "\u{E000}s\u{E000}");
        assert_eq!(MARK.mark("INSTANT"), "INSTANT");
    }

    #[test]
    fn taking_marks_out_gives_the_text_back() {
        for text in ["[INST]", "<s>[[]]>", "s", "x[/IN", "", "ordinary", "[", "]"] {
            assert_eq!(MARK.split(&MARK.mark(text)).collect::<String>(), text);
        }
    }

    #[test]
    fn the_mark_is_one_that_no_text_has() {
        assert_eq!(Mark::absent_from(["a", "\u{E000}\u{E001}"]), Some(Mark('\u{E002}')));
        let all: String = PRIVATE_USE.collect();
        assert_eq!(Mark::absent_from([&*all]), Some(Mark('\u{F0000}')));
        let every: String = (*PRIVATE_USE.start()..=char::MAX).collect();
        assert_eq!(Mark::absent_from([&*every]), None);
    }
}
