//! Prompts read back: what every golden rendered to says the same chat again, and what is wrong with others is found.

use mistral_chat_template::explain::{Deviation, DeviationKind, Explanation};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Control, Format, Layout, Message, Mode, Prompt, Segment, Version};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::arbitrary;
use crate::support::case;

fn spells_a_control(prompt: &Prompt) -> bool {
    let spells = |text: &str| Control::all().any(|control| text.contains(control.as_str()));
    prompt.segments().any(|segment| matches!(segment, Segment::Text(text) if spells(text)))
}

/// Prompts that do not show what they were made of.
const UNSAID: [(&str, &str); 9] = [
    ("args_json_null", "arguments of `null` are read as none"),
    ("extra/json/null", "the same"),
    ("tool_first/v2", "a tool result was left out"),
    ("first_assistant_calls_twice", "two messages were one turn, and its results belong to the second"),
    ("numbers_in_tool", "a tool's schema holds Infinity"),
    ("extra/schema/33/v3", "the same"),
    ("matrix/truncate_8/v15", "the user turn that had the settings before it was dropped"),
    ("extra/image/alone/v3", "a system prompt before an image is not part of the user's text"),
    ("media/img_only_sys/v3", "the same"),
];

#[test]
fn what_was_rendered_reads_back() {
    let (mut read, mut differences) = (0, Vec::new());
    for case in case::all() {
        if case.kind.as_deref().is_some_and(|kind| kind != "openai") {
            continue;
        }
        let layout = case.layout();
        let Ok(prompt) = case::render(&case) else { continue };
        let unsaid = UNSAID.iter().any(|(id, _)| case.id.contains(id));
        if unsaid || spells_a_control(&prompt) {
            continue;
        }
        read += 1;
        if let Err(error) = Chat::from_prompt(prompt.as_str(), &layout) {
            differences.push(format!("{} {error}\n{:?}", case.id, prompt.as_str()));
        }
    }
    let shown: Vec<_> = differences.iter().take(30).cloned().collect();
    assert!(differences.is_empty(), "{} of {read}\n{}", differences.len(), shown.join("\n"));
}

/// What is wrong with a prompt, each with the bytes and the mend; and the mended prompt.
fn explained(explanation: &Explanation<'_>) -> (Vec<String>, String) {
    let told = explanation.deviations.iter().map(|Deviation { kind, range, mend, .. }| {
        let said = explanation.prompt.get(range.clone()).unwrap();
        match mend {
            Some(mend) => format!("{}: {said:?} -> {mend:?}: {kind}", range.start),
            None => format!("{}: {said:?}: {kind}", range.start),
        }
    });
    (told.collect(), explanation.mended())
}

#[track_caller]
fn assert_explains(layout: Layout, prompt: &str, told: &[&str], mended: &str) {
    let explanation = Explanation::new(prompt, &layout);
    assert_eq!(explained(&explanation), (told.iter().map(ToString::to_string).collect(), mended.to_owned()));
}

#[derive(Deserialize)]
struct Case {
    name: String,
    version: String,
    system: Option<String>,
    prompt: String,
    deviations: Vec<String>,
    mended: Option<String>,
    chat: Box<RawValue>,
}

#[test]
fn what_is_wrong_is_told_and_mended() {
    for line in include_str!("../goldens/explain.jsonl").lines() {
        let Case { name, version, system, prompt, deviations, mended, chat } = serde_json::from_str(line).unwrap();
        let layout: Layout = version.parse().unwrap();
        let explanation = Explanation::with_system(&prompt, &layout, system.as_deref().unwrap_or_default());
        assert_eq!(explained(&explanation), (deviations, mended.unwrap_or(prompt.clone())), "{name}");
        assert_eq!(serde_json::to_string(&explanation.chat).unwrap(), chat.get(), "{name}");
        if explanation.deviations.is_empty() {
            assert_eq!(Chat::from_prompt(&prompt, &layout).unwrap(), explanation.chat, "{name}");
        }
    }
}

#[test]
fn what_servers_log() {
    assert_explains(
        Layout::V3,
        "<s><s>[INST] Hi[/INST] Hello!</s><s>[INST] Bye[/INST]",
        &["3: \"<s>\" -> \"\": a second <s>", "33: \"<s>\" -> \"\": <s> begins a prompt, and stands nowhere else"],
        "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]",
    );
    assert_explains(
        Layout::V3,
        "[INST] Hi[/INST] Hello![INST]  Bye [/INST] ",
        &[
            "0: \"\" -> \"<s>\": <s> is missing, unless the tokenizer adds it",
            "23: \"\" -> \"</s>\": </s> is missing at the end of the reply",
            "30: \" \" -> \"\": a space too many beside [INST]",
            "34: \" \" -> \"\": a space too many beside [/INST]",
            "42: \" \" -> \"\": white space where the layout writes nothing",
        ],
        "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]",
    );
    assert_explains(
        Layout::V3_TEKKEN,
        "<s>[INST] Hi[/INST] Hello!</s>[INST]Bye[/INST]",
        &["9: \" \" -> \"\": a space too many beside [INST]", "19: \" \" -> \"\": a space too many beside [/INST]"],
        "<s>[INST]Hi[/INST]Hello!</s>[INST]Bye[/INST]",
    );
    assert_explains(
        Layout::V7,
        "<s>[INST] Hi[/INST]Hello! </s>[INST]Bye",
        &[
            "19: \"\" -> \" \": a space is missing beside [/INST]",
            "25: \" \" -> \"\": a space too many beside </s>",
            "36: \"\" -> \" \": a space is missing beside [INST]",
            "39: \"\" -> \"[/INST]\": [/INST] is missing",
        ],
        "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]",
    );
    assert_explains(
        Layout::V1,
        "<s>[INST] Hi[/INST] Hello!</s> [INST]  Bye [/INST]",
        &[
            "3: \"\" -> \" \": a space is missing beside [INST]",
            "12: \"\" -> \" \": a space is missing beside [/INST]",
            "38: \" \" -> \"\": a space too many beside [INST]",
        ],
        "<s> [INST] Hi [/INST] Hello!</s> [INST] Bye [/INST]",
    );
}

#[test]
fn literals() {
    assert_explains(
        Layout::V3,
        "<s>[INST] ignore[/INST]ok</s>[INST] that[/INST]",
        &["23: \"\" -> \" \": a space is missing beside [/INST]"],
        "<s>[INST] ignore[/INST] ok</s>[INST] that[/INST]",
    );
    assert_explains(
        Layout::V3,
        "<s>[INST] say [INST] and <|im_start|> or [SYSTEM_PROMPT][/INST]",
        &[
            "14: \"[INST]\" -> \"[ INST]\": text of the user spells [INST], which becomes the control token in a tokenizer that reads strings",
            "25: \"<|im_start|>\": <|im_start|> is text here, not a control token",
            "41: \"[SYSTEM_PROMPT]\": [SYSTEM_PROMPT] is text here, not a control token",
        ],
        "<s>[INST] say [ INST] and <|im_start|> or [SYSTEM_PROMPT][/INST]",
    );
    assert_explains(
        Layout::V7_TEKKEN,
        "<s>[INST]a[/INST]b[IMG]c</s>[/INST]</s>[INST]d[/INST]",
        &[
            "18: \"[IMG]\" -> \"\": [IMG] has no place here",
            "28: \"[/INST]\" -> \"\": [/INST] has no place here",
            "35: \"</s>\" -> \"\": </s> ends a reply, but no reply is open",
        ],
        "<s>[INST]a[/INST]bc</s>[INST]d[/INST]",
    );
}

#[test]
fn system_prompts() {
    let told = |layout: &Layout, prompt: &str| explained(&Explanation::with_system(prompt, layout, "Be kind."));
    assert_eq!(
        told(&Layout::MAGNUM, "<s>[INST] Hi[/INST] Hello</s>[INST] Be kind.\n\nBye[/INST]"),
        (
            vec![
                "10: \"\" -> \"Be kind.\\n\": the system prompt belongs here".to_owned(),
                "36: \"Be kind.\\n\\n\" -> \"\": the system prompt does not belong here".to_owned(),
            ],
            "<s>[INST] Be kind.\nHi[/INST] Hello</s>[INST] Bye[/INST]".to_owned()
        )
    );
    assert_eq!(
        told(&Layout::MAGNUM, "<s>[INST] Be kind.\n\nHi[/INST]"),
        (
            vec!["18: \"\\n\\n\" -> \"\\n\": something else belongs after the system prompt".to_owned()],
            "<s>[INST] Be kind.\nHi[/INST]".to_owned()
        )
    );
    assert_eq!(
        told(&Layout::V7, "<s>[INST] Be kind.\n\nHi[/INST]"),
        (
            vec![
                "3: \"\" -> \"[SYSTEM_PROMPT] Be kind.[/SYSTEM_PROMPT]\": the system prompt belongs here".to_owned(),
                "10: \"Be kind.\\n\\n\" -> \"\": the system prompt does not belong here".to_owned(),
            ],
            "<s>[SYSTEM_PROMPT] Be kind.[/SYSTEM_PROMPT][INST] Hi[/INST]".to_owned()
        )
    );
    for (layout, prompt) in [
        (Layout::V7, "<s>[SYSTEM_PROMPT] Be kind.[/SYSTEM_PROMPT][INST] Hi[/INST]"),
        (Layout::V3, "<s>[INST] Hi[/INST] Hello</s>[INST] Be kind.\n\nBye[/INST]"),
    ] {
        assert_eq!(told(&layout, prompt), (vec![], prompt.to_owned()));
    }
}

#[test]
fn tools_and_what_a_layout_does_not_take() {
    let tools = r#"[{"type": "function", "function": {"name": "now", "description": "", "parameters": {}}}]"#;
    let block = format!("[AVAILABLE_TOOLS]{tools}[/AVAILABLE_TOOLS]");
    let prompt = format!("<s>{block}[INST]Hi[/INST]Hello</s>[INST]Bye[/INST]");
    assert_explains(
        Layout::V11,
        &prompt,
        &[
            &format!("3: {block:?} -> \"\": the tools do not belong here"),
            &format!("{}: \"\" -> {block:?}: the tools belong here", prompt.len() - 16),
        ],
        &format!("<s>[INST]Hi[/INST]Hello</s>{block}[INST]Bye[/INST]"),
    );
    assert!(Explanation::new(&prompt, &Layout::V13).deviations.is_empty());

    let explanation = Explanation::new("<s>[INST]a[/INST][INST]b[/INST]", &Layout::V13);
    let expected = DeviationKind::Differs { expected: "\n\nb[/INST]".to_owned() };
    assert_eq!((&explanation.deviations[0].kind, explanation.deviations[0].range.start), (&expected, 10));

    let prompt = "<s>[INST]a[/INST][TOOL_RESULTS]22[/TOOL_RESULTS]";
    let refused = "messages[1].role: a tool message cannot follow a user message (v13)";
    assert_eq!(Explanation::new(prompt, &Layout::V13).deviations[0].to_string(), refused);
    assert_eq!(Chat::from_prompt(prompt, &Layout::V13).unwrap_err().to_string(), refused);
}

#[test]
fn where_a_prompt_and_its_layout_part() {
    for (layout, prompt, sentence) in [
        (
            Layout::V3,
            "<s><s>[INST] Hi[/INST]",
            "the prompt departs from the layout at byte 3, where the layout has \"[INST] Hi[/INST]\" (v3)",
        ),
        (
            Layout::V11,
            "<s>[INST]é[/INST][TOOL_CALLS]f[CALL_ID]abc123def[ARGS]{\"a\":1}</s>",
            "the prompt departs from the layout at byte 60, where the layout has \" 1}</s>\" (v11)",
        ),
    ] {
        assert_eq!(Chat::from_prompt(prompt, &layout).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn the_nearest_layout() {
    let names = |prompt: &str| {
        let nearest = Explanation::nearest(prompt);
        let least = nearest[0].deviations.len();
        nearest.iter().take_while(|it| it.deviations.len() == least).map(|it| it.layout.name).collect::<Vec<_>>()
    };
    assert_eq!(names("<s> [INST] Hi [/INST] Hello</s> [INST] Bye [/INST]"), ["v1"]);
    assert_eq!(names("<s>[INST] Hi[/INST] Hello</s>[INST] Bye[/INST]"), ["v2", "v3", "v7", "magnum"]);
    assert_eq!(names("<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST]  Bye[/INST]"), ["v7"]);
    let call = "<s>[INST]Hi[/INST][TOOL_CALLS]now[CALL_ID]abc123def[ARGS]{}</s>[TOOL_RESULTS]abc123def[TOOL_CONTENT]1[/TOOL_RESULTS]";
    assert_eq!(names(call), ["v11"]);
    assert_eq!(names("<s>[INST]Hi[/INST][THINK]a[/THINK]b</s>[INST]Bye[/INST]"), ["v13"]);
}

#[test]
fn the_nearest_layouts_have_the_features_that_the_prompt_shows() {
    let features = |prompt: &str| {
        let with = |it: &Explanation<'_>| (it.layout.name, it.layout.features.to_string());
        let mut with: Vec<_> = Explanation::nearest(prompt).iter().map(with).collect();
        with.retain(|(_, features)| !features.is_empty());
        with.sort_unstable();
        with.into_iter().map(|(name, features)| format!("{name}{features}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(features("<s>[INST] Hi[/INST] Hello!</s>"), "");
    assert_eq!(features("<s>[INST]Hi[/INST][THINK]a[/THINK]b</s>"), "v13+think v15+think");
    assert_eq!(features("<s>[INST]Hi[AUDIO][/INST]"), "v11+audio v13+audio v15+audio v7+audio v7-tekken+audio");
    assert_eq!(
        features("<s>[INST][IMG]Hi[/INST]"),
        "magnum+image v11+image v13+image v15+image v3+image v3-tekken+image v7+image v7-tekken+image"
    );
}

proptest! {
    #![proptest_config(arbitrary::cases(400))]

    #[test]
    fn any_string_is_explained(pieces in prop::collection::vec(0..36_usize, 0..14), version in prop::sample::select(Version::ALL.to_vec())) {
        let others = [" ", "  ", "\n", "Hi", "é", "[", "{\"a\": 1}", "[{\"name\": \"f\", \"arguments\": {}}]", "<|x|>"];
        let literals: Vec<&str> = Control::all().map(Control::as_str).chain(others).collect();
        let prompt: String = pieces.iter().map(|at| literals[*at]).collect();
        let layout = version.layout().with(Feature::Image).with(Feature::Think);
        let explanation = Explanation::new(&prompt, &layout);
        for deviation in &explanation.deviations {
            prop_assert!(prompt.get(deviation.range.clone()).is_some(), "{deviation:?}");
        }
        let is_exact = explanation.deviations.iter().all(|deviation| deviation.mend.is_some());
        if is_exact {
            let rendered = layout.in_mode(Mode::Agnostic).render(&explanation.chat).unwrap();
            prop_assert_eq!(rendered.as_str(), explanation.mended());
        }
    }

    #[test]
    fn what_was_rendered_is_as_it_should_be(
        texts in prop::collection::vec("[a-zé]([ a-zé\n.]{0,12}[a-zé])?", 1..6),
        version in prop::sample::select(Version::ALL.to_vec()),
    ) {
        let message = |(at, text): (usize, &String)| match at % 2 {
            0 => Message::user(text.clone()),
            _ => Message::assistant(text.clone()),
        };
        let chat = Chat::new(texts.iter().enumerate().map(message));
        let prompt = version.layout().in_mode(Mode::Agnostic).render(&chat).unwrap();
        prop_assert_eq!(&Explanation::new(prompt.as_str(), &version.layout()).deviations, &[]);
        prop_assert_eq!(&Chat::from_prompt(prompt.as_str(), &version.layout()).unwrap().messages, &chat.messages);
        prop_assert!(Explanation::nearest(prompt.as_str())[0].deviations.is_empty());
    }
}
