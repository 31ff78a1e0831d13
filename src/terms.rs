//! Small enums that every layer and every error uses: who a message comes from, what a prompt is for, whose API sent it.

mod chunk_kind;
mod dialect;
mod mode;
mod reasoning_effort;
mod role;
mod tokenizer_kind;

pub use self::chunk_kind::ChunkKind;
pub use self::dialect::Dialect;
pub use self::mode::Mode;
pub use self::reasoning_effort::ReasoningEffort;
pub use self::role::Role;
pub use self::tokenizer_kind::TokenizerKind;
