//! Where a partner stands (R99 to R105, R123).

use domain::access::HubId;
use domain::tier::{
    CertificationChange, HeldTier, Tier, TierSnapshot, TierThreshold, next_evaluation, next_reevaluation,
};
use domain::time::Instant;
use service_kit::ServiceError;

use super::reading::{Basis, Question};
use super::tier_facts::{TierFacts, window};
use crate::CreditCalculation;
use crate::store::tiers::{self, Grant, RecordedEvaluation};

/// Where a partner stands at an instant.
#[derive(Debug)]
pub(crate) struct Standing {
    pub partner: HubId,
    pub held: HeldTier,
    pub held_by: Option<HeldBy>,
    /// Of the instant: points, the highest tier that they meet, the certification.
    pub now: TierSnapshot,
    pub certification: Option<CertificationChange>,
    pub thresholds: Vec<(Tier, TierThreshold)>,
    /// The evaluations of the running window.
    pub window: Vec<RecordedEvaluation>,
    pub next_evaluation: Option<Instant>,
    /// What the next re-evaluation would do if nothing else happened.
    pub next_reevaluation: Option<RecordedEvaluation>,
}

/// By what a tier is held.
#[derive(Debug, Clone)]
pub(crate) enum HeldBy {
    Evaluation(RecordedEvaluation),
    Grant(Grant),
}

impl CreditCalculation {
    /// `chosen` is the tier to say the progress to; absent means each.
    pub(crate) async fn get_tier_standing(
        &self,
        partner: HubId,
        chosen: Option<Tier>,
        question: Question,
    ) -> Result<(Standing, Basis), ServiceError> {
        let (transaction, basis) = self.begin_partner_reading(partner, &question).await?;
        let as_of = basis.as_of;
        let reevaluation = next_reevaluation(as_of);
        let facts = TierFacts::load(&transaction, partner, (as_of, reevaluation.unwrap_or(as_of))).await?;
        let window = match reevaluation {
            Some(reevaluation) => window(&transaction, partner, reevaluation, as_of).await?,
            None => Vec::new(),
        };
        let held = facts.held_at(as_of);
        let held_by = match held.since {
            Some(since) => held_by(&*transaction, partner, since).await?,
            None => None,
        };
        drop(transaction);
        let standing = Standing {
            partner,
            held,
            held_by,
            now: facts.snapshot(self.terms(&facts.tiers), as_of),
            certification: facts.certifications.at(as_of).copied(),
            thresholds: self.thresholds(chosen, as_of),
            next_evaluation: next_evaluation(as_of),
            next_reevaluation: reevaluation.map(|at| self.forecast(&facts, &window, as_of, at)),
            window,
        };
        Ok((standing, basis))
    }

    fn thresholds(&self, chosen: Option<Tier>, at: Instant) -> Vec<(Tier, TierThreshold)> {
        let asked = Tier::ALL.into_iter().filter(|tier| chosen.is_none_or(|chosen| chosen == *tier));
        asked.filter_map(|tier| Some((tier, *self.policy.tier_threshold_at(tier, at)?))).collect()
    }

    /// What a re-evaluation would do: the window's snapshots, and those that are ahead as if nothing else happened. All of
    /// them hold the tiers of now (R104).
    fn forecast(
        &self,
        facts: &TierFacts,
        window: &[RecordedEvaluation],
        as_of: Instant,
        reevaluation: Instant,
    ) -> RecordedEvaluation {
        let ahead = std::iter::successors(next_evaluation(as_of), |evaluation| next_evaluation(*evaluation));
        let ahead = ahead.take_while(|evaluation| *evaluation < reevaluation);
        let terms = self.terms(&facts.tiers);
        let ahead = ahead.map(|evaluation| facts.snapshot(terms, evaluation));
        let earlier: Vec<_> = window.iter().map(|made| made.snapshot).chain(ahead).collect();
        self.evaluated(facts, &earlier, reevaluation)
    }
}

/// What made the tier that has been held since an instant.
async fn held_by(
    connection: &impl sea_orm::ConnectionTrait,
    partner: HubId,
    since: Instant,
) -> Result<Option<HeldBy>, ServiceError> {
    let granted = tiers::grants(connection, partner, since).await?.pop().filter(|grant| grant.effective_time == since);
    let evaluated = tiers::evaluations(connection, partner, since, since).await?.pop();
    let evaluated = evaluated.filter(|evaluated| evaluated.evaluation.before != evaluated.evaluation.after);
    let granted_last =
        granted.as_ref().map(|grant| Some(grant.position)) > evaluated.as_ref().map(|made| made.position);
    Ok(if granted_last { granted.map(HeldBy::Grant) } else { evaluated.map(HeldBy::Evaluation) })
}
