//! `expiring`: the credit that a partner loses soon if nothing else happens, of a running system.

mod csv;
mod json;
mod table;

use std::io::Write;

use chrono::TimeDelta;
use clap::Args;
use contracts::wire::credit::{ListManagedCreditsRequest, ManagedCredit, ManagedCreditFilter, ManagedCreditOrder};
use contracts::{PartnerName, instant, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::breakdown::Breakdown;
use crate::output::{Format, Width};
use crate::servers::{CallFlags, Servers};

/// How many days ahead are asked for, to learn the policy's own from the answer: no policy warns earlier.
const LONGEST_DAYS: i32 = 3_660;

/// The flags of `expiring`.
#[derive(Debug, Args)]
pub(crate) struct ExpiringCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// How many days ahead; as many as the policy warns, if absent
    #[arg(long, env = "MANAGED_CREDIT_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3660))]
    pub days: Option<i32>,
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339; now, if absent
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub call: CallFlags,
}

/// The clients whose credit ends within so many days, and not within fewer of the policy's.
#[derive(Debug)]
struct Group {
    days: i32,
    /// Soonest first.
    rows: Vec<ManagedCredit>,
}

pub(crate) async fn expiring(command: &ExpiringCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let filter =
        ManagedCreditFilter { expiring_within_days: command.days.unwrap_or(LONGEST_DAYS), ..Default::default() };
    let question = ListManagedCreditsRequest {
        parent: PartnerName(command.partner).to_string(),
        order: ManagedCreditOrder::ExpireTime.into(),
        filter: Some(filter),
        as_of_time: command.as_of.map(timestamp),
        ..ListManagedCreditsRequest::default()
    };
    let breakdown = Breakdown::ask(&servers, question).await?;
    let groups = grouped(&breakdown, command.days);
    match command.format {
        Format::Table => table::write(&groups, &breakdown.basis(), Width::Terminal, out),
        Format::Json => json::write(&PartnerName(command.partner).to_string(), &groups, &breakdown.basis(), out),
        Format::Csv => csv::write(&groups, out),
    }
}

/// The rows by the days of the policy's warnings, soonest first; those that end later than all of them, or than was asked,
/// are no concern yet.
fn grouped(breakdown: &Breakdown, asked: Option<i32>) -> Vec<Group> {
    let mut limits = breakdown.totals.warning_days.clone();
    limits.retain(|days| asked.is_none_or(|asked| *days < asked));
    limits.extend(asked);
    limits.sort_unstable();
    let basis = breakdown.basis();
    let as_of = basis.as_of_time.as_ref().and_then(|time| instant(time).ok());
    let ends_within = |row: &ManagedCredit, days: i32| {
        let end = row.expire_time.as_ref().and_then(|time| instant(time).ok());
        as_of.zip(end).is_some_and(|(as_of, end)| end <= as_of + TimeDelta::days(days.into()))
    };
    let mut groups: Vec<Group> = limits.iter().map(|days| Group { days: *days, rows: Vec::new() }).collect();
    for row in &breakdown.rows {
        if let Some(group) = groups.iter_mut().find(|group| ends_within(row, group.days)) {
            group.rows.push(row.clone());
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

impl Group {
    /// The points of its rows, of those that have any.
    fn points_at_risk(&self) -> rust_decimal::Decimal {
        let points = self.rows.iter().filter_map(|row| row.points.as_deref()?.parse::<rust_decimal::Decimal>().ok());
        points.sum()
    }
}

#[cfg(test)]
mod tests {
    use contracts::wire::credit::{AnswerBasis, ListManagedCreditsResponse};

    use super::*;

    fn row(client: &str, ends: &str) -> ManagedCredit {
        let expire_time = Some(timestamp(ends.parse().expect("a time")));
        ManagedCredit { client: client.to_owned(), expire_time, points: Some("1.50".to_owned()), ..Default::default() }
    }

    fn told(asked: Option<i32>) -> Vec<(i32, Vec<String>, String)> {
        let rows = vec![
            row("clients/1", "2025-01-02T00:00:00Z"),
            row("clients/2", "2025-01-02T00:00:00.000001Z"),
            row("clients/3", "2025-01-08T00:00:00Z"),
            row("clients/4", "2025-01-31T00:00:00Z"),
            row("clients/5", "2025-03-01T00:00:00Z"),
        ];
        let as_of_time = Some(timestamp("2025-01-01T00:00:00Z".parse().expect("a time")));
        let basis = Some(AnswerBasis { as_of_time, ..Default::default() });
        let totals = ListManagedCreditsResponse { warning_days: vec![30, 14, 7, 1], basis, ..Default::default() };
        let groups = grouped(&Breakdown { rows, totals }, asked);
        let clients = |group: &Group| group.rows.iter().map(|row| row.client.replace("clients/", "")).collect();
        groups.iter().map(|group| (group.days, clients(group), group.points_at_risk().to_string())).collect()
    }

    #[test]
    fn every_credit_is_told_under_the_shortest_warning_that_it_falls_in() {
        let clients = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            told(None),
            [
                (1, clients(&["1"]), "1.50".to_owned()),
                (7, clients(&["2", "3"]), "3.00".to_owned()),
                (30, clients(&["4"]), "1.50".to_owned()),
            ]
        );
        assert_eq!(told(Some(5)), [(1, clients(&["1"]), "1.50".to_owned()), (5, clients(&["2"]), "1.50".to_owned())]);
    }
}
