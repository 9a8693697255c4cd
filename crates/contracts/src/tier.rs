//! Sold credit, certifications and tiers on the wire.

use domain::credit::SaleKind;
use domain::tier::{Criterion, CriterionProgress, EvaluationOutcome, Tier, TierPoints};

use crate::wire::credit as wire;

impl From<SaleKind> for wire::SaleKind {
    fn from(kind: SaleKind) -> Self {
        match kind {
            SaleKind::Sourced => Self::Sourced,
            SaleKind::Assisted => Self::Assisted,
        }
    }
}

/// The kind of a sale; nothing where none is stated.
#[must_use]
pub const fn sale_kind_from_wire(kind: wire::SaleKind) -> Option<SaleKind> {
    match kind {
        wire::SaleKind::Unspecified => None,
        wire::SaleKind::Sourced => Some(SaleKind::Sourced),
        wire::SaleKind::Assisted => Some(SaleKind::Assisted),
    }
}

/// A tier, or none.
#[must_use]
pub const fn tier_to_wire(tier: Option<Tier>) -> wire::Tier {
    match tier {
        None => wire::Tier::None,
        Some(Tier::Gold) => wire::Tier::Gold,
        Some(Tier::Platinum) => wire::Tier::Platinum,
        Some(Tier::Diamond) => wire::Tier::Diamond,
        Some(Tier::Elite) => wire::Tier::Elite,
    }
}

/// What a tier on the wire says: nothing, or a tier, or none.
#[must_use]
pub const fn tier_from_wire(tier: wire::Tier) -> Option<Option<Tier>> {
    match tier {
        wire::Tier::Unspecified => None,
        wire::Tier::None => Some(None),
        wire::Tier::Gold => Some(Some(Tier::Gold)),
        wire::Tier::Platinum => Some(Some(Tier::Platinum)),
        wire::Tier::Diamond => Some(Some(Tier::Diamond)),
        wire::Tier::Elite => Some(Some(Tier::Elite)),
    }
}

impl From<EvaluationOutcome> for wire::EvaluationOutcome {
    fn from(outcome: EvaluationOutcome) -> Self {
        match outcome {
            EvaluationOutcome::Raised => Self::Raised,
            EvaluationOutcome::Kept => Self::Kept,
            EvaluationOutcome::Protected => Self::Protected,
            EvaluationOutcome::Lowered => Self::Lowered,
            EvaluationOutcome::CertificationExpired => Self::CertificationExpired,
        }
    }
}

impl From<&TierPoints> for wire::TierPoints {
    fn from(points: &TierPoints) -> Self {
        Self {
            total_points: points.total().to_string(),
            managed_points: points.managed.to_string(),
            sold_points: points.sold.to_string(),
            sourced_points: points.sourced.to_string(),
            clients_without_points: i32::try_from(points.clients_without_points).unwrap_or(i32::MAX),
        }
    }
}

impl From<&CriterionProgress> for wire::TierCriterion {
    fn from(progress: &CriterionProgress) -> Self {
        let kind = match progress.criterion {
            Criterion::TotalPoints => wire::TierCriterionKind::TotalPoints,
            Criterion::SoldPoints => wire::TierCriterionKind::SoldPoints,
            Criterion::SourcedPoints => wire::TierCriterionKind::SourcedPoints,
            Criterion::ManagedPoints => wire::TierCriterionKind::ManagedPoints,
        };
        Self {
            kind: kind.into(),
            required_points: progress.required.to_string(),
            reached_points: progress.reached.to_string(),
            missing_points: progress.missing().to_string(),
        }
    }
}
