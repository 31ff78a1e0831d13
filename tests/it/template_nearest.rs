//! Which layout a template is: those of the family, written in many ways, and those that are none of them.

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
