//! [`PrefixBreak`]: where a prompt stops beginning with an earlier one, and why.

use std::fmt;

use super::{DivergenceKind, Prompt};
use crate::chat::Role;
use crate::layout::UserTurn;

/// Where and why a prompt does not begin with an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrefixBreak {
    /// The first segment of the earlier prompt that the other does not have there.
    pub segment: usize,
    /// The message of the earlier chat that it comes from, where from one.
    pub message: Option<usize>,
    /// Why.
    pub cause: BreakCause,
}

/// The cause, as a sentence.
impl fmt::Display for PrefixBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

/// Why a prompt does not begin with an earlier one.
///
/// ```
/// use mistral_chat_template::layout::UserTurn;
/// use mistral_chat_template::prompt::BreakCause;
///
/// let cause = BreakCause::ToolsMove { to: UserTurn::Last };
/// assert_eq!(cause.to_string(), "the tools move to the last user turn");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakCause {
    /// The system prompt stands in another user turn.
    SystemMoves {
        /// The user turn in which the layout has it.
        to: UserTurn,
    },
    /// The system prompt is another one.
    SystemChanges,
    /// The tools stand before another user turn.
    ToolsMove {
        /// The user turn before which the layout has them.
        to: UserTurn,
    },
    /// The tools are others.
    ToolsChange,
    /// The settings stand before another user turn.
    SettingsMove {
        /// The user turn before which the layout has them.
        to: UserTurn,
    },
    /// The settings are others.
    SettingsChange,
    /// Tool calls and results are left out that the earlier prompt has.
    ToolTurnsDropped,
    /// Results stand in another order.
    ResultsReordered,
    /// The last turn goes on with the next message.
    TurnGoesOn {
        /// Whose turn it is.
        role: Role,
    },
    /// A message is another one.
    MessageChanges,
    /// The reply that the model sampled last is another one, or gone.
    ReplyChanges,
    /// The other prompt is shorter.
    Shorter,
    /// The layout is another one.
    LayoutChanges,
    /// Rendered, the prompts part so.
    Diverges(DivergenceKind),
}

impl fmt::Display for BreakCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |to: &UserTurn| match to {
            UserTurn::First => "the first user turn",
            UserTurn::Last => "the last user turn",
        };
        match self {
            BreakCause::SystemMoves { to } => write!(f, "the system prompt moves to {}", place(to)),
            BreakCause::SystemChanges => f.write_str("the system prompt changes"),
            BreakCause::ToolsMove { to } => write!(f, "the tools move to {}", place(to)),
            BreakCause::ToolsChange => f.write_str("the tools change"),
            BreakCause::SettingsMove { to } => write!(f, "the settings move to {}", place(to)),
            BreakCause::SettingsChange => f.write_str("the settings change"),
            BreakCause::ToolTurnsDropped => {
                f.write_str("tool calls and results before the last user turn are left out")
            }
            BreakCause::ResultsReordered => f.write_str("the results go into the order of their calls"),
            BreakCause::TurnGoesOn { role } => write!(f, "the next message goes on with the last {role} turn"),
            BreakCause::MessageChanges => f.write_str("a message changes"),
            BreakCause::ReplyChanges => f.write_str("the last reply changes"),
            BreakCause::Shorter => f.write_str("the earlier prompt is longer"),
            BreakCause::LayoutChanges => f.write_str("the layout changes"),
            BreakCause::Diverges(kind) => kind.fmt(f),
        }
    }
}

impl Prompt {
    /// Where this prompt parts from an earlier one, whatever rendered both; `None` if it begins with it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, Preset};
    /// use mistral_chat_template::preset::Scene;
    ///
    /// let preset = Preset::for_layout(&Layout::V7)?.with_scene(&Scene::default())?;
    /// let earlier = preset.render(&Chat::new([Message::user("Hi")]))?;
    /// let whole = preset.render(&Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]))?;
    /// assert_eq!(whole.prefix_break(&earlier), None);
    ///
    /// let parts = earlier.prefix_break(&whole).expect("the earlier prompt does not begin with the whole one");
    /// assert_eq!(parts.to_string(), "the earlier prompt is longer");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn prefix_break(&self, earlier: &Prompt) -> Option<PrefixBreak> {
        let divergence = earlier.divergence(self)?;
        let cause = match divergence.kind {
            DivergenceKind::Continued if divergence.segment == earlier.segments().count() => return None,
            DivergenceKind::Continued => BreakCause::Shorter,
            kind => BreakCause::Diverges(kind),
        };
        Some(PrefixBreak { segment: divergence.segment, message: divergence.message, cause })
    }
}
