//! Colour where someone sees it: on a terminal, unless `NO_COLOR` is set.

use std::fmt;
use std::io::IsTerminal;

/// Does what is printed have colour?
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    On,
    Off,
}

impl Colour {
    pub(crate) fn of(output: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if output.is_terminal() && !unwanted { Colour::On } else { Colour::Off }
    }

    /// The text in a style, by its SGR number.
    pub(crate) fn paint<T: fmt::Display>(self, style: u8, text: T) -> Painted<T> {
        Painted { colour: self, style, text }
    }
}

pub(crate) struct Painted<T> {
    colour: Colour,
    style: u8,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.colour {
            Colour::On => write!(f, "\x1b[{}m{}\x1b[0m", self.style, self.text),
            Colour::Off => self.text.fmt(f),
        }
    }
}
