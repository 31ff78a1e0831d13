//! What becomes of the lines of a complete run on their way to the output: packed, written as Parquet, or as they are.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use mistral_chat_template::train::Labelled;
use mistral_chat_template::train::{Packed, Packer};
use serde::{Deserialize, Serialize};

use crate::files::{Part, real_path, suffixed};
use crate::options::Options;

mod parquet_file;

/// Where lines are converted, before they take the output's place.
pub(crate) fn path_for(output: &Path) -> PathBuf {
    suffixed(&real_path(output), ".part.converted")
}

/// Are the lines anything but the output?
pub(crate) fn converts(options: &Options) -> bool {
    options.pack.is_some() || options.writes_parquet()
}

/// Makes the output of the lines in its part, and puts it in the part's place.
pub(crate) fn convert(output: &Path, pack: Option<usize>, is_parquet: bool) -> io::Result<()> {
    let (part, converted) = (Part::path_for(output), path_for(output));
    if !part.try_exists()? {
        return Ok(());
    }
    let lines = || -> io::Result<Box<dyn Iterator<Item = io::Result<Vec<u8>>>>> {
        let lines = BufReader::with_capacity(1 << 20, File::open(&part)?).split(b'\n');
        Ok(match pack {
            Some(length) => Box::new(PackedLines::new(lines, length)),
            None => Box::new(lines),
        })
    };
    let file = File::create(&converted)?;
    if is_parquet {
        parquet_file::write(&lines, file)?.sync_all()?;
    } else {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        for line in lines()? {
            out.write_all(&line?)?;
            out.write_all(b"\n")?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    }
    fs::rename(converted, part)
}

/// The tokens of a row's line.
#[derive(Deserialize)]
struct Tokens {
    input_ids: Vec<u32>,
    labels: Vec<i64>,
}

#[derive(Serialize)]
struct Sequence<'s> {
    input_ids: &'s [u32],
    labels: &'s [i64],
    position_ids: &'s [u32],
    starts: &'s [usize],
    length: usize,
}

/// Packs the tokens of lines.
pub(crate) struct LinePacker(Packer);

impl LinePacker {
    pub(crate) fn new(length: usize) -> Self {
        LinePacker(Packer::new(length))
    }

    /// Takes a row's line, and gives the line of a sequence that is full.
    pub(crate) fn add(&mut self, line: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let Tokens { input_ids, labels } = serde_json::from_slice(line)?;
        self.0.add(Labelled { input_ids, labels }).as_ref().map(line_of).transpose()
    }

    /// The line of the last sequence.
    pub(crate) fn finish(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.0.finish().as_ref().map(line_of).transpose()
    }
}

fn line_of(packed: &Packed) -> io::Result<Vec<u8>> {
    let Packed { rows: Labelled { input_ids, labels }, position_ids, starts, .. } = packed;
    Ok(serde_json::to_vec(&Sequence { input_ids, labels, position_ids, starts, length: input_ids.len() })?)
}

struct PackedLines<I> {
    lines: I,
    packer: LinePacker,
}

impl<I> PackedLines<I> {
    fn new(lines: I, length: usize) -> Self {
        PackedLines { lines, packer: LinePacker::new(length) }
    }
}

impl<I: Iterator<Item = io::Result<Vec<u8>>>> Iterator for PackedLines<I> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        for line in &mut self.lines {
            match line.and_then(|line| self.packer.add(&line)).transpose() {
                None => {}
                full => return full,
            }
        }
        self.packer.finish().transpose()
    }
}
