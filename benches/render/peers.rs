//! What the library is measured beside: the limit, plain parses, a bare template engine, and `hf-chat-template`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use hf_chat_template::ChatTemplate;
use minijinja::Environment;
use minijinja::value::Serde;
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::SpanKind;
use mistral_chat_template::{Chat, ChatTemplate as OurTemplate, Content, Format, Message, Prompt};
use serde::Deserialize;
use serde_json::{Value, json};

/// The strings that a prompt is made of, each by itself: what messages say, and what the layout sets around them, be it a
/// control token, the space before a run, or text.
pub(crate) fn pieces(prompt: &Prompt, chat: &Chat<'_>) -> Vec<String> {
    let mut pieces = Vec::new();
    for span in prompt.spans() {
        let mut rest = &prompt.as_str()[span.range];
        if let SpanKind::Text(WordStart::Space) = span.kind {
            rest = &rest[1..];
            pieces.push(" ");
        }
        let said = span.message.and_then(|index| said(&chat.messages[index]));
        match said.and_then(|said| Some((said, rest.split_once(said)?))) {
            Some((said, (before, after))) => pieces.extend([before, said, after]),
            None => pieces.push(rest),
        }
    }
    pieces.into_iter().filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// The text of a message that is nothing but one.
fn said<'c>(message: &'c Message<'_>) -> Option<&'c str> {
    match message.content() {
        Content::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The limit: the same bytes, pushed.
pub(crate) fn push(pieces: &[String], buffer: &mut String) {
    buffer.clear();
    for piece in pieces {
        buffer.push_str(piece);
    }
}

#[derive(Deserialize)]
pub(crate) struct BareRequest<'a> {
    #[serde(borrow)]
    pub(crate) messages: Vec<BareMessage<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct BareMessage<'a> {
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) content: Cow<'a, str>,
}

/// A parse that keeps nothing but borrowed texts.
pub(crate) fn bare_parse(json: &[u8]) -> usize {
    let request: BareRequest<'_> = serde_json::from_slice(json).unwrap();
    request.messages.iter().map(|message| message.role.len() + message.content.len()).sum()
}

/// The layout of v3 text chats in three lines of Jinja, with nothing checked.
pub(crate) struct ThreeLines(Environment<'static>);

impl ThreeLines {
    pub(crate) fn new() -> Self {
        const TEMPLATE: &str = "<s>{% for m in messages %}{% if m.role == 'user' %}[INST] \
            {% if loop.last %}{{ system }}\n\n{% endif %}{{ m.content }}[/INST]\
            {% elif m.role == 'assistant' %} {{ m.content }}</s>{% endif %}{% endfor %}";
        let mut environment = Environment::new();
        environment.add_template("v3", TEMPLATE).unwrap();
        ThreeLines(environment)
    }

    pub(crate) fn render(&self, json: &str) -> String {
        let request: Value = serde_json::from_str(json).unwrap();
        self.render_value(&request)
    }

    pub(crate) fn render_value(&self, request: &Value) -> String {
        let template = self.0.get_template("v3").unwrap();
        let messages = minijinja::Value::from(Serde(&request["messages"]));
        let system = minijinja::Value::from(Serde(&request["messages"][0]["content"]));
        template.render(minijinja::context! { messages, system }).unwrap()
    }
}

/// The template that mistral-common generates for v3, through `hf-chat-template` and through this crate.
pub(crate) struct Official {
    template: ChatTemplate,
    context: Value,
    ours: OurTemplate,
}

impl Official {
    /// The template for v3, if its folder is known.
    pub(crate) fn new(json: &str) -> Option<Self> {
        let folder = std::env::var_os("MISTRAL_TEMPLATES")?;
        Official::open(&Path::new(&folder).join("v3_spm.jinja"), json)
    }

    /// Every template that both can render, with its name, in order.
    pub(crate) fn all(json: &str) -> Vec<(String, Self)> {
        let Some(folder) = std::env::var_os("MISTRAL_TEMPLATES") else { return Vec::new() };
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "jinja")).collect();
        paths.sort();
        let named = |path: PathBuf| Some((path.file_stem()?.to_str()?.to_owned(), Official::open(&path, json)?));
        let all = paths.into_iter().filter_map(named);
        all.filter(|(_, official)| official.template.render_context(&official.context).is_ok()).collect()
    }

    fn open(path: &Path, json: &str) -> Option<Self> {
        let source = std::fs::read_to_string(path).ok()?;
        let mut context: Value = serde_json::from_str(json).unwrap();
        context["bos_token"] = json!("<s>");
        context["eos_token"] = json!("</s>");
        let ours = OurTemplate::new(&source).unwrap();
        let ours = ours.special_token("bos_token", "<s>").special_token("eos_token", "</s>");
        Some(Official { template: ChatTemplate::from_str(&source).ok()?, context, ours })
    }

    pub(crate) fn render(&self) -> String {
        self.template.render_context(&self.context).unwrap()
    }

    pub(crate) fn render_ours(&self, chat: &Chat<'_>, prompt: &mut Prompt) {
        self.ours.render_into(chat, prompt).unwrap();
    }
}
