//! What an explanation needs of the copy of the access log, and the evidence of activity-tracking as the domain reads it.

use std::collections::BTreeSet;

use contracts::wire::activity as wire;
use contracts::{EmployeeName, WireError, not_counted_reason_from_wire, required_instant};
use domain::access::{AccessHistory, Actor, EmailAddress, HubId};
use domain::credit::{ActivityFacts, CountedFacts, NotCountedFacts, PartnerView};
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::{ReadTransaction, ServiceError};

use crate::operations::{LastActivity, last_activities};

/// What [`PartnerView`] asks of the history, for a partner, client and instant.
pub(super) async fn access_history(
    transaction: &ReadTransaction,
    (partner, client, as_of): (HubId, HubId, Instant),
    evidenced: &BTreeSet<EmailAddress>,
) -> Result<AccessHistory, ServiceError> {
    let (clients, partners) = (BTreeSet::from([client]), BTreeSet::from([partner]));
    let questions = [Question::Partners(&partners), Question::EmployeesAt(evidenced)];
    let history = access_log::history_of_clients_and(&**transaction, &clients, &questions).await?;
    let view = PartnerView { history: &history, partner, client, as_of };
    let authors = authors(&history);
    let mut questions = vec![Question::EmployeesAt(&authors)];
    if view.has_former_employees(evidenced) {
        questions.push(Question::AllPartners);
    }
    let others = access_log::history(&**transaction, &questions).await?;
    Ok(AccessHistory::from_changes(history.changes().chain(others.changes()).cloned()))
}

/// Everybody who made a change, or for whom one was made: those of the partner are told by name.
fn authors(history: &AccessHistory) -> BTreeSet<EmailAddress> {
    let authors = history.changes().flat_map(|change| {
        let person = match &change.actor {
            Actor::Person(address) => Some(address),
            Actor::Platform => None,
        };
        person.into_iter().chain(&change.audit.on_behalf_of)
    });
    authors.cloned().collect()
}

/// The activities of the evidence, told by the names of the partner's people.
pub(super) fn activities(
    view: PartnerView<'_>,
    evidence: Option<&wire::GetServicingResponse>,
) -> Result<(Vec<CountedFacts>, Vec<NotCountedFacts>), WireError> {
    let Some(evidence) = evidence else { return Ok((Vec::new(), Vec::new())) };
    let counted = evidence.counted_activities.iter().map(|judged| counted(view, judged)).collect::<Result<_, _>>()?;
    // What was taken back says nothing of what is missing (R62).
    let not_counted = evidence.not_counted_activities.iter().filter(|judged| !is_voided(judged));
    let not_counted = not_counted.map(|judged| self::not_counted(view, judged)).collect::<Result<_, _>>()?;
    Ok((counted, not_counted))
}

/// What was done last, in few words.
pub(super) fn last_activity(
    partner: HubId,
    history: &AccessHistory,
    evidence: Option<&wire::GetServicingResponse>,
) -> Result<Option<LastActivity>, ServiceError> {
    let judged = evidence.and_then(|evidence| evidence.servicing.as_ref()?.last_activity.as_ref());
    judged.map_or(Ok(None), |judged| last_activities::last_activity(judged, partner, history))
}

fn counted(view: PartnerView<'_>, judged: &wire::JudgedActivity) -> Result<CountedFacts, WireError> {
    let expire_time = judged.verdict.as_ref().and_then(|verdict| verdict.expire_time.as_ref());
    Ok(CountedFacts { activity: activity(view, judged)?, expire_time: required_instant("expire_time", expire_time)? })
}

fn not_counted(view: PartnerView<'_>, judged: &wire::JudgedActivity) -> Result<NotCountedFacts, WireError> {
    let reason = judged.verdict.as_ref().and_then(|verdict| not_counted_reason_from_wire(verdict.reason()));
    let reason = reason.ok_or_else(|| WireError::new("verdict.reason", "is missing"))?;
    Ok(NotCountedFacts { activity: activity(view, judged)?, reason })
}

fn activity(view: PartnerView<'_>, judged: &wire::JudgedActivity) -> Result<ActivityFacts, WireError> {
    let activity = judged.activity.as_ref().ok_or_else(|| WireError::new("activity", "is missing"))?;
    let (tool, action) = words(judged).ok_or_else(|| WireError::new("activity.action", "is missing"))?;
    let employee: Option<EmployeeName> = judged.verdict.as_ref().and_then(|verdict| verdict.employee.parse().ok());
    let address: Option<EmailAddress> = activity.email_address.parse().ok();
    Ok(ActivityFacts {
        person: view.name_of(employee.map(|name| name.employee), address.as_ref()),
        tool,
        action,
        occur_time: required_instant("activity.occur_time", activity.occur_time.as_ref())?,
    })
}

fn is_voided(judged: &wire::JudgedActivity) -> bool {
    judged.verdict.as_ref().is_some_and(|verdict| verdict.outcome() == wire::VerdictOutcome::Voided)
}

/// Everybody of whom the evidence tells.
pub(super) fn addresses(evidence: &wire::GetServicingResponse) -> BTreeSet<EmailAddress> {
    let judged = evidence.counted_activities.iter().chain(&evidence.not_counted_activities);
    let last = evidence.servicing.as_ref().and_then(|servicing| servicing.last_activity.as_ref());
    let activities = judged.chain(last).filter_map(|judged| judged.activity.as_ref());
    activities.filter_map(|activity| activity.email_address.parse().ok()).collect()
}

/// The tool and the action of the catalogue, or the source's own words where they mean none.
fn words(judged: &wire::JudgedActivity) -> Option<(String, String)> {
    use wire::activity::Action;
    if let Some(mapped) = judged.verdict.as_ref().and_then(|verdict| verdict.catalogue_action.as_ref()) {
        return Some((mapped.tool.clone(), mapped.action.clone()));
    }
    match judged.activity.as_ref()?.action.as_ref()? {
        Action::CatalogueAction(stated) => Some((stated.tool.clone(), stated.action.clone())),
        Action::SourceAction(stated) if stated.subcategory.is_empty() => {
            Some((stated.category.clone(), stated.action.clone()))
        }
        Action::SourceAction(stated) => {
            Some((format!("{} {}", stated.category, stated.subcategory), stated.action.clone()))
        }
    }
}
