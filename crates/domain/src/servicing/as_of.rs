//! What periods that were computed with everything known say as of an instant, by what had occurred by then (R63).
//!
//! The activities that live at an instant `t` decide from then on, and the periods tell which those are: where a period of
//! minimum 1 contains `t`, exactly the counted activities that occurred from its start until `t`, `t` included, and expire
//! after `t`. The period reaches back to the oldest of them, and no ending lies between, or it would have stopped there.
//! Where none contains `t`, nothing lives. So a reader needs neither the endings nor what has expired.

use super::{PeriodEndCause, ServicingPeriod, ServicingState, Standing};
use crate::time::Instant;

/// What lives at an instant, as it was counted among the activities that [`living_since`] tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lives {
    /// How many counted activities live.
    pub live_activities: u32,
    /// Of their expire times the minimum-th from the latest: from then on fewer than the minimum live, if nothing else
    /// happens. Absent where fewer live already.
    pub lapse_time: Option<Instant>,
    /// When the last counted activity at or before the instant occurred, also one that no longer lives.
    pub last_activity_time: Option<Instant>,
}

/// The earliest occur time at which an activity that lives at `as_of` can have occurred; absent where nothing lives.
///
/// Those that live are the counted ones with `living_since <= occur time <= as_of < expire time`.
/// `periods_of_one` are the complete periods of minimum 1, in order, computed with everything known.
#[must_use]
pub fn living_since(periods_of_one: &[ServicingPeriod], as_of: Instant) -> Option<Instant> {
    let last = started(periods_of_one, as_of).last()?;
    last.stretch().contains(as_of).then_some(last.start)
}

/// The periods as they were known at `as_of`: those that had started, the last one without what occurred later.
///
/// `periods` are the complete ones of a minimum, in order, computed with everything known; `lapse_time` is that of
/// [`Lives`] for the same minimum.
#[must_use]
pub fn periods_as_of(periods: &[ServicingPeriod], lapse_time: Option<Instant>, as_of: Instant) -> Vec<ServicingPeriod> {
    let mut known = started(periods, as_of).to_vec();
    if let Some(last) = known.last_mut() {
        *last = known_last(*last, lapse_time, as_of);
    }
    known
}

/// How the relationship stands at `as_of`: [`standing`](super::standing), without all activities and endings.
///
/// `periods` are the complete ones of a minimum, in order, computed with everything known; `lives` is for the same
/// minimum. `warning_days` is the largest of the policy's.
#[must_use]
pub fn standing_from_periods(periods: &[ServicingPeriod], lives: Lives, as_of: Instant, warning_days: u32) -> Standing {
    let last = started(periods, as_of).last().map(|last| known_last(*last, lives.lapse_time, as_of));
    Standing {
        state: ServicingState::of_last_period(last, as_of, warning_days),
        serviced_since: last.map(|period| period.start),
        expire_time: last.map(|period| period.end),
        last_activity_time: lives.last_activity_time,
        live_activities: lives.live_activities,
    }
}

fn started(periods: &[ServicingPeriod], as_of: Instant) -> &[ServicingPeriod] {
    &periods[..periods.partition_point(|period| period.start <= as_of)]
}

/// The last period that had started: over with its cause, or else until enough of what lives has expired.
fn known_last(last: ServicingPeriod, lapse_time: Option<Instant>, as_of: Instant) -> ServicingPeriod {
    match lapse_time {
        Some(lapse_time) if as_of < last.end => {
            ServicingPeriod { end: lapse_time, end_cause: PeriodEndCause::Lapsed, ..last }
        }
        _ => last,
    }
}

#[cfg(test)]
mod tests;
