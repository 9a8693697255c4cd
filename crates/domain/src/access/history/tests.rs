//! That only the set of changes matters, and that what is admitted is legal.

use proptest::prelude::*;

use crate::access::testing::*;
use crate::access::{AccessChange, AccessFact, AccessHistory, AccessRole, ClientUserState, EmployeeSpell};
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
    // The first of the two stays removed.
    let spells = history.client_user_spells(hub(CLIENT), &address(ANNA));
    for (time, state) in expected.into_iter().filter(|(time, _)| at("2025-02-01T00:00:00Z") <= at(time)) {
        let of_the_first = if time < "2025-06-01T00:00:00Z" { state } else { ClientUserState::Removed };
        assert_eq!(spells[0].state_at(at(time)), of_the_first, "{time}");
    }
    assert_eq!(spells[1].state_at(at("2025-06-01T00:00:00Z")), ClientUserState::Active);
    assert_eq!(history.client_users(hub(CLIENT)).count(), 2);
    assert_eq!(history.client_users(hub(OTHER_CLIENT)).count(), 0);
}

#[test]
fn a_change_that_is_recorded_again_changes_nothing() {
    let link = ("2025-03-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA));
    let history = history_with([("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)), link]);
    for change in history.changes() {
        let mut again = history.clone();
        again.record(change.clone());
        assert_eq!(again, history, "{change:?}");
    }
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
    let removed_twice = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
    ]);
    let spells = removed_twice.client_user_spells(hub(CLIENT), &address(ANNA));
    assert_eq!(spells[0].period.end, Some(at("2025-03-01T00:00:00Z")));
}

#[test]
fn r63_the_country_of_a_client_is_dated_and_its_name_is_the_latest() {
    let history = history_with([
        ("2025-03-01T00:00:00Z", client_updated(CLIENT, "IN")),
        ("2025-04-01T00:00:00Z", client_updated(CLIENT, "FR")),
        ("2025-04-01T00:00:00Z", client_updated(CLIENT, "US")),
    ]);
    let client = history.client(hub(CLIENT)).expect("a known client");
    let expected = [
        ("2024-12-31T23:59:59.999999Z", None),
        ("2025-01-01T00:00:00Z", Some("IT")),
        ("2025-02-28T23:59:59.999999Z", Some("IT")),
        ("2025-03-01T00:00:00Z", Some("IN")),
        ("2025-03-31T23:59:59.999999Z", Some("IN")),
        ("2025-04-01T00:00:00Z", Some("US")),
    ];
    for (time, country) in expected {
        let country = country.map(|code| code.parse().expect("a country"));
        assert_eq!(client.country_at(at(time)), country, "{time}");
    }
    assert_eq!((client.country().as_str(), client.display_name.as_str()), ("US", "Updated"));
}

#[test]
fn r20_the_flag_of_an_employee_is_dated_and_its_name_and_role_are_the_latest() {
    let history = history_with([
        ("2025-02-01T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, true)),
        ("2025-04-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, false)),
        ("2025-05-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-06-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, true)),
    ]);
    let anna = history.employee(employee_id(1)).expect("a known employee");
    let expected = [
        ("2025-01-31T23:59:59.999999Z", false),
        ("2025-02-28T23:59:59.999999Z", false),
        ("2025-03-01T00:00:00Z", true),
        ("2025-03-31T23:59:59.999999Z", true),
        ("2025-04-01T00:00:00Z", false),
        ("2025-06-01T00:00:00Z", false),
    ];
    for (time, is_flagged) in expected {
        assert_eq!(anna.is_partner_employee(at(time)), is_flagged, "{time}");
    }
    assert_eq!(anna.first_flagged(), Some(at("2025-03-01T00:00:00Z")));
    assert_eq!((anna.display_name.as_str(), anna.access_role), ("Updated", AccessRole::SuperAdmin));
    let never = history_with([("2025-02-01T00:00:00Z", unflagged_added(PARTNER, 1, ANNA))]);
    assert_eq!(never.employee(employee_id(1)).and_then(EmployeeSpell::first_flagged), None);
}

#[test]
fn a_partner_and_a_client_user_are_what_their_latest_change_says() {
    let history = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_updated(CLIENT, 1, ANNA, "PARTNER_ADMIN")),
        (
            "2025-03-01T00:00:00Z",
            AccessFact::PartnerUpdated {
                partner: hub(PARTNER),
                display_name: Some("Agency".to_owned()),
                country: "FR".parse().ok(),
            },
        ),
    ]);
    let user = &history.client_user_spells(hub(CLIENT), &address(ANNA))[0];
    assert_eq!((user.display_name.as_str(), &user.permission_set), ("Updated", &permission_set("PARTNER_ADMIN")));
    let partner = history.partner(hub(PARTNER)).expect("a known partner");
    assert_eq!((partner.display_name.as_str(), partner.country.as_str()), ("Agency", "FR"));
}

#[test]
fn r26_a_client_exists_for_a_partner_that_has_or_had_somebody_or_something_there() {
    let exists = |facts: &[AccessFact]| {
        let base = base().into_iter().chain(facts.iter().map(|fact| ("2025-02-01T00:00:00Z", fact.clone())));
        let changes = base.zip(1..).map(|((time, fact), position)| change(position, at(time), fact));
        AccessHistory::from_changes(changes).exists_for(hub(CLIENT), hub(PARTNER))
    };
    let employed = employee_added(PARTNER, 1, ANNA);
    let added = user_added(CLIENT, 1, ANNA);
    assert!(!exists(&[]));
    assert!(!exists(std::slice::from_ref(&employed)));
    assert!(!exists(std::slice::from_ref(&added)));
    assert!(!exists(&[client_introduced(OTHER_CLIENT, PARTNER), client_introduced(CLIENT, OTHER_PARTNER)]));
    assert!(!exists(&[employee_added(OTHER_PARTNER, 1, ANNA), added.clone(), employee_added(PARTNER, 2, CARLA)]));
    assert!(exists(&[client_introduced(CLIENT, PARTNER)]));
    assert!(exists(&[employed.clone(), added.clone()]));
    assert!(exists(&[added.clone(), employed.clone()]));
    let both_gone = [user_removed(CLIENT, 1, ANNA), employee_deleted(PARTNER, 1, ANNA)];
    assert!(exists(&[&[employed.clone(), added][..], &both_gone[..]].concat()));
    assert!(exists(&[employed, linked(CLIENT, PARTNER, 1, ANNA), unlinked(CLIENT, PARTNER, 1, ANNA)]));
}

#[test]
fn r22_a_change_that_was_taken_back_is_as_if_it_had_not_been_made() {
    let facts = [
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", retracted(4, user_deactivated(CLIENT, 1, ANNA))),
    ];
    let history = history_with(facts);
    assert_eq!(history.changes().map(|change| change.position).collect::<Vec<_>>(), [1, 2, 3]);
    let state = history.client_user_state_at(hub(CLIENT), &address(ANNA), at("2025-03-01T00:00:00Z"));
    assert_eq!(state, ClientUserState::Active);
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
    fn r22_with_retractions_the_history_is_that_of_the_changes_that_were_not_taken_back(steps in steps()) {
        let log = legal_log(&steps);
        let remaining = AccessHistory::from_changes(counting(&log));
        let known = AccessHistory::from_changes(log);
        prop_assert_eq!(&known.records, &remaining.records);
        prop_assert!(known.changes().eq(remaining.changes()));
    }

    #[test]
    fn r63_the_country_at_an_instant_is_that_of_the_last_change_by_then(steps in steps()) {
        let mut ordered = counting(&legal_log(&steps));
        ordered.sort_by_key(|change| (change.effective_time, change.position));
        let known = AccessHistory::from_changes(ordered.clone());
        for (client, number) in CLIENTS.into_iter().flat_map(|client| (0..=LAST_TICK).map(move |number| (client, number))) {
            let country = |change: &AccessChange| match &change.fact {
                AccessFact::ClientAdded { client: of, country, .. } => (*of == hub(client)).then_some(*country),
                AccessFact::ClientUpdated { client: of, country, .. } => country.filter(|_| *of == hub(client)),
                _ => None,
            };
            let country = |change| country(change).filter(|_| change.effective_time <= tick(number));
            let expected = ordered.iter().filter_map(country).next_back();
            let found = known.client(hub(client)).and_then(|history| history.country_at(tick(number)));
            prop_assert_eq!(found, expected, "{}", number);
        }
    }

    #[test]
    fn r22_with_late_facts_the_whole_sequence_of_users_and_accounts_stays_legal(steps in steps()) {
        let mut ordered = counting(&legal_log(&steps));
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
                    | AccessFact::EmployeeUpdated { .. }
                    | AccessFact::EmployeeDeleted { .. }
                    | AccessFact::ServicesEnded { .. }
            );
            if is_judged {
                prop_assert_eq!(known.admit(&change.fact, change.effective_time, tick(LAST_TICK), &POLICY), Ok(()));
            }
            known.record(change);
        }
    }
}
