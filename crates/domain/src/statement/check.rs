//! The arithmetic of a statement, done again.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;

use super::{FORMAT_VERSION, Month, Statement, StatementMoney, StatementRow, StatementSale};
use crate::credit::converted_points;
use crate::money::{Money, Points};

/// Something in a statement that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// Where, for example `rows[3].credit`.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}

impl Statement {
    /// Everything that is wrong with its hash and its arithmetic; empty where it is right.
    #[must_use]
    pub fn check(&self) -> Vec<Discrepancy> {
        let mut found = Findings::default();
        found.expect("format_version", &self.format_version, &FORMAT_VERSION);
        found.expect("sha256", &self.sha256, &self.hash());
        self.check_month(&mut found);
        let mut totals = Totals::default();
        for (index, row) in self.rows.iter().enumerate() {
            self.check_row(&format!("rows[{index}]"), row, &mut totals, &mut found);
        }
        for (index, sale) in self.sales.iter().enumerate() {
            check_sale(&format!("sales[{index}]"), sale, &mut found);
            if !self.rows.iter().any(|row| row.client == sale.client) {
                found.add(format!("sales[{index}].client"), "has no row");
            }
        }
        self.check_totals(&totals, &mut found);
        self.check_changes(&mut found);
        found.0
    }

    fn check_month(&self, found: &mut Findings) {
        match self.month.parse::<Month>() {
            Ok(month) => {
                let last = month.last_instant().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
                found.expect("as_of_time", &self.as_of_time, &last);
            }
            Err(error) => found.add("month", error),
        }
    }

    fn check_row(&self, place: &str, row: &StatementRow, totals: &mut Totals, found: &mut Findings) {
        let mrr = row.mrr.as_ref().and_then(|mrr| found.money(&format!("{place}.mrr"), mrr));
        let credit = row.credit.as_ref().and_then(|credit| found.money(&format!("{place}.credit"), credit));
        let earns = row.no_credit_reason.is_empty();
        match (mrr, credit) {
            (Some(mrr), Some(credit)) => check_share(place, mrr, credit, row, found),
            (None, None) => {}
            _ => found.add(format!("{place}.credit"), "is known exactly where the MRR is"),
        }
        if earns && row.servicing_partners == 0 {
            found.add(format!("{place}.servicing_partners"), "is 0, though there is credit");
        }
        if row.managed_points.is_some() != row.points_absent_reason.is_empty() {
            found.add(format!("{place}.points_absent_reason"), "is given exactly where there are no points");
        }
        if let Some(points) =
            row.managed_points.as_ref().and_then(|text| found.points(&format!("{place}.managed_points"), text))
        {
            let right = managed_points(row, credit);
            found.expect_points(&format!("{place}.managed_points"), points, right);
            totals.managed.0 = totals.managed.0.saturating_add(points.0);
        } else {
            totals.without_points += 1;
            if managed_points(row, credit).is_some() {
                found.add(format!("{place}.managed_points"), "are absent, though the row's figures give them");
            }
        }
        let sold = self.sold_points(&row.client);
        match row.sold_points.as_ref().and_then(|text| found.points(&format!("{place}.sold_points"), text)) {
            Some(points) => {
                found.expect_points(&format!("{place}.sold_points"), points, sold);
                totals.sold.0 = totals.sold.0.saturating_add(points.0);
            }
            None => {
                totals.without_sold_points += 1;
                if sold.is_some() {
                    found.add(format!("{place}.sold_points"), "are absent, though all its sales have points");
                }
            }
        }
        if let Some(credit) = credit {
            *totals.credits.entry(credit.currency.code()).or_default() += i128::from(credit.minor_units);
        }
    }

    /// The points of a client's sales; absent where those of one are.
    fn sold_points(&self, client: &str) -> Option<Points> {
        let sales = self.sales.iter().filter(|sale| sale.client == client);
        let points = sales.map(|sale| sale.points.as_ref()?.parse::<Points>().ok());
        points.sum::<Option<Points>>()
    }

    fn check_totals(&self, right: &Totals, found: &mut Findings) {
        let totals = &self.totals;
        let total = Points(right.managed.0.saturating_add(right.sold.0));
        found.expect("totals.managed_points", &totals.managed_points, &right.managed.to_string());
        found.expect("totals.rows_without_points", &totals.rows_without_points, &right.without_points);
        found.expect("totals.sold_points", &totals.sold_points, &right.sold.to_string());
        found.expect("totals.rows_without_sold_points", &totals.rows_without_sold_points, &right.without_sold_points);
        found.expect("totals.total_points", &totals.total_points, &total.to_string());
        found.expect("closing_points", &self.closing_points, &total.to_string());
        let mut stated = BTreeMap::new();
        for (index, credit) in totals.credits.iter().enumerate() {
            let Some(money) = found.money(&format!("totals.credits[{index}]"), credit) else { continue };
            stated.insert(money.currency.code(), i128::from(money.minor_units));
        }
        if stated != right.credits || stated.len() != totals.credits.len() {
            found.add("totals.credits", "is not the sum of the rows, one amount for each currency");
        }
    }

    /// What the month began with and what changed make what it ended with.
    fn check_changes(&self, found: &mut Findings) {
        let mut sum = found.points("opening_points", &self.opening_points).unwrap_or_default();
        for (index, change) in self.changes.iter().enumerate() {
            let place = format!("changes[{index}].difference");
            sum.0 = sum.0.saturating_add(found.points(&place, &change.difference).unwrap_or_default().0);
        }
        if sum.to_string() != self.closing_points {
            found.add("changes", format!("the opening points and all changes are {sum}, not {}", self.closing_points));
        }
    }
}

/// The sums of what the rows say.
#[derive(Default)]
struct Totals {
    managed: Points,
    sold: Points,
    without_points: u32,
    without_sold_points: u32,
    credits: BTreeMap<&'static str, i128>,
}

fn check_share(place: &str, mrr: Money, credit: Money, row: &StatementRow, found: &mut Findings) {
    let place = format!("{place}.credit");
    if credit.currency != mrr.currency {
        found.add(place, "is in another currency than the MRR");
    } else if row.no_credit_reason.is_empty() {
        let partners = i64::from(row.servicing_partners.max(1));
        let (least, left_over) = (mrr.minor_units / partners, i64::from(mrr.minor_units % partners > 0));
        if !(least..=least + left_over).contains(&credit.minor_units) {
            found.add(place, format!("is no equal part of the MRR for {partners} partners"));
        }
    } else if credit.minor_units != 0 {
        found.add(place, "is not 0, though there is a reason for none");
    }
}

/// What the points of a row must be; absent where its figures do not tell.
fn managed_points(row: &StatementRow, credit: Option<Money>) -> Option<Points> {
    if row.no_credit_reason == "MRR_UNKNOWN" {
        return None; // Unknown is never 0 (R127).
    }
    let earned = credit.filter(|_| row.no_credit_reason.is_empty());
    match earned {
        None => Some(Points(0)),
        Some(share) if share.minor_units == 0 => Some(Points(0)),
        Some(share) => {
            let units = row.units_per_point.as_ref()?.parse::<Decimal>().ok()?;
            Some(converted_points(share, positive(units)?, row.multiplier?))
        }
    }
}

fn check_sale(place: &str, sale: &StatementSale, found: &mut Findings) {
    let Some(amount) = found.money(&format!("{place}.amount"), &sale.amount) else { return };
    let units = sale.units_per_point.as_ref().and_then(|units| units.parse::<Decimal>().ok()).and_then(positive);
    let right = units
        .zip(sale.multiplier)
        .map(|(units, multiplier)| converted_points(amount, units, sale.points_per_step.saturating_mul(multiplier)));
    match &sale.points {
        Some(text) => {
            if let Some(points) = found.points(&format!("{place}.points"), text) {
                found.expect_points(&format!("{place}.points"), points, right);
            }
        }
        None if right.is_some() => {
            found.add(format!("{place}.points"), "are absent, though the sale's figures give them")
        }
        None => {}
    }
}

fn positive(units: Decimal) -> Option<Decimal> {
    (units > Decimal::ZERO).then_some(units)
}

#[derive(Default)]
struct Findings(Vec<Discrepancy>);

impl Findings {
    fn add(&mut self, place: impl Into<String>, problem: impl ToString) {
        self.0.push(Discrepancy { place: place.into(), problem: problem.to_string() });
    }

    fn expect<T: PartialEq + fmt::Display>(&mut self, place: &str, stated: &T, right: &T) {
        if stated != right {
            self.add(place, format!("is {stated}, and should be {right}"));
        }
    }

    fn expect_points(&mut self, place: &str, stated: Points, right: Option<Points>) {
        match right {
            Some(right) => self.expect(place, &stated, &right),
            None => self.add(place, "cannot be computed from the row's figures"),
        }
    }

    fn money(&mut self, place: &str, stated: &StatementMoney) -> Option<Money> {
        let money = stated.currency_code.parse().and_then(|currency| Money::parse(currency, &stated.amount));
        match money {
            Ok(money) if money.amount() == stated.amount => Some(money),
            Ok(money) => {
                self.add(place, format!("is written {}, not {}", money.amount(), stated.amount));
                None
            }
            Err(error) => {
                self.add(place, error);
                None
            }
        }
    }

    fn points(&mut self, place: &str, stated: &str) -> Option<Points> {
        let points = stated.parse::<Points>();
        if let Err(error) = &points {
            self.add(place, error);
        }
        points.ok()
    }
}
