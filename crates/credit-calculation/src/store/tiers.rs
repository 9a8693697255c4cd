//! Which tiers partners are credited with: what people granted, and what evaluations did.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::HubId;
use domain::money::Points;
use domain::tier::{
    CreditedTiers, EvaluationOutcome, Tier, TierChange, TierEvaluation, TierHistory, TierPoints, TierSnapshot,
};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, SimpleExpr};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant, position};

use super::own_facts::{OwnFact, Recorded, Row, hashed, optional};
use super::{hub_id, portions};
use crate::entity::{tier_evaluation, tier_grant};

/// An evaluation as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedEvaluation {
    pub partner: HubId,
    pub snapshot: TierSnapshot,
    pub evaluation: TierEvaluation,
    /// Of the policy that it was made by.
    pub policy_digest: String,
    /// Its position; absent where it is not recorded.
    pub position: Option<u64>,
}

/// A tier that a person granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub effective_time: Instant,
    pub position: u64,
    pub tier: Option<Tier>,
    pub actor: String,
    pub reason: String,
}

impl Row for tier_grant::Model {
    fn own_fact(&self) -> OwnFact {
        let Self { position, partner_id, effective_time, tier, reason, record_time, actor } = self;
        let tier = optional(tier.as_ref());
        let columns: [&dyn ToString; 6] = [partner_id, &effective_time.0, &tier, reason, &record_time.0, actor];
        OwnFact { position: *position, actor: actor.clone(), hashed: hashed("tier_grant", &columns) }
    }
}

impl Row for tier_evaluation::Model {
    fn own_fact(&self) -> OwnFact {
        let tiers = [&self.met_tier, &self.tier_before, &self.tier_after].map(|tier| optional(tier.as_ref()));
        let [met, before, after] = &tiers;
        let columns: [&dyn ToString; 15] = [
            &self.partner_id,
            &self.evaluation_time.0,
            &self.managed_points,
            &self.sold_points,
            &self.sourced_points,
            &self.clients_without_points,
            met,
            &self.certified,
            before,
            after,
            &self.outcome,
            &self.elite_eligible,
            &self.policy_digest,
            &self.record_time.0,
            &self.actor,
        ];
        let hashed = hashed("tier_evaluation", &columns);
        OwnFact { position: self.position, actor: self.actor.clone(), hashed }
    }
}

/// The row of a grant.
pub(crate) fn grant_row(
    partner: HubId,
    tier: Option<Tier>,
    effective_time: Instant,
    reason: &str,
    recorded: Recorded<'_>,
) -> tier_grant::Model {
    tier_grant::Model {
        position: recorded.position,
        partner_id: partner.get(),
        effective_time: effective_time.into(),
        tier: tier.map(|tier| tier.to_string()),
        reason: reason.to_owned(),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    }
}

pub(crate) async fn insert_grant<C: ConnectionTrait>(transaction: &C, row: tier_grant::Model) -> Result<(), DbErr> {
    tier_grant::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    Ok(())
}

/// The row of an evaluation.
pub(crate) fn evaluation_row(of: &RecordedEvaluation, recorded: Recorded<'_>) -> tier_evaluation::Model {
    let text = |tier: Option<Tier>| tier.map(|tier| tier.to_string());
    let TierPoints { managed, sold, sourced, clients_without_points } = of.snapshot.points;
    tier_evaluation::Model {
        position: recorded.position,
        partner_id: of.partner.get(),
        evaluation_time: of.snapshot.time.into(),
        managed_points: managed.0,
        sold_points: sold.0,
        sourced_points: sourced.0,
        clients_without_points,
        met_tier: text(of.snapshot.met),
        certified: of.snapshot.certified,
        tier_before: text(of.evaluation.before),
        tier_after: text(of.evaluation.after),
        outcome: of.evaluation.outcome.as_str().to_owned(),
        elite_eligible: of.evaluation.elite_eligible,
        policy_digest: of.policy_digest.clone(),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    }
}

pub(crate) async fn insert_evaluation<C: ConnectionTrait>(
    transaction: &C,
    row: tier_evaluation::Model,
) -> Result<(), DbErr> {
    tier_evaluation::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    Ok(())
}

/// The tiers of these partners over time.
pub(crate) async fn histories<C: ConnectionTrait>(
    connection: &C,
    partners: &BTreeSet<HubId>,
) -> Result<CreditedTiers, ServiceError> {
    let partners: Vec<HubId> = partners.iter().copied().collect();
    let mut changes = ChangesByPartner::new();
    for portion in portions(&partners) {
        let granted = tier_grant::Column::PartnerId.is_in(portion.clone());
        let evaluated = tier_evaluation::Column::PartnerId.is_in(portion);
        add_changes(connection, granted, evaluated, &mut changes).await?;
    }
    Ok(changes.into_iter().map(|(partner, changes)| (partner, TierHistory::from_changes(changes))).collect())
}

/// The tiers of everybody over time.
pub(crate) async fn all_histories<C: ConnectionTrait>(connection: &C) -> Result<CreditedTiers, ServiceError> {
    let everybody = || Expr::val(true);
    let mut changes = ChangesByPartner::new();
    add_changes(connection, everybody(), everybody(), &mut changes).await?;
    Ok(changes.into_iter().map(|(partner, changes)| (partner, TierHistory::from_changes(changes))).collect())
}

type ChangesByPartner = BTreeMap<HubId, Vec<TierChange>>;

async fn add_changes<C: ConnectionTrait>(
    connection: &C,
    granted: SimpleExpr,
    evaluated: SimpleExpr,
    changes: &mut ChangesByPartner,
) -> Result<(), ServiceError> {
    for row in tier_grant::Entity::find().filter(granted).all(connection).await? {
        let effective_time = row.effective_time.into();
        let change = TierChange { position: position(row.position), effective_time, tier: tier(row.tier)? };
        changes.entry(hub_id(row.partner_id)?).or_default().push(change);
    }
    // One that changed nothing says nothing of what is recorded for an earlier instant afterwards.
    use tier_evaluation::Column;
    let nothing = || Expr::val("");
    let after = Func::coalesce([Expr::col(Column::TierAfter), nothing()]);
    let before = Func::coalesce([Expr::col(Column::TierBefore), nothing()]);
    let changing = tier_evaluation::Entity::find().filter(evaluated).filter(Expr::from(after).ne(before));
    for row in changing.all(connection).await? {
        let effective_time = row.evaluation_time.into();
        let change = TierChange { position: position(row.position), effective_time, tier: tier(row.tier_after)? };
        changes.entry(hub_id(row.partner_id)?).or_default().push(change);
    }
    Ok(())
}

/// The evaluations of a partner from an instant on until another, itself included, in order.
pub(crate) async fn evaluations<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    from: Instant,
    to: Instant,
) -> Result<Vec<RecordedEvaluation>, ServiceError> {
    use tier_evaluation::{Column, Entity};
    let of_partner = Entity::find().filter(Column::PartnerId.eq(partner.get()));
    let within = of_partner
        .filter(Column::EvaluationTime.gte(StoredInstant::from(from)))
        .filter(Column::EvaluationTime.lte(StoredInstant::from(to)));
    within.order_by_asc(Column::EvaluationTime).all(connection).await?.into_iter().map(from_row).collect()
}

/// The partners that were evaluated at an instant.
pub(crate) async fn evaluated_at<C: ConnectionTrait>(
    connection: &C,
    at: Instant,
) -> Result<BTreeSet<HubId>, ServiceError> {
    use tier_evaluation::{Column, Entity};
    let of_instant = Entity::find().select_only().column(Column::PartnerId);
    let of_instant = of_instant.filter(Column::EvaluationTime.eq(StoredInstant::from(at)));
    let partners: Vec<i64> = of_instant.into_tuple().all(connection).await?;
    partners.into_iter().map(hub_id).collect()
}

/// Whether any partner was evaluated after an instant.
pub(crate) async fn is_evaluated_after<C: ConnectionTrait>(connection: &C, at: Instant) -> Result<bool, DbErr> {
    use tier_evaluation::{Column, Entity};
    let later = Entity::find().filter(Column::EvaluationTime.gt(StoredInstant::from(at)));
    Ok(later.one(connection).await?.is_some())
}

/// The last evaluation of any partner before an instant.
pub(crate) async fn last_evaluation_before<C: ConnectionTrait>(
    connection: &C,
    before: Instant,
) -> Result<Option<Instant>, DbErr> {
    use tier_evaluation::{Column, Entity};
    let earlier = Entity::find().filter(Column::EvaluationTime.lt(StoredInstant::from(before)));
    Ok(earlier.order_by_desc(Column::EvaluationTime).one(connection).await?.map(|row| row.evaluation_time.into()))
}

/// What was granted to a partner by an instant, in the order of time.
pub(crate) async fn grants<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    by: Instant,
) -> Result<Vec<Grant>, ServiceError> {
    use tier_grant::{Column, Entity};
    let of_partner = Entity::find().filter(Column::PartnerId.eq(partner.get()));
    let by_then = of_partner.filter(Column::EffectiveTime.lte(StoredInstant::from(by)));
    let rows = by_then.order_by_asc(Column::EffectiveTime).order_by_asc(Column::Position).all(connection).await?;
    let grants = rows.into_iter().map(|row| {
        Ok(Grant {
            effective_time: row.effective_time.into(),
            position: position(row.position),
            tier: tier(row.tier)?,
            actor: row.actor,
            reason: row.reason,
        })
    });
    grants.collect()
}

fn tier(stored: Option<String>) -> Result<Option<Tier>, ServiceError> {
    stored.map(|tier| tier.parse()).transpose().map_err(ServiceError::stored)
}

fn from_row(row: tier_evaluation::Model) -> Result<RecordedEvaluation, ServiceError> {
    let points = TierPoints {
        managed: Points(row.managed_points),
        sold: Points(row.sold_points),
        sourced: Points(row.sourced_points),
        clients_without_points: row.clients_without_points,
    };
    let snapshot =
        TierSnapshot { time: row.evaluation_time.into(), points, met: tier(row.met_tier)?, certified: row.certified };
    let evaluation = TierEvaluation {
        before: tier(row.tier_before)?,
        after: tier(row.tier_after)?,
        outcome: row.outcome.parse::<EvaluationOutcome>().map_err(ServiceError::stored)?,
        elite_eligible: row.elite_eligible,
    };
    Ok(RecordedEvaluation {
        partner: hub_id(row.partner_id)?,
        snapshot,
        evaluation,
        policy_digest: row.policy_digest,
        position: Some(position(row.position)),
    })
}
