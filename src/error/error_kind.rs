//! Every kind of error with its sentence, its name, and the class that mistral-common puts it into.

use super::api_error::Fault;
use crate::python::json::JsonErrorKind;
use crate::terms::{Dialect, Mode, ReasoningEffort, Role, TokenizerKind};
use crate::version::DetectError;

/// What is wrong. The sentence is the `Display`; the path and the layout are the [`Error`](crate::Error)'s.
///
/// ```
/// use mistral_chat_template::ErrorKind;
///
/// let kind = ErrorKind::MissingField("content");
/// assert_eq!(kind.to_string(), "the field `content` is missing or null");
/// assert_eq!(kind.name(), "missing_field");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the sentence of each kind is its documentation")]
pub enum ErrorKind {
    // Reading JSON.
    #[error("not JSON of the expected form")]
    Json,
    #[error("the field `{0}` is missing or null")]
    MissingField(&'static str),
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    #[error("must be {expected}")]
    FieldType { expected: &'static str },
    #[error("the text has a lone surrogate, which is half of a character")]
    LoneSurrogate,
    #[error("it refers by id to content that only the API that issued the id has")]
    KnownById,
    #[error("{name:?} of {} has no place in a chat", dialect.title())]
    UnknownItem { name: String, dialect: Dialect },
    #[error("this field is not read, but it could have shaped the prompt")]
    Ignored,
    #[error("{name:?} is not a role; the roles are {}", roles(*dialect))]
    UnknownRole { name: String, dialect: Dialect },
    #[error("{name:?} is not a chunk type; the types are text, thinking, image_url, image, input_audio and audio_url")]
    UnknownChunk { name: String, dialect: Dialect },
    #[error("a chunk needs a `type`")]
    UntypedChunk,
    #[error("{name:?} is not a supported tool type; only functions can be called")]
    UnknownToolType { name: String },
    #[error("{name:?} is not a reasoning effort; the efforts are none, minimal, low, medium, high, xhigh and max")]
    UnknownEffort { name: String },
    #[error("{name:?} is not a response format; the formats are text, json_object and json_schema")]
    UnknownResponseFormat { name: String },
    #[error("{name:?} is not a tool choice; the choices are auto, none, required (or any) and a function's name")]
    UnknownToolChoice { name: String },
    #[error("{name:?} is not a mode of calling; the modes are auto and required")]
    UnknownCallMode { name: String },
    #[error("`reasoning` and `reasoning_content` differ, but a message has one thinking text")]
    ReasoningDiffers,
    #[error("the content has thinking chunks already")]
    ReasoningTwice,
    #[error("only an assistant message can be continued, and the last message is not one")]
    ContinueNotAssistant,
    #[error("{} {role} message cannot hold {chunk}, whatever the version", article(*role))]
    ForeignChunk { role: Role, chunk: &'static str },
    #[error("the audio is empty")]
    EmptyAudio,
    #[error("not a JSON schema (draft 7)")]
    ResponseSchema,

    // The order of messages.
    #[error("serving needs the model's name")]
    NoModel,
    #[error("a chat needs at least one message")]
    NoMessages,
    #[error("a chat of one message is a user or system message, not {} {role} message", article(*role))]
    LoneMessage { role: Role },
    #[error("fine-tuning learns from an assistant message at the end, not from {} {role} message", article(*role))]
    LastNotAssistant { role: Role },
    #[error("fine-tuning learns from complete messages, and the last one is a prefix")]
    LastIsPrefix,
    #[error(
        "the last message is from the assistant: as a prefix it can be continued, otherwise there is nothing to answer"
    )]
    LastIsAssistant,
    #[error("{} {role} message cannot follow {} {previous} message", article(*role), article(*previous))]
    RoleOrder { previous: Role, role: Role },
    #[error("the numbers of calls and results before this message differ: {calls} and {results}")]
    OpenCalls { calls: usize, results: usize },
    #[error("the numbers of calls and results at the end of the chat differ: {calls} and {results}")]
    OpenCallsAtEnd { calls: usize, results: usize },
    #[error("the result {id:?} is the second for its call")]
    DuplicateResult { id: String },
    #[error("{}", unknown_result(id.as_deref()))]
    UnknownResult { id: Option<String> },
    #[error("two calls of one message have the id {id:?}")]
    DuplicateCall { id: String },
    #[error("a chat with audio cannot have a system message, and messages[{system}] is one")]
    AudioWithSystem { system: usize },

    // What a message holds.
    #[error("{} {role} message cannot hold {chunk}", article(*role))]
    Chunk { role: Role, chunk: &'static str },
    #[error("a message holds either text or tool calls, and this one has both")]
    ContentAndCalls,
    #[error("a message holds either text or tool calls, and this one has neither")]
    NoContentNorCalls,
    #[error("the messages from messages[{first}] on are one turn, which holds either text or tool calls, not both")]
    MergedContentAndCalls { first: usize },
    #[error("an assistant turn needs text, thinking or a tool call")]
    EmptyReply,
    #[error("a weight is 0 or 1, not {weight}")]
    Weight { weight: f64 },
    #[error("only the last message can be a prefix to be continued")]
    PrefixNotLast,
    #[error("{name:?} must be 1 to 64 ASCII letters, digits, underscores or dashes")]
    CallName { name: String },
    #[error("{name:?} must be 1 to 64 ASCII letters, digits, underscores or dashes")]
    ResultName { name: String },
    #[error("{name:?} must be 1 to 64 ASCII letters, digits, underscores or dashes")]
    ToolName { name: String },
    #[error("{id:?} must be 9 ASCII letters or digits")]
    CallId { id: String },
    #[error("{}", null_id(*mode))]
    NullCallId { mode: Mode },
    #[error("a call needs an id that is neither empty nor \"null\"")]
    NoCallId,
    #[error("{id:?} must be 9 ASCII letters or digits")]
    ResultId { id: String },
    #[error("a result needs the id of its call, neither empty nor \"null\"")]
    NoResultId,
    #[error("a result needs the id of its call")]
    MissingResultId,
    #[error("not a JSON schema (draft 7)")]
    ToolSchema,
    #[error("a turn can hold only one tool result, and this is one more")]
    ParallelResults,
    #[error("tools cannot be called")]
    NoTools,
    #[error("there is no thinking")]
    NoThinking,
    #[error("the vocabulary has no [THINK], so thinking cannot be written")]
    NoThinkTokens,
    #[error("the layout has no encoder of {media}; `Layout::with` adds it")]
    NoEncoder { media: &'static str },
    #[error("{scheme:?} is not a scheme for an image URL; the schemes are https, http, file and data")]
    ImageScheme { scheme: String },
    #[error("the data URL holds no image")]
    ImageData,
    #[error("the data is not the base64 of an image, or ends before the image's width and height")]
    ImageBytes,
    #[error("the JSON holds what cannot be kept")]
    JsonValue,

    // Settings, fill in the middle, budgets.
    #[error("there is no reasoning effort to set")]
    NoEffort,
    #[error("the effort {effort} is not one of {allowed}")]
    Effort { effort: ReasoningEffort, allowed: String },
    #[error("the layout does not say which model settings there are")]
    NoSettings,
    #[error("there is no fill in the middle")]
    NoFim,
    #[error("{choice}, and there are no tools")]
    ChoiceWithoutTools { choice: String },
    #[error("{choice}, and an answer of JSON calls tools only where it may, as it sees fit")]
    ChoiceWithJson { choice: String },
    #[error("there is no tool {name:?}; the tools are {known}")]
    UnknownTool { name: String, known: String },
    #[error("the schema has a number that JSON does not have: an infinite one, or NaN")]
    SchemaNumber,
    #[error("an answer of JSON was begun, and no grammar can say what is left of it")]
    BegunJson,
    #[error("the answer was begun with text, and an answer is either text or calls")]
    CallAfterText,
    #[error("the prompt is {over} tokens over the budget with everything dropped that may be")]
    TooLong { budget: usize, over: usize },

    // Encoding.
    #[error("the layout is for a {layout} vocabulary, and the tokenizer has a {tokenizer} one")]
    TokenizerMismatch { layout: TokenizerKind, tokenizer: TokenizerKind },
    #[error("the tokenizer has no id for the control token {control}")]
    NoControlId { control: &'static str },
    #[error("the tokenizer cannot encode {media}")]
    NoMediaIds { media: &'static str },

    // Names.
    #[error(transparent)]
    Version(DetectError),

    // A model's output.
    #[error("[THINK] at byte {offset} is inside thinking that has not ended")]
    NestedThinking { offset: usize },
    #[error("[/THINK] at byte {offset} has no [THINK] before it")]
    UnopenedThinking { offset: usize },
    #[error("not JSON at byte {offset}: {json}")]
    CallListSyntax { json: JsonErrorKind, offset: usize },
    #[error("the JSON at byte {offset} is not a list of calls")]
    CallListType { offset: usize },
    #[error("the entry at byte {offset} is not an object with a name")]
    CallWithoutName { offset: usize },
    #[error("the arguments at byte {offset} are not an object")]
    CallArgumentsNotObject { offset: usize },
    #[error("the call at byte {offset} has no arguments")]
    CallWithoutArgumentsField { offset: usize },
    #[error("the `{field}` at byte {offset} is not a string")]
    CallFieldType { field: &'static str, offset: usize },
    #[error("the `{field}` that ends at byte {offset} is the second of its call")]
    CallFieldTwice { field: &'static str, offset: usize },
    #[error("the call at byte {offset} has no [ARGS]")]
    CallWithoutArguments { offset: usize },
    #[error("the {control} at byte {offset} is the second of its call")]
    CallTokenTwice { control: &'static str, offset: usize },
    #[error("the [CALL_ID] at byte {offset} comes after the arguments")]
    CallIdAfterArguments { offset: usize },
    #[error("not JSON at byte {offset}: {json}")]
    CallArgumentsSyntax { json: JsonErrorKind, offset: usize },
    #[error("the arguments at byte {offset} are not an object")]
    CallArgumentsType { offset: usize },
    #[error("the JSON nests more than 1024 levels deep at byte {offset}")]
    CallTooDeep { offset: usize },

    // A prompt that is read back.
    #[error("the prompt departs from the layout at byte {offset}, where the layout has {expected:?}")]
    PromptParts { offset: usize, expected: String },
    // A model's own template.
    #[error("not a file that holds a chat template")]
    TemplateConfig,
    #[error("there is no chat template")]
    NoTemplate,
    #[error("there is no template {name:?}; there are {known}")]
    UnknownTemplate { name: String, known: String },
    #[error("the template has {found} {what}, and {limit} are allowed")]
    TemplateLimit { what: &'static str, found: usize, limit: usize },
    #[error("the template cannot be read")]
    TemplateSyntax,
    #[error("the template refuses the chat")]
    TemplateRaised,
    #[error("the template cannot render the chat")]
    TemplateRender,
    #[error("rendering takes more work than a template is allowed for a chat of this size")]
    TemplateFuel,
    #[error("the prompt is longer than the {limit} bytes that a template is allowed for a chat of this size")]
    TemplateOutput { limit: usize },
    #[error("the template does not print the message that is to be continued")]
    TemplateContinue,
    #[error("the last message has nothing here that can be continued")]
    NothingToContinue,
    // SillyTavern's presets.
    #[error("not a context, instruct or system prompt preset, but {looks}")]
    PresetFile { looks: &'static str },
    #[error("the field must be {expected}")]
    PresetField { expected: &'static str },
    #[error("{name:?} is not a built-in preset; those are {known}")]
    UnknownPreset { name: String, known: &'static str },
    #[error("the story string says nothing: {what}")]
    Story { what: String },
    #[error("macros write too much")]
    MacrosTooLong,
    #[error("a preset has no place for {what}")]
    PresetLacks { what: &'static str },
    #[error("no preset makes SillyTavern send this layout: {why}")]
    Unwritable { why: &'static str },

    // Rows of data sets.
    #[error("the row has neither a conversation nor a prompt with an answer; {}", its_fields(fields))]
    UnrecognisedRow { fields: String },
    #[error("the row is {what}; {instead}")]
    UnusableRow { what: &'static str, instead: &'static str },
    #[error("the two answers are a tie; a pair needs one that is better")]
    Tie,
    #[error("the row has both `{one}` and `{other}`, and they differ")]
    RowConflict { one: String, other: String },
    #[error("expected {expected}")]
    RowType { expected: &'static str },
    #[error("{name:?} is not a role; the roles are {known}")]
    RowRole { name: String, known: String },
    #[error("the two answers belong to different prompts")]
    PromptsDiffer,

    // What is to be learnt.
    #[error("there is nothing to learn: {reason}")]
    NothingToLearn { reason: &'static str },
    #[error("the text at bytes {start} to {end} is encoded as one run but learnt only in part")]
    PartlyLearnt { start: usize, end: usize },

    // A budget of the caller's.
    #[error("what has to stay in the prompt is {over} over the budget")]
    OverBudget { budget: usize, over: usize },
}

/// The class of errors that mistral-common 1.13.1 puts a refusal into.
///
/// ```
/// use mistral_chat_template::ErrorKind;
/// use mistral_chat_template::error::Family;
///
/// assert_eq!(ErrorKind::NoMessages.family(), Family::MessageStructure);
/// assert_eq!(Family::MessageStructure.as_str(), "InvalidMessageStructureException");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// `ValidationError`: the JSON is not of the form.
    Form,
    /// `InvalidRequestException`
    Request,
    /// `InvalidMessageStructureException`
    MessageStructure,
    /// `InvalidSystemPromptException`
    SystemPrompt,
    /// `InvalidUserMessageException`
    UserMessage,
    /// `InvalidAssistantMessageException`
    AssistantMessage,
    /// `InvalidToolMessageException`
    ToolMessage,
    /// `InvalidFunctionCallException`
    FunctionCall,
    /// `InvalidToolException`
    Tool,
    /// `InvalidToolSchemaException`
    ToolSchema,
    /// `TokenizerException`
    Tokenizer,
    /// `UnsupportedTokenizerFeatureException`
    UnsupportedFeature,
    /// `AssertionError`: what mistral-common only asserts.
    Assertion,
    /// `ValueError`: what mistral-common refuses without a class of its own.
    Value,
    /// `KeyError`
    Key,
    /// A budget that cannot be met.
    Budget,
    /// A SillyTavern preset, its story string or its macros.
    Preset,
    /// What mistral-common does not do.
    Other,
    /// `InvalidToolCallError`: a model's calls are not of the form.
    InvalidToolCall,
    /// `InvalidArgsToolCallError`: a call's arguments are not of the form.
    InvalidArguments,
    /// A model's own template, or what it refuses.
    Template,
}

impl Family {
    /// The class's name in mistral-common; `budget`, `preset`, `template` and `other` are our own.
    ///
    /// ```
    /// # use mistral_chat_template::error::Family;
    /// assert_eq!(Family::Form.as_str(), "ValidationError");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Family::Form => "ValidationError",
            Family::Request => "InvalidRequestException",
            Family::MessageStructure => "InvalidMessageStructureException",
            Family::SystemPrompt => "InvalidSystemPromptException",
            Family::UserMessage => "InvalidUserMessageException",
            Family::AssistantMessage => "InvalidAssistantMessageException",
            Family::ToolMessage => "InvalidToolMessageException",
            Family::FunctionCall => "InvalidFunctionCallException",
            Family::Tool => "InvalidToolException",
            Family::ToolSchema => "InvalidToolSchemaException",
            Family::Tokenizer => "TokenizerException",
            Family::UnsupportedFeature => "UnsupportedTokenizerFeatureException",
            Family::Assertion => "AssertionError",
            Family::Value => "ValueError",
            Family::Key => "KeyError",
            Family::Budget => "budget",
            Family::Preset => "preset",
            Family::Other => "other",
            Family::InvalidToolCall => "InvalidToolCallError",
            Family::InvalidArguments => "InvalidArgsToolCallError",
            Family::Template => "template",
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says each kind's name, family and fault in one line, so that none can be forgotten.
macro_rules! kinds {
    ($($kind:pat => $name:literal, $family:expr, $fault:expr;)+) => {
        impl ErrorKind {
            /// The names of all kinds.
            ///
            /// ```
            /// # use mistral_chat_template::ErrorKind;
            /// assert!(ErrorKind::NAMES.contains(&"role_order"));
            /// ```
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The kind's name, for machines: stable, in snake case.
            ///
            /// ```
            /// # use mistral_chat_template::ErrorKind;
            /// assert_eq!(ErrorKind::NoMessages.name(), "no_messages");
            /// ```
            #[must_use]
            #[allow(unused_variables, reason = "only the family looks into some kinds")]
            pub const fn name(&self) -> &'static str {
                match self {
                    $($kind => $name,)+
                }
            }

            /// The class of errors that mistral-common puts this kind into.
            ///
            /// ```
            /// # use mistral_chat_template::ErrorKind;
            /// # use mistral_chat_template::error::Family;
            /// assert_eq!(ErrorKind::NoFim.family(), Family::Tokenizer);
            /// ```
            #[must_use]
            #[allow(unused_variables, reason = "only the fault looks into some kinds")]
            pub const fn family(&self) -> Family {
                match self {
                    $($kind => $family,)+
                }
            }

            /// Whose fault it is.
            ///
            /// ```
            /// # use mistral_chat_template::ErrorKind;
            /// # use mistral_chat_template::error::Fault;
            /// assert_eq!(ErrorKind::NoMessages.fault(), Fault::Client);
            /// ```
            #[must_use]
            #[allow(unused_variables, reason = "only the family looks into some kinds")]
            pub const fn fault(&self) -> Fault {
                match self {
                    $($kind => $fault,)+
                }
            }
        }
    };
}

kinds! {
    ErrorKind::Json => "json", Family::Form, Fault::Client;
    ErrorKind::MissingField(_) => "missing_field", Family::Form, Fault::Client;
    ErrorKind::MissingKey(_) => "missing_key", Family::Key, Fault::Client;
    ErrorKind::FieldType { .. } => "field_type", Family::Form, Fault::Client;
    ErrorKind::LoneSurrogate => "lone_surrogate", Family::Form, Fault::Client;
    ErrorKind::KnownById => "known_by_id", Family::Other, Fault::Client;
    ErrorKind::UnknownItem { .. } => "unknown_item", Family::Form, Fault::Client;
    ErrorKind::Ignored => "ignored", Family::Other, Fault::Client;
    ErrorKind::UnknownRole { dialect, .. } => "unknown_role", by_dialect(*dialect), Fault::Client;
    ErrorKind::UnknownChunk { dialect, .. } => "unknown_chunk", by_dialect(*dialect), Fault::Client;
    ErrorKind::UntypedChunk => "untyped_chunk", Family::Value, Fault::Client;
    ErrorKind::UnknownToolType { .. } => "unknown_tool_type", Family::Form, Fault::Client;
    ErrorKind::UnknownEffort { .. } => "unknown_effort", Family::Form, Fault::Client;
    ErrorKind::UnknownResponseFormat { .. } => "unknown_response_format", Family::Form, Fault::Client;
    ErrorKind::UnknownToolChoice { .. } => "unknown_tool_choice", Family::Form, Fault::Client;
    ErrorKind::UnknownCallMode { .. } => "unknown_call_mode", Family::Form, Fault::Client;
    ErrorKind::ReasoningDiffers => "reasoning_differs", Family::Value, Fault::Client;
    ErrorKind::ReasoningTwice => "reasoning_twice", Family::AssistantMessage, Fault::Client;
    ErrorKind::ContinueNotAssistant => "continue_not_assistant", Family::MessageStructure, Fault::Client;
    ErrorKind::ForeignChunk { .. } => "foreign_chunk", Family::Form, Fault::Client;
    ErrorKind::EmptyAudio => "empty_audio", Family::Form, Fault::Client;
    ErrorKind::ResponseSchema => "response_schema", Family::Form, Fault::Client;
    ErrorKind::NoModel => "no_model", Family::Request, Fault::Client;
    ErrorKind::NoMessages => "no_messages", Family::MessageStructure, Fault::Client;
    ErrorKind::LoneMessage { .. } => "lone_message", Family::MessageStructure, Fault::Client;
    ErrorKind::LastNotAssistant { .. } => "last_not_assistant", Family::MessageStructure, Fault::Client;
    ErrorKind::LastIsPrefix => "last_is_prefix", Family::MessageStructure, Fault::Client;
    ErrorKind::LastIsAssistant => "last_is_assistant", Family::MessageStructure, Fault::Client;
    ErrorKind::RoleOrder { .. } => "role_order", Family::MessageStructure, Fault::Client;
    ErrorKind::OpenCalls { .. } => "open_calls", Family::MessageStructure, Fault::Client;
    ErrorKind::OpenCallsAtEnd { .. } => "open_calls_at_end", Family::MessageStructure, Fault::Client;
    ErrorKind::DuplicateResult { .. } => "duplicate_result", Family::MessageStructure, Fault::Client;
    ErrorKind::UnknownResult { .. } => "unknown_result", Family::MessageStructure, Fault::Client;
    ErrorKind::DuplicateCall { .. } => "duplicate_call", Family::MessageStructure, Fault::Client;
    ErrorKind::AudioWithSystem { .. } => "audio_with_system", Family::Value, Fault::Client;
    ErrorKind::Chunk { role, .. } => "chunk", by_role(*role), Fault::Client;
    ErrorKind::ContentAndCalls => "content_and_calls", Family::AssistantMessage, Fault::Client;
    ErrorKind::NoContentNorCalls => "no_content_nor_calls", Family::AssistantMessage, Fault::Client;
    ErrorKind::MergedContentAndCalls { .. } => "merged_content_and_calls", Family::Value, Fault::Client;
    ErrorKind::EmptyReply => "empty_reply", Family::Tokenizer, Fault::Client;
    ErrorKind::Weight { .. } => "weight", Family::AssistantMessage, Fault::Client;
    ErrorKind::PrefixNotLast => "prefix_not_last", Family::AssistantMessage, Fault::Client;
    ErrorKind::CallName { .. } => "call_name", Family::FunctionCall, Fault::Client;
    ErrorKind::ResultName { .. } => "result_name", Family::ToolMessage, Fault::Client;
    ErrorKind::ToolName { .. } => "tool_name", Family::Tool, Fault::Client;
    ErrorKind::CallId { .. } => "call_id", Family::FunctionCall, Fault::Client;
    ErrorKind::NullCallId { .. } => "null_call_id", Family::FunctionCall, Fault::Client;
    ErrorKind::NoCallId => "no_call_id", Family::FunctionCall, Fault::Client;
    ErrorKind::ResultId { .. } => "result_id", Family::ToolMessage, Fault::Client;
    ErrorKind::NoResultId => "no_result_id", Family::ToolMessage, Fault::Client;
    ErrorKind::MissingResultId => "missing_result_id", Family::Request, Fault::Client;
    ErrorKind::ToolSchema => "tool_schema", Family::ToolSchema, Fault::Client;
    ErrorKind::ParallelResults => "parallel_results", Family::UnsupportedFeature, Fault::Client;
    ErrorKind::NoTools => "no_tools", Family::Tokenizer, Fault::Client;
    ErrorKind::NoThinking => "no_thinking", Family::Tokenizer, Fault::Client;
    ErrorKind::NoThinkTokens => "no_think_tokens", Family::Assertion, Fault::Client;
    ErrorKind::NoEncoder { .. } => "no_encoder", Family::Assertion, Fault::Client;
    ErrorKind::ImageScheme { .. } => "image_scheme", Family::Value, Fault::Client;
    ErrorKind::ImageData => "image_data", Family::Value, Fault::Client;
    ErrorKind::ImageBytes => "image_bytes", Family::Value, Fault::Client;
    ErrorKind::JsonValue => "json_value", Family::Value, Fault::Client;
    ErrorKind::NoEffort => "no_effort", Family::Request, Fault::Client;
    ErrorKind::Effort { .. } => "effort", Family::Request, Fault::Client;
    ErrorKind::NoSettings => "no_settings", Family::Request, Fault::Configuration;
    ErrorKind::NoFim => "no_fim", Family::Tokenizer, Fault::Client;
    ErrorKind::ChoiceWithoutTools { .. } => "choice_without_tools", Family::Request, Fault::Client;
    ErrorKind::ChoiceWithJson { .. } => "choice_with_json", Family::Request, Fault::Client;
    ErrorKind::UnknownTool { .. } => "unknown_tool", Family::Request, Fault::Client;
    ErrorKind::SchemaNumber => "schema_number", Family::Request, Fault::Client;
    ErrorKind::BegunJson => "begun_json", Family::Request, Fault::Client;
    ErrorKind::CallAfterText => "call_after_text", Family::Request, Fault::Client;
    ErrorKind::TooLong { .. } => "too_long", Family::Tokenizer, Fault::Client;
    ErrorKind::TokenizerMismatch { .. } => "tokenizer_mismatch", Family::Tokenizer, Fault::Configuration;
    ErrorKind::NoControlId { .. } => "no_control_id", Family::Other, Fault::Configuration;
    ErrorKind::NoMediaIds { .. } => "no_media_ids", Family::Other, Fault::Client;
    ErrorKind::Version(error) => "version", Family::Other, by_version(error);
    ErrorKind::NestedThinking { .. } => "nested_thinking", Family::Value, Fault::Server;
    ErrorKind::UnopenedThinking { .. } => "unopened_thinking", Family::Value, Fault::Server;
    ErrorKind::CallListSyntax { json, .. } => "call_list_syntax", by_json(*json, Family::InvalidToolCall), Fault::Server;
    ErrorKind::CallListType { .. } => "call_list_type", Family::InvalidToolCall, Fault::Server;
    ErrorKind::CallWithoutName { .. } => "call_without_name", Family::InvalidToolCall, Fault::Server;
    ErrorKind::CallArgumentsNotObject { .. } => "call_arguments_not_object", Family::InvalidArguments, Fault::Server;
    ErrorKind::CallWithoutArgumentsField { .. } => "call_without_arguments_field", Family::InvalidArguments, Fault::Server;
    ErrorKind::CallFieldType { .. } => "call_field_type", Family::Form, Fault::Server;
    ErrorKind::CallFieldTwice { .. } => "call_field_twice", Family::Other, Fault::Server;
    ErrorKind::CallWithoutArguments { .. } => "call_without_arguments", Family::Value, Fault::Server;
    ErrorKind::CallTokenTwice { .. } => "call_token_twice", Family::Value, Fault::Server;
    ErrorKind::CallIdAfterArguments { .. } => "call_id_after_arguments", Family::Value, Fault::Server;
    ErrorKind::CallArgumentsSyntax { json, .. } => "call_arguments_syntax", by_json(*json, Family::InvalidArguments), Fault::Server;
    ErrorKind::CallArgumentsType { .. } => "call_arguments_type", Family::Form, Fault::Server;
    ErrorKind::CallTooDeep { .. } => "call_too_deep", Family::Other, Fault::Server;
    ErrorKind::PromptParts { .. } => "prompt_parts", Family::Other, Fault::Client;
    ErrorKind::TemplateConfig => "template_config", Family::Template, Fault::Configuration;
    ErrorKind::NoTemplate => "no_template", Family::Template, Fault::Configuration;
    ErrorKind::UnknownTemplate { .. } => "unknown_template", Family::Template, Fault::Configuration;
    ErrorKind::TemplateLimit { .. } => "template_limit", Family::Template, Fault::Configuration;
    ErrorKind::TemplateSyntax => "template_syntax", Family::Template, Fault::Configuration;
    ErrorKind::TemplateRaised => "template_raised", Family::Template, Fault::Client;
    ErrorKind::TemplateRender => "template_render", Family::Template, Fault::Client;
    ErrorKind::TemplateFuel => "template_fuel", Family::Template, Fault::Configuration;
    ErrorKind::TemplateOutput { .. } => "template_output", Family::Template, Fault::Configuration;
    ErrorKind::TemplateContinue => "template_continue", Family::Template, Fault::Client;
    ErrorKind::NothingToContinue => "template_nothing_to_continue", Family::Template, Fault::Client;
    ErrorKind::PresetFile { .. } => "preset_file", Family::Preset, Fault::Configuration;
    ErrorKind::PresetField { .. } => "preset_field", Family::Preset, Fault::Configuration;
    ErrorKind::UnknownPreset { .. } => "unknown_preset", Family::Preset, Fault::Configuration;
    ErrorKind::Story { .. } => "story", Family::Preset, Fault::Configuration;
    ErrorKind::MacrosTooLong => "macros_too_long", Family::Preset, Fault::Configuration;
    ErrorKind::PresetLacks { .. } => "preset_lacks", Family::Preset, Fault::Configuration;
    ErrorKind::Unwritable { .. } => "unwritable", Family::Preset, Fault::Configuration;
    ErrorKind::UnrecognisedRow { .. } => "unrecognised_row", Family::Form, Fault::Client;
    ErrorKind::UnusableRow { .. } => "unusable_row", Family::Form, Fault::Client;
    ErrorKind::Tie => "tie", Family::Form, Fault::Client;
    ErrorKind::RowConflict { .. } => "row_conflict", Family::Form, Fault::Client;
    ErrorKind::RowType { .. } => "row_type", Family::Form, Fault::Client;
    ErrorKind::RowRole { .. } => "row_role", Family::Form, Fault::Client;
    ErrorKind::PromptsDiffer => "prompts_differ", Family::Form, Fault::Client;
    ErrorKind::NothingToLearn { .. } => "nothing_to_learn", Family::Other, Fault::Client;
    ErrorKind::PartlyLearnt { .. } => "partly_learnt", Family::Other, Fault::Client;
    ErrorKind::OverBudget { .. } => "over_budget", Family::Budget, Fault::Client;
}

/// A name comes from the client that asks for a model; a file is the operator's.
const fn by_version(error: &DetectError) -> Fault {
    match error {
        DetectError::Unknown { .. }
        | DetectError::UnknownFeature { .. }
        | DetectError::Undecided { .. }
        | DetectError::Foreign { .. }
        | DetectError::Derived { .. } => Fault::Client,
        DetectError::Conflict { .. } | DetectError::Tekken { .. } => Fault::Configuration,
    }
}

/// Python has a class for what is not JSON, and none for an integer that it does not read.
const fn by_json(json: JsonErrorKind, syntax: Family) -> Family {
    match json {
        JsonErrorKind::IntegerTooLong => Family::Value,
        _ => syntax,
    }
}

const fn by_dialect(dialect: Dialect) -> Family {
    match dialect {
        Dialect::OpenAi => Family::Value,
        _ => Family::Form,
    }
}

const fn by_role(role: Role) -> Family {
    match role {
        Role::System => Family::SystemPrompt,
        Role::User => Family::UserMessage,
        Role::Assistant => Family::AssistantMessage,
        Role::Tool => Family::ToolMessage,
    }
}

const fn article(role: Role) -> &'static str {
    match role {
        Role::Assistant => "an",
        Role::System | Role::User | Role::Tool => "a",
    }
}

const fn roles(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mistral => "system, user, assistant and tool",
        Dialect::Either | Dialect::OpenAi => "system, developer, user, assistant and tool",
        Dialect::Legacy => "system, developer, user, assistant, tool and function",
        Dialect::ShareGpt => "system, human, user, gpt, assistant, chatgpt, bing, bard and tool",
        Dialect::Responses => "system, developer, user and assistant",
        Dialect::Anthropic => "user, assistant and system",
        Dialect::Conversations => "user, assistant and system",
        Dialect::Ollama => "system, user, assistant and tool",
        Dialect::Gemini => "user, model and function",
    }
}

fn its_fields(fields: &str) -> String {
    match fields {
        "" => "it has no fields".to_owned(),
        _ => format!("its fields are {fields}"),
    }
}

fn unknown_result(id: Option<&str>) -> String {
    match id {
        Some(id) => format!("no open call has the id {id:?}"),
        None => "a result needs the id of an open call, and this one has none".to_owned(),
    }
}

const fn null_id(mode: Mode) -> &'static str {
    match mode {
        Mode::Serving => "a call needs an id",
        Mode::Test => "a call needs an id; only fine-tuning takes a last message whose calls have none",
        Mode::Finetuning | Mode::Agnostic => "a call needs an id, unless its message is the last",
    }
}
