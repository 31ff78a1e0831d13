//! Takes white space out of a story string: what a `~` says, and the lines on which a block tag stands alone.

use super::super::tracked_text::is_space;
use super::{Block, Program, Statement, Strip};

/// Strips a whole story string.
pub(super) fn strip(program: &mut Program) {
    strip_program(program, Place::Root);
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// The beginning and the end are those of a line.
    Root,
    Block,
}

/// Which white space goes.
#[derive(Clone, Copy, PartialEq)]
enum Much {
    /// All of it.
    All,
    /// Spaces and tabs, and after a tag the newline behind them.
    OfLine,
}

/// What a statement asks of what stands around it.
#[derive(Default)]
struct Wish {
    strip: Strip,
    opens_alone: bool,
    closes_alone: bool,
    stands_alone: bool,
}

fn strip_program(program: &mut Program, place: Place) {
    for index in 0..program.body.len() {
        let wish = match program.body.get_mut(index) {
            Some(Statement::Mustache(_, strip)) => Wish { strip: *strip, ..Wish::default() },
            Some(Statement::Comment(strip)) => Wish { strip: *strip, stands_alone: true, ..Wish::default() },
            Some(Statement::Block(block)) => strip_block(block),
            Some(Statement::Content(_)) | None => continue,
        };
        let body = &mut program.body;
        let blank_before = ends_line(body, index, place);
        let blank_after = begins_line(body, index + 1, place);
        if wish.strip.close {
            cut_start(body.get_mut(index + 1), Much::All);
        }
        if wish.strip.open {
            cut_end(before(body, index), Much::All);
        }
        if wish.stands_alone && blank_before && blank_after {
            cut_start(body.get_mut(index + 1), Much::OfLine);
            cut_end(before(body, index), Much::OfLine);
        }
        if wish.opens_alone && blank_before {
            if let Some(Statement::Block(block)) = body.get_mut(index) {
                cut_start(block.program.as_mut().or(block.inverse.as_mut()).and_then(first), Much::OfLine);
            }
            cut_end(before(body, index), Much::OfLine);
        }
        if wish.closes_alone && blank_after {
            cut_start(body.get_mut(index + 1), Much::OfLine);
            if let Some(Statement::Block(block)) = body.get_mut(index) {
                cut_end(block.inverse.as_mut().or(block.program.as_mut()).and_then(last), Much::OfLine);
            }
        }
    }
}

fn strip_block(block: &mut Block) -> Wish {
    for program in [&mut block.program, &mut block.inverse].into_iter().flatten() {
        strip_program(program, Place::Block);
    }
    let Block { open_strip, inverse_strip, close_strip, .. } = *block;
    // An inverted block has its main part in the inverse.
    let (main, other) = match (&mut block.program, &mut block.inverse) {
        (Some(program), inverse) => (Some(program), inverse.as_mut()),
        (None, inverse) => (inverse.as_mut(), None),
    };
    let Some(main) = main else { return Wish::default() };
    let mut wish = Wish {
        strip: Strip { open: open_strip.open, close: close_strip.close },
        opens_alone: begins_line(&main.body, 0, Place::Block),
        ..Wish::default()
    };
    let Some(other) = other else {
        wish.closes_alone = ends_line(&main.body, main.body.len(), Place::Block);
        if open_strip.close {
            cut_start(first(main), Much::All);
        }
        if close_strip.open {
            cut_end(last(main), Much::All);
        }
        return wish;
    };
    on_first(other, |next| {
        wish.closes_alone = ends_line(&next.body, next.body.len(), Place::Block);
        if open_strip.close {
            cut_start(first(main), Much::All);
        }
        if inverse_strip.open {
            cut_end(last(main), Much::All);
        }
        if inverse_strip.close {
            cut_start(first(next), Much::All);
        }
        if close_strip.open {
            cut_end(last(next), Much::All);
        }
        if ends_line(&main.body, main.body.len(), Place::Block) && begins_line(&next.body, 0, Place::Block) {
            cut_end(last(main), Much::OfLine);
            cut_start(first(next), Much::OfLine);
        }
    });
    wish
}

/// Does something with what stands after the first `else`: of an `else if`, with what stands in it.
fn on_first(inverse: &mut Program, act: impl FnOnce(&mut Program)) {
    if inverse.chained
        && let Some(Statement::Block(block)) = inverse.body.first_mut()
        && let Some(inner) = &mut block.program
    {
        return act(inner);
    }
    act(inverse);
}

fn first(program: &mut Program) -> Option<&mut Statement> {
    program.body.first_mut()
}

fn last(program: &mut Program) -> Option<&mut Statement> {
    program.body.last_mut()
}

fn before(body: &mut [Statement], index: usize) -> Option<&mut Statement> {
    body.get_mut(index.checked_sub(1)?)
}

/// Does what stands before `index` end with an empty beginning of a line?
fn ends_line(body: &[Statement], index: usize, place: Place) -> bool {
    let Some(previous) = index.checked_sub(1) else { return place == Place::Root };
    let Some(Statement::Content(content)) = body.get(previous) else { return false };
    let text = content.original.trim_end_matches(|c| is_space(c) && c != '\n');
    text.ends_with('\n') || (text.is_empty() && previous == 0 && place == Place::Root)
}

/// Does what stands at `index` begin with an empty end of a line?
fn begins_line(body: &[Statement], index: usize, place: Place) -> bool {
    match body.get(index) {
        None => place == Place::Root,
        Some(Statement::Content(content)) => {
            let text = content.original.trim_start_matches(|c| is_space(c) && c != '\n');
            text.starts_with('\n') || (text.is_empty() && index + 1 == body.len() && place == Place::Root)
        }
        Some(_) => false,
    }
}

fn cut_start(statement: Option<&mut Statement>, much: Much) {
    let Some(Statement::Content(content)) = statement else { return };
    let kept = match much {
        Much::All => content.value.trim_start_matches(is_space),
        Much::OfLine => {
            let text = content.value.trim_start_matches([' ', '\t']);
            text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text)
        }
    };
    content.value = kept.to_owned();
}

fn cut_end(statement: Option<&mut Statement>, much: Much) {
    let Some(Statement::Content(content)) = statement else { return };
    let kept = match much {
        Much::All => content.value.trim_end_matches(is_space),
        Much::OfLine => content.value.trim_end_matches([' ', '\t']),
    };
    content.value = kept.to_owned();
}
