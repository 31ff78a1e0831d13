//! [`TekkenWords`]: what a Tekken vocabulary encodes at a time, without a regular expression's backtracking.

use regex_syntax::hir::{Class, HirKind};

/// How a Tekken vocabulary parts a text before it encodes it, in all files of Mistral's.
pub(crate) const TEKKEN_PATTERN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

/// May stand among the first letters of a word: `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`.
const FIRST: u8 = 1;
/// May stand among its last ones: `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
const LAST: u8 = 2;
/// May stand before the letters: `[^\r\n\p{L}\p{N}]`.
const BEFORE: u8 = 4;
/// `[^\s\p{L}\p{N}]`
const SYMBOL: u8 = 8;
/// `\s`
const SPACE: u8 = 16;
/// `[\r\n]`
const LINE_END: u8 = 32;
/// `\p{N}`
const NUMBER: u8 = 64;

/// The classes of the pattern that each character is in.
pub(crate) struct TekkenWords {
    classes: Box<[u8]>,
    /// The same by the byte, for ASCII; no class for any other byte.
    of_bytes: [u8; 256],
}

impl TekkenWords {
    /// Reads the classes from the tables of the regular expressions that the vocabulary is used with elsewhere.
    pub(crate) fn new() -> Result<Self, Box<regex_syntax::Error>> {
        let mut classes = vec![BEFORE | SYMBOL; char::MAX as usize + 1];
        let of_classes = [
            (r"[\p{Lu}\p{Lt}]", FIRST),
            (r"\p{Ll}", LAST),
            (r"[\p{Lm}\p{Lo}]", FIRST | LAST),
            (r"\p{M}", FIRST | LAST | BEFORE | SYMBOL),
            (r"\p{N}", NUMBER),
            (r"\s", SPACE | BEFORE),
            (r"[\r\n]", SPACE | LINE_END),
        ];
        for (pattern, class) in of_classes {
            let parsed = regex_syntax::parse(pattern).map_err(Box::new)?;
            let HirKind::Class(Class::Unicode(characters)) = parsed.kind() else { continue };
            for range in characters.ranges() {
                classes[range.start() as usize..=range.end() as usize].fill(class);
            }
        }
        let mut of_bytes = [0; 256];
        of_bytes[..128].copy_from_slice(&classes[..128]);
        Ok(TekkenWords { classes: classes.into(), of_bytes })
    }

    /// The matches of [`TEKKEN_PATTERN`]; each character of a text is in one.
    pub(crate) fn of<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let (word, after) = rest.split_at(self.end(rest));
            rest = after;
            (!word.is_empty()).then_some(word)
        })
    }

    /// The classes of the character at a position and the position after it; no class at the end.
    fn at(&self, text: &str, at: usize) -> (u8, usize) {
        match text.as_bytes().get(at) {
            Some(byte) if byte.is_ascii() => (self.of_bytes[usize::from(*byte)], at + 1),
            Some(_) => {
                text[at..].chars().next().map_or((0, at), |first| (self.classes[first as usize], at + first.len_utf8()))
            }
            None => (0, at),
        }
    }

    /// Where the characters of ASCII and of a class that begin at a position end.
    fn run_of_ascii(&self, text: &str, at: usize, class: u8) -> usize {
        let bytes = &text.as_bytes()[at..];
        at + bytes.iter().take_while(|byte| self.of_bytes[usize::from(**byte)] & class != 0).count()
    }

    /// Where the characters of a class that begin at a position end.
    fn run(&self, text: &str, mut at: usize, class: u8) -> usize {
        loop {
            at = self.run_of_ascii(text, at, class);
            match self.at(text, at) {
                (classes, after) if classes & class != 0 => at = after,
                _ => return at,
            }
        }
    }

    /// Where the first match in a text ends, if it is a word of ASCII, as most are: no character is of both the first
    /// letters and the last ones there, so that the pattern never goes back.
    fn end_of_ascii(&self, text: &str) -> Option<usize> {
        let before = text.bytes().next().is_some_and(|first| self.of_bytes[usize::from(first)] & BEFORE != 0);
        let last = self.run_of_ascii(text, usize::from(before), FIRST);
        let end = self.run_of_ascii(text, last, LAST);
        let goes_on = text.as_bytes().get(end).is_some_and(|next| !next.is_ascii());
        (end > last && !goes_on).then_some(end)
    }

    /// Where the first match in a text ends.
    fn end(&self, text: &str) -> usize {
        if let Some(end) = self.end_of_ascii(text) {
            return end;
        }
        let (first, after) = self.at(text, 0);
        if first & BEFORE != 0 {
            match self.letters(text, after) {
                Some((end, has_last)) if has_last || first & LAST == 0 => return end,
                _ => {}
            }
        }
        if let Some((end, _)) = self.letters(text, 0) {
            return end;
        }
        if first & NUMBER != 0 {
            return after;
        }
        let start = usize::from(text.starts_with(' '));
        let end = self.run(text, start, SYMBOL);
        if end > start {
            return end + text[end..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count();
        }
        self.white_space(text)
    }

    /// Where the letters of a word that begin at a position end, and whether there is one of the last among them.
    ///
    /// The last letters have to be one at least. Where none follows the first letters, the pattern goes back to the last
    /// of those that may be either.
    fn letters(&self, text: &str, start: usize) -> Option<(usize, bool)> {
        let (mut at, mut either) = (start, None);
        loop {
            let (classes, after) = self.at(text, at);
            if classes & FIRST == 0 {
                break;
            }
            at = after;
            if classes & LAST != 0 {
                either = Some(at);
            }
        }
        let end = self.run(text, at, LAST);
        match either {
            _ if end > at => Some((end, true)),
            Some(end) => Some((end, true)),
            None => (at > start).then_some((at, false)),
        }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end, else without the last space, which is of the next word.
    fn white_space(&self, text: &str) -> usize {
        let end = self.run(text, 0, SPACE);
        let spaces = &text[..end];
        match (spaces.rfind(['\r', '\n']), spaces.char_indices().next_back()) {
            (Some(line_end), _) => line_end + 1,
            (None, Some((last, _))) if last > 0 && end < text.len() => last,
            _ => end,
        }
    }
}
