//! The log of this service's own facts: tables of their own, positions and a hash over all of them together.

use domain::access::{Actor, EmailAddress};
use domain::time::Instant;
use prost::Message;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder as _, QuerySelect as _};
use service_kit::StoredInstant;

use crate::entity::{
    certification_change, sold_credit, sold_credit_voiding, statement, subscription_change, tier_evaluation, tier_grant,
};

/// When and by whom a fact is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded<'a> {
    pub position: i64,
    pub time: Instant,
    pub actor: &'a Actor,
}

/// A fact as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnFact {
    pub position: i64,
    pub actor: String,
    /// The bytes that the hash over the log is made of.
    pub hashed: Vec<u8>,
}

/// A row of one of the tables.
pub(crate) trait Row {
    fn own_fact(&self) -> OwnFact;
}

/// The bytes of a row that the hash over the log is made of: its table, and all columns but the position as text.
#[derive(Clone, PartialEq, Message)]
struct HashedRow {
    #[prost(string, tag = "1")]
    table: String,
    #[prost(string, repeated, tag = "2")]
    columns: Vec<String>,
}

pub(crate) fn hashed(table: &str, columns: &[&dyn ToString]) -> Vec<u8> {
    let columns = columns.iter().map(|column| column.to_string()).collect();
    HashedRow { table: table.to_owned(), columns }.encode_to_vec()
}

/// What may be absent, as text: nothing is told from every value by its length.
pub(crate) fn optional(value: Option<&String>) -> String {
    value.map(|value| format!("={value}")).unwrap_or_default()
}

/// The facts behind a position, in order, at most `limit`.
pub(crate) async fn page<C: ConnectionTrait>(connection: &C, after: i64, limit: u64) -> Result<Vec<OwnFact>, DbErr> {
    let mut facts = Vec::new();
    facts.extend(rows::<subscription_change::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<sold_credit::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<sold_credit_voiding::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<certification_change::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<tier_grant::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<tier_evaluation::Entity, _, C>(connection, after, limit).await?);
    facts.extend(rows::<statement::Entity, _, C>(connection, after, limit).await?);
    facts.sort_by_key(|fact| fact.position);
    facts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(facts)
}

async fn rows<E, M, C>(connection: &C, after: i64, limit: u64) -> Result<Vec<OwnFact>, DbErr>
where
    E: EntityTrait<Model = M>,
    M: Row + ModelTrait<Entity = E> + sea_orm::FromQueryResult + Send + Sync,
    C: ConnectionTrait,
{
    let position = Expr::col(sea_orm::sea_query::Alias::new("position"));
    let behind =
        E::find().filter(sea_orm::ExprTrait::gt(position.clone(), after)).order_by(position, sea_orm::Order::Asc);
    let rows = behind.limit(limit).all(connection).await?;
    Ok(rows.iter().map(Row::own_fact).collect())
}

/// When the last fact was recorded.
pub(crate) async fn last_record_time<C: ConnectionTrait>(connection: &C) -> Result<Option<Instant>, DbErr> {
    macro_rules! last {
        ($($table:ident),+) => {
            [$($table::Entity::find()
                .select_only()
                .column($table::Column::RecordTime)
                .order_by_desc($table::Column::Position)
                .limit(1)
                .into_tuple::<StoredInstant>()
                .one(connection)
                .await?),+]
        };
    }
    let last = last!(
        subscription_change,
        sold_credit,
        sold_credit_voiding,
        certification_change,
        tier_grant,
        tier_evaluation,
        statement
    );
    Ok(last.into_iter().flatten().max().map(Instant::from))
}

/// Makes the facts that one address recorded those of another (R128). The head's hash stays that of what was first recorded.
pub(crate) async fn replace_actor<C: ConnectionTrait>(
    transaction: &C,
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), DbErr> {
    macro_rules! replace {
        ($($table:ident),+) => {
            $($table::Entity::update_many()
                .col_expr($table::Column::Actor, Expr::val(to.as_str()))
                .filter($table::Column::Actor.eq(from.as_str()))
                .exec(transaction)
                .await?;)+
        };
    }
    replace!(
        subscription_change,
        sold_credit,
        sold_credit_voiding,
        certification_change,
        tier_grant,
        tier_evaluation,
        statement
    );
    Ok(())
}
