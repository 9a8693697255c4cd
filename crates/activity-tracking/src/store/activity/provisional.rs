//! Verdicts that were given while access-management could not be asked for its newest facts.

use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use crate::entity::activity::{Column, Entity};

/// Whether any verdict is marked as provisional.
pub(crate) async fn has_provisional<C: ConnectionTrait>(connection: &C) -> Result<bool, DbErr> {
    let marked: Option<i64> = Entity::find()
        .select_only()
        .column(Column::ClientId)
        .filter(Expr::col(Column::Provisional))
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(marked.is_some())
}

/// Takes the mark from all verdicts.
pub(crate) async fn clear_provisional<C: ConnectionTrait>(transaction: &C) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Provisional, Expr::val(false))
        .filter(Expr::col(Column::Provisional))
        .exec(transaction)
        .await?;
    Ok(())
}

/// How many verdicts are marked as provisional.
pub(crate) async fn count_provisional<C: ConnectionTrait>(connection: &C) -> Result<u64, DbErr> {
    Entity::find().filter(Expr::col(Column::Provisional)).count(connection).await
}
