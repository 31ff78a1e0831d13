//! A template's source before the engine reads it: measured against the limits, and made ready for it.
//!
//! The engine knows no `{% generation %}`, which becomes a call block, and checks nothing that is stored, so every value
//! that `{% set %}` computes passes a filter.

use std::borrow::Cow;

use super::TemplateLimits;
use crate::control::Control;
use crate::error::{Error, ErrorKind};

/// The filter that each computed value passes before it is stored.
pub(super) const KEEP_FILTER: &str = "__keep";

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
    fn tag(
        &mut self,
        inside: usize,
        rest: &str,
        end: &str,
        limits: &TemplateLimits,
    ) -> Result<Option<usize>, Error> {
        let mut tag = Tag::default();
        let bytes = rest.as_bytes();
        let (mut at, mut braces, mut word_start) = (0, 0usize, None);
        let close = loop {
            let Some(&byte) = bytes.get(at) else { break None };
            if !(byte.is_ascii_alphanumeric() || byte == b'_') {
                if let Some(start) = word_start.take() {
                    tag.operators += usize::from(is_operator(rest.get(start..at).unwrap_or_default()));
                }
            } else if word_start.is_none() {
                word_start = Some(at);
            }
            if bytes.get(at..).is_some_and(|tail| tail.starts_with(end.as_bytes())) && braces == 0 {
                break Some(at);
            }
            match byte {
                b'"' | b'\'' => {
                    let Some(length) = string_length(bytes, at) else { break None };
                    let text = rest.get(at + 1..at + length - 1).unwrap_or_default();
                    self.trusted(text);
                    self.composes |= text.contains("\\x") || text.contains("\\u") || text.contains("\\U");
                    at += length;
                    continue;
                }
                b'{' => (braces, tag.operators, tag.computes) = (braces + 1, tag.operators + 1, true),
                b'}' => braces = braces.saturating_sub(1),
                b'=' if bytes.get(at + 1) != Some(&b'=') && tag.assignment.is_none() => tag.assignment = Some(at + 1),
                b'+' | b'*' | b'(' | b'[' | b'|' => (tag.operators, tag.computes) = (tag.operators + 1, true),
                b',' => tag.computes = true,
                b'-' | b'/' | b'%' | b'~' | b'.' | b'<' | b'>' | b'=' | b'!' => tag.operators += 1,
                _ => {}
            }
            at += 1;
        };
        within("operators in one tag", tag.operators, limits.operators)?;
        if let (Some(close), "%}") = (close, end) {
            self.statement(inside, rest.get(..close).unwrap_or_default(), &tag);
        }
        within("elif branches", self.branches, limits.branches)?;
        Ok(close)
    }

    fn statement(&mut self, inside: usize, statement: &str, tag: &Tag) {
        let body = statement.trim_end_matches(['-', '+']);
        match first_word(statement) {
            "elif" => self.branches += 1,
            "generation" if words(body) == 1 => {
                self.generation = true;
                self.replace(inside, body, "generation", &format!("call {GENERATION_CALL}()"));
            }
            "endgeneration" => self.replace(inside, body, "endgeneration", "endcall"),
            "set" if tag.computes => {
                if let Some(start) = tag.assignment {
                    let value = body.get(start..).unwrap_or_default();
                    self.copy_to(inside + start);
                    self.out.push_str(" (");
                    self.copy_to(inside + start + value.len());
                    self.out.push_str(")|");
                    self.out.push_str(KEEP_FILTER);
                    self.out.push(' ');
                }
            }
            _ => {}
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
    /// Could it make a list, a dict or a longer text?
    computes: bool,
    /// Where the value of its first assignment begins.
    assignment: Option<usize>,
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
        assert_becomes(
            "a{%- generation +%}b{% endgeneration -%}c",
            "a{%- call __generation() +%}b{% endcall -%}c",
        );
        assert!(scanned("{%generation%}x{%endgeneration%}").generation);
        let plain = "{# {% generation %} #}{{ '{% generation %}' }}{% raw %}{% generation %}{% endraw %}{{ generation }}";
        assert_eq!(scanned(plain), Scanned { source: plain.into(), generation: false, composes: false });
    }

    #[test]
    fn computed_values_pass_the_filter() {
        assert_becomes("{%- set ns.a = ns.a + [x] -%}", "{%- set ns.a = ( ns.a + [x] )|__keep -%}");
        assert_becomes("{% set a, b = 1, '%}' %}", "{% set a, b = ( 1, '%}' )|__keep %}");
        for plain in ["{% set a = b %}", "{% set a %}x{% endset %}", "{% if a == [1] %}{% endif %}", "{{ f(a=[1]) }}"] {
            assert_becomes(plain, plain);
        }
    }

    #[test]
    fn templates_that_could_compose_a_literal_are_known() {
        for source in ["[{{ x|upper }}", "{{ '[/' ~ x.upper() }}", "< {{- x|replace('a', 'b') }}", "{{ '\\x5b' ~ x|title }}"] {
            assert!(scanned(source).composes, "{source}");
        }
        for source in ["[INST] {{ x|upper }}", "{{ '<|im_start|>' ~ x|upper }}", "a < {{ x.upper() }} [x]", "{% if a < b[0] %}upper{% endif %}", "[{{ x }}"] {
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
