//! What at least two of the services need to be one: storage, the access log, feeds, who may do what, repeated requests,
//! the server, errors, time.
//!
//! Owns: everything that makes three services read and behave alike. Does not own: any rule, any table of one service.
//! Invariants: a position of a feed is given out in the transaction of its fact, and without gaps; a follower's
//! facts and cursor are stored together; nothing here reads a clock but `Clock`.

pub mod access_log;
mod caller;
mod channel;
mod clock;
mod database;
mod error;
mod etag;
pub mod feed;
mod incoming;
pub mod maintenance;
mod operators;
pub mod page;
pub mod permission;
mod random;
pub mod request_log;
mod security;
mod server;
mod stored;
pub mod streaming;
mod telemetry;

pub use caller::{
    MAXIMUM_WAIT, Statement, actor, answer_limit, in_the_name_of, platform_only, require_platform, wait_limit,
};
pub use channel::{Channel, ChannelError, connect, connect_within};
pub use clock::{Clock, ManualClock};
pub use database::{
    Database, DatabaseError, DatabaseSettings, Pool, ReadTransaction, SQLITE_CACHE_SIZE, SQLITE_CHECKPOINT_PAGES,
    WriteTransaction,
};
pub use error::ServiceError;
pub use etag::require_etag;
pub use incoming::{Door, Listener};
pub use operators::{Operators, OperatorsError, answer_operators};
pub use random::random_token;
pub use sea_orm_migration::MigratorTrait;
pub use security::{
    CertificateFiles, CredentialFiles, Exposure, Identity, KeyHash, Needs, Security, SecurityError, ServiceNeeds,
    is_made, new_key,
};
pub use server::{
    DRAIN_LIMIT, LIMITED_BY_THE_SERVER, MAXIMUM_ANSWER_BYTES, ServeError, ServerSettings, Service, WebOrigin,
    WebOriginError, serve, status_name,
};
pub use stored::{StoredInstant, position, stored_position};
pub use telemetry::{LogFormat, MetricsError, TelemetryError, TraceParent, Traces, TracesError, start_telemetry};
