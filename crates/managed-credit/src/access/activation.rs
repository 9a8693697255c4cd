//! `access deactivate` and `access reactivate`: who may log in to a client account (R38, R39).

use std::io::Write;

use clap::Args;
use contracts::wire::access::{ClientUserState, DeactivateClientUserRequest, ReactivateClientUserRequest};
use domain::access::HubId;
use tonic::Status;

use super::lookup::{self, Found};
use super::results::{Outcome, Results, Words};
use super::{WriteFlags, new_request_id};
use crate::running::Part;
use crate::servers::{Servers, call};

/// The flags of `access deactivate` and `access reactivate`.
#[derive(Debug, Args)]
pub(crate) struct ActivationCommand {
    /// The client: its hub id or, with --partner, its name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID")]
    client: String,
    /// The hub id of the partner among whose clients a name is looked up
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: Option<HubId>,
    /// The users of the client account: addresses, or names or parts of them
    #[arg(required = true, value_name = "USER")]
    users: Vec<String>,
    #[command(flatten)]
    write: WriteFlags,
}

impl ActivationCommand {
    /// Everybody who was named; an error before anything is written.
    async fn found(&self, servers: &Servers) -> anyhow::Result<Vec<Found>> {
        let client = lookup::client(servers, self.partner, &self.client).await?;
        let states = [ClientUserState::Active, ClientUserState::Deactivated];
        lookup::several_client_users(servers, &client, &self.users, &states).await
    }
}

pub(super) async fn deactivate(command: &ActivationCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let mut results = Results::new(Words { subject: "User", done: "deactivated" });
    for user in command.found(&servers).await? {
        let message = DeactivateClientUserRequest {
            name: user.name.clone(),
            request_id: new_request_id(),
            reason: command.write.reason.clone(),
            ..DeactivateClientUserRequest::default()
        };
        let answer = call!(servers.access, deactivate_client_user, message).map(|answer| answer.revision);
        let remark = "what was done goes on counting to its expiry; new work does not count";
        note(&mut results, &servers, &user, remark, answer);
    }
    results.write(command.write.format, out)?;
    results.require_all()
}

pub(super) async fn reactivate(command: &ActivationCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let mut results = Results::new(Words { subject: "User", done: "reactivated" });
    for user in command.found(&servers).await? {
        let message = ReactivateClientUserRequest {
            name: user.name.clone(),
            request_id: new_request_id(),
            reason: command.write.reason.clone(),
            ..ReactivateClientUserRequest::default()
        };
        let answer = call!(servers.access, reactivate_client_user, message).map(|answer| answer.revision);
        note(&mut results, &servers, &user, "work counts again where the client is assigned", answer);
    }
    results.write(command.write.format, out)?;
    results.require_all()
}

fn note(results: &mut Results, servers: &Servers, user: &Found, remark: &str, revision: Result<String, Status>) {
    match revision {
        Ok(revision) => {
            results.add(user, Outcome::Done, remark);
            results.note_revision(revision);
        }
        Err(status) => results.refuse_call(user, &status, &servers.problem(Part::Access, &status)),
    }
}
