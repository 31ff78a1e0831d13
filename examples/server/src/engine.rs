//! The model with the caches of the conversations that it was in: prompts go on from the cache that has most of them.

use std::sync::Mutex;

use candle_core::Result;

use crate::model::{Cache, Model};

/// A model, and what it has read.
pub struct Engine {
    pub model: Model,
    /// The least recently used first.
    caches: Mutex<Vec<Read>>,
    capacity: usize,
}

/// Ids that were read, and the cache that they left.
struct Read {
    ids: Vec<u32>,
    cache: Cache,
}

/// An answer that is being sampled.
pub struct Generation<'e> {
    engine: &'e Engine,
    read: Read,
    /// What comes after the ids that were read.
    pub logits: Vec<f32>,
    /// How many of the prompt's ids were in a cache.
    pub cached: usize,
}

impl Engine {
    /// An engine that keeps at most this many caches.
    pub fn new(model: Model, capacity: usize) -> Self {
        Engine { model, caches: Mutex::default(), capacity: capacity.max(1) }
    }

    /// Reads a prompt, which has at least one id.
    pub fn begin(&self, prompt: &[u32]) -> Result<Generation<'_>> {
        let mut read = self.longest(prompt)?;
        let cached = read.ids.len();
        let mut logits = Vec::new();
        // In parts, so that the mask of a long prompt stays small.
        for part in prompt.get(cached..).unwrap_or_default().chunks(512) {
            logits = self.model.read(part, &mut read.cache)?;
            read.ids.extend_from_slice(part);
        }
        Ok(Generation { engine: self, read, logits, cached })
    }

    /// The cache that has most of the prompt, cut to what it has of it: all but the last id at most, whose logits are
    /// wanted.
    fn longest(&self, prompt: &[u32]) -> Result<Read> {
        let mut caches = self.caches();
        let most = prompt.len().saturating_sub(1);
        let common =
            |read: &Read| read.ids.iter().zip(prompt).take_while(|(one, other)| one == other).count().min(most);
        let best = caches.iter().enumerate().map(|(index, read)| (common(read), index)).max();
        let Some((len, index)) = best.filter(|(len, _)| *len > 0) else {
            return Ok(Read { ids: Vec::new(), cache: self.model.cache() });
        };
        let is_whole = caches.get(index).is_some_and(|read| read.ids.len() == len);
        if is_whole {
            return Ok(caches.remove(index));
        }
        // Another conversation begins the same, or this one was taken back: the other way stays open.
        let Some(read) = caches.get(index) else {
            return Ok(Read { ids: Vec::new(), cache: self.model.cache() });
        };
        let ids = read.ids.get(..len).unwrap_or_default().to_vec();
        Ok(Read { ids, cache: read.cache.first(len)? })
    }

    fn caches(&self) -> std::sync::MutexGuard<'_, Vec<Read>> {
        self.caches.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Generation<'_> {
    /// Reads an id that was sampled.
    pub fn push(&mut self, id: u32) -> Result<()> {
        self.logits = self.engine.model.read(&[id], &mut self.read.cache)?;
        self.read.ids.push(id);
        Ok(())
    }
}

/// What was read is kept, however the answer ended.
impl Drop for Generation<'_> {
    fn drop(&mut self) {
        let read = Read { ids: std::mem::take(&mut self.read.ids), cache: self.read.cache.clone() };
        debug_assert_eq!(read.ids.len(), read.cache.len());
        let mut caches = self.engine.caches();
        caches.push(read);
        while caches.len() > self.engine.capacity {
            caches.remove(0);
        }
    }
}
