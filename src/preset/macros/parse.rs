//! Text into the macros that stand in it: one pass, no backtracking, also of what is left open.

use std::ops::Range;

use super::super::tracked_text::{is_space, trimmed};

/// How deeply macros can stand in macros' arguments; what is deeper is text.
const MAX_DEPTH: usize = 64;

/// One `{{macro}}` of a text; its ranges are of that text.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    /// From the first brace to past the last.
    pub(super) range: Range<usize>,
    pub(super) head: Head,
    /// `{{/name}}`
    pub(super) closes: bool,
    /// `{{#name}}`: what stands between it and its end is not trimmed.
    pub(super) keeps_space: bool,
    /// The arguments without the white space around them.
    pub(super) args: Vec<Range<usize>>,
    /// The macros in the arguments, in order.
    pub(super) inner: Vec<Call>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Head {
    /// A name, or `//`.
    Name(Range<usize>),
    /// `{{.name}}` or `{{$name}}`, and what is done with it; an operand is the only argument.
    Variable { scope: Scope, name: Range<usize>, operator: Operator },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Chat,
    Global,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Get,
    Increment,
    Decrement,
    Set,
    Add,
    Subtract,
    Or,
    OrSet,
    IfAbsent,
    SetIfAbsent,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Longer operators come before those that they begin with.
const OPERATORS: [(&str, Operator); 15] = [
    ("++", Operator::Increment),
    ("--", Operator::Decrement),
    ("??=", Operator::SetIfAbsent),
    ("??", Operator::IfAbsent),
    ("||=", Operator::OrSet),
    ("||", Operator::Or),
    ("-=", Operator::Subtract),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    (">", Operator::Greater),
    ("<=", Operator::LessOrEqual),
    ("<", Operator::Less),
    ("+=", Operator::Add),
    ("=", Operator::Set),
];

impl Call {
    /// Does it end a scope? `{{///}}` ends that of `{{//}}`: the comment whose text begins with a slash.
    pub(super) fn closes_scope(&self, text: &str) -> bool {
        let comment_begins = |range: &Range<usize>| text.get(range.clone()).is_some_and(|arg| arg.starts_with('/'));
        let is_comment = matches!(&self.head, Head::Name(name) if text.get(name.clone()) == Some("//"));
        self.closes || (is_comment && self.args.first().is_some_and(comment_begins))
    }
}

/// A macro that is not closed yet.
struct Open {
    call: Call,
    args: Args,
    /// Where the argument begins that is being read.
    arg: usize,
    /// A filter was met, or an argument is missing: it stays text.
    is_text: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Args {
    None,
    /// `{{name::a::b}}`
    List,
    /// `{{name:a}}`, `{{name a}}`: one, colons and all.
    One,
    /// The operand of a variable's operator, which can be empty.
    Operand,
}

/// The macros of a text that stand in no other, in order.
pub(super) fn parse(text: &str) -> Vec<Call> {
    let mut top = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['{', '}', ':', '|'])) {
        at += found;
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("{{") {
            // Of three braces at the top, the first is text.
            if open.is_empty() && rest.starts_with("{{{") {
                at += 1;
                continue;
            }
            match head(text, at).filter(|_| open.len() < MAX_DEPTH) {
                Some(opened) => {
                    at = opened.arg;
                    open.push(opened);
                }
                None => at += 2,
            }
        } else if rest.starts_with("}}") {
            if let Some(closed) = open.pop() {
                let calls = closed.close(text, at);
                open.last_mut().map_or(&mut top, |parent| &mut parent.call.inner).extend(calls);
            }
            at += 2;
        } else {
            let step = match open.last_mut() {
                Some(innermost) => innermost.punctuation(text, at),
                None => 1,
            };
            at += step;
        }
    }
    for unclosed in open {
        top.extend(unclosed.call.inner);
    }
    top
}

impl Open {
    /// A colon, a pipe or a single brace in the arguments; how many bytes it takes.
    fn punctuation(&mut self, text: &str, at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("::") {
            if self.args == Args::List {
                self.call.args.push(trimmed(text, self.arg..at));
                self.arg = at + 2;
            }
            return 2;
        }
        let escaped = text.get(..at).is_some_and(|before| before.ends_with('\\'));
        if rest.starts_with('|') && self.args != Args::Operand && !escaped {
            self.is_text = true;
        }
        1
    }

    /// The macro that ends at `end`, or those in it, if it is text itself.
    fn close(mut self, text: &str, end: usize) -> Vec<Call> {
        let last = trimmed(text, self.arg..end);
        match self.args {
            Args::None => {}
            Args::One if last.is_empty() => self.is_text = true,
            Args::List | Args::One | Args::Operand => self.call.args.push(last),
        }
        if self.is_text {
            return self.call.inner;
        }
        self.call.range.end = end + 2;
        vec![self.call]
    }
}

/// The macro that begins with the braces at `start`; `None` if they are text.
fn head(text: &str, start: usize) -> Option<Open> {
    let mut at = start + 2;
    let mut call = Call {
        range: start..start,
        head: Head::Name(at..at),
        closes: false,
        keeps_space: false,
        args: Vec::new(),
        inner: Vec::new(),
    };
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with("//") {
            call.head = Head::Name(at..at + 2);
            return Some(arguments(text, call, at + 2));
        }
        let next = rest.chars().next()?;
        match next {
            '.' => return variable(text, call, Scope::Chat, at + 1),
            '$' => return variable(text, call, Scope::Global, at + 1),
            '/' => call.closes = true,
            '#' => call.keeps_space = true,
            '!' | '?' | '~' | '>' => {}
            space if is_space(space) => {}
            letter if letter.is_ascii_alphabetic() => break,
            _ => return None,
        }
        at += next.len_utf8();
    }
    let length = text.get(at..)?.find(|c: char| !is_name(c))?;
    call.head = Head::Name(at..at + length);
    at += length;
    // What a name cannot hold is skipped, up to where its arguments could begin.
    at += text.get(at..)?.find(|c: char| is_space(c) || matches!(c, ':' | '|' | '}' | '{'))?;
    Some(arguments(text, call, at))
}

fn arguments(text: &str, call: Call, at: usize) -> Open {
    let rest = text.get(at..).unwrap_or_default();
    let body = rest.trim_start_matches(is_space);
    let at = at + (rest.len() - body.len());
    let (args, skip) = match body {
        _ if body.starts_with("}}") => (Args::None, 0),
        _ if body.starts_with("::") => (Args::List, 2),
        _ if body.starts_with(':') => (Args::One, 1),
        _ => (Args::One, 0),
    };
    Open { call, args, arg: at + skip, is_text: false }
}

fn variable(text: &str, mut call: Call, scope: Scope, at: usize) -> Option<Open> {
    let rest = text.get(at..)?;
    let name = rest.trim_start_matches(is_space);
    let start = at + (rest.len() - name.len());
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    // A name does not end with a dash, so that `--` can follow it.
    let longest = name.get(..name.find(|c: char| !is_name(c)).unwrap_or(name.len()))?;
    let length = longest.trim_end_matches('-').len();
    let after = name.get(length..)?;
    let rest = after.trim_start_matches(is_space);
    let at = start + length + (after.len() - rest.len());
    let found = OPERATORS.iter().find(|(literal, _)| rest.starts_with(literal));
    let (operator, args, skip) = match found {
        Some((literal, operator @ (Operator::Increment | Operator::Decrement))) => {
            (*operator, Args::None, literal.len())
        }
        Some((literal, operator)) => (*operator, Args::Operand, literal.len()),
        None => (Operator::Get, Args::None, 0),
    };
    if args == Args::None && !text.get(at + skip..)?.trim_start_matches(is_space).starts_with("}}") {
        return None;
    }
    call.head = Head::Variable { scope, name: start..start + length, operator };
    Some(Open { call, args, arg: at + skip, is_text: false })
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each macro as its text, its arguments in brackets.
    fn shape(text: &str) -> String {
        fn show(text: &str, calls: &[Call]) -> String {
            calls
                .iter()
                .map(|call| {
                    let args: Vec<_> = call.args.iter().map(|arg| &text[arg.clone()]).collect();
                    format!("<{}|{}{}>", &text[call.range.clone()], args.join(","), show(text, &call.inner))
                })
                .collect()
        }
        show(text, &parse(text))
    }

    #[test]
    fn arguments_come_after_colons_or_a_space() {
        assert_eq!(shape("a {{user}} b"), "<{{user}}|>");
        assert_eq!(shape("{{random::a:: b ::}}"), "<{{random::a:: b ::}}|a,b,>");
        assert_eq!(shape("{{roll d6}}{{roll: a::b}}"), "<{{roll d6}}|d6><{{roll: a::b}}|a::b>");
        assert_eq!(shape("{{// any thing}}"), "<{{// any thing}}|any thing>");
    }

    #[test]
    fn macros_stand_in_arguments() {
        assert_eq!(shape("{{reverse::{{user}}}}"), "<{{reverse::{{user}}}}|{{user}}<{{user}}|>>");
    }

    #[test]
    fn what_is_no_macro_is_text() {
        for text in ["{{user", "}}", "{{ }}", "{{1}}", "\\{\\{user\\}\\}", "{{reverse:}}", "{{a:b|c}}"] {
            assert_eq!(shape(text), "", "{text}");
        }
        assert_eq!(shape("{{{user}}}"), "<{{user}}|>");
        assert_eq!(shape("{{open {{user}}"), "<{{user}}|>");
        let deep = "{{a::".repeat(100) + &"}}".repeat(100);
        assert_eq!(parse(&deep).len(), 1);
    }

    #[test]
    fn variables_have_operators() {
        let calls = parse("{{.k}}{{$g-x += 2}}{{.n--}}");
        let operators: Vec<_> = calls
            .iter()
            .map(|call| match call.head {
                Head::Variable { operator, .. } => operator,
                Head::Name(_) => panic!("a name"),
            })
            .collect();
        assert_eq!(operators, [Operator::Get, Operator::Add, Operator::Decrement]);
        assert_eq!(shape("{{.k.x}}"), "");
    }
}
