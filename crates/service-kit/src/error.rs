//! What can go wrong inside a service, and how it leaves the process.

use contracts::wire::error::ErrorReason;
use contracts::{Failure, WireError};
use sea_orm::{DbErr, RuntimeErr};
use tonic::Status;

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The caller can know and act on it.
    #[error("refused: {}", .0.message())]
    Refused(Failure),
    /// The database failed; the text stays in the log.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// Something stored, or sent by another service, has no meaning.
    #[error("unreadable fact: {0}")]
    Unreadable(#[from] WireError),
    /// Stored bytes are no message.
    #[error("unreadable message: {0}")]
    Undecodable(#[from] prost::DecodeError),
    /// A stored value has no meaning.
    #[error("stored value: {0}")]
    Stored(String),
}

impl ServiceError {
    /// A stored value that should have been impossible to store.
    pub fn stored(problem: impl std::fmt::Display) -> Self {
        Self::Stored(problem.to_string())
    }

    /// What the caller may know of it.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(failure) => failure.clone(),
            Self::Database(error) if is_passing(error) => {
                Failure::new(ErrorReason::StorageUnavailable, "the database is away or busy; try again")
            }
            Self::Database(_) | Self::Unreadable(_) | Self::Undecodable(_) | Self::Stored(_) => Failure::internal(),
        }
    }
}

/// Whether the same call may work later.
fn is_passing(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::SqlxError(_)))
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        if !matches!(error, ServiceError::Refused(_)) {
            tracing::error!(%error, "a call failed");
        }
        error.failure().into()
    }
}
