//! [`Builtin`]: presets that were published, or that come with SillyTavern, by name.

use std::fmt;
use std::str::FromStr;

use super::fields::{Context, STORY};
use super::{Preset, SystemPrompt};
use crate::error::{Error, ErrorKind};

/// A preset pair by name.
///
/// ```
/// use mistral_chat_template::preset::Builtin;
///
/// let magnum: Builtin = "magnum".parse()?;
/// assert_eq!(magnum.preset().instruct.input_sequence, "[INST] ");
///
/// let error = "mistral-v9".parse::<Builtin>().unwrap_err();
/// assert!(error.to_string().starts_with("\"mistral-v9\" is not a built-in preset; those are magnum, "));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Builtin {
    /// `magnum`: what `anthracite-org/magnum-v2-123b` publishes.
    Magnum,
    /// `mistral-2024-07`: SillyTavern's "Mistral" of July 2024 (1.12.3 to 1.12.5).
    Mistral202407,
    /// `mistral-v1`: SillyTavern 1.19.0's "Mistral V1".
    MistralV1,
    /// `mistral-v2-v3`: SillyTavern 1.19.0's "Mistral V2 & V3".
    MistralV2V3,
    /// `mistral-v3-tekken`: SillyTavern 1.19.0's "Mistral V3-Tekken".
    MistralV3Tekken,
    /// `mistral-v7`: SillyTavern 1.19.0's "Mistral V7".
    MistralV7,
    /// `mistral-v7-tekken`: SillyTavern 1.19.0's "Mistral V7-Tekken".
    MistralV7Tekken,
}

/// The two files of a pair.
macro_rules! files {
    ($name:literal) => {
        (
            include_str!(concat!("builtin/", $name, ".context.json")),
            include_str!(concat!("builtin/", $name, ".instruct.json")),
        )
    };
}

impl Builtin {
    /// Every one of them.
    pub const ALL: [Builtin; 7] = [
        Builtin::Magnum,
        Builtin::Mistral202407,
        Builtin::MistralV1,
        Builtin::MistralV2V3,
        Builtin::MistralV3Tekken,
        Builtin::MistralV7,
        Builtin::MistralV7Tekken,
    ];

    pub(crate) const NAMES: &'static str =
        "magnum, mistral-2024-07, mistral-v1, mistral-v2-v3, mistral-v3-tekken, mistral-v7 and mistral-v7-tekken";

    /// The name.
    ///
    /// ```
    /// # use mistral_chat_template::preset::Builtin;
    /// assert_eq!(Builtin::MistralV2V3.as_str(), "mistral-v2-v3");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Builtin::Magnum => "magnum",
            Builtin::Mistral202407 => "mistral-2024-07",
            Builtin::MistralV1 => "mistral-v1",
            Builtin::MistralV2V3 => "mistral-v2-v3",
            Builtin::MistralV3Tekken => "mistral-v3-tekken",
            Builtin::MistralV7 => "mistral-v7",
            Builtin::MistralV7Tekken => "mistral-v7-tekken",
        }
    }

    /// The context and the instruct file, as they were published.
    ///
    /// ```
    /// # use mistral_chat_template::preset::Builtin;
    /// let (context, instruct) = Builtin::Magnum.files();
    /// assert_eq!((context.len(), instruct.len()), (684, 698));
    /// ```
    #[must_use]
    pub const fn files(self) -> (&'static str, &'static str) {
        match self {
            Builtin::Magnum => files!("magnum"),
            Builtin::Mistral202407 => files!("mistral-2024-07"),
            Builtin::MistralV1 => files!("mistral-v1"),
            Builtin::MistralV2V3 => files!("mistral-v2-v3"),
            Builtin::MistralV3Tekken => files!("mistral-v3-tekken"),
            Builtin::MistralV7 => files!("mistral-v7"),
            Builtin::MistralV7Tekken => files!("mistral-v7-tekken"),
        }
    }

    /// The pair, loaded; without a system prompt.
    ///
    /// ```
    /// # use mistral_chat_template::preset::{Builtin, NamesBehavior};
    /// assert_eq!(Builtin::Magnum.preset().instruct.names_behavior, NamesBehavior::Always, "its `names` is true");
    /// ```
    #[must_use]
    pub fn preset(self) -> Preset {
        let (context, instruct) = self.files();
        let mut preset = Preset::default();
        // Tests hold that every file loads.
        let loaded = preset.load_context(context).and_then(|()| preset.load_instruct(instruct));
        debug_assert!(loaded.is_ok());
        preset.system = None::<SystemPrompt>;
        preset
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Builtin {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Builtin::ALL.into_iter().find(|preset| preset.as_str().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::new(ErrorKind::UnknownPreset { name: name.to_owned(), known: Self::NAMES }, ""))
    }
}

/// The context presets of SillyTavern 1.19.0 that differ in nothing but their names.
const SHIPPED: [&str; 11] = [
    "Alpaca",
    "ChatML",
    "ChatML-Names",
    "Gemma 2",
    "Llama 3 Instruct",
    "Metharme",
    "Mistral V1",
    "Mistral V2 & V3",
    "Mistral V3-Tekken",
    "Mistral V7",
    "Mistral V7-Tekken",
];

impl Context {
    /// The context preset that SillyTavern 1.19.0 comes with and that it selects with the instruct preset of the same
    /// name, if it is set to. The ones whose values are known are those for Mistral's, and some others that equal them.
    ///
    /// ```
    /// # use mistral_chat_template::preset::Context;
    /// assert_eq!(Context::shipped("Mistral V7").map(|context| context.chat_start).as_deref(), Some(""));
    /// assert_eq!(Context::shipped("Mistral"), None, "which is no longer there");
    /// ```
    #[must_use]
    pub fn shipped(name: &str) -> Option<Context> {
        SHIPPED.contains(&name).then(|| Context {
            story_string: STORY.to_owned(),
            example_separator: String::new(),
            chat_start: String::new(),
            use_stop_strings: false,
            name: name.to_owned(),
            ..Context::default()
        })
    }
}
