//! A recorded agent's conversation, played turn by turn as a server gets it: `agent_loop`, or `agent_loop --layout v3`.
//!
//! The client sends the whole conversation with each request. The server repairs it, appends what is new to the prompt
//! that it has, and is told how much of the model's state (its prefix cache) it can keep.

use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, fs};

use lexopt::{Arg, Parser, ValueExt};
use mistral_chat_template::{Chat, Dialect, Layout, Mode};

mod server;
mod table;

const HELP: &str = "\
Plays a recorded agent's conversation turn by turn: what each turn adds to the prompt, how much of it a prefix cache
keeps, what was repaired, and what is left out at a small budget.

Usage: agent_loop [OPTIONS] [FILE]

  FILE           a chat-completion request in JSON (default: a recorded one)
  --layout NAME  v3, v7-tekken, v13+think … or a model's name (default: v11)
  --budget N     the small budget (default: 12000); a text counts its bytes, anything else 1
  --json         print one JSON object a turn
  --help         print this

Colours go by NO_COLOR and CLICOLOR_FORCE, and are left out of a pipe.
";

const RECORDING: &str = include_str!("recording.json");

struct Options {
    layout: Layout,
    budget: usize,
    json: bool,
    file: Option<String>,
}

fn main() -> ExitCode {
    match options().and_then(|options| options.map_or_else(|| Ok(HELP.to_owned()), |options| play(&options))) {
        Ok(shown) => match anstream::stdout().write_all(shown.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        },
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// The options, or `None` if help was asked for.
fn options() -> Result<Option<Options>, String> {
    let layout = "v11".parse().map_err(|error| format!("{error}"))?;
    let mut options = Options { layout, budget: 12_000, json: false, file: None };
    let mut parser = Parser::from_args(env::args_os().skip(1));
    let told = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(told)? {
        match argument {
            Arg::Short('l') | Arg::Long("layout") => {
                options.layout = parser.value().and_then(|name| name.parse()).map_err(told)?;
            }
            Arg::Long("budget") => options.budget = parser.value().and_then(|count| count.parse()).map_err(told)?,
            Arg::Long("json") => options.json = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Value(file) if options.file.is_none() => options.file = Some(file.string().map_err(told)?),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

fn play(options: &Options) -> Result<String, String> {
    let read = |file: &String| fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
    let name = options.file.as_deref().unwrap_or("a recorded conversation");
    let json = options.file.as_ref().map_or_else(|| Ok(RECORDING.to_owned()), read)?;
    let told = |error: mistral_chat_template::Error| format!("{name}: {error}");
    let chat = Chat::read(&json, Dialect::Legacy).map_err(told)?;
    let requests = server::requests(&chat);
    let play = |layout: Layout| server::play(&requests, &layout.in_mode(Mode::Serving), options.budget);
    let turns = play(options.layout).map_err(told)?;
    if options.json {
        let lines: Result<Vec<_>, _> = turns.iter().map(serde_json::to_string).collect();
        return Ok(lines.map_err(|error| error.to_string())?.join("\n") + "\n");
    }
    let others = table::COMPARED.map(|name| (name, name.parse().ok().and_then(|layout| play(layout).ok())));
    Ok(table::table(name, options, chat.messages.len(), &turns) + &table::comparison(&others))
}
