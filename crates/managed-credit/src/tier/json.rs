//! A standing and evaluations for programs.

use std::io::Write;

use contracts::wire::credit::{GetTierStandingResponse, TierCriterion, TierEvaluation, TierPoints, TierProgress};
use serde::Serialize;

use crate::breakdown::json::BasisJson;
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct StandingJson<'answer> {
    partner: &'answer str,
    credited_tier: &'static str,
    credited_since_time: Option<String>,
    credited_by: &'answer str,
    performance_tier: &'static str,
    elite_eligible: bool,
    points: Option<PointsJson<'answer>>,
    certification_expire_time: Option<String>,
    certified: bool,
    progress: Vec<ProgressJson<'answer>>,
    window: Vec<EvaluationJson<'answer>>,
    next_evaluation_time: Option<String>,
    next_reevaluation: Option<EvaluationJson<'answer>>,
    thresholds_official: bool,
    basis: Option<BasisJson<'answer>>,
}

/// `managedcredit.credit.v1.TierPoints`
#[derive(Debug, Serialize)]
struct PointsJson<'answer> {
    total_points: &'answer str,
    managed_points: &'answer str,
    sold_points: &'answer str,
    sourced_points: &'answer str,
    clients_without_points: i32,
}

/// `managedcredit.credit.v1.TierProgress`
#[derive(Debug, Serialize)]
struct ProgressJson<'answer> {
    tier: &'static str,
    criteria: Vec<CriterionJson<'answer>>,
    points_met: bool,
}

/// `managedcredit.credit.v1.TierCriterion`
#[derive(Debug, Serialize)]
struct CriterionJson<'answer> {
    kind: &'static str,
    required_points: &'answer str,
    reached_points: &'answer str,
    missing_points: &'answer str,
}

/// `managedcredit.credit.v1.TierEvaluation`
#[derive(Debug, Serialize)]
pub(super) struct EvaluationJson<'answer> {
    partner: &'answer str,
    evaluation_time: Option<String>,
    points: Option<PointsJson<'answer>>,
    met_tier: &'static str,
    certified: bool,
    tier_before: &'static str,
    tier_after: &'static str,
    outcome: &'static str,
    elite_eligible: bool,
    policy_digest: &'answer str,
}

impl<'answer> From<&'answer TierPoints> for PointsJson<'answer> {
    fn from(points: &'answer TierPoints) -> Self {
        Self {
            total_points: &points.total_points,
            managed_points: &points.managed_points,
            sold_points: &points.sold_points,
            sourced_points: &points.sourced_points,
            clients_without_points: points.clients_without_points,
        }
    }
}

impl<'answer> From<&'answer TierCriterion> for CriterionJson<'answer> {
    fn from(criterion: &'answer TierCriterion) -> Self {
        Self {
            kind: criterion.kind().as_str_name(),
            required_points: &criterion.required_points,
            reached_points: &criterion.reached_points,
            missing_points: &criterion.missing_points,
        }
    }
}

impl<'answer> From<&'answer TierProgress> for ProgressJson<'answer> {
    fn from(progress: &'answer TierProgress) -> Self {
        Self {
            tier: progress.tier().as_str_name(),
            criteria: progress.criteria.iter().map(Into::into).collect(),
            points_met: progress.points_met,
        }
    }
}

impl<'answer> From<&'answer TierEvaluation> for EvaluationJson<'answer> {
    fn from(made: &'answer TierEvaluation) -> Self {
        Self {
            partner: &made.partner,
            evaluation_time: rfc_3339(made.evaluation_time.as_ref()),
            points: made.points.as_ref().map(Into::into),
            met_tier: made.met_tier().as_str_name(),
            certified: made.certified,
            tier_before: made.tier_before().as_str_name(),
            tier_after: made.tier_after().as_str_name(),
            outcome: made.outcome().as_str_name(),
            elite_eligible: made.elite_eligible,
            policy_digest: &made.policy_digest,
        }
    }
}

pub(super) fn write(answer: &GetTierStandingResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let standing = answer.standing.clone().unwrap_or_default();
    let json = StandingJson {
        partner: &standing.partner,
        credited_tier: standing.credited_tier().as_str_name(),
        credited_since_time: rfc_3339(standing.credited_since_time.as_ref()),
        credited_by: &standing.credited_by,
        performance_tier: standing.performance_tier().as_str_name(),
        elite_eligible: standing.elite_eligible,
        points: standing.points.as_ref().map(Into::into),
        certification_expire_time: standing
            .certification
            .as_ref()
            .and_then(|certification| rfc_3339(certification.expire_time.as_ref())),
        certified: standing.certified,
        progress: standing.progress.iter().map(Into::into).collect(),
        window: standing.window.iter().map(Into::into).collect(),
        next_evaluation_time: rfc_3339(standing.next_evaluation_time.as_ref()),
        next_reevaluation: standing.next_reevaluation.as_ref().map(Into::into),
        thresholds_official: standing.thresholds_official,
        basis: answer.basis.as_ref().map(Into::into),
    };
    write_json(&json, out)
}
