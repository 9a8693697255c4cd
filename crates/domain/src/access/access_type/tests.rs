//! Every access type of an employee in a client.

use super::*;
use crate::access::AccessFact;
use crate::access::testing::*;

const NOW: &str = "2025-06-01T00:00:00Z";

/// The access type of Anna, an employee of the partner, in the client.
fn access_type<const N: usize>(facts: [(&str, AccessFact); N]) -> Option<AccessType> {
    let history = history_with(facts);
    let anna = history.employee(employee_id(1)).expect("an employee");
    history.access_type_at(hub(CLIENT), anna, at(NOW), &POLICY)
}

fn anna() -> (&'static str, AccessFact) {
    ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA))
}

fn user_of(set: &str) -> (&'static str, AccessFact) {
    ("2025-02-01T00:00:00Z", user_with_set(CLIENT, 1, ANNA, set))
}

#[test]
fn r42_an_active_user_has_the_type_of_what_its_permission_set_allows() {
    let expected = [
        ("PARTNER_ADMIN", AccessType::PartnerAdmin),
        ("SUPER_ADMIN", AccessType::SuperAdmin),
        ("STANDARD", AccessType::Standard),
        ("USER_ADMIN", AccessType::Standard),
        ("MARKETING", AccessType::Standard),
        ("NEVER_HEARD_OF", AccessType::Standard),
    ];
    for (set, access_type_of_set) in expected {
        assert_eq!(access_type([anna(), user_of(set)]), Some(access_type_of_set), "{set}");
    }
}

#[test]
fn r33_r42_the_set_of_a_partner_admin_is_a_standard_one_for_who_is_no_partner_employee() {
    let unflagged = ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA));
    assert_eq!(access_type([unflagged, user_of("PARTNER_ADMIN")]), Some(AccessType::Standard));
    let deleted = ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA));
    assert_eq!(access_type([anna(), user_of("PARTNER_ADMIN"), deleted]), Some(AccessType::Standard));
}

#[test]
fn r33_r42_partner_admin_is_the_type_of_those_partners_only_whose_employee_it_is() {
    let history = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 2, ANNA)),
        user_of("PARTNER_ADMIN"),
    ]);
    for (employee, expected) in [(1, AccessType::Standard), (2, AccessType::PartnerAdmin)] {
        let spell = history.employee(employee_id(employee)).expect("an employee");
        assert_eq!(history.access_type_at(hub(CLIENT), spell, at(NOW), &POLICY), Some(expected), "{employee}");
    }
}

#[test]
fn r42_a_deactivated_user_is_deactivated_whatever_its_permission_set() {
    for set in ["STANDARD", "SUPER_ADMIN"] {
        let deactivated = ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA));
        assert_eq!(access_type([anna(), user_of(set), deactivated]), Some(AccessType::Deactivated), "{set}");
    }
}

#[test]
fn r42_who_is_assigned_and_no_user_there_is_only_linked() {
    let introduced = || ("2025-01-03T00:00:00Z", client_introduced(CLIENT, PARTNER));
    let by_hand = || ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA));
    let removed = || ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA));
    assert_eq!(access_type([anna(), introduced(), by_hand()]), Some(AccessType::LinkedOnly));
    assert_eq!(access_type([anna(), user_of("STANDARD"), by_hand(), removed()]), Some(AccessType::LinkedOnly));
    // The automatic assignment goes with its user.
    assert_eq!(access_type([anna(), user_of("STANDARD"), removed()]), None);
    assert_eq!(access_type([anna(), introduced()]), None);
    let again = ("2025-04-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, ANNA));
    assert_eq!(access_type([anna(), introduced(), by_hand(), again]), None);
}

#[test]
fn the_access_types_have_names_that_read_back() {
    for access_type in AccessType::ALL {
        assert_eq!(access_type.to_string().parse(), Ok(access_type));
    }
    assert_eq!("NONE".parse::<AccessType>(), Err(AccessTypeError));
}
