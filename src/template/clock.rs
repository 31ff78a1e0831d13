//! The time that a caller gives a template.

/// Tells a template what time it is.
pub(super) type Clock = dyn Fn() -> ClockTime + Send + Sync;

/// A point in time, for `strftime_now`.
///
/// ```
/// use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
/// use mistral_chat_template::template::ClockTime;
///
/// let template = ChatTemplate::new("{{ strftime_now('%d %B %Y') }}")?.clock(|| ClockTime::from_unix_seconds(1_720_051_200));
/// let prompt = template.render(&Chat::new([Message::user("Hi")]))?;
/// assert_eq!(prompt.as_str(), "04 July 2024");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClockTime {
    /// Seconds since the beginning of 1970, in the time zone that the template is to see.
    seconds: i64,
}

impl ClockTime {
    /// The time this many seconds after the beginning of 1970, in UTC; for another zone, with its offset added.
    ///
    /// ```
    /// # use mistral_chat_template::template::ClockTime;
    /// assert!(ClockTime::from_unix_seconds(0) < ClockTime::from_unix_seconds(3600));
    /// ```
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        ClockTime { seconds }
    }

    /// The seconds since the beginning of 1970.
    pub(super) const fn seconds(self) -> i64 {
        self.seconds
    }
}
