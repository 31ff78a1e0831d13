//! The lists and dicts that a template sees: made once, from a chat or by the template, shared, and then never changed.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::keep::{self, Extent};
use super::python;

/// From this many members on, a dict finds its keys by search and not one by one.
const INDEXED_FROM: usize = 17;

/// A Python list.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    items: Vec<Value>,
    /// What it holds of a template's own; what the chat holds counts as one value.
    extent: Extent,
}

impl List {
    /// A list of the chat's.
    pub(super) fn new(items: Vec<Value>) -> Self {
        List { items, extent: Extent::default() }
    }

    /// A template's list, of what another holds.
    pub(super) fn gathered(items: &Value) -> Result<Self, Error> {
        let mut list = List::default();
        list.extend(items)?;
        Ok(list)
    }

    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn push(&mut self, item: &Value) -> Result<(), Error> {
        self.extent.grow(item)?;
        keep::check_length(self.items.len() + 1)?;
        self.items.push(item.clone());
        Ok(())
    }

    pub(super) fn extend(&mut self, items: &Value) -> Result<(), Error> {
        if let Some(list) = items.downcast_object_ref::<List>() {
            return list.items.iter().try_for_each(|item| self.push(item));
        }
        if let Some(list) = items.downcast_object_ref::<Vec<Value>>() {
            return list.iter().try_for_each(|item| self.push(item));
        }
        items.try_iter()?.checked().try_for_each(|item| self.push(&item?))
    }
}

/// Goes through a list from both ends.
struct Items {
    list: Arc<List>,
    left: Range<usize>,
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.left.next().and_then(|place| self.list.items.get(place)).cloned()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl DoubleEndedIterator for Items {
    fn next_back(&mut self) -> Option<Value> {
        self.left.next_back().and_then(|place| self.list.items.get(place)).cloned()
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::RevIter(Box::new(Items { list: Arc::clone(self), left: 0..self.items.len() }))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        python::render(&Value::from_dyn_object(self.clone()), f)
    }
}

/// A Python dict with strings for keys, in their order.
#[derive(Debug, Default)]
pub(super) struct Dict {
    members: Vec<(Value, Value)>,
    /// The members by key, where there are many.
    order: Vec<u32>,
    /// What a template calls the members whose keys carry marks.
    unmarked: Vec<(Box<str>, usize)>,
    extent: Extent,
}

impl Dict {
    /// A dict of different keys, the chat's, and what a template calls those that carry marks.
    pub(super) fn new(members: Vec<(Value, Value)>, unmarked: Vec<(Box<str>, usize)>) -> Self {
        let mut order = Vec::new();
        if members.len() >= INDEXED_FROM {
            order.extend((0u32..).take(members.len()));
            order.sort_by(|a, b| key_at(&members, *a).cmp(key_at(&members, *b)));
        }
        Dict { members, order, unmarked, extent: Extent::default() }
    }

    /// A template's dict, of keys and values in turn; none where a key is not a text.
    pub(super) fn of_pairs(pairs: &[Value]) -> Result<Option<Self>, Error> {
        let extent = Extent::of(pairs)?;
        let mut members: Vec<(Value, Value)> = Vec::with_capacity(pairs.len() / 2);
        for pair in pairs.chunks_exact(2) {
            let [key, value] = pair else { continue };
            if key.as_str().is_none() {
                return Ok(None);
            }
            match members.iter_mut().find(|(known, _)| known == key) {
                Some(known) => known.1 = value.clone(),
                None => members.push((key.clone(), value.clone())),
            }
        }
        Ok(Some(Dict { extent, ..Dict::new(members, Vec::new()) }))
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn members(&self) -> &[(Value, Value)] {
        &self.members
    }

    fn find(&self, key: &str) -> Option<&Value> {
        let found = if self.order.is_empty() {
            self.members.iter().find(|(known, _)| known.as_str() == Some(key))
        } else {
            let place = self.order.binary_search_by(|member| key_at(&self.members, *member).cmp(key)).ok();
            place.and_then(|place| self.order.get(place)).and_then(|member| self.members.get(*member as usize))
        };
        found.or_else(|| self.find_unmarked(key)).map(|(_, value)| value)
    }

    fn find_unmarked(&self, key: &str) -> Option<&(Value, Value)> {
        let (_, place) = self.unmarked.iter().find(|(known, _)| &**known == key)?;
        self.members.get(*place)
    }
}

fn key_at(members: &[(Value, Value)], place: u32) -> &str {
    members.get(place as usize).and_then(|(key, _)| key.as_str()).unwrap_or_default()
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.find(key.as_str()?).cloned()
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.find(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.iter().map(|(key, _)| key.clone()).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.members.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        python::render(&Value::from_dyn_object(self.clone()), f)
    }
}

/// An integer of more digits than a machine's number has: it can be printed, and that is all.
#[derive(Debug)]
pub(super) struct LongInteger(pub(super) Box<str>);

impl Object for LongInteger {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
