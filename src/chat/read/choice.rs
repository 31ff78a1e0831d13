//! `tool_choice` of Mistral's or OpenAI's JSON.

use super::{
    CallMode, Context, Cow, Dialect, ErrorKind, Field, Fill, Key, MapAccess, PhantomData, Read, Step, ToolChoice,
    Visitor, check_type, de, fmt, object,
};
use serde::{Deserialize as _, Deserializer};

object!(ChoiceFields<'a> {
    kind: "type" => Cow<'a, str>,
    function: "function" => NameFields<'a>,
    allowed: "allowed_tools" => AllowedFields<'a>,
});

object!(NameFields<'a> {
    name: "name" => Cow<'a, str>,
});

object!(AllowedFields<'a> {
    mode: "mode" => Cow<'a, str>,
    tools: "tools" => Vec<AllowedTool<'a>>,
});

object!(AllowedToolFields<'a> {
    kind: "type" => Cow<'a, str>,
    function: "function" => NameFields<'a>,
});

/// One of the tools of `allowed_tools`, by its name.
struct AllowedTool<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Read<'de> for AllowedTool<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = AllowedToolFields::read_value(context, deserializer)?;
        check_type(context, fields.kind)?;
        named(context, fields.function).map(AllowedTool)
    }
}

fn named<'a, E: de::Error>(context: &Context, function: Field<NameFields<'a>>) -> Result<Cow<'a, str>, E> {
    let Some(function) = function.value() else {
        return Err(context.fault(ErrorKind::MissingField("function")));
    };
    function.name.value().ok_or_else(|| context.fault_in("function", ErrorKind::MissingField("name")))
}

/// What OpenAI's API alone has: a choice among some of the tools.
fn allowed<'a, E: de::Error>(context: &Context, fields: Field<AllowedFields<'a>>) -> Result<ToolChoice<'a>, E> {
    let Some(fields) = fields.value() else {
        return Err(context.fault(ErrorKind::MissingField("allowed_tools")));
    };
    let inside = |error| context.within(Step::Field("allowed_tools"), error);
    let mode = match fields.mode.value().as_deref() {
        Some("auto") => CallMode::Auto,
        Some("required") => CallMode::Required,
        Some(other) => {
            return Err(inside(context.fault_in("mode", ErrorKind::UnknownCallMode { name: other.to_owned() })));
        }
        None => return Err(inside(context.fault(ErrorKind::MissingField("mode")))),
    };
    let Some(tools) = fields.tools.value() else {
        return Err(inside(context.fault(ErrorKind::MissingField("tools"))));
    };
    Ok(ToolChoice::Allowed { mode, names: tools.into_iter().map(|tool| tool.0).collect() })
}

/// The choice of legacy function calling, `function_call` beside the messages, which other dialects ignore.
pub(super) struct LegacyChoice<'a>(pub(super) Option<Box<ToolChoice<'a>>>);

impl<'de: 'a, 'a> Read<'de> for LegacyChoice<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        if context.dialect != Dialect::Legacy {
            return de::IgnoredAny::deserialize(deserializer).map(|_| LegacyChoice(None));
        }
        let choice = deserializer.deserialize_any(NameOrObject(context, Form::Legacy, PhantomData))?;
        Ok(LegacyChoice(Some(Box::new(choice))))
    }
}

impl<'de: 'a, 'a> Read<'de> for ToolChoice<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject(context, Form::Tool, PhantomData))
    }
}

/// What a choice that is an object names: a tool, in an object by its type, or a function.
#[derive(PartialEq)]
enum Form {
    Tool,
    Legacy,
}

/// A visitor of a choice: a word, or an object with the name of a tool.
struct NameOrObject<'c, 'a>(&'c Context, Form, PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for NameOrObject<'_, 'a> {
    type Value = ToolChoice<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an object")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        match name {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" if self.1 == Form::Tool => Ok(ToolChoice::Required),
            other => Err(self.0.fault(ErrorKind::UnknownToolChoice { name: other.to_owned() })),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let context = self.0;
        let object = de::value::MapAccessDeserializer::new(map);
        if self.1 == Form::Legacy {
            let name = NameFields::read_value(context, object)?.name.value();
            return name.map(ToolChoice::Named).ok_or_else(|| context.fault(ErrorKind::MissingField("name")));
        }
        let fields = ChoiceFields::read_value(context, object)?;
        match fields.kind {
            Field::Value(kind) if kind == "allowed_tools" && context.dialect != Dialect::Mistral => {
                allowed(context, fields.allowed)
            }
            kind => {
                check_type(context, kind)?;
                named(context, fields.function).map(ToolChoice::Named)
            }
        }
    }
}
