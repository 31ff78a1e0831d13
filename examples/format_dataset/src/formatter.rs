//! One row: a line of the data set in, a line of what is asked for out.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

use mistral_chat_template::repair::{Repair as Mended, RepairPolicy};
use mistral_chat_template::train::{Labelled, Mask};
use mistral_chat_template::train::{Row, RowReader};
use mistral_chat_template::{Chat, Chunk, Content, Error, Message, Prompt};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::options::{Column, Keep, LastCallIds, Options, Repair, SystemPrompt, TooLong, Unread};
use crate::segments::Segments;
use crate::source::Source;
use crate::summary::Noticed;
use crate::vocabulary::Vocabulary;

/// Why a row cannot be used: a name to count by, and a sentence.
pub(crate) struct Reason {
    pub(crate) kind: &'static str,
    pub(crate) sentence: String,
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        Reason { kind: error.kind().name(), sentence: error.to_string() }
    }
}

/// A row that was written.
pub(crate) struct Written {
    /// Its length, and how much of it is learnt: tokens, or else bytes.
    pub(crate) length: usize,
    pub(crate) learnt: usize,
    /// What identifies the row.
    pub(crate) hash: u128,
}

/// Formats rows, with the same prompts as the buffers of all.
pub(crate) struct Formatter<'o> {
    options: &'o Options,
    source: &'o Source,
    vocabulary: Option<&'o Vocabulary>,
    prompt: Prompt,
    rejected: Prompt,
}

/// A prompt with what of it is learnt.
struct LaidOut<'p> {
    prompt: &'p Prompt,
    mask: Mask<'p>,
    labelled: Option<Labelled>,
    messages: Option<Vec<Option<usize>>>,
}

impl LaidOut<'_> {
    fn length(&self) -> usize {
        self.labelled.as_ref().map_or(self.prompt.as_str().len(), |labelled| labelled.input_ids.len())
    }

    fn learnt(&self) -> usize {
        match &self.labelled {
            Some(labelled) => labelled.labels.iter().filter(|label| **label != Labelled::IGNORED).count(),
            None => self.mask.ranges().iter().map(|range| range.len()).sum(),
        }
    }
}

impl<'o> Formatter<'o> {
    pub(crate) fn new(options: &'o Options, source: &'o Source, vocabulary: Option<&'o Vocabulary>) -> Self {
        Formatter { options, source, vocabulary, prompt: Prompt::new(), rejected: Prompt::new() }
    }

    /// Appends the row's line.
    pub(crate) fn format(
        &mut self,
        text: &str,
        line: u64,
        noticed: &mut Noticed,
        output: &mut Vec<u8>,
    ) -> Result<Written, Reason> {
        let mut row = self.read(text)?;
        let repairs = self.prepare(&mut row, noticed)?;
        self.shorten(&mut row, noticed)?;
        let (mut prompt, mut rejected) = (std::mem::take(&mut self.prompt), std::mem::take(&mut self.rejected));
        let result = self.write(&row, &repairs, line, [&mut prompt, &mut rejected], output);
        (self.prompt, self.rejected) = (prompt, rejected);
        if result.is_ok() {
            noticed.of_row(&row.notes, repairs.len());
        }
        result
    }

    pub(crate) fn read<'t>(&self, text: &'t str) -> Result<Row<'t>, Reason> {
        let reader: &RowReader = &self.options.rows;
        let row = match self.options.dialect {
            Some(dialect) => Row::new(Chat::read(text, dialect)?),
            None => reader.read(text)?,
        };
        if let (Unread::Reject, Some(name)) = (self.options.unread, row.notes.unread.first()) {
            let sentence = format!("{name}: the field is not understood, and --strict rejects its row");
            return Err(Reason { kind: "unread_field", sentence });
        }
        Ok(row)
    }

    /// Makes of a row what a layout for training takes.
    pub(crate) fn prepare(&self, row: &mut Row<'_>, noticed: &mut Noticed) -> Result<Vec<Mended>, Reason> {
        noticed.trailing += u64::from(row.end_with_reply() > 0);
        if self.options.last_call_ids == LastCallIds::Drop {
            row.forget_last_call_ids();
        }
        if let Source::Layout(layout) = self.source {
            row.give_unprinted_ids(layout);
        }
        let repairs = match (self.options.repair, self.source) {
            (Repair::Yes, Source::Layout(layout)) => row.repair(layout, &RepairPolicy::for_training())?,
            _ => Vec::new(),
        };
        if self.options.system == SystemPrompt::AfterASpace {
            for chat in [Some(&mut row.chat), row.rejected.as_mut()].into_iter().flatten() {
                set_space(chat);
            }
        }
        Ok(repairs)
    }

    /// Cuts a row that is too long, if it may be cut.
    fn shorten(&mut self, row: &mut Row<'_>, noticed: &mut Noticed) -> Result<(), Reason> {
        let (Some(limit), TooLong::Cut) = (self.options.max_length, self.options.too_long) else { return Ok(()) };
        let mut prompt = std::mem::take(&mut self.prompt);
        let dropped = row.cut(|row| {
            self.source.render_into(&row.chat, &mut prompt)?;
            let length = match self.vocabulary {
                Some(vocabulary) => prompt.encode(vocabulary)?.len(),
                None => prompt.as_str().len(),
            };
            Ok::<_, Reason>(length <= limit)
        });
        self.prompt = prompt;
        match dropped? {
            Some(0) => Ok(()),
            Some(_) => {
                noticed.cut += 1;
                Ok(())
            }
            None => Err(too_long(limit, self.options.unit(), "even its first exchange is longer")),
        }
    }

    pub(crate) fn lay_out<'p>(&self, row: &Row<'_>, prompt: &'p mut Prompt) -> Result<(&'p Prompt, Mask<'p>), Reason> {
        self.source.render_into(&row.chat, prompt)?;
        let prompt = &*prompt;
        Ok((prompt, self.source.mask(prompt, row, &self.options.policy)?))
    }

    fn laid_out<'p>(&self, row: &Row<'_>, prompt: &'p mut Prompt) -> Result<LaidOut<'p>, Reason> {
        let (prompt, mask) = self.lay_out(row, prompt)?;
        let labelled = self.vocabulary.map(|vocabulary| mask.encode(vocabulary)).transpose()?;
        let messages = self.vocabulary.filter(|_| self.options.has(Column::Messages));
        let messages = messages.map(|vocabulary| prompt.token_messages(vocabulary)).transpose()?;
        let laid_out = LaidOut { prompt, mask, labelled, messages };
        match self.options.max_length {
            Some(limit) if laid_out.length() > limit => {
                let sentence = format!("it has {}", laid_out.length());
                Err(too_long(limit, self.options.unit(), &sentence))
            }
            _ => Ok(laid_out),
        }
    }

    fn write(
        &self,
        row: &Row<'_>,
        repairs: &[Mended],
        line: u64,
        [prompt, rejected]: [&mut Prompt; 2],
        output: &mut Vec<u8>,
    ) -> Result<Written, Reason> {
        if self.options.pack.is_some() && row.rejected.is_some() {
            let sentence = "the two answers of a pair are no one sequence of tokens, which --pack makes";
            return Err(Reason { kind: "packed_pair", sentence: sentence.to_owned() });
        }
        let chosen = self.laid_out(row, prompt)?;
        let other = row.rejected.as_ref().map(|chat| {
            let marks = vec![None; chat.messages.len()];
            let mut other = Row::new(chat.clone());
            (other.marks, other.prompt_len) = (marks, row.prompt_len);
            self.laid_out(&other, rejected)
        });
        let other = other.transpose()?;
        let prompt_bytes = match &other {
            Some(other) => Some(common_prefix(&chosen, other, row.prompt_len)?),
            None => None,
        };
        let written = Written {
            length: chosen.length() + other.as_ref().map_or(0, LaidOut::length),
            learnt: chosen.learnt() + other.as_ref().map_or(0, LaidOut::learnt),
            hash: hash_of([Some(&chosen), other.as_ref()].into_iter().flatten().map(|laid| laid.prompt.as_str())),
        };
        let start = output.len();
        let columns =
            Columns { options: self.options, row, line, repairs, chosen: &chosen, other: other.as_ref(), prompt_bytes };
        if let Err(error) = serde_json::to_writer(&mut *output, &columns) {
            output.truncate(start);
            return Err(Reason { kind: "json", sentence: error.to_string() });
        }
        output.push(b'\n');
        Ok(written)
    }
}

fn too_long(limit: usize, unit: &str, why: &str) -> Reason {
    Reason { kind: "too_long", sentence: format!("the row is longer than {limit} {unit}: {why}") }
}

/// A hash of a row's texts, by which duplicates are found.
pub(crate) fn hash_of<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> u128 {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(seed);
        for text in texts.clone() {
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish()
    };
    u128::from(half(0)) << 64 | u128::from(half(1))
}

/// Sets a space before the first system prompt.
fn set_space(chat: &mut Chat<'_>) {
    let system = chat.messages.iter_mut().find_map(|message| match message {
        Message::System(content) => Some(content),
        _ => None,
    });
    match system {
        Some(Content::Text(text)) => *text = Cow::Owned(format!(" {text}")),
        Some(Content::Chunks(chunks)) => {
            if let Some(Chunk::Text(text)) = chunks.first_mut() {
                *text = Cow::Owned(format!(" {text}"));
            }
        }
        None => {}
    }
}

/// The bytes of the prompt that two answers share, which have to be all bytes before the answers.
fn common_prefix(chosen: &LaidOut<'_>, rejected: &LaidOut<'_>, prompt_len: usize) -> Result<usize, Reason> {
    let start = |laid: &LaidOut<'_>| {
        let is_answer = |message: Option<usize>| message.is_some_and(|index| index >= prompt_len);
        let answer = laid.prompt.spans().find(|span| is_answer(span.message));
        // A template's spans know of no message; there the first that is learnt begins the answer.
        answer.map(|span| span.range.start).or_else(|| laid.mask.ranges().first().map(|range| range.start))
    };
    let texts = [(chosen, start(chosen)), (rejected, start(rejected))];
    let [Some(one), Some(other)] = texts.map(|(laid, start)| laid.prompt.as_str().get(..start?)) else {
        return Err(differ("an answer is nowhere in its prompt"));
    };
    if one == other { Ok(one.len()) } else { Err(differ("the prompts of the two answers are laid out differently")) }
}

fn differ(sentence: &str) -> Reason {
    Reason { kind: "prompts_differ", sentence: sentence.to_owned() }
}

/// A line of the output.
struct Columns<'r> {
    options: &'r Options,
    row: &'r Row<'r>,
    line: u64,
    repairs: &'r [Mended],
    chosen: &'r LaidOut<'r>,
    other: Option<&'r LaidOut<'r>>,
    prompt_bytes: Option<usize>,
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.options.keep == Keep::Columns {
            map.serialize_entry("line", &self.line)?;
        }
        match self.other {
            None => self.answer(&mut map, "", self.chosen)?,
            Some(other) => {
                self.answer(&mut map, "chosen_", self.chosen)?;
                self.answer(&mut map, "rejected_", other)?;
                map.serialize_entry("prompt_bytes", &self.prompt_bytes)?;
            }
        }
        if let Some(label) = self.row.label {
            map.serialize_entry("label", &label)?;
        }
        if self.options.repair == Repair::Yes {
            let repairs: Vec<_> = self.repairs.iter().map(ToString::to_string).collect();
            map.serialize_entry("repairs", &repairs)?;
        }
        if self.options.keep == Keep::Columns {
            map.serialize_entry("columns", &Kept(&self.row.columns))?;
        }
        map.end()
    }
}

impl Columns<'_> {
    fn answer<M: SerializeMap>(&self, map: &mut M, prefix: &str, laid: &LaidOut<'_>) -> Result<(), M::Error> {
        let ids = laid.labelled.as_ref();
        for column in &self.options.columns {
            let name: Cow<'_, str> = match prefix {
                "" => column.name().into(),
                _ => format!("{prefix}{}", column.name()).into(),
            };
            match column {
                Column::Text => map.serialize_entry(&name, laid.prompt.as_str())?,
                Column::Mask => map.serialize_entry(&name, &Ranges(laid.mask.ranges()))?,
                Column::MaskChars => map.serialize_entry(&name, &Ranges(&laid.mask.char_ranges()))?,
                Column::Segments => map.serialize_entry(&name, &Segments { prompt: laid.prompt, start: 0 })?,
                Column::InputIds => map.serialize_entry(&name, &ids.map(|ids| &ids.input_ids))?,
                Column::Labels => map.serialize_entry(&name, &ids.map(|ids| &ids.labels))?,
                Column::Length => map.serialize_entry(&name, &laid.length())?,
                Column::AttentionMask => map.serialize_entry(&name, &Each(ids.map(|ids| &ids.labels), |_: &i64| 1))?,
                Column::TokenMask => {
                    map.serialize_entry(
                        &name,
                        &Each(ids.map(|ids| &ids.labels), |label: &i64| *label != Labelled::IGNORED),
                    )?;
                }
                Column::Messages => {
                    let index = |index: &Option<usize>| index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1);
                    map.serialize_entry(&name, &Each(laid.messages.as_ref(), index))?;
                }
            }
        }
        Ok(())
    }
}

struct Ranges<'m>(&'m [std::ops::Range<usize>]);

impl Serialize for Ranges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|range| [range.start, range.end]))
    }
}

/// A list made from another, item by item.
struct Each<'l, T, F>(Option<&'l Vec<T>>, F);

impl<T, U: Serialize, F: Fn(&T) -> U> Serialize for Each<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.into_iter().flatten().map(&self.1))
    }
}

/// The other columns of the input, as they stood there.
struct Kept<'r>(&'r [(Cow<'r, str>, &'r str)]);

impl Serialize for Kept<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in self.0 {
            match serde_json::from_str::<&RawValue>(raw) {
                Ok(raw) => map.serialize_entry(name, raw)?,
                Err(_) => map.serialize_entry(name, raw)?,
            }
        }
        map.end()
    }
}
