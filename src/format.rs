//! [`Format`]: a chat in, a prompt out.

use crate::chat::Chat;
use crate::error::Error;
use crate::prompt::{PrefixBreak, Prompt};

/// Anything that turns a chat into a prompt.
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
    /// The chat is not one that this format accepts; the prompt is empty then.
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

    /// Where the prompt of a chat parts from the prompt of the chat's first `n` messages; `None` if it begins with it.
    ///
    /// Segments are compared: a prompt whose last text goes on in the longer one does not begin it. A [`Layout`] tells
    /// it without rendering, and takes the first messages in [`Mode::Test`], which is how a server rendered them. A
    /// template and a preset render both.
    ///
    /// # Errors
    ///
    /// The format does not accept the chat, or does not accept its first `n` messages: they are none, or end with a
    /// complete reply.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, Preset};
    /// use mistral_chat_template::preset::{Builtin, Scene};
    ///
    /// let chat = Chat::new([
    ///     Message::system("Be kind."),
    ///     Message::user("Hi"),
    ///     Message::assistant("Hello!"),
    ///     Message::user("How are you?"),
    /// ]);
    /// let right = Preset::for_layout(&Layout::V7)?.with_scene(&Scene::default())?;
    /// let published = Builtin::Magnum.preset().with_scene(&Scene::default())?;
    /// let formats: [(&dyn Format, Option<&str>); 4] = [
    ///     (&Layout::V3, Some("the system prompt moves to the last user turn")),
    ///     (&Layout::V7, None),
    ///     (&right, None),
    ///     (&published, Some("one text goes on where the other ends")),
    /// ];
    /// for (format, why) in formats {
    ///     assert_eq!(format.prefix_break(&chat, 2)?.map(|parts| parts.to_string()).as_deref(), why);
    /// }
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    ///
    /// [`Layout`]: crate::Layout
    /// [`Mode::Test`]: crate::Mode::Test
    fn prefix_break(&self, chat: &Chat<'_>, n: usize) -> Result<Option<PrefixBreak>, Error> {
        let whole = self.render(chat)?;
        Ok(whole.prefix_break(&self.render(&chat.first(n))?))
    }
}
