//! Conversations that are one text, each turn behind the name of its speaker.

use std::borrow::Cow;

use super::Reading;
use super::Row;
use super::json::{Object, text, within};
use super::message::Said;
use super::shapes::put;
use crate::chat::{AssistantMessage, Chat, Content, Message, Role, ToolMessage};
use crate::error::{Error, ErrorKind};

/// How a text names its speakers.
struct Speakers {
    /// What a transcript begins with.
    first: &'static str,
    /// What begins a turn, and whose turn it is.
    marks: &'static [(&'static str, Role)],
}

/// HH-RLHF, Nectar.
const HUMAN: Speakers =
    Speakers { first: "\n\nHuman:", marks: &[("\n\nHuman:", Role::User), ("\n\nAssistant:", Role::Assistant)] };

/// Baize.
const BARS: Speakers =
    Speakers { first: "[|Human|]", marks: &[("[|Human|]", Role::User), ("[|AI|]", Role::Assistant)] };

/// Glaive's function calling. A transcript begins without the blank lines.
const GLAIVE: Speakers = Speakers {
    first: "USER:",
    marks: &[
        ("\n\n\nUSER:", Role::User),
        ("\n\n\nASSISTANT:", Role::Assistant),
        ("\n\n\nFUNCTION RESPONSE:", Role::Tool),
    ],
};

/// What ends a reply of Glaive's.
const END: &str = "<|endoftext|>";
const CALL: &str = "<functioncall>";
/// How Glaive's system prompts begin where functions follow, which are the row's tools.
const BEFORE_FUNCTIONS: &str = "Use them if required -";

impl Speakers {
    /// The turns, without the spaces around them; an empty one at the end, which the model is to write, is left out.
    fn turns<'t>(&self, text: &'t str) -> Vec<(Role, &'t str)> {
        let next = |text: &str| {
            let found = self.marks.iter().filter_map(|(mark, role)| Some((text.find(mark)?, mark.len(), *role)));
            found.min_by_key(|(at, ..)| *at)
        };
        let mut turns = Vec::new();
        let mut found = next(text);
        let mut rest = text;
        while let Some((at, length, role)) = found {
            rest = rest.get(at + length..).unwrap_or_default();
            found = next(rest);
            let end = found.map_or(rest.len(), |(at, ..)| at);
            turns.push((role, rest.get(..end).unwrap_or_default().trim()));
        }
        if turns.last().is_some_and(|(_, said)| said.is_empty()) {
            turns.pop();
        }
        turns
    }
}

fn said(role: Role, text: &str) -> Said<'static> {
    let message = match role {
        Role::System => Message::system(text.to_owned()),
        Role::Assistant => Message::assistant(text.to_owned()),
        Role::User | Role::Tool => Message::user(text.to_owned()),
    };
    Said { message, mark: None }
}

/// The messages of a text such as `"\n\nHuman: Hi\n\nAssistant: Hello!"`; `None` for a text that begins with no speaker.
pub(super) fn of_humans(text: &str) -> Option<Vec<Said<'static>>> {
    let is_one = text.starts_with(HUMAN.first);
    is_one.then(|| HUMAN.turns(text).into_iter().map(|(role, text)| said(role, text)).collect())
}

/// The messages of a text such as `"The conversation between …\n[|Human|] Hi\n[|AI|] Hello!"`; `None` for any other.
pub(super) fn of_bars(text: &str) -> Option<Vec<Said<'static>>> {
    let (system, _) = text.split_once(BARS.first)?;
    let mut messages = Vec::new();
    if !system.trim().is_empty() {
        messages.push(said(Role::System, system.trim()));
    }
    messages.extend(BARS.turns(text).into_iter().map(|(role, text)| said(role, text)));
    Some(messages)
}

impl Reading<'_> {
    /// Glaive's `system` and `chat`: functions behind a system prompt, and a transcript with calls and their results.
    ///
    /// The functions become the row's tools, and the sentence that announces them goes with them.
    pub(super) fn glaive<'a>(&self, object: &mut Object<'a>) -> Result<Option<Row<'a>>, Error> {
        let Some(chat) = object.peek("chat").and_then(|raw| text(raw).ok()) else { return Ok(None) };
        if !chat.trim_start().starts_with(GLAIVE.first) {
            return Ok(None);
        }
        object.take("chat");
        let mut row = Row { chat: Chat::default(), ..Row::default() };
        if let Some(raw) = object.remove("system") {
            let system = text(raw).map_err(|error| within(error, || "system".to_owned()))?;
            let system = system.trim().strip_prefix("SYSTEM:").unwrap_or(&system).trim();
            let (system, functions) = match system.split_once(BEFORE_FUNCTIONS) {
                Some((_, functions)) => ("", functions),
                None => (system, ""),
            };
            for function in json_texts(functions) {
                let tools = self.tools(function).map_err(|error| within(error, || "system".to_owned()))?;
                row.chat.tools.extend(tools.into_iter().map(crate::chat::Tool::into_owned));
            }
            if !system.is_empty() {
                put(&mut row, [said(Role::System, system)]);
            }
        }
        // The first turn gets the blank lines that are before every other.
        for (index, (role, text)) in GLAIVE.turns(&format!("\n\n\n{}", chat.trim_start())).into_iter().enumerate() {
            let text = text.strip_suffix(END).unwrap_or(text).trim_end();
            let message = match (role, text.split_once(CALL)) {
                (Role::Tool, _) => Message::Tool(ToolMessage {
                    content: Content::Text(Cow::Owned(text.to_owned())),
                    call_id: None,
                    name: None,
                }),
                (Role::Assistant, Some((before, call))) => {
                    let call = with_json_arguments(call.trim());
                    let calls = self.calls(&call).map_err(|error| within(error, || format!("chat[{index}]")))?;
                    Message::Assistant(AssistantMessage {
                        content: Content::Text(Cow::Owned(before.trim().to_owned())),
                        tool_calls: calls.into_iter().map(crate::chat::ToolCall::into_owned).collect(),
                        ..AssistantMessage::default()
                    })
                }
                _ => said(role, text).message,
            };
            put(&mut row, [Said { message, mark: None }]);
        }
        if row.chat.messages.is_empty() {
            return Err(Error::new(ErrorKind::RowType { expected: "a transcript" }, "chat"));
        }
        Ok(Some(row))
    }
}

/// The objects that stand in a text one after the other, each as its JSON text, up to the first that is not an object.
fn json_texts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut objects = serde_json::Deserializer::from_str(rest).into_iter::<&serde_json::value::RawValue>();
        let object = objects.next()?.ok()?;
        rest = rest.get(objects.byte_offset()..).unwrap_or_default();
        Some(object.get())
    })
}

/// `{"name": "f", "arguments": '{"a": 1}'}`, in which quotes of Python stand around the arguments, as JSON.
fn with_json_arguments(call: &str) -> Cow<'_, str> {
    let parts = call.split_once(": '").and_then(|(name, rest)| {
        let (arguments, end) = rest.rsplit_once('\'')?;
        Some((name, arguments.replace("\\'", "'"), end))
    });
    match parts {
        Some((name, arguments, end)) => Cow::Owned(format!("{name}: {arguments}{end}")),
        None => Cow::Borrowed(call),
    }
}
