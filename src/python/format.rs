//! Numbers read from text and written as Python writes them: `repr`, `%` and format specs.

use std::ops::Range;

use super::characters::{decimal_digit, is_space};
use crate::python::json::{MAX_INTEGER_DIGITS, Number};

/// `repr(number)`
pub(crate) fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let mut text = String::new();
    Number::Float(&format!("{number:e}")).write(&mut text);
    text
}

/// The text without white space around it, and with ASCII digits.
fn plain_digits(text: &str) -> String {
    text.trim_matches(is_space).chars().map(|character| decimal_digit(character).unwrap_or(character)).collect()
}

/// The text without underscores; `None` where one does not stand between two digits.
fn without_underscores(text: &str, is_digit: impl Fn(char) -> bool) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut before = None;
    for character in text.chars() {
        match (character, before) {
            ('_', Some(before)) if is_digit(before) => {}
            ('_', _) => return None,
            (other, Some('_')) if !is_digit(other) => return None,
            (other, _) => plain.push(other),
        }
        before = Some(character);
    }
    (before != Some('_')).then_some(plain)
}

/// `int(text, base)` in decimal digits, where Python reads one.
pub(crate) fn read_integer(text: &str, base: i64) -> Option<String> {
    let plain = plain_digits(text);
    let (negative, unsigned) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let prefixed = match unsigned.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    };
    let (base, digits) = match (base, prefixed) {
        (0, Some(prefix)) => (prefix, behind_prefix(unsigned)?),
        (0, None) if unsigned.starts_with('0') && unsigned.contains(|digit| !matches!(digit, '0' | '_')) => {
            return None;
        }
        (0, None) => (10, unsigned),
        (base, Some(prefix)) if base == i64::from(prefix) => (prefix, behind_prefix(unsigned)?),
        (base @ 2..=36, _) => (u32::try_from(base).ok()?, unsigned),
        _ => return None,
    };
    let is_digit = |digit: char| digit.is_digit(base);
    let digits = without_underscores(digits, is_digit)?;
    if digits.is_empty() || !digits.chars().all(is_digit) {
        return None;
    }
    let digits = match base {
        10 if digits.len() > MAX_INTEGER_DIGITS => return None,
        10 => digits,
        _ => decimal(&digits, base)?,
    };
    let significant = digits.trim_start_matches('0');
    let sign = if negative { "-" } else { "" };
    Some(if significant.is_empty() { "0".to_owned() } else { format!("{sign}{significant}") })
}

/// What stands behind `0x`, which one underscore may follow.
fn behind_prefix(unsigned: &str) -> Option<&str> {
    let digits = unsigned.get(2..)?;
    Some(digits.strip_prefix('_').unwrap_or(digits))
}

/// Digits of another base as decimal ones, with zeros before them; `None` where they are more than Python prints.
fn decimal(digits: &str, base: u32) -> Option<String> {
    const LIMB: u64 = 1_000_000_000;
    const LIMB_DIGITS: usize = 9;
    /// So many digits of any base are a number that fits into 32 bits.
    const AT_ONCE: usize = 6;
    let digits = digits.trim_start_matches('0');
    // The last limb first.
    let mut limbs: Vec<u64> = Vec::new();
    for part in digits.as_bytes().chunks(AT_ONCE) {
        let part = std::str::from_utf8(part).ok()?;
        let mut carry = u64::from_str_radix(part, base).ok()?;
        let unit = u64::from(base).pow(u32::try_from(part.len()).ok()?);
        for limb in &mut limbs {
            let value = *limb * unit + carry;
            (*limb, carry) = (value % LIMB, value / LIMB);
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
        if limbs.len() > MAX_INTEGER_DIGITS.div_ceil(LIMB_DIGITS) {
            return None;
        }
    }
    let written: String = limbs.iter().rev().map(|limb| format!("{limb:09}")).collect();
    (written.trim_start_matches('0').len() <= MAX_INTEGER_DIGITS).then_some(written)
}

/// `float(text)`, where Python reads one.
pub(crate) fn read_float(text: &str) -> Option<f64> {
    without_underscores(&plain_digits(text), |digit| digit.is_ascii_digit())?.parse().ok()
}

/// `round(number, places)`, half to even of what the number truly is; `None` where that is larger than any float.
pub(crate) fn rounded(number: f64, places: i64) -> Option<f64> {
    if !number.is_finite() || places > 323 {
        return Some(number);
    }
    let rounded: f64 = match usize::try_from(places) {
        Ok(places) => format!("{number:.places$}").parse().ok()?,
        Err(_) => round_whole(number.abs(), usize::try_from(places.unsigned_abs()).ok()?).copysign(number),
    };
    rounded.is_finite().then_some(rounded)
}

/// The nearest number that ends in so many zeros before its point.
fn round_whole(number: f64, zeros: usize) -> f64 {
    let whole = format!("{:.0}", number.trunc());
    let written = match whole.len().checked_sub(zeros) {
        None => return 0.0,
        Some(0) => {
            // Below ten times the last place: nothing or one of it.
            let digits = whole.trim_end_matches('0');
            let more_than_half = digits > "5" || digits == "5" && number.fract() > 0.0;
            format!("{}e{zeros}", u8::from(more_than_half))
        }
        Some(kept) => format!("{number:.0$e}", kept - 1),
    };
    written.parse().unwrap_or(number)
}

/// What a format spec says, of `format` or of `%`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    pub(crate) fill: Option<char>,
    pub(crate) align: Option<char>,
    pub(crate) sign: Option<char>,
    pub(crate) alternate: bool,
    pub(crate) zero: bool,
    pub(crate) width: usize,
    pub(crate) grouping: Option<char>,
    pub(crate) precision: Option<usize>,
    pub(crate) kind: Option<char>,
    /// `%-5s`
    pub(crate) left: bool,
}

/// The number that a text begins with, and the rest; a number of too many digits is as large as there is.
fn leading_number(text: &str) -> (Option<usize>, &str) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length).unwrap_or(("", text));
    let number = if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(usize::MAX)) };
    (number, rest)
}

impl Spec {
    /// Reads a spec of `format`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut spec = Spec::default();
        let mut rest = text;
        let mut characters = rest.chars();
        let (first, second) = (characters.next(), characters.next());
        let is_align = |character: Option<char>| matches!(character, Some('<' | '>' | '=' | '^'));
        if is_align(second) {
            (spec.fill, spec.align) = (first, second);
            rest = characters.as_str();
        } else if is_align(first) {
            spec.align = first;
            rest = rest.get(1..)?;
        }
        if let Some(sign) = rest.chars().next().filter(|sign| matches!(sign, '+' | '-' | ' ')) {
            spec.sign = Some(sign);
            rest = rest.get(1..)?;
        }
        if let Some(tail) = rest.strip_prefix('#') {
            spec.alternate = true;
            rest = tail;
        }
        if let Some(tail) = rest.strip_prefix('0') {
            spec.zero = true;
            rest = tail;
        }
        let (width, tail) = leading_number(rest);
        (spec.width, rest) = (width.unwrap_or_default(), tail);
        if let Some(grouping) = rest.chars().next().filter(|grouping| matches!(grouping, ',' | '_')) {
            spec.grouping = Some(grouping);
            rest = rest.get(1..)?;
        }
        if let Some(tail) = rest.strip_prefix('.') {
            let (precision, tail) = leading_number(tail);
            spec.precision = Some(precision?);
            rest = tail;
        }
        let mut characters = rest.chars();
        spec.kind = characters.next();
        if spec.zero {
            spec.fill.get_or_insert('0');
            spec.align.get_or_insert('=');
        }
        characters.as_str().is_empty().then_some(spec)
    }

    /// May a text be formatted so?
    pub(crate) fn is_for_text(&self) -> bool {
        matches!(self.kind, None | Some('s')) && self.sign.is_none() && self.grouping.is_none() && !self.alternate
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match self.sign {
            _ if negative => "-",
            Some('+') => "+",
            Some(' ') => " ",
            _ => "",
        }
    }
}

/// The text in a field of the spec's width.
pub(crate) fn aligned(text: &str, spec: &Spec, align: char) -> String {
    placed("", text, spec, align)
}

/// A sign and digits in a field of the spec's width.
fn placed(sign: &str, digits: &str, spec: &Spec, align: char) -> String {
    let missing = spec.width.saturating_sub(sign.chars().count() + digits.chars().count());
    let fill = |count: usize| std::iter::repeat_n(spec.fill.unwrap_or(' '), count).collect::<String>();
    match spec.align.unwrap_or(align) {
        '<' => format!("{sign}{digits}{}", fill(missing)),
        '^' => format!("{}{sign}{digits}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{sign}{}{digits}", fill(missing)),
        _ => format!("{}{sign}{digits}", fill(missing)),
    }
}

/// Whole digits with separators between groups of this many.
fn grouped(digits: &str, separator: Option<char>, size: usize) -> String {
    let Some(separator) = separator else { return digits.to_owned() };
    let mut out = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// `format(number, spec)` of an integer, whose digits are in the spec's base; `None` where the spec is not for it.
pub(crate) fn integer(digits: &str, spec: &Spec) -> Option<String> {
    if spec.precision.is_some() {
        return None;
    }
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let (prefix, size) = match spec.kind {
        None | Some('d' | 'n') => ("", 3),
        Some('x') => ("0x", 4),
        Some('X') => ("0X", 4),
        Some('o') => ("0o", 4),
        Some('b') => ("0b", 4),
        _ => return None,
    };
    if spec.grouping == Some(',') && size == 4 {
        return None;
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let sign = format!("{}{prefix}", spec.sign_of(negative));
    Some(filled(&sign, digits, "", spec, size))
}

/// A number whose groups go on through the zeros that fill it.
fn filled(sign: &str, whole: &str, rest: &str, spec: &Spec, size: usize) -> String {
    let mut digits = grouped(whole, spec.grouping, size);
    if spec.fill == Some('0') && spec.align == Some('=') && spec.grouping.is_some() {
        let mut padded = whole.to_owned();
        while sign.len() + digits.len() + rest.len() < spec.width {
            padded.insert(0, '0');
            digits = grouped(&padded, spec.grouping, size);
        }
    }
    placed(sign, &format!("{digits}{rest}"), spec, '>')
}

/// `format(number, spec)` of a float; `None` where the spec is not for it.
pub(crate) fn float(number: f64, spec: &Spec) -> Option<String> {
    let kind = spec.kind.unwrap_or('\0');
    if !matches!(kind, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') {
        return None;
    }
    let negative = number.is_sign_negative() && !number.is_nan();
    let sign = spec.sign_of(negative);
    let written = unsigned(number.abs(), kind, spec);
    let end = written.find(|character: char| !character.is_ascii_digit()).unwrap_or(written.len());
    let (whole, rest) = written.split_at_checked(end).unwrap_or((&written, ""));
    Some(filled(sign, whole, rest, spec, 3))
}

/// A number that is not negative.
fn unsigned(number: f64, kind: char, spec: &Spec) -> String {
    let upper = kind.is_ascii_uppercase();
    if !number.is_finite() {
        let name = if number.is_nan() { "nan" } else { "inf" };
        let percent = if kind == '%' { "%" } else { "" };
        return format!("{}{percent}", if upper { name.to_uppercase() } else { name.to_owned() });
    }
    let precision = spec.precision.unwrap_or(6);
    let mut written = match kind {
        'f' | 'F' => fixed(number, precision),
        '%' => fixed(number * 100.0, precision),
        'e' | 'E' => exponential(number, precision),
        'g' | 'G' | 'n' => general(number, precision.max(1), spec.alternate, false),
        _ => match spec.precision {
            None => float_repr(number),
            Some(precision) => general(number, precision.max(1), spec.alternate, true),
        },
    };
    if spec.alternate && !written.contains('.') {
        written.insert(written.find('e').unwrap_or(written.len()), '.');
    }
    if kind == '%' {
        written.push('%');
    }
    if upper { written.to_uppercase() } else { written }
}

/// No float has more digits behind its point; what is written with more ends in zeros.
const MOST_PLACES: usize = 1100;

fn fixed(number: f64, places: usize) -> String {
    let exact = places.min(MOST_PLACES);
    format!("{number:.exact$}") + &"0".repeat(places - exact)
}

/// The digits, so many behind the point, and the exponent.
fn scientific(number: f64, places: usize) -> (String, i64) {
    let exact = places.min(MOST_PLACES);
    let written = format!("{number:.exact$e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    (digits.to_owned() + &"0".repeat(places - exact), exponent.parse().unwrap_or_default())
}

fn exponential(number: f64, precision: usize) -> String {
    let (digits, exponent) = scientific(number, precision);
    format!("{digits}e{exponent:+03}")
}

/// So many significant digits, with an exponent where the number is very small or large.
fn general(number: f64, precision: usize, alternate: bool, keeps_point: bool) -> String {
    let (rounded, exponent) = scientific(number, precision - 1);
    let most = i64::try_from(precision).unwrap_or(i64::MAX);
    // A float that is written without a kind shows that it is one.
    let limit = if keeps_point { most - 1 } else { most };
    let (digits, tail) = if (-4..limit).contains(&exponent) {
        (fixed(number, usize::try_from(most - 1 - exponent).unwrap_or_default()), String::new())
    } else {
        (rounded, format!("e{exponent:+03}"))
    };
    let digits = match digits.contains('.') && !alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits,
    };
    let point = if keeps_point && tail.is_empty() && !digits.contains('.') { ".0" } else { "" };
    format!("{digits}{point}{tail}")
}

/// A field of `%`, what stands behind its sign.
#[derive(Debug)]
pub(crate) struct PercentField {
    /// Where its name stands, in parentheses.
    pub(crate) name: Option<Range<usize>>,
    pub(crate) spec: Spec,
    pub(crate) star_width: bool,
    pub(crate) star_precision: bool,
    pub(crate) conversion: char,
}

/// Reads a field, and how many bytes it has; `None` where it does not end.
pub(crate) fn percent_field(text: &str) -> Option<(PercentField, usize)> {
    let mut rest = text;
    let at = |rest: &str| text.len() - rest.len();
    let mut field =
        PercentField { name: None, spec: Spec::default(), star_width: false, star_precision: false, conversion: '%' };
    if rest.starts_with('(') {
        let mut depth = 0usize;
        let close = rest.char_indices().find(|(_, character)| {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        field.name = Some(1..close.0);
        rest = rest.get(close.0 + 1..)?;
    }
    while let Some(flag) = rest.chars().next().filter(|flag| matches!(flag, '-' | '+' | ' ' | '#' | '0')) {
        match flag {
            '-' => field.spec.left = true,
            '#' => field.spec.alternate = true,
            '0' => field.spec.zero = true,
            '+' => field.spec.sign = Some('+'),
            _ => {
                field.spec.sign.get_or_insert(' ');
            }
        }
        rest = rest.get(1..)?;
    }
    if let Some(tail) = rest.strip_prefix('*') {
        field.star_width = true;
        rest = tail;
    } else {
        let (width, tail) = leading_number(rest);
        (field.spec.width, rest) = (width.unwrap_or_default(), tail);
    }
    if let Some(tail) = rest.strip_prefix('.') {
        if let Some(tail) = tail.strip_prefix('*') {
            field.star_precision = true;
            rest = tail;
        } else {
            let (precision, tail) = leading_number(tail);
            field.spec.precision = Some(precision.unwrap_or_default());
            rest = tail;
        }
    }
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    field.conversion = rest.chars().next()?;
    let end = at(rest) + field.conversion.len_utf8();
    Some((field, end))
}

/// The spec of a `%` field as one of `format`, which fills with zeros only what is not at the left.
fn of_percent(spec: &Spec) -> Spec {
    let zero = spec.zero && !spec.left;
    Spec {
        fill: zero.then_some('0'),
        align: Some(if spec.left {
            '<'
        } else if zero {
            '='
        } else {
            '>'
        }),
        ..spec.clone()
    }
}

/// `%d` and its kin, of digits in the base of the conversion.
pub(crate) fn percent_integer(digits: &str, conversion: char, spec: &Spec) -> String {
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let prefix = match conversion {
        'x' if spec.alternate => "0x",
        'X' if spec.alternate => "0X",
        'o' if spec.alternate => "0o",
        _ => "",
    };
    let missing = spec.precision.unwrap_or_default().saturating_sub(digits.len());
    let digits = format!("{}{digits}", "0".repeat(missing));
    placed(&format!("{}{prefix}", spec.sign_of(negative)), &digits, &of_percent(spec), '>')
}

/// `%f` and its kin.
pub(crate) fn percent_float(number: f64, conversion: char, spec: &Spec) -> String {
    let negative = number.is_sign_negative() && !number.is_nan();
    placed(spec.sign_of(negative), &unsigned(number.abs(), conversion, spec), &of_percent(spec), '>')
}

/// Where a field of `format` ends, of text behind its brace.
pub(crate) fn field_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The name, the conversion and the spec of a field.
pub(crate) fn parts_of_field(field: &str) -> Result<(&str, Option<char>, &str), &'static str> {
    let mut in_brackets = false;
    let end = field.find(|character: char| {
        match character {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        !in_brackets && matches!(character, '!' | ':')
    });
    let Some(end) = end else { return Ok((field, None, "")) };
    let (name, rest) = field.split_at_checked(end).unwrap_or((field, ""));
    let Some(rest) = rest.strip_prefix('!') else { return Ok((name, None, rest.get(1..).unwrap_or_default())) };
    let mut characters = rest.chars();
    let conversion = characters.next().ok_or("end of string while looking for conversion specifier")?;
    match characters.as_str() {
        "" => Ok((name, Some(conversion), "")),
        spec => match spec.strip_prefix(':') {
            Some(spec) => Ok((name, Some(conversion), spec)),
            None => Err("expected ':' after conversion specifier"),
        },
    }
}
