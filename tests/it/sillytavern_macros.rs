//! Macros beyond the goldens: what each gives, which stay text, whose text can hold control tokens, and how much they write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::preset::{Clock, Generation, QuietVoice, Scene, SceneMessage, Speaker, SystemPrompt};
use mistral_chat_template::{Chat, Error, Format, Message, Preset, Prompt, Segment};
use serde::Deserialize;

use crate::support::story::story;

fn scene() -> Scene {
    Scene { user: "Rex".into(), char: "Mia".into(), ..Scene::default() }
}

fn told(preset: &Preset, scene: &Scene) -> Result<String, Error> {
    let prompt = preset.with_scene(scene)?.render(&Chat::default())?;
    Ok(prompt.into_string())
}

/// What a card gives that says this.
#[track_caller]
fn gives(description: &str, expected: &str) {
    let scene = Scene { description: description.to_owned(), ..scene() };
    assert_eq!(told(&story("{{description}}"), &scene).unwrap(), expected, "{description}");
}

/// A macro of dates or times, and what it gives.
#[derive(Deserialize)]
struct Timed {
    text: String,
    /// What time it is: seconds since 1970, and the minutes that local time is ahead.
    now: Option<(i64, i16)>,
    /// The seconds since the user spoke.
    idle: Option<i64>,
    want: String,
}

#[test]
fn dates_and_times_are_moments() {
    let goldens = include_str!("../goldens/sillytavern/moment.jsonl");
    let mut wrong = Vec::new();
    for line in goldens.lines() {
        let Timed { text, now, idle, want } = serde_json::from_str(line).unwrap();
        let (unix_seconds, utc_offset_minutes) = now.unwrap_or((1_700_000_000, 0));
        let now = Some(Clock { unix_seconds, utc_offset_minutes });
        let scene = Scene { description: text.clone(), now, ..scene() };
        let said = |speaker, sent| SceneMessage { sent, ..SceneMessage::new(speaker, "", "") };
        let chat = idle.map(|idle| [said(Speaker::User, Some(unix_seconds - idle)), said(Speaker::Character, None)]);
        let format = story("{{description}}").with_scene(&scene).unwrap();
        let mut told = Prompt::default();
        format.render_messages(chat.as_ref().map_or(&[], |chat| chat.as_slice()), &mut told).unwrap();
        // A message without text is a newline.
        let told = told.as_str().strip_suffix("\n\n").unwrap_or(told.as_str());
        if told != want {
            wrong.push(format!("{text} {now:?}: {told:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_single_argument_has_its_colons() {
    gives("{{reverse:a:b}} {{reverse a{b}}", "b:a b{a");
    gives("{{random}}a, a{{/random}}", "{{random}}a, a{{/random}}");
    gives(r"{{random::a\,b}} {{random:a\,b::a\,b}}", r"a,b a\,b");
}

#[test]
fn signs_before_a_name_are_passed_over() {
    gives("{{!user}} {{?user}} {{~user}} {{>user}} {{ user }}", "Rex Rex Rex Rex Rex");
    gives("{{. k = 1}}{{. k}}", "1");
}

#[test]
fn what_cannot_be_in_a_name_is_passed_over() {
    gives("{{user!?}} {{user=}}", "Rex Rex");
}

#[test]
fn variables_hold_lists_and_objects() {
    gives("{{setvarkey::a::k::v}}{{getvarkey::a::k}} {{getvar::a}}", r#"v {"k":"v"}"#);
    gives("{{setglobalvarkey::a::k::v}}{{getglobalvarkey::a::k}}", "v");
    gives("{{setglobalvarindex::a::1::v}}{{getglobalvarindex::a::1}} {{getglobalvar::a}}", r#"v [null,"v"]"#);
    gives("{{setvarindex::a::9999999999::v}}[{{getvar::a}}]", "[]");
}

#[test]
fn settings_are_given() {
    let mut scene = Scene { description: "{{maxPrompt}} {{maxContext}} {{maxResponse}}".into(), ..scene() };
    (scene.settings.max_context, scene.settings.max_response) = (8192, 500);
    assert_eq!(told(&story("{{description}}"), &scene).unwrap(), "7692 8192 500");
    scene.description = "{{lastGenerationType}}".into();
    let quiet = Generation::Quiet { prompt: String::new(), voice: QuietVoice::System };
    for (generation, name) in [
        (Generation::Reply, "normal"),
        (Generation::Nothing, "normal"),
        (Generation::Continue, "continue"),
        (Generation::Impersonate, "impersonate"),
        (Generation::Swipe, "swipe"),
        (Generation::Regenerate, "regenerate"),
        (quiet, "quiet"),
    ] {
        scene.settings.generation = generation;
        let prompt = told(&story("{{description}}"), &scene).unwrap();
        assert_eq!(prompt.trim_end(), name);
    }
}

#[test]
fn there_is_one_greeting() {
    let mut preset = story("!");
    preset.instruct.story_string_prefix = "{{greeting}} {{greeting::0}} [{{greeting::1}}]".into();
    let scene = Scene { greeting: "Hi".into(), ..scene() };
    assert_eq!(told(&preset, &scene).unwrap(), "Hi Hi []!");
}

#[test]
fn sequences_that_change_know_the_chat() {
    let mut preset = story("");
    preset.instruct.input_sequence = "{{random::<::<}}{{lastMessage}}>".into();
    let chat = Chat::new([Message::user("a"), Message::user("b")]);
    let sent = preset.with_scene(&scene()).unwrap().render(&chat).unwrap();
    assert_eq!(sent.as_str(), "<b>a\n\n<b>b\n\n");
}

#[test]
fn what_closes_nothing_stays() {
    gives("{{/user}} {{user}}", "{{/user}} Rex");
}

#[test]
fn a_block_with_its_branch_inside_has_no_else() {
    gives("{{if off}}{{if::user::y}}{{else}}n{{/if}}", "n");
    gives("{{if off}}{{if user}}y{{/if}}{{else}}n{{/if}}", "n");
}

#[test]
fn variables_are_asked_for_what_is_false_or_absent() {
    gives("{{.k = 0}}{{.k || x}} {{.k ?? x}} {{.k ||= y}} {{.k}}", "x 0 y y");
    gives("{{.k = 3}}{{.k > 3}} {{.k >= 3}} {{.k < 3}} {{.k < 4}}", "false true false true");
}

#[test]
fn what_the_caller_gives_takes_no_arguments() {
    let mut scene = Scene { description: "{{weather}} {{weather::x}}".into(), ..scene() };
    scene.macros.insert("weather".into(), "rain".into());
    assert_eq!(told(&story("{{description}}"), &scene).unwrap(), "rain {{weather::x}}");
}

#[test]
fn the_others_are_the_group_without_the_character() {
    let group = vec!["Mia".into(), "Ann".into()];
    let scene = Scene { description: "{{notChar}}".into(), group, ..scene() };
    assert_eq!(told(&story("{{description}}"), &scene).unwrap(), "Ann, Rex");
}

#[test]
fn without_instruct_mode_there_are_no_sequences() {
    let mut preset = story("({{description}})");
    preset.instruct.stop_sequence = "</s>".into();
    let scene = Scene { description: "{{instructStop}}".into(), ..scene() };
    assert_eq!(told(&preset, &scene).unwrap(), "(</s>)");
    preset.instruct.enabled = false;
    preset.context.always_force_name2 = false;
    assert_eq!(told(&preset, &scene).unwrap(), "()\n");
}

/// What a greeting gives that says this; its macros are replaced once.
#[track_caller]
fn greeting_gives(said: String, expected: &str) {
    let prompt = story("").with_scene(&scene()).unwrap().render(&Chat::new([Message::assistant(said)])).unwrap();
    assert_eq!(prompt.as_str(), expected);
}

#[test]
fn what_stands_too_deep_stays_text() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| open.repeat(count) + inner + &close.repeat(count);
    for (scope, end) in [("{{if user}}", "{{/if}}"), ("{{reverse}}", "{{/reverse}}")] {
        greeting_gives(nested(scope, "x", end, 64), "x");
    }
    greeting_gives(nested("{{if user}}", "x", "{{/if}}", 100), &nested("{{if user}}", "x", "{{/if}}", 36));
    greeting_gives(nested("{{reverse}}", "x", "{{/reverse}}", 100), &nested("{{reverse}}", "x", "{{/reverse}}", 36));
    let within =
        |open: &str, inner: &str, close: &str| nested("{{if user}}", &nested(open, inner, close, 40), "{{/if}}", 40);
    greeting_gives(within("{{nothing::", "{{user}}", "}}"), &nested("{{nothing::", "{{user}}", "}}", 40));
    greeting_gives(within("{{reverse::", "x", "}}"), &nested("{{reverse::", "x", "}}", 16));
    greeting_gives(within("{{if::", "off", "::x}}"), "x");
    greeting_gives(nested("{{reverse::", "ab", "}}", 64), "ab");
}

/// The control tokens of a prompt, which says `</s>` as often as `times`.
#[track_caller]
fn controls(preset: &Preset, scene: &Scene, times: usize) -> usize {
    let prompt = preset.with_scene(scene).unwrap().render(&Chat::default()).unwrap();
    assert_eq!(prompt.as_str().matches("</s>").count(), times, "{prompt:?}");
    prompt.segments().filter(|segment| matches!(segment, Segment::Control(_))).count()
}

#[test]
fn a_card_cannot_begin_or_end_a_macro_of_the_preset() {
    for (template, description, expected) in [
        (r"\{{instructStop}}", "", 1),
        (r"{{description}}\{{instructStop}}", "a card that says more than the macro", 1),
        (r"\{{instructStop{{description}}", "}}", 0),
        ("{{description}}}}", "{{instructStop", 0),
        ("({{description}}}}", "{{instructStop", 0),
    ] {
        let mut preset = story(template);
        preset.instruct.stop_sequence = "</s>".into();
        let scene = Scene { description: description.into(), ..scene() };
        assert_eq!(controls(&preset, &scene, 1), expected, "{template} {description}");
    }
}

#[test]
fn examples_that_a_card_repeats_are_text() {
    let mut preset = story("{{description}}");
    preset.instruct.output_suffix = "</s>".into();
    let told = |description: &str| Scene {
        description: description.to_owned(),
        examples: "<START>\nRex: Hi\nMia: Ho".into(),
        ..scene()
    };
    assert_eq!(controls(&preset, &told(""), 1), 1);
    assert_eq!(controls(&preset, &told(r"\{\{mesExamples\}\}"), 2), 1);
}

#[test]
fn what_is_long_can_be_said_often() {
    const LONG: usize = 200_000;
    let nobody = Scene { user: String::new(), char: String::new(), ..Scene::default() };
    let long = "x".repeat(LONG);
    let length = |preset: &Preset, scene: &Scene| told(preset, scene).map(|told| told.len()).map_err(|e| e.to_string());

    let card = Scene { description: long.clone(), ..scene() };
    assert_eq!(length(&story(&r"\{{description}}".repeat(6)), &card), Ok(6 * LONG), "a card");

    let mut preset = story(&r"\{{systemPrompt}}".repeat(6));
    preset.system = Some(SystemPrompt { content: long.clone(), ..SystemPrompt::default() });
    assert_eq!(length(&preset, &nobody), Ok(6 * LONG), "a system prompt");

    let said = format!("{{{{setvar::k::{long}}}}}{}", "{{getvar::k}}".repeat(6));
    assert_eq!(length(&story(&said.replace("{{", r"\{{")), &nobody), Ok(6 * LONG), "a story");

    let prompt = story("").with_scene(&nobody).unwrap().render(&Chat::new([Message::assistant(said)])).unwrap();
    assert_eq!(prompt.as_str().len(), 6 * LONG, "a message");
}

#[test]
fn a_preset_can_be_without_a_story() {
    let mut preset = story("");
    preset.instruct.stop_sequence = "</s>".into();
    assert_eq!(told(&preset, &scene()).unwrap(), "");
}
