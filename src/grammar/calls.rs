//! How a layout writes calls, and the tools that may be called, as the shapes of calls.

use std::borrow::Cow;

use super::build::run;
use super::{Shape, TextKind, Times};
use crate::layout::{CallForm, CallIds, CallPart, Grouping, Layout, Pairing, Quoting};
use crate::python::json;

/// The schema of arguments that may be any object.
pub(super) const ANY_OBJECT: &str = r#"{"type": "object"}"#;

/// One way to call: the names that it may have, and the schema of its arguments.
pub(super) struct Callable<'c> {
    pub(super) names: Vec<Cow<'c, str>>,
    /// See [`Shape::Name`].
    pub(super) pinned: bool,
    pub(super) schema: Cow<'c, str>,
}

/// How many calls one answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Several,
}

/// Whether a call has the id that its layout writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    /// It may, or the client gives it one.
    Optional,
    Required,
}

impl Ids {
    /// What the calls after the first have: where results go by the ids of calls, only one call can be without.
    fn of_later_calls(layout: &Layout) -> Self {
        match layout.rules.pairing {
            Pairing::ById if layout.calls.writes_ids() => Ids::Required,
            Pairing::ById | Pairing::ByCount => Ids::Optional,
        }
    }
}

/// The calls of an answer, from the first to the last.
pub(super) fn calls<'c>(layout: &Layout, form: &CallForm, callables: &[Callable<'c>], count: Count) -> Shape<'c> {
    let one = || one_of(layout, form, callables, Ids::Optional);
    match form.grouping {
        Grouping::Apart => match (count, Ids::of_later_calls(layout)) {
            (Count::One, _) => one(),
            (Count::Several, Ids::Optional) => Shape::Repeat(Box::new(one()), Times::OneOrMore),
            (Count::Several, ids @ Ids::Required) => {
                let more = Shape::Repeat(Box::new(one_of(layout, form, callables, ids)), Times::ZeroOrMore);
                Shape::Sequence(vec![one(), more])
            }
        },
        Grouping::List { control, open, between, close } => {
            let open = run(layout.word_start, Shape::Literal(Cow::Borrowed(open)));
            let mut shapes = vec![Shape::Control(control), open, one()];
            if count == Count::Several {
                let more = Shape::sequence([Shape::Literal(Cow::Borrowed(between)), one()]);
                shapes.push(Shape::Repeat(Box::new(more), Times::ZeroOrMore));
            }
            shapes.push(Shape::Literal(Cow::Borrowed(close)));
            Shape::sequence(shapes)
        }
    }
}

/// More calls after one that is complete.
pub(super) fn more_calls<'c>(layout: &Layout, form: &CallForm, callables: &[Callable<'c>], count: Count) -> Shape<'c> {
    match (form.grouping, count) {
        (Grouping::Apart, Count::Several) if !callables.is_empty() => {
            let one = one_of(layout, form, callables, Ids::of_later_calls(layout));
            Shape::Repeat(Box::new(one), Times::ZeroOrMore)
        }
        _ => Shape::Sequence(Vec::new()),
    }
}

fn one_of<'c>(layout: &Layout, form: &CallForm, callables: &[Callable<'c>], ids: Ids) -> Shape<'c> {
    Shape::choice(callables.iter().map(|callable| call(layout, form, callable, ids)).collect())
}

fn call<'c>(layout: &Layout, form: &CallForm, callable: &Callable<'c>, ids: Ids) -> Shape<'c> {
    let mut shapes: Vec<Shape<'c>> = Vec::new();
    for part in form.call {
        match (part, ids) {
            (CallPart::IfId(parts), Ids::Required) => {
                parts.iter().for_each(|part| push(layout, form, callable, *part, &mut shapes));
            }
            (part, _) => push(layout, form, callable, *part, &mut shapes),
        }
    }
    Shape::sequence(shapes)
}

fn push<'c>(layout: &Layout, form: &CallForm, callable: &Callable<'c>, part: CallPart, shapes: &mut Vec<Shape<'c>>) {
    let is_text = match part {
        CallPart::Control(_) | CallPart::IfId(_) => false,
        CallPart::Text(_) | CallPart::Name | CallPart::Arguments | CallPart::Id => true,
    };
    if let (true, Some(Shape::Control(_)), true) = (is_text, shapes.last(), layout.word_start.is_space()) {
        shapes.push(Shape::Literal(Cow::Borrowed(layout.word_start.printed())));
    }
    match (part, form.quoting) {
        (CallPart::Control(control), _) => shapes.push(Shape::Control(control)),
        (CallPart::Text(text), _) => shapes.push(Shape::Literal(Cow::Borrowed(text))),
        (CallPart::Name, Quoting::Bare) => {
            shapes.push(Shape::Name { names: callable.names.clone(), pinned: callable.pinned });
        }
        (CallPart::Name, Quoting::Json) => {
            shapes.push(Shape::choice(callable.names.iter().map(|name| Shape::Literal(quoted(name))).collect()));
        }
        (CallPart::Arguments, _) => shapes.push(Shape::PrintedJson(callable.schema.clone())),
        (CallPart::IfId(parts), _) => {
            let mut inner = Vec::new();
            for part in parts {
                push(layout, form, callable, *part, &mut inner);
            }
            shapes.push(Shape::sequence(inner).optional());
        }
        (CallPart::Id, quoting) => shapes.push(id(layout.rules.call_ids, quoting)),
    }
}

fn id<'c>(ids: CallIds, quoting: Quoting) -> Shape<'c> {
    match (ids, quoting) {
        (CallIds::NineAlphanumeric, Quoting::Bare) => Shape::Text(TextKind::NineAlphanumeric),
        (CallIds::NineAlphanumeric, Quoting::Json) => {
            let quote = || Shape::Literal(Cow::Borrowed("\""));
            Shape::sequence([quote(), Shape::Text(TextKind::NineAlphanumeric), quote()])
        }
        (CallIds::NotEmpty | CallIds::Unchecked, Quoting::Bare) => Shape::Text(TextKind::Line),
        (CallIds::NotEmpty | CallIds::Unchecked, Quoting::Json) => {
            Shape::PrintedJson(Cow::Borrowed(r#"{"type": "string", "minLength": 1}"#))
        }
    }
}

fn quoted(name: &str) -> Cow<'static, str> {
    let mut text = String::new();
    json::write_string(name, &mut text);
    Cow::Owned(text)
}
