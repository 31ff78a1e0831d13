//! The colours: of the terminal's own sixteen, so that they go with any theme.

use anstyle::{AnsiColor, Style};
use mistral_chat_template::Role;

const fn of(color: AnsiColor) -> Style {
    color.on_default()
}

pub(crate) const ERROR: Style = of(AnsiColor::Red).bold();
pub(crate) const HEAD: Style = Style::new().bold();
/// Control tokens.
pub(crate) const CONTROL: Style = of(AnsiColor::Magenta).bold();
/// The space that SentencePiece sets before text.
pub(crate) const WORD_START: Style = of(AnsiColor::Magenta);
/// What stands for a character that cannot be seen.
pub(crate) const MARK: Style = of(AnsiColor::BrightBlack);
pub(crate) const TEXT: Style = Style::new();
pub(crate) const THINKING: Style = Style::new().italic();
/// Text that spells a control token.
pub(crate) const LOOKALIKE: Style = of(AnsiColor::Red).underline();
/// Beside it, in the margin.
pub(crate) const WARNING: Style = of(AnsiColor::Red).bold();
/// Rules and captions.
pub(crate) const FRAME: Style = of(AnsiColor::BrightBlack);

pub(crate) fn of_role(role: Option<Role>) -> Style {
    match role {
        Some(Role::System) => of(AnsiColor::Yellow),
        Some(Role::User) => of(AnsiColor::Blue),
        Some(Role::Assistant) => of(AnsiColor::Green),
        Some(Role::Tool) => of(AnsiColor::Cyan),
        Some(_) | None => FRAME,
    }
}
