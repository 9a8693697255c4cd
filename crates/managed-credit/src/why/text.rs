//! An explanation for a manager: each fact once. The conditions are a line each; what shows them follows by person and by
//! what was done, instead of again under every condition that rests on it. `--format json` has it by condition.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::credit::{
    Condition, ConditionKind, Evidence, ExplainCreditResponse, Explanation, Loss, NoCreditReason, RemedyAim,
};

use crate::output::{Width, basis, item, paragraph, table};
use crate::wording;

/// The most people, and activities of a kind, that are listed: the most telling come first.
const MAXIMUM_LISTED: usize = 8;

/// The conditions that are told of people (R7, R20, R39).
const PEOPLE: [ConditionKind; 5] = [
    ConditionKind::EmployeeExists,
    ConditionKind::EmployeeFlagged,
    ConditionKind::UserInClient,
    ConditionKind::UserActive,
    ConditionKind::ClientAssigned,
];

/// The headline, the next step, every condition, and what shows them.
pub(crate) fn write_text(answer: &ExplainCreditResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let explanation = answer.explanation.clone().unwrap_or_default();
    write_summary(&explanation, width, out)?;
    write_conditions(&explanation, width, out)?;
    write_list("Your people", &people(&explanation), width, out)?;
    write_list("Qualifying work", &qualifying_work(&explanation), width, out)?;
    write_list("Other work", &other_work(&explanation), width, out)?;
    Ok(writeln!(out, "\n{}", basis(&answer.basis.clone().unwrap_or_default(), width))?)
}

/// What is so, by what (the headline tells the instant and the cause of a loss), and the next step.
pub(crate) fn write_summary(explanation: &Explanation, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", paragraph(&explanation.headline, width))?;
    if !explanation.remedy.is_empty() {
        let aim = match explanation.remedy_aim() {
            RemedyAim::Keep => "To keep it",
            RemedyAim::Restore | RemedyAim::Unspecified => "Next step",
        };
        writeln!(out, "\n{}", paragraph(&format!("{aim}: {}", explanation.remedy), width))?;
    }
    Ok(())
}

fn write_conditions(explanation: &Explanation, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let mut table = table(width, ["Met", "Since (UTC)", "Condition", "Rule"]);
    let is_same = |one: &Condition, other: &Condition| one.status == other.status && one.statement == other.statement;
    for same in explanation.conditions.chunk_by(is_same) {
        let rules: Vec<&str> = same.iter().map(|condition| condition.rule.as_str()).collect();
        table.add_row([
            Cell::new(wording::condition(same[0].status())),
            Cell::new(wording::minute_or_absent(same[0].since_time.as_ref()).trim_end_matches(" UTC")),
            Cell::new(condition_text(&same[0], &explanation.remedy)),
            Cell::new(rules.join(", ")),
        ]);
    }
    Ok(writeln!(out, "\n{table}")?)
}

/// Its statement, its help where that is not the next step anyway, and what shows it where nothing below does.
fn condition_text(condition: &Condition, remedy: &str) -> String {
    let mut lines = vec![condition.statement.clone()];
    if !condition.help.is_empty() && condition.help != remedy {
        lines.push(format!("> {}", condition.help));
    }
    if !is_listed_below(condition.kind()) {
        lines.extend(condition.evidence.iter().map(|evidence| format!("- {}", evidence.text)));
    }
    lines.join("\n")
}

fn is_listed_below(kind: ConditionKind) -> bool {
    PEOPLE.contains(&kind) || matches!(kind, ConditionKind::QualifyingActivity | ConditionKind::NotExpired)
}

fn evidence_of(explanation: &Explanation, kind: ConditionKind) -> &[Evidence] {
    let condition = explanation.conditions.iter().find(|condition| condition.kind() == kind);
    condition.map_or(&[], |condition| &condition.evidence)
}

/// A line per person, with how it stands to every condition. Evidence reads `person: fact`.
fn people(explanation: &Explanation) -> Vec<String> {
    let mut people: Vec<(&str, Vec<&str>)> = Vec::new();
    for evidence in PEOPLE.iter().flat_map(|kind| evidence_of(explanation, *kind)) {
        let (person, fact) = evidence.text.split_once(": ").unwrap_or((&evidence.text, ""));
        match people.iter_mut().find(|(other, _)| *other == person) {
            Some((_, facts)) if facts.contains(&fact) => {}
            Some((_, facts)) => facts.push(fact),
            None => people.push((person, vec![fact])),
        }
    }
    people.into_iter().map(|(person, facts)| format!("{person}: {}", facts.join("; "))).collect()
}

/// What counted, and until when: where the relationship was ended, until then instead of to its own expiry (R73).
fn qualifying_work(explanation: &Explanation) -> Vec<String> {
    let expiries = evidence_of(explanation, ConditionKind::NotExpired);
    let text = |evidence: &Evidence| evidence.text.trim_end_matches('.').to_owned();
    let Some(loss) = explanation.loss.as_ref().filter(|loss| is_ending(loss.cause())) else {
        return expiries.iter().map(text).collect();
    };
    let earlier = expiries.iter().filter(|expiry| is_before(expiry, loss));
    loss.activities.iter().chain(earlier).map(text).collect()
}

/// Whether the loss cut off what still counted.
const fn is_ending(cause: NoCreditReason) -> bool {
    matches!(
        cause,
        NoCreditReason::AllEmployeesRemoved
            | NoCreditReason::ServicesEnded
            | NoCreditReason::PartnerLeft
            | NoCreditReason::ClientClosed
    )
}

fn is_before(expiry: &Evidence, loss: &Loss) -> bool {
    let key = |time: &Option<prost_types::Timestamp>| time.as_ref().map(|time| (time.seconds, time.nanos));
    key(&expiry.time) < key(&loss.lose_time)
}

/// What was done and does not count, with the reasons: it follows what qualified.
fn other_work(explanation: &Explanation) -> Vec<String> {
    let qualified = evidence_of(explanation, ConditionKind::NotExpired).len();
    let done = evidence_of(explanation, ConditionKind::QualifyingActivity);
    done.iter().skip(qualified).map(|evidence| evidence.text.clone()).collect()
}

fn write_list(title: &str, lines: &[String], width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for line in lines.iter().take(MAXIMUM_LISTED) {
        writeln!(out, "{}", item(line, width))?;
    }
    match lines.len().saturating_sub(MAXIMUM_LISTED) {
        0 => Ok(()),
        more => Ok(writeln!(
            out,
            "{}",
            item(&format!("and {more} more; `why --format json` lists up to 50 of a kind"), width)
        )?),
    }
}

#[cfg(test)]
mod tests {
    use contracts::wire::credit::ConditionStatus;
    use prost_types::Timestamp;

    use super::*;

    fn evidence(day: i64, text: &str) -> Evidence {
        let time = Some(Timestamp { seconds: day * 86_400, nanos: 0 });
        Evidence { time, text: text.to_owned(), change: None }
    }

    fn condition(kind: ConditionKind, statement: &str, evidence: Vec<Evidence>) -> Condition {
        Condition {
            kind: kind.into(),
            rule: format!("R{}", kind as i32),
            status: ConditionStatus::Failed.into(),
            statement: statement.to_owned(),
            evidence,
            ..Condition::default()
        }
    }

    fn printed(explanation: Explanation) -> String {
        let answer = ExplainCreditResponse { explanation: Some(explanation), ..ExplainCreditResponse::default() };
        let mut out = Vec::new();
        write_text(&answer, Width::Fixed, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_person_is_told_of_once_with_all_that_is_known() {
        let explanation = Explanation {
            conditions: vec![
                condition(ConditionKind::UserInClient, "In.", vec![evidence(1, "Anna: active there")]),
                condition(ConditionKind::UserActive, "Active.", vec![evidence(1, "Anna: active there")]),
                condition(ConditionKind::ClientAssigned, "Assigned.", vec![evidence(2, "Anna: not assigned")]),
            ],
            ..Explanation::default()
        };
        let text = printed(explanation);
        assert!(text.contains("  - Anna: active there; not assigned\n"), "{text}");
        assert_eq!(text.matches("Anna").count(), 1, "{text}");
    }

    #[test]
    fn what_follows_from_an_earlier_condition_is_one_row() {
        let conditions = vec![
            condition(ConditionKind::UserActive, "Nobody.", Vec::new()),
            condition(ConditionKind::ClientAssigned, "Nobody.", Vec::new()),
        ];
        let text = printed(Explanation { conditions, ..Explanation::default() });
        assert_eq!(text.matches("Nobody.").count(), 1, "{text}");
        assert!(text.contains("R6, R7"), "{text}");
    }

    #[test]
    fn r73_work_that_an_ending_cut_off_is_not_said_to_expire_later() {
        let qualified =
            [evidence(1, "old qualified"), evidence(2, "new qualified"), evidence(3, "login does not count")];
        let explanation = Explanation {
            conditions: vec![
                condition(ConditionKind::QualifyingActivity, "Done.", qualified.to_vec()),
                condition(
                    ConditionKind::NotExpired,
                    "Ended.",
                    vec![evidence(90, "new expires on day 90"), evidence(40, "old expired on day 40")],
                ),
            ],
            loss: Some(Loss {
                lose_time: evidence(50, "").time,
                cause: NoCreditReason::AllEmployeesRemoved.into(),
                activities: vec![evidence(2, "New counted until day 50.")],
                ..Loss::default()
            }),
            ..Explanation::default()
        };
        let text = printed(explanation);
        let expected = "Qualifying work:\n  - New counted until day 50\n  - old expired on day 40\n\n\
                        Other work:\n  - login does not count\n";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_long_list_says_how_many_are_left_out() {
        let done = (0..20).map(|day| evidence(day, "login does not count")).collect();
        let conditions = vec![condition(ConditionKind::QualifyingActivity, "Nothing.", done)];
        let text = printed(Explanation { conditions, ..Explanation::default() });
        assert_eq!(text.matches("login").count(), MAXIMUM_LISTED, "{text}");
        assert!(text.contains("and 12 more"), "{text}");
    }
}
