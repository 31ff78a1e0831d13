//! What the server counts, as Prometheus reads it.

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::generate::Usage;

/// The counters, and the registry that writes them.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<Request, Counter>,
    /// Answers for which nobody waited until their end.
    pub dropped: Counter,
    prompt: Counter,
    cached: Counter,
    encoded: Counter,
    pub sampled: Counter,
    pub running: Gauge,
    pub conversations: Gauge,
    /// From a request to the ids of its prompt, in seconds.
    pub prepared: Histogram,
}

/// What a request was, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    pub path: String,
    pub status: u16,
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::default(),
            requests: Family::default(),
            dropped: Counter::default(),
            prompt: Counter::default(),
            cached: Counter::default(),
            encoded: Counter::default(),
            sampled: Counter::default(),
            running: Gauge::default(),
            conversations: Gauge::default(),
            prepared: Histogram::new(exponential_buckets(0.000_1, 2.0, 14)),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests", metrics.requests.clone());
        registry.register("answers_dropped", "Answers whose client was gone", metrics.dropped.clone());
        registry.register("prompt_ids", "Ids of prompts", metrics.prompt.clone());
        registry.register("prompt_ids_cached", "Ids of prompts that were in a cache", metrics.cached.clone());
        registry.register("prompt_ids_encoded", "Ids of prompts that were encoded", metrics.encoded.clone());
        registry.register("sampled_ids", "Ids that were sampled", metrics.sampled.clone());
        registry.register("answers_running", "Answers in the making", metrics.running.clone());
        registry.register("conversations", "Conversations that are kept", metrics.conversations.clone());
        registry.register("prepared_seconds", "From a chat to the ids of its prompt", metrics.prepared.clone());
        metrics
    }

    /// The model has read a prompt.
    pub fn read(&self, usage: &Usage) {
        let add = |counter: &Counter, count: usize| counter.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        add(&self.prompt, usage.prompt);
        add(&self.cached, usage.cached);
        add(&self.encoded, usage.encoded);
    }

    pub fn write(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
