//! Rows that no shape reads: what they are, where that is known, and what to do with them instead.

use super::field_names::is_about_a_message;
use super::json::{Form, Object, form, items, text};
use super::{Reading, RowField};
use crate::error::{Error, ErrorKind};

/// The columns of rows that a tokenizer has been over.
const IDS: [&str; 2] = ["input_ids", "token_ids"];
/// What ties a message that is a row to the others of its conversation.
const PLACES: [&str; 8] =
    ["parent_id", "parent", "conversation_id", "conv_id", "dialogue_id", "dialog_id", "message_tree_id", "is_user"];
const TEXTS: [&str; 5] = ["text", "content", "value", "utterance", "mes"];

/// Where trainers read such a row, they read it without a layout.
const AS_IT_IS: &str = "no layout has a part in that: give the row to its trainer as it is";

fn unusable(what: &'static str, instead: &'static str, at: &str) -> Error {
    Error::new(ErrorKind::UnusableRow { what, instead }, at)
}

fn list_of<'a>(object: &Object<'a>, name: &str, of: Form) -> Option<Vec<&'a str>> {
    let items = object.peek(name).filter(|raw| form(raw) == Form::List).and_then(|raw| items(raw).ok())?;
    (!items.is_empty() && items.iter().all(|raw| form(raw) == of)).then_some(items)
}

impl Reading<'_> {
    /// Why a row that no shape reads is not read.
    pub(super) fn unreadable(&self, object: &Object<'_>) -> Error {
        not_for_a_layout(object)
            .or_else(|| part_of_a_conversation(object))
            .or_else(|| self.half_an_exchange(object))
            .unwrap_or_else(|| {
                let mut fields: Vec<_> = object.unread().map(|name| format!("`{name}`")).collect();
                if fields.is_empty() {
                    fields.extend(object.names().map(|name| format!("`{name}`: null")));
                }
                Error::new(ErrorKind::UnrecognisedRow { fields: fields.join(", ") }, "")
            })
    }

    /// A prompt or an answer alone, unless a field of another name may be the other half.
    fn half_an_exchange(&self, object: &Object<'_>) -> Option<Error> {
        let first = |field| self.names(field).find(|name| object.peek(name).is_some());
        let is_other = |name: &&str| RowField::from_name(name).is_none() && !is_about_a_message(name);
        let mut others = object.unread().filter(is_other).filter(|name| {
            object.peek(name).map(form) == Some(Form::Text)
                || list_of(object, name, Form::Text).is_some()
                || list_of(object, name, Form::Object).is_some_and(|items| items.iter().all(|item| says(item)))
        });
        let answers = ["responses", "completions", "generations"];
        let holds_objects =
            || object.unread().filter(is_other).any(|name| object.peek(name).map(form) == Some(Form::Object));
        match (first(RowField::Prompt), first(RowField::Completion), others.next()) {
            (Some(_), None, Some(name)) if answers.contains(&name) && others.next().is_none() => {
                let what = "a prompt with several answers, of which none is said to be better";
                Some(unusable(what, "choose one, or two of which one is better", name))
            }
            (Some(name), None, None) => {
                let what = "a prompt without an answer, of which there is nothing to learn";
                Some(unusable(what, "trainers that sample answers of their own take it as it is", name))
            }
            (None, Some(name), None) if !holds_objects() => {
                Some(unusable("an answer without a prompt", "add its `prompt`", name))
            }
            _ => None,
        }
    }
}

/// Does the object hold a text?
fn says(raw: &str) -> bool {
    Object::read(raw).is_ok_and(|object| {
        TEXTS.into_iter().chain(["response"]).any(|name| object.peek(name).map(form) == Some(Form::Text))
    })
}

/// Rows that some trainers read, none of them with a layout.
fn not_for_a_layout(object: &Object<'_>) -> Option<Error> {
    if let Some(name) = IDS.into_iter().find(|name| list_of(object, name, Form::Number).is_some()) {
        return Some(unusable("token ids already", AS_IT_IS, name));
    }
    let is_segment = |raw: &&str| {
        Object::read(raw).is_ok_and(|part| {
            part.peek("text").map(form) == Some(Form::Text)
                && matches!(part.peek("label").map(form), Some(Form::Bool(_)))
        })
    };
    if list_of(object, "segments", Form::Object).is_some_and(|segments| segments.iter().all(is_segment)) {
        return Some(unusable("a prompt laid out in segments that are learnt or not", AS_IT_IS, "segments"));
    }
    let grades = object.peek("labels").filter(|raw| form(raw) == Form::List).and_then(|raw| items(raw).ok());
    let steps = list_of(object, "completions", Form::Text);
    if let (Some(steps), Some(grades)) = (steps, grades)
        && steps.len() == grades.len()
    {
        let what = "a solution whose steps have grades, for a reward model to learn and not for a model that writes";
        return Some(unusable(what, AS_IT_IS, "labels"));
    }
    let is_text = object.peek("text").map(form) == Some(Form::Text);
    (is_text && !object.names().any(|name| PLACES.contains(&name) || name == "role"))
        .then(|| unusable("a text without turns", "train on it as it is, or write its turns as `messages`", "text"))
}

/// Rows that hold several conversations, or a part of one.
fn part_of_a_conversation(object: &Object<'_>) -> Option<Error> {
    let has_replies = |object: &Object<'_>| object.peek("replies").map(form) == Some(Form::List);
    let is_node = |raw: &str| {
        Object::read(raw).is_ok_and(|node| has_replies(&node) || node.peek("children").map(form) == Some(Form::List))
    };
    let holds_nodes = |raw: &str| {
        Object::read(raw).is_ok_and(|nodes| nodes.names().next().and_then(|name| nodes.peek(name)).is_some_and(is_node))
    };
    let tree = if has_replies(object) {
        Some("replies")
    } else if object.peek("prompt").is_some_and(is_node) {
        Some("prompt")
    } else {
        object.peek("mapping").filter(|raw| holds_nodes(raw)).map(|_| "mapping")
    };
    if let Some(name) = tree {
        let what = "a tree of messages, which holds a conversation for each of its leaves";
        return Some(unusable(what, "make each path from the root to a reply a row of its own", name));
    }
    let said = TEXTS.into_iter().find(|name| object.peek(name).map(form) == Some(Form::Text))?;
    let is_part = object.names().any(|name| PLACES.contains(&name))
        || ["role", "from", "speaker"].iter().any(|name| object.peek(name).is_some_and(|raw| text(raw).is_ok()));
    is_part.then(|| {
        let what = "one message of a conversation, whose others are other rows";
        unusable(what, "join those of a conversation, in their order, as `messages`", said)
    })
}
