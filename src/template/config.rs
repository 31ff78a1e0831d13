//! The files of a model into a [`ChatTemplate`]: `tokenizer_config.json`, `chat_template.json`, `special_tokens_map.json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{ChatTemplate, Compiled, TemplateLimits};
use crate::control::{Control, Vocabulary};
use crate::error::{Error, ErrorKind};

/// What the files say that a template needs.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct File {
    chat_template: Option<Templates>,
    #[serde(default)]
    added_tokens_decoder: BTreeMap<String, AddedToken>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// One template, or several by name.
#[derive(Deserialize)]
#[serde(untagged, expecting = "its `chat_template` is neither a template nor a list of named templates")]
enum Templates {
    One(String),
    List(Vec<Named>),
    Map(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
    #[serde(default)]
    special: bool,
}

impl File {
    fn read(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::TemplateConfig, "").because(error))
    }

    /// Every `…_token`, and every token that `extra_special_tokens` names; `None` for one that is `null`.
    fn special_tokens(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let extra = self.others.get("extra_special_tokens").and_then(Value::as_object).into_iter().flatten();
        let named = self.others.iter().filter(|(name, _)| name.ends_with("_token"));
        named.chain(extra).filter_map(|(name, value)| match value {
            Value::Null => Some((&**name, None)),
            value => Some((&**name, Some(content(value)?))),
        })
    }

    /// The tokens that the tokenizer's class has where the configuration does not name them, not even as `null`: the
    /// defaults of the classes of transformers 5.24.0, as `AutoTokenizer` gave them.
    fn class_tokens(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let class = self.others.get("tokenizer_class").and_then(Value::as_str).unwrap_or_default();
        let mut lines = include_str!("config/tokenizer_classes.tsv").lines();
        let known = lines.find_map(|line| line.split_once('\t').filter(|(name, _)| *name == class));
        let tokens = known.map_or("", |(_, tokens)| tokens).split('\t').filter_map(|token| token.split_once('='));
        tokens.filter(|(name, _)| !self.others.contains_key(*name))
    }

    /// The templates by their names; one by itself is the `default`.
    fn templates(&self) -> BTreeMap<&str, &str> {
        match &self.chat_template {
            None => BTreeMap::new(),
            Some(Templates::One(source)) => BTreeMap::from([("default", &**source)]),
            Some(Templates::List(list)) => list.iter().map(|named| (&*named.name, &*named.template)).collect(),
            Some(Templates::Map(map)) => map.iter().map(|(name, template)| (&**name, &**template)).collect(),
        }
    }

    /// The control tokens among the special tokens; `None` if the file lists no tokens.
    fn vocabulary(&self) -> Option<Vocabulary> {
        if self.added_tokens_decoder.is_empty() {
            return None;
        }
        let special = |control: &Control| {
            self.added_tokens_decoder.values().any(|token| token.special && token.content == control.as_str())
        };
        Some(Control::all().filter(special).fold(Vocabulary::default(), |known, control| known.with(&[control])))
    }
}

fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// The files of a model's folder that say how its chats are rendered: the text of each that there is.
///
/// ```
/// use mistral_chat_template::template::ModelFiles;
/// use mistral_chat_template::{Chat, ChatTemplate, Format};
///
/// let mut files = ModelFiles::default();
/// files.tokenizer_config = Some(r#"{"bos_token": "<|begin|>", "chat_template": "of the configuration"}"#);
/// files.chat_template = Some("{{ bos_token }}{{ eos_token }}of its own file");
/// let template = ChatTemplate::from_model_files(&files)?.expect("there is a template");
/// assert_eq!(template.render(&Chat::default())?.as_str(), "<|begin|>of its own file");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ModelFiles<'a> {
    /// `chat_template.jinja`
    pub chat_template: Option<&'a str>,
    /// The files of `additional_chat_templates`, each with its name without `.jinja`.
    pub additional: Vec<(&'a str, &'a str)>,
    /// `tokenizer_config.json`
    pub tokenizer_config: Option<&'a str>,
    /// `special_tokens_map.json`, which counts where the configuration has no `added_tokens_decoder`.
    pub special_tokens_map: Option<&'a str>,
    /// `chat_template.json`, which a processor reads: it counts where there is no other template.
    pub processor_template: Option<&'a str>,
}

impl ChatTemplate {
    /// The template of a model's files, as transformers' `AutoTokenizer` reads them; `None` where they have none.
    ///
    /// Templates in files of their own stand before those of the configuration. Of several templates the one named
    /// `default` is taken, and for chats with tools the one named `tool_use`. A special token that is absent is the one of the
    /// `tokenizer_class`, where that has one (`<s>` of `LlamaTokenizer`); one that is `null` is undefined in the template.
    ///
    /// # Errors
    ///
    /// A JSON file is not JSON, there are several templates and no `default`; and as [`ChatTemplate::new`].
    ///
    /// ```
    /// use mistral_chat_template::template::ModelFiles;
    /// use mistral_chat_template::ChatTemplate;
    ///
    /// assert!(ChatTemplate::from_model_files(&ModelFiles::default())?.is_none());
    /// let mut files = ModelFiles::default();
    /// files.additional = vec![("tool_use", "with tools")];
    /// let error = ChatTemplate::from_model_files(&files).unwrap_err();
    /// assert_eq!(error.to_string(), "there is no template \"default\"; there are tool_use");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_model_files(files: &ModelFiles<'_>) -> Result<Option<Self>, Error> {
        let ModelFiles { chat_template, additional, tokenizer_config, special_tokens_map, processor_template } = files;
        let config = tokenizer_config.map(File::read).transpose()?;
        let processor = processor_template.map(File::read).transpose()?;
        let own = chat_template.map(|source| ("default", source)).into_iter().chain(additional.iter().copied());
        let mut templates: BTreeMap<&str, &str> = own.collect();
        for file in [&config, &processor].into_iter().flatten() {
            if templates.is_empty() {
                templates = file.templates();
            }
        }
        if templates.is_empty() {
            return Ok(None);
        }
        let mut template = ChatTemplate::of_several(&templates)?;
        template.special_tokens.clear();
        let lists_tokens = config.as_ref().is_some_and(|config| config.vocabulary().is_some());
        if let Some(config) = &config {
            template.add_class_tokens(config);
            template.add_tokens(config);
        }
        if let Some(map) = special_tokens_map.filter(|_| !lists_tokens) {
            template.add_tokens(&File::read(map)?);
        }
        Ok(Some(template))
    }

    /// The template of a `tokenizer_config.json`, or of a `chat_template.json`, with its special tokens and no others.
    ///
    /// Of several templates the one named `default` is taken, and for chats with tools the one named `tool_use`, as
    /// transformers does; [`named`](ChatTemplate::named) takes another.
    ///
    /// # Errors
    ///
    /// The file is not JSON, has no `chat_template`, or several without a `default`; and as [`ChatTemplate::new`].
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
    ///
    /// let template = ChatTemplate::from_tokenizer_config(r#"{
    ///     "bos_token": {"content": "<|begin|>", "special": true},
    ///     "chat_template": "{{ bos_token }}{{ messages[0].content }}"
    /// }"#)?;
    /// assert_eq!(template.render(&Chat::new([Message::user("Hi")]))?.as_str(), "<|begin|>Hi");
    ///
    /// let error = ChatTemplate::from_tokenizer_config("{}").unwrap_err();
    /// assert_eq!(error.to_string(), "there is no chat template");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_tokenizer_config(json: &str) -> Result<Self, Error> {
        let file = File::read(json)?;
        if file.chat_template.is_none() {
            return Err(Error::new(ErrorKind::NoTemplate, ""));
        }
        Ok(ChatTemplate::of_several(&file.templates())?.with_file(&file))
    }

    /// The template named `default`, with the others beside it.
    fn of_several(templates: &BTreeMap<&str, &str>) -> Result<Self, Error> {
        let limits = TemplateLimits::default();
        let Some(default) = templates.get("default") else {
            return Err(unknown("default", templates.keys().copied()));
        };
        let mut template = limits.compile(default)?;
        if templates.len() == 1 {
            return Ok(template);
        }
        for (name, source) in templates {
            let compiled = match *name {
                "default" => Arc::clone(&template.main),
                _ => Arc::new(Compiled::new(source, &limits)?),
            };
            template.others.insert((*name).to_owned(), compiled);
        }
        template.for_tools = template.others.get("tool_use").cloned();
        Ok(template)
    }

    /// This template with the special tokens of a `tokenizer_config.json` or `special_tokens_map.json`, and no others.
    ///
    /// It is for templates that stand in a file of their own, `chat_template.jinja`.
    ///
    /// # Errors
    ///
    /// The file is not JSON.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    ///
    /// let template = ChatTemplate::new("{{ bos_token }}")?.with_tokenizer_config(r#"{"bos_token": "<|begin|>"}"#)?;
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "<|begin|>");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn with_tokenizer_config(self, json: &str) -> Result<Self, Error> {
        Ok(self.with_file(&File::read(json)?))
    }

    fn with_file(mut self, file: &File) -> Self {
        self.special_tokens.clear();
        self.add_class_tokens(file);
        self.add_tokens(file);
        self
    }

    fn add_class_tokens(&mut self, config: &File) {
        self.special_tokens.extend(config.class_tokens().map(|(name, token)| (name.into(), token.to_owned())));
    }

    fn add_tokens(&mut self, file: &File) {
        for (name, token) in file.special_tokens() {
            self.special_tokens.retain(|(known, _)| known != name);
            if let Some(token) = token {
                self.special_tokens.push((name.to_owned().into(), token.to_owned()));
            }
        }
        if let Some(vocabulary) = file.vocabulary() {
            self.vocabulary = vocabulary;
        }
        if let Some(begins) = file.others.get("add_bos_token").and_then(Value::as_bool) {
            self.tokenizer_begins = Some(begins);
        }
    }

    /// The template of this name, where the model has several: for all chats, with tools or without.
    ///
    /// # Errors
    ///
    /// The model has no template of this name.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format};
    ///
    /// let template = ChatTemplate::from_tokenizer_config(r#"{"chat_template": [
    ///     {"name": "default", "template": "plain"},
    ///     {"name": "rag", "template": "with documents"}
    /// ]}"#)?;
    /// assert_eq!(template.render(&Chat::default())?.as_str(), "plain");
    /// assert_eq!(template.clone().named("rag")?.render(&Chat::default())?.as_str(), "with documents");
    /// let error = template.named("tool_use").unwrap_err();
    /// assert_eq!(error.to_string(), "there is no template \"tool_use\"; there are default, rag");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn named(mut self, name: &str) -> Result<Self, Error> {
        let Some(template) = self.others.get(name) else {
            return Err(unknown(name, self.others.keys().map(String::as_str)));
        };
        self.main = Arc::clone(template);
        self.for_tools = None;
        Ok(self)
    }
}

fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Error {
    let known: Vec<_> = known.collect();
    let known = if known.is_empty() { "no names".to_owned() } else { known.join(", ") };
    Error::new(ErrorKind::UnknownTemplate { name: name.to_owned(), known }, "")
}
