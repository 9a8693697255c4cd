//! Under which policy everything here was judged.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, sea_query::OnConflict};

use crate::entity::judged_policy::{ActiveModel, Column, Entity};

/// The key of the only row.
const ONLY: i32 = 1;

/// The digest of the part of the policy that decides verdicts and periods; none before the first.
pub(crate) async fn activity_digest<C: ConnectionTrait>(connection: &C) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(ONLY).one(connection).await?.map(|row| row.activity_digest))
}

/// Stores the digest.
pub(crate) async fn store_activity_digest<C: ConnectionTrait>(transaction: &C, digest: &str) -> Result<(), DbErr> {
    let row = ActiveModel { id: Set(ONLY), activity_digest: Set(digest.to_owned()) };
    let replace = OnConflict::column(Column::Id).update_column(Column::ActivityDigest).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
    Ok(())
}
