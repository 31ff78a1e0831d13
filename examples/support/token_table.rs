//! [`TokenTable`]: the rank of a token by its bytes.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// The ranks and ids of tokens. Short tokens lie with their bytes in one table, so that one place in memory answers.
pub(crate) struct TokenTable {
    /// A power of two of them, half of them empty at least.
    slots: Box<[Slot]>,
    /// A bit for each hash, 16 for a token at least, that is set where there are tokens of it. It is small enough to
    /// stay in the processor's cache, and says of most bytes that are no token that they are none.
    seen: Box<[u64]>,
    long: HashMap<Box<[u8]>, Token, FixedState>,
    longest: usize,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Token {
    pub(crate) rank: u32,
    pub(crate) id: u32,
    /// Is a word of these bytes this token? Else it is what merges make of it.
    pub(crate) is_whole: bool,
}

/// The bytes of a word or a token as numbers, one of them the length; of zeros for no token.
pub(crate) type Key = (u64, u64);

/// A token, in one line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
pub(crate) struct Slot {
    key: Key,
    token: Token,
}

/// The bytes of a key, one of which is their number.
const SHORT: usize = 15;

/// Has a word or token no key?
pub(crate) fn is_long(bytes: &[u8]) -> bool {
    bytes.len() > SHORT
}

/// Up to [`SHORT`] bytes and their number.
pub(crate) fn key(bytes: &[u8]) -> Key {
    let length = (bytes.len() as u64) << 56;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // The last eight bytes without those of them that are among the first eight.
        let after = (16 - bytes.len() as u32) * 8;
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last).checked_shr(after).unwrap_or(0) | length);
    }
    let low = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << ((bytes.len() as u32 - 4) * 8);
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => bytes.iter().rev().fold(0, |low, byte| low << 8 | u64::from(*byte)),
    };
    (low, length)
}

/// A number of which all bits depend on all bits of a key.
pub(crate) fn hash((low, high): Key) -> usize {
    let product = u128::from(low ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ 0xd6e8_feb8_6659_fd93);
    (product as u64 ^ (product >> 64) as u64) as usize
}

impl TokenTable {
    /// The tokens and their ids in the order of their ranks; of equal ones the last has the word.
    pub(crate) fn new(tokens: &[(Box<[u8]>, u32)], is_whole: bool) -> Self {
        let mut table = TokenTable {
            slots: vec![Slot::default(); (tokens.len() * 2).next_power_of_two()].into(),
            seen: vec![0; (tokens.len() / 4).next_power_of_two()].into(),
            long: HashMap::default(),
            longest: tokens.iter().map(|(bytes, _)| bytes.len()).max().unwrap_or_default(),
        };
        for (rank, (bytes, id)) in (0..).zip(tokens).filter(|(_, (bytes, _))| !bytes.is_empty()) {
            table.set(bytes, Token { rank, id: *id, is_whole });
        }
        table
    }

    pub(crate) fn set(&mut self, bytes: &[u8], token: Token) {
        if is_long(bytes) {
            self.long.insert(bytes.into(), token);
        } else {
            let key = key(bytes);
            let at = self.place(key);
            self.slots[at] = Slot { key, token };
            let (word, bit) = self.bit(hash(key));
            self.seen[word] |= bit;
        }
    }

    /// Where the key is, or would be.
    fn place(&self, key: Key) -> usize {
        let mut at = hash(key) & (self.slots.len() - 1);
        while self.slots[at].key != key && self.slots[at].key != (0, 0) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    fn bit(&self, hash: usize) -> (usize, u64) {
        ((hash / 64) & (self.seen.len() - 1), 1 << (hash % 64))
    }

    /// The rank of a token that is most often none.
    pub(crate) fn rank(&self, bytes: &[u8]) -> Option<u32> {
        if is_long(bytes) {
            return Some(self.get(bytes)?.rank);
        }
        let key = key(bytes);
        let (word, bit) = self.bit(hash(key));
        if self.seen[word] & bit == 0 {
            return None;
        }
        Some(self.get_from(self.first_slot(key), key)?.rank)
    }

    /// The slot in which the token of a key is looked for first.
    pub(crate) fn first_slot(&self, key: Key) -> Slot {
        self.slots[hash(key) & (self.slots.len() - 1)]
    }

    /// The token of a key, of which the first slot is known.
    pub(crate) fn get_from(&self, first: Slot, key: Key) -> Option<Token> {
        let slot = if first.key == key || first.key == (0, 0) { first } else { self.slots[self.place(key)] };
        (slot.key != (0, 0)).then_some(slot.token)
    }

    pub(crate) fn get(&self, bytes: &[u8]) -> Option<Token> {
        if is_long(bytes) {
            return if bytes.len() <= self.longest { self.long.get(bytes).copied() } else { None };
        }
        let key = key(bytes);
        self.get_from(self.first_slot(key), key)
    }
}
