//! The changes of the servicing feed.

use contracts::wire::activity as wire;
use contracts::{Feed, ServicingChange};
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};
use service_kit::feed::{Head, lock_head, store_head};
use service_kit::{ServiceError, TraceParent, stored_position};

use super::period::PeriodsByMinimum;
use super::{Pair, portions};
use crate::entity::servicing_change::{ActiveModel, Column, Entity};

/// What is different for a pair.
#[derive(Debug)]
pub(crate) struct NewChange {
    pub pair: Pair,
    pub periods: PeriodsByMinimum,
    pub last_activity_time: Option<Instant>,
    pub cause: TraceParent,
}

/// Appends changes to the feed. Its head is locked here, after everything else that the transaction locks, so that
/// positions are given out in the order of commits and nobody waits longer than for a commit.
pub(crate) async fn append<C: ConnectionTrait>(
    transaction: &C,
    changes: Vec<NewChange>,
    record_time: Instant,
) -> Result<Head, DbErr> {
    let mut head = lock_head(transaction, Feed::Servicing).await?;
    let mut rows = Vec::with_capacity(changes.len());
    for NewChange { pair, periods, last_activity_time, cause } in changes {
        let Pair { client, partner } = pair;
        let position = head.next_position();
        let change = ServicingChange { position, partner, client, periods, last_activity_time, record_time };
        let mut message = wire::ServicingChange::from(&change);
        message.trace_parent = cause.as_str().to_owned();
        let payload = message.encode_to_vec();
        head.advance(&payload);
        rows.push(ActiveModel {
            position: Set(stored_position(position)),
            client_id: Set(client.get()),
            partner_id: Set(partner.get()),
            record_time: Set(record_time.into()),
            payload: Set(payload),
            chain_hash: Set(head.chain_hash.clone()),
        });
    }
    for some in portions(&rows) {
        Entity::insert_many(some.to_vec()).exec_without_returning(transaction).await?;
    }
    store_head(transaction, &head).await?;
    Ok(head)
}

/// The changes after a position, in order, at most `limit`, as the feed sends them.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    after: u64,
    limit: u64,
) -> Result<Vec<wire::ServicingChange>, ServiceError> {
    let rows = Entity::find()
        .filter(Column::Position.gt(stored_position(after)))
        .order_by_asc(Column::Position)
        .limit(limit)
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let mut message = wire::ServicingChange::decode(row.payload.as_slice())?;
            message.chain_hash = row.chain_hash;
            Ok(message)
        })
        .collect()
}

/// The hash over the feed's history up to a position; nothing where there is no such change.
pub(crate) async fn chain_hash_at<C: ConnectionTrait>(connection: &C, at: u64) -> Result<Option<Vec<u8>>, DbErr> {
    let row = Entity::find_by_id(stored_position(at)).one(connection).await?;
    Ok(row.map(|row| row.chain_hash))
}
