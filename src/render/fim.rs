//! [`Fim`]: fill in the middle, a text with a gap into a prompt.

use std::borrow::Cow;

use serde::Deserialize;

use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Layout, WordStart};
use crate::prompt::{Prompt, Writer};

/// A text with a gap that the model is to fill.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::render::Fim;
///
/// let fim = Fim { prompt: "def f(x):\n".into(), suffix: "    return y".into() };
/// let prompt = Layout::V3.render_fim(&fim)?;
/// assert_eq!(prompt.as_str(), "<s>[SUFFIX]    return y[PREFIX] def f(x):\n");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fim<'a> {
    /// The text before the gap.
    pub prompt: Cow<'a, str>,
    /// The text after the gap; empty for none.
    pub suffix: Cow<'a, str>,
}

impl<'a> Fim<'a> {
    /// Fill in the middle from the JSON of Mistral's API: `{"prompt": …, "suffix": …}`, the suffix optional.
    ///
    /// # Errors
    ///
    /// No `prompt`, or one that is not a text.
    ///
    /// ```
    /// use mistral_chat_template::render::Fim;
    ///
    /// assert_eq!(Fim::from_json(r#"{"prompt": "a = "}"#)?, Fim { prompt: "a = ".into(), suffix: "".into() });
    /// assert!(Fim::from_json(r#"{"suffix": "b"}"#).is_err());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_json(json: &'a str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            prompt: Cow<'a, str>,
            suffix: Option<String>,
        }
        let fields: Fields<'a> =
            serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
        Ok(Fim { prompt: fields.prompt, suffix: fields.suffix.unwrap_or_default().into() })
    }
}

impl Layout {
    /// Lays out fill in the middle: the text after the gap first, without the space that SentencePiece would set.
    ///
    /// # Errors
    ///
    /// The layout has no fill in the middle (v1).
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::render::Fim;
    ///
    /// let error = Layout::V1.render_fim(&Fim::default()).unwrap_err();
    /// assert_eq!(error.to_string(), "there is no fill in the middle (v1)");
    /// ```
    pub fn render_fim(&self, fim: &Fim<'_>) -> Result<Prompt, Error> {
        let tokens = self.fim.ok_or_else(|| Error::new(ErrorKind::NoFim, "").in_layout(self.name))?;
        let mut prompt = Prompt::new();
        let mut writer = Writer::new(&mut prompt, WordStart::Nothing);
        writer.control(Control::Bos);
        writer.control(tokens.suffix);
        writer.text(&fim.suffix);
        writer.begin_words_with(self.word_start);
        writer.control(tokens.prefix);
        writer.text(&fim.prompt);
        prompt.stop_at(self.reply.close.as_str());
        prompt.set_tokenizer(self.tokenizer_kind());
        Ok(prompt)
    }
}
