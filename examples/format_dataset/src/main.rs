//! A data set of conversations, formatted for training: prompts with what of them is learnt, a row a line, in order.
//!
//! ```sh
//! cargo run --release --manifest-path examples/format_dataset/Cargo.toml -- conversations.jsonl --output train.jsonl
//! ```
//!
//! A row that no model could learn from is a reject with its reason. `--help` says what else there is.

use std::io;
use std::process::ExitCode;

#[path = "../../support/files.rs"]
mod files;
mod finish;
mod formatter;
mod help;
mod input;
mod interrupt;
mod journal;
mod mark;
#[path = "../../support/model_files.rs"]
mod model_files;
mod options;
mod parquet_rows;
mod pipeline;
#[path = "../../support/preset_line.rs"]
mod preset_line;
mod progress;
#[path = "../../support/segments.rs"]
mod segments;
mod show;
mod sink;
mod source;
mod summary;
#[path = "../../support/vocabulary.rs"]
mod vocabulary;

use options::{Command, Options};
use sink::{Sink, Start};

fn main() -> ExitCode {
    interrupt::listen();
    let options = match Options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Format(options)) => options,
        Ok(Command::Help) => {
            println!("{}", help::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\nSee --help for what there is.");
            return ExitCode::from(2);
        }
    };
    match format(&options) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn format(options: &Options) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let started = std::time::Instant::now();
    let source = options.open_source()?;
    let vocabulary = options.open_vocabulary()?;
    if let Some(vocabulary) = &vocabulary {
        source.check_vocabulary(vocabulary, options)?;
    }
    if let Some(number) = options.show {
        return show::row(options, &source, vocabulary.as_ref(), number);
    }
    let (sink, input) = match Sink::open(options)? {
        Start::With(sink, input) => (sink, input),
        Start::Complete => {
            eprintln!("nothing to resume: the output is complete");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let before = sink.place().offset;
    let (outcome, sink) = pipeline::run(options, &source, vocabulary.as_ref(), input, *sink);
    let unwritten = sink.unreported();
    let place = sink.finish(outcome.is_ok())?;
    if unwritten > 0 {
        eprintln!("… and {unwritten} rejects more; --on-error FILE keeps them all");
    }
    if !options.quiet {
        let bytes = place.offset - before;
        eprint!("{}", place.tally.report(bytes, started.elapsed(), options));
    }
    outcome?;
    Ok(verdict(options, &place))
}

/// The exit code of a run that came to the end of its input.
fn verdict(options: &Options, place: &sink::Place) -> ExitCode {
    let (rows, rejects) = (place.tally.rows(), place.tally.rejected());
    if rows == 0 && rejects > 0 {
        eprintln!("error: no row came out: all {rejects} are rejects");
        return ExitCode::FAILURE;
    }
    match &options.max_rejects {
        Some(limit) if limit.is_passed(rejects, rows + rejects) => {
            eprintln!("error: {rejects} of {} rows are rejects, and --max-rejects is {limit}", rows + rejects);
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
