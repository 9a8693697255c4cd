//! What operators ask of every service: how far it is, whether what it keeps is right, and to build its copies anew.
//!
//! A service says what is its own in `Maintain`; that callers are the platform, that only one such work is under way at a
//! time, that it ends with its caller or with the service, and how it is told, is the same for all.

mod comparing;
mod measuring;
mod progress;
mod server;
mod status;

use std::future::Future;

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Feed};

pub use comparing::{Findings, Verification, hex};
pub use contracts::wire::maintenance::maintenance_service_server::SERVICE_NAME;
pub use measuring::{float, measure};
pub use progress::ReplayProgress;
pub use server::{Maintenance, server};
pub use status::{CopyStatus, RejudgingStatus, ServiceStatus};

use crate::{Clock, Database, ServiceError};

/// What a service gives its operators.
pub trait Maintain: Clone + Send + Sync + 'static {
    /// The feeds that it follows.
    const FOLLOWED: &'static [Feed];

    /// What it keeps everything in.
    fn database(&self) -> &Database;

    /// Its clock.
    fn clock(&self) -> &Clock;

    /// How far it is.
    fn status(&self) -> impl Future<Output = Result<ServiceStatus, ServiceError>> + Send;

    /// Compares everything that it keeps with what it would be computed to be, in one read transaction and by pages, and
    /// tells the verification; what needs another service comes last.
    fn verify(&self, verification: &mut Verification) -> impl Future<Output = Result<(), ServiceError>> + Send;

    /// Builds the copy of a followed feed anew and puts it into its place.
    fn replay(&self, feed: Feed, progress: &ReplayProgress) -> impl Future<Output = Result<(), ServiceError>> + Send {
        let _ = progress;
        async move { Err(nothing_to_replay(feed.as_str()).into()) }
    }
}

fn nothing_to_replay(feed: &str) -> Failure {
    let message = if feed.is_empty() {
        "this service follows no feed, so it has no copy to build anew".to_owned()
    } else {
        format!("this service does not follow the {feed} feed, so it has no copy of it to build anew")
    };
    Failure::new(ErrorReason::NothingToReplay, message)
}
