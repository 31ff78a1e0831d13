//! Templates that are written to take a process down, each in a process of its own.
//!
//! `cargo test --release --test it template_hostile:: -- --ignored --nocapture` prints the table. A case is clean when its
//! process ends by itself within ten seconds, having rendered or refused.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use mistral_chat_template::{Chat, ChatTemplate, Format, Message};

const CASE: &str = "HOSTILE_TEMPLATE";
const LIMIT: Duration = Duration::from_secs(10);

fn repeat(before: &str, part: &str, count: usize, after: &str) -> String {
    format!("{before}{}{after}", part.repeat(count))
}

/// Doubles a namespace's value so often.
fn doubled(start: &str, double: &str, rounds: usize, then: &str) -> String {
    format!(
        "{{% set ns = namespace(s={start}) %}}{{% for i in range({rounds}) %}}{{% set ns.s = {double} %}}{{% endfor %}}{then}"
    )
}

fn cases() -> Vec<(&'static str, String)> {
    let nested = |rounds| doubled("1", "[ns.s]", rounds, "");
    vec![
        ("a chain of not", repeat("{{ ", "not ", 20_000, "x }}")),
        ("a chain of minus", repeat("{{ ", "- ", 30_000, "1 }}")),
        ("a chain of plus", repeat("{{ 1", "+1", 30_000, " }}")),
        ("a chain of tilde", repeat("{{ 1", "~1", 30_000, " }}")),
        ("a chain of attributes", repeat("{{ a", ".a", 30_000, " }}")),
        ("a chain of indexes", repeat("{{ a", "[0]", 20_000, " }}")),
        ("a chain of filters", repeat("{{ a", "|e", 30_000, " }}")),
        ("a chain of calls", repeat("{{ a", "()", 30_000, " }}")),
        ("a chain of or", repeat("{{ ", "x or ", 12_000, "x }}")),
        ("a chain of conditions", repeat("{{ ", "1 if x else ", 5_000, "1 }}")),
        ("a chain of tests", repeat("{{ a", " is a", 12_000, " }}")),
        ("a chain of elif", repeat("{% if x %}", "{% elif x %}", 5_000, "{% endif %}")),
        ("nested brackets", repeat("{{ ", "[", 60_000, " }}")),
        ("nested parentheses", repeat("{{ ", "(", 60_000, " }}")),
        ("nested blocks", repeat("", "{% if 1 %}", 6_000, "")),
        ("nested loops", repeat("", "{% for a in [1,2] %}", 120, "x") + &"{% endfor %}".repeat(120)),
        ("an endless range", "{% for a in range(1000000000) %}{% endfor %}".into()),
        ("loops in loops", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}".into()),
        ("a recursive macro", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".into()),
        ("a macro that calls itself twice", "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}".into()),
        ("a recursive loop", "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}".into()),
        ("a namespace in itself, printed", "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}".into()),
        ("a namespace in itself, as JSON", "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns|tojson }}".into()),
        ("a namespace in itself, joined", "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns ~ '' }}".into()),
        ("a namespace as a key", "{% set ns = namespace() %}{% set ns.a = (ns, ns) %}{{ {ns: 1} }}".into()),
        (
            "two namespaces in one another, compared",
            "{% set a = namespace() %}{% set b = namespace() %}{% set a.x = dict(y=a) %}{% set b.x = dict(y=b) %}{{ a == b }}"
                .into(),
        ),
        ("a value nested deep", nested(60_000)),
        ("a value nested deep, dropped", nested(5_500)),
        ("a value nested deep, compared", doubled("1", "[ns.s]", 2_500, "{{ ns.s == [[[[1]]]] }}")),
        ("a text doubled", doubled("'x'", "ns.s ~ ns.s", 60, "{{ ns.s }}")),
        ("a list doubled", doubled("[1]", "ns.s + ns.s", 33, "{{ ns.s|length }}")),
        ("a list repeated", "{{ ([1] * 99999999)|length }}{% set a = [1] * 99999999 %}{{ (a + a)|list }}".into()),
        ("a text repeated", "{{ 'x' * 99999999 }}".into()),
        ("a tree doubled, printed", doubled("1", "[ns.s, ns.s]", 60, "{{ ns.s }}")),
        ("a tree doubled, as JSON", doubled("1", "{'a': ns.s, 'b': ns.s}", 60, "{{ ns.s|tojson }}")),
        (
            "two trees doubled, compared",
            doubled("1", "[ns.s, ns.s]", 40, "").replace("namespace(s=1)", "namespace(s=1, t=1)")
                + "{% for i in range(40) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        ),
        ("a tree doubled by name", format!("{}{{{{ x == y }}}}", "{% set x = (x, x) %}{% set y = (y, y) %}".repeat(60))),
        ("a wide indent", "{{ [1]|tojson(indent=999999999) }}".into()),
        ("a wide pad", "{{ 'x'.ljust(999999999) }}{{ 'x'|center(999999999) }}".into()),
        ("a big power", "{{ 9 ** 9 ** 9 ** 9 }}".into()),
        ("a big format", "{{ '%999999999d'|format(1) }}".into()),
        ("replacing what is empty", doubled("'x'", "ns.s.replace('', 'xxxxxxxxxxxxxxxx')", 40, "")),
        ("joining far", "{{ range(9999)|join('x' * 99999) }}".into()),
        ("sorting often", "{% for i in range(9999) %}{{ range(9999)|sort|length }}{% endfor %}".into()),
        ("an unclosed tag", "{{ 'x".into()),
        ("a file", "{% include '/etc/passwd' %}".into()),
        ("another template", "{% extends 'chat_template' %}".into()),
        ("itself imported", "{% import 'chat_template' as x %}{{ x }}".into()),
        ("Python's insides", "{{ ''.__class__.__mro__[1].__subclasses__() }}".into()),
        ("the engine's insides", "{{ debug() }}{{ __generation(caller=range) }}{{ self }}".into()),
    ]
}

fn chat() -> Chat<'static> {
    Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("[INST]")])
}

fn outcome(source: &str) -> String {
    match ChatTemplate::new(source).and_then(|template| template.render(&chat())) {
        Ok(prompt) => format!("rendered {} bytes", prompt.as_str().len()),
        Err(error) => error.to_string().chars().take(90).collect(),
    }
}

#[test]
#[ignore = "starts a process a case; run it in release"]
fn no_template_takes_the_process_down() {
    if let Ok(case) = env::var(CASE) {
        let (_, source) = &cases()[case.parse::<usize>().unwrap()];
        println!("outcome: {}", outcome(source));
        return;
    }
    let this = env::current_exe().unwrap();
    let cases = cases();
    let mut unclean = Vec::new();
    for (index, (name, _)) in cases.iter().enumerate() {
        let started = Instant::now();
        let arguments = ["--ignored", "--exact", "template_hostile::no_template_takes_the_process_down", "--nocapture"];
        let mut command = Command::new(&this);
        command.args(arguments).env(CASE, index.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if started.elapsed() > LIMIT => {
                    child.kill().unwrap();
                    break None;
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let said = output.lines().find_map(|line| line.split_once("outcome: ")).map_or("", |(_, said)| said);
        let verdict = match status {
            Some(status) if status.success() => said.to_owned(),
            Some(status) => format!("ABORTED: {status}"),
            None => "HANGS".to_owned(),
        };
        println!("| {name} | {} ms | {verdict} |", started.elapsed().as_millis());
        if status.is_none_or(|status| !status.success()) {
            unclean.push(*name);
        }
    }
    println!("{} of {} clean", cases.len() - unclean.len(), cases.len());
    assert!(unclean.is_empty(), "{unclean:?}");
}
