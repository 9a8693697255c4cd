//! What can go wrong inside a service, and how it leaves the process.

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Feed, WireError};
use sea_orm::{DbErr, RuntimeErr, SqlxError};
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
    /// The changes of a message do not begin right behind the cursor.
    #[error("the {feed} feed goes on elsewhere than behind position {position}", feed = .feed.as_str())]
    FeedGap {
        /// Which feed.
        feed: Feed,
        /// Where the cursor is.
        position: u64,
    },
    /// A temporary database cannot be used.
    #[error("temporary database: {0}")]
    Temporary(String),
    /// A part of the work ended before it was done.
    #[error("work that stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// The machine gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
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
            Self::Database(error) if is_rolled_back(error) => {
                Failure::new(ErrorReason::WriteConflict, "others wrote the same at the same time; try again")
            }
            Self::Database(error) if is_passing(error) => {
                Failure::new(ErrorReason::StorageUnavailable, "the database is away, busy or full; try again")
            }
            Self::Database(_)
            | Self::Unreadable(_)
            | Self::Undecodable(_)
            | Self::Stored(_)
            | Self::FeedGap { .. }
            | Self::Temporary(_)
            | Self::Stopped(_)
            | Self::Random(_) => Failure::internal(),
        }
    }
}

/// Whether the database has rolled the transaction back because of others at the same time: for a deadlock, or because it
/// could not be put in order with them.
fn is_rolled_back(error: &DbErr) -> bool {
    let code = of_driver(error).and_then(SqlxError::as_database_error).and_then(|error| error.code());
    code.is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// What the driver said of a call.
fn of_driver(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Whether the same call may work later: nothing is wrong with it, but with the database or the way to it.
fn is_passing(error: &DbErr) -> bool {
    match of_driver(error) {
        Some(
            SqlxError::Io(_)
            | SqlxError::Tls(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed
            | SqlxError::BeginFailed,
        ) => true,
        // Whoever answers where the database should be is not it, or not yet: it is starting, or something is cut off.
        Some(SqlxError::Protocol(_)) => matches!(error, DbErr::Conn(_)),
        Some(SqlxError::Database(error)) => error.code().is_some_and(|code| is_passing_code(&code)),
        Some(_) => false,
        None => matches!(error, DbErr::ConnectionAcquire(_)),
    }
}

/// Of PostgreSQL the classes 08 (connection), 40 (rolled back, for example by a deadlock), 53 (out of resources) and 57
/// (stopped by an operator) and 55P03 (locked); of SQLite 5 (busy), 6 (locked), 10 (cannot read or write its files) and 13
/// (the disk is full) with whatever is in their higher bits.
fn is_passing_code(code: &str) -> bool {
    let of_sqlite = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
    matches!(of_sqlite, Some(5 | 6 | 10 | 13))
        || code.len() == 5 && (["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "55P03")
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl ServiceError {
    /// What a call is answered; what is no refusal goes into the log, in the present span.
    #[must_use]
    pub fn answer(&self) -> Status {
        let failure = self.failure();
        match (self, failure.reason()) {
            (Self::Refused(_), _) => {}
            (_, ErrorReason::WriteConflict) => tracing::warn!(error = %self, "a call was rolled back"),
            _ => tracing::error!(error = %self, "a call failed"),
        }
        failure.into()
    }
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        error.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_or_busy_may_answer_later() {
        for passing in ["08006", "40001", "40P01", "53300", "55P03", "57P01", "5", "6", "10", "13", "261", "517", "778"]
        {
            assert!(is_passing_code(passing), "{passing}");
        }
        for lasting in ["23505", "42703", "22021", "1", "8", "19", "2067", ""] {
            assert!(!is_passing_code(lasting), "{lasting}");
        }
        let reason = |error: DbErr| ServiceError::from(error).failure().reason();
        let cut = SqlxError::Io(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let cut = DbErr::Query(RuntimeErr::SqlxError(cut.into()));
        assert_eq!(reason(cut), ErrorReason::StorageUnavailable);
        let not_yet = || RuntimeErr::SqlxError(SqlxError::Protocol("unexpected response".to_owned()).into());
        assert_eq!(reason(DbErr::Conn(not_yet())), ErrorReason::StorageUnavailable);
        assert_eq!(reason(DbErr::Query(not_yet())), ErrorReason::InternalFault);
        let missing = DbErr::Query(RuntimeErr::SqlxError(SqlxError::RowNotFound.into()));
        assert_eq!(reason(missing), ErrorReason::InternalFault);
        assert_eq!(reason(DbErr::Custom("x".to_owned())), ErrorReason::InternalFault);
    }
}
