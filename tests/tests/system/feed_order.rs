//! Why a feed's positions come from a row that stays locked until the commit: a serial column loses rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::{self, WatchAccessRequest};
use futures_util::future::join_all;
use managed_credit::running::Part;
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, Statement, TransactionTrait as _};
use system_tests::{Cluster, DatabaseKind};
use tokio::sync::Barrier;

const WRITERS: i64 = 8;

/// The numbers behind one, as a follower reads them: in their order.
async fn behind(database: &DatabaseConnection, last: i64) -> Vec<i64> {
    let sql = format!("SELECT id FROM numbered WHERE id > {last} ORDER BY id");
    let rows = database.query_all_raw(Statement::from_string(database.get_database_backend(), sql)).await;
    rows.expect("rows").iter().map(|row| row.try_get_by_index(0).expect("a number")).collect()
}

/// Eight writers take their numbers in one order and commit in the other; a reader looks after every commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_behind_a_serial_column_loses_what_commits_late() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let mut options = ConnectOptions::new(cluster.database_url(Part::Access));
    options.max_connections(10);
    let writing = sea_orm::Database::connect(options).await.expect("connections");
    writing
        .execute_unprepared("CREATE TABLE numbered (id bigserial PRIMARY KEY, writer bigint)")
        .await
        .expect("a table");
    let mut open = Vec::new();
    for writer in 0..WRITERS {
        let transaction = writing.begin().await.expect("a transaction");
        let insert = format!("INSERT INTO numbered (writer) VALUES ({writer})");
        transaction.execute_unprepared(&insert).await.expect("a row");
        open.push(transaction);
    }
    let (mut cursor, mut seen) = (0, BTreeSet::new());
    for transaction in open.into_iter().rev() {
        transaction.commit().await.expect("a commit");
        let rows = behind(&writing, cursor).await;
        cursor = rows.last().copied().unwrap_or(cursor);
        seen.extend(rows);
    }
    assert_eq!(behind(&writing, 0).await.len(), 8, "all were committed");
    assert_eq!(seen, BTreeSet::from([8]), "and seven were never read");
    writing.close().await.expect("to close");
    cluster.stop().await;
}

/// Eight writers at three replicas write as fast as they can, while one follows from the beginning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_a_feed_is_told_of_every_commit_of_eight_writers_in_order() {
    const CLIENTS_EACH: i64 = 25;
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let replicas = [cluster.start_replica(Part::Access), cluster.start_replica(Part::Access)];
    let clients = [
        cluster.access(),
        replicas[0].client(access::access_management_service_client::AccessManagementServiceClient::new),
        replicas[1].client(access::access_management_service_client::AccessManagementServiceClient::new),
    ];
    let mut feed: AccessFeedServiceClient<_> = cluster.access_feed();
    let mut stream = feed.watch_access(WatchAccessRequest::default()).await.expect("a stream").into_inner();
    let reading = tokio::spawn(async move {
        let mut positions = Vec::new();
        while positions.len() < usize::try_from(WRITERS * CLIENTS_EACH).expect("few") {
            let message = stream.message().await.expect("a message").expect("it goes on");
            positions.extend(message.changes.iter().map(|change| change.position));
        }
        positions
    });
    let together = Arc::new(Barrier::new(usize::try_from(WRITERS).expect("few")));
    let writers = (0..WRITERS).map(|writer| {
        let together = Arc::clone(&together);
        let mut client = clients[usize::try_from(writer).expect("few") % clients.len()].clone();
        tokio::spawn(async move {
            together.wait().await;
            let mut acknowledged = Vec::new();
            for number in 0..CLIENTS_EACH {
                let new = access::Client {
                    display_name: "Client".to_owned(),
                    country_code: "US".to_owned(),
                    ..Default::default()
                };
                let hub_id = 2_000 + writer * 100 + number;
                let request = access::CreateClientRequest { hub_id, client: Some(new), ..Default::default() };
                let created = client.create_client(request).await.expect("a client").into_inner();
                let revision: contracts::Revision = created.revision.parse().expect("a revision");
                acknowledged.push(revision.position);
            }
            acknowledged
        })
    });
    let acknowledged: BTreeSet<u64> =
        join_all(writers).await.into_iter().flat_map(|positions| positions.expect("no panic")).collect();
    let told = reading.await.expect("no panic");
    let all = u64::try_from(WRITERS * CLIENTS_EACH).expect("few");
    assert_eq!(told, (1..=all).collect::<Vec<u64>>(), "without a gap, each once, in order");
    assert_eq!(acknowledged, told.into_iter().collect(), "and each of them was acknowledged to one writer");
    for replica in replicas {
        replica.stop();
    }
    cluster.stop().await;
}
