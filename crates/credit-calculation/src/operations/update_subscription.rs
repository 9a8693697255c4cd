//! What a client pays changes from an instant on; what was before stays as it was (R79).

use contracts::{Failure, Revision, SubscriptionName};
use domain::credit::SubscriptionUpdate;
use domain::money::Money;
use service_kit::{ServiceError, Statement};

use super::recording::{RecordedSubscription, Recording};
use crate::CreditCalculation;

pub(crate) struct ChangedSubscription {
    pub name: SubscriptionName,
    pub mrr: Money,
}

impl CreditCalculation {
    /// Also says whether nothing was recorded.
    pub(crate) async fn update_subscription(
        &self,
        changed: ChangedSubscription,
        statement: Statement,
    ) -> Result<(RecordedSubscription, Revision, bool), ServiceError> {
        let ChangedSubscription { name, mrr } = changed;
        let mut recording = Recording::begin(self, statement.actor).await?;
        let history = recording.history(name.client).await?;
        let update = history
            .admit_update(&name.subscription, statement.effective_time, mrr, recording.now)
            .map_err(|refusal| Failure::from(&refusal))?;
        let effective_time = match update {
            SubscriptionUpdate::Repeats { since } => since,
            SubscriptionUpdate::Records => {
                let effective_time = statement.effective_time.unwrap_or(recording.now);
                recording.record(name.client, name.subscription.clone(), effective_time, mrr).await?;
                effective_time
            }
        };
        let unchanged = update != SubscriptionUpdate::Records;
        let recorded = RecordedSubscription { name, mrr, effective_time };
        Ok((recorded, recording.commit().await?, unchanged))
    }
}
