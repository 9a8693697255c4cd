//! Follows the access feed into the copy by which activities are judged.

mod consequences;

use std::time::Duration;

use contracts::Feed;
use contracts::wire::access as wire;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use service_kit::feed::{Cursor, Follow, Head, follow, lock_cursor, read_cursor, store_cursor};
use service_kit::{ServiceError, WriteTransaction, access_log};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::ActivityTracking;
use crate::operations::{judge_again, settle};
use crate::store::Touched;
use consequences::Consequences;

/// How long to wait before a database that failed is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Adopts the policy, then follows, until shutdown.
pub(crate) async fn run(service: ActivityTracking, shutdown: CancellationToken) {
    if let Err(error) = adopt_policy(&service, &shutdown).await {
        tracing::error!(%error, "what is stored cannot be judged by this policy; access-management is not followed");
        return;
    }
    let watermarks = service.watermarks.clone();
    if let Err(error) = follow(&AccessFollower { service }, &watermarks, &shutdown).await {
        tracing::error!(%error, "access-management is not followed any more; verdicts stay as they are");
    }
}

async fn adopt_policy(service: &ActivityTracking, shutdown: &CancellationToken) -> Result<(), ServiceError> {
    while !shutdown.is_cancelled() {
        match begin(service, shutdown).await {
            Err(error @ ServiceError::Database(_)) => {
                tracing::warn!(%error, "the database failed; trying again");
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(RETRY_DELAY) => {}
                }
            }
            other => return other,
        }
    }
    Ok(())
}

async fn begin(service: &ActivityTracking, shutdown: &CancellationToken) -> Result<(), ServiceError> {
    // The copy is as good as it was when it was stored, also while its activities are judged by another policy.
    service.watermarks.publish(&read_cursor(service.database.connection(), Feed::Access).await?);
    service.adopt_policy(shutdown).await
}

struct AccessFollower {
    service: ActivityTracking,
}

impl Follow for AccessFollower {
    type Message = wire::WatchAccessResponse;

    fn feed(&self) -> Feed {
        Feed::Access
    }

    async fn cursor(&self) -> Result<Cursor, ServiceError> {
        Ok(read_cursor(self.service.database.connection(), Feed::Access).await?)
    }

    async fn open(&self, cursor: &Cursor) -> Result<Streaming<Self::Message>, Status> {
        let request = wire::WatchAccessRequest {
            after_position: cursor.position,
            after_chain_hash: cursor.chain_hash.clone(),
            policy_digest: self.service.policy.digest().to_owned(),
        };
        Ok(AccessFeedServiceClient::new(self.service.access.clone()).watch_access(request).await?.into_inner())
    }

    async fn apply(&self, message: Self::Message) -> Result<Cursor, ServiceError> {
        let wire::WatchAccessResponse { changes, caught_up, .. } = message;
        let service = &self.service;
        let transaction = service.database.begin_write().await?;
        let mut cursor = lock_cursor(&*transaction, Feed::Access).await?;
        let changes = unknown(&cursor, changes)?;
        if changes.is_empty() && !caught_up {
            return Ok(cursor);
        }
        let is_news = !changes.is_empty();
        if let Some(last) = changes.last() {
            cursor.position = last.position;
            cursor.chain_hash.clone_from(&last.chain_hash);
        }
        let head = service.incorporate(&transaction, changes).await?;
        if caught_up {
            cursor.caught_up_time = Some(service.clock.now());
            service.mend_provisional(&*transaction, cursor.position).await?;
        }
        store_cursor(&*transaction, &cursor).await?;
        transaction.commit().await?;
        if is_news {
            // Also without servicing changes: watch streams tell up to where access is incorporated.
            service.news.send_modify(|position| *position = head.map_or(*position, |head| head.position));
        }
        Ok(cursor)
    }
}

/// The changes behind the cursor, which must begin right behind it.
fn unknown(cursor: &Cursor, changes: Vec<wire::AccessChange>) -> Result<Vec<wire::AccessChange>, ServiceError> {
    let unknown: Vec<_> = changes.into_iter().filter(|change| change.position > cursor.position).collect();
    let positions = unknown.iter().map(|change| change.position);
    if positions.eq((cursor.position + 1..).take(unknown.len())) {
        Ok(unknown)
    } else {
        Err(ServiceError::stored(format!("the access feed has a gap after position {}", cursor.position)))
    }
}

impl ActivityTracking {
    /// Takes changes over into the copy, judges again what they concern, and settles what that touches.
    async fn incorporate(
        &self,
        transaction: &WriteTransaction,
        changes: Vec<wire::AccessChange>,
    ) -> Result<Option<Head>, ServiceError> {
        if changes.is_empty() {
            return Ok(None);
        }
        let changes = access_log::take_over(&**transaction, changes).await?;
        let Consequences { scopes, endings } = Consequences::of(&**transaction, &changes).await?;
        let mut touched: Touched = endings;
        for (scope, from) in &scopes {
            judge_again(&**transaction, &self.policy, scope, *from, &mut touched).await?;
        }
        settle(&**transaction, &self.policy, &touched, self.clock.now()).await
    }

    /// Tells the watch streams of this process about a new head.
    pub(crate) fn tell(&self, head: Option<&Head>) {
        if let Some(head) = head {
            self.news.send_replace(head.position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(position: u64) -> Cursor {
        Cursor { feed: Feed::Access, position, chain_hash: vec![1], incorporated_position: 0, caught_up_time: None }
    }

    fn changes(positions: &[u64]) -> Vec<wire::AccessChange> {
        let change = |position: &u64| wire::AccessChange { position: *position, ..wire::AccessChange::default() };
        positions.iter().map(change).collect()
    }

    #[test]
    fn what_is_stored_already_is_passed_over() {
        let behind = unknown(&cursor(5), changes(&[4, 5, 6, 7])).expect("no gap");
        assert_eq!(behind, changes(&[6, 7]));
        assert_eq!(unknown(&cursor(7), changes(&[6, 7])).expect("no gap"), []);
    }

    #[test]
    fn a_gap_in_the_feed_is_not_passed_over() {
        for positions in [&[7][..], &[6, 8], &[4, 5, 7]] {
            assert!(matches!(unknown(&cursor(5), changes(positions)), Err(ServiceError::Stored(_))), "{positions:?}");
        }
    }
}
