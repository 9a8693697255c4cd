//! Since when and until when partners are certified.

use domain::access::HubId;
use domain::tier::{CertificationChange, CertificationHistory};
use domain::time::Instant;
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use service_kit::{ServiceError, position};

use super::own_facts::{OwnFact, Recorded, Row, hashed};
use crate::entity::certification_change::{Column, Entity, Model};

impl Row for Model {
    fn own_fact(&self) -> OwnFact {
        let Self { position, partner_id, effective_time, expire_time, record_time, actor } = self;
        let columns: [&dyn ToString; 5] = [partner_id, &effective_time.0, &expire_time.0, &record_time.0, actor];
        OwnFact { position: *position, actor: actor.clone(), hashed: hashed("certification_change", &columns) }
    }
}

/// The row of a change.
pub(crate) fn row(partner: HubId, effective_time: Instant, expire_time: Instant, recorded: Recorded<'_>) -> Model {
    Model {
        position: recorded.position,
        partner_id: partner.get(),
        effective_time: effective_time.into(),
        expire_time: expire_time.into(),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    }
}

pub(crate) async fn insert<C: ConnectionTrait>(transaction: &C, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    Ok(())
}

/// The certification of a partner over time.
pub(crate) async fn history<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
) -> Result<CertificationHistory, ServiceError> {
    let rows = Entity::find().filter(Column::PartnerId.eq(partner.get())).all(connection).await?;
    Ok(CertificationHistory::from_changes(rows.into_iter().map(|row| CertificationChange {
        position: position(row.position),
        effective_time: row.effective_time.into(),
        expire_time: row.expire_time.into(),
    })))
}
