//! Why a client counts for a partner, or does not, in words for the partner's manager (R126).
//!
//! Invariants: there is always a headline and a remedy; no text holds a rule id, the name of another partner, or the name
//! of a person who is not of this one (R127). Reasons of changes are told in the words of whoever gave them.

mod change;
mod conditions;
mod facts;
mod gather;
mod headline;
mod people;
mod prospect;
mod remedy;
mod view;
mod wording;

pub use change::{ChangeFacts, ChangedBy};
pub use facts::{
    ActivityFacts, AssignmentFacts, ClientFacts, CountedFacts, EmploymentFacts, EndingFacts, ExplanationFacts,
    NotCountedFacts, PartnerFacts, PersonChanges, PersonFacts,
};
pub use gather::ExplanationGrounds;
pub use prospect::Prospect;
pub use remedy::{Remedy, RemedyAim, RemedyPerson, RemedyStep, RemedyStepKind, RemedyTaker};
pub use view::PartnerView;

use super::loss::{CreditLoss, LossCause, MinimumFacts};
use super::managed_credit::NoCreditReason;
use crate::servicing::ServicingState;
use crate::time::Instant;
use crate::wording::{date_and_time, sentence};

/// The answer to "why?" for one partner, client and instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One sentence: what is so, since when, and by what.
    pub headline: String,
    /// Every condition of credit and points, in the order of [`ConditionKind::ALL`].
    pub conditions: Vec<Condition>,
    /// When and how the credit was lost; absent where there is some, or never was.
    pub loss: Option<Loss>,
    /// Who could do what so that there is credit again, or goes on being.
    pub remedy: Remedy,
    /// How many activities count at the instant.
    pub live_activities: u32,
    /// How many the partner needs, and by which tier (R57).
    pub minimum: MinimumFacts,
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
    /// It is known where the client is, and so what multiplies its points (R90).
    CountryKnown,
    /// The credit is shared in equal parts with everybody who earns (R5); always met, and said so that the sum is
    /// understood.
    EqualShare,
}

impl ConditionKind {
    /// Every condition, in the order in which they build on each other.
    pub const ALL: [Self; 15] = [
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
        Self::CountryKnown,
        Self::EqualShare,
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
            Self::CountryKnown => "R90",
            Self::EqualShare => "R5",
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
    /// The change by which it became so; absent where there was none, or it is no matter of access.
    pub change: Option<ChangeFacts>,
}

/// How a credit was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The first instant without credit.
    pub time: Instant,
    /// Why.
    pub cause: LossCause,
    /// By which change, where an ending is the cause.
    pub change: Option<ChangeFacts>,
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
            change: None,
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
        remedy: remedy::remedy(facts),
        live_activities: facts.relationship.live_activities,
        minimum: facts.minimum,
        loss,
    }
}

/// The last loss of the credit, where there is none now, with the activities that it is about.
fn loss(facts: &ExplanationFacts) -> Option<Loss> {
    let CreditLoss { time, cause } = facts.last_loss?;
    if matches!(facts.credit.no_credit_reason, None | Some(NoCreditReason::MrrUnknown)) {
        return None;
    }
    let stopped = |counted: &&CountedFacts| match cause {
        LossCause::Lapsed | LossCause::BelowMinimum => counted.expire_time == time,
        LossCause::Ended(_) => counted.activity.occur_time < time && time <= counted.expire_time,
        LossCause::MinimumRaised(_) | LossCause::NoPaidSubscription => false,
    };
    let concerned = facts.counted.iter().filter(stopped).filter(|counted| !facts.was_cut_off_before(counted, time));
    let ending = facts.ending_at(time).filter(|_| matches!(cause, LossCause::Ended(_)));
    Some(Loss {
        time,
        cause,
        change: ending.and_then(|ending| ending.change.clone()),
        activities: concerned.cloned().collect(),
    })
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

    /// Whether something that was done still counts, enough for the tier or not.
    fn is_serviced(&self) -> bool {
        matches!(self.relationship.state, ServicingState::Active | ServicingState::Expiring)
    }
}

#[cfg(test)]
mod tests;
