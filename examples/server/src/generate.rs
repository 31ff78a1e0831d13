//! An answer, from a chat to its end: what the layout makes of the chat, what is sampled, and what it says.

use std::time::{Duration, Instant};

use mistral_chat_template::completion::{CallDeltas, Delta, NewCallIds};
use mistral_chat_template::error::ApiError;
use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::layout::ToolCalls;
use mistral_chat_template::render::Fim;
use mistral_chat_template::{Chat, Completion, CompletionReader, Dialect, Error, Layout};
use tokio::sync::mpsc::Sender;

use crate::fault::Fault;
use crate::params::Params;
use crate::sampler::Sampler;
use crate::state::State;

/// What is to be answered.
pub struct Job {
    pub layout: Layout,
    pub question: Question,
    pub params: Params,
    pub dialect: Dialect,
}

pub enum Question {
    Chat(Box<Chat<'static>>),
    Fim(Fim<'static>),
}

/// What a handler is told of an answer.
pub enum Event {
    /// The model has read the prompt.
    Begun,
    Delta(Delta),
    Ended(Box<Ended>),
    /// It cannot be answered, or not to the end.
    Failed(Fault),
}

/// A whole answer.
pub struct Ended {
    pub completion: Completion,
    pub usage: Usage,
}

#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub prompt: usize,
    /// How many ids of the prompt the model had read before.
    pub cached: usize,
    /// How many ids of the prompt were encoded for this request.
    pub encoded: usize,
    /// From the chat to the ids of its prompt.
    pub prepared: Duration,
    pub answer: usize,
    /// How many messages of the chat the model does not read, as they are beyond the context.
    pub left_out: usize,
}

impl Usage {
    fn of_prompt(prompt: usize, encoded: usize, prepared: Duration) -> Self {
        Usage { prompt, cached: 0, encoded, prepared, answer: 0, left_out: 0 }
    }
}

/// Why an answer does not come to its end.
enum Stopped {
    /// Nobody waits for it any more.
    Gone,
    Fault(Fault),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Stopped::Fault(error.into())
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped::Fault(fault)
    }
}

/// Answers, and tells of it while somebody listens.
pub fn run(state: &State, job: &Job, events: &Sender<Event>) {
    match answer(state, job, events) {
        Ok(()) => {}
        Err(Stopped::Gone) => {
            state.metrics.dropped.inc();
        }
        Err(Stopped::Fault(fault)) => {
            let _ = events.blocking_send(Event::Failed(fault));
        }
    }
}

fn answer(state: &State, job: &Job, events: &Sender<Event>) -> Result<(), Stopped> {
    let answer = Answer { state, job, events };
    match &job.question {
        Question::Chat(chat) => {
            let begun = Instant::now();
            let grammar = job.layout.grammar(chat)?;
            let lark = grammar.map(|grammar| grammar.to_lark(&*state.tokens, LarkStyle::Exact)).transpose()?;
            let reader = job.reader().after_chat(chat)?;
            let mut session = state.sessions.take(Chat::clone(chat), &job.layout)?;
            let ids = session.ids().to_vec();
            let usage = Usage::of_prompt(ids.len(), session.encoded, begun.elapsed());
            let usage = Usage { left_out: session.left_out(), ..usage };
            state.metrics.prepared.observe(usage.prepared.as_secs_f64());
            let said = answer.sample(&ids, usage, lark, reader);
            let ended = said.map(|(ended, sampled)| {
                // What a stop string cut off is not said.
                if let Some(sampled) = sampled {
                    session.reply(ended.completion.message.clone(), &sampled);
                }
                ended
            });
            state.sessions.keep(session);
            answer.send(Event::Ended(Box::new(ended?)))
        }
        Question::Fim(fim) => {
            let begun = Instant::now();
            let prompt = job.layout.render_fim(fim)?;
            let ids = prompt.encode(&*state.tokens)?;
            let usage = Usage::of_prompt(ids.len(), ids.len(), begun.elapsed());
            let (ended, _) = answer.sample(&ids, usage, None, job.reader().after(&prompt))?;
            answer.send(Event::Ended(Box::new(ended)))
        }
    }
}

impl Job {
    fn reader(&self) -> CompletionReader {
        CompletionReader::new(&self.layout).with_calls(self.calls()).with_stop_strings(self.params.stops())
    }

    /// Mistral's client does not put the pieces of a call together; and where the model writes a call's id last, only
    /// a whole call has it.
    fn calls(&self) -> CallDeltas {
        let ids = NewCallIds::random();
        match (self.dialect, self.layout.calls) {
            (Dialect::Mistral, _) | (_, ToolCalls::ListWithIds) => CallDeltas::Whole(ids),
            _ => CallDeltas::Streamed(ids),
        }
    }
}

/// An answer in the making.
struct Answer<'a> {
    state: &'a State,
    job: &'a Job,
    events: &'a Sender<Event>,
}

impl Answer<'_> {
    fn send(&self, event: Event) -> Result<(), Stopped> {
        self.events.blocking_send(event).map_err(|_| Stopped::Gone)
    }

    /// How many ids the answer may have.
    fn limit(&self, prompt: usize) -> Result<usize, Fault> {
        let (context, asked) = (self.state.context, self.job.params.limit());
        let room = context.saturating_sub(prompt);
        match asked {
            // Where messages are left out for it, an answer has the room that there is.
            Some(asked) if self.state.sessions.shorten() && room > 0 => Ok(asked.min(room)),
            Some(asked) if asked > room => Err(ApiError::context_length(context, prompt, asked).into()),
            None if room == 0 => Err(ApiError::context_length(context, prompt, 1).into()),
            asked => Ok(asked.unwrap_or(self.state.answer).min(room)),
        }
    }

    /// Samples the answer, and gives it with the ids that it is made of, where it is made of whole ones.
    fn sample(
        &self,
        prompt: &[u32],
        mut usage: Usage,
        lark: Option<String>,
        mut reader: CompletionReader,
    ) -> Result<(Ended, Option<Vec<u32>>), Stopped> {
        let State { engine, tokens, metrics, .. } = self.state;
        let params = &self.job.params;
        let (limit, stop_ids) = (self.limit(prompt.len())?, self.job.layout.stop_ids(&**tokens)?);
        let grammar = lark.map(|lark| tokens.matcher(lark)).transpose();
        let grammar = grammar.map_err(|error| Fault::request("grammar", "", format!("no grammar: {error}")))?;
        let mut sampler = Sampler::new(params.temperature(), params.top_p(), params.seed(), grammar);
        let mut generation = engine.begin(prompt).map_err(Fault::server)?;
        usage.cached = generation.cached;
        metrics.read(&usage);
        self.send(Event::Begun)?;
        let (mut completion, mut sampled) = (Completion::default(), Vec::new());
        while sampled.len() < limit {
            let Some(id) = sampler.sample(&generation.logits, tokens).map_err(Fault::server)? else { break };
            sampled.push(id);
            metrics.sampled.inc();
            for delta in reader.push_id(id, &**tokens) {
                self.send(Event::Delta(delta.clone()))?;
                completion.add(delta);
            }
            if stop_ids.contains(&id) || reader.stop_found().is_some() || sampled.len() == limit {
                break;
            }
            // A handler that is gone is noticed with the next event; an id that says nothing sends none.
            if self.events.is_closed() {
                return Err(Stopped::Gone);
            }
            generation.push(id).map_err(Fault::server)?;
        }
        usage.answer = sampled.len();
        let finished = reader.finish();
        for delta in &finished.deltas {
            self.send(Event::Delta(delta.clone()))?;
        }
        let sampled = match &finished.stop {
            None => Some(sampled),
            Some(stop) if stop.splits_id => None,
            Some(stop) => sampled.get(..stop.ids.start).map(<[u32]>::to_vec),
        };
        completion.finish(finished);
        Ok((Ended { completion, usage }, sampled))
    }
}
