//! Edges of presets, each by itself: macros by name, fields of other types, names with patterns, how mends are shown.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use mistral_chat_template::layout::{Frame, Mark};
use mistral_chat_template::preset::{
    Builtin, DifferenceKind, FileKind, Generation, Injection, InjectionPlace, InjectionRole, Mend, NamesBehavior,
    QuietVoice, Report, Scene, SceneMessage, Speaker, StoryPosition,
};
use mistral_chat_template::{Chat, Format, Layout, Message, Preset, Prompt};
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
        examples: "<START>\nMia: Hi".into(),
        world_before: "{{personality}}|{{scenario}}|{{persona}}|{{group}}|{{isMobile}}|{{charVersion}}|{{else}}|"
            .into(),
        world_after: "|{{mesExamplesRaw}}|{{charPrompt}}|{{charInstruction}}|".into(),
        ..Scene::default()
    };
    let preset = preset("{{wiBefore}}{{description}}{{wiAfter}}", &[]);
    assert!(render(&preset, &scene, &[]).starts_with("P|S|Me|Mia, Ann|false|||D|<START>\nMia: Hi|Card|Post|"));
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
    for (value, expected) in [
        (json!(3), Some(3)),
        (json!("3"), Some(3)),
        (json!("1e1"), Some(10)),
        (json!(" 3 "), Some(0)),
        (json!("x"), Some(0)),
        (json!(true), Some(0)),
        (json!(null), Some(1)),
        (json!(1.5), None),
        (json!(-1), None),
        (json!([2]), Some(2)),
    ] {
        assert_eq!(depth(value.clone()).unwrap(), expected, "{value}");
    }
    let error = depth(json!({})).unwrap_err().to_string();
    assert_eq!(error, "story_string_depth: the field must be a number");
}

#[test]
fn a_file_with_content_alone_is_a_system_prompt() {
    let mut preset = Preset::default();
    assert_eq!(preset.load(r#"{"content": "Be kind."}"#).unwrap(), FileKind::System);
    assert_eq!(preset.load(r#"{"content": "Be kind.", "name": "Kind"}"#).unwrap(), FileKind::System);
    assert!(preset.load(r#"{"content": "Be kind.", "other": 1}"#).is_err());
}

#[test]
fn a_system_prompt_keeps_its_name() {
    let mut preset = Preset::default();
    preset.load(r#"{"name": "Kind", "content": "Be kind.", "post_history": "Be brief."}"#).unwrap();
    let system = preset.system.unwrap();
    assert_eq!((&*system.name, &*system.content, &*system.post_history), ("Kind", "Be kind.", "Be brief."));
}

#[test]
fn what_a_card_says_after_the_chat_is_preferred() {
    let mut preset = preset("", &[]);
    preset.load(r#"{"name": "Kind", "content": "", "post_history": "Be brief."}"#).unwrap();
    let mut scene = Scene { post_history: "{{original}} Be {{char}}.".into(), char: "Mia".into(), ..Scene::default() };
    assert_eq!(render(&preset, &scene, &[Message::user("q.")]), "q.Be brief. Be Mia.");
    scene.settings.prefer_card_post_history = false;
    assert_eq!(render(&preset, &scene, &[Message::user("q.")]), "q.Be brief.");
}

#[test]
fn returns_are_left_out() {
    for (said, sent) in [("\r", ""), ("a\rb\rc", "abc"), ("a\r\nb\r\n", "a\nb\n"), ("\r\r\r", "")] {
        assert_eq!(render(&preset("", &[]), &Scene::default(), &[Message::user(said)]), sent, "{said:?}");
    }
}

#[test]
fn what_is_not_known_is_named() {
    let preset = preset("", &[("of_a_plugin", json!(1)), ("and_another", json!({}))]);
    assert_eq!(preset.instruct.unknown.names().collect::<Vec<_>>(), ["and_another", "of_a_plugin"]);
}

#[test]
fn a_name_is_put_into_sequences_as_a_replacement() {
    let preset = preset("", &[("input_sequence", json!("<{{name}}|{{NAME}}>"))]);
    let cases = [("Mia", "<Mia|Mia>q"), ("a$$b", "<a$b|a$b>q"), ("$1", "<$1|$1>q"), ("", "<System|System>q")];
    for (user, expected) in cases {
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
    let report = Builtin::Magnum.preset().compare(&Layout::MAGNUM).unwrap();
    let some: &Mend = &report.differences[0].mends[0];
    let mend = |from: String, to: String| {
        let mut mend = some.clone();
        (mend.field, mend.from, mend.to) = ("f".to_owned(), from, to);
        mend.to_string()
    };
    let label = &some.label;
    let told = |text: &str| format!("{label} (f):{text}");
    assert_eq!(mend("a\n".into(), "b".into()), told(r#" "a⏎" -> "b""#));
    assert_eq!(mend("x".repeat(31), String::new()), told(&format!(" \"{}\" -> \"\"", "x".repeat(31))), "not long");
    assert_eq!(mend("x".repeat(90), String::new()), told(" \"…\" -> \"\""));
    let (x, y) = ("x".repeat(31), "y".repeat(31));
    assert_eq!(mend(x.clone(), y.clone()), told(&format!("\n      \"{x}\" -> \"{y}\"")), "too long for one line");
    let added = "z".repeat(40);
    assert_eq!(
        mend("{{a}}".into(), format!("{{{{a}}}}{added}")),
        told(&format!("\n      after \"{{{{a}}}}\" add \"{added}\""))
    );
    assert_eq!(mend("x".repeat(40), "y".repeat(40)), told(&format!(" \"…\" -> \"{}\"", "y".repeat(40))));
    let exactly = format!("{}abc ", "word ".repeat(10));
    assert_eq!(
        mend("{{a}}".into(), format!("{{{{a}}}}{exactly}word word word ")),
        told(&format!("\n      after \"{{{{a}}}}\" add \"{exactly}\n      word word word \"")),
        "a line is filled"
    );
    // A tag is all of it a change, and so is one that does not end.
    let long = format!("{{{{{}}}}}", "a".repeat(30));
    let after = |kept: &str, change: &str| told(&format!("\n      after \"{kept}\" {change}"));
    assert_eq!(mend(format!("{long}{{{{b"), format!("{long}{{{{c")), after(&long, "\"{{b\" -> \"{{c\""));
    let three = "{{a}}{{b}}".to_owned() + &long;
    assert_eq!(
        mend(format!("{three}{{{{b}}}}tail"), format!("{three}{{{{cb}}}}tail")),
        after(&long, "\"{{b}}\" -> \"{{cb}}\"")
    );
    assert_eq!(
        mend(format!("{three}{{{{bé}}}}tail"), format!("{three}{{{{cbé}}}}tail")),
        after(&long, "\"{{bé}}\" -> \"{{cbé}}\"")
    );
    assert_eq!(
        mend(format!("{long}p{{{{b}}}}"), format!("{{{{b}}}}q{long}")),
        told(&format!("\n      at the beginning add \"{{{{b}}}}q\"\n      after \"{long}\" remove \"p{{{{b}}}}\"")),
        "of parts as long, the first stays"
    );
    // What stands in front is told by its end, or by more of it where that stands elsewhere too.
    let block = "{{#if description}}{{description}}{{/if}}".repeat(2);
    assert_eq!(
        mend(format!("{block}x"), format!("{block}yy")),
        told("\n      after the last \"{{/if}}\" \"x\" -> \"yy\"")
    );
    let pair = format!("{{{{{}}}}}{{{{/if}}}}", "a".repeat(20));
    let two = format!("{{{{b}}}}{{{{/if}}}}{pair}");
    assert_eq!(mend(format!("{two}x"), format!("{two}yy")), after(&pair, "\"x\" -> \"yy\""));
    for kept in ["bb", "ab{c}de"] {
        let front = format!("{long}\n{kept}");
        assert_eq!(
            mend(format!("{front}{{{{x}}}}"), format!("{front}{{{{y}}}}")),
            after(kept, "\"{{x}}\" -> \"{{y}}\"")
        );
    }
    let tag = "{{#if aaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbb}}";
    let brace = format!("{{b {tag}{}", "w ".repeat(40));
    assert_eq!(
        mend("{{a}}".into(), format!("{{{{a}}}}{brace}")),
        after("{{a}}", &format!("add \"{{b …{}\"", "w ".repeat(22))),
        "no tag is cut"
    );
    let lines = "a\n".repeat(600);
    assert_eq!(mend(format!("{lines}x"), format!("{lines}yy")), told("\n      after the last \"⏎\" \"x\" -> \"yy\""));
    let words = "word ".repeat(17);
    assert_eq!(
        mend("{{a}}".into(), format!("{{{{a}}}}{words}")),
        told(&format!("\n      after \"{{{{a}}}}\" add \"{}\n      {}\"", "word ".repeat(10), "word ".repeat(7)))
    );
    let (first, last) = ("{{#if system}}", "{{/if}}");
    let around = |middle: &str| format!("{first}{{{{system}}}}{middle}{{{{persona}}}}{last}");
    assert_eq!(mend(around("ab"), around("")), told("\n      after \"{{system}}\" remove \"ab\""));
    let tags = around("");
    assert_eq!(mend(format!("a{tags}"), format!("bc{tags}")), told("\n      at the beginning \"a\" -> \"bc\""));
    assert_eq!(
        mend(format!("{tags}{{{{trim}}}}"), tags.clone()),
        told("\n      after \"{{/if}}\" remove \"{{trim}}\"")
    );
    assert_eq!(
        mend(format!("{tags}{{{{a}}}}"), format!("{tags}{{{{ab}}}}")),
        told("\n      after \"{{/if}}\" \"{{a}}\" -> \"{{ab}}\"")
    );
}

#[test]
fn old_fields_are_dropped_and_not_unknown() {
    let instruct = preset("", &[("system_sequence_prefix", json!("a")), ("system_sequence_suffix", json!("b"))]);
    assert_eq!(instruct.instruct.unknown.names().count(), 0);
    let context = json!({"name": "C", "story_string": "", "allow_jailbreak": true, "include_newline": true});
    let mut loaded = Preset::default();
    loaded.load_context(&context.to_string()).unwrap();
    assert_eq!(loaded.context.unknown.names().count(), 0);
}

#[test]
fn a_name_stands_wherever_a_sequence_asks_for_it() {
    let preset = preset("", &[("input_sequence", json!("ab{{name}}{{name}}:"))]);
    let scene = Scene { user: "Ann".to_owned(), ..Scene::default() };
    assert_eq!(render(&preset, &scene, &[Message::user("q")]), "abAnnAnn:q");
}

#[test]
fn examples_stand_below_their_sequences() {
    let texts = [("output_sequence", json!("<O>")), ("output_suffix", json!(""))];
    let set = [("wrap", json!(true)), ("macro", json!(false))].into_iter().chain(texts).collect::<Vec<_>>();
    let examples = "<START>\nMia: Hi".to_owned();
    let scene = Scene { char: "Mia".to_owned(), examples, ..Scene::default() };
    let printed = render(&preset("", &set), &scene, &[]);
    assert!(printed.starts_with("<O>\nHi"), "{printed:?}");
}

#[test]
fn a_story_in_the_chat_stands_above_what_is_put_there_too() {
    let mut preset = preset("Story", &[]);
    preset.context.story_string_position = StoryPosition::InChat;
    let told = |role: InjectionRole, text: &str| {
        let place = InjectionPlace::InChat { depth: 1, role };
        let injections = vec![Injection { text: text.to_owned(), place }];
        render(&preset, &Scene { injections, ..Scene::default() }, &[Message::user("a"), Message::user("b")])
    };
    assert_eq!(told(InjectionRole::System, "More"), "aStory\nMoreb");
    assert_eq!(told(InjectionRole::System, ""), "aStoryb");
}

#[test]
fn what_is_put_into_an_empty_chat_is_all_of_it() {
    let inject = |text: &str, depth| {
        let place = InjectionPlace::InChat { depth, role: InjectionRole::User };
        Injection { text: text.to_owned(), place }
    };
    let injections = vec![inject("a", 0), inject("b", 1), inject("c", 2), inject("d", 3)];
    let mut scene = Scene { injections, ..Scene::default() };
    assert_eq!(render(&preset("", &[]), &scene, &[]), "dcba");
    scene.post_history = "p".to_owned();
    assert_eq!(render(&preset("", &[]), &scene, &[]), "dcbap");
    scene.injections.truncate(1);
    scene.settings.generation = Generation::Continue;
    assert_eq!(render(&preset("", &[]), &scene, &[]), "pa", "the last one is continued");
}

/// The sequence of the last user message stands before it, whatever is put in around it.
#[test]
fn what_is_put_in_can_be_the_last_that_the_user_says() {
    let preset = preset(
        "",
        &[
            ("input_sequence", json!("<")),
            ("last_input_sequence", json!("{")),
            ("system_sequence", json!("|")),
            ("output_suffix", json!("")),
        ],
    );
    let sent = |injections: &[(&str, u32, InjectionRole)]| {
        let injections = injections.iter().map(|(text, depth, role)| Injection {
            text: (*text).to_owned(),
            place: InjectionPlace::InChat { depth: *depth, role: *role },
        });
        let chat = [Message::user("a"), Message::assistant("b"), Message::user("c")];
        render(&preset, &Scene { injections: injections.collect(), ..Scene::default() }, &chat)
    };
    let (system, user) = (InjectionRole::System, InjectionRole::User);
    assert_eq!(sent(&[]), "<ab{c");
    assert_eq!(sent(&[("s", 0, system)]), "<ab{c|s");
    assert_eq!(sent(&[("u", 0, user)]), "<ab<c{u");
    assert_eq!(sent(&[("u", 1, user)]), "<ab<u{c");
    assert_eq!(sent(&[("u", 1, user), ("s", 1, system), ("t", 2, system)]).matches('{').count(), 1);
    assert!(sent(&[("u", 1, user), ("s", 1, system), ("t", 2, system)]).ends_with("{c"));
    assert!(sent(&[("s", 0, system), ("t", 1, system)]).ends_with("{c|s"));
    assert_eq!(sent(&[("u", 0, user), ("s", 0, system)]).matches('{').count(), 1);
    assert!(sent(&[("u", 0, user), ("s", 3, system)]).contains("{u"));
}

#[test]
fn what_is_said_between_control_tokens_is_mended_too() {
    let set = [("input_sequence", json!("[INST]")), ("input_suffix", json!("[/INST]"))];
    let mut scene = Scene::default();
    assert_eq!(render(&preset("", &set), &scene, &[Message::user("a\r\n\nb")]), "[INST]a\n\nb[/INST]");
    scene.settings.collapse_newlines = true;
    assert_eq!(render(&preset("", &set), &scene, &[Message::user("a\n\n\nb")]), "[INST]a\nb[/INST]");
}

#[test]
fn only_a_newline_at_the_end_of_a_message_gives_way_to_the_line_below() {
    let set = [("wrap", json!(true)), ("input_sequence", json!("")), ("input_suffix", json!("x\n[/INST]y\n[INST]z\n"))];
    assert_eq!(render(&preset("", &set), &Scene::default(), &[Message::user("a")]), "ax\n[/INST]y\n[INST]z\n");
}

#[test]
fn what_names_a_reply_in_front_is_not_the_reply() {
    let user = [("input_sequence", json!("[INST]")), ("input_suffix", json!("[/INST]"))];
    let set = [&user[..], &[("output_sequence", json!("Bot:")), ("output_suffix", json!("</s>"))]].concat();
    let spans = |collapse_newlines| {
        let mut scene = Scene::default();
        scene.settings.collapse_newlines = collapse_newlines;
        let chat = Chat::new([Message::user("q"), Message::assistant("a"), Message::user("r")]);
        let prompt = preset("", &set).with_scene(&scene).unwrap().render(&chat).unwrap();
        prompt.spans().map(|span| format!("{span:?}")).collect::<Vec<_>>()
    };
    assert_eq!(spans(false), spans(true));
}

#[test]
fn a_story_without_a_depth_is_written_so() {
    let mut given = preset("", &[]);
    given.context.story_string_depth = None;
    let json: Value = serde_json::from_str(&given.context_json()).unwrap();
    assert_eq!(json["story_string_depth"], -1);
    let mut loaded = preset("", &[]);
    loaded.load_context(&given.context_json()).unwrap();
    assert_eq!(loaded.context.story_string_depth, None);
}

#[test]
fn a_reply_is_begun_with_its_bias_and_a_user_message_is_not() {
    let with = |generation| {
        let mut scene = Scene { user: "Ann".to_owned(), char: "Mia".to_owned(), ..Scene::default() };
        scene.settings.generation = generation;
        scene.settings.bias = "Well".to_owned();
        render(&preset("", &[]), &scene, &[Message::user("q")])
    };
    assert_eq!(with(Generation::Reply), "qWell");
    assert_eq!(with(Generation::Impersonate), "q");
}

#[test]
fn a_preset_without_a_system_prompt_is_written_so() {
    let with = Preset::default();
    assert!(with.system.is_some(), "that of a fresh install");
    let without = Preset { system: None, ..with.clone() };
    for (file, expected) in [(without.to_json(), &without), (with.to_json(), &with)] {
        let mut loaded = Preset::default();
        loaded.load(&file).unwrap();
        assert_eq!(&loaded, expected, "{file}");
    }
    let mut loaded = Preset::default();
    loaded.load(r#"{"instruct": {"name": "I"}}"#).unwrap();
    assert_eq!(loaded.system, with.system, "a file without the section says nothing of it");
}

/// SillyTavern 1.19.0 looks at the last character of the chat.
#[test]
fn without_instruct_mode_one_space_stands_before_the_bias() {
    let mut plain = preset("", &[]);
    plain.instruct.enabled = false;
    plain.context.always_force_name2 = false;
    for (said, bias, expected) in
        [("q", "Well", "Ann: q Well"), ("q ", "Well", "Ann: q Well"), ("q\u{2028}", "  Well", "Ann: q\u{2028}Well")]
    {
        let mut scene = Scene { user: "Ann".to_owned(), char: "Mia".to_owned(), ..Scene::default() };
        scene.settings.bias = bias.to_owned();
        let prompt = render(&plain, &scene, &[Message::user(said)]);
        assert!(prompt.ends_with(expected), "{prompt:?}");
    }
}

#[test]
fn an_answer_is_generated_again_and_a_question_is_kept() {
    let with = |generation, messages: &[Message<'_>]| {
        let mut scene = Scene::default();
        scene.settings.generation = generation;
        render(&preset("", &[("output_suffix", json!("."))]), &scene, messages)
    };
    let (question, answer) = (Message::user("q"), Message::assistant("a"));
    let messages = [question.clone(), answer];
    assert_eq!(with(Generation::Reply, &messages), "qa.");
    assert_eq!(with(Generation::Regenerate, &messages), "q");
    assert_eq!(with(Generation::Regenerate, &[question]), "q");
}

#[test]
fn without_instruct_mode_names_stand_before_what_is_said() {
    let mut plain = preset("", &[]);
    plain.instruct.enabled = false;
    plain.context.always_force_name2 = true;
    let mut scene = Scene { user: "Ann".to_owned(), char: "Mia".to_owned(), ..Scene::default() };
    let messages = [Message::user("q"), Message::system("s"), Message::assistant("a")];
    assert_eq!(render(&plain, &scene, &messages), "Ann: q\ns\nMia: a\nMia:");
    let mut quiet = |voice| {
        scene.settings.generation = Generation::Quiet { prompt: "Sum up.".to_owned(), voice };
        render(&plain, &scene, &[Message::user("q")])
    };
    assert_eq!(quiet(QuietVoice::Character), "Ann: q\nSum up.\nMia:");
    assert_eq!(quiet(QuietVoice::System), "Ann: q\nSum up.");
}

#[test]
fn who_has_no_name_speaks_as_the_character_unless_it_is_the_user() {
    let mut named = preset("", &[]);
    named.instruct.names_behavior = NamesBehavior::Always;
    let scene = Scene { user: "Ann".to_owned(), char: "Mia".to_owned(), ..Scene::default() };
    let messages = [SceneMessage::new(Speaker::User, "", "q"), SceneMessage::new(Speaker::Character, "", "a")];
    let mut prompt = Prompt::new();
    named.with_scene(&scene).unwrap().render_messages(&messages, &mut prompt).unwrap();
    assert!(prompt.as_str().starts_with("qMia: a"), "{prompt:?}");
}

#[test]
fn a_layout_that_writes_an_old_marker_is_refused() {
    let user = Frame { open: Mark::Text("<USER>: "), ..Layout::MAGNUM.user };
    let error = Preset::for_layout(&Layout { name: "mine", user, ..Layout::MAGNUM }).unwrap_err().to_string();
    let sentence = "no preset makes SillyTavern send this layout: it writes what SillyTavern takes for a macro (mine)";
    assert_eq!(error, sentence);
}

fn kinds(report: &Report) -> Vec<DifferenceKind> {
    report.differences.iter().map(|difference| difference.kind).collect()
}

#[test]
fn a_comparison_says_which_names_are_set_and_which_are_to_be() {
    let mut named = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    named.instruct.names_behavior = NamesBehavior::Always;
    let report = named.compare(&Layout::V7_TEKKEN).unwrap();
    assert_eq!(kinds(&report), [DifferenceKind::Names]);
    assert_eq!(
        report.differences[0].mends[0].to_string(),
        r#"Include Names (instruct.names_behavior): "always" -> "force""#
    );
}

#[test]
fn a_comparison_looks_at_chats_without_a_system_prompt_and_of_one_message() {
    let right = Preset::for_layout(&Layout::V7_TEKKEN).unwrap();
    let mut wrong = right.clone();
    wrong.context.story_string += "{{#unless system}}[INST]{{/unless}}";
    let report = wrong.compare(&Layout::V7_TEKKEN).unwrap();
    assert_eq!(kinds(&report), [DifferenceKind::NoSystem]);
    assert!(!report.differences[0].sends.contains("SYSTEM MESSAGE"), "{report}");
    wrong.instruct.last_input_sequence = "[INST]?".to_owned();
    let report = wrong.compare(&Layout::V7_TEKKEN).unwrap();
    assert_eq!(kinds(&report), [DifferenceKind::NoSystem, DifferenceKind::OnlyMessage]);
    assert_eq!(report.differences[1].mends[0].field, "instruct.last_input_sequence");
}
