//! Stop strings: what is said in pieces in; out comes what is safe to say, and where a stop string was found.

use std::collections::VecDeque;
use std::ops::Range;

/// A stop string that was found in what a model says.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{Delta, FinishReason};
///
/// let mut reader = CompletionReader::new(&Layout::V3).with_stop_strings(["\nUser:"]);
/// assert_eq!(reader.push("Hello!\nUs").collect::<Vec<_>>(), [Delta::Text("Hello!".to_owned())]);
/// assert_eq!(reader.push("er: I").collect::<Vec<_>>(), [Delta::Rest(" I".to_owned())]);
/// assert_eq!(reader.stop_found().map(|found| &*found.string), Some("\nUser:"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopFound {
    /// The stop string.
    pub string: String,
    /// The positions of the token ids that hold part of it, up to the last that was pushed when it was found: what the stop
    /// string costs. They are not part of the answer.
    pub ids: Range<usize>,
    /// Does the first of them hold text of the answer, too?
    pub splits_id: bool,
}

/// Holds back what may become a stop string.
#[derive(Debug, Default)]
pub(super) struct Stops {
    strings: Vec<String>,
    held: String,
    /// How many bytes of what is held come from which id.
    sources: VecDeque<Source>,
    pub(super) found: Option<StopFound>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    length: usize,
    id: usize,
    /// Was text of this id said already?
    is_said: bool,
}

impl Stops {
    pub(super) fn new(strings: impl IntoIterator<Item = String>) -> Self {
        Stops { strings: strings.into_iter().filter(|string| !string.is_empty()).collect(), ..Stops::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// Takes text that the last of this many ids stands for. Returns what can be said, and what follows a stop string.
    pub(super) fn push(&mut self, text: &str, ids: usize) -> (String, String) {
        self.held.push_str(text);
        self.sources.push_back(Source { length: text.len(), id: ids.saturating_sub(1), is_said: false });
        let first = self.strings.iter().filter_map(|string| Some((self.held.find(&**string)?, string)));
        if let Some((at, string)) = first.min_by_key(|(at, string)| (*at, usize::MAX - string.len())) {
            let (id, splits_id) = self.source(at);
            self.found = Some(StopFound { string: string.clone(), ids: id..ids, splits_id });
            let after = self.held.split_off(at + string.len());
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), after);
        }
        let kept = self.strings.iter().map(|string| longest_beginning(&self.held, string)).max().unwrap_or_default();
        let said = self.held.len() - kept;
        let held = self.held.split_off(said);
        let said = std::mem::replace(&mut self.held, held);
        self.forget(said.len());
        (said, String::new())
    }

    /// What is held back, which is not a stop string.
    pub(super) fn flush(&mut self) -> String {
        self.sources.clear();
        std::mem::take(&mut self.held)
    }

    /// The id that a byte of what is held comes from, and whether text before it comes from there, too.
    fn source(&self, at: usize) -> (usize, bool) {
        let mut begin = 0;
        for Source { length, id, is_said } in &self.sources {
            if at < begin + length {
                return (*id, *is_said || at > begin);
            }
            begin += length;
        }
        (0, false)
    }

    /// So many bytes are held no more.
    fn forget(&mut self, mut bytes: usize) {
        while let Some(Source { length, is_said, .. }) = self.sources.front_mut() {
            if *length > bytes {
                *length -= bytes;
                *is_said |= bytes > 0;
                return;
            }
            bytes -= *length;
            self.sources.pop_front();
        }
    }
}

/// How much of the end of the text is the beginning of the literal, and not all of it.
pub(super) fn longest_beginning(text: &str, literal: &str) -> usize {
    let beginnings = (1..literal.len()).rev().filter_map(|length| literal.get(..length));
    beginnings.into_iter().find(|beginning| text.ends_with(beginning)).map_or(0, str::len)
}
