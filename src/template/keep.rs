//! Limits on how deep and how often values hold one another, where a template makes or stores them.
//!
//! The engine compares, hashes and frees values one level in another, as deep as they are nested, and follows a list that
//! is held twice twice. So what a template writes down may be nested 128 deep and hold 10,000 values, a list may have
//! 100,000 items, and a namespace, which alone can be changed later, is held by nothing.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::object::{Dict, List};

const MAX_DEPTH: u32 = 128;
const MAX_SIZE: u32 = 10_000;
const MAX_ITEMS: usize = 100_000;

const TOO_LONG: &str = "a list has more than 100000 items";

/// How deep a value is nested, and how many values it holds, each as often as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Extent {
    depth: u32,
    size: u32,
}

impl Extent {
    /// A container of more values than this one counted.
    fn hold(&mut self, held: Extent) -> Result<(), Error> {
        self.depth = self.depth.max(held.depth + 1);
        self.size = self.size.saturating_add(held.size).saturating_add(1);
        if self.depth > MAX_DEPTH || self.size > MAX_SIZE {
            return Err(too_large("values hold one another too deep or too often"));
        }
        Ok(())
    }
}

fn too_large(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// Passes a value on that is about to have a name of its own.
pub(super) fn name(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Iterable if value.len().is_some_and(|length| length > MAX_ITEMS) => Err(too_large(TOO_LONG)),
        _ if value.is_tuple() && !value.try_iter()?.any(|item| is_namespace(&item)) => extent(&value, 0).map(|_| value),
        _ => Ok(value),
    }
}

/// Passes a value on that a template has made, or that a namespace is about to hold.
pub(super) fn keep(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if is_namespace(&value) {
        return Err(too_large("a namespace cannot be stored"));
    }
    match value.kind() {
        ValueKind::Iterable if value.len().is_some_and(|length| length > MAX_ITEMS) => Err(too_large(TOO_LONG)),
        // What is added up or cut out of lists holds what they hold.
        ValueKind::Iterable => Ok(value),
        ValueKind::Seq | ValueKind::Map => {
            let Extent { size, .. } = extent(&value, 0)?;
            state.consume_fuel(u64::from(size) / 32)?;
            Ok(value)
        }
        _ => Ok(value),
    }
}

/// Checks what `namespace(…)` and `dict(…)` are called with.
pub(super) fn check(values: &[Value]) -> Result<(), Error> {
    for value in values {
        if is_namespace(value) {
            return Err(too_large("a namespace cannot be stored"));
        }
        extent(value, 0)?;
    }
    Ok(())
}

fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
}

fn extent(value: &Value, depth: u32) -> Result<Extent, Error> {
    let Some(object) = value.as_object() else { return Ok(Extent::default()) };
    // What the chat holds counts as one value.
    if object.downcast_ref::<List>().is_some() || object.downcast_ref::<Dict>().is_some() {
        return Ok(Extent::default());
    }
    match value.kind() {
        _ if is_namespace(value) => Err(too_large("a namespace cannot be stored")),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map if depth >= MAX_DEPTH => {
            Err(too_large("values hold one another too deep or too often"))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut whole = Extent::default();
            for item in value.try_iter()?.checked() {
                whole.hold(extent(&item?, depth + 1)?)?;
            }
            Ok(whole)
        }
        ValueKind::Map => {
            let mut whole = Extent::default();
            for key in value.try_iter()?.checked() {
                let key = key?;
                whole.hold(extent(&value.get_item(&key)?, depth + 1)?)?;
                whole.hold(extent(&key, depth + 1)?)?;
            }
            Ok(whole)
        }
        _ => Ok(Extent::default()),
    }
}
