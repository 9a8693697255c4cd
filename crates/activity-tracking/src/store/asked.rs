//! Many pairs, or people in clients, asked about in one query: they are the rows of a table that exists only in it, and for
//! each of them what is asked is looked up.

use domain::access::{EmailAddress, HubId};
use domain::time::{Instant, Period};
use sea_orm::sea_query::{Expr, ExprTrait as _, IntoValueTuple, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult};
use service_kit::StoredInstant;

use super::{Pair, fill_up};

/// How many pairs or people one query asks about: four values each at most, within SQLite's 32,766 parameters.
const ASKED_PER_QUERY: usize = 1_000;

const ASKED: &str = "asked";

// Both databases name the columns of listed values so.
const CLIENT: &str = "column1";
const WHOSE: &str = "column2";
const SINCE: &str = "column3";
const UNTIL: &str = "column4";

/// No hub id.
const NOBODY: i64 = 0;

/// A person in a client.
pub(crate) type PersonInClient = (HubId, EmailAddress);

/// The rows of a query about these pairs or people, each of which is asked about in one of its runs.
pub(super) async fn ask<C: ConnectionTrait, T, R: FromQueryResult>(
    connection: &C,
    asked: &[T],
    query: impl Fn(&[T]) -> SelectStatement,
) -> Result<Vec<R>, DbErr> {
    let mut rows = Vec::new();
    for some in asked.chunks(ASKED_PER_QUERY) {
        for row in connection.query_all(&query(some)).await? {
            rows.push(R::from_query_result(&row, "")?);
        }
    }
    Ok(rows)
}

/// A select from these pairs, each with an instant that may be absent; from one of them to `ASKED_PER_QUERY`.
pub(super) fn from_pairs(pairs: &[(Pair, Option<Instant>)]) -> SelectStatement {
    let row = |(pair, since): &(Pair, Option<Instant>)| (pair.client.get(), pair.partner.get(), stored(*since));
    Query::select().from_values(pairs.iter().map(row), ASKED).take()
}

/// A select of the rows of a table that are of these pairs, whose client and partner are in these columns; from one pair to
/// `ASKED_PER_QUERY`.
pub(super) fn rows_of_pairs<E: EntityTrait>(
    entity: E,
    pairs: &[Pair],
    client: E::Column,
    partner: E::Column,
) -> SelectStatement {
    let rows = padded(pairs.iter().map(|pair| (pair.client.get(), pair.partner.get())), (NOBODY, NOBODY));
    select_asked(rows, entity, client, partner)
}

/// The same of pairs that each have a stretch of time (`is_in_asked_stretch`).
pub(super) fn rows_of_stretches<E: EntityTrait>(
    entity: E,
    stretches: &[(Pair, Period)],
    client: E::Column,
    partner: E::Column,
) -> SelectStatement {
    let row = |(pair, stretch): &(Pair, Period)| {
        // What has no end goes on behind everything that can be stored.
        let end = stored(stretch.end).unwrap_or(i64::MAX);
        (pair.client.get(), pair.partner.get(), StoredInstant::from(stretch.start).0, end)
    };
    select_asked(padded(stretches.iter().map(row), (NOBODY, NOBODY, 0, 0)), entity, client, partner)
}

fn select_asked<E: EntityTrait, V: IntoValueTuple>(
    rows: Vec<V>,
    entity: E,
    client: E::Column,
    partner: E::Column,
) -> SelectStatement {
    Query::select().from_values(rows, ASKED).join(JoinType::InnerJoin, entity, is_asked(client, partner)).take()
}

/// What is asked about, and then so often nobody that there are few sizes of few rows (`portions`).
fn padded<V: Copy>(asked: impl Iterator<Item = V>, nobody: V) -> Vec<V> {
    let mut rows: Vec<V> = asked.collect();
    fill_up(&mut rows, nobody);
    rows
}

/// A select from these people, each with an instant that may be absent; from one of them to `ASKED_PER_QUERY`.
pub(super) fn from_people(people: &[(PersonInClient, Option<Instant>)]) -> SelectStatement {
    let row = |((client, address), since): &(PersonInClient, Option<Instant>)| {
        (client.get(), address.to_string(), stored(*since))
    };
    Query::select().from_values(people.iter().map(row), ASKED).take()
}

fn stored(since: Option<Instant>) -> Option<i64> {
    since.map(|since| StoredInstant::from(since).0)
}

/// The client that is asked about.
pub(super) fn asked_client() -> Expr {
    Expr::col((ASKED, CLIENT))
}

/// The partner or the address that is asked about.
pub(super) fn asked_whose() -> Expr {
    Expr::col((ASKED, WHOSE))
}

/// The instant that comes with what is asked about.
pub(super) fn asked_since() -> Expr {
    Expr::col((ASKED, SINCE))
}

/// That an instant is in the stretch that is asked about.
pub(super) fn is_in_asked_stretch<C: ColumnTrait>(column: C) -> Condition {
    let since = column.into_expr().gte(asked_since());
    Condition::all().add(since).add(column.into_expr().lt(Expr::col((ASKED, UNTIL))))
}

/// That a row is of the asked client and partner or address, which it has in these columns.
pub(super) fn is_asked<C: ColumnTrait>(client: C, whose: C) -> Condition {
    Condition::all().add(client.into_expr().eq(asked_client())).add(whose.into_expr().eq(asked_whose()))
}
