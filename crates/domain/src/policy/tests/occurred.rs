//! When an activity must have occurred so that it lives within a stretch of time.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::access::testing::tick;
use crate::testing::cases;

fn stretch(start: &str, end: &str) -> Period {
    Period::between(at(start), at(end))
}

/// Sixty days, then forty-five, then ninety.
static THREE_WINDOWS: LazyLock<Policy> = LazyLock::new(|| {
    let windows = "days = 60 },
        { from = 2025-02-01, days = 45 },
        { from = 2025-03-01, days = 90 },";
    policy_with("days = 60 },", windows)
});

#[test]
fn r56_what_occurred_one_window_before_lives_no_more_and_what_occurs_at_the_end_not_yet() {
    let january = stretch("2025-01-10T12:00:00Z", "2025-01-20T00:00:00Z");
    let occurred = stretch("2024-11-11T12:00:00.000001Z", "2025-01-20T00:00:00Z");
    assert_eq!(policy().occurred_for(january), [occurred]);
}

#[test]
fn r63_each_window_gives_the_occur_times_at_which_it_is_in_force() {
    let march = stretch("2025-03-05T00:00:00Z", "2025-03-06T00:00:00Z");
    let expected = [
        stretch("2025-01-04T00:00:00.000001Z", "2025-02-01T00:00:00Z"),
        stretch("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"),
        stretch("2025-03-01T00:00:00Z", "2025-03-06T00:00:00Z"),
    ];
    assert_eq!(THREE_WINDOWS.occurred_for(march), expected);
    // Those of the shorter window have expired before some of the longer one before it.
    let end_of_march = stretch("2025-03-31T00:00:00Z", "2025-04-01T00:00:00Z");
    let expected = [
        stretch("2025-01-30T00:00:00.000001Z", "2025-02-01T00:00:00Z"),
        stretch("2025-02-14T00:00:00.000001Z", "2025-03-01T00:00:00Z"),
        stretch("2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"),
    ];
    assert_eq!(THREE_WINDOWS.occurred_for(end_of_march), expected);
}

#[test]
fn a_region_without_an_end_asks_for_all_that_occurs_later() {
    let occurred = Period::between(at("2025-01-02T00:00:00.000001Z"), LAST_STORABLE);
    assert_eq!(policy().occurred_for(Period::since(at("2025-03-03T00:00:00Z"))), [occurred]);
    let everything = Period::since(FIRST_STORABLE);
    assert_eq!(policy().occurred_for(everything), [Period::between(FIRST_STORABLE, LAST_STORABLE)]);
    assert_eq!(policy().occurred_for(Period::since(Instant::MIN_UTC)), policy().occurred_for(everything));
}

#[test]
fn at_the_end_of_the_year_9999_nothing_lives_any_more() {
    assert_eq!(policy().occurred_for(Period::since(LAST_STORABLE)), []);
    let last_lives = Period::since(LAST_STORABLE - TimeDelta::microseconds(1));
    let occurred = stretch("9999-11-01T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
    assert_eq!(policy().occurred_for(last_lives), [occurred]);
    assert_eq!(policy().occurred_for(stretch("2025-01-10T12:00:00Z", "2025-01-10T12:00:00Z")), []);
}

/// Instants around the changes of the windows: whole days, and a microsecond beside them.
fn instants() -> impl Strategy<Value = Instant> {
    let days = -80..=140_i64;
    (days, prop::sample::select(vec![-1, 0, 0, 0, 1]))
        .prop_map(|(days, microseconds)| tick(0) + TimeDelta::days(days) + TimeDelta::microseconds(microseconds))
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn an_activity_lives_within_a_region_if_and_only_if_it_occurred_in_one_of_the_stretches(
        (start, end, occur_time) in (instants(), prop::option::of(instants()), instants()),
    ) {
        let policy = &*THREE_WINDOWS;
        let region = Period { start, end };
        let occurred = policy.occurred_for(region);
        let life = Period::between(occur_time, policy.expire_time(occur_time));
        let is_asked = occurred.iter().any(|stretch| stretch.contains(occur_time));
        prop_assert_eq!(is_asked, region.overlap(life).is_some());
        prop_assert!(occurred.iter().all(|stretch| stretch.end.is_some_and(|end| stretch.start < end)));
        prop_assert!(occurred.windows(2).all(|pair| pair[0].end.is_some_and(|end| end <= pair[1].start)));
    }
}
