//! What a partner's tier at an instant follows from.

use domain::access::HubId;
use domain::credit::Terms;
use domain::tier::{
    CertificationHistory, CreditedTiers, HeldTier, TierSnapshot, evaluate, performance_tier, window_start,
};
use domain::time::Instant;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Loaded, RowFacts};
use super::point_facts::{all_point_facts, points_at};
use crate::CreditCalculation;
use crate::store::tiers::RecordedEvaluation;
use crate::store::{certifications, tiers};

/// The facts of a partner for every instant of a stretch of time.
#[derive(Debug)]
pub(super) struct TierFacts {
    pub partner: HubId,
    facts: Vec<RowFacts>,
    /// Of everybody who services one of the clients.
    pub tiers: CreditedTiers,
    pub certifications: CertificationHistory,
}

impl TierFacts {
    pub async fn load(
        transaction: &ReadTransaction,
        partner: HubId,
        stretch: (Instant, Instant),
    ) -> Result<Self, ServiceError> {
        let Loaded { facts, tiers } = all_point_facts(transaction, partner, stretch).await?;
        let certifications = certifications::history(&**transaction, partner).await?;
        Ok(Self { partner, facts, tiers, certifications })
    }

    /// The tier that the partner holds at an instant.
    pub fn held_at(&self, at: Instant) -> HeldTier {
        let history = self.tiers.history(self.partner);
        HeldTier {
            tier: history.and_then(|history| history.credited_at(at)),
            since: history.and_then(|history| history.credited_since(at)),
        }
    }

    /// What the partner has at an instant, with the tiers that are credited then.
    pub fn snapshot(&self, terms: Terms<'_>, at: Instant) -> TierSnapshot {
        let points = points_at(&self.facts, self.partner, terms, at).tier_points();
        let met = performance_tier(&points, terms.policy, at);
        TierSnapshot { time: at, points, met, certified: self.certifications.is_valid_at(at) }
    }

    /// The same facts with the tiers that were held just before an instant, as an evaluation then sees them (R104).
    pub fn before(self, at: Instant) -> Self {
        Self { tiers: self.tiers.held_before(at), ..self }
    }
}

impl CreditCalculation {
    /// The evaluation of a partner at an instant, by facts with the tiers held before it, and the earlier snapshots.
    pub(super) fn evaluated(&self, facts: &TierFacts, earlier: &[TierSnapshot], at: Instant) -> RecordedEvaluation {
        let snapshot = facts.snapshot(self.terms(&facts.tiers), at);
        let evaluation = evaluate(facts.held_at(at), earlier, &snapshot);
        let policy_digest = self.policy.digest().to_owned();
        RecordedEvaluation { partner: facts.partner, snapshot, evaluation, policy_digest, position: None }
    }
}

/// The evaluations of the window of a re-evaluation that were made by an instant.
pub(super) async fn window(
    transaction: &ReadTransaction,
    partner: HubId,
    reevaluation: Instant,
    by: Instant,
) -> Result<Vec<RecordedEvaluation>, ServiceError> {
    tiers::evaluations(&**transaction, partner, window_start(reevaluation), by).await
}
