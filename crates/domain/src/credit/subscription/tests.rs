use super::*;
use crate::credit::testing::{at, money};
use crate::testing::cases;
use proptest::prelude::*;

const NOW: &str = "2026-01-01T00:00:00Z";

fn id(text: &str) -> SubscriptionId {
    text.parse().expect("a test writes valid ids")
}

/// Changes as (subscription, effective time, currency, amount), recorded in this order.
fn history(changes: &[(&str, &str, &str, &str)]) -> SubscriptionHistory {
    SubscriptionHistory::from_changes((1..).zip(changes).map(|(position, (subscription, time, code, amount))| {
        SubscriptionChange {
            subscription: id(subscription),
            position,
            effective_time: at(time),
            mrr: money(code, amount),
        }
    }))
}

fn known(code: &str, amount: &str, since: &str) -> Mrr {
    Mrr::Known { mrr: money(code, amount), since: at(since) }
}

fn create(
    history: &SubscriptionHistory,
    subscription: &str,
    time: &str,
    mrr: Money,
) -> Result<(), SubscriptionRefusal> {
    history.admit_creation(&id(subscription), at(time), mrr, at(NOW))
}

fn update(
    history: &SubscriptionHistory,
    subscription: &str,
    time: &str,
    mrr: Money,
) -> Result<SubscriptionUpdate, SubscriptionRefusal> {
    history.admit_update(&id(subscription), Some(at(time)), mrr, at(NOW))
}

#[test]
fn a_subscription_id_needs_no_escape_in_a_resource_name() {
    let longest = "x".repeat(64);
    for right in ["a", "sub-1.2_3~4", longest.as_str()] {
        assert_eq!(id(right).as_str(), right);
        assert_eq!(id(right).to_string(), right);
    }
    let too_long = "x".repeat(65);
    for wrong in ["", "a b", "a/b", "é", "a%", too_long.as_str()] {
        assert_eq!(wrong.parse::<SubscriptionId>(), Err(SubscriptionIdError), "{wrong}");
    }
}

#[test]
fn r127_before_anything_is_recorded_the_mrr_is_unknown_and_not_zero() {
    let history = history(&[("a", "2025-06-15T00:00:00Z", "USD", "1000")]);
    assert_eq!(SubscriptionHistory::default().mrr_at(at(NOW)), Mrr::Unknown);
    assert_eq!(history.mrr_at(at("2025-06-14T23:59:59.999999Z")), Mrr::Unknown);
    assert_eq!(history.mrr_at(at("2025-06-15T00:00:00Z")), known("USD", "1000", "2025-06-15T00:00:00Z"));
}

#[test]
fn example_13_an_mrr_changes_from_its_effective_instant_on_without_pro_rata() {
    let history =
        history(&[("a", "2025-01-01T00:00:00Z", "USD", "1000"), ("a", "2025-06-15T00:00:00Z", "USD", "1500")]);
    assert_eq!(history.mrr_at(at("2025-06-14T12:00:00Z")), known("USD", "1000", "2025-01-01T00:00:00Z"));
    assert_eq!(history.mrr_at(at("2025-06-14T23:59:59.999999Z")), known("USD", "1000", "2025-01-01T00:00:00Z"));
    assert_eq!(history.mrr_at(at("2025-06-15T00:00:00Z")), known("USD", "1500", "2025-06-15T00:00:00Z"));
}

#[test]
fn r79_the_mrr_is_the_sum_of_the_subscriptions_in_force() {
    let history = history(&[
        ("a", "2025-01-01T00:00:00Z", "USD", "1000"),
        ("b", "2025-02-01T00:00:00Z", "USD", "0.50"),
        ("a", "2025-03-01T00:00:00Z", "USD", "0"),
    ]);
    assert_eq!(history.mrr_at(at("2025-02-10T00:00:00Z")), known("USD", "1000.50", "2025-02-01T00:00:00Z"));
    assert_eq!(history.mrr_at(at("2025-03-10T00:00:00Z")), known("USD", "0.50", "2025-03-01T00:00:00Z"));
}

#[test]
fn r77_a_client_whose_subscriptions_have_all_ended_pays_a_known_zero() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80"), ("a", "2025-03-01T00:00:00Z", "EUR", "0")]);
    assert_eq!(history.mrr_at(at(NOW)), known("EUR", "0", "2025-03-01T00:00:00Z"));
}

#[test]
fn of_one_effective_time_the_change_recorded_last_counts() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80"), ("a", "2025-01-01T00:00:00Z", "EUR", "90")]);
    assert_eq!(history.mrr_at(at(NOW)), known("EUR", "90", "2025-01-01T00:00:00Z"));
}

#[test]
fn of_each_subscription_that_has_begun_the_latest_change_is_in_force() {
    let history = history(&[
        ("a", "2025-01-01T00:00:00Z", "EUR", "80"),
        ("a", "2025-03-01T00:00:00Z", "EUR", "0"),
        ("b", "2025-03-01T00:00:00Z", "EUR", "30"),
    ]);
    let in_force = |time: &str| -> Vec<(String, String)> {
        let in_force = history.in_force_at(at(time)).into_iter();
        in_force.map(|(subscription, change)| (subscription.to_string(), change.mrr.to_string())).collect()
    };
    let line = |subscription: &str, mrr: &str| (subscription.to_owned(), mrr.to_owned());
    assert_eq!(in_force("2024-12-31T23:59:59.999999Z"), []);
    assert_eq!(in_force("2025-01-01T00:00:00Z"), [line("a", "80.00 EUR")]);
    assert_eq!(in_force("2025-02-28T23:59:59.999999Z"), [line("a", "80.00 EUR")]);
    assert_eq!(in_force("2025-03-01T00:00:00Z"), [line("a", "0.00 EUR"), line("b", "30.00 EUR")]);
}

#[test]
fn the_version_of_a_subscription_is_what_was_recorded_last_whenever_it_is_effective() {
    let mut history = history(&[("a", "2025-02-01T00:00:00Z", "EUR", "80"), ("b", "2025-01-01T00:00:00Z", "EUR", "1")]);
    let change = |position, time| SubscriptionChange {
        subscription: id("a"),
        position,
        effective_time: at(time),
        mrr: money("EUR", "70"),
    };
    history.record(change(7, "2025-04-01T00:00:00Z"));
    history.record(change(8, "2025-03-01T00:00:00Z"));
    assert_eq!(history.last_position(&id("a")), Some(8));
    assert_eq!(history.last_position(&id("b")), Some(2));
    assert_eq!(history.last_position(&id("c")), None);
}

#[test]
fn an_mrr_is_known_since_the_sum_became_what_it_is() {
    let history = history(&[
        ("a", "2025-01-01T00:00:00Z", "EUR", "80"),
        ("b", "2025-02-01T00:00:00Z", "EUR", "20"),
        ("a", "2025-03-01T00:00:00Z", "EUR", "70"),
        ("b", "2025-03-01T00:00:00Z", "EUR", "30"),
    ]);
    assert_eq!(history.mrr_at(at(NOW)), known("EUR", "100", "2025-02-01T00:00:00Z"));
}

#[test]
fn r22_a_change_takes_effect_now_or_earlier() {
    let none = SubscriptionHistory::default();
    let refusal =
        SubscriptionRefusal::EffectiveTimeInFuture { effective_time: at("2026-01-01T00:00:00.000001Z"), now: at(NOW) };
    assert_eq!(create(&none, "a", "2026-01-01T00:00:00.000001Z", money("EUR", "1")), Err(refusal.clone()));
    assert_eq!(create(&none, "a", NOW, money("EUR", "1")), Ok(()));
    let one = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80")]);
    assert_eq!(update(&one, "a", "2026-01-01T00:00:00.000001Z", money("EUR", "1")), Err(refusal.clone()));
    assert_eq!(
        refusal.to_string(),
        "the effective time 2026-01-01T00:00:00.000001Z is after now, 2026-01-01T00:00:00Z; a subscription changes now \
         or earlier"
    );
}

#[test]
fn a_creation_of_what_exists_names_the_fields_that_differ() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80"), ("a", "2025-02-01T00:00:00Z", "EUR", "90")]);
    for (time, amount, expected) in [
        ("2025-01-01T00:00:00Z", "80", vec![]),
        ("2025-01-01T00:00:00Z", "90", vec!["mrr"]),
        ("2025-02-01T00:00:00Z", "80", vec!["effective_time"]),
        ("2027-02-01T00:00:00Z", "90", vec!["mrr", "effective_time"]),
    ] {
        let existing = history.changes()[0].clone();
        let refusal = SubscriptionRefusal::AlreadyExists { existing, differing_fields: expected };
        assert_eq!(create(&history, "a", time, money("EUR", amount)), Err(refusal));
    }
}

#[test]
fn an_update_needs_a_subscription_that_has_begun_by_then() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80")]);
    let unknown = SubscriptionRefusal::UnknownSubscription { subscription: id("b") };
    assert_eq!(update(&history, "b", NOW, money("EUR", "1")), Err(unknown));
    let not_begun = SubscriptionRefusal::NotYetBegun { subscription: id("a"), begin_time: at("2025-01-01T00:00:00Z") };
    assert_eq!(update(&history, "a", "2024-12-31T23:59:59.999999Z", money("EUR", "1")), Err(not_begun));
    let begun = update(&history, "a", "2025-01-01T00:00:00Z", money("EUR", "1"));
    assert_eq!(begun, Ok(SubscriptionUpdate::Records));
}

#[test]
fn an_update_that_says_again_what_was_recorded_for_its_instant_is_a_repeat() {
    let (first, second) = ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z");
    let history = history(&[("a", first, "EUR", "80"), ("a", second, "EUR", "90")]);
    let repeats = Ok(SubscriptionUpdate::Repeats { since: at(second) });
    assert_eq!(update(&history, "a", second, money("EUR", "90")), repeats);
    assert_eq!(update(&history, "a", second, money("EUR", "80")), Ok(SubscriptionUpdate::Records));
    // Without an instant of its own it speaks of now.
    let from_now_on = |amount| history.admit_update(&id("a"), None, money("EUR", amount), at(NOW));
    assert_eq!(from_now_on("90"), repeats);
    assert_eq!(from_now_on("80"), Ok(SubscriptionUpdate::Records));
}

#[test]
fn an_update_that_changes_nothing_yet_is_recorded_because_an_earlier_one_may_still_arrive() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "EUR", "80"), ("a", "2025-02-01T00:00:00Z", "EUR", "90")]);
    let records = Ok(SubscriptionUpdate::Records);
    assert_eq!(update(&history, "a", "2025-01-31T00:00:00Z", money("EUR", "80")), records);
    assert_eq!(update(&history, "a", "2025-01-31T00:00:00Z", money("EUR", "90")), records);
}

#[test]
fn r79_a_client_pays_in_one_currency_at_any_instant() {
    let history = history(&[
        ("a", "2025-01-01T00:00:00Z", "USD", "1000"),
        ("a", "2025-06-01T00:00:00Z", "USD", "0"),
        ("b", "2025-06-01T00:00:00Z", "EUR", "900"),
    ]);
    let refusal = |code: &str, other: &str, time: &str| SubscriptionRefusal::OtherCurrency {
        currency: money(code, "1").currency,
        other: money(other, "1").currency,
        time: at(time),
    };
    // It fits the instant, but meets what was recorded for later.
    assert_eq!(
        create(&history, "c", "2025-03-01T00:00:00Z", money("USD", "1")),
        Err(refusal("USD", "EUR", "2025-06-01T00:00:00Z"))
    );
    assert_eq!(
        create(&history, "c", "2025-03-01T00:00:00Z", money("EUR", "1")),
        Err(refusal("EUR", "USD", "2025-03-01T00:00:00Z"))
    );
    assert_eq!(create(&history, "c", "2025-06-01T00:00:00Z", money("EUR", "1")), Ok(()));
    assert_eq!(
        update(&history, "a", "2025-07-01T00:00:00Z", money("USD", "1")),
        Err(refusal("USD", "EUR", "2025-07-01T00:00:00Z"))
    );
    // Nothing is paid in it: a subscription at zero has no say.
    assert_eq!(create(&history, "c", "2025-03-01T00:00:00Z", money("EUR", "0")), Ok(()));
    // The only subscription that is paid for may change its currency.
    assert_eq!(update(&history, "b", "2025-07-01T00:00:00Z", money("GBP", "800")), Ok(SubscriptionUpdate::Records));
    assert_eq!(history.mrr_at(at(NOW)), known("EUR", "900", "2025-06-01T00:00:00Z"));
}

#[test]
fn the_subscriptions_of_a_client_add_up_to_the_largest_amount_at_most() {
    let history = history(&[("a", "2025-01-01T00:00:00Z", "USD", "9999999999999.99")]);
    let time = at("2025-02-01T00:00:00Z");
    assert_eq!(create(&history, "b", "2025-02-01T00:00:00Z", money("USD", "0.01")), Ok(()));
    assert_eq!(
        create(&history, "b", "2025-02-01T00:00:00Z", money("USD", "0.02")),
        Err(SubscriptionRefusal::SumTooLarge { time })
    );
}

#[test]
fn an_update_is_judged_as_the_last_change_of_its_instant() {
    let time = "2025-01-01T00:00:00Z";
    let history = history(&[("a", time, "USD", "10000000000000"), ("b", time, "USD", "0")]);
    assert_eq!(
        update(&history, "b", time, money("USD", "0.01")),
        Err(SubscriptionRefusal::SumTooLarge { time: at(time) })
    );
}

#[test]
fn a_client_has_a_thousand_subscriptions_at_most() {
    let change = |number: u64| SubscriptionChange {
        subscription: id(&format!("s{number}")),
        position: number,
        effective_time: at("2025-01-01T00:00:00Z"),
        mrr: money("USD", "1"),
    };
    let full = SubscriptionHistory::from_changes((1..=1_000).map(change));
    assert_eq!(create(&full, "more", NOW, money("USD", "1")), Err(SubscriptionRefusal::TooManySubscriptions));
    let almost = SubscriptionHistory::from_changes((1..=999).map(change));
    assert_eq!(create(&almost, "more", NOW, money("USD", "1")), Ok(()));
}

/// Up to 12 changes of three subscriptions on ten days, in one currency.
fn changes() -> impl Strategy<Value = Vec<SubscriptionChange>> {
    let change = (prop::sample::select(vec!["a", "b", "c"]), 0_i64..10, 0_i64..4);
    prop::collection::vec(change, 0..12).prop_map(|changes| {
        (1..)
            .zip(changes)
            .map(|(position, (subscription, day, dollars))| SubscriptionChange {
                subscription: id(subscription),
                position,
                effective_time: day_time(day),
                mrr: money("USD", &dollars.to_string()),
            })
            .collect()
    })
}

fn day_time(day: i64) -> Instant {
    at("2025-01-01T00:00:00Z") + chrono::TimeDelta::days(day)
}

/// For each subscription its latest change by then, searched anew for every day.
fn slow_sum(changes: &[SubscriptionChange], day: i64) -> Option<i64> {
    let latest = ["a", "b", "c"].iter().filter_map(|subscription| {
        changes
            .iter()
            .filter(|change| change.subscription == id(subscription) && change.effective_time <= day_time(day))
            .max_by_key(|change| (change.effective_time, change.position))
    });
    latest.map(|change| change.mrr.minor_units).reduce(|sum, minor_units| sum + minor_units)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_mrr_equals_the_slow_reference_on_every_day_whatever_the_order_of_arrival(
        (changes, shuffled) in changes().prop_flat_map(|changes| {
            (Just(changes.clone()), Just(changes).prop_shuffle())
        }),
    ) {
        let history = SubscriptionHistory::from_changes(changes.clone());
        let mut recorded = SubscriptionHistory::default();
        shuffled.into_iter().for_each(|change| recorded.record(change));
        prop_assert_eq!(&history, &recorded);
        for day in -1..11 {
            let (sum, since) = match history.mrr_at(day_time(day)) {
                Mrr::Unknown => (None, None),
                Mrr::Known { mrr, since } => (Some(mrr.minor_units), Some(since)),
            };
            prop_assert_eq!(sum, slow_sum(&changes, day));
            let first_day = (0..=day).rev().take_while(|earlier| slow_sum(&changes, *earlier) == sum).last();
            prop_assert_eq!(since, first_day.filter(|_| sum.is_some()).map(day_time));
        }
    }
}
