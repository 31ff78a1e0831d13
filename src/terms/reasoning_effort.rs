//! [`ReasoningEffort`]: how much a model reasons before it answers.

use std::fmt;

/// How much the model should reason before it answers.
///
/// ```
/// use mistral_chat_template::chat::ReasoningEffort;
///
/// assert_eq!(ReasoningEffort::High.as_str(), "high");
/// assert_eq!(ReasoningEffort::from_name("none"), Some(ReasoningEffort::None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum ReasoningEffort {
    /// `none`
    None,
    /// `minimal`
    Minimal,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `xhigh`
    XHigh,
    /// `max`
    Max,
}

impl ReasoningEffort {
    /// Every effort, least first.
    pub const ALL: [ReasoningEffort; 7] = [
        ReasoningEffort::None,
        ReasoningEffort::Minimal,
        ReasoningEffort::Low,
        ReasoningEffort::Medium,
        ReasoningEffort::High,
        ReasoningEffort::XHigh,
        ReasoningEffort::Max,
    ];

    /// The name in JSON.
    ///
    /// ```
    /// # use mistral_chat_template::chat::ReasoningEffort;
    /// assert_eq!(ReasoningEffort::XHigh.as_str(), "xhigh");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReasoningEffort::None => "none",
            ReasoningEffort::Minimal => "minimal",
            ReasoningEffort::Low => "low",
            ReasoningEffort::Medium => "medium",
            ReasoningEffort::High => "high",
            ReasoningEffort::XHigh => "xhigh",
            ReasoningEffort::Max => "max",
        }
    }

    /// The effort of this name in JSON.
    ///
    /// ```
    /// # use mistral_chat_template::chat::ReasoningEffort;
    /// assert_eq!(ReasoningEffort::from_name("huge"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == name)
    }
}

impl fmt::Display for ReasoningEffort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
