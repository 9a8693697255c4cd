//! Whoever was linked before a call counts in it: the copy is brought to access-management's present before judging.

use std::time::Duration;

use contracts::wire::access::GetHeadRevisionRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::{Feed, Revision};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::time::{Instant, timeout};
use tonic::{Request, Status};

use crate::ActivityTracking;
use crate::store::activity;

/// The longest that access-management is given to tell its newest revision.
const ASKING_LIMIT: Duration = Duration::from_secs(1);

impl ActivityTracking {
    /// Waits until the copy has all that access-management knows now. False where it is away or the limit passes: what
    /// is judged then is provisional.
    pub(super) async fn is_fresh_within(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let Some(head) = self.access_head(limit.min(ASKING_LIMIT)).await else { return false };
        let left = end.saturating_duration_since(Instant::now());
        self.copied.wait_for(&[head], None, left).await.is_ok()
    }

    /// Takes the mark from provisional verdicts once the copy has all that access-management knew after they were
    /// recorded: each has been judged by the copy of its moment, and again by every change since.
    ///
    /// The transaction holds the cursor, so that nothing is recorded between the question and the answer; that is why
    /// it is asked in here, and only where there is a mark, and briefly.
    pub(crate) async fn mend_provisional<C: ConnectionTrait>(
        &self,
        transaction: &C,
        position: u64,
    ) -> Result<(), DbErr> {
        if !activity::has_provisional(transaction).await? {
            return Ok(());
        }
        let head = self.access_head(ASKING_LIMIT).await;
        if head.is_some_and(|head| position >= head.position) {
            activity::clear_provisional(transaction).await?;
        }
        Ok(())
    }

    async fn access_head(&self, limit: Duration) -> Option<Revision> {
        match timeout(limit, self.ask_access_head(limit)).await {
            Ok(Ok(revision)) => Some(revision),
            Ok(Err(status)) => {
                tracing::info!(%status, "access-management cannot be asked for its newest revision");
                None
            }
            Err(_) => {
                tracing::info!("access-management did not tell its newest revision in time");
                None
            }
        }
    }

    async fn ask_access_head(&self, limit: Duration) -> Result<Revision, Status> {
        let mut request = Request::new(GetHeadRevisionRequest {});
        request.set_timeout(limit);
        let answer = AccessFeedServiceClient::new(self.access.clone()).get_head_revision(request).await?;
        let revision: Revision =
            answer.into_inner().revision.parse().map_err(|problem| Status::internal(format!("{problem}")))?;
        if revision.feed == Feed::Access {
            Ok(revision)
        } else {
            Err(Status::internal(format!("{revision} is not a revision of the access feed")))
        }
    }
}
