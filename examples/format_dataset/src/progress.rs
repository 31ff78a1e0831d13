//! How far a run has come, shown where someone looks on.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::input::Input;
use crate::options::Options;
use crate::sink::{Place, Sink};

/// A bar on a terminal, and nothing in a pipe.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    position: Arc<AtomicU64>,
    /// The rows of the runs before this one, which are no measure of its speed.
    rows_before: u64,
}

impl Progress {
    pub(crate) fn new(options: &Options, sink: &Sink, input: &Input) -> Self {
        let position = Arc::clone(&input.position);
        let rows_before = sink.place().tally.rows();
        if options.quiet || !io::stderr().is_terminal() {
            return Progress { bar: None, position, rows_before };
        }
        // The bar takes what the terminal leaves it.
        let bar = match input.size {
            Some(size) => ProgressBar::new(size).with_style(style("{wide_bar} {percent:>3} %  {msg}  {eta} left")),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg}")),
        };
        bar.set_position(position.load(Ordering::Relaxed));
        bar.reset_eta();
        Progress { bar: Some(bar), position, rows_before }
    }

    pub(crate) fn show(&self, place: &Place) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.position.load(Ordering::Relaxed));
            let rows = place.tally.rows();
            let seconds = bar.elapsed().as_secs_f64().max(0.001);
            bar.set_message(format!("{rows} rows, {:.0}/s", (rows - self.rows_before) as f64 / seconds));
        }
    }

    /// A line on standard error, above the bar.
    pub(crate) fn report(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
