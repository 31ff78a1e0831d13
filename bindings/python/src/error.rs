//! Errors of the crate as Python exceptions.

use mistral_chat_template::Error;
use mistral_chat_template::error::Family;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The exception of an [`Error`]: the class of its family, with `kind`, `at`, `layout` and `family`.
pub(crate) fn to_py(py: Python<'_>, error: &Error) -> PyErr {
    let family = error.family();
    raised(py, family, (error.to_string(), error.kind().name(), error.at(), error.layout(), family.as_str()))
}

/// The exception of a fault that the binding finds itself.
pub(crate) fn refused(py: Python<'_>, family: Family, kind: &str, at: &str, sentence: &str) -> PyErr {
    let message = if at.is_empty() { sentence.to_owned() } else { format!("{at}: {sentence}") };
    raised(py, family, (message, kind, at, None::<&str>, family.as_str()))
}

type Fields<'f> = (String, &'f str, &'f str, Option<&'f str>, &'f str);

fn raised(py: Python<'_>, family: Family, fields: Fields<'_>) -> PyErr {
    static CLASSES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let found = CLASSES
        .get_or_try_init(py, || {
            Ok::<_, PyErr>(py.import("mistral_chat_template._errors")?.getattr("CLASSES")?.unbind())
        })
        .and_then(|classes| Ok(classes.bind(py).get_item(family.as_str())?.cast_into::<PyType>()?))
        .and_then(|class| class.call1(fields));
    match found {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// An argument that has no such value.
pub(crate) fn argument(name: &str, given: &str, allowed: &str) -> PyErr {
    PyValueError::new_err(format!("{name} cannot be {given:?}; it is one of {allowed}"))
}

/// Results of the crate as results of Python.
pub(crate) trait Raise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_py(py, &error))
    }
}
