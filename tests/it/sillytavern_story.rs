//! Story strings and macros beyond the goldens: what they give, what they refuse, and that nothing makes them panic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use mistral_chat_template::preset::{Builtin, Generation, Instruct, Scene, SceneMessage, SceneSettings, Speaker};
use mistral_chat_template::{Chat, Format, Message, Preset, Prompt, Segment};
use proptest::prelude::*;

use crate::support::arbitrary;
use crate::support::story::story;

fn scene() -> Scene {
    Scene { user: "Rex".into(), char: "Mia".into(), description: "a cat".into(), ..Scene::default() }
}

#[track_caller]
fn gives(template: &str, expected: &str) {
    let prompt = story(template).with_scene(&scene()).unwrap().render(&Chat::default()).unwrap();
    assert_eq!(prompt.as_str(), expected, "{template}");
}

/// A description in place of the story.
#[track_caller]
fn card_gives(description: &str, expected: &str) {
    let scene = Scene { description: description.to_owned(), ..scene() };
    let prompt = story("{{description}}").with_scene(&scene).unwrap().render(&Chat::default()).unwrap();
    assert_eq!(prompt.as_str(), expected, "{description}");
}

#[track_caller]
fn refuses(template: &str, why: &str) {
    let error = story(template).with_scene(&scene()).map(|_| ()).unwrap_err();
    let told = error.to_string();
    // The author's own line stands after it.
    let told = told.split_once(", in \"").map_or(told.as_str(), |(told, _)| told);
    assert_eq!(told, format!("context.story_string: the story string says nothing: {why}"));
}

#[test]
fn blocks_choose() {
    gives("{{#if scenario}}s{{else if description}}d{{else}}n{{/if}}", "d");
    gives("{{#if scenario}}s{{else if persona}}p{{else}}n{{/if}}", "n");
    gives("{{^scenario}}none{{/scenario}}.", ".");
    gives("{{#description}}{{this}}!{{/description}}", "a cat!");
    gives("{{#with description}}{{this}} {{../user}}{{/with}}", "a cat Rex");
    gives("{{#each this}}{{#if @first}}{{@key}}={{this}}{{/if}}{{/each}}", "description=a cat");
    gives("{{#unless scenario}}no{{/unless}}{{#if 0 includeZero=true}}0{{/if}}", "no0");
}

#[test]
fn names_are_values_or_macros() {
    gives("{{this.char}} {{[user]}} {{'char'}} {{@root.user}} {{lookup this 'char'}}", "Mia Rex Mia Rex Mia");
    gives("\\{{user}} \\\\{{user}} {{newline::2}}{{space}}|{{nothing}}", "Rex \\Rex \n\n |{{nothing}}");
}

#[test]
fn tags_take_white_space() {
    gives("a\n{{#if char}}\nb\n{{else}}\nc\n{{/if}}\nd", "a\nb\nd");
    gives("a {{~#if char~}} b {{~else~}} c {{~/if~}} d", "abd");
    gives("{{#if scenario}}\nb\n{{else if char}}\nc\n{{/if}}\nd", "c\nd");
    gives("x {{!-- a }} b --}} y{{! c }}", "x  y");
}

/// What Handlebars 4.7.8 gives for the same values.
#[test]
fn lines_of_tags_go_where_they_stand_alone() {
    gives("{{#if char}}a\n {{else}} b{{/if}}|", "a\n |");
    gives("x{{#if char}}{{#if user}}\n b {{/if}}{{/if}}\n|", "x\n b \n|");
    gives("{{#if char}} {{! c }}\nc{{/if}}", " \nc");
    gives("{{#if char}}a\n{{! c }} {{/if}}|", "a\n |");
    gives("{{#if char}}a\n  {{! c }}{{/if}}|", "a\n  |");
    gives("|{{#if char}}{{! c }}\nx{{/if}}", "|\nx");
    gives("a\n  {{! c }}", "a\n");
    gives("a\n {{! c }} ", "a\n");
    gives("a\n {{! c }} {{user}}", "a\n  Rex");
    gives("a\n{{! c }} {{! d }} b", "a\n  b");
    gives("{{user}} {{! c }} \nb", "Rex  \nb");
    gives("{{! a }}\n{{! b }}\nc", "c");
    gives("  {{#if user}}\n  {{#if char}}\n  b\n  {{/if}}\n  {{/if}}\n c", "  b\n c");
}

/// What Handlebars 4.7.8 gives for the same values.
#[test]
fn tildes_take_all_white_space() {
    gives("a {{{user}~}} x", "a Rexx");
    gives("a {{~{user}~}} x", "aRexx");
    gives("a \n {{~! c }}\n b", "a b");
    gives("{{user~}}\n{{#if char}}\n b{{/if}}", "Rex b");
    gives("{{!-- a --~}}  b{{!-- c --}}", "b");
    gives("|{{!-- a --}}  b{{!-- c --~}} d", "|  bd");
    gives("|{{!-- a --}} --~}} b", "| --~}} b");
    gives("{{#if scenario}}a{{else if char}} b {{~/if}} x", " b x");
    gives("{{#if scenario}}a{{else if persona}}b{{else if char}} c {{~/if}} x", " c x");
    gives("{{#if scenario}}a{{else}}{{#if char}} b {{/if}}{{~/if}} x", " b  x");
    gives("{{#if scenario}}a{{else if char}}b\n {{else if user}}\nc {{~/if}}|", "b|");
}

/// What Handlebars 4.7.8 gives for the same values.
#[test]
fn literals_and_paths_are_told_apart() {
    gives(r"{{#with 'it\'s'}}{{this}}{{/with}}", "it's");
    gives(r"{{#with 'a\b'}}{{this}}{{/with}}", r"a\b");
    gives(r#"{{#with "a\'b"}}{{this}}{{/with}}"#, r"a\'b");
    gives("{{#if 1e3}}a{{else}}b{{/if}}{{#if inf}}a{{else}}b{{/if}}", "bb");
    gives("{{#if .}}y{{/if}}{{#with char}}{{.}}{{/with}}", "yMia");
    gives("{{#with char}}{{./user}}|{{../user}}{{/with}}", "|Rex");
    gives("{{./if}}{{this.if}}{{this/if}}{{this-x}}{{xthis}}{{../if}}|", "|");
    gives("{{this_user}}{{thisuser}}", "{{this_user}}{{thisuser}}");
    gives("{{lookup 'x'(lookup this 'char')}}{{log 'x'}}|", "|");
    gives("{{./nothing 'x'}}", "{{./nothing}}");
    gives(r"a\", r"a\");
    let includes = |zero: &str| format!("{{{{#if 0 includeZero={zero}}}}}a{{{{else}}}}b{{{{/if}}}}");
    for (zero, expected) in [("true", "a"), ("1", "a"), ("false", "b"), ("0", "b"), ("''", "b")] {
        gives(&includes(zero), expected);
    }
}

/// What Handlebars 4.7.8 gives for the same values.
#[test]
fn a_context_counts_once() {
    gives("{{#with this}}{{../user}}|{{user}}{{/with}}", "|Rex");
    gives("{{#with char}}{{#with this}}{{../user}}{{/with}}{{/with}}", "Rex");
    gives("{{#with char}}{{#with ../char}}{{../user}}{{/with}}{{/with}}", "Rex");
    gives("{{#each this}}{{#if this}}{{@index}} {{@key}},{{/if}}{{/each}}", "0 description,4 system,5 char,6 user,");
    gives("{{#each this}}{{#if @last}}!{{/if}}{{/each}}", "!");
}

#[test]
fn depth_counts_what_stands_in_each_other() {
    gives(&"{{#if char}}x{{/if}}".repeat(100), &"x".repeat(100));
    gives(&"{{#if scenario}}x{{else if persona}}y{{else if char}}z{{/if}}".repeat(100), &"z".repeat(100));
    gives(&"{{#if (lookup this 'char')}}x{{/if}}".repeat(100), &"x".repeat(100));
    let blocks = |count: usize| "{{#if char}}".repeat(count) + "x" + &"{{/if}}".repeat(count);
    gives(&blocks(63), "x");
    refuses(&blocks(64), "line 1: blocks stand too deep in each other");
    let chained =
        |count: usize| "{{#if scenario}}".to_owned() + &"{{else if scenario}}".repeat(count) + "{{else}}x{{/if}}";
    gives(&chained(62), "x");
    refuses(&chained(63), "line 1: blocks stand too deep in each other");
    let calls =
        |count: usize| format!("{{{{#if {}char{}}}}}x{{{{/if}}}}", "(lookup @root ".repeat(count), ")".repeat(count));
    gives(&calls(63), "");
    refuses(&calls(64), "line 1: calls stand too deep in each other");
}

#[test]
fn a_story_says_much_but_not_without_end() {
    let told = |template: &str, description: usize| {
        let scene = Scene { description: "x".repeat(description), ..scene() };
        let format = story(template).with_scene(&scene).map_err(|error| error.to_string())?;
        Ok::<_, String>(format.render(&Chat::default()).unwrap().as_str().len())
    };
    assert_eq!(told(&"{{description}}".repeat(3), 600_000), Ok(1_800_000));
    let refusal = "context.story_string: the story string says nothing: it writes too much";
    assert_eq!(told(&"{{description}}".repeat(100), 20_000), Err(refusal.to_owned()));
}

#[test]
fn a_story_that_is_no_template_is_refused() {
    refuses("a\n{{#if x}}", "line 2: a block is not closed");
    refuses("{{#if x}}{{/unless}}", "line 1: the block `if` is closed as `unless`");
    refuses("{{/if}}", "line 1: a block is closed that is not open");
    refuses("{{else}}", "line 1: `else` stands outside a block");
    refuses("{{user", "line 1: a tag is not closed by `}}`");
    refuses("{{a,b}}", "line 1: a name cannot hold ','");
    refuses("{{> part}}", "line 1: a partial is nothing that story strings have");
    refuses("{{* part}}", "line 1: a decorator is nothing that story strings have");
    refuses("{{#* part}}{{/part}}", "line 1: a decorator is nothing that story strings have");
    for path in ["user/..", "user/.", "user/this"] {
        refuses(&format!("{{{{{path}}}}}"), "line 1: a path goes up only where it begins");
    }
    for literal in ["false", "null", "undefined"] {
        refuses(&format!("{{{{lookup this {literal} =1}}}}"), "line 1: a name cannot hold '='");
    }
    refuses("{{#if 1.}}a{{/if}}", "line 1: a name cannot hold '}'");
    refuses("{{#if}}{{/if}}", "`if` takes one argument");
    refuses("{{user 'x'}}", "`user` is a value and takes no arguments");
    refuses(&"{{#if char}}".repeat(100), "line 1: blocks stand too deep in each other");
    let nested = "{{#each @root}}".repeat(9) + "x" + &"{{/each}}".repeat(9);
    refuses(&nested, "it runs for too long");
}

#[test]
fn macros_have_arguments_and_scopes() {
    card_gives("{{reverse}}abc{{/reverse}} {{trim}} x {{/trim}}", "cba x");
    card_gives("{{if user}}\n  a\n    b\n{{/if}}", "a\n  b");
    card_gives("{{if !user}}a{{else}}b{{/if}}{{if .no}}c{{/if}}", "b");
    card_gives("{{if user}}{{if char}}1{{else}}2{{/if}}{{else}}3{{/if}}", "1");
    card_gives("{{user::x}} {{nothing::{{user}}}} {{newline::x}}", "{{user::x}} {{nothing::Rex}} {{newline::x}}");
    card_gives("[{{space::3}}]{{random::a::a}}{{pick a,a}}", "[   ]aa");
    card_gives("{{if user}} {{/setvar}} {{setvar::k}}v", "{{if user}} {{/setvar}} {{setvar::k}}v");
}

#[test]
fn macros_have_variables() {
    card_gives("{{.k = 1}}{{.k++}} {{.k += 5}}{{.k}} {{.k > 6}} {{.none ?? x}}", "2 7 true x");
    card_gives(
        "{{setvar::k::a}}{{addvar::k::b}}{{getvar::k}} {{incvar::n}}{{hasvar::n}}{{deletevar::n}}{{hasvar::n}}",
        "ab 1truefalse",
    );
    card_gives("{{$g = x}}{{getglobalvar::g}}{{.g}}", "x");
}

#[test]
fn the_caller_gives_what_cannot_be_known() {
    let mut scene = Scene { description: "{{time}} {{date}}".into(), ..scene() };
    scene.macros.insert("Time".into(), "12:00".into());
    let prompt = story("{{description}}").with_scene(&scene).unwrap().render(&Chat::default()).unwrap();
    assert_eq!(prompt.as_str(), "12:00 {{date}}");
}

#[test]
fn macros_that_grow_without_end_are_refused() {
    let doubling =
        "{{setvar::a::xxxxxxxxxxxxxxxx}}".to_owned() + &"{{setvar::a::{{getvar::a}}{{getvar::a}}}}".repeat(40);
    for description in [doubling.as_str(), "{{newline::99999999999}}", "{{roll::65535d6}}{{space::9999999}}"] {
        let scene = Scene { description: description.to_owned(), ..scene() };
        let error = story("{{description}}").with_scene(&scene).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "macros write too much");
    }
    let format = story("").with_scene(&scene()).unwrap();
    let error = format.render(&Chat::new([Message::assistant("{{space::9999999}}")])).unwrap_err();
    assert_eq!(error.to_string(), "messages[0].content: macros write too much");
}

#[test]
fn a_preset_has_no_place_for_tools_and_images() {
    let format = Builtin::Magnum.preset().with_scene(&scene()).unwrap();
    let refused = |chat: &str| format.render(&Chat::from_json(chat).unwrap()).unwrap_err().to_string();
    assert_eq!(
        refused(r#"{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}"#),
        "messages[1].role: a preset has no place for tool results"
    );
    assert_eq!(
        refused(
            r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "https://a.b/c.png"}]}]}"#
        ),
        "messages[0].content[0]: a preset has no place for anything but text"
    );
    let mut again = scene();
    again.settings.generation = Generation::Swipe;
    let chat = r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"},
        {"role": "tool", "content": "c"}]}"#;
    let format = Builtin::Magnum.preset().with_scene(&again).unwrap();
    assert_eq!(
        format.render(&Chat::from_json(chat).unwrap()).unwrap_err().to_string(),
        "messages[3].role: a preset has no place for tool results",
        "though it is left out"
    );
}

#[test]
fn a_prefix_is_continued() {
    let format = Builtin::MistralV7Tekken.preset().with_scene(&Scene::default()).unwrap();
    let chat = Chat::new([Message::user("Count."), Message::prefix("One,")]);
    assert_eq!(format.render(&chat).unwrap().as_str(), "[INST]Count.[/INST]One,");
}

#[test]
fn spans_know_their_messages() {
    let format = Builtin::MistralV7Tekken.preset().with_system_prompt("S").with_scene(&Scene::default()).unwrap();
    let prompt = format.render(&Chat::new([Message::user("a"), Message::assistant("b"), Message::user("c")])).unwrap();
    let said: Vec<_> = prompt.spans().map(|span| (&prompt.as_str()[span.range.clone()], span.message)).collect();
    let expected = [
        ("[SYSTEM_PROMPT]", None),
        ("S", None),
        ("[/SYSTEM_PROMPT]", None),
        ("[INST]", Some(0)),
        ("a", Some(0)),
        ("[/INST]", Some(0)),
        ("b", Some(1)),
        ("</s>", Some(1)),
        ("[INST]", Some(2)),
        ("c", Some(2)),
        ("[/INST]", Some(2)),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_card_cannot_make_control_tokens_of_the_presets_text() {
    let preset = story("[INST]{{description}}[/INST]\\{{setvar::s::</s>}}\\{{getvar::s}}");
    for description in
        ["{{instructStop}}", "\\{\\{instructStop\\}\\}", "{{reverse::>s/<}}", "\\{\\{getvar::s\\}\\}", "</s>"]
    {
        let preset =
            Preset { instruct: Instruct { stop_sequence: "</s>".into(), ..preset.instruct.clone() }, ..preset.clone() };
        let scene = Scene { description: description.into(), ..scene() };
        let prompt = preset.with_scene(&scene).unwrap().render(&Chat::default()).unwrap();
        let controls: Vec<_> = prompt.segments().filter(|segment| matches!(segment, Segment::Control(_))).collect();
        assert_eq!(controls.len(), 3, "{description}: {prompt:?}");
    }
}

/// Text that is made of what parsers look for.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{"),
        Just("}}"),
        Just("{"),
        Just("}"),
        Just("#if "),
        Just("/if"),
        Just("else"),
        Just("user"),
        Just("::"),
        Just(":"),
        Just("|"),
        Just("\\"),
        Just("\n"),
        Just("~"),
        Just("!--"),
        Just("--"),
        Just("trim"),
        Just("."),
        Just("$"),
        Just("setvar"),
        Just("[INST]"),
        Just("[/INST]"),
        Just("</s>"),
        Just("<USER>"),
        Just("<START>"),
        Just("\r"),
        Just(" "),
        Just("é"),
        Just("("),
        Just("\""),
        Just("each this"),
        Just("{{description}}"),
        Just("{{#if char}}"),
        Just("{{/if}}"),
        Just("x"),
        Just("$&"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn framing() -> impl Strategy<Value = String> {
    let pieces = ["", "[INST]", "[INST] ", "[/INST]", " ", "</s>", "</s>[INST] ", "### {{name}}:", "[/INST] x"];
    prop::sample::select(pieces.map(str::to_owned).to_vec())
}

proptest! {
    #![proptest_config(arbitrary::cases(72))]

    #[test]
    fn nothing_panics(template in tricky(), sequence in tricky(), description in tricky(), name in tricky(), said in tricky()) {
        let mut preset = story(&template);
        preset.instruct.input_sequence.clone_from(&sequence);
        preset.instruct.last_output_sequence = sequence;
        let settings = SceneSettings { generation: Generation::Impersonate, ..SceneSettings::default() };
        let scene = Scene { user: name, description: description.clone(), examples: description, settings, ..scene() };
        if let Ok(format) = preset.with_scene(&scene) {
            let mut prompt = Prompt::new();
            let messages = [SceneMessage::new(Speaker::User, &scene.user, &said), SceneMessage::new(Speaker::Narrator, "", &said)];
            format.render_messages(&messages, &mut prompt).ok();
        }
    }

    /// A message that is written at once has the spans of one that is written piece by piece, as collapsing newlines
    /// does it; there are none.
    #[test]
    fn what_is_written_at_once_is_what_is_written_by_pieces(
        sequences in prop::collection::vec(framing(), 8),
        said in prop::collection::vec((0..3_usize, "[a-z ]{0,3}"), 0..6),
        generation in prop::sample::select(vec![Generation::Reply, Generation::Continue, Generation::Nothing]),
    ) {
        let mut preset = story("{{description}}");
        preset.context.chat_start.clear();
        let instruct = &mut preset.instruct;
        let fields = [
            &mut instruct.input_sequence,
            &mut instruct.input_suffix,
            &mut instruct.output_sequence,
            &mut instruct.output_suffix,
            &mut instruct.system_sequence,
            &mut instruct.system_suffix,
            &mut instruct.first_output_sequence,
            &mut instruct.last_output_sequence,
        ];
        fields.into_iter().zip(&sequences).for_each(|(field, sequence)| field.clone_from(sequence));
        (instruct.enabled, instruct.wrap) = (true, false);
        let speakers = [Speaker::User, Speaker::Character, Speaker::Narrator];
        let messages: Vec<_> =
            said.iter().map(|(speaker, text)| SceneMessage::new(speakers[*speaker], "", text)).collect();
        let [at_once, by_pieces] = [false, true].map(|collapse_newlines| {
            let settings = SceneSettings { generation: generation.clone(), collapse_newlines, ..SceneSettings::default() };
            let mut prompt = Prompt::new();
            let format = preset.with_scene(&Scene { settings, ..scene() }).unwrap();
            format.render_messages(&messages, &mut prompt).unwrap();
            prompt
        });
        prop_assert_eq!(at_once.spans().collect::<Vec<_>>(), by_pieces.spans().collect::<Vec<_>>());
        prop_assert_eq!(at_once, by_pieces);
    }

    /// Whatever is said, and by whom, the control tokens are those of the preset.
    #[test]
    fn the_skeleton_does_not_change(said in tricky(), name in tricky(), description in tricky(), examples in tricky()) {
        let controls = |said: &str, name: &str, description: &str, examples: &str| {
            let scene = Scene {
                user: format!("U{name}"),
                description: format!("d{description}"),
                examples: format!("<START>\nMia: {examples}"),
                ..scene()
            };
            let mut preset = Builtin::MistralV2V3.preset();
            preset.context.story_string = "{{description}}".into();
            let format = preset.with_scene(&scene).unwrap();
            let chat = Chat::new([Message::assistant("Hi"), Message::user(said.to_owned()), Message::assistant(said.to_owned()), Message::user("x")]);
            let prompt = format.render(&chat).unwrap();
            prompt.segments().filter(|segment| matches!(segment, Segment::Control(_))).map(|s| format!("{s:?}")).collect::<Vec<_>>()
        };
        let plain = examples.replace(['{', '}', '<', '\n', '\\'], "");
        prop_assert_eq!(controls(&said, &name, &description, &plain), controls("a", "b", "c", "d"));
    }
}
