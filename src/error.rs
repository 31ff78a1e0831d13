//! What is wrong with an input, where, and for which layout: [`Error`].
//!
//! ```
//! use mistral_chat_template::{Chat, ErrorKind, Format, Layout, Message};
//!
//! let error = Layout::V3.render(&Chat::new([Message::user("Hi"), Message::tool("42")])).unwrap_err();
//! assert_eq!(error.to_string(), "messages[1].role: a tool message cannot follow a user message (v3)");
//! assert_eq!((error.at(), error.kind().name()), ("messages[1].role", "role_order"));
//! ```

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use crate::version::DetectError;

mod api_error;
mod error_kind;

pub use self::api_error::{ApiError, Fault};
pub use self::error_kind::{ErrorKind, Family};

/// What is wrong with an input, and where.
///
/// It reads as a sentence: the path to the culprit, what is wrong, and the layout that says so.
///
/// ```
/// use mistral_chat_template::{Chat, ErrorKind, Format, Layout, Message};
///
/// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello"), Message::system("Be kind.")]);
/// let error = Layout::V7.render(&chat).unwrap_err();
/// assert_eq!(error.to_string(), "messages[2].role: a system message cannot follow an assistant message (v7)");
/// assert_eq!(error.at(), "messages[2].role");
/// assert!(matches!(error.kind(), ErrorKind::RoleOrder { .. }));
/// ```
///
/// It is one word wide, so that results stay small.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    at: String,
    layout: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// What the input looks like, where that may be why.
    hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, at: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, at: at.into(), layout: None, source: None, hint: None }))
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn in_layout(mut self, layout: &str) -> Self {
        self.0.layout = Some(Cow::Owned(layout.to_owned()));
        self
    }

    /// The same error at another place.
    pub(crate) fn moved_to(mut self, at: String) -> Self {
        self.0.at = at;
        self
    }

    /// The same error at the place that its own stands for.
    pub(crate) fn moved(mut self, place: impl FnOnce(&str) -> String) -> Self {
        self.0.at = place(&self.0.at);
        self
    }

    /// The same error, with what the input looks like.
    pub(crate) fn with_hint(mut self, hint: String) -> Self {
        self.0.hint = Some(hint);
        self
    }

    /// What is wrong.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ErrorKind};
    ///
    /// let error = Chat::from_json(r#"{"messages": [{"role": "user"}]}"#).unwrap_err();
    /// assert_eq!(error.kind(), &ErrorKind::MissingField("content"));
    /// ```
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The path to the culprit, such as `messages[3].tool_calls[0].id`; empty for the input as a whole.
    ///
    /// ```
    /// use mistral_chat_template::Chat;
    ///
    /// let error = Chat::from_json(r#"{"messages": [{"role": "user"}]}"#).unwrap_err();
    /// assert_eq!(error.at(), "messages[0]");
    /// ```
    #[must_use]
    pub fn at(&self) -> &str {
        &self.0.at
    }

    /// The name of the layout whose rule was broken, where one was.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout};
    ///
    /// assert_eq!(Layout::V11.render(&Chat::default()).unwrap_err().layout(), Some("v11"));
    /// ```
    #[must_use]
    pub fn layout(&self) -> Option<&str> {
        self.0.layout.as_deref()
    }

    /// The class of errors that mistral-common puts this one into.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout};
    /// use mistral_chat_template::error::Family;
    ///
    /// assert_eq!(Layout::V3.render(&Chat::default()).unwrap_err().family(), Family::MessageStructure);
    /// ```
    #[must_use]
    pub fn family(&self) -> Family {
        self.0.kind.family()
    }

    /// Whose fault it is: that of the client that sent the input, of the model or of the configuration.
    /// [`ApiError`] makes a server's answer of it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout};
    /// use mistral_chat_template::error::Fault;
    ///
    /// assert_eq!(Layout::V3.render(&Chat::default()).unwrap_err().fault(), Fault::Client);
    /// ```
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.0.kind.fault()
    }
}

impl From<DetectError> for Error {
    fn from(error: DetectError) -> Self {
        Error::new(ErrorKind::Version(error), "")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, at, layout, source, hint } = &*self.0;
        if !at.is_empty() {
            write!(f, "{at}: ")?;
        }
        match (kind, source) {
            (ErrorKind::Json, Some(source)) => write!(f, "{source}")?,
            (kind, Some(source)) => write!(f, "{kind}: {source}")?,
            (kind, None) => write!(f, "{kind}")?,
        }
        if let Some(layout) = layout {
            write!(f, " ({layout})")?;
        }
        match hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, at, layout, source, hint } = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", kind).field("at", at).field("layout", layout).field("source", source);
        debug.field("hint", hint).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
