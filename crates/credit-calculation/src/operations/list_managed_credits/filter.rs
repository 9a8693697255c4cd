//! Which rows of a breakdown are asked for.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use contracts::wire::credit::CreditState;
use domain::credit::{Mrr, NoCreditReason};
use domain::money::Currency;
use domain::time::Instant;

use crate::operations::Row;

/// A row must be all of this; what is absent or empty is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BreakdownFilter {
    /// By number, as the contract orders them.
    pub states: BTreeSet<CreditState>,
    pub currency: Option<Currency>,
    pub growth_market: Option<bool>,
    pub shared: Option<bool>,
    /// Days of 24 hours.
    pub expiring_within_days: Option<u32>,
    pub no_credit_reasons: BTreeSet<NoCreditReason>,
    pub with_credit: Option<bool>,
}

impl BreakdownFilter {
    /// Whether it needs to know for certain how relationships stood.
    pub fn needs_settled(&self) -> bool {
        !self.states.is_empty() || self.expiring_within_days.is_some()
    }

    pub fn accepts(&self, row: &Row, as_of: Instant) -> bool {
        let credit = &row.credit;
        let earns = credit.no_credit_reason.is_none();
        let is_state = self.states.is_empty() || self.states.contains(&CreditState::from(credit.state));
        let is_currency = self.currency.is_none_or(|currency| match credit.mrr {
            Mrr::Known { mrr, .. } => mrr.currency == currency,
            Mrr::Unknown => false,
        });
        let is_reason = self.no_credit_reasons.is_empty()
            || credit.no_credit_reason.is_some_and(|reason| self.no_credit_reasons.contains(&reason));
        let expires = self.expiring_within_days.is_none_or(|days| {
            let limit = as_of.checked_add_signed(TimeDelta::days(days.into()));
            earns && credit.expire_time.zip(limit).is_some_and(|(expire_time, limit)| expire_time <= limit)
        });
        is_state
            && is_currency
            && is_reason
            && expires
            && self.growth_market.is_none_or(|wanted| row.growth_market == wanted)
            && self.shared.is_none_or(|wanted| (credit.servicing_partners > 1) == wanted)
            && self.with_credit.is_none_or(|wanted| earns == wanted)
    }
}
