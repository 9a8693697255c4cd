//! Work that is told message by message while it goes on.

use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::wire::maintenance::ReplayResponse;
use contracts::{Failure, Feed};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

use crate::ServiceError;

/// How many messages are made ahead of what the caller reads.
const MESSAGES_AHEAD: usize = 16;

/// How long a caller that does not read is waited for: the work holds a moment of the database.
const READING_LIMIT: Duration = Duration::from_secs(60);

/// Where the messages of a work go.
#[derive(Debug)]
pub(super) struct Messages<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Messages<T> {
    pub async fn send(&self, message: T) -> Result<(), ServiceError> {
        let sent = self.0.send_timeout(Ok(message), READING_LIMIT).await;
        sent.map_err(|_| Failure::new(ErrorReason::Overloaded, "the caller does not read what it asked for").into())
    }
}

/// Starts a work that goes on until it is done, its caller is gone, or the service shuts down, in which case its messages
/// just end; `turn` is held until then.
pub(super) fn start<T, F>(
    background: &TaskTracker,
    shutdown: CancellationToken,
    turn: OwnedSemaphorePermit,
    work: impl FnOnce(Messages<T>) -> F,
) -> ReceiverStream<Result<T, Status>>
where
    T: Send + 'static,
    F: Future<Output = Result<(), ServiceError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
    let work = work(Messages(sender.clone()));
    background.spawn(async move {
        let ended = tokio::select! {
            ended = work => ended,
            () = sender.closed() => Ok(()),
            () = shutdown.cancelled() => Ok(()),
        };
        // Whoever has read to the end may ask again at once.
        drop(turn);
        if let Err(error) = ended {
            tokio::select! {
                // A caller that is gone, or does not read, needs no answer.
                _ = sender.send_timeout(Err(error.into()), READING_LIMIT) => {}
                () = shutdown.cancelled() => {}
            }
        }
    });
    ReceiverStream::new(receiver)
}

/// Where a replay tells how far it is.
#[derive(Debug)]
pub struct ReplayProgress {
    feed: Feed,
    messages: Messages<ReplayResponse>,
}

impl ReplayProgress {
    pub(super) fn of_feed(self, feed: Feed) -> Self {
        Self { feed, ..self }
    }

    pub(super) const fn new(messages: Messages<ReplayResponse>) -> Self {
        Self { feed: Feed::Access, messages }
    }

    /// So many changes of the feed have been taken over.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn applied(&self, changes: u64) -> Result<(), ServiceError> {
        self.tell(changes, false).await
    }

    /// The new copy, of so many changes, is in its place.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn complete(&self, changes: u64) -> Result<(), ServiceError> {
        self.tell(changes, true).await
    }

    async fn tell(&self, changes: u64, complete: bool) -> Result<(), ServiceError> {
        let feed = self.feed.as_str().to_owned();
        let applied_changes = i64::try_from(changes).unwrap_or(i64::MAX);
        self.messages.send(ReplayResponse { feed, applied_changes, complete }).await
    }
}
