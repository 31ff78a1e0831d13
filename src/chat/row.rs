//! A row of a data set, in any of the shapes that trainers accept, into a [`Chat`] and what of it is to be learnt.
//!
//! | row | read as |
//! | --- | --- |
//! | `messages`, `conversations`, `conversation`, `interactions`, … | a conversation |
//! | `prompt` and `completion`, `instruction` and `output`, `question` and `answer`, … | a prompt and its answer |
//! | the same with `label` | an answer that is good or bad (KTO) |
//! | `chosen` and `rejected`, with a `prompt` or with the prompt in each | two answers to one prompt |
//! | two answers or more with a score, a rank or the number of the better one | the best and the worst of them |
//! | a question, thinking and an attempt at an answer, as s1K and its kin name them | a prompt and its answer |
//! | a transcript (`Human: … Assistant: …`), calls and results in the text of messages | a conversation |
//!
//! `null` is absence everywhere, since a row that came through Arrow or Parquet has the keys of all others. What is
//! understood of no field is named in [`Notes::unread`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use self::field_names::{bears_on_training, is_about_a_message};
use self::json::{Form, Object, form, is_empty, text};
use crate::chat::{Chat, Content, Role, Tool};
use crate::error::{Error, ErrorKind};

mod field_names;
mod json;
mod known_shapes;
mod message;
mod missing_ids;
mod plain;
mod shapes;
mod tools;
mod transcript;
mod unreadable;
mod written_calls;

pub use self::field_names::RowField;

/// Reads rows of data sets.
///
/// ```
/// use mistral_chat_template::train::RowReader;
/// use mistral_chat_template::Message;
///
/// let row = RowReader::default().read(
///     r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!", "weight": 0}]}"#,
/// )?;
/// assert_eq!(row.chat.messages[0], Message::user("Hi"));
/// assert_eq!(row.marks, [None, Some(false)], "the reply is there to be read, not to be learnt");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RowReader {
    fields: Vec<(RowField, String)>,
    roles: Vec<(String, Role)>,
    nulls: Nulls,
    think_tags: ThinkTags,
}

/// What becomes of members that are null in objects that a prompt prints.
///
/// Arrow gives each row the keys of all others, with the value null; learnt as they are, they are what nobody said.
///
/// ```
/// use mistral_chat_template::train::{Nulls, RowReader};
///
/// let row = r#"{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [
///     {"id": "abc123def", "function": {"name": "w", "arguments": {"city": "Oslo", "unit": null}}}]}]}"#;
/// let reader = RowReader::default().with_nulls(Nulls::DropEverywhere);
/// assert!(format!("{:?}", reader.read(row)?.chat).contains(r#"{\"city\":\"Oslo\"}"#));
/// assert_eq!(RowReader::default().read(row)?.notes.nulls_in_arguments, 1);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nulls {
    /// All stay.
    Keep,
    /// They are left out of the schemas of tools.
    #[default]
    DropInTools,
    /// They are left out of the schemas of tools and of the arguments of calls.
    DropEverywhere,
}

/// What `<think>…</think>` before a reply is.
///
/// ```
/// use mistral_chat_template::train::{RowReader, ThinkTags};
/// use mistral_chat_template::{Chunk, Content};
///
/// let row = r#"{"prompt": "2+2?", "completion": "<think>\nAdd.\n</think>\n\n4"}"#;
/// let reader = RowReader::default().with_think_tags(ThinkTags::AsThinking);
/// let thinking = Content::from(vec![Chunk::thinking("Add."), Chunk::text("4")]);
/// assert_eq!(reader.read(row)?.chat.messages[1].content(), &thinking);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThinkTags {
    /// Text like any other.
    #[default]
    AsText,
    /// The model's thinking.
    AsThinking,
}

/// A row: the chat, which of its messages are learnt, and what was noticed.
///
/// ```
/// use mistral_chat_template::train::RowReader;
///
/// let row = RowReader::default().read(r#"{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}"#)?;
/// assert_eq!(row.prompt_len, 1);
/// assert_eq!(row.rejected.map(|chat| chat.messages.len()), Some(2));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The conversation; of two answers, the prompt and the better one.
    pub chat: Chat<'a>,
    /// The prompt and the worse of two answers.
    pub rejected: Option<Chat<'a>>,
    /// How many messages are the prompt of an answer, of which nothing is learnt; 0 for a conversation.
    pub prompt_len: usize,
    /// Is the answer a good one, if the row says so?
    pub label: Option<bool>,
    /// For each message, whether it is to be learnt, if the row says so.
    pub marks: Vec<Option<bool>>,
    /// Is only the last message learnt?
    pub only_last: bool,
    /// The other columns of the row, such as `id` and `source`, each as its JSON text.
    pub columns: Vec<(Cow<'a, str>, &'a str)>,
    /// What was noticed.
    pub notes: Notes,
}

/// What was noticed of a row that nobody would see in its chat.
///
/// ```
/// use mistral_chat_template::train::RowReader;
///
/// let row = RowReader::default().read(r#"{"prompt": "Hi", "completion": "Hello!", "images": ["a.png"]}"#)?;
/// assert!(row.notes.unread.contains("images"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notes {
    /// The fields that bear on training, as far as their names say, and were not understood: `images`, `messages[].audio`.
    pub unread: BTreeSet<String>,
    /// How many members that are null were left out of schemas.
    pub nulls_in_tools: usize,
    /// How many members of arguments are null, whether or not they were left out.
    pub nulls_in_arguments: usize,
    /// How many calls and results without an id were given one.
    pub given_ids: usize,
    /// How many answers that are neither the best nor the worst of a list were left out.
    pub answers_left_out: usize,
}

impl RowReader {
    /// This reader with a name of a field of its own, which replaces those that data sets use.
    ///
    /// ```
    /// use mistral_chat_template::train::{RowField, RowReader};
    ///
    /// let reader = RowReader::default().with_field(RowField::Messages, "talk").with_field(RowField::Content, "said");
    /// let row = reader.read(r#"{"talk": [{"role": "user", "said": "Hi"}, {"role": "model", "said": "Hello!"}]}"#)?;
    /// assert_eq!(row.chat.messages.len(), 2);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn with_field(mut self, field: RowField, name: impl Into<String>) -> Self {
        self.fields.push((field, name.into()));
        self
    }

    /// This reader with one more name of a role.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    /// use mistral_chat_template::Role;
    ///
    /// let reader = RowReader::default().with_role("narrator", Role::System);
    /// assert!(reader.read(r#"{"messages": [{"from": "narrator", "value": "It is night."}]}"#).is_ok());
    /// ```
    #[must_use]
    pub fn with_role(mut self, name: impl Into<String>, role: Role) -> Self {
        self.roles.push((name.into(), role));
        self
    }

    /// This reader with another treatment of null.
    ///
    /// ```
    /// # use mistral_chat_template::train::{Nulls, RowReader};
    /// let reader = RowReader::default().with_nulls(Nulls::Keep);
    /// # let _ = reader;
    /// ```
    #[must_use]
    pub const fn with_nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = nulls;
        self
    }

    /// This reader with another treatment of `<think>` tags.
    ///
    /// ```
    /// # use mistral_chat_template::train::{RowReader, ThinkTags};
    /// let reader = RowReader::default().with_think_tags(ThinkTags::AsThinking);
    /// # let _ = reader;
    /// ```
    #[must_use]
    pub const fn with_think_tags(mut self, think_tags: ThinkTags) -> Self {
        self.think_tags = think_tags;
        self
    }

    /// Is nothing asked for that a plain row could show?
    fn reads_as_usual(&self) -> bool {
        self.fields.is_empty() && self.roles.is_empty() && self.think_tags == ThinkTags::AsText
    }

    /// Reads a row; text without escapes is borrowed from it.
    ///
    /// # Errors
    ///
    /// What is not a row: text other than a JSON object, no field of a known shape, a role such as `"wizard"`, a message
    /// without content, two fields that say one thing differently (`tools` and `functions`), pairs whose prompts do not
    /// agree. The error names the place.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    ///
    /// let error = RowReader::default().read(r#"{"texts": ["Hi"]}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "the row has neither a conversation nor a prompt with an answer; its fields are `texts`");
    /// ```
    pub fn read<'a>(&self, json: &'a str) -> Result<Row<'a>, Error> {
        let reading = Reading { reader: self, notes: RefCell::default() };
        let mut row = reading.row(json)?;
        row.notes = reading.notes.into_inner();
        row.notes.given_ids = missing_ids::give(&mut row.chat.messages);
        if let Some(rejected) = &mut row.rejected {
            row.notes.given_ids += missing_ids::give(&mut rejected.messages);
        }
        Ok(row)
    }
}

/// Is the value the text of a message once more, such as a `solution` beside the conversation that ends with it?
fn says_again(chat: &Chat<'_>, raw: &str) -> bool {
    let text = (form(raw) == Form::Text).then(|| text(raw).ok()).flatten();
    let is_text = |content: &Content<'_>| matches!((content, &text), (Content::Text(one), Some(other)) if one == other);
    text.is_some() && chat.messages.iter().any(|message| is_text(message.content()))
}

/// Tools in any form that data sets have for them.
pub(crate) fn tools_from_json(json: &str) -> Result<Vec<Tool<'_>>, Error> {
    let reader = RowReader::default();
    Reading { reader: &reader, notes: RefCell::default() }.tools(json)
}

/// One row that is being read.
struct Reading<'r> {
    reader: &'r RowReader,
    notes: RefCell<Notes>,
}

impl Reading<'_> {
    /// The names of a field: the caller's own, or those that data sets use.
    fn names(&self, field: RowField) -> impl Iterator<Item = &str> {
        let own = self.reader.fields.iter().filter(move |(known, _)| *known == field).map(|(_, name)| &**name);
        let has_own = self.reader.fields.iter().any(|(known, _)| *known == field);
        let usual: &[&str] = if has_own { &[] } else { field.names() };
        own.chain(usual.iter().copied())
    }

    /// The value of a field under any of its names, and the name. Where two hold something, they have to hold the same.
    fn take<'a>(&self, object: &mut Object<'a>, field: RowField) -> Result<Option<(String, &'a str)>, Error> {
        let mut found: Option<(String, &'a str)> = None;
        for name in self.names(field) {
            let Some(raw) = object.take(name) else { continue };
            match &found {
                Some((one, value)) if !is_empty(value) && !is_empty(raw) && *value != raw => {
                    return Err(Error::new(ErrorKind::RowConflict { one: one.clone(), other: name.to_owned() }, ""));
                }
                Some((_, value)) if !is_empty(value) => {}
                _ => found = Some((name.to_owned(), raw)),
            }
        }
        Ok(found)
    }

    /// The first of a field's names that holds something, which stays unread.
    fn holds(&self, object: &Object<'_>, field: RowField) -> bool {
        self.names(field).any(|name| object.peek(name).is_some())
    }

    /// Notes the fields of an object inside a message or tool that were not understood.
    fn tell_unread(&self, object: &Object<'_>, place: &str) {
        let unread = object.unread().filter(|name| !is_about_a_message(name));
        self.notes.borrow_mut().unread.extend(unread.map(|name| format!("{place}{name}")));
    }

    fn row<'a>(&self, json: &'a str) -> Result<Row<'a>, Error> {
        if self.reader.reads_as_usual()
            && let Some(row) = plain::read(json)
        {
            let unread = row
                .columns
                .iter()
                .filter(|(name, raw)| *raw != "null" && bears_on_training(name) && !says_again(&row.chat, raw));
            self.notes.borrow_mut().unread.extend(unread.map(|(name, _)| name.clone().into_owned()));
            return Ok(row);
        }
        let mut object = Object::read(json)?;
        let mut row = self.shape(&mut object)?;
        let unread = object.unread().filter(|name| {
            (bears_on_training(name) || self.is_a_field(name))
                && !object.peek(name).is_some_and(|raw| says_again(&row.chat, raw))
        });
        self.notes.borrow_mut().unread.extend(unread.map(str::to_owned));
        row.columns = object.into_unread();
        Ok(row)
    }

    fn is_a_field(&self, name: &str) -> bool {
        RowField::from_name(name).is_some() || self.reader.fields.iter().any(|(_, own)| own == name)
    }
}
