//! [`Leniency`] and [`Liberty`]: whether a reader accepts what no model of the layout should write, and what it accepted.

use std::fmt;

/// Whether a reader accepts what no model of the layout should write.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{Leniency, LibertyKind};
///
/// let output = "[TOOL_CALLS]get_tide{'port': 'Brest'}</s>";
/// let read = |leniency| CompletionReader::new(&Layout::V13).with_leniency(leniency).read(output);
/// assert!(read(Leniency::Strict).into_result().is_err());
///
/// let completion = read(Leniency::Lenient);
/// assert_eq!(completion.message.tool_calls[0].arguments, r#"{"port": "Brest"}"#);
/// let kinds: Vec<_> = completion.liberties.iter().map(|liberty| liberty.kind).collect();
/// assert_eq!(kinds, [LibertyKind::NoArgsToken, LibertyKind::SingleQuotes]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// What mistral-common 1.13.1 accepts, and nothing else.
    #[default]
    Strict,
    /// Also what models and fine-tunes really write: see [`LibertyKind`]. Each use is listed as a [`Liberty`]. An answer
    /// that a strict reader accepts, and for which no liberty is listed, reads the same both ways.
    Lenient,
}

/// Something that a lenient reader accepted although no model of the layout should write it.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::Leniency;
///
/// let reader = CompletionReader::new(&Layout::V3).with_leniency(Leniency::Lenient);
/// let completion = reader.read(r#"[TOOL_CALLS]{"name": "now", "parameters": {}}</s>"#);
/// let told: Vec<_> = completion.liberties.iter().map(ToString::to_string).collect();
/// assert_eq!(
///     told,
///     ["tool_calls: one object instead of a list (byte 12)", "tool_calls[0]: `parameters` read as `arguments` (byte 39)"]
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Liberty {
    /// What was accepted.
    pub kind: LibertyKind,
    /// The path to what it became, such as `tool_calls[0].arguments`.
    pub at: String,
    /// Where it stands in the output: the bytes before it, control tokens spelled out.
    pub offset: usize,
}

/// The path, and what was accepted, as a sentence.
impl fmt::Display for Liberty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (byte {})", self.at, self.kind, self.offset)
    }
}

/// Every kind of liberty beside its name and its sentence: the only place where they stand.
macro_rules! liberties {
    ($($(#[$doc:meta])+ $kind:ident $name:literal $sentence:literal;)+) => {
        /// What a lenient reader accepts.
        ///
        /// ```
        /// use mistral_chat_template::completion::LibertyKind;
        ///
        /// assert_eq!(LibertyKind::NameAlone.name(), "name_alone");
        /// assert_eq!(LibertyKind::NameAlone.to_string(), "a name alone is a call without arguments");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum LibertyKind {
            $($(#[$doc])+ $kind,)+
        }

        impl LibertyKind {
            /// The name of the kind, for logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(LibertyKind::$kind => $name,)+
                }
            }
        }

        impl fmt::Display for LibertyKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(LibertyKind::$kind => $sentence,)+
                })
            }
        }
    };
}

liberties! {
    /// Calls in the form of other versions: a list from v11 on, `name[ARGS]arguments` before.
    OtherForm "other_form" "calls in the form of other versions";
    /// An id between name and arguments where the version writes none.
    CallIdToken "call_id_token" "an id that the version does not write";
    /// `[ARGS]` or `[CALL_ID]` as text, where the version has such a token.
    SpelledToken "spelled_token" "a control token that is only spelled";
    /// `name{…}`, without `[ARGS]`.
    NoArgsToken "no_args_token" "a call without [ARGS]";
    /// A name, and nothing after it.
    NameAlone "name_alone" "a name alone is a call without arguments";
    /// An object where a list of them belongs.
    OneObject "one_object" "one object instead of a list";
    /// `parameters` instead of `arguments`.
    Parameters "parameters" "`parameters` read as `arguments`";
    /// The call inside of another object's `function`.
    FunctionWrapper "function_wrapper" "the call stands inside of `function`";
    /// The list of calls inside of another object's `tool_calls`.
    CallsWrapper "calls_wrapper" "the calls stand inside of `tool_calls`";
    /// Arguments as a string that holds JSON.
    ArgumentsText "arguments_text" "arguments as a string that holds JSON";
    /// `null`, an empty text or nothing for arguments.
    NoArguments "no_arguments" "no arguments, read as {}";
    /// An id that is `null`.
    NullId "null_id" "an id that is null";
    /// An id that is neither a string nor `null`. It is left over.
    OtherId "other_id" "an id that is not a string";
    /// A string in single quotes, as Python prints one.
    SingleQuotes "single_quotes" "a string in single quotes";
    /// `True`, `False` or `None`.
    PythonWord "python_word" "a word of Python's";
    /// An escape that JSON does not have, such as `\d`.
    Escape "escape" "an escape that JSON does not have";
    /// A line break or another control character inside of a string.
    ControlCharacter "control_character" "a control character inside of a string";
    /// A comma after the last member or item.
    TrailingComma "trailing_comma" "a comma after the last item";
    /// White space around a name.
    NameSpaces "name_spaces" "white space around a name";
    /// Text after a call, which is read as said.
    TextAfterCall "text_after_call" "text after a call";
    /// Thinking between `<think>` and `</think>`.
    ThinkTags "think_tags" "thinking in <think> tags";
    /// The end of thinking that had not begun: all text before it was thinking.
    ThinkingNotBegun "thinking_not_begun" "the end of thinking that was not begun";
    /// Arguments or calls in a code fence.
    CodeFence "code_fence" "JSON in a code fence";
    /// Calls between `<tool_call>` and `</tool_call>`.
    CallTags "call_tags" "calls in <tool_call> tags";
    /// `name({…})`.
    Parentheses "parentheses" "arguments in parentheses";
    /// `]` or `}` is missing at the end.
    MissingBracket "missing_bracket" "a bracket is missing at the end";
    /// `[TOOL_CALLS]` again, before anything of a call.
    CallsTokenTwice "calls_token_twice" "[TOOL_CALLS] twice";
    /// `}` or `]` once too often.
    ExtraBracket "extra_bracket" "a bracket too many";
    /// Commas, semicolons or brackets after a call, with nothing behind them but the next call or the end. They are left over.
    Punctuation "punctuation" "punctuation that belongs to no call";
    /// A further list of calls without `[TOOL_CALLS]`.
    FurtherList "further_list" "a further list of calls without [TOOL_CALLS]";
    /// A call without `[TOOL_CALLS]`, of a tool that the request has.
    BareCall "bare_call" "a call without [TOOL_CALLS]";
}
