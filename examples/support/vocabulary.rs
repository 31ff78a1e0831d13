//! A model's own vocabulary file as a [`Tokenizer`] and a [`Detokenizer`]: `tekken.json` or a SentencePiece model.
#![allow(dead_code, reason = "each program uses a part")]

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use kitoken::{Definition, Kitoken, Model, Normalization, SpecialToken, Token};
use mistral_chat_template::completion::Detokenizer;
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::TokenizerKind;
use mistral_chat_template::{Control, Tokenizer};
use sentencepiece_model::{SentencePiece, SentencePieceModel, Type};
use serde::Deserialize;
use serde_json::Value;

use byte_joins::ByteJoins;
use byte_pairs::{BytePairs, StartAt};
pub(crate) use tekken_words::TEKKEN_PATTERN;
use tekken_words::TekkenWords;

#[path = "byte_joins.rs"]
mod byte_joins;
#[path = "byte_pairs.rs"]
mod byte_pairs;
#[path = "tekken_words.rs"]
mod tekken_words;

/// The control tokens of a `tekken.json` that does not list its own, by their ids.
const TEKKEN_CONTROLS: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// Set before a text that is to have no dummy prefix, and taken off again: two tokens, as in mistral-common.
const NO_PREFIX: &str = "☺";

pub(crate) struct Vocabulary {
    pub(crate) encoder: Encoder,
    /// The control tokens by their names, those that the crate does not know among them.
    pub(crate) controls: HashMap<String, u32>,
    controls_by_id: HashMap<u32, Control>,
    /// The bytes of each id that is text; empty for any other.
    pub(crate) pieces: Vec<Box<[u8]>>,
    /// The JSON of what a `tekken.json` says that its model can be set to: its `model_settings_builder`.
    pub(crate) settings: Option<String>,
    is_sentencepiece: bool,
}

/// Text into ids. Knows no control token, so that no text can become one.
#[allow(clippy::large_enum_variant, reason = "a program has one vocabulary")]
pub(crate) enum Encoder {
    Tekken(TekkenWords, BytePairs),
    SentencePiece(BytePairs, ByteJoins),
    /// Any other pattern, model or normalization.
    Other(Box<Kitoken>),
}

impl Vocabulary {
    /// Reads a vocabulary file, and beside it, where given, a JSON object of more control tokens and their ids.
    pub(crate) fn open(path: &Path, controls: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let mut vocabulary = Self::read(&std::fs::read(path)?)?;
        if let Some(path) = controls {
            vocabulary.add_controls(serde_json::from_slice(&std::fs::read(path)?)?);
        }
        Ok(vocabulary)
    }

    fn new(encoder: Encoder, pieces: Vec<Box<[u8]>>, controls: HashMap<String, u32>, is_sentencepiece: bool) -> Self {
        let (known, controls_by_id) = Default::default();
        let mut vocabulary =
            Vocabulary { encoder, controls: known, controls_by_id, pieces, settings: None, is_sentencepiece };
        vocabulary.add_controls(controls);
        vocabulary
    }

    /// Makes ids control tokens. What they were as text they are no longer.
    fn add_controls(&mut self, controls: HashMap<String, u32>) {
        for (name, id) in &controls {
            let index = *id as usize;
            if self.pieces.len() <= index {
                self.pieces.resize(index + 1, Box::default());
            }
            self.pieces[index] = Box::default();
            if let Some(control) = Control::all().find(|control| control.as_str() == name) {
                self.controls_by_id.insert(*id, control);
            }
        }
        self.controls.extend(controls);
    }

    /// Reads the bytes of a vocabulary file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        // A Tekken file is JSON, a SentencePiece model a binary message.
        let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
        if is_json { tekken(bytes) } else { sentencepiece(bytes) }
    }

    /// How many tokens a text is.
    pub(crate) fn count(&self, text: &str) -> usize {
        let mut ids = Vec::new();
        self.text(text, WordStart::Space, &mut ids);
        ids.len()
    }
}

fn sentencepiece(bytes: &[u8]) -> Result<Vocabulary, Box<dyn Error>> {
    let mut definition = Definition::from_sentencepiece_slice(bytes)?;
    let has_id = |special: &&SpecialToken| special.id != Token::INVALID;
    let named = |special: &SpecialToken| Some((String::from_utf8(special.bytes.clone()).ok()?, special.id));
    let mut controls: HashMap<String, u32> = definition.specials.iter().filter(has_id).filter_map(named).collect();
    // The unknown piece is the first, and no special token to the encoder.
    controls.entry("<unk>".to_owned()).or_insert(0);
    definition.specials.clear();
    let model = SentencePieceModel::from_slice(bytes)?;
    let pieces = model.pieces().iter().map(text_of_piece).collect();
    let pairs = sentencepiece_pairs(&definition);
    let encoder = pairs.map_or_else(|| other(definition), |(pairs, joins)| Ok(Encoder::SentencePiece(pairs, joins)))?;
    Ok(Vocabulary::new(encoder, pieces, controls, true))
}

/// The bytes that a piece stands for: a `▁` is a space, and `<0x41>` is a byte.
fn text_of_piece(piece: &SentencePiece) -> Box<[u8]> {
    let text = piece.piece();
    match piece.r#type() {
        Type::Byte => {
            let digits = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>')).unwrap_or_default();
            u8::from_str_radix(digits, 16).into_iter().collect()
        }
        Type::Normal | Type::UserDefined => text.replace('▁', " ").into_bytes().into(),
        Type::Control | Type::Unknown | Type::Unused => Box::default(),
    }
}

/// The pairs of a model that does with a text what Mistral's do: one space before it, spaces as `▁`, and no more.
fn sentencepiece_pairs(definition: &Definition) -> Option<(BytePairs, ByteJoins)> {
    let Model::BytePair { vocab, chars: true } = &definition.model else { return None };
    let spaces = Normalization::Replace { pattern: " ".into(), replacement: "▁".to_owned() };
    let prefix = Normalization::Extend { character: '▁', left: 1, right: 0, pad: false };
    if definition.config.normalization != [spaces, prefix] {
        return None;
    }
    // The piece of the byte is of no text, which has `▁` for each space.
    let vocab = || vocab.iter().filter(|token| token.bytes != b" ");
    let texts = || vocab().filter_map(|token| std::str::from_utf8(&token.bytes).ok());
    if texts().any(|text| text.contains(' ')) || !texts().any(|text| text == "▁") {
        return None;
    }
    let with_spaces = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.replace('▁', " ").into_bytes().into(),
        Err(_) => bytes.into(),
    };
    let tokens: Vec<(Box<[u8]>, u32)> = vocab().map(|token| (with_spaces(&token.bytes), token.id)).collect();
    let joins = ByteJoins::new(tokens.iter().map(|(bytes, _)| &**bytes));
    Some((BytePairs::new(tokens, StartAt::Characters)?, joins))
}

fn other(definition: Definition) -> Result<Encoder, Box<dyn Error>> {
    Ok(Encoder::Other(Box::new(Kitoken::from_definition(definition)?)))
}

fn tekken(bytes: &[u8]) -> Result<Vocabulary, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Special {
        rank: u32,
        token_str: String,
    }
    let mut file: Value = serde_json::from_slice(bytes)?;
    let listed: Option<Vec<Special>> = serde_json::from_value(file["special_tokens"].take())?;
    let controls = match listed {
        Some(listed) => listed.into_iter().map(|special| (special.token_str, special.rank)).collect(),
        None => TEKKEN_CONTROLS.into_iter().map(str::to_owned).zip(0..).collect(),
    };
    let settings = file.get("model_settings_builder").map(Value::to_string);
    let has_pattern = file["config"]["pattern"] == TEKKEN_PATTERN;
    // The vocabulary is of the same form in all versions.
    file["config"]["version"] = "v3".into();
    let mut definition = Definition::from_tekken_slice(&serde_json::to_vec(&file)?)?;
    definition.specials.clear();
    let vocab = definition.model.vocab();
    let mut pieces = Vec::new();
    for token in vocab {
        let index = token.id as usize;
        if pieces.len() <= index {
            pieces.resize(index + 1, Box::default());
        }
        pieces[index] = token.bytes.as_slice().into();
    }
    let ranked = vocab.iter().map(|token| (token.bytes.clone().into(), token.id)).collect();
    let pairs = if has_pattern { BytePairs::new(ranked, StartAt::Bytes) } else { None };
    let encoder = match pairs {
        Some(pairs) => Encoder::Tekken(TekkenWords::new()?, pairs),
        None => other(definition)?,
    };
    Ok(Vocabulary { settings, ..Vocabulary::new(encoder, pieces, controls, false) })
}

fn encode_pieces(pairs: &BytePairs, joins: &ByteJoins, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
    // To SentencePiece, `▁` is a space.
    let text = if text.contains('▁') { Cow::from(text.replace('▁', " ")) } else { text.into() };
    if word_start == WordStart::Nothing {
        return pairs.encode(joins.parts(&text), ids);
    }
    // The dummy prefix is a space of the first part.
    let first = joins.parts(&text).next().unwrap_or_default();
    let spaced = format!(" {first}");
    pairs.encode(joins.parts(&spaced).chain(joins.parts(&text[first.len()..])), ids);
}

fn encode_otherwise(encoder: &Kitoken, text: &str, has_prefix: bool, ids: &mut Vec<u32>) {
    let encode = |text: &str| encoder.encode(text, false).unwrap_or_default();
    match has_prefix {
        true => ids.extend(encode(text)),
        false => ids.extend(encode(&format!("{NO_PREFIX}{text}")).into_iter().skip(2)),
    }
}

impl Tokenizer for Vocabulary {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        match &self.encoder {
            Encoder::Tekken(parted, pairs) => pairs.encode(parted.of(text), ids),
            Encoder::SentencePiece(pairs, joins) => encode_pieces(pairs, joins, text, word_start, ids),
            Encoder::Other(encoder) => {
                encode_otherwise(encoder, text, !self.is_sentencepiece || word_start == WordStart::Space, ids);
            }
        }
    }

    fn kind(&self) -> Option<TokenizerKind> {
        Some(if self.is_sentencepiece { TokenizerKind::SentencePiece } else { TokenizerKind::Tekken })
    }

    fn control(&self, control: Control) -> Option<u32> {
        self.controls.get(control.as_str()).copied()
    }
}

impl Detokenizer for Vocabulary {
    fn control(&self, id: u32) -> Option<Control> {
        self.controls_by_id.get(&id).copied()
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        bytes.extend(self.pieces.get(id as usize).into_iter().flatten());
    }
}
