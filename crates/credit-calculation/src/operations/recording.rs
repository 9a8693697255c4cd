//! A transaction that appends to the subscriptions.

use contracts::{Feed, Revision, SubscriptionName};
use domain::access::{Actor, HubId};
use domain::credit::{SubscriptionChange, SubscriptionHistory, SubscriptionId};
use domain::money::Money;
use domain::time::Instant;
use service_kit::feed::{Head, lock_head, store_head};
use service_kit::{ServiceError, WriteTransaction};

use crate::CreditCalculation;
use crate::store::subscriptions;

/// A subscription as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct RecordedSubscription {
    pub name: SubscriptionName,
    pub mrr: Money,
    /// Since when the MRR is this.
    pub effective_time: Instant,
}

/// An open transaction that holds the end of the log, so that what it has loaded cannot change before it commits.
///
/// The head is locked first, not last: whether a subscription fits depends on the client's others, and changes are few.
pub(super) struct Recording {
    transaction: WriteTransaction,
    head: Head,
    actor: Actor,
    /// The present; never before the last change, so that a clock that steps back does not reorder changes.
    pub now: Instant,
}

impl Recording {
    pub async fn begin(service: &CreditCalculation, actor: Actor) -> Result<Self, ServiceError> {
        let transaction = service.database.begin_write().await?;
        let head = lock_head(&*transaction, Feed::Credit).await?;
        let last = subscriptions::last_record_time(&*transaction).await?;
        let now = service.clock.now().max(last.unwrap_or(Instant::MIN_UTC));
        Ok(Self { transaction, head, actor, now })
    }

    pub async fn history(&self, client: HubId) -> Result<SubscriptionHistory, ServiceError> {
        subscriptions::history(&*self.transaction, client).await
    }

    /// Appends a change that was admitted.
    pub async fn record(
        &mut self,
        client: HubId,
        subscription: SubscriptionId,
        effective_time: Instant,
        mrr: Money,
    ) -> Result<(), ServiceError> {
        let change = SubscriptionChange { subscription, position: self.head.next_position(), effective_time, mrr };
        subscriptions::append(&*self.transaction, &mut self.head, client, &change, self.now, &self.actor).await?;
        Ok(())
    }

    pub async fn commit(self) -> Result<Revision, ServiceError> {
        store_head(&*self.transaction, &self.head).await?;
        self.transaction.commit().await?;
        Ok(self.head.revision())
    }
}
