//! Chats into Mistral prompts.
#![forbid(unsafe_code)]

mod image;
mod version;

pub use image::{Grid, ImageConfig, ImageError, ImageToken, data_url_image, dimensions};
pub use version::{Certainty, DetectError, Detection, Feature, Features, Version};
