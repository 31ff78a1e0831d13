//! What the lint finds in templates, and that it finds nothing where nothing is.

use std::collections::BTreeSet;

use mistral_chat_template::template::{ClockTime, Engine, GenerationMarks, Lint, LintKind};
use mistral_chat_template::{Chat, ChatTemplate, Format, Message, Version};

const TABLE: &str = include_str!("../../src/template/lint/constructs.tsv");

fn lints(source: &str) -> Vec<Lint> {
    ChatTemplate::new(source).unwrap().lint()
}

fn unescaped(cell: &str) -> String {
    let other = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    cell.split("\\\\").map(other).collect::<Vec<_>>().join("\\")
}

/// Engines with a finding of this kind, in this line.
fn engines(source: &str, kind: LintKind, line: u32) -> Vec<Engine> {
    let found = lints(source).into_iter().filter(|lint| (lint.kind, lint.line) == (kind, Some(line)));
    found.flat_map(|lint| lint.engines).collect()
}

fn has(source: &str, kind: LintKind) -> bool {
    lints(source).iter().any(|lint| lint.kind == kind)
}

/// A template that prints each message as this.
fn each(inner: &str) -> String {
    format!("{{% for m in messages %}}{inner}{{% endfor %}}")
}

#[test]
fn ours_prints_each_construct_as_transformers_does() {
    let mut differing = Vec::new();
    let mut count = 0;
    for line in TABLE.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').map(unescaped).collect();
        let (template, prints) = (&cells[3], &cells[4]);
        if template.is_empty() {
            continue;
        }
        count += 1;
        let ours = ChatTemplate::new(template)
            .map(|template| template.clock(|| ClockTime::from_unix_seconds(1_700_000_000)))
            .and_then(|template| template.render(&Chat::new([Message::user("Hi")])));
        let same = ours.as_ref().is_ok_and(|prompt| prompt.as_str() == prints);
        let of_the_day = template.contains("strftime_now");
        if !same && !of_the_day {
            differing.push(format!("{template}: {prints:?}, ours {:?}", ours.map(|prompt| prompt.as_str().to_owned())));
        }
    }
    assert!(count > 500, "{count}");
    assert!(differing.is_empty(), "{} of {count}: {differing:#?}", differing.len());
}

#[test]
fn loops_over_texts_are_found_by_their_line() {
    let looped = "{% for m in messages %}\n{% for c in m.content %}{{ c }}{% endfor %}{{ eos_token }}{% endfor %}";
    assert!(engines(looped, LintKind::Fails, 2).contains(&Engine::LlamaCpp));
    let asked =
        "{% for m in messages %}\n{% if m.content is string %}{{ m.content }}{% endif %}{{ eos_token }}{% endfor %}";
    assert_eq!(engines(asked, LintKind::Fails, 2), []);
}

#[test]
fn filters_and_methods_that_an_engine_lacks_are_found() {
    let filtered = "{% for m in messages %}\n{{ m.content|wordcount }}{{ eos_token }}{% endfor %}";
    assert!(engines(filtered, LintKind::Fails, 2).contains(&Engine::HfJinja));
    let method = each("{{ m.role.swapcase() }}{{ eos_token }}");
    assert!(engines(&method, LintKind::Fails, 1).contains(&Engine::HfJinja));
    let plain = each("{{ m.role|upper }}{{ eos_token }}");
    assert_eq!(engines(&plain, LintKind::Fails, 1), []);
}

#[test]
fn what_no_chat_meets_is_found_by_its_name() {
    let unmet = "{% if never %}\n{{ messages|wordcount }}{% endif %}{{ eos_token }}";
    let found = lints(unmet).into_iter().find(|lint| lint.construct.as_deref() == Some("filter wordcount")).unwrap();
    assert!(!found.met && found.line == Some(2), "{found:?}");
    let loaded = "{% if never %}{% generation %}{% endgeneration %}{% endif %}{{ eos_token }}";
    let found = lints(loaded).into_iter().find(|lint| lint.kind == LintKind::FailsToLoad).unwrap();
    assert!(found.met, "what is not loaded fails with every chat: {found}");
}

#[test]
fn a_finding_says_what_happens_where_and_with_what() {
    let source = each("{{ m.role.swapcase() }}{{ eos_token }}");
    let found = lints(&source).into_iter().find(|lint| lint.construct.as_deref() == Some("method swapcase")).unwrap();
    let sentence = found.to_string();
    assert!(sentence.starts_with("line 1: `method swapcase`: @huggingface/jinja fails at `"), "{sentence}");
    for part in ["; llama.cpp fails at `", "; minijinja fails at `", "swapcase()", " (here: text)"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    let of_the_whole = lints(&each("{{ m.content }}")).into_iter().find(|lint| lint.kind == LintKind::NoEnd).unwrap();
    assert_eq!(of_the_whole.to_string(), of_the_whole.sentence);
    let differs = lints(&each("{{ m.role is sequence }}{{ eos_token }}")).into_iter();
    let differs = differs.map(|lint| lint.to_string()).find(|said| said.contains("`print`")).unwrap();
    assert!(differs.contains(" prints \"true"), "{differs}");
}

#[test]
fn json_is_printed_otherwise() {
    let json = each("{{ m|tojson }}{{ eos_token }}");
    assert!(engines(&json, LintKind::Differs, 1).contains(&Engine::MiniJinja));
    assert!(engines(&json, LintKind::Differs, 1).contains(&Engine::Jinja2));
    let plain = each("{{ m.role }}{{ eos_token }}");
    assert_eq!(engines(&plain, LintKind::Differs, 1), []);
}

#[test]
fn a_difference_is_told_where_it_gets_into_the_prompt() {
    let asked = each(
        "{% if loop.first %}a{% endif %}{{ m.role }}{% set json = m|tojson %}{% if json %}{{ eos_token }}{% endif %}",
    );
    assert_eq!(engines(&asked, LintKind::Differs, 1), []);
    let printed = each("{{ loop.first }}{{ m.role }}{{ eos_token }}");
    assert!(engines(&printed, LintKind::Differs, 1).contains(&Engine::HfJinja));
    // minijinja takes a text for a sequence.
    let chosen = each("{% if m.role is sequence %}{{ m.role }}{% endif %}{{ eos_token }}");
    assert!(engines(&chosen, LintKind::Differs, 1).contains(&Engine::MiniJinja), "{:?}", lints(&chosen));
    let alike = each("{% if m.role is sequence %}{{ m.role }}{% else %}{{ m['role'] }}{% endif %}{{ eos_token }}");
    assert_eq!(engines(&alike, LintKind::Differs, 1), []);
}

#[test]
fn what_an_engine_does_not_get_to_is_not_met() {
    let met = |source: &str, construct: &str, engine: Engine| {
        let found = lints(source).into_iter().filter(|lint| lint.construct.as_deref() == Some(construct));
        found.filter(|lint| lint.engines.contains(&engine)).map(|lint| lint.met).collect::<Vec<_>>()
    };
    let twice = each("{{ m.role.swapcase() }}{{ m.role|wordcount }}{{ eos_token }}");
    assert_eq!(met(&twice, "method swapcase", Engine::HfJinja), [true]);
    assert_eq!(met(&twice, "filter wordcount", Engine::HfJinja), [false]);
    assert_eq!(met(&twice, "filter wordcount", Engine::LlamaCpp), [false]);
    // Another name of a filter is looked up by itself, and so met where its line is.
    let alias = each("{{ m.role|d('x') }}{{ eos_token }}{% if never %}\n{{ m.role|d('x') }}{% endif %}");
    let met_by_line = lints(&alias).into_iter().filter(|lint| lint.construct.as_deref() == Some("filter d"));
    let met_by_line: Vec<_> = met_by_line.map(|lint| (lint.line, lint.met)).collect();
    assert_eq!(met_by_line, [(Some(1), true), (Some(2), false)]);
    // A chat that shows it is enough, whatever the others do not get to.
    let some = format!("{{% if tools %}}{{{{ 'a'.swapcase() }}}}{{% endif %}}{}", each("{{ m.role|wordcount }}"));
    assert_eq!(met(&some, "filter wordcount", Engine::HfJinja), [true]);
    // What is undefined can be looped over, but @huggingface/jinja does not say so.
    let guarded = each("{% if m.x is iterable %}{% for x in m.x %}{{ x }}{% endfor %}{% endif %}{{ eos_token }}");
    assert_eq!(met(&guarded, "loop", Engine::HfJinja), [false]);
    let open = each("{% for x in m.x %}{{ x }}{% endfor %}{{ eos_token }}");
    assert_eq!(met(&open, "loop", Engine::HfJinja), [true]);
}

/// Of several differences those are told that make one by themselves, and all of them where none does.
#[test]
fn differences_are_told_apart() {
    let source = each(
        "{{ m|tojson }}{{ eos_token }}\n{% set a = m.role is sequence %}\n{% set b = m.role is sequence %}\
         {% if a and not b %}{% if m.role|wordcount > 99 %}{% endif %}{% endif %}",
    );
    assert!(engines(&source, LintKind::Differs, 1).contains(&Engine::MiniJinja));
    assert!(!engines(&source, LintKind::Differs, 2).contains(&Engine::MiniJinja));
    assert!(!engines(&source, LintKind::Differs, 3).contains(&Engine::MiniJinja));
    let both = each(
        "{% set a = m.role is sequence %}\n{% set b = m.role is sequence %}{{ 'x' if a or b else 'y' }}{{ eos_token }}",
    );
    for line in [1, 2] {
        assert!(engines(&both, LintKind::Differs, line).contains(&Engine::MiniJinja), "{:#?}", lints(&both));
    }
    // An engine that fails prints nothing that could differ.
    let fails = each("{{ loop.first }}{{ m.role.swapcase() }}{{ eos_token }}");
    let met: Vec<_> =
        lints(&fails).into_iter().filter(|lint| lint.kind == LintKind::Differs).map(|lint| lint.met).collect();
    assert_eq!(met, [false]);
}

/// Values that are hard to write are handled as the plain ones of their kind where an engine does not tell them apart.
#[test]
fn values_count_as_the_plain_ones_of_their_kind() {
    for value in ["' a'", "'  '", "'é'", "'<'"] {
        assert!(
            engines(&each(&format!("{{{{ ({value}).swapcase() }}}}")), LintKind::Fails, 1).contains(&Engine::HfJinja)
        );
    }
    for (value, filter) in [
        ("(-1)", "filesizeformat"),
        ("12345678901234567890", "filesizeformat"),
        ("['é']", "batch(1)"),
        ("[{'é': 1}]", "batch(1)"),
        ("[1]", "batch(1)"),
        ("{'b': 1, 'a': '<'}", "xmlattr"),
    ] {
        let source = each(&format!("{{{{ ({value})|{filter} }}}}"));
        assert!(engines(&source, LintKind::Fails, 1).contains(&Engine::HfJinja), "{source}: {:#?}", lints(&source));
    }
}

#[test]
fn stripping_differs_where_other_white_space_is_left() {
    let stripped = |text: &str| {
        let source = each(&format!("{{{{ '{text}'.lstrip('\\n') }}}}{{{{ eos_token }}}}"));
        engines(&source, LintKind::Differs, 1).contains(&Engine::HfJinja)
    };
    assert!(stripped("\\n a") && !stripped("\\na ") && !stripped("a"));
    let differs =
        |expression: &str| engines(&each(&format!("{{{{ {expression} }}}}{{{{ eos_token }}}}")), LintKind::Differs, 1);
    for (differing, alike) in
        [("' a \\n'.rstrip('\\n')", "' a\\n'.rstrip('\\n')"), ("'\\n a\\n'.strip('\\n')", "'\\na\\n'.strip('\\n')")]
    {
        assert!(differs(differing).contains(&Engine::HfJinja), "{differing}");
        assert!(!differs(alike).contains(&Engine::HfJinja), "{alike}");
    }
}

#[test]
fn beginnings_and_ends_are_counted() {
    assert!(has(&each("{{ bos_token }}{{ m.content }}{{ eos_token }}"), LintKind::BeginsTwice));
    let once = format!("{{{{ bos_token }}}}{}", each("{{ m.content }}{{ eos_token }}"));
    assert!(!has(&once, LintKind::BeginsTwice) && !has(&once, LintKind::TokenizerBegins));
    let config = |adds: bool| {
        let json =
            serde_json::json!({"chat_template": once, "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": adds});
        let lints = ChatTemplate::from_tokenizer_config(&json.to_string()).unwrap().lint();
        lints.iter().any(|lint| lint.kind == LintKind::TokenizerBegins)
    };
    assert!(config(true) && !config(false));
    assert!(has(&each("{{ m.content }}\n"), LintKind::NoEnd));
    assert!(!has(&each("{{ m.content }}<|im_end|>\n"), LintKind::NoEnd));
}

#[test]
fn what_is_lost_of_a_chat_is_told() {
    let all = [
        LintKind::SystemDropped,
        LintKind::ReasoningDropped,
        LintKind::ToolsDropped,
        LintKind::CallDropped,
        LintKind::ResultDropped,
        LintKind::ResultIdDropped,
    ];
    let of = |source: &str| all.map(|kind| has(source, kind));
    let text = each("{{ m.content if m.content is string else m.content[-1].text }}{{ eos_token }}");
    assert_eq!(of(&text), [false, true, true, true, false, false]);
    let users = each("{% if m.role == 'user' %}{{ m.content }}{{ eos_token }}{% endif %}");
    assert_eq!(of(&users), [true, true, true, true, true, false]);
    assert_eq!(of("{{ messages|tojson }}{{ tools|tojson }}{{ eos_token }}"), [false; 6]);
    let without_ids = "{{ tools|tojson }}{% for m in messages %}{{ m.content }}{{ m.tool_calls|tojson if m.tool_calls }}\
                       {{ m.reasoning_content }}{{ eos_token }}{% endfor %}";
    assert_eq!(of(without_ids), [false, false, false, false, false, true]);
    let first_id = without_ids.replace(
        "{{ m.content }}",
        "{{ m.content }}{{ m.tool_call_id if loop.index0 and loop.previtem.role != 'tool' }}",
    );
    assert_eq!(of(&first_id), [false, false, false, false, false, true], "the ids of all results");
}

#[test]
fn numbers_and_keys_are_told_by_what_is_hard_in_them() {
    let differs = |expression: &str, engine| {
        let source = each(&format!("{{{{ {expression} }}}}{{{{ eos_token }}}}"));
        engines(&source, LintKind::Differs, 1).contains(&engine)
    };
    assert!(differs("1.0", Engine::HfJinja) && !differs("1.5", Engine::HfJinja));
    assert!(differs("{'a': 1.0}['a']", Engine::HfJinja) && !differs("{'a': 1.5}['a']", Engine::HfJinja));
    assert!(differs("{'b': 1, 'a': 2}|tojson", Engine::Jinja2) && !differs("{'a': 1, 'b': 2}|tojson", Engine::Jinja2));
    assert!(differs("{'c': 1, 'a': 2, 'b': 3}|tojson", Engine::Jinja2));
}

#[test]
fn written_templates_fail_in_no_engine() {
    // Those on Tekken are written with the same constructs.
    for version in Version::ALL.iter().filter(|version| !version.to_string().ends_with("-tekken")) {
        let source = version.layout().chat_template_with(GenerationMarks::Left);
        let lints = ChatTemplate::new(&source).unwrap().lint();
        let failing = |lint: &&Lint| lint.met && matches!(lint.kind, LintKind::Fails | LintKind::FailsToLoad);
        let failing: Vec<_> = lints.iter().filter(failing).map(ToString::to_string).collect();
        assert!(failing.is_empty(), "{version}: {failing:#?}");
    }
}

/// Each row of the table, in a line of its own of one template, is found there for the engines that do something else.
#[test]
fn each_construct_of_the_table_is_found() {
    const ENGINES: [Engine; 4] = [Engine::LlamaCpp, Engine::HfJinja, Engine::MiniJinja, Engine::Jinja2];
    let rows = TABLE.lines().skip(1).map(|line| line.split('\t').map(unescaped).collect::<Vec<_>>());
    // Under another name, of what is missing by another row, and as white space that is stripped.
    let is_told_elsewhere = |row: &[String]| {
        matches!(&*row[0], "filter d" | "filter e" | "statement break")
            || row[0] == "item" && row[3].contains("is defined")
            || row[0].ends_with("strip") && row[2] == "empty text"
    };
    let is_other = |cell: &String| cell.trim_start_matches('?').starts_with(['!', '~']);
    let rows: Vec<_> =
        rows.filter(|row| row[5..].iter().any(is_other) && !row[3].contains('\n') && !is_told_elsewhere(row)).collect();
    let source: String = rows.iter().map(|row| format!("{}\n", row[3])).collect();
    let mut found = BTreeSet::new();
    for lint in lints(&source) {
        found.extend(lint.engines.iter().map(|engine| (lint.line, lint.construct.clone(), *engine)));
    }
    for (row, line) in rows.iter().zip(1..) {
        for (engine, cell) in ENGINES.into_iter().zip(&row[5..]) {
            let is_found = found.contains(&(Some(line), Some(row[0].clone()), engine));
            assert_eq!(is_found, is_other(cell), "{engine}: {row:?}");
        }
    }
    assert!(rows.len() > 600, "{}", rows.len());
}
