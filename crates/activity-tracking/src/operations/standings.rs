//! How pairs stand as of an instant: from their stored periods and what lived then, never from all that was done.

use std::collections::{BTreeMap, BTreeSet};

use domain::policy::Policy;
use domain::servicing::{
    Lives, PeriodEndCause, ServicingPeriod, Standing, living_since, periods_as_of, standing_from_periods,
};
use domain::time::{Instant, Period};
use service_kit::ServiceError;

use super::read::Reading;
use crate::store::Pair;
use crate::store::activity::{LivesAt, Recorded, lives_at};
use crate::store::period::{self, PeriodsByMinimum};

/// How a pair stands with a minimum of live activities.
#[derive(Debug, Clone)]
pub(crate) struct PairStanding {
    pub pair: Pair,
    pub standing: Standing,
    /// Why the last period ended, or would end; absent where there is none.
    pub end_cause: Option<PeriodEndCause>,
    /// The last that counts and had occurred; absent where there is none.
    pub last_activity: Option<Recorded>,
}

/// How a pair stands of which an activity had counted, and what that rests on.
pub(super) struct KnownPair {
    pub standing: PairStanding,
    /// Every period of the minimum that had started, as known then.
    pub periods: Vec<ServicingPeriod>,
    /// Since when everything has occurred that lives; absent where nothing does.
    pub living_since: Option<Instant>,
}

impl Reading {
    /// How these pairs stand as of the instant; those of which nothing had counted by then are left out. The policy must
    /// have known the minimum.
    pub async fn standings(
        &self,
        policy: &Policy,
        pairs: &[Pair],
        minimum: u32,
    ) -> Result<BTreeMap<Pair, KnownPair>, ServiceError> {
        let (transaction, as_of) = (&*self.transaction, self.as_of_time);
        let started = period::started(transaction, pairs, &BTreeSet::from([1, minimum]), as_of).await?;
        let living = |(pair, periods): (&Pair, &PeriodsByMinimum)| (*pair, living_since(of(periods, 1), as_of));
        let living: BTreeMap<Pair, Option<Instant>> = started.iter().map(living).collect();
        let asked: Vec<_> = living.iter().map(|(pair, since)| (*pair, *since)).collect();
        let stretches = policy.occurred_for(Period::at(as_of));
        let lives = lives_at(transaction, &asked, &stretches, minimum, as_of).await?;
        let mut last = self.recorded(&lives.values().filter_map(|lives| lives.last.clone()).collect()).await?;

        let mut known = BTreeMap::new();
        for (pair, LivesAt { live_activities, lapse_time, last: last_name }) in lives {
            let last_activity = last_name.and_then(|name| last.remove(&name));
            let last_activity_time = last_activity.as_ref().map(|last| last.activity.occur_time);
            let periods = started.get(&pair).map_or(&[][..], |periods| of(periods, minimum));
            let lives = Lives { live_activities, lapse_time, last_activity_time };
            let standing = standing_from_periods(periods, lives, as_of, policy.longest_warning_days());
            let periods = periods_as_of(periods, lapse_time, as_of);
            let end_cause = periods.last().map(|period| period.end_cause);
            let standing = PairStanding { pair, standing, end_cause, last_activity };
            let living_since = living.get(&pair).copied().flatten();
            known.insert(pair, KnownPair { standing, periods, living_since });
        }
        Ok(known)
    }
}

impl KnownPair {
    /// That of a pair of which nothing had counted.
    pub fn never(pair: Pair, as_of: Instant) -> Self {
        Self { standing: PairStanding::never(pair, as_of), periods: Vec::new(), living_since: None }
    }
}

impl PairStanding {
    /// That of a pair of which nothing had counted.
    pub fn never(pair: Pair, as_of: Instant) -> Self {
        let nothing = Lives { live_activities: 0, lapse_time: None, last_activity_time: None };
        let standing = standing_from_periods(&[], nothing, as_of, 0);
        Self { pair, standing, end_cause: None, last_activity: None }
    }
}

fn of(periods: &PeriodsByMinimum, minimum: u32) -> &[ServicingPeriod] {
    periods.get(&minimum).map_or(&[], Vec::as_slice)
}
