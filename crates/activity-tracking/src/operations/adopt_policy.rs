//! A policy that judges otherwise than the one before: everything is judged again, once.

use contracts::Feed;
use service_kit::ServiceError;
use service_kit::feed::lock_cursor;

use crate::ActivityTracking;
use crate::store::judged_policy;

impl ActivityTracking {
    /// Has everything that is stored judged by the present policy, where another judged it.
    ///
    /// What is recorded meanwhile is judged by the present policy too, so that both give the same in the end; until then
    /// periods may rest on both.
    pub(crate) async fn adopt_policy(&self) -> Result<(), ServiceError> {
        let digest = self.policy.activity_digest();
        let transaction = self.database.begin_write().await?;
        lock_cursor(&*transaction, Feed::Access).await?;
        let adopted = judged_policy::activity_digest(&*transaction).await?;
        if adopted.as_deref() == Some(digest) {
            return Ok(());
        }
        // At the first start there may be something too: what was recorded before it got here.
        self.enqueue_everything(&*transaction).await?;
        judged_policy::store_activity_digest(&*transaction, digest).await?;
        transaction.commit().await?;
        if adopted.is_some() {
            tracing::info!(version = self.policy.version(), "judging everything again by this policy");
        }
        Ok(())
    }
}
