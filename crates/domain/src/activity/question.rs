//! One activity and everything that its verdict depends on, and for whom which condition fails.

use std::cmp::Reverse;

use super::{Activity, ActivityAction, Attribution, CatalogueAction, Judgement, NotCountedReason, Origin, Verdict};
use crate::access::{AccessHistory, ClientHistory, ClientUserState, EmployeeSpell, HubId};
use crate::policy::{Policy, Qualification};
use crate::time::Instant;

pub(super) struct Question<'a> {
    pub(super) activity: &'a Activity,
    pub(super) history: &'a AccessHistory,
    pub(super) policy: &'a Policy,
    pub(super) client: Option<&'a ClientHistory>,
    /// Mapped where the source's own words were given; absent where they map to nothing.
    pub(super) action: Option<CatalogueAction>,
    qualification: Qualification,
    user_state: ClientUserState,
}

impl<'a> Question<'a> {
    pub(super) fn new(activity: &'a Activity, history: &'a AccessHistory, policy: &'a Policy) -> Self {
        let Activity { client, address, occur_time, .. } = activity;
        let action = match &activity.action {
            ActivityAction::Catalogue(action) => Some(action.clone()),
            ActivityAction::Source(source) => policy.map_source(source, *occur_time),
        };
        let qualification = action
            .as_ref()
            .map_or(Qualification::Unknown, |action| policy.qualification(action.tool(), action.action(), *occur_time));
        Self {
            activity,
            history,
            policy,
            client: history.client(*client),
            action,
            qualification,
            user_state: history.client_user_state_at(*client, address, *occur_time),
        }
    }

    /// Whose activity it is: of all who have the address at the occur time, one for whom it counts, else one against whom
    /// the latest reason stands; among equals by rank.
    pub(super) fn best_candidate(&self) -> Option<&'a EmployeeSpell> {
        let present = self.history.employees(&self.activity.address);
        let present = present.filter(|employee| employee.period.contains(self.activity.occur_time));
        let candidates: Vec<_> = present.map(|employee| (self.first_objection(Some(employee)), employee)).collect();
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

    /// The verdict for the best candidate, or for nobody where there is none.
    pub(super) fn judgement(&self, employee: Option<&EmployeeSpell>) -> Judgement {
        let counted = || Verdict::Counted { expire_time: self.policy.expire_time(self.activity.occur_time) };
        Judgement {
            verdict: self.first_objection(employee).map_or_else(counted, Verdict::NotCounted),
            attribution: employee
                .map(|employee| Attribution { partner: employee.partner, employee: employee.employee }),
            action: self.action.clone(),
        }
    }

    /// Every reason why the activity does not count for this employee, in order; none if it counts.
    pub(super) fn objections(&self, employee: Option<&EmployeeSpell>) -> impl Iterator<Item = NotCountedReason> {
        NotCountedReason::ALL.into_iter().filter(move |reason| self.is_against(*reason, employee))
    }

    fn first_objection(&self, employee: Option<&EmployeeSpell>) -> Option<NotCountedReason> {
        self.objections(employee).next()
    }

    /// Whether the condition behind a reason fails, whatever the others do.
    fn is_against(&self, reason: NotCountedReason, employee: Option<&EmployeeSpell>) -> bool {
        let Activity { client, origin, occur_time: at, .. } = *self.activity;
        match reason {
            NotCountedReason::UnknownClient => self.client.is_none_or(|known| at < known.since),
            NotCountedReason::ClientClosed => {
                self.client.is_some_and(|known| known.since <= at && !known.open().contains(at))
            }
            NotCountedReason::UnknownEmployee => employee.is_none(),
            NotCountedReason::NotPartnerEmployee => employee.is_some_and(|employee| !employee.is_partner_employee(at)),
            NotCountedReason::PartnerNotInProgramme => employee.is_some_and(|employee| !self.is_in_programme(employee)),
            NotCountedReason::OwnAccount => employee.is_some_and(|employee| employee.partner == client),
            NotCountedReason::UnknownAction => self.qualification == Qualification::Unknown,
            NotCountedReason::NonQualifyingAction => self.qualification == Qualification::NotQualifying,
            NotCountedReason::NotHuman => origin != Origin::Person,
            NotCountedReason::NoUserInClient => {
                matches!(self.user_state, ClientUserState::None | ClientUserState::Removed)
            }
            NotCountedReason::UserDeactivated => self.user_state == ClientUserState::Deactivated,
            NotCountedReason::NotAssigned => {
                employee.is_none_or(|employee| !self.history.is_assigned_at(client, employee, at))
            }
        }
    }

    fn is_in_programme(&self, employee: &EmployeeSpell) -> bool {
        let partner = self.history.partner(employee.partner);
        partner.is_some_and(|partner| partner.is_in_programme(self.activity.occur_time))
    }

    /// Among candidates that are equal otherwise, the least rank is the best.
    fn rank(&self, employee: &EmployeeSpell) -> (bool, bool, Option<Instant>, HubId) {
        let assigned_since =
            self.history.employee_assigned_since(self.activity.client, employee, self.activity.occur_time);
        (!self.owns_domain_of(employee), assigned_since.is_none(), assigned_since, employee.partner)
    }

    /// Whether the employee's address is in one of its partner's employee email domains.
    pub(super) fn owns_domain_of(&self, employee: &EmployeeSpell) -> bool {
        let partner = self.history.partner(employee.partner);
        partner.is_some_and(|partner| partner.owns_domain_of(&employee.address, self.activity.occur_time))
    }
}
