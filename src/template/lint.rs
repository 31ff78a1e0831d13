//! A template into what its author should know: what fails or differs in other engines, and what gets lost of a chat.
//!
//! What an engine does comes from running it: `lint/constructs.tsv`, which `tests/oracle/constructs.py` writes. Which constructs
//! a template uses, and with which values, comes from rendering the chats of `lint/chats.jsonl`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::engine::EngineRender;
use self::table::{ENGINES, Outcome, Row, Table};
use super::{ChatTemplate, GenerationPrompt};
use crate::chat::{Json, Sent};
use crate::error::Error;
use crate::jinja::constructs;

mod behaviour;
mod engine;
mod table;

/// Something that the author of a template should know.
///
/// ```
/// use mistral_chat_template::ChatTemplate;
/// use mistral_chat_template::template::{Engine, LintKind};
///
/// let source = "{% for m in messages %}\n{% for c in m.content %}{{ c }}{% endfor %}{{ eos_token }}\n{% endfor %}";
/// let lints = ChatTemplate::new(source)?.lint();
/// let found = lints.iter().find(|lint| lint.construct.as_deref() == Some("loop")).expect("a loop over a text");
/// assert_eq!((found.kind, found.line), (LintKind::Fails, Some(2)));
/// assert!(found.engines.contains(&Engine::LlamaCpp), "{found}");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lint {
    /// What kind of thing it is.
    pub kind: LintKind,
    /// The line of the template, from 1, where it stands in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The construct, as `COMPATIBILITY.md` calls it: `filter tojson`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub construct: Option<String>,
    /// The engines that it concerns; empty where it concerns all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<Engine>,
    /// Does one of the chats that were rendered show it? None does where no chat gets there, or where an engine fails before.
    pub met: bool,
    /// What happens, as a clause without a full stop.
    pub sentence: String,
}

/// The kind of a [`Lint`].
///
/// ```
/// use mistral_chat_template::ChatTemplate;
/// use mistral_chat_template::template::LintKind;
///
/// let source = "{% for m in messages %}{{ bos_token }}{{ m.content }}{% endfor %}";
/// let lints = ChatTemplate::new(source)?.lint();
/// assert!(lints.iter().any(|lint| lint.kind == LintKind::BeginsTwice));
/// assert!(lints.iter().any(|lint| lint.kind == LintKind::NoEnd));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LintKind {
    /// An engine does not load the template, because of a construct.
    FailsToLoad,
    /// An engine fails when it meets a construct.
    Fails,
    /// A construct has another value in an engine than in transformers, or prints something else.
    Differs,
    /// `bos_token` stands more than once in a conversation.
    BeginsTwice,
    /// The template prints `bos_token`, and the tokenizer adds it again (`add_bos_token` of `tokenizer_config.json`).
    TokenizerBegins,
    /// Nothing but white space follows a reply, so that a model trained on it does not learn to stop.
    NoEnd,
    /// Reasoning is not printed, in whichever form a client sends it.
    ReasoningDropped,
    /// Tools are not printed.
    ToolsDropped,
    /// A call is not printed.
    CallDropped,
    /// A tool's result is not printed.
    ResultDropped,
    /// A tool's result is printed without the id of its call, of which there are two.
    ResultIdDropped,
    /// A system message is not printed.
    SystemDropped,
}

/// An engine that renders chat templates, beside transformers and this library.
///
/// ```
/// use mistral_chat_template::template::Engine;
///
/// assert_eq!(Engine::HfJinja.to_string(), "@huggingface/jinja");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Engine {
    /// @huggingface/jinja: transformers.js, the Hub's widgets, LM Studio.
    #[serde(rename = "hf-jinja")]
    HfJinja,
    /// llama.cpp's own engine.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// minijinja without Python's methods.
    #[serde(rename = "minijinja")]
    MiniJinja,
    /// jinja2's sandbox without what transformers adds, as llama-cpp-python runs it.
    #[serde(rename = "jinja2")]
    Jinja2,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::HfJinja => "@huggingface/jinja",
            Engine::LlamaCpp => "llama.cpp",
            Engine::MiniJinja => "minijinja",
            Engine::Jinja2 => "jinja2 without transformers",
        })
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

/// A chat that templates are tried with.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    add_generation_prompt: bool,
    #[serde(default)]
    variables: BTreeMap<String, serde_json::Value>,
}

impl Probe<'_> {
    fn all() -> impl Iterator<Item = Probe<'static>> {
        include_str!("lint/chats.jsonl").lines().filter_map(|line| serde_json::from_str(line).ok())
    }

    fn sent(&self) -> Result<Sent<'static>, Error> {
        let tools = self.tools.map_or("null", RawValue::get);
        let json = format!(r#"{{"messages": {}, "tools": {tools}}}"#, self.messages.get());
        Sent::from_json(&json).map(|sent| sent.into_owned())
    }

    /// The template as this chat asks for it.
    fn template(&self, template: &ChatTemplate) -> ChatTemplate {
        let mut template = template.dated();
        if self.add_generation_prompt {
            template = template.generation_prompt(GenerationPrompt::Added);
        }
        for (name, value) in &self.variables {
            if let Ok(value) = Json::new(&value.to_string()).map(Json::into_owned) {
                template = template.variable(name.clone(), value);
            }
        }
        template
    }
}

impl ChatTemplate {
    /// What the author of this template should know, in the order of its lines, then what concerns the whole of it.
    ///
    /// Renders some thirty chats, for each engine as that engine would: what it does with each construct and the kinds of
    /// values that it is given is looked up, and a difference is told where it gets into the prompt. Then it looks for what
    /// was sent in the prompts: a reply and its end, reasoning, tools, results and their ids. A template that loses something
    /// on purpose is told as well.
    ///
    /// ```
    /// use mistral_chat_template::ChatTemplate;
    ///
    /// let lints = ChatTemplate::new("{% generation %}{{ messages[0].content }}{% endgeneration %}{{ eos_token }}")?.lint();
    /// assert!(lints.iter().any(|lint| lint.to_string().starts_with("line 1: `statement generation`: ")), "{lints:?}");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        let table = Table::read();
        let mut found = Found::default();
        let written: Vec<_> = std::iter::once(&self.main)
            .chain(&self.for_tools)
            .flat_map(|compiled| constructs(&compiled.source).unwrap_or_default())
            .collect();
        let mut engine_render = EngineRender::new(&table, &written);
        for probe in Probe::all() {
            let template = probe.template(self);
            let Ok(sent) = probe.sent() else { continue };
            engine_render.render(&template, &sent, &mut found);
        }
        for (construct, line) in &written {
            for (place, engine) in ENGINES.into_iter().enumerate() {
                if let Some((row, outcome)) = table.lacks(construct, place) {
                    let loads = !matches!(outcome, Outcome::FailsToLoad { .. });
                    let met = !loads || engine_render.gets_to(engine, *line) && !is_watched(construct);
                    found.note((*line, construct), engine, "", row, outcome, met);
                }
            }
        }
        let mut lints = found.lints();
        lints.extend(self.behaviour());
        lints
    }
}

/// Would a render have noted the construct under this name? An alias is noted under the name that it stands for.
fn is_watched(construct: &str) -> bool {
    const ALIASES: [&str; 7] = ["filter d", "filter e", "filter count", "test eq", "test ne", "test ge", "test le"];
    ["filter ", "test ", "method "].iter().any(|kind| construct.starts_with(kind))
        && !ALIASES.contains(&construct)
        && construct != "test with ()"
}

/// What was found of constructs: by place, what each engine does.
#[derive(Default)]
struct Found(BTreeMap<Place, BTreeMap<Engine, Said>>);

/// The line, the construct, what becomes of it, and whether a chat shows that.
type Place = (u32, String, LintKind, bool);

struct Said {
    sentence: String,
    given: BTreeSet<String>,
}

impl Found {
    fn note(
        &mut self,
        (line, construct): (u32, &str),
        engine: Engine,
        given: &str,
        row: &Row,
        outcome: &Outcome,
        met: bool,
    ) {
        let Row { template, prints, .. } = row;
        let (kind, sentence) = match outcome {
            Outcome::Same => return,
            Outcome::FailsToLoad { said } => (LintKind::FailsToLoad, format!("does not load `{template}`: {said}")),
            Outcome::Fails { said, some } => (
                LintKind::Fails,
                format!("fails{} at `{template}`: {said}", if *some { " for some values" } else { "" }),
            ),
            Outcome::Differs { prints: other, some } => {
                let some = if *some { " for some values" } else { "" };
                (LintKind::Differs, format!("prints {other:?}{some} for `{template}`, transformers {prints:?}"))
            }
        };
        let engines = self.0.entry((line, construct.to_owned(), kind, met)).or_default();
        let said = engines.entry(engine).or_insert(Said { sentence, given: BTreeSet::new() });
        if !given.is_empty() {
            said.given.insert(given.to_owned());
        }
    }

    /// Has a chat shown this?
    fn is_met(&self, (line, construct): (u32, &str), engine: Engine, kind: LintKind) -> bool {
        let place = (line, construct.to_owned(), kind, true);
        self.0.get(&place).is_some_and(|engines| engines.contains_key(&engine))
    }

    fn lints(mut self) -> Vec<Lint> {
        let places: Vec<Place> = self.0.keys().filter(|(.., met)| !met).cloned().collect();
        for place in places {
            let (line, construct, kind, _) = &place;
            let met: Vec<Engine> =
                ENGINES.into_iter().filter(|engine| self.is_met((*line, construct), *engine, *kind)).collect();
            if let Some(engines) = self.0.get_mut(&place) {
                engines.retain(|engine, _| !met.contains(engine));
            }
        }
        let lint = |((line, construct, kind, met), engines): (Place, BTreeMap<Engine, Said>)| {
            let clauses: Vec<_> = engines
                .iter()
                .map(|(engine, Said { sentence, given })| match given.is_empty() {
                    true => format!("{engine} {sentence}"),
                    false => {
                        let given: Vec<_> = given.iter().map(String::as_str).collect();
                        format!("{engine} {sentence} (here: {})", given.join("; "))
                    }
                })
                .collect();
            let unmet = if met { "" } else { ", where it is met" };
            Lint {
                kind,
                line: Some(line),
                engines: engines.into_keys().collect(),
                met,
                sentence: format!("`{construct}`{unmet}: {}", clauses.join("; ")),
                construct: Some(construct),
            }
        };
        self.0.into_iter().filter(|(_, engines)| !engines.is_empty()).map(lint).collect()
    }
}
