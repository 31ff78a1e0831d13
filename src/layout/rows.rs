//! The rows of the table: every layout, each as what it changes of the one before it.
//!
//! Source: mistral-common 1.13.1, but for [`Layout::MAGNUM`]: the model card of `anthracite-org/magnum-v2-123b`.

use crate::chat::ReasoningEffort;
use std::str::FromStr;

use crate::control::{Control, Vocabulary};
use crate::error::Error;
use crate::layout::{
    CallIds, ChunkKind, ChunkKinds, EffortSetting, Efforts, FimTokens, Frame, History, Layout, Mark, Pairing,
    ResultsPerTurn, RoleChunks, Rules, SchemaSetting, Settings, System, SystemWithAudio, TextAndCalls, Thinking,
    ToolCalls, ToolResults, Truncation, UserTurn, WordStart,
};
use crate::terms::Mode;
use crate::version::{Features, Version, thinks_in_tags};

const TEXT: ChunkKinds = ChunkKinds::of(&[ChunkKind::Text]);
const TEXT_AND_IMAGES: ChunkKinds = TEXT.with(&[ChunkKind::Image, ChunkKind::ImageUrl]);
const TEXT_AND_MEDIA: ChunkKinds = TEXT_AND_IMAGES.with(&[ChunkKind::InputAudio, ChunkKind::AudioUrl]);

const fn tokens(open: Control, close: Control) -> Frame {
    Frame { open: Mark::Control(open), close: Mark::Control(close) }
}

impl Version {
    /// The version's layout, without features.
    ///
    /// ```
    /// use mistral_chat_template::{Layout, Version};
    ///
    /// assert_eq!(Version::V7Tekken.layout(), Layout::V7_TEKKEN);
    /// ```
    #[must_use]
    pub const fn layout(self) -> Layout {
        match self {
            Version::V1 => Layout::V1,
            Version::V1Tekken => Layout::V1_TEKKEN,
            Version::V2 => Layout::V2,
            Version::V2Tekken => Layout::V2_TEKKEN,
            Version::V3 => Layout::V3,
            Version::V3Tekken => Layout::V3_TEKKEN,
            Version::V7 => Layout::V7,
            Version::V7Tekken => Layout::V7_TEKKEN,
            Version::V11 => Layout::V11,
            Version::V13 => Layout::V13,
            Version::V15 => Layout::V15,
            Version::Magnum => Layout::MAGNUM,
        }
    }
}

/// A version's label with its features (`v13+think+image`), or else the name of a model.
///
/// # Errors
///
/// [`ErrorKind::Version`](crate::ErrorKind::Version): no version and no model has the name (`v4`, `llama-3`), or the
/// name does not say which version it is (`mistral-large-latest`).
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::version::Feature;
///
/// assert_eq!("v13+think".parse::<Layout>()?, Layout::V13.with(Feature::Think));
/// assert_eq!("anthracite-org/magnum-v2-123b".parse::<Layout>()?, Layout::MAGNUM);
/// assert!("v4".parse::<Layout>().is_err());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let (version, features) = match Version::parse_label(name) {
            Ok(label) => label,
            Err(unknown) => match (name.contains('+'), Version::from_str(name)) {
                (true, _) => return Err(unknown.into()),
                (false, version) => (version?, Features::NONE),
            },
        };
        let layout = features.iter().fold(version.layout(), Layout::with);
        let thinking = match layout.thinking {
            Thinking::None if thinks_in_tags(name) => Thinking::Tags,
            known => known,
        };
        Ok(Layout { thinking, ..layout })
    }
}

impl Layout {
    /// 7B-v0.1 and -v0.2, Mixtral-8x7B: `[INST]` is text, the system prompt is in the first user turn, and there are
    /// no tools.
    pub const V1: Layout = Layout {
        name: "v1",
        vocabulary: Vocabulary::of(&[Control::Unk, Control::Bos, Control::Eos]),
        features: Features::NONE,
        word_start: WordStart::Space,
        user: Frame { open: Mark::Text("[INST] "), close: Mark::Text(" [/INST]") },
        reply: Frame { open: Mark::Text(""), close: Mark::Control(Control::Eos) },
        system: System::InUser { turn: UserTurn::First, join: "\n\n" },
        tools: None,
        settings: Settings::Unknown,
        calls: ToolCalls::None,
        results: ToolResults::None,
        old_tool_turns: History::Keep,
        trim_reply: false,
        thinking: Thinking::None,
        chunk_join: "\n\n",
        fim: None,
        rules: Rules {
            chunks: RoleChunks { system: TEXT, user: TEXT, assistant: TEXT, tool: TEXT },
            text_and_calls: TextAndCalls::Either,
            call_ids: CallIds::Unchecked,
            pairing: Pairing::ByCount,
            results_per_turn: ResultsPerTurn::Any,
            system_with_audio: SystemWithAudio::Taken,
            truncation: Truncation::Never,
        },
        mode: Mode::Test,
    };

    /// [`V1`](Layout::V1) without the space that SentencePiece sets; no model has it.
    pub const V1_TEKKEN: Layout = Layout { name: "v1-tekken", ..Layout::V1.on_tekken() };

    /// The hosted models of early 2024: `[INST]` is a token, system prompt and tools are at the last user turn, and old
    /// tool turns are dropped.
    pub const V2: Layout = Layout {
        name: "v2",
        vocabulary: Layout::V1.vocabulary.with(&[
            Control::Inst,
            Control::EndInst,
            Control::ToolCalls,
            Control::AvailableTools,
            Control::EndAvailableTools,
            Control::ToolResults,
            Control::EndToolResults,
        ]),
        user: tokens(Control::Inst, Control::EndInst),
        system: System::InUser { turn: UserTurn::Last, join: "\n\n" },
        tools: Some(UserTurn::Last),
        calls: ToolCalls::List,
        results: ToolResults::NamedList,
        old_tool_turns: History::Drop,
        trim_reply: true,
        // Its SentencePiece file has neither token, and a missing piece is the unknown one.
        fim: Some(FimTokens { suffix: Control::Unk, prefix: Control::Unk }),
        rules: Rules { results_per_turn: ResultsPerTurn::One, ..Layout::V1.rules },
        ..Layout::V1
    };

    /// [`V2`](Layout::V2) without the space that SentencePiece sets; no model has it.
    pub const V2_TEKKEN: Layout = Layout { name: "v2-tekken", fim: Layout::V3.fim, ..Layout::V2.on_tekken() };

    /// Large-2407, 8x22B-Instruct, 7B-v0.3, Codestral-22B: calls and results have ids, and history stays.
    pub const V3: Layout = Layout {
        name: "v3",
        vocabulary: Layout::V2.vocabulary.with(&[
            Control::Img,
            Control::ImgBreak,
            Control::ImgEnd,
            Control::Prefix,
            Control::Middle,
            Control::Suffix,
        ]),
        calls: ToolCalls::ListWithIds,
        results: ToolResults::Object,
        old_tool_turns: History::Keep,
        fim: Some(FimTokens { suffix: Control::Suffix, prefix: Control::Prefix }),
        rules: Rules {
            chunks: RoleChunks { user: TEXT_AND_IMAGES, ..Layout::V2.rules.chunks },
            call_ids: CallIds::NineAlphanumeric,
            results_per_turn: ResultsPerTurn::Any,
            ..Layout::V2.rules
        },
        ..Layout::V2
    };

    /// Nemo, Ministral-8B-2410, Pixtral-12B: [`V3`](Layout::V3) without the space that SentencePiece sets.
    pub const V3_TEKKEN: Layout = Layout { name: "v3-tekken", ..Layout::V3.on_tekken() };

    /// Large-2411, Pixtral-Large: system messages are turns of their own, text and calls go together, and results are
    /// written as they are.
    pub const V7: Layout = Layout {
        name: "v7",
        vocabulary: Layout::V3.vocabulary.with(&[
            Control::SystemPrompt,
            Control::EndSystemPrompt,
            Control::ToolContent,
        ]),
        system: System::OwnTurn(tokens(Control::SystemPrompt, Control::EndSystemPrompt)),
        results: ToolResults::IdThenContent,
        rules: Rules {
            chunks: RoleChunks {
                system: TEXT.with(&[ChunkKind::InputAudio, ChunkKind::Thinking]),
                user: TEXT_AND_MEDIA,
                ..Layout::V3.rules.chunks
            },
            text_and_calls: TextAndCalls::Both,
            system_with_audio: SystemWithAudio::Refused,
            truncation: Truncation::OldestFirst,
            ..Layout::V3.rules
        },
        ..Layout::V3
    };

    /// Small-2501, Small-3.1, Voxtral, Devstral-2505: [`V7`](Layout::V7) without the space that SentencePiece sets.
    pub const V7_TEKKEN: Layout = Layout { name: "v7-tekken", ..Layout::V7.on_tekken() };

    /// Small-3.2, Magistral-2506: each call is written by itself, and results go by the calls' ids.
    pub const V11: Layout = Layout {
        name: "v11",
        vocabulary: Layout::V7.vocabulary.with(&[Control::Args, Control::CallId]),
        calls: ToolCalls::NameIdArguments,
        rules: Rules {
            chunks: RoleChunks { assistant: TEXT.with(&[ChunkKind::Thinking]), ..Layout::V7.rules.chunks },
            pairing: Pairing::ById,
            system_with_audio: SystemWithAudio::OnlyByUrl,
            ..Layout::V7.rules
        },
        ..Layout::V7_TEKKEN
    };

    /// Magistral-2507, Ministral-3, Large-3, Devstral 2: tools are at the first user turn, ids are not written, and
    /// there is thinking.
    pub const V13: Layout = Layout {
        name: "v13",
        tools: Some(UserTurn::First),
        calls: ToolCalls::NameArguments,
        results: ToolResults::Content,
        thinking: Thinking::Tokens,
        rules: Rules { call_ids: CallIds::NotEmpty, system_with_audio: SystemWithAudio::Taken, ..Layout::V11.rules },
        ..Layout::V11
    };

    /// Small-4, Medium-3.5: settings stand in the prompt, chunks join with nothing, and results can hold media.
    ///
    /// The settings are those of the released files: an effort of `none` or `high`.
    pub const V15: Layout = Layout {
        name: "v15",
        vocabulary: Layout::V13.vocabulary.with(&[Control::ModelSettings, Control::EndModelSettings]),
        settings: Settings::Block {
            effort: Some(EffortSetting {
                values: Efforts::of(&[ReasoningEffort::None, ReasoningEffort::High]),
                default: ReasoningEffort::None,
            }),
            schema: SchemaSetting::NotPrinted,
        },
        chunk_join: "",
        rules: Rules {
            chunks: RoleChunks {
                system: TEXT.with(&[ChunkKind::InputAudio]),
                tool: TEXT_AND_MEDIA,
                ..Layout::V13.rules.chunks
            },
            ..Layout::V13.rules
        },
        ..Layout::V13
    };

    /// `anthracite-org/magnum-v2-123b`: [`V3`](Layout::V3) with the system prompt in the first user turn, joined by a
    /// newline.
    pub const MAGNUM: Layout =
        Layout { name: "magnum", system: System::InUser { turn: UserTurn::First, join: "\n" }, ..Layout::V3 };

    /// This layout on the Tekken tokenizer, whose vocabulary has the tokens of fill in the middle from the start.
    const fn on_tekken(self) -> Layout {
        Layout { word_start: WordStart::Nothing, ..self }
    }
}
