//! Whether, since when and until when a partner services a client, with the evidence.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, ClientName, Failure, PartnerName};
use domain::access::{AccessHistory, EmailAddress, EmployeeId};
use domain::servicing::{CountedActivity, ServicingPeriod, standing};
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

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
        require_known(&reading, pair).await?;
        let history = access_log::history_of_clients(transaction, &BTreeSet::from([pair.client])).await?;
        let mut by_pair = activity::counted_by(transaction, &[pair], as_of).await?;
        let occurred = by_pair.remove(&pair).unwrap_or_default();
        let Finding { standing, periods } = finding(&self.policy, &history, pair, &occurred, minimum, as_of);

        let limit = usize::try_from(evidence_limit).unwrap_or(usize::MAX);
        let counted = newest(&reading, &occurred, limit.max(1)).await?;
        let people = access_log::employee_addresses(transaction, pair.partner).await?;
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

/// Refuses a partner or client of which the copy knows nothing.
async fn require_known(reading: &Reading, pair: Pair) -> Result<(), ServiceError> {
    let (partners, clients) = (BTreeSet::from([pair.partner]), BTreeSet::from([pair.client]));
    let questions = [Question::Partners(&partners), Question::Clients(&clients)];
    let history = access_log::history(&*reading.transaction, &questions).await?;
    if history.partner(pair.partner).is_none() {
        let message = format!("{} is not known", PartnerName(pair.partner));
        return Err(Failure::new(ErrorReason::UnknownPartner, message).into());
    }
    if history.client(pair.client).is_none() {
        let message = format!("{} is not known", ClientName(pair.client));
        return Err(Failure::new(ErrorReason::UnknownClient, message).into());
    }
    Ok(())
}
