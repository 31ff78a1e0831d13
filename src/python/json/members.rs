//! Duplicate keys: in a Python dict the last value stands, at the place of the first.
//!
//! Written text is never moved while the document is being read. A duplicate only leaves notes
//! (skip this member, print that value here), and one pass at the end follows them all, so that
//! objects with duplicates inside objects with duplicates stay linear.

use std::ops::Range;

use super::small_stack::SmallStack;

/// Objects with more keys than this are checked by sorting, smaller ones pair by pair.
const FEW_KEYS: usize = 32;

/// The keys of the open objects, and what is to be done about duplicates.
///
/// All offsets count from `base`, where the document begins in the output.
pub(super) struct Members {
    base: usize,
    keys: SmallStack<Key, 32>,
    notes: Vec<Note>,
}

/// Where a key stands in the output, quotes included; an empty one marks where an object begins.
#[derive(Clone, Copy, Default)]
struct Key {
    start: usize,
    end: usize,
}

/// On reaching `from`, go on at `to`; before that, print what stands at `instead`.
struct Note {
    from: usize,
    to: usize,
    instead: Range<usize>,
}

impl Members {
    pub(super) fn new(base: usize) -> Self {
        Members { base, keys: SmallStack::new(), notes: Vec::new() }
    }

    /// Notes that an object begins.
    pub(super) fn open(&mut self) {
        self.keys.push(Key::default());
    }

    /// Notes that the innermost object has a key, which stands at this place of the output.
    pub(super) fn key(&mut self, place: Range<usize>) {
        self.keys.push(Key { start: place.start - self.base, end: place.end - self.base });
    }

    /// Notes that the innermost object ends; `written` gives the output, up to its last member.
    pub(super) fn close<'o>(&mut self, written: impl FnOnce() -> &'o mut String) {
        let all = self.keys.as_mut_slice();
        let opening = all.iter().rposition(Key::is_opening).unwrap_or_default();
        let keys = all.get_mut(opening + 1..).unwrap_or_default();
        if keys.len() > 1 {
            let text = written().get(self.base..).unwrap_or_default();
            if has_duplicates(keys, text) {
                note_duplicates(keys, text, &mut self.notes);
            }
        }
        self.keys.truncate(opening);
    }

    /// Whether there was no duplicate key.
    pub(super) fn are_unique(&self) -> bool {
        self.notes.is_empty()
    }

    /// Gives the document at the end of `out` the members that Python keeps.
    pub(super) fn settle(mut self, out: &mut String) {
        let text = out.split_off(self.base);
        self.notes.sort_unstable_by_key(|note| note.from);
        let mut resume = Vec::new();
        let mut current = 0..text.len();
        loop {
            let next = self.notes.partition_point(|note| note.from < current.start);
            match self.notes.get(next).filter(|note| note.from < current.end) {
                Some(note) => {
                    out.push_str(text.get(current.start..note.from).unwrap_or_default());
                    resume.push(note.to..current.end);
                    current = note.instead.clone();
                }
                None => {
                    out.push_str(text.get(current).unwrap_or_default());
                    match resume.pop() {
                        Some(rest) => current = rest,
                        None => return,
                    }
                }
            }
        }
    }
}

impl Key {
    fn is_opening(&self) -> bool {
        self.end == 0
    }

    /// One bit out of 64, the same for equal keys and mostly not for others.
    fn signature(self, text: &str) -> u64 {
        let byte = |offset: usize| usize::from(text.as_bytes().get(offset).copied().unwrap_or(0));
        let (first, last) = (byte(self.start + 1), byte(self.end.saturating_sub(2)));
        1 << ((first + 5 * last + 11 * (self.end - self.start)) % 64)
    }

    /// Keys are equal when their text is, because every string is written in one way only.
    fn text(self, text: &str) -> &[u8] {
        text.as_bytes().get(self.start..self.end).unwrap_or_default()
    }
}

/// Whether two of the keys are equal; may change their order.
fn has_duplicates(keys: &mut [Key], text: &str) -> bool {
    if keys.len() > FEW_KEYS {
        keys.sort_unstable_by(|a, b| a.text(text).cmp(b.text(text)));
        return keys.windows(2).any(|pair| matches!(pair, [a, b] if a.text(text) == b.text(text)));
    }
    let mut signatures = 0_u64;
    for (index, key) in keys.iter().enumerate() {
        let signature = key.signature(text);
        if signatures & signature != 0 {
            let mut earlier = keys.iter().take(index);
            if earlier.any(|earlier| earlier.text(text) == key.text(text)) {
                return true;
            }
        }
        signatures |= signature;
    }
    false
}

/// Notes what to skip and what to print instead in an object that ends where `text` does.
#[cold]
fn note_duplicates(keys: &mut [Key], text: &str, notes: &mut Vec<Note>) {
    keys.sort_unstable_by_key(|key| key.start);
    let next_starts = keys.iter().skip(1).map(|key| key.start - ", ".len());
    let ends = next_starts.chain([text.len()]);
    let mut members: Vec<(Key, usize)> = keys.iter().copied().zip(ends).collect();
    // Stable, so that equal keys stay in the order of the source.
    members.sort_by(|(a, _), (b, _)| a.text(text).cmp(b.text(text)));
    for equal in members.chunk_by(|(a, _), (b, _)| a.text(text) == b.text(text)) {
        let [(first, first_end), others @ .., (last, last_end)] = equal else {
            continue;
        };
        let value = |key: &Key| key.end + ": ".len();
        notes.push(Note { from: value(first), to: *first_end, instead: value(last)..*last_end });
        notes.extend(others.iter().chain([&(*last, *last_end)]).map(|(key, end)| Note {
            from: key.start - ", ".len(),
            to: *end,
            instead: 0..0,
        }));
    }
}
