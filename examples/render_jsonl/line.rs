//! One line: which way into a prompt it takes, and what comes of it.

use std::borrow::Cow;
use std::io::{self, Write};

use mistral_chat_template::completion::Leniency;
use mistral_chat_template::error::Family;
use mistral_chat_template::grammar::{Grammar, LarkStyle};
use mistral_chat_template::layout::Settings;
use mistral_chat_template::render::{CheckedChat, Fim};
use mistral_chat_template::train::Labelled;
use mistral_chat_template::train::{Row, TrainingPolicy, UnknownPolicy};
use mistral_chat_template::{Chat, Dialect, Error, Format, Layout, Message, Mode, Prompt, Segment};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::answer::{Refusal, write_completion, write_json, write_prompt};
use crate::completion_line::{self, Output, Stream};
use crate::control_ids::ReleasedIds;
use crate::living::{Fit, News, Wishes};
use crate::preset_line;
use crate::template_line::{Given, Templates};
use crate::vocabulary::Vocabulary;

/// What a line can hold.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Option<Cow<'a, str>>,
    #[serde(default)]
    finetuning_messages: bool,
    max_model_input_len: Option<usize>,
    #[serde(default, borrow)]
    options: Options<'a>,
    completion: Option<Output>,
    stream: Option<Stream>,
    #[serde(default)]
    lenient: bool,
    #[serde(borrow)]
    preset: Option<&'a RawValue>,
    #[serde(borrow)]
    template: Option<Cow<'a, str>>,
    #[serde(default)]
    repair: bool,
    stable_from: Option<usize>,
    fit: Option<Fit>,
    #[serde(borrow)]
    grammar: Option<Cow<'a, str>>,
    #[serde(borrow)]
    learn: Option<Learnt<'a>>,
}

/// What is to be learnt: by its names, or as usual.
#[derive(Deserialize)]
#[serde(untagged)]
enum Learnt<'a> {
    Names(#[serde(borrow)] Cow<'a, str>),
    AsUsual(bool),
}

/// What comes of a line that is not refused.
enum Answer {
    /// The prompt that the renderer holds, and what is told beside it.
    Prompt(News),
    /// What a completion says.
    Completion(completion_line::Answer),
}

#[derive(Default, Deserialize)]
struct Options<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    settings_builder: Option<&'a RawValue>,
}

/// A value that is there, though it be null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Why a line has no prompt.
enum Fault {
    /// The library refuses the chat.
    Refused(Error),
    /// The line does not say what it wants: kind, family, place, sentence.
    Line(&'static str, Family, String, String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Refused(error)
    }
}

impl From<preset_line::Fault> for Fault {
    fn from(fault: preset_line::Fault) -> Self {
        match fault {
            preset_line::Fault::Refused(error) => Fault::Refused(error),
            preset_line::Fault::Line { at, expected } => Fault::Line("line", Family::Other, at, expected),
        }
    }
}

fn line_fault(at: &'static str, sentence: impl Into<String>) -> Fault {
    Fault::Line("line", Family::Other, at.to_owned(), sentence.into())
}

/// Answers lines, with one prompt as the buffer of all.
#[derive(Default)]
pub(crate) struct Renderer {
    prompt: Prompt,
    templates: Templates,
    vocabulary: Option<Vocabulary>,
}

impl Renderer {
    pub(crate) fn new(vocabulary: Option<Vocabulary>) -> Self {
        Renderer { vocabulary, ..Renderer::default() }
    }

    pub(crate) fn answer(&mut self, bytes: &[u8], number: usize, output: &mut impl Write) -> io::Result<()> {
        let line: Line<'_> = match serde_json::from_slice(bytes) {
            Ok(line) => line,
            Err(error) => {
                let sentence = format!("line {number} is not a JSON object of the known fields: {error}");
                let refusal = Refusal::new(None, "json", Family::Form, "", sentence);
                return write_json(output, &refusal.at_line(number));
            }
        };
        let id = line.id.as_deref();
        match self.render(&line, bytes) {
            Ok(Answer::Prompt(news)) => write_prompt(output, id, &self.prompt, &news),
            Ok(Answer::Completion(answer)) => write_completion(output, id, &answer),
            Err(Fault::Refused(error)) => write_json(output, &Refusal::of(id, &error)),
            Err(Fault::Line(kind, family, at, sentence)) => {
                write_json(output, &Refusal::new(id, kind, family, &at, sentence))
            }
        }
    }

    fn render(&mut self, line: &Line<'_>, bytes: &[u8]) -> Result<Answer, Fault> {
        match (&line.version, line.preset, &line.template) {
            (Some(version), None, None) => self.render_version(line, &line.layout(version)?),
            (None, Some(_), None) => {
                let whole = serde_json::from_slice(bytes).map_err(|error| line_fault("preset", error.to_string()))?;
                self.prompt = preset_line::render(&whole)?;
                Ok(Answer::Prompt(News::default()))
            }
            (None, None, Some(template)) => {
                let given: Given =
                    serde_json::from_slice(bytes).map_err(|error| line_fault("template", error.to_string()))?;
                self.prompt = self.templates.render(template, &given, line.request("template")?)?;
                Ok(Answer::Prompt(News::default()))
            }
            _ => Err(line_fault("", "a line has one of `version`, `preset` and `template`")),
        }
    }

    fn render_version(&mut self, line: &Line<'_>, layout: &Layout) -> Result<Answer, Fault> {
        if let Some(completion) = &line.completion {
            return Ok(Answer::Completion(line.read(completion, layout)?));
        }
        let request = line.request("version")?;
        match line.kind.as_deref() {
            Some("fim") => self.prompt = layout.render_fim(&Fim::from_json(request)?)?,
            _ => return self.render_chat(line, layout, request, line.dialect()?).map(Answer::Prompt),
        }
        Ok(Answer::Prompt(News::default()))
    }

    fn render_chat(&mut self, line: &Line<'_>, layout: &Layout, json: &str, dialect: Dialect) -> Result<News, Fault> {
        let wishes = Wishes { repair: line.repair, stable_from: line.stable_from, fit: line.fit };
        let mut news = News::default();
        let mut request = wishes.read(json, dialect)?;
        let policy = line.policy()?;
        if !line.finetuning_messages && policy.is_none() {
            forget_weights(&mut request.request.chat);
        }
        let truncates = asks_to_truncate(json);
        let request = wishes.mend(request, layout, truncates, &mut news)?;
        let chat = wishes.shorten(&request.chat, layout, &mut news)?;
        if truncates {
            let budget = line.max_model_input_len.ok_or_else(|| {
                let sentence = "a request that is to be truncated goes with a `max_model_input_len`";
                Fault::Line("no_budget", Family::Tokenizer, "max_model_input_len".to_owned(), sentence.to_owned())
            })?;
            let conversation = CheckedChat::new(&chat, layout).map_err(|error| request.locate(error))?;
            conversation.truncate(budget, count_words)?.render_into(&mut self.prompt);
        } else {
            layout.render_into(&chat, &mut self.prompt).map_err(|error| request.locate(error))?;
        }
        wishes.compare(&chat, layout, &self.prompt, &mut news);
        news.grammar = match line.grammar.as_deref() {
            None => None,
            Some(form) => Some(grammar(form, layout, &chat)?),
        };
        if let Some(policy) = policy {
            self.learn(&policy, &chat, &mut news)?;
        }
        Ok(news)
    }

    /// Says what is learnt of the prompt.
    fn learn(&self, policy: &TrainingPolicy, chat: &Chat<'_>, news: &mut News) -> Result<(), Error> {
        let row = Row::new(chat.clone());
        let mask = policy.mask(&self.prompt, &row)?;
        news.mask = Some(mask.ranges().iter().map(|range| [range.start, range.end]).collect());
        if let Some(vocabulary) = &self.vocabulary {
            let Labelled { input_ids, labels } = mask.encode(vocabulary)?;
            (news.input_ids, news.labels) = (Some(input_ids), Some(labels));
        }
        Ok(())
    }
}

/// The grammar of the answer, printed in a form; `None` where nothing is constrained.
fn grammar(form: &str, layout: &Layout, chat: &Chat<'_>) -> Result<Option<String>, Fault> {
    let ids = ReleasedIds(layout);
    let print = |grammar: Grammar<'_>| match form {
        "lark" => Ok(grammar.to_lark(&ids, LarkStyle::MistralCommon)?),
        "exact_lark" => Ok(grammar.to_lark(&ids, LarkStyle::Exact)?),
        "structural_tag" => Ok(grammar.to_structural_tag(&ids)?),
        other => {
            let sentence =
                format!("{other:?} is not a form of a grammar; the forms are lark, exact_lark and structural_tag");
            Err(line_fault("grammar", sentence))
        }
    };
    layout.grammar(chat)?.map(print).transpose()
}

impl Line<'_> {
    /// Reads a completion; a request beside it names the tools that it can call.
    fn read(&self, completion: &Output, layout: &Layout) -> Result<completion_line::Answer, Fault> {
        let dialect = self.dialect()?;
        let chat = self.request.map(|request| Chat::read(request.get(), dialect)).transpose()?.unwrap_or_default();
        let leniency = if self.lenient { Leniency::Lenient } else { Leniency::Strict };
        let wishes = completion_line::Wishes { leniency, stream: self.stream, tools: &chat.tools };
        Ok(completion_line::read(completion, layout, &wishes))
    }

    fn request(&self, beside: &'static str) -> Result<&str, Fault> {
        let missing = || line_fault("request", format!("a `{beside}` goes with a `request`"));
        Ok(self.request.ok_or_else(missing)?.get())
    }

    fn dialect(&self) -> Result<Dialect, Fault> {
        match self.kind.as_deref() {
            None | Some("chat") => Ok(Dialect::Mistral),
            Some(name) => Dialect::from_name(name).ok_or_else(|| {
                let names = Dialect::ALL.map(Dialect::as_str).join(", ");
                line_fault("kind", format!("{name:?} is not a kind; the kinds are chat, fim, {names}"))
            }),
        }
    }

    fn policy(&self) -> Result<Option<TrainingPolicy>, Fault> {
        match &self.learn {
            None | Some(Learnt::AsUsual(false)) => Ok(None),
            Some(Learnt::AsUsual(true)) => Ok(Some(TrainingPolicy::default())),
            Some(Learnt::Names(names)) => {
                names.parse().map(Some).map_err(|error: UnknownPolicy| line_fault("learn", error.to_string()))
            }
        }
    }

    fn layout(&self, version: &str) -> Result<Layout, Fault> {
        // Thinking as plain text is a matter of templates alone.
        let layout: Layout = version.replace("+plainthink", "").parse()?;
        let mode = match self.mode.as_deref() {
            None if self.policy()?.is_some() => Mode::Finetuning,
            None => Mode::Test,
            Some(name) => Mode::from_name(name).ok_or_else(|| {
                line_fault(
                    "mode",
                    format!("{name:?} is not a mode; the modes are {}", Mode::ALL.map(Mode::as_str).join(", ")),
                )
            })?,
        };
        let settings = match (self.options.settings_builder, layout.settings) {
            (None, settings) | (_, settings @ Settings::Unknown) => settings,
            (Some(builder), _) => Settings::from_json(builder.get())?,
        };
        Ok(Layout { mode, settings, ..layout })
    }
}

/// Only data sets for fine-tuning have weights.
fn forget_weights(chat: &mut Chat<'_>) {
    for message in &mut chat.messages {
        if let Message::Assistant(message) = message {
            message.weight = None;
        }
    }
}

fn asks_to_truncate(request: &str) -> bool {
    #[derive(Deserialize)]
    struct Flag {
        #[serde(default)]
        truncate_for_context_length: bool,
    }
    serde_json::from_str(request).is_ok_and(|flag: Flag| flag.truncate_for_context_length)
}

/// A rough count of tokens, for want of a tokenizer.
fn count_words(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.split_whitespace().count(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}
