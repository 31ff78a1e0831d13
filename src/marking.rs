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

/// What begins the first characters of that area in UTF-8, and nothing else before `U+E000`.
const PRIVATE_USE_LEAD: u8 = 0xEE;

/// How many bytes are looked at as one, without a way out between them, which vector instructions do.
const BLOCK: usize = 64;

#[inline]
fn any(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |any, byte| any | u8::from(is(*byte))) != 0
}

/// Is there such a byte?
#[inline]
pub(crate) fn holds(text: &str, is: impl Fn(u8) -> bool) -> bool {
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    blocks.iter().any(|block| any(block, &is)) || any(rest, &is)
}

/// The place of the first such byte.
#[inline]
pub(crate) fn find(text: &str, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (blocks, _) = text.as_bytes().as_chunks::<BLOCK>();
    let before: usize = blocks.iter().take_while(|block| !any(*block, &is)).map(|block| block.len()).sum();
    let place = text.as_bytes().get(before..)?.iter().position(|byte| is(*byte))?;
    Some(before + place)
}

#[inline]
pub(crate) const fn is_open(byte: u8) -> bool {
    byte == b'[' || byte == b'<'
}

#[inline]
pub(crate) const fn is_bracket(byte: u8) -> bool {
    is_open(byte) || byte == b']' || byte == b'>'
}

impl Mark {
    /// So many marks, none of which occurs in any of the texts; none where they use nearly every character there is.
    pub(crate) fn absent_from<'t, const N: usize>(texts: impl Iterator<Item = &'t str> + Clone) -> Option<[Mark; N]> {
        let candidates = PRIVATE_USE.chain('\u{F0000}'..=char::MAX);
        let mut used = HashSet::new();
        if texts.clone().any(|text| holds(text, |byte| byte == PRIVATE_USE_LEAD)) {
            let private = texts.flat_map(str::chars).filter(|character| *character >= *PRIVATE_USE.start());
            used.extend(private);
        }
        let mut absent = candidates.filter(|character| !used.contains(character)).map(Mark);
        let mut marks = [Mark(*PRIVATE_USE.start()); N];
        for mark in &mut marks {
            *mark = absent.next()?;
        }
        Some(marks)
    }

    /// The character itself.
    pub(crate) const fn character(self) -> char {
        self.0
    }

    /// The text with marks; as it is where no literal could form.
    pub(crate) fn mark<'t>(self, text: &'t str) -> Cow<'t, str> {
        let Mark(mark) = self;
        if !holds(text, is_bracket) {
            return match is_inside_of_literal(text) {
                true => Cow::Owned(format!("{mark}{text}{mark}")),
                false => Cow::Borrowed(text),
            };
        }
        let mut marked = String::with_capacity(text.len() + text.len() / 8 + 8);
        let mut rest = text;
        while let Some(at) = find(rest, is_bracket) {
            let (inner, bracket) = (rest.get(..at).unwrap_or_default(), rest.get(at..=at).unwrap_or_default());
            marked.push_str(inner);
            match bracket {
                "[" | "<" => {
                    marked.push_str(bracket);
                    marked.push(mark);
                }
                _ => {
                    marked.push(mark);
                    marked.push_str(bracket);
                }
            }
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        marked.push_str(rest);
        Cow::Owned(marked)
    }

    /// The stretches of a text between marks.
    pub(crate) fn split(self, text: &str) -> impl Iterator<Item = &str> {
        text.split(self.0)
    }
}

/// Could trusted brackets around the text, which has none, make a literal of it?
pub(crate) fn is_inside_of_literal(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'/' | b'u' | b'n' | b'k' | b's');
    !text.is_empty() && text.bytes().all(inside) && Control::all().any(|control| control.as_str().contains(text))
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
    fn every_literal_has_an_inside_that_is_known() {
        for control in Control::all() {
            let inside = control.as_str().trim_matches(|bracket: char| bracket.is_ascii() && is_bracket(bracket as u8));
            assert!(is_inside_of_literal(inside), "{control}");
        }
    }

    #[test]
    fn brackets_are_found_wherever_they_are() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let text = format!("{}>é[", "x".repeat(length));
            assert_eq!(find(&text, is_bracket), Some(length));
            assert_eq!(find(&text, is_open), Some(length + 3));
            assert_eq!(find(&text, |byte| byte == b'<'), None);
            assert_eq!(MARK.mark(&text), format!("{}\u{E000}>é[\u{E000}", "x".repeat(length)));
        }
    }

    #[test]
    fn texts_without_private_use_are_not_collected() {
        let texts = ["plain", "Ünïcödé", "日本語", "\u{FF01}", "\u{1F600}"];
        let info = allocation_counter::measure(|| assert_eq!(Mark::absent_from(texts.into_iter()), Some([MARK])));
        assert_eq!(info.count_total, 0);
    }

    #[test]
    fn the_mark_is_one_that_no_text_has() {
        assert_eq!(
            Mark::absent_from(["a", "\u{E000}\u{E002}"].into_iter()),
            Some([Mark('\u{E001}'), Mark('\u{E003}')])
        );
        assert_eq!(Mark::absent_from(["\u{F8FF}\u{1F600}"].into_iter()), Some([MARK]));
        let all: String = PRIVATE_USE.collect();
        assert_eq!(Mark::absent_from([&*all].into_iter()), Some([Mark('\u{F0000}')]));
        let every: String = (*PRIVATE_USE.start()..=char::MAX).collect();
        assert_eq!(Mark::absent_from::<1>([&*every].into_iter()), None);
    }
}
