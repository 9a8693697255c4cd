//! Which points a partner gained and lost between two instants, and by what (R122).

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::HubId;
use domain::credit::{PointChange, PointsCause, point_changes};
use domain::money::Points;
use domain::time::Instant;
use service_kit::ServiceError;

use super::breakdown::Loaded;
use super::point_facts::{all_point_facts, client_point_facts, points_at};
use super::reading::{Basis, Question};
use crate::CreditCalculation;

/// Which changes are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangesQuery {
    pub partner: HubId,
    /// Absent means all.
    pub client: Option<HubId>,
    /// Those after it.
    pub start: Instant,
    /// Those not after it; absent means now.
    pub end: Option<Instant>,
}

/// A change of what one client brings.
#[derive(Debug, Clone)]
pub(crate) struct ClientPointChange {
    pub client: HubId,
    /// Absent while access-management has not introduced the client.
    pub display_name: Option<Arc<str>>,
    pub change: PointChange,
}

/// What one cause gained and lost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GainedAndLost {
    pub gained: Points,
    /// Not below zero.
    pub lost: Points,
    pub changes: usize,
}

/// All changes between two instants, and what they make of the points of the first.
#[derive(Debug)]
pub(crate) struct PointChanges {
    /// In order of time, then client, then cause.
    pub changes: Vec<ClientPointChange>,
    pub start_points: Points,
    pub end_points: Points,
    pub totals: BTreeMap<PointsCause, GainedAndLost>,
    pub basis: Basis,
}

impl CreditCalculation {
    pub(crate) async fn list_point_changes(
        &self,
        query: ChangesQuery,
        question: Question,
    ) -> Result<PointChanges, ServiceError> {
        let ChangesQuery { partner, client, start, end } = query;
        let (transaction, basis) = self.begin_partner_reading(partner, &question).await?;
        // A start ahead of now, where no end is stated, is as if nothing happened yet.
        let (from, to) = (start, end.unwrap_or(basis.calculation_time).max(start));
        let Loaded { facts, tiers } = match client {
            Some(client) => client_point_facts(&transaction, partner, client, &question, (from, to)).await?,
            None => all_point_facts(&transaction, partner, (from, to)).await?,
        };
        drop(transaction);
        let terms = self.terms(&tiers);
        let mut changes = Vec::new();
        for facts in &facts {
            let of_client = &facts.credit_facts;
            changes.extend(point_changes(of_client, partner, terms, from, to).into_iter().map(|change| {
                let display_name = facts.known.as_ref().map(|known| known.display_name.clone());
                ClientPointChange { client: of_client.client, display_name, change }
            }));
        }
        changes.sort_by_key(|each| (each.change.time, each.client, each.change.kind, each.change.cause));
        let totals = totals(&changes);
        let [start_points, end_points] = [from, to].map(|at| points_at(&facts, partner, terms, at).total());
        let basis = Basis { as_of: to, ..basis };
        Ok(PointChanges { changes, start_points, end_points, totals, basis })
    }
}

fn totals(changes: &[ClientPointChange]) -> BTreeMap<PointsCause, GainedAndLost> {
    let mut totals: BTreeMap<PointsCause, GainedAndLost> = BTreeMap::new();
    for ClientPointChange { change, .. } in changes {
        let total = totals.entry(change.cause).or_default();
        let Points(difference) = change.difference();
        total.gained.0 = total.gained.0.saturating_add(difference.max(0));
        total.lost.0 = total.lost.0.saturating_sub(difference.min(0));
        total.changes += 1;
    }
    totals
}
