//! Text into [`Word`]s of what can be seen: spaces and newlines as marks, characters without a shape as their number.

use unicode_linebreak::linebreaks;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stays together on a row: up to where the next row may begin.
pub(crate) struct Word<'t> {
    pub(crate) runs: Vec<Run<'t>>,
    /// A newline ends it.
    pub(crate) ends_row: bool,
}

/// Characters that are shown as they are, or the mark that is shown instead of one.
#[derive(Clone, Copy)]
pub(crate) enum Run<'t> {
    Shown(&'t str),
    Mark(Mark),
}

/// What is shown instead of a character.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Sign(&'static str),
    /// A control character, as Unicode's picture of it.
    Picture(char),
    /// A character that cannot be seen, or that would move what can.
    Number(char),
}

/// The words of a text, each with the spaces or the newline that it ends with.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    breakable(text).flat_map(|part| part.split_inclusive('\n')).map(word)
}

/// The text cut wherever a row may end; never within what may be the slash of a token.
pub(crate) fn breakable(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    linebreaks(text).filter_map(move |(end, _)| {
        let part = text.get(start..end).filter(|part| !part.ends_with("[/") && !part.ends_with("</"))?;
        start = end;
        Some(part)
    })
}

/// The text of a JSON list, cut after each item's comma and space.
pub(crate) fn json_items(list: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth, mut in_string, mut escaped) = (Vec::new(), 0, 0_usize, false, false);
    for (at, char) in list.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 1 && list.get(..at).is_some_and(|before| before.ends_with(',')) => {
                items.extend(list.get(start..=at));
                start = at + 1;
            }
            _ => {}
        }
    }
    items.extend(list.get(start..));
    items
}

fn word(text: &str) -> Word<'_> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some((at, char, mark)) = rest.char_indices().find_map(|(at, c)| mark_for(c).map(|mark| (at, c, mark))) {
        let (shown, tail) = rest.split_at(at);
        if !shown.is_empty() {
            runs.push(Run::Shown(shown));
        }
        runs.push(Run::Mark(mark));
        rest = tail.get(char.len_utf8()..).unwrap_or_default();
    }
    if !rest.is_empty() {
        runs.push(Run::Shown(rest));
    }
    Word { runs, ends_row: text.ends_with('\n') }
}

fn mark_for(char: char) -> Option<Mark> {
    Some(match char {
        ' ' => Mark::Sign("·"),
        '\n' => Mark::Sign("⏎"),
        '\t' => Mark::Sign("→"),
        '\u{a0}' => Mark::Sign("⍽"),
        '\u{3000}' => Mark::Sign("□ "),
        '\0'..='\u{1f}' => Mark::Picture(char::from_u32(u32::from(char) + 0x2400)?),
        '\u{7f}' => Mark::Picture('␡'),
        // C1 controls, the soft hyphen, other spaces, separators, what turns the direction of text, tags.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{1680}'
        | '\u{180e}'
        | '\u{2000}'..='\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Mark::Number(char),
        _ => return None,
    })
}

impl Mark {
    pub(crate) fn shown(self) -> String {
        match self {
            Mark::Sign(sign) => sign.to_owned(),
            Mark::Picture(picture) => picture.to_string(),
            Mark::Number(char) => format!("‹U+{:04X}›", u32::from(char)),
        }
    }

    pub(crate) fn width(self) -> usize {
        match self {
            Mark::Sign(sign) => sign.width(),
            Mark::Picture(_) => 1,
            Mark::Number(char) => format!("{:04X}", u32::from(char)).len() + "‹U+›".width(),
        }
    }
}

impl Run<'_> {
    fn width(&self) -> usize {
        match self {
            Run::Shown(text) => text.width(),
            Run::Mark(mark) => mark.width(),
        }
    }
}

impl<'t> Word<'t> {
    /// A word that has neither spaces nor newlines.
    pub(crate) fn whole(text: &'t str) -> Self {
        Word { runs: vec![Run::Shown(text)], ends_row: false }
    }

    /// The columns that it needs. A mark at its end may stand in the column that is kept free for it.
    pub(crate) fn width(&self) -> usize {
        let hanging = matches!(self.runs.last(), Some(Run::Mark(Mark::Sign(_))));
        self.runs.iter().map(Run::width).sum::<usize>() - usize::from(hanging)
    }
}

/// The longest beginning of the text that fits into the columns, at least one character, and the rest.
pub(crate) fn fitting(text: &str, columns: usize) -> (&str, &str) {
    let mut width = 0;
    let end = text.char_indices().find_map(|(at, char)| {
        width += char.width().unwrap_or(0);
        (at > 0 && width > columns).then_some(at)
    });
    text.split_at(end.unwrap_or(text.len()))
}
