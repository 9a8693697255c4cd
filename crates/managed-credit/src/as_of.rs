//! Instants as people write them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::time::{Instant, cut_to_microseconds, is_storable};

/// A text that is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is a date (its first instant, UTC) or RFC 3339, for example 2025-09-01 or 2025-09-01T09:30:00Z")]
pub(crate) struct InstantError;

/// Reads a date (00:00 UTC) or an RFC 3339 time with its offset, of the years 0001 to 9999.
pub(crate) fn parse_instant(text: &str) -> Result<Instant, InstantError> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let of_date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(midnight);
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.with_timezone(&Utc))
        .or_else(|_| of_date())
        .ok()
        .filter(|instant| is_storable(*instant))
        .map(cut_to_microseconds)
        .ok_or(InstantError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_instant_in_utc() {
        assert_eq!(parse_instant("2025-09-01"), parse_instant("2025-09-01T00:00:00Z"));
        assert_eq!(parse_instant("2025-09-01T02:00:00+02:00"), parse_instant("2025-09-01"));
    }

    #[test]
    fn what_is_no_instant_says_what_would_be_right() {
        for wrong in ["", "yesterday", "2025-13-01", "01/09/2025", "2025-09-01T09:30:00", "0000-01-01", "+12025-01-01"]
        {
            assert_eq!(parse_instant(wrong), Err(InstantError), "{wrong}");
        }
    }
}
