//! The periods in which a partner earns: at least so many live activities, without an ending in between.

use std::fmt;
use std::str::FromStr;

use crate::access::{Ending, EndingCause};
use crate::time::{Instant, Period};

/// An activity that counts, reduced to what periods are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountedActivity {
    /// The first instant at which it counts.
    pub occur_time: Instant,
    /// The first instant at which it no longer counts, unless an ending comes before (R56).
    pub expire_time: Instant,
}

/// A period `[start, end)` in which a partner services a client with at least the minimum of live activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicingPeriod {
    /// The instant at which the minimum was reached.
    pub start: Instant,
    /// The instant at which it stops; one ahead of the present is a forecast that supposes that nothing else happens.
    pub end: Instant,
    /// Why it stops then.
    pub end_cause: PeriodEndCause,
}

impl ServicingPeriod {
    pub(super) fn stretch(&self) -> Period {
        Period::between(self.start, self.end)
    }

    /// The part of it, which lies within it.
    fn cut_to(&self, part: Period) -> Self {
        Self { start: part.start, end: part.end.unwrap_or(self.end), ..*self }
    }
}

/// Why a servicing period stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodEndCause {
    /// Fewer than the minimum of activities are left unexpired (R55, R57, R72).
    Lapsed,
    /// The relationship ended at once (R71, R76); also where activities expire at that same instant.
    Ended(EndingCause),
}

/// A text that names no cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a servicing period ends by LAPSED, ALL_EMPLOYEES_REMOVED, SERVICES_ENDED, PARTNER_LEFT or CLIENT_CLOSED")]
pub struct PeriodEndCauseError;

impl PeriodEndCause {
    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lapsed => "LAPSED",
            Self::Ended(cause) => cause.as_str(),
        }
    }
}

impl FromStr for PeriodEndCause {
    type Err = PeriodEndCauseError;

    fn from_str(text: &str) -> Result<Self, PeriodEndCauseError> {
        if text == Self::Lapsed.as_str() {
            return Ok(Self::Lapsed);
        }
        text.parse().map(Self::Ended).map_err(|_| PeriodEndCauseError)
    }
}

impl fmt::Display for PeriodEndCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// All periods, in order, from the counted activities and the endings of one partner and client, each in any order.
///
/// An activity lives from its occur time until it expires, or until the first ending after its occur time (R73). The
/// partner earns at an instant if at least `minimum` activities live (R57); a minimum of 0 is taken as 1, for a
/// relationship without any activity does not exist. A period always stops at an ending: one that goes on by an activity
/// of that very instant is a new period. Takes O(n log n).
#[must_use]
pub fn periods(activities: &[CountedActivity], endings: &[Ending], minimum: u32) -> Vec<ServicingPeriod> {
    let endings = one_per_instant(endings);
    let mut activities = activities.to_vec();
    activities.sort_unstable();
    let mut periods = Vec::new();
    let mut rest = activities.as_slice();
    for ending in endings.iter().copied().map(Some).chain([None]) {
        // An ending cuts off what occurred strictly before it.
        let until = ending.map_or(rest.len(), |ending| rest.partition_point(|each| each.occur_time < ending.time));
        let (before, after) = rest.split_at(until);
        sweep(before, ending, minimum.max(1), &mut periods);
        rest = after;
    }
    periods
}

/// The periods after a change that concerns only instants within `regions`: there they are what the activities and
/// endings say, elsewhere they are as they were. Equal to [`periods`] over everything.
///
/// The caller gives
/// - `existing`: the complete periods of this minimum before the change, in order;
/// - `regions`: in order and disjoint, all that may be different: [`Alteration::regions`](super::Alteration::regions);
/// - `activities`: after the change, every counted activity whose life `[occur time, expire time)` overlaps a region,
///   whether or not an ending cuts it short, in any order; more does no harm, for what they say is believed only within
///   the regions;
/// - `endings`: after the change, all of them, in any order.
///
/// Without a region the periods are the existing ones, without a look at activities.
#[must_use]
pub fn periods_within(
    existing: &[ServicingPeriod],
    regions: &[Period],
    activities: &[CountedActivity],
    endings: &[Ending],
    minimum: u32,
) -> Vec<ServicingPeriod> {
    let computed = periods(activities, endings, minimum);
    let outside = existing.iter().flat_map(|period| {
        let parts = period.stretch().without(regions.iter().copied());
        parts.into_iter().map(|part| period.cut_to(part))
    });
    let inside = computed.iter().flat_map(|period| {
        let parts = regions.iter().filter_map(|region| region.overlap(period.stretch()));
        parts.map(|part| period.cut_to(part))
    });
    let mut pieces: Vec<ServicingPeriod> = outside.chain(inside).collect();
    pieces.sort_unstable();
    joined(pieces, &one_per_instant(endings))
}

/// Makes periods of pieces in order: those that touch are one, unless there is an ending where they do (R73). Why a period
/// stops is a matter of the instant alone: an ending of that instant may have come or gone, and pieces are cut anywhere.
fn joined(pieces: Vec<ServicingPeriod>, endings: &[Ending]) -> Vec<ServicingPeriod> {
    let mut joined: Vec<ServicingPeriod> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let end_cause = end_cause(piece.end, ending_at(endings, piece.end));
        let piece = ServicingPeriod { end_cause, ..piece };
        match joined.last_mut() {
            Some(last) if last.end == piece.start && last.end_cause == PeriodEndCause::Lapsed => {
                *last = ServicingPeriod { start: last.start, ..piece };
            }
            _ => joined.push(piece),
        }
    }
    joined
}

fn ending_at(endings: &[Ending], time: Instant) -> Option<Ending> {
    endings.binary_search_by_key(&time, |ending| ending.time).ok().map(|place| endings[place])
}

/// The endings in order; where several fall on one instant, the last cause in the order of [`EndingCause`].
fn one_per_instant(endings: &[Ending]) -> Vec<Ending> {
    let mut endings = endings.to_vec();
    endings.sort_unstable_by_key(|ending| (ending.time, std::cmp::Reverse(ending.cause)));
    endings.dedup_by_key(|ending| ending.time);
    endings
}

/// Appends the periods of activities between two endings; `ending` is the one that cuts them off.
fn sweep(activities: &[CountedActivity], ending: Option<Ending>, minimum: u32, periods: &mut Vec<ServicingPeriod>) {
    let cut = |time: Instant| ending.map_or(time, |ending| time.min(ending.time));
    let lives = activities.iter().map(|activity| (activity.occur_time, cut(activity.expire_time)));
    let mut steps: Vec<(Instant, i64)> = lives.flat_map(|(start, end)| [(start, 1), (end, -1)]).collect();
    steps.sort_unstable();

    let mut live = 0;
    let mut started: Option<Instant> = None;
    // All that happens at one instant happens together: an expiry and an activity that touch leave no gap.
    for at_once in steps.chunk_by(|one, other| one.0 == other.0) {
        let time = at_once[0].0;
        live += at_once.iter().map(|(_, step)| step).sum::<i64>();
        let earns = live >= i64::from(minimum);
        match started {
            None if earns => started = Some(time),
            Some(start) if !earns => {
                periods.push(ServicingPeriod { start, end: time, end_cause: end_cause(time, ending) });
                started = None;
            }
            _ => {}
        }
    }
}

fn end_cause(time: Instant, ending: Option<Ending>) -> PeriodEndCause {
    match ending {
        Some(ending) if ending.time == time => PeriodEndCause::Ended(ending.cause),
        _ => PeriodEndCause::Lapsed,
    }
}

#[cfg(test)]
mod tests;
