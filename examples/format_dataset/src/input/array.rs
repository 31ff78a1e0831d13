//! The items of a JSON array as lines, each once it has come, so that no array has to fit in memory.

use std::io::{self, Read};

const BLOCK: usize = 1 << 16;

/// Reads an array as a line an item. What is no array from some point on comes as a line too, for the row to be refused.
pub(super) struct ArrayLines<R> {
    reader: R,
    lines: Vec<u8>,
    /// How much of the lines was given.
    given: usize,
    depth: u64,
    in_string: bool,
    is_escaped: bool,
    /// Does the line at hand hold anything?
    has_item: bool,
}

impl<R: Read> ArrayLines<R> {
    pub(super) fn new(reader: R) -> Self {
        ArrayLines {
            reader,
            lines: Vec::new(),
            given: 0,
            depth: 0,
            in_string: false,
            is_escaped: false,
            has_item: false,
        }
    }

    fn take(&mut self, byte: u8) {
        if self.in_string {
            self.in_string = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return self.put(byte);
        }
        match byte {
            // The byte order mark, and the bracket that opens the array.
            0xef | 0xbb | 0xbf if self.depth == 0 && !self.has_item => {}
            b'[' if self.depth == 0 && !self.has_item => self.depth = 1,
            b']' if self.depth == 1 => {
                self.depth = 0;
                self.end_line();
            }
            b',' if self.depth == 1 => self.end_line(),
            b'[' | b'{' => {
                self.depth += 1;
                self.put(byte);
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.put(byte);
            }
            _ if byte.is_ascii_whitespace() => {
                if self.has_item {
                    self.put(b' ');
                }
            }
            _ => {
                self.in_string = byte == b'"';
                self.put(byte);
            }
        }
    }

    fn put(&mut self, byte: u8) {
        self.has_item = true;
        // A line break in a string is no JSON. Nor is a tab, which makes no two rows of one.
        self.lines.push(if byte == b'\n' || byte == b'\r' { b'\t' } else { byte });
    }

    fn end_line(&mut self) {
        if self.has_item {
            self.lines.push(b'\n');
            self.has_item = false;
        }
    }
}

impl<R: Read> Read for ArrayLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.lines.len() {
            self.lines.clear();
            self.given = 0;
            let mut block = [0; BLOCK];
            let read = self.reader.read(&mut block)?;
            if read == 0 && self.depth > 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the array has no end: the input is cut off"));
            }
            if read == 0 {
                return Ok(0);
            }
            for byte in block.get(..read).unwrap_or_default() {
                self.take(*byte);
            }
        }
        let rest = self.lines.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(array: &str) -> String {
        io::read_to_string(ArrayLines::new(array.as_bytes())).unwrap()
    }

    #[test]
    fn each_item_is_a_line() {
        assert_eq!(lines("[]"), "");
        assert_eq!(
            lines("\u{feff}[ {\"a\": [1, {\"b\": \"],[\\\"\"}]} ,\n 5,\n]\n"),
            "{\"a\": [1, {\"b\": \"],[\\\"\"}]} \n5\n"
        );
        assert_eq!(lines("[{\"a\":\n\n1}, \"\n\"]"), "{\"a\":  1}\n\"\t\"\n");
        assert_eq!(lines("[1] [2] x"), "1\n2\nx");
    }

    #[test]
    fn an_array_that_is_cut_off_is_told() {
        for array in ["[", "[1", "[1,", "[{\"a\": 1}", "[{\"a\": \"]"] {
            let error = io::read_to_string(ArrayLines::new(array.as_bytes())).unwrap_err();
            assert_eq!(error.to_string(), "the array has no end: the input is cut off", "{array}");
        }
    }
}
