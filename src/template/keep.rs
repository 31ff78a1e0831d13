//! Limits on how deep and how often values hold one another, where a template makes or stores them.
//!
//! The engine compares, hashes and frees values one level in another, as deep as they are nested, and follows a list that
//! is held twice twice. So what a template writes down may be nested 128 deep and hold 10,000 values, a list may have
//! 100,000 items, and a namespace, which alone can be changed later, is held by nothing.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::namespace::Namespace;
use super::object::{Dict, List};

const MAX_DEPTH: u32 = 128;
const MAX_SIZE: u32 = 10_000;
pub(super) const MAX_ITEMS: usize = 100_000;

const TOO_LONG: &str = "a list has more than 100000 items";

/// How deep a value is nested, and how many values it holds, each as often as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Extent {
    depth: u32,
    size: u32,
}

impl Extent {
    /// A container of more values than this one counted.
    fn hold(&mut self, held: Extent) -> Result<(), Error> {
        self.add(held)?;
        if self.size > MAX_SIZE {
            return Err(too_large("values hold one another too deep or too often"));
        }
        Ok(())
    }

    /// A list that has grown by this value: it may be long, and holds no more than what is added may hold.
    pub(super) fn grow(&mut self, value: &Value) -> Result<(), Error> {
        self.add(extent(value, 0)?)
    }

    fn add(&mut self, held: Extent) -> Result<(), Error> {
        self.depth = self.depth.max(held.depth + 1);
        self.size = self.size.saturating_add(held.size).saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(too_large("values hold one another too deep or too often"));
        }
        Ok(())
    }

    /// Of a container that holds all these.
    pub(super) fn of<'v>(held: impl IntoIterator<Item = &'v Value>) -> Result<Self, Error> {
        let mut whole = Extent::default();
        for value in held {
            whole.hold(extent(value, 0)?)?;
        }
        Ok(whole)
    }

    /// Costs what looking at so many values does.
    pub(super) fn charge(self, state: &State<'_, '_>) -> Result<(), Error> {
        state.consume_fuel(u64::from(self.size) / 32)
    }
}

fn too_large(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// Refuses a list of too many items.
pub(super) fn check_length(length: usize) -> Result<(), Error> {
    if length > MAX_ITEMS { Err(too_large(TOO_LONG)) } else { Ok(()) }
}

/// Passes a value on that is about to have a name of its own.
pub(super) fn name(value: &Value) -> Result<Value, Error> {
    if value.as_object().is_some() {
        match value.kind() {
            ValueKind::Iterable => check_length(value.len().unwrap_or_default())?,
            _ if value.is_tuple() && !value.try_iter()?.any(|item| is_namespace(&item)) => {
                extent(value, 0)?;
            }
            _ => {}
        }
    }
    Ok(value.clone())
}

/// Passes a value on that a template has made, or that a namespace is about to hold.
pub(super) fn keep(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if value.as_object().is_none() {
        return Ok(value);
    }
    if is_namespace(&value) {
        return Err(too_large("a namespace cannot be stored"));
    }
    match value.kind() {
        // What is added up or cut out of lists holds what they hold.
        ValueKind::Iterable => check_length(value.len().unwrap_or_default())?,
        ValueKind::Seq | ValueKind::Map => extent(&value, 0)?.charge(state)?,
        _ => {}
    }
    Ok(value)
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
    value.downcast_object_ref::<Namespace>().is_some()
}

fn extent(value: &Value, depth: u32) -> Result<Extent, Error> {
    let Some(object) = value.as_object() else { return Ok(Extent::default()) };
    if let Some(list) = object.downcast_ref::<List>() {
        return Ok(list.extent());
    }
    if let Some(dict) = object.downcast_ref::<Dict>() {
        return Ok(dict.extent());
    }
    let kind = value.kind();
    match kind {
        _ if is_namespace(value) => return Err(too_large("a namespace cannot be stored")),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map if depth >= MAX_DEPTH => {
            return Err(too_large("values hold one another too deep or too often"));
        }
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {}
        _ => return Ok(Extent::default()),
    }
    let mut whole = Extent::default();
    if let Some(items) = object.downcast_ref::<Vec<Value>>() {
        for item in items {
            whole.hold(extent(item, depth + 1)?)?;
        }
        return Ok(whole);
    }
    for item in value.try_iter()?.checked() {
        let item = item?;
        if kind == ValueKind::Map {
            whole.hold(extent(&value.get_item(&item)?, depth + 1)?)?;
        }
        whole.hold(extent(&item, depth + 1)?)?;
    }
    Ok(whole)
}
