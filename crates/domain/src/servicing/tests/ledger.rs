//! A small ledger that keeps the periods of every pair as a service would: it notes what each arrival makes different, and
//! computes again only there, from what lives there.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Arrival;
use crate::access::testing::{CLIENTS, PARTNERS, hub};
use crate::access::{AccessHistory, Ending, HubId};
use crate::activity::{Activity, ActivityId, Judgement, Verdict, judge};
use crate::policy::Policy;
use crate::servicing::{Alteration, CountedActivity, ServicingPeriod, periods_within};
use crate::time::Period;

/// A client and a partner.
pub(super) type Pair = (HubId, HubId);

/// A client, and the caller's id that is unique in it.
pub(super) type Key = (HubId, ActivityId);

/// Every pair that there can be in a random world.
pub(super) fn pairs() -> impl Iterator<Item = Pair> {
    CLIENTS.into_iter().flat_map(|client| PARTNERS.map(|partner| (hub(client), hub(partner))))
}

/// An activity with its last judgement.
struct Recorded {
    activity: Activity,
    judgement: Judgement,
    is_voided: bool,
}

impl Recorded {
    /// For whom it counts, and how long.
    fn counted(&self) -> Option<(Pair, CountedActivity)> {
        let Verdict::Counted { expire_time } = self.judgement.verdict else { return None };
        let partner = self.judgement.attribution.filter(|_| !self.is_voided)?.partner;
        let life = CountedActivity { occur_time: self.activity.occur_time, expire_time };
        Some(((self.activity.client, partner), life))
    }
}

pub(super) struct Ledger {
    pub policy: Policy,
    pub known: AccessHistory,
    recorded: BTreeMap<Key, Recorded>,
    periods: BTreeMap<(Pair, u32), Vec<ServicingPeriod>>,
    /// How many activities the last arrival had to read.
    pub activities_read: usize,
}

/// What periods are made of.
struct Grounds {
    counted: BTreeMap<Key, (Pair, CountedActivity)>,
    endings: BTreeMap<Pair, BTreeSet<Ending>>,
}

impl Ledger {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            known: AccessHistory::default(),
            recorded: BTreeMap::new(),
            periods: BTreeMap::new(),
            activities_read: 0,
        }
    }

    pub fn periods(&self, pair: Pair, minimum: u32) -> &[ServicingPeriod] {
        self.periods.get(&(pair, minimum)).map_or(&[], Vec::as_slice)
    }

    /// What counts for a pair.
    pub fn counted(&self, pair: Pair) -> Vec<CountedActivity> {
        let counted = self.recorded.values().filter_map(Recorded::counted);
        counted.filter(|(of, _)| *of == pair).map(|(_, life)| life).collect()
    }

    pub fn take(&mut self, arrival: Arrival) {
        let before = self.grounds();
        let is_other_policy = matches!(arrival, Arrival::Policy(_));
        match arrival {
            Arrival::Access(changes) => {
                changes.into_iter().for_each(|change| self.known.record(change));
                self.judge_again();
            }
            Arrival::Activities(activities) => activities.into_iter().for_each(|activity| self.record(activity)),
            Arrival::Voiding(key) => {
                if let Some(recorded) = self.recorded.get_mut(&key) {
                    recorded.is_voided = true;
                }
            }
            Arrival::Policy(policy) => {
                self.policy = *policy;
                self.judge_again();
            }
        }
        let after = self.grounds();
        let altered = match is_other_policy {
            true => pairs().map(|pair| (pair, Alteration::everything())).collect(),
            false => alterations(&before, &after),
        };
        self.settle(&altered, &after);
    }

    /// Records an activity once; of another one with its id nothing is kept.
    fn record(&mut self, activity: Activity) {
        let key = (activity.client, activity.id.clone());
        let judgement = judge(&activity, &self.known, &self.policy);
        self.recorded.entry(key).or_insert(Recorded { activity, judgement, is_voided: false });
    }

    fn judge_again(&mut self) {
        for recorded in self.recorded.values_mut() {
            recorded.judgement = judge(&recorded.activity, &self.known, &self.policy);
        }
    }

    fn grounds(&self) -> Grounds {
        let counted = self.recorded.iter().filter_map(|(key, recorded)| Some((key.clone(), recorded.counted()?)));
        let endings = pairs().map(|pair| {
            let (client, partner) = pair;
            (pair, self.known.endings(client, partner, &self.policy).into_iter().collect())
        });
        Grounds { counted: counted.collect(), endings: endings.collect() }
    }

    fn settle(&mut self, altered: &BTreeMap<Pair, Alteration>, grounds: &Grounds) {
        self.activities_read = 0;
        let minimums = self.policy.minimums_ever();
        let largest = *minimums.last().expect("the minimum 1 is always kept");
        for (pair, alteration) in altered {
            let regions = alteration.regions(self.periods(*pair, largest));
            let activities = self.read(*pair, &regions);
            self.activities_read += activities.len();
            let endings: Vec<Ending> = grounds.endings[pair].iter().copied().collect();
            for minimum in &minimums {
                let existing = self.periods(*pair, *minimum);
                let periods = periods_within(existing, &regions, &activities, &endings, *minimum);
                self.periods.insert((*pair, *minimum), periods);
            }
        }
        self.periods.retain(|(_, minimum), _| minimums.contains(minimum));
    }

    /// What counts for a pair and lives within the regions, as an index on occur times would find it.
    fn read(&self, pair: Pair, regions: &[Period]) -> Vec<CountedActivity> {
        let occurred: Vec<Period> = regions.iter().flat_map(|region| self.policy.occurred_for(*region)).collect();
        let lives_there = |activity: &CountedActivity| {
            let life = Period::between(activity.occur_time, activity.expire_time);
            occurred.iter().any(|stretch| stretch.contains(activity.occur_time))
                && regions.iter().any(|region| region.overlap(life).is_some())
        };
        self.counted(pair).into_iter().filter(lives_there).collect()
    }
}

/// What is different, for each pair for which anything is.
fn alterations(before: &Grounds, after: &Grounds) -> BTreeMap<Pair, Alteration> {
    let mut altered: BTreeMap<Pair, Alteration> = BTreeMap::new();
    let mut note = |pair: Pair, alteration: Alteration| {
        altered.entry(pair).and_modify(|noted| *noted = noted.and(alteration)).or_insert(alteration);
    };
    let keys: BTreeSet<&Key> = before.counted.keys().chain(after.counted.keys()).collect();
    for key in keys {
        let (was, is) = (before.counted.get(key), after.counted.get(key));
        if was == is {
            continue;
        }
        if let Some((pair, activity)) = was {
            note(*pair, Alteration::removed(*activity));
        }
        if let Some((pair, activity)) = is {
            note(*pair, Alteration::added(*activity));
        }
    }
    for pair in pairs() {
        let first_other = before.endings[&pair].symmetric_difference(&after.endings[&pair]).next();
        if let Some(ending) = first_other {
            note(pair, Alteration::endings_from(ending.time));
        }
    }
    altered
}
