//! What `apply_chat_template` is given beside the chat, as options of a command line.
#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use mistral_chat_template::chat::{Json, Sent};
use mistral_chat_template::template::{ClockTime, GenerationPrompt};
use mistral_chat_template::{Chat, ChatTemplate, Dialect, Format, Prompt};

/// The options, for a program's help.
pub(crate) const HELP: &str = "\
      --generation-prompt, --no-generation-prompt
                       With or without what begins an answer
      --continue       The last message is one to be continued
      --variable NAME=JSON
                       A variable of the template, such as enable_thinking=false;
                       what is not JSON is a text
      --documents FILE Documents to answer from: a JSON list of objects
      --now SECONDS    The time that the template is told, in seconds since 1970,
                       UTC [default: the machine's clock]
";

/// The names of the options.
pub(crate) const NAMES: [&str; 6] =
    ["generation-prompt", "no-generation-prompt", "continue", "variable", "documents", "now"];

/// What a template is given beside the chat.
#[derive(Default)]
pub(crate) struct Given {
    generation_prompt: Option<GenerationPrompt>,
    continues: bool,
    variables: Vec<(String, Json<'static>)>,
    documents: Option<Json<'static>>,
    now: Option<i64>,
}

impl Given {
    /// Takes an option of this name, without its dashes; false where it is another program's.
    pub(crate) fn take(
        &mut self,
        name: &str,
        value: impl FnOnce() -> Result<String, Box<dyn Error>>,
    ) -> Result<bool, Box<dyn Error>> {
        match name {
            "generation-prompt" => self.generation_prompt = Some(GenerationPrompt::Added),
            "no-generation-prompt" => self.generation_prompt = Some(GenerationPrompt::LeftOut),
            "continue" => self.continues = true,
            "variable" => {
                let value = value()?;
                let (name, text) = value.split_once('=').ok_or("--variable takes NAME=JSON")?;
                self.variables.push((name.to_owned(), json_or_text(text)?));
            }
            "documents" => {
                let path = value()?;
                let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
                self.documents = Some(json(&text).map_err(|error| format!("{path}: {error}"))?);
            }
            "now" => self.now = Some(value()?.parse().map_err(|_| "--now takes a number of seconds")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The template with all of it; without a word about the generation prompt, with this one.
    pub(crate) fn to(&self, template: ChatTemplate, generation_prompt: GenerationPrompt) -> ChatTemplate {
        let Given { generation_prompt: chosen, continues: _, variables, documents, now } = self;
        let mut template = template.generation_prompt(chosen.unwrap_or(generation_prompt));
        for (name, value) in variables {
            template = template.variable(name, value.clone());
        }
        if let Some(documents) = documents {
            template = template.documents(documents.clone());
        }
        let now = *now;
        template.clock(move || ClockTime::from_unix_seconds(now.unwrap_or_else(machine_clock)))
    }

    /// The prompt of a chat: read in this dialect, or else given to the template as it was sent.
    pub(crate) fn render(
        &self,
        template: &ChatTemplate,
        request: &str,
        dialect: Dialect,
    ) -> Result<Prompt, mistral_chat_template::Error> {
        let continued = match request.trim_end().strip_suffix('}') {
            // Of equal keys the last counts.
            Some(open) if self.continues => format!("{open}, \"continue_final_message\": true}}"),
            _ => request.to_owned(),
        };
        match Chat::read(&continued, dialect) {
            Ok(chat) => template.render(&chat),
            // What is wrong with the chat is said where it is not a request either.
            Err(error) => template.render_sent(&Sent::from_json(&continued).map_err(|_| error)?),
        }
    }
}

fn json(text: &str) -> Result<Json<'static>, mistral_chat_template::Error> {
    Json::new(text).and_then(|json| Json::from_serialize(&json))
}

fn json_or_text(text: &str) -> Result<Json<'static>, mistral_chat_template::Error> {
    json(text).or_else(|_| Json::from_serialize(&text))
}

fn machine_clock() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
