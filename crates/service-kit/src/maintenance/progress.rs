//! How far a replay is.

use contracts::Feed;
use contracts::wire::maintenance::ReplayResponse;

use crate::ServiceError;
use crate::streaming::Messages;

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
