//! One database per service: SQLite in one file, or PostgreSQL; the same code on both.

use std::fs::{File, TryLockError};
use std::num::NonZero;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx;
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a connection that is in use may keep a database from closing: a call that hangs does not hang the process.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// How many pages of an SQLite database a connection keeps in memory, at most; in KiB where it is negative. With SQLite's own
/// 2 MiB, one commit of a thousand activities reads pages again that it has just written.
pub const SQLITE_CACHE_SIZE: i64 = -16 * 1_024;

/// After how many pages of 4 KiB SQLite's write-ahead log is brought into the database: what is written often meanwhile is brought
/// there once. SQLite's own 1,000 are less than some commits write.
pub const SQLITE_CHECKPOINT_PAGES: i64 = 16 * 1_024;

/// How a database is used.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseSettings {
    /// The most connections of the pool.
    pub maximum_connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may take for one statement, waiting for locks included, and how long a transaction may hold its
    /// locks without doing anything, as where its process hangs or its machine is gone. Migrations may take any time.
    pub statement_timeout: Duration,
    /// After how long an unused connection is closed.
    pub idle_timeout: Duration,
    /// After how long a connection is closed, whether it is used or not.
    pub maximum_lifetime: Duration,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            maximum_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(10 * 60),
            maximum_lifetime: Duration::from_secs(30 * 60),
        }
    }
}

impl DatabaseSettings {
    /// The default with so many connections.
    #[must_use]
    pub fn with_connections(maximum_connections: u32) -> Self {
        Self { maximum_connections, ..Self::default() }
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Not a URL of a kind that is supported.
    #[error("a database is sqlite:///path/to/file.sqlite3 or postgres://user@host/name, not {0:?}")]
    UnsupportedUrl(String),
    /// Another process has the file.
    #[error("{0} is in use by another process; an SQLite file serves one process at a time")]
    InUse(PathBuf),
    /// The lock file cannot be made.
    #[error("cannot lock {path}: {source}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The schema is older than this version needs.
    #[error("migrations are pending ({0}); run `managed-credit migrate`, or serve with --migrate")]
    PendingMigrations(usize),
    /// SQLite is asked for what it does not have.
    #[error("only PostgreSQL keeps tables in partitions")]
    WithoutPartitions,
    /// Nobody answers there.
    #[error("the database does not answer in time; is it running, and is its URL right?")]
    Unreachable,
    /// The database said no.
    #[error("database: {0}")]
    Database(#[from] DbErr),
}

/// How many connections a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Those that nobody uses.
    pub idle: u32,
    /// Those that are used.
    pub used: u32,
    /// The most that it may have.
    pub maximum: u32,
}

/// A connection pool that knows how each kind of database wants its transactions.
#[derive(Debug, Clone)]
pub struct Database {
    connection: DatabaseConnection,
    /// SQLite has one writer at a time: writers queue here, in order and without spinning.
    writer: Option<Arc<Mutex<()>>>,
    /// Held as long as the database is open: one process per SQLite file.
    _lock: Option<Arc<File>>,
}

/// A transaction that writes; rolled back when dropped.
pub struct WriteTransaction {
    transaction: DatabaseTransaction,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// A transaction that only reads, and sees one moment of the database.
pub struct ReadTransaction(DatabaseTransaction);

impl Database {
    /// Opens a database.
    ///
    /// # Errors
    /// An unsupported URL, a file that another process uses, or a database that does not answer.
    pub async fn connect(url: &str, settings: DatabaseSettings) -> Result<Self, DatabaseError> {
        let sqlite_path = url.strip_prefix("sqlite://").map(|rest| rest.split('?').next().unwrap_or(rest));
        let is_supported = sqlite_path.is_some_and(|path| !path.is_empty())
            || url.starts_with("postgres://")
            || url.starts_with("postgresql://");
        if !is_supported {
            return Err(DatabaseError::UnsupportedUrl(url.split('@').next_back().unwrap_or_default().to_owned()));
        }
        let lock = sqlite_path.map(lock_file).transpose()?.map(Arc::new);
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(settings.maximum_connections)
            .acquire_timeout(settings.acquire_timeout)
            .idle_timeout(settings.idle_timeout)
            .max_lifetime(settings.maximum_lifetime)
            .sqlx_logging_level(tracing::log::LevelFilter::Debug)
            .map_sqlx_postgres_opts(move |options| {
                let limit = settings.statement_timeout.as_millis().to_string();
                options
                    .application_name("managed-credit")
                    .options([("statement_timeout", &limit), ("idle_in_transaction_session_timeout", &limit)])
            })
            .map_sqlx_sqlite_before_acquire(|connection, _| {
                Box::pin(async { Ok(is_outside_of_transactions(connection)) })
            })
            .map_sqlx_sqlite_opts(|options| {
                options
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(Duration::from_secs(10))
                    .pragma("cache_size", SQLITE_CACHE_SIZE.to_string())
                    .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES.to_string())
            });
        let connection = sea_orm::Database::connect(options).await.map_err(unreachable)?;
        let writer = sqlite_path.map(|_| Arc::new(Mutex::new(())));
        Ok(Self { connection, writer, _lock: lock })
    }

    /// Brings the schema up to date. A schema that is newer than this version is left alone: migrations only expand
    /// first, so that a rollback of the binary needs no rollback of the schema.
    ///
    /// # Errors
    /// A migration that fails; what it did, and those before it, is undone.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DatabaseError> {
        if self.pending_migrations::<M>().await? > 0 {
            // All on one connection: another one of SQLite may still know an index that a statement before has dropped.
            let transaction = self.begin_write().await?;
            if !self.is_sqlite() {
                transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            }
            M::up(&*transaction, None).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Refuses a schema that is older than this version needs.
    ///
    /// # Errors
    /// Pending migrations.
    pub async fn require_migrated<M: MigratorTrait>(&self) -> Result<(), DatabaseError> {
        match self.pending_migrations::<M>().await? {
            0 => Ok(()),
            pending => Err(DatabaseError::PendingMigrations(pending)),
        }
    }

    async fn pending_migrations<M: MigratorTrait>(&self) -> Result<usize, DatabaseError> {
        M::install(&self.connection).await?;
        let applied = M::get_migration_models(&self.connection).await?;
        let is_applied = |name: &str| applied.iter().any(|migration| migration.version == name);
        Ok(M::migrations().iter().filter(|migration| !is_applied(migration.name())).count())
    }

    /// Starts a transaction that writes. On SQLite it waits for its turn first.
    ///
    /// # Errors
    /// No connection in time.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbErr> {
        let turn = match &self.writer {
            Some(writer) => Some(Arc::clone(writer).lock_owned().await),
            None => None,
        };
        let options = TransactionOptions {
            // Read-committed on PostgreSQL: what must not move is locked by row.
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: turn.as_ref().map(|_| SqliteTransactionMode::Immediate),
        };
        Ok(WriteTransaction { transaction: self.connection.begin_with_options(options).await?, _turn: turn })
    }

    /// Starts a transaction that sees one moment of the database.
    ///
    /// # Errors
    /// No connection in time.
    pub async fn begin_read(&self) -> Result<ReadTransaction, DbErr> {
        let options = match self.connection.get_database_backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            },
            // In WAL mode every SQLite transaction is a snapshot.
            _ => TransactionOptions::default(),
        };
        Ok(ReadTransaction(self.connection.begin_with_options(options).await?))
    }

    /// Starts transactions that all see the same moment of the database, for work that goes on side by side: as many as
    /// there are processors, but at most a quarter of the pool, so that calls have the rest.
    ///
    /// # Errors
    /// No connection in time.
    pub async fn begin_reads(&self) -> Result<Vec<ReadTransaction>, DbErr> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let count = (self.pool().maximum as usize / 4).clamp(1, processors);
        // Nothing is written on SQLite meanwhile, for which the first query fixes the moment.
        let _turn = match &self.writer {
            Some(writer) => Some(writer.lock().await),
            None => None,
        };
        let first = self.begin_read().await?;
        let mut transactions = vec![first];
        let look = match self.connection.get_database_backend() {
            DbBackend::Postgres => {
                let export = Statement::from_string(DbBackend::Postgres, "SELECT pg_export_snapshot()");
                let row = transactions[0].query_one_raw(export).await?;
                let row = row.ok_or_else(|| DbErr::RecordNotFound("pg_export_snapshot".to_owned()))?;
                format!("SET TRANSACTION SNAPSHOT '{}'", row.try_get_by_index::<String>(0)?)
            }
            _ => {
                let look = "SELECT 1 FROM sqlite_master LIMIT 1".to_owned();
                transactions[0].execute_unprepared(&look).await?;
                look
            }
        };
        for _ in 1..count {
            let next = self.begin_read().await?;
            next.execute_unprepared(&look).await?;
            transactions.push(next);
        }
        Ok(transactions)
    }

    /// Whether it is SQLite, which has one writer at a time.
    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        self.writer.is_some()
    }

    /// The pool, for single statements.
    #[must_use]
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// How many connections there are.
    #[must_use]
    pub fn pool(&self) -> Pool {
        let (open, idle, maximum) = if self.is_sqlite() {
            let pool = self.connection.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        } else {
            let pool = self.connection.get_postgres_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Pool { idle, used: open - idle, maximum }
    }

    /// Closes all connections, those that are in use once they are free again.
    ///
    /// # Errors
    /// A connection that cannot be closed, or that is not free within 5 seconds.
    pub async fn close(self) -> Result<(), DbErr> {
        let closed = tokio::time::timeout(CLOSE_LIMIT, self.connection.close()).await;
        closed.unwrap_or_else(|_| Err(DbErr::Custom("a connection is still in use".to_owned())))
    }
}

/// Whether a connection that is to be used again is in no transaction. SQLite ends one by itself where the disk is full, and
/// the driver, which is told that there is none to roll back, goes on counting it: from then on it would only begin parts of
/// it, which are never committed, and of which reads see no end.
fn is_outside_of_transactions(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

/// A pool tells only that no connection came in time, not that every attempt was refused.
fn unreachable(error: DbErr) -> DatabaseError {
    match error {
        DbErr::ConnectionAcquire(_) => DatabaseError::Unreachable,
        DbErr::Conn(RuntimeErr::SqlxError(ref source)) if matches!(**source, sqlx::Error::PoolTimedOut) => {
            DatabaseError::Unreachable
        }
        other => DatabaseError::Database(other),
    }
}

/// Takes the lock beside an SQLite file.
fn lock_file(path: &str) -> Result<File, DatabaseError> {
    let path = PathBuf::from(format!("{path}.lock"));
    let file = File::create(&path).map_err(|source| DatabaseError::Lock { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse(path.with_extension(""))),
        Err(TryLockError::Error(source)) => Err(DatabaseError::Lock { path, source }),
    }
}

impl WriteTransaction {
    /// Makes everything that was written visible at once.
    ///
    /// # Errors
    /// The database could not; nothing was written then.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}

impl Deref for WriteTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

impl Deref for ReadTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it does where the disk is full.
    #[tokio::test]
    async fn a_connection_whose_transaction_sqlite_has_ended_by_itself_is_not_used_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("ended.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(1)).await.expect("a database");
        database.connection().execute_unprepared("CREATE TABLE row (id INTEGER PRIMARY KEY)").await.expect("a table");
        let insert = "INSERT OR ROLLBACK INTO row (id) VALUES (1)";
        database.connection().execute_unprepared(insert).await.expect("a row");
        let ended = database.begin_write().await.expect("a transaction");
        ended.execute_unprepared(insert).await.expect_err("it is there, so that SQLite rolls everything back");
        drop(ended);
        let all = || Statement::from_string(DbBackend::Sqlite, "SELECT id FROM row");
        let reading = database.begin_read().await.expect("a transaction");
        assert_eq!(reading.query_all_raw(all()).await.expect("rows").len(), 1);
        drop(reading);
        let next = database.begin_write().await.expect("a transaction");
        next.execute_unprepared("INSERT INTO row (id) VALUES (2)").await.expect("a row");
        next.commit().await.expect("it is kept");
        let beside = sea_orm::Database::connect(&url).await.expect("another connection");
        assert_eq!(beside.query_all_raw(all()).await.expect("rows").len(), 2, "what was committed is for everybody");
    }

    #[tokio::test]
    async fn a_call_that_hangs_does_not_keep_a_database_from_closing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("hanging.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
        let hanging = database.begin_write().await.expect("a transaction");
        tokio::time::pause();
        assert!(database.close().await.is_err());
        drop(hanging);
    }
}
