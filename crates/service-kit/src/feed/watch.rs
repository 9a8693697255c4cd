//! The sending side of a feed: what is there, then what comes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use async_stream::try_stream;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, Revision};
use futures_util::Stream;
use prost::Message;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::ServiceError;

/// The most changes of one message.
pub const CHANGES_PER_MESSAGE: u64 = 500;

/// The most bytes of the changes of one message, unless it is a single one: well within the 4 MiB that a gRPC client
/// reads where it is not told otherwise.
const BYTES_PER_MESSAGE: usize = 1_024 * 1_024;

/// Of the changes that were read behind a cursor, at most `CHANGES_PER_MESSAGE`, those that one message holds, and
/// whether they are all that there are.
#[must_use]
pub fn fill_message<M: Message>(mut changes: Vec<M>) -> (Vec<M>, bool) {
    let read = changes.len();
    let mut bytes = 0;
    let fitting = changes.iter().take_while(|change| {
        bytes += change.encoded_len();
        bytes <= BYTES_PER_MESSAGE
    });
    let fitting = fitting.count().max(1);
    changes.truncate(fitting);
    let caught_up = changes.len() == read && (read as u64) < CHANGES_PER_MESSAGE;
    (changes, caught_up)
}

/// Refuses a cursor that is not of this feed's history: `kept` is the hash that the feed has at the cursor's position,
/// if it has one.
///
/// # Errors
/// FEED_DIVERGED.
pub fn require_same_history(cursor: Revision, chain_hash: &[u8], kept: Option<&[u8]>) -> Result<(), Failure> {
    // Before the first change there is no hash.
    let kept = if cursor.position == 0 { Some(&[][..]) } else { kept };
    let message = match kept {
        Some(kept) if kept == chain_hash => return Ok(()),
        Some(_) => format!("{cursor} with this hash is not of this feed's history; the copy must be rebuilt"),
        None => format!(
            "{cursor} is ahead of this feed, which has been restored from an earlier moment; the copy must be rebuilt"
        ),
    };
    Err(Failure::new(ErrorReason::FeedDiverged, message))
}

/// Logs that a follower works by another policy document. That is no fault: during a deployment both are in use for a
/// while. Whoever states none, such as a person with grpcurl, is not compared.
pub fn compare_policy(ours: &str, followers: &str) {
    if !followers.is_empty() && followers != ours {
        tracing::warn!(ours, theirs = followers, "a follower has another policy");
    }
}

/// The limits of a watch stream.
#[derive(Debug, Clone, Copy)]
pub struct WatchSettings {
    /// After how long without news a message without changes is sent.
    pub heartbeat: Duration,
    /// After how long the database is asked again although nobody here has written: another replica may have.
    pub poll: Duration,
    /// When a stream ends by itself, so that followers spread over replicas again.
    pub maximum_age: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(2),
            poll: Duration::from_millis(250),
            maximum_age: Duration::from_secs(15 * 60),
        }
    }
}

/// What a feed has after a position.
#[derive(Debug)]
pub struct Page<M> {
    /// The message with the changes, possibly none.
    pub message: M,
    /// The position of its last change, or of the cursor where it has none.
    pub last_position: u64,
    /// Whether there are no more changes.
    pub caught_up: bool,
    /// Whatever else the message tells beside changes, as a number that grows when it does.
    pub mark: u64,
}

/// Sends everything after a position, then goes on with what comes: `news` is told of every commit in this process.
/// Ends at shutdown and at the maximum age.
pub fn watch<M, F>(
    after: u64,
    read: impl Fn(u64) -> F + Send + 'static,
    mut news: Receiver<u64>,
    settings: WatchSettings,
    shutdown: CancellationToken,
) -> Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>
where
    M: Send + 'static,
    F: Future<Output = Result<Page<M>, ServiceError>> + Send,
{
    Box::pin(try_stream! {
        let end = Instant::now() + settings.maximum_age;
        let mut position = after;
        let mut sent_mark = None;
        let mut next_heartbeat = Instant::now();
        while !shutdown.is_cancelled() && Instant::now() < end {
            news.borrow_and_update();
            let page = read(position).await?;
            let is_due = Instant::now() >= next_heartbeat;
            if page.last_position > position || sent_mark != Some(page.mark) || is_due {
                position = page.last_position;
                // Before it has caught up, a message tells changes only; its mark is still to be sent.
                sent_mark = page.caught_up.then_some(page.mark);
                next_heartbeat = Instant::now() + settings.heartbeat;
                let caught_up = page.caught_up;
                yield page.message;
                if !caught_up {
                    continue;
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(settings.poll.min(end - Instant::now())) => {}
                // An error means that the sender is gone: the service is shutting down, or polling goes on.
                Ok(()) = news.changed() => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::AccessChange;

    use super::*;

    fn changes(count: u64, bytes_each: usize) -> Vec<AccessChange> {
        let change = |position| AccessChange { position, chain_hash: vec![0; bytes_each], ..AccessChange::default() };
        (1..=count).map(change).collect()
    }

    #[test]
    fn a_message_holds_few_large_changes_or_many_small_ones_and_at_least_one() {
        let filled = |count, bytes_each| {
            let (changes, caught_up) = fill_message(changes(count, bytes_each));
            (changes.len(), caught_up)
        };
        assert_eq!(filled(0, 0), (0, true));
        assert_eq!(filled(499, 100), (499, true));
        assert_eq!(filled(500, 100), (500, false));
        assert_eq!(filled(3, 400_000), (2, false));
        assert_eq!(filled(1, 2_000_000), (1, true));
        assert_eq!(filled(2, 2_000_000), (1, false));
    }
}
