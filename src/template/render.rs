//! One render: what a template prints of a chat into control tokens and text.

use std::fmt;
use std::ops::Range;

use super::chat_view::ChatView;
use super::{ChatTemplate, TemplateLimits, TemplateRaised};
use crate::chat::Role;
use crate::control::{Control, Vocabulary};
use crate::error::{Error, ErrorKind};
use crate::jinja::{self, Piece, Printed, Reason, Stop};
use crate::prompt::{Media, Origin, Writer};
use crate::python::characters::is_space;

/// What transformers adds to a message that is to be continued, to find it in the prompt.
pub(super) const CONTINUE_TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// What a template printed, in pieces that know where they come from.
pub(super) struct Rendered<'r>(Vec<Printed<'r>>);

pub(super) fn render<'r>(template: &'r ChatTemplate, view: &'r ChatView<'r>) -> Result<Rendered<'r>, Error> {
    let mut printed = view.compiled(template).program.run(view, steps(template, view)).map_err(render_error)?;
    let (_, bytes) = view.size();
    let output = template.limits.output;
    let limit = output.saturating_add(bytes.saturating_mul(8));
    if length(&printed) > limit {
        return Err(Error::new(ErrorKind::TemplateOutput { limit }, ""));
    }
    if let Some(continued) = &view.continued {
        let kept = kept_of(&printed, &continued.text).ok_or_else(|| continued.not_printed())?;
        truncate(&mut printed, kept);
    }
    Ok(Rendered(printed))
}

/// How many steps a render may take.
pub(super) fn steps(template: &ChatTemplate, view: &ChatView<'_>) -> u64 {
    let TemplateLimits { steps, steps_per_message, steps_per_value, steps_per_byte, .. } = template.limits;
    let (values, bytes) = view.size();
    let product = |each: u64, count: usize| each.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
    [product(steps_per_message, view.messages), product(steps_per_value, values), product(steps_per_byte, bytes)]
        .into_iter()
        .fold(steps, u64::saturating_add)
}

fn length(printed: &[Printed<'_>]) -> usize {
    printed.iter().fold(0usize, |length, printed| length.saturating_add(printed.as_str().len()))
}

/// How many bytes of the output stand before the end of the message that is to be continued, as transformers finds it.
fn kept_of(printed: &[Printed<'_>], message: &str) -> Option<usize> {
    let output: String = printed.iter().map(Printed::as_str).collect();
    if !output.contains(message.trim_matches(is_space)) {
        return None;
    }
    let at = output.rfind(CONTINUE_TAG.trim_end())?;
    let (before, tail) = output.split_at_checked(at)?;
    Some(if tail.starts_with(CONTINUE_TAG) { at } else { before.trim_end_matches(is_space).len() })
}

/// Keeps this many bytes.
fn truncate(printed: &mut Vec<Printed<'_>>, kept: usize) {
    let mut left = kept;
    let mut whole = 0;
    for piece in printed.iter_mut() {
        let length = piece.as_str().len();
        if length > left {
            if let Printed::Piece(piece) = piece {
                *piece = piece.part(0..left);
                whole += 1;
            }
            break;
        }
        left -= length;
        whole += 1;
    }
    printed.truncate(whole);
}

/// Why a template stopped, as one of our errors.
fn render_error(stop: Stop) -> Error {
    match &stop.0.reason {
        Reason::Raised(message) => {
            Error::new(ErrorKind::TemplateRaised, "").because(TemplateRaised { message: message.clone() })
        }
        Reason::Steps => Error::new(ErrorKind::TemplateFuel, ""),
        Reason::Exception(..) => Error::new(ErrorKind::TemplateRender, "").because(Fault::new(&stop)),
    }
}

/// What is wrong with a template, or with what it does with a chat: the line, Python's class of exceptions, and the reason.
#[derive(Debug)]
pub(super) struct Fault {
    said: String,
}

impl Fault {
    pub(super) fn new(stop: &Stop) -> Self {
        let said = match &stop.0.reason {
            Reason::Exception("TemplateSyntaxError", said) => said.to_string(),
            Reason::Exception(class, said) => format!("{class}: {said}"),
            Reason::Raised(said) => said.clone(),
            Reason::Steps => "too many steps".to_owned(),
        };
        Fault { said: stop.0.line.map_or_else(|| said.clone(), |line| format!("line {line}: {said}")) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Fault {}

impl Rendered<'_> {
    /// Writes the output: literals of the vocabulary that the template printed as control tokens, all else as text.
    pub(super) fn write(&self, writer: &mut Writer<'_>, vocabulary: Vocabulary) {
        write_pieces(&self.0, writer, vocabulary);
    }

    /// The bytes of the prompt that were printed by `{% generation %}` blocks, in order, none within another.
    pub(super) fn generated(&self) -> Vec<Range<usize>> {
        let mut generated = Generated::default();
        for printed in &self.0 {
            match printed {
                Printed::Piece(piece) => generated.at += piece.as_str().len(),
                Printed::GenerationStart => generated.open(),
                Printed::GenerationEnd => generated.close(),
            }
        }
        generated.finish()
    }
}

/// The ranges of generated text, as they are found.
#[derive(Default)]
struct Generated {
    ranges: Vec<Range<usize>>,
    at: usize,
    depth: usize,
    start: usize,
}

impl Generated {
    fn open(&mut self) {
        if self.depth == 0 {
            self.start = self.at;
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.ranges.push(self.start..self.at);
        }
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        if self.depth > 0 {
            self.ranges.push(self.start..self.at);
        }
        self.ranges
    }
}

/// Writes pieces. A literal may be spelt by several of the template's own in a row.
fn write_pieces(mut printed: &[Printed<'_>], writer: &mut Writer<'_>, vocabulary: Vocabulary) {
    let mut depth = 0usize;
    while let Some((first, mut rest)) = printed.split_first() {
        match first {
            Printed::Piece(piece) if is_own(piece) => {
                let own = rest.iter().map_while(|printed| match printed {
                    Printed::Piece(piece) if is_own(piece) => Some(piece.as_str()),
                    _ => None,
                });
                let more = own.clone().count();
                if more == 0 {
                    write_own(writer, piece.as_str(), vocabulary);
                } else {
                    let joined: String = std::iter::once(piece.as_str()).chain(own).collect();
                    write_own(writer, &joined, vocabulary);
                    rest = rest.get(more..).unwrap_or_default();
                }
            }
            Printed::Piece(piece) => writer.text(piece.as_str()),
            Printed::GenerationStart => depth += 1,
            Printed::GenerationEnd => depth = depth.saturating_sub(1),
        }
        if !matches!(first, Printed::Piece(_)) {
            writer.from(if depth > 0 { Origin::role(Role::Assistant) } else { Origin::NONE });
        }
        printed = rest;
    }
}

fn is_own(piece: &Piece<'_>) -> bool {
    piece.origin() == jinja::Origin::Template
}

/// Writes text of the template's own; a literal that stands for an image or a sound is the whole of it.
fn write_own(writer: &mut Writer<'_>, text: &str, vocabulary: Vocabulary) {
    let mut written = 0;
    for (at, control) in vocabulary.find_in(text) {
        writer.text(text.get(written..at).unwrap_or_default());
        match control {
            Control::Img => writer.media(Media::Image),
            Control::Audio => writer.media(Media::Audio),
            control => writer.control(control),
        }
        written = at + control.as_str().len();
    }
    writer.text(text.get(written..).unwrap_or_default());
}
