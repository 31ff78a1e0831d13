//! The settings that a tokenizer's file says its model knows, into [`Settings`].

use serde::Deserialize;

use crate::chat::ReasoningEffort;
use crate::error::{Error, ErrorKind};
use crate::layout::{EffortSetting, Efforts, SchemaSetting, Settings};

impl Settings {
    /// The settings of a `tekken.json`'s `model_settings_builder`.
    ///
    /// `null` is a file that should have one and has none.
    ///
    /// # Errors
    ///
    /// It is not such a builder: an unknown effort, a default that is not among the values.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message};
    /// use mistral_chat_template::layout::Settings;
    ///
    /// let settings = Settings::from_json(r#"{"reasoning_effort": {"values": ["low", "high"], "default": "low"}}"#)?;
    /// let layout = Layout { settings, ..Layout::V15 };
    /// let prompt = layout.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.as_str(), r#"<s>[MODEL_SETTINGS]{"reasoning_effort": "low"}[/MODEL_SETTINGS][INST]Hi[/INST]"#);
    ///
    /// let error = Settings::from_json(r#"{"reasoning_effort": {"values": ["low"], "default": "high"}}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "reasoning_effort.default: the effort high is not one of low");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Builder {
            reasoning_effort: Option<Effort>,
            json_schema: Option<serde::de::IgnoredAny>,
        }
        #[derive(Deserialize)]
        struct Effort {
            values: Vec<String>,
            default: String,
        }
        let builder: Option<Builder> =
            serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
        let Some(builder) = builder else { return Ok(Settings::Missing) };
        let effort = match builder.reasoning_effort {
            None => None,
            Some(Effort { values, default }) => {
                let named: Result<Vec<_>, _> =
                    values.iter().map(|name| effort(name, "reasoning_effort.values")).collect();
                let values = Efforts::of(&named?);
                let default = effort(&default, "reasoning_effort.default")?;
                if !values.contains(default) {
                    let kind = ErrorKind::Effort { effort: default, allowed: values.to_string() };
                    return Err(Error::new(kind, "reasoning_effort.default"));
                }
                Some(EffortSetting { values, default })
            }
        };
        let schema = builder.json_schema.map_or(SchemaSetting::NotPrinted, |_| SchemaSetting::Printed);
        Ok(Settings::Block { effort, schema })
    }
}

fn effort(name: &str, at: &str) -> Result<ReasoningEffort, Error> {
    let unknown = || Error::new(ErrorKind::UnknownEffort { name: name.to_owned() }, at);
    ReasoningEffort::from_name(name).ok_or_else(unknown)
}
