//! Which layout a template is: those of the family, written in many ways, and those that are none of them.

use std::fs;
use std::path::Path;

use mistral_chat_template::template::Said;
use mistral_chat_template::{ChatTemplate, Layout, Version};

/// A loop over messages, with what is printed of a system message, a question and an answer.
fn turns(system: &str, question: &str, answer: &str) -> String {
    format!(
        "{{{{ bos_token }}}}{{% for m in messages %}}{{% if m.role == 'system' %}}{system}{{% elif m.role == 'user' %}}\
         {question}{{% else %}}{answer}{{% endif %}}{{% endfor %}}"
    )
}

fn nearest(source: &str) -> String {
    ChatTemplate::new(source).unwrap().nearest_layout().label().to_owned()
}

const REFUSED: &str = "{{ raise_exception('no system messages') }}";
const SYSTEM_PROMPT: &str = "[SYSTEM_PROMPT]{{ m.content }}[/SYSTEM_PROMPT]";

#[test]
fn every_version_is_its_own() {
    for &version in Version::ALL {
        let layout = version.layout();
        assert_eq!(nearest(&layout.chat_template()), layout.name);
    }
}

#[test]
fn spaces_and_tokens_tell_the_versions() {
    let close = "[INST]{{ m.content }}[/INST]";
    let calls =
        "{{ m.content }}{% if m.tool_calls %}[TOOL_CALLS]{{ m.tool_calls[0].function.name }}[ARGS]{}{% endif %}</s>";
    for (source, label) in [
        (turns(REFUSED, "[INST] {{ m.content }} [/INST]", "{{ m.content }}</s>"), "v1"),
        (turns(REFUSED, " [INST] {{ m.content }} [/INST]", " {{ m.content }}</s>"), "v1"),
        (turns(REFUSED, "[INST] {{ m.content }} [/INST]", "{{ m.content }}{{ eos_token }} "), "v1"),
        (turns(REFUSED, "[INST] {{ m.content }}[/INST]", " {{ m.content }}</s>"), "v3"),
        (turns(REFUSED, close, "{{ m.content }}</s>"), "v3-tekken"),
        (
            turns(
                "[SYSTEM_PROMPT] {{ m.content }}[/SYSTEM_PROMPT]",
                "[INST] {{ m.content }}[/INST]",
                " {{ m.content }}</s>",
            ),
            "v7",
        ),
        (turns(SYSTEM_PROMPT, close, "{{ m.content }}</s>"), "v7-tekken"),
        (turns(SYSTEM_PROMPT, close, calls), "v13"),
        (turns(SYSTEM_PROMPT, close, &calls.replace("[ARGS]", "[CALL_ID]x[ARGS]")), "v11"),
    ] {
        assert_eq!(nearest(&source), label, "{source}");
    }
}

#[test]
fn a_default_system_prompt_is_recognised() {
    let source = "{{ bos_token }}{% if messages[0].role != 'system' %}[SYSTEM_PROMPT]Today is {{ strftime_now('%Y') }}.\
                  [/SYSTEM_PROMPT]{% endif %}"
        .to_owned()
        + &turns(SYSTEM_PROMPT, "[INST]{{ m.content }}[/INST]", "{{ m.content }}</s>").replace("{{ bos_token }}", "");
    let found = ChatTemplate::new(&source).unwrap().nearest_layout();
    assert_eq!(found.label(), "v7-tekken");
    assert_eq!(found.comparison.default_system.as_deref(), Some("Today is 2025."));
    assert!(found.comparison.differences.iter().all(|difference| difference.probe != "a question"), "{found}");
}

#[test]
fn what_is_no_layout_is_none() {
    for (source, evidence) in [
        (turns("", "<|im_start|>user\n{{ m.content }}<|im_end|>\n", "{{ m.content }}"), "<|im_start|>"),
        (turns("<<SYS>>{{ m.content }}<</SYS>>", "[INST] {{ m.content }} [/INST]", " {{ m.content }} </s>"), "<<SYS>>"),
        (turns("{{ m.content }}", "USER: {{ m.content }}\n", "{{ m.content }}\n"), "no question and no answer"),
        (turns("SYSTEM: {{ m.content }}\n", "[INST]{{ m.content }}[/INST]", "{{ m.content }}</s>"), "text of its own"),
        ("{{ raise_exception('nothing') }}".to_owned(), "no question and no answer"),
        ("{{ messages[0].content }}".to_owned(), "no question and no answer"),
    ] {
        let found = ChatTemplate::new(&source).unwrap().nearest_layout();
        assert_eq!(found.layout.map(|layout: Layout| layout.name), None, "{source}: {found}");
        assert!(found.evidence.contains(evidence), "{source}: {}", found.evidence);
    }
}

/// White space that no layout has leaves the layouts to tell apart by how much of it differs.
#[test]
fn the_least_white_space_decides() {
    for (layout, label) in
        [(Layout::V3, "v3"), (Layout::V3_TEKKEN, "v3-tekken"), (Layout::V7, "v7"), (Layout::V7_TEKKEN, "v7-tekken")]
    {
        let source = format!("{}{{{{ '\\n' }}}}", layout.chat_template());
        assert_eq!(nearest(&source), label);
    }
}

#[test]
fn a_family_s_template_may_move_the_system_prompt() {
    let source = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]\
                  {% elif m.role == 'system' %}[INST]{{ m.content }}[/INST]{% else %}{{ m.content }}</s>{% endif %}{% endfor %}";
    assert_eq!(nearest(source), "v3-tekken");
}

#[test]
fn one_question_is_enough_for_a_default_system_prompt() {
    let source = "{% if messages|length > 1 %}{{ raise_exception('one question') }}{% endif %}{{ bos_token }}\
                  [INST]Be wise.\n\n{{ messages[0].content }}[/INST]";
    let comparison = ChatTemplate::new(source).unwrap().compare(&Layout::V3_TEKKEN);
    assert_eq!(comparison.default_system.as_deref(), Some("Be wise."));
}

#[test]
fn what_is_found_reads_as_a_report() {
    let v13 = ChatTemplate::new(&Layout::V13.chat_template()).unwrap().nearest_layout().to_string();
    let lines: Vec<_> = v13.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "v13: its newest control token is [ARGS]; of the 41 chats that it renders, 40 are the layout's, and 0 more but \
             for white space",
            "the template differs from v13 in 1 of 54 chats",
            "a call whose arguments are written close: from byte 59 on",
        ]
    );
    let none = ChatTemplate::new("x").unwrap().nearest_layout();
    assert_eq!(none.to_string(), "none: no question and no answer are rendered as in any layout");
}

/// A template that prints all that it is shown, and a layout that prints none of it: the chats themselves.
#[test]
fn each_chat_that_is_tried_is_what_its_name_says() {
    let all = "{{ messages|tojson }} {{ tools|tojson }} {{ reasoning_effort or 'no effort' }}";
    let comparison = ChatTemplate::new(all).unwrap().compare(&Layout::V7);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/tried.tsv");
    let found = comparison.differences.iter().map(|difference| match &difference.one {
        Said::Prompt(chat) => format!("{}\t{chat}\n", difference.probe),
        Said::Refused(why) => format!("{}\t{why}\n", difference.probe),
        _ => String::new(),
    });
    assert_eq!(found.collect::<String>(), fs::read_to_string(path).unwrap());
    assert_eq!(comparison.probes, comparison.differences.len());
}

#[test]
fn what_is_found_is_json_too() {
    let template = Layout::V13.chat_template();
    let found = ChatTemplate::new(&template).unwrap().nearest_layout();
    let json = serde_json::to_value(&found).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["label", "layout", "features", "evidence", "comparison"]);
    assert_eq!((&json["layout"], &json["features"]), (&"v13".into(), &serde_json::json!([])));
    assert_eq!((&json["label"], &json["evidence"]), (&found.label().into(), &found.evidence.into()));
}

/// A version that hardly any model has is found where most of what the template renders is the version's.
#[test]
fn a_rare_version_is_not_hit_by_chance() {
    let spaced = Layout::MAGNUM.chat_template().replace("[AVAILABLE_TOOLS]", "[AVAILABLE_TOOLS]  ");
    assert_eq!(nearest(&spaced), "magnum");
    let loose = "{{ bos_token }}{% set ns = namespace(s='') %}{% for m in messages %}{% if m.role == 'system' %}\
                 {% set ns.s = ns.s ~ m.content ~ '\\n' %}{% elif m.role == 'user' %}[INST] {{ ns.s }}{{ m.content }}[/INST]\
                 {% set ns.s = '' %}{% else %} {{ m.content }}</s>{% endif %}{% endfor %}";
    assert_eq!(nearest(loose), "v3");
}
