//! The levels of the programme that a partner can hold.

mod calendar;
mod certification;
mod evaluation;
mod history;
mod threshold;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use calendar::{
    evaluation_before, evaluation_on, is_reevaluation, next_evaluation, next_reevaluation, window_start,
};
pub use certification::{CertificationChange, CertificationHistory};
pub use evaluation::{EvaluationOutcome, HIGHEST_WITHOUT_INVITATION, HeldTier, TierEvaluation, TierSnapshot, evaluate};
pub use history::{CreditedTiers, TierChange, TierHistory};
pub use threshold::{Criterion, CriterionProgress, TierPoints, TierThreshold, performance_tier};

/// A level of the programme, lowest first: the order of the variants is the order of the levels. No tier at all is the
/// absence of this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// The lowest level.
    Gold,
    /// The level above Gold.
    Platinum,
    /// The level above Platinum.
    Diamond,
    /// The highest level, reached by invitation only (R105).
    Elite,
}

impl Tier {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::Gold, Self::Platinum, Self::Diamond, Self::Elite];

    /// The name that documents and the wire use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gold => "GOLD",
            Self::Platinum => "PLATINUM",
            Self::Diamond => "DIAMOND",
            Self::Elite => "ELITE",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text).ok_or(TierError)
    }
}

/// A text that names no tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a tier; a tier is GOLD, PLATINUM, DIAMOND or ELITE")]
pub struct TierError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_is_read_back_from_its_name() {
        for tier in Tier::ALL {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert_eq!("gold".parse::<Tier>(), Err(TierError));
    }

    #[test]
    fn tiers_are_ordered_from_gold_to_elite() {
        assert!(Tier::ALL.is_sorted());
    }
}
