//! A line with a `template`: a model's own template, compiled once for the lines that share it, and what
//! `apply_chat_template` is given beside the request.

use std::collections::BTreeMap;

use mistral_chat_template::chat::{Json, Sent};
use mistral_chat_template::template::{ClockTime, GenerationPrompt};
use mistral_chat_template::{ChatTemplate, Error, Prompt};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a line says beside its template and its request.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    special_tokens: BTreeMap<String, String>,
    add_generation_prompt: bool,
    /// The keyword arguments.
    variables: BTreeMap<String, Box<RawValue>>,
    documents: Option<Box<RawValue>>,
    /// The clock, in seconds since 1970, UTC.
    now: Option<i64>,
}

/// The template of the last line.
#[derive(Default)]
pub(crate) struct Templates {
    last: Option<(String, ChatTemplate)>,
}

impl Templates {
    /// The prompt of a request, which transformers is given as it is: only `continue_final_message` makes its last message
    /// one to be continued.
    pub(crate) fn render(&mut self, source: &str, given: &Given, request: &str) -> Result<Prompt, Error> {
        let sent = Sent::from_json(request)?;
        let known = self.last.as_ref().filter(|(last, _)| last == source);
        let template = match known {
            Some((_, template)) => template.clone(),
            None => {
                let template = ChatTemplate::new(source)?;
                self.last = Some((source.to_owned(), template.clone()));
                template
            }
        };
        given.to(template)?.render_sent(&sent)
    }
}

impl Given {
    fn to(&self, mut template: ChatTemplate) -> Result<ChatTemplate, Error> {
        let Given { special_tokens, add_generation_prompt, variables, documents, now } = self;
        for (name, text) in special_tokens {
            template = template.special_token(name, text);
        }
        for (name, value) in variables {
            template = template.variable(name, Json::from_serialize(value)?);
        }
        if let Some(documents) = documents {
            template = template.documents(Json::from_serialize(documents)?);
        }
        if let Some(now) = *now {
            template = template.clock(move || ClockTime::from_unix_seconds(now));
        }
        Ok(match add_generation_prompt {
            true => template.generation_prompt(GenerationPrompt::Added),
            false => template,
        })
    }
}
