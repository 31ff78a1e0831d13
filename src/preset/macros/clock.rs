//! Dates and times as moment.js writes them in English, from the caller's clock.

use crate::python::calendar::{Moment, SECONDS_OF_DAY, day_number, is_leap};

/// The caller's clock: what time it is, and how far local time is ahead of UTC.
///
/// ```
/// use mistral_chat_template::preset::{Clock, Scene};
///
/// let now = Clock { unix_seconds: 1_784_000_000, utc_offset_minutes: 120 };
/// let scene = Scene { now: Some(now), ..Scene::default() };
/// # assert!(scene.now.is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// Seconds since 1970 began in UTC.
    pub unix_seconds: i64,
    /// How many minutes local time is ahead of UTC.
    pub utc_offset_minutes: i16,
}

impl Clock {
    /// The same moment at another offset: `UTC+2` is hours up to 16, and minutes beyond, as in moment.js.
    pub(super) fn at_offset(self, offset: i64) -> Clock {
        let minutes = if offset.abs() < 16 { offset.saturating_mul(60) } else { offset };
        let utc_offset_minutes = i16::try_from(minutes.clamp(-14_400, 14_400)).unwrap_or_default();
        Clock { utc_offset_minutes, ..self }
    }

    /// The moment in a format of moment.js: `HH:mm`, `LL`, `[at] YYYY`.
    pub(super) fn format(self, format: &str) -> String {
        let local = self.local();
        let mut text = String::new();
        let format = if format.is_empty() { "YYYY-MM-DDTHH:mm:ssZ".to_owned() } else { expanded(format) };
        let mut rest = format.as_str();
        while let Some(first) = rest.chars().next() {
            let (written, length) = match (literal(rest), token(rest)) {
                (Some(literal), _) => (literal.to_owned(), literal.len() + "[]".len()),
                (None, Some(token)) => (self.written(token, &local), token.len()),
                (None, None) if first == '\\' => {
                    // What stands behind a backslash is no token.
                    let behind = rest.get(1..).unwrap_or_default();
                    let one = behind.chars().next().filter(|next| !is_line_end(*next)).map_or(0, char::len_utf8);
                    let length = token(behind).map_or(one, str::len);
                    (behind.get(..length).unwrap_or_default().replace('\\', ""), 1 + length)
                }
                (None, None) if is_line_end(first) => (String::new(), first.len_utf8()),
                (None, None) => (first.to_string(), first.len_utf8()),
            };
            text.push_str(&written);
            rest = rest.get(length..).unwrap_or_default();
        }
        text
    }

    /// The moment in local time.
    fn local(self) -> Moment {
        // Years that no text has are cut off, so that nothing overflows.
        let seconds = self.unix_seconds.clamp(-8_640_000_000_000, 8_640_000_000_000);
        Moment::of(seconds + i64::from(self.utc_offset_minutes) * 60)
    }

    /// What stands for a token of [`TOKENS`].
    fn written(self, token: &str, local: &Moment) -> String {
        let beginning = |name: &str, length: usize| name.get(..length).unwrap_or_default().to_owned();
        let hour12 = local.hour_of_dial();
        let (iso_year, iso_week) = local.iso_week();
        let (year_of_week, week) = week_of(local);
        let (hours, minutes) = (self.utc_offset_minutes.abs() / 60, self.utc_offset_minutes.abs() % 60);
        let sign = if self.utc_offset_minutes < 0 { '-' } else { '+' };
        let is_before_christ = local.year < 1;
        let year_of_era = if is_before_christ { 1 - local.year } else { local.year };
        match token {
            "YYYYYY" if is_before_christ => format!("{:07}", local.year),
            "YYYYYY" => format!("+{:06}", local.year),
            "YYYYY" => filled(local.year, 5),
            "Y" if local.year > 9999 => format!("+{}", local.year),
            "YYYY" | "Y" => filled(local.year, 4),
            "YY" => filled(local.year % 100, 2),
            "N" | "NN" | "NNN" | "NNNNN" => if is_before_christ { "BC" } else { "AD" }.to_owned(),
            "NNNN" => if is_before_christ { "Before Christ" } else { "Anno Domini" }.to_owned(),
            "yo" => ordinal(year_of_era),
            "y" | "yy" | "yyy" | "yyyy" => filled(year_of_era, token.len()),
            "Qo" => ordinal((local.month + 2) / 3),
            "Q" => ((local.month + 2) / 3).to_string(),
            "MMMM" => local.month_name().to_owned(),
            "MMM" => beginning(local.month_name(), 3),
            "MM" => format!("{:02}", local.month),
            "Mo" => ordinal(local.month),
            "M" => local.month.to_string(),
            "ww" => format!("{week:02}"),
            "wo" => ordinal(week),
            "w" => week.to_string(),
            "WW" => format!("{iso_week:02}"),
            "Wo" => ordinal(iso_week),
            "W" => iso_week.to_string(),
            "gg" => filled(year_of_week % 100, 2),
            "gggg" | "ggggg" => filled(year_of_week, token.len()),
            "GG" => filled(iso_year % 100, 2),
            "GGGG" | "GGGGG" => filled(iso_year, token.len()),
            "DDDD" => format!("{:03}", local.day_of_year + 1),
            "DDDo" => ordinal(local.day_of_year + 1),
            "DDD" => (local.day_of_year + 1).to_string(),
            "DD" => format!("{:02}", local.day),
            "Do" => ordinal(local.day),
            "D" => local.day.to_string(),
            "dddd" => local.day_name().to_owned(),
            "ddd" => beginning(local.day_name(), 3),
            "dd" => beginning(local.day_name(), 2),
            "do" => ordinal(local.weekday),
            "d" | "e" => local.weekday.to_string(),
            "E" => ((local.weekday + 6) % 7 + 1).to_string(),
            "Hmmss" => format!("{}{:02}{:02}", local.hour, local.minute, local.second),
            "Hmm" => format!("{}{:02}", local.hour, local.minute),
            "hmmss" => format!("{hour12}{:02}{:02}", local.minute, local.second),
            "hmm" => format!("{hour12}{:02}", local.minute),
            "HH" => format!("{:02}", local.hour),
            "H" => local.hour.to_string(),
            "hh" => format!("{hour12:02}"),
            "h" => hour12.to_string(),
            "kk" => format!("{:02}", (local.hour + 23) % 24 + 1),
            "k" => ((local.hour + 23) % 24 + 1).to_string(),
            "mm" => format!("{:02}", local.minute),
            "m" => local.minute.to_string(),
            "ss" => format!("{:02}", local.second),
            "s" => local.second.to_string(),
            "A" => if local.hour < 12 { "AM" } else { "PM" }.to_owned(),
            "a" => if local.hour < 12 { "am" } else { "pm" }.to_owned(),
            "X" => self.unix_seconds.to_string(),
            "x" => self.unix_seconds.saturating_mul(1000).to_string(),
            "ZZ" => format!("{sign}{hours:02}{minutes:02}"),
            "Z" => format!("{sign}{hours:02}:{minutes:02}"),
            // Local time has no name.
            "z" | "zz" => String::new(),
            // Parts of a second, of which there are none.
            _ => "0".repeat(token.len()),
        }
    }
}

/// What stands for something in a format; longer ones come before those that they begin with.
#[rustfmt::skip]
const TOKENS: [&str; 78] = [
    "Hmmss", "Hmm", "hmmss", "hmm", "Mo", "MMMM", "MMM", "MM", "M", "DDDo", "Do", "DDDD", "DDD", "DD", "D", "dddd", "ddd", "dd",
    "do", "d", "wo", "ww", "w", "Wo", "WW", "W", "Qo", "Q", "NNNNN", "NNNN", "NNN", "NN", "N", "YYYYYY", "YYYYY", "YYYY",
    "YY", "Y", "yyyy", "yyy", "yy", "yo", "y", "ggggg", "gggg", "gg", "GGGGG", "GGGG", "GG", "e", "E", "a", "A", "hh", "h", "HH", "H",
    "kk", "k", "mm", "m", "ss", "s", "SSSSSSSSS", "SSSSSSSS", "SSSSSSS", "SSSSSS", "SSSSS", "SSSS", "SSS", "SS", "S", "x", "X", "zz",
    "z", "ZZ", "Z",
];

/// The usual formats of a country, and what they are short for.
const LONG: [(&str, &str); 10] = [
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LTS", "h:mm:ss A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LT", "h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// The text in brackets that a format begins with; it ends at the last bracket before another one opens.
fn literal(format: &str) -> Option<&str> {
    let inside = format.strip_prefix('[')?;
    let inside = inside.split_once('[').map_or(inside, |(inside, _)| inside);
    inside.rsplit_once(']').map(|(literal, _)| literal)
}

fn token(format: &str) -> Option<&'static str> {
    TOKENS.into_iter().find(|token| format.starts_with(*token))
}

/// These are no characters to moment.js, which leaves them out.
fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// The format with the long form of its short ones.
fn expanded(format: &str) -> String {
    let mut long = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let short = |rest: &str| LONG.into_iter().find(|(short, _)| rest.starts_with(short));
        let kept = match (literal(rest), rest.strip_prefix('\\').and_then(short)) {
            (Some(literal), _) => literal.len() + "[]".len(),
            (None, Some((short, _))) => 1 + short.len(),
            (None, None) => 0,
        };
        let (written, length) = match short(rest) {
            _ if kept > 0 => (rest.get(..kept).unwrap_or_default(), kept),
            Some((short, written)) => (written, short.len()),
            None => (rest.get(..first.len_utf8()).unwrap_or_default(), first.len_utf8()),
        };
        long.push_str(written);
        rest = rest.get(length..).unwrap_or_default();
    }
    long
}

/// The year and week of a day where weeks begin on Sunday, and the first has the first of January.
fn week_of(local: &Moment) -> (i64, i64) {
    let saturday = local.day_of_year + 6 - local.weekday;
    if saturday < 365 + i64::from(is_leap(local.year)) { (local.year, saturday / 7 + 1) } else { (local.year + 1, 1) }
}

/// A number of at least so many digits.
fn filled(number: i64, digits: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0>digits$}", number.unsigned_abs())
}

fn ordinal(number: i64) -> String {
    let suffix = match (number % 10, number % 100 / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// The seconds between two dates as people say them, with which comes first: `in 3 hours`, `2 days ago`.
pub(super) fn difference(left: &str, right: &str) -> String {
    match (seconds_of(left), seconds_of(right)) {
        (Some(left), Some(right)) => {
            let span = humanized(left - right);
            if left > right { format!("in {span}") } else { format!("{span} ago") }
        }
        _ => "Invalid date".to_owned(),
    }
}

/// A span of seconds as people say it, with moment.js's bounds.
pub(super) fn humanized(seconds: i64) -> String {
    let seconds = seconds.saturating_abs();
    #[expect(clippy::cast_precision_loss, reason = "spans are rounded to whole units")]
    let span = seconds as f64;
    let days = span / 86_400.0;
    let months = days * 4800.0 / 146_097.0;
    let [minutes, hours, days, months, years] =
        [span / 60.0, span / 3600.0, days, months, months / 12.0].map(f64::round);
    match () {
        () if span < 45.0 => "a few seconds".to_owned(),
        () if minutes <= 1.0 => "a minute".to_owned(),
        () if minutes < 45.0 => format!("{minutes} minutes"),
        () if hours <= 1.0 => "an hour".to_owned(),
        () if hours < 22.0 => format!("{hours} hours"),
        () if days <= 1.0 => "a day".to_owned(),
        () if days < 26.0 => format!("{days} days"),
        () if months <= 1.0 => "a month".to_owned(),
        () if months < 11.0 => format!("{months} months"),
        () if years <= 1.0 => "a year".to_owned(),
        () => format!("{years} years"),
    }
}

/// The seconds of a date such as `2023-01-01 12:00:00`, at an offset that is the same for all.
fn seconds_of(date: &str) -> Option<i64> {
    let date = date.trim();
    let (day, time) = date.split_once(['T', ' ']).unwrap_or((date, "0:0"));
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<u16>().ok().map(i64::from));
    let (year, month, day) = (parts.next()??, parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    let time = time.strip_suffix('Z').unwrap_or(time);
    let mut parts = time.split(':').map(|part| part.split('.').next().and_then(|part| part.parse::<u16>().ok()));
    let (hour, minute) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    let second = parts.next().unwrap_or(Some(0))?;
    let days = match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_time = hour < 24 && minute < 60 && second < 60 || (hour, minute, second) == (24, 0, 0);
    let is_date = (1..=12).contains(&month) && (1..=days).contains(&day) && is_time;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    is_date.then(|| day_number(year, month, day) * SECONDS_OF_DAY + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Clock = Clock { unix_seconds: 1_795_690_800, utc_offset_minutes: 60 };

    #[test]
    fn dates_are_moments() {
        assert_eq!(NOON.format("LT LL dddd HH:mm YYYY-MM-DD"), "12:00 PM November 26, 2026 Thursday 12:00 2026-11-26");
        assert_eq!(NOON.format("[the] Do [of] MMM, h:mm:ss a"), "the 26th of Nov, 12:00:00 pm");
        assert_eq!(NOON.at_offset(-7).format("LT"), "4:00 AM");
        assert_eq!(
            Clock { unix_seconds: 951_782_400, utc_offset_minutes: 0 }.format("YYYY-MM-DD DDD"),
            "2000-02-29 60"
        );
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        let said = [0, 60, 150, 3600, 7200, 86_400, 172_800, 2_592_000, 31_536_000, 63_072_000].map(humanized);
        let expected = [
            "a few seconds",
            "a minute",
            "3 minutes",
            "an hour",
            "2 hours",
            "a day",
            "2 days",
            "a month",
            "a year",
            "2 years",
        ];
        assert_eq!(said, expected);
        assert_eq!(difference("2023-01-01 12:00:00", "2023-01-01 15:00:00"), "3 hours ago");
        assert_eq!(difference("2023-01-02", "2023-01-01"), "in a day");
        assert_eq!(difference("soon", "2023-01-01"), "Invalid date");
    }
}
