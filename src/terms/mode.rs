//! [`Mode`]: what a prompt is for.

/// What a prompt is for: it decides which message may be last, and whether calls may lack ids or results.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
///
/// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
/// assert!(Layout::V3.in_mode(Mode::Finetuning).render(&chat).is_ok());
/// assert!(Layout::V3.in_mode(Mode::Serving).render(&chat).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Answering requests: the chat names a model, and every call has its result.
    Serving,
    /// Learning: the last message is the assistant's, complete.
    Finetuning,
    /// As serving, without what only a server needs.
    #[default]
    Test,
    /// Any chat: no rule about the last message.
    Agnostic,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 4] = [Mode::Serving, Mode::Finetuning, Mode::Test, Mode::Agnostic];

    /// The mode's name in mistral-common.
    ///
    /// ```
    /// # use mistral_chat_template::Mode;
    /// assert_eq!(Mode::Finetuning.as_str(), "finetuning");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Serving => "serving",
            Mode::Finetuning => "finetuning",
            Mode::Test => "test",
            Mode::Agnostic => "agnostic",
        }
    }

    /// Is the prompt for a model to answer, so that nothing may be open?
    pub(crate) const fn serves(self) -> bool {
        match self {
            Mode::Serving => true,
            Mode::Finetuning | Mode::Test | Mode::Agnostic => false,
        }
    }

    /// Is the last message, a reply, learnt from?
    pub(crate) const fn learns(self) -> bool {
        match self {
            Mode::Finetuning => true,
            Mode::Serving | Mode::Test | Mode::Agnostic => false,
        }
    }

    /// The mode of this name.
    ///
    /// ```
    /// # use mistral_chat_template::Mode;
    /// assert_eq!(Mode::from_name("serving"), Some(Mode::Serving));
    /// assert_eq!(Mode::from_name("strict"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}
