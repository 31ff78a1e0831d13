//! The keys of a GGUF file whose values are texts.

use std::fs::File;
use std::io::{self, BufReader, Error, ErrorKind, Read};
use std::path::Path;

/// What a GGUF file begins with.
const MAGIC: [u8; 4] = *b"GGUF";
/// The bytes of a text at most: templates are the longest.
const LONGEST: u64 = 1 << 24;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Does the file begin as a GGUF file does?
pub(crate) fn is_gguf(path: &Path) -> io::Result<bool> {
    let mut magic = [0; 4];
    match File::open(path)?.read_exact(&mut magic) {
        Ok(()) => Ok(magic == MAGIC),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The keys that have a text, and it. The tensors behind them are not read.
pub(crate) fn texts(path: &Path) -> io::Result<Vec<(String, String)>> {
    let mut file = Reader(BufReader::new(File::open(path)?));
    if file.bytes()? != MAGIC {
        return Err(invalid("it does not begin as GGUF does"));
    }
    let version = file.u32()?;
    if !(2..=3).contains(&version) {
        return Err(invalid(format!("version {version} of GGUF is not known")));
    }
    let (_tensors, keys) = (file.u64()?, file.u64()?);
    let mut texts = Vec::new();
    for _ in 0..keys {
        let key = file.text()?;
        match file.u32()? {
            STRING => texts.push((key, file.text()?)),
            kind => file.skip(kind)?,
        }
    }
    Ok(texts)
}

struct Reader(BufReader<File>);

impl Reader {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map(|()| bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        let length = self.u64()?;
        if length > LONGEST {
            return Err(invalid(format!("a text of {length} bytes")));
        }
        let mut text = Vec::new();
        (&mut self.0).take(length).read_to_end(&mut text)?;
        if text.len() as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // A token may be half of a character; names and templates are whole.
        Ok(String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn skip(&mut self, kind: u32) -> io::Result<()> {
        match kind {
            STRING => {
                let length = self.u64()?;
                self.over(length)
            }
            ARRAY => {
                let (kind, count) = (self.u32()?, self.u64()?);
                match size(kind) {
                    Some(size) => self.over(count.checked_mul(size).ok_or_else(|| invalid("an array without end"))?),
                    None if kind == STRING => (0..count).try_for_each(|_| self.skip(STRING)),
                    None => Err(invalid(format!("an array of values of kind {kind}"))),
                }
            }
            _ => match size(kind) {
                Some(size) => self.over(size),
                None => Err(invalid(format!("a value of kind {kind}"))),
            },
        }
    }

    fn over(&mut self, bytes: u64) -> io::Result<()> {
        self.0.seek_relative(i64::try_from(bytes).map_err(|_| invalid("a value without end"))?)
    }
}

/// The bytes of a value that is no text and no array.
fn size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, format!("no GGUF file: {}", why.into()))
}
