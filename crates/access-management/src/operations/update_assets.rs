//! What client users own, as the vendor tells it: kept for the removal wizard (R40), not part of the access feed.

use std::collections::BTreeSet;

use contracts::Violations;
use contracts::wire::access as wire;
use domain::access::{AccessHistory, AssetId, ClientUserId, HubId};
use domain::time::Instant;
use service_kit::access_log::Question;
use service_kit::permission::unknown_client;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::AccessManagement;
use crate::store::{self, asset::Asset};

pub(crate) struct AssetUpdate {
    pub client: HubId,
    /// Created, or replaced as a whole; in the order of the request, without repeats.
    pub assets: Vec<Asset>,
    pub deleted: BTreeSet<AssetId>,
}

impl AccessManagement {
    /// The end of the log is locked although nothing is appended to it: a preview or a removal sees what users own
    /// either as it was before this call or as it is after it, and an owner cannot be removed in between.
    pub(crate) async fn update_assets(
        &self,
        update: AssetUpdate,
        statement: Statement,
    ) -> Result<wire::BatchUpdateAssetsResponse, ServiceError> {
        let recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let AssetUpdate { client, assets, deleted } = update;
        let owners: BTreeSet<ClientUserId> = assets.iter().filter_map(|asset| asset.owner).collect();
        let clients = BTreeSet::from([client]);
        let history = recording.history(&[Question::Clients(&clients), Question::ClientUsers(&owners)]).await?;
        history.client(client).ok_or_else(|| unknown_client(client))?;
        require_present_owners(&history, client, &assets, recording.now())?;

        let transaction = &**recording.transaction();
        store::asset::save(transaction, &assets).await?;
        store::asset::delete(transaction, client, &deleted).await?;
        let asset_count = store::asset::count(transaction, client).await?;
        let asset_count = i32::try_from(asset_count).unwrap_or(i32::MAX);
        recording.commit(wire::BatchUpdateAssetsResponse { asset_count }).await
    }
}

/// Who was removed owns nothing: the removal gave it away.
fn require_present_owners(
    history: &AccessHistory,
    client: HubId,
    assets: &[Asset],
    now: Instant,
) -> Result<(), ServiceError> {
    let present: BTreeSet<ClientUserId> =
        history.client_users(client).filter(|user| user.period.contains(now)).map(|user| user.user).collect();
    let mut violations = Violations::default();
    for (index, asset) in assets.iter().enumerate() {
        if asset.owner.is_some_and(|owner| !present.contains(&owner)) {
            violations.add(format!("assets[{index}].owner"), "a user of this client who is not removed, or nobody");
        }
    }
    Ok(violations.finish(|| Some(()))?)
}
