//! Shows the prompt that a chat becomes, as a person wants to look at it: `preview examples/chats/roleplay.json`.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use mistral_chat_template::grammar::Grammar;
use mistral_chat_template::prompt::{Span, SpanKind};
use mistral_chat_template::{AssistantMessage, Chat, Dialect, ErrorKind, Message, Mode, Prompt, Tokenizer};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::control_ids::ReleasedIds;
use crate::options::{Command, GrammarForm, Input, Options, Output};
use crate::source::Source;

mod blocks;
#[path = "../support/control_ids.rs"]
mod control_ids;
mod facts;
#[path = "../support/files.rs"]
mod files;
#[path = "../support/given.rs"]
mod given;
mod glyphs;
mod html;
mod inks;
#[path = "../support/model_files.rs"]
mod model_files;
mod options;
mod page;
#[path = "../support/preset_line.rs"]
mod preset_line;
mod source;

/// Why there is nothing to show.
enum Failure {
    /// The command line is not understood.
    Usage(String),
    /// The chat cannot be read or rendered.
    Chat(String),
    /// Standard output takes no more.
    Output(io::Error),
}

fn main() -> ExitCode {
    let Err(failure) = options::parse(env::args_os()).and_then(run) else { return ExitCode::SUCCESS };
    match failure {
        Failure::Usage(sentence) => {
            complain(&format!("{sentence}\n\nSee --help for what there is."));
            ExitCode::from(2)
        }
        Failure::Chat(sentence) => {
            complain(&sentence);
            ExitCode::FAILURE
        }
        // Whoever reads, such as `head`, has seen enough.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Failure::Output(error) => {
            complain(&format!("standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(sentence: &str) {
    let ink = inks::ERROR;
    // With standard error closed, the exit code has to do.
    let _ = writeln!(anstream::stderr(), "{ink}error{ink:#}: {sentence}");
}

fn run(command: Command) -> Result<(), Failure> {
    let shown = match command {
        Command::Help => options::HELP.to_owned(),
        Command::Layouts => source::list(),
        Command::Show(options) => {
            let json = read(&options.input)?;
            let plain = matches!(options.output, Output::Plain | Output::Grammar(_));
            let html = options.html.clone();
            let input = options.input.file();
            let shown = show(&json, *options)?;
            if let Some(path) = html {
                return write(&path, input, &shown);
            }
            if plain {
                // Not through anstream, which would take escape sequences out of a chat.
                return io::stdout().write_all(shown.as_bytes()).map_err(Failure::Output);
            }
            shown
        }
    };
    anstream::stdout().write_all(shown.as_bytes()).map_err(Failure::Output)
}

/// Writes a page, but not over the chat that it shows.
fn write(path: &Path, input: Option<PathBuf>, page: &str) -> Result<(), Failure> {
    let read: Vec<_> = input.and_then(|input| files::Used::at("the chat", &input)).into_iter().collect();
    let written: Vec<_> = files::Used::at("the page", path).into_iter().collect();
    files::check_distinct(&read, &written).map_err(Failure::Usage)?;
    files::write(path, page.as_bytes()).map_err(|error| Failure::Chat(format!("{}: {error}", path.display())))
}

fn read(input: &Input) -> Result<String, Failure> {
    let bytes = match input {
        Input::File(path) => fs::read(path),
        Input::Stdin => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
    };
    let bytes = bytes.map_err(|error| Failure::Chat(format!("{input}: {error}")))?;
    String::from_utf8(bytes).map_err(|error| Failure::Chat(format!("{input}: not UTF-8: {error}")))
}

fn show(json: &str, options: Options) -> Result<String, Failure> {
    let json = json.trim_start_matches('\u{feff}');
    let fail = |error: mistral_chat_template::Error| {
        let hint = hint(error.kind());
        Failure::Chat(format!("{}: {error}{hint}", options.input))
    };
    let dialect = options.dialect.unwrap_or_else(|| dialect_of(json));
    if let Source::Template { template, .. } = &options.source {
        let chat = match (Chat::read(json, dialect), options.dialect) {
            (Err(error), Some(_)) => return Err(fail(error)),
            // What no layout could read is shown all the same, without the facts of a chat.
            (chat, _) => chat.unwrap_or_default(),
        };
        let prompt = options.given.render(template, json, dialect).map_err(fail)?;
        return Ok(match options.output {
            Output::Grammar(form) => grammar(&options.source, &chat, form)?.map_err(fail)?,
            Output::Plain => prompt.into_string(),
            Output::Html => html_page(&options.input.to_string(), &options.source, &chat, &prompt),
            Output::Page { width } => page::page(&options.input.to_string(), &options.source, &chat, &prompt, width),
        });
    }
    let chat = Chat::read(json, dialect).map_err(fail)?;
    let mode = options.mode.unwrap_or_else(|| mode_for(&chat, json));
    let source = options.source.in_mode(mode);
    Ok(match options.output {
        Output::Grammar(form) => grammar(&source, &chat, form)?.map_err(fail)?,
        Output::Plain => source.render(&chat).map_err(fail)?.into_string(),
        Output::Html => {
            let prompt = source.render(&chat).map_err(fail)?;
            html_page(&options.input.to_string(), &source, &chat, &prompt)
        }
        Output::Page { width } => {
            let prompt = source.render(&chat).map_err(fail)?;
            page::page(&options.input.to_string(), &source, &chat, &prompt, width)
        }
    })
}

/// The page for a browser. Of ids it has those of control tokens, which all released tokenizers of a layout share.
fn html_page(name: &str, source: &Source, chat: &Chat<'_>, prompt: &Prompt) -> String {
    let id = |span: Span| match (span.kind, source) {
        (SpanKind::Control(control), Source::Layout(layout)) => {
            let id = ReleasedIds(layout).control(control)?;
            Some(html::Ids { bytes: span.range, ids: vec![id] })
        }
        _ => None,
    };
    let ids: Vec<_> = prompt.spans().filter_map(id).collect();
    let facts = facts::facts(source, chat, prompt, &blocks::blocks(prompt, source.vocabulary()));
    let shown = html::prompt(prompt, source.vocabulary(), &ids, &facts);
    // Should anything escape from the page, it is not run.
    let head =
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">";
    html::page(name, &html::Parts { head, prompt: &shown, ..html::Parts::default() })
}

/// The grammar of the answer, printed.
fn grammar(
    source: &Source,
    chat: &Chat<'_>,
    form: GrammarForm,
) -> Result<Result<String, mistral_chat_template::Error>, Failure> {
    let Source::Layout(layout) = source else {
        return Err(Failure::Usage("only a layout has a grammar of the answer".to_owned()));
    };
    let ids = ReleasedIds(layout);
    let print = |grammar: Option<Grammar<'_>>| match (grammar, form) {
        (None, _) => Ok("any answer is allowed\n".to_owned()),
        (Some(grammar), GrammarForm::Lark(style)) => grammar.to_lark(&ids, style).map(|lark| lark + "\n"),
        (Some(grammar), GrammarForm::StructuralTag) => grammar.to_structural_tag(&ids).map(|tag| tag + "\n"),
    };
    Ok(layout.grammar(chat).and_then(print))
}

/// The keys that tell dialects apart.
#[derive(Deserialize)]
struct Keys {
    conversations: Option<IgnoredAny>,
    messages: Option<IgnoredAny>,
}

/// A conversation of ShareGPT has `conversations` where a request has `messages`.
fn dialect_of(json: &str) -> Dialect {
    match serde_json::from_str(json) {
        Ok(Keys { conversations: Some(_), messages: None }) => Dialect::ShareGpt,
        _ => Dialect::Either,
    }
}

/// A conversation of ShareGPT is there to learn from, and so ends with a reply.
fn mode_for(chat: &Chat<'_>, json: &str) -> Mode {
    let last = chat.messages.last();
    match dialect_of(json) {
        Dialect::ShareGpt if matches!(last, Some(Message::Assistant(AssistantMessage { prefix: false, .. }))) => {
            Mode::Finetuning
        }
        _ => Mode::default(),
    }
}

/// What to try instead, where an option helps.
fn hint(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::LastIsAssistant => "\n\nTo see it as a model is trained on it, add --mode finetuning.",
        ErrorKind::NoEncoder { .. } => "\n\nTo see images or audio, name a layout with them, such as v11+image.",
        ErrorKind::NoThinkTokens => "\n\nTo see thinking, name a layout with it, such as v13+think.",
        _ => "",
    }
}
