//! What the audit log tells of each kind of change.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::testing::cases;

const NOW: &str = "2025-06-01T00:00:00Z";

/// Anna, in the partner's domain, and Carla are employees; Anna is a user of the client, and nobody is linked.
fn known() -> AccessHistory {
    history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, CARLA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ])
}

fn told(known: &AccessHistory, time: &str, fact: &AccessFact) -> (String, String) {
    let AuditStates { old_state, new_state, .. } = known.audit(fact, at(time), &POLICY);
    (old_state, new_state)
}

fn ended(known: &AccessHistory, time: &str, fact: &AccessFact) -> Vec<i64> {
    known.audit(fact, at(time), &POLICY).ended_relationships.into_iter().map(HubId::get).collect()
}

#[test]
fn every_change_tells_the_state_without_it_and_with_it() {
    let mut deactivated = known();
    deactivated.record(change(9, at("2025-03-01T00:00:00Z"), user_deactivated(CLIENT, 1, ANNA)));
    let mut linked_before = known();
    linked_before.record(change(9, at("2025-03-01T00:00:00Z"), linked(CLIENT, PARTNER, 2, CARLA)));
    let link = access_link_id(1);
    let (partner, employee, carla) = (hub(PARTNER), employee_id(2), address(CARLA));
    let owner = user_id(1);
    let partner_updated =
        AccessFact::PartnerUpdated { partner, display_name: Some("Agency".to_owned()), country: "FR".parse().ok() };
    let cases = [
        (known(), partner_added(1003, &[]), "NONE", "IN_PROGRAMME IT Partner 1003"),
        (known(), partner_updated, "IN_PROGRAMME IT Partner 1001", "IN_PROGRAMME FR Agency"),
        (known(), partner_left(PARTNER), "IN_PROGRAMME IT Partner 1001", "LEFT IT Partner 1001"),
        (known(), domains_set(PARTNER, &["z.example", "a.example"]), "agency.example", "a.example, z.example"),
        (known(), domains_set(PARTNER, &[]), "agency.example", "NONE"),
        (known(), employee_added(PARTNER, 9, BRUNO), "NONE", "EMPLOYED PARTNER_EMPLOYEE NONE"),
        (
            known(),
            employee_updated(PARTNER, 2, CARLA, false),
            "EMPLOYED PARTNER_EMPLOYEE NONE",
            "EMPLOYED NOT_FLAGGED SUPER_ADMIN",
        ),
        (known(), employee_deleted(PARTNER, 2, CARLA), "EMPLOYED PARTNER_EMPLOYEE NONE", "DELETED"),
        (known(), client_added(OTHER_CLIENT), "NONE", "OPEN IT Client 2002"),
        (known(), client_updated(CLIENT, "IN"), "OPEN IT Client 2001", "OPEN IN Updated"),
        (known(), client_closed(CLIENT), "OPEN IT Client 2001", "CLOSED IT Client 2001"),
        (known(), client_introduced(CLIENT, PARTNER), "NONE", "INTRODUCED"),
        (linked_before.clone(), services_ended(CLIENT, PARTNER), "ASSIGNED_EMPLOYEES 2", "ASSIGNED_EMPLOYEES 0"),
        (known(), user_added(CLIENT, 9, CARLA), "NONE", "ACTIVE STANDARD"),
        (known(), user_updated(CLIENT, 1, ANNA, "PARTNER_ADMIN"), "ACTIVE STANDARD", "ACTIVE PARTNER_ADMIN"),
        (known(), user_deactivated(CLIENT, 1, ANNA), "ACTIVE STANDARD", "DEACTIVATED STANDARD"),
        (deactivated.clone(), user_reactivated(CLIENT, 1, ANNA), "DEACTIVATED STANDARD", "ACTIVE STANDARD"),
        (deactivated, user_removed(CLIENT, 1, ANNA), "DEACTIVATED STANDARD", "REMOVED"),
        (known(), linked(CLIENT, PARTNER, 2, CARLA), "NONE", "PENDING_USER"),
        (known(), unlinked(CLIENT, PARTNER, 1, ANNA), "EFFECTIVE", "NONE"),
        (linked_before, user_added(CLIENT, 9, CARLA), "NONE", "ACTIVE STANDARD"),
        (known(), access_link_created(PARTNER, 2, CARLA, link), "NONE", "OPEN"),
        (known(), AccessFact::AccessLinkRevoked { partner, employee, address: carla.clone(), link }, "OPEN", "REVOKED"),
        (
            known(),
            AccessFact::AccessLinkApproved { client: hub(CLIENT), partner, employee, address: carla.clone(), link },
            "OPEN",
            "APPROVED",
        ),
        (
            known(),
            AccessFact::AddressErased { pseudonym: carla.pseudonym(uuid::Uuid::from_u128(1)), first_position: 4 },
            "",
            "PSEUDONYM",
        ),
        (known(), retracted(5, user_added(CLIENT, 1, ANNA)), "ACTIVE STANDARD", "NONE"),
    ];
    for (history, fact, old_state, new_state) in cases {
        // A retraction is effective when the change was that it takes back.
        let time = if matches!(fact, AccessFact::Retracted { .. }) { "2025-02-01T00:00:00Z" } else { NOW };
        assert_eq!(told(&history, time, &fact), (old_state.to_owned(), new_state.to_owned()), "{fact:?}");
    }
    let given = told(&known(), NOW, &assets_reassigned(CLIENT, 1, ANNA, Some(2)));
    assert_eq!(given, (format!("OWNED_BY {owner}"), format!("OWNED_BY {}", user_id(2))));
    assert_eq!(told(&known(), NOW, &assets_reassigned(CLIENT, 1, ANNA, None)).1, "NO_OWNER");
}

#[test]
fn r22_a_late_change_tells_the_states_of_its_own_time() {
    let mut known = known();
    known.record(change(9, at("2025-05-01T00:00:00Z"), user_removed(CLIENT, 1, ANNA)));
    let update = user_updated(CLIENT, 1, ANNA, "PARTNER_ADMIN");
    assert_eq!(told(&known, "2025-03-01T00:00:00Z", &update).1, "ACTIVE PARTNER_ADMIN");
    let moved = client_updated(CLIENT, "IN");
    known.record(change(10, at("2025-05-01T00:00:00Z"), client_updated(CLIENT, "FR")));
    let expected = ("OPEN IT Client 2001".to_owned(), "OPEN IN Updated".to_owned());
    assert_eq!(told(&known, "2025-03-01T00:00:00Z", &moved), expected);
}

#[test]
fn r128_no_state_holds_a_persons_name_or_address() {
    let names = [
        employee_added(PARTNER, 9, BRUNO),
        employee_updated(PARTNER, 2, CARLA, true),
        user_added(CLIENT, 9, CARLA),
        user_updated(CLIENT, 1, ANNA, "STANDARD"),
        linked(CLIENT, PARTNER, 2, CARLA),
    ];
    for fact in names {
        let (old_state, new_state) = told(&known(), NOW, &fact);
        for word in ["Updated", "@", "anna", "bruno", "carla"] {
            assert!(!old_state.contains(word) && !new_state.contains(word), "{fact:?}");
        }
    }
}

#[test]
fn r71_removing_the_last_one_tells_whose_relationship_ends() {
    let mut two = known();
    let removal = user_removed(CLIENT, 1, ANNA);
    assert_eq!(ended(&two, NOW, &removal), [PARTNER]);
    two.record(change(9, at("2025-03-01T00:00:00Z"), user_added(CLIENT, 2, CARLA)));
    assert_eq!(ended(&two, NOW, &removal), [0_i64; 0]);
    // Before Carla came, Anna was the last one.
    assert_eq!(ended(&two, "2025-02-28T00:00:00Z", &removal), [PARTNER]);
    assert_eq!(ended(&two, NOW, &user_deactivated(CLIENT, 1, ANNA)), [0_i64; 0]);
    let of_two_partners = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 2, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ]);
    assert_eq!(ended(&of_two_partners, NOW, &removal), [PARTNER, OTHER_PARTNER]);
}

#[test]
fn r76_services_that_end_a_partner_that_leaves_and_a_client_that_closes_tell_whose_relationship_ends() {
    let mut known = known();
    known.record(change(9, at("2025-01-01T00:00:00Z"), partner_added(OTHER_PARTNER, &[])));
    assert_eq!(ended(&known, NOW, &services_ended(CLIENT, PARTNER)), [PARTNER]);
    assert_eq!(ended(&known, NOW, &partner_left(PARTNER)), [PARTNER]);
    // The other partner has nothing to do with this client.
    assert_eq!(ended(&known, NOW, &client_closed(CLIENT)), [PARTNER]);
    // What ended at that instant anyway does not end by another change.
    known.record(change(10, at(NOW), services_ended(CLIENT, PARTNER)));
    assert_eq!(ended(&known, NOW, &user_removed(CLIENT, 1, ANNA)), [0_i64; 0]);
    let document = include_str!("../../../policy.toml");
    let lenient = document.replace("partner_left = \"IMMEDIATE\"", "partner_left = \"LAPSE\"");
    let lenient = Policy::parse(&lenient).expect("a valid document");
    assert_eq!(known.audit(&partner_left(PARTNER), at(NOW), &lenient).ended_relationships, BTreeSet::new());
}

#[test]
fn r22_a_retraction_tells_whose_relationship_ended_after_all() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, CARLA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 2, CARLA)),
    ]);
    let time = "2025-03-01T00:00:00Z";
    assert_eq!(ended(&known, time, &retracted(7, user_added(CLIENT, 2, CARLA))), [PARTNER]);
    assert_eq!(ended(&known, time, &retracted(6, user_removed(CLIENT, 1, ANNA))), [0_i64; 0]);
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn what_is_told_is_what_the_whole_history_says_before_and_after(steps in steps()) {
        let mut known = AccessHistory::default();
        for change in legal_log(&steps) {
            let (time, fact) = (change.effective_time, change.fact.clone());
            let told = known.audit(&fact, time, &POLICY);
            let before = known.clone();
            known.record(change);
            prop_assert_eq!(&told.old_state, &state(&before.records_until(time), &fact, time), "{:?}", fact);
            prop_assert_eq!(&told.new_state, &state(&known.records_until(time), &fact, time), "{:?}", fact);
            let Some(client) = fact.client() else { continue };
            let ends = |history: &AccessHistory, partner| {
                history.endings(client, partner, &POLICY).iter().any(|ending| ending.time == time)
            };
            let ended = PARTNERS.map(hub).into_iter().filter(|partner| {
                before.records_until(time).exists_for(client, *partner) && ends(&known, *partner) && !ends(&before, *partner)
            });
            prop_assert_eq!(told.ended_relationships, ended.collect::<BTreeSet<_>>(), "{:?}", fact);
        }
    }
}
