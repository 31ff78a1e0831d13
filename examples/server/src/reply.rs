//! An answer as a client gets it: whole, or as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use mistral_chat_template::Dialect;
use mistral_chat_template::completion::{ReplyEvents, ReplyHead};
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use crate::fault::{Fault, json_response};
use crate::generate::{Ended, Event, Usage};

/// What an answer says beside what the model wrote.
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
    fn of(&self, usage: Option<&Usage>) -> ReplyHead<'_> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        ReplyHead {
            id: &self.id,
            model: &self.model,
            created: self.created,
            prompt_tokens: usage.map_or(0, |usage| count(usage.prompt)),
            completion_tokens: usage.map_or(0, |usage| count(usage.answer)),
        }
    }

    /// Adds what this server says of the request, and of what the model wrote.
    fn add_to(&self, body: &mut Value, ended: &Ended) {
        let completion = &ended.completion;
        let error = completion.error.iter().map(ToString::to_string);
        let rest = Some(&completion.rest).filter(|rest| !rest.is_empty()).map(|rest| format!("left over: {rest:?}"));
        let left_out = Some(ended.usage.left_out).filter(|count| *count > 0);
        let left_out =
            left_out.map(|count| format!("messages: {count} were left out, so that the prompt fits the context"));
        let notes: Vec<String> = self.notes.iter().cloned().chain(left_out).chain(error).chain(rest).collect();
        if !notes.is_empty() {
            body["notes"] = json!(notes);
        }
        let Usage { cached, encoded, read, prepared, .. } = ended.usage;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        body["usage"]["prompt_tokens_details"] = json!({
            "cached_tokens": cached,
            "encoded_tokens": encoded,
            "read_ms": milliseconds(read),
            "prepared_ms": milliseconds(prepared),
        });
    }
}

/// Waits for the whole answer.
pub async fn whole(mut events: Receiver<Event>, head: &Head, dialect: Dialect) -> Result<Response, Fault> {
    while let Some(event) = events.recv().await {
        let ended = match event {
            Event::Begun | Event::Delta(_) => continue,
            Event::Failed(fault) => return Err(fault),
            Event::Ended(ended) => ended,
        };
        let mut body = json!(ended.completion.response(dialect, head.of(Some(&ended.usage))));
        head.add_to(&mut body, &ended);
        return Ok(json_response(StatusCode::OK, &body));
    }
    Err(Fault::server("the answer broke off"))
}

/// Sends the answer as it comes.
pub fn stream(events: Receiver<Event>, head: Head, dialect: Dialect) -> Response {
    let mut replies = ReplyEvents::new(dialect, head.of(None));
    let first: Vec<_> = replies.begin().into_iter().map(|event| event.data).collect();
    let with_usage = head.with_usage || dialect == Dialect::Mistral;
    let parts = received(events).flat_map(move |event| stream::iter(parts(event, &mut replies, &head, with_usage)));
    let sent = stream::iter(first).chain(parts).map(|data| Ok::<_, Infallible>(sse::Event::default().data(data)));
    Sse::new(sent).keep_alive(KeepAlive::default()).into_response()
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
fn parts(event: Event, replies: &mut ReplyEvents, head: &Head, with_usage: bool) -> Vec<String> {
    match event {
        Event::Begun => Vec::new(),
        Event::Delta(delta) => replies.push(&delta).into_iter().map(|event| event.data).collect(),
        Event::Failed(fault) => vec![serde_json::to_string(fault.body()).unwrap_or_default()],
        Event::Ended(ended) => {
            let reason = ended.completion.finish_reason();
            let last = replies.finish(reason, head.of(Some(&ended.usage))).into_iter().map(|event| event.data);
            last.map(|data| finished(data, head, &ended, with_usage)).collect()
        }
    }
}

/// The last chunk, with what this server adds; the `[DONE]` after it stays as it is.
fn finished(data: String, head: &Head, ended: &Ended, with_usage: bool) -> String {
    let Ok(mut chunk) = serde_json::from_str::<Value>(&data) else { return data };
    head.add_to(&mut chunk, ended);
    if let (false, Some(chunk)) = (with_usage, chunk.as_object_mut()) {
        chunk.remove("usage");
    }
    chunk.to_string()
}
