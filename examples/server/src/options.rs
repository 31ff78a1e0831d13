//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

pub const HELP: &str = "\
Serves a model as OpenAI's and Mistral's APIs do, and a page that shows the prompt of what one types.

Usage: server [OPTIONS]

      --host ADDRESS     Where to listen [default: 127.0.0.1]
      --port N           The port; 0 for any [default: 8080]
      --model FOLDER     A model of the Mistral architecture: config.json, *.safetensors and tekken.json
                         [default: a tiny one of random weights]
      --vocabulary FILE  A tekken.json, or a SentencePiece model (tokenizer.model.v3)
                         [default: the model's, or a small one that ships with this]
      --layout NAME      v3, v13+think … or a model's name [default: what the vocabulary states]
      --context N        How many tokens prompt and answer may have together [default: the model's]
      --answer N         How many tokens an answer may have where the request does not say [default: 256]
      --fit SHARE        Leave the oldest exchanges out of a conversation that is longer than the context, until the
                         rest is at most this share of it (0.5) [default: refuse such a conversation]
      --parallel N       How many answers are sampled at a time [default: the number of cores]
      --queue N          How many requests may wait or be answered [default: 64]
      --conversations N  How many conversations are kept [default: 64]
      --body BYTES       How long a request may be [default: 16777216]
      --patience SECONDS How long a client may take to send one, or read nothing of its answer [default: 30]
      --help             Print this
";

pub struct Options {
    pub host: IpAddr,
    pub port: u16,
    pub model: Option<PathBuf>,
    pub vocabulary: Option<PathBuf>,
    pub layout: Option<String>,
    pub context: Option<usize>,
    pub answer: usize,
    pub parallel: usize,
    pub queue: usize,
    pub conversations: usize,
    pub fit: Option<f32>,
    pub body: usize,
    pub patience: f32,
}

impl Options {
    /// The options, or `None` if help was asked for.
    pub fn parse(mut parser: Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut options = Options {
            host: [127, 0, 0, 1].into(),
            port: 8080,
            model: None,
            vocabulary: None,
            layout: None,
            context: None,
            answer: 256,
            parallel: std::thread::available_parallelism().map_or(1, usize::from),
            queue: 64,
            conversations: 64,
            fit: None,
            body: 16 << 20,
            patience: 30.0,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("host") => options.host = parser.value()?.parse()?,
                Arg::Short('p') | Arg::Long("port") => options.port = parser.value()?.parse()?,
                Arg::Long("model") => options.model = Some(parser.value()?.into()),
                Arg::Long("vocabulary") => options.vocabulary = Some(parser.value()?.into()),
                Arg::Short('l') | Arg::Long("layout") => options.layout = Some(parser.value()?.string()?),
                Arg::Long("context") => options.context = Some(parser.value()?.parse()?),
                Arg::Long("answer") => options.answer = parser.value()?.parse()?,
                Arg::Long("parallel") => options.parallel = parser.value()?.parse()?,
                Arg::Long("queue") => options.queue = parser.value()?.parse()?,
                Arg::Long("conversations") => options.conversations = parser.value()?.parse()?,
                Arg::Long("fit") => options.fit = Some(parser.value()?.parse_with(share)?),
                Arg::Long("body") => options.body = parser.value()?.parse()?,
                Arg::Long("patience") => options.patience = parser.value()?.parse()?,
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(options))
    }
}

/// A share of the context: more than nothing, and not more than all.
fn share(text: &str) -> Result<f32, String> {
    let share = text.parse().map_err(|error| format!("{error}"))?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("a share is more than 0 and at most 1".to_owned()) }
}
