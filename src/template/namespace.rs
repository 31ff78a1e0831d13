//! The namespaces that a template makes: names whose values it can change, and lists that grow in place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, Value, ValueKind, ValueOrKwargs};
use minijinja::{Error, ErrorKind, State};

use super::object::List;
use super::{keep, python};

/// The method that gives an attribute a value.
pub(super) const SET: &str = "__set";
/// The method that adds a value to an attribute's own.
pub(super) const ADD: &str = "__add";
/// The method that adds an item to an attribute's list.
pub(super) const APPEND: &str = "__append";

/// What `namespace(…)` makes.
#[derive(Default)]
pub(super) struct Namespace(Mutex<BTreeMap<Box<str>, Held>>);

/// The value of an attribute. A list is held in a way in which it can grow while nothing else holds it.
enum Held {
    Value(Value),
    List(Arc<List>),
}

impl Held {
    fn value(&self) -> Value {
        match self {
            Held::Value(value) => value.clone(),
            Held::List(list) => Value::from_dyn_object(Arc::clone(list)),
        }
    }

    /// The list that the attribute is, made one that can grow; none where it is something else.
    fn list(&mut self, state: &State<'_, '_>) -> Result<Option<&mut List>, Error> {
        if let Held::Value(value) = self
            && is_list(value)
        {
            *self = Held::List(match value.downcast_object::<List>() {
                Some(list) => list,
                None => Arc::new(List::gathered(value)?),
            });
        }
        let Held::List(list) = self else { return Ok(None) };
        if Arc::strong_count(list) > 1 {
            state.consume_fuel(list.items().len() as u64 / 2)?;
        }
        Ok(Some(Arc::make_mut(list)))
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) && !value.is_tuple()
}

impl Namespace {
    /// A namespace with the members of a dict, or of keyword arguments.
    pub(super) fn made_of(defaults: Option<ValueOrKwargs>) -> Result<Value, Error> {
        let mut members = BTreeMap::new();
        if let Some(defaults) = defaults.map(ValueOrKwargs::into_value) {
            let given = defaults.as_object().filter(|_| defaults.kind() == ValueKind::Map);
            let Some(given) = given.and_then(|object| object.try_iter_pairs()) else {
                let kind = defaults.kind();
                return Err(invalid(format!("expected object or keyword arguments, got {kind}")));
            };
            for (key, value) in given {
                let Some(name) = key.as_str() else { continue };
                keep::check(std::slice::from_ref(&value))?;
                members.insert(name.into(), Held::Value(value));
            }
        }
        Ok(Value::from_object(Namespace(Mutex::new(members))))
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &str, value: Value) {
        self.held().insert(name.into(), Held::Value(value));
    }

    /// `self.name = self.name + [item]`
    fn append(&self, state: &State<'_, '_>, name: &str, item: &Value) -> Result<(), Error> {
        if let Some(list) = self.held().get_mut(name).map(|held| held.list(state)).transpose()?.flatten() {
            return list.push(item);
        }
        self.set(name, engine_sum(state, self.get(name), Value::from(vec![item.clone()]))?);
        Ok(())
    }

    /// `self.name = self.name + value`
    fn add(&self, state: &State<'_, '_>, name: &str, value: &Value) -> Result<(), Error> {
        if is_list(value)
            && let Some(list) = self.held().get_mut(name).map(|held| held.list(state)).transpose()?.flatten()
        {
            let before = list.items().len();
            list.extend(value)?;
            return state.consume_fuel((list.items().len() - before) as u64 / 2);
        }
        let own = self.get(name);
        let sum = match (whole_number(&own), whole_number(value)) {
            (Some(one), Some(other)) => one.checked_add(other).map(Value::from),
            _ => None,
        };
        let sum = sum.map_or_else(|| engine_sum(state, own, value.clone()), Ok)?;
        self.set(name, keep::keep(state, sum)?);
        Ok(())
    }

    fn get(&self, name: &str) -> Value {
        self.held().get(name).map(Held::value).unwrap_or_default()
    }
}

fn whole_number(value: &Value) -> Option<i64> {
    if value.is_integer() { value.as_i64() } else { None }
}

/// `one + other`, as the engine adds.
fn engine_sum(state: &State<'_, '_>, one: Value, other: Value) -> Result<Value, Error> {
    let length = |value: &Value| value.as_str().map_or(0, str::len) as u64;
    state.consume_fuel((length(&one) + length(&other)) / 64)?;
    let sum = state.env().compile_expression("one + other")?;
    // What is wrong is wrong in the template, and not in the line of this expression.
    sum.eval(Value::from_pairs([("one", one), ("other", other)]))
        .map_err(|error| Error::new(error.kind(), error.detail().unwrap_or_default().to_owned()))
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// What is said where a method of namespaces is called on something else.
pub(super) fn refuse(value: &Value, method: &str) -> Option<Error> {
    let kind = value.kind();
    [SET, ADD, APPEND].contains(&method).then(|| invalid(format!("can only assign to namespaces, not {kind}")))
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Namespace")
    }
}

impl Object for Namespace {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.held().get(key).map(Held::value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.held().keys().map(|name| Value::from(&**name)).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.held().len())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let [name, value] = args else { return Err(Error::from(ErrorKind::UnknownMethod)) };
        let Some(name) = name.as_str() else { return Err(Error::from(ErrorKind::UnknownMethod)) };
        match method {
            SET => self.set(name, keep::keep(state, value.clone())?),
            ADD => self.add(state, name, value)?,
            APPEND => self.append(state, name, value)?,
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        python::render(&Value::from_dyn_object(Arc::clone(self)), f)
    }
}
