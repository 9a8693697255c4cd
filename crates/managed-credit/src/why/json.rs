//! An explanation for programs: the messages of the contract with their own field names, absent values as null.

use std::io::Write;

use contracts::wire::credit::{
    ActivityMinimum, ChangeEvidence, Condition, Evidence, ExplainCreditResponse, Explanation, Loss, MinimumChange,
    RemedyStep,
};
use serde::Serialize;

use crate::breakdown::json::{BasisJson, ManagedCreditJson};
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct AnswerJson<'answer> {
    explanation: Option<ExplanationJson<'answer>>,
    basis: Option<BasisJson<'answer>>,
}

/// `managedcredit.credit.v1.Explanation`
#[derive(Debug, Serialize)]
struct ExplanationJson<'answer> {
    headline: &'answer str,
    managed_credit: Option<ManagedCreditJson<'answer>>,
    conditions: Vec<ConditionJson<'answer>>,
    loss: Option<LossJson<'answer>>,
    remedy: &'answer str,
    remedy_aim: &'static str,
    remedy_steps: Vec<RemedyStepJson<'answer>>,
    activity_minimum: Option<ActivityMinimumJson>,
}

/// `managedcredit.credit.v1.RemedyStep`
#[derive(Debug, Serialize)]
struct RemedyStepJson<'answer> {
    kind: &'static str,
    taker: &'static str,
    email_address: &'answer str,
    display_name: &'answer str,
    activities: i32,
    before_time: Option<String>,
    from_time: Option<String>,
    text: &'answer str,
}

/// `managedcredit.credit.v1.ActivityMinimum`
#[derive(Debug, Serialize)]
struct ActivityMinimumJson {
    live_activities: i32,
    minimum: i32,
    credited_tier: &'static str,
}

/// `managedcredit.credit.v1.Condition`
#[derive(Debug, Serialize)]
struct ConditionJson<'answer> {
    kind: &'static str,
    rule: &'answer str,
    status: &'static str,
    since_time: Option<String>,
    statement: &'answer str,
    evidence: Vec<EvidenceJson<'answer>>,
    help: &'answer str,
}

/// `managedcredit.credit.v1.Loss`
#[derive(Debug, Serialize)]
struct LossJson<'answer> {
    lose_time: Option<String>,
    cause: &'static str,
    activities: Vec<EvidenceJson<'answer>>,
    change: Option<ChangeEvidenceJson<'answer>>,
    minimum_change: Option<MinimumChangeJson>,
}

/// `managedcredit.credit.v1.MinimumChange`
#[derive(Debug, Serialize)]
struct MinimumChangeJson {
    before: i32,
    after: i32,
    tier_before: &'static str,
    tier_after: &'static str,
}

/// `managedcredit.credit.v1.ChangeEvidence`
#[derive(Debug, Serialize)]
struct ChangeEvidenceJson<'answer> {
    author: &'static str,
    colleague: &'answer str,
    reason: &'answer str,
    record_time: Option<String>,
}

/// `managedcredit.credit.v1.Evidence`
#[derive(Debug, Serialize)]
struct EvidenceJson<'answer> {
    time: Option<String>,
    text: &'answer str,
    change: Option<ChangeEvidenceJson<'answer>>,
}

impl<'answer> From<&'answer Explanation> for ExplanationJson<'answer> {
    fn from(explanation: &'answer Explanation) -> Self {
        Self {
            headline: &explanation.headline,
            managed_credit: explanation.managed_credit.as_ref().map(Into::into),
            conditions: explanation.conditions.iter().map(Into::into).collect(),
            loss: explanation.loss.as_ref().map(Into::into),
            remedy: &explanation.remedy,
            remedy_aim: explanation.remedy_aim().as_str_name(),
            remedy_steps: explanation.remedy_steps.iter().map(Into::into).collect(),
            activity_minimum: explanation.activity_minimum.map(Into::into),
        }
    }
}

impl<'answer> From<&'answer RemedyStep> for RemedyStepJson<'answer> {
    fn from(step: &'answer RemedyStep) -> Self {
        Self {
            kind: step.kind().as_str_name(),
            taker: step.taker().as_str_name(),
            email_address: &step.email_address,
            display_name: &step.display_name,
            activities: step.activities,
            before_time: rfc_3339(step.before_time.as_ref()),
            from_time: rfc_3339(step.from_time.as_ref()),
            text: &step.text,
        }
    }
}

impl From<ActivityMinimum> for ActivityMinimumJson {
    fn from(minimum: ActivityMinimum) -> Self {
        let credited_tier = minimum.credited_tier().as_str_name();
        let ActivityMinimum { live_activities, minimum, .. } = minimum;
        Self { live_activities, minimum, credited_tier }
    }
}

impl<'answer> From<&'answer Condition> for ConditionJson<'answer> {
    fn from(condition: &'answer Condition) -> Self {
        Self {
            kind: condition.kind().as_str_name(),
            rule: &condition.rule,
            status: condition.status().as_str_name(),
            since_time: rfc_3339(condition.since_time.as_ref()),
            statement: &condition.statement,
            evidence: condition.evidence.iter().map(Into::into).collect(),
            help: &condition.help,
        }
    }
}

impl<'answer> From<&'answer Loss> for LossJson<'answer> {
    fn from(loss: &'answer Loss) -> Self {
        Self {
            lose_time: rfc_3339(loss.lose_time.as_ref()),
            cause: loss.cause().as_str_name(),
            activities: loss.activities.iter().map(Into::into).collect(),
            change: loss.change.as_ref().map(Into::into),
            minimum_change: loss.minimum_change.map(Into::into),
        }
    }
}

impl From<MinimumChange> for MinimumChangeJson {
    fn from(change: MinimumChange) -> Self {
        Self {
            before: change.before,
            after: change.after,
            tier_before: change.tier_before().as_str_name(),
            tier_after: change.tier_after().as_str_name(),
        }
    }
}

impl<'answer> From<&'answer ChangeEvidence> for ChangeEvidenceJson<'answer> {
    fn from(change: &'answer ChangeEvidence) -> Self {
        Self {
            author: change.author().as_str_name(),
            colleague: &change.colleague,
            reason: &change.reason,
            record_time: rfc_3339(change.record_time.as_ref()),
        }
    }
}

impl<'answer> From<&'answer Evidence> for EvidenceJson<'answer> {
    fn from(evidence: &'answer Evidence) -> Self {
        Self {
            time: rfc_3339(evidence.time.as_ref()),
            text: &evidence.text,
            change: evidence.change.as_ref().map(Into::into),
        }
    }
}

pub(super) fn write(answer: &ExplainCreditResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let json = AnswerJson {
        explanation: answer.explanation.as_ref().map(Into::into),
        basis: answer.basis.as_ref().map(Into::into),
    };
    write_json(&json, out)
}
