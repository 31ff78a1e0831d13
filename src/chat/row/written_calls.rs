//! Calls and results that a row has as text, in the words of a prompt for another model.
//!
//! Hermes: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, in JSON or as Python prints a dict, answered by
//! `<tool_response>…</tool_response>`. ToolACE: `[name(key="value"), …]`, answered by a list of results.

use std::borrow::Cow;

use super::json::{Form, Object, form, items, text};
use super::{Reading, Row};
use crate::chat::{Chat, Chunk, Content, Message, Role, ToolCall, ToolMessage};

const CALL: (&str, &str) = ("<tool_call>", "</tool_call>");
const RESULT: (&str, &str) = ("<tool_response>", "</tool_response>");

/// How deep values of Python may lie in each other.
const DEPTH: usize = 64;

impl Reading<'_> {
    /// Reads the calls and results of a row that has tools or results. In any other, such a text is what was said.
    pub(super) fn read_written_calls(&self, row: &mut Row<'_>) {
        let is_about_tools = |chat: &Chat<'_>| !chat.tools.is_empty() || chat.messages.iter().any(is_result);
        if !is_about_tools(&row.chat) && !row.rejected.as_ref().is_some_and(is_about_tools) {
            return;
        }
        let (marks, prompt_len) = (std::mem::take(&mut row.marks), row.prompt_len);
        (row.marks, row.prompt_len) = self.read_in(&mut row.chat, marks, prompt_len);
        if let Some(rejected) = &mut row.rejected {
            self.read_in(rejected, Vec::new(), 0);
        }
    }

    /// The marks and the length of the prompt, once results that were one message are several.
    fn read_in(&self, chat: &mut Chat<'_>, marks: Vec<Option<bool>>, prompt_len: usize) -> (Vec<Option<bool>>, usize) {
        let answered: Vec<bool> = chat.messages.iter().skip(1).map(is_result).chain([false]).collect();
        let mut new_prompt_len = prompt_len;
        let mut new_marks = Vec::with_capacity(marks.len());
        let mut messages = Vec::with_capacity(chat.messages.len());
        let given = std::mem::take(&mut chat.messages).into_iter().zip(answered).enumerate();
        // The calls that wait for results.
        let mut open: Vec<String> = Vec::new();
        for (index, (mut message, is_answered)) in given {
            let start = messages.len();
            match &mut message {
                Message::Assistant(reply) if reply.tool_calls.is_empty() => {
                    if let Some((content, calls)) = self.written(&reply.content, is_answered) {
                        open = calls.iter().map(|call| call.name.clone().into_owned()).collect();
                        (reply.content, reply.tool_calls) = (content, calls);
                    }
                    messages.push(message);
                }
                Message::Tool(result) => match parted(result, &open) {
                    Some(parts) => messages.extend(parts.into_iter().map(Message::Tool)),
                    None => messages.push(message),
                },
                _ => messages.push(message),
            }
            let more = messages.len() - start - 1;
            if index < prompt_len {
                new_prompt_len += more;
            }
            if let Some(mark) = marks.get(index) {
                new_marks.extend(std::iter::repeat_n(*mark, more + 1));
            }
        }
        chat.messages = messages;
        (new_marks, new_prompt_len)
    }

    /// What a reply says, and the calls that it makes as text.
    fn written(&self, content: &Content<'_>, is_answered: bool) -> Option<(Content<'static>, Vec<ToolCall<'static>>)> {
        let (before, text) = match content {
            Content::Text(text) => (&[][..], text),
            Content::Chunks(chunks) => match chunks.split_last()? {
                (Chunk::Text(text), before) => (before, text),
                _ => return None,
            },
        };
        let (said, calls) = match self.tagged(text) {
            Some(found) => found,
            None if is_answered => ("", self.bracketed(text)?),
            None => return None,
        };
        let said = said.trim_end();
        let content = if before.is_empty() {
            Content::Text(Cow::Owned(said.to_owned()))
        } else {
            let mut chunks: Vec<_> = before.iter().cloned().map(Chunk::into_owned).collect();
            if !said.is_empty() {
                chunks.push(Chunk::text(said.to_owned()));
            }
            Content::Chunks(chunks)
        };
        Some((content, calls))
    }

    /// A text that ends with calls in tags.
    fn tagged<'t>(&self, text: &'t str) -> Option<(&'t str, Vec<ToolCall<'static>>)> {
        let (said, _) = text.split_once(CALL.0)?;
        let mut calls = Vec::new();
        for call in in_tags(text.get(said.len()..)?, CALL)? {
            calls.extend(self.calls(&as_json(call)?).ok()?.into_iter().map(ToolCall::into_owned));
        }
        Some((said, calls))
    }

    /// `[name(key="value", …), …]`, whose values are Python's.
    fn bracketed(&self, text: &str) -> Option<Vec<ToolCall<'static>>> {
        let mut literals = Literals { rest: text.trim().strip_prefix('[')?, depth: 0 };
        let mut calls = Vec::new();
        loop {
            let (name, arguments) = literals.rest.split_once('(')?;
            literals.rest = arguments;
            let name = name.trim();
            if name.is_empty() || name.contains(['"', '\'', '[', ']', '{', '}', '\n', '=', ',']) {
                return None;
            }
            let mut json = format!("{{\"name\":{},\"arguments\":{{", quoted(name)?);
            literals.items(')', &mut json, Literals::keyword)?;
            json.push_str("}}");
            calls.extend(self.calls(&json).ok()?.into_iter().map(ToolCall::into_owned));
            if !literals.takes(',') {
                break;
            }
        }
        (literals.takes(']') && literals.rest.trim().is_empty()).then_some(calls)
    }
}

fn is_result(message: &Message<'_>) -> bool {
    message.role() == Role::Tool
}

/// The results in one message, one for each.
fn parted(result: &ToolMessage<'_>, calls: &[String]) -> Option<Vec<ToolMessage<'static>>> {
    let Content::Text(given) = &result.content else { return None };
    let texts: Vec<&str> = match in_tags(given, RESULT) {
        Some(texts) => texts,
        None => {
            let listed = (form(given) == Form::List).then(|| items(given).ok()).flatten()?;
            let named =
                |raw: &&str| Object::read(raw).ok().and_then(|item| Some(text(item.peek("name")?).ok()?.into_owned()));
            let names: Option<Vec<_>> = listed.iter().map(named).collect();
            if calls.len() < 2 || names? != calls {
                return None;
            }
            listed
        }
    };
    let result = |(index, text): (usize, &str)| ToolMessage {
        content: Content::Text(Cow::Owned(text.to_owned())),
        // An id is of one call.
        call_id: result.call_id.as_ref().filter(|_| index == 0).map(|id| Cow::Owned(id.clone().into_owned())),
        name: result.name.as_ref().map(|name| Cow::Owned(name.clone().into_owned())),
    };
    Some(texts.into_iter().enumerate().map(result).collect())
}

/// What stands in each pair of tags of a text that is nothing but such pairs, one at least.
fn in_tags<'t>(text: &'t str, (open, close): (&str, &str)) -> Option<Vec<&'t str>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (inner, behind) = rest.strip_prefix(open)?.split_once(close)?;
        found.push(inner.trim());
        rest = behind.trim_start();
    }
    (!found.is_empty()).then_some(found)
}

/// JSON as it is, and a value that Python printed as JSON.
pub(super) fn as_json(text: &str) -> Option<Cow<'_, str>> {
    if Object::read(text).is_ok() {
        return Some(Cow::Borrowed(text));
    }
    let mut literals = Literals { rest: text, depth: 0 };
    let mut json = String::with_capacity(text.len());
    literals.value(&mut json)?;
    literals.rest.trim().is_empty().then_some(Cow::Owned(json))
}

fn quoted(text: &str) -> Option<String> {
    serde_json::to_string(text).ok()
}

/// Values of Python in a text, which are written as JSON.
struct Literals<'t> {
    rest: &'t str,
    depth: usize,
}

impl Literals<'_> {
    /// Goes behind this character, if it is the next that is not a space.
    fn takes(&mut self, character: char) -> bool {
        match self.rest.trim_start().strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Items and commas up to a closing bracket.
    fn items(&mut self, close: char, out: &mut String, item: fn(&mut Self, &mut String) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut is_first = true;
        while !self.takes(close) {
            if !is_first {
                if !self.takes(',') {
                    return None;
                }
                if self.takes(close) {
                    break;
                }
                out.push(',');
            }
            is_first = false;
            item(self, out)?;
        }
        self.depth -= 1;
        Some(())
    }

    fn value(&mut self, out: &mut String) -> Option<()> {
        if self.takes('{') {
            out.push('{');
            self.items('}', out, Literals::member)?;
            out.push('}');
            return Some(());
        }
        for (open, close) in [('[', ']'), ('(', ')')] {
            if self.takes(open) {
                out.push('[');
                self.items(close, out, Literals::value)?;
                out.push(']');
                return Some(());
            }
        }
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(['"', '\'']) {
            out.push_str(&quoted(&self.text()?)?);
            return Some(());
        }
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        out.push_str(match word {
            "True" | "true" => "true",
            "False" | "false" => "false",
            "None" | "null" => "null",
            number if serde_json::from_str::<serde_json::Number>(number).is_ok() => number,
            _ => return None,
        });
        Some(())
    }

    /// `"key": value`
    fn member(&mut self, out: &mut String) -> Option<()> {
        self.rest = self.rest.trim_start();
        out.push_str(&quoted(&self.text()?)?);
        if !self.takes(':') {
            return None;
        }
        out.push(':');
        self.value(out)
    }

    /// `key=value`
    fn keyword(&mut self, out: &mut String) -> Option<()> {
        let (key, rest) = self.rest.split_once('=')?;
        let key = key.trim();
        if key.is_empty() || key.contains(|c: char| !(c.is_alphanumeric() || "_-. $".contains(c))) {
            return None;
        }
        self.rest = rest;
        out.push_str(&quoted(key)?);
        out.push(':');
        self.value(out)
    }

    /// A string in quotes of either kind.
    fn text(&mut self) -> Option<String> {
        let mut characters = self.rest.chars();
        let quote = characters.next().filter(|quote| matches!(quote, '"' | '\''))?;
        let mut text = String::new();
        loop {
            match characters.next()? {
                '\\' => match characters.next()? {
                    '\n' => {}
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'x' => text.push(escaped(&mut characters, 2)?),
                    'u' => text.push(escaped(&mut characters, 4)?),
                    'U' => text.push(escaped(&mut characters, 8)?),
                    character @ ('\\' | '\'' | '"') => text.push(character),
                    other => text.extend(['\\', other]),
                },
                character if character == quote => break,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}

/// The character whose number is written in this many hexadecimal digits.
fn escaped(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let (number, rest) = characters.as_str().split_at_checked(digits)?;
    *characters = rest.chars();
    char::from_u32(u32::from_str_radix(number, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_python_become_json() {
        for (python, json) in [
            (
                r#"{'a': 'it\'s', "b": [1, -2.5e3, True], 'c': (None,), 'd': {}}"#,
                r#"{"a":"it's","b":[1,-2.5e3,true],"c":[null],"d":{}}"#,
            ),
            (r#"{'a': "\x41\u00e9\U0001f642\n\d"}"#, "{\"a\":\"Aé🙂\\n\\\\d\"}"),
        ] {
            assert_eq!(as_json(python).as_deref(), Some(json), "{python}");
        }
        let deep = "[".repeat(100_000);
        for wrong in ["{'a'}", "{'a': b}", "{'a': 1} x", "{'a': '", "{'a': 1,, }", "{'a': '\\x4'}", "{1: 2}", &deep] {
            assert_eq!(as_json(wrong), None, "{wrong:.20}");
        }
    }
}
