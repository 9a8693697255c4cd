//! What ends soon, for programs.

use std::io::Write;

use contracts::wire::credit::AnswerBasis;
use serde::Serialize;

use super::Group;
use crate::breakdown::json::{BasisJson, ManagedCreditJson};
use crate::output::write_json;

#[derive(Debug, Serialize)]
struct ExpiringJson<'answer> {
    partner: &'answer str,
    groups: Vec<GroupJson<'answer>>,
    basis: BasisJson<'answer>,
}

#[derive(Debug, Serialize)]
struct GroupJson<'answer> {
    within_days: i32,
    points_at_risk: String,
    managed_credits: Vec<ManagedCreditJson<'answer>>,
}

pub(super) fn write(partner: &str, groups: &[Group], basis: &AnswerBasis, out: &mut impl Write) -> anyhow::Result<()> {
    let groups = groups.iter().map(|group| GroupJson {
        within_days: group.days,
        points_at_risk: format!("{:.2}", group.points_at_risk()),
        managed_credits: group.rows.iter().map(Into::into).collect(),
    });
    write_json(&ExpiringJson { partner, groups: groups.collect(), basis: basis.into() }, out)
}
