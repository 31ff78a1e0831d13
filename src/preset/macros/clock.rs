//! Dates and times as moment.js writes them in English, from the caller's clock.

use crate::python::calendar::{Moment, SECONDS_OF_DAY, day_number};

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
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            if let Some((literal, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
                text.push_str(literal);
                rest = after;
                continue;
            }
            match TOKENS.iter().find(|token| rest.starts_with(**token)) {
                Some(token) => {
                    self.write(token, &local, &mut text);
                    rest = rest.get(token.len()..).unwrap_or_default();
                }
                None => {
                    text.push(first);
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                }
            }
        }
        text
    }

    /// The moment in local time.
    fn local(self) -> Moment {
        // Years that no text has are cut off, so that nothing overflows.
        let seconds = self.unix_seconds.clamp(-8_640_000_000_000, 8_640_000_000_000);
        Moment::of(seconds + i64::from(self.utc_offset_minutes) * 60)
    }

    fn write(self, token: &str, local: &Moment, text: &mut String) {
        let beginning = |name: &str, length: usize| name.get(..length).unwrap_or_default().to_owned();
        let hour12 = local.hour_of_dial();
        let written = match token {
            "LT" => self.format("h:mm A"),
            "LTS" => self.format("h:mm:ss A"),
            "L" => self.format("MM/DD/YYYY"),
            "LL" => self.format("MMMM D, YYYY"),
            "LLL" => self.format("MMMM D, YYYY h:mm A"),
            "LLLL" => self.format("dddd, MMMM D, YYYY h:mm A"),
            "l" => self.format("M/D/YYYY"),
            "ll" => self.format("MMM D, YYYY"),
            "lll" => self.format("MMM D, YYYY h:mm A"),
            "llll" => self.format("ddd, MMM D, YYYY h:mm A"),
            "YYYY" => format!("{:04}", local.year),
            "YY" => format!("{:02}", local.year.rem_euclid(100)),
            "Y" => local.year.to_string(),
            "MMMM" => local.month_name().to_owned(),
            "MMM" => beginning(local.month_name(), 3),
            "MM" => format!("{:02}", local.month),
            "Mo" => ordinal(local.month),
            "M" => local.month.to_string(),
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
            "d" => local.weekday.to_string(),
            "HH" => format!("{:02}", local.hour),
            "H" => local.hour.to_string(),
            "hh" => format!("{hour12:02}"),
            "h" => hour12.to_string(),
            "mm" => format!("{:02}", local.minute),
            "m" => local.minute.to_string(),
            "ss" => format!("{:02}", local.second),
            "s" => local.second.to_string(),
            "A" => if local.hour < 12 { "AM" } else { "PM" }.to_owned(),
            "a" => if local.hour < 12 { "am" } else { "pm" }.to_owned(),
            _ => self.unix_seconds.to_string(),
        };
        text.push_str(&written);
    }
}

/// What stands for something in a format; longer ones come before those that they begin with.
const TOKENS: [&str; 40] = [
    "LLLL", "LTS", "LLL", "LT", "LL", "L", "llll", "lll", "ll", "l", "YYYY", "YY", "Y", "MMMM", "MMM", "MM", "Mo", "M",
    "DDDD", "DDDo", "DDD", "DD", "Do", "D", "dddd", "ddd", "dd", "do", "d", "HH", "H", "hh", "h", "mm", "m", "ss", "s",
    "A", "a", "X",
];

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
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && hour <= 24 && minute < 60 && second < 60;
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
