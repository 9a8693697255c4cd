//! A user is removed from a client account. Whether that ends a managed relationship (R71) is derived by `domain` from
//! the history; nobody records it.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::{ServiceError, Statement, access_log};

use super::reassign_assets::release_assets;
use super::recording::{Begun, Recording};
use super::user_change::{UserChange, record_change, require_change};
use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn remove_client_user(
        &self,
        removal: UserChange,
        statement: Statement,
    ) -> Result<wire::RemoveClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let address = require_change(&recording, removal.name).await?;
        let ClientUserName { client, user } = removal.name;
        // Everybody there has a say: whether anybody of a partner is left (R71).
        let mut history = access_log::history_of_clients(&**recording.transaction(), &BTreeSet::from([client])).await?;
        release_assets(&mut recording, &mut history, removal.name, &address).await?;
        let fact = AccessFact::ClientUserRemoved { client, user, address };
        let client_user = record_change(&mut recording, &mut history, &removal, fact).await?;
        let answer = wire::RemoveClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
