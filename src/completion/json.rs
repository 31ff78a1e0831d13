//! JSON that comes in pieces: text in; out comes its source, split where the values begin and end that somebody watches.
//!
//! A strict reading gives the source as it is, and goes on after a fault inside of a string. A lenient one goes on after
//! what Python would read, and gives the JSON that it stands for.

use super::liberty::LibertyKind;
use super::scanner::{Fault, Kind, Mark, Mend, Scanner};
use crate::completion::Leniency;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'t> {
    /// A value or key begins, inside this many open containers.
    Begin { kind: Kind, level: usize, first: u8, offset: usize },
    /// Text of what is open, or between values.
    Source(&'t str),
    /// A value or key has ended.
    End { level: usize, offset: usize },
    /// A fault inside of a string, after which a strict reading goes on.
    Fault { fault: Fault, offset: usize },
    /// What a lenient reading took: the first of its kind.
    Liberty { kind: LibertyKind, offset: usize },
    /// It is not JSON from here on.
    Lost { fault: Fault, offset: usize },
    /// What comes after that.
    More(&'t str),
}

/// Reads one document.
#[derive(Debug)]
pub(super) struct Json {
    scanner: Scanner,
    leniency: Leniency,
    /// The deepest level whose values are reported.
    watched: usize,
    /// A number at a watched level is open: numbers end where something else begins.
    number: Option<usize>,
    /// What is held back of a lenient reading: an escape, a word, or a comma and the space after it.
    held: String,
    holding: Holding,
    /// The kinds of liberties that were told.
    told: Vec<LibertyKind>,
    lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holding {
    Nothing,
    Escape,
    Word,
    Comma,
}

/// The text of one piece, from where it was not handed on yet.
struct Piece<'t, F> {
    text: &'t str,
    given: usize,
    on: F,
}

impl<'t, F: FnMut(Event<'_>)> Piece<'t, F> {
    /// Hands on the source before `end`.
    fn flush(&mut self, end: usize) {
        let source = self.text.get(self.given..end).unwrap_or_default();
        self.given = self.given.max(end);
        if !source.is_empty() {
            (self.on)(Event::Source(source));
        }
    }

    /// Hands on what stands for the source before `end`, of which nothing else was.
    fn replace(&mut self, source: &str, end: usize) {
        self.given = end;
        if !source.is_empty() {
            (self.on)(Event::Source(source));
        }
    }
}

impl Json {
    pub(super) fn new(leniency: Leniency, watched: usize) -> Self {
        Json {
            scanner: Scanner::new(),
            leniency,
            watched,
            number: None,
            held: String::new(),
            holding: Holding::Nothing,
            told: Vec::new(),
            lost: false,
        }
    }

    /// Is a string open, inside of which no control token can stand?
    pub(super) fn in_string(&self) -> bool {
        !self.lost && self.scanner.in_string()
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn push(&mut self, text: &str, offset: usize, on: impl FnMut(Event<'_>)) {
        let mut piece = Piece { text, given: 0, on };
        let bytes = text.as_bytes();
        let mut at = 0;
        while let (Some(&byte), false) = (bytes.get(at), self.lost) {
            let run = self.scanner.plain_run(bytes.get(at..).unwrap_or_default());
            if run > 0 {
                at += run;
                continue;
            }
            let depth = self.scanner.depth();
            match self.scanner.step(byte) {
                Ok(mark) => {
                    self.end_number(mark, depth, offset, at, &mut piece);
                    self.take(mark, byte, offset, at, &mut piece);
                    at += 1;
                }
                Err(fault) => {
                    self.end_number(Mark::Gap, depth, offset, at, &mut piece);
                    at += self.mend(fault, byte, offset, at, &mut piece);
                }
            }
        }
        if self.lost {
            let more = text.get(piece.given..).unwrap_or_default();
            if !more.is_empty() {
                (piece.on)(Event::More(more));
            }
        } else if self.holding == Holding::Nothing {
            piece.flush(text.len());
        }
    }

    /// What is missing at the end, where that is nothing but brackets and the reading is lenient.
    pub(super) fn missing_ends(&self) -> Option<String> {
        if self.lost || !self.is_lenient() || self.holding != Holding::Nothing {
            return None;
        }
        self.scanner.missing_ends()
    }

    /// It is not JSON from here on, whatever comes.
    pub(super) fn stop(&mut self) {
        self.lost = true;
    }

    /// Ends the text: gives what is held back, and says whether the document was complete.
    pub(super) fn finish(&mut self, offset: usize, mut on: impl FnMut(Event<'_>)) -> Result<(), Fault> {
        if !self.held.is_empty() {
            self.holding = Holding::Nothing;
            on(Event::Source(&std::mem::take(&mut self.held)));
        }
        if self.lost {
            return Ok(());
        }
        let result = self.scanner.finish();
        if let (Some(level), Ok(())) = (self.number.take(), result) {
            on(Event::End { level, offset });
        }
        result
    }

    /// A byte that can follow.
    fn take<F: FnMut(Event<'_>)>(&mut self, mark: Mark, byte: u8, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        if self.holding != Holding::Nothing {
            return self.hold_more(mark, byte, offset, at, piece);
        }
        match mark {
            Mark::Begin(kind) => {
                let is_word = kind == Kind::Word && byte == b'N';
                self.begin(kind, byte, offset, at, piece);
                if is_word && self.is_lenient() {
                    self.hold(Holding::Word, byte, at, piece);
                }
            }
            Mark::End => self.end(byte, offset, at, piece),
            Mark::Gap if byte == b',' && self.is_lenient() => self.hold(Holding::Comma, byte, at, piece),
            Mark::Inside if self.is_lenient() => {
                if self.scanner.in_escape() {
                    self.hold(Holding::Escape, byte, at, piece);
                } else if byte == b'"' && self.scanner.in_single_quotes() {
                    piece.flush(at);
                    piece.replace("\\\"", at + 1);
                }
            }
            Mark::Gap | Mark::Inside => {}
        }
    }

    /// A byte that can follow, while something is held back.
    fn hold_more<F: FnMut(Event<'_>)>(
        &mut self,
        mark: Mark,
        byte: u8,
        offset: usize,
        at: usize,
        piece: &mut Piece<'_, F>,
    ) {
        match (self.holding, mark) {
            (Holding::Comma, Mark::Begin(_) | Mark::End | Mark::Inside) => {
                self.release(at, piece);
                self.take(mark, byte, offset, at, piece);
            }
            (Holding::Word, Mark::End) => {
                self.held.push(char::from(byte));
                self.release_word(offset, at, piece);
                self.tell_end(offset, at, piece);
            }
            _ => {
                self.held.push(char::from(byte));
                if self.holding == Holding::Escape && !self.scanner.in_escape() {
                    self.release(at + 1, piece);
                }
            }
        }
    }

    /// A byte that cannot follow. Says how many bytes were taken.
    fn mend<F: FnMut(Event<'_>)>(
        &mut self,
        fault: Fault,
        byte: u8,
        offset: usize,
        at: usize,
        piece: &mut Piece<'_, F>,
    ) -> usize {
        if let Some(mend) = self.scanner.mend_text(byte) {
            return self.mend_text(mend, fault, byte, offset, at, piece);
        }
        let mended = if self.is_lenient() { self.scanner.mend_structure(byte) } else { None };
        match mended {
            Some(Mend::SingleQuote(kind)) => {
                self.liberty(LibertyKind::SingleQuotes, offset, at, piece);
                self.release(at, piece);
                self.begin(kind, b'"', offset, at, piece);
                piece.replace("\"", at + 1);
            }
            Some(Mend::WordBegins) => {
                self.release(at, piece);
                self.begin(Kind::Word, byte, offset, at, piece);
                self.hold(Holding::Word, byte, at, piece);
            }
            Some(Mend::WordGoesOn) => self.held.push(char::from(byte)),
            Some(Mend::TrailingComma) => {
                self.liberty(LibertyKind::TrailingComma, offset, at, piece);
                let space = std::mem::take(&mut self.held);
                self.holding = Holding::Nothing;
                piece.replace(space.get(1..).unwrap_or_default(), at);
                self.end(byte, offset, at, piece);
            }
            Some(Mend::ExtraBracket) => {
                self.liberty(LibertyKind::ExtraBracket, offset, at, piece);
                piece.replace("", at + 1);
            }
            Some(Mend::NoEscape | Mend::Apostrophe | Mend::ControlCharacter) | None => {
                if self.holding == Holding::Nothing {
                    piece.flush(at);
                } else {
                    self.release(at, piece);
                }
                self.lost = true;
                (piece.on)(Event::Lost { fault, offset: offset + at });
                return 0;
            }
        }
        1
    }

    /// A fault inside of a string.
    fn mend_text<F: FnMut(Event<'_>)>(
        &mut self,
        mend: Mend,
        fault: Fault,
        byte: u8,
        offset: usize,
        at: usize,
        piece: &mut Piece<'_, F>,
    ) -> usize {
        let taken = usize::from(mend != Mend::NoEscape);
        if !self.is_lenient() {
            (piece.on)(Event::Fault { fault, offset: offset + at });
            return taken;
        }
        // In single quotes an apostrophe is an escape of Python's, which the quotes were told for.
        if mend != Mend::Apostrophe || !self.scanner.in_single_quotes() {
            let is_control = mend == Mend::ControlCharacter;
            let kind = if is_control { LibertyKind::ControlCharacter } else { LibertyKind::Escape };
            self.liberty(kind, offset, at, piece);
        }
        let held = std::mem::take(&mut self.held);
        self.holding = Holding::Nothing;
        match mend {
            Mend::ControlCharacter => piece.replace(&escaped(byte), at + 1),
            Mend::Apostrophe => piece.replace("'", at + 1),
            _ => {
                piece.replace("\\", at);
                piece.replace(&held, at);
            }
        }
        taken
    }

    fn liberty<F: FnMut(Event<'_>)>(&mut self, kind: LibertyKind, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        // What the source says is told first: a string may say arguments, of which liberties are told, too.
        if self.holding == Holding::Nothing {
            piece.flush(at);
        }
        if !self.told.contains(&kind) {
            self.told.push(kind);
            (piece.on)(Event::Liberty { kind, offset: offset + at });
        }
    }

    fn is_lenient(&self) -> bool {
        self.leniency == Leniency::Lenient
    }

    fn begin<F: FnMut(Event<'_>)>(&self, kind: Kind, first: u8, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        let level = self.scanner.depth().saturating_sub(usize::from(matches!(kind, Kind::Object | Kind::Array)));
        if level <= self.watched {
            piece.flush(at);
            (piece.on)(Event::Begin { kind, level, first, offset: offset + at });
        }
    }

    /// The last byte of something.
    fn end<F: FnMut(Event<'_>)>(&mut self, byte: u8, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        // The scanner has left the string; only a mended one ends with an apostrophe.
        if byte == b'\'' {
            piece.flush(at);
            piece.replace("\"", at + 1);
        }
        self.tell_end(offset, at, piece);
    }

    fn tell_end<F: FnMut(Event<'_>)>(&self, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        if self.scanner.depth() <= self.watched {
            piece.flush(at + 1);
            (piece.on)(Event::End { level: self.scanner.depth(), offset: offset + at });
        }
    }

    /// Ends a number before the byte at `at`, which is not part of it.
    fn end_number<F: FnMut(Event<'_>)>(
        &mut self,
        mark: Mark,
        depth: usize,
        offset: usize,
        at: usize,
        piece: &mut Piece<'_, F>,
    ) {
        match mark {
            Mark::Inside => {}
            Mark::Begin(Kind::Number) if depth <= self.watched => self.number = Some(depth),
            Mark::Begin(_) | Mark::Gap | Mark::End => {
                if let Some(level) = self.number.take() {
                    piece.flush(at);
                    (piece.on)(Event::End { level, offset: offset + at });
                }
            }
        }
    }

    fn hold<F: FnMut(Event<'_>)>(&mut self, holding: Holding, byte: u8, at: usize, piece: &mut Piece<'_, F>) {
        piece.flush(at);
        piece.given = at + 1;
        self.holding = holding;
        self.held.push(char::from(byte));
    }

    /// Hands on what is held back, which stands for the source before `end`.
    fn release<F: FnMut(Event<'_>)>(&mut self, end: usize, piece: &mut Piece<'_, F>) {
        if self.holding == Holding::Nothing {
            return piece.flush(end);
        }
        self.holding = Holding::Nothing;
        let held = std::mem::take(&mut self.held);
        piece.replace(&held, end);
    }

    fn release_word<F: FnMut(Event<'_>)>(&mut self, offset: usize, at: usize, piece: &mut Piece<'_, F>) {
        let word = match &*self.held {
            "True" => Some("true"),
            "False" => Some("false"),
            "None" => Some("null"),
            _ => None,
        };
        if let Some(word) = word {
            self.liberty(LibertyKind::PythonWord, offset, at, piece);
            self.held.replace_range(.., word);
        }
        self.release(at + 1, piece);
    }
}

/// A control character as JSON escapes it.
fn escaped(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        _ => format!("\\u{byte:04x}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is read of a text that is cut after `cut` bytes.
    fn read(text: &str, cut: usize, leniency: Leniency) -> (String, Vec<LibertyKind>, bool) {
        let (mut source, mut liberties, mut is_right) = (String::new(), Vec::new(), true);
        let mut json = Json::new(leniency, 1);
        let mut on = |event: Event<'_>| match event {
            Event::Source(text) | Event::More(text) => source.push_str(text),
            Event::Liberty { kind, .. } => liberties.push(kind),
            Event::Fault { .. } | Event::Lost { .. } => is_right = false,
            Event::Begin { .. } | Event::End { .. } => {}
        };
        let (before, after) = text.split_at(cut);
        json.push(before, 0, &mut on);
        json.push(after, cut, &mut on);
        let end = json.finish(text.len(), &mut on).is_ok();
        (source, liberties, is_right && end)
    }

    #[test]
    fn what_python_reads_becomes_json() {
        for (text, expected) in [
            ("{'a': 'it\\'s \"x\"', 'b': [True, False, None,], }", r#"{"a": "it's \"x\"", "b": [true, false, null] }"#),
            (r#"{"a": "\d+ C:\users \u12"}"#, r#"{"a": "\\d+ C:\\users \\u12"}"#),
            ("{\"a\": \"x\ny\u{1}\"}", r#"{"a": "x\ny\u0001"}"#),
            (r#"{"a": "\é\u00e9\\"}"#, r#"{"a": "\\é\u00e9\\"}"#),
            ("[1, NaN, -1.5e3 , 'é']", r#"[1, NaN, -1.5e3 , "é"]"#),
        ] {
            for (cut, _) in text.char_indices() {
                let (source, liberties, is_right) = read(text, cut, Leniency::Lenient);
                assert_eq!((&*source, is_right), (expected, true), "cut at {cut}: {text}");
                assert!(!liberties.is_empty());
                assert!(!read(text, cut, Leniency::Strict).2);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_json_stays(text in r#"[\[\]{},:" '\\untrealsfNITFo0-9.eE+-]{0,24}"#) {
            let strict = read(&text, 0, Leniency::Strict);
            prop_assert_eq!(&strict.0, &text, "a strict reading gives the source");
            let whole = read(&text, 0, Leniency::Lenient);
            if strict.2 {
                prop_assert_eq!(&whole, &(text.clone(), Vec::new(), true));
            } else if whole.2 {
                prop_assert!(!whole.1.is_empty());
                prop_assert!(read(&whole.0, 0, Leniency::Strict).2, "{} became {}", text, whole.0);
            }
            for (cut, _) in text.char_indices() {
                prop_assert_eq!(&read(&text, cut, Leniency::Lenient), &whole);
            }
        }
    }
}
