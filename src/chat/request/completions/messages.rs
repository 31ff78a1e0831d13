//! Messages of a chat-completion request, and their parts.

use super::{Draft, Edit, Walk, known, names, quoted, shown};
use crate::chat::Dialect;
use crate::chat::request::node::{Fields, JsonType, Node, Path};
use crate::chat::request::notes::NoteSort;
use crate::terms::ChunkKind;

/// The fields that are read in messages of any role, in the model's, and in results.
const OF_ALL: [&str; 3] = ["role", "content", "weight"];
const OF_REPLIES: [&str; 5] = ["tool_calls", "reasoning", "reasoning_content", "prefix", "function_call"];
const OF_RESULTS: [&str; 2] = ["tool_call_id", "name"];

impl Walk<'_> {
    pub(super) fn message(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let Some(fields) = node.fields() else { return Edit::Keep };
        let mut role = fields.text("role").unwrap_or_default();
        let mut draft = Draft::of(&fields);
        if self.notes.mends()
            && let Some(meant) = role_of(&role)
        {
            let what = format!("the role {role:?} goes by another name here, and became {meant:?}");
            self.notes.note(at.field("role"), NoteSort::FieldMended, what);
            draft.set("role", quoted(meant));
            role = meant.into();
        }
        let mut read: Vec<&str> = OF_ALL.into();
        match &*role {
            "assistant" => {
                let is_read = |name: &&str| match *name {
                    "prefix" => self.dialect != Dialect::OpenAi,
                    "function_call" => self.dialect == Dialect::Legacy,
                    _ => true,
                };
                read.extend(OF_REPLIES.into_iter().filter(is_read));
                self.reply(&fields, at, &mut draft, &mut read);
            }
            "tool" | "function" => {
                read.extend(OF_RESULTS);
                self.result(&fields, at, &mut draft, &mut read);
            }
            _ => {}
        }
        let edit = self.content(&fields, at, &role, &mut read);
        draft.edit("content", edit);
        if self.notes.mends() {
            for name in ["prefix", "weight"] {
                let is_read = |it: Node<'_>| {
                    if name == "prefix" { it.bool().is_some() } else { it.json_type() == JsonType::Number }
                };
                if fields.value(name).is_some_and(|it| !is_read(it)) {
                    self.notes.note(
                        at.field(name),
                        NoteSort::FieldDropped,
                        "the field cannot be read, and was left out",
                    );
                    draft.drop(name);
                }
            }
        }
        self.notes.ignore_others(at, &fields, &[known::MESSAGE, &read]);
        Edit::of(draft.finish())
    }

    /// Mends what a message says; a refusal has the place of content that is not there.
    fn content(&mut self, fields: &Fields<'_>, at: &Path<'_>, role: &str, read: &mut Vec<&str>) -> Edit {
        let here = at.field("content");
        let content = fields.get("content");
        if self.notes.mends()
            && content.is_none_or(Node::is_null)
            && let Some(parts) = fields.value("parts").filter(|parts| parts.is_list() && !parts.is_nothing())
        {
            let here = at.field("parts");
            self.notes.note(
                here,
                NoteSort::FieldMended,
                "the parts are those of a user interface, and became the content",
            );
            read.push("parts");
            let mended = self.list(Some(parts), &here, 0, Self::part);
            return Edit::Replace(mended.unwrap_or_else(|| parts.json().to_owned()));
        }
        let is_result = matches!(role, "tool" | "function");
        match content.map(Node::json_type) {
            // A tool returned a list, which says no less than an object.
            Some(JsonType::List) if is_result && self.notes.mends() && content.is_some_and(has_no_parts) => {
                self.notes.note(
                    here,
                    NoteSort::FieldMended,
                    "the content is not text, and became the text of its JSON",
                );
                Edit::Replace(quoted(content.map(Node::json).unwrap_or_default()))
            }
            Some(JsonType::List) => Edit::of(self.list(content, &here, 0, Self::part)),
            _ if !self.notes.mends() => Edit::Keep,
            Some(JsonType::Text) => Edit::Keep,
            None | Some(JsonType::Null) if role == "assistant" => Edit::Keep,
            None | Some(JsonType::Null) => {
                self.notes.note(
                    here,
                    NoteSort::FieldMended,
                    "the content is missing or null, and became an empty text",
                );
                Edit::Replace("\"\"".to_owned())
            }
            Some(JsonType::Object) if content.and_then(Node::fields).is_some_and(|it| it.text("type").is_some()) => {
                self.notes.note(here, NoteSort::FieldMended, "the content is one part, and became a list of it");
                let list = format!("[{}]", content.map(Node::json).unwrap_or_default());
                let mended = Node::parse(&list).ok().and_then(|node| self.list(Some(node), &here, 0, Self::part));
                Edit::Replace(mended.unwrap_or(list))
            }
            Some(JsonType::Object | JsonType::Number | JsonType::Bool) => {
                self.notes.note(
                    here,
                    NoteSort::FieldMended,
                    "the content is not text, and became the text of its JSON",
                );
                Edit::Replace(quoted(content.map(Node::json).unwrap_or_default()))
            }
        }
    }

    fn part(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let Some(fields) = node.fields() else {
            if node.is_text() && self.notes.mends() {
                self.notes.note(at, NoteSort::FieldMended, "the part is a text, and became a text part");
                return Edit::Replace(format!("{{\"type\":\"text\",\"text\":{}}}", node.json()));
            }
            return self.drop_part(at, format!("{} is not a part of a message", shown(node)));
        };
        let name = fields.text("type");
        let name = name.as_deref();
        let Some(kind) = ChunkKind::from_name(name.unwrap_or_else(|| kind_of(&fields))) else {
            return self.foreign_part(&fields, name.unwrap_or(""), at);
        };
        let field = kind.as_str();
        debug_assert!(names::PART.contains(&field), "{field} is not read");
        self.notes.ignore_others(at, &fields, &[known::PART, &[field, "closed"]]);
        if let Some(media) = fields.value(field).and_then(Node::fields) {
            self.notes.ignore_others(&at.field(field), &media, &[known::PART, names::MEDIA]);
        }
        if !self.notes.mends() {
            return Edit::Keep;
        }
        self.known_part(&fields, kind, name.is_none(), at)
    }

    /// Mends a part of a type that is not read.
    fn foreign_part(&mut self, fields: &Fields<'_>, kind: &str, at: &Path<'_>) -> Edit {
        let text = |json: &str| Edit::Replace(format!("{{\"type\":\"text\",\"text\":{json}}}"));
        match kind {
            "input_text" | "output_text" if fields.text("text").is_some() && self.notes.mends() => {
                self.notes.note(
                    at.field("type"),
                    NoteSort::FieldMended,
                    "the part is of another API's type, and became a text part",
                );
                text(fields.value("text").map(Node::json).unwrap_or_default())
            }
            "refusal" if fields.text("refusal").is_some() && self.notes.mends() => {
                self.notes.note(at, NoteSort::PartAsText, "the refusal became text");
                text(fields.value("refusal").map(Node::json).unwrap_or_default())
            }
            "input_image" if fields.text("image_url").is_some() && self.notes.mends() => {
                self.notes.note(
                    at.field("type"),
                    NoteSort::FieldMended,
                    "the part is of another API's type, and became an image",
                );
                let url = fields.value("image_url").map(Node::json).unwrap_or_default();
                Edit::Replace(format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":{url}}}}}"))
            }
            "reasoning" if self.notes.mends() => {
                let Some(thinking) = thinking_of(fields) else {
                    return self.drop_part(at, "the reasoning has no text".to_owned());
                };
                let what = "the part is of another API's type, and became thinking";
                self.notes.note(at.field("type"), NoteSort::FieldMended, what);
                Edit::Replace(format!("{{\"type\":\"thinking\",\"thinking\":{}}}", quoted(&thinking)))
            }
            "file" if is_image(fields) && self.notes.mends() => {
                let what = "the part is a file that is an image, and became an image";
                self.notes.note(at.field("type"), NoteSort::FieldMended, what);
                let url = fields.value("url").map(Node::json).unwrap_or_default();
                Edit::Replace(format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":{url}}}}}"))
            }
            "" => self.drop_part(at, "a part without a type has no place in a chat".to_owned()),
            other => self.drop_part(at, format!("a part of the type {other:?} has no place in a chat")),
        }
    }

    /// Mends a part of a type that is read.
    fn known_part(&mut self, fields: &Fields<'_>, kind: ChunkKind, is_untyped: bool, at: &Path<'_>) -> Edit {
        let field = kind.as_str();
        let mut draft = Draft::of(fields);
        let here = at.field(field);
        let given = fields.value(field).map(Node::json_type);
        let is_there = match (kind, given) {
            (ChunkKind::Text | ChunkKind::Image, given) => given == Some(JsonType::Text),
            (ChunkKind::Thinking, Some(JsonType::List)) => {
                draft.edit(field, Edit::of(self.list(fields.value(field), &here, 0, Self::thought)));
                true
            }
            (ChunkKind::Thinking, given) => given == Some(JsonType::Text),
            (ChunkKind::ImageUrl | ChunkKind::InputAudio | ChunkKind::AudioUrl, Some(JsonType::Object)) => {
                let media = fields.value(field).and_then(Node::fields).unwrap_or_default();
                if media.value("detail").is_some_and(|detail| !detail.is_text()) {
                    let mut inside = Draft::of(&media);
                    inside.drop("detail");
                    self.notes.note(
                        here.field("detail"),
                        NoteSort::FieldDropped,
                        "the detail is not a text, and was left out",
                    );
                    if kind.is_image() {
                        draft.edit(field, Edit::of(inside.finish()));
                    }
                }
                media.text("url").or(media.text("data")).is_some()
            }
            (ChunkKind::ImageUrl | ChunkKind::InputAudio | ChunkKind::AudioUrl, given) => given == Some(JsonType::Text),
        };
        if !is_there {
            return self.drop_part(at, format!("the part has no `{field}`"));
        }
        if is_untyped {
            let what = format!("the part has no type, and became one of the type {field:?}");
            self.notes.note(at.field("type"), NoteSort::FieldMended, what);
            draft.set("type", quoted(field));
        }
        if fields.get("closed").is_some_and(|closed| closed.bool().is_none()) {
            self.notes.note(
                at.field("closed"),
                NoteSort::FieldDropped,
                "the field is neither true nor false, and was left out",
            );
            draft.drop("closed");
        }
        Edit::of(draft.finish())
    }

    /// A part of a thinking part, which holds texts alone.
    fn thought(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let edit = self.part(node, at);
        match &edit {
            Edit::Drop => edit,
            Edit::Keep if node.fields().is_some_and(|it| it.text("type").is_some_and(|kind| kind == "text")) => edit,
            Edit::Replace(json)
                if Node::parse(json)
                    .ok()
                    .and_then(Node::fields)
                    .is_some_and(|it| it.text("type").is_some_and(|kind| kind == "text")) =>
            {
                edit
            }
            Edit::Keep | Edit::Replace(_) => self.drop_part(at, "thinking holds texts alone, and this part".to_owned()),
        }
    }

    fn drop_part(&mut self, at: &Path<'_>, what: String) -> Edit {
        if !self.notes.mends() {
            return Edit::Keep;
        }
        self.notes.note(at, NoteSort::PartDropped, format!("{what}, and was left out"));
        Edit::Drop
    }

    fn reply(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>, read: &mut Vec<&str>) {
        if let Some(calls) = fields.value("tool_calls") {
            if calls.is_list() {
                draft.edit("tool_calls", Edit::of(self.list(Some(calls), &at.field("tool_calls"), 0, Self::call)));
            } else if self.notes.mends() {
                self.notes.note(
                    at.field("tool_calls"),
                    NoteSort::FieldDropped,
                    "the calls are not a list, and were left out",
                );
                draft.drop("tool_calls");
            }
        }
        if self.dialect == Dialect::Legacy && fields.has("function_call") {
            let calls = fields.value("tool_calls").and_then(Node::list).map_or(0, |calls| calls.len());
            let part = at.field("tool_calls").index(calls).to_string();
            let here = at.field("function_call");
            self.notes.places.say(format!("{part}.function"), here);
            self.notes.places.say(part, here);
            if let Some(call) = fields.value("function_call").and_then(Node::fields) {
                self.notes.ignore_others(&here, &call, &[known::CALL, names::CALLED]);
            }
        }
        if !self.notes.mends() {
            return;
        }
        self.legacy_call(fields, at, draft, read);
        self.reasoning(fields, at, draft);
        self.refusal(fields, at, draft, read);
        self.transcript(fields, at, draft, read);
    }

    /// A call of legacy function calling.
    fn legacy_call(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>, read: &mut Vec<&str>) {
        let Some(call) = fields.value("function_call") else { return };
        let here = at.field("function_call");
        let function = call.fields().filter(|it| it.text("name").is_some());
        let Some(function) = function else {
            self.notes.note(here, NoteSort::CallDropped, "the call names no function, and was left out");
            draft.drop("function_call");
            read.push("function_call");
            return;
        };
        // A request with such a call is read as one of legacy function calling, whatever it was said to be.
        draft.edit("function_call", Edit::of(self.called(&function, &here)));
    }

    /// A message has one thinking: that of its parts, of `reasoning_content`, or of `reasoning`.
    fn reasoning(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>) {
        let is_thinking = |part: &Node<'_>| {
            part.fields()
                .is_some_and(|it| it.text("type").is_some_and(|kind| kind == "thinking" || kind == "reasoning"))
        };
        let has_thinking =
            fields.value("content").and_then(Node::list).is_some_and(|parts| parts.iter().any(is_thinking));
        let mut first: Option<Node<'_>> = None;
        let mut other = has_thinking.then_some("the thinking parts of its content");
        for name in ["reasoning_content", "reasoning"] {
            let Some(value) = fields.value(name) else { continue };
            let what = match (value.is_text(), other) {
                (false, _) => "the reasoning is not a text, and was left out".to_owned(),
                (true, Some(other)) => {
                    format!("the message has its thinking in {other} already, and this was left out")
                }
                (true, None) => {
                    // Of two, an empty one says nothing.
                    let more = fields.value("reasoning").filter(|more| more.is_text() && !more.is(""));
                    if value.is("") && name == "reasoning_content" && more.is_some() {
                        "the reasoning is empty, and that of `reasoning` counts".to_owned()
                    } else {
                        other = Some("`reasoning_content`");
                        first = Some(value);
                        continue;
                    }
                }
            };
            if first.is_some_and(|first| first.text() == value.text()) {
                continue;
            }
            self.notes.note(at.field(name), NoteSort::FieldDropped, what);
            draft.drop(name);
        }
    }

    /// A refusal is what the model said, where it said nothing else.
    fn refusal(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>, read: &mut Vec<&str>) {
        let Some(refusal) = fields.value("refusal").filter(|it| it.is_text() && !it.is("")) else { return };
        if fields.value("content").is_none_or(Node::is_nothing) {
            self.notes.note(at.field("refusal"), NoteSort::PartAsText, "the refusal became the message's text");
            draft.set("content", refusal.json());
            read.push("refusal");
        }
    }

    /// What the model said in audio that stays with the API is known by its transcript.
    fn transcript(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>, read: &mut Vec<&str>) {
        let audio = fields.value("audio").and_then(Node::fields).unwrap_or_default();
        let Some(transcript) = audio.value("transcript").filter(|it| it.is_text() && !it.is("")) else { return };
        if ["content", "refusal"].iter().all(|name| fields.value(name).is_none_or(Node::is_nothing)) {
            let what = "the transcript of the audio became the message's text";
            self.notes.note(at.field("audio"), NoteSort::PartAsText, what);
            draft.set("content", transcript.json());
            read.push("audio");
        }
    }

    fn result(&mut self, fields: &Fields<'_>, at: &Path<'_>, draft: &mut Draft<'_, '_>, read: &mut Vec<&str>) {
        if !self.notes.mends() {
            return;
        }
        if let Some(edit) = self.id(fields.get("tool_call_id"), &at.field("tool_call_id")) {
            draft.edit("tool_call_id", edit);
        }
        if fields.value("name").is_some_and(|name| !name.is_text()) {
            self.notes.note(at.field("name"), NoteSort::FieldDropped, "the name is not a text, and was left out");
            draft.drop("name");
        }
        if let Some(name) = fields.value("tool_name").filter(|name| name.is_text() && !fields.has("name")) {
            self.notes.note(
                at.field("tool_name"),
                NoteSort::FieldMended,
                "the field is of another API, and became `name`",
            );
            draft.set("name", name.json());
            read.push("tool_name");
        }
    }
}

/// The thinking of a part that other APIs and libraries call reasoning: a text, or a summary in several.
fn thinking_of(fields: &Fields<'_>) -> Option<String> {
    let text = ["reasoning", "text"].into_iter().find_map(|name| fields.text(name));
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        return Some(text.into_owned());
    }
    let summary = fields.value("summary").and_then(Node::list)?;
    let texts = summary.iter().map(|part| Some(part.fields()?.text("text")?.into_owned()));
    texts.collect::<Option<Vec<_>>>().map(|texts| texts.join("\n\n")).filter(|text| !text.is_empty())
}

/// Is the file an image whose data or address is known?
fn is_image(fields: &Fields<'_>) -> bool {
    let kind = fields.text("mediaType").or(fields.text("mimeType")).unwrap_or_default();
    kind.starts_with("image/") && fields.text("url").is_some()
}

/// The role that other APIs and libraries call so.
fn role_of(name: &str) -> Option<&'static str> {
    const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];
    let lower = name.to_ascii_lowercase();
    match &*lower {
        "human" => Some("user"),
        "ai" | "model" | "bot" | "gpt" => Some("assistant"),
        lower => ROLES.into_iter().find(|role| *role == lower && *role != name),
    }
}

/// Is it a list of values of which no one is a part of a message?
fn has_no_parts(list: Node<'_>) -> bool {
    let is_part = |value: &Node<'_>| match value.fields() {
        Some(fields) => fields.has("type") || !kind_of(&fields).is_empty(),
        None => value.is_text(),
    };
    list.list().is_some_and(|values| !values.is_empty() && !values.iter().any(is_part))
}

/// The type of a part that does not say it.
fn kind_of<'k>(fields: &Fields<'_>) -> &'k str {
    ChunkKind::ALL.iter().map(|kind| kind.as_str()).find(|name| fields.has(name)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_message_is_one_of_a_role() {
        let mut of_roles: Vec<&str> = OF_ALL.into_iter().chain(OF_REPLIES).chain(OF_RESULTS).collect();
        let mut read = names::MESSAGE.to_vec();
        of_roles.sort_unstable();
        read.sort_unstable();
        assert_eq!(of_roles, read);
    }
}
