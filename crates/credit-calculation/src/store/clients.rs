//! Client accounts as they are shown and searched.

use std::collections::BTreeMap;

use domain::access::{AccessChange, AccessFact, CountryCode, HubId, folded};
use domain::time::Instant;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use service_kit::ServiceError;

use super::portions;
use crate::entity::client::{ActiveModel, Column, Entity, Model};

/// A client that access-management has introduced.
#[derive(Debug, Clone)]
pub(crate) struct KnownClient {
    pub display_name: String,
    /// The name without case and accents.
    pub search_name: String,
    pub country: CountryCode,
    /// From when on it is known; its country is a fact from then on only (R63).
    pub since: Instant,
}

/// Keeps what these changes say of clients. A client is introduced once, so a repeat says the same.
pub(crate) async fn keep<C: ConnectionTrait>(transaction: &C, changes: &[AccessChange]) -> Result<(), DbErr> {
    let rows: Vec<_> = changes.iter().filter_map(introduced).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let known_already = OnConflict::column(Column::HubId).do_nothing().to_owned();
    Entity::insert_many(rows).on_conflict(known_already).exec_without_returning(transaction).await?;
    Ok(())
}

fn introduced(change: &AccessChange) -> Option<ActiveModel> {
    let AccessFact::ClientAdded { client, display_name, country } = &change.fact else { return None };
    Some(ActiveModel {
        hub_id: Set(client.get()),
        display_name: Set(display_name.clone()),
        search_name: Set(folded(display_name)),
        country_code: Set(country.to_string()),
        since_time: Set(change.effective_time.into()),
    })
}

/// Those of these clients that are known.
pub(crate) async fn load<C: ConnectionTrait>(
    connection: &C,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, KnownClient>, ServiceError> {
    let mut known = BTreeMap::new();
    for portion in portions(clients) {
        for row in Entity::find().filter(Column::HubId.is_in(portion)).all(connection).await? {
            known.insert(super::hub_id(row.hub_id)?, from_row(row)?);
        }
    }
    Ok(known)
}

fn from_row(row: Model) -> Result<KnownClient, ServiceError> {
    Ok(KnownClient {
        display_name: row.display_name,
        search_name: row.search_name,
        country: row.country_code.parse().map_err(ServiceError::stored)?,
        since: row.since_time.into(),
    })
}
