//! What counts, what does not, and why not.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::access::{AccessFact, ClientUserState, PermissionSet};
use crate::activity::testing::activity;
use crate::activity::{ActivityAction, Origin, SourceAction};
use crate::testing::cases;

use NotCountedReason as Reason;

const NOON: &str = "2025-01-10T12:00:00Z";

fn publishing(text: &str, time: &str) -> Activity {
    activity(CLIENT, text, at(time), "blog/publish")
}

fn verdict(activity: &Activity, history: &AccessHistory) -> Verdict {
    judge(activity, history, &POLICY).verdict
}

fn counted(expire_time: &str) -> Verdict {
    Verdict::Counted { expire_time: at(expire_time) }
}

/// Anna: employee, user of the client, assigned, since 2 January.
fn anna_at_work() -> AccessHistory {
    history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ])
}

#[test]
fn example_01_an_activity_expires_sixty_days_later() {
    let judgement = judge(&publishing(ANNA, NOON), &anna_at_work(), &POLICY);
    assert_eq!(judgement.verdict, counted("2025-03-11T12:00:00Z"));
    assert_eq!(judgement.attribution, Some(Attribution { partner: hub(PARTNER), employee: employee_id(1) }));
    assert_eq!(judgement.action, Some("blog/publish".parse().expect("an action")));
}

#[test]
fn r8_an_address_is_the_same_person_whatever_its_case() {
    assert_eq!(verdict(&publishing("ANNA@Agency.Example", NOON), &anna_at_work()), counted("2025-03-11T12:00:00Z"));
}

#[test]
fn example_04_the_client_must_be_assigned_at_the_instant_of_the_activity() {
    let linked_at = |time| {
        history_with([
            ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
            ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, CARLA)),
            (time, linked(CLIENT, PARTNER, 1, CARLA)),
        ])
    };
    let activity = publishing(CARLA, "2025-01-10T09:00:00Z");
    let not_assigned = Verdict::NotCounted(Reason::NotAssigned);
    assert_eq!(verdict(&activity, &linked_at("2025-01-10T09:00:01Z")), not_assigned);
    assert_eq!(verdict(&activity, &linked_at("2025-01-10T09:00:00.000001Z")), not_assigned);
    assert_eq!(verdict(&activity, &linked_at("2025-01-10T09:00:00Z")), counted("2025-03-11T09:00:00Z"));
}

#[test]
fn example_05_a_contractor_needs_both_the_link_and_the_user() {
    let never_linked = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, CARLA)),
    ]);
    let no_user = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-01-02T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ]);
    assert_eq!(verdict(&publishing(CARLA, NOON), &never_linked), Verdict::NotCounted(Reason::NotAssigned));
    assert_eq!(verdict(&publishing(CARLA, NOON), &no_user), Verdict::NotCounted(Reason::NoUserInClient));
}

#[test]
fn example_07_logins_and_drafts_do_not_count_and_publishing_does() {
    let known = anna_at_work();
    let of = |action| verdict(&activity(CLIENT, ANNA, at(NOON), action), &known);
    assert_eq!(of("account/login"), Verdict::NotCounted(Reason::NonQualifyingAction));
    assert_eq!(of("blog/draft"), Verdict::NotCounted(Reason::NonQualifyingAction));
    assert_eq!(of("blog/publish"), counted("2025-03-11T12:00:00Z"));
}

#[test]
fn example_15_a_deactivated_user_does_not_count() {
    let mut known = anna_at_work();
    known.record(change(9, at("2025-06-20T00:00:00Z"), user_deactivated(CLIENT, 1, ANNA)));
    assert_eq!(verdict(&publishing(ANNA, "2025-06-01T09:00:00Z"), &known), counted("2025-07-31T09:00:00Z"));
    assert_eq!(
        verdict(&publishing(ANNA, "2025-06-19T23:59:59.999999Z"), &known),
        counted("2025-08-18T23:59:59.999999Z")
    );
    for time in ["2025-06-20T00:00:00Z", "2025-06-25T00:00:00Z"] {
        assert_eq!(verdict(&publishing(ANNA, time), &known), Verdict::NotCounted(Reason::UserDeactivated));
    }
}

#[test]
fn r60_the_sources_own_words_are_mapped_by_policy() {
    let in_words = |category, subcategory, action| {
        let source = SourceAction::new("ACCOUNT_ACTIVITY", category, subcategory, action).expect("a source's words");
        Activity { action: ActivityAction::Source(source), ..publishing(ANNA, NOON) }
    };
    let judged = |activity| judge(&activity, &anna_at_work(), &POLICY);
    let created = judged(in_words("CRM_OBJECT", "CONTACT", "CREATE"));
    assert_eq!(created.verdict, counted("2025-03-11T12:00:00Z"));
    assert_eq!(created.action, Some("contact/create".parse().expect("an action")));
    let logged_in = judged(in_words("LOGIN", "LOGIN_SUCCEEDED", "PERFORM"));
    assert_eq!(logged_in.verdict, Verdict::NotCounted(Reason::NonQualifyingAction));
    let strange = judged(in_words("NEVER", "HEARD", "OF"));
    assert_eq!((strange.verdict, strange.action), (Verdict::NotCounted(Reason::UnknownAction), None));
}

/// Everything is wrong with the activity; each cure takes away the first reason that is left.
#[test]
fn r61_the_reasons_have_their_order_and_the_first_one_is_given() {
    let time = at("2025-06-01T00:00:00Z");
    let before = "2025-03-01T00:00:00Z";
    // The wrong state of each condition, in the order of the reasons, and what cures it.
    let mut facts: Vec<(&str, AccessFact)> = vec![];
    let mut activity = Activity { origin: Origin::Workflow, ..activity(PARTNER, ANNA, time, "blog/juggle") };
    let judged = |facts: &[(&str, AccessFact)], activity: &Activity| {
        let changes = facts.iter().cloned().zip(1..);
        let changes = changes.map(|((time, fact), position)| change(position, at(time), fact));
        judge(activity, &AccessHistory::from_changes(changes), &POLICY)
    };
    let mut reasons = Vec::new();
    let mut note = |judgement: Judgement| match judgement.verdict {
        Verdict::NotCounted(reason) => reasons.push((reason, judgement.attribution.is_some())),
        Verdict::Counted { .. } | Verdict::Voided => {}
    };

    note(judged(&facts, &activity));
    facts.extend([(before, client_added(PARTNER)), (before, client_closed(PARTNER))]);
    note(judged(&facts, &activity));
    facts.remove(1);
    note(judged(&facts, &activity));
    facts.push((before, unflagged_added(PARTNER, 1, ANNA)));
    note(judged(&facts, &activity));
    facts[1] = (before, employee_added(PARTNER, 1, ANNA));
    note(judged(&facts, &activity));
    facts.push((before, partner_added(PARTNER, &[])));
    note(judged(&facts, &activity));
    activity.client = hub(CLIENT);
    facts.push((before, client_added(CLIENT)));
    note(judged(&facts, &activity));
    activity.action = ActivityAction::Catalogue("blog/draft".parse().expect("an action"));
    note(judged(&facts, &activity));
    activity.action = ActivityAction::Catalogue("blog/publish".parse().expect("an action"));
    note(judged(&facts, &activity));
    activity.origin = Origin::Person;
    note(judged(&facts, &activity));
    facts.extend([(before, user_added(CLIENT, 1, ANNA)), (before, user_deactivated(CLIENT, 1, ANNA))]);
    note(judged(&facts, &activity));
    facts.push((before, user_reactivated(CLIENT, 1, ANNA)));
    note(judged(&facts, &activity));
    facts.push((before, linked(CLIENT, PARTNER, 1, ANNA)));
    assert_eq!(judged(&facts, &activity).verdict, counted("2025-07-31T00:00:00Z"));

    let expected: Vec<_> = Reason::ALL.into_iter().map(|reason| (reason, reason > Reason::UnknownEmployee)).collect();
    assert_eq!(reasons, expected);
}

#[test]
fn every_condition_is_tested_at_the_occur_time() {
    let known = history_with([
        ("2025-02-01T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-03-01T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-04-01T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
        ("2025-05-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-06-01T00:00:00Z", client_closed(CLIENT)),
    ]);
    let expected = [
        ("2024-12-31T23:59:59.999999Z", Some(Reason::UnknownClient)),
        ("2025-01-01T00:00:00Z", Some(Reason::UnknownEmployee)),
        ("2025-01-31T23:59:59.999999Z", Some(Reason::UnknownEmployee)),
        ("2025-02-01T00:00:00Z", Some(Reason::NoUserInClient)),
        ("2025-03-01T00:00:00Z", None),
        ("2025-03-31T23:59:59.999999Z", None),
        ("2025-04-01T00:00:00Z", Some(Reason::NoUserInClient)),
        ("2025-05-01T00:00:00Z", Some(Reason::UnknownEmployee)),
        ("2025-06-01T00:00:00Z", Some(Reason::ClientClosed)),
    ];
    for (time, reason) in expected {
        let found = match verdict(&publishing(ANNA, time), &known) {
            Verdict::NotCounted(reason) => Some(reason),
            Verdict::Counted { .. } | Verdict::Voided => None,
        };
        assert_eq!(found, reason, "{time}");
    }
    let mut left = anna_at_work();
    left.record(change(9, at("2025-02-01T00:00:00Z"), partner_left(PARTNER)));
    let expected = Verdict::NotCounted(Reason::PartnerNotInProgramme);
    assert_eq!(verdict(&publishing(ANNA, "2025-02-01T00:00:00Z"), &left), expected);
}

/// Carla works for two partners; more facts decide for whom.
fn carla_of_two<const N: usize>(facts: [(&'static str, AccessFact); N]) -> Judgement {
    let both = [
        ("2025-01-01T00:00:00Z", partner_added(PARTNER, &[])),
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-01T00:00:00Z", client_added(CLIENT)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 2, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ];
    let changes = both.into_iter().chain(facts).zip(1..);
    let changes = changes.map(|((time, fact), position)| change(position, at(time), fact));
    judge(&publishing(ANNA, NOON), &AccessHistory::from_changes(changes), &POLICY)
}

#[test]
fn an_employee_of_two_partners_counts_for_the_one_whose_domain_matches() {
    let judgement = carla_of_two([
        ("2025-01-03T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-01-04T00:00:00Z", domains_set(OTHER_PARTNER, &["agency.example"])),
    ]);
    assert_eq!(judgement.verdict, counted("2025-03-11T12:00:00Z"));
    assert_eq!(judgement.attribution.map(|found| found.partner), Some(hub(OTHER_PARTNER)));
}

#[test]
fn without_a_domain_it_counts_for_the_one_assigned_earlier_and_then_for_the_lower_hub_id() {
    let for_links = |own, other| {
        let judgement =
            carla_of_two([(own, linked(CLIENT, PARTNER, 1, ANNA)), (other, linked(CLIENT, OTHER_PARTNER, 2, ANNA))]);
        assert_eq!(judgement.verdict, counted("2025-03-11T12:00:00Z"));
        judgement.attribution.map(|found| found.partner)
    };
    assert_eq!(for_links("2025-01-04T00:00:00Z", "2025-01-03T00:00:00Z"), Some(hub(OTHER_PARTNER)));
    assert_eq!(for_links("2025-01-03T00:00:00Z", "2025-01-03T00:00:00Z"), Some(hub(PARTNER)));
}

#[test]
fn registering_somebody_elses_people_blocks_nobody() {
    // The lower hub id also employs the address, but is not assigned.
    let linked_to_other = carla_of_two([("2025-01-03T00:00:00Z", linked(CLIENT, OTHER_PARTNER, 2, ANNA))]);
    assert_eq!(linked_to_other.verdict, counted("2025-03-11T12:00:00Z"));
    assert_eq!(linked_to_other.attribution.map(|found| found.partner), Some(hub(OTHER_PARTNER)));
}

#[test]
fn where_it_counts_for_none_the_one_that_came_furthest_is_named() {
    let judgement = carla_of_two([("2025-01-03T00:00:00Z", partner_left(PARTNER))]);
    assert_eq!(judgement.verdict, Verdict::NotCounted(Reason::NotAssigned));
    assert_eq!(judgement.attribution.map(|found| found.partner), Some(hub(OTHER_PARTNER)));
    let neither = carla_of_two([]);
    assert_eq!(neither.verdict, Verdict::NotCounted(Reason::NotAssigned));
    assert_eq!(neither.attribution.map(|found| found.partner), Some(hub(PARTNER)));
}

#[test]
fn r20_the_flag_at_the_instant_of_the_activity_decides() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, true)),
        ("2025-05-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, false)),
    ]);
    let not_flagged = Verdict::NotCounted(Reason::NotPartnerEmployee);
    assert_eq!(verdict(&publishing(ANNA, "2025-02-28T23:59:59.999999Z"), &known), not_flagged);
    assert_eq!(verdict(&publishing(ANNA, "2025-03-01T00:00:00Z"), &known), counted("2025-04-30T00:00:00Z"));
    assert_eq!(
        verdict(&publishing(ANNA, "2025-04-30T23:59:59.999999Z"), &known),
        counted("2025-06-29T23:59:59.999999Z")
    );
    assert_eq!(verdict(&publishing(ANNA, "2025-05-01T00:00:00Z"), &known), not_flagged);
}

#[test]
fn r76_after_the_end_of_services_work_counts_only_when_linked_again() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-03-01T00:00:00Z", services_ended(CLIENT, PARTNER)),
        ("2025-05-01T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
    ]);
    let not_assigned = Verdict::NotCounted(Reason::NotAssigned);
    assert_eq!(
        verdict(&publishing(ANNA, "2025-02-28T23:59:59.999999Z"), &known),
        counted("2025-04-29T23:59:59.999999Z")
    );
    assert_eq!(verdict(&publishing(ANNA, "2025-03-01T00:00:00Z"), &known), not_assigned);
    assert_eq!(verdict(&publishing(ANNA, "2025-05-01T00:00:00Z"), &known), counted("2025-06-30T00:00:00Z"));
}

#[test]
fn the_permission_set_does_not_matter() {
    let admin = AccessFact::ClientUserAdded {
        client: hub(CLIENT),
        user: user_id(1),
        address: address(ANNA),
        display_name: "Anna".to_owned(),
        permission_set: PermissionSet::partner_admin(),
    };
    let known =
        history_with([("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)), ("2025-01-02T00:00:00Z", admin)]);
    assert_eq!(verdict(&publishing(ANNA, NOON), &known), verdict(&publishing(ANNA, NOON), &anna_at_work()));
}

#[test]
fn the_reasons_have_names_that_read_back() {
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert_eq!(reason.to_string(), reason.as_str());
    }
    assert!(Reason::ALL.is_sorted());
    assert_eq!("VOIDED".parse::<Reason>(), Err(NotCountedReasonError));
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn r61_a_late_access_fact_judges_as_if_it_had_been_known_from_the_start(steps in steps()) {
        let log = legal_log(&steps);
        let known_from_the_start = AccessHistory::from_changes(log.clone());
        let mut late = AccessHistory::default();
        for change in log {
            late.record(change);
        }
        for client in CLIENTS {
            for text in PEOPLE {
                for number in 0..=LAST_TICK {
                    let activity = activity(client, text, tick(number), "form/edit");
                    prop_assert_eq!(judge(&activity, &late, &POLICY), judge(&activity, &known_from_the_start, &POLICY));
                }
            }
        }
    }

    #[test]
    fn r22_a_verdict_does_not_depend_on_what_became_true_after_the_occur_time(steps in steps(), number in 0..=LAST_TICK) {
        let log = legal_log(&steps);
        let by_then = log.iter().filter(|change| change.effective_time <= tick(number)).cloned();
        let by_then = AccessHistory::from_changes(by_then);
        let known = AccessHistory::from_changes(log);
        for client in CLIENTS {
            for text in PEOPLE {
                let activity = activity(client, text, tick(number), "form/edit");
                prop_assert_eq!(judge(&activity, &by_then, &POLICY), judge(&activity, &known, &POLICY));
            }
        }
    }

    #[test]
    fn r7_it_counts_exactly_where_some_employee_fulfils_every_condition(steps in steps(), number in 0..=LAST_TICK) {
        let known = AccessHistory::from_changes(legal_log(&steps));
        let time = tick(number);
        for client in CLIENTS {
            for text in PEOPLE {
                let client_is_open = known.client(hub(client)).is_some_and(|found| found.open().contains(time));
                let user = known.client_user_state_at(hub(client), &address(text), time);
                let fulfils = known.employees(&address(text)).any(|spell| {
                    let partner = known.partner(spell.partner);
                    spell.period.contains(time)
                        && spell.is_partner_employee(time)
                        && partner.is_some_and(|partner| partner.is_in_programme(time))
                        && known.assignment_at(hub(client), spell.partner, &address(text), time).is_some()
                });
                let expected = client_is_open && user == ClientUserState::Active && fulfils;
                let found = judge(&activity(client, text, time, "form/edit"), &known, &POLICY);
                prop_assert_eq!(matches!(found.verdict, Verdict::Counted { .. }), expected);
            }
        }
    }
}
