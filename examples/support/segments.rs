//! The segments of a prompt as JSON: `{"control": "[INST]"}`, `{"text": "Hi"}`, `{"media": "image"}`.

use mistral_chat_template::{Prompt, Segment};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The segments of a prompt, from one on.
pub(crate) struct Segments<'p> {
    pub(crate) prompt: &'p Prompt,
    pub(crate) start: usize,
}

impl Serialize for Segments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.prompt.segments().skip(self.start).map(Piece))
    }
}

struct Piece<'p>(Segment<'p>);

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, value) = match self.0 {
            Segment::Control(control) => ("control", control.as_str()),
            Segment::Text(text) => ("text", text),
            Segment::Media(media) => ("media", media.as_str()),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(kind, value)?;
        map.end()
    }
}
