//! A breakdown for programs: the messages of the contract with their own field names, absent values as null.

use std::io::Write;

use contracts::wire::credit::{AnswerBasis, ManagedCredit, Money};
use serde::Serialize;

use super::Breakdown;
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct BreakdownJson<'answer> {
    partner: &'answer str,
    managed_credits: Vec<ManagedCreditJson<'answer>>,
    total_size: usize,
    total_points: &'answer str,
    rows_without_points: i32,
    total_sold_points: &'answer str,
    rows_without_sold_points: i32,
    total_credits: Vec<MoneyJson<'answer>>,
    total_mrrs: Vec<MoneyJson<'answer>>,
    rows_with_credit: i32,
    basis: Option<BasisJson<'answer>>,
}

/// `managedcredit.credit.v1.ManagedCredit`
#[derive(Debug, Serialize)]
pub(crate) struct ManagedCreditJson<'answer> {
    partner: &'answer str,
    client: &'answer str,
    client_display_name: &'answer str,
    country_code: &'answer str,
    growth_market: bool,
    mrr: Option<MoneyJson<'answer>>,
    servicing_partners: i32,
    credit: Option<MoneyJson<'answer>>,
    multiplier: i32,
    points: Option<&'answer str>,
    points_absent_reason: &'static str,
    state: &'static str,
    no_credit_reason: &'static str,
    serviced_since_time: Option<String>,
    expire_time: Option<String>,
    last_activity_time: Option<String>,
    last_activity: Option<LastActivityJson<'answer>>,
    units_per_point: &'answer str,
    sold_points: Option<&'answer str>,
    sold_points_absent_reason: &'static str,
}

/// `managedcredit.credit.v1.LastActivity`
#[derive(Debug, Serialize)]
struct LastActivityJson<'answer> {
    occur_time: Option<String>,
    tool: &'answer str,
    action: &'answer str,
    person: &'answer str,
}

#[derive(Debug, Serialize)]
pub(crate) struct MoneyJson<'answer> {
    currency_code: &'answer str,
    amount: &'answer str,
}

/// `managedcredit.credit.v1.AnswerBasis`
#[derive(Debug, Serialize)]
pub(crate) struct BasisJson<'answer> {
    as_of_time: Option<String>,
    calculation_time: Option<String>,
    policy_version: &'answer str,
    policy_digest: &'answer str,
    revisions: &'answer [String],
    fresh_time: Option<String>,
}

impl<'answer> From<&'answer Money> for MoneyJson<'answer> {
    fn from(money: &'answer Money) -> Self {
        Self { currency_code: &money.currency_code, amount: &money.amount }
    }
}

impl<'answer> From<&'answer ManagedCredit> for ManagedCreditJson<'answer> {
    fn from(row: &'answer ManagedCredit) -> Self {
        Self {
            partner: &row.partner,
            client: &row.client,
            client_display_name: &row.client_display_name,
            country_code: &row.country_code,
            growth_market: row.growth_market,
            mrr: row.mrr.as_ref().map(Into::into),
            servicing_partners: row.servicing_partners,
            credit: row.credit.as_ref().map(Into::into),
            multiplier: row.multiplier,
            points: row.points.as_deref(),
            points_absent_reason: row.points_absent_reason().as_str_name(),
            state: row.state().as_str_name(),
            no_credit_reason: row.no_credit_reason().as_str_name(),
            serviced_since_time: rfc_3339(row.serviced_since_time.as_ref()),
            expire_time: rfc_3339(row.expire_time.as_ref()),
            last_activity_time: rfc_3339(row.last_activity_time.as_ref()),
            last_activity: row.last_activity.as_ref().map(|last| LastActivityJson {
                occur_time: rfc_3339(last.occur_time.as_ref()),
                tool: &last.tool,
                action: &last.action,
                person: &last.person,
            }),
            units_per_point: &row.units_per_point,
            sold_points: row.sold_points.as_deref(),
            sold_points_absent_reason: row.sold_points_absent_reason().as_str_name(),
        }
    }
}

impl<'answer> From<&'answer AnswerBasis> for BasisJson<'answer> {
    fn from(basis: &'answer AnswerBasis) -> Self {
        Self {
            as_of_time: rfc_3339(basis.as_of_time.as_ref()),
            calculation_time: rfc_3339(basis.calculation_time.as_ref()),
            policy_version: &basis.policy_version,
            policy_digest: &basis.policy_digest,
            revisions: &basis.revisions,
            fresh_time: rfc_3339(basis.fresh_time.as_ref()),
        }
    }
}

pub(super) fn write(partner: &str, breakdown: &Breakdown, out: &mut impl Write) -> anyhow::Result<()> {
    let totals = &breakdown.totals;
    let answer = BreakdownJson {
        partner,
        managed_credits: breakdown.rows.iter().map(Into::into).collect(),
        total_size: breakdown.rows.len(),
        total_points: &totals.total_points,
        rows_without_points: totals.rows_without_points,
        total_sold_points: &totals.total_sold_points,
        rows_without_sold_points: totals.rows_without_sold_points,
        total_credits: totals.total_credits.iter().map(Into::into).collect(),
        total_mrrs: totals.total_mrrs.iter().map(Into::into).collect(),
        rows_with_credit: totals.rows_with_credit,
        basis: totals.basis.as_ref().map(Into::into),
    };
    write_json(&answer, out)
}
