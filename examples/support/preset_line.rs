//! A line of `render_jsonl` with a SillyTavern preset: `preset`, `story`, `chat` and `options` into a prompt.
#![allow(dead_code, reason = "each example uses a part")]
#![allow(clippy::indexing_slicing, reason = "what JSON does not have is null")]

use mistral_chat_template::{
    BuiltinPreset, ContextPreset, Error, Generation, Injection, InjectionPlace, InjectionRole, Preset, Prompt,
    QuietVoice, Scene, SceneMessage, SceneSettings, Speaker,
};
use serde_json::Value;

/// Renders a line.
pub(crate) fn render(line: &Value) -> Result<Prompt, Error> {
    let preset = preset(&line["preset"], &line["options"])?;
    let mut prompt = Prompt::new();
    preset.with_scene(&scene(line))?.render_messages(&messages(&line["chat"]), &mut prompt)?;
    Ok(prompt)
}

/// The preset of `{"context", "instruct", "sysprompt"}`, loaded over a fresh install.
pub(crate) fn preset(files: &Value, options: &Value) -> Result<Preset, Error> {
    let mut preset = Preset::default();
    if files["context"].is_object() {
        preset.load_context(&files["context"].to_string())?;
    }
    if files["instruct"].is_object() {
        preset.load_instruct(&files["instruct"].to_string())?;
    }
    match &files["sysprompt"] {
        Value::String(content) => preset = preset.with_system_prompt(content.clone()),
        Value::Object(_) => preset.load_system(&files["sysprompt"].to_string())?,
        _ => {}
    }
    let is_bound = flag(options, "bind_to_context").unwrap_or(false) && preset.instruct.name != preset.context.name;
    if let Some(context) = ContextPreset::shipped(&preset.instruct.name).filter(|_| is_bound) {
        preset.context = context;
    }
    preset.instruct.enabled = flag(options, "instruct_enabled").unwrap_or(preset.instruct.enabled);
    Ok(preset)
}

/// The scene of a line's `story` and `options`.
pub(crate) fn scene(line: &Value) -> Scene {
    let (story, options) = (&line["story"], &line["options"]);
    let named = |field: &str, default: &str| if story[field].is_string() { text(story, field) } else { default.into() };
    Scene {
        user: named("user", "User"),
        char: named("char", "Assistant"),
        description: text(story, "description"),
        personality: text(story, "personality"),
        scenario: text(story, "scenario"),
        examples: text(story, "mesExamples"),
        greeting: text(story, "first_mes"),
        system_prompt: text(story, "char_system_prompt"),
        post_history: text(story, "char_post_history"),
        persona: text(story, "persona"),
        world_before: text(story, "wiBefore"),
        world_after: text(story, "wiAfter"),
        injections: list(&options["injections"]).iter().map(injection).collect(),
        group: list(&options["group"]["members"]).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        settings: settings(options),
        ..Scene::default()
    }
}

/// The messages of a line's `chat`.
pub(crate) fn messages(chat: &Value) -> Vec<SceneMessage<'_>> {
    let message = |message| {
        let speaker = match (flag(message, "narrator"), flag(message, "is_user")) {
            (Some(true), _) => Speaker::Narrator,
            (_, Some(true)) => Speaker::User,
            _ => Speaker::Character,
        };
        let said = |field: &str| message[field].as_str().unwrap_or_default();
        let own_persona = flag(message, "force_avatar").unwrap_or(false);
        SceneMessage { own_persona, ..SceneMessage::new(speaker, said("name"), said("mes")) }
    };
    list(chat).iter().map(message).collect()
}

/// The preset of a name (`magnum`, `mistral-v7`) or of files, set apart by commas.
pub(crate) fn named(names: &str) -> Result<Preset, Box<dyn std::error::Error>> {
    if let Ok(builtin) = names.parse::<BuiltinPreset>() {
        return Ok(builtin.preset());
    }
    let is_file = |name: &str| name.contains(',') || std::path::Path::new(name).exists();
    if !is_file(names) {
        names.parse::<BuiltinPreset>()?;
    }
    let mut preset = Preset::default();
    for path in names.split(',') {
        let json = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        preset.load(&json).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(preset)
}

fn settings(options: &Value) -> SceneSettings {
    let fresh = SceneSettings::default();
    let custom = options["custom_stopping_strings"].as_str().unwrap_or_default();
    SceneSettings {
        generation: generation(options),
        prefer_card_prompt: flag(options, "prefer_character_prompt").unwrap_or(fresh.prefer_card_prompt),
        prefer_card_post_history: flag(options, "prefer_character_jailbreak").unwrap_or(fresh.prefer_card_post_history),
        strip_examples: flag(options, "strip_examples").unwrap_or(fresh.strip_examples),
        collapse_newlines: flag(options, "collapse_newlines").unwrap_or(fresh.collapse_newlines),
        bias: text(options, "user_prompt_bias"),
        // What is not a list of texts is nothing.
        stop_strings: serde_json::from_str::<Vec<Value>>(custom)
            .map(|stops| stops.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
        stop_string_macros: flag(options, "custom_stopping_strings_macro").unwrap_or(fresh.stop_string_macros),
        ..fresh
    }
}

fn generation(options: &Value) -> Generation {
    match options["type"].as_str() {
        Some("continue") => Generation::Continue,
        Some("impersonate") => Generation::Impersonate,
        Some("swipe") => Generation::Swipe,
        Some("regenerate") => Generation::Regenerate,
        Some("quiet") => Generation::Quiet {
            prompt: text(options, "quiet_prompt"),
            voice: match flag(options, "quiet_to_loud") {
                Some(true) => QuietVoice::Character,
                _ => QuietVoice::System,
            },
        },
        _ => Generation::Reply,
    }
}

fn injection(injection: &Value) -> Injection {
    let depth = injection["depth"].as_u64().and_then(|depth| u32::try_from(depth).ok()).unwrap_or(0);
    let role = match &injection["role"] {
        Value::String(role) if role == "user" => InjectionRole::User,
        Value::String(role) if role == "assistant" => InjectionRole::Assistant,
        Value::Number(role) if role.as_u64() == Some(1) => InjectionRole::User,
        Value::Number(role) if role.as_u64() == Some(2) => InjectionRole::Assistant,
        _ => InjectionRole::System,
    };
    let place = match injection["position"].as_str() {
        Some("before") => InjectionPlace::BeforeStory,
        Some("in_chat") => InjectionPlace::InChat { depth, role },
        _ => InjectionPlace::AfterStory,
    };
    Injection { text: text(injection, "value"), place }
}

fn text(of: &Value, field: &str) -> String {
    of[field].as_str().unwrap_or_default().to_owned()
}

/// True or false, as JavaScript takes the value; none where it is absent.
fn flag(of: &Value, field: &str) -> Option<bool> {
    match &of[field] {
        Value::Null => None,
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => Some(!text.is_empty()),
        Value::Array(_) | Value::Object(_) => Some(true),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
