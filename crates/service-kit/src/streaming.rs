//! Work that is told message by message while it goes on: the answer of an RPC that streams.

use std::sync::Arc;
use std::time::Duration;

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tracing::Instrument as _;

use crate::ServiceError;
use crate::security::Origin;

/// How many messages are made ahead of what the caller reads.
const MESSAGES_AHEAD: usize = 16;

/// How long a caller that does not read is waited for: the work holds a moment of the database.
const READING_LIMIT: Duration = Duration::from_secs(60);

/// Where the messages of a work go.
#[derive(Debug)]
pub struct Messages<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Messages<T> {
    /// Sends a message.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn send(&self, message: T) -> Result<(), ServiceError> {
        let sent = self.0.send_timeout(Ok(message), READING_LIMIT).await;
        sent.map_err(|_| Failure::new(ErrorReason::Overloaded, "the caller does not read what it asked for").into())
    }
}

/// Starts a work that goes on until it is done, its caller is gone, or the service shuts down, in which case its messages
/// just end; `turn` is held until then.
pub fn start<T, F>(
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
    let telling = async move {
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
    };
    background.spawn(Origin::keep(telling.in_current_span()));
    ReceiverStream::new(receiver)
}

/// The only turn of a work of which one goes on at a time; nothing while it goes on.
#[must_use]
pub fn take_turn(turns: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(turns).try_acquire_owned().ok()
}
