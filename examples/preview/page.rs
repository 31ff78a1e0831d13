//! The page: a rule with the names, the prompt beside its margin, and what is to be known of it.

use anstyle::Style;
use mistral_chat_template::{Chat, Prompt, Role};
use unicode_width::UnicodeWidthStr;

use crate::blocks::{Block, Caption, PieceKind, Section, blocks};
use crate::facts::facts;
use crate::glyphs::{Mark, Run, Word, breakable, fitting, json_items, words};
use crate::inks;
use crate::source::Source;

/// The prompt as a page of this many columns.
pub(crate) fn page(name: &str, source: &Source, chat: &Chat<'_>, prompt: &Prompt, width: usize) -> String {
    let blocks = blocks(prompt, source.vocabulary());
    let mut page = Page::new(width, &blocks);
    page.rule('┬', name, &source.name());
    let mut before = None;
    for block in &blocks {
        page.block(block, before);
        before = Some(block.caption);
    }
    page.rule('┴', "", "");
    for (caption, fact) in facts(source, chat, prompt, &blocks) {
        page.fact(caption, &fact);
    }
    page.out
}

struct Page {
    out: String,
    width: usize,
    /// The columns of a message's index.
    index_width: usize,
    row: Row,
    /// What the margin says of the next row.
    margin: Margin,
}

/// The row that is being filled.
#[derive(Default)]
struct Row {
    text: String,
    used: usize,
    /// Does it hold text that spells a control token?
    has_lookalike: bool,
}

struct Margin {
    caption: String,
    ink: Style,
    bar: &'static str,
}

/// The columns of the longest caption.
const CAPTION_WIDTH: usize = "assistant".len();

impl Page {
    fn new(width: usize, blocks: &[Block<'_>]) -> Self {
        let last = blocks.iter().filter_map(|block| block.caption.message).max();
        let index_width = last.unwrap_or(0).to_string().len();
        let margin = Margin { caption: String::new(), ink: inks::FRAME, bar: "│" };
        Page { out: String::new(), width, index_width, row: Row::default(), margin }
    }

    /// The columns left of the bar.
    fn margin_width(&self) -> usize {
        1 + self.index_width + 1 + CAPTION_WIDTH + 1
    }

    /// The columns for text: the last one is kept for a mark.
    fn room(&self) -> usize {
        self.width.saturating_sub(self.margin_width() + "│ ".width() + 1)
    }

    /// A line across the page, with what the page shows on its left and as what on its right.
    fn rule(&mut self, joint: char, left: &str, right: &str) {
        let ink = inks::FRAME;
        let margin = "─".repeat(self.margin_width());
        let title = |name: &str| if name.is_empty() { String::new() } else { format!(" {name} ") };
        let right = title(right);
        let left = title(&ending(&clean(left), self.room().saturating_sub(right.width() + 3)));
        let fill = "─".repeat(self.room().saturating_sub(left.width() + right.width()));
        let head = inks::HEAD;
        self.out += &format!("{ink}{margin}{joint}─{ink:#}{head}{left}{head:#}{ink}{fill}{ink:#}{head}{right}{head:#}");
        self.out += &format!("{ink}─{ink:#}\n");
    }

    fn block(&mut self, block: &Block<'_>, before: Option<Caption>) {
        let caption = block.caption;
        if before.is_some_and(|before| before.message != caption.message) {
            self.end_row();
        }
        let ink = inks::of_role(caption.role);
        let same = before.is_some_and(|before| before.message == caption.message && caption.message.is_some());
        let caption = if same { String::new() } else { self.caption(caption) };
        self.margin = Margin { caption, ink, bar: "│" };
        for piece in &block.pieces {
            match piece.kind {
                PieceKind::Control | PieceKind::Lookalike => self.word(&Word::whole(piece.text), piece.kind),
                _ => self.text(piece.text, piece.kind, block.caption.section),
            }
        }
        if self.row.used > 0 {
            self.end_row();
        }
    }

    fn caption(&self, caption: Caption) -> String {
        let index = caption.message.map_or(String::new(), |index| index.to_string());
        let name = match caption.section {
            Section::Tools => "tools",
            Section::Settings => "settings",
            Section::Words | Section::Thinking | Section::Calls => caption.role.map_or("", Role::as_str),
        };
        format!("{index:>width$} {name}", width = self.index_width)
    }

    /// One line below the page: what it is called, and what is to be known.
    fn fact(&mut self, caption: &str, fact: &str) {
        self.margin = Margin { caption: caption.to_owned(), ink: inks::FRAME, bar: " " };
        let mut line = String::new();
        for part in breakable(fact) {
            if line.width() + part.trim_end().width() > self.room() {
                self.row.push(line.trim_end(), inks::TEXT);
                self.end_row();
                line.clear();
            }
            line.push_str(part);
        }
        self.row.push(&line, inks::TEXT);
        self.end_row();
    }

    /// Text word by word; of a list of tools or calls, each on a row of its own.
    fn text(&mut self, text: &str, kind: PieceKind, section: Section) {
        let is_list = matches!(section, Section::Tools | Section::Calls) && text.starts_with('[');
        let items = if is_list { json_items(text) } else { vec![text] };
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.end_row();
            }
            words(item).for_each(|word| self.word(&word, kind));
        }
    }

    fn word(&mut self, word: &Word<'_>, kind: PieceKind) {
        if self.row.used > 0 && self.row.used + word.width() > self.room() {
            self.end_row();
        }
        for run in &word.runs {
            match *run {
                Run::Shown(text) => self.shown(text, kind),
                Run::Mark(mark) => self.mark(mark, kind),
            }
        }
        if word.ends_row {
            self.end_row();
        }
    }

    /// Text as it is, cut only where it is longer than a row.
    fn shown(&mut self, text: &str, kind: PieceKind) {
        let ink = match kind {
            PieceKind::Control => inks::CONTROL,
            PieceKind::Text | PieceKind::WordStart => inks::TEXT,
            PieceKind::Thinking => inks::THINKING,
            PieceKind::Lookalike => inks::LOOKALIKE,
        };
        let mut rest = text;
        loop {
            let (fits, tail) = fitting(rest, self.room().saturating_sub(self.row.used));
            self.row.push(fits, ink);
            self.row.has_lookalike |= kind == PieceKind::Lookalike;
            rest = tail;
            if rest.is_empty() {
                return;
            }
            self.end_row();
        }
    }

    fn mark(&mut self, mark: Mark, kind: PieceKind) {
        // One column more than there is room for is kept for a mark.
        if self.row.used > 0 && self.row.used + mark.width() > self.room() + 1 {
            self.end_row();
        }
        let ink = if kind == PieceKind::WordStart { inks::WORD_START } else { inks::MARK };
        self.row.push(&mark.shown(), ink);
    }

    fn end_row(&mut self) {
        let Margin { caption, ink, bar } = &self.margin;
        let (warning, sign) = if self.row.has_lookalike { (inks::WARNING, "!") } else { (*ink, " ") };
        let width = self.margin_width() - 2;
        self.out += &format!(" {ink}{caption:width$}{ink:#}{warning}{sign}{warning:#}{ink}{bar}{ink:#}");
        if !self.row.text.is_empty() {
            self.out.push(' ');
            self.out += &self.row.text;
        }
        self.out.push('\n');
        self.margin.caption.clear();
        self.row = Row::default();
    }
}

impl Row {
    fn push(&mut self, text: &str, ink: Style) {
        self.text += &format!("{ink}{text}{ink:#}");
        self.used += text.width();
    }
}

/// A name without what would move the cursor.
fn clean(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// The name, without its beginning where it is wider than the columns.
fn ending(name: &str, columns: usize) -> String {
    if name.width() <= columns {
        return name.to_owned();
    }
    let fits = |at: &usize| name.get(*at..).is_some_and(|end| end.width() < columns);
    let start = name.char_indices().map(|(at, _)| at).find(fits).unwrap_or(name.len());
    format!("…{}", name.get(start..).unwrap_or_default())
}
