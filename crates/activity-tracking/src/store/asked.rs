//! Many pairs asked about in one query: they are the rows of a table that exists only in it, to which each lookup is made.

use domain::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};
use service_kit::StoredInstant;

use super::Pair;

/// How many pairs one query asks about: three values each, within SQLite's 32,766 parameters.
pub(super) const PAIRS_PER_QUERY: usize = 1_000;

const ASKED: &str = "asked";

// Both databases name the columns of listed values so.
const CLIENT: &str = "column1";
const PARTNER: &str = "column2";
const SINCE: &str = "column3";

/// A select from these pairs, each with an instant that may be absent, at most `PAIRS_PER_QUERY` of them and at least one.
pub(super) fn from_asked(pairs: &[(Pair, Option<Instant>)]) -> SelectStatement {
    let row = |(pair, since): &(Pair, Option<Instant>)| {
        (pair.client.get(), pair.partner.get(), since.map(|since| StoredInstant::from(since).0))
    };
    Query::select().from_values(pairs.iter().map(row), ASKED).take()
}

/// As `from_asked`, with the pair in the columns `client_id` and `partner_id`.
pub(super) fn pairs_from_asked(pairs: &[(Pair, Option<Instant>)]) -> SelectStatement {
    let mut query = from_asked(pairs);
    query.expr_as(Expr::col((ASKED, CLIENT)), "client_id").expr_as(Expr::col((ASKED, PARTNER)), "partner_id");
    query
}

/// That a row, with its client and its partner in these columns, is of the asked pair.
pub(super) fn is_of_asked<C: ColumnTrait>(client: C, partner: C) -> Condition {
    Condition::all().add(client.into_expr().equals((ASKED, CLIENT))).add(partner.into_expr().equals((ASKED, PARTNER)))
}

/// The instant of the asked pair.
pub(super) fn since_of_asked() -> Expr {
    Expr::col((ASKED, SINCE))
}
