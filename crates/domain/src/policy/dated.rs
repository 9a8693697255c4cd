//! Values that hold from an instant on, until the next one.

use crate::time::{Instant, Period};

/// The values of one subject over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dated<T> {
    /// In order of time, one per instant.
    entries: Vec<(Instant, T)>,
}

impl<T> Default for Dated<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Dated<T> {
    /// Adds a value from an instant on; says `false` where that instant has one already.
    pub(super) fn insert(&mut self, from: Instant, value: T) -> bool {
        match self.entries.binary_search_by_key(&from, |(from, _)| *from) {
            Ok(_) => false,
            Err(place) => {
                self.entries.insert(place, (from, value));
                true
            }
        }
    }

    /// The value in force: the latest from an instant not after `at`.
    pub(super) fn at(&self, at: Instant) -> Option<&T> {
        self.in_force(at).map(|(_, value)| value)
    }

    /// The value in force, and the period in which it is.
    pub(super) fn in_force(&self, at: Instant) -> Option<(Period, &T)> {
        let later = self.entries.partition_point(|(from, _)| *from <= at);
        let (start, value) = self.entries[..later].last()?;
        let end = self.entries.get(later).map(|(from, _)| *from);
        Some((Period { start: *start, end }, value))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The instants from which on a value holds.
    pub(super) fn turns(&self) -> impl Iterator<Item = Instant> {
        self.entries.iter().map(|(from, _)| *from)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Instant, T)> {
        self.entries.iter()
    }
}
