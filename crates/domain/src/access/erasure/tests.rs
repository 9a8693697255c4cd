//! That an erasure takes the person out and leaves every figure as it was.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::access::testing::*;
use crate::access::{AccessHistory, Audit};
use crate::activity::{Activity, ActivityAction, CatalogueAction, Origin, judge};
use crate::testing::cases;

fn pseudonym(text: &str) -> EmailAddress {
    address(text).pseudonym(Uuid::from_u128(7))
}

#[test]
fn r128_a_pseudonym_keeps_the_domain_and_is_an_address() {
    let expected = "erased-00000000000000000000000000000007@agency.example";
    assert_eq!(pseudonym(ANNA).as_str(), expected);
    assert_eq!(expected.parse(), Ok(pseudonym(ANNA)));
    let label = "a".repeat(63);
    let longest = format!("x@{label}.{label}.{label}.{}.example", "b".repeat(14));
    let longest_address = address(&longest);
    assert_eq!(longest_address.domain_text().len(), 214);
    assert_eq!(pseudonym(&longest).as_str().parse(), Ok(pseudonym(&longest)));
    assert!(longest.replace("bb.example", "bbb.example").parse::<EmailAddress>().is_err());
}

#[test]
fn r128_an_address_is_replaced_wherever_it_stands() {
    let (anna, carla, to) = (address(ANNA), address(CARLA), pseudonym(ANNA));
    let about = |text: &str, actor: &EmailAddress, principal: &EmailAddress| AccessChange {
        actor: Actor::Person(actor.clone()),
        audit: Audit {
            on_behalf_of: Some(principal.clone()),
            reason: "leaves us".to_owned(),
            new_state: "ACTIVE STANDARD".to_owned(),
            ..Audit::default()
        },
        ..change(1, at("2025-02-01T00:00:00Z"), user_added(CLIENT, 1, text))
    };
    let replaced = about(ANNA, &anna, &carla).with_address_replaced(&anna, &to);
    assert_eq!(replaced.actor, Actor::Person(to.clone()));
    assert_eq!(replaced.audit.on_behalf_of, Some(carla.clone()));
    assert_eq!((replaced.audit.reason.as_str(), replaced.audit.new_state.as_str()), ("", "ACTIVE STANDARD"));
    let expected = AccessFact::ClientUserAdded {
        client: hub(CLIENT),
        user: user_id(1),
        address: to.clone(),
        display_name: "erased-00000000000000000000000000000007".to_owned(),
        permission_set: permission_set("STANDARD"),
    };
    assert_eq!(replaced.fact, expected);

    let by_carla = about(CARLA, &carla, &anna).with_address_replaced(&anna, &to);
    assert_eq!(by_carla.fact, user_added(CLIENT, 1, CARLA));
    assert_eq!(by_carla.actor, Actor::Person(carla));
    assert_eq!((by_carla.audit.on_behalf_of, by_carla.audit.reason.as_str()), (Some(to.clone()), "leaves us"));

    let taken_back = change(2, at("2025-02-01T00:00:00Z"), retracted(1, user_added(CLIENT, 1, ANNA)));
    assert_eq!(taken_back.with_address_replaced(&anna, &to).fact, retracted(1, expected));
}

#[test]
fn r128_every_kind_of_change_about_a_person_is_rewritten_and_every_other_stays() {
    let (anna, to) = (address(ANNA), pseudonym(ANNA));
    let (partner, employee, link) = (hub(PARTNER), employee_id(1), access_link_id(1));
    let about_anna = [
        employee_added(PARTNER, 1, ANNA),
        employee_updated(PARTNER, 1, ANNA, true),
        employee_deleted(PARTNER, 1, ANNA),
        user_added(CLIENT, 1, ANNA),
        user_updated(CLIENT, 1, ANNA, "STANDARD"),
        user_deactivated(CLIENT, 1, ANNA),
        user_reactivated(CLIENT, 1, ANNA),
        user_removed(CLIENT, 1, ANNA),
        assets_reassigned(CLIENT, 1, ANNA, None),
        linked(CLIENT, PARTNER, 1, ANNA),
        unlinked(CLIENT, PARTNER, 1, ANNA),
        access_link_created(PARTNER, 1, ANNA, link),
        AccessFact::AccessLinkRevoked { partner, employee, address: anna.clone(), link },
        AccessFact::AccessLinkApproved { client: hub(CLIENT), partner, employee, address: anna.clone(), link },
        AccessFact::AddressErased { pseudonym: anna.clone(), first_position: 1 },
    ];
    for fact in about_anna {
        let replaced = change(1, at("2025-02-01T00:00:00Z"), fact).with_address_replaced(&anna, &to);
        assert_eq!(replaced.fact.address(), Some(&to));
        assert!(!format!("{replaced:?}").contains(ANNA), "{replaced:?}");
    }
    for fact in [partner_left(PARTNER), services_ended(CLIENT, PARTNER), client_introduced(CLIENT, PARTNER)] {
        let other = change(1, at("2025-02-01T00:00:00Z"), fact);
        assert_eq!(other.clone().with_address_replaced(&anna, &to), other);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn r128_an_erasure_changes_no_verdict_no_assignment_and_no_ending(steps in steps(), person in 0..PEOPLE.len()) {
        let log = legal_log(&steps);
        let (from, to) = (address(PEOPLE[person]), pseudonym(PEOPLE[person]));
        let replaced = log.iter().cloned().map(|change| change.with_address_replaced(&from, &to));
        let erased = AccessHistory::from_changes(replaced);
        let known = AccessHistory::from_changes(log);
        let new_address = |text: &str| if address(text) == from { to.clone() } else { address(text) };
        for client in CLIENTS {
            for partner in PARTNERS.map(hub) {
                prop_assert_eq!(erased.endings(hub(client), partner, &POLICY), known.endings(hub(client), partner, &POLICY));
                for text in PEOPLE {
                    let assignments = known.assignments(hub(client), partner, &address(text));
                    prop_assert_eq!(erased.assignments(hub(client), partner, &new_address(text)), assignments);
                }
            }
            for text in PEOPLE {
                for number in 0..=LAST_TICK {
                    let activity = |address| Activity {
                        client: hub(client),
                        id: "a1".parse().expect("an activity id"),
                        address,
                        occur_time: tick(number),
                        action: ActivityAction::Catalogue(CatalogueAction::new("form", "edit").expect("an action")),
                        origin: Origin::Person,
                        target_object_id: None,
                    };
                    let expected = judge(&activity(address(text)), &known, &POLICY);
                    prop_assert_eq!(judge(&activity(new_address(text)), &erased, &POLICY), expected);
                }
            }
        }
    }
}
