//! Two [`Prompt`]s in, the first place where they part out, and what happened there.

use std::fmt;

use crate::chat::Role;
use crate::control::Control;
use crate::prompt::{Place, Prompt, Run, Segment, Span};
use crate::python::json;

/// The first place where two prompts part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// The index of the first segment that differs, which is also the number of equal segments before it.
    pub segment: usize,
    /// The byte of both prompts at which the first difference is.
    pub byte: usize,
    /// The message of the one prompt there, where it comes from one.
    pub message: Option<usize>,
    /// The message of the other prompt there, where it comes from one.
    pub other_message: Option<usize>,
    /// What happened.
    pub kind: DivergenceKind,
}

/// Where, and what happened, as a sentence.
impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from byte {} on, in segment {}", self.byte, self.segment)?;
        if let Some(message) = self.message.or(self.other_message) {
            write!(f, " of message {message}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// What happened where two prompts part.
///
/// ```
/// use mistral_chat_template::prompt::DivergenceKind;
///
/// assert_eq!(DivergenceKind::SystemMoved.to_string(), "the system prompt stands elsewhere");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DivergenceKind {
    /// One prompt goes on where the other ends.
    Continued,
    /// The same system prompt stands elsewhere.
    SystemMoved,
    /// The system prompt is another one, or only one prompt has one.
    SystemChanged,
    /// The same tools stand elsewhere.
    ToolsMoved,
    /// The tools are others, or only one prompt has some.
    ToolsChanged,
    /// The settings are others, stand elsewhere, or only one prompt has some.
    SettingsChanged,
    /// Thinking of one prompt is not in the other.
    ThinkingDropped,
    /// The texts differ in white space at their ends.
    SpaceTrimmed,
    /// The same JSON is written in another way.
    JsonRewritten,
    /// The messages are the same, and written as another version does.
    AnotherVersion,
    /// A message of one prompt goes on with what is another message, or nothing, in the other.
    TextContinued,
    /// A message is another one.
    MessageChanged,
}

impl DivergenceKind {
    /// The kind's name, for machines: stable, in snake case.
    ///
    /// ```
    /// # use mistral_chat_template::prompt::DivergenceKind;
    /// assert_eq!(DivergenceKind::SpaceTrimmed.as_str(), "space_trimmed");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DivergenceKind::Continued => "continued",
            DivergenceKind::SystemMoved => "system_moved",
            DivergenceKind::SystemChanged => "system_changed",
            DivergenceKind::ToolsMoved => "tools_moved",
            DivergenceKind::ToolsChanged => "tools_changed",
            DivergenceKind::SettingsChanged => "settings_changed",
            DivergenceKind::ThinkingDropped => "thinking_dropped",
            DivergenceKind::SpaceTrimmed => "space_trimmed",
            DivergenceKind::JsonRewritten => "json_rewritten",
            DivergenceKind::AnotherVersion => "another_version",
            DivergenceKind::TextContinued => "text_continued",
            DivergenceKind::MessageChanged => "message_changed",
        }
    }
}

impl fmt::Display for DivergenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DivergenceKind::Continued => "one prompt goes on where the other ends",
            DivergenceKind::SystemMoved => "the system prompt stands elsewhere",
            DivergenceKind::SystemChanged => "the system prompt is another one",
            DivergenceKind::ToolsMoved => "the tools stand elsewhere",
            DivergenceKind::ToolsChanged => "the tools are others",
            DivergenceKind::SettingsChanged => "the settings are others",
            DivergenceKind::ThinkingDropped => "one prompt has thinking that the other has not",
            DivergenceKind::SpaceTrimmed => "the texts differ in white space at their ends",
            DivergenceKind::JsonRewritten => "the same JSON is written in another way",
            DivergenceKind::AnotherVersion => "the prompt is written as another version does",
            DivergenceKind::TextContinued => "one text goes on where the other ends",
            DivergenceKind::MessageChanged => "the message is another one",
        })
    }
}

impl Prompt {
    /// The first place where this prompt and another part, and what happened there; `None` if they give a tokenizer
    /// the same.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message};
    /// use mistral_chat_template::prompt::DivergenceKind;
    ///
    /// let mut chat = Chat::new([Message::system("Be kind."), Message::user("Hi")]);
    /// let before = Layout::V3.render(&chat)?;
    /// chat.messages.extend([Message::assistant("Hello!"), Message::user("Bye")]);
    /// let after = Layout::V3.render(&chat)?;
    ///
    /// let divergence = before.divergence(&after).expect("v3 moves the system prompt");
    /// assert_eq!(divergence.kind, DivergenceKind::SystemMoved);
    /// assert_eq!((divergence.segment, divergence.byte), (2, "<s>[INST] ".len()));
    /// assert_eq!((divergence.message, divergence.other_message), (Some(0), Some(1)));
    /// assert_eq!(before.divergence(&before), None);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn divergence(&self, other: &Prompt) -> Option<Divergence> {
        let (mut ours, mut theirs) = (self.runs_from(Place::default()), other.runs_from(Place::default()));
        let (mut segment, mut before) = (0, None);
        loop {
            let (one, another) = (ours.next(), theirs.next());
            match (&one, &another) {
                (None, None) => return None,
                (Some(one), Some(another)) if one.same_as(another) => {
                    (segment, before) = (segment + 1, Some(one.segment));
                    continue;
                }
                _ => {}
            }
            let byte = one.or(another).map_or(0, |run| run.start);
            let same = self.as_str().bytes().zip(other.as_str().bytes()).skip(byte);
            let byte = byte + same.take_while(|(one, other)| one == other).count();
            let after = [ours.next(), theirs.next()].map(|run| run.map(|run| run.segment));
            let kind = Parting { prompts: [self, other], runs: [one, another], before, after }.kind();
            let message =
                |run: Option<Run<'_>>, prompt: &Prompt| run.map(|_| prompt.message_at(byte)).unwrap_or_default();
            let (message, other_message) = (message(one, self), message(another, other));
            return Some(Divergence { segment, byte, message, other_message, kind });
        }
    }

    /// The message that a byte comes from; that of the last byte where the prompt ends before.
    fn message_at(&self, byte: usize) -> Option<usize> {
        let mut found = None;
        for Span { range, message, .. } in self.spans() {
            found = message;
            if range.end > byte {
                break;
            }
        }
        found
    }
}

/// The place where two prompts part.
struct Parting<'p> {
    prompts: [&'p Prompt; 2],
    runs: [Option<Run<'p>>; 2],
    /// The last segment that is the same.
    before: Option<Segment<'p>>,
    /// The segments behind those that part.
    after: [Option<Segment<'p>>; 2],
}

impl Parting<'_> {
    fn kind(&self) -> DivergenceKind {
        let [Some(one), Some(other)] = self.runs else { return DivergenceKind::Continued };
        if let (Segment::Text(_), Segment::Text(_)) = (one.segment, other.segment)
            && one.word_start != other.word_start
        {
            return DivergenceKind::AnotherVersion;
        }
        if self.is_in(Control::AvailableTools) {
            return self.moved_or_changed(
                Control::AvailableTools,
                DivergenceKind::ToolsMoved,
                DivergenceKind::ToolsChanged,
            );
        }
        if self.is_in(Control::ModelSettings) {
            return DivergenceKind::SettingsChanged;
        }
        if self.is_in(Control::Think) {
            return DivergenceKind::ThinkingDropped;
        }
        if let (Segment::Text(one), Segment::Text(other)) = (one.segment, other.segment)
            && let Some(kind) = rewritten(one, other)
        {
            return kind;
        }
        if self.is_in_another_form(&one, &other) {
            return DivergenceKind::AnotherVersion;
        }
        self.system().unwrap_or_else(|| self.message(&one, &other))
    }

    /// Are the same message's calls, or its result, in the forms of two versions?
    fn is_in_another_form(&self, one: &Run<'_>, other: &Run<'_>) -> bool {
        if one.message != other.message {
            return false;
        }
        match (one.segment, other.segment) {
            (Segment::Text(one), Segment::Text(other)) => {
                let [after, other_after] = self.after;
                matches!(self.before, Some(Segment::Control(Control::ToolCalls | Control::ToolResults)))
                    && (after != other_after || form(one) != form(other))
            }
            // Behind a call's name.
            (Segment::Control(one), Segment::Control(other)) => {
                [(Control::CallId, Control::Args), (Control::Args, Control::CallId)].contains(&(one, other))
            }
            _ => false,
        }
    }

    /// Does either prompt begin a block here, or are both inside of one?
    fn is_in(&self, control: Control) -> bool {
        let begins = |run: &Option<Run<'_>>| run.is_some_and(|run| run.segment == Segment::Control(control));
        self.before == Some(Segment::Control(control)) || self.runs.iter().any(begins)
    }

    /// Is the block the same in both prompts?
    fn moved_or_changed(&self, block: Control, moved: DivergenceKind, changed: DivergenceKind) -> DivergenceKind {
        let text = |prompt: &Prompt| {
            let mut segments = prompt.segments().skip_while(|segment| *segment != Segment::Control(block));
            segments
                .nth(1)
                .map(|segment| if let Segment::Text(text) = segment { text.to_owned() } else { String::new() })
        };
        let [one, other] = self.prompts;
        if text(one).is_some() && text(one) == text(other) { moved } else { changed }
    }

    /// What happened to the system prompt, if either prompt has it here.
    fn system(&self) -> Option<DivergenceKind> {
        let role = |(prompt, run): (&&Prompt, &Option<Run<'_>>)| {
            let run = (*run)?;
            prompt.spans().find(|span| span.range.start >= run.start).and_then(|span| span.role)
        };
        let roles = self.prompts.iter().zip(&self.runs).map(role);
        if !roles.into_iter().any(|role| role == Some(Role::System)) {
            return None;
        }
        let said = |prompt: &Prompt| -> String {
            let spans = prompt.spans().filter(|span| span.role == Some(Role::System) && span.is_text());
            spans.filter_map(|span| prompt.as_str().get(span.range)).flat_map(str::split_whitespace).collect()
        };
        let [one, other] = self.prompts.map(said);
        Some(if one == other { DivergenceKind::SystemMoved } else { DivergenceKind::SystemChanged })
    }

    fn message(&self, one: &Run<'_>, other: &Run<'_>) -> DivergenceKind {
        match (one.segment, other.segment) {
            (Segment::Text(one), Segment::Text(other)) if one.starts_with(other) || other.starts_with(one) => {
                DivergenceKind::TextContinued
            }
            // A message that is framed or spelled in another way, and says the same.
            (Segment::Control(_), Segment::Text(_) | Segment::Control(_)) | (Segment::Text(_), Segment::Control(_))
                if self.says_the_same(one.message.or(other.message)) =>
            {
                DivergenceKind::AnotherVersion
            }
            _ => DivergenceKind::MessageChanged,
        }
    }

    /// Does the message say the same in both prompts, but for spaces and frames?
    fn says_the_same(&self, message: Option<usize>) -> bool {
        let said = |prompt: &Prompt| -> String {
            let spans = prompt.spans().filter(|span| span.message == message && span.is_text());
            let text = spans.filter_map(|span| prompt.as_str().get(span.range));
            let is_frame = |word: &&str| [Control::Inst, Control::EndInst].map(Control::as_str).contains(word);
            text.flat_map(str::split_whitespace).filter(|word| !is_frame(word)).collect()
        };
        let [one, other] = self.prompts.map(said);
        message.is_some() && one == other
    }
}

/// How a list of calls, or a result, is begun and ended: by the keys that a version gives it.
fn form(text: &str) -> (Option<&'static str>, bool) {
    let head = ["[{\"name\": ", "{\"content\": "].into_iter().find(|head| text.starts_with(head));
    let last_id = text.strip_suffix("\"}]").and_then(|list| list.rsplit_once(", \"id\": \""));
    (head, last_id.is_some_and(|(_, id)| id.bytes().all(|byte| byte.is_ascii_alphanumeric())))
}

/// Do two texts say the same in another way?
fn rewritten(one: &str, other: &str) -> Option<DivergenceKind> {
    if one.trim() == other.trim() {
        return Some(DivergenceKind::SpaceTrimmed);
    }
    let (mut first, mut second) = (String::new(), String::new());
    let is_json = json::reformat(one, &mut first).is_ok() && json::reformat(other, &mut second).is_ok();
    (is_json && first == second).then_some(DivergenceKind::JsonRewritten)
}
