//! [`TokenizerKind`]: the two kinds of tokenizers that the models have.

use std::fmt;

/// The two kinds of tokenizer that Mistral's models have.
///
/// ```
/// use mistral_chat_template::prompt::TokenizerKind;
///
/// assert_eq!(TokenizerKind::Tekken.to_string(), "Tekken");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenizerKind {
    /// SentencePiece, which sets a space before a text: `tokenizer.model.v3`.
    SentencePiece,
    /// Tekken: `tekken.json`.
    Tekken,
}

impl fmt::Display for TokenizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenizerKind::SentencePiece => "SentencePiece",
            TokenizerKind::Tekken => "Tekken",
        })
    }
}
