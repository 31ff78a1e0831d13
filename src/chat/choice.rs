//! [`ToolChoice`]: which of a chat's tools the model may or must call.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::Serializer;

use super::{borrow::view, owned};

/// Which of a chat's tools the model may or must call: `tool_choice` in JSON.
///
/// It changes no prompt; a server enforces it while it samples.
///
/// ```
/// use mistral_chat_template::Chat;
/// use mistral_chat_template::chat::ToolChoice;
///
/// let chat = Chat::from_json(r#"{"messages": [], "tool_choice": {"type": "function", "function": {"name": "now"}}}"#)?;
/// assert_eq!(chat.tool_choice, ToolChoice::Named("now".into()));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice<'a> {
    /// The model decides.
    #[default]
    Auto,
    /// No tool.
    None,
    /// At least one call, of any tool: `"required"`, or, as Mistral's API also says, `"any"`.
    Required,
    /// At least one call, of this tool.
    Named(Cow<'a, str>),
    /// Only some of the tools: OpenAI's `"allowed_tools"`.
    Allowed {
        /// Whether one of them must be called.
        mode: CallMode,
        /// Their names.
        names: Vec<Cow<'a, str>>,
    },
}

/// Whether the model may call the tools that it is allowed to call, or must call one of them.
///
/// ```
/// use mistral_chat_template::chat::CallMode;
///
/// assert_eq!(CallMode::Required.as_str(), "required");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallMode {
    /// It may.
    Auto,
    /// It must.
    Required,
}

impl CallMode {
    /// The mode's name in JSON.
    ///
    /// ```
    /// # use mistral_chat_template::chat::CallMode;
    /// assert_eq!(CallMode::Auto.as_str(), "auto");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CallMode::Auto => "auto",
            CallMode::Required => "required",
        }
    }
}

impl ToolChoice<'_> {
    pub(crate) fn into_owned(self) -> ToolChoice<'static> {
        match self {
            ToolChoice::Auto => ToolChoice::Auto,
            ToolChoice::None => ToolChoice::None,
            ToolChoice::Required => ToolChoice::Required,
            ToolChoice::Named(name) => ToolChoice::Named(owned(name)),
            ToolChoice::Allowed { mode, names } => {
                ToolChoice::Allowed { mode, names: names.into_iter().map(owned).collect() }
            }
        }
    }

    pub(super) fn view(&self) -> ToolChoice<'_> {
        match self {
            ToolChoice::Auto => ToolChoice::Auto,
            ToolChoice::None => ToolChoice::None,
            ToolChoice::Required => ToolChoice::Required,
            ToolChoice::Named(name) => ToolChoice::Named(view(name)),
            ToolChoice::Allowed { mode, names } => {
                ToolChoice::Allowed { mode: *mode, names: names.iter().map(|name| view(name)).collect() }
            }
        }
    }
}

/// Writes the form of Mistral's and OpenAI's APIs.
impl Serialize for ToolChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Name<'v> {
            name: &'v str,
        }
        #[derive(Serialize)]
        struct Function<'v> {
            r#type: &'static str,
            function: Name<'v>,
        }
        #[derive(Serialize)]
        struct Tools<'v> {
            mode: &'static str,
            tools: Vec<Function<'v>>,
        }
        #[derive(Serialize)]
        struct Allowed<'v> {
            r#type: &'static str,
            allowed_tools: Tools<'v>,
        }
        fn function(name: &str) -> Function<'_> {
            Function { r#type: "function", function: Name { name } }
        }
        match self {
            ToolChoice::Auto => serializer.serialize_str("auto"),
            ToolChoice::None => serializer.serialize_str("none"),
            ToolChoice::Required => serializer.serialize_str("required"),
            ToolChoice::Named(name) => function(name).serialize(serializer),
            ToolChoice::Allowed { mode, names } => {
                let tools = names.iter().map(|name| function(name)).collect();
                Allowed { r#type: "allowed_tools", allowed_tools: Tools { mode: mode.as_str(), tools } }
                    .serialize(serializer)
            }
        }
    }
}
