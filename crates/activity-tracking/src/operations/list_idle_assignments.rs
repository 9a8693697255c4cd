//! "Linked but not counting": clients that are assigned to employees of a partner of whom nothing counts there.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::activity::{IdleAssignment, NotCountedWork, Verdict, WorkThere, idle_assignments};
use domain::policy::Policy;
use domain::servicing::living_since;
use domain::time::{FIRST_STORABLE, Instant, Period};
use service_kit::{ServiceError, access_log};

use super::client_place::{ClientPlace, LookedAt};
use super::read::{Answer, Moment, Reading};
use crate::ActivityTracking;
use crate::store::activity::{Recorded, WorkOfPerson, work_of_people};
use crate::store::{Pair, PersonInClient, period};

/// Whose assignments are asked about.
pub(crate) struct IdleQuestion {
    pub partner: HubId,
    /// Absent: in all.
    pub client: Option<HubId>,
    pub after: Option<ClientPlace<EmployeeId>>,
    /// How many assignments the page has at most.
    pub limit: usize,
    pub moment: Moment,
}

/// A page of assignments under which nothing counts.
#[derive(Debug)]
pub(crate) struct IdlePage {
    pub partner: HubId,
    /// By client, then employee.
    pub assignments: Vec<IdleAssignment>,
    /// Behind what the next page begins; absent on the last one.
    pub next: Option<ClientPlace<EmployeeId>>,
}

impl ActivityTracking {
    pub(crate) async fn list_idle_assignments(&self, question: IdleQuestion) -> Result<Answer<IdlePage>, ServiceError> {
        let IdleQuestion { partner, client, after, limit, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        self.require_partner(&reading, &moment.actor, partner).await?;
        reading.require_partner_known(partner).await?;
        let transaction = &*reading.transaction;
        let people = access_log::employee_addresses(transaction, partner).await?;
        let clients = match client {
            Some(client) => BTreeSet::from([client]),
            None => access_log::recorded_clients(transaction, partner, &people).await?,
        };
        let looked_at = LookedAt::behind(clients, after.as_ref());
        let mut assignments = Vec::new();
        for some in looked_at.portions() {
            assignments.extend(self.idle_assignments(&reading, partner, &people, some, after.as_ref()).await?);
            if assignments.len() > limit {
                break;
            }
        }
        let next = looked_at.cut(&mut assignments, limit, idle_place);
        Ok(reading.answer(IdlePage { partner, assignments, next }))
    }

    /// Those in these clients behind a place, by client and employee. `people` are at least everybody of the partner.
    async fn idle_assignments(
        &self,
        reading: &Reading,
        partner: HubId,
        people: &BTreeSet<EmailAddress>,
        clients: &[HubId],
        after: Option<&ClientPlace<EmployeeId>>,
    ) -> Result<Vec<IdleAssignment>, ServiceError> {
        let clients: BTreeSet<HubId> = clients.iter().copied().collect();
        let history = access_log::history_for_judging(&*reading.transaction, &clients, people).await?;
        let idle = |work: &_| idle_assignments(partner, &history, work, &self.policy, reading.as_of_time);
        // As if nobody had done anything: all that are assigned.
        let mut assigned = idle(&BTreeMap::new());
        assigned.retain(|idle| after.is_none_or(|after| after.is_before(idle.client, &idle.employee)));
        let assigned = assigned.into_iter().map(|idle| (idle.client, idle.address)).collect();
        let work = reading.work_of_people(&self.policy, partner, assigned).await?;
        let mut idle = idle(&work);
        idle.retain(|idle| work.contains_key(&(idle.client, idle.address.clone())));
        Ok(idle)
    }
}

/// Where an assignment is in the list.
pub(crate) fn idle_place(idle: &IdleAssignment) -> ClientPlace<EmployeeId> {
    ClientPlace { client: idle.client, row: Some(idle.employee) }
}

impl Reading {
    /// What these people did in these clients for the partner, but for those of whom anything counts there.
    async fn work_of_people(
        &self,
        policy: &Policy,
        partner: HubId,
        people: BTreeSet<PersonInClient>,
    ) -> Result<BTreeMap<PersonInClient, WorkThere>, ServiceError> {
        let (transaction, as_of) = (&*self.transaction, self.as_of_time);
        let living = self.living_since(partner, people.iter().map(|(client, _)| *client).collect()).await?;
        let asked: Vec<_> = people
            .into_iter()
            .map(|person| {
                let since = living.get(&person.0).copied();
                (person, since)
            })
            .collect();
        let until_then = Period { start: FIRST_STORABLE, ..Period::at(as_of) };
        let stretches = policy.occurred_for(until_then);
        let mut found = work_of_people(transaction, partner, &asked, &stretches, as_of).await?;
        found.retain(|_, work| !work.is_counting);
        let names = found.values().flat_map(|work| [&work.last_counted, &work.last_not_counted]).flatten().cloned();
        let recorded = self.recorded(&names.collect()).await?;
        let work_there = |(person, work): (PersonInClient, WorkOfPerson)| {
            let last_counted = work.last_counted.and_then(|name| recorded.get(&name)?.life());
            let last_not_counted = work.last_not_counted.and_then(|name| not_counted(recorded.get(&name)?));
            (person, WorkThere { live_activities: 0, last_counted, last_not_counted })
        };
        Ok(found.into_iter().map(work_there).collect())
    }

    /// Since when everything has occurred that lives for the partner in each of these clients; of those where nothing does,
    /// nothing.
    async fn living_since(
        &self,
        partner: HubId,
        clients: BTreeSet<HubId>,
    ) -> Result<BTreeMap<HubId, Instant>, ServiceError> {
        let pairs: Vec<Pair> = clients.into_iter().map(|client| Pair { client, partner }).collect();
        let of_one = period::started(&*self.transaction, &pairs, &BTreeSet::from([1]), self.as_of_time).await?;
        let living = of_one.iter().filter_map(|(pair, periods)| {
            let periods = periods.get(&1).map_or(&[][..], Vec::as_slice);
            living_since(periods, self.as_of_time).map(|since| (pair.client, since))
        });
        Ok(living.collect())
    }
}

fn not_counted(recorded: &Recorded) -> Option<NotCountedWork> {
    let Verdict::NotCounted(reason) = recorded.judgement.verdict else { return None };
    let action = recorded.judgement.action.clone();
    Some(NotCountedWork { occur_time: recorded.activity.occur_time, reason, action })
}
