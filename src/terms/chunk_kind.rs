//! [`ChunkKind`]: the kind of a part of a message, by its name in JSON.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)+) => {
        /// The kind of a [`Chunk`](crate::Chunk).
        ///
        /// ```
        /// use mistral_chat_template::layout::ChunkKind;
        ///
        /// assert_eq!(ChunkKind::InputAudio.as_str(), "input_audio");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum ChunkKind {
            $($(#[$doc])* $kind,)+
        }

        impl ChunkKind {
            pub(crate) const ALL: &[ChunkKind] = &[$(ChunkKind::$kind),+];

            /// The kind's name in JSON.
            ///
            /// ```
            /// # use mistral_chat_template::layout::ChunkKind;
            /// assert_eq!(ChunkKind::ImageUrl.as_str(), "image_url");
            /// ```
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ChunkKind::$kind => $name,)+
                }
            }

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(ChunkKind::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// Text.
    Text "text",
    /// Thinking.
    Thinking "thinking",
    /// An image as base64.
    Image "image",
    /// An image by its URL.
    ImageUrl "image_url",
    /// Audio as base64.
    InputAudio "input_audio",
    /// Audio by its URL.
    AudioUrl "audio_url",
}

impl ChunkKind {
    pub(crate) const fn is_audio(self) -> bool {
        match self {
            ChunkKind::InputAudio | ChunkKind::AudioUrl => true,
            ChunkKind::Text | ChunkKind::Thinking | ChunkKind::Image | ChunkKind::ImageUrl => false,
        }
    }

    pub(crate) const fn is_image(self) -> bool {
        match self {
            ChunkKind::Image | ChunkKind::ImageUrl => true,
            ChunkKind::Text | ChunkKind::Thinking | ChunkKind::InputAudio | ChunkKind::AudioUrl => false,
        }
    }
}
