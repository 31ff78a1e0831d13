//! The fenced blocks of a Markdown file.
#![allow(dead_code, reason = "each test file uses a part")]

/// One fenced block.
pub(crate) struct Block<'t> {
    /// What follows the opening fence, such as `text v3`.
    pub(crate) info: &'t str,
    /// What is between the fences, without the newline at its end.
    pub(crate) body: &'t str,
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
}

/// The blocks, in order. A fence that is not closed is a mistake in the file.
pub(crate) fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut rest, mut line) = (markdown, 1);
    while let Some((before, info, after)) = split_at_fence(rest) {
        line += before.lines().count();
        let (body, _, tail) = split_at_fence(after).unwrap_or_else(|| panic!("the fence of line {line} is not closed"));
        blocks.push(Block { info, body: body.strip_suffix('\n').unwrap_or(body), line });
        line += body.lines().count() + 2;
        rest = tail;
    }
    blocks
}

/// What is before the next fence, what the fence says, and what is after it.
fn split_at_fence(text: &str) -> Option<(&str, &str, &str)> {
    const FENCE: &str = "```";
    let at = if text.starts_with(FENCE) { 0 } else { text.find("\n```")? + 1 };
    let (before, fence) = text.split_at(at);
    let (info, after) = fence[FENCE.len()..].split_once('\n').unwrap_or((&fence[FENCE.len()..], ""));
    Some((before, info, after))
}
