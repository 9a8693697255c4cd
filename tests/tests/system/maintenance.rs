//! What operators ask of every service: how far it is, whether what it keeps is right, and to build its copies anew.

mod replay;
mod status;
pub mod verify;

use contracts::wire::maintenance::FollowingState;
use managed_credit::running::Part;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use system_tests::{Cluster, on_both_databases};

use crate::faults::beside;

const ANNA: &str = "anna@agency.example";

/// Partner 1001 with Anna, who works in client 2002, which pays 1,000 USD a month.
async fn agency(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await;
    cluster.work(2002, "one", ANNA, "2025-12-20", "blog/publish").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
}

/// The managed points of partner 1001 for a client, with all that was written known.
async fn points(cluster: &Cluster, client: i64) -> Option<String> {
    cluster.managed_credit(1001, client, "2026-01-01").await.expect("a row").points
}

/// Whether a service follows a feed.
async fn state_of(cluster: &Cluster, part: Part, feed: &str) -> FollowingState {
    let status = cluster.status(part).await;
    let followed = status.followed_feeds.iter().find(|followed| followed.revision.starts_with(feed));
    followed.unwrap_or_else(|| panic!("{part} follows {feed}")).state()
}

/// Waits until a service follows a feed, or does not, in this way.
async fn until_state(cluster: &Cluster, part: Part, feed: &str, expected: FollowingState) {
    while state_of(cluster, part, feed).await != expected {
        tokio::task::yield_now().await;
    }
}

/// Waits until activity-tracking has judged everything again.
async fn until_nothing_waits(cluster: &Cluster) {
    let waiting = async || cluster.status(Part::Activity).await.rejudging.map(|rejudging| rejudging.waiting_tasks);
    while waiting().await.expect("it judges") > 0 {
        tokio::task::yield_now().await;
    }
}

/// Changes what a service has stored, behind its back.
async fn tamper(cluster: &Cluster, part: Part, statements: &[&str]) {
    let other = beside(cluster, part).await;
    let transaction = other.begin().await.expect("a transaction");
    for statement in statements {
        transaction.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    transaction.commit().await.expect("a commit");
    other.close().await.expect("to close");
}

/// Puts the copy of the access log back to a position, as if what came later had never arrived.
async fn put_back(cluster: &Cluster, part: Part, position: u64) {
    let cursor = format!(
        "UPDATE feed_cursor SET position = {position}, chain_hash = \
         (SELECT chain_hash FROM access_change WHERE position = {position}) WHERE feed = 'access'"
    );
    let changes = format!("DELETE FROM access_change WHERE position > {position}");
    tamper(cluster, part, &[&cursor, &changes]).await;
}

on_both_databases!(a_follower_whose_copy_is_at_another_place_than_its_stream_goes_on_from_the_copy, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    for part in [Part::Activity, Part::Credit] {
        put_back(&cluster, part, 2).await;
    }
    cluster.client(2003, "US").await;
    cluster.user(2003, ANNA).await;
    let verdict = cluster.work(2003, "one", ANNA, "2025-12-20", "blog/publish").await;
    assert!(!verdict.provisional, "what was lost was taken over again, and what is new behind it");
    cluster.subscription(2003, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    assert_eq!(points(&cluster, 2003).await.as_deref(), Some("10.00"));
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
});
