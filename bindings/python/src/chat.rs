//! What a caller gives as a chat.

use std::str::FromStr;
use std::sync::Arc;

use mct::Role;
use mistral_chat_template as mct;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::error::{Raise, argument};
use crate::{json, objects};

/// The JSON of a request.
pub(crate) enum Text {
    Given(PyBackedStr),
    Written(String),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Given(text) => text,
            Text::Written(text) => text,
        }
    }
}

/// What is given as a chat.
pub(crate) enum Given {
    Read(Arc<mct::Chat<'static>>),
    /// Messages of a role and a text, which need no JSON to be read.
    Plain(Vec<(Role, PyBackedStr)>),
    Text(Text),
}

/// The members of a request beside its messages.
pub(crate) type Fields<'f, 'py> = Option<&'f Bound<'py, PyDict>>;

impl Given {
    /// A chat of a list of messages, a request or its JSON, and members of the request beside it.
    pub(crate) fn new(
        chat: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        fields: Fields<'_, '_>,
    ) -> PyResult<Self> {
        if let Ok(chat) = chat.cast::<Chat>() {
            if tools.is_some() || fields.is_some_and(|fields| !fields.is_empty()) {
                return Err(PyValueError::new_err("a Chat has its own tools and settings, and takes none beside it"));
            }
            return Ok(Given::Read(Arc::clone(&chat.get().0)));
        }
        request(chat, tools, fields).map(Given::Text)
    }

    /// The same of a chat that is only to be laid out: nothing is asked for the JSON that it came as.
    pub(crate) fn messages(
        chat: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        fields: Fields<'_, '_>,
        dialect: mct::chat::Dialect,
    ) -> PyResult<Self> {
        use mct::chat::Dialect::{Either, Mistral, OpenAi};
        let is_alone = tools.is_none() && fields.is_none_or(|fields| fields.is_empty());
        if is_alone && matches!(dialect, Either | Mistral | OpenAi) {
            if let Some(messages) = plain(chat) {
                return Ok(Given::Plain(messages));
            }
        }
        if dialect == Either {
            if let Some(chat) = request_of_dicts(chat, tools, fields).and_then(|request| objects::chat(&request)) {
                return Ok(Given::Read(Arc::new(chat)));
            }
        }
        Given::new(chat, tools, fields)
    }

    /// Does something with the chat, the interpreter's lock released.
    pub(crate) fn with<R: Send>(
        &self,
        py: Python<'_>,
        dialect: mct::chat::Dialect,
        act: impl FnOnce(&mct::Chat<'_>) -> Result<R, mct::Error> + Send,
    ) -> PyResult<R> {
        let result = py.detach(|| match self {
            Given::Read(chat) => act(chat),
            Given::Plain(messages) => act(&mct::Chat::new(messages.iter().map(|(role, text)| message(*role, text)))),
            Given::Text(text) => mct::Chat::read(text.as_str(), dialect).and_then(|chat| act(&chat)),
        });
        result.or_raise(py)
    }
}

/// The messages of a list of dicts of a role and a text, and nothing beside them; `None` for any other object.
fn plain(chat: &Bound<'_, PyAny>) -> Option<Vec<(Role, PyBackedStr)>> {
    let py = chat.py();
    let message = |message: Bound<'_, PyAny>| {
        let dict = message.cast_exact::<PyDict>().ok().filter(|dict| dict.len() == 2)?;
        let role = dict.get_item(intern!(py, "role")).ok()??;
        let role = match role.cast_exact::<PyString>().ok()?.to_str().ok()? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return None,
        };
        let content = dict.get_item(intern!(py, "content")).ok()??;
        Some((role, content.cast_exact::<PyString>().ok()?.extract().ok()?))
    };
    chat.cast_exact::<PyList>().ok()?.iter().map(message).collect()
}

/// A request of a dict, or of a list of messages, with what stands beside it; `None` for any other object.
fn request_of_dicts<'py>(
    chat: &Bound<'py, PyAny>,
    tools: Option<&Bound<'py, PyAny>>,
    fields: Fields<'_, 'py>,
) -> Option<Bound<'py, PyDict>> {
    let request = match (chat.cast_exact::<PyDict>(), chat.cast_exact::<PyList>()) {
        (Ok(dict), _) => dict.copy().ok()?,
        (_, Ok(list)) => {
            let request = PyDict::new(chat.py());
            request.set_item(intern!(chat.py(), "messages"), list).ok()?;
            request
        }
        _ => return None,
    };
    if let Some(tools) = tools {
        request.set_item(intern!(chat.py(), "tools"), tools).ok()?;
    }
    if let Some(fields) = fields {
        request.update(fields.as_mapping()).ok()?;
    }
    Some(request)
}

fn message(role: Role, text: &str) -> mct::Message<'_> {
    match role {
        Role::System => mct::Message::system(text),
        Role::Assistant => mct::Message::assistant(text),
        _ => mct::Message::user(text),
    }
}

/// The JSON of a request: text as it is, and else written.
pub(crate) fn request(
    chat: &Bound<'_, PyAny>,
    tools: Option<&Bound<'_, PyAny>>,
    fields: Fields<'_, '_>,
) -> PyResult<Text> {
    let py = chat.py();
    let has_more = tools.is_some() || fields.is_some_and(|fields| !fields.is_empty());
    if let Some(text) = text_of(chat)? {
        let is_list = text.trim_start().starts_with('[');
        return match (is_list, has_more) {
            (false, false) => Ok(Text::Given(text)),
            (false, true) => {
                Err(PyTypeError::new_err("members beside the JSON text of a request belong into it: give a dict"))
            }
            (true, _) => {
                let mut written = format!("{{\"messages\":{}", &*text);
                more(py, tools, fields, true, &mut written)?;
                Ok(Text::Written(written))
            }
        };
    }
    let mut written = String::with_capacity(256);
    let has_members = match chat.cast::<PyDict>() {
        Ok(dict) => {
            let names: Vec<PyBackedStr> = match fields {
                Some(fields) => fields.keys().iter().map(|name| name.extract()).collect::<PyResult<_>>()?,
                None => Vec::new(),
            };
            let mut but: Vec<&str> = names.iter().map(|name| &**name).collect();
            if tools.is_some() {
                but.push("tools");
            }
            json::write_members(dict, &but, &mut written, 0).map_err(|fault| fault.into_py(py))?
        }
        Err(_) => {
            let start = written.len();
            let is_list = chat.is_instance_of::<PyList>() || chat.is_instance_of::<PyTuple>();
            let place = if is_list { "messages" } else { "" };
            json::write(chat, &mut written).map_err(|fault| fault.within(place.to_owned()).into_py(py))?;
            if written[start..].starts_with('{') {
                // A request of another library's, such as a pydantic model.
                written.pop();
                written.len() > start + 1
            } else {
                written.insert_str(start, "{\"messages\":");
                true
            }
        }
    };
    more(py, tools, fields, has_members, &mut written)?;
    Ok(Text::Written(written))
}

/// The text of a `str`, or of UTF-8 in `bytes`.
pub(crate) fn text_of(value: &Bound<'_, PyAny>) -> PyResult<Option<PyBackedStr>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some(text.extract()?));
    }
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(Some(bytes.call_method1("decode", ("utf-8",))?.extract()?)),
        Err(_) => Ok(None),
    }
}

fn more(
    py: Python<'_>,
    tools: Option<&Bound<'_, PyAny>>,
    fields: Fields<'_, '_>,
    has_members: bool,
    out: &mut String,
) -> PyResult<()> {
    let tools = tools.map(|tools| (PyString::new(py, "tools").into_any(), tools.clone()));
    let mut is_first = !has_members;
    for (name, value) in tools.into_iter().chain(fields.into_iter().flat_map(|fields| fields.iter())) {
        if !is_first {
            out.push(',');
        }
        is_first = false;
        json::write(&name, out).map_err(|fault| fault.into_py(py))?;
        out.push(':');
        json::write(&value, out).map_err(|fault| fault.into_py(py))?;
    }
    out.push('}');
    Ok(())
}

pub(crate) fn dialect(name: Option<&str>) -> PyResult<mct::chat::Dialect> {
    let Some(name) = name else { return Ok(mct::chat::Dialect::Either) };
    let allowed = || mct::chat::Dialect::ALL.map(mct::chat::Dialect::as_str).join(", ");
    mct::chat::Dialect::from_name(name).ok_or_else(|| argument("dialect", name, &allowed()))
}

pub(crate) fn mode(name: &str) -> PyResult<mct::Mode> {
    mct::Mode::from_name(name).ok_or_else(|| argument("mode", name, "test, serving, finetuning, agnostic"))
}

/// A name of an enumeration of the crate's.
pub(crate) fn parsed<T: FromStr<Err = mct::Error>>(py: Python<'_>, name: &str) -> PyResult<T> {
    name.parse::<T>().or_raise(py)
}

/// A chat that was read: what `repair` and `fit` give, and every `chat` argument accepts.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Chat(pub(crate) Arc<mct::Chat<'static>>);

impl Chat {
    pub(crate) fn new(chat: mct::Chat<'static>) -> Self {
        Chat(Arc::new(chat))
    }
}

#[pymethods]
impl Chat {
    #[new]
    #[pyo3(signature = (chat, tools=None, *, dialect=None, **fields))]
    fn read(
        chat: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        dialect: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let dialect = self::dialect(dialect)?;
        match Given::new(chat, tools, fields)? {
            Given::Read(chat) => Ok(Chat(chat)),
            given => given.with(chat.py(), dialect, |chat| Ok(Chat::new(chat.clone().into_owned()))),
        }
    }

    /// The messages as dicts, in Mistral's form.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.get_item("messages")
    }

    /// The tools as dicts.
    #[getter]
    fn tools<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.to_dict(py)?.call_method1("get", ("tools",))? {
            none if none.is_none() => Ok(PyList::empty(py).into_any()),
            tools => Ok(tools),
        }
    }

    /// The request as a dict, in Mistral's form.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::loads(py, &self.to_json()?)
    }

    /// The request as JSON text, in Mistral's form.
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&*self.0).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn __len__(&self) -> usize {
        self.0.messages.len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __repr__(&self) -> String {
        format!("<Chat of {} messages>", self.0.messages.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Chat>().into_any(), (self.to_json()?,)))
    }
}
