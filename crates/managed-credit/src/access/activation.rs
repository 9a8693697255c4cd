//! `access deactivate` and `access reactivate`: who may log in to a client account (R38, R39).

use std::io::Write;

use clap::Args;
use contracts::reason_name;
use contracts::wire::access::{ClientUserState, DeactivateClientUserRequest, ReactivateClientUserRequest};
use contracts::wire::error::ErrorReason;
use domain::access::HubId;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::lookup::{self, Found};
use super::results::{Outcome, Results, Words};
use super::{WriteFlags, new_request_id};
use crate::servers::{Servers, call};
use crate::wording;

/// The flags of `access deactivate` and `access reactivate`.
#[derive(Debug, Args)]
pub(crate) struct ActivationCommand {
    /// The client: its hub id or, with --partner, its name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID", value_parser = lookup::wanted)]
    client: String,
    /// The hub id of the partner among whose clients a name is looked up
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: Option<HubId>,
    /// The users of the client account: addresses, or names or parts of them
    #[arg(required = true, value_name = "USER", value_parser = lookup::wanted)]
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
        note(&mut results, &servers, (&user, ClientUserState::Deactivated), remark, answer);
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
        let remark = "work counts again where the client is assigned";
        note(&mut results, &servers, (&user, ClientUserState::Active), remark, answer);
    }
    results.write(command.write.format, out)?;
    results.require_all()
}

fn note(
    results: &mut Results,
    servers: &Servers,
    (user, wanted): (&Found, ClientUserState),
    remark: &str,
    revision: Result<String, Status>,
) {
    match revision {
        Ok(revision) => {
            results.add(user, Outcome::Done, remark);
            results.note_revision(revision);
        }
        Err(status) if is_in_state(&status, wanted) => results.add(user, Outcome::Unchanged, ""),
        Err(status) => results.refuse_call(user, &status, servers),
    }
}

/// Whether nothing was done because the user is in this state already.
fn is_in_state(status: &Status, state: ClientUserState) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| {
        let is_in = info.metadata.get("state").is_some_and(|is| is == wording::client_user_state(state));
        is_in && info.reason == reason_name(ErrorReason::IllegalTransition)
    })
}
