//! [`Params`]: what of a request is no chat, checked.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fault::Fault;

/// How an answer is asked for.
#[derive(Debug, Default)]
pub struct Params {
    pub model: Option<String>,
    stream: bool,
    wants_usage: bool,
    limit: Option<usize>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<u64>,
    stops: Vec<String>,
    /// The names of what nobody reads.
    pub ignored: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

/// What would change the answer and the server cannot do, with the value that asks for nothing.
const REFUSED: [(&str, &str); 9] = [
    ("n", "1"),
    ("logprobs", "false"),
    ("top_logprobs", "0"),
    ("frequency_penalty", "0"),
    ("presence_penalty", "0"),
    ("logit_bias", "{}"),
    ("modalities", "[\"text\"]"),
    ("min_tokens", "0"),
    ("min_p", "0"),
];

/// What the crate reads, and what changes no answer.
const KNOWN: [&str; 19] = [
    "messages",
    "tools",
    "tool_choice",
    "response_format",
    "reasoning_effort",
    "prompt_mode",
    "continue_final_message",
    "add_generation_prompt",
    "prompt",
    "suffix",
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "safe_prompt",
    "parallel_tool_calls",
    "content",
];

/// What is read here.
const READ: [&str; 10] = [
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "seed",
    "random_seed",
    "stop",
];

/// The fields of a body, unread.
struct Fields<'b>(HashMap<String, &'b RawValue>);

impl Fields<'_> {
    fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let Some(raw) = self.0.get(name) else { return Ok(None) };
        serde_json::from_str(raw.get())
            .map_err(|error| Fault::request("invalid_value", name, format!("{name}: {error}")))
    }

    /// A number that may not be larger.
    fn up_to(&self, name: &str, highest: f32) -> Result<Option<f32>, Fault> {
        let value = self.get::<f32>(name)?;
        match value.filter(|value| !(0.0..=highest).contains(value)) {
            None => Ok(value),
            Some(value) => {
                let message = format!("{name}: {value} is not between 0 and {highest}");
                Err(Fault::request("invalid_value", name, message))
            }
        }
    }

    /// How many ids an answer may have.
    fn limit(&self, name: &str) -> Result<Option<usize>, Fault> {
        match self.get(name)? {
            Some(0) => Err(Fault::request("invalid_value", name, format!("{name}: an answer has at least one token"))),
            limit => Ok(limit),
        }
    }

    fn refuse(&self) -> Result<(), Fault> {
        for (name, nothing) in REFUSED {
            let asked = self.get::<Value>(name)?.filter(|value| !value.is_null() && !is(value, nothing));
            if let Some(value) = asked {
                let message = format!("{name}: {value} is not supported; leave it out, or send {nothing}");
                return Err(Fault::request("unsupported_parameter", name, message));
            }
        }
        Ok(())
    }
}

impl Params {
    /// Reads them out of a body.
    pub fn read(body: &str) -> Result<Self, Fault> {
        let fields = serde_json::from_str(body).map_err(|error: serde_json::Error| {
            Fault::request("json", "", format!("the body is not a JSON object: {error}"))
        })?;
        let fields = Fields(fields);
        fields.refuse()?;
        let stops = match fields.get("stop")? {
            None => Vec::new(),
            Some(Stop::One(string)) => vec![string],
            Some(Stop::Several(strings)) => strings,
        };
        let is_known = |name: &str| {
            KNOWN.contains(&name) || READ.contains(&name) || REFUSED.iter().any(|(refused, _)| *refused == name)
        };
        let unknown = fields.0.iter().filter(|(name, value)| value.get() != "null" && !is_known(name));
        let mut ignored: Vec<String> = unknown.map(|(name, _)| name.clone()).collect();
        ignored.sort();
        let (seed, random_seed) = (fields.get("seed")?, fields.get("random_seed")?);
        Ok(Params {
            model: fields.get("model")?,
            stream: fields.get("stream")?.unwrap_or(false),
            wants_usage: fields.get::<StreamOptions>("stream_options")?.unwrap_or_default().include_usage == Some(true),
            limit: fields.limit("max_completion_tokens")?.or(fields.limit("max_tokens")?),
            temperature: fields.up_to("temperature", 2.0)?,
            top_p: fields.up_to("top_p", 1.0)?,
            seed: seed.or(random_seed),
            stops,
            ignored,
        })
    }

    /// How many ids an answer may have, where the request says.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    pub fn temperature(&self) -> f32 {
        self.temperature.unwrap_or(1.0)
    }

    pub fn top_p(&self) -> f32 {
        self.top_p.unwrap_or(1.0)
    }

    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    pub fn stops(&self) -> Vec<String> {
        self.stops.clone()
    }

    pub fn is_streamed(&self) -> bool {
        self.stream
    }

    pub fn wants_usage(&self) -> bool {
        self.wants_usage
    }
}

/// Is a value the one that asks for nothing? `1.0` is `1`.
fn is(value: &Value, nothing: &str) -> bool {
    match (value.as_f64(), nothing.parse::<f64>()) {
        (Some(number), Ok(nothing)) => number == nothing,
        _ => serde_json::from_str::<Value>(nothing).is_ok_and(|nothing| *value == nothing),
    }
}
