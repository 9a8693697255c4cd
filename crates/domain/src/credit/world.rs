//! Random facts of one client over two years, for the properties that hold whatever happened.

use std::sync::LazyLock;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::credit_facts::{CountryHistory, CreditFacts, ServicingFacts};
use super::sold::{SaleKind, SoldCredit};
use super::subscription::{SubscriptionChange, SubscriptionHistory};
use super::testing::{at, hub, money};
use crate::access::{Ending, EndingCause};
use crate::policy::Policy;
use crate::policy::testing::policy_with;
use crate::servicing::{CountedActivity, periods};
use crate::tier::{CreditedTiers, Tier, TierChange, TierHistory};
use crate::time::{Instant, SECONDS_PER_DAY};

/// The partners that work there; the first is the one that tests ask about.
pub(super) const PARTNERS: [i64; 3] = [11, 12, 13];

/// The last day of the facts.
const LAST_DAY: i64 = 730;

/// A policy under which points change by themselves, and a tier needs more than one activity.
pub(super) static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    policy_with(
        "minimum_activities = []",
        r#"minimum_activities = [
            { from = 2024-01-01, tier = "ELITE", minimum = 2 },
            { from = 2024-09-01, tier = "ELITE", minimum = 3 },
            { from = 2025-03-01, tier = "NONE", minimum = 2 },
        ]"#,
    )
});

/// The start of a day, counted from 1 January 2024.
pub(super) fn day(number: i64) -> Instant {
    at("2024-01-01T00:00:00Z") + TimeDelta::seconds(number * SECONDS_PER_DAY)
}

/// A day; some are drawn often, so that much happens at one instant.
fn days() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..LAST_DAY, 2 => (0..12_i64).prop_map(|number| number * 60)]
}

fn work() -> impl Strategy<Value = ServicingFacts> {
    let ending = (days(), prop::sample::select(EndingCause::ALL.to_vec()));
    (prop::collection::vec(days(), 0..14), prop::collection::vec(ending, 0..3)).prop_map(|(activities, endings)| {
        let activities: Vec<_> = activities
            .into_iter()
            .map(|occurred| CountedActivity { occur_time: day(occurred), expire_time: day(occurred + 60) })
            .collect();
        let endings: Vec<_> = endings.into_iter().map(|(number, cause)| Ending { time: day(number), cause }).collect();
        let of_minimum = |minimum| (minimum, periods(&activities, &endings, minimum));
        ServicingFacts {
            periods: POLICY.minimums_ever().into_iter().map(of_minimum).collect(),
            last_activity_time: activities.iter().map(|activity| activity.occur_time).max(),
        }
    })
}

fn subscriptions() -> impl Strategy<Value = SubscriptionHistory> {
    let amounts = vec!["0", "0.01", "99.99", "1000", "1000.01", "2500"];
    let change = (days(), prop::sample::select(amounts));
    let currency = prop::sample::select(vec!["USD", "EUR", "CHF"]);
    (currency, prop::collection::vec(change, 0..5)).prop_map(|(currency, changes)| {
        let numbered = (1..).zip(changes);
        SubscriptionHistory::from_changes(numbered.map(|(position, (effective, amount))| SubscriptionChange {
            subscription: "main".parse().expect("an id"),
            position,
            effective_time: day(effective),
            mrr: money(currency, amount),
        }))
    })
}

fn countries() -> impl Strategy<Value = CountryHistory> {
    let country = (days(), prop::sample::select(vec!["IT", "IN", "US"]));
    prop::collection::vec(country, 0..4).prop_map(|countries| {
        let parsed = countries.into_iter().map(|(since, code)| (day(since), code.parse().expect("a country")));
        CountryHistory::from_countries(parsed)
    })
}

fn sales() -> impl Strategy<Value = Vec<SoldCredit>> {
    let kind = prop::sample::select(vec![SaleKind::Sourced, SaleKind::Assisted]);
    let currency = prop_oneof![9 => Just("USD"), 1 => Just("CHF")];
    prop::collection::vec((-400..LAST_DAY, kind, currency), 0..4).prop_map(|sales| {
        let numbered = (1..).zip(sales);
        let sold = numbered.map(|(number, (closed, kind, currency))| SoldCredit {
            id: format!("deal-{number}").parse().expect("an id"),
            client: hub(2002),
            kind,
            amount: money(currency, "123.45"),
            close_time: day(closed),
        });
        sold.collect()
    })
}

/// One client that some of [`PARTNERS`] service.
pub(super) fn clients() -> impl Strategy<Value = CreditFacts> {
    let servicing = prop::collection::vec(work(), PARTNERS.len());
    (1_000_i64..1_010, countries(), subscriptions(), servicing, sales()).prop_map(
        |(client, countries, subscriptions, servicing, sold)| CreditFacts {
            client: hub(client),
            countries,
            subscriptions,
            servicing: PARTNERS.map(hub).into_iter().zip(servicing).collect(),
            sold,
        },
    )
}

/// Tiers of all [`PARTNERS`].
pub(super) fn tiers() -> impl Strategy<Value = CreditedTiers> {
    let tier = prop::sample::select(vec![None, Some(Tier::Gold), Some(Tier::Elite)]);
    let history = prop::collection::vec((days(), tier), 0..4).prop_map(|changes| {
        let numbered = (1..).zip(changes);
        TierHistory::from_changes(numbered.map(|(position, (effective, tier))| TierChange {
            position,
            effective_time: day(effective),
            tier,
        }))
    });
    prop::collection::vec(history, PARTNERS.len())
        .prop_map(|histories| PARTNERS.map(hub).into_iter().zip(histories).collect())
}
