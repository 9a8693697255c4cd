//! What would be otherwise, for programs.

use std::io::Write;

use contracts::wire::credit::SimulatedCredit;
use serde::Serialize;

use super::Simulation;
use crate::breakdown::json::MoneyJson;
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct SimulationJson<'answer> {
    credits: Vec<CreditJson<'answer>>,
    partners: Vec<PartnerJson<'answer>>,
    as_of_time: Option<String>,
    compared: i64,
    differing: i64,
    points_before: &'answer str,
    points_after: &'answer str,
    policy_digest: &'answer str,
    simulated_policy_digest: &'answer str,
}

/// `managedcredit.credit.v1.CreditDifference`
#[derive(Debug, Serialize)]
struct CreditJson<'answer> {
    partner: &'answer str,
    client: &'answer str,
    before: Option<SideJson<'answer>>,
    after: Option<SideJson<'answer>>,
}

/// `managedcredit.credit.v1.SimulatedCredit`
#[derive(Debug, Serialize)]
struct SideJson<'answer> {
    credit: Option<MoneyJson<'answer>>,
    points: Option<&'answer str>,
    no_credit_reason: &'static str,
}

#[derive(Debug, Serialize)]
struct PartnerJson<'answer> {
    partner: &'answer str,
    total_points_before: &'answer str,
    total_points_after: &'answer str,
    performance_tier_before: &'static str,
    performance_tier_after: &'static str,
}

impl<'answer> From<&'answer SimulatedCredit> for SideJson<'answer> {
    fn from(side: &'answer SimulatedCredit) -> Self {
        Self {
            credit: side.credit.as_ref().map(Into::into),
            points: side.points.as_deref(),
            no_credit_reason: side.no_credit_reason().as_str_name(),
        }
    }
}

pub(super) fn write(simulation: &Simulation, out: &mut impl Write) -> anyhow::Result<()> {
    let summary = &simulation.summary;
    let credits = simulation.credits.iter().map(|each| CreditJson {
        partner: &each.partner,
        client: &each.client,
        before: each.before.as_ref().map(Into::into),
        after: each.after.as_ref().map(Into::into),
    });
    let partners = simulation.partners.iter().map(|each| PartnerJson {
        partner: &each.partner,
        total_points_before: each.before.as_ref().map(|points| points.total_points.as_str()).unwrap_or_default(),
        total_points_after: each.after.as_ref().map(|points| points.total_points.as_str()).unwrap_or_default(),
        performance_tier_before: each.performance_tier_before().as_str_name(),
        performance_tier_after: each.performance_tier_after().as_str_name(),
    });
    let json = SimulationJson {
        credits: credits.collect(),
        partners: partners.collect(),
        as_of_time: rfc_3339(summary.as_of_time.as_ref()),
        compared: summary.compared,
        differing: summary.differing,
        points_before: &summary.points_before,
        points_after: &summary.points_after,
        policy_digest: &summary.policy_digest,
        simulated_policy_digest: &summary.simulated_policy_digest,
    };
    write_json(&json, out)
}
