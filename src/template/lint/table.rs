//! The table of constructs: what each engine does with a construct of Jinja, as `tests/oracle/constructs.py` saw it.

use std::collections::HashMap;

use super::Engine;

/// The engines in the order of the table's columns.
pub(super) const ENGINES: [Engine; 4] = [Engine::LlamaCpp, Engine::HfJinja, Engine::MiniJinja, Engine::Jinja2];

/// What an engine does with a construct, beside transformers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Same,
    /// It has another value, or prints this.
    Differs {
        prints: String,
        some: bool,
    },
    /// It is an error, in the engine's own words.
    Fails {
        said: String,
        some: bool,
    },
    /// The template is not loaded.
    FailsToLoad {
        said: String,
    },
}

/// A construct with some kinds of values.
pub(super) struct Row {
    /// What shows a difference, and what transformers prints of it.
    pub(super) template: String,
    pub(super) prints: String,
    pub(super) outcomes: [Outcome; 4],
}

/// The rows, by their construct.
pub(super) struct Table {
    rows: Vec<Row>,
    /// By construct, what it is given beside the value, and the kind of the value.
    places: HashMap<(&'static str, &'static str, &'static str), usize>,
    /// By construct, all its rows.
    constructs: HashMap<&'static str, Vec<usize>>,
}

impl Table {
    pub(super) fn read() -> Self {
        let mut table = Table { rows: Vec::new(), places: HashMap::new(), constructs: HashMap::new() };
        for line in include_str!("constructs.tsv").lines().skip(1) {
            let cells: Vec<&'static str> = line.split('\t').collect();
            let [construct, given, kinds, template, prints, outcomes @ ..] = &*cells else { continue };
            let mut outcomes = outcomes.iter().map(|cell| outcome(cell));
            let row = Row {
                template: unescaped(template),
                prints: unescaped(prints),
                outcomes: std::array::from_fn(|_| outcomes.next().unwrap_or(Outcome::Same)),
            };
            let place = table.rows.len();
            table.rows.push(row);
            for kind in kinds.split("; ") {
                table.places.insert((construct, given, kind), place);
            }
            table.constructs.entry(construct).or_default().push(place);
        }
        table
    }

    /// The row of a construct that was given these kinds of values, or values that are as easy to handle.
    pub(super) fn find(&self, construct: &str, given: &str) -> Option<&Row> {
        if !self.constructs.contains_key(construct) {
            return None;
        }
        let (kind, rest) = given.split_once(", ").unwrap_or((given, ""));
        let plain: Vec<_> = rest.split(", ").map(plain).collect();
        let plain_rest = plain.join(", ");
        // The table names what is hard about a list, not that it is one of numbers.
        let hard = kind.replace("list of numbers with ", "list with ");
        let kinds = [kind, &*hard, self::plain(kind), self::plain(self::plain(kind))];
        let mut tries = kinds.into_iter().flat_map(|kind| [(kind, rest), (kind, &*plain_rest)]);
        let place = tries.find_map(|(kind, rest)| self.places.get(&(construct, rest, kind)))?;
        self.rows.get(*place)
    }

    /// The engine's own words, where it fails at a construct whatever it is given.
    pub(super) fn lacks(&self, construct: &str, engine: usize) -> Option<(&Row, &Outcome)> {
        let rows = self.constructs.get(construct)?.iter().filter_map(|place| self.rows.get(*place));
        let mut found = None;
        for row in rows {
            match row.outcomes.get(engine) {
                Some(outcome @ (Outcome::Fails { some: false, .. } | Outcome::FailsToLoad { .. })) => {
                    found = Some((row, outcome));
                }
                _ => return None,
            }
        }
        found
    }
}

fn outcome(cell: &str) -> Outcome {
    let (some, cell) = cell.strip_prefix('?').map_or((false, cell), |rest| (true, rest));
    if let Some(said) = cell.strip_prefix("!!") {
        return Outcome::FailsToLoad { said: unescaped(said) };
    }
    if let Some(said) = cell.strip_prefix('!') {
        return Outcome::Fails { said: unescaped(said), some };
    }
    match cell.strip_prefix('~') {
        Some(prints) => Outcome::Differs { prints: unescaped(prints), some },
        None => Outcome::Same,
    }
}

fn unescaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    text
}

/// The kind of value that most engines handle like this one.
fn plain(kind: &str) -> &str {
    match kind {
        "spaced text" | "white space" | "text beyond ASCII" | "text with <" => "text",
        "negative integer" | "long integer" => "integer",
        "whole float" => "float",
        "list of dicts" | "list of numbers" => "list",
        kind => [" beyond ASCII", " with <", " with whole floats", " with unsorted keys"]
            .into_iter()
            .find_map(|suffix| kind.strip_suffix(suffix))
            .unwrap_or(kind),
    }
}
