//! A line into the shorter lines that Python's `textwrap.wrap` makes of it.

use std::ops::Range;

use super::characters::{decimal_digit, is_word};

/// How a line is wrapped.
#[derive(Debug)]
pub(crate) struct Wrap {
    /// The longest line, in characters.
    pub(crate) width: usize,
    pub(crate) break_words: bool,
    pub(crate) on_hyphens: bool,
}

/// A word, or the white space between two.
#[derive(Clone, Debug)]
struct Chunk {
    bytes: Range<usize>,
    length: usize,
    is_blank: bool,
}

/// The lines, as ranges of bytes; white space at their ends is left out.
pub(crate) fn wrapped(line: &str, wrap: &Wrap) -> Vec<Range<usize>> {
    let characters: Vec<(usize, char)> = line.char_indices().collect();
    let byte = |place: usize| characters.get(place).map_or(line.len(), |(at, _)| *at);
    let mut chunks: Vec<Chunk> = chunks(&characters, wrap.on_hyphens)
        .into_iter()
        .map(|range| Chunk {
            bytes: byte(range.start)..byte(range.end),
            length: range.len(),
            is_blank: characters.get(range.start).is_some_and(|(_, character)| is_blank(*character)),
        })
        .collect();
    chunks.reverse();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let mut taken: Vec<Chunk> = Vec::new();
        let mut length = 0;
        if !lines.is_empty() {
            let _blank = chunks.pop_if(|chunk| chunk.is_blank);
        }
        while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.length <= wrap.width) {
            length += chunk.length;
            taken.push(chunk);
        }
        if let Some(long) = chunks.last_mut().filter(|chunk| chunk.length > wrap.width) {
            let room = wrap.width - length;
            if wrap.break_words {
                let text = line.get(long.bytes.clone()).unwrap_or_default();
                let mut cut = room;
                if wrap.on_hyphens {
                    let head: Vec<char> = text.chars().take(room).collect();
                    let hyphen = head.iter().rposition(|character| *character == '-');
                    if let Some(hyphen) = hyphen
                        && head.iter().take(hyphen).any(|character| *character != '-')
                    {
                        cut = hyphen + 1;
                    }
                }
                let at = text.char_indices().nth(cut).map_or(text.len(), |(at, _)| at);
                // Where there is no room, nothing is taken, and this nothing is what is left out at the end of the line.
                taken.push(Chunk {
                    bytes: long.bytes.start..long.bytes.start + at,
                    length: cut,
                    is_blank: cut == 0 || long.is_blank,
                });
                long.bytes.start += at;
                long.length -= cut;
            } else if taken.is_empty() {
                taken.extend(chunks.pop());
            }
        }
        let _blank = taken.pop_if(|chunk| chunk.is_blank);
        if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
            lines.push(first.bytes.start..last.bytes.end);
        }
    }
    lines
}

fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

fn is_letter(character: char) -> bool {
    is_word(character) && decimal_digit(character).is_none()
}

fn is_punctuated(character: char) -> bool {
    is_word(character) || matches!(character, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

/// Where words, hyphenated parts of words and the white space between them are, in characters.
fn chunks(characters: &[(usize, char)], on_hyphens: bool) -> Vec<Range<usize>> {
    let at = |place: usize| characters.get(place).map(|(_, character)| *character);
    let is = |place: Option<usize>, is: fn(char) -> bool| place.and_then(at).is_some_and(is);
    let dashes = |from: usize| (from..).take_while(|place| at(*place) == Some('-')).count();
    let mut found = Vec::new();
    let mut start = 0;
    while start < characters.len() {
        let mut end = start;
        if is(Some(start), is_blank) {
            while is(Some(end), is_blank) {
                end += 1;
            }
            found.push(start..end);
            start = end;
            continue;
        }
        // A word ends within text only before dashes that part it from the next.
        if is(start.checked_sub(1), is_punctuated) {
            end += dashes(start);
            found.push(start..end);
            start = end;
            continue;
        }
        loop {
            end += 1;
            if end >= characters.len() || is(Some(end), is_blank) {
                break;
            }
            if !on_hyphens {
                continue;
            }
            if is(Some(end - 1), is_punctuated) {
                let before_dashes = dashes(end);
                if before_dashes >= 2 && is(Some(end + before_dashes), is_word) {
                    break;
                }
            }
            if at(end) == Some('-') {
                let hyphen = end;
                let two = is(hyphen.checked_sub(1), is_letter) && is(hyphen.checked_sub(2), is_letter);
                let split = is(hyphen.checked_sub(1), is_punctuated)
                    && hyphen.checked_sub(2).and_then(at) == Some('-')
                    && is(hyphen.checked_sub(3), is_letter);
                let next = hyphen + 1;
                let further = if at(next + 1) == Some('-') { next + 2 } else { next + 1 };
                if (two || split) && is(Some(next), is_letter) && is(Some(further), is_letter) {
                    end += 1;
                    break;
                }
            }
        }
        found.push(start..end);
        start = end;
    }
    found
}
