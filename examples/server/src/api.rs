//! The endpoints of OpenAI's and Mistral's APIs, and those by which other servers show a prompt.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http};
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::render::Fim;
use mistral_chat_template::repair::{Mended, RepairPolicy};
use mistral_chat_template::{Chat, Dialect, Format, Layout, Tokenizer};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, Receiver};

use crate::fault::{Fault, json_response};
use crate::generate::{self, Event, Job, Prepared, Question};
use crate::params::Params;
use crate::reply::{self, Head};
use crate::state::State as Shared;
use crate::{body, metrics, page};

type Server = State<Arc<Shared>>;
type Answered = Result<Response, Fault>;

/// The routes.
pub fn router(state: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page::show).post(page::show_typed))
        .route("/preview", post(page::fragment))
        .route("/health", get(async || json_response(StatusCode::OK, &json!({"status": "ok"}))))
        .route("/metrics", get(show_metrics))
        .route("/v1/models", get(models))
        .route("/v1/models/{id}", get(model))
        .route("/v1/chat/completions", post(chat))
        .route("/v1/fim/completions", post(fim))
        .route("/tokenize", post(tokenize))
        .route("/apply-template", post(apply_template))
        .fallback(async |uri: http::Uri| {
            let message = format!("{} is not served", uri.path());
            Fault::new(StatusCode::NOT_FOUND, "not_found", message)
        })
        .method_not_allowed_fallback(async |method: http::Method, uri: http::Uri| {
            let message = format!("{method} is not what {} is asked with", uri.path());
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&state), count))
        .with_state(state)
}

/// Counts a request, and what became of it.
async fn count(State(state): Server, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let path = path.map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    state.metrics.requests.get_or_create(&metrics::Request { path, status }).inc();
    response
}

async fn show_metrics(State(state): Server) -> Answered {
    state.metrics.conversations.set(i64::try_from(state.sessions.len()).unwrap_or(i64::MAX));
    let text = state.metrics.write().map_err(Fault::server)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

fn about(state: &Shared, name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 0, "owned_by": "local", "max_model_len": state.context})
}

async fn models(State(state): Server) -> Response {
    let data: Vec<_> = state.names().map(|name| about(&state, name)).collect();
    json_response(StatusCode::OK, &json!({"object": "list", "data": data}))
}

async fn model(State(state): Server, Path(name): Path<String>) -> Answered {
    state.layout(Some(&name))?;
    Ok(json_response(StatusCode::OK, &about(&state, &name)))
}

/// A chat that was read, and what was done to it.
pub struct Asked<'b> {
    pub mended: Mended<'b>,
    pub about: About,
}

/// What a request says beside its chat.
pub struct About {
    pub layout: Layout,
    pub params: Params,
    /// What was changed in the request, and what of it nobody reads.
    pub notes: Vec<String>,
}

impl<'b> Asked<'b> {
    /// Reads a request, and repairs its chat for the layout of its model.
    pub fn read(state: &Shared, body: &'b str, dialect: Dialect) -> Result<Self, Fault> {
        let params = Params::read(body)?;
        let layout = state.layout(params.model.as_deref())?;
        Self::read_with(body, dialect, layout, params)
    }

    /// Reads a request, for another layout than that of its model.
    pub fn read_with(body: &'b str, dialect: Dialect, layout: Layout, params: Params) -> Result<Self, Fault> {
        let mended = mistral_chat_template::Request::repair(body, dialect, &layout, &RepairPolicy::default())?;
        Ok(Self::of(mended, layout, params))
    }

    /// Reads a request that goes on with a chat: what it has is not all of it.
    pub fn mended(state: &Shared, body: &'b str, dialect: Dialect) -> Result<Self, Fault> {
        let params = Params::read(body)?;
        let layout = state.layout(params.model.as_deref())?;
        Ok(Self::of(mistral_chat_template::Request::mend(body, dialect)?, layout, params))
    }

    fn of(mended: Mended<'b>, layout: Layout, params: Params) -> Self {
        let ignored = params.ignored.iter().chain(&mended.request.ignored);
        let mut ignored: Vec<_> = ignored.map(|name| format!("{name}: nobody reads it")).collect();
        ignored.sort();
        ignored.dedup();
        let notes = mended.repairs.iter().map(ToString::to_string).chain(ignored).collect();
        Asked { mended, about: About { layout, params, notes } }
    }

    pub fn chat(&self) -> &Chat<'b> {
        &self.mended.request.chat
    }
}

/// Mistral's client takes thinking and calls in another form than OpenAI's.
fn dialect(headers: &HeaderMap) -> Dialect {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    if agent.contains("mistral") { Dialect::Mistral } else { Dialect::Either }
}

async fn chat(State(state): Server, request: Request) -> Answered {
    let dialect = dialect(request.headers());
    let body = body::text(&state, request.into_body()).await?;
    let waiting = room(&state)?;
    let reading = Arc::clone(&state);
    let job = blocking(move || {
        let (prepared, about) = Prepared::new(&reading, &body, dialect)?;
        Ok(Job { about, question: Question::Chat(Box::new(prepared)), dialect })
    })
    .await?;
    answer(state, job, waiting).await
}

async fn fim(State(state): Server, request: Request) -> Answered {
    let dialect = dialect(request.headers());
    let body = body::text(&state, request.into_body()).await?;
    let params = Params::read(&body)?;
    let layout = state.layout(params.model.as_deref())?;
    let Fim { prompt, suffix } = Fim::from_json(&body)?;
    let fim = Fim { prompt: prompt.into_owned().into(), suffix: suffix.into_owned().into() };
    let notes = params.ignored.iter().map(|name| format!("{name}: nobody reads it")).collect();
    let waiting = room(&state)?;
    answer(state, Job { about: About { layout, params, notes }, question: Question::Fim(fim), dialect }, waiting).await
}

fn head(state: &Shared, about: &About) -> Head {
    let About { params, notes, .. } = about;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Head {
        id: format!("{:016x}", rand::random::<u64>()),
        created: now.as_secs(),
        model: params.model.clone().unwrap_or_else(|| state.name.clone()),
        notes: notes.clone(),
        with_usage: params.wants_usage(),
    }
}

/// Room for one more request that waits, or is answered.
fn room(state: &Shared) -> Result<OwnedSemaphorePermit, Fault> {
    let busy = || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests wait for an answer");
    Arc::clone(&state.waiting).try_acquire_owned().map_err(|_| busy())
}

async fn answer(state: Arc<Shared>, job: Job, waiting: OwnedSemaphorePermit) -> Answered {
    let (is_streamed, dialect, head) = (job.about.params.is_streamed(), job.dialect, head(&state, &job.about));
    let mut events = begin(state, job, waiting).await?;
    match events.recv().await {
        Some(Event::Begun) if is_streamed => Ok(reply::stream(events, head, dialect)),
        Some(Event::Begun) => reply::whole(events, &head, dialect).await,
        Some(Event::Failed(fault)) => Err(fault),
        _ => Err(Fault::server("the answer broke off")),
    }
}

/// Has a job done where it keeps nobody waiting but its own client.
async fn begin(state: Arc<Shared>, job: Job, waiting: OwnedSemaphorePermit) -> Result<Receiver<Event>, Fault> {
    let running = Arc::clone(&state.running).acquire_owned().await.map_err(Fault::server)?;
    let (sender, receiver) = mpsc::channel(64);
    tokio::task::spawn_blocking(move || {
        let _room = (waiting, running);
        state.metrics.running.inc();
        generate::run(&state, job, &sender);
        state.metrics.running.dec();
    });
    Ok(receiver)
}

/// Has something done that may take long.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::server)?
}

/// The ids of a text, or of a chat's prompt.
async fn tokenize(State(state): Server, request: Request) -> Answered {
    #[derive(Deserialize)]
    struct Text {
        #[serde(alias = "content", alias = "text")]
        prompt: Option<String>,
    }
    let dialect = dialect(request.headers());
    let body = body::text(&state, request.into_body()).await?;
    let context = state.context;
    let ids = blocking(move || {
        if let Ok(Text { prompt: Some(text) }) = serde_json::from_str(&body) {
            let mut ids = Vec::new();
            state.tokens.text(&text, WordStart::Nothing, &mut ids);
            return Ok(ids);
        }
        let asked = Asked::read(&state, &body, dialect)?;
        Ok(asked.about.layout.render(asked.chat())?.encode_for(asked.chat(), &*state.tokens)?)
    });
    let ids = ids.await?;
    Ok(json_response(StatusCode::OK, &json!({"count": ids.len(), "max_model_len": context, "tokens": ids})))
}

/// The prompt of a chat.
async fn apply_template(State(state): Server, request: Request) -> Answered {
    let dialect = dialect(request.headers());
    let body = body::text(&state, request.into_body()).await?;
    let (prompt, notes) = blocking(move || {
        let asked = Asked::read(&state, &body, dialect)?;
        Ok((asked.about.layout.render(asked.chat())?, asked.about.notes))
    })
    .await?;
    Ok(json_response(StatusCode::OK, &json!({"prompt": prompt.as_str(), "notes": notes})))
}
