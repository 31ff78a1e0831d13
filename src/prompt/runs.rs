//! A [`Prompt`] that goes on where it ended: places in it, what stands from a place on, and what is cut off there.

use super::{Body, Form, Piece, Prompt, Segment, Span, SpanKind};
use crate::layout::WordStart;

/// A place between two pieces of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bytes: usize,
    pub(super) pieces: usize,
}

/// A segment, how the tokenizer is to begin it, and where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run<'p> {
    pub(crate) segment: Segment<'p>,
    pub(crate) word_start: WordStart,
    /// The byte at which it begins, with the space that SentencePiece sets.
    pub(crate) start: usize,
    /// The message that it comes from, where from one.
    pub(crate) message: Option<usize>,
}

impl Run<'_> {
    /// Do two runs give a tokenizer the same?
    pub(crate) fn same_as(&self, other: &Run<'_>) -> bool {
        self.segment == other.segment && self.word_start == other.word_start
    }
}

impl Prompt {
    /// The place where the prompt ends.
    pub(crate) fn end(&self) -> Place {
        Place { bytes: self.text.len(), pieces: self.pieces.len() }
    }

    /// The segments from a place on.
    pub(crate) fn runs_from(&self, place: Place) -> impl Iterator<Item = Run<'_>> {
        let mut spans = self.spans_from(place).peekable();
        std::iter::from_fn(move || {
            let Span { range, kind, message, .. } = spans.next()?;
            let (segment, word_start) = match kind {
                SpanKind::Control(control) => (Segment::Control(control), WordStart::Nothing),
                SpanKind::Media(media) => (Segment::Media(media), WordStart::Nothing),
                SpanKind::Text(_) | SpanKind::MoreText => {
                    let word_start = if let SpanKind::Text(start) = kind { start } else { WordStart::Nothing };
                    let mut end = range.end;
                    while let Some(more) = spans.next_if(|next| next.kind == SpanKind::MoreText) {
                        end = more.range.end;
                    }
                    let text = self.text.get(range.start + word_start.printed().len()..end).unwrap_or_default();
                    (Segment::Text(text), word_start)
                }
            };
            Some(Run { segment, word_start, start: range.start, message })
        })
    }

    /// How many segments there are from a place on.
    pub(crate) fn count_runs(&self, place: Place) -> usize {
        let (mut count, mut is_text) = (0, false);
        for Piece { form: Form { open, body, close, .. }, .. } in self.pieces.get(place.pieces..).unwrap_or_default() {
            let goes_on = *body == Body::Rest && is_text && open.is_none();
            let says = *body != Body::Nothing && !goes_on;
            count += usize::from(open.is_some()) + usize::from(says) + usize::from(close.is_some());
            is_text = close.is_none()
                && match body {
                    Body::Run | Body::SpacedRun | Body::Rest => true,
                    Body::Image | Body::Audio => false,
                    Body::Nothing => is_text && open.is_none(),
                };
        }
        count
    }

    /// The spans behind the last one of which `is_before` is true, or all; those before it are not looked at.
    pub(crate) fn spans_behind(&self, is_before: impl Fn(&Span) -> bool) -> Vec<Span> {
        let mut behind = Vec::new();
        let starts = self.pieces.iter().rev().skip(1).map(|piece| piece.end).chain([0]);
        for (piece, start) in self.pieces.iter().rev().zip(starts) {
            let spans: Vec<Span> = piece.spans(start).collect();
            for span in spans.into_iter().rev() {
                if is_before(&span) {
                    behind.reverse();
                    return behind;
                }
                behind.push(span);
            }
        }
        behind.reverse();
        behind
    }

    pub(super) fn spans_from(&self, place: Place) -> impl Iterator<Item = Span> {
        let mut start = place.bytes;
        let pieces = self.pieces.get(place.pieces..).unwrap_or_default();
        pieces.iter().flat_map(move |piece| piece.spans(std::mem::replace(&mut start, piece.end)))
    }

    /// Appends what was cut off.
    pub(crate) fn join(&mut self, cut: Prompt) {
        let begin = self.text.len();
        self.text.push_str(&cut.text);
        self.pieces.extend(cut.pieces.into_iter().map(|piece| Piece { end: piece.end + begin, ..piece }));
    }

    /// Cuts off what stands from a place on.
    pub(crate) fn split_off(&mut self, place: Place) -> Prompt {
        let pieces = self.pieces.split_off(place.pieces.min(self.pieces.len()));
        let pieces = pieces.into_iter().map(|piece| Piece { end: piece.end - place.bytes, ..piece }).collect();
        let text =
            if self.text.is_char_boundary(place.bytes) { self.text.split_off(place.bytes) } else { String::new() };
        Prompt { text, pieces, ..Prompt::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Feature;
    use crate::{Chat, Chunk, Format, Message, Mode, Version};

    #[test]
    fn runs_are_counted_as_they_are_told() {
        let image = || Chunk::image_url("https://example.com/a.png");
        let thought = vec![Chunk::thinking("hm"), Chunk::text("b"), Chunk::text("c")];
        let chat = Chat::new([
            Message::system("S"),
            Message::user("a"),
            Message::user(vec![image(), Chunk::text("b"), image(), image()]),
            Message::assistant("b"),
            Message::assistant("c"),
            Message::user(vec![Chunk::text("d"), image()]),
            Message::user("e"),
        ]);
        let thinking = Chat::new([Message::user("a"), Message::user("b"), Message::assistant(thought)]);
        for version in Version::ALL {
            let layout = version.layout().with(Feature::Image).with(Feature::Think).in_mode(Mode::Agnostic);
            for prompt in [&chat, &thinking].map(|chat| layout.render(chat)).into_iter().flatten() {
                let ends = prompt.pieces.iter().map(|piece| piece.end);
                for (pieces, bytes) in std::iter::once(0).chain(ends).enumerate() {
                    let place = Place { bytes, pieces };
                    assert_eq!(prompt.count_runs(place), prompt.runs_from(place).count(), "{version} {prompt:?}");
                }
            }
        }
    }
}
