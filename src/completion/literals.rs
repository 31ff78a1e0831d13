//! Text with control tokens spelled out, in pieces: pieces in, controls and text out, and what may still become a
//! control's literal is held back.

use crate::control::{Control, Vocabulary};

/// What a piece of text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Control(Control),
    Text(&'t str),
}

/// Finds the literals of a vocabulary. It holds back less than one literal.
///
/// No literal begins inside another, so a failed one ends where the next can begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Literals {
    known: Vec<(Control, &'static str)>,
    held: String,
}

/// What a text that begins with a bracket begins with.
enum Beginning {
    Literal(Control, usize),
    /// All of it is the beginning of a literal.
    Maybe,
    Text,
}

impl Literals {
    pub(crate) fn new(vocabulary: Vocabulary) -> Self {
        let known = vocabulary.iter().map(|control| (control, control.as_str())).collect();
        Literals { known, held: String::new() }
    }

    /// Takes a piece, and hands on what is sure.
    pub(crate) fn push(&mut self, piece: &str, mut hand_on: impl FnMut(Part<'_>)) {
        let mut rest = self.complete(piece, &mut hand_on);
        let mut searched = 0;
        while let Some(at) = find_bracket(rest, searched) {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            match self.beginning(from) {
                Beginning::Literal(control, length) => {
                    give(before, &mut hand_on);
                    hand_on(Part::Control(control));
                    rest = from.get(length..).unwrap_or_default();
                    searched = 0;
                }
                Beginning::Maybe => {
                    give(before, &mut hand_on);
                    self.held.push_str(from);
                    return;
                }
                Beginning::Text => searched = at + 1,
            }
        }
        give(rest, &mut hand_on);
    }

    /// Hands on what is held back, which nothing can follow any more.
    pub(crate) fn finish(&mut self, mut hand_on: impl FnMut(Part<'_>)) {
        give(&std::mem::take(&mut self.held), &mut hand_on);
    }

    /// Adds to what is held back until it is a literal or cannot be one, and gives the rest of the piece.
    fn complete<'p>(&mut self, piece: &'p str, hand_on: &mut impl FnMut(Part<'_>)) -> &'p str {
        let mut rest = piece;
        while !self.held.is_empty() {
            let mut chars = rest.chars();
            let Some(next) = chars.next() else { break };
            if matches!(next, '[' | '<') {
                give(&std::mem::take(&mut self.held), hand_on);
                break;
            }
            self.held.push(next);
            rest = chars.as_str();
            match self.beginning(&self.held) {
                Beginning::Literal(control, _) => {
                    self.held.clear();
                    hand_on(Part::Control(control));
                }
                Beginning::Maybe => {}
                Beginning::Text => give(&std::mem::take(&mut self.held), hand_on),
            }
        }
        rest
    }

    fn beginning(&self, text: &str) -> Beginning {
        let second = text.as_bytes().get(1);
        for &(control, literal) in &self.known {
            if second.is_some() && literal.as_bytes().get(1) != second {
                continue;
            }
            if text.starts_with(literal) {
                return Beginning::Literal(control, literal.len());
            }
            if literal.starts_with(text) {
                return Beginning::Maybe;
            }
        }
        Beginning::Text
    }
}

fn give(text: &str, hand_on: &mut impl FnMut(Part<'_>)) {
    if !text.is_empty() {
        hand_on(Part::Text(text));
    }
}

fn find_bracket(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    bytes.iter().position(|byte| matches!(byte, b'[' | b'<')).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    fn split(pieces: &[&str]) -> String {
        let mut literals = Literals::new(Layout::V11.vocabulary);
        let mut out = String::new();
        let mut show = |part: Part<'_>| match part {
            Part::Control(control) => out.push_str(&format!("|{control}|")),
            Part::Text(text) => out.push_str(text),
        };
        for piece in pieces {
            literals.push(piece, &mut show);
        }
        literals.finish(&mut show);
        out
    }

    #[test]
    fn every_cut_gives_the_same() {
        let text = "[é[TOOL_[TOOL_CALLS]a<</s></[/INST][INS T][THINK]</s";
        let expected = "[é[TOOL_|[TOOL_CALLS]|a<|</s>|</|[/INST]|[INS T][THINK]</s";
        for (cut, _) in text.char_indices() {
            assert_eq!(split(&[&text[..cut], &text[cut..]]), expected, "cut at {cut}");
        }
        let chars: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(split(&chars.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn only_what_may_become_a_literal_is_held_back() {
        let mut literals = Literals::new(Layout::V1.vocabulary);
        let mut out = String::new();
        literals.push("a [INST", |part| {
            assert_eq!(part, Part::Text("a [INST"));
            out.push('.');
        });
        assert_eq!(out, ".", "v1 knows no [INST]");
        literals.push("] </", |part| assert_eq!(part, Part::Text("] ")));
        literals.push("s", |part| panic!("{part:?}"));
        literals.push(">", |part| assert_eq!(part, Part::Control(Control::Eos)));
    }
}
