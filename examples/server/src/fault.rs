//! [`Fault`]: why a request got no answer, as OpenAI's API says it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mistral_chat_template::Error;
use mistral_chat_template::error::ApiError;

/// An error of the crate's or of the server's own, as a response.
#[derive(Clone, Debug)]
pub struct Fault(ApiError);

impl Fault {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Fault(ApiError::new(status.as_u16(), code, message))
    }

    /// What is wrong with the request.
    pub fn request(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Fault(ApiError::new(400, code, message).with_param(param))
    }

    /// What is wrong with the server.
    pub fn server(message: impl ToString) -> Self {
        Fault(ApiError::new(500, "internal_error", message.to_string()))
    }

    /// The body, which streams send too.
    pub fn body(&self) -> &ApiError {
        &self.0
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault(error.into())
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Fault(error)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(status, &self.0);
        if status == StatusCode::SERVICE_UNAVAILABLE {
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
