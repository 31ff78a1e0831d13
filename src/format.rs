//! [`Format`]: a chat in, a prompt out.

use crate::chat::Chat;
use crate::error::Error;
use crate::prompt::Prompt;

/// Whatever turns a chat into a prompt.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message};
///
/// fn length(format: &impl Format, chat: &Chat) -> Result<usize, mistral_chat_template::Error> {
///     Ok(format.render(chat)?.as_str().len())
/// }
///
/// let chat = Chat::new([Message::user("Hi")]);
/// assert!(length(&Layout::V3, &chat)? > length(&Layout::V3_TEKKEN, &chat)?);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
pub trait Format {
    /// Renders the chat into a prompt that is begun anew, using the memory that it has.
    ///
    /// # Errors
    ///
    /// The chat is not one that this format takes; the prompt is empty then.
    fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error>;

    /// Renders the chat.
    ///
    /// # Errors
    ///
    /// As [`render_into`](Format::render_into).
    fn render(&self, chat: &Chat<'_>) -> Result<Prompt, Error> {
        let mut prompt = Prompt::new();
        self.render_into(chat, &mut prompt)?;
        Ok(prompt)
    }
}
