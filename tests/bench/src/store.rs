//! Databases that last as long as a scenario.

use clap::ValueEnum;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// Where the services keep their facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgresql,
}

/// The databases of the three services.
#[derive(Debug)]
pub(crate) enum Store {
    Sqlite(TempDir),
    Postgresql { postgres: String },
}

const SERVICES: [&str; 3] = ["access", "activity", "credit"];

impl Store {
    pub async fn create(kind: Kind, postgres: &str) -> anyhow::Result<Self> {
        match kind {
            Kind::Sqlite => Ok(Self::Sqlite(tempfile::Builder::new().prefix("managed-credit-bench-").tempdir()?)),
            Kind::Postgresql => {
                let mut connection = PgConnection::connect(&postgres.replace("NAME", "postgres")).await?;
                for service in SERVICES {
                    let drop = format!("DROP DATABASE IF EXISTS bench_{service} WITH (FORCE)");
                    connection.execute(sqlx::AssertSqlSafe(drop)).await?;
                    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE bench_{service}"))).await?;
                }
                connection.execute("CHECKPOINT").await?;
                Ok(Self::Postgresql { postgres: postgres.to_owned() })
            }
        }
    }

    /// The flags of `serve` that name them.
    pub fn flags(&self) -> Vec<String> {
        match self {
            Self::Sqlite(folder) => vec![String::from("--data-dir"), folder.path().display().to_string()],
            Self::Postgresql { .. } => {
                SERVICES.iter().flat_map(|service| [format!("--{service}-database-url"), self.url(service)]).collect()
            }
        }
    }

    /// The database of a service; of SQLite the file.
    pub fn url(&self, service: &str) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join(file_name(service)).display().to_string(),
            Self::Postgresql { postgres } => postgres.replace("NAME", &format!("bench_{service}")),
        }
    }
}

/// As `--data-dir` names it.
fn file_name(service: &str) -> String {
    let kind = match service {
        "access" => "management",
        "activity" => "tracking",
        _ => "calculation",
    };
    format!("{service}-{kind}.sqlite3")
}
