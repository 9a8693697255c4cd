//! An explanation for a manager.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::credit::{Condition, ExplainCreditResponse, Loss};

use crate::output::{Width, basis, paragraph, table};
use crate::wording;

/// The headline, what was lost, every condition with what shows it, and the next step.
pub(crate) fn write_text(answer: &ExplainCreditResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let explanation = answer.explanation.clone().unwrap_or_default();
    writeln!(out, "{}", paragraph(&explanation.headline))?;
    if let Some(loss) = &explanation.loss {
        write_loss(loss, out)?;
    }
    if !explanation.remedy.is_empty() {
        writeln!(out, "\n{}", paragraph(&format!("Next step: {}", explanation.remedy)))?;
    }
    let mut table = table(width, ["Met", "Since (UTC)", "Condition", "Rule"]);
    for condition in &explanation.conditions {
        table.add_row([
            Cell::new(wording::condition(condition.status())),
            Cell::new(wording::minute_or_absent(condition.since_time.as_ref()).trim_end_matches(" UTC")),
            Cell::new(condition_text(condition, &explanation.remedy)),
            Cell::new(&condition.rule),
        ]);
    }
    writeln!(out, "\n{table}")?;
    Ok(writeln!(out, "{}", basis(&answer.basis.clone().unwrap_or_default(), width))?)
}

fn write_loss(loss: &Loss, out: &mut impl Write) -> anyhow::Result<()> {
    let lost = wording::minute_or_absent(loss.lose_time.as_ref());
    writeln!(out, "\nLost on {lost}: {}.", wording::cause(loss.cause()))?;
    for activity in &loss.activities {
        writeln!(out, "  - {}", activity.text)?;
    }
    Ok(())
}

/// Its statement, its help where that is not the next step anyway, and what shows it.
fn condition_text(condition: &Condition, remedy: &str) -> String {
    let mut lines = vec![condition.statement.clone()];
    if !condition.help.is_empty() && condition.help != remedy {
        lines.push(format!("> {}", condition.help));
    }
    lines.extend(condition.evidence.iter().map(|evidence| format!("- {}", evidence.text)));
    lines.join("\n")
}
