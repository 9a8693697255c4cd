//! Databases of tests that look into them.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use service_kit::{Database, DatabaseSettings};
use tempfile::TempDir;
use uuid::{NoContext, Timestamp, Uuid};

use crate::Migrator;

/// Where `tests/run` says its PostgreSQL is, with `NAME` in place of a database.
const POSTGRES_VARIABLE: &str = "MANAGED_CREDIT_TEST_POSTGRES";
/// How many activities are read by hand.
const ROWS_VARIABLE: &str = "MANAGED_CREDIT_PLAN_ROWS";

/// A migrated database of a test's own, gone when the test ends.
pub(crate) struct TestDatabase {
    url: String,
    database: Database,
    place: Placed,
}

enum Placed {
    File { _folder: TempDir },
    Named(String),
}

impl TestDatabase {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("activity.sqlite3").display());
        Self::migrated(url, Placed::File { _folder: folder }).await
    }

    pub async fn on_postgresql() -> Self {
        let name = format!("plans_{}", Uuid::new_v7(Timestamp::now(NoContext)).simple());
        administer(&format!("CREATE DATABASE {name}")).await;
        Self::migrated(postgres_url(&name), Placed::Named(name)).await
    }

    async fn migrated(url: String, place: Placed) -> Self {
        // One connection: another of SQLite's may still know an index that was dropped here, and refuse to make it again.
        let database = Database::connect(&url, DatabaseSettings::with_connections(1)).await.expect("a database");
        database.migrate::<Migrator>().await.expect("to migrate");
        Self { url, database, place }
    }

    /// The same database, as a service uses it.
    pub async fn reopened(self) -> (Self, Database) {
        let Self { url, database, place } = self;
        database.close().await.expect("to close");
        let database = Database::connect(&url, DatabaseSettings::default()).await.expect("a database");
        (Self { url, database: database.clone(), place }, database)
    }

    pub fn connection(&self) -> &DatabaseConnection {
        self.database.connection()
    }

    pub async fn run(&self, sql: &str) {
        self.connection().execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Drops the indexes, which are made faster when everything is there, and answers with what makes them.
    pub async fn take_indexes(&self) -> Vec<String> {
        let (names, made) = match self.connection().get_database_backend() {
            DbBackend::Postgres => (
                "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE tablename = 'activity'",
                " AND indexname LIKE 'activity~_%' ESCAPE '~' AND indexname <> 'activity_pkey'",
            ),
            _ => (
                "SELECT name, sql AS made FROM sqlite_master WHERE type = 'index' AND tbl_name = 'activity'",
                " AND sql IS NOT NULL",
            ),
        };
        let query = Statement::from_string(self.connection().get_database_backend(), format!("{names}{made}"));
        let mut making = Vec::new();
        for row in self.connection().query_all_raw(query).await.expect("the indexes") {
            let name: String = row.try_get("", "name").expect("a name");
            self.run(&format!("DROP INDEX {name}")).await;
            making.push(row.try_get("", "made").expect("a statement"));
        }
        making
    }

    pub async fn drop(self) {
        self.database.close().await.expect("to close");
        if let Placed::Named(name) = self.place {
            administer(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn postgres_url(database: &str) -> String {
    let pattern = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} is not set: run the tests by tests/run, which starts PostgreSQL for them")
    });
    pattern.replace("NAME", database)
}

async fn administer(sql: &str) {
    let admin = Database::connect(&postgres_url("postgres"), DatabaseSettings::with_connections(1))
        .await
        .expect("the PostgreSQL of tests/run");
    admin.connection().execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    admin.close().await.expect("to close");
}

/// How many activities a test by hand is to have.
pub(crate) fn rows_by_hand() -> u64 {
    std::env::var(ROWS_VARIABLE).ok().and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000)
}
