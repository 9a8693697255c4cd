//! A database beside the service's own, for a copy that is made only for a while.

use std::fmt::Display;

use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;

use crate::{Database, DatabaseSettings, ServiceError};

/// The connections of a shadow: one that writes, one that reads.
const CONNECTIONS: u32 = 2;

/// A temporary SQLite file with the schema of a service, whatever its own database is; gone when it is dropped.
#[derive(Debug)]
pub struct Shadow {
    database: Database,
    /// Removed after the connections are gone, also where the work in it was given up.
    _folder: TempDir,
}

impl Shadow {
    /// Creates one in the machine's folder for temporary files.
    ///
    /// # Errors
    /// It cannot be written there.
    pub async fn create<M: MigratorTrait>() -> Result<Self, ServiceError> {
        let folder = tempfile::Builder::new().prefix("managed-credit-shadow-").tempdir().map_err(unusable)?;
        let path = folder.path().join("shadow.sqlite3");
        let url = path.to_str().map(|path| format!("sqlite://{path}"));
        let url = url.ok_or_else(|| unusable("the path of the folder for temporary files is no text"))?;
        let database =
            Database::connect(&url, DatabaseSettings::with_connections(CONNECTIONS)).await.map_err(unusable)?;
        database.migrate::<M>().await.map_err(unusable)?;
        Ok(Self { database, _folder: folder })
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Closes it and removes its file.
    pub async fn close(self) {
        if let Err(error) = self.database.close().await {
            tracing::warn!(%error, "a temporary database did not close");
        }
    }
}

fn unusable(problem: impl Display) -> ServiceError {
    ServiceError::Temporary(problem.to_string())
}
