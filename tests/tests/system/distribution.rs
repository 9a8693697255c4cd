//! What a PostgreSQL that keeps tables on several machines demands of the schema (`deploy/README.md`, by client).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use activity_tracking::{Partitioning, TABLES_BY_CLIENT};
use contracts::wire::activity::RecordActivitiesRequest;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use futures_util::future::join_all;
use managed_credit::running::{Part, partition_activities};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use service_kit::{Clock, ManualClock};
use system_tests::{Cluster, DatabaseKind, at};

use crate::activity::outcomes;
use crate::maintenance::verify::verify;

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

const INDEXES: &str = "SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index \
                       JOIN pg_class ON pg_class.oid = indrelid \
                       WHERE relnamespace = 'public'::regnamespace AND NOT relispartition ORDER BY 1";

const COLUMNS: &str = "SELECT format('%s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull) \
                       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
                       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition \
                       AND attnum > 0 ORDER BY 1";

const ROWS: &str = "SELECT format('%s', activity) FROM activity ORDER BY 1";

const NAMES: &str = "SELECT format('%s %s', client_id, activity_id) FROM activity_name ORDER BY 1";

/// What only a table that is divided by month has beside it.
const BESIDE_MONTHS: &str = "SELECT relname::text FROM pg_class WHERE relname = 'activity_name' UNION ALL \
                             SELECT proname::text FROM pg_proc WHERE proname = 'claim_activity_name' UNION ALL \
                             SELECT DISTINCT tgname::text FROM pg_trigger WHERE tgname = 'claim_activity_name'";

const ANNA: &str = "anna@agency.example";

async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, query)).await.expect("rows");
    rows.into_iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

async fn connection(cluster: &Cluster) -> DatabaseConnection {
    Database::connect(cluster.database_url(Part::Activity)).await.expect("a connection")
}

/// The parts of a table, in order.
async fn parts(connection: &DatabaseConnection, table: &str) -> Vec<String> {
    let parts = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent";
    texts(connection, &format!("{parts} = '{table}'::regclass ORDER BY 1")).await
}

/// Divides the tables of activity-tracking, as of an instant where there are months.
async fn divide_at(cluster: &Cluster, partitions: u32, months_ahead: Option<u32>, now: &str) {
    let clock = Clock::Manual(ManualClock::new(at(now)));
    let partitioning = Partitioning { partitions, months_ahead };
    partition_activities(&cluster.database_url(Part::Activity), partitioning, &clock).await.expect("to divide");
}

async fn divide(cluster: &Cluster, partitions: u32, months_ahead: Option<u32>) {
    divide_at(cluster, partitions, months_ahead, "2026-01-01").await;
}

/// An agency whose Anna works in these clients.
async fn agency(cluster: &Cluster, clients: RangeInclusive<i64>) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    for client in clients {
        cluster.client(client, "US").await;
        cluster.user(client, ANNA).await;
    }
}

async fn assert_right(cluster: &Cluster) {
    let told = verify(cluster, Part::Activity).await;
    assert_eq!((told.differences.as_slice(), told.total), (&[] as &[_], 0));
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
    agency(&cluster, 2001..=2020).await;
    for client in 2001..=2020 {
        cluster.work(client, "one", ANNA, "2025-12-20", "blog/publish").await;
    }
    let connection = connection(&cluster).await;
    let (indexes_before, columns_before) = (texts(&connection, INDEXES).await, texts(&connection, COLUMNS).await);
    let before = texts(&connection, ROWS).await;
    assert_eq!(before.len(), 20);
    cluster.stop_part(Part::Activity).await;
    for partitions in [4, 4, 3] {
        divide(&cluster, partitions, None).await;
        assert_eq!(texts(&connection, ROWS).await, before);
        assert_eq!(texts(&connection, INDEXES).await, indexes_before);
        assert_eq!(texts(&connection, COLUMNS).await, columns_before);
        for table in TABLES_BY_CLIENT {
            assert_eq!(parts(&connection, table).await.len() as u64, u64::from(partitions), "{table}");
        }
    }
    connection.close().await.expect("to close");
    cluster.start_part(Part::Activity).await;
    cluster.work(2001, "two", ANNA, "2025-12-21", "blog/publish").await;
    assert_right(&cluster).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_are_divided_by_month_with_what_is_in_them_and_put_together_again() {
    let mut cluster = Cluster::start(DatabaseKind::Postgresql).await;
    agency(&cluster, 2001..=2006).await;
    for client in 2001..=2006 {
        for (id, when) in [("old", "2018-05-20"), ("one", "2025-10-31T23:59:59.999999Z"), ("two", "2025-11-01")] {
            cluster.work(client, id, ANNA, when, "blog/publish").await;
        }
    }
    let connection = connection(&cluster).await;
    let is_of_activities = |text: &String| !text.contains("activity_name") && !text.contains("activity_pkey");
    let shape = async || {
        let (indexes, columns) = (texts(&connection, INDEXES).await, texts(&connection, COLUMNS).await);
        indexes.into_iter().chain(columns).filter(is_of_activities).collect::<Vec<_>>()
    };
    let (shape_before, indexes_before) = (shape().await, texts(&connection, INDEXES).await);
    let before = texts(&connection, ROWS).await;
    cluster.stop_part(Part::Activity).await;
    for partitions in [3, 3, 2] {
        divide(&cluster, partitions, Some(1)).await;
        assert_eq!(texts(&connection, ROWS).await, before);
        assert_eq!(shape().await, shape_before);
        assert_eq!(texts(&connection, NAMES).await.len(), 18);
        for part in parts(&connection, "activity").await {
            // What is older than five years has no month of its own; the months begin there.
            let months = parts(&connection, &part).await;
            assert_eq!(months.len(), 63, "{months:?}");
            let ends = ["2021_01", "2026_02", "other"].map(|end| format!("{part}_{end}"));
            assert_eq!([&months[0], &months[61], &months[62]], ends.each_ref());
        }
        let october = "SELECT activity_id FROM activity WHERE tableoid::regclass::text LIKE '%_2025_10'";
        assert_eq!(texts(&connection, october).await, ["one"; 6]);
        assert_eq!(parts(&connection, "voiding").await.len() as u64, u64::from(partitions));
    }
    cluster.start_part(Part::Activity).await;
    cluster.work(2001, "three", ANNA, "2025-12-21", "blog/publish").await;
    cluster.void(2001, "one", "a mistake").await.expect("to void");
    assert_right(&cluster).await;
    let before = texts(&connection, ROWS).await;
    cluster.stop_part(Part::Activity).await;
    divide(&cluster, 2, None).await;
    assert_eq!(texts(&connection, ROWS).await, before);
    assert_eq!(texts(&connection, INDEXES).await, indexes_before);
    assert_eq!(texts(&connection, BESIDE_MONTHS).await, [""; 0]);
    connection.close().await.expect("to close");
    cluster.start_part(Part::Activity).await;
    assert_right(&cluster).await;
    cluster.stop().await;
}

/// What is said to ids that are used again in other months, and to those who use one at the same time.
async fn said_to_repeats(cluster: &Cluster) -> Vec<String> {
    let of = |client, id: &str, when| Cluster::activity_of(client, id, ANNA, when, "blog/publish");
    let first = of(2001, "evt", "2025-12-20");
    let other_month = of(2001, "evt", "2025-10-20");
    let without_month = of(2001, "evt", "2017-10-20");
    let mut said = Vec::new();
    for call in [
        vec![first.clone(), other_month.clone(), of(2002, "evt", "2025-10-20")],
        vec![other_month.clone(), of(2001, "next", "2025-10-20"), without_month.clone()],
        vec![without_month, first, other_month],
    ] {
        said.extend(outcomes(&cluster.record(call).await.expect("results")));
    }
    let replica = cluster.start_replica(Part::Activity);
    // Each counts, whichever is first; the last has no month.
    let one_each = ["2025-09-20", "2025-10-20", "2025-11-20", "2025-08-20"].into_iter().cycle().take(40).enumerate();
    let calls = one_each.map(|(number, when)| {
        let activities = (0..20).map(|id| of(2003, &format!("evt-{id}"), when)).collect();
        let request = RecordActivitiesRequest { activities, ..Default::default() };
        let mut tracking =
            if number % 2 == 0 { cluster.activity() } else { replica.client(ActivityTrackingServiceClient::new) };
        async move { outcomes(&tracking.record_activities(request).await.expect("results").into_inner()) }
    });
    let mut raced: Vec<String> = join_all(calls).await.into_iter().flatten().collect();
    raced.sort();
    said.extend(raced);
    replica.stop();
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r60_an_id_is_unique_in_its_client_for_ever_across_months() {
    let mut said = Vec::new();
    for months_ahead in [None, Some(2)] {
        let cluster = Cluster::start(DatabaseKind::Postgresql).await;
        divide_at(&cluster, 2, months_ahead, "2025-09-05").await;
        agency(&cluster, 2001..=2003).await;
        said.push(said_to_repeats(&cluster).await);
        let connection = connection(&cluster).await;
        let distinct = "SELECT format('%s %s', client_id, activity_id) FROM activity ORDER BY 1";
        let recorded = texts(&connection, distinct).await;
        assert_eq!(recorded.iter().collect::<BTreeSet<_>>().len(), 23);
        assert_eq!(recorded.len(), 23);
        if months_ahead.is_some() {
            assert_eq!(texts(&connection, NAMES).await, recorded);
        }
        connection.close().await.expect("to close");
        assert_right(&cluster).await;
        cluster.stop().await;
    }
    let few: Vec<&str> = said[1].iter().take(9).map(String::as_str).collect();
    let (counted, again, reused) = ("COUNTED", "COUNTED again", "ACTIVITY_ID_REUSED");
    assert_eq!(few, [counted, reused, counted, reused, counted, reused, reused, again, reused]);
    assert_eq!(said[0], said[1], "as it is without months");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_are_added_while_the_service_goes_on_and_what_is_in_them_is_moved_there() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    divide_at(&cluster, 2, Some(1), "2025-10-05").await;
    agency(&cluster, 2001..=2006).await;
    for client in 2001..=2006 {
        for (id, when) in [("old", "2017-05-20"), ("one", "2025-10-20"), ("two", "2025-12-20")] {
            cluster.work(client, id, ANNA, when, "blog/publish").await;
        }
    }
    let connection = connection(&cluster).await;
    let others = "SELECT activity_id FROM activity WHERE tableoid::regclass::text LIKE '%_other' ORDER BY 1";
    assert_eq!(texts(&connection, others).await, [["old"; 6], ["two"; 6]].concat());
    let before = texts(&connection, ROWS).await;
    for _ in 0..2 {
        divide(&cluster, 2, Some(1)).await;
        assert_eq!(texts(&connection, ROWS).await, before);
        assert_eq!(texts(&connection, others).await, ["old"; 6]);
        assert_eq!(texts(&connection, NAMES).await.len(), 18);
        for part in parts(&connection, "activity").await {
            let months = parts(&connection, &part).await;
            assert_eq!(months.len(), 63, "{months:?}");
        }
    }
    let indexes = "SELECT count(*)::text FROM pg_index WHERE indrelid = 'activity_months_2_0_2025_12'::regclass \
                   UNION ALL SELECT count(*)::text FROM pg_index WHERE indrelid = 'activity'::regclass";
    let counts = texts(&connection, indexes).await;
    assert_eq!(counts[0], counts[1]);
    connection.close().await.expect("to close");
    let again = Cluster::activity_of(2001, "two", ANNA, "2025-12-20", "blog/publish");
    let new = Cluster::activity_of(2001, "three", ANNA, "2025-12-21", "blog/publish");
    assert_eq!(outcomes(&cluster.record(vec![again, new]).await.expect("results")), ["COUNTED again", "COUNTED"]);
    assert_right(&cluster).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_has_no_partitions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("activity.sqlite3").display());
    managed_credit::running::migrate(Part::Activity, &url).await.expect("to migrate");
    let partitioning = Partitioning { partitions: 4, months_ahead: None };
    let refused = partition_activities(&url, partitioning, &Clock::System).await.expect_err("refused").to_string();
    assert!(refused.contains("only PostgreSQL keeps tables in partitions"), "{refused}");
}
