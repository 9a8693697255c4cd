//! The points breakdown of a partner (R120, R124), by pages.
//!
//! All rows of a query are computed for every page, because totals and most orders need them all: from facts that are held
//! in memory, so that only what has changed is read. The search is made in memory on names that were folded when they arrived: no database
//! folds accents alike, and no text of a caller comes near SQL.

mod filter;
mod order;
mod page_token;
mod totals;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::{HubId, folded};
use domain::credit::Terms;
use domain::tier::CreditedTiers;
use domain::time::Instant;
use service_kit::ServiceError;

use super::breakdown::{PairFacts, Row, RowFacts, Settled, clients_of, load_pairs, settle, settlements};
use super::reading::{Basis, Question};
use crate::CreditCalculation;
use crate::kept::Wanted;
use crate::store::tiers;

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
        let reading = self.every_client(query.partner, Question { as_of, ..question.clone() }).await?;
        let EveryClient { pairs, tiers, basis } = &reading;

        let terms = self.terms(tiers);
        let source = self.evidence_source(&question.actor, query.partner, basis, question.deadline);
        let found = found_clients(pairs, query, basis.as_of);
        let settled = if query.order.needs_settled() || query.filter.needs_settled() {
            settlements(found.iter().map(|pair| &***pair), &source, terms).await?
        } else {
            BTreeMap::new()
        };
        let Computed { mut rows, totals } = compute(&found, &settled, query, terms, basis.as_of);
        if let Some(token) = token {
            rows.retain(|(place, _)| compare(place, &token.last, query.descending).is_gt());
        }
        let has_more = rows.len() > page_size;
        let page = first_of(rows, page_size, |(one, _), (other, _)| compare(one, other, query.descending));
        let next_page_token = page
            .last()
            .filter(|_| has_more)
            .map(|(last, _)| PageToken { as_of: basis.as_of, last: last.clone() }.write(query));
        let page = page.into_iter().map(|(_, pair)| RowFacts::from(Arc::clone(pair))).collect();
        let settled = settle(page, &source, terms).await?;
        let complete = self.with_last_activities(settled, &source).await?;
        let rows = complete.iter().map(|facts| facts.row(terms, basis.as_of)).collect();
        Ok(BreakdownPage { rows, next_page_token, totals, basis: reading.basis })
    }

    /// What is known of all clients with which a partner had anything to do by the instant, for an actor who may ask.
    async fn every_client(&self, partner: HubId, question: Question) -> Result<EveryClient, ServiceError> {
        let Question { actor, as_of, at_least, deadline } = question;
        self.wait_for(&at_least, deadline).await?;
        self.require_permission(self.database.connection(), &actor, partner).await?;
        if let Some(held) = self.held(partner, Wanted::Every, &at_least).await? {
            let basis = self.basis_of(&held.places, as_of);
            return Ok(EveryClient { pairs: held.pairs, tiers: held.tiers, basis });
        }
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        self.require_partner(&transaction, &actor, partner).await?;
        let clients = clients_of(&transaction, partner, basis.as_of).await?;
        let pairs = load_pairs(&transaction, partner, &clients).await?;
        let tiers = tiers::all_histories(&*transaction).await?;
        Ok(EveryClient { pairs: pairs.into(), tiers: Arc::new(tiers), basis })
    }
}

/// All clients of a partner, and perhaps some that were so later only.
struct EveryClient {
    pairs: Arc<[Arc<PairFacts>]>,
    tiers: Arc<CreditedTiers>,
    basis: Basis,
}

/// All rows that the filter accepts, in no order, and their totals.
fn compute<'facts>(
    found: &[&'facts Arc<PairFacts>],
    settled: &BTreeMap<HubId, Settled>,
    query: &BreakdownQuery,
    terms: Terms<'_>,
    as_of: Instant,
) -> Computed<'facts> {
    let mut totals = Totals::default();
    let mut rows = Vec::with_capacity(found.len());
    for pair in found {
        let row = pair.row(terms, as_of, settled.get(&pair.client()).copied());
        if query.filter.accepts(&row, as_of) {
            totals.add(&row);
            rows.push((Place::of(&row, query.order), *pair));
        }
    }
    Computed { rows, totals }
}

struct Computed<'facts> {
    rows: Vec<(Place, &'facts Arc<PairFacts>)>,
    totals: Totals,
}

/// The first of these in an order, sorted; the others are not.
fn first_of<T>(mut all: Vec<T>, count: usize, mut compare: impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    if count < all.len() {
        all.select_nth_unstable_by(count, &mut compare);
        all.truncate(count);
    }
    all.sort_unstable_by(compare);
    all
}

/// Those that were clients of the partner by then, and that the query searches for.
fn found_clients<'facts>(
    pairs: &'facts [Arc<PairFacts>],
    query: &BreakdownQuery,
    as_of: Instant,
) -> Vec<&'facts Arc<PairFacts>> {
    let clients = pairs.iter().filter(|pair| pair.since.is_some_and(|since| since <= as_of));
    if query.search.is_empty() {
        return clients.collect();
    }
    let searched = folded(&query.search);
    let is_named = |pair: &PairFacts| pair.known.as_ref().is_some_and(|known| known.search_name.contains(&searched));
    let numbered: Option<HubId> = query.search.parse().ok();
    clients.filter(|pair| numbered == Some(pair.client()) || is_named(pair)).collect()
}
