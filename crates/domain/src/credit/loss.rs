//! When a client's credit was lost, and by what (R126).

use chrono::TimeDelta;

use super::credit_facts::{CreditFacts, Terms};
use super::managed_credit::NoCreditReason;
use super::subscription::Mrr;
use crate::access::{EndingCause, HubId};
use crate::servicing::{PeriodEndCause, ServicingPeriod};
use crate::tier::Tier;
use crate::time::Instant;

/// From when on a partner had no credit for a client any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditLoss {
    /// The first instant without it.
    pub time: Instant,
    /// Why.
    pub cause: LossCause,
}

/// Why a credit was lost; the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossCause {
    /// The relationship ended at once (R71, R76).
    Ended(EndingCause),
    /// Every activity had expired (R55).
    Lapsed,
    /// Activities expired, and fewer than the partner's tier needs were left (R57).
    BelowMinimum,
    /// As many counted as before, but the partner needed more from then on (R57).
    MinimumRaised(MinimumChange),
    /// The client paid for nothing from then on (R11, R77).
    NoPaidSubscription,
}

impl From<LossCause> for NoCreditReason {
    fn from(cause: LossCause) -> Self {
        match cause {
            LossCause::Ended(cause) => PeriodEndCause::Ended(cause).into(),
            LossCause::Lapsed => Self::Lapsed,
            LossCause::BelowMinimum | LossCause::MinimumRaised(_) => Self::TierActivityMinimum,
            LossCause::NoPaidSubscription => Self::NoPaidSubscription,
        }
    }
}

/// How the number of activities that a partner needs became another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumChange {
    /// What it needed just before.
    pub before: MinimumFacts,
    /// What it needed from then on.
    pub after: MinimumFacts,
}

/// How many activities a partner needs per client, and by which tier (R57).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumFacts {
    /// How many.
    pub activities: u32,
    /// The tier that the partner is credited with; absent where it has none.
    pub tier: Option<Tier>,
}

impl MinimumFacts {
    /// What a partner needs at an instant.
    #[must_use]
    pub fn of(partner: HubId, terms: Terms<'_>, at: Instant) -> Self {
        Self { activities: terms.minimum_of(partner, at), tier: terms.tiers.credited_at(partner, at) }
    }
}

impl CreditFacts {
    /// The last instant, not after `as_of`, from which on a partner had no credit that it had just before. A credit whose
    /// amount is not known can be lost by what the partner does, but not by what the client pays (R127). The facts hold
    /// the complete periods of the partner.
    #[must_use]
    pub fn last_loss(&self, partner: HubId, terms: Terms<'_>, as_of: Instant) -> Option<CreditLoss> {
        let turns = self.turns(terms, Instant::MIN_UTC, as_of);
        let time = turns.into_iter().rev().find(|turn| self.is_lost_at(*turn, partner, terms))?;
        Some(CreditLoss { time, cause: self.loss_cause(partner, terms, time) })
    }

    /// Since when a partner has earned without a gap, or has not earned any more; absent where it never did. An ending is
    /// a gap, also where work of that very instant goes on counting (R73).
    #[must_use]
    pub fn earning_since(&self, partner: HubId, terms: Terms<'_>, as_of: Instant) -> Option<Instant> {
        let earns = |at| self.earning_period(partner, terms, at).is_some();
        let is_new = |turn: &Instant| {
            let before = self.earning_period(partner, terms, just_before(*turn));
            before.is_some() != earns(*turn) || before.is_some_and(|period| period.end == *turn && is_ended(&period))
        };
        self.turns(terms, Instant::MIN_UTC, as_of).into_iter().rev().find(is_new)
    }

    fn is_lost_at(&self, time: Instant, partner: HubId, terms: Terms<'_>) -> bool {
        let earns = |at| self.earning_period(partner, terms, at).is_some();
        let is_zero = |mrr| matches!(mrr, Mrr::Known { mrr, .. } if mrr.minor_units == 0);
        let mrr_before = self.subscriptions.mrr_at(just_before(time));
        if is_zero(mrr_before) || !earns(just_before(time)) {
            return false;
        }
        !earns(time) || (mrr_before != Mrr::Unknown && is_zero(self.subscriptions.mrr_at(time)))
    }

    /// The period in which a partner earns at an instant, with the minimum of that instant.
    fn earning_period(&self, partner: HubId, terms: Terms<'_>, at: Instant) -> Option<ServicingPeriod> {
        if partner == self.client {
            return None;
        }
        self.servicing.get(&partner)?.period_at(terms.minimum_of(partner, at), at).copied()
    }

    /// What took the credit away at an instant just before which it was there.
    fn loss_cause(&self, partner: HubId, terms: Terms<'_>, time: Instant) -> LossCause {
        if self.earning_period(partner, terms, time).is_some() {
            return LossCause::NoPaidSubscription;
        }
        let [before, after] = [just_before(time), time].map(|at| MinimumFacts::of(partner, terms, at));
        let Some(work) = self.servicing.get(&partner) else { return LossCause::Lapsed };
        let stopped = work.period_at(before.activities, just_before(time)).filter(|period| period.end == time);
        match stopped.map(|period| period.end_cause) {
            Some(PeriodEndCause::Ended(cause)) => LossCause::Ended(cause),
            Some(PeriodEndCause::Lapsed) if work.period_at(super::RELATIONSHIP_MINIMUM, time).is_none() => {
                LossCause::Lapsed
            }
            Some(PeriodEndCause::Lapsed) => LossCause::BelowMinimum,
            None => LossCause::MinimumRaised(MinimumChange { before, after }),
        }
    }
}

fn is_ended(period: &ServicingPeriod) -> bool {
    matches!(period.end_cause, PeriodEndCause::Ended(_))
}

/// Times are whole microseconds.
fn just_before(time: Instant) -> Instant {
    time - TimeDelta::microseconds(1)
}

#[cfg(test)]
mod tests;
