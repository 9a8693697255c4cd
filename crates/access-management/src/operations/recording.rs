//! A transaction that appends to the access log.

use contracts::{Failure, Revision};
use domain::access::{AccessChange, AccessFact, AccessHistory, Actor};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::feed::{Head, lock_head, store_head};
use service_kit::{ServiceError, Statement, WriteTransaction};

use crate::AccessManagement;

/// An open transaction that holds the end of the log, so that what it has loaded cannot change before it commits.
///
/// The feed's head is locked first, not last: writes of access queue anyway for their positions, they are few, and two
/// people who act at once then simply act one after the other.
pub(super) struct Recording<'service> {
    service: &'service AccessManagement,
    transaction: WriteTransaction,
    head: Head,
    actor: Actor,
    /// When the change takes effect.
    pub effective_time: Instant,
    now: Instant,
}

impl<'service> Recording<'service> {
    pub async fn begin(service: &'service AccessManagement, statement: Statement) -> Result<Self, ServiceError> {
        let transaction = service.database.begin_write().await?;
        let head = lock_head(&*transaction, access_log::FEED).await?;
        let now = access_log::present_instant(&*transaction, service.clock.now()).await?;
        let effective_time = statement.effective_time.unwrap_or(now);
        Ok(Self { service, transaction, head, actor: statement.actor, effective_time, now })
    }

    pub fn transaction(&self) -> &WriteTransaction {
        &self.transaction
    }

    pub fn policy(&self) -> &Policy {
        &self.service.policy
    }

    pub async fn history(&self, questions: &[Question<'_>]) -> Result<AccessHistory, ServiceError> {
        access_log::history(&**self.transaction(), questions).await
    }

    /// Appends the fact if the history admits it.
    pub async fn record(&mut self, history: &AccessHistory, fact: AccessFact) -> Result<AccessChange, ServiceError> {
        history
            .admit(&fact, self.effective_time, self.now, self.policy())
            .map_err(|refusal| Failure::from(&refusal))?;
        let change =
            access_log::append(&*self.transaction, &mut self.head, fact, self.effective_time, self.now, &self.actor);
        Ok(change.await?)
    }

    /// Commits, and tells the watch streams.
    pub async fn commit(self) -> Result<Revision, ServiceError> {
        store_head(&*self.transaction, &self.head).await?;
        self.transaction.commit().await?;
        self.service.news.send_replace(self.head.position);
        Ok(self.head.revision())
    }
}
