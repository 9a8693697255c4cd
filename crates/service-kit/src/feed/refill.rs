//! Copying a table from one database into another.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{IntoActiveModel, Iterable as _, QueryOrder as _, QuerySelect as _};

/// How many values one statement inserts, within SQLite's 32,766 parameters.
const VALUES_PER_STATEMENT: usize = 30_000;

/// The most rows that are read at once.
const MAXIMUM_ROWS_PER_PAGE: usize = 1_000;

/// Empties a table and fills it with the rows that it has in another database, page by page.
///
/// # Errors
/// A database fails.
pub async fn refill<E, A>(from: &impl ConnectionTrait, to: &impl ConnectionTrait) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + Send,
{
    E::delete_many().exec(to).await?;
    let rows_per_page = (VALUES_PER_STATEMENT / E::Column::iter().count()).min(MAXIMUM_ROWS_PER_PAGE);
    let mut last: Option<A> = None;
    loop {
        let rows = page::<E, A>(from, last.as_ref(), rows_per_page as u64).await?;
        let rows: Vec<A> = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
        let is_last = rows.len() < rows_per_page;
        last = rows.last().cloned();
        if last.is_some() {
            E::insert_many(rows).exec_without_returning(to).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// The rows behind one, in the order of the table's key.
async fn page<E, A>(from: &impl ConnectionTrait, last: Option<&A>, limit: u64) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    A: ActiveModelTrait<Entity = E>,
{
    let key: Vec<E::Column> = E::PrimaryKey::iter().map(|column| column.into_column()).collect();
    let mut query = E::find().limit(limit);
    if let Some(last) = last {
        let columns = key.iter().map(|column| SimpleExpr::from(Expr::col(*column)));
        let place = key.iter().filter_map(|column| last.get(*column).into_value()).map(SimpleExpr::from);
        query = query.filter(Expr::tuple(columns).gt(Expr::tuple(place)));
    }
    for column in key {
        query = query.order_by_asc(column);
    }
    query.all(from).await
}
