//! The files of a model into a [`ChatTemplate`]: `tokenizer_config.json`, `chat_template.json`, `special_tokens_map.json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{ChatTemplate, Compiled, SpecialToken, TemplateLimits};
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

    /// Every `…_token`, as a string or an object with `content`, and every list of them.
    fn special_tokens(&self) -> impl Iterator<Item = (String, SpecialToken)> {
        self.others.iter().filter_map(|(name, value)| {
            let token = match value {
                Value::Array(tokens) if name.ends_with("_tokens") => {
                    SpecialToken::Many(tokens.iter().filter_map(content).map(str::to_owned).collect())
                }
                value if name.ends_with("_token") => SpecialToken::One(content(value)?.to_owned()),
                _ => return None,
            };
            Some((name.clone(), token))
        })
    }

    /// The control tokens among the special tokens; none where the file lists no tokens.
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

impl ChatTemplate {
    /// The template of a `tokenizer_config.json`, or of a `chat_template.json`, with its special tokens.
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
        let limits = TemplateLimits::default();
        let named = match &file.chat_template {
            None => return Err(Error::new(ErrorKind::NoTemplate, "")),
            Some(Templates::One(source)) => return limits.compile(source).map(|template| template.with_file(&file)),
            Some(Templates::List(list)) => list.iter().map(|named| (&*named.name, &*named.template)).collect(),
            Some(Templates::Map(map)) => {
                map.iter().map(|(name, template)| (&**name, &**template)).collect::<BTreeMap<_, _>>()
            }
        };
        let Some(default) = named.get("default") else {
            return Err(unknown("default", named.keys().copied()));
        };
        let mut template = limits.compile(default)?;
        for (name, source) in &named {
            let compiled = match *name {
                "default" => Arc::clone(&template.main),
                _ => Arc::new(Compiled::new(source, &limits)?),
            };
            template.others.insert((*name).to_owned(), compiled);
        }
        template.for_tools = template.others.get("tool_use").cloned();
        Ok(template.with_file(&file))
    }

    /// This template with the special tokens of a `tokenizer_config.json` or `special_tokens_map.json`.
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
        for (name, token) in file.special_tokens() {
            self.set_special_token(name, token);
        }
        if let Some(vocabulary) = file.vocabulary() {
            self.vocabulary = vocabulary;
        }
        self
    }

    /// The template of this name, where the model has several: for all chats, with tools or without.
    ///
    /// # Errors
    ///
    /// There is none of this name.
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
