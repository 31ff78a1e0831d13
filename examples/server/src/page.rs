//! The page: the prompt of what one types, as `preview` shows it, with the ids that the model is given.

use std::ops::Range;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use mistral_chat_template::completion::Detokenizer;
use mistral_chat_template::prompt::SpanKind;
use mistral_chat_template::{Chat, Dialect, Format, Message, Mode, Prompt};
use serde::Deserialize;

use crate::api::{Asked, blocking};
use crate::body;
use crate::fault::Fault;
use crate::html::{self, Ids, Parts, escaped};
use crate::params::Params;
use crate::state::State as Shared;

type Server = State<Arc<Shared>>;

const TITLE: &str = "The prompt of a chat";

const SCRIPT: &str = include_str!("page.js");

/// What is shown before anything is typed.
const FIRST: &str = r#"{"messages": [
  {"role": "system", "content": "Answer in French."},
  {"role": "user", "content": "Good morning!\nWhat does [INST] mean?"}
]}"#;

/// What the form sends.
#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    layout: String,
    #[serde(default)]
    chat: String,
}

pub async fn show(State(state): Server) -> Result<Response, Fault> {
    let typed = Typed { layout: state.name.clone(), chat: FIRST.to_owned() };
    blocking(move || Ok(whole(&state, &typed))).await
}

/// The whole page anew, for a browser without scripts.
pub async fn show_typed(State(state): Server, request: Request) -> Result<Response, Fault> {
    let typed = typed(&state, request).await?;
    blocking(move || Ok(whole(&state, &typed))).await
}

/// The prompt alone.
pub async fn fragment(State(state): Server, request: Request) -> Result<Response, Fault> {
    let typed = typed(&state, request).await?;
    let html = blocking(move || Ok(shown(&state, &typed))).await?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

async fn typed(state: &Shared, request: Request) -> Result<Typed, Fault> {
    let body = body::text(state, request.into_body()).await?;
    serde_urlencoded::from_str(&body).map_err(|error| Fault::request("form", "", error.to_string()))
}

fn whole(state: &Shared, typed: &Typed) -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let option = |name: &str| {
        let selected = if name == typed.layout { " selected" } else { "" };
        format!("<option{selected}>{}</option>", escaped(name))
    };
    let form = format!(
        "<form method=\"post\" action=\"/\">\n<p><label>A request, or a message: <textarea name=\"chat\" \
         spellcheck=\"false\">\n{}</textarea></label></p>\n<p><label>Model: <select name=\"layout\">{}</select></label> \
         <button>Show</button></p>\n</form>",
        escaped(&typed.chat),
        state.names().map(option).collect::<String>(),
    );
    let script = format!("<script nonce=\"{nonce}\">\n{SCRIPT}</script>");
    let page =
        html::page(TITLE, &Parts { form: &form, prompt: &shown(state, typed), script: &script, ..Parts::default() });
    // Should anything escape from the page, it is not run.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (HeaderName::from_static("content-security-policy"), policy),
    ];
    (headers, page).into_response()
}

/// The prompt, or the reason why it cannot be rendered.
fn shown(state: &Shared, typed: &Typed) -> String {
    prompt(state, typed).unwrap_or_else(|fault| format!("<p class=\"error\">{}</p>", escaped(fault.body().message())))
}

fn prompt(state: &Shared, typed: &Typed) -> Result<String, Fault> {
    let layout = state.layout(Some(&typed.layout))?.in_mode(Mode::Test);
    let is_json = typed.chat.trim_start().starts_with('{');
    let (chat, notes) = if is_json {
        let asked = Asked::read_with(&typed.chat, Dialect::Either, layout, Params::read(&typed.chat)?)?;
        (asked.mended.request.chat, asked.about.notes)
    } else {
        (Chat::new([Message::user(typed.chat.clone())]), Vec::new())
    };
    let prompt = layout.render(&chat)?;
    let ids = prompt.encode_for(&chat, &*state.tokens)?;
    let mut facts = vec![
        ("layout", format!("{}{}", layout.name, layout.features)),
        ("bytes", prompt.as_str().len().to_string()),
        ("tokens", ids.len().to_string()),
        ("stop at", prompt.stop_strings().join(" ")),
    ];
    facts.extend(notes.into_iter().map(|note| ("changed", note)));
    let ids = aligned(state, &prompt, &ids);
    Ok(html::prompt(&prompt, layout.vocabulary, &ids, &facts))
}

/// Which bytes of the prompt each id stands for.
fn aligned(state: &Shared, prompt: &Prompt, ids: &[u32]) -> Vec<Ids> {
    let mut aligned = Vec::new();
    let mut ids = ids.iter().copied().peekable();
    let spans: Vec<_> = prompt.spans().collect();
    for (index, span) in spans.iter().enumerate() {
        let bytes = span.range.clone();
        match span.kind {
            SpanKind::Control(_) => aligned.extend(ids.next().map(|id| Ids { bytes, ids: vec![id] })),
            SpanKind::Media(_) => {
                // An image has ids until the next span's begin.
                let mut of_image = Vec::new();
                while let Some(id) = ids.next_if(|id| state.tokens.is_image(*id)) {
                    of_image.push(id);
                }
                aligned.push(Ids { bytes, ids: of_image });
            }
            SpanKind::Text(_) => {
                let more = spans.get(index + 1..).unwrap_or_default();
                let more = more.iter().take_while(|span| span.kind == SpanKind::MoreText);
                let end = more.last().map_or(bytes.end, |span| span.range.end);
                let text = bytes.start..end;
                let of_text = std::iter::from_fn(|| ids.next_if(|id| state.tokens.is_text(*id)));
                aligned.extend(of_run(state, prompt.as_str(), text, of_text));
            }
            SpanKind::MoreText => {}
        }
    }
    aligned
}

/// The ids of a run of text, joined where they part a character.
fn of_run(state: &Shared, prompt: &str, text: Range<usize>, ids: impl Iterator<Item = u32>) -> Vec<Ids> {
    let mut aligned: Vec<Ids> = Vec::new();
    let mut at = text.start;
    let (mut begin, mut open) = (at, Vec::new());
    for id in ids {
        let mut bytes = Vec::new();
        state.tokens.bytes(id, &mut bytes);
        at = (at + bytes.len()).min(text.end);
        open.push(id);
        if prompt.is_char_boundary(at) {
            aligned.push(Ids { bytes: begin..at, ids: std::mem::take(&mut open) });
            begin = at;
        }
    }
    aligned
}
