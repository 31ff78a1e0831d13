//! Texts that know where each of their pieces comes from: the template, or whoever filled in the chat.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use crate::marking::{holds, is_bracket};

/// A stretch of text from one source.
#[derive(Clone, Debug)]
pub(in crate::template) enum Piece<'r> {
    /// The template's own, in which control tokens may be spelt.
    Template(&'r str),
    /// The chat's.
    Chat(&'r str),
    /// Made of the chat's, such as JSON.
    Made(Rc<str>),
}

impl<'r> Piece<'r> {
    pub(in crate::template) fn as_str(&self) -> &str {
        match self {
            Piece::Template(text) | Piece::Chat(text) => text,
            Piece::Made(text) => text,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The part that the function cuts out.
    fn part(&self, cut: impl Fn(&str) -> &str) -> Piece<'r> {
        match self {
            Piece::Template(text) => Piece::Template(cut(text)),
            Piece::Chat(text) => Piece::Chat(cut(text)),
            Piece::Made(text) => Piece::Made(cut(text).into()),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Text<'r> {
    One(Piece<'r>),
    /// None of them empty.
    Joined(Rc<[Piece<'r>]>),
}

impl<'r> Text<'r> {
    pub(super) fn template(text: &'r str) -> Self {
        Text::One(Piece::Template(text))
    }

    pub(super) fn chat(text: &'r str) -> Self {
        Text::One(Piece::Chat(text))
    }

    pub(super) fn made(text: impl Into<Rc<str>>) -> Self {
        Text::One(Piece::Made(text.into()))
    }

    pub(super) fn joined(pieces: impl IntoIterator<Item = Piece<'r>>) -> Self {
        let mut pieces: Vec<_> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        match pieces.len() {
            0 => Text::template(""),
            1 => pieces.pop().map_or(Text::template(""), Text::One),
            _ => Text::Joined(pieces.into()),
        }
    }

    pub(super) fn pieces(&self) -> &[Piece<'r>] {
        match self {
            Text::One(piece) => std::slice::from_ref(piece),
            Text::Joined(pieces) => pieces,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces().iter().all(Piece::is_empty)
    }

    pub(super) fn bytes(&self) -> usize {
        self.pieces().iter().map(|piece| piece.as_str().len()).sum()
    }

    pub(super) fn characters(&self) -> usize {
        self.pieces().iter().map(|piece| piece.as_str().chars().count()).sum()
    }

    /// The text itself, wherever it comes from.
    pub(super) fn content(&self) -> Cow<'_, str> {
        match self.pieces() {
            [piece] => Cow::Borrowed(piece.as_str()),
            pieces => pieces.iter().map(Piece::as_str).collect(),
        }
    }

    pub(super) fn then(&self, other: &Text<'r>) -> Self {
        Text::joined(self.pieces().iter().chain(other.pieces()).cloned())
    }

    /// Without such characters at its beginning.
    pub(super) fn trimmed_start(&self, drop: impl Fn(char) -> bool) -> Self {
        let blank = |piece: &&Piece<'r>| piece.as_str().chars().all(&drop);
        let mut pieces = self.pieces().iter().skip_while(blank);
        let first = pieces.next().map(|first| first.part(|text| text.trim_start_matches(&drop)));
        Text::joined(first.into_iter().chain(pieces.cloned()))
    }

    /// Without such characters at its end.
    pub(super) fn trimmed_end(&self, drop: impl Fn(char) -> bool) -> Self {
        let blank = |piece: &&Piece<'r>| piece.as_str().chars().all(&drop);
        let pieces = self.pieces();
        let kept = pieces.len() - pieces.iter().rev().take_while(blank).count();
        let Some((last, before)) = pieces.get(..kept).and_then(<[_]>::split_last) else { return Text::template("") };
        let last = last.part(|text| text.trim_end_matches(&drop));
        Text::joined(before.iter().cloned().chain([last]))
    }

    /// The text in characters; none where it has several pieces.
    pub(super) fn each_character(&self) -> Option<Vec<Self>> {
        let Text::One(piece) = self else { return None };
        let ends = piece.as_str().char_indices().map(|(at, character)| at..at + character.len_utf8());
        Some(ends.map(|range| Text::One(piece.part(|text| text.get(range.clone()).unwrap_or_default()))).collect())
    }

    /// The characters from one place to another, counted from the end where negative.
    pub(super) fn slice(&self, range: [Option<i64>; 2]) -> Self {
        let range = bounds(self.characters(), range);
        let (mut at, mut taken) = (0, Vec::new());
        for piece in self.pieces() {
            let count = piece.as_str().chars().count();
            let own = [range.start.saturating_sub(at).min(count), range.end.saturating_sub(at).min(count)];
            at += count;
            let byte = |place: usize| {
                let text = piece.as_str();
                if place == count {
                    text.len()
                } else {
                    text.char_indices().nth(place).map_or(text.len(), |(at, _)| at)
                }
            };
            let [start, end] = own.map(byte);
            taken.push(piece.part(|text| text.get(start..end).unwrap_or_default()));
        }
        Text::joined(taken)
    }

    /// What stands between the separators; none where it has several pieces.
    pub(super) fn split(&self, separator: &str) -> Option<Vec<Self>> {
        let Text::One(piece) = self else { return None };
        let mut at = 0;
        let parts = piece.as_str().split(separator).map(|part| {
            let range = at..at + part.len();
            at = range.end + separator.len();
            Text::One(piece.part(|text| text.get(range.clone()).unwrap_or_default()))
        });
        Some(parts.collect())
    }

    /// Is a part of it the template's own?
    pub(super) fn is_templates_in_part(&self) -> bool {
        self.pieces().iter().any(|piece| matches!(piece, Piece::Template(_)))
    }

    /// Could the template spell a control token in it, or a part of one?
    pub(super) fn spells_control(&self) -> bool {
        let own = self.pieces().iter().filter(|piece| matches!(piece, Piece::Template(_)));
        own.map(Piece::as_str).any(|text| holds(text, is_bracket))
    }
}

/// The places that a slice takes of so many, as in Python.
pub(super) fn bounds(count: usize, [start, stop]: [Option<i64>; 2]) -> Range<usize> {
    let place = |bound: i64| match usize::try_from(bound) {
        Ok(place) => place.min(count),
        Err(_) => count.saturating_sub(usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, stop) = (start.map_or(0, place), stop.map_or(count, place));
    start..stop.max(start)
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.pieces(), other.pieces()) {
            ([one], [other]) => one.as_str() == other.as_str(),
            _ => self.bytes() == other.bytes() && self.content() == other.content(),
        }
    }
}
