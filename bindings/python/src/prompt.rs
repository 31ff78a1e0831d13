//! Prompts, and the arrays that they become.

use std::ops::Range;
use std::sync::Arc;

use mct::Segment;
use mct::prompt::{Span, SpanKind};
use mct::train::{Labelled, Learn, Mask};
use mistral_chat_template as mct;
use numpy::{Element, IntoPyArray, PyArray1};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::error::{Raise, argument};
use crate::tokenizer::{AnyTokenizer, Counting};

/// What of a prompt is learnt.
#[derive(Clone)]
pub(crate) enum Learnt {
    /// The assistant's turns, where there are any.
    AsUsual,
    Assistant,
    LastTurn,
    Everything,
    Weighted,
    Messages(Vec<bool>),
}

impl Learnt {
    pub(crate) fn of(learn: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(learn) = learn.filter(|learn| !learn.is_none()) else { return Ok(Learnt::AsUsual) };
        if learn.is_instance_of::<PyString>() {
            let name: String = learn.extract()?;
            return match &*name {
                "assistant" => Ok(Learnt::Assistant),
                "last_turn" => Ok(Learnt::LastTurn),
                "everything" => Ok(Learnt::Everything),
                "weighted" => Ok(Learnt::Weighted),
                _ => Err(argument(
                    "learn",
                    &name,
                    "assistant, last_turn, weighted, everything, or a list with True for each message to be learnt",
                )),
            };
        }
        match learn.extract::<Vec<bool>>() {
            Ok(messages) => Ok(Learnt::Messages(messages)),
            Err(_) => Err(PyTypeError::new_err("learn is a name, or a list of a bool for each message")),
        }
    }
}

/// A prompt: a string that knows what of it is a control token and what is text.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Prompt {
    pub(crate) prompt: mct::Prompt,
    learnt: Learnt,
    /// The chat, where its weights say what is learnt.
    chat: Option<Arc<mct::Chat<'static>>>,
}

impl Prompt {
    pub(crate) fn new(prompt: mct::Prompt, learnt: Learnt, chat: &mct::Chat<'_>) -> Self {
        let chat = matches!(learnt, Learnt::Weighted).then(|| Arc::new(chat.clone().into_owned()));
        Prompt { prompt, learnt, chat }
    }

    pub(crate) fn unlearnt(prompt: mct::Prompt) -> Self {
        Prompt { prompt, learnt: Learnt::AsUsual, chat: None }
    }

    /// The mask; `None` where nothing is learnt, and nothing was asked to be.
    fn mask_of(&self) -> Result<Option<Mask<'_>>, mct::Error> {
        let learn = match (&self.learnt, &self.chat) {
            (Learnt::AsUsual, _) => return Ok(self.prompt.mask(Learn::Assistant).ok()),
            (Learnt::Assistant, _) | (Learnt::Weighted, None) => Learn::Assistant,
            (Learnt::LastTurn, _) => Learn::LastTurn,
            (Learnt::Everything, _) => Learn::Everything,
            (Learnt::Weighted, Some(chat)) => Learn::Weighted(chat),
            (Learnt::Messages(messages), _) => Learn::Messages(messages),
        };
        self.prompt.mask(learn).map(Some)
    }

    fn encoded(&self, tokenizer: &AnyTokenizer) -> Result<Tokens, mct::Error> {
        tokens(&self.prompt, self.mask_of()?.as_ref(), tokenizer)
    }
}

/// The tokens of a prompt.
#[derive(Default)]
pub(crate) struct Tokens {
    pub(crate) labelled: Labelled,
    pub(crate) runs: TokenRuns,
}

/// What the tokens of a prompt are of.
#[derive(Default)]
pub(crate) struct TokenRuns(Vec<TokenRun>);

/// Tokens of one control token, text or image.
struct TokenRun {
    count: usize,
    message: Option<usize>,
    is_text: bool,
    is_learnt: bool,
}

impl TokenRuns {
    /// For each token the message that it comes from, or -1.
    pub(crate) fn messages(&self) -> impl Iterator<Item = i32> {
        self.of_tokens(|run| run.message.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1))
    }

    fn of_tokens<T: Clone>(&self, value: impl Fn(&TokenRun) -> T) -> impl Iterator<Item = T> {
        self.0.iter().flat_map(move |run| std::iter::repeat_n(value(run), run.count))
    }
}

/// Encodes a prompt once.
pub(crate) fn tokens(
    prompt: &mct::Prompt,
    mask: Option<&Mask<'_>>,
    tokenizer: &AnyTokenizer,
) -> Result<Tokens, mct::Error> {
    let counting = Counting::new(tokenizer);
    let labelled = match mask {
        Some(mask) => mask.encode(&counting)?,
        None => {
            let input_ids = prompt.encode(&counting)?;
            let labels = vec![Labelled::IGNORED; input_ids.len()];
            Labelled { input_ids, labels }
        }
    };
    let mut labels = labelled.labels.iter();
    let spans = prompt.spans().filter(|span| span.kind != SpanKind::MoreText);
    let run = |(span, count): (Span, usize)| {
        // The tokens of a run are all learnt, or none.
        let is_learnt = labels.by_ref().take(count).last().is_some_and(|label| *label != Labelled::IGNORED);
        TokenRun { count, message: span.message, is_text: span.is_text(), is_learnt }
    };
    let runs = TokenRuns(spans.zip(counting.into_counts()).map(run).collect());
    Ok(Tokens { labelled, runs })
}

/// Byte positions that do not decrease as code points of a text.
pub(crate) struct Characters<'t> {
    text: &'t str,
    bytes: usize,
    chars: usize,
}

impl<'t> Characters<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Characters { text, bytes: 0, chars: 0 }
    }

    pub(crate) fn at(&mut self, byte: usize) -> usize {
        if byte < self.bytes {
            (self.bytes, self.chars) = (0, 0);
        }
        self.chars += self.text.get(self.bytes..byte).map_or(0, |text| text.chars().count());
        self.bytes = byte;
        self.chars
    }

    pub(crate) fn range(&mut self, range: &Range<usize>) -> (usize, usize) {
        (self.at(range.start), self.at(range.end))
    }
}

fn segment_parts<'p>(segment: Segment<'p>) -> (&'static str, &'p str) {
    match segment {
        Segment::Control(control) => ("control", control.as_str()),
        Segment::Text(text) => ("text", text),
        Segment::Media(media) => ("media", media.as_str()),
    }
}

/// Segments as named tuples.
pub(crate) fn segments<'py, 'p>(
    py: Python<'py>,
    segments: impl Iterator<Item = Segment<'p>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = named(py, &CLASS, "Segment")?;
    segments.map(|segment| class.call1(segment_parts(segment))).collect()
}

/// A class of named tuples of the Python side.
pub(crate) fn named<'py>(
    py: Python<'py>,
    class: &'py PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let found = class
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("mistral_chat_template._types")?.getattr(name)?.unbind()));
    found.map(|class| class.bind(py))
}

#[pymethods]
impl Prompt {
    /// The prompt as one string.
    #[getter]
    fn text(&self) -> &str {
        self.prompt.as_str()
    }

    /// The segments written one after another, without the spaces that SentencePiece sets.
    #[getter]
    fn plain(&self) -> String {
        self.prompt.plain()
    }

    /// The string without the `<s>` that most servers add themselves.
    #[getter]
    fn after_bos(&self) -> &str {
        self.prompt.after_bos()
    }

    /// The strings at which generation ends.
    #[getter]
    fn stop_strings(&self) -> Vec<&str> {
        self.prompt.stop_strings().iter().map(|stop| &**stop).collect()
    }

    /// Control tokens, runs of text, and images or sounds, in order.
    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        segments(py, self.prompt.segments())
    }

    /// What is learnt, as pairs of positions in `text`: code points, `text[start:stop]`.
    #[getter]
    fn mask(&self, py: Python<'_>) -> PyResult<Vec<(usize, usize)>> {
        let mask = self.mask_of().or_raise(py)?;
        let mut characters = Characters::of(self.prompt.as_str());
        let ranges = mask.iter().flat_map(|mask| mask.ranges());
        Ok(ranges.map(|range| characters.range(range)).collect())
    }

    /// What is learnt, as pairs of positions in `text.encode()`: bytes of UTF-8.
    #[getter]
    fn mask_bytes(&self, py: Python<'_>) -> PyResult<Vec<(usize, usize)>> {
        let mask = self.mask_of().or_raise(py)?;
        let ranges = mask.iter().flat_map(|mask| mask.ranges());
        Ok(ranges.map(|range| (range.start, range.end)).collect())
    }

    /// What each part of `text` is and which message it comes from; positions are code points.
    #[getter]
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let class = named(py, &CLASS, "Span")?;
        let mut characters = Characters::of(self.prompt.as_str());
        let span = |span: Span| {
            let (start, stop) = characters.range(&span.range);
            let kind = match span.kind {
                SpanKind::Control(_) => "control",
                SpanKind::Text(_) => "text",
                SpanKind::MoreText => "more_text",
                SpanKind::Media(_) => "media",
            };
            class.call1((start, stop, kind, span.message, span.role.map(|role| role.as_str())))
        };
        self.prompt.spans().map(span).collect()
    }

    /// The prompt's tokens, with labels as the prompt's `learn` says.
    fn encode(&self, tokenizer: &Bound<'_, PyAny>) -> PyResult<Encoded> {
        let py = tokenizer.py();
        let tokenizer = AnyTokenizer::of(tokenizer)?;
        let tokens = tokenizer.with(py, |tokenizer| self.encoded(tokenizer))?;
        Ok(Encoded::new(py, tokens))
    }

    /// Where and how another prompt parts from this one; `None` where the two are equal.
    fn divergence<'py>(&self, py: Python<'py>, other: &Self) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(found) = self.prompt.divergence(&other.prompt) else { return Ok(None) };
        let dict = PyDict::new(py);
        dict.set_item("segment", found.segment)?;
        dict.set_item("at", Characters::of(self.prompt.as_str()).at(found.byte))?;
        dict.set_item("message", found.message)?;
        dict.set_item("other_message", found.other_message)?;
        dict.set_item("kind", found.kind.as_str())?;
        Ok(Some(dict))
    }

    fn __str__(&self) -> &str {
        self.prompt.as_str()
    }

    fn __repr__(&self) -> String {
        format!("<Prompt {:?}>", self.prompt.as_str())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.prompt == other.prompt
    }
}

/// Ids as an array of int32, which every consumer of ids accepts; the memory stays where it is.
pub(crate) fn ids_array(py: Python<'_>, ids: Vec<u32>) -> Bound<'_, PyArray1<i32>> {
    bytemuck::allocation::cast_vec::<u32, i32>(ids).into_pyarray(py)
}

/// The tokens of a prompt as arrays of one length `n`, which the arrays own: nothing is copied. The arrays that not
/// everybody asks for are made when somebody does.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Encoded {
    length: usize,
    input_ids: Py<PyArray1<i32>>,
    labels: Py<PyArray1<i64>>,
    runs: TokenRuns,
    loss_mask: PyOnceLock<Py<PyArray1<bool>>>,
    message_index: PyOnceLock<Py<PyArray1<i32>>>,
    text_mask: PyOnceLock<Py<PyArray1<bool>>>,
}

/// The array of these values, the same one each time.
fn array_once<T: Element>(
    py: Python<'_>,
    array: &PyOnceLock<Py<PyArray1<T>>>,
    values: impl Iterator<Item = T>,
) -> Py<PyArray1<T>> {
    array.get_or_init(py, || values.collect::<Vec<_>>().into_pyarray(py).unbind()).clone_ref(py)
}

impl Encoded {
    pub(crate) fn new(py: Python<'_>, tokens: Tokens) -> Self {
        let Tokens { labelled: Labelled { input_ids, labels }, runs } = tokens;
        Encoded {
            length: input_ids.len(),
            input_ids: ids_array(py, input_ids).unbind(),
            labels: labels.into_pyarray(py).unbind(),
            runs,
            loss_mask: PyOnceLock::new(),
            message_index: PyOnceLock::new(),
            text_mask: PyOnceLock::new(),
        }
    }

    const KEYS: [&'static str; 4] = ["input_ids", "labels", "loss_mask", "message_index"];
}

#[pymethods]
impl Encoded {
    /// The ids; shape `(n,)`, int32.
    #[getter]
    fn input_ids(&self, py: Python<'_>) -> Py<PyArray1<i32>> {
        self.input_ids.clone_ref(py)
    }

    /// The ids that are learnt, and -100 for the others; shape `(n,)`, int64.
    #[getter]
    fn labels(&self, py: Python<'_>) -> Py<PyArray1<i64>> {
        self.labels.clone_ref(py)
    }

    /// True for the tokens that are learnt; shape `(n,)`, bool.
    #[getter]
    fn loss_mask(&self, py: Python<'_>) -> Py<PyArray1<bool>> {
        array_once(py, &self.loss_mask, self.runs.of_tokens(|run| run.is_learnt))
    }

    /// The index of the message that each token comes from, -1 for none; shape `(n,)`, int32.
    #[getter]
    fn message_index(&self, py: Python<'_>) -> Py<PyArray1<i32>> {
        array_once(py, &self.message_index, self.runs.messages())
    }

    /// True for the tokens of texts, false for control tokens; shape `(n,)`, bool.
    #[getter]
    fn text_mask(&self, py: Python<'_>) -> Py<PyArray1<bool>> {
        array_once(py, &self.text_mask, self.runs.of_tokens(|run| run.is_text))
    }

    fn keys(&self) -> [&'static str; 4] {
        Self::KEYS
    }

    fn __getitem__(&self, py: Python<'_>, key: &str) -> PyResult<Py<PyAny>> {
        match key {
            "input_ids" => Ok(self.input_ids(py).into_any()),
            "labels" => Ok(self.labels(py).into_any()),
            "loss_mask" => Ok(self.loss_mask(py).into_any()),
            "message_index" => Ok(self.message_index(py).into_any()),
            _ => Err(PyKeyError::new_err(key.to_owned())),
        }
    }

    fn __len__(&self) -> usize {
        self.length
    }

    fn __repr__(&self) -> String {
        format!("<Encoded of {} tokens>", self.length)
    }
}
