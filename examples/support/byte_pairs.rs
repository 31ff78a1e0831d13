//! [`BytePairs`]: the ids of a word, merged from its characters or bytes in the order of the vocabulary's ranks.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU32, Ordering};

use remembered_words::{RememberedWords, Word};
use token_table::{Key, Slot, Token, TokenTable, is_long, key};

#[path = "remembered_words.rs"]
mod remembered_words;
#[path = "token_table.rs"]
mod token_table;

/// A vocabulary of byte pairs.
pub(crate) struct BytePairs {
    tokens: TokenTable,
    /// The id of each byte, for characters that the vocabulary does not have.
    bytes: Box<[u32]>,
    start_at: StartAt,
    /// Tells the words of this vocabulary from those of others, among what a thread remembers.
    number: u32,
}

/// What is merged first.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum StartAt {
    Bytes,
    Characters,
}

/// A part of a word: a token so far, or a character without one.
struct Part {
    start: usize,
    end: usize,
    before: usize,
    /// The part after it; a position behind all parts at the end.
    after: usize,
}

/// What the merging of one word leaves to the next: memory, and words with their ids.
#[derive(Default)]
struct Memory {
    parts: Vec<Part>,
    /// Two parts that are a token together: its rank, the first part and the end of the second.
    pairs: BinaryHeap<Reverse<(u32, usize, usize)>>,
    words: RememberedWords,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// Words of more parts are merged through a queue; below it, looking at each pair is faster.
const FEW: usize = 32;
/// The rank of two parts that are no token together.
const NO_RANK: u32 = u32::MAX;
/// The words that are looked up at a time: the memory is asked for all before an answer is needed.
const BATCH: usize = 16;

impl BytePairs {
    /// A vocabulary of tokens and their ids, in the order of their ranks; `None` where a byte has no id.
    pub(crate) fn new(texts: Vec<(Box<[u8]>, u32)>, start_at: StartAt) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let tokens = TokenTable::new(&texts, start_at == StartAt::Bytes);
        let bytes = (0..=u8::MAX).map(|byte| Some(tokens.get(&[byte])?.id)).collect::<Option<_>>()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut pairs = BytePairs { tokens, bytes, start_at, number };
        if start_at == StartAt::Characters {
            pairs.find_whole(&texts);
        }
        Some(pairs)
    }

    /// Tekken takes a word that is a token for that token. SentencePiece merges each, and some tokens come of no merge.
    fn find_whole(&mut self, texts: &[(Box<[u8]>, u32)]) {
        let (mut memory, mut ids) = (Memory::default(), Vec::new());
        for (bytes, _) in texts {
            let (Ok(text), Some(token)) = (std::str::from_utf8(bytes), self.tokens.get(bytes)) else { continue };
            ids.clear();
            self.merge(text, &mut memory, &mut ids);
            if ids == [token.id] {
                self.tokens.set(bytes, Token { is_whole: true, ..token });
            }
        }
    }

    /// Appends the ids of words.
    pub(crate) fn encode<'t>(&self, mut words: impl Iterator<Item = &'t str>, ids: &mut Vec<u32>) {
        MEMORY.with_borrow_mut(|memory| {
            let mut batch = [""; BATCH];
            loop {
                let mut count = 0;
                for (place, word) in batch.iter_mut().zip(&mut words) {
                    *place = word;
                    count += 1;
                }
                self.encode_batch(&batch[..count], memory, ids);
                if count < BATCH {
                    break;
                }
            }
        });
    }

    fn encode_batch(&self, words: &[&str], memory: &mut Memory, ids: &mut Vec<u32>) {
        let mut found = [(Key::default(), Slot::default()); BATCH];
        for (word, place) in words.iter().zip(&mut found).filter(|(word, _)| !is_long(word.as_bytes())) {
            let key = key(word.as_bytes());
            *place = (key, self.tokens.first_slot(key));
        }
        for (word, (key, first)) in words.iter().zip(found) {
            let token = match is_long(word.as_bytes()) {
                true => self.tokens.get(word.as_bytes()),
                false => self.tokens.get_from(first, key),
            };
            match token {
                Some(token) if token.is_whole => ids.push(token.id),
                _ => self.remember_or_merge(word, memory, ids),
            }
        }
    }

    fn remember_or_merge(&self, word: &str, memory: &mut Memory, ids: &mut Vec<u32>) {
        let Some(known) = Word::new(word.as_bytes()) else { return self.merge(word, memory, ids) };
        match memory.words.get(self.number, &known) {
            Some(known) => ids.extend(known),
            None => {
                let start = ids.len();
                self.merge(word, memory, ids);
                memory.words.set(self.number, known, &ids[start..]);
            }
        }
    }

    fn merge(&self, word: &str, memory: &mut Memory, ids: &mut Vec<u32>) {
        let bytes = word.as_bytes();
        match self.start_at {
            StartAt::Bytes if bytes.len() <= FEW => self.merge_few(bytes, 0..bytes.len(), ids),
            StartAt::Bytes => self.merge_many(bytes, (0..bytes.len()).map(|at| (at, at + 1)), memory, ids),
            StartAt::Characters => {
                let starts = || word.char_indices().map(|(start, _)| start);
                if starts().nth(FEW).is_none() {
                    return self.merge_few(bytes, starts(), ids);
                }
                let characters = word.char_indices().map(|(start, character)| (start, start + character.len_utf8()));
                self.merge_many(bytes, characters, memory, ids);
            }
        }
    }

    /// Merges parts that begin at these positions, [`FEW`] at most.
    fn merge_few(&self, bytes: &[u8], first: impl Iterator<Item = usize>, ids: &mut Vec<u32>) {
        // The starts of the parts, and at the same index the rank of the token that a part and the next one are.
        let (mut starts, mut ranks) = ([bytes.len(); FEW + 1], [NO_RANK; FEW]);
        let mut count = 0usize;
        for (start, place) in first.zip(&mut starts) {
            *place = start;
            count += 1;
        }
        let rank = |starts: &[usize], first: usize| match (starts.get(first), starts.get(first + 2)) {
            (Some(start), Some(end)) => self.tokens.rank(&bytes[*start..*end]).unwrap_or(NO_RANK),
            _ => NO_RANK,
        };
        for (first, place) in ranks.iter_mut().enumerate().take(count.saturating_sub(1)) {
            *place = rank(&starts[..=count], first);
        }
        while count > 1 {
            // The first one of the lowest.
            let lowest = ranks[..count - 1].iter().enumerate().min_by_key(|(_, rank)| **rank);
            let Some((at, _)) = lowest.filter(|(_, rank)| **rank != NO_RANK) else { break };
            starts.copy_within(at + 2..=count, at + 1);
            ranks.copy_within(at + 1..count, at);
            count -= 1;
            ranks[at] = rank(&starts[..=count], at);
            if let Some(before) = at.checked_sub(1) {
                ranks[before] = rank(&starts[..=count], before);
            }
        }
        for part in starts[..=count].windows(2) {
            self.push(&bytes[part[0]..part[1]], ids);
        }
    }

    /// The same of any number of parts, in little more time than is linear.
    fn merge_many(
        &self,
        bytes: &[u8],
        first: impl Iterator<Item = (usize, usize)>,
        Memory { parts, pairs, .. }: &mut Memory,
        ids: &mut Vec<u32>,
    ) {
        let part = |((start, end), at): ((usize, usize), usize)| Part {
            start,
            end,
            before: at.wrapping_sub(1),
            after: at + 1,
        };
        parts.clear();
        parts.extend(first.zip(0..).map(part));
        pairs.clear();
        for first in 0..parts.len() {
            pairs.extend(self.pair(bytes, parts, first));
        }
        while let Some(Reverse((_, first, end))) = pairs.pop() {
            let second = parts[first].after;
            // A part that was merged into another ends where it starts.
            let is_there =
                parts[first].start < parts[first].end && parts.get(second).is_some_and(|part| part.end == end);
            if !is_there {
                continue;
            }
            let after = parts[second].after;
            parts[second].end = parts[second].start;
            (parts[first].end, parts[first].after) = (end, after);
            if let Some(part) = parts.get_mut(after) {
                part.before = first;
            }
            pairs.extend(self.pair(bytes, parts, first));
            let before = parts[first].before;
            if before < parts.len() {
                pairs.extend(self.pair(bytes, parts, before));
            }
        }
        for part in parts.iter().filter(|part| part.start < part.end) {
            self.push(&bytes[part.start..part.end], ids);
        }
    }

    /// Appends the id of a token, or the ids of the bytes of a character that has no token.
    fn push(&self, part: &[u8], ids: &mut Vec<u32>) {
        match self.tokens.get(part) {
            Some(token) => ids.push(token.id),
            None => ids.extend(part.iter().map(|byte| self.bytes[usize::from(*byte)])),
        }
    }

    /// A part and the next one, where both are a token together.
    fn pair(&self, bytes: &[u8], parts: &[Part], first: usize) -> Option<Reverse<(u32, usize, usize)>> {
        let Part { start, after, .. } = parts[first];
        let end = parts.get(after)?.end;
        Some(Reverse((self.tokens.rank(&bytes[start..end])?, first, end)))
    }
}
