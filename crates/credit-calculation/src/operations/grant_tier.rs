//! A person credits a partner with a tier: Elite by invitation (R105), or what is held already.

use contracts::wire::credit as wire;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, PartnerName, Revision, tier_to_wire, timestamp};
use domain::access::HubId;
use domain::tier::Tier;
use domain::time::Instant;
use service_kit::{ReadTransaction, ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::tier_facts::TierFacts;
use crate::CreditCalculation;
use crate::evidence::Deadline;
use crate::store::tiers;

/// What is granted to whom.
#[derive(Debug, Clone)]
pub(crate) struct TierGrant {
    pub partner: HubId,
    /// Absent takes the tier that is held.
    pub tier: Option<Tier>,
    /// Also where the partner lacks the points or the certification.
    pub override_criteria: bool,
    /// What the criteria must be judged by.
    pub at_least: Vec<Revision>,
    pub deadline: Deadline,
}

impl CreditCalculation {
    pub(crate) async fn grant_tier(
        &self,
        grant: TierGrant,
        statement: Statement,
    ) -> Result<wire::GrantTierResponse, ServiceError> {
        let TierGrant { partner, tier, override_criteria, at_least, deadline } = grant;
        let (stated_time, reason) = (statement.effective_time, statement.reason.clone());
        if let Some(tier) = tier.filter(|_| !override_criteria) {
            let at = stated_time.unwrap_or(self.clock.now());
            let (transaction, _) = self.begin_reading(&at_least, Some(at), deadline).await?;
            self.require_reached(&transaction, partner, tier, at).await?;
        }
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let effective_time = stated_time.unwrap_or(recording.now);
        let row = tiers::grant_row(partner, tier, effective_time, &reason, recording.next());
        tiers::insert_grant(&**recording.append(&row), row).await?;
        let answer = wire::GrantTierResponse {
            credited_tier: tier_to_wire(tier).into(),
            effective_time: Some(timestamp(effective_time)),
            revision: recording.revision().to_string(),
        };
        recording.commit(answer).await
    }

    /// Refuses a tier whose points or certification the partner lacks at an instant (R99).
    async fn require_reached(
        &self,
        transaction: &ReadTransaction,
        partner: HubId,
        tier: Tier,
        at: Instant,
    ) -> Result<(), ServiceError> {
        let facts = TierFacts::load(transaction, partner, (at, at)).await?;
        let snapshot = facts.snapshot(self.terms(&facts.tiers), at);
        let missing = match (snapshot.met >= Some(tier), snapshot.certified) {
            (true, true) => return Ok(()),
            (true, false) => "a valid certification",
            (false, true) => "the points",
            (false, false) => "the points and a valid certification",
        };
        let name = PartnerName(partner);
        let message = format!(
            "{name} lacks {missing} for {tier} at {}; `override_criteria` grants it nevertheless",
            at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
        );
        Err(Failure::new(ErrorReason::TierNotReached, message).into())
    }
}
