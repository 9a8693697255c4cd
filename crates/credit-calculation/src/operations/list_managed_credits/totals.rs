//! What all rows of a breakdown have together.

use std::collections::BTreeMap;

use domain::credit::{Mrr, PointsTotal};
use domain::money::{Currency, Money};

use crate::operations::Row;

/// Amounts of different currencies are never added (R10).
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub rows: usize,
    pub managed: PointsTotal,
    pub sold: PointsTotal,
    pub rows_with_credit: usize,
    credits: BTreeMap<&'static str, (Currency, i128)>,
    mrrs: BTreeMap<&'static str, (Currency, i128)>,
}

impl Totals {
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.managed.add(row.credit.points);
        self.sold.add(row.sold_points);
        self.rows_with_credit += usize::from(row.credit.no_credit_reason.is_none());
        if let Some(credit) = row.credit.credit {
            add(&mut self.credits, credit);
        }
        if let Mrr::Known { mrr, .. } = row.credit.mrr {
            add(&mut self.mrrs, mrr);
        }
    }

    /// By the code of the currency.
    pub fn credits(&self) -> Vec<Money> {
        amounts(&self.credits)
    }

    /// By the code of the currency.
    pub fn mrrs(&self) -> Vec<Money> {
        amounts(&self.mrrs)
    }
}

fn add(sums: &mut BTreeMap<&'static str, (Currency, i128)>, amount: Money) {
    let (_, sum) = sums.entry(amount.currency.code()).or_insert((amount.currency, 0));
    *sum += i128::from(amount.minor_units);
}

/// Thousands of the largest amounts still are within 64 bits.
fn amounts(sums: &BTreeMap<&'static str, (Currency, i128)>) -> Vec<Money> {
    let amount = |(currency, sum): &(Currency, i128)| Money {
        currency: *currency,
        minor_units: i64::try_from(*sum).unwrap_or(i64::MAX),
    };
    sums.values().map(amount).collect()
}
