//! The server's side: requests in, and what each does to the prompt out.

use std::collections::HashSet;

use mistral_chat_template::conversation::Fitted;
use mistral_chat_template::repair::{Repair, RepairPolicy, Repaired};
use mistral_chat_template::{Chat, Conversation, Error, Layout, Message, Role, Segment};
use serde::Serialize;

/// What became of one request.
#[derive(Serialize)]
pub(crate) struct Turn {
    /// How many messages the request has.
    pub(crate) messages: usize,
    /// What comes in that the request before did not have.
    pub(crate) new: String,
    /// The bytes of the prompt.
    pub(crate) bytes: usize,
    /// The bytes at the beginning that the prompt before had, too.
    pub(crate) kept: usize,
    /// The bytes of the prompt before.
    pub(crate) before: usize,
    /// Where and why the prompt does not begin with the one before.
    #[serde(rename = "break", skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<Parts>,
    /// What was repaired that was not repaired in the request before.
    pub(crate) repairs: Vec<Line>,
    pub(crate) fitted: Fit,
}

#[derive(Serialize)]
pub(crate) struct Parts {
    pub(crate) segment: usize,
    pub(crate) why: String,
}

/// One repair.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) kind: &'static str,
    pub(crate) what: String,
}

impl From<&Repair> for Line {
    fn from(repair: &Repair) -> Self {
        Line { at: repair.at.clone(), kind: repair.kind.as_str(), what: repair.what.clone() }
    }
}

/// The request at the small budget: the messages left out, or why it cannot fit.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Fit {
    Fits { count: usize, dropped: Vec<usize> },
    Over { error: String },
}

/// The requests that a client sent while the conversation grew: one before each reply, and what waits for one.
pub(crate) fn requests<'c>(chat: &'c Chat<'_>) -> Vec<Chat<'c>> {
    let is_reply = |index: usize| chat.messages.get(index).is_some_and(|message| message.role() == Role::Assistant);
    let ends = (1..=chat.messages.len()).filter(|end| !is_reply(end - 1));
    let ends = ends.filter(|end| *end == chat.messages.len() || is_reply(*end));
    ends.map(|end| Chat { messages: chat.messages.iter().take(end).cloned().collect(), ..chat.clone() }).collect()
}

/// Plays the requests, one after the other.
pub(crate) fn play(requests: &[Chat<'_>], layout: &Layout, budget: usize) -> Result<Vec<Turn>, Error> {
    let mut server = Server { layout, budget, growing: None, repaired: HashSet::new() };
    let mut before = 0;
    let mut turns = Vec::new();
    for request in requests {
        let new = request.messages.get(before..).unwrap_or_default();
        turns.push(server.answer(request, description(new))?);
        before = request.messages.len();
    }
    Ok(turns)
}

struct Server<'c, 'l> {
    layout: &'l Layout,
    budget: usize,
    /// The prompt of the request before.
    growing: Option<Conversation<'c>>,
    /// What was repaired in it.
    repaired: HashSet<String>,
}

impl<'c> Server<'c, '_> {
    fn answer(&mut self, request: &'c Chat<'_>, new: String) -> Result<Turn, Error> {
        let Repaired { chat, repairs, .. } = request.repair(self.layout, &RepairPolicy::default())?;
        let fitted = match chat.fit(self.layout, self.budget, count) {
            Ok(Fitted { count, dropped, .. }) => Fit::Fits { count, dropped },
            Err(error) => Fit::Over { error: error.to_string() },
        };
        let is_new = |repair: &&Repair| !self.repaired.contains(&repair.to_string());
        let lines = repairs.iter().filter(is_new).map(Line::from).collect();
        self.repaired = repairs.iter().map(Repair::to_string).collect();
        let messages = request.messages.len();
        let before = self.growing.as_ref().map_or(0, |growing| growing.prompt().as_str().len());
        let (kept, parts) = self.go_on(chat.into_owned())?;
        let bytes = self.growing.as_ref().map_or(0, |growing| growing.prompt().as_str().len());
        Ok(Turn { messages, new, bytes, kept, before, parts, repairs: lines, fitted })
    }

    /// Makes the prompt that of the chat; says how many bytes stay, and why no more.
    fn go_on(&mut self, chat: Chat<'c>) -> Result<(usize, Option<Parts>), Error> {
        let Some(growing) = &mut self.growing else {
            self.growing = Some(Conversation::without_ids(chat, self.layout)?);
            return Ok((0, None));
        };
        let update = growing.update(chat)?;
        let parts = update.prefix_break.map(|it| Parts { segment: it.segment, why: it.to_string() });
        Ok((update.start, parts))
    }
}

/// A text counts its bytes, anything else one.
fn count(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

/// The messages in a few words: `2 calls, 2 results`.
fn description(messages: &[Message<'_>]) -> String {
    let mut kinds: Vec<(&str, &str, usize)> = Vec::new();
    for message in messages {
        let (one, many, count) = match message {
            Message::System(_) => ("system", "systems", 1),
            Message::User(_) => ("user", "users", 1),
            Message::Assistant(message) if !message.tool_calls.is_empty() => {
                ("1 call", "calls", message.tool_calls.len())
            }
            Message::Assistant(_) => ("reply", "replies", 1),
            Message::Tool(_) => ("1 result", "results", 1),
            _ => ("other", "others", 1),
        };
        match kinds.last_mut() {
            Some((last, _, of_last)) if *last == one => *of_last += count,
            _ => kinds.push((one, many, count)),
        }
    }
    let words = kinds.into_iter().map(|(one, many, count)| match count {
        1 => one.to_owned(),
        count => format!("{count} {many}"),
    });
    words.collect::<Vec<_>>().join(", ")
}
