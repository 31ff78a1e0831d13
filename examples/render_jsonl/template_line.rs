//! A `{"template", "special_tokens", "request"}` line: a model's own template, compiled once for the lines that share it.

use std::collections::BTreeMap;

use mistral_chat_template::{Chat, ChatTemplate, Dialect, Error, Format, Message, Prompt};
use serde::Deserialize;

/// `{"bos_token": "<s>", …}`.
pub(crate) type SpecialTokens = BTreeMap<String, String>;

/// The template of the last line.
#[derive(Default)]
pub(crate) struct Templates {
    last: Option<(String, ChatTemplate)>,
}

impl Templates {
    /// The chat as transformers is given it: only `continue_final_message` makes a message one to be continued.
    pub(crate) fn chat<'a>(&self, request: &'a str, dialect: Dialect) -> Result<Chat<'a>, Error> {
        #[derive(Default, Deserialize)]
        struct Flag {
            #[serde(default)]
            continue_final_message: bool,
        }
        let mut chat = Chat::read(request, dialect)?;
        let flag: Flag = serde_json::from_str(request).unwrap_or_default();
        for message in &mut chat.messages {
            if let Message::Assistant(message) = message {
                message.prefix &= flag.continue_final_message;
            }
        }
        Ok(chat)
    }

    pub(crate) fn render(
        &mut self,
        source: &str,
        special_tokens: Option<&SpecialTokens>,
        chat: &Chat<'_>,
        prompt: &mut Prompt,
    ) -> Result<(), Error> {
        let known = self.last.as_ref().is_some_and(|(last, _)| last == source);
        if !known {
            self.last = Some((source.to_owned(), ChatTemplate::new(source)?));
        }
        let Some((_, template)) = &self.last else { return Ok(()) };
        let Some(special_tokens) = special_tokens.filter(|tokens| !tokens.is_empty()) else {
            return template.render_into(chat, prompt);
        };
        let with = |template: ChatTemplate, (name, text): (&String, &String)| template.special_token(name, text);
        special_tokens.iter().fold(template.clone(), with).render_into(chat, prompt)
    }
}
