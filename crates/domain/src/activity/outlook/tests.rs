//! What would make an activity count, and that it does.

use proptest::prelude::*;

use super::*;
use crate::access::testing::*;
use crate::access::{AccessChange, AccessFact};
use crate::activity::testing::{Manager, activity};
use crate::activity::{ActivityAction, SourceAction, Verdict, judge};
use crate::policy::testing::policy_with;
use crate::testing::cases;

use RemedyKind as Kind;

const NOON: &str = "2025-01-10T12:00:00Z";
const IN_TIME: &str = " It must hold by 10 January 2025 at 12:00 UTC, when the work is done: what is changed later does not \
    count back, unless the programme corrects it.";

fn publishing(text: &str) -> Activity {
    activity(CLIENT, text, at(NOON), "blog/publish")
}

fn kinds(remedies: &[Remedy]) -> Vec<RemedyKind> {
    remedies.iter().map(|remedy| remedy.kind).collect()
}

/// What would help, as kinds and texts.
fn help(activity: &Activity, history: &AccessHistory) -> Vec<(RemedyKind, String)> {
    let remedies = outlook(activity, history, &POLICY).remedies;
    remedies.into_iter().map(|remedy| (remedy.kind, remedy.text)).collect()
}

/// A step of access, with the time by which it must have been taken.
fn in_time(kind: RemedyKind, step: &str) -> (RemedyKind, String) {
    (kind, format!("{step}{IN_TIME}"))
}

/// Anna: employee, user of the client, assigned, since 2 January.
fn anna_at_work() -> AccessHistory {
    history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ])
}

#[test]
fn what_counts_needs_nothing() {
    let found = outlook(&publishing(ANNA), &anna_at_work(), &POLICY);
    assert_eq!(found.judgement.verdict, Verdict::Counted { expire_time: at("2025-03-11T12:00:00Z") });
    assert_eq!(found.remedies, []);
}

#[test]
fn for_somebody_whom_nobody_knows_every_step_is_named_in_the_order_of_the_reasons() {
    let expected = [
        in_time(
            Kind::AddEmployee,
            "A super admin of your account creates a user for carla@gmail.com and flags it as partner employee.",
        ),
        in_time(
            Kind::AddClientUser,
            "A Partner admin or a super admin of Client 2001 adds carla@gmail.com as a user there.",
        ),
        in_time(
            Kind::LinkClient,
            "Where the employee e-mail domain does not assign it, somebody with access to the Client Access Manager \
             links Client 2001 to carla@gmail.com: Employees tab, carla@gmail.com, Link clients.",
        ),
    ];
    assert_eq!(help(&publishing(CARLA), &history_with([])), expected);
}

#[test]
fn example_05_a_contractor_is_linked_or_becomes_a_user() {
    let user = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, CARLA)),
    ]);
    let link = in_time(
        Kind::LinkClient,
        "Somebody with access to the Client Access Manager links Client 2001 to carla@gmail.com: Employees tab, \
         carla@gmail.com, Link clients.",
    );
    assert_eq!(help(&publishing(CARLA), &user), std::slice::from_ref(&link));
    let linked = history_with([
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA)),
        ("2025-01-02T00:00:00Z", linked(CLIENT, PARTNER, 1, CARLA)),
    ]);
    let add = in_time(
        Kind::AddClientUser,
        "A Partner admin or a super admin of Client 2001 adds carla@gmail.com as a user there.",
    );
    assert_eq!(help(&publishing(CARLA), &linked), std::slice::from_ref(&add));
    // Neither: no domain of the partner's would link her.
    let neither = history_with([("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, CARLA))]);
    assert_eq!(help(&publishing(CARLA), &neither), [add, link]);
}

#[test]
fn a_deactivated_user_is_reactivated_and_the_domain_may_do_the_rest() {
    let deactivated = |facts: &[(&'static str, AccessFact)]| {
        let facts = base().into_iter().chain(facts.iter().cloned()).zip(1..);
        let known = facts.map(|((time, fact), position)| change(position, at(time), fact));
        kinds(&outlook(&publishing(ANNA), &AccessHistory::from_changes(known), &POLICY).remedies)
    };
    let employee = ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA));
    let user = ("2025-01-03T00:00:00Z", user_added(CLIENT, 1, ANNA));
    let off = ("2025-01-04T00:00:00Z", user_deactivated(CLIENT, 1, ANNA));
    assert_eq!(deactivated(&[employee, user.clone(), off.clone()]), [Kind::ReactivateClientUser]);
    let later_employee = ("2025-01-05T00:00:00Z", employee_added(PARTNER, 1, ANNA));
    assert_eq!(deactivated(&[user, off, later_employee]), [Kind::ReactivateClientUser, Kind::LinkClient]);
}

#[test]
fn the_steps_are_those_of_the_employee_to_whom_it_is_attributed() {
    let known = history_with([
        ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
        ("2025-01-03T00:00:00Z", employee_updated(PARTNER, 1, ANNA, false)),
    ]);
    let expected = in_time(Kind::FlagEmployee, "A super admin of your account flags Updated as partner employee.");
    assert_eq!(help(&publishing(ANNA), &known), [expected]);
}

#[test]
fn a_client_and_a_partner_that_are_not_there_yet_are_added_by_the_programme() {
    let later = "2025-01-10T12:00:00.000001Z";
    let known = history([
        (later, client_added(CLIENT)),
        (later, partner_added(PARTNER, &["agency.example"])),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", user_added(CLIENT, 1, ANNA)),
    ]);
    let found = help(&publishing(ANNA), &known);
    let expected = [
        in_time(Kind::AddClient, "Ask the programme to add the account of Client 2001."),
        in_time(Kind::JoinProgramme, "Ask the programme to take your company in."),
    ];
    assert_eq!(found[..2], expected);
    assert_eq!(found[2..].iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::LinkClient]);
    let nobody = activity(4711, CARLA, at(NOON), "blog/publish");
    let (kind, text) = help(&nobody, &known).remove(0);
    assert_eq!((kind, text), in_time(Kind::AddClient, "Ask the programme to add the account of client 4711."));
}

#[test]
fn example_07_for_a_draft_and_a_login_what_qualifies_is_named() {
    let of = |action| help(&activity(CLIENT, ANNA, at(NOON), action), &anna_at_work());
    let draft = "blog/draft does not qualify. With blog, publish and update_published qualify.";
    assert_eq!(of("blog/draft"), [(Kind::UseQualifyingAction, draft.to_owned())]);
    let login = "account/login does not qualify. Nothing that is done with account qualifies. Other tools have what \
                 qualifies, for example ads/connect, blog/publish and call/complete.";
    assert_eq!(of("account/login"), [(Kind::UseQualifyingAction, login.to_owned())]);
}

#[test]
fn r60_for_an_unknown_action_the_known_ones_are_named_or_the_mapping_that_is_missing() {
    let known = anna_at_work();
    let of = |action| help(&activity(CLIENT, ANNA, at(NOON), action), &known);
    let juggling = "As of 10 January 2025 at 12:00 UTC, the programme's catalogue does not know blog/juggle. With blog, \
                    publish and update_published qualify.";
    assert_eq!(of("blog/juggle"), [(Kind::UseKnownAction, juggling.to_owned())]);
    let teleporting = "As of 10 January 2025 at 12:00 UTC, the programme's catalogue does not know teleporter/edit. \
                       Nothing that is done with teleporter qualifies. Other tools have what qualifies, for example \
                       ads/connect, blog/publish and call/complete.";
    assert_eq!(of("teleporter/edit"), [(Kind::UseKnownAction, teleporting.to_owned())]);
    let source = SourceAction::new("ACCOUNT_ACTIVITY", "NEVER", "HEARD", "OF").expect("a source's words");
    let strange = Activity { action: ActivityAction::Source(source), ..publishing(ANNA) };
    let missing = "As of 10 January 2025 at 12:00 UTC, the policy's source_mapping has no entry for ACCOUNT_ACTIVITY \
                   NEVER/HEARD/OF: ask the programme for one, and the work is judged again.";
    assert_eq!(help(&strange, &known), [(Kind::UseKnownAction, missing.to_owned())]);
}

#[test]
fn r59_what_no_person_did_is_done_by_hand() {
    for (origin, doer) in [
        (Origin::Workflow, "A workflow"),
        (Origin::ImportJob, "An import job"),
        (Origin::Sync, "A synchronisation"),
        (Origin::ApiIntegration, "An integration"),
    ] {
        let by = Activity { origin, ..publishing(ANNA) };
        let text = format!(
            "{doer} did this, and only what a person does by hand counts: anna@agency.example does it by hand."
        );
        assert_eq!(help(&by, &anna_at_work()), [(Kind::DoByHand, text)]);
    }
}

#[test]
fn in_a_closed_account_and_in_ones_own_nothing_helps_and_nothing_else_is_named() {
    let mut closed = anna_at_work();
    closed.record(change(9, at(NOON), client_closed(CLIENT)));
    let draft = activity(CLIENT, ANNA, at(NOON), "blog/draft");
    let why = "Nothing can be done for this client: the account of Client 2001 is closed.";
    assert_eq!(help(&draft, &closed), [(Kind::NothingHelps, why.to_owned())]);
    let before = activity(CLIENT, ANNA, at("2025-01-10T11:59:59.999999Z"), "blog/draft");
    assert_eq!(kinds(&outlook(&before, &closed, &POLICY).remedies), [Kind::UseQualifyingAction]);

    let own = history_with([
        ("2025-01-01T00:00:00Z", client_added(PARTNER)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
    ]);
    let why =
        "Client 1001 is your own account. Nothing needs to be done: credit comes from the accounts of your clients.";
    let in_own = activity(PARTNER, ANNA, at(NOON), "blog/publish");
    assert_eq!(help(&in_own, &own), [(Kind::NothingHelps, why.to_owned())]);
}

/// What becomes of an activity when what the remedies say of the work itself is done.
fn done_otherwise(activity: &Activity, remedies: &[RemedyKind]) -> Activity {
    let mut activity = activity.clone();
    if remedies.contains(&Kind::UseKnownAction) || remedies.contains(&Kind::UseQualifyingAction) {
        activity.action = ActivityAction::Catalogue("blog/publish".parse().expect("an action"));
    }
    if remedies.contains(&Kind::DoByHand) {
        activity.origin = Origin::Person;
    }
    activity
}

/// The verdict once the remedies are done, at the very time of the work.
fn verdict_after(activity: &Activity, log: &[AccessChange], found: &Outlook, remedies: &[RemedyKind]) -> Verdict {
    let Activity { client, address, occur_time, .. } = activity;
    let mut manager = Manager::new(*client, address, *occur_time, log.to_vec(), found.judgement.attribution);
    remedies.iter().for_each(|kind| manager.follow(*kind));
    judge(&done_otherwise(activity, remedies), &manager.history(), &POLICY).verdict
}

fn random_activity() -> impl Strategy<Value = Activity> {
    let client = prop::sample::select(vec![CLIENT, OTHER_CLIENT, PARTNER, 2999]);
    let action = prop::sample::select(vec!["form/edit", "form/view", "account/login", "form/juggle", "teleporter/use"]);
    let origin = prop::sample::select(Origin::ALL.to_vec());
    (client, prop::sample::select(PEOPLE.to_vec()), -1..=LAST_TICK, action, origin, any::<bool>()).prop_map(
        |(client, text, number, action, origin, is_in_words)| {
            let activity = Activity { origin, ..activity(client, text, tick(number), action) };
            let source = SourceAction::new("ACCOUNT_ACTIVITY", "NEVER", "HEARD", "OF").expect("a source's words");
            if is_in_words { Activity { action: ActivityAction::Source(source), ..activity } } else { activity }
        },
    )
}

#[test]
fn where_nothing_qualifies_nothing_helps() {
    let from = "[[catalogue]]\nfrom = 0001-01-01";
    let policy = policy_with(from, "[[catalogue]]\nfrom = 2025-01-10T12:00:00.000001Z");
    let draft = activity(CLIENT, ANNA, at(NOON), "blog/draft");
    let text = "As of 10 January 2025 at 12:00 UTC, nothing qualifies by the programme's catalogue.".to_owned();
    let nothing = Remedy { kind: Kind::NothingHelps, text };
    assert_eq!(outlook(&draft, &anna_at_work(), &policy).remedies, [nothing]);
    let in_force = policy_with(from, "[[catalogue]]\nfrom = 2025-01-10T12:00:00Z");
    assert_eq!(kinds(&outlook(&draft, &anna_at_work(), &in_force).remedies), [Kind::UseQualifyingAction]);
}

#[test]
fn of_a_tool_with_many_actions_eight_are_named_and_the_rest_counted() {
    let help_with = |actions: &str| {
        let policy = policy_with("qualifying = [\"publish\", \"update_published\"]", actions);
        outlook(&activity(CLIENT, ANNA, at(NOON), "blog/draft"), &anna_at_work(), &policy).remedies.remove(0).text
    };
    let eight = r#"qualifying = ["a", "b", "c", "d", "e", "f", "publish", "update_published"]"#;
    let end = "With blog, a, b, c, d, e, f, publish and update_published qualify.";
    assert_eq!(help_with(eight), format!("blog/draft does not qualify. {end}"));
    let nine = r#"qualifying = ["a", "b", "c", "d", "e", "f", "g", "publish", "update_published"]"#;
    let end = "With blog, a, b, c, d, e, f, g, publish and 1 other action qualify.";
    assert_eq!(help_with(nine), format!("blog/draft does not qualify. {end}"));
    let one = r#"qualifying = ["publish"]"#;
    assert_eq!(help_with(one), "blog/draft does not qualify. With blog, publish qualifies.");
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_outlook_judges_as_judge_does_and_helps_exactly_where_it_does_not_count(
        steps in steps(),
        activities in prop::collection::vec(random_activity(), 12),
    ) {
        let known = AccessHistory::from_changes(legal_log(&steps));
        for activity in activities {
            let found = outlook(&activity, &known, &POLICY);
            prop_assert_eq!(&found.judgement, &judge(&activity, &known, &POLICY));
            let is_counted = matches!(found.judgement.verdict, Verdict::Counted { .. });
            prop_assert_eq!(found.remedies.is_empty(), is_counted);
            prop_assert!(kinds(&found.remedies).is_sorted_by(|one, other| one < other), "in order, none twice");
            for remedy in found.remedies {
                prop_assert!(!remedy.text.contains("Partner 100"), "names a partner: {}", remedy.text);
                prop_assert!(remedy.text.ends_with('.') && !remedy.text.ends_with(".."), "{}", remedy.text);
            }
        }
    }

    #[test]
    fn doing_what_would_help_makes_it_count(
        steps in steps(),
        activities in prop::collection::vec(random_activity(), 12),
    ) {
        let log = counting(&legal_log(&steps));
        let known = AccessHistory::from_changes(log.clone());
        for activity in activities {
            let found = outlook(&activity, &known, &POLICY);
            let helpful = kinds(&found.remedies);
            if helpful == [Kind::NothingHelps] {
                continue;
            }
            let verdict = verdict_after(&activity, &log, &found, &helpful);
            prop_assert!(matches!(verdict, Verdict::Counted { .. }), "{:?} after {:?} of {:?}", verdict, helpful, activity);
        }
    }

    #[test]
    fn leaving_out_any_step_but_a_link_that_the_domain_may_make_leaves_it_uncounted(
        steps in steps(),
        activities in prop::collection::vec(random_activity(), 12),
    ) {
        let log = counting(&legal_log(&steps));
        let known = AccessHistory::from_changes(log.clone());
        for activity in activities {
            let found = outlook(&activity, &known, &POLICY);
            let helpful = kinds(&found.remedies);
            let of_one_partner = known.employees(&activity.address).count() < 2;
            if helpful == [Kind::NothingHelps] || !of_one_partner {
                continue;
            }
            for left_out in helpful.iter().filter(|kind| **kind != Kind::LinkClient) {
                let others: Vec<_> = helpful.iter().filter(|kind| *kind != left_out).copied().collect();
                let verdict = verdict_after(&activity, &log, &found, &others);
                prop_assert!(matches!(verdict, Verdict::NotCounted(_)), "{:?} without {}", helpful, left_out);
            }
        }
    }
}
