use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::access::EndingCause;
use crate::credit::testing::{at, hub, money};
use crate::credit::totals::{ClientPoints, PartnerPoints};
use crate::credit::world::{PARTNERS, POLICY, clients, day, tiers};
use crate::credit::{
    CountryHistory, PointsAbsentReason, RELATIONSHIP_MINIMUM, SaleKind, ServicingFacts, SoldCredit, SubscriptionChange,
    SubscriptionHistory,
};
use crate::servicing::ServicingPeriod;
use crate::testing::cases;
use crate::tier::{CreditedTiers, Tier, TierChange, TierHistory};

fn asked() -> HubId {
    hub(PARTNERS[0])
}

/// From when until when, and by what the period stops.
fn period(start: &str, end: &str, end_cause: PeriodEndCause) -> ServicingPeriod {
    ServicingPeriod { start: at(start), end: at(end), end_cause }
}

fn work(periods: &[ServicingPeriod]) -> ServicingFacts {
    let of_minimums = POLICY.minimums_ever().into_iter().map(|minimum| (minimum, periods.to_vec()));
    ServicingFacts { periods: of_minimums.collect(), last_activity_time: None }
}

fn pays(changes: &[(&str, &str)]) -> SubscriptionHistory {
    let numbered = (1..).zip(changes);
    SubscriptionHistory::from_changes(numbered.map(|(position, (time, amount))| SubscriptionChange {
        subscription: "main".parse().expect("an id"),
        position,
        effective_time: at(time),
        mrr: money("EUR", amount),
    }))
}

/// An Italian client that pays, serviced by the partner asked about and perhaps by others.
fn client(changes: &[(&str, &str)], servicing: Vec<ServicingFacts>) -> CreditFacts {
    let italy = "IT".parse().expect("a country");
    CreditFacts {
        client: hub(2002),
        countries: CountryHistory::from_countries([(at("2024-01-01T00:00:00Z"), italy)]),
        subscriptions: pays(changes),
        servicing: PARTNERS.map(hub).into_iter().zip(servicing).collect(),
        sold: Vec::new(),
    }
}

/// The changes of a year with when they were, by what, and by how many hundredths of a point.
fn told(facts: &CreditFacts, tiers: &CreditedTiers) -> Vec<(String, PointsCause, i64)> {
    let terms = Terms { policy: &POLICY, tiers };
    let changes = point_changes(facts, asked(), terms, at("2025-05-01T00:00:00Z"), at("2026-05-01T00:00:00Z"));
    let told =
        changes.iter().map(|change| (change.time.format("%Y-%m-%d").to_string(), change.cause, change.difference().0));
    told.collect()
}

const JUNE: &str = "2025-06-15T00:00:00Z";
const SEPTEMBER: &str = "2025-09-15T00:00:00Z";

#[test]
fn r122_every_cause_is_told_with_what_it_gained_or_lost() {
    let own = work(&[period(JUNE, "2025-12-15T00:00:00Z", PeriodEndCause::Lapsed)]);
    let removed = PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved);
    let other = work(&[period(SEPTEMBER, "2025-10-15T00:00:00Z", removed)]);
    let facts = client(&[("2025-01-01T00:00:00Z", "1000"), ("2025-11-15T00:00:00Z", "500")], vec![own, other]);
    assert_eq!(
        told(&facts, &CreditedTiers::default()),
        [
            ("2025-06-15".to_owned(), PointsCause::Activity, 1_333),
            ("2025-07-15".to_owned(), PointsCause::Policy, 1_136 - 1_333),
            ("2025-09-15".to_owned(), PointsCause::Share, 568 - 1_136),
            ("2025-10-15".to_owned(), PointsCause::Share, 1_136 - 568),
            ("2025-11-15".to_owned(), PointsCause::Mrr, 568 - 1_136),
            ("2025-12-15".to_owned(), PointsCause::Lapse, -568),
        ]
    );
}

#[test]
fn r71_an_ending_is_told_by_what_ended_it() {
    let removed = PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved);
    let facts = client(&[("2025-01-01T00:00:00Z", "75")], vec![work(&[period("2025-05-15T00:00:00Z", JUNE, removed)])]);
    let told = told(&facts, &CreditedTiers::default());
    assert_eq!(
        told.last(),
        Some(&("2025-06-15".to_owned(), PointsCause::Ending(EndingCause::AllEmployeesRemoved), -100))
    );
}

#[test]
fn r57_points_that_a_higher_tier_takes_are_told_so() {
    let mut own = work(&[period("2025-05-15T00:00:00Z", "2026-02-15T00:00:00Z", PeriodEndCause::Lapsed)]);
    own.periods.insert(3, vec![]);
    let facts = client(&[("2025-01-01T00:00:00Z", "75")], vec![own]);
    let elite = TierChange { position: 1, effective_time: at(JUNE), tier: Some(Tier::Elite) };
    let tiers = [(asked(), TierHistory::from_changes([elite]))].into_iter().collect();
    assert_eq!(told(&facts, &tiers).last(), Some(&("2025-06-15".to_owned(), PointsCause::TierMinimum, -100)));
}

#[test]
fn r122_causes_of_one_instant_are_applied_in_order_each_on_top_of_those_before_it() {
    let others = PeriodEndCause::Lapsed;
    let own = work(&[period("2025-07-15T00:00:00Z", "2026-06-15T00:00:00Z", others)]);
    let other = work(&[period("2025-07-15T00:00:00Z", "2026-06-15T00:00:00Z", others)]);
    let facts = client(&[("2025-01-01T00:00:00Z", "880"), ("2025-07-15T00:00:00Z", "1760")], vec![own, other]);
    // The amount comes before the work, which gains all of it, and the other partner takes its half of that last.
    assert_eq!(
        told(&facts, &CreditedTiers::default()),
        [
            ("2025-07-15".to_owned(), PointsCause::Activity, 2_000),
            ("2025-07-15".to_owned(), PointsCause::Share, -1_000),
        ]
    );
}

#[test]
fn r93_a_sale_is_gained_when_it_closes_and_lost_when_it_runs_out() {
    let sale = |id: &str, kind, close| SoldCredit {
        id: id.parse().expect("an id"),
        client: hub(2002),
        kind,
        amount: money("EUR", "75"),
        close_time: at(close),
    };
    let mut facts = client(&[], vec![]);
    facts.sold = vec![
        sale("a", SaleKind::Sourced, "2024-06-15T00:00:00Z"),
        sale("b", SaleKind::Assisted, "2025-06-15T00:00:00Z"),
    ];
    assert_eq!(
        told(&facts, &CreditedTiers::default()),
        [
            ("2025-06-15".to_owned(), PointsCause::SaleRunOut, -500),
            ("2025-06-15".to_owned(), PointsCause::Sale, 300),
            ("2025-07-15".to_owned(), PointsCause::Policy, 256 - 300),
        ]
    );
}

#[test]
fn r127_what_becomes_known_is_gained_and_what_becomes_unknown_is_lost() {
    let own = work(&[period("2025-05-15T00:00:00Z", "2026-06-15T00:00:00Z", PeriodEndCause::Lapsed)]);
    let facts = client(&[(JUNE, "75")], vec![own]);
    let terms = Terms { policy: &POLICY, tiers: &CreditedTiers::default() };
    let changes = point_changes(&facts, asked(), terms, at("2025-06-01T00:00:00Z"), at(JUNE));
    let unknown = CreditValue { credit: None, points: PointsOutcome::Absent(PointsAbsentReason::MrrUnknown) };
    assert_eq!(
        changes.iter().map(|change| (change.before, change.difference().0)).collect::<Vec<_>>(),
        [(unknown, 100)]
    );
}

/// Where each of the grounds stands at an instant, spelled out. The partner's work is looked at with what it needs at
/// `turn`, for that is taken first.
fn grounds(facts: &CreditFacts, terms: Terms<'_>, at: Instant, turn: Instant) -> BTreeMap<PointsCause, String> {
    let own = asked();
    let earns = |partner: HubId, minimum: u32| {
        let lives = |minimum| {
            let periods = facts.servicing[&partner].periods_of(minimum).iter();
            periods.filter(|period| period.start <= at && at < period.end).map(|period| period.start).max()
        };
        lives(minimum).and(lives(RELATIONSHIP_MINIMUM))
    };
    let others = PARTNERS.map(hub).into_iter().filter(|partner| *partner != own);
    let others: Vec<_> = others.map(|partner| earns(partner, terms.minimum_of(partner, at))).collect();
    let country = facts.countries.country_at(at);
    let units = ["USD", "EUR"].map(|code| POLICY.units_per_point_at(code.parse().expect("a currency"), at));
    let mrr = match facts.subscriptions.mrr_at(at) {
        crate::credit::Mrr::Unknown => None,
        crate::credit::Mrr::Known { mrr, .. } => Some(mrr),
    };
    [
        (PointsCause::Policy, format!("{units:?}")),
        (PointsCause::Country, format!("{country:?}")),
        (PointsCause::Mrr, format!("{mrr:?}")),
        (PointsCause::TierMinimum, format!("{}", terms.minimum_of(own, at))),
        (PointsCause::Activity, format!("{:?}", earns(own, terms.minimum_of(own, turn)))),
        (PointsCause::Share, format!("{others:?}")),
    ]
    .into_iter()
    .collect()
}

/// The ground that a cause speaks of.
fn ground(cause: PointsCause) -> PointsCause {
    match cause {
        PointsCause::Lapse | PointsCause::Ending(_) => PointsCause::Activity,
        other => other,
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn r122_changes_add_up_exactly_to_the_difference_of_the_totals(
        clients in prop::collection::vec(clients(), 1..4),
        tiers in tiers(),
        first in -10_i64..740,
        length in 0_i64..740,
    ) {
        let terms = Terms { policy: &POLICY, tiers: &tiers };
        let (from, to) = (day(first), day(first + length));
        let (mut before, mut after, mut changed) = (PartnerPoints::default(), PartnerPoints::default(), [0, 0]);
        for facts in &clients {
            before.add(&ClientPoints::of(facts, asked(), terms, from));
            after.add(&ClientPoints::of(facts, asked(), terms, to));
            for change in point_changes(facts, asked(), terms, from, to) {
                changed[change.kind as usize] += change.difference().0;
            }
        }
        let [managed, sold] = changed;
        prop_assert_eq!(after.managed.points.0 - before.managed.points.0, managed);
        prop_assert_eq!(after.sold.points.0 - before.sold.points.0, sold);
        prop_assert_eq!(after.total().0 - before.total().0, managed + sold);
    }

    #[test]
    fn r122_every_change_goes_on_from_the_one_before_it_and_names_a_ground_that_differs(
        facts in clients(),
        tiers in tiers(),
    ) {
        let terms = Terms { policy: &POLICY, tiers: &tiers };
        let (from, to) = (day(-10), day(900));
        let changes = point_changes(&facts, asked(), terms, from, to);
        let (sold, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.kind == PointsKind::Sold);
        let mut sold_points = facts.sold_points(terms, from);
        for change in &sold {
            prop_assert_eq!(change.before.points, sold_points);
            sold_points = change.after.points;
        }
        prop_assert_eq!(sold_points, facts.sold_points(terms, to));
        let mut value = CreditValue::from(&facts.credit(asked(), terms, from));
        for change in &changes {
            prop_assert_eq!(change.before, value);
            prop_assert!(change.before != change.after);
            value = change.after;
            let just_before = grounds(&facts, terms, change.time - TimeDelta::microseconds(1), change.time);
            let at_once = grounds(&facts, terms, change.time, change.time);
            // The minimum that others need, and the amount that a split leaves over, speak in the ground of the others.
            let ground = ground(change.cause);
            prop_assert!(just_before[&ground] != at_once[&ground], "{:?}", change);
        }
        prop_assert_eq!(value, CreditValue::from(&facts.credit(asked(), terms, to)));
        prop_assert!(changes.is_sorted_by_key(|change| (change.time, ground(change.cause))));
        // Day by day, nothing else happens between two changes.
        for number in -10..900 {
            let last = changes.iter().rev().find(|change| change.time <= day(number));
            let expected = last.map_or(CreditValue::from(&facts.credit(asked(), terms, from)), |change| change.after);
            prop_assert_eq!(CreditValue::from(&facts.credit(asked(), terms, day(number))), expected);
        }
    }
}
