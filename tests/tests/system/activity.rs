//! activity-tracking through gRPC.

mod histories;
mod listing;
mod permission;
mod provisional;
mod recording;
mod rejudging;
mod repeats;
mod replay;
mod reports;
mod servicing;
mod voiding;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::wire::access::{self, link_client_result};
use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::activity::{
    self, Activity, NotCountedReason, PeriodEndCause, ServicingState, Verdict, VerdictOutcome,
};
use contracts::wire::maintenance::Rejudging;
use contracts::{
    ServicingChange, access_change_from_wire, activity_from_wire, servicing_change_from_wire, verdict_to_wire,
};
use domain::access::{AccessHistory, HubId};
use domain::activity::judge;
use domain::policy::Policy;
use domain::servicing::{CountedActivity, periods};
use futures_util::future::join_all;
use managed_credit::running::Part;
use system_tests::{Cluster, at, fields, on_both_databases, reason, stamp};
use tonic::{Code, Request};
use tonic_types::{RpcStatusExt as _, StatusExt as _};

/// After everything that a test dates.
const LONG_AFTER: &str = "2100-01-01";

const ANNA: &str = "anna@agency.example";

/// What became of each activity, in words: `COUNTED`, a reason, or the code and fields of an error.
pub fn outcomes(response: &activity::RecordActivitiesResponse) -> Vec<String> {
    let text = |result: &activity::RecordActivityResult| {
        let said = match result.outcome.as_ref().expect("an outcome") {
            Outcome::Verdict(verdict) => verdict_text(verdict),
            Outcome::Error(error) => error_text(error),
        };
        if result.duplicate { format!("{said} again") } else { said }
    };
    response.results.iter().map(text).collect()
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict.outcome() {
        VerdictOutcome::Counted => "COUNTED".to_owned(),
        VerdictOutcome::Voided => "VOIDED".to_owned(),
        _ => verdict.reason().as_str_name().trim_start_matches("NOT_COUNTED_REASON_").to_owned(),
    }
}

fn error_text(error: &tonic_types::Status) -> String {
    let reason = error.get_details_error_info().expect("every refusal has a reason").reason;
    let violations = error.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    format!("{reason} {}", fields.join(",")).trim_end().to_owned()
}

/// The present verdicts of activities that are recorded: a repeat is answered with them.
async fn present_verdicts(cluster: &Cluster, recorded: &[Activity]) -> Vec<Verdict> {
    let mut results = Vec::with_capacity(recorded.len());
    for some in recorded.chunks(1_000) {
        results.extend(cluster.record(some.to_vec()).await.expect("results").results);
    }
    let verdict = |result: activity::RecordActivityResult| {
        assert!(result.duplicate, "{} was recorded before", result.activity);
        match result.outcome {
            Some(Outcome::Verdict(verdict)) => verdict,
            other => panic!("{other:?}"),
        }
    };
    results.into_iter().map(verdict).collect()
}

async fn present_verdict(cluster: &Cluster, recorded: &Activity) -> Verdict {
    present_verdicts(cluster, std::slice::from_ref(recorded)).await.remove(0)
}

async fn servicing(cluster: &Cluster, partner: i64, client: i64, as_of: &str) -> activity::GetServicingResponse {
    cluster.servicing(partner, client, as_of).await.expect("a servicing")
}

/// `start to end, cause` of each period.
fn period_texts(periods: &[activity::ServicingPeriod]) -> Vec<String> {
    let text = |time: &Option<prost_types::Timestamp>| {
        let time = contracts::instant(time.as_ref().expect("a time")).expect("a time");
        time.format("%Y-%m-%dT%H:%MZ").to_string()
    };
    let line = |period: &activity::ServicingPeriod| {
        let cause = period.end_cause().as_str_name().trim_start_matches("PERIOD_END_CAUSE_").to_owned();
        format!("{} to {}, {cause}", text(&period.start_time), text(&period.end_time))
    };
    periods.iter().map(line).collect()
}

/// Partner 1001 with anna of its domain, a user of client 2002.
async fn agency(cluster: &Cluster) -> String {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await
}

/// Everything that the servicing feed says after a position.
async fn feed(cluster: &Cluster, after_position: u64, after_chain_hash: Vec<u8>) -> Vec<activity::ServicingChange> {
    let policy_digest = cluster.policy.digest().to_owned();
    let request = activity::WatchServicingRequest { after_position, after_chain_hash, policy_digest };
    let mut stream = cluster.servicing_feed().watch_servicing(request).await.expect("a stream").into_inner();
    let mut changes = Vec::new();
    loop {
        let message = stream.message().await.expect("a message").expect("a stream that goes on");
        changes.extend(message.changes);
        if message.caught_up {
            return changes;
        }
    }
}

/// The last that the feed says of each (client, partner).
async fn last_changes(cluster: &Cluster) -> BTreeMap<(i64, i64), ServicingChange> {
    let changes = feed(cluster, 0, Vec::new()).await;
    let positions: Vec<u64> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, (1..=changes.len() as u64).collect::<Vec<u64>>(), "positions are gapless");
    let changes = changes.iter().map(|change| servicing_change_from_wire(change).expect("a change"));
    changes.map(|change| ((change.client.get(), change.partner.get()), change)).collect()
}

/// Whether the feed's last word on a pair is what a read as of the end of all times computes from all activities.
async fn assert_told(cluster: &Cluster, partner: i64, client: i64) {
    let found = servicing(cluster, partner, client, LONG_AFTER).await;
    let told = last_changes(cluster).await.remove(&(client, partner)).expect("a change");
    assert_eq!(told.periods[&1].iter().map(activity::ServicingPeriod::from).collect::<Vec<_>>(), found.periods);
}

on_both_databases!(r60_a_repeat_is_a_duplicate_and_other_content_is_refused, |cluster| {
    agency(&cluster).await;
    let first = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10T12:00:00Z", "blog/publish");
    let other = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10T12:00:01Z", "blog/publish");
    let elsewhere = Cluster::activity_of(2003, "evt-1", ANNA, "2025-01-10T12:00:01Z", "blog/publish");
    let recorded = cluster.record(vec![first.clone(), first.clone(), other.clone(), elsewhere]).await.expect("results");
    assert_eq!(outcomes(&recorded), ["COUNTED", "COUNTED again", "ACTIVITY_ID_REUSED", "UNKNOWN_CLIENT"]);
    let repeated = cluster.record(vec![other, first]).await.expect("results");
    assert_eq!(outcomes(&repeated), ["ACTIVITY_ID_REUSED", "COUNTED again"]);
    assert_eq!(repeated.revision, recorded.revision, "nothing new follows from a repeat");
    assert_eq!(servicing(&cluster, 1001, 2002, "2025-02-01").await.counted_activities.len(), 1);
});

on_both_databases!(a_bad_item_is_its_own_error_and_the_others_are_recorded, |cluster| {
    agency(&cluster).await;
    let right = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10T12:00:00Z", "blog/publish");
    let wrong = Activity { name: "clients/2002".to_owned(), origin: 0, ..right.clone() };
    let ahead = Cluster::activity_of(2002, "evt-2", ANNA, "2026-01-01T00:05:00.000001Z", "blog/publish");
    let just_ahead = Cluster::activity_of(2002, "evt-3", ANNA, "2026-01-01T00:05:00Z", "blog/publish");
    let recorded = cluster.record(vec![wrong, ahead, right, just_ahead]).await.expect("results");
    assert_eq!(
        outcomes(&recorded),
        [
            "INVALID_FIELDS activities[0].name,activities[0].origin",
            "FUTURE_DATED activities[1].occur_time",
            "COUNTED",
            "COUNTED",
        ]
    );
    let names: Vec<&str> = recorded.results.iter().map(|result| result.activity.as_str()).collect();
    assert_eq!(names[..2], ["clients/2002", "clients/2002/activities/evt-2"]);
});

on_both_databases!(batches_over_their_limits_are_refused_whole, |cluster| {
    agency(&cluster).await;
    let one = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10T12:00:00Z", "blog/publish");
    for count in [0, 1_001] {
        let refused = cluster.record(vec![one.clone(); count]).await.expect_err("over its limits");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["activities".to_owned()]));
        let pair = activity::ServicingPair { partner: "partners/1001".to_owned(), client: "clients/2002".to_owned() };
        let request = activity::BatchGetServicingRequest { pairs: vec![pair; count], ..Default::default() };
        let refused = cluster.activity().batch_get_servicing(request).await.expect_err("over its limits");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["pairs".to_owned()]));
    }
});

on_both_databases!(an_activity_is_judged_again_when_an_earlier_link_arrives, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let carla = cluster.employee(1001, "carla@freemail.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "carla@freemail.example").await;
    let early = Cluster::activity_of(2002, "evt-1", "carla@freemail.example", "2025-01-10T09:00:00Z", "blog/publish");
    let late = Cluster::activity_of(2002, "evt-2", "carla@freemail.example", "2025-01-10T09:00:01Z", "blog/publish");
    let recorded = cluster.record(vec![early.clone(), late.clone()]).await.expect("results");
    assert_eq!(outcomes(&recorded), ["NOT_ASSIGNED", "NOT_ASSIGNED"]);
    assert_eq!(recorded.revision, "servicing-0", "nothing follows from what does not count");
    let linked = cluster.link(&carla, 2002, "2025-01-10T09:00:01Z").await;
    assert!(matches!(linked, link_client_result::Outcome::Assignment(_)), "{linked:?}");
    assert_eq!(verdict_text(&present_verdict(&cluster, &early).await), "NOT_ASSIGNED");
    assert_eq!(verdict_text(&present_verdict(&cluster, &late).await), "COUNTED");
    let found = servicing(&cluster, 1001, 2002, "2025-02-01").await;
    assert_eq!(period_texts(&found.periods), ["2025-01-10T09:00Z to 2025-03-11T09:00Z, LAPSED"]);
    let employee = &found.servicing.as_ref().expect("a servicing").employees[0];
    assert_eq!((employee.counted_activities, employee.not_counted_activities), (1, 1));
});

on_both_databases!(whoever_was_linked_before_the_call_counts_at_once, |cluster| {
    cluster.partner(1001, &[]).await;
    cluster.client(2002, "US").await;
    for number in 0..10 {
        let address = format!("e{number}@freemail.example");
        let employee = cluster.employee(1001, &address).await;
        cluster.user(2002, &address).await;
        cluster.link(&employee, 2002, "2025-01-01").await;
        let verdict = cluster.work(2002, &format!("evt-{number}"), &address, "2025-01-10", "blog/publish").await;
        assert_eq!((verdict_text(&verdict).as_str(), verdict.provisional), ("COUNTED", false));
    }
});

on_both_databases!(without_access_management_verdicts_are_provisional_and_are_mended, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "evt-0", ANNA, "2025-01-09", "blog/publish").await;
    cluster.stop_part(Part::Access).await;
    let known = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10", "blog/publish");
    let unknown = Cluster::activity_of(2003, "evt-1", ANNA, "2025-01-10", "blog/publish");
    let recorded = cluster.record(vec![known.clone(), unknown.clone()]).await.expect("results");
    assert!(recorded.provisional);
    assert_eq!(outcomes(&recorded), ["COUNTED", "UNKNOWN_CLIENT"]);
    for result in &recorded.results {
        assert!(matches!(&result.outcome, Some(Outcome::Verdict(verdict)) if verdict.provisional), "{result:?}");
    }
    let evidence = servicing(&cluster, 1001, 2002, "2025-02-01").await.counted_activities;
    let marks: Vec<bool> =
        evidence.iter().map(|judged| judged.verdict.as_ref().expect("a verdict").provisional).collect();
    assert_eq!(marks, [true, false], "only what was recorded meanwhile is marked");

    cluster.start_part(Part::Access).await;
    cluster.client(2003, "US").await;
    cluster.user(2003, ANNA).await;
    servicing(&cluster, 1001, 2003, "2025-02-01").await;
    for activity in [known, unknown] {
        let verdict = present_verdict(&cluster, &activity).await;
        assert_eq!((verdict_text(&verdict).as_str(), verdict.provisional), ("COUNTED", false));
    }
});

on_both_databases!(r71_removing_the_last_employee_ends_it_and_a_late_removal_corrects_history, |cluster| {
    let anna = agency(&cluster).await;
    cluster.employee(1001, "ben@agency.example").await;
    let ben = cluster.user(2002, "ben@agency.example").await;
    cluster.work(2002, "evt-1", ANNA, "2025-06-01T09:00:00Z", "blog/publish").await;
    cluster.work(2002, "evt-2", "ben@agency.example", "2025-06-15T10:00:00Z", "form/edit").await;
    cluster.remove(&ben, "2025-07-20T08:00:00Z").await.expect("a removal");
    let found = servicing(&cluster, 1001, 2002, "2025-08-01").await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-08-14T10:00Z, LAPSED"]);
    let state = found.servicing.expect("a servicing");
    assert_eq!((state.state(), state.live_activities), (ServicingState::Expiring, 1));

    cluster.remove(&anna, "2025-07-20T08:00:00Z").await.expect("a removal");
    let found = servicing(&cluster, 1001, 2002, "2025-08-01").await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-07-20T08:00Z, ALL_EMPLOYEES_REMOVED"]);
    let state = found.servicing.expect("a servicing");
    assert_eq!((state.state(), state.live_activities), (ServicingState::Ended, 0));
    assert_eq!((state.end_cause(), state.serviced_since_time), (PeriodEndCause::AllEmployeesRemoved, None));
    // As of the day before, nobody knew.
    let found = servicing(&cluster, 1001, 2002, "2025-07-19").await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-08-14T10:00Z, LAPSED"]);

    // Added again: nothing revives, until something new is done (R73).
    cluster.user_since(2002, ANNA, "2025-07-21").await.expect("a user");
    cluster.work(2002, "evt-3", ANNA, "2025-07-22T10:00:00Z", "form/edit").await;
    let found = servicing(&cluster, 1001, 2002, "2025-08-01").await;
    assert_eq!(
        period_texts(&found.periods),
        [
            "2025-06-01T09:00Z to 2025-07-20T08:00Z, ALL_EMPLOYEES_REMOVED",
            "2025-07-22T10:00Z to 2025-09-20T10:00Z, LAPSED",
        ]
    );
    let told = last_changes(&cluster).await.remove(&(2002, 1001)).expect("a change");
    assert_eq!(told.periods[&1].iter().map(activity::ServicingPeriod::from).collect::<Vec<_>>(), found.periods);
    assert_eq!(told.last_activity_time, Some(at("2025-07-22T10:00:00Z")));
});

on_both_databases!(r71_whoever_becomes_known_as_an_employee_late_was_present_all_along, |cluster| {
    let anna = agency(&cluster).await;
    let ben = cluster.user(2002, "ben@freemail.example").await;
    cluster.work(2002, "evt-1", ANNA, "2025-06-01T09:00:00Z", "blog/publish").await;
    cluster.remove(&anna, "2025-06-10T08:00:00Z").await.expect("a removal");
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-06-10T08:00Z, ALL_EMPLOYEES_REMOVED"]);

    cluster.employee_since(1001, "ben@freemail.example", "2025-06-05").await.expect("an employee");
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-07-31T09:00Z, LAPSED"]);
    assert_told(&cluster, 1001, 2002).await;

    // And whoever is removed last ends it.
    cluster.remove(&ben, "2025-06-20T08:00:00Z").await.expect("a removal");
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T09:00Z to 2025-06-20T08:00Z, ALL_EMPLOYEES_REMOVED"]);
    assert_told(&cluster, 1001, 2002).await;
});

on_both_databases!(a_client_that_becomes_known_late_has_all_of_its_activities_judged_again, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    let count = 1_200;
    let activities: Vec<Activity> = (0..count)
        .map(|number| {
            let when = (at("2025-01-01") + chrono::TimeDelta::hours(number)).to_rfc3339();
            Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, &when, "contact/edit")
        })
        .collect();
    for some in activities.chunks(1_000) {
        let recorded = cluster.record(some.to_vec()).await.expect("results");
        assert!(outcomes(&recorded).iter().all(|outcome| outcome == "UNKNOWN_CLIENT"));
    }
    let unknown = cluster.servicing(1001, 2002, "2025-02-01").await.expect_err("not known yet");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    cluster.client(2002, "US").await;
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    for some in activities.chunks(1_000) {
        for verdict in present_verdicts(&cluster, some).await {
            assert_eq!(verdict.reason(), NotCountedReason::NoUserInClient);
        }
    }
    assert_eq!(i64::from(found.servicing.as_ref().expect("a servicing").employees[0].not_counted_activities), count);
    cluster.user(2002, ANNA).await;
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    assert_eq!(i64::from(found.servicing.as_ref().expect("a servicing").employees[0].counted_activities), count);
    assert_eq!(period_texts(&found.periods), ["2025-01-01T00:00Z to 2025-04-20T23:00Z, LAPSED"]);
    assert_eq!(found.counted_activities.len(), 20, "the newest of them are shown");
    assert_eq!(found.counted_activities[0].activity.as_ref(), activities.last());
});

on_both_databases!(an_address_of_two_partners_counts_for_the_one_who_was_assigned, |cluster| {
    let address = "carla@freemail.example";
    for partner in [1001, 1002] {
        cluster.partner(partner, &[]).await;
    }
    let first = cluster.employee(1001, address).await;
    let second = cluster.employee(1002, address).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, address).await;
    cluster.link(&second, 2002, "2025-01-02").await;
    let activity = Cluster::activity_of(2002, "evt-1", address, "2025-01-10", "blog/publish");
    cluster.record(vec![activity.clone()]).await.expect("a result");
    assert_eq!(present_verdict(&cluster, &activity).await.partner, "partners/1002");
    // A fact that arrives later and was true earlier moves it, and both pairs with it.
    cluster.link(&first, 2002, "2025-01-01").await;
    assert_eq!(present_verdict(&cluster, &activity).await.partner, "partners/1001");
    assert_eq!(servicing(&cluster, 1001, 2002, "2025-02-01").await.periods.len(), 1);
    assert!(servicing(&cluster, 1002, 2002, "2025-02-01").await.periods.is_empty());
    let changes = last_changes(&cluster).await;
    assert!(changes[&(2002, 1002)].periods[&1].is_empty());
    assert_eq!(changes[&(2002, 1002)].last_activity_time, None);
    assert_eq!(changes[&(2002, 1001)].periods[&1].len(), 1);
    // Nothing of what was taken away is left when the pair begins anew.
    let dora = cluster.employee(1002, "dora@freemail.example").await;
    cluster.user(2002, "dora@freemail.example").await;
    cluster.link(&dora, 2002, "2025-05-01").await;
    cluster.work(2002, "evt-2", "dora@freemail.example", "2025-06-01", "blog/publish").await;
    let found = servicing(&cluster, 1002, 2002, LONG_AFTER).await;
    assert_eq!(period_texts(&found.periods), ["2025-06-01T00:00Z to 2025-07-31T00:00Z, LAPSED"]);
    assert_told(&cluster, 1002, 2002).await;
});

on_both_databases!(many_pairs_are_answered_in_the_order_of_the_question, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "evt-1", ANNA, "2025-01-10T12:00:00Z", "blog/publish").await;
    cluster.work(2002, "evt-2", ANNA, "2025-03-01T12:00:00Z", "blog/publish").await;
    let pair = |partner: i64, client: i64| activity::ServicingPair {
        partner: format!("partners/{partner}"),
        client: format!("clients/{client}"),
    };
    let request = activity::BatchGetServicingRequest {
        pairs: vec![pair(1, 2), pair(1001, 2002), pair(1001, 2003), pair(1001, 2002)],
        as_of_time: Some(stamp("2025-01-20")),
        minimum: 0,
        at_least_revisions: cluster.known_revisions(),
    };
    let answer = cluster.activity().batch_get_servicing(request.clone()).await.expect("an answer").into_inner();
    let states: Vec<ServicingState> = answer.servicings.iter().map(activity::Servicing::state).collect();
    use ServicingState::{Active, None as Never};
    assert_eq!(states, [Never, Active, Never, Active]);
    let single = servicing(&cluster, 1001, 2002, "2025-01-20").await;
    let single_servicing = single.servicing.expect("a servicing");
    let without_work = activity::Servicing { employees: Vec::new(), tools: Vec::new(), ..single_servicing };
    assert_eq!(answer.servicings[1], without_work);
    // What occurs later does not speak (R63).
    assert_eq!(answer.servicings[1].expire_time, Some(stamp("2025-03-11T12:00:00Z")));
    assert_eq!(answer.revisions, single.revisions);
    let of_two = activity::BatchGetServicingRequest { minimum: 2, ..request };
    let refused = cluster.activity().batch_get_servicing(of_two).await.expect_err("periods are kept for 1");
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["minimum".to_owned()]));
});

on_both_databases!(a_read_says_when_it_does_not_know_what_it_should, |cluster| {
    agency(&cluster).await;
    for revision in ["access-99", "servicing-99"] {
        let mut request = Request::new(activity::GetServicingRequest {
            partner: "partners/1001".to_owned(),
            client: "clients/2002".to_owned(),
            at_least_revisions: vec![revision.to_owned()],
            ..activity::GetServicingRequest::default()
        });
        request.set_timeout(std::time::Duration::from_millis(500));
        let behind = cluster.activity().get_servicing(request).await.expect_err("nobody knows it");
        assert_eq!((behind.code(), reason(&behind).as_str()), (Code::Unavailable, "FACTS_BEHIND"), "{revision}");
        assert!(behind.get_details_retry_info().is_some());
    }
    let request = activity::GetServicingRequest {
        partner: "clients/2002".to_owned(),
        client: String::new(),
        minimum: 1_001,
        evidence_limit: -1,
        at_least_revisions: vec!["x".to_owned()],
        ..activity::GetServicingRequest::default()
    };
    let refused = cluster.activity().get_servicing(request).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["partner", "client", "at_least_revisions[0]", "minimum", "evidence_limit"]);
    let unknown = cluster.servicing(7, 2002, "2025-01-01").await.expect_err("no such partner");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
});

on_both_databases!(the_feed_resumes_where_a_follower_is_and_refuses_another_history, |cluster| {
    agency(&cluster).await;
    for number in 0..6 {
        let when = format!("2025-01-{:02}", number + 1);
        cluster.work(2002, &format!("evt-{number}"), ANNA, &when, "blog/publish").await;
    }
    let changes = feed(&cluster, 0, Vec::new()).await;
    let positions: Vec<u64> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6]);
    let middle = &changes[2];
    assert_eq!(feed(&cluster, middle.position, middle.chain_hash.clone()).await, changes[3..]);
    for (after_position, after_chain_hash) in [(1, vec![1, 2, 3]), (7, vec![1]), (0, vec![1])] {
        let request = activity::WatchServicingRequest { after_position, after_chain_hash, ..Default::default() };
        let refused = cluster.servicing_feed().watch_servicing(request).await.expect_err("another history");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FEED_DIVERGED"));
    }
});

on_both_databases!(the_feed_tells_what_it_has_incorporated_of_access_also_without_changes, |cluster| {
    agency(&cluster).await;
    servicing(&cluster, 1001, 2002, "2025-01-01").await;
    let head = cluster.servicing_feed().get_head_revision(activity::GetHeadRevisionRequest {}).await;
    let head = head.expect("a head").into_inner();
    assert_eq!((head.revision.as_str(), head.access_revision.as_str()), ("servicing-0", "access-4"));
    let request =
        activity::WatchServicingRequest { policy_digest: cluster.policy.digest().to_owned(), ..Default::default() };
    let mut stream = cluster.servicing_feed().watch_servicing(request).await.expect("a stream").into_inner();
    let first = stream.message().await.expect("a message").expect("a stream that goes on");
    assert_eq!((first.changes.len(), first.caught_up, first.access_position), (0, true, 4));
    cluster.client(2003, "US").await;
    loop {
        let message = stream.message().await.expect("a message").expect("a stream that goes on");
        assert!(message.changes.is_empty());
        if message.access_position == 5 {
            break;
        }
    }
});

/// The embedded policy with another window and a tier that needs three activities.
fn other_policy(window_days: u32) -> Arc<Policy> {
    let document = include_str!("../../../crates/domain/policy.toml")
        .replace("{ from = 0001-01-01, days = 60 }", &format!("{{ from = 0001-01-01, days = {window_days} }}"))
        .replace(
            "minimum_activities = []",
            r#"minimum_activities = [{ from = 2024-01-01, tier = "ELITE", minimum = 3 }]"#,
        );
    let policy = Policy::parse(&document).expect("a policy");
    assert!(policy.minimums_ever().contains(&3), "the document was changed");
    Arc::new(policy)
}

on_both_databases!(a_start_with_another_policy_judges_everything_again, |cluster| {
    agency(&cluster).await;
    let activities: Vec<Activity> = ["2025-01-10", "2025-02-20", "2025-02-21", "2025-02-22"]
        .iter()
        .enumerate()
        .map(|(number, when)| Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, when, "blog/publish"))
        .collect();
    cluster.record(activities.clone()).await.expect("results");
    assert_eq!(servicing(&cluster, 1001, 2002, LONG_AFTER).await.periods.len(), 1);

    cluster.stop_part(Part::Activity).await;
    cluster.policy = other_policy(30);
    cluster.start_part(Part::Activity).await;
    // Whatever is known of access after the start was learned after it was found that all is to be judged again.
    cluster.client(2003, "US").await;
    servicing(&cluster, 1001, 2003, LONG_AFTER).await;
    until_nothing_waits(&cluster).await;
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    let expected = ["2025-01-10T00:00Z to 2025-02-09T00:00Z, LAPSED", "2025-02-20T00:00Z to 2025-03-24T00:00Z, LAPSED"];
    assert_eq!(period_texts(&found.periods), expected);
    let told = last_changes(&cluster).await.remove(&(2002, 1001)).expect("a change");
    assert_eq!(told.periods[&1].iter().map(activity::ServicingPeriod::from).collect::<Vec<_>>(), found.periods);
    let of_three: Vec<_> = told.periods[&3].iter().map(Into::into).collect();
    assert_eq!(period_texts(&of_three), ["2025-02-22T00:00Z to 2025-03-22T00:00Z, LAPSED"]);
    assert_eq!(present_verdict(&cluster, &activities[0]).await.expire_time, Some(stamp("2025-02-09")));
});

/// What waits at activity-tracking to be judged again.
async fn waiting(cluster: &Cluster) -> Rejudging {
    cluster.status(Part::Activity).await.rejudging.expect("it judges")
}

/// Waits until nothing waits any more.
async fn until_nothing_waits(cluster: &Cluster) {
    while waiting(cluster).await.waiting_tasks > 0 {
        tokio::task::yield_now().await;
    }
}

/// All that access-management has recorded.
async fn access_history(cluster: &Cluster) -> AccessHistory {
    let request =
        access::WatchAccessRequest { policy_digest: cluster.policy.digest().to_owned(), ..Default::default() };
    let mut stream = cluster.access_feed().watch_access(request).await.expect("a stream").into_inner();
    let mut changes = Vec::new();
    loop {
        let message = stream.message().await.expect("a message").expect("a stream that goes on");
        changes.extend(message.changes.iter().map(|change| access_change_from_wire(change).expect("a change")));
        if message.caught_up {
            return AccessHistory::from_changes(changes);
        }
    }
}

/// Compares everything that is stored with what the domain says of all facts at once: the verdict of each activity, of
/// which those in `voided` were taken back, and the periods of each pair of `partners` and `clients` for every minimum. Answers how many activities count.
async fn assert_as_the_domain_says(
    cluster: &Cluster,
    activities: &[Activity],
    voided: &BTreeSet<String>,
    partners: &[i64],
    clients: &[i64],
) -> usize {
    let history = access_history(cluster).await;
    let mut counted: BTreeMap<(i64, i64), Vec<CountedActivity>> = BTreeMap::new();
    for (stated, verdict) in activities.iter().zip(present_verdicts(cluster, activities).await) {
        let activity = activity_from_wire("activity", stated).expect("a right activity");
        let judgement = judge(&activity, &history, &cluster.policy);
        let judgement = if voided.contains(&stated.name) { judgement.voided() } else { judgement };
        assert_eq!(verdict, verdict_to_wire(&judgement, false), "{}", stated.name);
        if let (domain::activity::Verdict::Counted { expire_time }, Some(found)) =
            (judgement.verdict, judgement.attribution)
        {
            let life = CountedActivity { occur_time: activity.occur_time, expire_time };
            counted.entry((activity.client.get(), found.partner.get())).or_default().push(life);
        }
    }
    let all_counted = counted.values().map(Vec::len).sum();
    let told = last_changes(cluster).await;
    let hub_id = |number: i64| HubId::try_from(number).expect("a hub id");
    for client in clients {
        for partner in partners {
            let key = (*client, *partner);
            let activities = counted.remove(&key).unwrap_or_default();
            let endings = history.endings(hub_id(*client), hub_id(*partner), &cluster.policy);
            for minimum in cluster.policy.minimums_ever() {
                let expected = periods(&activities, &endings, minimum);
                let stored = told.get(&key).map(|change| change.periods[&minimum].clone()).unwrap_or_default();
                assert_eq!(stored, expected, "client {client}, partner {partner}, minimum {minimum}");
            }
            let last = activities.iter().map(|activity| activity.occur_time).max();
            assert_eq!(told.get(&key).and_then(|change| change.last_activity_time), last, "{key:?}");
        }
    }
    assert!(counted.is_empty(), "every pair was compared");
    all_counted
}

on_both_databases!(batches_that_overlap_and_come_at_once_give_what_one_after_the_other_gives, |cluster| {
    for partner in [1001, 1002] {
        cluster.partner(partner, &[&format!("p{partner}.example")]).await;
    }
    for client in [2001, 2002, 2003] {
        cluster.client(client, "US").await;
        for partner in [1001, 1002] {
            let address = format!("e@p{partner}.example");
            if client == 2001 {
                cluster.employee(partner, &address).await;
            }
            cluster.user(client, &address).await;
        }
    }
    let activities: Vec<Activity> = (0..240_i64)
        .map(|number| {
            let (client, partner) = (2001 + number % 3, 1001 + number / 3 % 2);
            let when = (at("2025-01-01") + chrono::TimeDelta::hours(36 * (number * 61 % 240))).to_rfc3339();
            Cluster::activity_of(client, &format!("evt-{number}"), &format!("e@p{partner}.example"), &when, "form/edit")
        })
        .collect();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6_usize {
        let mut service = cluster.activity();
        // Every activity is in two writers' batches, in opposite orders.
        let mut own: Vec<Activity> = activities
            .iter()
            .enumerate()
            .filter(|(index, _)| index % 3 == writer % 3)
            .map(|(_, own)| own.clone())
            .collect();
        if writer >= 3 {
            own.reverse();
        }
        writers.spawn(async move {
            let mut recorded = 0;
            for batch in own.chunks(11) {
                let request = activity::RecordActivitiesRequest { activities: batch.to_vec(), ..Default::default() };
                let answer = service.record_activities(request).await.expect("results").into_inner();
                recorded += answer.results.iter().filter(|result| !result.duplicate).count();
            }
            recorded
        });
    }
    let recorded: usize = writers.join_all().await.into_iter().sum();
    assert_eq!(recorded, activities.len(), "each was recorded once, whoever came first");
    let counted =
        assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001, 1002], &[2001, 2002, 2003]).await;
    assert_eq!(counted, activities.len());
});

on_both_databases!(what_is_recorded_while_access_changes_is_judged_as_if_one_came_after_the_other, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &[]).await;
    let address = |person: i64| format!("e{person}@{}.example", if person < 4 { "agency" } else { "freemail" });
    let activities: Vec<Activity> = (0..240_i64)
        .map(|number| {
            let when = (at("2025-01-01") + chrono::TimeDelta::hours(30 * (number * 61 % 240))).to_rfc3339();
            Cluster::activity_of(2001 + number % 3, &format!("evt-{number}"), &address(number % 8), &when, "form/edit")
        })
        .collect();
    let cluster = &cluster;
    // Everything comes late: each fact concerns what is being recorded.
    let access = async {
        for client in 2001..=2003 {
            cluster.client(client, "US").await;
        }
        for person in 0..8 {
            let (partner, address) = (1001 + person / 4, address(person));
            let employee = cluster.employee(partner, &address).await;
            for client in 2001..=2003 {
                let user = cluster.user(client, &address).await;
                if person >= 4 {
                    cluster.link(&employee, client, "2025-03-01").await;
                }
                if person % 2 == 0 {
                    cluster.remove(&user, "2025-07-01").await.expect("a removal");
                }
            }
        }
    };
    let writers = (0..4_usize).map(|writer| {
        let own: Vec<Activity> = activities.iter().skip(writer).step_by(4).cloned().collect();
        async move {
            for batch in own.chunks(5) {
                cluster.record(batch.to_vec()).await.expect("results");
            }
        }
    });
    tokio::join!(access, join_all(writers));
    servicing(cluster, 1001, 2001, LONG_AFTER).await;
    let counted =
        assert_as_the_domain_says(cluster, &activities, &BTreeSet::new(), &[1001, 1002], &[2001, 2002, 2003]).await;
    assert!(counted > 100, "only {counted} activities count");
});
