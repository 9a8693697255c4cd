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

use super::{Cursor, Following, Message, Watermarks};
use crate::ServiceError;

/// How long to wait before a feed is opened again, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// A service that keeps a copy of what a feed says.
pub trait Follow: Send + Sync + 'static {
    /// A message of the feed.
    type Message: Message;

    /// Which feed.
    fn feed(&self) -> Feed;

    /// Where to resume.
    fn cursor(&self) -> impl Future<Output = Result<Cursor, ServiceError>> + Send;

    /// Opens the stream behind the cursor.
    fn open(&self, cursor: &Cursor) -> impl Future<Output = Result<Streaming<Self::Message>, Status>> + Send;

    /// Stores what a message says, and the cursor behind it, in one transaction. Positions that are stored already are
    /// passed over, so that a repeat is harmless.
    fn apply(&self, message: Self::Message) -> impl Future<Output = Result<Cursor, ServiceError>> + Send;
}

/// Follows a feed until shutdown: resumes at the cursor, reconnects with a growing delay, and tells the watermarks.
///
/// What cannot be understood stops it, because to skip a fact would be to lose it: until the copy is built anew, by this
/// process or another. Everything else passes, and it goes on: also where the stream does not go on behind the cursor,
/// because a copy that was built anew meanwhile is at another place.
pub async fn follow<F: Follow>(follower: &F, watermarks: &Watermarks, shutdown: &CancellationToken) {
    let feed = follower.feed();
    let mut backoff = delays();
    while !shutdown.is_cancelled() {
        let start = Instant::now();
        let following = match follow_once(follower, watermarks, shutdown).await {
            Ok(()) => {
                backoff = delays();
                Following::Open
            }
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
        if following == Following::Stopped {
            wait_until_rebuilt(follower, shutdown).await;
            continue;
        }
        if start.elapsed() > LONGEST_DELAY {
            // It went well for a while.
            backoff = delays();
        }
        pause(backoff.next().unwrap_or(LONGEST_DELAY), shutdown).await;
    }
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

/// Whoever builds the copy anew puts its cursor elsewhere.
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
