//! What may be taken back, what not, and what needs what.

use crate::access::testing::*;
use crate::access::{AccessFact, AccessHistory, AccessRefusal};

const NOW: &str = "2025-12-01T00:00:00Z";

/// Takes back the change at a position as it was recorded.
fn decide(known: &AccessHistory, position: u64) -> Result<(), AccessRefusal> {
    let change = known.change(position).expect("a change that counts");
    known.admit(&retracted(position, change.fact.clone()), change.effective_time, at(NOW), &POLICY)
}

/// Carla is an employee, linked, and user 1 of the client, at the positions 3, 4 and 5; then deactivated and unlinked.
fn known() -> AccessHistory {
    history_with([
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-03-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
        ("2025-04-01T00:00:00Z", user_added(CLIENT, 1, CARLA)),
        ("2025-05-01T00:00:00Z", user_deactivated(CLIENT, 1, CARLA)),
        ("2025-06-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, CARLA)),
    ])
}

#[test]
fn r22_the_last_change_of_a_sequence_can_be_taken_back_and_then_the_one_before_it() {
    let mut known = known();
    for (position, time) in [(7, "2025-06-01T00:00:00Z"), (6, "2025-05-01T00:00:00Z"), (5, "2025-04-01T00:00:00Z")] {
        assert_eq!(decide(&known, position), Ok(()), "{position}");
        let fact = known.change(position).expect("a change that counts").fact.clone();
        known.record(change(position + 10, at(time), retracted(position, fact)));
    }
    assert_eq!(known.changes().count(), 4);
    assert_eq!(known.client_users(hub(CLIENT)).count(), 0);
}

#[test]
fn r22_what_a_later_change_needs_is_not_taken_back_and_the_change_is_named() {
    let refused = [
        (1, "2025-02-01T00:00:00Z", "carla@gmail.com becomes employee of 1001"),
        (2, "2025-03-01T00:00:00Z", "client 2001 is linked to carla@gmail.com"),
        (3, "2025-03-01T00:00:00Z", "client 2001 is linked to carla@gmail.com"),
        (4, "2025-06-01T00:00:00Z", "client 2001 is unlinked from carla@gmail.com"),
        (5, "2025-05-01T00:00:00Z", "carla@gmail.com is deactivated in client 2001"),
    ];
    for (position, time, expected) in refused {
        match decide(&known(), position) {
            Err(AccessRefusal::StillNeeded { position: named, later_time, transition, .. }) => {
                assert_eq!((named, later_time, transition.as_str()), (position, at(time), expected));
            }
            other => panic!("{position}: {other:?}"),
        }
    }
    let refusal = decide(&known(), 4).expect_err("the unlink needs the link");
    assert_eq!(
        refusal.to_string(),
        "change 4 cannot be taken back: change 7 (client 2001 is unlinked from carla@gmail.com at \
         2025-06-01T00:00:00Z) needs it (client 2001 is not assigned to carla@gmail.com at 2025-06-01T00:00:00Z; there \
         is nothing to unlink); take change 7 back first"
    );
    assert_eq!(refusal.field(), "position");
}

#[test]
fn r22_of_one_instant_a_change_that_was_recorded_later_is_a_later_one() {
    let at_once = history_with([
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ]);
    assert!(matches!(decide(&at_once, 3), Err(AccessRefusal::StillNeeded { .. })));
    assert_eq!(decide(&at_once, 4), Ok(()));
}

#[test]
fn r22_taking_back_an_end_brings_back_what_it_ended_unless_that_was_given_to_another() {
    let twice = history_with([
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_added(CLIENT, 2, ANNA)),
    ]);
    assert!(matches!(decide(&twice, 4), Err(AccessRefusal::StillNeeded { .. })));
    let domain_passed_on = history_with([
        ("2025-02-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-03-01T00:00:00Z", partner_left(PARTNER)),
        ("2025-04-01T00:00:00Z", domains_set(OTHER_PARTNER, &["agency.example"])),
    ]);
    match decide(&domain_passed_on, 4) {
        Err(AccessRefusal::StillNeeded { because, .. }) => {
            assert!(matches!(*because, AccessRefusal::DomainTaken { .. }), "{because:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn r76_an_end_of_services_needs_what_it_ended() {
    let facts = |first| {
        history_with([
            ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
            ("2025-03-01T00:00:00Z", first),
            ("2025-04-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ])
    };
    for first in [user_added(CLIENT, 1, ANNA), client_introduced(CLIENT, PARTNER), linked(CLIENT, PARTNER, 1, ANNA)] {
        let known = facts(first);
        match decide(&known, 4) {
            Err(AccessRefusal::StillNeeded { because, .. }) => {
                let expected = AccessRefusal::NothingToEnd { client: hub(CLIENT), partner: hub(PARTNER) };
                assert_eq!(*because, expected);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(decide(&known, 5), Ok(()));
    }
    // The employee whose user was the one thing between the two.
    assert!(matches!(decide(&facts(user_added(CLIENT, 1, ANNA)), 3), Err(AccessRefusal::StillNeeded { .. })));
    // A link made again after the end would be one of a client that is assigned already.
    let mut again = facts(linked(CLIENT, PARTNER, 1, ANNA));
    again.record(change(6, at("2025-05-01T00:00:00Z"), linked(CLIENT, PARTNER, 1, ANNA)));
    assert!(matches!(decide(&again, 5), Err(AccessRefusal::StillNeeded { .. })));
}

#[test]
fn only_what_was_recorded_can_be_taken_back_at_its_time_and_once() {
    let mut known = known();
    let unlink = unlinked(CLIENT, PARTNER, 1, CARLA);
    let decide = |known: &AccessHistory, time: &str, fact: &AccessFact| known.admit(fact, at(time), at(NOW), &POLICY);
    let time = "2025-06-01T00:00:00Z";
    let unknown = |position| Err(AccessRefusal::UnknownChange { position });
    assert_eq!(decide(&known, time, &retracted(70, unlink.clone())), unknown(70));
    assert_eq!(decide(&known, time, &retracted(7, unlinked(CLIENT, PARTNER, 1, ANNA))), unknown(7));
    let other_time = AccessRefusal::RetractionAtOtherTime { position: 7, effective_time: at(time) };
    assert_eq!(decide(&known, "2025-06-01T00:00:01Z", &retracted(7, unlink.clone())), Err(other_time.clone()));
    assert_eq!(other_time.to_string(), "change 7 was effective 2025-06-01T00:00:00Z, and so must its retraction be");
    known.record(change(8, at(time), retracted(7, unlink.clone())));
    let again = AccessRefusal::AlreadyRetracted { position: 7 };
    assert_eq!(decide(&known, time, &retracted(7, unlink)), Err(again));
}

#[test]
fn what_others_hold_in_their_hands_stays() {
    let reassigned = assets_reassigned(CLIENT, 1, CARLA, None);
    let erased = AccessFact::AddressErased { pseudonym: address("erased-1@gmail.com"), first_position: 1 };
    let link = access_link_id(1);
    let (partner, employee, address) = (hub(PARTNER), employee_id(1), address(CARLA));
    let facts = [
        reassigned,
        erased,
        access_link_created(PARTNER, 1, CARLA, link),
        AccessFact::AccessLinkRevoked { partner, employee, address: address.clone(), link },
        AccessFact::AccessLinkApproved { client: hub(CLIENT), partner, employee, address, link },
        retracted(1, partner_added(PARTNER, &["agency.example"])),
    ];
    let mut known = known();
    for (fact, position) in facts.into_iter().zip(20..) {
        known.record(change(position, at("2025-07-01T00:00:00Z"), fact.clone()));
        let refusal = known.admit(&retracted(position, fact), at("2025-07-01T00:00:00Z"), at(NOW), &POLICY);
        assert_eq!(refusal, Err(AccessRefusal::NotRetractable { position }));
    }
}
