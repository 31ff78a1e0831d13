//! JSON numbers: from the source's digits to the digits that Python prints.

use std::fmt::{self, Write};

use super::{JsonError, JsonErrorKind};

/// The longest integer that Python turns into a number, in digits.
pub(crate) const MAX_INTEGER_DIGITS: usize = 4300;

/// A number of the source; Python keeps integers and floats apart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number<'a> {
    /// Digits with an optional sign, of any size.
    Integer(&'a str),
    /// Digits with a fraction, an exponent or both.
    Float(&'a str),
    /// `NaN`, `Infinity` or `-Infinity`, which Python reads and writes.
    NotFinite(&'a str),
}

/// The two kinds of numbers that have digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Integer,
    Float,
}

/// Finds the end of the number that begins at `start`.
///
/// As in Python, a fraction or exponent without digits is not part of the number.
#[inline]
pub(super) fn scan(bytes: &[u8], start: usize) -> Result<(Kind, usize), JsonError> {
    let first = start + usize::from(bytes.get(start) == Some(&b'-'));
    let whole = match bytes.get(first) {
        Some(b'0') => first + 1,
        Some(b'1'..=b'9') => skip_digits(bytes, first),
        _ => return Err(JsonError::new(JsonErrorKind::ExpectedValue, start)),
    };
    let end = skip_exponent(bytes, skip_fraction(bytes, whole));
    if end > whole {
        Ok((Kind::Float, end))
    } else if whole - first > MAX_INTEGER_DIGITS {
        Err(JsonError::new(JsonErrorKind::IntegerTooLong, start))
    } else {
        Ok((Kind::Integer, end))
    }
}

impl Number<'_> {
    /// Whether Python prints the number just as the source has it.
    pub(super) fn is_canonical(self) -> bool {
        match self {
            Number::Integer(text) => text != "-0",
            Number::Float(text) => short_decimal(text).is_some_and(|kept| kept.len() == text.len()),
            Number::NotFinite(_) => true,
        }
    }

    /// Appends the number as Python prints it.
    pub(crate) fn write(self, out: &mut String) {
        match self {
            Number::Integer("-0") => out.push('0'),
            Number::Integer(text) | Number::NotFinite(text) => out.push_str(text),
            Number::Float(text) => match short_decimal(text) {
                Some(decimal) => out.push_str(decimal),
                None => write_float(float_value(text), out),
            },
        }
    }

    /// The nearest double, as good as the number for questions of sign and of being whole.
    pub(crate) fn value(self) -> f64 {
        match self {
            Number::Integer(text) | Number::Float(text) => float_value(text),
            Number::NotFinite("Infinity") => f64::INFINITY,
            Number::NotFinite("-Infinity") => f64::NEG_INFINITY,
            Number::NotFinite(_) => f64::NAN,
        }
    }
}

/// The double nearest to a checked number.
fn float_value(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn skip_digits(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn skip_fraction(bytes: &[u8], start: usize) -> usize {
    if bytes.get(start) != Some(&b'.') {
        return start;
    }
    let end = skip_digits(bytes, start + 1);
    if end > start + 1 { end } else { start }
}

fn skip_exponent(bytes: &[u8], start: usize) -> usize {
    if !matches!(bytes.get(start), Some(b'e' | b'E')) {
        return start;
    }
    let signed = matches!(bytes.get(start + 1), Some(b'+' | b'-'));
    let digits = start + 1 + usize::from(signed);
    let end = skip_digits(bytes, digits);
    if end > digits { end } else { start }
}

/// What Python prints for a float, where that is a prefix of the source text.
///
/// At most 15 digits survive the way through a double and back, so they are the shortest ones
/// already, up to trailing zeros. Exponents and values below 0.0001 are left to [`write_float`].
fn short_decimal(text: &str) -> Option<&str> {
    const EXACT_DIGITS: usize = 15;
    let point = text.bytes().position(|byte| byte == b'.')?;
    let (whole, fraction) = (text.get(..point)?, text.get(point + 1..)?);
    if text.len() > EXACT_DIGITS || fraction.contains(['e', 'E']) {
        return None;
    }
    let kept = fraction.trim_end_matches('0').len();
    let is_small = matches!(whole, "0" | "-0") && kept > 0 && fraction.starts_with("0000");
    if is_small {
        return None;
    }
    text.get(..point + 1 + kept.max(1))
}

/// Appends a float as Python's `repr` prints it: the shortest digits that read back the same.
fn write_float(value: f64, out: &mut String) {
    if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let scientific = Scientific::of(value.abs());
    let (digits, exponent) = scientific.parts();
    let (first, others) = digits;
    match exponent {
        0..16 => {
            let whole = usize::from(exponent.unsigned_abs()).min(others.len());
            let (whole, fraction) = others.split_at_checked(whole).unwrap_or_default();
            out.push_str(first);
            out.push_str(whole);
            let zeros = usize::from(exponent.unsigned_abs()) - whole.len();
            out.extend(std::iter::repeat_n('0', zeros));
            out.push('.');
            out.push_str(if fraction.is_empty() { "0" } else { fraction });
        }
        -4..0 => {
            let zeros = usize::from(exponent.unsigned_abs()) - 1;
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', zeros));
            out.push_str(first);
            out.push_str(others);
        }
        _ => {
            out.push_str(first);
            if !others.is_empty() {
                out.push('.');
                out.push_str(others);
            }
            // Writing to a `String` cannot fail.
            let _ = write!(out, "e{exponent:+03}");
        }
    }
}

/// The text of a float in scientific notation, such as `6.02e23`.
#[derive(Default, PartialEq)]
struct Scientific {
    bytes: [u8; 32],
    length: usize,
}

impl Scientific {
    /// The shortest digits of a finite float; of two that are as short and as near, the even ones.
    fn of(value: f64) -> Self {
        /// Fewer digits are too far apart for a double to be halfway between two of them.
        const TIE_DIGITS: usize = 16;
        let shortest = Self::print(format_args!("{value:e}"));
        let decimals = shortest.parts().0.1.len();
        if decimals + 1 < TIE_DIGITS {
            return shortest;
        }
        let nearest = Self::print(format_args!("{value:.decimals$e}"));
        if nearest != shortest && float_value(nearest.as_str()) == value {
            return nearest;
        }
        shortest
    }

    fn print(number: fmt::Arguments<'_>) -> Self {
        let mut text = Self::default();
        // At most 17 digits, a point, `e`, and an exponent of four: the buffer has room.
        let _ = text.write_fmt(number);
        text
    }

    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }

    /// The first digit and the others, and the exponent.
    fn parts(&self) -> ((&str, &str), i16) {
        let (digits, exponent) = self.as_str().split_once('e').unwrap_or_default();
        let digits = digits.split_once('.').unwrap_or((digits, ""));
        (digits, exponent.parse().unwrap_or_default())
    }
}

impl fmt::Write for Scientific {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_written(source: &str, written: &str) {
        let number = match scan(source.as_bytes(), 0) {
            Ok((Kind::Integer, end)) if end == source.len() => Number::Integer(source),
            Ok((Kind::Float, end)) if end == source.len() => Number::Float(source),
            other => panic!("{source}: {other:?}"),
        };
        assert!(!number.is_canonical() || source == written);
        let mut out = String::new();
        number.write(&mut out);
        assert_eq!(out, written);
    }

    #[test]
    fn integers_keep_their_digits() {
        assert_written("0", "0");
        assert_written("-0", "0");
        assert_written("-17", "-17");
        let long = "9".repeat(4300);
        assert_written(&long, &long);
    }

    #[test]
    fn floats_are_printed_as_repr_prints_them() {
        assert_written("1e5", "100000.0");
        assert_written("1E+2", "100.0");
        assert_written("1e15", "1000000000000000.0");
        assert_written("1e16", "1e+16");
        assert_written("1.50e300", "1.5e+300");
        assert_written("0.0001", "0.0001");
        assert_written("0.00001", "1e-05");
        assert_written("-1.25e-7", "-1.25e-07");
        assert_written("-0.0", "-0.0");
        assert_written("-0e5", "-0.0");
        assert_written("0.000000", "0.0");
        assert_written("2.500", "2.5");
        assert_written("10.00", "10.0");
        assert_written("0.1000000000000000055511151231257827", "0.1");
        assert_written("9007199254740993.0", "9007199254740992.0");
        assert_written("123456789012345678", "123456789012345678");
        assert_written("1234567890123456.0", "1234567890123456.0");
        assert_written("1200000000000000.0", "1200000000000000.0");
        assert_written("0.00012345678901234567", "0.00012345678901234567");
        // Halfway between two texts of 16 digits: the even one.
        assert_written("943300607535012.25", "943300607535012.2");
        assert_written("943300607535012.75", "943300607535012.8");
        assert_written("94202208462723.125", "94202208462723.12");
        assert_written("5e-324", "5e-324");
        assert_written("1e-400", "0.0");
        assert_written("1E400", "Infinity");
        assert_written("-1e99999999999999999999", "-Infinity");
    }

    #[test]
    fn a_number_ends_before_what_is_not_part_of_it() {
        for (source, length) in [("01", 1), ("1.", 1), ("1.e5", 1), ("2e", 1), ("2e+", 1), ("3.5.1", 3)] {
            let (_, end) = scan(source.as_bytes(), 0).unwrap();
            assert_eq!(end, length, "{source}");
        }
    }

    #[test]
    fn refuses_what_python_refuses() {
        for source in ["-", "-a", "-Inf", ".5", "+1"] {
            let error = scan(source.as_bytes(), 0).err();
            assert_eq!(error, Some(JsonError::new(JsonErrorKind::ExpectedValue, 0)), "{source}");
        }
        let error = scan(format!("-{}", "1".repeat(4301)).as_bytes(), 0).err();
        assert_eq!(error, Some(JsonError::new(JsonErrorKind::IntegerTooLong, 0)));
    }
}
