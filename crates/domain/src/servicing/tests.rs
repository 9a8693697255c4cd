//! Periods that are kept arrival by arrival are those that everything that arrived says.

mod ledger;
pub(crate) mod policies;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::testing::{lives_at, slow_periods};
use super::*;
use crate::access::testing::{
    ANNA, CLIENT, PARTNER, address, change, client_added, employee_added, hub, partner_added, user_added, user_updated,
};
use crate::access::{AccessChange, AccessHistory, Ending};
use crate::activity::{Activity, ActivityAction, Origin, Verdict, judge};
use crate::policy::Policy;
use crate::testing::cases;
use crate::time::FIRST_STORABLE;
use ledger::{Key, Ledger, Pair, pairs};
use policies::policy;
use world::{Arrival, World, day, instants, worlds};

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
            Arrival::Access(changes) => self.changes.extend(changes),
            Arrival::Activities(activities) => {
                for activity in activities {
                    self.activities.entry((activity.client, activity.id.clone())).or_insert(activity);
                }
            }
            Arrival::Voiding(key) => {
                self.voided.insert(key);
            }
            Arrival::Policy(policy) => self.policy = *policy,
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

/// Editing a form, every four hours.
fn edits() -> Vec<Activity> {
    let edit = |number: i64| Activity {
        client: hub(CLIENT),
        id: format!("a{number}").parse().expect("an activity id"),
        address: address(ANNA),
        occur_time: day(0) + TimeDelta::hours(4 * number),
        action: ActivityAction::Catalogue("form/edit".parse().expect("an action")),
        origin: Origin::Person,
        target_object_id: None,
    };
    (0..120).map(edit).collect()
}

/// The largest minimum of [`ledger_of_anna`].
const LARGEST_MINIMUM: u32 = 3;

/// Anna is at work, windows are ten days long.
fn ledger_of_anna() -> Ledger {
    let windows = BTreeMap::from([(FIRST_STORABLE, 10)]);
    let minimums = BTreeMap::from([(FIRST_STORABLE, LARGEST_MINIMUM)]);
    let mut ledger =
        Ledger::new(policy(&windows, &minimums, &BTreeMap::from([(FIRST_STORABLE, true)]), ["IMMEDIATE"; 4]));
    let facts = [
        partner_added(PARTNER, &["agency.example"]),
        client_added(CLIENT),
        employee_added(PARTNER, 1, ANNA),
        user_added(CLIENT, 1, ANNA),
    ];
    let changes = facts.into_iter().zip(1..).map(|(fact, position)| change(position, day(0), fact));
    ledger.take(Arrival::Access(changes.collect()));
    ledger
}

/// How many activities must be read when these arrive one by one.
fn reads(ledger: &mut Ledger, activities: impl IntoIterator<Item = Activity>) -> Vec<usize> {
    let arrive = |activity| {
        ledger.take(Arrival::Activities(vec![activity]));
        ledger.activities_read
    };
    activities.into_iter().map(arrive).collect()
}

#[test]
fn in_order_or_newest_first_an_arrival_reads_no_more_activities_than_the_largest_minimum() {
    let expected: Vec<usize> = [1, 2, 3].into_iter().chain([3; 117]).collect();
    let mut in_order = ledger_of_anna();
    assert_eq!(reads(&mut in_order, edits()), expected);
    let mut newest_first = ledger_of_anna();
    assert_eq!(reads(&mut newest_first, edits().into_iter().rev()), expected);
    let pair = (hub(CLIENT), hub(PARTNER));
    for minimum in [1, LARGEST_MINIMUM] {
        assert_eq!(in_order.periods(pair, minimum).len(), 1);
        assert_eq!(in_order.periods(pair, minimum), newest_first.periods(pair, minimum));
    }
}

#[test]
fn a_late_activity_among_enough_others_reads_nothing() {
    let mut ledger = ledger_of_anna();
    // Each lies between three others on either side, so that three live without it.
    let is_late = |number: usize| (3..117).contains(&number) && number % 6 == 4;
    let (late, in_time): (Vec<_>, Vec<_>) = edits().into_iter().enumerate().partition(|(number, _)| is_late(*number));
    let without_numbers = |numbered: Vec<(usize, Activity)>| numbered.into_iter().map(|(_, activity)| activity);
    reads(&mut ledger, without_numbers(in_time));
    assert_eq!(reads(&mut ledger, without_numbers(late)), [0; 19]);
}

#[test]
fn what_changes_no_verdict_and_no_ending_reads_nothing() {
    let mut ledger = ledger_of_anna();
    reads(&mut ledger, edits());
    assert_eq!(reads(&mut ledger, edits()), [0; 120]);
    let updated = change(9, day(4), user_updated(CLIENT, 1, ANNA, "PARTNER_ADMIN"));
    ledger.take(Arrival::Access(vec![updated]));
    assert_eq!(ledger.activities_read, 0);
}

#[test]
fn r62_a_voiding_reads_what_lives_while_the_voided_activity_did() {
    let mut ledger = ledger_of_anna();
    reads(&mut ledger, edits());
    ledger.take(Arrival::Voiding((hub(CLIENT), "a0".parse().expect("an activity id"))));
    // Those of the first ten days but itself: one at the instant at which it would have expired came too late.
    assert_eq!(ledger.activities_read, 59);
    assert_eq!(ledger.periods((hub(CLIENT), hub(PARTNER)), 1)[0].start, day(0) + TimeDelta::hours(4));
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
}

proptest! {
    #![proptest_config(cases(100))]

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
