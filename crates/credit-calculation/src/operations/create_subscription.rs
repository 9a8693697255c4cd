//! What a client pays becomes known; the client itself need not be known yet (R79).

use contracts::{Failure, Revision, SubscriptionName};
use domain::money::Money;
use service_kit::{ServiceError, Statement};

use super::recording::{RecordedSubscription, Recording};
use crate::CreditCalculation;

pub(crate) struct NewSubscription {
    pub name: SubscriptionName,
    pub mrr: Money,
}

impl CreditCalculation {
    pub(crate) async fn create_subscription(
        &self,
        new: NewSubscription,
        statement: Statement,
    ) -> Result<(RecordedSubscription, Revision), ServiceError> {
        let NewSubscription { name, mrr } = new;
        let mut recording = Recording::begin(self, statement.actor).await?;
        let history = recording.history(name.client).await?;
        // A repeat that states no time does not differ in it.
        let created = history.changes().iter().find(|change| change.subscription == name.subscription);
        let presumed = created.map_or(recording.now, |created| created.effective_time);
        let effective_time = statement.effective_time.unwrap_or(presumed);
        history
            .admit_creation(&name.subscription, effective_time, mrr, recording.now)
            .map_err(|refusal| Failure::from(&refusal))?;
        recording.record(name.client, name.subscription.clone(), effective_time, mrr).await?;
        Ok((RecordedSubscription { name, mrr, effective_time }, recording.commit().await?))
    }
}
