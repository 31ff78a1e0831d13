//! What lays chats out: layouts, models' own templates, SillyTavern's presets.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use mct::Format;
use mct::chat::Json;
use mct::error::Family;
use mct::grammar::LarkStyle;
use mct::template::{ClockTime, GenerationPrompt};
use mct::version::{Detection, Version};
use mistral_chat_template as mct;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{self, Given};
use crate::error::{Raise, argument, refused};
use crate::prompt::{Learnt, Prompt};
use crate::tokenizer::{AnyTokenizer, Opened};
use crate::{gguf, json};

/// Where a prefix of the prompt does not stay, if it does not: `segment`, `message`, `cause`.
pub(crate) fn prefix_break_dict<'py>(
    py: Python<'py>,
    found: Option<mct::prompt::PrefixBreak>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(found) = found else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("segment", found.segment)?;
    dict.set_item("message", found.message)?;
    dict.set_item("cause", found.cause.to_string())?;
    Ok(Some(dict))
}

/// One version's layout: how a chat becomes a prompt.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Layout {
    pub(crate) layout: mct::Layout,
    label: String,
    /// The JSON of its own settings, where it has some.
    settings: Option<String>,
    evidence: Option<String>,
    certainty: Option<String>,
}

impl Layout {
    /// The layout of what was found, with the settings that its file has, if any.
    fn detected(py: Python<'_>, found: Detection, settings: Option<String>) -> PyResult<Self> {
        let label = format!("{}{}", found.version, found.features);
        let mut layout = mct::Layout::from_str(&label).map_err(|error| PyValueError::new_err(error.to_string()))?;
        if let Some(settings) = &settings {
            layout.settings = mct::layout::Settings::from_json(settings).or_raise(py)?;
        }
        let certainty = Some(format!("{:?}", found.certainty).to_lowercase());
        Ok(Layout { layout, label, settings, evidence: Some(found.evidence), certainty })
    }

    pub(crate) fn in_mode(&self, mode: Option<&str>) -> PyResult<mct::Layout> {
        Ok(match mode {
            Some(name) => self.layout.in_mode(chat::mode(name)?),
            None => self.layout,
        })
    }
}

fn detect_error(py: Python<'_>, error: mct::version::DetectError) -> PyErr {
    crate::error::to_py(py, &mct::Error::from(error))
}

#[pymethods]
impl Layout {
    /// The layout of this name: `"v7"`, `"v3-tekken"`, `"v13+think"`, or a model's name.
    #[new]
    ///
    /// `settings`: what a v15 tokenizer file says in `model_settings_builder`, where it is not the usual.
    #[pyo3(signature = (name, *, mode=None, settings=None))]
    fn new(py: Python<'_>, name: &str, mode: Option<&str>, settings: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut layout: mct::Layout = chat::parsed(py, name)?;
        let settings = settings.map(text_or_json).transpose()?;
        if let Some(settings) = &settings {
            layout.settings = mct::layout::Settings::from_json(settings).or_raise(py)?;
        }
        let layout = match mode {
            Some(mode) => layout.in_mode(chat::mode(mode)?),
            None => layout,
        };
        Ok(Layout { layout, label: name.to_owned(), settings, evidence: None, certainty: None })
    }

    /// The layout of a model, by its name.
    #[staticmethod]
    fn for_model(py: Python<'_>, name: &str) -> PyResult<Self> {
        let found = Detection::from_model_name(name).map_err(|error| detect_error(py, error))?;
        let layout: mct::Layout = chat::parsed(py, name)?;
        let label = name.to_owned();
        let certainty = Some(format!("{:?}", found.certainty).to_lowercase());
        Ok(Layout { layout, label, settings: None, evidence: Some(found.evidence), certainty })
    }

    /// The layout of a model's folder or of one of its files: `tekken.json` with its settings, a SentencePiece model by
    /// its name, or a GGUF file.
    #[staticmethod]
    fn from_files(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let file = if path.is_dir() { vocabulary_in(&path)? } else { path };
        let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let (found, settings) = if gguf::is_gguf(&file).map_err(|error| os_error(&file, &error))? {
            let texts = gguf::texts(&file).map_err(|error| os_error(&file, &error))?;
            (Detection::from_gguf(texts), None)
        } else if is_json {
            let text = read(&file)?;
            let found = Detection::from_tekken_header(&text);
            let settings = found.as_ref().map_or(Ok(None), |found| settings_of(&file, found.version, &text))?;
            (found, settings)
        } else {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            (Detection::from_sentencepiece_file_name(&name), None)
        };
        Layout::detected(py, found.map_err(|error| detect_error(py, error))?, settings)
    }

    /// The version's name, such as `"v7"`.
    #[getter]
    fn name(&self) -> &str {
        self.layout.name
    }

    /// `"test"`, `"serving"`, `"finetuning"` or `"agnostic"`: which rules a chat has to keep.
    #[getter]
    fn mode(&self) -> &str {
        self.layout.mode.as_str()
    }

    /// `"tekken"` or `"sentencepiece"`.
    #[getter]
    fn tokenizer_kind(&self) -> &'static str {
        match self.layout.tokenizer_kind() {
            mct::prompt::TokenizerKind::SentencePiece => "sentencepiece",
            _ => "tekken",
        }
    }

    /// Does a chat that ends with a reply keep its tokens when other turns follow?
    ///
    /// A second reply behind the first is no turn of its own: the two become one.
    #[getter]
    fn is_prefix_stable(&self) -> bool {
        use mct::layout::{History, Settings, System, UserTurn};
        let mct::Layout { system, tools, settings, old_tool_turns, .. } = self.layout;
        let moves = |turn: UserTurn| turn == UserTurn::Last;
        let system_moves = matches!(system, System::InUser { turn, .. } if moves(turn));
        let settings_move = settings != Settings::Unknown && tools.is_none_or(moves);
        !(system_moves || settings_move || tools.is_some_and(moves) || old_tool_turns == History::Drop)
    }

    /// Does the layout print settings, such as a reasoning effort?
    #[getter]
    fn has_settings(&self) -> bool {
        self.layout.settings != mct::layout::Settings::Unknown
    }

    /// What the layout was told by, where it was detected.
    #[getter]
    fn evidence(&self) -> Option<&str> {
        self.evidence.as_deref()
    }

    /// How sure that is, in lower case.
    #[getter]
    fn certainty(&self) -> Option<&str> {
        self.certainty.as_deref()
    }

    /// The strings at which generation ends.
    #[getter]
    fn stop_strings(&self) -> [&'static str; 1] {
        match self.layout.reply.close {
            mct::layout::Mark::Control(control) => [control.as_str()],
            mct::layout::Mark::Text(text) => [text],
        }
    }

    /// The chat's prompt.
    #[pyo3(signature = (chat, tools=None, *, mode=None, learn=None, dialect=None, **fields))]
    fn render(
        &self,
        chat: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        mode: Option<&str>,
        learn: Option<&Bound<'_, PyAny>>,
        dialect: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Prompt> {
        let layout = self.in_mode(mode)?;
        let learnt = Learnt::of(learn)?;
        let dialect = chat::dialect(dialect)?;
        let act = |chat: &mct::Chat<'_>| Ok(Prompt::new(layout.render(chat)?, learnt, chat));
        Given::messages(chat, tools, fields, dialect)?.with(chat.py(), dialect, act)
    }

    /// The prompt of a text with a gap: `{"prompt": …, "suffix": …}`.
    #[pyo3(signature = (prompt, suffix=""))]
    fn render_fim(&self, py: Python<'_>, prompt: &str, suffix: &str) -> PyResult<Prompt> {
        let fim = mct::render::Fim { prompt: prompt.into(), suffix: suffix.into() };
        Ok(Prompt::unlearnt(self.layout.render_fim(&fim).or_raise(py)?))
    }

    /// Where the prompt of the first `n` messages is not what the whole chat's prompt begins with; `None` where it is.
    #[pyo3(signature = (chat, n, tools=None, *, dialect=None, **fields))]
    fn prefix_break<'py>(
        &self,
        chat: &Bound<'py, PyAny>,
        n: usize,
        tools: Option<&Bound<'py, PyAny>>,
        dialect: Option<&str>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let dialect = chat::dialect(dialect)?;
        let act = |chat: &mct::Chat<'_>| self.layout.prefix_break(chat, n);
        let found = Given::messages(chat, tools, fields, dialect)?.with(chat.py(), dialect, act)?;
        prefix_break_dict(chat.py(), found)
    }

    /// The grammar of the answers that the chat allows, for constrained sampling; `None` where nothing is constrained.
    #[pyo3(signature = (chat, tokenizer, tools=None, *, format="lark", dialect=None, **fields))]
    fn grammar(
        &self,
        chat: &Bound<'_, PyAny>,
        tokenizer: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        format: &str,
        dialect: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<String>> {
        #[derive(Clone, Copy)]
        enum Form {
            Lark(LarkStyle),
            Tag,
        }
        let form = match format {
            "lark" => Form::Lark(LarkStyle::MistralCommon),
            "exact_lark" => Form::Lark(LarkStyle::Exact),
            "structural_tag" => Form::Tag,
            _ => return Err(argument("format", format, "lark, exact_lark, structural_tag")),
        };
        let py = chat.py();
        let tokenizer = AnyTokenizer::of(tokenizer)?;
        let write = |chat: &mct::Chat<'_>| {
            let grammar = self.layout.grammar(chat)?;
            let text = |grammar: mct::grammar::Grammar<'_>| match form {
                Form::Lark(style) => grammar.to_lark(&tokenizer, style),
                Form::Tag => grammar.to_structural_tag(&tokenizer),
            };
            grammar.map(text).transpose()
        };
        let found = Given::new(chat, tools, fields)?.with(py, chat::dialect(dialect)?, write);
        AnyTokenizer::raised()?;
        found
    }

    fn __repr__(&self) -> String {
        format!("Layout({:?}, mode={:?})", self.label, self.layout.mode.as_str())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.layout == other.layout
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Opened<'py, (String, &'static str, Option<String>)>> {
        let open = py.import("mistral_chat_template._errors")?.getattr("open_layout")?;
        Ok((open, (self.label.clone(), self.layout.mode.as_str(), self.settings.clone())))
    }
}

fn os_error(path: &Path, error: &std::io::Error) -> PyErr {
    PyOSError::new_err((error.raw_os_error(), error.to_string(), path.to_path_buf()))
}

fn read(path: &Path) -> PyResult<String> {
    std::fs::read_to_string(path).map_err(|error| os_error(path, &error))
}

/// The settings that a `tekken.json` says its model knows; `null` where its version has some and the file says none.
fn settings_of(path: &Path, version: Version, tekken: &str) -> PyResult<Option<String>> {
    #[derive(Deserialize)]
    struct Tekken<'t> {
        #[serde(borrow)]
        model_settings_builder: Option<&'t RawValue>,
    }
    if version.layout().settings == mct::layout::Settings::Unknown {
        return Ok(None);
    }
    let tekken: Tekken<'_> =
        serde_json::from_str(tekken).map_err(|error| PyValueError::new_err(format!("{}: {error}", path.display())))?;
    Ok(Some(tekken.model_settings_builder.map_or("null", RawValue::get).to_owned()))
}

/// The vocabulary file of a model's folder; a GGUF file where it has none.
fn vocabulary_in(folder: &Path) -> PyResult<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(|error| os_error(folder, &error))?;
    let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    let rank = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match &*name {
            "tekken.json" => Some(0),
            _ if name.contains(".model.v") => Some(1),
            "tokenizer.model" => Some(2),
            _ if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) => Some(3),
            _ => None,
        }
    };
    let found = names.iter().filter(|path| rank(path).is_some()).min_by_key(rank);
    found.cloned().ok_or_else(|| {
        PyValueError::new_err(format!(
            "{}: there is no tekken.json, no tokenizer.model and no GGUF file",
            folder.display()
        ))
    })
}

/// A model's own Jinja template.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct ChatTemplate {
    pub(crate) template: mct::ChatTemplate,
}

/// A template with what `apply_chat_template` is given beside the chat.
fn with_variables(
    template: &mct::ChatTemplate,
    generation_prompt: Option<bool>,
    documents: Option<&Bound<'_, PyAny>>,
    now: Option<i64>,
    variables: Option<&Bound<'_, PyDict>>,
) -> PyResult<mct::ChatTemplate> {
    let mut template = template.clone();
    if let Some(is_added) = generation_prompt {
        let choice = if is_added { GenerationPrompt::Added } else { GenerationPrompt::LeftOut };
        template = template.generation_prompt(choice);
    }
    for (name, value) in variables.into_iter().flat_map(|variables| variables.iter()) {
        template = template.variable(name.extract::<String>()?, json_of(&value)?);
    }
    if let Some(documents) = documents {
        template = template.documents(json_of(documents)?);
    }
    if let Some(now) = now {
        template = template.clock(move || ClockTime::from_unix_seconds(now));
    }
    Ok(template)
}

/// JSON text as it is, and any other object as JSON.
fn text_or_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Some(text) = chat::text_of(value)? {
        return Ok(text.to_string());
    }
    let mut text = String::new();
    json::write(value, &mut text).map_err(|fault| fault.into_py(value.py()))?;
    Ok(text)
}

fn json_of(value: &Bound<'_, PyAny>) -> PyResult<Json<'static>> {
    let py = value.py();
    let mut text = String::new();
    json::write(value, &mut text).map_err(|fault| fault.into_py(py))?;
    Json::new(&text).and_then(|json| Json::from_serialize(&json)).or_raise(py)
}

#[pymethods]
impl ChatTemplate {
    /// The template of a source text, or of a model's folder or file with `from_files`.
    #[new]
    #[pyo3(signature = (source, *, special_tokens=None))]
    fn new(py: Python<'_>, source: &str, special_tokens: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut template = py.detach(|| mct::ChatTemplate::new(source)).or_raise(py)?;
        for (name, text) in special_tokens.into_iter().flat_map(|tokens| tokens.iter()) {
            template = template.special_token(name.extract::<String>()?, text.extract::<String>()?);
        }
        Ok(ChatTemplate { template: with_machine_clock(template) })
    }

    /// The template of a model's folder, of its `tokenizer_config.json` or of a `chat_template.jinja`.
    #[staticmethod]
    pub(crate) fn from_files(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let found = py.detach(|| crate::model_files::template(&path).map_err(|error| error.to_string()));
        match found {
            Ok(template) => Ok(ChatTemplate { template: with_machine_clock(template) }),
            Err(why) => Err(refused(py, Family::Template, "template", "", &why)),
        }
    }

    /// Does the template mark with `{% generation %}` what is learnt?
    #[getter]
    fn marks_generated(&self) -> bool {
        self.template.marks_generated()
    }

    /// The chat's prompt. What is given beside it by name is a variable of the template, as in transformers.
    #[pyo3(signature = (chat, tools=None, *, learn=None, add_generation_prompt=None,
        continue_final_message=None, documents=None, now=None, dialect=None, **variables))]
    #[allow(clippy::too_many_arguments)]
    fn render(
        &self,
        chat: &Bound<'_, PyAny>,
        tools: Option<&Bound<'_, PyAny>>,
        learn: Option<&Bound<'_, PyAny>>,
        add_generation_prompt: Option<bool>,
        continue_final_message: Option<&Bound<'_, PyAny>>,
        documents: Option<&Bound<'_, PyAny>>,
        now: Option<i64>,
        dialect: Option<&str>,
        variables: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Prompt> {
        let py = chat.py();
        let learnt = Learnt::of(learn)?;
        let dialect = chat::dialect(dialect)?;
        let template = with_variables(&self.template, add_generation_prompt, documents, now, variables)?;
        let fields = PyDict::new(py);
        match continue_final_message {
            // True, or the name of the field that goes on.
            Some(field) if field.is_truthy()? => fields.set_item("continue_final_message", field)?,
            _ => {}
        }
        let render = |chat: &mct::Chat<'_>| Ok(Prompt::new(template.render(chat)?, learnt.clone(), chat));
        match Given::new(chat, tools, Some(&fields))? {
            given @ (Given::Read(_) | Given::Plain(_)) => given.with(py, dialect, render),
            Given::Text(text) => {
                let text = text.as_str();
                let render = || match mct::Chat::read(text, dialect) {
                    Ok(chat) => render(&chat),
                    // A role or a chunk of the template's own; what is wrong with the chat is said where neither reads it.
                    Err(error) => {
                        let sent = mct::chat::Sent::from_json(text).map_err(|_| error)?;
                        Ok(Prompt::new(template.render_sent(&sent)?, learnt.clone(), &mct::Chat::default()))
                    }
                };
                py.detach(render).or_raise(py)
            }
        }
    }

    /// Where the prompt of the first `n` messages is not what the whole chat's prompt begins with; `None` where it is.
    #[pyo3(signature = (chat, n, tools=None, *, add_generation_prompt=None, dialect=None, **variables))]
    fn prefix_break<'py>(
        &self,
        chat: &Bound<'py, PyAny>,
        n: usize,
        tools: Option<&Bound<'py, PyAny>>,
        add_generation_prompt: Option<bool>,
        dialect: Option<&str>,
        variables: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let template = with_variables(&self.template, add_generation_prompt, None, None, variables)?;
        let act = |chat: &mct::Chat<'_>| template.prefix_break(chat, n);
        let found = Given::new(chat, tools, None)?.with(chat.py(), chat::dialect(dialect)?, act)?;
        prefix_break_dict(chat.py(), found)
    }

    /// Which layout the template is, what that rests on, and where it is not quite that.
    fn nearest_layout<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = py.detach(|| serde_json::to_string(&self.template.nearest_layout()));
        json::loads(py, &found.map_err(|error| PyValueError::new_err(error.to_string()))?)
    }

    fn __repr__(&self) -> &'static str {
        "<ChatTemplate>"
    }
}

/// `strftime_now` says the machine's time.
pub(crate) fn with_machine_clock(template: mct::ChatTemplate) -> mct::ChatTemplate {
    template.clock(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        ClockTime::from_unix_seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
    })
}

/// A SillyTavern preset.
#[pyclass(frozen, module = "mistral_chat_template")]
pub(crate) struct Preset {
    pub(crate) preset: mct::Preset,
}

#[pymethods]
impl Preset {
    /// The preset of its files' JSON texts or dicts, loaded in order into a fresh install; or a built-in one by its name.
    #[new]
    #[pyo3(signature = (*files))]
    fn new(files: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<Self> {
        let py = files.py();
        let mut preset = mct::Preset::default();
        for file in files.iter() {
            preset.load(&text_or_json(&file)?).or_raise(py)?;
        }
        Ok(Preset { preset })
    }

    /// The preset that comes the nearest to a layout.
    #[staticmethod]
    fn for_layout(py: Python<'_>, layout: &Layout) -> PyResult<Self> {
        Ok(Preset { preset: mct::Preset::for_layout(&layout.layout).or_raise(py)? })
    }

    /// The chat's prompt, in the form of the preset.
    #[pyo3(signature = (chat, *, learn=None, user="User", char="Assistant", dialect=None))]
    fn render(
        &self,
        chat: &Bound<'_, PyAny>,
        learn: Option<&Bound<'_, PyAny>>,
        user: &str,
        char: &str,
        dialect: Option<&str>,
    ) -> PyResult<Prompt> {
        let py = chat.py();
        let format = self.format(py, user, char)?;
        let learnt = Learnt::of(learn)?;
        let act = |chat: &mct::Chat<'_>| Ok(Prompt::new(format.render(chat)?, learnt, chat));
        Given::new(chat, None, None)?.with(py, chat::dialect(dialect)?, act)
    }

    /// Where the prompt of the first `n` messages is not what the whole chat's prompt begins with; `None` where it is.
    #[pyo3(signature = (chat, n, *, user="User", char="Assistant", dialect=None))]
    fn prefix_break<'py>(
        &self,
        chat: &Bound<'py, PyAny>,
        n: usize,
        user: &str,
        char: &str,
        dialect: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let format = self.format(chat.py(), user, char)?;
        let act = |chat: &mct::Chat<'_>| format.prefix_break(chat, n);
        let found = Given::new(chat, None, None)?.with(chat.py(), chat::dialect(dialect)?, act)?;
        prefix_break_dict(chat.py(), found)
    }

    /// How what the preset sends differs from what a layout expects, as text.
    fn compare(&self, py: Python<'_>, layout: &Layout) -> PyResult<String> {
        Ok(self.preset.compare(&layout.layout).or_raise(py)?.to_string())
    }

    /// The preset's files in one, as JSON text.
    fn to_json(&self) -> String {
        self.preset.to_json()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Preset>().into_any(), (self.preset.to_json(),)))
    }
}

impl Preset {
    /// The preset as rows are laid out by: nothing is begun behind the last message.
    pub(crate) fn training_format(&self, py: Python<'_>) -> PyResult<mct::preset::SceneFormat> {
        let settings = mct::preset::SceneSettings {
            generation: mct::preset::Generation::Nothing,
            ..mct::preset::SceneSettings::default()
        };
        self.preset.with_scene(&mct::preset::Scene { settings, ..mct::preset::Scene::default() }).or_raise(py)
    }

    pub(crate) fn format(&self, py: Python<'_>, user: &str, char: &str) -> PyResult<mct::preset::SceneFormat> {
        let scene =
            mct::preset::Scene { user: user.to_owned(), char: char.to_owned(), ..mct::preset::Scene::default() };
        self.preset.with_scene(&scene).or_raise(py)
    }
}
