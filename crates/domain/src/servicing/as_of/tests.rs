//! What the periods say as of an instant, and what the activities and endings say.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::access::{Ending, EndingCause};
use crate::servicing::testing::*;
use crate::servicing::{CountedActivity, periods, standing};
use crate::testing::cases;

use PeriodEndCause::Lapsed;

const REMOVED: PeriodEndCause = PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved);

#[test]
fn example_02_as_of_20_january_the_second_activity_does_not_speak() {
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-02-09T12:00:00Z")];
    let all = periods(&activities, &[], 1);
    let as_of = at("2025-01-20T00:00:00Z");
    let lives = lives_at(&activities, &all, 1, as_of);
    assert_eq!(lives.lapse_time, Some(at("2025-03-11T12:00:00Z")));
    let known = periods_as_of(&all, lives.lapse_time, as_of);
    assert_eq!(known, [period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed)]);
    assert_eq!(standing_from_periods(&all, lives, as_of, 30), standing(&activities, &[], 1, as_of, 30));
}

#[test]
fn a_period_that_is_over_ended_where_and_why_it_says() {
    let ended = period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", REMOVED);
    let anew = period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed);
    let lapse_time = Some(at("2025-03-11T12:00:00Z"));
    let just_before = at("2025-01-31T23:59:59.999999Z");
    let forecast = period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed);
    assert_eq!(periods_as_of(&[ended], lapse_time, just_before), [forecast]);
    assert_eq!(periods_as_of(&[ended], lapse_time, at("2025-02-01T00:00:00Z")), [ended]);
    assert_eq!(periods_as_of(&[ended], None, at("2025-02-01T00:00:00.000001Z")), [ended]);
    assert_eq!(periods_as_of(&[ended, anew], Some(anew.end), anew.start), [ended, anew]);
    assert_eq!(periods_as_of(&[ended, anew], lapse_time, at("2025-01-10T11:59:59.999999Z")), []);
}

#[test]
fn what_lives_occurred_since_the_period_began_and_where_there_is_none_nothing_lives() {
    let ended = period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", REMOVED);
    let anew = period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed);
    let expected = [
        ("2025-01-10T11:59:59.999999Z", None),
        ("2025-01-10T12:00:00Z", Some(ended.start)),
        ("2025-01-31T23:59:59.999999Z", Some(ended.start)),
        ("2025-02-01T00:00:00Z", Some(anew.start)),
        ("2025-04-01T23:59:59.999999Z", Some(anew.start)),
        ("2025-04-02T00:00:00Z", None),
    ];
    for (time, since) in expected {
        assert_eq!(living_since(&[ended, anew], at(time)), since, "{time}");
    }
}

/// An instant at, just before or between the happenings of a random history.
fn instants() -> impl Strategy<Value = Instant> {
    let fine = prop::sample::select(vec![-1, 0, 0, 1, 500_000]);
    (-1..=END_TICK, fine).prop_map(|(number, fine)| tick(number) + TimeDelta::microseconds(fine))
}

fn known_by(
    (activities, endings): &(Vec<CountedActivity>, Vec<Ending>),
    as_of: Instant,
    minimum: u32,
) -> Vec<ServicingPeriod> {
    let occurred: Vec<_> = activities.iter().filter(|activity| activity.occur_time <= as_of).copied().collect();
    let ended: Vec<_> = endings.iter().filter(|ending| ending.time <= as_of).copied().collect();
    periods(&occurred, &ended, minimum)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn r63_the_standing_from_periods_is_the_standing_from_all_activities_and_endings(
        history in histories(),
        (minimum, as_of, warning_days) in (1..=4_u32, instants(), prop::sample::select(vec![0, 30])),
    ) {
        let (activities, endings) = &history;
        let lives = lives_at(activities, &periods(activities, endings, 1), minimum, as_of);
        let found = standing_from_periods(&periods(activities, endings, minimum), lives, as_of, warning_days);
        prop_assert_eq!(found, standing(activities, endings, minimum, as_of, warning_days));
    }

    #[test]
    fn r63_the_periods_as_of_an_instant_are_those_of_what_had_occurred_by_then(
        history in histories(),
        (minimum, as_of) in (1..=4_u32, instants()),
    ) {
        let (activities, endings) = &history;
        let lives = lives_at(activities, &periods(activities, endings, 1), minimum, as_of);
        let found = periods_as_of(&periods(activities, endings, minimum), lives.lapse_time, as_of);
        prop_assert_eq!(found, known_by(&history, as_of, minimum));
    }

    #[test]
    fn what_lives_is_found_without_the_endings((activities, endings) in histories(), as_of in instants()) {
        let lives = lives_at(&activities, &periods(&activities, &endings, 1), 1, as_of);
        prop_assert_eq!(lives.live_activities as usize, slow_live(&activities, &endings, as_of));
    }
}
