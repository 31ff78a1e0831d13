//! A layout and a chat into the rules of a [`Grammar`].

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::begun::{self, Begun};
use super::calls::{self, ANY_OBJECT, Callable, Count};
use super::{Grammar, Part, Rule, Shape, TextKind};
use crate::chat::{CallMode, Chat, ResponseFormat, Tool, ToolChoice};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{CallForm, Layout, Settings, TextAndCalls, WordStart};
use crate::python::json;

/// The schema of arguments that a strict tool without parameters takes.
const NO_ARGUMENTS: &str = r#"{"type": "object", "properties": {}, "additionalProperties": false}"#;

/// Whether the answer may or must call tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calling {
    None,
    Auto,
    Required,
}

/// What an answer is made of, before it has the form of rules.
pub(super) struct Plan<'c> {
    pub(super) layout: Layout,
    pub(super) calling: Calling,
    pub(super) form: Option<CallForm>,
    pub(super) callables: Vec<Callable<'c>>,
    pub(super) count: Count,
    /// The schema of an answer of JSON.
    pub(super) schema: Option<Cow<'c, str>>,
}

pub(super) fn grammar<'c>(layout: &Layout, chat: &'c Chat<'_>) -> Result<Option<Grammar<'c>>, Error> {
    let schema = answer_schema(layout, chat)?;
    let asks_for_json = !matches!(chat.response_format, ResponseFormat::Text);
    if chat.tools.is_empty() && !asks_for_json {
        match &chat.tool_choice {
            ToolChoice::Auto => return Ok(None),
            ToolChoice::None => {}
            choice => {
                let kind = ErrorKind::ChoiceWithoutTools { choice: described(choice) };
                return Err(refuse(layout, "tool_choice", kind));
            }
        }
    }
    let choice = Choice::of(layout, chat, asks_for_json)?;
    let form = layout.calls.form();
    if choice.calling != Calling::None && form.is_none() {
        return Err(refuse(layout, "tools", ErrorKind::NoTools));
    }
    let count = match chat.parallel_tool_calls {
        Some(false) => Count::One,
        None | Some(true) => Count::Several,
    };
    let callables = match choice.calling {
        Calling::None => Vec::new(),
        Calling::Auto | Calling::Required => callables(layout, &choice)?,
    };
    let plan = Plan { layout: *layout, calling: choice.calling, form, callables, count, schema };
    let begun = Begun::of(chat);
    let answer = match &begun {
        None => plan.answer(),
        Some(begun) => begun::rest(&plan, begun)?,
    };
    Ok(Some(plan.grammar(answer)))
}

pub(super) fn refuse(layout: &Layout, at: impl Into<String>, kind: ErrorKind) -> Error {
    Error::new(kind, at).in_layout(layout.name)
}

/// The tools that the choice leaves.
struct Choice<'c> {
    calling: Calling,
    /// With their places in the chat.
    tools: Vec<(usize, &'c Tool<'c>)>,
    /// Does the choice name tools?
    names_tools: bool,
}

impl<'c> Choice<'c> {
    fn of(layout: &Layout, chat: &'c Chat<'_>, asks_for_json: bool) -> Result<Self, Error> {
        let all = || chat.tools.iter().enumerate();
        let none = Choice { calling: Calling::None, tools: Vec::new(), names_tools: false };
        if chat.tools.is_empty() {
            // An answer of JSON: mistral-common ignores a choice of tools that do not exist.
            return Ok(none);
        }
        let choice = match &chat.tool_choice {
            ToolChoice::None => return Ok(none),
            ToolChoice::Auto => Choice { calling: Calling::Auto, tools: all().collect(), names_tools: false },
            ToolChoice::Required => Choice { calling: Calling::Required, tools: all().collect(), names_tools: false },
            ToolChoice::Named(name) => {
                require(layout, chat, name, || "tool_choice.function.name".to_owned())?;
                let tools = all().filter(|(_, tool)| tool.name == *name).collect();
                Choice { calling: Calling::Required, tools, names_tools: true }
            }
            ToolChoice::Allowed { mode, names } => {
                for (index, name) in names.iter().enumerate() {
                    require(layout, chat, name, || format!("tool_choice.allowed_tools.tools[{index}].function.name"))?;
                }
                let tools: Vec<_> = all().filter(|(_, tool)| names.contains(&tool.name)).collect();
                match (mode, tools.is_empty()) {
                    (CallMode::Auto, true) => return Ok(none),
                    (CallMode::Required, true) => {
                        let kind = ErrorKind::ChoiceWithoutTools { choice: described(&chat.tool_choice) };
                        return Err(refuse(layout, "tool_choice", kind));
                    }
                    (CallMode::Auto, false) => Choice { calling: Calling::Auto, tools, names_tools: true },
                    (CallMode::Required, false) => Choice { calling: Calling::Required, tools, names_tools: true },
                }
            }
        };
        if asks_for_json && choice.calling == Calling::Required {
            let kind = ErrorKind::ChoiceWithJson { choice: described(&chat.tool_choice) };
            return Err(refuse(layout, "tool_choice", kind));
        }
        Ok(choice)
    }
}

fn require(layout: &Layout, chat: &Chat<'_>, name: &str, at: impl FnOnce() -> String) -> Result<(), Error> {
    if chat.tools.iter().any(|tool| tool.name == name) {
        return Ok(());
    }
    let known = chat.tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>().join(", ");
    Err(refuse(layout, at(), ErrorKind::UnknownTool { name: name.to_owned(), known }))
}

fn described(choice: &ToolChoice<'_>) -> String {
    match choice {
        ToolChoice::Auto => "a call is allowed".to_owned(),
        ToolChoice::None => "no call is allowed".to_owned(),
        ToolChoice::Required | ToolChoice::Allowed { .. } => "a call is required".to_owned(),
        ToolChoice::Named(name) => format!("a call of {name:?} is required"),
    }
}

/// The schema of the answer, as Python prints it.
fn answer_schema<'c>(layout: &Layout, chat: &'c Chat<'_>) -> Result<Option<Cow<'c, str>>, Error> {
    match &chat.response_format {
        ResponseFormat::Text => Ok(None),
        ResponseFormat::JsonSchema(schema) if schema.strict => {
            let at = || "response_format.json_schema.schema".to_owned();
            let printed = printed(layout, at, schema.schema.as_str())?;
            // To Python an empty schema is as good as none.
            Ok(Some(printed).filter(|schema| schema != "{}"))
        }
        ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_) => {
            Ok(Some(Cow::Borrowed(ResponseFormat::ANY_OBJECT_OR_ARRAY)))
        }
    }
}

/// A schema as Python prints it.
fn printed(layout: &Layout, at: impl Fn() -> String, schema: &str) -> Result<Cow<'static, str>, Error> {
    let mut text = String::new();
    json::reformat(schema, &mut text).map_err(|error| refuse(layout, at(), ErrorKind::JsonValue).because(error))?;
    // Python prints numbers that JSON does not have. The same letters may be those of a string.
    let may_hold = ["Infinity", "NaN"].into_iter().any(|name| text.contains(name));
    if may_hold && serde_json::from_str::<IgnoredAny>(&text).is_err() {
        return Err(refuse(layout, at(), ErrorKind::SchemaNumber));
    }
    Ok(Cow::Owned(text))
}

/// The ways to call the tools: one for all where no tool is strict, else one for each.
fn callables<'c>(layout: &Layout, choice: &Choice<'c>) -> Result<Vec<Callable<'c>>, Error> {
    let name = |tool: &&'c Tool<'c>| Cow::Borrowed(&*tool.name);
    if !choice.tools.iter().any(|(_, tool)| tool.strict) {
        let names = choice.tools.iter().map(|(_, tool)| name(tool)).collect();
        return Ok(vec![Callable { names, pinned: choice.names_tools, schema: Cow::Borrowed(ANY_OBJECT) }]);
    }
    let callable = |(index, tool): &(usize, &'c Tool<'c>)| {
        let schema = if tool.strict {
            let at = || format!("tools[{index}].function.parameters");
            let schema = printed(layout, at, tool.parameters.as_str())?;
            if schema == "{}" { Cow::Borrowed(NO_ARGUMENTS) } else { schema }
        } else {
            Cow::Borrowed(ANY_OBJECT)
        };
        Ok(Callable { names: vec![name(tool)], pinned: true, schema })
    };
    choice.tools.iter().map(callable).collect()
}

/// A shape that begins a run of text, after the space that SentencePiece sets.
pub(super) fn run(word_start: WordStart, shape: Shape<'_>) -> Shape<'_> {
    match word_start {
        WordStart::Space => Shape::sequence([Shape::Literal(Cow::Borrowed(word_start.printed())), shape]),
        WordStart::Nothing => shape,
    }
}

impl<'c> Plan<'c> {
    /// Does every answer of the layout have room for thinking?
    pub(super) fn thinks(&self) -> bool {
        self.layout.thinking.has_tokens() && self.layout.vocabulary.contains(Control::Think)
    }

    /// The answer, from its beginning.
    fn answer(&self) -> Shape<'c> {
        let body = Shape::Part(Part::Body);
        match self.run_of_json() {
            None => body,
            Some(json) => {
                let json = if self.thinks() { Shape::Part(Part::Json) } else { json };
                match self.calling {
                    Calling::None => json,
                    Calling::Auto | Calling::Required => Shape::Choice(vec![body, json]),
                }
            }
        }
    }

    /// Whether the answer must call a tool where it is not JSON.
    pub(super) fn calling(&self) -> Calling {
        match (&self.schema, self.calling) {
            (Some(_), Calling::Auto) => Calling::Required,
            (_, calling) => calling,
        }
    }

    /// An answer of text, calls or both, its thinking over.
    pub(super) fn said(&self) -> Shape<'c> {
        let (text, calls) = (Shape::Part(Part::Text), Shape::Part(Part::Calls));
        match (self.calling(), self.layout.rules.text_and_calls) {
            (Calling::None, _) => text,
            (Calling::Required, _) => calls,
            (Calling::Auto, TextAndCalls::Either) => Shape::Choice(vec![text, calls]),
            // The calls of a layout that thinks have the text before them.
            (Calling::Auto, TextAndCalls::Both) if self.thinks() => Shape::Choice(vec![text, calls]),
            (Calling::Auto, TextAndCalls::Both) => {
                let both = Shape::Sequence(vec![text.clone().optional(), calls]);
                Shape::Choice(vec![text, both])
            }
        }
    }

    /// Text in the middle of a reply, or its end.
    pub(super) fn more_text(&self) -> Shape<'c> {
        Shape::Text(if self.layout.trim_reply { TextKind::Trimmed } else { TextKind::Any })
    }

    /// A shape that begins a run of text.
    pub(super) fn run(&self, shape: Shape<'c>) -> Shape<'c> {
        run(self.layout.word_start, shape)
    }

    /// An answer of JSON, its thinking over.
    pub(super) fn run_of_json(&self) -> Option<Shape<'c>> {
        self.schema.as_ref().map(|schema| self.run(Shape::Json(schema.clone())))
    }

    /// The calls alone; nothing if there are no tools to call.
    fn calls(&self) -> Shape<'c> {
        match &self.form {
            Some(form) if !self.callables.is_empty() => calls::calls(&self.layout, form, &self.callables, self.count),
            _ => Shape::Sequence(Vec::new()),
        }
    }

    fn grammar(&self, answer: Shape<'c>) -> Grammar<'c> {
        let mut rules = Vec::new();
        let mut add = |part, shape| rules.push(Rule { part, shape });
        let thinking = Shape::Part(Part::Thinking).optional();
        let thinks = self.thinks();
        let may_be_json = self.schema.is_some() && self.calling != Calling::None;
        add(Part::Answer, answer);
        if let (Some(json), true) = (self.run_of_json(), thinks) {
            add(
                Part::Json,
                match self.layout.settings {
                    Settings::Unknown => json,
                    Settings::Missing | Settings::Block { .. } => Shape::sequence([thinking.clone(), json]),
                },
            );
        }
        if thinks {
            let before = if may_be_json { Part::TextBeforeCalls } else { Part::Text };
            add(Part::Body, Shape::sequence([thinking, self.said()]));
            add(Part::Calls, Shape::sequence([Shape::Part(before).optional(), self.calls()]));
            if may_be_json {
                add(Part::TextBeforeCalls, self.run(Shape::Text(TextKind::NotJson)));
            }
        } else {
            add(Part::Body, self.said());
            add(Part::Calls, self.calls());
        }
        add(Part::Text, self.run(self.more_text()));
        if thinks {
            let text = self.run(Shape::Text(TextKind::Any));
            let tokens = [Shape::Control(Control::Think), text, Shape::Control(Control::EndThink)];
            add(Part::Thinking, Shape::sequence(tokens));
        }
        Grammar { rules }
    }
}
