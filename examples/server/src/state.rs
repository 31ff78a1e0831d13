//! What every request has at hand.

use std::sync::Arc;
use std::time::Duration;

use mistral_chat_template::error::ApiError;
use mistral_chat_template::layout::Thinking;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Format, Layout, Message, Mode, ToolCall, Version};
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
    pub sessions: Arc<Sessions>,
    pub metrics: Metrics,
    /// The model's name.
    pub name: String,
    /// The versions that the vocabulary can write.
    pub versions: Vec<Version>,
    /// How a chat for this name is laid out.
    pub layout: Layout,
    /// How many ids prompt and answer may have together.
    pub context: usize,
    /// How many ids an answer may have where the request does not say.
    pub answer: usize,
    /// How many bytes a body may have.
    pub body: usize,
    /// How long a client may take to send a request, or read nothing of its answer.
    pub patience: Duration,
    /// Room for answers in the making.
    pub running: Arc<Semaphore>,
    /// Room for requests that wait for it, or are answered.
    pub waiting: Arc<Semaphore>,
}

impl State {
    /// The names that requests may have for the model. Beside its own, the versions that its vocabulary can write: the
    /// same weights under another layout.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.versions.iter().map(|version| version.name()))
    }

    /// The layout of a model's name.
    pub fn layout(&self, model: Option<&str>) -> Result<Layout, Fault> {
        let layout = match model.filter(|model| !model.is_empty() && *model != self.name) {
            None => self.layout,
            Some(model) => {
                let unknown = || {
                    let message = format!(
                        "the model {model:?} does not exist; there are {}",
                        self.names().collect::<Vec<_>>().join(", ")
                    );
                    ApiError::new(404, "model_not_found", message).with_param("model")
                };
                let layout: Layout = model.parse().map_err(|_| unknown())?;
                if !self.versions.iter().any(|version| version.name() == layout.name) {
                    return Err(unknown().into());
                }
                self.with_features(layout)
            }
        };
        Ok(layout.in_mode(Mode::Serving))
    }

    /// The layout with what the vocabulary can do, where its version could.
    fn with_features(&self, layout: Layout) -> Layout {
        let could_think = layout.thinking == Thinking::Tokens;
        let features = self.tokens.layout.features.iter();
        features.filter(|feature| *feature != Feature::Think || could_think).fold(layout, Layout::with)
    }
}

/// The versions that a vocabulary can write: chats, and calls where there are some.
pub fn versions(tokens: &Tokens) -> Vec<Version> {
    let question = || Message::user("Hi");
    let call = ToolCall::new("f", "{}").id("123456789");
    let result = Message::tool("1").answering("123456789");
    let chats =
        [Chat::new([Message::system("S"), question()]), Chat::new([question(), Message::calls([call]), result])];
    let can_write = |version: &Version| {
        let layout = version.layout();
        // What a layout does not have need not be written.
        let prompts = chats.iter().filter_map(|chat| layout.render(chat).ok());
        layout.check_tokenizer(tokens).is_ok() && prompts.into_iter().all(|prompt| prompt.encode(tokens).is_ok())
    };
    let is_released = |version: &&Version| !matches!(version, Version::V1Tekken | Version::V2Tekken);
    Version::ALL.iter().filter(is_released).filter(|version| can_write(version)).copied().collect()
}
