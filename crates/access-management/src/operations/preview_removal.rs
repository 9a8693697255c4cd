//! The first step of the removal wizard (R40): what a removal would do. Writes nothing.

use contracts::wire::access as wire;
use contracts::{ClientName, EmployeeName, ErrorReason, Failure};
use domain::access::{AccessHistory, Actor, HubId, PlannedRemoval, RemovalSelection};
use domain::time::Instant;
use prost::Message as _;
use service_kit::{ServiceError, access_log};

use super::plan_removal::{Asker, PlannedRemovals, plan_removal};
use crate::removal_token::RemovalToken;
use crate::{AccessManagement, resource};

/// The most bytes of a preview, which has no pages: most clients read answers of up to 4 MiB.
const MAXIMUM_BYTES: usize = 4_000_000;

pub(crate) struct RemovalQuestion {
    pub selection: RemovalSelection,
    /// As it was asked, for the token.
    pub request: wire::PreviewRemovalRequest,
}

impl AccessManagement {
    pub(crate) async fn preview_removal(
        &self,
        question: RemovalQuestion,
        actor: Actor,
    ) -> Result<wire::PreviewRemovalResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let at = access_log::present_instant(&*transaction, self.clock.now()).await?;
        let asker = Asker { actor: &actor, policy: &self.policy, at };
        let planned = plan_removal(&*transaction, asker, &question.selection).await?;
        let PlannedRemovals { history, plan, assets, ended_relationships, partner } = planned;
        let token = RemovalToken { request: question.request, fingerprint: plan.fingerprint().to_vec() };
        let answer = wire::PreviewRemovalResponse {
            removals: plan.removals.iter().map(|removal| removal_row(&history, partner, removal, at)).collect(),
            assets: assets.iter().map(resource::asset).collect(),
            ended_relationships,
            clients_without_permission: plan.left_out.iter().map(|client| ClientName(*client).to_string()).collect(),
            token: token.to_text(),
        };
        if answer.encoded_len() > MAXIMUM_BYTES {
            let message = "more would be removed than an answer can show; choose fewer employees";
            return Err(Failure::new(ErrorReason::LimitReached, message).into());
        }
        Ok(answer)
    }
}

fn removal_row(history: &AccessHistory, partner: HubId, removal: &PlannedRemoval, at: Instant) -> wire::PlannedRemoval {
    let mut users = history.client_user_spells(removal.client, &removal.address).iter();
    let user = users.find(|spell| spell.user == removal.user);
    let client = history.client(removal.client);
    wire::PlannedRemoval {
        client_user: user.map(|user| resource::client_user(history, user, at)),
        employee: EmployeeName { partner, employee: removal.employee }.to_string(),
        client_display_name: client.map(|client| client.display_name.clone()).unwrap_or_default(),
        asset_count: i32::try_from(removal.assets.len()).unwrap_or(i32::MAX),
    }
}
