//! "This client belongs to this employee": automatic by domain match, or by hand (R22 to R26).

use super::record::{EmployeeSpell, LinkStep, PartnerHistory, Records, ServicesEndedStep, user_at};
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

impl AssignmentState {
    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingUser => "PENDING_USER",
            Self::Effective => "EFFECTIVE",
            Self::Suspended => "SUSPENDED",
        }
    }
}

/// By what right a client is assigned between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    None,
    /// By domain match, for as long as this user is there.
    Automatic(ClientUserId),
    ByHand,
    /// Unlinked by hand, or by the end of the services (R76): beats automatic assignment until linked again (R25).
    Refused,
}

impl Records {
    pub(super) fn assignments(&self, client: HubId, partner: HubId, address: &EmailAddress) -> Vec<Assignment> {
        let of_partner = self.employee_spells(address).iter().filter(|spell| spell.partner == partner);
        let mut assignments: Vec<_> =
            of_partner.flat_map(|employee| self.assignments_of_employee(client, employee)).collect();
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

    /// Whether the client is assigned to the employee at an instant. Equal to looking for one of its assignments, but
    /// without going through its whole history.
    pub(super) fn is_assigned_at(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> bool {
        self.assignment_question(client, employee).is_some_and(|question| question.is_assigned_at(at))
    }

    /// Since when the employee's assignment at an instant goes on without a gap.
    pub(super) fn assigned_since(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> Option<Instant> {
        let assignments = self.assignments_of_employee(client, employee);
        let current = assignments.iter().position(|assignment| assignment.period.contains(at))?;
        let neighbours = assignments[..=current].windows(2).rev();
        let touching = neighbours.take_while(|pair| pair[0].period.end == Some(pair[1].period.start));
        Some(touching.last().map_or(assignments[current].period.start, |pair| pair[0].period.start))
    }

    /// The assignments of one employee, in order.
    pub(super) fn assignments_of_employee(&self, client: HubId, employee: &EmployeeSpell) -> Vec<Assignment> {
        self.assignment_question(client, employee).map_or_else(Vec::new, |question| question.answer())
    }

    /// None where the partner or the client is not known, or no instant lies in the lives of all three.
    fn assignment_question<'a>(&'a self, client: HubId, employee: &'a EmployeeSpell) -> Option<AssignmentQuestion<'a>> {
        let (partner, client) = (self.partners.get(&employee.partner)?, self.clients.get(&client)?);
        let life = employee.period.overlap(partner.membership())?.overlap(client.open())?;
        let users = self.client_user_spells(client.client, &employee.address);
        let steps = self.link_steps.get(&(client.client, employee.employee)).map_or(&[][..], Vec::as_slice);
        let services_ended = self.services_ended.get(&(client.client, partner.partner)).map_or(&[][..], Vec::as_slice);
        Some(AssignmentQuestion { partner, employee, users, steps, services_ended, life })
    }
}

/// One employee, one client: what the assignment depends on.
struct AssignmentQuestion<'a> {
    partner: &'a PartnerHistory,
    employee: &'a EmployeeSpell,
    users: &'a [ClientUserSpell],
    steps: &'a [LinkStep],
    services_ended: &'a [ServicesEndedStep],
    life: Period,
}

impl AssignmentQuestion<'_> {
    /// The assignments of this employee, stepping from one moment of change to the next.
    fn answer(&self) -> Vec<Assignment> {
        let moments = self.moments();
        let mut assignments = Vec::new();
        let mut claim = Claim::None;
        for (index, &moment) in moments.iter().enumerate() {
            claim = self.next_claim(claim, moment);
            let end = moments.get(index + 1).copied().or(self.life.end);
            if let Some(assignment) = self.assignment(claim, Period { start: moment, end }) {
                append(&mut assignments, assignment);
            }
        }
        assignments
    }

    /// The last step by hand decides, and an end of the services after it ends what it assigned. Without any step, the
    /// assignment is automatic if all three conditions held at some instant since the present user came (R25) and no end
    /// of the services met an automatic assignment (R76).
    fn is_assigned_at(&self, at: Instant) -> bool {
        if !self.life.contains(at) {
            return false;
        }
        match self.last_step(at) {
            Some(step) => step.linked && self.services_ended_since(Some(step), at).is_empty(),
            None => {
                let mut ends = self.services_ended_since(None, at).iter();
                self.is_automatic_at(at) && !ends.any(|end| self.is_automatic_at(end.time))
            }
        }
    }

    /// Whether all three conditions held at some instant since the user came who is present at an instant.
    fn is_automatic_at(&self, at: Instant) -> bool {
        user_at(self.users, at).is_some_and(|user| self.all_three_held(user, at))
    }

    /// The ends of the services after a step by hand, at or before an instant. Of those before this life, nothing was
    /// assigned that they could end.
    fn services_ended_since(&self, step: Option<&LinkStep>, at: Instant) -> &[ServicesEndedStep] {
        let is_before = |end: &ServicesEndedStep| step.is_some_and(|step| end.sequence < step.sequence);
        let by_then = &self.services_ended[..self.services_ended.partition_point(|end| end.time <= at)];
        &by_then[by_then.partition_point(is_before)..]
    }

    /// The last step by hand of this life, at or before an instant.
    fn last_step(&self, at: Instant) -> Option<&LinkStep> {
        let by_then = &self.steps[..self.steps.partition_point(|step| step.time <= at)];
        by_then.last().filter(|step| self.life.start <= step.time)
    }

    /// Whether all three held at an instant of the user's life, at or before `at`.
    fn all_three_held(&self, user: &ClientUserSpell, at: Instant) -> bool {
        let by_then = &user.active[..user.active.partition_point(|stretch| stretch.start <= at)];
        by_then.iter().any(|stretch| {
            let start = stretch.start.max(self.life.start);
            let is_within = |time: Instant| time <= at && stretch.contains(time);
            is_within(start) && self.partner.owns_domain_from(&self.employee.address, start, is_within)
        })
    }

    /// Every instant within the life at which something that matters may change, in order.
    fn moments(&self) -> Vec<Instant> {
        let is_over = |user: &ClientUserSpell| user.period.end.is_some_and(|end| end <= self.life.start);
        let users = &self.users[self.users.partition_point(is_over)..];
        let of_users = users.iter().flat_map(|user| {
            let stretches = user.active.iter().chain([&user.period]);
            stretches.flat_map(|stretch| [Some(stretch.start), stretch.end]).flatten()
        });
        let of_domains = self.partner.email_domains.iter().map(|(from, _)| *from);
        let of_steps = self.steps.iter().map(|step| step.time);
        let of_ends = self.services_ended.iter().map(|end| end.time);
        let all = of_users.chain(of_domains).chain(of_steps).chain(of_ends).chain([self.life.start]);
        let mut moments: Vec<_> = all.filter(|moment| self.life.contains(*moment)).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    fn next_claim(&self, claim: Claim, moment: Instant) -> Claim {
        let user = user_at(self.users, moment);
        let mut claim = match claim {
            // The assignment goes with its user; the one added again is another user.
            Claim::Automatic(owner) if user.is_none_or(|user| user.user != owner) => Claim::None,
            kept => kept,
        };
        let step = self.last_step(moment).filter(|step| step.time == moment);
        if let Some(step) = step {
            claim = if step.linked { Claim::ByHand } else { Claim::Refused };
        }
        if claim == Claim::None
            && let Some(user) = user.filter(|user| self.all_three_hold(user, moment))
        {
            claim = Claim::Automatic(user.user);
        }
        let services_end = self.services_ended_since(step, moment).last().is_some_and(|end| end.time == moment);
        match claim {
            Claim::Automatic(_) | Claim::ByHand if services_end => Claim::Refused,
            kept => kept,
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
        let state = match user_at(self.users, period.start) {
            None => AssignmentState::PendingUser,
            Some(user) if user.is_active(period.start) => AssignmentState::Effective,
            Some(_) => AssignmentState::Suspended,
        };
        Some(Assignment { employee: self.employee.employee, period, origin, state })
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

#[cfg(test)]
mod tests;
