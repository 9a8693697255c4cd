//! Taking over a feed up to its present end, for once.

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use tokio_stream::StreamExt as _;
use tonic::{Status, Streaming};

use super::{Change as _, Cursor, Follow, Message as _};
use crate::ServiceError;

/// A feed that is taken over message by message, from where its follower is.
pub struct CatchUp<'follower, F: Follow> {
    follower: &'follower F,
    cursor: Cursor,
    stream: Option<Streaming<F::Message>>,
}

impl<'follower, F: Follow> CatchUp<'follower, F> {
    /// Begins at the follower's cursor; nothing is opened yet.
    ///
    /// # Errors
    /// The follower's database fails.
    pub async fn begin(follower: &'follower F) -> Result<Self, ServiceError> {
        Ok(Self { follower, cursor: follower.cursor().await?, stream: None })
    }

    /// Where it is.
    #[must_use]
    pub const fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Lets go of the stream, which may hold messages that were made long ago: what is taken over next is read then.
    pub fn reopen(&mut self) {
        self.stream = None;
    }

    /// Takes over the next message, but for changes behind `last_position` where there is one; answers whether the feed
    /// had no more when it was sent.
    ///
    /// # Errors
    /// `EVIDENCE_UNAVAILABLE` where the owner of the feed is away; or a message that cannot be applied.
    pub async fn take_next(&mut self, last_position: Option<u64>) -> Result<bool, ServiceError> {
        let mut message = self.next_message().await?;
        let caught_up = message.caught_up();
        if let Some(last_position) = last_position {
            message.changes_mut().retain(|change| change.position() <= last_position);
        }
        self.cursor = self.follower.apply(message).await?;
        Ok(caught_up)
    }

    /// Streams end after a while: then the next begins behind the cursor. Each has something to say.
    async fn next_message(&mut self) -> Result<F::Message, ServiceError> {
        if let Some(stream) = &mut self.stream
            && let Some(message) = stream.next().await
        {
            return message.map_err(|status| unavailable(&self.cursor, &status));
        }
        let opened = self.follower.open(&self.cursor).await;
        let stream = self.stream.insert(opened.map_err(|status| unavailable(&self.cursor, &status))?);
        let message = stream.next().await.unwrap_or_else(|| Err(Status::unavailable("the stream ended at once")));
        message.map_err(|status| unavailable(&self.cursor, &status))
    }
}

/// The owner of the feed did not say what is needed.
pub(super) fn unavailable(cursor: &Cursor, status: &Status) -> ServiceError {
    let feed = cursor.feed.as_str();
    tracing::warn!(feed, %status, "the owner of the feed does not tell it");
    let message =
        format!("it needs the {feed} feed from its owner, which is away or has just been replaced; try again");
    Failure::new(ErrorReason::EvidenceUnavailable, message).into()
}
