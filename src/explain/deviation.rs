//! [`Deviation`]: one place where a prompt is not what its layout writes.

use std::fmt;
use std::ops::Range;

use crate::chat::Role;
use crate::control::Control;

/// One place where a prompt is not what its layout writes, and the mend.
///
/// It reads as a sentence.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::explain::{DeviationKind, Explanation};
///
/// let explanation = Explanation::new("<s>[INST]  Hi[/INST]", &Layout::V7);
/// let deviation = &explanation.deviations[0];
/// assert_eq!(deviation.kind, DeviationKind::ExtraSpace { beside: "[INST]" });
/// assert_eq!((deviation.range.clone(), deviation.mend.as_deref()), (10..11, Some("")));
/// assert_eq!(deviation.to_string(), "a space too many beside [INST]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deviation {
    /// What is wrong.
    pub kind: DeviationKind,
    /// The bytes of the prompt that are wrong; an empty range is where something is missing.
    pub range: Range<usize>,
    /// What belongs there instead, which may be nothing; `None` if only the writer of the prompt can say.
    pub mend: Option<String>,
}

/// What can be wrong with a prompt.
///
/// ```
/// use mistral_chat_template::explain::DeviationKind;
///
/// assert_eq!(DeviationKind::DoubleBegin.to_string(), "a second <s>");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviationKind {
    /// No `<s>` begins the prompt; a server may add it.
    MissingBegin,
    /// A second `<s>` at the beginning: a template and a tokenizer each set one.
    DoubleBegin,
    /// A `<s>` inside of the prompt.
    StrayBegin,
    /// No `</s>` ends a reply.
    MissingEnd,
    /// A `</s>` that ends no reply.
    StrayEnd,
    /// Spaces that the layout does not write.
    ExtraSpace {
        /// The literal that they stand beside.
        beside: &'static str,
    },
    /// A space that the layout writes is missing.
    MissingSpace {
        /// The literal that it belongs beside.
        beside: &'static str,
    },
    /// White space between two turns, or where the model's reply is to begin.
    Blank,
    /// A turn or block does not end.
    Unclosed {
        /// What ends it.
        literal: &'static str,
    },
    /// What someone said spells a control token, and a tokenizer that reads the string treats it as one.
    LiteralInText {
        /// The control token.
        control: Control,
        /// Who said it.
        role: Role,
    },
    /// A control token of other layouts or models, which is text here.
    UnknownControl {
        /// What is written.
        literal: String,
    },
    /// A control token where it has no place.
    StrayControl {
        /// The control token.
        control: Control,
    },
    /// The system prompt, where the layout does not put it.
    SystemElsewhere,
    /// The system prompt belongs here.
    SystemBelongsHere,
    /// Between the system prompt and what the user says stands something else than the layout writes.
    SystemJoin,
    /// The tools, where the layout does not put them.
    ToolsElsewhere,
    /// The tools belong here.
    ToolsBelongHere,
    /// A block, a result or a reply cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
    /// The layout does not accept such a chat.
    Refused {
        /// Why.
        why: String,
    },
    /// From here on, the layout writes something else.
    Differs {
        /// How what it writes goes on.
        expected: String,
    },
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for DeviationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviationKind::MissingBegin => f.write_str("<s> is missing, unless the tokenizer adds it"),
            DeviationKind::DoubleBegin => f.write_str("a second <s>"),
            DeviationKind::StrayBegin => f.write_str("<s> begins a prompt, and stands nowhere else"),
            DeviationKind::MissingEnd => f.write_str("</s> is missing at the end of the reply"),
            DeviationKind::StrayEnd => f.write_str("</s> ends a reply, but no reply is open"),
            DeviationKind::ExtraSpace { beside } => write!(f, "a space too many beside {beside}"),
            DeviationKind::MissingSpace { beside } => write!(f, "a space is missing beside {beside}"),
            DeviationKind::Blank => f.write_str("white space where the layout writes nothing"),
            DeviationKind::Unclosed { literal } => write!(f, "{literal} is missing"),
            DeviationKind::LiteralInText { control, role } => {
                write!(
                    f,
                    "text of the {role} spells {control}, which becomes the control token in a tokenizer that reads strings"
                )
            }
            DeviationKind::UnknownControl { literal } => write!(f, "{literal} is text here, not a control token"),
            DeviationKind::StrayControl { control } => write!(f, "{control} has no place here"),
            DeviationKind::SystemElsewhere => f.write_str("the system prompt does not belong here"),
            DeviationKind::SystemBelongsHere => f.write_str("the system prompt belongs here"),
            DeviationKind::SystemJoin => f.write_str("something else belongs after the system prompt"),
            DeviationKind::ToolsElsewhere => f.write_str("the tools do not belong here"),
            DeviationKind::ToolsBelongHere => f.write_str("the tools belong here"),
            DeviationKind::Unreadable { why } | DeviationKind::Refused { why } => f.write_str(why),
            DeviationKind::Differs { expected } => write!(f, "the layout goes on with {expected:?}"),
        }
    }
}
