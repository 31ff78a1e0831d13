//! What a trainer learns from: a row of a data set in, its chat, loss mask, token ids and labels out.
//!
//! ```
//! use mistral_chat_template::train::Learn;
//! use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
//!
//! let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
//! let prompt = Layout::V7.in_mode(Mode::Finetuning).render(&chat)?;
//! let mask = prompt.mask(Learn::Assistant)?;
//! assert_eq!(mask.texts().collect::<Vec<_>>(), [" Hello!</s>"]);
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! [`RowReader`] reads rows of any shape, [`TrainingPolicy`] decides what is learnt as a named trainer does, and
//! [`Packer`] packs rows into sequences of one length.

mod fit;
mod mask;
mod policy;
mod repair;

pub use self::fit::{Packed, Packer};
pub use self::mask::{Labelled, Learn, Mask};
pub use self::policy::{LearntTurns, Marks, TrainingPolicy, UnknownPolicy};
pub use crate::chat::row::{Notes, Nulls, Row, RowField, RowReader, ThinkTags};
