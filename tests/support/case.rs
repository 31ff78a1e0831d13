//! One golden case: a request and a layout into a prompt, as `tests/goldens/README.md` says.

use mistral_chat_template::{
    Chat, Dialect, EffortSetting, Efforts, Error, Fim, Format, Layout, Message, Mode, Prompt, ReasoningEffort,
    SchemaSetting, Settings,
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
        let mode = match self.mode.as_deref() {
            None | Some("test") => Mode::Test,
            Some("serving") => Mode::Serving,
            Some("finetuning") => Mode::Finetuning,
            Some("agnostic") => Mode::Agnostic,
            Some(other) => panic!("{other}"),
        };
        let settings = match self.options.get("settings_builder") {
            None => layout.settings,
            Some(Value::Null) => Settings::Missing,
            Some(builder) => Settings::Block { effort: effort(builder), schema: schema(builder) },
        };
        let settings = if layout.settings == Settings::Unknown { Settings::Unknown } else { settings };
        Layout { mode, settings, ..layout }
    }
}

fn effort(builder: &Value) -> Option<EffortSetting> {
    let named = |value: &Value| ReasoningEffort::from_name(value.as_str().unwrap()).unwrap();
    let effort = builder.get("reasoning_effort").filter(|effort| !effort.is_null())?;
    let values: Vec<_> = effort["values"].as_array().unwrap().iter().map(named).collect();
    Some(EffortSetting { values: Efforts::of(&values), default: named(&effort["default"]) })
}

fn schema(builder: &Value) -> SchemaSetting {
    match builder.get("json_schema") {
        None | Some(Value::Null) => SchemaSetting::NotPrinted,
        Some(_) => SchemaSetting::Printed,
    }
}

pub fn dialect(case: &Case) -> Dialect {
    match case.kind.as_deref() {
        Some("openai") => Dialect::OpenAi,
        _ => Dialect::Mistral,
    }
}

pub fn render(case: &Case) -> Result<Prompt, Error> {
    let (layout, request) = (case.layout(), case.request.get());
    if case.kind.as_deref() == Some("fim") {
        let fim: Value = serde_json::from_str(request).unwrap();
        let part = |name: &str| fim[name].as_str().unwrap_or_default().to_owned().into();
        return layout.render_fim(&Fim { prompt: part("prompt"), suffix: part("suffix") });
    }
    let mut chat = Chat::read(request, dialect(case))?;
    if !case.finetuning_messages {
        for message in &mut chat.messages {
            if let Message::Assistant(message) = message {
                message.weight = None;
            }
        }
    }
    layout.render(&chat)
}
