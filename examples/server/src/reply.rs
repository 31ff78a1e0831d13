//! An answer as a client gets it: whole, or as server-sent events.

use std::convert::Infallible;

use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use mistral_chat_template::Dialect;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use crate::fault::{Fault, json_response};
use crate::generate::{Ended, Event, Usage};

/// What stands in every part of an answer.
#[derive(Clone)]
pub struct Head {
    pub id: String,
    pub created: u64,
    pub model: String,
    /// What was changed in the request, and what of it nobody reads.
    pub notes: Vec<String>,
    pub with_usage: bool,
}

impl Head {
    fn of(&self, object: &str, choices: &Value) -> Value {
        json!({"id": self.id, "object": object, "created": self.created, "model": self.model, "choices": choices})
    }

    /// What there is to say beside the answer: of the request, and of what the model wrote.
    fn notes(&self, ended: &Ended) -> Vec<String> {
        let completion = &ended.completion;
        let error = completion.error.iter().map(ToString::to_string);
        let rest = Some(&completion.rest).filter(|rest| !rest.is_empty()).map(|rest| format!("left over: {rest:?}"));
        self.notes.iter().cloned().chain(error).chain(rest).collect()
    }
}

fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.answer,
        "total_tokens": usage.prompt + usage.answer,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached,
            "encoded_tokens": usage.encoded,
            "prepared_ms": usage.prepared.as_secs_f64() * 1e3,
        },
    })
}

/// Waits for the whole answer.
pub async fn whole(mut events: Receiver<Event>, head: &Head, dialect: Dialect) -> Result<Response, Fault> {
    while let Some(event) = events.recv().await {
        let ended = match event {
            Event::Begun | Event::Delta(_) => continue,
            Event::Failed(fault) => return Err(fault),
            Event::Ended(ended) => ended,
        };
        let choices = json!([{
            "index": 0,
            "message": ended.completion.message_for(dialect),
            "finish_reason": ended.completion.finish_reason(),
        }]);
        let mut body = head.of("chat.completion", &choices);
        body["usage"] = usage(ended.usage);
        let notes = head.notes(&ended);
        if !notes.is_empty() {
            body["notes"] = json!(notes);
        }
        return Ok(json_response(StatusCode::OK, &body));
    }
    Err(Fault::server("the answer broke off"))
}

/// Sends the answer as it comes.
pub fn stream(events: Receiver<Event>, head: Head, dialect: Dialect) -> Response {
    let first = head.of("chat.completion.chunk", &choice(json!({"role": "assistant", "content": ""}), Value::Null));
    let parts = received(events).flat_map(move |event| stream::iter(parts(event, &head, dialect)));
    let parts = stream::iter([first.to_string()]).chain(parts);
    let sent = parts.map(|data| Ok::<_, Infallible>(sse::Event::default().data(data)));
    Sse::new(sent).keep_alive(KeepAlive::default()).into_response()
}

fn choice(delta: Value, reason: Value) -> Value {
    json!([{"index": 0, "delta": delta, "finish_reason": reason}])
}

/// The events, and one that says so where they break off.
fn received(events: Receiver<Event>) -> impl Stream<Item = Event> {
    stream::unfold(Some(events), async |events| {
        let mut events = events?;
        match events.recv().await {
            Some(event @ (Event::Ended(_) | Event::Failed(_))) => Some((event, None)),
            Some(event) => Some((event, Some(events))),
            None => Some((Event::Failed(Fault::server("the answer broke off")), None)),
        }
    })
}

/// The data of what is sent for an event.
fn parts(event: Event, head: &Head, dialect: Dialect) -> Vec<String> {
    let chunk = |choices: &Value| head.of("chat.completion.chunk", choices);
    match event {
        Event::Begun => Vec::new(),
        Event::Delta(delta) if delta.is_marker() => Vec::new(),
        Event::Delta(delta) => vec![chunk(&choice(json!(delta.for_dialect(dialect)), Value::Null)).to_string()],
        Event::Failed(fault) => vec![fault.body().to_string()],
        Event::Ended(ended) => {
            let mut last = chunk(&choice(json!({}), json!(ended.completion.finish_reason())));
            let notes = head.notes(&ended);
            if !notes.is_empty() {
                last["notes"] = json!(notes);
            }
            let mut parts = vec![last.to_string()];
            if head.with_usage || dialect == Dialect::Mistral {
                let mut of_usage = chunk(&json!([]));
                of_usage["usage"] = usage(ended.usage);
                parts.push(of_usage.to_string());
            }
            parts.push("[DONE]".to_owned());
            parts
        }
    }
}
