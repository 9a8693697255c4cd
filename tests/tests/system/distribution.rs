//! What a PostgreSQL that keeps tables on several machines demands of the schema (`deploy/README.md`, by client).

use std::collections::BTreeSet;

use activity_tracking::TABLES_BY_CLIENT;
use managed_credit::running::{Part, partition_activities};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use system_tests::{Cluster, DatabaseKind};

/// The tables of activity-tracking that are not divided: what is in the order of a feed, the copy by which everything is
/// judged, and the few rows that all replicas share.
const TABLES_OF_ONE_PLACE: [&str; 9] = [
    "access_change",
    "feed_cursor",
    "feed_head",
    "feed_lease",
    "judged_policy",
    "rejudging",
    "request",
    "seaql_migrations",
    "servicing_change",
];

async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, query)).await.expect("rows");
    rows.into_iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

async fn connection(cluster: &Cluster) -> DatabaseConnection {
    Database::connect(cluster.database_url(Part::Activity)).await.expect("a connection")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_activity_tracking_is_divided_by_client_or_of_one_place() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let connection = connection(&cluster).await;
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                  AND relkind IN ('r', 'p') AND NOT relispartition";
    let known: BTreeSet<&str> = TABLES_BY_CLIENT.into_iter().chain(TABLES_OF_ONE_PLACE).collect();
    let found = texts(&connection, tables).await;
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
    connection.close().await.expect("to close");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_unique_or_refers_beyond_the_client_in_a_table_that_is_divided() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let connection = connection(&cluster).await;
    let names = TABLES_BY_CLIENT.map(|table| format!("'{table}'::regclass")).join(", ");
    let without_client = format!(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND indrelid IN ({names}) \
         AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND attname = 'client_id' \
             AND attnum = ANY (indkey))"
    );
    assert_eq!(texts(&connection, &without_client).await, [""; 0]);
    let keyed =
        format!("SELECT DISTINCT indrelid::regclass::text FROM pg_index WHERE indisprimary AND indrelid IN ({names})");
    assert_eq!(texts(&connection, &keyed).await.len(), TABLES_BY_CLIENT.len());
    let foreign = format!(
        "SELECT conname::text FROM pg_constraint WHERE contype IN ('f', 'x') AND (conrelid IN ({names}) OR confrelid IN ({names}))"
    );
    assert_eq!(texts(&connection, &foreign).await, [""; 0]);
    let by_the_database = format!(
        "SELECT tgname::text FROM pg_trigger WHERE tgrelid IN ({names}) UNION ALL \
         SELECT attname::text FROM pg_attribute WHERE attrelid IN ({names}) AND (atthasdef OR attidentity <> '')"
    );
    assert_eq!(texts(&connection, &by_the_database).await, [""; 0], "no trigger, and no number that it gives out");
    connection.close().await.expect("to close");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_divided_with_what_is_in_them_and_divided_again() {
    let mut cluster = Cluster::start(DatabaseKind::Postgresql).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    for client in 2001..=2020 {
        cluster.client(client, "US").await;
        cluster.user(client, "anna@agency.example").await;
        cluster.work(client, "one", "anna@agency.example", "2025-12-20", "blog/publish").await;
    }
    let connection = connection(&cluster).await;
    let definitions = "SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index \
                       JOIN pg_class ON pg_class.oid = indrelid \
                       WHERE relnamespace = 'public'::regnamespace AND NOT relispartition ORDER BY 1";
    let columns = "SELECT format('%s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull) \
                   FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
                   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition \
                   AND attnum > 0 ORDER BY 1";
    let (indexes_before, columns_before) = (texts(&connection, definitions).await, texts(&connection, columns).await);
    let rows = "SELECT format('%s', activity) FROM activity ORDER BY 1";
    let before = texts(&connection, rows).await;
    assert_eq!(before.len(), 20);
    cluster.stop_part(Part::Activity).await;
    for partitions in [4, 4, 3] {
        partition_activities(&cluster.database_url(Part::Activity), partitions).await.expect("to divide");
        assert_eq!(texts(&connection, rows).await, before);
        assert_eq!(texts(&connection, definitions).await, indexes_before);
        assert_eq!(texts(&connection, columns).await, columns_before);
        for table in TABLES_BY_CLIENT {
            let parts =
                format!("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass");
            assert_eq!(texts(&connection, &parts).await.len() as u64, u64::from(partitions), "{table}");
        }
    }
    connection.close().await.expect("to close");
    cluster.start_part(Part::Activity).await;
    cluster.work(2001, "two", "anna@agency.example", "2025-12-21", "blog/publish").await;
    let told = crate::maintenance::verify::verify(&cluster, Part::Activity).await;
    assert_eq!((told.differences.as_slice(), told.total), (&[] as &[_], 0));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_has_no_partitions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("activity.sqlite3").display());
    managed_credit::running::migrate(Part::Activity, &url).await.expect("to migrate");
    let refused = partition_activities(&url, 4).await.expect_err("refused").to_string();
    assert!(refused.contains("only PostgreSQL keeps tables in partitions"), "{refused}");
}
