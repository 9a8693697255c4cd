//! How values that both databases must keep exactly are stored.

use chrono::DateTime;
use domain::time::Instant;
use sea_orm::DeriveValueType;

/// An instant as microseconds since 1970-01-01T00:00:00Z.
///
/// SQLite has no time type: a number is exact there, sorts right, and takes 8 bytes of an index. On PostgreSQL,
/// `to_timestamp(x / 1e6)` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct StoredInstant(pub i64);

impl From<Instant> for StoredInstant {
    fn from(instant: Instant) -> Self {
        Self(instant.timestamp_micros())
    }
}

impl From<StoredInstant> for Instant {
    fn from(stored: StoredInstant) -> Self {
        // Only instants of the years 0001 to 9999 are ever stored, and those all exist.
        DateTime::from_timestamp_micros(stored.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// A feed position as it is stored.
#[must_use]
pub fn stored_position(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A stored feed position.
#[must_use]
pub fn position(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
