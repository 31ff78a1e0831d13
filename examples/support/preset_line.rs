//! A line of `render_jsonl` with a SillyTavern preset: `preset`, `story`, `chat` and `options` into a prompt. What the
//! line says and this does not understand is refused.
#![allow(dead_code, reason = "each example uses a part")]

use std::fmt;

use mistral_chat_template::preset::{
    Builtin, Context, Generation, Injection, InjectionPlace, InjectionRole, QuietVoice, Scene, SceneMessage,
    SceneSettings, Speaker,
};
use mistral_chat_template::{Error, Preset, Prompt};
use serde_json::{Map, Value};

/// Why a line has no prompt.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The library refuses the preset or the scene.
    Refused(Error),
    /// The line holds what this does not understand: where, and what belongs there.
    Line { at: String, expected: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(error) => error.fmt(f),
            Fault::Line { at, expected } => write!(f, "{at}: {expected}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Refused(error)
    }
}

fn wrong<T>(at: &str, expected: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Line { at: at.to_owned(), expected: expected.into() })
}

/// Renders a line.
pub(crate) fn render(line: &Value) -> Result<Prompt, Fault> {
    let fields = Fields::of(line, "", &[])?;
    if fields.value("preset").is_none() {
        return wrong("preset", "this must be an object of context, instruct and sysprompt");
    }
    render_with(&preset(&fields.object("preset", SECTIONS)?, &fields.object("options", OPTIONS)?)?, line)
}

/// Renders the `story`, `chat` and `options` of a line with a preset.
pub(crate) fn render_with(preset: &Preset, line: &Value) -> Result<Prompt, Fault> {
    let line = Fields::of(line, "", &[])?;
    let scene = scene(&line.object("story", STORY)?, &line.object("options", OPTIONS)?)?;
    let mut prompt = Prompt::new();
    preset.with_scene(&scene)?.render_messages(&messages(&line)?, &mut prompt)?;
    Ok(prompt)
}

/// The preset of a line.
pub(crate) fn preset_of(line: &Value) -> Result<Preset, Fault> {
    let fields = Fields::of(line, "", &[])?;
    preset(&fields.object("preset", SECTIONS)?, &fields.object("options", OPTIONS)?)
}

const SECTIONS: &[&str] = &["context", "instruct", "sysprompt"];
const STORY: &[&str] = &[
    "user",
    "char",
    "description",
    "personality",
    "scenario",
    "mesExamples",
    "first_mes",
    "char_system_prompt",
    "char_post_history",
    "persona",
    "wiBefore",
    "wiAfter",
];
const OPTIONS: &[&str] = &[
    "type",
    "quiet_prompt",
    "quiet_to_loud",
    "injections",
    "instruct_enabled",
    "bind_to_context",
    "migrate_system_prompt",
    "user_prompt_bias",
    "strip_examples",
    "collapse_newlines",
    "group",
    "prefer_character_prompt",
    "prefer_character_jailbreak",
    "custom_stopping_strings",
    "custom_stopping_strings_macro",
    "max_context",
    "amount_gen",
    // These change nothing here: there is no limit of tokens, no second macro engine, and no thinking in a prompt.
    "token_padding",
    "pin_examples",
    "experimental_macro_engine",
    "reasoning",
];
const MESSAGE: &[&str] = &["name", "mes", "is_user", "narrator", "force_avatar", "extra"];
const INJECTION: &[&str] = &["value", "position", "depth", "role", "id", "key"];

/// The preset of `{"context", "instruct", "sysprompt"}`, loaded into a fresh install.
fn preset(files: &Fields<'_>, options: &Fields<'_>) -> Result<Preset, Fault> {
    let mut preset = Preset::default();
    if let Some(context) = files.file("context")? {
        preset.load_context(&context)?;
    }
    if let Some(instruct) = files.file("instruct")? {
        let before = preset.system.clone();
        preset.load_instruct(&instruct)?;
        if options.flag("migrate_system_prompt")? == Some(false) {
            preset.system = before;
        }
    }
    match files.value("sysprompt") {
        Some(Value::String(content)) => preset = preset.with_system_prompt(content.clone()),
        Some(Value::Object(_)) => preset.load_system(&files.file("sysprompt")?.unwrap_or_default())?,
        Some(_) => return wrong("preset.sysprompt", "a system prompt is a text or SillyTavern's file"),
        None => {}
    }
    let is_bound = options.flag("bind_to_context")?.unwrap_or(false) && preset.instruct.name != preset.context.name;
    if let Some(context) = Context::shipped(&preset.instruct.name).filter(|_| is_bound) {
        preset.context = context;
    }
    preset.instruct.enabled = options.flag("instruct_enabled")?.unwrap_or(preset.instruct.enabled);
    Ok(preset)
}

/// The scene of a line's `story` and `options`.
fn scene(story: &Fields<'_>, options: &Fields<'_>) -> Result<Scene, Fault> {
    let fresh = Scene::default();
    let reasoning = options.object("reasoning", &["add_to_prompts", "max_additions"])?;
    if reasoning.flag("add_to_prompts")? == Some(true) {
        return wrong("options.reasoning.add_to_prompts", "thinking in a prompt is nothing that a preset lays out");
    }
    let group = options.object("group", &["members", "name", "id"])?;
    let mut members = Vec::new();
    for member in group.list("members")? {
        match member.as_str() {
            Some(name) => members.push(name.to_owned()),
            None => return wrong("options.group.members", "the members of a group are names"),
        }
    }
    Ok(Scene {
        user: story.optional_text("user")?.unwrap_or(fresh.user),
        char: story.optional_text("char")?.unwrap_or(fresh.char),
        description: story.text("description")?,
        personality: story.text("personality")?,
        scenario: story.text("scenario")?,
        examples: story.text("mesExamples")?,
        greeting: story.text("first_mes")?,
        system_prompt: story.text("char_system_prompt")?,
        post_history: story.text("char_post_history")?,
        persona: story.text("persona")?,
        world_before: story.text("wiBefore")?,
        world_after: story.text("wiAfter")?,
        injections: options.each("injections", INJECTION, injection)?,
        group: members,
        settings: settings(options)?,
        ..Scene::default()
    })
}

/// The messages of a line's `chat`.
fn messages<'l>(line: &Fields<'l>) -> Result<Vec<SceneMessage<'l>>, Fault> {
    line.each("chat", MESSAGE, |message| {
        let speaker = match (message.flag("narrator")?, message.flag("is_user")?) {
            (Some(true), _) => Speaker::Narrator,
            (_, Some(true)) => Speaker::User,
            _ => Speaker::Character,
        };
        let own_persona = message.flag("force_avatar")?.unwrap_or(false);
        let (name, said) = (message.str("name")?.unwrap_or_default(), message.str("mes")?.unwrap_or_default());
        Ok(SceneMessage { own_persona, ..SceneMessage::new(speaker, name, said) })
    })
}

/// The preset of a name (`magnum`, `mistral-v7`) or of files, set apart by commas, loaded into a fresh install.
pub(crate) fn named(names: &str) -> Result<Preset, Box<dyn std::error::Error>> {
    if let Ok(builtin) = names.parse::<Builtin>() {
        return Ok(builtin.preset());
    }
    let is_file = |name: &str| name.contains(',') || std::path::Path::new(name).exists();
    if !is_file(names) {
        return match names.ends_with(".json") {
            true => Err(format!("{names}: there is no such file").into()),
            false => Err(names.parse::<Builtin>().err().map_or_else(String::new, |error| error.to_string()).into()),
        };
    }
    let mut preset = Preset::default();
    for path in names.split(',') {
        let json = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        preset.load(&json).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(preset)
}

fn settings(options: &Fields<'_>) -> Result<SceneSettings, Fault> {
    let fresh = SceneSettings::default();
    let custom = options.str("custom_stopping_strings")?.unwrap_or_default();
    Ok(SceneSettings {
        generation: generation(options)?,
        prefer_card_prompt: options.flag("prefer_character_prompt")?.unwrap_or(fresh.prefer_card_prompt),
        prefer_card_post_history: options.flag("prefer_character_jailbreak")?.unwrap_or(fresh.prefer_card_post_history),
        strip_examples: options.flag("strip_examples")?.unwrap_or(fresh.strip_examples),
        collapse_newlines: options.flag("collapse_newlines")?.unwrap_or(fresh.collapse_newlines),
        bias: options.text("user_prompt_bias")?,
        // SillyTavern takes what is not a list of texts for nothing.
        stop_strings: serde_json::from_str::<Vec<Value>>(custom)
            .map(|stops| stops.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
        stop_string_macros: options.flag("custom_stopping_strings_macro")?.unwrap_or(fresh.stop_string_macros),
        max_context: options.count("max_context")?.unwrap_or(fresh.max_context),
        max_response: options.count("amount_gen")?.unwrap_or(fresh.max_response),
        ..fresh
    })
}

fn generation(options: &Fields<'_>) -> Result<Generation, Fault> {
    Ok(match options.str("type")? {
        None | Some("normal") => Generation::Reply,
        Some("continue") => Generation::Continue,
        Some("impersonate") => Generation::Impersonate,
        Some("swipe") => Generation::Swipe,
        Some("regenerate") => Generation::Regenerate,
        Some("quiet") => Generation::Quiet {
            prompt: options.text("quiet_prompt")?,
            voice: match options.flag("quiet_to_loud")? {
                Some(true) => QuietVoice::Character,
                _ => QuietVoice::System,
            },
        },
        Some(other) => {
            let known = "normal, continue, impersonate, swipe, regenerate and quiet";
            return wrong("options.type", format!("{other:?} is not a type of generation; the types are {known}"));
        }
    })
}

fn injection(injection: &Fields<'_>) -> Result<Injection, Fault> {
    let depth = injection.count("depth")?.unwrap_or(0);
    let role = match injection.value("role") {
        None => InjectionRole::System,
        Some(Value::String(role)) if role == "system" => InjectionRole::System,
        Some(Value::String(role)) if role == "user" => InjectionRole::User,
        Some(Value::String(role)) if role == "assistant" => InjectionRole::Assistant,
        Some(Value::Number(role)) if role.as_u64() == Some(0) => InjectionRole::System,
        Some(Value::Number(role)) if role.as_u64() == Some(1) => InjectionRole::User,
        Some(Value::Number(role)) if role.as_u64() == Some(2) => InjectionRole::Assistant,
        Some(_) => return wrong(&injection.path("role"), "a role is system, user or assistant"),
    };
    let place = match injection.str("position")? {
        Some("before") => InjectionPlace::BeforeStory,
        Some("in_chat") => InjectionPlace::InChat { depth, role },
        None | Some("after" | "in_prompt") => InjectionPlace::AfterStory,
        Some(_) => return wrong(&injection.path("position"), "a position is before, after, in_prompt or in_chat"),
    };
    Ok(Injection { text: injection.text("value")?, place })
}

/// The fields of a JSON object, and where it stands.
struct Fields<'l> {
    fields: Option<&'l Map<String, Value>>,
    at: String,
}

impl<'l> Fields<'l> {
    /// An object, all of whose fields are known; with no names, any are.
    fn of(value: &'l Value, at: &str, known: &[&str]) -> Result<Self, Fault> {
        let Value::Object(fields) = value else {
            let among = if known.is_empty() { String::new() } else { format!(" of {}", known.join(", ")) };
            return wrong(at, format!("this must be an object{among}"));
        };
        let fields = Fields { fields: Some(fields), at: at.to_owned() };
        let unknown = fields.fields.and_then(|map| map.keys().find(|key| !known.contains(&key.as_str())));
        match unknown.filter(|_| !known.is_empty()) {
            Some(key) => wrong(&fields.path(key), format!("an unknown field; the known ones are {}", known.join(", "))),
            None => Ok(fields),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A field that is there and is not null.
    fn value(&self, key: &str) -> Option<&'l Value> {
        self.fields?.get(key).filter(|value| !value.is_null())
    }

    /// An object of known fields; without one, an empty one.
    fn object(&self, key: &str, known: &[&str]) -> Result<Fields<'l>, Fault> {
        match self.value(key) {
            Some(value) => Fields::of(value, &self.path(key), known),
            None => Ok(Fields { fields: None, at: self.path(key) }),
        }
    }

    /// A file that stands in the line, as JSON.
    fn file(&self, key: &str) -> Result<Option<String>, Fault> {
        match self.value(key) {
            None => Ok(None),
            Some(file @ Value::Object(_)) => Ok(Some(file.to_string())),
            Some(_) => wrong(&self.path(key), "this must be an object: SillyTavern's file"),
        }
    }

    fn str(&self, key: &str) -> Result<Option<&'l str>, Fault> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => wrong(&self.path(key), "this must be a text"),
        }
    }

    fn optional_text(&self, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.str(key)?.map(str::to_owned))
    }

    fn text(&self, key: &str) -> Result<String, Fault> {
        Ok(self.optional_text(key)?.unwrap_or_default())
    }

    /// True or false, as JavaScript takes the value.
    fn flag(&self, key: &str) -> Result<Option<bool>, Fault> {
        Ok(self.value(key).map(|value| match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        }))
    }

    fn count(&self, key: &str) -> Result<Option<u32>, Fault> {
        match self.value(key).map(|value| value.as_u64().and_then(|count| u32::try_from(count).ok())) {
            None => Ok(None),
            Some(Some(count)) => Ok(Some(count)),
            Some(None) => wrong(&self.path(key), "this must be a whole number that is not negative"),
        }
    }

    fn list(&self, key: &str) -> Result<&'l [Value], Fault> {
        match self.value(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => wrong(&self.path(key), "this must be a list"),
        }
    }

    /// What is made of each object of a list.
    fn each<T>(
        &self,
        key: &str,
        known: &[&str],
        make: impl Fn(&Fields<'l>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let items = self.list(key)?.iter().enumerate();
        items.map(|(index, item)| make(&Fields::of(item, &format!("{}[{index}]", self.path(key)), known)?)).collect()
    }
}
