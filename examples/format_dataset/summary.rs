//! What a run has done, counted, and as a person reads it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::row::Reason;

const BAR_WIDTH: u64 = 40;

#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    pub(crate) lengths: Lengths,
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
    longest: u64,
}

impl Lengths {
    pub(crate) fn add(&mut self, length: usize) {
        let length = length as u64;
        *self.counts.entry(u64::BITS - length.leading_zeros()).or_default() += 1;
        self.total += length;
        self.longest = self.longest.max(length);
    }

    pub(crate) fn merge(&mut self, other: &Lengths) {
        for (digits, count) in &other.counts {
            *self.counts.entry(*digits).or_default() += count;
        }
        self.total += other.total;
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

    pub(crate) fn report(&self, bytes: u64, elapsed: Duration, unit: &str) -> String {
        let rejected: u64 = self.rejects.values().map(|rejects| rejects.count).sum();
        let seconds = elapsed.as_secs_f64();
        let rate = bytes as f64 / (1 << 20) as f64 / seconds.max(0.001);
        let mut out = format!(
            "{} rows, {rejected} rejects; {bytes} bytes read in {seconds:.1} s ({rate:.0} MiB/s)\n",
            self.lengths.count()
        );
        for (kind, Rejects { count, line, sentence }) in &self.rejects {
            let _ = writeln!(out, "{count:>12}  {kind}, first in line {line}: {sentence}");
        }
        self.lengths.report(&mut out, unit);
        out
    }
}
