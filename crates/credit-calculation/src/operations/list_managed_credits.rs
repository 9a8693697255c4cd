//! The points breakdown of a partner (R120, R124), by pages.
//!
//! All rows of a query are computed for every page, because totals and most orders need them all: a fixed number of
//! queries per thousand clients. The search is made in memory on names that were folded when they arrived: no database
//! folds accents alike, and no text of a caller comes near SQL.

mod filter;
mod order;
mod page_token;
mod totals;

use std::collections::BTreeMap;

use domain::access::{HubId, folded};
use domain::credit::Terms;
use domain::time::Instant;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Loaded, Row, RowFacts, clients_of, load, settle};
use super::reading::{Basis, Question};
use crate::CreditCalculation;
use crate::store::clients::{self, KnownClient};

pub(crate) use filter::BreakdownFilter;
pub(crate) use order::BreakdownOrder;
use order::{Place, compare};
use page_token::PageToken;
pub(crate) use totals::Totals;

/// Which rows, in which order; the same for all pages.
#[derive(Debug, Clone)]
pub(crate) struct BreakdownQuery {
    pub partner: HubId,
    /// A part of the client's name, or its hub id; empty for all clients.
    pub search: String,
    pub filter: BreakdownFilter,
    pub order: BreakdownOrder,
    pub descending: bool,
    /// As stated; absent means the present of the first page.
    pub as_of: Option<Instant>,
}

/// A page, and what all pages have together.
#[derive(Debug)]
pub(crate) struct BreakdownPage {
    pub rows: Vec<Row>,
    /// Absent on the last page.
    pub next_page_token: Option<String>,
    pub totals: Totals,
    pub basis: Basis,
}

/// Which page of a query.
#[derive(Debug, Clone)]
pub(crate) struct PageStart(PageToken);

impl BreakdownQuery {
    /// The place that a token of this query names; a token of another query is none.
    pub fn page_start(&self, token: &str) -> Result<PageStart, page_token::PageTokenError> {
        PageToken::read(token, self).map(PageStart)
    }
}

impl CreditCalculation {
    pub(crate) async fn list_managed_credits(
        &self,
        query: &BreakdownQuery,
        start: Option<PageStart>,
        page_size: usize,
        question: Question,
    ) -> Result<BreakdownPage, ServiceError> {
        let token = start.map(|PageStart(token)| token);
        let as_of = token.as_ref().map(|token| token.as_of).or(query.as_of);
        let Question { actor, at_least, deadline, .. } = question;
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        self.require_partner(&transaction, &actor, query.partner).await?;
        let (found, known) = found_clients(&transaction, query, basis.as_of).await?;
        let stretch = (basis.as_of, basis.as_of);
        let Loaded { mut facts, tiers } = load(&transaction, query.partner, &found, known, stretch).await?;
        drop(transaction);

        let terms = self.terms(&tiers);
        let source = self.evidence_source(&actor, query.partner, &basis, deadline);
        if query.order.needs_settled() || query.filter.needs_settled() {
            facts = settle(facts, &source, terms).await?;
        }
        let Computed { mut rows, totals } = compute(facts, query, terms, basis.as_of);
        let first = token.map_or(0, |token| {
            rows.partition_point(|(place, _)| compare(place, &token.last, query.descending).is_le())
        });
        let page: Vec<_> = rows.drain(first..totals.rows.min(first.saturating_add(page_size))).collect();
        let has_more = first + page.len() < totals.rows;
        let next_page_token = page
            .last()
            .filter(|_| has_more)
            .map(|(last, _)| PageToken { as_of: basis.as_of, last: last.clone() }.write(query));
        let page = page.into_iter().map(|(_, facts)| facts).collect();
        let settled = settle(page, &source, terms).await?;
        let complete = self.with_last_activities(settled, &source).await?;
        let rows = complete.iter().map(|facts| facts.row(terms, basis.as_of)).collect();
        Ok(BreakdownPage { rows, next_page_token, totals, basis })
    }
}

/// All rows that the filter accepts in the order of the query, and their totals.
fn compute(facts: Vec<RowFacts>, query: &BreakdownQuery, terms: Terms<'_>, as_of: Instant) -> Computed {
    let mut totals = Totals::default();
    let mut rows = Vec::with_capacity(facts.len());
    for facts in facts {
        let row = facts.row(terms, as_of);
        if query.filter.accepts(&row, as_of) {
            totals.add(&row);
            rows.push((Place::of(&row, query.order), facts));
        }
    }
    rows.sort_by(|(one, _), (other, _)| compare(one, other, query.descending));
    Computed { rows, totals }
}

struct Computed {
    rows: Vec<(Place, RowFacts)>,
    totals: Totals,
}

/// The clients of the partner that the query searches for, and what is known of them.
async fn found_clients(
    transaction: &ReadTransaction,
    query: &BreakdownQuery,
    as_of: Instant,
) -> Result<(Vec<HubId>, BTreeMap<HubId, KnownClient>), ServiceError> {
    let mut found = clients_of(transaction, query.partner, as_of).await?;
    let known = clients::load(&**transaction, &found).await?;
    if !query.search.is_empty() {
        let searched = folded(&query.search);
        let is_named = |client: &HubId| known.get(client).is_some_and(|known| known.search_name.contains(&searched));
        let numbered: Option<HubId> = query.search.parse().ok();
        found.retain(|client| numbered == Some(*client) || is_named(client));
    }
    Ok((found, known))
}
