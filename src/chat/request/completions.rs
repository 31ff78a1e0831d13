//! A chat-completion request (Mistral's and OpenAI's): which parts of it are ignored, and what reading it would refuse.
//!
//! The request stays JSON: each mend replaces the text of one value, and the chat is read from what comes out.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::{NoteSort, Notes};
use crate::chat::read::names;
use crate::chat::{Dialect, ReasoningEffort};

mod messages;
mod tools;

/// What becomes of a value.
enum Edit {
    Keep,
    Drop,
    Replace(String),
}

impl Edit {
    fn of(new: Option<String>) -> Self {
        new.map_or(Edit::Keep, Edit::Replace)
    }
}

/// An object that is being mended: its fields, and what becomes of them.
struct Draft<'f, 'a> {
    fields: &'f Fields<'a>,
    edits: Vec<(&'static str, Edit)>,
}

impl<'f, 'a> Draft<'f, 'a> {
    fn of(fields: &'f Fields<'a>) -> Self {
        Draft { fields, edits: Vec::new() }
    }

    fn set(&mut self, name: &'static str, json: impl Into<String>) {
        self.edit(name, Edit::Replace(json.into()));
    }

    fn drop(&mut self, name: &'static str) {
        self.edit(name, Edit::Drop);
    }

    fn edit(&mut self, name: &'static str, edit: Edit) {
        if !matches!(edit, Edit::Keep) {
            self.edits.retain(|(own, _)| *own != name);
            self.edits.push((name, edit));
        }
    }

    /// The object's new text, where anything changed.
    fn finish(self) -> Option<String> {
        if self.edits.is_empty() {
            return None;
        }
        let edit_of = |name: &str| self.edits.iter().find(|(own, _)| *own == name).map(|(_, edit)| edit);
        let mut out = String::from("{");
        let mut put = |name: &str, json: &str| {
            if out.len() > 1 {
                out.push(',');
            }
            let _ = write!(out, "{}:{json}", quoted(name));
        };
        for (name, node) in self.fields.iter() {
            match edit_of(name) {
                None | Some(Edit::Keep) => put(name, node.json()),
                Some(Edit::Replace(json)) => put(name, json),
                Some(Edit::Drop) => {}
            }
        }
        for (name, edit) in &self.edits {
            if let (Edit::Replace(json), None) = (edit, self.fields.get(name)) {
                put(name, json);
            }
        }
        out.push('}');
        Some(out)
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Notes what reading a request ignores, and repairs it if the notes ask for that: the new text, if anything changed.
pub(super) fn walk(request: Node<'_>, dialect: Dialect, notes: &mut Notes) -> Option<String> {
    let fields = request.fields()?;
    let mut walk = Walk { dialect, notes };
    walk.request(&fields)
}

struct Walk<'n> {
    dialect: Dialect,
    notes: &'n mut Notes,
}

impl Walk<'_> {
    fn request(&mut self, fields: &Fields<'_>) -> Option<String> {
        let root = Path::Request;
        let mut draft = Draft::of(fields);
        let mut handled: Vec<&str> = Vec::new();
        let system = fields.value("system").filter(|_| self.notes.mends() && fields.value("messages").is_some());
        let before = usize::from(system.is_some_and(|system| self.system(system, &root.field("system")).is_some()));
        let mut list = self.list(fields.value("messages"), &root.field("messages"), before, Self::message);
        if before == 1 {
            let content = system.map(Node::json).unwrap_or_default();
            list = Some(with_first(
                &format!("{{\"role\":\"system\",\"content\":{content}}}"),
                list,
                fields.value("messages"),
            ));
            self.notes.note(
                "system",
                NoteSort::FieldMended,
                "chat-completion requests have no such field, and it became a system message",
            );
            handled.push("system");
        }
        draft.edit("messages", Edit::of(list));
        draft.edit("tools", Edit::of(self.list(fields.value("tools"), &root.field("tools"), 0, Self::tool)));
        if self.notes.mends() && fields.value("tools").is_some_and(|tools| !tools.is_list()) {
            self.notes.note("tools", NoteSort::FieldDropped, "the tools are not a list, and were left out");
            draft.drop("tools");
        }
        if self.dialect == Dialect::Legacy {
            self.legacy_functions(fields, &mut draft);
            handled.push("functions");
        }
        if self.notes.mends() {
            self.settings(fields, &mut draft, &mut handled);
        }
        if let Some(format) = fields.value("response_format") {
            ignored_of_format(self.notes, format, &root.field("response_format"));
        }
        let read = |name: &&str| *name != "functions";
        let read: Vec<&str> = names::REQUEST.iter().copied().filter(read).collect();
        self.notes.ignore_others(&root, fields, &[&read, known::REQUEST, &handled]);
        draft.finish()
    }

    /// Can this be what a system message says?
    fn system(&mut self, node: Node<'_>, _: &Path<'_>) -> Option<()> {
        let is_part =
            |part: &Node<'_>| part.fields().is_some_and(|fields| fields.text("type").as_deref() == Some("text"));
        let is_content =
            node.is_text() || node.list().is_some_and(|parts| !parts.is_empty() && parts.iter().all(is_part));
        (is_content && !node.is_nothing()).then_some(())
    }

    /// The functions of legacy function calling, which come after the tools.
    fn legacy_functions(&mut self, fields: &Fields<'_>, draft: &mut Draft<'_, '_>) {
        let root = Path::Request;
        let at = root.field("functions");
        let list = fields.value("functions");
        if self.notes.mends() && list.is_some_and(|list| !list.is_list()) {
            self.notes.note(at, NoteSort::FieldDropped, "the functions are not a list, and were left out");
            draft.drop("functions");
            return;
        }
        let mended = self.list(list, &at, 0, Self::legacy_function);
        let new = mended.as_deref().and_then(|json| Node::parse(json).ok()).or(list);
        let tools = fields.value("tools").and_then(Node::list).map_or(0, |tools| tools.len());
        for index in 0..new.and_then(Node::list).map_or(0, |functions| functions.len()) {
            let place = self.notes.places.of(&at.index(index).to_string());
            self.notes.places.say(format!("tools[{}].function", tools + index), place);
        }
        draft.edit("functions", Edit::of(mended));
    }

    /// Mends what stands beside the messages and the tools.
    fn settings(&mut self, fields: &Fields<'_>, draft: &mut Draft<'_, '_>, handled: &mut Vec<&str>) {
        let at = |name: &str| Path::Field(&Path::Request, name).to_string();
        if fields.value("tools").is_none_or(Node::is_nothing)
            && self.dialect != Dialect::Legacy
            && let Some(functions) = fields.value("functions").and_then(Node::list)
            && !functions.is_empty()
        {
            let tool = |node: &Node<'_>| format!("{{\"type\":\"function\",\"function\":{}}}", node.json());
            let tools: Vec<String> = functions.iter().map(tool).collect();
            let written = format!("[{}]", tools.join(","));
            let mended = Node::parse(&written).ok().and_then(|node| {
                let root = Path::Request;
                self.list(Some(node), &root.field("tools"), 0, Self::tool)
            });
            draft.set("tools", mended.unwrap_or(written));
            self.notes.note("functions", NoteSort::FieldMended, "the functions became tools");
            for index in 0..tools.len() {
                self.notes.places.say(format!("tools[{index}].function"), format!("functions[{index}]"));
            }
            handled.push("functions");
        }
        if let Some(effort) = fields.value("reasoning_effort")
            && effort.text().and_then(|name| ReasoningEffort::from_name(&name)).is_none()
        {
            let what = format!("{} is not a reasoning effort, and was left out", shown(effort));
            self.notes.note(at("reasoning_effort"), NoteSort::EffortDropped, what);
            draft.drop("reasoning_effort");
        }
        if !fields.has("reasoning_effort")
            && let Some(effort) = fields.value("reasoning").and_then(Node::fields).and_then(|it| it.text("effort"))
            && ReasoningEffort::from_name(&effort).is_some()
        {
            draft.set("reasoning_effort", quoted(&effort));
            let what = "chat-completion requests have no such field, and its effort became `reasoning_effort`";
            self.notes.note(at("reasoning"), NoteSort::FieldMended, what);
            handled.push("reasoning");
        }
        if let Some(model) = fields.value("model").filter(|model| !model.is_text()) {
            self.notes.note(
                at("model"),
                NoteSort::FieldDropped,
                format!("{} is not a name, and was left out", shown(model)),
            );
            draft.drop("model");
        }
        self.choice(fields, draft);
        self.response_format(fields, draft);
        let is_reply = || {
            let last = fields.value("messages").and_then(Node::list).and_then(|list| list.last().copied());
            last.and_then(Node::fields).and_then(|it| it.text("role")).is_some_and(|role| role == "assistant")
        };
        if let Some(flag) = fields.value("continue_final_message")
            && (flag.bool().is_none() || flag.bool() == Some(true) && !is_reply())
        {
            let what = "only an assistant message can be continued, and the field was left out";
            self.notes.note(at("continue_final_message"), NoteSort::FieldDropped, what);
            draft.drop("continue_final_message");
        }
    }

    /// The choice of a tool shapes no prompt: one that cannot be read is left out.
    fn choice(&mut self, fields: &Fields<'_>, draft: &mut Draft<'_, '_>) {
        for name in ["tool_choice", "parallel_tool_calls", "function_call"] {
            let Some(value) = fields.value(name) else { continue };
            let request = format!("{{\"messages\":[],\"{name}\":{}}}", value.json());
            let dialect = if self.dialect == Dialect::Legacy { Dialect::Legacy } else { Dialect::Either };
            if crate::chat::Chat::read(&request, dialect).is_err() {
                if let Some(choice) = choice_of(value) {
                    let what = "the choice is in the form of another API, and became one of a chat completion";
                    self.notes.note(name, NoteSort::FieldMended, what);
                    draft.set(name, choice);
                    continue;
                }
                let what = format!("{} cannot be read, and was left out", shown(value));
                self.notes.note(name, NoteSort::FieldDropped, what);
                draft.drop(name);
            }
        }
    }

    fn response_format(&mut self, fields: &Fields<'_>, draft: &mut Draft<'_, '_>) {
        let Some(format) = fields.value("response_format") else { return };
        let request = format!("{{\"messages\":[],\"response_format\":{}}}", format.json());
        let Err(error) = crate::chat::Chat::read(&request, Dialect::Either) else { return };
        let what = format!("the format cannot be read, and was left out: {}", error.moved_to(String::new()));
        self.notes.note("response_format", NoteSort::FieldDropped, what);
        draft.drop("response_format");
    }

    /// Mends the values of a list; `before` more stand before them in what comes out.
    fn list(
        &mut self,
        list: Option<Node<'_>>,
        at: &Path<'_>,
        before: usize,
        mend: fn(&mut Self, Node<'_>, &Path<'_>) -> Edit,
    ) -> Option<String> {
        let values = list?.list()?;
        let mut kept: Vec<Cow<'_, str>> = Vec::with_capacity(values.len());
        let (mut is_changed, mut is_behind_reference) = (false, false);
        for (index, value) in values.iter().enumerate() {
            let edit = mend(self, *value, &at.index(index));
            is_changed |= !matches!(edit, Edit::Keep);
            let new = match edit {
                Edit::Keep => Cow::Borrowed(value.json()),
                Edit::Replace(json) => Cow::Owned(json),
                Edit::Drop => {
                    is_behind_reference |= is_reference(*value);
                    continue;
                }
            };
            // A reference stands inside a text, which goes on behind it.
            if std::mem::take(&mut is_behind_reference)
                && let Some(last) = kept.last_mut()
                && let Some(joined) = joined_texts(last, &new)
            {
                *last = Cow::Owned(joined);
                continue;
            }
            if kept.len() + before != index || !self.notes.places.is_empty() {
                self.notes.places.say(at.index(kept.len() + before), at.index(index));
            }
            kept.push(new);
        }
        is_changed.then(|| format!("[{}]", kept.join(",")))
    }
}

/// Tells of what a response format has that is not read.
pub(super) fn ignored_of_format(notes: &mut Notes, format: Node<'_>, at: &Path<'_>) {
    let Some(format) = format.fields() else { return };
    notes.ignore_others(at, &format, &[names::FORMAT]);
    if let Some(schema) = format.value("json_schema").and_then(Node::fields) {
        notes.ignore_others(&at.field("json_schema"), &schema, &[names::SCHEMA]);
    }
}

/// Is the part one that says where a text comes from?
pub(super) fn is_reference(node: Node<'_>) -> bool {
    let kind = node.fields().and_then(|fields| fields.text("type"));
    matches!(kind.as_deref(), Some("reference" | "tool_reference" | "tool_file"))
}

/// Two text parts as one.
fn joined_texts(one: &str, next: &str) -> Option<String> {
    let text = |json: &str| {
        let fields = Node::parse(json).ok()?.fields()?;
        if fields.text("type").as_deref() == Some("text") {
            fields.text("text").map(|text| text.into_owned())
        } else {
            None
        }
    };
    Some(format!("{{\"type\":\"text\",\"text\":{}}}", quoted(&(text(one)? + &text(next)?))))
}

/// A list with one more value before the others.
fn with_first(first: &str, list: Option<String>, old: Option<Node<'_>>) -> String {
    let list = list.or(old.map(|old| old.json().to_owned())).unwrap_or_default();
    let rest = list.strip_prefix('[').unwrap_or("]");
    let comma = if rest.trim_start().starts_with(']') { "" } else { "," };
    format!("[{first}{comma}{rest}")
}

/// A value as a sentence shows it.
fn shown(node: Node<'_>) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = node.json().chars().take(LONGEST).collect();
    if shown.len() < node.json().len() {
        shown.push('…');
    }
    shown
}

/// A choice as Anthropic's Messages or OpenAI's Responses have it, in the form of a chat completion.
fn choice_of(choice: Node<'_>) -> Option<String> {
    let fields = choice.fields()?;
    match (&*fields.text("type")?, fields.value("name").filter(|name| name.is_text())) {
        ("function" | "tool", Some(name)) => {
            Some(format!("{{\"type\":\"function\",\"function\":{{\"name\":{}}}}}", name.json()))
        }
        ("any", None) => Some("\"required\"".to_owned()),
        (kind @ ("auto" | "none" | "required"), None) => Some(quoted(kind)),
        _ => None,
    }
}
