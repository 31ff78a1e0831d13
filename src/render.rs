//! A chat through a layout: [`CheckedChat`] is a chat that the layout accepts, gathered into turns; [`Fim`] is a gap.
//!
//! [`Format::render`] is all that most programs need. A checked chat is for those that render twice, or shorten first:
//!
//! ```
//! use mistral_chat_template::render::CheckedChat;
//! use mistral_chat_template::{Chat, Layout, Message, Prompt};
//!
//! let chat = Chat::new([Message::user("One"), Message::assistant("1"), Message::user("Two")]);
//! let checked = CheckedChat::new(&chat, &Layout::V3)?;
//! let mut prompt = Prompt::new();
//! checked.render_into(&mut prompt);
//! assert_eq!(prompt.as_str(), "<s>[INST] One[/INST] 1</s>[INST] Two[/INST]");
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```

use crate::chat::{AssistantMessage, Chat, Chunk, Content, Message, ResponseFormat, Role, ToolCall, ToolMessage, Turn};
use crate::control::Control;
use crate::error::Error;
use crate::format::Format;
use crate::layout::{CallPart, Frame, Grouping, Layout, Quoting, SchemaSetting, System, ToolResults};
use crate::prompt::{Media, Origin, PrefixBreak, Prompt, Writer};
use crate::python::json;

pub(crate) mod check;
mod checked;
mod fim;
mod gather;
mod plain;
mod prefix;

pub use self::checked::CheckedChat;
pub use self::fim::Fim;
pub(crate) use self::gather::{gather_message, order_by_calls};
pub(crate) use self::plain::write_turn;

/// What stands between two messages of one turn, and between two system messages that are written as one.
const MESSAGE_JOIN: &str = "\n\n";

/// Lays the chat out as the row says: checked, gathered into turns, written.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message};
///
/// let chat = Chat::new([Message::system("SYSTEM"), Message::user("USER"), Message::assistant("REPLY"), Message::user("USER")]);
/// assert_eq!(Layout::MAGNUM.render(&chat)?.as_str(), "<s>[INST] SYSTEM\nUSER[/INST] REPLY</s>[INST] USER[/INST]");
/// assert_eq!(Layout::V3.render(&chat)?.as_str(), "<s>[INST] USER[/INST] REPLY</s>[INST] SYSTEM\n\nUSER[/INST]");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
impl Format for Layout {
    fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        prompt.make_room(|| room_for(chat, self));
        if plain::render(chat, self, prompt).is_some() {
            return Ok(());
        }
        let turns = prompt.take_turns();
        prompt.clear();
        let conversation = CheckedChat::gathered(chat, self, turns)?;
        conversation.write_turns_into(prompt);
        prompt.keep_turns(conversation.turns);
        Ok(())
    }

    fn prefix_break(&self, chat: &Chat<'_>, n: usize) -> Result<Option<PrefixBreak>, Error> {
        prefix::prefix_break(self, chat, n)
    }
}

/// The bytes of a chat's texts and of the frames around them, and the pieces that they make: what a prompt of text needs.
fn room_for(chat: &Chat<'_>, layout: &Layout) -> (usize, usize) {
    let frame = |frame: &Frame| frame.open.as_str().len() + frame.close.as_str().len();
    let around = |role| match (role, &layout.system) {
        (Role::System, System::OwnTurn(own)) => frame(own),
        (Role::System, System::InUser { join, .. }) => join.len(),
        (Role::Assistant, _) => frame(&layout.reply),
        (Role::User | Role::Tool, _) => frame(&layout.user),
    };
    let bytes = chat.messages.iter().map(|message| {
        let text = match message.content() {
            Content::Text(text) => text.len(),
            Content::Chunks(chunks) => chunks.iter().filter_map(Chunk::as_text).map(str::len).sum(),
        };
        // A space is set before a text, or what joins it to the text before.
        text + around(message.role()) + MESSAGE_JOIN.len()
    });
    let settings = layout.settings.block().map_or(0, |_| SETTINGS_LENGTH);
    (bytes.sum::<usize>() + Control::Bos.as_str().len() + settings, chat.messages.len() + 4)
}

/// The bytes of a block of settings without a schema, or some more.
const SETTINGS_LENGTH: usize = 64;

impl<'c> CheckedChat<'c, '_> {
    /// Renders the conversation into a prompt that is begun anew, using the memory that it has.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Layout, Message, Prompt};
    /// # use mistral_chat_template::render::CheckedChat;
    /// let chat = Chat::new([Message::user("Hi")]);
    /// let mut prompt = Prompt::new();
    /// CheckedChat::new(&chat, &Layout::V13)?.render_into(&mut prompt);
    /// assert_eq!(prompt.as_str(), "<s>[INST]Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn render_into(&self, prompt: &mut Prompt) {
        let is_whole = self.turns.iter().all(|turn| !turn.dropped);
        if !is_whole || plain::render(self.chat, self.layout, prompt).is_none() {
            self.write_turns_into(prompt);
        }
    }

    fn write_turns_into(&self, prompt: &mut Prompt) {
        let mut writer = Writer::of_layout(prompt, self.layout);
        writer.control(Control::Bos);
        for (index, turn) in self.turns.iter().enumerate() {
            self.turn(&mut writer, index, turn);
        }
        prompt.stop_at(self.layout.reply.close.as_str());
    }

    /// Writes one turn.
    pub(crate) fn turn(&self, writer: &mut Writer<'_>, index: usize, turn: &Turn) {
        if turn.dropped || self.is_old_tool_turn(index, turn) {
            return;
        }
        let from = writer.place();
        writer.from(self.frame_origin(turn));
        match turn.role {
            Role::System => self.system(writer, turn),
            Role::User => self.user(writer, index, turn),
            Role::Assistant => self.reply(writer, turn),
            Role::Tool => self.result(writer, turn),
        }
        writer.end_turn(from);
    }

    fn system(&self, writer: &mut Writer<'_>, turn: &Turn) {
        if let Some(frame) = self.layout.system.own_turn() {
            writer.mark(frame.open);
            self.contents(writer, turn);
            writer.mark(frame.close);
        }
    }

    fn user(&self, writer: &mut Writer<'_>, index: usize, turn: &Turn) {
        if self.tools_turn == Some(index) {
            self.tools(writer);
            self.settings(writer);
            writer.from(self.frame_origin(turn));
        }
        writer.mark(self.layout.user.open);
        if let (Some((_, join)), true) = (self.layout.system.in_user(), self.system_turn == Some(index)) {
            self.system_prompt(writer, join, turn);
        }
        if let Some((origin, image)) = self.single_image_after_text(turn) {
            writer.from(origin);
            writer.media(image);
            self.texts(writer, turn);
        } else {
            self.contents(writer, turn);
        }
        writer.from(self.frame_origin(turn));
        writer.mark(self.layout.user.close);
    }

    /// Frames belong to the turn's first message; a turn of no message has none.
    fn frame_origin(&self, turn: &Turn) -> Origin {
        if turn.messages.is_empty() { Origin::NONE } else { Origin::message(turn.messages.start, turn.role) }
    }

    /// Every system message as one text at the beginning of a user turn: its own run where the turn has media.
    fn system_prompt(&self, writer: &mut Writer<'_>, join: &str, turn: &Turn) {
        let systems = self.chat.messages.iter().enumerate().filter_map(|(index, message)| match message {
            Message::System(content) if !content.is_empty() => Some((index, content)),
            _ => None,
        });
        let mut any_text = false;
        for (position, (index, content)) in systems.enumerate() {
            writer.from(Origin::message(index, Role::System));
            // A list of empty texts says nothing, and is joined all the same.
            if position > 0 {
                writer.text(MESSAGE_JOIN);
                any_text = true;
            }
            any_text |= Joiner::new(self.layout).content(writer, content);
        }
        if any_text {
            writer.text(join);
            if self.has_more_than_text(turn) {
                writer.end_run();
            }
        }
    }

    fn has_more_than_text(&self, turn: &Turn) -> bool {
        self.messages(turn).any(|(_, message)| message.content().chunks().iter().any(|chunk| chunk.as_text().is_none()))
    }

    /// The image of a turn that says text and then shows one image: the image comes first.
    fn single_image_after_text(&self, turn: &Turn) -> Option<(Origin, Media)> {
        let mut image = None;
        let mut text_before = false;
        for (index, message) in self.messages(turn) {
            match message.content() {
                Content::Text(text) if text.is_empty() => {}
                Content::Text(_) if image.is_some() => return None,
                Content::Text(_) => text_before = true,
                Content::Chunks(chunks) => {
                    for chunk in chunks {
                        match chunk {
                            Chunk::Text(text) if text.is_empty() => {}
                            Chunk::Text(_) if image.is_some() => return None,
                            Chunk::Text(_) => text_before = true,
                            Chunk::Image(_) | Chunk::ImageUrl { .. } if image.is_none() && text_before => {
                                image = Some((Origin::message(index, turn.role), Media::Image));
                            }
                            Chunk::Image(_)
                            | Chunk::ImageUrl { .. }
                            | Chunk::Thinking { .. }
                            | Chunk::InputAudio(_)
                            | Chunk::AudioUrl(_) => return None,
                        }
                    }
                }
            }
        }
        image
    }

    /// The texts of a turn, joined.
    fn texts(&self, writer: &mut Writer<'_>, turn: &Turn) {
        let mut joiner = Joiner::new(self.layout);
        for (index, message) in self.messages(turn) {
            writer.from(Origin::message(index, turn.role));
            joiner.begin_message();
            match message.content() {
                Content::Text(text) => joiner.text(writer, text, MESSAGE_JOIN),
                Content::Chunks(chunks) => {
                    for text in chunks.iter().filter_map(Chunk::as_text) {
                        joiner.chunk_text(writer, text);
                    }
                }
            }
        }
    }

    /// What a turn's messages say, joined.
    fn contents(&self, writer: &mut Writer<'_>, turn: &Turn) {
        let mut joiner = Joiner::new(self.layout);
        for (index, message) in self.messages(turn) {
            writer.from(Origin::message(index, turn.role));
            joiner.content(writer, message.content());
        }
    }

    fn reply(&self, writer: &mut Writer<'_>, turn: &Turn) {
        writer.mark(self.layout.reply.open);
        self.contents(writer, turn);
        if self.layout.trim_reply && !self.has_more_than_text(turn) {
            writer.end_trimmed_run();
        }
        writer.end_run();
        self.calls(writer, turn);
        let prefix =
            |message: &Message<'_>| matches!(message, Message::Assistant(AssistantMessage { prefix: true, .. }));
        if !self.messages(turn).any(|(_, message)| prefix(message)) {
            writer.from(self.frame_origin(turn));
            writer.mark(self.layout.reply.close);
        }
    }

    /// The tool calls of a turn.
    fn calls(&self, writer: &mut Writer<'_>, turn: &Turn) {
        let calls =
            |(index, message): (usize, &'c Message<'_>)| message.tool_calls().iter().map(move |call| (index, call));
        let mut calls = self.messages(turn).flat_map(calls).peekable();
        let (Some(form), Some(_)) = (self.layout.calls.form(), calls.peek()) else { return };
        match form.grouping {
            Grouping::Apart => {
                for (index, call) in calls {
                    writer.from(Origin::message(index, turn.role));
                    write_call(writer, form.quoting, form.call, call);
                }
            }
            Grouping::List { control, open, between, close } => {
                writer.from(Origin::message(turn.messages.start, turn.role));
                writer.control(control);
                writer.compose(|out| {
                    for (position, (_, call)) in calls.enumerate() {
                        out.push_str(if position == 0 { open } else { between });
                        form.call.iter().for_each(|part| compose_part(out, form.quoting, *part, call));
                    }
                    out.push_str(close);
                });
            }
        }
    }

    fn result(&self, writer: &mut Writer<'_>, turn: &Turn) {
        let Some((_, Message::Tool(ToolMessage { content, call_id, name }))) = self.messages(turn).next() else {
            return;
        };
        writer.control(Control::ToolResults);
        match self.layout.results {
            ToolResults::None => {}
            ToolResults::NamedList => writer.compose(|out| {
                out.push_str("[{\"name\": ");
                match name {
                    Some(name) => json::write_string(name, out),
                    None => out.push_str("null"),
                }
                out.push_str(", \"content\": ");
                self.json_content(content, out);
                out.push_str("}]");
            }),
            ToolResults::Object => writer.compose(|out| {
                out.push_str("{\"content\": ");
                self.json_content(content, out);
                out.push_str(", \"call_id\": ");
                json::write_string(call_id.as_deref().unwrap_or_default(), out);
                out.push('}');
            }),
            ToolResults::IdThenContent => {
                writer.text(call_id.as_deref().unwrap_or_default());
                writer.control(Control::ToolContent);
                self.contents(writer, turn);
            }
            ToolResults::Content => self.contents(writer, turn),
        }
        writer.control(Control::EndToolResults);
    }

    /// A result's content as JSON: as the value that it spells, or else as a string.
    fn json_content(&self, content: &Content<'_>, out: &mut String) {
        write_json_or_string(&content.joined(self.layout.chunk_join), out);
    }

    /// The tools, before the user turn that the layout says.
    fn tools(&self, writer: &mut Writer<'_>) {
        if self.chat.tools.is_empty() {
            return;
        }
        writer.from(Origin::NONE);
        writer.control(Control::AvailableTools);
        writer.compose(|out| {
            for (position, tool) in self.chat.tools.iter().enumerate() {
                out.push_str(if position == 0 { "[" } else { ", " });
                out.push_str("{\"type\": \"function\", \"function\": {\"name\": ");
                json::write_string(&tool.name, out);
                out.push_str(", \"description\": ");
                json::write_string(&tool.description, out);
                out.push_str(", \"parameters\": ");
                write_json_or_string(tool.parameters.as_str(), out);
                out.push_str("}}");
            }
            out.push(']');
        });
        writer.control(Control::EndAvailableTools);
    }

    /// The settings, by name, after the tools.
    fn settings(&self, writer: &mut Writer<'_>) {
        let Some((effort, schema)) = self.layout.settings.block() else { return };
        let effort = effort.map(|setting| self.chat.reasoning_effort.unwrap_or(setting.default));
        let schema = match (schema, &self.chat.response_format) {
            (SchemaSetting::NotPrinted, _) | (_, ResponseFormat::Text) => None,
            (SchemaSetting::Printed, ResponseFormat::JsonObject) => Some(ResponseFormat::ANY_OBJECT_OR_ARRAY),
            (SchemaSetting::Printed, ResponseFormat::JsonSchema(schema)) => Some(schema.schema.as_str()),
        };
        if effort.is_none() && schema.is_none() {
            return;
        }
        writer.from(Origin::NONE);
        writer.control(Control::ModelSettings);
        writer.compose(|out| {
            out.push('{');
            if let Some(schema) = schema {
                out.push_str("\"json_schema\": ");
                write_json_or_string(schema, out);
            }
            if let Some(effort) = effort {
                out.push_str(if schema.is_some() { ", " } else { "" });
                // An effort is a name, with nothing to escape.
                out.push_str("\"reasoning_effort\": \"");
                out.push_str(effort.as_str());
                out.push('"');
            }
            out.push('}');
        });
        writer.control(Control::EndModelSettings);
    }
}

/// Parts of a call that stands by itself.
fn write_call(writer: &mut Writer<'_>, quoting: Quoting, parts: &[CallPart], call: &ToolCall<'_>) {
    for part in parts {
        match (*part, quoting) {
            (CallPart::Control(control), _) => writer.control(control),
            (CallPart::Name, Quoting::Bare) => writer.text(&call.name),
            (CallPart::IfId(parts), _) => {
                if printed_id(call).is_some() {
                    // The parts of an id hold no other `IfId`.
                    write_call(writer, quoting, parts, call);
                }
            }
            (part, quoting) => writer.compose(|out| compose_part(out, quoting, part, call)),
        }
    }
}

/// A part of a call inside a run of text, which holds no control tokens.
fn compose_part(out: &mut String, quoting: Quoting, part: CallPart, call: &ToolCall<'_>) {
    let quoted = |text: &str, out: &mut String| match quoting {
        Quoting::Bare => out.push_str(text),
        Quoting::Json => json::write_string(text, out),
    };
    match part {
        CallPart::Control(_) => {}
        CallPart::Text(text) => out.push_str(text),
        CallPart::Name => quoted(&call.name, out),
        CallPart::Arguments => write_json_or_string(&call.arguments, out),
        CallPart::IfId(parts) => {
            if printed_id(call).is_some() {
                parts.iter().for_each(|part| compose_part(out, quoting, *part, call));
            }
        }
        CallPart::Id => quoted(printed_id(call).unwrap_or_default(), out),
    }
}

/// The id that a call prints: neither empty nor `"null"`.
fn printed_id<'t>(call: &'t ToolCall<'_>) -> Option<&'t str> {
    call.id.as_deref().filter(|id| !matches!(*id, "" | ToolCall::NULL_ID))
}

/// JSON as Python prints it, where `text` is JSON; nothing at all is an empty object, and any other text a string.
fn write_json_or_string(text: &str, out: &mut String) {
    if text.is_empty() {
        out.push_str("{}");
    } else if json::reformat(text, out).is_err() {
        json::write_string(text, out);
    }
}

/// Writes contents one after another, with what stands between their texts.
struct Joiner {
    chunk_join: &'static str,
    /// Has the open run text?
    in_text: bool,
    /// Is the next text chunk the first of its message to follow text of another?
    new_message: bool,
}

impl Joiner {
    fn new(layout: &Layout) -> Self {
        Joiner { chunk_join: layout.chunk_join, in_text: false, new_message: false }
    }

    /// Writes one message's content, and says whether the open run has text.
    #[inline]
    fn content(&mut self, writer: &mut Writer<'_>, content: &Content<'_>) -> bool {
        self.begin_message();
        match content {
            Content::Text(text) => self.text(writer, text, MESSAGE_JOIN),
            Content::Chunks(chunks) => self.chunks(writer, chunks),
        }
        self.in_text
    }

    fn chunks(&mut self, writer: &mut Writer<'_>, chunks: &[Chunk<'_>]) {
        for chunk in chunks {
            self.chunk(writer, chunk);
        }
    }

    fn begin_message(&mut self) {
        self.new_message = self.in_text;
    }

    fn chunk(&mut self, writer: &mut Writer<'_>, chunk: &Chunk<'_>) {
        if chunk.as_text().is_none() {
            writer.end_run();
            self.in_text = false;
        }
        match chunk {
            Chunk::Text(text) => return self.chunk_text(writer, text),
            Chunk::Thinking { text, closed } => {
                writer.control(Control::Think);
                writer.text(text);
                if *closed {
                    writer.control(Control::EndThink);
                }
            }
            Chunk::Image(_) | Chunk::ImageUrl { .. } => writer.media(Media::Image),
            Chunk::InputAudio(_) | Chunk::AudioUrl(_) => writer.media(Media::Audio),
        }
        writer.end_run();
    }

    fn chunk_text(&mut self, writer: &mut Writer<'_>, text: &str) {
        let join = if self.new_message { MESSAGE_JOIN } else { self.chunk_join };
        self.text(writer, text, join);
    }

    fn text(&mut self, writer: &mut Writer<'_>, text: &str, join: &str) {
        if !text.is_empty() {
            if self.in_text {
                writer.text(join);
            }
            writer.text(text);
            (self.in_text, self.new_message) = (true, false);
        }
    }
}
