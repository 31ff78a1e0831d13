//! What a layout refuses of a chat once its messages are turns: what mistral-common refuses only while it encodes.

use super::{Check, SystemWithAudio};
use crate::chat::{ChatShape, Chunk, Content, Message, ResponseFormat, Role, Turn};
use crate::error::{Error, ErrorKind};
use crate::image::{base64_image, data_url_image};
use crate::layout::{ChunkKind, ResultsPerTurn, Settings, Thinking};
use crate::prompt::Media;
use crate::python::json::{self, JsonError};
use crate::render::CheckedChat;
use crate::version::Feature;

/// Checks the turns in the order in which they are written.
pub(crate) fn check_turns(conversation: &CheckedChat<'_, '_>, shape: ChatShape) -> Result<(), Error> {
    let CheckedChat { chat, layout, .. } = *conversation;
    let check = Check { chat, layout };
    check.settings()?;
    if conversation.tools_turn.is_some() {
        check.schemas()?;
    }
    if shape == ChatShape::Plain {
        return Ok(());
    }
    match layout.rules.system_with_audio {
        SystemWithAudio::OnlyByUrl => check.refuse_system_with(|kind| kind == ChunkKind::InputAudio)?,
        SystemWithAudio::Refused | SystemWithAudio::Taken => {}
    }
    match layout.rules.results_per_turn {
        ResultsPerTurn::One => check.one_result(conversation)?,
        ResultsPerTurn::Any => {}
    }
    for (index, turn) in conversation.turns.iter().enumerate() {
        check.turn(conversation, index, turn)?;
    }
    Ok(())
}

impl Check<'_, '_> {
    pub(super) fn settings(&self) -> Result<(), Error> {
        let effort = match self.layout.settings {
            Settings::Missing => return Err(self.error(ErrorKind::NoSettings, "")),
            Settings::Unknown => None,
            Settings::Block { effort, .. } => effort,
        };
        match (effort, self.chat.reasoning_effort) {
            (Some(setting), Some(effort)) if !setting.values.contains(effort) => {
                let allowed = setting.values.to_string();
                Err(self.error(ErrorKind::Effort { effort, allowed }, "reasoning_effort"))
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Can the schemas that the prompt holds be written?
    fn schemas(&self) -> Result<(), Error> {
        for (index, tool) in self.chat.tools.iter().enumerate() {
            self.keepable(tool.parameters.as_str(), || format!("tools[{index}].function.parameters"))?;
        }
        let is_printed = self.layout.settings.block().is_some_and(|(_, schema)| schema.is_printed());
        match &self.chat.response_format {
            ResponseFormat::JsonSchema(schema) if is_printed => {
                self.keepable(schema.schema.as_str(), || "response_format.json_schema.schema".to_owned())
            }
            ResponseFormat::Text | ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_) => Ok(()),
        }
    }

    fn keepable(&self, json: &str, at: impl FnOnce() -> String) -> Result<(), Error> {
        match unkeepable(json) {
            Some(error) => Err(self.error(ErrorKind::JsonValue, at()).because(error)),
            None => Ok(()),
        }
    }

    /// After the last user turn, a turn of calls has one result.
    fn one_result(&self, conversation: &CheckedChat<'_, '_>) -> Result<(), Error> {
        let from = conversation.users.map_or(0, |(_, last)| last);
        let (mut after_calls, mut results) = (false, 0);
        for turn in conversation.turns.iter().skip(from) {
            match turn.role {
                Role::Tool if after_calls && results == 1 => {
                    return self.at(turn.messages.start, "", ErrorKind::ParallelResults);
                }
                Role::Tool => results += usize::from(after_calls),
                Role::Assistant => (after_calls, results) = (conversation.has_calls(turn), 0),
                Role::System | Role::User => (after_calls, results) = (false, 0),
            }
        }
        Ok(())
    }

    fn turn(&self, conversation: &CheckedChat<'_, '_>, index: usize, turn: &Turn) -> Result<(), Error> {
        match turn.role {
            Role::System | Role::User => self.contents(conversation, turn),
            Role::Assistant => {
                self.reply(conversation, turn)?;
                self.contents(conversation, turn)
            }
            Role::Tool if !self.layout.results.are_written() => self.at(turn.messages.start, "", ErrorKind::NoTools),
            Role::Tool if conversation.is_old_tool_turn(index, turn) => Ok(()),
            Role::Tool => self.contents(conversation, turn),
        }
    }

    fn reply(&self, conversation: &CheckedChat<'_, '_>, turn: &Turn) -> Result<(), Error> {
        let at = turn.messages.start;
        let calls = conversation.has_calls(turn);
        let content = conversation.messages(turn).any(|(_, message)| !says_nothing(message.content()));
        if calls && !self.layout.calls.are_written() {
            return self.at(at, "tool_calls", ErrorKind::NoTools);
        }
        match (content, calls) {
            (true, true) if self.layout.rules.text_and_calls.exclude_each_other() => {
                self.at(at, "", ErrorKind::MergedContentAndCalls { first: at })
            }
            (false, false) => self.at(at, "", ErrorKind::EmptyReply),
            _ => self.arguments(conversation, turn),
        }
    }

    fn arguments(&self, conversation: &CheckedChat<'_, '_>, turn: &Turn) -> Result<(), Error> {
        for (index, message) in conversation.messages(turn) {
            for (at, call) in message.tool_calls().iter().enumerate() {
                self.keepable(&call.arguments, || format!("messages[{index}].tool_calls[{at}].function.arguments"))?;
            }
        }
        Ok(())
    }

    /// Can the tokenizer write every chunk?
    fn contents(&self, conversation: &CheckedChat<'_, '_>, turn: &Turn) -> Result<(), Error> {
        for (index, message) in conversation.messages(turn) {
            for (at, chunk) in message.content().chunks().iter().enumerate() {
                if let Some((field, kind)) = self.unwritable(turn.role, chunk) {
                    return self.at(index, &format!("content[{at}]{field}"), kind);
                }
            }
            if let (Message::Tool(result), true) = (message, self.layout.results.are_json()) {
                self.keepable(&result.content.joined(self.layout.chunk_join), || format!("messages[{index}].content"))?;
            }
        }
        Ok(())
    }

    fn unwritable(&self, role: Role, chunk: &Chunk<'_>) -> Option<(&'static str, ErrorKind)> {
        match chunk {
            Chunk::Text(_) => None,
            Chunk::Thinking { .. } => match (self.layout.thinking, role) {
                (Thinking::None | Thinking::Tags, _) => Some(("", ErrorKind::NoThinking)),
                (Thinking::Tokens, _) if !self.layout.features.contains(Feature::Think) => {
                    Some(("", ErrorKind::NoThinkTokens))
                }
                (Thinking::Tokens, _) => None,
            },
            Chunk::ImageUrl { url, .. } => self
                .needs(Feature::Image, Media::Image)
                .or_else(|| check_image_url(url).err().map(|kind| (".image_url", kind))),
            Chunk::Image(data) => self
                .needs(Feature::Image, Media::Image)
                .or_else(|| base64_image(data).is_err().then_some((".image", ErrorKind::ImageBytes))),
            Chunk::InputAudio(_) | Chunk::AudioUrl(_) => self.needs(Feature::Audio, Media::Audio),
        }
    }

    fn needs(&self, feature: Feature, media: Media) -> Option<(&'static str, ErrorKind)> {
        let missing = !self.layout.features.contains(feature);
        missing.then(|| ("", ErrorKind::NoEncoder { media: media.as_str() }))
    }
}

/// Is there nothing to write: no text that is not empty, and nothing that is not text?
pub(crate) fn says_nothing(content: &Content<'_>) -> bool {
    match content {
        Content::Text(text) => text.is_empty(),
        Content::Chunks(chunks) => chunks.iter().all(|chunk| chunk.as_text().is_some_and(str::is_empty)),
    }
}

/// JSON that Python reads, and then cannot keep or print: a lone surrogate, or an integer of too many digits.
pub(crate) fn unkeepable(text: &str) -> Option<JsonError> {
    let long_number = || text.as_bytes().chunks_exact(2048).any(|chunk| chunk.iter().all(u8::is_ascii_digit));
    if !text.contains("\\u") && !long_number() {
        return None;
    }
    json::reformat(text, &mut String::new()).err().filter(|error| !error.is_syntax())
}

/// Refuses an image URL that mistral-common refuses: a scheme that it does not load, or data that is not an image.
fn check_image_url(url: &str) -> Result<(), ErrorKind> {
    if url.starts_with("data:") {
        return data_url_image(url).map(|_| ()).map_err(|_| ErrorKind::ImageData);
    }
    if url.starts_with("http") || url.starts_with("file://") {
        return Ok(());
    }
    let scheme = url.split(':').next().unwrap_or_default();
    Err(ErrorKind::ImageScheme { scheme: scheme.chars().take(32).collect() })
}
