//! Skeleton invariance: whatever the texts of a chat say, its control tokens are the same.
//!
//! A chat of random texts, and the same chat with every text that a stranger writes replaced by another of its class:
//! one that is empty or blank by itself, one that says something by one that says something, a name by a name, an id by
//! an id, JSON by JSON of the same form, equal texts by equal ones and others by others, because templates compare them.
//! Where both are rendered, the sequence of control tokens is one and the same.
//!
//! 6,000 chats; `PROPTEST_CASES=1000000 cargo test --release --test it skeleton:: -- --nocapture` runs a million of each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use mistral_chat_template::chat::{Json, ResponseFormat, ResponseSchema};
use mistral_chat_template::preset::{Builtin, Scene};
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Control, Error, Format, Layout, Message, Mode, Prompt, Segment, Tool,
    ToolCall, ToolMessage,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde_json::{Map, Value};

use crate::support::arbitrary;

/// Texts to replace others by, taken in turn.
struct Texts<'t> {
    texts: &'t [String],
    /// What was replaced, and by what.
    replaced: HashMap<String, String>,
}

impl<'t> Texts<'t> {
    fn new(texts: &'t [String]) -> Self {
        Texts { texts, replaced: HashMap::new() }
    }

    /// Another text, which says something if this one does.
    fn text(&mut self, old: &str) -> String {
        if !says_something(old) {
            return old.to_owned();
        }
        let (texts, count) = (self.texts, self.replaced.len());
        let new = || {
            let new = &texts[count % texts.len()];
            let is_first = count < texts.len() && says_something(new) && !texts[..count].contains(new);
            if is_first { new.clone() } else { format!("{new}{count}") }
        };
        self.replaced.entry(old.to_owned()).or_insert_with(new).clone()
    }

    fn cow(&mut self, old: &str) -> Cow<'static, str> {
        self.text(old).into()
    }

    fn chat(&mut self, chat: &Chat<'_>) -> Chat<'static> {
        Chat {
            messages: chat.messages.iter().map(|message| self.message(message)).collect(),
            tools: chat.tools.iter().map(|tool| self.tool(tool)).collect(),
            tool_choice: chat.clone().into_owned().tool_choice,
            parallel_tool_calls: chat.parallel_tool_calls,
            reasoning_effort: chat.reasoning_effort,
            response_format: self.response_format(&chat.response_format),
            model: chat.model.as_deref().map(|model| self.cow(model)),
            sent: None,
        }
    }

    fn message(&mut self, message: &Message<'_>) -> Message<'static> {
        match message {
            Message::System(content) => Message::System(self.content(content)),
            Message::User(content) => Message::User(self.content(content)),
            Message::Assistant(message) => Message::Assistant(AssistantMessage {
                content: self.content(&message.content),
                tool_calls: message.tool_calls.iter().map(|call| self.call(call)).collect(),
                ..*message
            }),
            Message::Tool(result) => Message::Tool(ToolMessage {
                content: self.content(&result.content),
                call_id: result.call_id.as_deref().map(other_name),
                name: result.name.as_deref().map(other_name),
            }),
            other => panic!("no other text for {other:?}"),
        }
    }

    fn content(&mut self, content: &Content<'_>) -> Content<'static> {
        match content {
            Content::Text(text) => Content::Text(self.cow(text)),
            Content::Chunks(chunks) => Content::Chunks(chunks.iter().map(|chunk| self.chunk(chunk)).collect()),
        }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) -> Chunk<'static> {
        match chunk {
            Chunk::Text(text) => Chunk::Text(self.cow(text)),
            Chunk::Thinking { text, closed } => Chunk::Thinking { text: self.cow(text), closed: *closed },
            Chunk::ImageUrl { url, detail } => Chunk::ImageUrl {
                url: format!("{url}{}", self.text("x")).into(),
                detail: detail.as_deref().map(|detail| self.cow(detail)),
            },
            Chunk::Image(data) => Chunk::Image(self.cow(data)),
            Chunk::InputAudio(data) => Chunk::InputAudio(self.cow(data)),
            Chunk::AudioUrl(url) => Chunk::AudioUrl(format!("{url}{}", self.text("x")).into()),
            _ => unreachable!("every chunk that there is"),
        }
    }

    fn call(&mut self, call: &ToolCall<'_>) -> ToolCall<'static> {
        let arguments = match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
            Ok(arguments) => self.json(&Value::Object(arguments)).to_string().into(),
            Err(_) => self.cow(&call.arguments),
        };
        ToolCall {
            id: call.id.as_deref().map(other_name),
            name: other_name(&call.name),
            arguments,
            arguments_form: call.arguments_form,
        }
    }

    fn tool(&mut self, tool: &Tool<'_>) -> Tool<'static> {
        Tool {
            name: other_name(&tool.name),
            description: self.cow(&tool.description),
            parameters: self.schema(&tool.parameters),
            strict: tool.strict,
        }
    }

    fn response_format(&mut self, format: &ResponseFormat<'_>) -> ResponseFormat<'static> {
        match format {
            ResponseFormat::Text => ResponseFormat::Text,
            ResponseFormat::JsonObject => ResponseFormat::JsonObject,
            ResponseFormat::JsonSchema(schema) => ResponseFormat::JsonSchema(ResponseSchema {
                name: self.cow(&schema.name),
                description: schema.description.as_deref().map(|description| self.cow(description)),
                schema: self.schema(&schema.schema),
                strict: schema.strict,
            }),
            _ => unreachable!("every format that there is"),
        }
    }

    /// JSON of the same form with other texts and keys.
    fn json(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(values) => values.iter().map(|value| self.json(value)).collect(),
            Value::Object(fields) => fields.iter().map(|(key, value)| (self.text(key), self.json(value))).collect(),
            other => other.clone(),
        }
    }

    /// A schema whose words stay and whose texts do not.
    fn schema(&mut self, schema: &Json<'_>) -> Json<'static> {
        let Value::Object(fields) = serde_json::from_str(schema.as_str()).unwrap() else { return Json::default() };
        let replaced = fields.iter().map(|(word, value)| match &**word {
            "type" => (word.clone(), value.clone()),
            _ => (word.clone(), self.json(value)),
        });
        Json::from_serialize(&replaced.collect::<Map<_, _>>()).unwrap()
    }
}

/// Has the text a letter, a digit or a sign, which nobody takes for white space?
fn says_something(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_graphic())
}

/// Another name or id of the same length and form: what is not a name does not become one, and what differs still does.
fn other_name(name: &str) -> Cow<'static, str> {
    let rotated = |character: char| match character {
        'a'..='z' => char::from(b'a' + (character as u8 - b'a' + 7) % 26),
        '0'..='9' => char::from(b'0' + (character as u8 - b'0' + 3) % 10),
        other => other,
    };
    name.chars().map(rotated).collect::<String>().into()
}

fn controls(prompt: &Prompt) -> impl Iterator<Item = Control> {
    prompt.segments().filter_map(|segment| if let Segment::Control(control) = segment { Some(control) } else { None })
}

/// How many pairs of prompts were compared, and how many chats refused.
#[derive(Default)]
struct Count {
    compared: Cell<usize>,
    refused: Cell<usize>,
}

impl Count {
    fn compare(
        &self,
        name: &str,
        one: Result<Prompt, Error>,
        other: impl FnOnce() -> Result<Prompt, Error>,
    ) -> TestCaseResult {
        let Ok(one) = one else {
            self.refused.set(self.refused.get() + 1);
            return Ok(());
        };
        match other() {
            Ok(other) => {
                prop_assert!(controls(&one).eq(controls(&other)), "{name}: {one:?} beside {other:?}");
                self.compared.set(self.compared.get() + 1);
            }
            Err(_) => self.refused.set(self.refused.get() + 1),
        }
        Ok(())
    }

    /// Most of what was tried was compared.
    #[track_caller]
    fn print(self, what: &str, cases: u32) {
        let (compared, refused) = (self.compared.get(), self.refused.get());
        println!("{cases} chats in {what}: {compared} pairs of prompts compared, {refused} chats refused");
        assert!(compared > refused / 8, "{compared} of {}", compared + refused);
    }
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(arbitrary::text(), 1..6)
}

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> TestCaseResult) -> u32 {
    let config = ProptestConfig { failure_persistence: None, ..arbitrary::cases(cases) };
    let cases = config.cases;
    TestRunner::new(config).run(&strategy, test).unwrap();
    cases
}

/// One of these, another each time.
fn turning<'t, T>(all: &'t [T]) -> impl Fn() -> &'t T {
    let next = Cell::new(0);
    move || &all[next.replace(next.get() + 1) % all.len()]
}

#[test]
fn of_layouts() {
    let count = Count::default();
    let layouts: Vec<Layout> = arbitrary::layouts().into_iter().map(|layout| layout.in_mode(Mode::Agnostic)).collect();
    let of_features: [Vec<&Layout>; 3] = [0, 1, 2].map(|features| layouts.iter().skip(features).step_by(3).collect());
    let layouts = turning(&of_features);
    let cases = run(3_000, (arbitrary::chat(), texts()), |(chat, texts)| {
        let other = Texts::new(&texts).chat(&chat);
        for layout in layouts() {
            count.compare(layout.name, layout.render(&chat), || layout.render(&other))?;
        }
        Ok(())
    });
    count.print("layouts", cases);
}

/// What a scene says, field by field, in the order in which [`scene`] takes them.
fn story() -> impl Strategy<Value = Vec<String>> {
    vec(arbitrary::text(), 12)
}

/// A scene that says this. Who speaks has a name that is his alone and no macro, and the examples are one exchange:
/// how many there are is what the lines of a card say.
fn scene(story: &[String]) -> Scene {
    let line = |text: &str| text.replace(['\n', '\r', '\\', '{', '}'], " ");
    let [description, personality, scenario, system, after, persona, before_world, after_world, bias, user, char, said] =
        story
    else {
        unreachable!("twelve texts")
    };
    let mut scene = Scene {
        user: format!("U{}", line(user)),
        char: format!("C{}", line(char)),
        description: description.clone(),
        personality: personality.clone(),
        scenario: scenario.clone(),
        examples: format!("<START>\n{{{{user}}}}: x{}\n{{{{char}}}}: y{}", line(said), line(said)),
        system_prompt: system.clone(),
        post_history: after.clone(),
        persona: persona.clone(),
        world_before: before_world.clone(),
        world_after: after_world.clone(),
        ..Scene::default()
    };
    scene.settings.bias = bias.clone();
    scene
}

#[test]
fn of_presets() {
    let count = Count::default();
    let presets = Builtin::ALL.map(|builtin| (builtin.as_str(), builtin.preset()));
    let preset = turning(&presets);
    let chats = vec(arbitrary::message(), 1..5).prop_map(Chat::new);
    let cases = run(1_000, (chats, story(), texts()), |(chat, story, texts)| {
        let mut others = Texts::new(&texts);
        let other = others.chat(&chat);
        let other_story: Vec<String> = story.iter().map(|text| others.text(text)).collect();
        let (name, preset) = preset();
        let render = |story: &[String], chat| preset.with_scene(&scene(story))?.render(chat);
        count.compare(name, render(&story, &chat), || render(&other_story, &other))
    });
    count.print("presets", cases);
}

#[test]
fn of_templates() {
    use mistral_chat_template::{ChatTemplate, Version};
    use std::{env, fs, path::Path};

    let folders = [
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates")),
        env::var_os("MISTRAL_TEMPLATES").map(Into::into),
    ];
    let files = folders.into_iter().flatten().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "jinja"));
    let sources = files.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()));
    let written = Version::ALL.iter().map(|version| version.layout());
    let written = written.map(|layout| (layout.name.to_owned(), layout.chat_template()));
    let templates: Vec<_> =
        sources.chain(written).map(|(name, source)| (name, ChatTemplate::new(&source).unwrap())).collect();

    let count = Count::default();
    let template = turning(&templates);
    let cases = run(2_000, (arbitrary::chat(), texts()), |(chat, texts)| {
        let other = Texts::new(&texts).chat(&chat);
        let (name, template) = template();
        count.compare(name, template.render(&chat), || template.render(&other))
    });
    count.print("templates", cases);
}
