//! Whole random histories of two partners at one client, and what they are after somebody has done something.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::super::*;
use crate::access::testing::{
    CLIENTS, LAST_TICK, PARTNERS, PEOPLE, address, change, client_closed, employee_added, employee_updated, hub,
    linked, partner_left, services_ended, user_added, user_reactivated, user_removed,
};
use crate::access::{AccessChange, AccessFact, AccessHistory, ClientUserSpell, Ending, HubId};
use crate::activity::{Activity, Judgement, Verdict, judge};
use crate::credit::explain::{ExplanationFacts, ExplanationGrounds, PartnerView};
use crate::credit::testing::money;
use crate::credit::{
    CountryHistory, CreditFacts, MinimumFacts, Mrr, ServicingFacts, SubscriptionChange, SubscriptionHistory, Terms,
};
use crate::policy::Policy;
use crate::servicing::testing::slow_live;
use crate::servicing::tests::policies::policy;
use crate::servicing::tests::world::{access_logs, activities, day, instants};
use crate::servicing::{CountedActivity, periods, standing};
use crate::tier::{CreditedTiers, Tier, TierChange, TierHistory};
use crate::time::FIRST_STORABLE;

/// Who is taken on where nobody who was there can work.
const COLLEAGUE: &str = "dora@nowhere.example";

/// Everything that ever happened, and what is asked about.
#[derive(Debug, Clone)]
pub(super) struct History {
    policy: Policy,
    log: Vec<AccessChange>,
    work: Vec<Activity>,
    subscriptions: SubscriptionHistory,
    tiers: CreditedTiers,
    partner: HubId,
    client: HubId,
    pub as_of: Instant,
    /// What counts for the partner.
    pub counted: Vec<CountedActivity>,
    pub endings: Vec<Ending>,
}

/// What ends relationships, more often than random facts do.
#[derive(Debug, Clone)]
enum Sweep {
    Fact(AccessFact),
    EverybodyIsRemoved,
}

fn sweeps() -> impl Strategy<Value = Option<Sweep>> {
    let (client, partner) = (CLIENTS[0], PARTNERS[0]);
    let facts = [partner_left(partner), client_closed(client), services_ended(client, partner)];
    let sweeps: Vec<_> = facts.into_iter().map(Sweep::Fact).chain([Sweep::EverybodyIsRemoved]).collect();
    prop::option::weighted(0.4, prop::sample::select(sweeps))
}

impl Sweep {
    fn facts(self, known: &AccessHistory, time: Instant) -> Vec<AccessFact> {
        match self {
            Self::Fact(fact) => vec![fact],
            Self::EverybodyIsRemoved => {
                let users = known.client_users(hub(CLIENTS[0])).filter(|user| user.period.contains(time));
                let removed =
                    |user: &ClientUserSpell| user_removed(CLIENTS[0], user.user.0.as_u128(), user.address.as_str());
                users.map(removed).collect()
            }
        }
    }
}

/// A policy with random windows, minimums, catalogue and effects of endings.
fn window_policies() -> impl Strategy<Value = Policy> {
    let minimums = prop::collection::btree_map(instants(), 1..=4_u32, 0..3);
    let qualifies = prop::collection::btree_map(instants(), prop::bool::weighted(0.8), 0..2);
    let effect = prop_oneof![6 => Just("IMMEDIATE"), 1 => Just("LAPSE")];
    let windows = (3..=9_u32, prop::collection::btree_map(instants(), 1..=9_u32, 0..2));
    (windows, minimums, qualifies, prop::array::uniform4(effect)).prop_map(
        |((days, mut windows), minimums, mut qualifies, effects)| {
            windows.insert(FIRST_STORABLE, days);
            qualifies.insert(FIRST_STORABLE, true);
            policy(&windows, &minimums, &qualifies, effects)
        },
    )
}

fn subscriptions() -> impl Strategy<Value = SubscriptionHistory> {
    let first = prop_oneof![9 => Just(Some(day(0))), 1 => Just(None)];
    let later = prop::collection::vec((instants(), prop::sample::select(vec!["0", "1000"])), 0..3);
    (first, later).prop_map(|(first, later)| {
        let first = first.map(|time| (time, "1000"));
        let later = later.into_iter().filter(|_| first.is_some());
        let numbered = (1..).zip(first.into_iter().chain(later));
        SubscriptionHistory::from_changes(numbered.map(|(position, (effective_time, amount))| SubscriptionChange {
            subscription: "main".parse().expect("an id"),
            position,
            effective_time,
            mrr: money("USD", amount),
        }))
    })
}

fn tiers() -> impl Strategy<Value = CreditedTiers> {
    let tier = prop_oneof![2 => Just(Some(Tier::Gold)), 1 => Just(None)];
    let changes = prop::collection::vec((instants(), tier), 0..4);
    prop::array::uniform2(changes).prop_map(|histories| {
        let history = |changes: Vec<(Instant, Option<Tier>)>| {
            let numbered = (1..).zip(changes);
            TierHistory::from_changes(numbered.map(|(position, (effective_time, tier))| TierChange {
                position,
                effective_time,
                tier,
            }))
        };
        PARTNERS.map(hub).into_iter().zip(histories.map(history)).collect()
    })
}

/// Random histories.
pub(super) fn histories() -> impl Strategy<Value = History> {
    let work = prop::collection::vec(activities(), 4..28);
    let access = (access_logs(), sweeps(), 0..=LAST_TICK);
    let terms = (window_policies(), subscriptions(), tiers());
    let partner = prop_oneof![3 => Just(PARTNERS[0]), 1 => Just(PARTNERS[1])];
    (terms, access, work, partner, 6..=LAST_TICK + 6, prop::option::weighted(0.3, instants())).prop_map(
        |((policy, subscriptions, tiers), (log, sweep, swept), work, partner, as_of_day, as_of)| {
            let log = match sweep {
                Some(sweep) => with_sweep(log, sweep, day(swept), &policy),
                None => log,
            };
            let ids = (1..).map(|number| format!("a{number}").parse().expect("an activity id"));
            let work = work.into_iter().zip(ids).map(|(activity, id)| Activity { id, ..activity }).collect();
            let history = History {
                policy,
                log,
                work,
                subscriptions,
                tiers,
                partner: hub(partner),
                client: hub(CLIENTS[0]),
                as_of: as_of.unwrap_or_else(|| day(as_of_day)),
                counted: Vec::new(),
                endings: Vec::new(),
            };
            history.judged()
        },
    )
}

/// The log until an instant, and then what sweeps, where it is legal.
fn with_sweep(log: Vec<AccessChange>, sweep: Sweep, time: Instant, policy: &Policy) -> Vec<AccessChange> {
    let mut swept = log.clone();
    swept.retain(|change| change.effective_time <= time);
    let known = AccessHistory::from_changes(swept.clone());
    let facts = sweep.facts(&known, time);
    if !facts.iter().all(|fact| known.admit(fact, time, time, policy).is_ok()) {
        return log;
    }
    let position = log.len() as u64 + 1;
    swept.extend((position..).zip(facts).map(|(position, fact)| change(position, time, fact)));
    swept
}

impl History {
    fn known(&self) -> AccessHistory {
        AccessHistory::from_changes(self.log.iter().cloned())
    }

    fn judgements(&self, known: &AccessHistory) -> Vec<(&Activity, Judgement)> {
        let there = self.work.iter().filter(|activity| activity.client == self.client);
        there.map(|activity| (activity, judge(activity, known, &self.policy))).collect()
    }

    /// With what counts by everything known.
    fn judged(self) -> Self {
        let known = self.known();
        let counted = self.judgements(&known).into_iter().filter_map(|(activity, judgement)| {
            let of_partner = judgement.attribution.is_some_and(|of| of.partner == self.partner);
            match judgement.verdict {
                Verdict::Counted { expire_time } if of_partner => {
                    Some(CountedActivity { occur_time: activity.occur_time, expire_time })
                }
                _ => None,
            }
        });
        let counted = counted.collect();
        let endings = known.endings(self.client, self.partner, &self.policy);
        Self { counted, endings, ..self }
    }

    fn terms(&self) -> Terms<'_> {
        Terms { policy: &self.policy, tiers: &self.tiers }
    }

    pub fn minimum_facts(&self, at: Instant) -> MinimumFacts {
        MinimumFacts::of(self.partner, self.terms(), at)
    }

    pub fn minimum_at(&self, at: Instant) -> usize {
        self.terms().minimum_of(self.partner, at) as usize
    }

    pub fn live_at(&self, at: Instant) -> usize {
        slow_live(&self.counted, &self.endings, at)
    }

    pub fn lives(&self, activity: &CountedActivity, at: Instant) -> bool {
        slow_live(&[*activity], &self.endings, at) == 1
    }

    /// Whether the client pays something; absent where it is not known.
    pub fn pays_at(&self, at: Instant) -> Option<bool> {
        match self.subscriptions.mrr_at(at) {
            Mrr::Known { mrr, .. } => Some(mrr.minor_units > 0),
            Mrr::Unknown => None,
        }
    }

    pub fn has_work_at(&self, at: Instant) -> bool {
        self.work.iter().any(|activity| activity.occur_time == at)
    }

    pub fn qualifies_at(&self, at: Instant) -> bool {
        self.policy.qualifying_example_of_each_tool(at).next().is_some()
    }

    /// Every instant, not after that which is asked about, at which anything happens.
    pub fn turns(&self) -> BTreeSet<Instant> {
        let of_work = self.counted.iter().flat_map(|activity| [activity.occur_time, activity.expire_time]);
        let of_endings = self.endings.iter().map(|ending| ending.time);
        let of_mrr = self.subscriptions.changes().iter().map(|change| change.effective_time);
        let of_tiers = self.tiers.history(self.partner).into_iter().flat_map(TierHistory::changes);
        let of_tiers = of_tiers.map(|change| change.effective_time);
        let all = of_work.chain(of_endings).chain(of_mrr).chain(of_tiers).chain(self.policy.points_turns());
        all.filter(|turn| *turn <= self.as_of).collect()
    }

    /// The facts as the service gathers them, from everything known.
    pub fn facts(&self) -> ExplanationFacts {
        let known = self.known();
        let view = PartnerView { history: &known, partner: self.partner, client: self.client, as_of: self.as_of };
        let credit_facts = self.credit_facts(&known);
        let minimum = self.terms().minimum_of(self.partner, self.as_of);
        let [relationship, earning] =
            [1, minimum].map(|minimum| standing(&self.counted, &self.endings, minimum, self.as_of, 1));
        let mut done: Vec<_> = self.judgements(&known);
        done.retain(|(activity, judgement)| {
            let of_partner = judgement.attribution.is_some_and(|of| of.partner == self.partner);
            activity.occur_time <= self.as_of && of_partner
        });
        done.sort_by_key(|(activity, _)| std::cmp::Reverse(activity.occur_time));
        let evidenced = done.iter().map(|(activity, _)| activity.address.clone()).collect();
        let mut counted = Vec::new();
        let mut not_counted = Vec::new();
        for (activity, judgement) in &done {
            let activity = ActivityFacts {
                person: view.name_of(judgement.attribution.map(|of| of.employee), Some(&activity.address)),
                tool: "form".to_owned(),
                action: "edit".to_owned(),
                occur_time: activity.occur_time,
            };
            match judgement.verdict {
                Verdict::Counted { expire_time } => counted.push(CountedFacts { activity, expire_time }),
                Verdict::NotCounted(reason) => not_counted.push(NotCountedFacts { activity, reason }),
                Verdict::Voided => {}
            }
        }
        ExplanationFacts::from(ExplanationGrounds {
            view,
            terms: self.terms(),
            credit_facts: &credit_facts,
            relationship,
            credit: credit_facts.credit_with(
                self.partner,
                self.terms(),
                self.as_of,
                relationship.into(),
                earning.into(),
            ),
            evidenced: &evidenced,
            counted,
            not_counted,
        })
    }

    fn credit_facts(&self, known: &AccessHistory) -> CreditFacts {
        let of_minimum = |minimum| (minimum, periods(&self.counted, &self.endings, minimum));
        let work = ServicingFacts {
            periods: self.policy.minimums_ever().into_iter().map(of_minimum).collect(),
            last_activity_time: self.counted.iter().map(|activity| activity.occur_time).max(),
        };
        let country = known.client(self.client).map(|client| (client.since, client.country()));
        CreditFacts {
            client: self.client,
            countries: CountryHistory::from_countries(country),
            subscriptions: self.subscriptions.clone(),
            sold: Vec::new(),
            servicing: BTreeMap::from([(self.partner, work)]),
        }
    }

    pub fn explain(&self) -> Explanation {
        explain(&self.facts())
    }

    /// What is known at the instant that is asked about, without what came later.
    fn so_far(&self) -> Self {
        let mut so_far = self.clone();
        so_far.log.retain(|change| change.effective_time <= self.as_of);
        so_far.work.retain(|activity| activity.occur_time <= self.as_of);
        so_far
    }

    /// What it is once the steps are taken, all of access at the instant that is asked about, and the work at another.
    pub fn after(&self, steps: &[RemedyStep], work_time: Instant) -> Result<Self, TestCaseError> {
        let mut after = self.so_far();
        for step in steps {
            let is_admitted = after.takes(step, work_time);
            // The domain may have assigned the client to the colleague (R23).
            let may_be_done = step.kind == RemedyStepKind::LinkClient && step.person.is_none();
            prop_assert!(is_admitted || may_be_done, "{:?} of {:?}", step, steps);
        }
        Ok(after.judged())
    }

    /// The same, without the steps that are refused.
    pub fn after_what_is_admitted(&self, steps: &[RemedyStep], work_time: Instant) -> Self {
        let mut after = self.so_far();
        for step in steps {
            after.takes(step, work_time);
        }
        after.judged()
    }

    /// What it is once everybody has worked.
    pub fn after_everybody_worked(&self) -> Self {
        let mut after = self.so_far();
        for person in PEOPLE {
            after.works(person, 4, self.as_of);
        }
        after.judged()
    }

    fn takes(&mut self, step: &RemedyStep, work_time: Instant) -> bool {
        let person = step.person.as_ref().map_or(COLLEAGUE.to_owned(), |person| person.address.to_string());
        let known = self.known();
        let (client, partner) = (self.client.get(), self.partner.get());
        let employee = known
            .employees(&address(&person))
            .find(|spell| spell.partner == self.partner && spell.period.contains(self.as_of));
        let employee = employee.map(|spell| spell.employee.0.as_u128()).unwrap_or_default();
        let user = known.client_user_at(self.client, &address(&person), self.as_of);
        let user = user.map(|user| user.user.0.as_u128()).unwrap_or_default();
        let fact = match step.kind {
            RemedyStepKind::AddEmployee => employee_added(partner, 10_000, &person),
            RemedyStepKind::FlagEmployee => employee_updated(partner, employee, &person, true),
            RemedyStepKind::AddClientUser => user_added(client, 10_000, &person),
            RemedyStepKind::ReactivateClientUser => user_reactivated(client, user, &person),
            RemedyStepKind::LinkClient => linked(client, partner, employee, &person),
            RemedyStepKind::Work => {
                self.works(&person, step.activities.expect("work is counted"), work_time);
                return true;
            }
            RemedyStepKind::PaySubscription | RemedyStepKind::ReportSubscription => {
                self.pays();
                return true;
            }
            RemedyStepKind::AddClient | RemedyStepKind::JoinProgramme | RemedyStepKind::NothingHelps => return false,
        };
        let is_admitted = known.admit(&fact, self.as_of, self.as_of, &self.policy).is_ok();
        if is_admitted {
            let position = self.log.iter().map(|change| change.position).max().unwrap_or_default() + 1;
            self.log.push(change(position, self.as_of, fact));
        }
        is_admitted
    }

    fn works(&mut self, person: &str, times: u32, time: Instant) {
        for number in 0..times {
            let id = format!("w{}-{number}", self.work.len());
            let done = crate::activity::testing::activity(self.client.get(), person, time, "form/edit");
            self.work.push(Activity { id: id.parse().expect("an activity id"), ..done });
        }
    }

    fn pays(&mut self) {
        self.subscriptions.record(SubscriptionChange {
            subscription: "main".parse().expect("an id"),
            position: 1_000,
            effective_time: self.as_of,
            mrr: money("USD", "1000"),
        });
    }
}
