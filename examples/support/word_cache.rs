//! [`WordCache`]: the ids of words that were encoded before, since most words of a text are.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

type Ids = HashMap<Box<str>, Box<[u32]>>;

/// The ids of words. Each thread has its own, as far as there are shards, so that none waits for another.
pub(crate) struct WordCache {
    shards: Box<[Mutex<Ids>]>,
}

impl WordCache {
    const SHARDS: usize = 16;
    /// The bytes of a word at most: longer ones hardly come twice.
    const LONGEST: usize = 48;
    /// The words of a shard at most.
    const WORDS: usize = 1 << 16;

    pub(crate) fn new() -> Self {
        WordCache { shards: (0..Self::SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Appends the ids of a text, word by word. `encode` gives those of a word that is not known.
    pub(crate) fn encode<'t>(
        &self,
        words: impl Iterator<Item = &'t str>,
        ids: &mut Vec<u32>,
        encode: impl Fn(&str) -> Vec<u32>,
    ) {
        let shard = self.shards.get(shard_of_this_thread() % Self::SHARDS);
        let Some(shard) = shard else { return };
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        for word in words {
            if let Some(found) = known.get(word) {
                ids.extend_from_slice(found);
                continue;
            }
            let new = encode(word);
            ids.extend_from_slice(&new);
            if word.len() <= Self::LONGEST {
                if known.len() >= Self::WORDS {
                    known.clear();
                }
                known.insert(word.into(), new.into());
            }
        }
    }
}

fn shard_of_this_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SHARD: Cell<Option<usize>> = const { Cell::new(None) });
    SHARD.with(|shard| {
        let number = shard.get().unwrap_or_else(|| THREADS.fetch_add(1, Ordering::Relaxed));
        shard.set(Some(number));
        number
    })
}

/// The words of a text, each with the spaces before it: a text is parted before a space that no white space precedes.
///
/// Neither Tekken's pattern nor a piece of Mistral's SentencePiece models goes on from another character to a space, so
/// the ids of a text are those of its words. To SentencePiece, `▁` is a space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_space = |before: char| before.is_whitespace() || before == '▁';
        let ends = |(at, _): &(usize, &str)| rest[..*at].chars().next_back().is_some_and(|before| !is_space(before));
        let end = rest.match_indices(' ').find(ends).map_or(rest.len(), |(at, _)| at);
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}
