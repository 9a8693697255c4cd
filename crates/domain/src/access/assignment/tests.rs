//! When a client belongs to an employee, and in which state.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::access::{AccessChange, AccessFact, AccessHistory};
use crate::testing::cases;

const ANNA_EMPLOYED: (&str, u128) = ("2025-01-02T00:00:00Z", 1);

fn assignments<const N: usize>(facts: [(&str, AccessFact); N], text: &str) -> Vec<Assignment> {
    history_with(facts).assignments(hub(CLIENT), hub(PARTNER), &address(text))
}

fn interval(
    employee: u128,
    start: &str,
    end: Option<&str>,
    origin: AssignmentOrigin,
    state: AssignmentState,
) -> Assignment {
    let period = Period { start: at(start), end: end.map(at) };
    Assignment { employee: employee_id(employee), period, origin, state }
}

use AssignmentOrigin::{Automatic, ByHand};
use AssignmentState::{Effective, PendingUser, Suspended};

#[test]
fn r23_an_employee_in_the_domain_who_is_a_user_there_is_assigned_automatically() {
    let employed_last = [
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
    ];
    let user_last =
        [(ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)), ("2025-03-01T00:00:00Z", user_added(CLIENT, 1, ANNA))];
    let expected = vec![interval(1, "2025-03-01T00:00:00Z", None, Automatic, Effective)];
    assert_eq!(assignments(employed_last, ANNA), expected);
    assert_eq!(assignments(user_last, ANNA), expected);
}

#[test]
fn r25_automatic_assignment_starts_when_the_domain_comes_last() {
    let facts = [
        ("2025-01-02T00:00:00Z", domains_set(PARTNER, &[])),
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", domains_set(PARTNER, &["agency.example"])),
    ];
    let expected = vec![interval(1, "2025-03-01T00:00:00Z", None, Automatic, Effective)];
    assert_eq!(assignments(facts, ANNA), expected);
}

#[test]
fn r25_a_user_who_is_deactivated_when_the_domain_matches_is_assigned_at_reactivation() {
    let facts = [
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-02-02T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-02-03T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-04T00:00:00Z", user_reactivated(CLIENT, 1, ANNA)),
        ("2025-02-05T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
    ];
    let expected = vec![
        interval(1, "2025-02-04T00:00:00Z", Some("2025-02-05T00:00:00Z"), Automatic, Effective),
        interval(1, "2025-02-05T00:00:00Z", None, Automatic, Suspended),
    ];
    assert_eq!(assignments(facts, ANNA), expected);
}

#[test]
fn r25_a_domain_that_is_withdrawn_stops_new_assignments_only() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 2, BRUNO)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", domains_set(PARTNER, &[])),
        ("2025-03-02T00:00:00Z", user_added(CLIENT, 2, BRUNO)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", user_added(CLIENT, 3, ANNA)),
    ];
    let expected = vec![interval(1, "2025-02-01T00:00:00Z", Some("2025-04-01T00:00:00Z"), Automatic, Effective)];
    assert_eq!(assignments(facts.clone(), ANNA), expected);
    assert_eq!(assignments(facts, BRUNO), []);
}

#[test]
fn r25_a_subdomain_and_a_domain_of_one_instant_match_nobody() {
    let below = "dario@mail.agency.example";
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, below)),
        (ANNA_EMPLOYED.0, user_added(CLIENT, 1, below)),
        ("2025-03-01T00:00:00Z", domains_set(PARTNER, &["mail.agency.example"])),
        ("2025-03-01T00:00:00Z", domains_set(PARTNER, &["agency.example"])),
    ];
    assert_eq!(assignments(facts, below), []);
}

#[test]
fn r24_r25_a_hand_link_waits_for_its_user_and_goes_back_to_waiting() {
    let facts = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 1, CARLA)),
        ("2025-04-01T00:00:00Z", user_deactivated(CLIENT, 1, CARLA)),
        ("2025-05-01T00:00:00Z", user_removed(CLIENT, 1, CARLA)),
        ("2025-06-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, CARLA)),
    ];
    let expected = vec![
        interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), ByHand, PendingUser),
        interval(1, "2025-03-01T00:00:00Z", Some("2025-04-01T00:00:00Z"), ByHand, Effective),
        interval(1, "2025-04-01T00:00:00Z", Some("2025-05-01T00:00:00Z"), ByHand, Suspended),
        interval(1, "2025-05-01T00:00:00Z", Some("2025-06-01T00:00:00Z"), ByHand, PendingUser),
    ];
    let history = history_with(facts.clone());
    assert_eq!(assignments(facts, CARLA), expected);
    let since = |time| history.assigned_since(hub(CLIENT), hub(PARTNER), &address(CARLA), at(time));
    assert_eq!(since("2025-01-31T23:59:59.999999Z"), None);
    assert_eq!(since("2025-05-31T23:59:59.999999Z"), Some(at("2025-02-01T00:00:00Z")));
    assert_eq!(since("2025-06-01T00:00:00Z"), None);
}

#[test]
fn r25_unlinked_by_hand_stays_unlinked_until_linked_again() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
        ("2025-06-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
    ];
    let expected = vec![
        interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), Automatic, Effective),
        interval(1, "2025-06-01T00:00:00Z", None, ByHand, Effective),
    ];
    assert_eq!(assignments(facts, ANNA), expected);
}

#[test]
fn r25_a_deleted_and_created_again_employee_starts_fresh() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-04-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-05-01T00:00:00Z", employee_added(PARTNER, 2, ANNA)),
    ];
    let expected = vec![
        interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), Automatic, Effective),
        interval(2, "2025-05-01T00:00:00Z", None, Automatic, Effective),
    ];
    assert_eq!(assignments(facts, ANNA), expected);
}

#[test]
fn r76_the_end_of_services_unlinks_everybody_who_is_assigned_until_linked_again() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 2, CARLA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 2, CARLA)),
        ("2025-03-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
        ("2025-06-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
    ];
    let (start, end, again) = ("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "2025-06-01T00:00:00Z");
    let of_anna = [interval(1, start, Some(end), Automatic, Effective), interval(1, again, None, ByHand, Effective)];
    assert_eq!(assignments(facts.clone(), ANNA), of_anna);
    assert_eq!(assignments(facts, CARLA), [interval(2, start, Some(end), ByHand, PendingUser)]);
}

#[test]
fn r76_who_is_not_assigned_when_services_end_is_not_touched() {
    let facts = |came| {
        [
            (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
            (ANNA_EMPLOYED.0, client_introduced(CLIENT, PARTNER)),
            ("2025-03-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
            (came, user_added(CLIENT, 1, ANNA)),
        ]
    };
    let later = "2025-03-01T00:00:00.000001Z";
    assert_eq!(assignments(facts(later), ANNA), [interval(1, later, None, Automatic, Effective)]);
    // One that would begin at that very instant never begins.
    assert_eq!(assignments(facts("2025-03-01T00:00:00Z"), ANNA), []);
    assert_eq!(assignments(facts("2025-02-01T00:00:00Z"), ANNA).len(), 1);
}

#[test]
fn r76_of_one_instant_the_log_says_whether_the_link_or_the_end_of_services_came_last() {
    let facts = |first, last| {
        [
            ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
            ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
            ("2025-03-01T00:00:00Z", first),
            ("2025-03-01T00:00:00Z", last),
        ]
    };
    let end = || services_ended(CLIENT, PARTNER);
    let link = || linked(CLIENT, PARTNER, 1, CARLA);
    let ended = interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), ByHand, PendingUser);
    let goes_on = interval(1, "2025-02-01T00:00:00Z", None, ByHand, PendingUser);
    assert_eq!(assignments(facts(link(), end()), CARLA), [ended]);
    assert_eq!(assignments(facts(end(), link()), CARLA), [goes_on]);
}

#[test]
fn r76_services_that_end_for_one_partner_or_client_end_no_others_assignments() {
    let facts = [
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-01T00:00:00Z", client_added(OTHER_CLIENT)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
        ("2025-03-01T00:00:00Z", services_ended(CLIENT, OTHER_PARTNER)),
        ("2025-03-01T00:00:00Z", services_ended(OTHER_CLIENT, PARTNER)),
    ];
    assert_eq!(assignments(facts, CARLA), [interval(1, "2025-02-01T00:00:00Z", None, ByHand, PendingUser)]);
}

#[test]
fn r25_an_employee_who_is_created_again_after_services_ended_starts_fresh() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-04-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-05-01T00:00:00Z", employee_added(PARTNER, 2, ANNA)),
    ];
    let expected = [
        interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), Automatic, Effective),
        interval(2, "2025-05-01T00:00:00Z", None, Automatic, Effective),
    ];
    assert_eq!(assignments(facts, ANNA), expected);
}

#[test]
fn the_states_have_names() {
    assert_eq!(
        [PendingUser, Effective, Suspended].map(AssignmentState::as_str),
        ["PENDING_USER", "EFFECTIVE", "SUSPENDED"]
    );
}

#[test]
fn a_user_removed_and_added_at_one_instant_leaves_no_gap() {
    let facts = [
        (ANNA_EMPLOYED.0, employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
    ];
    assert_eq!(assignments(facts, ANNA), [interval(1, "2025-02-01T00:00:00Z", None, Automatic, Effective)]);
}

#[test]
fn an_assignment_ends_when_the_partner_leaves_or_the_client_is_closed() {
    for end in [partner_left(PARTNER), client_closed(CLIENT)] {
        let facts = [
            ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
            ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
            ("2025-03-01T00:00:00Z", end),
        ];
        let expected = [interval(1, "2025-02-01T00:00:00Z", Some("2025-03-01T00:00:00Z"), ByHand, PendingUser)];
        assert_eq!(assignments(facts, CARLA), expected);
    }
}

#[test]
fn an_assignment_goes_on_through_its_states_but_not_over_a_gap_or_to_another_employee() {
    let since = |facts: [(&'static str, AccessFact); 4]| {
        let history = history_with(facts);
        history.assigned_since(hub(CLIENT), hub(PARTNER), &address(CARLA), at("2025-09-01T00:00:00Z"))
    };
    let begin = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ];
    let [employed, first] = begin;
    let with_gap = [
        employed.clone(),
        first.clone(),
        ("2025-03-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, CARLA)),
        ("2025-04-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ];
    assert_eq!(since(with_gap), Some(at("2025-04-01T00:00:00Z")));
    let through_states = [
        employed,
        first,
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 1, CARLA)),
        ("2025-04-01T00:00:00Z", user_deactivated(CLIENT, 1, CARLA)),
    ];
    assert_eq!(since(through_states), Some(at("2025-02-01T00:00:00Z")));
    let again = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 2, ANNA)),
    ];
    let of_the_second =
        history_with(again).assigned_since(hub(CLIENT), hub(PARTNER), &address(ANNA), at("2025-03-01T00:00:00Z"));
    assert_eq!(of_the_second, Some(at("2025-03-01T00:00:00Z")));
}

/// Walks through the changes up to an instant and keeps, in plain variables, what is true of one employee.
fn slow_state(
    log: &[AccessChange],
    question: (i64, i64, &str),
    until: Instant,
) -> Option<(EmployeeId, AssignmentState)> {
    let (client, partner, text) = (hub(question.0), hub(question.1), address(question.2));
    let mut ordered = counting(log);
    ordered.retain(|change| change.effective_time <= until);
    ordered.sort_by_key(|change| (change.effective_time, change.position));
    let (mut employee, mut active, mut is_user) = (None, false, false);
    let (mut domain, mut is_open, mut in_programme) = (false, false, false);
    let (mut automatic, mut by_hand, mut refused) = (false, false, false);
    for same_time in ordered.chunk_by(|one, other| one.effective_time == other.effective_time) {
        let mut services_end = false;
        for change in same_time {
            let is_ours = change.fact.address().is_none_or(|other| *other == text)
                && change.fact.client().is_none_or(|other| other == client)
                && change.fact.partner().is_none_or(|other| other == partner);
            if !is_ours {
                continue;
            }
            match &change.fact {
                AccessFact::PartnerAdded { email_domains, .. } => {
                    in_programme = true;
                    domain = email_domains.iter().any(|each| text.is_in(each));
                }
                AccessFact::PartnerDomainsSet { email_domains, .. } => {
                    domain = email_domains.iter().any(|each| text.is_in(each));
                }
                AccessFact::PartnerLeft { .. } => in_programme = false,
                AccessFact::ClientAdded { .. } => is_open = true,
                AccessFact::ClientClosed { .. } => is_open = false,
                AccessFact::EmployeeAdded { employee: added, .. } => {
                    employee = Some(*added);
                    (automatic, by_hand, refused) = (false, false, false);
                }
                AccessFact::EmployeeDeleted { .. } => employee = None,
                AccessFact::ClientUserAdded { .. } => (is_user, active) = (true, true),
                AccessFact::ClientUserDeactivated { .. } => active = false,
                AccessFact::ClientUserReactivated { .. } => active = true,
                AccessFact::ClientUserRemoved { .. } => (is_user, active, automatic) = (false, false, false),
                AccessFact::ClientLinked { .. } => {
                    (automatic, by_hand, refused, services_end) = (false, true, false, false);
                }
                AccessFact::ClientUnlinked { .. } => (automatic, by_hand, refused) = (false, false, true),
                AccessFact::ServicesEnded { .. } => services_end = true,
                _ => {}
            }
        }
        let is_alive = employee.is_some() && in_programme && is_open;
        if is_alive && !by_hand && !refused && active && domain {
            automatic = true;
        }
        if services_end && is_alive && (automatic || by_hand) {
            (automatic, by_hand, refused) = (false, false, true);
        }
    }
    let is_assigned = (automatic || by_hand) && in_programme && is_open;
    let state = match (is_user, active) {
        (false, _) => PendingUser,
        (true, true) => Effective,
        (true, false) => Suspended,
    };
    employee.filter(|_| is_assigned).map(|employee| (employee, state))
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn r25_assignments_are_what_stepping_through_the_changes_says(steps in steps()) {
        let log = legal_log(&steps);
        let history = AccessHistory::from_changes(log.clone());
        for client in CLIENTS {
            for partner in PARTNERS {
                for text in PEOPLE {
                    let person = address(text);
                    let assignments = history.assignments(hub(client), hub(partner), &person);
                    for pair in assignments.windows(2) {
                        prop_assert!(pair[0].period.end.is_some_and(|end| end <= pair[1].period.start));
                    }
                    for number in 0..=LAST_TICK + 1 {
                        let found = assignments.iter().find(|each| each.period.contains(tick(number)));
                        let mut of_partner = history.employees(&person).filter(|spell| spell.partner == hub(partner));
                        let is_assigned =
                            of_partner.any(|spell| history.is_assigned_at(hub(client), spell, tick(number)));
                        prop_assert_eq!(is_assigned, found.is_some(), "{}", number);
                        let found = found.map(|each| (each.employee, each.state));
                        prop_assert_eq!(found, slow_state(&log, (client, partner, text), tick(number)), "{}", number);
                    }
                }
            }
        }
    }
}
