//! Periods that are kept arrival by arrival are those that everything that arrived says.

mod ledger;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::testing::{lives_at, slow_periods};
use super::*;
use crate::access::{AccessChange, AccessHistory, Ending};
use crate::activity::{Activity, Verdict, judge};
use crate::policy::Policy;
use crate::testing::cases;
use ledger::{Key, Ledger, Pair, pairs};
use world::{Arrival, World, instants, worlds};

/// Everything that has arrived, as it came; what it says is found anew each time.
struct Archive {
    policy: Policy,
    changes: Vec<AccessChange>,
    activities: BTreeMap<Key, Activity>,
    voided: BTreeSet<Key>,
}

impl Archive {
    fn add(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Access(change) => self.changes.push(change),
            Arrival::Activities(activities) => {
                for activity in activities {
                    self.activities.entry((activity.client, activity.id.clone())).or_insert(activity);
                }
            }
            Arrival::Voiding(key) => {
                self.voided.insert(key);
            }
            Arrival::Policy(policy) => self.policy = policy,
        }
    }

    /// What counts for each pair, and its endings.
    fn grounds(&self) -> BTreeMap<Pair, (Vec<CountedActivity>, Vec<Ending>)> {
        let known = AccessHistory::from_changes(self.changes.iter().cloned());
        let endings = |(client, partner)| known.endings(client, partner, &self.policy);
        let mut grounds: BTreeMap<_, _> = pairs().map(|pair| (pair, (Vec::new(), endings(pair)))).collect();
        for (key, activity) in self.activities.iter().filter(|(key, _)| !self.voided.contains(key)) {
            let judgement = judge(activity, &known, &self.policy);
            if let (Verdict::Counted { expire_time }, Some(of)) = (judgement.verdict, judgement.attribution) {
                let life = CountedActivity { occur_time: activity.occur_time, expire_time };
                grounds.entry((key.0, of.partner)).or_default().0.push(life);
            }
        }
        grounds
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn r60_r61_r73_the_periods_are_those_of_everything_after_every_arrival_whatever_its_order(world in worlds()) {
        let World { policy, arrivals } = world;
        let mut ledger = Ledger::new(policy.clone());
        let mut archive =
            Archive { policy, changes: Vec::new(), activities: BTreeMap::new(), voided: BTreeSet::new() };
        for arrival in arrivals {
            ledger.take(arrival.clone());
            archive.add(arrival);
            for (pair, (activities, endings)) in archive.grounds() {
                for minimum in archive.policy.minimums_ever() {
                    let kept = ledger.periods(pair, minimum);
                    prop_assert_eq!(kept, slow_periods(&activities, &endings, minimum));
                    prop_assert_eq!(kept, periods(&activities, &endings, minimum));
                }
            }
        }
    }

    #[test]
    fn r63_the_kept_periods_tell_how_every_pair_stood_at_any_instant(world in worlds(), as_of in instants()) {
        let mut ledger = Ledger::new(world.policy);
        world.arrivals.into_iter().for_each(|arrival| ledger.take(arrival));
        for pair in pairs() {
            let activities = ledger.counted(pair);
            let endings = ledger.known.endings(pair.0, pair.1, &ledger.policy);
            for minimum in ledger.policy.minimums_ever() {
                let lives = lives_at(&activities, ledger.periods(pair, 1), minimum, as_of);
                let found = standing_from_periods(ledger.periods(pair, minimum), lives, as_of, 1);
                prop_assert_eq!(found, standing(&activities, &endings, minimum, as_of, 1));
            }
        }
    }
}
