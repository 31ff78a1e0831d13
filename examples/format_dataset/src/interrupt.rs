//! ^C and a request to end: the run notes how far it has come, and says how to go on.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::options::Options;
use crate::sink::Sink;

/// The exit code of a program that was interrupted.
const CODE: i32 = 130;

static COUNT: AtomicU32 = AtomicU32::new(0);
static IS_RUNNING: AtomicBool = AtomicBool::new(false);

/// Listens to requests to end from now on. They end the program at once, until it runs.
pub(crate) fn listen() {
    let noted = || {
        if !IS_RUNNING.load(Ordering::SeqCst) {
            eprintln!("interrupted before any row was written");
            process::exit(CODE);
        }
        if COUNT.fetch_add(1, Ordering::SeqCst) > 0 {
            process::exit(CODE);
        }
    };
    // Where nothing can listen, ^C ends the program as ever, and the journal says how far it had come.
    let _ = ctrlc::set_handler(noted);
}

/// Notes requests from now on; the second ends the program at once.
pub(crate) fn run() {
    IS_RUNNING.store(true, Ordering::SeqCst);
}

pub(crate) fn is_wanted() -> bool {
    COUNT.load(Ordering::SeqCst) > 0
}

/// Ends the program, with all noted.
pub(crate) fn leave(options: &Options, sink: Sink) -> ! {
    let can_be_resumed = sink.is_journalled();
    match sink.finish(false) {
        Ok(place) if can_be_resumed => {
            eprintln!("interrupted after line {}: the same command with --resume goes on", place.line);
        }
        Ok(place) => match &options.output {
            Some(output) => eprintln!(
                "interrupted after line {}: {} is what it was, and only a run from a file to a file can be resumed",
                place.line,
                output.display()
            ),
            None => eprintln!("interrupted after line {}", place.line),
        },
        Err(error) => eprintln!("error: {error}"),
    }
    process::exit(CODE);
}
