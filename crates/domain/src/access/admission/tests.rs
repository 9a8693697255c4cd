//! Every refusal, and what is accepted beside it.

use super::*;
use crate::access::testing::*;
use crate::access::{Assignment, AssignmentOrigin, AssignmentState, PermissionSet};

const NOW: &str = "2025-12-01T00:00:00Z";

fn decide(known: &AccessHistory, time: &str, fact: &AccessFact) -> Result<(), AccessRefusal> {
    known.admit(fact, at(time), at(NOW), &POLICY)
}

/// Anna is an employee and was user 1 of the client in February, deactivated from the 15th on.
fn known() -> AccessHistory {
    history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &["studio.example"])),
        ("2025-01-10T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-10T00:00:00Z", employee_added(PARTNER, 2, CARLA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-02-15T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
    ])
}

#[test]
fn r22_nothing_is_recorded_ahead_of_its_time() {
    let fact = client_added(OTHER_CLIENT);
    let ahead = AccessRefusal::EffectiveTimeAhead { effective_time: at("2025-12-01T00:00:00.000001Z"), now: at(NOW) };
    assert_eq!(decide(&known(), NOW, &fact), Ok(()));
    assert_eq!(decide(&known(), "2025-12-01T00:00:00.000001Z", &fact), Err(ahead));
}

#[test]
fn a_partner_or_client_that_exists_names_what_differs() {
    let since = at("2025-01-01T00:00:00Z");
    let exists = |differing_fields| AccessRefusal::PartnerExists { partner: hub(PARTNER), since, differing_fields };
    let same = partner_added(PARTNER, &["agency.example"]);
    let other = AccessFact::PartnerAdded {
        partner: hub(PARTNER),
        display_name: "Another".to_owned(),
        country: "FR".parse().expect("a country"),
        email_domains: domains(&[]),
    };
    // Also where the effective time lies before the existing one's.
    for time in [NOW, "2024-01-01T00:00:00Z"] {
        assert_eq!(decide(&known(), time, &same), Err(exists(vec![])));
        assert_eq!(decide(&known(), time, &other), Err(exists(vec!["display_name", "country", "email_domains"])));
    }

    let exists = |differing_fields| AccessRefusal::ClientExists { client: hub(CLIENT), since, differing_fields };
    let other = AccessFact::ClientAdded {
        client: hub(CLIENT),
        display_name: "Client 2001".to_owned(),
        country: "FR".parse().expect("a country"),
    };
    assert_eq!(decide(&known(), NOW, &client_added(CLIENT)), Err(exists(vec![])));
    assert_eq!(decide(&known(), NOW, &other), Err(exists(vec!["country"])));
}

#[test]
fn an_employee_that_is_there_is_given_with_its_id() {
    let exists = |differing_fields| AccessRefusal::EmployeeExists {
        partner: hub(PARTNER),
        address: address(ANNA),
        employee: employee_id(1),
        since: at("2025-01-10T00:00:00Z"),
        differing_fields,
    };
    assert_eq!(decide(&known(), NOW, &employee_added(PARTNER, 9, ANNA)), Err(exists(vec![])));
    assert_eq!(decide(&known(), NOW, &unflagged_added(PARTNER, 9, ANNA)), Err(exists(vec!["partner_employee"])));
    let mut updated = known();
    updated.record(change(20, at("2025-06-01T00:00:00Z"), employee_updated(PARTNER, 1, ANNA, false)));
    let differing_now = exists(vec!["display_name", "partner_employee", "access_role"]);
    assert_eq!(decide(&updated, NOW, &employee_added(PARTNER, 9, ANNA)), Err(differing_now));
    assert_eq!(decide(&known(), NOW, &employee_added(OTHER_PARTNER, 9, CARLA)), Ok(()));
}

#[test]
fn a_client_user_that_is_there_is_given_with_its_id_and_state() {
    let exists = |state, differing_fields| AccessRefusal::ClientUserExists {
        client: hub(CLIENT),
        address: address(ANNA),
        user: user_id(1),
        state,
        since: at("2025-02-01T00:00:00Z"),
        differing_fields,
    };
    let same = user_added(CLIENT, 9, ANNA);
    let admin = AccessFact::ClientUserAdded {
        client: hub(CLIENT),
        user: user_id(9),
        address: address(ANNA),
        display_name: "Anna".to_owned(),
        permission_set: PermissionSet::partner_admin(),
    };
    let active = exists(ClientUserState::Active, vec![]);
    assert_eq!(decide(&known(), "2025-02-14T23:59:59.999999Z", &same), Err(active));
    let deactivated = exists(ClientUserState::Deactivated, vec!["display_name", "permission_set"]);
    assert_eq!(decide(&known(), "2025-02-15T00:00:00Z", &admin), Err(deactivated));
    assert_eq!(decide(&known(), "2025-03-01T00:00:00Z", &same), Ok(()));
}

#[test]
fn a_partner_and_a_client_are_there_from_their_instant_until_they_leave_or_close() {
    let (since, gone) = (at("2025-01-01T00:00:00Z"), at("2025-07-01T00:00:00Z"));
    let history = history_with([
        ("2025-07-01T00:00:00Z", partner_left(PARTNER)),
        ("2025-07-01T00:00:00Z", client_closed(CLIENT)),
    ]);
    for (time, absence) in [
        ("2024-12-31T23:59:59.999999Z", Some(Absence::OnlyFrom(since))),
        ("2025-01-01T00:00:00Z", None),
        ("2025-06-30T23:59:59.999999Z", None),
        ("2025-07-01T00:00:00Z", Some(Absence::GoneSince(gone))),
    ] {
        let expected = |subject| absence.map_or(Ok(()), |absence| Err(AccessRefusal::Unknown { subject, absence }));
        let (partner, client) = (hub(PARTNER), hub(CLIENT));
        assert_eq!(history.require_partner(partner, at(time)), expected(Subject::Partner(partner)), "{time}");
        assert_eq!(history.require_client(client, at(time)), expected(Subject::Client(client)), "{time}");
    }
    let other = hub(OTHER_CLIENT);
    let unknown = AccessRefusal::Unknown { subject: Subject::Client(other), absence: Absence::NotKnown };
    assert_eq!(history.require_client(other, at(NOW)), Err(unknown));
}

#[test]
fn what_is_not_there_at_the_effective_time_is_unknown_in_its_way() {
    let late = history_with([
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-06-01T00:00:00Z", employee_deleted(PARTNER, 1, CARLA)),
        ("2025-07-01T00:00:00Z", partner_left(PARTNER)),
        ("2025-07-01T00:00:00Z", client_closed(CLIENT)),
    ]);
    let employee = || Subject::Employee { partner: hub(PARTNER), employee: employee_id(1), address: address(CARLA) };
    let (since, gone) = (at("2025-01-01T00:00:00Z"), at("2025-07-01T00:00:00Z"));
    let link = linked(CLIENT, PARTNER, 1, CARLA);
    let cases = [
        (NOW, partner_left(OTHER_PARTNER), Subject::Partner(hub(OTHER_PARTNER)), Absence::NotKnown),
        (
            "2024-12-31T00:00:00Z",
            employee_added(PARTNER, 9, ANNA),
            Subject::Partner(hub(PARTNER)),
            Absence::OnlyFrom(since),
        ),
        ("2025-07-01T00:00:00Z", domains_set(PARTNER, &[]), Subject::Partner(hub(PARTNER)), Absence::GoneSince(gone)),
        (NOW, user_added(OTHER_CLIENT, 9, ANNA), Subject::Client(hub(OTHER_CLIENT)), Absence::NotKnown),
        ("2024-12-31T00:00:00Z", user_added(CLIENT, 9, ANNA), Subject::Client(hub(CLIENT)), Absence::OnlyFrom(since)),
        ("2025-07-01T00:00:00Z", client_closed(CLIENT), Subject::Client(hub(CLIENT)), Absence::GoneSince(gone)),
        ("2025-01-31T00:00:00Z", link.clone(), employee(), Absence::OnlyFrom(at("2025-02-01T00:00:00Z"))),
        ("2025-06-01T00:00:00Z", link, employee(), Absence::GoneSince(at("2025-06-01T00:00:00Z"))),
        (
            "2025-06-01T00:00:00Z",
            employee_deleted(PARTNER, 1, CARLA),
            employee(),
            Absence::GoneSince(at("2025-06-01T00:00:00Z")),
        ),
    ];
    for (time, fact, subject, absence) in cases {
        assert_eq!(decide(&late, time, &fact), Err(AccessRefusal::Unknown { subject, absence }), "{fact:?}");
    }
}

#[test]
fn r37_an_email_domain_belongs_to_one_partner_and_is_no_shared_providers() {
    let taken =
        AccessRefusal::DomainTaken { domain: "studio.example".parse().expect("a domain"), holder: hub(OTHER_PARTNER) };
    let shared = AccessRefusal::SharedMailDomain { domain: "gmail.com".parse().expect("a domain") };
    assert_eq!(decide(&known(), NOW, &domains_set(PARTNER, &["studio.example"])), Err(taken.clone()));
    assert_eq!(decide(&known(), NOW, &partner_added(1003, &["studio.example"])), Err(taken));
    assert_eq!(decide(&known(), NOW, &domains_set(PARTNER, &["gmail.com"])), Err(shared));
    assert_eq!(decide(&known(), NOW, &domains_set(PARTNER, &["agency.example", "new.example"])), Ok(()));
    let mut left = known();
    left.record(change(20, at("2025-06-01T00:00:00Z"), partner_left(OTHER_PARTNER)));
    assert_eq!(decide(&left, NOW, &domains_set(PARTNER, &["studio.example"])), Ok(()));
}

#[test]
fn r37_an_address_in_another_partners_domain_is_refused() {
    let foreign =
        AccessRefusal::AddressInForeignDomain { address: address("dario@studio.example"), holder: hub(OTHER_PARTNER) };
    assert_eq!(decide(&known(), NOW, &employee_added(PARTNER, 9, "dario@studio.example")), Err(foreign));
    assert_eq!(decide(&known(), NOW, &employee_added(OTHER_PARTNER, 9, "dario@studio.example")), Ok(()));
}

#[test]
fn r24_a_client_that_is_assigned_is_not_linked_again_and_one_that_is_not_is_not_unlinked() {
    let (link, unlink) = (linked(CLIENT, PARTNER, 1, ANNA), unlinked(CLIENT, PARTNER, 1, ANNA));
    let automatic = AccessRefusal::AlreadyAssigned {
        client: hub(CLIENT),
        address: address(ANNA),
        assignment: Assignment {
            employee: employee_id(1),
            period: Period::since(at("2025-02-01T00:00:00Z")),
            origin: AssignmentOrigin::Automatic,
            state: AssignmentState::Effective,
        },
    };
    let not_assigned = |time| AccessRefusal::NotAssigned { client: hub(CLIENT), address: address(ANNA), at: at(time) };
    assert_eq!(decide(&known(), "2025-02-14T00:00:00Z", &link), Err(automatic));
    assert_eq!(decide(&known(), NOW, &link), Ok(()));
    assert_eq!(decide(&known(), NOW, &unlink), Err(not_assigned(NOW)));
    assert_eq!(decide(&known(), "2025-02-20T00:00:00Z", &unlink), Ok(()));

    let mut linked_late = known();
    linked_late.record(change(20, at("2025-06-01T00:00:00Z"), link.clone()));
    let refusal = decide(&linked_late, NOW, &link).expect_err("it is linked");
    assert_eq!(
        refusal.to_string(),
        "client 2001 is assigned to anna@agency.example already, by hand and waiting for a user there since \
         2025-06-01T00:00:00Z"
    );
    assert_eq!(decide(&linked_late, NOW, &unlink), Ok(()));
}

#[test]
fn r39_each_transition_needs_its_state() {
    let transitions = [
        (user_deactivated(CLIENT, 1, ANNA), "deactivate", "active"),
        (user_reactivated(CLIENT, 1, ANNA), "reactivate", "deactivated"),
        (user_removed(CLIENT, 1, ANNA), "remove", "active or deactivated"),
    ];
    let never_there = history_with([]);
    let active = history_with([("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA))]);
    let mut deactivated = active.clone();
    deactivated.record(change(20, at("2025-03-01T00:00:00Z"), user_deactivated(CLIENT, 1, ANNA)));
    let states = [
        (never_there, ClientUserState::None, [false, false, false]),
        (active, ClientUserState::Active, [true, false, true]),
        (deactivated, ClientUserState::Deactivated, [false, true, true]),
        (known(), ClientUserState::Removed, [false, false, false]),
    ];
    for (known, state, is_legal) in states {
        for ((fact, transition, required), is_legal) in transitions.iter().zip(is_legal) {
            let refusal = AccessRefusal::IllegalTransition {
                client: hub(CLIENT),
                address: address(ANNA),
                state,
                transition,
                required,
            };
            let expected = if is_legal { Ok(()) } else { Err(refusal) };
            assert_eq!(decide(&known, NOW, fact), expected, "{transition} one that is {state}");
        }
    }
}

#[test]
fn r39_a_removed_user_stays_removed_when_its_address_is_added_again() {
    let mut again = known();
    again.record(change(20, at("2025-04-01T00:00:00Z"), user_added(CLIENT, 2, ANNA)));
    let state_of = |user| match decide(&again, NOW, &user_deactivated(CLIENT, user, ANNA)) {
        Err(AccessRefusal::IllegalTransition { state, .. }) => Some(state),
        _ => None,
    };
    assert_eq!(state_of(1), Some(ClientUserState::Removed));
    assert_eq!(state_of(2), None);
    assert_eq!(state_of(3), Some(ClientUserState::None));
}

#[test]
fn r22_an_earlier_time_is_refused_where_a_later_change_would_become_illegal() {
    let active = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
    ]);
    let refusal = decide(&active, "2025-02-15T00:00:00Z", &user_removed(CLIENT, 1, ANNA)).expect_err("too early");
    assert_eq!(
        refusal.to_string(),
        "effective 2025-02-15T00:00:00Z, this would make a later change impossible: anna@agency.example is \
         deactivated in client 2001 at 2025-03-01T00:00:00Z (cannot deactivate anna@agency.example in client 2001: \
         it is removed there, and must be active); choose a later time"
    );
    assert_eq!(refusal.field(), "effective_time");
    assert_eq!(decide(&active, "2025-03-01T00:00:00Z", &user_removed(CLIENT, 1, ANNA)), Ok(()));
    assert_eq!(decide(&active, "2025-02-15T00:00:00Z", &user_added(CLIENT, 9, BRUNO)), Ok(()));
}

#[test]
fn r22_every_key_has_a_sequence_that_stays_legal() {
    let known = history_with([
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-04-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
        ("2025-05-01T00:00:00Z", user_added(CLIENT, 1, CARLA)),
        ("2025-06-01T00:00:00Z", partner_added(OTHER_PARTNER, &["studio.example"])),
    ]);
    let refused = [
        ("2025-02-01T00:00:00Z", partner_left(PARTNER), "2025-03-01T00:00:00Z"),
        ("2025-02-01T00:00:00Z", client_closed(CLIENT), "2025-04-01T00:00:00Z"),
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 9, CARLA), "2025-03-01T00:00:00Z"),
        ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, CARLA), "2025-04-01T00:00:00Z"),
        ("2025-03-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA), "2025-04-01T00:00:00Z"),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 9, CARLA), "2025-05-01T00:00:00Z"),
        ("2025-02-01T00:00:00Z", domains_set(PARTNER, &["studio.example"]), "2025-06-01T00:00:00Z"),
        ("2025-02-01T00:00:00Z", partner_added(1003, &["studio.example"]), "2025-06-01T00:00:00Z"),
    ];
    for (time, fact, expected) in refused {
        match decide(&known, time, &fact) {
            Err(AccessRefusal::IllegalSequence { later_time, .. }) => assert_eq!(later_time, at(expected), "{fact:?}"),
            other => panic!("{fact:?}: {other:?}"),
        }
    }
    assert_eq!(decide(&known, "2025-02-01T00:00:00Z", &employee_added(PARTNER, 9, ANNA)), Ok(()));
    assert_eq!(decide(&known, "2025-02-01T00:00:00Z", &client_added(OTHER_CLIENT)), Ok(()));
}

#[test]
fn r22_links_are_a_sequence_of_their_own_that_a_late_user_does_not_contest() {
    // With the user of February, the link of March says again what the domain had assigned already.
    let known = history_with([
        ("2025-01-10T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
    ]);
    assert_eq!(decide(&known, "2025-02-01T00:00:00Z", &user_added(CLIENT, 1, ANNA)), Ok(()));
}

#[test]
fn r22_a_late_fact_that_breaks_a_later_one_in_another_way_than_before_is_refused() {
    // Bruno of the studio became an employee of the agency before anybody knew of the studio's domain.
    let known = history_with([
        ("2025-06-01T00:00:00Z", employee_added(PARTNER, 1, "bruno@studio.example")),
        ("2025-02-01T00:00:00Z", partner_added(OTHER_PARTNER, &["studio.example"])),
    ]);
    let twice = decide(&known, "2025-01-15T00:00:00Z", &employee_added(PARTNER, 2, "bruno@studio.example"));
    assert!(matches!(twice, Err(AccessRefusal::IllegalSequence { .. })), "{twice:?}");
}

/// Anna is an employee and user 1 of the client since March.
fn anna_there() -> AccessHistory {
    history_with([
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ])
}

#[test]
fn what_is_updated_must_be_there_at_the_effective_time() {
    let partner_updated = |partner| AccessFact::PartnerUpdated {
        partner: hub(partner),
        display_name: Some("Agency".to_owned()),
        country: "FR".parse().ok(),
    };
    let known = anna_there();
    let accepted = [
        partner_updated(PARTNER),
        client_updated(CLIENT, "FR"),
        employee_updated(PARTNER, 1, ANNA, false),
        user_updated(CLIENT, 1, ANNA, "PARTNER_ADMIN"),
    ];
    for fact in accepted {
        assert_eq!(decide(&known, "2025-03-01T00:00:00Z", &fact), Ok(()), "{fact:?}");
        let too_early = decide(&known, "2024-12-31T23:59:59.999999Z", &fact);
        assert!(too_early.is_err(), "{fact:?}");
    }
    let unknown = |subject| Err(AccessRefusal::Unknown { subject, absence: Absence::NotKnown });
    assert_eq!(decide(&known, NOW, &partner_updated(1003)), unknown(Subject::Partner(hub(1003))));
    assert_eq!(decide(&known, NOW, &client_updated(OTHER_CLIENT, "FR")), unknown(Subject::Client(hub(OTHER_CLIENT))));
    let subject = Subject::Employee { partner: hub(PARTNER), employee: employee_id(2), address: address(ANNA) };
    assert_eq!(decide(&known, NOW, &employee_updated(PARTNER, 2, ANNA, true)), unknown(subject));
    let mut gone = known;
    gone.record(change(8, at("2025-04-01T00:00:00Z"), user_deactivated(CLIENT, 1, ANNA)));
    assert_eq!(decide(&gone, NOW, &user_updated(CLIENT, 1, ANNA, "STANDARD")), Ok(()));
    gone.record(change(9, at("2025-05-01T00:00:00Z"), user_removed(CLIENT, 1, ANNA)));
    let refusal = decide(&gone, NOW, &user_updated(CLIENT, 1, ANNA, "STANDARD")).expect_err("she is removed");
    assert_eq!(
        refusal.to_string(),
        "cannot update anna@agency.example in client 2001: it is removed there, and must be active or deactivated"
    );
}

#[test]
fn r36_a_permission_set_is_one_that_the_policy_knows_at_the_effective_time() {
    // The embedded document, where VIEW_ONLY begins in April.
    let document = include_str!("../../../policy.toml");
    let (before, after) = document.split_once("name = \"VIEW_ONLY\"").expect("a set of that name");
    let (before, between) = before.rsplit_once("0001-01-01").expect("from when on it is there");
    let policy = Policy::parse(&format!("{before}2025-04-01{between}name = \"VIEW_ONLY\"{after}"));
    let policy = policy.expect("a valid document");
    let known = anna_there();
    let added = |set| user_with_set(CLIENT, 2, BRUNO, set);
    let refused = |time: &str, fact: &AccessFact| known.admit(fact, at(time), at(NOW), &policy);
    for fact in [added("VIEW_ONLY"), user_updated(CLIENT, 1, ANNA, "VIEW_ONLY")] {
        assert_eq!(refused("2025-04-01T00:00:00Z", &fact), Ok(()));
        let refusal = refused("2025-03-31T23:59:59.999999Z", &fact).expect_err("it begins in April");
        assert!(matches!(refusal, AccessRefusal::UnknownPermissionSet { .. }), "{refusal:?}");
    }
    let refusal = decide(&known, NOW, &added("WIZARD")).expect_err("no such set");
    assert_eq!(refusal.field(), "permission_set");
    let text = refusal.to_string();
    assert!(text.starts_with("there is no permission set WIZARD at 2025-12-01T00:00:00Z; there are "), "{text}");
    assert!(text.contains("PARTNER_ADMIN") && text.contains("STANDARD"), "{text}");
}

#[test]
fn r26_a_client_is_introduced_once() {
    let mut known = anna_there();
    let introduced = client_introduced(CLIENT, PARTNER);
    assert_eq!(decide(&known, NOW, &introduced), Ok(()));
    known.record(change(8, at("2025-04-01T00:00:00Z"), introduced.clone()));
    let since = at("2025-04-01T00:00:00Z");
    let refusal = AccessRefusal::AlreadyIntroduced { client: hub(CLIENT), partner: hub(PARTNER), since };
    assert_eq!(refusal.field(), "client");
    assert_eq!(decide(&known, NOW, &introduced), Err(refusal));
    let earlier = decide(&known, "2025-03-01T00:00:00Z", &introduced);
    assert!(matches!(earlier, Err(AccessRefusal::IllegalSequence { .. })), "{earlier:?}");
    assert!(decide(&known, NOW, &client_introduced(OTHER_CLIENT, PARTNER)).is_err());
}

#[test]
fn r76_services_are_ended_where_there_is_something_to_end() {
    let known = anna_there();
    let ended = services_ended(CLIENT, PARTNER);
    assert_eq!(decide(&known, "2025-03-01T00:00:00Z", &ended), Ok(()));
    let nothing = AccessRefusal::NothingToEnd { client: hub(CLIENT), partner: hub(PARTNER) };
    assert_eq!(nothing.field(), "client");
    assert_eq!(decide(&known, "2025-02-28T23:59:59.999999Z", &ended), Err(nothing));
    assert!(matches!(decide(&known, NOW, &services_ended(CLIENT, 1003)), Err(AccessRefusal::Unknown { .. })));
    // An unlink by hand that follows has nothing to unlink, if the services ended before it.
    let mut unlinked_later = known;
    unlinked_later.record(change(8, at("2025-05-01T00:00:00Z"), unlinked(CLIENT, PARTNER, 1, ANNA)));
    let late = decide(&unlinked_later, "2025-04-01T00:00:00Z", &ended);
    assert!(matches!(late, Err(AccessRefusal::IllegalSequence { .. })), "{late:?}");
    assert_eq!(decide(&unlinked_later, "2025-05-01T00:00:00Z", &ended), Ok(()));
}

#[test]
fn r30_r31_an_access_link_is_of_an_employee_who_is_there_and_can_always_be_revoked() {
    let mut known = anna_there();
    known.record(change(8, at("2025-06-01T00:00:00Z"), employee_deleted(PARTNER, 1, ANNA)));
    let link = access_link_id(1);
    let (partner, employee, address) = (hub(PARTNER), employee_id(1), address(ANNA));
    let created = access_link_created(PARTNER, 1, ANNA, link);
    let approved_by = |client| {
        let address = address.clone();
        AccessFact::AccessLinkApproved { client: hub(client), partner, employee, address, link }
    };
    let revoked = |employee| AccessFact::AccessLinkRevoked { partner, employee, address: address.clone(), link };
    for fact in [created, approved_by(CLIENT)] {
        assert_eq!(decide(&known, "2025-05-31T23:59:59.999999Z", &fact), Ok(()));
        let gone = decide(&known, "2025-06-01T00:00:00Z", &fact);
        assert!(matches!(gone, Err(AccessRefusal::Unknown { absence: Absence::GoneSince(_), .. })), "{gone:?}");
    }
    assert!(decide(&known, "2025-04-01T00:00:00Z", &approved_by(OTHER_CLIENT)).is_err());
    assert_eq!(decide(&known, NOW, &revoked(employee)), Ok(()));
    assert!(decide(&known, NOW, &revoked(employee_id(9))).is_err());
}

#[test]
fn r41_assets_are_reassigned_from_whoever_ever_was_a_user_there() {
    let mut known = anna_there();
    known.record(change(8, at("2025-06-01T00:00:00Z"), user_removed(CLIENT, 1, ANNA)));
    for time in ["2025-03-01T00:00:00Z", "2025-06-01T00:00:00Z", NOW] {
        assert_eq!(decide(&known, time, &assets_reassigned(CLIENT, 1, ANNA, None)), Ok(()), "{time}");
    }
    for unknown in [assets_reassigned(CLIENT, 1, BRUNO, None), assets_reassigned(OTHER_CLIENT, 1, ANNA, None)] {
        assert!(matches!(decide(&known, NOW, &unknown), Err(AccessRefusal::IllegalTransition { .. })));
    }
}

#[test]
fn r128_an_erasure_is_always_admitted() {
    let erased = AccessFact::AddressErased { pseudonym: address("erased-1@agency.example"), first_position: 1 };
    assert_eq!(decide(&AccessHistory::default(), NOW, &erased), Ok(()));
    assert_eq!(decide(&known(), "2024-01-01T00:00:00Z", &erased), Ok(()));
}

#[test]
fn r22_a_change_that_was_taken_back_stands_in_nobodys_way() {
    let mut known = anna_there();
    assert!(decide(&known, NOW, &user_added(CLIENT, 2, ANNA)).is_err());
    known.record(change(8, at("2025-03-01T00:00:00Z"), retracted(4, user_added(CLIENT, 1, ANNA))));
    assert_eq!(decide(&known, NOW, &user_added(CLIENT, 2, ANNA)), Ok(()));
    assert_eq!(decide(&known, "2025-01-15T00:00:00Z", &user_added(CLIENT, 2, ANNA)), Ok(()));
}

#[test]
fn a_refusal_says_what_would_be_right() {
    let texts = [
        (
            services_ended(CLIENT, OTHER_PARTNER),
            "client",
            "partner 1002 has and had no user, link or introduction in client 2001; there is nothing to end",
        ),
        (
            user_removed(CLIENT, 9, BRUNO),
            "address",
            "cannot remove bruno@agency.example in client 2001: it is not a user there, and must be active or \
             deactivated",
        ),
        (employee_added(1003, 9, ANNA), "partner", "partner 1003 is not known; it must be created first"),
        (client_added(CLIENT), "client", "client 2001 exists already, since 2025-01-01T00:00:00Z"),
        (
            domains_set(PARTNER, &["gmail.com"]),
            "email_domains",
            "gmail.com is the domain of a shared mail provider; an employee domain is the partner's own",
        ),
        (
            unlinked(CLIENT, PARTNER, 2, CARLA),
            "employee",
            "client 2001 is not assigned to carla@gmail.com at 2025-12-01T00:00:00Z; there is nothing to unlink",
        ),
        (
            unflagged_added(PARTNER, 9, ANNA),
            "address",
            "anna@agency.example is an employee of partner 1001 already, since 2025-01-10T00:00:00Z, with another \
             partner_employee",
        ),
    ];
    for (fact, field, text) in texts {
        let refusal = decide(&known(), NOW, &fact).expect_err("refused");
        assert_eq!((refusal.field(), refusal.to_string().as_str()), (field, text));
    }
}
