//! The ids of a prompt that changed, put together of those that were known; no more is encoded than is new.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;

use super::update::{Move, push_move};
use crate::chat::{Chat, Chunk, Role};
use crate::control::Control;
use crate::error::Error;
use crate::layout::{Mark, WordStart};
use crate::prompt::{Encoder, MediaSource, Place, Prompt, Run, Segment, Tokenizer};

/// An assistant turn as it was sampled.
#[derive(Clone, Debug)]
pub(super) struct SampledTurn {
    /// Where its ids begin; absent while the layout leaves the turn out.
    pub(super) start: Option<usize>,
    pub(super) ids: Vec<u32>,
    pub(super) sampled: Vec<bool>,
}

/// The turns that were sampled, by the first message of each.
pub(super) type SampledTurns = BTreeMap<usize, SampledTurn>;

/// Where a segment's ids end, and whether it is of a turn that was sampled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    pub(super) end: usize,
    pub(super) said: bool,
    /// How many images and sounds there are, up to it.
    pub(super) media: usize,
}

/// Says of each segment in order which sampled turn it is of.
pub(super) struct Inside<'s, 'a> {
    chat: &'s Chat<'a>,
    turns: &'s SampledTurns,
    close: Mark,
    turn: Option<usize>,
}

impl<'s, 'a> Inside<'s, 'a> {
    pub(super) fn new(chat: &'s Chat<'a>, turns: &'s SampledTurns, close: Mark) -> Self {
        Inside { chat, turns, close, turn: None }
    }

    /// The turn of the next segment, and whether it begins with it.
    pub(super) fn next(&mut self, run: &Run<'_>) -> Option<(usize, bool)> {
        let before = self.turn;
        let goes_on = |message: usize| self.chat.messages.get(message).is_some_and(|it| it.role() == Role::Assistant);
        let turn = match run.message? {
            message if self.turns.contains_key(&message) => Some(message),
            message => before.filter(|_| goes_on(message)),
        };
        let ends = match self.close {
            Mark::Control(close) => run.segment == Segment::Control(close),
            Mark::Text(_) => false,
        };
        self.turn = turn.filter(|_| !ends);
        turn.map(|turn| (turn, before != Some(turn)))
    }
}

/// What a segment's ids depend on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'p> {
    segment: Segment<'p>,
    word_start: WordStart,
    /// The image or sound, and its detail.
    medium: Option<(&'p str, Option<&'p str>)>,
}

/// Makes keys of a prompt's segments, from the beginning of a turn on.
struct Keys<'p> {
    source: MediaSource<'p>,
    of_message: (Option<usize>, usize),
}

impl<'p> Keys<'p> {
    fn new(chat: &'p Chat<'p>) -> Self {
        Keys { source: MediaSource::Chat(chat), of_message: (None, 0) }
    }

    fn next(&mut self, run: &Run<'p>) -> Key<'p> {
        let medium = match run.segment {
            Segment::Media(_) => {
                let nth = if self.of_message.0 == run.message { self.of_message.1 } else { 0 };
                self.of_message = (run.message, nth + 1);
                self.source.chunk(run.message, nth).and_then(|chunk| match chunk {
                    Chunk::ImageUrl { url, detail } => Some((&**url, detail.as_deref())),
                    Chunk::Image(data) | Chunk::InputAudio(data) | Chunk::AudioUrl(data) => Some((&**data, None)),
                    Chunk::Text(_) | Chunk::Thinking { .. } => None,
                })
            }
            Segment::Control(_) | Segment::Text(_) => None,
        };
        Key { segment: run.segment, word_start: run.word_start, medium }
    }
}

/// The segments that stood there before, and their ids.
pub(super) struct Known<'o> {
    segments: Vec<KnownSegment<'o>>,
    ids: &'o [u32],
    /// The segment behind the last that was found.
    cursor: usize,
    by_message: HashMap<(Key<'o>, Option<usize>), VecDeque<usize>>,
    by_content: HashMap<Key<'o>, VecDeque<usize>>,
    is_indexed: bool,
}

struct KnownSegment<'o> {
    key: Key<'o>,
    message: Option<usize>,
    ids: Range<usize>,
    said: bool,
    used: bool,
}

impl<'o> Known<'o> {
    /// The segments of a prompt that is cut off where a turn began, with the ends of its ids, which begin at `start`.
    pub(super) fn new(cut: &'o Prompt, chat: &'o Chat<'o>, parts: &[Part], start: usize, ids: &'o [u32]) -> Self {
        let (mut keys, mut at) = (Keys::new(chat), start);
        let known = |(run, part): (Run<'o>, &Part)| {
            let ids = std::mem::replace(&mut at, part.end)..part.end;
            KnownSegment { key: keys.next(&run), message: run.message, ids, said: part.said, used: false }
        };
        let segments = cut.runs_from(Place::default()).zip(parts).map(known).collect();
        let (by_message, by_content) = (HashMap::new(), HashMap::new());
        Known { segments, ids, cursor: 0, by_message, by_content, is_indexed: false }
    }

    /// The positions of the ids of such a segment: the next one's, of the same message, or else of any.
    fn find(&mut self, key: Key<'o>, message: Option<usize>) -> Option<(Range<usize>, bool)> {
        let next = self.segments.get(self.cursor).filter(|it| it.key == key && it.message == message && !it.said);
        let found = match next {
            Some(next) if !next.used => self.cursor,
            _ => self.look_up(key, message)?,
        };
        let segment = self.segments.get_mut(found)?;
        self.cursor = found + 1;
        Some((segment.ids.clone(), std::mem::replace(&mut segment.used, true)))
    }

    fn look_up(&mut self, key: Key<'o>, message: Option<usize>) -> Option<usize> {
        if !std::mem::replace(&mut self.is_indexed, true) {
            for (index, segment) in self.segments.iter().enumerate().filter(|(_, segment)| !segment.said) {
                self.by_message.entry((segment.key, segment.message)).or_default().push_back(index);
                self.by_content.entry(segment.key).or_default().push_back(index);
            }
        }
        let segments = &self.segments;
        let first_unused = |queue: &mut VecDeque<usize>| {
            let is_used = |index: &usize| segments.get(*index).is_some_and(|it| it.used);
            while queue.len() > 1 && queue.front().is_some_and(is_used) {
                queue.pop_front();
            }
            queue.front().copied()
        };
        let of_message = self.by_message.get_mut(&(key, message)).and_then(first_unused);
        of_message.or_else(|| self.by_content.get_mut(&key).and_then(first_unused))
    }

    /// Passes over the segments of a sampled turn.
    fn pass_over_said(&mut self) {
        while self.segments.get(self.cursor).is_some_and(|it| it.said) {
            self.cursor += 1;
        }
    }
}

/// The ids of a prompt from a place on.
#[derive(Default)]
pub(super) struct Assembled {
    pub(super) ids: Vec<u32>,
    pub(super) sampled: Vec<bool>,
    /// The segments' ends, among all ids.
    pub(super) parts: Vec<Part>,
    pub(super) moves: Vec<Move>,
    pub(super) encoded: usize,
    /// Where the sampled turns begin now.
    pub(super) starts: Vec<(usize, usize)>,
}

/// A prompt whose ids are asked for from a place on.
pub(super) struct Assembly<'s, 'a, T> {
    pub(super) tokenizer: &'s T,
    pub(super) prompt: &'s Prompt,
    pub(super) chat: &'s Chat<'a>,
    pub(super) close: Mark,
    pub(super) place: Place,
    /// The segment before the place.
    pub(super) before: Part,
    pub(super) turns: &'s SampledTurns,
}

impl<'s, T: Tokenizer> Assembly<'s, '_, T> {
    /// Puts the ids together; `known_message` says which message of the earlier chat a message is.
    pub(super) fn assemble(
        &self,
        mut known: Known<'s>,
        known_message: impl Fn(usize) -> Option<usize>,
    ) -> Result<Assembled, Error> {
        let mut out = Assembled::default();
        let Part { end: start, mut media, .. } = self.before;
        let mut encoder = Encoder::behind(media, self.tokenizer, MediaSource::Chat(self.chat));
        let (mut inside, mut keys) = (Inside::new(self.chat, self.turns, self.close), Keys::new(self.chat));
        let mut said: Vec<Segment<'_>> = Vec::new();
        let mut turn_start = start;
        for run in self.prompt.runs_from(self.place) {
            let key = keys.next(&run);
            let at = start + encoder.ids().len();
            media += usize::from(matches!(run.segment, Segment::Media(_)));
            let in_turn = inside.next(&run);
            if !matches!(in_turn, Some((_, false))) {
                self.end_turn(&mut out, turn_start, at, &mut said);
            }
            if let Some((first, begins)) = in_turn {
                if let Some(turn) = self.turns.get(&first).filter(|_| begins) {
                    turn_start = at;
                    encoder.append_known(&Run { segment: Segment::Text(""), ..run }, &turn.ids);
                    out.sampled.extend_from_slice(&turn.sampled);
                    out.starts.push((first, at));
                    if let Some(start) = turn.start {
                        push_move(&mut out.moves, start..start + turn.ids.len(), at..at + turn.ids.len());
                    }
                    known.pass_over_said();
                }
                said.push(run.segment);
                out.parts.push(Part { end: start + encoder.ids().len(), said: true, media });
                continue;
            }
            match known.find(key, run.message.and_then(&known_message)) {
                Some((from, is_used)) => {
                    encoder.append_known(&run, known.ids.get(from.clone()).unwrap_or_default());
                    if !is_used {
                        push_move(&mut out.moves, from.clone(), at..at + from.len());
                    }
                }
                None => out.encoded += encoder.append(&run)?.len(),
            }
            let end = encoder.ids().len();
            out.sampled.resize(end, false);
            out.parts.push(Part { end: start + end, said: false, media });
        }
        let end = start + encoder.ids().len();
        self.end_turn(&mut out, turn_start, end, &mut said);
        out.ids = encoder.into_ids();
        Ok(out)
    }

    /// Tells the ids of a sampled turn apart, where it ended with the last segments.
    fn end_turn(&self, out: &mut Assembled, start: usize, end: usize, said: &mut Vec<Segment<'_>>) {
        if said.is_empty() {
            return;
        }
        let turn = out.starts.last().and_then(|(first, _)| self.turns.get(first));
        let ids = turn.map(|turn| &*turn.ids).unwrap_or_default();
        let first = out.parts.len().saturating_sub(said.len());
        let ends = ends_by_controls(said, ids, |control| self.tokenizer.control(control));
        for (part, at) in out.parts.iter_mut().skip(first).zip(ends) {
            part.end = (start + at).min(end);
        }
        said.clear();
    }
}

/// Where the ids of each segment end, told by the control tokens among them; the last segment has the rest.
fn ends_by_controls(segments: &[Segment<'_>], ids: &[u32], id_of: impl Fn(Control) -> Option<u32>) -> Vec<usize> {
    let mut at = 0;
    let mut ends = Vec::with_capacity(segments.len());
    for (index, segment) in segments.iter().enumerate() {
        let rest = ids.get(at..).unwrap_or_default();
        at += match segment {
            Segment::Control(control) => usize::from(rest.first().copied() == id_of(*control)),
            Segment::Text(_) | Segment::Media(_) => {
                let control = segments.iter().skip(index + 1).find_map(|segment| match segment {
                    Segment::Control(control) => Some(*control),
                    Segment::Text(_) | Segment::Media(_) => None,
                });
                let next = control.and_then(&id_of);
                rest.iter().position(|id| Some(*id) == next).unwrap_or(rest.len())
            }
        };
        ends.push(at);
    }
    if let Some(last) = ends.last_mut() {
        *last = ids.len();
    }
    ends
}
