//! What a run has done, counted, and as a person reads it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use mistral_chat_template::train::{Notes, Nulls};

use crate::formatter::Reason;
use crate::options::Options;

const BAR_WIDTH: u64 = 40;

#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    pub(crate) lengths: Lengths,
    pub(crate) noticed: Noticed,
    /// The rejects, by kind.
    rejects: BTreeMap<String, Rejects>,
}

/// The rejects of one kind: how many, and the first of them.
#[derive(Clone, Deserialize, Serialize)]
struct Rejects {
    count: u64,
    line: u64,
    sentence: String,
}

/// How many rows have which length, to a power of two.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Lengths {
    /// By the length's number of binary digits.
    counts: BTreeMap<u32, u64>,
    total: u64,
    learnt: u64,
    longest: u64,
}

/// What was noticed of rows that came out.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Noticed {
    /// In how many rows each field was not understood.
    unread: BTreeMap<String, u64>,
    nulls_in_tools: u64,
    nulls_in_arguments: u64,
    /// Rows with calls that were given ids.
    given_ids: u64,
    /// Answers between the best and the worst.
    #[serde(default)]
    answers_left_out: u64,
    /// Rows that did not end with a reply.
    pub(crate) trailing: u64,
    /// Rows of which exchanges were cut off.
    pub(crate) cut: u64,
    /// Rows that were mended.
    mended: u64,
}

impl Noticed {
    pub(crate) fn of_row(&mut self, notes: &Notes, repairs: usize) {
        for name in &notes.unread {
            *self.unread.entry(name.clone()).or_default() += 1;
        }
        self.nulls_in_tools += notes.nulls_in_tools as u64;
        self.nulls_in_arguments += notes.nulls_in_arguments as u64;
        self.given_ids += u64::from(notes.given_ids > 0);
        self.answers_left_out += notes.answers_left_out as u64;
        self.mended += u64::from(repairs > 0);
    }

    pub(crate) fn merge(&mut self, other: &Noticed) {
        let Noticed { unread, nulls_in_tools, nulls_in_arguments, given_ids, answers_left_out, trailing, cut, mended } =
            other;
        for (name, count) in unread {
            *self.unread.entry(name.clone()).or_default() += count;
        }
        self.nulls_in_tools += nulls_in_tools;
        self.nulls_in_arguments += nulls_in_arguments;
        self.given_ids += given_ids;
        self.answers_left_out += answers_left_out;
        self.trailing += trailing;
        self.cut += cut;
        self.mended += mended;
    }

    fn report(&self, out: &mut String, nulls: Nulls) {
        let counts = [
            (self.trailing, "rows did not end with a reply; what followed it was left out"),
            (self.cut, "rows were cut to --max-length"),
            (self.mended, "rows were mended"),
            (self.given_ids, "rows had calls without ids, which were given some"),
            (self.answers_left_out, "answers between the best and the worst of their rows were left out"),
            (self.nulls_in_tools, "members that are null were left out of schemas of tools (--drop-nulls)"),
            (
                self.nulls_in_arguments,
                match nulls {
                    Nulls::DropEverywhere => "members that are null were left out of arguments of calls (--drop-nulls)",
                    _ => "members that are null stand in arguments of calls (--drop-nulls everywhere leaves them out)",
                },
            ),
        ];
        for (count, sentence) in counts.iter().filter(|(count, _)| *count > 0) {
            let _ = writeln!(out, "{count:>12}  {sentence}");
        }
        for (name, count) in &self.unread {
            let _ = writeln!(out, "{count:>12}  rows have a field that was not understood: {name}");
        }
    }
}

impl Lengths {
    pub(crate) fn add(&mut self, length: usize, learnt: usize) {
        let length = length as u64;
        self.learnt += learnt as u64;
        *self.counts.entry(u64::BITS - length.leading_zeros()).or_default() += 1;
        self.total += length;
        self.longest = self.longest.max(length);
    }

    pub(crate) fn merge(&mut self, other: &Lengths) {
        for (digits, count) in &other.counts {
            *self.counts.entry(*digits).or_default() += count;
        }
        self.total += other.total;
        self.learnt += other.learnt;
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    fn report(&self, out: &mut String, unit: &str) {
        let (Some((first, _)), Some((last, _))) = (self.counts.first_key_value(), self.counts.last_key_value()) else {
            return;
        };
        let mean = self.total / self.count().max(1);
        let _ = writeln!(out, "\nlength in {unit}: {mean} on average, {} at most", self.longest);
        let share = self.learnt as f64 * 100.0 / self.total.max(1) as f64;
        let _ = writeln!(out, "learnt: {} of {} {unit}, {share:.1} %", self.learnt, self.total);
        let most = self.counts.values().copied().max().unwrap_or(1);
        for digits in *first..=*last {
            let count = self.counts.get(&digits).copied().unwrap_or(0);
            let low = 1_u64.checked_shl(digits.saturating_sub(1)).unwrap_or(0);
            let bar = "█".repeat((count * BAR_WIDTH).div_ceil(most) as usize);
            let _ = writeln!(out, "{low:>12} – {:<12} {count:>10}  {bar}", low.saturating_mul(2) - 1);
        }
    }
}

impl Tally {
    pub(crate) fn reject(&mut self, reason: &Reason, line: u64) {
        let first = || Rejects { count: 0, line, sentence: reason.sentence.clone() };
        self.rejects.entry(reason.kind.to_owned()).or_insert_with(first).count += 1;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.lengths.count()
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejects.values().map(|rejects| rejects.count).sum()
    }

    pub(crate) fn report(&self, bytes: u64, elapsed: Duration, options: &Options) -> String {
        let rejected = self.rejected();
        let seconds = elapsed.as_secs_f64();
        let rate = bytes as f64 / (1 << 20) as f64 / seconds.max(0.001);
        let mut out = format!(
            "{} rows, {rejected} rejects; {bytes} bytes read in {seconds:.1} s ({rate:.0} MiB/s)\n",
            self.lengths.count()
        );
        for (kind, Rejects { count, line, sentence }) in &self.rejects {
            let _ = writeln!(out, "{count:>12}  {kind}, first in line {line}: {sentence}");
        }
        self.noticed.report(&mut out, options.nulls);
        self.lengths.report(&mut out, options.unit());
        out
    }
}
