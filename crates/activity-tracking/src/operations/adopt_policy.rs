//! A policy that judges otherwise than the one before: everything is judged again, once.

use contracts::Feed;
use service_kit::ServiceError;
use service_kit::feed::lock_cursor;
use tokio_util::sync::CancellationToken;

use super::judge_again::judge_page;
use super::settle;
use crate::ActivityTracking;
use crate::store::activity::{self, Scope};
use crate::store::{BEGINNING, Touched, judged_policy, pair};

impl ActivityTracking {
    /// Makes everything that is stored what the present policy says of it, in transactions of bounded size.
    ///
    /// What is recorded meanwhile is judged by the present policy too, so that both give the same in the end; until then
    /// periods may rest on both. The digest is stored last: interrupted, all of it is done again at the next start.
    pub(crate) async fn adopt_policy(&self, shutdown: &CancellationToken) -> Result<(), ServiceError> {
        let digest = self.policy.activity_digest();
        match judged_policy::activity_digest(self.database.connection()).await? {
            Some(adopted) if adopted == digest => return Ok(()),
            Some(_) => tracing::info!(version = self.policy.version(), "judging everything again by this policy"),
            // The first start: there is nothing, or what was recorded before it was ever finished.
            None => {}
        }
        self.judge_everything_again(shutdown).await?;
        self.settle_everything(shutdown).await?;
        if shutdown.is_cancelled() {
            return Ok(());
        }
        let transaction = self.database.begin_write().await?;
        judged_policy::store_activity_digest(&*transaction, digest).await?;
        transaction.commit().await?;
        tracing::info!(version = self.policy.version(), "everything here is judged by this policy");
        Ok(())
    }

    async fn judge_everything_again(&self, shutdown: &CancellationToken) -> Result<(), ServiceError> {
        let mut last = None;
        while !shutdown.is_cancelled() {
            let transaction = self.database.begin_write().await?;
            lock_cursor(&*transaction, Feed::Access).await?;
            let page = activity::page(&*transaction, &Scope::Everything, BEGINNING, last.as_ref()).await?;
            last = page.last().cloned();
            if last.is_none() {
                break;
            }
            let mut touched = Touched::default();
            judge_page(&*transaction, &self.policy, page, &mut touched).await?;
            let head = settle(&*transaction, &self.policy, &touched, self.clock.now()).await?;
            transaction.commit().await?;
            self.tell(head.as_ref());
        }
        Ok(())
    }

    async fn settle_everything(&self, shutdown: &CancellationToken) -> Result<(), ServiceError> {
        let mut last = None;
        while !shutdown.is_cancelled() {
            let transaction = self.database.begin_write().await?;
            lock_cursor(&*transaction, Feed::Access).await?;
            let page = pair::page(&*transaction, last).await?;
            last = page.last().copied();
            if last.is_none() {
                break;
            }
            let mut touched = Touched::default();
            for pair in page {
                touched.touch(pair, BEGINNING);
            }
            let head = settle(&*transaction, &self.policy, &touched, self.clock.now()).await?;
            transaction.commit().await?;
            self.tell(head.as_ref());
        }
        Ok(())
    }
}
