//! A month of the calendar, UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime, TimeDelta};

use crate::time::{FIRST_STORABLE, Instant, LAST_STORABLE};

/// A month of the years 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first_day: NaiveDate,
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is a year and a number, for example 2026-10")]
pub struct MonthError;

impl Month {
    /// The month in which an instant lies.
    #[must_use]
    pub fn of(instant: Instant) -> Self {
        let day = instant.date_naive();
        Self { first_day: day.with_day(1).unwrap_or(day) }
    }

    /// The first instant inside.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.first_day.and_time(NaiveTime::MIN).and_utc().max(FIRST_STORABLE)
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(&self) -> Instant {
        let next = self.first_day.checked_add_months(Months::new(1));
        next.map_or(LAST_STORABLE, |next| next.and_time(NaiveTime::MIN).and_utc().min(LAST_STORABLE))
    }

    /// The last instant inside.
    #[must_use]
    pub fn last_instant(&self) -> Instant {
        self.end() - TimeDelta::microseconds(1)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let has_form = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let first_day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| MonthError)?;
        if has_form && first_day.format("%Y").to_string() != "0000" { Ok(Self { first_day }) } else { Err(MonthError) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first_day.format("%Y-%m").fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::at;

    #[test]
    fn a_month_lasts_from_its_first_instant_to_just_before_the_next() {
        let december: Month = "2025-12".parse().expect("a month");
        assert_eq!((december.start(), december.end()), (at("2025-12-01T00:00:00Z"), at("2026-01-01T00:00:00Z")));
        assert_eq!(december.last_instant(), at("2025-12-31T23:59:59.999999Z"));
        assert_eq!(december.to_string(), "2025-12");
    }

    #[test]
    fn an_instant_is_in_the_month_that_holds_it() {
        let december: Month = "2024-12".parse().expect("a month");
        for inside in [december.start(), at("2024-12-31T00:00:00Z"), december.last_instant()] {
            assert_eq!(Month::of(inside), december);
        }
        assert_eq!(Month::of(december.end()).to_string(), "2025-01");
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for wrong in
            ["", "2025", "2025-13", "2025-00", "2025-1", "25-01", "2025-01-01", "0000-01", "2025/01", "+025-01"]
        {
            assert_eq!(wrong.parse::<Month>(), Err(MonthError), "{wrong}");
        }
    }
}
