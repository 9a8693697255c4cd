//! The second step of the removal wizard: everybody of the preview is removed, and what they own is given away; all or
//! nothing, in one transaction (R40, R41).

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{AssetName, ClientUserName, Failure};
use domain::access::{
    AccessFact, AssetId, Decisions, HubId, IncompleteDecisions, PlannedRemoval, Reassignment, RemovalSelection,
};
use service_kit::{ServiceError, Statement, access_log};

use super::plan_removal::{Asker, PlannedRemovals, plan_removal};
use super::reassign_assets::reassign_assets;
use super::recording::{Begun, Recording};
use super::user_change::user_now;
use crate::AccessManagement;

/// How many assets a refusal names.
const NAMED_ASSETS: usize = 50;
/// How many bytes their names have together at most: a refusal travels in headers, of which many clients read no more
/// than 8 KiB.
const NAMED_ASSET_BYTES: usize = 1_000;

pub(crate) struct ConfirmedRemoval {
    pub selection: RemovalSelection,
    /// Of the plan that was previewed.
    pub fingerprint: Vec<u8>,
    pub decisions: Decisions,
}

impl AccessManagement {
    pub(crate) async fn confirm_removal(
        &self,
        confirmed: ConfirmedRemoval,
        statement: Statement,
    ) -> Result<wire::ConfirmRemovalResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let at = recording.now();
        let asker = Asker { actor: recording.actor(), policy: recording.policy(), at };
        let planned = plan_removal(&**recording.transaction(), asker, &confirmed.selection).await?;
        let PlannedRemovals { history, plan, ended_relationships, .. } = planned;
        if plan.fingerprint().as_slice() != confirmed.fingerprint {
            return Err(stale_preview().into());
        }
        let reassignments = plan.decide(&confirmed.decisions, &history, at);
        let reassignments = reassignments.map_err(|problem| incomplete_decisions(&problem))?;

        let mut client_users = Vec::with_capacity(plan.removals.len());
        for (client, (removals, reassignments)) in by_client(plan.removals, reassignments) {
            let removed = remove_from(&mut recording, client, removals, reassignments).await?;
            client_users.extend(removed);
        }
        let revision = recording.revision().to_string();
        recording.commit(wire::ConfirmRemovalResponse { client_users, ended_relationships, revision }).await
    }
}

/// What happens in one client.
type InClient = (Vec<PlannedRemoval>, Vec<Reassignment>);

fn by_client(removals: Vec<PlannedRemoval>, reassignments: Vec<Reassignment>) -> BTreeMap<HubId, InClient> {
    let mut by_client = BTreeMap::<HubId, InClient>::new();
    for removal in removals {
        by_client.entry(removal.client).or_default().0.push(removal);
    }
    for reassignment in reassignments {
        by_client.entry(reassignment.client).or_default().1.push(reassignment);
    }
    by_client
}

/// One client at a time: whether anybody of a partner is left is asked for every user, of those who are there only.
async fn remove_from(
    recording: &mut Recording<'_>,
    client: HubId,
    removals: Vec<PlannedRemoval>,
    reassignments: Vec<Reassignment>,
) -> Result<Vec<wire::ClientUser>, ServiceError> {
    let mut history = access_log::history_of_clients(&**recording.transaction(), &BTreeSet::from([client])).await?;
    for reassignment in reassignments {
        reassign_assets(recording, &mut history, reassignment).await?;
    }
    let mut removed = Vec::with_capacity(removals.len());
    for PlannedRemoval { user, address, .. } in removals {
        recording.record(&mut history, AccessFact::ClientUserRemoved { client, user, address }).await?;
        removed.extend(user_now(recording, &history, ClientUserName { client, user }));
    }
    Ok(removed)
}

fn stale_preview() -> Failure {
    let message = "something changed since the preview: whom it removes, what they own, what ends, or what you may do; \
                   preview again, and confirm what is there now";
    Failure::new(ErrorReason::StalePreview, message)
}

fn incomplete_decisions(problem: &IncompleteDecisions) -> Failure {
    let IncompleteDecisions { missing, unknown, wrong_targets } = problem;
    let wrong = unknown.union(wrong_targets).cloned().collect();
    let failure = Failure::new(ErrorReason::IncompleteDecisions, problem.to_string());
    listing(listing(failure, "missing_assets", missing), "wrong_decisions", &wrong)
}

/// Names the first of the assets, and says how many more there are.
fn listing(failure: Failure, key: &str, assets: &BTreeSet<(HubId, AssetId)>) -> Failure {
    let names = assets.iter().map(|(client, asset)| AssetName { client: *client, asset: asset.clone() }.to_string());
    let mut bytes = 0;
    let fitting = names.take(NAMED_ASSETS).take_while(|name| {
        bytes += name.len() + 1;
        bytes <= NAMED_ASSET_BYTES
    });
    let named: Vec<String> = fitting.collect();
    let failure = if named.is_empty() { failure } else { failure.with(key, named.join(",")) };
    let further = assets.len() - named.len();
    if further == 0 { failure } else { failure.with(&format!("further_{key}"), further) }
}
