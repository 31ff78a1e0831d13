//! An answer, from a chat to its end: what the layout makes of the chat, what is sampled, and what it says.

use std::time::{Duration, Instant};

use mistral_chat_template::completion::{CallDeltas, Delta, NewCallIds};
use mistral_chat_template::error::ApiError;
use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::render::Fim;
use mistral_chat_template::{Completion, CompletionReader, Dialect, Error, Layout};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::api::{About, Asked};
use crate::fault::Fault;
use crate::params::Params;
use crate::sampler::Sampler;
use crate::session::Session;
use crate::state::State;

/// What is to be answered.
pub struct Job {
    pub about: About,
    pub question: Question,
    pub dialect: Dialect,
}

pub enum Question {
    Chat(Box<Prepared>),
    Fim(Fim<'static>),
}

/// A chat that became ids.
pub struct Prepared {
    session: Session,
    /// What the answer is constrained to.
    lark: Option<String>,
    reader: CompletionReader,
    usage: Usage,
}

impl Prepared {
    /// A request's body into ids, and what the request says beside its chat.
    pub fn new(state: &State, body: &str, dialect: Dialect) -> Result<(Self, About), Fault> {
        let begun = Instant::now();
        let (session, about, read) = match Self::go_on(state, body, dialect, begun) {
            Some(went_on) => went_on,
            None => {
                let asked = Asked::read(state, body, dialect)?;
                let read = begun.elapsed();
                (state.sessions.take(body, &asked.mended, &asked.about.layout)?, asked.about, read)
            }
        };
        let known = session.conversation().ok_or_else(|| Fault::server("the conversation is gone"))?;
        let grammar = about.layout.grammar(known.chat())?;
        let lark = grammar.map(|grammar| grammar.to_lark(&*state.tokens, LarkStyle::Exact)).transpose()?;
        let reader =
            reader(&about.layout, &about.params, dialect).with_tools(&known.chat().tools).after(known.prompt());
        let usage = Usage { read, left_out: session.left_out(), ..Usage::new(session.ids(), session.encoded, begun) };
        state.metrics.prepared.observe(usage.prepared.as_secs_f64());
        Ok((Prepared { session, lark, reader, usage }, about))
    }

    /// Reads no more of a body than is new; what does not go on is read as a whole, which finds out why.
    fn go_on(state: &State, body: &str, dialect: Dialect, begun: Instant) -> Option<(Session, About, Duration)> {
        let (mut session, rest) = state.sessions.rest(body)?;
        let asked = Asked::mended(state, rest.as_str(), dialect).ok()?;
        let read = begun.elapsed();
        session.go_on(&rest, &asked.mended, &asked.about.layout).then_some((session, asked.about, read))
    }
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
    /// From the request's body to its chat, and to the ids of its prompt.
    pub read: Duration,
    pub prepared: Duration,
    pub answer: usize,
    /// How many messages of the chat the model does not read, as they are beyond the context.
    pub left_out: usize,
}

impl Usage {
    fn new(ids: &[u32], encoded: usize, begun: Instant) -> Self {
        let (read, prepared) = (Duration::ZERO, begun.elapsed());
        Usage { prompt: ids.len(), cached: 0, encoded, read, prepared, answer: 0, left_out: 0 }
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
pub fn run(state: &State, job: Job, events: &Sender<Event>) {
    match answer(state, job, events) {
        Ok(()) => {}
        Err(Stopped::Gone) => {
            state.metrics.dropped.inc();
        }
        Err(Stopped::Fault(fault)) => {
            let _ = send_within(events, Event::Failed(fault), state.patience);
        }
    }
}

fn answer(state: &State, job: Job, events: &Sender<Event>) -> Result<(), Stopped> {
    let Job { about: About { layout, params, .. }, question, dialect } = job;
    let answer = Answer { state, layout, params, events };
    match question {
        Question::Chat(prepared) => {
            let Prepared { mut session, lark, reader, usage } = *prepared;
            let (ended, sampled) = answer.sample(session.ids(), usage, lark, reader)?;
            // What a stop string cut off is not said.
            if let Some(sampled) = sampled {
                session.reply(ended.completion.message.clone(), &sampled);
            }
            drop(session);
            answer.send(Event::Ended(Box::new(ended)))
        }
        Question::Fim(fim) => {
            let begun = Instant::now();
            let prompt = layout.render_fim(&fim)?;
            let ids = prompt.encode(&*state.tokens)?;
            let usage = Usage::new(&ids, ids.len(), begun);
            let reader = reader(&layout, &answer.params, dialect).after(&prompt);
            let (ended, _) = answer.sample(&ids, usage, None, reader)?;
            answer.send(Event::Ended(Box::new(ended)))
        }
    }
}

fn reader(layout: &Layout, params: &Params, dialect: Dialect) -> CompletionReader {
    let calls = CallDeltas::for_client(dialect, layout, NewCallIds::random());
    CompletionReader::new(layout).with_calls(calls).with_stop_strings(params.stops())
}

/// Tells of an answer. A client that reads nothing for so long has as good as gone, and keeps the others waiting.
fn send_within(events: &Sender<Event>, event: Event, patience: Duration) -> Result<(), Stopped> {
    let event = match events.try_send(event) {
        Ok(()) => return Ok(()),
        Err(TrySendError::Closed(_)) => return Err(Stopped::Gone),
        Err(TrySendError::Full(event)) => event,
    };
    Handle::current().block_on(events.send_timeout(event, patience)).map_err(|_| Stopped::Gone)
}

/// An answer in the making.
struct Answer<'a> {
    state: &'a State,
    layout: Layout,
    params: Params,
    events: &'a Sender<Event>,
}

impl Answer<'_> {
    fn send(&self, event: Event) -> Result<(), Stopped> {
        send_within(self.events, event, self.state.patience)
    }

    /// How many ids the answer may have.
    fn limit(&self, prompt: usize) -> Result<usize, Fault> {
        let (context, asked) = (self.state.context, self.params.limit());
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
        let params = &self.params;
        let (limit, stop_ids) = (self.limit(prompt.len())?, self.layout.stop_ids(&**tokens)?);
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
        let sampled = finished.answer_ids(&sampled).map(<[u32]>::to_vec);
        completion.finish(finished);
        Ok((Ended { completion, usage }, sampled))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Event, Stopped, send_within};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let sent = tokio::task::spawn_blocking(move || {
            let first = send_within(&sender, Event::Begun, Duration::from_millis(50));
            let begun = Instant::now();
            let second = send_within(&sender, Event::Begun, Duration::from_millis(50));
            (first.is_ok(), matches!(second, Err(Stopped::Gone)), begun.elapsed(), sender)
        });
        let (first, gone, waited, sender) = sent.await.unwrap();
        assert!(first && gone && waited >= Duration::from_millis(50), "{waited:?}");
        // One that reads in time is not.
        let slow =
            tokio::task::spawn_blocking(move || send_within(&sender, Event::Begun, Duration::from_secs(60)).is_ok());
        assert!(receiver.recv().await.is_some());
        assert!(slow.await.unwrap());
    }
}
