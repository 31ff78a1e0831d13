//! A data set of conversations, formatted for training: prompts with their loss masks, a row a line, in order.
//!
//! ```sh
//! cargo run --release --example format_dataset -- conversations.jsonl --output train.jsonl
//! ```
//!
//! A row that no model could learn from is a reject with its reason. `--help` says what else there is.

use std::io;
use std::process::ExitCode;

#[path = "../support/files.rs"]
mod files;
mod journal;
#[path = "../support/model_files.rs"]
mod model_files;
mod options;
mod pipeline;
#[path = "../support/preset_line.rs"]
mod preset_line;
mod progress;
mod row;
#[path = "../support/segments.rs"]
mod segments;
mod sink;
mod source;
mod summary;
#[path = "../support/vocabulary.rs"]
#[allow(dead_code, reason = "other examples count tokens with it")]
mod vocabulary;

use options::{Command, HELP, Options};
use sink::{Sink, Start};

fn main() -> ExitCode {
    let options = match Options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Format(options)) => options,
        Ok(Command::Help) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\nSee --help for what there is.");
            return ExitCode::from(2);
        }
    };
    match format(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn format(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let started = std::time::Instant::now();
    let source = options.open_source()?;
    let vocabulary = options.open_vocabulary()?;
    let (mut sink, input) = match Sink::open(options)? {
        Start::With(sink, input) => (sink, input),
        Start::Complete => {
            eprintln!("nothing to resume: the output is complete");
            return Ok(());
        }
    };
    let before = sink.place().offset;
    let outcome = pipeline::run(options, &source, vocabulary.as_ref(), input, &mut sink);
    let place = sink.finish(outcome.is_ok())?;
    if !options.quiet {
        let bytes = place.offset - before;
        eprint!("{}", place.tally.report(bytes, started.elapsed(), options.unit()));
    }
    outcome
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
