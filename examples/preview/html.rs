//! The prompt as HTML: what `page` shows in a terminal, for a browser. Everything that comes from a chat is escaped.

use std::ops::Range;

use mistral_chat_template::layout::Vocabulary;
use mistral_chat_template::{Prompt, Role};

use crate::blocks::{Block, Caption, Piece, PieceKind, Section, blocks};
use crate::glyphs::{Run, words};

const TEMPLATE: &str = include_str!("page.html");

/// Bytes of the prompt, and the ids that stand for them: one, but where ids part a character.
pub(crate) struct Ids {
    pub(crate) bytes: Range<usize>,
    pub(crate) ids: Vec<u32>,
}

/// What the page is filled with, beside its title: HTML.
#[derive(Default)]
pub(crate) struct Parts<'p> {
    pub(crate) head: &'p str,
    pub(crate) form: &'p str,
    pub(crate) prompt: &'p str,
    pub(crate) script: &'p str,
}

/// The whole page. `title` is text.
pub(crate) fn page(title: &str, parts: &Parts<'_>) -> String {
    let title = escaped(title);
    let (mut page, mut rest) = (String::new(), TEMPLATE);
    // What is filled in is not searched.
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(b, tail)| Some((b, tail.split_once("}}")?)))
    {
        page.push_str(before);
        page.push_str(match name {
            "title" => &title,
            "head" => parts.head,
            "form" => parts.form,
            "prompt" => parts.prompt,
            "script" => parts.script,
            _ => "",
        });
        rest = after;
    }
    page + rest
}

/// The prompt with its margin, and below it the facts, which are text.
pub(crate) fn prompt(prompt: &Prompt, vocabulary: Vocabulary, ids: &[Ids], facts: &[(&str, String)]) -> String {
    let mut html = Html { out: String::new(), at: 0, ids };
    let mut before = None;
    for block in &blocks(prompt, vocabulary) {
        html.block(block, before);
        before = Some(block.caption);
    }
    html.out.push_str("<dl>\n");
    for (caption, fact) in facts {
        html.out.extend(["<dt>", &escaped(caption), "</dt><dd>", &escaped(fact), "</dd>\n"]);
    }
    html.out + "</dl>"
}

/// Text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            char => html.push(char),
        }
    }
    html
}

struct Html<'i> {
    out: String,
    /// The byte of the prompt that comes next.
    at: usize,
    ids: &'i [Ids],
}

impl Html<'_> {
    fn block(&mut self, block: &Block<'_>, before: Option<Caption>) {
        let Caption { message, role, section } = block.caption;
        let goes_on = before.is_some_and(|before| before.message == message && message.is_some());
        let index = message.map_or(String::new(), |index| index.to_string());
        let name = match section {
            Section::Tools => "tools",
            Section::Settings => "settings",
            Section::Words | Section::Thinking | Section::Calls => role.map_or("", Role::as_str),
        };
        let margin = if goes_on { String::new() } else { format!("{index} {name}") };
        let forged = block.pieces.iter().any(|piece| piece.kind == PieceKind::Lookalike);
        let warning = if forged { " <span class=\"warning\">!</span>" } else { "" };
        let role = role.map_or("none", Role::as_str);
        self.out +=
            &format!("<div class=\"row {role}\"><div class=\"margin\">{margin}{warning}</div><div class=\"text\">");
        for piece in &block.pieces {
            self.piece(piece);
        }
        self.out.push_str("</div></div>\n");
    }

    /// A piece, in as many stretches as it has ids.
    fn piece(&mut self, piece: &Piece<'_>) {
        let class = match piece.kind {
            PieceKind::Control => "control",
            PieceKind::WordStart => "start",
            PieceKind::Text => "said",
            PieceKind::Thinking => "thinking",
            PieceKind::Lookalike => "forged",
        };
        let mut rest = piece.text;
        while !rest.is_empty() {
            let covering = self.ids.partition_point(|ids| ids.bytes.end <= self.at);
            let covering = self.ids.get(covering).filter(|ids| ids.bytes.start <= self.at);
            let end = covering.map_or(rest.len(), |ids| ids.bytes.end - self.at);
            // Ids that part a character come as one, so that this parts none.
            let (stretch, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let title = covering.map_or(String::new(), |ids| {
                let ids: Vec<_> = ids.ids.iter().map(ToString::to_string).collect();
                format!(" title=\"{}\"", ids.join(" "))
            });
            self.out += &format!("<span class=\"{class}\"{title}>");
            self.shown(stretch, piece.kind == PieceKind::Control);
            self.out.push_str("</span>");
            self.at += stretch.len();
            rest = after;
        }
    }

    fn shown(&mut self, text: &str, is_control: bool) {
        if is_control {
            self.out.push_str(&escaped(text));
            return;
        }
        for word in words(text) {
            for run in &word.runs {
                match run {
                    Run::Shown(text) => self.out.push_str(&escaped(text)),
                    Run::Mark(mark) => self.out.extend(["<i>", &escaped(&mark.shown()), "</i><wbr>"]),
                }
            }
            if word.ends_row {
                self.out.push_str("<br>");
            }
        }
    }
}
