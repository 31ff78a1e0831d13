//! [`Role`]: who a message comes from.

use std::fmt;

/// Who a message comes from.
///
/// ```
/// use mistral_chat_template::{Message, Role};
///
/// assert_eq!(Message::user("Hi").role(), Role::User);
/// assert_eq!(Role::Assistant.to_string(), "assistant");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Instructions from the operator of the model.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

impl Role {
    /// The role's name in JSON.
    ///
    /// ```
    /// # use mistral_chat_template::Role;
    /// assert_eq!(Role::Tool.as_str(), "tool");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
