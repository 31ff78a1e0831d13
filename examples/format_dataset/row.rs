//! One row: a conversation in, a line of text, mask and whatever else is asked for out.

use std::borrow::Cow;

use mistral_chat_template::{Chat, Dialect, Error, Mask, Prompt};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::options::{Columns, Options};
use crate::segments::Segments;
use crate::source::Source;
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

/// Formats rows, with one prompt as the buffer of all.
pub(crate) struct Formatter<'o> {
    options: &'o Options,
    source: &'o Source,
    vocabulary: Option<&'o Vocabulary>,
    prompt: Prompt,
}

#[derive(serde::Serialize)]
struct Row<'p> {
    text: &'p str,
    mask: Ranges<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Segments<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<i64>>,
}

impl<'o> Formatter<'o> {
    pub(crate) fn new(options: &'o Options, source: &'o Source, vocabulary: Option<&'o Vocabulary>) -> Self {
        Formatter { options, source, vocabulary, prompt: Prompt::new() }
    }

    /// Appends the row's line, and gives its length in tokens or else in bytes.
    pub(crate) fn format(&mut self, line: &str, output: &mut Vec<u8>) -> Result<usize, Reason> {
        let dialect = self.options.dialect.map_or_else(|| recognise(line), Ok)?;
        let chat = Chat::read(line, dialect)?;
        self.source.check_weights(&chat, self.options.turns)?;
        self.source.render_into(&chat, &mut self.prompt)?;
        let mask = self.prompt.mask(self.options.turns.learn(&chat))?;
        let labelled = self.vocabulary.map(|vocabulary| mask.encode(vocabulary)).transpose()?;
        let length = labelled.as_ref().map_or(self.prompt.as_str().len(), |labelled| labelled.input_ids.len());
        let (input_ids, labels) = labelled.map(|labelled| (labelled.input_ids, labelled.labels)).unzip();
        let row = Row {
            text: self.prompt.as_str(),
            mask: Ranges(&mask),
            segments: (self.options.columns == Columns::Segments)
                .then_some(Segments { prompt: &self.prompt, start: 0 }),
            input_ids,
            labels,
        };
        serde_json::to_writer(&mut *output, &row)
            .map_err(|error| Reason { kind: "json", sentence: error.to_string() })?;
        output.push(b'\n');
        Ok(length)
    }
}

struct Ranges<'m>(&'m Mask<'m>);

impl Serialize for Ranges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.ranges().iter().map(|range| [range.start, range.end]))
    }
}

/// Whose JSON a row is, by the first of the keys that tell.
fn recognise(line: &str) -> Result<Dialect, Reason> {
    let mut dialect = None;
    let parsed = TellingKey(&mut dialect).deserialize(&mut serde_json::Deserializer::from_str(line));
    // What follows the key is left unread, and its end a fault that says nothing of the row.
    match (dialect, parsed) {
        (Some(dialect), _) => Ok(dialect),
        (None, Ok(())) => Err(Reason {
            kind: "unrecognised",
            sentence: "the row has neither `conversations` nor `messages`".to_owned(),
        }),
        (None, Err(error)) => Err(Reason { kind: "json", sentence: error.to_string() }),
    }
}

struct TellingKey<'d>(&'d mut Option<Dialect>);

impl<'de> DeserializeSeed<'de> for TellingKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TellingKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object with `conversations` or `messages`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "conversations" => *self.0 = Some(Dialect::ShareGpt),
                "messages" => *self.0 = Some(Dialect::Either),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            break;
        }
        Ok(())
    }
}
