//! The text being written: runs of the source that are as Python writes them are copied whole.

use std::ops::Range;

/// What stands before a token.
#[derive(Clone, Copy)]
pub(super) enum Separator {
    Nothing,
    Comma,
    Colon,
}

/// A document that grows at the end of a string, token by token.
pub(super) struct Output<'s, 'o> {
    source: &'s str,
    out: &'o mut String,
    /// The part of the source that ends in the last token, is to be copied and is not yet.
    pending: Range<usize>,
}

impl<'s, 'o> Output<'s, 'o> {
    pub(super) fn new(source: &'s str, out: &'o mut String) -> Self {
        Output { source, out, pending: 0..0 }
    }

    /// Adds the token at `place` in the source as it is; returns its place in the output.
    #[inline]
    pub(super) fn copy(&mut self, separator: Separator, place: Range<usize>) -> Range<usize> {
        self.separate(separator, place.start);
        self.pending.end = place.end;
        let end = self.out.len() + self.pending.len();
        end - place.len()..end
    }

    /// Adds what `write` appends instead of the token at `place` in the source; returns its place
    /// in the output.
    pub(super) fn replace(
        &mut self,
        separator: Separator,
        place: Range<usize>,
        write: impl FnOnce(&mut String),
    ) -> Range<usize> {
        self.separate(separator, place.start);
        self.pending.end = place.start;
        let start = self.written().len();
        write(self.out);
        self.pending = place.end..place.end;
        start..self.out.len()
    }

    /// The output as it is now.
    pub(super) fn written(&mut self) -> &mut String {
        let run = self.source.get(self.pending.clone()).unwrap_or_default();
        self.out.push_str(run);
        self.pending.start = self.pending.end;
        self.out
    }

    /// Sees to it that the separator comes next, and then what the source has at `start`.
    #[inline]
    fn separate(&mut self, separator: Separator, start: usize) {
        let between = self.source.as_bytes().get(self.pending.end..start);
        match (separator, between.unwrap_or_default()) {
            (Separator::Nothing, []) | (Separator::Comma, b", ") | (Separator::Colon, b": ") => {}
            (Separator::Comma, [b',']) | (Separator::Colon, [b':']) => {
                self.pending.end += 1;
                self.written().push(' ');
                self.pending = start..start;
            }
            (separator, _) => {
                self.written().push_str(match separator {
                    Separator::Nothing => "",
                    Separator::Comma => ", ",
                    Separator::Colon => ": ",
                });
                self.pending = start..start;
            }
        }
    }
}
