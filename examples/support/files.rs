//! Files that are written without harm to others: which names are one file, and a file that takes its place when whole.
#![allow(dead_code, reason = "each example uses a part")]

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How many symbolic links are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// A file by what it is rather than by what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileId {
    /// The device and the file's number on it.
    Inode(u64, u64),
    /// The real path: of a file that does not exist yet, or on a system without inodes.
    Place(PathBuf),
}

impl FileId {
    /// The file at a path, or the file that opening the path for writing would create.
    ///
    /// A device, a pipe and a folder have none: several names for one of them do no harm.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Self::of_metadata(&metadata).or_else(|| metadata.is_file().then(|| place(path))),
            Err(_) => Some(place(path)),
        }
    }

    /// The file that standard input reads, if it reads one.
    pub(crate) fn of_stdin() -> Option<Self> {
        Self::of_stream(&io::stdin())
    }

    /// The file that standard output writes, if it writes one.
    pub(crate) fn of_stdout() -> Option<Self> {
        Self::of_stream(&io::stdout())
    }

    #[cfg(unix)]
    fn of_stream(stream: &impl std::os::fd::AsFd) -> Option<Self> {
        let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
        Self::of_metadata(&file.metadata().ok()?)
    }

    #[cfg(not(unix))]
    fn of_stream<T>(_: &T) -> Option<Self> {
        None
    }

    #[cfg(unix)]
    fn of_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        metadata.is_file().then(|| FileId::Inode(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of_metadata(_: &Metadata) -> Option<Self> {
        None
    }
}

fn place(path: &Path) -> FileId {
    FileId::Place(real_path(path))
}

/// The path without symbolic links; of a file that does not exist, its folder's real path and its name.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return real;
        }
        // A link to a file that does not exist: writing creates what it points to.
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder(&path).join(target);
    }
    let name = path.file_name().unwrap_or(OsStr::new(""));
    let parent = folder(&path);
    let real = fs::canonicalize(parent).or_else(|_| std::path::absolute(parent));
    real.map_or_else(|_| path.clone(), |parent| parent.join(name))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A file that a program reads or writes, by what it is to the program and how it was named.
pub(crate) struct Used {
    pub(crate) description: String,
    pub(crate) id: FileId,
}

impl Used {
    /// A file on the command line: `the output out.jsonl`.
    pub(crate) fn at(what: &str, path: &Path) -> Option<Self> {
        Some(Used { description: format!("{what} {}", path.display()), id: FileId::of(path)? })
    }
}

/// Refuses two uses of one file, of which one at least would be written.
///
/// # Errors
///
/// A written file that is another's input or output.
pub(crate) fn check_distinct(read: &[Used], written: &[Used]) -> Result<(), String> {
    for (index, file) in written.iter().enumerate() {
        let others = read.iter().chain(written.get(..index).unwrap_or_default());
        if let Some(other) = others.into_iter().find(|other| other.id == file.id) {
            return Err(format!("{} and {} are one file", other.description, file.description));
        }
    }
    Ok(())
}

/// The path with more after its name.
pub(crate) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file written beside its place as `NAME.part`, and moved there once it is whole.
///
/// What is not a regular file, such as a pipe or a device, is written as it is.
pub(crate) struct Part {
    file: File,
    /// Where it is written and where it belongs; absent for what is not a regular file.
    paths: Option<(PathBuf, PathBuf)>,
}

impl Part {
    /// The path of the part of a file.
    pub(crate) fn path_for(path: &Path) -> PathBuf {
        suffixed(&real_path(path), ".part")
    }

    /// Opens the part of a file behind its first `length` bytes, which an earlier run wrote. `lock` may refuse the part
    /// before it is changed.
    pub(crate) fn open(path: &Path, length: u64, lock: impl Fn(&File) -> io::Result<()>) -> io::Result<Self> {
        let target = real_path(path);
        let existing = fs::metadata(&target).ok();
        if existing.is_some() {
            // A file that may not be written may not be replaced either.
            let file = OpenOptions::new().write(true).open(&target)?;
            if !file.metadata()?.is_file() {
                return Ok(Part { file, paths: None });
            }
        }
        let part = Self::path_for(path);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&part)?;
        lock(&file)?;
        if file.metadata()?.len() < length {
            return Err(io::Error::other(format!("{} is shorter than its journal says", part.display())));
        }
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Part { file, paths: Some((part, target)) })
    }

    /// The file, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Moves the file to its place, with the permissions of the file that it replaces.
    pub(crate) fn finish(self) -> io::Result<()> {
        let Some((part, target)) = self.paths else { return Ok(()) };
        self.file.sync_all()?;
        if let Ok(replaced) = fs::metadata(&target) {
            fs::set_permissions(&part, replaced.permissions())?;
        }
        fs::rename(part, target)
    }

    /// Removes the part; the file in its place stays as it was.
    pub(crate) fn discard(self) {
        if let Some((part, _)) = self.paths {
            // What cannot be removed is left: the next run writes over it.
            let _ = fs::remove_file(part);
        }
    }

    /// Moves a part to its place that an earlier run finished and did not come to move.
    pub(crate) fn finish_earlier(path: &Path) -> io::Result<()> {
        match Self::path_for(path).try_exists()? {
            true => fs::rename(Self::path_for(path), real_path(path)),
            false => Ok(()),
        }
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file: a crash leaves the old one or the new one, and never half of one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = Part::open(path, 0, |_| Ok(()))?;
    match part.write_all(bytes) {
        Ok(()) => part.finish(),
        Err(error) => {
            part.discard();
            Err(error)
        }
    }
}
