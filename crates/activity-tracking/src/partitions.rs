//! The large tables in parts, as PostgreSQL can keep them: by client, and activities by month too if that is wanted.
//!
//! Every key begins with the client, so that what must be unique is unique in its part, and a question about a client is a
//! question to one part. An activity's id is unique in its client for ever, whenever it occurred (R60), and a table that is
//! divided by time cannot see to that. So where activities are divided by month, [`names`] keeps their names in a table
//! beside them.

mod months;
mod names;

use domain::time::Instant;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use service_kit::{Database, DatabaseError, WriteTransaction};

use months::{MonthBounds, months_of};

/// The tables that grow with the work, each with the client in every key.
pub const TABLES_BY_CLIENT: [&str; 4] = [ACTIVITY, "voiding", "servicing_pair", "servicing_period"];

/// The most parts that a table can have: with more, a list that is read from all of them takes longer, not shorter.
pub const MAXIMUM_PARTITIONS: u32 = 256;

/// The most parts by client where each is divided by month too: what is not about a client looks into every month of each,
/// and locks it.
pub const MAXIMUM_PARTITIONS_WITH_MONTHS: u32 = 16;

/// How many months there can be ahead of the present one: each is looked into, empty or not.
pub const MAXIMUM_MONTHS_AHEAD: u32 = 24;

const ACTIVITY: &str = "activity";

/// How the large tables are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitioning {
    /// Into how many parts by a hash over the client.
    pub partitions: u32,
    /// Whether each part of the activities is divided by calendar month too, and up to how many months ahead of the
    /// present one.
    pub months_ahead: Option<u32>,
}

/// How a table is divided, as the database says it.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    parts: i64,
    has_months: bool,
}

/// Divides the tables of [`TABLES_BY_CLIENT`], with all that is in them; those that are divided so already stay as they
/// are, and get the months that they lack. Nobody can use the tables while they are divided, and an error changes nothing.
/// Months are added part by part, and little waits for it.
///
/// # Errors
/// The database is not PostgreSQL, is not migrated, or fails.
pub async fn partition(database: &Database, partitioning: Partitioning, now: Instant) -> Result<(), DatabaseError> {
    if database.is_sqlite() {
        return Err(DatabaseError::WithoutPartitions);
    }
    if !is_divided(database, partitioning).await? {
        divide_all(database, partitioning, now).await?;
    }
    if let Some(months_ahead) = partitioning.months_ahead {
        months::add(database, partitioning.partitions, months_ahead, now).await?;
    }
    Ok(())
}

impl Partitioning {
    /// What the database says of a table that is divided so.
    fn of_table(self, table: &str) -> Found {
        Found { parts: self.partitions.into(), has_months: self.has_months(table) }
    }

    fn has_months(self, table: &str) -> bool {
        table == ACTIVITY && self.months_ahead.is_some()
    }
}

/// Without a lock: whoever only adds months makes nobody wait for it.
async fn is_divided(database: &Database, partitioning: Partitioning) -> Result<bool, DbErr> {
    for table in TABLES_BY_CLIENT {
        if found(database.connection(), table).await? != partitioning.of_table(table) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn divide_all(database: &Database, partitioning: Partitioning, now: Instant) -> Result<(), DatabaseError> {
    let transaction = begin(database).await?;
    for table in TABLES_BY_CLIENT {
        transaction.execute_unprepared(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
        if found(&*transaction, table).await? != partitioning.of_table(table) {
            divide(&*transaction, table, partitioning, now).await?;
            if table == ACTIVITY {
                names::keep(&*transaction, partitioning).await?;
            }
        }
    }
    transaction.commit().await?;
    // What the planner knows of a table is gone with the table that it was.
    for table in TABLES_BY_CLIENT {
        database.connection().execute_unprepared(&format!("ANALYZE {table}")).await?;
    }
    Ok(())
}

/// A transaction that may take its time.
async fn begin(database: &Database) -> Result<WriteTransaction, DbErr> {
    let transaction = database.begin_write().await?;
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    Ok(transaction)
}

async fn found<C: ConnectionTrait>(connection: &C, table: &str) -> Result<Found, DbErr> {
    let query = format!(
        "SELECT count(*), COALESCE(bool_or(relkind = 'p'), false) FROM pg_inherits JOIN pg_class ON oid = inhrelid \
         WHERE inhparent = '{table}'::regclass"
    );
    match connection.query_one_raw(statement(connection, query)).await? {
        Some(row) => Ok(Found { parts: row.try_get_by_index(0)?, has_months: row.try_get_by_index(1)? }),
        None => Ok(Found { parts: 0, has_months: false }),
    }
}

/// Copies a table into parts that take its place; keys and indexes are made when everything is there.
async fn divide<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    partitioning: Partitioning,
    now: Instant,
) -> Result<(), DbErr> {
    let months = match partitioning.months_ahead {
        Some(months_ahead) if table == ACTIVITY => Some(months_of(connection, months_ahead, now).await?),
        _ => None,
    };
    let making = keys_and_indexes(connection, table, partitioning).await?;
    let whole = format!("{table}_whole");
    let mut statements = vec![
        format!("ALTER TABLE {table} RENAME TO {whole}"),
        format!(
            "CREATE TABLE {table} (LIKE {whole} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY HASH (client_id)"
        ),
    ];
    statements.extend(parts(table, partitioning.partitions, months.as_deref()));
    statements.push(format!("INSERT INTO {table} SELECT * FROM {whole}"));
    statements.push(format!("DROP TABLE {whole}"));
    statements.extend(making);
    execute_all(connection, &statements).await
}

/// What makes the keys and indexes of a table once more.
async fn keys_and_indexes<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    partitioning: Partitioning,
) -> Result<Vec<String>, DbErr> {
    // A key holds what its table is divided by.
    let primary = match (table, partitioning.has_months(table)) {
        (ACTIVITY, true) => "'PRIMARY KEY (client_id, activity_id, occur_time)'",
        (ACTIVITY, false) => "'PRIMARY KEY (client_id, activity_id)'",
        _ => "pg_get_constraintdef(oid)",
    };
    let keys = format!(
        "SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', '{table}', conname, \
             CASE contype WHEN 'p' THEN {primary} ELSE pg_get_constraintdef(oid) END) \
         FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u')"
    );
    let indexes = format!(
        "SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index \
         WHERE indrelid = '{table}'::regclass \
         AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))"
    );
    let mut making = texts(connection, keys).await?;
    making.extend(texts(connection, indexes).await?);
    Ok(making)
}

/// What makes the parts of a table, each with its months where there are any.
fn parts(table: &str, partitions: u32, months: Option<&[MonthBounds]>) -> Vec<String> {
    let mut statements = Vec::new();
    for part in 0..partitions {
        let name = part_name(table, partitions, part, months.is_some());
        let divided = if months.is_some() { " PARTITION BY RANGE (occur_time)" } else { "" };
        statements.push(format!(
            "CREATE TABLE {name} PARTITION OF {table} \
             FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part}){divided}"
        ));
        if let Some(months) = months {
            let of_month = |month: &MonthBounds| {
                format!("CREATE TABLE {} PARTITION OF {name} {}", month.table(&name), month.values())
            };
            statements.extend(months.iter().map(of_month));
            statements.push(format!("CREATE TABLE {} PARTITION OF {name} DEFAULT", months::other(&name)));
        }
    }
    statements
}

/// Named by how many there are, and whether they have months: other parts may be there until the old table is dropped.
fn part_name(table: &str, partitions: u32, part: u32, has_months: bool) -> String {
    let months = if has_months { "_months" } else { "" };
    format!("{table}{months}_{partitions}_{part}")
}

async fn execute_all<C: ConnectionTrait>(connection: &C, statements: &[String]) -> Result<(), DbErr> {
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

async fn texts<C: ConnectionTrait>(connection: &C, query: String) -> Result<Vec<String>, DbErr> {
    let rows = connection.query_all_raw(statement(connection, query)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn statement<C: ConnectionTrait>(connection: &C, sql: String) -> Statement {
    Statement::from_string(connection.get_database_backend(), sql)
}
