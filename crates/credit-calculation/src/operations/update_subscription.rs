//! What a client pays changes from an instant on; what was before stays as it was (R79).

use contracts::wire::credit as wire;
use contracts::{Failure, SubscriptionName};
use domain::credit::SubscriptionUpdate;
use domain::money::Money;
use service_kit::{ServiceError, Statement, require_etag};

use super::recording::{Begun, RecordedSubscription, Recording};
use crate::CreditCalculation;

pub(crate) struct ChangedSubscription {
    pub name: SubscriptionName,
    pub mrr: Money,
    /// What the caller has read; empty is not compared.
    pub etag: String,
}

impl CreditCalculation {
    pub(crate) async fn update_subscription(
        &self,
        changed: ChangedSubscription,
        statement: Statement,
    ) -> Result<wire::UpdateSubscriptionResponse, ServiceError> {
        let ChangedSubscription { name, mrr, etag } = changed;
        let stated_time = statement.effective_time;
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let history = recording.history(name.client).await?;
        let version = history.last_position(&name.subscription);
        if let Some(version) = version {
            require_etag(&etag, &version.to_string())?;
        }
        let update = history
            .admit_update(&name.subscription, stated_time, mrr, recording.now)
            .map_err(|refusal| Failure::from(&refusal))?;
        let (effective_time, version) = match update {
            SubscriptionUpdate::Repeats { since } => (since, version.unwrap_or_default()),
            SubscriptionUpdate::Records => {
                let effective_time = stated_time.unwrap_or(recording.now);
                let version = recording.record(name.client, name.subscription.clone(), effective_time, mrr).await?;
                (effective_time, version)
            }
        };
        let unchanged = update != SubscriptionUpdate::Records;
        let subscription = Some((&RecordedSubscription { name, mrr, effective_time, version }).into());
        let revision = recording.revision().to_string();
        recording.commit(wire::UpdateSubscriptionResponse { subscription, revision, unchanged }).await
    }
}
