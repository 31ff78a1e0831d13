//! [`BytePairs`]: the ids of a word, merged from its characters or bytes in the order of the vocabulary's ranks.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::FixedState;

/// A vocabulary of byte pairs.
pub(crate) struct BytePairs {
    tokens: HashMap<Box<[u8]>, Token, FixedState>,
    /// The id of each byte, for characters that the vocabulary does not have.
    bytes: Box<[u32]>,
    /// The bytes of a token at most.
    longest: usize,
    start_at: StartAt,
}

/// What is merged first.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum StartAt {
    Bytes,
    Characters,
}

#[derive(Clone, Copy)]
struct Token {
    rank: u32,
    id: u32,
    /// Do merges lead to it?
    is_whole: bool,
}

/// A part of a word: a token so far, or a character without one.
struct Part {
    start: usize,
    end: usize,
    before: usize,
    /// The part after it; a position behind all parts at the end.
    after: usize,
}

/// What the merging of one word leaves to the next: memory.
#[derive(Default)]
pub(crate) struct Memory {
    parts: Vec<Part>,
    /// Two parts that are a token together: its rank, the first part and the end of the second.
    pairs: BinaryHeap<Reverse<(u32, usize, usize)>>,
}

impl BytePairs {
    /// A vocabulary of tokens and their ids, in the order of their ranks; `None` where a byte has no id.
    pub(crate) fn new(tokens: impl Iterator<Item = (Box<[u8]>, u32)>, start_at: StartAt) -> Option<Self> {
        let token = |(rank, (bytes, id))| (bytes, Token { rank, id, is_whole: start_at == StartAt::Bytes });
        let tokens: HashMap<Box<[u8]>, Token, FixedState> = (0..).zip(tokens).map(token).collect();
        let bytes = (0..=u8::MAX).map(|byte| tokens.get(&[byte][..]).map(|token| token.id)).collect::<Option<_>>()?;
        let longest = tokens.keys().map(|token| token.len()).max().unwrap_or_default();
        let mut pairs = BytePairs { tokens, bytes, longest, start_at };
        pairs.find_whole();
        Some(pairs)
    }

    /// Tekken takes a word that is a token for that token. SentencePiece merges each, and some tokens come of no merge.
    fn find_whole(&mut self) {
        if self.start_at == StartAt::Bytes {
            return;
        }
        let (mut memory, mut ids) = (Memory::default(), Vec::new());
        let mut whole = Vec::new();
        for (token, known) in &self.tokens {
            let Ok(text) = std::str::from_utf8(token) else { continue };
            ids.clear();
            self.merge(text, &mut memory, &mut ids);
            if ids == [known.id] {
                whole.push(token.clone());
            }
        }
        for token in whole {
            self.tokens.entry(token).and_modify(|known| known.is_whole = true);
        }
    }

    /// Appends the ids of a word.
    pub(crate) fn encode(&self, word: &str, memory: &mut Memory, ids: &mut Vec<u32>) {
        match self.tokens.get(word.as_bytes()) {
            Some(token) if token.is_whole => ids.push(token.id),
            _ => self.merge(word, memory, ids),
        }
    }

    fn merge(&self, word: &str, Memory { parts, pairs }: &mut Memory, ids: &mut Vec<u32>) {
        let bytes = word.as_bytes();
        let part = |start, end, at: usize| Part { start, end, before: at.wrapping_sub(1), after: at + 1 };
        parts.clear();
        match self.start_at {
            StartAt::Bytes => parts.extend((0..bytes.len()).map(|at| part(at, at + 1, at))),
            StartAt::Characters => {
                let characters = word.char_indices().map(|(start, character)| (start, start + character.len_utf8()));
                parts.extend(characters.zip(0..).map(|((start, end), at)| part(start, end, at)));
            }
        }
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
            let part = &bytes[part.start..part.end];
            match self.tokens.get(part) {
                Some(token) => ids.push(token.id),
                None => ids.extend(part.iter().map(|byte| self.bytes[usize::from(*byte)])),
            }
        }
    }

    /// A part and the next one, where both are a token together.
    fn pair(&self, bytes: &[u8], parts: &[Part], first: usize) -> Option<Reverse<(u32, usize, usize)>> {
        let Part { start, after, .. } = parts[first];
        let end = parts.get(after)?.end;
        let token = self.tokens.get(bytes.get(start..end).filter(|pair| pair.len() <= self.longest)?)?;
        Some(Reverse((token.rank, first, end)))
    }
}
