//! The copy of the access log is built anew, and everything is judged again by it.

use std::collections::BTreeSet;

use contracts::wire::activity::Activity;
use contracts::wire::maintenance::{ReplayRequest, VerifyRequest};
use managed_credit::running::Part;
use sea_orm::ConnectionTrait as _;
use system_tests::{Cluster, on_both_databases};

use super::{ANNA, LONG_AFTER, agency, assert_as_the_domain_says, servicing, until_nothing_waits};
use crate::faults::beside;

/// How many differences a verification finds.
async fn differences(cluster: &Cluster) -> i64 {
    let mut stream =
        cluster.maintenance(Part::Activity).verify(VerifyRequest::default()).await.expect("a stream").into_inner();
    let mut last = None;
    while let Some(message) = stream.message().await.expect("a message") {
        last = Some(message);
    }
    let last = last.expect("a summary");
    assert!(last.complete);
    last.total_differences
}

on_both_databases!(a_replay_mends_a_copy_that_has_lost_a_change_and_what_was_judged_by_it, |cluster| {
    agency(&cluster).await;
    let days = ["2025-01-10", "2025-02-20", "2025-06-01"];
    let activities: Vec<Activity> = (days.iter().enumerate())
        .map(|(number, when)| Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, when, "blog/publish"))
        .collect();
    cluster.record(activities.clone()).await.expect("results");
    servicing(&cluster, 1001, 2002, LONG_AFTER).await;
    until_nothing_waits(&cluster).await;
    assert_eq!(differences(&cluster).await, 0);

    let database = beside(&cluster, Part::Activity).await;
    let lose = "DELETE FROM access_change WHERE kind = 'client_user_added'";
    database.execute_unprepared(lose).await.expect("it is lost");
    database.close().await.expect("to close");
    assert!(differences(&cluster).await > 0, "the log has a gap, and nothing would count");

    let mut stream =
        cluster.maintenance(Part::Activity).replay(ReplayRequest::default()).await.expect("a stream").into_inner();
    let mut is_complete = false;
    while let Some(message) = stream.message().await.expect("a message") {
        is_complete = message.complete;
    }
    assert!(is_complete);
    until_nothing_waits(&cluster).await;
    assert_eq!(differences(&cluster).await, 0);
    assert_eq!(assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001], &[2002]).await, 3);
});
