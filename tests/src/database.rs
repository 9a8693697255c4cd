//! Databases for tests: files in a temporary folder, or databases of the PostgreSQL that `tests/run` started.

use activity_tracking::Partitioning;
use managed_credit::running::{self, Part};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use service_kit::{Clock, ManualClock};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::at;

/// Where `tests/run` says its PostgreSQL is: `postgres://user@localhost/NAME?host=/socket/folder`, with `NAME` in place of
/// a database.
const POSTGRES_VARIABLE: &str = "MANAGED_CREDIT_TEST_POSTGRES";

/// How activity-tracking's PostgreSQL keeps its large tables: in how many partitions, and up to how many months ahead, as in
/// `3,12`; undivided where nothing is said.
const PARTITIONS_VARIABLE: &str = "MANAGED_CREDIT_TEST_PARTITIONS";

/// Which kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file in a temporary folder.
    Sqlite,
    /// Of the PostgreSQL that `tests/run` started.
    Postgresql,
}

/// The databases of one test, gone when it ends.
pub(crate) enum TestDatabases {
    Sqlite(TempDir),
    Postgresql(String),
}

impl TestDatabases {
    pub async fn create(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Sqlite(tempfile::tempdir().expect("a temporary folder")),
            DatabaseKind::Postgresql => {
                let name = format!("test_{}", Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).simple());
                let admin = admin().await;
                for part in Part::ALL {
                    let template = template(part).await;
                    let sql = format!("CREATE DATABASE {} TEMPLATE {template}", database_name(&name, part));
                    admin.execute_unprepared(&sql).await.expect("a database of the template");
                }
                admin.close().await.expect("to close");
                Self::Postgresql(name)
            }
        }
    }

    pub fn url(&self, part: Part) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join(format!("{part}.sqlite3")).display()),
            Self::Postgresql(name) => postgres_url(&database_name(name, part)),
        }
    }

    pub async fn drop(self) {
        let Self::Postgresql(name) = self else { return };
        let admin = admin().await;
        for part in Part::ALL {
            let sql = format!("DROP DATABASE {} WITH (FORCE)", database_name(&name, part));
            admin.execute_unprepared(&sql).await.expect("to drop a database");
        }
        admin.close().await.expect("to close");
    }
}

fn database_name(test: &str, part: Part) -> String {
    format!("{test}_{}", part.as_str().replace('-', "_"))
}

fn postgres_url(database: &str) -> String {
    let pattern = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} is not set: run the tests by tests/run, which starts PostgreSQL for them")
    });
    pattern.replace("NAME", database)
}

fn partitioning() -> Option<Partitioning> {
    let stated = std::env::var(PARTITIONS_VARIABLE).ok()?;
    let number =
        |text: &str| text.parse().unwrap_or_else(|_| panic!("{PARTITIONS_VARIABLE} is 3 or 3,12, not {stated:?}"));
    let (partitions, months) = match stated.split_once(',') {
        Some((partitions, months)) => (partitions, Some(months)),
        None => (stated.as_str(), None),
    };
    Some(Partitioning { partitions: number(partitions), months_ahead: months.map(number) })
}

async fn admin() -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(postgres_url("postgres"));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("the PostgreSQL of tests/run")
}

/// The migrated database that those of tests are copied from: made once a run, whichever process comes first.
async fn template(part: Part) -> String {
    static TEMPLATES: [OnceCell<String>; 3] = [const { OnceCell::const_new() }; 3];
    let partitioning = partitioning().filter(|_| part == Part::Activity);
    let test = partitioning.map_or_else(
        || "template".to_owned(),
        |Partitioning { partitions, months_ahead }| {
            format!("template_{partitions}_{}", months_ahead.unwrap_or_default())
        },
    );
    let name = database_name(&test, part);
    let cell = &TEMPLATES[part as usize];
    cell.get_or_init(|| async {
        let admin = admin().await;
        // The lock goes with the session.
        admin.execute_unprepared("SELECT pg_advisory_lock(60)").await.expect("the lock");
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        let found = admin.execute_unprepared(&sql).await.expect("the catalogue").rows_affected();
        if found == 0 {
            let unfinished = format!("{name}_unfinished");
            admin.execute_unprepared(&format!("CREATE DATABASE {unfinished}")).await.expect("a database");
            running::migrate(part, &postgres_url(&unfinished)).await.expect("to migrate");
            if let Some(partitioning) = partitioning {
                // Its months are those in which most tests work, and some of what they record is outside of them.
                let clock = Clock::Manual(ManualClock::new(at("2025-06-01")));
                let url = postgres_url(&unfinished);
                running::partition_activities(&url, partitioning, &clock).await.expect("to divide");
            }
            let finish = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
            admin.execute_unprepared(&finish).await.expect("to rename");
        }
        admin.close().await.expect("to close");
        name.clone()
    })
    .await
    .clone()
}
