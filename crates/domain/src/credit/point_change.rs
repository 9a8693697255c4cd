//! Which points a partner gained and lost between two instants, and by what (R122).
//!
//! Where several causes fall on one instant, they are applied one after the other in the order of [`PointsCause`], each on
//! top of those before it; each is told the points that it changed. So the changes of a client add up exactly to the
//! difference between its points at the two instants.

use chrono::TimeDelta;

use super::credit_facts::{CreditFacts, Grounds, SaleGrounds, Terms};
use super::managed_credit::{ManagedCredit, PointsOutcome};
use crate::access::{EndingCause, HubId};
use crate::money::{Money, Points};
use crate::servicing::PeriodEndCause;
use crate::time::Instant;

/// Why points changed, in the order in which causes of one instant are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointsCause {
    /// Other units per point or another multiplier by the policy (R90).
    Policy,
    /// The client moved to another country, or its country became known (R90).
    Country,
    /// The client pays another amount (R2, R77).
    Mrr,
    /// The partner needs another number of activities: by its credited tier or by the policy (R57).
    TierMinimum,
    /// So many of the partner's activities count as are needed (R57).
    Activity,
    /// Too few of them are left that have not expired (R55, R57).
    Lapse,
    /// The relationship ended at once (R71, R76).
    Ending(EndingCause),
    /// Other partners began or stopped to earn, or the parts that are left over go to others (R5, R78, R97).
    Share,
    /// A sale no longer counts (R93).
    SaleRunOut,
    /// A sale was closed (R92).
    Sale,
}

/// Which points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointsKind {
    /// For servicing.
    Managed,
    /// For selling.
    Sold,
}

/// A change of the points that one client brings one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointChange {
    /// The first instant at which it holds.
    pub time: Instant,
    /// Which points; managed ones come first, each kind in the order of its causes.
    pub kind: PointsKind,
    /// By what.
    pub cause: PointsCause,
    /// The credit and points of this kind before this cause.
    pub before: CreditValue,
    /// The credit and points of this kind after it.
    pub after: CreditValue,
}

/// What a client is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditValue {
    /// The partner's share; absent where it is not known, and of sold points.
    pub credit: Option<Money>,
    /// The points.
    pub points: PointsOutcome,
}

impl PointChange {
    /// The points that were gained, or lost where it is below zero. What cannot be computed adds nothing to a total, so it
    /// counts as nothing here too.
    #[must_use]
    pub fn difference(&self) -> Points {
        Points(self.after.counted().0 - self.before.counted().0)
    }
}

impl CreditValue {
    /// The points that a total has of it.
    #[must_use]
    pub const fn counted(&self) -> Points {
        self.points.counted()
    }
}

impl From<&ManagedCredit> for CreditValue {
    fn from(credit: &ManagedCredit) -> Self {
        Self { credit: credit.credit, points: credit.points }
    }
}

/// The changes of the managed and sold points that a client brings a partner after `from` and not after `to`, in order. `facts` hold the periods of all
/// partners that overlap that time.
#[must_use]
pub fn point_changes(
    facts: &CreditFacts,
    partner: HubId,
    terms: Terms<'_>,
    from: Instant,
    to: Instant,
) -> Vec<PointChange> {
    let turns = facts.turns(terms, from, to);
    let at_once = |turn| managed_at(facts, partner, terms, turn).into_iter().chain(sold_at(facts, terms, turn));
    turns.into_iter().flat_map(at_once).collect()
}

/// The changes of managed points of one instant: from what was just before it, one cause after the other.
fn managed_at(facts: &CreditFacts, partner: HubId, terms: Terms<'_>, turn: Instant) -> Vec<PointChange> {
    let just_before = turn - TimeDelta::microseconds(1);
    let mut grounds = Grounds::of(just_before);
    let mut value = CreditValue::from(&facts.credit_on(partner, terms, grounds));
    let mut changes = Vec::new();
    for step in Step::IN_ORDER {
        step.take(&mut grounds, turn);
        let after = CreditValue::from(&facts.credit_on(partner, terms, grounds));
        if after != value {
            let cause = step.cause(facts, partner, terms, turn);
            changes.push(PointChange { time: turn, kind: PointsKind::Managed, cause, before: value, after });
        }
        value = after;
    }
    changes
}

/// One of the grounds of sold points.
type SaleGround = fn(&mut SaleGrounds) -> &mut Instant;

/// The changes of sold points of one instant, in the same way.
fn sold_at(facts: &CreditFacts, terms: Terms<'_>, turn: Instant) -> Vec<PointChange> {
    let mut grounds = SaleGrounds::of(turn - TimeDelta::microseconds(1));
    let value_on = |grounds| CreditValue { credit: None, points: facts.sold_points_on(terms, grounds) };
    let steps: [(PointsCause, SaleGround); 4] = [
        (PointsCause::Policy, |grounds| &mut grounds.numbers),
        (PointsCause::Country, |grounds| &mut grounds.country),
        (PointsCause::SaleRunOut, |grounds| &mut grounds.run_out),
        (PointsCause::Sale, |grounds| &mut grounds.closed),
    ];
    let mut value = value_on(grounds);
    let mut changes = Vec::new();
    for (cause, ground) in steps {
        *ground(&mut grounds) = turn;
        let after = value_on(grounds);
        if after != value {
            changes.push(PointChange { time: turn, kind: PointsKind::Sold, cause, before: value, after });
        }
        value = after;
    }
    changes
}

/// One of the grounds, as causes of one instant are applied.
#[derive(Debug, Clone, Copy)]
enum Step {
    Numbers,
    Country,
    Mrr,
    Minimum,
    OwnWork,
    Others,
}

impl Step {
    const IN_ORDER: [Self; 6] = [Self::Numbers, Self::Country, Self::Mrr, Self::Minimum, Self::OwnWork, Self::Others];

    fn take(self, grounds: &mut Grounds, turn: Instant) {
        let taken = match self {
            Self::Numbers => &mut grounds.numbers,
            Self::Country => &mut grounds.country,
            Self::Mrr => &mut grounds.mrr,
            Self::Minimum => &mut grounds.minimum,
            Self::OwnWork => &mut grounds.own_work,
            Self::Others => &mut grounds.others,
        };
        *taken = turn;
    }

    fn cause(self, facts: &CreditFacts, partner: HubId, terms: Terms<'_>, turn: Instant) -> PointsCause {
        match self {
            Self::Numbers => PointsCause::Policy,
            Self::Country => PointsCause::Country,
            Self::Mrr => PointsCause::Mrr,
            Self::Minimum => PointsCause::TierMinimum,
            Self::OwnWork => work_cause(facts, partner, terms.minimum_of(partner, turn), turn),
            Self::Others => PointsCause::Share,
        }
    }
}

/// What became of the partner's own work. A period that ends where the next one begins was ended, or it would go on.
fn work_cause(facts: &CreditFacts, partner: HubId, minimum: u32, turn: Instant) -> PointsCause {
    let periods = facts.servicing.get(&partner).map_or(&[][..], |work| work.periods_of(minimum));
    match periods.iter().find(|period| period.end == turn).map(|period| period.end_cause) {
        Some(PeriodEndCause::Lapsed) => PointsCause::Lapse,
        Some(PeriodEndCause::Ended(cause)) => PointsCause::Ending(cause),
        None => PointsCause::Activity,
    }
}

#[cfg(test)]
mod tests;
