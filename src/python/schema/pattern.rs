//! Python's regular expressions: a pattern in, whether `re.compile` of Python 3.11 accepts it out.
//!
//! Covers the whole syntax for text patterns: groups, names, references, conditionals, flags,
//! verbose mode, character sets, escapes, repetition and the fixed width of look-behinds.
//! What it leaves to Python: whether a `\N{…}` name exists (any name is taken), and group names
//! and numbers spelled with anything but what `char::is_alphanumeric` and ASCII digits allow.
//!
//! Nothing recurses: open groups wait on a heap stack, so nesting has no limit. Time is linear in
//! the pattern, but for the look-up of names and numbers.

mod characters;
mod groups;

use std::collections::BTreeMap;
use std::str::Chars;

/// The smallest repetition count that is too large.
const TOO_MANY: u64 = u32::MAX as u64;
/// The widths of a part of a pattern stop growing here.
const MAX_WIDTH: u128 = 1 << 64;

/// Why Python refuses a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// `(a`
    #[error("a group is not closed")]
    UnclosedGroup,
    /// `a)`
    #[error("a `)` has no matching `(`")]
    UnopenedGroup,
    /// `[a`
    #[error("a character set is not closed")]
    UnclosedSet,
    /// `[z-a]`, `[\d-z]`
    #[error("a character range is not in order")]
    BadRange,
    /// `*a`, `^*`
    #[error("there is nothing to repeat")]
    NothingToRepeat,
    /// `a**`
    #[error("a repetition is repeated")]
    RepeatedTwice,
    /// `a{2,1}`, `a{4294967295}`
    #[error("a repetition count is out of range")]
    BadCount,
    /// `\p{L}`, `\z`, `\x4`, a last `\`
    #[error("an escape is not one that Python knows")]
    BadEscape,
    /// `(?<name>a)`, `(?P!a)`
    #[error("a group begins in a way that Python does not know")]
    BadGroup,
    /// `(?P<1>a)`, `(?P<a>b)(?P<a>c)`
    #[error("a group name is missing, malformed or taken")]
    BadName,
    /// `\1`, `(?P=a)`, `(a\1)`
    #[error("a reference is to a group that is missing or still open")]
    BadReference,
    /// `(?(1)a|b|c)`
    #[error("a conditional has more than two branches")]
    TooManyBranches,
    /// `(?L)`, `(?i-i:a)`, `a(?i)`
    #[error("a flag is unknown, contradictory or not at the start")]
    BadFlag,
    /// `(?<=a+)`
    #[error("a look-behind has no fixed width")]
    VariableLookBehind,
}

/// Checks a pattern.
pub(super) fn check(pattern: &str) -> Result<(), PatternError> {
    Parser::new(pattern).run()
}

/// One character of the pattern, or a backslash and the character after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Plain(char),
    Escaped(char),
}

/// How many characters a part of the pattern can match.
#[derive(Clone, Copy, Default)]
struct Width {
    min: u128,
    max: u128,
}

impl Width {
    const ONE: Width = Width { min: 1, max: 1 };

    fn then(self, next: Width) -> Width {
        Width { min: (self.min + next.min).min(MAX_WIDTH), max: (self.max + next.max).min(MAX_WIDTH) }
    }

    fn or(self, other: Width) -> Width {
        Width { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn times(self, count: Count) -> Width {
        let max = match count.max {
            Some(max) => self.max * u128::from(max),
            None if self.max > 0 => MAX_WIDTH,
            None => 0,
        };
        Width { min: (self.min * u128::from(count.min)).min(MAX_WIDTH), max: max.min(MAX_WIDTH) }
    }
}

/// How often something is repeated.
#[derive(Clone, Copy)]
struct Count {
    min: u64,
    max: Option<u64>,
}

/// One branch of an alternation, as far as it was read.
#[derive(Clone, Copy, Default)]
struct Branch {
    /// The width of all items but the last.
    before: Width,
    last: Option<(Item, Width)>,
}

/// What the last item of a branch is, for a repetition that follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Anchor,
    Repetition,
    Other,
}

impl Branch {
    fn push(&mut self, item: Item, width: Width) {
        self.before = self.width();
        self.last = Some((item, width));
    }

    fn width(&self) -> Width {
        self.last.map_or(self.before, |(_, width)| self.before.then(width))
    }
}

/// An alternation that is open, from the outside in.
struct Open {
    kind: Kind,
    /// The branch in which the group stands.
    outer: Branch,
    /// What the alternatives before the current branch can match together.
    alternatives: Option<Width>,
    /// Whether white space counts where the group stands.
    outer_spacing: Spacing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Capture(usize),
    Plain,
    LookAhead,
    /// Whether it stands inside another one.
    LookBehind(Nesting),
    /// How many `|` it has had.
    Conditional(u8),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outermost,
    Inner,
}

/// What white space in the pattern means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Literal,
    /// Nothing: the `x` flag is on.
    Ignored,
}

struct Parser<'p> {
    pattern: &'p str,
    rest: Chars<'p>,
    branch: Branch,
    /// The alternatives before the current branch, outside of all groups.
    alternatives: Option<Width>,
    open: Vec<Open>,
    spacing: Spacing,
    /// The width of each capturing group, or nothing while it is open.
    groups: Vec<Option<Width>>,
    names: BTreeMap<&'p str, usize>,
    /// How many groups there were before the outermost look-behind, if one is open.
    look_behind: Option<usize>,
    /// The highest group number that a conditional asks for.
    highest_condition: usize,
    /// Whether `a` or `u` was chosen for the whole pattern.
    character_type: Option<char>,
}

type Parsed<T = ()> = Result<T, PatternError>;

impl<'p> Parser<'p> {
    fn new(pattern: &'p str) -> Self {
        Parser {
            pattern,
            rest: pattern.chars(),
            branch: Branch::default(),
            alternatives: None,
            open: Vec::new(),
            spacing: Spacing::Literal,
            groups: Vec::new(),
            names: BTreeMap::new(),
            look_behind: None,
            highest_condition: 0,
            character_type: None,
        }
    }

    fn run(mut self) -> Parsed {
        while let Some(piece) = self.next()? {
            match piece {
                Piece::Plain(ignored) if self.is_ignored(ignored) => {
                    if ignored == '#' {
                        while !matches!(self.next()?, None | Some(Piece::Plain('\n'))) {}
                    }
                }
                Piece::Escaped(escaped) => self.escape(escaped)?,
                Piece::Plain('[') => self.set()?,
                Piece::Plain('(') => self.group()?,
                Piece::Plain(')') => self.close()?,
                Piece::Plain('|') => self.alternative()?,
                Piece::Plain('^' | '$') => self.branch.push(Item::Anchor, Width::default()),
                Piece::Plain(sign @ ('*' | '+' | '?' | '{')) => self.repetition(sign)?,
                Piece::Plain(_) => self.branch.push(Item::Other, Width::ONE),
            }
        }
        if !self.open.is_empty() {
            return Err(PatternError::UnclosedGroup);
        }
        if self.highest_condition > self.groups.len() {
            return Err(PatternError::BadReference);
        }
        Ok(())
    }

    fn next(&mut self) -> Parsed<Option<Piece>> {
        match self.rest.next() {
            Some('\\') => match self.rest.next() {
                Some(escaped) => Ok(Some(Piece::Escaped(escaped))),
                None => Err(PatternError::BadEscape),
            },
            other => Ok(other.map(Piece::Plain)),
        }
    }

    /// Takes a character if it comes next.
    fn take(&mut self, wanted: char) -> bool {
        self.take_if(|next| next == wanted).is_some()
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.rest.clone().next().filter(|&next| wanted(next))?;
        self.rest.next();
        Some(next)
    }

    /// Takes at most `limit` digits of a base and returns how many there were and their value.
    fn digits(&mut self, base: u32, limit: usize) -> (usize, u64) {
        let (mut count, mut value) = (0, 0_u64);
        while count < limit
            && let Some(digit) = self.take_if(|next| next.is_digit(base))
        {
            count += 1;
            let digit = digit.to_digit(base).unwrap_or_default();
            value = value.saturating_mul(u64::from(base)) + u64::from(digit);
            value = value.min(TOO_MANY);
        }
        (count, value)
    }

    fn is_ignored(&self, piece: char) -> bool {
        self.spacing == Spacing::Ignored && matches!(piece, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '#')
    }

    fn repetition(&mut self, sign: char) -> Parsed {
        let count = match sign {
            '*' => Count { min: 0, max: None },
            '+' => Count { min: 1, max: None },
            '?' => Count { min: 0, max: Some(1) },
            _ => match self.braces()? {
                Some(count) => count,
                None => {
                    self.branch.push(Item::Other, Width::ONE);
                    return Ok(());
                }
            },
        };
        match &mut self.branch.last {
            None | Some((Item::Anchor, _)) => Err(PatternError::NothingToRepeat),
            Some((Item::Repetition, _)) => Err(PatternError::RepeatedTwice),
            Some((item, width)) => {
                *item = Item::Repetition;
                *width = width.times(count);
                // Non-greedy or possessive.
                let _ = self.take('?') || self.take('+');
                Ok(())
            }
        }
    }

    /// What follows a `{`; nothing if that is not a count, and the brace just a character.
    fn braces(&mut self) -> Parsed<Option<Count>> {
        let after_brace = self.rest.clone();
        let (min_digits, min) = self.digits(10, usize::MAX);
        let (max_digits, max) = if self.take(',') {
            self.digits(10, usize::MAX)
        } else if min_digits == 0 {
            return Ok(None);
        } else {
            (min_digits, min)
        };
        if !self.take('}') {
            self.rest = after_brace;
            return Ok(None);
        }
        if min >= TOO_MANY || max >= TOO_MANY || (max_digits > 0 && max < min) {
            return Err(PatternError::BadCount);
        }
        Ok(Some(Count { min, max: (max_digits > 0).then_some(max) }))
    }

    /// An escape outside of character sets.
    fn escape(&mut self, escaped: char) -> Parsed {
        match escaped {
            'A' | 'b' | 'B' | 'Z' => self.branch.push(Item::Anchor, Width::default()),
            '0' => {
                self.digits(8, 2);
                self.branch.push(Item::Other, Width::ONE);
            }
            '1'..='9' => return self.numbered(escaped),
            _ => {
                self.character_escape(escaped)?;
                self.branch.push(Item::Other, Width::ONE);
            }
        }
        Ok(())
    }

    /// A backslash and a digit from 1 on: three octal digits, or the number of a group.
    fn numbered(&mut self, first: char) -> Parsed {
        let mut number = first.to_digit(10).unwrap_or_default();
        if let Some(second) = self.take_if(|next| next.is_ascii_digit()) {
            number = number * 10 + second.to_digit(10).unwrap_or_default();
            if first.is_digit(8) && second.is_digit(8) && self.take_if(|next| next.is_digit(8)).is_some() {
                if first > '3' {
                    return Err(PatternError::BadEscape);
                }
                self.branch.push(Item::Other, Width::ONE);
                return Ok(());
            }
        }
        self.reference(number as usize)
    }

    fn reference(&mut self, number: usize) -> Parsed {
        let width = self.closed_group(number).ok_or(PatternError::BadReference)?;
        if self.look_behind.is_some_and(|before| number > before) {
            return Err(PatternError::BadReference);
        }
        self.branch.push(Item::Other, width);
        Ok(())
    }

    /// The width of a group, unless it is missing or open.
    fn closed_group(&self, number: usize) -> Option<Width> {
        self.groups.get(number.checked_sub(1)?).copied().flatten()
    }

    /// The characters before an end sign.
    fn name(&mut self, end: char) -> Parsed<&'p str> {
        let start = self.pattern.len() - self.rest.as_str().len();
        loop {
            let at = self.pattern.len() - self.rest.as_str().len();
            match self.next()? {
                None => return Err(PatternError::BadName),
                Some(piece) if piece == Piece::Plain(end) => {
                    let name = self.pattern.get(start..at).unwrap_or_default();
                    return if name.is_empty() { Err(PatternError::BadName) } else { Ok(name) };
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    /// One pattern a line.
    const TAKEN: &str = r"
^[a-z]+$
^\d{3}-\d{4}$
a{
a{,}
a{,3}?
a{x}
{}
x{}
a++
(?>a*)b
[]a]
[^]]
[a-]
[\d-]
[\]\-]
[\x41-\u0042]
\N{EM DASH}
[\N{A}-z]
(a)\1
(?P<n>a)(?P=n)
(?i)(?s)a
(?i-s:a)
(?x) a # (
(?x: a ) *
(?#)a
(a)?(?(1)b|c)
(?(1)a)(b)
(?<=ab|cd)e
(?<!a{3})b
(a)(?<=\1)
(?=a*)b
\0
\101
(?:)*
(^)*
|
()
\é\-\/
(?<=(?=a*))b
(?<=(?!a)b)
(?P<é>a)";

    /// The error, a space, the pattern.
    const REFUSED: &str = r"
UnclosedGroup (a
UnclosedGroup (?#a
UnopenedGroup a)
UnclosedSet [a
UnclosedSet []
UnclosedSet [a-
BadRange [z-a]
BadRange [\d-z]
BadRange [a-\w]
NothingToRepeat *
NothingToRepeat a|+
NothingToRepeat ^*
NothingToRepeat \b?
NothingToRepeat ({1}a)
RepeatedTwice a**
RepeatedTwice a+++
RepeatedTwice a{1}{2}
BadCount a{2,1}
BadCount a{4294967295}
BadCount a{99999999999999999999}
BadEscape \p{L}
BadEscape \z
BadEscape \x4
BadEscape \u12g4
BadEscape \U00110000
BadEscape \N
BadEscape a\
BadEscape [\A]
BadEscape \400
BadEscape [\8]
BadEscape [\400]
BadGroup (?<n>a)
BadGroup (?P!a)
BadGroup (?
BadGroup (?&a)
BadName (?P<1>a)
BadName (?P<>a)
BadName (?P<a
BadName (?P<a>b)(?P<a>c)
BadReference \1
BadReference (a\1)
BadReference (?P=a)
BadReference (?(1)a)
BadReference (?(0)a)
BadReference (?<=(a)\1)
BadReference (?<!(?(1)a))(b)
TooManyBranches (a)(?(1)b|c|d)
BadFlag (?L)a
BadFlag (?i-i:a)
BadFlag a(?i)
BadFlag (?au)
BadFlag (?-:a)
BadFlag (?a)(?u)
BadFlag (?i
BadFlag (?iz)
BadFlag (?-a:b)
BadFlag |(?i)
VariableLookBehind (?<=a+)
VariableLookBehind (?<=a|bc)
VariableLookBehind (b)(?<!(?(1)a))";

    #[test]
    fn takes_what_python_takes() {
        assert_eq!(check(""), Ok(()));
        for pattern in TAKEN.trim_start().lines() {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn refuses_what_python_refuses() {
        for line in REFUSED.trim_start().lines() {
            let (expected, pattern) = line.split_once(' ').unwrap();
            let error = check(pattern).unwrap_err();
            assert_eq!(format!("{error:?}"), expected, "{pattern}");
        }
    }

    #[test]
    fn nesting_has_no_limit() {
        let deep = "(".repeat(100_000) + &")".repeat(100_000);
        assert_eq!(check(&deep), Ok(()));
    }
}
