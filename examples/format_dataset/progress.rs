//! How far a run has come, shown where someone looks on.

use std::fs;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use crate::options::Options;
use crate::sink::{Place, Sink};

/// A bar on a terminal, and nothing in a pipe.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// The rows of the runs before this one, which are no measure of its speed.
    rows_before: u64,
}

impl Progress {
    pub(crate) fn new(options: &Options, sink: &Sink) -> io::Result<Self> {
        if options.quiet || !io::stderr().is_terminal() {
            return Ok(Progress { bar: None, rows_before: 0 });
        }
        let size = match &options.input {
            Some(path) => Some(fs::metadata(path)?).filter(fs::Metadata::is_file).map(|file| file.len()),
            None => None,
        };
        let bar = match size {
            Some(size) => ProgressBar::new(size).with_style(style(
                "{bar:30} {percent:>3} %  {msg}  {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
            )),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg}  {binary_bytes}, {binary_bytes_per_sec}")),
        };
        bar.set_position(sink.place().offset);
        bar.reset_eta();
        Ok(Progress { bar: Some(bar), rows_before: sink.place().tally.lengths.count() })
    }

    pub(crate) fn show(&self, place: &Place) {
        if let Some(bar) = &self.bar {
            bar.set_position(place.offset);
            let rows = place.tally.lengths.count();
            let seconds = bar.elapsed().as_secs_f64().max(0.001);
            bar.set_message(format!("{rows} rows, {:.0} rows/s", (rows - self.rows_before) as f64 / seconds));
        }
    }

    /// A line on standard error, above the bar.
    pub(crate) fn report(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
