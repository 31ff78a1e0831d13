//! One golden case: a request and a layout into a prompt, as `tests/goldens/README.md` says.

use mistral_chat_template::{
    Chat, Conversation, Dialect, EffortSetting, Efforts, Error, Fim, Format, Layout, Message, Mode, Prompt,
    ReasoningEffort, SchemaSetting, Segment, Settings, WordStart,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub version: String,
    pub kind: Option<String>,
    mode: Option<String>,
    #[serde(default)]
    finetuning_messages: bool,
    pub max_model_input_len: Option<usize>,
    #[serde(default)]
    options: Value,
    pub request: Box<RawValue>,
    /// The prompt, where there is one.
    pub segments: Option<Vec<Value>>,
    /// The prompt with printed spaces, where it is not the segments' own text.
    pub string: Option<String>,
    pub refused: Option<Refused>,
}

#[derive(Debug, Deserialize)]
pub struct Refused {
    pub stage: String,
    pub family: String,
    pub error: String,
}

impl Case {
    pub fn parse(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub fn layout(&self) -> Layout {
        // Thinking as plain text is a matter of templates alone.
        let layout: Layout = self.version.replace("+plainthink", "").parse().unwrap();
        let mode = self.mode.as_deref().map_or(Mode::Test, |name| Mode::from_name(name).unwrap());
        let settings = match (self.options.get("settings_builder"), layout.settings) {
            (None, settings) | (_, settings @ Settings::Unknown) => settings,
            (Some(builder), _) => Settings::from_json(&builder.to_string()).unwrap(),
        };
        Layout { mode, settings, ..layout }
    }
}

pub fn render(case: &Case) -> Result<Prompt, Error> {
    let (layout, request) = (case.layout(), case.request.get());
    let dialect = match case.kind.as_deref() {
        Some("fim") => {
            return layout.render_fim(&Fim::from_json(request)?);
        }
        Some("openai") => Dialect::OpenAi,
        _ => Dialect::Mistral,
    };
    let mut chat = Chat::read(request, dialect)?;
    if !case.finetuning_messages {
        for message in &mut chat.messages {
            if let Message::Assistant(message) = message {
                message.weight = None;
            }
        }
    }
    if !truncates(request) {
        return layout.render(&chat);
    }
    let mut prompt = Prompt::new();
    let conversation = Conversation::new(&chat, &layout)?;
    let budget = case.max_model_input_len.unwrap_or(usize::MAX);
    conversation.truncate(budget, count_tokens(&layout))?.render_into(&mut prompt);
    Ok(prompt)
}

fn truncates(request: &str) -> bool {
    #[derive(Deserialize)]
    struct Flag {
        #[serde(default)]
        truncate_for_context_length: bool,
    }
    serde_json::from_str(request).is_ok_and(|flag: Flag| flag.truncate_for_context_length)
}

/// Counts tokens as the version's own tokenizer does, for the texts of the goldens of truncation.
fn count_tokens(layout: &Layout) -> impl Fn(Segment<'_>) -> usize + use<> {
    let counts: Value = serde_json::from_str(include_str!("../goldens/token_counts.json")).unwrap();
    let tokenizer = match layout.word_start {
        WordStart::Space => "sentencepiece",
        WordStart::Nothing => "tekken",
    };
    move |segment| match segment {
        Segment::Text(text) => counts[tokenizer][text].as_u64().map_or(1, |count| count.try_into().unwrap()),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}
