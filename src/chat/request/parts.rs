//! Parts of a message as Mistral's APIs send them, for the dialects that have them in a form of their own around them.

use std::borrow::Cow;

use super::completions::is_reference;
use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::{Reader, content};
use crate::chat::read::names;
use crate::chat::{Chunk, Content, Dialect};
use crate::error::{Error, ErrorKind};
use crate::terms::ChunkKind;

/// A text or a list of parts, and where each chunk stands in the list.
pub(super) fn parts<'a>(
    reader: &mut Reader<'_, 'a>,
    node: Node<'a>,
    at: &Path<'_>,
) -> Result<(Content<'a>, Vec<usize>), Error> {
    if node.is_text() {
        return Ok((Content::Text(reader.text(node, at)?), Vec::new()));
    }
    let (mut chunks, mut positions) = (Vec::new(), Vec::new());
    let mut is_behind_reference = false;
    for (index, node) in reader.list(node, at)?.into_iter().enumerate() {
        let at = at.index(index);
        if is_reference(node) {
            // What a text refers to is not part of what was said.
            reader.notes.ignored.push(at.to_string());
            is_behind_reference = true;
            continue;
        }
        let read = part(reader, node, &at);
        let is_behind_reference = std::mem::take(&mut is_behind_reference);
        if let Some(chunk) = reader.or_drop(read, NoteSort::PartDropped)? {
            match (chunks.last_mut(), &chunk) {
                // A reference stands inside a text, which goes on behind it.
                (Some(Chunk::Text(text)), Chunk::Text(more)) if is_behind_reference => {
                    text.to_mut().push_str(more);
                    continue;
                }
                _ => chunks.push(chunk),
            }
            positions.push(index);
        }
    }
    Ok((content(chunks), positions))
}

fn part<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<Chunk<'a>, Error> {
    let fields = reader.object(node, at)?;
    let name = reader.text_of(&fields, "type", at)?;
    reader.notes.ignore_others(at, &fields, &[known::PART, &[&*name, "closed"]]);
    let Some(kind) = ChunkKind::from_name(&name) else {
        let kind = ErrorKind::UnknownItem { name: name.into_owned(), dialect: Dialect::Conversations };
        return Err(Error::new(kind, at.field("type").to_string()));
    };
    match kind {
        ChunkKind::Text => reader.text_of(&fields, "text", at).map(Chunk::Text),
        ChunkKind::Image => reader.text_of(&fields, "image", at).map(Chunk::Image),
        ChunkKind::Thinking => {
            let text = thinking(reader, reader.field(&fields, "thinking", at)?, &at.field("thinking"))?;
            Ok(Chunk::Thinking { text, closed: fields.value("closed").and_then(Node::bool).unwrap_or(true) })
        }
        ChunkKind::ImageUrl => {
            let (url, detail) = media(reader, &fields, kind, at)?;
            Ok(Chunk::ImageUrl { url, detail })
        }
        ChunkKind::InputAudio => media(reader, &fields, kind, at).map(|(data, _)| Chunk::InputAudio(data)),
        ChunkKind::AudioUrl => media(reader, &fields, kind, at).map(|(url, _)| Chunk::AudioUrl(url)),
    }
}

/// The URL or the data of a medium, and its detail: a text, or an object.
fn media<'a>(
    reader: &mut Reader<'_, 'a>,
    fields: &Fields<'a>,
    kind: ChunkKind,
    at: &Path<'_>,
) -> Result<(Cow<'a, str>, Option<Cow<'a, str>>), Error> {
    let (name, here) = (kind.as_str(), at.field(kind.as_str()));
    let node = fields.value(name).ok_or_else(|| Error::new(ErrorKind::MissingField(name), at.to_string()))?;
    let Some(media) = node.fields() else { return Ok((reader.text(node, &here)?, None)) };
    reader.notes.ignore_others(&here, &media, &[names::MEDIA, known::PART]);
    let name = if media.has("data") { "data" } else { "url" };
    Ok((reader.text_of(&media, name, &here)?, reader.text_in(&media, "detail", &here)?))
}

/// Thinking: a text, or a list of texts.
fn thinking<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<Cow<'a, str>, Error> {
    if node.is_text() {
        return reader.text(node, at);
    }
    let mut whole = String::new();
    for (index, node) in reader.list(node, at)?.into_iter().enumerate() {
        let at = at.index(index);
        if is_reference(node) {
            reader.notes.ignored.push(at.to_string());
        } else {
            let fields = reader.object(node, &at)?;
            reader.notes.ignore_others(&at, &fields, &[known::PART, &["text"]]);
            whole.push_str(&reader.text_of(&fields, "text", &at)?);
        }
    }
    Ok(Cow::Owned(whole))
}
