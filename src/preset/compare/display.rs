//! A report for a terminal of 80 columns, in the words of SillyTavern's page.

use std::fmt;

use super::probes::ABSENT;
use super::{Difference, Mend, Report, Weight};

/// How wide a terminal is taken to be.
const WIDTH: usize = 79;
/// How much is shown of what is sent at a place.
const SHOWN: usize = 44;
/// How much of an old value is shown.
const LONG: usize = 31;
/// How much of a new value is shown: more is not typed, but taken from a file.
const TYPED: usize = 90;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { layout, sends, expects, dead_end, differences } = self;
        let compared = if dead_end.is_some() { "nearest" } else { layout };
        let name = compared.chars().count().max(5) + 2;
        write_wrapped(f, &format!("{:<name$}", "sends"), &quoted(sends))?;
        write_wrapped(f, &format!("{compared:<name$}"), &quoted(expects))?;
        if let Some(dead_end) = dead_end {
            write_wrapped(f, &format!("No preset can send {layout}: "), dead_end.why)?;
            write_wrapped(f, "Nearest that one can: ", &dead_end.nearest)?;
            write_wrapped(f, "What that costs: ", dead_end.cost)?;
        }
        writeln!(f)?;
        match differences.len() {
            0 => return writeln!(f, "no difference"),
            1 => writeln!(f, "1 difference")?,
            count => writeln!(f, "{count} differences")?,
        }
        for (index, difference) in differences.iter().enumerate() {
            let number = format!("{:>2}. ", index + 1);
            let deliberate = match difference.kind.weight() {
                Weight::Wrong => "",
                Weight::Deliberate => " (perhaps on purpose)",
            };
            write_wrapped(f, &number, &format!("{difference}{deliberate}"))?;
        }
        let mends: Vec<_> = self.mends().collect();
        match mends.len() {
            0 => return Ok(()),
            1 => writeln!(f, "\nChange 1 field, under its label in SillyTavern and its key in the file:")?,
            count => {
                writeln!(f, "\nChange {count} fields, under their labels in SillyTavern and their keys in the file:")?
            }
        }
        for mend in mends {
            writeln!(f, "  {mend}")?;
        }
        match dead_end {
            None => writeln!(f, "Or take it whole: `compare_preset … --write FILE`, or `write_preset {layout}`."),
            Some(_) => writeln!(f, "Or take it whole: `compare_preset … --write FILE`."),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { kind, sends, expects, mends: _ } = self;
        if sends == ABSENT {
            return write!(f, "{kind}: {} is missing", shortened(expects, SHOWN));
        }
        write!(f, "{kind}: {} instead of {}", shortened(sends, SHOWN), shortened(expects, SHOWN))
    }
}

/// `User Message Prefix (instruct.input_sequence): "[INST]" -> "[INST] "`.
impl fmt::Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mend { field, label, from, to } = self;
        match label == field {
            true => write!(f, "{field}:")?,
            false => write!(f, "{label} ({field}):")?,
        }
        let is_short = |text: &str| text.chars().count() <= LONG;
        let changes = if is_short(from) && is_short(to) { Vec::new() } else { changes(from, to) };
        if changes.is_empty() {
            let (from, to) = (shortened(from, LONG), quoted(to));
            let length = label.len() + field.len() + from.chars().count() + to.chars().count() + 11;
            if length <= WIDTH {
                return write!(f, " {from} -> {to}");
            }
            return write_below(f, &format!("{from} -> {to}"));
        }
        changes.iter().try_for_each(|change| write_below(f, change))
    }
}

/// A text in quotes, with a sign for each end of a line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\n', "⏎").replace('\t', "⇥"))
}

/// Writes a text on lines of its own, broken where it must be.
fn write_below(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    const INDENT: usize = 6;
    let mut line = String::new();
    let mut length = 0;
    for piece in words(text) {
        let size = piece.chars().count();
        // The first word is shorter than a line.
        if INDENT + length + size > WIDTH {
            write!(f, "\n{:INDENT$}{line}", "")?;
            (line, length) = (String::new(), 0);
        }
        line.push_str(piece);
        length += size;
    }
    write!(f, "\n{:INDENT$}{line}", "")
}

/// The words of a text, each with the space after it; a short text in quotes is part of one.
fn unquoted_words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at += character.len_utf8();
        if character == '"' {
            let inside = text.get(at..).and_then(|rest| rest.split_once('"')).map(|(inside, _)| inside);
            at += inside.filter(|inside| inside.chars().count() <= SHOWN).map_or(0, |inside| inside.len() + 1);
        } else if character == ' ' {
            words.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words
}

/// Writes a text after a label, and what does not fit on its line below it.
fn write_wrapped(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let indent = Some(label.chars().count()).filter(|length| *length <= 12).unwrap_or(2);
    let mut line = label.to_owned();
    let mut length = label.chars().count();
    for word in unquoted_words(text) {
        let mut word = word;
        let mut size = word.chars().count();
        if length + word.trim_end().chars().count() > WIDTH && length > indent {
            writeln!(f, "{}", line.trim_end())?;
            (line, length) = (" ".repeat(indent), indent);
        }
        while length + word.trim_end().chars().count() > WIDTH {
            let cut = word.char_indices().nth(WIDTH - length).map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(cut);
            writeln!(f, "{line}{head}")?;
            (line, length, word, size) = (" ".repeat(indent), indent, tail, tail.chars().count());
        }
        line.push_str(word);
        length += size;
    }
    writeln!(f, "{}", line.trim_end())
}

/// What differs between two long texts, tag by tag: before and after the longest part that both have.
fn changes(from: &str, to: &str) -> Vec<String> {
    let (old, new) = (pieces(from), pieces(to));
    let Some((at_old, at_new, length)) = longest_common(&old, &new) else { return Vec::new() };
    let part = |start: usize, end: usize, pieces: &[&str]| pieces.get(start..end).unwrap_or_default().concat();
    let before = (part(0, at_old, &old), part(0, at_new, &new));
    let after = (part(at_old + length, old.len(), &old), part(at_new + length, new.len(), &new));
    let common = new.get(at_new..at_new + length).unwrap_or_default();
    let kept = part(0, at_old + length, &old);
    let first = change(from, "", (&before.0, &before.1), common.is_empty());
    let second = change(from, &kept, (&after.0, &after.1), true);
    first.into_iter().chain(second).collect()
}

/// What is to be changed of a text between its beginning that stays and, unless it is the last, more that stays.
fn change(whole_text: &str, kept: &str, (old, new): (&str, &str), is_last: bool) -> Option<String> {
    if old == new {
        return None;
    }
    // What both begin or end with is no change; a tag is all of it a change, or nothing.
    let whole = |text: &str, at: usize| match text.get(..at).and_then(|head| head.rfind("{{")) {
        Some(open) if !text.get(open..at).is_some_and(|tag| tag.contains("}}")) => open,
        _ => at,
    };
    let same = old.char_indices().zip(new.chars()).take_while(|((_, one), other)| one == other);
    let start = same.last().map_or(0, |((at, character), _)| at + character.len_utf8());
    let start = whole(old, start);
    let (old_rest, new_rest) = (old.get(start..).unwrap_or_default(), new.get(start..).unwrap_or_default());
    let same_end = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|(one, other)| one == other);
    let mut end: usize = same_end.map(|(character, _)| character.len_utf8()).sum();
    // Of a tag that only ends alike, the end is a part of the change.
    while end > 0 && [old_rest, new_rest].iter().any(|text| whole(text, text.len() - end) < text.len() - end) {
        end -= old_rest.get(old_rest.len() - end..).and_then(|tail| tail.chars().next()).map_or(end, char::len_utf8);
    }
    let old_part = old_rest.get(..old_rest.len() - end).unwrap_or_default();
    let new_part = new_rest.get(..new_rest.len() - end).unwrap_or_default();
    let kept = format!("{kept}{}", old.get(..start).unwrap_or_default());
    let place = match (kept.is_empty(), is_last) {
        (false, _) => format!("after {}", ending(&kept, whole_text)),
        (true, false) => "at the beginning".to_owned(),
        (true, true) => "at the end".to_owned(),
    };
    Some(match (old_part.is_empty(), new_part.is_empty()) {
        (true, _) => format!("{place} add {}", shortened(new_part, TYPED)),
        (false, true) => format!("{place} remove {}", shortened(old_part, LONG)),
        (false, false) => format!("{place} {} -> {}", shortened(old_part, LONG / 2), shortened(new_part, TYPED)),
    })
}

/// The last tag of a text, or its last characters; with what stands before where the whole has that more than once.
fn ending(text: &str, whole: &str) -> String {
    let pieces = pieces(text);
    for count in 1..=pieces.len() {
        let tail = pieces.get(pieces.len() - count..).unwrap_or_default().concat();
        let length = tail.chars().count();
        if count > 1 && length > LONG {
            break;
        }
        if whole.matches(tail.as_str()).count() == 1 {
            return match length.saturating_sub(LONG / 2) {
                skipped @ 1.. if count == 1 && !tail.starts_with("{{") => {
                    quoted(&format!("…{}", tail.chars().skip(skipped).collect::<String>()))
                }
                _ => quoted(&tail),
            };
        }
    }
    let last = pieces.last().copied().unwrap_or_default();
    let is_last = whole.rfind(last) == text.len().checked_sub(last.len());
    format!("{}{}", if is_last { "the last " } else { "" }, quoted(last))
}

/// A text of tags and the texts between them; the ends of lines are pieces of their own.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\n' => 1,
            '{' if rest.starts_with("{{") => rest.find("}}").map_or(rest.len(), |end| end + 2),
            _ => {
                let next = rest.match_indices(['\n', '{']).map(|(at, _)| at);
                let is_piece = |at: &usize| {
                    *at > 0 && rest.get(*at..).is_some_and(|tail| !tail.starts_with('{') || tail.starts_with("{{"))
                };
                next.into_iter().find(is_piece).unwrap_or(rest.len())
            }
        };
        let (piece, tail) = rest.split_at(length);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// The words of a text, each with the space after it; a tag is one.
fn words(text: &str) -> Vec<&str> {
    let words = pieces(text).into_iter().flat_map(|piece| {
        let is_tag = piece.starts_with("{{");
        piece.split_inclusive(move |character| character == ' ' && !is_tag)
    });
    words.collect()
}

/// The longest run of pieces that both have: where it begins in each, and how long it is. Of very long texts, what they
/// begin with.
fn longest_common(old: &[&str], new: &[&str]) -> Option<(usize, usize, usize)> {
    const MOST: usize = 1_000_000;
    if old.len().saturating_mul(new.len()) > MOST {
        let same = old.iter().zip(new).take_while(|(one, other)| one == other).count();
        return (same > 0).then_some((0, 0, same));
    }
    let mut best = (0, 0, 0);
    let mut above = vec![0; new.len() + 1];
    for (i, piece) in old.iter().enumerate() {
        let mut row = vec![0; new.len() + 1];
        for (j, other) in new.iter().enumerate() {
            if piece == other {
                let length = above.get(j).copied().unwrap_or(0) + 1;
                if let Some(cell) = row.get_mut(j + 1) {
                    *cell = length;
                }
                if length > best.2 {
                    best = (i + 1 - length, j + 1 - length, length);
                }
            }
        }
        above = row;
    }
    (best.2 > 0).then_some(best)
}

/// A text in quotes; of a long one its beginning and its end, cut between tags or words.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return quoted(text);
    }
    let words = words(text);
    let side = |words: &mut dyn Iterator<Item = &&str>| {
        let mut left = most / 2;
        let taken = words.take_while(|word| {
            let fits = word.chars().count() <= left;
            left = left.saturating_sub(word.chars().count());
            fits
        });
        taken.count()
    };
    let (head, tail) = (side(&mut words.iter()), side(&mut words.iter().rev()));
    let head = words.get(..head).unwrap_or_default().concat();
    let tail = words.get(words.len().saturating_sub(tail)..).unwrap_or_default().concat();
    quoted(&format!("{head}…{tail}"))
}
