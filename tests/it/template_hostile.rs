//! Templates that are written to take a process down, each in a process of its own.
//!
//! `cargo test --release --test it template_hostile:: -- --ignored --nocapture` prints the table. A case is clean when its
//! process ends by itself within ten seconds, having rendered or refused.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use mistral_chat_template::chat::Json;
use mistral_chat_template::template::TemplateLimits;
use mistral_chat_template::{Chat, ChatTemplate, Format, Message};
use serde_json::{Value, json};

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
        ("joiners nested deep", doubled("1", "joiner(ns.s)", 60_000, "")),
        ("namespaces nested deep", doubled("1", "namespace(a=ns.s)", 60_000, "")),
        ("namespaces nested deep, let go", doubled("1", "namespace(a=ns.s)", 60_000, "{% set ns.s = 1 %}x")),
        ("namespaces nested deep in lists", doubled("1", "namespace(a=[ns.s])", 60_000, "{% set ns.s = 1 %}x")),
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

/// Does a template render in this many steps?
fn renders(source: &str, steps: u64) -> bool {
    type Made = fn() -> Value;
    let given: [(&str, Made); 4] = [
        ("text", || "a ".repeat(3_200).into()),
        ("numbers", || Value::from_iter(0..800)),
        ("texts", || Value::from_iter((0..800).map(|number| format!("{number:060}")))),
        ("pairs", || Value::from_iter((0..800).map(|number| json!([number.to_string(), 1])))),
    ];
    let limits = TemplateLimits {
        steps,
        steps_per_message: 0,
        steps_per_value: 0,
        steps_per_byte: 0,
        ..TemplateLimits::default()
    };
    let mut template = limits.compile(source).unwrap();
    for (name, value) in given.into_iter().filter(|(name, _)| source.contains(name)) {
        template = template.variable(name, Json::from_serialize(&value()).unwrap());
    }
    template.render(&Chat::default()).is_ok()
}

/// The fewest steps in which a template renders.
fn fewest_steps(source: &str) -> u64 {
    let (mut low, mut high) = (0, 1 << 14);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if renders(source, middle) { high = middle } else { low = middle }
    }
    high
}

/// What copies, looks through or makes much takes steps for that, as many as the limits are made for.
#[test]
fn much_work_takes_many_steps() {
    const PIECES: &str = "{% set p %}{% for i in numbers %}{{ i }},{% endfor %}{% endset %}";
    const LINES: &str = "{% set p %}{% for i in numbers[:100] %}{{ i }}\n{% endfor %}{% endset %}";
    let (none, pieces, lines) = (0, fewest_steps(PIECES), fewest_steps(LINES));
    for (before, base, source, expected) in [
        ("", none, "{{ text|upper|length }}", 100),
        ("", none, PIECES, 5_300),
        (PIECES, pieces, "{% set q = p ~ 'x' %}", 800),
        (PIECES, pieces, "{{ p }}", 200),
        (PIECES, pieces, "{% set q = p + 'x' %}", 800),
        (PIECES, pieces, "{% set q = p * 2 %}", 900),
        (LINES, lines, "{% set q = p|indent %}", 2_500),
        ("", none, "{% set q = range(200)|unique|list %}", 22_500),
        ("", none, "{% set q = numbers|join('------------------------------------------------') %}", 900),
        (
            "",
            none,
            "{% set q = '----------------------------------------------------------------------------------------------------'.join(texts) %}",
            2_500,
        ),
        ("", none, "{% set q = text|wordwrap %}", 900),
        ("", none, "{% set q = text|urlencode %}", 300),
        ("", none, "{% set q = {'long': text}|urlencode %}", 300),
        ("", none, "{% for i in numbers %}{% break %}{% endfor %}", 100),
        ("", none, "{% set q = numbers + [1, 2] %}", 200),
        ("", none, "{% set q = numbers + [1] %}", 200),
        ("", none, "{% set q = numbers + [1] %}{% set q = q + [2] %}{% set q = q + [3] %}", 210),
        (
            "",
            none,
            "{% set ns = namespace(q=[]) %}{% for i in numbers %}{% set ns.q = ns.q + [i] %}{% endfor %}",
            7_300,
        ),
        ("", none, "{% set q = numbers|reverse %}", 100),
        ("", none, "{% set q = numbers[1:] %}", 200),
        ("", none, "{% set q = text|e %}", 200),
        ("", none, "{% set q = text.replace(' ', '-') %}", 1_850),
        ("", none, "{% set q = [text]|map('upper') %}", 100),
        ("", none, "{% set q = range(800)|map('abs') %}", 1_700),
        ("", none, "{% set q = dict(pairs) %}", 900),
        ("", none, "{% macro f() %}{{ varargs|length }}{% endmacro %}{{ f(*numbers) }}", 900),
        ("", none, "{% macro f(a, b, c) %}{% endmacro %}{% for i in numbers %}{{ f(1, 2, 3) }}{% endfor %}", 9_700),
    ] {
        let source = format!("{before}{source}");
        assert!(!renders(&source, base + expected * 95 / 100), "{source}");
        assert!(renders(&source, base + expected * 105 / 100 + 4), "{source}");
    }
}

/// Values that hold one another are nested only so deep that they can be printed and dropped.
#[test]
fn values_are_nested_to_a_depth() {
    for (wrap, rounds) in [
        ("[ns.s]", 256),
        ("[2] + [ns.s]", 256),
        ("(ns.s,)", 256),
        ("{'a': ns.s}", 256),
        ("dict(a=ns.s)", 256),
        ("{'a': ns.s}.values()", 256),
        ("[ns.s]|select('defined')", 256),
        ("[ns.s].copy", 128),
        ("cycler(ns.s)", 256),
        ("joiner(ns.s)", 256),
    ] {
        let nested = |rounds| ChatTemplate::new(&doubled("1", wrap, rounds, "")).unwrap().render(&chat());
        assert!(nested(rounds).is_ok(), "{wrap}");
        let error = nested(rounds + 1).map(|prompt| prompt.into_string()).expect_err(wrap);
        let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert_eq!(said, "line 1: RecursionError: lists and dicts hold one another too deep", "{wrap}");
    }
}

/// So are loops that are kept.
#[test]
fn loops_are_nested_to_a_depth() {
    let kept = |rounds: usize| {
        let turn = "{% for x in [ns.s] %}{% set ns.s = loop %}{% endfor %}";
        let source = format!("{{% set ns = namespace(s=1) %}}{{% for i in range({rounds}) %}}{turn}{{% endfor %}}");
        ChatTemplate::new(&source).unwrap().render(&chat()).is_ok()
    };
    assert!(kept(256) && !kept(257));
}

/// Namespaces may be nested without end, as they are let go one by one.
#[test]
fn namespaces_are_nested_without_end() {
    for then in ["", "{% set ns.s = 1 %}"] {
        let prompt = ChatTemplate::new(&doubled("1", "namespace(a=[ns.s])", 30_000, then)).unwrap().render(&chat());
        assert_eq!(prompt.unwrap().as_str(), "");
    }
}

/// Statements and expressions stand in one another to a depth.
#[test]
fn templates_are_nested_to_a_depth() {
    let nested = |open: &str, depth: usize, close: &str| {
        let template = ChatTemplate::new(&format!("{}x{}", open.repeat(depth), close.repeat(depth)));
        template.map_err(|error| std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
    };
    assert!(nested("{% if 1 %}", 99, "{% endif %}").is_ok());
    let said = nested("{% if 1 %}", 100, "{% endif %}").map(|_| ()).unwrap_err();
    assert_eq!(said, "line 1: statements and expressions are nested deeper than 100");
}
