//! Histories for tests, written or random.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{CountedActivity, Lives, PeriodEndCause, ServicingPeriod, living_since};
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
pub(crate) fn slow_live(activities: &[CountedActivity], endings: &[Ending], time: Instant) -> usize {
    let is_cut = |activity: &CountedActivity| {
        endings.iter().any(|ending| activity.occur_time < ending.time && ending.time <= time)
    };
    let lives =
        |activity: &&CountedActivity| activity.occur_time <= time && time < activity.expire_time && !is_cut(activity);
    activities.iter().filter(lives).count()
}

/// The cause of the ending at an instant, the most sweeping of several.
pub(crate) fn slow_ending(endings: &[Ending], time: Instant) -> Option<EndingCause> {
    endings.iter().filter(|ending| ending.time == time).map(|ending| ending.cause).max()
}

/// The periods, found by asking at every instant at which something happens whether the partner earns.
pub(super) fn slow_periods(activities: &[CountedActivity], endings: &[Ending], minimum: u32) -> Vec<ServicingPeriod> {
    let lives = activities.iter().flat_map(|activity| [activity.occur_time, activity.expire_time]);
    let instants: BTreeSet<Instant> = lives.chain(endings.iter().map(|ending| ending.time)).collect();
    let mut periods = Vec::new();
    let mut start = None;
    for time in instants {
        let earns = slow_live(activities, endings, time) >= minimum as usize;
        let ending = slow_ending(endings, time);
        if let Some(began) = start
            && (!earns || ending.is_some())
        {
            let end_cause = ending.map_or(PeriodEndCause::Lapsed, PeriodEndCause::Ended);
            periods.push(ServicingPeriod { start: began, end: time, end_cause });
            start = None;
        }
        if start.is_none() && earns {
            start = Some(time);
        }
    }
    periods
}

/// What a reader finds that lives at an instant, by periods and not by endings.
pub(super) fn lives_at(
    activities: &[CountedActivity],
    periods_of_one: &[ServicingPeriod],
    minimum: u32,
    as_of: Instant,
) -> Lives {
    let since = living_since(periods_of_one, as_of);
    let occurred = activities.iter().filter(|activity| activity.occur_time <= as_of);
    let living = occurred
        .clone()
        .filter(|activity| since.is_some_and(|since| since <= activity.occur_time) && as_of < activity.expire_time);
    let mut expire_times: Vec<Instant> = living.map(|activity| activity.expire_time).collect();
    expire_times.sort_unstable_by(|one, other| other.cmp(one));
    Lives {
        live_activities: u32::try_from(expire_times.len()).expect("a test has few activities"),
        lapse_time: expire_times.get(minimum as usize - 1).copied(),
        last_activity_time: occurred.map(|activity| activity.occur_time).max(),
    }
}
