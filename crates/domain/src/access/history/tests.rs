//! That only the set of changes matters, and that what is admitted is legal.

use proptest::prelude::*;

use crate::access::testing::*;
use crate::access::{AccessChange, AccessFact, AccessHistory, ClientUserState};
use crate::testing::cases;

#[test]
fn a_user_is_nobody_then_active_then_deactivated_then_removed() {
    let history = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_reactivated(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-06-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
    ]);
    let expected = [
        ("2025-01-31T23:59:59.999999Z", ClientUserState::None),
        ("2025-02-01T00:00:00Z", ClientUserState::Active),
        ("2025-02-28T23:59:59.999999Z", ClientUserState::Active),
        ("2025-03-01T00:00:00Z", ClientUserState::Deactivated),
        ("2025-04-01T00:00:00Z", ClientUserState::Active),
        ("2025-05-01T00:00:00Z", ClientUserState::Removed),
        ("2025-05-31T23:59:59.999999Z", ClientUserState::Removed),
        ("2025-06-01T00:00:00Z", ClientUserState::Active),
    ];
    for (time, state) in expected {
        assert_eq!(history.client_user_state_at(hub(CLIENT), &address(ANNA), at(time)), state, "{time}");
    }
    assert_eq!(history.client_users(hub(CLIENT)).count(), 2);
    assert_eq!(history.client_users(hub(OTHER_CLIENT)).count(), 0);
}

#[test]
fn everybody_is_found_by_address_by_partner_and_by_id() {
    let history = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", employee_added(OTHER_PARTNER, 2, CARLA)),
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 3, CARLA)),
        ("2025-04-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
    ]);
    let of_carla: Vec<_> = history.employees(&address(CARLA)).map(|spell| spell.partner).collect();
    assert_eq!(of_carla, [hub(OTHER_PARTNER), hub(PARTNER)]);
    let of_partner: Vec<_> = history.employees_of(hub(PARTNER)).map(|spell| spell.employee).collect();
    assert_eq!(of_partner, [employee_id(1), employee_id(3)]);
    let deleted = history.employee(employee_id(1)).expect("a deleted employee is still known");
    assert_eq!(deleted.period.end, Some(at("2025-04-01T00:00:00Z")));
    assert_eq!(history.employee(employee_id(9)), None);
    assert_eq!(history.partners().count(), 2);
    assert_eq!(history.clients().count(), 1);
}

#[test]
fn r37_a_partner_holds_its_domains_from_their_instant_until_it_leaves() {
    let history = history_with([
        ("2025-02-01T00:00:00Z", domains_set(PARTNER, &["studio.example"])),
        ("2025-03-01T00:00:00Z", partner_left(PARTNER)),
    ]);
    let partner = history.partner(hub(PARTNER)).expect("a known partner");
    let expected: [(&str, &[&str]); 5] = [
        ("2024-12-31T23:59:59.999999Z", &[]),
        ("2025-01-01T00:00:00Z", &["agency.example"]),
        ("2025-01-31T23:59:59.999999Z", &["agency.example"]),
        ("2025-02-01T00:00:00Z", &["studio.example"]),
        ("2025-03-01T00:00:00Z", &[]),
    ];
    for (time, names) in expected {
        assert_eq!(partner.email_domains_at(at(time)), &domains(names), "{time}");
    }
}

#[test]
fn a_change_that_does_not_fit_what_was_loaded_is_without_effect() {
    let history = history([
        ("2025-02-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-02-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", client_closed(CLIENT)),
        ("2025-02-01T00:00:00Z", partner_left(PARTNER)),
    ]);
    assert_eq!(history.client_users(hub(CLIENT)).count(), 0);
    assert_eq!(history.employees_of(hub(PARTNER)).count(), 0);
    assert_eq!(history.client(hub(CLIENT)), None);
    let active_twice = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_reactivated(CLIENT, 1, ANNA)),
    ]);
    let spells = active_twice.client_user_spells(hub(CLIENT), &address(ANNA));
    assert_eq!(spells[0].active, [crate::time::Period::since(at("2025-02-01T00:00:00Z"))]);
    assert_eq!(history.partner(hub(PARTNER)), None);
}

fn log_and_shuffled() -> impl Strategy<Value = (Vec<AccessChange>, Vec<AccessChange>)> {
    steps().prop_map(|steps| legal_log(&steps)).prop_flat_map(|log| {
        let shuffled = Just(log.clone()).prop_shuffle();
        (Just(log), shuffled)
    })
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn r60_the_order_in_which_changes_arrive_never_matters((log, shuffled) in log_and_shuffled()) {
        let expected = AccessHistory::from_changes(log);
        let mut one_by_one = AccessHistory::default();
        for change in shuffled.iter().chain(&shuffled).cloned() {
            one_by_one.record(change);
        }
        prop_assert_eq!(&one_by_one, &expected);
        prop_assert_eq!(AccessHistory::from_changes(shuffled), expected);
    }

    #[test]
    fn r22_with_late_facts_the_whole_sequence_of_users_and_accounts_stays_legal(steps in steps()) {
        let log = legal_log(&steps);
        let mut ordered = log.clone();
        ordered.sort_by_key(|change| (change.effective_time, change.position));
        let mut known = AccessHistory::default();
        for change in ordered {
            let is_judged = matches!(
                change.fact,
                AccessFact::ClientUserAdded { .. }
                    | AccessFact::ClientUserDeactivated { .. }
                    | AccessFact::ClientUserReactivated { .. }
                    | AccessFact::ClientUserRemoved { .. }
                    | AccessFact::ClientClosed { .. }
                    | AccessFact::PartnerLeft { .. }
            );
            if is_judged {
                prop_assert_eq!(known.admit(&change.fact, change.effective_time, tick(LAST_TICK), &POLICY), Ok(()));
            }
            known.record(change);
        }
    }
}
