//! [`Update`]: what became of a conversation's ids.

use std::ops::Range;

use crate::layout::WordStart;
use crate::prompt::{PrefixBreak, Segment};

/// What became of a conversation's prompt and ids when it went on.
///
/// ```
/// use mistral_chat_template::{Chat, Control, Conversation, Layout, Message, Tokenizer};
/// use mistral_chat_template::layout::{UserTurn, WordStart};
/// use mistral_chat_template::prompt::BreakCause;
///
/// struct Bytes;
/// impl Tokenizer for Bytes {
///     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
///         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
///     }
///     fn control(&self, control: Control) -> Option<u32> {
///         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
///     }
/// }
///
/// let chat = Chat::new([Message::system("S"), Message::user("a")]);
/// let mut conversation = Conversation::new(chat, &Layout::V3, Bytes)?;
/// let update = conversation.append([Message::assistant("b"), Message::user("c")])?;
///
/// let moves = BreakCause::SystemMoves { to: UserTurn::Last };
/// assert_eq!(update.prefix_break.map(|it| it.cause), Some(moves));
/// assert_eq!((update.kept, update.new_ids.clone()), (2, 2..12), "<s>[INST] stays");
/// assert_eq!(update.new_position(6), Some(3), "the first [/INST] was moved with its id");
/// assert_eq!(update.encoded, 7, "the texts a, b and S\n\nc, and </s>");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Update {
    /// How many ids at the beginning are as they were: what a prefix cache keeps.
    pub kept: usize,
    /// The ids that the model has not read, all behind those.
    pub new_ids: Range<usize>,
    /// How many ids were encoded; the others were known.
    pub encoded: usize,
    /// Where and why the ids do not begin with all that were there; absent where they go on.
    pub prefix_break: Option<PrefixBreak>,
    /// The new segments, as indexes of [`Conversation::segments`](crate::Conversation::segments). A reply's are among them
    /// once it is part of the prompt, though its ids are not new.
    pub new_segments: Range<usize>,
    /// The byte of the prompt at which they begin.
    pub start: usize,
    /// Where ids went that are the same as before, in the order of the new positions; the first range is what was kept.
    pub moves: Vec<Move>,
    /// What stands before a reply that was sampled is other ids now, or the reply is gone: the model did not say it there.
    /// The row until then is [`Conversation::ended_sample`](crate::Conversation::ended_sample).
    pub ends_sample: bool,
}

impl Update {
    /// The new position of an id, by its old one: to carry log-probabilities, or blocks of a cache. None for an id that
    /// is gone.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Conversation, Layout, Message};
    /// let mut conversation = Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
    /// let update = conversation.append([Message::assistant("Hello!"), Message::user("Bye")])?;
    /// assert_eq!(update.new_position(0), None, "there are no ids");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn new_position(&self, old: usize) -> Option<usize> {
        let moved = self.moves.iter().find(|moved| moved.from.contains(&old))?;
        Some(moved.to.start + old - moved.from.start)
    }

    /// This update and the next as one.
    pub(super) fn then(self, next: Update) -> Update {
        let mut moves = Vec::new();
        for second in &next.moves {
            for first in &self.moves {
                let start = second.from.start.max(first.to.start);
                let end = second.from.end.min(first.to.end);
                if start < end {
                    let from = first.from.start + (start - first.to.start);
                    let to = second.to.start + (start - second.from.start);
                    push_move(&mut moves, from..from + (end - start), to..to + (end - start));
                }
            }
        }
        let is_first = |one: &PrefixBreak| next.prefix_break.as_ref().is_none_or(|other| one.segment < other.segment);
        Update {
            kept: self.kept.min(next.kept),
            new_ids: self.kept.min(next.kept)..next.new_ids.end,
            encoded: self.encoded + next.encoded,
            prefix_break: self.prefix_break.filter(is_first).or(next.prefix_break),
            new_segments: self.new_segments.start.min(next.new_segments.start)..next.new_segments.end,
            start: self.start.min(next.start),
            moves,
            ends_sample: self.ends_sample || next.ends_sample,
        }
    }
}

/// Ids that are the same as before, and where they went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// The old positions.
    pub from: Range<usize>,
    /// The new positions, as many.
    pub to: Range<usize>,
}

/// Adds a move, to the last one where it goes on.
pub(super) fn push_move(moves: &mut Vec<Move>, from: Range<usize>, to: Range<usize>) {
    if from.is_empty() {
        return;
    }
    match moves.last_mut() {
        Some(last) if last.from.end == from.start && last.to.end == to.start => {
            (last.from.end, last.to.end) = (from.end, to.end);
        }
        _ => moves.push(Move { from, to }),
    }
}

/// The moves of a conversation whose first `kept` ids stayed, and which had `known` of them.
pub(super) fn all_moves(kept: usize, known: usize, moves: Vec<Move>) -> Vec<Move> {
    let mut all = Vec::with_capacity(moves.len() + usize::from(kept > 0));
    push_move(&mut all, 0..kept, 0..kept);
    for Move { from, to } in moves {
        let stayed = kept.saturating_sub(to.start).min(to.len());
        let beyond = from.end.saturating_sub(known).min(from.len() - stayed);
        push_move(&mut all, from.start + stayed..from.end - beyond, to.start + stayed..to.end - beyond);
    }
    all
}

/// One segment of a conversation's prompt, and its ids.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EncodedSegment<'p> {
    /// The segment.
    pub segment: Segment<'p>,
    /// How the tokenizer is to begin it.
    pub word_start: WordStart,
    /// The positions of its ids. In a turn that was sampled they are told apart at its control tokens.
    pub ids: Range<usize>,
    /// The message that it comes from, where from one.
    pub message: Option<usize>,
    /// Is it of a turn that was sampled?
    pub sampled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::BreakCause;

    fn moved(from: Range<usize>, to: Range<usize>) -> Move {
        Move { from, to }
    }

    fn breaking(segment: usize, cause: BreakCause) -> Update {
        Update { prefix_break: Some(PrefixBreak { segment, message: None, cause }), ..Update::default() }
    }

    #[test]
    fn two_updates_are_one() {
        let one = Update { encoded: 3, moves: vec![moved(0..2, 0..2), moved(4..8, 3..7)], ..Update::default() };
        let other = Update {
            encoded: 2,
            moves: vec![moved(0..4, 0..4), moved(6..7, 4..5)],
            ends_sample: true,
            ..Update::default()
        };
        let both = one.then(other);
        assert_eq!(both.moves, [moved(0..2, 0..2), moved(4..5, 3..4), moved(7..8, 4..5)]);
        assert_eq!((both.encoded, both.ends_sample), (5, true));
    }

    #[test]
    fn the_first_break_counts_and_of_two_at_one_place_the_later() {
        let (reply, message) = (BreakCause::ReplyChanges, BreakCause::MessageChanges);
        for (one, other, expected) in [(1, 2, (1, reply)), (2, 1, (1, message)), (2, 2, (2, message))] {
            let both = breaking(one, reply).then(breaking(other, message));
            assert_eq!(both.prefix_break.map(|it| (it.segment, it.cause)), Some(expected));
        }
    }
}
