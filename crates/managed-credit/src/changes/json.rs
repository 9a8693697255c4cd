//! Gained and lost points for programs.

use std::io::Write;

use contracts::wire::credit::{ListPointChangesResponse, PointChange, PointChangeTotal};
use serde::Serialize;

use crate::breakdown::json::{BasisJson, MoneyJson};
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct ChangesJson<'answer> {
    partner: &'answer str,
    point_changes: Vec<ChangeJson<'answer>>,
    total_size: i32,
    start_points: &'answer str,
    end_points: &'answer str,
    totals: Vec<TotalJson<'answer>>,
    basis: Option<BasisJson<'answer>>,
}

/// `managedcredit.credit.v1.PointChange`
#[derive(Debug, Serialize)]
struct ChangeJson<'answer> {
    time: Option<String>,
    client: &'answer str,
    client_display_name: &'answer str,
    kind: &'static str,
    cause: &'static str,
    difference: &'answer str,
    points_before: Option<&'answer str>,
    points_after: Option<&'answer str>,
    credit_before: Option<MoneyJson<'answer>>,
    credit_after: Option<MoneyJson<'answer>>,
}

/// `managedcredit.credit.v1.PointChangeTotal`
#[derive(Debug, Serialize)]
struct TotalJson<'answer> {
    cause: &'static str,
    gained_points: &'answer str,
    lost_points: &'answer str,
    changes: i32,
}

impl<'answer> From<&'answer PointChange> for ChangeJson<'answer> {
    fn from(change: &'answer PointChange) -> Self {
        Self {
            time: rfc_3339(change.time.as_ref()),
            client: &change.client,
            client_display_name: &change.client_display_name,
            kind: change.kind().as_str_name(),
            cause: change.cause().as_str_name(),
            difference: &change.difference,
            points_before: change.points_before.as_deref(),
            points_after: change.points_after.as_deref(),
            credit_before: change.credit_before.as_ref().map(Into::into),
            credit_after: change.credit_after.as_ref().map(Into::into),
        }
    }
}

impl<'answer> From<&'answer PointChangeTotal> for TotalJson<'answer> {
    fn from(total: &'answer PointChangeTotal) -> Self {
        Self {
            cause: total.cause().as_str_name(),
            gained_points: &total.gained_points,
            lost_points: &total.lost_points,
            changes: total.changes,
        }
    }
}

pub(super) fn write(partner: &str, answer: &ListPointChangesResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let changes = ChangesJson {
        partner,
        point_changes: answer.point_changes.iter().map(Into::into).collect(),
        total_size: answer.total_size,
        start_points: &answer.start_points,
        end_points: &answer.end_points,
        totals: answer.totals.iter().map(Into::into).collect(),
        basis: answer.basis.as_ref().map(Into::into),
    };
    write_json(&changes, out)
}
