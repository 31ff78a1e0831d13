//! A file beside the output that says how far an unfinished run has come.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use serde::{Deserialize, Serialize};

use crate::files::{real_path, suffixed};
use crate::mark::{Mark, Run};
use crate::sink::Place;

pub(crate) struct Journal {
    path: PathBuf,
    /// What the run is made of.
    mark: Mark,
}

#[derive(Deserialize, Serialize)]
struct Entry {
    mark: Mark,
    place: Place,
    /// Is all of the input taken, so that only the files are to be moved to their places?
    #[serde(default)]
    is_complete: bool,
}

/// What a journal says.
pub(crate) enum Noted {
    /// The run came this far.
    Unfinished(Place),
    /// The run is complete, but for moving its files to their places.
    Complete,
}

impl Journal {
    /// The path of the journal of an output.
    pub(crate) fn path_for(output: &Path) -> PathBuf {
        suffixed(&real_path(output), ".journal")
    }

    pub(crate) fn beside(output: &Path, mark: Mark) -> Self {
        Journal { path: Self::path_for(output), mark }
    }

    /// Is there a journal, whatever it says?
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// What was noted last; nothing where there is no journal.
    pub(crate) fn read(&self) -> Result<Option<Noted>, String> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fault(&error)),
        };
        let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| self.fault(&error.into()))?;
        if let Some(difference) = entry.mark.difference(&self.mark, Run::Unfinished) {
            let path = self.path.display();
            return Err(format!("{path}: the run was begun with {difference}"));
        }
        Ok(Some(if entry.is_complete { Noted::Complete } else { Noted::Unfinished(entry.place) }))
    }

    /// Notes a place: the old note or the new one is there at any time, and never half of one.
    pub(crate) fn write(&self, place: &Place) -> Result<(), String> {
        self.write_entry(place, false)
    }

    /// Notes that all is written, and only the files are to be moved to their places.
    pub(crate) fn write_complete(&self, place: &Place) -> Result<(), String> {
        self.write_entry(place, true)
    }

    fn write_entry(&self, place: &Place, is_complete: bool) -> Result<(), String> {
        let write = || -> io::Result<()> {
            let new = suffixed(&self.path, ".new");
            let mut file = File::create(&new)?;
            let entry = Entry { mark: self.mark.clone(), place: place.clone(), is_complete };
            file.write_all(&serde_json::to_vec(&entry)?)?;
            file.sync_data()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|error| self.fault(&error))
    }

    pub(crate) fn mark(&self) -> &Mark {
        &self.mark
    }

    pub(crate) fn remove(&self) -> Result<(), String> {
        fs::remove_file(&self.path).map_err(|error| self.fault(&error))
    }

    fn fault(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.path.display())
    }
}

/// Notes places beside the writing, which waits for no disk: each once all that belongs before it is safely in its file.
pub(crate) struct Notary {
    places: SyncSender<Place>,
    thread: JoinHandle<Result<Journal, String>>,
}

impl Notary {
    /// A notary of what is written to these files.
    pub(crate) fn new(journal: Journal, files: Vec<File>) -> Self {
        let (places, written) = sync_channel::<Place>(0);
        let thread = thread::spawn(move || {
            for place in written {
                files.iter().try_for_each(File::sync_data).map_err(|error| error.to_string())?;
                journal.write(&place)?;
            }
            Ok(journal)
        });
        Notary { places, thread }
    }

    /// Notes the place, unless the one before is still on its way; false where none can be noted any more.
    pub(crate) fn note(&self, place: &Place) -> bool {
        !matches!(self.places.try_send(place.clone()), Err(TrySendError::Disconnected(_)))
    }

    /// Notes the last place, and gives the journal back.
    pub(crate) fn finish(self, place: &Place) -> Result<Journal, String> {
        // Where it is not taken, the thread has ended, and says why.
        let _ = self.places.send(place.clone());
        drop(self.places);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
