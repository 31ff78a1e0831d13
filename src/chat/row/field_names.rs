//! What data sets call the parts of a row, and the words that set fields that matter apart from metadata.

use crate::chat::Role;

/// A part of a row that data sets call by many names.
///
/// ```
/// use mistral_chat_template::train::RowField;
///
/// assert!(RowField::Messages.names().contains(&"conversations"));
/// assert_eq!(RowField::from_name("content"), Some(RowField::Content));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RowField {
    /// The conversation.
    Messages,
    /// The tools that the model may call.
    Tools,
    /// A system prompt beside the conversation.
    System,
    /// What is asked, of a row without a conversation.
    Prompt,
    /// More of what is asked, behind a blank line (Alpaca's `input`).
    Input,
    /// What is answered.
    Completion,
    /// The earlier questions and answers, each a pair.
    History,
    /// The better of two answers.
    Chosen,
    /// The worse of two answers.
    Rejected,
    /// Is the answer a good one (KTO)?
    Label,
    /// Is only the last message learnt?
    OnlyLast,
    /// Who says a message.
    Role,
    /// What a message says.
    Content,
    /// The model's thinking before it.
    Thinking,
    /// The calls of a message.
    ToolCalls,
    /// Which call a result answers.
    CallId,
    /// Is a message learnt, as 0 or 1, true or false?
    Weight,
}

impl RowField {
    /// Every field.
    pub const ALL: [RowField; 17] = [
        RowField::Messages,
        RowField::Tools,
        RowField::System,
        RowField::Prompt,
        RowField::Input,
        RowField::Completion,
        RowField::History,
        RowField::Chosen,
        RowField::Rejected,
        RowField::Label,
        RowField::OnlyLast,
        RowField::Role,
        RowField::Content,
        RowField::Thinking,
        RowField::ToolCalls,
        RowField::CallId,
        RowField::Weight,
    ];

    /// What data sets call the field; the first name is the field's own.
    ///
    /// The names are those that axolotl, LLaMA-Factory, ms-swift, TRL and mistral-finetune read.
    ///
    /// ```
    /// # use mistral_chat_template::train::RowField;
    /// assert_eq!(RowField::Tools.names(), ["tools", "available_tools", "functions"]);
    /// ```
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            RowField::Messages => &[
                "messages",
                "conversations",
                "conversation",
                "interactions",
                "dialog",
                "dialogue",
                "turns",
                "trajectory",
                "reannotated_messages",
            ],
            RowField::Tools => &["tools", "available_tools", "functions"],
            RowField::System => &["system", "system_prompt", "system_message"],
            RowField::Prompt => &["prompt", "instruction", "question", "query"],
            RowField::Input => &["input", "context"],
            RowField::Completion => &["completion", "response", "output", "answer", "answers"],
            RowField::History => &["history"],
            RowField::Chosen => &["chosen", "chosen_response", "chosen_conversations", "chosen_messages"],
            RowField::Rejected => &["rejected", "rejected_response", "rejected_conversations", "rejected_messages"],
            RowField::Label => &["label", "kto_tag"],
            RowField::OnlyLast => &["only_last"],
            RowField::Role => &["role", "from", "speaker"],
            RowField::Content => &["content", "value", "text"],
            RowField::Thinking => &["thinking", "reasoning_content", "reasoning"],
            RowField::ToolCalls => &["tool_calls", "function_call"],
            RowField::CallId => &["tool_call_id"],
            RowField::Weight => &["weight", "train", "training", "trainable", "loss"],
        }
    }

    /// The field of this name, one of its own or one that data sets use.
    ///
    /// ```
    /// # use mistral_chat_template::train::RowField;
    /// assert_eq!(RowField::from_name("available_tools"), Some(RowField::Tools));
    /// assert_eq!(RowField::from_name("colour"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        RowField::ALL.into_iter().find(|field| field.names().contains(&name))
    }
}

/// The names of the two halves of an exchange that is one object: `{"input": …, "output": …}`.
pub(super) const ASKED: [&str; 7] = ["human", "user", "input", "instruction", "question", "prompt", "query"];
pub(super) const ANSWERED: [&str; 7] = ["assistant", "gpt", "bot", "output", "response", "answer", "completion"];

/// Who says a message of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Of(Role),
    /// The model, whose text is a call or a list of calls.
    Calls,
}

/// What data sets call the speakers.
const VOICES: [(&str, Voice); 26] = [
    ("user", Voice::Of(Role::User)),
    ("assistant", Voice::Of(Role::Assistant)),
    ("human", Voice::Of(Role::User)),
    ("gpt", Voice::Of(Role::Assistant)),
    ("system", Voice::Of(Role::System)),
    ("tool", Voice::Of(Role::Tool)),
    ("developer", Voice::Of(Role::System)),
    ("prompter", Voice::Of(Role::User)),
    ("person", Voice::Of(Role::User)),
    ("model", Voice::Of(Role::Assistant)),
    ("chatgpt", Voice::Of(Role::Assistant)),
    ("bing", Voice::Of(Role::Assistant)),
    ("bard", Voice::Of(Role::Assistant)),
    ("bot", Voice::Of(Role::Assistant)),
    ("chatbot", Voice::Of(Role::Assistant)),
    ("ai", Voice::Of(Role::Assistant)),
    ("function_call", Voice::Calls),
    ("tool_call", Voice::Calls),
    ("tool_calls", Voice::Calls),
    ("function", Voice::Of(Role::Tool)),
    ("observation", Voice::Of(Role::Tool)),
    ("tool_response", Voice::Of(Role::Tool)),
    ("tool_result", Voice::Of(Role::Tool)),
    ("function_response", Voice::Of(Role::Tool)),
    ("function_result", Voice::Of(Role::Tool)),
    ("ipython", Voice::Of(Role::Tool)),
];

pub(super) fn voice(name: &str) -> Option<Voice> {
    // `function-call` is `function_call`.
    let name = name.replace('-', "_");
    let is_named = |(known, _): &&(&str, Voice)| known.eq_ignore_ascii_case(&name);
    VOICES.iter().find(is_named).map(|(_, voice)| *voice)
}

/// The names of the roles, for a sentence.
pub(super) fn voice_names() -> String {
    VOICES.map(|(name, _)| name).join(", ")
}

/// Words in the name of a field that bears on what a model learns.
const BEARING: [&str; 68] = [
    "answer",
    "answers",
    "attachments",
    "attempt",
    "audio",
    "audios",
    "call",
    "calls",
    "chat",
    "choices",
    "chosen",
    "completion",
    "constraints",
    "content",
    "conversation",
    "conversations",
    "corrected",
    "cot",
    "definition",
    "definitions",
    "document",
    "documents",
    "explanation",
    "files",
    "function",
    "functions",
    "generation",
    "generations",
    "image",
    "images",
    "instruction",
    "labels",
    "loss",
    "mask",
    "message",
    "messages",
    "options",
    "output",
    "passage",
    "persona",
    "prefix",
    "prompt",
    "rationale",
    "reasoning",
    "reflection",
    "rejected",
    "response",
    "responses",
    "role",
    "safe",
    "scenario",
    "segments",
    "solution",
    "solutions",
    "system",
    "target",
    "targets",
    "template",
    "thinking",
    "thought",
    "thoughts",
    "tool",
    "tools",
    "train",
    "trajectory",
    "video",
    "videos",
    "weight",
];

/// Words in the name of a field that is about the row, and not of it.
const ABOUT: [&str; 26] = [
    "category",
    "count",
    "date",
    "hash",
    "id",
    "idx",
    "index",
    "lang",
    "language",
    "length",
    "license",
    "model",
    "name",
    "num",
    "quality",
    "rating",
    "score",
    "source",
    "split",
    "subset",
    "task",
    "time",
    "timestamp",
    "tokens",
    "type",
    "url",
];

/// The words of a name: `response_a`, `systemPrompt`, `tool-calls`, `response1`.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut was_lower = false;
    let mut words = vec![String::new()];
    for character in name.chars() {
        if !character.is_alphabetic() || was_lower && character.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    words.into_iter()
}

/// Does a field of the row itself bear on training, as far as its name says?
pub(super) fn bears_on_training(name: &str) -> bool {
    let is_one_of = |known: &[&str]| words(name).any(|word| known.contains(&&*word));
    !is_one_of(&ABOUT) && is_one_of(&BEARING)
}

/// Is a field of a message only about it? Any other is a part of what is said.
pub(super) fn is_about_a_message(name: &str) -> bool {
    words(name).any(|word| ABOUT.contains(&&*word))
}
