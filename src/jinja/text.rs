//! Texts that know where each of their pieces comes from: the template itself, or a value that it was given.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// Who wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The author of the template: control tokens may be spelt in it.
    Template,
    /// Anybody else.
    Given,
}

/// A stretch of text from one origin.
#[derive(Clone, Debug)]
pub(crate) enum Piece<'r> {
    /// The template's own text.
    Template(&'r str),
    /// Text of a given value.
    Given(&'r str),
    /// Text that was made while rendering: a part of it, from one byte to another.
    Made(Rc<Made>, u32, u32),
}

#[derive(Debug)]
pub(crate) struct Made {
    text: String,
    origin: Origin,
}

impl<'r> Piece<'r> {
    fn made(text: String, origin: Origin) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Piece::Made(Rc::new(Made { text, origin }), 0, length)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Piece::Template(text) | Piece::Given(text) => text,
            Piece::Made(made, start, end) => made.text.get(*start as usize..*end as usize).unwrap_or_default(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        match self {
            Piece::Template(_) => Origin::Template,
            Piece::Given(_) => Origin::Given,
            Piece::Made(made, ..) => made.origin,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The bytes from one place to another.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Piece::Template(text) => Piece::Template(text.get(range).unwrap_or_default()),
            Piece::Given(text) => Piece::Given(text.get(range).unwrap_or_default()),
            Piece::Made(made, start, _) => {
                let place = |at: usize| start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
                Piece::Made(Rc::clone(made), place(range.start), place(range.end))
            }
        }
    }
}

/// A text of any number of pieces.
#[derive(Clone, Debug)]
pub(crate) struct Text<'r>(Pieces<'r>);

#[derive(Clone, Debug)]
enum Pieces<'r> {
    One(Piece<'r>),
    Many(Rc<Many<'r>>),
}

/// What takes more than one piece to say.
#[derive(Debug)]
struct Many<'r> {
    pieces: Vec<Piece<'r>>,
    /// Is it one of MarkupSafe's, which escapes what it is joined with?
    is_markup: bool,
}

impl<'r> Text<'r> {
    pub(crate) const EMPTY: Text<'static> = Text(Pieces::One(Piece::Template("")));

    pub(crate) fn one(piece: Piece<'r>) -> Self {
        Text(Pieces::One(piece))
    }

    pub(crate) fn template(text: &'r str) -> Self {
        Text::one(Piece::Template(text))
    }

    pub(crate) fn given(text: &'r str) -> Self {
        Text::one(Piece::Given(text))
    }

    /// A given text that had to be decoded.
    pub(crate) fn given_cow(text: Cow<'r, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text::given(text),
            Cow::Owned(text) => Text::one(Piece::made(text, Origin::Given)),
        }
    }

    pub(crate) fn made(text: &str, origin: Origin) -> Self {
        Text::one(Piece::made(text.to_owned(), origin))
    }

    pub(crate) fn joined(pieces: impl IntoIterator<Item = Piece<'r>>) -> Self {
        let mut pieces: Vec<_> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let pieces = match pieces.len() {
            0 => return Text::EMPTY,
            1 => pieces.pop().map_or(Pieces::One(Piece::Template("")), Pieces::One),
            _ => Pieces::Many(Rc::new(Many { pieces, is_markup: false })),
        };
        Text(pieces)
    }

    pub(crate) fn is_markup(&self) -> bool {
        matches!(&self.0, Pieces::Many(many) if many.is_markup)
    }

    pub(crate) fn markup(self, is_markup: bool) -> Self {
        if self.is_markup() == is_markup {
            return self;
        }
        Text(Pieces::Many(Rc::new(Many { pieces: self.pieces().to_vec(), is_markup })))
    }

    pub(crate) fn pieces(&self) -> &[Piece<'r>] {
        match &self.0 {
            Pieces::One(piece) => std::slice::from_ref(piece),
            Pieces::Many(many) => &many.pieces,
        }
    }

    /// The whole text, where it is one piece.
    pub(crate) fn as_one(&self) -> Option<&str> {
        match &self.0 {
            Pieces::One(piece) => Some(piece.as_str()),
            Pieces::Many(_) => None,
        }
    }

    /// Gives away each piece.
    pub(crate) fn for_each_piece(self, mut give: impl FnMut(Piece<'r>)) {
        match self.0 {
            Pieces::One(piece) => give(piece),
            Pieces::Many(many) => many.pieces.iter().for_each(|piece| give(piece.clone())),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces().iter().all(Piece::is_empty)
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces().iter().map(|piece| piece.as_str().len()).sum()
    }

    /// How many characters it has.
    pub(crate) fn length(&self) -> usize {
        self.pieces().iter().map(|piece| count(piece.as_str())).sum()
    }

    /// The text itself, wherever it comes from.
    pub(crate) fn content(&self) -> Cow<'_, str> {
        match self.pieces() {
            [piece] => Cow::Borrowed(piece.as_str()),
            pieces => pieces.iter().map(Piece::as_str).collect(),
        }
    }

    /// What is certain to be all of one origin.
    pub(crate) fn origin(&self) -> Origin {
        let own = self.pieces().iter().all(|piece| piece.origin() == Origin::Template);
        if own { Origin::Template } else { Origin::Given }
    }

    pub(crate) fn then(&self, other: &Text<'r>) -> Self {
        Text::joined(self.pieces().iter().chain(other.pieces()).cloned())
    }

    /// The bytes from one place to another, each as it was.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let text = match &self.0 {
            Pieces::One(piece) => Text::one(piece.part(range)),
            Pieces::Many(many) => {
                let mut at = 0;
                Text::joined(many.pieces.iter().filter_map(|piece| {
                    let (start, length) = (at, piece.as_str().len());
                    at += length;
                    let cut =
                        range.start.saturating_sub(start).min(length)..range.end.saturating_sub(start).min(length);
                    (cut.start < cut.end).then(|| piece.part(cut))
                }))
            }
        };
        text.markup(self.is_markup())
    }

    /// The characters from one place to another.
    pub(crate) fn characters(&self, range: Range<usize>) -> Self {
        let content = self.content();
        let place = |at: usize| byte_of(&content, at);
        let range = place(range.start)..place(range.end);
        self.part(range)
    }

    /// Each character by itself.
    pub(crate) fn each_character(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for piece in self.pieces() {
            let ends = piece.as_str().char_indices().map(|(at, character)| at..at + character.len_utf8());
            all.extend(ends.map(|range| Text::one(piece.part(range)).markup(self.is_markup())));
        }
        all
    }

    /// The text with each of its pieces changed.
    pub(crate) fn map(&self, mut change: impl FnMut(&str) -> String) -> Self {
        let pieces = self.pieces().iter().map(|piece| Piece::made(change(piece.as_str()), piece.origin()));
        Text::joined(pieces).markup(self.is_markup())
    }
}

/// How many characters a text has.
fn count(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The place in bytes of a character.
pub(crate) fn byte_of(text: &str, character: usize) -> usize {
    if text.is_ascii() {
        return character.min(text.len());
    }
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.as_one(), other.as_one()) {
            (Some(one), Some(other)) => one == other,
            _ => self.bytes() == other.bytes() && self.content() == other.content(),
        }
    }
}

/// Writes a text, piece by piece.
#[derive(Debug)]
pub(crate) struct Builder<'r> {
    pieces: Vec<Piece<'r>>,
    open: String,
    origin: Origin,
    bytes: usize,
}

/// Pieces that are shorter are copied rather than kept.
const SHORT: usize = 64;

impl<'r> Builder<'r> {
    pub(crate) fn new() -> Self {
        Builder { pieces: Vec::new(), open: String::new(), origin: Origin::Given, bytes: 0 }
    }

    /// How much has been written, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(Piece::made(std::mem::take(&mut self.open), self.origin));
        }
    }

    /// Somewhere to write text of this origin.
    pub(crate) fn writer(&mut self, origin: Origin) -> &mut String {
        if self.origin != origin {
            self.close();
            self.origin = origin;
        }
        &mut self.open
    }

    pub(crate) fn push(&mut self, text: &str, origin: Origin) {
        self.bytes += text.len();
        self.writer(origin).push_str(text);
    }

    pub(crate) fn piece(&mut self, piece: &Piece<'r>) {
        let (text, origin) = (piece.as_str(), piece.origin());
        if text.len() < SHORT {
            return self.push(text, origin);
        }
        self.bytes += text.len();
        self.close();
        self.pieces.push(piece.clone());
    }

    pub(crate) fn text(&mut self, text: &Text<'r>) {
        text.pieces().iter().for_each(|piece| self.piece(piece));
    }

    pub(crate) fn finish(mut self) -> Text<'r> {
        self.close();
        Text::joined(self.pieces)
    }
}
