//! Which version: a label, a model's name or a tokenizer file's header in, the [`Version`] of the layout out.
//!
//! ```
//! use mistral_chat_template::Version;
//! use mistral_chat_template::version::Detection;
//!
//! assert_eq!("v3-tekken".parse::<Version>()?, Version::V3Tekken);
//! assert_eq!(Detection::from_model_name("Mistral-Large-Instruct-2411")?.version, Version::V7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - A label says it outright: `"v3-tekken".parse::<Version>()`, or with features [`Version::parse_label`].
//! - Everything else is evidence. [`Detection`] weighs a model's name, the header of a `tekken.json`, the file
//!   name of a SentencePiece model or the keys of a GGUF file, and says what it decided on and how sure that is.
//!
//! Nothing here guesses: evidence that does not settle the version is a [`DetectError`] that says what was seen.

mod detection;
mod error;
mod gguf;
mod models;
mod name;
mod sentencepiece;
pub(crate) mod signs;
mod table;
mod tekken;

pub(crate) use self::models::thinks_in_tags;
pub use detection::{Certainty, Detection};
pub use error::DetectError;

pub(crate) use crate::terms::TokenizerKind as Backend;
use std::fmt;
use std::str::FromStr;

/// One version of the layout: the name of a row in the table of layouts.
///
/// The versions up to v7 exist for both kinds of tokenizer, because a SentencePiece tokenizer puts a space before
/// each run of text and Tekken does not. From v11 on there is Tekken alone.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::Version;
///
/// let version: Version = "v3-tekken".parse()?;
/// assert_eq!(version, Version::V3Tekken);
/// assert_eq!(version.to_string(), "v3-tekken");
/// # Ok::<(), mistral_chat_template::version::DetectError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// SentencePiece, where `[INST]` is text: Mistral 7B v0.1 and v0.2, Mixtral 8x7B.
    V1,
    /// The v1 rules over Tekken; no model has it.
    V1Tekken,
    /// SentencePiece with control tokens: the first models behind the API, such as `mistral-large-2402`.
    V2,
    /// The v2 rules over Tekken; no model has it.
    V2Tekken,
    /// SentencePiece: Mistral Large 2407, Mistral 7B v0.3, Mixtral 8x22B Instruct.
    V3,
    /// Tekken: Mistral Nemo, Ministral 8B, Pixtral 12B.
    V3Tekken,
    /// SentencePiece: Mistral Large 2411, Pixtral Large.
    V7,
    /// Tekken: Mistral Small 3 and 3.1, Voxtral.
    V7Tekken,
    /// Tekken: Mistral Small 3.2, the first Magistral Small.
    V11,
    /// Tekken: Magistral Small from 2507 on, Ministral 3, Mistral Large 3, Devstral 2.
    V13,
    /// Tekken: Mistral Small 4, Mistral Medium 3.5.
    V15,
    /// The layout of Magnum 123B, a fine-tune of Mistral Large 2407.
    Magnum,
}

/// What is known of a version apart from its layout.
struct Facts {
    name: &'static str,
    alias: Option<&'static str>,
    backend: Backend,
    /// The number that a tokenizer file states.
    number: u8,
}

impl Version {
    /// Every version, oldest first; the layouts of fine-tunes come last.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    ///
    /// for &version in Version::ALL {
    ///     assert_eq!(version.name().parse(), Ok(version));
    /// }
    /// ```
    pub const ALL: &'static [Self] = &[
        Self::V1,
        Self::V1Tekken,
        Self::V2,
        Self::V2Tekken,
        Self::V3,
        Self::V3Tekken,
        Self::V7,
        Self::V7Tekken,
        Self::V11,
        Self::V13,
        Self::V15,
        Self::Magnum,
    ];

    const fn facts(self) -> Facts {
        use Backend::{SentencePiece, Tekken};
        const fn facts(name: &'static str, alias: Option<&'static str>, backend: Backend, number: u8) -> Facts {
            Facts { name, alias, backend, number }
        }
        match self {
            Self::V1 => facts("v1", Some("v1-spm"), SentencePiece, 1),
            Self::V1Tekken => facts("v1-tekken", None, Tekken, 1),
            Self::V2 => facts("v2", Some("v2-spm"), SentencePiece, 2),
            Self::V2Tekken => facts("v2-tekken", None, Tekken, 2),
            Self::V3 => facts("v3", Some("v3-spm"), SentencePiece, 3),
            Self::V3Tekken => facts("v3-tekken", None, Tekken, 3),
            Self::V7 => facts("v7", Some("v7-spm"), SentencePiece, 7),
            Self::V7Tekken => facts("v7-tekken", None, Tekken, 7),
            Self::V11 => facts("v11", Some("v11-tekken"), Tekken, 11),
            Self::V13 => facts("v13", Some("v13-tekken"), Tekken, 13),
            Self::V15 => facts("v15", Some("v15-tekken"), Tekken, 15),
            Self::Magnum => facts("magnum", None, SentencePiece, 3),
        }
    }

    /// The version's label, such as `v3-tekken`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    ///
    /// assert_eq!(Version::V7.name(), "v7");
    /// assert_eq!(Version::Magnum.name(), "magnum");
    /// ```
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Reads a label with its features, such as `v13+think+image`.
    ///
    /// Labels and aliases (`v3-spm`, `v11-tekken`) may be in any case, with `_` for `-`. A model's name is not a
    /// label: see [`FromStr`](#impl-FromStr-for-Version) and [`Detection::from_model_name`].
    ///
    /// # Errors
    ///
    /// [`DetectError::Unknown`] when there is no such version (`v4`, `v13-spm`, an empty string), and
    /// [`DetectError::UnknownFeature`] when there is no such feature (`v13+video`, `v13+`).
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::Version;
    /// use mistral_chat_template::version::Feature;
    ///
    /// let (version, features) = Version::parse_label("v13+think+image")?;
    /// assert_eq!(version, Version::V13);
    /// assert!(features.contains(Feature::Think) && features.contains(Feature::Image));
    ///
    /// let error = Version::parse_label("v13+video").unwrap_err();
    /// assert_eq!(error.to_string(), r#""video" is not a feature; the features are image, audio, think"#);
    /// # Ok::<(), mistral_chat_template::version::DetectError>(())
    /// ```
    pub fn parse_label(label: &str) -> Result<(Self, Features), DetectError> {
        let (name, features) =
            label.split_once('+').map_or((label, None), |(name, rest)| (name, Some(rest.split('+').map(str::parse))));
        let version = Self::from_label(name).ok_or_else(|| DetectError::unknown(name))?;
        let features = features.map_or(Ok(Features::NONE), Iterator::collect)?;
        Ok((version, features))
    }

    fn from_label(label: &str) -> Option<Self> {
        let is = |name: &str| {
            name.len() == label.len()
                && name.bytes().zip(label.bytes()).all(|(n, l)| n == l.to_ascii_lowercase() || (n == b'-' && l == b'_'))
        };
        Self::ALL.iter().copied().find(|version| {
            let facts = version.facts();
            is(facts.name) || facts.alias.is_some_and(is)
        })
    }

    /// The version that a tokenizer of this kind has when its file states this number.
    fn from_number(backend: Backend, number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.backend() == backend && version.number() == number)
    }

    pub(crate) const fn backend(self) -> Backend {
        self.facts().backend
    }

    const fn number(self) -> u8 {
        self.facts().number
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a label or an alias (`v3`, `V3_TEKKEN`, `v11-tekken`), or else the name of a model
/// (`Mistral-Large-Instruct-2407`, `anthracite-org/magnum-v2-123b`).
///
/// A name goes through [`Detection::from_model_name`]; use that to learn how sure the answer is.
///
/// # Errors
///
/// What [`Detection::from_model_name`] refuses, and [`DetectError::Derived`] for a name that only contains a known
/// model's name (`Mistral-Large-Instruct-2407-Foo`): whether such a model kept the layout, its name does not say.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::Version;
///
/// assert_eq!("V11-Tekken".parse(), Ok(Version::V11));
/// assert_eq!("Mistral-Large-Instruct-2407".parse(), Ok(Version::V3));
/// assert_eq!("anthracite-org/magnum-v2-123b".parse(), Ok(Version::Magnum));
/// assert!("mistral-large-latest".parse::<Version>().is_err());
/// ```
impl FromStr for Version {
    type Err = DetectError;

    fn from_str(s: &str) -> Result<Self, DetectError> {
        if let Some(version) = Self::from_label(s) {
            return Ok(version);
        }
        let detection = Detection::from_model_name(s)?;
        if detection.certainty == Certainty::Indirect {
            return Err(DetectError::derived(s, detection.version));
        }
        Ok(detection.version)
    }
}

/// Something that a model of a version may or may not have.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::version::Feature;
///
/// assert_eq!("think".parse(), Ok(Feature::Think));
/// assert_eq!(Feature::Think.name(), "think");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Images, as a grid of `[IMG]`.
    Image,
    /// Audio, as a run of `[AUDIO]`.
    Audio,
    /// Thinking between `[THINK]` and `[/THINK]`.
    Think,
}

impl Feature {
    /// Every feature.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::version::Feature;
    ///
    /// assert!(Feature::ALL.contains(&Feature::Audio));
    /// ```
    pub const ALL: &'static [Self] = &[Self::Image, Self::Audio, Self::Think];

    /// The feature's name, as it stands after `+` in a label.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(mistral_chat_template::version::Feature::Image.name(), "image");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Think => "think",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a feature's name, in any case.
///
/// # Errors
///
/// [`DetectError::UnknownFeature`] for anything else (`video`, `+image`, an empty string).
///
/// # Examples
///
/// ```
/// use mistral_chat_template::version::Feature;
///
/// assert_eq!("Image".parse(), Ok(Feature::Image));
/// assert!("+image".parse::<Feature>().is_err());
/// ```
impl FromStr for Feature {
    type Err = DetectError;

    fn from_str(s: &str) -> Result<Self, DetectError> {
        Self::ALL
            .iter()
            .copied()
            .find(|feature| feature.name().eq_ignore_ascii_case(s))
            .ok_or_else(|| DetectError::unknown_feature(s))
    }
}

/// A set of [`Feature`]s; it prints as the tail of a label.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::version::{Feature, Features};
///
/// let features: Features = [Feature::Think, Feature::Image].into_iter().collect();
/// assert!(features.contains(Feature::Image));
/// assert_eq!(features.iter().count(), 2);
/// assert_eq!(features.to_string(), "+image+think");
/// assert_eq!(Features::NONE.to_string(), "");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Features(u8);

impl Features {
    /// No feature.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(mistral_chat_template::version::Features::NONE.is_empty());
    /// ```
    pub const NONE: Self = Self(0);

    /// This set and one more feature.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::version::{Feature, Features};
    ///
    /// const SEES: Features = Features::NONE.with(Feature::Image);
    /// assert!(SEES.contains(Feature::Image));
    /// ```
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | feature.bit())
    }

    /// Is this feature in the set?
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::version::{Feature, Features};
    ///
    /// assert!(!Features::NONE.contains(Feature::Audio));
    /// ```
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    /// Is there no feature in the set?
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::version::{Feature, Features};
    ///
    /// assert!(!Features::NONE.with(Feature::Audio).is_empty());
    /// ```
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The features of the set, in the order of [`Feature::ALL`].
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::version::{Feature, Features};
    ///
    /// let features = Features::NONE.with(Feature::Think);
    /// assert!(features.iter().eq([Feature::Think]));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |&feature| self.contains(feature))
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|feature| write!(f, "+{feature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_read_in_any_case() {
        for (label, version) in [
            ("v1", Version::V1),
            ("v1-spm", Version::V1),
            ("V3_TEKKEN", Version::V3Tekken),
            ("v7-SPM", Version::V7),
            ("v7-tekken", Version::V7Tekken),
            ("v15-tekken", Version::V15),
            ("Magnum", Version::Magnum),
        ] {
            assert_eq!(label.parse(), Ok(version), "{label}");
            assert_eq!(Version::parse_label(label), Ok((version, Features::NONE)), "{label}");
        }
    }

    #[test]
    fn no_two_versions_share_a_label() {
        let mut labels: Vec<_> = Version::ALL
            .iter()
            .flat_map(|version| [Some(version.facts().name), version.facts().alias])
            .flatten()
            .collect();
        let count = labels.len();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), count);
    }

    #[test]
    fn unknown_labels_list_the_versions() {
        let expected = "is neither a version nor a known Mistral model; the versions are v1, v1-tekken, v2, \
                        v2-tekken, v3, v3-tekken, v7, v7-tekken, v11, v13, v15, magnum";
        for label in ["v4", "", "v13-spm", "v3 tekken"] {
            let error = Version::parse_label(label).unwrap_err();
            assert_eq!(error.to_string(), format!("{label:?} {expected}"));
        }
        let error = "gpt-4".parse::<Version>().unwrap_err();
        assert_eq!(error.to_string(), format!("\"gpt-4\" {expected}"));
    }

    #[test]
    fn labels_carry_features() {
        let both = Features::NONE.with(Feature::Image).with(Feature::Think);
        assert_eq!(Version::parse_label("V13+Think+image+think"), Ok((Version::V13, both)));
        assert_eq!(
            Version::parse_label("v13+").unwrap_err().to_string(),
            r#""" is not a feature; the features are image, audio, think"#
        );
    }

    #[test]
    fn a_derived_name_is_no_version() {
        let error = "Mistral-Large-Instruct-2407-Foo".parse::<Version>();
        assert_eq!(
            error.unwrap_err().to_string(),
            "\"Mistral-Large-Instruct-2407-Foo\" names a model derived from one that is v3, and does not say whether \
             it kept the layout; if it did, name v3 itself"
        );
    }

    #[test]
    fn numbers_find_the_version_of_the_tokenizer_and_not_the_fine_tune() {
        assert_eq!(Version::from_number(Backend::SentencePiece, 3), Some(Version::V3));
        assert_eq!(Version::from_number(Backend::Tekken, 7), Some(Version::V7Tekken));
        assert_eq!(Version::from_number(Backend::SentencePiece, 11), None);
    }
}
