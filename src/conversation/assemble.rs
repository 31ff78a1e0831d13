//! The ids of a prompt that went on: put together of those that were known, and taken in.

use super::ids::{Assembled, Assembly, Known, Part};
use super::update::{Update, all_moves};
use super::{Conversation, EndedRow};
use crate::chat::Chat;
use crate::error::Error;
use crate::prompt::{BreakCause, Place, PrefixBreak, Prompt, Tokenizer};

impl<T: Tokenizer> Conversation<'_, T> {
    /// The ids of the prompt from a place on, before which the `first` segments are; `cut` stood there, of that chat.
    pub(super) fn assemble(
        &self,
        place: Place,
        first: usize,
        (cut, cut_chat): (&Prompt, &Chat<'_>),
        known_of: impl Fn(usize) -> Option<usize>,
    ) -> Result<Assembled, Error> {
        let Some(tokenizer) = &self.tokenizer else { return Ok(Assembled::default()) };
        let (prompt, chat, turns) = (self.prompt(), self.chat(), &self.turns);
        let (before, close) = (self.last_of_first(first), self.layout().reply.close);
        let known = Known::new(cut, cut_chat, self.parts.get(first..).unwrap_or_default(), before.end, &self.ids);
        Assembly { tokenizer, prompt, chat, close, place, before, turns }.assemble(known, known_of)
    }

    /// Inserts ids behind those of the `first` segments, which end at `place`; the next `stays` segments stay.
    pub(super) fn take_in(
        &mut self,
        assembled: Assembled,
        (place, first, stays): (Place, usize, usize),
        open: usize,
        prefix_break: Option<PrefixBreak>,
    ) -> Update {
        let start = self.ids_of_first(first);
        let Assembled { ids, sampled, parts, moves, encoded, starts } = assembled;
        let known = self.ids.get(start..).unwrap_or_default();
        let same = known.iter().zip(&ids).take_while(|(one, other)| one == other).count();
        let kept = (start + same).min(open);
        let is_lost = self.as_read.get(kept..).unwrap_or_default().contains(&true);
        self.ended = is_lost.then(|| EndedRow {
            kept,
            ids: self.ids.get(kept..).unwrap_or_default().to_vec(),
            as_read: self.as_read.get(kept..).unwrap_or_default().to_vec(),
        });
        let reply_changes = PrefixBreak { segment: self.parts.len(), message: None, cause: BreakCause::ReplyChanges };

        self.ids.truncate(start);
        self.ids.extend(ids);
        self.sampled.truncate(start);
        self.sampled.extend(sampled);
        self.as_read.truncate(start + same);
        self.as_read.resize(self.ids.len(), false);
        self.parts.truncate(first);
        match self.tokenizer {
            Some(_) => self.parts.extend(parts),
            None => self.parts.resize(first + self.prompt().count_runs(place), Part::default()),
        }
        // A turn that stood there and is not written now may come back.
        let were_there = self.turns.values_mut().rev().take_while(|turn| turn.start.is_none_or(|at| at >= start));
        were_there.for_each(|turn| turn.start = None);
        for (message, start) in starts {
            if let Some(turn) = self.turns.get_mut(&message) {
                turn.start = Some(start);
            }
        }
        let new_segments = first + stays..self.parts.len();
        let begins = if stays == 0 { place.bytes } else { self.start_of_run(place, stays) };
        let prefix_break = prefix_break.or_else(|| (kept < open).then_some(reply_changes));
        Update {
            kept,
            new_ids: kept..self.ids.len(),
            encoded,
            prefix_break,
            start: begins,
            new_segments,
            moves: all_moves(kept, open, moves),
            ends_sample: is_lost,
        }
    }

    /// The byte at which a run begins that is so many behind a place.
    fn start_of_run(&self, place: Place, behind: usize) -> usize {
        let prompt = self.prompt();
        prompt.runs_from(place).nth(behind).map_or(prompt.as_str().len(), |run| run.start)
    }
}
