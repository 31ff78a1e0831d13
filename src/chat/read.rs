//! JSON into a [`Chat`]: Mistral's and OpenAI's chat-completion requests and ShareGPT conversations, borrowing the text.
//!
//! A field that comes twice counts as its last value, as in Python; fields that do not shape the prompt are ignored.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{ArgumentsForm, Dialect, Tool, ToolCall, ToolMessage, request, surrogates};
use super::{
    AssistantMessage, CallMode, Chat, Chunk, Content, Json, Message, ReasoningEffort, ResponseFormat, ResponseSchema,
    Role, Sent, ToolChoice,
};
use crate::error::{Error, ErrorKind};

mod choice;
mod message;
mod raw;
mod sharegpt;

use self::choice::LegacyChoice;
pub(super) use self::raw::Raw;

impl<'a> Chat<'a> {
    /// A chat from Mistral's or OpenAI's chat-completion JSON; text without escapes is borrowed from it.
    ///
    /// # Errors
    ///
    /// What is not a chat: text that is not JSON, no `messages`, a role such as `"wizard"`, a user message without
    /// `content`, a chunk such as `{"type": "file"}`, a tool whose `type` is not `"function"`. The error names the place.
    ///
    /// ```
    /// use mistral_chat_template::Chat;
    ///
    /// let chat = Chat::from_json(r#"{"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.3}"#)?;
    /// assert_eq!(chat.messages.len(), 1);
    ///
    /// let error = Chat::from_json(r#"{"messages": [{"role": "wizard", "content": "Hi"}]}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"messages[0].role: "wizard" is not a role; the roles are system, developer, user, assistant and tool"#
    /// );
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_json(json: &'a str) -> Result<Self, Error> {
        Chat::read(json, Dialect::Either)
    }

    /// A chat from JSON of one dialect.
    ///
    /// # Errors
    ///
    /// As [`Chat::from_json`], and what only other dialects allow.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Dialect, Message};
    ///
    /// let json = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}"#;
    /// let chat = Chat::read(json, Dialect::ShareGpt)?;
    /// assert_eq!(chat.messages, [Message::user("Hi"), Message::assistant("Hello!")]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn read(json: &'a str, dialect: Dialect) -> Result<Self, Error> {
        if !dialect.is_completions() && dialect != Dialect::ShareGpt {
            return request::read(json, dialect);
        }
        let context = Context::new(dialect);
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let explained = |context: Context, error| request::with_hint(context.explain(error, json), json, dialect);
        // A chat is long to move: it is read to where it stays.
        let mut chat = match context.chat(&mut deserializer) {
            Ok(chat) => chat,
            Err(error) => return Err(explained(context, error)),
        };
        if let Err(error) = deserializer.end() {
            return Err(explained(context, error));
        }
        chat.sent = Sent::of(json, dialect).map(|sent| sent.plain(context.plain.get()));
        Ok(chat)
    }
}

/// The content of a message from its JSON: a text, or a list of chunks.
pub(crate) fn content_from_json(json: &str) -> Result<Content<'_>, Error> {
    part_from_json(json)
}

/// The form that an answer is to have, from its JSON.
pub(crate) fn response_format_from_json(json: &str) -> Result<ResponseFormat<'_>, Error> {
    part_from_json(json)
}

fn part_from_json<'a, T: Read<'a>>(json: &'a str) -> Result<T, Error> {
    let context = Context::new(Dialect::Either);
    T::read_value(&context, &mut serde_json::Deserializer::from_str(json)).map_err(|error| context.explain(error, json))
}

/// Reads either of Mistral's and OpenAI's JSON, and borrows from it: the input must outlive the chat, as that of `from_str`
/// and `from_slice` does. An [`OwnedChat`](super::OwnedChat) is read from any input.
///
/// A deserializer does not show its text: such a chat has nothing in [`Chat::sent`], and a model's own template is shown the
/// typed messages.
impl<'de: 'a, 'a> Deserialize<'de> for Chat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let context = Context::new(Dialect::Either);
        context.chat(deserializer).map_err(|error| match context.into_fault() {
            (Some(kind), at) => de::Error::custom(Error::new(kind, at)),
            (None, _) => error,
        })
    }
}

/// One step of the path to a value.
enum Step {
    Field(&'static str),
    Index(usize),
}

/// What reading carries along: the dialect, and, once something is wrong, what and where.
struct Context {
    dialect: Dialect,
    fault: RefCell<Option<ErrorKind>>,
    /// The path to the fault, innermost step first: written only while an error unwinds.
    path: RefCell<Vec<Step>>,
    /// Has all that templates are shown been roles and texts so far?
    plain: Cell<bool>,
}

impl Context {
    fn new(dialect: Dialect) -> Self {
        Context { dialect, fault: RefCell::new(None), path: RefCell::new(Vec::new()), plain: Cell::new(true) }
    }

    fn chat<'de: 'a, 'a, D: Deserializer<'de>>(&self, deserializer: D) -> Result<Chat<'a>, D::Error> {
        match self.dialect {
            Dialect::ShareGpt => sharegpt::read(self, deserializer),
            _ => Chat::read_value(self, deserializer),
        }
    }

    /// A fault of our own: serde carries an empty message, the context the kind.
    fn fault<E: de::Error>(&self, kind: ErrorKind) -> E {
        self.fault.replace(Some(kind));
        E::custom("")
    }

    /// A fault in a field of the object at hand.
    fn fault_in<E: de::Error>(&self, field: &'static str, kind: ErrorKind) -> E {
        let error = self.fault(kind);
        self.within(Step::Field(field), error)
    }

    fn within<E>(&self, step: Step, error: E) -> E {
        self.path.borrow_mut().push(step);
        error
    }

    fn explain(self, error: serde_json::Error, json: &str) -> Error {
        match self.into_fault() {
            (Some(kind), at) => Error::new(kind, at),
            (None, at) if is_of_a_surrogate(&error) && !surrogates::lone(json).is_empty() => {
                Error::new(ErrorKind::LoneSurrogate, at)
            }
            (None, at) => Error::new(ErrorKind::Json, at).because(error),
        }
    }

    fn into_fault(self) -> (Option<ErrorKind>, String) {
        let mut at = String::new();
        for step in self.path.into_inner().iter().rev() {
            match step {
                Step::Field(field) if at.is_empty() => at.push_str(field),
                Step::Field(field) => at.extend([".", field]),
                Step::Index(index) => at.push_str(&format!("[{index}]")),
            }
        }
        (self.fault.into_inner(), at)
    }
}

/// Does the error tell of an escape that is half of a character?
fn is_of_a_surrogate(error: &serde_json::Error) -> bool {
    let what = error.to_string();
    ["lone leading surrogate in hex escape", "unexpected end of hex escape"].iter().any(|said| what.contains(said))
}

/// A value that is read with a [`Context`] at hand.
trait Read<'de>: Sized {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error>;

    /// Reads a value and puts it where it belongs, which spares a type that is long to move the way through results.
    fn read_to<D: Deserializer<'de>, T>(
        context: &Context,
        deserializer: D,
        put: impl FnOnce(Self) -> T,
    ) -> Result<T, D::Error> {
        Self::read_value(context, deserializer).map(put)
    }
}

/// A seed that reads one more value of a list.
struct Push<'c, 'v, T>(&'c Context, &'v mut Vec<T>);

impl<'de, T: Read<'de>> DeserializeSeed<'de> for Push<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::read_to(self.0, deserializer, |value| self.1.push(value))
    }
}

/// A visitor of a text, borrowed where the input allows it, which is given to a function.
struct Text<'a, F>(F, PhantomData<&'a ()>);

impl<'de: 'a, 'a, T, F: FnOnce(Cow<'a, str>) -> T> Visitor<'de> for Text<'a, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok((self.0)(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok((self.0)(Cow::Owned(text)))
    }
}

impl<'de: 'a, 'a> Read<'de> for Cow<'a, str> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        Self::read_to(context, deserializer, |text| text)
    }

    fn read_to<D: Deserializer<'de>, T>(
        _: &Context,
        deserializer: D,
        put: impl FnOnce(Self) -> T,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_str(Text(put, PhantomData))
    }
}

impl<'de> Read<'de> for bool {
    fn read_value<D: Deserializer<'de>>(_: &Context, deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer)
    }
}

/// A weight: a number, or true or false, which pydantic accepts for 1 and 0.
impl<'de> Read<'de> for f64 {
    fn read_value<D: Deserializer<'de>>(_: &Context, deserializer: D) -> Result<Self, D::Error> {
        struct Weight;
        impl Visitor<'_> for Weight {
            type Value = f64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_bool<E>(self, value: bool) -> Result<f64, E> {
                Ok(f64::from(u8::from(value)))
            }

            fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }
        }
        deserializer.deserialize_any(Weight)
    }
}

/// A JSON object; any other value is refused.
impl<'de: 'a, 'a> Read<'de> for Json<'a> {
    fn read_value<D: Deserializer<'de>>(_: &Context, deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?.text;
        match raw.as_bytes().first() {
            Some(b'{') => Ok(Json::of(raw)),
            _ => Err(de::Error::custom("expected a JSON object")),
        }
    }
}

impl<'de, T: Read<'de>> Read<'de> for Vec<T> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        struct List<'c, T>(&'c Context, PhantomData<T>);
        impl<'de, T: Read<'de>> Visitor<'de> for List<'_, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::new();
                loop {
                    match list.next_element_seed(Push(self.0, &mut values)) {
                        Ok(Some(())) => {}
                        Ok(None) => return Ok(values),
                        Err(error) => return Err(self.0.within(Step::Index(values.len()), error)),
                    }
                }
            }
        }
        deserializer.deserialize_seq(List(context, PhantomData))
    }
}

/// A field of an object, which may be absent or null.
enum Field<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    const fn is_nothing(&self) -> bool {
        matches!(self, Field::Absent | Field::Null)
    }

    /// The value, where null is as good as absent.
    fn value(self) -> Option<T> {
        match self {
            Field::Value(value) => Some(value),
            Field::Absent | Field::Null => None,
        }
    }

    /// The value, which leaves the object without it.
    fn take(&mut self) -> Option<T> {
        std::mem::replace(self, Field::Absent).value()
    }
}

/// A seed that reads a field, in place.
struct Fill<'c, 'f, T>(&'c Context, &'f mut Field<T>);

impl<'de, T: Read<'de>> DeserializeSeed<'de> for Fill<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Read<'de>> Visitor<'de> for Fill<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        *self.1 = Field::Null;
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        *self.1 = Field::Null;
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::read_to(self.0, deserializer, |value| *self.1 = Field::Value(value))
    }
}

/// The key of a field, as what the object makes of its name.
struct Key<F>(F);

impl<'de, N, F: FnOnce(&str) -> N> DeserializeSeed<'de> for Key<F> {
    type Value = N;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<N, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<N, F: FnOnce(&str) -> N> Visitor<'_> for Key<F> {
    type Value = N;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<N, E> {
        Ok((self.0)(name))
    }
}

/// Declares a JSON object by its fields and reads it: the last of equal fields counts, unknown fields are ignored.
///
/// `fill` reads in place: an object of many fields is long to move. It returns the order of the keys, one in each byte by
/// its place in the declaration, counted from 1.
macro_rules! object {
    ($object:ident<'a> { $($field:ident: $name:literal => $type:ty),+ $(,)? }) => {
        struct $object<'a> {
            $($field: Field<$type>,)+
            borrowed: PhantomData<&'a ()>,
        }

        impl<'a> $object<'a> {
            /// The names of its fields.
            #[allow(dead_code, reason = "not all are asked for")]
            const NAMES: &'static [&'static str] = &[$($name),+];

            const fn absent() -> Self {
                $object { $($field: Field::Absent,)+ borrowed: PhantomData }
            }

            fn fill<'de: 'a, D: Deserializer<'de>>(
                &mut self,
                context: &Context,
                deserializer: D,
            ) -> Result<u64, D::Error> {
                #[allow(non_camel_case_types)]
                #[derive(Clone, Copy)]
                enum Name {
                    $($field,)+
                    Unknown,
                }
                let name_of = |name: &str| match name {
                    $($name => Name::$field,)+
                    _ => Name::Unknown,
                };

                struct Object<'c, 'o, 'a, F>(&'c Context, &'o mut $object<'a>, F);
                impl<'de: 'a, 'a, F: Fn(&str) -> Name> Visitor<'de> for Object<'_, '_, 'a, F> {
                    type Value = u64;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
                        let Object(context, object, name_of) = self;
                        let mut order = 0;
                        while let Some(key) = map.next_key_seed(Key(&name_of))? {
                            order = order << 8 | (key as u64 + 1);
                            match key {
                                $(Name::$field => {
                                    map.next_value_seed(Fill(context, &mut object.$field))
                                        .map_err(|error| context.within(Step::Field($name), error))?;
                                })+
                                Name::Unknown => {
                                    map.next_value::<de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(order)
                    }
                }

                deserializer.deserialize_map(Object(context, self, name_of))
            }
        }

        impl<'de: 'a, 'a> Read<'de> for $object<'a> {
            fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
                let mut object = $object::absent();
                object.fill(context, deserializer)?;
                Ok(object)
            }
        }
    };
}
use object;

/// The names of the fields that are read, by the object that has them.
pub(super) mod names {
    pub(in crate::chat) use super::message::names::*;
    pub(in crate::chat) use super::sharegpt::names::*;

    pub(in crate::chat) const REQUEST: &[&str] = super::ChatFields::NAMES;
    pub(in crate::chat) const TOOL: &[&str] = super::ToolFields::NAMES;
    pub(in crate::chat) const FUNCTION: &[&str] = super::FunctionFields::NAMES;
    pub(in crate::chat) const CALL: &[&str] = super::ToolCallFields::NAMES;
    pub(in crate::chat) const CALLED: &[&str] = super::CallFields::NAMES;
    pub(in crate::chat) const FORMAT: &[&str] = super::FormatFields::NAMES;
    pub(in crate::chat) const SCHEMA: &[&str] = super::SchemaFields::NAMES;
}

object!(ChatFields<'a> {
    messages: "messages" => Vec<Message<'a>>,
    tools: "tools" => Vec<Tool<'a>>,
    functions: "functions" => LegacyTools<'a>,
    function_call: "function_call" => LegacyChoice<'a>,
    tool_choice: "tool_choice" => ToolChoice<'a>,
    parallel_tool_calls: "parallel_tool_calls" => bool,
    reasoning_effort: "reasoning_effort" => Cow<'a, str>,
    response_format: "response_format" => ResponseFormat<'a>,
    model: "model" => Cow<'a, str>,
    continue_final_message: "continue_final_message" => bool,
});

impl<'de: 'a, 'a> Read<'de> for Chat<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let mut fields = ChatFields::absent();
        fields.fill(context, deserializer)?;
        let is_plain = fields.tools.is_nothing()
            && fields.functions.is_nothing()
            && fields.reasoning_effort.is_nothing()
            && fields.response_format.is_nothing();
        context.plain.set(context.plain.get() && is_plain);
        let Some(mut messages) = fields.messages.value() else {
            return Err(context.fault(ErrorKind::MissingField("messages")));
        };
        if let Field::Value(true) = fields.continue_final_message {
            match messages.last_mut() {
                Some(Message::Assistant(last)) => last.prefix = true,
                _ => return Err(context.fault_in("continue_final_message", ErrorKind::ContinueNotAssistant)),
            }
        }
        let reasoning_effort = match fields.reasoning_effort.value() {
            None => None,
            Some(name) => Some(ReasoningEffort::from_name(&name).ok_or_else(|| {
                context.fault_in("reasoning_effort", ErrorKind::UnknownEffort { name: name.into_owned() })
            })?),
        };
        Ok(Chat {
            messages,
            tools: {
                let mut tools = fields.tools.value().unwrap_or_default();
                tools.extend(fields.functions.value().into_iter().flat_map(|functions| functions.0));
                tools
            },
            tool_choice: match (fields.tool_choice.value(), fields.function_call.value()) {
                (Some(choice), _) => choice,
                (None, Some(LegacyChoice(Some(choice)))) => *choice,
                (None, _) => ToolChoice::default(),
            },
            parallel_tool_calls: fields.parallel_tool_calls.value(),
            reasoning_effort,
            response_format: fields.response_format.value().unwrap_or_default(),
            model: fields.model.value(),
            sent: None,
        })
    }
}

object!(ToolFields<'a> {
    kind: "type" => Cow<'a, str>,
    function: "function" => FunctionFields<'a>,
});

object!(FunctionFields<'a> {
    name: "name" => Cow<'a, str>,
    description: "description" => Cow<'a, str>,
    parameters: "parameters" => Json<'a>,
    strict: "strict" => bool,
});

impl<'de: 'a, 'a> Read<'de> for Tool<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = ToolFields::read_value(context, deserializer)?;
        check_type(context, fields.kind)?;
        let Field::Value(function) = fields.function else {
            return Err(context.fault(ErrorKind::MissingField("function")));
        };
        tool_of(context, function).map_err(|error| context.within(Step::Field("function"), error))
    }
}

fn tool_of<'a, E: de::Error>(context: &Context, function: FunctionFields<'a>) -> Result<Tool<'a>, E> {
    let missing = |field| context.fault(ErrorKind::MissingField(field));
    let complete = context.dialect == Dialect::Mistral;
    Ok(Tool {
        name: function.name.value().ok_or_else(|| missing("name"))?,
        description: match function.description {
            Field::Value(description) => description,
            Field::Null if complete => return Err(missing("description")),
            Field::Absent | Field::Null => Cow::Borrowed(""),
        },
        parameters: match function.parameters {
            Field::Value(parameters) => parameters,
            Field::Absent | Field::Null if complete => return Err(missing("parameters")),
            Field::Absent | Field::Null => Json::default(),
        },
        strict: function.strict.value().unwrap_or_default(),
    })
}

/// The functions of legacy function calling, which other dialects ignore.
struct LegacyTools<'a>(Vec<Tool<'a>>);

/// One of them.
struct LegacyTool<'a>(Tool<'a>);

impl<'de: 'a, 'a> Read<'de> for LegacyTool<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        tool_of(context, FunctionFields::read_value(context, deserializer)?).map(LegacyTool)
    }
}

impl<'de: 'a, 'a> Read<'de> for LegacyTools<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        if context.dialect != Dialect::Legacy {
            return de::IgnoredAny::deserialize(deserializer).map(|_| LegacyTools(Vec::new()));
        }
        let functions: Vec<LegacyTool<'a>> = Vec::read_value(context, deserializer)?;
        Ok(LegacyTools(functions.into_iter().map(|function| function.0).collect()))
    }
}

object!(ToolCallFields<'a> {
    id: "id" => Cow<'a, str>,
    kind: "type" => Cow<'a, str>,
    function: "function" => CallFields<'a>,
});

object!(CallFields<'a> {
    name: "name" => Cow<'a, str>,
    arguments: "arguments" => Arguments<'a>,
});

/// Arguments: a text, or an object, kept as its text.
struct Arguments<'a>(Cow<'a, str>, ArgumentsForm);

impl<'de: 'a, 'a> Read<'de> for Arguments<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?.text;
        match (raw.as_bytes().first().copied(), raw) {
            (Some(b'{'), raw) => Ok(Arguments(raw, ArgumentsForm::Object)),
            (Some(b'"'), Cow::Borrowed(raw)) => Cow::read_value(context, &mut serde_json::Deserializer::from_str(raw))
                .map(|text| Arguments(text, ArgumentsForm::Text))
                .map_err(de::Error::custom),
            (Some(b'"'), Cow::Owned(raw)) => serde_json::from_str(&raw)
                .map(|text: String| Arguments(Cow::Owned(text), ArgumentsForm::Text))
                .map_err(de::Error::custom),
            _ => Err(de::Error::custom("expected a string or a JSON object")),
        }
    }
}

impl<'de: 'a, 'a> Read<'de> for ToolCall<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = ToolCallFields::read_value(context, deserializer)?;
        check_type(context, fields.kind)?;
        let Field::Value(function) = fields.function else {
            return Err(context.fault(ErrorKind::MissingField("function")));
        };
        let id = match fields.id {
            Field::Value(id) if id == "null" => None,
            Field::Value(id) => Some(id),
            Field::Null if !matches!(context.dialect, Dialect::Either | Dialect::Legacy) => {
                return Err(context.fault(ErrorKind::MissingField("id")));
            }
            Field::Absent | Field::Null => None,
        };
        called(context, id, function).map_err(|error| context.within(Step::Field("function"), error))
    }
}

/// A call by the fields of its function.
fn called<'a, E: de::Error>(
    context: &Context,
    id: Option<Cow<'a, str>>,
    function: CallFields<'a>,
) -> Result<ToolCall<'a>, E> {
    let missing = |field| context.fault(ErrorKind::MissingField(field));
    let Arguments(arguments, arguments_form) = match function.arguments {
        Field::Value(arguments) => arguments,
        Field::Null => Arguments(Cow::Borrowed("{}"), ArgumentsForm::Text),
        Field::Absent => return Err(missing("arguments")),
    };
    let name = function.name.value().ok_or_else(|| missing("name"))?;
    Ok(ToolCall { id, name, arguments, arguments_form })
}

/// Tools and calls are functions, and say so or nothing.
fn check_type<E: de::Error>(context: &Context, kind: Field<Cow<'_, str>>) -> Result<(), E> {
    match kind {
        Field::Absent => Ok(()),
        Field::Value(name) if name == "function" => Ok(()),
        Field::Value(name) => Err(context.fault_in("type", ErrorKind::UnknownToolType { name: name.into_owned() })),
        Field::Null => Err(context.fault(ErrorKind::MissingField("type"))),
    }
}

object!(FormatFields<'a> {
    kind: "type" => Cow<'a, str>,
    schema: "json_schema" => ResponseSchema<'a>,
});

impl<'de: 'a, 'a> Read<'de> for ResponseFormat<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = FormatFields::read_value(context, deserializer)?;
        let kind = fields.kind.value().unwrap_or(Cow::Borrowed("text"));
        match (&*kind, fields.schema.value()) {
            ("text", _) => Ok(ResponseFormat::Text),
            ("json_object", _) => Ok(ResponseFormat::JsonObject),
            ("json_schema", Some(schema)) => Ok(ResponseFormat::JsonSchema(schema)),
            ("json_schema", None) => Err(context.fault(ErrorKind::MissingField("json_schema"))),
            (other, _) => Err(context.fault_in("type", ErrorKind::UnknownResponseFormat { name: other.to_owned() })),
        }
    }
}

object!(SchemaFields<'a> {
    name: "name" => Cow<'a, str>,
    description: "description" => Cow<'a, str>,
    schema: "schema" => Json<'a>,
    strict: "strict" => bool,
});

impl<'de: 'a, 'a> Read<'de> for ResponseSchema<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = SchemaFields::read_value(context, deserializer)?;
        Ok(ResponseSchema {
            name: fields.name.value().ok_or_else(|| context.fault(ErrorKind::MissingField("name")))?,
            description: fields.description.value(),
            schema: fields.schema.value().ok_or_else(|| context.fault(ErrorKind::MissingField("schema")))?,
            strict: fields.strict.value().unwrap_or_default(),
        })
    }
}
