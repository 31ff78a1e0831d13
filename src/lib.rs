//! Chats into Mistral prompts, byte for byte and token for token as Mistral's own library lays them out.
#![forbid(unsafe_code)]

pub mod python_json;

mod chat;
mod check;
mod control;
mod error;
mod fim;
mod format;
mod image;
mod json_schema;
mod layout;
mod layouts;
mod marking;
mod normalize;
mod prompt;
mod render;
mod tokenizer;
mod version;

pub use crate::chat::{
    AssistantMessage, Chat, Chunk, Content, Dialect, Json, Message, ReasoningEffort, ResponseFormat, ResponseSchema,
    Role, Tool, ToolCall, ToolMessage,
};
pub use crate::check::Mode;
pub use crate::control::{Control, Vocabulary};
pub use crate::error::{Error, ErrorKind, Family};
pub use crate::fim::Fim;
pub use crate::format::Format;
pub use crate::image::{Grid, ImageConfig, ImageError, ImageToken, data_url_image, dimensions};
pub use crate::layout::{
    CallIds, ChunkKind, ChunkKinds, EffortSetting, Efforts, FimTokens, Frame, History, Layout, Mark, Pairing,
    ResultsPerTurn, RoleChunks, Rules, SchemaSetting, Settings, System, SystemWithAudio, TextAndCalls, Thinking,
    ToolCalls, ToolResults, Truncation, UserTurn, WordStart,
};
pub use crate::normalize::Conversation;
pub use crate::prompt::{Media, Prompt, Segment, Span, SpanKind};
pub use crate::tokenizer::Tokenizer;
pub use crate::version::{Certainty, DetectError, Detection, Feature, Features, Version};

mod preset;
pub use crate::preset::{
    BuiltinPreset, ContextPreset, DifferenceKind, Generation, Injection, InjectionPlace, InjectionRole, InstructPreset,
    Mend, NamesBehavior, Preset, PresetDifference, PresetFile, PresetFormat, PresetReport, QuietVoice, Scene,
    SceneMessage, SceneSettings, Speaker, StoryPosition, SystemPreset, UnknownFields,
};
