//! Tools and calls of a chat-completion request.

use super::{Draft, Edit, Walk, known, names, quoted, shown};
use crate::chat::Dialect;
use crate::chat::request::node::{Fields, JsonType, Node, Path};
use crate::chat::request::notes::NoteSort;

impl Walk<'_> {
    pub(super) fn tool(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let Some(fields) = node.fields() else {
            return self.drop_tool(at, format!("{} is not a tool", shown(node)));
        };
        let kind = fields.get("type");
        let is_function = kind.is_none_or(|kind| kind.is_null() || kind.is("function"));
        let Some(function) = fields.value("function").and_then(Node::fields) else {
            // The forms of OpenAI's Responses and Anthropic's Messages have the function's fields in the tool.
            let parameters = fields.value("parameters").or(fields.value("input_schema"));
            let is_flat = fields.text("name").is_some()
                && (is_function || kind.is_some_and(|kind| kind.is("custom")) && fields.has("input_schema"));
            if !self.notes.mends() || !is_flat {
                let what = kind.map_or_else(
                    || "the tool has no function".to_owned(),
                    |kind| format!("a tool of the type {} is not a function", shown(kind)),
                );
                return self.drop_tool(at, what);
            }
            let name = fields.value("name").map(Node::json).unwrap_or_default();
            let description = fields.value("description").filter(|it| it.is_text()).map_or("\"\"", Node::json);
            let parameters = parameters.filter(|it| it.is_object()).map_or("{}", Node::json);
            self.notes.note(
                at,
                NoteSort::FieldMended,
                "the tool's fields stand beside its type, and became its `function`",
            );
            return Edit::Replace(format!(
                "{{\"type\":\"function\",\"function\":{{\"name\":{name},\"description\":{description},\"parameters\":{parameters}}}}}"
            ));
        };
        self.notes.ignore_others(at, &fields, &[known::TOOL, names::TOOL]);
        let here = at.field("function");
        self.notes.ignore_others(&here, &function, &[known::TOOL, names::FUNCTION]);
        if !self.notes.mends() {
            return Edit::Keep;
        }
        if !is_function {
            return self.drop_tool(
                at,
                format!("a tool of the type {} is not a function", kind.map(shown).unwrap_or_default()),
            );
        }
        if function.text("name").is_none() {
            return self.drop_tool(at, "the function has no name".to_owned());
        }
        let mut draft = Draft::of(&fields);
        if kind.is_some_and(Node::is_null) {
            self.note_type(at);
            draft.set("type", "\"function\"");
        }
        draft.edit("function", Edit::of(self.function(&function, &here)));
        Edit::of(draft.finish())
    }

    /// A function of legacy function calling.
    pub(super) fn legacy_function(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let Some(function) = node.fields() else {
            return self.drop_tool(at, format!("{} is not a function", shown(node)));
        };
        self.notes.ignore_others(at, &function, &[known::TOOL, names::FUNCTION]);
        if !self.notes.mends() {
            return Edit::Keep;
        }
        if function.text("name").is_none() {
            return self.drop_tool(at, "the function has no name".to_owned());
        }
        Edit::of(self.function(&function, at))
    }

    /// The new text of a function that has a name, where anything of it is mended.
    fn function(&mut self, function: &Fields<'_>, here: &Path<'_>) -> Option<String> {
        let mut inside = Draft::of(function);
        let is_description = |it: Node<'_>| it.is_text() || it.is_null() && self.dialect != Dialect::Mistral;
        if function.get("description").is_some_and(|it| !is_description(it)) {
            self.notes.note(
                here.field("description"),
                NoteSort::FieldDropped,
                "the description is not a text, and was left out",
            );
            inside.drop("description");
        }
        if function.get("parameters").is_none_or(|it| !it.is_object()) {
            let embedded = function.text("parameters").filter(|text| Node::parse(text).is_ok_and(Node::is_object));
            match (function.get("parameters"), embedded) {
                (_, Some(json)) => {
                    self.notes.note(
                        here.field("parameters"),
                        NoteSort::FieldMended,
                        "the parameters were a text that holds an object, and became the object",
                    );
                    inside.set("parameters", &*json);
                }
                // Without parameters a tool is complete, but for Mistral's API.
                (None, None) if self.dialect != Dialect::Mistral => {}
                (Some(value), None) if self.dialect != Dialect::Mistral && value.is_null() => {}
                (_, None) => {
                    self.notes.note(
                        here.field("parameters"),
                        NoteSort::FieldMended,
                        "the parameters are not an object, and became an empty one",
                    );
                    inside.set("parameters", "{}");
                }
            }
        }
        if function.value("strict").is_some_and(|it| it.bool().is_none()) {
            inside.drop("strict");
            self.notes.note(
                here.field("strict"),
                NoteSort::FieldDropped,
                "the field is neither true nor false, and was left out",
            );
        }
        inside.finish()
    }

    fn drop_tool(&mut self, at: &Path<'_>, what: String) -> Edit {
        if !self.notes.mends() {
            return Edit::Keep;
        }
        self.notes.note(at, NoteSort::ToolDropped, format!("{what}, and was left out"));
        Edit::Drop
    }

    pub(super) fn note_type(&mut self, at: &Path<'_>) {
        self.notes.note(at.field("type"), NoteSort::FieldMended, "the type is null, and became \"function\"");
    }

    pub(super) fn call(&mut self, node: Node<'_>, at: &Path<'_>) -> Edit {
        let Some(fields) = node.fields() else {
            return self.drop_call(at, "the call is not an object");
        };
        let Some(function) = fields.value("function").and_then(Node::fields) else {
            return self.other_call(&fields, at);
        };
        self.notes.ignore_others(at, &fields, &[known::CALL, names::CALL]);
        let here = at.field("function");
        self.notes.ignore_others(&here, &function, &[known::CALL, names::CALLED]);
        if !self.notes.mends() {
            return Edit::Keep;
        }
        let Some(name) = function.value("name").filter(|name| name.is_text()) else {
            return self.drop_call(at, "the call names no function");
        };
        let _ = name;
        let mut draft = Draft::of(&fields);
        match fields.get("type") {
            Some(kind) if kind.is_null() => {
                self.note_type(at);
                draft.set("type", "\"function\"");
            }
            Some(kind) if !kind.is("function") => {
                let what = format!("a call is one of a function, not of the type {}", shown(kind));
                self.notes.note(at.field("type"), NoteSort::FieldMended, what);
                draft.set("type", "\"function\"");
            }
            _ => {}
        }
        let may_be_null = matches!(self.dialect, Dialect::Either | Dialect::Legacy);
        if fields.get("id").is_some_and(Node::is_null) && !may_be_null {
            self.notes.note(at.field("id"), NoteSort::FieldDropped, "the id is null, and was left out");
            draft.edit("id", Edit::Drop);
        }
        if let Some(edit) = self.id(fields.get("id"), &at.field("id")) {
            draft.edit("id", edit);
        }
        draft.edit("function", Edit::of(self.called(&function, &here)));
        Edit::of(draft.finish())
    }

    /// The new text of what is called, where anything of it is mended.
    pub(super) fn called(&mut self, function: &Fields<'_>, here: &Path<'_>) -> Option<String> {
        let mut inside = Draft::of(function);
        match function.get("arguments") {
            Some(arguments) if matches!(arguments.json_type(), JsonType::Text | JsonType::Object | JsonType::Null) => {}
            None => {
                self.notes.note(*here, NoteSort::FieldMended, "the call has no arguments, and got `{}`");
                inside.set("arguments", "\"{}\"");
            }
            Some(other) => {
                let what = "the arguments are neither a text nor an object, and became the text of their JSON";
                self.notes.note(here.field("arguments"), NoteSort::FieldMended, what);
                inside.set("arguments", quoted(other.json()));
            }
        }
        inside.finish()
    }

    /// A call that has no function: one whose fields are flat, or one of a custom tool.
    fn other_call(&mut self, fields: &Fields<'_>, at: &Path<'_>) -> Edit {
        if !self.notes.mends() {
            return Edit::Keep;
        }
        let custom = fields.value("custom").and_then(Node::fields);
        let of = custom.as_ref().unwrap_or(fields);
        let Some(name) = of.value("name").filter(|name| name.is_text()) else {
            return self.drop_call(at, "the call names no function");
        };
        const READ: [&str; 6] = ["name", "arguments", "input", "args", "parameters", "custom"];
        self.notes.ignore_others(at, fields, &[known::CALL, &READ]);
        let inputs = ["arguments", "input", "args", "parameters"];
        let input = inputs.into_iter().find_map(|name| of.value(name));
        let arguments = match input {
            Some(input) if input.is_object() => input.json().to_owned(),
            Some(input) if input.is_text() && custom.is_some() => quoted(&format!("{{\"input\": {}}}", input.json())),
            Some(input) if input.is_text() => input.json().to_owned(),
            _ => "\"{}\"".to_owned(),
        };
        let id = match self.id(fields.get("id"), &at.field("id")) {
            Some(Edit::Replace(id)) => format!("\"id\":{id},"),
            Some(Edit::Drop) => String::new(),
            _ => fields.value("id").map_or_else(String::new, |id| format!("\"id\":{},", id.json())),
        };
        self.notes.note(at, NoteSort::FieldMended, "the call is of another form, and became one of a function");
        let name = name.json();
        Edit::Replace(format!(
            "{{{id}\"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":{arguments}}}}}"
        ))
    }

    fn drop_call(&mut self, at: &Path<'_>, what: &str) -> Edit {
        if !self.notes.mends() {
            return Edit::Keep;
        }
        self.notes.note(at, NoteSort::CallDropped, format!("{what}, and was left out"));
        Edit::Drop
    }

    /// What becomes of an id that is not text.
    pub(super) fn id(&mut self, id: Option<Node<'_>>, at: &Path<'_>) -> Option<Edit> {
        let id = id?;
        match id.json_type() {
            JsonType::Text => None,
            JsonType::Null => None,
            JsonType::Number => {
                let text = quoted(id.json());
                self.notes.note(
                    at,
                    NoteSort::FieldMended,
                    format!("the id {} is a number, and became the text {text}", id.json()),
                );
                Some(Edit::Replace(text))
            }
            JsonType::Bool | JsonType::List | JsonType::Object => {
                self.notes.note(at, NoteSort::FieldDropped, "the id is not a text, and was left out");
                Some(Edit::Drop)
            }
        }
    }
}
