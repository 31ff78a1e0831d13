//! `strftime` of a date and time without a zone, as Python has it on Linux, in the C locale.

use super::calendar::Moment;

/// The time this many seconds after the beginning of 1970 as the format says, in at most this many bytes.
///
/// Python gives up on a text that is hundreds of times as long as its format, and takes an empty one.
pub(crate) fn strftime(seconds: i64, format: &str, room: usize) -> Result<String, &'static str> {
    let least = format.chars().count().saturating_mul(256);
    let mut limit: usize = 1024;
    while limit < least {
        limit *= 2;
    }
    let bytes = limit + format.len();
    let mut out = String::with_capacity(format.len() + 16);
    match Moment::of(seconds).write(format, room.min(bytes), &mut out) {
        Ok(()) if out.chars().count() < limit => Ok(out),
        Err(error) if room < bytes => Err(error),
        _ => Ok(String::new()),
    }
}

/// How a number is filled up.
#[derive(Clone, Copy, PartialEq)]
enum Padding {
    Usual,
    None,
    Spaces,
    Zeros,
}

impl Moment {
    fn write(&self, format: &str, room: usize, out: &mut String) -> Result<(), &'static str> {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(rest.get(..at).unwrap_or_default());
            let code = rest.get(at..).unwrap_or_default();
            let taken = self.code(code, room, out)?;
            rest = code.get(taken..).unwrap_or_default();
            if out.len() > room {
                return Err("the time is written too long");
            }
        }
        out.push_str(rest);
        Ok(())
    }

    /// Writes a code, which begins with `%`: how many bytes it has.
    fn code(&self, code: &str, room: usize, out: &mut String) -> Result<usize, &'static str> {
        let mut padding = Padding::Usual;
        let (mut upper, mut swapped) = (false, false);
        let mut rest = code.get(1..).unwrap_or_default();
        while let Some(flag) = rest.chars().next().filter(|flag| matches!(flag, '-' | '_' | '0' | '^' | '#')) {
            match flag {
                '-' => padding = Padding::None,
                '_' => padding = Padding::Spaces,
                '0' => padding = Padding::Zeros,
                '^' => upper = true,
                _ => swapped = true,
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let width: usize = match rest.get(..digits) {
            Some("") | None => 0,
            Some(digits) => digits.parse().unwrap_or(usize::MAX),
        };
        if width > room {
            return Err("the time is written too long");
        }
        rest = rest.get(digits..).unwrap_or_default();
        rest = rest.strip_prefix(['E', 'O']).unwrap_or(rest);
        let Some(conversion) = rest.chars().next() else {
            Field { padding, width, upper, swapped }.text(code, out);
            return Ok(code.len());
        };
        let taken = code.len() - rest.len() + conversion.len_utf8();
        let whole = code.get(..taken).unwrap_or_default();
        let field = Field { padding, width, upper, swapped };
        self.conversion(conversion, whole, &field, room, out)?;
        Ok(taken)
    }

    fn conversion(
        &self,
        conversion: char,
        whole: &str,
        field: &Field,
        room: usize,
        out: &mut String,
    ) -> Result<(), &'static str> {
        let (iso_year, iso_week) = self.iso_week();
        match conversion {
            'Y' => field.number(self.year, 1, '0', out),
            'C' => field.number(self.year.div_euclid(100), 2, '0', out),
            'y' => field.number(self.year.rem_euclid(100), 2, '0', out),
            'G' => field.number(iso_year, 1, '0', out),
            'g' => field.number(iso_year.rem_euclid(100), 2, '0', out),
            'm' => field.number(self.month, 2, '0', out),
            'd' => field.number(self.day, 2, '0', out),
            'e' => field.number(self.day, 2, ' ', out),
            'j' => field.number(self.day_of_year + 1, 3, '0', out),
            'u' => field.number((self.weekday + 6) % 7 + 1, 1, '0', out),
            'w' => field.number(self.weekday, 1, '0', out),
            'U' => field.number((self.day_of_year + 7 - self.weekday).div_euclid(7), 2, '0', out),
            'W' => field.number((self.day_of_year + 7 - (self.weekday + 6) % 7).div_euclid(7), 2, '0', out),
            'V' => field.number(iso_week, 2, '0', out),
            'H' => field.number(self.hour, 2, '0', out),
            'k' => field.number(self.hour, 2, ' ', out),
            'I' => field.number(self.hour_of_dial(), 2, '0', out),
            'l' => field.number(self.hour_of_dial(), 2, ' ', out),
            'M' => field.number(self.minute, 2, '0', out),
            'S' => field.number(self.second, 2, '0', out),
            's' => field.number(self.seconds, 1, '0', out),
            'f' => out.push_str("000000"),
            'B' => field.name(self.month_name(), out),
            'b' | 'h' => field.name(short(self.month_name()), out),
            'A' => field.name(self.day_name(), out),
            'a' => field.name(short(self.day_name()), out),
            'p' if field.swapped => field.text(if self.hour < 12 { "am" } else { "pm" }, out),
            'p' => field.text(if self.hour < 12 { "AM" } else { "PM" }, out),
            'P' => field.text(if self.hour < 12 { "am" } else { "pm" }, out),
            'n' => field.text("\n", out),
            't' => field.text("\t", out),
            '%' => field.text("%", out),
            'Z' | 'z' => {}
            'F' => self.composed("%Y-%m-%d", field, room, out)?,
            'D' | 'x' => self.composed("%m/%d/%y", field, room, out)?,
            'T' | 'X' => self.composed("%H:%M:%S", field, room, out)?,
            'R' => self.composed("%H:%M", field, room, out)?,
            'r' => self.composed("%I:%M:%S %p", field, room, out)?,
            'c' => self.composed("%a %b %e %H:%M:%S %Y", field, room, out)?,
            _ => field.text(whole, out),
        }
        Ok(())
    }

    fn composed(&self, format: &str, field: &Field, room: usize, out: &mut String) -> Result<(), &'static str> {
        let mut inner = String::new();
        self.write(format, room, &mut inner)?;
        field.text(&inner, out);
        Ok(())
    }
}

struct Field {
    padding: Padding,
    width: usize,
    upper: bool,
    swapped: bool,
}

impl Field {
    fn number(&self, number: i64, digits: usize, fill: char, out: &mut String) {
        let (digits, fill) = match self.padding {
            Padding::None => (1, ' '),
            Padding::Spaces => (digits, ' '),
            Padding::Zeros => (digits, '0'),
            Padding::Usual => (digits, fill),
        };
        let width = digits.max(self.width);
        let sign = if number < 0 { "-" } else { "" };
        let number = number.unsigned_abs().to_string();
        let filled = std::iter::repeat_n(fill, width.saturating_sub(sign.len() + number.len()));
        if fill == '0' {
            out.push_str(sign);
            out.extend(filled);
        } else {
            out.extend(filled);
            out.push_str(sign);
        }
        out.push_str(&number);
    }

    fn name(&self, name: &str, out: &mut String) {
        if self.upper || self.swapped { self.text(&name.to_uppercase(), out) } else { self.text(name, out) }
    }

    fn text(&self, text: &str, out: &mut String) {
        let fill = if self.padding == Padding::Zeros { '0' } else { ' ' };
        let missing = self.width.saturating_sub(text.len());
        out.extend(std::iter::repeat_n(fill, missing));
        if self.upper { out.push_str(&text.to_uppercase()) } else { out.push_str(text) }
    }
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or_default()
}
