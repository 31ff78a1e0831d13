//! Rows that are too long, cut at an exchange; and rows packed into sequences of one length.

use crate::chat::Role;
use crate::chat::row::Row;

impl Row<'_> {
    /// Leaves out exchanges at the end until the row fits, and says how many messages went; `None` where even the first
    /// exchange does not fit. Of an answer to a prompt nothing can be left out.
    ///
    /// `fits` is asked about a row of fewer exchanges each time, as often as the count of exchanges has binary digits.
    ///
    /// # Errors
    ///
    /// Those of `fits`.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    ///
    /// let row = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
    ///     {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#;
    /// let mut row = RowReader::default().read(row)?;
    /// let dropped = row.cut(|row| Ok::<_, mistral_chat_template::Error>(row.chat.messages.len() < 4))?;
    /// assert_eq!((dropped, row.chat.messages.len()), (Some(2), 2));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn cut<E>(&mut self, mut fits: impl FnMut(&Row<'_>) -> Result<bool, E>) -> Result<Option<usize>, E> {
        let length = self.chat.messages.len();
        if fits(self)? {
            return Ok(Some(0));
        }
        if self.prompt_len > 0 || self.rejected.is_some() {
            return Ok(None);
        }
        let ends = self.exchange_ends();
        let mut shorter = self.clone();
        let (mut longest, mut candidates) = (None, ends.as_slice());
        while let Some((middle, end)) = candidates.get(candidates.len() / 2).map(|end| (candidates.len() / 2, *end)) {
            shorter.clone_from(self);
            shorter.keep(end);
            let (before, after) = candidates.split_at_checked(middle).unwrap_or_default();
            if fits(&shorter)? {
                longest = Some(end);
                candidates = after.get(1..).unwrap_or_default();
            } else {
                candidates = before;
            }
        }
        Ok(longest.map(|end| {
            self.keep(end);
            length - end
        }))
    }

    /// Where the chat could end before its end: behind each reply that a question follows.
    fn exchange_ends(&self) -> Vec<usize> {
        let roles: Vec<Role> = self.chat.messages.iter().map(|message| message.role()).collect();
        let is_end =
            |(index, pair): (usize, &[Role])| matches!(pair, [Role::Assistant, Role::User]).then_some(index + 1);
        roles.windows(2).enumerate().filter_map(is_end).collect()
    }

    fn keep(&mut self, length: usize) {
        self.chat.messages.truncate(length);
        self.marks.truncate(length);
    }
}

/// Packs rows into sequences of at most one length, in order: a row that does not fit begins the next sequence.
///
/// ```
/// use mistral_chat_template::train::{Packed, Packer};
/// use mistral_chat_template::train::Labelled;
///
/// let row = |id| Labelled { input_ids: vec![id; 3], labels: vec![-100, -100, 5] };
/// let mut packer = Packer::new(7);
/// assert_eq!(packer.add(row(1)), None);
/// assert_eq!(packer.add(row(2)), None);
/// let full: Packed = packer.add(row(3)).unwrap();
/// assert_eq!(full.rows.input_ids, [1, 1, 1, 2, 2, 2]);
/// assert_eq!(full.position_ids, [0, 1, 2, 0, 1, 2]);
/// assert_eq!(full.starts, [0, 3]);
/// assert_eq!(packer.finish().unwrap().starts, [0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Packer {
    length: usize,
    open: Packed,
}

/// Rows in one sequence.
///
/// ```
/// use mistral_chat_template::train::Packed;
///
/// assert!(Packed::default().starts.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// The ids and labels of the rows, one behind the other.
    pub rows: super::Labelled,
    /// Each token's place in its row.
    pub position_ids: Vec<u32>,
    /// Where each row begins.
    pub starts: Vec<usize>,
}

impl Packer {
    /// A packer for sequences of at most this many tokens; a longer row is a sequence by itself.
    ///
    /// ```
    /// # use mistral_chat_template::train::Packer;
    /// assert!(Packer::new(8192).finish().is_none());
    /// ```
    #[must_use]
    pub fn new(length: usize) -> Self {
        Packer { length, open: Packed::default() }
    }

    /// Adds a row, and gives the sequence that is full without it, if it does not fit.
    ///
    /// ```
    /// # use mistral_chat_template::train::Packer;
    /// # use mistral_chat_template::train::Labelled;
    /// let row = Labelled { input_ids: vec![1, 2], labels: vec![-100, 2] };
    /// assert!(Packer::new(2).add(row).is_none());
    /// ```
    pub fn add(&mut self, row: super::Labelled) -> Option<Packed> {
        let is_full = self.open.rows.input_ids.len() + row.input_ids.len() > self.length;
        let full = if is_full { self.finish() } else { None };
        let Packed { rows, position_ids, starts } = &mut self.open;
        starts.push(rows.input_ids.len());
        position_ids.extend((0..).take(row.input_ids.len()));
        rows.input_ids.extend(row.input_ids);
        rows.labels.extend(row.labels);
        full
    }

    /// The last sequence, if any row is in it.
    ///
    /// ```
    /// # use mistral_chat_template::train::Packer;
    /// assert_eq!(Packer::new(10).finish(), None);
    /// ```
    pub fn finish(&mut self) -> Option<Packed> {
        let open = std::mem::take(&mut self.open);
        (!open.starts.is_empty()).then_some(open)
    }
}
