//! Serves canned answers as OpenAI's and Mistral's chat completions, OpenAI's Responses, Anthropic's Messages, Ollama's chat
//! and Gemini's `generateContent` do, streamed and whole.
//!
//! ```sh
//! cargo run --example answer_server -- tests/clients/scenarios.json 127.0.0.1:8311
//! ```
//!
//! The `model` of a request is `VERSION/SCENARIO/WAY/DIALECT`: the layout that reads the answer, a scenario of the file,
//! `streamed` or `whole` (how calls are told) and `openai`, `mistral`, `responses`, `anthropic`, `ollama` or `gemini`. A
//! request whose last message is a tool's result gets a text, so that an agent comes to an end. Every request is read
//! strictly, and one that the layout does not take even when it is repaired is refused.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mistral_chat_template::completion::{CallDeltas, NewCallIds, ReplyEvents, ReplyHead};
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{Completion, CompletionReader, Dialect, Layout, Request, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many characters a piece of the model's output has.
const PIECE: usize = 3;

#[derive(Deserialize)]
struct File {
    /// The form in which each version writes calls: a key of the outputs.
    versions: HashMap<String, String>,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    outputs: HashMap<String, String>,
}

/// What is asked for.
struct Wanted {
    model: String,
    layout: Layout,
    output: String,
    calls: CallDeltas,
    dialect: Dialect,
}

fn main() -> ExitCode {
    let [file, address] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        eprintln!("Usage: answer_server SCENARIOS ADDRESS");
        return ExitCode::from(2);
    };
    match serve(file, address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("answer_server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(file: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let file: Arc<File> = Arc::new(serde_json::from_str(&std::fs::read_to_string(file)?)?);
    let listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (file, stream) = (Arc::clone(&file), stream?);
        std::thread::spawn(move || match answer(&file, stream) {
            Err(error) if !is_hang_up(&*error) => eprintln!("answer_server: {error}"),
            Ok(()) | Err(_) => {}
        });
    }
    Ok(())
}

/// Has the client gone, as one does that has what it wants?
fn is_hang_up(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted))
}

/// What an HTTP request says.
struct Asked {
    path: String,
    body: String,
}

impl Asked {
    /// None where the client said nothing.
    fn read(stream: &TcpStream) -> Result<Option<Self>, Box<dyn Error>> {
        let mut reader = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        Ok(Some(Asked { path, body: String::from_utf8(body)? }))
    }

    /// The model that is asked, and whether it is to stream; `None` for an API that is not served.
    fn model(&self) -> Result<Option<(String, bool)>, serde_json::Error> {
        let path = self.path.split('?').next().unwrap_or_default();
        if let Some((_, method)) = path.split_once("/models/")
            && let Some((model, method)) = method.rsplit_once(':')
        {
            // Gemini's API names the model in the path.
            return Ok(Some((model.replace("%2F", "/"), method == "streamGenerateContent")));
        }
        if !["/chat/completions", "/responses", "/messages", "/api/chat"].iter().any(|served| path.ends_with(served)) {
            return Ok(None);
        }
        #[derive(Deserialize)]
        struct Body {
            model: String,
            #[serde(default)]
            stream: Option<bool>,
        }
        let body: Body = serde_json::from_str(&self.body)?;
        Ok(Some((body.model, body.stream == Some(true))))
    }
}

/// Answers one request, and closes the connection.
fn answer(file: &File, stream: TcpStream) -> Result<(), Box<dyn Error>> {
    let Some(asked) = Asked::read(&stream)? else { return Ok(()) };
    let Some((model, is_streamed)) = asked.model()? else {
        return reply(stream, "404 Not Found", &error(&format!("{} is not served", asked.path)));
    };
    match wanted(file, model, &asked.body) {
        Err(sentence) => reply(stream, "400 Bad Request", &error(&sentence)),
        Ok(wanted) if is_streamed => events(stream, wanted),
        Ok(wanted) => {
            let head = head(&wanted.model);
            let completion = CompletionReader::new(&wanted.layout).with_calls(wanted.calls).read(&wanted.output);
            reply(stream, "200 OK", &completion.response(wanted.dialect, head))
        }
    }
}

fn error(sentence: &str) -> Value {
    json!({"error": {"message": sentence}})
}

fn wanted(file: &File, model: String, body: &str) -> Result<Wanted, String> {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let [version, scenario, way, dialect] = model.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("{model:?} is not VERSION/SCENARIO/WAY/DIALECT"));
    };
    let layout: Layout = version.parse().map_err(|error| format!("{error}"))?;
    let form = file.versions.get(version).ok_or_else(|| format!("{version:?} is no version of the file"))?;
    let scenario = file.scenarios.iter().find(|known| known.name == scenario).ok_or("no such scenario")?;
    let output = scenario.outputs.get(form).or_else(|| scenario.outputs.get("*")).ok_or("no output of this form")?;
    let dialect = Dialect::from_name(dialect).ok_or("no such dialect")?;
    let read = Request::read_strictly(body, dialect).map_err(|error| error.to_string())?;
    let is_answered = read.chat.messages.last().is_some_and(|message| message.role() == Role::Tool);
    Request::repair(body, dialect, &layout, &RepairPolicy::default()).map_err(|error| error.to_string())?;
    let ids = NewCallIds::seeded(SEED.fetch_add(1, Ordering::Relaxed));
    Ok(Wanted {
        layout,
        output: if is_answered { "Done.</s>".to_owned() } else { output.clone() },
        calls: match way {
            "streamed" => CallDeltas::Streamed(ids),
            "whole" => CallDeltas::Whole(ids),
            other => return Err(format!("{other:?} is no way to tell calls")),
        },
        dialect,
        model,
    })
}

fn head(model: &str) -> ReplyHead<'_> {
    ReplyHead { id: "answer", model, prompt_tokens: 1, completion_tokens: 1, ..ReplyHead::default() }
}

fn events(mut stream: TcpStream, wanted: Wanted) -> Result<(), Box<dyn Error>> {
    let head = head(&wanted.model);
    let mut events = ReplyEvents::new(wanted.dialect, head);
    let content_type = events.content_type();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n")?;
    let mut reader = CompletionReader::new(&wanted.layout).with_calls(wanted.calls);
    let (mut completion, mut sent) = (Completion::default(), events.begin());
    let chars: Vec<char> = wanted.output.chars().collect();
    for piece in chars.chunks(PIECE).map(|chars| chars.iter().collect::<String>()) {
        for delta in reader.push(&piece) {
            sent.extend(events.push(&delta));
            completion.add(delta);
        }
        for event in sent.drain(..) {
            write!(stream, "{event}")?;
        }
        stream.flush()?;
    }
    let finished = reader.finish();
    finished.deltas.iter().for_each(|delta| sent.extend(events.push(delta)));
    completion.finish(finished);
    sent.extend(events.finish(completion.finish_reason(), head));
    sent.iter().try_for_each(|event| write!(stream, "{event}"))?;
    Ok(stream.flush()?)
}

fn reply(mut stream: TcpStream, status: &str, body: &impl Serialize) -> Result<(), Box<dyn Error>> {
    let body = serde_json::to_string(body)?;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(stream.flush()?)
}
