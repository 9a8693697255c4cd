//! Which tiers partners are credited with.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::HubId;
use domain::tier::{CreditedTiers, TierChange, TierHistory};
use sea_orm::entity::prelude::*;
use service_kit::{ServiceError, position};

use super::{hub_id, portions};
use crate::entity::tier_change::{Column, Entity, Model};

/// The tiers of these partners over time.
pub(crate) async fn histories<C: ConnectionTrait>(
    connection: &C,
    partners: &BTreeSet<HubId>,
) -> Result<CreditedTiers, ServiceError> {
    let partners: Vec<HubId> = partners.iter().copied().collect();
    let mut changes: BTreeMap<HubId, Vec<TierChange>> = BTreeMap::new();
    for portion in portions(&partners) {
        for row in Entity::find().filter(Column::PartnerId.is_in(portion)).all(connection).await? {
            changes.entry(hub_id(row.partner_id)?).or_default().push(from_row(row)?);
        }
    }
    Ok(changes.into_iter().map(|(partner, changes)| (partner, TierHistory::from_changes(changes))).collect())
}

fn from_row(row: Model) -> Result<TierChange, ServiceError> {
    Ok(TierChange {
        position: position(row.position),
        effective_time: row.effective_time.into(),
        tier: row.tier.map(|tier| tier.parse()).transpose().map_err(ServiceError::stored)?,
    })
}
