//! The sentences of one made-up relationship: Anna Bianchi, of partner 1, works for Rossi S.r.l.

mod histories;
mod losses;
mod properties;
mod remedies;
mod story;

use super::*;
use crate::access::{AssignmentOrigin, AssignmentState, ClientUserState, EndingCause};
use crate::activity::NotCountedReason;
use crate::credit::Mrr;
use crate::credit::testing::{at, money};
use crate::time::Period;
use story::{Story, activity, anna, person};

fn condition(explanation: &Explanation, kind: ConditionKind) -> &Condition {
    explanation.conditions.iter().find(|condition| condition.kind == kind).expect("every condition is answered")
}

fn statuses(explanation: &Explanation, status: ConditionStatus) -> Vec<ConditionKind> {
    let of_status = explanation.conditions.iter().filter(|condition| condition.status == status);
    of_status.map(|condition| condition.kind).collect()
}

fn first_failed(explanation: &Explanation) -> Option<ConditionKind> {
    statuses(explanation, ConditionStatus::Failed).first().copied()
}

fn remedy(explanation: &Explanation) -> &str {
    &explanation.remedy.text
}

/// The steps of the remedy: the kind, and for work how often and before when.
fn steps(explanation: &Explanation) -> Vec<(RemedyStepKind, Option<u32>, Option<Instant>)> {
    explanation.remedy.steps.iter().map(|step| (step.kind, step.activities, step.before)).collect()
}

#[test]
fn every_condition_names_the_rule_that_states_it() {
    let rules =
        ["R12", "R76", "R7a", "R20", "R7c", "R39", "R7b", "R7d", "R70", "R54", "R57", "R11", "R98", "R90", "R5"];
    assert_eq!(ConditionKind::ALL.map(ConditionKind::rule), rules);
    let told: Vec<_> = Story::default().explain("2025-02-01T00:00:00Z").conditions;
    assert_eq!(told.iter().map(|condition| condition.rule).collect::<Vec<_>>(), rules);
}

const ANNA_WORKS: &str = "Anna Bianchi is assigned and active there: any qualifying activity, for example publishing a \
    blog post or editing a form, brings the credit back from that instant.";

#[test]
fn example_05_a_contractor_who_was_never_linked_is_named_with_the_link_that_is_missing() {
    let contractor = story::unassigned(person("Carla Conti", "carla@contractor.example"));
    let story = Story {
        people: vec![contractor],
        counted: vec![],
        not_counted: vec![NotCountedFacts {
            reason: NotCountedReason::NotAssigned,
            ..activity("form", "edit", "2025-01-10T12:00:00Z")
        }],
        ..Story::default()
    };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. has never counted for you: Carla Conti is a user there, but the client is not assigned to Carla \
         Conti."
    );
    assert_eq!(first_failed(&explanation), Some(ConditionKind::ClientAssigned));
    assert!(
        remedy(&explanation).contains("links Rossi S.r.l. to Carla Conti: Employees tab, Carla Conti, Link clients.")
    );
    assert!(remedy(&explanation).ends_with("brings the credit from that instant."));
    assert_eq!(explanation.loss, None);
}

#[test]
fn example_07_work_that_does_not_qualify_is_named_with_its_reason() {
    let story = Story {
        counted: vec![],
        not_counted: vec![
            activity("blog", "draft", "2025-01-10T12:00:00Z"),
            activity("account", "login", "2025-01-09T12:00:00Z"),
        ],
        ..Story::default()
    };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. has never counted for you: the latest work there (blog draft by Anna Bianchi on 10 January 2025) \
         does not count: this kind of action does not qualify."
    );
    assert_eq!(first_failed(&explanation), Some(ConditionKind::QualifyingActivity));
    let unknown = [ConditionKind::NotEnded, ConditionKind::NotExpired];
    assert_eq!(statuses(&explanation, ConditionStatus::Unknown), unknown);
}

#[test]
fn the_first_missing_thing_is_named_for_each_way_of_never_having_counted() {
    let nothing = Story { people: vec![], counted: vec![], ..Story::default() };
    let headline = |people| Story { people, ..nothing.clone() }.explain("2025-02-01T00:00:00Z").headline;
    let with = |change: fn(&mut PersonFacts)| {
        let mut person = anna();
        change(&mut person);
        vec![person]
    };
    for (people, end) in [
        (vec![], "none of your people has anything to do with it."),
        (
            with(|anna| anna.employments.clear()),
            "Anna Bianchi is not a user in your account, and nobody else works there.",
        ),
        (with(|anna| anna.employments[0].partner_employee = false), "Anna Bianchi is not flagged as partner employee."),
        (with(|anna| anna.user_state = ClientUserState::None), "Anna Bianchi is not a user of Rossi S.r.l."),
        (with(|anna| anna.user_state = ClientUserState::Deactivated), "the user of Anna Bianchi there is deactivated."),
        (with(|_| ()), "none of your people has done qualifying work there yet."),
        (
            with(|anna| anna.prospect = Prospect::CountsForAnother),
            "work of Anna Bianchi there counts for another company that the address works for.",
        ),
    ] {
        assert_eq!(headline(people), format!("Rossi S.r.l. has never counted for you: {end}"));
    }
}

#[test]
fn the_person_who_has_come_furthest_speaks_for_a_condition_and_all_are_shown() {
    let unlinked = story::unassigned(person("Bruno Verdi", "bruno@agency.example"));
    let mut absent = person("Zoe Neri", "aaa@agency.example");
    absent.user_state = ClientUserState::None;
    absent.user_state_since = None;
    let story = Story { people: vec![absent, unlinked], counted: vec![], ..Story::default() };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    let assigned = condition(&explanation, ConditionKind::ClientAssigned);
    assert_eq!(assigned.statement, "Rossi S.r.l. is not assigned to Bruno Verdi.");
    assert_eq!(assigned.status, ConditionStatus::Failed);
    assert_eq!(assigned.evidence.len(), 2);
    let active = condition(&explanation, ConditionKind::UserActive);
    assert_eq!((active.status, active.since), (ConditionStatus::Passed, Some(at("2025-01-02T09:00:00Z"))));
}

/// R7 speaks of one and the same person: a linked one without a user and a user who is not linked do not make one.
#[test]
fn r7_two_people_who_meet_different_conditions_do_not_make_one_who_meets_all() {
    let mut pending = person("Bruno Verdi", "bruno@agency.example");
    pending.user_state = ClientUserState::None;
    pending.assignment = Some(AssignmentFacts {
        state: AssignmentState::PendingUser,
        since: at("2025-01-02T09:00:00Z"),
        origin: AssignmentOrigin::ByHand,
    });
    let unlinked = story::unassigned(anna());
    let story = Story { people: vec![pending, unlinked], counted: vec![], ..Story::default() };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    assert_eq!(first_failed(&explanation), Some(ConditionKind::ClientAssigned));
    let shown: Vec<_> = condition(&explanation, ConditionKind::ClientAssigned)
        .evidence
        .iter()
        .map(|evidence| evidence.text.clone())
        .collect();
    assert_eq!(
        shown,
        [
            "Bruno Verdi (bruno@agency.example): linked by hand since 2 January 2025 at 09:00 UTC, waiting for a user \
             there",
            "Anna Bianchi (anna@agency.example): not assigned",
        ]
    );
}

#[test]
fn example_16_too_few_activities_for_the_tier_say_how_many_are_missing() {
    let story = Story { minimum_activities: 3, ..Story::default() };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. has not counted for you yet: a partner without a tier needs 3 qualifying activities that count at the same \
         time, and 1 counts now."
    );
    assert_eq!(statuses(&explanation, ConditionStatus::Failed), [ConditionKind::ActivityMinimum]);
    let minimum = condition(&explanation, ConditionKind::ActivityMinimum);
    assert_eq!(minimum.statement, "1 qualifying activity counts now; a partner without a tier needs 3.");
    assert_eq!(
        remedy(&explanation),
        "Anna Bianchi is assigned and active there: 2 more qualifying activities, for example publishing blog posts or \
         editing forms, bring the credit from the instant of the last one, if the others still count then."
    );
    // With three it earned, until the oldest of them expired.
    let mut counted = story.counted.clone();
    counted.extend(
        [("form", "edit", "2025-01-20T12:00:00Z"), ("form", "edit", "2025-01-30T12:00:00Z")].map(story::counted),
    );
    let with_three = Story { counted, ..story };
    let headline = with_three.explain("2025-02-01T00:00:00Z").headline;
    assert!(headline.starts_with("Rossi S.r.l. has counted for you since 30 January 2025 at 12:00 UTC:"), "{headline}");
    let lost = with_three.explain("2025-03-12T00:00:00Z");
    assert_eq!(
        lost.headline,
        "Rossi S.r.l. stopped counting for you on 11 March 2025 at 12:00 UTC: a qualifying activity (blog publish by \
         Anna Bianchi on 10 January 2025) reached its 60 days and fewer than the 3 that your tier needs were left."
    );
    assert_eq!(remedy(&lost), ANNA_WORKS);
}

#[test]
fn a_client_that_pays_nothing_or_an_unknown_sum_is_serviced_without_credit() {
    let zero = Mrr::Known { mrr: money("USD", "0"), since: at("2025-01-15T00:00:00Z") };
    let unpaid = Story { mrr: zero, ..Story::default() }.explain("2025-02-01T00:00:00Z");
    assert_eq!(
        unpaid.headline,
        "You have serviced Rossi S.r.l. since 10 January 2025 at 12:00 UTC, but it has paid for no subscription since \
         15 January 2025 at 00:00 UTC, so there is no credit to share."
    );
    assert_eq!(statuses(&unpaid, ConditionStatus::Failed), [ConditionKind::PaidSubscription]);
    assert_eq!(
        remedy(&unpaid),
        "The credit comes back by itself from the instant at which Rossi S.r.l. pays for a subscription again; \
         qualifying work there before 11 March 2025 at 12:00 UTC keeps you servicing it."
    );
    assert_eq!(unpaid.loss, None);

    let unknown = Story { mrr: Mrr::Unknown, ..Story::default() }.explain("2025-02-01T00:00:00Z");
    assert!(unknown.headline.contains("but what it pays is not known, so its credit cannot be said"));
    assert!(remedy(&unknown).starts_with("Ask the programme to report the subscription of Rossi S.r.l.:"));
    assert_eq!(statuses(&unknown, ConditionStatus::Failed), []);
    let without_facts = [ConditionKind::PaidSubscription, ConditionKind::SupportedCurrency];
    assert_eq!(statuses(&unknown, ConditionStatus::Unknown), without_facts);
}

#[test]
fn r98_a_currency_without_conversion_is_said_beside_a_credit_that_counts() {
    let mrr = Mrr::Known { mrr: money("ISK", "1000"), since: at("2024-01-01T00:00:00Z") };
    let explanation = Story { mrr, ..Story::default() }.explain("2025-02-01T00:00:00Z");
    assert!(explanation.headline.contains(
        ": 1000 ISK of managed credit without points, because its currency does not convert to points; it expires on"
    ));
    assert_eq!(explanation.remedy.aim, RemedyAim::Keep);
    assert_eq!(statuses(&explanation, ConditionStatus::Failed), [ConditionKind::SupportedCurrency]);
}

#[test]
fn r127_other_servicing_partners_are_a_number_and_strangers_have_no_name() {
    let mut stranger = activity("blog", "draft", "2025-01-12T12:00:00Z");
    stranger.activity.person = None;
    let story = Story { other_partners: 1, not_counted: vec![stranger], ..Story::default() };
    let explanation = story.explain("2025-02-01T00:00:00Z");
    assert!(
        explanation
            .headline
            .contains("500.00 USD of managed credit and 5.00 points, an equal share among 2 partners; it expires")
    );
    let evidence = &condition(&explanation, ConditionKind::QualifyingActivity).evidence;
    assert!(evidence.iter().any(|evidence| evidence.text.starts_with("blog draft by someone at the client on")));
}

#[test]
fn r12_the_partners_own_account_is_said_to_be_its_own() {
    let own = Story { client: 1, client_name: None, ..Story::default() }.explain("2025-02-01T00:00:00Z");
    assert_eq!(own.headline, "client 1 is your own account, and nobody earns credit on its own account.");
    assert_eq!(first_failed(&own), Some(ConditionKind::NotOwnAccount));
    assert_eq!(remedy(&own), "Nothing needs to be done: credit comes from the accounts of your clients.");
    assert!(own.conditions.iter().filter_map(|each| each.help.as_deref()).all(|help| help == remedy(&own)));
    assert_eq!(own.loss, None);
}

#[test]
fn example_02_the_most_recent_work_is_named_and_the_credit_expires_with_it() {
    let counted = [("blog", "publish", "2025-01-10T12:00:00Z"), ("form", "edit", "2025-02-09T12:00:00Z")];
    let story = Story { counted: counted.map(story::counted).to_vec(), ..Story::default() };
    let later = story.explain("2025-03-11T12:00:00Z");
    let work = condition(&later, ConditionKind::QualifyingActivity);
    assert_eq!(
        work.statement,
        "Qualifying work was done there, most recently form edit by Anna Bianchi on 9 February 2025."
    );
    assert!(later.headline.contains("since 10 January 2025 at 12:00 UTC"));
    assert!(later.headline.contains("it expires on 10 April 2025 at 12:00 UTC"));
    // As of a past instant, what came later is not known.
    let earlier = story.explain("2025-01-20T00:00:00Z");
    assert!(earlier.headline.contains("it expires on 11 March 2025 at 12:00 UTC"));
    let work = condition(&earlier, ConditionKind::QualifyingActivity);
    assert!(work.statement.ends_with("most recently blog publish by Anna Bianchi on 10 January 2025."));
    assert_eq!(work.evidence.len(), 1);
}

#[test]
fn of_people_who_have_come_equally_far_the_first_by_address_speaks() {
    let people = vec![person("Zoe Neri", "zoe@agency.example"), anna(), person("Bruno Verdi", "bruno@agency.example")];
    let explanation = Story { people, ..Story::default() }.explain("2025-04-01T00:00:00Z");
    assert_eq!(remedy(&explanation), ANNA_WORKS);
}

#[test]
fn r126_the_minimum_says_since_when_it_is_met_or_not() {
    let since = |story: &Story, as_of| condition(&story.explain(as_of), ConditionKind::ActivityMinimum).since;
    let story = Story::default();
    assert_eq!(since(&story, "2025-01-10T11:59:59Z"), None);
    assert_eq!(since(&story, "2025-02-01T00:00:00Z"), Some(at("2025-01-10T12:00:00Z")));
    assert_eq!(since(&story, "2025-04-01T00:00:00Z"), Some(at("2025-03-11T12:00:00Z")));
    assert_eq!(since(&Story { minimum_activities: 3, ..story }, "2025-02-01T00:00:00Z"), None);
}
