//! The templates that are written for the layouts, rendered by `ChatTemplate`, against the layouts over every golden.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mistral_chat_template::chat::ArgumentsForm;
use mistral_chat_template::python_json::reformat;
use mistral_chat_template::{Chat, ChatTemplate, Chunk, Content, Format, Layout, Message, Mode};

use serde::Deserialize;

use mistral_chat_template::template::GenerationMarks;

use crate::support::case::{Case, dialect};

/// What a template cannot express of a chat, by kind.
fn inexpressible(case: &Case, chat: &Chat<'_>) -> Option<&'static str> {
    let reformatted = |text: &str| {
        let mut out = String::new();
        if text.is_empty() {
            out.push_str("{}")
        } else {
            reformat(text, &mut out).ok()?
        };
        Some(out)
    };
    let last = chat.messages.len().saturating_sub(1);
    let json_results = case.version.starts_with("v2") || case.version.starts_with("v3") || case.version == "magnum";
    for (index, message) in chat.messages.iter().enumerate() {
        match message {
            Message::Assistant(message) => {
                if message.weight.is_some() && case.finetuning_messages {
                    return Some("weights, which part turns");
                }
                for call in &message.tool_calls {
                    let text = call.arguments_form == ArgumentsForm::Text && !call.arguments.is_empty();
                    if text && reformatted(&call.arguments).as_deref() != Some(&*call.arguments) {
                        return Some("arguments sent as text that is not JSON as Python writes it");
                    }
                    if index == last && call.id.is_none() {
                        return Some("calls without an id in the last message, for fine-tuning");
                    }
                    if call.name.ends_with('\n') || call.id.as_deref().is_some_and(|id| id.ends_with('\n')) {
                        return Some("a newline at the end of a name or an id, which Python lets through");
                    }
                }
                let text = message.content == Content::from("")
                    || !matches!(&message.content, Content::Text(text) if text.trim_end() == text);
                let thinks = matches!(&message.content, Content::Chunks(chunks) if !matches!(chunks.last(), Some(Chunk::Text(_))));
                if message.prefix && (!message.tool_calls.is_empty() || text || thinks) {
                    return Some("a message to be continued that ends with calls, thinking or white space");
                }
            }
            Message::Tool(message) if json_results => {
                let text = match &message.content {
                    Content::Text(text) => text.to_string(),
                    Content::Chunks(chunks) => {
                        let texts = chunks.iter().filter_map(|chunk| match chunk {
                            Chunk::Text(text) if !text.is_empty() => Some(&**text),
                            _ => None,
                        });
                        texts.collect::<Vec<_>>().join("\n\n")
                    }
                };
                let looks = text.trim_start().starts_with(['{', '[', '"']) || reformatted(&text).is_some();
                if looks && !text.is_empty() && reformatted(&text).as_deref() != Some(&*text) {
                    return Some("results of v2 and v3 that look like JSON and are not JSON as Python writes it");
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn every_golden_that_a_template_can_express() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/mistral_common");
    let (mut templates, mut differences, mut same, mut kinds) = (BTreeMap::new(), Vec::new(), 0, BTreeMap::new());
    for file in fs::read_dir(folder).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let case = Case::parse(line);
            let kind = case.kind.as_deref();
            if case.segments.is_none() || matches!(kind, Some("fim" | "instruct")) || case.max_model_input_len.is_some()
            {
                continue;
            }
            // What is typed: a template that is shown the JSON itself sees fields that no layout reads.
            let chat = Chat { sent: None, ..Chat::read(case.request.get(), dialect(&case)).unwrap() };
            if let Some(kind) = inexpressible(&case, &chat) {
                *kinds.entry(kind).or_insert(0) += 1;
                continue;
            }
            let layout = Layout { mode: Mode::Agnostic, ..case.layout() };
            let template = templates
                .entry(format!("{layout:?}"))
                .or_insert_with(|| ChatTemplate::new(&layout.chat_template()).unwrap());
            match template.render(&chat) {
                Ok(prompt) if prompt.as_str() == case.printed() => same += 1,
                Ok(prompt) => {
                    differences.push(format!(
                        "{}\nprinted  {:?}\nexpected {:?}",
                        case.id,
                        prompt.as_str(),
                        case.printed()
                    ));
                }
                Err(error) => differences.push(format!("{}\n{error}\nexpected {:?}", case.id, case.printed())),
            }
        }
    }
    println!("{same} the same, through {} templates; a template cannot express {kinds:#?}", templates.len());
    let shown: Vec<_> = differences.iter().take(30).cloned().collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), shown.join("\n\n"));
    assert!(same > 2_000, "{same}");
}

/// A line of `tests/goldens/template/written.jsonl`.
#[derive(Deserialize)]
struct Small {
    name: String,
    layout: String,
    request: Box<serde_json::value::RawValue>,
    #[serde(default)]
    string: Option<String>,
    #[serde(default)]
    refused: String,
}

/// What minijinja by itself prints: no methods of Python's, a `tojson` for web pages, no extension.
fn in_minijinja(template: &str, request: &str) -> Result<String, String> {
    let mut environment = minijinja::Environment::new();
    environment.add_function("raise_exception", |message: String| -> Result<String, minijinja::Error> {
        Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message))
    });
    let request: minijinja::Value = serde_json::from_str(request).unwrap();
    let given = minijinja::context! { bos_token => "<s>", eos_token => "</s>", ..request };
    environment.render_str(template, given).map_err(|error| error.to_string())
}

#[test]
fn small_cases_in_minijinja_and_ours() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/written.jsonl");
    for line in fs::read_to_string(path).unwrap().lines() {
        let small: Small = serde_json::from_str(line).unwrap();
        let layout: Layout = small.layout.parse().unwrap();
        for marks in [GenerationMarks::Written, GenerationMarks::Left] {
            let template = layout.chat_template_with(marks);
            let json = small.request.get();
            let ours = ChatTemplate::new(&template).unwrap().render(&Chat::from_json(json).unwrap());
            let ours = ours.map(|prompt| prompt.as_str().to_owned()).map_err(|error| {
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
            });
            let mut results = vec![ours];
            if marks == GenerationMarks::Left {
                results.push(in_minijinja(&template, json));
            }
            for result in results {
                match (&small.string, result) {
                    (Some(expected), result) => assert_eq!(result.as_ref(), Ok(expected), "{}", small.name),
                    (None, Ok(printed)) => panic!("{}: {printed}", small.name),
                    (None, Err(said)) => assert!(said.contains(&small.refused), "{}: {said}", small.name),
                }
            }
        }
    }
}

/// A row of one's own is written as it renders, but for what Jinja cannot read.
#[test]
fn rows_of_ones_own_are_written_as_they_render() {
    use mistral_chat_template::layout::{
        ChunkKind, ChunkKinds, Frame, Mark, RoleChunks, Rules, ToolCalls, ToolResults,
    };
    use mistral_chat_template::version::Feature;

    let media = |layout: Layout| layout.with(Feature::Image).with(Feature::Audio).with(Feature::Think);
    let user = |kind: ChunkKind| {
        let chunks = RoleChunks { user: ChunkKinds::of(&[ChunkKind::Text, kind]), ..Layout::V13.rules.chunks };
        Layout { rules: Rules { chunks, ..Layout::V13.rules }, trim_reply: false, ..media(Layout::V13) }
    };
    let image = || Chunk::Image("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7".into());
    let sound = || Chunk::InputAudio("UklGRg==".into());
    let of = |chunks: Vec<Chunk<'static>>| Chat::new([Message::user(chunks)]);
    let chats = [
        of(vec![image(), Chunk::text("a")]),
        of(vec![Chunk::text("a"), image(), Chunk::text("b")]),
        of(vec![Chunk::image_url("https://a.b/c.png"), Chunk::text("b")]),
        of(vec![sound(), Chunk::text("b")]),
        of(vec![Chunk::AudioUrl("https://a.b/c.wav".into()), Chunk::text("b")]),
        Chat::new([Message::user("a"), Message::assistant("b "), Message::user(vec![image()])]),
        Chat::new([
            Message::user("a"),
            Message::assistant(vec![Chunk::thinking("t"), Chunk::text("b ")]),
            Message::user("c"),
        ]),
    ];
    for layout in [
        Layout { tools: None, ..Layout::V3 },
        Layout { tools: None, ..Layout::V13 },
        Layout { calls: ToolCalls::None, results: ToolResults::None, ..Layout::V3 },
        Layout { calls: ToolCalls::None, results: ToolResults::None, ..Layout::V7_TEKKEN },
        Layout { trim_reply: true, ..Layout::V13 },
        Layout { trim_reply: false, ..Layout::V3_TEKKEN },
        media(Layout::V13),
        user(ChunkKind::Image),
        user(ChunkKind::ImageUrl),
        user(ChunkKind::InputAudio),
        user(ChunkKind::AudioUrl),
        Layout { user: Frame { open: Mark::Text(""), close: Mark::Text("\n") }, ..Layout::V7 },
    ] {
        let template = ChatTemplate::new(&layout.chat_template()).unwrap();
        for difference in template.compare(&layout).differences {
            // A question of no text has no run that a space could begin.
            let known = ["a call whose arguments are written close", "an empty question"];
            assert!(known.contains(&&*difference.probe), "{layout:?}: {difference:#?}");
        }
        for chat in &chats {
            let ours = layout.render(chat).map(|prompt| prompt.into_string());
            let written = template.render(chat).map(|prompt| prompt.into_string());
            assert_eq!(written.as_ref().ok(), ours.as_ref().ok(), "{} {chat:?}: {written:?} {ours:?}", layout.name);
        }
    }
}
