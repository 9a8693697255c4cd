//! Where a pair's counted activities or endings have become different, and what of its periods must be computed again.

use super::{CountedActivity, ServicingPeriod};
use crate::time::{FIRST_STORABLE, Instant, Period};

/// A stretch of time outside of which neither the lives of a partner's and client's counted activities nor the endings are
/// different from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alteration {
    stretch: Period,
    /// Whether activities came and nothing else is different.
    is_addition: bool,
}

impl Alteration {
    /// An activity counts that did not, or not for this partner.
    #[must_use]
    pub const fn added(activity: CountedActivity) -> Self {
        Self { stretch: life(activity), is_addition: true }
    }

    /// An activity no longer counts, or not for this partner.
    #[must_use]
    pub const fn removed(activity: CountedActivity) -> Self {
        Self { stretch: life(activity), is_addition: false }
    }

    /// From an instant on, that instant included, endings came, went, or have another cause: each may decide until when
    /// activities live that occurred before it.
    #[must_use]
    pub const fn endings_from(time: Instant) -> Self {
        Self { stretch: Period::since(time), is_addition: false }
    }

    /// Anything may be different, for example because the policy is another.
    #[must_use]
    pub const fn everything() -> Self {
        Self { stretch: Period::since(FIRST_STORABLE), is_addition: false }
    }

    /// Both: the smallest stretch that holds them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (this, that) = (self.stretch, other.stretch);
        let end = this.end.zip(that.end).map(|(this, that)| this.max(that));
        Self {
            stretch: Period { start: this.start.min(that.start), end },
            is_addition: self.is_addition && other.is_addition,
        }
    }

    /// Where periods must be computed again, of whichever minimum: in order, and neither overlapping nor touching.
    /// Made for [`periods_within`](super::periods_within).
    ///
    /// `existing_of_largest_minimum` are the complete periods before the change of the largest minimum for which periods
    /// are kept. Where they are, so many activities live that more of them change nothing for any minimum: additions
    /// concern only what lies between, where fewer than that minimum lived at each instant.
    #[must_use]
    pub fn regions(&self, existing_of_largest_minimum: &[ServicingPeriod]) -> Vec<Period> {
        let settled = if self.is_addition { existing_of_largest_minimum } else { &[] };
        self.stretch.without(settled.iter().map(ServicingPeriod::stretch))
    }
}

const fn life(activity: CountedActivity) -> Period {
    Period::between(activity.occur_time, activity.expire_time)
}

#[cfg(test)]
mod tests;
