//! Where rows, rejects and reports go, and how far they have come.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::journal::{Journal, Notary};
use crate::options::{Begin, OnError, Options};
use crate::pipeline::{Block, Reject};
use crate::progress::Progress;
use crate::summary::Tally;

/// How often a run notes how far it has come.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// How far a run has come: what of the input was taken, and what came of it.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Place {
    /// Bytes and lines of the input.
    pub(crate) offset: u64,
    pub(crate) line: u64,
    /// Bytes of the output, and of the rejects.
    output: u64,
    rejects: u64,
    pub(crate) tally: Tally,
}

/// A line of the file of rejects.
#[derive(Serialize)]
struct RejectLine<'a> {
    line: u64,
    kind: &'a str,
    error: &'a str,
    row: &'a str,
}

/// Where a run begins.
pub(crate) enum Start {
    /// With this of the input still to come.
    With(Sink, Input),
    /// Nowhere: nothing is left to do.
    Complete,
}

pub(crate) type Input = Box<dyn Read + Send>;

pub(crate) struct Sink {
    output: Output,
    rejects: Option<File>,
    notary: Option<Notary>,
    place: Place,
    noted: Instant,
}

enum Output {
    File(File),
    Standard(io::Stdout),
}

impl Output {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Output::File(file) => file.write_all(bytes),
            Output::Standard(stdout) => stdout.lock().write_all(bytes),
        }
    }
}

impl Sink {
    /// Opens the output at the place where the run begins or goes on.
    pub(crate) fn open(options: &Options) -> Result<Start, String> {
        let journal = match (&options.input, &options.output) {
            // A pipe or a device cannot be gone on with.
            (Some(_), Some(output)) if output.is_file() || !output.exists() => {
                Some(Journal::beside(output, options.fingerprint()))
            }
            _ => None,
        };
        let noted = journal.as_ref().map(Journal::read).transpose()?.flatten();
        let place = match (options.start, noted, &options.output) {
            (Begin::Resume, Some(place), _) => place,
            (Begin::Resume, None, Some(output)) if output.exists() => return Ok(Start::Complete),
            (Begin::Anew, Some(_), Some(output)) => {
                return Err(format!(
                    "{} was begun and is not complete: go on with --resume, or remove {0}.journal to begin anew",
                    output.display()
                ));
            }
            _ => Place::default(),
        };
        let input = open_input(options.input.as_deref(), place.offset)?;
        // The journal comes before the output: one without a journal is complete.
        if let Some(journal) = &journal {
            journal.write(&place)?;
        }
        let output = match &options.output {
            Some(path) => Output::File(open_at(path, place.output)?),
            None => Output::Standard(io::stdout()),
        };
        let rejects = match &options.on_error {
            OnError::Keep(path) => Some(open_at(path, place.rejects)?),
            OnError::Skip | OnError::Stop => None,
        };
        let notary = match journal {
            Some(journal) => Some(Notary::new(journal, copies(&output, rejects.as_ref()).map_err(|e| e.to_string())?)),
            None => None,
        };
        Ok(Start::With(Sink { output, rejects, notary, place, noted: Instant::now() }, input))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Writes what has become of a block, and reports its rejects.
    pub(crate) fn write(&mut self, block: &Block, progress: &Progress) -> Result<(), Box<dyn std::error::Error>> {
        // The place moves only once all of the block is written.
        let mut place = self.place.clone();
        self.output.write_all(&block.output)?;
        place.output += block.output.len() as u64;
        for Reject { lines_before, reason, row } in &block.rejects {
            let line = place.line + lines_before + 1;
            place.tally.reject(reason, line);
            match &mut self.rejects {
                Some(file) => {
                    let mut json =
                        serde_json::to_vec(&RejectLine { line, kind: reason.kind, error: &reason.sentence, row })?;
                    json.push(b'\n');
                    file.write_all(&json)?;
                    place.rejects += json.len() as u64;
                }
                None => progress.report(&format!("line {line}: {}", reason.sentence)),
            }
        }
        place.offset += block.bytes;
        place.line += block.lines;
        place.tally.lengths.merge(&block.lengths);
        self.place = place;
        progress.show(&self.place);
        if self.noted.elapsed() >= CHECKPOINT_INTERVAL {
            self.noted = Instant::now();
            if self.notary.as_ref().is_some_and(|notary| !notary.note(&self.place)) {
                return Err("the place cannot be noted".into());
            }
        }
        Ok(())
    }

    /// Ends the run: a journal stays behind only where there is more to do.
    pub(crate) fn finish(self, is_complete: bool) -> Result<Place, Box<dyn std::error::Error>> {
        if let Output::Standard(stdout) = &self.output {
            stdout.lock().flush()?;
        }
        if let Some(notary) = self.notary {
            let journal = notary.finish(&self.place)?;
            if is_complete {
                journal.remove()?;
            }
        }
        Ok(self.place)
    }
}

/// The files of a run once more, for another thread.
fn copies(output: &Output, rejects: Option<&File>) -> io::Result<Vec<File>> {
    let output = match output {
        Output::File(file) => Some(file),
        Output::Standard(_) => None,
    };
    output.into_iter().chain(rejects).map(File::try_clone).collect()
}

/// Opens the input behind its first `offset` bytes.
fn open_input(path: Option<&Path>, offset: u64) -> Result<Input, String> {
    let Some(path) = path else { return Ok(Box::new(io::stdin())) };
    let open = || -> io::Result<File> {
        let mut file = File::open(path)?;
        if offset > 0 {
            if file.metadata()?.len() < offset {
                return Err(io::Error::other("shorter than when the run was begun"));
            }
            file.seek(SeekFrom::Start(offset))?;
        }
        Ok(file)
    };
    Ok(Box::new(open().map_err(|error| in_file(path, &error))?))
}

/// Opens a file for writing behind its first `length` bytes; what came later was not noted, and comes again.
fn open_at(path: &Path, length: u64) -> Result<File, String> {
    let open = || -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let found = file.metadata()?;
        if found.is_file() {
            if found.len() < length {
                return Err(io::Error::other("shorter than its journal says"));
            }
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
        }
        Ok(file)
    };
    open().map_err(|error| in_file(path, &error))
}

fn in_file(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
