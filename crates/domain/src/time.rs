//! Instants, durations and half-open periods.
//!
//! All times are UTC and cut to whole microseconds where they enter the system, because that is the finest grain that
//! both databases keep.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};

/// A point in time: UTC, whole microseconds, years 0001 to 9999.
pub type Instant = DateTime<Utc>;

/// The first instant that every part of the system can store and print: the year 0001 begins.
pub const FIRST_STORABLE: Instant =
    DateTime::from_timestamp(-62_135_596_800, 0).expect("the first second of the year 0001 is an instant");

/// The last instant that every part of the system can store and print: the last microsecond of the year 9999.
pub const LAST_STORABLE: Instant =
    DateTime::from_timestamp(253_402_300_799, 999_999_000).expect("the last second of the year 9999 is an instant");

/// Seconds in one day of the activity window (R56): always 86,400, whatever a calendar says.
pub const SECONDS_PER_DAY: i64 = 86_400;

/// Cuts an instant to whole microseconds, towards the past.
#[must_use]
pub fn cut_to_microseconds(instant: Instant) -> Instant {
    let nanosecond = instant.nanosecond();
    instant.with_nanosecond(nanosecond - nanosecond % 1_000).unwrap_or(instant)
}

/// Whether an instant lies in the years that every part of the system can store and print: 0001 to 9999.
#[must_use]
pub fn is_storable(instant: Instant) -> bool {
    (1..=9999).contains(&instant.year())
}

/// A half-open stretch of time `[start, end)`; without an end it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The first instant inside.
    pub start: Instant,
    /// The first instant after it that is outside; absent while it goes on.
    pub end: Option<Instant>,
}

impl Period {
    /// The period from `start` that goes on.
    #[must_use]
    pub const fn since(start: Instant) -> Self {
        Self { start, end: None }
    }

    /// The period `[start, end)`.
    #[must_use]
    pub const fn between(start: Instant, end: Instant) -> Self {
        Self { start, end: Some(end) }
    }

    /// The one instant: until the next microsecond, which is the next instant.
    #[must_use]
    pub fn at(instant: Instant) -> Self {
        Self::between(instant, instant + TimeDelta::microseconds(1))
    }

    /// Whether `at` lies inside: `start <= at < end` (R56).
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }

    /// What both hold; nothing where they only touch.
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        let start = self.start.max(other.start);
        let end = [self.end, other.end].into_iter().flatten().min();
        end.is_none_or(|end| start < end).then_some(Self { start, end })
    }

    /// The parts that none of the others holds, in order. The others are in order and do not overlap.
    #[must_use]
    pub fn without(self, others: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = self;
        for other in others {
            let Some(held) = rest.overlap(other) else { continue };
            if rest.start < held.start {
                parts.push(Self::between(rest.start, held.start));
            }
            let Some(end) = held.end else { return parts };
            rest.start = end;
        }
        if rest.end.is_none_or(|end| rest.start < end) {
            parts.push(rest);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a test writes valid times")
    }

    #[test]
    fn the_period_of_one_instant_holds_no_other() {
        let noon = at("2025-01-10T12:00:00Z");
        let microsecond = TimeDelta::microseconds(1);
        let holds = [noon - microsecond, noon, noon + microsecond].map(|instant| Period::at(noon).contains(instant));
        assert_eq!(holds, [false, true, false]);
    }

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let period = Period::between(at("2025-01-10T12:00:00Z"), at("2025-03-11T12:00:00Z"));
        assert!(!period.contains(at("2025-01-10T11:59:59.999999Z")));
        assert!(period.contains(at("2025-01-10T12:00:00Z")));
        assert!(period.contains(at("2025-03-11T11:59:59.999999Z")));
        assert!(!period.contains(at("2025-03-11T12:00:00Z")));
    }

    fn day(number: u32) -> Instant {
        at(&format!("2025-01-{number:02}T00:00:00Z"))
    }

    fn days(start: u32, end: u32) -> Period {
        Period::between(day(start), day(end))
    }

    #[test]
    fn periods_overlap_where_both_hold_and_not_where_they_touch() {
        assert_eq!(days(1, 5).overlap(days(3, 9)), Some(days(3, 5)));
        assert_eq!(days(3, 9).overlap(days(1, 5)), Some(days(3, 5)));
        assert_eq!(days(1, 9).overlap(days(3, 5)), Some(days(3, 5)));
        assert_eq!(days(1, 5).overlap(Period::since(day(3))), Some(days(3, 5)));
        assert_eq!(Period::since(day(1)).overlap(Period::since(day(3))), Some(Period::since(day(3))));
        for apart in [days(5, 9), days(6, 9), Period::since(day(5)), days(3, 3)] {
            assert_eq!(days(1, 5).overlap(apart), None);
            assert_eq!(apart.overlap(days(1, 5)), None);
        }
    }

    #[test]
    fn a_period_without_others_is_what_none_of_them_holds() {
        assert_eq!(days(2, 9).without([]), [days(2, 9)]);
        assert_eq!(days(2, 9).without([days(3, 4), days(6, 7)]), [days(2, 3), days(4, 6), days(7, 9)]);
        assert_eq!(days(2, 9).without([days(1, 3), days(3, 4), days(8, 10)]), [days(4, 8)]);
        assert_eq!(days(2, 9).without([days(1, 2), days(9, 10)]), [days(2, 9)]);
        assert_eq!(days(2, 9).without([days(2, 5), days(5, 9)]), []);
        assert_eq!(days(2, 9).without([Period::since(day(4))]), [days(2, 4)]);
        assert_eq!(Period::since(day(2)).without([days(3, 4)]), [days(2, 3), Period::since(day(4))]);
        assert_eq!(Period::since(day(2)).without([days(3, 4), Period::since(day(6))]), [days(2, 3), days(4, 6)]);
        assert_eq!(days(2, 2).without([]), []);
    }

    #[test]
    fn the_years_that_can_be_stored_begin_and_end_at_these_instants() {
        let before = FIRST_STORABLE - TimeDelta::microseconds(1);
        let after = LAST_STORABLE + TimeDelta::microseconds(1);
        let found = [before, FIRST_STORABLE, LAST_STORABLE, after].map(is_storable);
        assert_eq!(found, [false, true, true, false]);
    }

    #[test]
    fn times_are_cut_towards_the_past() {
        assert_eq!(cut_to_microseconds(at("2025-01-10T12:00:00.123456999Z")), at("2025-01-10T12:00:00.123456Z"));
    }
}
