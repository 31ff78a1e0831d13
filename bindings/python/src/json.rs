//! Python objects as JSON text: what every reader of the crate takes, and what a model's own template is shown.

use mistral_chat_template::error::Family;
use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::error::refused;

/// How deep objects may lie in each other.
const DEPTH: usize = 256;

/// Why an object is no JSON, and where in it.
pub(crate) struct Fault {
    /// Innermost step first.
    path: Vec<String>,
    why: Why,
}

enum Why {
    Sentence(String),
    Raised(PyErr),
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Fault { path: Vec::new(), why: Why::Raised(error) }
    }
}

impl Fault {
    fn new(sentence: impl Into<String>) -> Self {
        Fault { path: Vec::new(), why: Why::Sentence(sentence.into()) }
    }

    pub(crate) fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    pub(crate) fn into_py(self, py: Python<'_>) -> PyErr {
        let sentence = match self.why {
            Why::Raised(error) => return error,
            Why::Sentence(sentence) => sentence,
        };
        let mut at: String = self.path.into_iter().rev().collect();
        if at.starts_with('.') {
            at.remove(0);
        }
        refused(py, Family::Form, "json", &at, &sentence)
    }
}

/// Appends the JSON of an object.
///
/// A `dict`, `list`, `tuple`, `str`, number, `bool` or `None` is written as `json.dumps` does; of other objects, those
/// with `model_dump` (pydantic), `tolist` (numpy) or the methods of a mapping are.
pub(crate) fn write(value: &Bound<'_, PyAny>, out: &mut String) -> Result<(), Fault> {
    write_at(value, out, 0)
}

fn write_at(value: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> Result<(), Fault> {
    if let Ok(text) = value.cast::<PyString>() {
        return write_text(text, out);
    }
    if depth > DEPTH {
        return Err(PyRecursionError::new_err(format!("objects lie more than {DEPTH} deep in each other")).into());
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return write_members(dict, &[], out, depth).map(|_| ()).map(|()| out.push('}'));
    }
    if let Ok(list) = value.cast::<PyList>() {
        return write_list(list.iter(), out, depth);
    }
    if value.is_none() {
        out.push_str("null");
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.push_str(if flag.is_true() { "true" } else { "false" });
    } else if value.is_instance_of::<PyInt>() {
        match value.extract::<i64>() {
            Ok(number) => out.push_str(&number.to_string()),
            // `int.__repr__`: a subclass such as an enumeration may say something else of itself.
            Err(_) => out.push_str(value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?.extract()?),
        }
    } else if value.is_instance_of::<PyFloat>() {
        let number = value.py().get_type::<PyFloat>().call_method1("__repr__", (value,))?;
        out.push_str(match number.extract()? {
            // What Python reads from JSON as infinite, the crate prints as Python does.
            "inf" => "1e999",
            "-inf" => "-1e999",
            "nan" => return Err(Fault::new("a float that is no number is no JSON")),
            number => number,
        });
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        return write_list(tuple.iter(), out, depth);
    } else {
        return write_foreign(value, out, depth);
    }
    Ok(())
}

/// Objects of other libraries.
fn write_foreign(value: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> Result<(), Fault> {
    let py = value.py();
    // A class has the methods of its objects too, but it is not such an object.
    if !value.is_instance_of::<pyo3::types::PyType>() {
        if let Some(dump) = value.getattr_opt("model_dump")? {
            let given = PyDict::new(py);
            given.set_item("mode", "json")?;
            return write_at(&dump.call((), Some(&given))?, out, depth + 1);
        }
        if let Some(to_list) = value.getattr_opt("tolist")? {
            return write_at(&to_list.call0()?, out, depth + 1);
        }
        if value.hasattr("keys")? && value.hasattr("__getitem__")? {
            let dict = py.get_type::<PyDict>().call1((value,))?;
            return write_at(&dict, out, depth + 1);
        }
    }
    let name = value.get_type().name()?;
    Err(Fault::new(format!("a value of the type {name} is no JSON")))
}

fn write_list<'py>(
    values: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut String,
    depth: usize,
) -> Result<(), Fault> {
    out.push('[');
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_at(&value, out, depth + 1).map_err(|fault| fault.within(format!("[{index}]")))?;
    }
    out.push(']');
    Ok(())
}

/// Writes the opening brace and the members of a dict but for those of these names, and says whether there were any.
pub(crate) fn write_members(
    dict: &Bound<'_, PyDict>,
    but: &[&str],
    out: &mut String,
    depth: usize,
) -> Result<bool, Fault> {
    out.push('{');
    // Objects' own methods could change the dict while it is read.
    let members: Vec<_> = dict.iter().collect();
    let mut is_first = true;
    for (key, value) in members {
        let name = key.cast::<PyString>().map_err(|_| Fault::new(format!("the key {key} is no text")))?;
        if !but.is_empty() && name.to_str().is_ok_and(|name| but.contains(&name)) {
            continue;
        }
        if !is_first {
            out.push_str(", ");
        }
        is_first = false;
        write_text(name, out)?;
        out.push_str(": ");
        write_at(&value, out, depth + 1).map_err(|fault| fault.within(format!(".{name}")))?;
    }
    Ok(!is_first)
}

/// A text as a JSON string; half a character, which is no UTF-8, as its escape, which the readers refuse or mend.
fn write_text(text: &Bound<'_, PyString>, out: &mut String) -> Result<(), Fault> {
    if let Ok(text) = text.to_str() {
        quote(text, out);
        return Ok(());
    }
    let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
    let mut rest: &[u8] = bytes.extract().map_err(PyErr::from)?;
    out.push('"');
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                escape(text, out);
                break;
            }
            Err(error) => {
                let (valid, wrong) = rest.split_at(error.valid_up_to());
                escape(&String::from_utf8_lossy(valid), out);
                let [first, second, third, after @ ..] = wrong else { break };
                let unit = u32::from(first & 0xf) << 12 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
                out.push_str(&format!("\\u{unit:04x}"));
                rest = after;
            }
        }
    }
    out.push('"');
    Ok(())
}

/// A text as a JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

fn escape(text: &str, out: &mut String) {
    out.reserve(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut chars = from.chars();
        match chars.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\t') => out.push_str("\\t"),
            Some('\r') => out.push_str("\\r"),
            Some(char @ ('"' | '\\')) => out.extend(['\\', char]),
            Some(char) => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// JSON text as Python objects, through Python's own reader.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (text,))
}
