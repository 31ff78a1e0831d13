//! A model's own Jinja template and a chat in, the prompt that transformers would render out: [`ChatTemplate`].
//!
//! ```
//! use mistral_chat_template::{Chat, ChatTemplate, Control, Format, Message, Segment};
//!
//! let source = "{% for message in messages %}[INST] {{ message.content }}[/INST]{% endfor %}";
//! let prompt = ChatTemplate::new(source)?.render(&Chat::new([Message::user("[INST]")]))?;
//! let segments: Vec<_> = prompt.segments().collect();
//! assert_eq!(segments[0], Segment::Control(Control::Inst), "the template's");
//! assert_eq!(segments[1], Segment::Text(" [INST]"), "the user's");
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! The prompt keeps its segments: control tokens come from the template alone. Whatever a template does with texts, each
//! piece of its output remembers whether the template or the client wrote it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::chat::{Chat, Json, Sent};
use crate::control::{Control, Vocabulary};
use crate::error::{Error, ErrorKind};
use crate::format::Format;
use crate::jinja::Program;
use crate::layout::WordStart;
use crate::prompt::{Prompt, Writer};

mod chat_view;
mod clock;
mod compare;
mod config;
mod lint;
mod node;
mod render;
mod values;
mod write;

use self::chat_view::ChatView;
pub use self::clock::ClockTime;
pub use self::compare::{Comparison, Difference, NearestLayout, Said};
pub use self::config::ModelFiles;
pub use self::lint::{Engine, Lint, LintKind};
pub use self::write::GenerationMarks;

/// A model's own chat template, compiled once, to be shared by any number of threads.
///
/// ```
/// use mistral_chat_template::{Chat, ChatTemplate, Control, Format, Message, Segment};
///
/// let template = ChatTemplate::new(
///     "{{ bos_token }}{% for message in messages %}[INST] {{ message.content }}[/INST]{% endfor %}",
/// )?;
/// let prompt = template.render(&Chat::new([Message::user("[/INST]")]))?;
/// assert_eq!(prompt.as_str(), "<s>[INST] [/INST][/INST]");
/// assert_eq!(prompt.segments().nth(2), Some(Segment::Text(" [/INST]")), "what a user types is text");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// Templates come from strangers, so they run within [`TemplateLimits`], load nothing, and know the time only if
/// [`clock`](ChatTemplate::clock) tells it.
#[derive(Clone)]
pub struct ChatTemplate {
    main: Arc<Compiled>,
    /// What renders chats with tools, where it is another.
    for_tools: Option<Arc<Compiled>>,
    others: BTreeMap<String, Arc<Compiled>>,
    limits: TemplateLimits,
    vocabulary: Vocabulary,
    special_tokens: Vec<(Cow<'static, str>, String)>,
    variables: Vec<(Cow<'static, str>, Json<'static>)>,
    documents: Option<Json<'static>>,
    clock: Option<Arc<clock::Clock>>,
    generation_prompt: GenerationPrompt,
    /// Does the tokenizer put `bos_token` before a text, as far as its configuration says?
    tokenizer_begins: Option<bool>,
}

/// One template, ready to render.
struct Compiled {
    program: Program,
    source: Box<str>,
    thinking: chat_view::Thinking,
}

impl Compiled {
    fn new(source: &str, limits: &TemplateLimits) -> Result<Self, Error> {
        if source.len() > limits.source {
            let kind = ErrorKind::TemplateLimit { what: "bytes", found: source.len(), limit: limits.source };
            return Err(Error::new(kind, ""));
        }
        let program = Program::new(source)
            .map_err(|stop| Error::new(ErrorKind::TemplateSyntax, "").because(render::Fault::new(&stop)))?;
        let reads_chunks = source.contains("thinking") || !source.contains("reasoning_content");
        Ok(Compiled {
            program,
            source: source.into(),
            thinking: if reads_chunks { chat_view::Thinking::Chunks } else { chat_view::Thinking::Field },
        })
    }
}

/// Does the prompt end with what begins an answer?
///
/// Mistral's own templates print nothing there; ChatML prints `<|im_start|>assistant`.
///
/// ```
/// use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
/// use mistral_chat_template::template::GenerationPrompt;
///
/// let source = "{{ messages[0].content }}{% if add_generation_prompt %} ->{% endif %}";
/// let template = ChatTemplate::new(source)?.generation_prompt(GenerationPrompt::Added);
/// assert_eq!(template.render(&Chat::new([Message::user("Hi")]))?.as_str(), "Hi ->");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenerationPrompt {
    /// It does not, as transformers does by default.
    #[default]
    LeftOut,
    /// It does, unless the last message is one to be continued.
    Added,
}

/// How much a template may ask for. The defaults are many times what Mistral's own templates need.
///
/// ```
/// use mistral_chat_template::template::TemplateLimits;
///
/// let limits = TemplateLimits { source: 20, ..TemplateLimits::default() };
/// let error = limits.compile("{{ messages[0].content }}").unwrap_err();
/// assert_eq!(error.to_string(), "the template has 25 bytes, and 20 are allowed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TemplateLimits {
    /// The length of the source, in bytes.
    pub source: usize,
    /// Steps of a render. A step is an instruction, or 64 bytes that are written.
    pub steps: u64,
    /// More steps for each message.
    pub steps_per_message: u64,
    /// More steps for each value that the template is given: a text, a number, a list, a tool's parameter.
    pub steps_per_value: u64,
    /// More steps for each byte of text that the template is given.
    pub steps_per_byte: u64,
    /// The length of the prompt beyond 8 times that of the chat, in bytes.
    pub output: usize,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        TemplateLimits {
            source: 64 << 10,
            steps: 1_000_000,
            steps_per_message: 10_000,
            steps_per_value: 1_000,
            steps_per_byte: 50,
            output: 1 << 20,
        }
    }
}

impl TemplateLimits {
    /// A template within these limits.
    ///
    /// # Errors
    ///
    /// As [`ChatTemplate::new`].
    ///
    /// ```
    /// use mistral_chat_template::template::TemplateLimits;
    ///
    /// let template = TemplateLimits { steps: 1_000_000, ..TemplateLimits::default() }.compile("{{ bos_token }}")?;
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn compile(self, source: &str) -> Result<ChatTemplate, Error> {
        let main = Arc::new(Compiled::new(source, &self)?);
        let special = |name: &'static str, control: Control| (Cow::Borrowed(name), control.as_str().to_owned());
        Ok(ChatTemplate {
            main,
            for_tools: None,
            others: BTreeMap::new(),
            limits: self,
            vocabulary: Control::all().fold(Vocabulary::default(), |all, control| all.with(&[control])),
            special_tokens: vec![special("bos_token", Control::Bos), special("eos_token", Control::Eos)],
            variables: Vec::new(),
            documents: None,
            clock: None,
            generation_prompt: GenerationPrompt::default(),
            tokenizer_begins: None,
        })
    }
}

/// What a template said when it refused a chat with `raise_exception`: the source of the error.
///
/// ```
/// use std::error::Error;
/// use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
/// use mistral_chat_template::template::TemplateRaised;
///
/// let template = ChatTemplate::new("{{ raise_exception('Only one message!') }}")?;
/// let error = template.render(&Chat::new([Message::user("Hi")])).unwrap_err();
/// assert_eq!(error.to_string(), "the template refuses the chat: Only one message!");
/// let raised = error.source().and_then(|source| source.downcast_ref::<TemplateRaised>());
/// assert_eq!(raised.map(TemplateRaised::message), Some("Only one message!"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateRaised {
    message: String,
}

impl TemplateRaised {
    /// The template's own words.
    ///
    /// ```
    /// # use std::error::Error;
    /// # use mistral_chat_template::{Chat, ChatTemplate, Format};
    /// # use mistral_chat_template::template::TemplateRaised;
    /// let error = ChatTemplate::new("{{ raise_exception('No.') }}")?.render(&Chat::default()).unwrap_err();
    /// let raised = error.source().and_then(|source| source.downcast_ref::<TemplateRaised>());
    /// assert_eq!(raised.map(TemplateRaised::message), Some("No."));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl ChatTemplate {
    /// A template from its source, with `<s>` and `</s>` as special tokens.
    ///
    /// # Errors
    ///
    /// The source is not a template (`{% for %}`), asks for a file (`{% include "a" %}`), or is beyond the limits of
    /// [`TemplateLimits::default`].
    ///
    /// ```
    /// use mistral_chat_template::ChatTemplate;
    ///
    /// assert!(ChatTemplate::new("{{ bos_token }}").is_ok());
    /// let error = ChatTemplate::new("{% for %}").unwrap_err();
    /// assert!(error.to_string().starts_with("the template cannot be read: line 1: "), "{error}");
    /// ```
    pub fn new(source: &str) -> Result<Self, Error> {
        TemplateLimits::default().compile(source)
    }

    /// This template with a special token, such as `eos_token`.
    ///
    /// The end token is also the prompt's stop string.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
    ///
    /// let template = ChatTemplate::new("{{ messages[0].content }}{{ eos_token }}")?.special_token("eos_token", "<|im_end|>");
    /// let prompt = template.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.as_str(), "Hi<|im_end|>");
    /// assert_eq!(prompt.stop_strings(), ["<|im_end|>"]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn special_token(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        let name = name.into();
        self.special_tokens.retain(|(known, _)| *known != name);
        self.special_tokens.push((Cow::Owned(name), text.into()));
        self
    }

    /// This template with one more variable, as the keyword arguments of `apply_chat_template` are.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    /// use mistral_chat_template::chat::Json;
    ///
    /// let template = ChatTemplate::new("{% if enable_thinking %}<think>{% endif %}")?;
    /// let template = template.variable("enable_thinking", Json::new("true")?);
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "<think>");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: Json<'static>) -> Self {
        let name = name.into();
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((Cow::Owned(name), value));
        self
    }

    /// This template with documents to answer from: a list of objects with `title` and `text`.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    /// use mistral_chat_template::chat::Json;
    ///
    /// let template = ChatTemplate::new("{% for document in documents %}{{ document.title }}{% endfor %}")?;
    /// let template = template.documents(Json::new(r#"[{"title": "Cats", "text": "They purr."}]"#)?);
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "Cats");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn documents(mut self, documents: Json<'static>) -> Self {
        self.documents = Some(documents);
        self
    }

    /// This template with or without a generation prompt.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    /// use mistral_chat_template::template::GenerationPrompt;
    ///
    /// let template = ChatTemplate::new("{{ add_generation_prompt }}")?;
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "False");
    /// let template = template.generation_prompt(GenerationPrompt::Added);
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "True");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn generation_prompt(mut self, generation_prompt: GenerationPrompt) -> Self {
        self.generation_prompt = generation_prompt;
        self
    }

    /// This template with a clock, without which `strftime_now` is unknown to it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    /// use mistral_chat_template::template::ClockTime;
    ///
    /// let template = ChatTemplate::new("{{ strftime_now('%Y-%m-%d') }}")?;
    /// assert!(template.render(&Chat::default()).is_err());
    /// let template = template.clock(|| ClockTime::from_unix_seconds(0));
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "1970-01-01");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> ClockTime + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// This template with the control tokens that its tokenizer knows; what it does not know is text.
    ///
    /// A template by itself has all of them; [`from_tokenizer_config`](ChatTemplate::from_tokenizer_config) reads them.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format, Layout, Segment};
    ///
    /// let template = ChatTemplate::new("[INST]")?.vocabulary(Layout::V1.vocabulary);
    /// assert!(template.render(&Chat::default())?.segments().eq([Segment::Text("[INST]")]));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = vocabulary;
        self
    }

    /// Has it a `{% generation %}` block, so that [`Prompt::mask`] knows what of its prompts is to be learnt?
    ///
    /// Most templates that come with a model have none; [`Layout::chat_template`](crate::Layout::chat_template) writes
    /// them.
    ///
    /// ```
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// assert!(ChatTemplate::new(&Layout::V7.chat_template())?.marks_generated());
    /// assert!(!ChatTemplate::new("{{ messages[0].content }}")?.marks_generated());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn marks_generated(&self) -> bool {
        self.main.program.generation || self.for_tools.as_ref().is_some_and(|template| template.program.generation)
    }

    /// Renders the chat, and says which bytes of the prompt the template marks as generated: what a trainer learns.
    ///
    /// # Errors
    ///
    /// As [`render`](Format::render).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Message, Prompt};
    /// use mistral_chat_template::train::Learn;
    ///
    /// let template = ChatTemplate::new(
    ///     "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% else %}\
    ///      {% generation %}{{ m.content }}{% endgeneration %}{% endif %}{% endfor %}",
    /// )?;
    /// let mut prompt = Prompt::new();
    /// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
    /// assert_eq!(template.render_generated(&chat, &mut prompt)?, [2..8]);
    /// assert_eq!(prompt.as_str(), "HiHello!");
    /// assert!(prompt.mask(Learn::Assistant)?.texts().eq(["Hello!"]));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn render_generated(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<Vec<Range<usize>>, Error> {
        self.render_view(ChatView::of_chat(self, chat), prompt)
    }

    /// Renders a chat as it was sent, as transformers' `apply_chat_template` does: any roles, any members, any chunks.
    ///
    /// A [`Chat`] that was read from JSON is shown to the template as it was sent as well; this is for what cannot be read
    /// into one.
    ///
    /// # Errors
    ///
    /// As [`render`](Format::render).
    ///
    /// ```
    /// use mistral_chat_template::ChatTemplate;
    /// use mistral_chat_template::chat::Sent;
    ///
    /// let template = ChatTemplate::new("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}")?;
    /// let sent = Sent::from_json(r#"{"messages": [{"role": "observation", "content": 21.5}]}"#)?;
    /// assert_eq!(template.render_sent(&sent)?.as_str(), "<|observation|>21.5");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn render_sent(&self, sent: &Sent<'_>) -> Result<Prompt, Error> {
        let mut prompt = Prompt::new();
        self.render_view(ChatView::of_sent(self, sent), &mut prompt).map(|_| prompt)
    }

    fn render_view(&self, view: Result<ChatView<'_>, Error>, prompt: &mut Prompt) -> Result<Vec<Range<usize>>, Error> {
        let mut writer = Writer::new(prompt, WordStart::Nothing);
        let view = view?;
        let rendered = render::render(self, &view)?;
        rendered.write(&mut writer, self.vocabulary);
        if let Some((_, end)) = self.special_tokens.iter().find(|(name, _)| name == "eos_token") {
            prompt.stop_at(end.clone());
        }
        Ok(rendered.generated())
    }

    /// Every text that the template itself has, without its comments.
    fn literals(&self) -> String {
        self.main.program.texts().collect::<Vec<_>>().join("\n")
    }

    fn compiled_for(&self, has_tools: bool) -> &Compiled {
        match &self.for_tools {
            Some(for_tools) if has_tools => for_tools,
            _ => &self.main,
        }
    }
}

impl Format for ChatTemplate {
    /// Renders the chat as transformers' `apply_chat_template` does.
    ///
    /// # Errors
    ///
    /// The template refuses the chat ([`TemplateRaised`]), asks for what is not there, or needs more work than is allowed.
    fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        self.render_generated(chat, prompt).map(|_| ())
    }
}

impl fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatTemplate")
            .field("limits", &self.limits)
            .field("vocabulary", &self.vocabulary)
            .field("special_tokens", &self.special_tokens)
            .field("variables", &self.variables)
            .field("generation_prompt", &self.generation_prompt)
            .finish_non_exhaustive()
    }
}

/// A template from its source.
impl std::str::FromStr for ChatTemplate {
    type Err = Error;

    fn from_str(source: &str) -> Result<Self, Error> {
        ChatTemplate::new(source)
    }
}
