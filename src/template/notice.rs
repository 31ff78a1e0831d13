//! What a template asks about marked texts while it is watched, noticed in filters and methods.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::State;
use minijinja::value::{Object, ObjectRepr, Value, ValueKind};

use crate::marking::{holds, is_bracket};

/// The variable that holds the mark of a render, a name that no template can spell.
pub(super) const MARK: &str = "\u{1}mark";

/// The variable that holds what a watched render has noticed.
pub(super) const NOTICED: &str = "\u{1}noticed";

/// Has a template asked a marked text what the marks may have changed?
#[derive(Default)]
pub(super) struct Noticed(AtomicBool);

impl Noticed {
    pub(super) fn anything(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noticed")
    }
}

impl Object for Noticed {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The mark of this render.
pub(super) fn mark(state: &State<'_, '_>) -> Option<char> {
    state.lookup(MARK).and_then(|mark| mark.as_str().and_then(|mark| mark.chars().next()))
}

/// A question that is not followed, whatever it is about.
pub(super) fn any(state: &State<'_, '_>) {
    if let Some(noticed) = state.lookup(NOTICED)
        && let Some(Noticed(noticed)) = noticed.downcast_object_ref()
    {
        noticed.store(true, Ordering::Relaxed);
    }
}

/// A question about a value, if it is a text.
pub(super) fn text(state: &State<'_, '_>, value: &Value) {
    // Marks are characters from U+E000 on.
    let marked = |text: &str| holds(text, |byte| byte >= 0xEE) && mark(state).is_some_and(|mark| text.contains(mark));
    if value.as_str().is_some_and(marked) {
        any(state);
    }
}

/// A question about a value and what it holds.
pub(super) fn value(state: &State<'_, '_>, value: &Value) {
    match value.kind() {
        ValueKind::String => text(state, value),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => any(state),
        _ => {}
    }
}

/// A question about the types of a list's items.
pub(super) fn types(state: &State<'_, '_>, list: &Value) {
    text(state, list);
    for item in list.try_iter().into_iter().flatten() {
        if let Ok(kind) = item.get_attr("type") {
            value(state, &kind);
        }
    }
}

/// How many characters the text has without its marks.
pub(super) fn length(state: &State<'_, '_>, text: &str) -> usize {
    let marks = match holds(text, |byte| byte >= 0xEE) {
        true => mark(state).map_or(0, |mark| text.matches(mark).count()),
        false => 0,
    };
    text.chars().count() - marks
}

/// A method of a text. What has nothing to do with brackets is the same for a marked text.
pub(super) fn method(state: &State<'_, '_>, of: &Value, method: &str, args: &[Value]) {
    let plain = |arg: &Value| match arg.as_str() {
        Some(arg) => !holds(arg, is_bracket),
        None => arg.as_object().is_none(),
    };
    let looked_for = || args.first().is_some_and(|first| first.as_str() != Some("")) && args.iter().all(plain);
    let followed = match method {
        "upper" | "lower" | "casefold" | "swapcase" | "splitlines" => true,
        "isdigit" | "isnumeric" | "isdecimal" | "isalpha" | "isalnum" | "isspace" | "isupper" | "islower" => true,
        "strip" | "lstrip" | "rstrip" => args.iter().all(plain),
        "split" | "rsplit" => args.is_empty() || looked_for(),
        "startswith" | "endswith" | "removeprefix" | "removesuffix" | "partition" | "rpartition" | "replace"
        | "count" => looked_for(),
        "join" => args.iter().all(|items| items.as_str().is_none()),
        _ => false,
    };
    if !followed {
        text(state, of);
        args.iter().for_each(|arg| value(state, arg));
    }
}
