//! The large tables in parts, by client, as PostgreSQL can keep them.
//!
//! Every key of theirs begins with the client, so that what must be unique is unique in its part, and a question about a
//! client is a question to one part. A part per month would not do: an activity's id is unique in its client for ever,
//! whenever it occurred, and a table that is divided by time cannot see to that.

use sea_orm::{ConnectionTrait, DbErr, Statement};
use service_kit::{Database, DatabaseError};

/// The tables that grow with the work, each with the client in every key.
pub const TABLES_BY_CLIENT: [&str; 4] = ["activity", "voiding", "servicing_pair", "servicing_period"];

/// The most parts that a table can have: with more, a list that is read from all of them takes longer, not shorter.
pub const MAXIMUM_PARTITIONS: u32 = 256;

/// Divides the tables of [`TABLES_BY_CLIENT`] into so many parts by a hash over the client, with all that is in them; those
/// that have as many already stay as they are. Nobody can use them meanwhile, and an error changes nothing.
///
/// # Errors
/// The database is not PostgreSQL, is not migrated, or fails.
pub async fn partition(database: &Database, partitions: u32) -> Result<(), DatabaseError> {
    if database.is_sqlite() {
        return Err(DatabaseError::WithoutPartitions);
    }
    let transaction = database.begin_write().await?;
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    for table in TABLES_BY_CLIENT {
        transaction.execute_unprepared(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
        if count_partitions(&*transaction, table).await? != i64::from(partitions) {
            divide(&*transaction, table, partitions).await?;
        }
    }
    transaction.commit().await?;
    // What the planner knows of a table is gone with the table that it was.
    for table in TABLES_BY_CLIENT {
        database.connection().execute_unprepared(&format!("ANALYZE {table}")).await?;
    }
    Ok(())
}

async fn count_partitions<C: ConnectionTrait>(connection: &C, table: &str) -> Result<i64, DbErr> {
    let query = format!("SELECT count(*) FROM pg_inherits WHERE inhparent = '{table}'::regclass");
    let row = connection.query_one_raw(statement(connection, query)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// Copies a table into parts that take its place; keys and indexes are made when everything is there.
async fn divide<C: ConnectionTrait>(connection: &C, table: &str, partitions: u32) -> Result<(), DbErr> {
    let keys = format!(
        "SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', '{table}', conname, pg_get_constraintdef(oid)) \
         FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u')"
    );
    let indexes = format!(
        "SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index \
         WHERE indrelid = '{table}'::regclass \
         AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))"
    );
    let mut making = texts(connection, keys).await?;
    making.extend(texts(connection, indexes).await?);
    let whole = format!("{table}_whole");
    let mut statements = vec![
        format!("ALTER TABLE {table} RENAME TO {whole}"),
        format!(
            "CREATE TABLE {table} (LIKE {whole} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY HASH (client_id)"
        ),
    ];
    for part in 0..partitions {
        // Named by how many there are: parts of another number may be there until the old table is dropped.
        statements.push(format!(
            "CREATE TABLE {table}_{partitions}_{part} PARTITION OF {table} \
             FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        ));
    }
    statements.push(format!("INSERT INTO {table} SELECT * FROM {whole}"));
    statements.push(format!("DROP TABLE {whole}"));
    statements.extend(making);
    for statement in statements {
        connection.execute_unprepared(&statement).await?;
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
