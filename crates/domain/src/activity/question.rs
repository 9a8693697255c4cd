//! One piece of work and everything that its verdict depends on, and for whom which condition fails.

use std::cmp::Reverse;

use super::{Activity, ActivityAction, Attribution, CatalogueAction, Judgement, NotCountedReason, Origin, Verdict};
use crate::access::{AccessHistory, ClientHistory, ClientUserState, EmailAddress, EmployeeSpell, HubId};
use crate::policy::{Policy, Qualification};
use crate::time::Instant;

pub(super) struct Question<'a> {
    history: &'a AccessHistory,
    client: HubId,
    known_client: Option<&'a ClientHistory>,
    address: &'a EmailAddress,
    at: Instant,
    user_state: ClientUserState,
    /// Mapped where the source's own words were given; absent where they map to nothing.
    pub(super) action: Option<CatalogueAction>,
    qualification: Qualification,
    origin: Origin,
}

impl<'a> Question<'a> {
    /// What was done.
    pub(super) fn of_activity(activity: &'a Activity, history: &'a AccessHistory, policy: &Policy) -> Self {
        let Activity { client, address, occur_time, origin, .. } = activity;
        let action = match &activity.action {
            ActivityAction::Catalogue(action) => Some(action.clone()),
            ActivityAction::Source(source) => policy.map_source(source, *occur_time),
        };
        let qualification = action
            .as_ref()
            .map_or(Qualification::Unknown, |action| policy.qualification(action.tool(), action.action(), *occur_time));
        let work = Self::of_qualifying_work((*client, address), *occur_time, history);
        Self { action, qualification, origin: *origin, ..work }
    }

    /// Whatever qualifies, done by a person with an address in a client account.
    pub(super) fn of_qualifying_work(
        (client, address): (HubId, &'a EmailAddress),
        at: Instant,
        history: &'a AccessHistory,
    ) -> Self {
        Self {
            history,
            client,
            known_client: history.client(client),
            address,
            at,
            user_state: history.client_user_state_at(client, address, at),
            action: None,
            qualification: Qualification::Qualifying,
            origin: Origin::Person,
        }
    }

    /// How a sentence names the client.
    pub(super) fn client_name(&self) -> String {
        self.known_client.map_or_else(|| format!("client {}", self.client), |client| client.display_name.clone())
    }

    /// Whose work it is, of all who have the address at that time.
    pub(super) fn best_candidate(&self) -> Option<&'a EmployeeSpell> {
        self.best_of(self.history.employees(self.address).filter(|employee| employee.period.contains(self.at)))
    }

    /// One for whom it counts, else one against whom the latest reason stands; among equals by rank.
    pub(super) fn best_of(&self, employees: impl Iterator<Item = &'a EmployeeSpell>) -> Option<&'a EmployeeSpell> {
        let candidates: Vec<_> = employees.map(|employee| (self.first_objection(Some(employee)), employee)).collect();
        let merit = |objection: Option<NotCountedReason>| (objection.is_some(), Reverse(objection));
        let best = candidates.iter().map(|(objection, _)| merit(*objection)).min()?;
        let equals: Vec<_> = candidates.into_iter().filter(|(objection, _)| merit(*objection) == best).collect();
        let chosen = match equals[..] {
            // Nearly always: spares the search for the assignment's start.
            [only] => Some(only),
            _ => equals.into_iter().min_by_key(|(_, employee)| self.rank(employee)),
        };
        chosen.map(|(_, employee)| employee)
    }

    /// The verdict for an employee, or for nobody.
    pub(super) fn judgement(&self, employee: Option<&EmployeeSpell>, policy: &Policy) -> Judgement {
        let counted = || Verdict::Counted { expire_time: policy.expire_time(self.at) };
        Judgement {
            verdict: self.first_objection(employee).map_or_else(counted, Verdict::NotCounted),
            attribution: employee
                .map(|employee| Attribution { partner: employee.partner, employee: employee.employee }),
            action: self.action.clone(),
        }
    }

    /// Every reason why the work does not count for an employee, or for nobody, in order; none if it counts.
    pub(super) fn objections(&self, employee: Option<&EmployeeSpell>) -> impl Iterator<Item = NotCountedReason> {
        NotCountedReason::ALL.into_iter().filter(move |reason| self.is_against(*reason, employee))
    }

    fn first_objection(&self, employee: Option<&EmployeeSpell>) -> Option<NotCountedReason> {
        self.objections(employee).next()
    }

    /// Whether the condition behind a reason fails, whatever the others do.
    fn is_against(&self, reason: NotCountedReason, employee: Option<&EmployeeSpell>) -> bool {
        let at = self.at;
        match reason {
            NotCountedReason::UnknownClient => self.known_client.is_none_or(|client| at < client.since),
            NotCountedReason::ClientClosed => {
                self.known_client.is_some_and(|client| client.since <= at && !client.open().contains(at))
            }
            NotCountedReason::UnknownEmployee => employee.is_none(),
            NotCountedReason::NotPartnerEmployee => employee.is_some_and(|employee| !employee.is_partner_employee(at)),
            NotCountedReason::PartnerNotInProgramme => employee.is_some_and(|employee| !self.is_in_programme(employee)),
            NotCountedReason::OwnAccount => employee.is_some_and(|employee| employee.partner == self.client),
            NotCountedReason::UnknownAction => self.qualification == Qualification::Unknown,
            NotCountedReason::NonQualifyingAction => self.qualification == Qualification::NotQualifying,
            NotCountedReason::NotHuman => self.origin != Origin::Person,
            NotCountedReason::NoUserInClient => {
                matches!(self.user_state, ClientUserState::None | ClientUserState::Removed)
            }
            NotCountedReason::UserDeactivated => self.user_state == ClientUserState::Deactivated,
            NotCountedReason::NotAssigned => {
                employee.is_none_or(|employee| !self.history.is_assigned_at(self.client, employee, at))
            }
        }
    }

    fn is_in_programme(&self, employee: &EmployeeSpell) -> bool {
        self.history.partner(employee.partner).is_some_and(|partner| partner.is_in_programme(self.at))
    }

    /// Among candidates that are equal otherwise, the least rank is the best.
    fn rank(&self, employee: &EmployeeSpell) -> (bool, bool, Option<Instant>, HubId) {
        let assigned_since = self.history.employee_assigned_since(self.client, employee, self.at);
        (!self.owns_domain_of(employee), assigned_since.is_none(), assigned_since, employee.partner)
    }

    /// Whether the employee's address is in one of its partner's employee email domains.
    pub(super) fn owns_domain_of(&self, employee: &EmployeeSpell) -> bool {
        let partner = self.history.partner(employee.partner);
        partner.is_some_and(|partner| partner.owns_domain_of(&employee.address, self.at))
    }
}
