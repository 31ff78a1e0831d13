//! Tokenizers: a model's vocabulary file, or a function of the caller's.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use mct::completion::Detokenizer;
use mct::error::Family;
use mct::layout::WordStart;
use mct::prompt::TokenizerKind;
use mct::{Control, Tokenizer};
use mistral_chat_template as mct;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::{Raise, argument, refused};
use crate::vocabulary::Vocabulary as File;

/// A model's own vocabulary file: `tekken.json`, or a SentencePiece model (`tokenizer.model.v3`).
#[pyclass(frozen, module = "mistral_chat_template", name = "Vocabulary")]
pub(crate) struct Vocabulary {
    file: Arc<File>,
    path: PathBuf,
    controls_path: Option<PathBuf>,
}

/// What pickle opens an object with: a function and its arguments.
pub(crate) type Opened<'py, T> = (Bound<'py, PyAny>, T);

#[pymethods]
impl Vocabulary {
    #[new]
    #[pyo3(signature = (path, *, controls=None))]
    fn open(py: Python<'_>, path: PathBuf, controls: Option<PathBuf>) -> PyResult<Self> {
        let opened = py.detach(|| {
            File::open(&path, controls.as_deref()).map_err(|error| {
                let why = error.to_string();
                (error.downcast::<io::Error>().ok(), why)
            })
        });
        let file = opened.map_err(|(error, why)| match error {
            Some(error) => PyOSError::new_err((error.raw_os_error(), why, path.clone())),
            None => refused(py, Family::Tokenizer, "vocabulary", "", &format!("{}: {why}", path.display())),
        })?;
        Ok(Vocabulary { file: Arc::new(file), path, controls_path: controls })
    }

    /// `"tekken"` or `"sentencepiece"`.
    #[getter]
    fn kind(&self) -> &'static str {
        kind_name(self.file.kind())
    }

    /// The ids of a text, which are never those of control tokens; shape `(n,)`, int32.
    ///
    /// `word_start`: with the dummy prefix of SentencePiece.
    #[pyo3(signature = (text, *, word_start=true))]
    fn encode<'py>(&self, py: Python<'py>, text: &str, word_start: bool) -> Bound<'py, numpy::PyArray1<i32>> {
        let word_start = if word_start { WordStart::Space } else { WordStart::Nothing };
        let mut ids = Vec::new();
        self.file.text(text, word_start, &mut ids);
        crate::prompt::ids_array(py, ids)
    }

    /// The text of ids; control tokens are their literals, and bytes that are no UTF-8 become U+FFFD.
    fn decode(&self, ids: &Bound<'_, PyAny>) -> PyResult<String> {
        let mut bytes = Vec::new();
        for id in ids_of(ids)? {
            match Detokenizer::control(&*self.file, id) {
                Some(control) => bytes.extend(control.as_str().bytes()),
                None => self.file.bytes(id, &mut bytes),
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The id of a control token such as `"[INST]"`; `None` where the file has none.
    fn control_id(&self, literal: &str) -> Option<u32> {
        Tokenizer::control(&*self.file, control(literal)?)
    }

    fn __repr__(&self) -> String {
        format!("Vocabulary({:?})", self.path.display().to_string())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Opened<'py, (PathBuf, Option<PathBuf>)>> {
        let open = py.import("mistral_chat_template._errors")?.getattr("open_vocabulary")?;
        Ok((open, (self.path.clone(), self.controls_path.clone())))
    }
}

/// A function that encodes texts, with the ids of control tokens beside it.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct CallableTokenizer(Arc<Callable>);

pub(crate) struct Callable {
    encode: Py<PyAny>,
    decode: Option<Py<PyAny>>,
    controls: HashMap<Control, u32>,
    by_id: HashMap<u32, Control>,
    kind: Option<TokenizerKind>,
}

#[pymethods]
impl CallableTokenizer {
    #[new]
    #[pyo3(signature = (encode, controls, *, kind=None, decode=None))]
    fn new(
        encode: Bound<'_, PyAny>,
        controls: HashMap<String, u32>,
        kind: Option<&str>,
        decode: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if !encode.is_callable() || decode.as_ref().is_some_and(|decode| !decode.is_callable()) {
            return Err(PyTypeError::new_err("encode and decode have to be callable"));
        }
        let kind = match kind {
            None => None,
            Some("tekken") => Some(TokenizerKind::Tekken),
            Some("sentencepiece") => Some(TokenizerKind::SentencePiece),
            Some(other) => return Err(argument("kind", other, "tekken, sentencepiece")),
        };
        let known = |(literal, id): (String, u32)| Some((control(&literal)?, id));
        let controls: HashMap<Control, u32> = controls.into_iter().filter_map(known).collect();
        if controls.is_empty() {
            return Err(PyValueError::new_err(
                "controls has the id of no control token of Mistral's, such as \"[INST]\"",
            ));
        }
        let by_id = controls.iter().map(|(control, id)| (*id, *control)).collect();
        let decode = decode.map(Bound::unbind);
        Ok(CallableTokenizer(Arc::new(Callable { encode: encode.unbind(), decode, controls, by_id, kind })))
    }

    /// The id of a control token such as `"[INST]"`; `None` where it has none.
    fn control_id(&self, literal: &str) -> Option<u32> {
        self.0.controls.get(&control(literal)?).copied()
    }

    fn __repr__(&self) -> String {
        format!("<CallableTokenizer of {} control tokens>", self.0.controls.len())
    }
}

fn control(literal: &str) -> Option<Control> {
    Control::all().find(|control| control.as_str() == literal)
}

fn kind_name(kind: Option<TokenizerKind>) -> &'static str {
    match kind {
        Some(TokenizerKind::SentencePiece) => "sentencepiece",
        _ => "tekken",
    }
}

/// Ids of a list or an array.
pub(crate) fn ids_of(ids: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    if let Ok(ids) = ids.extract::<Vec<u32>>() {
        return Ok(ids);
    }
    match ids.getattr_opt("tolist")? {
        Some(to_list) => to_list.call0()?.extract(),
        None => Err(PyTypeError::new_err("token ids are a list or an array of numbers that are not negative")),
    }
}

/// Either tokenizer, which can be shared.
#[derive(Clone)]
pub(crate) enum AnyTokenizer {
    File(Arc<File>),
    Callable(Arc<Callable>),
}

impl AnyTokenizer {
    pub(crate) fn of(tokenizer: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(vocabulary) = tokenizer.cast::<Vocabulary>() {
            return Ok(AnyTokenizer::File(Arc::clone(&vocabulary.get().file)));
        }
        if let Ok(callable) = tokenizer.cast::<CallableTokenizer>() {
            return Ok(AnyTokenizer::Callable(Arc::clone(&callable.get().0)));
        }
        let name = tokenizer.get_type().name()?;
        Err(PyTypeError::new_err(format!("a tokenizer is a Vocabulary or a CallableTokenizer, and this is a {name}")))
    }

    /// Does something with the tokenizer, with the interpreter's lock released where it needs none; what a function
    /// of the caller's raises is raised.
    pub(crate) fn with<R: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&Self) -> Result<R, mct::Error> + Send,
    ) -> PyResult<R> {
        match self {
            AnyTokenizer::File(_) => py.detach(|| act(self)).or_raise(py),
            AnyTokenizer::Callable(_) => {
                RAISED.set(None);
                let result = act(self);
                Self::raised()?;
                result.or_raise(py)
            }
        }
    }

    /// Raises what a function of the caller's raised.
    pub(crate) fn raised() -> PyResult<()> {
        match RAISED.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

thread_local! {
    /// What a function of the caller's raised, for which a [`Tokenizer`] has no way out.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Notes the first of them.
fn raise(error: PyErr) {
    RAISED.set(Some(RAISED.take().unwrap_or(error)));
}

impl Callable {
    fn text(&self, text: &str, word_start: WordStart) -> PyResult<Vec<u32>> {
        Python::attach(|py| {
            let encode = self.encode.bind(py);
            let ids = match self.kind {
                Some(TokenizerKind::SentencePiece) => encode.call1((text, word_start == WordStart::Space))?,
                _ => encode.call1((text,))?,
            };
            ids_of(&ids)
        })
    }

    fn bytes(&self, id: u32) -> PyResult<Vec<u8>> {
        Python::attach(|py| {
            let Some(decode) = &self.decode else {
                return Err(PyTypeError::new_err("this tokenizer has no decode, which ids into text need"));
            };
            let piece = decode.bind(py).call1((id,))?;
            match piece.extract::<String>() {
                Ok(text) => Ok(text.into_bytes()),
                Err(_) => piece.extract(),
            }
        })
    }
}

impl Tokenizer for AnyTokenizer {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        match self {
            AnyTokenizer::File(file) => file.text(text, word_start, ids),
            AnyTokenizer::Callable(callable) => match callable.text(text, word_start) {
                Ok(new) => ids.extend(new),
                Err(error) => raise(error),
            },
        }
    }

    fn control(&self, control: Control) -> Option<u32> {
        match self {
            AnyTokenizer::File(file) => Tokenizer::control(&**file, control),
            AnyTokenizer::Callable(callable) => callable.controls.get(&control).copied(),
        }
    }

    fn kind(&self) -> Option<TokenizerKind> {
        match self {
            AnyTokenizer::File(file) => file.kind(),
            AnyTokenizer::Callable(callable) => callable.kind,
        }
    }
}

impl Detokenizer for AnyTokenizer {
    fn control(&self, id: u32) -> Option<Control> {
        match self {
            AnyTokenizer::File(file) => Detokenizer::control(&**file, id),
            AnyTokenizer::Callable(callable) => callable.by_id.get(&id).copied(),
        }
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        match self {
            AnyTokenizer::File(file) => file.bytes(id, bytes),
            AnyTokenizer::Callable(callable) => match callable.bytes(id) {
                Ok(new) => bytes.extend(new),
                Err(error) => raise(error),
            },
        }
    }
}

/// A tokenizer that counts the ids of each run that it is asked for.
pub(crate) struct Counting<'t> {
    tokenizer: &'t AnyTokenizer,
    counts: RefCell<Vec<usize>>,
}

impl<'t> Counting<'t> {
    pub(crate) fn new(tokenizer: &'t AnyTokenizer) -> Self {
        Counting { tokenizer, counts: RefCell::default() }
    }

    pub(crate) fn into_counts(self) -> Vec<usize> {
        self.counts.into_inner()
    }
}

impl Tokenizer for Counting<'_> {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        let before = ids.len();
        self.tokenizer.text(text, word_start, ids);
        self.counts.borrow_mut().push(ids.len() - before);
    }

    fn control(&self, control: Control) -> Option<u32> {
        self.counts.borrow_mut().push(1);
        Tokenizer::control(self.tokenizer, control)
    }

    fn kind(&self) -> Option<TokenizerKind> {
        self.tokenizer.kind()
    }
}
