//! What was done last in the clients of a page, and by whom (R124).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::required_instant;
use contracts::wire::activity as wire;
use domain::access::{AccessHistory, EmailAddress, HubId};
use domain::credit::RELATIONSHIP_MINIMUM;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use super::breakdown::{LastActivity, RowFacts};
use crate::CreditCalculation;
use crate::evidence::{Deadline, EvidenceSource};

/// How long activity-tracking is waited for where the answer can do without it.
const DETAIL_LIMIT: Duration = Duration::from_secs(2);

impl CreditCalculation {
    /// Adds to these rows what was done last. Where activity-tracking cannot be asked they stay without it: nothing else of
    /// them depends on it.
    pub(super) async fn with_last_activities(
        &self,
        rows: Vec<RowFacts>,
        source: &EvidenceSource<'_>,
    ) -> Result<Vec<RowFacts>, ServiceError> {
        let worked_in: Vec<HubId> =
            rows.iter().filter(|row| row.has_activity(source.as_of)).map(|row| row.client()).collect();
        let source = EvidenceSource { deadline: source.deadline.min(Deadline::now() + DETAIL_LIMIT), ..source.clone() };
        let Ok(servicings) = source.servicings(&worked_in, RELATIONSHIP_MINIMUM).await else { return Ok(rows) };
        let history = self.employees_of(&servicings).await?;
        let mut last: BTreeMap<HubId, LastActivity> = BTreeMap::new();
        for (client, servicing) in worked_in.into_iter().zip(&servicings) {
            if let Some(judged) = &servicing.last_activity {
                last.extend(last_activity(judged, source.partner, &history)?.map(|activity| (client, activity)));
            }
        }
        let complete = rows.into_iter().map(|row| {
            let last = last.remove(&row.client());
            row.with_last_activity(last)
        });
        Ok(complete.collect())
    }

    async fn employees_of(&self, servicings: &[wire::Servicing]) -> Result<AccessHistory, ServiceError> {
        let activities = servicings.iter().filter_map(|servicing| servicing.last_activity.as_ref()?.activity.as_ref());
        let addresses: BTreeSet<EmailAddress> =
            activities.filter_map(|activity| activity.email_address.parse().ok()).collect();
        access_log::history(self.database.connection(), &[Question::EmployeesAt(&addresses)]).await
    }
}

/// An activity in few words; nothing where the policy does not know what it was.
pub(super) fn last_activity(
    judged: &wire::JudgedActivity,
    partner: HubId,
    history: &AccessHistory,
) -> Result<Option<LastActivity>, ServiceError> {
    let Some(activity) = &judged.activity else { return Ok(None) };
    let action = judged.verdict.as_ref().and_then(|verdict| verdict.catalogue_action.as_ref());
    let Some(action) = action else { return Ok(None) };
    let address: Option<EmailAddress> = activity.email_address.parse().ok();
    let person = address.and_then(|address| {
        let of_partner = history.employees(&address).filter(|spell| spell.partner == partner);
        of_partner.last().map(|spell| spell.display_name.clone())
    });
    Ok(Some(LastActivity {
        occur_time: required_instant("occur_time", activity.occur_time.as_ref())?,
        tool: action.tool.clone(),
        action: action.action.clone(),
        person,
    }))
}
