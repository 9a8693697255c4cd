//! Follows the access feed into the copy by which activities are judged.

mod consequences;

use std::sync::Arc;
use std::time::Duration;

use contracts::Feed;
use contracts::wire::access as wire;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use service_kit::access_log::ClientHistories;
use service_kit::feed::{Cursor, Follow, Head, Rebuild, Watermarks, follow, lock_cursor, read_cursor, store_cursor};
use service_kit::{Database, MAXIMUM_ANSWER_BYTES, ServiceError, WriteTransaction, access_log};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::operations::settle;
use crate::store::{activity, rejudging, voiding};
use crate::{ActivityTracking, Migrator};
use consequences::Consequences;

/// How long to wait before a database that failed is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Adopts the policy, then follows, until shutdown.
pub(crate) async fn run(service: ActivityTracking, shutdown: CancellationToken) {
    if let Err(error) = begin(&service, &shutdown).await {
        tracing::error!(%error, "what is stored cannot be judged by this policy; access-management is not followed");
        return;
    }
    let copied = service.copied.clone();
    follow(&AccessFollower { service }, &copied, &shutdown).await;
}

async fn begin(service: &ActivityTracking, shutdown: &CancellationToken) -> Result<(), ServiceError> {
    while !shutdown.is_cancelled() {
        match service.begin().await {
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

pub(crate) struct AccessFollower {
    pub service: ActivityTracking,
}

impl Follow for AccessFollower {
    type Message = wire::WatchAccessResponse;

    fn feed(&self) -> Feed {
        Feed::Access
    }

    fn database(&self) -> &Database {
        &self.service.database
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
        Ok(AccessFeedServiceClient::new(self.service.access.clone())
            .max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
            .watch_access(request)
            .await?
            .into_inner())
    }

    async fn apply(&self, message: Self::Message) -> Result<Cursor, ServiceError> {
        let wire::WatchAccessResponse { changes, caught_up, .. } = message;
        let service = &self.service;
        let transaction = service.database.begin_write().await?;
        let mut cursor = lock_cursor(&*transaction, Feed::Access).await?;
        let changes = cursor.advance(changes, caught_up, service.clock.now())?;
        if changes.is_empty() && !caught_up {
            return Ok(cursor);
        }
        let is_news = !changes.is_empty();
        service.incorporate(&transaction, changes).await?;
        if caught_up && rejudging::first_id(&*transaction).await?.is_none() {
            service.mend_provisional(&*transaction, cursor.position).await?;
        }
        store_cursor(&*transaction, &cursor).await?;
        transaction.commit().await?;
        service.publish_settled().await?;
        if is_news {
            service.tell_settled();
            service.work_waits.notify_one();
        }
        Ok(cursor)
    }

    async fn observe(&self) -> Result<(), ServiceError> {
        self.service.publish_settled().await
    }
}

impl Rebuild for AccessFollower {
    type Migrator = Migrator;

    fn in_database(&self, database: Database) -> Self {
        let nowhere = || Watermarks::new(&[Feed::Access]);
        // Nobody waits for what becomes known there.
        let service = ActivityTracking {
            database,
            copied: nowhere(),
            settled: nowhere(),
            histories: Arc::default(),
            work_waits: Arc::default(),
            news: watch::Sender::default(),
            ..self.service.clone()
        };
        Self { service }
    }

    /// What was done is of this service alone and stays; it is judged again by the new copy.
    async fn put_in_place(&self, shadow: &Database, transaction: &WriteTransaction) -> Result<(), ServiceError> {
        let transaction = &**transaction;
        for (address, pseudonym) in access_log::replace_copy(shadow.connection(), transaction).await? {
            activity::replace_address(transaction, &address, &pseudonym).await?;
            voiding::replace_address(transaction, &address, &pseudonym).await?;
        }
        Ok(self.service.enqueue_everything(transaction).await?)
    }
}

impl ActivityTracking {
    async fn begin(&self) -> Result<(), ServiceError> {
        // The copy is as good as it was when it was stored, also while its activities are judged by another policy.
        self.publish_settled().await?;
        self.adopt_policy().await?;
        self.work_waits.notify_one();
        Ok(())
    }

    /// Takes changes over into the copy, judges again what they concern and settles what that touches, as far as it is
    /// little; the rest is put into the queue.
    async fn incorporate(
        &self,
        transaction: &WriteTransaction,
        changes: Vec<wire::AccessChange>,
    ) -> Result<(), ServiceError> {
        if changes.is_empty() {
            return Ok(());
        }
        let changes = access_log::take_over(&**transaction, changes).await?;
        for (address, pseudonym) in access_log::follow_erasures(&**transaction, &changes).await? {
            activity::replace_address(&**transaction, &address, &pseudonym).await?;
            voiding::replace_address(&**transaction, &address, &pseudonym).await?;
        }
        let consequences = Consequences::of(&**transaction, &changes).await?;
        let first_position = changes.first().map(|change| change.position).unwrap_or_default();
        let tasks = consequences.tasks(first_position, self.clock.now());
        let mut touched = consequences.endings;
        let left = self.advance_all(&**transaction, tasks, &mut touched).await?;
        rejudging::append(&**transaction, &left).await?;
        settle(&**transaction, &self.policy, &touched, &ClientHistories::new(), self.clock.now()).await?;
        Ok(())
    }

    /// Tells the watch streams of this process about a new head.
    pub(crate) fn tell(&self, head: Option<&Head>) {
        if let Some(head) = head {
            self.news.send_replace(head.position);
        }
    }

    /// Tells them that there may be a new head, and that more of access is settled: they tell up to where it is.
    pub(crate) fn tell_settled(&self) {
        self.news.send_modify(|_| {});
    }
}
