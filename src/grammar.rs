//! What a model may answer: a chat in, the [`Grammar`] of every answer that its layout, tools and choice allow out.
//!
//! For servers that constrain what a model samples.
//!
//! ```
//! use mistral_chat_template::chat::ToolChoice;
//! use mistral_chat_template::{Chat, Layout, Message, Tool};
//!
//! let chat = Chat {
//!     tools: vec![Tool { name: "now".into(), ..Tool::default() }],
//!     tool_choice: ToolChoice::Required,
//!     ..Chat::new([Message::user("What time is it?")])
//! };
//! let grammar = Layout::V13.grammar(&chat)?.expect("v13 has calls");
//! assert!(grammar.rules().len() > 1);
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! [`Layout::grammar`] makes the grammar as data, from the fields of the layout that also write and read calls.
//! [`Grammar::to_lark`] prints it for llguidance, [`Grammar::to_structural_tag`] for xgrammar.

use std::borrow::Cow;

use crate::chat::Chat;
use crate::control::Control;
use crate::error::Error;
use crate::layout::Layout;

mod begun;
mod build;
mod calls;
mod lark;
mod structural_tag;

pub use self::lark::LarkStyle;

/// The shape of every answer that a layout and a chat allow, as rules that name each other.
///
/// ```
/// use mistral_chat_template::grammar::{Part, Shape, TextKind};
/// use mistral_chat_template::{Chat, Control, Layout};
/// use mistral_chat_template::version::Feature;
///
/// let chat = Chat::from_json(r#"{"messages": [{"role": "user", "content": "Hi"}], "tool_choice": "none"}"#)?;
/// let layout = Layout::V13.with(Feature::Think);
/// let grammar = layout.grammar(&chat)?.ok_or("a choice of none constrains the answer")?;
///
/// let thinking = grammar.rule(Part::Thinking);
/// let text = Shape::Text(TextKind::Any);
/// let expected = Shape::Sequence(vec![Shape::Control(Control::Think), text, Shape::Control(Control::EndThink)]);
/// assert_eq!(thinking, Some(&expected));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grammar<'c> {
    rules: Vec<Rule<'c>>,
}

/// One named part of an answer.
///
/// ```
/// use mistral_chat_template::grammar::Part;
/// use mistral_chat_template::{Chat, Layout};
///
/// let chat = Chat::from_json(r#"{"messages": [], "response_format": {"type": "json_object"}}"#)?;
/// let grammar = Layout::V11.grammar(&chat)?.ok_or("JSON constrains the answer")?;
/// assert_eq!(grammar.rules()[0].part, Part::Answer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<'c> {
    /// Its name.
    pub part: Part,
    /// What it is made of.
    pub shape: Shape<'c>,
}

/// The named parts of an answer.
///
/// ```
/// use mistral_chat_template::grammar::Part;
///
/// assert_eq!(Part::Calls.lark_name(), "fcalls");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The whole answer, or what is left of one that was begun.
    Answer,
    /// An answer that is JSON, with the thinking before it.
    Json,
    /// An answer that is not JSON: text, calls, or both, with the thinking before them.
    Body,
    /// The calls, with the text before them where the layout lets every answer think.
    Calls,
    /// Text before calls that does not look like JSON, where the answer may be JSON.
    TextBeforeCalls,
    /// The text of a reply.
    Text,
    /// Thinking, between its tokens.
    Thinking,
}

/// What an answer, or a part of one, is made of.
///
/// ```
/// use mistral_chat_template::grammar::{Shape, Times};
///
/// let shape = Shape::Repeat(Box::new(Shape::Literal("ha".into())), Times::OneOrMore);
/// assert_ne!(shape, Shape::Literal("ha".into()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shape<'c> {
    /// A part that has a rule.
    Part(Part),
    /// A control token.
    Control(Control),
    /// This text.
    Literal(Cow<'c, str>),
    /// Text that no schema describes; it holds no control token.
    Text(TextKind),
    /// The name of a tool.
    Name {
        /// The names.
        names: Vec<Cow<'c, str>>,
        /// Whether mistral-common insists on them; where it does not, its grammar accepts any line of text as a name.
        /// It insists where a tool is strict, or the choice names one.
        pinned: bool,
    },
    /// JSON that is the text of an answer and follows a schema, which is printed as Python prints it. White space may
    /// come before the JSON and stand in it, since a layout keeps it.
    Json(Cow<'c, str>),
    /// JSON that follows a schema, in the one form that the layout prints: that of [`python_json`](crate::python_json).
    PrintedJson(Cow<'c, str>),
    /// One after the other.
    Sequence(Vec<Shape<'c>>),
    /// One of them.
    Choice(Vec<Shape<'c>>),
    /// The same several times.
    Repeat(Box<Shape<'c>>, Times),
}

/// A kind of free text.
///
/// ```
/// use mistral_chat_template::grammar::TextKind;
///
/// assert_eq!(TextKind::NineAlphanumeric.pattern(), "[a-zA-Z0-9]{9}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextKind {
    /// Any text but an empty one.
    Any,
    /// Any text that does not end with a space, which a layout would trim.
    Trimmed,
    /// One line of text.
    Line,
    /// Text that does not look like JSON, its first character past the white space being neither `{` nor `[`, and that
    /// does not end with a space.
    NotJson,
    /// Up to eight characters of white space.
    Space,
    /// The id of a call: nine ASCII letters or digits.
    NineAlphanumeric,
}

impl TextKind {
    /// The regular expression of the text.
    ///
    /// ```
    /// # use mistral_chat_template::grammar::TextKind;
    /// assert_eq!(TextKind::Any.pattern(), r"(.|\n)+");
    /// ```
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            TextKind::Any => r"(.|\n)+",
            TextKind::Line => ".+",
            TextKind::Trimmed => r"(.|\n)*[^ ]",
            TextKind::NotJson => r"[ \t\r\n]*([\t\r\n]|[^{\[\s]((.|\n)*[^ ])?)",
            TextKind::Space => r"[ \t\r\n]{1,8}",
            TextKind::NineAlphanumeric => "[a-zA-Z0-9]{9}",
        }
    }
}

/// How often a shape comes.
///
/// ```
/// use mistral_chat_template::grammar::Times;
///
/// assert_eq!(Times::ZeroOrMore.as_str(), "*");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Times {
    /// Once or not at all.
    Optional,
    /// Any number of times.
    ZeroOrMore,
    /// At least once.
    OneOrMore,
}

impl Times {
    /// The sign that grammars and regular expressions have for it.
    ///
    /// ```
    /// # use mistral_chat_template::grammar::Times;
    /// assert_eq!(Times::Optional.as_str(), "?");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Times::Optional => "?",
            Times::ZeroOrMore => "*",
            Times::OneOrMore => "+",
        }
    }
}

impl<'c> Shape<'c> {
    fn optional(self) -> Self {
        Shape::Repeat(Box::new(self), Times::Optional)
    }

    /// A sequence, in which neighbouring literals are one and an inner sequence is part of the outer one.
    fn sequence(shapes: impl IntoIterator<Item = Shape<'c>>) -> Self {
        fn push<'c>(shape: Shape<'c>, flat: &mut Vec<Shape<'c>>) {
            match (shape, flat.last_mut()) {
                (Shape::Literal(more), Some(Shape::Literal(text))) => text.to_mut().push_str(&more),
                (shape, _) => flat.push(shape),
            }
        }
        let mut flat = Vec::new();
        for shape in shapes {
            match shape {
                Shape::Sequence(inner) => inner.into_iter().for_each(|shape| push(shape, &mut flat)),
                shape => push(shape, &mut flat),
            }
        }
        match <[Shape<'c>; 1]>::try_from(flat) {
            Ok([shape]) => shape,
            Err(flat) => Shape::Sequence(flat),
        }
    }

    /// A choice, which is its only shape where there is one.
    fn choice(shapes: Vec<Shape<'c>>) -> Self {
        match <[Shape<'c>; 1]>::try_from(shapes) {
            Ok([shape]) => shape,
            Err(shapes) => Shape::Choice(shapes),
        }
    }
}

impl<'c> Grammar<'c> {
    /// The rules; the first is that of the whole answer.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout};
    ///
    /// let chat = Chat::from_json(r#"{"messages": [], "tool_choice": "none"}"#)?;
    /// let grammar = Layout::V3.grammar(&chat)?.ok_or("a choice of none constrains the answer")?;
    /// assert_eq!(grammar.rules().len(), 4, "answer, body, calls and text");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rules(&self) -> &[Rule<'c>] {
        &self.rules
    }

    /// The shape of a part, where the grammar has it.
    ///
    /// ```
    /// use mistral_chat_template::grammar::Part;
    /// use mistral_chat_template::{Chat, Layout};
    ///
    /// let chat = Chat::from_json(r#"{"messages": [], "tool_choice": "none"}"#)?;
    /// let grammar = Layout::V3.grammar(&chat)?.ok_or("a choice of none constrains the answer")?;
    /// assert_eq!(grammar.rule(Part::Thinking), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rule(&self, part: Part) -> Option<&Shape<'c>> {
        self.rules.iter().find(|rule| rule.part == part).map(|rule| &rule.shape)
    }
}

impl Layout {
    /// The grammar of every answer to the chat that this layout, the chat's tools, its `tool_choice` and its
    /// `response_format` allow; `None` where nothing is constrained.
    ///
    /// Where the last message is a [`prefix`](crate::AssistantMessage::prefix), it is the grammar of what may follow.
    /// Messages are not checked: rendering the prompt does that.
    ///
    /// The choices are mistral-common 1.13.1's, which has grammars from v11 on; for earlier versions they are those of
    /// v11, in how the version writes its calls. A strict answer schema of `{}` constrains nothing, as there.
    ///
    /// An answer of the grammar is what the layout prints for the message that it says: arguments have Python's form,
    /// text does not end with spaces that the layout trims, and after a control token SentencePiece's space comes
    /// first. [`Grammar::to_lark`] says what Lark cannot keep of that.
    ///
    /// # Errors
    ///
    /// What asks for two things at once: a call that is required or named without tools, or beside an answer of JSON; a
    /// function that the tools do not have; tools for a version that cannot call ([`Layout::V1`]); a schema that Python
    /// cannot read, or prints with `Infinity` or `NaN`. What no grammar can say: the rest of JSON that was begun; a call after text where the version has
    /// either.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout};
    ///
    /// let free = Chat::from_json(r#"{"messages": [{"role": "user", "content": "Hi"}]}"#)?;
    /// assert!(Layout::V13.grammar(&free)?.is_none());
    ///
    /// let json = r#"{"messages": [{"role": "user", "content": "Hi"}], "tool_choice": "required"}"#;
    /// let error = Layout::V13.grammar(&Chat::from_json(json)?).unwrap_err();
    /// assert_eq!(error.to_string(), "tool_choice: a call is required, and there are no tools (v13)");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn grammar<'c>(&self, chat: &'c Chat<'_>) -> Result<Option<Grammar<'c>>, Error> {
        build::grammar(self, chat)
    }
}
