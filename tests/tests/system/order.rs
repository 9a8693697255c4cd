//! Services start, stop and restart in any order; facts arrive all the same.

use contracts::Feed;
use contracts::wire::credit::GetManagedCreditRequest;
use managed_credit::running::Part;
use sea_orm::ConnectionTrait as _;
use service_kit::feed::{lock_cursor, lock_cursor_shared};
use service_kit::{Database, DatabaseSettings};
use system_tests::{Cluster, DatabaseKind, on_both_databases, stamp};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

/// A partner that earns 1,000 USD since 10 January 2025.
async fn programme(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "anna@agency.example").await;
    cluster.work(2002, "a1", "anna@agency.example", "2025-01-10T12:00:00Z", "blog/publish").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
}

async fn assert_earns(cluster: &Cluster) {
    let row = cluster.managed_credit(1001, 2002, "2025-01-11").await.expect("a row");
    assert_eq!(row.points.as_deref(), Some("10.00"));
}

on_both_databases!(facts_written_while_a_follower_is_away_are_followed_when_it_is_back, |cluster| {
    cluster.stop_part(Part::Credit).await;
    cluster.stop_part(Part::Activity).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "anna@agency.example").await;
    cluster.start_part(Part::Activity).await;
    cluster.work(2002, "a1", "anna@agency.example", "2025-01-10T12:00:00Z", "blog/publish").await;
    cluster.start_part(Part::Credit).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    assert_earns(&cluster).await;
});

on_both_databases!(a_restart_in_every_order_loses_nothing, |cluster| {
    programme(&cluster).await;
    let [access, activity, credit] = Part::ALL;
    let orders = [
        [access, activity, credit],
        [access, credit, activity],
        [activity, access, credit],
        [activity, credit, access],
        [credit, access, activity],
        [credit, activity, access],
    ];
    for order in orders {
        for part in order {
            cluster.stop_part(part).await;
        }
        for part in order {
            cluster.start_part(part).await;
        }
        assert_earns(&cluster).await;
    }
});

on_both_databases!(a_read_of_facts_that_cannot_be_had_says_so_and_when_to_try_again, |cluster| {
    programme(&cluster).await;
    assert_earns(&cluster).await;
    cluster.stop_part(Part::Activity).await;
    // A removal that activity-tracking has not heard of cannot be known to credit.
    let bruno = cluster.user(2002, "bruno@agency.example").await;
    cluster.remove(&bruno, "2025-01-05").await.expect("a removal");
    let mut request = Request::new(GetManagedCreditRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp("2025-01-11")),
        at_least_revisions: cluster.known_revisions(),
    });
    request.set_timeout(std::time::Duration::from_secs(1));
    let behind = cluster.credit().get_managed_credit(request).await.expect_err("it cannot know");
    let info = behind.get_details_error_info().expect("a reason");
    assert_eq!((behind.code(), info.reason.as_str()), (Code::Unavailable, "FACTS_BEHIND"));
    assert!(behind.get_details_retry_info().is_some(), "it may know later");
    cluster.start_part(Part::Activity).await;
    assert_earns(&cluster).await;
});

/// On PostgreSQL, where locks of a row let each other in for ever; SQLite has one writer at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_judges_after_the_follower_has_asked_for_its_turn_waits_behind_it() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let database = Database::connect(&cluster.database_url(Part::Activity), DatabaseSettings::with_connections(4))
        .await
        .expect("the database");
    let judging = database.begin_write().await.expect("a transaction");
    lock_cursor_shared(&*judging, Feed::Access).await.expect("a shared lock");

    let of_follower = database.clone();
    let following = tokio::spawn(async move {
        let transaction = of_follower.begin_write().await.expect("a transaction");
        lock_cursor(&*transaction, Feed::Access).await.expect("its turn");
        transaction.commit().await.expect("to commit");
    });
    let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'feed_cursor'::regclass";
    while database.connection().execute_unprepared(waiting).await.expect("the locks").rows_affected() == 0 {
        tokio::task::yield_now().await;
    }

    let late = database.begin_write().await.expect("a transaction");
    late.execute_unprepared("SET LOCAL lock_timeout = '100ms'").await.expect("a limit");
    let refused = lock_cursor_shared(&*late, Feed::Access).await.expect_err("the follower comes first");
    assert!(refused.to_string().contains("lock timeout"), "{refused}");

    judging.commit().await.expect("to commit");
    following.await.expect("the follower had its turn");
    drop(late);
    database.close().await.expect("to close");
    cluster.stop().await;
}
