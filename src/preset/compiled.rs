//! [`Compiled`]: preset text taken apart into control tokens and text once, so that rendering only writes.

use super::tracked_text::{TrackedText, Trust};
use crate::control::{Control, Vocabulary};
use crate::prompt::{Segment, Stretch};

/// What is written, but for what differs from chat to chat.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compiled {
    /// What stands before the first place that is filled in.
    pub(super) first: Stretch,
    /// The places, each with what stands after it.
    pub(super) rest: Vec<(Place, Stretch)>,
}

/// A place that is filled in when a chat is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// The name of who speaks.
    Name,
    /// The system prompt that the chat begins with.
    SystemPrompt,
}

/// A piece of what is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part<'c> {
    Control(Control),
    Text(&'c str),
    Place(Place),
}

impl Compiled {
    /// Takes a text apart: literals of the vocabulary in what the preset wrote are control tokens. SillyTavern deletes
    /// every `\r` in the end, and so it is gone before.
    pub(super) fn new(text: &TrackedText, vocabulary: Vocabulary) -> Self {
        let mut compiled = Compiled::default();
        for (part, trust) in text.clone().without_char('\r').stretches() {
            match trust {
                Trust::Preset => compiled.push_preset(part, vocabulary),
                Trust::Nobody => compiled.last_mut().push_text(part),
                Trust::SystemPrompt => part.chars().for_each(|_| compiled.push(Part::Place(Place::SystemPrompt))),
            }
        }
        compiled
    }

    fn push_preset(&mut self, text: &str, vocabulary: Vocabulary) {
        let out = self.last_mut();
        let mut pushed = 0;
        for (at, control) in vocabulary.find_in(text) {
            out.push_text(text.get(pushed..at).unwrap_or_default());
            out.push_control(control);
            pushed = at + control.as_str().len();
        }
        out.push_text(text.get(pushed..).unwrap_or_default());
    }

    fn last_mut(&mut self) -> &mut Stretch {
        self.rest.last_mut().map_or(&mut self.first, |(_, stretch)| stretch)
    }

    fn push(&mut self, part: Part<'_>) {
        match part {
            Part::Control(control) => self.last_mut().push_control(control),
            Part::Text(text) => self.last_mut().push_text(text),
            Part::Place(place) => self.rest.push((place, Stretch::default())),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.rest.is_empty()
    }

    pub(super) fn has(&self, place: Place) -> bool {
        self.rest.iter().any(|(other, _)| *other == place)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        fn parts(stretch: &Stretch) -> impl Iterator<Item = Part<'_>> {
            stretch.segments().filter_map(|segment| match segment {
                Segment::Control(control) => Some(Part::Control(control)),
                Segment::Text(text) => Some(Part::Text(text)),
                Segment::Media(_) => None,
            })
        }
        let rest =
            self.rest.iter().flat_map(|(place, stretch)| [Part::Place(*place)].into_iter().chain(parts(stretch)));
        parts(&self.first).chain(rest)
    }
}

impl<'c> Extend<Part<'c>> for Compiled {
    fn extend<T: IntoIterator<Item = Part<'c>>>(&mut self, parts: T) {
        parts.into_iter().for_each(|part| self.push(part));
    }
}

/// What stands before or after a message, its macros replaced, but for the name of who speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// What is said with a reply that it stands after: all down to the end token, or to what begins the next turn.
    pub(super) said: Compiled,
    pub(super) rest: Compiled,
    /// The text that names stand in; `None` where they stand nowhere.
    named: Option<TrackedText>,
}

impl Sequence {
    /// A sequence in which `{{name}}` is who speaks.
    pub(super) fn named(text: &TrackedText, vocabulary: Vocabulary) -> Self {
        let places = name_places(text.as_str());
        if places.is_empty() {
            return Sequence::plain(text, vocabulary);
        }
        let mut whole = Compiled::default();
        let mut start = 0;
        for place in places {
            whole.extend(Compiled::new(&text.part(start..place), vocabulary).parts());
            whole.push(Part::Place(Place::Name));
            start = place + NAME.len();
        }
        whole.extend(Compiled::new(&text.part(start..text.len()), vocabulary).parts());
        Sequence { named: Some(text.clone()), ..Sequence::split(&whole) }
    }

    /// A sequence in which `{{name}}` is text.
    pub(super) fn plain(text: &TrackedText, vocabulary: Vocabulary) -> Self {
        Sequence::split(&Compiled::new(text, vocabulary))
    }

    fn split(whole: &Compiled) -> Self {
        let (mut said, mut rest) = (Compiled::default(), Compiled::default());
        let mut parts = whole.parts().peekable();
        while let Some(part) = parts.next_if(|part| !matches!(part, Part::Control(_))) {
            said.push(part);
        }
        said.extend(parts.next_if(|part| *part == Part::Control(Control::Eos)));
        rest.extend(parts);
        Sequence { said, rest, named: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty() && self.rest.is_empty()
    }

    /// Gives the sequence for who speaks: another where the name holds patterns of replacement.
    #[inline]
    pub(super) fn for_name<T>(&self, name: &str, vocabulary: Vocabulary, take: impl FnOnce(&Sequence) -> T) -> T {
        match &self.named {
            Some(text) if name.contains('$') => take(&Sequence::plain(&with_name(text, name), vocabulary)),
            _ => take(self),
        }
    }
}

const NAME: &str = "{{name}}";

/// Where `{{name}}` stands, in any case.
fn name_places(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices("{{") {
        if at >= from && text.get(at..at + NAME.len()).is_some_and(|found| found.eq_ignore_ascii_case(NAME)) {
            places.push(at);
            from = at + NAME.len();
        }
    }
    places
}

/// The text with a name in the place of each `{{name}}`. As JavaScript's `replace` does, it takes `$$` in the name for
/// `$`, `$&` for what is replaced, and `` $` `` and `$'` for what stands before and after it.
pub(super) fn with_name(text: &TrackedText, name: &str) -> TrackedText {
    let source = text.as_str();
    let mut replaced = TrackedText::default();
    let mut start = 0;
    for place in name_places(source) {
        replaced.append_part(text, start..place);
        start = place + NAME.len();
        let mut rest = name;
        while let Some((before, pattern)) = rest.split_once('$') {
            replaced.push(before, Trust::Nobody);
            let (value, length) = match pattern.chars().next() {
                Some('$') => ("$", 1),
                Some('&') => (source.get(place..start).unwrap_or_default(), 1),
                Some('`') => (source.get(..place).unwrap_or_default(), 1),
                Some('\'') => (source.get(start..).unwrap_or_default(), 1),
                _ => ("$", 0),
            };
            replaced.push(value, Trust::Nobody);
            rest = pattern.get(length..).unwrap_or_default();
        }
        replaced.push(rest, Trust::Nobody);
    }
    replaced.append_part(text, start..source.len());
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn only_what_the_preset_wrote_is_a_control_token() {
        let mut text = TrackedText::of_preset("[INST] <|x|>[");
        text.push("INST][/INST]", Trust::Nobody);
        text.push("[/IN\rST]", Trust::Preset);
        let compiled = Compiled::new(&text, Layout::V3.vocabulary);
        let expected =
            [Part::Control(Control::Inst), Part::Text(" <|x|>[INST][/INST]"), Part::Control(Control::EndInst)];
        assert!(compiled.parts().eq(expected), "{compiled:?}");
    }

    #[test]
    fn a_name_is_a_replacement_with_patterns() {
        let text = TrackedText::of_preset("<s>{{NAME}}</s>");
        let named = with_name(&text, "$& $$ $1 $' $`");
        assert_eq!(named.as_str(), "<s>{{NAME}} $ $1 </s> <s></s>");
        let compiled = Compiled::new(&named, Layout::V3.vocabulary);
        let controls = compiled.parts().filter(|part| matches!(part, Part::Control(_)));
        assert_eq!(controls.count(), 2, "a name cannot repeat what the preset wrote");
    }
}
