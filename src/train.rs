//! A row of a data set in, what a trainer learns from out: the chat, the messages that are learnt, ids and labels.

mod policy;
mod row;

pub use self::policy::{LearntTurns, Marks, TrainingPolicy};
pub use self::row::{Notes, Nulls, Row, RowField, RowReader, ThinkTags};
