//! What a user owned in a client account is given to another, or to nobody (R41).

use std::collections::BTreeSet;

use contracts::ClientUserName;
use domain::access::{AccessFact, AccessHistory, AssetId, EmailAddress, Reassignment};
use service_kit::ServiceError;

use super::recording::Recording;
use crate::store;

/// How many assets one change names, so that a message of the feed stays of a size that every follower reads.
const ASSETS_PER_CHANGE: usize = 1_000;

/// Gives assets away and records it. The history must hold the owner in the client.
pub(super) async fn reassign_assets(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    reassignment: Reassignment,
) -> Result<(), ServiceError> {
    let Reassignment { client, user, address, new_owner, assets } = reassignment;
    store::asset::give(&**recording.transaction(), client, &assets, new_owner).await?;
    let assets: Vec<AssetId> = assets.into_iter().collect();
    for portion in assets.chunks(ASSETS_PER_CHANGE) {
        let (address, assets) = (address.clone(), portion.iter().cloned().collect());
        let fact = AccessFact::AssetsReassigned { client, user, address, new_owner, assets };
        recording.record(history, fact).await?;
    }
    Ok(())
}

/// Leaves all that a user owns without owner, and records it; nothing where it owns nothing. To be called before the user
/// is removed by other ways than the wizard, which asks for decisions instead.
pub(super) async fn release_assets(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    owner: ClientUserName,
    address: &EmailAddress,
) -> Result<(), ServiceError> {
    let assets: BTreeSet<AssetId> = store::asset::ids_of(&**recording.transaction(), owner).await?;
    let ClientUserName { client, user } = owner;
    let address = address.clone();
    reassign_assets(recording, history, Reassignment { client, user, address, new_owner: None, assets }).await
}
