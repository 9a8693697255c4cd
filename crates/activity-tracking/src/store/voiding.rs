//! Who took activities back, when and why (R62).

use std::collections::{BTreeMap, BTreeSet};

use contracts::ActivityName;
use domain::access::{Actor, EmailAddress};
use domain::activity::Voiding;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, Condition, QuerySelect as _};
use service_kit::ServiceError;

use super::{ALTERNATIVES_PER_QUERY, Stretch, hub_id, named};
use crate::entity::voiding::{ActiveModel, Column, Entity, Model};

/// The voidings of those of these activities that are voided.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    names: &BTreeSet<ActivityName>,
) -> Result<BTreeMap<ActivityName, Voiding>, ServiceError> {
    let mut found = BTreeMap::new();
    for some in named(Column::ClientId, Column::ActivityId, names).chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().cloned().fold(Condition::any(), Condition::add);
        for row in Entity::find().filter(any).all(connection).await? {
            let activity = row.activity_id.parse().map_err(ServiceError::stored)?;
            found.insert(ActivityName { client: hub_id(row.client_id)?, activity }, voiding(row)?);
        }
    }
    Ok(found)
}

/// The activities of a stretch of clients that are voided.
pub(crate) async fn of_stretch<C: ConnectionTrait>(
    connection: &C,
    stretch: Stretch,
) -> Result<BTreeSet<ActivityName>, ServiceError> {
    let names = Entity::find().select_only().columns([Column::ClientId, Column::ActivityId]);
    let names: Vec<(i64, String)> = names.filter(stretch.of(Column::ClientId)).into_tuple().all(connection).await?;
    let name = |(client, activity): (i64, String)| {
        Ok(ActivityName { client: hub_id(client)?, activity: activity.parse().map_err(ServiceError::stored)? })
    };
    names.into_iter().map(name).collect()
}

/// Stores that an activity was taken back.
pub(crate) async fn insert<C: ConnectionTrait>(
    transaction: &C,
    name: &ActivityName,
    voiding: &Voiding,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        client_id: Set(name.client.get()),
        activity_id: Set(name.activity.to_string()),
        actor: Set(voiding.actor.to_string()),
        on_behalf_of: Set(voiding.on_behalf_of.as_ref().map(ToString::to_string)),
        reason: Set(voiding.reason.clone()),
        record_time: Set(voiding.time.into()),
    };
    Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Makes whoever was named by one address named by another (R128). A reason may name them too, and is emptied.
pub(crate) async fn replace_address<C: ConnectionTrait>(
    transaction: &C,
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), DbErr> {
    for column in [Column::Actor, Column::OnBehalfOf] {
        Entity::update_many()
            .col_expr(column, Expr::value(to.as_str()))
            .col_expr(Column::Reason, Expr::value(""))
            .filter(column.eq(from.as_str()))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// Empties why these activities were taken back: it may name who did them (R128).
pub(crate) async fn empty_reasons<C: ConnectionTrait>(
    transaction: &C,
    names: &BTreeSet<ActivityName>,
) -> Result<(), DbErr> {
    for some in named(Column::ClientId, Column::ActivityId, names).chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().cloned().fold(Condition::any(), Condition::add);
        Entity::update_many().col_expr(Column::Reason, Expr::value("")).filter(any).exec(transaction).await?;
    }
    Ok(())
}

fn voiding(row: Model) -> Result<Voiding, ServiceError> {
    let on_behalf_of = row.on_behalf_of.map(|address| address.parse()).transpose();
    Ok(Voiding {
        time: row.record_time.into(),
        actor: actor(&row.actor)?,
        on_behalf_of: on_behalf_of.map_err(ServiceError::stored)?,
        reason: row.reason,
    })
}

fn actor(stored: &str) -> Result<Actor, ServiceError> {
    if stored == Actor::Platform.to_string() {
        return Ok(Actor::Platform);
    }
    stored.parse().map(Actor::Person).map_err(ServiceError::stored)
}
