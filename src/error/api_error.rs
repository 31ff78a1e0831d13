//! [`ApiError`]: an error as a server answers it, a status and OpenAI's error body.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::{Error, ErrorKind};
use crate::version::DetectError;

/// Whose fault an error is.
///
/// ```
/// use mistral_chat_template::{Completion, Layout};
/// use mistral_chat_template::error::Fault;
///
/// let completion = Completion::from_text("[TOOL_CALLS]{", &Layout::V3);
/// assert_eq!(completion.error.map(|error| error.fault()), Some(Fault::Server), "the model wrote no call");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The input is at fault: the request, the chat, the row of a data set. HTTP status 400, or 404 for a model that
    /// does not exist.
    Client,
    /// The model wrote what cannot be read. HTTP status 500.
    Server,
    /// The vocabulary, the template or the preset does not go with the layout, or cannot be read: no request can succeed.
    /// HTTP status 500.
    Configuration,
}

/// An error as a server answers it: an HTTP status, and the body that OpenAI's API has for errors.
///
/// It is made from an [`Error`], and for what a server itself refuses, by [`ApiError::new`]. Its JSON is the body.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message};
/// use mistral_chat_template::error::ApiError;
///
/// let error = Layout::V3.render(&Chat::new([Message::user("Hi"), Message::tool("42")])).unwrap_err();
/// let error = ApiError::from(error);
/// assert_eq!(error.status(), 400);
/// assert_eq!(serde_json::to_value(&error)?, serde_json::json!({"error": {
///     "message": "messages[1].role: a tool message cannot follow a user message (v3)",
///     "type": "invalid_request_error",
///     "param": "messages[1].role",
///     "code": "role_order",
/// }}));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: u16,
    message: String,
    param: Option<String>,
    code: Cow<'static, str>,
}

impl ApiError {
    /// An error of the server's own.
    ///
    /// ```
    /// use mistral_chat_template::error::ApiError;
    ///
    /// let error = ApiError::new(503, "busy", "too many requests are waiting");
    /// assert_eq!((error.status(), error.error_type()), (503, "server_error"));
    /// ```
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into(), param: None, code: code.into() }
    }

    /// A prompt and the answer that was asked for are longer than the context together.
    ///
    /// ```
    /// use mistral_chat_template::error::ApiError;
    ///
    /// let error = ApiError::context_length(4096, 4000, 200);
    /// assert_eq!((error.status(), error.code()), (400, "context_length_exceeded"));
    /// assert_eq!(
    ///     error.message(),
    ///     "maximum context is 4096 tokens, 4200 were asked for (4000 in the prompt, 200 for the answer)"
    /// );
    /// ```
    #[must_use]
    pub fn context_length(context: usize, prompt: usize, answer: usize) -> Self {
        let asked = prompt.saturating_add(answer);
        let parts = format!("{prompt} in the prompt, {answer} for the answer");
        ApiError::too_long(context, asked, &format!(" ({parts})"))
    }

    fn too_long(context: usize, asked: usize, more: &str) -> Self {
        let message = format!("maximum context is {context} tokens, {asked} were asked for{more}");
        ApiError::new(400, "context_length_exceeded", message).with_param("messages")
    }

    /// The same error with the path to the culprit.
    ///
    /// ```
    /// use mistral_chat_template::error::ApiError;
    ///
    /// let error = ApiError::new(400, "unsupported_parameter", "n: 2 is not supported").with_param("n");
    /// assert_eq!(error.param(), Some("n"));
    /// ```
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into()).filter(|param| !param.is_empty());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// What is wrong, as a sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `"server_error"` for a status from 500 on, `"invalid_request_error"` for any other.
    ///
    /// ```
    /// # use mistral_chat_template::error::ApiError;
    /// assert_eq!(ApiError::new(404, "not_found", "/v2 is not served").error_type(), "invalid_request_error");
    /// ```
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        if self.status < 500 { "invalid_request_error" } else { "server_error" }
    }

    /// The path to the culprit in the request, if it is known.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    /// The name of the error, for programs: [`ErrorKind::name`], or what OpenAI's API says where its clients act on it
    /// (`context_length_exceeded`, `model_not_found`).
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl From<&Error> for ApiError {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::TooLong { budget, over } | ErrorKind::OverBudget { budget, over } => {
                ApiError::too_long(*budget, budget.saturating_add(*over), &format!(": {error}"))
            }
            ErrorKind::Version(
                DetectError::Unknown { .. }
                | DetectError::UnknownFeature { .. }
                | DetectError::Undecided { .. }
                | DetectError::Foreign { .. }
                | DetectError::Derived { .. },
            ) => ApiError::new(404, "model_not_found", error.to_string()).with_param("model"),
            kind => {
                // A path into the model's output, or into a file, is not a path into the request.
                let (status, at) = match kind.fault() {
                    Fault::Client => (400, error.at()),
                    Fault::Server | Fault::Configuration => (500, ""),
                };
                ApiError::new(status, kind.name(), error.to_string()).with_param(at)
            }
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        ApiError::from(&error)
    }
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body<'e> {
            error: Fields<'e>,
        }
        #[derive(Serialize)]
        struct Fields<'e> {
            message: &'e str,
            r#type: &'static str,
            param: Option<&'e str>,
            code: &'e str,
        }
        let (message, param, code) = (self.message(), self.param(), self.code());
        Body { error: Fields { message, r#type: self.error_type(), param, code } }.serialize(serializer)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
