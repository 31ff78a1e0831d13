//! What a line can ask of a conversation that lives: that it be repaired, that it fit, and whether its prompt goes on.

use std::borrow::Cow;

use mistral_chat_template::chat::{CallMode, ToolChoice};
use mistral_chat_template::conversation::Fitted;
use mistral_chat_template::repair::{Mended, Repair, RepairPolicy};
use mistral_chat_template::{Chat, Dialect, Error, Format, Layout, Message, Mode, Prompt, Request, Segment};
use serde::Deserialize;
use serde::ser::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::segments::Segments;

/// What a line asks.
pub(crate) struct Wishes {
    /// Is the chat to be repaired first?
    pub(crate) repair: bool,
    /// Is the prompt of the first messages the beginning of this one?
    pub(crate) stable_from: Option<usize>,
    pub(crate) fit: Option<Fit>,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Fit {
    budget: usize,
}

/// The fields of an answer that tell.
#[derive(Default, serde::Serialize)]
pub(crate) struct News {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<Vec<Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appended: Option<Appended>,
    /// Asked for, but `None` where nothing is constrained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grammar: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mask: Option<Vec<[usize; 2]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Vec<i64>>,
}

/// One repair.
#[derive(serde::Serialize)]
struct Line {
    at: String,
    kind: &'static str,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

impl From<Repair> for Line {
    fn from(repair: Repair) -> Self {
        let (old, new) = repair.renamed.map(|renamed| (renamed.old, renamed.new)).unzip();
        Line { at: repair.at, kind: repair.kind.as_str(), what: repair.what, old, new }
    }
}

/// The segments of a prompt behind those of an earlier one.
struct Appended {
    prompt: Prompt,
    start: usize,
}

impl Serialize for Appended {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Segments { prompt: &self.prompt, start: self.start }.serialize(serializer)
    }
}

impl Wishes {
    /// Reads the request, and mends its form if the chat is to be repaired.
    pub(crate) fn read<'j>(&self, json: &'j str, dialect: Dialect) -> Result<Mended<'j>, Error> {
        if self.repair {
            return Request::mend(json, dialect);
        }
        Request::read(json, dialect).map(Mended::from)
    }

    /// The request whose chat is to be rendered.
    pub(crate) fn mend<'j>(
        &self,
        mut mended: Mended<'j>,
        layout: &Layout,
        truncates: bool,
        news: &mut News,
    ) -> Result<Request<'j>, Error> {
        if self.repair {
            mended = mended.repair(layout, &RepairPolicy::default())?;
            news.repairs = Some(mended.repairs.into_iter().map(Line::from).collect());
            news.request = Some(request(&mended.request.chat, truncates));
        }
        news.ignored.clone_from(&mended.request.ignored);
        Ok(mended.request)
    }

    pub(crate) fn shorten<'c>(
        &self,
        chat: &'c Chat<'_>,
        layout: &Layout,
        news: &mut News,
    ) -> Result<Cow<'c, Chat<'c>>, Error> {
        let Some(Fit { budget }) = self.fit else { return Ok(Cow::Borrowed(chat)) };
        let Fitted { chat, dropped, .. } = chat.fit(layout, budget, count_bytes)?;
        news.dropped = Some(dropped);
        Ok(chat)
    }

    /// Says whether the prompt of the first messages begins the prompt of the whole chat.
    pub(crate) fn compare(&self, chat: &Chat<'_>, layout: &Layout, prompt: &Prompt, news: &mut News) {
        let Some(n) = self.stable_from else { return };
        let why = match layout.prefix_break(chat, n) {
            _ if n > chat.messages.len() => Some(format!("the chat has no {n} messages")),
            Ok(parts) => parts.map(|parts| parts.to_string()),
            Err(error) => Some(error.to_string()),
        };
        news.stable = Some(why.is_none());
        if why.is_none() {
            let start = segments_of_first(chat, layout, n);
            news.appended = Some(Appended { prompt: prompt.clone(), start });
        }
        news.why = why;
    }
}

/// How many segments the prompt of the first messages has.
fn segments_of_first(chat: &Chat<'_>, layout: &Layout, n: usize) -> usize {
    let messages: Vec<Message<'_>> = chat.messages.iter().take(n).cloned().collect();
    let first = Chat { messages, ..chat.clone() };
    layout.in_mode(Mode::Test).render(&first).map_or(0, |prompt| prompt.segments().count())
}

/// The request, in Mistral's JSON, that renders to the same prompt without being repaired.
fn request(chat: &Chat<'_>, truncates: bool) -> Box<RawValue> {
    // A choice among some of the tools is OpenAI's alone, and shapes no prompt.
    if let ToolChoice::Allowed { mode, .. } = chat.tool_choice {
        let tool_choice = if mode == CallMode::Required { ToolChoice::Required } else { ToolChoice::Auto };
        return request(&Chat { tool_choice, ..chat.clone() }, truncates);
    }
    #[derive(serde::Serialize)]
    struct Request<'c> {
        #[serde(flatten)]
        chat: &'c Chat<'c>,
        truncate_for_context_length: bool,
    }
    let written =
        if truncates { to_raw_value(&Request { chat, truncate_for_context_length: true }) } else { to_raw_value(chat) };
    written.unwrap_or_default()
}

/// A text counts its bytes, anything else one.
fn count_bytes(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}
