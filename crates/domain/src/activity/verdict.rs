//! Whether an activity counts, for whom, and if not, why not.

use std::fmt;
use std::str::FromStr;

use super::question::Question;
use super::{Activity, CatalogueAction};
use crate::access::{AccessHistory, EmailAddress, EmployeeId, HubId};
use crate::policy::Policy;
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
    /// It was taken back at its source and never counts again, whatever facts arrive (R62).
    Voided,
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

    /// The reason as the end of a sentence to the partner's manager.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::UnknownClient => "the client account was not known at that time",
            Self::ClientClosed => "the client account was closed",
            Self::UnknownEmployee => "the address belonged to nobody in a partner account",
            Self::NotPartnerEmployee => "the user was not flagged as partner employee",
            Self::PartnerNotInProgramme => "your company was not in the programme",
            Self::OwnAccount => "it was done in your own account",
            Self::UnknownAction => "the programme does not know this kind of action",
            Self::NonQualifyingAction => "this kind of action does not qualify",
            Self::NotHuman => "no person did it",
            Self::NoUserInClient => "the person was not a user of the client account",
            Self::UserDeactivated => "the person's user in the client account was deactivated",
            Self::NotAssigned => "the client was not assigned to the person",
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

/// Judges an activity with everything that is known about its occur time (R7, R22, R61). That it was voided is no matter
/// of access or policy: the judgement of a voided one is [`Judgement::voided`].
///
/// The history must hold the changes of the client, of everybody with the address, and of their partners. Where several
/// partners employ the address, at most one is attributed: one for whom it counts before one for whom it does not, then
/// the one for whom the later reason stands against it, then the one whose domain matches, then the one to whom the
/// client was assigned earlier, then the lower hub id.
#[must_use]
pub fn judge(activity: &Activity, history: &AccessHistory, policy: &Policy) -> Judgement {
    let question = Question::of_activity(activity, history, policy);
    question.judgement(question.best_candidate(), policy)
}

/// For which partner qualifying work that a person with an address does in a client account at an instant counts; none
/// where it does not count. The history is that of [`judge`].
pub(crate) fn partner_of_qualifying_work(
    place: (HubId, &EmailAddress),
    at: Instant,
    history: &AccessHistory,
) -> Option<HubId> {
    let question = Question::of_qualifying_work(place, at, history);
    let employee = question.best_candidate()?;
    question.objections(Some(employee)).next().is_none().then_some(employee.partner)
}

#[cfg(test)]
mod tests;
