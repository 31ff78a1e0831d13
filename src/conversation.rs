//! A chat that goes on: its prompt and ids grow with each turn, and the oldest turns go when they no longer fit.

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
