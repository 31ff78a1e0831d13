//! The tools and calls of a row, in any of the forms that data sets have for them.

use std::borrow::Cow;

use super::json::{Form, Object, form, is_empty, items, text, within, without_null_members};
use super::written_calls::as_json;
use super::{Nulls, Reading};
use crate::chat::{ArgumentsForm, Json, Tool, ToolCall};
use crate::error::{Error, ErrorKind};

impl Reading<'_> {
    /// A list of tools, one tool, or either as text.
    pub(super) fn tools<'a>(&self, raw: &'a str) -> Result<Vec<Tool<'a>>, Error> {
        match form(raw) {
            Form::List => {
                let tools = items(raw)?.into_iter().enumerate();
                tools
                    .map(|(index, raw)| self.tool(raw).map_err(|error| within(error, || format!("[{index}]"))))
                    .collect()
            }
            Form::Object => Ok(vec![self.tool(raw)?]),
            Form::Text if is_empty(raw) => Ok(Vec::new()),
            Form::Text => {
                let spelt = text(raw)?;
                let spelt = spelt.trim();
                match form(spelt) {
                    Form::List | Form::Object => Ok(self.tools(spelt)?.into_iter().map(Tool::into_owned).collect()),
                    _ => Err(Error::new(ErrorKind::RowType { expected: "a list of tools" }, "")),
                }
            }
            _ => Err(Error::new(ErrorKind::RowType { expected: "a list of tools" }, "")),
        }
    }

    /// `{"type": "function", "function": {…}}`, what is inside by itself, or either as text.
    fn tool<'a>(&self, raw: &'a str) -> Result<Tool<'a>, Error> {
        if form(raw) == Form::Text {
            let spelt = text(raw)?;
            if form(&spelt) != Form::Object {
                return Err(Error::new(ErrorKind::RowType { expected: "a tool" }, ""));
            }
            return self.tool(&spelt).map(Tool::into_owned);
        }
        let mut outer = Object::read(raw)?;
        check_type(&mut outer)?;
        match outer.take("function") {
            Some(function) if form(function) == Form::Object => {
                let tool =
                    self.function(Object::read(function)?).map_err(|error| within(error, || "function".to_owned()));
                self.tell_unread(&outer, "tools[].");
                tool
            }
            _ => self.function(outer),
        }
    }

    fn function<'a>(&self, mut function: Object<'a>) -> Result<Tool<'a>, Error> {
        let name = function.take("name").ok_or_else(|| Error::new(ErrorKind::MissingField("name"), ""))?;
        let description = function.take("description").map_or(Ok(Cow::Borrowed("")), text);
        let parameters = ["parameters", "input_schema"].into_iter().find_map(|name| function.take(name));
        let strict = function.take("strict").is_some_and(|raw| form(raw) == Form::Bool(true));
        self.tell_unread(&function, "tools[].");
        Ok(Tool {
            name: text(name).map_err(|error| within(error, || "name".to_owned()))?,
            description: description.map_err(|error| within(error, || "description".to_owned()))?,
            parameters: match parameters {
                Some(raw) => self.schema(raw).map_err(|error| within(error, || "parameters".to_owned()))?,
                None => Json::default(),
            },
            strict,
        })
    }

    fn schema<'a>(&self, raw: &'a str) -> Result<Json<'a>, Error> {
        match form(raw) {
            Form::Object => Ok(match without_null_members(raw) {
                Some((stripped, count)) if self.reader.nulls != Nulls::Keep => {
                    self.notes.borrow_mut().nulls_in_tools += count;
                    Json::owned(stripped)
                }
                _ => Json::new(raw)?,
            }),
            Form::Text => {
                let spelt = text(raw)?;
                match form(&spelt) {
                    Form::Object => self.schema(&spelt).map(Json::into_owned),
                    _ => Err(Error::new(ErrorKind::RowType { expected: "a JSON schema" }, "")),
                }
            }
            _ => Err(Error::new(ErrorKind::RowType { expected: "a JSON schema" }, "")),
        }
    }

    /// A list of calls, one call, or either as text.
    pub(super) fn calls<'a>(&self, raw: &'a str) -> Result<Vec<ToolCall<'a>>, Error> {
        match form(raw) {
            Form::List => {
                let calls = items(raw)?.into_iter().enumerate();
                calls
                    .map(|(index, raw)| self.call(raw).map_err(|error| within(error, || format!("[{index}]"))))
                    .collect()
            }
            Form::Object => Ok(vec![self.call(raw)?]),
            Form::Text => {
                let spelt = text(raw)?;
                let spelt = spelt.trim();
                let is_json = items(spelt).is_ok() || Object::read(spelt).is_ok();
                // Python prints quotes of its own around arguments.
                let printed = if is_json { None } else { as_json(spelt) };
                let spelt = printed.as_deref().unwrap_or(spelt);
                match form(spelt) {
                    Form::List | Form::Object => Ok(self.calls(spelt)?.into_iter().map(ToolCall::into_owned).collect()),
                    _ => Err(Error::new(ErrorKind::RowType { expected: "calls as JSON" }, "")),
                }
            }
            _ => Err(Error::new(ErrorKind::RowType { expected: "a list of calls" }, "")),
        }
    }

    /// `{"id", "type", "function": {"name", "arguments"}}`, or `{"name", "arguments"}` with an id or without.
    fn call<'a>(&self, raw: &'a str) -> Result<ToolCall<'a>, Error> {
        if form(raw) == Form::Text {
            let spelt = text(raw)?;
            if form(&spelt) != Form::Object {
                return Err(Error::new(ErrorKind::RowType { expected: "a call" }, ""));
            }
            return self.call(&spelt).map(ToolCall::into_owned);
        }
        let mut outer = Object::read(raw)?;
        check_type(&mut outer)?;
        let id = ["id", "call_id"].into_iter().find_map(|name| outer.take(name)).map(text).transpose();
        let id = id.map_err(|error| within(error, || "id".to_owned()))?;
        outer.take("index");
        let call = match outer.take("function") {
            Some(function) if form(function) == Form::Object => {
                let call =
                    self.called(Object::read(function)?).map_err(|error| within(error, || "function".to_owned()))?;
                self.tell_unread(&outer, "tool_calls[].");
                call
            }
            _ => self.called(outer)?,
        };
        Ok(ToolCall { id: id.filter(|id| id != "null" && !id.is_empty()), ..call })
    }

    fn called<'a>(&self, mut function: Object<'a>) -> Result<ToolCall<'a>, Error> {
        let name = function.take("name").ok_or_else(|| Error::new(ErrorKind::MissingField("name"), ""))?;
        let arguments = ["arguments", "parameters"].into_iter().find_map(|name| function.take(name));
        self.tell_unread(&function, "tool_calls[].");
        let (arguments, arguments_form) = match arguments {
            None => (Cow::Borrowed("{}"), ArgumentsForm::Text),
            Some(raw) => self.arguments(raw).map_err(|error| within(error, || "arguments".to_owned()))?,
        };
        let name = text(name).map_err(|error| within(error, || "name".to_owned()))?;
        Ok(ToolCall { name, arguments, arguments_form, ..ToolCall::default() })
    }

    fn arguments<'a>(&self, raw: &'a str) -> Result<(Cow<'a, str>, ArgumentsForm), Error> {
        let (arguments, spelling) = match form(raw) {
            Form::Object => (Cow::Borrowed(raw), ArgumentsForm::Object),
            Form::Text => (text(raw)?, ArgumentsForm::Text),
            _ => return Err(Error::new(ErrorKind::RowType { expected: "a JSON object or its text" }, "")),
        };
        // A text that is not JSON is what the model wrote, and is left alone.
        let is_json = || spelling == ArgumentsForm::Object || Object::read(&arguments).is_ok();
        let stripped = without_null_members(&arguments).filter(|_| is_json());
        Ok((
            match stripped {
                None => arguments,
                Some((stripped, count)) => {
                    self.notes.borrow_mut().nulls_in_arguments += count;
                    if self.reader.nulls == Nulls::DropEverywhere { Cow::Owned(stripped) } else { arguments }
                }
            },
            spelling,
        ))
    }
}

/// Tools and calls are functions, and say so or nothing.
fn check_type(object: &mut Object<'_>) -> Result<(), Error> {
    let Some(raw) = object.take("type") else { return Ok(()) };
    match &*text(raw).map_err(|error| within(error, || "type".to_owned()))? {
        "function" | "function_call" => Ok(()),
        other => Err(Error::new(ErrorKind::UnknownToolType { name: other.to_owned() }, "type")),
    }
}
