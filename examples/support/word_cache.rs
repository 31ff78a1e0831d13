//! [`WordCache`]: the ids of words that were encoded before, since most words of a text are.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

type Ids = HashMap<Box<str>, Box<[u32]>>;

/// The ids of words. Each thread has a shard of its own, as long as there are enough, so that none waits for another.
pub(crate) struct WordCache {
    shards: Box<[Mutex<Ids>]>,
    /// The bytes of text that each id stands for; 0 where that is not known.
    lengths: Box<[u8]>,
}

impl WordCache {
    const SHARDS: usize = 16;
    /// The bytes of a word at most: longer ones hardly come twice.
    const LONGEST: usize = 48;
    /// The words of a shard at most.
    const WORDS: usize = 1 << 16;

    /// An empty cache, given how many bytes of text each id of the vocabulary stands for.
    pub(crate) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let lengths = lengths.into_iter().map(|length| u8::try_from(length).unwrap_or_default()).collect();
        WordCache { shards: (0..Self::SHARDS).map(|_| Mutex::default()).collect(), lengths }
    }

    /// Appends the ids of a text: those of its words, as far as they are known. `alone` encodes a word, `whole` the text.
    ///
    /// A word alone costs as much as three in their text. So where many are new, the whole text is encoded, and the ids
    /// are dealt out to its words.
    pub(crate) fn encode<'t>(
        &self,
        words: impl Iterator<Item = &'t str> + Clone,
        ids: &mut Vec<u32>,
        whole: impl FnOnce() -> Vec<u32>,
        alone: impl Fn(&str) -> Vec<u32>,
    ) {
        let Some(shard) = self.shards.get(shard_of_this_thread() % Self::SHARDS) else { return ids.extend(whole()) };
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let start = ids.len();
        // The new words, each with the place of its ids among those of the others.
        let (mut new, mut count) = (Vec::new(), 0);
        for word in words.clone() {
            count += 1;
            match known.get(word) {
                Some(found) => ids.extend_from_slice(found),
                None => new.push((ids.len() - start, word)),
            }
        }
        if new.len() * 3 > count {
            ids.truncate(start);
            ids.extend(whole());
            self.deal_out(&mut known, words, &ids[start..]);
        } else if !new.is_empty() {
            let others = ids.split_off(start);
            let mut taken = 0;
            for (place, word) in new {
                ids.extend_from_slice(&others[taken..place]);
                let own = alone(word);
                ids.extend_from_slice(&own);
                learn(&mut known, word, &own);
                taken = place;
            }
            ids.extend_from_slice(&others[taken..]);
        }
    }

    /// Learns the words of a text from its ids, each of which stands for bytes of one word.
    fn deal_out<'t>(&self, known: &mut Ids, words: impl Iterator<Item = &'t str> + Clone, ids: &[u32]) {
        let length =
            |id: &u32| usize::try_from(*id).ok().and_then(|id| self.lengths.get(id)).map_or(0, |it| usize::from(*it));
        let bytes: usize = words.clone().map(str::len).sum();
        // Of a literal `▁`, SentencePiece makes a space.
        if words.clone().any(|word| word.contains('▁')) || ids.iter().map(length).sum::<usize>() != bytes {
            return;
        }
        let mut rest = ids;
        for word in words {
            let (mut taken, mut end) = (0, 0);
            while end < word.len() {
                let Some(id) = rest.get(taken).filter(|id| length(id) > 0) else { return };
                (taken, end) = (taken + 1, end + length(id));
            }
            if end > word.len() {
                return;
            }
            let (own, after) = rest.split_at(taken);
            learn(known, word, own);
            rest = after;
        }
    }
}

fn learn(known: &mut Ids, word: &str, ids: &[u32]) {
    if word.len() > WordCache::LONGEST {
        return;
    }
    if known.len() >= WordCache::WORDS {
        known.clear();
    }
    known.entry(word.into()).or_insert_with(|| ids.into());
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
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
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
