//! [`TrackedText`]: text of which each stretch is known to come from the preset or from somebody who is not to be trusted.

use std::ops::Range;

/// Whose text it is. Only a preset's text can hold control tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The context or the instruct preset wrote it.
    Preset,
    /// A card, a persona, a chat, a name or a system prompt wrote it.
    Nobody,
    /// It stands for the system prompt that a chat begins with.
    SystemPrompt,
}

/// Text in stretches of one [`Trust`] each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TrackedText {
    text: String,
    /// Each stretch ends at its `end` and begins where the one before it ends; neighbours differ.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    end: usize,
    trust: Trust,
}

impl TrackedText {
    pub(super) fn new(text: &str, trust: Trust) -> Self {
        let mut tracked = TrackedText::default();
        tracked.push(text, trust);
        tracked
    }

    pub(super) fn of_preset(text: &str) -> Self {
        TrackedText::new(text, Trust::Preset)
    }

    pub(super) fn of_nobody(text: &str) -> Self {
        TrackedText::new(text, Trust::Nobody)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn push(&mut self, text: &str, trust: Trust) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.stretches.last_mut() {
            Some(stretch) if stretch.trust == trust => stretch.end = end,
            _ => self.stretches.push(Stretch { end, trust }),
        }
    }

    pub(super) fn append(&mut self, other: &TrackedText) {
        for (text, trust) in other.stretches() {
            self.push(text, trust);
        }
    }

    /// Appends a part of another text; a range outside of it appends nothing.
    pub(super) fn append_part(&mut self, other: &TrackedText, part: Range<usize>) {
        let mut start = part.start;
        let first = other.stretches.partition_point(|stretch| stretch.end <= start);
        for stretch in other.stretches.get(first..).unwrap_or_default() {
            if start >= part.end {
                break;
            }
            let end = stretch.end.min(part.end);
            self.push(other.text.get(start..end).unwrap_or_default(), stretch.trust);
            start = end;
        }
    }

    pub(super) fn part(&self, part: Range<usize>) -> TrackedText {
        let mut tracked = TrackedText::default();
        tracked.append_part(self, part);
        tracked
    }

    /// The stretches, in order.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (&str, Trust)> {
        let mut start = 0;
        self.stretches.iter().map(move |stretch| {
            let text = self.text.get(start..stretch.end).unwrap_or_default();
            start = stretch.end;
            (text, stretch.trust)
        })
    }

    /// Is all of the range the preset's?
    pub(super) fn is_of_preset(&self, range: Range<usize>) -> bool {
        let first = self.stretches.partition_point(|stretch| stretch.end <= range.start);
        let mut start = range.start;
        for stretch in self.stretches.get(first..).unwrap_or_default() {
            if start >= range.end {
                break;
            }
            if stretch.trust != Trust::Preset {
                return false;
            }
            start = stretch.end;
        }
        true
    }

    /// The trust of the whole: the preset's if all of it is.
    pub(super) fn trust(&self) -> Trust {
        if self.is_of_preset(0..self.len()) { Trust::Preset } else { Trust::Nobody }
    }

    /// The same text, none of it trusted.
    pub(super) fn distrusted(self) -> TrackedText {
        let whole = self.stretches.last().map(|last| Stretch { trust: Trust::Nobody, ..*last });
        TrackedText { stretches: whole.into_iter().collect(), ..self }
    }

    /// The text without these ranges, which are in order and apart.
    pub(super) fn without(&self, ranges: impl IntoIterator<Item = Range<usize>>) -> TrackedText {
        let mut tracked = TrackedText::default();
        let mut start = 0;
        for range in ranges {
            tracked.append_part(self, start..range.start);
            start = range.end;
        }
        tracked.append_part(self, start..self.len());
        tracked
    }

    /// The text without a character.
    pub(super) fn without_char(self, character: char) -> TrackedText {
        if !self.text.contains(character) {
            return self;
        }
        let mut tracked = TrackedText::default();
        for (text, trust) in self.stretches() {
            text.split(character).for_each(|part| tracked.push(part, trust));
        }
        tracked
    }

    /// The text without JavaScript's white space at either end.
    pub(super) fn trimmed(&self) -> TrackedText {
        self.part(trimmed(&self.text, 0..self.len()))
    }

    /// The text without JavaScript's white space at its end.
    pub(super) fn trimmed_end(&self) -> TrackedText {
        self.part(0..self.text.trim_end_matches(is_space).len())
    }
}

/// The range without JavaScript's white space at either end of it.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let kept = part.trim_start_matches(is_space);
    let start = range.start + (part.len() - kept.len());
    start..start + kept.trim_end_matches(is_space).len()
}

/// What JavaScript's `\s` and `trim` take for white space.
pub(super) fn is_space(character: char) -> bool {
    character == '\u{FEFF}' || (character.is_whitespace() && character != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TrackedText {
        let mut tracked = TrackedText::of_preset("[INST] ");
        tracked.push("hi\r\n", Trust::Nobody);
        tracked.push("[/INST]", Trust::Preset);
        tracked
    }

    #[test]
    fn parts_keep_their_trust() {
        let part = sample().part(5..9);
        assert!(part.stretches().eq([("] ", Trust::Preset), ("hi", Trust::Nobody)]));
        assert!(sample().is_of_preset(0..7) && !sample().is_of_preset(6..8) && sample().is_of_preset(11..18));
        assert_eq!(sample().part(0..18), sample());
    }

    #[test]
    fn what_is_taken_out_leaves_the_rest_as_it_was() {
        assert_eq!(sample().without_char('\r').as_str(), "[INST] hi\n[/INST]");
        assert!(sample().without([0..7, 9..18]).stretches().eq([("hi", Trust::Nobody)]));
        assert_eq!(TrackedText::of_nobody("\u{FEFF} a\u{85} \n").trimmed().as_str(), "a\u{85}");
    }
}
