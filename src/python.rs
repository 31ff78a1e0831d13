//! What Python does with texts and numbers, for the templates that are written for it.

pub(crate) mod characters;
pub(crate) mod format;
pub(crate) mod names;
pub(crate) mod strftime;
mod tables;
pub(crate) mod wrap;
