//! One JSON line in, one JSON line out: every way into a prompt, for programs in any language.
//!
//! ```sh
//! echo '{"id":"a","version":"magnum","request":{"messages":[{"role":"user","content":"Hi"}]}}' |
//!     cargo run --quiet --example render_jsonl
//! ```
//!
//! Each line names a `version` (`v3`, `v13+think`, `magnum`, …) and a `request`: Mistral's JSON (`kind` `chat`), OpenAI's
//! (`openai`), another API's (`responses`, `anthropic`, …) or fill in the middle (`fim`). The answer is `{"id", "ok": true, "string", "plain", "segments", "stop"}`, or
//! `{"id", "ok": false, "kind", "family", "at", "error"}`. A bad line is answered, and the next one read.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

mod answer;
#[path = "../support/completion_line.rs"]
mod completion_line;
#[path = "../support/control_ids.rs"]
mod control_ids;
mod line;
mod living;
#[path = "../support/preset_line.rs"]
mod preset_line;
#[path = "../support/segments.rs"]
mod segments;
mod template_line;
#[path = "../support/vocabulary.rs"]
mod vocabulary;

use vocabulary::Vocabulary;

const HELP: &str = "\
Renders chats into Mistral prompts: one JSON line in, one JSON line out.

Usage: render_jsonl [--vocabulary FILE [--controls FILE]] < REQUESTS > PROMPTS

Each line is an object:
  id         any string, which the answer repeats
  version    a layout: v1 v2 v3 v7 v11 v13 v15 magnum v3-tekken …, with +image +audio +think
  request    a chat-completion request; {\"prompt\", \"suffix\"} for kind fim
  kind       chat (Mistral's JSON, default), openai, responses, anthropic, conversations, ollama,
             gemini, sharegpt, legacy (OpenAI's function_call), either (chat or openai), or fim;
             ignored: the paths of what was ignored and could have shaped the prompt
  preset     instead of a version: SillyTavern's files, {\"context\", \"instruct\", \"sysprompt\"},
             with story, chat and options beside it
  template   instead of a version: a Jinja chat template, with special_tokens beside it, and
             what apply_chat_template is given: add_generation_prompt, variables, documents and
             now (the clock, in seconds since 1970); it is shown the request as it was sent
  mode       test (default), serving, finetuning or agnostic
  repair     true: the request is mended and the chat repaired; the answer has repairs, with old and
             new name where a function was renamed, and the request that it became
  fit        {\"budget\": N}: the oldest exchanges are dropped; a text counts its bytes, else one
  stable_from  N: does the prompt of the first N messages begin this one? (stable, why, appended)
  learn      what a trainer learns: weighted (true is the same), last, everything, or roles such as
             \"user,assistant\"; the answer has the mask (byte ranges of string) and, with --vocabulary,
             input_ids and labels; the mode is finetuning unless another is named
  grammar    lark (as mistral-common prints it), exact_lark or structural_tag: the answer has the
             grammar of what the model may answer, or null where nothing is asked for
  completion   instead of a request: a model's output, a string or a list of segments; the answer
             has the message that it says, and in rest what has no place in it, also beside an error
  lenient    true: a completion is read leniently; the answer has liberties, what was taken. A request
             beside it names the tools that can be called
  stream     streamed or whole: the answer has deltas, the objects that OpenAI's clients get if the
             completion comes character by character, and finish_reason
  finetuning_messages, max_model_input_len, options.settings_builder   as in mistral-common

Without a tokenizer, max_model_input_len counts words and control tokens.";

fn main() -> ExitCode {
    let vocabulary = match vocabulary_named(std::env::args().skip(1)) {
        Ok(Arguments::Help) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Serve(vocabulary)) => vocabulary,
        Err(error) => {
            eprintln!("render_jsonl: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(io::stdin().lock(), io::stdout().lock(), vocabulary.map(|vocabulary| *vocabulary)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("render_jsonl: {error}");
            ExitCode::FAILURE
        }
    }
}

enum Arguments {
    Help,
    Serve(Option<Box<Vocabulary>>),
}

/// The vocabulary that the command line names, opened.
fn vocabulary_named(arguments: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let (mut file, mut controls) = (None, None);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let named = match &*argument {
            "--vocabulary" | "-v" => &mut file,
            "--controls" => &mut controls,
            _ => return Ok(Arguments::Help),
        };
        *named = Some(PathBuf::from(arguments.next().ok_or_else(|| format!("{argument} needs a file"))?));
    }
    let Some(file) = file else { return Ok(Arguments::Serve(None)) };
    let vocabulary = Vocabulary::open(&file, controls.as_deref());
    let vocabulary = vocabulary.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Arguments::Serve(Some(Box::new(vocabulary))))
}

/// Answers line by line, and flushes whenever the input pauses.
fn serve(input: impl io::Read, output: impl Write, vocabulary: Option<Vocabulary>) -> io::Result<()> {
    let mut input = io::BufReader::with_capacity(1 << 16, input);
    let mut output = io::BufWriter::with_capacity(1 << 16, output);
    let mut renderer = line::Renderer::new(vocabulary);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        renderer.answer(&bytes, number, &mut output)?;
        output.write_all(b"\n")?;
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}
