//! What a client pays, subscription by subscription.

use contracts::SubscriptionName;
use domain::access::HubId;
use domain::credit::Mrr;
use service_kit::ServiceError;

use super::reading::{Basis, Question};
use super::recording::RecordedSubscription;
use crate::CreditCalculation;
use crate::store::subscriptions;

/// The subscriptions of a client as of an instant.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// By id.
    pub subscriptions: Vec<RecordedSubscription>,
    /// What they cost together.
    pub mrr: Mrr,
    pub basis: Basis,
}

impl CreditCalculation {
    pub(crate) async fn list_subscriptions(
        &self,
        client: HubId,
        question: Question,
    ) -> Result<Subscriptions, ServiceError> {
        let Question { as_of, at_least, deadline, .. } = question;
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        let history = subscriptions::history(&*transaction, client).await?;
        let in_force = history.in_force_at(basis.as_of).into_iter().map(|(id, change)| RecordedSubscription {
            name: SubscriptionName { client, subscription: id.clone() },
            mrr: change.mrr,
            effective_time: change.effective_time,
            version: history.last_position(id).unwrap_or(change.position),
        });
        Ok(Subscriptions { subscriptions: in_force.collect(), mrr: history.mrr_at(basis.as_of), basis })
    }
}
