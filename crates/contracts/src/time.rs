//! Instants on the wire.

use chrono::DateTime;
use domain::time::{Instant, cut_to_microseconds, is_storable};
use prost_types::Timestamp;

use crate::WireError;

/// A timestamp outside the years that the system keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time lies between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z")]
pub struct TimeError;

/// The instant of a timestamp, cut to microseconds.
///
/// # Errors
/// Years before 0001 or after 9999, or nanoseconds outside a second.
pub fn instant(timestamp: &Timestamp) -> Result<Instant, TimeError> {
    let nanoseconds = u32::try_from(timestamp.nanos).map_err(|_| TimeError)?;
    if nanoseconds >= 1_000_000_000 {
        return Err(TimeError);
    }
    DateTime::from_timestamp(timestamp.seconds, nanoseconds)
        .filter(|instant| is_storable(*instant))
        .map(cut_to_microseconds)
        .ok_or(TimeError)
}

/// The instant of a field that every message has.
///
/// # Errors
/// There is none, or it is out of range.
pub fn required_instant(field: &'static str, timestamp: Option<&Timestamp>) -> Result<Instant, WireError> {
    let timestamp = timestamp.ok_or_else(|| WireError::new(field, "is missing"))?;
    instant(timestamp).map_err(|problem| WireError::new(field, problem))
}

/// The timestamp of an instant.
#[must_use]
pub fn timestamp(instant: Instant) -> Timestamp {
    Timestamp {
        seconds: instant.timestamp(),
        // Below a second, so it always fits.
        nanos: i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_from_year_1_to_9999() {
        let at = |seconds, nanos| instant(&Timestamp { seconds, nanos });
        assert_eq!(at(-62_135_596_800, 0).map(|time| time.to_rfc3339()), Ok("0001-01-01T00:00:00+00:00".to_owned()));
        assert_eq!(at(-62_135_596_801, 0), Err(TimeError));
        assert!(at(253_402_300_799, 999_999_999).is_ok());
        assert_eq!(at(253_402_300_800, 0), Err(TimeError));
        assert_eq!(at(0, -1), Err(TimeError));
        assert_eq!(at(0, 1_000_000_000), Err(TimeError));
        assert_eq!(at(i64::MAX, 0), Err(TimeError));
    }

    #[test]
    fn a_time_survives_the_wire() {
        let time = instant(&Timestamp { seconds: 1_736_510_400, nanos: 123_456_789 });
        assert_eq!(time.map(timestamp), Ok(Timestamp { seconds: 1_736_510_400, nanos: 123_456_000 }));
    }
}
