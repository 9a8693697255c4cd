//! VoidActivity (R62).

use contracts::wire::activity::{self, VerdictOutcome};
use system_tests::{Cluster, ClusterOptions, DatabaseKind, by, fields, on_both_databases, reason};
use tonic::{Code, Request};

use super::{
    ANNA, LONG_AFTER, agency, assert_told, last_changes, other_policy, outcomes, period_texts, present_verdict,
    servicing,
};

async fn works(cluster: &Cluster, days: &[&str]) {
    for (number, when) in days.iter().enumerate() {
        cluster.work(2002, &format!("evt-{number}"), ANNA, when, "blog/publish").await;
    }
}

on_both_databases!(r62_periods_shrink_split_and_vanish_with_what_is_voided, |cluster| {
    agency(&cluster).await;
    works(&cluster, &["2025-01-10", "2025-02-20", "2025-04-10"]).await;
    let periods = async || period_texts(&servicing(&cluster, 1001, 2002, LONG_AFTER).await.periods);
    assert_eq!(periods().await, ["2025-01-10T00:00Z to 2025-06-09T00:00Z, LAPSED"]);
    cluster.void(2002, "evt-1", "a test record").await.expect("voided");
    let split = ["2025-01-10T00:00Z to 2025-03-11T00:00Z, LAPSED", "2025-04-10T00:00Z to 2025-06-09T00:00Z, LAPSED"];
    assert_eq!(periods().await, split);
    assert_told(&cluster, 1001, 2002).await;
    cluster.void(2002, "evt-2", "a test record").await.expect("voided");
    assert_eq!(periods().await, split[..1]);
    let told = last_changes(&cluster).await.remove(&(2002, 1001)).expect("a change");
    assert_eq!(told.last_activity_time, Some(system_tests::at("2025-01-10")));
    cluster.void(2002, "evt-0", "a test record").await.expect("voided");
    assert!(periods().await.is_empty());
    assert_told(&cluster, 1001, 2002).await;
});

on_both_databases!(r62_the_credit_follows, |cluster| {
    agency(&cluster).await;
    cluster.subscription(2002, "hub", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    works(&cluster, &["2025-01-10"]).await;
    let credit = async || {
        let answer = cluster.managed_credit(1001, 2002, "2025-02-01").await.expect("a credit");
        answer.credit.map(|credit| credit.amount)
    };
    assert_eq!(credit().await.as_deref(), Some("1000.00"));
    cluster.void(2002, "evt-0", "sent by mistake").await.expect("voided");
    assert_eq!(credit().await.as_deref(), Some("0.00"));
});

on_both_databases!(r62_what_is_voided_stays_readable_with_its_author_and_reason, |cluster| {
    agency(&cluster).await;
    let stated = Cluster::activity_of(2002, "evt-0", ANNA, "2025-01-10", "blog/publish");
    cluster.record(vec![stated.clone()]).await.expect("results");
    let mut request = Request::new(activity::VoidActivityRequest {
        name: stated.name.clone(),
        reason: "the wrong account".to_owned(),
        ..Default::default()
    });
    request.metadata_mut().insert("x-on-behalf-of", "auditor@vendor.example".parse().expect("an address"));
    let voided = cluster.activity().void_activity(request).await.expect("voided").into_inner();
    cluster.note(&voided.revision);
    assert!(!voided.already_voided);
    let found = cluster.get_activity(&stated.name).await.expect("the activity").activity.expect("the activity");
    assert_eq!(voided.activity.as_ref(), Some(&found));
    assert_eq!(found.activity.as_ref(), Some(&stated));
    let verdict = found.verdict.expect("a verdict");
    assert_eq!((verdict.outcome(), verdict.partner.as_str()), (VerdictOutcome::Voided, "partners/1001"));
    let voiding = found.voiding.expect("a voiding");
    let said = (voiding.actor.as_str(), voiding.on_behalf_of.as_str(), voiding.reason.as_str());
    assert_eq!(said, ("platform", "auditor@vendor.example", "the wrong account"));

    // A repeat, whatever it says, changes nothing.
    let again = cluster.void(2002, "evt-0", "another reason").await.expect("voided");
    assert!(again.already_voided);
    assert_eq!(again.activity.expect("the activity").voiding.expect("a voiding"), voiding);
    assert_eq!(again.revision, voided.revision);
    // And so does sending the activity again.
    let repeated = cluster.record(vec![stated]).await.expect("results");
    assert_eq!(outcomes(&repeated), ["VOIDED again"]);
});

on_both_databases!(r62_what_never_counted_is_voided_too_and_no_later_fact_makes_it_count, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2002, "US").await;
    let stated = Cluster::activity_of(2002, "evt-0", ANNA, "2025-01-10", "blog/publish");
    assert_eq!(outcomes(&cluster.record(vec![stated.clone()]).await.expect("results")), ["UNKNOWN_EMPLOYEE"]);
    let voided = cluster.void(2002, "evt-0", "a test record").await.expect("voided");
    assert_eq!(voided.revision, "servicing-0", "no period follows from it");
    cluster.employee_since(1001, ANNA, "2025-01-01").await.expect("an employee");
    cluster.user_since(2002, ANNA, "2025-01-01").await.expect("a user");
    let verdict = present_verdict(&cluster, &stated).await;
    // Whose it was is known now.
    assert_eq!((verdict.outcome(), verdict.partner.as_str()), (VerdictOutcome::Voided, "partners/1001"));
    assert!(servicing(&cluster, 1001, 2002, LONG_AFTER).await.periods.is_empty());
});

on_both_databases!(voiding_is_the_platforms_and_needs_a_name_and_a_reason, |cluster| {
    agency(&cluster).await;
    works(&cluster, &["2025-01-10"]).await;
    let wrong = activity::VoidActivityRequest { name: "clients/2002".to_owned(), ..Default::default() };
    let refused = cluster.activity().void_activity(wrong).await.expect_err("both are wrong");
    assert_eq!(fields(&refused), ["name", "reason"]);
    let unknown = cluster.void(2002, "evt-9", "a test record").await.expect_err("there is none");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_ACTIVITY"));
    let right = activity::VoidActivityRequest {
        name: "clients/2002/activities/evt-0".to_owned(),
        reason: "a test record".to_owned(),
        ..Default::default()
    };
    let refused = cluster.activity().void_activity(by(ANNA, right.clone())).await.expect_err("a person");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));

    let request_id = "0190a0b0-0000-7000-8000-000000000001".to_owned();
    let with_id = activity::VoidActivityRequest { request_id, ..right };
    let first = cluster.activity().void_activity(with_id.clone()).await.expect("voided").into_inner();
    let repeat = cluster.activity().void_activity(with_id.clone()).await.expect("voided").into_inner();
    assert_eq!((repeat.already_voided, &repeat), (false, &first), "the first answer");
    let other = activity::VoidActivityRequest { reason: "something else".to_owned(), ..with_id };
    let refused = cluster.activity().void_activity(other).await.expect_err("another request");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
});

async fn a_minimum_is_not_reached_any_more(kind: DatabaseKind) {
    let cluster = Cluster::start_with(kind, ClusterOptions { policy: other_policy(60), ..Default::default() }).await;
    agency(&cluster).await;
    works(&cluster, &["2025-01-10", "2025-01-20", "2025-01-30", "2025-02-20"]).await;
    cluster.void(2002, "evt-1", "a test record").await.expect("voided");
    let told = last_changes(&cluster).await.remove(&(2002, 1001)).expect("a change");
    let of_three: Vec<_> = told.periods[&3].iter().map(Into::into).collect();
    assert_eq!(period_texts(&of_three), ["2025-02-20T00:00Z to 2025-03-11T00:00Z, LAPSED"]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r57_a_minimum_is_not_reached_any_more_on_sqlite() {
    a_minimum_is_not_reached_any_more(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r57_a_minimum_is_not_reached_any_more_on_postgresql() {
    a_minimum_is_not_reached_any_more(DatabaseKind::Postgresql).await;
}

on_both_databases!(r128_who_voided_and_why_is_erased_with_the_person, |cluster| {
    agency(&cluster).await;
    works(&cluster, &["2025-01-10", "2025-01-11"]).await;
    cluster.void(2002, "evt-1", "Anna tried something").await.expect("voided");
    let mut request = Request::new(activity::VoidActivityRequest {
        name: "clients/2002/activities/evt-0".to_owned(),
        reason: "Anna says so".to_owned(),
        ..Default::default()
    });
    request.metadata_mut().insert("x-on-behalf-of", ANNA.parse().expect("an address"));
    let voided = cluster.activity().void_activity(request).await.expect("voided").into_inner();
    cluster.note(&voided.revision);
    let pseudonym = cluster.erase(ANNA).await.expect("a pseudonym");
    let found = cluster.get_activity("clients/2002/activities/evt-0").await.expect("the activity");
    let voiding = found.activity.expect("the activity").voiding.expect("a voiding");
    assert_eq!((voiding.on_behalf_of, voiding.reason.as_str()), (pseudonym, ""));
    // What others say of her work may name her too.
    let found = cluster.get_activity("clients/2002/activities/evt-1").await.expect("the activity");
    let voiding = found.activity.expect("the activity").voiding.expect("a voiding");
    assert_eq!((voiding.actor.as_str(), voiding.reason.as_str()), ("platform", ""));
});
