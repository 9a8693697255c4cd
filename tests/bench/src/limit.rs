//! What the database alone does, in the fastest plain way: the rows that the services have just written, into a table like
//! theirs, and the questions that cannot be asked with less.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rusqlite::types::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::process::Command;

use crate::calls::Observed;
use crate::store::Store;

/// Which table the rows are written into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// Like the services', with its indexes.
    SameTable,
    /// With no index but the key.
    KeyOnly,
}

/// How many rows are written again, at most.
const ROWS: usize = 100_000;

/// How many of the newest activities a second are written in batches, each a transaction.
#[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
pub(crate) async fn rows_per_second(store: &Store, into: Into, batch: usize) -> anyhow::Result<f64> {
    let (rows, elapsed) = match store {
        Store::Sqlite(folder) => in_sqlite(store, folder.path(), into, batch)?,
        Store::Postgresql { .. } => in_postgresql(&store.url("activity"), into, batch).await?,
    };
    Ok(rows as f64 / elapsed.as_secs_f64())
}

/// A prepared statement for each row, one transaction a batch, in a file like the services'.
fn in_sqlite(store: &Store, folder: &Path, into: Into, batch: usize) -> anyhow::Result<(usize, Duration)> {
    let source = rusqlite::Connection::open(store.url("activity"))?;
    let file = tempfile::Builder::new().suffix(".sqlite3").tempfile_in(folder)?;
    let mut target = rusqlite::Connection::open(file.path())?;
    target.pragma_update(None, "journal_mode", "WAL")?;
    target.pragma_update(None, "synchronous", "NORMAL")?;
    target.pragma_update(None, "cache_size", service_kit::SQLITE_CACHE_SIZE)?;
    target.pragma_update(None, "wal_autocheckpoint", service_kit::SQLITE_CHECKPOINT_PAGES)?;
    let kinds = if into == Into::SameTable { "'table', 'index'" } else { "'table'" };
    let schema =
        format!("SELECT sql FROM sqlite_master WHERE tbl_name = 'activity' AND sql IS NOT NULL AND type IN ({kinds})");
    let mut schema = source.prepare(&schema)?;
    for statement in schema.query_map([], |row| row.get::<_, String>(0))? {
        target.execute_batch(&statement?)?;
    }
    let mut newest = source.prepare(&format!("SELECT * FROM activity ORDER BY rowid DESC LIMIT {ROWS}"))?;
    let columns = newest.column_count();
    let values =
        |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>();
    let mut rows = newest.query_map([], values)?.collect::<Result<Vec<_>, _>>()?;
    rows.reverse();
    let places = vec!["?"; columns].join(", ");
    let insert = format!("INSERT INTO activity VALUES ({places}) ON CONFLICT DO NOTHING");
    let begin = Instant::now();
    for some in rows.chunks(batch) {
        let transaction = target.transaction()?;
        {
            let mut statement = transaction.prepare_cached(&insert)?;
            for row in some {
                ensure!(statement.execute(rusqlite::params_from_iter(row))? == 1, "a row is there twice");
            }
        }
        transaction.commit()?;
    }
    Ok((rows.len(), begin.elapsed()))
}

/// Arrays of columns, one transaction a batch.
async fn in_postgresql(url: &str, into: Into, batch: usize) -> anyhow::Result<(usize, Duration)> {
    let mut connection = PgConnection::connect(url).await?;
    let like = match into {
        Into::SameTable => "LIKE activity INCLUDING ALL",
        Into::KeyOnly => "LIKE activity INCLUDING DEFAULTS, PRIMARY KEY (client_id, activity_id)",
    };
    connection.execute(AssertSqlSafe(format!("DROP TABLE IF EXISTS plain; CREATE TABLE plain ({like})"))).await?;
    let columns = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
                   WHERE attrelid = 'plain'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let columns: Vec<(String, String)> =
        connection.fetch_all(columns).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    // Each batch is an array a column, in PostgreSQL's own binary form, as it was read.
    let mut batches = Vec::new();
    let total: i64 = connection.fetch_one("SELECT count(*) FROM activity").await?.get(0);
    let total = usize::try_from(total)?.min(ROWS);
    let arrays: Vec<String> = columns.iter().map(|(name, _)| format!("array_agg({name} ORDER BY place)")).collect();
    let newest = format!(
        "WITH newest AS (SELECT *, row_number() OVER (ORDER BY ctid DESC) AS place FROM activity ORDER BY ctid DESC LIMIT {total}) \
         SELECT {} FROM newest GROUP BY (place - 1) / {batch} ORDER BY min(place) DESC",
        arrays.join(", ")
    );
    for row in connection.fetch_all(AssertSqlSafe(newest)).await? {
        batches.push(row);
    }
    let places: Vec<String> =
        columns.iter().enumerate().map(|(place, (_, kind))| format!("${}::{kind}[]", place + 1)).collect();
    let insert = format!("INSERT INTO plain SELECT * FROM unnest({}) ON CONFLICT DO NOTHING", places.join(", "));
    let begin = Instant::now();
    let mut rows = 0;
    for batch in &batches {
        let mut query = sqlx::query(AssertSqlSafe(insert.clone()));
        for (place, (_, kind)) in columns.iter().enumerate() {
            query = match kind.as_str() {
                "bigint" => query.bind(batch.get::<Vec<Option<i64>>, _>(place)),
                "text" => query.bind(batch.get::<Vec<Option<String>>, _>(place)),
                "bytea" => query.bind(batch.get::<Vec<Option<Vec<u8>>>, _>(place)),
                "boolean" => query.bind(batch.get::<Vec<Option<bool>>, _>(place)),
                "uuid" => query.bind(batch.get::<Vec<Option<sqlx::types::Uuid>>, _>(place)),
                other => anyhow::bail!("a column of type {other}"),
            };
        }
        rows += query.execute(&mut connection).await?.rows_affected();
    }
    let elapsed = begin.elapsed();
    let rows = usize::try_from(rows)?;
    ensure!(rows == total, "{rows} rows of {total} were written");
    connection.execute("DROP TABLE plain").await?;
    Ok((rows, elapsed))
}

/// Single rows of activities by pgbench, with so many clients.
pub(crate) async fn pgbench_inserts(url: &str, clients: u64, time: Duration) -> anyhow::Result<Observed> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute("DROP TABLE IF EXISTS plain; CREATE TABLE plain (LIKE activity INCLUDING ALL)").await?;
    let names: Vec<String> = connection
        .fetch_all("SELECT attname FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum")
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let literals: Vec<String> = names.iter().map(|name| format!("quote_nullable({name}::text)")).collect();
    let sample = format!("SELECT ARRAY[{}] FROM activity WHERE expire_time IS NOT NULL LIMIT 1", literals.join(", "));
    let sample: Vec<String> = connection.fetch_one(AssertSqlSafe(sample)).await?.get(0);
    let values: Vec<String> = names
        .iter()
        .zip(sample)
        .map(|(name, value)| match name.as_str() {
            "activity_id" => String::from(":id"),
            "occur_time" | "record_time" | "expire_time" => format!(":id + {}", value.trim_matches('\'')),
            "client_id" => format!(":client_id + {}", value.trim_matches('\'')),
            _ => value,
        })
        .collect();
    let script = format!("\\set id random(1, 1000000000000)\nINSERT INTO plain VALUES ({});\n", values.join(", "));
    let observed = pgbench(url, &script, clients, time).await?;
    connection.execute("DROP TABLE plain").await?;
    Ok(observed)
}

/// Prepared selects of one row by its key by pgbench, with so many clients.
pub(crate) async fn pgbench_selects(url: &str, clients: u64, time: Duration) -> anyhow::Result<Observed> {
    let mut connection = PgConnection::connect(url).await?;
    let bounds = connection.fetch_one("SELECT min(hub_id), max(hub_id) FROM client").await?;
    let (first, last): (i64, i64) = (bounds.get(0), bounds.get(1));
    let script = format!("\\set id random({first}, {last})\nSELECT * FROM client WHERE hub_id = :id;\n");
    pgbench(url, &script, clients, time).await
}

async fn pgbench(url: &str, script: &str, clients: u64, time: Duration) -> anyhow::Result<Observed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("script.sql");
    std::fs::write(&file, script)?;
    let program = std::env::var("PGBENCH").unwrap_or_else(|_| String::from("pgbench"));
    let output = Command::new(program)
        .args(["--no-vacuum", "--protocol=prepared", "--log", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", time.as_secs()))
        .arg(format!("--log-prefix={}", folder.path().join("log").display()))
        .arg("--file")
        .arg(&file)
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .await
        .context("pgbench")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "pgbench: {printed}{}", String::from_utf8_lossy(&output.stderr));
    let rate = printed.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells a rate")?;
    let rate: f64 = rate.split(' ').next().unwrap_or_default().parse()?;
    let mut times = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path != file {
            let log = std::fs::read_to_string(path)?;
            times.extend(log.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()));
        }
    }
    let mut observed = Observed::of(times.into_iter())?;
    observed.elapsed = elapsed_of(observed.calls, rate);
    Ok(observed)
}

#[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
fn elapsed_of(calls: u64, per_second: f64) -> Duration {
    Duration::from_secs_f64(calls as f64 / per_second)
}
