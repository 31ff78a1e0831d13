//! A template's source before the engine reads it: measured against the limits, and made ready for it.
//!
//! The engine knows no `{% generation %}`, which becomes a call block. It has no limit on how deep and how often values
//! hold one another, so lists, dicts and tuples that a template writes down pass a filter, and what it stores does.

use std::borrow::Cow;

use super::TemplateLimits;
use crate::control::Control;
use crate::error::{Error, ErrorKind};

/// The filter that values pass where a template writes a list down or changes a namespace.
pub(super) const KEEP_FILTER: &str = "__keep";
const CLOSE_LITERAL: &str = "|__keep)";
const CLOSE_ATTRIBUTE: &str = ")|__keep ";

/// The filter that values pass where a template gives them a name.
pub(super) const NAME_FILTER: &str = "__name";
const CLOSE_NAME: &str = ")|__name ";

/// The function that a `{% generation %}` block calls.
pub(super) const GENERATION_CALL: &str = "__generation";

/// What the engine is given, and what is known of it.
#[derive(Debug, PartialEq)]
pub(super) struct Scanned<'s> {
    pub(super) source: Cow<'s, str>,
    /// Is there a `{% generation %}` block?
    pub(super) generation: bool,
    /// Could a text of the template and a changed untrusted text after it make a control token?
    pub(super) composes: bool,
}

pub(super) fn scan<'s>(source: &'s str, limits: &TemplateLimits) -> Result<Scanned<'s>, Error> {
    within("bytes", source.len(), limits.source)?;
    let mut scan = Scan { source, copied: 0, out: String::new(), generation: false, composes: false, branches: 0 };
    scan.run(limits)?;
    let Scan { copied, mut out, generation, composes, .. } = scan;
    let source = if copied == 0 {
        Cow::Borrowed(source)
    } else {
        out.push_str(source.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    };
    // What is not changed is marked well enough where it could be the inside of a literal.
    let changes = CHANGES.iter().any(|method| source.contains(method));
    Ok(Scanned { source, generation, composes: composes && changes })
}

/// What can make the inside of a literal out of a text that holds none.
const CHANGES: [&str; 7] = ["upper", "lower", "title", "capitalize", "swapcase", "casefold", "replace"];

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), Error> {
    if found > limit {
        return Err(Error::new(ErrorKind::TemplateLimit { what, found, limit }, ""));
    }
    Ok(())
}

struct Scan<'s> {
    source: &'s str,
    /// How much of the source is in `out`.
    copied: usize,
    out: String,
    generation: bool,
    composes: bool,
    branches: usize,
}

impl Scan<'_> {
    fn run(&mut self, limits: &TemplateLimits) -> Result<(), Error> {
        let source = self.source;
        let mut at = 0;
        while let Some(open) = find_open(source, at) {
            self.trusted(source.get(at..open).unwrap_or_default());
            let inside = open + 2;
            let rest = source.get(inside..).unwrap_or_default();
            let close = match source.as_bytes().get(open + 1) {
                Some(b'#') => rest.find("#}"),
                Some(b'%') if first_word(rest) == "raw" => end_of_raw(rest),
                Some(b'%') => self.tag(inside, rest, "%}", limits)?,
                _ => self.tag(inside, rest, "}}", limits)?,
            };
            // What is not closed is left to the engine's own complaint.
            let Some(close) = close else { return Ok(()) };
            at = inside + close + 2;
        }
        self.trusted(source.get(at..).unwrap_or_default());
        Ok(())
    }

    /// Notes a text that the template prints of its own.
    fn trusted(&mut self, text: &str) {
        self.composes |= begins_literal_at_end(text) || begins_literal_at_end(text.trim_end());
    }

    /// Measures one tag, whose inside begins `rest`, and finds its end.
    fn tag(&mut self, inside: usize, rest: &str, end: &str, limits: &TemplateLimits) -> Result<Option<usize>, Error> {
        let mut tag = Tag::default();
        let bytes = rest.as_bytes();
        let mut at = 0;
        let close = loop {
            let Some(&byte) = bytes.get(at) else { break None };
            let closes = bytes.get(at..).is_some_and(|tail| tail.starts_with(end.as_bytes()));
            if closes && !tag.open.iter().any(|bracket| bracket.kind == b'{') {
                break Some(at);
            }
            if let b'"' | b'\'' = byte {
                let Some(length) = string_length(bytes, at) else { break None };
                let text = rest.get(at + 1..at + length - 1).unwrap_or_default();
                self.trusted(text);
                self.composes |= text.contains("\\x") || text.contains("\\u") || text.contains("\\U");
                tag.previous = Previous::Value;
                at += length;
            } else if byte.is_ascii_alphanumeric() || byte == b'_' {
                let word = word_at(rest, at);
                tag.word(word);
                at += word.len();
            } else {
                tag.sign(byte, at, bytes.get(at + 1).copied());
                at += 1;
            }
        };
        within("operators in one tag", tag.operators, limits.operators)?;
        if let Some(close) = close {
            self.rewrite(inside, rest.get(..close).unwrap_or_default(), end, tag);
        }
        within("elif branches", self.branches, limits.branches)?;
        Ok(close)
    }

    fn rewrite(&mut self, inside: usize, content: &str, end: &str, mut tag: Tag) {
        let body = content.trim_end_matches(['-', '+']);
        match first_word(content) {
            _ if end == "}}" => {}
            "elif" => self.branches += 1,
            "generation" if words(body) == 1 => {
                self.generation = true;
                self.replace(inside, body, "generation", &format!("call {GENERATION_CALL}()"));
            }
            "endgeneration" => self.replace(inside, body, "endgeneration", "endcall"),
            "set" => {
                if let Some(value) = tag.assignment {
                    // Only namespaces have attributes that can be set.
                    let attribute = body.get(..value).is_some_and(|target| target.contains('.'));
                    if attribute || tag.computes {
                        tag.kept.push((value, " ("));
                        tag.kept.push((body.len(), if attribute { CLOSE_ATTRIBUTE } else { CLOSE_NAME }));
                    }
                }
            }
            _ => {}
        }
        tag.kept.sort_by_key(|(place, _)| *place);
        for (place, insertion) in tag.kept {
            self.copy_to(inside + place);
            self.out.push_str(insertion);
        }
    }

    /// Puts `new` in the place of the word that a statement begins with.
    fn replace(&mut self, inside: usize, body: &str, word: &str, new: &str) {
        let start = inside + body.find(word).unwrap_or_default();
        self.copy_to(start);
        self.out.push_str(new);
        self.copied = start + word.len();
    }

    fn copy_to(&mut self, end: usize) {
        self.out.push_str(self.source.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }
}

/// What one tag holds, outside of quotes.
#[derive(Default)]
struct Tag {
    operators: usize,
    /// Could its value be a long list or text?
    computes: bool,
    /// Where the value of its first assignment begins.
    assignment: Option<usize>,
    open: Vec<Bracket>,
    previous: Previous,
    /// What is to be inserted, and where.
    kept: Vec<(usize, &'static str)>,
}

/// A bracket that is open.
struct Bracket {
    kind: u8,
    place: usize,
    /// Does it begin a list, a dict or a tuple, and not an index or a call?
    literal: bool,
    comma: bool,
    /// Is there a name in it, so that its value is not known beforehand?
    dynamic: bool,
}

/// What stands before a bracket.
#[derive(Clone, Copy, Default, PartialEq)]
enum Previous {
    /// An operator, or nothing: a literal can begin.
    #[default]
    Operator,
    /// A value, which an index or a call can follow.
    Value,
    /// `for` or `set`, which names follow.
    Target,
}

impl Tag {
    fn word(&mut self, word: &str) {
        self.previous = match word {
            "not" | "and" | "or" | "if" | "else" | "in" | "is" | "elif" => Previous::Operator,
            "for" | "set" => Previous::Target,
            _ => Previous::Value,
        };
        self.operators += usize::from(is_operator(word));
        let known = matches!(word, "true" | "false" | "none" | "True" | "False" | "None");
        let name = !known && !word.starts_with(|first: char| first.is_ascii_digit());
        if let Some(bracket) = self.open.last_mut() {
            bracket.dynamic |= name;
        }
    }

    fn sign(&mut self, byte: u8, place: usize, next: Option<u8>) {
        if byte.is_ascii_whitespace() {
            return;
        }
        match byte {
            b'(' | b'[' | b'{' => {
                (self.operators, self.computes) = (self.operators + 1, true);
                let literal = self.previous == Previous::Operator;
                self.open.push(Bracket { kind: byte, place, literal, comma: false, dynamic: false });
            }
            b')' | b']' | b'}' => self.close(place),
            b',' => match self.open.last_mut() {
                Some(bracket) => bracket.comma = true,
                None => self.computes = true,
            },
            b'=' if self.open.is_empty() && next != Some(b'=') && self.assignment.is_none() => {
                self.assignment = Some(place + 1);
            }
            b'+' | b'*' | b'|' => (self.operators, self.computes) = (self.operators + 1, true),
            b'-' | b'/' | b'%' | b'~' | b'.' | b'<' | b'>' | b'=' | b'!' => self.operators += 1,
            _ => {}
        }
        self.previous = if matches!(byte, b')' | b']' | b'}') { Previous::Value } else { Previous::Operator };
    }

    /// Ends a bracket: what a literal holds that is not known beforehand passes the filter.
    fn close(&mut self, place: usize) {
        let Some(bracket) = self.open.pop() else { return };
        if let Some(outer) = self.open.last_mut() {
            outer.dynamic |= bracket.dynamic;
        }
        if bracket.literal && bracket.dynamic && (bracket.kind != b'(' || bracket.comma) {
            self.kept.push((bracket.place, "("));
            self.kept.push((place + 1, CLOSE_LITERAL));
        }
    }
}

/// The letters, digits and underscores from `at` on.
fn word_at(text: &str, at: usize) -> &str {
    let tail = text.get(at..).unwrap_or_default();
    let end = tail.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    tail.get(..end.unwrap_or(tail.len())).unwrap_or_default()
}

/// The next `{{`, `{%` or `{#`.
fn find_open(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'{')?;
        if matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#')) {
            return Some(at);
        }
        at += 1;
    }
}

/// The length of the string literal that begins at `start`, quotes included.
fn string_length(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes.get(start)?;
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1 - start),
            _ => at += 1,
        }
    }
}

/// Where the tag that ends a raw block ends: the offset of its `%}`.
fn end_of_raw(rest: &str) -> Option<usize> {
    let mut at = rest.find("%}")? + 2;
    loop {
        at += rest.get(at..)?.find("{%")? + 2;
        let tail = rest.get(at..)?;
        if first_word(tail) == "endraw" {
            return Some(at + tail.find("%}")?);
        }
    }
}

/// The word that a statement begins with.
fn first_word(statement: &str) -> &str {
    let body = statement.trim_start_matches(['-', '+']).trim_start();
    let end = body.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    body.get(..end.unwrap_or(body.len())).unwrap_or_default()
}

fn words(body: &str) -> usize {
    body.trim_start_matches(['-', '+']).split_whitespace().count()
}

fn is_operator(word: &str) -> bool {
    matches!(word, "not" | "and" | "or" | "if" | "else" | "in" | "is")
}

/// Does the text end with the beginning of a control literal?
fn begins_literal_at_end(text: &str) -> bool {
    let Some(open) = text.rfind(['[', '<']) else { return false };
    let tail = text.get(open..).unwrap_or_default();
    Control::all().any(|control| control.as_str().len() > tail.len() && control.as_str().starts_with(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(source: &str) -> Scanned<'_> {
        scan(source, &TemplateLimits::default()).unwrap()
    }

    #[track_caller]
    fn assert_becomes(source: &str, expected: &str) {
        assert_eq!(scanned(source).source, expected);
    }

    #[test]
    fn generation_blocks_become_calls() {
        assert_becomes("a{%- generation +%}b{% endgeneration -%}c", "a{%- call __generation() +%}b{% endcall -%}c");
        assert!(scanned("{%generation%}x{%endgeneration%}").generation);
        let plain =
            "{# {% generation %} #}{{ '{% generation %}' }}{% raw %}{% generation %}{% endraw %}{{ generation }}";
        assert_eq!(scanned(plain), Scanned { source: plain.into(), generation: false, composes: false });
    }

    #[test]
    fn computed_values_pass_the_filter() {
        assert_becomes("{%- set ns.a = ns.a + [x] -%}", "{%- set ns.a = ( ns.a + ([x]|__keep) )|__keep -%}");
        assert_becomes("{% set a, b = 1, '%}' %}", "{% set a, b = ( 1, '%}' )|__name %}");
        assert_becomes("{% set a.b = c %}", "{% set a.b = ( c )|__keep %}");
        assert_becomes("{{ [{'a': x}, (y, [1])][0] }}", "{{ ([({'a': x}|__keep), ((y, [1])|__keep)]|__keep)[0] }}");
        for plain in [
            "{% set a = b %}",
            "{% set a %}x{% endset %}",
            "{% if a == [1] %}{% endif %}",
            "{{ f(a, b)[c](d) }}",
            "{% for (a, b) in c %}{% endfor %}",
            "{{ (a) + 'b'[c] }}",
        ] {
            assert_becomes(plain, plain);
        }
    }

    #[test]
    fn templates_that_could_compose_a_literal_are_known() {
        for source in
            ["[{{ x|upper }}", "{{ '[/' ~ x.upper() }}", "< {{- x|replace('a', 'b') }}", "{{ '\\x5b' ~ x|title }}"]
        {
            assert!(scanned(source).composes, "{source}");
        }
        for source in [
            "[INST] {{ x|upper }}",
            "{{ '<|im_start|>' ~ x|upper }}",
            "a < b {{ x.upper() }} [x]",
            "{% if a < b[0] %}upper{% endif %}",
            "[{{ x }}",
        ] {
            assert!(!scanned(source).composes, "{source}");
        }
    }

    #[test]
    fn limits_name_what_is_too_much() {
        let error = |source: &str| scan(source, &TemplateLimits::default()).unwrap_err().to_string();
        assert_eq!(error(&"x".repeat(65_537)), "the template has 65537 bytes, and 65536 are allowed");
        let chain = format!("{{{{ {}x }}}}", "not ".repeat(501));
        assert_eq!(error(&chain), "the template has 501 operators in one tag, and 500 are allowed");
        let branches = format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(251));
        assert_eq!(error(&branches), "the template has 251 elif branches, and 250 are allowed");
    }
}
