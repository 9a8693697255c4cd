//! One activity, its verdict, and what would have made it count.

use std::collections::BTreeSet;

use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, Failure};
use domain::access::Actor;
use domain::activity::{Remedy, Verdict, outlook};
use service_kit::ServiceError;

use super::history_for;
use super::read::{Answer, Moment, Reading};
use super::told::Told;
use crate::ActivityTracking;
use crate::store::activity::Recorded;

/// Which activity is asked about.
pub(crate) struct ActivityQuestion {
    pub name: ActivityName,
    pub moment: Moment,
}

/// An activity.
#[derive(Debug)]
pub(crate) struct ActivityAnswer {
    pub told: Told,
    /// Every step that was missing; none where it counts or is voided.
    pub remedies: Vec<Remedy>,
}

impl ActivityTracking {
    pub(crate) async fn get_activity(
        &self,
        question: ActivityQuestion,
    ) -> Result<Answer<ActivityAnswer>, ServiceError> {
        let ActivityQuestion { name, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        let found = reading.recorded(&BTreeSet::from([name.clone()])).await?.remove(&name);
        let recorded = found.ok_or_else(|| unknown_activity(&name))?;
        self.require_sight(&reading, &moment.actor, &recorded).await?;
        let remedies = self.remedies(&reading, &recorded).await?;
        let partner = recorded.judgement.attribution.map(|found| found.partner);
        let told = reading.told(vec![recorded], &moment.actor, partner).await?.pop();
        let told = told.ok_or_else(|| unknown_activity(&name))?;
        Ok(reading.answer(ActivityAnswer { told, remedies }))
    }

    /// For whom may not read the credit of the partner whose activity it is, it does not exist (R127).
    async fn require_sight(&self, reading: &Reading, actor: &Actor, recorded: &Recorded) -> Result<(), ServiceError> {
        if *actor == Actor::Platform {
            return Ok(());
        }
        let hidden = || unknown_activity(&recorded.name());
        let partner = recorded.judgement.attribution.ok_or_else(hidden)?.partner;
        let judged = self.require_partner(reading, actor, partner).await;
        judged.map_err(|error| if matches!(error, ServiceError::Refused(_)) { hidden().into() } else { error })
    }

    async fn remedies(&self, reading: &Reading, recorded: &Recorded) -> Result<Vec<Remedy>, ServiceError> {
        let Recorded { activity, judgement, .. } = recorded;
        if !matches!(judgement.verdict, Verdict::NotCounted(_)) {
            return Ok(Vec::new());
        }
        let history = history_for(&*reading.transaction, std::iter::once(activity)).await?;
        let outlook = outlook(activity, &history, &self.policy);
        // While it waits to be judged again, the steps may be those of somebody else.
        Ok(if outlook.judgement == *judgement { outlook.remedies } else { Vec::new() })
    }
}

/// What is said of an activity that does not exist for the actor, whether or not it exists.
pub(super) fn unknown_activity(name: &ActivityName) -> Failure {
    Failure::new(ErrorReason::UnknownActivity, format!("{name} is not known"))
}
