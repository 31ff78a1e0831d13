//! Presets beside layouts: what is reported, what is written, and that what is written is right.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use mistral_chat_template::layout::{Frame, Mark, System, UserTurn};
use mistral_chat_template::preset::{
    Adapter, Builtin, Difference, DifferenceKind, NamesBehavior, Scene, SceneMessage, Speaker,
};
use mistral_chat_template::{Chat, Control, Format, Layout, Message, Preset, Prompt, Segment, Version};
use proptest::prelude::*;
use std::sync::LazyLock;

use crate::support::arbitrary;

const WRITABLE: [Layout; 9] = [
    Layout::MAGNUM,
    Layout::V1,
    Layout::V1_TEKKEN,
    Layout::V7,
    Layout::V7_TEKKEN,
    Layout::V11,
    Layout::V13,
    Layout { name: "bar", system: System::InUser { turn: UserTurn::First, join: " | " }, ..Layout::V3 },
    Layout { name: "rule", system: System::InUser { turn: UserTurn::First, join: "\n---\n" }, ..Layout::V3_TEKKEN },
];

/// What a preset sends at each place where it differs.
fn told(preset: Builtin, layout: &Layout) -> Vec<(DifferenceKind, String, String)> {
    let report = preset.preset().compare(layout).unwrap();
    report.differences.into_iter().map(|difference| (difference.kind, difference.sends, difference.expects)).collect()
}

#[test]
fn the_default_of_july_2024_differs_everywhere() {
    let aligned = " [/INST][INST] Let's get started. Please respond based on the information and instructions provided above. [/INST]\n";
    let expected = [
        (DifferenceKind::AfterSystem, " [/INST][INST] ", "\n"),
        (DifferenceKind::UserEnd, " ", ""),
        (DifferenceKind::ReplyStart, "\n", " "),
        (DifferenceKind::ReplyEnd, "\n", "</s>"),
        (DifferenceKind::PromptEnd, "\n", ""),
        (DifferenceKind::Greeting, aligned, "\n[/INST] "),
        (DifferenceKind::Examples, "\nExamples:\n[INST] ", "</s>[INST] "),
        (DifferenceKind::Names, "User: ", ""),
        (DifferenceKind::StopString, "(nothing of the sort)", "</s>"),
    ];
    let expected = expected.map(|(kind, sends, expects)| (kind, sends.to_owned(), expects.to_owned()));
    assert_eq!(told(Builtin::Mistral202407, &Layout::MAGNUM), expected);
}

#[test]
fn the_published_pair_does_not_send_the_cards_layout() {
    let filler = "Let's get started. Please respond based on the information and instructions provided above.[/INST] ";
    let expected = [
        (DifferenceKind::BeforeSystem, "[INST]  ".to_owned(), "[INST] "),
        (DifferenceKind::AfterSystem, format!("\n{filler}[INST] "), "\n"),
        (DifferenceKind::PromptEnd, " ".to_owned(), ""),
        (DifferenceKind::Greeting, format!("\n{filler}"), "\n[/INST] "),
        (DifferenceKind::Names, "User: ".to_owned(), ""),
    ];
    let expected = expected.map(|(kind, sends, expects)| (kind, sends, expects.to_owned()));
    assert_eq!(told(Builtin::Magnum, &Layout::MAGNUM), expected);
    let report = Builtin::Magnum.preset().compare(&Layout::MAGNUM).unwrap();
    let story = report.mends().find(|mend| mend.field == "context.story_string").unwrap();
    assert_eq!(
        story.to_string(),
        "Story String (context.story_string):\n      after \"{{#if system}}\" remove \" \"\n      \
         after \"…provided above.\" \"[/INST] \" -> \"⏎\"",
        "the author's text stays"
    );
}

/// What the built-in pairs send after every mend is right. With `--nocapture` it prints the table of them.
#[test]
fn all_mends_together_mend() {
    println!("| layout | presets | right before | differences | fields to change | right after |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for layout in Version::ALL.iter().map(|version| version.layout()) {
        let [mut before_right, mut differences, mut mends, mut after_right] = [0; 4];
        for preset in Builtin::ALL {
            let preset = preset.preset();
            let report = preset.compare(&layout).unwrap();
            let mended = preset.mended(&layout).unwrap();
            assert!(mended.compare(&layout).unwrap().differences.is_empty(), "{}: {report}", layout.name);
            before_right += usize::from(report.differences.is_empty());
            differences += report.differences.len();
            mends += report.mends().count();
            after_right += 1;
            let (before, after) = (fields(&preset), fields(&mended));
            for mend in report.mends() {
                assert_eq!(shown(&before[&mend.field]), mend.from, "{}", mend.field);
                assert_eq!(shown(&after[&mend.field]), mend.to, "{}", mend.field);
            }
            let changed = before.iter().filter(|(name, value)| after[*name] != **value).count();
            assert_eq!(changed, report.mends().count(), "what is mended is listed");
            let lines = report.to_string();
            assert!(lines.lines().count() <= 40, "{}", lines);
            assert!(lines.lines().all(|line| line.chars().count() <= 80), "{lines}");
        }
        let (name, pairs) = (layout.name, Builtin::ALL.len());
        println!("| {name} | {pairs} | {before_right} | {differences} | {mends} | {after_right} |");
    }
}

/// The fields of a preset as a file names them.
fn fields(preset: &Preset) -> std::collections::BTreeMap<String, serde_json::Value> {
    let files = [("context", preset.context_json()), ("instruct", preset.instruct_json())];
    let named = files.iter().flat_map(|(file, json)| {
        let fields: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
        fields.into_iter().map(move |(name, value)| (format!("{file}.{name}"), value))
    });
    named.collect()
}

fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn what_a_preset_adds_to_the_system_prompt_is_its_own() {
    let mut preset = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    preset.context.story_string = "You are told: {{system}}\nBe brief.".into();
    assert!(preset.compare(&Layout::V7_TEKKEN).unwrap().differences.is_empty());
    preset.context.story_string = "{{system}}[INST]Be brief.[/INST]".into();
    assert_eq!(preset.compare(&Layout::V7_TEKKEN).unwrap().differences[0].kind, DifferenceKind::AfterSystem);
    preset.context.story_string = " {{system}}".into();
    assert_eq!(preset.compare(&Layout::V7_TEKKEN).unwrap().differences[0].kind, DifferenceKind::BeforeSystem);
}

#[test]
fn names_stay_where_a_group_needs_them() {
    let mut preset = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    preset.instruct.names_behavior = NamesBehavior::Always;
    let report = preset.compare(&Layout::V7_TEKKEN).unwrap();
    let mends: Vec<_> = report.mends().map(|mend| (mend.field.as_str(), mend.to.as_str())).collect();
    assert_eq!(mends, [("instruct.names_behavior", "force")]);
}

#[test]
fn a_begin_of_the_presets_own_is_one_too_many() {
    let mut preset = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    preset.instruct.story_string_prefix.insert_str(0, "<s>");
    let report = preset.compare(&Layout::V7_TEKKEN).unwrap();
    assert_eq!(report.differences.len(), 1, "{report}");
    assert_eq!((report.differences[0].kind, &*report.differences[0].sends), (DifferenceKind::DoubledBos, "<s>"));
    assert_eq!(report.differences[0].mends[0].to, "[SYSTEM_PROMPT]");
    for (before, sends) in [("a".repeat(36), true), ("a".repeat(37), false), ("a".repeat(60), false)] {
        let written = format!("{before}<s>");
        preset.instruct.story_string_prefix = format!("{written}[SYSTEM_PROMPT]");
        let report = preset.compare(&Layout::V7_TEKKEN).unwrap();
        let doubled =
            report.differences.iter().find(|difference| difference.kind == DifferenceKind::DoubledBos).unwrap();
        assert_eq!(doubled.sends, if sends { written.as_str() } else { "<s>" }, "a long text is cut");
    }
    preset.instruct.story_string_prefix = "<s>[SYSTEM_PROMPT]".into();
    preset.instruct.output_suffix = ".</s>".into();
    let report = preset.compare(&Layout::V7_TEKKEN).unwrap();
    let mends: Vec<_> = report.differences.iter().map(|difference| (difference.kind, difference.mends.len())).collect();
    assert_eq!(mends, [(DifferenceKind::DoubledBos, 1), (DifferenceKind::ReplyEnd, 1)]);
    preset.instruct.output_suffix = "</s>".into();
    preset.instruct.story_string_prefix = "[SYSTEM_PROMPT]".into();
    preset.instruct.input_sequence = "<s>[INST]".into();
    preset.context.story_string.insert_str(0, "<s>");
    let mended = preset.mended(&Layout::V7_TEKKEN).unwrap();
    assert!(mended.compare(&Layout::V7_TEKKEN).unwrap().differences.is_empty());
    assert!(!mended.to_json().contains("<s>"));
}

#[test]
fn a_dead_end_is_told_once() {
    for layout in [Layout::V2, Layout::V3, Layout::V3_TEKKEN, Layout::V15] {
        let report = Builtin::MistralV7.preset().compare(&layout).unwrap();
        let dead_end = report.dead_end.as_ref().unwrap();
        let text = report.to_string();
        assert_eq!(text.matches("No preset can send ").count(), 1);
        assert!(text.replace("\n  ", " ").contains(dead_end.why) && text.contains(&dead_end.nearest), "{text}");
    }
    assert!(Builtin::MistralV7.preset().compare(&Layout::V7).unwrap().dead_end.is_none());
}

/// A pair in which the first user message lacks its sequence is right but for the first of all prompts.
#[test]
fn the_only_message_has_the_sequence_of_the_last() {
    let mut preset = Preset::default();
    preset.load(r#"{"name": "Card", "story_string": "[INST] {{#if system}}{{system}}\n{{/if}}", "chat_start": "", "example_separator": ""}"#).unwrap();
    preset
        .load(
            r#"{"name": "Card", "wrap": false, "names": false, "input_sequence": "[INST] ", "input_suffix": "[/INST]",
                "output_sequence": " ", "output_suffix": "</s>", "first_input_sequence": "{{noop}}", "first_output_sequence": "[/INST] ",
                "last_output_sequence": "{{noop}}", "stop_sequence": "</s>"}"#,
        )
        .unwrap();
    let report = preset.compare(&Layout::MAGNUM).unwrap();
    let kinds: Vec<_> = report.differences.iter().map(|difference| difference.kind).collect();
    assert_eq!(kinds, [DifferenceKind::OnlyMessage]);
    assert_eq!(report.differences[0].sends, "\n[INST] ");
}

#[test]
fn reports_are_for_people_and_for_machines() {
    let report = Builtin::MistralV7.preset().compare(&Layout::V7).unwrap();
    let text = r#"sends  "[SYSTEM_PROMPT] SYSTEM MESSAGE[/SYSTEM_PROMPT][INST] USER
       MESSAGE[/INST] ASSISTANT MESSAGE</s>[INST] LAST MESSAGE[/INST] "
v7     "[SYSTEM_PROMPT] SYSTEM MESSAGE[/SYSTEM_PROMPT][INST] USER
       MESSAGE[/INST] ASSISTANT MESSAGE</s>[INST] LAST MESSAGE[/INST]"

1 difference
 1. at the end of the prompt: " " instead of ""

Change 1 field, under its label in SillyTavern and its key in the file:
  Last Assistant Prefix (instruct.last_output_sequence): "" -> "{{noop}}"
Or take it whole: `compare_preset … --write FILE`, or `write_preset v7`.
"#;
    assert_eq!(report.to_string(), text);
    let json = serde_json::to_value(&report).unwrap();
    let difference = serde_json::json!({
        "kind": "prompt_end",
        "sends": " ",
        "expects": "",
        "mends": [{
            "field": "instruct.last_output_sequence",
            "label": "Last Assistant Prefix",
            "from": "",
            "to": "{{noop}}",
        }],
    });
    assert_eq!(json["differences"], serde_json::json!([difference]));
}

/// What is said of presets that differ much, each below `=== preset layout`.
#[test]
fn reports_fit_a_terminal() {
    let presets = [
        ("default", Preset::default()),
        ("mistral-v7", Builtin::MistralV7.preset()),
        ("magnum", Builtin::Magnum.preset()),
    ];
    let layouts = [Layout::V7_TEKKEN, Layout::V3, Layout::MAGNUM, Layout::V1];
    let mut long = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    long.instruct.input_sequence = "x".repeat(200);
    long.instruct.story_string_prefix = "y".repeat(100);
    let mut told = format!("=== long v7-tekken\n{}\n", long.compare(&Layout::V7_TEKKEN).unwrap());
    for (name, preset) in &presets {
        for layout in &layouts {
            let report = preset.compare(layout).unwrap();
            told += &format!("=== {name} {}\n{report}\nEach of them is mended by:\n", layout.name);
            for Difference { kind, mends, .. } in &report.differences {
                let fields: Vec<_> = mends.iter().map(|mend| mend.field.as_str()).collect();
                told += &format!("  {kind:?}: {}\n", fields.join(", "));
            }
            told += "\n";
        }
    }
    for layout in [Layout::V7_TEKKEN, Layout::V3, Layout::MAGNUM] {
        told += &format!("=== koboldcpp {}\n{}\n", layout.name, Adapter::default().compare(&layout).unwrap());
    }
    assert_eq!(told, include_str!("../goldens/sillytavern/reports.txt"));
}

#[test]
fn a_written_pair_writes_nothing_but_its_layout() {
    for layout in WRITABLE {
        let preset = Preset::for_layout(&layout).unwrap();
        let (context, instruct) = (&preset.context, &preset.instruct);
        assert!(!context.use_stop_strings && !context.names_as_stop_strings && !instruct.sequences_as_stop_strings);
        assert!(
            !preset.instruct_json().contains("###") && !preset.instruct_json().contains("\\n\\n"),
            "{}",
            layout.name
        );
        let scene = Scene { group: vec!["Mia".into(), "Ann".into()], ..Scene::default() };
        let chat = [
            SceneMessage::new(Speaker::User, "Rex", "Hi"),
            SceneMessage::new(Speaker::Character, "Ann", "Oh"),
            SceneMessage::new(Speaker::Narrator, "", "It rains."),
            SceneMessage::new(Speaker::User, "Rex", "Bye"),
        ];
        let mut prompt = Prompt::new();
        preset.with_scene(&scene).unwrap().render_messages(&chat, &mut prompt).unwrap();
        assert_eq!(prompt.stop_strings(), ["</s>"], "{}", layout.name);
        let said = prompt.as_str();
        assert!(!said.contains("###") && !said.contains("Ann") && !said.contains("\n\n"), "{}: {said}", layout.name);
    }
}

#[test]
fn a_written_pair_has_no_difference() {
    for layout in WRITABLE {
        let preset = Preset::for_layout(&layout).unwrap();
        let report = preset.compare(&layout).unwrap();
        assert!(report.differences.is_empty(), "{}: {report}", layout.name);
        assert_eq!((&*preset.context.name, &*preset.instruct.name), (layout.name, layout.name));
        let mut same = Preset { system: None, ..Preset::default() };
        same.load(&preset.context_json()).unwrap();
        same.load(&preset.instruct_json()).unwrap();
        assert_eq!(same, preset, "{}", layout.name);
    }
}

/// The system prompt of one cannot be sent, nor can the settings of the other.
#[test]
fn what_a_preset_can_send_of_a_layout_can_be_mended() {
    for (near, layout) in [(Layout::MAGNUM, Layout::V3), (Layout::V13, Layout::V15)] {
        let mut preset = Preset::for_layout(&near).unwrap();
        preset.instruct.stop_sequence = "###".to_owned();
        let report = preset.compare(&layout).unwrap();
        let last = report.differences.last().unwrap();
        assert_eq!(last.kind, DifferenceKind::StopString, "{report}");
        assert_eq!(last.mends[0].to_string(), "Stop Sequence (instruct.stop_sequence): \"###\" -> \"</s>\"");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_with_the_reason() {
    let refused = |layout: &Layout| Preset::for_layout(layout).unwrap_err().to_string();
    let sentence = "no preset makes SillyTavern send this layout: ";
    let last = "its system prompt is in the last user turn, and a story begins the prompt";
    for layout in [Layout::V2, Layout::V2_TEKKEN, Layout::V3, Layout::V3_TEKKEN] {
        assert_eq!(refused(&layout), format!("{sentence}{last} ({})", layout.name));
    }
    let settings = "its settings stand before the first user turn, and no sequence stands there alone";
    assert_eq!(refused(&Layout::V15), format!("{sentence}{settings} (v15)"));
    let user = Frame { open: Mark::Text("{{user}}: "), close: Mark::Control(Control::EndInst) };
    let macros = Layout { name: "mine", user, ..Layout::MAGNUM };
    assert_eq!(refused(&macros), format!("{sentence}it writes what SillyTavern takes for a macro (mine)"));
}

#[test]
fn a_written_pair_sends_the_card_too() {
    let scene = Scene { description: "A cat.".into(), persona: "A dog.".into(), ..Scene::default() };
    let chat = Chat::new([Message::user("Hi")]);
    let sent = |layout: &Layout| {
        let preset = Preset::for_layout(layout).unwrap().with_system_prompt("Be kind.");
        preset.with_scene(&scene).unwrap().render(&chat).unwrap().into_string()
    };
    assert_eq!(sent(&Layout::MAGNUM), "[INST] Be kind.\nA cat.\nA dog.\nHi[/INST]");
    assert_eq!(sent(&Layout::V1), " [INST] Be kind.\nA cat.\nA dog.\n\nHi [/INST]");
    assert_eq!(sent(&WRITABLE[7]), "[INST] A cat.\nA dog.\nBe kind. | Hi[/INST]");
    assert_eq!(sent(&Layout::V7_TEKKEN), "[SYSTEM_PROMPT]Be kind.\nA cat.\nA dog.[/SYSTEM_PROMPT][INST]Hi[/INST]");
}

#[test]
fn a_system_message_takes_the_place_of_the_system_prompt() {
    let scene = Scene { system_prompt: "{{original}} You are {{char}}.".into(), ..Scene::default() };
    let preset = Preset::for_layout(&Layout::V7_TEKKEN).unwrap().with_system_prompt("Be kind.");
    let sent = |preset: &Preset, messages: &[Message<'static>]| {
        preset.with_scene(&scene).unwrap().render(&Chat::new(messages.to_vec())).unwrap()
    };
    let (system, user) = (Message::system("{{char}}[INST] "), Message::user("Hi"));
    let own = sent(&preset, std::slice::from_ref(&user));
    assert_eq!(own.as_str(), "[SYSTEM_PROMPT]Be kind. You are Assistant.[/SYSTEM_PROMPT][INST]Hi[/INST]");
    let told = sent(&preset, &[system.clone(), user.clone()]);
    assert_eq!(told.as_str(), "[SYSTEM_PROMPT]{{char}}[INST] [/SYSTEM_PROMPT][INST]Hi[/INST]");
    let controls = |prompt: &Prompt| prompt.segments().filter(|it| matches!(it, Segment::Control(_))).count();
    assert_eq!(controls(&told), controls(&own));
    let of_system: Vec<&str> =
        told.spans().filter(|span| span.message == Some(0)).map(|span| &told.as_str()[span.range]).collect();
    assert_eq!(of_system, ["{{char}}[INST] "]);

    let late = sent(&preset, &[user.clone(), Message::assistant("Oh"), system.clone(), user.clone()]);
    assert!(late.as_str().ends_with("Oh</s>[SYSTEM_PROMPT]{{char}}[INST] [/SYSTEM_PROMPT][INST]Hi[/INST]"));

    let mut without = preset;
    without.context.story_string = "{{persona}}".into();
    let with_persona = Scene { persona: "A dog.".into(), ..Scene::default() };
    let chat = Chat::new([system.clone(), user.clone()]);
    assert_eq!(
        without.with_scene(&with_persona).unwrap().render(&chat).unwrap().as_str(),
        "[SYSTEM_PROMPT]A dog.[/SYSTEM_PROMPT][SYSTEM_PROMPT]Assistant[INST] [/SYSTEM_PROMPT][INST]Hi[/INST]",
        "the story has no place for it"
    );
    without.context.story_string = "{{description}}".into();
    assert_eq!(
        sent(&without, &[system, user]).as_str(),
        "[SYSTEM_PROMPT]Assistant[INST] [/SYSTEM_PROMPT][INST]Hi[/INST]"
    );
}

/// Text without macros, and without the white space at its ends that v2 and later take from replies.
fn said() -> impl Strategy<Value = String> {
    "[a-zA-Zé\\[\\]/.!? ]([a-zA-Zé\\[\\]/.!? \n]{0,20}[a-zA-Zé\\[\\]/.!?])?"
        .prop_filter("not blank", |text| !text.trim().is_empty() && text.trim_end() == text)
}

/// Sequences as people write them.
fn sequence() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("[INST] ".to_owned()),
        Just("<s>[INST]".to_owned()),
        Just(" [/INST]\n".to_owned()),
        Just("[/INST]".to_owned()),
        Just("</s>".to_owned()),
        Just("{{noop}}".to_owned()),
        Just("### {{name}}:".to_owned()),
        "[a-z \n]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn any_preset_can_be_mended(
        texts in prop::collection::vec(sequence(), 15),
        flags in prop::collection::vec(any::<bool>(), 6),
        layout in 0..WRITABLE.len(),
        base in 0..Builtin::ALL.len(),
    ) {
        let layout = WRITABLE[layout];
        let mut preset = Builtin::ALL[base].preset();
        let instruct = &mut preset.instruct;
        let fields = [
            &mut instruct.story_string_prefix,
            &mut instruct.story_string_suffix,
            &mut instruct.input_sequence,
            &mut instruct.input_suffix,
            &mut instruct.output_sequence,
            &mut instruct.output_suffix,
            &mut instruct.system_sequence,
            &mut instruct.first_output_sequence,
            &mut instruct.last_output_sequence,
            &mut instruct.first_input_sequence,
            &mut instruct.last_input_sequence,
            &mut instruct.user_alignment_message,
            &mut instruct.stop_sequence,
            &mut preset.context.chat_start,
            &mut preset.context.example_separator,
        ];
        for (field, text) in fields.into_iter().zip(texts) {
            *field = text;
        }
        let [wrap, macros, skip, same, stops, trim] = flags[..] else { unreachable!() };
        (instruct.wrap, instruct.macros, instruct.skip_examples) = (wrap, macros, skip);
        (instruct.system_same_as_user, instruct.sequences_as_stop_strings) = (same, stops);
        if trim {
            preset.context.story_string = preset.context.story_string.replace("{{trim}}", "");
        }
        let report = preset.compare(&layout).unwrap();
        let after = preset.mended(&layout).unwrap().compare(&layout).unwrap();
        prop_assert!(after.differences.is_empty(), "{}{}", report, after);
    }
}

static WRITTEN: LazyLock<[(Layout, Preset); 9]> =
    LazyLock::new(|| WRITABLE.map(|layout| (layout, Preset::for_layout(&layout).unwrap())));

proptest! {
    #![proptest_config(arbitrary::cases(100))]

    #[test]
    fn a_written_pair_sends_the_layouts_own_prompt(
        system in prop::option::of(said()),
        turns in prop::collection::vec((said(), said()), 0..5),
        last in said(),
    ) {
        let mut talk: Vec<Message> = Vec::new();
        for (question, answer) in &turns {
            talk.extend([Message::user(question.as_str()), Message::assistant(answer.as_str())]);
        }
        talk.push(Message::user(last.as_str()));
        for (layout, pair) in &*WRITTEN {
            let messages = system.as_deref().map(Message::system).into_iter().chain(talk.clone());
            let chat = Chat::new(messages);
            let expected = layout.render(&chat).unwrap();
            let with_system = pair.clone().with_system_prompt(system.clone().unwrap_or_default());
            for (preset, chat) in [(with_system, &Chat::new(talk.clone())), (pair.clone(), &chat)] {
                let sent = preset.with_scene(&Scene::default()).unwrap().render(chat).unwrap();
                prop_assert_eq!(sent.as_str(), expected.after_bos());
                prop_assert_eq!(sent.stop_strings(), expected.stop_strings());
            }
        }
    }
}
