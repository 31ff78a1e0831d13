//! Where rows, rejects and reports go, and how far they have come.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::files::Part;
use crate::journal::{Journal, Notary, Noted};
use crate::options::{Begin, Options};
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
    rejects: Option<Part>,
    notary: Option<Notary>,
    place: Place,
    noted: Instant,
}

enum Output {
    File(Part),
    Standard(io::Stdout),
}

impl Output {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Output::File(file) => file.write_all(bytes),
            Output::Standard(stdout) => stdout.lock().write_all(bytes),
        }
    }

    fn flush(&self) -> io::Result<()> {
        match self {
            Output::File(_) => Ok(()),
            Output::Standard(stdout) => stdout.lock().flush(),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Output::File(file) => file.finish(),
            Output::Standard(stdout) => stdout.lock().flush(),
        }
    }

    fn discard(self) {
        match self {
            Output::File(file) => file.discard(),
            Output::Standard(_) => {}
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
            (Begin::Resume, Some(Noted::Unfinished(place)), _) => place,
            (Begin::Resume, Some(Noted::Complete), _) => {
                finish_earlier(options, journal.as_ref())?;
                return Ok(Start::Complete);
            }
            (Begin::Resume, None, Some(output)) if output.exists() => return Ok(Start::Complete),
            (Begin::Anew, Some(_), Some(output)) => {
                return Err(format!(
                    "{} was begun and is not complete: go on with --resume, or remove {} to begin anew",
                    output.display(),
                    Journal::path_for(output).display()
                ));
            }
            _ => Place::default(),
        };
        let input = open_input(options.input.as_deref(), place.offset)?;
        let (output, rejects) = open_outputs(options, &place)?;
        let begin = || -> Result<Option<Notary>, String> {
            let Some(journal) = journal else { return Ok(None) };
            journal.write(&place)?;
            let copies = copies(&output, rejects.as_ref()).map_err(|error| error.to_string())?;
            Ok(Some(Notary::new(journal, copies)))
        };
        match begin() {
            Ok(notary) => Ok(Start::With(Sink { output, rejects, notary, place, noted: Instant::now() }, input)),
            Err(error) => {
                if options.start == Begin::Anew {
                    output.discard();
                    rejects.into_iter().for_each(Part::discard);
                }
                Err(error)
            }
        }
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

    /// Ends the run: moves complete files to their places, and leaves what is incomplete beside them.
    pub(crate) fn finish(self, is_complete: bool) -> Result<Place, Box<dyn std::error::Error>> {
        let Sink { output, rejects, notary, place, .. } = self;
        let journal = notary.map(|notary| notary.finish(&place)).transpose()?;
        if !is_complete {
            output.flush()?;
            return Ok(place);
        }
        if let Some(journal) = &journal {
            journal.write_complete(&place)?;
        }
        rejects.map(Part::finish).transpose()?;
        output.finish()?;
        if let Some(journal) = &journal {
            journal.remove()?;
        }
        Ok(place)
    }
}

/// Moves the files of a run to their places that was stopped right before.
fn finish_earlier(options: &Options, journal: Option<&Journal>) -> Result<(), String> {
    for path in options.rejects().into_iter().chain(options.output.as_deref()) {
        Part::finish_earlier(path).map_err(|error| in_file(path, &error))?;
    }
    journal.map_or(Ok(()), Journal::remove)
}

fn open_outputs(options: &Options, place: &Place) -> Result<(Output, Option<Part>), String> {
    let open = |path: &Path, length| Part::open(path, length).map_err(|error| in_file(path, &error));
    let output = match &options.output {
        Some(path) => Output::File(open(path, place.output)?),
        None => Output::Standard(io::stdout()),
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

/// The files of a run once more, for another thread.
fn copies(output: &Output, rejects: Option<&Part>) -> io::Result<Vec<File>> {
    let output = match output {
        Output::File(file) => Some(file),
        Output::Standard(_) => None,
    };
    output.into_iter().chain(rejects).map(Part::try_clone).collect()
}

/// Opens the input behind its first `offset` bytes.
fn open_input(path: Option<&Path>, offset: u64) -> Result<Input, String> {
    let Some(path) = path else { return Ok(Box::new(io::stdin())) };
    let open = || -> io::Result<File> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
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

fn in_file(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
