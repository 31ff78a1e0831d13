//! Variables that hold JSON: the entries of lists and objects, as `{{getvarkey}}` and `{{setvarkey}}` reach them.

use serde_json::{Map, Value};

/// How long a list can get by an index past its end.
const MAX_INDEX: usize = 10_000;

/// An entry as text; the whole text if it is not JSON.
pub(super) fn get(whole: &str, key: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(whole) else { return whole.to_owned() };
    let entry = match (&value, index(key)) {
        (Value::Array(items), Some(index)) => items.get(index),
        _ => value.get(key),
    };
    match entry {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The JSON with an entry set; `None` where it has no entries.
pub(super) fn set(whole: Option<&str>, key: &str, value: String) -> Option<String> {
    let index = index(key);
    let mut json = match whole.map(serde_json::from_str::<Value>) {
        None => Value::Null,
        Some(parsed) => parsed.ok()?,
    };
    if json.is_null() {
        json = if index.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match (&mut json, index) {
        (Value::Array(items), Some(index)) if index <= MAX_INDEX => {
            if index >= items.len() {
                items.resize(index + 1, Value::Null);
            }
            *items.get_mut(index)? = Value::String(value);
        }
        (Value::Object(fields), _) => {
            fields.insert(key.to_owned(), Value::String(value));
        }
        _ => return None,
    }
    Some(json.to_string())
}

/// A list with one item more; `None` where the variable is not a list.
pub(super) fn pushed(whole: &str, item: &str) -> Option<String> {
    if !whole.trim_start().starts_with('[') {
        return None;
    }
    let mut items = serde_json::from_str::<Vec<Value>>(whole).ok()?;
    items.push(Value::String(item.to_owned()));
    Some(Value::Array(items).to_string())
}

fn index(key: &str) -> Option<usize> {
    if key.trim().is_empty() { Some(0) } else { key.trim().parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_set_and_read() {
        let list = set(None, "1", "b".into()).unwrap();
        assert_eq!((list.as_str(), get(&list, "1").as_str(), get(&list, "7").as_str()), (r#"[null,"b"]"#, "b", ""));
        let object = set(None, "k", "v".into()).unwrap();
        assert_eq!((object.as_str(), get(&object, "k").as_str()), (r#"{"k":"v"}"#, "v"));
        assert_eq!(get("plain", "0"), "plain");
        assert_eq!(set(Some("plain"), "0", String::new()), None);
        assert_eq!(pushed("[1]", "x").as_deref(), Some(r#"[1,"x"]"#));
    }
}
