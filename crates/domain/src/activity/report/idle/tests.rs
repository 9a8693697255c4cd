//! Who is assigned and has nothing that counts, since when, and what comes next.

use proptest::prelude::*;

use super::*;
use crate::access::AccessFact;
use crate::access::testing::*;
use crate::activity::testing::{Manager, activity};
use crate::activity::{Attribution, UNMATCHED_REASONS, Verdict, judge};
use crate::testing::cases;

use RemedyKind as Kind;

const AS_OF: &str = "2025-04-01T00:00:00Z";

type Work = BTreeMap<(HubId, EmailAddress), WorkThere>;

fn idle_at(history: &AccessHistory, work: &Work, as_of: &str) -> Vec<IdleAssignment> {
    idle_assignments(hub(PARTNER), history, work, &POLICY, at(as_of))
}

fn idle(history: &AccessHistory, work: &Work) -> Vec<IdleAssignment> {
    idle_at(history, work, AS_OF)
}

/// The only row of somebody.
fn only(rows: Vec<IdleAssignment>) -> IdleAssignment {
    let [row] = <[_; 1]>::try_from(rows).expect("one row");
    row
}

fn nothing() -> Work {
    Work::new()
}

/// What Anna has done in the client.
fn of_anna(work: WorkThere) -> Work {
    Work::from([((hub(CLIENT), address(ANNA)), work)])
}

/// Something that counted for 60 days.
fn counted(time: &str) -> CountedActivity {
    CountedActivity { occur_time: at(time), expire_time: at(time) + chrono::TimeDelta::days(60) }
}

fn not_counted(time: &str, reason: NotCountedReason, action: &str) -> Option<NotCountedWork> {
    Some(NotCountedWork { occur_time: at(time), reason, action: action.parse().ok() })
}

/// Anna: employee since 2 January, user of the client and with it assigned since 3 January; and more.
fn anna_at_work<const N: usize>(facts: [(&'static str, AccessFact); N]) -> AccessHistory {
    let known = [
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-03T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ];
    let all = base().into_iter().chain(known).chain(facts).zip(1..);
    AccessHistory::from_changes(all.map(|((time, fact), position)| change(position, at(time), fact)))
}

#[test]
fn somebody_assigned_and_active_who_never_worked_is_told_to_work() {
    let row = only(idle(&anna_at_work([]), &nothing()));
    let expected = IdleAssignment {
        client: hub(CLIENT),
        employee: employee_id(1),
        address: address(ANNA),
        state: AssignmentState::Effective,
        origin: AssignmentOrigin::Automatic,
        idle_since: at("2025-01-03T00:00:00Z"),
        work: WorkThere::default(),
        remedy: Remedy::new(
            Kind::Work,
            "anna@agency.example is assigned to Client 2001 and active there: any qualifying activity, for example \
             publishing a blog post or editing a form, counts from that instant.",
        ),
    };
    assert_eq!(row, expected);
}

#[test]
fn r26_somebody_linked_who_is_no_user_there_is_added_there() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-01-04T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ]);
    let row = only(idle(&known, &nothing()));
    assert_eq!((row.state, row.origin), (AssignmentState::PendingUser, AssignmentOrigin::ByHand));
    assert_eq!(row.idle_since, at("2025-01-04T00:00:00Z"));
    let text = "A Partner admin or a super admin of Client 2001 adds carla@gmail.com as a user there.";
    assert_eq!(row.remedy, Remedy::new(Kind::AddClientUser, text));
}

#[test]
fn r38_somebody_deactivated_is_reactivated() {
    let row = only(idle(&anna_at_work([("2025-02-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA))]), &nothing()));
    assert_eq!((row.state, row.idle_since), (AssignmentState::Suspended, at("2025-01-03T00:00:00Z")));
    let text = "A Partner admin or a super admin of Client 2001 reactivates anna@agency.example: Clients tab, Client \
                2001, anna@agency.example, Reactivate user on client.";
    assert_eq!(row.remedy, Remedy::new(Kind::ReactivateClientUser, text));
}

#[test]
fn r20_somebody_who_is_not_flagged_is_flagged_first() {
    let known = anna_at_work([
        ("2025-02-01T00:00:00Z", employee_updated(PARTNER, 1, ANNA, false)),
        ("2025-02-02T00:00:00Z", user_deactivated(CLIENT, 1, ANNA)),
    ]);
    let row = only(idle(&known, &nothing()));
    let text = "A super admin of your account flags Updated as partner employee.";
    assert_eq!(row.remedy, Remedy::new(Kind::FlagEmployee, text));
}

#[test]
fn who_has_something_that_counts_is_not_idle_and_a_lapsed_one_is_since_it_expired() {
    let last_counted = Some(counted("2025-01-10T12:00:00Z"));
    let alive = of_anna(WorkThere { live_activities: 1, last_counted, ..WorkThere::default() });
    assert_eq!(idle_at(&anna_at_work([]), &alive, "2025-03-11T11:59:59.999999Z"), []);
    let lapsed = of_anna(WorkThere { last_counted, ..WorkThere::default() });
    let row = only(idle_at(&anna_at_work([]), &lapsed, "2025-03-11T12:00:00Z"));
    assert_eq!(row.idle_since, at("2025-03-11T12:00:00Z"));
    assert_eq!(row.remedy.kind, Kind::Work);
    assert_eq!(row.work.last_counted, last_counted);
}

#[test]
fn work_of_an_earlier_assignment_does_not_make_the_present_one_older() {
    let again = |time| {
        anna_at_work([
            ("2025-02-01T00:00:00Z", unlinked(CLIENT, PARTNER, 1, ANNA)),
            (time, linked(CLIENT, PARTNER, 1, ANNA)),
        ])
    };
    let work = of_anna(WorkThere { last_counted: Some(counted("2025-01-10T12:00:00Z")), ..WorkThere::default() });
    for (linked, since) in
        [("2025-03-11T11:59:59Z", "2025-03-11T12:00:00Z"), ("2025-03-11T12:00:01Z", "2025-03-11T12:00:01Z")]
    {
        let row = only(idle(&again(linked), &work));
        assert_eq!((row.idle_since, row.origin), (at(since), AssignmentOrigin::ByHand), "{linked}");
    }
}

#[test]
fn r73_what_an_ending_cut_off_stopped_counting_at_the_ending() {
    // Linked by hand, so that the assignment outlives the user.
    let known = anna_at_work([
        ("2025-01-04T00:00:00Z", linked(CLIENT, PARTNER, 1, ANNA)),
        ("2025-01-20T00:00:00Z", user_removed(CLIENT, 1, ANNA)),
    ]);
    let after = |time| of_anna(WorkThere { last_counted: Some(counted(time)), ..WorkThere::default() });
    let row = only(idle_at(&known, &after("2025-01-10T12:00:00Z"), "2025-02-01T00:00:00Z"));
    assert_eq!(row.idle_since, at("2025-01-20T00:00:00Z"));
    assert_eq!(row.remedy.kind, Kind::AddClientUser);
    // What expired before the ending was over before.
    let early = only(idle_at(&known, &after("2024-11-10T12:00:00Z"), "2025-02-01T00:00:00Z"));
    assert_eq!(early.idle_since, at("2025-01-09T12:00:00Z"));
    // An ending cuts off what occurred before it, not what occurred at it.
    let at_it = only(idle_at(&known, &after("2025-01-20T00:00:00Z"), AS_OF));
    assert_eq!(at_it.idle_since, at("2025-03-21T00:00:00Z"));
}

#[test]
fn example_07_whose_latest_work_does_not_qualify_is_told_what_does() {
    let of = |reason, action| {
        let last_not_counted = not_counted("2025-03-09T12:00:00Z", reason, action);
        let work =
            WorkThere { last_counted: Some(counted("2025-01-10T12:00:00Z")), last_not_counted, ..WorkThere::default() };
        only(idle(&anna_at_work([]), &of_anna(work))).remedy
    };
    let expected = [
        (
            (NotCountedReason::NonQualifyingAction, "account/login"),
            Kind::UseQualifyingAction,
            "account login by anna@agency.example on 9 March 2025, does not count: this kind of action does not \
             qualify. Nothing that is done with account qualifies. Other tools have what qualifies, for example \
             ads/connect, blog/publish and call/complete.",
        ),
        (
            (NotCountedReason::UnknownAction, "inbox/stare"),
            Kind::UseKnownAction,
            "inbox stare by anna@agency.example on 9 March 2025, does not count: the programme does not know this kind \
             of action. With inbox, change_status and reply qualify.",
        ),
        (
            (NotCountedReason::UnknownAction, ""),
            Kind::UseKnownAction,
            "work by anna@agency.example on 9 March 2025, does not count: the programme does not know this kind of \
             action. Ask the programme for an entry in the policy's source_mapping.",
        ),
        (
            (NotCountedReason::NotHuman, "landing_page/edit"),
            Kind::DoByHand,
            "landing page edit by anna@agency.example on 9 March 2025, does not count: no person did it. \
             anna@agency.example does it by hand.",
        ),
    ];
    for ((reason, action), kind, end) in expected {
        assert_eq!(of(reason, action), Remedy::new(kind, format!("The latest there, {end}")));
    }
    // What only access was missing for would count now.
    for reason in UNMATCHED_REASONS {
        assert_eq!(of(reason, "blog/publish").kind, Kind::Work, "{reason}");
    }
}

#[test]
fn work_that_did_not_qualify_before_the_last_that_did_says_nothing() {
    let after = |time| {
        let last_not_counted = not_counted(time, NotCountedReason::NonQualifyingAction, "account/login");
        let last_counted = Some(counted("2025-01-10T12:00:00Z"));
        let work = WorkThere { live_activities: 0, last_counted, last_not_counted };
        only(idle(&anna_at_work([]), &of_anna(work))).remedy.kind
    };
    assert_eq!(after("2025-01-10T12:00:00Z"), Kind::Work);
    assert_eq!(after("2025-01-10T12:00:00.000001Z"), Kind::UseQualifyingAction);
}

#[test]
fn work_that_counts_for_another_employer_first_helps_nobody_and_names_nobody() {
    let known = anna_at_work([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-04T00:00:00Z", employee_added(OTHER_PARTNER, 2, ANNA)),
        ("2025-01-04T00:00:00Z", linked(CLIENT, OTHER_PARTNER, 2, ANNA)),
    ]);
    let of = |partner| idle_assignments(hub(partner), &known, &nothing(), &POLICY, at(AS_OF));
    assert_eq!(only(of(PARTNER)).remedy.kind, Kind::Work);
    let text = "Work of anna@agency.example there counts for one company only, and another one comes first.";
    assert_eq!(only(of(OTHER_PARTNER)).remedy, Remedy::new(Kind::NothingHelps, text));
}

#[test]
fn where_nothing_qualifies_nothing_helps() {
    let document = include_str!("../../../../policy.toml");
    let later = document.replace("[[catalogue]]\nfrom = 0001-01-01", "[[catalogue]]\nfrom = 2025-05-01");
    let policy = Policy::parse(&later).map_err(|error| error.to_string()).expect("a valid document");
    let of = |as_of| only(idle_assignments(hub(PARTNER), &anna_at_work([]), &nothing(), &policy, at(as_of))).remedy;
    assert_eq!(of("2025-04-30T23:59:59.999999Z").kind, Kind::NothingHelps);
    assert_eq!(of("2025-05-01T00:00:00Z").kind, Kind::Work);
}

#[test]
fn only_open_clients_of_a_partner_in_the_programme_and_never_its_own_account_are_listed() {
    let (before, then) = ("2025-02-28T23:59:59.999999Z", "2025-03-01T00:00:00Z");
    let rows = |known: &AccessHistory, as_of| idle_at(known, &nothing(), as_of).len();
    for end in [client_closed(CLIENT), partner_left(PARTNER), employee_deleted(PARTNER, 1, ANNA)] {
        let known = anna_at_work([(then, end)]);
        assert_eq!((rows(&known, before), rows(&known, then)), (1, 0));
    }
    let unlinked = anna_at_work([(then, unlinked(CLIENT, PARTNER, 1, ANNA))]);
    assert_eq!((rows(&unlinked, before), rows(&unlinked, then)), (1, 0));
    let own = anna_at_work([
        ("2025-01-01T00:00:00Z", client_added(PARTNER)),
        ("2025-01-05T00:00:00Z", user_added(PARTNER, 2, ANNA)),
    ]);
    assert_eq!(only(idle(&own, &nothing())).client, hub(CLIENT));
    assert_eq!(rows(&anna_at_work([]), "2025-01-02T23:59:59.999999Z"), 0);
    assert_eq!(rows(&anna_at_work([]), "2025-01-03T00:00:00Z"), 1);
}

#[test]
fn the_rows_are_in_the_order_of_client_and_employee() {
    let known = history_with([
        ("2025-01-01T00:00:00Z", client_added(OTHER_CLIENT)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 9, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 3, BRUNO)),
        ("2025-01-03T00:00:00Z", linked(OTHER_CLIENT, PARTNER, 9, ANNA)),
        ("2025-01-03T00:00:00Z", linked(OTHER_CLIENT, PARTNER, 3, BRUNO)),
        ("2025-01-03T00:00:00Z", linked(CLIENT, PARTNER, 9, ANNA)),
    ]);
    let rows: Vec<_> = idle(&known, &nothing()).into_iter().map(|row| (row.client, row.employee)).collect();
    let expected =
        [(CLIENT, 9), (OTHER_CLIENT, 3), (OTHER_CLIENT, 9)].map(|(client, id)| (hub(client), employee_id(id)));
    assert_eq!(rows, expected);
}

/// Everything of the rows but their texts, which name people by their latest names.
fn without_texts(rows: &[IdleAssignment]) -> Vec<(HubId, EmployeeId, AssignmentState, Instant, RemedyKind)> {
    rows.iter().map(|row| (row.client, row.employee, row.state, row.idle_since, row.remedy.kind)).collect()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn exactly_those_are_idle_who_are_assigned_and_what_comes_later_does_not_matter(
        steps in steps(),
        number in 0..=LAST_TICK,
    ) {
        let log = legal_log(&steps);
        let by_then = log.iter().filter(|change| change.effective_time <= tick(number)).cloned();
        let by_then = AccessHistory::from_changes(by_then);
        let known = AccessHistory::from_changes(log);
        for partner in PARTNERS {
            let rows = idle_assignments(hub(partner), &known, &nothing(), &POLICY, tick(number));
            let then = idle_assignments(hub(partner), &by_then, &nothing(), &POLICY, tick(number));
            prop_assert_eq!(without_texts(&rows), without_texts(&then));
            let mut expected = 0;
            for client in CLIENTS {
                for text in PEOPLE {
                    let assignment = known.assignment_at(hub(client), hub(partner), &address(text), tick(number));
                    let Some(assignment) = assignment else { continue };
                    expected += 1;
                    let of_them = |row: &&IdleAssignment| (row.client, &row.address) == (hub(client), &address(text));
                    let row = rows.iter().find(of_them).expect("a row");
                    prop_assert_eq!((row.employee, row.state), (assignment.employee, assignment.state));
                    prop_assert!(row.idle_since <= assignment.period.start);
                }
            }
            prop_assert_eq!(rows.len(), expected);
        }
    }

    #[test]
    fn taking_one_step_after_the_other_ends_with_work_that_counts(steps in steps(), number in 0..=LAST_TICK) {
        let log = counting(&legal_log(&steps));
        let known = AccessHistory::from_changes(log.clone());
        for partner in PARTNERS {
            for row in idle_assignments(hub(partner), &known, &nothing(), &POLICY, tick(number)) {
                let found = Attribution { partner: hub(partner), employee: row.employee };
                let mut manager = Manager::new(row.client, &row.address, tick(number), log.clone(), Some(found));
                let mut kind = row.remedy.kind;
                for _ in 0..3 {
                    manager.follow(kind);
                    let rows = idle_assignments(hub(partner), &manager.history(), &nothing(), &POLICY, tick(number));
                    let same = rows.iter().find(|each| (each.client, each.employee) == (row.client, row.employee));
                    kind = same.expect("it is still assigned").remedy.kind;
                }
                let work = activity(row.client.get(), row.address.as_str(), tick(number), "form/edit");
                let judgement = judge(&work, &manager.history(), &POLICY);
                let is_counted = matches!(judgement.verdict, Verdict::Counted { .. });
                prop_assert!(is_counted);
                let expected = if judgement.attribution == Some(found) { Kind::Work } else { Kind::NothingHelps };
                prop_assert_eq!(kind, expected);
            }
        }
    }
}
