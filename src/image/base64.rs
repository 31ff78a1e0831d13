//! Base64 text comes in, its bytes come out one at a time.

use std::str::CharIndices;

/// Decodes as far as it is asked to, and remembers what it could not read.
pub(super) struct Decoder<'a> {
    text: CharIndices<'a>,
    /// Bits that are read and not yet given out; the lowest `bit_count` count.
    bits: u32,
    bit_count: u32,
    bad: Option<(usize, char)>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text: text.char_indices(),
            bits: 0,
            bit_count: 0,
            bad: None,
        }
    }

    /// The character that ended the decoding, if it was not the padding or the end of the text.
    pub(super) const fn bad_character(&self) -> Option<(usize, char)> {
        self.bad
    }

    /// The six bits of the next character; white space is skipped, padding ends it.
    fn next_six(&mut self) -> Option<u32> {
        if self.bad.is_some() {
            return None;
        }
        loop {
            let (at, c) = self.text.next()?;
            let code = u32::from(c);
            return match c {
                'A'..='Z' => Some(code - u32::from('A')),
                'a'..='z' => Some(code - u32::from('a') + 26),
                '0'..='9' => Some(code - u32::from('0') + 52),
                '+' => Some(62),
                '/' => Some(63),
                '=' => {
                    self.text = "".char_indices();
                    None
                }
                ' ' | '\t' | '\r' | '\n' => continue,
                _ => {
                    self.bad = Some((at, c));
                    None
                }
            };
        }
    }
}

impl Iterator for Decoder<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.bit_count < 8 {
            self.bits = (self.bits << 6) | self.next_six()?;
            self.bit_count += 6;
        }
        self.bit_count -= 8;
        let [.., byte] = (self.bits >> self.bit_count).to_be_bytes();
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decoded(text: &str, expected: &[u8]) {
        let mut decoder = Decoder::new(text);
        assert_eq!(decoder.by_ref().collect::<Vec<_>>(), expected);
        assert_eq!(decoder.bad_character(), None);
    }

    #[test]
    fn every_length_of_a_group() {
        decoded("", b"");
        decoded("Zg==", b"f");
        decoded("Zm8=", b"fo");
        decoded("Zm9v", b"foo");
        decoded("Zm9vYg", b"foob");
        decoded("+/+/", &[0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn white_space_is_skipped_and_padding_ends_it() {
        decoded("Zm\r\n 9\tv", b"foo");
        decoded("Zg==Zm9v", b"f");
    }

    #[test]
    fn another_character_ends_it_for_good() {
        let mut decoder = Decoder::new("Zm9vé_Zm9v");
        assert_eq!(decoder.by_ref().collect::<Vec<_>>(), b"foo");
        assert_eq!(decoder.next(), None);
        assert_eq!(decoder.bad_character(), Some((4, 'é')));
    }
}
