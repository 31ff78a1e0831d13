//! Serves canned answers as OpenAI's and Mistral's chat completions, OpenAI's Responses and Anthropic's Messages do, over
//! server-sent events and whole.
//!
//! ```sh
//! cargo run --example answer_server -- tests/clients/scenarios.json 127.0.0.1:8311
//! ```
//!
//! The `model` of a request is `VERSION/SCENARIO/WAY/DIALECT`: the layout that reads the answer, a scenario of the file,
//! `streamed` or `whole` (how calls are told) and `openai`, `mistral`, `responses` or `anthropic`. A request whose last
//! message is a tool's result gets a text, so that an agent comes to an end. Every request is read strictly, and one that
//! the layout does not take even when it is repaired is refused.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mistral_chat_template::completion::{CallDeltas, NewCallIds, ReplyEvents, ReplyHead};
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{Completion, CompletionReader, Dialect, Layout, Request, Role};
use serde::Deserialize;
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
        std::thread::spawn(move || {
            if let Err(error) = answer(&file, stream) {
                eprintln!("answer_server: {error}");
            }
        });
    }
    Ok(())
}

/// Answers one request, and closes the connection.
fn answer(file: &File, stream: TcpStream) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    reader.read_line(&mut head)?;
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
    let path = head.split(' ').nth(1).unwrap_or_default();
    if !["/chat/completions", "/responses", "/messages"].iter().any(|served| path.ends_with(served)) {
        return reply(stream, "404 Not Found", &json!({"error": {"message": format!("{path} is not served")}}));
    }
    let request: Value = serde_json::from_slice(&body)?;
    match wanted(file, &request, std::str::from_utf8(&body)?) {
        Err(sentence) => reply(stream, "400 Bad Request", &json!({"error": {"message": sentence}})),
        Ok(wanted) if request["stream"] == json!(true) && is_of_blocks(wanted.dialect) => named_events(stream, wanted),
        Ok(wanted) if request["stream"] == json!(true) => {
            let usage = request["stream_options"]["include_usage"] == json!(true);
            events(stream, wanted, usage)
        }
        Ok(wanted) => reply(stream, "200 OK", &whole(wanted)),
    }
}

/// Does the dialect have a form of its own for what it streams?
fn is_of_blocks(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Responses | Dialect::Anthropic)
}

fn wanted(file: &File, request: &Value, body: &str) -> Result<Wanted, String> {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let model = request["model"].as_str().unwrap_or_default();
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
        model: model.to_owned(),
        layout,
        output: if is_answered { "Done.</s>".to_owned() } else { output.clone() },
        calls: match way {
            "streamed" => CallDeltas::Streamed(ids),
            "whole" => CallDeltas::Whole(ids),
            other => return Err(format!("{other:?} is no way to tell calls")),
        },
        dialect,
    })
}

fn usage() -> Value {
    json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
}

fn whole(wanted: Wanted) -> Value {
    let completion = CompletionReader::new(&wanted.layout).with_calls(wanted.calls).read(&wanted.output);
    if is_of_blocks(wanted.dialect) {
        return json!(completion.response(wanted.dialect, head(&wanted.model)));
    }
    json!({
        "id": "answer",
        "object": "chat.completion",
        "created": 0,
        "model": wanted.model,
        "choices": [{
            "index": 0,
            "message": completion.message_for(wanted.dialect),
            "finish_reason": completion.finish_reason(),
        }],
        "usage": usage(),
    })
}

fn head(model: &str) -> ReplyHead<'_> {
    ReplyHead { id: "answer", model, prompt_tokens: 1, completion_tokens: 1, ..ReplyHead::default() }
}

fn named_events(mut stream: TcpStream, wanted: Wanted) -> Result<(), Box<dyn Error>> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
    let head = head(&wanted.model);
    let mut events = ReplyEvents::new(wanted.dialect, head);
    let mut reader = CompletionReader::new(&wanted.layout).with_calls(wanted.calls);
    let (mut completion, mut sent) = (Completion::default(), events.begin(head));
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

fn events(mut stream: TcpStream, wanted: Wanted, with_usage: bool) -> Result<(), Box<dyn Error>> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n",
    )?;
    let mut send = |choices: Value, usage: Value| -> Result<(), Box<dyn Error>> {
        let mut chunk = json!({
            "id": "answer", "object": "chat.completion.chunk", "created": 0, "model": wanted.model, "choices": choices,
        });
        if !usage.is_null() {
            chunk["usage"] = usage;
        }
        write!(stream, "data: {chunk}\n\n")?;
        Ok(stream.flush()?)
    };
    let choice = |delta: Value, reason: Value| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
    send(choice(json!({"role": "assistant", "content": ""}), Value::Null), Value::Null)?;

    let mut reader = CompletionReader::new(&wanted.layout).with_calls(wanted.calls);
    let mut completion = Completion::default();
    let chars: Vec<char> = wanted.output.chars().collect();
    let pieces = chars.chunks(PIECE).map(|chars| chars.iter().collect::<String>());
    for piece in pieces {
        for delta in reader.push(&piece) {
            if !delta.is_marker() {
                send(choice(serde_json::to_value(delta.for_dialect(wanted.dialect))?, Value::Null), Value::Null)?;
            }
            completion.add(delta);
        }
    }
    let finished = reader.finish();
    for delta in finished.deltas.iter().filter(|delta| !delta.is_marker()) {
        send(choice(serde_json::to_value(delta.for_dialect(wanted.dialect))?, Value::Null), Value::Null)?;
    }
    completion.finish(finished);
    send(choice(json!({}), json!(completion.finish_reason())), Value::Null)?;
    if with_usage {
        send(json!([]), usage())?;
    }
    stream.write_all(b"data: [DONE]\n\n")?;
    Ok(())
}

fn reply(mut stream: TcpStream, status: &str, body: &Value) -> Result<(), Box<dyn Error>> {
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(stream.flush()?)
}
