//! [`Writer`]: control tokens and text into a [`Prompt`], each piece recorded as it is written.

use super::{Body, Form, Media, Origin, Piece, Place, Prompt, Segment};
use crate::control::Control;
use crate::layout::{self, Layout, WordStart};

/// Writes a prompt. Only [`control`](Writer::control), and the frames of a layout, make control tokens; text is never
/// searched for them.
pub(crate) struct Writer<'p> {
    prompt: &'p mut Prompt,
    word_start: WordStart,
    origin: Origin,
    /// Where the open text run begins, past the space before it; `None` while no run is open.
    run: Option<usize>,
}

impl<'p> Writer<'p> {
    /// A writer that begins the prompt anew.
    pub(crate) fn new(prompt: &'p mut Prompt, word_start: WordStart) -> Self {
        prompt.clear();
        Writer { prompt, word_start, origin: Origin::NONE, run: None }
    }

    /// A writer that begins a layout's prompt, which is for the layout's kind of tokenizer.
    pub(crate) fn of_layout(prompt: &'p mut Prompt, layout: &Layout) -> Self {
        let writer = Writer::new(prompt, layout.word_start);
        writer.prompt.tokenizer = Some(layout.tokenizer_kind());
        writer
    }

    /// A writer that goes on where the prompt ends.
    pub(crate) fn going_on(prompt: &'p mut Prompt, word_start: WordStart) -> Self {
        Writer { prompt, word_start, origin: Origin::NONE, run: None }
    }

    /// The place where the prompt ends by now.
    pub(crate) fn place(&self) -> Place {
        self.prompt.end()
    }

    /// Is a newline the last that was written?
    pub(crate) fn is_after_newline(&self) -> bool {
        self.prompt.text.ends_with('\n')
    }

    /// Is the last character that was written one of these?
    pub(crate) fn is_after(&self, is_one: fn(char) -> bool) -> bool {
        self.prompt.text.ends_with(is_one)
    }

    /// Says where what is written next comes from.
    pub(crate) fn from(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// One control token, which ends the text run before it.
    #[inline]
    pub(crate) fn control(&mut self, control: Control) {
        control.append_to(&mut self.prompt.text);
        self.piece(Some(control), Body::Nothing, None);
        self.run = None;
    }

    /// An image or a sound, which ends the text run before it.
    pub(crate) fn media(&mut self, media: Media) {
        media.placeholder().append_to(&mut self.prompt.text);
        let body = match media {
            Media::Image => Body::Image,
            Media::Audio => Body::Audio,
        };
        self.piece(None, body, None);
        self.run = None;
    }

    /// Untrusted text, which is never searched: it goes on with the open run, or begins one.
    #[inline]
    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.compose(|out| out.push_str(text));
        }
    }

    /// Untrusted text that `write` appends.
    #[inline]
    pub(crate) fn compose(&mut self, write: impl FnOnce(&mut String)) {
        let out = &mut self.prompt.text;
        if self.run.is_some() {
            write(out);
            let end = out.len();
            return self.rest_until(end);
        }
        if self.word_start.is_space() {
            out.push(' ');
        }
        self.run = Some(out.len());
        write(out);
        self.piece(None, Body::run(self.word_start), None);
    }

    /// Takes what goes on with the open run into its last piece, or into one of another origin.
    #[inline]
    fn rest_until(&mut self, end: usize) {
        match self.prompt.pieces.last_mut() {
            Some(piece) if piece.origin() == self.origin => piece.end = end,
            _ => self.piece_until(end, None, Body::Rest, None),
        }
    }

    /// Control tokens and text that are known beforehand, at once. No space begins a run of theirs.
    #[inline]
    pub(crate) fn stretch(&mut self, stretch: &Stretch) {
        let start = self.prompt.text.len();
        self.prompt.text.push_str(&stretch.text);
        let mut begin = start;
        for &(end, control) in &stretch.parts {
            let end = start + end;
            if control.is_some() {
                self.run = None;
                self.piece_until(end, control, Body::Nothing, None);
            } else if self.run.is_some() {
                self.rest_until(end);
            } else {
                self.run = Some(begin);
                self.piece_until(end, None, Body::Run, None);
            }
            begin = end;
        }
    }

    /// Can this text be written in this frame at once?
    #[inline]
    pub(crate) fn encloses(&self, origin: Origin, frame: &Enclosed, text: &str) -> bool {
        // A run that is open goes on, in a piece of its own.
        let goes_on = |piece: &Piece| !frame.is_said_apart && piece.origin() != origin;
        !text.is_empty()
            && (self.run.is_none() || frame.open.is_some() || self.prompt.pieces.last().is_some_and(goes_on))
    }

    /// Untrusted text that is a whole turn, which the frame [`encloses`](Writer::encloses).
    #[inline]
    pub(crate) fn enclosed(&mut self, origin: Origin, frame: &Enclosed, text: &str) {
        self.origin = origin;
        let out = &mut self.prompt.text;
        out.push_str(&frame.lead);
        out.push_str(text);
        frame.close.append_to(out);
        let goes_on = self.run.is_some() && frame.open.is_none();
        self.run = None;
        self.piece(frame.open, if goes_on { Body::Rest } else { Body::Run }, Some(frame.close));
        if !frame.tail.is_empty() {
            self.origin = if frame.is_said_apart { origin.unsaid() } else { origin };
            self.stretch(&frame.tail);
        }
    }

    /// A mark of a layout: a control token, or text of its own.
    pub(crate) fn mark(&mut self, mark: layout::Mark) {
        match mark {
            layout::Mark::Control(control) => self.control(control),
            layout::Mark::Text(text) => self.text(text),
        }
    }

    /// Ends the open run. What was written since a place becomes one piece where it is a text between control tokens, as
    /// most turns are: a third of the memory.
    pub(crate) fn end_turn(&mut self, from: Place) {
        self.run = None;
        let pieces = &mut self.prompt.pieces;
        let (open, text, end) = match pieces.get(from.pieces..) {
            Some([open, text, end]) => (Some(open), text, end),
            Some([text, end]) => (None, text, end),
            _ => return,
        };
        let of_one = |piece: &Piece| piece.origin() == text.origin();
        let is_control =
            |piece: &Piece| of_one(piece) && piece.form.body == Body::Nothing && piece.form.close.is_none();
        let is_text = matches!(text.form, Form { open: None, body: Body::Run | Body::SpacedRun, close: None, .. });
        if is_text && is_control(end) && open.is_none_or(is_control) {
            let form = Form { open: open.and_then(|open| open.form.open), close: end.form.open, ..text.form };
            let whole = Piece { form, ..*end };
            pieces.truncate(from.pieces);
            pieces.push(whole);
        }
    }

    /// Gives the open run, where it is white space alone, to what is written next: a tokenizer makes it part of the
    /// first word.
    pub(crate) fn take_blank(&mut self) {
        let Some(start) = self.run else { return };
        let Prompt { text, pieces, .. } = &mut *self.prompt;
        if !text.get(start..).unwrap_or_default().trim().is_empty() {
            return;
        }
        let Origin { message, role } = self.origin;
        for piece in pieces.iter_mut().rev() {
            (piece.message, piece.form.role) = (message, role);
            if piece.form.body != Body::Rest {
                break;
            }
        }
    }

    /// Ends the open run: text that follows is tokenised apart.
    pub(crate) fn end_run(&mut self) {
        self.run = None;
    }

    /// Changes how the next runs begin.
    pub(crate) fn begin_words_with(&mut self, word_start: WordStart) {
        self.word_start = word_start;
    }

    /// Ends the open run and removes the spaces at its end, down to nothing at all.
    pub(crate) fn end_trimmed_run(&mut self) {
        let Some(start) = self.run.take() else { return };
        let Prompt { text, pieces, .. } = &mut *self.prompt;
        let kept = text.get(start..).unwrap_or_default().trim_end_matches(' ').len();
        if start + kept == text.len() {
            return;
        }
        let end = if kept == 0 { start - self.word_start.printed().len() } else { start + kept };
        text.truncate(end);
        // The last piece that is left is the one that begins before the end.
        let begins = |pieces: &[Piece]| pieces.iter().rev().nth(1).map_or(0, |before| before.end);
        while !pieces.is_empty() && begins(pieces) >= end {
            pieces.pop();
        }
        if let Some(last) = pieces.last_mut() {
            last.end = end;
        }
    }

    /// Takes what was appended since the last piece into a new one.
    #[inline]
    fn piece(&mut self, open: Option<Control>, body: Body, close: Option<Control>) {
        self.piece_until(self.prompt.text.len(), open, body, close);
    }

    #[inline]
    fn piece_until(&mut self, end: usize, open: Option<Control>, body: Body, close: Option<Control>) {
        let Origin { message, role } = self.origin;
        let form = Form { role, open, body, close };
        self.prompt.pieces.push(Piece { end, message, form });
    }
}

/// The frame of a turn whose text a control token ends, and no space begins.
#[derive(Clone, Debug)]
pub(crate) struct Enclosed {
    /// What the turn begins with: perhaps a control token, and text in the run of what it encloses.
    pub(crate) lead: String,
    /// The control token that the turn begins with.
    pub(crate) open: Option<Control>,
    /// The control token that ends the run.
    pub(crate) close: Control,
    /// What stands after that.
    pub(crate) tail: Stretch,
    /// Is what stands before the run and after its end set around the turn, and no part of what is said?
    pub(crate) is_said_apart: bool,
}

/// Control tokens and text that are known beforehand: written at once with [`Writer::stretch`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stretch {
    text: String,
    /// Each control token, and each text before, after and between them, with the byte at which it ends.
    parts: Vec<(usize, Option<Control>)>,
}

impl Stretch {
    pub(crate) fn push_control(&mut self, control: Control) {
        control.append_to(&mut self.text);
        self.parts.push((self.text.len(), Some(control)));
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
        match self.parts.last_mut() {
            Some((end, None)) => *end = self.text.len(),
            _ if text.is_empty() => {}
            _ => self.parts.push((self.text.len(), None)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The control tokens and the texts, in order.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let mut begin = 0;
        self.parts.iter().map(move |&(end, control)| {
            let text = self.text.get(std::mem::replace(&mut begin, end)..end).unwrap_or_default();
            control.map_or(Segment::Text(text), Segment::Control)
        })
    }
}
