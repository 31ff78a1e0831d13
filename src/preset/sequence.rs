//! [`Atom`]s: preset text taken apart into control tokens and text once, so that rendering only writes.

use super::mixed::{Mixed, Trust};
use crate::control::{Control, Vocabulary};

/// A piece of what is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Atom {
    Control(Control),
    Text(String),
    /// The name of who speaks.
    Name,
    /// The system prompt that the chat begins with.
    SystemPrompt,
}

/// Takes a text apart: literals of the vocabulary in what the preset wrote are control tokens. SillyTavern deletes
/// every `\r` in the end, and so it is gone before.
pub(super) fn atoms(text: &Mixed, vocabulary: Vocabulary) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for (part, trust) in text.clone().without_char('\r').runs() {
        if trust == Trust::SystemPrompt {
            atoms.extend(part.chars().map(|_| Atom::SystemPrompt));
            continue;
        }
        let mut rest = part;
        let mut searched = 0;
        while let Some(found) =
            rest.get(searched..).filter(|_| trust == Trust::Preset).and_then(|tail| tail.find(['[', '<']))
        {
            let at = searched + found;
            let Some(control) = rest.get(at..).and_then(|tail| vocabulary.starting(tail)) else {
                searched = at + 1;
                continue;
            };
            push_text(&mut atoms, rest.get(..at).unwrap_or_default());
            atoms.push(Atom::Control(control));
            rest = rest.get(at + control.as_str().len()..).unwrap_or_default();
            searched = 0;
        }
        push_text(&mut atoms, rest);
    }
    atoms
}

fn push_text(atoms: &mut Vec<Atom>, text: &str) {
    if !text.is_empty() {
        atoms.push(Atom::Text(text.to_owned()));
    }
}

/// What stands before or after a message, its macros replaced, but for the name of who speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    pub(super) atoms: Vec<Atom>,
    /// The text that names stand in; none where there are none.
    named: Option<Mixed>,
}

impl Sequence {
    /// A sequence in which `{{name}}` is who speaks.
    pub(super) fn named(text: &Mixed, vocabulary: Vocabulary) -> Self {
        let places = name_places(text.as_str());
        if places.is_empty() {
            return Sequence::plain(text, vocabulary);
        }
        let mut whole = Vec::new();
        let mut start = 0;
        for place in places {
            whole.extend(atoms(&text.part(start..place), vocabulary));
            whole.push(Atom::Name);
            start = place + NAME.len();
        }
        whole.extend(atoms(&text.part(start..text.len()), vocabulary));
        Sequence { atoms: whole, named: Some(text.clone()) }
    }

    /// A sequence in which `{{name}}` is text.
    pub(super) fn plain(text: &Mixed, vocabulary: Vocabulary) -> Self {
        Sequence { atoms: atoms(text, vocabulary), named: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Gives the atoms for who speaks: others where the name holds patterns of replacement.
    #[inline]
    pub(super) fn with_atoms(&self, name: &str, vocabulary: Vocabulary, take: impl FnOnce(&[Atom])) {
        match &self.named {
            Some(text) if name.contains('$') => take(&atoms(&with_name(text, name), vocabulary)),
            _ => take(&self.atoms),
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
pub(super) fn with_name(text: &Mixed, name: &str) -> Mixed {
    let source = text.as_str();
    let mut replaced = Mixed::default();
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
        let mut text = Mixed::of_preset("[INST] <|x|>[");
        text.push("INST][/INST]", Trust::Nobody);
        text.push("[/IN\rST]", Trust::Preset);
        let expected = [
            Atom::Control(Control::Inst),
            Atom::Text(" <|x|>[".into()),
            Atom::Text("INST][/INST]".into()),
            Atom::Control(Control::EndInst),
        ];
        assert_eq!(atoms(&text, Layout::V3.vocabulary), expected);
    }

    #[test]
    fn a_name_is_a_replacement_with_patterns() {
        let text = Mixed::of_preset("<s>{{NAME}}</s>");
        let named = with_name(&text, "$& $$ $1 $' $`");
        assert_eq!(named.as_str(), "<s>{{NAME}} $ $1 </s> <s></s>");
        let controls =
            atoms(&named, Layout::V3.vocabulary).iter().filter(|atom| matches!(atom, Atom::Control(_))).count();
        assert_eq!(controls, 2, "a name cannot repeat what the preset wrote");
    }
}
