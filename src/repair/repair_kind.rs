//! [`RepairKind`]: every sort of change that repairing makes.

use std::fmt;

/// Says each kind's name beside it.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident => $name:literal,)+) => {
        /// What was done to a chat to repair it.
        ///
        /// ```
        /// use mistral_chat_template::repair::RepairKind;
        ///
        /// assert_eq!(RepairKind::CallId.as_str(), "call_id");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RepairKind {
            $($(#[$doc])+ $kind,)+
        }

        impl RepairKind {
            /// Every kind.
            pub const ALL: &'static [RepairKind] = &[$(RepairKind::$kind),+];

            /// The kind's name, for machines: stable, in snake case.
            ///
            /// ```
            /// # use mistral_chat_template::repair::RepairKind;
            /// assert_eq!(RepairKind::ReplyContinued.as_str(), "reply_continued");
            /// ```
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(RepairKind::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A call or a result got another id.
    CallId => "call_id",
    /// A call, or what a result says of its call, got another name.
    CallName => "call_name",
    /// A call was left out.
    CallDropped => "call_dropped",
    /// A call got a result.
    CallAnswered => "call_answered",
    /// A call went to the reply that its result came behind.
    CallMoved => "call_moved",
    /// Calls went into the next message.
    CallsJoined => "calls_joined",
    /// Calls of one message went into several.
    CallsSplit => "calls_split",
    /// A result went to another place.
    ResultMoved => "result_moved",
    /// A result was left out.
    ResultDropped => "result_dropped",
    /// A result became a user message.
    ResultAsUser => "result_as_user",
    /// Text beside calls was left out.
    TextDropped => "text_dropped",
    /// Thinking was left out.
    ThinkingDropped => "thinking_dropped",
    /// Thinking became text.
    ThinkingAsText => "thinking_as_text",
    /// An image or audio was left out.
    MediaDropped => "media_dropped",
    /// An image or audio became text.
    MediaAsText => "media_as_text",
    /// An assistant message that says nothing was left out.
    EmptyReplyDropped => "empty_reply_dropped",
    /// An assistant message that says nothing says a space.
    EmptyReplyKept => "empty_reply_kept",
    /// A system message became a user message.
    SystemAsUser => "system_as_user",
    /// A system message went to the beginning.
    SystemMoved => "system_moved",
    /// An empty user message was added.
    UserAdded => "user_added",
    /// A message to be continued became complete.
    PrefixEnded => "prefix_ended",
    /// A complete message became one to be continued.
    ReplyContinued => "reply_continued",
    /// The assistant message at the end was left out.
    ReplyDropped => "reply_dropped",
    /// A message behind the last assistant message was left out.
    LastDropped => "last_dropped",
    /// A tool got another name, and so did its calls.
    ToolName => "tool_name",
    /// A tool that is not a function was left out.
    ToolDropped => "tool_dropped",
    /// The reasoning effort became another that the layout has.
    EffortChanged => "effort_changed",
    /// The reasoning effort was left out.
    EffortDropped => "effort_dropped",
    /// A lone surrogate became U+FFFD.
    Surrogate => "surrogate",
    /// A part of a message that no chat holds was left out.
    PartDropped => "part_dropped",
    /// A part of a message became text.
    PartAsText => "part_as_text",
    /// A field that is missing, null or of another type got a value that can be read.
    FieldMended => "field_mended",
    /// A field that cannot be read was left out.
    FieldDropped => "field_dropped",
    /// The request was read in another form than its own.
    Form => "form",
}

impl fmt::Display for RepairKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
