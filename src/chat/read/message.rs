//! One message of Mistral's or OpenAI's JSON: its role, content, chunks and calls.

use super::{
    AssistantMessage, CallFields, Chunk, Content, Context, Cow, Dialect, ErrorKind, Field, Fill, Key, MapAccess,
    Message, PhantomData, Read, Role, SeqAccess, Step, Text, ToolCall, ToolMessage, Visitor, called, de, fmt, object,
};
use serde::{Deserialize, Deserializer};

use crate::terms::ChunkKind;

/// The order of the keys of a message that is a role and a content.
const ROLE_AND_CONTENT: u64 = 0x01_02;

object!(MessageFields<'a> {
    role: "role" => RoleName<'a>,
    content: "content" => Content<'a>,
    tool_calls: "tool_calls" => Vec<ToolCall<'a>>,
    prefix: "prefix" => bool,
    weight: "weight" => f64,
    tool_call_id: "tool_call_id" => Cow<'a, str>,
    name: "name" => Cow<'a, str>,
    reasoning: "reasoning" => Cow<'a, str>,
    reasoning_content: "reasoning_content" => Cow<'a, str>,
    function_call: "function_call" => LegacyCall<'a>,
});

/// The names of the fields that are read, by the object that has them.
pub(super) mod names {
    pub(in crate::chat) const PART: &[&str] = super::ChunkFields::NAMES;
    pub(in crate::chat) const MEDIA: &[&str] = super::UrlFields::NAMES;
    #[cfg(test)]
    pub(in crate::chat) const MESSAGE: &[&str] = super::MessageFields::NAMES;
}

/// A call of legacy function calling, which other dialects ignore.
struct LegacyCall<'a>(Option<ToolCall<'a>>);

impl<'de: 'a, 'a> Read<'de> for LegacyCall<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        if context.dialect != Dialect::Legacy {
            return de::IgnoredAny::deserialize(deserializer).map(|_| LegacyCall(None));
        }
        let function = CallFields::read_value(context, deserializer)?;
        called(context, None, function).map(|call| LegacyCall(Some(call)))
    }
}

impl<'de: 'a, 'a> Read<'de> for Message<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        Self::read_to(context, deserializer, |message| message)
    }

    fn read_to<D: Deserializer<'de>, T>(
        context: &Context,
        deserializer: D,
        put: impl FnOnce(Self) -> T,
    ) -> Result<T, D::Error> {
        let mut fields = MessageFields::absent();
        let order = fields.fill(context, deserializer)?;
        let role = role(context, &fields.role)?;
        if order != ROLE_AND_CONTENT
            || !matches!(&fields.content, Field::Value(Content::Text(_)))
            || matches!(&fields.role, Field::Value(RoleName::Developer | RoleName::Function))
        {
            context.plain.set(false);
        }
        Ok(match role {
            Role::System => put(Message::System(required(context, &mut fields)?)),
            Role::User => put(Message::User(required(context, &mut fields)?)),
            Role::Assistant => put(Message::Assistant(assistant(context, &mut fields)?)),
            Role::Tool => put(Message::Tool(tool(context, &mut fields)?)),
        })
    }
}

fn role<E: de::Error>(context: &Context, role: &Field<RoleName<'_>>) -> Result<Role, E> {
    let Field::Value(role) = role else {
        return Err(context.fault(ErrorKind::MissingField("role")));
    };
    match role {
        RoleName::System => Ok(Role::System),
        RoleName::Developer if context.dialect != Dialect::Mistral => Ok(Role::System),
        RoleName::User => Ok(Role::User),
        RoleName::Assistant => Ok(Role::Assistant),
        RoleName::Tool => Ok(Role::Tool),
        RoleName::Function if context.dialect == Dialect::Legacy => Ok(Role::Tool),
        other => {
            let kind = ErrorKind::UnknownRole { name: other.as_str().to_owned(), dialect: context.dialect };
            Err(context.fault_in("role", kind))
        }
    }
}

/// A role by the name that JSON has for it, in any dialect.
enum RoleName<'a> {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
    Other(Cow<'a, str>),
}

impl<'a> RoleName<'a> {
    #[inline]
    fn of(name: Cow<'a, str>) -> Self {
        match &*name {
            "system" => RoleName::System,
            "developer" => RoleName::Developer,
            "user" => RoleName::User,
            "assistant" => RoleName::Assistant,
            "tool" => RoleName::Tool,
            "function" => RoleName::Function,
            _ => RoleName::Other(name),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            RoleName::System => "system",
            RoleName::Developer => "developer",
            RoleName::User => "user",
            RoleName::Assistant => "assistant",
            RoleName::Tool => "tool",
            RoleName::Function => "function",
            RoleName::Other(name) => name,
        }
    }
}

impl<'de: 'a, 'a> Read<'de> for RoleName<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        Self::read_to(context, deserializer, |role| role)
    }

    fn read_to<D: Deserializer<'de>, T>(
        _: &Context,
        deserializer: D,
        put: impl FnOnce(Self) -> T,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_str(Text(|name| put(RoleName::of(name)), PhantomData))
    }
}

#[inline(always)]
fn required<'a, E: de::Error>(context: &Context, fields: &mut MessageFields<'a>) -> Result<Content<'a>, E> {
    match std::mem::replace(&mut fields.content, Field::Absent) {
        Field::Value(content) => Ok(content),
        Field::Null => Err(context.fault(ErrorKind::MissingField("content"))),
        Field::Absent => Err(context.fault(missing_key(context, "content"))),
    }
}

/// OpenAI's reader looks a key up, Mistral's declares a field: a class of errors each.
fn missing_key(context: &Context, field: &'static str) -> ErrorKind {
    match context.dialect {
        Dialect::OpenAi => ErrorKind::MissingKey(field),
        _ => ErrorKind::MissingField(field),
    }
}

#[inline]
fn assistant<'a, E: de::Error>(context: &Context, fields: &mut MessageFields<'a>) -> Result<AssistantMessage<'a>, E> {
    let thinking = match (fields.reasoning_content.take(), fields.reasoning.take()) {
        (Some(one), Some(other)) if one != other => return Err(context.fault(ErrorKind::ReasoningDiffers)),
        (one, other) => one.or(other),
    };
    Ok(AssistantMessage {
        content: match thinking {
            Some(text) => think_first(context, text, fields.content.take())?,
            None => fields.content.take().unwrap_or_default(),
        },
        tool_calls: {
            let mut calls = fields.tool_calls.take().unwrap_or_default();
            if let Some(LegacyCall(Some(call))) = fields.function_call.take() {
                calls.push(call);
            }
            calls
        },
        prefix: match context.dialect {
            Dialect::OpenAi => false,
            _ => fields.prefix.take().unwrap_or_default(),
        },
        weight: fields.weight.take(),
    })
}

/// The content with the thinking of a `reasoning` field before it.
fn think_first<'a, E: de::Error>(
    context: &Context,
    text: Cow<'a, str>,
    content: Option<Content<'a>>,
) -> Result<Content<'a>, E> {
    let mut chunks = vec![Chunk::thinking(text)];
    match content {
        None => {}
        Some(Content::Text(text)) => chunks.push(Chunk::Text(text)),
        Some(Content::Chunks(list)) => {
            if list.iter().any(|chunk| chunk.as_thinking().is_some()) {
                return Err(context.fault_in("reasoning", ErrorKind::ReasoningTwice));
            }
            chunks.extend(list);
        }
    }
    Ok(Content::Chunks(chunks))
}

fn tool<'a, E: de::Error>(context: &Context, fields: &mut MessageFields<'a>) -> Result<ToolMessage<'a>, E> {
    if let (Field::Absent, Dialect::OpenAi) = (&fields.tool_call_id, context.dialect) {
        return Err(context.fault(ErrorKind::MissingKey("tool_call_id")));
    }
    Ok(ToolMessage {
        content: required(context, fields)?,
        call_id: fields.tool_call_id.take(),
        name: fields.name.take(),
    })
}

/// A visitor of a text or of a list of chunks, which is given to a function.
struct TextOrChunks<'c, 'a, F>(&'c Context, F, PhantomData<&'a ()>);

impl<'de: 'a, 'a, T, F: FnOnce(Content<'a>) -> T> Visitor<'de> for TextOrChunks<'_, 'a, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of chunks")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok((self.1)(Content::Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.1)(Content::Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok((self.1)(Content::Text(Cow::Owned(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        let chunks = Vec::read_value(self.0, de::value::SeqAccessDeserializer::new(list))?;
        Ok((self.1)(Content::Chunks(chunks)))
    }
}

impl<'de: 'a, 'a> Read<'de> for Content<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        Self::read_to(context, deserializer, |content| content)
    }

    fn read_to<D: Deserializer<'de>, T>(
        context: &Context,
        deserializer: D,
        put: impl FnOnce(Self) -> T,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_any(TextOrChunks(context, put, PhantomData))
    }
}

object!(ChunkFields<'a> {
    kind: "type" => Cow<'a, str>,
    text: "text" => Cow<'a, str>,
    thinking: "thinking" => Thinking<'a>,
    closed: "closed" => bool,
    image: "image" => Cow<'a, str>,
    image_url: "image_url" => Url<'a>,
    input_audio: "input_audio" => Url<'a>,
    audio_url: "audio_url" => Url<'a>,
});

impl<'de: 'a, 'a> Read<'de> for Chunk<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let mut fields = ChunkFields::absent();
        fields.fill(context, deserializer)?;
        let Field::Value(kind) = &fields.kind else {
            return Err(context.fault(match context.dialect {
                Dialect::OpenAi => ErrorKind::UntypedChunk,
                _ => ErrorKind::MissingField("type"),
            }));
        };
        let missing = |field| context.fault(ErrorKind::MissingField(field));
        match ChunkKind::from_name(kind) {
            Some(ChunkKind::Text) => fields.text.value().map(Chunk::Text).ok_or_else(|| missing("text")),
            Some(ChunkKind::Thinking) => Ok(Chunk::Thinking {
                text: fields.thinking.value().ok_or_else(|| missing("thinking"))?.0,
                closed: match fields.closed {
                    Field::Absent => true,
                    Field::Value(closed) => closed,
                    Field::Null => return Err(missing("closed")),
                },
            }),
            Some(ChunkKind::Image) => fields.image.value().map(Chunk::Image).ok_or_else(|| missing("image")),
            Some(ChunkKind::ImageUrl) => {
                let Url { url, detail } = fields.image_url.value().ok_or_else(|| missing("image_url"))?;
                Ok(Chunk::ImageUrl { url, detail })
            }
            Some(ChunkKind::InputAudio) => {
                fields.input_audio.value().map(|data| Chunk::InputAudio(data.url)).ok_or_else(|| missing("input_audio"))
            }
            Some(ChunkKind::AudioUrl) => {
                fields.audio_url.value().map(|audio| Chunk::AudioUrl(audio.url)).ok_or_else(|| missing("audio_url"))
            }
            None => Err(context.fault_in(
                "type",
                ErrorKind::UnknownChunk { name: kind.clone().into_owned(), dialect: context.dialect },
            )),
        }
    }
}

/// Thinking: a text, or, as Mistral's API sends it, a list of text chunks.
struct Thinking<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Read<'de> for Thinking<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let chunks = match Content::read_value(context, deserializer)? {
            Content::Text(text) => return Ok(Thinking(text)),
            Content::Chunks(chunks) => chunks,
        };
        let mut whole = String::new();
        for chunk in chunks {
            let Some(text) = chunk.as_text() else {
                return Err(de::Error::custom("expected a string or a list of text chunks"));
            };
            whole.push_str(text);
        }
        Ok(Thinking(Cow::Owned(whole)))
    }
}

/// Media: the URL or the data, by itself or in an object.
struct Url<'a> {
    url: Cow<'a, str>,
    detail: Option<Cow<'a, str>>,
}

object!(UrlFields<'a> {
    url: "url" => Cow<'a, str>,
    data: "data" => Cow<'a, str>,
    detail: "detail" => Cow<'a, str>,
});

impl<'de: 'a, 'a> Read<'de> for Url<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        struct TextOrObject<'c, 'a>(&'c Context, PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextOrObject<'_, 'a> {
            type Value = Url<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an object")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Url { url: Cow::Borrowed(text), detail: None })
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Url { url: Cow::Owned(text.to_owned()), detail: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let fields = UrlFields::read_value(self.0, de::value::MapAccessDeserializer::new(map))?;
                let url = fields.url.value().or(fields.data.value());
                Ok(Url {
                    url: url.ok_or_else(|| self.0.fault(ErrorKind::MissingField("url")))?,
                    detail: fields.detail.value(),
                })
            }
        }
        deserializer.deserialize_any(TextOrObject(context, PhantomData))
    }
}
