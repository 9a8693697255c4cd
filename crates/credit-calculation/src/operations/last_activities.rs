//! What was done last in the clients of a page, and by whom (R124).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::required_instant;
use contracts::wire::activity as wire;
use domain::access::{AccessHistory, EmailAddress, HubId};
use domain::credit::RELATIONSHIP_MINIMUM;
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use super::breakdown::{LastActivity, RowFacts};
use crate::CreditCalculation;
use crate::evidence::{Deadline, EvidenceSource};

/// How long activity-tracking is waited for where the answer can do without it.
const DETAIL_LIMIT: Duration = Duration::from_secs(2);

/// What was done last of all in a client by a partner's people, as activity-tracking said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedLast {
    occur_time: Instant,
    tool: String,
    action: String,
    /// Whose it is; absent where the record names nobody.
    address: Option<EmailAddress>,
}

impl RecordedLast {
    /// Nothing where the policy does not know what it was.
    fn read(judged: &wire::JudgedActivity) -> Result<Option<Self>, ServiceError> {
        let Some(activity) = &judged.activity else { return Ok(None) };
        let action = judged.verdict.as_ref().and_then(|verdict| verdict.catalogue_action.as_ref());
        let Some(action) = action else { return Ok(None) };
        Ok(Some(Self {
            occur_time: required_instant("occur_time", activity.occur_time.as_ref())?,
            tool: action.tool.clone(),
            action: action.action.clone(),
            address: activity.email_address.parse().ok(),
        }))
    }

    fn told(&self, name_of: impl FnOnce(&EmailAddress) -> Option<String>) -> LastActivity {
        LastActivity {
            occur_time: self.occur_time,
            tool: self.tool.clone(),
            action: self.action.clone(),
            person: self.address.as_ref().and_then(name_of),
        }
    }
}

impl CreditCalculation {
    /// Adds to these rows what was done last. Where activity-tracking cannot be asked, those of which it was not asked before
    /// stay without it: nothing else of them depends on it.
    pub(super) async fn with_last_activities(
        &self,
        rows: Vec<RowFacts>,
        source: &EvidenceSource<'_>,
    ) -> Result<Vec<RowFacts>, ServiceError> {
        let mut last: BTreeMap<HubId, RecordedLast> = BTreeMap::new();
        let mut unknown = Vec::new();
        for row in rows.iter().filter(|row| row.has_activity(source.as_of)) {
            match row.last_known_by(source.as_of) {
                Some(known) => last.extend(known.clone().map(|known| (row.client(), known))),
                None => unknown.push(row),
            }
        }
        self.ask_for_last(&unknown, source, &mut last).await?;
        let addresses: BTreeSet<EmailAddress> = last.values().filter_map(|last| last.address.clone()).collect();
        let names = self.names_of(source.partner, addresses).await?;
        let complete = rows.into_iter().map(|row| {
            let last = last.get(&row.client()).map(|last| last.told(|address| names.get(address).cloned().flatten()));
            row.with_last_activity(last)
        });
        Ok(complete.collect())
    }

    async fn ask_for_last(
        &self,
        rows: &[&RowFacts],
        source: &EvidenceSource<'_>,
        last: &mut BTreeMap<HubId, RecordedLast>,
    ) -> Result<(), ServiceError> {
        let clients: Vec<HubId> = rows.iter().map(|row| row.client()).collect();
        let source = EvidenceSource { deadline: source.deadline.min(Deadline::now() + DETAIL_LIMIT), ..source.clone() };
        let Ok(servicings) = source.servicings(&clients, RELATIONSHIP_MINIMUM).await else { return Ok(()) };
        for (row, servicing) in rows.iter().zip(&servicings) {
            let Some(judged) = &servicing.last_activity else { continue };
            let recorded = RecordedLast::read(judged)?;
            let occur_time = judged.activity.as_ref().and_then(|activity| activity.occur_time.as_ref());
            row.keep_last(source.as_of, required_instant("occur_time", occur_time)?, &recorded);
            last.extend(recorded.map(|recorded| (row.client(), recorded)));
        }
        Ok(())
    }

    /// What the people with these addresses are called who are or were of the partner; nothing for others.
    async fn names_of(
        &self,
        partner: HubId,
        mut addresses: BTreeSet<EmailAddress>,
    ) -> Result<BTreeMap<EmailAddress, Option<String>>, ServiceError> {
        let (mut names, version) = self.kept.state().names(partner, &addresses);
        addresses.retain(|address| !names.contains_key(address));
        if addresses.is_empty() {
            return Ok(names);
        }
        let history = access_log::history(self.database.connection(), &[Question::EmployeesAt(&addresses)]).await?;
        let read: BTreeMap<EmailAddress, Option<String>> =
            addresses.into_iter().map(|address| (address.clone(), name_of(&address, partner, &history))).collect();
        self.kept.state().keep_names(partner, version, &read);
        names.extend(read);
        Ok(names)
    }
}

fn name_of(address: &EmailAddress, partner: HubId, history: &AccessHistory) -> Option<String> {
    let of_partner = history.employees(address).filter(|spell| spell.partner == partner);
    of_partner.last().map(|spell| spell.display_name.clone())
}

/// An activity in few words; nothing where the policy does not know what it was.
pub(super) fn last_activity(
    judged: &wire::JudgedActivity,
    partner: HubId,
    history: &AccessHistory,
) -> Result<Option<LastActivity>, ServiceError> {
    Ok(RecordedLast::read(judged)?.map(|last| last.told(|address| name_of(address, partner, history))))
}
