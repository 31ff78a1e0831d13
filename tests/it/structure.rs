//! What holds of the types and of every format: spans tile, normal forms stay, threads share, an error is one word.

use std::borrow::Cow;
use std::thread;

use mistral_chat_template::chat::*;
use mistral_chat_template::completion::*;
use mistral_chat_template::conversation::*;
use mistral_chat_template::error::*;
use mistral_chat_template::explain::*;
use mistral_chat_template::image::*;
use mistral_chat_template::layout::*;
use mistral_chat_template::preset::*;
use mistral_chat_template::prompt::*;
use mistral_chat_template::render::*;
use mistral_chat_template::repair::*;
use mistral_chat_template::train::*;
use mistral_chat_template::version::*;
use mistral_chat_template::*;
use proptest::prelude::*;

use crate::public_api::sources;
use crate::support::arbitrary;

/// Names the types, and compiles only where each of them can be sent to and shared between threads.
macro_rules! shared {
    ($($shared:ty),+ $(,)?) => {
        const SHARED: &[&str] = &[$(stringify!($shared)),+];
        const _: () = {
            const fn is_shared<T: Send + Sync>() {}
            $(is_shared::<$shared>();)+
        };
    };
}

shared![
    Adapter,
    Recognised,
    Request<'static>,
    Mended<'static>,
    Renamed,
    ReplyEvent,
    ReplyEvents,
    ReplyHead<'static>,
    ArgumentsForm,
    AssistantMessage<'static>,
    BreakCause,
    Builtin,
    DeadEnd,
    Weight,
    CallDeltas,
    Clock,
    CallIds,
    Certainty,
    Chat<'static>,
    Chunk<'static>,
    ChunkKind,
    ChunkKinds,
    CallMode,
    ToolChoice<'static>,
    Completion,
    CompletionReader,
    Content<'static>,
    Context,
    Conversation<'static>,
    ApiError,
    Fault,
    OwnedChat,
    Window,
    Rest<'static>,
    EncodedSegment<'static>,
    Medium<'static>,
    Move,
    NoTokenizer,
    Update,
    Control,
    CheckedChat<'static, 'static>,
    Delta,
    DetectError,
    Detection,
    Deviation,
    DeviationKind,
    Dialect,
    DummyPrefix,
    DifferenceKind,
    Divergence,
    DivergenceKind,
    Drift,
    EffortSetting,
    Efforts,
    EmptyReplies,
    FinishReason,
    Finished,
    Error,
    ErrorKind,
    Explanation<'static>,
    Family,
    Feature,
    Features,
    Fim<'static>,
    FimTokens,
    Fitted<'static>,
    ForeignMedia,
    ForeignThinking,
    Frame,
    Generation,
    Grid,
    History,
    ImageConfig,
    ImageError,
    ImageToken,
    Injection,
    InjectionPlace,
    InjectionRole,
    Instruct,
    Json<'static>,
    Labelled,
    LastReply,
    LateSystem,
    Layout,
    Leniency,
    Liberty,
    LibertyKind,
    Learn<'static>,
    Mark,
    Mask<'static>,
    Media,
    Mend,
    Message<'static>,
    Mode,
    NamesBehavior,
    NewCallIds,
    NewDeltas<'static>,
    OpenCalls,
    Pairing,
    PrefixBreak,
    Preset,
    Difference,
    FileKind,
    SceneFormat,
    Report,
    Prompt,
    QuietVoice,
    ReasoningEffort,
    Repair,
    RepairKind,
    RepairPolicy,
    Repaired<'static>,
    ResponseFormat<'static>,
    ResponseSchema<'static>,
    ResultsPerTurn,
    Role,
    RoleChunks,
    Rules,
    Scene,
    SceneMessage<'static>,
    SceneSettings,
    SchemaSetting,
    Segment<'static>,
    Sent<'static>,
    Settings,
    Stray,
    StrayFate,
    Span,
    SpanKind,
    Speaker,
    StopCause,
    StopFound,
    StoryPosition,
    StrayResults,
    System,
    SystemPrompt,
    SystemWithAudio,
    TextAndCalls,
    TextBesideCalls,
    Thinking,
    Tool<'static>,
    ToolCall<'static>,
    ToolCallDelta,
    ToolCallEnd,
    ToolCalls,
    ToolMessage<'static>,
    TokenizerKind,
    ToolResults,
    Truncation,
    UnknownFields,
    UserTurn,
    Version,
    Vocabulary,
    WordStart,
    python_json::JsonError,
    python_json::JsonErrorKind,
    json_schema::PatternError,
    json_schema::Problem,
    json_schema::SchemaError,
    grammar::Grammar,
    grammar::LarkStyle,
    grammar::Part,
    grammar::Rule,
    grammar::Shape,
    grammar::TextKind,
    grammar::Times,
    LearntTurns,
    Marks,
    Notes,
    Nulls,
    Packed,
    Packer,
    Row<'static>,
    RowField,
    RowReader,
    ThinkTags,
    TrainingPolicy,
    UnknownPolicy,
];

mod template_types {
    use mistral_chat_template::template::*;

    shared![
        ChatTemplate,
        ClockTime,
        Comparison,
        Difference,
        Engine,
        GenerationMarks,
        GenerationPrompt,
        Lint,
        LintKind,
        ModelFiles,
        NearestLayout,
        Said,
        TemplateLimits,
        TemplateRaised,
    ];

    pub(super) const NAMES: &[&str] = SHARED;
}

/// The public types: a lint refuses `pub` where a name cannot be reached.
fn public_types() -> Vec<String> {
    let mut names = Vec::new();
    for (_, text) in sources() {
        let items = text.lines().filter_map(|line| line.strip_prefix("pub ")?.split_once(' '));
        let types = items.filter(|(sort, _)| ["struct", "enum"].contains(sort));
        names
            .extend(types.filter_map(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned)));
    }
    names
}

#[test]
fn every_public_type_crosses_threads() {
    let listed = [SHARED, template_types::NAMES].concat();
    let is_listed = |name: &String| listed.iter().any(|listed| listed.split([' ', '<', ':']).any(|part| part == name));
    let unlisted: Vec<_> = public_types().into_iter().filter(|name| !is_listed(name)).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
    assert!(public_types().len() > 100);
}

#[test]
fn an_error_is_one_word() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
}

/// Neighbours of one role as one message, their texts joined as the layouts join them: a chat's normal form, of text.
fn joined(chat: &Chat<'_>) -> Chat<'static> {
    let mut messages: Vec<Message<'static>> = Vec::new();
    for message in chat.clone().into_owned().messages {
        match (messages.last_mut(), message) {
            (Some(Message::User(Content::Text(before))), Message::User(Content::Text(text))) => {
                *before = Cow::Owned(format!("{before}\n\n{text}"));
            }
            (_, message) => messages.push(message),
        }
    }
    Chat { messages, ..chat.clone().into_owned() }
}

/// Texts that no layout trims away or merges with what is empty.
fn spoken() -> BoxedStrategy<Chat<'static>> {
    let text = "[a-z]{1,5}( [a-z]{1,5})?";
    let turn = prop_oneof![3 => text.prop_map(Message::user), 2 => text.prop_map(Message::assistant)];
    (proptest::option::of(text.prop_map(Message::system)), proptest::collection::vec(turn, 0..9), text)
        .prop_map(|(system, turns, last)| Chat::new(system.into_iter().chain(turns).chain([Message::user(last)])))
        .boxed()
}

/// Formats that are not layouts.
fn other_formats() -> Vec<(String, Box<dyn Format + Sync>)> {
    let scene = Scene { user: "Rex".into(), char: "Mia".into(), description: "A cat.".into(), ..Scene::default() };
    let mut formats: Vec<(String, Box<dyn Format + Sync>)> = Vec::new();
    for layout in [Layout::V3, Layout::V7, Layout::MAGNUM] {
        if let Ok(preset) = Preset::for_layout(&layout) {
            formats.push((format!("preset of {}", layout.name), Box::new(preset.with_scene(&scene).unwrap())));
        }
        formats.push((
            format!("template of {}", layout.name),
            Box::new(ChatTemplate::new(&layout.chat_template()).unwrap()),
        ));
    }
    formats
}

proptest! {
    #![proptest_config(arbitrary::cases(50))]

    #[test]
    fn a_normal_form_stays(chat in spoken()) {
        let once = joined(&chat);
        prop_assert_eq!(&joined(&once), &once);
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(Mode::Agnostic);
            let prompt = layout.render(&chat).unwrap();
            let same = layout.render(&once).unwrap();
            prop_assert_eq!(same.as_str(), prompt.as_str(), "{}", layout.name);
            let explanation = Explanation::new(prompt.as_str(), &layout);
            prop_assert!(explanation.deviations.is_empty(), "{}: {:?}", layout.name, explanation.deviations);
            let again = layout.render(&explanation.chat).unwrap();
            prop_assert_eq!(again.as_str(), prompt.as_str(), "{}", layout.name);
        }
    }

    #[test]
    fn spans_of_presets_and_templates_tile_the_prompt(chat in arbitrary::chat()) {
        for (name, format) in other_formats() {
            let Ok(prompt) = format.render(&chat) else { continue };
            let mut end = 0;
            for span in prompt.spans() {
                prop_assert_eq!(span.range.start, end, "{}", name);
                prop_assert!(span.range.end > span.range.start, "{}", name);
                end = span.range.end;
                let text = &prompt.as_str()[span.range.clone()];
                if let SpanKind::Control(control) = span.kind {
                    prop_assert_eq!(text, control.as_str(), "{}", name);
                }
            }
            prop_assert_eq!(end, prompt.as_str().len(), "{}", name);
        }
    }
}

/// Eight threads that render the same chats with one format at a time give what one thread gives.
fn assert_is_shared(name: &str, format: &(dyn Format + Sync), chats: &[Chat<'_>]) {
    let alone: Vec<Prompt> = chats.iter().map(|chat| format.render(chat).unwrap()).collect();
    thread::scope(|scope| {
        let together = |_| {
            scope.spawn(|| {
                let mut prompt = Prompt::new();
                for (chat, alone) in chats.iter().zip(&alone).cycle().take(20 * chats.len()) {
                    format.render_into(chat, &mut prompt).unwrap();
                    assert_eq!(&prompt, alone, "{name}");
                }
            })
        };
        let threads: Vec<_> = (0..8).map(together).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn eight_threads_share_a_format() {
    let exchange = |index: usize| [Message::user(format!("Question {index}")), Message::assistant("Reply[/INST]")];
    let chat = |count: usize| {
        let system = Message::system("Be kind.");
        Chat::new([system].into_iter().chain((0..count).flat_map(exchange)).chain([Message::user("</s>")]))
    };
    let chats: Vec<_> = [0, 1, 5, 20].map(chat).into();
    for version in Version::ALL {
        assert_is_shared(version.name(), &version.layout(), &chats);
    }
    let formats = other_formats();
    assert!(formats.len() >= 2);
    for (name, format) in &formats {
        assert_is_shared(name, &**format, &chats);
    }
}
