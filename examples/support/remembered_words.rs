//! [`RememberedWords`]: the ids of words that a thread has merged before.

use super::token_table::{Key, hash, is_long, key};

/// Words and their ids, in memory that does not grow: a new word takes the place of another.
#[derive(Default)]
pub(crate) struct RememberedWords(Vec<Slot>);

const SLOTS: usize = 8192;

/// The bytes of a word as numbers, one of which is their number.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Word {
    /// The first 16 bytes of a word that is too long for a key.
    head: u128,
    rest: Key,
}

impl Word {
    /// `None` for a word that is too long to be remembered.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let Some((head, rest)) = bytes.split_first_chunk().filter(|_| is_long(bytes)) else {
            return Some(Word { head: 0, rest: key(bytes) });
        };
        let (low, high) = if is_long(rest) { return None } else { key(rest) };
        Some(Word { head: u128::from_le_bytes(*head), rest: (low, high | 16 << 56) })
    }

    fn place(&self) -> usize {
        let head = hash((self.head as u64, (self.head >> 64) as u64)) as u64;
        hash((self.rest.0 ^ head, self.rest.1)) % SLOTS
    }
}

/// A word in one line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Slot {
    word: Word,
    /// The vocabulary that the ids are of.
    vocabulary: u32,
    count: u32,
    ids: [u32; 6],
}

impl RememberedWords {
    /// The ids of the word; `None` where they are not known any more.
    pub(crate) fn get(&self, vocabulary: u32, word: &Word) -> Option<&[u32]> {
        let slot = self.0.get(word.place())?;
        let is_it = slot.word == *word && slot.vocabulary == vocabulary;
        slot.ids.get(..slot.count as usize).filter(|_| is_it)
    }

    /// Remembers the ids, if they are not too many.
    pub(crate) fn set(&mut self, vocabulary: u32, word: Word, ids: &[u32]) {
        let mut slot = Slot { word, vocabulary, count: ids.len() as u32, ..Slot::default() };
        let Some(place) = slot.ids.get_mut(..ids.len()) else { return };
        place.copy_from_slice(ids);
        self.0.resize(SLOTS, Slot::default());
        self.0[word.place()] = slot;
    }
}
