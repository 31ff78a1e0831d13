//! A story string into a [`Program`]: the tags of Handlebars that story strings use.

use super::{Block, Call, Content, Expression, Path, Program, Statement, StoryError, Strip};

/// How deeply blocks can stand in blocks, and calls in calls.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(source: &str) -> Result<Program, StoryError> {
    let mut parser = Parser { source, at: 0, depth: 0 };
    let (program, end) = parser.program()?;
    match end {
        End::Source => Ok(program),
        End::Else { .. } => Err(parser.error("`else` stands outside a block")),
        End::Close { .. } => Err(parser.error("a block is closed that is not open")),
    }
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    depth: usize,
}

/// What ends a program.
enum End {
    Source,
    /// `{{else}}`, `{{^}}`, or `{{else if x}}` with its call.
    Else {
        strip: Strip,
        chain: Option<Call>,
    },
    Close {
        strip: Strip,
        path: Path,
    },
}

/// How a tag opens, past its braces and its `~`.
enum Tag {
    Block,
    InverseBlock,
    Else,
    ElseChain,
    Close,
    Comment { dashes: bool },
    Triple,
    Mustache,
}

impl<'s> Parser<'s> {
    fn error(&self, what: &str) -> StoryError {
        let before = self.source.get(..self.at).unwrap_or(self.source);
        // Where the end is at fault, the last line that says something is shown.
        let line = match self.rest().trim().is_empty() {
            true => before.trim_end().matches('\n').count(),
            false => before.matches('\n').count(),
        };
        let text: String = self.source.lines().nth(line).unwrap_or_default().trim().chars().take(60).collect();
        StoryError { line: line + 1, text, what: what.to_owned() }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn program(&mut self) -> Result<(Program, End), StoryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("blocks stand too deep in each other"));
        }
        let mut body = Vec::new();
        let end = loop {
            self.content(&mut body);
            if self.rest().is_empty() {
                break End::Source;
            }
            if let Some(end) = self.tag(&mut body)? {
                break end;
            }
        };
        self.depth -= 1;
        Ok((Program { body, chained: false }, end))
    }

    /// Text up to the next tag; `\{{` is text, and `\\{{` a backslash before a tag.
    fn content(&mut self, body: &mut Vec<Statement>) {
        loop {
            let rest = self.rest();
            let length = rest.find("{{").unwrap_or(rest.len());
            let text = rest.get(..length).unwrap_or_default();
            self.at += length;
            let is_tag = length < rest.len();
            let escaped = is_tag && text.ends_with('\\');
            let kept = text.strip_suffix('\\').filter(|_| escaped).unwrap_or(text);
            push_content(body, kept);
            if !escaped || kept.ends_with('\\') {
                return;
            }
            let rest = self.rest();
            let after = rest.get(2..).unwrap_or_default();
            let length = after.find("{{").map_or(rest.len(), |at| {
                let before = after.get(..at).unwrap_or_default();
                2 + before.strip_suffix("\\\\").or_else(|| before.strip_suffix('\\')).unwrap_or(before).len()
            });
            push_content(body, rest.get(..length).unwrap_or_default());
            self.at += length;
        }
    }

    /// One tag; an end, where it is one.
    fn tag(&mut self, body: &mut Vec<Statement>) -> Result<Option<End>, StoryError> {
        if self.take("{{{{") {
            return Err(self.error("a raw block is nothing that story strings can hold"));
        }
        self.at += 2;
        let open = self.take("~");
        match self.opening()? {
            Tag::Comment { dashes } => {
                let close = self.comment(dashes)?;
                body.push(Statement::Comment(Strip { open, close }));
            }
            Tag::Triple => {
                let call = self.call()?;
                let close = match () {
                    () if self.take("}~}}") => true,
                    () if self.take("}}}") => false,
                    () => return Err(self.error("`{{{` is not closed by `}}}`")),
                };
                body.push(Statement::Mustache(call, Strip { open, close }));
            }
            Tag::Mustache => {
                let call = self.call()?;
                let close = self.close()?;
                body.push(Statement::Mustache(call, Strip { open, close }));
            }
            tag @ (Tag::Block | Tag::InverseBlock) => {
                let call = self.call()?;
                let strip = Strip { open, close: self.close()? };
                body.push(Statement::Block(Box::new(self.block(call, strip, matches!(tag, Tag::InverseBlock))?)));
            }
            Tag::Else => {
                self.skip_space();
                let close = self.close()?;
                return Ok(Some(End::Else { strip: Strip { open, close }, chain: None }));
            }
            Tag::ElseChain => {
                let call = self.call()?;
                let close = self.close()?;
                return Ok(Some(End::Else { strip: Strip { open, close }, chain: Some(call) }));
            }
            Tag::Close => {
                self.skip_space();
                let Expression::Path(path) = self.expression()? else {
                    return Err(self.error("a block is closed by its name"));
                };
                self.skip_space();
                let close = self.close()?;
                return Ok(Some(End::Close { strip: Strip { open, close }, path }));
            }
        }
        Ok(None)
    }

    fn opening(&mut self) -> Result<Tag, StoryError> {
        let rest = self.rest();
        if rest.starts_with('>') || rest.starts_with("#>") {
            return Err(self.error("a partial is nothing that story strings have"));
        }
        if rest.starts_with('*') || rest.starts_with("#*") {
            return Err(self.error("a decorator is nothing that story strings have"));
        }
        if self.take("!--") {
            return Ok(Tag::Comment { dashes: true });
        }
        if self.take("!") {
            return Ok(Tag::Comment { dashes: false });
        }
        if self.take("#") {
            return Ok(Tag::Block);
        }
        if self.take("/") {
            return Ok(Tag::Close);
        }
        if self.take("{") {
            return Ok(Tag::Triple);
        }
        let inverse = self.take("^");
        let word = self.rest().trim_start();
        let after = if inverse { Some(word) } else { word.strip_prefix("else") };
        if let Some(after) = after {
            let ends = after.trim_start();
            if !inverse {
                self.at = self.source.len() - after.len();
            }
            return Ok(match (ends.starts_with("}}") || ends.starts_with("~}}"), inverse) {
                (true, _) => Tag::Else,
                (false, true) => Tag::InverseBlock,
                (false, false) => Tag::ElseChain,
            });
        }
        self.take("&");
        Ok(Tag::Mustache)
    }

    /// Skips a comment; does white space after it go?
    fn comment(&mut self, dashes: bool) -> Result<bool, StoryError> {
        let rest = self.rest();
        let (length, close, past) = match dashes {
            false => {
                let length = rest.find("}}").ok_or_else(|| self.error("a comment is not closed"))?;
                (length, rest.get(..length).is_some_and(|text| text.ends_with('~')), 2)
            }
            true => {
                let plain = rest.find("--}}");
                let stripped = rest.find("--~}}");
                match (plain, stripped) {
                    (Some(plain), Some(stripped)) if stripped < plain => (stripped, true, 5),
                    (Some(plain), _) => (plain, false, 4),
                    (None, Some(stripped)) => (stripped, true, 5),
                    (None, None) => return Err(self.error("a comment is not closed")),
                }
            }
        };
        self.at += length + past;
        Ok(close)
    }

    /// `}}` or `~}}`; is it the latter?
    fn close(&mut self) -> Result<bool, StoryError> {
        let strips = self.take("~");
        if self.take("}}") { Ok(strips) } else { Err(self.error("a tag is not closed by `}}`")) }
    }

    /// The block whose opening tag was read, up to past its closing tag.
    fn block(&mut self, call: Call, open_strip: Strip, inverted: bool) -> Result<Block, StoryError> {
        let (program, mut end) = self.program()?;
        let mut inverse_strip = Strip::default();
        let mut inverse = None;
        if let End::Else { strip, chain } = end {
            inverse_strip = strip;
            let (alternative, after) = self.alternative(chain, strip)?;
            inverse = Some(alternative);
            end = after;
        }
        let End::Close { strip: close_strip, path } = end else {
            return Err(self.error(match end {
                End::Source => "a block is not closed",
                _ => "a block has a second `else`",
            }));
        };
        if call.path_text() != path.original {
            return Err(self.error(&format!("the block `{}` is closed as `{}`", call.path_text(), path.original)));
        }
        if let Some(chained) = inverse.as_mut().and_then(chained_block) {
            chained.close_strip = close_strip;
        }
        let (program, inverse) = if inverted { (inverse, Some(program)) } else { (Some(program), inverse) };
        Ok(Block { call, program, inverse, open_strip, inverse_strip, close_strip })
    }

    /// What stands after an `{{else}}`; after `{{else if x}}` it is a block of its own, with the same end.
    fn alternative(&mut self, chain: Option<Call>, open_strip: Strip) -> Result<(Program, End), StoryError> {
        let (program, mut end) = self.program()?;
        let Some(call) = chain else {
            if let End::Else { .. } = end {
                return Err(self.error("a block has a second `else`"));
            }
            return Ok((program, end));
        };
        let mut inverse = None;
        let mut next_strip = Strip::default();
        if let End::Else { strip, chain } = end {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error("`else if` stands too often in one block"));
            }
            let (mut alternative, after) = self.alternative(chain, strip)?;
            self.depth -= 1;
            if let Some(chained) = chained_block(&mut alternative) {
                chained.close_strip = strip;
            }
            // A chained block ends where the next one begins, or else where its parent ends.
            next_strip = strip;
            inverse = Some(alternative);
            end = after;
        }
        let (program, inverse_strip, close_strip) = (Some(program), next_strip, next_strip);
        let block = Block { call, program, inverse, open_strip, inverse_strip, close_strip };
        Ok((Program { body: vec![Statement::Block(Box::new(block))], chained: true }, end))
    }

    /// A name with arguments: `name argument… key=value…`.
    fn call(&mut self) -> Result<Call, StoryError> {
        self.skip_space();
        let target = self.expression()?;
        let mut call = Call { target, arguments: Vec::new(), hash: Vec::new() };
        loop {
            let before = self.at;
            self.skip_space();
            let rest = self.rest();
            if rest.is_empty() {
                return Err(self.error("a tag is not closed by `}}`"));
            }
            if rest.starts_with(['}', '~', ')']) {
                return Ok(call);
            }
            if before == self.at && !rest.starts_with('(') {
                return Err(self.error("an argument needs a space before it"));
            }
            if rest.starts_with("as |") {
                return Err(self.error("block parameters are nothing that story strings have"));
            }
            let argument = self.expression()?;
            let after = self.at;
            self.skip_space();
            match argument {
                Expression::Path(Path { original, .. }) if self.take("=") => {
                    self.skip_space();
                    let value = self.expression()?;
                    call.hash.push((original, value));
                }
                argument => {
                    self.at = after;
                    call.arguments.push(argument);
                }
            }
        }
    }

    fn expression(&mut self) -> Result<Expression, StoryError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Err(self.error("a tag is not closed by `}}`")) };
        match first {
            '(' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.error("calls stand too deep in each other"));
                }
                self.at += 1;
                let call = self.call()?;
                if !self.take(")") {
                    return Err(self.error("`(` is not closed by `)`"));
                }
                self.depth -= 1;
                Ok(Expression::Call(Box::new(call)))
            }
            quote @ ('"' | '\'') => self.string(quote),
            _ => match self.literal() {
                Some(literal) => Ok(literal),
                None => self.path(),
            },
        }
    }

    fn string(&mut self, quote: char) -> Result<Expression, StoryError> {
        let body = self.rest().get(1..).unwrap_or_default();
        let mut text = String::new();
        let mut characters = body.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' if characters.next_if(|(_, next)| *next == quote).is_some() => text.push(quote),
                end if end == quote => {
                    self.at += at + 2;
                    return Ok(Expression::Text(text));
                }
                other => text.push(other),
            }
        }
        Err(self.error("a string is not closed"))
    }

    /// `true`, `null`, `-1.5`, …, where a literal can end.
    fn literal(&mut self) -> Option<Expression> {
        let rest = self.rest();
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '~' | '}' | ')' | ']'))?;
        let word = rest.get(..length)?;
        let literal = match word {
            "true" => Expression::Bool(true),
            "false" => Expression::Bool(false),
            "undefined" => Expression::Undefined,
            "null" => Expression::Null,
            _ => {
                let digits = word.strip_prefix('-').unwrap_or(word);
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
                let is_number =
                    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
                Expression::Number(word.parse().ok().filter(|_| is_number)?)
            }
        };
        self.at += length;
        Some(literal)
    }

    fn path(&mut self) -> Result<Expression, StoryError> {
        let start = self.at;
        let data = self.take("@");
        let mut path = Path { data, depth: 0, parts: Vec::new(), original: String::new(), scoped: false };
        loop {
            self.segment(&mut path)?;
            let separator = self.rest().chars().next().filter(|c| matches!(c, '.' | '/'));
            match separator {
                Some(separator) => {
                    self.at += 1;
                    path.original.push(separator);
                }
                None => break,
            }
        }
        path.scoped = path.original.starts_with('.') || has_word_this(&path.original);
        if data {
            path.original.insert(0, '@');
        }
        debug_assert!(self.at > start);
        Ok(Expression::Path(path))
    }

    fn segment(&mut self, path: &mut Path) -> Result<(), StoryError> {
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix('[') {
            let length = inside.find(']').ok_or_else(|| self.error("`[` is not closed by `]`"))?;
            let name = inside.get(..length).unwrap_or_default();
            self.at += length + 2;
            path.original.push_str(name);
            path.parts.push(name.to_owned());
            return Ok(());
        }
        let length = match rest {
            _ if rest.starts_with("..") => 2,
            _ if rest.starts_with('.') => 1,
            _ => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
        };
        let name = rest.get(..length).unwrap_or_default();
        let next = rest.get(length..).and_then(|after| after.chars().next());
        let ends =
            next.is_some_and(|c| c.is_whitespace() || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | ']' | '|'));
        if name.is_empty() || !ends {
            return Err(self.error(&match next {
                Some(found) => format!("a name cannot hold {found:?}"),
                None => "a tag is not closed by `}}`".to_owned(),
            }));
        }
        self.at += length;
        path.original.push_str(name);
        match name {
            ".." | "." | "this" if !path.parts.is_empty() => {
                return Err(self.error("a path goes up only where it begins"));
            }
            ".." => path.depth += 1,
            "." | "this" => {}
            name => path.parts.push(name.to_owned()),
        }
        Ok(())
    }
}

/// The block that an `{{else if}}` makes.
fn chained_block(program: &mut Program) -> Option<&mut Block> {
    match program.body.first_mut() {
        Some(Statement::Block(block)) if program.chained => Some(block),
        _ => None,
    }
}

fn push_content(body: &mut Vec<Statement>, text: &str) {
    if !text.is_empty() {
        body.push(Statement::Content(Content::new(text)));
    }
}

/// What Handlebars takes for a character of a name.
fn is_name(character: char) -> bool {
    !character.is_whitespace()
        && !matches!(character, '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' | '{'..='~')
}

fn has_word_this(path: &str) -> bool {
    path.match_indices("this").any(|(at, found)| {
        let next = path.get(at + found.len()..).and_then(|rest| rest.chars().next());
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
