//! An explanation for spreadsheets.

use std::io::Write;

use contracts::wire::credit::{Condition, Explanation};

use crate::output::not_a_formula;
use crate::wording::{rfc_3339, short_name};

const HEADER: [&str; 7] = ["kind", "rule", "status", "since_time", "statement", "evidence", "help"];

/// One line per condition, what shows it in one cell, a line each; what is absent is an empty cell.
pub(super) fn write(explanation: &Explanation, out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for condition in &explanation.conditions {
        writer.write_record(cells(condition))?;
    }
    Ok(writer.flush()?)
}

fn cells(condition: &Condition) -> [String; HEADER.len()] {
    let evidence: Vec<&str> = condition.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
    [
        short_name(condition.kind().as_str_name(), "CONDITION_KIND_").to_owned(),
        condition.rule.clone(),
        short_name(condition.status().as_str_name(), "CONDITION_STATUS_").to_owned(),
        rfc_3339(condition.since_time.as_ref()).unwrap_or_default(),
        not_a_formula(&condition.statement),
        not_a_formula(&evidence.join("\n")),
        not_a_formula(&condition.help),
    ]
}
