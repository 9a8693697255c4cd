//! What is more than a service takes at a time is refused at once, and the service goes on.

use std::time::{Duration, Instant};

use contracts::wire::access::WatchAccessRequest;
use contracts::wire::activity::RecordActivitiesRequest;
use managed_credit::running::Part;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use service_kit::ServerSettings;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, on_both_databases, reason};
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::faults::beside;

const ANNA: &str = "anna@agency.example";

fn with_calls(maximum_calls: usize) -> ClusterOptions {
    let server = ServerSettings { maximum_calls, ..ServerSettings::default() };
    ClusterOptions { server, ..ClusterOptions::default() }
}

/// Both followers of the access feed have their streams open: two calls are under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_beyond_the_limit_is_refused_at_once_and_health_is_not() {
    let cluster = Cluster::start_with(DatabaseKind::Sqlite, with_calls(4)).await;
    cluster.client(2002, "US").await;
    let streams = [
        cluster.access_feed().watch_access(WatchAccessRequest::default()).await.expect("a stream"),
        cluster.access_feed().watch_access(WatchAccessRequest::default()).await.expect("a stream"),
    ];
    let start = Instant::now();
    let refused = cluster.client_since(2003, "US", "2024-01-01").await.expect_err("as many as are allowed");
    assert!(start.elapsed() < Duration::from_secs(1), "not queued");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(refused.get_details_retry_info().is_some(), "it may be let in later");
    let channel = Endpoint::from_shared(cluster.url(Part::Access)).expect("a URL").connect_lazy();
    let healthy = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    assert_eq!(healthy.expect("an answer").into_inner().status, 1, "SERVING");
    drop(streams);
    while cluster.client_since(2003, "US", "2024-01-01").await.is_err() {}
    cluster.stop().await;
}

on_both_databases!(a_message_that_is_too_large_is_refused_and_said_how_large_it_may_be, |cluster| {
    let mut activity = Cluster::activity_of(2002, "one", ANNA, "2025-12-20", "blog/publish");
    activity.target_object_id = "x".repeat(5 * 1_024 * 1_024);
    let refused = cluster.record(vec![activity]).await.expect_err("more than 4 MiB");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
    let info = refused.get_details_error_info().expect("a reason");
    assert_eq!(info.metadata["maximum_bytes"], (4 * 1_024 * 1_024).to_string());
});

/// Somebody holds the feed's head, so that nothing can be committed; callers go on calling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_beyond_what_may_wait_are_refused_at_once_and_none_that_was_accepted_is_lost() {
    let options = ClusterOptions { maximum_waiting_activities: 2_000, ..ClusterOptions::default() };
    let cluster = Cluster::start_with(DatabaseKind::Postgresql, options).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await;
    let other = beside(&cluster, Part::Activity).await;
    let holding = other.begin().await.expect("a transaction");
    holding.execute_unprepared("SELECT * FROM feed_head FOR UPDATE").await.expect("the lock");
    let batch = |number: usize| {
        let activity =
            |index| Cluster::activity_of(2002, &format!("evt-{number}-{index}"), ANNA, "2025-12-20", "blog/publish");
        RecordActivitiesRequest { activities: (0..1_000).map(activity).collect(), ..Default::default() }
    };
    let (told, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let calls = 10;
    for number in 0..calls {
        let (mut client, request, told) = (cluster.activity(), batch(number), told.clone());
        tokio::spawn(async move { told.send(client.record_activities(request).await) });
    }
    // Two groups are being committed and 2,000 activities wait; the others are told at once, while nothing can go on.
    for _ in 0..calls - 4 {
        let refused = answers.recv().await.expect("an answer").expect_err("nothing can be recorded");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    }
    holding.commit().await.expect("to let go");
    for _ in 0..4 {
        let recorded = answers.recv().await.expect("an answer").expect("it was accepted").into_inner();
        assert_eq!(recorded.results.len(), 1_000);
        cluster.note(&recorded.revision);
    }
    let servicing = cluster.servicing(1001, 2002, "2026-01-01").await.expect("servicing").servicing;
    let counted: i32 = servicing.expect("it is serviced").employees.iter().map(|anna| anna.counted_activities).sum();
    assert_eq!(counted, 4_000);
    other.close().await.expect("to close");
    cluster.stop().await;
}
