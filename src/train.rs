//! A row of a data set in, what a trainer learns from out: the chat, the messages that are learnt, ids and labels.

mod fit;
mod mask;
mod policy;
mod repair;

pub use self::fit::{Packed, Packer};
pub use self::mask::{Labelled, Learn, Mask};
pub use self::policy::{LearntTurns, Marks, TrainingPolicy, UnknownPolicy};
pub use crate::chat::row::{Notes, Nulls, Row, RowField, RowReader, ThinkTags};
