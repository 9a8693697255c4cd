//! Which points a partner gained and lost between two instants, and by what (R122).

use std::collections::BTreeMap;

use domain::access::HubId;
use domain::credit::{PointChange, PointsCause, PointsTotal, point_changes};
use domain::money::Points;
use domain::time::Instant;
use service_kit::ServiceError;

use super::point_facts::ClientScope;
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
    pub display_name: Option<String>,
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
        // A start ahead of now, where no end is stated, is as if nothing happened yet.
        let stretch = |now: Instant| (start, end.unwrap_or(now).max(start));
        let loaded = self.point_facts(ClientScope { partner, client }, stretch, question).await?;
        let (from, to) = loaded.stretch;
        let terms = self.terms(&loaded.tiers);
        let (mut at_start, mut at_end) = (PointsTotal::default(), PointsTotal::default());
        let mut changes = Vec::new();
        for facts in &loaded.facts {
            let of_client = &facts.credit_facts;
            at_start.add(of_client.credit(partner, terms, from).points);
            at_end.add(of_client.credit(partner, terms, to).points);
            changes.extend(point_changes(of_client, partner, terms, from, to).into_iter().map(|change| {
                let display_name = facts.known.as_ref().map(|known| known.display_name.clone());
                ClientPointChange { client: of_client.client, display_name, change }
            }));
        }
        changes.sort_by_key(|each| (each.change.time, each.client, each.change.cause));
        let totals = totals(&changes);
        let (start_points, end_points) = (at_start.points, at_end.points);
        Ok(PointChanges { changes, start_points, end_points, totals, basis: loaded.basis })
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
