//! Whoever was linked before a call counts in it: the copy is brought to access-management's present before judging.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::wire::access::GetHeadRevisionRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::{Feed, Revision};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::time::{Instant, timeout};
use tonic::{Request, Status};

use crate::ActivityTracking;
use crate::store::activity;

/// The longest that access-management is given to tell its newest revision.
const ASKING_LIMIT: Duration = Duration::from_secs(1);

/// A question that many ask at the same time: one is under way, and whoever comes meanwhile waits for the next one
/// together, since the answer to a question that was asked before may not know what the caller knows.
#[derive(Debug, Default)]
pub(crate) struct AccessHead {
    next: Arc<Mutex<Option<Asked>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

type Asked = Shared<BoxFuture<'static, Option<Revision>>>;

impl AccessHead {
    /// The next question, which has not begun.
    fn next(&self, ask: impl FnOnce() -> BoxFuture<'static, Option<Revision>>) -> Asked {
        let mut waiting = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let question = waiting.get_or_insert_with(|| {
            let (next, turn, asked) = (Arc::clone(&self.next), Arc::clone(&self.turn), ask());
            let in_turn = async move {
                let _turn = turn.lock().await;
                // Whoever comes from here on is too late for this one.
                next.lock().unwrap_or_else(PoisonError::into_inner).take();
                asked.await
            };
            in_turn.boxed().shared()
        });
        question.clone()
    }
}

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

    /// Access-management's newest revision, which is asked for after this was called.
    async fn access_head(&self, limit: Duration) -> Option<Revision> {
        let asked = self.access_head.next(|| {
            let service = self.clone();
            async move { service.answered_access_head().await }.boxed()
        });
        timeout(limit, asked).await.unwrap_or_default()
    }

    async fn answered_access_head(&self) -> Option<Revision> {
        match timeout(ASKING_LIMIT, self.ask_access_head(ASKING_LIMIT)).await {
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
