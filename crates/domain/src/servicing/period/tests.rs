//! From when until when a partner services a client.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::access::testing::{
    ANNA, BRUNO, CLIENT, PARTNER, POLICY, employee_added, history_with, hub, user_added, user_deactivated, user_removed,
};
use crate::servicing::Alteration;
use crate::servicing::testing::*;
use crate::testing::cases;

use PeriodEndCause::Lapsed;

const REMOVED: PeriodEndCause = PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved);

fn earns_at(periods: &[ServicingPeriod], time: Instant) -> bool {
    periods.iter().any(|period| period.start <= time && time < period.end)
}

#[test]
fn nothing_counted_is_no_period() {
    assert_eq!(periods(&[], &[ended("2025-01-10T12:00:00Z")], 1), []);
}

#[test]
fn example_01_credit_lasts_until_the_instant_of_expiry_and_not_at_it() {
    let periods = periods(&[counted("2025-01-10T12:00:00Z")], &[], 1);
    assert_eq!(periods, [period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed)]);
    let expected = [
        ("2025-01-10T11:59:59.999999Z", false),
        ("2025-01-10T12:00:00Z", true),
        ("2025-03-11T11:59:59Z", true),
        ("2025-03-11T11:59:59.999999Z", true),
        ("2025-03-11T12:00:00Z", false),
    ];
    for (time, earns) in expected {
        assert_eq!(earns_at(&periods, at(time)), earns, "{time}");
    }
}

#[test]
fn example_02_the_activities_of_all_employees_make_one_period_without_a_gap() {
    let activities = [counted("2025-02-09T12:00:00Z"), counted("2025-01-10T12:00:00Z")];
    let expected = [period("2025-01-10T12:00:00Z", "2025-04-10T12:00:00Z", Lapsed)];
    assert_eq!(periods(&activities, &[], 1), expected);
}

#[test]
fn example_03_after_a_lapse_the_next_activity_starts_a_new_period() {
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-03-20T08:00:00Z")];
    let expected = [
        period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed),
        period("2025-03-20T08:00:00Z", "2025-05-19T08:00:00Z", Lapsed),
    ];
    assert_eq!(periods(&activities, &[], 1), expected);
}

#[test]
fn r56_an_activity_at_the_instant_of_expiry_leaves_no_gap_and_one_microsecond_later_does() {
    let next_at = |time| periods(&[counted("2025-01-10T12:00:00Z"), counted(time)], &[], 1).len();
    assert_eq!(next_at("2025-03-11T12:00:00Z"), 1);
    assert_eq!(next_at("2025-03-11T12:00:00.000001Z"), 2);
}

#[test]
fn example_09_forty_activities_of_one_partner_make_the_same_period_as_its_first_and_last() {
    let many: Vec<_> = (0..40).map(|number| counted(&format!("2025-01-10T12:{number:02}:00Z"))).collect();
    let few = [counted("2025-01-10T12:00:00Z"), counted("2025-01-10T12:39:00Z")];
    assert_eq!(periods(&many, &[], 1), periods(&few, &[], 1));
    assert_eq!(periods(&many, &[], 1), [period("2025-01-10T12:00:00Z", "2025-03-11T12:39:00Z", Lapsed)]);
}

#[test]
fn example_10_one_partner_lapses_at_its_instant_whatever_the_other_does() {
    let first = periods(&[counted("2025-01-10T12:00:00Z")], &[], 1);
    let other = periods(&[counted("2025-02-01T00:00:00Z")], &[], 1);
    let earning = |time| (earns_at(&first, at(time)), earns_at(&other, at(time)));
    assert_eq!(earning("2025-03-11T11:59:59.999999Z"), (true, true));
    assert_eq!(earning("2025-03-11T12:00:00Z"), (false, true));
}

#[test]
fn example_14_removing_one_of_two_ends_nothing_and_removing_both_ends_it_at_once() {
    let activities = [counted("2025-06-01T09:00:00Z"), counted("2025-06-15T10:00:00Z")];
    let there = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 2, BRUNO)),
    ];
    let [e1, e2, u1, u2] = there;
    let second_removed = ("2025-07-20T08:00:00Z", user_removed(CLIENT, 2, BRUNO));
    let one_stays = history_with([e1.clone(), e2.clone(), u1.clone(), u2.clone(), second_removed.clone()]);
    let endings = one_stays.endings(hub(CLIENT), hub(PARTNER), &POLICY);
    let lapsed = period("2025-06-01T09:00:00Z", "2025-08-14T10:00:00Z", Lapsed);
    assert_eq!(periods(&activities, &endings, 1), [lapsed]);

    let first_removed = ("2025-07-20T08:00:00Z", user_removed(CLIENT, 1, ANNA));
    let again = ("2025-07-21T00:00:00Z", user_added(CLIENT, 3, ANNA));
    let both_removed = history_with([e1, e2, u1, u2, second_removed, first_removed, again]);
    let endings = both_removed.endings(hub(CLIENT), hub(PARTNER), &POLICY);
    let removed = period("2025-06-01T09:00:00Z", "2025-07-20T08:00:00Z", REMOVED);
    assert_eq!(periods(&activities, &endings, 1), [removed]);

    let and_edits_a_form = [activities[0], activities[1], counted("2025-07-22T10:00:00Z")];
    let anew = period("2025-07-22T10:00:00Z", "2025-09-20T10:00:00Z", Lapsed);
    assert_eq!(periods(&and_edits_a_form, &endings, 1), [removed, anew]);
}

#[test]
fn example_15_deactivating_the_only_employee_lets_it_lapse() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-06-20T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
    ]);
    let endings = known.endings(hub(CLIENT), hub(PARTNER), &POLICY);
    let expected = [period("2025-06-01T09:00:00Z", "2025-07-31T09:00:00Z", Lapsed)];
    assert_eq!(periods(&[counted("2025-06-01T09:00:00Z")], &endings, 1), expected);
}

#[test]
fn example_16_the_third_activity_brings_credit_and_the_expiry_of_the_oldest_takes_it() {
    let activities =
        [counted("2025-01-01T00:00:00Z"), counted("2025-01-10T00:00:00Z"), counted("2025-01-20T00:00:00Z")];
    assert_eq!(periods(&activities[..2], &[], 3), []);
    let expected = [period("2025-01-20T00:00:00Z", "2025-03-02T00:00:00Z", Lapsed)];
    assert_eq!(periods(&activities, &[], 3), expected);
}

#[test]
fn r73_an_activity_at_the_very_instant_of_an_ending_starts_a_new_period() {
    let around = |second| {
        let activities = [counted("2025-01-10T12:00:00Z"), counted(second)];
        periods(&activities, &[ended("2025-02-01T00:00:00Z")], 1)
    };
    let removed = period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", REMOVED);
    assert_eq!(around("2025-01-31T23:59:59.999999Z"), [removed]);
    let anew = period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed);
    assert_eq!(around("2025-02-01T00:00:00Z"), [removed, anew]);
}

#[test]
fn r73_from_an_ending_on_a_period_does_not_go_on_by_an_activity_of_that_instant() {
    let existing = periods(&[counted("2025-01-10T12:00:00Z")], &[], 1);
    let from = at("2025-02-01T00:00:00Z");
    let after = [counted("2025-01-10T12:00:00Z"), counted("2025-02-01T00:00:00Z")];
    let expected = [
        period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", REMOVED),
        period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed),
    ];
    assert_eq!(
        periods_within(&existing, &[Period::since(from)], &after, &[ended("2025-02-01T00:00:00Z")], 1),
        expected
    );
    let without_ending = [period("2025-01-10T12:00:00Z", "2025-04-02T00:00:00Z", Lapsed)];
    assert_eq!(periods_within(&existing, &[Period::since(from)], &after, &[], 1), without_ending);
}

/// Each region from the first instant until the second.
fn regions<const N: usize>(stretches: [(&str, &str); N]) -> Vec<Period> {
    stretches.iter().map(|(start, end)| Period::between(at(start), at(end))).collect()
}

#[test]
fn without_a_region_the_periods_are_the_existing_ones() {
    let existing = [period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed)];
    assert_eq!(periods_within(&existing, &[], &[], &[], 1), existing);
}

#[test]
fn only_within_the_regions_the_activities_are_believed() {
    let existing = [period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed)];
    // It goes on until 10 April, but only the first days of that are asked about.
    let activities = [counted("2025-02-09T12:00:00Z")];
    let asked = regions([("2025-03-11T12:00:00Z", "2025-03-20T00:00:00Z")]);
    let longer = [period("2025-01-10T12:00:00Z", "2025-03-20T00:00:00Z", Lapsed)];
    assert_eq!(periods_within(&existing, &asked, &activities, &[], 1), longer);
    // Nothing is known of January here, and nothing is asked.
    let asked = regions([("2025-03-01T00:00:00Z", "2025-03-11T12:00:00Z")]);
    assert_eq!(periods_within(&existing, &asked, &activities, &[], 1), existing);
    let shorter = [period("2025-01-10T12:00:00Z", "2025-03-01T00:00:00Z", Lapsed)];
    assert_eq!(periods_within(&existing, &asked, &[], &[], 1), shorter);
}

#[test]
fn a_region_inside_a_period_can_part_it() {
    let existing = [period("2025-01-10T12:00:00Z", "2025-04-10T12:00:00Z", Lapsed)];
    let asked = regions([("2025-02-09T12:00:00Z", "2025-03-11T12:00:00Z")]);
    let parts = [
        period("2025-01-10T12:00:00Z", "2025-02-09T12:00:00Z", Lapsed),
        period("2025-03-11T12:00:00Z", "2025-04-10T12:00:00Z", Lapsed),
    ];
    assert_eq!(periods_within(&existing, &asked, &[], &[], 1), parts);
}

#[test]
fn r73_pieces_that_touch_are_one_period_unless_there_is_an_ending_where_they_do() {
    let existing = periods(&[counted("2025-01-10T12:00:00Z")], &[], 1);
    let from = at("2025-02-01T00:00:00Z");
    let after = [counted("2025-01-10T12:00:00Z"), counted("2025-02-01T00:00:00Z")];
    let expected = [
        period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", REMOVED),
        period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed),
    ];
    let since = [Period::since(from)];
    assert_eq!(periods_within(&existing, &since, &after, &[ended("2025-02-01T00:00:00Z")], 1), expected);
    let without_ending = [period("2025-01-10T12:00:00Z", "2025-04-02T00:00:00Z", Lapsed)];
    assert_eq!(periods_within(&existing, &since, &after, &[], 1), without_ending);
    assert_eq!(periods_within(&expected, &since, &after, &[], 1), without_ending);
}

#[test]
fn an_ending_at_the_start_of_a_region_gives_its_cause_to_the_period_that_stops_there() {
    let existing = periods(&[counted("2025-01-10T12:00:00Z")], &[], 1);
    let since = |time| [Period::since(at(time))];
    let lapse = "2025-03-11T12:00:00Z";
    let stopped = [period("2025-01-10T12:00:00Z", lapse, REMOVED)];
    assert_eq!(periods_within(&existing, &since(lapse), &[], &[ended(lapse)], 1), stopped);
    assert_eq!(periods_within(&stopped, &since(lapse), &[], &[], 1), existing);
    let later = "2025-03-11T12:00:00.000001Z";
    assert_eq!(periods_within(&existing, &since(later), &[], &[ended(later)], 1), existing);
}

#[test]
fn regions_that_touch_are_like_one() {
    let asked = regions([
        ("2025-01-01T00:00:00Z", "2025-01-20T00:00:00Z"),
        ("2025-01-20T00:00:00Z", "2025-02-09T12:00:00Z"),
        ("2025-02-09T12:00:00Z", "2025-05-01T00:00:00Z"),
    ]);
    let activities = [counted("2025-01-10T12:00:00Z"), counted("2025-02-09T12:00:00Z")];
    let expected = [period("2025-01-10T12:00:00Z", "2025-04-10T12:00:00Z", Lapsed)];
    assert_eq!(periods_within(&[], &asked, &activities, &[], 1), expected);
}

#[test]
fn an_ending_at_the_instant_of_expiry_names_the_cause_and_a_later_one_does_not() {
    let ended_at = |time| periods(&[counted("2025-01-10T12:00:00Z")], &[ended(time)], 1)[0].end_cause;
    assert_eq!(ended_at("2025-03-11T11:59:59.999999Z"), REMOVED);
    assert_eq!(ended_at("2025-03-11T12:00:00Z"), REMOVED);
    assert_eq!(ended_at("2025-03-11T12:00:00.000001Z"), Lapsed);
}

#[test]
fn of_several_endings_at_one_instant_the_most_sweeping_is_named() {
    let removed = ended("2025-02-01T00:00:00Z");
    let closed = Ending { cause: EndingCause::ClientClosed, ..removed };
    for endings in [[removed, closed], [closed, removed]] {
        let found = periods(&[counted("2025-01-10T12:00:00Z")], &endings, 1);
        let expected =
            period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", PeriodEndCause::Ended(EndingCause::ClientClosed));
        assert_eq!(found, [expected]);
    }
}

#[test]
fn a_minimum_of_zero_is_one() {
    let activities = [counted("2025-01-10T12:00:00Z")];
    assert_eq!(periods(&activities, &[], 0), periods(&activities, &[], 1));
    assert_eq!(periods(&[], &[], 0), []);
}

#[test]
fn the_causes_have_names_that_read_back() {
    let causes = EndingCause::ALL.map(PeriodEndCause::Ended);
    for cause in causes.into_iter().chain([Lapsed]) {
        assert_eq!(cause.to_string().parse(), Ok(cause));
    }
    assert_eq!("ENDED".parse::<PeriodEndCause>(), Err(PeriodEndCauseError));
}

/// A history before and after a change of what happens from a tick on, which often is the tick of a happening.
fn changed_histories() -> impl Strategy<Value = (Histories, Histories, i64)> {
    let from = prop_oneof![any::<prop::sample::Index>().prop_map(Some), Just(None)];
    (histories(), histories(), from, 0..=LAST_TICK + 2).prop_map(|((activities, endings), others, of, from)| {
        let happened = others.0.iter().map(|each| each.occur_time).chain(others.1.iter().map(|each| each.time));
        let happened: Vec<i64> = happened.map(|time| (time - tick(0)).num_seconds()).collect();
        let from = of.filter(|_| !happened.is_empty()).map_or(from, |index| happened[index.index(happened.len())]);
        let is_before = |activity: &&CountedActivity| activity.occur_time < tick(from);
        let ends_before = |ending: &&Ending| ending.time < tick(from);
        let kept = activities.iter().filter(is_before).chain(others.0.iter().filter(|other| !is_before(other)));
        let kept_endings =
            endings.iter().filter(ends_before).chain(others.1.iter().filter(|other| !ends_before(other)));
        let after = (kept.copied().collect(), kept_endings.copied().collect());
        ((activities, endings), after, from)
    })
}

type Histories = (Vec<CountedActivity>, Vec<Ending>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    Comes,
    Goes,
}

type Altered<T> = Vec<(T, Fate)>;

/// Activities and endings that stay, come or go: sometimes only activities, sometimes they only come.
fn altered_histories() -> impl Strategy<Value = (Altered<CountedActivity>, Altered<Ending>)> {
    use Fate::{Comes, Goes, Stays};
    let fates = [
        (vec![Stays, Comes], vec![Stays]),
        (vec![Stays, Stays, Stays, Comes], vec![Stays]),
        (vec![Stays, Stays, Comes, Goes], vec![Stays]),
        (vec![Stays, Stays, Comes, Goes], vec![Stays, Comes, Goes]),
        (vec![Stays], vec![Stays, Comes, Goes]),
    ];
    let histories = prop::sample::select(fates.to_vec()).prop_flat_map(|(of_activities, of_endings)| {
        let of_activities = prop::collection::vec(prop::sample::select(of_activities), 16);
        (histories(), of_activities, prop::collection::vec(prop::sample::select(of_endings), 4))
    });
    histories.prop_map(|((activities, endings), of_activities, of_endings)| {
        (activities.into_iter().zip(of_activities).collect(), endings.into_iter().zip(of_endings).collect())
    })
}

fn all_but<T: Copy>(altered: &Altered<T>, fate: Fate) -> Vec<T> {
    altered.iter().filter(|(_, each)| *each != fate).map(|(thing, _)| *thing).collect()
}

/// What is different, as who keeps periods notes it.
fn alteration(activities: &Altered<CountedActivity>, endings: &Altered<Ending>) -> Option<Alteration> {
    let of_activities = activities.iter().filter_map(|(activity, fate)| match fate {
        Fate::Stays => None,
        Fate::Comes => Some(Alteration::added(*activity)),
        Fate::Goes => Some(Alteration::removed(*activity)),
    });
    let known = |fate| one_per_instant(&all_but(endings, fate)).into_iter().collect::<BTreeSet<_>>();
    let first_other = known(Fate::Comes).symmetric_difference(&known(Fate::Goes)).map(|ending| ending.time).min();
    of_activities.chain(first_other.map(Alteration::endings_from)).reduce(Alteration::and)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn r57_periods_are_where_enough_activities_live((activities, endings) in histories(), minimum in 1..=4_u32) {
        prop_assert_eq!(periods(&activities, &endings, minimum), slow_periods(&activities, &endings, minimum));
    }

    #[test]
    fn r60_twice_is_once_and_order_does_not_matter(
        ((activities, endings), repeats) in (histories(), prop::collection::vec(any::<prop::sample::Index>(), 0..20)),
        minimum in 1..=4_u32,
    ) {
        let once: BTreeMap<usize, CountedActivity> = activities.iter().copied().enumerate().collect();
        let mut again = once.clone();
        for repeat in repeats.iter().filter(|_| !activities.is_empty()) {
            let id = repeat.index(activities.len());
            again.insert(id, activities[id]);
        }
        let again: Vec<_> = again.into_values().rev().collect();
        let reversed: Vec<_> = endings.iter().rev().copied().collect();
        prop_assert_eq!(periods(&again, &reversed, minimum), periods(&activities, &endings, minimum));
    }

    #[test]
    fn r73_what_happens_after_an_instant_changes_nothing_up_to_it(
        (before, after, from) in changed_histories(),
        minimum in 1..=4_u32,
    ) {
        let before = periods(&before.0, &before.1, minimum);
        let after = periods(&after.0, &after.1, minimum);
        for number in 0..from {
            prop_assert_eq!(earns_at(&before, tick(number)), earns_at(&after, tick(number)));
        }
    }

    #[test]
    fn periods_within_the_regions_of_an_alteration_equal_the_periods_over_everything(
        (activities, endings) in altered_histories(),
        (minimum, larger, cut) in (1..=4_u32, 0..=2_u32, 0..=END_TICK),
    ) {
        let (before, after) = (all_but(&activities, Fate::Comes), all_but(&activities, Fate::Goes));
        let (endings_before, endings_after) = (all_but(&endings, Fate::Comes), all_but(&endings, Fate::Goes));
        let existing = periods(&before, &endings_before, minimum);
        let of_largest = periods(&before, &endings_before, minimum + larger);
        let regions = alteration(&activities, &endings).map_or(vec![], |altered| altered.regions(&of_largest));
        let overlaps = |activity: &CountedActivity| {
            let life = Period::between(activity.occur_time, activity.expire_time);
            regions.iter().any(|region| region.overlap(life).is_some())
        };
        let loaded: Vec<_> = after.iter().filter(|activity| overlaps(activity)).copied().collect();
        let expected = periods(&after, &endings_after, minimum);
        prop_assert_eq!(&periods_within(&existing, &regions, &loaded, &endings_after, minimum), &expected);

        // Regions that touch, and more activities than are needed, give the same.
        let halves = [Period::between(tick(-1), tick(cut)), Period::since(tick(cut))];
        let in_parts: Vec<_> = regions.iter().flat_map(|region| halves.iter().filter_map(|half| half.overlap(*region)))
            .collect();
        prop_assert_eq!(&periods_within(&existing, &in_parts, &after, &endings_after, minimum), &expected);
    }
}
