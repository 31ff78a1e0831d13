//! A chat that goes on: its prompt and ids grow with each turn, and the oldest turns go when they no longer fit.

mod fit;
mod growing;
mod transcript;
mod truncate;

pub use self::fit::Fitted;
pub use self::growing::{Addition, GrowingPrompt};
pub use self::transcript::{Drift, Transcript};
