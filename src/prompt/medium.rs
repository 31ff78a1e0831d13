//! [`Medium`]: one image or sound of a prompt, as a tokenizer is asked about it.

use super::Media;
use crate::chat::{Chat, Chunk};
use crate::image::{ImageError, base64_image, data_url_image};

/// One image or sound, whose ids a tokenizer is asked for.
///
/// ```
/// use mistral_chat_template::prompt::Medium;
/// use mistral_chat_template::{Chunk, Control};
///
/// let png = Chunk::image_url("data:image/gif;base64,R0lGODlhgALgAQAAACwAAAAA");
/// let medium = Medium::image(&png);
/// assert_eq!(medium.size()?, Some((640, 480)));
/// assert_eq!(Medium::image(&Chunk::image_url("https://example.com/cat.png")).size()?, None);
/// # Ok::<(), mistral_chat_template::image::ImageError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Medium<'c> {
    /// Is it an image or a sound?
    pub media: Media,
    /// How many images and sounds stand before it in the prompt.
    pub index: usize,
    /// The message that has it.
    pub message: Option<usize>,
    /// The chunk of that message: a URL, or data in base64. Absent where a prompt is encoded without its chat.
    pub chunk: Option<&'c Chunk<'c>>,
}

impl<'c> Medium<'c> {
    /// The first image of a prompt, by its chunk.
    ///
    /// ```
    /// # use mistral_chat_template::{Chunk, prompt::Medium};
    /// assert_eq!(Medium::image(&Chunk::image_url("https://example.com/cat.png")).index, 0);
    /// ```
    #[must_use]
    pub const fn image(chunk: &'c Chunk<'c>) -> Self {
        Medium { media: Media::Image, index: 0, message: None, chunk: Some(chunk) }
    }

    /// The width and the height in pixels of an image that came with its data; `None` for an image given by its URL, for
    /// audio, and for a chunk that is not known.
    ///
    /// # Errors
    ///
    /// The data is not that of an image: `data:image/png;base64,aGVsbG8=`.
    ///
    /// ```
    /// # use mistral_chat_template::{Chunk, prompt::Medium};
    /// let broken = Chunk::image_url("data:image/png;base64,aGVsbG8=");
    /// assert!(Medium::image(&broken).size().is_err());
    /// ```
    pub fn size(&self) -> Result<Option<(u32, u32)>, ImageError> {
        match self.chunk {
            Some(Chunk::ImageUrl { url, .. }) if url.starts_with("data:") => data_url_image(url).map(Some),
            Some(Chunk::Image(data)) => base64_image(data).map(Some),
            Some(
                Chunk::ImageUrl { .. }
                | Chunk::Text(_)
                | Chunk::Thinking { .. }
                | Chunk::InputAudio(_)
                | Chunk::AudioUrl(_),
            )
            | None => Ok(None),
        }
    }

    pub(super) const fn of(self, media: Media) -> Self {
        Medium { media, ..self }
    }
}

/// Where the images and sounds of a prompt are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MediaSource<'c> {
    Unknown,
    /// In the chat that the prompt was rendered from.
    Chat(&'c Chat<'c>),
}

impl<'c> MediaSource<'c> {
    /// The `index`-th image or sound of the prompt, and the `nth` of its message.
    pub(super) fn medium(self, index: usize, message: Option<usize>, nth: usize) -> Medium<'c> {
        Medium { media: Media::Image, index, message, chunk: self.chunk(message, nth) }
    }

    /// The `nth` image or sound of a message.
    pub(crate) fn chunk(self, message: Option<usize>, nth: usize) -> Option<&'c Chunk<'c>> {
        let MediaSource::Chat(chat) = self else { return None };
        let is_media = |chunk: &&Chunk<'_>| match chunk {
            Chunk::Image(_) | Chunk::ImageUrl { .. } | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => true,
            Chunk::Text(_) | Chunk::Thinking { .. } => false,
        };
        chat.messages.get(message?)?.content().chunks().iter().filter(is_media).nth(nth)
    }
}
