//! What a layout's variants have in common, for those who need no more: a new variant is named here by the compiler.

use super::{
    EffortSetting, Frame, History, Layout, Pairing, SchemaSetting, Settings, System, TextAndCalls, Thinking, ToolCalls,
    ToolResults, UserTurn, WordStart,
};
use crate::chat::Chat;

impl Layout {
    /// Of the first and the last user turn, the one that carries the tools and the settings.
    pub(crate) fn tools_turn<T>(&self, (first, last): (T, T)) -> Option<T> {
        self.tools.map(|turn| turn.of(first, last))
    }

    /// Of the first and the last user turn, the one that carries the system prompt; `None` where it has its own.
    pub(crate) fn system_turn<T>(&self, (first, last): (T, T)) -> Option<T> {
        self.system.in_user().map(|(turn, _)| turn.of(first, last))
    }

    /// Does the chat have anything to print as tools or settings?
    pub(crate) fn prints_tools_or_settings(&self, chat: &Chat<'_>) -> bool {
        !chat.tools.is_empty() || self.settings.block().is_some()
    }
}

impl UserTurn {
    /// Of what belongs to the first and to the last user turn, this turn's.
    pub(crate) fn of<T>(self, first: T, last: T) -> T {
        match self {
            UserTurn::First => first,
            UserTurn::Last => last,
        }
    }

    pub(crate) const fn is_first(self) -> bool {
        match self {
            UserTurn::First => true,
            UserTurn::Last => false,
        }
    }

    pub(crate) const fn is_last(self) -> bool {
        match self {
            UserTurn::First => false,
            UserTurn::Last => true,
        }
    }
}

impl System {
    /// The user turn that carries the system prompt, and what joins the two.
    pub(crate) const fn in_user(self) -> Option<(UserTurn, &'static str)> {
        match self {
            System::InUser { turn, join } => Some((turn, join)),
            System::OwnTurn(_) => None,
        }
    }

    /// The frame of a system message that is a turn.
    pub(crate) const fn own_turn(&self) -> Option<&Frame> {
        match self {
            System::InUser { .. } => None,
            System::OwnTurn(frame) => Some(frame),
        }
    }
}

impl WordStart {
    /// What a decoder prints for it.
    pub(crate) const fn printed(self) -> &'static str {
        match self {
            WordStart::Space => " ",
            WordStart::Nothing => "",
        }
    }

    pub(crate) const fn is_space(self) -> bool {
        match self {
            WordStart::Space => true,
            WordStart::Nothing => false,
        }
    }
}

impl Settings {
    /// What the block of settings holds.
    pub(crate) const fn block(self) -> Option<(Option<EffortSetting>, SchemaSetting)> {
        match self {
            Settings::Unknown | Settings::Missing => None,
            Settings::Block { effort, schema } => Some((effort, schema)),
        }
    }

    /// The efforts that a chat can ask for.
    pub(crate) fn effort(self) -> Option<EffortSetting> {
        self.block().and_then(|(effort, _)| effort)
    }

    /// Do prompts have a block of settings, whatever the chat is, or none at all while the settings are missing?
    #[cfg(feature = "preset")]
    pub(crate) fn are_always_printed(self) -> bool {
        match self {
            Settings::Unknown => false,
            Settings::Missing => true,
            Settings::Block { effort, .. } => effort.is_some(),
        }
    }
}

impl SchemaSetting {
    pub(crate) const fn is_printed(self) -> bool {
        match self {
            SchemaSetting::Printed => true,
            SchemaSetting::NotPrinted => false,
        }
    }
}

impl ToolCalls {
    pub(crate) const fn are_written(self) -> bool {
        self.form().is_some()
    }
}

impl ToolResults {
    pub(crate) const fn are_written(self) -> bool {
        match self {
            ToolResults::None => false,
            ToolResults::NamedList | ToolResults::Object | ToolResults::IdThenContent | ToolResults::Content => true,
        }
    }

    /// Is a result's content a value in JSON?
    pub(crate) const fn are_json(self) -> bool {
        match self {
            ToolResults::NamedList | ToolResults::Object => true,
            ToolResults::None | ToolResults::IdThenContent | ToolResults::Content => false,
        }
    }

    /// Is the function's name written with its result?
    pub(crate) const fn have_names(self) -> bool {
        match self {
            ToolResults::NamedList => true,
            ToolResults::None | ToolResults::Object | ToolResults::IdThenContent | ToolResults::Content => false,
        }
    }
}

impl History {
    pub(crate) const fn drops(self) -> bool {
        match self {
            History::Drop => true,
            History::Keep => false,
        }
    }
}

impl Thinking {
    /// Is there thinking between control tokens?
    pub(crate) const fn has_tokens(self) -> bool {
        match self {
            Thinking::Tokens => true,
            Thinking::None | Thinking::Tags => false,
        }
    }

    /// Is there thinking between tags, which are text?
    pub(crate) const fn has_tags(self) -> bool {
        match self {
            Thinking::Tags => true,
            Thinking::None | Thinking::Tokens => false,
        }
    }
}

impl TextAndCalls {
    /// Is a message, or a turn, of both refused?
    pub(crate) const fn exclude_each_other(self) -> bool {
        match self {
            TextAndCalls::Either => true,
            TextAndCalls::Both => false,
        }
    }
}

impl Pairing {
    pub(crate) const fn is_by_id(self) -> bool {
        match self {
            Pairing::ById => true,
            Pairing::ByCount => false,
        }
    }
}
