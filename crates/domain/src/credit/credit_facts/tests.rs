use super::*;
use crate::credit::testing::{at, hub, money};
use crate::money::Points;

const SINCE: &str = "2025-01-01T00:00:00Z";

fn countries(countries: &[(&str, &str)]) -> CountryHistory {
    let parsed =
        countries.iter().map(|(since, code)| (at(since), code.parse().expect("a test writes valid countries")));
    CountryHistory::from_countries(parsed)
}

/// A client in the United States that was sold something for an amount, by each kind of sale.
fn sold(sales: &[(SaleKind, &str)]) -> CreditFacts {
    let sold = (1..).zip(sales).map(|(number, (kind, amount))| SoldCredit {
        id: format!("deal-{number}").parse().expect("an id"),
        client: hub(2002),
        kind: *kind,
        amount: money("USD", amount),
        close_time: at(SINCE),
    });
    CreditFacts {
        client: hub(2002),
        countries: countries(&[(SINCE, "US")]),
        subscriptions: SubscriptionHistory::default(),
        servicing: BTreeMap::new(),
        sold: sold.collect(),
    }
}

#[test]
fn r92_of_sold_points_those_of_sourced_sales_are_told_apart() {
    let facts = sold(&[(SaleKind::Sourced, "1000"), (SaleKind::Assisted, "100"), (SaleKind::Sourced, "10")]);
    let terms = Terms { policy: &Policy::embedded(), tiers: &CreditedTiers::default() };
    assert_eq!(facts.sold_points(terms, at(SINCE)), PointsOutcome::Known(Points(53_50)));
    assert_eq!(facts.sourced_points(terms, at(SINCE)), PointsOutcome::Known(Points(50_50)));
}

#[test]
fn r93_a_sale_counts_from_its_close_until_its_months_are_over() {
    let facts = sold(&[(SaleKind::Sourced, "1000")]);
    let policy = Policy::embedded();
    for (time, count) in [
        ("2024-12-31T23:59:59.999999Z", 0),
        (SINCE, 1),
        ("2025-12-31T23:59:59.999999Z", 1),
        ("2026-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(facts.counted_sales_at(&policy, at(time)).count(), count, "{time}");
    }
}

#[test]
fn what_can_change_points_is_looked_for_after_one_instant_and_until_another() {
    let facts = sold(&[(SaleKind::Sourced, "1000")]);
    let terms = Terms { policy: &Policy::embedded(), tiers: &CreditedTiers::default() };
    let turns = |from, to| facts.turns(terms, at(from), at(to)).into_iter().collect::<Vec<_>>();
    let (closed, run_out) = (SINCE, "2026-01-01T00:00:00Z");
    assert_eq!(turns("2024-12-31T23:59:59.999999Z", closed), [at(closed)]);
    assert_eq!(turns(closed, "2025-07-14T00:00:00Z"), Vec::<Instant>::new());
    // Units per point change in July.
    assert_eq!(turns(closed, run_out), [at("2025-07-15T00:00:00Z"), at(run_out)]);
}

#[test]
fn r63_a_country_is_a_fact_since_it_was_stated_first_without_another_in_between() {
    let moves = countries(&[
        ("2025-01-01T00:00:00Z", "IT"),
        ("2025-02-01T00:00:00Z", "IN"),
        ("2025-03-01T00:00:00Z", "IT"),
        ("2025-04-01T00:00:00Z", "IT"),
    ]);
    for (time, since) in [
        ("2024-12-31T23:59:59.999999Z", None),
        ("2025-01-01T00:00:00Z", Some("2025-01-01T00:00:00Z")),
        ("2025-01-31T23:59:59.999999Z", Some("2025-01-01T00:00:00Z")),
        ("2025-02-01T00:00:00Z", Some("2025-02-01T00:00:00Z")),
        ("2025-03-01T00:00:00Z", Some("2025-03-01T00:00:00Z")),
        ("2025-05-01T00:00:00Z", Some("2025-03-01T00:00:00Z")),
    ] {
        assert_eq!(moves.country_since(at(time)), since.map(at), "{time}");
    }
}
