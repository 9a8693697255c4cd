//! What clients pay.

use std::collections::BTreeMap;

use domain::access::{Actor, HubId};
use domain::credit::{SubscriptionChange, SubscriptionHistory};
use domain::money::Money;
use domain::time::Instant;
use prost::Message;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use service_kit::feed::Head;
use service_kit::{ServiceError, position, stored_position};

use super::own_facts::{OwnFact, Row};
use super::{hub_id, portions};
use crate::entity::subscription_change::{ActiveModel, Column, Entity, Model};

/// The bytes of a change that the hash of the history is made of.
#[derive(Clone, PartialEq, Message)]
struct HashedChange {
    #[prost(int64, tag = "1")]
    client_id: i64,
    #[prost(string, tag = "2")]
    subscription_id: String,
    #[prost(int64, tag = "3")]
    effective_time_micros: i64,
    #[prost(int64, tag = "4")]
    record_time_micros: i64,
    #[prost(string, tag = "5")]
    actor: String,
    #[prost(string, tag = "6")]
    currency_code: String,
    #[prost(int64, tag = "7")]
    minor_units: i64,
}

impl Row for Model {
    fn own_fact(&self) -> OwnFact {
        OwnFact { position: self.position, actor: self.actor.clone(), hashed: hashed_bytes(self) }
    }
}

/// Appends a change, which has the head's next position; the head was locked in the same transaction.
pub(crate) async fn append<C: ConnectionTrait>(
    transaction: &C,
    head: &mut Head,
    client: HubId,
    change: &SubscriptionChange,
    record_time: Instant,
    actor: &Actor,
) -> Result<(), DbErr> {
    let row = Model {
        position: stored_position(change.position),
        client_id: client.get(),
        subscription_id: change.subscription.to_string(),
        effective_time: change.effective_time.into(),
        record_time: record_time.into(),
        actor: actor.to_string(),
        currency_code: change.mrr.currency.code().to_owned(),
        minor_units: change.mrr.minor_units,
    };
    head.advance(&hashed_bytes(&row));
    Entity::insert(inserted(row)).exec_without_returning(transaction).await?;
    Ok(())
}

/// The bytes of a change that the hash of the history is made of.
fn hashed_bytes(row: &Model) -> Vec<u8> {
    let hashed = HashedChange {
        client_id: row.client_id,
        subscription_id: row.subscription_id.clone(),
        effective_time_micros: row.effective_time.0,
        record_time_micros: row.record_time.0,
        actor: row.actor.clone(),
        currency_code: row.currency_code.clone(),
        minor_units: row.minor_units,
    };
    hashed.encode_to_vec()
}

fn inserted(row: Model) -> ActiveModel {
    ActiveModel {
        position: Set(row.position),
        client_id: Set(row.client_id),
        subscription_id: Set(row.subscription_id),
        effective_time: Set(row.effective_time),
        record_time: Set(row.record_time),
        actor: Set(row.actor),
        currency_code: Set(row.currency_code),
        minor_units: Set(row.minor_units),
    }
}

/// Every change of one client.
pub(crate) async fn history<C: ConnectionTrait>(
    connection: &C,
    client: HubId,
) -> Result<SubscriptionHistory, ServiceError> {
    Ok(histories(connection, &[client]).await?.remove(&client).unwrap_or_default())
}

/// Every change of these clients, of those that have any.
pub(crate) async fn histories<C: ConnectionTrait>(
    connection: &C,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, SubscriptionHistory>, ServiceError> {
    let mut changes: BTreeMap<HubId, Vec<SubscriptionChange>> = BTreeMap::new();
    for portion in portions(clients) {
        for row in Entity::find().filter(Column::ClientId.is_in(portion)).all(connection).await? {
            changes.entry(hub_id(row.client_id)?).or_default().push(from_row(row)?);
        }
    }
    Ok(changes.into_iter().map(|(client, changes)| (client, SubscriptionHistory::from_changes(changes))).collect())
}

fn from_row(row: Model) -> Result<SubscriptionChange, ServiceError> {
    Ok(SubscriptionChange {
        subscription: row.subscription_id.parse().map_err(ServiceError::stored)?,
        position: position(row.position),
        effective_time: row.effective_time.into(),
        mrr: Money { currency: row.currency_code.parse().map_err(ServiceError::stored)?, minor_units: row.minor_units },
    })
}
