//! A row of a data set in, what a trainer learns from out: the chat, the messages that are learnt, ids and labels.

mod fit;
mod policy;
mod repair;
mod row;

pub use self::fit::{Packed, Packer};
pub use self::policy::{LearntTurns, Marks, TrainingPolicy, UnknownPolicy};
pub(crate) use self::row::tools_from_json;
pub use self::row::{Notes, Nulls, Row, RowField, RowReader, ThinkTags};
