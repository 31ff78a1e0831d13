//! What every request has at hand.

use std::sync::Arc;
use std::time::Duration;

use mistral_chat_template::layout::Thinking;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Layout, Mode, Tokenizer, Version};
use tokio::sync::Semaphore;

use crate::engine::Engine;
use crate::fault::Fault;
use crate::metrics::Metrics;
use crate::session::Sessions;
use crate::tokens::Tokens;

/// The model, its vocabulary, and the conversations.
pub struct State {
    pub engine: Engine,
    pub tokens: Arc<Tokens>,
    pub sessions: Sessions,
    pub metrics: Metrics,
    /// The model's name.
    pub name: String,
    /// How a chat for this name is laid out.
    pub layout: Layout,
    /// How many ids prompt and answer may have together.
    pub context: usize,
    /// How many ids an answer may have where the request does not say.
    pub answer: usize,
    /// How many bytes a body may have.
    pub body: usize,
    /// How long a client may take to send a request.
    pub patience: Duration,
    /// Room for answers in the making.
    pub running: Arc<Semaphore>,
    /// Room for requests that wait for it, or are answered.
    pub waiting: Arc<Semaphore>,
}

impl State {
    /// The names that requests may have for the model. Beside its own, the versions that its vocabulary can write: the
    /// same weights under another layout.
    pub fn names(&self) -> Vec<String> {
        let released = |version: &&Version| !matches!(version, Version::V1Tekken | Version::V2Tekken);
        let versions = Version::ALL.iter().filter(released).filter(|version| self.fits(&version.layout()));
        [self.name.clone()].into_iter().chain(versions.map(|version| version.name().to_owned())).collect()
    }

    /// The layout of a model's name.
    pub fn layout(&self, model: Option<&str>) -> Result<Layout, Fault> {
        let layout = match model.filter(|model| !model.is_empty() && *model != self.name) {
            None => self.layout,
            Some(model) => {
                let unknown = || {
                    let message = format!("the model {model:?} does not exist; there are {}", self.names().join(", "));
                    Fault::with_status(axum::http::StatusCode::NOT_FOUND, "model_not_found", "model", message)
                };
                let layout: Layout = model.parse().map_err(|_| unknown())?;
                if !self.fits(&layout) {
                    return Err(unknown());
                }
                self.with_features(layout)
            }
        };
        Ok(layout.in_mode(Mode::Serving))
    }

    fn fits(&self, layout: &Layout) -> bool {
        layout.check_tokenizer(&*self.tokens).is_ok()
            && layout.vocabulary.iter().all(|control| Tokenizer::control(&*self.tokens, control).is_some())
    }

    /// The layout with what the vocabulary can do, where its version could.
    fn with_features(&self, layout: Layout) -> Layout {
        let could_think = layout.thinking == Thinking::Tokens;
        let features = self.tokens.layout.features.iter();
        features.filter(|feature| *feature != Feature::Think || could_think).fold(layout, Layout::with)
    }
}
