//! The input, whatever it is, as lines of JSON: recognised by its first bytes.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use self::array::ArrayLines;
use crate::mark::Taken;
use crate::parquet_rows::ParquetLines;

mod array;

/// How much of an input is looked at.
const HEAD: usize = 4096;

/// An input as lines of JSON.
pub(crate) struct Input {
    pub(crate) reader: Box<dyn Read + Send>,
    /// How much of the file was read, and how much there is; of a pipe nobody knows.
    pub(crate) position: Arc<AtomicU64>,
    pub(crate) size: Option<u64>,
}

/// What an input is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Lines,
    Array,
    Gzip,
    Zstandard,
    Parquet,
    /// What nothing here reads.
    Foreign(&'static str),
}

fn kind(head: &[u8]) -> Kind {
    let begins = |magic: &[u8]| head.starts_with(magic);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match () {
        () if begins(b"\x1f\x8b") => Kind::Gzip,
        () if begins(b"\x28\xb5\x2f\xfd") => Kind::Zstandard,
        () if begins(b"PAR1") => Kind::Parquet,
        () if begins(b"ARROW1") => Kind::Foreign("an Arrow file; pyarrow writes it as Parquet"),
        () if begins(b"BZh") => Kind::Foreign("bzip2; pipe it through bzcat"),
        () if begins(b"\xfd7zXZ\0") => Kind::Foreign("xz; pipe it through xzcat"),
        () if begins(b"PK\x03\x04") => Kind::Foreign("a ZIP archive; pipe what is in it through unzip -p"),
        () if begins(b"\xff\xfe\0\0") || begins(b"\0\0\xfe\xff") => Kind::Foreign("UTF-32; iconv makes UTF-8 of it"),
        () if begins(b"\xff\xfe") || begins(b"\xfe\xff") => Kind::Foreign("UTF-16; iconv makes UTF-8 of it"),
        () if is_utf16(head) => Kind::Foreign("UTF-16; iconv makes UTF-8 of it"),
        () if head.contains(&0) => Kind::Foreign("binary"),
        () if begins(b"version https://git-lfs") => {
            Kind::Foreign("a pointer of Git LFS; git lfs pull fetches its file")
        }
        () if is_html(text) => Kind::Foreign("HTML, as a server sends it instead of a file"),
        () if text.trim_ascii_start().first() == Some(&b'[') => Kind::Array,
        () => Kind::Lines,
    }
}

/// Is every second byte null, as where UTF-16 spells JSON without a mark before it?
fn is_utf16(head: &[u8]) -> bool {
    let null_at = |parity: usize| head.iter().skip(parity).step_by(2).take(16).all(|byte| *byte == 0);
    head.len() >= 4 && (null_at(0) || null_at(1))
}

fn is_html(text: &[u8]) -> bool {
    let start = text.trim_ascii_start();
    let begins = |tag: &[u8]| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    begins(b"<!doctype html") || begins(b"<html")
}

impl Input {
    /// Opens a file, or standard input, behind the first `offset` bytes of its lines, which have to begin with what was
    /// taken of them.
    pub(crate) fn open(path: Option<&Path>, offset: u64, taken: Taken) -> Result<Self, String> {
        let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        Self::open_named(path, offset, taken).map_err(|error| format!("{name}: {error}"))
    }

    fn open_named(path: Option<&Path>, offset: u64, taken: Taken) -> io::Result<Self> {
        let position = Arc::new(AtomicU64::new(0));
        let Some(path) = path else {
            let reader = lines(Counted { reader: io::stdin(), position: Arc::clone(&position) })?;
            return Ok(Input { reader, position, size: None });
        };
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let size = metadata.is_file().then_some(metadata.len());
        if size.is_none() {
            let reader = skip(lines(Counted { reader: file, position: Arc::clone(&position) })?, offset, taken)?;
            return Ok(Input { reader, position, size });
        }
        let head = head_of(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        let reader: Box<dyn Read + Send> = match kind(&head) {
            Kind::Parquet => skip(Box::new(ParquetLines::open(file, Arc::clone(&position))?), offset, taken)?,
            Kind::Lines => {
                if offset > metadata.len() {
                    return Err(io::Error::other(SHORTER));
                }
                check_beginning(&mut file, taken)?;
                file.seek(SeekFrom::Start(offset))?;
                position.store(offset, Ordering::Relaxed);
                Box::new(Counted { reader: file, position: Arc::clone(&position) })
            }
            Kind::Array | Kind::Gzip | Kind::Zstandard | Kind::Foreign(_) => {
                skip(lines(Counted { reader: file, position: Arc::clone(&position) })?, offset, taken)?
            }
        };
        Ok(Input { reader, position, size })
    }
}

/// Bytes of any kind but Parquet as lines of JSON.
fn lines(mut reader: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let head = head_of(&mut reader)?;
    let kind = kind(&head);
    let whole = Cursor::new(head).chain(reader);
    Ok(match kind {
        Kind::Lines => Box::new(whole),
        Kind::Array => Box::new(ArrayLines::new(whole)),
        Kind::Gzip => unpacked(MultiGzDecoder::new(whole))?,
        Kind::Zstandard => unpacked(zstd::stream::read::Decoder::new(whole)?)?,
        Kind::Parquet => return Err(io::Error::other("Parquet can only be read from a file: name it as INPUT")),
        Kind::Foreign(what) => return Err(io::Error::other(format!("this is {what}"))),
    })
}

/// What was compressed, once: lines or an array.
fn unpacked(mut reader: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let head = head_of(&mut reader)?;
    let kind = kind(&head);
    let whole = Cursor::new(head).chain(reader);
    match kind {
        Kind::Lines => Ok(Box::new(whole)),
        Kind::Array => Ok(Box::new(ArrayLines::new(whole))),
        Kind::Gzip | Kind::Zstandard => Err(io::Error::other("this is compressed twice")),
        Kind::Parquet => Err(io::Error::other("Parquet is read as a file by itself, not compressed once more")),
        Kind::Foreign(what) => Err(io::Error::other(format!("what is compressed is {what}"))),
    }
}

fn head_of(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; HEAD];
    // One read is enough to tell, unless a pipe gives very little at first.
    while head.len() < 64 {
        match reader.read(&mut buffer)? {
            0 => break,
            read => head.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
    }
    Ok(head)
}

const SHORTER: &str = "shorter than when the run was begun";

/// Reads past what an earlier run took.
fn skip(mut reader: Box<dyn Read + Send>, offset: u64, taken: Taken) -> io::Result<Box<dyn Read + Send>> {
    check_beginning(&mut reader, taken)?;
    let rest = offset - taken.bytes().min(offset);
    let skipped = io::copy(&mut reader.by_ref().take(rest), &mut io::sink())?;
    if skipped < rest {
        return Err(io::Error::other(SHORTER));
    }
    Ok(reader)
}

fn check_beginning(reader: &mut impl Read, taken: Taken) -> io::Result<()> {
    match taken.is_beginning_of(reader)? {
        true => Ok(()),
        false => Err(io::Error::other("the run was begun with another input: it begins differently")),
    }
}

/// A reader that says how far it is.
struct Counted<R> {
    reader: R,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.position.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        for (head, expected) in [
            (&b"{\"a\": 1}"[..], Kind::Lines),
            (b"", Kind::Lines),
            (b"\xef\xbb\xbf  [ {", Kind::Array),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"\x28\xb5\x2f\xfd", Kind::Zstandard),
            (b"PAR1", Kind::Parquet),
        ] {
            assert_eq!(kind(head), expected);
        }
        for head in [&b"\xff\xfe{\0"[..], b"{\0\"\0a\0", b"\0{\0\"", b"BZh9", b"ab\0cd"] {
            assert!(matches!(kind(head), Kind::Foreign(_)), "{head:?}");
        }
    }
}
