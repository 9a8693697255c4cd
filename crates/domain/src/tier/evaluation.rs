//! What becomes of a partner's tier on the 15th of a month (R99 to R105).

use super::Tier;
use std::str::FromStr;

use super::calendar::{PROTECTED_MONTHS, is_reevaluation, window_start};
use super::threshold::TierPoints;
use crate::time::Instant;

/// The highest tier that points alone reach; the one above it is by invitation (R105).
pub const HIGHEST_WITHOUT_INVITATION: Tier = Tier::Diamond;

/// What a partner had at an evaluation; it is kept as it was found, whatever becomes known later (R104).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierSnapshot {
    /// The instant of the evaluation.
    pub time: Instant,
    /// The points, computed with the tiers that were held just before: so an evaluation does not depend on another.
    pub points: TierPoints,
    /// The highest tier whose points were reached, by the thresholds of that instant.
    pub met: Option<Tier>,
    /// Whether the certification was valid.
    pub certified: bool,
}

/// The tier that a partner holds, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeldTier {
    /// Absent means none.
    pub tier: Option<Tier>,
    /// Since when it has been held without a break; absent where no tier was ever recorded.
    pub since: Option<Instant>,
}

/// What an evaluation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvaluationOutcome {
    /// The partner goes up (R99).
    Raised,
    /// Nothing changes: it is not a day on which a tier may fall, its criteria were met in the window, or there is no tier
    /// that could fall.
    Kept,
    /// The criteria were not met in the window, but the tier was reached less than six months ago (R100).
    Protected,
    /// The partner falls to the highest tier that was met in the window, or to none (R100).
    Lowered,
    /// The certification was not valid on a re-evaluation day: the partner falls to no tier, whatever its points (R103).
    CertificationExpired,
}

/// A text that names no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an evaluation ends with RAISED, KEPT, PROTECTED, LOWERED or CERTIFICATION_EXPIRED")]
pub struct EvaluationOutcomeError;

impl EvaluationOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Raised, Self::Kept, Self::Protected, Self::Lowered, Self::CertificationExpired];

    /// The name in stored text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "RAISED",
            Self::Kept => "KEPT",
            Self::Protected => "PROTECTED",
            Self::Lowered => "LOWERED",
            Self::CertificationExpired => "CERTIFICATION_EXPIRED",
        }
    }
}

impl FromStr for EvaluationOutcome {
    type Err = EvaluationOutcomeError;

    fn from_str(text: &str) -> Result<Self, EvaluationOutcomeError> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(EvaluationOutcomeError)
    }
}

/// An evaluation of one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierEvaluation {
    /// The tier that was held just before.
    pub before: Option<Tier>,
    /// The tier that is held from the instant on.
    pub after: Option<Tier>,
    /// Why.
    pub outcome: EvaluationOutcome,
    /// Whether Elite's criteria are met by a partner that does not hold it: a person may grant it (R105).
    pub elite_eligible: bool,
}

impl TierSnapshot {
    /// The highest tier that it raises to.
    fn reached(&self) -> Option<Tier> {
        self.met.filter(|_| self.certified).map(|met| met.min(HIGHEST_WITHOUT_INVITATION))
    }

    /// Whether a person may grant Elite to a partner that holds `tier`.
    #[must_use]
    pub fn is_elite_eligible(&self, tier: Option<Tier>) -> bool {
        self.certified && self.met == Some(Tier::Elite) && tier != Some(Tier::Elite)
    }
}

/// Evaluates a partner at the instant of `today`, the snapshot of that instant.
///
/// `held` is what was held just before; `earlier` are the snapshots before today's, in any order. Elite is never reached
/// here, and kept as any other tier is.
#[must_use]
pub fn evaluate(held: HeldTier, earlier: &[TierSnapshot], today: &TierSnapshot) -> TierEvaluation {
    let (after, outcome) = decide(held, earlier, today);
    TierEvaluation { before: held.tier, after, outcome, elite_eligible: today.is_elite_eligible(after) }
}

fn decide(held: HeldTier, earlier: &[TierSnapshot], today: &TierSnapshot) -> (Option<Tier>, EvaluationOutcome) {
    if today.reached() > held.tier {
        return (today.reached(), EvaluationOutcome::Raised);
    }
    let Some(tier) = held.tier.filter(|_| is_reevaluation(today.time)) else {
        return (held.tier, EvaluationOutcome::Kept);
    };
    if !today.certified {
        return (None, EvaluationOutcome::CertificationExpired);
    }
    let met = highest_met_in_window(earlier, today);
    if met >= Some(tier) {
        (Some(tier), EvaluationOutcome::Kept)
    } else if is_protected(held, today.time) {
        (Some(tier), EvaluationOutcome::Protected)
    } else {
        (met, EvaluationOutcome::Lowered)
    }
}

fn highest_met_in_window(earlier: &[TierSnapshot], today: &TierSnapshot) -> Option<Tier> {
    let start = window_start(today.time);
    let within = earlier.iter().filter(|snapshot| start <= snapshot.time && snapshot.time < today.time);
    within.chain([today]).filter_map(|snapshot| snapshot.met).max()
}

fn is_protected(held: HeldTier, at: Instant) -> bool {
    let until = held.since.and_then(|since| since.checked_add_months(PROTECTED_MONTHS));
    until.is_some_and(|until| at < until)
}

#[cfg(test)]
mod tests;
