//! `simulate`: what credit would be under another policy document, by the facts of a running system.

mod csv;
mod json;
mod table;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use contracts::wire::credit::simulate_policy_response::Part as Told;
use contracts::wire::credit::{CreditDifference, PartnerDifference, SimulatePolicyRequest, SimulationSummary};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::output::{Format, Width};
use crate::progress;
use crate::running::Part;
use crate::servers::{CallFlags, Servers};

/// The flags of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateCommand {
    /// The other policy document; `managed-credit policy --document` prints the one in force to begin with
    #[arg(long, env = "MANAGED_CREDIT_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// Only this partner: its hub id, for example 1001; all, if absent
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: Option<HubId>,
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339; now, if absent; a later one means "if nothing
    /// else happens"
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", value_parser = parse_instant)]
    as_of: Option<Instant>,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    call: CallFlags,
}

/// Everything that a simulation told.
#[derive(Debug, Default)]
struct Simulation {
    credits: Vec<CreditDifference>,
    partners: Vec<PartnerDifference>,
    summary: SimulationSummary,
}

pub(crate) async fn simulate(command: &SimulateCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let path = command.policy.display();
    let policy_document = std::fs::read_to_string(&command.policy).with_context(|| format!("cannot read {path}"))?;
    let question = SimulatePolicyRequest {
        policy_document,
        as_of_time: command.as_of.map(timestamp),
        partner: command.partner.map(|partner| PartnerName(partner).to_string()).unwrap_or_default(),
        at_least_revisions: Vec::new(),
    };
    let simulation = all(&servers, question).await?;
    match command.format {
        Format::Table => table::write(&simulation, Width::Terminal, out),
        Format::Json => json::write(&simulation, out),
        Format::Csv => csv::write(&simulation, out),
    }
}

async fn all(servers: &Servers, question: SimulatePolicyRequest) -> anyhow::Result<Simulation> {
    let problem = |status| servers.problem(Part::Credit, &status);
    let mut credit = servers.credit.clone();
    let mut stream = credit.simulate_policy(question).await.map_err(problem)?.into_inner();
    let counter = progress::counter("differences");
    let mut simulation = Simulation::default();
    while let Some(message) = stream.message().await.map_err(problem)? {
        match message.part {
            Some(Told::Credit(difference)) => {
                simulation.credits.push(difference);
                counter.inc(1);
            }
            Some(Told::Partner(difference)) => simulation.partners.push(difference),
            Some(Told::Summary(summary)) => simulation.summary = summary,
            None => {}
        }
    }
    counter.finish_and_clear();
    Ok(simulation)
}
