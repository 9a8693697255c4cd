//! What the copy of the access log says about a partner's people at a client, and by which names evidence is told.
//!
//! Nobody is ever named who is not of the asking partner (R127).

use std::collections::BTreeSet;

use contracts::wire::activity as wire;
use contracts::{EmployeeName, WireError, not_counted_reason_from_wire, required_instant};
use domain::access::{AccessFact, AccessHistory, ClientUserState, EmailAddress, EmployeeSpell, Ending, HubId};
use domain::credit::{
    ActivityFacts, AssignmentFacts, ClientFacts, CountedFacts, EmploymentFacts, NotCountedFacts, PartnerFacts,
    PersonFacts,
};
use domain::policy::Policy;
use domain::time::{Instant, Period};
use service_kit::access_log::{self, Question};
use service_kit::{ReadTransaction, ServiceError};

use crate::operations::LastActivity;
use crate::operations::last_activities::last_activity;

/// The facts of access about one partner and client, as of one instant.
pub(super) struct AccessSide {
    partner: HubId,
    client: HubId,
    as_of: Instant,
    history: AccessHistory,
    /// Everybody of whom the evidence tells.
    evidenced: BTreeSet<EmailAddress>,
    endings: Vec<Ending>,
}

impl AccessSide {
    pub async fn load(
        transaction: &ReadTransaction,
        partner: HubId,
        client: HubId,
        evidence: Option<&wire::GetServicingResponse>,
        policy: &Policy,
        as_of: Instant,
    ) -> Result<Self, ServiceError> {
        let evidenced = evidence.map(addresses).unwrap_or_default();
        let there = access_log::history_of_clients(&**transaction, &[client].into()).await?;
        let questions = [Question::Partners(&[partner].into()), Question::EmployeesAt(&evidenced)];
        let others = access_log::history(&**transaction, &questions).await?;
        let history = AccessHistory::from_changes(there.changes().chain(others.changes()).cloned());
        let endings = history.endings(client, partner, policy);
        let endings = endings.into_iter().filter(|ending| ending.time <= as_of).collect();
        Ok(Self { partner, client, as_of, history, evidenced, endings })
    }

    pub fn endings(&self) -> Vec<Ending> {
        self.endings.clone()
    }

    pub fn partner_facts(&self) -> PartnerFacts {
        let programme = self.history.partner(self.partner).map(|partner| self.as_known(partner.membership()));
        PartnerFacts { partner: self.partner, programme }
    }

    pub fn client_facts(&self) -> ClientFacts {
        let client = self.history.client(self.client);
        ClientFacts {
            client: self.client,
            display_name: client.map(|client| client.display_name.clone()),
            closed_time: client.and_then(|client| client.closed_time).filter(|closed| *closed <= self.as_of),
        }
    }

    /// Everybody of the partner who has, or had, anything to do with the client.
    pub fn people(&self) -> Vec<PersonFacts> {
        let mut addresses: BTreeSet<&EmailAddress> = self.evidenced.iter().collect();
        let users = self.history.client_users(self.client).filter(|user| user.period.start <= self.as_of);
        addresses.extend(users.map(|user| &user.address));
        addresses.extend(self.linked_addresses());
        addresses.into_iter().filter_map(|address| self.person(address)).collect()
    }

    fn linked_addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        let by_then = self.history.changes().filter(|change| change.effective_time <= self.as_of);
        by_then.filter_map(|change| match &change.fact {
            AccessFact::ClientLinked { client, partner, address, .. }
                if (*client, *partner) == (self.client, self.partner) =>
            {
                Some(address)
            }
            _ => None,
        })
    }

    /// The person at an address, if it was ever of the partner.
    fn person(&self, address: &EmailAddress) -> Option<PersonFacts> {
        let spells: Vec<_> = self.spells(address).collect();
        let latest = spells.last()?;
        let employments = spells.iter().map(|spell| EmploymentFacts {
            period: self.as_known(spell.period),
            partner_employee: spell.is_partner_employee(self.as_of),
        });
        let assignment = self.history.assignment_at(self.client, self.partner, address, self.as_of);
        let assigned_since = self.history.assigned_since(self.client, self.partner, address, self.as_of);
        Some(PersonFacts {
            display_name: latest.display_name.clone(),
            address: address.clone(),
            employments: employments.collect(),
            user_state: self.history.client_user_state_at(self.client, address, self.as_of),
            user_state_since: self.user_state_since(address),
            assignment: assignment.zip(assigned_since).map(|(assignment, since)| AssignmentFacts {
                state: assignment.state,
                since,
                origin: assignment.origin,
            }),
        })
    }

    /// When an address was of the partner, by the instant, in the order of creation.
    fn spells<'side>(&'side self, address: &'side EmailAddress) -> impl Iterator<Item = &'side EmployeeSpell> {
        let of_partner = self.history.employees(address).filter(|spell| spell.partner == self.partner);
        of_partner.filter(|spell| spell.period.start <= self.as_of)
    }

    fn user_state_since(&self, address: &EmailAddress) -> Option<Instant> {
        let spells = self.history.client_user_spells(self.client, address);
        let by_then = spells.iter().filter(|spell| spell.period.start <= self.as_of);
        let latest = by_then.max_by_key(|spell| spell.period.start)?;
        match self.history.client_user_state_at(self.client, address, self.as_of) {
            ClientUserState::None => None,
            ClientUserState::Active => {
                latest.active.iter().find(|stretch| stretch.contains(self.as_of)).map(|stretch| stretch.start)
            }
            ClientUserState::Deactivated => {
                let ends = latest.active.iter().filter_map(|stretch| stretch.end);
                ends.filter(|end| *end <= self.as_of).max()
            }
            ClientUserState::Removed => latest.period.end,
        }
    }

    /// A period as it was known at the instant: an end that was still ahead was not.
    fn as_known(&self, period: Period) -> Period {
        Period { end: period.end.filter(|end| *end <= self.as_of), ..period }
    }

    /// The activities of the evidence, told by the names of the partner's people.
    pub fn activities(
        &self,
        evidence: Option<&wire::GetServicingResponse>,
    ) -> Result<(Vec<CountedFacts>, Vec<NotCountedFacts>), WireError> {
        let Some(evidence) = evidence else { return Ok((Vec::new(), Vec::new())) };
        let counted =
            evidence.counted_activities.iter().map(|judged| self.counted(judged)).collect::<Result<_, _>>()?;
        // What was taken back says nothing of what is missing (R62).
        let not_counted = evidence.not_counted_activities.iter().filter(|judged| !is_voided(judged));
        let not_counted = not_counted.map(|judged| self.not_counted(judged)).collect::<Result<_, _>>()?;
        Ok((counted, not_counted))
    }

    /// What was done last, in few words.
    pub fn last_activity(
        &self,
        evidence: Option<&wire::GetServicingResponse>,
    ) -> Result<Option<LastActivity>, ServiceError> {
        let judged = evidence.and_then(|evidence| evidence.servicing.as_ref()?.last_activity.as_ref());
        judged.map_or(Ok(None), |judged| last_activity(judged, self.partner, &self.history))
    }

    fn counted(&self, judged: &wire::JudgedActivity) -> Result<CountedFacts, WireError> {
        let expire_time = judged.verdict.as_ref().and_then(|verdict| verdict.expire_time.as_ref());
        Ok(CountedFacts {
            activity: self.activity(judged)?,
            expire_time: required_instant("expire_time", expire_time)?,
        })
    }

    fn not_counted(&self, judged: &wire::JudgedActivity) -> Result<NotCountedFacts, WireError> {
        let reason = judged.verdict.as_ref().and_then(|verdict| not_counted_reason_from_wire(verdict.reason()));
        let reason = reason.ok_or_else(|| WireError::new("verdict.reason", "is missing"))?;
        Ok(NotCountedFacts { activity: self.activity(judged)?, reason })
    }

    fn activity(&self, judged: &wire::JudgedActivity) -> Result<ActivityFacts, WireError> {
        let activity = judged.activity.as_ref().ok_or_else(|| WireError::new("activity", "is missing"))?;
        let (tool, action) = words(judged).ok_or_else(|| WireError::new("activity.action", "is missing"))?;
        Ok(ActivityFacts {
            person: self.name_of(judged),
            tool,
            action,
            occur_time: required_instant("activity.occur_time", activity.occur_time.as_ref())?,
        })
    }

    /// The name of who did something, if it is one of the partner's people.
    fn name_of(&self, judged: &wire::JudgedActivity) -> Option<String> {
        let employee: Option<EmployeeName> = judged.verdict.as_ref().and_then(|verdict| verdict.employee.parse().ok());
        let by_id = employee.filter(|name| name.partner == self.partner);
        let by_id = by_id.and_then(|name| self.history.employee(name.employee));
        let address: Option<EmailAddress> = judged.activity.as_ref()?.email_address.parse().ok();
        let by_address = || self.spells(address.as_ref()?).last();
        by_id.or_else(by_address).map(|spell| spell.display_name.clone())
    }
}

fn is_voided(judged: &wire::JudgedActivity) -> bool {
    judged.verdict.as_ref().is_some_and(|verdict| verdict.outcome() == wire::VerdictOutcome::Voided)
}

fn addresses(evidence: &wire::GetServicingResponse) -> BTreeSet<EmailAddress> {
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
