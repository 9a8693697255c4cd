//! The only clock: the system's, or one that a test sets.

use std::sync::{Arc, PoisonError, RwLock};

use domain::time::{Instant, cut_to_microseconds};
use uuid::{NoContext, Timestamp, Uuid};

/// Where `now` comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is set.
    Manual(ManualClock),
}

/// A clock that stands still until it is set; clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<RwLock<Instant>>);

impl Clock {
    /// The present instant, in whole microseconds.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Instant {
        match self {
            Self::System => cut_to_microseconds(chrono::Utc::now()),
            Self::Manual(clock) => *clock.0.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// A new id whose order is that of time (UUID v7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    }
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Arc::new(RwLock::new(cut_to_microseconds(now))))
    }

    /// Sets the clock.
    pub fn set(&self, now: Instant) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = cut_to_microseconds(now);
    }
}
