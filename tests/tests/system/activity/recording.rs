//! RecordActivities: what would count, calls that fail, and calls at the same time.

use std::collections::BTreeSet;

use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::activity::{self, Activity, RemedyKind};
use futures_util::future::join_all;
use managed_credit::running::Part;
use sea_orm::ConnectionTrait as _;
use system_tests::{Cluster, at, on_both_databases, reason};
use tonic::Code;

use super::{ANNA, LONG_AFTER, agency, assert_as_the_domain_says, outcomes, period_texts, servicing};
use crate::faults::beside;

fn remedies(result: &activity::RecordActivityResult) -> Vec<RemedyKind> {
    result.remedies.iter().map(activity::Remedy::kind).collect()
}

on_both_databases!(validate_only_says_what_would_be_said_and_records_nothing, |cluster| {
    agency(&cluster).await;
    let recorded = Cluster::activity_of(2002, "evt-1", ANNA, "2025-01-10", "blog/publish");
    let before = cluster.record(vec![recorded.clone()]).await.expect("results");
    let new = Cluster::activity_of(2002, "evt-2", ANNA, "2025-02-10", "blog/publish");
    let changed = Activity { email_address: "bruno@agency.example".to_owned(), ..recorded.clone() };
    let ahead = Cluster::activity_of(2002, "evt-3", ANNA, "2027-01-01", "blog/publish");
    let asked = vec![recorded, new.clone(), new.clone(), changed, ahead];
    for _ in 0..2 {
        let would = cluster.validate(asked.clone()).await.expect("results");
        let expected = [
            "COUNTED again",
            "COUNTED",
            "COUNTED again",
            "ACTIVITY_ID_REUSED",
            "FUTURE_DATED activities[4].occur_time",
        ];
        assert_eq!(outcomes(&would), expected);
        assert_eq!(would.revision, before.revision, "nothing was recorded");
    }
    let found = servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    assert_eq!(period_texts(&found.periods), ["2025-01-10T00:00Z to 2025-03-11T00:00Z, LAPSED"]);
    let unknown = cluster.get_activity(&new.name).await.expect_err("it was not recorded");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_ACTIVITY"));
    assert_eq!(outcomes(&cluster.record(vec![new]).await.expect("results")), ["COUNTED"]);
});

on_both_databases!(validate_only_names_every_missing_step_and_doing_them_makes_it_count, |cluster| {
    cluster.partner(1001, &[]).await;
    cluster.client(2002, "US").await;
    let of = |action| Cluster::activity_of(2002, "evt-1", ANNA, "2026-01-01", action);
    let would = cluster.validate(vec![of("blog/view")]).await.expect("results");
    assert_eq!(outcomes(&would), ["UNKNOWN_EMPLOYEE"]);
    use RemedyKind::{AddClientUser, AddEmployee, LinkClient, UseQualifyingAction};
    assert_eq!(remedies(&would.results[0]), [AddEmployee, UseQualifyingAction, AddClientUser, LinkClient]);
    assert!(would.results[0].remedies[1].text.contains("publish"), "{:?}", would.results[0].remedies[1]);

    let employee = cluster.employee(1001, ANNA).await;
    let would = cluster.validate(vec![of("blog/publish")]).await.expect("results");
    assert_eq!(remedies(&would.results[0]), [AddClientUser, LinkClient]);
    cluster.user(2002, ANNA).await;
    let would = cluster.validate(vec![of("blog/publish")]).await.expect("results");
    assert_eq!(remedies(&would.results[0]), [LinkClient]);
    cluster.link(&employee, 2002, "2026-01-01").await;
    let would = cluster.validate(vec![of("blog/publish")]).await.expect("results");
    assert_eq!((outcomes(&would), remedies(&would.results[0])), (vec!["COUNTED".to_owned()], Vec::new()));
});

on_both_databases!(r60_the_order_of_items_in_a_batch_changes_no_result, |cluster| {
    agency(&cluster).await;
    let actions = ["blog/publish", "blog/view", "form/edit", "nonsense/do"];
    let item = |client: i64, number: usize| {
        let when = (at("2025-01-01") + chrono::TimeDelta::days(number as i64 * 37 % 200)).to_rfc3339();
        Cluster::activity_of(client, &format!("evt-{number}"), ANNA, &when, actions[number % actions.len()])
    };
    let mut told = Vec::new();
    for (turn, client) in [(0, 2010), (7, 2011), (13, 2012)] {
        cluster.client(client, "US").await;
        cluster.user(client, ANNA).await;
        let mut items: Vec<Activity> = (0..40).chain(0..10).map(|number| item(client, number)).collect();
        items.rotate_left(turn);
        if turn > 7 {
            items.reverse();
        }
        let answer = cluster.record(items.clone()).await.expect("results");
        let verdicts: BTreeSet<String> = items
            .iter()
            .zip(outcomes(&answer))
            .map(|(item, outcome)| {
                format!("{} {}", item.name.rsplit_once('/').expect("a name").1, outcome.replace(" again", ""))
            })
            .collect();
        assert_eq!(answer.results.iter().filter(|result| result.duplicate).count(), 10);
        let found = servicing(&cluster, 1001, client, LONG_AFTER).await;
        told.push((verdicts, period_texts(&found.periods)));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
});

on_both_databases!(a_call_that_fails_leaves_nothing_and_its_retry_counts_once, |cluster| {
    agency(&cluster).await;
    let database = beside(&cluster, Part::Activity).await;
    // The last thing that a recording writes: by then everything else is written.
    let (break_it, mend_it) = if cluster.database_url(Part::Activity).starts_with("sqlite") {
        (
            "CREATE TRIGGER broken BEFORE INSERT ON servicing_change BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "DROP TRIGGER broken",
        )
    } else {
        (
            "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$ LANGUAGE plpgsql; \
             CREATE TRIGGER broken BEFORE INSERT ON servicing_change FOR EACH ROW EXECUTE FUNCTION broken()",
            "DROP TRIGGER broken ON servicing_change",
        )
    };
    database.execute_unprepared(break_it).await.expect("a trigger");
    let activities: Vec<Activity> = (0..30)
        .map(|number| Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, "2025-01-10", "blog/publish"))
        .collect();
    let request = activity::RecordActivitiesRequest {
        activities: activities.clone(),
        request_id: "0190a0b0-0000-7000-8000-000000000001".to_owned(),
        ..Default::default()
    };
    let failed = cluster.activity().record_activities(request.clone()).await.expect_err("it is broken");
    assert_eq!((failed.code(), reason(&failed).as_str()), (Code::Internal, "INTERNAL_FAULT"));
    assert!(!failed.message().contains("broken"), "internal text never leaves the process");
    let unknown = cluster.get_activity(&activities[0].name).await.expect_err("nothing is half-written");
    assert_eq!(reason(&unknown), "UNKNOWN_ACTIVITY");

    database.execute_unprepared(mend_it).await.expect("no trigger");
    database.close().await.expect("to close");
    let retried = cluster.activity().record_activities(request).await.expect("results").into_inner();
    assert_eq!(outcomes(&retried), vec!["COUNTED"; 30]);
    cluster.note(&retried.revision);
    assert_eq!(assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001], &[2002]).await, 30);
});

on_both_databases!(calls_at_the_same_time_are_committed_together_and_each_has_its_own_answer, |cluster| {
    agency(&cluster).await;
    let activities: Vec<Activity> = (0..64_i64)
        .map(|number| {
            let when = (at("2025-01-10") + chrono::TimeDelta::days(number)).to_rfc3339();
            Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, &when, "blog/publish")
        })
        .collect();
    let service = cluster.activity();
    let calls = activities.iter().map(|activity| {
        let mut service = service.clone();
        let request = activity::RecordActivitiesRequest { activities: vec![activity.clone()], ..Default::default() };
        async move { service.record_activities(request).await.expect("results").into_inner() }
    });
    let answers = join_all(calls).await;
    let mut revisions = BTreeSet::new();
    for (answer, activity) in answers.iter().zip(&activities) {
        assert_eq!(
            (answer.results[0].activity.as_str(), outcomes(answer)),
            (activity.name.as_str(), vec!["COUNTED".to_owned()])
        );
        cluster.note(&answer.revision);
        revisions.insert(&answer.revision);
    }
    // One by one each would be a change of the feed: each goes on for longer than the one before.
    assert!(revisions.len() < activities.len() / 2, "{} commits", revisions.len());
    assert_eq!(assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001], &[2002]).await, 64);
});

on_both_databases!(of_calls_at_the_same_time_one_that_is_refused_takes_no_other_with_it, |cluster| {
    agency(&cluster).await;
    let request = |id: &str, request_id: &str| {
        let activities = vec![Cluster::activity_of(2002, id, ANNA, "2025-12-20", "blog/publish")];
        activity::RecordActivitiesRequest { activities, request_id: request_id.to_owned(), ..Default::default() }
    };
    const REPEATED: &str = "0190a0b0-0000-7000-8000-000000000001";
    const REUSED: &str = "0190a0b0-0000-7000-8000-000000000002";
    cluster.activity().record_activities(request("evt-0", REUSED)).await.expect("results");
    let requests: Vec<_> = (1..=30)
        .map(|number| match number % 3 {
            0 => request("evt-repeated", REPEATED),
            1 => request(&format!("evt-{number}"), ""),
            _ => request(&format!("evt-{number}"), REUSED),
        })
        .collect();
    let service = cluster.activity();
    let calls = requests.iter().map(|request| {
        let (mut service, request) = (service.clone(), request.clone());
        async move { service.record_activities(request).await }
    });
    let answers = join_all(calls).await;
    let mut repeated = Vec::new();
    for (request, answer) in requests.iter().zip(answers) {
        match request.request_id.as_str() {
            REUSED => assert_eq!(reason(&answer.expect_err("another request")), "REQUEST_ID_REUSED"),
            REPEATED => repeated.push(answer.expect("results").into_inner()),
            _ => assert_eq!(outcomes(&answer.expect("results").into_inner()), ["COUNTED"]),
        }
    }
    assert!(repeated.iter().all(|answer| *answer == repeated[0]), "a repeat is given the first answer");
    assert_eq!(outcomes(&repeated[0]), ["COUNTED"]);
    assert!(matches!(repeated[0].results[0].outcome, Some(Outcome::Verdict(_))));
});
