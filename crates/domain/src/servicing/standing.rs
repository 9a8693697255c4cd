//! How a relationship stands at an instant.

use super::{CountedActivity, PeriodEndCause, ServicingPeriod, periods};
use crate::access::Ending;
use crate::time::{Instant, SECONDS_PER_DAY};

/// How a relationship stands at an instant, by what had occurred by then (R63).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The state (domain.md 4).
    pub state: ServicingState,
    /// When the current period began, or the last one if it is over; absent if the minimum was never reached.
    pub serviced_since: Option<Instant>,
    /// When the current period ends if nothing else happens, or when the last one ended; absent with `serviced_since`.
    pub expire_time: Option<Instant>,
    /// When the last counted activity occurred, also one that no longer lives; absent if there was none.
    pub last_activity_time: Option<Instant>,
    /// How many counted activities live at that instant: occurred, not expired, not cut off by an ending.
    pub live_activities: u32,
}

/// The states of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServicingState {
    /// The minimum was never reached.
    None,
    /// The partner services the client.
    Active,
    /// It does, and that ends within the warning days, the last instant included.
    Expiring,
    /// It did.
    Ended(PeriodEndCause),
}

impl ServicingState {
    /// The state at an instant by the last period that has started by then. `warning_days` is the largest of the
    /// policy's.
    #[must_use]
    pub fn of_last_period(last: Option<ServicingPeriod>, as_of: Instant, warning_days: u32) -> Self {
        match last {
            None => Self::None,
            Some(period) if period.end <= as_of => Self::Ended(period.end_cause),
            Some(period) if is_within_days(as_of, period.end, warning_days) => Self::Expiring,
            Some(_) => Self::Active,
        }
    }
}

/// How the relationship stands at `as_of`, with the minimum of live activities that applies.
///
/// Only activities and endings at or before `as_of` speak (R63), so a future `as_of` is answered as if nothing else
/// happened. `warning_days` is the largest of the policy's.
#[must_use]
pub fn standing(
    activities: &[CountedActivity],
    endings: &[Ending],
    minimum: u32,
    as_of: Instant,
    warning_days: u32,
) -> Standing {
    let occurred: Vec<_> = activities.iter().filter(|activity| activity.occur_time <= as_of).copied().collect();
    let ended: Vec<_> = endings.iter().filter(|ending| ending.time <= as_of).copied().collect();
    let last = periods(&occurred, &ended, minimum).pop();
    let last_ending = ended.iter().map(|ending| ending.time).max();
    let lives = |activity: &&CountedActivity| {
        as_of < activity.expire_time && last_ending.is_none_or(|ending| ending <= activity.occur_time)
    };
    Standing {
        state: ServicingState::of_last_period(last, as_of, warning_days),
        serviced_since: last.map(|period| period.start),
        expire_time: last.map(|period| period.end),
        last_activity_time: occurred.iter().map(|activity| activity.occur_time).max(),
        live_activities: u32::try_from(occurred.iter().filter(lives).count()).unwrap_or(u32::MAX),
    }
}

fn is_within_days(as_of: Instant, end: Instant, days: u32) -> bool {
    end.signed_duration_since(as_of)
        .num_microseconds()
        .is_some_and(|left| left <= i64::from(days) * SECONDS_PER_DAY * 1_000_000)
}

#[cfg(test)]
mod tests;
