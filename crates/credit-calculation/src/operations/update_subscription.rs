//! What a client pays changes from an instant on; what was before stays as it was (R79).

use contracts::{Failure, Revision, SubscriptionName};
use domain::credit::{SubscriptionChange, SubscriptionHistory, SubscriptionId, SubscriptionUpdate};
use domain::money::Money;
use domain::time::Instant;
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
        let asked_time = statement.effective_time.unwrap_or(recording.now);
        let update = history
            .admit_update(&name.subscription, asked_time, mrr, recording.now)
            .map_err(|refusal| Failure::from(&refusal))?;
        // What is stated for an instant of its own is kept, also where it changes nothing yet: what arrives later and is
        // effective before must not speak in its place.
        let is_repeat = statement.effective_time.is_none_or(|time| is_recorded(&history, &name.subscription, time));
        let unchanged = update == SubscriptionUpdate::Unchanged && is_repeat;
        let effective_time = if unchanged {
            since_when(&history, &name.subscription, asked_time)
        } else {
            recording.record(name.client, name.subscription.clone(), asked_time, mrr).await?;
            asked_time
        };
        let recorded = RecordedSubscription { name, mrr, effective_time };
        Ok((recorded, recording.commit().await?, unchanged))
    }
}

/// Whether anything was recorded of a subscription for this very instant.
fn is_recorded(history: &SubscriptionHistory, subscription: &SubscriptionId, at: Instant) -> bool {
    history.changes().iter().any(|change| change.subscription == *subscription && change.effective_time == at)
}

/// Since when a subscription has cost what it costs at an instant.
fn since_when(history: &SubscriptionHistory, subscription: &SubscriptionId, at: Instant) -> Instant {
    let is_in_force =
        |change: &&SubscriptionChange| change.subscription == *subscription && change.effective_time <= at;
    history.changes().iter().rfind(is_in_force).map_or(at, |change| change.effective_time)
}
