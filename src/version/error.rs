//! What was seen and why it does not settle a version comes in, a sentence comes out.

use super::{Feature, Version};
use thiserror::Error;

/// Why there is no version for what was given.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::version::{DetectError, Detection};
///
/// let error = Detection::from_model_name("magnum-v2-12b").unwrap_err();
/// assert!(matches!(error, DetectError::Foreign { .. }));
/// assert_eq!(
///     error.to_string(),
///     r#""magnum-v2-12b" has none of these layouts: it was trained on ChatML turns over Mistral Nemo"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DetectError {
    /// It is neither a version's label nor the name of a model in the table.
    #[error("{saw:?} is neither a version nor a known Mistral model; the versions are {}", versions())]
    #[non_exhaustive]
    Unknown {
        /// What was given, shortened if it was long.
        saw: String,
    },
    /// It names a feature that there is not.
    #[error("{saw:?} is not a feature; the features are {}", list(Feature::ALL))]
    #[non_exhaustive]
    UnknownFeature {
        /// What was given, shortened if it was long.
        saw: String,
    },
    /// It fits several versions.
    #[error("{saw:?} does not settle the version: {why}; name one of {}", versions())]
    #[non_exhaustive]
    Undecided {
        /// What was given, shortened if it was long.
        saw: String,
        /// What is missing.
        why: String,
    },
    /// It is a model with another layout.
    #[error("{saw:?} has none of these layouts: {why}")]
    #[non_exhaustive]
    Foreign {
        /// What was given, shortened if it was long.
        saw: String,
        /// What the model has instead.
        why: String,
    },
    /// It is derived from a model in the table, and [`Version`] has no room for the doubt.
    #[error(
        "{saw:?} names a model derived from one that is {version}, and does not say whether it kept the layout; \
         if it did, name {version} itself"
    )]
    #[non_exhaustive]
    Derived {
        /// What was given, shortened if it was long.
        saw: String,
        /// The version of the model that it comes from.
        version: Version,
    },
    /// Two pieces of evidence exclude each other.
    #[error("the evidence disagrees: {one}, but {other}")]
    #[non_exhaustive]
    Conflict {
        /// The first piece.
        one: String,
        /// The piece that excludes it.
        other: String,
    },
    /// It is not a `tekken.json` that a tokenizer could be built from.
    #[error("no version in this tekken.json: {why}")]
    #[non_exhaustive]
    Tekken {
        /// What is wrong with it.
        why: String,
    },
}

impl DetectError {
    pub(super) fn unknown(saw: &str) -> Self {
        Self::Unknown { saw: clip(saw) }
    }

    pub(super) fn unknown_feature(saw: &str) -> Self {
        Self::UnknownFeature { saw: clip(saw) }
    }

    pub(super) fn undecided(saw: &str, why: impl Into<String>) -> Self {
        Self::Undecided { saw: clip(saw), why: why.into() }
    }

    pub(super) fn foreign(saw: &str, why: impl Into<String>) -> Self {
        Self::Foreign { saw: clip(saw), why: why.into() }
    }

    pub(super) fn derived(saw: &str, version: Version) -> Self {
        Self::Derived { saw: clip(saw), version }
    }

    pub(super) fn conflict(one: impl Into<String>, other: impl Into<String>) -> Self {
        Self::Conflict { one: one.into(), other: other.into() }
    }

    pub(super) fn tekken(why: impl Into<String>) -> Self {
        Self::Tekken { why: why.into() }
    }
}

/// The start of a text, for a message that quotes it.
pub(super) fn clip(text: &str) -> String {
    const LIMIT: usize = 80;
    let mut clipped: String = text.chars().take(LIMIT).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

fn versions() -> String {
    list(Version::ALL)
}

fn list<T: ToString>(items: &[T]) -> String {
    let names: Vec<_> = items.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_clipped_at_a_character() {
        assert_eq!(clip("short"), "short");
        assert_eq!(clip(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(clip(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
