//! A chat that goes on: its prompt and ids grow with each turn, and the oldest turns go when they no longer fit.
//!
//! ```
//! use mistral_chat_template::{Chat, Conversation, Layout, Message};
//!
//! let mut conversation = Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
//! let update = conversation.append([Message::assistant("Hello!"), Message::user("Bye")])?;
//!
//! assert_eq!(conversation.prompt().as_str(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]");
//! assert_eq!(update.start, "<s>[INST] Hi[/INST]".len(), "a prefix cache keeps all that stood before");
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! A [`Conversation`] holds the prompt, and the token ids if it has a tokenizer. A [`Window`] decides which turns still
//! fit; [`Chat::fit`](crate::Chat::fit) does so for a single chat.

mod drift;
mod echo;
mod fit;
mod growing;
mod ids;
mod object;
mod truncate;
mod update;
mod window;

pub use self::drift::Drift;
pub use self::fit::Fitted;
pub use self::object::{Conversation, NoTokenizer, Rest};
pub use self::update::{EncodedSegment, Move, Update};
pub use self::window::Window;
