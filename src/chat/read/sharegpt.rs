//! A ShareGPT conversation into a [`Chat`].

use super::{Chat, Content, Context, Cow, ErrorKind, Field, Fill, Key, MapAccess, Message, PhantomData, Read, Step};
use super::{Visitor, de, fmt, object};
use serde::Deserializer;

object!(Conversation<'a> {
    conversations: "conversations" => Vec<Turn<'a>>,
    system: "system" => Cow<'a, str>,
});

object!(TurnFields<'a> {
    from: "from" => Cow<'a, str>,
    value: "value" => Cow<'a, str>,
});

struct Turn<'a>(Message<'a>);

impl<'de: 'a, 'a> Read<'de> for Turn<'a> {
    fn read_value<D: Deserializer<'de>>(context: &Context, deserializer: D) -> Result<Self, D::Error> {
        let fields = TurnFields::read_value(context, deserializer)?;
        let missing = |field| context.fault(ErrorKind::MissingField(field));
        let from = fields.from.value().ok_or_else(|| missing("from"))?;
        let value = Content::Text(fields.value.value().ok_or_else(|| missing("value"))?);
        match &*from {
            "system" => Ok(Turn(Message::System(value))),
            "human" | "user" => Ok(Turn(Message::User(value))),
            "gpt" | "assistant" | "chatgpt" | "bing" | "bard" => Ok(Turn(Message::assistant(value))),
            "tool" => Ok(Turn(Message::tool(value))),
            other => {
                Err(context
                    .fault_in("from", ErrorKind::UnknownRole { name: other.to_owned(), dialect: context.dialect }))
            }
        }
    }
}

/// Reads `{"conversations": [{"from", "value"}, …]}`; a `system` beside it, where there is one, comes first.
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
    Ok(Chat::new(system.into_iter().chain(turns.into_iter().map(|turn| turn.0))))
}
