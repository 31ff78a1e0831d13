//! The mark of a render, for the filters that have to look past it.

use minijinja::State;

/// The variable that holds the mark of a render, a name that no template can spell.
pub(super) const MARK: &str = "\u{1}mark";

/// The mark of this render; none where nothing is marked.
pub(super) fn mark(state: &State<'_, '_>) -> Option<char> {
    state.lookup(MARK).and_then(|mark| mark.as_str().and_then(|mark| mark.chars().next()))
}

/// How many characters the text has without its marks.
pub(super) fn length(state: &State<'_, '_>, text: &str) -> usize {
    let mark = mark(state);
    text.chars().filter(|character| Some(*character) != mark).count()
}
