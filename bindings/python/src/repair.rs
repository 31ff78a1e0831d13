//! Chats that a layout refuses or that are too long, and prompts of logs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mct::layout::WordStart;
use mct::repair::{
    EmptyReplies, ForeignMedia, ForeignThinking, LastReply, LateSystem, OpenCalls, Repair, RepairPolicy, StrayResults,
    TextBesideCalls,
};
use mct::{Request, Segment, Tokenizer};
use mistral_chat_template as mct;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::chat::{self, Chat, Given};
use crate::error::{Raise, argument};
use crate::format::{ChatTemplate, Layout};
use crate::json;
use crate::prompt::Characters;
use crate::tokenizer::AnyTokenizer;

/// A text that lives as long as the program, as a policy's do; each is kept once.
fn kept(text: &str) -> &'static str {
    static TEXTS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let texts = texts.get_or_insert_default();
    match texts.get(text) {
        Some(text) => text,
        None => {
            let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
            texts.insert(text);
            text
        }
    }
}

/// The choices that differ from the usual, by the field of the policy.
fn policy(choices: Option<&Bound<'_, PyDict>>) -> PyResult<RepairPolicy> {
    let mut policy = RepairPolicy::default();
    for (field, choice) in choices.into_iter().flat_map(|choices| choices.iter()) {
        let (field, choice): (String, String) = (field.extract()?, choice.extract()?);
        let wrong = |allowed| Err(argument(&field, &choice, allowed));
        match (&*field, &*choice) {
            ("open_calls", "drop") => policy.open_calls = OpenCalls::Drop,
            ("open_calls", text) => policy.open_calls = OpenCalls::Answer(kept(text)),
            ("stray_results", "drop") => policy.stray_results = StrayResults::Drop,
            ("stray_results", "user") => policy.stray_results = StrayResults::AsUser,
            ("stray_results", _) => return wrong("drop, user"),
            ("text_beside_calls", "drop_text") => policy.text_beside_calls = TextBesideCalls::DropText,
            ("text_beside_calls", "drop_calls") => policy.text_beside_calls = TextBesideCalls::DropCalls,
            ("text_beside_calls", _) => return wrong("drop_text, drop_calls"),
            ("thinking", "drop") => policy.thinking = ForeignThinking::Drop,
            ("thinking", "text") => policy.thinking = ForeignThinking::AsText,
            ("thinking", _) => return wrong("drop, text"),
            ("media", "drop") => policy.media = ForeignMedia::Drop,
            ("media", text) => policy.media = ForeignMedia::AsText(kept(text)),
            ("empty_replies", "drop") => policy.empty_replies = EmptyReplies::Drop,
            ("empty_replies", "space") => policy.empty_replies = EmptyReplies::Space,
            ("empty_replies", _) => return wrong("drop, space"),
            ("late_system", "user") => policy.late_system = LateSystem::AsUser,
            ("late_system", "first") => policy.late_system = LateSystem::First,
            ("late_system", _) => return wrong("user, first"),
            ("last_reply", "continue") => policy.last_reply = LastReply::Continue,
            ("last_reply", "drop") => policy.last_reply = LastReply::Drop,
            ("last_reply", _) => return wrong("continue, drop"),
            _ => return Err(PyTypeError::new_err(format!("{field} is no field of a repair policy"))),
        }
    }
    Ok(policy)
}

/// A chat that the layout takes, and what was changed of the chat that came in.
#[pyfunction]
#[pyo3(signature = (chat, layout, tools=None, *, mode=None, dialect=None, **policy))]
pub(crate) fn repair<'py>(
    chat: &Bound<'py, PyAny>,
    layout: &Layout,
    tools: Option<&Bound<'py, PyAny>>,
    mode: Option<&str>,
    dialect: Option<&str>,
    policy: Option<&Bound<'py, PyDict>>,
) -> PyResult<(Chat, Vec<Bound<'py, PyDict>>)> {
    let py = chat.py();
    let layout = layout.in_mode(mode)?;
    let policy = self::policy(policy)?;
    let dialect = chat::dialect(dialect)?;
    let (chat, repairs) = match Given::new(chat, tools, None)? {
        Given::Text(text) => py
            .detach(|| {
                let mended = Request::repair(text.as_str(), dialect, &layout, &policy)?;
                Ok((mended.request.chat.into_owned(), mended.repairs))
            })
            .or_raise(py)?,
        read => read.with(py, dialect, |chat| {
            let repaired = chat.repair(&layout, &policy)?;
            Ok((repaired.chat.into_owned().into_owned(), repaired.repairs))
        })?,
    };
    let told = |repair: Repair| {
        let dict = PyDict::new(py);
        dict.set_item("at", repair.at)?;
        dict.set_item("kind", repair.kind.as_str())?;
        dict.set_item("what", repair.what)?;
        dict.set_item("renamed", repair.renamed.map(|renamed| (renamed.old, renamed.new)))?;
        Ok(dict)
    };
    Ok((Chat::new(chat), repairs.into_iter().map(told).collect::<PyResult<_>>()?))
}

/// The chat without the oldest exchanges, so that its prompt has at most `budget` tokens; the messages left out, and
/// how many tokens the rest has.
#[pyfunction]
#[pyo3(signature = (chat, layout, budget, tokenizer, tools=None, *, media_tokens=None, dialect=None, **fields))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn fit(
    chat: &Bound<'_, PyAny>,
    layout: &Layout,
    budget: usize,
    tokenizer: &Bound<'_, PyAny>,
    tools: Option<&Bound<'_, PyAny>>,
    media_tokens: Option<usize>,
    dialect: Option<&str>,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<(Chat, Vec<usize>, usize)> {
    let py = chat.py();
    let tokenizer = AnyTokenizer::of(tokenizer)?;
    let layout = layout.layout;
    layout.check_tokenizer(&tokenizer).or_raise(py)?;
    let given = Given::new(chat, tools, fields)?;
    let act = |chat: &mct::Chat<'_>| {
        let mut ids = Vec::new();
        let mut has_media = false;
        let count = |segment: Segment<'_>| match segment {
            Segment::Control(_) => 1,
            Segment::Text(text) => {
                ids.clear();
                tokenizer.text(text, WordStart::Space, &mut ids);
                ids.len()
            }
            Segment::Media(_) => {
                has_media = true;
                media_tokens.unwrap_or_default()
            }
        };
        let fitted = chat.fit(&layout, budget, count)?;
        let fitted = (Arc::new(fitted.chat.into_owned().into_owned()), fitted.dropped, fitted.count);
        Ok((fitted, has_media))
    };
    let fitted = given.with(py, chat::dialect(dialect)?, act);
    AnyTokenizer::raised()?;
    let ((chat, dropped, count), has_media) = fitted?;
    if has_media && media_tokens.is_none() {
        return Err(PyValueError::new_err("the chat has images or audio: media_tokens says how many tokens one takes"));
    }
    Ok((Chat(chat), dropped, count))
}

/// A prompt of a log, and how it deviates from a layout.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Explanation {
    prompt: String,
    layout: String,
    deviations: Vec<mct::explain::Deviation>,
    chat: Arc<mct::Chat<'static>>,
    mended: String,
}

impl Explanation {
    fn of(explanation: mct::explain::Explanation<'_>) -> Self {
        Explanation {
            prompt: explanation.prompt.to_owned(),
            layout: explanation.layout.name.to_owned(),
            mended: explanation.mended(),
            chat: Arc::new(explanation.chat),
            deviations: explanation.deviations,
        }
    }
}

#[pymethods]
impl Explanation {
    #[new]
    #[pyo3(signature = (prompt, layout, *, system=None))]
    fn new(py: Python<'_>, prompt: &str, layout: &Layout, system: Option<&str>) -> Self {
        py.detach(|| {
            Self::of(match system {
                Some(system) => mct::explain::Explanation::with_system(prompt, &layout.layout, system),
                None => mct::explain::Explanation::new(prompt, &layout.layout),
            })
        })
    }

    /// The explanations by the layouts that deviate the least, best first.
    #[staticmethod]
    fn nearest(py: Python<'_>, prompt: &str) -> Vec<Self> {
        py.detach(|| mct::explain::Explanation::nearest(prompt).into_iter().map(Self::of).collect())
    }

    /// The layout's name.
    #[getter]
    fn layout(&self) -> &str {
        &self.layout
    }

    /// The chat that the prompt says.
    #[getter]
    fn chat(&self) -> Chat {
        Chat(Arc::clone(&self.chat))
    }

    /// The prompt with all that can be mended mended.
    #[getter]
    fn mended(&self) -> &str {
        &self.mended
    }

    /// What is wrong: `what`, `start` and `stop` in code points of the prompt, and `mend`, what belongs there.
    #[getter]
    fn deviations<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let mut characters = Characters::of(&self.prompt);
        let mut told = |deviation: &mct::explain::Deviation| {
            let dict = PyDict::new(py);
            let (start, stop) = characters.range(&deviation.range);
            dict.set_item("what", deviation.to_string())?;
            dict.set_item("start", start)?;
            dict.set_item("stop", stop)?;
            dict.set_item("mend", deviation.mend.as_deref())?;
            Ok(dict)
        };
        self.deviations.iter().map(&mut told).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Explanation by {}: {} deviations>", self.layout, self.deviations.len())
    }
}

/// Which layout a model's template is, what that rests on, and where it is not quite that.
#[pyfunction]
pub(crate) fn which_layout<'py>(template: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = template.py();
    let opened;
    let template = match template.cast::<ChatTemplate>() {
        Ok(template) => template.get(),
        Err(_) => {
            opened = ChatTemplate::from_files(py, template.extract::<PathBuf>()?)?;
            &opened
        }
    };
    let found = py.detach(|| serde_json::to_string(&template.template.nearest_layout()));
    json::loads(py, &found.map_err(|error| PyValueError::new_err(error.to_string()))?)
}
