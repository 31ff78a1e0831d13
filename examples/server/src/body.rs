//! A request's body: as long as it may be, in the time that it may take, and text.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use http_body_util::LengthLimitError;
use std::error::Error;

use crate::fault::Fault;
use crate::state::State;

/// The body as text.
pub async fn text(state: &State, body: Body) -> Result<String, Fault> {
    let read = tokio::time::timeout(state.patience, to_bytes(body, state.body)).await;
    let Ok(read) = read else {
        let message = format!("the body did not come within {} s", state.patience.as_secs_f32());
        return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "timeout", message));
    };
    let bytes = read.map_err(|error| {
        if error.source().is_some_and(|source| source.is::<LengthLimitError>()) {
            let message = format!("the body is longer than {} bytes", state.body);
            return Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        }
        Fault::request("body", "", format!("the body cannot be read: {error}"))
    })?;
    String::from_utf8(bytes.into()).map_err(|error| {
        Fault::request("utf8", "", format!("the body is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })
}
