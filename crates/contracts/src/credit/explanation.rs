//! Why a client brings credit, or none, on the wire (R126).

use domain::credit::{
    ChangeFacts, ChangedBy, Condition, ConditionKind, ConditionStatus, Evidence, Explanation, Loss, LossCause,
    MinimumChange, NoCreditReason, RemedyAim, RemedyStep, RemedyStepKind, RemedyTaker,
};

use crate::tier::tier_to_wire;
use crate::timestamp;
use crate::wire::credit as wire;

/// An explanation without the row that it explains.
impl From<Explanation> for wire::Explanation {
    fn from(explanation: Explanation) -> Self {
        Self {
            headline: explanation.headline,
            managed_credit: None,
            conditions: explanation.conditions.into_iter().map(Into::into).collect(),
            loss: explanation.loss.map(Into::into),
            remedy: explanation.remedy.text,
            remedy_aim: wire::RemedyAim::from(explanation.remedy.aim).into(),
            remedy_steps: explanation.remedy.steps.into_iter().map(Into::into).collect(),
            activity_minimum: Some(wire::ActivityMinimum {
                live_activities: count(explanation.live_activities),
                minimum: count(explanation.minimum.activities),
                credited_tier: tier_to_wire(explanation.minimum.tier).into(),
            }),
        }
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl From<ConditionKind> for wire::ConditionKind {
    fn from(kind: ConditionKind) -> Self {
        match kind {
            ConditionKind::NotOwnAccount => Self::NotOwnAccount,
            ConditionKind::PartnerInProgramme => Self::PartnerInProgramme,
            ConditionKind::EmployeeExists => Self::EmployeeExists,
            ConditionKind::EmployeeFlagged => Self::EmployeeFlagged,
            ConditionKind::UserInClient => Self::UserInClient,
            ConditionKind::UserActive => Self::UserActive,
            ConditionKind::ClientAssigned => Self::ClientAssigned,
            ConditionKind::QualifyingActivity => Self::QualifyingActivity,
            ConditionKind::NotEnded => Self::NotEnded,
            ConditionKind::NotExpired => Self::NotExpired,
            ConditionKind::ActivityMinimum => Self::ActivityMinimum,
            ConditionKind::PaidSubscription => Self::PaidSubscription,
            ConditionKind::SupportedCurrency => Self::SupportedCurrency,
            ConditionKind::CountryKnown => Self::CountryKnown,
            ConditionKind::EqualShare => Self::EqualShare,
        }
    }
}

impl From<ConditionStatus> for wire::ConditionStatus {
    fn from(status: ConditionStatus) -> Self {
        match status {
            ConditionStatus::Passed => Self::Passed,
            ConditionStatus::Failed => Self::Failed,
            ConditionStatus::Unknown => Self::Unknown,
        }
    }
}

impl From<Evidence> for wire::Evidence {
    fn from(evidence: Evidence) -> Self {
        Self { time: evidence.time.map(timestamp), text: evidence.text, change: evidence.change.map(Into::into) }
    }
}

impl From<Condition> for wire::Condition {
    fn from(condition: Condition) -> Self {
        Self {
            kind: wire::ConditionKind::from(condition.kind).into(),
            rule: condition.rule.to_owned(),
            status: wire::ConditionStatus::from(condition.status).into(),
            since_time: condition.since.map(timestamp),
            statement: condition.statement,
            evidence: condition.evidence.into_iter().map(Into::into).collect(),
            help: condition.help.unwrap_or_default(),
        }
    }
}

impl From<ChangeFacts> for wire::ChangeEvidence {
    fn from(change: ChangeFacts) -> Self {
        Self {
            author: wire::ChangeAuthor::from(&change.by).into(),
            colleague: change.by.colleague().unwrap_or_default().to_owned(),
            reason: change.reason,
            record_time: Some(timestamp(change.record_time)),
        }
    }
}

impl From<&ChangedBy> for wire::ChangeAuthor {
    fn from(by: &ChangedBy) -> Self {
        match by {
            ChangedBy::Colleague(_) => Self::Colleague,
            ChangedBy::Other => Self::Other,
            ChangedBy::Platform => Self::Platform,
            ChangedBy::PlatformForColleague(_) => Self::PlatformForColleague,
            ChangedBy::PlatformForOther => Self::PlatformForOther,
        }
    }
}

impl From<Loss> for wire::Loss {
    fn from(loss: Loss) -> Self {
        let minimum_change = match loss.cause {
            LossCause::MinimumRaised(change) => Some(change.into()),
            LossCause::Ended(_) | LossCause::Lapsed | LossCause::BelowMinimum | LossCause::NoPaidSubscription => None,
        };
        Self {
            lose_time: Some(timestamp(loss.time)),
            cause: wire::NoCreditReason::from(NoCreditReason::from(loss.cause)).into(),
            activities: loss.evidence().map(Into::into).collect(),
            change: loss.change.map(Into::into),
            minimum_change,
        }
    }
}

impl From<MinimumChange> for wire::MinimumChange {
    fn from(change: MinimumChange) -> Self {
        let MinimumChange { before, after } = change;
        Self {
            before: count(before.activities),
            after: count(after.activities),
            tier_before: tier_to_wire(before.tier).into(),
            tier_after: tier_to_wire(after.tier).into(),
        }
    }
}

impl From<RemedyAim> for wire::RemedyAim {
    fn from(aim: RemedyAim) -> Self {
        match aim {
            RemedyAim::Restore => Self::Restore,
            RemedyAim::Keep => Self::Keep,
        }
    }
}

impl From<RemedyStep> for wire::RemedyStep {
    fn from(step: RemedyStep) -> Self {
        let (email_address, display_name) =
            step.person.map(|person| (person.address.to_string(), person.display_name)).unwrap_or_default();
        Self {
            kind: wire::RemedyStepKind::from(step.kind).into(),
            taker: wire::RemedyTaker::from(step.kind.taker()).into(),
            email_address,
            display_name,
            activities: step.activities.map(count).unwrap_or_default(),
            before_time: step.before.map(timestamp),
            from_time: step.from.map(timestamp),
            text: step.text,
        }
    }
}

impl From<RemedyStepKind> for wire::RemedyStepKind {
    fn from(kind: RemedyStepKind) -> Self {
        match kind {
            RemedyStepKind::AddClient => Self::AddClient,
            RemedyStepKind::JoinProgramme => Self::JoinProgramme,
            RemedyStepKind::AddEmployee => Self::AddEmployee,
            RemedyStepKind::FlagEmployee => Self::FlagEmployee,
            RemedyStepKind::AddClientUser => Self::AddClientUser,
            RemedyStepKind::ReactivateClientUser => Self::ReactivateClientUser,
            RemedyStepKind::LinkClient => Self::LinkClient,
            RemedyStepKind::Work => Self::Work,
            RemedyStepKind::PaySubscription => Self::PaySubscription,
            RemedyStepKind::ReportSubscription => Self::ReportSubscription,
            RemedyStepKind::NothingHelps => Self::NothingHelps,
        }
    }
}

impl From<RemedyTaker> for wire::RemedyTaker {
    fn from(taker: RemedyTaker) -> Self {
        match taker {
            RemedyTaker::PartnerSuperAdmin => Self::PartnerSuperAdmin,
            RemedyTaker::ClientAccessManager => Self::ClientAccessManager,
            RemedyTaker::ClientAdmin => Self::ClientAdmin,
            RemedyTaker::Employee => Self::Employee,
            RemedyTaker::Client => Self::Client,
            RemedyTaker::Programme => Self::Programme,
            RemedyTaker::Nobody => Self::Nobody,
        }
    }
}
