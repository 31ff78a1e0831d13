//! The time that a caller gives a template, and `strftime` over it.

use std::fmt::Write;

use minijinja::{Error, ErrorKind};

/// Tells a template what time it is.
pub(super) type Clock = dyn Fn() -> ClockTime + Send + Sync;

/// A point in time, for `strftime_now`.
///
/// ```
/// use mistral_chat_template::{Chat, ChatTemplate, ClockTime, Format, Message};
///
/// let template = ChatTemplate::new("{{ strftime_now('%d %B %Y') }}")?.clock(|| ClockTime::from_unix_seconds(1_720_051_200));
/// let prompt = template.render(&Chat::new([Message::user("Hi")]))?;
/// assert_eq!(prompt.as_str(), "04 July 2024");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClockTime {
    /// Seconds since the beginning of 1970, in the time zone that the template is to see.
    seconds: i64,
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
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl ClockTime {
    /// The time so many seconds after the beginning of 1970, in UTC; for another zone, with its offset added.
    ///
    /// ```
    /// # use mistral_chat_template::ClockTime;
    /// assert!(ClockTime::from_unix_seconds(0) < ClockTime::from_unix_seconds(3600));
    /// ```
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        ClockTime { seconds }
    }

    /// The time as `format` says, in Python's `strftime` codes of the C locale.
    pub(super) fn format(self, format: &str) -> Result<String, Error> {
        let date = Date::of(self.seconds.div_euclid(86_400));
        let second_of_day = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        let hour12 = (hour + 11) % 12 + 1;
        let (month, day) = (name(&MONTHS, date.month - 1), name(&DAYS, date.weekday));
        let mut out = String::new();
        let mut rest = format.chars();
        while let Some(character) = rest.next() {
            if character != '%' {
                out.push(character);
                continue;
            }
            let mut code = rest.next();
            let padded = code != Some('-');
            if !padded {
                code = rest.next();
            }
            let two = if padded { 2 } else { 1 };
            let _ = match code {
                Some('Y') => write!(out, "{}", date.year),
                Some('y') => write!(out, "{:02}", date.year.rem_euclid(100)),
                Some('m') => write!(out, "{:0two$}", date.month),
                Some('d') => write!(out, "{:0two$}", date.day),
                Some('e') => write!(out, "{:two$}", date.day),
                Some('j') => write!(out, "{:01$}", date.day_of_year, if padded { 3 } else { 1 }),
                Some('B') => write!(out, "{month}"),
                Some('b' | 'h') => write!(out, "{}", month.get(..3).unwrap_or_default()),
                Some('A') => write!(out, "{day}"),
                Some('a') => write!(out, "{}", day.get(..3).unwrap_or_default()),
                Some('w') => write!(out, "{}", date.weekday),
                Some('u') => write!(out, "{}", (date.weekday + 6) % 7 + 1),
                Some('H') => write!(out, "{hour:0two$}"),
                Some('I') => write!(out, "{hour12:0two$}"),
                Some('M') => write!(out, "{minute:0two$}"),
                Some('S') => write!(out, "{second:0two$}"),
                Some('p') => write!(out, "{}", if hour < 12 { "AM" } else { "PM" }),
                Some('F') => write!(out, "{}-{:02}-{:02}", date.year, date.month, date.day),
                Some('T' | 'X') => write!(out, "{hour:02}:{minute:02}:{second:02}"),
                Some('R') => write!(out, "{hour:02}:{minute:02}"),
                Some('D' | 'x') => write!(out, "{:02}/{:02}/{:02}", date.month, date.day, date.year.rem_euclid(100)),
                Some('c') => write!(
                    out,
                    "{} {} {:2} {hour:02}:{minute:02}:{second:02} {}",
                    day.get(..3).unwrap_or_default(),
                    month.get(..3).unwrap_or_default(),
                    date.day,
                    date.year
                ),
                Some('%') => write!(out, "%"),
                Some('Z' | 'z') => Ok(()),
                _ => {
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        format!("strftime_now cannot write {format:?}"),
                    ));
                }
            };
        }
        Ok(out)
    }
}

fn name(names: &[&'static str], place: i64) -> &'static str {
    usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default()
}

struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 1 is the first of January.
    day_of_year: i64,
}

impl Date {
    /// The date so many days after the first of January 1970, in the Gregorian calendar.
    ///
    /// Years are counted from March, so that the leap day is a year's last, and in spans of 400, which are all alike.
    fn of(days: i64) -> Self {
        let from_march_0000 = days.saturating_add(719_468);
        let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_from_march + 2) / 153;
        let day = day_from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let day_of_year = if month <= 2 { day_from_march - 305 } else { day_from_march + 60 + i64::from(leap) };
        Date { year, month, day, weekday: days.saturating_add(4).rem_euclid(7), day_of_year }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_formats(seconds: i64, format: &str, expected: &str) {
        assert_eq!(ClockTime::from_unix_seconds(seconds).format(format).unwrap(), expected);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_formats(0, "%A %d %B %Y, day %j", "Thursday 01 January 1970, day 001");
        assert_formats(951_782_400, "%a %-d %b %y, day %j", "Tue 29 Feb 00, day 060");
        assert_formats(1_735_603_199, "%F %T", "2024-12-30 23:59:59");
        assert_formats(1_735_689_599, "%F %j %p %I", "2024-12-31 366 PM 11");
        assert_formats(-1, "%c", "Wed Dec 31 23:59:59 1969");
        assert_formats(1_740_873_600, "%F %j", "2025-03-02 061");
    }

    #[test]
    fn unknown_codes_are_refused() {
        let error = ClockTime::from_unix_seconds(0).format("%Q").unwrap_err();
        assert_eq!(error.detail(), Some("strftime_now cannot write \"%Q\""));
    }
}
