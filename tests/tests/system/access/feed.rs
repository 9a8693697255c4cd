//! The access feed.

use contracts::wire::access;
use domain::time::Instant;
use system_tests::{Cluster, at, on_both_databases, reason};
use tonic::Code;

/// Reads the access feed from a position until it has caught up.
pub(super) async fn feed(
    cluster: &Cluster,
    after_position: u64,
    after_chain_hash: Vec<u8>,
) -> Vec<access::AccessChange> {
    let policy_digest = cluster.policy.digest().to_owned();
    let request = access::WatchAccessRequest { after_position, after_chain_hash, policy_digest };
    let mut stream = cluster.access_feed().watch_access(request).await.expect("a stream").into_inner();
    let mut changes = Vec::new();
    loop {
        let message = stream.message().await.expect("a message").expect("a stream that goes on");
        changes.extend(message.changes);
        if message.caught_up {
            return changes;
        }
    }
}

on_both_databases!(positions_are_gapless_however_many_write_at_once, |cluster| {
    let clients = 60;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let mut access = cluster.access();
        writers.spawn(async move {
            for client in (1..=clients).filter(|client| client % 8 == writer) {
                let stated = access::Client {
                    display_name: format!("Client {client}"),
                    country_code: "US".to_owned(),
                    ..access::Client::default()
                };
                let request =
                    access::CreateClientRequest { hub_id: client, client: Some(stated), ..Default::default() };
                access.create_client(request).await.expect("a client");
            }
        });
    }
    writers.join_all().await;
    let changes = feed(&cluster, 0, Vec::new()).await;
    let positions: Vec<u64> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, (1..=60).collect::<Vec<u64>>());

    let middle = &changes[29];
    let rest = feed(&cluster, middle.position, middle.chain_hash.clone()).await;
    assert_eq!(rest, changes[30..], "whoever resumes gets exactly what is missing");
});

on_both_databases!(a_cursor_of_another_history_is_refused, |cluster| {
    cluster.client(2002, "US").await;
    for (after_position, after_chain_hash) in [(1, vec![1, 2, 3]), (7, vec![1]), (0, vec![1])] {
        let policy_digest = String::new();
        let request = access::WatchAccessRequest { after_position, after_chain_hash, policy_digest };
        let refused = cluster.access_feed().watch_access(request).await.expect_err("another history");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FEED_DIVERGED"));
    }
});

on_both_databases!(a_watcher_hears_of_new_changes_without_asking_again, |cluster| {
    let request =
        access::WatchAccessRequest { policy_digest: cluster.policy.digest().to_owned(), ..Default::default() };
    let mut stream = cluster.access_feed().watch_access(request).await.expect("a stream").into_inner();
    let first = stream.message().await.expect("a message").expect("a stream that goes on");
    assert!(first.changes.is_empty() && first.caught_up);
    cluster.client(2002, "US").await;
    let news = stream.message().await.expect("a message").expect("a stream that goes on");
    assert_eq!(news.changes.len(), 1);
});

on_both_databases!(a_change_takes_effect_now_even_if_the_clock_steps_back, |cluster| {
    let create = |hub_id| access::CreateClientRequest {
        hub_id,
        client: Some(access::Client {
            display_name: "Client".to_owned(),
            country_code: "US".to_owned(),
            ..access::Client::default()
        }),
        ..Default::default()
    };
    cluster.clock.set(at("2026-01-02"));
    cluster.access().create_client(create(1)).await.expect("a client");
    cluster.clock.set(at("2026-01-01"));
    let second = cluster.access().create_client(create(2)).await.expect("a client").into_inner();
    let since: Instant =
        contracts::instant(&second.client.and_then(|client| client.start_time).expect("a time")).expect("a time");
    assert_eq!(since, at("2026-01-02"));
});
