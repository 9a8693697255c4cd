//! Why a client counts for a partner, or does not, in words for the partner's manager (R126).
//!
//! Invariants: there is always a headline; there is a remedy exactly when there is no credit; no text holds a rule id,
//! the name of another partner, or the name of a person who is not of this one (R127).

mod conditions;
mod facts;
mod headline;
mod people;
mod remedy;
mod wording;

pub use facts::{
    ActivityFacts, AssignmentFacts, ClientFacts, CountedFacts, EmploymentFacts, ExplanationFacts, NotCountedFacts,
    PartnerFacts, PersonFacts,
};

use super::managed_credit::NoCreditReason;
use crate::servicing::{PeriodEndCause, ServicingState};
use crate::time::Instant;
use crate::wording::{date_and_time, sentence};

/// The answer to "why?" for one partner, client and instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One sentence: what is so, since when, and by what.
    pub headline: String,
    /// Every condition of credit and points, in the order of [`ConditionKind::ALL`].
    pub conditions: Vec<Condition>,
    /// When and how the partner stopped earning; absent where it earns or never did.
    pub loss: Option<Loss>,
    /// Who could do what so that there is credit; present exactly where there is none.
    pub remedy: Option<String>,
}

/// One condition of credit and points, and whether it is met.
///
/// The five about people are met while there is one person who meets them all up to this one. While something counts
/// that a person did, they are met by that: they speak of the instant at which it was done, whatever changed since
/// (R75).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which condition.
    pub kind: ConditionKind,
    /// The id of its rule, for example `R7a`.
    pub rule: &'static str,
    /// Whether it is met.
    pub status: ConditionStatus,
    /// Since when the status is what it is; absent where that is not known or has no meaning.
    pub since: Option<Instant>,
    /// One sentence that says what is so.
    pub statement: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What would help; only where it is not met.
    pub help: Option<String>,
}

/// The conditions of credit and points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionKind {
    /// The client is not the partner itself (R12).
    NotOwnAccount,
    /// The partner is in the programme.
    PartnerInProgramme,
    /// The user exists in the partner account (R7 a).
    EmployeeExists,
    /// It is flagged as partner employee (R20).
    EmployeeFlagged,
    /// The same person is a user of the client account (R7 c).
    UserInClient,
    /// That user is active (R39).
    UserActive,
    /// The client is assigned to the person (R7 b).
    ClientAssigned,
    /// A qualifying activity was counted (R7 d).
    QualifyingActivity,
    /// Nothing ended the relationship at once (R70, R71, R76).
    NotEnded,
    /// An activity still counts (R54, R55).
    NotExpired,
    /// As many count as the partner's tier needs (R57).
    ActivityMinimum,
    /// The client pays for a subscription (R11).
    PaidSubscription,
    /// The client's currency converts to points (R98).
    SupportedCurrency,
}

impl ConditionKind {
    /// Every condition, in the order in which they build on each other.
    pub const ALL: [Self; 13] = [
        Self::NotOwnAccount,
        Self::PartnerInProgramme,
        Self::EmployeeExists,
        Self::EmployeeFlagged,
        Self::UserInClient,
        Self::UserActive,
        Self::ClientAssigned,
        Self::QualifyingActivity,
        Self::NotEnded,
        Self::NotExpired,
        Self::ActivityMinimum,
        Self::PaidSubscription,
        Self::SupportedCurrency,
    ];

    /// The id of the rule that states the condition.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NotOwnAccount => "R12",
            Self::PartnerInProgramme => "R76",
            Self::EmployeeExists => "R7a",
            Self::EmployeeFlagged => "R20",
            Self::UserInClient => "R7c",
            Self::UserActive => "R39",
            Self::ClientAssigned => "R7b",
            Self::QualifyingActivity => "R7d",
            Self::NotEnded => "R70",
            Self::NotExpired => "R54",
            Self::ActivityMinimum => "R57",
            Self::PaidSubscription => "R11",
            Self::SupportedCurrency => "R98",
        }
    }
}

/// Whether a condition is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConditionStatus {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// It cannot be said: a fact is missing, or there is nothing that it could speak of (R127).
    Unknown,
}

/// Something that shows a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When it became so, or happened; absent where that is not known.
    pub time: Option<Instant>,
    /// In words.
    pub text: String,
}

/// How a partner stopped earning on a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The first instant without credit.
    pub time: Instant,
    /// Why.
    pub cause: PeriodEndCause,
    /// The activities that expired at that instant, or that counted until the ending cut them off; newest first, of
    /// those that the facts hold.
    pub activities: Vec<CountedFacts>,
}

impl Loss {
    /// What was lost with it, in words.
    pub fn evidence(&self) -> impl Iterator<Item = Evidence> {
        self.activities.iter().map(|counted| Evidence {
            time: Some(counted.activity.occur_time),
            text: sentence(format!(
                "{} counted until {}.",
                wording::activity(&counted.activity),
                date_and_time(counted.expire_time.min(self.time))
            )),
        })
    }
}

/// Explains the credit of one partner for one client at one instant.
#[must_use]
pub fn explain(facts: &ExplanationFacts) -> Explanation {
    let loss = loss(facts);
    Explanation {
        headline: sentence(headline::headline(facts, loss.as_ref())),
        conditions: conditions::conditions(facts),
        remedy: facts.credit.no_credit_reason.map(|reason| remedy::remedy(facts, reason)),
        loss,
    }
}

/// The end of the last period in which the partner earned, where it does not earn now.
fn loss(facts: &ExplanationFacts) -> Option<Loss> {
    if facts.is_own_account() || facts.earns() {
        return None;
    }
    let over = facts.earning_periods.iter().filter(|period| period.end <= facts.as_of);
    let last = over.max_by_key(|period| period.end)?;
    let concerned = facts.counted.iter().filter(|counted| {
        let stopped = match last.end_cause {
            PeriodEndCause::Lapsed => counted.expire_time == last.end,
            PeriodEndCause::Ended(_) => counted.activity.occur_time < last.end && last.end <= counted.expire_time,
        };
        stopped && !facts.was_cut_off_before(counted, last.end)
    });
    Some(Loss { time: last.end, cause: last.end_cause, activities: concerned.cloned().collect() })
}

impl ExplanationFacts {
    /// Whether the partner earns, whatever the client pays.
    fn earns(&self) -> bool {
        match self.credit.no_credit_reason {
            None | Some(NoCreditReason::NoPaidSubscription | NoCreditReason::MrrUnknown) => true,
            Some(
                NoCreditReason::OwnAccount
                | NoCreditReason::NotManaged
                | NoCreditReason::Lapsed
                | NoCreditReason::AllEmployeesRemoved
                | NoCreditReason::ServicesEnded
                | NoCreditReason::PartnerLeft
                | NoCreditReason::ClientClosed
                | NoCreditReason::TierActivityMinimum,
            ) => false,
        }
    }

    /// Since when the partner earns, or no longer does; absent where it never did.
    fn earning_since(&self) -> Option<Instant> {
        let turns = self.earning_periods.iter().flat_map(|period| [period.start, period.end]);
        turns.filter(|turn| *turn <= self.as_of).max()
    }

    /// Whether an ending cut the activity off before an instant (R73).
    fn was_cut_off_before(&self, counted: &CountedFacts, at: Instant) -> bool {
        self.endings.iter().any(|ending| counted.activity.occur_time < ending.time && ending.time < at)
    }

    /// Whether something that was done still counts, enough for the tier or not.
    fn is_serviced(&self) -> bool {
        matches!(self.relationship.state, ServicingState::Active | ServicingState::Expiring)
    }
}

#[cfg(test)]
mod tests;
