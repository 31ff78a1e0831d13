//! A template's source before the engine reads it: measured against the limits, and made ready for it.

use std::borrow::Cow;

use super::TemplateLimits;
use super::rewrite::Rewriter;
use super::tokens::{Kind, tokens};
use crate::control::Control;
use crate::error::{Error, ErrorKind};

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
    let mut scan = Scan { source, rewriter: Rewriter::new(source), composes: false, branches: 0 };
    scan.run(limits)?;
    let Scan { rewriter, composes, .. } = scan;
    // What is not changed is marked well enough where it could be the inside of a literal.
    let changes = CHANGES.iter().any(|method| source.contains(method));
    let generation = rewriter.generation;
    Ok(Scanned { source: rewriter.finish(), generation, composes: composes && changes })
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
    rewriter: Rewriter<'s>,
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
        let (tokens, close) = tokens(rest, end);
        for token in tokens.iter().filter(|token| token.kind == Kind::Text) {
            let text = token.text.get(1..token.text.len() - 1).unwrap_or_default();
            self.trusted(text);
            self.composes |= text.contains("\\x") || text.contains("\\u") || text.contains("\\U");
        }
        let operators = tokens.iter().filter(|token| token.is_operator()).count();
        within("operators in one tag", operators, limits.operators)?;
        if let Some(close) = close {
            let content = rest.get(..close).unwrap_or_default();
            match end {
                "%}" => {
                    self.branches += usize::from(first_word(content) == "elif");
                    self.rewriter.statement(inside, &tokens);
                }
                _ => self.rewriter.expression(inside, &tokens),
            }
        }
        within("elif branches", self.branches, limits.branches)?;
        Ok(close)
    }
}

/// The next `{{`, `{%` or `{#`.
pub(super) fn find_open(source: &str, from: usize) -> Option<usize> {
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

    #[test]
    fn generation_blocks_are_known() {
        assert!(scanned("{%- generation %}x{% endgeneration -%}").generation);
        let plain =
            "{# {% generation %} #}{{ '{% generation %}' }}{% raw %}{% generation %}{% endraw %}{{ generation }}";
        assert!(!scanned(plain).generation);
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
