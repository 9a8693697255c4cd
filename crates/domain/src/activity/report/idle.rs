//! "Linked but not counting": clients that are assigned to employees of whom nothing counts there.

use std::collections::BTreeMap;

use super::super::question::Question;
use super::super::{CatalogueAction, NotCountedReason, Remedy, RemedyKind, step};
use crate::access::{
    AccessHistory, AssignmentOrigin, AssignmentState, ClientHistory, EmailAddress, EmployeeId, EmployeeSpell, HubId,
};
use crate::policy::Policy;
use crate::servicing::CountedActivity;
use crate::time::Instant;
use crate::wording::{date, sentence};

/// What one employee has done in one client account by an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkThere {
    /// How many of its activities count: occurred, not expired, not cut off by an ending (R73).
    pub live_activities: u32,
    /// Of those that have ever counted, the one that counted longest; absent where none did.
    pub last_counted: Option<CountedActivity>,
    /// The last one that does not count, for whatever reason but a voiding; absent where there is none.
    pub last_not_counted: Option<NotCountedWork>,
}

/// An activity that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCountedWork {
    /// When it was done.
    pub occur_time: Instant,
    /// Why it does not count.
    pub reason: NotCountedReason,
    /// What was done; absent where the source's words mean nothing in the catalogue.
    pub action: Option<CatalogueAction>,
}

/// A client that is assigned to an employee of whom nothing counts there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleAssignment {
    /// The client account.
    pub client: HubId,
    /// The employee.
    pub employee: EmployeeId,
    /// Its address.
    pub address: EmailAddress,
    /// The state of the assignment.
    pub state: AssignmentState,
    /// How it came about.
    pub origin: AssignmentOrigin,
    /// Since when nothing counts there while the client is assigned without a gap.
    pub idle_since: Instant,
    /// What was done there.
    pub work: WorkThere,
    /// The step that comes next.
    pub remedy: Remedy,
}

/// The assignments of a partner's employees in the clients of the history of whom nothing counts at `as_of`; by client and
/// then employee. Clients that are closed then and the partner's own account are left out (R12); of a partner that is not
/// in the programme there is none.
///
/// The history must hold the clients' users, everybody of the partner, and everybody else who has their addresses. `work`
/// is by client and address, attributed to the partner's employees: who is not in it has done nothing there.
#[must_use]
pub fn idle_assignments(
    partner: HubId,
    history: &AccessHistory,
    work: &BTreeMap<(HubId, EmailAddress), WorkThere>,
    policy: &Policy,
    as_of: Instant,
) -> Vec<IdleAssignment> {
    let mut employees: Vec<_> =
        history.employees_of(partner).filter(|employee| employee.period.contains(as_of)).collect();
    employees.sort_by_key(|employee| employee.employee);
    let clients = history.clients().filter(|client| client.client != partner);
    let pairs = clients.flat_map(|client| employees.iter().map(move |employee| (client, *employee)));
    let assigned = pairs.filter(|(client, employee)| history.is_assigned_at(client.client, employee, as_of));
    let idle = assigned.filter_map(|(client, employee)| {
        let work = work.get(&(client.client, employee.address.clone())).cloned().unwrap_or_default();
        let pair = Pair { client, employee, history, policy, as_of };
        (work.live_activities == 0).then(|| pair.idle(work))?
    });
    idle.collect()
}

/// One client and one employee.
struct Pair<'a> {
    client: &'a ClientHistory,
    employee: &'a EmployeeSpell,
    history: &'a AccessHistory,
    policy: &'a Policy,
    as_of: Instant,
}

impl Pair<'_> {
    /// The row, where the client is assigned; an assignment lives within the partner's time in the programme and the
    /// client's open time.
    fn idle(&self, work: WorkThere) -> Option<IdleAssignment> {
        let Self { client, employee, history, as_of, .. } = *self;
        let assigned_since = history.employee_assigned_since(client.client, employee, as_of)?;
        let assignment = history.assignment_at(client.client, employee.partner, &employee.address, as_of)?;
        let stopped = work.last_counted.map(|last| self.stopped_counting(last));
        Some(IdleAssignment {
            client: client.client,
            employee: employee.employee,
            address: employee.address.clone(),
            state: assignment.state,
            origin: assignment.origin,
            idle_since: stopped.map_or(assigned_since, |stopped| stopped.max(assigned_since)),
            remedy: self.remedy(&work),
            work,
        })
    }

    /// When an activity expired, or an ending cut it off (R73).
    fn stopped_counting(&self, counted: CountedActivity) -> Instant {
        let endings = self.history.endings(self.client.client, self.employee.partner, self.policy);
        let cut_off = endings.into_iter().find(|ending| counted.occur_time < ending.time);
        cut_off.map_or(counted.expire_time, |ending| ending.time.min(counted.expire_time))
    }

    /// The first step that work still lacks, else work.
    fn remedy(&self, work: &WorkThere) -> Remedy {
        let place = (self.client.client, &self.employee.address);
        let question = Question::of_qualifying_work(place, self.as_of, self.history);
        let (client, name) = (&self.client.display_name, &self.employee.display_name);
        let (kind, text) = match question.objections(Some(self.employee)).next() {
            Some(NotCountedReason::NotPartnerEmployee) => (RemedyKind::FlagEmployee, step::flag_employee(name)),
            Some(NotCountedReason::NoUserInClient) => (RemedyKind::AddClientUser, step::add_client_user(client, name)),
            Some(NotCountedReason::UserDeactivated) => {
                (RemedyKind::ReactivateClientUser, step::reactivate_client_user(client, name))
            }
            // It would count, but for another employer of the same address.
            _ if question.best_candidate() != Some(self.employee) => {
                (RemedyKind::NothingHelps, step::counts_for_another_company(name))
            }
            _ => self.other_work(work),
        };
        Remedy::new(kind, sentence(text))
    }

    /// What to do where nothing but work is missing.
    fn other_work(&self, work: &WorkThere) -> (RemedyKind, String) {
        if let Some(why) = step::nothing_qualifies(self.policy, self.as_of) {
            return (RemedyKind::NothingHelps, why);
        }
        let newer = work
            .last_not_counted
            .as_ref()
            .filter(|not_counted| work.last_counted.is_none_or(|counted| counted.occur_time < not_counted.occur_time));
        newer.and_then(|not_counted| self.instead_of(not_counted)).unwrap_or_else(|| {
            let (client, name) = (&self.client.display_name, &self.employee.display_name);
            let any_work = step::ANY_QUALIFYING_ACTIVITY;
            let text = format!("{name} is assigned to {client} and active there: {any_work} counts from that instant.");
            (RemedyKind::Work, text)
        })
    }

    /// What to do instead of work that would not count now either; nothing where only access was missing then.
    fn instead_of(&self, not_counted: &NotCountedWork) -> Option<(RemedyKind, String)> {
        let NotCountedWork { occur_time, reason, action } = not_counted;
        let name = &self.employee.display_name;
        let qualifying = |action: &CatalogueAction| step::qualifying_work(action.tool(), self.policy, self.as_of);
        let (kind, help) = match (reason, action) {
            (NotCountedReason::UnknownAction, None) => (
                RemedyKind::UseKnownAction,
                "Ask the programme for an entry in the policy's source_mapping.".to_owned(),
            ),
            (NotCountedReason::UnknownAction, Some(action)) => (RemedyKind::UseKnownAction, qualifying(action)),
            (NotCountedReason::NonQualifyingAction, Some(action)) => {
                (RemedyKind::UseQualifyingAction, qualifying(action))
            }
            (NotCountedReason::NotHuman, _) => (RemedyKind::DoByHand, format!("{name} does it by hand.")),
            _ => return None,
        };
        let what = action
            .as_ref()
            .map_or_else(|| "work".to_owned(), |action| step::action_in_words(action.tool(), action.action()));
        let when = date(*occur_time);
        let why = reason.in_words();
        Some((kind, format!("The latest there, {what} by {name} on {when}, does not count: {why}. {help}")))
    }
}

#[cfg(test)]
mod tests;
