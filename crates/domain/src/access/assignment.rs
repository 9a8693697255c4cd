//! "This client belongs to this employee": automatic by domain match, or by hand (R22 to R26).

use std::collections::BTreeSet;

use super::record::{EmployeeSpell, LinkStep, PartnerHistory, Records};
use super::{ClientUserId, ClientUserSpell, EmailAddress, EmployeeId, HubId};
use crate::time::{Instant, Period};

/// A stretch of time in which a client is assigned to an employee, in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The employee.
    pub employee: EmployeeId,
    /// When; half-open.
    pub period: Period,
    /// How it came about.
    pub origin: AssignmentOrigin,
    /// What it is worth during the period.
    pub state: AssignmentState,
}

/// How an assignment came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssignmentOrigin {
    /// By domain match (R23).
    Automatic,
    /// Linked by hand (R24).
    ByHand,
}

/// The states of an assignment (domain.md 4). In each of them the client is assigned in the sense of R7 (b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssignmentState {
    /// Linked by hand; the address is no user of the client yet, or no longer.
    PendingUser,
    /// The user is active in the client.
    Effective,
    /// The user is deactivated in the client.
    Suspended,
}

/// By what right a client is assigned between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    None,
    /// By domain match, for as long as this user is there.
    Automatic(ClientUserId),
    ByHand,
    /// Unlinked by hand: beats automatic assignment until linked again (R25).
    Refused,
}

impl Records {
    pub(super) fn assignments(&self, client: HubId, partner: HubId, address: &EmailAddress) -> Vec<Assignment> {
        let (Some(partner), Some(client)) = (self.partners.get(&partner), self.clients.get(&client)) else {
            return Vec::new();
        };
        let users = self.client_user_spells(client.client, address);
        let mut assignments = Vec::new();
        for employee in self.employee_spells(address).iter().filter(|spell| spell.partner == partner.partner) {
            let steps = self.link_steps.get(&(client.client, employee.employee)).map_or(&[][..], Vec::as_slice);
            let bounds = [employee.period, partner.membership(), client.open()];
            if let Some(life) = intersection(bounds) {
                AssignmentQuestion { partner, employee, users, steps, life }.answer(&mut assignments);
            }
        }
        assignments.sort_by_key(|assignment| assignment.period.start);
        assignments
    }

    pub(super) fn assignment_at(
        &self,
        client: HubId,
        partner: HubId,
        address: &EmailAddress,
        at: Instant,
    ) -> Option<Assignment> {
        self.assignments(client, partner, address).into_iter().find(|assignment| assignment.period.contains(at))
    }

    pub(super) fn assigned_since(
        &self,
        client: HubId,
        partner: HubId,
        address: &EmailAddress,
        at: Instant,
    ) -> Option<Instant> {
        let assignments = self.assignments(client, partner, address);
        let current = assignments.iter().position(|assignment| assignment.period.contains(at))?;
        let mut since = assignments[current];
        for earlier in assignments[..current].iter().rev() {
            if earlier.employee != since.employee || earlier.period.end != Some(since.period.start) {
                break;
            }
            since = *earlier;
        }
        Some(since.period.start)
    }
}

/// One employee, one client: what the assignment depends on.
struct AssignmentQuestion<'a> {
    partner: &'a PartnerHistory,
    employee: &'a EmployeeSpell,
    users: &'a [ClientUserSpell],
    steps: &'a [LinkStep],
    life: Period,
}

impl AssignmentQuestion<'_> {
    /// Appends the assignments of this employee, stepping from one moment of change to the next.
    fn answer(&self, assignments: &mut Vec<Assignment>) {
        let moments: Vec<Instant> = self.moments().into_iter().collect();
        let mut claim = Claim::None;
        for (index, &moment) in moments.iter().enumerate() {
            claim = self.next_claim(claim, moment);
            let end = moments.get(index + 1).copied().or(self.life.end);
            if let Some(assignment) = self.assignment(claim, Period { start: moment, end }) {
                append(assignments, assignment);
            }
        }
    }

    /// Every instant within the life at which something that matters may change.
    fn moments(&self) -> BTreeSet<Instant> {
        let of_users = self.users.iter().flat_map(|user| {
            let stretches = user.active.iter().chain([&user.period]);
            stretches.flat_map(|stretch| [Some(stretch.start), stretch.end]).flatten()
        });
        let of_domains = self.partner.email_domains.iter().map(|(from, _)| *from);
        let of_steps = self.steps.iter().map(|step| step.time);
        let all = of_users.chain(of_domains).chain(of_steps).chain([self.life.start]);
        all.filter(|moment| self.life.contains(*moment)).collect()
    }

    fn next_claim(&self, claim: Claim, moment: Instant) -> Claim {
        let user = self.user_at(moment);
        let mut claim = match claim {
            // The assignment goes with its user; the one added again is another user.
            Claim::Automatic(owner) if user.is_none_or(|user| user.user != owner) => Claim::None,
            kept => kept,
        };
        for step in self.steps.iter().filter(|step| step.time == moment) {
            claim = if step.linked { Claim::ByHand } else { Claim::Refused };
        }
        match user {
            Some(user) if claim == Claim::None && self.all_three_hold(user, moment) => Claim::Automatic(user.user),
            _ => claim,
        }
    }

    /// R25: user in the partner account (within the life), active user in the client account, domain match.
    fn all_three_hold(&self, user: &ClientUserSpell, moment: Instant) -> bool {
        user.is_active(moment) && self.partner.owns_domain_of(&self.employee.address, moment)
    }

    fn assignment(&self, claim: Claim, period: Period) -> Option<Assignment> {
        let origin = match claim {
            Claim::None | Claim::Refused => return None,
            Claim::Automatic(_) => AssignmentOrigin::Automatic,
            Claim::ByHand => AssignmentOrigin::ByHand,
        };
        let state = match self.user_at(period.start) {
            None => AssignmentState::PendingUser,
            Some(user) if user.is_active(period.start) => AssignmentState::Effective,
            Some(_) => AssignmentState::Suspended,
        };
        Some(Assignment { employee: self.employee.employee, period, origin, state })
    }

    fn user_at(&self, moment: Instant) -> Option<&ClientUserSpell> {
        self.users.iter().find(|user| user.period.contains(moment))
    }
}

/// Appends an assignment, or lengthens the last one where nothing but the time differs.
fn append(assignments: &mut Vec<Assignment>, next: Assignment) {
    match assignments.last_mut() {
        Some(last)
            if last.period.end == Some(next.period.start) && Assignment { period: next.period, ..*last } == next =>
        {
            last.period.end = next.period.end;
        }
        _ => assignments.push(next),
    }
}

/// The time that lies in all three periods, if any.
fn intersection(periods: [Period; 3]) -> Option<Period> {
    let [first, second, third] = periods;
    let start = first.start.max(second.start).max(third.start);
    let end = periods.into_iter().filter_map(|period| period.end).min();
    end.is_none_or(|end| start < end).then_some(Period { start, end })
}

#[cfg(test)]
mod tests;
