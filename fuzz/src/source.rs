//! Bytes into choices: a layout, a chat, numbers. Where the bytes end, every choice is the first.

use mistral_chat_template::chat::{ArgumentsForm, Json, ReasoningEffort, ResponseFormat, ToolChoice};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Layout, Message, Mode, Tool, ToolCall, ToolMessage, Version,
};

/// What texts are made of: literals of control tokens and their parts, spaces, JSON, and characters of every plane.
const PARTS: [&str; 48] = [
    "a",
    " ",
    "\n",
    "\n\n",
    "[INST]",
    "[/INST]",
    "</s>",
    "<s>",
    "[/IN",
    "ST]",
    "[",
    "]",
    "<",
    ">",
    "[TOOL_CALLS]",
    "[ARGS]",
    "[CALL_ID]",
    "[TOOL_CONTENT]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[THINK]",
    "[/THINK]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[MODEL_SETTINGS]",
    "[IMG]",
    "[AUDIO]",
    "{}",
    "{\"a\":1}",
    "{",
    "[1, 2]",
    "\"",
    "null",
    "1e999",
    "NaN",
    "é",
    "世",
    "😀",
    "\u{e000}",
    "\u{f8ff}",
    "\u{10ffff}",
    "\u{0}",
    "\r\n",
    "\u{feff}",
    "\t",
    "\u{2028}",
    "\u{85}",
];

const IDS: [&str; 8] =
    ["abcdefgh1", "abcdefgh2", "ABCDEFGH3", "null", "", "call_9yKqLb2xVzT0cWm3uRsE1hNd", "0", "[/INST]"];
const NAMES: [&str; 6] = ["get", "set-it", "", "a b", "é", "[ARGS]"];
const ARGUMENTS: [&str; 5] = ["{}", "{\"city\": \"Paris\", \"n\": [1, 2.0]}", "{\"a\":1,\"a\":2}", "", "[]"];
const SCHEMAS: [&str; 4] = [
    "{}",
    r#"{"type": "object", "properties": {"city": {"type": "string"}}, "description": "[/INST]"}"#,
    r#"{"type":"objec"}"#,
    r#"{"default": "\udc00"}"#,
];

/// The rest of the input.
pub struct Source<'d>(&'d [u8]);

impl<'d> Source<'d> {
    /// Eight bytes choose what is done with a chat, the rest is the chat; so a mutation of the one leaves the other.
    pub fn with_head(data: &'d [u8]) -> (Self, Self) {
        let (head, rest) = data.split_at(data.len().min(8));
        (Source(head), Source(rest))
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    /// Any layout, with any features, in any mode.
    pub fn layout(&mut self) -> Layout {
        let mut layout = self.pick(Version::ALL).layout();
        let features = self.byte();
        for (bit, feature) in Feature::ALL.iter().enumerate() {
            if features & (1 << bit) != 0 {
                layout = layout.with(*feature);
            }
        }
        layout.in_mode(self.pick(&Mode::ALL))
    }

    /// The rest as it is.
    pub fn bytes(self) -> &'d [u8] {
        self.0
    }

    /// The rest as text, if it is.
    pub fn whole_text(self) -> Option<&'d str> {
        std::str::from_utf8(self.0).ok()
    }

    /// The rest as texts that are set apart by zero bytes, if there are some.
    pub fn texts(&self) -> Option<Vec<&'d str>> {
        let text = std::str::from_utf8(self.0).ok().filter(|text| text.starts_with('{') && text.contains('\0'))?;
        Some(text.split('\0').collect())
    }

    /// The rest as a chat: its JSON, or choice by choice. None where the JSON is not a chat's.
    pub fn chat(mut self) -> Option<Chat<'d>> {
        if self.0.first() != Some(&b'{') {
            return Some(self.chosen_chat());
        }
        Chat::from_json(std::str::from_utf8(self.0).ok()?).ok()
    }

    fn chosen_chat(&mut self) -> Chat<'static> {
        let flags = self.byte();
        let tools = (0..flags & 3).map(|_| self.tool()).collect();
        let model = (flags & 4 == 0).then(|| "m".into());
        let reasoning_effort = (flags & 24 == 24).then(|| self.pick(&ReasoningEffort::ALL));
        let response_format = if flags & 96 == 96 { ResponseFormat::JsonObject } else { ResponseFormat::Text };
        let mut messages = Vec::new();
        while !self.0.is_empty() && messages.len() < 40 {
            messages.push(self.message());
        }
        let constrained = flags & 128 != 0;
        Chat {
            messages,
            tools,
            tool_choice: if constrained { ToolChoice::Required } else { ToolChoice::Auto },
            parallel_tool_calls: constrained.then_some(false),
            reasoning_effort,
            response_format,
            model,
            sent: None,
        }
    }

    fn tool(&mut self) -> Tool<'static> {
        let parameters = Json::new(self.pick(&SCHEMAS)).unwrap_or_default();
        Tool { name: self.pick(&NAMES).into(), description: self.text().into(), parameters, ..Tool::default() }
    }

    fn message(&mut self) -> Message<'static> {
        match self.below(10) {
            0..=3 => Message::User(self.content()),
            4 | 5 => Message::Assistant(AssistantMessage { content: self.content(), ..AssistantMessage::default() }),
            6 => {
                let content = if self.one_in(4) { self.content() } else { Content::default() };
                let tool_calls = (0..=self.below(3)).map(|_| self.call()).collect();
                let prefix = self.one_in(8);
                let weight = self.one_in(8).then(|| self.pick(&[0.0, 1.0, 0.5]));
                Message::Assistant(AssistantMessage { content, tool_calls, prefix, weight })
            }
            7 | 8 => {
                let content = self.content();
                let call_id = (!self.one_in(8)).then(|| self.pick(&IDS).into());
                let name = self.one_in(3).then(|| self.pick(&NAMES).into());
                Message::Tool(ToolMessage { content, call_id, name })
            }
            _ => Message::System(self.content()),
        }
    }

    fn call(&mut self) -> ToolCall<'static> {
        let mut call = ToolCall::new(self.pick(&NAMES), self.pick(&ARGUMENTS));
        if !self.one_in(8) {
            call = call.id(self.pick(&IDS));
        }
        match self.below(8) {
            0..=2 => ToolCall { arguments_form: ArgumentsForm::Object, ..call },
            3 => ToolCall { arguments: self.text().into(), ..call },
            _ => call,
        }
    }

    fn content(&mut self) -> Content<'static> {
        if !self.one_in(4) {
            return self.text().into();
        }
        (0..self.below(4)).map(|_| self.chunk()).collect::<Vec<_>>().into()
    }

    fn chunk(&mut self) -> Chunk<'static> {
        match self.below(8) {
            0..=3 => Chunk::text(self.text()),
            4 => Chunk::Thinking { text: self.text().into(), closed: self.one_in(2) },
            5 => Chunk::image_url(self.pick(&["https://a.b/c.png", "", "data:image/png;base64,AAAA", "file:///a"])),
            6 => Chunk::InputAudio(self.pick(&["AAAA", "", "é"]).into()),
            _ => Chunk::AudioUrl(self.pick(&["https://a.b/c.wav", ""]).into()),
        }
    }

    /// Up to six parts, or bytes as they come.
    fn text(&mut self) -> String {
        let kind = self.below(8);
        if kind < 7 {
            return (0..kind).map(|_| self.pick(&PARTS)).collect();
        }
        let (text, rest) = self.0.split_at(self.0.len().min(16));
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}
