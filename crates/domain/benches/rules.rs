//! What the rules cost, without any service around them: `cargo bench -p domain`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use divan::Bencher;
use divan::counter::ItemsCount;
use domain::access::{
    AccessChange, AccessFact, AccessHistory, AccessRole, Actor, Audit, ClientUserId, EmployeeId, HubId, PermissionSet,
};
use domain::activity::{Activity, ActivityAction, Origin, judge};
use domain::credit::{CountryHistory, CreditFacts, ServicingFacts, SubscriptionChange, SubscriptionHistory, Terms};
use domain::money::Money;
use domain::policy::Policy;
use domain::servicing::{CountedActivity, PeriodEndCause, ServicingPeriod, periods};
use domain::tier::CreditedTiers;
use domain::time::Instant;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn hub_id(number: i64) -> HubId {
    HubId::try_from(number).expect("a hub id")
}

fn day(number: i64) -> Instant {
    let first: Instant = "2025-01-01T12:00:00Z".parse().expect("a time");
    first + TimeDelta::days(number)
}

/// The history of a client with so many people of one partner.
fn history(people: u128) -> AccessHistory {
    let (partner, client) = (hub_id(1_001), hub_id(2_002));
    let country = || "IT".parse().expect("a country");
    let mut facts = vec![
        AccessFact::PartnerAdded {
            partner,
            display_name: "Agency".to_owned(),
            country: country(),
            email_domains: std::iter::once("agency.example".parse().expect("a domain")).collect(),
        },
        AccessFact::ClientAdded { client, display_name: "Client".to_owned(), country: country() },
    ];
    for person in 0..people {
        let address = format!("e{person}@agency.example").parse().expect("an address");
        facts.push(AccessFact::EmployeeAdded {
            partner,
            employee: EmployeeId(Uuid::from_u128(person)),
            address,
            display_name: "Somebody".to_owned(),
            partner_employee: true,
            access_role: AccessRole::None,
        });
        facts.push(AccessFact::ClientUserAdded {
            client,
            user: ClientUserId(Uuid::from_u128(person)),
            address: format!("e{person}@agency.example").parse().expect("an address"),
            display_name: "Somebody".to_owned(),
            permission_set: PermissionSet::partner_admin(),
        });
    }
    AccessHistory::from_changes((1..).zip(facts).map(|(position, fact)| AccessChange {
        position,
        effective_time: day(0),
        record_time: day(0),
        actor: Actor::Platform,
        audit: Audit::default(),
        fact,
    }))
}

/// One activity, in a client with ever more people.
#[divan::bench(args = [1, 10, 100, 1_000])]
fn judge_an_activity(bencher: Bencher<'_, '_>, people: u128) {
    let (history, policy) = (history(people), Policy::embedded());
    let activity = Activity {
        client: hub_id(2_002),
        id: "a1".parse().expect("an activity id"),
        address: "e0@agency.example".parse().expect("an address"),
        occur_time: day(10),
        action: ActivityAction::Catalogue("form/edit".parse().expect("an action")),
        origin: Origin::Person,
        target_object_id: None,
    };
    bencher.bench(|| judge(divan::black_box(&activity), &history, &policy));
}

/// The periods of a pair, from all that counts.
#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn periods_of_a_pair(bencher: Bencher<'_, '_>, activities: i64) {
    let counted = |number| {
        let occur_time = day(0) + TimeDelta::hours(number * 7);
        CountedActivity { occur_time, expire_time: occur_time + TimeDelta::days(60) }
    };
    let activities: Vec<CountedActivity> = (0..activities).map(counted).collect();
    bencher.counter(ItemsCount::new(activities.len())).bench(|| periods(divan::black_box(&activities), &[], 1));
}

/// A row of the breakdown, of a client that ever more partners service.
#[divan::bench(args = [1, 2, 10, 100])]
fn credit_of_a_client(bencher: Bencher<'_, '_>, partners: i64) {
    let (policy, tiers) = (Policy::embedded(), CreditedTiers::default());
    let period = ServicingPeriod { start: day(0), end: day(100), end_cause: PeriodEndCause::Lapsed };
    let servicing = |partner| {
        let periods = BTreeMap::from([(1, vec![period])]);
        (hub_id(partner), ServicingFacts { periods, last_activity_time: Some(day(40)) })
    };
    let subscription = SubscriptionChange {
        subscription: "main".parse().expect("a subscription id"),
        position: 1,
        effective_time: day(0),
        mrr: Money::parse("USD".parse().expect("a currency"), "1000.01").expect("an amount"),
    };
    let facts = CreditFacts {
        client: hub_id(2_002),
        countries: CountryHistory::from_countries([(day(0), "US".parse().expect("a country"))]),
        subscriptions: SubscriptionHistory::from_changes([subscription]),
        servicing: (1..=partners).map(servicing).collect(),
        sold: Vec::new(),
    };
    let (terms, partner, at) = (Terms { policy: &policy, tiers: &tiers }, hub_id(1), day(50));
    bencher.bench(|| divan::black_box(&facts).credit(partner, terms, at));
}
