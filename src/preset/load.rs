//! SillyTavern's files into a [`Preset`]: every name that a field ever had, the defaults of absent fields, and what a file
//! is if it is not a preset.

use serde_json::{Map, Value};

use super::adapter::{Adapter, of_lm_studio};
use super::fields::{Context, InjectionRole, Instruct, NamesBehavior, StoryPosition, SystemPrompt, UnknownFields};
use super::{FileKind, Preset};
use crate::error::{Error, ErrorKind};

impl Preset {
    /// Loads a file as SillyTavern 1.19.0 imports it, into the preset that is active: fields that the file lacks keep
    /// the values that they have, or get the ones that SillyTavern sets.
    ///
    /// An [`Adapter`] of koboldcpp and a preset of LM Studio before 0.3 are read as well, and take the
    /// place of the whole preset.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PresetFile`]: the file is not a context, instruct or system prompt preset, nor an export of several:
    /// a character card, `{}`, `[1]`. [`ErrorKind::PresetField`]: a field holds what it cannot: `{"story_string": []}`.
    ///
    /// ```
    /// use mistral_chat_template::Preset;
    /// use mistral_chat_template::preset::FileKind;
    ///
    /// let mut preset = Preset::default();
    /// let file = preset.load(r#"{"name": "Mine", "input_sequence": "[INST] ", "output_sequence": "", "wrap": false}"#)?;
    /// assert_eq!(file, FileKind::Instruct);
    /// assert_eq!(preset.instruct.output_suffix, "\n\n", "which the file does not say");
    ///
    /// let error = preset.load(r#"{"spec": "chara_card_v2", "data": {}}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "not a context, instruct or system prompt preset, but a character card");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn load(&mut self, json: &str) -> Result<FileKind, Error> {
        let file = object(json)?;
        let has = |keys: &[&str]| keys.iter().all(|key| file.contains_key(*key));
        let kind = match () {
            () if has(&["input_sequence", "output_sequence"]) => FileKind::Instruct,
            () if has(&["story_string"]) => FileKind::Context,
            () if has(&["content"]) && (has(&["name"]) || file.len() == 1) => FileKind::System,
            () if ["instruct", "context", "sysprompt"]
                .iter()
                .any(|key| file.get(*key).is_some_and(Value::is_object)) =>
            {
                FileKind::Master
            }
            () if Adapter::is_adapter(&file) => FileKind::KoboldCpp,
            () => match of_lm_studio(&file) {
                Some(preset) => {
                    *self = preset;
                    return Ok(FileKind::LmStudio);
                }
                None => return Err(Error::new(ErrorKind::PresetFile { looks: looks_like(&file) }, "")),
            },
        };
        match kind {
            FileKind::Instruct => self.set_instruct(file, "")?,
            FileKind::Context => self.context = context(file, &self.context, "")?,
            FileKind::System => self.system = Some(system(file, "")?),
            FileKind::Master => self.set_all(file)?,
            FileKind::KoboldCpp | FileKind::LmStudio => *self = Adapter::from_json(json)?.preset(),
        }
        Ok(kind)
    }

    /// Loads a context preset, whatever it lacks.
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object, or [`ErrorKind::PresetField`].
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// let mut preset = Preset::default();
    /// preset.load_context(r#"{"chat_start": ""}"#)?;
    /// assert_eq!(preset.context.chat_start, "");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn load_context(&mut self, json: &str) -> Result<(), Error> {
        self.context = context(object(json)?, &self.context, "")?;
        Ok(())
    }

    /// Loads an instruct preset, whatever it lacks. A system prompt in it becomes the preset's, as SillyTavern asks for.
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object, or [`ErrorKind::PresetField`].
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// let mut preset = Preset::default();
    /// preset.load_instruct(r#"{"name": "Old", "names": false, "system_prompt": "Be kind."}"#)?;
    /// assert_eq!(preset.system.map(|system| system.content).as_deref(), Some("Be kind."));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn load_instruct(&mut self, json: &str) -> Result<(), Error> {
        self.set_instruct(object(json)?, "")
    }

    /// Loads a system prompt preset, whatever it lacks.
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object, or [`ErrorKind::PresetField`].
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// let mut preset = Preset::default();
    /// preset.load_system(r#"{"content": "Be kind.", "enabled": false}"#)?;
    /// assert!(preset.system.is_some_and(|system| !system.enabled));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn load_system(&mut self, json: &str) -> Result<(), Error> {
        self.system = Some(system(object(json)?, "")?);
        Ok(())
    }

    fn set_instruct(&mut self, mut file: Map<String, Value>, at: &'static str) -> Result<(), Error> {
        let mut fields = Fields { file: &mut file, at };
        let prompt = fields.text("system_prompt")?.filter(|prompt| !prompt.is_empty());
        self.instruct = instruct(file, &self.instruct, at)?;
        if let Some(content) = prompt {
            let name = format!("[Migrated] {}", self.instruct.name);
            self.system = Some(SystemPrompt { name, content, ..SystemPrompt::default() });
        }
        Ok(())
    }

    fn set_all(&mut self, mut file: Map<String, Value>) -> Result<(), Error> {
        let mut section = |name: &str| match file.remove(name) {
            Some(Value::Object(section)) => Some(section),
            _ => None,
        };
        if let Some(section) = section("instruct") {
            self.set_instruct(section, "instruct")?;
        }
        if let Some(section) = section("context") {
            self.context = context(section, &self.context, "context")?;
        }
        match file.remove("sysprompt") {
            Some(Value::Object(section)) => self.system = Some(system(section, "sysprompt")?),
            // What `to_json` writes of a preset without one; SillyTavern passes it over.
            Some(Value::Null) => self.system = None,
            _ => {}
        }
        self.unknown.0.extend(file);
        Ok(())
    }
}

fn object(json: &str) -> Result<Map<String, Value>, Error> {
    let json = json.strip_prefix('\u{FEFF}').unwrap_or(json);
    let parsed = serde_json::from_str(json).map_err(|error| match no_json(json) {
        Some(looks) => Error::new(ErrorKind::PresetFile { looks }, ""),
        None => Error::new(ErrorKind::Json, "").because(error),
    });
    match parsed? {
        Value::Object(file) => Ok(file),
        other => {
            let looks = match other {
                Value::Array(items) if items.iter().any(|item| item.get("adapter").is_some()) => {
                    "a list of koboldcpp's adapters, which are read by name (`Adapter::list`)"
                }
                Value::Array(_) => "a list",
                _ => "a single value",
            };
            Err(Error::new(ErrorKind::PresetFile { looks }, ""))
        }
    }
}

/// What a text is that is not JSON, by how it begins and by its lines.
fn no_json(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let has_line = |starts: &[&str]| text.lines().any(|line| starts.iter().any(|start| line.starts_with(start)));
    match () {
        () if text.is_empty() => Some("an empty file"),
        () if text.starts_with("```") => Some("a code fence: only what stands between its ``` lines is the file"),
        () if text.starts_with("GGUF") => Some("a model in GGUF"),
        () if text.starts_with('<') => Some("a web page"),
        () if has_line(&["instruction_template:"]) => {
            Some("an instruction template of text-generation-webui in YAML, whose text is a `ChatTemplate`")
        }
        () if has_line(&["FROM ", "TEMPLATE "]) => Some("a Modelfile of Ollama"),
        () if text.starts_with("{%") || text.starts_with("{{") => Some("a Jinja template, which is a `ChatTemplate`"),
        () if !text.starts_with(['{', '['])
            && text.lines().next().is_some_and(|line| line.contains(": ") || line.ends_with(':')) =>
        {
            Some("YAML")
        }
        () => None,
    }
}

/// What a file is that is not a preset of these kinds, by the fields that give it away.
fn looks_like(file: &Map<String, Value>) -> &'static str {
    const SIGNS: [(&[&str], &str); 14] = [
        (&["temp", "top_k", "top_p", "rep_pen"], "a text completion preset (samplers)"),
        (&["prefix", "suffix", "separator"], "a reasoning preset"),
        (&["chat_completion_source"], "a chat completion preset"),
        (&["prompts", "prompt_order"], "a chat completion preset"),
        (&["spec", "data"], "a character card"),
        (&["first_mes"], "a character card"),
        (&["entries"], "world info"),
        (&["messages"], "a chat"),
        (&["chat_metadata"], "the first line of a SillyTavern chat"),
        (&["chat_template"], "a tokenizer's configuration"),
        (&["added_tokens"], "a tokenizer"),
        (&["architectures"], "a model's configuration"),
        (&["main_text_color"], "a theme"),
        (&["power_user"], "SillyTavern's settings"),
    ];
    if file.is_empty() {
        return "an empty object";
    }
    let sign = SIGNS.iter().find(|(keys, _)| keys.iter().all(|key| file.contains_key(*key)));
    sign.map_or("something else", |(_, looks)| looks)
}

fn context(mut file: Map<String, Value>, active: &Context, at: &'static str) -> Result<Context, Error> {
    let is_old = !file.contains_key("story_string_position");
    let mut fields = Fields { file: &mut file, at };
    if is_old && fields.file.get("story_string").is_some_and(Value::is_array) {
        return fields.wrong("story_string", "a text");
    }
    let mut story_string = fields.text_or("story_string", &active.story_string)?;
    if is_old {
        story_string = with_anchors(story_string);
    }
    let fresh = Context::default();
    let mut context = Context {
        story_string: typed(story_string),
        example_separator: typed(fields.text_or("example_separator", &active.example_separator)?),
        chat_start: typed(fields.text_or("chat_start", &active.chat_start)?),
        use_stop_strings: fields.flag("use_stop_strings").unwrap_or(false),
        names_as_stop_strings: fields.flag("names_as_stop_strings").unwrap_or(true),
        story_string_position: fields.one_of("story_string_position", &StoryPosition::ALL)?.unwrap_or_default(),
        story_string_depth: fields.depth("story_string_depth")?.unwrap_or(fresh.story_string_depth),
        story_string_role: fields.one_of("story_string_role", &InjectionRole::ALL)?.unwrap_or_default(),
        always_force_name2: fields.flag("always_force_name2").unwrap_or(true),
        trim_sentences: fields.flag("trim_sentences").unwrap_or(false),
        single_line: fields.flag("single_line").unwrap_or(false),
        name: fields.text("name")?.unwrap_or_default(),
        unknown: fresh.unknown,
    };
    fields.drop(&["allow_jailbreak", "include_newline", "default_context"]);
    context.unknown = UnknownFields(file.into_iter().collect());
    Ok(context)
}

/// A text as it is once it was in a text box: with `\n` for every end of a line.
fn typed(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// A story string of before 1.13.3 with places for author's notes, as SillyTavern puts them in.
fn with_anchors(mut story: String) -> String {
    const BEFORE: &str = "{{#if anchorBefore}}{{anchorBefore}}\n{{/if}}";
    const AFTER: &str = "{{#if anchorAfter}}{{anchorAfter}}\n{{/if}}";
    if !story.contains("{{anchorBefore}}") {
        let at = story.find("{{").unwrap_or(0);
        story.insert_str(at, BEFORE);
    }
    if !story.contains("{{anchorAfter}}") {
        let trim = story.rfind("{{trim}}");
        let end = story.rfind("}}").map(|at| at + 2);
        let at = trim.into_iter().chain(end).min().unwrap_or(story.len());
        story.insert_str(at, AFTER);
    }
    story
}

fn instruct(mut file: Map<String, Value>, active: &Instruct, at: &'static str) -> Result<Instruct, Error> {
    let mut fields = Fields { file: &mut file, at };
    let separator = fields.present_text("separator_sequence")?;
    let forced = fields.present_flag("names_force_groups");
    let names = fields.present_flag("names");
    let behavior = fields.names_behavior()?;
    let suffix = fields.present_text("output_suffix")?;
    let names_behavior = match (names, forced) {
        (Some(true), _) => NamesBehavior::Always,
        (Some(false), Some(true)) => NamesBehavior::Force,
        (Some(false), _) => NamesBehavior::None,
        (None, _) => behavior.unwrap_or_default(),
    };
    let mut set =
        |key, default: &str| Ok::<_, Error>(fields.present_text(key)?.map_or_else(|| default.to_owned(), typed));
    let mut instruct = Instruct {
        story_string_prefix: set("story_string_prefix", "")?,
        story_string_suffix: set("story_string_suffix", "")?,
        input_sequence: set("input_sequence", &active.input_sequence)?,
        input_suffix: set("input_suffix", "")?,
        output_sequence: set("output_sequence", &active.output_sequence)?,
        output_suffix: separator.or(suffix).map_or_else(|| active.output_suffix.clone(), typed),
        system_sequence: set("system_sequence", "")?,
        system_suffix: set("system_suffix", "")?,
        last_system_sequence: set("last_system_sequence", "")?,
        user_alignment_message: set("user_alignment_message", "")?,
        stop_sequence: set("stop_sequence", &active.stop_sequence)?,
        first_output_sequence: set("first_output_sequence", &active.first_output_sequence)?,
        last_output_sequence: set("last_output_sequence", &active.last_output_sequence)?,
        first_input_sequence: set("first_input_sequence", "")?,
        last_input_sequence: set("last_input_sequence", "")?,
        activation_regex: set("activation_regex", &active.activation_regex)?,
        enabled: fields.present_flag("enabled").unwrap_or(active.enabled),
        wrap: fields.present_flag("wrap").unwrap_or(active.wrap),
        macros: fields.present_flag("macro").unwrap_or(active.macros),
        skip_examples: fields.present_flag("skip_examples").unwrap_or(false),
        names_behavior,
        system_same_as_user: fields.present_flag("system_same_as_user").unwrap_or(false),
        sequences_as_stop_strings: fields.present_flag("sequences_as_stop_strings").unwrap_or(true),
        name: fields.text("name")?.unwrap_or_default(),
        unknown: UnknownFields::default(),
    };
    fields.drop(&["system_sequence_prefix", "system_sequence_suffix"]);
    instruct.unknown = UnknownFields(file.into_iter().collect());
    Ok(instruct)
}

fn system(mut file: Map<String, Value>, at: &'static str) -> Result<SystemPrompt, Error> {
    let mut fields = Fields { file: &mut file, at };
    let mut system = SystemPrompt {
        enabled: fields.flag("enabled").unwrap_or(true),
        name: fields.text("name")?.unwrap_or_default(),
        content: fields.text("content")?.unwrap_or_default(),
        post_history: fields.text("post_history")?.unwrap_or_default(),
        ..SystemPrompt::default()
    };
    system.unknown = UnknownFields(file.into_iter().collect());
    Ok(system)
}

/// What a text box shows for a value, a list's items with commas between them; `None` for an object.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        // JavaScript prints a whole number without its fraction.
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64()).filter(|float| float.fract() == 0.0);
            Some(whole.map_or_else(|| number.to_string(), |whole| whole.to_string()))
        }
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(shown).collect();
            Some(items?.join(","))
        }
        Value::Object(_) => None,
    }
}

/// Is it a number as HTML's number boxes take one?
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    (whole.is_empty() || digits(whole)) && digits(fraction) && digits(exponent) && !mantissa.is_empty()
}

/// Takes fields out of a file, as JavaScript would read them.
struct Fields<'f> {
    file: &'f mut Map<String, Value>,
    at: &'static str,
}

impl Fields<'_> {
    fn wrong<T>(&self, key: &str, expected: &'static str) -> Result<T, Error> {
        let dot = if self.at.is_empty() { "" } else { "." };
        Err(Error::new(ErrorKind::PresetField { expected }, format!("{}{dot}{key}", self.at)))
    }

    /// A text, as a text box shows the value; `None` where it is absent or null.
    fn text(&mut self, key: &str) -> Result<Option<String>, Error> {
        match self.file.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match shown(&value) {
                Some(text) => Ok(Some(text)),
                None => self.wrong(key, "a text"),
            },
        }
    }

    fn text_or(&mut self, key: &str, default: &str) -> Result<String, Error> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    /// A text; `None` where it is absent, empty where it is null.
    fn present_text(&mut self, key: &str) -> Result<Option<String>, Error> {
        let is_present = self.file.contains_key(key);
        Ok(self.text(key)?.or(is_present.then(String::new)))
    }

    /// True or false, as JavaScript takes the value; `None` where it is absent or null.
    fn flag(&mut self, key: &str) -> Option<bool> {
        match self.file.remove(key)? {
            Value::Null => None,
            Value::Bool(value) => Some(value),
            Value::Number(number) => Some(number.as_f64() != Some(0.0)),
            Value::String(text) => Some(!text.is_empty()),
            Value::Array(_) | Value::Object(_) => Some(true),
        }
    }

    /// True or false; `None` where it is absent, false where it is null.
    fn present_flag(&mut self, key: &str) -> Option<bool> {
        let is_present = self.file.contains_key(key);
        self.flag(key).or(is_present.then_some(false))
    }

    /// A number as a number box takes it, in which anything but a number is 0; `None` where it is absent or null.
    fn number(&mut self, key: &str) -> Result<Option<f64>, Error> {
        let Some(value) = self.file.remove(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let Some(text) = shown(&value) else { return self.wrong(key, "a number") };
        Ok(Some(if is_number(&text) { text.parse().unwrap_or(0.0) } else { 0.0 }))
    }

    /// How many messages stand after something. At a depth that is not a whole number, or a negative one, SillyTavern
    /// puts nothing.
    fn depth(&mut self, key: &str) -> Result<Option<Option<u32>>, Error> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is known to fit")]
        let whole = |number: f64| {
            (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
        };
        Ok(self.number(key)?.map(whole))
    }

    /// One entry of a drop-down list, which shows nothing for what it does not have; that counts as 0.
    fn one_of<T: Copy + Default>(&mut self, key: &str, all: &[(i64, T)]) -> Result<Option<T>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let known = all.iter().find(|(number, _)| number.to_string() == text);
        Ok(Some(known.map_or_else(T::default, |(_, value)| *value)))
    }

    /// Which names; what SillyTavern does not know means none.
    fn names_behavior(&mut self) -> Result<Option<NamesBehavior>, Error> {
        Ok(self.present_text("names_behavior")?.map(|behavior| match behavior.as_str() {
            "always" => NamesBehavior::Always,
            "force" => NamesBehavior::Force,
            _ => NamesBehavior::None,
        }))
    }

    /// Takes out what SillyTavern knows of old and drops.
    fn drop(&mut self, keys: &[&str]) {
        for key in keys {
            self.file.remove(*key);
        }
    }
}
