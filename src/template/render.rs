//! One render: the chat through the interpreter or the engine, and what they print into control tokens and text.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::{Object, Value};

use super::chat_view::ChatView;
use super::engine::{self, EngineError};
use super::interpreter::{Input, Piece, Printed};
use super::values::{Marking, Values};
use super::{ChatTemplate, Compiled, MarkingFailure, TemplateLimits, TemplateRaised, marks, python};
use crate::chat::Role;
use crate::control::{Control, Vocabulary};
use crate::error::{Error, ErrorKind};
use crate::marking::{self, Mark, holds, is_bracket, is_inside_of_literal};
use crate::prompt::{Media, Origin, Writer};

/// What a template printed.
pub(super) enum Rendered<'r> {
    /// In pieces that know where they come from.
    Pieces(Vec<Printed<'r>>),
    /// By the engine.
    Whole(Output),
}

/// What the engine printed, and how its untrusted parts are marked.
pub(super) struct Output {
    text: String,
    trust: Trust,
    signs: Signs,
}

/// What of an output is the template's own.
#[derive(Clone, Copy)]
enum Trust {
    /// Everything in which a literal could form.
    All,
    /// All but what is marked.
    Marked(Mark),
    /// Nothing.
    None,
}

/// The characters of one render that occur nowhere else.
#[derive(Clone, Copy)]
struct Signs {
    mark: Mark,
    /// What a `{% generation %}` block is printed between, where the template has one.
    generation: Option<[char; 2]>,
    /// What is set after the message that is to be continued.
    tag: Option<char>,
}

pub(super) fn render<'r>(template: &'r ChatTemplate, view: &'r ChatView<'r>) -> Result<Rendered<'r>, Error> {
    if let Some(printed) = interpreted(template, view) {
        return Ok(Rendered::Pieces(printed));
    }
    by_engine(template, view).map(Rendered::Whole)
}

/// What the interpreter prints; none where it cannot, or that is too long.
pub(super) fn interpreted<'r>(template: &'r ChatTemplate, view: &'r ChatView<'r>) -> Option<Vec<Printed<'r>>> {
    let Compiled { environment, program, .. } = view.compiled(template);
    let program = program.as_ref().filter(|_| view.continued.is_none())?;
    let input = Input { view, environment };
    let TemplateLimits { steps, steps_per_message, output, .. } = template.limits;
    let messages = u64::try_from(view.messages).unwrap_or(u64::MAX);
    let printed = program.run(input, steps.saturating_add(steps_per_message.saturating_mul(messages)))?;
    let length = printed.iter().fold(0usize, |length, printed| length.saturating_add(printed.as_str().len()));
    let fits = length <= output || length <= output.saturating_add(Texts::of(view).length.saturating_mul(8));
    fits.then_some(printed)
}

pub(super) fn by_engine(template: &ChatTemplate, view: &ChatView<'_>) -> Result<Output, Error> {
    let compiled = view.compiled(template);
    let texts = Texts::of(view);
    let signs = Signs::absent_from(&texts, compiled, view.continued.is_some())?;
    let run = Run { template, view, compiled, signs, input: texts.length };
    let plain = run.output(Marking::None)?;
    for marking in run.markings(&texts) {
        let Some(marking) = marking else {
            return Ok(Output { text: plain, trust: Trust::All, signs });
        };
        if let Ok(output) = run.output(marking)
            && signs.mark.split(&output).flat_map(str::bytes).eq(plain.bytes())
        {
            return Ok(Output { text: output, trust: Trust::Marked(signs.mark), signs });
        }
    }
    match template.marking_failure {
        MarkingFailure::Refused => Err(Error::new(ErrorKind::TemplateMarking, "")),
        MarkingFailure::AllText => Ok(Output { text: plain, trust: Trust::None, signs }),
    }
}

/// Every untrusted text of a render.
struct Texts<'t> {
    texts: Vec<&'t str>,
    length: usize,
}

impl<'t> Texts<'t> {
    fn of(view: &'t ChatView<'_>) -> Self {
        let texts = view.sent();
        let length = texts.iter().fold(0usize, |length, text| length.saturating_add(text.len()));
        Texts { texts, length }
    }

    /// Could one of the texts have marks, for its brackets or for being short?
    fn may_need_marks(&self) -> bool {
        self.texts.iter().any(|text| holds(text, is_bracket) || is_inside_of_literal(text))
    }
}

impl Signs {
    /// Characters that occur in none of the texts.
    fn absent_from(texts: &Texts<'_>, compiled: &Compiled, tagged: bool) -> Result<Self, Error> {
        let all = texts.texts.iter().copied().chain([&*compiled.source, &*compiled.escapes]);
        let [mark, open, close, tag] =
            Mark::absent_from(all).ok_or_else(|| Error::new(ErrorKind::TemplateMarking, ""))?;
        Ok(Signs {
            mark,
            generation: compiled.generation.then_some([open.character(), close.character()]),
            tag: tagged.then_some(tag.character()),
        })
    }
}

/// The characters that the `\u` escapes of a text spell, whether they are escapes or not.
pub(super) fn decode_escapes(text: &str) -> String {
    let units = text.split("\\u").skip(1).filter_map(|tail| u16::from_str_radix(tail.get(..4)?, 16).ok());
    char::decode_utf16(units).filter_map(Result::ok).collect()
}

/// What the renders of one chat have in common.
struct Run<'r> {
    template: &'r ChatTemplate,
    view: &'r ChatView<'r>,
    compiled: &'r Compiled,
    signs: Signs,
    input: usize,
}

impl Run<'_> {
    /// The ways to mark the texts, best first; none where the texts need no marks.
    fn markings(&self, texts: &Texts<'_>) -> impl Iterator<Item = Option<Marking>> + use<> {
        let mark = self.signs.mark;
        let brackets = Marking::Brackets(mark);
        let [first, second] = if self.compiled.composes {
            [Some(Some(Marking::Ends(mark))), None]
        } else if texts.may_need_marks() {
            [Some(Some(brackets)), Some(Some(Marking::Literals(mark)))]
        } else {
            [Some(None), None]
        };
        first.into_iter().chain(second)
    }

    /// What the template prints of texts that are marked this way.
    fn output(&self, marking: Marking) -> Result<String, Error> {
        let root = Root::new(self, marking);
        let limits = &self.template.limits;
        let messages = u64::try_from(self.view.messages).unwrap_or(u64::MAX);
        let input = u64::try_from(self.input).unwrap_or(u64::MAX);
        let fuel =
            limits.steps.saturating_add(limits.steps_per_message.saturating_mul(messages)).saturating_add(input / 8);
        let mut environment = self.compiled.environment.clone();
        environment.set_fuel(Some(fuel));
        let template = environment.get_template(engine::NAME);
        let rendered = template.and_then(|template| template.render(Value::from_object(root)));
        let mut output = rendered.map_err(render_error)?;
        let limit = limits.output.saturating_add(self.input.saturating_mul(8));
        if output.len() > limit {
            return Err(Error::new(ErrorKind::TemplateOutput { limit }, ""));
        }
        if let (Some(tag), Some(continued)) = (self.signs.tag, &self.view.continued) {
            let is_printed = marking != Marking::None || output.contains(continued.text.trim_matches(python::is_space));
            cut_at(tag, &mut output).filter(|()| is_printed).ok_or_else(|| continued.not_printed())?;
        }
        Ok(output)
    }
}

/// Cuts the output where the message to be continued ends; `None` where it is not there.
fn cut_at(tag: char, output: &mut String) -> Option<()> {
    let at = output.rfind(tag)?;
    let kept = output.get(at..).is_some_and(|tail| tail.strip_prefix(tag).is_some_and(|tail| tail.starts_with(' ')));
    output.truncate(at);
    if !kept {
        output.truncate(output.trim_end_matches(python::is_space).len());
    }
    Some(())
}

/// The engine's error as one of ours, its own types left behind.
fn render_error(error: minijinja::Error) -> Error {
    if error.kind() == minijinja::ErrorKind::OutOfFuel {
        return Error::new(ErrorKind::TemplateFuel, "");
    }
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        if let Some(raised) = inner.downcast_ref::<TemplateRaised>() {
            return Error::new(ErrorKind::TemplateRaised, "").because(raised.clone());
        }
        if inner.downcast_ref::<minijinja::Error>().is_some_and(|inner| inner.kind() == minijinja::ErrorKind::OutOfFuel)
        {
            return Error::new(ErrorKind::TemplateFuel, "");
        }
        source = inner.source();
    }
    Error::new(ErrorKind::TemplateRender, "").because(EngineError::new(&error))
}

/// The variables that a template sees.
struct Root {
    variables: Vec<(Box<str>, Value)>,
}

impl Root {
    fn new(run: &Run<'_>, marking: Marking) -> Self {
        let Run { view, signs, .. } = run;
        let values = Values { marking, continued: view.continued.as_ref().zip(signs.tag) };
        let mut variables: Vec<(Box<str>, Value)> = Vec::with_capacity(view.variables().len() + 2);
        variables.extend(view.variables().iter().enumerate().map(|(place, (name, node))| {
            let value = if place == 0 { values.messages(node) } else { values.value(node) };
            (Box::from(*name), value)
        }));
        if marking != Marking::None {
            variables.push((marks::MARK.into(), Value::from(signs.mark.character())));
        }
        if let Some(signs) = signs.generation {
            variables.push((engine::GENERATION.into(), Value::from(signs.iter().collect::<String>())));
        }
        Root { variables }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        // What is set last counts.
        self.variables.iter().rev().find(|(name, _)| **name == *key).map(|(_, value)| value.clone())
    }
}

impl Rendered<'_> {
    /// Writes the output: literals of the vocabulary that the template printed as control tokens, all else as text.
    pub(super) fn write(&self, writer: &mut Writer<'_>, vocabulary: Vocabulary) {
        match self {
            Rendered::Pieces(printed) => write_pieces(printed, writer, vocabulary),
            Rendered::Whole(output) => output.write(writer, vocabulary),
        }
    }

    /// The bytes of the prompt that were printed by `{% generation %}` blocks, in order, none within another.
    pub(super) fn generated(&self) -> Vec<Range<usize>> {
        let mut generated = Generated::default();
        match self {
            Rendered::Pieces(printed) => printed.iter().for_each(|printed| match printed {
                Printed::Piece(piece) => generated.at += piece.as_str().len(),
                Printed::GenerationStart => generated.open(),
                Printed::GenerationEnd => generated.close(),
            }),
            Rendered::Whole(output) => output.generated(&mut generated),
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
            Printed::Piece(Piece::Template(text)) => {
                let own = rest.iter().map_while(|printed| match printed {
                    Printed::Piece(Piece::Template(text)) => Some(*text),
                    _ => None,
                });
                let more = own.clone().count();
                if more == 0 {
                    write_marked(writer, text, None, vocabulary);
                } else {
                    let joined: String = std::iter::once(*text).chain(own).collect();
                    write_marked(writer, &joined, None, vocabulary);
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

impl Output {
    fn write(&self, writer: &mut Writer<'_>, vocabulary: Vocabulary) {
        let Some(signs) = self.signs.generation else { return self.write_part(&self.text, writer, vocabulary) };
        let [open, close] = signs;
        let mut depth = 0usize;
        for part in self.text.split_inclusive(signs) {
            let sign = part.chars().next_back().filter(|last| signs.contains(last));
            writer.from(if depth > 0 { Origin::role(Role::Assistant) } else { Origin::NONE });
            self.write_part(sign.and_then(|sign| part.strip_suffix(sign)).unwrap_or(part), writer, vocabulary);
            if sign == Some(open) {
                depth += 1;
            } else if sign == Some(close) {
                depth = depth.saturating_sub(1);
            }
        }
    }

    fn write_part(&self, part: &str, writer: &mut Writer<'_>, vocabulary: Vocabulary) {
        match self.trust {
            Trust::All => write_marked(writer, part, None, vocabulary),
            Trust::Marked(mark) => write_marked(writer, part, Some(mark), vocabulary),
            Trust::None => writer.text(part),
        }
    }

    fn generated(&self, generated: &mut Generated) {
        let Some([open, close]) = self.signs.generation else { return };
        let mark = match self.trust {
            Trust::Marked(mark) => Some(mark.character()),
            Trust::All | Trust::None => None,
        };
        for character in self.text.chars() {
            if character == open {
                generated.open();
            } else if character == close {
                generated.close();
            } else if Some(character) != mark {
                generated.at += character.len_utf8();
            }
        }
    }
}

/// Writes trusted text, its untrusted parts marked where it has a mark; a literal that stands for an image or a sound is
/// the whole of it.
fn write_marked(writer: &mut Writer<'_>, text: &str, mark: Option<Mark>, vocabulary: Vocabulary) {
    let write = |writer: &mut Writer<'_>, text: &str| match mark {
        Some(mark) => mark.split(text).for_each(|part| writer.text(part)),
        None => writer.text(text),
    };
    let mut rest = text;
    let mut searched = 0;
    while let Some(found) = rest.get(searched..).and_then(|tail| marking::find(tail, marking::is_open)) {
        let at = searched + found;
        searched = at + 1;
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let Some(control) = vocabulary.starting(from) else { continue };
        write(writer, before);
        match control {
            Control::Img => writer.media(Media::Image),
            Control::Audio => writer.media(Media::Audio),
            control => writer.control(control),
        }
        rest = from.get(control.as_str().len()..).unwrap_or_default();
        searched = 0;
    }
    write(writer, rest);
}
