//! A ShareGPT conversation into a [`Chat`].

use super::{
    AssistantMessage, Chat, Content, Context, Cow, ErrorKind, Field, Fill, Key, MapAccess, Message, PhantomData, Read,
    Step,
};
use super::{Raw, Tool, Visitor, de, fmt, object};
use serde::{Deserialize, Deserializer};

object!(Conversation<'a> {
    conversations: "conversations" => Vec<Turn<'a>>,
    system: "system" => Cow<'a, str>,
    tools: "tools" => Tools<'a>,
});

/// Tools: a list, or, as most data sets have it, the text of one.
struct Tools<'a>(Vec<Tool<'a>>);

impl<'de: 'a, 'a> Read<'de> for Tools<'a> {
    fn read_value<D: Deserializer<'de>>(_: &Context, deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?.text;
        let tools = match raw {
            Cow::Borrowed(raw) => crate::chat::row::tools_from_json(raw),
            Cow::Owned(raw) => {
                crate::chat::row::tools_from_json(&raw).map(|tools| tools.into_iter().map(Tool::into_owned).collect())
            }
        };
        tools.map(Tools).map_err(de::Error::custom)
    }
}

object!(TurnFields<'a> {
    from: "from" => Cow<'a, str>,
    value: "value" => Cow<'a, str>,
    weight: "weight" => f64,
    train: "train" => f64,
    loss: "loss" => f64,
});

/// The names of the fields that are read, by the object that has them.
pub(super) mod names {
    pub(in crate::chat) const CONVERSATION: &[&str] = super::Conversation::NAMES;
    pub(in crate::chat) const TURN: &[&str] = super::TurnFields::NAMES;
}

struct Turn<'a>(Message<'a>);

impl<'de: 'a, 'a> Read<'de> for Turn<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = TurnFields::read_value(context, deserializer)?;
        let missing = |field| context.fault(ErrorKind::MissingField(field));
        // Every mark of a reply has to ask for it.
        let marks = [fields.weight.value(), fields.train.value(), fields.loss.value()];
        let weight = marks.into_iter().flatten().reduce(f64::min);
        let from = fields.from.value().ok_or_else(|| missing("from"))?;
        let value = Content::Text(fields.value.value().ok_or_else(|| missing("value"))?);
        match &*from {
            "system" => Ok(Turn(Message::System(value))),
            "human" | "user" => Ok(Turn(Message::User(value))),
            "gpt" | "assistant" | "chatgpt" | "bing" | "bard" => {
                Ok(Turn(Message::Assistant(AssistantMessage { content: value, weight, ..AssistantMessage::default() })))
            }
            "tool" => Ok(Turn(Message::tool(value))),
            other => {
                Err(context
                    .fault_in("from", ErrorKind::UnknownRole { name: other.to_owned(), dialect: context.dialect }))
            }
        }
    }
}

/// Reads `{"conversations": [{"from", "value"}, …]}` with the tools beside it; a `system` there comes first. A row of any
/// other shape is read by [`RowReader`](crate::train::RowReader).
pub(super) fn read<'de: 'a, 'a, D: Deserializer<'de>>(
    context: &Context,
    deserializer: D,
) -> Result<Chat<'a>, D::Error> {
    let fields = Conversation::read_value(context, deserializer)?;
    let Field::Value(turns) = fields.conversations else {
        return Err(context.fault(ErrorKind::MissingField("conversations")));
    };
    let system = fields.system.value().filter(|text| !text.is_empty());
    let system = system.map(|text| Message::System(Content::Text(text)));
    let chat = Chat::new(system.into_iter().chain(turns.into_iter().map(|turn| turn.0)));
    Ok(Chat { tools: fields.tools.value().map(|tools| tools.0).unwrap_or_default(), ..chat })
}
