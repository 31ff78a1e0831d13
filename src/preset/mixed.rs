//! [`Mixed`]: text of which each stretch is known to come from the preset or from somebody who is not to be trusted.

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
pub(super) struct Mixed {
    text: String,
    /// Each stretch ends at its `end` and begins where the one before it ends; neighbours differ.
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    end: usize,
    trust: Trust,
}

impl Mixed {
    pub(super) fn new(text: &str, trust: Trust) -> Self {
        let mut mixed = Mixed::default();
        mixed.push(text, trust);
        mixed
    }

    pub(super) fn of_preset(text: &str) -> Self {
        Mixed::new(text, Trust::Preset)
    }

    pub(super) fn of_nobody(text: &str) -> Self {
        Mixed::new(text, Trust::Nobody)
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
        match self.runs.last_mut() {
            Some(run) if run.trust == trust => run.end = end,
            _ => self.runs.push(Run { end, trust }),
        }
    }

    pub(super) fn append(&mut self, other: &Mixed) {
        for (text, trust) in other.runs() {
            self.push(text, trust);
        }
    }

    /// Appends a part of another text; a range that is none of its own appends nothing.
    pub(super) fn append_part(&mut self, other: &Mixed, part: Range<usize>) {
        let mut start = part.start;
        let first = other.runs.partition_point(|run| run.end <= start);
        for run in other.runs.get(first..).unwrap_or_default() {
            if start >= part.end {
                break;
            }
            let end = run.end.min(part.end);
            self.push(other.text.get(start..end).unwrap_or_default(), run.trust);
            start = end;
        }
    }

    pub(super) fn part(&self, part: Range<usize>) -> Mixed {
        let mut mixed = Mixed::default();
        mixed.append_part(self, part);
        mixed
    }

    /// The stretches, in order.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&str, Trust)> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let text = self.text.get(start..run.end).unwrap_or_default();
            start = run.end;
            (text, run.trust)
        })
    }

    /// Is all of the range the preset's?
    pub(super) fn is_of_preset(&self, range: Range<usize>) -> bool {
        let first = self.runs.partition_point(|run| run.end <= range.start);
        let mut start = range.start;
        for run in self.runs.get(first..).unwrap_or_default() {
            if start >= range.end {
                break;
            }
            if run.trust != Trust::Preset {
                return false;
            }
            start = run.end;
        }
        true
    }

    /// The trust of the whole: the preset's if all of it is.
    pub(super) fn trust(&self) -> Trust {
        if self.is_of_preset(0..self.len()) { Trust::Preset } else { Trust::Nobody }
    }

    /// The same text, none of it trusted.
    pub(super) fn distrusted(self) -> Mixed {
        let whole = self.runs.last().map(|last| Run { trust: Trust::Nobody, ..*last });
        Mixed { runs: whole.into_iter().collect(), ..self }
    }

    /// The text without these ranges, which are in order and apart.
    pub(super) fn without(&self, ranges: impl IntoIterator<Item = Range<usize>>) -> Mixed {
        let mut mixed = Mixed::default();
        let mut start = 0;
        for range in ranges {
            mixed.append_part(self, start..range.start);
            start = range.end;
        }
        mixed.append_part(self, start..self.len());
        mixed
    }

    /// The text without a character.
    pub(super) fn without_char(self, character: char) -> Mixed {
        if !self.text.contains(character) {
            return self;
        }
        let mut mixed = Mixed::default();
        for (text, trust) in self.runs() {
            text.split(character).for_each(|part| mixed.push(part, trust));
        }
        mixed
    }

    /// The text without JavaScript's white space at either end.
    pub(super) fn trimmed(&self) -> Mixed {
        self.part(trimmed(&self.text, 0..self.len()))
    }

    /// The text without JavaScript's white space at its end.
    pub(super) fn trimmed_end(&self) -> Mixed {
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

    fn sample() -> Mixed {
        let mut mixed = Mixed::of_preset("[INST] ");
        mixed.push("hi\r\n", Trust::Nobody);
        mixed.push("[/INST]", Trust::Preset);
        mixed
    }

    #[test]
    fn parts_keep_their_trust() {
        let part = sample().part(5..9);
        assert!(part.runs().eq([("] ", Trust::Preset), ("hi", Trust::Nobody)]));
        assert!(sample().is_of_preset(0..7) && !sample().is_of_preset(6..8) && sample().is_of_preset(11..18));
        assert_eq!(sample().part(0..18), sample());
    }

    #[test]
    fn what_is_taken_out_leaves_the_rest_as_it_was() {
        assert_eq!(sample().without_char('\r').as_str(), "[INST] hi\n[/INST]");
        assert!(sample().without([0..7, 9..18]).runs().eq([("hi", Trust::Nobody)]));
        assert_eq!(Mixed::of_nobody("\u{FEFF} a\u{85} \n").trimmed().as_str(), "a\u{85}");
    }
}
