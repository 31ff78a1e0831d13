//! What a model says: ids or text in, messages and a client's deltas out.

use std::sync::{Mutex, TryLockError};

use mct::chat::Dialect;
use mct::completion::{CallDeltas, Delta, Leniency, NewCallIds, NewDeltas, ReplyEvents, ReplyHead, StrayFate};
use mistral_chat_template as mct;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList};
use serde::Serialize;

use crate::chat;
use crate::error::{argument, to_py};
use crate::format::Layout;
use crate::json;
use crate::prompt::Prompt;
use crate::tokenizer::{AnyTokenizer, ids_of};

/// Which ids calls get that the model gave none: `"random"`, or random by a seed.
#[derive(FromPyObject)]
enum CallIds {
    Seeded(u64),
    Named(String),
}

impl CallIds {
    fn random() -> Option<Self> {
        Some(CallIds::Named("random".to_owned()))
    }
}

/// How a model's output is read, from the keywords that `Completion` and `CompletionReader` share.
struct Reading {
    layout: mct::Layout,
    calls: CallDeltas,
    is_lenient: bool,
    tools: Option<mct::Chat<'static>>,
    stop_strings: Vec<String>,
}

impl Reading {
    fn new(
        layout: &Layout,
        calls: &str,
        call_ids: Option<CallIds>,
        lenient: bool,
        tools: Option<&Bound<'_, PyAny>>,
        stop_strings: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let ids = match call_ids {
            None => NewCallIds::none(),
            Some(CallIds::Seeded(seed)) => NewCallIds::seeded(seed),
            Some(CallIds::Named(name)) if name == "random" => NewCallIds::random(),
            Some(CallIds::Named(name)) => return Err(argument("call_ids", &name, "\"random\", None, or a seed")),
        };
        let calls = match calls {
            "streamed" => CallDeltas::Streamed(ids),
            "whole" => CallDeltas::Whole(ids),
            _ => return Err(argument("calls", calls, "streamed, whole")),
        };
        let tools = tools.map(|tools| {
            let no_messages = PyList::empty(tools.py());
            let owned = |chat: &mct::Chat<'_>| Ok(chat.clone().into_owned());
            chat::Given::new(&no_messages, Some(tools), None)?.with(tools.py(), Dialect::Either, owned)
        });
        let (tools, stop_strings) = (tools.transpose()?, stop_strings.unwrap_or_default());
        Ok(Reading { layout: layout.layout, calls, is_lenient: lenient, tools, stop_strings })
    }

    fn reader(self, after: Option<&Prompt>) -> mct::CompletionReader {
        let mut reader = mct::CompletionReader::new(&self.layout).with_calls(self.calls);
        if self.is_lenient {
            reader = reader.with_leniency(Leniency::Lenient);
        }
        if let Some(chat) = &self.tools {
            reader = reader.with_tools(&chat.tools);
        }
        if !self.stop_strings.is_empty() {
            reader = reader.with_stop_strings(self.stop_strings);
        }
        match after {
            Some(prompt) => reader.after(&prompt.prompt),
            None => reader,
        }
    }
}

fn python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    json::loads(py, &text)
}

/// A dialect whose answers are chat completions, and so have a message and deltas.
fn chat_dialect(name: &str) -> PyResult<Dialect> {
    match chat::dialect(Some(name))? {
        Dialect::Responses | Dialect::Anthropic | Dialect::Ollama | Dialect::Gemini => {
            Err(argument("dialect", name, "openai, mistral; Completion.response has those of other APIs"))
        }
        dialect => Ok(dialect),
    }
}

/// A part of the one choice that a response of chat completions has.
fn part_of_choice<'py>(response: &Bound<'py, PyAny>, part: &str) -> PyResult<Bound<'py, PyAny>> {
    response.get_item("choices")?.get_item(0)?.get_item(part)
}

/// The whole of what a model said.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Completion {
    pub(crate) completion: mct::Completion,
}

#[pymethods]
impl Completion {
    /// Reads text, in which control tokens are spelled out, or with `tokenizer` ids.
    #[new]
    #[pyo3(signature = (output, layout, tokenizer=None, *, lenient=false, tools=None, call_ids=CallIds::random(),
        stop_strings=None, after=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        output: &Bound<'_, PyAny>,
        layout: &Layout,
        tokenizer: Option<&Bound<'_, PyAny>>,
        lenient: bool,
        tools: Option<&Bound<'_, PyAny>>,
        call_ids: Option<CallIds>,
        stop_strings: Option<Vec<String>>,
        after: Option<&Prompt>,
    ) -> PyResult<Self> {
        let reading = Reading::new(layout, "streamed", call_ids, lenient, tools, stop_strings)?;
        let reader = reading.reader(after);
        let completion = match (chat::text_of(output)?, tokenizer) {
            (Some(text), None) => py.detach(|| reader.read(&text)),
            (None, Some(tokenizer)) => {
                let (ids, tokenizer) = (ids_of(output)?, AnyTokenizer::of(tokenizer)?);
                tokenizer.with(py, |tokenizer| Ok(reader.read_ids(&ids, tokenizer)))?
            }
            (Some(_), Some(_)) => return Err(PyTypeError::new_err("text needs no tokenizer; ids are numbers")),
            (None, None) => return Err(PyTypeError::new_err("ids need a tokenizer")),
        };
        Ok(Completion { completion })
    }

    /// The message as a dict: `"openai"` with `reasoning_content`, or `"mistral"` with chunks.
    #[pyo3(signature = (dialect="openai"))]
    fn message<'py>(&self, py: Python<'py>, dialect: &str) -> PyResult<Bound<'py, PyAny>> {
        let response = self.completion.response(chat_dialect(dialect)?, ReplyHead::default());
        part_of_choice(&python(py, &response)?, "message")
    }

    /// `"stop"`, `"length"` or `"tool_calls"`.
    #[getter]
    fn finish_reason(&self) -> &'static str {
        self.completion.finish_reason().as_str()
    }

    /// What a fault left over of the output.
    #[getter]
    fn rest(&self) -> &str {
        &self.completion.rest
    }

    /// What is wrong with the output, as an exception that is not raised; `None` where nothing is.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.completion.error.as_ref().map(|error| to_py(py, error).into_value(py).into_any())
    }

    /// Raises what is wrong with the output.
    fn raise_for_error(&self, py: Python<'_>) -> PyResult<()> {
        match &self.completion.error {
            Some(error) => Err(to_py(py, error)),
            None => Ok(()),
        }
    }

    /// Control tokens where none belongs: `token`, `offset` in bytes, and `fate`, `"left_out"` or `"text"`.
    #[getter]
    fn stray<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let told = |stray: &mct::completion::Stray| {
            let dict = PyDict::new(py);
            dict.set_item("token", stray.control.as_str())?;
            dict.set_item("offset", stray.offset)?;
            dict.set_item("fate", if stray.fate == StrayFate::Text { "text" } else { "left_out" })?;
            Ok(dict)
        };
        self.completion.stray.iter().map(told).collect()
    }

    /// What a lenient reader took that no model should write: `kind`, `at`, and `offset` in bytes.
    #[getter]
    fn liberties<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let told = |liberty: &mct::completion::Liberty| {
            let dict = PyDict::new(py);
            dict.set_item("kind", liberty.kind.name())?;
            dict.set_item("at", &liberty.at)?;
            dict.set_item("offset", liberty.offset)?;
            Ok(dict)
        };
        self.completion.liberties.iter().map(told).collect()
    }

    /// The body of the answer, in the form of the API that asked.
    #[pyo3(signature = (dialect="openai", *, id="", model="", created=0, prompt_tokens=0, completion_tokens=0))]
    #[allow(clippy::too_many_arguments)]
    fn response<'py>(
        &self,
        py: Python<'py>,
        dialect: &str,
        id: &str,
        model: &str,
        created: u64,
        prompt_tokens: u64,
        completion_tokens: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let head = ReplyHead { id, model, created, prompt_tokens, completion_tokens };
        python(py, &self.completion.response(chat::dialect(Some(dialect))?, head))
    }

    fn __repr__(&self) -> String {
        format!("<Completion, finish_reason={:?}>", self.finish_reason())
    }
}

/// Reads a model's output as it comes.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct CompletionReader(Mutex<Stream>);

struct Stream {
    /// Gone once the output has ended.
    reader: Option<mct::CompletionReader>,
    completion: mct::Completion,
    /// The same, once it was asked for.
    whole: Option<Py<Completion>>,
    events: ReplyEvents,
}

impl Stream {
    fn reader(&mut self) -> PyResult<&mut mct::CompletionReader> {
        self.reader.as_mut().ok_or_else(|| PyRuntimeError::new_err("the output has ended: finish() was called"))
    }

    /// What a client gets of a delta.
    fn sent<'py>(&mut self, py: Python<'py>, delta: &Delta) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let events = self.events.push(delta).into_iter();
        events.map(|event| part_of_choice(&json::loads(py, &event.data)?, "delta")).collect()
    }

    /// Adds deltas to the whole, and gives what a client gets of them.
    fn told<'py>(&mut self, py: Python<'py>, deltas: Vec<Delta>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut told = Vec::new();
        for delta in deltas {
            told.extend(self.sent(py, &delta)?);
            self.completion.add(delta);
        }
        Ok(told)
    }
}

impl CompletionReader {
    fn with<T>(&self, act: impl FnOnce(&mut Stream) -> PyResult<T>) -> PyResult<T> {
        // Another thread that waits here holds the interpreter's lock; a function of the caller's must not come back.
        let busy = || PyRuntimeError::new_err("another thread, or a function of this call's, reads with this object");
        match self.0.try_lock() {
            Ok(mut stream) => act(&mut stream),
            Err(TryLockError::Poisoned(poisoned)) => act(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(busy()),
        }
    }
}

#[pymethods]
impl CompletionReader {
    #[new]
    #[pyo3(signature = (layout, *, calls="streamed", call_ids=CallIds::random(), lenient=false, tools=None, stop_strings=None,
        after=None, dialect="openai"))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        layout: &Layout,
        calls: &str,
        call_ids: Option<CallIds>,
        lenient: bool,
        tools: Option<&Bound<'_, PyAny>>,
        stop_strings: Option<Vec<String>>,
        after: Option<&Prompt>,
        dialect: &str,
    ) -> PyResult<Self> {
        let reading = Reading::new(layout, calls, call_ids, lenient, tools, stop_strings)?;
        let reader = Some(reading.reader(after));
        let events = ReplyEvents::new(chat_dialect(dialect)?, ReplyHead::default());
        let completion = mct::Completion::default();
        Ok(CompletionReader(Mutex::new(Stream { reader, completion, whole: None, events })))
    }

    /// Reads a piece of text, in which control tokens are spelled out, and gives the client's deltas.
    fn push<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.with(|stream| {
            let deltas: Vec<Delta> = stream.reader()?.push(text).collect();
            stream.told(py, deltas)
        })
    }

    /// Reads ids, and gives the client's deltas.
    fn push_ids<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
        tokenizer: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let ids = match ids.is_instance_of::<PyInt>() {
            true => vec![ids.extract()?],
            false => ids_of(ids)?,
        };
        let tokenizer = AnyTokenizer::of(tokenizer)?;
        self.with(|stream| {
            let collect = |deltas: NewDeltas<'_>| deltas.collect::<Vec<Delta>>();
            let deltas = collect(stream.reader()?.push_ids(&ids, &tokenizer));
            AnyTokenizer::raised()?;
            stream.told(py, deltas)
        })
    }

    /// The stop string that was found, if one was.
    #[getter]
    fn stop_found(&self) -> PyResult<Option<String>> {
        self.with(|stream| {
            let found = stream.reader.as_ref().and_then(|reader| reader.stop_found());
            Ok(found.map(|found| found.string.clone()))
        })
    }

    /// Ends the output, and gives the client's last deltas.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.with(|stream| {
            stream.reader()?;
            let Some(reader) = stream.reader.take() else { return Ok(Vec::new()) };
            let finished = reader.finish();
            let told = finished.deltas.iter().map(|delta| stream.sent(py, delta)).collect::<PyResult<Vec<_>>>();
            stream.completion.finish(finished);
            Ok(told?.concat())
        })
    }

    /// The whole, once the output has ended.
    #[getter]
    fn completion(&self, py: Python<'_>) -> PyResult<Py<Completion>> {
        self.with(|stream| match stream.reader {
            Some(_) => Err(PyRuntimeError::new_err("the output goes on: call finish() first")),
            None => match &stream.whole {
                Some(whole) => Ok(whole.clone_ref(py)),
                None => {
                    let whole = Py::new(py, Completion { completion: std::mem::take(&mut stream.completion) })?;
                    Ok(stream.whole.insert(whole).clone_ref(py))
                }
            },
        })
    }
}
