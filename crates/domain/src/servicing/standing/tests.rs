//! How a relationship stands at an instant.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::access::EndingCause;
use crate::servicing::testing::*;
use crate::testing::cases;

fn state_at(activities: &[CountedActivity], endings: &[Ending], as_of: &str) -> ServicingState {
    standing(activities, endings, 1, at(as_of), 30).state
}

#[test]
fn a_relationship_is_none_then_active_then_expiring_then_ended() {
    let activities = [counted("2025-01-10T12:00:00Z")];
    let expected = [
        ("2025-01-10T11:59:59.999999Z", ServicingState::None),
        ("2025-01-10T12:00:00Z", ServicingState::Active),
        ("2025-02-09T11:59:59.999999Z", ServicingState::Active),
        ("2025-02-09T12:00:00Z", ServicingState::Expiring),
        ("2025-03-11T11:59:59.999999Z", ServicingState::Expiring),
        ("2025-03-11T12:00:00Z", ServicingState::Ended(PeriodEndCause::Lapsed)),
        ("2035-01-01T00:00:00Z", ServicingState::Ended(PeriodEndCause::Lapsed)),
    ];
    for (as_of, state) in expected {
        assert_eq!(state_at(&activities, &[], as_of), state, "{as_of}");
    }
}

#[test]
fn r63_as_of_a_past_instant_later_activities_do_not_speak() {
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-02-09T12:00:00Z")];
    let as_of_january = standing(&activities, &[], 1, at("2025-01-20T00:00:00Z"), 30);
    assert_eq!(as_of_january.expire_time, Some(at("2025-03-11T12:00:00Z")));
    assert_eq!(as_of_january.last_activity_time, Some(at("2025-01-10T12:00:00Z")));
    let as_of_february = standing(&activities, &[], 1, at("2025-02-09T12:00:00Z"), 30);
    assert_eq!(
        as_of_february,
        Standing {
            state: ServicingState::Active,
            serviced_since: Some(at("2025-01-10T12:00:00Z")),
            expire_time: Some(at("2025-04-10T12:00:00Z")),
            last_activity_time: Some(at("2025-02-09T12:00:00Z")),
            live_activities: 2,
        }
    );
}

#[test]
fn r71_an_ending_ahead_of_the_instant_does_not_speak_either() {
    let activities = [counted("2025-01-10T12:00:00Z")];
    let endings = [ended("2025-01-20T00:00:00Z")];
    let before = standing(&activities, &endings, 1, at("2025-01-19T23:59:59.999999Z"), 30);
    assert_eq!((before.state, before.live_activities), (ServicingState::Active, 1));
    assert_eq!(before.expire_time, Some(at("2025-03-11T12:00:00Z")));
    let at_once = standing(&activities, &endings, 1, at("2025-01-20T00:00:00Z"), 30);
    let cause = PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved);
    assert_eq!((at_once.state, at_once.live_activities), (ServicingState::Ended(cause), 0));
    assert_eq!(at_once.serviced_since, Some(at("2025-01-10T12:00:00Z")));
    assert_eq!(at_once.expire_time, Some(at("2025-01-20T00:00:00Z")));
    assert_eq!(at_once.last_activity_time, Some(at("2025-01-10T12:00:00Z")));
}

#[test]
fn r57_with_a_minimum_there_may_be_live_activities_and_no_period() {
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-01-11T12:00:00Z")];
    let standing = standing(&activities, &[], 3, at("2025-01-12T00:00:00Z"), 30);
    assert_eq!((standing.state, standing.live_activities), (ServicingState::None, 2));
    assert_eq!((standing.serviced_since, standing.expire_time), (None, None));
    assert_eq!(standing.last_activity_time, Some(at("2025-01-11T12:00:00Z")));
}

#[test]
fn an_activity_at_the_instant_of_an_ending_lives() {
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-01-20T00:00:00Z")];
    let endings = [ended("2025-01-20T00:00:00Z")];
    let standing = standing(&activities, &endings, 1, at("2025-01-20T00:00:00Z"), 30);
    assert_eq!((standing.state, standing.live_activities), (ServicingState::Active, 1));
    assert_eq!(standing.serviced_since, Some(at("2025-01-20T00:00:00Z")));
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn r63_the_standing_as_of_an_instant_does_not_depend_on_what_occurs_after_it(
        (activities, endings) in histories(),
        (minimum, number) in (1..=4_u32, -1..=END_TICK),
    ) {
        let as_of = tick(number);
        let occurred: Vec<_> = activities.iter().filter(|activity| activity.occur_time <= as_of).copied().collect();
        let ended: Vec<_> = endings.iter().filter(|ending| ending.time <= as_of).copied().collect();
        let found = standing(&activities, &endings, minimum, as_of, 30);
        prop_assert_eq!(found, standing(&occurred, &ended, minimum, as_of, 30));
    }

    #[test]
    fn the_standing_agrees_with_counting_what_lives(
        (activities, endings) in histories(),
        (minimum, number) in (1..=4_u32, -1..=END_TICK),
    ) {
        let as_of = tick(number);
        let found = standing(&activities, &endings, minimum, as_of, 0);
        let live = slow_live(&activities, &endings, as_of);
        prop_assert_eq!(found.live_activities as usize, live);
        prop_assert_eq!(found.state == ServicingState::Active, live >= minimum as usize);
        prop_assert_eq!(found.last_activity_time, activities.iter().map(|each| each.occur_time).filter(|time| *time <= as_of).max());
        // As if nothing else happened: the period goes on for as long as enough of what has occurred lives.
        let occurred: Vec<_> = activities.iter().filter(|activity| activity.occur_time <= as_of).copied().collect();
        let ended: Vec<_> = endings.iter().filter(|ending| ending.time <= as_of).copied().collect();
        let last = slow_periods(&occurred, &ended, minimum).pop();
        prop_assert_eq!(found.serviced_since, last.map(|period| period.start));
        prop_assert_eq!(found.expire_time, last.map(|period| period.end));
        if let ServicingState::Ended(cause) = found.state {
            prop_assert_eq!(Some(cause), last.map(|period| period.end_cause));
        }
    }

    #[test]
    fn expiring_is_active_within_the_warning_days(days in 0..100_i64, microsecond in -1..=1_i64) {
        let activities = [counted("2025-01-10T12:00:00Z")];
        let as_of = at("2025-01-10T12:00:00Z") + TimeDelta::days(days) + TimeDelta::microseconds(microsecond);
        let found = standing(&activities, &[], 1, as_of, 14).state;
        let left = at("2025-03-11T12:00:00Z") - as_of;
        let is_expiring = left > TimeDelta::zero() && left <= TimeDelta::days(14);
        prop_assert_eq!(found == ServicingState::Expiring, is_expiring);
    }
}
