//! The points of a partner over time: past, present and forecast alike (R121).

use std::collections::BTreeMap;

use super::credit_facts::{CreditFacts, Terms};
use super::managed_credit::PointsOutcome;
use crate::access::HubId;
use crate::money::Points;
use crate::time::Instant;

/// The managed points of all clients together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PointsTotal {
    /// Of the clients that have points: a sum of rounded values (R96).
    pub points: Points,
    /// How many clients have none because they cannot be computed; they are not in the sum (R127).
    pub clients_without_points: i64,
}

impl PointsTotal {
    /// Adds what one client brings.
    pub fn add(&mut self, outcome: PointsOutcome) {
        self.change(outcome, 1);
    }

    fn change(&mut self, outcome: PointsOutcome, sign: i64) {
        match outcome {
            PointsOutcome::Known(points) => self.points.0 = self.points.0.saturating_add(sign * points.0),
            PointsOutcome::Absent(_) => self.clients_without_points += sign,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            points: Points(self.points.0.saturating_add(other.points.0)),
            clients_without_points: self.clients_without_points + other.clients_without_points,
        }
    }
}

/// How totals became others between two instants.
#[derive(Debug, Clone)]
pub struct PointsTimeline {
    from: Instant,
    at_start: PointsTotal,
    /// The difference to what was just before, by instant; none that is nothing.
    differences: BTreeMap<Instant, PointsTotal>,
}

impl PointsTimeline {
    /// The timeline of nothing, from an instant on.
    #[must_use]
    pub fn starting(from: Instant) -> Self {
        Self { from, at_start: PointsTotal::default(), differences: BTreeMap::new() }
    }

    /// Adds what a client brings a partner from the start until `to`. `facts` hold the periods of all partners that overlap
    /// that time.
    pub fn add_client(&mut self, facts: &CreditFacts, partner: HubId, terms: Terms<'_>, to: Instant) {
        let mut points = facts.credit(partner, terms, self.from).points;
        self.at_start.add(points);
        for turn in facts.turns(terms, self.from, to) {
            let after = facts.credit(partner, terms, turn).points;
            self.differ(turn, points, after);
            points = after;
        }
    }

    fn differ(&mut self, turn: Instant, before: PointsOutcome, after: PointsOutcome) {
        if before == after {
            return;
        }
        let difference = self.differences.entry(turn).or_default();
        difference.change(before, -1);
        difference.change(after, 1);
        if *difference == PointsTotal::default() {
            self.differences.remove(&turn);
        }
    }

    /// The totals at the start and from every instant on at which they became others.
    #[must_use]
    pub fn change_points(&self) -> Vec<(Instant, PointsTotal)> {
        let mut total = self.at_start;
        let later = self.differences.iter().map(|(turn, difference)| {
            total = total.plus(*difference);
            (*turn, total)
        });
        [(self.from, self.at_start)].into_iter().chain(later).collect()
    }

    /// The totals at these instants, which are in order and not before the start.
    #[must_use]
    pub fn at_each(&self, instants: impl IntoIterator<Item = Instant>) -> Vec<(Instant, PointsTotal)> {
        let mut total = self.at_start;
        let mut ahead = self.differences.iter().peekable();
        let mut sampled = Vec::new();
        for instant in instants {
            while let Some((_, difference)) = ahead.next_if(|(turn, _)| **turn <= instant) {
                total = total.plus(*difference);
            }
            sampled.push((instant, total));
        }
        sampled
    }
}
