//! [`RememberedWords`]: the ids of words that a thread has merged before.

use super::token_table::hash;

/// Words and their ids, in memory that does not grow: a new word takes the place of another.
#[derive(Default)]
pub(crate) struct RememberedWords(Vec<Slot>);

const SLOTS: usize = 8192;

/// The bytes of a word, zeros, and the number of the bytes.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Word([u8; 32]);

impl Word {
    /// `None` for a word that is too long to be remembered.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut word = [0; 32];
        let (length, place) = word.split_last_mut()?;
        place.get_mut(..bytes.len())?.copy_from_slice(bytes);
        *length = bytes.len() as u8;
        Some(Word(word))
    }

    fn place(&self) -> usize {
        let part = |at: usize| self.0[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        let first = hash((part(0), part(8)));
        hash((first as u64 ^ part(16), part(24))) % SLOTS
    }
}

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Slot {
    word: Word,
    /// The vocabulary that the ids are of.
    vocabulary: u32,
    count: u32,
    ids: [u32; 22],
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
