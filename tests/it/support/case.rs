//! One golden case: a request and a layout into a prompt, as `tests/goldens/README.md` says.

use std::fs;
use std::path::Path;

use mistral_chat_template::layout::{Settings, WordStart};
use mistral_chat_template::render::{CheckedChat, Fim};
use mistral_chat_template::{Chat, Dialect, Error, Format, Layout, Message, Mode, Prompt, Segment};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub version: String,
    pub kind: Option<String>,
    mode: Option<String>,
    #[serde(default)]
    pub finetuning_messages: bool,
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

/// Every golden, file by file. A chat of v3 without a system prompt is one of magnum too, and so is one
/// that is refused.
pub fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let files = |part: &str| fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files("mistral_common").chain(files("magnum")).collect();
    files.sort();
    let mut cases = Vec::new();
    // What `instruct.jsonl` holds is past checking and gathering, which no caller of this library can be.
    for file in files.iter().filter(|file| !file.ends_with("instruct.jsonl")) {
        for line in fs::read_to_string(file).unwrap().lines() {
            let case = Case::parse(line);
            let has_system = line.contains(r#""system""#) || line.contains(r#""developer""#);
            if case.version == "v3" && (case.refused.is_some() || !has_system) {
                let id = format!("{}/magnum", case.id);
                cases.push(Case { id, version: "magnum".to_owned(), ..Case::parse(line) });
            }
            cases.push(case);
        }
    }
    cases
}

impl Case {
    pub fn parse(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The prompt's string, where there is a prompt.
    pub fn printed(&self) -> String {
        let part = |segment: &Value| match (&segment["control"], &segment["text"], segment["media"].as_str()) {
            (Value::String(text), _, _) | (_, Value::String(text), _) => text.clone(),
            (_, _, Some("image")) => "[IMG]".to_owned(),
            _ => "[AUDIO]".to_owned(),
        };
        let segments = self.segments.iter().flatten();
        self.string.clone().unwrap_or_else(|| segments.map(part).collect())
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

pub fn dialect(case: &Case) -> Dialect {
    match case.kind.as_deref() {
        Some("openai") => Dialect::OpenAi,
        _ => Dialect::Mistral,
    }
}

impl Case {
    /// The chat of a case that is one.
    pub fn chat(&self) -> Result<Chat<'_>, Error> {
        let mut chat = Chat::read(self.request.get(), dialect(self))?;
        if !self.finetuning_messages {
            for message in &mut chat.messages {
                if let Message::Assistant(message) = message {
                    message.weight = None;
                }
            }
        }
        Ok(chat)
    }
}

pub fn render(case: &Case) -> Result<Prompt, Error> {
    render_with(case, &case.layout())
}

pub fn render_with(case: &Case, layout: &Layout) -> Result<Prompt, Error> {
    let request = case.request.get();
    if case.kind.as_deref() == Some("fim") {
        return layout.render_fim(&Fim::from_json(request)?);
    }
    let chat = case.chat()?;
    if !truncates(request) {
        return layout.render(&chat);
    }
    let mut prompt = Prompt::new();
    let conversation = CheckedChat::new(&chat, layout)?;
    let budget = case.max_model_input_len.unwrap_or(usize::MAX);
    conversation.truncate(budget, count_tokens(layout))?.render_into(&mut prompt);
    Ok(prompt)
}

fn truncates(request: &str) -> bool {
    #[derive(Deserialize)]
    struct Flag {
        #[serde(default)]
        truncate_for_context_length: bool,
    }
    request.contains("truncate_for_context_length")
        && serde_json::from_str(request).is_ok_and(|flag: Flag| flag.truncate_for_context_length)
}

/// Counts tokens as the version's own tokenizer does, for the texts of the goldens of truncation.
fn count_tokens(layout: &Layout) -> impl Fn(Segment<'_>) -> usize + use<> {
    let counts: Value = serde_json::from_str(include_str!("../../goldens/token_counts.json")).unwrap();
    let tokenizer = match layout.word_start {
        WordStart::Space => "sentencepiece",
        WordStart::Nothing => "tekken",
    };
    move |segment| match segment {
        Segment::Text(text) => counts[tokenizer][text].as_u64().map_or(1, |count| count.try_into().unwrap()),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

/// Chats that mistral-common refuses for a field that does not shape the prompt; such fields are passed over here.
const REFUSED_FOR_OTHER_FIELDS: [&str; 7] = [
    "extra/openai/two_seeds/v3",
    "extra/openai/weights/v3",
    "extra/weights/plain_messages/v3",
    "invalid/extra_message_field/v3",
    "invalid/temperature_out_of_range/v3",
    // A budget is an argument here, not a field.
    "invalid/truncate_without_len/v7-tekken",
    "invalid/weight_not_finetuning_msg/v3",
];

/// Refusals whose class is another one here, all of requests in OpenAI's form.
const OTHER_FAMILY: [&str; 7] = [
    // A wrong type in JSON is a wrong form in both dialects.
    "extra/openai/calls_not_list/v3",
    "extra/openai/number_content/v3",
    // Of several faults in one request, the one that is read first is told.
    "extra/openai/chunk_then_key/v3",
    "extra/openai/chunk_then_reasoning/v3",
    "extra/openai/continue_and_format/v3",
    "extra/openai/continue_and_tool/v3",
    "extra/openai/continue_and_chunk/v3",
];

fn segments(prompt: &Prompt) -> Vec<Value> {
    let value = |segment| match segment {
        Segment::Control(control) => json!({"control": control.as_str()}),
        Segment::Text(text) => json!({"text": text}),
        Segment::Media(media) => json!({"media": media.as_str()}),
    };
    prompt.segments().map(value).collect()
}

/// What is wrong with the answer to a case, if anything.
pub fn difference(case: &Case, answer: Result<Prompt, Error>) -> Option<String> {
    match (&case.segments, &case.refused, answer) {
        (Some(expected), _, Ok(prompt)) => {
            let actual = segments(&prompt);
            if &actual != expected {
                return Some(format!("segments {}\nexpected {}", json!(actual), json!(expected)));
            }
            let string = case.string.clone().unwrap_or_else(|| prompt.plain());
            (prompt.as_str() != string).then(|| format!("string   {:?}\nexpected {string:?}", prompt.as_str()))
        }
        (Some(expected), _, Err(error)) => Some(format!("refused: {error}\nexpected {}", json!(expected))),
        (None, _, Ok(_)) if listed(&REFUSED_FOR_OTHER_FIELDS, case) => None,
        (None, refused, Ok(prompt)) => Some(format!("rendered: {prompt}\nexpected {refused:?}")),
        (None, refused, Err(error)) => {
            let family = error.family().as_str();
            let listed = listed(&OTHER_FAMILY, case);
            let same = refused.as_ref().is_some_and(|refused| refused.family == family);
            (!same && !listed).then(|| format!("refused as {family}: {error}\nexpected {refused:?}"))
        }
    }
}

fn listed(ids: &[&str], case: &Case) -> bool {
    ids.contains(&case.id.trim_end_matches("/magnum"))
}
