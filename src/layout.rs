//! How a version lays a chat out, as data: [`Layout`] is a row, and each field names one thing in which versions differ.
//!
//! ```
//! use mistral_chat_template::layout::{System, UserTurn};
//! use mistral_chat_template::{Chat, Format, Layout, Message};
//!
//! // Rows are found by the label of a version or the name of a model.
//! assert_eq!("v3".parse::<Layout>()?, Layout::V3);
//!
//! // A row of your own is another row, and what differs.
//! let mine = Layout { system: System::InUser { turn: UserTurn::First, join: "\n" }, ..Layout::V3 };
//! let chat = Chat::new([Message::system("Be brief."), Message::user("Hi")]);
//! assert_eq!(mine.render(&chat)?.as_str(), "<s>[INST] Be brief.\nHi[/INST]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::chat::{ReasoningEffort, Role};
use crate::control::Control;
use crate::terms::{Mode, TokenizerKind};
use crate::version::{Feature, Features};

pub use crate::control::Vocabulary;
pub use crate::terms::ChunkKind;

mod call_form;
mod rows;
mod settings;
mod variants;

pub(crate) use self::call_form::{CallForm, CallPart, Grouping, Quoting};

/// How one version lays a chat out. The rows are `Layout::V1` to `Layout::V15` and `Layout::MAGNUM`.
///
/// A row of one's own says what is different:
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message};
/// use mistral_chat_template::layout::{System, UserTurn};
///
/// let mine = Layout { name: "mine", system: System::InUser { turn: UserTurn::First, join: " | " }, ..Layout::V3 };
/// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi")]);
/// assert_eq!(mine.render(&chat)?.as_str(), "<s>[INST] Be kind. | Hi[/INST]");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// Source of every rule: mistral-common 1.13.1; of [`Layout::MAGNUM`]: the model card of `magnum-v2-123b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// The name, which errors end with.
    pub name: &'static str,
    /// The control tokens that there are; what else is written is text.
    pub vocabulary: Vocabulary,
    /// What the model's tokenizer supports beside text; set with [`Layout::with`].
    pub features: Features,
    /// How the tokenizer begins a run of text.
    pub word_start: WordStart,
    /// What stands around a user turn.
    pub user: Frame,
    /// What stands around an assistant turn; a turn to be continued has no end.
    pub reply: Frame,
    /// Where system messages go.
    pub system: System,
    /// The user turn before which tools and settings stand; `None` for a version without tools.
    pub tools: Option<UserTurn>,
    /// The settings that stand in the prompt.
    pub settings: Settings,
    /// How tool calls are written.
    pub calls: ToolCalls,
    /// How tool results are written.
    pub results: ToolResults,
    /// What becomes of tool calls and results before the last user turn.
    pub old_tool_turns: History,
    /// Does a reply of text alone lose the spaces (U+0020) at its end?
    pub trim_reply: bool,
    /// Is there thinking?
    pub thinking: Thinking,
    /// What stands between two text chunks of one message; between two messages of one turn it is an empty line.
    pub chunk_join: &'static str,
    /// The control tokens of fill in the middle.
    pub fim: Option<FimTokens>,
    /// What is refused.
    pub rules: Rules,
    /// What the prompt is for.
    pub mode: Mode,
}

impl Layout {
    /// This layout with a tokenizer that supports images or audio, or knows `[THINK]`.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Chunk, Format, Layout, Message};
    /// use mistral_chat_template::version::Feature;
    ///
    /// let chat = Chat::new([Message::user(vec![Chunk::image_url("https://example.com/cat.png"), Chunk::text("A cat?")])]);
    /// assert!(Layout::V11.render(&chat).is_err());
    /// assert_eq!(Layout::V11.with(Feature::Image).render(&chat)?.as_str(), "<s>[INST][IMG]A cat?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        let controls: &[Control] = match feature {
            Feature::Image => &[Control::Img, Control::ImgBreak, Control::ImgEnd],
            Feature::Audio => &[Control::Audio, Control::BeginAudio],
            Feature::Think => &[Control::Think, Control::EndThink],
        };
        Layout { features: self.features.with(feature), vocabulary: self.vocabulary.with(controls), ..self }
    }

    /// This layout for another purpose.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
    ///
    /// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
    /// assert!(Layout::V7.render(&chat).is_err(), "nothing is left to answer");
    /// assert_eq!(Layout::V7.in_mode(Mode::Finetuning).render(&chat)?.as_str(), "<s>[INST] Hi[/INST] Hello!</s>");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub const fn in_mode(self, mode: Mode) -> Self {
        Layout { mode, ..self }
    }
}

impl Layout {
    /// The kind of tokenizer whose vocabulary the layout's models have.
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::prompt::TokenizerKind;
    ///
    /// assert_eq!(Layout::MAGNUM.tokenizer_kind(), TokenizerKind::SentencePiece);
    /// assert_eq!(Layout::V7_TEKKEN.tokenizer_kind(), TokenizerKind::Tekken);
    /// ```
    #[must_use]
    pub const fn tokenizer_kind(&self) -> TokenizerKind {
        match self.word_start {
            WordStart::Space => TokenizerKind::SentencePiece,
            WordStart::Nothing => TokenizerKind::Tekken,
        }
    }
}

/// How a tokenizer begins a run of text.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::WordStart;
///
/// assert_eq!(Layout::V3.word_start, WordStart::Space);
/// assert_eq!(Layout::V3_TEKKEN.word_start, WordStart::Nothing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordStart {
    /// SentencePiece sets a space (its dummy prefix) before every run.
    Space,
    /// Tekken sets nothing.
    Nothing,
}

/// One side of a [`Frame`]: a control token, or text that the layout writes.
///
/// ```
/// use mistral_chat_template::{Control, Layout};
/// use mistral_chat_template::layout::Mark;
///
/// assert_eq!(Layout::V3.user.open, Mark::Control(Control::Inst));
/// assert_eq!(Layout::V1.user.open, Mark::Text("[INST] "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A control token.
    Control(Control),
    /// Text, which joins the run of text beside it.
    Text(&'static str),
}

impl Mark {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Mark::Control(control) => control.as_str(),
            Mark::Text(text) => text,
        }
    }
}

/// What stands before and after a turn.
///
/// ```
/// use mistral_chat_template::{Control, Layout};
/// use mistral_chat_template::layout::{Frame, Mark};
///
/// assert_eq!(Layout::V7.reply, Frame { open: Mark::Text(""), close: Mark::Control(Control::Eos) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What stands before.
    pub open: Mark,
    /// What stands after.
    pub close: Mark,
}

/// One of the user turns of a chat.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::UserTurn;
///
/// assert_eq!(Layout::V11.tools, Some(UserTurn::Last));
/// assert_eq!(Layout::V13.tools, Some(UserTurn::First), "so that a prompt goes on where the one before it ended");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserTurn {
    /// The first.
    First,
    /// The last.
    Last,
}

/// Where system messages go.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::{System, UserTurn};
///
/// assert_eq!(Layout::V3.system, System::InUser { turn: UserTurn::Last, join: "\n\n" });
/// assert_eq!(Layout::MAGNUM.system, System::InUser { turn: UserTurn::First, join: "\n" });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum System {
    /// All of them, joined by an empty line, at the beginning of one user turn.
    InUser {
        /// Which user turn.
        turn: UserTurn,
        /// What stands between them and what the user says.
        join: &'static str,
    },
    /// Each where it stands, as a turn of its own.
    OwnTurn(Frame),
}

/// The settings that stand in the prompt.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::Settings;
///
/// assert_eq!(Layout::V13.settings, Settings::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Settings {
    /// There are none: a reasoning effort is refused.
    Unknown,
    /// There are some, and the tokenizer's file must say which, but does not: every chat is refused.
    Missing,
    /// One block of JSON.
    Block {
        /// The efforts that there are; with none, an effort is not printed.
        effort: Option<EffortSetting>,
        /// Is the JSON schema of the answer printed?
        schema: SchemaSetting,
    },
}

/// The reasoning efforts that a model knows.
///
/// ```
/// use mistral_chat_template::chat::ReasoningEffort;
/// use mistral_chat_template::layout::{EffortSetting, Efforts};
///
/// let setting = EffortSetting {
///     values: Efforts::of(&[ReasoningEffort::None, ReasoningEffort::High]),
///     default: ReasoningEffort::None,
/// };
/// assert!(!setting.values.contains(ReasoningEffort::Low));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EffortSetting {
    /// The efforts; any other is refused.
    pub values: Efforts,
    /// What is printed where the chat says nothing.
    pub default: ReasoningEffort,
}

/// A set of reasoning efforts.
///
/// ```
/// use mistral_chat_template::chat::ReasoningEffort;
/// use mistral_chat_template::layout::Efforts;
///
/// assert!(Efforts::of(&[ReasoningEffort::High]).contains(ReasoningEffort::High));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Efforts(u8);

impl Efforts {
    /// The set of the given efforts.
    ///
    /// ```
    /// # use mistral_chat_template::chat::ReasoningEffort;
    /// # use mistral_chat_template::layout::Efforts;
    /// assert_eq!(Efforts::of(&[]), Efforts::default());
    /// ```
    #[must_use]
    pub const fn of(efforts: &[ReasoningEffort]) -> Self {
        let (mut set, mut rest) = (0, efforts);
        while let [effort, tail @ ..] = rest {
            set |= 1 << *effort as u8;
            rest = tail;
        }
        Efforts(set)
    }

    /// Is the effort in this set?
    ///
    /// ```
    /// # use mistral_chat_template::chat::ReasoningEffort;
    /// # use mistral_chat_template::layout::Efforts;
    /// assert!(!Efforts::default().contains(ReasoningEffort::None));
    /// ```
    #[must_use]
    pub const fn contains(self, effort: ReasoningEffort) -> bool {
        self.0 & (1 << effort as u8) != 0
    }

    /// The efforts of this set, least first.
    ///
    /// ```
    /// # use mistral_chat_template::chat::ReasoningEffort;
    /// # use mistral_chat_template::layout::Efforts;
    /// let efforts = Efforts::of(&[ReasoningEffort::High, ReasoningEffort::None]);
    /// assert!(efforts.iter().eq([ReasoningEffort::None, ReasoningEffort::High]));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = ReasoningEffort> {
        ReasoningEffort::ALL.into_iter().filter(move |effort| self.contains(*effort))
    }
}

/// The names, as a list.
impl fmt::Display for Efforts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, effort) in self.iter().enumerate() {
            f.write_str(if position == 0 { "" } else { ", " })?;
            f.write_str(effort.as_str())?;
        }
        Ok(())
    }
}

/// Is the JSON schema of the answer printed?
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::{SchemaSetting, Settings};
///
/// assert!(matches!(Layout::V15.settings, Settings::Block { schema: SchemaSetting::NotPrinted, .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaSetting {
    /// It is not.
    NotPrinted,
    /// It is.
    Printed,
}

/// How tool calls are written.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::ToolCalls;
///
/// assert_eq!(Layout::V3.calls, ToolCalls::ListWithIds);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolCalls {
    /// Not at all.
    None,
    /// `[TOOL_CALLS]` and a JSON list of `name` and `arguments`.
    List,
    /// `[TOOL_CALLS]` and a JSON list of `name`, `arguments` and `id`.
    ListWithIds,
    /// Each `[TOOL_CALLS]`name`[CALL_ID]`id`[ARGS]`arguments.
    NameIdArguments,
    /// Each `[TOOL_CALLS]`name`[ARGS]`arguments.
    NameArguments,
}

/// How a tool result is written, between `[TOOL_RESULTS]` and `[/TOOL_RESULTS]`.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::ToolResults;
///
/// assert_eq!(Layout::V7.results, ToolResults::IdThenContent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolResults {
    /// Not at all.
    None,
    /// A JSON list of one object of `name` and `content`.
    NamedList,
    /// A JSON object of `content` and `call_id`.
    Object,
    /// The call id, `[TOOL_CONTENT]`, and the content as it is.
    IdThenContent,
    /// The content as it is.
    Content,
}

/// What becomes of tool calls and results before the last user turn.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::History;
///
/// assert_eq!(Layout::V2.old_tool_turns, History::Drop);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum History {
    /// They are left out.
    Drop,
    /// They stay.
    Keep,
}

/// Is there thinking in the prompt?
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::Thinking;
///
/// assert_eq!(Layout::V11.thinking, Thinking::None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Thinking {
    /// Not at all.
    None,
    /// Between `[THINK]` and `[/THINK]`, where the vocabulary has them ([`Feature::Think`]).
    Tokens,
    /// Not in the prompt, but answers begin with thinking between `<think>` and `</think>`, which are text: the first
    /// Magistral Small (2506), whose system prompt asks for it.
    Tags,
}

/// The control tokens of fill in the middle: the text after the gap comes first.
///
/// ```
/// use mistral_chat_template::{Control, Layout};
/// use mistral_chat_template::layout::FimTokens;
///
/// assert_eq!(Layout::V3.fim, Some(FimTokens { suffix: Control::Suffix, prefix: Control::Prefix }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FimTokens {
    /// Before the text after the gap.
    pub suffix: Control,
    /// Before the text before the gap.
    pub prefix: Control,
}

/// What a layout refuses, and how it orders what it accepts.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::{CallIds, Rules};
///
/// let lenient = Layout { rules: Rules { call_ids: CallIds::NotEmpty, ..Layout::V7.rules }, ..Layout::V7 };
/// assert_ne!(lenient, Layout::V7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What each role's messages can hold.
    pub chunks: RoleChunks,
    /// Can a message, or a turn, hold both text and tool calls?
    pub text_and_calls: TextAndCalls,
    /// What ids calls and results have.
    pub call_ids: CallIds,
    /// How results belong to calls.
    pub pairing: Pairing,
    /// How many results one turn of calls has.
    pub results_per_turn: ResultsPerTurn,
    /// Can a chat with audio have a system message?
    pub system_with_audio: SystemWithAudio,
    /// Which messages may go where a prompt is over its budget.
    pub truncation: Truncation,
}

/// The kinds of chunks that each role's messages can hold.
///
/// ```
/// use mistral_chat_template::{Layout, Role};
/// use mistral_chat_template::layout::ChunkKind;
///
/// assert!(Layout::V3.rules.chunks.of(Role::User).contains(ChunkKind::ImageUrl));
/// assert!(!Layout::V3.rules.chunks.of(Role::Tool).contains(ChunkKind::ImageUrl));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleChunks {
    /// In system messages.
    pub system: ChunkKinds,
    /// In user messages.
    pub user: ChunkKinds,
    /// In assistant messages.
    pub assistant: ChunkKinds,
    /// In tool results.
    pub tool: ChunkKinds,
}

impl RoleChunks {
    /// The kinds for one role.
    ///
    /// ```
    /// # use mistral_chat_template::{Layout, Role};
    /// # use mistral_chat_template::layout::ChunkKind;
    /// assert!(Layout::V11.rules.chunks.of(Role::Assistant).contains(ChunkKind::Thinking));
    /// ```
    #[must_use]
    pub const fn of(&self, role: Role) -> ChunkKinds {
        match role {
            Role::System => self.system,
            Role::User => self.user,
            Role::Assistant => self.assistant,
            Role::Tool => self.tool,
        }
    }
}

/// A set of kinds of chunks.
///
/// ```
/// use mistral_chat_template::layout::{ChunkKind, ChunkKinds};
///
/// let text = ChunkKinds::of(&[ChunkKind::Text]);
/// assert!(text.contains(ChunkKind::Text) && !text.contains(ChunkKind::Image));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChunkKinds(u8);

impl ChunkKinds {
    /// The set of the given kinds.
    ///
    /// ```
    /// # use mistral_chat_template::layout::{ChunkKind, ChunkKinds};
    /// assert!(ChunkKinds::of(&[ChunkKind::Thinking]).contains(ChunkKind::Thinking));
    /// ```
    #[must_use]
    pub const fn of(kinds: &[ChunkKind]) -> Self {
        ChunkKinds(0).with(kinds)
    }

    /// This set and the given kinds.
    ///
    /// ```
    /// # use mistral_chat_template::layout::{ChunkKind, ChunkKinds};
    /// assert!(ChunkKinds::default().with(&[ChunkKind::Text]).contains(ChunkKind::Text));
    /// ```
    #[must_use]
    pub const fn with(mut self, kinds: &[ChunkKind]) -> Self {
        let mut rest = kinds;
        while let [kind, tail @ ..] = rest {
            self.0 |= 1 << *kind as u8;
            rest = tail;
        }
        self
    }

    /// Is the kind in this set?
    ///
    /// ```
    /// # use mistral_chat_template::layout::{ChunkKind, ChunkKinds};
    /// assert!(!ChunkKinds::default().contains(ChunkKind::Text));
    /// ```
    #[must_use]
    pub const fn contains(self, kind: ChunkKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// Can a message, or a turn, hold both text and tool calls?
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::TextAndCalls;
///
/// assert_eq!(Layout::V3.rules.text_and_calls, TextAndCalls::Either);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextAndCalls {
    /// One of them, and not neither.
    Either,
    /// Both too.
    Both,
}

/// What ids calls and results have.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::CallIds;
///
/// assert_eq!(Layout::V11.rules.call_ids, CallIds::NineAlphanumeric);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallIds {
    /// Any, or none.
    Unchecked,
    /// Nine ASCII letters or digits. Where the last message is only learnt from, its calls may have none.
    NineAlphanumeric,
    /// Any text that is neither empty nor `"null"`.
    NotEmpty,
}

/// How results belong to calls.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::Pairing;
///
/// assert_eq!(Layout::V7.rules.pairing, Pairing::ByCount);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pairing {
    /// As many results as calls, written as they come.
    ByCount,
    /// Each result names its call, and results are written in the order of the calls.
    ById,
}

/// How many results one turn of calls has.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::ResultsPerTurn;
///
/// assert_eq!(Layout::V2.rules.results_per_turn, ResultsPerTurn::One);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResultsPerTurn {
    /// One at most, after the last user turn.
    One,
    /// Any number.
    Any,
}

/// Can a chat whose user sends audio have a system message?
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::SystemWithAudio;
///
/// assert_eq!(Layout::V7.rules.system_with_audio, SystemWithAudio::Refused);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SystemWithAudio {
    /// It cannot.
    Refused,
    /// Only where all audio is sent by URL.
    OnlyByUrl,
    /// It can.
    Taken,
}

/// Which messages may go where a prompt is over its budget.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::layout::Truncation;
///
/// assert_eq!(Layout::V3.rules.truncation, Truncation::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Truncation {
    /// None: a budget is ignored.
    Never,
    /// The oldest first, a user turn with all up to the next; never a system message nor the last user turn.
    OldestFirst,
}
