//! Where rows, rejects and reports go, and how far they have come.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::files::Part;
use crate::finish::{self, LinePacker};
use crate::formatter::{Reason, hash_of};
use crate::input::Input;
use crate::interrupt;
use crate::journal::{Journal, Notary, Noted};
use crate::mark::{Mark, Run, Taken};
use crate::options::{Begin, Duplicates, MaxRejects, Options};
use crate::pipeline::{Block, Reject, Row};
use crate::progress::Progress;
use crate::summary::{Lengths, Tally};

/// How often a run notes how far it has come.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// How many rejects are printed on standard error.
const MAX_REPORTS: u64 = 20;

/// How far a run has come: what of the input was taken, and what came of it.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Place {
    /// Bytes and lines of the input.
    pub(crate) offset: u64,
    pub(crate) line: u64,
    taken: Taken,
    /// Bytes of the output, and of the rejects.
    output: u64,
    rejects: u64,
    pub(crate) tally: Tally,
}

/// A line of the file of rejects.
#[derive(Serialize)]
struct RejectLine<'a> {
    line: u64,
    /// Where the line begins in the input's lines.
    offset: u64,
    kind: &'a str,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a str>,
    /// A row that is no UTF-8, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    row_base64: Option<String>,
}

/// Where a run begins.
pub(crate) enum Start {
    /// With this of the input still to come.
    With(Box<Sink>, Input),
    /// Nowhere: nothing is left to do.
    Complete,
}

pub(crate) struct Sink {
    output: Output,
    rejects: Option<Part>,
    notary: Option<Notary>,
    place: Place,
    noted: Instant,
    /// What an output is converted to when it is complete.
    conversion: Option<Conversion>,
    mark: Option<(Mark, std::path::PathBuf)>,
    /// The hashes of the rows so far, where duplicates are rejected.
    seen: Option<HashSet<u128>>,
    max_rejects: Option<MaxRejects>,
    reported: u64,
}

/// How the lines of a complete run become its output.
type Conversion = Box<dyn FnOnce() -> io::Result<()>>;

enum Output {
    File(Part),
    Standard(io::Stdout),
    /// Standard output, in sequences.
    Packed(io::Stdout, Box<LinePacker>),
}

impl Output {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Output::File(file) => file.write_all(bytes),
            Output::Standard(stdout) => stdout.lock().write_all(bytes),
            Output::Packed(stdout, packer) => {
                for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    if let Some(line) = packer.add(line)? {
                        write_line(stdout, &line)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn flush(&self) -> io::Result<()> {
        match self {
            Output::File(_) => Ok(()),
            Output::Standard(stdout) | Output::Packed(stdout, _) => stdout.lock().flush(),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Output::File(file) => file.finish(),
            Output::Standard(stdout) => stdout.lock().flush(),
            Output::Packed(stdout, mut packer) => {
                if let Some(line) = packer.finish()? {
                    write_line(&stdout, &line)?;
                }
                stdout.lock().flush()
            }
        }
    }

    fn discard(self) {
        match self {
            Output::File(file) => file.discard(),
            Output::Standard(_) | Output::Packed(..) => {}
        }
    }
}

fn write_line(stdout: &io::Stdout, line: &[u8]) -> io::Result<()> {
    let mut stdout = stdout.lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}

/// The journal of a run that can have one: a pipe or a device cannot be gone on with.
fn journal_of(options: &Options) -> Result<Option<Journal>, String> {
    match (&options.input, &options.output) {
        (Some(_), Some(output)) if output.is_file() || !output.exists() => {
            Ok(Some(Journal::beside(output, Mark::now(options)?)))
        }
        _ => Ok(None),
    }
}

impl Sink {
    /// Opens the output at the place where the run begins or goes on.
    pub(crate) fn open(options: &Options) -> Result<Start, String> {
        let journal = journal_of(options)?;
        let place = match (options.start, &journal, &options.output) {
            (Begin::Anew, Some(journal), Some(output)) if journal.exists() => {
                return Err(format!(
                    "{} was begun and is not complete: go on with --resume, or remove {} to begin anew",
                    output.display(),
                    Journal::path_for(output).display()
                ));
            }
            (Begin::Resume, Some(journal), Some(output)) => match journal.read()? {
                Some(Noted::Unfinished(place)) => place,
                Some(Noted::Complete) => {
                    finish_earlier(options, journal)?;
                    return Ok(Start::Complete);
                }
                None if output.exists() => return complete(journal, output),
                None => Place::default(),
            },
            _ => Place::default(),
        };
        let input = Input::open(options.input.as_deref(), place.offset, place.taken)?;
        let (output, rejects) = open_outputs(options, &place)?;
        let can_be_removed = options.start == Begin::Anew;
        let mark = journal.as_ref().map(Journal::mark).cloned();
        let begin = || -> Result<(Option<Notary>, Option<HashSet<u128>>), String> {
            let seen = seen_before(options)?;
            let Some(journal) = journal else { return Ok((None, seen)) };
            journal.write(&place)?;
            let copies = copies(&output, rejects.as_ref()).map_err(|error| error.to_string())?;
            Ok((Some(Notary::new(journal, copies)), seen))
        };
        let (notary, seen) = match begin() {
            Ok(begun) => begun,
            Err(error) => {
                if can_be_removed {
                    output.discard();
                    rejects.into_iter().for_each(Part::discard);
                }
                return Err(error);
            }
        };
        interrupt::run();
        let sink = Sink {
            output,
            rejects,
            notary,
            place,
            noted: Instant::now(),
            conversion: conversion(options),
            mark: mark.zip(options.output.clone()),
            seen,
            max_rejects: options.max_rejects,
            reported: 0,
        };
        Ok(Start::With(Box::new(sink), input))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn is_journalled(&self) -> bool {
        self.notary.is_some()
    }

    /// How many rejects went neither to a file nor to standard error.
    pub(crate) fn unreported(&self) -> u64 {
        self.reported.saturating_sub(MAX_REPORTS)
    }

    /// Writes what has become of a block, and reports its rejects.
    pub(crate) fn write(&mut self, block: &Block, progress: &Progress) -> Result<(), Box<dyn std::error::Error>> {
        // The place moves only once all of the block is written.
        let mut place = self.place.clone();
        let duplicates = self.write_rows(block, &mut place)?;
        let mut rejects: Vec<&Reject> = block.rejects.iter().chain(&duplicates).collect();
        rejects.sort_by_key(|reject| reject.lines_before);
        for reject in rejects {
            self.write_reject(reject, &mut place, progress)?;
        }
        place.offset += block.bytes;
        place.line += block.lines;
        place.taken.add(block.taken());
        place.tally.noticed.merge(&block.noticed);
        self.place = place;
        progress.show(&self.place);
        if let Some(limit @ MaxRejects::Rows(count)) = self.max_rejects
            && self.place.tally.rejected() > count
        {
            return Err(format!("more than {limit} rows are rejects").into());
        }
        if self.noted.elapsed() >= CHECKPOINT_INTERVAL {
            self.noted = Instant::now();
            if self.notary.as_ref().is_some_and(|notary| !notary.note(&self.place)) {
                return Err("the place cannot be noted".into());
            }
        }
        Ok(())
    }

    /// Writes the rows of a block but for duplicates, which come back as rejects.
    fn write_rows(&mut self, block: &Block, place: &mut Place) -> io::Result<Vec<Reject>> {
        let (mut duplicates, mut kept) = (Vec::new(), Vec::new());
        let mut start = 0;
        let mut lengths = Lengths::default();
        for row in &block.rows {
            let Row { end, lines_before, bytes_before, written } = row;
            let is_new = self.seen.as_mut().is_none_or(|seen| seen.insert(written.hash));
            if is_new {
                lengths.add(written.length, written.learnt);
                if self.seen.is_some() {
                    kept.extend_from_slice(block.output.get(start..*end).unwrap_or_default());
                }
            } else {
                let sentence = "the row is laid out as an earlier one".to_owned();
                let reason = Reason { kind: "duplicate", sentence };
                let (lines_before, bytes_before) = (*lines_before, *bytes_before);
                duplicates.push(Reject {
                    lines_before,
                    bytes_before,
                    reason,
                    row: block.line_at(bytes_before).to_vec(),
                });
            }
            start = *end;
        }
        let output = if self.seen.is_some() { &kept } else { &block.output };
        self.output.write_all(output)?;
        place.output += output.len() as u64;
        place.tally.lengths.merge(&lengths);
        Ok(duplicates)
    }

    fn write_reject(&mut self, reject: &Reject, place: &mut Place, progress: &Progress) -> io::Result<()> {
        let Reject { lines_before, bytes_before, reason, row } = reject;
        let (line, offset) = (place.line + lines_before + 1, place.offset + bytes_before);
        place.tally.reject(reason, line);
        let Some(file) = &mut self.rejects else {
            self.reported += 1;
            if self.reported <= MAX_REPORTS {
                progress.report(&format!("line {line}: {}", reason.sentence));
            }
            return Ok(());
        };
        let text = str::from_utf8(row).ok();
        let row_base64 = text.is_none().then(|| BASE64_STANDARD.encode(row));
        let told = RejectLine { line, offset, kind: reason.kind, error: &reason.sentence, row: text, row_base64 };
        let mut json = serde_json::to_vec(&told)?;
        json.push(b'\n');
        file.write_all(&json)?;
        place.rejects += json.len() as u64;
        Ok(())
    }

    /// Ends the run: moves complete files to their places, and leaves what is incomplete beside them.
    pub(crate) fn finish(self, is_complete: bool) -> Result<Place, Box<dyn std::error::Error>> {
        let Sink { output, rejects, notary, place, conversion, mark, .. } = self;
        let journal = notary.map(|notary| notary.finish(&place)).transpose()?;
        if !is_complete {
            output.flush()?;
            return Ok(place);
        }
        if let Some(journal) = &journal {
            journal.write_complete(&place)?;
        }
        rejects.map(Part::finish).transpose()?;
        if let Some(convert) = conversion {
            output.flush()?;
            convert()?;
        }
        output.finish()?;
        if let Some((mark, output)) = mark {
            mark.write(&output)?;
        }
        if let Some(journal) = &journal {
            journal.remove()?;
        }
        Ok(place)
    }
}

/// What is said of an output without a journal: it is complete, if the same run made it.
fn complete(journal: &Journal, output: &Path) -> Result<Start, String> {
    let path = output.display();
    match Mark::read(output)? {
        None => Err(format!(
            "{path} is there, and there is no {} to say that a run completed it: remove it, or run without --resume",
            Mark::path_for(output).display()
        )),
        Some(mark) => match mark.difference(journal.mark(), Run::Complete) {
            None => Ok(Start::Complete),
            Some(difference) => {
                Err(format!("{path} is complete, and was made with {difference}; run without --resume to make it anew"))
            }
        },
    }
}

fn conversion(options: &Options) -> Option<Conversion> {
    let output = options.output.clone().filter(|_| finish::converts(options))?;
    let (pack, is_parquet) = (options.pack, options.writes_parquet());
    Some(Box::new(move || finish::convert(&output, pack, is_parquet)))
}

/// Does of a run what it was stopped right before: moves its files to their places.
fn finish_earlier(options: &Options, journal: &Journal) -> Result<(), String> {
    let Some(output) = options.output.as_deref() else { return Ok(()) };
    if let Some(rejects) = options.rejects() {
        Part::finish_earlier(rejects).map_err(|error| in_file(rejects, &error))?;
    }
    let convert = conversion(options).map_or(Ok(()), |convert| convert());
    convert.and_then(|()| Part::finish_earlier(output)).map_err(|error| in_file(output, &error))?;
    journal.mark().write(output).map_err(|error| in_file(output, &error))?;
    journal.remove()
}

/// The hashes of the rows that an earlier run wrote, where duplicates are rejected.
fn seen_before(options: &Options) -> Result<Option<HashSet<u128>>, String> {
    if options.duplicates == Duplicates::Keep {
        return Ok(None);
    }
    let mut seen = HashSet::new();
    let Some(output) = options.output.as_deref().filter(|_| options.start == Begin::Resume) else {
        return Ok(Some(seen));
    };
    #[derive(Deserialize)]
    struct Texts {
        text: Option<String>,
        chosen_text: Option<String>,
        rejected_text: Option<String>,
    }
    let part = Part::path_for(output);
    let read = || -> io::Result<()> {
        for line in BufReader::new(File::open(&part)?).split(b'\n') {
            let Texts { text, chosen_text, rejected_text } = serde_json::from_slice(&line?)?;
            let texts = [text, chosen_text, rejected_text];
            seen.insert(hash_of(texts.iter().flatten().map(String::as_str)));
        }
        Ok(())
    };
    let mut read = read;
    read().map_err(|error| in_file(&part, &error))?;
    Ok(Some(seen))
}

fn open_outputs(options: &Options, place: &Place) -> Result<(Output, Option<Part>), String> {
    let open = |path: &Path, length| Part::open(path, length, lock).map_err(|error| in_file(path, &error));
    let output = match (&options.output, options.pack) {
        (Some(path), _) => Output::File(open(path, place.output)?),
        (None, Some(length)) => Output::Packed(io::stdout(), Box::new(LinePacker::new(length))),
        (None, None) => Output::Standard(io::stdout()),
    };
    match options.rejects().map(|path| open(path, place.rejects)).transpose() {
        Ok(rejects) => Ok((output, rejects)),
        Err(error) => {
            if options.start == Begin::Anew {
                output.discard();
            }
            Err(error)
        }
    }
}

/// Refuses a file that another run has open.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(io::Error::other("another run is writing it")),
        // A file system without locks is no reason not to run.
        Err(std::fs::TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

/// The files of a run once more, for another thread.
fn copies(output: &Output, rejects: Option<&Part>) -> io::Result<Vec<File>> {
    let output = match output {
        Output::File(file) => Some(file),
        Output::Standard(_) | Output::Packed(..) => None,
    };
    output.into_iter().chain(rejects).map(Part::try_clone).collect()
}

fn in_file(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
