//! An explanation for a manager.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::credit::{Condition, Evidence, ExplainCreditResponse, Loss};

use crate::output::{Width, table};
use crate::wording;

/// The headline, what was lost, every condition with what shows it, and the next step.
pub(crate) fn write_text(answer: &ExplainCreditResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let explanation = answer.explanation.clone().unwrap_or_default();
    writeln!(out, "{}", explanation.headline)?;
    if let Some(loss) = &explanation.loss {
        write_loss(loss, out)?;
    }
    if !explanation.remedy.is_empty() {
        writeln!(out, "\nNext step: {}", explanation.remedy)?;
    }
    let mut table = table(width, ["Met", "Since", "Condition", "Rule"]);
    for condition in &explanation.conditions {
        table.add_row([
            Cell::new(wording::condition(condition.status())),
            Cell::new(wording::minute_or_absent(condition.since_time.as_ref())),
            Cell::new(condition_text(condition)),
            Cell::new(&condition.rule),
        ]);
    }
    writeln!(out, "\n{table}")?;
    let basis = answer.basis.clone().unwrap_or_default();
    let as_of = wording::minute_or_absent(basis.as_of_time.as_ref());
    Ok(writeln!(out, "As of {as_of}, by policy {}.", basis.policy_version)?)
}

fn write_loss(loss: &Loss, out: &mut impl Write) -> anyhow::Result<()> {
    let lost = wording::minute_or_absent(loss.lose_time.as_ref());
    writeln!(out, "\nLost on {lost}: {}.", wording::cause(loss.cause()))?;
    for activity in &loss.activities {
        writeln!(out, "  - {}", evidence_text(activity))?;
    }
    Ok(())
}

fn condition_text(condition: &Condition) -> String {
    let mut lines = vec![condition.statement.clone()];
    if !condition.help.is_empty() {
        lines.push(format!("> {}", condition.help));
    }
    lines.extend(condition.evidence.iter().map(|evidence| format!("- {}", evidence_text(evidence))));
    lines.join("\n")
}

fn evidence_text(evidence: &Evidence) -> String {
    match evidence.time {
        Some(_) => format!("{}: {}", wording::minute_or_absent(evidence.time.as_ref()), evidence.text),
        None => evidence.text.clone(),
    }
}
