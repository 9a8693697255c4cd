//! Whether an activity counts, for whom, and if not, why not.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use super::{Activity, ActivityAction, CatalogueAction, Origin};
use crate::access::{AccessHistory, ClientUserState, EmployeeId, EmployeeSpell, HubId};
use crate::policy::{Policy, Qualification};
use crate::time::Instant;

/// The verdict on an activity and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it counts.
    pub verdict: Verdict,
    /// Whose it is; present whenever an employee was found, also where it does not count.
    pub attribution: Option<Attribution>,
    /// The action of the catalogue, mapped where the source's own words were given; absent where they map to nothing.
    pub action: Option<CatalogueAction>,
}

/// Whether an activity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It counts, unless an ending cuts it short (R73).
    Counted {
        /// The first instant at which it no longer counts (R56).
        expire_time: Instant,
    },
    /// It does not count.
    NotCounted(NotCountedReason),
}

/// Whose activity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attribution {
    /// The partner account.
    pub partner: HubId,
    /// The employee.
    pub employee: EmployeeId,
}

/// Why an activity does not count; the first that holds, in this order (R61).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotCountedReason {
    /// No such client account at the occur time.
    UnknownClient,
    /// The client account was closed.
    ClientClosed,
    /// The address was in no partner account.
    UnknownEmployee,
    /// The user of the partner account was not flagged as its employee (R20).
    NotPartnerEmployee,
    /// The partner was not in the programme.
    PartnerNotInProgramme,
    /// The client account is the partner's own (R12).
    OwnAccount,
    /// The action is not in the catalogue, or the source's words map to nothing.
    UnknownAction,
    /// The catalogue says that it does not qualify (R52, R53).
    NonQualifyingAction,
    /// No person did it (R59).
    NotHuman,
    /// The address was no user of the client account (R7 c).
    NoUserInClient,
    /// The user of the client account was deactivated.
    UserDeactivated,
    /// The client was not assigned to the employee (R7 b, R22).
    NotAssigned,
}

/// A text that names no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason why an activity does not count, for example NOT_ASSIGNED")]
pub struct NotCountedReasonError;

impl NotCountedReason {
    /// Every reason in its order.
    pub const ALL: [Self; 12] = [
        Self::UnknownClient,
        Self::ClientClosed,
        Self::UnknownEmployee,
        Self::NotPartnerEmployee,
        Self::PartnerNotInProgramme,
        Self::OwnAccount,
        Self::UnknownAction,
        Self::NonQualifyingAction,
        Self::NotHuman,
        Self::NoUserInClient,
        Self::UserDeactivated,
        Self::NotAssigned,
    ];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClient => "UNKNOWN_CLIENT",
            Self::ClientClosed => "CLIENT_CLOSED",
            Self::UnknownEmployee => "UNKNOWN_EMPLOYEE",
            Self::NotPartnerEmployee => "NOT_PARTNER_EMPLOYEE",
            Self::PartnerNotInProgramme => "PARTNER_NOT_IN_PROGRAMME",
            Self::OwnAccount => "OWN_ACCOUNT",
            Self::UnknownAction => "UNKNOWN_ACTION",
            Self::NonQualifyingAction => "NON_QUALIFYING_ACTION",
            Self::NotHuman => "NOT_HUMAN",
            Self::NoUserInClient => "NO_USER_IN_CLIENT",
            Self::UserDeactivated => "USER_DEACTIVATED",
            Self::NotAssigned => "NOT_ASSIGNED",
        }
    }
}

impl FromStr for NotCountedReason {
    type Err = NotCountedReasonError;

    fn from_str(text: &str) -> Result<Self, NotCountedReasonError> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(NotCountedReasonError)
    }
}

impl fmt::Display for NotCountedReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Judges an activity with everything that is known about its occur time (R7, R22, R61).
///
/// The history must hold the changes of the client, of everybody with the address, and of their partners. Where several
/// partners employ the address, at most one is attributed: one for whom it counts before one for whom it does not, then
/// the one for whom the later reason stands against it, then the one whose domain matches, then the one to whom the
/// client was assigned earlier, then the lower hub id.
#[must_use]
pub fn judge(activity: &Activity, history: &AccessHistory, policy: &Policy) -> Judgement {
    let question = Question { activity, history, policy, action: mapped_action(activity, policy) };
    let candidate = question.best_candidate();
    let objection = candidate.map_or_else(|| question.objection(None), |(objection, _)| objection);
    let verdict = objection
        .map_or_else(|| Verdict::Counted { expire_time: policy.expire_time(activity.occur_time) }, Verdict::NotCounted);
    let attribution =
        candidate.map(|(_, employee)| Attribution { partner: employee.partner, employee: employee.employee });
    Judgement { verdict, attribution, action: question.action }
}

fn mapped_action(activity: &Activity, policy: &Policy) -> Option<CatalogueAction> {
    match &activity.action {
        ActivityAction::Catalogue(action) => Some(action.clone()),
        ActivityAction::Source(source) => policy.map_source(source, activity.occur_time),
    }
}

struct Question<'a> {
    activity: &'a Activity,
    history: &'a AccessHistory,
    policy: &'a Policy,
    action: Option<CatalogueAction>,
}

impl Question<'_> {
    /// The first reason why the activity does not count for this employee; none if it counts.
    fn objection(&self, employee: Option<&EmployeeSpell>) -> Option<NotCountedReason> {
        self.client_objection()
            .or_else(|| match employee {
                None => Some(NotCountedReason::UnknownEmployee),
                Some(employee) => self.partner_objection(employee),
            })
            .or_else(|| self.action_objection())
            .or_else(|| employee.and_then(|employee| self.access_objection(employee)))
    }

    fn client_objection(&self) -> Option<NotCountedReason> {
        let at = self.activity.occur_time;
        match self.history.client(self.activity.client) {
            Some(client) if client.open().contains(at) => None,
            Some(client) if client.since <= at => Some(NotCountedReason::ClientClosed),
            _ => Some(NotCountedReason::UnknownClient),
        }
    }

    fn partner_objection(&self, employee: &EmployeeSpell) -> Option<NotCountedReason> {
        let at = self.activity.occur_time;
        let in_programme = self.history.partner(employee.partner).is_some_and(|partner| partner.is_in_programme(at));
        if !employee.is_partner_employee(at) {
            Some(NotCountedReason::NotPartnerEmployee)
        } else if !in_programme {
            Some(NotCountedReason::PartnerNotInProgramme)
        } else if employee.partner == self.activity.client {
            Some(NotCountedReason::OwnAccount)
        } else {
            None
        }
    }

    fn action_objection(&self) -> Option<NotCountedReason> {
        let at = self.activity.occur_time;
        let qualification = self
            .action
            .as_ref()
            .map_or(Qualification::Unknown, |action| self.policy.qualification(action.tool(), action.action(), at));
        match qualification {
            Qualification::Unknown => Some(NotCountedReason::UnknownAction),
            Qualification::NotQualifying => Some(NotCountedReason::NonQualifyingAction),
            Qualification::Qualifying if self.activity.origin != Origin::Person => Some(NotCountedReason::NotHuman),
            Qualification::Qualifying => None,
        }
    }

    fn access_objection(&self, employee: &EmployeeSpell) -> Option<NotCountedReason> {
        let Activity { client, address, occur_time, .. } = self.activity;
        match self.history.client_user_state_at(*client, address, *occur_time) {
            ClientUserState::None | ClientUserState::Removed => Some(NotCountedReason::NoUserInClient),
            ClientUserState::Deactivated => Some(NotCountedReason::UserDeactivated),
            ClientUserState::Active => {
                let is_assigned = self.history.is_assigned_at(*client, employee, *occur_time);
                (!is_assigned).then_some(NotCountedReason::NotAssigned)
            }
        }
    }

    /// Whose activity it is, with what stands against it: of all who have the address at the occur time, one for whom it
    /// counts, else one against whom the latest reason stands; among equals by rank.
    fn best_candidate(&self) -> Option<(Option<NotCountedReason>, &EmployeeSpell)> {
        let present = self.history.employees(&self.activity.address);
        let present = present.filter(|employee| employee.period.contains(self.activity.occur_time));
        let candidates: Vec<_> = present.map(|employee| (self.objection(Some(employee)), employee)).collect();
        let merit = |objection: Option<NotCountedReason>| (objection.is_some(), Reverse(objection));
        let best = candidates.iter().map(|(objection, _)| merit(*objection)).min()?;
        let equals: Vec<_> = candidates.into_iter().filter(|(objection, _)| merit(*objection) == best).collect();
        match equals[..] {
            // Nearly always: spares the search for the assignment's start.
            [only] => Some(only),
            _ => equals.into_iter().min_by_key(|(_, employee)| self.rank(employee)),
        }
    }

    /// Among candidates that are equal otherwise, the least rank is the best.
    fn rank(&self, employee: &EmployeeSpell) -> (bool, bool, Option<Instant>, HubId) {
        let Activity { client, occur_time, .. } = self.activity;
        let assigned_since = self.history.employee_assigned_since(*client, employee, *occur_time);
        let partner = self.history.partner(employee.partner);
        let domain_matches = partner.is_some_and(|partner| partner.owns_domain_of(&employee.address, *occur_time));
        (!domain_matches, assigned_since.is_none(), assigned_since, employee.partner)
    }
}

#[cfg(test)]
mod tests;
