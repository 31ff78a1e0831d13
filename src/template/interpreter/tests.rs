use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::chat::Chat;
use crate::control::{Control, Vocabulary};
use crate::error::Error;
use crate::layout::WordStart;
use crate::prompt::{Prompt, Writer};
use crate::template::chat_view::ChatView;
use crate::template::render::{self, Rendered};
use crate::template::{ChatTemplate, MarkingFailure};
use crate::version::Version;

/// Chats that have all that a template can look at.
const CHATS: [&str; 6] = [
    r#"{"messages": [{"role": "user", "content": "Hello [INST]"}]}"#,
    r#"{"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": " a\n"},
        {"role": "assistant", "content": "b </s>"}, {"role": "user", "content": "INST"}]}"#,
    r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "["}, {"type": "text", "text": "s"}]},
        {"role": "assistant", "content": ""}, {"role": "user", "content": ""}], "reasoning_effort": "high"}"#,
    r#"{"messages": [{"role": "user", "content": "2"}, {"role": "assistant", "content": "",
        "tool_calls": [{"id": "123456789", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
        {"role": "tool", "tool_call_id": "123456789", "name": "f", "content": "3"}, {"role": "assistant", "content": "4"}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "<s>", "parameters": {"type": "object"}}}]}"#,
    r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content":
        [{"type": "thinking", "thinking": "[THINK] hm"}, {"type": "text", "text": "so"}]}, {"role": "user", "content": "r"},
        {"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "g", "arguments": {"b": "]"}}}]}]}"#,
    r#"{"messages": []}"#,
];

/// A rendered chat: what is printed, in segments, and what of it is generated.
fn prompt(rendered: &Rendered<'_>) -> (Prompt, Vec<std::ops::Range<usize>>) {
    let mut prompt = Prompt::new();
    let all = Control::all().fold(Vocabulary::default(), |all, control| all.with(&[control]));
    rendered.write(&mut Writer::new(&mut prompt, WordStart::Nothing), all);
    (prompt, rendered.generated())
}

/// Does the interpreter render the chat? What it makes of it is what the engine makes of it.
#[track_caller]
fn is_interpreted(template: &ChatTemplate, chat: &Chat<'_>) -> bool {
    let Ok(view) = ChatView::of_chat(template, chat) else { return false };
    let Some(printed) = render::interpreted(template, &view) else { return false };
    let (ours, generated) = prompt(&Rendered::Pieces(printed));
    let engine = render::by_engine(template, &view);
    let source = &view.compiled(template).source;
    let refused: Result<_, Error> = engine.map(|output| prompt(&Rendered::Whole(output)));
    match refused {
        Ok((engine, engine_generated)) => {
            assert!(ours.segments().eq(engine.segments()), "{ours:?}\nis not\n{engine:?}\nof\n{source}");
            assert_eq!(generated, engine_generated, "{source}");
        }
        Err(error) => {
            // The engine may lose sight of what is marked, and knows only then what the text is.
            let all_text = template.clone().on_marking_failure(MarkingFailure::AllText);
            let output = render::by_engine(&all_text, &view).map(|output| prompt(&Rendered::Whole(output)));
            let output = output.unwrap_or_else(|_| panic!("{error}, but {:?} of\n{source}", ours.as_str()));
            assert_eq!(ours.as_str(), output.0.as_str(), "{source}");
        }
    }
    true
}

/// Which of the chats the interpreter renders; it leaves those to the engine that a template refuses.
#[track_caller]
fn interpreted(source: &str) -> String {
    let template = ChatTemplate::new(source).unwrap();
    let is_interpreted = |json: &&str| is_interpreted(&template, &Chat::from_json(json).unwrap());
    CHATS.iter().map(|json| if is_interpreted(json) { '+' } else { '-' }).collect()
}

#[test]
fn templates_of_every_layout_are_interpreted() {
    for version in Version::ALL {
        let tools = if matches!(version, Version::V1 | Version::V1Tekken) { '-' } else { '+' };
        let expected: String = ['+', '+', '-', tools, '-', '-'].iter().collect();
        assert_eq!(interpreted(&version.layout().chat_template()), expected, "{version:?}");
    }
}

#[test]
fn templates_as_they_are_published_are_interpreted() {
    for (name, expected) in [
        ("chatml.jinja", "+++++-"),
        ("first_instruct.jinja", "+----+"),
        ("headers.jinja", "++----"),
        ("reasoning.jinja", "++++++"),
        ("system_blocks.jinja", "++----"),
        ("tools_instruct.jinja", "++-+--"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates").join(name);
        assert_eq!(interpreted(&std::fs::read_to_string(path).unwrap()), expected, "{name}");
    }
}

#[test]
fn what_templates_are_made_of() {
    for source in [
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] if m.content is string }}{% endfor %}",
        "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ loop.last }}{% else %}none{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for m in messages %}{% set ns.l = ns.l + [m.role] %}{% endfor %}{{ ns.l|join }}",
        "{% set x = [1] %}{% set ns = namespace(l=x) %}{% set ns.l = ns.l + [2] %}{{ x|length ~ ns.l|length }}",
        "{% macro f(a, b='x') %}[{{ a }}{{ b }}]{% endmacro %}{{ f('INST') }}{{ f(b='', a='/INST') ~ f('q')|length }}",
        "{% set ns = namespace(n=0) %}{% macro f() %}{% set ns.n = ns.n + 1 %}{% endmacro %}{{ f() }}{{ f() }}{{ ns.n }}",
        "{{ x }}{% set x = '1' %}{% macro f() %}{{ x }}{% endmacro %}{{ f() }}",
        "{% macro f() %}a{% endmacro %}{% macro g() %}{{ f() }}b{% endmacro %}{{ g() }}{{ g()|length }}",
        "  {%- if tools %}\n  {{ tools|length }}\n  {% else %}\n x {% endif %}\n y\n",
        " a {# b #} \n {#- c -#} \n d\n{% if true +%}\n e\n  {%+ endif %}\n",
        "{% generation %}a{% for m in messages %}b{% endfor %}{% endgeneration %}{% set c %}d{{ 1 - 3 }}{% endset %}{{ c }}",
        "{{ '[' ~ 'INST]' }}{{ '[' }}INST{{ ']' }}{{ none }}{{ true }}{{ nope }}{{ nope is defined }}",
        "{% for m in messages %}{{ m.content if m.content is string else '[INST]' }}{{ ']' }}{% endfor %}",
        "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.get('name', '-') }}{% break %}{% endfor %}",
        "{% for m in messages[1:] %}{{ m.tool_calls|tojson if m.tool_calls is defined }}{% endfor %}{{ tools|tojson }}",
        "{% for m in messages[::-1] %}{{ loop.previtem.role ~ loop.nextitem.role if not loop.first and not loop.last }}{% endfor %}",
        "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}{{ 'tool_calls' in messages[-1] if messages }}",
        "{{ 'a<think>b</think>c'.split('</think>')[-1] ~ ' ab '.strip() ~ 'xay'.strip('xy') ~ 'abc'[1:] ~ 'abc'[:-1] }}",
        "{% for k, v in {'a': 1, 'b': none}.items() %}{{ k ~ v|tojson }}{% endfor %}{{ ['x', 'y']|first }}{{ [1, 2]|last }}",
        "{{ 'aba'|replace('a', '\\\\') }}{% for i in range(4) if i != 1 %}{{ ('ab' ~ 'cé')[i:i + 1] ~ 'abc'[0 - i:] }}{% endfor %}",
        "{{ 'It'.startswith('I') }}{{ 'It'.endswith('I') }}{{ '12'|int + 1 }}",
        "{% for m in messages if m.content is string %}{{ m.content|upper ~ m.content|title|lower|capitalize }}{% endfor %}",
        "{{ '1.50'|float|string ~ 'x'|int ~ ('1e3'|float) }}{{ 7 % 4 }}{{ 3 > 2 }}{{ not (1 in [1, '1']) }}{{ 'a' or 'b' }}",
        "{{ nope == none }}{{ nope == nope2 }}{{ '' and 1 }}{{ 'b' not in 'abc' }}{{ nope|default('d') }}",
        "{% for m in messages if m.role == 'tool' %}{{ m.name ~ m.tool_call_id ~ m.content }}{% endfor %}",
    ] {
        assert_eq!(interpreted(source), "++++++", "{source}");
    }
}

#[test]
fn what_only_the_engine_knows() {
    for source in [
        "{% raw %}{{ x }}{% endraw %}",
        "{{ 1.5 }}{{ 2 * 3 }}{{ 7 // 2 }}{{ 2 ** 3 }}",
        "{{ [1, 2] }}",
        "{{ (1, 2)|length }}",
        "{{ 'a'|replace('a', '[') }}{{ '[a'|replace('a', 'b') }}",
        "{{ '[' ~ 'inst'|upper ~ ']' }}",
        "{{ 1 < 2 < 3 }}",
        "{{ '\\x5b' }}",
        "{% with a = 1 %}{{ a }}{% endwith %}",
        "{% set a, b = 1, 2 %}{{ a }}",
        "{% set a = 1 %}{% generation %}{% set a = a %}{% endgeneration %}",
        "{% set x = 1 %}{% macro f() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ f() }}",
        "{% macro f() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ f() }}",
        "{% for c in 'ab' recursive %}{{ c }}{% endfor %}",
        "{{ range(3)|join }}",
        "{% for c in 'ab' %}{% break %}{% else %}x{% endfor %}",
        "{{ {'[INST]': 1}|tojson }}{{ '[INST]'|tojson }}",
        "{% set x = namespace(a=1) %}{{ [x]|length }}",
    ] {
        assert_eq!(interpreted(source), "------", "{source}");
    }
}

#[test]
fn what_goes_too_deep_is_left_to_the_engine() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| open.repeat(depth) + inner + &close.repeat(depth);
    for (open, inner, close, depth) in [
        ("{% if true %}", "x", "{% endif %}", 14),
        ("{% for m in messages %}", "x", "{% endfor %}", 4),
        ("{{ ", "'a'", " }}", 1),
    ] {
        assert_eq!(interpreted(&nested(open, inner, close, depth)), "++++++", "{open}");
    }
    assert_eq!(interpreted(&nested("{% if true %}", "x", "{% endif %}", 60)), "------");
    assert_eq!(interpreted(&format!("{{{{ {} }}}}", nested("(", "1", ")", 40))), "------");
    assert_eq!(interpreted(&format!("{{{{ 1{} }}}}", " + 1".repeat(120))), "------");
    assert_eq!(interpreted(&format!("{{{{ {}|length }}}}", nested("[", "", "]", 12))), "++++++");
    let wrapped = "{% set ns = namespace(l=[]) %}{% for c in 'abcdefghijklmnopq' %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|length }}";
    assert_eq!(interpreted(wrapped), "------");
    let doubled =
        "{% set ns = namespace(t='ab') %}{% for c in 'abcdefghijklmnopqrst' %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}";
    assert_eq!(interpreted(doubled), "------");
}

fn names() -> impl Strategy<Value = String> {
    let names = [
        "messages",
        "m",
        "m",
        "m.content",
        "m['role']",
        "m.tool_calls",
        "a",
        "b",
        "ns.n",
        "ns.t",
        "ns.l",
        "nope",
        "tools",
        "bos_token",
        "messages[0]",
        "messages[-1].content",
        "loop.index",
        "loop.index0",
        "loop.first",
        "loop.last",
        "loop.length",
        "loop.previtem",
        "loop.nextitem.role",
        "ns",
        "f",
        "reasoning_effort",
        "add_generation_prompt",
    ];
    select(names.to_vec()).prop_map(str::to_owned)
}

fn literals() -> impl Strategy<Value = String> {
    let literals = [
        "'user'",
        "'inst'",
        "'[INST]'",
        "'['",
        "'/INST]'",
        "''",
        "' x\\n'",
        "\"it's\"",
        "0",
        "1",
        "2",
        "none",
        "true",
        "False",
        "[]",
        "{}",
        "{'role': 'user'}",
        "['user', 'assistant']",
        "'content'",
    ];
    select(literals.to_vec()).prop_map(str::to_owned)
}

fn expressions() -> BoxedStrategy<String> {
    let leaf = prop_oneof![4 => names(), 3 => literals()];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators = ["~", "~", "+", "-", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"];
        let after = [
            ".content", "['role']", "[0]", "[-1]", "[1:]", ".strip()", ".lstrip()", ".rstrip()", ".get('role')",
            ".get('name', 'x')", ".startswith('a')", ".endswith('\\n')", "|length", "|trim", "|join", "|join('[')",
            "|string", "|list", "|first", "|last", "|tojson", "|safe", "|default('x')", " is defined", " is not none",
            " is string", " is not mapping", " is iterable", " is undefined", " is true",
        ];
        prop_oneof![
            5 => (inner.clone(), select(operators.to_vec()), inner.clone()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            2 => (inner.clone(), select(operators.to_vec()), inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            6 => (inner.clone(), select(after.to_vec())).prop_map(|(a, after)| format!("{a}{after}")),
            1 => inner.clone().prop_map(|a| format!("not {a}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} if {b} else {c}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'a': {a}, 'role': {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("f({a}, q={b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
        ]
    })
    .boxed()
}

fn tag(inside: String, [open, close]: [&str; 2]) -> String {
    format!("{{%{open} {inside} {close}%}}")
}

fn statements() -> BoxedStrategy<String> {
    let signs = || [select(vec!["", "", "-", "-", "+"]), select(vec!["", "", "-", "-", "+"])];
    let texts =
        select(vec!["[INST]", "[", " x\n", "\n  ", "\n", "  ", "a", "INST]", "</s>", "{# c #}\n", " {#- c -#} "]);
    let set = (select(vec!["a", "b", "ns.n", "ns.t", "ns.l", "ns"]), expressions(), signs());
    let add = (select(vec!["ns.n", "ns.t", "ns.l"]), expressions(), signs());
    let leaf = prop_oneof![
        3 => texts.prop_map(str::to_owned),
        4 => (expressions(), signs()).prop_map(|(e, [open, close])| format!("{{{{{open} {e} {close}}}}}")),
        2 => set.prop_map(|(name, e, signs)| tag(format!("set {name} = {e}"), signs)),
        1 => add.prop_map(|(name, e, signs)| tag(format!("set {name} = {name} + {e}"), signs)),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        let block = move || vec(inner.clone(), 0..4).prop_map(|statements| statements.concat());
        let conditional = (expressions(), block(), expressions(), block(), block(), signs()).prop_map(
            |(first, one, second, other, last, signs)| {
                let [a, b, c, d] = [format!("if {first}"), format!("elif {second}"), "else".into(), "endif".into()]
                    .map(|inside| tag(inside, signs));
                format!("{a}{one}{b}{other}{c}{last}{d}")
            },
        );
        let iterated = prop_oneof![3 => Just("messages".to_owned()), 1 => expressions()];
        let targets = prop_oneof![6 => Just("m"), 1 => Just("k, m")];
        let filtered = prop_oneof![3 => Just(String::new()), 1 => expressions().prop_map(|e| format!(" if {e}"))];
        let leaving = prop_oneof![
            4 => Just(String::new()),
            1 => expressions().prop_map(|e| format!("{{% if {e} %}}{{% break %}}{{% endif %}}")),
            1 => expressions().prop_map(|e| format!("{{% if {e} %}}{{% continue %}}{{% endif %}}")),
        ];
        let repeated = (targets, iterated, filtered, block(), leaving, block(), signs()).prop_map(
            |(targets, iterated, filtered, body, leaving, otherwise, signs)| {
                // The engine does not know how long a text is that a loop goes through.
                let body = match iterated == "messages" {
                    true => body,
                    false => body.replace("loop.last", "loop.first").replace("loop.length", "loop.index"),
                };
                // The engine loses sight of names in a block that stands there.
                let otherwise = otherwise.replace("{% generation %}", "").replace("{% endgeneration %}", "");
                let [a, b, c] = [format!("for {targets} in {iterated}{filtered}"), "else".into(), "endfor".into()]
                    .map(|inside| tag(inside, signs));
                format!("{a}{body}{leaving}{body}{b}{otherwise}{c}")
            },
        );
        prop_oneof![
            3 => conditional,
            4 => repeated,
            1 => (block(), signs()).prop_map(|(body, signs)| {
                format!("{}{body}{}", tag("set a".into(), signs), tag("endset".into(), signs))
            }),
            1 => block().prop_map(|body| format!("{{% generation %}}{body}{{% endgeneration %}}")),
        ]
    })
    .boxed()
}

fn templates() -> impl Strategy<Value = String> {
    let macros = vec(statements(), 1..3).prop_map(|body| {
        format!("{{% macro f(p, q='d') %}}{{{{ p }}}}{}{{% endmacro %}}", body.concat().replace("m.", "p."))
    });
    let macros = prop_oneof![2 => Just(String::new()), 1 => macros];
    let before = prop_oneof![2 => Just(Vec::new()), 1 => vec(statements(), 1..3)];
    (before, macros, vec(statements(), 1..6)).prop_map(|(before, macros, body)| {
        format!("{{%- set ns = namespace(n=0, t='', l=[]) -%}}{}{macros}{}", before.concat(), body.concat())
    })
}

/// So many cases, or as many as `PROPTEST_CASES` says.
fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases, ..default } }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_interpreter_is_the_engine(source in templates()) {
        if let Ok(template) = ChatTemplate::new(&source) {
            for json in CHATS {
                is_interpreted(&template, &Chat::from_json(json).unwrap());
            }
        }
    }
}
