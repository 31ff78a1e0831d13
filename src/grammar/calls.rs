//! How a layout writes calls, and the tools that may be called, as the shapes of calls.

use std::borrow::Cow;

use super::{Shape, TextKind, Times};
use crate::layout::{CallForm, CallIds, CallPart, Grouping, Layout, Quoting};
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

/// The calls of an answer, from the first to the last.
pub(super) fn calls<'c>(layout: &Layout, form: &CallForm, callables: &[Callable<'c>], count: Count) -> Shape<'c> {
    let one = || Shape::choice(callables.iter().map(|callable| call(layout, form, callable)).collect());
    match form.grouping {
        Grouping::Apart => match count {
            Count::One => one(),
            Count::Several => Shape::Repeat(Box::new(one()), Times::OneOrMore),
        },
        Grouping::List { control, open, between, close } => {
            let mut shapes = vec![
                Shape::Control(control),
                Shape::Text(TextKind::Space).optional(),
                Shape::Literal(Cow::Borrowed(open)),
                one(),
            ];
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
            let one = callables.iter().map(|callable| call(layout, form, callable)).collect();
            Shape::Repeat(Box::new(Shape::choice(one)), Times::ZeroOrMore)
        }
        _ => Shape::Sequence(Vec::new()),
    }
}

fn call<'c>(layout: &Layout, form: &CallForm, callable: &Callable<'c>) -> Shape<'c> {
    let mut shapes: Vec<Shape<'c>> = Vec::new();
    for part in form.call {
        push(layout, form, callable, *part, &mut shapes);
    }
    if let Grouping::Apart = form.grouping {
        shapes.push(Shape::Text(TextKind::Space).optional());
    }
    Shape::sequence(shapes)
}

fn push<'c>(layout: &Layout, form: &CallForm, callable: &Callable<'c>, part: CallPart, shapes: &mut Vec<Shape<'c>>) {
    match (part, form.quoting) {
        (CallPart::Control(control), _) => shapes.push(Shape::Control(control)),
        (CallPart::Text(text), _) => shapes.push(Shape::Literal(Cow::Borrowed(text))),
        (CallPart::Name, Quoting::Bare) => {
            shapes.push(Shape::Name { names: callable.names.clone(), pinned: callable.pinned });
        }
        (CallPart::Name, Quoting::Json) => {
            shapes.push(Shape::choice(callable.names.iter().map(|name| Shape::Literal(quoted(name))).collect()));
        }
        (CallPart::Arguments, _) => shapes.push(Shape::Json(callable.schema.clone())),
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
            Shape::Json(Cow::Borrowed(r#"{"type": "string", "minLength": 1}"#))
        }
    }
}

fn quoted(name: &str) -> Cow<'static, str> {
    let mut text = String::new();
    json::write_string(name, &mut text);
    Cow::Owned(text)
}
