//! The receiving side of a feed.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use contracts::wire::error::ErrorReason;
use contracts::{Feed, reason_name};
use tokio::time::Instant;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use super::lease::{Claim, Lease};
use super::{Cursor, Following, Message, Watermarks};
use crate::{Database, ServiceError};

/// How long to wait before a feed is opened again, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// How often a replica that stands by looks how far the copy has come: so long its reads may wait for what another one
/// has taken over already.
const LOOKING_DELAY: Duration = Duration::from_millis(100);

/// After how long without success another replica is let to try, and how long it is given for that.
const FRUITLESS_LIMIT: Duration = Duration::from_secs(10);
const YIELDING_DELAY: Duration = Duration::from_millis(500);

/// A service that keeps a copy of what a feed says.
pub trait Follow: Send + Sync + 'static {
    /// A message of the feed.
    type Message: Message;

    /// Which feed.
    fn feed(&self) -> Feed;

    /// Where the copy is.
    fn database(&self) -> &Database;

    /// Where to resume.
    fn cursor(&self) -> impl Future<Output = Result<Cursor, ServiceError>> + Send;

    /// Opens the stream behind the cursor.
    fn open(&self, cursor: &Cursor) -> impl Future<Output = Result<Streaming<Self::Message>, Status>> + Send;

    /// Stores what a message says, and the cursor behind it, in one transaction. Positions that are stored already are
    /// passed over, so that a repeat is harmless.
    fn apply(&self, message: Self::Message) -> impl Future<Output = Result<Cursor, ServiceError>> + Send;

    /// Tells this process what another replica has taken over, beside where its cursor is.
    fn observe(&self) -> impl Future<Output = Result<(), ServiceError>> + Send {
        async { Ok(()) }
    }
}

/// Follows a feed until shutdown, or stands by while another replica does.
pub async fn follow<F: Follow>(follower: &F, watermarks: &Watermarks, shutdown: &CancellationToken) {
    let feed = follower.feed();
    let lease = Lease::new(follower.database(), feed);
    while !shutdown.is_cancelled() {
        match lease.claim(watermarks.following(feed)).await {
            Ok(Claim::Held) => {
                tracing::debug!(feed = feed.as_str(), "this replica follows");
                tokio::select! {
                    following = follow_alone(follower, watermarks, shutdown) => {
                        // Another replica may reach, or understand, what this one does not.
                        lease.release().await;
                        if following == Following::Stopped {
                            wait_until_rebuilt(follower, shutdown).await;
                        } else {
                            pause(YIELDING_DELAY, shutdown).await;
                        }
                    }
                    () = lease.keep(watermarks) => {
                        tracing::info!(feed = feed.as_str(), "another replica may follow now; standing by");
                    }
                }
            }
            Ok(Claim::HeldByOther(following)) => stand_by(follower, watermarks, following, shutdown).await,
            Err(error) => {
                tracing::warn!(feed = feed.as_str(), %error, "the database cannot say who follows");
                watermarks.note(feed, Following::Interrupted);
                pause(LONGEST_DELAY, shutdown).await;
            }
        }
    }
}

/// Sees how far the replica that follows has come.
async fn stand_by<F: Follow>(
    follower: &F,
    watermarks: &Watermarks,
    following: Following,
    shutdown: &CancellationToken,
) {
    let seen = async {
        watermarks.publish(&follower.cursor().await?);
        follower.observe().await
    };
    if let Err(error) = seen.await {
        tracing::warn!(feed = follower.feed().as_str(), %error, "the copy cannot be looked at");
    }
    watermarks.note(follower.feed(), following);
    pause(LOOKING_DELAY, shutdown).await;
}

/// Follows a feed until shutdown: resumes at the cursor, reconnects with a growing delay, and tells the watermarks. Ends
/// with how the last attempt went.
///
/// What cannot be understood ends it, because to skip a fact would be to lose it: until the copy is built anew, or another
/// process has gone on. Everything else passes, and it goes on: also where the stream does not go on behind the cursor,
/// because a copy that was built anew meanwhile is at another place. Where nothing passes for a while, it ends too.
async fn follow_alone<F: Follow>(follower: &F, watermarks: &Watermarks, shutdown: &CancellationToken) -> Following {
    let feed = follower.feed();
    let mut backoff = delays();
    let mut went_well = Instant::now();
    let mut following = Following::Starting;
    while !shutdown.is_cancelled() {
        let start = Instant::now();
        following = match follow_once(follower, watermarks, shutdown).await {
            Ok(()) => Following::Open,
            Err(Interruption::Upstream(status)) => report(feed, &status),
            Err(Interruption::Here(error @ (ServiceError::Database(_) | ServiceError::FeedGap { .. }))) => {
                tracing::warn!(feed = feed.as_str(), %error, "following was interrupted; going on at the stored place");
                Following::Interrupted
            }
            Err(Interruption::Here(error)) => {
                tracing::error!(feed = feed.as_str(), %error, "not followed any more until this copy is built anew");
                Following::Stopped
            }
        };
        watermarks.note(feed, following);
        if start.elapsed() > LONGEST_DELAY || following == Following::Open {
            // It went well for a while.
            (backoff, went_well) = (delays(), Instant::now());
        }
        if following == Following::Stopped || went_well.elapsed() > FRUITLESS_LIMIT {
            break;
        }
        pause(backoff.next().unwrap_or(LONGEST_DELAY), shutdown).await;
    }
    following
}

fn delays() -> ExponentialBackoff {
    let delays = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    delays.without_max_times().build()
}

async fn pause(delay: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(delay) => {}
    }
}

enum Interruption {
    Upstream(Status),
    Here(ServiceError),
}

/// Follows over one stream; `Ok` when it ended as streams do after a while.
async fn follow_once<F: Follow>(
    follower: &F,
    watermarks: &Watermarks,
    shutdown: &CancellationToken,
) -> Result<(), Interruption> {
    let cursor = follower.cursor().await.map_err(Interruption::Here)?;
    watermarks.publish(&cursor);
    let opened = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        opened = follower.open(&cursor) => opened,
    };
    let mut stream = opened.map_err(Interruption::Upstream)?;
    watermarks.note(follower.feed(), Following::Open);
    loop {
        let next = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            next = stream.next() => next,
        };
        let Some(message) = next else { return Ok(()) };
        let message = message.map_err(Interruption::Upstream)?;
        let cursor = follower.apply(message).await.map_err(Interruption::Here)?;
        watermarks.publish(&cursor);
    }
}

/// Whoever builds the copy anew, or goes on, puts its cursor elsewhere.
async fn wait_until_rebuilt<F: Follow>(follower: &F, shutdown: &CancellationToken) {
    let place = async || follower.cursor().await.ok().map(|cursor| (cursor.position, cursor.chain_hash));
    let stopped_at = place().await;
    while !shutdown.is_cancelled() && place().await == stopped_at {
        pause(LONGEST_DELAY, shutdown).await;
    }
}

/// Whether the feed's owner says that a cursor is of another history.
pub(super) fn is_diverged(status: &Status) -> bool {
    let diverged = reason_name(ErrorReason::FeedDiverged);
    status.get_details_error_info().is_some_and(|info| info.reason == diverged)
}

fn report(feed: Feed, status: &Status) -> Following {
    let feed = feed.as_str();
    if is_diverged(status) {
        tracing::error!(feed, %status, "this copy is of another history than the feed; it stays as it is until it is rebuilt");
        Following::Diverged
    } else {
        tracing::info!(feed, %status, "the feed is away; going on from the facts that are known");
        Following::Interrupted
    }
}
