//! What a run was made of: a mark beside its output, by which a later run recognises it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::files::{real_path, suffixed};
use crate::options::Options;

/// How much of a file is hashed.
const BEGINNING: u64 = 1 << 20;

/// What a run was made of.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Mark {
    options: String,
    input: Option<FileMark>,
    /// The vocabulary, the template and whatever else was read beside the input.
    sources: Vec<(String, FileMark)>,
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct FileMark {
    path: PathBuf,
    size: u64,
    /// When it was last changed, in nanoseconds of Unix time.
    modified: Option<u128>,
    /// A hash of its first MiB.
    beginning: u64,
}

impl FileMark {
    fn of(path: &Path) -> io::Result<Self> {
        let path = real_path(path);
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let mut beginning = Vec::new();
        if metadata.is_file() {
            file.take(BEGINNING).read_to_end(&mut beginning)?;
        }
        Ok(FileMark {
            path,
            size: metadata.len(),
            modified: modified.map(|time| time.as_nanos()),
            beginning: fnv(FNV_BASIS, &beginning),
        })
    }

    /// What differs, for a sentence.
    fn difference(&self, now: &FileMark) -> Option<String> {
        let path = now.path.display();
        if self.path != now.path {
            Some(format!("was {}, and is {path}", self.path.display()))
        } else if self.size != now.size {
            let change = if self.size < now.size { "has grown" } else { "has shrunk" };
            Some(format!("{path} {change} from {} to {} bytes", self.size, now.size))
        } else if self.beginning != now.beginning {
            Some(format!("{path} was exchanged: it begins differently"))
        } else if self.modified != now.modified {
            Some(format!("{path} was changed since"))
        } else {
            None
        }
    }
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: it distinguishes files, and is no protection against forgery.
fn fnv(basis: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(basis, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Mark {
    /// Where the mark of a complete output stands.
    pub(crate) fn path_for(output: &Path) -> PathBuf {
        suffixed(&real_path(output), ".done")
    }

    /// The mark of a run with these options, as its files are now.
    pub(crate) fn now(options: &Options) -> Result<Self, String> {
        let of = |path: &Path| FileMark::of(path).map_err(|error| format!("{}: {error}", path.display()));
        let input = options.input.as_deref().map(of).transpose()?;
        let sources = options.sources().into_iter().filter(|(_, path)| path.exists());
        let sources = sources.map(|(name, path)| Ok((name.to_owned(), of(&path)?))).collect::<Result<_, String>>()?;
        Ok(Mark { options: options.fingerprint(), input, sources })
    }

    /// The mark of the run that made an output, if the output has one.
    pub(crate) fn read(output: &Path) -> Result<Option<Self>, String> {
        let path = Self::path_for(output);
        let fault = |error: io::Error| format!("{}: {error}", path.display());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| fault(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    pub(crate) fn write(&self, output: &Path) -> io::Result<()> {
        crate::files::write(&Self::path_for(output), &serde_json::to_vec(self)?)
    }

    /// Why what was done with the one is not to be gone on with as the other.
    pub(crate) fn difference(&self, now: &Mark, run: Run) -> Option<String> {
        if self.options != now.options || self.sources.len() != now.sources.len() {
            return Some(format!("other options: {}", self.options));
        }
        let mut sources = self.sources.iter().zip(&now.sources);
        let source = sources.find_map(|((name, then), (_, now))| {
            then.difference(now).map(|difference| format!("another {name}: {difference}"))
        });
        let input = || match (&self.input, &now.input, run) {
            (Some(then), Some(now), Run::Complete) => then.difference(now),
            // What comes behind the place may have changed, and what comes before is compared as it is read.
            (Some(then), Some(now), Run::Unfinished) if then.path != now.path => then.difference(now),
            _ => None,
        };
        source.or_else(|| input().map(|difference| format!("another input: {difference}")))
    }
}

/// How far the run of a mark came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Run {
    Complete,
    Unfinished,
}

/// A hash of the beginning of what was taken of an input.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Taken {
    hash: u64,
    bytes: u64,
}

impl Default for Taken {
    fn default() -> Self {
        Taken { hash: FNV_BASIS, bytes: 0 }
    }
}

impl Taken {
    /// Takes more of the input; only its first MiB counts.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let room = usize::try_from(BEGINNING - self.bytes.min(BEGINNING)).unwrap_or(usize::MAX);
        let counted = bytes.get(..room).unwrap_or(bytes);
        self.hash = fnv(self.hash, counted);
        self.bytes += counted.len() as u64;
    }

    /// Reads as much as was taken, and says whether it is the same.
    pub(crate) fn is_beginning_of(&self, reader: &mut impl Read) -> io::Result<bool> {
        let mut beginning = Vec::new();
        reader.take(self.bytes).read_to_end(&mut beginning)?;
        let mut found = Taken::default();
        found.add(&beginning);
        Ok(found == *self)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}
