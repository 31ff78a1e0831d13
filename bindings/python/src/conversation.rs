//! A conversation as token ids, which goes on turn by turn.

use mct::{AssistantMessage, Chat, Message};
use mistral_chat_template as mct;
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::chat::{self, Given, dialect};
use crate::completion::Completion;
use crate::error::Raise;
use crate::format::Layout;
use crate::prompt::ids_array;
use crate::tokenizer::{AnyTokenizer, ids_of};

/// A chat that the model goes on with, as the ids that were sampled.
#[pyclass(module = "mistral_chat_template")]
pub(crate) struct Conversation(mct::Conversation<'static, AnyTokenizer>);

/// Messages of dicts, or of a chat.
fn messages(given: &Bound<'_, PyAny>) -> PyResult<Vec<Message<'static>>> {
    let owned = |chat: &Chat<'_>| Ok(chat.clone().into_owned().messages);
    Given::new(given, None, None)?.with(given.py(), dialect(None)?, owned)
}

/// The reply of a dict, a message of another library's, or a completion.
fn reply(given: &Bound<'_, PyAny>) -> PyResult<AssistantMessage<'static>> {
    if let Ok(completion) = given.cast::<Completion>() {
        return Ok(completion.get().completion.message.clone());
    }
    let list = PyList::new(given.py(), [given])?;
    match messages(&list)?.pop() {
        Some(Message::Assistant(message)) => Ok(message),
        _ => Err(PyTypeError::new_err("a reply is a Completion, or a message of the role assistant")),
    }
}

#[pymethods]
impl Conversation {
    #[new]
    #[pyo3(signature = (layout, chat, tokenizer, tools=None, *, dialect=None, **fields))]
    fn new(
        layout: &Layout,
        chat: &Bound<'_, PyAny>,
        tokenizer: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        dialect: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = chat.py();
        let tokenizer = AnyTokenizer::of(tokenizer)?;
        let owned = |chat: &Chat<'_>| Ok(chat.clone().into_owned());
        let chat = Given::new(chat, tools, fields)?.with(py, chat::dialect(dialect)?, owned)?;
        let conversation = tokenizer.clone().with(py, |_| mct::Conversation::new(chat, &layout.layout, tokenizer))?;
        Ok(Conversation(conversation))
    }

    /// The ids so far, which the model goes on from; shape `(n,)`, int32.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        ids_array(py, self.0.ids().to_vec())
    }

    /// True for the ids that were sampled; shape `(n,)`, bool.
    #[getter]
    fn sampled<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<bool>> {
        self.0.sampled().to_vec().into_pyarray(py)
    }

    /// The chat so far.
    #[getter]
    fn chat(&self) -> crate::chat::Chat {
        crate::chat::Chat::new(self.0.chat().clone())
    }

    /// Adds what the model said: the message, and the ids that were sampled, end token included.
    fn reply(&mut self, message: &Bound<'_, PyAny>, sampled: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.reply(reply(message)?, &ids_of(sampled)?);
        Ok(())
    }

    /// Adds messages, and gives the positions `(start, stop)` of the ids that they added.
    fn append(&mut self, py: Python<'_>, messages: &Bound<'_, PyAny>) -> PyResult<(usize, usize)> {
        let messages = self::messages(messages)?;
        let added = self.0.append(messages);
        AnyTokenizer::raised()?;
        let new = added.or_raise(py)?.new_ids;
        Ok((new.start, new.end))
    }

    /// Makes it the conversation of a whole chat, as a client sent it: the reply as the client kept it, and what comes
    /// next. Gives a dict: `kept` (how many ids from the beginning stay), `new_ids` (their positions `(start, stop)`),
    /// `encoded` (how many of them were encoded), and `why` the prompt does not begin with the earlier one, or None.
    #[pyo3(signature = (chat, tools=None, *, dialect=None, **fields))]
    fn update<'py>(
        &mut self,
        chat: &Bound<'py, PyAny>,
        tools: Option<&Bound<'py, PyAny>>,
        dialect: Option<&str>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = chat.py();
        let owned = |chat: &Chat<'_>| Ok(chat.clone().into_owned());
        let chat = Given::new(chat, tools, fields)?.with(py, chat::dialect(dialect)?, owned)?;
        let updated = self.0.update(chat);
        AnyTokenizer::raised()?;
        let update = updated.or_raise(py)?;
        let dict = PyDict::new(py);
        dict.set_item("kept", update.kept)?;
        dict.set_item("new_ids", (update.new_ids.start, update.new_ids.end))?;
        dict.set_item("encoded", update.encoded)?;
        dict.set_item("why", update.prefix_break.map(|why| why.to_string()))?;
        Ok(dict)
    }

    /// Ends the conversation with the last reply.
    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        let closed = self.0.close();
        AnyTokenizer::raised()?;
        closed.or_raise(py)
    }

    /// The conversation as a training row: `(input_ids, labels)`, shapes `(n,)`, int32 and int64; what was sampled is
    /// learnt, and the label of all else is -100.
    fn labelled<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<i64>>) {
        let labelled = self.0.labelled();
        (ids_array(py, labelled.input_ids), labelled.labels.into_pyarray(py))
    }

    /// Where the ids that were sampled are not those that the layout and the tokenizer make of the same messages.
    fn drift<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = self.0.drift();
        AnyTokenizer::raised()?;
        let drift = |drift: mct::conversation::Drift| {
            let dict = PyDict::new(py);
            dict.set_item("message", drift.message)?;
            dict.set_item("start", drift.start)?;
            dict.set_item("at", drift.at)?;
            dict.set_item("ids", drift.ids)?;
            dict.set_item("rendered", drift.rendered)?;
            Ok(dict)
        };
        found.or_raise(py)?.into_iter().map(drift).collect()
    }

    fn __len__(&self) -> usize {
        self.0.ids().len()
    }

    fn __repr__(&self) -> String {
        format!("<Conversation of {} messages, {} ids>", self.0.chat().messages.len(), self.0.ids().len())
    }
}
