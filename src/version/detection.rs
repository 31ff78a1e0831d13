//! Evidence of a version comes in, the version comes out with what it was decided on and how sure that is.

use super::{DetectError, Features, Version, gguf, models, sentencepiece, tekken};
use crate::image::ImageConfig;
use std::fmt;

/// How sure a [`Detection`] is; a surer one is greater.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::version::{Certainty, Detection};
///
/// let detection = Detection::from_model_name("Mistral-Nemo-Instruct-2407")?;
/// assert!(detection.certainty >= Certainty::Inferred);
/// # Ok::<(), mistral_chat_template::version::DetectError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// The evidence is about a relative: a fine-tune's name that contains its base's, a GGUF file's base model, or
    /// what occurs in a chat template. The model may have another layout.
    Indirect,
    /// The sources disagree, and this is the better of them.
    Disputed,
    /// The model is known, and its version is read off its public tokenizer or template; or its name has a tag that
    /// may move to another model, such as `latest`.
    Inferred,
    /// The model's publisher lists it under this layout, in code, documentation or a model card.
    Listed,
    /// The tokenizer file itself states the version.
    Stated,
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Indirect => "indirect",
            Self::Disputed => "disputed",
            Self::Inferred => "inferred",
            Self::Listed => "listed",
            Self::Stated => "stated",
        })
    }
}

/// A version, found in what the caller has of a model.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::Version;
/// use mistral_chat_template::version::{Certainty, Detection};
///
/// let detection = Detection::from_model_name("bartowski/Mistral-Large-Instruct-2407-GGUF")?;
/// assert_eq!(detection.version, Version::V3);
/// assert_eq!(detection.certainty, Certainty::Listed);
/// assert_eq!(
///     detection.evidence,
///     r#""Mistral-Large-Instruct-2407-GGUF" names Mistral-Large-Instruct-2407, which Mistral lists as v3"#,
/// );
/// # Ok::<(), mistral_chat_template::version::DetectError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detection {
    /// The version.
    pub version: Version,
    /// The features that the model has; only a `tekken.json` knows them all.
    pub features: Features,
    /// How the model cuts images, where a tokenizer file said it.
    pub image: Option<ImageConfig>,
    /// How sure it is.
    pub certainty: Certainty,
    /// What it was decided on, as a clause without a full stop.
    pub evidence: String,
}

impl Detection {
    /// Decides by a model's name: a hub's, an API's, a file's or a folder's.
    ///
    /// Owners, folders, dates written `24.07`, the kind of separator, the order of the words, and the suffixes of
    /// quantised and converted models make no difference. Of a path, the last part that names a model counts. Words
    /// that belong to no such thing mark a derived model: [`Certainty::Indirect`]. The moving tag `latest` costs
    /// certainty, and where the version hangs on it, the name is refused.
    ///
    /// # Errors
    ///
    /// - [`DetectError::Unknown`]: no model of the table (`gpt-4`, an empty string).
    /// - [`DetectError::Undecided`]: the name fits several (`Mistral-7B-Instruct`, `mistral-large-latest`), or has a
    ///   date that no model in the table has (`codestral-2508`).
    /// - [`DetectError::Foreign`]: the model has another layout (`magnum-v2-12b`, `dolphin-2.6-mistral-7b`).
    /// - [`DetectError::Conflict`]: it names two models of different versions.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    /// use mistral_chat_template::version::{Certainty, Detection, Feature};
    ///
    /// let detection = Detection::from_model_name("models/Mistral-Small-3.1-24B-Instruct-2503-Q4_K_M.gguf")?;
    /// assert_eq!(detection.version, Version::V7Tekken);
    /// assert!(detection.features.contains(Feature::Image));
    /// assert_eq!(detection.certainty, Certainty::Inferred);
    ///
    /// assert!(Detection::from_model_name("mistral-large-latest").is_err());
    /// # Ok::<(), mistral_chat_template::version::DetectError>(())
    /// ```
    pub fn from_model_name(name: &str) -> Result<Self, DetectError> {
        models::identify(name).map(models::Identity::into_detection)
    }

    /// Decides by a `tekken.json`: the version it states, and its features.
    ///
    /// The vocabulary is skipped, not held. A file that is cut off after its version is enough, but features may
    /// stand after the cut; the evidence then says so.
    ///
    /// # Errors
    ///
    /// [`DetectError::Tekken`] when it is not a JSON object, states no version or one that Tekken does not have, or
    /// combines things that Mistral's own library refuses: a version from v11 on without its special tokens, model
    /// settings before v15, `multimodal` after v11, an image grid of size zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    /// use mistral_chat_template::version::{Certainty, Detection, Feature};
    ///
    /// let json = r#"{
    ///     "config": {"version": "v3"},
    ///     "vocab": [],
    ///     "image": {"image_patch_size": 16, "max_image_size": 1024}
    /// }"#;
    /// let detection = Detection::from_tekken_header(json)?;
    /// assert_eq!(detection.version, Version::V3Tekken);
    /// assert!(detection.features.contains(Feature::Image));
    /// assert_eq!(detection.certainty, Certainty::Stated);
    /// # Ok::<(), mistral_chat_template::version::DetectError>(())
    /// ```
    pub fn from_tekken_header(json: &str) -> Result<Self, DetectError> {
        tekken::detect(json)
    }

    /// Decides by the file name of a SentencePiece model, which ends in its version: `tokenizer.model.v3`.
    ///
    /// # Errors
    ///
    /// - [`DetectError::Undecided`]: a plain `tokenizer.model`. Mistral's library treats it as v1, yet models of v1
    ///   to v7 were published with that name.
    /// - [`DetectError::Foreign`]: a version that has no SentencePiece model (`tokenizer.model.v11`) or an unknown
    ///   kind of image (`tokenizer.model.v7m2`).
    /// - [`DetectError::Unknown`]: another name (`tekken.json`).
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    /// use mistral_chat_template::version::{Detection, Feature};
    ///
    /// let detection = Detection::from_sentencepiece_file_name("mistral_instruct_tokenizer_241114.model.v7m1")?;
    /// assert_eq!(detection.version, Version::V7);
    /// assert!(detection.features.contains(Feature::Image));
    /// # Ok::<(), mistral_chat_template::version::DetectError>(())
    /// ```
    pub fn from_sentencepiece_file_name(file_name: &str) -> Result<Self, DetectError> {
        sentencepiece::detect(file_name)
    }

    /// Decides by the keys of a GGUF file, given as name and value; unknown keys are ignored.
    ///
    /// The name decides (`general.name`, else the name made of `general.basename`, `general.finetune`,
    /// `general.version` and `general.size_label`, else the base models'), and the vocabulary confirms it:
    /// `tokenizer.ggml.model` is `llama` for SentencePiece and `gpt2` with the `tokenizer.ggml.pre` of `tekken` for
    /// Tekken. Where the sources on a name disagree, the vocabulary settles it. With no name to go by,
    /// `tokenizer.chat_template` is searched for control tokens: [`Certainty::Indirect`].
    ///
    /// # Errors
    ///
    /// - What [`Detection::from_model_name`] refuses, if no other key helps.
    /// - [`DetectError::Conflict`]: the name says SentencePiece and the vocabulary says Tekken, or the other way.
    /// - [`DetectError::Foreign`]: a vocabulary, an architecture or a chat template that is not Mistral's.
    ///
    /// A chat template with control tokens that the named version lacks makes the answer [`Certainty::Disputed`].
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    /// use mistral_chat_template::version::Detection;
    ///
    /// let detection = Detection::from_gguf([
    ///     ("general.name", "Mistral Small 24B Instruct 2501"),
    ///     ("tokenizer.ggml.model", "gpt2"),
    ///     ("tokenizer.ggml.pre", "tekken"),
    /// ])?;
    /// assert_eq!(detection.version, Version::V7Tekken);
    ///
    /// let error = Detection::from_gguf([
    ///     ("general.name", "Mistral Large Instruct 2411"),
    ///     ("tokenizer.ggml.model", "gpt2"),
    /// ]);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "the evidence disagrees: \"Mistral Large Instruct 2411\" names Mistral-Large-Instruct-2411, which Mistral \
    ///      lists as v7, but tokenizer.ggml.model \"gpt2\" is Tekken",
    /// );
    /// # Ok::<(), mistral_chat_template::version::DetectError>(())
    /// ```
    pub fn from_gguf<K, V>(keys: impl IntoIterator<Item = (K, V)>) -> Result<Self, DetectError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut metadata = gguf::Metadata::default();
        for (key, value) in keys {
            metadata.set(key.as_ref(), value.as_ref());
        }
        metadata.detect()
    }
}
