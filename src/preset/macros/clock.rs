//! Dates and times as moment.js writes them in English, from the caller's clock.

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

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY: i64 = 86_400;

/// A moment in local time, taken apart.
#[derive(Clone, Copy)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: i64,
    day_of_year: i64,
    offset: i64,
    unix: i64,
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
        let civil = self.civil();
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
                    civil.write(token, &mut text);
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

    fn civil(self) -> Civil {
        let offset = i64::from(self.utc_offset_minutes);
        // Years that no text has are cut off, so that nothing overflows.
        let local = self.unix_seconds.clamp(-8_640_000_000_000, 8_640_000_000_000) + offset * 60;
        let (days, seconds) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_of(year, 1, 1) + 1,
            offset,
            unix: self.unix_seconds,
        }
    }
}

/// What stands for something in a format; longer ones come before those that they begin with.
const TOKENS: [&str; 40] = [
    "LLLL", "LTS", "LLL", "LT", "LL", "L", "llll", "lll", "ll", "l", "YYYY", "YY", "Y", "MMMM", "MMM", "MM", "Mo", "M",
    "DDDD", "DDDo", "DDD", "DD", "Do", "D", "dddd", "ddd", "dd", "do", "d", "HH", "H", "hh", "h", "mm", "m", "ss", "s",
    "A", "a", "X",
];

impl Civil {
    fn write(&self, token: &str, text: &mut String) {
        let name = |names: &[&str], index: i64, length: usize| {
            let name = usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
            name.get(..length.min(name.len())).unwrap_or_default().to_owned()
        };
        let hour12 = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        let clock = Clock { unix_seconds: self.unix, utc_offset_minutes: i16::try_from(self.offset).unwrap_or(0) };
        let written = match token {
            "LT" => clock.format("h:mm A"),
            "LTS" => clock.format("h:mm:ss A"),
            "L" => clock.format("MM/DD/YYYY"),
            "LL" => clock.format("MMMM D, YYYY"),
            "LLL" => clock.format("MMMM D, YYYY h:mm A"),
            "LLLL" => clock.format("dddd, MMMM D, YYYY h:mm A"),
            "l" => clock.format("M/D/YYYY"),
            "ll" => clock.format("MMM D, YYYY"),
            "lll" => clock.format("MMM D, YYYY h:mm A"),
            "llll" => clock.format("ddd, MMM D, YYYY h:mm A"),
            "YYYY" => format!("{:04}", self.year),
            "YY" => format!("{:02}", self.year.rem_euclid(100)),
            "Y" => self.year.to_string(),
            "MMMM" => name(&MONTHS, self.month - 1, 9),
            "MMM" => name(&MONTHS, self.month - 1, 3),
            "MM" => format!("{:02}", self.month),
            "Mo" => ordinal(self.month),
            "M" => self.month.to_string(),
            "DDDD" => format!("{:03}", self.day_of_year),
            "DDDo" => ordinal(self.day_of_year),
            "DDD" => self.day_of_year.to_string(),
            "DD" => format!("{:02}", self.day),
            "Do" => ordinal(self.day),
            "D" => self.day.to_string(),
            "dddd" => name(&WEEKDAYS, self.weekday, 9),
            "ddd" => name(&WEEKDAYS, self.weekday, 3),
            "dd" => name(&WEEKDAYS, self.weekday, 2),
            "do" => ordinal(self.weekday),
            "d" => self.weekday.to_string(),
            "HH" => format!("{:02}", self.hour),
            "H" => self.hour.to_string(),
            "hh" => format!("{hour12:02}"),
            "h" => hour12.to_string(),
            "mm" => format!("{:02}", self.minute),
            "m" => self.minute.to_string(),
            "ss" => format!("{:02}", self.second),
            "s" => self.second.to_string(),
            "A" => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            "a" => if self.hour < 12 { "am" } else { "pm" }.to_owned(),
            _ => self.unix.to_string(),
        };
        text.push_str(&written);
    }
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

/// Year, month and day of a number of days since 1970 began.
fn date_of(days: i64) -> (i64, i64, i64) {
    // The year begins in March, so that a leap day is its last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
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
    is_date.then(|| days_of(year, month, day) * DAY + seconds)
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
