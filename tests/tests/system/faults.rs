//! Databases that fail in the middle, and facts that are larger or more than usual.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use contracts::wire::access;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::activity::VerdictOutcome;
use contracts::wire::credit::ListManagedCreditsRequest;
use domain::access::{AccessFact, Actor, Audit, EmailDomain, HubId};
use managed_credit::running::Part;
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection};
use service_kit::access_log::{FEED, append};
use service_kit::feed::{lock_head, store_head};
use service_kit::{Database, DatabaseSettings};
use system_tests::{Cluster, DatabaseKind, at, on_both_databases};
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_types::StatusExt as _;

/// A connection to the database of a service, beside those of the service.
pub async fn beside(cluster: &Cluster, part: Part) -> DatabaseConnection {
    let mut options = ConnectOptions::new(cluster.database_url(part));
    options.max_connections(2);
    sea_orm::Database::connect(options).await.expect("a connection")
}

fn new_client(hub_id: i64) -> access::CreateClientRequest {
    let client = access::Client {
        display_name: "Client".to_owned(),
        country_code: "US".to_owned(),
        ..access::Client::default()
    };
    access::CreateClientRequest { hub_id, client: Some(client), ..Default::default() }
}

/// 500 partners of 50 long domains each, 5 MB, put into the access log while its service is stopped.
async fn record_large_changes(cluster: &mut Cluster) {
    cluster.stop_part(Part::Access).await;
    let database = Database::connect(&cluster.database_url(Part::Access), DatabaseSettings::with_connections(2))
        .await
        .expect("a database");
    let transaction = database.begin_write().await.expect("a transaction");
    let mut head = lock_head(&*transaction, FEED).await.expect("the head");
    let (now, label) = (at("2025-01-01"), "a".repeat(60));
    for number in 1..=500 {
        let domain = |index| format!("{label}.{label}.{label}.p{number}-{index}.example").parse::<EmailDomain>();
        let email_domains: BTreeSet<EmailDomain> = (0..50).map(|index| domain(index).expect("a domain")).collect();
        let fact = AccessFact::PartnerAdded {
            partner: HubId::try_from(number).expect("a hub id"),
            display_name: "Partner".to_owned(),
            country: "IT".parse().expect("a country"),
            email_domains,
        };
        append(&*transaction, &mut head, fact, now, now, &Actor::Platform, Audit::default()).await.expect("a row");
    }
    store_head(&*transaction, &head).await.expect("the head");
    transaction.commit().await.expect("a commit");
    database.close().await.expect("to close");
    cluster.start_part(Part::Access).await;
    cluster.note("access-500");
}

/// Far above what following large changes takes.
const FOLLOWING_LIMIT: Duration = Duration::from_secs(60);

on_both_databases!(changes_that_are_too_large_for_one_message_are_followed_in_several, |cluster| {
    record_large_changes(&mut cluster).await;
    let asked = Instant::now();
    loop {
        let unknown = cluster.managed_credit(500, 2002, "2025-01-02").await.expect_err("a partner, and no client");
        let reason = unknown.get_details_error_info().expect("a reason").reason;
        // Large changes take a slow machine longer than one call waits.
        if reason != "FACTS_BEHIND" || asked.elapsed() > FOLLOWING_LIMIT {
            assert_eq!((unknown.code(), reason.as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
            break;
        }
    }
});

/// Its messages fill what may be under way, so that the server's side of the stream is never asked for more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_does_not_read_holds_up_a_stop_no_longer_than_calls_may() {
    let mut cluster = Cluster::start(DatabaseKind::Sqlite).await;
    record_large_changes(&mut cluster).await;
    let small_window =
        Endpoint::from_shared(cluster.url(Part::Access)).expect("a URL").initial_stream_window_size(65_535);
    let mut client = AccessFeedServiceClient::new(small_window.connect_lazy());
    let unread = client.watch_access(access::WatchAccessRequest::default()).await.expect("a stream");
    let start = Instant::now();
    let stopped = tokio::time::timeout(Duration::from_secs(15), cluster.stop_part(Part::Access)).await;
    assert!(stopped.is_ok(), "calls under way have 10 seconds");
    assert!(start.elapsed() >= Duration::from_secs(10), "the stream was stuck: {:?}", start.elapsed());
    drop(unread);
    cluster.stop().await;
}

/// A service waits for a row that somebody else holds; then its connection is cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_in_the_middle_of_a_call_may_be_asked_again_on_postgresql() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let other = beside(&cluster, Part::Access).await;
    other.execute_unprepared("BEGIN; SELECT * FROM feed_head FOR UPDATE").await.expect("the lock");
    let call = tokio::spawn({
        let mut access = cluster.access();
        async move { access.create_client(new_client(2002)).await }
    });
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while other.execute_unprepared(cut).await.expect("an answer").rows_affected() == 0 {
        tokio::task::yield_now().await;
    }
    let refused = call.await.expect("no panic").expect_err("its connection is gone");
    let reason = refused.get_details_error_info().expect("a reason").reason;
    assert_eq!((refused.code(), reason.as_str()), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    assert!(refused.get_details_retry_info().is_some(), "the same call may work later");
    other.close().await.expect("to close");
    let created = cluster.access().create_client(new_client(2002)).await.expect("nothing was recorded before");
    assert_eq!(created.into_inner().revision, "access-1");
    cluster.stop().await;
}

/// Both followers are cut off from their databases again and again while facts arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_whose_database_goes_away_loses_and_doubles_nothing_on_postgresql() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let others = [beside(&cluster, Part::Activity).await, beside(&cluster, Part::Credit).await];
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    for client in 2001..=2010 {
        cluster.client(client, "US").await;
        cluster.user(client, "anna@agency.example").await;
        for other in &others {
            other.execute_unprepared(cut).await.expect("to cut");
        }
    }
    for client in 2001..=2010 {
        let verdict = cluster.work(client, "a", "anna@agency.example", "2025-12-20", "blog/publish").await;
        assert_eq!(verdict.outcome(), VerdictOutcome::Counted, "{client}");
        cluster.subscription(client, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
        others[1].execute_unprepared(cut).await.expect("to cut");
    }
    let page = cluster.breakdown(1001, "2026-01-01", ListManagedCreditsRequest::default()).await.expect("rows");
    assert_eq!((page.total_size, page.total_points.as_str()), (10, "100.00"));
    for other in others {
        other.close().await.expect("to close");
    }
    cluster.stop().await;
}
