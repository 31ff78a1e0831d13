//! [`Fault`]: why a request got no answer, as OpenAI's API says it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mistral_chat_template::{Error, ErrorKind};
use serde_json::{Value, json};

/// A status and the body that goes with it.
#[derive(Clone, Debug)]
pub struct Fault {
    pub status: StatusCode,
    pub message: String,
    /// The path to the culprit in the request.
    pub param: Option<String>,
    /// A name for machines.
    pub code: &'static str,
}

impl Fault {
    /// What is wrong with the request.
    pub fn request(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, code, param, message)
    }

    pub fn with_status(status: StatusCode, code: &'static str, param: &str, message: impl Into<String>) -> Self {
        let param = Some(param.to_owned()).filter(|param| !param.is_empty());
        Fault { status, message: message.into(), param, code }
    }

    /// What is wrong with the server.
    pub fn server(message: impl ToString) -> Self {
        Self::with_status(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "", message.to_string())
    }

    /// A prompt, and the answer that it is to have, are longer than the context.
    pub fn too_long(context: usize, prompt: usize, answer: usize) -> Self {
        let message = format!(
            "maximum context is {context} tokens, {} were asked for ({prompt} in the prompt, {answer} for the answer)",
            prompt.saturating_add(answer)
        );
        Self::request("context_length_exceeded", "messages", message)
    }

    /// The body, which streams send too.
    pub fn body(&self) -> Value {
        let of = if self.status.is_server_error() { "server_error" } else { "invalid_request_error" };
        json!({"error": {"message": self.message, "type": of, "param": self.param, "code": self.code}})
    }
}

/// A vocabulary that does not go with the layout is the server's fault, and all else the request's.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::TokenizerMismatch { .. } | ErrorKind::NoControlId { .. } => Fault::server(error),
            kind => Fault::request(kind.name(), error.at(), error.to_string()),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = json_response(self.status, &self.body());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A response of JSON.
pub fn json_response(status: StatusCode, body: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
