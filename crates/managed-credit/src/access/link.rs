//! `access link` and `access unlink`: assignments by hand (R24, R25).

use std::io::Write;

use clap::Args;
use contracts::wire::access::link_client_result::Outcome as LinkOutcome;
use contracts::wire::access::{BatchLinkClientsRequest, UnlinkClientRequest};
use contracts::wire::error::ErrorReason;
use domain::access::HubId;

use super::lookup::{self, Employed, Found};
use super::results::{Outcome, Results, Words, is_for};
use super::{WriteFlags, new_request_id};
use crate::running::Part;
use crate::servers::{Servers, call};
use crate::wording;

/// The most clients that one call links.
const MAXIMUM_LINKS: usize = 1_000;

/// The flags of `access link` and `access unlink`.
#[derive(Debug, Args)]
pub(crate) struct LinkCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The employee: the address, or the name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_EMPLOYEE", value_name = "ADDRESS_OR_NAME", value_parser = lookup::wanted)]
    employee: String,
    /// The clients: hub ids, or names or parts of them of clients in which anybody of the partner has access
    #[arg(required = true, value_name = "CLIENT", value_parser = lookup::wanted)]
    clients: Vec<String>,
    #[command(flatten)]
    write: WriteFlags,
}

impl LinkCommand {
    /// Everybody and everything that was named; an error before anything is written.
    async fn found(&self, servers: &Servers) -> anyhow::Result<(Found, Vec<Found>)> {
        let employee = lookup::employee(servers, self.partner, &self.employee, Employed::Now).await?;
        Ok((employee, lookup::several_clients(servers, self.partner, &self.clients).await?))
    }
}

pub(super) async fn link(command: &LinkCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let (employee, clients) = command.found(&servers).await?;
    let mut results = Results::new(Words { subject: "Client", done: "linked" });
    for clients in clients.chunks(MAXIMUM_LINKS) {
        let message = BatchLinkClientsRequest {
            employee: employee.name.clone(),
            clients: clients.iter().map(|client| client.name.clone()).collect(),
            request_id: new_request_id(),
            reason: command.write.reason.clone(),
            ..BatchLinkClientsRequest::default()
        };
        let answer = call!(servers.access, batch_link_clients, message);
        let answer = answer.map_err(|status| servers.problem(Part::Access, &status))?;
        for (client, result) in clients.iter().zip(answer.results) {
            note_link(&mut results, client, result.outcome);
        }
        results.note_revision(answer.revision);
    }
    results.write(command.write.format, out)?;
    results.require_all()
}

fn note_link(results: &mut Results, client: &Found, outcome: Option<LinkOutcome>) {
    match outcome {
        Some(LinkOutcome::Assignment(assignment)) => {
            results.add(client, Outcome::Done, wording::what_counts(assignment.state()));
        }
        Some(LinkOutcome::Error(error)) if is_for(&error, ErrorReason::AlreadyAssigned) => {
            results.add(client, Outcome::Unchanged, "");
        }
        Some(LinkOutcome::Error(error)) => results.refuse(client, &error),
        None => results.add(client, Outcome::Refused, "the service said nothing of it"),
    }
}

pub(super) async fn unlink(command: &LinkCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let (employee, clients) = command.found(&servers).await?;
    let mut results = Results::new(Words { subject: "Client", done: "unlinked" });
    for client in &clients {
        let message = UnlinkClientRequest {
            employee: employee.name.clone(),
            client: client.name.clone(),
            request_id: new_request_id(),
            reason: command.write.reason.clone(),
            ..UnlinkClientRequest::default()
        };
        match call!(servers.access, unlink_client, message) {
            Ok(answer) => {
                results.add(client, Outcome::Done, "what was done there goes on counting to its expiry");
                results.note_revision(answer.revision);
            }
            Err(status) => results.refuse_call(client, &status, &servers),
        }
    }
    results.write(command.write.format, out)?;
    results.require_all()
}
