//! koboldcpp's adapters and LM Studio's presets: read, compared, mended and written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use mistral_chat_template::layout::{Frame, Mark};
use mistral_chat_template::preset::{
    Adapter, DifferenceKind, FileKind, Scene, SceneMessage, Speaker, ollama_modelfile,
};
use mistral_chat_template::{Chat, Format, Layout, Message, Preset, Prompt, Version};

use crate::support::program::{failed, printed, run};

/// The two for Mistral in koboldcpp's `AutoGuess.json`.
const GUESSES: &str = r#"[
    {"search": ["[/INST]", "[SYSTEM_PROMPT]"], "name": "Mistral Tekken", "adapter": {
        "system_start": "[SYSTEM_PROMPT]", "system_end": "[/SYSTEM_PROMPT]", "user_start": "[INST]", "user_end": "",
        "assistant_start": "[/INST]", "assistant_end": "</s>"}},
    {"search": ["[/INST]"], "name": "Mistral Non-Tekken", "adapter": {
        "system_start": "[INST] ", "system_end": "[/INST]", "user_start": "[INST] ", "user_end": "",
        "assistant_start": "[/INST] ", "assistant_gen": "[/INST]", "assistant_end": "</s>"}}
]"#;

/// What koboldcpp makes of a chat: each message between its two texts, and then what begins a reply.
fn by_koboldcpp(adapter: &Adapter, system: &str, turns: &[(&str, &str)], last: &str) -> String {
    let Adapter { system_start, system_end, user_start, user_end, assistant_start, assistant_end, .. } = adapter;
    let mut prompt = String::new();
    if !system.is_empty() {
        prompt += &[system_start, system, system_end].concat();
    }
    for (question, answer) in turns {
        prompt += &[user_start, *question, user_end, assistant_start, *answer, assistant_end].concat();
    }
    let end = adapter.assistant_gen.as_ref().unwrap_or(assistant_start);
    prompt + &[user_start, last, user_end, end].concat()
}

fn adapters() -> Vec<Adapter> {
    let listed = Adapter::list(GUESSES).unwrap().into_iter().map(|(_, adapter)| adapter);
    let own = Adapter::for_layout(&Layout::V7).unwrap();
    listed
        .chain([own, Adapter::default(), Adapter { assistant_gen: Some(String::new()), ..Adapter::default() }])
        .collect()
}

#[test]
fn an_adapters_preset_sends_what_koboldcpp_does() {
    for adapter in adapters() {
        for system in ["Be kind.", ""] {
            let expected = by_koboldcpp(&adapter, system, &[("Hi", "Hello"), ("?", "!")], "Bye");
            let talk = [("Hi", "Hello"), ("?", "!")];
            let mut messages: Vec<Message> = Vec::new();
            messages.extend(Some(Message::system(system)).filter(|_| !system.is_empty()));
            messages.extend(
                talk.iter().flat_map(|(question, answer)| [Message::user(*question), Message::assistant(*answer)]),
            );
            messages.push(Message::user("Bye"));
            let sent = adapter.preset().with_scene(&Scene::default()).unwrap().render(&Chat::new(messages)).unwrap();
            assert_eq!(sent.as_str(), expected);
        }
    }
}

#[test]
fn an_adapter_is_compared_and_mended() {
    for layout in [Layout::V7, Layout::V7_TEKKEN, Layout::V11, Layout::V13, Layout::V3_TEKKEN, Layout::MAGNUM] {
        for adapter in adapters() {
            let mended = adapter.mended(&layout).unwrap();
            assert!(mended.compare(&layout).unwrap().differences.is_empty(), "{}: {mended:?}", layout.name);
        }
    }
    let (_, tekken) = &Adapter::list(GUESSES).unwrap()[0];
    let report = tekken.compare(&Layout::V7_TEKKEN).unwrap();
    let kinds: Vec<_> = report.differences.iter().map(|difference| difference.kind).collect();
    assert_eq!(kinds, [DifferenceKind::Greeting], "a chat that begins with a reply has no [/INST] before it");
    let spaced = Adapter { user_start: "[INST] ".into(), ..Adapter::for_layout(&Layout::V7_TEKKEN).unwrap() };
    let mends: Vec<_> = spaced.compare(&Layout::V7_TEKKEN).unwrap().mends().map(ToString::to_string).collect();
    assert_eq!(mends, [r#"user_start: "[INST] " -> "[INST]""#]);
}

#[test]
fn a_later_system_message_has_the_texts_of_the_first() {
    let (_, adapter) = &Adapter::list(GUESSES).unwrap()[0];
    let chat = Chat::new([Message::user("Hi"), Message::system("Be kind."), Message::user("Bye")]);
    let sent = adapter.preset().with_scene(&Scene::default()).unwrap().render(&chat).unwrap();
    assert_eq!(sent.as_str(), "[INST]Hi[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Bye[/INST]");
}

#[test]
fn an_adapters_preset_writes_and_stops_at_nothing_of_its_own() {
    let preset = Adapter::for_layout(&Layout::V7_TEKKEN).unwrap().preset();
    assert_eq!((&*preset.context.name, &*preset.instruct.name), ("koboldcpp", "koboldcpp"));
    assert!(!preset.context.use_stop_strings);
    let scene = Scene {
        examples: "<START>\nAssistant: Hi\n<START>\nAssistant: Ho".into(),
        group: vec!["Mia".into(), "Ann".into()],
        ..Scene::default()
    };
    let mut sent = Prompt::new();
    let said = [SceneMessage::new(Speaker::User, "Rex", "q"), SceneMessage::new(Speaker::Character, "Ann", "a")];
    preset.with_scene(&scene).unwrap().render_messages(&said, &mut sent).unwrap();
    assert!(!sent.as_str().contains("***") && !sent.as_str().contains("Ann"), "{}", sent.as_str());
    assert!(sent.stop_strings().is_empty());
}

#[test]
fn what_is_not_known_of_an_adapter_stays_in_it() {
    let adapter = Adapter::list(r#"[{"search": [], "name": "A", "adapter": {"user_start": "<", "tools_start": "!"}}]"#);
    let (_, adapter) = &adapter.unwrap()[0];
    let mended = adapter.mended(&Layout::V7_TEKKEN).unwrap();
    assert!(mended.to_json().contains(r#""tools_start": "!""#), "{}", mended.to_json());
}

#[test]
fn a_layout_without_a_system_turn_has_no_adapter() {
    let sentence = Adapter::for_layout(&Layout::MAGNUM).unwrap_err().to_string();
    assert!(sentence.contains("koboldcpp opens each message by itself (magnum)"), "{sentence}");
    let report = Adapter::default().compare(&Layout::MAGNUM).unwrap();
    assert!(report.dead_end.is_some());
}

#[test]
fn the_files_are_told_apart() {
    let mut preset = Preset::default();
    let adapter = Adapter::for_layout(&Layout::V7_TEKKEN).unwrap();
    assert_eq!(preset.load(&adapter.to_json()).unwrap(), FileKind::KoboldCpp);
    assert_eq!(preset, adapter.preset());
    let studio = r#"{"name": "Mistral", "inference_params": {"input_prefix": "[INST] ", "input_suffix": "[/INST]",
        "antiprompt": ["[INST]"], "pre_prompt": "Be kind.", "pre_prompt_prefix": "<<", "pre_prompt_suffix": ">>"}}"#;
    assert_eq!(preset.load(studio).unwrap(), FileKind::LmStudio);
    let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello"), Message::user("Bye")]);
    let sent = preset.with_scene(&Scene::default()).unwrap().render(&chat).unwrap();
    assert_eq!(sent.as_str(), "<<Be kind.>>[INST] Hi[/INST]Hello[INST] Bye[/INST]");
    assert_eq!(sent.stop_strings(), ["[INST]"]);
    assert_eq!(preset.system.as_ref().map(|system| &*system.name), Some("Mistral"));
    let late = Chat::new([Message::user("Hi"), Message::system("Be brief.")]);
    let sent = preset.with_scene(&Scene::default()).unwrap().render(&late).unwrap();
    assert_eq!(sent.as_str(), "<<Be kind.>>[INST] Hi[/INST]<<Be brief.>>");
}

#[test]
fn what_is_no_json_is_named() {
    for (text, looks) in [
        ("```json\n{}\n```", "a code fence: only what stands between its ``` lines is the file"),
        (
            "instruction_template: |-\n  {% for m in messages %}",
            "an instruction template of text-generation-webui in YAML, whose text is a `ChatTemplate`",
        ),
        ("FROM mistral\nTEMPLATE \"x\"", "a Modelfile of Ollama"),
        ("{% for m in messages %}", "a Jinja template, which is a `ChatTemplate`"),
        ("<!doctype html>", "a web page"),
        ("GGUF\u{3}\0\0\0", "a model in GGUF"),
        ("story: x\nwrap: true", "YAML"),
        ("", "an empty file"),
        (GUESSES, "a list of koboldcpp's adapters, which are read by name (`Adapter::list`)"),
    ] {
        let error = Preset::default().load(text).unwrap_err().to_string();
        assert_eq!(error, format!("not a context, instruct or system prompt preset, but {looks}"), "{text}");
    }
}

/// An instruction template of text-generation-webui is a Jinja template in YAML.
#[test]
fn an_instruction_template_of_a_web_interface_is_a_template() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instruction_templates");
    fs::create_dir_all(&folder).unwrap();
    let found = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        run("which_layout", &[path], "")
    };
    let jinja = include_str!("../templates/first_instruct.jinja");
    let block: String = jinja.lines().flat_map(|line| ["  ", line, "\n"]).collect();
    let layout = found("template.jinja", jinja);
    for yaml in [
        format!("instruction_template: |-\n{block}"),
        format!("name: mine\ninstruction_template: |\n{block}\nother: x\n"),
        format!("instruction_template: {}\n", serde_json::Value::from(jinja)),
    ] {
        assert_eq!(printed(&found("template.yaml", &yaml)), printed(&layout), "{yaml}");
    }
    let old = found("old.yaml", "user: \"\"\nturn_template: \"[INST] <|user-message|> [/INST]\"\n");
    let (_, sentence) = failed(&old);
    assert!(sentence.contains("a `turn_template` of text-generation-webui before 2024 is not Jinja"), "{sentence}");
}

/// `tests/ollama/check.py` renders what is written with Go itself.
#[test]
fn a_modelfile_has_the_layouts_frames() {
    let modelfile = ollama_modelfile(&Layout::MAGNUM, "magnum.gguf").unwrap();
    assert!(modelfile.starts_with("FROM magnum.gguf\n"));
    let user = r#"{{ "[INST] " }}{{ if and $.System (eq $i $first) }}{{ $.System }}{{ "\n" }}{{ end }}{{ $m.Content }}{{ "[/INST]" }}"#;
    assert!(modelfile.contains(user), "{modelfile}");
    assert!(!ollama_modelfile(&Layout::V1, ".").unwrap().contains("Tools"), "v1 has none");
    let last = ollama_modelfile(&Layout::V3_TEKKEN, ".").unwrap();
    assert!(
        last.contains("{{ if and $.System (eq $i $last) }}") && last.contains("{{ if and $.Tools (eq $i $last) }}")
    );
    assert!(ollama_modelfile(&Layout::V15, ".").is_err());
    for (close, stop) in [("###", "###"), ("\n", "</s>"), ("", "</s>")] {
        let reply = Frame { open: Mark::Text(""), close: Mark::Text(close) };
        let modelfile = ollama_modelfile(&Layout { reply, ..Layout::MAGNUM }, ".").unwrap();
        assert!(modelfile.ends_with(&format!("PARAMETER stop \"{stop}\"\n")), "{modelfile}");
    }
}

/// The Modelfile of each layout, or why it has none, is the golden one.
#[test]
fn each_layout_has_its_modelfile() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/modelfiles.json");
    let goldens: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut written = serde_json::Map::new();
    for layout in Version::ALL.iter().map(|version| version.layout()) {
        let modelfile = ollama_modelfile(&layout, ".").unwrap_or_else(|error| error.to_string());
        written.insert(layout.name.to_owned(), modelfile.into());
    }
    assert_eq!(goldens, serde_json::Value::Object(written));
}
