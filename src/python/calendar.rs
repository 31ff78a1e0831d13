//! The Gregorian calendar: a number of seconds into a date and a time of day, and the names of months and days.

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
pub(crate) const SECONDS_OF_DAY: i64 = 86_400;

/// A moment, taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Since 1970 began.
    #[cfg_attr(not(feature = "template"), expect(dead_code, reason = "templates alone write it"))]
    pub(crate) seconds: i64,
    pub(crate) year: i64,
    /// 1 is January.
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// 0 is Sunday.
    pub(crate) weekday: i64,
    /// 0 is the first of January.
    pub(crate) day_of_year: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Moment {
    /// The moment this many seconds after the beginning of 1970.
    ///
    /// Years are counted from March, so that the leap day is a year's last, and in spans of 400, which are all alike.
    pub(crate) fn of(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(SECONDS_OF_DAY), seconds.rem_euclid(SECONDS_OF_DAY));
        let from_march_0000 = days.saturating_add(719_468);
        let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_from_march + 2) / 153;
        let day = day_from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let day_of_year =
            if month <= 2 { day_from_march - 306 } else { day_from_march + 59 + i64::from(is_leap(year)) };
        Moment {
            seconds,
            year,
            month,
            day,
            weekday: days.saturating_add(4).rem_euclid(7),
            day_of_year,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// The hour on a dial of twelve.
    pub(crate) fn hour_of_dial(&self) -> i64 {
        (self.hour + 11) % 12 + 1
    }

    /// The year and week of ISO 8601, whose first week has the year's first Thursday.
    pub(crate) fn iso_week(&self) -> (i64, i64) {
        let monday_based = (self.weekday + 6) % 7;
        let week = (self.day_of_year - monday_based + 10).div_euclid(7);
        if week < 1 {
            return (self.year - 1, weeks_of(self.year - 1));
        }
        if week > weeks_of(self.year) { (self.year + 1, 1) } else { (self.year, week) }
    }

    pub(crate) fn month_name(&self) -> &'static str {
        name(&MONTHS, self.month - 1)
    }

    pub(crate) fn day_name(&self) -> &'static str {
        name(&DAYS, self.weekday)
    }
}

/// The number of a date's day since 1970 began.
pub(crate) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// How many weeks a year of ISO 8601 has.
fn weeks_of(year: i64) -> i64 {
    let last_day = |year: i64| (year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)).rem_euclid(7);
    if last_day(year) == 4 || last_day(year - 1) == 3 { 53 } else { 52 }
}

pub(crate) fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn name(names: &[&'static str], place: i64) -> &'static str {
    usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_number() {
        assert_eq!((day_number(1970, 1, 1), day_number(2026, 11, 26)), (0, 20_783));
        for number in -800_000..800_000 {
            let Moment { year, month, day, day_of_year, .. } = Moment::of(number * SECONDS_OF_DAY);
            assert_eq!(day_number(year, month, day), number);
            assert_eq!(day_of_year, number - day_number(year, 1, 1));
        }
    }
}
