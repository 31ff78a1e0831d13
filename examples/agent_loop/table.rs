//! The table: a row a turn with the prompt as a bar, and below it what happened.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::Options;
use crate::server::{Fit, Line, Turn};

/// The layouts that are compared below the table.
pub(crate) const COMPARED: [&str; 6] = ["magnum", "v3", "v7", "v11", "v13", "v15"];

const WIDTH: usize = 80;
const BAR: usize = 30;

const HEAD: Style = Style::new().bold();
const FRAME: Style = AnsiColor::BrightBlack.on_default();
const KEPT: Style = AnsiColor::Green.on_default();
const AGAIN: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Yellow.on_default();
const REPAIR: Style = AnsiColor::Cyan.on_default();

pub(crate) fn table(name: &str, options: &Options, messages: usize, turns: &[Turn]) -> String {
    let longest = turns.iter().map(|turn| turn.bytes).max().unwrap_or_default();
    let left = format!("{name}: {messages} messages, {} requests", turns.len());
    let left = ending_with_dots(&left.replace(char::is_control, "\u{fffd}"), 68);
    let mut out = format!(" {HEAD}{left:<68}{HEAD:#}{:>10}\n", options.layout.name);
    let legend = format!("{KEPT}█{KEPT:#} kept  {AGAIN}▒{AGAIN:#} read again  {NEW}░{NEW:#} new");
    let _ = writeln!(out, " turn  what comes in                bytes   kept  {legend}");
    rule(&mut out);
    for (index, turn) in turns.iter().enumerate() {
        let kept = if turn.before == 0 { "–".to_owned() } else { format!("{} %", share(turn.kept, turn.before)) };
        let bytes = grouped(turn.bytes);
        let new = ending_with_dots(&turn.new, 25);
        let _ = writeln!(out, "{:>4}   {new:<25} {bytes:>8} {kept:>6}  {}", index + 1, bar(turn, longest));
        notes(&mut out, turn, options.budget);
    }
    rule(&mut out);
    out
}

/// How much of what it has read each layout lets a cache keep.
pub(crate) fn comparison(layouts: &[(&str, Option<Vec<Turn>>)]) -> String {
    let mut out = " Of what was read before, a prefix cache keeps\n".to_owned();
    for (name, turns) in layouts {
        let Some(turns) = turns else {
            let _ = writeln!(out, "   {name:<8}   –  cannot take it");
            continue;
        };
        let (kept, before) = turns.iter().fold((0, 0), |(kept, before), turn| (kept + turn.kept, before + turn.before));
        let full = filled(kept, before, 10);
        let (full, rest) = ("█".repeat(full), "▒".repeat(10 - full));
        let _ = write!(out, "   {name:<8}{:>4} %  {KEPT}{full}{KEPT:#}{AGAIN}{rest}{AGAIN:#}", share(kept, before));
        let margin = 31;
        for (index, line) in whys(turns).into_iter().flat_map(|why| wrapped(why, WIDTH - margin)).enumerate() {
            let start = if index == 0 { "  ".to_owned() } else { format!("\n{:margin$}", "") };
            let _ = write!(out, "{start}{line}");
        }
        out.push('\n');
    }
    out
}

/// Why bytes were read again, the reason that cost most first.
fn whys(turns: &[Turn]) -> Vec<&str> {
    let mut costs: Vec<(&str, usize)> = Vec::new();
    for turn in turns {
        let Some(parts) = &turn.parts else { continue };
        let cost = turn.before.saturating_sub(turn.kept);
        match costs.iter_mut().find(|(why, _)| *why == parts.why) {
            Some((_, sum)) => *sum += cost,
            None => costs.push((&parts.why, cost)),
        }
    }
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    costs.into_iter().map(|(why, _)| why).collect()
}

fn rule(out: &mut String) {
    let _ = writeln!(out, "{FRAME}{}{FRAME:#}", "─".repeat(WIDTH));
}

/// What was kept, what is read again though it was there before, and what is new.
fn bar(turn: &Turn, longest: usize) -> String {
    let until = |bytes: usize| filled(bytes, longest, BAR);
    let kept = until(turn.kept);
    let again = until(turn.before.min(turn.bytes)).saturating_sub(kept);
    let new = until(turn.bytes).saturating_sub(kept + again);
    let part = |ink: Style, sign: &str, width: usize| format!("{ink}{}{ink:#}", sign.repeat(width));
    part(KEPT, "█", kept) + &part(AGAIN, "▒", again) + &part(NEW, "░", new)
}

fn notes(out: &mut String, turn: &Turn, budget: usize) {
    if let Some(parts) = &turn.parts {
        note(out, AGAIN, "break", &format!("at segment {}: {}", parts.segment, parts.why));
    }
    for what in together(&turn.repairs) {
        note(out, REPAIR, "repair", &what);
    }
    match &turn.fitted {
        Fit::Fits { dropped, .. } if dropped.is_empty() => {}
        Fit::Fits { count, dropped } => {
            let what = format!("in {}: {} left out, {} stay", grouped(budget), listed(dropped), grouped(*count));
            note(out, FRAME, "fit", &what);
        }
        Fit::Over { error } => note(out, FRAME, "fit", &format!("in {}: {error}", grouped(budget))),
    }
}

fn note(out: &mut String, ink: Style, caption: &str, what: &str) {
    for (index, line) in wrapped(what, WIDTH - 15).into_iter().enumerate() {
        let caption = if index == 0 { caption } else { "" };
        let _ = writeln!(out, "       {ink}{caption:<6}{ink:#}  {line}");
    }
}

/// The repairs, those that did the same as one.
fn together(repairs: &[Line]) -> Vec<String> {
    let mut whats: Vec<(&str, &str, usize)> = Vec::new();
    for Line { at, what, .. } in repairs {
        match whats.iter_mut().find(|(_, other, _)| other == what) {
            Some((.., count)) => *count += 1,
            None => whats.push((at, what, 1)),
        }
    }
    let shown = |(at, what, count): (&str, &str, usize)| match count {
        1 => format!("{at}: {what}"),
        count => format!("{what}, in {count} places"),
    };
    whats.into_iter().map(shown).collect()
}

/// Indexes as ranges: `messages 1–4, 6`.
fn listed(indexes: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let range =
        |(first, last): (usize, usize)| if first == last { first.to_string() } else { format!("{first}–{last}") };
    let ranges: Vec<_> = ranges.into_iter().map(range).collect();
    let noun = if indexes.len() == 1 { "message" } else { "messages" };
    format!("{noun} {}", ranges.join(", "))
}

/// How many of `width` columns a part of the whole fills.
fn filled(part: usize, whole: usize, width: usize) -> usize {
    (part * width + whole / 2).checked_div(whole).unwrap_or_default()
}

/// A part in hundredths, rounded down, so that only the whole is 100.
fn share(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(" ")
}

/// The text, cut where it is longer than the columns.
fn ending_with_dots(text: &str, columns: usize) -> String {
    if text.width() <= columns { text.to_owned() } else { text.chars().take(columns - 1).chain(['…']).collect() }
}

/// A sentence in lines of at most this many columns.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}
