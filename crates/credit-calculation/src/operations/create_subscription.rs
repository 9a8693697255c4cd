//! What a client pays becomes known; the client itself need not be known yet (R79).

use contracts::wire::credit as wire;
use contracts::{Failure, SubscriptionName};
use domain::money::Money;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, RecordedSubscription, Recording};
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
    ) -> Result<wire::CreateSubscriptionResponse, ServiceError> {
        let NewSubscription { name, mrr } = new;
        let stated_time = statement.effective_time;
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let history = recording.history(name.client).await?;
        // A repeat that states no time does not differ in it.
        let created = history.changes().iter().find(|change| change.subscription == name.subscription);
        let presumed = created.map_or(recording.now, |created| created.effective_time);
        let effective_time = stated_time.unwrap_or(presumed);
        history
            .admit_creation(&name.subscription, effective_time, mrr, recording.now)
            .map_err(|refusal| Failure::from(&refusal))?;
        let version = recording.record(name.client, name.subscription.clone(), effective_time, mrr).await?;
        let recorded = RecordedSubscription { name, mrr, effective_time, version };
        let revision = recording.revision().to_string();
        recording.commit(wire::CreateSubscriptionResponse { subscription: Some((&recorded).into()), revision }).await
    }
}
