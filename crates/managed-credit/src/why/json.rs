//! An explanation for programs: the messages of the contract with their own field names, absent values as null.

use std::io::Write;

use contracts::wire::credit::{Condition, Evidence, ExplainCreditResponse, Explanation, Loss};
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
}

/// `managedcredit.credit.v1.Evidence`
#[derive(Debug, Serialize)]
struct EvidenceJson<'answer> {
    time: Option<String>,
    text: &'answer str,
}

impl<'answer> From<&'answer Explanation> for ExplanationJson<'answer> {
    fn from(explanation: &'answer Explanation) -> Self {
        Self {
            headline: &explanation.headline,
            managed_credit: explanation.managed_credit.as_ref().map(Into::into),
            conditions: explanation.conditions.iter().map(Into::into).collect(),
            loss: explanation.loss.as_ref().map(Into::into),
            remedy: &explanation.remedy,
        }
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
        }
    }
}

impl<'answer> From<&'answer Evidence> for EvidenceJson<'answer> {
    fn from(evidence: &'answer Evidence) -> Self {
        Self { time: rfc_3339(evidence.time.as_ref()), text: &evidence.text }
    }
}

pub(super) fn write(answer: &ExplainCreditResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let json = AnswerJson {
        explanation: answer.explanation.as_ref().map(Into::into),
        basis: answer.basis.as_ref().map(Into::into),
    };
    write_json(&json, out)
}
