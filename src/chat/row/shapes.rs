//! The shapes of a row: a conversation, a prompt with its answer, and a prompt with two answers.

use std::borrow::Cow;

use super::json::{Form, Object, form, is_empty, items, text, truth, within};
use super::known_shapes::alternating;
use super::message::{Said, content_of};
use super::{Reading, Row, RowField, transcript};
use crate::chat::{self, AssistantMessage, Chat, Content, Message, ReasoningEffort, Role};
use crate::error::{Error, ErrorKind};

/// A part of a row by the name that the row has for it.
type Part<'a> = (String, &'a str);

impl Reading<'_> {
    /// Reads the fields of the row that its shape has.
    pub(super) fn shape<'a>(&self, object: &mut Object<'a>) -> Result<Row<'a>, Error> {
        let holds = |object: &Object<'_>, field| self.holds(object, field);
        let mut row = if holds(object, RowField::Chosen) && holds(object, RowField::Rejected) {
            self.pair(object)?
        } else if let Some(row) = self.known_pair(object)? {
            row
        } else if holds(object, RowField::Messages) {
            self.conversation(object)?
        } else if let Some(row) = self.known_exchange(object)? {
            row
        } else if (holds(object, RowField::Prompt) || holds(object, RowField::Input))
            && holds(object, RowField::Completion)
        {
            self.completion(object)?
        } else if let Some(row) = self.known_conversation(object)? {
            row
        } else {
            return Err(self.unreadable(object));
        };
        self.beside(object, &mut row)?;
        self.read_written_calls(&mut row);
        Ok(row)
    }

    fn conversation<'a>(&self, object: &mut Object<'a>) -> Result<Row<'a>, Error> {
        let said = self.conversation_of(object)?;
        let mut row = Row::default();
        put(&mut row, said);
        let replies = row.chat.messages.iter().rev().take_while(|message| message.role() == Role::Assistant).count();
        self.rejected(object, &mut row, replies)?;
        if let Some(label) = self.label(object)? {
            row.label = Some(label);
            row.prompt_len = row.chat.messages.len().saturating_sub(1);
        }
        self.drop_repeated_prompt(object, &row);
        Ok(row)
    }

    /// The messages, which some rows have under two names, with the roles of two trainers.
    fn conversation_of<'a>(&self, object: &mut Object<'a>) -> Result<Vec<Said<'a>>, Error> {
        let holds = |name: &&str| object.peek(name).is_some_and(|raw| !is_empty(raw));
        let names: Vec<_> = self.names(RowField::Messages).filter(holds).map(str::to_owned).collect();
        let read = |(name, raw): Part<'a>| {
            // A dialogue of texts is between any two speakers.
            let is_chat = !name.starts_with("dialog");
            match alternating(raw).filter(|_| is_chat) {
                Some(said) => Ok(said),
                None => self.messages(raw).map_err(|error| within(error, || name)),
            }
        };
        if names.len() < 2 {
            return self.take(object, RowField::Messages)?.map_or_else(|| Ok(Vec::new()), read);
        }
        let mut names = names.into_iter();
        let mut parts =
            std::iter::from_fn(|| names.next().map(|name| (name.clone(), object.take(&name).unwrap_or_default())));
        let Some(first) = parts.next() else { return Ok(Vec::new()) };
        let one = first.0.clone();
        let mut said = read(first)?;
        for part in parts {
            let conflict = ErrorKind::RowConflict { one: one.clone(), other: part.0.clone() };
            said = match read(part) {
                Ok(again) if says_the_same(&said, &again) => with_marks(said, again),
                _ => return Err(Error::new(conflict, "")),
            };
        }
        Ok(said)
    }

    /// A `prompt` beside a conversation that is its first question says nothing new.
    fn drop_repeated_prompt(&self, object: &mut Object<'_>, row: &Row<'_>) {
        let mut said = row.chat.messages.iter().filter(|message| message.role() == Role::User);
        let Some(Content::Text(first)) = said.next().map(Message::content) else { return };
        for name in self.names(RowField::Prompt) {
            let is_repeated = object.peek(name).is_some_and(|raw| text(raw).is_ok_and(|prompt| prompt == *first));
            if is_repeated {
                object.take(name);
            }
        }
    }

    /// A prompt and its answer, each a text or a list of messages.
    fn completion<'a>(&self, object: &mut Object<'a>) -> Result<Row<'a>, Error> {
        let mut row = Row::default();
        self.prompt(object, &mut row)?;
        row.prompt_len = row.chat.messages.len();
        if let Some((name, raw)) = self.take(object, RowField::Completion)? {
            let answer = if name == "answers" { self.answers(raw) } else { self.answer(raw) };
            let answer = answer.map_err(|error| within(error, || name))?;
            let replies = answer.len();
            put(&mut row, answer);
            self.rejected(object, &mut row, replies)?;
        }
        row.label = self.label(object)?;
        Ok(row)
    }

    /// A worse answer beside the replies at the end of a row, which are the better one (ms-swift's `rejected_response`).
    fn rejected<'a>(&self, object: &mut Object<'a>, row: &mut Row<'a>, replies: usize) -> Result<(), Error> {
        if replies == 0 {
            return Ok(());
        }
        let Some((name, raw)) = self.take(object, RowField::Rejected)? else { return Ok(()) };
        let rejected = self.answer(raw).map_err(|error| within(error, || name))?;
        if rejected.iter().any(|said| said.message.role() == Role::User) {
            // ms-swift's `rejected_messages` begin with their prompt.
            let rejected: Vec<_> = rejected.into_iter().map(|said| said.message).collect();
            row.prompt_len = common_prompt(&row.chat.messages, &rejected)?;
            row.rejected = Some(Chat::new(rejected));
            return Ok(());
        }
        row.prompt_len = row.chat.messages.len() - replies;
        let prompt = row.chat.messages.iter().take(row.prompt_len).cloned();
        row.rejected = Some(Chat::new(prompt.chain(rejected.into_iter().map(|said| said.message))));
        Ok(())
    }

    /// Answers that are calls, as text or as a list (xLAM); any other is an answer.
    fn answers<'a>(&self, raw: &'a str) -> Result<Vec<Said<'a>>, Error> {
        let spelt = if form(raw) == Form::Text { text(raw)? } else { Cow::Borrowed(raw) };
        if form(&spelt) != Form::List || !holds_calls(spelt.trim()) {
            return self.answer(raw);
        }
        let reply = AssistantMessage { tool_calls: self.calls(raw)?, ..AssistantMessage::default() };
        Ok(vec![Said { message: Message::Assistant(reply), mark: None }])
    }

    /// The messages of a prompt: a list, or a text with what stands beside it.
    fn prompt<'a>(&self, object: &mut Object<'a>, row: &mut Row<'a>) -> Result<(), Error> {
        let is_input = !self.holds(object, RowField::Prompt);
        let prompt = self.take(object, if is_input { RowField::Input } else { RowField::Prompt })?;
        let Some((name, raw)) = prompt else { return Ok(()) };
        if let Some((name, raw)) = self.take(object, RowField::History)? {
            put(row, self.history(raw).map_err(|error| within(error, || name))?);
        }
        // An input beside messages stays unread: nothing says where it goes.
        if form(raw) == Form::List {
            put(row, self.messages(raw).map_err(|error| within(error, || name))?);
            return Ok(());
        }
        let mut prompt = text(raw).map_err(|error| within(error, || name))?;
        if let Some(said) = transcript::of_humans(&prompt) {
            put(row, said);
            return Ok(());
        }
        let input = if is_input { None } else { self.take(object, RowField::Input)? };
        if let Some((name, raw)) = input.filter(|(_, raw)| !is_empty(raw)) {
            let input = text(raw).map_err(|error| within(error, || name))?;
            prompt = match &*prompt {
                "" => input,
                _ => Cow::Owned(format!("{prompt}\n{input}")),
            };
        }
        put(row, [Said { message: Message::User(Content::Text(prompt)), mark: None }]);
        Ok(())
    }

    /// Earlier exchanges: `[["question", "answer"], …]`.
    fn history<'a>(&self, raw: &'a str) -> Result<Vec<Said<'a>>, Error> {
        let mut said = Vec::new();
        for (index, pair) in items(raw)?.into_iter().enumerate() {
            let texts = items(pair).and_then(|pair| pair.into_iter().map(text).collect::<Result<Vec<_>, _>>());
            let texts = texts.map_err(|error| within(error, || format!("[{index}]")))?;
            let Ok([question, answer]) = <[Cow<'_, str>; 2]>::try_from(texts) else {
                let expected = "a question and an answer";
                return Err(Error::new(ErrorKind::RowType { expected }, format!("[{index}]")));
            };
            let answer = self.untagged(Content::Text(answer));
            let messages = [Message::User(Content::Text(question)), Message::assistant(answer)];
            said.extend(messages.map(|message| Said { message, mark: None }));
        }
        Ok(said)
    }

    /// An answer: a text, a message, or a list of messages, or of calls.
    pub(super) fn answer<'a>(&self, raw: &'a str) -> Result<Vec<Said<'a>>, Error> {
        match form(raw) {
            Form::Object => Ok(vec![self.message(raw)?]),
            Form::List if holds_calls(raw) => {
                let reply = AssistantMessage { tool_calls: self.calls(raw)?, ..AssistantMessage::default() };
                Ok(vec![Said { message: Message::Assistant(reply), mark: None }])
            }
            Form::List => self.messages(raw),
            _ => Ok(vec![Said { message: Message::assistant(self.untagged(content_of(raw)?)), mark: None }]),
        }
    }

    /// Two answers, with the prompt beside them or in each.
    fn pair<'a>(&self, object: &mut Object<'a>) -> Result<Row<'a>, Error> {
        let read = |part: Option<Part<'a>>| {
            let (name, raw) = part.unwrap_or_default();
            match (form(raw) == Form::Text).then(|| transcript::of_humans(&text(raw).ok()?)).flatten() {
                Some(said) => Ok(said),
                None => self.answer(raw).map_err(|error| within(error, || name)),
            }
        };
        let chosen = read(self.take(object, RowField::Chosen)?)?;
        let rejected = read(self.take(object, RowField::Rejected)?)?;
        self.pair_of(object, chosen, rejected, Vec::new())
    }

    /// Two answers and their prompt: in each of them, given, or beside them.
    pub(super) fn pair_of<'a>(
        &self,
        object: &mut Object<'a>,
        chosen: Vec<Said<'a>>,
        rejected: Vec<Said<'a>>,
        prompt: Vec<Said<'a>>,
    ) -> Result<Row<'a>, Error> {
        let mut row = Row::default();
        let is_whole = |said: &[Said<'_>]| said.iter().any(|said| said.message.role() == Role::User);
        match (is_whole(&chosen), is_whole(&rejected)) {
            (true, true) => {
                put(&mut row, chosen);
                self.drop_repeated_prompt(object, &row);
                self.drop_prompt_of(object, &row)?;
                let rejected: Vec<_> = rejected.into_iter().map(|said| said.message).collect();
                row.prompt_len = common_prompt(&row.chat.messages, &rejected)?;
                row.rejected = Some(Chat::new(rejected));
            }
            (false, false) => {
                if !prompt.is_empty() {
                    put(&mut row, prompt);
                } else if self.holds(object, RowField::Prompt) || self.holds(object, RowField::Input) {
                    self.prompt(object, &mut row)?;
                } else if let Some((name, raw)) = self.take(object, RowField::Messages)? {
                    put(&mut row, self.messages(raw).map_err(|error| within(error, || name))?);
                } else {
                    return Err(Error::new(ErrorKind::MissingField("prompt"), ""));
                }
                row.prompt_len = row.chat.messages.len();
                let prompt = row.chat.messages.iter().cloned();
                row.rejected = Some(Chat::new(prompt.chain(rejected.into_iter().map(|said| said.message))));
                put(&mut row, chosen);
            }
            _ => return Err(Error::new(ErrorKind::PromptsDiffer, "")),
        }
        Ok(row)
    }

    /// A prompt beside answers that begin with their prompt has to be that prompt.
    fn drop_prompt_of(&self, object: &mut Object<'_>, row: &Row<'_>) -> Result<(), Error> {
        for field in [RowField::Prompt, RowField::Messages] {
            for name in self.names(field) {
                let Some(raw) = object.peek(name).filter(|raw| form(raw) == Form::List) else { continue };
                let Ok(said) = self.messages(raw) else { continue };
                let begins = said.iter().zip(&row.chat.messages).all(|(said, message)| said.message == *message);
                if !begins && field == RowField::Prompt {
                    return Err(Error::new(ErrorKind::PromptsDiffer, ""));
                }
                // Either the prompt, or the better answer once more.
                if begins {
                    object.take(name);
                }
            }
        }
        let prompt = object.peek("prompt").filter(|raw| form(raw) == Form::Text).map(text).transpose()?;
        let asks = |message: &Message<'_>| match message {
            Message::User(Content::Text(asked)) => prompt.as_ref().is_some_and(|prompt| asked == prompt),
            _ => false,
        };
        if prompt.is_some() {
            if !row.chat.messages.iter().any(asks) {
                return Err(Error::new(ErrorKind::PromptsDiffer, ""));
            }
            object.take("prompt");
        }
        Ok(())
    }

    /// What a row of any shape may say beside its messages: tools, a system prompt, and settings.
    fn beside<'a>(&self, object: &mut Object<'a>, row: &mut Row<'a>) -> Result<(), Error> {
        if let Some((name, raw)) = self.take(object, RowField::Tools)? {
            row.chat.tools = self.tools(raw).map_err(|error| within(error, || name))?;
        }
        if let Some((name, raw)) = self.take(object, RowField::System)?.filter(|(_, raw)| !is_empty(raw)) {
            let system = Message::System(content_of(raw).map_err(|error| within(error, || name.clone()))?);
            self.put_first(row, system, name)?;
        }
        // Which tool is called, and how many at once, no layout prints.
        object.take("tool_choice");
        object.take("parallel_tool_calls");
        if let Some((name, raw)) = self.take(object, RowField::OnlyLast)? {
            row.only_last = truth(raw).map_err(|error| within(error, || name))?;
        }
        if let Some(raw) = object.take("reasoning_effort") {
            let name = text(raw).map_err(|error| within(error, || "reasoning_effort".to_owned()))?;
            let effort = ReasoningEffort::from_name(&name)
                .ok_or_else(|| Error::new(ErrorKind::UnknownEffort { name: name.into_owned() }, "reasoning_effort"))?;
            row.chat.reasoning_effort = Some(effort);
        }
        if let Some(raw) = object.take("response_format") {
            row.chat.response_format =
                chat::response_format_from_json(raw).map_err(|error| within(error, || "response_format".to_owned()))?;
        }
        if let Some(rejected) = &mut row.rejected {
            rejected.tools.clone_from(&row.chat.tools);
            rejected.reasoning_effort = row.chat.reasoning_effort;
            rejected.response_format.clone_from(&row.chat.response_format);
        }
        Ok(())
    }

    /// A system prompt beside the messages is the first of them, unless it is that already.
    fn put_first<'a>(&self, row: &mut Row<'a>, system: Message<'a>, name: String) -> Result<(), Error> {
        match row.chat.messages.first() {
            Some(first) if *first == system => return Ok(()),
            Some(Message::System(_)) => {
                let other = "a system message".to_owned();
                return Err(Error::new(ErrorKind::RowConflict { one: name, other }, ""));
            }
            _ => {}
        }
        if let Some(rejected) = &mut row.rejected {
            rejected.messages.insert(0, system.clone());
        }
        row.chat.messages.insert(0, system);
        row.marks.insert(0, None);
        if row.prompt_len > 0 || row.rejected.is_some() || row.label.is_some() {
            row.prompt_len += 1;
        }
        Ok(())
    }

    /// Is the answer good? Only true and false say so; any other label is about something else.
    fn label(&self, object: &mut Object<'_>) -> Result<Option<bool>, Error> {
        let is_label = |name: &&str| matches!(object.peek(name).map(form), Some(Form::Bool(_)));
        let names: Vec<_> = self.names(RowField::Label).filter(is_label).map(str::to_owned).collect();
        let mut label = None;
        for name in names {
            let Some(Form::Bool(value)) = object.take(&name).map(form) else { continue };
            if label.is_some_and(|label| label != value) {
                let one = "label".to_owned();
                return Err(Error::new(ErrorKind::RowConflict { one, other: name }, ""));
            }
            label = Some(value);
        }
        Ok(label)
    }
}

/// Are the messages equal, and their marks too, where both have some?
fn says_the_same(one: &[Said<'_>], other: &[Said<'_>]) -> bool {
    let unweighted = |said: &Said<'_>| {
        let mut message = said.message.clone().into_owned();
        if let Message::Assistant(reply) = &mut message {
            reply.weight = None;
        }
        message
    };
    let marks = |said: &[Said<'_>]| said.iter().map(|said| said.mark).collect::<Vec<_>>();
    let (is_marked, other_is_marked) = (has_marks(one), has_marks(other));
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| unweighted(one) == unweighted(other))
        && (!is_marked || !other_is_marked || marks(one) == marks(other))
}

fn has_marks(said: &[Said<'_>]) -> bool {
    said.iter().any(|said| said.mark.is_some())
}

fn with_marks<'a>(one: Vec<Said<'a>>, other: Vec<Said<'a>>) -> Vec<Said<'a>> {
    if has_marks(&one) { one } else { other }
}

/// Puts messages behind those of the row.
pub(super) fn put<'a>(row: &mut Row<'a>, said: impl IntoIterator<Item = Said<'a>>) {
    for Said { message, mark } in said {
        row.chat.messages.push(message);
        row.marks.push(mark);
    }
}

/// Is the list one of calls: objects with a name and without a role?
fn holds_calls(raw: &str) -> bool {
    let first = items(raw).ok().and_then(|items| items.first().and_then(|item| Object::read(item).ok()));
    first.is_some_and(|first| first.peek("name").is_some() && first.peek("arguments").is_some())
}

/// How many messages two answers share, of which the last is not the model's; what follows is the model's and its tools'.
fn common_prompt(chosen: &[Message<'_>], rejected: &[Message<'_>]) -> Result<usize, Error> {
    let common = chosen.iter().zip(rejected).take_while(|(one, other)| one == other).count();
    let mut length = common.min(chosen.len().saturating_sub(1)).min(rejected.len().saturating_sub(1));
    while length > 0 && chosen.get(length - 1).is_some_and(|message| message.role() == Role::Assistant) {
        length -= 1;
    }
    let is_answer = |messages: &[Message<'_>]| {
        let mut answer = messages.get(length..).unwrap_or_default().iter();
        answer.all(|message| matches!(message.role(), Role::Assistant | Role::Tool))
    };
    match is_answer(chosen) && is_answer(rejected) {
        true => Ok(length),
        false => Err(Error::new(ErrorKind::PromptsDiffer, "")),
    }
}
