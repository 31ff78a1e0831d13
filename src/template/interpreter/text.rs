//! Texts that know where each of their pieces comes from: the template, or whoever filled in the chat.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::python::is_space;

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

    /// Without the white space at its beginning.
    pub(super) fn trimmed_start(&self) -> Self {
        let blank = |piece: &&Piece<'r>| piece.as_str().chars().all(is_space);
        let mut pieces = self.pieces().iter().skip_while(blank);
        let first = pieces.next().map(|first| first.part(|text| text.trim_start_matches(is_space)));
        Text::joined(first.into_iter().chain(pieces.cloned()))
    }

    /// Without the white space at its end.
    pub(super) fn trimmed_end(&self) -> Self {
        let blank = |piece: &&Piece<'r>| piece.as_str().chars().all(is_space);
        let pieces = self.pieces();
        let kept = pieces.len() - pieces.iter().rev().take_while(blank).count();
        let Some((last, before)) = pieces.get(..kept).and_then(<[_]>::split_last) else { return Text::template("") };
        let last = last.part(|text| text.trim_end_matches(is_space));
        Text::joined(before.iter().cloned().chain([last]))
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.pieces(), other.pieces()) {
            ([one], [other]) => one.as_str() == other.as_str(),
            _ => self.bytes() == other.bytes() && self.content() == other.content(),
        }
    }
}
