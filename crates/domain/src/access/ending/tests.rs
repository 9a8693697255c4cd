//! When a relationship ends at once.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::access::{AccessFact, ClientUserState};
use crate::testing::cases;

fn endings<const N: usize>(facts: [(&str, AccessFact); N]) -> Vec<Ending> {
    history_with(facts).endings(hub(CLIENT), hub(PARTNER), &POLICY)
}

fn ending(time: &str, cause: EndingCause) -> Ending {
    Ending { time: at(time), cause }
}

/// Anna and Bruno are employees, and users of the client since 1 February.
fn two_there() -> [(&'static str, AccessFact); 4] {
    [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 2, BRUNO)),
    ]
}

fn endings_of_two_there<const N: usize>(more: [(&'static str, AccessFact); N]) -> Vec<Ending> {
    let facts = base().into_iter().chain(two_there()).chain(more).zip(1..);
    let changes = facts.map(|((time, fact), position)| change(position, at(time), fact));
    AccessHistory::from_changes(changes).endings(hub(CLIENT), hub(PARTNER), &POLICY)
}

#[test]
fn r71_removing_the_last_one_present_is_an_ending_and_removing_some_is_none() {
    let removed = ending("2025-04-01T00:00:00Z", EndingCause::AllEmployeesRemoved);
    let one = ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA));
    let other = ("2025-04-01T00:00:00Z", user_removed(CLIENT, 2, BRUNO));
    assert_eq!(endings_of_two_there([one.clone()]), []);
    assert_eq!(endings_of_two_there([one, other]), [removed]);
}

#[test]
fn r71_r75_deactivated_unlinked_or_deleted_in_the_partner_account_is_still_present() {
    let more = [
        ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 2, BRUNO)),
    ];
    assert_eq!(endings_of_two_there(more.clone()), []);
    let [first, second, third, fourth] = more;
    let last = ("2025-05-01T00:00:00Z", user_removed(CLIENT, 1, ANNA));
    assert_eq!(
        endings_of_two_there([first, second, third, fourth, last]),
        [ending("2025-05-01T00:00:00Z", EndingCause::AllEmployeesRemoved)]
    );
}

#[test]
fn one_who_comes_at_the_instant_of_the_last_removal_prevents_the_ending() {
    let facts = |added| {
        [
            ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
            ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
            ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
            ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
            (added, user_added(CLIENT, 2, BRUNO)),
        ]
    };
    let removed = ending("2025-03-01T00:00:00Z", EndingCause::AllEmployeesRemoved);
    assert_eq!(endings(facts("2025-02-28T23:59:59.999999Z")), []);
    assert_eq!(endings(facts("2025-03-01T00:00:00Z")), []);
    assert_eq!(endings(facts("2025-03-01T00:00:00.000001Z")), [removed]);
}

#[test]
fn each_time_the_last_one_goes_is_an_ending_of_its_own() {
    let facts = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
        ("2025-05-01T00:00:00Z", user_removed(CLIENT, 2, ANNA)),
    ];
    let expected = ["2025-03-01T00:00:00Z", "2025-05-01T00:00:00Z"];
    assert_eq!(endings(facts), expected.map(|time| ending(time, EndingCause::AllEmployeesRemoved)));
}

#[test]
fn whoever_becomes_an_employee_only_after_the_removal_was_not_present_as_one() {
    let became_employee_at = |time| {
        endings([
            ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
            ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
            (time, employee_added(PARTNER, 1, ANNA)),
        ])
    };
    let removed = ending("2025-03-01T00:00:00Z", EndingCause::AllEmployeesRemoved);
    assert_eq!(became_employee_at("2025-02-28T23:59:59.999999Z"), [removed]);
    assert_eq!(became_employee_at("2025-03-01T00:00:00Z"), []);
}

#[test]
fn r20_an_unflagged_user_of_the_partner_account_is_no_employee_to_be_present() {
    let facts = [
        ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
    ];
    assert_eq!(endings(facts), []);
}

#[test]
fn r76_leaving_the_programme_and_a_closed_client_are_endings_one_per_instant() {
    let left = ending("2025-04-01T00:00:00Z", EndingCause::PartnerLeft);
    assert_eq!(endings_of_two_there([("2025-04-01T00:00:00Z", partner_left(PARTNER))]), [left]);
    let all_at_once = [
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 2, BRUNO)),
        ("2025-04-01T00:00:00Z", partner_left(PARTNER)),
        ("2025-04-01T00:00:00Z", client_closed(CLIENT)),
    ];
    assert_eq!(endings_of_two_there(all_at_once), [ending("2025-04-01T00:00:00Z", EndingCause::ClientClosed)]);
}

#[test]
fn r76_services_that_end_are_an_ending_each_time() {
    let ended = |time| ending(time, EndingCause::ServicesEnded);
    let more = [
        ("2025-03-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 2, BRUNO)),
        ("2025-04-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-05-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-05-01T00:00:00Z", partner_left(PARTNER)),
    ];
    let left = ending("2025-05-01T00:00:00Z", EndingCause::PartnerLeft);
    assert_eq!(endings_of_two_there(more), [ended("2025-03-01T00:00:00Z"), ended("2025-04-01T00:00:00Z"), left]);
    assert_eq!(endings_of_two_there([("2025-03-01T00:00:00Z", services_ended(OTHER_CLIENT, PARTNER))]), []);
    assert_eq!(endings_of_two_there([("2025-03-01T00:00:00Z", services_ended(CLIENT, OTHER_PARTNER))]), []);
}

#[test]
fn r20_r71_somebody_is_present_from_when_the_flag_was_first_set_whatever_becomes_of_it() {
    let flagged_at = |time, removed| {
        endings([
            ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
            ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
            (time, employee_updated(PARTNER, 1, ANNA, true)),
            ("2025-04-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, false)),
            (removed, user_removed(CLIENT, 1, ANNA)),
        ])
    };
    let removed = |time| ending(time, EndingCause::AllEmployeesRemoved);
    let after_the_flag = flagged_at("2025-03-01T00:00:00Z", "2025-05-01T00:00:00Z");
    assert_eq!(after_the_flag, [removed("2025-05-01T00:00:00Z")]);
    assert_eq!(flagged_at("2025-03-01T00:00:00Z", "2025-03-01T00:00:00Z"), []);
    // Flagged and not at one instant: never flagged.
    assert_eq!(flagged_at("2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z"), []);
}

#[test]
fn r75_a_cause_that_the_policy_lets_lapse_is_no_ending() {
    let document = include_str!("../../../policy.toml");
    let lenient = document.replace("all_employees_removed = \"IMMEDIATE\"", "all_employees_removed = \"LAPSE\"");
    let policy = Policy::parse(&lenient).expect("a valid document");
    let history = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", client_closed(CLIENT)),
    ]);
    let closed = ending("2025-04-01T00:00:00Z", EndingCause::ClientClosed);
    assert_eq!(history.endings(hub(CLIENT), hub(PARTNER), &policy), [closed]);
}

#[test]
fn the_causes_have_names_that_read_back() {
    for cause in EndingCause::ALL {
        assert_eq!(cause.as_str().parse(), Ok(cause));
        assert_eq!(cause.to_string(), cause.as_str());
    }
    assert_eq!("LAPSED".parse::<EndingCause>(), Err(EndingCauseError));
}

/// Whether anybody is present, asked of one instant only.
fn is_anybody_present(history: &AccessHistory, client: HubId, partner: HubId, time: Instant) -> bool {
    PEOPLE.map(address).iter().any(|person| {
        let state = history.client_user_state_at(client, person, time);
        let is_user = matches!(state, ClientUserState::Active | ClientUserState::Deactivated);
        let mut spells = history.employees(person);
        let is_employee = spells.any(|spell| {
            spell.partner == partner
                && (0..=LAST_TICK).map(tick).any(|tick| tick <= time && spell.is_partner_employee(tick))
        });
        is_user && is_employee
    })
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn r71_an_ending_is_where_somebody_was_present_and_nobody_is(steps in steps()) {
        let history = AccessHistory::from_changes(legal_log(&steps));
        for (client, partner) in CLIENTS.iter().flat_map(|client| PARTNERS.map(|partner| (hub(*client), hub(partner)))) {
            let endings = history.endings(client, partner, &POLICY);
            for number in 1..=LAST_TICK {
                let deserted = is_anybody_present(&history, client, partner, tick(number - 1))
                    && !is_anybody_present(&history, client, partner, tick(number));
                let left = history.partner(partner).and_then(|known| known.left_time) == Some(tick(number));
                let closed = history.client(client).and_then(|known| known.closed_time) == Some(tick(number));
                let ended = history.changes().any(|change| {
                    let is_end = matches!(change.fact, AccessFact::ServicesEnded { .. });
                    let is_ours = change.fact.client() == Some(client) && change.fact.partner() == Some(partner);
                    is_end && is_ours && change.effective_time == tick(number)
                });
                let expected = match (closed, left, ended, deserted) {
                    (true, _, _, _) => Some(EndingCause::ClientClosed),
                    (_, true, _, _) => Some(EndingCause::PartnerLeft),
                    (_, _, true, _) => Some(EndingCause::ServicesEnded),
                    (_, _, _, true) => Some(EndingCause::AllEmployeesRemoved),
                    _ => None,
                };
                let found: Vec<_> = endings.iter().filter(|each| each.time == tick(number)).collect();
                prop_assert_eq!(found.first().map(|each| each.cause), expected, "{}", number);
                prop_assert!(found.len() <= 1);
            }
        }
    }
}
