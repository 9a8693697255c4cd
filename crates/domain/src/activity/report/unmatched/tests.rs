//! Who acts in a client and matches nobody, and who may know it.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::activity::testing::{Manager, activity};
use crate::activity::{Attribution, Verdict, judge};
use crate::testing::cases;

use NotCountedReason as Reason;
use RemedyKind as Kind;
use UnmatchedCase as Case;

const AS_OF: &str = "2025-04-01T00:00:00Z";
/// In another domain than Anna of the agency.
const ANNA_ELSEWHERE: &str = "anna@studio.example";
/// Who is a super admin of the client account.
const DIRECTOR: &str = "director@rossi.example";

fn done(client: i64, text: &str, reason: NotCountedReason) -> UnmatchedWork {
    let (first_time, last_time) = (at("2025-03-01T00:00:00Z"), at("2025-03-10T00:00:00Z"));
    UnmatchedWork { client: hub(client), address: address(text), reason, activities: 3, first_time, last_time }
}

fn rows_at(text: &str, known: &AccessHistory, reader: Reader, as_of: &str) -> Vec<UnmatchedAddress> {
    unmatched_addresses(&[done(CLIENT, text, Reason::NotAssigned)], known, reader, &POLICY, at(as_of))
}

fn rows(text: &str, known: &AccessHistory, reader: Reader) -> Vec<UnmatchedAddress> {
    rows_at(text, known, reader, AS_OF)
}

/// Case, partner and remedy of the only row for a reader.
fn only(text: &str, known: &AccessHistory, reader: Reader) -> (UnmatchedCase, Option<HubId>, Remedy) {
    let [row] = <[_; 1]>::try_from(rows(text, known, reader)).expect("one row");
    (row.case, row.partner, row.remedy)
}

const AGENCY: i64 = PARTNER;

fn agency() -> Reader {
    Reader::Partner(hub(AGENCY))
}

fn other_agency() -> Reader {
    Reader::Partner(hub(OTHER_PARTNER))
}

/// A fact that somebody recorded, instead of the platform.
type Recorded = (&'static str, Option<&'static str>, AccessFact);

fn by_platform<const N: usize>(facts: [(&'static str, AccessFact); N]) -> [Recorded; N] {
    facts.map(|(time, fact)| (time, None, fact))
}

fn by(actor: &'static str, time: &'static str, fact: AccessFact) -> Recorded {
    (time, Some(actor), fact)
}

/// Two agencies in the programme, one client, and more.
fn world(facts: impl IntoIterator<Item = Recorded>) -> AccessHistory {
    let known = by_platform([
        ("2025-01-01T00:00:00Z", partner_added(AGENCY, &["agency.example"])),
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-01T00:00:00Z", client_added(CLIENT)),
    ]);
    let facts = known.into_iter().chain(facts).zip(1..);
    AccessHistory::from_changes(facts.map(|((time, actor, fact), position)| {
        let actor = actor.map_or(Actor::Platform, |actor| Actor::Person(address(actor)));
        AccessChange { actor, ..change(position, at(time), fact) }
    }))
}

/// Anna of the agency is Partner admin in the client, and more.
fn with_anna(facts: impl IntoIterator<Item = Recorded>) -> AccessHistory {
    let known = by_platform([
        ("2025-01-02T00:00:00Z", employee_added(AGENCY, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_with_set(CLIENT, 1, ANNA, "PARTNER_ADMIN")),
    ]);
    world(known.into_iter().chain(facts))
}

#[test]
fn example_05_a_contractor_is_to_be_linked_until_it_is() {
    let known = world(by_platform([
        ("2025-01-02T00:00:00Z", employee_added(AGENCY, 3, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        ("2025-03-20T00:00:00Z", linked(CLIENT, AGENCY, 3, CARLA)),
    ]));
    let [row] = <[_; 1]>::try_from(rows_at(CARLA, &known, agency(), "2025-03-19T23:59:59.999999Z")).expect("one row");
    let expected = UnmatchedAddress {
        client: hub(CLIENT),
        address: address(CARLA),
        display_name: Some(CARLA.to_owned()),
        case: Case::Contractor,
        partner: Some(hub(AGENCY)),
        reason: Reason::NotAssigned,
        activities: 3,
        first_time: at("2025-03-01T00:00:00Z"),
        last_time: at("2025-03-10T00:00:00Z"),
        remedy: Remedy::new(
            Kind::LinkClient,
            "Somebody with access to the Client Access Manager links Client 2001 to carla@gmail.com: Employees tab, \
             carla@gmail.com, Link clients.",
        ),
    };
    assert_eq!(row, expected);
    assert_eq!(rows_at(CARLA, &known, Reader::Platform, "2025-03-19T23:59:59.999999Z"), [expected]);
    for reader in [agency(), Reader::Platform] {
        assert_eq!(rows_at(CARLA, &known, reader, "2025-03-20T00:00:00Z"), []);
    }
}

#[test]
fn r20_a_user_of_the_partner_account_that_is_not_flagged_is_to_be_flagged() {
    let known = world(by_platform([
        ("2025-01-02T00:00:00Z", unflagged_added(AGENCY, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ]));
    let text = "A super admin of your account flags anna@agency.example as partner employee.";
    for reader in [agency(), Reader::Platform] {
        let expected = (Case::NotFlagged, Some(hub(AGENCY)), Remedy::new(Kind::FlagEmployee, text));
        assert_eq!(only(ANNA, &known, reader), expected);
    }
}

#[test]
fn an_employee_in_the_domain_who_was_unlinked_is_to_be_linked_again() {
    let known = with_anna(by_platform([("2025-02-01T00:00:00Z", unlinked(CLIENT, AGENCY, 1, ANNA))]));
    let (case, partner, remedy) = only(ANNA, &known, agency());
    assert_eq!((case, partner, remedy.kind), (Case::Unlinked, Some(hub(AGENCY)), Kind::LinkClient));
}

#[test]
fn an_employee_who_is_no_active_user_there_is_to_be_added_or_reactivated() {
    let deactivated = with_anna(by_platform([("2025-02-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA))]));
    let removed = with_anna(by_platform([("2025-02-01T00:00:00Z", user_removed(CLIENT, 1, ANNA))]));
    for (known, kind) in [(deactivated, Kind::ReactivateClientUser), (removed, Kind::AddClientUser)] {
        let (case, partner, remedy) = only(ANNA, &known, agency());
        assert_eq!((case, partner, remedy.kind), (Case::NoActiveUser, Some(hub(AGENCY)), kind));
    }
}

#[test]
fn an_address_with_the_local_part_of_an_employee_at_another_domain_may_be_that_one() {
    let known = with_anna([by(ANNA, "2025-01-03T00:00:00Z", user_added(CLIENT, 2, ANNA_ELSEWHERE))]);
    let text = "This may be anna@agency.example, who is in your account as anna@agency.example, and whose work counts \
                under that address. If it is another one of your people: A super admin of your account creates a user \
                for anna@studio.example and flags it as partner employee.";
    let expected = (Case::SecondDomain, Some(hub(AGENCY)), Remedy::new(Kind::AddEmployee, text));
    for reader in [agency(), Reader::Platform] {
        assert_eq!(only(ANNA_ELSEWHERE, &known, reader), expected);
    }
    // Of a partner that has nothing to do with the client, nobody is meant, nor somebody who is no longer there.
    let stranger = world(by_platform([
        ("2025-01-02T00:00:00Z", employee_added(AGENCY, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 2, ANNA_ELSEWHERE)),
    ]));
    assert_eq!(only(ANNA_ELSEWHERE, &stranger, Reader::Platform).0, Case::Unknown);
    let gone = with_anna(by_platform([
        ("2025-01-03T00:00:00Z", user_added(CLIENT, 2, ANNA_ELSEWHERE)),
        ("2025-02-01T00:00:00Z", employee_deleted(AGENCY, 1, ANNA)),
    ]));
    assert_eq!(only(ANNA_ELSEWHERE, &gone, Reader::Platform).0, Case::Unknown);
}

#[test]
fn an_address_that_is_nobodys_is_unknown_and_the_platform_is_told_whose_it_may_be() {
    let text = "If this is one of your people: A super admin of your account creates a user for carla@gmail.com and \
                flags it as partner employee.";
    let nobodys = |partner| (Case::Unknown, partner, Remedy::new(Kind::AddEmployee, text));
    let by_client = with_anna(by_platform([("2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA))]));
    assert_eq!(only(CARLA, &by_client, Reader::Platform), nobodys(None));
    let by_anna = with_anna([by(ANNA, "2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA))]);
    for reader in [agency(), Reader::Platform] {
        assert_eq!(only(CARLA, &by_anna, reader), nobodys(Some(hub(AGENCY))));
    }
    // Bruno is in no account, and his domain is the agency's.
    let of_domain = with_anna(by_platform([("2025-01-03T00:00:00Z", user_added(CLIENT, 4, BRUNO))]));
    let (case, partner, _) = only(BRUNO, &of_domain, Reader::Platform);
    assert_eq!((case, partner), (Case::Unknown, Some(hub(AGENCY))));
    let never_a_user = with_anna([]);
    let [row] = <[_; 1]>::try_from(rows(CARLA, &never_a_user, Reader::Platform)).expect("one row");
    assert_eq!((row.case, row.display_name), (Case::Unknown, None));
}

#[test]
fn of_several_reasons_the_newest_is_told_and_the_activities_are_added_up() {
    let known = with_anna(by_platform([("2025-02-01T00:00:00Z", unlinked(CLIENT, AGENCY, 1, ANNA))]));
    let part = |reason, activities, first: &str, last: &str| UnmatchedWork {
        reason,
        activities,
        first_time: at(first),
        last_time: at(last),
        ..done(CLIENT, ANNA, reason)
    };
    let of = |work: &[UnmatchedWork]| {
        let rows = unmatched_addresses(work, &known, agency(), &POLICY, at(AS_OF));
        let [row] = <[_; 1]>::try_from(rows).expect("one row");
        (row.reason, row.activities, row.first_time, row.last_time)
    };
    let older = part(Reason::NotAssigned, 2, "2025-02-01T00:00:00Z", "2025-02-03T00:00:00Z");
    let newer = part(Reason::NoUserInClient, 5, "2025-02-02T00:00:00Z", "2025-02-04T00:00:00Z");
    let no_matter = part(Reason::NotHuman, 100, "2025-01-01T00:00:00Z", "2025-03-01T00:00:00Z");
    let expected = (Reason::NoUserInClient, 7, at("2025-02-01T00:00:00Z"), at("2025-02-04T00:00:00Z"));
    assert_eq!(of(&[older.clone(), no_matter.clone(), newer.clone()]), expected);
    assert_eq!(of(&[newer.clone(), older.clone()]), expected);
    let same = part(Reason::NotAssigned, 2, "2025-02-01T00:00:00Z", "2025-02-04T00:00:00Z");
    assert_eq!(of(&[newer, same]).0, Reason::NotAssigned);
    for reason in Reason::ALL {
        let rows = unmatched_addresses(&[done(CLIENT, ANNA, reason)], &known, agency(), &POLICY, at(AS_OF));
        assert_eq!(rows.len(), usize::from(UNMATCHED_REASONS.contains(&reason)), "{reason}");
    }
}

#[test]
fn closed_clients_and_people_in_their_own_companys_account_are_left_out() {
    let unlinked = || ("2025-02-01T00:00:00Z", unlinked(CLIENT, AGENCY, 1, ANNA));
    let closed = with_anna(by_platform([unlinked(), ("2025-03-20T00:00:00Z", client_closed(CLIENT))]));
    assert_eq!(rows_at(ANNA, &closed, agency(), "2025-03-19T23:59:59.999999Z").len(), 1);
    assert_eq!(rows_at(ANNA, &closed, agency(), "2025-03-20T00:00:00Z"), []);
    let own = with_anna(by_platform([
        ("2025-01-01T00:00:00Z", client_added(AGENCY)),
        ("2025-01-02T00:00:00Z", unflagged_added(AGENCY, 3, CARLA)),
        ("2025-01-03T00:00:00Z", user_added(AGENCY, 9, CARLA)),
    ]));
    for reader in [agency(), Reader::Platform] {
        let work = [done(AGENCY, CARLA, Reason::NotPartnerEmployee)];
        assert_eq!(unmatched_addresses(&work, &own, reader, &POLICY, at(AS_OF)), []);
    }
    let unknown = [done(OTHER_CLIENT, ANNA, Reason::NotAssigned)];
    assert_eq!(unmatched_addresses(&unknown, &closed, Reader::Platform, &POLICY, at(AS_OF)), []);
}

#[test]
fn r127_a_partner_sees_who_is_in_its_account_while_that_is_so() {
    let known = world(by_platform([
        ("2025-01-02T00:00:00Z", employee_added(AGENCY, 3, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        ("2025-03-20T00:00:00Z", employee_deleted(AGENCY, 3, CARLA)),
    ]));
    assert_eq!(rows_at(CARLA, &known, agency(), "2025-03-19T23:59:59.999999Z").len(), 1);
    assert_eq!(rows_at(CARLA, &known, agency(), "2025-03-20T00:00:00Z"), []);
    assert_eq!(rows_at(CARLA, &known, other_agency(), "2025-03-19T23:59:59.999999Z"), []);
    assert_eq!(rows(CARLA, &known, Reader::Platform).len(), 1);
}

#[test]
fn r127_a_partner_sees_whom_its_employee_added_last() {
    let added = |actor| with_anna([by(actor, "2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA))]);
    assert_eq!(rows(CARLA, &added(ANNA), agency()).len(), 1);
    assert_eq!(rows(CARLA, &added(ANNA), other_agency()), []);
    assert_eq!(rows(CARLA, &added(DIRECTOR), agency()), []);
    // Removed, she still is whom Anna added; added again by the client, she no longer is.
    let again = with_anna([
        by(ANNA, "2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        by(DIRECTOR, "2025-02-01T00:00:00Z", user_removed(CLIENT, 3, CARLA)),
        by(DIRECTOR, "2025-03-20T00:00:00Z", user_added(CLIENT, 4, CARLA)),
    ]);
    assert_eq!(rows_at(CARLA, &again, agency(), "2025-03-19T23:59:59.999999Z").len(), 1);
    assert_eq!(rows_at(CARLA, &again, agency(), "2025-03-20T00:00:00Z"), []);
}

#[test]
fn r127_whom_somebody_added_before_or_after_being_an_employee_is_not_the_partners() {
    let then = "2025-02-01T00:00:00Z";
    let joined = |time| {
        let facts =
            [("2025-01-01T00:00:00Z", client_introduced(CLIENT, AGENCY)), (time, employee_added(AGENCY, 1, ANNA))];
        world(by_platform(facts).into_iter().chain([by(ANNA, then, user_added(CLIENT, 3, CARLA))]))
    };
    assert_eq!(rows(CARLA, &joined("2025-02-01T00:00:00Z"), agency()).len(), 1);
    assert_eq!(rows(CARLA, &joined("2025-02-01T00:00:00.000001Z"), agency()), []);
    let left = |time| {
        let gone = by_platform([(time, employee_deleted(AGENCY, 1, ANNA))]);
        with_anna([by(ANNA, then, user_added(CLIENT, 3, CARLA))].into_iter().chain(gone))
    };
    assert_eq!(rows(CARLA, &left("2025-02-01T00:00:00.000001Z"), agency()).len(), 1);
    assert_eq!(rows(CARLA, &left("2025-02-01T00:00:00Z"), agency()), []);
}

#[test]
fn r27_registering_the_clients_own_admin_gives_no_view_of_whom_they_add() {
    let added_by = |admin: &'static str, set: &str| {
        let facts = by_platform([
            ("2025-01-02T00:00:00Z", employee_added(AGENCY, 1, admin)),
            ("2025-01-02T00:00:00Z", user_with_set(CLIENT, 1, admin, set)),
        ]);
        world(facts.into_iter().chain([by(admin, "2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA))]))
    };
    assert_eq!(rows(CARLA, &added_by(DIRECTOR, "SUPER_ADMIN"), agency()), []);
    assert_eq!(rows(CARLA, &added_by(DIRECTOR, "PARTNER_ADMIN"), agency()).len(), 1);
    // Whose address is in the agency's domain is the agency's.
    assert_eq!(rows(CARLA, &added_by(ANNA, "SUPER_ADMIN"), agency()).len(), 1);
    // The adder of two is of the one whose domain matches.
    let of_two = with_anna([
        ("2025-01-01T00:00:00Z", None, employee_added(OTHER_PARTNER, 9, ANNA)),
        by(ANNA, "2025-01-03T00:00:00Z", user_added(CLIENT, 3, CARLA)),
    ]);
    assert_eq!(rows(CARLA, &of_two, agency()).len(), 1);
    assert_eq!(rows(CARLA, &of_two, other_agency()), []);
}

#[test]
fn r26_in_a_client_that_does_not_exist_for_the_partner_even_its_own_people_are_not_shown() {
    let known = |more| world(by_platform([("2025-01-02T00:00:00Z", employee_added(AGENCY, 3, CARLA)), more]));
    let nothing = known(("2025-01-01T00:00:00Z", client_added(OTHER_CLIENT)));
    assert_eq!(rows(CARLA, &nothing, agency()), []);
    assert_eq!(rows(CARLA, &nothing, Reader::Platform).len(), 1);
    let introduced = known(("2025-01-01T00:00:00Z", client_introduced(CLIENT, AGENCY)));
    assert_eq!(rows(CARLA, &introduced, agency()).len(), 1);
}

#[test]
fn r127_a_partner_is_told_of_its_own_people_only() {
    // Carla is a contractor of both; for the other agency everything is there.
    let known = world(by_platform([
        ("2025-01-02T00:00:00Z", unflagged_added(AGENCY, 3, CARLA)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 4, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 3, CARLA)),
    ]));
    assert_eq!(only(CARLA, &known, agency()).0, Case::NotFlagged);
    assert_eq!(only(CARLA, &known, other_agency()).0, Case::Contractor);
    // For the platform it is the one for whom less is missing.
    let (case, partner, _) = only(CARLA, &known, Reader::Platform);
    assert_eq!((case, partner), (Case::Contractor, Some(hub(OTHER_PARTNER))));
}

#[test]
fn an_employee_of_a_partner_that_left_is_nobodys() {
    let known = world(by_platform([
        ("2025-01-02T00:00:00Z", employee_added(AGENCY, 3, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        ("2025-03-20T00:00:00Z", partner_left(AGENCY)),
    ]));
    let case = |as_of| rows_at(CARLA, &known, Reader::Platform, as_of).remove(0).case;
    assert_eq!(case("2025-03-19T23:59:59.999999Z"), Case::Contractor);
    assert_eq!(case("2025-03-20T00:00:00Z"), Case::Unknown);
}

#[test]
fn the_cases_have_names_that_read_back() {
    for case in Case::ALL {
        assert_eq!(case.to_string().parse(), Ok(case));
    }
    assert_eq!("contractor".parse::<UnmatchedCase>(), Err(UnmatchedCaseError));
}

/// The people of a random world, and whoever else may have recorded something there.
const ACTORS: [Option<&str>; 4] = [Some(ANNA), Some("bruno@studio.example"), Some(DIRECTOR), None];

/// A log in which people record things too.
fn log_of_people(steps: &[Step], actors: &[usize]) -> Vec<AccessChange> {
    let of_actor = |number: usize| ACTORS[number].map_or(Actor::Platform, |text| Actor::Person(address(text)));
    let changes = legal_log(steps).into_iter().zip(actors.iter().cycle());
    changes.map(|(change, actor)| AccessChange { actor: of_actor(*actor), ..change }).collect()
}

/// Everybody of a random world, and somebody who may be one of them, worked in both clients.
fn everybodys_work() -> Vec<UnmatchedWork> {
    let people = PEOPLE.into_iter().chain([ANNA_ELSEWHERE]);
    people.flat_map(|text| CLIENTS.map(|client| done(client, text, Reason::NotAssigned))).collect()
}

/// Whether an address is in the account of a partner, or was added last by somebody who was then: told from the log.
fn may_be_shown(log: &[AccessChange], partner: i64, row: &UnmatchedAddress, time: Instant) -> bool {
    let is_in_account = |text: &EmailAddress, time: Instant| {
        let about = log.iter().filter(|change| change.effective_time <= time && change.fact.address() == Some(text));
        about.fold(false, |is_in, change| match change.fact {
            AccessFact::EmployeeAdded { partner: of, .. } if of == hub(partner) => true,
            AccessFact::EmployeeDeleted { partner: of, .. } if of == hub(partner) => false,
            _ => is_in,
        })
    };
    let additions = log.iter().filter(|change| {
        matches!(&change.fact, AccessFact::ClientUserAdded { client, address, .. }
            if (*client, address) == (row.client, &row.address))
    });
    let last = additions.filter(|change| change.effective_time <= time).max_by_key(|change| change.effective_time);
    let was_added = last.is_some_and(|change| match &change.actor {
        Actor::Person(adder) => is_in_account(adder, change.effective_time),
        Actor::Platform => false,
    });
    is_in_account(&row.address, time) || was_added
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn r127_nothing_is_shown_to_a_partner_that_is_neither_in_its_account_nor_added_by_it(
        steps in steps(),
        actors in prop::collection::vec(0..ACTORS.len(), 1..40),
        number in 0..=LAST_TICK,
    ) {
        let mut log = counting(&log_of_people(&steps, &actors));
        log.sort_by_key(|change| (change.effective_time, change.position));
        let known = AccessHistory::from_changes(log.clone());
        for partner in PARTNERS {
            let reader = Reader::Partner(hub(partner));
            for row in unmatched_addresses(&everybodys_work(), &known, reader, &POLICY, tick(number)) {
                prop_assert!(may_be_shown(&log, partner, &row, tick(number)), "{:?} for {}", row, partner);
                prop_assert!(known.exists_for(row.client, hub(partner)));
                prop_assert_eq!(row.partner, Some(hub(partner)));
                for text in PEOPLE {
                    let is_own = known.employees_of(hub(partner)).any(|spell| spell.address == address(text));
                    let is_named = row.remedy.text.contains(text);
                    prop_assert!(!is_named || is_own || row.address == address(text), "{}", row.remedy.text);
                }
                prop_assert!(!row.remedy.text.contains("Partner 100"), "{}", row.remedy.text);
            }
        }
    }

    #[test]
    fn r127_what_a_partner_is_told_does_not_depend_on_the_other_partners_people(
        steps in steps(),
        number in 0..=LAST_TICK,
    ) {
        // Nobody but the platform recorded anything, so that only the partner's own people are shown.
        let log = counting(&legal_log(&steps));
        let known = AccessHistory::from_changes(log.clone());
        for partner in PARTNERS {
            let of_other = |change: &AccessChange| {
                let is_other = change.fact.partner().is_some_and(|of| of != hub(partner));
                is_other && !matches!(change.fact, AccessFact::PartnerAdded { .. })
            };
            let alone = AccessHistory::from_changes(log.iter().filter(|change| !of_other(change)).cloned());
            let shown = |known| {
                let reader = Reader::Partner(hub(partner));
                unmatched_addresses(&everybodys_work(), known, reader, &POLICY, tick(number))
            };
            prop_assert_eq!(shown(&known), shown(&alone));
        }
    }

    #[test]
    fn taking_one_step_after_the_other_ends_with_work_that_counts(steps in steps(), number in 0..=LAST_TICK) {
        let log = counting(&legal_log(&steps));
        let known = AccessHistory::from_changes(log.clone());
        let report = |work: &[UnmatchedWork], known: &AccessHistory| {
            unmatched_addresses(work, known, Reader::Platform, &POLICY, tick(number))
        };
        for work in everybodys_work() {
            let work = std::slice::from_ref(&work);
            let (client, somebody) = (work[0].client, &work[0].address);
            let mut rows = report(work, &known);
            let of_partner = |partner| {
                let mut spells = known.employees(somebody).filter(|spell| spell.period.contains(tick(number)));
                spells.find(|spell| Some(spell.partner) == partner)
            };
            let employee = rows.first().and_then(|row| of_partner(row.partner));
            let employee = employee.map(|spell| Attribution { partner: spell.partner, employee: spell.employee });
            let mut manager = Manager::new(client, somebody, tick(number), log.clone(), employee);
            for _ in 0..4 {
                rows.iter().for_each(|row| manager.follow(row.remedy.kind));
                rows = report(work, &manager.history());
            }
            prop_assert!(rows.is_empty(), "{:?}", rows);
            let known = manager.history();
            let is_open = known.client(client).is_some_and(|client| client.open().contains(tick(number)));
            let judged = judge(&activity(client.get(), somebody.as_str(), tick(number), "form/edit"), &known, &POLICY);
            prop_assert_eq!(matches!(judged.verdict, Verdict::Counted { .. }), is_open);
        }
    }
}
