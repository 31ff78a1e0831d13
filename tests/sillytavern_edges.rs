//! Edges of presets, each by itself: macros by name, fields of other types, names with patterns, how mends are shown.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::{
    BuiltinPreset, Chat, Format, Generation, Layout, Mend, Message, NamesBehavior, Preset, PresetFile, QuietVoice,
    Scene,
};
use serde_json::{Value, json};

/// A preset whose story string is this, and nothing else but what `set` says.
fn preset(story: &str, set: &[(&str, Value)]) -> Preset {
    let mut preset = Preset::default();
    let context = json!({"name": "C", "story_string": story, "chat_start": "", "example_separator": ""});
    preset.load_context(&context.to_string()).unwrap();
    let mut instruct = json!({"name": "I", "wrap": false, "macro": true, "names_behavior": "none",
        "input_sequence": "", "output_sequence": "", "system_sequence": "", "stop_sequence": ""});
    for (field, value) in set {
        instruct[field] = value.clone();
    }
    preset.load_instruct(&instruct.to_string()).unwrap();
    preset
}

fn render(preset: &Preset, scene: &Scene, messages: &[Message<'_>]) -> String {
    preset.with_scene(scene).unwrap().render(&Chat::new(messages.to_vec())).unwrap().into_string()
}

#[test]
fn a_sequence_has_its_macros() {
    let sequences = [
        ("story_string_prefix", &["instructStoryStringPrefix"][..]),
        ("story_string_suffix", &["instructStoryStringSuffix"]),
        ("input_sequence", &["instructUserPrefix", "instructInput"]),
        ("input_suffix", &["instructUserSuffix"]),
        ("output_sequence", &["instructAssistantPrefix", "instructOutput"]),
        ("output_suffix", &["instructAssistantSuffix", "instructSeparator"]),
        ("system_sequence", &["instructSystemPrefix"]),
        ("system_suffix", &["instructSystemSuffix"]),
        ("first_output_sequence", &["instructFirstAssistantPrefix", "instructFirstOutputPrefix"]),
        ("last_output_sequence", &["instructLastAssistantPrefix", "instructLastOutputPrefix"]),
        ("stop_sequence", &["instructStop"]),
        ("user_alignment_message", &["instructUserFiller"]),
        ("last_system_sequence", &["instructSystemInstructionPrefix"]),
        ("first_input_sequence", &["instructFirstUserPrefix", "instructFirstInput"]),
        ("last_input_sequence", &["instructLastUserPrefix", "instructLastInput"]),
    ];
    let set: Vec<_> = sequences.iter().map(|(field, _)| (*field, json!(format!("<{field}>")))).collect();
    let card = |text: String| Scene { description: text, ..Scene::default() };
    for (field, names) in sequences {
        for name in names {
            let printed = render(&preset("{{description}}", &set), &card(format!("({{{{{name}}}}})")), &[]);
            assert!(printed.contains(&format!("(<{field}>)")), "{name}: {printed}");
        }
    }
}

#[test]
fn variables_count_down() {
    let preset = preset("{{description}}", &[]);
    let description =
        "{{setvar::a::3}}{{decvar::a}} {{incvar::a}} {{setglobalvar::b::1}}{{decglobalvar::b}}".to_owned();
    assert_eq!(render(&preset, &Scene { description, ..Scene::default() }, &[]), "2 3 0");
}

#[test]
fn variables_have_operators() {
    let preset = preset("{{description}}", &[]);
    for (description, expected) in [
        ("{{.a = 3}}{{.a--}} {{.a++}} {{.a}}", "2 3 3"),
        ("{{.a = 3}}{{.a -= 2}}{{.a}}{{.a += 4}} {{.a}}", "1 5"),
        (
            "{{.a = 3}}{{.a == 3}} {{.a != 3}} {{.a > 2}} {{.a >= 3}} {{.a < 3}} {{.a <= 2}}",
            "true false true true false false",
        ),
        ("{{.a || x}} {{.a ?? y}} {{.a ||= z}} {{.a}} {{.a ??= w}} {{.a || v}}", "x y z z z z"),
        ("{{.b ??= w}} {{.b}}", "w w"),
    ] {
        let scene = Scene { description: description.to_owned(), ..Scene::default() };
        assert_eq!(render(&preset, &scene, &[]), expected, "{description}");
    }
}

/// What SplitMix64 gives from a seed of 0.
const SPLITMIX: [u64; 3] = [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F];

fn told(text: &str) -> String {
    let scene = Scene { description: text.to_owned(), ..Scene::default() };
    render(&preset("{{description}}", &[]), &scene, &[])
}

#[test]
fn dice_fall_as_the_seed_says() {
    let rolled = SPLITMIX.map(|drawn| (drawn % 60_000 + 1).to_string());
    assert_eq!(told("{{roll:60000}} {{roll:d60000}} {{roll:1D60000}}"), rolled.join(" "));
    assert_eq!(told("{{roll:3d1}} {{roll: d1+4 }} {{roll:5d1-2}} {{roll:1}}"), "3 5 3 1");
    assert_eq!(told("({{roll:0}}{{roll:d}}{{roll:x}}{{roll:2d1+x}})"), "()");
    let words: Vec<_> = (0..60).map(|word| format!("w{word}")).collect();
    let drawn = &words[usize::try_from(SPLITMIX[0] % 60).unwrap()];
    assert_eq!(&told(&format!("{{{{random::{}}}}}", words.join("::"))), drawn);
    assert_eq!(&told(&format!("{{{{random:{}}}}}", words.join(", "))), drawn);
}

#[test]
fn conditions_ask_variables_macros_and_words() {
    for (condition, holds) in [
        ("yes", true),
        ("off", false),
        ("FALSE", false),
        ("0", false),
        ("", false),
        ("!off", true),
        ("! yes", false),
        ("char", true),
        ("scenario", false),
        (".full", true),
        (".empty", false),
        (".none", false),
        ("$all", true),
        ("$none", false),
        (".9", true),
        (".ends-", true),
    ] {
        let set = "{{setvar::full::1}}{{setvar::empty::}}{{setglobalvar::all::1}}";
        let expected = if holds { "then" } else { "else" };
        assert_eq!(
            told(&format!("{set}{{{{if::{condition}::then}}}}")),
            if holds { "then" } else { "" },
            "{condition}"
        );
        let block = format!("{set}{{{{if {condition}}}}}then{{{{else}}}}else{{{{/if}}}}");
        if !condition.is_empty() {
            assert_eq!(told(&block), expected, "{block}");
        }
    }
}

#[test]
fn numbers_print_as_javascript_prints_them() {
    for (value, expected) in
        [("007", "7"), ("1.50", "1.5"), (" 2 ", "2"), ("x7", "x7"), ("", ""), ("1e15", "1e15"), ("-3", "-3")]
    {
        assert_eq!(told(&format!("{{{{setvar::a::{value}}}}}{{{{.a}}}}")), expected, "{value}");
    }
}

#[test]
fn a_card_is_shown_by_name() {
    let scene = Scene {
        description: "D".into(),
        personality: "P".into(),
        scenario: "S".into(),
        persona: "Me".into(),
        greeting: "Hello".into(),
        system_prompt: "Card".into(),
        post_history: "Post".into(),
        group: vec!["Mia".into(), "Ann".into()],
        world_before: "{{personality}}|{{scenario}}|{{persona}}|{{group}}|{{isMobile}}|{{charVersion}}|{{else}}|"
            .into(),
        ..Scene::default()
    };
    let preset = preset("{{wiBefore}}{{description}}", &[]);
    assert_eq!(render(&preset, &scene, &[]), "P|S|Me|Mia, Ann|false|||D");
}

#[test]
fn flags_and_numbers_can_be_of_other_types() {
    for (value, expected) in
        [(json!(0), false), (json!(2), true), (json!(""), false), (json!("no"), true), (json!(true), true)]
    {
        assert_eq!(preset("", &[("wrap", value.clone())]).instruct.wrap, expected, "{value}");
    }
    let depth = |value: Value| {
        let context = json!({"name": "C", "story_string": "", "story_string_depth": value});
        let mut preset = Preset::default();
        preset.load_context(&context.to_string()).map(|()| preset.context.story_string_depth)
    };
    assert_eq!(depth(json!(3)).unwrap(), 3);
    assert_eq!(depth(json!(" 3 ")).unwrap(), 3);
    for wrong in [json!(1.5), json!("x"), json!([1])] {
        let error = depth(wrong.clone()).unwrap_err().to_string();
        assert_eq!(error, "story_string_depth: the field must be a whole number", "{wrong}");
    }
}

#[test]
fn a_file_with_content_alone_is_a_system_prompt() {
    let mut preset = Preset::default();
    assert_eq!(preset.load(r#"{"content": "Be kind."}"#).unwrap(), PresetFile::System);
    assert_eq!(preset.load(r#"{"content": "Be kind.", "name": "Kind"}"#).unwrap(), PresetFile::System);
    assert!(preset.load(r#"{"content": "Be kind.", "other": 1}"#).is_err());
}

#[test]
fn what_is_not_known_is_named() {
    let preset = preset("", &[("of_a_plugin", json!(1)), ("and_another", json!({}))]);
    assert_eq!(preset.instruct.unknown.names().collect::<Vec<_>>(), ["and_another", "of_a_plugin"]);
}

#[test]
fn a_name_is_put_into_sequences_as_a_replacement() {
    let preset = preset("", &[("input_sequence", json!("<{{name}}|{{NAME}}>"))]);
    for (user, expected) in [("Mia", "<Mia|Mia>q"), ("a$$b", "<a$b|a$b>q"), ("$1", "<$1|$1>q")] {
        let scene = Scene { user: user.to_owned(), ..Scene::default() };
        assert_eq!(render(&preset, &scene, &[Message::user("q")]), expected);
    }
}

#[test]
fn a_quiet_prompt_is_answered_by_who_speaks() {
    let set = [("last_system_sequence", json!("<S {{name}}>")), ("output_sequence", json!("<O {{name}}>"))];
    let quiet = |voice, prompt: &str| {
        let mut scene = Scene { char: "Mia".to_owned(), ..Scene::default() };
        scene.settings.generation = Generation::Quiet { prompt: prompt.to_owned(), voice };
        render(&preset("", &set), &scene, &[Message::user("q")])
    };
    assert_eq!(quiet(QuietVoice::Character, "Sum up."), "qSum up.<O Mia>");
    assert_eq!(quiet(QuietVoice::System, "Sum up."), "qSum up.<S System>");
    assert_eq!(quiet(QuietVoice::System, ""), "q<O Mia>", "nothing is asked");
}

#[test]
fn examples_can_be_shown_as_they_are() {
    let examples = "<START>\nMia: Hi".to_owned();
    let scene = Scene { char: "Mia".to_owned(), examples, ..Scene::default() };
    let mut shown = preset("{{mesExamplesRaw}}|", &[]);
    assert!(render(&shown, &scene, &[]).starts_with("<START>\nMia: Hi\n|"));
    shown.instruct.enabled = false;
    assert!(render(&shown, &scene, &[]).starts_with("Mia: Hi\n|"));
    shown.context.example_separator = "***".to_owned();
    assert!(render(&shown, &scene, &[]).starts_with("***\nMia: Hi\n|"));
}

#[test]
fn names_are_shown_where_they_are_asked_for() {
    let mut named = preset("", &[]);
    named.instruct.names_behavior = NamesBehavior::Always;
    let scene = Scene { user: "Ann".to_owned(), char: "Mia".to_owned(), ..Scene::default() };
    let messages = [Message::user("q"), Message::assistant("a"), Message::system("s")];
    assert_eq!(render(&named, &scene, &messages), "Ann: qMia: a\n\nsMia:");
}

#[test]
fn of_long_fields_a_mend_shows_what_differs() {
    let report = BuiltinPreset::Magnum.preset().compare(&Layout::MAGNUM).unwrap();
    let some: &Mend = &report.differences[0].mends[0];
    let mend = |from: String, to: String| {
        let mut mend = some.clone();
        (mend.field, mend.from, mend.to) = ("f".to_owned(), from, to);
        mend.to_string()
    };
    assert_eq!(mend("a\n".into(), "b".into()), r#"f: "a\n" -> "b""#);
    let (sixty, more) = ("x".repeat(60), "x".repeat(61));
    assert_eq!(mend(sixty.clone(), String::new()), format!("f: {sixty:?} -> \"\""), "sixty are not long");
    assert_eq!(mend(more, String::new()), format!("f: {:?}… -> \"\"", "x".repeat(61)).replace("…", ""));
    let around = |middle: &str| format!("{}{middle}{}", "s".repeat(40), "e".repeat(40));
    let (start, end) = ("s".repeat(12), "e".repeat(12));
    assert_eq!(mend(around("ab"), around("")), format!("f: …\"{start}ab{end}\"… -> …\"{start}{end}\"…"));
    let tail = "e".repeat(70);
    assert_eq!(mend(format!("a{tail}"), format!("bc{tail}")), format!("f: \"a{end}\"… -> \"bc{end}\"…"));
    let head = "s".repeat(70);
    assert_eq!(mend(format!("{head}a"), format!("{head}bc")), format!("f: …\"{start}a\" -> …\"{start}bc\""));
    assert_eq!(
        mend(head.clone(), format!("{head}s")),
        format!("f: …\"{start}\" -> …\"{start}s\""),
        "one may begin and end the other"
    );
}
