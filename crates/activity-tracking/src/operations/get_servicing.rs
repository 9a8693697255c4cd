//! Whether, since when and until when a partner services a client, with the evidence.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ActivityName;
use domain::access::{AccessHistory, Actor, EmailAddress, EmployeeId, HubId};
use domain::servicing::{CountedActivity, ServicingPeriod, standing};
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::permission::{unknown_client, unknown_partner};

use super::read::{Answer, Finding, Moment, PairStanding, Reading, finding};
use crate::ActivityTracking;
use crate::store::activity::{Counted, Recorded};
use crate::store::{Pair, activity};

/// What is asked about a pair.
pub(crate) struct ServicingQuestion {
    pub pair: Pair,
    pub minimum: u32,
    /// How many activities to show of each kind.
    pub evidence_limit: u32,
    pub moment: Moment,
}

/// How a pair stands, and why.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub standing: PairStanding,
    pub periods: Vec<ServicingPeriod>,
    /// Newest first.
    pub counted: Vec<Recorded>,
    /// Newest first.
    pub not_counted: Vec<Recorded>,
    pub employees: Vec<EmployeeEvidence>,
}

/// What one employee did.
#[derive(Debug)]
pub(crate) struct EmployeeEvidence {
    pub employee: EmployeeId,
    pub address: EmailAddress,
    pub live_activities: u32,
    pub counted_activities: u32,
    pub not_counted_activities: u32,
    pub last_activity_time: Option<Instant>,
}

impl ActivityTracking {
    pub(crate) async fn get_servicing(&self, question: ServicingQuestion) -> Result<Answer<Evidence>, ServiceError> {
        let ServicingQuestion { pair, minimum, evidence_limit, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        let (transaction, as_of) = (&*reading.transaction, reading.as_of_time);
        self.require_partner(&reading, &moment.actor, pair.partner).await?;
        let history = access_log::history_of_clients(transaction, &BTreeSet::from([pair.client])).await?;
        require_known(&reading, &history, pair, &moment.actor).await?;
        let mut by_pair = activity::counted_by(transaction, &[pair], as_of).await?;
        let occurred = by_pair.remove(&pair).unwrap_or_default();
        let Finding { standing, periods } = finding(&self.policy, &history, pair, &occurred, minimum, as_of);

        let limit = usize::try_from(evidence_limit).unwrap_or(usize::MAX);
        let counted = newest(&reading, &occurred, limit.max(1)).await?;
        let people = people_of(&reading, pair.partner).await?;
        let not_counted = activity::newest_not_counted(transaction, pair, &people, as_of, limit).await?;
        let counts = activity::not_counted_per_employee(transaction, pair, &people, as_of).await?;
        let employees = self.employees(&history, pair, &occurred, counts, as_of);
        let end_cause = periods.last().map(|period| period.end_cause);
        let standing = PairStanding { pair, standing, end_cause, last_activity: counted.first().cloned() };
        Ok(reading.answer(Evidence { standing, periods, counted, not_counted, employees }))
    }

    /// Per employee what counts, by what had occurred.
    fn employees(
        &self,
        history: &AccessHistory,
        pair: Pair,
        occurred: &[Counted],
        not_counted: Vec<(EmployeeId, EmailAddress, i64)>,
        as_of: Instant,
    ) -> Vec<EmployeeEvidence> {
        let mut lives: BTreeMap<EmployeeId, (EmailAddress, Vec<CountedActivity>)> = BTreeMap::new();
        for counted in occurred {
            if let Some(employee) = counted.employee {
                let of_employee = lives.entry(employee).or_insert_with(|| (counted.address.clone(), Vec::new()));
                of_employee.1.push(counted.life);
            }
        }
        let mut others: BTreeMap<EmployeeId, u32> = BTreeMap::new();
        for (employee, address, count) in not_counted {
            others.insert(employee, u32::try_from(count).unwrap_or(u32::MAX));
            lives.entry(employee).or_insert_with(|| (address, Vec::new()));
        }
        let endings = history.endings(pair.client, pair.partner, &self.policy);
        let of_employee = |(employee, (address, activities)): (EmployeeId, (EmailAddress, Vec<CountedActivity>))| {
            let standing = standing(&activities, &endings, 1, as_of, 0);
            EmployeeEvidence {
                employee,
                address,
                live_activities: standing.live_activities,
                counted_activities: u32::try_from(activities.len()).unwrap_or(u32::MAX),
                not_counted_activities: others.get(&employee).copied().unwrap_or_default(),
                last_activity_time: standing.last_activity_time,
            }
        };
        lives.into_iter().map(of_employee).collect()
    }
}

/// The newest of these with all that is recorded of them, newest first.
async fn newest(reading: &Reading, occurred: &[Counted], limit: usize) -> Result<Vec<Recorded>, ServiceError> {
    let names: Vec<&ActivityName> = occurred.iter().rev().take(limit).map(|counted| &counted.name).collect();
    let mut recorded = reading.recorded(&names.iter().map(|name| (*name).clone()).collect()).await?;
    Ok(names.into_iter().filter_map(|name| recorded.remove(name)).collect())
}

/// Everybody who ever was a partner's employee: nobody else is named in its evidence (R127).
async fn people_of(reading: &Reading, partner: HubId) -> Result<BTreeSet<EmailAddress>, ServiceError> {
    let mut people = access_log::employee_addresses(&*reading.transaction, partner).await?;
    let history = access_log::history(&*reading.transaction, &[Question::EmployeesAt(&people)]).await?;
    // Whose employment was taken back never was (R22).
    people.retain(|address| history.employees(address).any(|spell| spell.partner == partner));
    Ok(people)
}

/// Refuses a partner or client of which the copy knows nothing, and to people also a client with which the partner has
/// nothing to do (R26, R127). The history is that of the client.
async fn require_known(
    reading: &Reading,
    history: &AccessHistory,
    pair: Pair,
    actor: &Actor,
) -> Result<(), ServiceError> {
    let Pair { client, partner } = pair;
    let partners =
        access_log::history(&*reading.transaction, &[Question::Partners(&BTreeSet::from([partner]))]).await?;
    if partners.partner(partner).is_none() {
        return Err(unknown_partner(partner).into());
    }
    let exists = history.client(client).is_some() && (*actor == Actor::Platform || history.exists_for(client, partner));
    if exists { Ok(()) } else { Err(unknown_client(client).into()) }
}
