//! [`CallForm`]: how calls are written, part by part, for all that write or describe them.

use super::ToolCalls;
use crate::control::Control;

/// How the calls of a message are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallForm {
    pub(crate) grouping: Grouping,
    /// How names and ids are written.
    pub(crate) quoting: Quoting,
    /// The parts of one call.
    pub(crate) call: &'static [CallPart],
}

/// What stands around calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// Nothing: each call stands by itself.
    Apart,
    /// They are one list.
    List { control: Control, open: &'static str, between: &'static str, close: &'static str },
}

/// How names and ids are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// As they are.
    Bare,
    /// As JSON strings.
    Json,
}

/// One part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallPart {
    Control(Control),
    /// Text that the layout writes.
    Text(&'static str),
    Name,
    /// The arguments, as JSON.
    Arguments,
    /// The parts of a call that has an id.
    IfId(&'static [CallPart]),
    Id,
}

const LIST: Grouping = Grouping::List { control: Control::ToolCalls, open: "[", between: ", ", close: "]" };
const NAME: CallPart = CallPart::Text("{\"name\": ");
const ARGUMENTS: CallPart = CallPart::Text(", \"arguments\": ");
const ID: CallPart = CallPart::IfId(&[CallPart::Text(", \"id\": "), CallPart::Id]);
const END: CallPart = CallPart::Text("}");

impl ToolCalls {
    /// Are the calls of a message one list?
    pub(crate) fn is_list(self) -> bool {
        self.form().is_some_and(|form| matches!(form.grouping, Grouping::List { .. }))
    }

    /// Is a call's id written?
    pub(crate) fn writes_ids(self) -> bool {
        self.form().is_some_and(|form| form.call.iter().any(|part| matches!(part, CallPart::IfId(_))))
    }

    /// Is a call's id written behind its arguments?
    pub(crate) fn writes_ids_last(self) -> bool {
        let place = |form: &CallForm, part: fn(&CallPart) -> bool| form.call.iter().position(part);
        self.form().is_some_and(|form| {
            place(&form, |part| matches!(part, CallPart::IfId(_)))
                > place(&form, |part| matches!(part, CallPart::Arguments))
        })
    }

    /// How these calls are written; `None` for a layout without calls.
    pub(crate) const fn form(self) -> Option<CallForm> {
        use CallPart::{Arguments, Control as Token, Name};
        let call: &'static [CallPart] = match self {
            ToolCalls::None => return None,
            ToolCalls::List => &[NAME, Name, ARGUMENTS, Arguments, END],
            ToolCalls::ListWithIds => &[NAME, Name, ARGUMENTS, Arguments, ID, END],
            ToolCalls::NameIdArguments => &[
                Token(Control::ToolCalls),
                Name,
                CallPart::IfId(&[Token(Control::CallId), CallPart::Id]),
                Token(Control::Args),
                Arguments,
            ],
            ToolCalls::NameArguments => &[Token(Control::ToolCalls), Name, Token(Control::Args), Arguments],
        };
        let (grouping, quoting) = match self {
            ToolCalls::List | ToolCalls::ListWithIds => (LIST, Quoting::Json),
            ToolCalls::None | ToolCalls::NameIdArguments | ToolCalls::NameArguments => (Grouping::Apart, Quoting::Bare),
        };
        Some(CallForm { grouping, quoting, call })
    }
}
