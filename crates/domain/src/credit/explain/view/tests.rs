//! What is told of people, from the changes of their access.

use chrono::TimeDelta;

use super::super::people::Step;
use super::*;
use crate::access::testing::*;
use crate::access::{AccessChange, Actor, Audit};

/// A change that somebody made with a reason, recorded so many seconds into 2026 as its position says.
fn recorded(position: u64, time: &str, by: &str, reason: &str, fact: AccessFact) -> AccessChange {
    AccessChange {
        record_time: at("2026-01-01T00:00:00Z") + TimeDelta::seconds(i64::try_from(position).expect("a small number")),
        actor: Actor::Person(address(by)),
        audit: Audit { reason: reason.to_owned(), ..Audit::default() },
        ..change(position, at(time), fact)
    }
}

/// What else may happen at an instant at which something happens to Anna, and is no matter of hers here.
fn beside() -> [AccessFact; 13] {
    let renamed = AccessFact::EmployeeUpdated {
        partner: hub(PARTNER),
        employee: employee_id(1),
        address: address(ANNA),
        display_name: Some("Anna".to_owned()),
        partner_employee: None,
        access_role: None,
    };
    [
        employee_added(PARTNER, 7, "dora@agency.example"),
        employee_added(OTHER_PARTNER, 6, ANNA),
        user_added(CLIENT, 8, CARLA),
        user_added(OTHER_CLIENT, 9, ANNA),
        user_deactivated(OTHER_CLIENT, 9, ANNA),
        linked(CLIENT, OTHER_PARTNER, 6, ANNA),
        linked(OTHER_CLIENT, PARTNER, 1, ANNA),
        unlinked(CLIENT, OTHER_PARTNER, 6, ANNA),
        unlinked(OTHER_CLIENT, PARTNER, 1, ANNA),
        services_ended(CLIENT, OTHER_PARTNER),
        services_ended(OTHER_CLIENT, PARTNER),
        user_updated(CLIENT, 1, ANNA, "STANDARD"),
        renamed,
    ]
}

/// Anna's life as an employee of the agency and a user of the client, month by month: Bruno is her colleague, and Carla
/// is of the client. Her changes are those of the full hundreds.
fn annas_life() -> AccessHistory {
    let facts = [
        ("2025-01-01T00:00:00Z", CARLA, "", partner_added(PARTNER, &["agency.example"])),
        ("2025-01-01T00:00:00Z", CARLA, "", client_added(CLIENT)),
        ("2025-01-01T00:00:00Z", CARLA, "", employee_added(PARTNER, 2, BRUNO)),
        ("2025-01-02T00:00:00Z", BRUNO, "", employee_added(PARTNER, 1, ANNA)),
        ("2025-02-01T00:00:00Z", CARLA, "", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", CARLA, "on leave", user_deactivated(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", CARLA, "back", user_reactivated(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", BRUNO, "another owner", unlinked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-06-01T00:00:00Z", BRUNO, "", linked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-07-01T00:00:00Z", BRUNO, "intern", employee_updated(PARTNER, 1, ANNA, false)),
        ("2025-07-10T00:00:00Z", BRUNO, "handed over", services_ended(CLIENT, PARTNER)),
        ("2025-07-20T00:00:00Z", BRUNO, "", linked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-08-01T00:00:00Z", CARLA, "done", user_removed(CLIENT, 1, ANNA)),
        ("2025-09-01T00:00:00Z", BRUNO, "left", employee_deleted(PARTNER, 1, ANNA)),
    ];
    let changes = (1..).zip(facts).flat_map(|(number, (time, by, reason, fact))| {
        let at_once = [(by, reason, fact)].into_iter().chain(beside().map(|fact| (CARLA, "beside", fact)));
        let numbered = (number * 100..).zip(at_once);
        numbered.map(move |(position, (by, reason, fact))| recorded(position, time, by, reason, fact))
    });
    AccessHistory::from_changes(changes)
}

/// The position of a change that is told.
fn position(change: &ChangeFacts) -> i64 {
    (change.record_time - at("2026-01-01T00:00:00Z")).num_seconds()
}

fn view<'a>(history: &'a AccessHistory, as_of: &str) -> PartnerView<'a> {
    PartnerView { history, partner: hub(PARTNER), client: hub(CLIENT), as_of: at(as_of) }
}

/// For each of the instants, what shows how Anna stands to a step, and the position of the change by which she does.
fn told(step: Step, as_ofs: &[&str]) -> Vec<String> {
    let history = annas_life();
    let told = as_ofs.iter().map(|day| {
        let as_of = format!("2025-{day}T00:00:00Z");
        let people = view(&history, &as_of).people_facts(&BTreeSet::new(), &POLICY);
        let [anna] = &people[..] else { panic!("only Anna has to do with the client: {people:?}") };
        let change = anna.change(step).map(|change| format!(" [{}]", position(change)));
        let evidence = anna.evidence(step, at(&as_of));
        let (_, evidence) = evidence.split_once("): ").expect("a name and an address");
        format!("{evidence}{}", change.unwrap_or_default())
    });
    told.collect()
}

#[test]
fn r126_a_user_in_the_partner_account_is_shown_with_its_flag_and_who_took_them_away() {
    assert_eq!(
        told(Step::EmployeeExists, &["02-15", "09-01"]),
        [
            "user in your account since 2 January 2025 at 00:00 UTC [400]",
            "deleted in your account on 1 September 2025 at 00:00 UTC by bruno@agency.example (\"left\") [1400]",
        ]
    );
    assert_eq!(
        told(Step::EmployeeFlagged, &["02-15", "07-01", "09-01"]),
        [
            "flagged as partner employee [400]",
            "not flagged as partner employee since 1 July 2025 at 00:00 UTC by bruno@agency.example (\"intern\") [1000]",
            "not flagged as partner employee",
        ]
    );
}

#[test]
fn r126_a_user_in_the_client_account_is_shown_with_its_state_and_who_took_it_away() {
    let active = "active user there since 1 February 2025 at 00:00 UTC [500]";
    let deactivated = "deactivated there since 1 March 2025 at 00:00 UTC by someone at the client (\"on leave\")";
    let again = "active user there since 1 April 2025 at 00:00 UTC";
    let removed = "removed there since 1 August 2025 at 00:00 UTC by someone at the client (\"done\") [1300]";
    assert_eq!(
        told(Step::UserInClient, &["02-01", "03-01", "04-01", "08-01"]),
        [active.to_owned(), format!("{deactivated} [500]"), format!("{again} [500]"), removed.to_owned()]
    );
    assert_eq!(
        told(Step::UserActive, &["02-01", "03-01", "04-01", "08-01"]),
        [active.to_owned(), format!("{deactivated} [600]"), format!("{again} [700]"), removed.to_owned()]
    );
}

#[test]
fn r126_an_assignment_is_shown_with_how_it_came_and_who_took_it_away() {
    let automatic = "assigned automatically since 1 February 2025 at 00:00 UTC";
    let by_hand = "linked by hand since 1 June 2025 at 00:00 UTC by bruno@agency.example";
    assert_eq!(
        told(Step::ClientAssigned, &["02-01", "03-01", "05-01", "06-01", "07-10", "08-01", "09-01"]),
        [
            automatic.to_owned(),
            format!("{automatic}, suspended while the user there is deactivated"),
            "not assigned since 1 May 2025 at 00:00 UTC by bruno@agency.example (\"another owner\") [800]".to_owned(),
            format!("{by_hand} [900]"),
            "not assigned since 10 July 2025 at 00:00 UTC by bruno@agency.example (\"handed over\") [1100]".to_owned(),
            "linked by hand since 20 July 2025 at 00:00 UTC by bruno@agency.example, waiting for a user there [1200]"
                .to_owned(),
            "not assigned since 1 September 2025 at 00:00 UTC".to_owned(),
        ]
    );
}

#[test]
fn r127_people_are_those_of_the_partner_who_had_to_do_with_the_client_by_then() {
    let history = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-01T00:00:00Z", client_added(OTHER_CLIENT)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 3, CARLA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        ("2025-02-01T00:00:00Z", linked(OTHER_CLIENT, PARTNER, 2, BRUNO)),
        ("2025-02-01T00:00:00Z", linked(CLIENT, OTHER_PARTNER, 3, CARLA)),
        ("2025-03-01T00:00:00Z", linked(CLIENT, PARTNER, 2, BRUNO)),
        ("2025-04-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
    ]);
    let people = |as_of, evidenced: &[&str]| {
        let evidenced = evidenced.iter().map(|text| address(text)).collect();
        let people = view(&history, as_of).people(&evidenced);
        people.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(people("2025-01-31T23:59:59.999999Z", &[]), [""; 0]);
    assert_eq!(people("2025-01-31T23:59:59.999999Z", &[BRUNO, CARLA]), [BRUNO]);
    assert_eq!(people("2025-02-01T00:00:00Z", &[]), [ANNA]);
    assert_eq!(people("2025-02-28T23:59:59.999999Z", &[]), [ANNA]);
    assert_eq!(people("2025-03-01T00:00:00Z", &[]), [ANNA, BRUNO]);
    let has_former_employees = |as_of| view(&history, as_of).has_former_employees(&BTreeSet::new());
    assert!(!has_former_employees("2025-03-31T23:59:59.999999Z"));
    assert!(has_former_employees("2025-04-01T00:00:00Z"));
}

#[test]
fn r127_a_name_is_that_of_the_employee_or_of_the_address_if_it_is_of_the_partner() {
    let history = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 3, CARLA)),
        ("2025-06-01T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
    ]);
    let name = |employee: Option<u128>, text: Option<&str>| {
        view(&history, "2025-03-01T00:00:00Z").name_of(employee.map(employee_id), text.map(address).as_ref())
    };
    assert_eq!(name(Some(1), None).as_deref(), Some(ANNA));
    assert_eq!(name(Some(1), Some(BRUNO)).as_deref(), Some(ANNA));
    assert_eq!(name(Some(3), Some(ANNA)).as_deref(), Some(ANNA));
    assert_eq!(name(None, Some(ANNA)).as_deref(), Some(ANNA));
    for (employee, text) in [(Some(3), None), (Some(3), Some(CARLA)), (None, Some(CARLA)), (None, Some(BRUNO))] {
        assert_eq!(name(employee, text), None, "{employee:?} {text:?}");
    }
}

/// What ended the relationship of Anna's partner with the client on 1 April, where other things happened at that instant.
fn ended_by(facts: impl IntoIterator<Item = (&'static str, AccessFact)>) -> Vec<(EndingCause, String)> {
    let before = [
        partner_added(PARTNER, &[]),
        partner_added(OTHER_PARTNER, &[]),
        client_added(CLIENT),
        client_added(OTHER_CLIENT),
        employee_added(PARTNER, 1, ANNA),
        user_added(CLIENT, 1, ANNA),
        user_added(CLIENT, 3, CARLA),
        user_added(OTHER_CLIENT, 1, ANNA),
    ];
    let before = before.into_iter().map(|fact| ("2025-01-01T00:00:00Z", "", fact));
    let facts = before.chain(facts.into_iter().map(|(reason, fact)| ("2025-04-01T00:00:00Z", reason, fact)));
    let changes =
        (1..).zip(facts).map(|(position, (time, reason, fact))| recorded(position, time, BRUNO, reason, fact));
    let history = AccessHistory::from_changes(changes);
    assert_eq!(view(&history, "2025-03-31T23:59:59.999999Z").endings(&POLICY), []);
    let endings = view(&history, "2025-04-01T00:00:00Z").endings(&POLICY).into_iter();
    endings.map(|ending| (ending.cause, ending.change.expect("a change").reason)).collect()
}

#[test]
fn r126_an_ending_is_shown_by_its_own_change_whatever_else_happens_at_that_instant() {
    let removed = [
        ("the cause", user_removed(CLIENT, 1, ANNA)),
        ("of a stranger", user_removed(CLIENT, 3, CARLA)),
        ("elsewhere", user_removed(OTHER_CLIENT, 1, ANNA)),
    ];
    let services_ended = [
        ("the cause", services_ended(CLIENT, PARTNER)),
        ("of another partner", services_ended(CLIENT, OTHER_PARTNER)),
        ("elsewhere", services_ended(OTHER_CLIENT, PARTNER)),
    ];
    let left = [("the cause", partner_left(PARTNER)), ("another", partner_left(OTHER_PARTNER))];
    let closed = [("the cause", client_closed(CLIENT)), ("another", client_closed(OTHER_CLIENT))];
    let by = |cause| [(cause, "the cause".to_owned())];
    assert_eq!(ended_by(removed), by(EndingCause::AllEmployeesRemoved));
    assert_eq!(ended_by(services_ended), by(EndingCause::ServicesEnded));
    assert_eq!(ended_by(left), by(EndingCause::PartnerLeft));
    assert_eq!(ended_by(closed), by(EndingCause::ClientClosed));
}

#[test]
fn r63_what_lies_ahead_of_the_instant_is_not_told_of_a_partner_or_a_client() {
    let changes = [
        (1, "2025-01-01T00:00:00Z", "", partner_added(PARTNER, &[])),
        (2, "2025-02-01T00:00:00Z", "", client_added(CLIENT)),
        (3, "2025-04-01T00:00:00Z", "merged", partner_left(PARTNER)),
        (4, "2025-04-01T00:00:00Z", "", employee_deleted(PARTNER, 1, ANNA)),
        (5, "2025-04-01T00:00:00Z", "another", partner_left(OTHER_PARTNER)),
        (6, "2025-05-01T00:00:00Z", "", client_closed(CLIENT)),
    ];
    let changes = changes.map(|(position, time, reason, fact)| recorded(position, time, BRUNO, reason, fact));
    let history = AccessHistory::from_changes(changes);
    let countries = CountryHistory::from_countries([(at("2025-02-01T00:00:00Z"), "IT".parse().expect("a country"))]);

    let partner = |as_of| view(&history, as_of).partner_facts();
    let joined = at("2025-01-01T00:00:00Z");
    let before = partner("2025-03-31T23:59:59.999999Z");
    assert_eq!((before.programme, before.left), (Some(Period::since(joined)), None));
    let after = partner("2025-04-01T00:00:00Z");
    assert_eq!(after.programme, Some(Period::between(joined, at("2025-04-01T00:00:00Z"))));
    assert_eq!(after.left.map(|change| change.reason).as_deref(), Some("merged"));

    let client = |as_of| view(&history, as_of).client_facts(&countries);
    let unknown = client("2025-01-31T23:59:59.999999Z");
    assert_eq!((unknown.is_known, unknown.country), (false, None));
    let open = client("2025-04-30T23:59:59.999999Z");
    assert_eq!((open.is_known, open.closed_time), (true, None));
    assert_eq!(open.country.map(|(_, since)| since), Some(at("2025-02-01T00:00:00Z")));
    assert_eq!(client("2025-05-01T00:00:00Z").closed_time, Some(at("2025-05-01T00:00:00Z")));
}
