//! `status`: how far the services are.

mod row;

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::bail;
use clap::Args;
use comfy_table::Cell;
use contracts::wire::maintenance::{GetStatusRequest, GetStatusResponse};

use crate::output::{Format, Width, keep_whole, not_a_formula, number, paragraph, table, write_json};
use crate::running::Part;
use crate::servers::{ServerUrls, Servers, ask};
use row::{FollowedStatus, ServiceStatus};

/// The flags of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusCommand {
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

pub(crate) async fn status(command: &StatusCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::for_platform(&command.urls)?;
    let mut answers = Vec::new();
    for part in Part::ALL {
        let answer = ask!(servers.maintenance(part), get_status, GetStatusRequest {});
        answers.push((part, answer.map_err(|status| servers.problem(part, &status).to_string())));
    }
    let services = services(&answers);
    match command.format {
        Format::Table => write_table(&services, Width::Terminal, out)?,
        Format::Json => write_json(&serde_json::json!({ "services": &services }), out)?,
        Format::Csv => write_csv(&services, out)?,
    }
    require_well(&services)
}

/// A service with what it answered, or why it did not.
type Answer = (Part, Result<GetStatusResponse, String>);

fn services(answers: &[Answer]) -> Vec<ServiceStatus> {
    let ends: Vec<&str> =
        answers.iter().filter_map(|(_, answer)| Some(answer.as_ref().ok()?.revision.as_str())).collect();
    let service = |(part, answer): &Answer| match answer {
        Ok(status) => ServiceStatus::new(*part, status, &ends),
        Err(problem) => ServiceStatus::away(*part, problem),
    };
    answers.iter().map(service).collect()
}

fn write_table(services: &[ServiceStatus], width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let header = ["Service", "Its facts", "Copied", "Settled", "Behind", "State"];
    let mut table = table(width, header);
    for service in services {
        // One row per feed that is followed; one without what is followed where nothing is.
        let feeds: Vec<Option<&FollowedStatus>> = service.followed_feeds.iter().map(Some).collect();
        let feeds = if feeds.is_empty() { vec![None] } else { feeds };
        for (index, feed) in feeds.into_iter().enumerate() {
            table.add_row(cells(service, feed, index == 0));
        }
    }
    for column in 0..=3 {
        keep_whole(&mut table, column);
    }
    writeln!(out, "{table}")?;
    for service in services {
        for sentence in service.sentences() {
            writeln!(out, "{}", paragraph(&sentence, width))?;
        }
    }
    for problem in services.iter().filter_map(|service| service.problem.as_ref()) {
        writeln!(out, "{}", paragraph(problem, width))?;
    }
    writeln!(out, "{}", paragraph(&policies_in_words(services), width))?;
    Ok(())
}

fn cells(service: &ServiceStatus, feed: Option<&FollowedStatus>, is_first: bool) -> [Cell; 6] {
    let of_service = |text: String| Cell::new(if is_first { text } else { String::new() });
    let of_feed = |text: fn(&FollowedStatus) -> String| feed.map(text).unwrap_or_default();
    let state =
        if service.problem.is_some() { "away".to_owned() } else { of_feed(|feed| feed.state_in_words().to_owned()) };
    [
        of_service(service.service.to_owned()),
        of_service(service.revision.clone()),
        Cell::new(of_feed(|feed| feed.revision.clone())),
        Cell::new(of_feed(|feed| feed.settled_revision.clone())),
        number(of_feed(FollowedStatus::behind_in_words)),
        Cell::new(state),
    ]
}

const CSV_HEADER: [&str; 14] = [
    "service",
    "revision",
    "followed_revision",
    "settled_revision",
    "behind_changes",
    "caught_up_time",
    "state",
    "waiting_tasks",
    "done",
    "oldest_time",
    "provisional_activities",
    "policy_version",
    "policy_digest",
    "problem",
];

/// One line per feed that is followed, with what is true of its service.
fn write_csv(services: &[ServiceStatus], out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(CSV_HEADER)?;
    for service in services {
        let feeds: Vec<Option<&FollowedStatus>> = service.followed_feeds.iter().map(Some).collect();
        for feed in if feeds.is_empty() { vec![None] } else { feeds } {
            writer.write_record(service.fields(feed).map(|field| not_a_formula(&field)))?;
        }
    }
    Ok(writer.flush()?)
}

fn policies_in_words(services: &[ServiceStatus]) -> String {
    let answering = services.iter().filter(|service| !service.policy_digest.is_empty());
    let policies: BTreeMap<&str, &str> =
        answering.map(|service| (service.policy_digest.as_str(), service.policy_version.as_str())).collect();
    let versions = policies.values().copied().collect::<Vec<_>>().join(", ");
    match policies.len() {
        0 => "No service says by which policy it works.".to_owned(),
        1 => format!("All work by policy {versions}."),
        _ => format!("They work by different policies, {versions}; that is right during a deployment only."),
    }
}

/// So that a script that only looks at the exit code knows.
fn require_well(services: &[ServiceStatus]) -> anyhow::Result<()> {
    let unwell: Vec<&str> =
        services.iter().filter(|service| !service.is_well()).map(|service| service.service).collect();
    if unwell.is_empty() {
        return Ok(());
    }
    bail!("away, or not following what they should: {}", unwell.join(", "))
}

#[cfg(test)]
mod tests;
