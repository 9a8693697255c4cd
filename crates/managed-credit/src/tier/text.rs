//! A standing for people.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::credit::{EvaluationOutcome, GetTierStandingResponse, Tier, TierEvaluation, TierStanding};

use crate::output::{Width, basis, number, paragraph, table};
use crate::wording;

pub(super) fn write(answer: &GetTierStandingResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let standing = answer.standing.clone().unwrap_or_default();
    writeln!(out, "{}\n", paragraph(&headline(&standing), width))?;
    let mut progress = table(width, ["Tier", "Needs", "Has", "Missing", "Of"]);
    for each in &standing.progress {
        for criterion in &each.criteria {
            progress.add_row([
                Cell::new(wording::tier(each.tier())),
                number(&criterion.required_points),
                number(&criterion.reached_points),
                number(&criterion.missing_points),
                Cell::new(wording::tier_criterion(criterion.kind())),
            ]);
        }
    }
    writeln!(out, "{progress}")?;
    if !standing.window.is_empty() {
        let mut window = table(width, ["Evaluated", "Total points", "Met", "Certified", "Outcome", "Tier then"]);
        for made in &standing.window {
            window.add_row(evaluation_cells(made));
        }
        writeln!(out, "{window}")?;
    }
    for sentence in outlook(&standing) {
        writeln!(out, "{}", paragraph(&sentence, width))?;
    }
    Ok(writeln!(out, "{}", basis(&answer.basis.clone().unwrap_or_default(), width))?)
}

/// The tier that is held, and what today's points would give.
fn headline(standing: &TierStanding) -> String {
    let held = match standing.credited_tier() {
        Tier::None | Tier::Unspecified => "You hold no tier".to_owned(),
        tier => format!("You hold {}", wording::tier(tier)),
    };
    let by = match (&standing.credited_since_time, standing.credited_by.as_str()) {
        (Some(since), by) if !by.is_empty() => {
            format!(" since {} ({by})", wording::minute_or_absent(Some(since)))
        }
        _ => String::new(),
    };
    let points = standing.points.clone().unwrap_or_default();
    let now = match standing.performance_tier() {
        Tier::None | Tier::Unspecified => "are not enough for a tier".to_owned(),
        tier => format!("are enough for {}", wording::tier(tier)),
    };
    format!(
        "{held}{by}. Your {} points now ({} managed and {} sold, {} of them sourced) {now}.",
        points.total_points, points.managed_points, points.sold_points, points.sourced_points
    )
}

fn outlook(standing: &TierStanding) -> Vec<String> {
    let points = standing.points.clone().unwrap_or_default();
    let mut sentences = Vec::new();
    if points.clients_without_points > 0 {
        let clients = u64::try_from(points.clients_without_points).unwrap_or_default();
        sentences.push(format!("Not counted: {} without points.", wording::count(clients, "client")));
    }
    sentences.push(certification(standing));
    if standing.elite_eligible {
        sentences.push("You meet what Elite needs: it is granted by invitation.".to_owned());
    }
    if let Some(next) = &standing.next_reevaluation {
        let when = wording::minute_or_absent(next.evaluation_time.as_ref());
        let then = wording::tier(next.tier_after());
        sentences.push(match next.outcome() {
            EvaluationOutcome::Kept => format!("As things stand, the re-evaluation of {when} changes nothing: {then}."),
            outcome => {
                format!(
                    "As things stand, the re-evaluation of {when}: {}; {then}.",
                    wording::evaluation_outcome(outcome)
                )
            }
        });
    }
    if !standing.thresholds_official {
        sentences.push("The thresholds of the policy are not the programme's official ones.".to_owned());
    }
    sentences
}

fn certification(standing: &TierStanding) -> String {
    match &standing.certification {
        None => "There is no certification: without a valid one no tier is reached.".to_owned(),
        Some(certification) => {
            let until = wording::minute_or_absent(certification.expire_time.as_ref());
            if standing.certified {
                format!("The certification is valid until {until}.")
            } else {
                format!("The certification ran out at {until}: on a re-evaluation day there is no tier without one.")
            }
        }
    }
}

pub(super) fn evaluation_cells(made: &TierEvaluation) -> [Cell; 6] {
    let points = made.points.clone().unwrap_or_default();
    [
        Cell::new(wording::minute_or_absent(made.evaluation_time.as_ref()).split(' ').next().unwrap_or_default()),
        number(points.total_points),
        Cell::new(wording::tier(made.met_tier())),
        Cell::new(if made.certified { "yes" } else { "NO" }),
        Cell::new(wording::evaluation_outcome(made.outcome())),
        Cell::new(wording::tier(made.tier_after())),
    ]
}
