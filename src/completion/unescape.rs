//! The inside of a JSON string that comes in pieces: source text in, what it says out.

/// Decodes one string that a [`Scanner`](super::scanner::Scanner) has checked, with its quotes or without.
///
/// Half a surrogate pair, which no UTF-8 text can hold, becomes U+FFFD.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unescape {
    state: State,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Plain,
    Backslash,
    Unicode {
        digits: u8,
        unit: u16,
    },
}

impl Unescape {
    /// Appends what the source text says; it may end anywhere.
    pub(super) fn push(&mut self, source: &str, out: &mut String) {
        for char in source.chars() {
            match (self.state, char) {
                (State::Plain, '\\') => self.state = State::Backslash,
                (State::Plain, '"') => {}
                (State::Backslash, 'u') => self.state = State::Unicode { digits: 0, unit: 0 },
                (State::Plain, _) => self.char(char, out),
                (State::Backslash, _) => {
                    self.state = State::Plain;
                    self.char(escaped(char), out);
                }
                (State::Unicode { digits, unit }, _) => {
                    let digit = char.to_digit(16).and_then(|digit| u16::try_from(digit).ok()).unwrap_or_default();
                    let unit = unit << 4 | digit;
                    self.state = State::Unicode { digits: digits + 1, unit };
                    if digits == 3 {
                        self.state = State::Plain;
                        self.unit(unit, out);
                    }
                }
            }
        }
    }

    /// Ends the string.
    pub(super) fn finish(&mut self, out: &mut String) {
        if self.high.take().is_some() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        self.state = State::Plain;
    }

    fn char(&mut self, char: char, out: &mut String) {
        self.finish(out);
        out.push(char);
    }

    fn unit(&mut self, unit: u16, out: &mut String) {
        let pair = self.high.map(|high| [high, unit]);
        if let Some(Ok(char)) = pair.and_then(|pair| char::decode_utf16(pair).next()) {
            self.high = None;
            out.push(char);
            return;
        }
        self.finish(out);
        match char::from_u32(u32::from(unit)) {
            Some(char) => out.push(char),
            None if unit < 0xDC00 => self.high = Some(unit),
            None => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn escaped(char: char) -> char {
    match char {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_however_it_is_cut() {
        for (source, expected) in [
            (r#"a\"b\\c\/d\n"#, "a\"b\\c/d\n"),
            (r"\u00e9é\ud83d\ude00", "éé😀"),
            (r"\ud83dx\ude00\ud83d\ud83d\ude00\ud83d", "\u{fffd}x\u{fffd}\u{fffd}😀\u{fffd}"),
        ] {
            for (cut, _) in source.char_indices() {
                let (mut decoder, mut out) = (Unescape::default(), String::new());
                let (before, after) = source.split_at(cut);
                decoder.push(before, &mut out);
                decoder.push(after, &mut out);
                decoder.finish(&mut out);
                assert_eq!(out, expected);
            }
        }
    }
}
