//! A month of a partner as a document.

use chrono::{SecondsFormat, TimeDelta};
use contracts::{ClientName, PartnerName, wire};
use domain::access::HubId;
use domain::credit::{Mrr, PointsOutcome, SaleKind, SoldCredit, Terms, point_changes};
use domain::money::Money;
use domain::policy::Policy;
use domain::statement::{
    FORMAT_VERSION, Month, Statement, StatementChange, StatementMoney, StatementRow, StatementSale, StatementTotals,
};
use domain::time::Instant;

use super::breakdown::{Row, RowFacts};
use super::list_managed_credits::Totals;
use super::point_facts::points_at;
use super::reading::Basis;

/// What a document is made of: facts that answer for every instant from just before the month to its last.
pub(super) struct MonthFacts<'a> {
    pub partner: HubId,
    pub month: Month,
    pub facts: &'a [RowFacts],
    pub terms: Terms<'a>,
    pub basis: &'a Basis,
}

/// The instant just before a month, of which the opening points are: all that changes in the month comes after it.
pub(super) fn just_before(month: Month) -> Instant {
    month.start() - TimeDelta::microseconds(1)
}

impl MonthFacts<'_> {
    pub fn document(&self) -> Statement {
        let as_of = self.month.last_instant();
        let rows: Vec<Row> = self.facts.iter().map(|facts| facts.row(self.terms, as_of)).collect();
        let [opening, closing] =
            [just_before(self.month), as_of].map(|at| points_at(self.facts, self.partner, self.terms, at).total());
        let tier = self.terms.tiers.credited_at(self.partner, as_of);
        let document = Statement {
            format_version: FORMAT_VERSION,
            partner: PartnerName(self.partner).to_string(),
            month: self.month.to_string(),
            as_of_time: text(as_of),
            issue_time: text(self.basis.calculation_time),
            policy_version: self.terms.policy.version().to_owned(),
            policy_digest: self.terms.policy.digest().to_owned(),
            revisions: self.basis.revisions.iter().map(ToString::to_string).collect(),
            credited_tier: tier.map_or_else(|| "NONE".to_owned(), |tier| tier.to_string()),
            opening_points: opening.to_string(),
            closing_points: closing.to_string(),
            totals: totals(&rows),
            rows: rows.iter().map(row).collect(),
            sales: self.sales(as_of),
            changes: self.changes(as_of),
            sha256: String::new(),
        };
        document.sealed()
    }

    fn sales(&self, as_of: Instant) -> Vec<StatementSale> {
        let mut sales = Vec::new();
        for facts in self.facts {
            let country = facts.credit_facts.countries.country_at(as_of);
            let counted = facts.credit_facts.counted_sales_at(self.terms.policy, as_of);
            sales.extend(counted.map(|counted| {
                let points = counted.points(country, self.terms.policy, as_of);
                let multiplier = country.map(|country| self.terms.policy.multiplier_at(country, as_of));
                sale(counted, points, multiplier, self.terms.policy, as_of)
            }));
        }
        sales.sort_by(|one, other| one.sold_credit_id.cmp(&other.sold_credit_id));
        sales
    }

    fn changes(&self, as_of: Instant) -> Vec<StatementChange> {
        let mut changes = Vec::new();
        for facts in self.facts {
            let of_client = &facts.credit_facts;
            let changed = point_changes(of_client, self.partner, self.terms, just_before(self.month), as_of);
            // What changed nothing that is counted says nothing here.
            let counted = changed.into_iter().filter(|change| change.difference().0 != 0);
            changes.extend(counted.map(|change| (change, of_client.client)));
        }
        changes.sort_by_key(|(change, client)| (change.time, *client, change.kind, change.cause));
        let told = changes.into_iter().map(|(change, client)| StatementChange {
            time: text(change.time),
            client: ClientName(client).to_string(),
            kind: name(wire::credit::PointsKind::from(change.kind).as_str_name(), "POINTS_KIND_"),
            cause: name(wire::credit::PointChangeCause::from(change.cause).as_str_name(), "POINT_CHANGE_CAUSE_"),
            difference: change.difference().to_string(),
        });
        told.collect()
    }
}

fn row(row: &Row) -> StatementRow {
    let credit = &row.credit;
    let (managed_points, points_absent_reason) = points(credit.points);
    let reason = credit.no_credit_reason.map(|reason| wire::credit::NoCreditReason::from(reason).as_str_name());
    StatementRow {
        client: ClientName(row.client).to_string(),
        client_display_name: row.display_name.as_deref().unwrap_or_default().to_owned(),
        country_code: row.country.map(|country| country.to_string()).unwrap_or_default(),
        growth_market: row.growth_market,
        mrr: match credit.mrr {
            Mrr::Known { mrr, .. } => Some(money(&mrr)),
            Mrr::Unknown => None,
        },
        servicing_partners: credit.servicing_partners,
        credit: credit.credit.as_ref().map(money),
        units_per_point: row.units_per_point.map(|units| units.normalize().to_string()),
        multiplier: credit.multiplier,
        managed_points,
        points_absent_reason,
        sold_points: points(row.sold_points).0,
        state: name(wire::credit::CreditState::from(credit.state).as_str_name(), "CREDIT_STATE_"),
        no_credit_reason: reason.map(|reason| name(reason, "NO_CREDIT_REASON_")).unwrap_or_default(),
        serviced_since_time: credit.serviced_since.map(text),
        expire_time: credit.expire_time.map(text),
        last_activity_time: credit.last_activity_time.map(text),
    }
}

fn sale(
    sale: &SoldCredit,
    outcome: PointsOutcome,
    multiplier: Option<u32>,
    policy: &Policy,
    as_of: Instant,
) -> StatementSale {
    let of_step = policy.sold_points_at(as_of);
    let units = policy.units_per_point_at(sale.amount.currency, as_of);
    StatementSale {
        client: ClientName(sale.client).to_string(),
        sold_credit_id: sale.id.to_string(),
        kind: sale.kind.as_str().to_owned(),
        amount: money(&sale.amount),
        close_time: text(sale.close_time),
        units_per_point: units.map(|units| units.normalize().to_string()),
        points_per_step: match sale.kind {
            SaleKind::Sourced => of_step.sourced,
            SaleKind::Assisted => of_step.assisted,
        },
        multiplier,
        points: points(outcome).0,
    }
}

fn totals(rows: &[Row]) -> StatementTotals {
    let mut totals = Totals::default();
    rows.iter().for_each(|row| totals.add(row));
    let total = domain::money::Points(totals.managed.points.0.saturating_add(totals.sold.points.0));
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    StatementTotals {
        managed_points: totals.managed.points.to_string(),
        rows_without_points: count(totals.managed.clients_without_points),
        sold_points: totals.sold.points.to_string(),
        rows_without_sold_points: count(totals.sold.clients_without_points),
        total_points: total.to_string(),
        credits: totals.credits().iter().map(money).collect(),
    }
}

fn points(outcome: PointsOutcome) -> (Option<String>, String) {
    match outcome {
        PointsOutcome::Known(points) => (Some(points.to_string()), String::new()),
        PointsOutcome::Absent(reason) => {
            (None, name(wire::credit::PointsAbsentReason::from(reason).as_str_name(), "POINTS_ABSENT_REASON_"))
        }
    }
}

fn money(money: &Money) -> StatementMoney {
    StatementMoney { currency_code: money.currency.code().to_owned(), amount: money.amount() }
}

/// The name of a value without that of its enumeration.
fn name(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

fn text(time: Instant) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
