//! What must be read and computed again, and what need not.

use super::*;
use crate::access::EndingCause;
use crate::servicing::PeriodEndCause::{Ended, Lapsed};
use crate::servicing::testing::*;

fn stretch(start: &str, end: &str) -> Period {
    Period::between(at(start), at(end))
}

/// Of a relationship since 10 January that lapses on 11 March.
fn covered() -> [ServicingPeriod; 1] {
    [period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed)]
}

#[test]
fn the_first_addition_concerns_its_whole_life() {
    let life = stretch("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z");
    assert_eq!(Alteration::added(counted("2025-01-10T12:00:00Z")).regions(&[]), [life]);
}

#[test]
fn an_addition_inside_a_covered_stretch_reads_nothing() {
    let short = CountedActivity { occur_time: at("2025-01-20T12:00:00Z"), expire_time: at("2025-02-20T12:00:00Z") };
    assert_eq!(Alteration::added(short).regions(&covered()), []);
    let just_as_long = counted("2025-01-10T12:00:00Z");
    assert_eq!(Alteration::added(just_as_long).regions(&covered()), []);
}

#[test]
fn an_addition_in_order_reads_only_what_it_adds_at_the_end() {
    let new_at_the_end = stretch("2025-03-11T12:00:00Z", "2025-04-10T12:00:00Z");
    assert_eq!(Alteration::added(counted("2025-02-09T12:00:00Z")).regions(&covered()), [new_at_the_end]);
}

#[test]
fn newest_first_arrival_reads_only_what_touches_the_new_stretch() {
    let new_at_the_start = stretch("2024-12-20T12:00:00Z", "2025-01-10T12:00:00Z");
    assert_eq!(Alteration::added(counted("2024-12-20T12:00:00Z")).regions(&covered()), [new_at_the_start]);
}

#[test]
fn a_late_addition_between_two_periods_reads_only_the_gap() {
    let covered = [
        period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z", Lapsed),
        period("2025-03-20T08:00:00Z", "2025-05-19T08:00:00Z", Lapsed),
    ];
    let gap = stretch("2025-03-11T12:00:00Z", "2025-03-20T08:00:00Z");
    assert_eq!(Alteration::added(counted("2025-02-09T12:00:00Z")).regions(&covered), [gap]);
}

#[test]
fn periods_that_an_ending_parts_leave_no_gap_to_read() {
    let covered = [
        period("2025-01-10T12:00:00Z", "2025-02-01T00:00:00Z", Ended(EndingCause::AllEmployeesRemoved)),
        period("2025-02-01T00:00:00Z", "2025-04-02T00:00:00Z", Lapsed),
    ];
    assert_eq!(Alteration::added(counted("2025-01-20T12:00:00Z")).regions(&covered), []);
}

#[test]
fn a_batch_of_additions_reads_what_none_of_the_periods_covers() {
    let batch =
        Alteration::added(counted("2025-02-09T12:00:00Z")).and(Alteration::added(counted("2024-12-20T12:00:00Z")));
    let ends = [
        stretch("2024-12-20T12:00:00Z", "2025-01-10T12:00:00Z"),
        stretch("2025-03-11T12:00:00Z", "2025-04-10T12:00:00Z"),
    ];
    assert_eq!(batch.regions(&covered()), ends);
}

#[test]
fn a_removal_concerns_its_whole_life_however_much_else_lives() {
    let life = stretch("2025-01-20T12:00:00Z", "2025-03-21T12:00:00Z");
    assert_eq!(Alteration::removed(counted("2025-01-20T12:00:00Z")).regions(&covered()), [life]);
}

#[test]
fn an_addition_together_with_a_removal_is_no_addition() {
    let added = Alteration::added(counted("2025-01-15T12:00:00Z"));
    let removed = Alteration::removed(counted("2025-01-20T12:00:00Z"));
    let both = stretch("2025-01-15T12:00:00Z", "2025-03-21T12:00:00Z");
    assert_eq!(added.and(removed).regions(&covered()), [both]);
    assert_eq!(removed.and(added).regions(&covered()), [both]);
}

#[test]
fn r73_other_endings_concern_everything_from_their_instant_on() {
    let from = at("2025-02-01T00:00:00Z");
    assert_eq!(Alteration::endings_from(from).regions(&covered()), [Period::since(from)]);
    let and_earlier = Alteration::endings_from(from).and(Alteration::added(counted("2025-01-15T12:00:00Z")));
    assert_eq!(and_earlier.regions(&covered()), [Period::since(at("2025-01-15T12:00:00Z"))]);
}

#[test]
fn everything_is_from_the_first_storable_instant_on() {
    assert_eq!(Alteration::everything().regions(&covered()), [Period::since(FIRST_STORABLE)]);
    let with_another = Alteration::added(counted("2025-01-15T12:00:00Z")).and(Alteration::everything());
    assert_eq!(with_another, Alteration::everything());
}

#[test]
fn an_activity_without_a_life_concerns_nothing() {
    let last = at("9999-12-31T23:59:59.999999Z");
    assert_eq!(Alteration::added(CountedActivity { occur_time: last, expire_time: last }).regions(&[]), []);
}
