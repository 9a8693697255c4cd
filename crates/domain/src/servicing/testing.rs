//! Histories for tests, written or random.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{CountedActivity, PeriodEndCause, ServicingPeriod};
pub(super) use crate::access::testing::{at, tick};
use crate::access::{Ending, EndingCause};
use crate::time::Instant;

/// The last tick at which something happens in a random history.
pub(super) const LAST_TICK: i64 = 24;
/// Everything in a random history has expired by then.
pub(super) const END_TICK: i64 = LAST_TICK + 16;

/// An activity that counts for sixty days.
pub(super) fn counted(occur_time: &str) -> CountedActivity {
    CountedActivity { occur_time: at(occur_time), expire_time: at(occur_time) + TimeDelta::days(60) }
}

pub(super) fn ended(time: &str) -> Ending {
    Ending { time: at(time), cause: EndingCause::AllEmployeesRemoved }
}

pub(super) fn period(start: &str, end: &str, end_cause: PeriodEndCause) -> ServicingPeriod {
    ServicingPeriod { start: at(start), end: at(end), end_cause }
}

fn activity() -> impl Strategy<Value = CountedActivity> {
    (0..=LAST_TICK, 1..=15_i64)
        .prop_map(|(from, days)| CountedActivity { occur_time: tick(from), expire_time: tick(from + days) })
}

fn ending() -> impl Strategy<Value = Ending> {
    (0..=LAST_TICK, 0..3_usize)
        .prop_map(|(number, cause)| Ending { time: tick(number), cause: EndingCause::ALL[cause] })
}

/// Random activities, each with a window of its own, and endings, in any order; several may fall on one instant.
pub(super) fn histories() -> impl Strategy<Value = (Vec<CountedActivity>, Vec<Ending>)> {
    (prop::collection::vec(activity(), 0..16), prop::collection::vec(ending(), 0..4))
}

/// How many activities live at an instant, counted one by one (R57).
pub(super) fn slow_live(activities: &[CountedActivity], endings: &[Ending], time: Instant) -> usize {
    let is_cut = |activity: &CountedActivity| {
        endings.iter().any(|ending| activity.occur_time < ending.time && ending.time <= time)
    };
    let lives =
        |activity: &&CountedActivity| activity.occur_time <= time && time < activity.expire_time && !is_cut(activity);
    activities.iter().filter(lives).count()
}

/// The cause of the ending at an instant, the most sweeping of several.
pub(super) fn slow_ending(endings: &[Ending], time: Instant) -> Option<EndingCause> {
    endings.iter().filter(|ending| ending.time == time).map(|ending| ending.cause).max()
}

/// The periods, found by asking at every tick whether the partner earns.
pub(super) fn slow_periods(activities: &[CountedActivity], endings: &[Ending], minimum: u32) -> Vec<ServicingPeriod> {
    let earns = |number: i64| slow_live(activities, endings, tick(number)) >= minimum as usize;
    let mut periods = Vec::new();
    let mut start = None;
    for number in 0..=END_TICK {
        let ending = slow_ending(endings, tick(number));
        if let Some(began) = start
            && (!earns(number) || ending.is_some())
        {
            let end_cause = ending.map_or(PeriodEndCause::Lapsed, PeriodEndCause::Ended);
            periods.push(ServicingPeriod { start: began, end: tick(number), end_cause });
            start = None;
        }
        if start.is_none() && earns(number) {
            start = Some(tick(number));
        }
    }
    periods
}
