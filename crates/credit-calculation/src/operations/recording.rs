//! A transaction that appends to this service's own facts.

use contracts::{Feed, Revision, SubscriptionName};
use domain::access::{Actor, HubId};
use domain::credit::{SubscriptionChange, SubscriptionHistory, SubscriptionId};
use domain::money::Money;
use domain::time::Instant;
use prost::Message;
use service_kit::feed::{Head, lock_head, store_head};
use service_kit::request_log::{self, RequestKey};
use service_kit::{ServiceError, Statement, WriteTransaction, stored_position};

use crate::CreditCalculation;
use crate::store::own_facts::{self, Recorded, Row};
use crate::store::subscriptions;

/// A subscription as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct RecordedSubscription {
    pub name: SubscriptionName,
    pub mrr: Money,
    /// Since when the MRR is this.
    pub effective_time: Instant,
    /// The position of its last change.
    pub version: u64,
}

/// What a write begins with.
pub(super) enum Begun<A> {
    /// It is new.
    New(Recording),
    /// It is the repeat of one that was answered before.
    Repeated(A),
}

/// An open transaction that holds the end of the log, so that what it has loaded cannot change before it commits.
///
/// The head is locked first, not last: whether a subscription fits depends on the client's others, and changes are few.
pub(super) struct Recording {
    transaction: WriteTransaction,
    head: Head,
    actor: Actor,
    request: Option<RequestKey>,
    /// The present; never before the last change, so that a clock that steps back does not reorder changes.
    pub now: Instant,
}

impl Recording {
    pub async fn begin<A: Message + Default>(
        service: &CreditCalculation,
        statement: Statement,
    ) -> Result<Begun<A>, ServiceError> {
        let Statement { actor, on_behalf_of, request, .. } = statement;
        // Whoever decided, where the platform says so.
        let actor = on_behalf_of.map_or(actor, Actor::Person);
        let transaction = service.database.begin_write().await?;
        let head = lock_head(&*transaction, Feed::Credit).await?;
        if let Some(answer) = request_log::first_answer(&*transaction, request.as_ref()).await? {
            return Ok(Begun::Repeated(answer));
        }
        let last = own_facts::last_record_time(&*transaction).await?;
        let now = service.clock.now().max(last.unwrap_or(Instant::MIN_UTC));
        Ok(Begun::New(Self { transaction, head, actor, request, now }))
    }

    pub async fn history(&self, client: HubId) -> Result<SubscriptionHistory, ServiceError> {
        subscriptions::history(&*self.transaction, client).await
    }

    /// Appends a change that was admitted; answers its position.
    pub async fn record(
        &mut self,
        client: HubId,
        subscription: SubscriptionId,
        effective_time: Instant,
        mrr: Money,
    ) -> Result<u64, ServiceError> {
        let position = self.head.next_position();
        let change = SubscriptionChange { subscription, position, effective_time, mrr };
        subscriptions::append(&*self.transaction, &mut self.head, client, &change, self.now, &self.actor).await?;
        Ok(position)
    }

    /// Where and by whom the next fact is recorded.
    pub fn next(&self) -> Recorded<'_> {
        Recorded { position: stored_position(self.head.next_position()), time: self.now, actor: &self.actor }
    }

    /// Takes a fact into the log, whose row has the place that [`Self::next`] said; answers the transaction to insert it in.
    pub fn append(&mut self, row: &impl Row) -> &WriteTransaction {
        self.head.advance(&row.own_fact().hashed);
        &self.transaction
    }

    /// The transaction, for what is read in it.
    pub const fn transaction(&self) -> &WriteTransaction {
        &self.transaction
    }

    /// The revision that contains everything that was recorded so far.
    pub const fn revision(&self) -> Revision {
        self.head.revision()
    }

    /// Commits with the answer, which a repeat of the request will be given too.
    pub async fn commit<A: Message>(self, answer: A) -> Result<A, ServiceError> {
        store_head(&*self.transaction, &self.head).await?;
        request_log::remember(&*self.transaction, self.request.as_ref(), &answer, self.now).await?;
        self.transaction.commit().await?;
        Ok(answer)
    }
}
