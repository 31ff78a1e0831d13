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
pub(super) struct Extent {
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
        ValueKind::Seq if value.downcast_object_ref::<Vec<Value>>().is_some() => {
            let items: Vec<Value> = value.try_iter()?.collect();
            state.consume_fuel(items.len() as u64 / 2)?;
            let extent = extent_of(items.iter(), 0)?;
            Ok(Value::from_object(List::built(items, extent)))
        }
        ValueKind::Map if value.downcast_object_ref::<Dict>().is_none() => {
            let mut members = Vec::with_capacity(value.len().unwrap_or_default());
            for key in value.try_iter()?.checked() {
                let key = key?;
                members.push((key.clone(), value.get_item(&key)?));
            }
            state.consume_fuel(members.len() as u64)?;
            let extent = extent_of(members.iter().flat_map(|(key, member)| [key, member]), 0)?;
            match members.iter().all(|(key, _)| key.as_str().is_some()) {
                true => Ok(Value::from_object(Dict::built(members, extent))),
                false => Ok(value),
            }
        }
        ValueKind::Seq | ValueKind::Iterable => match value.len() {
            Some(length) if length > MAX_ITEMS => Err(too_large(TOO_LONG)),
            _ if value.is_tuple() => extent(&value, 0).map(|_| value),
            _ => Ok(value),
        },
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
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Ok(list.extent());
    }
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return Ok(dict.extent());
    }
    if is_namespace(value) {
        return Err(too_large("a namespace cannot be stored"));
    }
    match value.kind() {
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

fn extent_of<'v>(values: impl Iterator<Item = &'v Value>, depth: u32) -> Result<Extent, Error> {
    let mut whole = Extent::default();
    for value in values {
        whole.hold(extent(value, depth + 1)?)?;
    }
    Ok(whole)
}
