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

use std::io::{self, BufRead, Write};
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

const HELP: &str = "\
Renders chats into Mistral prompts: one JSON line in, one JSON line out.

Usage: render_jsonl < REQUESTS > PROMPTS

Each line is an object:
  id         any string, which the answer repeats
  version    a layout: v1 v2 v3 v7 v11 v13 v15 magnum v3-tekken …, with +image +audio +think
  request    a chat-completion request; {\"prompt\", \"suffix\"} for kind fim
  kind       chat (Mistral's JSON, default), openai, responses, anthropic, conversations, ollama,
             gemini, sharegpt, legacy (OpenAI's function_call), either (chat or openai), or fim;
             ignored: the paths of what was passed over and could have shaped the prompt
  preset     instead of a version: SillyTavern's files, {\"context\", \"instruct\", \"sysprompt\"},
             with story, chat and options beside it
  template   instead of a version: a Jinja chat template, with special_tokens beside it
  mode       test (default), serving, finetuning or agnostic
  repair     true: the request is mended and the chat repaired; the answer has repairs, with old and
             new name where a function was renamed, and the request that it became
  fit        {\"budget\": N}: the oldest exchanges are dropped; a text counts its bytes, else one
  stable_from  N: does the prompt of the first N messages begin this one? (stable, why, appended)
  completion   instead of a request: a model's output, a string or a list of segments; the answer
             has the message that it says, and in rest what has no place in it, also beside an error
  lenient    true: a completion is read leniently; the answer has liberties, what was taken. A request
             beside it names the tools that can be called
  stream     streamed or whole: the answer has deltas, the objects that OpenAI's clients get if the
             completion comes character by character, and finish_reason
  finetuning_messages, max_model_input_len, options.settings_builder   as in mistral-common

Without a tokenizer, max_model_input_len counts words and control tokens.";

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match serve(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("render_jsonl: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers line by line, and flushes whenever the input pauses.
fn serve(input: impl io::Read, output: impl Write) -> io::Result<()> {
    let mut input = io::BufReader::with_capacity(1 << 16, input);
    let mut output = io::BufWriter::with_capacity(1 << 16, output);
    let mut renderer = line::Renderer::default();
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
