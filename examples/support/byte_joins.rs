//! [`ByteJoins`]: where a text can be cut so that its parts have the ids that the whole has.

/// For each two bytes, whether a token has one behind the other. No merge crosses the place between two others.
pub(crate) struct ByteJoins(Box<[u64]>);

const ROW: usize = 256 / 64;

impl ByteJoins {
    pub(crate) fn new<'t>(tokens: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut joins = ByteJoins(vec![0; 256 * ROW].into());
        // A character is not cut.
        for row in joins.0.chunks_exact_mut(ROW) {
            row[2] = u64::MAX;
        }
        for pair in tokens.flat_map(|token| token.windows(2)) {
            let (word, bit) = Self::place(pair[0], pair[1]);
            joins.0[word] |= bit;
        }
        joins
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        (usize::from(first) * ROW + usize::from(second) / 64, 1 << (second % 64))
    }

    fn joins(&self, first: u8, second: u8) -> bool {
        let (word, bit) = Self::place(first, second);
        self.0[word] & bit != 0
    }

    /// The parts of a text between which no token can be.
    pub(crate) fn parts<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let mut pairs = rest.as_bytes().windows(2);
            let end = pairs.position(|pair| !self.joins(pair[0], pair[1])).map_or(rest.len(), |last| last + 1);
            let (part, after) = rest.split_at(end);
            rest = after;
            (!part.is_empty()).then_some(part)
        })
    }
}
