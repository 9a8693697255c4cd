//! `tier evaluate`: every partner on the 15th of a month (R100, R104).

use std::io::Write;

use clap::Args;
use comfy_table::Cell;
use contracts::wire::credit::{EvaluateTiersRequest, EvaluateTiersResponse, TierEvaluation};

use super::text::evaluation_cells;
use super::{TierFormat, json};
use crate::output::{Width, table, write_json};
use crate::progress;
use crate::running::Part;
use crate::servers::{CallFlags, Servers};
use crate::wording;

/// The flags of `tier evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateCommand {
    /// The date of the evaluation, the 15th of a month, for example 2026-01-15
    #[arg(long, env = "MANAGED_CREDIT_DATE", value_name = "DATE")]
    date: String,
    /// Show what would happen, and record nothing
    #[arg(long, env = "MANAGED_CREDIT_VALIDATE_ONLY")]
    validate_only: bool,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: TierFormat,
    #[command(flatten)]
    call: CallFlags,
}

pub(super) async fn evaluate(command: &EvaluateCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = EvaluateTiersRequest {
        evaluation_date: command.date.clone(),
        validate_only: command.validate_only,
        at_least_revisions: Vec::new(),
    };
    let evaluated = all(&servers, question).await?;
    let made: Vec<&TierEvaluation> = evaluated.iter().filter_map(|each| each.evaluation.as_ref()).collect();
    match command.format {
        TierFormat::Json => write_json(&made.into_iter().map(json::EvaluationJson::from).collect::<Vec<_>>(), out),
        TierFormat::Table => write_table(&made, command.validate_only, out),
    }
}

async fn all(servers: &Servers, question: EvaluateTiersRequest) -> anyhow::Result<Vec<EvaluateTiersResponse>> {
    let mut credit = servers.credit.clone();
    let answer = credit.evaluate_tiers(question).await;
    let mut stream = answer.map_err(|status| servers.problem(Part::Credit, &status))?.into_inner();
    let counter = progress::counter("partners evaluated");
    let mut evaluated = Vec::new();
    while let Some(each) = stream.message().await.map_err(|status| servers.problem(Part::Credit, &status))? {
        evaluated.push(each);
        counter.inc(1);
    }
    counter.finish_and_clear();
    Ok(evaluated)
}

fn write_table(made: &[&TierEvaluation], validate_only: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if made.is_empty() {
        return Ok(writeln!(out, "No partner was in the programme at that time.")?);
    }
    let header = ["Partner", "Evaluated", "Total points", "Met", "Certified", "Outcome", "Tier then"];
    let mut table = table(Width::Terminal, header);
    for each in made {
        let partner = Cell::new(wording::hub_id(&each.partner));
        table.add_row([partner].into_iter().chain(evaluation_cells(each)));
    }
    writeln!(out, "{table}")?;
    if validate_only {
        writeln!(out, "Nothing was recorded: this is what would happen.")?;
    }
    Ok(())
}
