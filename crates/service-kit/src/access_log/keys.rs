//! What the log names, page by page, so that everything that is kept ready of it can be compared with it.

use std::collections::BTreeSet;

use domain::access::{AccessChange, EmployeeId};
use sea_orm::TryGetable;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, Order, Query, SelectStatement, UnionType};

use super::question::one_of;
use super::{change, entity};
use crate::ServiceError;

/// What changes name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Clients, by hub id.
    Clients,
    /// People, by address.
    Addresses,
    /// Employees who were given access links, by id.
    LinkedEmployees,
}

/// The next of what the log, or a column of an own table, names, at most `limit`, each once, in the database's order.
///
/// # Errors
/// The database fails.
pub async fn next_named<C, K, O>(
    connection: &C,
    named: Named,
    own: O,
    after: Option<&K>,
    limit: u64,
) -> Result<Vec<K>, DbErr>
where
    C: ConnectionTrait,
    K: TryGetable + Into<Value> + Clone,
    O: ColumnTrait,
{
    let mut in_log = match named {
        Named::Clients => distinct(entity::Column::ClientId, after, limit),
        Named::Addresses => distinct(entity::Column::Address, after, limit),
        Named::LinkedEmployees => distinct(entity::Column::SubjectId, after, limit),
    };
    if named == Named::LinkedEmployees {
        in_log.and_where(entity::Column::Kind.eq("access_link_created"));
    }
    let mut both = limited(in_log, "in_log");
    both.union(UnionType::Distinct, limited(distinct(own, after, limit), "own"));
    both.order_by_expr(Expr::cust("1"), Order::Asc).limit(limit);
    let rows = connection.query_all(&both).await?;
    rows.into_iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The next values of a column: each side of a union is limited by itself, so that no page reads all that is left.
fn distinct<O: ColumnTrait, K: Into<Value> + Clone>(column: O, after: Option<&K>, limit: u64) -> SelectStatement {
    let mut query = Query::select();
    query.distinct().expr_as(column.into_expr(), Alias::new("named")).from(column.entity_name());
    query.and_where(column.is_not_null()).order_by_expr(column.into_expr(), Order::Asc).limit(limit);
    if let Some(after) = after {
        query.and_where(column.gt(after.clone()));
    }
    query
}

fn limited(query: SelectStatement, name: &str) -> SelectStatement {
    let name = Alias::new(name);
    Query::select().column(Alias::new("named")).from_subquery(query, name).to_owned()
}

/// What the log says of the access links of these employees, in its order.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn access_link_changes<C: ConnectionTrait>(
    connection: &C,
    employees: &BTreeSet<EmployeeId>,
) -> Result<Vec<AccessChange>, ServiceError> {
    let kinds = ["access_link_created", "access_link_revoked", "access_link_approved"];
    let mut rows: Vec<entity::Model> = Vec::new();
    for portion in one_of(entity::Column::SubjectId, employees) {
        let found = entity::Entity::find().filter(portion).filter(entity::Column::Kind.is_in(kinds));
        rows.extend(found.all(connection).await?);
    }
    rows.sort_unstable_by_key(|row| row.position);
    rows.iter().map(change).collect()
}
